//! Reports: what a run came to, for people and for other programs, one file a format.
//!
//! A [`Report`] is computed from a run's rows; nothing in it is taken over from an earlier computation. Case text and
//! answers are in no report, but for two formats that hold rows for programs (`.jsonl`, `.promptfoo.json`) where the
//! suite keeps answers, and for the page of `eval view --answers`. No format holds a number that is not a number.

pub(crate) mod charts;
mod csv;
pub mod html;
mod json;
pub mod junit;
pub mod markdown;
mod promptfoo;
pub mod words;

use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibration::Judging;
use super::compare::{self, Comparison};
use super::exit::Outcome;
use super::folder::{FileError, Run, RunRecord};
use super::gate::{self, GateResult};
use super::load::ALWAYS;
use super::measure::Figures;
use super::metrics::{self, Bounds};
use super::row::{Row, Status};

/// A run and what follows from its rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What was run.
    #[serde(rename = "run")]
    pub record: RunRecord,
    /// How it ended: the worst of its gates and of what is missing.
    pub outcome: Outcome,
    /// Rows by what became of them.
    pub counts: Counts,
    /// The figures.
    pub figures: Figures,
    /// The gates of the suite.
    pub gates: Vec<GateResult>,
    /// Case by case against the baseline, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What came of each case.
    pub rows: Vec<Row>,
}

/// Rows by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Rows that a complete run has.
    pub selected: usize,
    /// Rows there are.
    pub rows: usize,
    /// Every assertion holds.
    pub ok: usize,
    /// An assertion does not hold.
    pub failed: usize,
    /// No answer.
    pub error: usize,
    /// No grade.
    pub ungraded: usize,
    /// Left out on purpose.
    pub skipped: usize,
}

impl Counts {
    /// Counts the rows of a run.
    #[must_use]
    pub fn of(Run { record, rows }: &Run) -> Self {
        let count = |status| rows.iter().filter(|row| row.status == status).count();
        Self {
            selected: record.rows,
            rows: rows.len(),
            ok: count(Status::Ok),
            failed: count(Status::Failed),
            error: count(Status::Error),
            ungraded: count(Status::Ungraded),
            skipped: count(Status::Skipped),
        }
    }
}

impl Report {
    /// Computes everything that follows from a run's rows.
    #[must_use]
    pub fn of(run: Run, baseline: Option<&Run>) -> Self {
        let figures = metrics::of_run(&run.record, &run.rows, Bounds::SHOWN);
        let gates = gate::hold(&run, &figures, baseline);
        let outcome = gate::outcome(&run, &gates);
        let comparison = baseline.map(|baseline| compare::with_baseline(baseline, &run, &figures, &gates));
        let counts = Counts::of(&run);
        let Run { record, rows } = run;
        Self { record, outcome, counts, figures, gates, comparison, rows }
    }

    /// What it is called: the suite, and the model where there is one.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.record.model {
            Some(model) => format!("{} · {model}", self.record.suite.suite),
            None => self.record.suite.suite.clone(),
        }
    }

    /// What a reader has to know of a figure, beside its name: that it rests on a judge whom nobody held against people.
    #[must_use]
    pub fn remark(&self, figure: &str) -> Option<&'static str> {
        let rests_on = |judging: &&Judging| judging.calibration().is_none() && judging.reaches(figure);
        // Whether cases are as asked has other reasons, too.
        let own = !ALWAYS.contains(&figure);
        self.record.judges.iter().find(rests_on).filter(|_| own).map(|_| "not calibrated")
    }

    /// Money that was spent, euros.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "millionths of a euro, far below 2^52")]
    pub fn cost(&self) -> f64 {
        self.rows.iter().map(|row| row.used.cost_micros).sum::<i64>() as f64 / 1_000_000.0
    }
}

/// Formats of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Everything but the answers.
    Json,
    /// One row a line.
    Jsonl,
    /// For continuous integration.
    Junit,
    /// One page with charts.
    Html,
    /// For a pull request.
    Markdown,
    /// One line a row, for a spreadsheet.
    Csv,
    /// As promptfoo writes it.
    Promptfoo,
}

/// Ends of file names, the longer before those that they end with.
const ENDS: &[(&str, Format)] = &[
    (".promptfoo.json", Format::Promptfoo),
    (".json", Format::Json),
    (".jsonl", Format::Jsonl),
    (".junit.xml", Format::Junit),
    (".xml", Format::Junit),
    (".html", Format::Html),
    (".md", Format::Markdown),
    (".csv", Format::Csv),
];

/// A file name that tells no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}: no report is called so; its name ends with .json, .jsonl, .junit.xml, .html, .md, .csv or .promptfoo.json",
    .0.display()
)]
pub struct UnknownFormat(PathBuf);

impl Format {
    /// The format that a file's name tells.
    ///
    /// # Errors
    /// [`UnknownFormat`] when it tells none.
    pub fn of(path: &Path) -> Result<Self, UnknownFormat> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        let found = ENDS.iter().find(|(end, _)| name.ends_with(end)).map(|(_, format)| *format);
        found.ok_or_else(|| UnknownFormat(path.to_owned()))
    }
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file's name tells no format.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The report cannot be put into this format.
    #[error("the report cannot be made: {0}")]
    Render(#[source] Unrenderable),
}

/// What a format's own library says.
pub type Unrenderable = Box<dyn std::error::Error + Send + Sync>;

/// Reports in one format; several where a suite was run with several models.
///
/// # Errors
/// What the format's library says; none is known.
pub fn render(format: Format, reports: &[Report]) -> Result<String, Unrenderable> {
    match format {
        Format::Json => json::whole(reports),
        Format::Jsonl => json::lines(reports),
        Format::Junit => junit::render(reports),
        Format::Html => html::render(reports, html::Answers::Hidden),
        Format::Markdown => Ok(markdown::render(reports)),
        Format::Csv => csv::render(reports),
        Format::Promptfoo => promptfoo::render(reports),
    }
}

/// Writes reports to a file in the format that its name tells, whole or not at all.
///
/// # Errors
/// [`WriteError`].
pub fn write(path: &Path, reports: &[Report]) -> Result<(), WriteError> {
    let text = render(Format::of(path)?, reports).map_err(WriteError::Render)?;
    Ok(put(path, &text).map_err(FileError::at(path))?)
}

/// Writes a file through a neighbour, so that a reader never sees half of it.
pub(crate) fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    std::fs::write(&part, text)?;
    std::fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_format() {
        for (name, format) in [
            ("a.json", Format::Json),
            ("a.promptfoo.json", Format::Promptfoo),
            ("out/a.junit.xml", Format::Junit),
            ("A.HTML", Format::Html),
            ("rows.jsonl", Format::Jsonl),
        ] {
            assert_eq!(Format::of(Path::new(name)), Ok(format), "{name}");
        }
        for name in ["a.txt", "json", "", ".."] {
            assert!(Format::of(Path::new(name)).is_err(), "{name}");
        }
    }
}
