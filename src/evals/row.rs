//! One row: what one case in one epoch came to. Rows are appended to disk as they come; every figure is made of them.
//!
//! A row carries what was observed, not what was concluded: labels given and expected, ranks, counts, amounts. So every
//! figure can be recomputed from rows alone, years later, without the texts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::case::EvalCaseId;

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// An answer, and every assertion holds.
    Ok,
    /// An answer, and an assertion does not hold.
    Failed,
    /// No answer: the target, the model or the network.
    Error,
    /// An answer, and a judge that could not be read: never counted as wrong.
    Ungraded,
    /// Left out on purpose.
    Skipped,
}

/// Predictions that are no label of the suite.
pub mod predicted {
    /// The target declined to answer.
    pub const ABSTAIN: &str = "__abstain__";
    /// The answer is not one of the labels or cannot be read.
    pub const INVALID: &str = "__invalid__";
    /// There was no answer.
    pub const ERROR: &str = "__error__";
}

/// What was seen of an answer under one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Observation {
    /// A share in 0..=1; 0 and 1 for what is right or wrong.
    Score {
        /// The share.
        value: f64,
    },
    /// One class of several. `predicted` may be one of [`predicted`].
    Label {
        /// What it is.
        gold: String,
        /// What it was taken for.
        predicted: String,
    },
    /// A level of an ordered scale.
    Level {
        /// The right level.
        gold: String,
        /// The level given.
        predicted: String,
    },
    /// How sure the target was, and whether it was right.
    Confidence {
        /// Probability in 0..=1.
        confidence: f64,
        /// Whether the answer was right.
        correct: bool,
        /// Whether it declined to answer.
        abstained: bool,
    },
    /// A ranked list.
    Ranking {
        /// Grade of what stands at each rank, best rank first; none where nobody judged it.
        grades: Vec<Option<u8>>,
        /// Grades of everything that is relevant, found or not, best first. Empty: the query has no answer.
        relevant: Vec<u8>,
    },
    /// A set against the expected set.
    Counts {
        /// Expected and there.
        true_positive: u32,
        /// There and not expected.
        false_positive: u32,
        /// Expected and not there.
        false_negative: u32,
    },
    /// A quantity: milliseconds, euros, characters.
    Amount {
        /// How much.
        value: f64,
    },
}

impl Observation {
    /// Whether there was an answer: where there was none, labels keep what would have been right and say so.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        match self {
            Self::Label { predicted, .. } | Self::Level { predicted, .. } => predicted != predicted::ERROR,
            _ => true,
        }
    }
}

/// An observation and whether it is as it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scored {
    /// What was seen.
    #[serde(flatten)]
    pub observation: Observation,
    /// Whether the assertion holds; none where it only measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<bool>,
    /// Why not, in a few words without case text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whose opinion it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judge: Option<JudgedBy>,
}

/// A judge: another model, or another word of what it is told, is another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedBy {
    /// The model, as the suite names it.
    pub model: String,
    /// SHA-256 of what it is told: the rubric's file, and what stands around it.
    pub hash: String,
}

/// Tokens and money of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// Tokens in.
    pub input: u64,
    /// Of these, from the provider's cache.
    pub cached: u64,
    /// Tokens out.
    pub output: u64,
    /// Calls of a model.
    pub calls: u32,
    /// Of these, answered from a cassette.
    pub replayed: u32,
    /// Cost in millionths of a euro; what comes from a cassette costs nothing.
    pub cost_micros: i64,
}

impl Used {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            output: self.output.saturating_add(other.output),
            calls: self.calls.saturating_add(other.calls),
            replayed: self.replayed.saturating_add(other.replayed),
            cost_micros: self.cost_micros.saturating_add(other.cost_micros),
        }
    }

    /// What is left of it without a part of it.
    #[must_use]
    pub const fn without(self, part: Self) -> Self {
        Self {
            input: self.input.saturating_sub(part.input),
            cached: self.cached.saturating_sub(part.cached),
            output: self.output.saturating_sub(part.output),
            calls: self.calls.saturating_sub(part.calls),
            replayed: self.replayed.saturating_sub(part.replayed),
            cost_micros: self.cost_micros.saturating_sub(part.cost_micros),
        }
    }

    /// Whether nobody was asked.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Which message a case is, in its own words or in others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Base {
    /// What an original and its rewritings share.
    pub id: String,
    /// It is the original.
    pub original: bool,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The case.
    pub case: EvalCaseId,
    /// Which repetition, from 0.
    pub epoch: u32,
    /// What became of it.
    pub status: Status,
    /// By metric.
    #[serde(default)]
    pub scores: BTreeMap<String, Scored>,
    /// Values of the suite's slices: `metadata.lang` → `fi`.
    #[serde(default)]
    pub slices: BTreeMap<String, String>,
    /// The cluster that the case belongs to; the case alone where none is declared.
    pub cluster: String,
    /// Where the dataset says what is a rewriting of what: of which message this one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// What the target answered. Left out where the suite says so; never in a report that leaves the house.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// Tokens and money, those of judges included.
    #[serde(default)]
    pub used: Used,
    /// Of these, what judges took.
    #[serde(default, skip_serializing_if = "Used::is_nothing")]
    pub judged: Used,
    /// How long the target took, milliseconds.
    pub latency_ms: f64,
    /// Why there is no answer or no grade: one plain sentence without case text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
