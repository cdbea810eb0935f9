//! Two runs over the same cases: the mean of what changed, case by case.
//!
//! Pairing takes out what both runs share, which is most of the variance: a difference that an unpaired test needs
//! thousands of cases for shows in hundreds. Cases that only one run has are the caller's to list; none comes here.

use std::collections::BTreeMap;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::mean::{Estimate, clustered};
use super::{Interval, real};

/// One case in two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<'a> {
    /// Its value in the first run.
    pub a: f64,
    /// Its value in the second.
    pub b: f64,
    /// What it depends on other cases by.
    pub cluster: &'a str,
}

/// What changed from the first run to the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean of `b − a`.
    pub mean: Estimate,
    /// Cases whose value is lower in the second run.
    pub fell: usize,
    /// Cases whose value is higher. With none of either nothing changed at all.
    pub rose: usize,
}

/// The difference of the second run from the first. `range` says where differences can be at all
/// ([`Interval::DIFFERENCE`] for shares). None without pairs, and where a value is not a number.
#[must_use]
pub fn difference(pairs: &[Pair<'_>], range: Option<Interval>) -> Option<Difference> {
    let changes: Vec<(f64, &str)> = pairs.iter().map(|pair| (pair.b - pair.a, pair.cluster)).collect();
    Some(Difference {
        mean: clustered(&changes, range)?,
        fell: pairs.iter().filter(|pair| pair.b < pair.a).count(),
        rose: pairs.iter().filter(|pair| pair.b > pair.a).count(),
    })
}

/// Two-sided p-value of no difference: how often the sums of clusters, each with its sign at random, lie as far from 0
/// as they do (Fisher 1935).
///
/// Exact with up to twelve clusters that changed, else from as many seeded draws.
#[must_use]
pub fn sign_flip(pairs: &[Pair<'_>], seed: u64, draws: usize) -> f64 {
    const EXACT: usize = 12;
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for pair in pairs {
        *sums.entry(pair.cluster).or_default() += pair.b - pair.a;
    }
    let sums: Vec<f64> = sums.into_values().filter(|sum| *sum != 0.0).collect();
    // The same sum in another order of additions is the same sum.
    let distance = sums.iter().sum::<f64>().abs() * (1.0 - 1e-12);
    let as_far = |signs: &dyn Fn(usize) -> bool| {
        let flipped = sums.iter().enumerate().map(|(at, sum)| if signs(at) { -sum } else { *sum });
        flipped.sum::<f64>().abs() >= distance
    };
    if sums.len() <= EXACT {
        let all = 1usize << sums.len();
        return real((0..all).filter(|signs| as_far(&|at| signs >> at & 1 == 1)).count()) / real(all);
    }
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut words = vec![0u64; sums.len().div_ceil(64)];
    let far = (0..draws).filter(|_| {
        words.fill_with(|| generator.next_u64());
        as_far(&|at| words[at / 64] >> (at % 64) & 1 == 1)
    });
    real(far.count() + 1) / real(draws + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evals::stats::{Level, Uncertain, mcnemar};

    /// Independent cases, so many of which fell, rose and stayed.
    fn flips(fell: usize, rose: usize, same: usize, names: &[String]) -> Vec<Pair<'_>> {
        let values = [(1.0, 0.0, fell), (0.0, 1.0, rose), (1.0, 1.0, same)];
        let values = values.into_iter().flat_map(|(a, b, times)| std::iter::repeat_n((a, b), times));
        values.zip(names).map(|((a, b), cluster)| Pair { a, b, cluster }).collect()
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|name| name.to_string()).collect()
    }

    #[test]
    fn the_variance_is_that_of_the_differences() {
        let names = names(100);
        let found = difference(&flips(2, 8, 90, &names), Some(Interval::DIFFERENCE)).unwrap();
        assert_eq!((found.fell, found.rose), (2, 8));
        // (0.10 − 0.06²) / 99
        let error = found.mean.standard_error().unwrap();
        assert!((found.mean.mean - 0.06).abs() < 1e-15 && (error - (0.0964f64 / 99.0).sqrt()).abs() < 1e-15);
        // t(0.975, 99) = 1.98422; with ten cases that changed the score test is the wider, and not alike on both sides.
        let bounds = found.mean.interval(Level::TWO_SIDED_95).unwrap();
        let (low, high) = (0.06 - 1.984_217 * error, 0.06 + 1.984_217 * error);
        assert!(
            low - 0.001 < bounds.low && bounds.low <= low && high <= bounds.high && bounds.high < high + 0.02,
            "{bounds:?}"
        );
    }

    #[test]
    fn nothing_changed_is_not_certainty() {
        let names = names(60);
        let found = difference(&flips(0, 0, 60, &names), Some(Interval::DIFFERENCE)).unwrap();
        assert_eq!((found.fell, found.rose, found.mean.mean), (0, 0, 0.0));
        let bounds = found.mean.interval(Level::ONE_SIDED_95).unwrap();
        assert!((bounds.low + (1.0 - 0.05f64.powf(1.0 / 60.0))).abs() < 1e-12 && bounds.low < -0.048, "{bounds:?}");
    }

    #[test]
    fn one_case_that_fell_is_no_less_doubt_than_none() {
        let names = names(148);
        let low = |fell: usize| {
            let found = difference(&flips(fell, 0, 148 - fell, &names), Some(Interval::DIFFERENCE)).unwrap();
            found.mean.interval(Level::ONE_SIDED_95).unwrap().low
        };
        assert!(low(1) < low(0) && low(0) < -0.02, "{} {}", low(1), low(0));
        // Repetitions: one case that fell in one epoch of three.
        let part = |fall: f64| {
            let pairs: Vec<Pair<'_>> = names
                .iter()
                .enumerate()
                .map(|(case, cluster)| Pair { a: 1.0, b: if case == 0 { 1.0 - fall } else { 1.0 }, cluster })
                .collect();
            difference(&pairs, Some(Interval::DIFFERENCE)).unwrap().mean.interval(Level::ONE_SIDED_95).unwrap().low
        };
        assert!(part(1.0 / 3.0) < low(0) + 1e-9 && low(1) < part(1.0 / 3.0), "{}", part(1.0 / 3.0));
    }

    #[test]
    fn sign_flips_of_independent_cases_are_mcnemars_test() {
        let names = names(100);
        for (fell, rose) in [(3, 0), (2, 8), (5, 5), (0, 0)] {
            let p = sign_flip(&flips(fell, rose, 20, &names), 1, 0);
            assert!((p - mcnemar::exact(fell, rose)).abs() < 1e-12, "{fell} {rose} {p}");
        }
        let drawn = sign_flip(&flips(4, 12, 80, &names), 7, 20_000);
        assert!((drawn - 0.07681).abs() < 0.006, "{drawn}");
        assert!(drawn.to_bits() == sign_flip(&flips(4, 12, 80, &names), 7, 20_000).to_bits());
    }

    #[test]
    fn a_cluster_is_flipped_as_one() {
        // Ten cases that changed, all of one household: no evidence at all.
        let pairs = [Pair { a: 0.0, b: 1.0, cluster: "h" }; 10];
        assert!((sign_flip(&pairs, 1, 100) - 1.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn runs_change_places(
            values in prop::collection::vec((0.0f64..=1.0, 0.0f64..=1.0, 0usize..30), 2..80),
            seed: u64,
        ) {
            let names = names(30);
            let there: Vec<_> = values.iter().map(|&(a, b, c)| Pair { a, b, cluster: &names[c] }).collect();
            let back: Vec<_> = values.iter().map(|&(b, a, c)| Pair { a, b, cluster: &names[c] }).collect();
            let (forth, back_again) = (difference(&there, None).unwrap(), difference(&back, None).unwrap());
            prop_assert!((forth.mean.mean + back_again.mean.mean).abs() < 1e-12);
            prop_assert_eq!((forth.fell, forth.rose), (back_again.rose, back_again.fell));
            let p = sign_flip(&there, seed, 200);
            prop_assert!(p > 0.0 && p <= 1.0);
            prop_assert!((p - sign_flip(&back, seed, 200)).abs() < 1e-12);
        }
    }
}
