//! The offline engine's classifier: linear, one against the rest, on hashed n-grams.
//!
//! Trained from labelled examples alone, in seconds, the same on every machine: L2-loss linear SVM by dual
//! coordinate descent in a fixed order. Probabilities are calibrated, and the threshold for abstaining chosen, on
//! examples that were held out. A trained model can be cached as bytes; a damaged cache is refused.
#![expect(clippy::cast_precision_loss, reason = "counts of words and examples are far below 2^23")]

mod calibration;
mod corpus;
mod figures;
mod file;
mod linear;

use std::collections::BTreeMap;
use std::fmt;

use self::calibration::{best, calibrate, choose_threshold, probabilities};
use self::corpus::{Corpus, beginning, counted, weigh};
pub use self::figures::{Figures, Sample, Score, cross_validate, evaluate};
pub use self::file::DamagedModel;
use self::linear::Linear;
use super::{Prediction, TextClassifier};
use crate::cases::WeighedFeature;
use crate::text::{Family, Feature, Token, ngrams, tokens};

/// Changes whenever the same examples would give another model.
const VERSION: &str = "linear-1";
/// Most words named as reasons.
const REASONS: usize = 6;

/// What training may vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Cost of an error against the size of the weights.
    pub cost: f32,
    /// Most passes over the examples.
    pub epochs: usize,
    /// Parts into which examples are split for calibration.
    pub folds: usize,
    /// Share of answers that should be right when the model does not abstain; decides the threshold.
    pub wanted: f64,
    /// Largest share of held-out examples that may be abstained from.
    pub abstain: f64,
    /// Features that occur in fewer examples are left out.
    pub occurrences: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cost: 1.0, epochs: 4, folds: 3, wanted: 0.85, abstain: 0.5, occurrences: 1 }
    }
}

/// A trained linear classifier.
#[derive(Clone, PartialEq)]
pub struct LinearClassifier {
    labels: Vec<String>,
    /// Row of a bucket's weights plus one; 0: never seen.
    rows: Vec<u32>,
    /// Inverse document frequency by row.
    rarity: Vec<f32>,
    linear: Linear,
    /// What scores are multiplied with before they become probabilities.
    sharpness: f64,
    threshold: f64,
    hash: String,
}

impl fmt::Debug for LinearClassifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinearClassifier")
            .field("labels", &self.labels.len())
            .field("features", &self.rarity.len())
            .field("sharpness", &self.sharpness)
            .field("threshold", &self.threshold)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl LinearClassifier {
    /// Trains on labelled texts; deterministic. Without examples it abstains from everything.
    #[must_use]
    pub fn train<'a>(examples: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self::train_with(examples, &Settings::default())
    }

    /// The same with other settings.
    #[must_use]
    pub fn train_with<'a>(examples: impl Iterator<Item = (&'a str, &'a str)>, settings: &Settings) -> Self {
        let corpus = Corpus::read(examples, settings);
        let all: Vec<usize> = (0..corpus.len()).collect();
        let (rows, rarity, linear, _) = corpus.fit(&all, settings);
        // Too few examples say nothing about certainty: abstain from all but the plain cases.
        let (mut sharpness, mut threshold) = (2.0, 0.5);
        if settings.folds > 1 && corpus.len() >= settings.folds * 5 && corpus.labels.len() > 1 {
            let scores = corpus.held_out(settings);
            sharpness = calibrate(&scores, &corpus.label);
            threshold = choose_threshold(&scores, &corpus.label, sharpness, settings);
        }
        Self { labels: corpus.labels, rows, rarity, linear, sharpness, threshold, hash: corpus.hash }
    }

    /// The labels it knows, sorted.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    fn vector(&self, features: &[Feature]) -> Vec<(u32, f32)> {
        let (counts, edge) = counted(features);
        let mut vector = Vec::with_capacity(counts.len());
        weigh(&counts, edge, &self.rows, &self.rarity, &mut vector);
        vector
    }

    /// What each word and pair of words gave to `label` over `other`, as the words stood in the text.
    fn reasons(
        &self,
        text: &str,
        words: &[Token],
        features: &[Feature],
        label: usize,
        other: usize,
    ) -> Vec<WeighedFeature> {
        let vector: BTreeMap<u32, f32> =
            self.vector(features).into_iter().fold(BTreeMap::new(), |mut sum, (row, value)| {
                *sum.entry(row).or_default() += value;
                sum
            });
        let mut occurrences: BTreeMap<u32, f32> = BTreeMap::new();
        for feature in features {
            if let Some(row) = self.rows[feature.bucket as usize].checked_sub(1) {
                *occurrences.entry(row).or_default() += 1.0;
            }
        }
        let mut single = vec![0.0f32; words.len()];
        let mut pairs = vec![0.0f32; words.len()];
        for feature in features {
            let Some(row) = self.rows[feature.bucket as usize].checked_sub(1) else { continue };
            let weights = &self.linear.weights[row as usize * self.linear.width..][..self.linear.width];
            let share = vector.get(&row).copied().unwrap_or(0.0) / occurrences.get(&row).copied().unwrap_or(1.0);
            let gain = share * (weights[label] - weights[other]);
            let word = feature.word as usize;
            if feature.family == Family::Pair { pairs[word] += gain } else { single[word] += gain }
        }
        // A word that stands several times is one reason.
        let mut gains: BTreeMap<(&str, &str), (f32, usize, usize)> = BTreeMap::new();
        for (at, word) in words.iter().enumerate() {
            let entry = gains.entry((word.word.as_str(), "")).or_insert((0.0, word.start, word.end));
            entry.0 += single[at];
            if let Some(next) = words.get(at + 1) {
                let entry =
                    gains.entry((word.word.as_str(), next.word.as_str())).or_insert((0.0, word.start, next.end));
                entry.0 += pairs[at];
            }
        }
        let mut reasons: Vec<(f32, usize, usize)> = gains.into_values().filter(|(gain, ..)| *gain > 0.0).collect();
        reasons.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        reasons.truncate(REASONS);
        reasons
            .into_iter()
            .map(|(gain, start, end)| WeighedFeature {
                text: text[start..end].to_owned(),
                weight: f64::from((gain * 10_000.0).round()) / 10_000.0,
            })
            .collect()
    }
}

