//! The audit chain: what happened, in an order that nobody can change unseen.
//!
//! One chain a municipality, `seq` 1, 2, 3 … without gaps. The hash of an event is SHA-256 over ten
//! fields, each written as its length in bytes (8 bytes, big-endian) followed by its bytes (UTF-8):
//!
//! | # | field | written as |
//! |---|---|---|
//! | 1 | format | `vireille-audit/1` |
//! | 2 | municipality | its slug |
//! | 3 | seq | decimal digits |
//! | 4 | at | microseconds since 1970-01-01T00:00:00Z, decimal digits |
//! | 5 | actor | canonical JSON |
//! | 6 | kind | the word, for example `approved` |
//! | 7 | case | `0` for none, else `1` and the id as UUID text |
//! | 8 | payload | canonical JSON |
//! | 9 | previous | the hash before, 64 hexadecimal digits; 64 zeros before the first |
//! | 10 | end | empty |
//!
//! Canonical JSON: no white space, keys sorted by code point, `"`, `\` and control characters escaped
//! (`\b \t \n \f \r`, else `\u00xx`), everything else as it is, whole numbers only (an event stores other
//! numbers as text). In Python that is
//! `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`.
//!
//! The head (`seq` and hash of the last event) is kept apart, so that a cut at the end is seen. Who can
//! write to the database can rewrite chain and head together: keep `seq:hash` anchors elsewhere (paper,
//! another system) and verify against them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Error, Result};
use crate::cases::{Event, MunicipalityId, NewEvent, hex};

/// Names the encoding; it goes into every hash and stands in the first line of an export.
pub const FORMAT: &str = "vireille-audit/1";

/// Where a chain ends; written `seq:hash`. Also an anchor that was kept outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Head {
    /// `seq` of the last event; 0 for none.
    pub seq: i64,
    /// Its hash; 64 zeros for none.
    pub hash: String,
}

impl Head {
    /// Before the first event.
    #[must_use]
    pub fn start() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (seq, hash) = text.trim().split_once(':')?;
            let seq: i64 = seq.parse().ok().filter(|seq| *seq >= 0)?;
            let good = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            good.then(|| Self { seq, hash: hash.to_owned() })
        };
        parse().ok_or_else(|| Error::corrupt("anchor (write seq:hash)"))
    }
}

/// An event as it is hashed: text for text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 1, 2, 3 … within the municipality.
    pub seq: i64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Canonical JSON.
    pub actor: String,
    /// The word.
    pub kind: String,
    /// UUID text.
    pub case_id: Option<String>,
    /// Canonical JSON.
    pub payload: String,
    /// The hash before.
    pub previous: String,
    /// The hash.
    pub hash: String,
}

impl Record {
    /// The hash that this record must have in this municipality's chain.
    #[must_use]
    pub fn expected_hash(&self, municipality: &MunicipalityId) -> String {
        hex(&Sha256::digest(self.encode(municipality)))
    }

    /// The bytes that are hashed. No two different records, nor the same one in two municipalities,
    /// encode alike: every field carries its length.
    #[must_use]
    pub fn encode(&self, municipality: &MunicipalityId) -> Vec<u8> {
        let case = self.case_id.as_ref().map_or_else(|| "0".to_owned(), |id| format!("1{id}"));
        let (seq, at) = (self.seq.to_string(), self.at.to_string());
        let fields = [
            FORMAT,
            municipality.as_str(),
            &seq,
            &at,
            &self.actor,
            &self.kind,
            &case,
            &self.payload,
            &self.previous,
            "",
        ];
        let mut bytes = Vec::with_capacity(fields.iter().map(|field| field.len() + 8).sum());
        for field in fields {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field.as_bytes());
        }
        bytes
    }

    /// The record as a line of an export: the JSON of an [`Event`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] when actor, payload or time cannot be read.
    pub fn export_line(&self) -> Result<String> {
        let corrupt = || Error::corrupt(format!("audit event {}", self.seq));
        let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| corrupt());
        let at = Timestamp::from_microsecond(self.at).map_err(|_| corrupt())?;
        Ok(canonical(&serde_json::json!({
            "seq": self.seq,
            "at": at.to_string(),
            "actor": json(&self.actor)?,
            "kind": self.kind,
            "case_id": self.case_id,
            "payload": json(&self.payload)?,
            "previous": self.previous,
            "hash": self.hash,
        })))
    }
}

