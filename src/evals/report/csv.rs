//! Rows as CSV for a spreadsheet: one line a row, one column a metric and a slice.

use std::collections::BTreeSet;

use super::{Report, Unrenderable};
use crate::evals::row::{Observation, Row};

const HEAD: &[&str] = &["suite", "model", "case", "epoch", "status", "cluster"];
const TAIL: &[&str] = &["latency_ms", "cost", "tokens_in", "tokens_out", "error"];

pub(super) fn render(reports: &[Report]) -> Result<String, Unrenderable> {
    let rows = || reports.iter().flat_map(|report| &report.rows);
    let slices: BTreeSet<&String> = rows().flat_map(|row| row.slices.keys()).collect();
    let metrics: BTreeSet<&String> = rows().flat_map(|row| row.scores.keys()).collect();
    let mut out = csv::Writer::from_writer(Vec::new());
    let head = HEAD.iter().map(|name| (*name).to_owned());
    let slice_names = slices.iter().map(|name| text(name));
    let metric_names = metrics.iter().map(|name| text(name));
    out.write_record(head.chain(slice_names).chain(metric_names).chain(TAIL.iter().map(|name| (*name).to_owned())))?;
    for report in reports {
        for row in &report.rows {
            out.write_record(line(report, row, &slices, &metrics))?;
        }
    }
    let bytes = out.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8(bytes)?)
}

fn line(report: &Report, row: &Row, slices: &BTreeSet<&String>, metrics: &BTreeSet<&String>) -> Vec<String> {
    let status = serde_json::to_value(row.status).ok();
    let mut line = vec![
        text(&report.record.suite.suite),
        text(report.record.model.as_deref().unwrap_or_default()),
        text(row.case.as_str()),
        row.epoch.to_string(),
        status.as_ref().and_then(|status| status.as_str()).unwrap_or_default().to_owned(),
        text(&row.cluster),
    ];
    line.extend(slices.iter().map(|name| row.slices.get(*name).map(|value| text(value)).unwrap_or_default()));
    line.extend(metrics.iter().map(|name| row.scores.get(*name).map(|one| seen(&one.observation)).unwrap_or_default()));
    #[expect(clippy::cast_precision_loss, reason = "millionths of a euro, far below 2^52")]
    let cost = row.used.cost_micros as f64 / 1_000_000.0;
    line.extend([
        row.latency_ms.to_string(),
        cost.to_string(),
        row.used.input.to_string(),
        row.used.output.to_string(),
        text(row.error.as_deref().unwrap_or_default()),
    ]);
    line
}

/// An observation as one cell.
fn seen(observation: &Observation) -> String {
    match observation {
        Observation::Score { value } | Observation::Amount { value } => value.to_string(),
        Observation::Label { gold, predicted } | Observation::Level { gold, predicted } => {
            if gold == predicted {
                text(gold)
            } else {
                text(&format!("{gold} > {predicted}"))
            }
        }
        Observation::Confidence { confidence, .. } => confidence.to_string(),
        Observation::Ranking { grades, .. } => {
            let first = grades.iter().position(|grade| grade.is_some_and(|grade| grade > 0));
            first.map(|rank| (rank + 1).to_string()).unwrap_or_default()
        }
        Observation::Counts { true_positive, false_positive, false_negative } => {
            format!("{true_positive} there, {false_positive} too many, {false_negative} missing")
        }
    }
}

/// A text that no spreadsheet takes for a formula.
fn text(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}
