//! Lays settings over each other: compiled-in defaults, a file, the environment, flags.
//!
//! The defaults say which keys exist and of what type they are; anything else is a [`Fault`] that names
//! the source, the line and the nearest key. Every fault is found, not only the first. A faulty value
//! is never repeated in a fault: it may be a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::Value;
use toml::de::{DeTable, DeValue};

use super::Fault;

/// Settings by `section.key`.
pub(super) type Flat = BTreeMap<String, Value>;

/// The prefix of environment variables that are settings.
const PREFIX: &str = "VIREILLE__";

/// The compiled-in defaults.
///
/// # Panics
/// When `config/default.toml` is no TOML; a test reads it.
pub(super) fn defaults(text: &str) -> Flat {
    let table: toml::Table = text.parse().expect("config/default.toml is TOML");
    flatten(table)
}

fn flatten(table: toml::Table) -> Flat {
    let mut flat = Flat::new();
    for (section, value) in table {
        match value {
            Value::Table(keys) => {
                flat.extend(keys.into_iter().map(|(key, value)| (format!("{section}.{key}"), value)));
            }
            other => {
                flat.insert(section, other);
            }
        }
    }
    flat
}

/// The tables that the settings are read from.
pub(super) fn nest(flat: Flat) -> toml::Table {
    let mut table = toml::Table::new();
    for (path, value) in flat {
        if let Some((section, key)) = path.split_once('.')
            && let Value::Table(keys) =
                table.entry(section.to_owned()).or_insert_with(|| Value::Table(toml::Table::new()))
        {
            keys.insert(key.to_owned(), value);
        }
    }
    table
}

/// Lays a file over `settings`; gives the keys that it sets.
pub(super) fn lay_file(settings: &mut Flat, path: &Path, text: &str, faults: &mut Vec<Fault>) -> BTreeSet<String> {
    let source = path.display().to_string();
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map(|span| line_of(text, span.start));
            faults.push(Fault {
                source,
                line,
                key: None,
                what: format!("this is no TOML: {}", error.message()),
                instead: "write `[section]` lines and `key = value` lines".to_owned(),
            });
            return BTreeSet::new();
        }
    };
    let lines = lines_of_keys(text);
    let mut set = BTreeSet::new();
    for (key, value) in flatten(table) {
        let line = lines.get(&key).copied();
        lay(settings, &source, line, &key, value, faults);
        set.insert(key);
    }
    set
}

/// The address and the key of a language model, and the variables that every OpenAI-compatible tool reads for them.
const URL: &str = "model.url";
const KEY: &str = "model.key";
const CUSTOMARY_URL: &str = "OPENAI_BASE_URL";
const CUSTOMARY_KEY: &str = "OPENAI_API_KEY";

/// Lays the customary variables where nobody set a key of `own`. An address and a key that were not meant for each other
/// never meet: the customary key goes to the default address or the customary one only, a key of our own to neither
/// by chance.
pub(super) fn lay_customary(
    settings: &mut Flat,
    variables: &[(String, String)],
    own: &BTreeSet<String>,
    defaults: &Flat,
    faults: &mut Vec<Fault>,
) {
    let given = |name: &str| {
        let value = variables.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty()).map(|value| Value::String(value.to_owned()))
    };
    let (own_url, own_key) = (own.contains(URL), own.contains(KEY));
    if !own_key
        && (!own_url || settings.get(URL) == defaults.get(URL))
        && let Some(key) = given(CUSTOMARY_KEY)
    {
        settings.insert(KEY.to_owned(), key);
    }
    let Some(url) = given(CUSTOMARY_URL).filter(|_| !own_url) else { return };
    if !own_key {
        settings.insert(URL.to_owned(), url);
    } else if settings.get("model.engine") != defaults.get("model.engine") {
        faults.push(Fault {
            source: format!("environment variable {CUSTOMARY_URL}"),
            line: None,
            key: Some(URL.to_owned()),
            what: format!("it names an address, and `{KEY}` is set elsewhere: nobody knows whether the key is for it"),
            instead: format!("set `{URL}`, too, or give the key as {CUSTOMARY_KEY}"),
        });
    }
}

/// Lays environment variables over `settings`; those without the prefix are none of ours. Gives the keys that they set.
pub(super) fn lay_environment(
    settings: &mut Flat,
    variables: &[(String, String)],
    faults: &mut Vec<Fault>,
) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    for (name, value) in variables {
        if let Some(rest) = name.strip_prefix(PREFIX) {
            let key = rest.to_lowercase().replace("__", ".");
            lay_text(settings, &format!("environment variable {name}"), &key, value, faults);
            set.insert(key);
        }
    }
    set
}

/// Lays flags over `settings`, as `section.key` and text. Gives the keys that they set.
pub(super) fn lay_flags(settings: &mut Flat, flags: &[(String, String)], faults: &mut Vec<Fault>) -> BTreeSet<String> {
    for (key, value) in flags {
        lay_text(settings, "command line", key, value, faults);
    }
    flags.iter().map(|(key, _)| key.clone()).collect()
}

/// A text takes the type that the default of its key has.
fn lay_text(settings: &mut Flat, source: &str, key: &str, text: &str, faults: &mut Vec<Fault>) {
    let typed = match settings.get(key) {
        Some(Value::Integer(_)) => text.trim().parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
        Some(Value::Boolean(_)) => text.trim().parse().map_or_else(|_| Value::String(text.to_owned()), Value::Boolean),
        _ => Value::String(text.to_owned()),
    };
    lay(settings, source, None, key, typed, faults);
}

fn lay(settings: &mut Flat, source: &str, line: Option<usize>, key: &str, value: Value, faults: &mut Vec<Fault>) {
    let fault = |what: String, instead: String| Fault {
        source: source.to_owned(),
        line,
        key: Some(key.to_owned()),
        what,
        instead,
    };
    match settings.get(key) {
        None => {
            let instead = nearest(key, settings.keys()).map_or_else(
                || "see config/default.toml for the keys".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            faults.push(fault(format!("there is no setting `{key}`"), instead));
        }
        Some(default) if default.type_str() != value.type_str() => faults.push(fault(
            format!("`{key}` takes the type {}, not {}", default.type_str(), value.type_str()),
            format!("write a value of type {}", default.type_str()),
        )),
        Some(_) => {
            settings.insert(key.to_owned(), value);
        }
    }
}

/// The line of each `section.key` in a file that is TOML.
fn lines_of_keys(text: &str) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    let Ok(table) = DeTable::parse(text) else { return lines };
    for (section, value) in table.get_ref() {
        lines.insert(section.get_ref().to_string(), line_of(text, section.span().start));
        if let DeValue::Table(keys) = value.get_ref() {
            for (key, _) in keys {
                lines.insert(format!("{}.{}", section.get_ref(), key.get_ref()), line_of(text, key.span().start));
            }
        }
    }
    lines
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The known key that is fewest edits away, unless all are far.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(key, candidate), candidate.as_str()))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 2)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, over the first 100 characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(100).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(100).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("lisen", "listen"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
