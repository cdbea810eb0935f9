//! Intake (*vastaanotto*): what came in, kept byte for byte, read, registered and acknowledged.
//!
//! [`json`], [`email`] and [`document`] read what strangers send into [`Incoming`]; [`register`] makes it a case in
//! one transaction. Owns the limits on input. What must hold: nothing that was received is lost (promise 2), so
//! only what cannot be read, names nobody we serve, or is beyond a stated limit is refused, always with where,
//! what and what to write instead; a missing or odd form field is never refused, it becomes a question later.
//! No function here panics on any input, and no error or log repeats what a sender wrote about a person.

mod attachments;
pub mod document;
pub mod duplicates;
pub mod email;
pub mod extract;
mod items;
pub mod json;
pub mod receipt;
pub mod register;
pub mod rescue;
pub mod words;

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::cases::{Actor, Attachment, Channel, Outcome, Submission, hex, vocabulary};

/// Largest single submission, in bytes, as it arrives: text, fields and files together.
pub const MAX_SUBMISSION_BYTES: usize = 32 * 1024 * 1024;
/// Longest free text and longest text field, in characters.
pub const MAX_TEXT_CHARS: usize = 200_000;
/// Most characters in all texts of a submission together.
pub const MAX_TOTAL_CHARS: usize = 400_000;
/// Most fields of a form.
pub const MAX_FIELDS: usize = 200;
/// Longest name of a field, in characters.
pub const MAX_FIELD_NAME_CHARS: usize = 100;
/// Deepest nesting of objects and lists; the submission itself is the first level.
pub const MAX_DEPTH: usize = 16;
/// Most files with one submission.
pub const MAX_ATTACHMENTS: usize = 20;
/// Largest file with a submission, in bytes.
pub const MAX_ATTACHMENT_BYTES: usize = 10 * 1024 * 1024;
/// Longest id that a sender may give, in characters.
pub const MAX_EXTERNAL_ID_CHARS: usize = 200;
/// Most submissions that came before one that is tried out.
pub const MAX_EARLIER: usize = 1_000;
/// Longest name of a file, in characters.
const MAX_FILE_NAME_CHARS: usize = 200;

/// A submission with everything that came along, ready to be registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The reading.
    pub submission: Submission,
    /// Whose ids the submission's own id is one of.
    pub sender: String,
    /// Who brought it in, where a person did so for whoever called, wrote on paper or stood at the desk.
    pub registrar: Option<Actor>,
    /// The bytes as they came.
    pub raw: Vec<u8>,
    /// Files; the list in the submission is the same without the bytes.
    pub files: Vec<(Attachment, Vec<u8>)>,
    /// What a handler should know about how it was read.
    pub notes: Vec<Note>,
    /// What came before it, where it is tried out over a register of cases that is not there.
    pub earlier: Vec<Earlier>,
}

/// A submission that came before another, for dry runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Earlier {
    /// What came in.
    pub submission: Submission,
    /// How it was decided; none: what the rules say of it.
    pub outcome: Option<Outcome>,
}

vocabulary! {
    /// What a handler should know about how a submission was read. The raw bytes hold everything.
    Note {
        /// The text was longer than the limit and was cut.
        TextCut = "text-cut",
        /// A machine answered or sent it: no automatic answer goes back.
        AutoSubmitted = "auto-submitted",
        /// Files were left out of the reading: too many or too large.
        FilesLeftOut = "files-left-out",
        /// It was refused, and kept because its words speak of danger.
        Rescued = "rescued",
        /// The message could not be taken apart; its text is what stands after the headers.
        Undecodable = "undecodable",
    }
}

/// Why a submission was refused, for exit codes and HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are no JSON, no UTF-8, or there are none.
    Unreadable,
    /// It can be read, and something in its frame has a wrong type or value.
    Invalid,
    /// Beyond a limit that the message names.
    TooLarge,
    /// Nobody we serve has that name.
    UnknownMunicipality,
    /// The municipality has no such service.
    UnknownService,
    /// The sender's own id was used before for something else.
    Conflict,
}

