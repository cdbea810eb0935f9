//! A baseline: a run that a person declared to be what later runs are held against.
//!
//! It is a run without its texts: observations by case and hashes of everything they depend on. It stands in the
//! repository, one line a row, so that a reviewer sees in a diff which cases changed. Only `vireille eval bless` writes
//! one, and it says who blessed it and why.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::folder::{FileError, Run, text};
use super::row::Row;

/// The format this program writes and reads.
const VERSION: u32 = 1;

/// A blessed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Version of the format: 1.
    pub version: u32,
    /// Who declared it, when and why.
    pub blessed: Blessed,
    /// What was run and what came of it, without texts.
    pub run: Run,
}

/// Who declared a baseline, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blessed {
    /// Who, as the person names themselves.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, in a sentence.
    pub because: String,
}

/// Why a file is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not what `vireille eval bless` writes.
    #[error("{}:{line}: not a baseline; `vireille eval bless` writes one", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
    /// Another version of the format.
    #[error("{}: version {found} of the format, and this program reads version 1", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// Which version.
        found: u32,
    },
}

impl Baseline {
    /// A run as a baseline; what was answered and why not is left out.
    #[must_use]
    pub fn of(run: Run, blessed: Blessed) -> Self {
        let Run { record, rows } = run;
        Self { version: VERSION, blessed, run: Run { record, rows: rows.into_iter().map(without_texts).collect() } }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Unreadable`] when it is missing or not a baseline.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let written = text(path)?;
        let baseline: Self = serde_json::from_str(&written)
            .map_err(|error| Unreadable::Format { path: path.to_owned(), line: error.line() })?;
        if baseline.version != VERSION {
            return Err(Unreadable::Version { path: path.to_owned(), found: baseline.version });
        }
        Ok(baseline)
    }

    /// As it stands in the repository: JSON, one line a row.
    ///
    /// # Errors
    /// When a part cannot be written as JSON.
    pub fn text(&self) -> serde_json::Result<String> {
        let Self { version, blessed, run: Run { record, rows } } = self;
        let mut text = format!(
            "{{\n\"version\": {version},\n\"blessed\": {},\n\"run\": {{\n\"record\": {},\n\"rows\": [",
            serde_json::to_string(blessed)?,
            serde_json::to_string(record)?,
        );
        for (number, row) in rows.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\n{}", serde_json::to_string(row)?);
        }
        text.push_str("\n]\n}\n}\n");
        Ok(text)
    }
}

/// What may leave the run's folder: observations, and nothing that anybody wrote.
fn without_texts(mut row: Row) -> Row {
    row.output = Value::Null;
    row.error = None;
    for scored in row.scores.values_mut() {
        scored.detail = None;
    }
    row
}
