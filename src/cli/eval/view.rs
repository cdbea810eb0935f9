//! `vireille eval view`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::evals::folder::RunFolder;
use crate::evals::report::html::{self, Answers};
use crate::evals::report::{Report, put};
use crate::evals::verdict;

/// Writes one self-contained HTML page about a run, or several beside each other.
///
/// The page needs no server and no network. Answers of failed cases are in it only with --answers.
#[derive(Debug, Args)]
pub(in crate::cli) struct View {
    /// Folders of runs.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<PathBuf>,
    /// The file [default: report.html in the first run's folder].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Hold the runs against this baseline, not the one in their folders.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Show what was answered in failed cases, as far as the rows keep it.
    #[arg(long)]
    answers: bool,
}

impl View {
    #[expect(clippy::unused_async, reason = "commands are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let other = self.baseline.as_deref().map(super::compare::open).transpose()?;
        let mut reports = Vec::new();
        for run in &self.runs {
            let opened = verdict::open(&RunFolder(run.clone())).map_err(|error| Failure::Usage(error.to_string()))?;
            let (run, baseline) = opened;
            let kept = baseline.map(|baseline| baseline.run);
            reports.push(Report::of(run, other.as_ref().or(kept.as_ref())));
        }
        let answers = if self.answers { Answers::Shown } else { Answers::Hidden };
        let page = html::render(&reports, answers).map_err(anyhow::Error::from_boxed)?;
        let path = self.output.or_else(|| Some(self.runs.first()?.join("report.html")));
        let path = path.ok_or_else(|| Failure::Usage("no run is named".to_owned()))?;
        put(&path, &page)?;
        if context.out.is_json() {
            context.out.json_line(&json!({ "page": path }))?;
        } else {
            context.out.line(path.display().to_string())?;
        }
        Ok(Exit::Ok)
    }
}
