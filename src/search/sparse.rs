//! Sparse vectors with the weights of BM25, split in two as a cluster wants it.
//!
//! The part of a text is `tf·(k1 + 1) / (tf + k1·(1 − b + b·length / average))`; the part of a question is how often
//! it says a term, times the term's rarity `ln((N − n + 0.5) / (n + 0.5) + 1)`, worked out when it is asked: by us as by
//! Qdrant's IDF modifier, over the same points. Their product, summed over the terms, is the score.
//! A question's weights sum to 1, so that scores keep within a dozen and single precision within 0.00001.

use super::analysis::{Analyser, Terms};

/// How soon a further occurrence of a term counts less.
const K1: f32 = 1.2;

/// How far a long text is held against itself.
const B: f32 = 0.75;

/// How much an n-gram of a question weighs beside a stem.
const GRAM_WEIGHT: f32 = 0.75;

/// How often a word of the heading and of the document's title counts as if it stood in the text.
const HEADING: f32 = 2.0;
const TITLE: f32 = 0.5;

/// Most words of a question that are read. A whole message may be asked; a book is cut.
const MOST_WORDS: usize = 400;

/// A sparse vector; dimensions ascend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sparse {
    /// Dimensions.
    pub indices: Vec<u32>,
    /// Their weights.
    pub values: Vec<f32>,
}

/// A text's terms and how often each counts, before the average length of all texts is known.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    terms: Vec<(u32, f32)>,
    /// How many terms, weighed as they are.
    pub length: f32,
}

/// The terms of a section: its text, its heading, its document's title.
pub(super) fn count(analyser: &Analyser, title: &str, heading: &str, text: &str) -> Counted {
    let mut terms = Vec::new();
    let mut length = 0.0;
    for (words, weight) in [(text, 1.0), (heading, HEADING), (title, TITLE)] {
        let found = analyser.terms(words);
        length += weight * number(found.stems.len() + found.grams.len());
        terms.extend(found.stems.into_iter().chain(found.grams).map(|term| (term, weight)));
    }
    Counted { terms: merge(terms), length }
}

/// A text's vector, given the average length of all texts.
pub(super) fn weigh(counted: &Counted, average: f32) -> Sparse {
    let relative = if average > 0.0 { counted.length / average } else { 1.0 };
    let saturation = K1 * (1.0 - B + B * relative);
    let (indices, values) = counted.terms.iter().map(|&(term, tf)| (term, tf * (K1 + 1.0) / (tf + saturation))).unzip();
    Sparse { indices, values }
}

/// A question's vector, without rarity.
pub(super) fn question(analyser: &Analyser, text: &str) -> Sparse {
    let Terms { stems, grams } = analyser.terms(first_words(text));
    let weighed = stems.into_iter().map(|term| (term, 1.0)).chain(grams.into_iter().map(|term| (term, GRAM_WEIGHT)));
    let merged = merge(weighed.collect());
    let total: f32 = merged.iter().map(|(_, weight)| weight).sum();
    let (indices, values) = merged.into_iter().map(|(term, weight)| (term, weight / total)).unzip();
    Sparse { indices, values }
}

/// How rare a term is that occurs in `with` of `all` texts, in single precision as Qdrant's modifier works it out.
pub(super) fn rarity(all: usize, with: usize) -> f32 {
    let (all, with) = (number(all), number(with));
    ((all - with + 0.5) / (with + 0.5) + 1.0).ln()
}

/// Each term once, with the sum of its weights, in ascending order.
fn merge(mut terms: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    terms.sort_by_key(|&(term, _)| term);
    terms.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    terms
}

fn first_words(text: &str) -> &str {
    let end = text.split_whitespace().nth(MOST_WORDS).map_or(text.len(), |word| {
        // Where the first word too many begins.
        word.as_ptr() as usize - text.as_ptr() as usize
    });
    &text[..end]
}

#[expect(clippy::cast_precision_loss, reason = "counts of words and texts, as Qdrant takes them")]
pub(super) const fn number(count: usize) -> f32 {
    count as f32
}
