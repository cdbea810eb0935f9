//! What tokens cost: a dated price file, exact decimals, the price in force on the day of the call.
//!
//! The file is compiled in (`config/prices.toml`) or named by `budget.prices`. A price names a model with `*` for any
//! characters; of several that fit, the one with the most literal characters holds, and of its prices the newest that
//! is in force. A model without a price is *unknown*: its cost is reckoned by the dearest price of the file, and the
//! account says so. A model that is dearer than every price of the file needs one for a budget of money to hold.

use std::path::Path;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::model::chat::Usage;
use crate::storage::Micros;

/// The prices that are compiled in.
pub const STANDARD: &str = include_str!("../../../config/prices.toml");

/// Prices by model and day.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    currency: String,
    prices: Vec<Price>,
}

/// What is wrong with a price file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}{}: {what}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct Fault {
    /// The file.
    source_name: String,
    /// Line, from 1.
    line: Option<usize>,
    /// What is wrong, and what to write.
    what: String,
}

/// What a call cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// How much.
    pub amount: Micros,
    /// Whether a price was known; else it is reckoned by the dearest one.
    pub known: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    currency: String,
    #[serde(default)]
    price: Vec<toml::Spanned<Price>>,
}

/// Price of a million tokens from a day on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    model: String,
    from: Date,
    #[serde(deserialize_with = "exact")]
    input: Decimal,
    #[serde(deserialize_with = "exact")]
    cached: Decimal,
    #[serde(deserialize_with = "exact")]
    output: Decimal,
    /// Where the price was read, for whoever checks it.
    source: String,
}

/// A decimal as text: a bare TOML number would be a float.
fn exact<'de, D: Deserializer<'de>>(value: D) -> Result<Decimal, D::Error> {
    let text = String::deserialize(value)?;
    Decimal::from_str_exact(&text).map_err(|_| D::Error::custom("this is no price: write a decimal as text, \"0.40\""))
}

impl Prices {
    /// The prices that are compiled in.
    ///
    /// # Panics
    /// When the compiled-in file is at fault; a test reads it.
    #[must_use]
    pub fn standard() -> Self {
        Self::read(STANDARD, "config/prices.toml").expect("config/prices.toml holds")
    }

    /// The prices of a file; an empty path takes those that are compiled in.
    ///
    /// # Errors
    /// [`Fault`] with file and line.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        if path.as_os_str().is_empty() {
            return Ok(Self::standard());
        }
        let source_name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::read(&text, &source_name),
            Err(error) => Err(Fault {
                source_name,
                line: None,
                what: format!(
                    "the price file cannot be read ({}): name a readable file, or leave `budget.prices` empty",
                    error.kind()
                ),
            }),
        }
    }

    /// The prices that a text tells.
    ///
    /// # Errors
    /// [`Fault`] with the line.
    pub fn read(text: &str, source_name: &str) -> Result<Self, Fault> {
        let line = |at: usize| text.get(..at).map(|before| before.matches('\n').count() + 1);
        let fault = |line, what: String| Fault { source_name: source_name.to_owned(), line, what };
        let file: File = toml::from_str(text)
            .map_err(|error| fault(error.span().and_then(|span| line(span.start)), error.message().to_owned()))?;
        if file.currency.len() != 3 || !file.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(fault(Some(1), "`currency` is no currency: write for example \"EUR\"".to_owned()));
        }
        let mut prices: Vec<Price> = Vec::with_capacity(file.price.len());
        for spanned in file.price {
            let at = line(spanned.span().start);
            let price = spanned.into_inner();
            if price.model.is_empty() {
                return Err(fault(at, "`model` is empty: write a model's name, with * for any characters".to_owned()));
            }
            if [price.input, price.cached, price.output].iter().any(Decimal::is_sign_negative) {
                return Err(fault(at, "a price is negative: write what a million tokens cost".to_owned()));
            }
            if prices.iter().any(|other| other.model == price.model && other.from == price.from) {
                return Err(fault(at, format!("`{}` has two prices from {}: keep one", price.model, price.from)));
            }
            prices.push(price);
        }
        Ok(Self { currency: file.currency, prices })
    }

    /// The currency of every price.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// What tokens cost on a day, at the price of the first of `models` that has one.
    #[must_use]
    pub fn cost(&self, models: &[&str], day: Date, usage: &Usage) -> Cost {
        match models.iter().find_map(|model| self.price(model, day)) {
            Some(price) => Cost { amount: price.of(usage), known: true },
            None => Cost { amount: self.dearest(usage), known: false },
        }
    }

    fn price(&self, model: &str, day: Date) -> Option<&Price> {
        let in_force = self.prices.iter().filter(|price| price.from <= day && fits(&price.model, model));
        in_force.max_by_key(|price| (literal(&price.model), !price.model.contains('*'), price.from))
    }

    fn dearest(&self, usage: &Usage) -> Micros {
        self.prices.iter().map(|price| price.of(usage)).max().unwrap_or_default()
    }
}

