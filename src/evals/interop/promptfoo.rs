//! promptfoo's configurations (YAML) and tables of tests (CSV).
//!
//! Taken over: tests with their variables and metadata, `defaultTest`, files of texts and of tests, the assertions that
//! ask no code and no model (`equals`, `contains…`, `icontains…`, `regex`, `starts-with`, `is-json`, each with `not-`),
//! models of OpenAI. A prompt is taken over where it is an instruction with one variable at its end; any other is a
//! program over its variables, and nothing renders here.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::{Ask, Ids, Imported, has_template, is_template, line, name_of, pattern};
use crate::municipality::{Faults, yaml};

/// Reads a configuration.
///
/// # Errors
/// What is no YAML or no configuration, with its line.
pub fn config(path: &Path, source: &str) -> Result<Imported, Faults> {
    let mut faults = Faults::new();
    let Some(config) = yaml::read::<Map<String, Value>>(path, source, 1, &mut faults) else { return Err(faults) };
    let description = config.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let mut reader = Reader::new(path, source);
    reader.imported.description =
        description.map_or_else(|| format!("Tests of promptfoo, from {}.", name_of(path)), str::to_owned);
    for key in config.keys() {
        if !["description", "prompts", "providers", "targets", "tests", "defaultTest", "$schema"]
            .contains(&key.as_str())
        {
            reader.left(&[key], format!("`{key}` is not taken over"), "write what it says into the suite");
        }
    }
    reader.prompts(config.get("prompts"));
    reader.providers(config.get("providers").or(config.get("targets")));
    let default = config.get("defaultTest").and_then(Value::as_object).cloned().unwrap_or_default();
    if config.get("defaultTest").is_some_and(|default| !default.is_object()) {
        reader.left(&["defaultTest"], "`defaultTest` is not written out here", "write it into the configuration");
    }
    reader.keys_of_test(&["defaultTest"], &default);
    if !reader.is_written_out(&["defaultTest"], &default) {
        return Ok(reader.imported);
    }
    match config.get("tests") {
        Some(Value::Array(tests)) => {
            for (nth, test) in tests.iter().enumerate() {
                reader.test(nth, test, &default);
            }
        }
        Some(Value::String(file)) => reader.file_of_tests(&["tests"], file, &default),
        _ => reader.left(&["tests"], "there are no tests", "write them under `tests`"),
    }
    Ok(reader.imported)
}

/// Reads a table of tests: a column a variable, and what is expected under `__expected`.
///
/// # Errors
/// What is no table, with its line.
pub fn csv(path: &Path, text: &str) -> Result<Imported, Faults> {
    let mut reader = Reader::new(path, text);
    reader.imported.description = format!("Tests of promptfoo, from {}.", name_of(path));
    reader.table(path, text, &Map::new())?;
    // With one variable in all of them, that is the message.
    let mut names = reader.imported.cases.iter().filter_map(|case| case.input.as_object()).flat_map(Map::keys);
    let first = names.next().cloned();
    if let Some(first) = first.filter(|first| names.all(|name| name == first)) {
        reader.imported.user = format!("input.{first}");
    } else {
        let instead = "name under `target.user` which variable is the message";
        reader.imported.left.at(path, 1, "the table has several variables and no prompt", instead);
    }
    Ok(reader.imported)
}

