//! Conditions in a service's file: which cases need a field, another decider, more time.
//!
//! Plain on purpose, so that whoever keeps the form can read them: names of fields with the values that fit. What
//! binds a party is never written so; that is a rule under a section of a policy (see `policy`). An unknown fact makes
//! a condition unknown, not false.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{Facts, ParameterValue, Value};

/// All of these must hold: `{grant_type: improvement}`, `{kind: [a, b]}`, `{days: {over: 14}}`,
/// `{signatures: {percent_of_residents: 2}}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Condition(BTreeMap<String, Test>);

/// What the fact of a field must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Test {
    /// This value.
    Is(ParameterValue),
    /// One of these.
    OneOf(Vec<ParameterValue>),
    /// A number above a limit.
    Over(Over),
    /// A number that is at least a share of the residents.
    Share(Share),
}

/// The fact that tells how many residents the municipality has, where a condition asks for a share of them.
pub const RESIDENTS: &str = "residents";

/// A number that is at least a share of the residents (kuntalaki 23 §).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Per cent of the residents; a number that reaches it fits.
    pub percent_of_residents: ParameterValue,
}

/// A number above a limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// The largest number that does not fit.
    pub over: ParameterValue,
}

impl Condition {
    /// The names of the fields that it looks at.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Every field with the values that it may have; a limit has none.
    pub fn values(&self) -> impl Iterator<Item = (&str, &[ParameterValue])> {
        self.0.iter().map(|(name, test)| {
            let values = match test {
                Test::Is(value) => std::slice::from_ref(value),
                Test::OneOf(values) => values.as_slice(),
                Test::Over(_) | Test::Share(_) => &[],
            };
            (name.as_str(), values)
        })
    }

    /// Whether it asks for a share of the residents.
    #[must_use]
    pub fn counts_residents(&self) -> bool {
        self.0.values().any(|test| matches!(test, Test::Share(_)))
    }

    /// Whether it holds; none while a fact that it needs is unknown.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> Option<bool> {
        self.holds_of(|name| facts.get(name).map(|fact| &fact.value))
    }

    /// The same where the values of facts stand elsewhere.
    pub fn holds_of<'a>(&self, value: impl Fn(&str) -> Option<&'a Value>) -> Option<bool> {
        let mut unknown = false;
        for (name, test) in &self.0 {
            match value(name).and_then(|found| test.fits(found, &value)) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => unknown = true,
            }
        }
        (!unknown).then_some(true)
    }
}

impl Test {
    /// None where the fact is of a kind that cannot be compared.
    fn fits<'a>(&self, found: &Value, value: &impl Fn(&str) -> Option<&'a Value>) -> Option<bool> {
        match self {
            Self::Is(written) => Some(is(found, written)),
            Self::OneOf(several) => Some(several.iter().any(|written| is(found, written))),
            Self::Over(Over { over }) => Some(found.number()? > limit(over)?),
            Self::Share(Share { percent_of_residents }) => {
                let residents = value(RESIDENTS)?.number()?;
                Some(found.number()? * Decimal::ONE_HUNDRED >= residents * limit(percent_of_residents)?)
            }
        }
    }
}

fn is(value: &Value, written: &ParameterValue) -> bool {
    match (value, written) {
        (Value::Flag(flag), ParameterValue::Flag(written)) => flag == written,
        (Value::Text(text), ParameterValue::Text(written)) => text == written,
        _ => value.number().is_some_and(|number| limit(written) == Some(number)),
    }
}

fn limit(written: &ParameterValue) -> Option<Decimal> {
    match written {
        ParameterValue::Integer(number) => Some(Decimal::from(*number)),
        ParameterValue::Text(text) => Decimal::from_str(text).ok(),
        ParameterValue::Flag(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Evidence, Fact};

    fn facts(rows: &[(&str, Value)]) -> Facts {
        let mut facts = Facts::default();
        for (name, value) in rows {
            facts.insert(Fact {
                name: (*name).to_owned(),
                value: value.clone(),
                unit: None,
                evidence: Evidence::Form { field: (*name).to_owned() },
            });
        }
        facts
    }

    fn condition(text: &str) -> Condition {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn all_of_it_must_hold_and_unknown_is_not_false() {
        let both = condition(r#"{"kind": ["short", "long"], "days": {"over": 14}}"#);
        let days = |days: i64| ("days", Value::Number(Decimal::from(days)));
        let kind = |kind: &str| ("kind", Value::Text(kind.to_owned()));
        assert_eq!(both.holds(&facts(&[kind("long"), days(15)])), Some(true));
        assert_eq!(both.holds(&facts(&[kind("long"), days(14)])), Some(false));
        assert_eq!(both.holds(&facts(&[kind("other")])), Some(false), "one that does not hold settles it");
        assert_eq!(both.holds(&facts(&[kind("long")])), None);
        assert_eq!(condition(r#"{"standing": true}"#).holds(&facts(&[("standing", Value::Flag(true))])), Some(true));
        assert_eq!(
            condition(r#"{"standing": true}"#).holds(&facts(&[("standing", Value::Text("x".into()))])),
            Some(false)
        );
    }

    #[test]
    fn a_share_of_the_residents_is_reached_to_the_head() {
        let two = condition(r#"{"signatures": {"percent_of_residents": 2}}"#);
        assert!(two.counts_residents() && !condition(r#"{"days": {"over": 14}}"#).counts_residents());
        let of = |signatures: i64, residents: i64| {
            two.holds(&facts(&[
                ("signatures", Value::Number(Decimal::from(signatures))),
                (RESIDENTS, Value::Number(Decimal::from(residents))),
            ]))
        };
        assert_eq!((of(84, 4200), of(83, 4200)), (Some(true), Some(false)));
        assert_eq!((of(85, 4201), of(84, 4201)), (Some(true), Some(false)), "two per cent of 4 201 are more than 84");
        assert_eq!(two.holds(&facts(&[("signatures", Value::Number(Decimal::from(90)))])), None);
    }
}
