//! Whether a rewriting is answered as its original: the share of pairs with one and the same answer, right or wrong.
//!
//! That both are right is another figure. Who must not be treated otherwise for how a message is written, in which
//! language or under which name, is owed the same decision even where it is a wrong one.

use super::classification::one;
use super::figure::Found;
use super::run::{Seen, read};
use crate::evals::measure::Better::Higher;
use crate::evals::row::{Observation, predicted};

/// The figure's name behind its metric: `category.agreement`.
pub(super) const NAME: &str = "agreement";

/// Whether a figure is of this kind.
#[must_use]
pub fn is_agreement(figure: &str) -> bool {
    figure.rsplit_once('.').is_some_and(|(_, name)| name == NAME)
}

/// The figure of pairs of an original's observation and its rewriting's.
pub(super) fn find(metric: &str, pairs: &[Seen<(&Observation, &Observation)>]) -> Found {
    let mut found = Found::named(metric);
    let agree = read(pairs, |(original, rewriting)| same_answer(original, rewriting).map(one));
    found.share(NAME, Higher, &agree, |agree| *agree);
    found
}

/// Whether two answers are one and the same label or level. None where one of them is missing, and for what is neither.
/// Two answers that could not be read are not the same.
#[must_use]
pub fn same_answer(one: &Observation, other: &Observation) -> Option<bool> {
    let ((Observation::Label { predicted: a, .. }, Observation::Label { predicted: b, .. })
    | (Observation::Level { predicted: a, .. }, Observation::Level { predicted: b, .. })) = (one, other)
    else {
        return None;
    };
    let missing = [a, b].iter().any(|answer| *answer == predicted::ERROR);
    (!missing).then(|| a == b && a != predicted::INVALID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{label, measure, quick, row, suite};
    use crate::evals::row::{Base, Row};

    /// An original and its rewriting, each in a case of its own.
    fn pair(at: usize, original: Observation, rewriting: Observation) -> [Row; 2] {
        [(0, original), (1, rewriting)].map(|(which, seen)| Row {
            base: Some(Base { id: format!("b{at}"), original: which == 0 }),
            slices: [("metadata.rewrite".to_owned(), ["none", "slips"][which].to_owned())].into(),
            cluster: format!("b{at}"),
            ..row(2 * at + which, 0, seen)
        })
    }

    #[test]
    fn the_same_wrong_answer_agrees_and_two_right_ones_of_three_do_not_make_it_so() {
        let said = |predicted: &str| label("a", predicted);
        let rows: Vec<Row> = [
            ("a", "a"),
            ("b", "b"),
            ("a", "b"),
            (predicted::ABSTAIN, predicted::ABSTAIN),
            (predicted::INVALID, predicted::INVALID),
            (predicted::ERROR, "a"),
        ]
        .into_iter()
        .enumerate()
        .flat_map(|(at, (original, rewriting))| pair(at, said(original), said(rewriting)))
        .collect();
        let figures = quick(&suite(), &rows);
        let agreement = measure(&figures, "m.agreement");
        // The last pair has an answer only once.
        assert_eq!((agreement.value, agreement.scored), (0.6, 5));
        // A slice of rewritings has its pairs although the originals are not in it; that of originals has none.
        let of = |slice: &str| figures.slices[slice].get("m.agreement").map(|found| found.scored);
        assert_eq!((of("metadata.rewrite=slips"), of("metadata.rewrite=none")), (Some(5), None));
    }

    #[test]
    fn without_an_original_there_is_no_pair() {
        let [_, rewriting] = pair(0, label("a", "a"), label("a", "a"));
        assert!(!quick(&suite(), &[rewriting]).all.contains_key("m.agreement"));
        assert!(!quick(&suite(), &[row(0, 0, label("a", "a"))]).all.contains_key("m.agreement"));
        assert_eq!(same_answer(&Observation::Score { value: 1.0 }, &Observation::Score { value: 1.0 }), None);
    }
}
