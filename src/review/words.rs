//! What an officer writes: bounded, printable, never empty. Parsed at the edge, never checked again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest text of one field, characters.
pub const LONGEST: usize = 4000;

/// A reason or question in an officer's words: 1–4000 characters, no control or direction characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, min_length = 1, max_length = 4000)]
pub struct Words(String);

impl Words {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// It may tell of a person: `{:?}` does not (promise 10).
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words(…)")
    }
}

impl TryFrom<String> for Words {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let trimmed = text.trim();
        let fault = if trimmed.is_empty() { Some("is empty") } else { fault(trimmed, LONGEST) };
        match fault {
            Some(fault) => Err(format!("the text {fault}: write 1–{LONGEST} printable characters")),
            None => Ok(Self(trimmed.to_owned())),
        }
    }
}

impl From<Words> for String {
    fn from(words: Words) -> Self {
        words.0
    }
}

/// What is wrong with a text that people will read in a letter.
#[must_use]
pub fn fault(text: &str, longest: usize) -> Option<&'static str> {
    if text.chars().count() > longest {
        Some("is too long")
    } else if text.contains('\0') {
        Some("holds a null byte")
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some("holds control characters")
    } else if text.chars().any(is_hidden) {
        Some("holds invisible or direction-changing characters")
    } else {
        None
    }
}

/// Characters that are not seen, or make text look other than it is.
const fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_be_read() {
        for bad in ["", "  \n ", "a\0b", "a\u{202e}b", "a\u{200b}b", "a\u{7}b", &"x".repeat(4001)] {
            assert!(Words::try_from(bad.to_owned()).is_err());
        }
        assert_eq!(Words::try_from(" Hyvä.\nToinen rivi. ".to_owned()).unwrap().as_str(), "Hyvä.\nToinen rivi.");
    }
}
