//! Patterns of words, as people write them in lexicons: one matcher for every list of words to look for.
//!
//! A word matches whole, or as a stem (`sähköisku*`); `_` lets up to four words stand between. Recall comes first: a word
//! typed without å, ä, ö matches, and one slip of the keyboard in a long word is forgiven. A hit that lies inside a
//! look-alike does not count; look-alikes are matched to the letter, and never across a comma or a full stop.
//! Time is linear in the text.

use std::collections::{BTreeSet, HashMap};

use crate::text::{Token, tokens};

/// Most words that `_` spans.
const GAP: usize = 4;
/// Shortest word or stem, in characters, in which a slip is forgiven.
const FUZZY: usize = 7;
/// Shortest word or stem that is also matched without its dots and rings.
const FOLDED: usize = 6;
/// Most hits of one group that are reported for one text.
const MOST: usize = 20;

/// Where a pattern matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The group of the pattern.
    pub group: usize,
    /// Where it starts, in bytes of the text that was passed in.
    pub start: usize,
    /// Where it ends, in bytes, exclusive.
    pub end: usize,
}

/// Compiled patterns in groups, and look-alikes.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns {
    all: Vec<Pattern>,
    /// Patterns by the atom they begin with.
    beginning: HashMap<usize, Vec<usize>>,
    /// Numbers of atoms.
    atoms: HashMap<Atom, usize>,
    index: AtomIndex,
    groups: usize,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// None: a look-alike.
    group: Option<usize>,
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

impl Patterns {
    /// Adds a pattern to a group; without a group it is a look-alike.
    ///
    /// # Errors
    /// In words for the person who edits it: an empty pattern, `_` at an end, a stem that is too short.
    pub fn add(&mut self, text: &str, group: Option<usize>) -> Result<(), String> {
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
                let next = self.atoms.len();
                let number = *self.atoms.entry(atom.clone()).or_insert(next);
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
        self.beginning.entry(first).or_default().push(self.all.len());
        self.groups = self.groups.max(group.map_or(0, |group| group + 1));
        self.all.push(Pattern { group, elements });
        Ok(())
    }

    /// What matches in a text, in order; what lies inside a look-alike or inside a hit of its own group is left out.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let words = tokens(text);
        let places = places(text, &words);
        let matches: Vec<Vec<Match>> = words.iter().map(|token| self.index.matches(&token.word)).collect();

        let mut hits = Vec::new();
        let mut lookalikes: Vec<(usize, usize)> = Vec::new();
        for (at, found) in matches.iter().enumerate() {
            for one in found {
                for &number in self.beginning.get(&one.atom).into_iter().flatten() {
                    let pattern = &self.all[number];
                    if pattern.group.is_none() && one.slip {
                        continue;
                    }
                    let Some(last) = follow(pattern, 1, at, &matches, &places) else { continue };
                    let (start, end) = (words[at].start, words[last].end);
                    match pattern.group {
                        Some(group) => hits.push(Found { group, start, end }),
                        None => lookalikes.push((start, end)),
                    }
                }
            }
        }
        self.outermost(hits, &lookalikes)
    }

    fn outermost(&self, mut hits: Vec<Found>, lookalikes: &[(usize, usize)]) -> Vec<Found> {
        // Longest first where two start together, so that what is inside comes after.
        hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.group));
        // `lookalikes` is sorted by start; the furthest end so far decides containment.
        let mut reach = Vec::with_capacity(lookalikes.len());
        let mut furthest = 0;
        for &(_, end) in lookalikes {
            furthest = furthest.max(end);
            reach.push(furthest);
        }
        let mut ends = vec![0; self.groups];
        let mut counts = vec![0; self.groups];
        hits.retain(|hit| {
            let before = lookalikes.partition_point(|&(from, _)| from <= hit.start);
            let hidden = before > 0 && reach[before - 1] >= hit.end;
            if hidden || hit.end <= ends[hit.group] || counts[hit.group] == MOST {
                return false;
            }
            ends[hit.group] = hit.end;
            counts[hit.group] += 1;
            true
        });
        hits
    }
}

/// The last word of a match of the rest of a pattern, if it goes on from the word `at`.
fn follow(pattern: &Pattern, element: usize, at: usize, matches: &[Vec<Match>], places: &[Place]) -> Option<usize> {
    let Some(&(atom, gap)) = pattern.elements.get(element) else { return Some(at) };
    let furthest = at + 1 + if gap { GAP } else { 0 };
    for next in at + 1..=furthest.min(matches.len().saturating_sub(1)) {
        let together = match pattern.group {
            Some(_) => places[next].sentence == places[at].sentence,
            None => places[next].clause == places[at].clause,
        };
        if !together {
            return None;
        }
        if matches[next].iter().any(|one| one.atom == atom && (pattern.group.is_some() || !one.slip)) {
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
pub(super) fn fold(word: &str) -> String {
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
