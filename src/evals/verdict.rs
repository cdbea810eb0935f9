//! A verdict: one file from which anybody can recompute every number of a run, and see who vouched for it.
//!
//! It names by hash what was run, carries every figure and gate, and may be signed. [`check`] computes all of it anew
//! from the rows beside it and says which number differs; it asks no model and no network. What is signed is the
//! canonical JSON of the file without its signature, so that layout does not matter. No case text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use super::baseline::{self, Baseline};
use super::exit::Outcome;
use super::folder::{self, FileError, Hashes, Run, RunFolder, RunRecord};
use super::gate::{self, GateResult};
use super::measure::{Figures, Method};
use super::metrics::{self, Bounds};
use super::pairs;
use super::report::{Counts, Report, put};
use super::stats::bootstrap::DRAWS;
use super::suite::{Mode, Suite};
use crate::cases::hex;
use crate::storage::audit::canonical;

/// The format this program writes and reads.
const VERSION: u32 = 1;

/// How verdicts are signed.
const ALGORITHM: &str = "Ed25519";

/// What draws.
const GENERATOR: &str = "xoshiro256++";

/// What seeds are made by.
const SEEDED_BY: &str = "sha-256";

/// The member of the file that is not signed.
const SIGNATURE: &str = "signature";

/// Numbers that differ by less, as a share, are the same: machines round the last digits differently.
const SAME: f64 = 1e-9;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Version of the format: 1.
    pub version: u32,
    /// The suite.
    pub suite: String,
    /// How it ended, by its rows.
    pub outcome: Outcome,
    /// This program's version.
    pub program: String,
    /// Which model; none: the offline engine alone.
    pub model: Option<String>,
    /// What the server called it, as far as it said.
    pub served_by: Vec<String>,
    /// When the run began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// Whether models were asked.
    pub mode: Mode,
    /// Repetitions of each case.
    pub epochs: u32,
    /// What was selected by hand; empty: everything.
    pub selection: Vec<String>,
    /// How often the run was begun or resumed.
    pub attempts: u32,
    /// What the answers depend on.
    pub hashes: Hashes,
    /// What the numbers are made of.
    pub made_of: MadeOf,
    /// Rows by what became of them.
    pub counts: Counts,
    /// The figures.
    pub figures: Figures,
    /// The gates.
    pub gates: Vec<GateResult>,
    /// What was drawn at random.
    pub drawn: Drawn,
    /// Who vouches for it; none: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// Files beside the verdict, SHA-256 of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MadeOf {
    /// `run.json`.
    pub record: String,
    /// `rows.jsonl`.
    pub rows: String,
    /// `baseline.json`, where the suite has one.
    pub baseline: Option<String>,
}

/// Bounds that were found by drawing cases anew, and where each sequence of draws begins. With these and the rows the
/// bounds can be computed by anybody's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    /// Always `xoshiro256++`: the seed through `SplitMix64`, and one jump ahead for each 250 draws.
    pub generator: String,
    /// Always `sha-256`: of the words that a sequence belongs to, each with a zero byte behind it, the first eight bytes.
    /// The words are suite, slice and metric for figures; suite, figure and slice for differences.
    pub seeded_by: String,
    /// How often cases are drawn anew.
    pub times: usize,
    /// Seeds of figures, 16 hexadecimal digits: `category.macro_f1`, `category.macro_f1 in metadata.lang=fi`.
    pub figures: BTreeMap<String, String>,
    /// Seeds of the differences that gates judge.
    pub differences: BTreeMap<String, String>,
}

/// Who vouches for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Always `Ed25519`.
    pub algorithm: String,
    /// The public key, hexadecimal.
    pub public_key: String,
    /// The signature, hexadecimal.
    pub value: String,
}

/// A key to sign with. It shows nothing of itself and cannot be written anywhere.
pub struct Key(Ed25519KeyPair);

/// Why something cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key file is no Ed25519 key.
    #[error("{}: no Ed25519 key in PKCS #8 PEM; `openssl genpkey -algorithm ed25519` makes one", .0.display())]
    Key(PathBuf),
    /// The run cannot be read.
    #[error(transparent)]
    Run(#[from] folder::Unreadable),
    /// The baseline cannot be read.
    #[error(transparent)]
    Baseline(#[from] baseline::Unreadable),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not a verdict.
    #[error("{}:{line}: not a verdict", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Where.
        line: usize,
    },
    /// It cannot be put into JSON.
    #[error("the verdict cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

impl Key {
    /// Reads a private key: PKCS #8, PEM.
    ///
    /// # Errors
    /// [`Error::Key`], which tells nothing of the file but its name.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unusable = || Error::Key(path.to_owned());
        let key = PrivatePkcs8KeyDer::from_pem_file(path).map_err(|_| unusable())?;
        // OpenSSL leaves the public half out, which ring only takes unchecked.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der()).map_err(|_| unusable())?;
        Ok(Self(pair))
    }

    /// The public half, hexadecimal.
    #[must_use]
    pub fn public(&self) -> String {
        hex(self.0.public_key().as_ref())
    }
}

