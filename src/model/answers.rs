//! What a language model may answer: one type for each prompt.
//!
//! The words beside a field are sent to the model with the schema: they are written for it. Bounds stand here once;
//! [`schema::strict`](super::schema::strict) leaves them out, because providers refuse them, and
//! [`structured`](super::structured) holds every answer to them. An answer is a proposal: whoever takes one over
//! checks each quote, name and number first.

use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

/// An answer with a form.
pub trait Answer: DeserializeOwned + JsonSchema + Send {
    /// The name of the form: in the front matter of a prompt and towards the provider.
    const NAME: &'static str;
}

/// What kind of matter a message is.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
pub struct ClassifyAnswer {
    /// Why this label fits, in one or two plain sentences.
    #[schemars(length(max = 1000))]
    pub reason: String,
    /// The words of the message that show it, copied character by character; empty when none do.
    #[schemars(length(max = 1000))]
    pub quote: String,
    /// One label from the list, exactly as it stands there.
    #[schemars(length(max = 120))]
    pub label: String,
    /// How likely the label is right, from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confidence: f64,
    /// The language of the message: `fi`, `sv`, `en` or `other`.
    #[schemars(length(max = 20))]
    pub language: String,
}

impl Answer for ClassifyAnswer {
    const NAME: &'static str = "classification";
}

/// Facts that a message or an attachment states.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct GatherAnswer {
    /// The facts that are stated; empty when none is.
    #[schemars(length(max = 64))]
    pub facts: Vec<GatheredFact>,
}

impl Answer for GatherAnswer {
    const NAME: &'static str = "facts";
}

/// One fact that a text states.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct GatheredFact {
    /// The name of the field, from the list.
    #[schemars(length(max = 120))]
    pub name: String,
    /// The id of the text in which it stands.
    #[schemars(length(max = 200))]
    pub source: String,
    /// The shortest words of that text that state the value, copied character by character.
    #[schemars(length(max = 1000))]
    pub quote: String,
    /// The value, as the quote gives it.
    #[schemars(length(max = 1000))]
    pub value: String,
    /// Why the quote states this field and not another, in one sentence.
    #[schemars(length(max = 1000))]
    pub reason: String,
}

/// Sentences for a letter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ComposeAnswer {
    /// One short paragraph on what the matter is about, in the language of the letter; null when there is nothing to add.
    #[schemars(length(max = 2000))]
    pub matter: Option<String>,
    /// The reasons, in the order in which they were given.
    #[schemars(length(max = 64))]
    pub reasons: Vec<ComposedReason>,
    /// Proposals where a rule leaves the outcome to a person; empty when none does.
    #[schemars(length(max = 32))]
    pub rulings: Vec<ProposedRuling>,
}

impl Answer for ComposeAnswer {
    const NAME: &'static str = "composition";
}

/// One reason of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ComposedReason {
    /// The rule that it explains, exactly as it was given; null when it explains none.
    #[schemars(length(max = 120))]
    pub rule: Option<String>,
    /// The names of the facts that it rests on.
    #[schemars(length(max = 64), inner(length(max = 120)))]
    pub evidence: Vec<String>,
    /// The sections that it rests on, at least one.
    #[schemars(length(max = 8))]
    pub citations: Vec<ComposedCitation>,
    /// The reason in the language of the letter: one to three plain sentences.
    #[schemars(length(max = 2000))]
    pub text: String,
}

/// A section that a reason rests on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ComposedCitation {
    /// The id of the section, for example `private-road-grant@2026-01-01#s3`.
    #[schemars(length(max = 200))]
    pub section: String,
    /// A whole sentence of that section, copied character by character.
    #[schemars(length(max = 3000))]
    pub quote: String,
}

/// What a person might rule where the policy leaves it to them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct ProposedRuling {
    /// The rule, exactly as it was given.
    #[schemars(length(max = 120))]
    pub rule: String,
    /// What speaks for and against, for the handler, with the facts it rests on.
    #[schemars(length(max = 2000))]
    pub reason: String,
    /// The outcome that the facts speak for.
    pub outcome: RulingOutcome,
}

/// How a person might rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RulingOutcome {
    /// The condition is met.
    Met,
    /// The condition is not met.
    NotMet,
}

impl RulingOutcome {
    /// The word, as rules write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
        }
    }
}

/// The matter in a few lines for the handler.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct SummaryAnswer {
    /// Three to six short lines, the most important first.
    #[schemars(length(max = 12), inner(length(max = 600)))]
    pub lines: Vec<String>,
}

impl Answer for SummaryAnswer {
    const NAME: &'static str = "summary";
}

/// Whether sentences in two languages say the same.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct TranslateAnswer {
    /// Each difference in meaning, one line, beginning with the rule; empty when there is none.
    #[schemars(length(max = 64), inner(length(max = 600)))]
    pub differences: Vec<String>,
    /// Whether every pair says the same.
    pub same: bool,
}

impl Answer for TranslateAnswer {
    const NAME: &'static str = "comparison";
}
