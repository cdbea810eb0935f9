//! Means of dependent cases and of repeated ones.
//!
//! The standard error is the larger of two: as if all cases were independent, and from the sums of clusters (Miller
//! 2024, arXiv:2411.00640, with the factor C/(C − 1) that Inspect takes). Clusters that are alike by construction make
//! the second one the smaller; a gate must not profit from that. Several epochs of a case are reduced to their mean
//! before they come here: repetitions are no further cases.

use std::collections::BTreeMap;

use super::interval::{clopper_pearson_share, wilson_share};
use super::tango::Flips;
use super::{Interval, Level, Uncertain, real, t_above};

/// Where fewer clusters than this have a value that is not like most, they show nothing of how alike a cluster's cases are.
const FEW_TELLING: usize = 10;

/// With fewer cases that changed than this, a t-test is surer than it may be, whatever the size of the changes.
const FEW_CHANGES: usize = 20;

/// A mean and what is known of its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Cases.
    pub cases: usize,
    /// Clusters; as many as cases where these are independent.
    pub clusters: usize,
    /// Standard error as if cases were independent; 0 where all values are the same.
    pub naive: f64,
    /// Standard error by clusters; none where there is only one.
    pub clustered: Option<f64>,
    /// Clusters with a value that lies at the far end from the mean.
    telling: usize,
    /// Where values can be at all.
    range: Option<Interval>,
    /// Of differences of shares: those that fell and rose, where a t-test would be too sure of them.
    flips: Option<Flips>,
}

/// The mean of the values, each with the name of its cluster.
///
/// `range` says where values can be at all, for instance [`Interval::SHARE`]; bounds keep to it. None without values,
/// and where one is not a number, out of range, or too large to be squared.
#[must_use]
pub fn clustered(values: &[(f64, &str)], range: Option<Interval>) -> Option<Estimate> {
    let allowed = |value: f64| value.is_finite() && range.is_none_or(|range| range.contains(value));
    if !values.iter().all(|&(value, _)| allowed(value)) {
        return None;
    }
    let cases = real(values.len());
    // Measured from the first value, so that equal values have no spread at all, not one of rounding.
    let (first, _) = *values.first()?;
    let mean = first + values.iter().map(|(value, _)| value - first).sum::<f64>() / cases;
    let squares: f64 = values.iter().map(|(value, _)| (value - mean).powi(2)).sum();
    let mut sums: BTreeMap<&str, (f64, bool)> = BTreeMap::new();
    for (value, cluster) in values {
        let (sum, tells) = sums.entry(cluster).or_default();
        *sum += value - mean;
        *tells |= (value - mean).abs() >= 0.5;
    }
    let between: f64 = sums.values().map(|(sum, _)| sum.powi(2)).sum();
    let clusters = real(sums.len());
    let estimate = Estimate {
        mean,
        cases: values.len(),
        clusters: sums.len(),
        naive: if values.len() > 1 { (squares / (cases * (cases - 1.0))).sqrt() } else { 0.0 },
        clustered: (sums.len() > 1).then(|| (between * clusters / (clusters - 1.0)).sqrt() / cases),
        telling: sums.values().filter(|(_, tells)| *tells).count(),
        range,
        flips: if range == Some(Interval::DIFFERENCE) { flips(values) } else { None },
    };
    // Squares of values beyond 1e150 are no numbers any more.
    let errors = [Some(estimate.naive), estimate.clustered];
    errors.into_iter().flatten().all(f64::is_finite).then_some(estimate)
}

/// Differences whose test is Tango's: whole cases changed sides, or only a few changed at all. A part of a change counts
/// as that part of a case, whose variance is larger than its own.
fn flips(values: &[(f64, &str)]) -> Option<Flips> {
    let changes = || values.iter().map(|(value, _)| *value).filter(|value| *value != 0.0);
    let whole = || changes().all(|value| value.abs() >= 1.0);
    let sum = |sign: f64| changes().map(|value| (sign * value).max(0.0)).sum();
    let flips = || Flips { fell: sum(-1.0), rose: sum(1.0), cases: real(values.len()) };
    (changes().count() < FEW_CHANGES || whole()).then(flips)
}

