//! Several looks at one change: p-values raised so that looking often does not find what is not there.
//!
//! Both functions answer adjusted p-values in the order they were given, each to be held against the usual level.

use super::real;

/// Holm's step-down (1979): the probability of even one false alarm among all stays at the level.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, index) in ascending(p_values).into_iter().enumerate() {
        largest = largest.max(p_values[index] * real(p_values.len() - rank)).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// Benjamini and Hochberg's step-up (1995): among the alarms, the share of false ones stays at the level.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p_values.len()];
    let mut smallest = 1.0f64;
    for (rank, index) in ascending(p_values).into_iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * (real(p_values.len()) / real(rank + 1)));
        adjusted[index] = smallest;
    }
    adjusted
}

/// The places of the p-values, smallest first.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn adjusted_as_by_r() {
        // p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") and "BH".
        let p = [0.01, 0.04, 0.03, 0.005];
        close(&holm(&p), &[0.03, 0.06, 0.06, 0.02]);
        close(&benjamini_hochberg(&p), &[0.02, 0.04, 0.04, 0.02]);
        close(&holm(&[]), &[]);
        close(&benjamini_hochberg(&[0.7]), &[0.7]);
    }

    proptest! {
        #[test]
        fn never_below_the_plain_value_and_bh_never_above_holm(p in prop::collection::vec(0.0f64..=1.0, 0..20)) {
            for ((plain, holm), bh) in p.iter().zip(holm(&p)).zip(benjamini_hochberg(&p)) {
                prop_assert!(*plain <= bh && bh <= holm + 1e-12 && holm <= 1.0);
            }
        }

        #[test]
        fn the_order_of_the_values_stays(p in prop::collection::vec(0.0f64..=1.0, 2..20)) {
            for adjusted in [holm(&p), benjamini_hochberg(&p)] {
                for (a, b) in (0..p.len()).zip(1..p.len()) {
                    prop_assert!(p[a] > p[b] || adjusted[a] <= adjusted[b]);
                }
            }
        }
    }
}