/// Where a folder's verdict stands.
#[must_use]
pub fn path(folder: &RunFolder) -> PathBuf {
    folder.0.join("verdict.json")
}

/// Where a folder keeps the baseline that it was held against, so that it explains itself.
#[must_use]
pub fn baseline_path(folder: &RunFolder) -> PathBuf {
    folder.0.join("baseline.json")
}

/// The run in a folder, and the baseline that it was held against.
///
/// # Errors
/// [`Error`] when one of them cannot be read.
pub fn open(folder: &RunFolder) -> Result<(Run, Option<Baseline>), Error> {
    let run = folder.read()?;
    let path = baseline_path(folder);
    let baseline = if path.exists() { Some(Baseline::read(&path)?) } else { None };
    Ok((run, baseline))
}

/// Writes the verdict of a report into its run's folder, with the baseline that it was held against; returns where it
/// stands.
///
/// # Errors
/// [`Error`] when a file cannot be read or written.
pub fn write(
    folder: &RunFolder,
    report: &Report,
    baseline: Option<&Baseline>,
    key: Option<&Key>,
) -> Result<PathBuf, Error> {
    let kept = baseline_path(folder);
    if let Some(baseline) = baseline {
        write_file(&kept, &baseline.text()?)?;
    } else if kept.exists() {
        // One of an earlier attempt would be taken for what this report was held against.
        std::fs::remove_file(&kept).map_err(FileError::at(&kept))?;
    }
    let Report { record, outcome, counts, figures, gates, .. } = report;
    let concluded = Concluded { outcome: *outcome, counts: *counts, figures, gates };
    let mut value = told(folder, record, &concluded, baseline.is_some())?;
    if let Some(key) = key {
        let signature = Signature {
            algorithm: ALGORITHM.to_owned(),
            public_key: key.public(),
            value: hex(key.0.sign(canonical(&value).as_bytes()).as_ref()),
        };
        value[SIGNATURE] = serde_json::to_value(signature)?;
    }
    let path = path(folder);
    write_file(&path, &(serde_json::to_string_pretty(&value)? + "\n"))?;
    Ok(path)
}

/// What follows from a run's rows.
struct Concluded<'a> {
    outcome: Outcome,
    counts: Counts,
    figures: &'a Figures,
    gates: &'a [GateResult],
}

/// The verdict of what is in a folder, computed anew.
fn computed(folder: &RunFolder) -> Result<Value, Error> {
    let (run, baseline) = open(folder)?;
    let figures = metrics::of_run(&run.record, &run.rows, Bounds::SHOWN);
    let gates = gate::hold(&run, &figures, baseline.as_ref().map(|baseline| &baseline.run));
    let (outcome, counts) = (gate::outcome(&run, &gates), Counts::of(&run));
    let concluded = Concluded { outcome, counts, figures: &figures, gates: &gates };
    told(folder, &run.record, &concluded, baseline.is_some())
}

/// A verdict without a signature, as JSON.
fn told(folder: &RunFolder, record: &RunRecord, concluded: &Concluded<'_>, compared: bool) -> Result<Value, Error> {
    let made_of = MadeOf {
        record: hash(&folder.record())?,
        rows: hash(&folder.rows())?,
        baseline: compared.then(|| hash(&baseline_path(folder))).transpose()?,
    };
    let Concluded { outcome, counts, figures, gates } = *concluded;
    let verdict = Verdict {
        version: VERSION,
        suite: record.suite.suite.clone(),
        outcome,
        program: record.program.clone(),
        model: record.model.clone(),
        served_by: record.served_by.clone(),
        started: record.started,
        mode: record.mode,
        epochs: record.epochs,
        selection: record.selection.clone(),
        attempts: record.attempts,
        hashes: record.hashes.clone(),
        made_of,
        counts,
        figures: figures.clone(),
        gates: gates.to_vec(),
        drawn: drawn(&record.suite, figures, gates),
        signature: None,
    };
    Ok(rounded(serde_json::to_value(verdict)?))
}

fn drawn(suite: &Suite, figures: &Figures, gates: &[GateResult]) -> Drawn {
    let digits = |seed: u64| format!("{seed:016x}");
    let differences = gates.iter().filter(|gate| gate.change.is_some()).filter_map(|gate| {
        let bootstrapped = gate.figure.as_ref()?.method == Method::Bootstrap;
        let title = gate.change.as_ref()?.title();
        bootstrapped.then(|| (title, digits(pairs::seed(suite, &gate.gate.metric, gate.slice.as_deref()))))
    });
    Drawn {
        generator: GENERATOR.to_owned(),
        seeded_by: SEEDED_BY.to_owned(),
        times: DRAWS,
        figures: metrics::seeds(suite, figures).into_iter().map(|(title, seed)| (title, digits(seed))).collect(),
        differences: differences.collect(),
    }
}

