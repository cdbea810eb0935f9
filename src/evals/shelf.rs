//! The folder of runs as others may read it: by name, newest first, whatever state a run is in.
//!
//! Names come from strangers: one that is no plain word names nothing, and no link leads out of the folder. A run that
//! is still going on, or that was broken off, is `unfinished` until its verdict stands beside its rows; one that cannot
//! be read is `broken` with its reason, and never keeps others from being shown. Nothing here holds case text.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::baseline;
use super::exit::Outcome;
use super::folder::{Run, RunFolder, RunRecord};
use super::measure::Measure;
use super::metrics::{self, Bounds};
use super::report::{Counts, Report};
use super::verdict::{self, Verdict};
use crate::cases::hex;

/// Longest name of a run, characters.
const LONGEST_NAME: usize = 160;
/// Largest file of a run that is read, bytes.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;
/// Most figures that a line of a list has.
const MOST_FIGURES: usize = 8;

/// A folder of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf(PathBuf);

/// The name of a run: letters, digits and `. _ -`, and no dot at its beginning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunName(String);

/// Why a text names no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no run is called so")]
pub struct NoName;

impl std::str::FromStr for RunName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let good = !text.is_empty() && text.len() <= LONGEST_NAME && !text.starts_with('.') && text.chars().all(plain);
        if good { Ok(Self(text.to_owned())) } else { Err(NoName) }
    }
}

impl RunName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Runs of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Newest first.
    pub runs: Vec<Listed>,
    /// The last run of this page, where there are further ones.
    pub next: Option<RunName>,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: RunName,
    /// What is there.
    pub state: State,
}

/// How much of a run is there.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It ended, with this outcome.
    Complete(Outcome, Box<Headline>),
    /// It goes on, or was broken off; none where nothing is written yet.
    Unfinished(Option<Box<Headline>>),
    /// It cannot be read: why, in a sentence without case text or paths of this machine.
    Broken(String),
}

/// What a line of a list tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    /// What was run.
    pub record: RunRecord,
    /// Rows by what became of them.
    pub counts: Counts,
    /// The figures that gates hold, without those that need a bootstrap for their bounds; else the share as asked.
    pub figures: Vec<(String, Measure)>,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// There is no such run.
    #[error("there is no such run")]
    Nowhere,
    /// It cannot be read: why.
    #[error("{0}")]
    Broken(String),
}

impl Shelf {
    /// This folder; it need not be there.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// As many runs as `most`, newest first, those after `after` where it is given. Reads files.
    #[must_use]
    pub fn page(&self, after: Option<&RunName>, most: usize) -> Page {
        // Names begin with the time, so that their order is that of time.
        let mut names = self.names();
        names.sort_unstable_by(|a, b| b.cmp(a));
        names.retain(|name| after.is_none_or(|after| name < after));
        let further = names.len() > most;
        names.truncate(most);
        let next = names.last().filter(|_| further).cloned();
        let runs = names.into_iter().map(|name| Listed { state: self.state(&name), name }).collect();
        Page { runs, next }
    }

    /// The report of a run, without what was answered. Reads files and computes every figure.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn report(&self, name: &RunName) -> Result<Report, Missing> {
        let folder = self.folder(name).ok_or(Missing::Nowhere)?;
        let run = run(&folder).map_err(Missing::Broken)?;
        let mut run = run.ok_or_else(|| Missing::Broken("nothing was written into it yet".to_owned()))?;
        // Where the suite lies on this machine is nobody's matter.
        run.record.path = run.record.path.file_name().map(PathBuf::from).unwrap_or_default();
        for row in &mut run.rows {
            row.output = serde_json::Value::Null;
        }
        let kept = verdict::baseline_path(&folder);
        let baseline = match plain_file(&kept) {
            Ok(false) => None,
            Ok(true) => Some(baseline::Baseline::read(&kept).map_err(|_| Missing::Broken(broken("baseline.json")))?),
            Err(why) => return Err(Missing::Broken(why)),
        };
        Ok(Report::of(run, baseline.as_ref().map(|baseline| &baseline.run)))
    }

    fn names(&self) -> Vec<RunName> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let names = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
    }

    /// The folder of a run that is there: a folder itself, and no link to one. Without a shelf there is none.
    fn folder(&self, name: &RunName) -> Option<RunFolder> {
        if self.0.as_os_str().is_empty() {
            return None;
        }
        let path = self.0.join(name.as_str());
        fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()).then_some(RunFolder(path))
    }

    fn state(&self, name: &RunName) -> State {
        // Between the listing and now it may have been removed.
        let Some(folder) = self.folder(name) else { return State::Unfinished(None) };
        match run(&folder) {
            Err(why) => State::Broken(why),
            Ok(None) => State::Unfinished(None),
            Ok(Some(run)) => {
                let outcome = outcome(&folder);
                let headline = Box::new(Headline::of(run));
                match outcome {
                    Some(outcome) => State::Complete(outcome, headline),
                    None => State::Unfinished(Some(headline)),
                }
            }
        }
    }
}

