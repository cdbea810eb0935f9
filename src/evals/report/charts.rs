//! Where things stand in a chart: values to points of a drawing. The page's template draws them; nothing here knows
//! colours or words.

use serde::Serialize;

/// A value axis, drawn from `start` to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    /// Value at the start.
    pub(crate) from: f64,
    /// Value at the end.
    pub(crate) to: f64,
    /// Where the start is drawn.
    pub(crate) start: f64,
    /// Where the end is drawn; may lie before the start.
    pub(crate) end: f64,
}

impl Axis {
    /// Where a value is drawn; what lies outside is drawn at the edge.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let span = self.to - self.from;
        let share = if span.abs() < f64::EPSILON { 0.5 } else { ((value - self.from) / span).clamp(0.0, 1.0) };
        round(self.start + share * (self.end - self.start))
    }

    /// About `count` round values of the axis with their places.
    pub(crate) fn ticks(&self, count: u32) -> Vec<Tick> {
        let span = self.to - self.from;
        if span <= 0.0 {
            return vec![Tick { at: self.at(self.from), value: self.from }];
        }
        let step = round_step(span / f64::from(count.max(1)));
        let mut value = (self.from / step).ceil() * step;
        let mut ticks = Vec::new();
        while value <= self.to + step * 1e-6 {
            // Sums of steps such as 0.1 drift, and nought must be nought.
            let clean = (value / step).round() * step;
            ticks.push(Tick { at: self.at(clean), value: clean });
            value += step;
        }
        ticks
    }
}

/// A round value of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Tick {
    /// Where.
    pub(crate) at: f64,
    /// Which value.
    pub(crate) value: f64,
}

/// The next of 1, 2, 5, 10 … times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= least * 0.999_999);
    times.unwrap_or(10.0) * power
}

/// A little above the largest value, so that no mark sits on the frame; never nought.
pub(crate) fn roof(values: impl IntoIterator<Item = f64>) -> f64 {
    let top = values.into_iter().fold(0.0, f64::max);
    if top > 0.0 { round_step(top * 1.05 / 4.0) * 4.0 } else { 1.0 }
}

/// Tenths of a point are finer than any screen.
pub(crate) fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Points as the attribute of a polyline.
pub(crate) fn points(points: impl IntoIterator<Item = (f64, f64)>) -> String {
    points.into_iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_belong() {
        let axis = Axis { from: 0.0, to: 1.0, start: 260.0, end: 20.0 };
        assert_eq!((axis.at(0.0), axis.at(0.5), axis.at(1.0), axis.at(7.0)), (260.0, 140.0, 20.0, 20.0));
        let flat = Axis { from: 3.0, to: 3.0, start: 0.0, end: 10.0 };
        assert!((flat.at(3.0) - 5.0).abs() < f64::EPSILON);
    }

    #[test]
    fn ticks_are_round() {
        let axis = Axis { from: 0.0, to: 0.35, start: 0.0, end: 100.0 };
        let values: Vec<String> = axis.ticks(4).iter().map(|tick| format!("{:.2}", tick.value)).collect();
        assert_eq!(values, ["0.00", "0.10", "0.20", "0.30"]);
        assert!((roof([]) - 1.0).abs() < f64::EPSILON);
        assert!(roof([0.019]) >= 0.02);
    }
}
