//! Facts (*tieto*): typed values, each with the evidence it rests on.
//!
//! A fact that nobody stated does not exist: it is absent from [`Facts`], a rule that needs it is
//! `unknown`, and the applicant is asked. No fact is ever guessed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Euro;

/// A value with its type. In JSON: `"type"` and `"value"` beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", content = "value", rename_all = "lowercase")]
pub enum Value {
    /// Free text.
    Text(String),
    /// An exact decimal, written as a string.
    #[schema(value_type = String)]
    Number(Decimal),
    /// Euros, written as a string with two decimals.
    Money(Euro),
    /// A calendar day in Finland.
    #[schema(value_type = String, format = "date")]
    Date(Date),
    /// A moment, UTC.
    #[schema(value_type = String, format = "date-time")]
    Time(Timestamp),
    /// Yes or no.
    Flag(bool),
}

impl Value {
    /// The exact number of a number or a sum of money.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Money(euro) => Some(euro.decimal()),
            _ => None,
        }
    }

    /// The value as plain text, as it stands in JSON and traces.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.normalize().to_string(),
            Self::Money(euro) => euro.to_string(),
            Self::Date(date) => date.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum Evidence {
    /// A field of the form that the applicant filled in.
    Form {
        /// Name of the field in the service definition.
        field: String,
    },
    /// Words of a message; `start..end` are byte offsets into the case's normalised text.
    Text {
        /// The words.
        quote: String,
        /// First byte.
        start: usize,
        /// One past the last byte.
        end: usize,
    },
    /// A page of an attachment.
    Attachment {
        /// Name of the file as it came.
        name: String,
        /// Page, from 1.
        page: u32,
        /// The words.
        quote: String,
    },
    /// A register or a dated setting of the municipality.
    Register {
        /// Which register or file.
        register: String,
        /// The day whose data was read.
        #[schema(value_type = String, format = "date")]
        as_of: Date,
    },
    /// Worked out by code from other cases of the municipality.
    Cases {
        /// The day on which they were looked at.
        #[schema(value_type = String, format = "date")]
        as_of: Date,
        /// Their numbers, at most fifty: for handlers, never for a party.
        numbers: Vec<String>,
    },
    /// Worked out by code from other facts.
    Computed {
        /// Names of the facts it was worked out from.
        from: Vec<String>,
        /// How, in a few words.
        note: String,
    },
    /// A person stated it in review.
    Person {
        /// Who: the id of the person's token, never a name.
        actor: String,
        /// Why.
        reason: String,
    },
}

/// One typed value with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Fact {
    /// Its name in the service definition, for example `supported_length`.
    pub name: String,
    /// The value.
    #[serde(flatten)]
    pub value: Value,
    /// Unit of a number, for example `m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// The facts of a case, by name. In JSON a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(from = "Vec<Fact>", into = "Vec<Fact>")]
#[schema(value_type = Vec<Fact>)]
pub struct Facts(BTreeMap<String, Fact>);

impl Facts {
    /// The fact of that name, if anybody stated it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.get(name)
    }

    /// Adds a fact, or puts it in the place of the one with the same name.
    pub fn insert(&mut self, fact: Fact) {
        self.0.insert(fact.name.clone(), fact);
    }

    /// Takes a fact away.
    pub fn remove(&mut self, name: &str) -> Option<Fact> {
        self.0.remove(name)
    }

    /// All facts in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.values()
    }

    /// Whether nobody stated anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Fact>> for Facts {
    fn from(facts: Vec<Fact>) -> Self {
        Self(facts.into_iter().map(|fact| (fact.name.clone(), fact)).collect())
    }
}

impl From<Facts> for Vec<Fact> {
    fn from(facts: Facts) -> Self {
        facts.0.into_values().collect()
    }
}
