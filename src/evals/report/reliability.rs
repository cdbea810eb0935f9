//! What the charts of calibration draw: answers by how sure they were, in bins of equal numbers, and the error of the
//! surest answers by how many they are. Answers of equal confidence stay together.

use crate::evals::row::{Observation, Row};

/// Bins where the suite names no number.
const BINS: u32 = 10;

/// An answer: how sure, and whether it was right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answer {
    confidence: f64,
    right: bool,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// How many.
    pub(super) answers: usize,
    /// Of these, right ones.
    pub(super) right: usize,
    /// Mean confidence.
    pub(super) confidence: f64,
    /// Share of right ones.
    pub(super) accuracy: f64,
}

/// The surest answers up to one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// Their share of all.
    pub(super) coverage: f64,
    /// The share of wrong ones among them.
    pub(super) risk: f64,
}

/// The answers under a metric, surest first; empty where it is none of confidence.
pub(super) fn answers(rows: &[Row], metric: &str) -> Vec<Answer> {
    let seen = rows.iter().filter_map(|row| match row.scores.get(metric)?.observation {
        Observation::Confidence { confidence, correct, .. } if (0.0..=1.0).contains(&confidence) => {
            Some(Answer { confidence, right: correct })
        }
        _ => None,
    });
    let mut answers: Vec<Answer> = seen.collect();
    answers.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    answers
}

/// Where a group of answers of equal confidence ends.
fn ends(answers: &[Answer]) -> impl Iterator<Item = usize> {
    answers.chunk_by(|a, b| a.confidence.total_cmp(&b.confidence).is_eq()).scan(0, |end, group| {
        *end += group.len();
        Some(*end)
    })
}

/// The answers in bins, least sure first.
pub(super) fn bins(answers: &[Answer], bins: Option<u32>) -> Vec<Bin> {
    let size = answers.len().div_ceil(bins.unwrap_or(BINS).max(1) as usize);
    let (mut begin, mut found) = (0, Vec::new());
    for end in ends(answers) {
        if end - begin >= size || end == answers.len() {
            found.push(bin(&answers[begin..end]));
            begin = end;
        }
    }
    found.reverse();
    found
}

#[expect(clippy::cast_precision_loss, reason = "answers of a run, far below 2^52")]
fn bin(answers: &[Answer]) -> Bin {
    let (all, right) = (answers.len(), answers.iter().filter(|answer| answer.right).count());
    Bin {
        answers: all,
        right,
        confidence: answers.iter().map(|answer| answer.confidence).sum::<f64>() / all as f64,
        accuracy: right as f64 / all as f64,
    }
}

/// Risk by coverage, from the surest answers to all of them.
#[expect(clippy::cast_precision_loss, reason = "answers of a run, far below 2^52")]
pub(super) fn risk_coverage(answers: &[Answer]) -> Vec<Step> {
    let (mut begin, mut wrong) = (0, 0);
    ends(answers)
        .map(|end| {
            wrong += answers[begin..end].iter().filter(|answer| !answer.right).count();
            begin = end;
            Step { coverage: end as f64 / answers.len() as f64, risk: wrong as f64 / end as f64 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seen: &[(f64, bool)]) -> Vec<Answer> {
        seen.iter().map(|&(confidence, right)| Answer { confidence, right }).collect()
    }

    #[test]
    fn equal_confidence_stays_together() {
        let answers = of(&[(0.9, true), (0.9, true), (0.9, false), (0.5, true), (0.4, false)]);
        let found: Vec<(usize, usize)> = bins(&answers, Some(5)).iter().map(|bin| (bin.answers, bin.right)).collect();
        assert_eq!(found, [(1, 0), (1, 1), (3, 2)]);
        let curve = risk_coverage(&answers);
        assert_eq!(curve.len(), 3);
        assert_eq!(curve[0], Step { coverage: 0.6, risk: 1.0 / 3.0 });
        assert_eq!(curve[2], Step { coverage: 1.0, risk: 0.4 });
    }

    #[test]
    fn without_answers_there_is_nothing() {
        assert!(bins(&[], None).is_empty() && risk_coverage(&[]).is_empty());
    }
}
