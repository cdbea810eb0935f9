//! The statistics of evaluations: how sure a figure is, whether two runs differ, and how many cases would tell.
//!
//! Pure functions over slices, without randomness of their own: whoever resamples gives the seed. Cases that depend on
//! each other (one household, one template) share a cluster, and nothing here counts them as independent. Where there
//! are too few of them to tell there is no interval and no p-value; nothing returned is ever not-a-number. The last
//! module is the room's own trial: runs that do not differ, thousands of times over.

pub mod bootstrap;
pub mod inferiority;
pub mod interval;
pub mod mcnemar;
pub mod mean;
pub mod multiple;
pub mod paired;
pub mod power;
pub mod prevalence;
mod tango;
#[cfg(test)]
mod trial;

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Fewer clusters than this do not show how much clusters differ.
pub const FEW_CLUSTERS: usize = 20;

/// How sure bounds are, as the probability that is left out beyond each of the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    tail: f64,
}

impl Level {
    /// 95 % between the bounds: what reports show.
    pub const TWO_SIDED_95: Self = Self { tail: 0.025 };

    /// 95 % on the one side of each bound: what gates hold against a limit.
    pub const ONE_SIDED_95: Self = Self { tail: 0.05 };

    /// This probability beyond each bound; none unless it is above 0 and below one half.
    #[must_use]
    pub fn beyond(tail: f64) -> Option<Self> {
        (tail > 0.0 && tail < 0.5).then_some(Self { tail })
    }

    /// The probability beyond each bound.
    #[must_use]
    pub const fn tail(self) -> f64 {
        self.tail
    }

    /// Standard errors between the middle and a bound of a normal distribution.
    fn z(self) -> f64 {
        -Normal::standard().inverse_cdf(self.tail)
    }

    /// The same of Student's t distribution; none without a degree of freedom.
    fn t(self, freedom: usize) -> Option<f64> {
        let t = StudentsT::new(0.0, 1.0, real(freedom)).ok()?;
        // A step of Newton's: with many degrees of freedom the library's inverse is not exact.
        let near = t.inverse_cdf(1.0 - self.tail);
        Some(near + (t.sf(near) - self.tail) / t.pdf(near))
    }
}

/// Two bounds and everything between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Interval {
    /// Where shares are.
    pub const SHARE: Self = Self { low: 0.0, high: 1.0 };

    /// Where differences of two shares are.
    pub const DIFFERENCE: Self = Self { low: -1.0, high: 1.0 };

    fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Its part within `other`.
    fn within(self, other: Self) -> Self {
        Self { low: self.low.clamp(other.low, other.high), high: self.high.clamp(other.low, other.high) }
    }
}

/// A quantity that was estimated from cases: what gates judge.
pub trait Uncertain {
    /// The estimate.
    fn value(&self) -> f64;

    /// Its standard error; none where there are too few cases to tell, or nothing varies.
    fn standard_error(&self) -> Option<f64>;

    /// How many cases it was estimated from.
    fn cases(&self) -> usize;

    /// How many clusters they make; as many as cases where they are independent.
    fn clusters(&self) -> usize;

    /// Its bounds.
    fn interval(&self, level: Level) -> Option<Interval>;

    /// One-sided p-value of the claim that the true value lies above `limit`: at most the level's tail exactly where
    /// the lower bound does.
    fn p_above(&self, limit: f64) -> Option<f64>;

    /// One-sided p-value of the claim that it lies below.
    fn p_below(&self, limit: f64) -> Option<f64>;
}

/// A count as a number to compute with.
#[expect(clippy::cast_precision_loss, reason = "counts of cases and clusters are far below 2^52")]
pub(crate) const fn real(count: usize) -> f64 {
    count as f64
}

/// The next whole number of cases; none where no number would do.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a number and in range")]
fn whole(cases: f64) -> Option<usize> {
    let most = f64::from(u32::MAX);
    (cases >= 0.0 && cases <= most).then(|| cases.ceil() as usize)
}

/// Student's t distribution: the probability above `t`.
fn t_above(t: f64, freedom: usize) -> Option<f64> {
    Some(StudentsT::new(0.0, 1.0, real(freedom)).ok()?.sf(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_scipy() {
        for (freedom, two_sided, one_sided, above_two) in [
            (1, 12.706_204_736_174_694, 6.313_751_514_675_037, 0.147_583_617_650_433),
            (2, 4.302_652_729_749_462, 2.919_985_580_353_724, 0.091_751_709_536_137),
            (10, 2.228_138_851_986_274, 1.812_461_122_811_676, 0.036_694_017_385_370),
            (99, 1.984_216_951_586_417, 1.660_391_156_016_991, 0.024_119_846_686_316),
            (1_000, 1.962_339_080_826_408, 1.646_378_817_285_464, 0.022_885_173_246_626),
            (10_000, 1.960_201_239_890_626, 1.645_006_018_069_243, 0.022_763_630_330_718),
            (100_000, 1.959_987_707_534_61, 1.644_868_864_784_97, 0.022_751_481_728_753),
        ] {
            assert!((Level::TWO_SIDED_95.t(freedom).unwrap() - two_sided).abs() < 1e-8, "{freedom}");
            assert!((Level::ONE_SIDED_95.t(freedom).unwrap() - one_sided).abs() < 1e-8, "{freedom}");
            assert!((t_above(2.0, freedom).unwrap() - above_two).abs() < 1e-8, "{freedom}");
        }
        assert!((Level::TWO_SIDED_95.z() - 1.959_963_984_540_054).abs() < 1e-12);
        assert_eq!((Level::TWO_SIDED_95.t(0), t_above(2.0, 0)), (None, None));
    }

    #[test]
    fn a_level_leaves_something_out() {
        assert_eq!(Level::beyond(0.05), Some(Level::ONE_SIDED_95));
        for tail in [0.0, 0.5, -1.0, f64::NAN] {
            assert_eq!(Level::beyond(tail), None, "{tail}");
        }
    }
}
