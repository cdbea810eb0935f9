//! Figures: how good a classifier is on labelled texts that it has not learned from.
//!
//! Accuracy, how much is abstained from, how right the answers then are, and how far confidence is from the truth;
//! for all samples and by group. Training depends on nothing here.

use std::collections::BTreeMap;
use std::fmt;

use super::{LinearClassifier, Settings};
use crate::model::{Prediction, TextClassifier};

/// A labelled text for measuring; figures are given by group, for example by language.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The text.
    pub text: &'a str,
    /// Its label.
    pub label: &'a str,
    /// Its group.
    pub group: &'a str,
}

/// How well answers fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// All samples together.
    pub all: Score,
    /// By group.
    pub groups: BTreeMap<String, Score>,
    /// Wrong answers: label, answer, how often; most frequent first.
    pub confusions: Vec<(String, String, usize)>,
}

/// Counts of one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Samples.
    pub samples: usize,
    /// Right, abstained from or not.
    pub right: usize,
    /// Not abstained from.
    pub answered: usize,
    /// Right among those answered.
    pub answered_right: usize,
    /// By tenth of confidence: samples, sum of confidence, right.
    bins: [(usize, f64, usize); 10],
}

impl Score {
    /// Share of samples whose most probable label is right.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        share(self.right, self.samples)
    }

    /// Share that is right among those not abstained from.
    #[must_use]
    pub fn answered_accuracy(&self) -> f64 {
        share(self.answered_right, self.answered)
    }

    /// Share abstained from.
    #[must_use]
    pub fn abstained(&self) -> f64 {
        share(self.samples - self.answered, self.samples)
    }

    /// Expected calibration error over ten bins of confidence.
    #[must_use]
    pub fn calibration_error(&self) -> f64 {
        let samples = self.samples.max(1) as f64;
        self.bins.iter().map(|(_, confidence, right)| (confidence - *right as f64).abs() / samples).sum()
    }

    fn add(&mut self, prediction: &Prediction, label: &str) {
        let right = prediction.label == label;
        self.samples += 1;
        self.right += usize::from(right);
        if !prediction.abstained {
            self.answered += 1;
            self.answered_right += usize::from(right);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a confidence is in 0–1")]
        let bin = &mut self.bins[((prediction.confidence * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += prediction.confidence;
        bin.2 += usize::from(right);
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<8} {:>8} {:>9} {:>10} {:>17} {:>6}",
            "group", "samples", "accuracy", "abstained", "answered accuracy", "ECE"
        )?;
        for (name, score) in self.groups.iter().map(|(name, score)| (name.as_str(), score)).chain([("all", &self.all)])
        {
            writeln!(
                f,
                "{name:<8} {:>8} {:>9.3} {:>10.3} {:>17.3} {:>6.3}",
                score.samples,
                score.accuracy(),
                score.abstained(),
                score.answered_accuracy(),
                score.calibration_error()
            )?;
        }
        Ok(())
    }
}

/// Measures a classifier on samples that it has not seen.
#[must_use]
pub fn evaluate(classifier: &dyn TextClassifier, samples: &[Sample<'_>]) -> Figures {
    let mut figures = Figures::default();
    let mut confusions = BTreeMap::new();
    for sample in samples {
        let prediction = classifier.predict(sample.text);
        figures.all.add(&prediction, sample.label);
        figures.groups.entry(sample.group.to_owned()).or_default().add(&prediction, sample.label);
        if prediction.label != sample.label {
            *confusions.entry((sample.label.to_owned(), prediction.label)).or_insert(0) += 1;
        }
    }
    figures.confusions = ordered(confusions);
    figures
}

/// Measures by cross-validation: each part is answered by a classifier that was trained and calibrated without it.
#[must_use]
pub fn cross_validate(samples: &[Sample<'_>], folds: usize, settings: &Settings) -> Figures {
    let folds = folds.max(2);
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let parts: Vec<usize> = samples
        .iter()
        .map(|sample| {
            let count = seen.entry((sample.label, sample.group)).or_insert(0);
            *count += 1;
            *count % folds
        })
        .collect();
    let mut sum = Figures::default();
    let mut confusions = BTreeMap::new();
    for part in 0..folds {
        let inside =
            samples.iter().zip(&parts).filter(|(_, own)| **own != part).map(|(sample, _)| (sample.text, sample.label));
        let classifier = LinearClassifier::train_with(inside, settings);
        let outside: Vec<Sample<'_>> =
            samples.iter().zip(&parts).filter(|(_, own)| **own == part).map(|(sample, _)| *sample).collect();
        let figures = evaluate(&classifier, &outside);
        sum.all.merge(&figures.all);
        for (group, score) in &figures.groups {
            sum.groups.entry(group.clone()).or_default().merge(score);
        }
        for (label, answer, count) in figures.confusions {
            *confusions.entry((label, answer)).or_insert(0) += count;
        }
    }
    sum.confusions = ordered(confusions);
    sum
}

fn ordered(confusions: BTreeMap<(String, String), usize>) -> Vec<(String, String, usize)> {
    let mut ordered: Vec<_> = confusions.into_iter().map(|((label, answer), count)| (label, answer, count)).collect();
    ordered.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    ordered
}

impl Score {
    fn merge(&mut self, other: &Self) {
        self.samples += other.samples;
        self.right += other.right;
        self.answered += other.answered;
        self.answered_right += other.answered_right;
        for (own, theirs) in self.bins.iter_mut().zip(other.bins) {
            *own = (own.0 + theirs.0, own.1 + theirs.1, own.2 + theirs.2);
        }
    }
}
