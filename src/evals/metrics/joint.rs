//! Two runs over the same cases: what a change did to each figure.
//!
//! Cases that only one run has, or that have an answer in only one, are left out of a comparison and told apart, never
//! dropped in silence. A mean over cases is compared case by case; what the answers themselves choose (precision, F1,
//! quantiles) is bootstrapped, both runs from the same draws.

use std::collections::{BTreeMap, BTreeSet};

use super::figure::{Found, Ratio};
use super::run::{Cases, Run, Seen};
use super::{agreement, belongs, find, overall};
use crate::evals::case::EvalCaseId;
use crate::evals::measure::Better;
use crate::evals::row::Row;
use crate::evals::stats::bootstrap::{Resampled, Sample, percentile};
use crate::evals::stats::paired::{Difference, Pair, difference};
use crate::evals::stats::{Interval, Level, Uncertain, real};
use crate::evals::suite::Suite;

/// Two runs, case by case. Clusters and slices are those of the second.
#[derive(Debug)]
pub struct Joint<'a> {
    suite: &'a Suite,
    a: Run<'a>,
    b: Run<'a>,
}

/// What became of one figure from the first run to the second.
#[derive(Debug, Clone)]
pub struct Change {
    /// The figure in the first run, over the cases that both have.
    pub a: f64,
    /// The figure in the second.
    pub b: f64,
    /// Which way is better.
    pub better: Better,
    /// The difference, above 0 where the second run is the better one: what gates judge.
    pub gain: Gain,
}

/// A difference with its uncertainty.
#[derive(Debug, Clone)]
pub enum Gain {
    /// The mean over cases; cases that fell are those that the change harmed.
    Paired(Difference),
    /// A difference of two statistics.
    Bootstrap(Resampled),
}

/// The value of a figure in one case, in both runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matched<'a> {
    /// The case.
    pub case: &'a EvalCaseId,
    /// Its values, and its cluster.
    pub pair: Pair<'a>,
}

impl<'a> Joint<'a> {
    /// The first run and the second.
    #[must_use]
    pub fn of(suite: &'a Suite, a: &'a [Row], b: &'a [Row]) -> Self {
        let (a, b) = (Run::of(a), Run::of(b));
        let (in_a, in_b) = (a.ids(), b.ids());
        let both: BTreeSet<_> = in_a.intersection(&in_b).copied().collect();
        let b = b.only(&both);
        Self { suite, a: a.only(&both).clustered_as(&b), b }
    }

    /// How many cases both runs have.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.b.ids().len()
    }

    /// The names of slices: `metadata.lang=fi`.
    #[must_use]
    pub fn slices(&self) -> BTreeSet<String> {
        self.b.slices()
    }

    /// What became of a figure, in a slice or over everything. `seed` and `draws` are for what is bootstrapped.
    /// None where either run has no such figure, and for totals.
    #[must_use]
    pub fn change(&self, name: &str, slice: Option<&str>, seed: u64, draws: usize) -> Option<Change> {
        let (a, b) = self.both(name, slice)?;
        if let Some((ratio_a, ratio_b)) = a.found.find_ratio(name).zip(b.found.find_ratio(name)).filter(by_case) {
            return by_cases(&pairs(ratio_a, ratio_b, &b.clusters), ratio_b);
        }
        let ((_, before), (better, after)) = a.found.function(name).zip(b.found.function(name))?;
        let sample = Sample { cases: b.cases, clusters: b.clusters.len(), seed, draws };
        let found = percentile(sample, 3, |counts, out| {
            let (before, after) = (before(counts), after(counts));
            let gain = before.zip(after).map(|(before, after)| oriented(better, before, after));
            out.copy_from_slice(&[before, after, gain]);
        });
        let [a, b, gain] = <[Option<Resampled>; 3]>::try_from(found).ok()?;
        Some(Change { a: a?.value(), b: b?.value(), better, gain: Gain::Bootstrap(gain?) })
    }

    /// The values of a figure case by case, in the order of ids; none where it is no mean over cases.
    #[must_use]
    pub fn pairs(&self, name: &str, slice: Option<&str>) -> Option<Vec<Matched<'a>>> {
        let (a, b) = self.both(name, slice)?;
        let ratios = a.found.find_ratio(name).zip(b.found.find_ratio(name)).filter(by_case)?;
        let matched = |(case, pair): (usize, Pair<'a>)| Some(Matched { case: b.ids.get(case).copied()?, pair });
        pairs(ratios.0, ratios.1, &b.clusters).into_iter().map(matched).collect()
    }

    /// The figures of the metric that `name` belongs to, in both runs over the same cases.
    fn both(&self, name: &str, slice: Option<&str>) -> Option<(Side<'a>, Side<'a>)> {
        let inside = slice.map_or_else(|| self.b.clone(), |slice| self.b.within(slice));
        let metrics = self.b.metrics();
        let metric = metrics.iter().filter(|metric| belongs(name, metric)).max_by_key(|metric| metric.len());
        let ids = match metric {
            None => inside.ids(),
            Some(metric) => {
                let scored = inside.scored(metric);
                scored.intersection(&self.a.scored(metric)).copied().collect()
            }
        };
        let side = |run: &Run<'a>| Side::of(self.suite, &run.only(&ids), metric.copied(), name);
        (!ids.is_empty()).then(|| (side(&self.a), side(&self.b)))
    }
}

