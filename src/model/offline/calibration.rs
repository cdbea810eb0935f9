//! Calibration: what scores are worth as probabilities, and from which on the classifier answers.
//!
//! Both are chosen on scores that models gave to examples held out from them.

use super::Settings;

/// Probabilities from scores.
pub(super) fn probabilities(scores: &[f32], sharpness: f64) -> Vec<f64> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut out: Vec<f64> = scores.iter().map(|&score| (f64::from(score - most) * sharpness).exp()).collect();
    let sum: f64 = out.iter().sum();
    for value in &mut out {
        *value /= sum;
    }
    out
}

/// The sharpness under which held-out labels are least surprising: golden-section search on the logarithm.
pub(super) fn calibrate(scores: &[Vec<f32>], labels: &[usize]) -> f64 {
    let loss = |logarithm: f64| -> f64 {
        scores
            .iter()
            .zip(labels)
            .filter(|(scores, _)| !scores.is_empty())
            .map(|(scores, &label)| -probabilities(scores, logarithm.exp())[label].max(1e-12).ln())
            .sum()
    };
    let ratio = 0.618_033_988_749_895;
    let (mut low, mut high) = (-1.0f64, 5.0f64);
    let (mut left, mut right) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    for _ in 0..24 {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - ratio * (high - low);
            at_left = loss(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + ratio * (high - low);
            at_right = loss(right);
        }
    }
    f64::midpoint(low, high).exp()
}

/// The lowest threshold above which enough answers are right, within the share that may be abstained from.
pub(super) fn choose_threshold(scores: &[Vec<f32>], labels: &[usize], sharpness: f64, settings: &Settings) -> f64 {
    let mut answers: Vec<(f64, bool)> = scores
        .iter()
        .zip(labels)
        .filter(|(scores, _)| !scores.is_empty())
        .map(|(scores, &label)| {
            let (best, confidence) = best(&probabilities(scores, sharpness));
            (confidence, best == label)
        })
        .collect();
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total = answers.len() as f64;
    let mut right = 0.0;
    let mut threshold = None;
    for (at, (confidence, correct)) in answers.iter().enumerate() {
        right += f64::from(u8::from(*correct));
        let answered = (at + 1) as f64;
        let few = answered < total * (1.0 - settings.abstain);
        if few || right / answered >= settings.wanted {
            threshold = Some(*confidence);
        }
    }
    threshold.unwrap_or(0.5)
}

pub(super) fn best(probabilities: &[f64]) -> (usize, f64) {
    probabilities.iter().copied().enumerate().fold((0, 0.0), |best, one| if one.1 > best.1 { one } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_and_calibration_finds_the_middle() {
        let sum: f64 = probabilities(&[-1.0, 0.3, 0.2], 3.0).iter().sum();
        assert!((sum - 1.0).abs() < 1e-12);
        // Half of the answers are wrong although scores are far apart: certainty must fall.
        let scores = vec![vec![1.0, -1.0]; 10];
        let labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
        assert!(calibrate(&scores, &labels) < 0.5);
        // All right: certainty may rise.
        assert!(calibrate(&scores, &[0; 10]) > 5.0);
    }
}
