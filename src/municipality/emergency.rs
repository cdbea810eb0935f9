//! The emergency lexicon: words of danger in any text of any service (policy P18, promise 11).
//!
//! `emergency.yaml` holds patterns by kind of danger, written by people, and look-alikes ("kuolen nauruun") that are no
//! danger. Recall comes first. Time is linear in the text.

use super::format::EmergencyFile;
use super::patterns::Patterns;

/// Longest quotation of a hit, in characters.
const QUOTED: usize = 160;
/// Cards that a kind may name.
const CARDS: [&str; 2] = ["emergency", "crisis"];

/// Words of danger in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Kind of danger, an id of the lexicon.
    pub kind: String,
    /// The card that answers it: `emergency` or `crisis`.
    pub card: String,
    /// The words as they stood.
    pub words: String,
    /// Where they start, in bytes of the text that was passed in.
    pub start: usize,
    /// Where they end, in bytes, exclusive.
    pub end: usize,
}

/// The compiled `emergency.yaml`.
#[derive(Debug, Clone)]
pub struct Lexicon {
    /// Id and card by kind.
    kinds: Vec<(String, String)>,
    patterns: Patterns,
}

impl Lexicon {
    /// Compiles the file.
    ///
    /// # Errors
    /// In words for the person who edits it: an empty pattern, `_` at an end, an unknown card, an id twice.
    pub fn compile(file: &EmergencyFile) -> Result<Self, String> {
        let mut lexicon = Self { kinds: Vec::new(), patterns: Patterns::default() };
        for kind in &file.kinds {
            if lexicon.kinds.iter().any(|(id, _)| *id == kind.id) {
                return Err(format!("kind `{}` stands twice: join their patterns", kind.id));
            }
            if !CARDS.contains(&kind.card.as_str()) {
                return Err(format!("kind `{}`: card `{}` is neither `emergency` nor `crisis`", kind.id, kind.card));
            }
            if kind.patterns.is_empty() {
                return Err(format!("kind `{}` has no patterns", kind.id));
            }
            let number = lexicon.kinds.len();
            lexicon.kinds.push((kind.id.clone(), kind.card.clone()));
            for pattern in &kind.patterns {
                lexicon.patterns.add(pattern, Some(number)).map_err(|what| format!("kind `{}`: {what}", kind.id))?;
            }
        }
        for pattern in &file.lookalikes {
            lexicon.patterns.add(pattern, None).map_err(|what| format!("lookalikes: {what}"))?;
        }
        Ok(lexicon)
    }

    /// Words of danger in a text, in order. Byte offsets are into `text`.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Hit> {
        self.patterns
            .find(text)
            .into_iter()
            .map(|found| {
                let (id, card) = self.kinds[found.group].clone();
                let words = text[found.start..found.end].chars().take(QUOTED).collect();
                Hit { kind: id, card, words, start: found.start, end: found.end }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::format::EmergencyKind;
    use super::*;

    fn file(patterns: &[&str], lookalikes: &[&str]) -> EmergencyFile {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        EmergencyFile {
            kinds: vec![EmergencyKind { id: "k".to_owned(), card: "emergency".to_owned(), patterns: owned(patterns) }],
            lookalikes: owned(lookalikes),
        }
    }

    fn words(patterns: &[&str], lookalikes: &[&str], text: &str) -> Vec<String> {
        let lexicon = Lexicon::compile(&file(patterns, lookalikes)).unwrap();
        lexicon.find(text).into_iter().map(|hit| hit.words).collect()
    }

    #[test]
    fn words_stems_and_gaps() {
        assert_eq!(words(&["sähköisku*"], &[], "Sain SÄHKÖISKUN eilen"), ["SÄHKÖISKUN"]);
        assert!(words(&["palo"], &[], "palokunta").is_empty());
        assert_eq!(
            words(&["johto* _ maassa"], &[], "johto on tuolla ihan tien maassa"),
            ["johto on tuolla ihan tien maassa"]
        );
        assert!(words(&["johto* _ maassa"], &[], "johto on tuolla ihan tien vieressä maassa").is_empty());
        assert!(words(&["johto* _ maassa"], &[], "johto on ehjä. Lehti maassa").is_empty());
        assert_eq!(words(&["can't breathe"], &[], "he can't breathe"), ["can't breathe"]);
    }

    #[test]
    fn slips_and_missing_dots_are_forgiven_in_long_words() {
        for slip in ["tulipalon", "tlipalo", "tuulipalo", "tulpialo", "tulipslo", "tulip alo tulipalo"] {
            assert_eq!(words(&["tulipalo*"], &[], slip).len(), 1, "{slip}");
        }
        assert!(words(&["tulipalo*"], &[], "tulppaani tulipaani").is_empty());
        assert_eq!(words(&["räjähti"], &[], "se rajahti").len(), 1);
        assert!(words(&["palaa"], &[], "palata").is_empty());
    }

    #[test]
    fn a_look_alike_hides_only_what_lies_inside_it() {
        let (patterns, lookalikes) = (&["kuolen"][..], &["kuolen nauru*"][..]);
        assert!(words(patterns, lookalikes, "kuolen nauruun").is_empty());
        assert_eq!(words(patterns, lookalikes, "kuolen, nauru kaukana").len(), 1);
        assert_eq!(words(patterns, lookalikes, "kuolen nauruun, ei kun oikeasti kuolen").len(), 1);
    }

    #[test]
    fn a_faulty_file_is_explained() {
        for (patterns, what) in [
            (&["_ palaa"][..], "begins with `_`"),
            (&["palaa _"][..], "ends with `_`"),
            (&[""][..], "empty"),
            (&["a*"][..], "too short"),
            (&["pa*laa"][..], "not a word"),
            (&[][..], "no patterns"),
        ] {
            let error = Lexicon::compile(&file(patterns, &[])).unwrap_err();
            assert!(error.contains(what), "{error}");
        }
        let mut twice = file(&["palaa"], &[]);
        twice.kinds.push(twice.kinds[0].clone());
        assert!(Lexicon::compile(&twice).unwrap_err().contains("twice"));
        twice.kinds.pop();
        twice.kinds[0].card = "fire".to_owned();
        assert!(Lexicon::compile(&twice).unwrap_err().contains("card"));
    }

    proptest! {
        #[test]
        fn offsets_are_inside_the_text(text in "(johto|maassa|palaa|ä|İ|\\PC| |\\.|,){0,40}") {
            let lexicon = Lexicon::compile(&file(&["johto* _ maassa", "palaa"], &["palaa palaa"])).unwrap();
            for hit in lexicon.find(&text) {
                prop_assert!(text[hit.start..hit.end].starts_with(&hit.words));
            }
        }
    }
}
