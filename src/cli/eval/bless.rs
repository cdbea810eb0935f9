//! `vireille eval bless`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::output::note;
use super::{Context, Exit, Failure, compare};
use crate::evals::baseline::{Baseline, Blessed};
use crate::evals::compare::{Named, runs};
use crate::evals::folder::{Run, RunFolder};
use crate::evals::report::put;
use crate::evals::row::Status;

/// Where baselines stand.
const FOLDER: &str = "evals/baselines";

/// Writes a run as the baseline of its suite.
///
/// Only a whole run without errors can be a baseline. What changes against the baseline that is there is shown first.
#[derive(Debug, Args)]
pub(in crate::cli) struct Bless {
    /// The run's folder.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Why, in a sentence; it stands in the file.
    #[arg(long, value_name = "TEXT")]
    because: String,
    /// Who blesses it.
    #[arg(long, value_name = "NAME", env = "USER")]
    by: String,
    /// The file [default: evals/baselines/SUITE.json].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Bless {
    #[expect(clippy::unused_async, reason = "commands are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let run = RunFolder(self.run.clone()).read().map_err(|error| Failure::Usage(error.to_string()))?;
        if let Some(fault) = unfit(&run) {
            return Err(Failure::Usage(format!("{}: {fault}", self.run.display())));
        }
        let (because, by) = (self.because.trim(), self.by.trim());
        if because.is_empty() || by.is_empty() {
            return Err(Failure::Usage("--because and --by say why and who; neither may be empty".to_owned()));
        }
        let suite = run.record.suite.suite.clone();
        let path = self.output.unwrap_or_else(|| PathBuf::from(FOLDER).join(format!("{suite}.json")));
        if path.exists() {
            let old = compare::open(&path)?;
            if old.record.suite.suite != suite {
                return Err(Failure::Usage(format!(
                    "{} is the baseline of {}, and this is a run of {suite}",
                    path.display(),
                    old.record.suite.suite
                )));
            }
            let before = Named { name: "the baseline", run: &old };
            let comparison = runs(before, Named { name: "this run", run: &run }, Vec::new());
            if !context.out.is_json() {
                compare::show(context, &comparison)?;
            }
        }
        let rows = run.rows.len();
        let blessed = Blessed { by: by.to_owned(), at: context.ambient.now(), because: because.to_owned() };
        put(&path, &Baseline::of(run, blessed).text()?)?;
        if context.out.is_json() {
            context.out.json_line(&json!({ "baseline": path, "suite": suite, "rows": rows }))?;
        } else {
            note(&format!("{}: {rows} rows.", path.display()));
        }
        Ok(Exit::Ok)
    }
}

/// Why a run is no baseline.
fn unfit(run: &Run) -> Option<String> {
    let without = run.rows.iter().filter(|row| matches!(row.status, Status::Error | Status::Ungraded)).count();
    let missing = run.record.rows.saturating_sub(run.rows.len());
    match (run.record.selection.is_empty(), missing, without) {
        (false, ..) => Some(format!("only {} was run; a baseline has every case", run.record.selection.join(" "))),
        (true, 1.., _) => Some(format!("{missing} rows are missing; `vireille eval run --resume` makes them")),
        (true, 0, 1..) => Some(format!("{without} rows have no answer or no grade; `--retry-errors` tries them again")),
        (true, 0, 0) if run.rows.is_empty() => Some("it has no rows".to_owned()),
        (true, 0, 0) => None,
    }
}
