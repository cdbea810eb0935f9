//! The earlier decision that a service's cases are about, as with a recovery or a correction: who of those who made it
//! decides, and which fields say what it says, whatever was typed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::form::FieldType;

/// The decided case that a case is about, and what the form takes from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AboutDecision {
    /// The field with the number of the decided case.
    pub field: String,
    /// Who decides, of those who made that decision: the delegation row is then `<delegation>/<post or body>`.
    #[serde(default)]
    pub decided_by: Option<DecidedBy>,
    /// Fields that say what the decision says, whatever was typed: by the name of the field.
    #[serde(default)]
    pub gives: BTreeMap<String, OfDecision>,
}

/// Who of those who made a decision decides what is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecidedBy {
    /// The body that made it, or that stands over the post that did.
    Body,
    /// The very post or body that made it.
    Decider,
}

/// What a decided case says to a case that is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OfDecision {
    /// Whom it is about, a text.
    Party,
    /// What it granted, money.
    Amount,
    /// The day on which it was made.
    Date,
    /// Its service, a choice.
    Service,
}

impl OfDecision {
    /// The type of field that can say it.
    #[must_use]
    pub const fn field_type(self) -> FieldType {
        match self {
            Self::Party => FieldType::Text,
            Self::Amount => FieldType::Money,
            Self::Date => FieldType::Date,
            Self::Service => FieldType::Choice,
        }
    }
}
