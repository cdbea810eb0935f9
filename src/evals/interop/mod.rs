//! Other tools' cases in our format: promptfoo YAML and CSV, Inspect and OpenAI JSON Lines become a suite and its cases.
//!
//! What a case says is data, here as everywhere: nothing is rendered, no list becomes several cases, no code is run. So
//! whatever rests on that is not taken over, and said with file and line ([`Imported::left`]); the rest gives the verdict
//! it gave there. What a case expects stands in the case, by the name of the assertion that looks at it; an assertion
//! that a case does not have does not apply to it.

pub mod inspect;
pub mod openai;
pub mod promptfoo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::case::{EvalCase, EvalCaseId};
use crate::municipality::{Faults, yaml};

/// Most bytes of a file that is read.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Whose format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// promptfoo: a configuration (YAML), or its tests (CSV).
    Promptfoo,
    /// Inspect: samples, JSON Lines.
    Inspect,
    /// OpenAI evals: samples, JSON Lines.
    Openai,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// What it says it is, in a sentence.
    pub description: String,
    /// The fixed instruction.
    pub system: Option<String>,
    /// Where the message stands in a case.
    pub user: String,
    /// Models that it names, in our words.
    pub models: Vec<String>,
    /// The cases.
    pub cases: Vec<EvalCase>,
    /// What is asked of an answer: name of the figure → kind.
    pub asserts: BTreeMap<String, &'static str>,
    /// Prompts as they stood there, where they could not be taken over.
    pub prompts: Vec<String>,
    /// What was not taken over, with file, line and what to do.
    pub left: Faults,
}

/// Reads a file of another tool.
///
/// # Errors
/// What cannot be read at all, with file and line; a file without a case is a fault, too.
pub fn read(path: &Path, format: Format) -> Result<Imported, Faults> {
    let mut faults = Faults::new();
    let size = std::fs::metadata(path).map_or(0, |file| file.len());
    if size > LARGEST {
        faults.at(path, None, format!("the file has {size} bytes"), "split it: at most 64 MiB are read");
        return Err(faults);
    }
    let bytes = std::fs::read(path).unwrap_or_else(|error| {
        faults.at(path, None, format!("the file cannot be read ({})", error.kind()), "put the file there");
        Vec::new()
    });
    let Ok(text) = String::from_utf8(bytes) else {
        faults.at(path, None, "the file is not UTF-8", "save it as UTF-8");
        return Err(faults);
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let is_csv = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let mut imported = match format {
        Format::Promptfoo if is_csv => promptfoo::csv(path, &text)?,
        Format::Promptfoo => promptfoo::config(path, &text)?,
        Format::Inspect => inspect::samples(path, &text)?,
        Format::Openai => openai::samples(path, &text)?,
    };
    imported.left.sort();
    if imported.cases.is_empty() {
        faults.append(imported.left);
        faults.at(path, None, "there is no case that can be taken over", "see what was left out");
        return Err(faults);
    }
    if imported.asserts.is_empty() {
        imported.left.at(path, None, "nothing is asked of the answers", "write `assert` in the suite");
    }
    Ok(imported)
}

/// What one case asks: the name of the figure, its kind, and what is expected.
#[derive(Debug, Clone, PartialEq)]
struct Ask {
    name: String,
    kind: &'static str,
    expected: Value,
}

impl Ask {
    fn equals(value: Value) -> Self {
        Self { name: "equals".to_owned(), kind: "equals", expected: value }
    }

    fn regex(name: &str, pattern: String) -> Self {
        Self { name: name.to_owned(), kind: "regex", expected: Value::String(pattern) }
    }

    fn schema(name: &str, mut schema: Value) -> Self {
        // Only this draft looks into a text.
        schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        Self { name: name.to_owned(), kind: "json-schema", expected: schema }
    }

    /// Holds where it did not.
    fn not(self) -> Self {
        let schema = match (self.kind, self.expected) {
            ("equals", value) => json!({ "not": { "const": value } }),
            ("regex", pattern) => json!({ "not": { "pattern": pattern } }),
            (_, schema) => json!({ "not": schema }),
        };
        Self::schema(&format!("not-{}", self.name), schema)
    }
}

/// A pattern for a text, to the letter or in any size of letters. Written out letter by letter: patterns of JSON Schema
/// have no flags.
fn pattern(text: &str, any_case: bool) -> String {
    if !any_case {
        return regex::escape(text);
    }
    let mut pattern = String::new();
    for letter in text.chars() {
        let (small, large) = (letter.to_lowercase().to_string(), letter.to_uppercase().to_string());
        if small == large {
            pattern.push_str(&regex::escape(&small));
        } else {
            pattern.extend(["(?:", &small, "|", &large, ")"]);
        }
    }
    pattern
}

impl Imported {
    /// Adds a case; its questions get names of their own where one kind is asked several times.
    fn add(&mut self, id: EvalCaseId, input: Value, asks: Vec<Ask>, metadata: Map<String, Value>) {
        let mut expected = Map::new();
        for Ask { name, kind, expected: value } in asks {
            let free = (1_usize..).map(|nth| if nth == 1 { name.clone() } else { format!("{name}-{nth}") });
            let Some(name) = free.into_iter().find(|name| !expected.contains_key(name)) else { continue };
            self.asserts.insert(name.clone(), kind);
            expected.insert(name, value);
        }
        self.cases.push(EvalCase { id, input, expected: Value::Object(expected), metadata });
    }

    /// The suite of the cases, as the text of its file.
    #[must_use]
    pub fn suite(&self, name: &str) -> String {
        let mut lines = vec![
            "version: 1".to_owned(),
            format!("suite: {name}"),
            format!("description: {}", json!(self.description)),
            "dataset: { path: cases.jsonl, cluster: none }".to_owned(),
            "target:".to_owned(),
            "  component: chat".to_owned(),
        ];
        lines.extend(self.system.as_ref().map(|system| format!("  system: {}", json!(system))));
        lines.push(format!("  user: {}", json!(self.user)));
        if !self.models.is_empty() {
            lines.push("models:".to_owned());
            lines.extend(self.models.iter().map(|model| format!("  - {{ id: {} }}", json!(model))));
        }
        lines.push("assert:".to_owned());
        for (metric, kind) in &self.asserts {
            let expected = json!(format!("expected.{metric}"));
            lines.push(format!("  - {{ type: {kind}, metric: {metric}, actual: output, expected: {expected} }}"));
        }
        lines.join("\n") + "\n"
    }
}

/// A name for a suite from that of a file: small letters, digits and hyphens.
#[must_use]
pub fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let words: Vec<&str> = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(64).collect();
    if name.is_empty() { "imported".to_owned() } else { name }
}

