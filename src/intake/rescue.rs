//! Danger in what is refused (promise 11): a cry for help must reach a person even when it cannot be taken as sent.
//!
//! Whoever refuses a submission or a supplement looks here before answering. Where the words speak of danger, what
//! came is registered as a message in free text with its alert, and the refusal carries the cards to be shown. What
//! must hold: whatever the bytes are, nothing here panics, and no more than [`MAX_TOTAL_CHARS`] are looked at.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use sha2::{Digest as _, Sha256};

use super::json::Defaults;
use super::receipt::{self, Card, Receipt};
use super::register::{Read, RegisterError, write};
use super::{Incoming, MAX_TOTAL_CHARS, Note, cut};
use crate::cases::{Submission, SubmissionId, hex};
use crate::clock::helsinki;
use crate::municipality::Pack;
use crate::municipality::emergency::Lexicon;
use crate::policy::Rulebook;
use crate::storage::Storage;

/// What has no space for so many bytes is a file and no word of a person.
const LONGEST_WORD: usize = 1_000;

/// Something refused in which words of danger stand.
#[derive(Debug)]
pub struct Danger {
    incoming: Incoming,
    read: Read,
}

/// Looks for words of danger in refused bytes; `whole` says whether they are all that came.
#[must_use]
pub fn look(pack: &Pack, lexicon: &Lexicon, defaults: &Defaults, raw: &[u8], whole: bool) -> Option<Danger> {
    let (text, was_cut) = words(raw);
    if text.trim().is_empty() {
        return None;
    }
    let submission = Submission {
        id: SubmissionId::new(defaults.ambient.id()),
        external_id: None,
        municipality: defaults.municipality.clone()?,
        channel: defaults.channel,
        service: None,
        fields: std::collections::BTreeMap::new(),
        subject: None,
        text: Some(text),
        location: None,
        attachments: Vec::new(),
        party: None,
        sent_at: None,
        received_at: defaults.ambient.now(),
    };
    let read = Read::of(pack, lexicon, &submission, &[]);
    if read.hits.is_empty() {
        return None;
    }
    let mut notes = vec![Note::Rescued];
    notes.extend((was_cut || !whole).then_some(Note::TextCut));
    let sender = defaults.sender.clone();
    Some(Danger {
        incoming: Incoming {
            submission,
            sender,
            registrar: None,
            raw: raw.to_vec(),
            files: Vec::new(),
            notes,
            earlier: Vec::new(),
        },
        read,
    })
}

impl Danger {
    /// What the sender must be shown now, in the language of the words.
    #[must_use]
    pub fn cards(&self, pack: &Pack) -> Vec<Card> {
        receipt::cards(pack, None, self.incoming.submission.received_at, self.read.language, &self.read.hits)
    }

    /// The same words from the same sender are one case within a day: whoever tries again alarms once, and whoever
    /// needs help another day is heard again.
    #[must_use]
    pub fn once(mut self, sender: &str) -> Self {
        let day = self.incoming.submission.received_at.to_zoned(helsinki()).date();
        let id = Sha256::digest([day.to_string().as_bytes(), &self.incoming.raw].concat());
        self.incoming.submission.external_id = Some(hex(&id));
        self.incoming.sender = format!("{}:{sender}", self.incoming.sender);
        self
    }

    /// Registers it with its alert.
    ///
    /// # Errors
    /// [`RegisterError::Storage`]; nothing was written then.
    pub async fn keep(self, storage: &Storage, rulebook: &Rulebook) -> Result<Receipt, RegisterError> {
        Box::pin(write(storage, &rulebook.pack, self.incoming, &self.read)).await
    }
}

/// What people wrote in these bytes, and whether there was more: the texts of the JSON, else the bytes as text.
fn words(raw: &[u8]) -> (String, bool) {
    let found = texts(raw).unwrap_or_else(|_| {
        let mut found = Found::default();
        found.add(&as_text(raw));
        found
    });
    let (kept, was_cut) = cut(&found.text, MAX_TOTAL_CHARS);
    (kept.to_owned(), was_cut || found.full)
}

/// Every text of the JSON values that stand one after the other, in their order, also of keys that are given twice.
fn texts(raw: &[u8]) -> serde_json::Result<Found> {
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let mut reader = serde_json::Deserializer::from_slice(raw);
    let mut found = Found::default();
    loop {
        found.deserialize(&mut reader)?;
        if reader.end().is_ok() {
            return Ok(found);
        }
    }
}

#[derive(Debug, Default)]
struct Found {
    text: String,
    full: bool,
}

impl Found {
    /// Adds a text on a line of its own, without the files in it.
    fn add(&mut self, text: &str) {
        // A character has four bytes at most; the exact limit is for the caller.
        if self.text.len() > 4 * MAX_TOTAL_CHARS {
            self.full = true;
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let words = text.split_inclusive(|c: char| c.is_whitespace() || c == '"');
        self.text.extend(words.filter(|word| word.len() <= LONGEST_WORD));
    }
}

impl<'de> DeserializeSeed<'de> for &mut Found {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Found {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.add(text);
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            // A name is no word of a person; a sentence that stands where a name should is.
            if key.contains(char::is_whitespace) {
                self.add(&key);
            }
            map.next_value_seed(&mut *self)?;
        }
        Ok(())
    }
}

/// Bytes as text: what is no UTF-8 is read as Latin-1, and the escapes of broken JSON as what they stand for.
fn as_text(raw: &[u8]) -> String {
    let mut text = String::new();
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    if !text.contains('\\') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        rest = after;
        let code = after.strip_prefix('u').and_then(|after| after.get(..4));
        if let Some(character) = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            plain.push(character);
            rest = &after[5..];
        } else if after.starts_with(['n', 'r', 't', '"', '\\', '/']) {
            plain.push(if after.starts_with(['n', 'r', 't']) { '\n' } else { ' ' });
            rest = &after[1..];
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_words_of_people_are_found_whatever_they_stand_in() {
        for (raw, text) in [
            (&br#"{"text":"Apua","fields":{"a":[1,null,{"b":"talo"}]},"text":"palaa"}"#[..], "Apua\ntalo\npalaa"),
            (b"{\"text\":\"a\"}\n{\"Apua, talo palaa\":true}", "a\nApua, talo palaa"),
            (br#"{"text":"s\u00e4hk\u00f6\nisku""#, "{\"text\":\"sähkö\nisku\""),
            (b"h\xe4t\xe4 \\u12", "hätä u12"),
            (b"\xef\xbb\xbf\"x\"", "x"),
        ] {
            assert_eq!(words(raw), (text.to_owned(), false));
        }
        let file = format!("{{\"content\":\"{}\",\"text\":\"Apua\"}}", "A".repeat(2_000_000));
        assert_eq!(words(file.as_bytes()).0.trim(), "Apua");
        assert!(words(&file.as_bytes()[..file.len() - 1]).0.contains("Apua"));
        let (kept, was_cut) = words("ä ".repeat(MAX_TOTAL_CHARS).as_bytes());
        assert_eq!((kept.chars().count(), was_cut), (MAX_TOTAL_CHARS, true));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = words(&bytes);
        }

        #[test]
        fn never_panics_on_escapes(text in r#"[\\u0aä"{}: n]{0,60}"#) {
            let _ = words(text.as_bytes());
        }
    }
}
