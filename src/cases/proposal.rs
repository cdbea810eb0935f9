//! What a language model proposed, and what became of it. Shown to the handler, never acted on by itself.

use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{Language, SectionRef};

vocabulary! {
    /// What a proposal is about.
    ProposalKind {
        /// What kind of matter this is.
        Classification = "classification",
        /// A fact that the text or an attachment states.
        Fact = "fact",
        /// A ruling where the policy leaves one to a person (*harkinta*).
        Ruling = "ruling",
    }
}

/// One proposal of a language model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelProposal {
    /// What it is about.
    pub kind: ProposalKind,
    /// The label's place, the fact's name or the rule.
    pub about: String,
    /// What is proposed, as plain text.
    pub value: String,
    /// Where the words stand: `text`, `attachment:<name>`.
    pub source: Option<String>,
    /// The words it rests on, as they stand there.
    pub quote: Option<String>,
    /// Why, in the model's words.
    pub reason: String,
    /// Whether code took it over.
    pub adopted: bool,
    /// Why code did not, in words a handler understands.
    pub because: Option<String>,
}

/// That a step was done by the offline engine although a model was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fallback {
    /// Which step.
    pub step: String,
    /// Why, in words a handler understands; never any content.
    pub reason: String,
}

/// A passage of a policy or a statute that may bear on the case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PassageRef {
    /// The section.
    pub section: SectionRef,
    /// The language of its text.
    pub language: Language,
    /// The document's title and the section's heading.
    pub heading: String,
    /// How well it answers, comparable within this case only.
    pub score: f64,
}
