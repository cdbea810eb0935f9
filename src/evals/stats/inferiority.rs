//! The verdict on a change: is it no worse than a margin allows, or the same within it?
//!
//! That a difference is not significant does not show that there is none. So the margin is what is tested: a change
//! passes when what is claimed of it is sure, fails when the contrary is, and with too few cases it does neither; then
//! the verdict says how many would tell. Equivalence is claimed by two one-sided tests (Schuirmann 1987).

use super::power::POWER;
use super::{FEW_CLUSTERS, Level, Uncertain, real, whole};

/// What is claimed of a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// It is worse by less than this margin.
    NoWorse(f64),
    /// It is neither worse nor better by as much as this margin, which is above 0.
    Equivalent(f64),
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// The claim is surely true.
    Pass,
    /// It is surely false.
    Fail,
    /// Too few cases to tell.
    Inconclusive {
        /// As many in all would tell four times out of five; none where no number is in sight.
        need: Option<usize>,
    },
}

impl Claim {
    /// How much is allowed.
    #[must_use]
    pub const fn margin(self) -> f64 {
        let (Self::NoWorse(margin) | Self::Equivalent(margin)) = self;
        margin
    }

    /// The p-values of the claim and of its contrary.
    fn p_values(self, gain: &dyn Uncertain) -> (Option<f64>, Option<f64>) {
        let margin = self.margin();
        let (not_worse, worse) = (gain.p_above(-margin), gain.p_below(-margin));
        match self {
            Self::NoWorse(_) => (not_worse, worse),
            Self::Equivalent(_) => {
                let (not_better, better) = (gain.p_below(margin), gain.p_above(margin));
                // Both tests must hold for the claim; for the contrary one of two is enough, so the smaller counts
                // twice (Bonferroni).
                let same = not_worse.zip(not_better).map(|(above, below)| above.max(below));
                (same, worse.zip(better).map(|(below, above)| (2.0 * below.min(above)).min(1.0)))
            }
        }
    }

    /// How far the gain is from where the claim ends, and how many standard errors away it must be to be seen there
    /// four times out of five.
    fn distance(self, gain: f64, level: Level) -> (f64, f64) {
        match self {
            Self::NoWorse(margin) => (margin + gain.min(0.0), level.z() + POWER.z()),
            // It can be missed on either side.
            Self::Equivalent(margin) => (margin - gain.abs(), level.z() + Level { tail: POWER.tail() / 2.0 }.z()),
        }
    }
}

/// Judges what is claimed of a gain (a difference, above 0 where the change is for the better).
#[must_use]
pub fn judge(gain: &dyn Uncertain, claim: Claim, level: Level) -> Judgement {
    judged(gain, claim, [level; 2], claim.p_values(gain))
}

/// Judges the same claim in several places, with p-values adjusted for looking often ([`super::multiple`]).
#[must_use]
pub fn judge_all(
    gains: &[&dyn Uncertain],
    claim: Claim,
    level: Level,
    adjust: impl Fn(&[f64]) -> Vec<f64>,
) -> Vec<Judgement> {
    // Without a p-value there is no evidence; it was a look all the same.
    let p_values = gains.iter().map(|gain| claim.p_values(*gain));
    let (proof, refutation): (Vec<f64>, Vec<f64>) =
        p_values.map(|(proof, refutation)| (proof.unwrap_or(1.0), refutation.unwrap_or(1.0))).unzip();
    let adjusted = adjust(&proof).into_iter().zip(adjust(&refutation));
    // How many cases would tell is said for the look that is held to the strictest level of them.
    let strictest = Level { tail: level.tail() / real(gains.len().max(1)) };
    let looks = gains.iter().zip(adjusted);
    looks
        .map(|(gain, (proof, refutation))| judged(*gain, claim, [level, strictest], (Some(proof), Some(refutation))))
        .collect()
}

fn judged(
    gain: &dyn Uncertain,
    claim: Claim,
    [level, strictest]: [Level; 2],
    p_values: (Option<f64>, Option<f64>),
) -> Judgement {
    let sure = |p: Option<f64>| p.is_some_and(|p| p <= level.tail());
    let (holds, fails) = (sure(p_values.0), sure(p_values.1));
    let few = gain.clusters() < FEW_CLUSTERS && gain.clusters() < gain.cases();
    if few || !(holds || fails) {
        return Judgement::Inconclusive { need: need(gain, claim, strictest).filter(|need| *need > gain.cases()) };
    }
    if holds { Judgement::Pass } else { Judgement::Fail }
}

