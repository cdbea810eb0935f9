//! The window of a report: days as people say them, moments as the records keep them.
//!
//! Both days belong to it. In time it is half open: from the first moment of the first day in Finland up to, without,
//! the first moment of the day after the last; so two windows side by side count nothing twice and leave nothing out,
//! also on the days that have 23 or 25 hours.

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::clock::helsinki;

/// The earliest and the last day that a window may have.
const BOUNDS: (Date, Date) = (jiff::civil::date(1990, 1, 1), jiff::civil::date(2200, 1, 1));
/// Days of the longest window: ten years.
const LONGEST: i32 = 3_660;

/// Days from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Window {
    /// First day.
    #[schema(value_type = String, format = "date")]
    from: Date,
    /// Last day.
    #[schema(value_type = String, format = "date")]
    to: Date,
}

/// Days that make no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// The first day comes after the last.
    #[error("the first day comes after the last")]
    Backwards,
    /// It is longer than ten years, or lies outside of what records can hold.
    #[error("the window is longer than ten years, or lies too far away")]
    TooLong,
}

impl Window {
    /// From one day to another.
    ///
    /// # Errors
    /// [`InvalidWindow`].
    pub fn new(from: Date, to: Date) -> Result<Self, InvalidWindow> {
        if from > to {
            return Err(InvalidWindow::Backwards);
        }
        let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
        if from < BOUNDS.0 || to > BOUNDS.1 || days >= LONGEST {
            return Err(InvalidWindow::TooLong);
        }
        Ok(Self { from, to })
    }

    /// What a report shows when nobody says: the month of `today` so far and the eleven before it.
    #[must_use]
    pub fn year_to(today: Date) -> Self {
        let from = today.first_of_month().saturating_sub(jiff::Span::new().months(11));
        Self { from, to: today }
    }

    /// The first day.
    #[must_use]
    pub const fn from(&self) -> Date {
        self.from
    }

    /// The last day.
    #[must_use]
    pub const fn to(&self) -> Date {
        self.to
    }

    /// Its first moment.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        midnight(self.from)
    }

    /// The first moment after it.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        midnight(self.to.saturating_add(jiff::Span::new().days(1)))
    }

    /// Whether a moment lies within.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start() <= at && at < self.end()
    }

    /// The window in pieces that fit a chart: days up to a month, weeks up to half a year, months up to three years,
    /// else years. The first and the last may be cut.
    #[must_use]
    pub fn pieces(&self) -> Vec<Self> {
        let days = self.from.until(self.to).map_or(0, |span| span.get_days());
        let last = |day: Date| match days {
            0..=31 => day,
            32..=183 => day.saturating_add(jiff::Span::new().days(i64::from(6 - monday_based(day)))),
            184..=1_096 => day.last_of_month(),
            _ => day.last_of_year(),
        };
        let mut pieces = Vec::new();
        let mut from = self.from;
        while from <= self.to {
            let to = last(from).min(self.to);
            pieces.push(Self { from, to });
            from = to.saturating_add(jiff::Span::new().days(1));
        }
        pieces
    }
}

fn monday_based(day: Date) -> i8 {
    day.weekday().since(Weekday::Monday)
}

/// The first moment of a day in Finland. Within the bounds of a window there is always one.
fn midnight(day: Date) -> Timestamp {
    day.to_zoned(helsinki()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_a_finnish_day_also_when_the_clocks_change() {
        let spring = Window::new(date(2026, 3, 29), date(2026, 3, 29)).unwrap();
        assert_eq!((spring.start(), spring.end()), (at("2026-03-28T22:00:00Z"), at("2026-03-29T21:00:00Z")));
        let autumn = Window::new(date(2026, 10, 25), date(2026, 10, 25)).unwrap();
        assert_eq!((autumn.start(), autumn.end()), (at("2026-10-24T21:00:00Z"), at("2026-10-25T22:00:00Z")));
        assert!(autumn.contains(at("2026-10-25T21:59:59.999999Z")) && !autumn.contains(at("2026-10-25T22:00:00Z")));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let new = |from, to| Window::new(from, to).unwrap_err();
        assert_eq!(new(date(2026, 2, 2), date(2026, 2, 1)), InvalidWindow::Backwards);
        assert_eq!(new(date(2010, 1, 1), date(2026, 1, 1)), InvalidWindow::TooLong);
        assert_eq!(new(Date::MIN, Date::MIN), InvalidWindow::TooLong);
        assert_eq!(new(Date::MAX, Date::MAX), InvalidWindow::TooLong);
    }

    #[test]
    fn the_usual_window_is_twelve_months() {
        let window = Window::year_to(date(2026, 11, 22));
        assert_eq!((window.from(), window.to()), (date(2025, 12, 1), date(2026, 11, 22)));
        assert_eq!(window.pieces().len(), 12);
    }

    #[test]
    fn weeks_begin_on_monday_and_edges_are_cut() {
        // 1 April 2026 is a Wednesday.
        let pieces = Window::new(date(2026, 4, 1), date(2026, 5, 12)).unwrap().pieces();
        let days: Vec<(Date, Date)> = pieces.iter().map(|piece| (piece.from(), piece.to())).collect();
        assert_eq!(days[0], (date(2026, 4, 1), date(2026, 4, 5)));
        assert_eq!(days[1], (date(2026, 4, 6), date(2026, 4, 12)));
        assert_eq!(*days.last().unwrap(), (date(2026, 5, 11), date(2026, 5, 12)));
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_exactly_one_piece(from in 0i64..20_000, days in 0i64..3_600, micros in any::<u64>()) {
            let first = date(1990, 1, 1).saturating_add(jiff::Span::new().days(from));
            let window = Window::new(first, first.saturating_add(jiff::Span::new().days(days))).unwrap();
            let (start, end) = (window.start().as_microsecond(), window.end().as_microsecond());
            let span = u64::try_from(end - start).unwrap();
            let at = Timestamp::from_microsecond(start + i64::try_from(micros % span).unwrap()).unwrap();
            let pieces = window.pieces();
            prop_assert_eq!(pieces.iter().filter(|piece| piece.contains(at)).count(), 1);
            prop_assert!(pieces.len() <= 42, "{} pieces fit no chart", pieces.len());
            let before = Timestamp::from_microsecond(start - 1).unwrap();
            prop_assert!(!window.contains(before) && !window.contains(window.end()) && window.contains(window.start()));
        }
    }
}
