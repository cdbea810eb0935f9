//! What suites say nothing of: `defaults.yaml` in the folder of all evaluations.
//!
//! A suite's own words win over these, and the command line over both. They are read as strictly as a suite. Where they
//! change nothing of a suite, it is the same suite as without them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::suite::{AssertionKind, Component, Mode, ModelChoice, RunSettings, Suite};

/// The file, beside the folder `suites`.
pub const FILE: &str = "defaults.yaml";

/// Defaults as they stand in their file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Version of the format: 1.
    pub version: u32,
    /// Models of suites of the component `chat` that name none. Every other suite without a model is the offline engine's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelChoice>,
    /// How suites are run that do not say so.
    #[serde(default)]
    pub run: RunDefaults,
    /// Of assertions that ask a judge.
    #[serde(default)]
    pub judge: JudgeDefaults,
}

/// How a suite is run that does not say so itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunDefaults {
    /// Repetitions of each case.
    pub epochs: Option<u32>,
    /// Cases at a time.
    pub max_concurrency: Option<u32>,
    /// Attempts of one call of a model.
    pub attempts: Option<u32>,
    /// Longest time of the whole run, seconds.
    pub deadline_seconds: Option<u64>,
    /// Whether models are asked, or cassettes.
    pub mode: Option<Mode>,
    /// Most money, euros.
    pub budget: Option<f64>,
    /// Share of cases that may end in an error before the run counts as incomplete.
    pub max_errors: Option<f64>,
    /// Share of cases that may stay ungraded before the run counts as incomplete.
    pub max_ungraded: Option<f64>,
}

/// Who judges.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JudgeDefaults {
    /// The model that judges where an assertion names none.
    pub provider: Option<String>,
}

impl Defaults {
    /// Lays these under a suite. `written` is the suite as its file has it: what stands there stays.
    pub(super) fn lay_under(&self, suite: &mut Suite, written: &Value) {
        let written = |key: &str| written.get("run").and_then(|run| run.get(key)).is_some();
        suite.run = self.run.over(&suite.run, &written);
        if suite.models.is_empty() && suite.target.component == Component::Chat {
            suite.models.clone_from(&self.models);
        }
        for assertion in suite.assert.iter_mut().filter(|assertion| assertion.kind == AssertionKind::Judge) {
            assertion.provider = assertion.provider.take().or_else(|| self.judge.provider.clone());
        }
    }
}

impl RunDefaults {
    /// These over settings, but for what is `written` by its own suite.
    pub(super) fn over(&self, own: &RunSettings, written: &impl Fn(&str) -> bool) -> RunSettings {
        fn or<T: Copy>(default: Option<T>, own: T, written: bool) -> T {
            default.filter(|_| !written).unwrap_or(own)
        }
        RunSettings {
            epochs: or(self.epochs, own.epochs, written("epochs")),
            max_concurrency: or(self.max_concurrency, own.max_concurrency, written("max_concurrency")),
            attempts: or(self.attempts, own.attempts, written("attempts")),
            deadline_seconds: or(self.deadline_seconds.map(Some), own.deadline_seconds, written("deadline_seconds")),
            mode: or(self.mode, own.mode, written("mode")),
            budget: or(self.budget.map(Some), own.budget, written("budget")),
            max_errors: or(self.max_errors, own.max_errors, written("max_errors")),
            max_ungraded: or(self.max_ungraded, own.max_ungraded, written("max_ungraded")),
        }
    }
}
