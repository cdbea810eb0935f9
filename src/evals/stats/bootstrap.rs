//! The bootstrap (Efron 1979) over clusters, for statistics that are no mean: F1, kappa, calibration, quantiles, and
//! differences of them between two runs.
//!
//! Clusters are drawn with replacement, as many as there are; a draw says how often each came up, and every statistic
//! of a sample, of both runs where two are compared, is taken from the same draw. Draws come in chunks, each from its
//! own stretch of one xoshiro256++ sequence, so that a seed gives the same draws on any number of threads, on any
//! machine, and in years to come.

use std::num::NonZeroUsize;
use std::thread;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};
use sha2::{Digest as _, Sha256};

use super::{FEW_CLUSTERS, Interval, Level, Uncertain, real, whole};

/// As many draws as reports and gates take.
pub const DRAWS: usize = 10_000;

/// Draws from one stretch of the sequence.
const CHUNK: usize = 250;

/// The share of draws in which a statistic may be undefined and still have bounds: a class that is rare enough is in
/// none of the clusters that were drawn.
const UNDEFINED: f64 = 0.01;

/// Where a sequence begins: from what it belongs to (suite, runs, figure), so that the same question gets the same draws.
#[must_use]
pub fn seed(words: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word);
        hash.update([0]);
    }
    hash.finalize().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

/// A sample that is drawn from again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Cases.
    pub cases: usize,
    /// Clusters, fewer than 2³².
    pub clusters: usize,
    /// Where the sequence begins.
    pub seed: u64,
    /// How often it is drawn.
    pub draws: usize,
}

/// A statistic and the values that it took in resamples.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    value: f64,
    sample: Sample,
    /// Ascending; empty where bounds would say nothing.
    draws: Vec<f64>,
}

/// The values of several statistics and how sure they are, in their order; none where a statistic is undefined. With few
/// clusters there is nothing to draw from, and values have no bounds.
///
/// `statistics` is given how often each cluster counts, by its number, and writes each statistic to its place.
pub fn percentile<F>(sample: Sample, width: usize, statistics: F) -> Vec<Option<Resampled>>
where
    F: Fn(&[u32], &mut [Option<f64>]) + Sync,
{
    let mut values = vec![None; width];
    statistics(&vec![1; sample.clusters], &mut values);
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let drawn = resample(sample, width, threads, &statistics);
    values
        .into_iter()
        .enumerate()
        .map(|(at, value)| Resampled::new(value?, sample, drawn.iter().skip(at).step_by(width).copied()))
        .collect()
}

/// The statistics of each draw, one draw after the other.
fn resample<F>(sample: Sample, width: usize, threads: usize, statistics: &F) -> Vec<Option<f64>>
where
    F: Fn(&[u32], &mut [Option<f64>]) + Sync,
{
    let mut drawn = vec![None; sample.draws * width];
    if drawn.is_empty() || sample.clusters < FEW_CLUSTERS {
        return Vec::new();
    }
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(sample.seed);
    let mut chunks: Vec<_> = drawn
        .chunks_mut(CHUNK * width)
        .map(|chunk| {
            let own = generator.clone();
            generator.jump();
            (own, chunk)
        })
        .collect();
    let share = chunks.len().div_ceil(threads.max(1));
    thread::scope(|scope| {
        for chunks in chunks.chunks_mut(share) {
            scope.spawn(move || {
                let mut counts = vec![0; sample.clusters];
                for (generator, chunk) in chunks {
                    for out in chunk.chunks_mut(width) {
                        draw(generator, &mut counts);
                        statistics(&counts, out);
                    }
                }
            });
        }
    });
    drawn
}

/// Draws as many clusters as there are and counts how often each came up.
fn draw(generator: &mut Xoshiro256PlusPlus, counts: &mut [u32]) {
    counts.fill(0);
    for _ in 0..counts.len() {
        // The upper half of the product is a number below the count, each as likely up to 2⁻³² of it (Lemire 2019).
        let drawn = (u64::from(generator.next_u32()) * counts.len() as u64) >> 32;
        if let Some(count) = usize::try_from(drawn).ok().and_then(|drawn| counts.get_mut(drawn)) {
            *count += 1;
        }
    }
}

impl Resampled {
    fn new(value: f64, sample: Sample, draws: impl Iterator<Item = Option<f64>>) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let mut draws: Vec<f64> = draws.flatten().filter(|draw| draw.is_finite()).collect();
        draws.sort_unstable_by(f64::total_cmp);
        // Draws that are all the same say that nothing varies, not that the value is certain.
        let varies = draws.first() < draws.last();
        if !varies || real(sample.draws - draws.len()) > UNDEFINED * real(sample.draws) {
            draws.clear();
        }
        Some(Self { value, sample, draws })
    }

    /// One-sided p-value: the share of draws on the wrong side, the sample itself counted as one of them.
    fn p(&self, wrong: impl Fn(f64) -> bool) -> Option<f64> {
        let wrong = self.draws.iter().filter(|draw| wrong(**draw)).count();
        (!self.draws.is_empty()).then(|| real(wrong + 1) / real(self.draws.len() + 1))
    }
}

impl Uncertain for Resampled {
    fn value(&self) -> f64 {
        self.value
    }

    fn standard_error(&self) -> Option<f64> {
        let count = real(self.draws.len());
        let mean = self.draws.iter().sum::<f64>() / count;
        let variance = self.draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (variance > 0.0).then(|| variance.sqrt())
    }

    fn cases(&self) -> usize {
        self.sample.cases
    }

    fn clusters(&self) -> usize {
        self.sample.clusters
    }

