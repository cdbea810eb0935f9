//! The verdict on a change: is it no worse than the margin allows?
//!
//! That a difference is not significant does not show that there is none. So the margin is what is tested: a change
//! passes when it is surely above it, fails when it is surely below it, and with too few cases it does neither; then
//! the verdict says how many would tell.

use super::power::POWER;
use super::{FEW_CLUSTERS, Level, Uncertain, real, whole};

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Surely no worse than the margin allows.
    Pass,
    /// Surely worse.
    Fail,
    /// Too few cases to tell.
    Inconclusive {
        /// As many in all would tell four times out of five; none where no number is in sight.
        need: Option<usize>,
    },
}

/// Judges a gain (a difference, above 0 where the change is for the better) against the margin below 0 that is allowed.
#[must_use]
pub fn judge(gain: &dyn Uncertain, margin: f64, level: Level) -> Judgement {
    judged(gain, margin, level, gain.p_above(-margin), gain.p_below(-margin))
}

/// Judges the same change in several places, with p-values adjusted for looking often ([`super::multiple`]).
#[must_use]
pub fn judge_all(
    gains: &[&dyn Uncertain],
    margin: f64,
    level: Level,
    adjust: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<Judgement> {
    let adjusted = |p_value: &dyn Fn(&dyn Uncertain) -> Option<f64>| {
        // Without a p-value there is no evidence; it was a look all the same.
        adjust(&gains.iter().map(|gain| p_value(*gain).unwrap_or(1.0)).collect::<Vec<_>>())
    };
    let (above, below) = (adjusted(&|gain| gain.p_above(-margin)), adjusted(&|gain| gain.p_below(-margin)));
    let p_values = above.into_iter().zip(below);
    gains
        .iter()
        .zip(p_values)
        .map(|(gain, (above, below))| judged(*gain, margin, level, Some(above), Some(below)))
        .collect()
}

fn judged(gain: &dyn Uncertain, margin: f64, level: Level, above: Option<f64>, below: Option<f64>) -> Judgement {
    let sure = |p: Option<f64>| p.is_some_and(|p| p <= level.tail());
    let few = gain.clusters() < FEW_CLUSTERS && gain.clusters() < gain.cases();
    if few || !(sure(above) || sure(below)) {
        return Judgement::Inconclusive { need: need(gain, margin, level).filter(|need| *need > gain.cases()) };
    }
    if sure(above) { Judgement::Pass } else { Judgement::Fail }
}

/// How many cases would tell, if the gain is what it seems to be, and no better than none.
fn need(gain: &dyn Uncertain, margin: f64, level: Level) -> Option<usize> {
    let cases = real(gain.cases());
    let enough = match gain.standard_error() {
        Some(error) => {
            let distance = margin + gain.value().min(0.0);
            cases * ((level.z() + POWER.z()) * error / distance).powi(2)
        }
        // Nothing varies: so many that a share of cases as large as the margin would have shown.
        None => level.tail().ln() / (-margin).ln_1p() * cases / real(gain.clusters()),
    };
    // As many clusters as it takes, at this number of cases a cluster.
    let clusters =
        if gain.clusters() < gain.cases() { real(FEW_CLUSTERS) * cases / real(gain.clusters()) } else { 0.0 };
    whole(enough).and_then(|enough| Some(enough.max(whole(clusters)?)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evals::stats::Interval;
    use crate::evals::stats::multiple::{benjamini_hochberg, holm};
    use crate::evals::stats::paired::{Difference, Pair, difference};

    const LEVEL: Level = Level::ONE_SIDED_95;

    /// Cases of which so many fell and rose, in clusters of `size`.
    fn change(cases: usize, fell: usize, rose: usize, size: usize) -> Difference {
        let names: Vec<String> = (0..cases).map(|case| (case / size).to_string()).collect();
        // Spread over the clusters.
        let step = cases / (fell + rose).max(1);
        let pairs: Vec<Pair<'_>> = (0..cases)
            .map(|case| {
                let (a, b) = match case.is_multiple_of(step).then_some(case / step) {
                    Some(turn) if turn < fell => (1.0, 0.0),
                    Some(turn) if turn < fell + rose => (0.0, 1.0),
                    _ => (1.0, 1.0),
                };
                Pair { a, b, cluster: &names[case] }
            })
            .collect();
        let found = difference(&pairs, Some(Interval::DIFFERENCE)).unwrap();
        assert_eq!((found.fell, found.rose), (fell, rose));
        found
    }

    #[test]
    fn surely_above_surely_below_and_neither() {
        assert_eq!(judge(&change(1000, 10, 10, 1).mean, 0.02, LEVEL), Judgement::Pass);
        assert_eq!(judge(&change(1000, 60, 5, 1).mean, 0.02, LEVEL), Judgement::Fail);
        // Half a point lost: with a deviation of 0.1584 a case, ((1.645 + 0.842) · 0.1584 / 0.015)² cases would tell.
        assert_eq!(judge(&change(200, 3, 2, 1).mean, 0.02, LEVEL), Judgement::Inconclusive { need: Some(690) });
    }

    #[test]
    fn nothing_changed_passes_only_with_enough_cases() {
        assert_eq!(judge(&change(149, 0, 0, 1).mean, 0.02, LEVEL), Judgement::Pass);
        assert_eq!(judge(&change(148, 0, 0, 1).mean, 0.02, LEVEL), Judgement::Inconclusive { need: Some(149) });
    }

    #[test]
    fn few_clusters_do_not_tell_however_many_cases_they_hold() {
        let few = change(1000, 10, 10, 100);
        assert_eq!(judge(&few.mean, 0.05, LEVEL), Judgement::Inconclusive { need: Some(2000) });
        assert_eq!(judge(&change(1000, 10, 10, 10).mean, 0.05, LEVEL), Judgement::Pass);
    }

    #[test]
    fn at_the_margin_itself_no_number_of_cases_would_tell() {
        let gain = change(100, 4, 2, 1).mean;
        assert_eq!(judge(&gain, 0.02, LEVEL), Judgement::Inconclusive { need: None });
    }

    #[test]
    fn looking_often_makes_a_verdict_harder() {
        let borderline = change(300, 8, 0, 1).mean;
        let calm = change(300, 1, 1, 1).mean;
        assert_eq!(judge(&borderline, 0.01, Level::beyond(0.06).unwrap()), Judgement::Fail);
        let gains: Vec<&dyn Uncertain> = [vec![&borderline as &dyn Uncertain], vec![&calm; 9]].concat();
        for adjust in [holm, benjamini_hochberg] {
            let judged = judge_all(&gains, 0.01, Level::beyond(0.06).unwrap(), adjust);
            assert!(matches!(judged[0], Judgement::Inconclusive { .. }), "{judged:?}");
        }
        let unadjusted = judge_all(&gains, 0.01, Level::beyond(0.06).unwrap(), <[f64]>::to_vec);
        assert_eq!(unadjusted[0], Judgement::Fail);
    }

    proptest! {
        #[test]
        fn bounds_and_verdict_say_the_same_and_more_margin_never_harms(
            flips in prop::collection::vec((0u8..=1, 0u8..=1), 2..120),
            margin in 0.001f64..0.3,
        ) {
            let names: Vec<String> = (0..flips.len()).map(|name| name.to_string()).collect();
            let pairs: Vec<Pair<'_>> = flips.iter().zip(&names)
                .map(|(&(a, b), cluster)| Pair { a: a.into(), b: b.into(), cluster })
                .collect();
            let gain = difference(&pairs, Some(Interval::DIFFERENCE)).unwrap().mean;
            let bounds = gain.interval(LEVEL).unwrap();
            match judge(&gain, margin, LEVEL) {
                Judgement::Pass => {
                    prop_assert!(bounds.low >= -margin - 1e-6);
                    prop_assert_eq!(judge(&gain, margin * 1.5, LEVEL), Judgement::Pass);
                }
                Judgement::Fail => {
                    prop_assert!(bounds.high <= -margin + 1e-6);
                    prop_assert_eq!(judge(&gain, margin / 1.5, LEVEL), Judgement::Fail);
                }
                Judgement::Inconclusive { need } => {
                    prop_assert!(bounds.low <= -margin + 1e-6 && bounds.high >= -margin - 1e-6);
                    prop_assert!(need.is_none_or(|need| need > flips.len()));
                }
            }
        }
    }
}