/// One run's figures of a metric.
struct Side<'a> {
    found: Found,
    ids: Vec<&'a EvalCaseId>,
    clusters: Vec<&'a str>,
    cases: usize,
}

impl<'a> Side<'a> {
    fn of(suite: &Suite, run: &Run<'a>, metric: Option<&str>, name: &str) -> Self {
        let ids = run.ids().into_iter().collect();
        match metric {
            None => Self::over(ids, run.rows(), overall::find),
            Some(metric) if name.rsplit_once('.') == Some((metric, agreement::NAME)) => {
                Self::over(ids, run.pairs(metric), |seen| agreement::find(metric, seen))
            }
            Some(metric) => {
                let cases = run.observed(metric);
                let found = find(suite, metric, &cases);
                Self::over(ids, cases, |_| found)
            }
        }
    }

    fn over<T>(ids: Vec<&'a EvalCaseId>, cases: Cases<'a, T>, find: impl FnOnce(&[Seen<T>]) -> Found) -> Self {
        Self { found: find(&cases.seen), ids, cases: cases.seen.len(), clusters: cases.clusters }
    }
}

/// Both have each case's value whatever the answers.
fn by_case((a, b): &(&Ratio, &Ratio)) -> bool {
    a.by_case && b.by_case
}

/// The values of the cases that both have.
fn pairs<'a>(a: &Ratio, b: &Ratio, clusters: &[&'a str]) -> Vec<(usize, Pair<'a>)> {
    let before: BTreeMap<usize, f64> = a.parts.iter().map(|part| (part.case, part.over)).collect();
    let pair = |case: usize, cluster: usize, b: f64| {
        Some((case, Pair { a: *before.get(&case)?, b, cluster: clusters.get(cluster)? }))
    };
    b.parts.iter().filter_map(|part| pair(part.case, part.cluster, part.over)).collect()
}

