//! E-mail messages (`.eml`): subject, text, sender, date and files, out of whatever a mail program wrote.
//!
//! A message is never refused for how it is built: what cannot be taken apart is read as plain text, what is too
//! long is cut, what is too much is left out of the reading, and a [`Note`] says so; the raw bytes hold everything.
//! Only emptiness and size beyond [`MAX_SUBMISSION_BYTES`] are refused. The parser is bounded before it runs
//! (nesting) and walled in while it runs (a panic becomes the plain reading).

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use jiff::Timestamp;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};
use sha2::{Digest as _, Sha256};

use super::json::Defaults;
use super::{
    Incoming, IntakeError, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, MAX_SUBMISSION_BYTES, MAX_TEXT_CHARS, Note, Refusal,
    attachment, cut, is_steering, sender_by_channel,
};
use crate::cases::{Attachment, Channel, MunicipalityId, Party, Submission, SubmissionId, hex};

/// Messages within messages that are still taken apart.
const MAX_NESTED_MESSAGES: usize = 20;
/// Parts that are still taken apart.
const MAX_BOUNDARIES: usize = 1_000;
/// Longest subject, in characters.
const MAX_SUBJECT_CHARS: usize = 1_000;
/// Longest name or address of a sender, in characters.
const MAX_SENDER_CHARS: usize = 320;

/// Reads one message. The municipality is the one whose mailbox it came to.
///
/// The message's own id is not trusted as ours (anybody can write any): the id is the hash of its bytes, so that the
/// same message fetched twice is one case and two different messages never swallow each other.
///
/// # Errors
/// [`IntakeError`] when it is empty, too large, or nothing says which municipality it goes to.
pub fn parse(bytes: &[u8], defaults: &Defaults) -> Result<Incoming, IntakeError> {
    let Some(municipality) = defaults.municipality.clone() else {
        return Err(IntakeError::invalid(
            "",
            "nothing says which municipality this message goes to",
            "say it with --municipality",
        ));
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(IntakeError::new(Refusal::Unreadable, "", "the message is empty", "save it again as .eml"));
    }
    if bytes.len() > MAX_SUBMISSION_BYTES {
        return Err(IntakeError::new(
            Refusal::TooLarge,
            "",
            format!("the message has {} bytes; at most {MAX_SUBMISSION_BYTES} are taken", bytes.len()),
            "send the files in several messages",
        ));
    }
    let reading = is_bounded(bytes)
        .then(|| std::panic::catch_unwind(AssertUnwindSafe(|| read(bytes))).ok().flatten())
        .flatten()
        .unwrap_or_else(|| plain(bytes));
    Ok(incoming(bytes, reading, municipality, defaults))
}

/// What a message says, before it has ids.
#[derive(Debug, Default)]
struct Reading {
    subject: Option<String>,
    text: Option<String>,
    party: Option<Party>,
    sent_at: Option<Timestamp>,
    files: Vec<(Attachment, Vec<u8>)>,
    notes: Vec<Note>,
}

fn incoming(bytes: &[u8], mut reading: Reading, municipality: MunicipalityId, defaults: &Defaults) -> Incoming {
    if let Some(text) = &mut reading.text {
        let (kept, was_cut) = cut(text, MAX_TEXT_CHARS);
        if was_cut {
            *text = kept.to_owned();
            reading.notes.push(Note::TextCut);
        }
    }
    reading.notes.sort_unstable();
    reading.notes.dedup();
    let submission = Submission {
        id: SubmissionId::new(defaults.ambient.id()),
        external_id: Some(format!("mail:{}", hex(&Sha256::digest(bytes)))),
        municipality,
        channel: Channel::Email,
        service: None,
        fields: BTreeMap::new(),
        subject: reading.subject,
        text: reading.text,
        location: None,
        attachments: reading.files.iter().map(|(file, _)| file.clone()).collect(),
        party: reading.party,
        sent_at: reading.sent_at,
        received_at: defaults.ambient.now(),
    };
    // The id is the message's hash: whoever hands it in, it is the same message.
    let sender = sender_by_channel(Channel::Email);
    Incoming {
        submission,
        sender,
        registrar: None,
        raw: bytes.to_vec(),
        files: reading.files,
        notes: reading.notes,
        earlier: Vec::new(),
    }
}

