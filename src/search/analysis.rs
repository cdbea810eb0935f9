//! From words to numbers: stems of the language and character 4-grams inside words, each a dimension of a sparse vector.
//!
//! **A file format.** A dimension is 64-bit FNV-1a over one byte for the family (`1` stem, `2` four characters of a word
//! with a space at each end), the two letters of the language and the UTF-8 bytes, its halves combined by exclusive or to
//! 32 bits. Vectors in a cluster were written with it: whoever changes anything here raises [`VERSION`], and a new
//! collection is filled.
//! Languages have dimensions of their own, so that a word common in one takes no weight from another.

use rust_stemmers::{Algorithm, Stemmer};

use crate::cases::Language;
use crate::text;
use crate::text::fnv;

/// Raised with every change of what a text's vector is: words, stems, n-grams, hash, or a number in `sparse`.
pub const VERSION: u32 = 1;

/// Characters of an n-gram.
const GRAM: usize = 4;

/// Longest word, in characters, whose n-grams are read; what is longer is no word of a language.
const LONGEST_WORD: usize = 60;

/// The dimensions of a text, one for each time a term occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Stems, one a word.
    pub stems: Vec<u32>,
    /// Character 4-grams inside words and at their edges.
    pub grams: Vec<u32>,
}

/// Reads texts of one language.
pub struct Analyser {
    language: Language,
    stemmer: Stemmer,
}

impl Analyser {
    /// For texts of a language.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let algorithm = match language {
            Language::Fi => Algorithm::Finnish,
            Language::Sv => Algorithm::Swedish,
            Language::En => Algorithm::English,
        };
        Self { language, stemmer: Stemmer::create(algorithm) }
    }

    /// The terms of a text.
    #[must_use]
    pub fn terms(&self, text: &str) -> Terms {
        let mut terms = Terms::default();
        let (mut padded, mut edges) = (String::new(), Vec::with_capacity(LONGEST_WORD + 3));
        for token in text::tokens(&text::normalize(text).text) {
            terms.stems.push(self.dimension(1, &self.stemmer.stem(&token.word)));
            padded.clear();
            padded.push(' ');
            padded.extend(token.word.chars().take(LONGEST_WORD));
            padded.push(' ');
            edges.clear();
            edges.extend(padded.char_indices().map(|(at, _)| at));
            edges.push(padded.len());
            let grams = edges.windows(GRAM + 1).map(|window| &padded[window[0]..window[GRAM]]);
            terms.grams.extend(grams.map(|gram| self.dimension(2, gram)));
        }
        terms
    }

    fn dimension(&self, family: u8, term: &str) -> u32 {
        hash([family].into_iter().chain(self.language.code().bytes()).chain(term.bytes()))
    }
}

/// 64-bit FNV-1a, folded to 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "the upper half was mixed in")]
fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    let state = fnv::of(bytes);
    (state ^ (state >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_hash_is_pinned() {
        // The published values of FNV-1a: of nothing cbf29ce484222325, of "a" af63dc4c8601ec8c.
        assert_eq!(hash(std::iter::empty()), 0xcbf2_9ce4 ^ 0x8422_2325);
        assert_eq!(hash(b"a".iter().copied()), 0xaf63_dc4c ^ 0x8601_ec8c);
        let terms = Analyser::new(Language::Fi).terms("Yksityistien avustus");
        assert_eq!(terms.stems, [PINNED_STEMS[0], PINNED_STEMS[1]]);
        assert_eq!(terms.grams.first(), Some(&PINNED_GRAM));
    }

    /// `yksityist`, `avustus` in Finnish: a changed number here means that vectors in clusters are no longer ours.
    const PINNED_STEMS: [u32; 2] = [3_519_434_683, 2_912_875_991];
    /// ` yks` of a Finnish word.
    const PINNED_GRAM: u32 = 1_404_175_079;

    #[test]
    fn inflected_words_share_a_stem_or_most_of_their_grams() {
        let fi = Analyser::new(Language::Fi);
        let shared = |a: &str, b: &str| {
            let (a, b) = (fi.terms(a), fi.terms(b));
            (a.stems == b.stems, a.grams.iter().filter(|gram| b.grams.contains(gram)).count())
        };
        assert!(shared("avustuksen", "AVUSTUKSEN").0);
        assert!(shared("katuvalaisimet", "katuvalaisin").1 >= 7);
        assert_eq!(shared("tie", "auraus"), (false, 0));
    }

    #[test]
    fn languages_share_no_dimension() {
        let (fi, sv) = (Analyser::new(Language::Fi).terms("avustus"), Analyser::new(Language::Sv).terms("avustus"));
        assert!(fi.grams.iter().all(|gram| !sv.grams.contains(gram)));
    }

    proptest! {
        #[test]
        fn any_text_has_its_terms(text in "\\PC{0,200}|[a-zåäö0-9 ]{0,200}") {
            for language in [Language::Fi, Language::Sv, Language::En] {
                let terms = Analyser::new(language).terms(&text);
                prop_assert_eq!(terms.stems.len(), text::tokens(&text::normalize(&text).text).len());
                prop_assert!(terms.grams.len() <= terms.stems.len() * (LONGEST_WORD + 2));
            }
        }
    }
}
