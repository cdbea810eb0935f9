//! Reports in the shape of promptfoo's result file (`promptfoo eval -o x.json`, summary version 3), for tools that read
//! it: `promptfoo import`, dashboards, scripts.
//!
//! A model is a prompt column, a case a test; repetitions are results of the same test. What promptfoo has no word for
//! (ungraded) is an error there, never a failure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Report, Unrenderable, junit};
use crate::evals::row::{Observation, Row, Scored, Status, Used};

/// promptfoo's `ResultFailureReason`.
mod reason {
    pub const NONE: u8 = 0;
    pub const ASSERT: u8 = 1;
    pub const ERROR: u8 = 2;
}

pub(super) fn render(reports: &[Report]) -> Result<String, Unrenderable> {
    let mut tests = BTreeMap::new();
    for row in reports.iter().flat_map(|report| &report.rows) {
        let next = tests.len();
        tests.entry(row.case.as_str()).or_insert(next);
    }
    let columns = reports.iter().enumerate();
    let results = columns.flat_map(|(column, report)| {
        let tests = &tests;
        report.rows.iter().map(move |row| result(report, column, tests.get(row.case.as_str()).copied(), row))
    });
    let first = reports.first();
    let started = first.map(|report| report.record.started.to_string());
    let whole = json!({
        "evalId": first.map(|report| format!("eval-{}-{}", report.record.suite.suite, report.record.started)),
        "results": {
            "version": 3,
            "timestamp": started,
            "prompts": reports.iter().map(prompt).collect::<Vec<_>>(),
            "results": results.collect::<Vec<_>>(),
            "stats": stats(reports),
        },
        "config": { "description": first.map(|report| &report.record.suite.description) },
        "shareableUrl": null,
        "metadata": { "exportedAt": started, "exportedBy": first.map(|report| format!("vireille {}", report.record.program)) },
    });
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

fn provider(report: &Report) -> &str {
    report.record.model.as_deref().unwrap_or("offline")
}

fn prompt(report: &Report) -> Value {
    let used = total(&report.rows);
    let counts = &report.counts;
    let assertions =
        |pass| report.rows.iter().flat_map(|row| row.scores.values()).filter(|one| one.pass == Some(pass)).count();
    let mut sums: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (name, value) in report.rows.iter().flat_map(named) {
        let (sum, count) = sums.entry(name).or_default();
        *sum += value;
        *count += 1;
    }
    json!({
        "raw": report.record.suite.description,
        "label": report.record.suite.suite,
        "provider": provider(report),
        "metrics": {
            "score": report.rows.iter().map(score).sum::<f64>(),
            "testPassCount": counts.ok,
            "testFailCount": counts.failed,
            "testErrorCount": counts.error + counts.ungraded,
            "assertPassCount": assertions(true),
            "assertFailCount": assertions(false),
            "totalLatencyMs": report.rows.iter().map(|row| row.latency_ms).sum::<f64>(),
            "tokenUsage": tokens(&used),
            "namedScores": sums.iter().map(|(name, (sum, _))| ((*name).to_owned(), json!(sum))).collect::<Map<_, _>>(),
            "namedScoresCount": sums.iter().map(|(name, (_, count))| ((*name).to_owned(), json!(count))).collect::<Map<_, _>>(),
            "cost": report.cost(),
        },
    })
}

fn result(report: &Report, column: usize, test: Option<usize>, row: &Row) -> Value {
    let success = row.status == Status::Ok;
    let failure = match row.status {
        Status::Ok | Status::Skipped => reason::NONE,
        Status::Failed => reason::ASSERT,
        Status::Error | Status::Ungraded => reason::ERROR,
    };
    let why = match row.status {
        Status::Failed => Some(junit::failures(row).join("; ")),
        _ => row.error.clone(),
    };
    let names: Map<String, Value> = named(row).map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let vars = json!({ "id": row.case });
    #[expect(clippy::cast_precision_loss, reason = "millionths of a euro, far below 2^52")]
    let cost = row.used.cost_micros as f64 / 1_000_000.0;
    json!({
        "id": format!("{}#{}", row.case, row.epoch),
        "promptIdx": column,
        "testIdx": test,
        "testCase": { "vars": vars, "description": row.case, "metadata": row.slices },
        "promptId": report.record.hashes.prompts,
        "provider": { "id": provider(report), "label": provider(report) },
        "prompt": { "raw": report.record.suite.description, "label": report.record.suite.suite },
        "vars": vars,
        "response": { "output": row.output, "tokenUsage": tokens(&row.used), "cached": row.used.replayed > 0 },
        "error": why,
        "failureReason": failure,
        "success": success,
        "score": score(row),
        "latencyMs": row.latency_ms,
        "gradingResult": {
            "pass": success,
            "score": score(row),
            "reason": why.as_deref().unwrap_or("All assertions passed"),
            "namedScores": names,
            "componentResults": row.scores.iter().filter_map(component).collect::<Vec<_>>(),
        },
        "namedScores": names,
        "cost": cost,
        "metadata": { "status": row.status, "epoch": row.epoch, "cluster": row.cluster },
        "tokenUsage": tokens(&row.used),
    })
}

/// An assertion; what is only measured is none.
fn component((metric, scored): (&String, &Scored)) -> Option<Value> {
    let pass = scored.pass?;
    let reason = scored.detail.as_deref().unwrap_or(if pass { "Assertion passed" } else { "Assertion failed" });
    Some(json!({
        "pass": pass,
        "score": value(&scored.observation).unwrap_or(f64::from(u8::from(pass))),
        "reason": reason,
        "assertion": { "type": "javascript", "metric": metric },
    }))
}

/// The share of assertions that hold.
fn score(row: &Row) -> f64 {
    let passes: Vec<bool> = row.scores.values().filter_map(|scored| scored.pass).collect();
    if passes.is_empty() {
        return f64::from(u8::from(row.status == Status::Ok));
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of assertions")]
    let share = passes.iter().filter(|pass| **pass).count() as f64 / passes.len() as f64;
    share
}

fn named(row: &Row) -> impl Iterator<Item = (&str, f64)> {
    row.scores.iter().filter_map(|(name, scored)| Some((name.as_str(), value(&scored.observation)?)))
}

/// An observation as one number, where it is one.
fn value(observation: &Observation) -> Option<f64> {
    match observation {
        Observation::Score { value } | Observation::Amount { value } => Some(*value),
        Observation::Label { gold, predicted } | Observation::Level { gold, predicted } => {
            Some(f64::from(u8::from(gold == predicted)))
        }
        Observation::Confidence { confidence, .. } => Some(*confidence),
        Observation::Counts { true_positive, false_positive, false_negative } => {
            let (right, wrong) = (2.0 * f64::from(*true_positive), f64::from(false_positive + false_negative));
            Some(if right + wrong == 0.0 { 1.0 } else { right / (right + wrong) })
        }
        Observation::Ranking { .. } => None,
    }
}

fn total<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Used {
    rows.into_iter().fold(Used::default(), |mut sum, row| {
        sum.input += row.used.input;
        sum.cached += row.used.cached;
        sum.output += row.used.output;
        sum.calls += row.used.calls;
        sum
    })
}

fn tokens(used: &Used) -> Value {
    json!({
        "total": used.input + used.output, "prompt": used.input, "completion": used.output, "cached": used.cached,
        "numRequests": used.calls,
    })
}

fn stats(reports: &[Report]) -> Value {
    let sum = |of: fn(&Report) -> usize| reports.iter().map(of).sum::<usize>();
    let rows = reports.iter().flat_map(|report| &report.rows);
    json!({
        "successes": sum(|report| report.counts.ok),
        "failures": sum(|report| report.counts.failed),
        "errors": sum(|report| report.counts.error + report.counts.ungraded),
        "tokenUsage": tokens(&total(rows)),
    })
}
