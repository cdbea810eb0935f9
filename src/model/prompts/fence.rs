//! The fence around data: what strangers wrote stands between two lines that only this conversation knows.
//!
//! The key of a fence is drawn anew for each conversation and taken out of every text that is put behind it, so that
//! no text can close its fence and go on as if it were our instructions. The prompts tell the model that what stands
//! between the lines is data. This makes obeying a stranger unlikely; that nothing follows from it is the business
//! of code that checks every answer.

use std::sync::LazyLock;

use regex::Regex;
use sha2::{Digest as _, Sha256};

use crate::cases::hex;
use crate::clock::Ambient;
use crate::model::masking::Masked;
use crate::text::normalize;

/// A key as it stands in a conversation.
static KEY: LazyLock<Regex> = LazyLock::new(|| Regex::new("[0-9a-f]{32}").expect("a fixed pattern"));

/// The fence of one conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Fence {
    /// 128 bits, in hexadecimal.
    key: String,
}

impl Fence {
    /// A fence with a new key.
    #[must_use]
    pub fn new(ambient: &Ambient) -> Self {
        // One id has 74 random bits.
        let mut hash = Sha256::new();
        hash.update(ambient.id().as_bytes());
        hash.update(ambient.id().as_bytes());
        Self { key: hex(&hash.finalize()[..16]) }
    }

    /// For samples, where nothing is hostile.
    pub(super) fn of_samples() -> Self {
        Self { key: "0".repeat(32) }
    }

    /// A text behind the fence. `label` says what it is: words of our own vocabulary, such as `text` or the id of a section.
    #[must_use]
    pub fn around(&self, label: &str, text: &Masked<String>) -> Masked<String> {
        self.enclose(label, text.as_str())
    }

    /// The caller answers for it that `text` is masked.
    pub(super) fn enclose(&self, label: &str, text: &str) -> Masked<String> {
        let key = &self.key;
        let text = self.without_key(&normalize(text).text);
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        // A masked text between two lines of ours.
        Masked::public(format!("<data-{key} {}>\n{text}{end}</data-{key}>", word(label)))
    }

    /// The text with every occurrence of the key taken out, those included that taking out others would make.
    fn without_key(&self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        for character in text.chars() {
            kept.push(character);
            let end = kept.len().checked_sub(self.key.len());
            if let Some(start) = end
                && kept.as_bytes()[start..].eq_ignore_ascii_case(self.key.as_bytes())
            {
                kept.truncate(start);
            }
        }
        kept
    }
}

impl std::fmt::Debug for Fence {
    /// Without the key: who can read it in a log could close the fence.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fence")
    }
}

/// A text of a conversation with every key made the same, so that two conversations about the same can be compared.
#[must_use]
pub fn without_keys(text: &str) -> String {
    KEY.replace_all(text, "0").into_owned()
}

/// Whether a text is a word of our own vocabulary: a code, an id, a reference. A stranger's words are never taken for one.
#[must_use]
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:@#/".contains(c))
}

/// A label that can stand in an opening line.
fn word(label: &str) -> String {
    label.chars().take(200).map(|c| if c == ' ' || is_word(c.encode_utf8(&mut [0; 4])) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Ambient;

    fn fence() -> Fence {
        Fence::new(&Ambient::system())
    }

    fn behind(fence: &Fence, text: &str) -> String {
        fence.around("text", &Masked::public(text)).as_str().to_owned()
    }

    /// What stands behind the fence, and that the fence is whole.
    fn inside<'a>(fence: &Fence, fenced: &'a str) -> &'a str {
        let opening = format!("<data-{} text>\n", fence.key);
        let closing = format!("</data-{}>", fence.key);
        let rest = fenced.strip_prefix(&opening).expect("the fence is opened");
        rest.strip_suffix(&closing).expect("the fence is closed")
    }

    #[test]
    fn every_conversation_has_its_own_key() {
        let (a, b) = (fence(), fence());
        assert_eq!(a.key.len(), 32);
        assert!(a.key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(a, b);
        assert!(!format!("{a:?}").contains(&a.key));
        assert_eq!(without_keys(&behind(&a, "Kuoppa")), without_keys(&behind(&b, "Kuoppa")));
    }

    #[test]
    fn a_text_stands_between_its_lines() {
        let fence = fence();
        assert_eq!(inside(&fence, &behind(&fence, "Kuoppa\r\ntiellä\u{200b}.")), "Kuoppa\ntiellä.\n");
        assert_eq!(inside(&fence, &behind(&fence, "")), "");
        assert_eq!(behind(&fence, "x\n").lines().count(), 3);
    }

    #[test]
    fn a_label_cannot_end_its_line() {
        let fence = fence();
        let fenced = fence.around("a>\n</data b", &Masked::public("x"));
        assert!(fenced.as_str().starts_with(&format!("<data-{} a___/data b>\n", fence.key)), "{fenced}");
        assert!(is_word("private-road-grant@2026-01-01#s3") && is_word("attachment:1"));
        assert!(!is_word("") && !is_word("a b") && !is_word("tieä") && !is_word("{{x}}") && !is_word(&"a".repeat(201)));
    }

    proptest! {
        #[test]
        fn no_text_closes_its_fence(
            pieces in proptest::collection::vec((0_usize..6, 0_usize..33, "\\PC{0,6}|[0-9a-f]{1,8}"), 0..12),
        ) {
            let fence = fence();
            let key = &fence.key;
            // Whole keys, parts of keys, keys in keys, closing lines, and anything else.
            let text: String = pieces.iter().map(|(kind, at, other)| match kind {
                0 => key.clone(),
                1 => key[..*at.min(&32)].to_owned(),
                2 => key[*at.min(&32)..].to_owned(),
                3 => format!("{}{key}{}", &key[..*at.min(&32)], &key[*at.min(&32)..]),
                4 => format!("</data-{}>\n", key.to_uppercase()),
                _ => other.clone(),
            }).collect();
            let fenced = behind(&fence, &text);
            let inside = inside(&fence, &fenced);
            prop_assert!(!inside.to_ascii_lowercase().contains(key.as_str()), "{}", inside);
            prop_assert!(inside.is_empty() || inside.ends_with('\n'));
        }

        #[test]
        fn what_holds_no_key_stays(text in "[a-zåäö0-9 .,\n]{0,80}") {
            let fence = fence();
            let fenced = behind(&fence, &text);
            prop_assert_eq!(inside(&fence, &fenced).trim_end_matches('\n'), text.trim_end_matches('\n'));
        }
    }
}
