//! A ranked list against graded ids: is what is relevant there, and at the top?
//!
//! Queries without an answer are no part of these averages; for them the one right answer is nothing, and that is a
//! figure of its own. What nobody judged counts as not relevant, and `judged@k` says how much of it there is.

use super::classification::one;
use super::figure::Found;
use super::run::{Seen, read};
use crate::evals::measure::Better::Higher;
use crate::evals::row::Observation;
use crate::evals::stats::real;

/// Ranks at which figures are taken where the suite names none.
pub(super) const RANKS: [u32; 4] = [1, 3, 5, 10];

/// Grades by rank, and grades of all that is relevant, best first.
#[derive(Clone, Copy)]
struct Answer<'a> {
    grades: &'a [Option<u8>],
    relevant: &'a [u8],
}

/// The figures of ranked lists.
pub(super) fn find(found: &mut Found, seen: &[Seen<&Observation>], ranks: &[u32]) {
    let lists = read(seen, |observation| match observation {
        Observation::Ranking { grades, relevant } => Some(Answer { grades, relevant }),
        _ => None,
    });
    let answers = read(&lists, |list| (!list.relevant.is_empty()).then_some(*list));
    let unanswerable = read(&lists, |list| list.relevant.is_empty().then_some(*list));
    for &k in if ranks.is_empty() { &RANKS[..] } else { ranks } {
        let at = usize::try_from(k).unwrap_or(usize::MAX).max(1);
        let mut share = |figure: &str, value: fn(&Answer<'_>, usize) -> f64| {
            found.share(&format!("{figure}@{k}"), Higher, &answers, |answer| value(answer, at));
        };
        share("recall", recall);
        share("precision", |answer, k| real(answer.hits(k)) / real(k));
        share("hit", |answer, k| one(answer.hits(k) > 0));
        share("ndcg", ndcg);
        share("judged", judged);
    }
    found.share("mrr", Higher, &answers, reciprocal_rank);
    found.share("map", Higher, &answers, average_precision);
    found.share("no_answer_clean", Higher, &unanswerable, |list| one(list.grades.is_empty()));
}

impl Answer<'_> {
    /// Whether what stands at each rank is relevant.
    fn relevance(&self) -> impl Iterator<Item = bool> {
        self.grades.iter().map(|grade| grade.is_some_and(|grade| grade > 0))
    }

    /// How many of the first `k` are relevant; never more than there are.
    fn hits(&self, k: usize) -> usize {
        self.relevance().take(k).filter(|relevant| *relevant).count().min(self.relevant.len())
    }
}

fn recall(answer: &Answer<'_>, k: usize) -> f64 {
    real(answer.hits(k)) / real(answer.relevant.len())
}

/// Of the first `k`, as far as there are any, those that somebody judged.
fn judged(answer: &Answer<'_>, k: usize) -> f64 {
    let shown = answer.grades.len().min(k);
    let judged = answer.grades.iter().take(k).flatten().count();
    if shown == 0 { 1.0 } else { real(judged) / real(shown) }
}

/// Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002), gain `2^grade − 1` as Burges et al. (2005).
fn ndcg(answer: &Answer<'_>, k: usize) -> f64 {
    let gain = |(rank, grade): (usize, u8)| (f64::from(grade).exp2() - 1.0) / (real(rank) + 2.0).log2();
    let ideal: f64 = answer.relevant.iter().copied().enumerate().take(k).map(gain).sum();
    let found: f64 = answer.grades.iter().map(|grade| grade.unwrap_or(0)).enumerate().take(k).map(gain).sum();
    if ideal > 0.0 { (found / ideal).min(1.0) } else { 0.0 }
}

fn reciprocal_rank(answer: &Answer<'_>) -> f64 {
    answer.relevance().position(|relevant| relevant).map_or(0.0, |rank| 1.0 / real(rank + 1))
}

/// The mean of the precisions at the ranks of what is relevant; what was not found has 0.
fn average_precision(answer: &Answer<'_>) -> f64 {
    let ranks = answer.relevance().enumerate().filter(|(_, relevant)| *relevant).take(answer.relevant.len());
    let precisions = ranks.zip(1usize..).map(|((rank, _), hits)| real(hits) / real(rank + 1));
    precisions.sum::<f64>() / real(answer.relevant.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{assert_values, measure, quick, rows, suite, with};
    use crate::evals::suite::MetricSettings;

    fn list(grades: &[Option<u8>], relevant: &[u8]) -> Observation {
        Observation::Ranking { grades: grades.into(), relevant: relevant.into() }
    }

    #[test]
    fn figures_by_hand() {
        let settings = MetricSettings { k: vec![1, 3, 5], ..MetricSettings::default() };
        let seen = list(&[Some(3), Some(0), None, Some(2), Some(1)], &[3, 2, 2, 1]);
        assert_values(
            &quick(&with(settings), &rows([seen])),
            &[
                ("m.recall@1", 0.25),
                ("m.recall@5", 0.75),
                ("m.precision@3", 1.0 / 3.0),
                ("m.precision@5", 0.6),
                ("m.hit@1", 1.0),
                ("m.judged@3", 2.0 / 3.0),
                ("m.judged@5", 0.8),
                ("m.mrr", 1.0),
                ("m.map", (1.0 + 2.0 / 4.0 + 3.0 / 5.0) / 4.0),
                ("m.ndcg@1", 1.0),
                ("m.ndcg@3", 0.673_543_918_229_978_5),
                ("m.ndcg@5", 0.801_857_984_010_038_6),
            ],
        );
    }

    #[test]
    fn queries_without_an_answer_stand_apart() {
        let seen = [list(&[None, Some(1)], &[1]), list(&[], &[]), list(&[None], &[]), list(&[], &[2])];
        let figures = quick(&suite(), &rows(seen));
        assert_values(&figures, &[("m.mrr", 0.25), ("m.no_answer_clean", 0.5), ("m.hit@10", 0.5), ("m.judged@1", 0.5)]);
        assert_eq!(measure(&figures, "m.mrr").scored, 2);
        assert_eq!(measure(&figures, "m.no_answer_clean").scored, 2);
        assert!(!quick(&suite(), &rows([list(&[Some(1)], &[1])])).all.contains_key("m.no_answer_clean"));
    }

    #[test]
    fn no_list_is_better_than_ideal() {
        // More at a rank than the query says there is: a fault of the dataset, not a figure above 1.
        let figures = quick(&suite(), &rows([list(&[Some(3), Some(3)], &[1])]));
        for (name, measure) in figures.all.iter().filter(|(name, _)| name.starts_with("m.")) {
            assert!((0.0..=1.0).contains(&measure.value), "{name} {}", measure.value);
        }
    }
}
