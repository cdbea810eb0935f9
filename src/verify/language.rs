//! K16: the letter is in the party's language, wholly.

use super::Subject;
use crate::cases::{Check, CheckId, Language, PartKind};
use crate::text::language::{Detected, detect};

/// Paragraphs shorter than this say too little for their language to be told.
const ENOUGH: usize = 60;

/// The language is the one that the law gives, and no paragraph is in another.
pub fn k16(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let Some(reading) = &subject.file.reading else {
        return Check::fail(CheckId::K16, "nobody read in which language the party wrote");
    };
    let languages = &subject.rulebook.pack.municipality.languages;
    let expected = crate::cases::letter_language(languages, reading.language, content.kind);
    if content.language != expected {
        return Check::fail(
            CheckId::K16,
            format!("the letter is in `{}`, it must be in `{expected}`", content.language),
        );
    }
    // What people of the municipality wrote in this language needs no second look.
    let written = super::sources::blocks(subject, expected).join("\n");
    // The sender's own words and the names of things may be in any language; other parts may not.
    for part in
        content.parts.iter().filter(|part| !matches!(part.kind, PartKind::Matter | PartKind::Party | PartKind::Facts))
    {
        for paragraph in part.text.split("\n\n").filter(|paragraph| paragraph.chars().count() >= ENOUGH) {
            if written.contains(paragraph) {
                continue;
            }
            if let Detected::Known(found) = detect(paragraph)
                && found != expected
            {
                return Check::fail(
                    CheckId::K16,
                    format!("a paragraph of the part `{}` is in `{found}`, the letter in `{expected}`", part.kind),
                );
            }
        }
    }
    if super::prose::by_model(subject) {
        let prose = super::prose::written(subject);
        let stray = prose.iter().filter(|piece| piece.text.chars().count() >= ENOUGH).find_map(|piece| {
            match detect(&piece.text) {
                Detected::Known(found) if found != expected => Some(format!("{} is in `{found}`", piece.place)),
                Detected::Other => Some(format!("{} is in a language that we do not serve", piece.place)),
                Detected::Known(_) | Detected::Unclear => None,
            }
        });
        if let Some(stray) = stray {
            return Check::fail(CheckId::K16, format!("{stray}, the letter in `{expected}`"));
        }
    }
    Check::pass(
        CheckId::K16,
        format!("in `{expected}` ({})", told_from(&reading.language_from, expected, reading.language)),
    )
}

fn told_from(source: &str, letter: Language, party: Language) -> String {
    if letter == party {
        format!("told from: {source}")
    } else {
        format!("the municipality's language; the party's is `{party}`")
    }
}
