//! How the work goes, and how approvals are made: plain charts, each with its table, each table to take along as CSV.
//!
//! The same figures as `GET /v1/reports` and `GET /v1/reports/approvals`. The filter stands in the address. A day that
//! cannot be read is shown as it was typed, with what is wrong, over the report of the usual days.

use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::charts::{Chart, Value, bars, columns};
use crate::app::App;
use crate::cases::{DepartmentId, Language, ServiceId, write_date, write_number, write_time};
use crate::http::error::Result;
use crate::http::identity::{Can, ReadReports, Supervise};
use crate::http::pages::reader::{Reader, encoded};
use crate::http::pages::render;
use crate::http::v1::reports::{Which, report};
use crate::municipality::Pack;
use crate::reports::guard::{self, Guard};
use crate::reports::table::{Cell, REPORT, Table};
use crate::reports::{Report, Scope, Share};
use crate::review::Flaw;
use crate::triage::local_date;

/// The filter as it stands in the address.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    department: String,
}

/// A choice of the filter.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// The days of the filter, as they were typed or as they count.
#[derive(Debug, Serialize)]
struct Days {
    from: String,
    to: String,
    /// Which of the two cannot be used, and the key of the words that say why.
    wrong: Option<(String, &'static str)>,
}

/// A table with its chart.
#[derive(Debug, Serialize)]
struct Section {
    name: &'static str,
    columns: Vec<Column>,
    rows: Vec<Row>,
    chart: Option<Chart>,
    /// Where the table is taken along.
    csv: String,
}

/// The head of a column.
#[derive(Debug, Serialize)]
struct Column {
    label: String,
    number: bool,
}

/// A row: what it is of, and its figures.
#[derive(Debug, Serialize)]
struct Row {
    head: String,
    cells: Vec<String>,
    /// All services together.
    all: bool,
}

/// What the page of reports shows.
#[derive(Debug, Serialize)]
struct View {
    days: Days,
    services: Vec<Choice>,
    departments: Vec<Choice>,
    made_at: Timestamp,
    sections: Vec<Section>,
    /// Whether somebody wrote down how long handling took before.
    has_baseline: bool,
    supervises: bool,
}

/// `GET /console/reports`
///
/// # Errors
/// [`crate::http::error::Error::Unavailable`].
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadReports>,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let pack = &app.review().desk(&person.municipality)?.rulebook.pack;
    let (scope, days) = scope(&app, &filter);
    let report = report(&app, &person, &scope).await?;
    let words = Words { reader: &reader, pack };
    let of = |value: &str, name: &str, id: &str| Choice {
        label: name.to_owned(),
        chosen: value == id,
        value: id.to_owned(),
    };
    let language = reader.language;
    let services = pack.services.iter().map(|(id, file)| of(&filter.service, file.name.get(language), id.as_str()));
    let units = &pack.municipality.departments;
    let units = units.iter().map(|(id, unit)| of(&filter.department, unit.name.get(language), id.as_str()));
    let view = View {
        days,
        services: services.collect(),
        departments: units.collect(),
        made_at: report.made_at,
        sections: report
            .tables()
            .iter()
            .map(|table| words.section(table, words.chart(table, &report), &scope))
            .collect(),
        has_baseline: !pack.municipality.baselines.is_empty(),
        supervises: reader.supervises,
    };
    render::page("console/reports.html", &reader, &view)
}

/// What the page on approvals shows.
#[derive(Debug, Serialize)]
struct ApprovalsView {
    days: Days,
    sections: Vec<Section>,
    quick_seconds: u32,
    /// Names of those whose pattern asks for a talk.
    ask: Vec<String>,
    pattern_approvals: u64,
    pattern_quick: u64,
    pattern_returned: u64,
}

