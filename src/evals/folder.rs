//! A run's folder: `run.json` says what was run, `rows.jsonl` what came of it, append-only.
//!
//! Totals are derived, never stored as truth: whoever reads a folder computes them from the rows. The suite is kept in
//! `run.json` as it was read, so a folder explains itself without the repository beside it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibration::Judging;
use super::row::Row;
use super::suite::{Mode, Suite};

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Version of the format: 1.
    pub version: u32,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// The suite's file, as it was named; files in the suite are relative to it.
    #[serde(default)]
    pub path: PathBuf,
    /// The suite as it was read.
    pub suite: Suite,
    /// Hashes of everything that the answers depend on.
    pub hashes: Hashes,
    /// Who judges, and how far each can be trusted; empty where nobody does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<Judging>,
    /// Which model; none: the offline engine alone.
    pub model: Option<String>,
    /// What the server called it, as far as it said.
    #[serde(default)]
    pub served_by: Vec<String>,
    /// Repetitions of each case.
    pub epochs: u32,
    /// Whether models were asked.
    pub mode: Mode,
    /// How many cases were selected, in all epochs together: rows that a complete run has.
    pub rows: usize,
    /// What was selected by hand (`--limit`, `--id`, `--where`, `--shard`), as it was written; empty: everything.
    #[serde(default)]
    pub selection: Vec<String>,
    /// How often the run was begun or resumed.
    pub attempts: u32,
    /// The run whose answers were scored anew in this one: nothing was asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_from: Option<String>,
    /// This program's version.
    pub program: String,
}

/// SHA-256, hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Hashes {
    /// The suite's file.
    pub suite: String,
    /// The dataset's file.
    pub dataset: String,
    /// The lock that says which part each case is in, where the suite takes one part.
    #[serde(default)]
    pub split: Option<String>,
    /// The prompts, where a model is asked.
    pub prompts: Option<String>,
    /// The packs and policies, where the target reads them.
    pub packs: Option<String>,
    /// The price file, where a model is asked.
    pub prices: Option<String>,
    /// Rubrics and judges.
    pub judges: Option<String>,
    /// What searches besides the index of words in memory, where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
}

/// Where a run's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder(pub PathBuf);

impl RunFolder {
    /// What was run.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.0.join("run.json")
    }

    /// What came of it.
    #[must_use]
    pub fn rows(&self) -> PathBuf {
        self.0.join("rows.jsonl")
    }
}

/// A run: what was run and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// What was run.
    pub record: RunRecord,
    /// What came of it, by case and epoch.
    pub rows: Vec<Row>,
}

/// A file that cannot be read or written, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    error: io::Error,
}

impl FileError {
    /// What went wrong with a file.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self { path, error }
    }
}

/// The text of a file.
///
/// # Errors
/// [`FileError`] when it is missing or no text.
pub(super) fn text(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(FileError::at(path))
}

/// Why a folder is no run. None of these carries what stands in a row.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// `run.json` is not what a run writes.
    #[error("{}: no record of a run (line {line})", path.display())]
    Record {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
    /// A line is no row, and it is not a last line that a crash tore off.
    #[error("{}:{line}: not a row", path.display())]
    Row {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
}

impl RunFolder {
    /// The run in this folder. Of several rows of one case and epoch the last counts (`--retry-errors` appends); a last
    /// line without an end is what a crash tore off and is left out.
    ///
    /// # Errors
    /// [`Unreadable`] when a file is missing or is not what a run writes.
    pub fn read(&self) -> Result<Run, Unreadable> {
        let path = self.record();
        let record = serde_json::from_slice(&bytes(&path)?)
            .map_err(|error| Unreadable::Record { path: path.clone(), line: error.line() })?;
        Ok(Run { record, rows: latest(self.lines()?) })
    }

    /// Every row as it was written, those that a later one takes the place of included: what was paid for.
    ///
    /// # Errors
    /// [`Unreadable`] as for [`read`](Self::read).
    pub fn lines(&self) -> Result<Vec<Row>, Unreadable> {
        let path = self.rows();
        lines(&path, &bytes(&path)?)
    }
}

/// Of several rows of one case and epoch the last; in the order of cases and epochs.
#[must_use]
pub fn latest(lines: Vec<Row>) -> Vec<Row> {
    let rows: BTreeMap<_, _> = lines.into_iter().map(|row| ((row.case.clone(), row.epoch), row)).collect();
    rows.into_values().collect()
}

fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    Ok(std::fs::read(path).map_err(FileError::at(path))?)
}

/// A line may be torn within a letter of two bytes: what has no end is left out before anything is read.
fn lines(path: &Path, bytes: &[u8]) -> Result<Vec<Row>, Unreadable> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate();
    let row = |(number, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|_| Unreadable::Row { path: path.to_owned(), line: number + 1 })
    };
    lines.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(case: &str, epoch: u32, status: &str) -> String {
        let row = serde_json::json!({
            "case": case, "epoch": epoch, "status": status, "cluster": case, "latency_ms": 1.0
        });
        format!("{row}\n")
    }

    #[test]
    fn the_last_row_of_a_case_counts_and_a_torn_line_does_not() {
        let text = [line("b", 0, "error"), line("a", 1, "ok"), line("a", 0, "ok"), line("b", 0, "ok")].concat();
        let torn = format!("{text}{}", &line("c", 0, "ok")[..20]);
        // Within the two bytes of a letter.
        let within = [text.as_bytes(), b"{\"case\":\"c\",\"output\":\"p\xc3"].concat();
        for text in [text.into_bytes(), torn.into_bytes(), within] {
            let rows = latest(lines(Path::new("rows.jsonl"), &text).unwrap());
            let seen: Vec<_> = rows.iter().map(|row| (row.case.as_str(), row.epoch, row.status)).collect();
            let ok = super::super::row::Status::Ok;
            assert_eq!(seen, [("a", 0, ok), ("a", 1, ok), ("b", 0, ok)]);
        }
    }

    #[test]
    fn a_torn_line_in_the_middle_is_a_fault_with_its_place() {
        let text = format!("{}\n{}", &line("a", 0, "ok")[..20], line("b", 0, "ok"));
        let error = lines(Path::new("rows.jsonl"), text.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "rows.jsonl:1: not a row");
    }
}