/// Whether a message nests and divides no more than people's mail does. Messages in messages are held by the parser
/// in each other, and letting go of a million of them would run the stack out.
fn is_bounded(bytes: &[u8]) -> bool {
    let (mut nested, mut dashes) = (0_usize, 0_usize);
    for (i, byte) in bytes.iter().enumerate() {
        let at = |word: &[u8]| bytes.get(i..i + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
        match byte {
            b'r' | b'R' if at(b"rfc822") => nested += 1,
            b'g' | b'G' if at(b"global") => nested += 1,
            b'd' | b'D' if at(b"digest") => nested += MAX_NESTED_MESSAGES,
            b'b' | b'B' if at(b"boundary") => dashes += 1,
            _ => {}
        }
    }
    nested <= MAX_NESTED_MESSAGES && dashes <= MAX_BOUNDARIES
}

/// Subject and text of a message that came along as a file; none when it cannot be taken apart.
pub(super) fn words(bytes: &[u8]) -> Option<String> {
    let reading = is_bounded(bytes).then(|| read(bytes)).flatten()?;
    let words: Vec<String> = reading.subject.into_iter().chain(reading.text).collect();
    (!words.is_empty()).then(|| words.join("\n"))
}

fn read(bytes: &[u8]) -> Option<Reading> {
    let message = MessageParser::default().parse(bytes)?;
    let mut notes = Vec::new();
    if is_automatic(&message) {
        notes.push(Note::AutoSubmitted);
    }
    let files = files(&message, &mut notes);
    let reading = Reading {
        subject: message.subject().map(|subject| cut(subject.trim(), MAX_SUBJECT_CHARS).0.to_owned()),
        text: text(&message),
        party: sender(&message),
        sent_at: message.date().filter(|date| date.is_valid()).and_then(|date| {
            // Seconds since 1970 are what every mail program agrees on.
            Timestamp::from_second(date.to_timestamp()).ok()
        }),
        files,
        notes,
    };
    // Headers alone of a message that does have more: its parts could not be found.
    (reading.text.is_some() || !reading.files.is_empty() || reading.subject.is_some()).then_some(reading)
}

/// The plain text that the sender wrote, or the HTML without its tags; several parts are joined.
fn text(message: &Message<'_>) -> Option<String> {
    let mut text = String::new();
    for part in message.text_bodies() {
        let words = match &part.body {
            PartType::Text(words) => words.to_string(),
            PartType::Html(html) => mail_parser::decoders::html::html_to_text(html),
            _ => continue,
        };
        if words.trim().is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&words);
    }
    (!text.trim().is_empty()).then_some(text)
}

