//! `vireille eval rewrite`: cases of a metamorphic suite, made of messages that have a label.

use std::path::PathBuf;

use clap::{Args, ValueEnum as _};
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::evals::dataset;
use crate::evals::report::{put, words::count};
use crate::evals::rewrites::{Rewrite, family, is_original};

/// Writes cases in other words: with slips, in capitals, with a greeting, under other names.
#[derive(Debug, Args)]
pub(in crate::cli) struct RewriteCases {
    /// The cases, one a line. Rewritings among them are left out and made anew from their originals.
    #[arg(value_name = "CASES")]
    cases: PathBuf,
    /// The file of originals and rewritings; may be the same. `metadata.base` and `metadata.rewrite` tell them apart.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Only in these ways; all when left out.
    #[arg(long = "way", value_enum, value_name = "WAY", value_delimiter = ',')]
    ways: Vec<Rewrite>,
}

impl RewriteCases {
    #[expect(clippy::unused_async, reason = "every command of `eval` is called alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let cases = dataset::all(&self.cases).map_err(|faults| Failure::Usage(faults.to_string()))?;
        let ways = if self.ways.is_empty() { Rewrite::value_variants() } else { &self.ways };
        let originals: Vec<_> = cases.iter().filter(|case| is_original(case)).collect();
        if originals.is_empty() {
            return Err(Failure::Usage(format!("{}: there is no original", self.cases.display())));
        }
        let mut text = String::new();
        for original in &originals {
            let family = family(original, ways).map_err(|refused| Failure::Usage(refused.to_string()))?;
            for case in family {
                text.push_str(&serde_json::to_string(&case)?);
                text.push('\n');
            }
        }
        put(&self.output, &text)?;
        let rewritings = originals.len() * ways.len();
        if context.out.is_json() {
            context
                .out
                .json_line(&json!({ "file": self.output, "originals": originals.len(), "rewritings": rewritings }))?;
        } else {
            let (originals, rewritings) = (count(originals.len(), "original"), count(rewritings, "rewriting"));
            context.out.line(format!("{originals} and {rewritings} in {}.", self.output.display()))?;
        }
        Ok(Exit::Ok)
    }
}
