//! Tables: a step of the calculation that looks its value up, as a price list does (*hinnasto*, *taulukko*).
//!
//! Owned by the policy. Two things must hold, and `policy check` sees to both: no input fits two rows, and between the
//! first and the last bound of a range, and for every choice of the form, some row fits. Where none fits all the same,
//! the value is unknown: nobody is ever charged by a row that was guessed.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::document::parameter_value;
use super::expression::{Expression, Gap, Kind, Known, Name, Scalar, date_of, day_number};
use super::format::{Cell, Range, TableBlock};
use crate::cases::{ParameterValue, Value};
use crate::municipality::yaml::write_one_of;

/// Most combinations of choices that a table is checked for.
const MOST_COMBINATIONS: usize = 10_000;

/// The key of a row that holds what is looked up.
pub(super) const VALUE: &str = "value";

/// A table, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What is looked at, in order.
    pub columns: Vec<Column>,
    /// Its rows, of which at most one fits.
    pub rows: Vec<Row>,
    /// The line of the file on which the rows begin.
    pub line: usize,
}

/// Something that a table looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the rows.
    pub name: String,
    /// What it looks at.
    pub expression: Expression,
    /// Kind of that.
    pub kind: Kind,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What must fit, one for each column.
    pub cells: Vec<Fit>,
    /// What is looked up.
    pub value: Scalar,
    /// The line of the file on which it stands.
    pub line: usize,
}

/// What fits in a column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// Anything.
    Any,
    /// This value.
    Is(Scalar),
    /// A number or day number within these ends.
    Within(Ends),
}

/// The ends of a range; an end that is not there is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// First value.
    pub from: Option<Decimal>,
    /// Last value, of whole numbers and days.
    pub to: Option<Decimal>,
    /// First value beyond, of numbers with decimals.
    pub below: Option<Decimal>,
}

impl Ends {
    fn contains(self, number: Decimal) -> bool {
        self.from.is_none_or(|from| from <= number)
            && self.to.is_none_or(|to| number <= to)
            && self.below.is_none_or(|below| number < below)
    }

    /// The first value beyond; none where it is open.
    fn after(self) -> Option<Decimal> {
        self.below.or_else(|| self.to.and_then(|to| to.checked_add(Decimal::ONE)))
    }

    fn meets(self, other: Self) -> bool {
        let before =
            |end: Option<Decimal>, start: Option<Decimal>| matches!((end, start), (Some(e), Some(s)) if e <= s);
        !before(self.after(), other.from) && !before(other.after(), self.from)
    }
}

impl Fit {
    fn holds(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Self::Any, _) => true,
            (Self::Is(is), value) => is == value,
            (Self::Within(ends), Scalar::Number(number)) => ends.contains(*number),
            (Self::Within(_), _) => false,
        }
    }

    /// Whether some value fits both.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Is(value), fit) | (fit, Self::Is(value)) => fit.holds(value),
            (Self::Within(a), Self::Within(b)) => a.meets(*b),
        }
    }

    /// It as a range; a single number is one of its own.
    const fn ends(&self) -> Ends {
        match self {
            Self::Within(ends) => *ends,
            Self::Is(Scalar::Number(number)) => Ends { from: Some(*number), to: Some(*number), below: None },
            _ => Ends { from: None, to: None, below: None },
        }
    }
}

impl Row {
    /// Whether the row fits; unknown when only what is missing could tell.
    fn fits(&self, values: &[Known]) -> Result<bool, Gap> {
        let mut fits = Ok(true);
        for (cell, value) in self.cells.iter().zip(values).filter(|(cell, _)| **cell != Fit::Any) {
            fits = match (value, fits) {
                (Ok(value), _) if !cell.holds(value) => return Ok(false),
                (Ok(_), fits) => fits,
                (Err(gap), Err(other)) => Err(gap.clone().and(other)),
                (Err(gap), Ok(_)) => Err(gap.clone()),
            };
        }
        fits
    }
}

impl Table {
    /// Every name that its columns read.
    #[must_use]
    pub fn names(&self) -> BTreeSet<Name> {
        self.columns.iter().flat_map(|column| column.expression.names()).collect()
    }

