//! Reports as tables: the one shape behind the page, the CSV file and the command line. Names of tables and columns are
//! stable keys; words in people's languages are the pages' own.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::guard::Guard;
use super::{ByService, Report, Share};
use crate::cases::{Euro, ServiceId};
use crate::storage::Micros;

/// The tables of a report, in their order.
pub const REPORT: &[&str] = &[
    "volume",
    "series",
    "lead-times",
    "deadlines",
    "corrections",
    "as-drafted",
    "blind",
    "detours",
    "alerts",
    "manual",
    "costs",
];

/// The tables of how approvals are made.
pub const APPROVALS: &[&str] = &["approvers", "quick-approvals"];

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Names of its columns.
    pub columns: Vec<&'static str>,
    /// Its rows; each has a cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "is", content = "value", rename_all = "kebab-case")]
pub enum Cell {
    /// All services together.
    All,
    /// One service; none: cases that belong to none.
    Service(Option<ServiceId>),
    /// A word of ours, by its key.
    Word(&'static str),
    /// Words as they are: a name, a number, a source.
    Text(String),
    /// A count.
    Count(u64),
    /// A part of a whole.
    Share(Share),
    /// Seconds, read as days.
    Days(Option<i64>),
    /// Seconds, read as seconds, minutes or hours.
    Time(Option<i64>),
    /// Percent.
    Percent(Option<f64>),
    /// Euros.
    Euro(Euro),
    /// What a model costs.
    Cost(Micros),
    /// A day.
    Day(Option<Date>),
    /// A moment.
    Moment(Timestamp),
    /// Yes or no.
    Flag(bool),
    /// Nothing to say.
    Nothing,
}

/// The head and the rows of a table that has a row a service, and one of all together.
fn by_service<T>(
    name: &'static str,
    columns: &[&'static str],
    figures: &ByService<T>,
    cells: impl Fn(&T) -> Vec<Cell>,
) -> Table {
    let row = |first: Cell, figures: &T| [vec![first], cells(figures)].concat();
    let services = figures.services.iter().map(|of| row(Cell::Service(of.service.clone()), &of.figures));
    let rows = services.chain([row(Cell::All, &figures.all)]).collect();
    Table { name, columns: [&["service"], columns].concat(), rows }
}

impl Report {
    /// Every table, in the order of [`REPORT`].
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        vec![
            self.volume_table(),
            self.series_table(),
            self.lead_time_table(),
            self.deadline_table(),
            self.correction_table(),
            by_service("as-drafted", &["as_drafted"], &self.as_drafted, |share| vec![Cell::Share(*share)]),
            by_service("blind", &["agreed", "outcome", "amount"], &self.blind, |it| {
                vec![Cell::Share(it.agreed), Cell::Count(it.outcome), Cell::Count(it.amount)]
            }),
            self.detour_table(),
            self.alert_table(),
            self.manual_table(),
            self.cost_table(),
        ]
    }

    fn volume_table(&self) -> Table {
        let columns = ["received", "decided", "acknowledged", "transferred", "withdrawn", "otherwise", "open"];
        by_service("volume", &columns, &self.volume, |it| {
            let counts =
                [it.received, it.decided, it.acknowledged, it.transferred, it.withdrawn, it.otherwise, it.open];
            counts.map(Cell::Count).to_vec()
        })
    }

    fn series_table(&self) -> Table {
        let rows = self.series.iter().map(|piece| {
            let days = [piece.window.from(), piece.window.to()].map(|day| Cell::Day(Some(day)));
            [days, [piece.received, piece.settled].map(Cell::Count)].concat()
        });
        Table { name: "series", columns: vec!["from", "to", "received", "settled"], rows: rows.collect() }
    }

    fn lead_time_table(&self) -> Table {
        let columns = ["cases", "median", "p90", "own_median", "own_p90", "waited", "waiting_median"];
        by_service("lead-times", &columns, &self.lead_times, |it| {
            let days = [it.whole.median_seconds, it.whole.p90_seconds, it.own.median_seconds, it.own.p90_seconds];
            let mut cells = vec![Cell::Count(it.whole.n)];
            cells.extend(days.map(Cell::Days));
            cells.extend([Cell::Count(it.waiting.n), Cell::Days(it.waiting.median_seconds)]);
            cells
        })
    }

    fn deadline_table(&self) -> Table {
        let columns = ["open", "late", "within_7", "within_14", "later", "without", "waiting", "settled_late"];
        by_service("deadlines", &columns, &self.deadlines, |it| {
            let counts = [it.open, it.late, it.within_7, it.within_14, it.later, it.without, it.waiting];
            let mut cells = counts.map(Cell::Count).to_vec();
            cells.push(Cell::Share(it.settled_late));
            cells
        })
    }

    fn correction_table(&self) -> Table {
        let columns = ["changed", "kind", "outcome", "amount", "reasons", "wording", "words_median", "words_p90"];
        by_service("corrections", &columns, &self.corrections, |it| {
            let mut cells = vec![Cell::Share(it.changed)];
            cells.extend([it.kind, it.outcome, it.amount, it.reasons, it.wording].map(Cell::Count));
            cells.extend([it.words_median_percent, it.words_p90_percent].map(Cell::Percent));
            cells
        })
    }

    fn detour_table(&self) -> Table {
        let it = &self.detours;
        let rows = [
            ("reclassified", it.reclassified),
            ("sent_elsewhere", it.transferred),
            ("returned", it.returned),
            ("needed_person", it.needed_person),
        ];
        let rows = rows.map(|(what, share)| vec![Cell::Word(what), Cell::Share(share)]);
        Table { name: "detours", columns: vec!["what", "share"], rows: rows.to_vec() }
    }

    fn alert_table(&self) -> Table {
        let it = &self.alerts;
        let row = vec![
            Cell::Count(it.raised),
            Cell::Count(it.open),
            Cell::Time(it.acknowledged.median_seconds),
            Cell::Time(it.worst_seconds),
        ];
        Table { name: "alerts", columns: vec!["raised", "not_acknowledged", "median", "worst"], rows: vec![row] }
    }

    fn manual_table(&self) -> Table {
        let columns = [
            "cases",
            "unknown",
            "median",
            "p90",
            "mean",
            "baseline",
            "baseline_cases",
            "measured_from",
            "measured_to",
            "source",
            "saved",
        ];
        by_service("manual", &columns, &self.manual, |it| {
            let times = [it.time.median_seconds, it.time.p90_seconds, it.mean_seconds];
            let mut cells = vec![Cell::Count(it.time.n), Cell::Count(it.unknown)];
            cells.extend(times.map(Cell::Time));
            match &it.baseline {
                None => cells.extend(std::iter::repeat_n(Cell::Nothing, 6)),
                Some(base) => cells.extend([
                    Cell::Time(Some(i64::from(base.minutes) * 60)),
                    Cell::Count(base.cases.into()),
                    Cell::Day(Some(base.measured_from)),
                    Cell::Day(base.measured_to),
                    Cell::Text(base.source.clone()),
                    Cell::Time(base.saved_seconds),
                ]),
            }
            cells
        })
    }

    fn cost_table(&self) -> Table {
        let rows = self.costs.iter().map(|it| {
            let counts = [it.cases, it.calls, it.failed, it.input_tokens, it.output_tokens];
            let mut cells = vec![Cell::Text(it.currency.clone())];
            cells.extend(counts.map(Cell::Count));
            cells.extend([Cell::Cost(it.cost), Cell::Flag(it.cost_known)]);
            cells
        });
        let columns =
            vec!["currency", "cases", "calls", "failed", "input_tokens", "output_tokens", "cost", "cost_known"];
        Table { name: "costs", columns, rows: rows.collect() }
    }
}

impl Guard {
    /// Every table, in the order of [`APPROVALS`].
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        let people = self.people.iter().map(|it| {
            vec![
                Cell::Text(it.name.clone()),
                Cell::Count(it.approvals),
                Cell::Count(it.reading.n),
                Cell::Time(it.reading.median_seconds),
                Cell::Share(it.quick),
                Cell::Share(it.changed),
                Cell::Share(it.returned),
                Cell::Flag(it.ask),
            ]
        });
        let quick = self.people.iter().flat_map(|it| {
            it.largest_quick.iter().map(|quick| {
                vec![
                    Cell::Text(it.name.clone()),
                    Cell::Text(quick.number.clone()),
                    Cell::Euro(quick.amount),
                    Cell::Time(Some(quick.seconds)),
                    Cell::Moment(quick.at),
                ]
            })
        });
        let columns =
            vec!["name", "approvals", "looks", "reading_median", "quick", "changed_by_others", "given_back", "ask"];
        vec![
            Table { name: "approvers", columns, rows: people.collect() },
            Table {
                name: "quick-approvals",
                columns: vec!["name", "number", "amount", "time", "moment"],
                rows: quick.collect(),
            },
        ]
    }
}

