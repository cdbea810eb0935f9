//! Units of measure in expressions: metres are not compared with euros, and euros a metre times metres are euros.
//!
//! Owned by the policy. Known before any case is, like the kinds of values. A unit is what stands in the file, `m`, `EUR/m`;
//! `%` and a mere number have none. Nothing is converted: an hour is no 60 minutes here.

use std::collections::BTreeMap;
use std::fmt;

/// A unit: its parts with their powers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit(BTreeMap<String, i32>);

impl Unit {
    /// The unit as a file writes it, with what stands below after a slash: `EUR/m`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut unit = Self::default();
        for (n, part) in text.split('/').map(str::trim).enumerate() {
            if !part.is_empty() && part != "%" {
                unit.raise(part, if n == 0 { 1 } else { -1 });
            }
        }
        unit
    }

    fn raise(&mut self, part: &str, power: i32) {
        let to = self.0.entry(part.to_owned()).or_default();
        *to = to.saturating_add(power);
        if *to == 0 {
            self.0.remove(part);
        }
    }

    /// Whether it is a mere number.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    fn with(&self, other: &Self, sign: i32) -> Self {
        let mut unit = self.clone();
        for (part, power) in &other.0 {
            unit.raise(part, power.saturating_mul(sign));
        }
        unit
    }
}

impl fmt::Display for Unit {
    /// `EUR/m`; `no unit` for a mere number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = |above: bool| {
            self.0
                .iter()
                .filter(move |(_, power)| (**power > 0) == above)
                .flat_map(|(part, power)| std::iter::repeat_n(part.as_str(), power.unsigned_abs() as usize))
        };
        if self.is_none() {
            return f.write_str("no unit");
        }
        f.write_str(&parts(true).collect::<Vec<_>>().join("*"))?;
        parts(false).try_for_each(|part| write!(f, "/{part}"))
    }
}

/// What is known of the unit of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// This unit.
    Of(Unit),
    /// A number that stands in the expression: it takes the unit of what it stands beside.
    Plain,
    /// Nothing is known: days between dates, a word.
    Unknown,
}

impl Measure {
    /// The unit of what stands beside each other; none where both have one and they differ.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Of(a), Self::Of(b)) => (a == b).then(|| self.clone()),
            (Self::Of(_), _) | (_, Self::Plain) => Some(self.clone()),
            _ => Some(other.clone()),
        }
    }

    /// The unit of a product (`sign` 1) or a quotient (-1).
    #[must_use]
    pub fn times(&self, other: &Self, sign: i32) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Plain, Self::Plain) => Self::Plain,
            (Self::Of(a), Self::Of(b)) => Self::Of(a.with(b, sign)),
            (Self::Of(a), Self::Plain) => Self::Of(a.clone()),
            (Self::Plain, Self::Of(b)) => Self::Of(Unit::default().with(b, sign)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_combine_and_cancel() {
        let of = |text: &str| Measure::Of(Unit::parse(text));
        assert_eq!(of("EUR/m").times(&of("m"), 1), of("EUR"));
        assert_eq!(of("EUR").times(&of("m"), -1), of("EUR/m"));
        assert_eq!(of("EUR").times(&of("%"), 1), of("EUR"));
        assert_eq!(Measure::Plain.times(&of("h"), -1), of("/h"));
        assert_eq!(of("m").beside(&of("EUR")), None);
        assert_eq!(of("m").beside(&Measure::Plain), Some(of("m")));
        assert_eq!(Measure::Unknown.beside(&of("m")), Some(of("m")));
        assert_eq!(
            (Unit::parse("EUR/h/m").to_string(), Unit::parse("%").to_string()),
            ("EUR/h/m".into(), "no unit".into())
        );
    }
}
