//! K16: the letter is in the party's language, wholly.

use super::{Subject, words};
use crate::cases::{Check, CheckId, Language, Localized, PartKind, Value};
use crate::text::language::{Detected, detect};

/// Paragraphs shorter than this say too little for their language to be told.
const ENOUGH: usize = 60;

/// What a sender filled in of at least that length is theirs where a block repeats it: the degree, the event.
const OWN: usize = 10;

/// The language is the one that the law gives, and no paragraph is in another.
pub fn k16(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let Some(reading) = &subject.file.reading else {
        return Check::fail(CheckId::K16, words::language_unread());
    };
    let languages = &subject.rulebook.pack.municipality.languages;
    let expected = crate::cases::letter_language(languages, reading.language, content.kind);
    if content.language != expected {
        return Check::fail(CheckId::K16, words::letter_in_another_language(content.language, expected));
    }
    // What people of the municipality wrote in this language needs no second look.
    let written = super::sources::blocks(subject, expected).join("\n");
    // The sender's own words and the names of things may be in any language; the rest of the letter may not.
    let own: Vec<&str> = subject
        .file
        .facts
        .iter()
        .filter_map(|fact| match &fact.value {
            Value::Text(text) if text.chars().count() >= OWN => Some(text.as_str()),
            _ => None,
        })
        .collect();
    for part in
        content.parts.iter().filter(|part| !matches!(part.kind, PartKind::Matter | PartKind::Party | PartKind::Facts))
    {
        for paragraph in part.text.split("\n\n").filter(|paragraph| paragraph.chars().count() >= ENOUGH) {
            if written.contains(paragraph) {
                continue;
            }
            let rest = own.iter().fold(paragraph.to_owned(), |rest, text| rest.replace(text, ""));
            if rest.chars().count() >= ENOUGH
                && let Detected::Known(found) = detect(&rest)
                && found != expected
            {
                return Check::fail(CheckId::K16, words::paragraph_in_another_language(part.kind, found, expected));
            }
        }
    }
    if super::prose::by_model(subject) {
        let prose = super::prose::written(subject);
        let stray = prose.iter().filter(|piece| piece.text.chars().count() >= ENOUGH).find_map(|piece| {
            match detect(&piece.text) {
                Detected::Known(found) if found != expected => {
                    Some(words::place_in_another_language(&piece.place, found, expected))
                }
                Detected::Other => Some(words::place_in_unserved_language(&piece.place, expected)),
                Detected::Known(_) | Detected::Unclear => None,
            }
        });
        if let Some(stray) = stray {
            return Check::fail(CheckId::K16, stray);
        }
    }
    Check::pass(CheckId::K16, told_from(&reading.language_from, expected, reading.language))
}

fn told_from(source: &str, letter: Language, party: Language) -> Localized {
    if letter == party { words::party_language(letter, source) } else { words::municipality_language(letter, party) }
}
