//! `vireille eval explain-cache`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::evals::dataset;
use crate::evals::load;
use crate::evals::report::words;
use crate::evals::select::Criterion;
use crate::evals::stats::real;
use crate::evals::suite::{Mode, ModelChoice};
use crate::evals::target::{self, TargetError};
use crate::model::cassette::Asked;

/// Says which part of a request differs from what was recorded.
///
/// Without a case, of every case; and what is recorded and no case asks for any more.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExplainCache {
    /// The suite.
    suite: PathBuf,
    /// The case's id; every case when left out.
    case: Option<String>,
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
        let every = case.is_none();
        let criteria: Vec<Criterion> = case.map(Criterion::Id).into_iter().collect();
        let cases = dataset::open(&loaded, &criteria).map_err(|faults| usage(faults.to_string()))?;
        let target = target::build(&loaded, &config, model.as_ref(), &context.ambient).await;
        let target = target.map_err(|unusable| usage(unusable.to_string()))?;
        // Without a named case every repetition is asked for, or its calls would look unused.
        let epochs = if every { 0..loaded.suite.run.epochs } else { epoch..epoch + 1 };
        let mut exit = Exit::Ok;
        for case in &cases.cases {
            for epoch in epochs.clone() {
                let (recorded, says) = match target.answer(case, epoch).await {
                    Ok(answer) if answer.used.calls == 0 => (true, "no model is asked".to_owned()),
                    Ok(_) => (true, "recorded".to_owned()),
                    Err(TargetError::MissingCassette { field }) => (false, format!("not recorded: {field}")),
                    Err(error) => (false, error.to_string()),
                };
                if context.out.is_json() {
                    let line = json!({ "case": case.id, "epoch": epoch, "recorded": recorded, "says": says });
                    context.out.json_line(&line)?;
                } else if !(every && recorded) {
                    context.out.line(format!("{}: {says}", case.id))?;
                }
                exit = if recorded { exit } else { Exit::Differs };
            }
        }
        match target.asked().filter(|_| every) {
            Some(asked) => Ok(if tell(context, &asked)? { exit } else { Exit::Differs }),
            None => Ok(exit),
        }
    }
}

/// How far what is recorded still fits; whether all of it does.
fn tell(context: &mut Context, asked: &Asked) -> Result<bool, Failure> {
    let Asked { recorded, missed, unused } = asked;
    let all = recorded + missed;
    let share = real(*missed) / real(all.max(1));
    if context.out.is_json() {
        context.out.json_line(
            &json!({ "asked": all, "recorded": recorded, "missed": missed, "missed_share": share, "unused": unused }),
        )?;
    } else {
        context.out.line(format!(
            "{all} calls, {missed} of them not recorded ({} %); {} recorded calls are asked for by no case.",
            words::number(100.0 * share),
            unused.len()
        ))?;
        for name in unused {
            context.out.line(format!("unused: {name}"))?;
        }
    }
    Ok(*missed == 0 && unused.is_empty())
}
