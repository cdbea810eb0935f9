//! McNemar's test (1947) of two runs over the same independent cases, right or wrong in each.
//!
//! Only cases that changed count: `harmed` were right before and are wrong now, `healed` the reverse. Without a
//! difference between the runs a changed case goes either way like a coin. Where cases share clusters the sign flips of
//! [`super::paired`] are the test.

use std::f64::consts::LN_2;

use statrs::function::factorial::ln_binomial;

use super::real;

/// The exact two-sided p-value.
#[must_use]
pub fn exact(harmed: usize, healed: usize) -> f64 {
    tails(harmed, healed).0.min(1.0)
}

/// The mid-p value (Fagerland, Lydersen and Laake 2013): less strict, and closer to the level that it says.
#[must_use]
pub fn mid_p(harmed: usize, healed: usize) -> f64 {
    let (tails, seen) = tails(harmed, healed);
    (tails - seen).min(1.0)
}

/// Twice the binomial tail as far out as what was seen, and the probability of exactly what was seen.
fn tails(harmed: usize, healed: usize) -> (f64, f64) {
    let (changed, fewer) = ((harmed + healed) as u64, harmed.min(healed) as u64);
    let nothing = real(harmed + healed) * LN_2;
    let probability = |hits: u64| (ln_binomial(changed, hits) - nothing).exp();
    (2.0 * (0..=fewer).map(probability).sum::<f64>(), probability(fewer))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_published() {
        for (harmed, healed, exactly, middle) in [
            (12, 4, 0.07681, 0.04904),
            (25, 10, 0.01667, 0.01133),
            (3, 0, 0.25, 0.125),
            (0, 0, 1.0, 1.0),
            (5, 5, 1.0, 1.0),
        ] {
            assert!((exact(harmed, healed) - exactly).abs() < 5e-6, "{harmed} {healed} {}", exact(harmed, healed));
            assert!((mid_p(harmed, healed) - middle).abs() < 5e-6, "{harmed} {healed} {}", mid_p(harmed, healed));
        }
    }

    proptest! {
        #[test]
        fn it_does_not_matter_which_run_is_first(harmed in 0usize..2_000, healed in 0usize..2_000) {
            prop_assert!((exact(harmed, healed) - exact(healed, harmed)).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&mid_p(harmed, healed)));
            prop_assert!(mid_p(harmed, healed) <= exact(harmed, healed));
        }

        #[test]
        fn a_further_case_on_the_heavier_side_is_further_evidence(fewer in 0usize..300, lead in 1usize..300) {
            prop_assert!(exact(fewer, fewer + lead + 1) < exact(fewer, fewer + lead) + 1e-12);
        }
    }
}
