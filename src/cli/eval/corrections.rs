//! `vireille eval from-corrections`: what people changed in review, as masked cases; and their second labels.
//!
//! Cases are appended to a file and their households to the lock beside it; what stands in either is never rewritten but
//! for the standing of a case that got its second label. Nothing that anybody wrote is printed.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::civil::Date;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::cases::{MunicipalityId, hex};
use crate::cli::{output, rulebooks};
use crate::clock::helsinki;
use crate::evals::case::EvalCase;
use crate::evals::corrections::lock::{Lock, Pseudonyms, SHORTEST_KEY};
use crate::evals::corrections::second::{SecondLabel, Vocabulary, confirm};
use crate::evals::corrections::{of, reviewed};
use crate::evals::dataset;
use crate::model::masking::PublicWords;
use crate::municipality::Faults;
use crate::policy::Rulebook;

/// Exports what people changed in review as masked cases that wait for a second label.
#[derive(Debug, Args)]
pub(in crate::cli) struct FromCorrections {
    /// The cases, JSON Lines; new ones are appended, and `split.lock` beside them is kept.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Only cases decided on this day or later.
    #[arg(long, value_name = "DATE", conflicts_with = "confirm")]
    since: Option<Date>,
    /// Of which municipality; the default one of the settings when left out.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
    /// At most so many decided cases are read, the newest first.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// Second labels, JSON Lines of {"id", "label", "by"}: agreement confirms a case, disagreement disputes it.
    #[arg(long, value_name = "FILE")]
    confirm: Option<PathBuf>,
    /// The key of the pseudonyms; made where there is none. It never leaves the house.
    #[arg(long, value_name = "FILE", default_value = "evals/.keys/pseudonyms")]
    key: PathBuf,
}

impl FromCorrections {
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let pseudonyms = key(&self.key)?;
        match &self.confirm {
            Some(labels) => {
                let (_, rulebooks) = self.municipality(context)?;
                let vocabulary = Vocabulary::of(&rulebooks.pack);
                second(&self.output, labels, &vocabulary, &pseudonyms, context)
            }
            None => self.export(&pseudonyms, context).await,
        }
    }

    /// The municipality and what it goes by.
    fn municipality(&self, context: &mut Context) -> Result<(MunicipalityId, Arc<Rulebook>), Failure> {
        let config = context.config()?;
        let municipality = self.municipality.clone().unwrap_or_else(|| config.policies.default_municipality.clone());
        let unknown = || Failure::Usage(format!("municipality `{municipality}` has no pack loaded"));
        let rulebook = rulebooks(&config)?.get(&municipality).ok_or_else(unknown)?;
        Ok((municipality, rulebook))
    }

    async fn export(&self, pseudonyms: &Pseudonyms, context: &mut Context) -> Result<Exit, Failure> {
        let config = context.config()?;
        let (municipality, rulebook) = self.municipality(context)?;
        let since = match self.since {
            Some(day) => {
                let start = day.to_zoned(helsinki()).map_err(|error| Failure::Usage(format!("--since: {error}")))?;
                Some(start.timestamp())
            }
            None => None,
        };
        let pack = &rulebook.pack;
        let public = Arc::new(PublicWords::new(pack));
        let folder = self.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let lock_file = folder.join("split.lock");
        let mut lock = Lock::read(&lock_file, pseudonyms).map_err(|faults| unusable(&faults))?;
        let known = known(folder)?;

        let storage = context.storage(&config).await?;
        let decided = reviewed(&storage, &municipality, since, self.limit).await?;
        storage.close().await;
        let (mut lines, mut written, mut there, mut unmasked, mut torn) = (String::new(), 0, 0, 0, 0);
        for reviewed in decided.iter().rev() {
            let made = of(reviewed, pack, &public, pseudonyms);
            unmasked += made.unmasked;
            for mut correction in made.corrections {
                if known.contains(correction.case.id.as_str()) {
                    there += 1;
                } else if lock.place(&mut correction, pseudonyms).is_err() {
                    torn += 1;
                } else {
                    lines.push_str(&serde_json::to_string(&correction.case)?);
                    lines.push('\n');
                    written += 1;
                }
            }
        }
        // The lock first: a line without its case harms nobody, a case without its line would be in no part.
        append(&lock_file, lock.added())?;
        append(&self.output, &lines)?;
        let read = decided.len();
        if context.out.is_json() {
            context.out.json_line(&json!({
                "decided": read, "written": written, "already_there": there, "left_out_unmasked": unmasked,
                "left_out_joining_parts": torn, "file": self.output,
            }))?;
        } else {
            context.out.line(format!(
                "{read} decided cases: {written} corrections written to {}, {there} were there already.",
                self.output.display()
            ))?;
        }
        if unmasked + torn > 0 {
            output::note(&format!(
                "Left out: {unmasked} that could not be masked for certain, {torn} that join households of both parts."
            ));
        }
        if u32::try_from(read).is_ok_and(|read| read == self.limit) {
            output::note("Older cases may be left: say --since or a larger --limit.");
        }
        Ok(Exit::Ok)
    }
}