/// `GET /console/reports/approvals`
///
/// # Errors
/// [`crate::http::error::Error::Unavailable`].
pub async fn approvals(
    State(app): State<App>,
    reader: Reader,
    person: Can<Supervise>,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let pack = &app.review().desk(&person.municipality)?.rulebook.pack;
    let (scope, days) = scope(&app, &filter);
    let guard: Guard = app.reports().approvals(&person.municipality, scope.window).await?;
    let words = Words { reader: &reader, pack };
    let view = ApprovalsView {
        days,
        sections: guard.tables().iter().map(|table| words.section(table, None, &scope)).collect(),
        quick_seconds: guard.quick_seconds,
        ask: guard.people.iter().filter(|one| one.ask).map(|one| one.name.clone()).collect(),
        pattern_approvals: guard::PATTERN_APPROVALS,
        pattern_quick: guard::PATTERN_QUICK_PERCENT,
        pattern_returned: guard::PATTERN_RETURNED_PERCENT,
    };
    render::page("console/approvals.html", &reader, &view)
}

/// What the filter asks for, and its days as they are shown. What names nothing filters nothing.
fn scope(app: &App, filter: &Filter) -> (Scope, Days) {
    let today = local_date(app.ambient().now());
    let Filter { from, to, .. } = filter;
    let which = |from: &str, to: &str| Which {
        from: from.to_owned(),
        to: to.to_owned(),
        service: filter.service.parse::<ServiceId>().map(String::from).unwrap_or_default(),
        department: filter.department.parse::<DepartmentId>().map(String::from).unwrap_or_default(),
    };
    let usual = || Scope { window: crate::reports::Window::year_to(today), service: None, department: None };
    match which(from, to).scope(today) {
        Ok(scope) => {
            let days = Days { from: scope.window.from().to_string(), to: scope.window.to().to_string(), wrong: None };
            (scope, days)
        }
        Err(flaw) => {
            let scope = which("", "").scope(today).unwrap_or_else(|_| usual());
            let wrong = Some((flaw.pointer.trim_start_matches('/').to_owned(), why(&flaw)));
            (scope, Days { from: from.clone(), to: to.clone(), wrong })
        }
    }
}

fn why(flaw: &Flaw) -> &'static str {
    use crate::reports::InvalidWindow::{Backwards, TooLong};
    match flaw.what.as_str() {
        what if what == Backwards.to_string() => "reports.backwards",
        what if what == TooLong.to_string() => "reports.too_long",
        _ => "reports.no_day",
    }
}

/// Figures in the reader's words.
struct Words<'a> {
    reader: &'a Reader,
    pack: &'a Pack,
}

