//! The room's own trial: runs that do not differ, and means that are known, thousands of times over (seeded).
//!
//! Cases come in households whose members are alike, so that whoever counts them as independent is caught here.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::bootstrap::{Sample, percentile};
use super::inferiority::{Claim, Judgement, judge};
use super::mean::clustered;
use super::paired::{Pair, difference, sign_flip};
use super::{Interval, Level, Uncertain, mcnemar, real};

const TRIALS: usize = 2_000;
const HOUSEHOLDS: usize = 60;

/// A seeded run of the world.
struct World(Xoshiro256PlusPlus);

impl World {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A number in 0..1.
    fn number(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// 1 with this probability, else 0.
    fn right(&mut self, probability: f64) -> f64 {
        f64::from(u8::from(self.number() < probability))
    }

    /// One to five members, and how hard their cases are: from 0.5 to 1, on average 0.75.
    fn household(&mut self) -> (usize, f64) {
        (1 + (self.0.next_u32() % 5) as usize, 0.5 + 0.5 * self.right(0.5))
    }

    /// Two runs that differ by nothing but chance; a household's luck in a run is shared by its members.
    fn equal_runs<'a>(&mut self, names: &'a [String]) -> Vec<Pair<'a>> {
        let mut pairs = Vec::new();
        for cluster in names {
            let (members, _) = self.household();
            let (a, b) = (0.5 + 0.5 * self.right(0.5), 0.5 + 0.5 * self.right(0.5));
            for _ in 0..members {
                pairs.push(Pair { a: self.right(a), b: self.right(b), cluster });
            }
        }
        pairs
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|name| name.to_string()).collect()
}

/// The share of trials in which something happened, and how far it may be off by chance: three standard errors.
fn share(mut happened: impl FnMut(u64) -> bool) -> (f64, f64) {
    let share = real((0..TRIALS as u64).filter(|trial| happened(*trial)).count()) / real(TRIALS);
    (share, 3.0 * (0.05 * 0.95 / real(TRIALS)).sqrt())
}

#[test]
fn equal_runs_are_called_different_one_time_in_twenty() {
    let names = names(HOUSEHOLDS);
    let differs = |pairs: &[Pair<'_>]| {
        let bounds = difference(pairs, Some(Interval::DIFFERENCE)).unwrap().mean.interval(Level::TWO_SIDED_95).unwrap();
        bounds.low > 0.0 || bounds.high < 0.0
    };
    let (alarms, chance) = share(|trial| differs(&World::new(trial).equal_runs(&names)));
    assert!((alarms - 0.05).abs() < chance, "{alarms}");
    // The same data as if members of a household were strangers: the trial can tell.
    let strangers = self::names(5 * HOUSEHOLDS);
    let (alarms, chance) = share(|trial| {
        let mut pairs = World::new(trial).equal_runs(&names);
        pairs.iter_mut().zip(&strangers).for_each(|(pair, name)| pair.cluster = name);
        differs(&pairs)
    });
    assert!(alarms > 0.05 + 2.0 * chance, "{alarms}");
}

#[test]
fn sign_flips_of_households_keep_their_level() {
    let names = names(HOUSEHOLDS);
    let (alarms, chance) = share(|trial| sign_flip(&World::new(trial).equal_runs(&names), trial, 199) <= 0.05);
    assert!((alarms - 0.05).abs() < chance, "{alarms}");
}

#[test]
fn mcnemars_test_keeps_its_level_over_independent_cases() {
    let flips = |trial: u64| {
        let mut world = World::new(trial);
        (0..200).fold((0, 0), |(harmed, healed), _| match (world.right(0.8), world.right(0.8)) {
            (a, b) if a > b => (harmed + 1, healed),
            (a, b) if a < b => (harmed, healed + 1),
            _ => (harmed, healed),
        })
    };
    let (exact, chance) = share(|trial| mcnemar::exact(flips(trial).0, flips(trial).1) <= 0.05);
    let (mid_p, _) = share(|trial| mcnemar::mid_p(flips(trial).0, flips(trial).1) <= 0.05);
    // The exact test keeps below its level, the mid-p value is close to it.
    assert!(exact > 0.01 && exact < 0.05 + chance, "{exact}");
    assert!((mid_p - 0.05).abs() < chance && mid_p > exact, "{mid_p}");
}

