//! `vireille eval explain-cache`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::evals::dataset;
use crate::evals::load;
use crate::evals::select::Criterion;
use crate::evals::suite::{Mode, ModelChoice};
use crate::evals::target::{self, TargetError};

/// Says which part of a request differs from what was recorded.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainCache {
    /// The suite.
    suite: PathBuf,
    /// The case's id.
    case: String,
    /// Which model, where the suite has several.
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// Which repetition, from 0.
    #[arg(long, default_value_t = 0, value_name = "N")]
    epoch: u32,
}

impl ExplainCache {
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let Self { suite, case, model, epoch } = self;
        let config = context.config()?;
        let usage = |words: String| Failure::Usage(words);
        let mut loaded = load::suite(&suite).map_err(|faults| usage(faults.to_string()))?;
        loaded.suite.run.mode = Mode::Replay;
        loaded.suite.run.epochs = loaded.suite.run.epochs.max(epoch.saturating_add(1));
        let of_suite = loaded.suite.models.iter().find(|choice| model.as_ref().is_none_or(|id| choice.id == *id));
        let model = of_suite.cloned().or_else(|| model.map(|id| ModelChoice { id, url: None }));
        let cases = dataset::open(&loaded, &[Criterion::Id(case)]).map_err(|faults| usage(faults.to_string()))?;
        let target = target::build(&loaded, &config, model.as_ref(), &context.ambient).await;
        let target = target.map_err(|unusable| usage(unusable.to_string()))?;
        for case in &cases.cases {
            let (recorded, says) = match target.answer(case, epoch).await {
                Ok(answer) if answer.used.calls == 0 => (true, "no model is asked".to_owned()),
                Ok(_) => (true, "recorded".to_owned()),
                Err(TargetError::MissingCassette { field }) => (false, format!("not recorded: {field}")),
                Err(error) => (false, error.to_string()),
            };
            if context.out.is_json() {
                context.out.json_line(&json!({ "case": case.id, "recorded": recorded, "says": says }))?;
            } else {
                context.out.line(format!("{}: {says}", case.id))?;
            }
            if !recorded {
                return Ok(Exit::Differs);
            }
        }
        Ok(Exit::Ok)
    }
}
