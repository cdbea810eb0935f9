//! The one normal form in which the house reads text.
//!
//! NFC, line ends as LF, one kind of hyphen, no control, direction-changing or invisible characters: so that two people
//! who see the same words give the machine the same words, and a quote is found byte for byte.
//! Idempotent; linear; the output has at most [`MAX_BYTES`] bytes. The submission itself is kept as it came.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Longest normalised text, in bytes; the rest is cut off and [`Normalized::truncated`] says so.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Most combining marks kept on one base character: more than any orthography has, fewer than a "Zalgo" text.
const MAX_MARKS: usize = 8;

/// A text in normal form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The words.
    pub text: String,
    /// Whether characters were removed that hide or reorder what a person sees (bidi controls, zero-width, tags).
    pub hidden: bool,
    /// Whether the text was longer than [`MAX_BYTES`] and its end is missing.
    pub truncated: bool,
}

/// Brings a text into normal form.
#[must_use]
pub fn normalize(raw: &str) -> Normalized {
    let mut hidden = false;
    let mut kept = String::with_capacity(raw.len().min(MAX_BYTES));
    let mut characters = raw.chars().peekable();
    let mut simple = true;
    while let Some(character) = characters.next() {
        // Cut the input generously here, so that a huge text costs no huge buffer; exactly below.
        if kept.len() > MAX_BYTES {
            break;
        }
        let character = match character {
            '\r' => {
                if characters.peek() == Some(&'\n') {
                    continue;
                }
                '\n'
            }
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => '\n',
            // A hyphen, and one that breaks no line.
            '\u{2010}' | '\u{2011}' => '-',
            // Programs that make PDF files write a hyphen so; within a word it shows only where a line ends.
            '\u{ad}' if kept.ends_with(is_digit) && characters.peek().copied().is_some_and(is_digit) => '-',
            other => other,
        };
        match visibility(character) {
            Visibility::Shown => {
                simple &= character < '\u{300}';
                kept.push(character);
            }
            Visibility::Harmless => {}
            // The joiner inside an emoji family, and the mark that programs put first in a file, deceive nobody.
            Visibility::Hidden => {
                let in_emoji = character == '\u{200d}' && kept.chars().next_back().is_some_and(is_pictograph);
                let at_start = character == '\u{feff}' && kept.is_empty();
                hidden |= !in_emoji && !at_start;
            }
        }
    }
    // Below U+0300 every character is its own composed form.
    let mut text = if simple { kept } else { compose(&kept) };
    let truncated = text.len() > MAX_BYTES;
    if truncated {
        let mut end = MAX_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    Normalized { text, hidden, truncated }
}

/// NFC with a cap on stacked marks. Marks are counted in the decomposed form: only there is the cap stable
/// under a second pass.
fn compose(text: &str) -> String {
    let mut marks = 0;
    text.nfd()
        .filter(|&character| {
            if canonical_combining_class(character) == 0 {
                marks = 0;
                true
            } else {
                marks += 1;
                marks <= MAX_MARKS
            }
        })
        .nfc()
        .collect()
}

enum Visibility {
    Shown,
    /// Dropped without remark: control characters, soft hyphens, presentation selectors of emoji, private use.
    Harmless,
    Hidden,
}

fn visibility(character: char) -> Visibility {
    match character {
        '\n' | '\t' => Visibility::Shown,
        '\u{ad}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => {
            Visibility::Harmless
        }
        // Bidirectional marks, embeddings, overrides and isolates.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Zero-width characters, invisible operators, fillers, byte-order mark.
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{34f}'
        | '\u{180b}'..='\u{180f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        // Variation selectors that carry no picture, the tags block.
        | '\u{fe00}'..='\u{fe0d}' | '\u{e0000}'..='\u{e0fff}' => Visibility::Hidden,
        control if control.is_control() => Visibility::Harmless,
        _ => Visibility::Shown,
    }
}

const fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}

const fn is_pictograph(character: char) -> bool {
    matches!(character, '\u{1f000}'..='\u{1faff}' | '\u{2190}'..='\u{2bff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(raw: &str) -> String {
        normalize(raw).text
    }

    #[test]
    fn line_ends_become_line_feeds() {
        assert_eq!(text("a\r\nb\rc\u{2028}d"), "a\nb\nc\nd");
    }

    #[test]
    fn decomposed_letters_are_composed() {
        assert_eq!(text("a\u{308}a\u{30a}o\u{308}"), "äåö");
        assert!(!normalize("a\u{308}").hidden);
    }

    #[test]
    fn what_hides_is_removed_and_reported() {
        for raw in ["ap\u{200b}prove", "\u{202e}evorppa", "a\u{e0041}b", "x\u{2066}y\u{2069}", "a\u{feff}b"] {
            assert!(normalize(raw).hidden, "{raw:?}");
        }
        assert_eq!(text("ku\u{200b}op\u{202e}pa\0\u{7}"), "kuoppa");
    }

    #[test]
    fn what_hides_nothing_is_not_reported() {
        for raw in ["\u{feff}Hei", "kiitos ❤\u{fe0f}", "👨\u{200d}👩\u{200d}👧", "asia\u{ad}kas", "Hei\0\u{8}!"]
        {
            assert!(!normalize(raw).hidden, "{raw:?}");
        }
        assert_eq!(text("asia\u{ad}kas"), "asiakas");
    }

    #[test]
    fn hyphens_are_one_character() {
        assert_eq!(text("131052\u{2011}9085, a\u{2010}b, 131052\u{ad}9085"), "131052-9085, a-b, 131052-9085");
        assert_eq!(text("1\u{ad}a, a\u{ad}1, 1\u{ad}"), "1a, a1, 1");
    }

    #[test]
    fn stacked_marks_and_long_texts_are_bounded() {
        let zalgo = format!("e{}", "\u{301}".repeat(100_000));
        assert!(text(&zalgo).chars().count() <= MAX_MARKS + 1);
        let long = normalize(&"ä".repeat(MAX_BYTES));
        assert!(long.truncated && long.text.len() <= MAX_BYTES);
    }

    proptest! {
        #[test]
        fn is_idempotent(raw in "\\PC{0,40}|[a\u{308}\u{301}\u{344}\u{34f}\u{200b}\u{202e}\r\n\u{1100}\u{1161}\u{11a8}]{0,40}|.{0,40}") {
            let once = normalize(&raw).text;
            let twice = normalize(&once);
            prop_assert_eq!(&twice.text, &once);
            prop_assert!(!twice.hidden);
        }
    }
}