impl Table {
    /// As CSV with a head: UTF-8, commas, points in numbers, times in whole seconds, an empty field for what is not
    /// known. A share is three columns: `x`, `x_of`, `x_percent`. Words that a spreadsheet would take for a formula
    /// begin with an apostrophe.
    ///
    /// # Errors
    /// None that can happen: the text is written to memory.
    pub fn csv(&self) -> csv::Result<String> {
        let mut out = csv::Writer::from_writer(Vec::new());
        let is_share = |n: usize| self.rows.iter().any(|row| matches!(row.get(n), Some(Cell::Share(_))));
        let is_time = |n: usize| self.rows.iter().any(|row| matches!(row.get(n), Some(Cell::Days(_) | Cell::Time(_))));
        let head = self.columns.iter().enumerate().flat_map(|(n, name)| match n {
            n if is_share(n) => vec![(*name).to_owned(), format!("{name}_of"), format!("{name}_percent")],
            n if is_time(n) => vec![format!("{name}_seconds")],
            _ => vec![(*name).to_owned()],
        });
        out.write_record(head)?;
        for row in &self.rows {
            out.write_record(row.iter().flat_map(Cell::plain))?;
        }
        let bytes = out.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Cell {
    /// As fields of a file for machines.
    #[must_use]
    pub fn plain(&self) -> Vec<String> {
        let or_empty = |value: Option<String>| vec![value.unwrap_or_default()];
        match self {
            Self::All => vec!["all".to_owned()],
            Self::Service(service) => or_empty(service.as_ref().map(ToString::to_string)),
            Self::Word(word) => vec![(*word).to_owned()],
            Self::Text(text) => vec![harmless(text)],
            Self::Count(count) => vec![count.to_string()],
            Self::Share(Share { part, of, percent }) => {
                vec![part.to_string(), of.to_string(), percent.map_or_else(String::new, |percent| percent.to_string())]
            }
            Self::Days(seconds) | Self::Time(seconds) => or_empty(seconds.map(|seconds| seconds.to_string())),
            Self::Percent(percent) => or_empty(percent.map(|percent| percent.to_string())),
            Self::Euro(amount) => vec![amount.to_string()],
            Self::Cost(cost) => vec![cost.to_string()],
            Self::Day(day) => or_empty(day.map(|day| day.to_string())),
            Self::Moment(at) => vec![at.to_string()],
            Self::Flag(flag) => vec![flag.to_string()],
            Self::Nothing => vec![String::new()],
        }
    }
}

/// A text that no spreadsheet takes for a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_and_starts_no_formula() {
        let table = Table {
            name: "approvers",
            columns: vec!["name", "quick", "median"],
            rows: vec![
                vec![Cell::Text("=HYPERLINK(\"x\")".to_owned()), Cell::Share(Share::new(3, 12)), Cell::Time(Some(9))],
                vec![Cell::Text("Virta, Anna".to_owned()), Cell::Share(Share::new(1, 2)), Cell::Time(None)],
            ],
        };
        assert_eq!(
            table.csv().unwrap(),
            "name,quick,quick_of,quick_percent,median_seconds\n\"'=HYPERLINK(\"\"x\"\")\",3,12,25,9\n\"Virta, Anna\",1,2,,\n"
        );
    }
}
