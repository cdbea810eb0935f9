//! A suite: which cases, what is run over them, what is asked of the answers, and what must hold for a change to land.
//!
//! Suites are YAML that a developer writes (`evals/suites/*.yaml`, schema in `evals/schemas/suite.schema.json`). The
//! words are those of promptfoo and Inspect where they have one. Paths to files are relative to the suite's own file;
//! paths into data begin with `input`, `expected`, `metadata` or `output`. Nothing in a suite is a template.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A suite as it stands in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Version of the format: 1.
    pub version: u32,
    /// Its name: letters, digits and hyphens; baselines, cassettes and runs are named after it.
    pub suite: String,
    /// What it measures, in a sentence or two.
    pub description: String,
    /// Which cases.
    pub dataset: Dataset,
    /// What is run over them.
    pub target: Target,
    /// With which language models; none: the offline engine alone. Each model is a run of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelChoice>,
    /// How it is run.
    #[serde(default)]
    pub run: RunSettings,
    /// What is asked of each answer.
    pub assert: Vec<Assertion>,
    /// How figures are made, by metric; most need no settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, MetricSettings>,
    /// Paths (`metadata.lang`, `expected.label`) by whose values figures are given, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<String>,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// The blessed baseline, for gates that compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<PathBuf>,
}

/// Which cases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// JSON Lines, one case a line.
    pub path: PathBuf,
    /// Only this part; needs `split.lock` beside the cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Hash of the file; another content is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What cases depend on each other by: a path (`metadata.household`), or `none`. Must be declared.
    pub cluster: String,
    /// Which cases are others in other words, for gates that hold these against their originals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub originals: Option<Originals>,
}

/// Which cases are originals, and which are rewritings of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Originals {
    /// What an original and its rewritings share: a path (`metadata.base`).
    pub by: String,
    /// What the original alone has: `metadata.rewrite=none`.
    #[serde(rename = "where")]
    pub which: String,
}

/// Parts of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// To look at and to tune on.
    Dev,
    /// To report on.
    Test,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Which part of the product.
    pub component: Component,
    /// Which prompts, a folder; the settings' own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PathBuf>,
    /// Only for `chat`: the fixed instruction, word for word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Only for `chat`: where the user's message stands in the case; `input` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Only for `chat`: the answer is JSON and is read.
    #[serde(default)]
    pub json: bool,
    /// Whether the answers are kept in the rows; where cases are not public they are not.
    #[serde(default = "yes")]
    pub keep_output: bool,
}

/// Parts of the product that can be run over cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// A submission through all steps, as `vireille triage` does; the output is the same object.
    Triage,
    /// A query to the policy search; the output is `ranking`, section ids best first.
    Retrieve,
    /// A draft with a seeded fault through the checks; the output is `failed`, ids of checks.
    Verify,
    /// A text through the masking; the output is `masked` and `restored`.
    Masking,
    /// Two notices; the output is `duplicate` and `likeness`.
    Duplicates,
    /// A submission with an attack, before a model that obeys it; the output is `violations`.
    Injection,
    /// A message to a language model and nothing around it.
    Chat,
}

/// A language model to run with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelChoice {
    /// `openai/<name>` (the address of the settings), `openai-api/<service>/<name>`, `offline`, or `mock/fixed`.
    pub id: String,
    /// Another address than that of the settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How a suite is run. The command line wins over these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSettings {
    /// Repetitions of each case.
    pub epochs: u32,
    /// Cases at a time.
    pub max_concurrency: u32,
    /// Attempts of one call of a model.
    pub attempts: u32,
    /// Longest time of the whole run, seconds; none: as long as it takes.
    pub deadline_seconds: Option<u64>,
    /// Whether models are asked, or cassettes.
    pub mode: Mode,
    /// Most money, euros.
    pub budget: Option<f64>,
    /// Share of cases that may end in an error before the run counts as incomplete.
    pub max_errors: f64,
    /// Share of cases whose answer may stay without a grade before it does.
    pub max_ungraded: f64,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            epochs: 1,
            max_concurrency: 20,
            attempts: 6,
            deadline_seconds: None,
            mode: Mode::Auto,
            budget: None,
            max_errors: 0.0,
            max_ungraded: 0.0,
        }
    }
}

/// Whether models are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Only cassettes: no key, no network; a missing one is an error.
    Replay,
    /// Models are asked and cassettes written.
    Record,
    /// Models are asked, nothing is recorded.
    Live,
    /// A cassette where there is one; else the model, and recorded.
    #[default]
    Auto,
}

/// What is asked of an answer.
///
/// Where `expected` leads nowhere in a case, the assertion does not apply to that case and is not counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// What kind.
    #[serde(rename = "type")]
    pub kind: AssertionKind,
    /// The name of the figure that it goes into; the kind's name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Where in the answer: `output.case.category`; the whole answer when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// Where in the case the right answer stands: `expected.category`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The right answer itself, where it is the same for all cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The least (or for latency, cost and distance the most) that passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// For `ordinal`: the levels, lowest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// For `label` and `confidence`: where it stands that the target declined to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abstained: Option<String>,
    /// For `confidence`: the metric whose label it is the confidence of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// For `judge`: the rubric, a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rubric: Option<PathBuf>,
    /// For `judge`: the model that judges; never of the candidate's family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// For `judge`: why gates may rest on it although it was never held against people's labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncalibrated: Option<String>,
    /// It is measured and never fails a case.
    #[serde(default)]
    pub only_measure: bool,
}

