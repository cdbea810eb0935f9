//! How a run begins, and how it goes on: its folder, its record, and what has a row already.
//!
//! A run goes on only with what it began with: the same suite and the same cases. Anything else is a new run.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::hashes;
use crate::cases::hex;
use crate::config::Config;
use crate::evals::calibration;
use crate::evals::case::EvalCaseId;
use crate::evals::dataset::{self, Cases};
use crate::evals::folder::{RunFolder, RunRecord, Unreadable};
use crate::evals::load::{self, Loaded};
use crate::evals::row::{Row, Status};
use crate::evals::select::{Criterion, UnknownCriterion};
use crate::evals::suite::{ModelChoice, RunSettings};
use crate::municipality::Faults;

/// Version of the record.
const VERSION: u32 = 1;
/// Runs of one name in one second; more is no accident.
const MOST_NAMESAKES: u32 = 1_000;

/// Why a run cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The suite or its cases are at fault.
    #[error("{0}")]
    Faults(Faults),
    /// What the run began with is no longer there.
    #[error("{}: {what}", folder.display())]
    Changed {
        /// The run.
        folder: PathBuf,
        /// What is different.
        what: &'static str,
    },
    /// The run's record cannot be read.
    #[error("{}: this is no record of a run; name a folder with a run.json", file.display())]
    Record {
        /// Its file.
        file: PathBuf,
    },
    /// A selection that cannot be read.
    #[error(transparent)]
    Criterion(#[from] UnknownCriterion),
    /// The rows.
    #[error(transparent)]
    Rows(#[from] Unreadable),
    /// A file or folder.
    #[error("{}: {because}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        because: io::Error,
    },
}

impl From<Faults> for BeginError {
    fn from(faults: Faults) -> Self {
        Self::Faults(faults)
    }
}

/// What a new run begins with.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// The suite, with what the command line changed in it.
    pub loaded: &'a Loaded,
    /// The model; none: the offline engine alone.
    pub model: Option<&'a ModelChoice>,
    /// Its cases.
    pub cases: Cases,
    /// How they were chosen.
    pub criteria: &'a [Criterion],
    /// The settings.
    pub config: &'a Config,
    /// Where runs are kept.
    pub runs: &'a Path,
    /// When.
    pub now: Timestamp,
}

/// A run that may be executed.
#[derive(Debug)]
pub struct Begun {
    /// Its folder.
    pub folder: RunFolder,
    /// Its record.
    pub record: RunRecord,
    /// The suite, as the run began with it.
    pub loaded: Loaded,
    /// Its cases.
    pub cases: Cases,
    /// Cases and epochs that have a row already.
    pub done: HashSet<(EvalCaseId, u32)>,
    /// What these cost, millionths of a euro.
    pub spent_micros: i64,
}

impl Beginning<'_> {
    /// Makes the folder of a new run and writes its record.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn begin(self) -> Result<Begun, BeginError> {
        let Self { loaded, model, cases, criteria, config, runs, now } = self;
        let because = |because| BeginError::File { file: loaded.path.clone(), because };
        let suite = &loaded.suite;
        let judges = calibration::judges(suite, &loaded.path)?;
        let record = RunRecord {
            version: VERSION,
            started: now,
            path: loaded.path.clone(),
            suite: suite.clone(),
            hashes: hashes::of(loaded, &cases.sha256, config, model, &judges).map_err(because)?,
            judges,
            model: model.map(|model| model.id.clone()),
            served_by: Vec::new(),
            epochs: suite.run.epochs,
            mode: suite.run.mode,
            rows: cases.cases.len() * suite.run.epochs as usize,
            selection: criteria.iter().map(ToString::to_string).collect(),
            attempts: 1,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let folder = make(runs, &record)?;
        write(&folder, &record)?;
        Ok(Begun { folder, record, loaded: loaded.clone(), cases, done: HashSet::new(), spent_micros: 0 })
    }
}