struct Reader<'a> {
    path: &'a Path,
    source: &'a str,
    name: String,
    ids: Ids,
    imported: Imported,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, source: &'a str) -> Self {
        let imported = Imported { user: "input".to_owned(), ..Imported::default() };
        Self { path, source, name: name_of(path), ids: Ids::default(), imported }
    }

    fn left(&mut self, at: &[&str], what: impl Into<String>, instead: impl Into<String>) {
        self.imported.left.at(self.path, line(self.source, at), what, instead);
    }

    /// A text, or that of the file it names beside the configuration.
    fn text(&mut self, at: &[&str], value: &str) -> Option<String> {
        let Some(file) = value.strip_prefix("file://") else { return Some(value.to_owned()) };
        let beside = Path::new(file)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
        let is_text = Path::new(file).extension().is_some_and(|ending| {
            ["txt", "md", "json", "yaml", "yml", "csv"].iter().any(|known| ending.eq_ignore_ascii_case(known))
        });
        if !beside || !is_text {
            let instead = "put its text beside the configuration, or into it";
            self.left(at, format!("`{value}` is not read: no text beside the configuration"), instead);
            return None;
        }
        let mut faults = Faults::new();
        let read = yaml::read_file(&self.path.with_file_name(file), &mut faults);
        self.imported.left.append(faults);
        read
    }

    fn prompts(&mut self, prompts: Option<&Value>) {
        let listed = match prompts {
            Some(Value::Array(listed)) => listed.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        for (nth, prompt) in listed.iter().enumerate() {
            let item = format!("#{nth}");
            let at = ["prompts", item.as_str()];
            let raw = prompt.as_str().or_else(|| prompt.get("raw").and_then(Value::as_str));
            let Some(text) = raw.and_then(|raw| self.text(&at, raw)) else {
                self.left(&at, "this prompt is no text", "write it as `target.system` and `target.user` of the suite");
                continue;
            };
            match taken(&text) {
                Some((system, user)) if nth == 0 => {
                    self.imported.system = system;
                    self.imported.user = user;
                }
                found => {
                    let what = if found.is_some() {
                        "one suite has one prompt: this one is kept as data"
                    } else {
                        "the prompt is a template of several parts: it is kept as data and not rendered"
                    };
                    self.left(&at, what, "write it as `target.system` and `target.user` of a suite");
                    self.imported.prompts.push(text);
                }
            }
        }
    }

    fn providers(&mut self, providers: Option<&Value>) {
        let listed = match providers {
            Some(Value::Array(listed)) => listed.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        for (nth, provider) in listed.iter().enumerate() {
            let id = provider.as_str().or_else(|| provider.get("id").and_then(Value::as_str)).unwrap_or_default();
            let model = id.strip_prefix("openai:").map(|rest| rest.strip_prefix("chat:").unwrap_or(rest));
            let item = format!("#{nth}");
            if let Some(model) = model.filter(|model| !model.is_empty() && !model.contains(':')) {
                self.imported.models.push(format!("openai/{model}"));
            } else {
                let instead = "name it under `models` as openai/NAME, with its `url`";
                self.left(&["providers", &item], "this provider is not known here", instead);
            }
            if provider.get("config").is_some() {
                self.left(&["providers", &item], "a provider's `config` is not taken over", "see the settings");
            }
        }
    }

    fn file_of_tests(&mut self, at: &[&str], file: &str, default: &Map<String, Value>) {
        let named = if file.starts_with("file://") { file.to_owned() } else { format!("file://{file}") };
        let is = |ending: &str| Path::new(file).extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        let Some(text) = self.text(at, &named) else { return };
        let path = self.path.with_file_name(named.trim_start_matches("file://"));
        if is("csv") {
            if let Err(faults) = self.table(&path, &text, default) {
                self.imported.left.append(faults);
            }
            return;
        }
        let mut faults = Faults::new();
        let tests = yaml::read::<Vec<Value>>(&path, &text, 1, &mut faults).unwrap_or_default();
        self.imported.left.append(faults);
        // Its faults have the lines of that file.
        let mut reader = Reader::new(&path, &text);
        std::mem::swap(&mut reader.imported, &mut self.imported);
        std::mem::swap(&mut reader.ids, &mut self.ids);
        for (nth, test) in tests.iter().enumerate() {
            reader.test(nth, test, default);
        }
        std::mem::swap(&mut reader.imported, &mut self.imported);
        std::mem::swap(&mut reader.ids, &mut self.ids);
    }

    /// Says which keys of a test nobody reads.
    fn keys_of_test(&mut self, at: &[&str], test: &Map<String, Value>) {
        for key in test.keys() {
            if !["vars", "assert", "description", "metadata"].contains(&key.as_str()) {
                let what = format!("`{key}` of a test is not taken over");
                self.left(&[at, &[key.as_str()]].concat(), what, "write it into the suite");
            }
        }
    }

    /// Whether variables, assertions and metadata stand here and not in another file; said where they do not.
    fn is_written_out(&mut self, at: &[&str], test: &Map<String, Value>) -> bool {
        let wrong =
            [("vars", "a mapping"), ("metadata", "a mapping"), ("assert", "a list")].into_iter().find(|(key, form)| {
                test.get(*key)
                    .is_some_and(|value| !if *form == "a list" { value.is_array() } else { value.is_object() })
            });
        if let Some((key, form)) = wrong {
            let what = format!("`{key}` is not written out as {form}: what needs it is left out");
            self.left(&[at, &[key]].concat(), what, "write it into the configuration");
        }
        wrong.is_none()
    }

    fn test(&mut self, nth: usize, test: &Value, default: &Map<String, Value>) {
        let item = format!("#{nth}");
        // A file of tests has no key above them.
        let below: Vec<&str> =
            if self.source.trim_start().starts_with('-') { vec![&item] } else { vec!["tests", &item] };
        if let Value::String(file) = test {
            self.file_of_tests(&below, file, default);
            return;
        }
        let Some(test) = test.as_object() else {
            self.left(&below, "this test is no mapping", "write `vars` and `assert`");
            return;
        };
        self.keys_of_test(&below, test);
        if !self.is_written_out(&below, test) {
            return;
        }
        let own =
            |key: &str, of: &Map<String, Value>| of.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let mut input = own("vars", default);
        input.extend(own("vars", test));
        for value in input.values_mut() {
            if let Value::String(text) = value {
                match self.text(&below, text) {
                    Some(read) => *text = read,
                    None => return,
                }
            }
        }
        if input.values().any(Value::is_array) {
            let instead = "write one test for each value";
            self.left(&below, "a list of values would be several tests there: the test is left out", instead);
            return;
        }
        let input = Value::Object(input);
        if has_template(&input) {
            let instead = "a case is data: write what it comes to";
            self.left(&below, "a variable is a template itself: the test is left out", instead);
            return;
        }
        let asserted =
            |of: &Map<String, Value>| of.get("assert").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut asks = Vec::new();
        for (at, asserted) in
            [(vec!["defaultTest", "assert"], asserted(default)), ([&below[..], &["assert"]].concat(), asserted(test))]
        {
            for (nth, assertion) in asserted.iter().enumerate() {
                let item = format!("#{nth}");
                let place = [&at[..], &[item.as_str()]].concat();
                match ask(assertion) {
                    Ok(found) => asks.extend(found),
                    Err(why) => self.left(&place, why, INSTEAD),
                }
                if assertion.get("metric").is_some() {
                    self.left(&place, "the `metric` of an assertion is not taken over", "name it in the suite");
                }
            }
        }
        let mut metadata = own("metadata", default);
        metadata.extend(own("metadata", test));
        metadata.extend(test.get("description").map(|text| ("description".to_owned(), text.clone())));
        let place = self.imported.cases.len() + 1;
        if let Some(id) = self.ids.give(None, &self.name, place) {
            self.imported.add(id, input, asks, metadata);
        }
    }

    fn table(&mut self, path: &Path, text: &str, default: &Map<String, Value>) -> Result<(), Faults> {
        let fault = |line: Option<usize>, what: String| {
            let mut faults = Faults::new();
            faults.at(path, line, what, "write a table with a line of names and commas between the columns");
            faults
        };
        let mut table = ::csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let names = table.headers().map_err(|_| fault(Some(1), "the table cannot be read".to_owned()))?.clone();
        let asserted = default.get("assert").and_then(Value::as_array).cloned().unwrap_or_default();
        for record in table.records() {
            let record = record.map_err(|error| {
                let line = error.position().and_then(|at| usize::try_from(at.line()).ok());
                fault(line, "the row cannot be read".to_owned())
            })?;
            let line = record.position().and_then(|at| usize::try_from(at.line()).ok());
            let mut input = default.get("vars").and_then(Value::as_object).cloned().unwrap_or_default();
            let mut metadata = default.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
            let mut asks = Vec::new();
            let mut left = |what: String| self.imported.left.at(path, line, what, INSTEAD);
            for assertion in &asserted {
                match ask(assertion) {
                    Ok(found) => asks.extend(found),
                    Err(why) => left(why),
                }
            }
            for (name, cell) in names.iter().zip(&record) {
                let numbered = name.strip_prefix("__expected").is_some_and(|n| n.chars().all(|c| c.is_ascii_digit()));
                if numbered && !cell.trim().is_empty() {
                    match expected(cell) {
                        Ok(found) => asks.extend(found),
                        Err(why) => left(why),
                    }
                } else if name == "__description" {
                    metadata.insert("description".to_owned(), json!(cell));
                } else if let Some(key) = name.strip_prefix("__metadata:") {
                    metadata.insert(key.to_owned(), json!(cell));
                } else if name.starts_with("__") {
                    if !numbered && !cell.is_empty() {
                        left(format!("the column `{name}` is not taken over"));
                    }
                } else {
                    input.insert(name.to_owned(), json!(cell));
                }
            }
            let input = Value::Object(input);
            if has_template(&input) {
                left("a variable is a template itself: the test is left out".to_owned());
                continue;
            }
            let in_a_file = |value: &Value| value.as_str().is_some_and(|text| text.trim().starts_with("file://"));
            if input.as_object().into_iter().flat_map(Map::values).any(in_a_file) {
                left("a variable stands in a file: the test is left out".to_owned());
                continue;
            }
            let place = self.imported.cases.len() + 1;
            if let Some(id) = self.ids.give(None, &self.name, place) {
                self.imported.add(id, input, asks, metadata);
            }
        }
        Ok(())
    }
}

const UNREAD: &str = "the pattern is none that is read here";
const INSTEAD: &str = "ask it by an assertion of the suite, if there is one for it";

/// An instruction and where the message stands, of a prompt that is nothing else.
fn taken(prompt: &str) -> Option<(Option<String>, String)> {
    if let Ok(Value::Array(turns)) = serde_json::from_str::<Value>(prompt) {
        let (system, user) = super::message(&Value::Array(turns))?;
        let (before, user) = taken(&user)?;
        return (before.is_none() && !system.as_deref().is_some_and(is_template)).then_some((system, user));
    }
    let (before, rest) = prompt.split_once("{{")?;
    let (variable, after) = rest.split_once("}}")?;
    let variable = variable.trim();
    let is_name = !variable.is_empty() && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || !after.trim().is_empty() || is_template(before) {
        return None;
    }
    let before = before.trim();
    Some(((!before.is_empty()).then(|| before.to_owned()), format!("input.{variable}")))
}

/// What an assertion asks.
///
/// # Errors
/// Why it is not taken over.
fn ask(assertion: &Value) -> Result<Vec<Ask>, String> {
    let kind = assertion.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut keys = assertion.as_object().into_iter().flat_map(Map::keys);
    // A threshold, a weight of nothing, a transformation: each makes another verdict of the same words.
    if let Some(key) = keys.find(|key| !["type", "value", "metric"].contains(&key.as_str())) {
        return Err(format!("an assertion with `{key}` is not taken over"));
    }
    asked(kind, assertion.get("value").unwrap_or(&Value::Null))
}

/// How a cell of `__expected` names a type: `similar(0.8): hello`, `is-json`, `not-contains: a`.
static CELL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?s)^(?P<kind>(?:not-)?(?P<plain>[a-z][a-z0-9-]*))(?P<threshold>\([0-9.]+\))?(?:\s*:\s*(?P<value>.*))?$",
    )
    .expect("a fixed pattern")
});

