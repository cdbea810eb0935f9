//! Pseudonyms by keyed hash, households, and the lock that says which part of a dataset each is in.
//!
//! A household is all that shares a mark (an address, a telephone number, an account); it is never in both parts. The
//! lock beside the cases (`split.lock`) holds a line for each: `<case> <dev|test> <household> <marks>`, all of them keyed
//! hashes. It is appended to and never rewritten, so that a case that was reported on stays where it was; marks of a
//! later case that join two households of different parts leave that case out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ring::hmac;

use super::{Correction, set};
use crate::cases::hex;
use crate::evals::suite::Split;
use crate::municipality::{Faults, yaml};

/// Fewest bytes of a key.
pub const SHORTEST_KEY: usize = 32;
/// Bytes of a pseudonym: a chance of one in 2⁶⁴ that two are the same.
const LENGTH: usize = 8;

/// Makes pseudonyms: without the key nobody can try names until one fits.
pub struct Pseudonyms(hmac::Key);

/// Nobody prints a key by accident.
impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms(redacted)")
    }
}

impl Pseudonyms {
    /// With a key; none where it is too short to keep anything secret.
    #[must_use]
    pub fn new(key: &[u8]) -> Option<Self> {
        (key.len() >= SHORTEST_KEY).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// The pseudonym of a value of some kind, hexadecimal.
    #[must_use]
    pub fn of(&self, kind: &str, value: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{kind}\0{value}").as_bytes());
        hex(&tag.as_ref()[..LENGTH])
    }

    /// The pseudonym of a person by their name, however it is spaced and capitalised and whichever part comes first.
    #[must_use]
    pub fn person(&self, name: &str) -> String {
        format!("r-{}", self.of("person", &name_parts(name)))
    }

    /// Says which key this is, and nothing of it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.of("key", "")
    }

    fn part(&self, household: &str) -> Split {
        match self.of("part", household).bytes().next() {
            Some(b'0'..=b'7') => Split::Dev,
            _ => Split::Test,
        }
    }
}

/// The parts of a name in one order.
pub(super) fn name_parts(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut parts: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.sort_unstable();
    parts.join(" ")
}

/// Which household each mark belongs to, and which part each household is in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    placed: BTreeMap<String, (Split, String)>,
    households: BTreeMap<String, Split>,
    ties: BTreeMap<String, String>,
    key: Option<String>,
    /// Lines to be appended.
    added: String,
}

/// Why a case has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it joins two households that are in different parts")]
pub struct Torn;

