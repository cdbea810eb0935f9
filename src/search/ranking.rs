//! The order of answers: the same code behind both backends.
//!
//! Two backends add the same numbers up in another sequence and differ in the last digits. Scores that close are a tie,
//! and ties stand in the order of the passages, so that both give the same order. A section comes up once, by its best part.
//!
//! With dense vectors the words lead: the score is the lexical one as a share of the best, plus [`DENSE`] times the same
//! of the cosine. A rank fusion would let a weak ranker undo a strong one (measured: the reason for this one).

use std::collections::{BTreeMap, BTreeSet};

use super::passages::Passages;
use super::{Passage, Query};
use crate::cases::SectionRef;

/// How near two scores are that count as equal. Scores are below 30, single precision.
pub(super) const TIE: f32 = 1e-5;

/// How much the best dense answer adds beside the best lexical one.
const DENSE: f32 = 0.3;

/// How many sections each leg brings at least, however few are asked for: both must see what the other found.
const DEPTH: usize = 50;

/// A part and how well it answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    /// Which part, by its place in [`Passages::parts`].
    pub part: usize,
    /// Larger is better.
    pub score: f32,
}

/// What one way of asking found: the best parts, each section once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Leg(Vec<Hit>);

impl Leg {
    /// The best sections of all that was found, and whatever ties with the last of them.
    /// `complete` says that nothing more can be found; otherwise none comes back where more must be asked for to be sure.
    pub fn of(passages: &Passages, hits: Vec<Hit>, limit: usize, complete: bool) -> Option<Self> {
        let depth = DEPTH.max(limit);
        let weakest = hits.iter().map(|hit| hit.score).fold(f32::INFINITY, f32::min);
        let mut seen = BTreeSet::new();
        let mut best = Vec::new();
        for hit in in_order(hits) {
            if seen.insert(&passages.parts()[hit.part].section) {
                best.push(hit);
            }
        }
        if let Some(last) = best.get(depth - 1).map(|hit| hit.score) {
            best.retain(|hit| hit.score >= last - TIE);
            (complete || last - TIE > weakest).then_some(Self(best))
        } else {
            complete.then_some(Self(best))
        }
    }

    fn best_score(&self) -> f32 {
        self.0.first().map_or(0.0, |hit| hit.score)
    }
}

/// The passages that answer best.
pub(super) fn rank(passages: &Passages, query: &Query, lexical: &Leg, dense: Option<&Leg>) -> Vec<Passage> {
    let ranked = match dense {
        None => lexical.0.clone(),
        Some(dense) => fuse(passages, lexical, dense),
    };
    ranked.iter().take(query.limit).map(|hit| passages.parts()[hit.part].passage(f64::from(hit.score))).collect()
}

/// Both legs in one; the part that is shown is the one whose words answer best.
fn fuse(passages: &Passages, lexical: &Leg, dense: &Leg) -> Vec<Hit> {
    let mut sections: BTreeMap<&SectionRef, Hit> = BTreeMap::new();
    for (leg, weight) in [(lexical, 1.0), (dense, DENSE)] {
        let best = leg.best_score();
        for hit in leg.0.iter().filter(|hit| hit.score > 0.0) {
            let score = weight * hit.score / best;
            sections
                .entry(&passages.parts()[hit.part].section)
                .and_modify(|found| found.score += score)
                .or_insert(Hit { score, ..*hit });
        }
    }
    in_order(sections.into_values().collect())
}

/// Best first; those as good as the first of their group in the order of the passages.
fn in_order(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.part.cmp(&b.part)));
    let mut from = 0;
    while let Some(first) = hits.get(from).copied() {
        let group = hits[from..].partition_point(|hit| hit.score >= first.score - TIE);
        let to = from + group.max(1);
        hits[from..to].sort_by_key(|hit| hit.part);
        from = to;
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(scores: &[f32]) -> Vec<Hit> {
        scores.iter().enumerate().map(|(part, &score)| Hit { part, score }).collect()
    }

    #[test]
    fn nearly_equal_scores_stand_in_the_order_of_the_passages() {
        let order = |scores: &[f32]| in_order(hits(scores)).iter().map(|hit| hit.part).collect::<Vec<_>>();
        assert_eq!(order(&[1.0, 2.0, 1.5]), [1, 2, 0]);
        assert_eq!(order(&[1.0, 1.000_001, 0.999_999]), [0, 1, 2]);
        assert_eq!(order(&[1.0, 1.000_1]), [1, 0]);
        assert_eq!(order(&[]), [0; 0]);
    }
}
