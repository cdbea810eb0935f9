//! A figure made of rows: its value, how sure it is, and over how many cases.
//!
//! No figure is ever not-a-number: where nothing was scored there is no figure, and `scored` of `total` says so.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Accuracy, recall.
    Higher,
    /// Errors, cost, latency.
    Lower,
}

/// How the bounds were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Wilson's interval of a proportion.
    Wilson,
    /// Clopper and Pearson's exact interval.
    ClopperPearson,
    /// Normal or t interval of a mean; with declared clusters the wider of both.
    Mean,
    /// Percentiles of a seeded bootstrap over clusters.
    Bootstrap,
    /// Lang and Reiczigel's interval of a judge's rate, corrected by how the judge errs.
    Corrected,
    /// Too few cases for bounds.
    None,
}

/// A figure with its two-sided 95 % bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// The figure.
    pub value: f64,
    /// Lower bound.
    pub low: Option<f64>,
    /// Upper bound.
    pub high: Option<f64>,
    /// How the bounds were found.
    pub method: Method,
    /// Cases that were scored.
    pub scored: usize,
    /// Cases there are.
    pub total: usize,
    /// Clusters of the scored cases; as many as these where they are independent.
    #[serde(default)]
    pub clusters: usize,
    /// How many times larger the variance is than with as many independent cases (Kish 1965); of means of clustered cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub design_effect: Option<f64>,
    /// Which way is better.
    pub better: Better,
}

/// Whether a figure of this name lies between −1 and 1 whatever the answers: every one but amounts, sums and times.
#[must_use]
pub fn is_share(figure: &str) -> bool {
    const AMOUNTS: [&str; 7] = ["mean", "p50", "p95", "max", "cost", "log_loss", "latency_ms"];
    const TOTALS: [&str; 4] = ["cases", "cost_per_case", "tokens_in", "tokens_out"];
    let last = figure.rsplit('.').next().unwrap_or_default();
    !AMOUNTS.contains(&last) && !TOTALS.contains(&figure)
}

/// Figures by name: `category.macro_f1`, `category.recall[LI1]`, `urgency.under_triage`, `citations`, `latency_ms.p95`.
pub type Measures = BTreeMap<String, Measure>;

/// The figures of a run: over everything, and in each slice (`metadata.lang=fi`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Over all cases.
    pub all: Measures,
    /// By slice.
    pub slices: BTreeMap<String, Measures>,
    /// Confusion matrices by metric: gold → predicted → cases (epochs reduced to the most frequent answer).
    pub matrices: BTreeMap<String, BTreeMap<String, BTreeMap<String, usize>>>,
}
