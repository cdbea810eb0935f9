//! K24 and K25: a letter that its reader can read (*hyvä virkakieli*, hallintolaki 9 §; policy language-programme 6 and 7 §)
//! and that a screen reader can follow (laki 306/2019 7 §).
//!
//! Only sentences are looked at that tell of this case; lists, fixed instructions and the quoted law are other people's
//! work. Both warn and never block: a long sentence may be the clearest one.

use std::sync::LazyLock;

use regex::Regex;

use super::{Subject, words};
use crate::cases::{Check, CheckId, Language, PartKind};

/// Words of a sentence from which on it is hard to follow; the aim is fifteen.
const LONGEST: usize = 35;
/// Sentences from which on a share tells something.
const ENOUGH: usize = 5;
/// Part of the sentences, in percent, that may hide who acts.
const PASSIVE: usize = 75;

/// Parts with sentences of their own.
const PROSE: [PartKind; 4] = [PartKind::Matter, PartKind::Operative, PartKind::Reasons, PartKind::Conditions];

static SENTENCE_END: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[.!?:]\s+|\n").expect("a fixed pattern"));
static SHORT_FI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s(])(esim\.|mm\.|ns\.|ym\.|jne\.|ko\.|em\.|ao\.|tms\.|yms\.)").expect("a fixed pattern")
});
static SHORT_SV: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s(])(t\.\s?ex\.|bl\.\s?a\.|dvs\.|osv\.|s\.\s?k\.|m\.\s?m\.|o\.\s?d\.|fr\.\s?o\.\s?m\.)")
        .expect("a fixed pattern")
});
static SHORT_EN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(?:^|[\s(])(e\.g\.|i\.e\.|etc\.|viz\.)").expect("a fixed pattern"));
/// The passive of verbs, told from the illative of nouns by the letters before it.
static PASSIVE_FI: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b\p{L}{3,}(?:etaan|etään|itaan|itään|otaan|ötään|dään|nnetään|ttiin|tiin)\b")
        .expect("a fixed pattern")
});
static PASSIVE_SV: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:\p{L}{3,}(?:eras|ades|ats|iras)|beviljas|avslås|lämnas|betalas|ges|anses|krävs|godtas|beräknas|bör\s\p{L}+s)\b")
        .expect("a fixed pattern")
});

/// Sentences are short, say who acts, and abbreviate nothing.
pub fn k24(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let parts = content.parts.iter().filter(|part| PROSE.contains(&part.kind));
    let text: Vec<&str> = parts.map(|part| part.text.as_str()).collect();
    let text = text.join("\n");
    let sentences: Vec<&str> = SENTENCE_END.split(&text).map(str::trim).filter(|text| !text.is_empty()).collect();
    if let Some(long) = sentences.iter().find(|sentence| count(sentence) > LONGEST) {
        let begins: Vec<&str> = long.split_whitespace().take(6).collect();
        return Check::fail(CheckId::K24, words::long_sentence(begins.join(" "), count(long), LONGEST));
    }
    let (short, passive) = match content.language {
        Language::Fi => (&SHORT_FI, Some(&PASSIVE_FI)),
        Language::Sv => (&SHORT_SV, Some(&PASSIVE_SV)),
        Language::En => (&SHORT_EN, None),
    };
    if let Some(found) = short.captures(&text) {
        return Check::fail(CheckId::K24, words::abbreviation(&found[1]));
    }
    let hidden = sentences.iter().filter(|text| passive.is_some_and(|passive| passive.is_match(text))).count();
    if sentences.len() >= ENOUGH && hidden * 100 > sentences.len() * PASSIVE {
        return Check::fail(CheckId::K24, words::much_passive(hidden, sentences.len()));
    }
    Check::pass(CheckId::K24, words::legible())
}

fn count(sentence: &str) -> usize {
    sentence.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

/// Every part has a heading of its own, in the order of a letter, and text below it that needs no eyes for its layout.
pub fn k25(subject: &Subject<'_>) -> Check {
    let parts = &subject.content.parts;
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        if part.text.trim().is_empty() {
            return Check::fail(CheckId::K25, words::empty_part(part.kind));
        }
        let first_lines = matches!(part.kind, PartKind::Heading | PartKind::Emergency);
        let Some(title) = part.title.as_deref().map(str::trim).filter(|title| !title.is_empty()) else {
            if first_lines {
                continue;
            }
            return Check::fail(CheckId::K25, words::part_without_heading(part.kind));
        };
        if seen.contains(&title) && !first_lines {
            return Check::fail(CheckId::K25, words::heading_twice(title));
        }
        seen.push(title);
        // Columns made of spaces and tabs are read out as one run of words.
        if part.text.lines().any(|line| line.contains('\t') || line.trim().contains("    ")) {
            return Check::fail(CheckId::K25, words::columns_of_spaces(part.kind));
        }
    }
    Check::pass(CheckId::K25, words::structured())
}
