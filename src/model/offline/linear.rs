//! Weights and scores: what a label is worth by feature, and how that is learned.
//!
//! All labels are learned side by side, in an order that is always the same, so that the same examples give the same
//! weights on every machine.

use super::Settings;

/// Weights are kept for so many labels at a time, so that the compiler can use wide registers.
pub(super) const LANES: usize = 8;

/// Weights, feature by feature, all labels side by side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    /// Labels, rounded up to whole lanes.
    pub(super) width: usize,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// Texts as sparse vectors, one after the other.
#[derive(Debug, Default)]
pub(super) struct Vectors {
    pub(super) ends: Vec<usize>,
    pub(super) items: Vec<(u32, f32)>,
}

impl Vectors {
    pub(super) fn get(&self, at: usize) -> &[(u32, f32)] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.items[start..self.ends[at]]
    }
}

impl Linear {
    pub(super) fn scores(&self, vector: &[(u32, f32)], scores: &mut [f32]) {
        scores.copy_from_slice(&self.bias);
        for &(row, value) in vector {
            add(scores, &self.weights[row as usize * self.width..][..self.width], value);
        }
    }

    /// Moves the weights; `moved` names the labels whose step is not zero.
    fn update(&mut self, vector: &[(u32, f32)], steps: &[f32], moved: &[usize]) {
        add(&mut self.bias, steps, 1.0);
        let few = moved.len() * 4 < self.width;
        for &(row, value) in vector {
            let weights = &mut self.weights[row as usize * self.width..][..self.width];
            if few {
                for &label in moved {
                    weights[label] += value * steps[label];
                }
            } else {
                add(weights, steps, value);
            }
        }
    }

    /// Dual coordinate descent for the L2-regularised, squared-hinge SVM (Hsieh et al. 2008), all labels at once.
    pub(super) fn train(
        vectors: &Vectors,
        labels: &[usize],
        chosen: &[usize],
        count: usize,
        rows: usize,
        settings: &Settings,
    ) -> Self {
        let width = count.div_ceil(LANES) * LANES;
        let mut linear = Self { width, weights: vec![0.0; rows * width], bias: vec![0.0; width] };
        let mut multipliers = vec![0.0f32; chosen.len() * width];
        let mut scores = vec![0.0f32; width];
        let mut steps = vec![0.0f32; width];
        let mut moved: Vec<usize> = Vec::with_capacity(width);
        let mut order: Vec<usize> = (0..chosen.len()).collect();
        let mut random = 0x9e37_79b9_7f4a_7c15;
        let ridge = 0.5 / settings.cost;
        for _ in 0..settings.epochs {
            shuffle(&mut order, &mut random);
            let mut largest = 0.0f32;
            for &place in &order {
                let example = chosen[place];
                let vector = vectors.get(example);
                let norm: f32 = vector.iter().map(|(_, value)| value * value).sum::<f32>() + 1.0 + ridge;
                linear.scores(vector, &mut scores);
                let own = &mut multipliers[place * width..][..width];
                moved.clear();
                for label in 0..count {
                    let side = if labels[example] == label { 1.0 } else { -1.0 };
                    let gradient = side * scores[label] - 1.0 + own[label] * ridge;
                    let projected = if own[label] > 0.0 { gradient } else { gradient.min(0.0) };
                    steps[label] = 0.0;
                    if projected.abs() > 1e-2 {
                        let old = own[label];
                        own[label] = (old - gradient / norm).max(0.0);
                        steps[label] = (own[label] - old) * side;
                        largest = largest.max(projected.abs());
                        moved.push(label);
                    }
                }
                if !moved.is_empty() {
                    linear.update(vector, &steps, &moved);
                }
            }
            if largest < 0.05 {
                break;
            }
        }
        linear
    }
}

/// `to += value × from`, written so that an unoptimised build is not slow, either.
#[inline]
fn add(to: &mut [f32], from: &[f32], value: f32) {
    let (to, from) = (to.as_chunks_mut::<LANES>().0, from.as_chunks::<LANES>().0);
    let count = to.len().min(from.len());
    let mut at = 0;
    while at < count {
        let (a, b) = (&mut to[at], &from[at]);
        a[0] += value * b[0];
        a[1] += value * b[1];
        a[2] += value * b[2];
        a[3] += value * b[3];
        a[4] += value * b[4];
        a[5] += value * b[5];
        a[6] += value * b[6];
        a[7] += value * b[7];
        at += 1;
    }
}

/// Fisher–Yates with xorshift: the same order everywhere.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for last in (1..order.len()).rev() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        let bound = u64::try_from(last + 1).unwrap_or(u64::MAX);
        order.swap(last, usize::try_from(*random % bound).unwrap_or(0));
    }
}
