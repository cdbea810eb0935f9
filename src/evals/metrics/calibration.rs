//! How far confidence can be trusted, and from which confidence on a person need not look.
//!
//! What the target would have said counts where it declined to answer, too: the threshold from which on it answers is
//! what these figures help to choose. Answers of equal confidence are never put in an order among themselves. The charts of
//! reports draw what the figures are made of: the same bins, the same curve.

use std::collections::BTreeMap;

use super::classification::{divided, one};
use super::figure::{Found, Statistic};
use super::run::{Cases, Run, Seen, read};
use crate::evals::measure::Better::{self, Higher, Lower};
use crate::evals::row::{Observation, Row};
use crate::evals::stats::mean::clustered;
use crate::evals::stats::{Interval, Level, real};
use crate::evals::suite::{MetricSettings, Suite};

/// Bins of the calibration error.
const BINS: u32 = 10;

/// The most that confidence is believed in the logarithmic loss, which has no end otherwise.
const SUREST: f64 = 1.0 - 1e-15;

/// How many coverages are tried on the way to the operating point.
const STEPS: usize = 100;

/// The figures of confidence.
pub(super) fn find(found: &mut Found, cases: &Cases<'_, &Observation>, settings: &MetricSettings) {
    let seen = confidences(cases);
    if seen.is_empty() {
        return;
    }
    found.share("brier", Lower, &seen, |(confidence, right)| (confidence - right).powi(2));
    found.mean("log_loss", Lower, &seen, |(confidence, right)| {
        let believed = if *right > 0.0 { *confidence } else { 1.0 - confidence };
        -believed.clamp(1.0 - SUREST, SUREST).ln()
    });
    if let Some(most) = settings.max_error {
        let (coverage, error) = operating_point(&reduced(&seen), &cases.clusters, most);
        found.plain("coverage_at", Higher, coverage);
        if let Some(error) = error {
            found.plain("error_at", Lower, error);
        }
    }
    found.statistic("", Curves { answers: answers(&seen), bins: number_of_bins(settings) });
}

/// How sure the target was, and whether it was right: 1 or 0.
fn confidences(cases: &Cases<'_, &Observation>) -> Vec<Seen<(f64, f64)>> {
    read(&cases.seen, |observation| match observation {
        Observation::Confidence { confidence, correct, .. } if (0.0..=1.0).contains(confidence) => {
            Some((*confidence, one(*correct)))
        }
        _ => None,
    })
}

fn number_of_bins(settings: &MetricSettings) -> f64 {
    f64::from(settings.bins.unwrap_or(BINS).max(1))
}

/// What the charts of a metric of confidence draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    /// The bins of the calibration error, least sure first.
    pub bins: Vec<Bin>,
    /// Risk by coverage, from the surest answers to all of them.
    pub steps: Vec<Step>,
}

/// Answers of about the same confidence. Repetitions of a case weigh 1 together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Cases that have an answer here.
    pub cases: usize,
    /// Their share of all.
    pub share: f64,
    /// Mean confidence.
    pub confidence: f64,
    /// Share of right ones.
    pub accuracy: f64,
    /// Its 95 % bounds, by case and cluster (Wilson).
    pub bounds: Option<Interval>,
}

/// The surest answers up to one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Their share of all.
    pub coverage: f64,
    /// The share of wrong ones among them.
    pub risk: f64,
}

/// What the charts of a metric draw; none where it is none of confidence.
#[must_use]
pub fn reliability(suite: &Suite, rows: &[Row], metric: &str) -> Option<Reliability> {
    let run = Run::of(rows);
    let cases = run.observed(metric);
    let answers = answers(&confidences(&cases));
    let all: f64 = answers.iter().map(|answer| answer.weight).sum();
    let settings = suite.metrics.get(metric).cloned().unwrap_or_default();
    let bins = bins(&answers, number_of_bins(&settings), |answer| answer.weight);
    let bins = bins.into_iter().map(|answers| bin(answers, &cases.clusters, all)).collect();
    (!answers.is_empty()).then(|| Reliability { bins, steps: steps(&answers, all) })
}

