//! Documents handed in as they are: a text file is a message, anything else is a file that a person must read.
//!
//! Nothing is taken out of PDF or office files here: what strangers send is parsed in a process of its own (a later
//! part of the house). Like a message, the same bytes handed in twice are one submission.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::json::Defaults;
use super::{Incoming, IntakeError, MAX_ATTACHMENT_BYTES, MAX_TEXT_CHARS, Note, Refusal, attachment, cut};
use crate::cases::{Submission, SubmissionId, hex};

/// Reads one document by its name and bytes.
///
/// # Errors
/// [`IntakeError`] when it is empty, too large, or nothing says which municipality it goes to.
pub fn parse(name: &str, bytes: &[u8], defaults: &Defaults) -> Result<Incoming, IntakeError> {
    let Some(municipality) = defaults.municipality.clone() else {
        return Err(IntakeError::invalid(
            "",
            "nothing says which municipality this document goes to",
            "say it with --municipality",
        ));
    };
    if bytes.trim_ascii().is_empty() {
        return Err(IntakeError::new(Refusal::Unreadable, "", "the document is empty", "name another file"));
    }
    if bytes.len() > MAX_ATTACHMENT_BYTES {
        return Err(IntakeError::new(
            Refusal::TooLarge,
            "",
            format!("the document has {} bytes; at most {MAX_ATTACHMENT_BYTES} are taken", bytes.len()),
            "shorten it, or send it in parts",
        ));
    }
    let is_text = [".txt", ".md", ".text"].iter().any(|ending| name.to_lowercase().ends_with(ending))
        || name == "-"
        || !name.contains('.');
    let mut notes = Vec::new();
    let text = is_text.then(|| String::from_utf8_lossy(bytes)).map(|text| {
        let (kept, was_cut) = cut(&text, MAX_TEXT_CHARS);
        if was_cut {
            notes.push(Note::TextCut);
        }
        kept.to_owned()
    });
    let files = if text.is_some() { Vec::new() } else { vec![(attachment(name, None, bytes), bytes.to_vec())] };
    let submission = Submission {
        id: SubmissionId::new(defaults.ambient.id()),
        external_id: Some(format!("document:{}", hex(&Sha256::digest(bytes)))),
        municipality,
        channel: defaults.channel,
        service: None,
        fields: BTreeMap::new(),
        subject: None,
        text,
        location: None,
        attachments: files.iter().map(|(file, _)| file.clone()).collect(),
        party: None,
        sent_at: None,
        received_at: defaults.ambient.now(),
    };
    let sender = defaults.sender.clone();
    Ok(Incoming { submission, sender, registrar: None, raw: bytes.to_vec(), files, notes, earlier: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Ambient;

    #[test]
    fn a_text_is_a_message_and_the_rest_is_a_file() {
        let (ambient, _) = Ambient::fixed("2026-03-31T13:15:00Z".parse().unwrap());
        let defaults = Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient);
        let text = parse("viesti.TXT", "Päätiellä on kuoppa".as_bytes(), &defaults).unwrap();
        assert_eq!(text.submission.text.as_deref(), Some("Päätiellä on kuoppa"));
        let file = parse("hakemus.pdf", b"%PDF-1.7 ...", &defaults).unwrap();
        assert_eq!((file.submission.text, file.files.len()), (None, 1));
        assert!(parse("x.pdf", b"  ", &defaults).is_err());
    }
}
