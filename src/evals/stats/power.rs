//! How many cases show a difference, before money is spent on them (Miller 2024, arXiv:2411.00640).

use super::{Level, real, whole};

/// A real difference is found four times out of five: the usual power.
pub const POWER: Level = Level { tail: 0.2 };

/// Where the variance of the difference of two runs on one case comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Variance of the cases' true differences.
    pub between: f64,
    /// Variance from one epoch to another in the first run, divided by its epochs.
    pub within_a: f64,
    /// The same of the second run.
    pub within_b: f64,
}

impl Noise {
    /// Right or wrong, one epoch, and this share of cases that is right in one run only.
    #[must_use]
    pub const fn discordance(share: f64) -> Self {
        Self { between: share, within_a: 0.0, within_b: 0.0 }
    }

    /// Two runs over different cases, each right in this share of them: what pairing saves.
    #[must_use]
    pub const fn unpaired(share: f64) -> Self {
        Self { between: 2.0 * share * (1.0 - share), within_a: 0.0, within_b: 0.0 }
    }

    /// The same with each case asked several times in both runs, whose answers have the variance
    /// `within` from one epoch to another. What was given is taken as seen in single epochs, chance included.
    #[must_use]
    pub fn repeated(self, within: f64, epochs: u32) -> Self {
        let each = within / f64::from(epochs.max(1));
        Self { between: (self.between - 2.0 * within).max(0.0), within_a: each, within_b: each }
    }

    fn variance(self) -> f64 {
        self.between + self.within_a + self.within_b
    }
}

/// The cases that a difference of `effect` needs to be seen at `level` with `power`; none where no number would do.
#[must_use]
pub fn cases_needed(effect: f64, noise: Noise, level: Level, power: Level) -> Option<usize> {
    whole((level.z() + power.z()).powi(2) * noise.variance() / effect.powi(2))
}

/// The smallest difference that so many cases show; none without cases.
#[must_use]
pub fn minimum_detectable(cases: usize, noise: Noise, level: Level, power: Level) -> Option<f64> {
    let effect = (level.z() + power.z()) * (noise.variance() / real(cases)).sqrt();
    effect.is_finite().then_some(effect)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_developer_may_hope_to_see() {
        let points = |noise, cases| {
            let effect = minimum_detectable(cases, noise, Level::TWO_SIDED_95, POWER).unwrap();
            (effect * 1e3).round() / 10.0
        };
        for (cases, paired, unpaired) in [(100, 8.9, 11.9), (300, 5.1, 6.9), (500, 4.0, 5.3), (1000, 2.8, 3.8)] {
            assert_eq!(points(Noise::discordance(0.1), cases).to_string(), f64::to_string(&paired));
            assert_eq!(points(Noise::unpaired(0.9), cases).to_string(), f64::to_string(&unpaired));
        }
    }

    #[test]
    fn repetitions_help_only_against_what_varies_within_cases() {
        let needed = |noise| cases_needed(0.05, noise, Level::TWO_SIDED_95, POWER).unwrap();
        let once = Noise::discordance(0.1);
        assert_eq!(needed(once.repeated(0.04, 1)), needed(once));
        assert_eq!(needed(once.repeated(0.0, 10)), needed(once));
        // 0.02 of 0.1 is between cases; of the other 0.08 four epochs leave a quarter.
        assert_eq!(needed(once.repeated(0.04, 4)), needed(Noise::discordance(0.04)));
        assert!(needed(once.repeated(0.04, 1_000)) >= needed(Noise::discordance(0.02)));
    }

    #[test]
    fn no_difference_is_never_seen() {
        let noise = Noise::discordance(0.1);
        assert_eq!(cases_needed(0.0, noise, Level::TWO_SIDED_95, POWER), None);
        assert_eq!(cases_needed(f64::NAN, noise, Level::TWO_SIDED_95, POWER), None);
        assert_eq!(minimum_detectable(0, noise, Level::TWO_SIDED_95, POWER), None);
    }

    proptest! {
        #[test]
        fn cases_and_effect_are_each_others_inverse(cases in 10usize..100_000, between in 0.01f64..1.0, within in 0.0f64..0.5) {
            let noise = Noise { between, within_a: within, within_b: within / 2.0 };
            let effect = minimum_detectable(cases, noise, Level::TWO_SIDED_95, POWER).unwrap();
            let needed = cases_needed(effect, noise, Level::TWO_SIDED_95, POWER).unwrap();
            prop_assert!(needed.abs_diff(cases) <= 1);
        }
    }
}