impl From<&Event> for Record {
    fn from(event: &Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at.as_microsecond(),
            actor: canonical(&serde_json::to_value(&event.actor).unwrap_or_default()),
            kind: event.kind.as_str().to_owned(),
            case_id: event.case_id.map(|id| id.to_string()),
            payload: canonical(&event.payload),
            previous: event.previous.clone(),
            hash: event.hash.clone(),
        }
    }
}

/// A line of an export. Unknown names are refused: nothing may ride along outside the hash.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: i64,
    at: Timestamp,
    actor: Value,
    kind: String,
    case_id: Option<String>,
    payload: Value,
    previous: String,
    hash: String,
}

impl From<Line> for Record {
    fn from(line: Line) -> Self {
        Self {
            seq: line.seq,
            at: line.at.as_microsecond(),
            actor: canonical(&line.actor),
            kind: line.kind,
            case_id: line.case_id,
            payload: canonical(&line.payload),
            previous: line.previous,
            hash: line.hash,
        }
    }
}

/// How a chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// The row or line cannot be read.
    Unreadable,
    /// One or more events before this one are gone.
    Removed,
    /// An event stands twice or out of its order.
    Reordered,
    /// It does not carry the hash of the event before it.
    Unlinked,
    /// Its content does not have its hash: it was edited, or belongs to another municipality.
    Edited,
    /// The chain ends before its head: the end was cut off.
    Cut,
    /// The chain does not end in its head: events were added past it, or the head was changed.
    Head,
    /// The event that an anchor names is another one.
    Anchor,
    /// The export is not of this municipality.
    Foreign,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "it cannot be read",
            Self::Removed => "events before it were removed",
            Self::Reordered => "it stands twice or out of order",
            Self::Unlinked => "it does not follow from the event before it",
            Self::Edited => "it was edited or is another municipality's",
            Self::Cut => "the end of the chain was cut off",
            Self::Head => "the chain does not end in its head",
            Self::Anchor => "it is not the event that the anchor names",
            Self::Foreign => "the export is of another municipality",
        })
    }
}

/// A chain that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit event {seq}: {breach}")]
pub struct Broken {
    /// The event, or the place where one should be.
    pub seq: i64,
    /// What is wrong.
    pub breach: Breach,
}

/// Verifies a chain as its records come by, in constant memory.
#[derive(Debug)]
pub struct Verifier {
    municipality: MunicipalityId,
    anchors: Vec<Head>,
    head: Head,
}

impl Verifier {
    /// Starts before the first event.
    #[must_use]
    pub fn new(municipality: MunicipalityId, anchors: &[Head]) -> Self {
        Self { municipality, anchors: anchors.to_vec(), head: Head::start() }
    }

    /// The last event that held.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`Broken`] at the first record that does not hold.
    pub fn push(&mut self, record: &Record) -> std::result::Result<(), Broken> {
        let expected = self.head.seq + 1;
        let broken = |breach| Err(Broken { seq: record.seq, breach });
        if record.seq > expected {
            return Err(Broken { seq: expected, breach: Breach::Removed });
        }
        if record.seq < expected {
            return broken(Breach::Reordered);
        }
        if record.previous != self.head.hash {
            return broken(Breach::Unlinked);
        }
        if record.hash != record.expected_hash(&self.municipality) {
            return broken(Breach::Edited);
        }
        if self.anchors.iter().any(|anchor| anchor.seq == record.seq && anchor.hash != record.hash) {
            return broken(Breach::Anchor);
        }
        self.head = Head { seq: record.seq, hash: record.hash.clone() };
        Ok(())
    }

