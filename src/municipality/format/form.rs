//! The form of a service: its fields, their types, the attachments that it asks for.
//!
//! A field that cannot be read or is missing becomes a question to the sender, never a refusal; the name of a field is
//! the name of the fact.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{FactType, Localized, ParameterValue};
use crate::municipality::condition::Condition;

/// One field of a form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name, `snake_case`; also the name of the fact.
    pub name: String,
    /// Label on the form, and name of the fact in a letter.
    pub label: Localized,
    /// What helps to fill it in, under the label.
    #[serde(default)]
    pub help: Option<Localized>,
    /// Type of the value.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Unit of a number.
    #[serde(default)]
    pub unit: Option<String>,
    /// Whether it must be given. A missing one is asked for; it is never a rejection.
    #[serde(default)]
    pub required: bool,
    /// For which cases it must be given, where not for all.
    #[serde(default)]
    pub required_when: Option<Condition>,
    /// What an empty field means, where the form says so ("leave empty if none").
    #[serde(default)]
    pub empty_means: Option<ParameterValue>,
    /// Choices of an enum.
    #[serde(default)]
    pub choices: BTreeMap<String, Localized>,
    /// How it is asked for when it is missing.
    #[serde(default)]
    pub ask: Option<Localized>,
    /// Whether only the office finds it out: no form shows it, and what a sender writes there does not count. A handler
    /// states it as a fact of the case; until then it is what `empty_means` says.
    #[serde(default)]
    pub office: bool,
    /// Whether a language model may ever see it.
    #[serde(default)]
    pub model_may_see: bool,
    /// Free text in which emergency words are looked for and classification may look.
    #[serde(default)]
    pub free_text: bool,
    /// Lowest and highest number accepted without a question.
    #[serde(default)]
    pub min: Option<ParameterValue>,
    /// Highest.
    #[serde(default)]
    pub max: Option<ParameterValue>,
}

impl Field {
    /// Its unit: that of money is the euro, whether or not it is written.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref().or((self.kind == FieldType::Money).then_some("EUR"))
    }

    /// A field with nothing but a name, a label and a type.
    #[must_use]
    pub fn new(name: &str, label: Localized, kind: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            label,
            help: None,
            kind,
            unit: None,
            required: false,
            required_when: None,
            empty_means: None,
            choices: BTreeMap::new(),
            ask: None,
            office: false,
            model_may_see: false,
            free_text: false,
            min: None,
            max: None,
        }
    }
}

/// Type of a form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    Text,
    /// Exact decimal.
    Number,
    /// Euros.
    Money,
    /// Calendar day.
    Date,
    /// Day and time, in Finland.
    Moment,
    /// Yes or no.
    Flag,
    /// One of the choices.
    Choice,
    /// IBAN, checked mod 97.
    Iban,
    /// Business id, check digit.
    BusinessId,
    /// Finnish identity code, check character.
    IdentityCode,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
}

impl FieldType {
    /// The type of the fact that a field becomes.
    #[must_use]
    pub const fn fact_type(self) -> FactType {
        match self {
            Self::Number => FactType::Number,
            Self::Money => FactType::Money,
            Self::Date => FactType::Date,
            Self::Moment => FactType::Time,
            Self::Flag => FactType::Flag,
            _ => FactType::Text,
        }
    }
}

/// An attachment that a form asks for. It becomes the fact `attachment_<name>` (yes) when a file is named for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentRule {
    /// Name, `snake_case`.
    pub name: String,
    /// Label.
    pub label: Localized,
    /// Whether it must be there; a missing one is asked for.
    #[serde(default)]
    pub required: bool,
    /// For which cases it must be there, where not for all.
    #[serde(default)]
    pub required_when: Option<Condition>,
    /// Words in a file's name that show it is this one.
    pub file_words: Vec<String>,
    /// How it is asked for.
    #[serde(default)]
    pub ask: Option<Localized>,
}
