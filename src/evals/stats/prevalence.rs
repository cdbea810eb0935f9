//! A share that was seen through an instrument that errs: what it says, corrected by how it errs.
//!
//! The point is Rogan and Gladen's (1978), (p + Sp − 1) / (Se + Sp − 1); the bounds are those of Lang and Reiczigel
//! (2014), which count the uncertainty of what was looked at and of both sets that the instrument was tried on, and
//! keep their level with small sets and with an instrument that never erred on them.

use super::{Interval, Level};

/// A share and how many independent cases it rests on; dependent ones count as fewer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// The share, in 0..=1.
    pub value: f64,
    /// Cases, above 0.
    pub cases: f64,
}

/// What a corrected share comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corrected {
    /// The share that an instrument without errors would have found.
    pub value: f64,
    /// Its bounds; `value` lies between them.
    pub interval: Interval,
}

impl Share {
    fn is_one(self) -> bool {
        Interval::SHARE.contains(self.value) && self.cases.is_finite() && self.cases > 0.0
    }

    /// The same with so many hits and as many misses more.
    fn with(self, more: f64) -> Self {
        let cases = self.cases + 2.0 * more;
        Self { value: (self.value * self.cases + more) / cases, cases }
    }

    fn variance(self) -> f64 {
        self.value * (1.0 - self.value) / self.cases
    }
}

/// The share behind `seen`, found by an instrument that calls this share of the good ones good (`sensitivity`) and this
/// share of the others not (`specificity`). None where the instrument does no better than chance.
#[must_use]
pub fn corrected(seen: Share, sensitivity: Share, specificity: Share, level: Level) -> Option<Corrected> {
    if ![seen, sensitivity, specificity].into_iter().all(Share::is_one) {
        return None;
    }
    let point = |seen: Share, se: Share, sp: Share| {
        let better_than_chance = se.value + sp.value - 1.0;
        let share = ((seen.value + sp.value - 1.0) / better_than_chance).clamp(0.0, 1.0);
        (better_than_chance > 0.0).then_some((share, better_than_chance))
    };
    let (value, _) = point(seen, sensitivity, specificity)?;
    let z = level.z();
    let (seen, se, sp) = (seen.with(z * z / 2.0), sensitivity.with(1.0), specificity.with(1.0));
    let (near, better_than_chance) = point(seen, se, sp)?;
    let (of_good, of_others) = (near * se.variance(), (1.0 - near) * sp.variance());
    let middle = near + 2.0 * z * z * (of_good - of_others);
    let variance = seen.variance() + near * of_good + (1.0 - near) * of_others;
    let half = z * variance.sqrt() / better_than_chance;
    let interval = Interval { low: (middle - half).clamp(0.0, value), high: (middle + half).clamp(value, 1.0) };
    Some(Corrected { value, interval })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng as _, SeedableRng as _};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn share(value: f64, cases: f64) -> Share {
        Share { value, cases }
    }

    fn at_95(seen: Share, se: Share, sp: Share) -> Option<Corrected> {
        corrected(seen, se, sp, Level::TWO_SIDED_95)
    }

    #[test]
    fn a_rate_is_corrected_by_how_the_instrument_errs() {
        // p = .80, Se = .95, Sp = .90 → .8235.
        let found = at_95(share(0.8, 200.0), share(0.95, 100.0), share(0.9, 100.0)).unwrap();
        assert!((found.value - 0.823_529).abs() < 1e-6, "{found:?}");
        assert!(found.interval.low > 0.7 && found.interval.high < 0.93, "{found:?}");
        let perfect = at_95(share(0.3, 100.0), share(1.0, 10.0), share(1.0, 10.0)).unwrap();
        assert!((perfect.value - 0.3).abs() < 1e-12);
        let surer = at_95(share(0.3, 100.0), share(1.0, 1e9), share(1.0, 1e9)).unwrap();
        assert!(perfect.interval.low < surer.interval.low && surer.interval.high < perfect.interval.high);
        assert_eq!(at_95(share(0.5, 100.0), share(0.5, 10.0), share(0.5, 10.0)), None, "no better than chance");
        for wrong in [share(f64::NAN, 10.0), share(1.1, 10.0), share(0.5, 0.0)] {
            assert_eq!(at_95(wrong, share(0.9, 10.0), share(0.9, 10.0)), None);
        }
    }

    /// An instrument of known errors before shares that are known: 95 of 100 intervals hold the true one.
    #[test]
    fn intervals_hold_the_true_share_as_often_as_they_say() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        for (truth, se, sp, seen, good, others) in
            [(0.8, 0.95, 0.9, 200, 50, 50), (0.5, 0.9, 0.7, 300, 40, 40), (0.2, 0.95, 0.9, 100, 25, 25)]
        {
            let mut draw = |cases: u32, probability: f64| {
                let hits = (0..cases).filter(|_| random.random_bool(probability)).count();
                share(super::super::real(hits) / f64::from(cases), f64::from(cases))
            };
            let (mut held, mut all) = (0_u32, 0_u32);
            for _ in 0..800 {
                let apparent = truth * se + (1.0 - truth) * (1.0 - sp);
                let found = at_95(draw(seen, apparent), draw(good, se), draw(others, sp));
                let Some(Corrected { interval, .. }) = found else { continue };
                all += 1;
                held += u32::from(interval.contains(truth));
            }
            let coverage = f64::from(held) / f64::from(all);
            assert!(all == 800 && coverage > 0.93, "{truth} {se} {sp}: {coverage}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_seen_the_value_lies_between_its_bounds(
            seen in (0.0_f64..=1.0, 0.5_f64..500.0), se in (0.0_f64..=1.0, 0.5_f64..500.0), sp in (0.0_f64..=1.0, 0.5_f64..500.0),
        ) {
            if let Some(found) = at_95(share(seen.0, seen.1), share(se.0, se.1), share(sp.0, sp.1)) {
                let Interval { low, high } = found.interval;
                prop_assert!(0.0 <= low && low <= found.value && found.value <= high && high <= 1.0, "{:?}", found);
            }
        }
    }
}