    /// What it looks at, as an expression would be written.
    #[must_use]
    pub fn source(&self) -> String {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.expression.source().trim()).collect();
        format!("table({})", columns.join(", "))
    }

    /// The value of the one row that fits.
    ///
    /// # Errors
    /// [`Gap`] with the facts that are missing, or because no row fits.
    pub fn value(&self, look_up: &dyn Fn(&Name) -> Known) -> Known {
        let values: Vec<Known> = self.columns.iter().map(|column| column.expression.value(look_up)).collect();
        let mut gap: Option<Gap> = None;
        for row in &self.rows {
            match row.fits(&values) {
                Ok(true) => return Ok(row.value.clone()),
                Ok(false) => {}
                Err(missing) => gap = Some(gap.unwrap_or_default().and(missing)),
            }
        }
        Err(gap.unwrap_or_else(|| Gap::fault("no row of the table fits")))
    }

    /// Every place where no row fits, in words, with the line to look at. `choices` tells what a column can be, where
    /// the form offers a choice.
    pub(super) fn holes(&self, choices: &dyn Fn(&Column) -> Option<Vec<String>>) -> Vec<Flaw> {
        let has_range = |n: usize| self.rows.iter().any(|row| matches!(row.cells[n], Fit::Within(_)));
        let ranges: Vec<usize> = (0..self.columns.len()).filter(|n| has_range(*n)).collect();
        let named: Vec<(usize, Vec<Scalar>)> = (0..self.columns.len())
            .filter(|n| !ranges.contains(n) && self.rows.iter().any(|row| row.cells[*n] != Fit::Any))
            .map(|n| (n, self.all_values(n, choices)))
            .collect();
        let combinations = named.iter().try_fold(1_usize, |all, (_, values)| all.checked_mul(values.len()));
        if combinations.is_none_or(|all| all > MOST_COMBINATIONS) {
            let what = "the table has too many combinations to check them".to_owned();
            return vec![Flaw { line: self.line, what, instead: "cut it into two tables".to_owned() }];
        }
        let mut holes = Vec::new();
        for combination in product(&named) {
            let fits = |row: &&Row| combination.iter().all(|(n, value)| row.cells[*n].holds(value));
            let rows: Vec<&Row> = self.rows.iter().filter(fits).collect();
            let words: Vec<String> = combination.iter().map(|(n, value)| self.is(*n, value)).collect();
            if rows.is_empty() {
                holes.push(Flaw::hole(self.line, &words));
            }
            for range in &ranges {
                holes.extend(self.holes_between(*range, &ranges, &rows, &words));
            }
        }
        holes.sort();
        holes.dedup();
        holes
    }

    /// What a column can be: the choices of the form, yes and no, or whatever any row says.
    fn all_values(&self, n: usize, choices: &dyn Fn(&Column) -> Option<Vec<String>>) -> Vec<Scalar> {
        let column = &self.columns[n];
        if column.kind == Kind::Flag {
            return vec![Scalar::Flag(true), Scalar::Flag(false)];
        }
        if let Some(choices) = choices(column) {
            return choices.into_iter().map(Scalar::Text).collect();
        }
        let mut values: Vec<Scalar> = Vec::new();
        for row in &self.rows {
            match &row.cells[n] {
                Fit::Is(value) if !values.contains(value) => values.push(value.clone()),
                _ => {}
            }
        }
        values
    }

    /// Places between the ranges of one column that no row fits, wherever the other ranges stand.
    fn holes_between(&self, n: usize, ranges: &[usize], rows: &[&Row], words: &[String]) -> Vec<Flaw> {
        // One value out of every stretch of the other ranges stands for all of it.
        let others: Vec<(usize, Vec<Scalar>)> = ranges
            .iter()
            .filter(|other| **other != n)
            .map(|other| {
                let ends = rows.iter().map(|row| row.cells[*other].ends());
                let starts = ends.flat_map(|ends| [ends.from, ends.after()]).flatten().collect::<BTreeSet<_>>();
                let least = starts.first().copied().unwrap_or_default();
                let open = least.checked_sub(Decimal::ONE).unwrap_or(least);
                (*other, std::iter::once(open).chain(starts).map(Scalar::Number).collect())
            })
            .collect();
        let mut holes = Vec::new();
        for combination in product(&others) {
            let fits = |row: &&&Row| combination.iter().all(|(other, value)| row.cells[*other].holds(value));
            let mut stretch: Vec<(Ends, usize)> =
                rows.iter().filter(fits).map(|row| (row.cells[n].ends(), row.line)).collect();
            stretch.sort_by_key(|(ends, _)| ends.from);
            for pair in stretch.windows(2) {
                let [(earlier, _), (later, line)] = pair else { continue };
                let (Some(after), Some(from)) = (earlier.after(), later.from) else { continue };
                if after < from {
                    let below = earlier.below.is_some();
                    let last = if below { None } else { from.checked_sub(Decimal::ONE) };
                    let gap = Ends { from: Some(after), to: last, below: below.then_some(from) };
                    let mut words = words.to_vec();
                    words.push(format!("{} {}", self.columns[n].name, in_words(gap, self.columns[n].kind)));
                    holes.push(Flaw::hole(*line, &words));
                }
            }
        }
        holes
    }

    fn is(&self, n: usize, value: &Scalar) -> String {
        let value = match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Flag(flag) => flag.to_string(),
            Scalar::Number(number) => one_in_words(*number, self.columns[n].kind),
        };
        format!("{} {value}", self.columns[n].name)
    }
}

