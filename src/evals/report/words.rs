//! Numbers and intervals as people read them, in one way in every report.

use super::super::measure::{Better, Measure};
use super::super::pairs::Pairs;

/// A number with about three figures that tell something: `0.912`, `12.4`, `1533`.
#[must_use]
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || (size >= 1.0 && size.fract() < 1e-9) => 0,
        10.0.. => 1,
        0.01.. => 3,
        0.001.. => 4,
        size if size >= 1e-9 => 6,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    // Nought is nought, whichever side of it the last figure was cut off on.
    match text.as_str() {
        "0.000" | "-0.000" | "-0" => "0".to_owned(),
        _ => text,
    }
}

/// A number as it was written: a limit, a margin, a mark of an axis.
#[must_use]
pub fn brief(value: f64) -> String {
    let text = number(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share in per cent.
#[must_use]
pub fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// A difference, always with its sign.
#[must_use]
pub fn signed(value: f64) -> String {
    let text = number(value.abs());
    match text.as_str() {
        "0" => text,
        _ if value < 0.0 => format!("−{text}"),
        _ => format!("+{text}"),
    }
}

/// An interval, or nothing where there is none.
#[must_use]
pub fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("[{}, {}]", number(low), number(high)),
        _ => String::new(),
    }
}

/// An interval of a difference.
#[must_use]
pub fn signed_interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("[{}, {}]", signed(low), signed(high)),
        _ => String::new(),
    }
}

/// Over how many cases a figure is: `480 of 500`, or `500` when it is all of them; and where they come in clusters, in
/// how many, and how much that widens the bounds: `500 in 101 clusters, design effect 1.31`.
#[must_use]
pub fn cases(measure: &Measure) -> String {
    let Measure { scored, total, clusters, .. } = *measure;
    let cases = if scored == total { total.to_string() } else { format!("{scored} of {total}") };
    match measure.design_effect {
        Some(effect) => format!("{cases} in {}, design effect {effect:.2}", count(clusters, "cluster")),
        None => cases,
    }
}

/// Which way is better, as one word.
#[must_use]
pub const fn better(better: Better) -> &'static str {
    match better {
        Better::Higher => "higher is better",
        Better::Lower => "lower is better",
    }
}

/// The ways that a pair of a rewriting and its original can go, and the ids of those that did.
#[must_use]
pub fn ways(pairs: &Pairs) -> [(&'static str, &[String]); 3] {
    [
        ("Worse than the original", &pairs.harmful),
        ("Better than the original", &pairs.beneficial),
        ("Another answer, as right or wrong", &pairs.otherwise),
    ]
}

/// `1 case`, `2 cases`.
#[must_use]
pub fn count(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (value, text) in [
            (0.9123, "0.912"),
            (12.44, "12.4"),
            (1533.2, "1533"),
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.003_06, "0.0031"),
            (0.000_12, "0.000120"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!((signed(0.02).as_str(), signed(-0.02).as_str(), signed(0.0).as_str()), ("+0.020", "−0.020", "0"));
        assert_eq!(interval(Some(0.1), None), "");
    }
}
