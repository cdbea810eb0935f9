//! `vireille eval compare`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::output::note;
use super::{Context, Exit, Failure};
use crate::evals::baseline::Baseline;
use crate::evals::compare::{self, AS_ASKED, Comparison, MARGIN, Named, no_worse, the_same};
use crate::evals::exit::Outcome;
use crate::evals::folder::{Run, RunFolder};
use crate::evals::measure::is_share;
use crate::evals::report::{markdown, words};
use crate::evals::suite::Gate;

/// What GitHub shows beside a job, where it runs one.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Compares two runs (or a baseline and a run) case by case.
#[derive(Debug, Args)]
pub(in crate::cli) struct Compare {
    /// What was there: a run's folder or a baseline.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// What is there now: a run's folder or a baseline.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Judge this figure instead of those of the suite's gates; may be given several times.
    #[arg(long = "metric", value_name = "FIGURE")]
    metrics: Vec<String>,
    /// How much worse a figure may be: with --metric, or where the suite has no gate that compares [default: 0.02].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    margin: Option<f64>,
    /// Claim instead that a figure is what it was, within so much either way (two one-sided tests): for a cheaper model.
    #[arg(long, value_name = "SHARE", value_parser = above_nought, conflicts_with = "margin")]
    equivalent: Option<f64>,
    /// Write the comparison as Markdown, for a pull request; without case text.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What too few cases to tell count as.
    #[arg(long, value_enum, value_name = "AS")]
    inconclusive: Option<Inconclusive>,
}

/// What an inconclusive result counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Inconclusive {
    /// 0.
    Pass,
    /// 100.
    Fail,
}

impl Inconclusive {
    /// An outcome as the caller wants it counted.
    pub(in crate::cli) const fn map(choice: Option<Self>, outcome: Outcome) -> Outcome {
        match (choice, outcome) {
            (Some(Self::Pass), Outcome::Inconclusive) => Outcome::Pass,
            (Some(Self::Fail), Outcome::Inconclusive) => Outcome::Fail,
            (_, outcome) => outcome,
        }
    }
}

impl Compare {
    #[expect(clippy::unused_async, reason = "commands are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let (before, after) = (open(&self.before)?, open(&self.after)?);
        let (was, is) = (&before.record.suite.suite, &after.record.suite.suite);
        if was != is {
            return Err(Failure::Usage(format!("runs of different suites cannot be compared: {was} and {is}")));
        }
        if let Some(metric) = self.beyond() {
            return Err(Failure::Usage(format!("`{metric}` never goes beyond 1: write a margin like 0.02 for 2 %")));
        }
        let names = [name(&self.before), name(&self.after)];
        let before = Named { name: &names[0], run: &before };
        let after = Named { name: &names[1], run: &after };
        let comparison = compare::runs(before, after, self.asked());
        if comparison.paired == 0 {
            return Err(Failure::Usage("the two have no case in common".to_owned()));
        }
        let text = markdown::comparison(&comparison);
        if let Some(file) = &self.output {
            std::fs::write(file, &text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        }
        append_summary(context, &text)?;
        show(context, &comparison)?;
        Ok(Inconclusive::map(self.inconclusive, comparison.outcome).into())
    }

    /// A figure for which the margin allows everything.
    fn beyond(&self) -> Option<&str> {
        let metrics: Vec<&str> = self.metrics.iter().map(String::as_str).collect();
        let judged = if metrics.is_empty() { vec![AS_ASKED] } else { metrics };
        self.margin.filter(|margin| *margin > 1.0).and_then(|_| judged.into_iter().find(|metric| is_share(metric)))
    }

    fn asked(&self) -> Vec<Gate> {
        let gate: &dyn Fn(&str) -> Gate = match (self.equivalent, self.margin) {
            (Some(margin), _) => &move |metric| the_same(metric, margin),
            (None, margin) => &move |metric| no_worse(metric, margin.unwrap_or(MARGIN)),
        };
        match self.metrics.as_slice() {
            [] if self.margin.or(self.equivalent).is_none() => Vec::new(),
            [] => vec![gate(AS_ASKED)],
            metrics => metrics.iter().map(|metric| gate(metric)).collect(),
        }
    }
}

fn above_nought(text: &str) -> Result<f64, String> {
    share(text).and_then(|share| if share > 0.0 { Ok(share) } else { Err("nothing is the same within 0".to_owned()) })
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if share.is_finite() && share >= 0.0 { Ok(share) } else { Err("a margin is 0 or more".to_owned()) }
}

/// A run's folder, or a baseline.
pub(super) fn open(path: &Path) -> Result<Run, Failure> {
    if path.is_dir() {
        return RunFolder(path.to_owned()).read().map_err(|error| Failure::Usage(error.to_string()));
    }
    let baseline = Baseline::read(path).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(baseline.run)
}

/// The last part of a path: a run's folder is named after when and what.
fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Adds Markdown to what GitHub shows beside the job, where there is one.
pub(super) fn append_summary(context: &Context, text: &str) -> Result<(), Failure> {
    use std::io::Write as _;

    let named = context.sources.environment.iter().find(|(name, value)| name == STEP_SUMMARY && !value.is_empty());
    if let Some((_, path)) = named {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
        writeln!(file, "{text}")?;
    }
    Ok(())
}

const HEAD: &[&str] = &["figure", "before", "after", "difference", "95 %", ""];

/// A comparison on standard output.
pub(super) fn show(context: &mut Context, comparison: &Comparison) -> Result<(), Failure> {
    if context.out.is_json() {
        return context.out.json_line(&json!(comparison));
    }
    let told = comparison.slices.iter().filter(|change| change.tells());
    let rows = comparison.changes.iter().chain(told).map(|change| {
        vec![
            change.title(),
            words::number(change.before),
            words::number(change.after),
            words::signed(change.difference),
            words::signed_interval(change.low, change.high),
            change.verdict(),
        ]
    });
    context.out.table(HEAD, rows)?;
    for (what, flips) in [("harmful", &comparison.harmful), ("beneficial", &comparison.beneficial)] {
        let ids: Vec<String> = flips.iter().map(|flip| flip.case.clone()).collect();
        if !ids.is_empty() {
            context.out.line(format!("{what} flips ({}): {}", ids.len(), ids.join(" ")))?;
        }
    }
    if comparison.flipped() {
        context.out.line(comparison.chance.says())?;
    }
    for (what, ids) in [
        ("answered before and not now", &comparison.lost),
        ("only before", &comparison.only_before),
        ("only now", &comparison.only_after),
    ] {
        if !ids.is_empty() {
            context.out.line(format!("{what} ({}): {}", ids.len(), ids.join(" ")))?;
        }
    }
    for line in &comparison.notes {
        note(line);
    }
    context.out.line(format!(
        "{}: {} cases in both. {}",
        comparison.outcome.as_str(),
        comparison.paired,
        comparison.why
    ))
}
