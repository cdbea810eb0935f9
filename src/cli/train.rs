//! `vireille train`: the offline classifier of a municipality, trained from its labelled examples, and how good it is
//! on examples that it has not seen (cross-validation). Trains anew each time: the kept classifier of `serve` and
//! `work` (`policies.cache`) is neither read nor written.

use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::cases::MunicipalityId;
use crate::model::TextClassifier as _;
use crate::model::offline::{LinearClassifier, Sample, Score, Settings, cross_validate};

/// Trains and measures the offline classifier.
#[derive(Debug, Args)]
pub(super) struct Train {
    /// Of which municipality; the default one of the settings when left out.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
    /// Parts of the cross-validation.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=20))]
    folds: u8,
}

impl Train {
    pub(super) fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let config = context.config()?;
        let municipality = self.municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
        let rulebooks = super::rulebooks(&config)?;
        let book = crate::intake::register::rulebook(&rulebooks, &municipality)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let examples = &book.pack.examples;
        if examples.is_empty() {
            return Err(Failure::Usage(format!("`{municipality}` has no examples to learn from")));
        }
        let started = Instant::now();
        let classifier = LinearClassifier::train(examples.iter().map(|e| (e.text.as_str(), e.label.as_str())));
        let seconds = started.elapsed().as_secs_f64();
        let samples: Vec<Sample<'_>> =
            examples.iter().map(|e| Sample { text: &e.text, label: &e.label, group: e.language.code() }).collect();
        let figures = cross_validate(&samples, usize::from(self.folds), &Settings::default());
        let groups =
            std::iter::once(("all", &figures.all)).chain(figures.groups.iter().map(|(name, s)| (name.as_str(), s)));
        if context.out.is_json() {
            context.out.json_line(&json!({
                "municipality": municipality, "classifier": classifier.hash(), "labels": classifier.labels().len(),
                "examples": examples.len(), "folds": self.folds, "seconds_training": seconds,
                "figures": groups.map(|(name, score)| (name.to_owned(), measures(score)))
                    .collect::<serde_json::Map<_, _>>(),
                "confusions": figures.confusions.iter().take(20).map(|(label, answer, count)| {
                    json!({ "label": label, "answer": answer, "count": count })
                }).collect::<Vec<_>>(),
            }))?;
            return Ok(Exit::Ok);
        }
        context.out.line(format!(
            "{municipality}: {} labels from {} examples in {seconds:.2} s; classifier {}",
            classifier.labels().len(),
            examples.len(),
            classifier.hash(),
        ))?;
        context.out.line(format!("Cross-validation in {} parts:\n", self.folds))?;
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let rows = groups.map(|(name, score)| {
            vec![
                name.to_owned(),
                score.samples.to_string(),
                percent(score.accuracy()),
                percent(score.answered_accuracy()),
                percent(score.abstained()),
                format!("{:.3}", score.calibration_error()),
            ]
        });
        context
            .out
            .table(&["language", "examples", "right", "right when sure", "abstained", "calibration error"], rows)?;
        if !figures.confusions.is_empty() {
            context.out.line("")?;
            let rows = figures
                .confusions
                .iter()
                .take(10)
                .map(|(label, answer, count)| vec![label.clone(), answer.clone(), count.to_string()]);
            context.out.table(&["is", "was taken for", "times"], rows)?;
        }
        Ok(Exit::Ok)
    }
}

fn measures(score: &Score) -> serde_json::Value {
    json!({
        "examples": score.samples, "right": score.accuracy(), "right_when_sure": score.answered_accuracy(),
        "abstained": score.abstained(), "calibration_error": score.calibration_error(),
    })
}
