//! Rows for tests.

use serde_json::json;

use super::{Bounds, figures};
use crate::evals::measure::{Figures, Measure};
use crate::evals::row::{Observation, Row, Scored, Status, Used};
use crate::evals::suite::{MetricSettings, Suite};

/// A suite that asks for nothing.
pub(super) fn suite() -> Suite {
    serde_json::from_value(json!({
        "version": 1,
        "suite": "trial",
        "description": "Rows of tests.",
        "dataset": { "path": "cases.jsonl", "cluster": "none" },
        "target": { "component": "chat" },
        "assert": [],
    }))
    .unwrap()
}

/// The same with settings of the metric `m`.
pub(super) fn with(settings: MetricSettings) -> Suite {
    Suite { metrics: [("m".to_owned(), settings)].into(), ..suite() }
}

/// One row of a case, alone in its cluster, observed under the metric `m`.
pub(super) fn row(case: usize, epoch: u32, observation: Observation) -> Row {
    let scored = Scored { observation, pass: None, detail: None, judge: None };
    Row { scores: [("m".to_owned(), scored)].into(), ..bare(case, epoch, Status::Ok) }
}

/// A row without observations.
pub(super) fn bare(case: usize, epoch: u32, status: Status) -> Row {
    Row {
        case: format!("c{case:04}").try_into().unwrap(),
        epoch,
        status,
        scores: [].into(),
        slices: [].into(),
        base: None,
        cluster: format!("c{case:04}"),
        output: serde_json::Value::Null,
        used: Used::default(),
        judged: Used::default(),
        latency_ms: 10.0,
        error: None,
    }
}

/// One case an observation.
pub(super) fn rows(observations: impl IntoIterator<Item = Observation>) -> Vec<Row> {
    observations.into_iter().enumerate().map(|(case, observation)| row(case, 0, observation)).collect()
}

pub(super) fn label(gold: &str, predicted: &str) -> Observation {
    Observation::Label { gold: gold.to_owned(), predicted: predicted.to_owned() }
}

/// The figures over everything, without a bootstrap.
pub(super) fn quick(suite: &Suite, rows: &[Row]) -> Figures {
    figures(suite, rows, Bounds::SHOWN.quick())
}

/// The figure of this name.
pub(super) fn measure(figures: &Figures, name: &str) -> Measure {
    let names: Vec<_> = figures.all.keys().collect();
    figures.all.get(name).cloned().unwrap_or_else(|| panic!("no {name} among {names:?}"))
}

/// Holds values of figures against expected ones.
pub(super) fn assert_values(figures: &Figures, expected: &[(&str, f64)]) {
    for (name, expected) in expected {
        let found = measure(figures, name).value;
        assert!((found - expected).abs() < 1e-12, "{name}: {found}, not {expected}");
    }
}