fn bin(answers: &[Answer], clusters: &[&str], all: f64) -> Bin {
    let sum = |of: fn(&Answer) -> f64| answers.iter().map(|answer| answer.weight * of(answer)).sum::<f64>();
    let weight = sum(|_| 1.0);
    let mut by_case: BTreeMap<usize, (usize, f64, f64)> = BTreeMap::new();
    for answer in answers {
        let (_, right, epochs) = by_case.entry(answer.case).or_insert((answer.cluster, 0.0, 0.0));
        *right += answer.right;
        *epochs += 1.0;
    }
    let right: Vec<(f64, &str)> =
        by_case.values().map(|(cluster, right, epochs)| (right / epochs, clusters[*cluster])).collect();
    let estimate = clustered(&right, Some(Interval::SHARE));
    Bin {
        cases: by_case.len(),
        share: weight / all,
        confidence: sum(|answer| answer.confidence) / weight,
        accuracy: sum(|answer| answer.right) / weight,
        bounds: estimate.and_then(|estimate| estimate.wilson(Level::TWO_SIDED_95)),
    }
}

fn steps(answers: &[Answer], all: f64) -> Vec<Step> {
    let taken = groups(answers).rev().scan((0.0, 0.0), |(weight, wrong), group| {
        *weight += group.iter().map(|answer| answer.weight).sum::<f64>();
        *wrong += group.iter().map(|answer| answer.weight * (1.0 - answer.right)).sum::<f64>();
        Some(Step { coverage: *weight / all, risk: *wrong / *weight })
    });
    taken.collect()
}

/// An answer; epochs of a case weigh 1 together.
#[derive(Debug)]
struct Answer {
    case: usize,
    cluster: usize,
    confidence: f64,
    right: f64,
    weight: f64,
}

/// The answers, least confident first.
fn answers(seen: &[Seen<(f64, f64)>]) -> Vec<Answer> {
    let answers = |seen: &Seen<(f64, f64)>| {
        let answer = |(&(confidence, right), weight): (&(f64, f64), f64)| Answer {
            case: seen.case,
            cluster: seen.cluster,
            confidence,
            right,
            weight,
        };
        seen.weighed().map(answer).collect::<Vec<_>>()
    };
    let mut answers: Vec<Answer> = seen.iter().flat_map(answers).collect();
    answers.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    answers
}

/// The cases, least confident first: of each its mean confidence and how often it was right.
fn reduced(seen: &[Seen<(f64, f64)>]) -> Vec<Answer> {
    let mean = |seen: &Seen<(f64, f64)>, of: fn(&(f64, f64)) -> f64| {
        seen.weighed().map(|(epoch, weight)| weight * of(epoch)).sum::<f64>()
    };
    let case = |seen: &Seen<(f64, f64)>| Answer {
        case: seen.case,
        cluster: seen.cluster,
        // Sums of weights are exact up to rounding.
        confidence: mean(seen, |(confidence, _)| *confidence),
        right: mean(seen, |(_, right)| *right).clamp(0.0, 1.0),
        weight: 1.0,
    };
    let mut cases: Vec<Answer> = seen.iter().map(case).collect();
    cases.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    cases
}

/// Answers of equal confidence together, least confident first.
fn groups(answers: &[Answer]) -> impl DoubleEndedIterator<Item = &[Answer]> {
    answers.chunk_by(|a, b| a.confidence.total_cmp(&b.confidence).is_eq())
}

/// The answers in bins of equal weight. A group of equal confidence goes into the bin where it begins, all of it.
fn bins(answers: &[Answer], bins: f64, weight: impl Fn(&Answer) -> f64) -> Vec<&[Answer]> {
    let width = answers.iter().map(&weight).sum::<f64>() / bins;
    let (mut found, mut begin, mut end, mut before, mut edge) = (Vec::new(), 0, 0, 0.0, width);
    for group in groups(answers) {
        // Rounding must not put a group one bin short.
        if before >= edge - 1e-9 {
            found.push(&answers[begin..end]);
            begin = end;
            edge = ((before + 1e-9) / width).floor() * width + width;
        }
        end += group.len();
        before += group.iter().map(&weight).sum::<f64>();
    }
    found.push(&answers[begin..end]);
    found.retain(|bin| !bin.is_empty());
    found
}