impl Estimate {
    /// How many times larger the variance is than with independent cases; none where nothing varies.
    #[must_use]
    pub fn design_effect(&self) -> Option<f64> {
        let clustered = self.clustered?;
        (self.naive > 0.0).then(|| (clustered / self.naive).powi(2))
    }

    /// Wilson's interval where every value is 0 or 1.
    #[must_use]
    pub fn wilson(&self, level: Level) -> Option<Interval> {
        wilson_share(self.mean, self.effective_cases()?, level)
    }

    /// Clopper and Pearson's interval where every value is 0 or 1.
    #[must_use]
    pub fn clopper_pearson(&self, level: Level) -> Option<Interval> {
        clopper_pearson_share(self.mean, self.effective_cases()?, level)
    }

    /// How many independent cases would tell as much: never more than there are, never less than one, and fewer where the
    /// variance between a small number of clusters is itself uncertain (Korn and Graubard 1998). Where nothing or hardly
    /// anything varies, the cases of a cluster may be as alike as one: clusters are what counts. None with a single one.
    #[must_use]
    pub fn effective_cases(&self) -> Option<f64> {
        if self.clusters == self.cases {
            return Some(real(self.cases));
        }
        let level = Level::TWO_SIDED_95;
        let few = (level.z() / level.t(self.clusters - 1)?).powi(2);
        let independent = real(self.cases) / self.design_effect().unwrap_or(1.0).max(1.0);
        let known = if self.telling < FEW_TELLING { real(self.clusters) } else { f64::INFINITY };
        Some((independent.min(known) * few).max(1.0))
    }

    /// Cases that changed, of as many independent ones as there are.
    fn independent_flips(&self) -> Option<Flips> {
        let cases = self.effective_cases()?;
        let Flips { fell, rose, cases: all } = self.flips?;
        Some(Flips { fell: fell * cases / all, rose: rose * cases / all, cases })
    }

    /// Both standard errors with their degrees of freedom; one of 0 says nothing.
    fn errors(&self) -> impl Iterator<Item = (f64, usize)> {
        let clustered = self.clustered.map(|error| (error, self.clusters - 1));
        let naive = clustered.map(|_| (self.naive, self.cases - 1));
        naive.into_iter().chain(clustered).filter(|(error, _)| *error > 0.0)
    }

    /// Exact bounds where all values are the same: those that were not seen may lie at either end of the range.
    fn exact(&self, level: Level) -> Option<Interval> {
        let range = self.range?;
        let unseen = 1.0 - level.tail().powf(self.effective_cases()?.recip());
        Some(Interval {
            low: self.mean - unseen * (self.mean - range.low),
            high: self.mean + unseen * (range.high - self.mean),
        })
    }

    /// The p-value of a true mean on this side of a limit that the mean is `ahead` of, with the end of the range `away`;
    /// no less than the score test's, where there is one.
    fn p(&self, ahead: f64, away: Option<f64>, score: impl Fn(Flips) -> f64) -> Option<f64> {
        if self.naive > 0.0 {
            let by_error = self.errors().filter_map(|(error, freedom)| t_above(ahead / error, freedom));
            let p = by_error.reduce(f64::max)?;
            return Some(self.independent_flips().map_or(p, |flips| p.max(score(flips))));
        }
        let (cases, away) = (self.effective_cases()?, away?);
        // At most this share of all cases may have the value that all of these have, if the claim is wrong.
        let share = if away > 0.0 { (1.0 - ahead / away).clamp(0.0, 1.0) } else { 1.0 };
        Some(share.powf(cases))
    }
}

impl Uncertain for Estimate {
    fn value(&self) -> f64 {
        self.mean
    }

    fn standard_error(&self) -> Option<f64> {
        self.errors().map(|(error, _)| error).reduce(f64::max)
    }

    fn cases(&self) -> usize {
        self.cases
    }

    fn clusters(&self) -> usize {
        self.clusters
    }