impl Assertion {
    /// The name of its figure.
    #[must_use]
    pub fn metric(&self) -> &str {
        self.metric.as_deref().unwrap_or(self.kind.as_str())
    }

    /// For `judge`: the least share that passes; the middle of the scale when left out.
    #[must_use]
    pub fn least(&self) -> f64 {
        self.threshold.unwrap_or(0.5)
    }
}

macro_rules! assertion_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// Kinds of assertions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum AssertionKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl AssertionKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in suites.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

assertion_kinds! {
    /// The same JSON value.
    Equals = "equals",
    /// One class of several: confusion matrix, precision, recall, F1.
    Label = "label",
    /// A level of an ordered scale.
    Ordinal = "ordinal",
    /// How sure the target was of a label.
    Confidence = "confidence",
    /// A ranked list of ids against ids with grades.
    Ranking = "ranking",
    /// A list as a set: precision and recall.
    Set = "set",
    /// Everything in the expected list is there.
    ContainsAll = "contains-all",
    /// A text stands in the answer.
    Contains = "contains",
    /// No text of a list (or the one text) stands in the answer.
    NotContains = "not-contains",
    /// A regular expression matches.
    Regex = "regex",
    /// The answer fits a JSON Schema (a file, or the schema itself in `value`).
    JsonSchema = "json-schema",
    /// An amount, exact to the cent.
    Amount = "amount",
    /// The answer, or a text in it, is in the expected language.
    Language = "language",
    /// No identity code, IBAN, phone number, e-mail address or plate stands in it.
    NotContainsPii = "not-contains-pii",
    /// Every citation of a draft is valid: id, version in force, quote byte for byte (checks K03 to K05).
    Citations = "citations",
    /// Every number, name and sentence of a draft has a source (checks K01, K17, K18).
    Grounded = "grounded",
    /// No check of a draft fails but those expected.
    Checks = "checks",
    /// The letter has the expected parts.
    Parts = "parts",
    /// Edit distance to the expected text as a share of its length.
    EditDistance = "edit-distance",
    /// Facts by name and value: precision and recall.
    Facts = "facts",
    /// Milliseconds.
    Latency = "latency",
    /// Euros.
    Cost = "cost",
    /// A language model's opinion by a rubric. Only where nothing else works.
    Judge = "judge",
}

/// How the figures of one metric are made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricSettings {
    /// The labels there are; an answer outside them is invalid. Empty: the labels of the cases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The parent of each label, for hierarchical figures: `LI1` → `lighting`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parents: BTreeMap<String, String>,
    /// Levels, lowest first, of an ordinal metric (as in its assertion).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// What it costs to take one for another: gold → predicted → cost.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cost: BTreeMap<String, BTreeMap<String, f64>>,
    /// Bins of the calibration; 10.
    pub bins: Option<u32>,
    /// The largest error of answers given without a person, for the operating point.
    pub max_error: Option<f64>,
    /// Ranks at which retrieval is measured; 1, 3, 5, 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub k: Vec<u32>,
}

/// What must hold. Exactly one of `min`, `max` and `compare` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// A figure: `category.macro_f1`, `urgency.under_triage`, `category.recall[U0]`, `errors`, `cost_per_case`.
    pub metric: String,
    /// In which slice: `metadata.lang=fi`, or `metadata.lang=*` for each of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// The least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Which bound of the figure is held against `min` or `max`; the figure itself when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bound>,
    /// Against what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Against>,
    /// With `compare`: how much worse it may be and still pass. Stands with its `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub non_inferior: Option<f64>,
    /// With `compare`, in place of `non_inferior`: how much worse or better it may be and still be the same, for a claim
    /// that nothing changed. Above 0; stands with its `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equivalent: Option<f64>,
    /// With `slice: …=*`: how the several looks are allowed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjust: Option<Adjust>,
    /// What it is when it does not hold, if not a failure.
    #[serde(default, rename = "else", skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
    /// Why this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Which bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The lower one-sided 95 % bound.
    Lower,
    /// The upper one-sided 95 % bound.
    Upper,
}

/// Against what a gate compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Against {
    /// The suite's blessed baseline.
    Baseline,
    /// The originals of rewritings, in the same run (`dataset.originals`).
    Originals,
}

/// How several looks are allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Adjust {
    /// Holm's step-down.
    Holm,
    /// Benjamini and Hochberg's false discovery rate.
    Bh,
}

/// What a gate that does not hold is, if not a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// The run is incomplete.
    Incomplete,
    /// A goal that is not reached yet: told in every report, and no failure.
    Goal,
}

const fn yes() -> bool {
    true
}