/// How many cases would tell, if the gain is what it seems to be, and no better than none.
fn need(gain: &dyn Uncertain, claim: Claim, level: Level) -> Option<usize> {
    let cases = real(gain.cases());
    let enough = match gain.standard_error() {
        Some(error) => {
            let (distance, errors) = claim.distance(gain.value(), level);
            cases * (errors * error / distance).powi(2)
        }
        // Nothing varies: so many that a share of cases as large as the margin would have shown.
        None => level.tail().ln() / (-claim.margin()).ln_1p() * cases / real(gain.clusters()),
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
    use crate::evals::stats::mean::Estimate;
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
        assert_eq!(judge(&change(1000, 10, 10, 1).mean, Claim::NoWorse(0.02), LEVEL), Judgement::Pass);
        assert_eq!(judge(&change(1000, 60, 5, 1).mean, Claim::NoWorse(0.02), LEVEL), Judgement::Fail);
        // Half a point lost: with a deviation of 0.1584 a case, ((1.645 + 0.842) · 0.1584 / 0.015)² cases would tell.
        assert_eq!(
            judge(&change(200, 3, 2, 1).mean, Claim::NoWorse(0.02), LEVEL),
            Judgement::Inconclusive { need: Some(690) }
        );
    }

    #[test]
    fn nothing_changed_passes_only_with_enough_cases() {
        assert_eq!(judge(&change(149, 0, 0, 1).mean, Claim::NoWorse(0.02), LEVEL), Judgement::Pass);
        assert_eq!(
            judge(&change(148, 0, 0, 1).mean, Claim::NoWorse(0.02), LEVEL),
            Judgement::Inconclusive { need: Some(149) }
        );
    }

    #[test]
    fn few_clusters_do_not_tell_however_many_cases_they_hold() {
        let few = change(1000, 10, 10, 100);
        assert_eq!(judge(&few.mean, Claim::NoWorse(0.05), LEVEL), Judgement::Inconclusive { need: Some(2000) });
        assert_eq!(judge(&change(1000, 10, 10, 10).mean, Claim::NoWorse(0.05), LEVEL), Judgement::Pass);
    }

    #[test]
    fn at_the_margin_itself_no_number_of_cases_would_tell() {
        let gain = change(100, 4, 2, 1).mean;
        assert_eq!(judge(&gain, Claim::NoWorse(0.02), LEVEL), Judgement::Inconclusive { need: None });
    }

    #[test]
    fn looking_often_makes_a_verdict_harder() {
        let borderline = change(300, 8, 0, 1).mean;
        let calm = change(300, 1, 1, 1).mean;
        assert_eq!(judge(&borderline, Claim::NoWorse(0.01), Level::beyond(0.06).unwrap()), Judgement::Fail);
        let gains: Vec<&dyn Uncertain> = [vec![&borderline as &dyn Uncertain], vec![&calm; 9]].concat();
        for adjust in [holm, benjamini_hochberg] {
            let judged = judge_all(&gains, Claim::NoWorse(0.01), Level::beyond(0.06).unwrap(), adjust);
            assert!(matches!(judged[0], Judgement::Inconclusive { .. }), "{judged:?}");
        }
        let unadjusted = judge_all(&gains, Claim::NoWorse(0.01), Level::beyond(0.06).unwrap(), <[f64]>::to_vec);
        assert_eq!(unadjusted[0], Judgement::Fail);
    }

    #[test]
    fn the_same_within_a_margin_on_both_sides() {
        let equivalent = |gain: Difference, margin| judge(&gain.mean, Claim::Equivalent(margin), LEVEL);
        assert_eq!(equivalent(change(1000, 10, 10, 1), 0.02), Judgement::Pass);
        // Surely better is no worse, and it is not the same.
        let better = change(1000, 5, 60, 1).mean;
        assert_eq!(judge(&better, Claim::NoWorse(0.02), LEVEL), Judgement::Pass);
        assert_eq!(judge(&better, Claim::Equivalent(0.02), LEVEL), Judgement::Fail);
        assert_eq!(equivalent(change(1000, 60, 5, 1), 0.02), Judgement::Fail);
        // (1.644854 + 1.281552)² · (5/200 − 0.005²) · 200/199 / (0.02 − 0.005)²
        assert_eq!(equivalent(change(200, 3, 2, 1), 0.02), Judgement::Inconclusive { need: Some(956) });
        // Nothing varies: as many cases as for one side.
        assert_eq!(equivalent(change(149, 0, 0, 1), 0.02), Judgement::Pass);
        assert_eq!(equivalent(change(148, 0, 0, 1), 0.02), Judgement::Inconclusive { need: Some(149) });
    }

    /// The mean gain of independent pairs.
    fn gain(flips: &[(u8, u8)]) -> Estimate {
        let names: Vec<String> = (0..flips.len()).map(|name| name.to_string()).collect();
        let pairs = flips.iter().zip(&names).map(|(&(a, b), cluster)| Pair { a: a.into(), b: b.into(), cluster });
        difference(&pairs.collect::<Vec<_>>(), Some(Interval::DIFFERENCE)).unwrap().mean
    }

    proptest! {
        #[test]
        fn two_one_sided_tests_are_the_interval_within_the_margins(
            flips in prop::collection::vec((0u8..=1, 0u8..=1), 2..120),
            margin in 0.001f64..0.3,
        ) {
            let gain = gain(&flips);
            let bounds = gain.interval(LEVEL).unwrap();
            let same = judge(&gain, Claim::Equivalent(margin), LEVEL) == Judgement::Pass;
            let within = |slack: f64| bounds.low > -margin + slack && bounds.high < margin - slack;
            prop_assert!(!within(1e-6) || same);
            prop_assert!(!same || within(-1e-6));
            // What is the same is no worse.
            prop_assert!(!same || judge(&gain, Claim::NoWorse(margin), LEVEL) == Judgement::Pass);
        }

        #[test]
        fn bounds_and_verdict_say_the_same_and_more_margin_never_harms(
            flips in prop::collection::vec((0u8..=1, 0u8..=1), 2..120),
            margin in 0.001f64..0.3,
        ) {
            let gain = gain(&flips);
            let bounds = gain.interval(LEVEL).unwrap();
            match judge(&gain, Claim::NoWorse(margin), LEVEL) {
                Judgement::Pass => {
                    prop_assert!(bounds.low >= -margin - 1e-6);
                    prop_assert_eq!(judge(&gain, Claim::NoWorse(margin * 1.5), LEVEL), Judgement::Pass);
                }
                Judgement::Fail => {
                    prop_assert!(bounds.high <= -margin + 1e-6);
                    prop_assert_eq!(judge(&gain, Claim::NoWorse(margin / 1.5), LEVEL), Judgement::Fail);
                }
                Judgement::Inconclusive { need } => {
                    prop_assert!(bounds.low <= -margin + 1e-6 && bounds.high >= -margin - 1e-6);
                    prop_assert!(need.is_none_or(|need| need > flips.len()));
                }
            }
        }
    }
}