/// A refused submission: where, what, and what to write instead. Never repeats what a sender wrote about a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct IntakeError {
    /// Why, for status and exit code.
    pub refusal: Refusal,
    /// JSON pointer (`/sent_at`), place (`line 3, column 14`) or both (`line 3: /sent_at`); empty: the whole.
    pub at: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl fmt::Display for IntakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        write!(f, "{}; {}", self.what, self.instead)
    }
}

impl IntakeError {
    fn new(refusal: Refusal, at: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { refusal, at: at.into(), what: what.into(), instead: instead.into() }
    }

    fn invalid(at: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::new(Refusal::Invalid, at, what, instead)
    }

    /// The same error within item `place` of a longer input.
    fn within(mut self, place: &str) -> Self {
        self.at = if self.at.is_empty() { place.to_owned() } else { format!("{place}: {}", self.at) };
        self
    }
}

/// Whose ids a submission's own id is one of, where nothing but the channel tells senders apart.
fn sender_by_channel(channel: Channel) -> String {
    format!("channel:{}", channel.as_str())
}

/// Describes a file by name, size and hash; the name loses its path and everything that could steer a terminal.
fn attachment(name: &str, media_type: Option<String>, bytes: &[u8]) -> Attachment {
    Attachment {
        name: file_name(name),
        media_type: media_type.map(|kind| kind.chars().filter(char::is_ascii_graphic).take(100).collect()),
        size: bytes.len() as u64,
        sha256: hex(&Sha256::digest(bytes)),
    }
}

/// The last part of a name as it came, without control and direction characters; never empty.
fn file_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !is_steering(*c)).take(MAX_FILE_NAME_CHARS).collect();
    let clean = clean.trim();
    if matches!(clean, "" | "." | "..") { "file".to_owned() } else { clean.to_owned() }
}

/// Characters that are not seen and change how the rest is seen.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Something a sender wrote, fit for an error message: short, and without characters that steer a terminal.
fn quoted(given: &str) -> String {
    given.chars().filter(|c| !is_steering(*c)).take(60).collect()
}

/// The first `limit` characters, and whether there were more.
fn cut(text: &str, limit: usize) -> (&str, bool) {
    match text.char_indices().nth(limit) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

/// A moment as RFC 3339, with the offset that makes it one.
fn moment(at: &str, given: &str) -> Result<Timestamp, IntakeError> {
    const INSTEAD: &str = "write a time with its offset, such as 2026-03-31T16:15:00+03:00 (RFC 3339)";
    // What does not even look like a date may be anything, a person's identity code among it: it is not repeated.
    let like_date = given.len() >= 10
        && given
            .bytes()
            .take(10)
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !like_date {
        return Err(IntakeError::invalid(at, "this is not a time", INSTEAD));
    }
    if given[..10].parse::<jiff::civil::Date>().is_err() {
        return Err(IntakeError::invalid(at, format!("the day {} does not exist", &given[..10]), INSTEAD));
    }
    let parsed: Timestamp =
        given.parse().map_err(|_| IntakeError::invalid(at, "the time of day or the offset cannot be read", INSTEAD))?;
    // Storage keeps microseconds: what is written must equal what is read back.
    Timestamp::from_microsecond(parsed.as_microsecond())
        .map_err(|_| IntakeError::invalid(at, "this time is out of range", INSTEAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_keeps_neither_path_nor_tricks() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("C:\\temp\\kuva.jpg"), "kuva.jpg");
        assert_eq!(file_name("lasku\u{202e}fdp.exe\0"), "laskufdp.exe");
        assert_eq!(file_name("../.."), "file");
        assert_eq!(file_name(""), "file");
    }

    #[test]
    fn a_day_that_does_not_exist_is_named() {
        let refused = moment("/sent_at", "2026-02-30T12:00:00+02:00").unwrap_err();
        assert_eq!(refused.what, "the day 2026-02-30 does not exist");
        assert!(moment("/sent_at", "2026-02-28T12:00:00").is_err(), "no offset");
        assert!(moment("/sent_at", "2026-02-28").is_err(), "no time");
        let refused = moment("/sent_at", "010190-999W").unwrap_err();
        assert!(!refused.to_string().contains("010190"), "{refused}");
        assert_eq!(
            moment("", "2026-03-31T16:15:00.123456789+03:00").unwrap().to_string(),
            "2026-03-31T13:15:00.123456Z"
        );
    }
}