/// What a cell of `__expected` asks: `contains: text`, `is-json`, or a text alone that the answer equals.
fn expected(cell: &str) -> Result<Vec<Ask>, String> {
    const CODE: [&str; 6] = ["javascript", "python", "fn", "eval", "grade", "file"];
    let cell = cell.trim();
    let Some(named) = CELL.captures(cell) else { return Ok(vec![Ask::equals(json!(cell))]) };
    let (kind, plain) = (&named["kind"], &named["plain"]);
    let value = named.name("value").map_or("", |value| value.as_str().trim());
    if (CODE.contains(&plain) && cell.contains(':')) || plain.starts_with("llm-") || plain.starts_with("model-graded") {
        return Err(format!("`{kind}` asks code or a model: it is not taken over"));
    }
    if OTHERS.contains(&plain) {
        return Err(format!("`{kind}` is not taken over"));
    }
    if !KINDS.contains(&plain) {
        return Ok(vec![Ask::equals(json!(cell))]);
    }
    if named.name("threshold").is_some() {
        return Err(format!("`{kind}` with a threshold is not taken over"));
    }
    let several = plain.ends_with("-any") || plain.ends_with("-all");
    let value = if several { json!(value.split(',').map(str::trim).collect::<Vec<_>>()) } else { json!(value) };
    asked(kind, &value)
}