impl Lock {
    /// Reads the lock; one that is not there is empty.
    ///
    /// # Errors
    /// Every line that is none; a lock that was made with another key; a case, household or mark in two parts; a
    /// household in a part other than its own.
    pub fn read(path: &Path, pseudonyms: &Pseudonyms) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut lock = Self::default();
        let text = if path.exists() { yaml::read_file(path, &mut faults).unwrap_or_default() } else { String::new() };
        for (number, line) in text.lines().enumerate().map(|(nth, line)| (nth + 1, line.trim())) {
            if let Some(key) = line.strip_prefix("# key ") {
                lock.key = Some(key.to_owned());
            } else if !line.is_empty()
                && !line.starts_with('#')
                && let Err(what) = lock.take(line, pseudonyms)
            {
                faults.at(path, number, what, "leave the lock as the program wrote it");
            }
        }
        let fingerprint = pseudonyms.fingerprint();
        match &lock.key {
            Some(key) if *key != fingerprint => {
                let what = "the households of this lock were made with another key";
                faults.at(path, None, what, "give that key, or begin in another folder");
            }
            Some(_) => {}
            None => lock.added = format!("# key {fingerprint}\n"),
        }
        if faults.is_empty() { Ok(lock) } else { Err(faults) }
    }

    fn take(&mut self, line: &str, pseudonyms: &Pseudonyms) -> Result<(), &'static str> {
        const NONE: &str = "the line names no case, part and household";
        let mut words = line.split_whitespace();
        let id = words.next().ok_or(NONE)?;
        let part = match words.next() {
            Some("dev") => Split::Dev,
            Some("test") => Split::Test,
            _ => return Err(NONE),
        };
        let household = words.next().ok_or(NONE)?;
        let ties: Vec<&str> = words.collect();
        if self.placed.get(id).is_some_and(|(before, _)| *before != part) {
            return Err("the case is in both parts");
        }
        // A household's part is that of its name, so a line that was moved can be told.
        if part != pseudonyms.part(household) {
            return Err("the household is not in its part");
        }
        let same_part = |tie: &&str| self.ties.get(*tie).and_then(|other| self.households.get(other)) == Some(&part);
        if !ties.iter().filter(|tie| self.ties.contains_key(**tie)).all(same_part) {
            return Err("a mark of the case belongs to a household of the other part");
        }
        self.note(id, part, household, ties.into_iter().map(str::to_owned));
        Ok(())
    }

    fn note(&mut self, id: &str, part: Split, household: &str, ties: impl Iterator<Item = String>) {
        self.placed.insert(id.to_owned(), (part, household.to_owned()));
        self.households.insert(household.to_owned(), part);
        for tie in ties {
            self.ties.entry(tie).or_insert_with(|| household.to_owned());
        }
    }

    /// Puts a correction into its household and its part.
    ///
    /// # Errors
    /// [`Torn`]: it can be in neither part.
    pub fn place(&mut self, correction: &mut Correction, pseudonyms: &Pseudonyms) -> Result<Split, Torn> {
        let Correction { case, ties } = correction;
        if let Some((part, household)) = self.placed.get(case.id.as_str()) {
            set(&mut case.metadata, "household", household.as_str());
            return Ok(*part);
        }
        let known: BTreeSet<&String> = ties.iter().filter_map(|tie| self.ties.get(tie)).collect();
        let parts: BTreeSet<Split> =
            known.iter().filter_map(|household| self.households.get(*household)).copied().collect();
        if parts.len() > 1 {
            return Err(Torn);
        }
        let first = ties.iter().find_map(|tie| self.ties.get(tie)).cloned();
        let household = first.unwrap_or_else(|| format!("h-{}", ties.first().map_or("", String::as_str)));
        let part = parts.first().copied().unwrap_or_else(|| pseudonyms.part(&household));
        let word = match part {
            Split::Dev => "dev",
            Split::Test => "test",
        };
        let line = format!("{} {word} {household} {}\n", case.id, ties.join(" "));
        self.added.push_str(&line);
        self.note(case.id.as_str(), part, &household, ties.iter().cloned());
        set(&mut case.metadata, "household", household);
        Ok(part)
    }

    /// What is to be appended to the file.
    #[must_use]
    pub fn added(&self) -> &str {
        &self.added
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&[7; 32]).unwrap()
    }

    fn correction(id: &str, ties: &[&str]) -> Correction {
        let case = serde_json::from_value(json!({ "id": id, "input": 1 })).unwrap();
        Correction { case, ties: ties.iter().map(|tie| (*tie).to_owned()).collect() }
    }

    fn read(text: &str) -> Result<Lock, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("split.lock");
        std::fs::write(&path, text).unwrap();
        Lock::read(&path, &pseudonyms()).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_key_makes_the_pseudonyms() {
        let other = Pseudonyms::new(&[8; 32]).unwrap();
        assert_eq!(pseudonyms().person("Veera  Valmistelija"), pseudonyms().person("veera valmistelija"));
        assert_ne!(pseudonyms().person("Veera Valmistelija"), other.person("Veera Valmistelija"));
        assert_eq!(pseudonyms().person("Veera Valmistelija"), pseudonyms().person("Valmistelija, Veera"));
        assert_ne!(pseudonyms().of("tie", "a"), pseudonyms().of("case", "a"));
        assert!(Pseudonyms::new(b"short").is_none());
        assert!(!format!("{:?}", pseudonyms()).contains('7'));
    }

    /// A household of a part.
    fn of_part(part: Split) -> String {
        (0..99).map(|nth| format!("h-{nth}")).find(|household| pseudonyms().part(household) == part).unwrap()
    }

    #[test]
    fn what_is_locked_stays_and_what_joins_two_parts_is_left_out() {
        let key = format!("# key {}\n", pseudonyms().fingerprint());
        let (dev, test) = (of_part(Split::Dev), of_part(Split::Test));
        let mut lock = read(&format!("{key}a dev {dev} t1 t2\nb test {test} t3\n")).unwrap();
        assert_eq!(lock.place(&mut correction("a", &["t3"]), &pseudonyms()), Ok(Split::Dev));
        let mut joined = correction("c", &["t9", "t3"]);
        assert_eq!(lock.place(&mut joined, &pseudonyms()), Ok(Split::Test));
        assert_eq!(joined.case.metadata["household"], test);
        assert_eq!(lock.place(&mut correction("d", &["t9"]), &pseudonyms()), Ok(Split::Test), "t9 came with c");
        assert_eq!(lock.place(&mut correction("e", &["t1", "t3"]), &pseudonyms()), Err(Torn));
        assert_eq!(lock.added(), format!("c test {test} t9 t3\nd test {test} t9\n"));
    }

    #[test]
    fn a_lock_of_another_key_and_odd_lines_are_refused() {
        assert!(read("# key 0011\n").unwrap_err().contains("another key"));
        assert!(read("a dev\n").unwrap_err().contains("split.lock:1"));
        assert!(read("a both h-1\n").unwrap_err().contains("split.lock:1"));
    }

    #[test]
    fn a_line_that_was_moved_is_refused() {
        let (dev, test) = (of_part(Split::Dev), of_part(Split::Test));
        for (lines, says) in [
            (format!("a test {dev} t1\n"), "split.lock:1: the household is not in its part"),
            (format!("a dev {dev} t1\nb test {dev} t1\n"), "split.lock:2: the household is not in its part"),
            (format!("a dev {dev} t1\na test {test} t2\n"), "split.lock:2: the case is in both parts"),
            (format!("a dev {dev} t1\nb test {test} t1\n"), "split.lock:2: a mark of the case belongs"),
        ] {
            let faults = read(&lines).unwrap_err();
            assert!(faults.contains(says), "{faults}");
        }
    }

    proptest! {
        /// Whatever shares a mark, directly or through others, is in one part; reading the lock again changes nothing.
        #[test]
        fn no_household_is_in_both_parts(cases in prop::collection::vec(prop::collection::vec(0_u8..12, 1..4), 1..30)) {
            let mut lock = Lock::default();
            let mut parts: BTreeMap<String, Split> = BTreeMap::new();
            for (nth, marks) in cases.iter().enumerate() {
                let ties: Vec<String> = marks.iter().map(|mark| format!("t{mark}")).collect();
                let ties: Vec<&str> = ties.iter().map(String::as_str).collect();
                let mut correction = correction(&format!("c{nth}"), &ties);
                if let Ok(part) = lock.place(&mut correction, &pseudonyms()) {
                    for tie in ties {
                        prop_assert_eq!(*parts.entry(tie.to_owned()).or_insert(part), part);
                    }
                }
            }
            let again = read(&format!("# key {}\n{}", pseudonyms().fingerprint(), lock.added())).unwrap();
            prop_assert_eq!((again.placed, again.households, again.ties), (lock.placed, lock.households, lock.ties));
        }
    }
}
