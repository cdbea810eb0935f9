//! Money: exact decimal euros, never a float.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::Language;

/// An amount of euros with exactly two decimals.
///
/// Storage keeps it as whole cents; JSON as a string with two decimals (`"2585.00"`).
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    utoipa::ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
#[schema(value_type = String, example = "2585.00")]
pub struct Euro(Decimal);

/// A text or number that is no amount of euros.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no amount of euros: write digits with at most two decimals, for example 2585.00")]
pub struct InvalidEuro {
    given: String,
}

impl Euro {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// An amount from whole cents.
    #[must_use]
    pub fn from_cents(cents: i64) -> Self {
        Self(Decimal::new(cents, 2))
    }

    /// The amount in whole cents, if it fits.
    #[must_use]
    pub fn cents(self) -> i64 {
        // Two decimals are an invariant, and `try_from` keeps the size below 10^15 cents.
        (self.0 * Decimal::ONE_HUNDRED).trunc().try_into().unwrap_or(i64::MAX)
    }

    /// The exact decimal value.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// The amount rounded down to full euros.
    #[must_use]
    pub fn floor_to_euro(self) -> Self {
        Self(self.0.floor()).rescaled()
    }

    /// An exact decimal as euros; refused when it has more than two decimals or is beyond ±10 billion.
    ///
    /// # Errors
    /// [`InvalidEuro`] with the value.
    pub fn exact(value: Decimal) -> Result<Self, InvalidEuro> {
        let limit = Decimal::from(10_000_000_000_i64);
        if value.abs() > limit || value.round_dp_with_strategy(2, RoundingStrategy::ToZero) != value {
            return Err(InvalidEuro { given: value.to_string() });
        }
        Ok(Self(value).rescaled())
    }

    fn rescaled(mut self) -> Self {
        self.0.rescale(2);
        self
    }

    /// The amount as people write it: `2 585,00 €` in Finnish and Swedish, `€2,585.00` in English.
    /// The spaces do not break.
    #[must_use]
    pub fn format(self, language: Language) -> String {
        let plain = self.0.abs().to_string();
        let (whole, cents) = plain.split_once('.').unwrap_or((&plain, "00"));
        let separator = if language == Language::En { ',' } else { '\u{a0}' };
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(separator);
            }
            grouped.push(digit);
        }
        let sign = if self.0.is_sign_negative() && !self.0.is_zero() { "−" } else { "" };
        match language {
            Language::En => format!("{sign}€{grouped}.{cents}"),
            Language::Fi | Language::Sv => format!("{sign}{grouped},{cents}\u{a0}€"),
        }
    }
}

impl fmt::Display for Euro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

impl FromStr for Euro {
    type Err = InvalidEuro;
    fn from_str(s: &str) -> Result<Self, InvalidEuro> {
        let refused = || InvalidEuro { given: s.chars().take(40).collect() };
        if s.len() > 20 {
            return Err(refused());
        }
        Decimal::from_str_exact(s).ok().and_then(|d| Self::exact(d).ok()).ok_or_else(refused)
    }
}

impl TryFrom<String> for Euro {
    type Error = InvalidEuro;
    fn try_from(s: String) -> Result<Self, InvalidEuro> {
        s.parse()
    }
}

impl From<Euro> for String {
    fn from(euro: Euro) -> String {
        euro.to_string()
    }
}

impl Add for Euro {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Euro {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Sum for Euro {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn writes_amounts_as_people_do() {
        let euro: Euro = "1234567.5".parse().unwrap();
        assert_eq!(euro.to_string(), "1234567.50");
        assert_eq!(euro.format(Language::Fi), "1\u{a0}234\u{a0}567,50\u{a0}€");
        assert_eq!(euro.format(Language::En), "€1,234,567.50");
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for bad in ["", "1.234", "NaN", "1e9", "12,50", "99999999999999", "0x10"] {
            assert!(bad.parse::<Euro>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn cents_round_trip(cents in -1_000_000_000_000_i64..1_000_000_000_000) {
            let euro = Euro::from_cents(cents);
            prop_assert_eq!(euro.cents(), cents);
            prop_assert_eq!(euro.to_string().parse::<Euro>().unwrap(), euro);
        }

        #[test]
        fn rounding_down_never_gains(cents in 0_i64..1_000_000_000) {
            let euro = Euro::from_cents(cents);
            let floor = euro.floor_to_euro();
            prop_assert!(floor <= euro);
            prop_assert!((euro - floor).cents() < 100);
            prop_assert_eq!(floor.cents() % 100, 0);
        }
    }
}
