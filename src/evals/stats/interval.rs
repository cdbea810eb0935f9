//! Intervals of a proportion: how far the share that was seen may be from the true one.
//!
//! Wilson's score interval for reports, Clopper and Pearson's exact one where a limit must hold (it never covers less
//! than it says). Neither ever has width 0, not at 0 % or 100 % either. Numbers of cases may be fractions: dependent
//! cases count as fewer independent ones (Korn and Graubard 1998).

use statrs::distribution::{Beta, ContinuousCDF};

use super::{Interval, Level, real};

/// Wilson's interval (1927) of `hits` of `cases`; none without cases.
#[must_use]
pub fn wilson(hits: usize, cases: usize, level: Level) -> Option<Interval> {
    wilson_share(real(hits) / real(cases), real(cases), level)
}

/// Wilson's interval of a share of as many independent cases as `cases` says.
#[must_use]
pub fn wilson_share(share: f64, cases: f64, level: Level) -> Option<Interval> {
    if !is_share(share, cases) {
        return None;
    }
    let weight = level.z().powi(2) / cases;
    let middle = (share + weight / 2.0) / (1.0 + weight);
    let half = (weight * (share * (1.0 - share) + weight / 4.0)).sqrt() / (1.0 + weight);
    Some(Interval {
        low: if share <= 0.0 { 0.0 } else { (middle - half).max(0.0) },
        high: if share >= 1.0 { 1.0 } else { (middle + half).min(1.0) },
    })
}

/// Clopper and Pearson's interval (1934) of `hits` of `cases`; none without cases.
#[must_use]
pub fn clopper_pearson(hits: usize, cases: usize, level: Level) -> Option<Interval> {
    clopper_pearson_share(real(hits) / real(cases), real(cases), level)
}

/// Clopper and Pearson's interval of a share of as many independent cases as `cases` says.
#[must_use]
pub fn clopper_pearson_share(share: f64, cases: f64, level: Level) -> Option<Interval> {
    if !is_share(share, cases) {
        return None;
    }
    let (hits, misses) = (share * cases, (1.0 - share) * cases);
    Some(Interval { low: exact_lower(hits, misses, level)?, high: 1.0 - exact_lower(misses, hits, level)? })
}

/// The exact lower bound of the share of hits. The upper one is that of the misses seen from the other end.
fn exact_lower(hits: f64, misses: f64, level: Level) -> Option<f64> {
    if hits <= 0.0 {
        return Some(0.0);
    }
    Some(Beta::new(hits, misses + 1.0).ok()?.inverse_cdf(level.tail()))
}

/// How many times as many cases bring the exact lower bound of a share from where it is (`bound`) up to a limit, if the
/// share stays what it is; none where no million of cases would. Of an upper bound all three are seen from the other end.
#[must_use]
pub fn times_needed(share: f64, bound: f64, limit: f64, level: Level) -> Option<f64> {
    let (now, then) = (cases_for(share, bound, level)?, cases_for(share, limit, level)?);
    Some(then / now)
}

/// As many independent cases have this exact lower bound; none up to a million.
fn cases_for(share: f64, bound: f64, level: Level) -> Option<f64> {
    let reaches = |cases: f64| clopper_pearson_share(share, cases, level).is_some_and(|found| found.low >= bound);
    let (mut few, mut many) = (0.0, 1e6);
    if !reaches(many) {
        return None;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(few, many);
        if reaches(middle) { many = middle } else { few = middle }
    }
    (many > 0.0).then_some(many)
}