    fn interval(&self, level: Level) -> Option<Interval> {
        if self.naive == 0.0 {
            return self.exact(level);
        }
        let half = self.errors().filter_map(|(error, freedom)| Some(level.t(freedom)? * error)).reduce(f64::max)?;
        let mut interval = Interval { low: self.mean - half, high: self.mean + half };
        if let Some(score) = self.independent_flips().map(|flips| flips.interval(level)) {
            interval = Interval { low: interval.low.min(score.low), high: interval.high.max(score.high) };
        }
        Some(self.range.map_or(interval, |range| interval.within(range)))
    }

    fn p_above(&self, limit: f64) -> Option<f64> {
        self.p(self.mean - limit, self.range.map(|range| self.mean - range.low), |flips| flips.p_above(limit))
    }

    fn p_below(&self, limit: f64) -> Option<f64> {
        self.p(limit - self.mean, self.range.map(|range| range.high - self.mean), |flips| flips.p_below(limit))
    }
}

/// Where the variance of a mean over repeated cases comes from: it is `(between + within / epochs) / cases`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parts {
    /// Variance between cases: only more cases lessen it.
    pub between: f64,
    /// Mean variance within a case, one epoch from another: more epochs lessen it.
    pub within: f64,
}

/// The parts of the variance, given each case's values in its epochs. None with fewer than two cases, and where a case
/// has fewer than two epochs.
#[must_use]
pub fn parts(cases: &[Vec<f64>]) -> Option<Parts> {
    let inner: Vec<(f64, f64)> = cases.iter().map(|epochs| mean_and_variance(epochs)).collect::<Option<_>>()?;
    let means: Vec<f64> = inner.iter().map(|(mean, _)| *mean).collect();
    let (_, variance) = mean_and_variance(&means)?;
    let count = real(cases.len());
    let within = inner.iter().map(|(_, variance)| variance).sum::<f64>() / count;
    let noise =
        inner.iter().zip(cases).map(|((_, variance), epochs)| variance / real(epochs.len())).sum::<f64>() / count;
    Some(Parts { between: (variance - noise).max(0.0), within })
}

fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < 2 || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mean = values.iter().sum::<f64>() / real(values.len());
    Some((mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / real(values.len() - 1)))
}

/// How often a case went well, of how many epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated {
    /// Epochs that went well.
    pub well: usize,
    /// Epochs.
    pub epochs: usize,
}

/// pass^k: the probability that a case goes well in each of `k` tries (Yao et al. 2024, arXiv:2406.12045), over those
/// cases that have as many epochs.
#[must_use]
pub fn pass_hat_k(cases: &[Repeated], k: usize) -> Option<f64> {
    let drawn = |case: &Repeated| -> f64 {
        (0..k).map(|try_| real(case.well.saturating_sub(try_)) / real(case.epochs - try_)).product()
    };
    average(cases.iter().filter(|case| case.epochs >= k.max(1)).map(drawn))
}

/// The probability that two epochs of a case do not agree, over those cases that have two.
#[must_use]
pub fn flip_rate(cases: &[Repeated]) -> Option<f64> {
    let flips = |case: &Repeated| {
        let (well, epochs) = (real(case.well), real(case.epochs));
        2.0 * well * (epochs - well) / (epochs * (epochs - 1.0))
    };
    average(cases.iter().filter(|case| case.epochs >= 2).map(flips))
}

