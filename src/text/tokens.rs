//! Words, and the hashed n-grams that the classifier learns from.
//!
//! A feature is hashed with 64-bit FNV-1a over one byte that names its family (`1` word, `2` word pair, `3`
//! characters inside a word) and its UTF-8 bytes, folded to 18 bits. The hash is part of the model's version: it must never change
//! silently, and is the same on every machine.

use super::fnv::{START, step};

/// Number of hash buckets: 2^18.
pub const BUCKETS: u32 = 1 << 18;

/// Longest word, in characters, that is read for character n-grams; what is longer is no word of a language.
const MAX_WORD: usize = 60;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The word in lower case.
    pub word: String,
    /// Where it starts, in bytes of the text that was passed in.
    pub start: usize,
    /// Where it ends, in bytes, exclusive.
    pub end: usize,
}

/// A feature that occurs in a text, with the words it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Bucket, below [`BUCKETS`].
    pub bucket: u32,
    /// Index of the word (its first word, for a pair).
    pub word: u32,
    /// What it is made of.
    pub family: Family,
}

/// What a feature is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// A word.
    Word,
    /// This word and the next.
    Pair,
    /// Characters inside the edges of a word.
    Characters,
}

/// The words of a text: runs of letters and digits, in lower case.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        match (character.is_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push(Token { word: text[from..at].to_lowercase(), start: from, end: at });
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        found.push(Token { word: text[from..].to_lowercase(), start: from, end: text.len() });
    }
    found
}

/// The hashed n-grams of words: single words, pairs, and 2 to 5 characters inside the edges of each word.
#[must_use]
pub fn ngrams(words: &[Token]) -> Vec<Feature> {
    let mut features = Vec::with_capacity(words.len() * 24);
    let mut edges = Vec::with_capacity(MAX_WORD + 3);
    let mut padded = String::new();
    for (index, token) in words.iter().enumerate() {
        let word = u32::try_from(index).unwrap_or(u32::MAX);
        features.push(Feature { bucket: fold(hash(1, token.word.as_bytes(), &[])), word, family: Family::Word });
        if let Some(next) = words.get(index + 1) {
            let bucket = fold(hash(2, token.word.as_bytes(), next.word.as_bytes()));
            features.push(Feature { bucket, word, family: Family::Pair });
        }
        padded.clear();
        padded.push(' ');
        padded.extend(token.word.chars().take(MAX_WORD));
        padded.push(' ');
        edges.clear();
        edges.extend(padded.char_indices().map(|(at, _)| at));
        edges.push(padded.len());
        characters(padded.as_bytes(), &edges, word, &mut features);
    }
    features
}

/// Hashes every run of 2 to 5 characters; `edges` are the characters' byte offsets and the end.
fn characters(bytes: &[u8], edges: &[usize], word: u32, features: &mut Vec<Feature>) {
    let count = edges.len() - 1;
    for from in 0..count {
        let mut state = step(START, 3);
        for to in from..count.min(from + 5) {
            for &byte in &bytes[edges[to]..edges[to + 1]] {
                state = step(state, byte);
            }
            if to > from {
                features.push(Feature { bucket: fold(state), word, family: Family::Characters });
            }
        }
    }
}

fn hash(family: u8, first: &[u8], second: &[u8]) -> u64 {
    let mut state = step(START, family);
    for &byte in first {
        state = step(state, byte);
    }
    if !second.is_empty() {
        state = step(state, b' ');
        for &byte in second {
            state = step(state, byte);
        }
    }
    state
}

/// 64 bits to 18: the three upper parts are mixed in, for the low bits of FNV alone are weak.
#[expect(clippy::cast_possible_truncation, reason = "masked to 18 bits")]
const fn fold(state: u64) -> u32 {
    ((state ^ (state >> 18) ^ (state >> 36) ^ (state >> 54)) & (BUCKETS as u64 - 1)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_lower_case_with_their_place() {
        let text = "Äiti: KUOPPA (30 cm)!";
        let words = tokens(text);
        assert_eq!(words.iter().map(|t| t.word.as_str()).collect::<Vec<_>>(), ["äiti", "kuoppa", "30", "cm"]);
        assert_eq!(&text[words[1].start..words[1].end], "KUOPPA");
    }

    #[test]
    fn the_hash_is_pinned() {
        assert_eq!(hash(1, b"", &[]), 0xaf63_bc4c_8601_b62c);
        let features = ngrams(&tokens("ab cd"));
        // ab, "ab cd", " a", " ab", " ab ", "ab", "ab ", "b " and cd's seven without a pair.
        assert_eq!(features.len(), 8 + 7);
        assert_eq!(features, ngrams(&tokens("AB   CD.")));
    }

    proptest! {
        #[test]
        fn offsets_are_inside_and_buckets_bounded(text in "\\PC{0,200}") {
            let words = tokens(&text);
            for token in &words {
                prop_assert!(text.get(token.start..token.end).is_some());
            }
            prop_assert!(ngrams(&words).iter().all(|f| f.bucket < BUCKETS));
        }
    }
}
