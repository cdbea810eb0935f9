//! Reports as JSON: everything but the answers; and rows as JSON Lines, as they stand in the run's folder.

use serde_json::json;

use super::{Report, Unrenderable};

pub(super) fn whole(reports: &[Report]) -> Result<String, Unrenderable> {
    let reports: Vec<_> = reports.iter().map(without_answers).collect();
    Ok(serde_json::to_string_pretty(&json!({ "version": 1, "runs": reports }))? + "\n")
}

/// Why a case failed stays in; what was answered does not.
fn without_answers(report: &Report) -> Report {
    let mut report = report.clone();
    for row in &mut report.rows {
        row.output = serde_json::Value::Null;
    }
    report
}

pub(super) fn lines(reports: &[Report]) -> Result<String, Unrenderable> {
    let mut text = String::new();
    for row in reports.iter().flat_map(|report| &report.rows) {
        text.push_str(&serde_json::to_string(row)?);
        text.push('\n');
    }
    Ok(text)
}