impl Words<'_> {
    fn section(&self, table: &Table, chart: Option<Chart>, scope: &Scope) -> Section {
        // A column in which nothing stands at all is left out: a table for people is no form to fill in.
        let stands = |n: &usize| {
            table.rows.is_empty() || table.rows.iter().any(|row| row.get(*n).is_some_and(|cell| *cell != Cell::Nothing))
        };
        let shown: Vec<usize> = (0..table.columns.len()).filter(stands).collect();
        let column = |n: &usize| Column {
            label: self.reader.word(&format!("reports.col_{}", table.columns[*n])),
            number: *n > 0 && !table.rows.iter().filter_map(|row| row.get(*n)).any(is_words),
        };
        let row = |cells: &Vec<Cell>| Row {
            head: cells.first().map_or_else(String::new, |cell| self.cell(cell)),
            cells: shown.iter().skip(1).filter_map(|n| cells.get(*n)).map(|cell| self.cell(cell)).collect(),
            all: cells.first() == Some(&Cell::All),
        };
        let base = if REPORT.contains(&table.name) { "" } else { "/approvals" };
        let of = |name: &str, id: Option<String>| id.map_or_else(String::new, |id| format!("&{name}={}", encoded(&id)));
        let csv = format!(
            "/console/reports{base}/tables/{}?from={}&to={}{}{}",
            table.name,
            scope.window.from(),
            scope.window.to(),
            of("service", scope.service.as_ref().map(ToString::to_string)),
            of("department", scope.department.as_ref().map(ToString::to_string)),
        );
        Section {
            name: table.name,
            columns: shown.iter().map(column).collect(),
            rows: table.rows.iter().map(row).collect(),
            chart,
            csv,
        }
    }

    fn cell(&self, cell: &Cell) -> String {
        let reader = self.reader;
        let language = reader.language;
        let unknown = || "–".to_owned();
        match cell {
            Cell::All => reader.word("reports.all"),
            Cell::Service(service) => self.service(service.as_ref()),
            Cell::Word(word) => reader.word(&format!("reports.word_{word}")),
            Cell::Text(text) => text.clone(),
            Cell::Count(count) => number(Decimal::from(*count), language),
            Cell::Share(share) => self.share(*share),
            Cell::Days(seconds) => seconds.map_or_else(unknown, |seconds| days(seconds, language)),
            Cell::Time(seconds) => seconds.map_or_else(unknown, |seconds| time(seconds, language)),
            Cell::Percent(percent) => percent.map_or_else(unknown, |percent| self.percent(percent)),
            Cell::Euro(amount) => amount.format(language),
            Cell::Cost(cost) => {
                cost.to_string().parse::<Decimal>().map_or_else(|_| unknown(), |cost| number(cost, language))
            }
            Cell::Day(day) => day.map_or_else(unknown, |day| write_date(day, language)),
            Cell::Moment(at) => write_time(Timestamp::from_second(at.as_second() / 60 * 60).unwrap_or(*at), language),
            Cell::Flag(flag) => reader.word(if *flag { "case.yes" } else { "case.no" }),
            Cell::Nothing => unknown(),
        }
    }

    fn service(&self, service: Option<&ServiceId>) -> String {
        let Some(id) = service else { return self.reader.word("reports.no_service") };
        self.pack.service(id).map_or_else(|| id.to_string(), |file| file.name.get(self.reader.language).to_owned())
    }

    fn share(&self, Share { part, of, percent }: Share) -> String {
        match percent {
            None if of == 0 => "–".to_owned(),
            None => format!("{part}\u{a0}/\u{a0}{of}"),
            Some(percent) => format!("{part}\u{a0}/\u{a0}{of} ({})", self.percent(percent)),
        }
    }

    fn percent(&self, percent: f64) -> String {
        let gap = if self.reader.language == Language::En { "" } else { "\u{a0}" };
        format!("{}{gap}%", number(tenths(percent).normalize(), self.reader.language))
    }

    /// The chart of a table, where a picture says more than the figures.
    fn chart(&self, table: &Table, report: &Report) -> Option<Chart> {
        let word = |key: &str| self.reader.word(&format!("reports.{key}"));
        let title = word(&format!("{}_title", table.name));
        match table.name {
            "series" => {
                let pieces = report.series.iter().map(|piece| {
                    (self.piece(piece.window.from(), report.series.len(), report), vec![piece.received, piece.settled])
                });
                columns(title, vec![word("col_received"), word("col_settled")], &pieces.collect::<Vec<_>>())
            }
            "lead-times" => {
                let times = report.lead_times.services.iter().filter_map(|of| {
                    let (own, p90) = (of.figures.own.median_seconds?, of.figures.own.p90_seconds?);
                    Some((self.service(of.service.as_ref()), vec![self.in_days(own), self.in_days(p90)]))
                });
                bars(title, vec![word("col_own_median"), word("col_own_p90")], &times.collect::<Vec<_>>())
            }
            "deadlines" => {
                let it = &report.deadlines.all;
                let counts = [
                    ("late", it.late),
                    ("within_7", it.within_7),
                    ("within_14", it.within_14),
                    ("later", it.later),
                    ("without", it.without),
                ];
                let rows = counts.map(|(name, count)| (word(&format!("col_{name}")), vec![self.count(count)]));
                bars(title, Vec::new(), &rows)
            }
            "corrections" => {
                let it = &report.corrections.all;
                let counts = [
                    ("kind", it.kind),
                    ("outcome", it.outcome),
                    ("amount", it.amount),
                    ("reasons", it.reasons),
                    ("wording", it.wording),
                ];
                let rows = counts.map(|(name, count)| (word(&format!("col_{name}")), vec![self.count(count)]));
                bars(title, Vec::new(), &rows)
            }
            "as-drafted" => {
                let rows = report.as_drafted.services.iter().filter_map(|of| {
                    let value = of.figures.percent?;
                    Some((self.service(of.service.as_ref()), vec![Value { value, text: self.percent(value) }]))
                });
                bars(title, Vec::new(), &rows.collect::<Vec<_>>())
            }
            "manual" => {
                let rows = report.manual.services.iter().filter_map(|of| {
                    let before = i64::from(of.figures.baseline.as_ref()?.minutes) * 60;
                    let values = vec![self.in_time(before), self.in_time(of.figures.mean_seconds?)];
                    Some((self.service(of.service.as_ref()), values))
                });
                bars(title, vec![word("col_baseline"), word("col_mean")], &rows.collect::<Vec<_>>())
            }
            _ => None,
        }
    }

    /// A piece of the window by its first day, as short as its length allows.
    fn piece(&self, from: Date, pieces: usize, report: &Report) -> String {
        let days = report.window.from().until(report.window.to()).map_or(0, |span| span.get_days());
        if pieces > 1 && days > 1_096 {
            return from.year().to_string();
        }
        if pieces > 1 && days > 183 {
            return format!("{}/{}", from.month(), from.year());
        }
        match self.reader.language {
            Language::Fi | Language::Sv => format!("{}.{}.", from.day(), from.month()),
            Language::En => from.strftime("%-d %b").to_string(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^52")]
    fn count(&self, count: u64) -> Value {
        Value { value: count as f64, text: number(Decimal::from(count), self.reader.language) }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of a case's life are far below 2^52")]
    fn in_days(&self, seconds: i64) -> Value {
        let unit = self.reader.word("reports.unit_days");
        Value { value: seconds as f64, text: format!("{}\u{a0}{unit}", days(seconds, self.reader.language)) }
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds of a case's life are far below 2^52")]
    fn in_time(&self, seconds: i64) -> Value {
        Value { value: seconds as f64, text: time(seconds, self.reader.language) }
    }
}

/// Whether a cell holds words, which stand at the left.
const fn is_words(cell: &Cell) -> bool {
    use Cell::{All, Flag, Moment, Service, Text, Word};
    matches!(cell, All | Service(_) | Word(_) | Text(_) | Flag(_) | Moment(_))
}

fn number(number: Decimal, language: Language) -> String {
    write_number(number, language)
}

#[expect(clippy::cast_possible_truncation, reason = "a percentage has few digits")]
fn tenths(value: f64) -> Decimal {
    Decimal::new((value * 10.0).round() as i64, 1)
}

/// Seconds as days with one decimal.
fn days(seconds: i64, language: Language) -> String {
    let tenths = Decimal::from(seconds) / Decimal::from(8_640);
    number(Decimal::new(i64::try_from(tenths.round()).unwrap_or(i64::MAX), 1), language)
}

/// Seconds as people say them: 45 s, 12 min, 3,5 h.
fn time(seconds: i64, language: Language) -> String {
    let of = |unit: i64, tenths: bool, name: &str| {
        let value = Decimal::from(seconds) / Decimal::from(unit);
        let value = value.round_dp(u32::from(tenths));
        format!("{}\u{a0}{name}", number(value.normalize(), language))
    };
    match seconds.unsigned_abs() {
        0..120 => of(1, false, "s"),
        120..7_200 => of(60, false, "min"),
        _ => of(3_600, true, if language == Language::Sv { "tim" } else { "h" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::table;

    #[test]
    fn times_are_written_as_people_say_them() {
        let nbsp = |text: &str| text.replace(' ', "\u{a0}");
        assert_eq!(time(45, Language::Fi), nbsp("45 s"));
        assert_eq!(time(-1_500, Language::Fi), nbsp("−25 min"));
        assert_eq!(time(12_600, Language::Sv), nbsp("3,5 tim"));
        assert_eq!((days(129_600, Language::Fi), days(129_600, Language::En)), ("1,5".to_owned(), "1.5".to_owned()));
    }

    #[test]
    fn every_table_and_column_has_words() {
        let window = crate::reports::Window::year_to(jiff::civil::date(2026, 3, 1));
        let guard = Guard { window, quick_seconds: 20, people: Vec::new() };
        let mut columns = 0;
        for table in guard.tables() {
            for column in &table.columns {
                columns += 1;
                assert!(render::word(&format!("reports.col_{column}"), Language::Sv).is_some(), "no words `{column}`");
            }
        }
        assert!(columns > 10, "{columns}");
        for name in REPORT.iter().chain(table::APPROVALS) {
            for part in ["title", "what"] {
                assert!(
                    render::word(&format!("reports.{name}_{part}"), Language::Sv).is_some(),
                    "no words `{name}_{part}`"
                );
            }
        }
    }
}
