//! `vireille eval score`.

use std::path::PathBuf;

use clap::Args;

use super::{Context, Exit, Failure, run, show};
use crate::cli::output;
use crate::evals::dataset;
use crate::evals::folder::RunFolder;
use crate::evals::load::{self, Loaded};
use crate::evals::report::{self, Format};
use crate::evals::rows::Writer;
use crate::evals::run::{Beginning, again};
use crate::evals::score::Scorer;
use crate::evals::select::Criterion;

/// Makes the scores of a finished run anew from its kept answers, asking nobody.
#[derive(Debug, Args)]
pub(in crate::cli) struct Score {
    /// The run's folder. It is left as it is; the new scores are a run of their own beside it.
    run: PathBuf,
    /// Assertions, metrics, slices and gates of this suite instead of the run's own.
    #[arg(long, value_name = "FILE")]
    suite: Option<PathBuf>,
    /// Write a report, in the format of its name.
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
}

impl Score {
    #[expect(clippy::unused_async, reason = "all commands of this room are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        for file in &self.output {
            Format::of(file).map_err(|unknown| Failure::Usage(unknown.to_string()))?;
        }
        let config = context.config()?;
        let usage = |words: String| Failure::Usage(words);
        let before = RunFolder(self.run.clone()).read().map_err(|error| usage(error.to_string()))?;
        let file = self.suite.as_ref().unwrap_or(&before.record.path);
        let read = load::suite(file).map_err(|faults| usage(faults.to_string()))?;
        // What was run is as it was; what is asked of it is new.
        let mut suite = read.suite.clone();
        suite.run = before.record.suite.run.clone();
        suite.models.clone_from(&before.record.suite.models);
        let loaded = Loaded { suite, ..read };
        let criteria = before.record.selection.iter().map(|words| words.parse());
        let criteria: Vec<Criterion> =
            criteria.collect::<Result<_, _>>().map_err(|unknown| usage(format!("{unknown}")))?;
        let cases = dataset::open(&loaded, &criteria).map_err(|faults| usage(faults.to_string()))?;
        if cases.sha256 != before.record.hashes.dataset {
            output::note("The dataset has changed since the run; its cases are scored as they are now.");
        }
        let scorer = Scorer::new(&loaded.suite, &loaded.path).map_err(|faults| usage(faults.to_string()))?;
        let rows = again::score(&before.rows, &cases.cases, &loaded.suite, &scorer);
        let rows = rows.map_err(|unscorable| usage(format!("{}: {unscorable}", self.run.display())))?;
        let runs = self.run.parent().map_or_else(|| loaded.runs(), PathBuf::from);
        let model = before.record.suite.models.iter().find(|model| before.record.model.as_ref() == Some(&model.id));
        let beginning = Beginning {
            loaded: &loaded,
            model,
            cases,
            criteria: &criteria,
            config: &config,
            runs: &runs,
            now: context.ambient.now(),
        };
        let name = self.run.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let begun = beginning.score_anew(before.record.clone(), name).map_err(run::begin)?;
        let failed = |error: crate::evals::rows::RowsError| Failure::Failed(error.into());
        let writer = Writer::append(&begun.folder.rows()).map_err(failed)?;
        rows.iter().take_while(|row| writer.push(row)).for_each(drop);
        writer.close().map_err(failed)?;
        let report = run::finish(&begun.folder, &loaded, None)?;
        show::run(context, &report, &begun.folder)?;
        let outcome = report.outcome;
        let reports = [report];
        for file in &self.output {
            report::write(file, &reports).map_err(|error| Failure::Failed(error.into()))?;
        }
        Ok(outcome.into())
    }
}