/// What checking a verdict found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checked {
    /// How the verdict says that the run ended.
    pub outcome: Outcome,
    /// Numbers and words that were recomputed.
    pub compared: usize,
    /// Those that differ, in the order of the file.
    pub differences: Vec<Difference>,
    /// Who vouches for it.
    pub signed: Signed,
}

/// One thing that the verdict says otherwise than the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where in the verdict: `figures.all.category.accuracy.value`.
    pub at: String,
    /// What the verdict says.
    pub verdict: String,
    /// What the rows give.
    pub rows: String,
}

/// Who vouches for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "signature", rename_all = "kebab-case")]
pub enum Signed {
    /// Nobody.
    Unsigned,
    /// Who holds the private half of this key.
    By {
        /// The public half, hexadecimal.
        public_key: String,
    },
    /// The signature does not fit what is signed.
    Invalid,
}

impl Checked {
    /// Whether every number is what the rows give, and the signature, where there is one, fits.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.differences.is_empty() && self.signed != Signed::Invalid
    }
}

/// Computes a verdict anew from the run's folder, and checks its signature.
///
/// # Errors
/// [`Error`] when the verdict or the run cannot be read.
pub fn check(verdict: &Path, folder: &RunFolder) -> Result<Checked, Error> {
    let text = folder::text(verdict)?;
    let format = |error: serde_json::Error| Error::Format { path: verdict.to_owned(), line: error.line() };
    let told: Verdict = serde_json::from_str(&text).map_err(format)?;
    let mut value: Value = serde_json::from_str(&text).map_err(format)?;
    if let Some(members) = value.as_object_mut() {
        members.remove(SIGNATURE);
    }
    let signed = match &told.signature {
        None => Signed::Unsigned,
        Some(signature) if fits(signature, &value) => Signed::By { public_key: signature.public_key.clone() },
        Some(_) => Signed::Invalid,
    };
    let mut differences = Differences::default();
    differences.find(&mut Vec::new(), Some(&value), Some(&computed(folder)?));
    Ok(Checked { outcome: told.outcome, compared: differences.compared, differences: differences.found, signed })
}

fn fits(signature: &Signature, value: &Value) -> bool {
    let (Some(public), Some(bytes)) = (unhex(&signature.public_key), unhex(&signature.value)) else {
        return false;
    };
    let key = UnparsedPublicKey::new(&ED25519, public);
    signature.algorithm == ALGORITHM && key.verify(canonical(value).as_bytes(), &bytes).is_ok()
}

#[derive(Default)]
struct Differences {
    compared: usize,
    found: Vec<Difference>,
}

impl Differences {
    fn find(&mut self, at: &mut Vec<String>, told: Option<&Value>, made: Option<&Value>) {
        match (told, made) {
            (Some(Value::Object(told)), Some(Value::Object(made))) => {
                let names: BTreeSet<&String> = told.keys().chain(made.keys()).collect();
                for name in names {
                    at.push(name.clone());
                    self.find(at, told.get(name), made.get(name));
                    at.pop();
                }
            }
            (Some(Value::Array(told)), Some(Value::Array(made))) => {
                for place in 0..told.len().max(made.len()) {
                    at.push(place.to_string());
                    self.find(at, told.get(place), made.get(place));
                    at.pop();
                }
            }
            (told, made) => {
                self.compared += 1;
                if !same(told, made) {
                    let word = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), short);
                    self.found.push(Difference { at: at.join("."), verdict: word(told), rows: word(made) });
                }
            }
        }
    }
}

fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one.and_then(Value::as_f64), other.and_then(Value::as_f64)) {
        (Some(one), Some(other)) => (one - other).abs() <= SAME * one.abs().max(other.abs()),
        _ => one == other,
    }
}

/// A value in a sentence.
fn short(value: &Value) -> String {
    match value {
        Value::Object(members) => format!("{} members", members.len()),
        Value::Array(items) => format!("{} items", items.len()),
        scalar => scalar.to_string(),
    }
}

/// Numbers with twelve figures: more are noise, and differ between machines.
fn rounded(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let short = number.as_f64().and_then(|number| format!("{number:.11e}").parse().ok());
            Value::Number(short.and_then(Number::from_f64).unwrap_or(number))
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, rounded(value))).collect(),
        other => other,
    }
}

fn hash(path: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(path).map_err(FileError::at(path))?;
    Ok(hex(&Sha256::digest(bytes)))
}

fn write_file(path: &Path, text: &str) -> Result<(), Error> {
    Ok(put(path, text).map_err(FileError::at(path))?)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect()
}
