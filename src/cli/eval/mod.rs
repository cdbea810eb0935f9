//! `vireille eval`: suites, runs, comparisons. One file a command.
//!
//! Every command ends with one of the exit codes of [`crate::evals::exit::Outcome`] or those of the whole command line:
//! a suite that cannot be used is 2, a server that is down 102, never 0 and never "all failed".

mod bless;
mod calibrate;
mod check;
mod compare;
mod corrections;
mod explain;
mod import;
mod power;
mod rewrite;
mod run;
mod score;
mod show;
mod verify;
mod view;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Context, Exit, Failure};
use crate::evals::baseline::Baseline;
use crate::evals::load::Loaded;

const AFTER_HELP: &str = "\
Exit codes:
    0  every gate passed
    1  it failed inside
    4  what is recorded does not fit any more (explain-cache)
    2  the suite, the cases or the arguments cannot be used, or no case was selected
  100  a gate failed
  102  not every case has an answer, or too many errors
  103  too few cases to tell (--inconclusive=pass|fail maps it)
  104  the budget was used up
  130  interrupted; what was done is kept, `--resume` goes on";

/// Evaluations: run, compare, bless, verify.
#[derive(Debug, Subcommand)]
#[command(after_help = AFTER_HELP)]
pub(super) enum Eval {
    /// Runs suites over their cases and holds the figures against their gates.
    Run(Box<run::Run>),
    /// Reads suites and their datasets and says what is wrong, without running anything.
    Check(check::Check),
    /// Makes the scores of a finished run anew from its kept answers, asking nobody.
    Score(score::Score),
    /// Compares two runs (or a baseline and a run) case by case.
    Compare(compare::Compare),
    /// Writes a run as the baseline of its suite.
    Bless(bless::Bless),
    /// Asks a judge about what people have labelled, and writes how far the two agree.
    Calibrate(calibrate::Calibrate),
    /// Writes one self-contained HTML page about a run.
    View(view::View),
    /// Recomputes every number of a verdict and its signature.
    Verify(verify::Verify),
    /// Says how many cases a difference needs before it can be seen.
    Power(power::Power),
    /// Exports what people changed in review as masked cases that wait for a second label.
    FromCorrections(corrections::FromCorrections),
    /// Reads cases of other tools: promptfoo YAML and CSV, Inspect and OpenAI JSONL.
    Import(import::Import),
    /// Writes cases in other words, for a suite that holds rewritings against their originals.
    Rewrite(rewrite::RewriteCases),
    /// Says which part of a request differs from what was recorded.
    ExplainCache(explain::ExplainCache),
}

impl Eval {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::Run(command) => command.run(context).await,
            Self::Check(command) => command.run(context).await,
            Self::Score(command) => command.run(context).await,
            Self::Compare(command) => command.run(context).await,
            Self::Bless(command) => command.run(context).await,
            Self::Calibrate(command) => command.run(context).await,
            Self::View(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
            Self::Power(command) => command.run(context).await,
            Self::FromCorrections(command) => command.run(context).await,
            Self::Import(command) => command.run(context).await,
            Self::Rewrite(command) => command.run(context).await,
            Self::ExplainCache(command) => command.run(context).await,
        }
    }
}

/// The suites' files: those that are named, and the YAML files of folders in the order of their names.
fn suites(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let yaml = |file: &PathBuf| file.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let entries = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
        let mut found: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
        found.retain(yaml);
        if found.is_empty() {
            return Err(Failure::Usage(format!("{}: there is no suite in this folder", path.display())));
        }
        found.sort_unstable();
        files.append(&mut found);
    }
    Ok(files)
}

/// The blessed baseline of a suite, where it has one already.
fn baseline(loaded: &Loaded) -> Result<Option<Baseline>, Failure> {
    let file = loaded.suite.baseline.as_deref().map(|file: &Path| loaded.resolve(file));
    let Some(file) = file.filter(|file| file.exists()) else { return Ok(None) };
    let baseline = Baseline::read(&file).map_err(|unreadable| Failure::Usage(unreadable.to_string()))?;
    let (blessed, suite) = (&baseline.run.record.suite.suite, &loaded.suite.suite);
    if blessed != suite {
        let file = file.display();
        let words = format!("{file}: this is the baseline of the suite `{blessed}`, not of `{suite}`; name its own");
        return Err(Failure::Usage(words));
    }
    Ok(Some(baseline))
}
