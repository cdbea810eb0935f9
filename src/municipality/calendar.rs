//! The Finnish calendar: public holidays, working days, and when a period of days ends.
//!
//! A period counted in days leaves out the day it starts from; if its last day is a Saturday, a Sunday, a
//! public holiday, Midsummer Eve or Christmas Eve, it ends on the next working day (laki säädettyjen
//! määräaikain laskemisesta 150/1930, 5 §). Pure arithmetic for any year that [`Date`] can hold.

use jiff::civil::{Date, Weekday};

/// Easter Sunday of a year (Gregorian computus, the anonymous algorithm).
#[expect(clippy::many_single_char_names, reason = "the letters of the published algorithm")]
fn easter(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let a = y % 19;
    let (b, c) = (y.div_euclid(100), y.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let month = (h + l - 7 * m + 114) / 31;
    let day = (h + l - 7 * m + 114) % 31 + 1;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Whether the date is the Saturday that falls within seven days from `month.day`.
fn first_saturday_from(date: Date, month: i8, day: i8) -> bool {
    date.weekday() == Weekday::Saturday
        && Date::new(date.year(), month, day).is_ok_and(|from| (0..7).contains(&days_between(from, date)))
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// Whether the date is a public holiday in Finland. Sundays as such are not; see [`is_working_day`].
#[must_use]
pub fn is_holiday(date: Date) -> bool {
    let fixed = matches!(
        (date.month(), date.day()),
        // New Year, Epiphany, May Day, Independence Day, Christmas Day, St Stephen's Day.
        (1, 1 | 6) | (5, 1) | (12, 6 | 25 | 26)
    );
    // Good Friday, Easter Sunday and Monday, Ascension Day, Pentecost.
    let movable =
        || easter(date.year()).is_some_and(|sunday| matches!(days_between(sunday, date), -2 | 0 | 1 | 39 | 49));
    // Midsummer Day: Saturday 20–26 June; All Saints' Day: Saturday 31 October – 6 November.
    fixed || movable() || first_saturday_from(date, 6, 20) || first_saturday_from(date, 10, 31)
}

/// Whether an authority's period may end on this date: no Saturday, Sunday, public holiday, Midsummer Eve
/// or Christmas Eve.
#[must_use]
pub fn is_working_day(date: Date) -> bool {
    let eve = (date.month(), date.day()) == (12, 24)
        || date.tomorrow().is_ok_and(|tomorrow| first_saturday_from(tomorrow, 6, 20));
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !eve && !is_holiday(date)
}

/// The date itself if it is a working day, otherwise the first working day after it.
#[must_use]
pub fn next_working_day(date: Date) -> Date {
    let mut day = date;
    while !is_working_day(day) {
        match day.tomorrow() {
            Ok(tomorrow) => day = tomorrow,
            Err(_) => break,
        }
    }
    day
}

/// The last day of a period of `days` days that starts to run from `start` (which is not counted),
/// laki 150/1930.
#[must_use]
pub fn end_of_period(start: Date, days: u32) -> Date {
    next_working_day(plus_days(start, days))
}

/// The last day of a period of `months` months that starts to run from `start`: the same day of the month, or its
/// last (laki 150/1930).
#[must_use]
pub fn end_of_months(start: Date, months: u32) -> Date {
    let months = jiff::Span::new().try_months(months).ok();
    next_working_day(months.and_then(|months| start.checked_add(months).ok()).unwrap_or(Date::MAX))
}

/// The working day that comes `days` working days after `start`; with 0, the first working day from `start` on.
#[must_use]
pub fn add_working_days(start: Date, days: u32) -> Date {
    if days == 0 {
        return next_working_day(start);
    }
    let mut day = start;
    for _ in 0..days {
        day = next_working_day(plus_days(day, 1));
        if day == Date::MAX {
            break;
        }
    }
    day
}

/// `date` and `days` calendar days; stays within what [`Date`] can hold.
pub(super) fn plus_days(date: Date, days: u32) -> Date {
    date.saturating_add(jiff::Span::new().days(i64::from(days.min(3_000_000))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn knows_the_holidays_of_2026() {
        let holidays: Vec<String> = (0..365)
            .map(|n| plus_days(date(2026, 1, 1), n))
            .filter(|day| is_holiday(*day))
            .map(|day| day.to_string())
            .collect();
        assert_eq!(
            holidays,
            [
                "2026-01-01",
                "2026-01-06",
                "2026-04-03",
                "2026-04-05",
                "2026-04-06",
                "2026-05-01",
                "2026-05-14",
                "2026-05-24",
                "2026-06-20",
                "2026-10-31",
                "2026-12-06",
                "2026-12-25",
                "2026-12-26",
            ]
        );
    }

    #[test]
    fn knows_easter_at_its_limits() {
        assert_eq!(easter(1818), Some(date(1818, 3, 22)));
        assert_eq!(easter(2038), Some(date(2038, 4, 25)));
        assert_eq!(easter(2024), Some(date(2024, 3, 31)));
    }

    #[test]
    fn eves_are_no_working_days_and_no_holidays() {
        for eve in [date(2026, 6, 19), date(2026, 12, 24)] {
            assert!(!is_working_day(eve) && !is_holiday(eve), "{eve}");
        }
        assert!(is_working_day(date(2026, 12, 31)));
        assert_eq!(next_working_day(date(2026, 12, 24)), date(2026, 12, 28));
    }

    #[test]
    fn counts_working_days() {
        assert_eq!(add_working_days(date(2026, 4, 2), 1), date(2026, 4, 7), "over Easter");
        assert_eq!(add_working_days(date(2026, 4, 4), 0), date(2026, 4, 7));
        assert_eq!(add_working_days(date(2026, 3, 2), 5), date(2026, 3, 9));
    }

    #[test]
    fn the_end_of_time_does_not_panic() {
        assert_eq!(end_of_period(Date::MAX, u32::MAX), Date::MAX);
        assert_eq!(add_working_days(Date::MAX, 3), Date::MAX);
        let _ = end_of_period(Date::MIN, 14);
    }

    proptest! {
        #[test]
        fn a_period_ends_on_a_working_day_and_is_never_cut(year in 1931_i16..2400, day in 1_i16..=365, days in 0_u32..400) {
            let start = date(year, 1, 1).with().day_of_year(day).build().unwrap();
            let end = end_of_period(start, days);
            prop_assert!(is_working_day(end));
            prop_assert!(end >= plus_days(start, days));
            prop_assert!(days_between(plus_days(start, days), end) <= 5);
        }
    }
}
