//! The examples: from texts to counted features, from counts to vectors weighed by rarity.
//!
//! A text is read once and counted once; rarity is reckoned anew for each choice of examples, so that a model that
//! is held against some of them has learned nothing from those.

use sha2::{Digest, Sha256};

use super::linear::{Linear, Vectors};
use super::{Settings, VERSION};
use crate::cases::hex;
use crate::text::{BUCKETS, Family, Feature, ngrams, tokens};

/// Longest text that is read, in bytes: what a message is about stands at its beginning.
const READ: usize = 20_000;

/// Counted features of a text: words and pairs first, characters behind, each sorted by bucket.
pub(super) fn counted(features: &[Feature]) -> (Vec<(u32, f32)>, usize) {
    let mut words: Vec<u32> = Vec::new();
    let mut characters: Vec<u32> = Vec::with_capacity(features.len());
    for feature in features {
        match feature.family {
            Family::Characters => characters.push(feature.bucket),
            Family::Word | Family::Pair => words.push(feature.bucket),
        }
    }
    let mut counts = Vec::with_capacity(features.len());
    let mut edge = 0;
    for family in [&mut words, &mut characters] {
        edge = counts.len();
        family.sort_unstable();
        for run in family.chunk_by(|a, b| a == b) {
            counts.push((run[0], run.len() as f32));
        }
    }
    (counts, edge)
}

/// Sublinear term frequency × rarity; words and characters brought to length one apart from each other, so that a long
/// word does not drown the words.
pub(super) fn weigh(counts: &[(u32, f32)], edge: usize, rows: &[u32], rarity: &[f32], out: &mut Vec<(u32, f32)>) {
    for family in [&counts[..edge], &counts[edge..]] {
        let from = out.len();
        let mut norm = 0.0f32;
        for &(bucket, count) in family {
            let Some(row) = rows[bucket as usize].checked_sub(1) else { continue };
            let value = (1.0 + count.ln()) * rarity[row as usize];
            norm += value * value;
            out.push((row, value));
        }
        let norm = norm.sqrt();
        for (_, value) in &mut out[from..] {
            *value /= norm;
        }
    }
}

/// Texts with their labels, read once.
pub(super) struct Corpus {
    pub(super) labels: Vec<String>,
    pub(super) label: Vec<usize>,
    counts: Vec<(Vec<(u32, f32)>, usize)>,
    pub(super) hash: String,
}

impl Corpus {
    pub(super) fn read<'a>(examples: impl Iterator<Item = (&'a str, &'a str)>, settings: &Settings) -> Self {
        let mut hash = Sha256::new();
        hash.update(VERSION);
        hash.update(format!("{settings:?}"));
        let mut unique = std::collections::BTreeSet::new();
        let examples: Vec<(&str, &str)> =
            examples.filter(|(text, label)| !text.trim().is_empty() && unique.insert((*text, *label))).collect();
        let mut labels: Vec<String> = examples.iter().map(|(_, label)| (*label).to_owned()).collect();
        labels.sort();
        labels.dedup();
        let mut label = Vec::with_capacity(examples.len());
        let mut counts = Vec::with_capacity(examples.len());
        for (text, name) in examples {
            for part in [text, name] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
            label.push(labels.binary_search_by(|known| known.as_str().cmp(name)).unwrap_or(0));
            counts.push(counted(&ngrams(&tokens(beginning(text)))));
        }
        Self { labels, label, counts, hash: hex(&hash.finalize()) }
    }

    pub(super) fn len(&self) -> usize {
        self.label.len()
    }

    /// Which part each example falls into: within a label, turn by turn.
    fn folds(&self, folds: usize) -> Vec<usize> {
        let mut seen = vec![0usize; self.labels.len()];
        self.label
            .iter()
            .map(|&label| {
                seen[label] += 1;
                // A label's first example goes where its number says: small labels do not all fall into part 0.
                (seen[label] + label) % folds
            })
            .collect()
    }

    /// Trains on the chosen examples.
    pub(super) fn fit(&self, chosen: &[usize], settings: &Settings) -> (Vec<u32>, Vec<f32>, Linear, Vectors) {
        let mut frequency = vec![0u32; BUCKETS as usize];
        for &example in chosen {
            for &(bucket, _) in &self.counts[example].0 {
                frequency[bucket as usize] += 1;
            }
        }
        let mut rows = vec![0u32; BUCKETS as usize];
        let mut rarity = Vec::new();
        let total = chosen.len() as f32;
        for (bucket, &count) in frequency.iter().enumerate() {
            if count >= settings.occurrences.max(1) {
                rarity.push(((1.0 + total) / (1.0 + count as f32)).ln() + 1.0);
                rows[bucket] = u32::try_from(rarity.len()).unwrap_or(u32::MAX);
            }
        }
        let mut vectors = Vectors::default();
        for (counts, edge) in &self.counts {
            weigh(counts, *edge, &rows, &rarity, &mut vectors.items);
            vectors.ends.push(vectors.items.len());
        }
        let linear = Linear::train(&vectors, &self.label, chosen, self.labels.len(), rarity.len(), settings);
        (rows, rarity, linear, vectors)
    }

    /// Scores of every example by a model that has not seen it, from `folds` models trained side by side.
    pub(super) fn held_out(&self, settings: &Settings) -> Vec<Vec<f32>> {
        let parts = self.folds(settings.folds);
        let mut scores = vec![Vec::new(); self.len()];
        let results: Vec<Vec<(usize, Vec<f32>)>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..settings.folds)
                .map(|part| {
                    let parts = &parts;
                    scope.spawn(move || {
                        let (inside, outside): (Vec<usize>, Vec<usize>) =
                            (0..self.len()).partition(|&example| parts[example] != part);
                        let (_, _, linear, vectors) = self.fit(&inside, settings);
                        outside
                            .into_iter()
                            .map(|example| {
                                let mut scores = vec![0.0; linear.width];
                                linear.scores(vectors.get(example), &mut scores);
                                scores.truncate(self.labels.len());
                                (example, scores)
                            })
                            .collect()
                    })
                })
                .collect();
            // A part that could not be trained is left uncalibrated rather than taken for calibrated.
            handles.into_iter().map(|handle| handle.join().unwrap_or_default()).collect()
        });
        for (example, own) in results.into_iter().flatten() {
            scores[example] = own;
        }
        scores
    }
}

/// The part of a text that is read.
pub(super) fn beginning(text: &str) -> &str {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