impl Price {
    fn of(&self, usage: &Usage) -> Micros {
        let cached = usage.cached.min(usage.input);
        let parts = [(usage.input - cached, self.input), (cached, self.cached), (usage.output, self.output)];
        let million = Decimal::from(1_000_000);
        let sum = parts.iter().try_fold(Decimal::ZERO, |sum, (tokens, price)| {
            sum.checked_add(Decimal::from(*tokens).checked_mul(*price)?.checked_div(million)?)
        });
        sum.map_or(Micros::new(i64::MAX), Micros::ceil)
    }
}

fn literal(pattern: &str) -> usize {
    pattern.chars().filter(|c| *c != '*').count()
}

/// Whether a name fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(before) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match name.find(piece) {
            Some(at) => name = &name[at + piece.len()..],
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
currency = "EUR"

[[price]]
model = "swift*"
from = "2026-01-01"
input = "1.00"
cached = "0.25"
output = "4.00"
source = "a test"

[[price]]
model = "swift*"
from = "2026-07-01"
input = "0.80"
cached = "0.20"
output = "3.20"
source = "a test"

[[price]]
model = "swift-small*"
from = "2026-01-01"
input = "0.10"
cached = "0.10"
output = "0.30"
source = "a test"

[[price]]
model = "*:local"
from = "2026-01-01"
input = "0"
cached = "0"
output = "0"
source = "our own machine"
"#;

    fn usage(input: u64, cached: u64, output: u64) -> Usage {
        Usage { input, cached, output, estimated: false }
    }

    fn cost(model: &str, day: &str, usage: &Usage) -> (String, bool) {
        let cost = Prices::read(FILE, "prices.toml").unwrap().cost(&[model], day.parse().unwrap(), usage);
        (cost.amount.to_string(), cost.known)
    }

    #[test]
    fn the_price_of_the_day_holds_and_cached_tokens_have_their_own() {
        let usage = usage(1_000_000, 400_000, 100_000);
        assert_eq!(cost("swift-1", "2026-06-30", &usage), ("1.10".into(), true));
        assert_eq!(cost("swift-1", "2026-07-01", &usage), ("0.88".into(), true));
        assert_eq!(cost("swift-small-2026-02-02", "2026-08-01", &usage), ("0.13".into(), true));
        assert_eq!(cost("llama:local", "2026-08-01", &usage), ("0.00".into(), true));
    }

    #[test]
    fn an_unknown_model_counts_as_the_dearest() {
        assert_eq!(cost("stranger", "2026-08-01", &usage(1_000_000, 0, 0)), ("1.00".into(), false));
        assert_eq!(cost("swift-1", "2025-12-31", &usage(1_000_000, 0, 0)), ("1.00".into(), false));
        let none = Prices::read("currency = \"EUR\"", "prices.toml").unwrap();
        let cost = none.cost(&["swift"], "2026-01-01".parse().unwrap(), &usage(10, 0, 10));
        assert_eq!(cost, Cost { amount: Micros::ZERO, known: false });
    }

    #[test]
    fn the_smallest_call_is_not_free_and_the_largest_does_not_overflow() {
        assert_eq!(cost("swift-small", "2026-08-01", &usage(1, 0, 0)), ("0.000001".into(), true));
        let most = usage(u64::MAX, 0, u64::MAX);
        let prices = Prices::read(FILE, "prices.toml").unwrap();
        assert_eq!(prices.cost(&["swift"], "2026-08-01".parse().unwrap(), &most).amount, Micros::new(i64::MAX));
        // More cached than read is a server's slip.
        assert_eq!(cost("swift-1", "2026-08-01", &usage(10, 1_000_000, 0)), ("0.000002".into(), true));
    }

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name) in [
            ("a", "a"),
            ("a*", "a"),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "abbc"),
            ("*b*", "abc"),
            ("*", ""),
            ("a**c", "ac"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("a*", "ba"), ("*c", "cb"), ("ab*ba", "aba"), ("a*b*c", "ac")] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_fault_names_its_line_and_what_to_write() {
        let told = |text: &str| Prices::read(text, "prices.toml").unwrap_err().to_string();
        assert_eq!(told("currency = \"euro\""), "prices.toml:1: `currency` is no currency: write for example \"EUR\"");
        assert!(
            told(&FILE.replace("\"4.00\"", "4.00")).starts_with("prices.toml:9: "),
            "{}",
            told(&FILE.replace("\"4.00\"", "4.00"))
        );
        assert!(told(&FILE.replace("\"4.00\"", "\"-4.00\"")).contains("prices.toml:4: a price is negative"));
        let twice = told(&FILE.replace("2026-07-01", "2026-01-01"));
        assert_eq!(twice, "prices.toml:12: `swift*` has two prices from 2026-01-01: keep one");
        assert!(told("currency = \"EUR\"\nrate = 2").starts_with("prices.toml:2: unknown field"));
    }

    #[test]
    fn the_compiled_in_prices_hold() {
        let prices = Prices::standard();
        assert_eq!(prices.currency(), "USD");
        let model = crate::config::Config::standard().model.name;
        let cost = prices.cost(&[&model], "2026-11-01".parse().unwrap(), &usage(1_000_000, 0, 1_000_000));
        assert_eq!((cost.amount.to_string(), cost.known), ("2.00".into(), true), "of the model that is set by default");
    }
}