/// The largest share of cases, most confident first, whose error is surely (95 %, Clopper and Pearson) at most `most`,
/// and their error. Several shares are looked at, largest first, so a lucky one near the top may pass.
fn operating_point(answers: &[Answer], clusters: &[&str], most: f64) -> (f64, Option<f64>) {
    let mut ends: Vec<usize> = Vec::new();
    let mut taken = 0;
    for group in groups(answers).rev() {
        taken += group.len();
        let step = |end: usize| end * STEPS / answers.len();
        if ends.last().is_some_and(|last| step(*last) == step(taken)) {
            ends.pop();
        }
        ends.push(taken);
    }
    let errors: Vec<(f64, &str)> =
        answers.iter().rev().map(|answer| (1.0 - answer.right, clusters[answer.cluster])).collect();
    for end in ends.into_iter().rev() {
        let error = clustered(&errors[..end], Some(Interval::SHARE));
        let surely = error.and_then(|error| error.clopper_pearson(Level::ONE_SIDED_95));
        if surely.is_some_and(|bounds| bounds.high <= most) {
            return (real(end) / real(answers.len()), error.map(|error| error.mean));
        }
    }
    (0.0, None)
}

/// Calibration error in bins of equal mass (Naeini, Cooper and Hauskrecht 2015) and the area under the risk–coverage
/// curve (Geifman and El-Yaniv 2017).
struct Curves {
    /// Least confident first.
    answers: Vec<Answer>,
    bins: f64,
}

impl Statistic for Curves {
    fn names(&self) -> Vec<(String, Better)> {
        vec![("ece".to_owned(), Lower), ("aurc".to_owned(), Lower)]
    }

    fn values(&self, counts: &[u32], out: &mut [Option<f64>]) {
        let weight = |answer: &Answer| f64::from(counts[answer.cluster]) * answer.weight;
        let all: f64 = self.answers.iter().map(weight).sum();
        out.copy_from_slice(&[divided(self.gaps(weight), all), divided(self.risks(counts), all)]);
    }
}

impl Curves {
    /// The distance between confidence and share of right answers, over bins, by weight.
    fn gaps(&self, weight: impl Fn(&Answer) -> f64) -> f64 {
        let gap = |answer: &Answer| weight(answer) * (answer.confidence - answer.right);
        bins(&self.answers, self.bins, &weight).into_iter().map(|bin| bin.iter().map(gap).sum::<f64>().abs()).sum()
    }

