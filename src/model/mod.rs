//! Who proposes: the boundary to classifiers and language models.
//!
//! What stands here proposes and never decides: a prediction carries its confidence, the threshold it was held
//! against, and the words it rests on. A model sees text only; it knows no case, no pack and no database.

pub mod accounts;
pub mod answers;
pub mod cassette;
pub mod chat;
pub mod client;
pub mod count;
pub mod embedder;
pub mod kept;
pub mod masking;
pub mod meter;
pub mod offline;
pub mod prompts;
pub mod schema;
pub mod structured;

use crate::cases::WeighedFeature;

/// What a classifier believes a text to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The most probable label; empty when the classifier has learned none.
    pub label: String,
    /// Calibrated probability of the label, 0–1.
    pub confidence: f64,
    /// Below this confidence the classifier abstains; chosen on held-out examples.
    pub threshold: f64,
    /// Whether it abstained: a person classifies.
    pub abstained: bool,
    /// The second label with its probability.
    pub runner_up: Option<(String, f64)>,
    /// The words that spoke most for the label, as they stood in the text, heaviest first.
    pub features: Vec<WeighedFeature>,
}

/// Anything that labels a text.
pub trait TextClassifier: Send + Sync + std::fmt::Debug {
    /// Labels a text. Never fails: what it does not know, it abstains from.
    fn predict(&self, text: &str) -> Prediction;

    /// Hash over everything that decides its answers: version, examples, parameters.
    fn hash(&self) -> &str;
}