/// The paired difference.
fn by_cases(pairs: &[(usize, Pair<'_>)], ratio: &Ratio) -> Option<Change> {
    let mean = |of: fn(&Pair<'_>) -> f64| pairs.iter().map(|(_, pair)| of(pair)).sum::<f64>() / real(pairs.len());
    let (a, b) = (mean(|pair| pair.a), mean(|pair| pair.b));
    let gains: Vec<Pair<'_>> = pairs.iter().map(|(_, pair)| upwards(*pair, ratio.better)).collect();
    let gain = difference(&gains, ratio.range.map(|_| Interval::DIFFERENCE))?;
    Some(Change { a, b, better: ratio.better, gain: Gain::Paired(gain) })
}

/// The pair whose rise is for the better.
fn upwards(pair: Pair<'_>, better: Better) -> Pair<'_> {
    match better {
        Better::Higher => pair,
        Better::Lower => Pair { a: pair.b, b: pair.a, ..pair },
    }
}

/// How much better the second value is.
fn oriented(better: Better, a: f64, b: f64) -> f64 {
    match better {
        Better::Higher => b - a,
        Better::Lower => a - b,
    }
}

impl Change {
    /// The second less the first, as it stands in reports: with its sign, whichever way is better.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.b - self.a
    }

    /// The bounds of this difference.
    #[must_use]
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let Interval { low, high } = self.gain.interval(level)?;
        Some(match self.better {
            Better::Higher => Interval { low, high },
            Better::Lower => Interval { low: -high, high: -low },
        })
    }
}

impl Gain {
    fn inner(&self) -> &dyn Uncertain {
        match self {
            Self::Paired(difference) => &difference.mean,
            Self::Bootstrap(resampled) => resampled,
        }
    }
}

impl Uncertain for Gain {
    fn value(&self) -> f64 {
        self.inner().value()
    }

    fn standard_error(&self) -> Option<f64> {
        self.inner().standard_error()
    }

    fn cases(&self) -> usize {
        self.inner().cases()
    }

    fn clusters(&self) -> usize {
        self.inner().clusters()
    }

    fn interval(&self, level: Level) -> Option<Interval> {
        self.inner().interval(level)
    }

    fn p_above(&self, limit: f64) -> Option<f64> {
        self.inner().p_above(limit)
    }

    fn p_below(&self, limit: f64) -> Option<f64> {
        self.inner().p_below(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{bare, label, row, rows, suite};
    use crate::evals::row::{Observation, Status, predicted};
    use crate::evals::stats::inferiority::{Claim, Judgement, judge};

    /// Cases of two classes of which those in `wrong` are taken for the other.
    fn run(cases: usize, wrong: &[usize]) -> Vec<Row> {
        let class = |case: usize| if case.is_multiple_of(2) { "a" } else { "b" };
        rows((0..cases).map(|case| label(class(case), class(case + usize::from(wrong.contains(&case))))))
    }

    fn change(a: &[Row], b: &[Row], name: &str) -> Option<Change> {
        Joint::of(&suite(), a, b).change(name, None, 1, 500)
    }

    #[test]
    fn a_mean_is_compared_case_by_case() {
        let (a, b) = (run(100, &[1, 2, 3]), run(100, &[3, 4, 6, 8, 10]));
        let accuracy = change(&a, &b, "m.accuracy").unwrap();
        assert_eq!((accuracy.a, accuracy.b), (0.97, 0.95));
        let Gain::Paired(difference) = &accuracy.gain else { panic!("{accuracy:?}") };
        assert_eq!((difference.fell, difference.rose), (4, 2));
        assert!((accuracy.difference() + 0.02).abs() < 1e-12 && (difference.mean.mean + 0.02).abs() < 1e-12);
        let suite = suite();
        let pairs = Joint::of(&suite, &a, &b).pairs("m.accuracy", None).unwrap();
        let flips: Vec<_> =
            pairs.iter().filter(|found| found.pair.a > found.pair.b).map(|found| found.case.as_str()).collect();
        assert_eq!((pairs.len(), flips), (100, vec!["c0004", "c0006", "c0008", "c0010"]));
        // Recall of one class is a mean over that class's cases.
        assert_eq!(change(&a, &b, "m.recall[b]").unwrap().gain.cases(), 50);
    }

    #[test]
    fn where_less_is_better_a_fall_is_a_gain() {
        let cost = |values: [f64; 3]| rows(values.map(|value| Observation::Amount { value }));
        let change = change(&cost([3.0, 4.0, 5.0]), &cost([2.0, 2.0, 2.0]), "m.mean").unwrap();
        assert_eq!((change.difference(), change.gain.value(), change.better), (-2.0, 2.0, Better::Lower));
        let (gain, shown) =
            (change.gain.interval(Level::TWO_SIDED_95).unwrap(), change.interval(Level::TWO_SIDED_95).unwrap());
        assert_eq!((shown.low, shown.high), (-gain.high, -gain.low));
    }

    #[test]
    fn what_the_answers_choose_is_drawn_for_both_runs_at_once() {
        let (a, b) = (run(100, &[1, 3, 5, 7, 9, 11, 13]), run(100, &[1, 3, 5, 7, 9, 11, 12]));
        for name in ["m.macro_f1", "m.f1[a]", "m.precision[a]", "m.kappa", "m.accuracy_answered"] {
            let change = change(&a, &b, name).unwrap_or_else(|| panic!("{name}"));
            assert!(matches!(change.gain, Gain::Bootstrap(_)), "{name}");
            assert!((change.difference() - change.gain.value()).abs() < 1e-12, "{name}");
            // Two cases changed of a hundred: apart, each run varies ten times as much.
            let bounds = change.interval(Level::TWO_SIDED_95).unwrap();
            assert!(bounds.low <= change.difference() && change.difference() <= bounds.high, "{name} {bounds:?}");
            assert!(bounds.high - bounds.low < 0.2, "{name} {bounds:?}");
        }
        let again = change(&a, &b, "m.macro_f1").unwrap();
        assert_eq!(format!("{again:?}"), format!("{:?}", change(&a, &b, "m.macro_f1").unwrap()));
    }

    #[test]
    fn a_run_is_no_better_than_itself_and_that_is_not_proof() {
        let a = run(60, &[5, 6]);
        for name in ["m.accuracy", "m.macro_f1", "m.recall[a]", "ok", "errors", "latency_ms.p50"] {
            let change = change(&a, &a, name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(change.difference().to_bits(), 0, "{name}");
            assert!(
                matches!(
                    judge(&change.gain, Claim::NoWorse(0.02), Level::ONE_SIDED_95),
                    Judgement::Inconclusive { .. }
                ),
                "{name}"
            );
        }
        let many = run(200, &[5, 6]);
        let accuracy = change(&many, &many, "m.accuracy").unwrap();
        assert_eq!(judge(&accuracy.gain, Claim::NoWorse(0.02), Level::ONE_SIDED_95), Judgement::Pass);
    }

    #[test]
    fn an_error_is_no_answer_in_either_run() {
        // Forty of four hundred are wrong; the second run has no answer to exactly these, and no better one to any.
        let wrong: Vec<usize> = (0..40).map(|case| case * 10 + 1).collect();
        let a = run(400, &wrong);
        let mut b = a.clone();
        for &case in &wrong {
            let Observation::Label { gold, .. } = &a[case].scores["m"].observation else { panic!() };
            b[case] = Row { status: Status::Error, ..row(case, 0, label(gold, predicted::ERROR)) };
        }
        for name in ["m.macro_f1", "m.kappa", "m.f1[a]", "m.accuracy", "m.accuracy_answered"] {
            let change = change(&a, &b, name).unwrap();
            assert_eq!((change.difference().to_bits(), change.gain.cases()), (0, 360), "{name} {change:?}");
        }
    }

    #[test]
    fn what_only_one_run_has_is_left_out() {
        let (a, mut b) = (run(30, &[]), run(31, &[]));
        b.remove(0);
        b[0] = bare(1, 0, Status::Error);
        let suite = suite();
        let joint = Joint::of(&suite, &a, &b);
        assert_eq!(joint.cases(), 29);
        // The error is no wrong answer; it counts where errors are counted.
        let accuracy = joint.change("m.accuracy", None, 1, 0).unwrap();
        assert_eq!((accuracy.gain.cases(), accuracy.b), (28, 1.0));
        let errors = joint.change("errors", None, 1, 0).unwrap();
        assert_eq!((errors.gain.cases(), errors.a), (29, 0.0));
        assert!(errors.gain.value() < 0.0);
    }

    #[test]
    fn slices_and_clusters_are_the_second_runs() {
        let (a, mut b) = (run(40, &[1]), run(40, &[3]));
        for (at, row) in b.iter_mut().enumerate() {
            row.cluster = format!("h{}", at / 4);
            row.slices = [("metadata.lang".to_owned(), if at < 8 { "fi" } else { "sv" }.to_owned())].into();
        }
        let suite = suite();
        let joint = Joint::of(&suite, &a, &b);
        assert_eq!(joint.slices().into_iter().collect::<Vec<_>>(), ["metadata.lang=fi", "metadata.lang=sv"]);
        let of = |slice: Option<&str>| {
            joint.change("m.accuracy", slice, 1, 0).map(|change| (change.gain.cases(), change.gain.clusters()))
        };
        assert_eq!((of(None), of(Some("metadata.lang=fi"))), (Some((40, 10)), Some((8, 2))));
        assert_eq!((of(Some("metadata.lang=en")), of(Some("nonsense"))), (None, None));
    }

    #[test]
    fn there_is_no_comparison_of_what_is_not_there() {
        let a = run(10, &[]);
        for name in ["m", "m.nonsense", "nonsense", "cases", "cost", ""] {
            assert!(change(&a, &a, name).is_none(), "{name}");
        }
        assert!(change(&a, &[], "m.accuracy").is_none());
        let labels = rows([label("a", "b")]);
        let amounts = vec![row(0, 0, Observation::Amount { value: 1.0 })];
        assert!(change(&labels, &amounts, "m.accuracy").is_none());
    }
}
