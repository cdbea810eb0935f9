//! How a run begins, and how it goes on: its folder, its record, and what has a row already.
//!
//! A run goes on only with what it began with: the same suite, cases, prompts, packs and prices. Anything else is a new
//! run.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::hashes;
use crate::cases::hex;
use crate::config::Config;
use crate::evals::calibration::{self, Judging};
use crate::evals::case::EvalCaseId;
use crate::evals::dataset::{self, Cases};
use crate::evals::folder::{self, Hashes, RunFolder, RunRecord, Unreadable};
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
        let (hashes, judges) = known(self.loaded, &self.cases, self.config, self.model)?;
        self.record(hashes, judges).make()
    }

    /// Makes the folder of a run whose answers are those of another: they keep what they were made with and by whom.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn score_anew(self, before: RunRecord, name: String) -> Result<Begun, BeginError> {
        let (now, judges) = known(self.loaded, &self.cases, self.config, self.model)?;
        let Hashes { prompts, packs, prices, search, .. } = before.hashes;
        let mut begun = self.record(Hashes { prompts, packs, prices, search, ..now }, judges);
        let RunRecord { served_by, mode, program, .. } = before;
        begun.record = RunRecord { served_by, mode, program, scored_from: Some(name), ..begun.record };
        begun.make()
    }

    fn record(self, hashes: Hashes, judges: Vec<Judging>) -> Unmade {
        let Self { loaded, model, cases, criteria, runs, now, .. } = self;
        let suite = &loaded.suite;
        let record = RunRecord {
            version: VERSION,
            started: now,
            path: loaded.path.clone(),
            suite: suite.clone(),
            hashes,
            judges,
            model: model.map(|model| model.id.clone()),
            served_by: Vec::new(),
            epochs: suite.run.epochs,
            mode: suite.run.mode,
            rows: cases.cases.len() * suite.run.epochs as usize,
            selection: criteria.iter().map(ToString::to_string).collect(),
            attempts: 1,
            scored_from: None,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Unmade { record, loaded: loaded.clone(), cases, runs: runs.to_owned() }
    }
}

/// A run that has no folder yet.
struct Unmade {
    record: RunRecord,
    loaded: Loaded,
    cases: Cases,
    runs: PathBuf,
}

impl Unmade {
    fn make(self) -> Result<Begun, BeginError> {
        let Self { record, loaded, cases, runs } = self;
        let folder = make(&runs, &record)?;
        write(&folder, &record)?;
        Ok(Begun { folder, record, loaded, cases, done: HashSet::new(), spent_micros: 0 })
    }
}

/// What a run rests on: its hashes, and what is known of its judges.
fn known(
    loaded: &Loaded,
    cases: &Cases,
    config: &Config,
    model: Option<&ModelChoice>,
) -> Result<(Hashes, Vec<Judging>), BeginError> {
    let because = |because| BeginError::File { file: loaded.path.clone(), because };
    let judges = calibration::judges(&loaded.suite, &loaded.path)?;
    let hashes = hashes::of(loaded, &cases.sha256, config, model, &judges).map_err(because)?;
    Ok((hashes, judges))
}