fn unusable(faults: &Faults) -> Failure {
    Failure::Usage(faults.to_string())
}

/// The key of a file; a new one where there is none.
fn key(path: &Path) -> Result<Pseudonyms, Failure> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => new_key(path)?,
        Err(error) => {
            return Err(Failure::Usage(format!("{}: the key cannot be read ({})", path.display(), error.kind())));
        }
    };
    let short = || format!("{}: a key has at least {SHORTEST_KEY} bytes", path.display());
    Pseudonyms::new(bytes.trim_ascii()).ok_or_else(|| Failure::Usage(short()))
}

/// Makes a key that only its owner can read.
fn new_key(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut random = [0; SHORTEST_KEY];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut random)
        .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let key = hex(&random);
    options.open(path)?.write_all(key.as_bytes())?;
    output::note(&format!("A key was made: {}. Keep it; without it households cannot be told apart.", path.display()));
    Ok(key.into_bytes())
}

/// The ids of every dataset in a folder.
fn known(folder: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut known = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            known.extend(
                dataset::all(&path).map_err(|faults| unusable(&faults))?.iter().map(|case| case.id.to_string()),
            );
        }
    }
    Ok(known)
}

/// Adds lines to the end of a file and has them on disk.
fn append(path: &Path, lines: &str) -> Result<(), Failure> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(lines.as_bytes())?;
    Ok(file.sync_all()?)
}

/// Joins second labels to their cases.
fn second(
    dataset: &Path,
    labels: &Path,
    vocabulary: &Vocabulary,
    pseudonyms: &Pseudonyms,
    context: &mut Context,
) -> Result<Exit, Failure> {
    let mut cases = dataset::all(dataset).map_err(|faults| unusable(&faults))?;
    let labels_read = read_labels(labels).map_err(|faults| unusable(&faults))?;
    let given: Vec<SecondLabel> = labels_read.iter().map(|(_, label)| label.clone()).collect();
    let (agreement, refused) = confirm(&mut cases, &given, vocabulary, pseudonyms);
    replace(dataset, &cases)?;
    for (nth, why) in &refused {
        let (line, label) = &labels_read[*nth];
        output::note(&format!("{}:{line}: {}: {why}", labels.display(), label.id));
    }
    if context.out.is_json() {
        context.out.json_line(&json!({ "agreement": agreement, "refused": refused.len() }))?;
    } else {
        context.out.line(format!(
            "{} confirmed, {} disputed, {} still pending.",
            agreement.confirmed, agreement.disputed, agreement.pending
        ))?;
        for (aspect, found) in &agreement.by_aspect {
            let kappa = found.kappa.map_or_else(|| "not defined".to_owned(), |kappa| format!("{kappa:.2}"));
            let share = found.agreement * 100.0;
            context.out.line(format!("{aspect}: {share:.0} % of {} agree, Cohen's κ {kappa}", found.cases))?;
        }
    }
    Ok(match (refused.len(), labels_read.len()) {
        (0, _) => Exit::Ok,
        (refused, all) if refused == all => Exit::Usage,
        _ => Exit::Partly,
    })
}

/// Labels with their lines.
fn read_labels(path: &Path) -> Result<Vec<(usize, SecondLabel)>, Faults> {
    let mut faults = Faults::new();
    let mut text = String::new();
    if let Err(error) = File::open(path).and_then(|mut file| file.read_to_string(&mut text)) {
        faults.at(path, None, format!("the labels cannot be read ({})", error.kind()), "put the file there, as UTF-8");
    }
    let mut labels = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(nth, line)| (nth + 1, line.trim())) {
        match serde_json::from_str(line) {
            _ if line.is_empty() => {}
            Ok(label) => labels.push((number, label)),
            Err(_) => faults.at(path, number, "the line is no label", "write {\"id\": …, \"label\": …, \"by\": …}"),
        }
    }
    if labels.is_empty() && faults.is_empty() {
        faults.at(path, None, "there is no label", "write {\"id\": …, \"label\": …, \"by\": …}, one a line");
    }
    if faults.is_empty() { Ok(labels) } else { Err(faults) }
}

/// Writes a dataset anew, whole or not at all.
fn replace(path: &Path, cases: &[EvalCase]) -> Result<(), Failure> {
    let new = path.with_extension("jsonl.new");
    let mut file = File::create(&new)?;
    for case in cases {
        serde_json::to_writer(&mut file, case)?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    Ok(fs::rename(new, path)?)
}
