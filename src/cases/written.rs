//! What people write in more than one kind of file: validity, types of values, exact values.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

/// From when to when something is in force, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// First day.
    #[schemars(with = "String")]
    pub from: Date,
    /// Last day; none while in force.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub to: Option<Date>,
}

impl Validity {
    /// Whether `date` lies within.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.from <= date && self.to.is_none_or(|to| date <= to)
    }

    /// Whether the two share a day.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.to.is_none_or(|to| other.from <= to) && other.to.is_none_or(|to| self.from <= to)
    }
}

/// Type of a fact or parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FactType {
    /// Free text.
    Text,
    /// Exact decimal.
    Number,
    /// Euros.
    Money,
    /// Calendar day; expressions see its day number.
    Date,
    /// Moment; expressions see seconds.
    Time,
    /// Yes or no.
    Flag,
}

/// What a parameter may hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ParameterValue {
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Flag(bool),
    /// A decimal in quotes (`"1.10"`), a date (`2026-01-01`) or a word.
    Text(String),
}

/// The row that is valid on `date`: the one function by which every dated file is read.
pub fn valid_on<T>(rows: &[T], date: Date, validity: impl Fn(&T) -> Validity) -> Option<&T> {
    rows.iter().find(|row| validity(row).contains(date))
}