fn is_share(share: f64, cases: f64) -> bool {
    Interval::SHARE.contains(share) && cases.is_finite() && cases > 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rounded(interval: Option<Interval>) -> (f64, f64) {
        let interval = interval.unwrap();
        let digits = |bound: f64| (bound * 1e4).round() / 1e4;
        (digits(interval.low), digits(interval.high))
    }

    #[test]
    fn wilson_is_as_published() {
        for (hits, cases, expected) in [
            (450, 500, (0.8706, 0.9233)),
            (500, 500, (0.9924, 1.0)),
            (0, 20, (0.0, 0.1611)),
            (18, 20, (0.6990, 0.9721)),
        ] {
            assert_eq!(rounded(wilson(hits, cases, Level::TWO_SIDED_95)), expected, "{hits} of {cases}");
        }
    }

    #[test]
    fn clopper_pearson_is_that_of_scipy() {
        for (hits, cases, low, high) in [
            (1, 10, 0.002_528_578_544_463, 0.445_016_117_028_195),
            (450, 500, 0.870_290_914_337_797, 0.924_864_184_933_585),
            (297, 300, 0.971_055_488_744_307, 0.997_932_992_764_908),
            (9_990, 10_000, 0.998_161_735_865_750, 0.999_520_360_276_236),
            (3, 100_000, 0.000_006_186_763_916, 0.000_087_670_202_568),
            (50_000, 100_000, 0.496_896_062_491_800, 0.503_103_937_508_200),
        ] {
            let found = clopper_pearson(hits, cases, Level::TWO_SIDED_95).unwrap();
            assert!((found.low - low).abs() < 1e-9 && (found.high - high).abs() < 1e-9, "{hits} of {cases}: {found:?}");
        }
    }

    #[test]
    fn there_is_no_interval_without_cases_or_with_more_hits_than_cases() {
        for interval in [wilson, clopper_pearson] {
            assert_eq!(interval(0, 0, Level::TWO_SIDED_95), None);
            assert_eq!(interval(3, 2, Level::TWO_SIDED_95), None);
        }
        assert_eq!(wilson_share(f64::NAN, 10.0, Level::TWO_SIDED_95), None);
        assert_eq!(clopper_pearson_share(0.5, f64::INFINITY, Level::TWO_SIDED_95), None);
    }

    #[test]
    fn of_what_was_never_seen_it_is_the_rule_of_three() {
        // Hanley and Lippman-Hand (1983): three in as many as there are.
        let exact = clopper_pearson(0, 600, Level::ONE_SIDED_95).unwrap().high;
        assert!((3.0 / 600.0 - exact).abs() < 1e-4);
    }

    #[test]
    fn of_what_never_failed_the_bound_comes_nearer_with_the_number_itself() {
        // Sixty of sixty: 0.05^(1/60) = 0.951; 0.05^(1/299) = 0.99003.
        let level = Level::ONE_SIDED_95;
        let bound = clopper_pearson(60, 60, level).unwrap().low;
        let needed = 60.0 * times_needed(1.0, bound, 0.99, level).unwrap();
        assert!((needed - 298.07).abs() < 0.1, "{needed}");
        assert_eq!(times_needed(0.98, 0.9, 0.98, level), None);
        assert_eq!(times_needed(0.9, 0.8, 0.95, level), None);
    }

    proptest! {
        #[test]
        fn as_many_cases_as_are_said_to_be_needed_are_enough(
            cases in 5usize..300,
            part in 0.5f64..=1.0,
            over in 0.1f64..0.9,
        ) {
            let level = Level::ONE_SIDED_95;
            let hits = super::super::whole(part * real(cases)).unwrap().min(cases);
            let share = real(hits) / real(cases);
            let bound = clopper_pearson(hits, cases, level).unwrap().low;
            let limit = bound + over * (share - bound);
            let needed = real(cases) * times_needed(share, bound, limit, level).unwrap();
            let low = |cases: f64| clopper_pearson_share(share, cases, level).unwrap().low;
            prop_assert!(low(needed * 1.001) >= limit && low(needed * 0.98) < limit, "{} {}", needed, limit);
        }


        #[test]
        fn intervals_hold_the_share_and_mirror_each_other(cases in 1usize..100_000, part in 0.0f64..=1.0) {
            let hits = super::super::whole(part * real(cases)).unwrap().min(cases);
            let share = real(hits) / real(cases);
            for interval in [wilson, clopper_pearson] {
                let here = interval(hits, cases, Level::TWO_SIDED_95).unwrap();
                let there = interval(cases - hits, cases, Level::TWO_SIDED_95).unwrap();
                prop_assert!(0.0 <= here.low && here.low <= share && share <= here.high && here.high <= 1.0);
                prop_assert!(here.low < here.high);
                prop_assert!((here.low - (1.0 - there.high)).abs() < 1e-9, "{:?} {:?}", here, there);
            }
        }

        #[test]
        fn fractions_of_cases_have_an_interval(cases in 1.0f64..2_000.0, exponent in 0.0f64..9.0) {
            let small = 10.0f64.powf(-exponent);
            for share in [small, 1.0 - small] {
                for interval in [wilson_share, clopper_pearson_share] {
                    for level in [Level::TWO_SIDED_95, Level::ONE_SIDED_95] {
                        let bounds = interval(share, cases, level).unwrap();
                        prop_assert!(0.0 <= bounds.low && bounds.low < bounds.high && bounds.high <= 1.0, "{:?}", bounds);
                        prop_assert!(bounds.low <= share && share <= bounds.high, "{} {} {:?}", share, cases, bounds);
                    }
                }
            }
        }

        #[test]
        fn more_cases_make_narrower_intervals(cases in 1usize..2_000, part in 0.0f64..=1.0) {
            let hits = super::super::whole(part * real(cases)).unwrap().min(cases);
            for interval in [wilson, clopper_pearson] {
                let few = interval(hits, cases, Level::TWO_SIDED_95).unwrap();
                let many = interval(4 * hits, 4 * cases, Level::TWO_SIDED_95).unwrap();
                prop_assert!(many.high - many.low < few.high - few.low);
            }
        }
    }
}
