//! What stands beside a fixed text (`texts/<language>/<id>.md`) and a labelled example (`examples/<language>.jsonl`).

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{Language, Validity};

/// Front matter of a fixed text, `texts/<language>/<id>.md`. The body is a minijinja template that sees values
/// worked out by code only; a stranger's text is never a template.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextFrontMatter {
    /// Id, the same in every language.
    pub id: String,
    /// Language.
    pub language: Language,
    /// Heading of the part in the letter; none for text without one.
    #[serde(default)]
    pub title: Option<String>,
    /// Version, by its first day in force.
    pub in_force: Validity,
}

/// One line of `examples/<language>.jsonl`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The message.
    pub text: String,
    /// Label: a fault category code, a service id, or a matter.
    pub label: String,
}
