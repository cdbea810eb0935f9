//! Sets against expected sets: precision and recall over all items of all cases (micro averages), and how often a case
//! is exactly right.

use super::classification::one;
use super::figure::Found;
use super::run::{Seen, read};
use crate::evals::measure::Better::Higher;
use crate::evals::row::Observation;

/// The figures of counts.
pub(super) fn find(found: &mut Found, seen: &[Seen<&Observation>]) {
    let counts = read(seen, |observation| match **observation {
        Observation::Counts { true_positive, false_positive, false_negative } => {
            Some([true_positive, false_positive, false_negative].map(f64::from))
        }
        _ => None,
    });
    found.part("precision", Higher, &counts, |[hits, extra, _]| (*hits, hits + extra));
    found.part("recall", Higher, &counts, |[hits, _, missing]| (*hits, hits + missing));
    found.part("f1", Higher, &counts, |[hits, extra, missing]| (2.0 * hits, 2.0 * hits + extra + missing));
    found.share("exact", Higher, &counts, |[_, extra, missing]| one(extra + missing <= 0.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{assert_values, quick, rows, suite};

    fn counts(true_positive: u32, false_positive: u32, false_negative: u32) -> Observation {
        Observation::Counts { true_positive, false_positive, false_negative }
    }

    #[test]
    fn items_count_and_not_cases() {
        let figures = quick(&suite(), &rows([counts(8, 0, 0), counts(1, 1, 2), counts(0, 0, 0)]));
        assert_values(
            &figures,
            &[("m.precision", 0.9), ("m.recall", 9.0 / 11.0), ("m.f1", 18.0 / 21.0), ("m.exact", 2.0 / 3.0)],
        );
    }

    #[test]
    fn nothing_expected_and_nothing_found_has_no_precision() {
        let figures = quick(&suite(), &rows([counts(0, 0, 0)]));
        assert_values(&figures, &[("m.exact", 1.0)]);
        assert!(["m.precision", "m.recall", "m.f1"].iter().all(|name| !figures.all.contains_key(*name)));
    }
}