    /// Compares the end with the head that was kept apart, and with anchors beyond the end.
    ///
    /// # Errors
    /// [`Broken`] when they differ.
    pub fn finish(self, head: Option<&Head>) -> std::result::Result<Head, Broken> {
        let end = self.head;
        if let Some(head) = head {
            if head.seq > end.seq {
                return Err(Broken { seq: end.seq + 1, breach: Breach::Cut });
            }
            if *head != end {
                return Err(Broken { seq: end.seq, breach: Breach::Head });
            }
        }
        if self.anchors.iter().any(|anchor| anchor.seq > end.seq) {
            return Err(Broken { seq: end.seq + 1, breach: Breach::Cut });
        }
        if self.anchors.iter().any(|anchor| anchor.seq == 0 && *anchor != Head::start()) {
            return Err(Broken { seq: 0, breach: Breach::Anchor });
        }
        Ok(end)
    }
}

/// Verifies a whole chain at hand.
///
/// # Errors
/// [`Broken`] at the first event that does not hold.
pub fn verify_chain<R: Into<Record>>(
    municipality: &MunicipalityId,
    records: impl IntoIterator<Item = R>,
    head: Option<&Head>,
    anchors: &[Head],
) -> std::result::Result<Head, Broken> {
    let mut verifier = Verifier::new(municipality.clone(), anchors);
    for record in records {
        verifier.push(&record.into())?;
    }
    verifier.finish(head)
}

/// Verifies an export, line by line. `municipality` is the one that is expected; none takes the one that
/// the first line names.
///
/// # Errors
/// [`Broken`] at the first line that does not hold; without its last line, the head, it counts as cut.
pub fn verify_export<S: AsRef<str>>(
    municipality: Option<&MunicipalityId>,
    lines: impl IntoIterator<Item = S>,
    anchors: &[Head],
) -> std::result::Result<(MunicipalityId, Head), Broken> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct First {
        format: String,
        municipality: MunicipalityId,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Last {
        head: Head,
    }
    let unreadable = |seq| Broken { seq, breach: Breach::Unreadable };
    let mut lines = lines.into_iter();
    let first = lines.next().and_then(|line| serde_json::from_str::<First>(line.as_ref()).ok());
    let first = first.filter(|first| first.format == FORMAT).ok_or_else(|| unreadable(0))?;
    if municipality.is_some_and(|expected| *expected != first.municipality) {
        return Err(Broken { seq: 0, breach: Breach::Foreign });
    }
    let mut verifier = Verifier::new(first.municipality.clone(), anchors);
    let mut head = None;
    for line in lines {
        let line = line.as_ref();
        if line.trim().is_empty() {
            continue;
        }
        let seq = verifier.head().seq + 1;
        if head.is_some() {
            // Nothing may follow the head.
            return Err(Broken { seq, breach: Breach::Head });
        }
        if let Ok(last) = serde_json::from_str::<Last>(line) {
            head = Some(last.head);
            continue;
        }
        let event: Line = serde_json::from_str(line).map_err(|_| unreadable(seq))?;
        verifier.push(&event.into())?;
    }
    let head = head.ok_or(Broken { seq: verifier.head().seq + 1, breach: Breach::Cut })?;
    Ok((first.municipality, verifier.finish(Some(&head))?))
}

/// Chains a new event to `head`: the event as it reads and as it is stored.
pub(super) fn chain(municipality: &MunicipalityId, head: &Head, at: Timestamp, new: NewEvent) -> (Event, Record) {
    // Storage keeps microseconds: what is given back must equal what is read later.
    let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
    let mut event = Event {
        seq: head.seq + 1,
        at,
        actor: new.actor,
        kind: new.kind,
        case_id: new.case_id,
        payload: whole_numbers(new.payload),
        previous: head.hash.clone(),
        hash: String::new(),
    };
    let mut record = Record::from(&event);
    record.hash = record.expected_hash(municipality);
    event.hash.clone_from(&record.hash);
    (event, record)
}

/// Numbers with a fraction become text: no two languages print them alike.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => Value::String(number.to_string()),
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect(),
        other => other,
    }
}