/// Goes on with a run, with the settings that `change` makes; with `retry_errors` its cases without an answer or a
/// grade are run again.
///
/// # Errors
/// [`BeginError`]; [`BeginError::Changed`] when suite or dataset are no longer what the run began with.
pub fn resume(folder: &Path, retry_errors: bool, change: impl FnOnce(&mut RunSettings)) -> Result<Begun, BeginError> {
    let folder = RunFolder(folder.to_owned());
    let mut record = record(&folder)?;
    let RunSettings { epochs, .. } = record.suite.run;
    change(&mut record.suite.run);
    // How often each case is run is part of what was begun.
    record.suite.run.epochs = epochs;
    let file = load::suite(&record.path)?;
    let changed = |what| BeginError::Changed { folder: folder.0.clone(), what };
    if file.hash != record.hashes.suite {
        return Err(changed("the suite has changed since the run began; begin a new run"));
    }
    let loaded = Loaded { suite: record.suite.clone(), ..file };
    if calibration::hash(&calibration::judges(&loaded.suite, &loaded.path)?) != record.hashes.judges {
        return Err(changed("a rubric or a judge has changed since the run began; begin a new run"));
    }
    let criteria = record.selection.iter().map(|words| words.parse()).collect::<Result<Vec<Criterion>, _>>()?;
    let cases = dataset::open(&loaded, &criteria)?;
    if cases.sha256 != record.hashes.dataset {
        return Err(changed("the dataset has changed since the run began; begin a new run"));
    }
    let rows = if folder.rows().exists() { folder.read()?.rows } else { Vec::new() };
    let again = |row: &&Row| retry_errors && matches!(row.status, Status::Error | Status::Ungraded);
    let done = rows.iter().filter(|row| !again(row)).map(|row| (row.case.clone(), row.epoch)).collect();
    let spent_micros = rows.iter().map(|row| row.used.cost_micros).fold(0, i64::saturating_add);
    record.attempts = record.attempts.saturating_add(1);
    write(&folder, &record)?;
    Ok(Begun { folder, record, loaded, cases, done, spent_micros })
}

/// The newest run of a suite with a model.
#[must_use]
pub fn latest(runs: &Path, suite: &str, model: Option<&str>) -> Option<PathBuf> {
    let entries = fs::read_dir(runs).ok()?.flatten().map(|entry| entry.path());
    let of = |folder: &PathBuf| {
        let record = record(&RunFolder(folder.clone())).ok()?;
        (record.suite.suite == suite && record.model.as_deref() == model).then_some(record.started)
    };
    entries.filter_map(|folder| Some((of(&folder)?, folder))).max().map(|(_, folder)| folder)
}

/// What was run in a folder.
fn record(folder: &RunFolder) -> Result<RunRecord, BeginError> {
    let file = folder.record();
    let read = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<RunRecord>(&bytes).ok());
    read.filter(|record| record.version == VERSION).ok_or(BeginError::Record { file })
}

impl Begun {
    /// The model; none: the offline engine alone.
    #[must_use]
    pub fn model(&self) -> Option<ModelChoice> {
        let id = self.record.model.as_ref()?;
        let of_suite = self.record.suite.models.iter().find(|model| model.id == *id);
        Some(of_suite.cloned().unwrap_or_else(|| ModelChoice { id: id.clone(), url: None }))
    }

    /// Notes what servers called their model.
    ///
    /// # Errors
    /// [`BeginError::File`].
    pub fn served(&mut self, by: impl IntoIterator<Item = String>) -> Result<(), BeginError> {
        let record = &mut self.record;
        let before = record.served_by.len();
        for name in by {
            if !record.served_by.contains(&name) {
                record.served_by.push(name);
            }
        }
        if record.served_by.len() == before { Ok(()) } else { write(&self.folder, record) }
    }
}

/// `<utc>-<suite>-<hash8>`, with a number behind it where there is one already.
fn make(runs: &Path, record: &RunRecord) -> Result<RunFolder, BeginError> {
    let because = |file: &Path, because| BeginError::File { file: file.to_owned(), because };
    fs::create_dir_all(runs).map_err(|error| because(runs, error))?;
    let hashes = &record.hashes;
    let of = [hashes.suite.as_str(), &hashes.dataset, record.model.as_deref().unwrap_or_default()].join("\n");
    let hash = hex(&Sha256::digest(of));
    let name = format!("{}-{}-{}", record.started.strftime("%Y%m%dT%H%M%SZ"), record.suite.suite, &hash[..8]);
    for nth in 1..=MOST_NAMESAKES {
        let folder = runs.join(if nth == 1 { name.clone() } else { format!("{name}-{nth}") });
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(RunFolder(folder)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(because(&folder, error)),
        }
    }
    Err(because(runs, io::ErrorKind::AlreadyExists.into()))
}

/// Replaces the record as a whole: whoever reads it finds the old one or the new one.
fn write(folder: &RunFolder, record: &RunRecord) -> Result<(), BeginError> {
    let (file, part) = (folder.record(), folder.0.join("run.json.part"));
    let write = || {
        let mut text = serde_json::to_string_pretty(record)?;
        text.push('\n');
        fs::write(&part, text)?;
        fs::rename(&part, &file)
    };
    write().map_err(|because: io::Error| BeginError::File { file: file.clone(), because })
}
