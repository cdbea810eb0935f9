//! The figures of a text: amounts, percentages, dates, numbers of sections, as Finnish and Swedish write them.
//!
//! Owned by the policy. The languages of a document bind alike (kielilaki), so a figure that stands in one of them stands in
//! the other; numbers that are written as words are not looked at.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Months by their first letters in both languages.
const MONTHS: [(&str, &str); 12] = [
    ("tammi", "januari"),
    ("helmi", "februari"),
    ("maalis", "mars"),
    ("huhti", "april"),
    ("touko", "maj"),
    ("kesä", "juni"),
    ("heinä", "juli"),
    ("elo", "augusti"),
    ("syys", "september"),
    ("loka", "oktober"),
    ("marras", "november"),
    ("joulu", "december"),
];

/// A day whose month is a word: `1. tammikuuta 2026`, `maaliskuun 31. päivä`, `den 1 januari 2026`.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    let fi = MONTHS.map(|(fi, _)| fi).join("|");
    let sv = MONTHS.map(|(_, sv)| sv).join("|");
    let pattern = format!(
        r"(?i)\b(\d{{1,2}})\. ({fi})kuu\w*(?: (\d{{4}})\b)?|\b({fi})kuun (\d{{1,2}})\. päiv\w*|\b(\d{{1,2}}) ({sv})\b(?: (\d{{4}})\b)?"
    );
    Regex::new(&pattern).expect("a fixed pattern")
});

/// A number with its thousands, decimals, or the parts of a date or time.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b\d{1,3}(?:[ \u{a0}\u{202f}]\d{3})+\b(?:,\d+)?|\d+(?:[.,:/]\d+)*").expect("a fixed pattern")
});

/// Every figure of a text, each once: thousands without spaces, days as `1.1.2026`.
pub(super) fn of(text: &str) -> BTreeSet<String> {
    let text = DAY.replace_all(text, |found: &Captures<'_>| {
        let part = |groups: [usize; 3]| groups.into_iter().find_map(|n| found.get(n)).map_or("", |part| part.as_str());
        let (day, month, year) = (part([1, 5, 6]), part([2, 4, 7]).to_lowercase(), part([3, 8, 8]));
        let month = MONTHS.iter().position(|(fi, sv)| *fi == month || *sv == month).map_or(0, |n| n + 1);
        if year.is_empty() { format!("{day}.{month}") } else { format!("{day}.{month}.{year}") }
    });
    NUMBER.find_iter(&text).map(|figure| figure.as_str().replace([' ', '\u{a0}', '\u{202f}'], "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_the_same_however_they_are_written() {
        let figures = |text: &str| of(text).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(figures("Enintään 6 000 euroa ja 1,10 euroa metriltä 15.4. kello 15.00."), "1,10 15.00 15.4 6000");
        assert_eq!(
            figures("Högst 6\u{a0}000 euro och 1,10 euro per meter 15.4 klockan 15.00."),
            "1,10 15.00 15.4 6000"
        );
        assert_eq!(figures("viimeistään maaliskuun 31. päivänä"), figures("senast den 31 mars"));
        assert_eq!(figures("1. tammikuuta 2026 tai 1.1.2027"), figures("den 1 januari 2026 eller 1.1.2027"));
        assert_eq!(figures("vuonna 2026 100 euroa, 4 §:n 2 momentti"), "100 2 2026 4");
        assert_eq!(figures("400 metriä"), "400");
        assert_eq!(figures("ei lukuja"), "");
    }
}