/// Canonical JSON (see the head of this file).
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    text
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            // Sorted here and not by the map's own order, which a feature of another crate may change.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Actor, EventKind};
    use proptest::prelude::*;
    use serde_json::json;

    fn municipality(slug: &str) -> MunicipalityId {
        slug.parse().unwrap()
    }

    /// The hash that twelve lines of Python compute by the table at the head of this file.
    #[test]
    fn the_encoding_is_the_documented_one() {
        let at: Timestamp = "2026-03-03T10:00:00.000001Z".parse().unwrap();
        let new = NewEvent {
            actor: Actor::system("triage/read"),
            kind: EventKind::StepDone,
            case_id: Some("0190aaaa-0000-7000-8000-000000000001".parse().unwrap()),
            payload: json!({"b": [1, null, true, 0.25], "a": "Å \"ö\" \\ \u{1f}\u{7f}\u{2028}\n\u{8}", "A": {}}),
        };
        let (event, record) = chain(&municipality("harjuvesi"), &Head::start(), at, new);
        assert_eq!(
            record.payload,
            "{\"A\":{},\"a\":\"Å \\\"ö\\\" \\\\ \\u001f\u{7f}\u{2028}\\n\\b\",\"b\":[1,null,true,\"0.25\"]}"
        );
        assert_eq!(record.actor, r#"{"component":"triage/read","kind":"system"}"#);
        assert_eq!(record.hash, "452d6a36f906a3f6910f53290638f1d1091dd78e183aa0b414a64c4934eea340");
        assert_eq!(Record::from(&event), record);
    }

    fn record() -> impl Strategy<Value = (MunicipalityId, Record)> {
        // Few letters and short texts, so that fields could run into each other if they were not delimited.
        let text = || "[01a]{0,3}";
        let case = proptest::option::of("[01a]{0,3}");
        ("[01a]{1,3}", 0..20_i64, 0..20_i64, text(), text(), case, text(), text()).prop_map(
            |(slug, seq, at, actor, kind, case_id, payload, previous)| {
                let record = Record { seq, at, actor, kind, case_id, payload, previous, hash: String::new() };
                (municipality(&slug), record)
            },
        )
    }

    /// Reads an encoding back: what can be read back in one way only cannot come from two records.
    fn decode(mut bytes: &[u8]) -> (MunicipalityId, Record) {
        let mut field = || {
            let (length, rest) = bytes.split_at(8);
            let length = u64::from_be_bytes(length.try_into().unwrap());
            let (field, rest) = rest.split_at(usize::try_from(length).unwrap());
            bytes = rest;
            String::from_utf8(field.to_vec()).unwrap()
        };
        assert_eq!(field(), FORMAT);
        let municipality = municipality(&field());
        let (seq, at) = (field().parse().unwrap(), field().parse().unwrap());
        let (actor, kind, case) = (field(), field(), field());
        let case_id = case.strip_prefix('1').map(ToOwned::to_owned);
        assert!(case_id.is_some() || case == "0");
        let (payload, previous, end) = (field(), field(), field());
        assert!(end.is_empty() && bytes.is_empty());
        (municipality, Record { seq, at, actor, kind, case_id, payload, previous, hash: String::new() })
    }

    proptest! {
        #[test]
        fn an_encoding_reads_back_in_one_way((municipality, record) in record()) {
            prop_assert_eq!(decode(&record.encode(&municipality)), (municipality, record));
        }

        #[test]
        fn no_two_different_events_encode_alike(a in record(), b in record()) {
            prop_assert_eq!(a == b, a.1.encode(&a.0) == b.1.encode(&b.0));
        }

        #[test]
        fn canonical_json_is_stable_and_means_the_same(text in ".{0,20}", n in any::<i64>(), x in any::<f64>()) {
            let value = whole_numbers(json!({"z": n, (text.clone()): [text, x, null], "a": {"y": {}, "b": []}}));
            let once = canonical(&value);
            let again: Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(canonical(&again), once);
        }

        #[test]
        fn no_line_of_a_stranger_panics(lines in proptest::collection::vec(".{0,60}", 0..6)) {
            let _ = verify_export(None, &lines, &[]);
            let header = [r#"{"format":"vireille-audit/1","municipality":"x"}"#.to_owned()];
            let _ = verify_export(None, header.iter().chain(&lines), &[]);
            let _ = lines.concat().parse::<Head>();
        }
    }
}
