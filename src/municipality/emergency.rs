//! The emergency lexicon: words of danger in any text of any service (policy P18, promise 11).
//!
//! `emergency.yaml` holds patterns by kind of danger, written by people. A word matches whole, or as a stem
//! (`sähköisku*`); `_` lets up to four words stand between. Recall comes first: a word typed without å, ä, ö matches,
//! and one slip of the keyboard in a long word is forgiven. A hit that lies inside a look-alike
//! ("kuolen nauruun") does not count; look-alikes are matched to the letter, and never across a comma or a full stop.
//! Time is linear in the text.

use std::collections::{BTreeSet, HashMap};

use super::format::EmergencyFile;
use crate::text::{Token, tokens};

/// Most words that `_` spans.
const GAP: usize = 4;
/// Shortest word or stem, in characters, in which a slip is forgiven.
const FUZZY: usize = 7;
/// Shortest word or stem that is also matched without its dots and rings.
const FOLDED: usize = 6;
/// Most hits of one kind that are reported for one text.
const MOST: usize = 20;
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
    patterns: Vec<Pattern>,
    /// Patterns by the atom they begin with.
    beginning: HashMap<usize, Vec<usize>>,
    index: AtomIndex,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// None: a look-alike.
    kind: Option<usize>,
    /// The atom, and whether words may stand before it.
    elements: Vec<(usize, bool)>,
}

/// A word or a stem.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Atom {
    word: String,
    stem: bool,
}

/// Which atoms a word matches.
#[derive(Debug, Clone, Default)]
struct AtomIndex {
    exact: Ways,
    /// Atoms without their dots and rings.
    folded: Ways,
    /// Long atoms by their first letter, for slips.
    long: HashMap<char, Vec<(Vec<char>, bool, usize)>>,
}

#[derive(Debug, Clone, Default)]
struct Ways {
    words: HashMap<String, Vec<usize>>,
    stems: HashMap<String, Vec<usize>>,
    /// Lengths of stems in characters.
    lengths: BTreeSet<usize>,
}

/// One atom that a word of the text matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    atom: usize,
    slip: bool,
}

/// Where a word stands in the flow of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    sentence: usize,
    clause: usize,
}