impl Headline {
    fn of(run: Run) -> Self {
        let counts = Counts::of(&run);
        let found = metrics::of_run(&run.record, &run.rows, Bounds::SHOWN.quick());
        let gates = run.record.suite.gates.iter().filter(|gate| gate.slice.is_none());
        let mut names: Vec<&str> = gates.map(|gate| gate.metric.as_str()).chain(["ok"]).collect();
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        let figures = names.into_iter().filter_map(|name| Some((name.to_owned(), found.all.get(name)?.clone())));
        let figures = figures.take(MOST_FIGURES).collect();
        Self { record: run.record, counts, figures }
    }
}

/// What a folder holds; none where its record is not written yet. A run without rows has none yet.
fn run(folder: &RunFolder) -> Result<Option<Run>, String> {
    if !plain_file(&folder.record())? {
        return Ok(None);
    }
    if plain_file(&folder.rows())? {
        return folder.read().map(Some).map_err(|unreadable| told(&unreadable));
    }
    let record = fs::read(folder.record()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    record.map(|record| Some(Run { record, rows: Vec::new() })).ok_or_else(|| broken("run.json"))
}

/// Which file is at fault, without where it lies on this machine.
fn told(unreadable: &super::folder::Unreadable) -> String {
    use super::folder::Unreadable;
    match unreadable {
        Unreadable::File(error) => broken(&name_of(&error.path)),
        Unreadable::Record { path, line } | Unreadable::Row { path, line } => {
            format!("{} is not what a run writes (line {line})", name_of(path))
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn broken(name: &str) -> String {
    format!("{name} cannot be read")
}

/// Whether a file is there. A link, a folder or a file that is too large is told instead of read.
fn plain_file(path: &Path) -> Result<bool, String> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(format!("{} is no file", name_of(path))),
        Ok(found) if found.len() > LARGEST_FILE => Err(format!("{} is larger than 64 MiB", name_of(path))),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(_) => Err(broken(&name_of(path))),
    }
}

/// How a run ended: what its verdict says, where it is one on these very rows.
fn outcome(folder: &RunFolder) -> Option<Outcome> {
    let path = verdict::path(folder);
    if !plain_file(&path).ok()? {
        return None;
    }
    let verdict: Verdict = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let same = |path: &Path, hash: &str| fs::read(path).is_ok_and(|bytes| hex(&Sha256::digest(bytes)) == hash);
    let of = same(&folder.record(), &verdict.made_of.record) && same(&folder.rows(), &verdict.made_of.rows);
    of.then_some(verdict.outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_plain_word() {
        for good in ["20260302T081500Z-triage-1a2b3c4d", "20260302T081500Z-triage-1a2b3c4d-2", "a.b_c"] {
            assert!(good.parse::<RunName>().is_ok(), "{good}");
        }
        for bad in
            ["", ".", "..", "../a", "a/b", "a\\b", "/etc", ".hidden", "a b", "a%2fb", "ä", "a\0", &"x".repeat(161)]
        {
            assert_eq!(bad.parse::<RunName>(), Err(NoName), "{bad}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_runs() {
        let shelf = Shelf::new("/nowhere/at/all".into());
        assert_eq!(shelf.page(None, 10), Page::default());
        assert_eq!(shelf.report(&"a".parse().unwrap()).unwrap_err(), Missing::Nowhere);
    }
}