fn sender(message: &Message<'_>) -> Option<Party> {
    let from = message.from().or_else(|| message.reply_to())?;
    let first = match from {
        Address::List(list) => list.first(),
        Address::Group(groups) => groups.iter().find_map(|group| group.addresses.first()),
    }?;
    let clean = |value: &str| {
        let value: String = value.chars().filter(|c| !is_steering(*c)).take(MAX_SENDER_CHARS).collect();
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let name = first.name.as_deref().and_then(clean);
    let email = first.address.as_deref().and_then(clean);
    (name.is_some() || email.is_some()).then(|| Party { name, email, ..Party::default() })
}

fn files(message: &Message<'_>, notes: &mut Vec<Note>) -> Vec<(Attachment, Vec<u8>)> {
    let mut files = Vec::new();
    for part in message.attachments() {
        let bytes = match &part.body {
            PartType::Message(inner) => inner.raw_message(),
            _ => part.contents(),
        };
        if files.len() == MAX_ATTACHMENTS || bytes.len() > MAX_ATTACHMENT_BYTES {
            notes.push(Note::FilesLeftOut);
            continue;
        }
        let media_type = part.content_type().map(|kind| match kind.subtype() {
            Some(subtype) => format!("{}/{subtype}", kind.ctype()),
            None => kind.ctype().to_owned(),
        });
        let fallback = if matches!(part.body, PartType::Message(_)) { "message.eml" } else { "file" };
        let name = part.attachment_name().unwrap_or(fallback);
        files.push((attachment(name, media_type, bytes), bytes.to_vec()));
    }
    files
}

/// Whether a machine sent it (RFC 3834 and what mail programs do in practice): answering it could make a loop.
fn is_automatic(message: &Message<'_>) -> bool {
    let value = |name: &str| {
        let found = message.headers_raw().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    value("Auto-Submitted").is_some_and(|kind| kind != "no")
        || value("Precedence").is_some_and(|kind| matches!(kind.as_str(), "bulk" | "junk" | "list" | "auto_reply"))
        || ["X-Autoreply", "X-Autorespond", "List-Id"].iter().any(|name| value(name).is_some())
        || value("Return-Path").is_some_and(|path| path == "<>")
}

/// The reading of last resort: what stands after the headers, as text.
fn plain(bytes: &[u8]) -> Reading {
    let after = |end: &[u8]| bytes.windows(end.len()).position(|window| window == end).map(|at| at + end.len());
    let body = match (after(b"\r\n\r\n"), after(b"\n\n")) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (Some(at), None) | (None, Some(at)) => at,
        (None, None) => 0,
    };
    let words = String::from_utf8_lossy(&bytes[body..]);
    let words = if words.trim().is_empty() { String::from_utf8_lossy(bytes) } else { words };
    Reading {
        // A message of the largest size is cut before it is copied about; the limit is in characters of 1–4 bytes.
        text: Some(cut(&words, MAX_TEXT_CHARS + 1).0.to_owned()),
        notes: vec![Note::Undecodable],
        ..Reading::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Ambient;
    use proptest::prelude::*;

    fn defaults() -> Defaults {
        let (ambient, _) = Ambient::fixed("2026-03-31T13:15:00Z".parse().unwrap());
        Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient)
    }

    fn parsed(message: &str) -> Incoming {
        parse(message.replace('\n', "\r\n").as_bytes(), &defaults()).unwrap()
    }

    const PLAIN: &str = "From: =?utf-8?q?Aino_Esimerkki?= <aino@example.fi>\nTo: kirjaamo@harjuvesi.example\n\
        Subject: =?utf-8?B?S3VvcHBhIHRpZXNzw6Q=?=\nDate: Tue, 31 Mar 2026 16:15:00 +0300\n\
        Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
        P=E4=E4tiell=E4 on kuoppa.\n";

    #[test]
    fn reads_subject_text_sender_and_date() {
        let mail = parsed(PLAIN).submission;
        assert_eq!(mail.subject.as_deref(), Some("Kuoppa tiessä"));
        assert_eq!(mail.text.as_deref().map(str::trim), Some("Päätiellä on kuoppa."));
        assert_eq!(mail.party.as_ref().unwrap().email.as_deref(), Some("aino@example.fi"));
        assert_eq!(mail.sent_at.unwrap().to_string(), "2026-03-31T13:15:00Z");
        assert_eq!(mail.channel, Channel::Email);
    }

    #[test]
    fn html_loses_its_tags_and_scripts() {
        let mail = parsed(
            "From: a@example.fi\nSubject: x\nContent-Type: text/html; charset=utf-8\n\n\
             <html><head><style>p{}</style><script>alert(1)</script></head><body><p>Valo <b>ei pala</b></p></body></html>\n",
        );
        let text = mail.submission.text.unwrap();
        assert!(text.contains("Valo ei pala"), "{text}");
        assert!(!text.contains("alert") && !text.contains('<'), "{text}");
    }

    #[test]
    fn files_come_along_and_plain_text_is_preferred() {
        let mail = parsed(
            "From: a@example.fi\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=o\n\n--o\n\
             Content-Type: multipart/alternative; boundary=i\n\n--i\nContent-Type: text/plain\n\nplain words\n--i\n\
             Content-Type: text/html\n\n<p>html words</p>\n--i--\n--o\nContent-Type: application/pdf\n\
             Content-Disposition: attachment; filename=\"../kartta.pdf\"\nContent-Transfer-Encoding: base64\n\naGVp\n--o--\n",
        );
        assert_eq!(mail.submission.text.as_deref().map(str::trim), Some("plain words"));
        assert_eq!(mail.submission.attachments[0].name, "kartta.pdf");
        assert_eq!(mail.submission.attachments[0].media_type.as_deref(), Some("application/pdf"));
        assert_eq!(mail.files[0].1, b"hei");
    }

    #[test]
    fn a_machines_answer_is_noted() {
        for header in ["Auto-Submitted: auto-replied", "Precedence: bulk", "Return-Path: <>", "List-Id: <x.example>"] {
            let mail = parsed(&format!("{header}\n{PLAIN}"));
            assert_eq!(mail.notes, [Note::AutoSubmitted], "{header}");
        }
        assert!(parsed(&format!("Auto-Submitted: no\nReturn-Path: <a@b.fi>\n{PLAIN}")).notes.is_empty());
    }

    #[test]
    fn the_same_message_is_the_same_submission_and_another_is_not() {
        let (first, again) = (parsed(PLAIN), parsed(PLAIN));
        assert_eq!(first.submission.external_id, again.submission.external_id);
        let other = parsed(&PLAIN.replace("kuoppa", "routa"));
        assert_ne!(first.submission.external_id, other.submission.external_id);
    }

    #[test]
    fn what_cannot_be_taken_apart_is_still_read() {
        let mail = parse(b"\x00\xff\xfe broken", &defaults()).unwrap();
        assert!(mail.notes.contains(&Note::Undecodable));
        assert!(mail.submission.text.unwrap().contains("broken"));
        assert_eq!(mail.raw, b"\x00\xff\xfe broken");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let mail = parsed(&format!("From: a@example.fi\nSubject: x\n\n{}", "sana ".repeat(60_000)));
        assert_eq!(mail.submission.text.unwrap().chars().count(), MAX_TEXT_CHARS);
        assert_eq!(mail.notes, [Note::TextCut]);
    }

    #[test]
    fn a_hostile_build_is_read_as_plain_text() {
        let nested = "Content-Type: message/rfc822\n\n".repeat(100_000);
        assert!(parsed(&format!("From: a@example.fi\n{nested}apua")).notes.contains(&Note::Undecodable));
        let digests = "Content-Type: multipart/digest; boundary=a\n\n--a\n\n".repeat(20_000);
        assert!(parsed(&digests).notes.contains(&Note::Undecodable));
        let parts = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(50_000);
        assert!(parsed(&parts).notes.contains(&Note::Undecodable));
        let flat = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n{}",
            "--b\nContent-Type: image/png\n\nx\n".repeat(50_000)
        );
        assert!(parsed(&flat).notes.contains(&Note::FilesLeftOut));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 1..400)) {
            let _ = parse(&bytes, &defaults());
        }

        #[test]
        fn never_panics_on_almost_mail(
            lines in proptest::collection::vec(
                proptest::sample::select(vec![
                    "Content-Type: multipart/mixed; boundary=b", "--b", "--b--", "", "Content-Type: message/rfc822",
                    "Content-Transfer-Encoding: base64", "=?utf-8?b?////?=", "From: <", "Date: Tue, 99 Abc 99999",
                    "Content-Type: text/html; charset=utf-7", "=E4=", "Subject: =?x?q?", "aGVp", "begin 644 a",
                ]),
                1..40,
            )
        ) {
            let _ = parse(lines.join("\r\n").as_bytes(), &defaults());
        }
    }
}