impl Lexicon {
    /// Compiles the file.
    ///
    /// # Errors
    /// In words for the person who edits it: an empty pattern, `_` at an end, an unknown card, an id twice.
    pub fn compile(file: &EmergencyFile) -> Result<Self, String> {
        let mut atoms: HashMap<Atom, usize> = HashMap::new();
        let mut lexicon =
            Self { kinds: Vec::new(), patterns: Vec::new(), beginning: HashMap::new(), index: AtomIndex::default() };
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
                lexicon.add(pattern, Some(number), &mut atoms).map_err(|what| format!("kind `{}`: {what}", kind.id))?;
            }
        }
        for pattern in &file.lookalikes {
            lexicon.add(pattern, None, &mut atoms).map_err(|what| format!("lookalikes: {what}"))?;
        }
        Ok(lexicon)
    }

    fn add(&mut self, text: &str, kind: Option<usize>, atoms: &mut HashMap<Atom, usize>) -> Result<(), String> {
        let mut elements = Vec::new();
        let mut gap = false;
        for part in text.split_whitespace() {
            if part == "_" {
                if elements.is_empty() {
                    return Err(format!("pattern `{text}` begins with `_`: begin it with a word"));
                }
                gap = true;
                continue;
            }
            let stem = part.ends_with('*');
            let words = tokens(part.trim_end_matches('*'));
            if words.is_empty() || part.trim_end_matches('*').contains('*') {
                return Err(format!("pattern `{text}`: `{part}` is not a word, a stem with `*` at its end, or `_`"));
            }
            let last = words.len() - 1;
            for (at, token) in words.into_iter().enumerate() {
                let atom = Atom { word: token.word, stem: stem && at == last };
                if atom.stem && atom.word.chars().count() < 3 {
                    return Err(format!(
                        "pattern `{text}`: the stem `{part}` is too short; write three letters or more"
                    ));
                }
                let next = atoms.len();
                let number = *atoms.entry(atom.clone()).or_insert(next);
                if number == next {
                    self.index.add(&atom, number);
                }
                elements.push((number, gap));
                gap = false;
            }
        }
        if gap {
            return Err(format!("pattern `{text}` ends with `_`: end it with a word"));
        }
        let Some((first, _)) = elements.first().copied() else {
            return Err("a pattern is empty: remove it".to_owned());
        };
        self.beginning.entry(first).or_default().push(self.patterns.len());
        self.patterns.push(Pattern { kind, elements });
        Ok(())
    }

    /// Words of danger in a text, in order. Byte offsets are into `text`.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Hit> {
        let words = tokens(text);
        let places = places(text, &words);
        let matches: Vec<Vec<Match>> = words.iter().map(|token| self.index.matches(&token.word)).collect();

        let mut hits: Vec<(usize, usize, usize)> = Vec::new();
        let mut lookalikes: Vec<(usize, usize)> = Vec::new();
        for (at, found) in matches.iter().enumerate() {
            for one in found {
                for &number in self.beginning.get(&one.atom).into_iter().flatten() {
                    let pattern = &self.patterns[number];
                    if pattern.kind.is_none() && one.slip {
                        continue;
                    }
                    let Some(last) = follow(pattern, 1, at, &matches, &places) else { continue };
                    let span = (words[at].start, words[last].end);
                    match pattern.kind {
                        Some(kind) => hits.push((span.0, span.1, kind)),
                        None => lookalikes.push(span),
                    }
                }
            }
        }
        self.report(text, hits, &lookalikes)
    }

    /// Drops what lies inside a look-alike or inside a hit of its own kind.
    fn report(&self, text: &str, mut hits: Vec<(usize, usize, usize)>, lookalikes: &[(usize, usize)]) -> Vec<Hit> {
        // Longest first where two start together, so that what is inside comes after.
        hits.sort_by_key(|&(start, end, kind)| (start, std::cmp::Reverse(end), kind));
        // `lookalikes` is sorted by start; the furthest end so far decides containment.
        let mut reach = Vec::with_capacity(lookalikes.len());
        let mut furthest = 0;
        for &(_, end) in lookalikes {
            furthest = furthest.max(end);
            reach.push(furthest);
        }
        let mut ends = vec![0; self.kinds.len()];
        let mut counts = vec![0; self.kinds.len()];
        let mut reported = Vec::new();
        for (start, end, kind) in hits {
            let before = lookalikes.partition_point(|&(from, _)| from <= start);
            let hidden = before > 0 && reach[before - 1] >= end;
            if hidden || end <= ends[kind] || counts[kind] == MOST {
                continue;
            }
            ends[kind] = end;
            counts[kind] += 1;
            let (id, card) = self.kinds[kind].clone();
            let words = text[start..end].chars().take(QUOTED).collect();
            reported.push(Hit { kind: id, card, words, start, end });
        }
        reported
    }
}

/// The last word of a match of the rest of a pattern, if it goes on from the word `at`.
fn follow(pattern: &Pattern, element: usize, at: usize, matches: &[Vec<Match>], places: &[Place]) -> Option<usize> {
    let Some(&(atom, gap)) = pattern.elements.get(element) else { return Some(at) };
    let furthest = at + 1 + if gap { GAP } else { 0 };
    for next in at + 1..=furthest.min(matches.len().saturating_sub(1)) {
        let together = match pattern.kind {
            Some(_) => places[next].sentence == places[at].sentence,
            None => places[next].clause == places[at].clause,
        };
        if !together {
            return None;
        }
        if matches[next].iter().any(|one| one.atom == atom && (pattern.kind.is_some() || !one.slip)) {
            let end = follow(pattern, element + 1, next, matches, places);
            if end.is_some() {
                return end;
            }
        }
    }
    None
}