fn average(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / real(count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evals::stats::interval;

    const LEVEL: Level = Level::TWO_SIDED_95;

    fn apart(values: &[f64]) -> Estimate {
        let names: Vec<String> = (0..values.len()).map(|name| name.to_string()).collect();
        let values: Vec<(f64, &str)> = values.iter().copied().zip(names.iter().map(String::as_str)).collect();
        clustered(&values, Some(Interval::SHARE)).unwrap()
    }

    /// 500 cases in 100 clusters of five, as many right in each as `right` says.
    fn in_fives(right: impl Fn(usize) -> usize) -> Estimate {
        let names: Vec<String> = (0..100).map(|name| name.to_string()).collect();
        let values: Vec<(f64, &str)> = (0..500)
            .map(|case| (if case % 5 < right(case / 5) { 1.0 } else { 0.0 }, names[case / 5].as_str()))
            .collect();
        clustered(&values, Some(Interval::SHARE)).unwrap()
    }

    #[test]
    fn standard_errors_are_those_that_inspect_prints() {
        // 450 of 500 right: one wrong in each second cluster.
        let estimate = in_fives(|cluster| if cluster % 2 == 0 { 5 } else { 4 });
        assert!((estimate.mean - 0.9).abs() < 1e-15);
        assert!((estimate.naive - 0.013_429_8).abs() < 5e-8, "{}", estimate.naive);
        let clustered = estimate.clustered.unwrap();
        assert!((clustered - 0.010_050_38).abs() < 5e-9, "{clustered}");
        assert!((clustered / (100.0f64 / 99.0).sqrt() - 0.01).abs() < 1e-15);
    }

    #[test]
    fn the_larger_standard_error_counts() {
        let alike = in_fives(|cluster| if cluster % 2 == 0 { 5 } else { 4 });
        assert!(alike.clustered.unwrap() < alike.naive && alike.design_effect().unwrap() < 1.0);
        assert_eq!(alike.standard_error(), Some(alike.naive));
        let apart = in_fives(|cluster| if cluster < 90 { 5 } else { 0 });
        assert_eq!(apart.standard_error(), apart.clustered);
        assert!(apart.design_effect().unwrap() > 4.5);
        let (wide, narrow) = (apart.wilson(LEVEL).unwrap(), alike.wilson(LEVEL).unwrap());
        assert!(wide.low < narrow.low && narrow.high < wide.high);
    }

    #[test]
    fn where_hardly_anything_varies_clusters_count_and_not_cases() {
        // 707 cases in 101 clusters of seven.
        let names: Vec<String> = (0..101).map(|name| name.to_string()).collect();
        let of = |wrong: usize| {
            let values: Vec<(f64, &str)> = (0..707)
                .map(|case| (if case % 7 == 0 && case / 7 < wrong { 0.0 } else { 1.0 }, names[case / 7].as_str()))
                .collect();
            clustered(&values, Some(Interval::SHARE)).unwrap().clopper_pearson(Level::ONE_SIDED_95).unwrap().low
        };
        let few = (Level::TWO_SIDED_95.z() / Level::TWO_SIDED_95.t(100).unwrap()).powi(2);
        assert!((of(0) - 0.05f64.powf(1.0 / (101.0 * few))).abs() < 1e-9 && of(0) < 0.971, "{}", of(0));
        // One that is wrong is never better than none.
        for wrong in 0..6 {
            assert!(of(wrong + 1) < of(wrong), "{wrong} {} {}", of(wrong), of(wrong + 1));
        }
    }

    #[test]
    fn independent_cases_are_clusters_of_one() {
        let estimate = apart(&[0.1, 0.4, 0.4, 1.0]);
        assert!((estimate.naive - estimate.clustered.unwrap()).abs() < 1e-15);
        assert_eq!(estimate.wilson(LEVEL), interval::wilson_share(estimate.mean, 4.0, LEVEL));
    }

    #[test]
    fn a_single_cluster_tells_nothing_and_equal_values_do_not_tell_everything() {
        let one = clustered(&[(0.0, "a"), (1.0, "a")], Some(Interval::SHARE)).unwrap();
        assert_eq!(
            (one.standard_error(), one.interval(LEVEL), one.p_above(0.1), one.wilson(LEVEL)),
            (None, None, None, None)
        );
        let all_right = apart(&[1.0; 60]);
        let exact = interval::clopper_pearson(60, 60, LEVEL).unwrap();
        let bounds = all_right.interval(LEVEL).unwrap();
        assert!((bounds.low - exact.low).abs() < 1e-9 && (bounds.high - 1.0).abs() < 1e-12, "{bounds:?} {exact:?}");
        let unbounded = clustered(&[(7.0, "a"), (7.0, "b")], None).unwrap();
        assert_eq!((unbounded.interval(LEVEL), unbounded.p_below(9.0)), (None, None));
    }

    #[test]
    fn what_is_no_number_or_out_of_range_has_no_mean() {
        assert_eq!(clustered(&[], None), None);
        assert_eq!(clustered(&[(1e300, "a"), (-1e300, "b")], None), None);
        for value in [f64::NAN, f64::INFINITY, 1.5] {
            assert_eq!(clustered(&[(0.5, "a"), (value, "b")], Some(Interval::SHARE)), None, "{value}");
        }
    }

    #[test]
    fn more_epochs_lessen_only_what_varies_within_cases() {
        let steady = parts(&[vec![1.0, 1.0], vec![0.0, 0.0], vec![1.0, 1.0], vec![0.0, 0.0]]).unwrap();
        assert_eq!((steady.within, steady.between), (0.0, 1.0 / 3.0));
        let fickle = parts(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0]]).unwrap();
        assert_eq!((fickle.within, fickle.between), (0.5, 0.0));
        assert_eq!(parts(&[vec![1.0, 0.0], vec![1.0]]), None);
    }

    #[test]
    fn a_clerk_sees_more_failures_than_the_average_says() {
        let cases = [Repeated { well: 4, epochs: 4 }, Repeated { well: 2, epochs: 4 }];
        assert_eq!(pass_hat_k(&cases, 1), Some(0.75));
        assert_eq!(pass_hat_k(&cases, 2), Some(f64::midpoint(1.0, 1.0 / 6.0)));
        assert_eq!(pass_hat_k(&cases, 4), Some(0.5));
        assert_eq!(pass_hat_k(&cases, 5), None);
        assert_eq!(flip_rate(&cases), Some(1.0 / 3.0));
        assert_eq!(flip_rate(&[Repeated { well: 1, epochs: 1 }]), None);
    }

    proptest! {
        #[test]
        fn bounds_and_p_values_say_the_same(
            values in prop::collection::vec((prop::sample::select(vec![0.0, 0.5, 1.0]), 0usize..12), 2..60),
            limit in -0.2f64..1.2,
        ) {
            let names: Vec<String> = (0..12).map(|name| name.to_string()).collect();
            let values: Vec<(f64, &str)> = values.iter().map(|&(value, name)| (value, names[name].as_str())).collect();
            let estimate = clustered(&values, Some(Interval::SHARE)).unwrap();
            for level in [Level::ONE_SIDED_95, Level::TWO_SIDED_95] {
                let Some(bounds) = estimate.interval(level) else {
                    prop_assert_eq!(estimate.p_above(limit), None);
                    continue;
                };
                let (above, below) = (estimate.p_above(limit).unwrap(), estimate.p_below(limit).unwrap());
                prop_assert!((0.0..=1.0).contains(&above) && (0.0..=1.0).contains(&below));
                prop_assert!(bounds.low <= estimate.mean && estimate.mean <= bounds.high);
                // Bounds keep to the range and limits need not: beyond it there is nothing to compare.
                if Interval::SHARE.contains(limit) && (bounds.low - limit).abs() > 1e-6 && bounds.low > 0.0 {
                    prop_assert_eq!(bounds.low > limit, above < level.tail(), "{:?} {}", bounds, above);
                }
                if Interval::SHARE.contains(limit) && (bounds.high - limit).abs() > 1e-6 && bounds.high < 1.0 {
                    prop_assert_eq!(bounds.high < limit, below < level.tail(), "{:?} {}", bounds, below);
                }
            }
        }

        #[test]
        fn the_order_of_cases_does_not_matter(values in prop::collection::vec((0.0f64..=1.0, 0usize..8), 2..40)) {
            let names: Vec<String> = (0..8).map(|name| name.to_string()).collect();
            let mut values: Vec<(f64, &str)> = values.iter().map(|&(value, name)| (value, names[name].as_str())).collect();
            let here = clustered(&values, None).unwrap();
            values.reverse();
            let there = clustered(&values, None).unwrap();
            prop_assert!((here.mean - there.mean).abs() < 1e-12);
            prop_assert!((here.naive - there.naive).abs() < 1e-12);
            prop_assert_eq!(here.clusters, there.clusters);
        }
    }
}