/// promptfoo's other kinds: a cell that begins with one is no text that the answer equals.
const OTHERS: [&str; 52] = [
    "agent-rubric",
    "answer-relevance",
    "assert-set",
    "bleu",
    "classifier",
    "contains-html",
    "contains-json",
    "contains-sql",
    "contains-xml",
    "context-faithfulness",
    "context-recall",
    "context-relevance",
    "conversation-relevance",
    "cost",
    "factuality",
    "finish-reason",
    "g-eval",
    "gleu",
    "guardrails",
    "human",
    "is-html",
    "is-refusal",
    "is-sql",
    "is-valid-function-call",
    "is-valid-openai-function-call",
    "is-valid-openai-tools-call",
    "is-xml",
    "javascript",
    "latency",
    "levenshtein",
    "max-score",
    "meteor",
    "moderation",
    "perplexity",
    "perplexity-score",
    "pi",
    "python",
    "rouge-l",
    "rouge-n",
    "rouge-s",
    "ruby",
    "search-rubric",
    "select-best",
    "similar",
    "skill-used",
    "tool-call-f1",
    "trace-error-spans",
    "trace-span-count",
    "trace-span-duration",
    "trajectory",
    "webhook",
    "word-count",
];

/// Kinds that are taken over.
const KINDS: [&str; 10] = [
    "equals",
    "contains",
    "icontains",
    "regex",
    "starts-with",
    "is-json",
    "contains-any",
    "contains-all",
    "icontains-any",
    "icontains-all",
];