/// Something wrong in a table, on a line of its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flaw {
    pub line: usize,
    pub what: String,
    pub instead: String,
}

impl Flaw {
    fn hole(line: usize, words: &[String]) -> Self {
        let what = format!("no row of the table fits {}", words.join(", "));
        Self { line, what, instead: "add such a row, or move the end of one".to_owned() }
    }

    fn at(line: usize, (what, instead): Refused) -> Self {
        Self { line, what, instead }
    }
}

/// Every combination of one value for each column.
fn product(columns: &[(usize, Vec<Scalar>)]) -> Vec<Vec<(usize, Scalar)>> {
    columns.iter().fold(vec![Vec::new()], |combinations, (n, values)| {
        let with = |combination: &Vec<(usize, Scalar)>, value: &Scalar| {
            combination.iter().cloned().chain([(*n, value.clone())]).collect()
        };
        combinations.iter().flat_map(|one| values.iter().map(move |value| with(one, value))).collect()
    })
}

fn one_in_words(number: Decimal, kind: Kind) -> String {
    match date_of(number) {
        Some(date) if kind == Kind::Date => date.to_string(),
        _ => number.normalize().to_string(),
    }
}

/// Ends as the file writes them: `from 2026-01-01 to 2026-12-31`.
fn in_words(ends: Ends, kind: Kind) -> String {
    let end = |word: &str, end: Option<Decimal>| end.map(|end| format!("{word} {}", one_in_words(end, kind)));
    let words = [end("from", ends.from), end("to", ends.to), end("below", ends.below)];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What is wrong, and what to write.
type Refused = (String, String);

/// Compiles the rows of a block under columns that are known to be right. `line` gives the line of a path of keys;
/// `decimals` the most decimals of each column, where that can be told.
pub(super) fn compile(
    block: &TableBlock,
    columns: Vec<Column>,
    decimals: &[Option<u32>],
    line: &dyn Fn(&[&str]) -> usize,
) -> Result<(Table, Kind), Vec<Flaw>> {
    let mut kind = None;
    let mut rows = Vec::new();
    let mut flaws = Vec::new();
    for (n, written) in block.rows.iter().enumerate() {
        let place = format!("#{n}");
        let at = |key: &str| line(&["rows", &place, key]);
        for name in written.keys().filter(|name| *name != VALUE && !columns.iter().any(|c| c.name == **name)) {
            let known = columns.iter().map(|column| column.name.as_str()).chain([VALUE]);
            flaws.push(Flaw::at(at(name), (format!("unknown column `{name}`"), write_one_of(name, known))));
        }
        let mut cells = Vec::new();
        for column in &columns {
            match written.get(&column.name).map_or(Ok(Fit::Any), |cell| fit(cell, column)) {
                Ok(cell) => cells.push(cell),
                Err(refused) => flaws.push(Flaw::at(at(&column.name), refused)),
            }
        }
        match value(written.get(VALUE), block.unit.as_deref(), kind) {
            Ok((value, this)) => {
                kind = Some(this);
                rows.push(Row { cells, value, line: line(&["rows", &place]) });
            }
            Err(refused) => flaws.push(Flaw::at(at(VALUE), refused)),
        }
    }
    if block.rows.is_empty() {
        let what = format!("the table `{}` has no rows", block.name);
        flaws.push(Flaw::at(line(&["name"]), (what, "add `rows: [{…, value: …}]`".to_owned())));
    }
    let Some(kind) = kind.filter(|_| flaws.is_empty()) else { return Err(flaws) };
    let table = Table { columns, rows, line: line(&["rows"]) };
    for (n, decimals) in decimals.iter().enumerate() {
        flaws.extend(table.mixed_ranges(n, *decimals));
    }
    flaws.extend(table.overlaps());
    if flaws.is_empty() { Ok((table, kind)) } else { Err(flaws) }
}

fn value(cell: Option<&Cell>, unit: Option<&str>, kind: Option<Kind>) -> Result<(Scalar, Kind), Refused> {
    let refused = |what: &str, instead: &str| Err((what.to_owned(), instead.to_owned()));
    let one = match cell {
        Some(Cell::One(one)) => one,
        Some(Cell::Range(_)) => return refused("the value of a row is a range", "write one value"),
        None => return refused("the row has no `value`", "add `value: …`"),
    };
    let value = match parameter_value(one) {
        Value::Number(number) => (Scalar::Number(number), Kind::Number),
        Value::Date(date) => (Scalar::Number(day_number(date)), Kind::Date),
        Value::Text(text) => (Scalar::Text(text), Kind::Text),
        Value::Flag(flag) => (Scalar::Flag(flag), Kind::Flag),
        Value::Money(_) | Value::Time(_) => return refused("a row cannot hold this value", "write a number or a word"),
    };
    match (&value, kind) {
        ((_, this), Some(kind)) if *this != kind => {
            Err((format!("the value is {this} and those above are {kind}"), format!("write {kind}")))
        }
        ((Scalar::Number(number), Kind::Number), _) if unit == Some("EUR") && number.normalize().scale() > 2 => {
            refused("the value has a fraction of a cent", "write euros with at most two decimals")
        }
        _ => Ok(value),
    }
}

/// What a cell says fits; refused when it is of another kind than its column.
fn fit(cell: &Cell, column: &Column) -> Result<Fit, Refused> {
    match cell {
        Cell::One(one) => match (scalar(one, column.kind), one) {
            (Some(value), _) => Ok(Fit::Is(value)),
            (None, ParameterValue::Integer(number)) if column.kind == Kind::Text => {
                let what = format!("the column `{}` is text and `{number}` is a number", column.name);
                Err((what, format!("write it in quotes: \"{number}\"")))
            }
            (None, _) => Err(wrong_kind(column)),
        },
        Cell::Range(_) if !matches!(column.kind, Kind::Number | Kind::Date) => {
            let what = format!("the column `{}` is {} and has no ranges", column.name, column.kind);
            let instead = if column.kind == Kind::Time { "look at a day: `day(facts.…)`" } else { "write one value" };
            Err((what, instead.to_owned()))
        }
        Cell::Range(range) => ends(range, column).map(Fit::Within),
    }
}

fn ends(range: &Range, column: &Column) -> Result<Ends, Refused> {
    let end = |end: Option<&ParameterValue>| match end.map(|end| scalar(end, column.kind)) {
        None => Ok(None),
        Some(Some(Scalar::Number(number))) => Ok(Some(number)),
        Some(_) => Err(wrong_kind(column)),
    };
    let ends = Ends { from: end(range.from.as_ref())?, to: end(range.to.as_ref())?, below: end(range.below.as_ref())? };
    let refused = |what: String, instead: &str| Err((what, instead.to_owned()));
    match ends {
        Ends { from: None, to: None, below: None } => {
            refused("the range has no end".to_owned(), "leave the column out of this row: then anything fits")
        }
        Ends { to: Some(_), below: Some(_), .. } => {
            refused("the range ends twice".to_owned(), "keep `to` for days and whole numbers, `below` for decimals")
        }
        Ends { below: Some(_), .. } if column.kind == Kind::Date => {
            refused("a range of dates ends `below` a day".to_owned(), "write `to: …` with the last day")
        }
        Ends { from: Some(from), to: Some(to), .. } if to < from => {
            refused("the range ends before it begins".to_owned(), "write the smaller end first")
        }
        Ends { from: Some(from), below: Some(below), .. } if below <= from => {
            refused("the range ends before it begins".to_owned(), "write the smaller end first")
        }
        ends => Ok(ends),
    }
}

/// A written value of this kind.
fn scalar(written: &ParameterValue, kind: Kind) -> Option<Scalar> {
    Some(match (kind, written) {
        (Kind::Text, ParameterValue::Text(text)) => Scalar::Text(text.clone()),
        (Kind::Flag, ParameterValue::Flag(flag)) => Scalar::Flag(*flag),
        (Kind::Number, written) => match parameter_value(written) {
            Value::Number(number) => Scalar::Number(number.normalize()),
            _ => return None,
        },
        (Kind::Date, written) => match parameter_value(written) {
            Value::Date(date) => Scalar::Number(day_number(date)),
            _ => return None,
        },
        _ => return None,
    })
}

fn wrong_kind(column: &Column) -> Refused {
    let instead = match column.kind {
        Kind::Number => "write a number, decimals in quotes: \"2350.5\"",
        Kind::Date => "write a date: 2026-01-31",
        Kind::Time => "look at a day: `day(facts.…)`",
        Kind::Text => "write a word",
        Kind::Flag => "write true or false",
    };
    (format!("the column `{}` is {} and this is not", column.name, column.kind), instead.to_owned())
}

impl Table {
    /// The ranges of a column end in one way: on a last whole number or day, or below a number.
    fn mixed_ranges(&self, n: usize, decimals: Option<u32>) -> Vec<Flaw> {
        let cells = || self.rows.iter().map(|row| (&row.cells[n], row.line));
        if !cells().any(|(cell, _)| matches!(cell, Fit::Within(_))) {
            return Vec::new();
        }
        let name = &self.columns[n].name;
        let below = cells().any(|(cell, _)| cell.ends().below.is_some());
        let fraction = |number: Option<Decimal>| number.is_some_and(|number| !number.is_integer());
        let wrong = |ends: Ends| {
            let fraction = fraction(ends.from) || fraction(ends.to);
            if ends.to.is_some() && below {
                Some(format!("some ranges of the column `{name}` end with `to` and some with `below`"))
            } else if ends.to.is_some() && decimals.is_some_and(|decimals| decimals > 0) {
                Some(format!("the column `{name}` can have decimals: what lies between two rows would fit none"))
            } else if fraction && !below {
                Some(format!("a range of the column `{name}` has decimals and does not end `below` a number"))
            } else {
                None
            }
        };
        let flaw = |(cell, line): (&Fit, usize)| {
            let instead = "write `{from: …, below: …}` in every row".to_owned();
            wrong(cell.ends()).map(|what| Flaw { line, what, instead })
        };
        cells().filter_map(flaw).collect()
    }

    /// Rows that fit what an earlier row fits, too.
    fn overlaps(&self) -> Vec<Flaw> {
        let overlap = |(n, row): (usize, &Row)| {
            let same = |other: &&Row| row.cells.iter().zip(&other.cells).all(|(a, b)| a.meets(b));
            let other = self.rows[..n].iter().find(same)?;
            let what = format!("the row fits what the row on line {} fits, too", other.line);
            let instead = "remove one of them, or end the range of one before the other begins".to_owned();
            Some(Flaw { line: row.line, what, instead })
        };
        self.rows.iter().enumerate().filter_map(overlap).collect()
    }

    /// Words of a column that are no choice of the form.
    pub(super) fn strangers(&self, choices: &dyn Fn(&Column) -> Option<Vec<String>>) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        for (n, column) in self.columns.iter().enumerate() {
            let Some(choices) = choices(column) else { continue };
            for row in &self.rows {
                if let Fit::Is(Scalar::Text(word)) = &row.cells[n]
                    && !choices.contains(word)
                {
                    let instead = write_one_of(word, choices.iter().map(String::as_str));
                    flaws.push(Flaw { line: row.line, what: format!("`{word}` is no choice of the form"), instead });
                }
            }
        }
        flaws
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cases::{Evidence, Fact, Facts, Language, Outcome};
    use crate::municipality::Faults;
    use crate::policy::assess;
    use crate::policy::document::{Document, Working, Written, join};

    const DOCUMENT: &str = r#"---
id: prices
title: Hinnasto
language: fi
adopted: {body: lautakunta, date: 2025-11-18, section: "§ 71"}
in_force: {from: 2026-01-01}
facts:
  facility: {type: text, ask: {fi: Tila?, sv: Lokal?}}
  used_on: {type: date, ask: {fi: Päivä?, sv: Dag?}}
  persons: {type: number, ask: {fi: Määrä?, sv: Antal?}}
  costs: {type: money, unit: EUR}
  sales: {type: flag}
parameters: {hours: {value: 2, unit: h}}
---
## 1 § Kaikki {#s1}

Teksti.

```table
name: rate
label: {fi: Tuntihinta, sv: Timpris}
unit: EUR/h
columns:
  - {name: facility, value: facts.facility}
  - {name: day, value: facts.used_on}
rows:
  - {facility: hall, value: "15.00"}
  - {facility: gym, day: {from: 2026-01-01, to: 2026-06-30}, value: "30.00"}
  - {facility: gym, day: {from: 2026-07-01, to: null}, value: "35.50"}
```

```calculation
steps:
  - {name: price, label: {fi: a, sv: b}, value: calc.rate * params.hours, unit: EUR}
amount: price
```
"#;

    fn read(source: &str) -> (Document, Vec<String>) {
        let mut faults = Faults::new();
        let path = Path::new("prices@2026-01-01.fi.md");
        let written = Written::parse(path, source.to_owned(), &mut faults).expect("it reads");
        let document = join(&written, &[], &mut faults);
        let told = faults.iter().map(|fault| format!("{}: {}", fault.line.unwrap_or_default(), fault.what));
        (document, told.collect())
    }

    fn holes(source: &str, choices: &[&str]) -> Vec<String> {
        let (document, told) = read(source);
        assert_eq!(told, Vec::<String>::new());
        let Working::Table(table) = &document.steps[0].working else { panic!("the first step is the table") };
        let choices = |column: &Column| {
            (column.name == "facility").then(|| choices.iter().map(|choice| (*choice).to_owned()).collect())
        };
        let flaws = table.strangers(&choices).into_iter().chain(table.holes(&choices));
        flaws.map(|flaw| format!("{}: {}", flaw.line, flaw.what)).collect()
    }

    fn rows(rows: &str) -> String {
        let (before, rest) = DOCUMENT.split_once("rows:\n").unwrap();
        let (_, after) = rest.split_once("```\n").unwrap();
        format!("{before}rows:\n{rows}\n```\n{after}")
    }

    fn with(facts: &[(&str, Value)]) -> Facts {
        let fact = |(name, value): &(&str, Value)| Fact {
            name: (*name).to_owned(),
            value: value.clone(),
            unit: None,
            evidence: Evidence::Form { field: (*name).to_owned() },
        };
        facts.iter().map(fact).collect::<Vec<_>>().into()
    }

    #[test]
    fn the_one_row_that_fits_gives_the_value() {
        let (document, told) = read(DOCUMENT);
        assert_eq!(told, Vec::<String>::new());
        let text = |text: &str| Value::Text(text.to_owned());
        let day = |day: &str| Value::Date(day.parse().unwrap());
        let of = |facts: &[(&str, Value)]| {
            let got = assess(&document, &with(facts), &[], &[], "2026-04-15".parse().unwrap());
            let asked: Vec<String> = got.questions.iter().map(|question| question.about.clone()).collect();
            (got.outcome, got.amount.map(|amount| amount.to_string()), asked.join(" "))
        };
        let granted = |amount: &str| (Outcome::Granted, Some(amount.to_owned()), String::new());
        assert_eq!(of(&[("facility", text("hall"))]), granted("30.00"), "the day does not matter for the hall");
        assert_eq!(of(&[("facility", text("gym")), ("used_on", day("2026-06-30"))]), granted("60.00"));
        assert_eq!(of(&[("facility", text("gym")), ("used_on", day("2026-07-01"))]), granted("71.00"));
        let asks = |what: &str| (Outcome::Incomplete, None, what.to_owned());
        assert_eq!(of(&[("facility", text("gym"))]), asks("used_on"));
        assert_eq!(of(&[("used_on", day("2026-07-01"))]), asks("facility"));
        // No row fits: never a guess.
        assert_eq!(of(&[("facility", text("gym")), ("used_on", day("2025-12-31"))]), asks("facility used_on"));
        assert_eq!(of(&[("facility", text("pool"))]), asks("facility used_on"));

        let got = assess(&document, &with(&[]), &[], &[], "2026-04-15".parse().unwrap());
        assert_eq!(got.calculation[0].expression, "table(facts.facility, facts.used_on)");
        assert_eq!(got.calculation[1].inputs, ["facility", "used_on"]);
        assert!(crate::policy::show(&document, Language::Fi).contains("gym, 1.7.2026–: 35,50\u{a0}€/h"));
    }

    #[test]
    fn a_price_list_without_holes_has_no_flaw() {
        assert_eq!(holes(DOCUMENT, &["hall", "gym"]), Vec::<String>::new());
        assert_eq!(holes(DOCUMENT, &["hall", "gym", "pool"]), ["26: no row of the table fits facility pool"]);
        assert_eq!(
            holes(DOCUMENT, &["hall", "pool"]),
            [
                "28: `gym` is no choice of the form",
                "29: `gym` is no choice of the form",
                "26: no row of the table fits facility pool"
            ]
        );
        let late = DOCUMENT.replace("{from: 2026-07-01", "{from: 2026-08-01");
        assert_eq!(
            holes(&late, &["hall", "gym"]),
            ["29: no row of the table fits facility gym, day from 2026-07-01 to 2026-07-31"]
        );
    }

    #[test]
    fn holes_are_found_whatever_the_columns_are() {
        let by = |columns: &str, rows_: &str| {
            let (before, rest) =
                rows(rows_).split_once("columns:\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            let (_, after) = rest.split_once("rows:\n").unwrap();
            format!("{before}columns:\n{columns}rows:\n{after}")
        };
        let persons = "  - {name: persons, value: facts.persons}\n";
        let day = "  - {name: day, value: facts.used_on}\n";
        let whole = "  - {persons: {to: 10}, value: 1}\n  - {persons: {from: 12, to: 20}, value: 2}\n  - {persons: {from: 21}, value: 3}";
        assert_eq!(holes(&by(persons, whole), &[]), ["27: no row of the table fits persons from 11 to 11"]);
        let decimals = "  - {persons: {from: 0, below: \"0.5\"}, value: 1}\n  - {persons: {from: \"0.75\"}, value: 2}";
        assert_eq!(holes(&by(persons, decimals), &[]), ["27: no row of the table fits persons from 0.5 below 0.75"]);
        let single = "  - {persons: 1, value: 1}\n  - {persons: {from: 2}, value: 2}";
        assert_eq!(holes(&by(persons, single), &[]), Vec::<String>::new());
        let enumerated = "  - {persons: \"25.5\", value: 1}\n  - {persons: 14, value: 2}";
        assert_eq!(holes(&by(persons, enumerated), &[]), Vec::<String>::new(), "any numbers may be listed");
        let flag = "  - {name: sales, value: facts.sales}\n";
        assert_eq!(holes(&by(flag, "  - {sales: true, value: 1}"), &[]), ["25: no row of the table fits sales false"]);
        // From 100 persons on the price of 2027 is missing, and only there.
        let two = [
            "  - {day: {to: 2026-12-31}, value: 1}",
            "  - {day: {from: 2027-01-01, to: 2027-12-31}, persons: {to: 99}, value: 2}",
            "  - {day: {from: 2028-01-01}, value: 3}",
        ];
        assert_eq!(
            holes(&by(&format!("{day}{persons}"), &two.join("\n")), &[]),
            ["29: no row of the table fits day from 2027-01-01 to 2027-12-31"]
        );
    }

    #[test]
    fn what_cannot_be_looked_up_is_told_where_it_stands() {
        let told = |rows_: &str| read(&rows(rows_)).1.join("\n");
        let hall = "  - {facility: hall, value: 1}\n";
        for (wrong, what) in [
            ("  - {facility: hall, day: 2026-01-01, value: 2}", "28: the row fits what the row on line 27 fits, too"),
            ("  - {value: 2}", "28: the row fits what the row on line 27 fits, too"),
            ("  - {facilty: gym, value: 2}", "28: unknown column `facilty`"),
            ("  - {facility: 3, value: 2}", "28: the column `facility` is text and `3` is a number"),
            ("  - {facility: {from: 1}, value: 2}", "28: the column `facility` is text and has no ranges"),
            ("  - {facility: gym, day: 5, value: 2}", "28: the column `day` is a date and this is not"),
            ("  - {facility: gym, day: {to: soon}, value: 2}", "28: the column `day` is a date and this is not"),
            ("  - {facility: gym, day: {}, value: 2}", "28: the range has no end"),
            (
                "  - {facility: gym, day: {from: 2026-02-01, to: 2026-01-01}, value: 2}",
                "28: the range ends before it begins",
            ),
            ("  - {facility: gym, day: {below: 2026-02-01}, value: 2}", "28: a range of dates ends `below` a day"),
            ("  - {facility: gym}", "28: the row has no `value`"),
            ("  - {facility: gym, value: many}", "28: the value is text and those above are a number"),
            ("  - {facility: gym, value: {from: 1}}", "28: the value of a row is a range"),
        ] {
            let told = told(&format!("{hall}{wrong}"));
            assert!(told.starts_with(what), "{wrong}\n{told}");
            assert!(!told.contains("unknown name `calc.rate`"), "who reads a table with a fault is not told again");
        }
        let whole = |source: &str| read(source).1;
        let mixed = rows("  - {persons: {from: 1, to: 2}, value: 1}\n  - {persons: {from: 3, below: 4}, value: 1}")
            .replace("{name: day, value: facts.used_on}", "{name: persons, value: facts.persons}");
        assert_eq!(whole(&mixed), ["27: some ranges of the column `persons` end with `to` and some with `below`"]);
        let costs = rows("  - {costs: {to: 2}, value: 1}\n  - {costs: {from: 3}, value: 1}")
            .replace("{name: day, value: facts.used_on}", "{name: costs, value: facts.costs}");
        assert_eq!(
            whole(&costs),
            ["27: the column `costs` can have decimals: what lies between two rows would fit none"]
        );
        for (from, to, what) in [
            ("unit: EUR/h\n", "", "20: the table `rate` has no unit"),
            ("value: facts.used_on", "value: facts.used", "25: unknown name `facts.used`"),
            ("{name: day,", "{name: facility,", "25: the column `facility` stands twice"),
            ("{name: day,", "{name: value,", "25: the column cannot be called `value`"),
            ("name: rate", "name: Rate", "20: the step `Rate` is not snake_case"),
            ("name: price", "name: rate", "34: the step `rate` stands twice"),
        ] {
            assert!(DOCUMENT.contains(from));
            let told = whole(&DOCUMENT.replacen(from, to, 1));
            assert!(told.iter().any(|told| told == what), "{what}: {told:?}");
        }
    }
}