    /// The error of the answers so far, summed over answers, most confident first. Within a group errors come evenly.
    fn risks(&self, counts: &[u32]) -> f64 {
        let (mut risks, mut before, mut wrong) = (0.0, 0.0, 0.0);
        for group in groups(&self.answers).rev() {
            let times = |answer: &Answer| f64::from(counts[answer.cluster]) * answer.weight;
            let size: f64 = group.iter().map(times).sum();
            let wrong_here: f64 = group.iter().map(|answer| times(answer) * (1.0 - answer.right)).sum();
            let error = if size > 0.0 { wrong_here / size } else { 0.0 };
            let mut taken = 0.0;
            for answer in group {
                for _ in 0..counts[answer.cluster] {
                    taken += answer.weight;
                    risks += answer.weight * (wrong + error * taken) / (before + taken);
                }
            }
            before += size;
            wrong += wrong_here;
        }
        risks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{assert_values, measure, quick, row, rows, suite, with};

    fn sure(confidence: f64, correct: bool) -> Observation {
        Observation::Confidence { confidence, correct, abstained: false }
    }

    #[test]
    fn figures_are_those_of_scikit_learn_and_numpy() {
        let confidence = [
            0.551, 0.708, 0.291, 0.511, 0.893, 0.896, 0.126, 0.207, 0.051, 0.441, 0.03, 0.457, 0.649, 0.278, 0.676,
            0.591, 0.024, 0.559, 0.259, 0.415,
        ];
        let right = [1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 1];
        let seen = confidence.into_iter().zip(right).map(|(confidence, right)| sure(confidence, right == 1));
        assert_values(
            &quick(&suite(), &rows(seen)),
            &[
                ("m.brier", 0.123_679_65),
                ("m.log_loss", 0.394_829_782_240_967),
                ("m.ece", 0.169_95),
                ("m.aurc", 0.250_880_069_148_258),
            ],
        );
    }

    #[test]
    fn equal_confidence_has_no_order() {
        let seen = [true, false, true, false].map(|right| sure(0.75, right));
        let mut back = seen.clone();
        back.reverse();
        for seen in [seen, back] {
            // The error is one half after each answer; all are one bin.
            assert_values(&quick(&suite(), &rows(seen)), &[("m.aurc", 0.5), ("m.ece", 0.25)]);
        }
    }

    #[test]
    fn certainty_that_is_wrong_costs_much_and_not_endlessly() {
        let figures = quick(&suite(), &rows([sure(1.0, false), sure(0.0, true)]));
        assert_values(&figures, &[("m.brier", 1.0)]);
        let loss = measure(&figures, "m.log_loss").value;
        assert!(loss > 30.0 && loss < 40.0, "{loss}");
    }

    #[test]
    fn the_operating_point_is_the_largest_share_that_is_surely_right_enough() {
        // 200 sure answers that are right, 100 guesses of which half are.
        let seen = (0..300)
            .map(|case| if case < 200 { sure(0.9 + f64::from(case) / 1e4, true) } else { sure(0.3, case % 2 == 0) });
        let at = |most: f64| {
            let settings = MetricSettings { max_error: Some(most), ..MetricSettings::default() };
            quick(&with(settings), &rows(seen.clone()))
        };
        // One-sided: 1 − 0.05^(1/200) = 1.49 %.
        assert_values(&at(0.02), &[("m.coverage_at", 2.0 / 3.0), ("m.error_at", 0.0)]);
        assert_values(&at(0.25), &[("m.coverage_at", 1.0), ("m.error_at", 50.0 / 300.0)]);
        let none = at(0.001);
        assert_values(&none, &[("m.coverage_at", 0.0)]);
        assert!(!none.all.contains_key("m.error_at"));
        assert!(!quick(&suite(), &rows(seen.clone())).all.contains_key("m.coverage_at"));
    }

    #[test]
    fn repetitions_are_no_further_cases() {
        let settings = MetricSettings { max_error: Some(0.02), ..MetricSettings::default() };
        let of = |cases: usize, epochs: u32| {
            let rows: Vec<Row> =
                (0..cases).flat_map(|case| (0..epochs).map(move |epoch| row(case, epoch, sure(0.9, true)))).collect();
            quick(&with(settings.clone()), &rows)
        };
        // 1 − 0.05^(1/100) = 2.95 %, however often each case is asked.
        assert_values(&of(200, 1), &[("m.coverage_at", 1.0)]);
        for epochs in [1, 5] {
            assert_values(&of(100, epochs), &[("m.coverage_at", 0.0)]);
        }
        // In the chart, too, they count as one case.
        let chart = |epochs: u32| {
            let rows: Vec<Row> = (0..40)
                .flat_map(|case| (0..epochs).map(move |epoch| row(case, epoch, sure(0.5, case % 2 == 0))))
                .collect();
            reliability(&suite(), &rows, "m").unwrap()
        };
        assert_eq!((chart(1).bins.len(), chart(1).bins[0].cases), (1, 40));
        assert_eq!(chart(1), chart(4));
    }

    #[test]
    fn charts_draw_the_bins_of_the_calibration_error() {
        let seen = (0..57).map(|case| sure(f64::from(case % 23) / 23.0, case % 3 == 0));
        let rows = rows(seen);
        let Reliability { bins, steps } = reliability(&suite(), &rows, "m").unwrap();
        let error: f64 = bins.iter().map(|bin| bin.share * (bin.confidence - bin.accuracy).abs()).sum();
        assert_values(&quick(&suite(), &rows), &[("m.ece", error)]);
        assert!((bins.iter().map(|bin| bin.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(steps.last().is_some_and(|last| (last.coverage - 1.0).abs() < 1e-12));
        assert_eq!(reliability(&suite(), &rows, "other"), None);
    }
}
