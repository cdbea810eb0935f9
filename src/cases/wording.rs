//! Values as people write them in a letter: `2 350 m`, `2 585,00 €`, `15.4.2026 klo 15.00`.
//!
//! One place, so that a rule's reason, a letter and a check of either agree to the character.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Language, Value};
use crate::clock::helsinki;

/// A calendar day: `15.4.2026`, in English `15 April 2026`.
#[must_use]
pub fn write_date(date: Date, language: Language) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    match language {
        Language::Fi | Language::Sv => format!("{}.{}.{}", date.day(), date.month(), date.year()),
        Language::En => {
            let month = usize::try_from(date.month() - 1).unwrap_or(0);
            format!("{} {} {}", date.day(), MONTHS[month.min(11)], date.year())
        }
    }
}

/// A moment in Finland: `15.4.2026 klo 15.00`. Seconds are shown only where there are any, because one
/// second can decide.
#[must_use]
pub fn write_time(at: Timestamp, language: Language) -> String {
    let local = at.to_zoned(helsinki());
    let date = write_date(local.date(), language);
    let (word, mark) = match language {
        Language::Fi => ("klo", '.'),
        Language::Sv => ("kl.", '.'),
        Language::En => ("at", ':'),
    };
    let seconds = if local.second() == 0 { String::new() } else { format!("{mark}{:02}", local.second()) };
    format!("{date} {word} {}{mark}{:02}{seconds}", local.hour(), local.minute())
}

/// A number with grouped thousands: `2 350`, `0,70`; English `2,350`, `0.70`.
#[must_use]
pub fn write_number(number: Decimal, language: Language) -> String {
    let plain = number.abs().to_string();
    let (whole, rest) = plain.split_once('.').map_or((plain.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (thousands, decimal) = if language == Language::En { (',', '.') } else { ('\u{a0}', ',') };
    let mut text = String::new();
    if number.is_sign_negative() && !number.is_zero() {
        text.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(thousands);
        }
        text.push(digit);
    }
    if let Some(rest) = rest {
        text.push(decimal);
        text.push_str(rest);
    }
    text
}

/// Any value, with the unit of a number after it.
#[must_use]
pub fn write_value(value: &Value, unit: Option<&str>, language: Language) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => {
            let mut number = *number;
            // Money and rates of money have at least two decimals: 1,10 €/m.
            if unit.is_some_and(|unit| unit.starts_with("EUR")) && number.scale() < 2 {
                number.rescale(2);
            }
            let text = write_number(number, language);
            match unit {
                Some("EUR") => format!("{text}\u{a0}€"),
                Some(unit) => format!("{text}\u{a0}{}", unit.replace("EUR", "€")),
                None => text,
            }
        }
        Value::Money(euro) => euro.format(language),
        Value::Date(date) => write_date(*date, language),
        Value::Time(at) => write_time(*at, language),
        Value::Flag(flag) => match (language, flag) {
            (Language::Fi, true) => "kyllä",
            (Language::Fi, false) => "ei",
            (Language::Sv, true) => "ja",
            (Language::Sv, false) => "nej",
            (Language::En, true) => "yes",
            (Language::En, false) => "no",
        }
        .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_second_is_shown() {
        let late: Timestamp = "2026-04-15T12:00:01Z".parse().unwrap();
        assert_eq!(write_time(late, Language::Fi), "15.4.2026 klo 15.00.01");
        let end: Timestamp = "2026-04-15T12:00:00Z".parse().unwrap();
        assert_eq!(write_time(end, Language::Sv), "15.4.2026 kl. 15.00");
        assert_eq!(write_time(end, Language::En), "15 April 2026 at 15:00");
    }

    #[test]
    fn numbers_have_their_units() {
        let length = Value::Number(Decimal::from(2350));
        assert_eq!(write_value(&length, Some("m"), Language::Fi), "2\u{a0}350\u{a0}m");
        let rate = Value::Number(Decimal::new(70, 2));
        assert_eq!(write_value(&rate, Some("EUR/m"), Language::Sv), "0,70\u{a0}€/m");
    }
}
