//! The last look at an exported case, stricter than the masker: what looks like personal data is enough to leave it out.
//!
//! The masker decides about every message that comes in and must not hide what the work needs. An export may be fussy:
//! a case too few costs nothing, a person too many cannot be called back. So what only resembles an identity code, a
//! plate, an address or a name counts here, in every text and in every key.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::model::masking::{is_numbered_road, is_street};
use crate::text::identifiers;

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern")
}

static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[a-z -]{4,20}(?: [0-9]+(?:\.[0-9]+)?)?\]"));

/// Shapes that the masker does not know.
static SHAPES: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        // Six digits of a birth, any separator or none, three digits and a check character.
        pattern(
            r"\b[0-3][0-9][. ]?[01][0-9][. ]?[0-9]{2}(?:[^0-9\n]{1,3}[0-9]{3}[0-9A-Za-z]|[0-9]{3}[A-Za-z]|[ ]?[A-Fa-fU-Yu-y][0-9]{3}[0-9A-Za-z])\b",
        ),
        // Plates with the dash of a text program, or with nothing between.
        pattern(r"(?i)\b[a-zåäö]{2,3}[–−‐‑—-][0-9]{1,3}\b"),
        pattern(r"(?i)\b[a-zåäö]{3}[0-9]{3}\b"),
        // Addresses that are written so that no program reads them.
        pattern(r"(?i)[\p{L}0-9]\s*[(\[{<]\s*(?:at|ät|ätt|miukumauku|snabel-?a)\s*[)\]}>]\s*[\p{L}0-9]"),
        // Seven digits and more that no shape explains.
        pattern(r"\b[0-9](?:[0-9 \u{a0}]{0,2}[0-9]){8,}\b"),
    ]
});

/// A surname right behind a first name that was masked, in small letters.
static AFTER_PERSON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\[person [0-9.]+\],? \p{L}{2,}(?:nen|sen|s(?:ella|elle|elta|esta|een)|ström|qvist|berg|sson)\b")
});

/// A surname in `-nen` in one of its forms. Adjectives end in `-inen`; a surname that does is left to the masker.
static SURNAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b\p{Lu}\p{Ll}+[aäoöuye](?:nen|sen|sella|sellä|selle|selta|seltä|sesta|sestä)\b"));

/// A word and a number behind it.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\p{L}[\p{L}-]+)[ \u{a0}][0-9]{1,4}\b"));

/// What the names of streets end with: places that no address ends with are left out, for they stand before numbers.
static HOME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\p{L}{2,}(?:(?:katu|kadu|kuja|polku|polu|raitti|raiti|kaari|väg|gata|gränd|stig)\p{L}{0,5}|tie(?:n|tä|llä|lle|ltä|ssä|stä)?)$",
    )
});

/// Whether a text, a key or a number anywhere in a value looks like somebody's data. `fixed` are whole texts that are
/// known to be nobody's.
pub(super) fn stands_in(value: &Value, fixed: &[&str]) -> bool {
    match value {
        Value::String(text) => !fixed.contains(&text.as_str()) && in_text(text),
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() >= 10_000_000),
        Value::Array(items) => items.iter().any(|item| stands_in(item, fixed)),
        Value::Object(members) => members.iter().any(|(key, member)| in_text(key) || stands_in(member, fixed)),
        Value::Null | Value::Bool(_) => false,
    }
}

fn in_text(text: &str) -> bool {
    if AFTER_PERSON.is_match(text) {
        return true;
    }
    let bare = PLACEHOLDER.replace_all(text, "·");
    let home = |word: &str| HOME.is_match(word) && is_street(word) && !is_numbered_road(word);
    !identifiers::find_all(&bare).is_empty()
        || SHAPES.iter().any(|shape| shape.is_match(&bare))
        || SURNAME.is_match(&bare)
        || NUMBERED.captures_iter(&bare).any(|found| home(&found[1]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_masker_does_not_know_is_seen() {
        for text in [
            "tunnus 131052 908T",
            "131052/908T",
            "13.10.52-908T",
            "131052908T",
            "131052-908T",
            "auto abc123 ajoi",
            "auto ABC–123 ajoi",
            "matti(at)example.fi",
            "matti [at] example.fi",
            "[person 2] virtanen",
            "[person 2.1] Virtaselle",
            "asun salaistenpolku 7",
            "Korhosen koira haukkuu",
            "soitti 40 123 45 67 89",
        ] {
            assert!(stands_in(&json!({ "a": [text] }), &[]), "{text}");
            assert!(stands_in(&json!({ text: 1 }), &[]), "{text} as a key");
        }
        assert!(stands_in(&json!(401_234_567), &[]));
    }

    #[test]
    fn what_the_work_needs_may_stand() {
        for text in [
            "Asun [street address 1], puhelin [phone 1.2].",
            "Kuoppa on Kirkkotie [house number 1] kohdalla, valtatie 4 ja tie 648.",
            "Haettu 10.03.2026 klo 15.00, 2 350 m ja 6 120,40 €.",
            "2026-03-10T10:00:00Z",
            "Muut saavat käyttää tietä myöntämisperusteiden 8 §:n mukaan. Yksityistielaki 560 ja yksityistien 3 §",
            "Teknisen lautakunnan päätös § 12, Yksityisen tien avustus",
            "private-road-grant@2026-01",
            "[person 2] asuu täällä",
        ] {
            assert!(!in_text(text), "{text}");
        }
        assert!(!stands_in(&json!({ "iban": "FI21 1234 5600 0007 85" }), &["FI21 1234 5600 0007 85"]));
    }
}
