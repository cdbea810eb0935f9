//! How a run's report looks in a terminal: figures with their bounds, gates with their reasons, one line for all of it.

use serde_json::json;

use super::{Context, Failure};
use crate::evals::folder::RunFolder;
use crate::evals::report::{Report, words};

/// Figures of one class each stand in the reports; here they would be most of the table.
const PER_CLASS: char = '[';

/// A run's report: as tables, or with `--json` as one line.
pub(super) fn run(context: &mut Context, report: &Report, folder: &RunFolder) -> Result<(), Failure> {
    let out = &mut context.out;
    let counts = &report.counts;
    if out.is_json() {
        let Report { record, outcome, counts, figures, gates, .. } = report;
        return out.json_line(&json!({
            "run": folder.0, "suite": record.suite.suite, "model": record.model, "outcome": outcome,
            "counts": counts, "figures": figures.all, "gates": gates, "judges": record.judges,
        }));
    }
    out.line(report.title())?;
    let figures = report.figures.all.iter().filter(|(name, _)| !name.contains(PER_CLASS)).map(|(name, measure)| {
        let bounds = words::interval(measure.low, measure.high);
        let remark = report.remark(name).map(|remark| format!(" ({remark})")).unwrap_or_default();
        vec![format!("{name}{remark}"), words::number(measure.value), bounds, words::cases(measure)]
    });
    out.table(&["figure", "value", "95 %", "cases"], figures)?;
    for judging in &report.record.judges {
        out.line(format!("{}: {}", judging.metric, judging.sentence()))?;
    }
    if !report.gates.is_empty() {
        out.line("")?;
        let gates = report.gates.iter().map(|gate| vec![gate.title(), gate.word().to_owned(), gate.why.clone()]);
        out.table(&["gate", "outcome", "because"], gates)?;
    }
    let part = |number: usize, what: &str| if number == 0 { String::new() } else { format!(", {number} {what}") };
    let parts = [
        part(counts.failed, "failed"),
        part(counts.error, "without an answer"),
        part(counts.ungraded, "ungraded"),
        part(counts.selected.saturating_sub(counts.rows), "not run"),
    ];
    out.line(format!(
        "\n{}: {} of {} as they should be{}; {}\n{}",
        report.outcome.as_str(),
        counts.ok,
        counts.selected,
        parts.concat(),
        euros(report.rows.iter().map(|row| row.used.cost_micros).sum()),
        folder.0.display(),
    ))
}

/// Money in words.
pub(super) fn euros(micros: i64) -> String {
    let micros = micros.max(0);
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000 / 100);
    format!("€{whole}.{rest:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_four_places() {
        assert_eq!(euros(1_234_567), "€1.2345");
        assert_eq!(euros(0), "€0.0000");
        assert_eq!(euros(50), "€0.0000");
        assert_eq!(euros(100), "€0.0001");
    }
}
