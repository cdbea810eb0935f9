//! Shares, spreads and worked time: exact, over whole seconds. A group that is too small gets no percentile.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Fewer cases than this show no percentile, mean or percentage: one case would be the figure.
pub const FEW: u64 = 5;

/// A part of a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Share {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub of: u64,
    /// In percent, to one decimal; null of fewer than five.
    pub percent: Option<f64>,
}

impl Share {
    /// So many of so many.
    #[must_use]
    pub fn new(part: u64, of: u64) -> Self {
        let percent = (of >= FEW).then(|| tenths(part.saturating_mul(1_000), of));
        Self { part, of, percent }
    }

    /// How many of these are so.
    pub fn of<T>(all: impl IntoIterator<Item = T>, is_so: impl Fn(T) -> bool) -> Self {
        let (mut part, mut of) = (0, 0);
        for one in all {
            of += 1;
            part += u64::from(is_so(one));
        }
        Self::new(part, of)
    }
}

/// A quotient in tenths, rounded half up.
#[expect(clippy::cast_precision_loss, reason = "tenths of a percent are small numbers")]
fn tenths(part: u64, of: u64) -> f64 {
    ((part.saturating_mul(2) + of) / (of * 2)) as f64 / 10.0
}

/// How times spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Spread {
    /// How many.
    pub n: u64,
    /// Seconds: half took no longer. Null of fewer than five.
    pub median_seconds: Option<i64>,
    /// Seconds: nine in ten took no longer. Null of fewer than five.
    pub p90_seconds: Option<i64>,
}

impl Spread {
    /// Of these times.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = SignedDuration>) -> Self {
        let mut seconds: Vec<i64> = times.into_iter().map(|time| time.as_secs()).collect();
        seconds.sort_unstable();
        let n = seconds.len() as u64;
        if n < FEW {
            return Self { n, ..Self::default() };
        }
        Self { n, median_seconds: median(&seconds), p90_seconds: percentile(&seconds, 90) }
    }
}

/// The value in the middle of a sorted list; between two of them their mean, rounded down.
#[must_use]
pub fn median(sorted: &[i64]) -> Option<i64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = sorted[middle - 1];
    Some(lower + (upper - lower) / 2)
}

/// The smallest value of a sorted list that `percent` of them do not exceed (nearest rank).
#[must_use]
pub fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// A stretch of time.
pub type Stretch = (Timestamp, Timestamp);

/// How long stretches are together; where some overlap, the time counts once.
#[must_use]
pub fn together(mut stretches: Vec<Stretch>) -> SignedDuration {
    stretches.sort_unstable();
    let mut total = SignedDuration::ZERO;
    let mut covered = Timestamp::MIN;
    for (from, to) in stretches {
        let from = from.max(covered);
        if to > from {
            total = total.saturating_add(to.duration_since(from));
            covered = to;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(all: &[i64]) -> Spread {
        Spread::of(all.iter().map(|seconds| SignedDuration::from_secs(*seconds)))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn percentiles_by_hand() {
        let spread = seconds(&[50, 10, 40, 20, 30]);
        assert_eq!((spread.n, spread.median_seconds, spread.p90_seconds), (5, Some(30), Some(50)));
        let spread = seconds(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!((spread.median_seconds, spread.p90_seconds), (Some(5), Some(9)));
        assert_eq!(seconds(&[1, 2, 3, 4]), Spread { n: 4, median_seconds: None, p90_seconds: None });
        assert_eq!((median(&[]), percentile(&[], 90), percentile(&[7], 90)), (None, None, Some(7)));
    }

    #[test]
    fn a_share_of_few_has_no_percentage() {
        assert_eq!(Share::new(1, 4).percent, None);
        assert_eq!(Share::new(2, 3 * 5).percent, Some(13.3));
        assert_eq!(Share::new(1, 8).percent, Some(12.5));
        assert_eq!(Share::of([1, 2, 3, 4, 5, 6], |n| n > 4), Share { part: 2, of: 6, percent: Some(33.3) });
    }

    #[test]
    fn overlapping_time_counts_once() {
        let stretches = vec![(at(100), at(160)), (at(0), at(60)), (at(30), at(90)), (at(110), at(120)), (at(7), at(7))];
        assert_eq!(together(stretches), SignedDuration::from_secs(150));
        assert_eq!(together(Vec::new()), SignedDuration::ZERO);
    }

    proptest! {
        #[test]
        fn a_percentile_is_what_it_says(mut all in prop::collection::vec(0i64..1_000_000, 1..200), percent in 1usize..=100) {
            all.sort_unstable();
            let value = percentile(&all, percent).unwrap();
            let at_most = all.iter().filter(|one| **one <= value).count();
            let below = all.iter().filter(|one| **one < value).count();
            prop_assert!(at_most * 100 >= percent * all.len(), "enough are at most as large");
            prop_assert!(below * 100 < percent * all.len(), "no smaller value would do");
        }

        #[test]
        fn a_median_has_as_many_on_each_side(mut all in prop::collection::vec(any::<i32>(), 1..200)) {
            all.sort_unstable();
            let all: Vec<i64> = all.into_iter().map(i64::from).collect();
            let middle = median(&all).unwrap();
            prop_assert!(all.iter().filter(|one| **one < middle).count() * 2 <= all.len());
            prop_assert!(all.iter().filter(|one| **one > middle).count() * 2 <= all.len());
        }

        #[test]
        fn together_is_the_count_of_covered_seconds(stretches in prop::collection::vec((0i64..120, 0i64..40), 0..12)) {
            let covered = (0i64..200).filter(|second| stretches.iter().any(|(from, long)| (*from..from + long).contains(second)));
            let stretches = stretches.iter().map(|(from, long)| (at(*from), at(from + long))).collect();
            prop_assert_eq!(together(stretches).as_secs(), i64::try_from(covered.count()).unwrap());
        }
    }
}
