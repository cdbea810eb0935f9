//! Scores and quantities: means, medians, and the slow end.

use super::figure::{Found, Statistic};
use super::run::{Seen, read};
use crate::evals::measure::Better::{self, Higher, Lower};
use crate::evals::row::Observation;

/// The figures of scores and amounts.
pub(super) fn find(found: &mut Found, seen: &[Seen<&Observation>]) {
    let scores = read(seen, |observation| match observation {
        Observation::Score { value } if value.is_finite() => Some(value.clamp(0.0, 1.0)),
        _ => None,
    });
    found.share("", Higher, &scores, |score| *score);
    let amounts = read(seen, |observation| match observation {
        Observation::Amount { value } if value.is_finite() => Some(*value),
        _ => None,
    });
    found.mean("mean", Lower, &amounts, |amount| *amount);
    if let Some(largest) = amounts.iter().flat_map(|seen| &seen.epochs).copied().reduce(f64::max) {
        found.plain("max", Lower, largest);
        found.statistic("", Quantiles::of(&amounts));
    }
}

/// The values that half and 95 % of the cases do not exceed: the smallest of these.
pub(super) struct Quantiles {
    /// Value, cluster and weight of each epoch, smallest first.
    values: Vec<(f64, usize, f64)>,
}

impl Quantiles {
    /// Of finite values.
    pub fn of(seen: &[Seen<f64>]) -> Self {
        let values =
            |seen: &Seen<f64>| seen.weighed().map(|(value, weight)| (*value, seen.cluster, weight)).collect::<Vec<_>>();
        let mut values: Vec<_> = seen.iter().flat_map(values).collect();
        values.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        Self { values }
    }
}

impl Statistic for Quantiles {
    fn names(&self) -> Vec<(String, Better)> {
        vec![("p50".to_owned(), Lower), ("p95".to_owned(), Lower)]
    }

    fn values(&self, counts: &[u32], out: &mut [Option<f64>]) {
        let weight = |cluster: usize, weight: f64| f64::from(counts[cluster]) * weight;
        let all: f64 = self.values.iter().map(|(_, cluster, own)| weight(*cluster, *own)).sum();
        let mut wanted = [0.5, 0.95].into_iter().zip(out).peekable();
        let mut below = 0.0;
        for (value, cluster, own) in &self.values {
            below += weight(*cluster, *own);
            // Sums of weights are exact up to rounding.
            while below > 0.0
                && let Some((_, out)) = wanted.next_if(|(share, _)| below >= share * all - 1e-9)
            {
                *out = Some(*value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::measure::Method;
    use crate::evals::metrics::support::{assert_values, measure, quick, rows, suite};

    #[test]
    fn a_quantile_is_a_value_that_was_seen() {
        let figures =
            quick(&suite(), &rows((1..=20).rev().map(|value| Observation::Amount { value: f64::from(value) })));
        assert_values(&figures, &[("m.mean", 10.5), ("m.p50", 10.0), ("m.p95", 19.0), ("m.max", 20.0)]);
        assert_eq!(measure(&figures, "m.mean").method, Method::Mean);
    }

    #[test]
    fn what_is_right_or_wrong_is_a_proportion_and_shares_are_a_mean() {
        let of = |values: [f64; 4]| {
            let figures = quick(&suite(), &rows(values.map(|value| Observation::Score { value })));
            measure(&figures, "m")
        };
        assert_eq!(of([1.0, 1.0, 0.0, 1.0]).method, Method::Wilson);
        let all_right = of([1.0; 4]);
        assert!(all_right.method == Method::Wilson && all_right.low.is_some_and(|low| low < 0.6));
        assert_eq!(of([1.0, 0.5, 0.0, 1.0]).method, Method::Mean);
        let same = of([0.5; 4]);
        assert!(same.low.is_some_and(|low| low < 0.4), "four values that are the same are not certainty: {same:?}");
    }

    #[test]
    fn what_is_no_number_is_not_counted() {
        let values = [f64::NAN, 1.0, f64::INFINITY];
        let scores = quick(&suite(), &rows(values.map(|value| Observation::Score { value })));
        let amounts = quick(&suite(), &rows(values.map(|value| Observation::Amount { value })));
        for (measure, name) in [(measure(&scores, "m"), "score"), (measure(&amounts, "m.mean"), "amount")] {
            assert_eq!((measure.value.to_string(), measure.scored, measure.total), ("1".to_owned(), 1, 3), "{name}");
        }
    }
}