impl TextClassifier for LinearClassifier {
    fn predict(&self, text: &str) -> Prediction {
        let text = beginning(text);
        let words = tokens(text);
        let features = ngrams(&words);
        let vector = self.vector(&features);
        if vector.is_empty() || self.labels.is_empty() {
            return Prediction {
                label: String::new(),
                confidence: 0.0,
                threshold: self.threshold,
                abstained: true,
                runner_up: None,
                features: Vec::new(),
            };
        }
        let mut scores = vec![0.0; self.linear.width];
        self.linear.scores(&vector, &mut scores);
        scores.truncate(self.labels.len());
        let mut chances = probabilities(&scores, self.sharpness);
        let (label, confidence) = best(&chances);
        chances[label] = -1.0;
        let second = (self.labels.len() > 1).then(|| best(&chances));
        Prediction {
            label: self.labels[label].clone(),
            confidence,
            threshold: self.threshold,
            abstained: confidence < self.threshold,
            runner_up: second.map(|(other, chance)| (self.labels[other].clone(), chance)),
            features: self.reasons(text, &words, &features, label, second.map_or(label, |(other, _)| other)),
        }
    }

    fn hash(&self) -> &str {
        &self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: &[(&str, &str)] = &[
        ("iso kuoppa tiessä", "RD1"),
        ("kuoppia asfaltissa", "RD1"),
        ("monttu kadulla, kuoppa syvä", "RD1"),
        ("stor grop i vägen", "RD1"),
        ("gropar i asfalten", "RD1"),
        ("katuvalo pimeänä", "LI1"),
        ("lamppu ei pala kadulla", "LI1"),
        ("katuvalon lamppu rikki", "LI1"),
        ("gatlampan är släckt", "LI1"),
        ("lampan på gatan lyser inte", "LI1"),
        ("roskis täynnä", "CL2"),
        ("roska-astia pursuaa", "CL2"),
        ("täysi roskakori puistossa", "CL2"),
        ("soptunnan är full", "CL2"),
        ("full papperskorg i parken", "CL2"),
    ];

    pub(super) fn trained() -> LinearClassifier {
        LinearClassifier::train(EXAMPLES.iter().copied())
    }

    #[test]
    fn it_learns_and_says_why() {
        let prediction = trained().predict("Hei! Meidän kadulla on syvä KUOPPA, korjatkaa.");
        assert_eq!(prediction.label, "RD1");
        assert!(prediction.features.iter().any(|feature| feature.text == "KUOPPA"), "{prediction:?}");
        assert!(prediction.runner_up.is_some_and(|(label, chance)| label != "RD1" && chance < prediction.confidence));
    }

    #[test]
    fn training_is_deterministic_and_the_hash_tells_examples_apart() {
        assert_eq!(trained(), trained());
        let fewer = LinearClassifier::train(EXAMPLES.iter().copied().skip(1));
        assert_ne!(fewer.hash(), trained().hash());
    }

    #[test]
    fn what_it_knows_nothing_about_it_abstains_from() {
        assert!(LinearClassifier::train(std::iter::empty()).predict("kuoppa").abstained);
        assert!(LinearClassifier::train([("kuoppa", "RD1")].into_iter()).predict("").abstained);
        for text in ["", "  ", "😀", "???", "中文"] {
            assert!(trained().predict(text).abstained, "{text}");
        }
    }

    #[test]
    fn a_huge_text_is_read_in_part_and_does_not_panic() {
        let classifier = trained();
        for text in ["kuoppa ".repeat(200_000), "ä".repeat(1_000_000), "\u{1f600}".repeat(100_000)] {
            let prediction = classifier.predict(&text);
            assert!(prediction.confidence.is_finite());
        }
    }
}