/// Goes on with a run, with the settings that `change` makes; with `retry_errors` its cases without an answer or a
/// grade are run again. Nothing is written yet: [`Begun::go_on`] does.
///
/// # Errors
/// [`BeginError`]; [`BeginError::Changed`] when anything is no longer what the run began with.
pub fn resume(
    folder: &Path,
    config: &Config,
    retry_errors: bool,
    change: impl FnOnce(&mut RunSettings),
) -> Result<Begun, BeginError> {
    let folder = RunFolder(folder.to_owned());
    let mut record = record(&folder)?;
    let changed = |what| BeginError::Changed { folder: folder.0.clone(), what };
    if record.scored_from.is_some() {
        return Err(changed("these are the scores of another run (`eval score`); go on with that one"));
    }
    let RunSettings { epochs, .. } = record.suite.run;
    change(&mut record.suite.run);
    // How often each case is run is part of what was begun.
    record.suite.run.epochs = epochs;
    record.mode = record.suite.run.mode;
    let file = load::suite(&record.path)?;
    if file.hash != record.hashes.suite {
        return Err(changed("the suite has changed since the run began; begin a new run"));
    }
    let loaded = Loaded { suite: record.suite.clone(), ..file };
    let criteria = record.selection.iter().map(|words| words.parse()).collect::<Result<Vec<Criterion>, _>>()?;
    let cases = dataset::open(&loaded, &criteria)?;
    if cases.sha256 != record.hashes.dataset {
        return Err(changed("the dataset has changed since the run began; begin a new run"));
    }
    let was = &record.hashes;
    let (is, _) = known(&loaded, &cases, config, model(&record).as_ref())?;
    for (was, is, what) in [
        (&was.prompts, &is.prompts, "the prompts have changed since the run began; begin a new run"),
        (&was.packs, &is.packs, "the packs or policies have changed since the run began; begin a new run"),
        (&was.prices, &is.prices, "the prices have changed since the run began; begin a new run"),
        (&was.judges, &is.judges, "a rubric or a judge has changed since the run began; begin a new run"),
        (&was.split, &is.split, "the lock of the parts has changed since the run began; begin a new run"),
        (&was.search, &is.search, "the search has changed since the run began; begin a new run"),
    ] {
        if was != is {
            return Err(changed(what));
        }
    }
    let lines = if folder.rows().exists() { folder.lines()? } else { Vec::new() };
    // What was paid for is paid for, whether or not a later row took its place.
    let spent_micros = lines.iter().map(|row| row.used.cost_micros).fold(0, i64::saturating_add);
    let rows = folder::latest(lines);
    let again = |row: &&Row| retry_errors && matches!(row.status, Status::Error | Status::Ungraded);
    let done = rows.iter().filter(|row| !again(row)).map(|row| (row.case.clone(), row.epoch)).collect();
    record.attempts = record.attempts.saturating_add(1);
    Ok(Begun { folder, record, loaded, cases, done, spent_micros })
}

/// Which run is to be gone on with.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The suite's name.
    pub suite: &'a str,
    /// The model.
    pub model: Option<&'a str>,
    /// How its cases were chosen; empty: however.
    pub criteria: &'a [Criterion],
    /// Repetitions of each case; none: as many as there are.
    pub epochs: Option<u32>,
    /// Whether what ended in an error or without a grade is to be run again.
    pub retry_errors: bool,
}

/// The newest of these runs that lacks something; where none does, the newest.
#[must_use]
pub fn latest(runs: &Path, wanted: Wanted<'_>) -> Option<PathBuf> {
    let entries = fs::read_dir(runs).ok()?.flatten().map(|entry| entry.path());
    let fitting = |folder: PathBuf| {
        let record = record(&RunFolder(folder.clone())).ok()?;
        wanted.fits(&record).then_some((record.started, folder, record.rows))
    };
    let mut fitting: Vec<_> = entries.filter_map(fitting).collect();
    fitting.sort_unstable_by(|a, b| b.cmp(a));
    let unfinished = fitting.iter().find(|(_, folder, rows)| wanted.is_unfinished(folder, *rows));
    unfinished.or_else(|| fitting.first()).map(|(_, folder, _)| folder.clone())
}

impl Wanted<'_> {
    fn fits(&self, record: &RunRecord) -> bool {
        let chosen = || record.selection.iter().cloned().eq(self.criteria.iter().map(ToString::to_string));
        record.suite.suite == self.suite
            && record.model.as_deref() == self.model
            && record.scored_from.is_none()
            && (self.criteria.is_empty() || chosen())
            && self.epochs.is_none_or(|epochs| epochs == record.epochs)
    }

    fn is_unfinished(&self, folder: &Path, rows: usize) -> bool {
        let again = |row: &Row| self.retry_errors && matches!(row.status, Status::Error | Status::Ungraded);
        // A run that was stopped before its first row has no file of them.
        let lines = RunFolder(folder.to_owned()).lines();
        lines.map(folder::latest).map_or(true, |there| there.len() < rows || there.iter().any(again))
    }
}

/// What was run in a folder.
fn record(folder: &RunFolder) -> Result<RunRecord, BeginError> {
    let file = folder.record();
    let read = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<RunRecord>(&bytes).ok());
    read.filter(|record| record.version == VERSION).ok_or(BeginError::Record { file })
}

/// The model of a run; none: the offline engine alone.
fn model(record: &RunRecord) -> Option<ModelChoice> {
    let id = record.model.as_ref()?;
    let of_suite = record.suite.models.iter().find(|model| model.id == *id);
    Some(of_suite.cloned().unwrap_or_else(|| ModelChoice { id: id.clone(), url: None }))
}

impl Begun {
    /// The model; none: the offline engine alone.
    #[must_use]
    pub fn model(&self) -> Option<ModelChoice> {
        model(&self.record)
    }

    /// Writes down that a run goes on, and how.
    ///
    /// # Errors
    /// [`BeginError::File`].
    pub fn go_on(&self) -> Result<(), BeginError> {
        write(&self.folder, &self.record)
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