/// Gives each case an id: its own where that can be one and is free, else by its place or the next that is free.
#[derive(Debug, Default)]
struct Ids(BTreeSet<EvalCaseId>);

impl Ids {
    fn give(&mut self, own: Option<&str>, name: &str, place: usize) -> Option<EvalCaseId> {
        let own = own.and_then(|own| EvalCaseId::try_from(own.to_owned()).ok());
        let free = |id: &EvalCaseId| !self.0.contains(id);
        let mut by_place = (place..).map_while(|place| EvalCaseId::try_from(format!("{name}-{place:04}")).ok());
        let id = own.filter(free).or_else(|| by_place.find(free))?;
        self.0.insert(id.clone());
        Some(id)
    }
}

/// What an answer may be: one text or several, a number as the text that it is. None where there is nothing, or anything
/// else: an empty text stands in every answer.
fn alternatives(value: Option<&Value>) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    match value? {
        Value::Array(items) => items.iter().map(text).collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty()),
        one => Some(vec![text(one)?]),
    }
}

/// Whether a text is a template: it is kept as data, and never rendered.
fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Whether any text in a value is a template.
fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(members) => members.values().any(has_template),
        _ => false,
    }
}

const NO_TARGET: &str = "nothing that is expected can be read: the sample is left out";
const NO_ID: &str = "the sample can be given no id";

/// Objects with the lines on which they stand.
type Lines = Vec<(usize, Map<String, Value>)>;

/// JSON Lines, each object with its line.
fn lines(path: &Path, text: &str) -> Result<Lines, Faults> {
    let mut faults = Faults::new();
    let mut objects = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(nth, line)| (nth + 1, line.trim())) {
        match serde_json::from_str(line) {
            _ if line.is_empty() => {}
            Ok(object) => objects.push((number, object)),
            Err(_) => faults.at(path, number, "the line is no JSON object", "write one sample a line"),
        }
    }
    if faults.is_empty() { Ok(objects) } else { Err(faults) }
}

/// A message as others write it: a text, or a list of messages of which the first may be an instruction. None where
/// there is more than one turn.
fn message(input: &Value) -> Option<(Option<String>, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match input {
        Value::String(text) => Some((None, text.clone())),
        Value::Array(turns) => {
            let turn =
                |turn: &Value, role: &str| (turn["role"] == role).then(|| turn.get("content").and_then(text)).flatten();
            match turns.as_slice() {
                [user] => Some((None, turn(user, "user")?)),
                [system, user] => Some((Some(turn(system, "system")?), turn(user, "user")?)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Cases of single messages, with one instruction for all of them or the instruction kept beside each.
fn with_message(
    imported: &mut Imported,
    path: &Path,
    line: usize,
    input: &Value,
) -> Option<(Value, Map<String, Value>)> {
    let Some((system, text)) = message(input) else {
        let what = "the input is no single message, with an instruction before it at most";
        imported.left.at(path, line, what, "a conversation is not taken over");
        return None;
    };
    let mut metadata = Map::new();
    if imported.cases.is_empty() {
        imported.system.clone_from(&system);
    } else if imported.system != system {
        let instead = "it is kept under `metadata.system`; split the file by instruction";
        imported.left.at(path, line, "the instruction is another than that of the first sample", instead);
    }
    if let Some(system) = system {
        metadata.insert("system".to_owned(), Value::String(system));
    }
    Some((json!({ "text": text }), metadata))
}

/// The line of a path of keys in a YAML file.
fn line(source: &str, at: &[&str]) -> usize {
    yaml::line_of(source, at)
}