/// Numbers sentences and clauses. A single line end is how mail wraps, and dots in a row are a breath: neither ends anything.
fn places(text: &str, words: &[Token]) -> Vec<Place> {
    let mut place = Place { sentence: 0, clause: 0 };
    let mut end = 0;
    words
        .iter()
        .map(|word| {
            let between = &text[end..word.start];
            let dots = between.contains("..") || between.contains('…');
            if between.contains(['!', '?']) || between.contains("\n\n") || (between.contains('.') && !dots) {
                place.sentence += 1;
                place.clause += 1;
            } else if dots || between.contains([',', ';', ':', '(', ')', '–', '—', '"', '”']) {
                place.clause += 1;
            }
            end = word.end;
            place
        })
        .collect()
}

impl AtomIndex {
    fn add(&mut self, atom: &Atom, number: usize) {
        self.exact.add(&atom.word, atom.stem, number);
        let letters: Vec<char> = atom.word.chars().collect();
        let folded = fold(&atom.word);
        if folded != atom.word && letters.len() >= FOLDED {
            self.folded.add(&folded, atom.stem, number);
        }
        if letters.len() >= FUZZY {
            self.long.entry(letters[0]).or_default().push((letters, atom.stem, number));
        }
    }

    fn matches(&self, word: &str) -> Vec<Match> {
        let mut found = Vec::new();
        self.exact.find(word, &mut found);
        // A word that was typed with its dots is found by the exact way only: folded atoms have none.
        self.folded.find(word, &mut found);
        if word.len() + 1 >= FUZZY {
            let letters: Vec<char> = word.chars().take(40).collect();
            for (atom, stem, number) in self.long.get(&letters[0]).into_iter().flatten() {
                if slipped(&letters, atom, *stem) {
                    found.push(Match { atom: *number, slip: true });
                }
            }
        }
        found.sort_unstable();
        found.dedup_by_key(|one| one.atom);
        found
    }
}

impl Ways {
    fn add(&mut self, word: &str, stem: bool, number: usize) {
        if stem {
            self.lengths.insert(word.chars().count());
            self.stems.entry(word.to_owned()).or_default().push(number);
        } else {
            self.words.entry(word.to_owned()).or_default().push(number);
        }
    }

    fn find(&self, word: &str, found: &mut Vec<Match>) {
        let exact = |numbers: &Vec<usize>| numbers.iter().map(|&atom| Match { atom, slip: false }).collect::<Vec<_>>();
        if let Some(numbers) = self.words.get(word) {
            found.extend(exact(numbers));
        }
        let mut lengths = self.lengths.iter().peekable();
        for (count, end) in word.char_indices().map(|(at, _)| at).skip(1).chain([word.len()]).enumerate() {
            while lengths.next_if(|&&length| length < count + 1).is_some() {}
            match lengths.peek() {
                None => break,
                Some(&&length) if length == count + 1 => {
                    if let Some(numbers) = self.stems.get(&word[..end]) {
                        found.extend(exact(numbers));
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// Without dots and rings, as on a foreign keyboard.
fn fold(word: &str) -> String {
    word.chars()
        .map(|character| match character {
            'ä' | 'å' => 'a',
            'ö' => 'o',
            other => other,
        })
        .collect()
}

/// Whether a word is the atom with one letter too many, too few, wrong or swapped; the first letter must be right,
/// and the slip must not be in the last letter: another ending is another form, and a stem would only be shortened.
fn slipped(word: &[char], atom: &[char], stem: bool) -> bool {
    let same = word.iter().zip(atom).take_while(|(a, b)| a == b).count();
    if same == 0 || same + 1 >= atom.len() {
        return false;
    }
    let rest = |from_word: usize, from_atom: usize| {
        let (Some(word), Some(atom)) = (word.get(from_word..), atom.get(from_atom..)) else { return false };
        if stem { word.starts_with(atom) } else { word == atom }
    };
    rest(same + 1, same + 1)
        || rest(same + 1, same)
        || rest(same, same + 1)
        || (word.get(same) == atom.get(same + 1) && word.get(same + 1) == atom.get(same) && rest(same + 2, same + 2))
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