    /// Percentiles, the outer ones where a bound lies between two draws; none with too few draws for the level.
    fn interval(&self, level: Level) -> Option<Interval> {
        // Rank in 1..=draws from the end: as many draws beyond it as the p-value of its own counts.
        let rank = whole((level.tail() * real(self.draws.len() + 1)).floor())?.checked_sub(1)?;
        let last = self.draws.len().checked_sub(1)?;
        Some(Interval { low: *self.draws.get(rank)?, high: *self.draws.get(last.checked_sub(rank)?)? })
    }

    fn p_above(&self, limit: f64) -> Option<f64> {
        self.p(|draw| draw <= limit)
    }

    fn p_below(&self, limit: f64) -> Option<f64> {
        self.p(|draw| draw >= limit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evals::stats::mean::clustered;

    /// Numbers between 0 and 1 that look random.
    fn values(count: usize) -> Vec<f64> {
        (0..count).map(|at| (real(at) * 0.618_034).fract()).collect()
    }

    fn mean(values: &[f64]) -> impl Fn(&[u32], &mut [Option<f64>]) + Sync + '_ {
        |counts, out| {
            let (sum, count) = values.iter().zip(counts).fold((0.0, 0.0), |(sum, count), (value, &times)| {
                (sum + value * f64::from(times), count + f64::from(times))
            });
            out[0] = Some(sum / count);
        }
    }

    fn of(cases: usize, seed: u64, draws: usize) -> Sample {
        Sample { cases, clusters: cases, seed, draws }
    }

    #[test]
    fn of_a_mean_it_agrees_with_theory() {
        let values = values(200);
        let drawn = percentile(of(200, 11, DRAWS), 1, mean(&values)).remove(0).unwrap();
        let names: Vec<String> = (0..200).map(|name| name.to_string()).collect();
        let values: Vec<(f64, &str)> = values.iter().copied().zip(names.iter().map(String::as_str)).collect();
        let theory = clustered(&values, None).unwrap();
        assert!((drawn.value() - theory.mean).abs() < 1e-12);
        assert!((drawn.standard_error().unwrap() / theory.naive - 1.0).abs() < 0.02);
        let (drawn, theory) =
            (drawn.interval(Level::TWO_SIDED_95).unwrap(), theory.interval(Level::TWO_SIDED_95).unwrap());
        assert!((drawn.low - theory.low).abs() < 0.002 && (drawn.high - theory.high).abs() < 0.002);
    }

    #[test]
    fn a_seed_gives_the_same_draws_for_ever() {
        let mut counts = vec![0; 8];
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(42);
        draw(&mut generator, &mut counts);
        assert_eq!(counts, [0, 1, 1, 0, 2, 1, 2, 1]);
        assert_eq!(seed(&["triage", "a"]), 4_419_775_078_099_495_010);
        assert_ne!(seed(&["triage", "a"]), seed(&["triagea", ""]));
    }

    #[test]
    fn threads_do_not_matter_and_seeds_do() {
        let values = values(37);
        let statistic = mean(&values);
        let alone = resample(of(37, 5, 1_030), 1, 1, &statistic);
        for threads in [2, 3, 16] {
            assert_eq!(resample(of(37, 5, 1_030), 1, threads, &statistic), alone);
        }
        assert_ne!(resample(of(37, 6, 1_030), 1, 2, &statistic), alone);
        // No stretch of the sequence is another's.
        assert_ne!(alone[..CHUNK], alone[CHUNK..2 * CHUNK]);
    }

    #[test]
    fn where_nothing_varies_or_much_is_undefined_there_are_no_bounds() {
        let same = percentile(of(30, 1, 500), 1, |_, out| out[0] = Some(1.0)).remove(0).unwrap();
        assert_eq!((same.value(), same.interval(Level::TWO_SIDED_95), same.p_above(0.5)), (1.0, None, None));
        assert_eq!(same.standard_error(), None);
        let rare = |counts: &[u32], out: &mut [Option<f64>]| out[0] = (counts[0] > 0).then(|| f64::from(counts[0]));
        let rare = percentile(of(30, 1, 500), 1, rare).remove(0).unwrap();
        assert_eq!(rare.interval(Level::TWO_SIDED_95), None);
        let few = percentile(of(19, 1, 500), 1, mean(&values(19))).remove(0).unwrap();
        assert_eq!((few.interval(Level::TWO_SIDED_95), few.standard_error(), few.p_below(0.5)), (None, None, None));
        assert_eq!(percentile(of(30, 1, 500), 1, |_, _| {}), [None]);
        assert_eq!(percentile(of(30, 1, 500), 1, |_, out| out[0] = Some(f64::NAN)), [None]);
        for few in [0, 1, 10] {
            let few = percentile(of(30, 1, few), 1, mean(&values(30))).remove(0).unwrap();
            assert_eq!(few.interval(Level::TWO_SIDED_95), None);
        }
    }

    proptest! {
        #[test]
        fn bounds_and_p_values_say_the_same(cases in 20usize..60, seed: u64, limit in 0.0f64..=1.0) {
            let values = values(cases);
            let drawn = percentile(of(cases, seed, 400), 1, mean(&values)).remove(0).unwrap();
            for level in [Level::ONE_SIDED_95, Level::TWO_SIDED_95] {
                let bounds = drawn.interval(level).unwrap();
                prop_assert_eq!(bounds.low > limit, drawn.p_above(limit).unwrap() <= level.tail());
                prop_assert_eq!(bounds.high < limit, drawn.p_below(limit).unwrap() <= level.tail());
            }
        }

        #[test]
        fn a_draw_is_as_large_as_the_sample(clusters in 1usize..500, seed: u64) {
            let mut counts = vec![0; clusters];
            draw(&mut Xoshiro256PlusPlus::seed_from_u64(seed), &mut counts);
            prop_assert_eq!(counts.iter().sum::<u32>() as usize, clusters);
        }
    }
}
