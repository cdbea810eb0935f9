//! Plain charts, drawn on the server: bars that lie, one a line, and columns that stand, one a stretch of time.
//!
//! Widths are shares of the drawing and heights are points, so that words keep their size on any screen. A chart says
//! in words what it shows (`title`, `desc`), tells its series apart by more than colour, and has its table below it.

use serde::Serialize;

use crate::evals::report::charts::{Axis, roof, round};

/// Share of the width that the longest bar takes; its value stands behind it.
const LONGEST_BAR: f64 = 72.0;
/// Height of a bar, of the words above it, of the columns' field.
const BAR: f64 = 14.0;
const WORDS: f64 = 20.0;
const FIELD: f64 = 160.0;
/// Labels under columns at most, on a wide screen; on a narrow one a third of them.
const LABELS: usize = 12;

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    title: String,
    description: String,
    height: f64,
    bars: Vec<Rectangle>,
    lines: Vec<Line>,
    words: Vec<Words>,
    /// Names of the series, where there are several.
    legend: Vec<String>,
}

/// A bar or column of a series. Across in percent, down in points.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Rectangle {
    series: usize,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// A line of the scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    y: f64,
}

/// Words in the drawing.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Words {
    x: f64,
    y: f64,
    text: String,
    /// `value`, `label`, `often` (left out on a narrow screen) or `end` (they end at `x`).
    class: &'static str,
}

/// A value with the words for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// How much.
    pub value: f64,
    /// As people read it.
    pub text: String,
}

/// Bars that lie: a label, and a value of each series. None without anything above nought.
#[must_use]
pub fn bars(title: String, legend: Vec<String>, rows: &[(String, Vec<Value>)]) -> Option<Chart> {
    let most = rows.iter().flat_map(|(_, values)| values).map(|value| value.value).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let axis = Axis { from: 0.0, to: most, start: 0.0, end: LONGEST_BAR };
    let (mut bars, mut words, mut y) = (Vec::new(), Vec::new(), 0.0);
    let mut told = Vec::new();
    for (label, values) in rows {
        words.push(Words { x: 0.0, y: y + BAR, text: label.clone(), class: "label" });
        y += WORDS;
        for (series, value) in values.iter().enumerate() {
            let width = axis.at(value.value);
            bars.push(Rectangle { series, x: 0.0, y, width, height: BAR });
            words.push(Words { x: width, y: y + BAR - 2.0, text: value.text.clone(), class: "value" });
            y += BAR + 4.0;
        }
        y += 6.0;
        let values: Vec<&str> = values.iter().map(|value| value.text.as_str()).collect();
        told.push(format!("{label}: {}", values.join(", ")));
    }
    let description = [legend.join(", "), told.join("; ")].into_iter().filter(|text| !text.is_empty());
    let description = description.collect::<Vec<_>>().join(". ");
    Some(Chart { title, description, height: y, bars, lines: Vec::new(), words, legend })
}

/// Columns that stand: a label of a stretch of time, and a count of each series. None without any.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of cases and columns are far below 2^52")]
pub fn columns(title: String, legend: Vec<String>, columns: &[(String, Vec<u64>)]) -> Option<Chart> {
    let most = columns.iter().flat_map(|(_, counts)| counts).max().copied().filter(|most| *most > 0)?;
    let axis = Axis { from: 0.0, to: roof([most as f64]), start: FIELD + WORDS, end: WORDS };
    let mut lines = Vec::new();
    let mut words = Vec::new();
    for tick in axis.ticks(4).into_iter().filter(|tick| tick.value.fract() == 0.0) {
        lines.push(Line { y: tick.at });
        words.push(Words { x: 0.0, y: round(tick.at - 3.0), text: tick.value.to_string(), class: "label" });
    }
    let room = 94.0 / columns.len() as f64;
    let every = columns.len().div_ceil(LABELS);
    let mut bars = Vec::new();
    for (n, (label, counts)) in columns.iter().enumerate() {
        let left = 6.0 + room * n as f64;
        let width = room * 0.8 / counts.len().max(1) as f64;
        for (series, count) in counts.iter().enumerate() {
            let y = axis.at(*count as f64);
            let x = hundredths(left + width * series as f64);
            bars.push(Rectangle { series, x, y, width: hundredths(width * 0.92), height: round(FIELD + WORDS - y) });
        }
        if n % every == 0 {
            let class = match (n % (every * 3) == 0, left > 88.0) {
                (_, true) => "often end",
                (true, false) => "label",
                (false, false) => "often",
            };
            let x = if left > 88.0 { 100.0 } else { hundredths(left) };
            words.push(Words { x, y: FIELD + WORDS * 2.0 - 4.0, text: label.clone(), class });
        }
    }
    let sums = legend.iter().enumerate().map(|(series, name)| {
        let sum: u64 = columns.iter().filter_map(|(_, counts)| counts.get(series)).sum();
        format!("{name}: {sum}")
    });
    let description = sums.collect::<Vec<_>>().join("; ");
    Some(Chart { title, description, height: FIELD + WORDS * 2.0, bars, lines, words, legend })
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: f64) -> Value {
        Value { value, text: value.to_string() }
    }

    #[test]
    fn the_longest_bar_leaves_room_for_its_value() {
        let rows = [("a".to_owned(), vec![value(10.0)]), ("b".to_owned(), vec![value(5.0)])];
        let chart = bars("t".to_owned(), Vec::new(), &rows).unwrap();
        let widths: Vec<f64> = chart.bars.iter().map(|bar| bar.width).collect();
        assert_eq!(widths, [72.0, 36.0]);
        assert_eq!(chart.description, "a: 10; b: 5");
        assert_eq!(bars("t".to_owned(), Vec::new(), &[("a".to_owned(), vec![value(0.0)])]), None);
    }

    #[test]
    fn columns_stand_within_the_drawing() {
        let months: Vec<_> = (0..40).map(|n| (n.to_string(), vec![n, 2 * n])).collect();
        let chart = columns("t".to_owned(), vec!["in".to_owned(), "out".to_owned()], &months).unwrap();
        for bar in &chart.bars {
            assert!(bar.x >= 0.0 && bar.x + bar.width <= 100.0 && bar.y >= WORDS, "{bar:?}");
            assert!((bar.y + bar.height - FIELD - WORDS).abs() < 0.2, "{bar:?}");
        }
        assert!(chart.words.iter().filter(|words| words.class != "label").count() <= LABELS);
        assert_eq!(chart.description, "in: 780; out: 1560");
        assert_eq!(columns("t".to_owned(), Vec::new(), &[]), None);
    }
}
