//! `vireille eval verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::output::note;
use super::{Context, Exit, Failure};
use crate::evals::folder::RunFolder;
use crate::evals::verdict::{self, Signed};

/// Recomputes every number of a verdict and its signature.
///
/// It asks no model and no network. 0: everything is what the rows give. 1: something is not, or the signature is not
/// the one that was asked for.
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// The verdict, or the run's folder with one in it.
    #[arg(value_name = "VERDICT")]
    verdict: PathBuf,
    /// The run's folder [default: where the verdict stands].
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Accept only the signature of this public key, hexadecimal.
    #[arg(long, value_name = "KEY")]
    signer: Option<String>,
}

impl Verify {
    #[expect(clippy::unused_async, reason = "commands are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let given = RunFolder(self.verdict.clone());
        let path = if self.verdict.is_dir() { verdict::path(&given) } else { self.verdict };
        let beside = || path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
        let folder = RunFolder(self.run.unwrap_or_else(beside));
        let checked = verdict::check(&path, &folder).map_err(|error| Failure::Usage(error.to_string()))?;
        let stranger = match (&self.signer, &checked.signed) {
            (None, _) => None,
            (Some(asked), Signed::By { public_key }) if asked.eq_ignore_ascii_case(public_key) => None,
            (Some(_), _) => Some("it is not signed by the key that was asked for"),
        };
        let holds = checked.holds() && stranger.is_none();
        if checked.signed == Signed::Unsigned {
            note(
                "the verdict carries no signature; if it had one, somebody has taken it away. --signer=KEY accepts a signed one only",
            );
        }
        if context.out.is_json() {
            context.out.json_line(&json!({ "holds": holds, "checked": checked }))?;
        } else {
            // What does not hold says nothing of how the run ended.
            if !holds {
                context.out.line("the verdict does not hold")?;
            }
            let signed = match &checked.signed {
                Signed::Unsigned => "not signed: nobody vouches for it".to_owned(),
                Signed::By { public_key } => format!("signed by {public_key}"),
                Signed::Invalid => "the signature does not fit".to_owned(),
            };
            if let Some(first) = checked.differences.first() {
                context
                    .out
                    .line(format!("{}: the verdict says {}, the rows give {}", first.at, first.verdict, first.rows))?;
                if let more @ 1.. = checked.differences.len() - 1 {
                    context.out.line(format!("and {more} more"))?;
                }
            }
            let outcome = checked.outcome.as_str();
            let said = if holds { outcome.to_owned() } else { format!("does not hold (it says {outcome})") };
            context.out.line(format!("{said}: {} values recomputed, {signed}", checked.compared))?;
            if let Some(stranger) = stranger {
                context.out.line(stranger)?;
            }
        }
        Ok(if holds { Exit::Ok } else { Exit::Failure })
    }
}
