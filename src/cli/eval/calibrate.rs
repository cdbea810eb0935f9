//! `vireille eval calibrate`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::cli::output;
use crate::evals::calibration::{self, Calibration, ask};
use crate::evals::measure::Measure;
use crate::evals::report::{put, words};
use crate::evals::score::Scorer;
use crate::evals::suite::{Mode, RunSettings};
use crate::evals::target::judges;

/// Asks a judge about what people have labelled, and writes how far the two agree.
///
/// The judge is asked as in a run: the same rubric, client and cassettes. What is written holds ids, labels and scores,
/// and no text; suites with this rubric and model find it by themselves.
#[derive(Debug, Args)]
pub(in crate::cli) struct Calibrate {
    /// The rubric, a file.
    rubric: PathBuf,
    /// What people have labelled: JSON Lines with id, human, output, and cluster, input and expected where there are any.
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// The model that judges [default: that of the settings].
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// The least share that passes [default: 0.5].
    #[arg(long, value_name = "SHARE", value_parser = share)]
    threshold: Option<f64>,
    /// Whether the model is asked, or recorded calls replayed.
    #[arg(long, value_enum, default_value = "auto")]
    mode: Mode,
    /// Items at a time.
    #[arg(short = 'j', long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=4096))]
    max_concurrency: u32,
    /// Where it is written [default: judges/calibration/RUBRIC.jsonl in the folder of evaluations].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Calibrate {
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let usage = |words: String| Failure::Usage(words);
        let config = context.config()?;
        let labels = ask::labels(&self.labels).map_err(|faults| usage(faults.to_string()))?;
        let model = self.model.unwrap_or_else(|| format!("openai/{}", config.model.name));
        let max_concurrency = self.max_concurrency;
        let run = RunSettings { max_concurrency, mode: self.mode, ..RunSettings::default() };
        let loaded = ask::suite(&self.rubric, &model, self.threshold, run);
        let mut scorer = Scorer::new(&loaded.suite, &loaded.path).map_err(|faults| usage(faults.to_string()))?;
        let ambient = context.ambient.clone();
        let seated = scorer.seat_judges(&ambient, |judge| judges::connect(&loaded, &config, judge, &ambient));
        seated.map_err(|unusable| usage(unusable.to_string()))?;
        let seat = scorer.seats().next().map(|(_, rubric, judge, least)| (rubric.to_owned(), judge.clone(), least));
        let (rubric, judge, least) = seat.ok_or_else(|| usage("the rubric seats no judge".to_owned()))?;
        let asked = ask::ask(&scorer, &judge, &labels, max_concurrency).await;
        if let Some(fault) = &asked.fault {
            output::note(&format!(
                "{fault}\nNothing was written: whoever is not asked about every item is not calibrated."
            ));
            return Ok(Exit::Incomplete);
        }
        let lines = ask::lines(&asked.items).map_err(|error| Failure::Failed(error.into()))?;
        let found = Calibration::of(&asked.items, least, calibration::digest(&lines)).ok_or_else(|| {
            usage(format!("{}: it takes items that people call good and others, judged", self.labels.display()))
        })?;
        let file = self.output.unwrap_or_else(|| calibration::path(&loaded.home(), &rubric));
        put(&file, &lines)?;
        let differ = ask::disagreements(&asked.items, least);
        if context.out.is_json() {
            context.out.json_line(&json!({
                "file": file, "rubric": rubric, "judge": judge, "least": least, "calibration": found,
                "disagreements": differ,
            }))?;
            return Ok(Exit::Ok);
        }
        let row = |name: &str, measure: &Measure| {
            let bounds = words::interval(measure.low, measure.high);
            vec![name.to_owned(), words::number(measure.value), bounds, measure.scored.to_string()]
        };
        let mut rows = vec![row("sensitivity", &found.sensitivity), row("specificity", &found.specificity)];
        rows.extend(found.kappa.as_ref().map(|kappa| row("κ", kappa)));
        rows.extend(
            found.alpha.map(|alpha| vec!["α".to_owned(), words::number(alpha), String::new(), found.items.to_string()]),
        );
        context.out.line(format!("{rubric} · {}", judge.model))?;
        context.out.table(&["agreement", "value", "95 %", "items"], rows)?;
        for id in &differ {
            context.out.line(format!("differs: {id}"))?;
        }
        context.out.line(format!(
            "{} of {} items judged, {} differ\n{}",
            found.items,
            labels.len(),
            differ.len(),
            file.display()
        ))?;
        Ok(Exit::Ok)
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a share lies between 0 and 1".to_owned()) }
}
