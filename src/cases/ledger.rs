//! The register of cases as one case looks into it (*asiarekisteri*): what other cases of the municipality say.
//!
//! An [`Entry`] tells of a case what rules may count, add up or compare, and nothing that anybody is known by: texts that
//! people write stand in it as keys only, by which equals are found. Storage keeps one entry a case beside the drafts; a
//! dry run is given entries by hand. What is counted, and why, is the business of triage.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{CaseId, Outcome, Round, ServiceId, Value, hex};

/// Digits of a key: two values that differ never share one by chance.
const KEY_DIGITS: usize = 32;

/// What a case says to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The case.
    pub case: CaseId,
    /// The number people use.
    pub number: String,
    /// Its service.
    pub service: ServiceId,
    /// Arrival.
    pub received_at: Timestamp,
    /// How it was decided, or what its rules say.
    pub outcome: Option<Outcome>,
    /// Whether a person has decided it so. Known of a case that is looked for, never kept with what it says.
    #[serde(skip)]
    pub decided: bool,
    /// Facts that name nobody: numbers, sums, days, moments, ticks and choices.
    pub facts: BTreeMap<String, Value>,
    /// The steps of its calculation.
    pub steps: BTreeMap<String, Value>,
    /// Of every fact the key of its value.
    pub keys: BTreeMap<String, String>,
}

/// The entries that a case looks into, each case once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: BTreeMap<CaseId, Entry>,
    /// The rounds that were run over cases of its window, the last one of each.
    pub rounds: Vec<Round>,
}

impl Ledger {
    /// Without any case.
    pub const EMPTY: Self = Self { entries: BTreeMap::new(), rounds: Vec::new() };

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

impl Extend<Entry> for Ledger {
    fn extend<I: IntoIterator<Item = Entry>>(&mut self, entries: I) {
        self.entries.extend(entries.into_iter().map(|entry| (entry.case, entry)));
    }
}

impl FromIterator<Entry> for Ledger {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut ledger = Self::EMPTY;
        ledger.extend(entries);
        ledger
    }
}

/// The key of a value: the same for values that differ in capitals and spaces only.
#[must_use]
pub fn key_of(value: &Value) -> String {
    let text = value.plain().to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut key = hex(&Sha256::digest(words.join(" ")));
    key.truncate(KEY_DIGITS);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_have_one_key() {
        let key = |text: &str| key_of(&Value::Text(text.to_owned()));
        assert_eq!(key("Harjuntie"), key(" HARJUNTIE "));
        assert_eq!(key("Harjun  tie"), key("Harjun tie"));
        assert_ne!(key("Harjuntie"), key("Harjun tie"));
        assert_eq!(key("Harjuntie").len(), KEY_DIGITS);
        assert_ne!(key("1234567-1"), key("1234568-9"));
    }
}
