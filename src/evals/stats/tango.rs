//! Tango's score test (1998) of the difference of two paired shares, for where few cases changed.
//!
//! A t-test estimates the variance from the changes that were seen; with one or two of them it is far too sure. The
//! score test takes the variance that the claim itself would give, so that one case which fell is more doubt, not less,
//! than none. Counts may be fractions: dependent cases count as fewer independent ones.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{Interval, Level};

/// Halvings of the range in which a bound is looked for: to a billionth.
const HALVINGS: usize = 32;

/// Cases that changed, of all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Flips {
    /// The cases that fell, or the sum of the falls.
    pub fell: f64,
    /// The same of those that rose.
    pub rose: f64,
    /// All cases; at least as many as changed.
    pub cases: f64,
}

impl Flips {
    /// One-sided p-value of the claim that the true difference (the share that rises less the share that falls) lies
    /// above `limit`.
    pub fn p_above(self, limit: f64) -> f64 {
        let Self { fell, rose, cases } = self;
        if !(-1.0..1.0).contains(&limit) {
            return if limit < 0.0 { 0.0 } else { 1.0 };
        }
        // The share that falls if the difference is the limit, as likely as can be.
        let (a, c) = (2.0 * cases, -fell * limit * (1.0 - limit));
        let b = (2.0 * cases - rose + fell) * limit - rose - fell;
        let falls = ((b * b - 4.0 * a * c).max(0.0).sqrt() - b) / (2.0 * a);
        let variance = cases * (2.0 * falls + limit * (1.0 - limit));
        let ahead = rose - fell - cases * limit;
        let p = if variance > 0.0 {
            Normal::standard().sf(ahead / variance.sqrt())
        } else {
            f64::from(u8::from(ahead <= 0.0))
        };
        // What did not rise at all is no surer than what did not change at all.
        let unchanged = if rose > 0.0 { 0.0 } else { (1.0 + limit.min(0.0)).powf(cases) };
        p.max(unchanged)
    }

    /// The same of the claim that it lies below.
    pub fn p_below(self, limit: f64) -> f64 {
        self.turned().p_above(-limit)
    }

    /// The bounds of the true difference.
    pub fn interval(self, level: Level) -> Interval {
        Interval { low: self.low(level), high: -self.turned().low(level) }
    }

    fn low(self, level: Level) -> f64 {
        let (mut low, mut high) = (-1.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if self.p_above(middle) <= level.tail() { low = middle } else { high = middle }
        }
        low
    }

    fn turned(self) -> Self {
        Self { fell: self.rose, rose: self.fell, ..self }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evals::stats::interval::wilson;

    fn flips(fell: u32, rose: u32, cases: u32) -> Flips {
        Flips { fell: fell.into(), rose: rose.into(), cases: cases.into() }
    }

    #[test]
    fn with_many_changes_it_is_walds_interval() {
        // Approval of a minister, asked twice (Agresti 1990): 150 of 1600 fell, 86 rose. −0.04 ± 1.96 · 0.0095.
        let bounds = flips(150, 86, 1_600).interval(Level::TWO_SIDED_95);
        assert!((bounds.low + 0.0587).abs() < 3e-4 && (bounds.high + 0.0213).abs() < 3e-4, "{bounds:?}");
    }

    #[test]
    fn without_a_change_it_is_the_wider_of_its_own_and_the_exact_bound() {
        let z = Level::ONE_SIDED_95.z().powi(2);
        for cases in [20u32, 100, 1_000] {
            let low = flips(0, 0, cases).interval(Level::ONE_SIDED_95).low;
            let (own, exact) = (z / (f64::from(cases) + z), 1.0 - 0.05f64.powf(1.0 / f64::from(cases)));
            assert!((low + own.max(exact)).abs() < 1e-6, "{cases}: {low}");
        }
    }

    #[test]
    fn with_changes_one_way_it_is_wilsons_interval() {
        for (fell, cases) in [(1, 150), (2, 300), (7, 90)] {
            let bounds = flips(fell, 0, cases).interval(Level::ONE_SIDED_95);
            let share = wilson(fell as usize, cases as usize, Level::ONE_SIDED_95).unwrap();
            assert!((bounds.low + share.high).abs() < 1e-6, "{fell} of {cases}: {bounds:?} {share:?}");
        }
    }

    proptest! {
        #[test]
        fn one_more_that_fell_is_more_doubt(
            cases in 5u32..500,
            fell in 0u32..4,
            rose in 0u32..4,
            margin in 0.001f64..0.3,
        ) {
            prop_assume!(fell + rose < cases);
            let (less, more) = (flips(fell, rose, cases), flips(fell + 1, rose, cases));
            prop_assert!(more.p_above(-margin) >= less.p_above(-margin) - 1e-12);
            prop_assert!(more.interval(Level::ONE_SIDED_95).low <= less.interval(Level::ONE_SIDED_95).low + 1e-8);
        }

        #[test]
        fn bounds_hold_what_was_seen_and_mirror_each_other(cases in 5u32..500, fell in 0u32..5, rose in 0u32..5) {
            prop_assume!(fell + rose <= cases);
            let (here, there) = (flips(fell, rose, cases), flips(rose, fell, cases));
            let (bounds, mirrored) = (here.interval(Level::TWO_SIDED_95), there.interval(Level::TWO_SIDED_95));
            let seen = (f64::from(rose) - f64::from(fell)) / f64::from(cases);
            prop_assert!(bounds.low <= seen && seen <= bounds.high, "{:?}", bounds);
            prop_assert!((bounds.low + mirrored.high).abs() < 1e-12);
            for limit in [-2.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0] {
                prop_assert!((0.0..=1.0).contains(&here.p_above(limit)));
            }
        }
    }
}