fn asked(kind: &str, value: &Value) -> Result<Vec<Ask>, String> {
    let (negated, plain) = kind.strip_prefix("not-").map_or((false, kind), |plain| (true, plain));
    if !KINDS.contains(&plain) {
        return Err(format!("`{kind}` is not taken over"));
    }
    if has_template(value) {
        return Err(format!("the value of `{kind}` is a template"));
    }
    if value.as_str().is_some_and(|text| text.starts_with("file://")) {
        return Err(format!("the value of `{kind}` stands in a file"));
    }
    let text = || match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(format!("`{kind}` has no text for its value")),
    };
    let texts = || match value {
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            Ok(items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        }
        _ => Err(format!("`{kind}` has no list of texts for its value")),
    };
    let any_case = plain.starts_with('i') && plain != "is-json";
    let asks = match plain {
        "equals" if value.is_object() || value.is_array() => {
            return Err("`equals` of an object is not taken over".to_owned());
        }
        "equals" => vec![Ask::equals(json!(text()?))],
        "contains" | "icontains" => vec![Ask::regex(plain, pattern(&text()?, any_case))],
        "starts-with" => vec![Ask::regex(plain, format!("^{}", pattern(&text()?, false)))],
        "regex" => {
            let pattern = text()?;
            regex::Regex::new(&pattern).map_err(|_| UNREAD.to_owned())?;
            vec![Ask::regex(plain, pattern)]
        }
        "is-json" if value.is_null() || value == "" => {
            vec![Ask::schema(plain, json!({ "contentMediaType": "application/json" }))]
        }
        "is-json" => return Err("`is-json` with a schema is not taken over".to_owned()),
        "contains-any" | "icontains-any" => {
            let any: Vec<String> = texts()?.iter().map(|text| pattern(text, any_case)).collect();
            vec![Ask::regex(plain, any.join("|"))]
        }
        _ if negated => return Err(format!("`{kind}` is not taken over")),
        _ => texts()?.iter().map(|text| Ask::regex(plain, pattern(text, any_case))).collect(),
    };
    if !negated {
        return Ok(asks);
    }
    let asks: Vec<Ask> = asks.into_iter().map(Ask::not).collect();
    let is_read = |ask: &Ask| jsonschema::validator_for(&ask.expected).is_ok();
    if asks.iter().all(is_read) { Ok(asks) } else { Err(UNREAD.to_owned()) }
}