#[test]
fn intervals_hold_the_true_mean_nineteen_times_out_of_twenty() {
    let names = names(HOUSEHOLDS);
    let missed = |trial: u64, bounds: fn(&super::mean::Estimate) -> Option<Interval>| {
        let mut world = World::new(trial);
        let mut values = Vec::new();
        for name in &names {
            let (members, ease) = world.household();
            for _ in 0..members {
                values.push((world.right(ease), name.as_str()));
            }
        }
        !bounds(&clustered(&values, Some(Interval::SHARE)).unwrap()).unwrap().contains(0.75)
    };
    for (method, bounds) in [
        ("mean", (|mean| mean.interval(Level::TWO_SIDED_95)) as fn(&super::mean::Estimate) -> Option<Interval>),
        ("Wilson", |mean| mean.wilson(Level::TWO_SIDED_95)),
    ] {
        let (missed, chance) = share(|trial| missed(trial, bounds));
        assert!((missed - 0.05).abs() < chance, "{method} {missed}");
    }
    let (missed, chance) = share(|trial| missed(trial, |mean| mean.clopper_pearson(Level::TWO_SIDED_95)));
    assert!(missed < 0.05 + chance, "Clopper-Pearson {missed}");
}

#[test]
fn a_change_at_the_margin_passes_one_time_in_twenty() {
    // Independent cases, right in 90 % before and 85 % after, with a margin of 5 points.
    let names = names(200);
    let (passed, chance) = share(|trial| {
        let mut world = World::new(trial);
        let pairs: Vec<Pair<'_>> =
            names.iter().map(|cluster| Pair { a: world.right(0.9), b: world.right(0.85), cluster }).collect();
        let gain = difference(&pairs, Some(Interval::DIFFERENCE)).unwrap().mean;
        judge(&gain, Claim::NoWorse(0.05), Level::ONE_SIDED_95) == Judgement::Pass
    });
    assert!((passed - 0.05).abs() < chance, "{passed}");
}

#[test]
fn rare_harm_at_the_margin_passes_one_time_in_twenty_too() {
    // Nothing rises; as many fall as the margin allows, which is one or a few cases.
    for (cases, margin) in [(55, 0.05), (100, 0.02), (150, 0.02), (300, 0.02)] {
        let names = names(cases);
        let (passed, chance) = share(|trial| {
            let mut world = World::new(trial);
            let pairs: Vec<Pair<'_>> =
                names.iter().map(|cluster| Pair { a: 1.0, b: world.right(1.0 - margin), cluster }).collect();
            let gain = difference(&pairs, Some(Interval::DIFFERENCE)).unwrap().mean;
            judge(&gain, Claim::NoWorse(margin), Level::ONE_SIDED_95) == Judgement::Pass
        });
        // Counts are whole: the level cannot be met to the point.
        assert!(passed < 0.06 + chance, "{cases} cases, margin {margin}: {passed}");
    }
}

#[test]
fn a_change_at_either_margin_is_called_the_same_one_time_in_twenty() {
    let names = names(400);
    for (before, after) in [(0.9, 0.85), (0.85, 0.9)] {
        let (same, chance) = share(|trial| {
            let mut world = World::new(trial);
            let pairs: Vec<Pair<'_>> =
                names.iter().map(|cluster| Pair { a: world.right(before), b: world.right(after), cluster }).collect();
            let gain = difference(&pairs, Some(Interval::DIFFERENCE)).unwrap().mean;
            judge(&gain, Claim::Equivalent(0.05), Level::ONE_SIDED_95) == Judgement::Pass
        });
        // The other side's test takes a little more away.
        assert!(same < 0.05 + chance && same > 0.02, "{same}");
    }
}

#[test]
fn bootstrapped_bounds_keep_their_level() {
    // F1 of whether a case is easy, guessed right in 80 %; of two such runs the difference, from the same draws.
    let names = names(HOUSEHOLDS);
    let f1 = |cells: &[(usize, f64, f64)], counts: &[u32]| {
        let (both, either) = cells.iter().fold((0.0, 0.0), |(both, either), (household, gold, guess)| {
            let times = f64::from(counts[*household]);
            (both + times * gold * guess, either + times * (gold + guess))
        });
        (either > 0.0).then(|| 2.0 * both / either)
    };
    let trials = 400;
    let (mut alarms, mut missed) = (0, 0);
    for trial in 0..trials {
        let mut world = World::new(trial);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for household in 0..names.len() {
            for _ in 0..world.household().0 {
                let gold = world.right(0.5);
                let mut guess = || if world.right(0.8) > 0.0 { gold } else { 1.0 - gold };
                a.push((household, gold, guess()));
                b.push((household, gold, guess()));
            }
        }
        let sample = Sample { cases: a.len(), clusters: names.len(), seed: trial, draws: 400 };
        let found = percentile(sample, 2, |counts, out| {
            let (a, b) = (f1(&a, counts), f1(&b, counts));
            out.copy_from_slice(&[a, a.zip(b).map(|(a, b)| b - a)]);
        });
        let bounds = |at: usize| found[at].as_ref().unwrap().interval(Level::TWO_SIDED_95).unwrap();
        missed += u32::from(!bounds(0).contains(0.8));
        alarms += u32::from(!bounds(1).contains(0.0));
    }
    for (what, count) in [("missed", missed), ("alarms", alarms)] {
        let share = f64::from(count) / 400.0;
        assert!((0.01..0.09).contains(&share), "{what} {share}");
    }
}
