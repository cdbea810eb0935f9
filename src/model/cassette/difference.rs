//! What tells a request from the recorded ones: the first field that differs from the nearest of them.
//!
//! Texts are never quoted: a difference in one is told by line and character. Settings and names of ours are told.

use std::cmp::Reverse;

use serde_json::Value;

use super::tape::Request;

/// The fields of a request in the order in which they are compared.
const FIELDS: [&str; 6] = ["epoch", "model", "sampling", "output", "tools", "messages"];
/// Fields whose values are told: settings, and words of our own.
const TOLD: [&str; 8] = ["epoch", "model", "temperature", "max_tokens", "seed", "role", "mode", "name"];

/// How one request differs from another.
#[derive(Debug, Default)]
struct Differences {
    count: usize,
    /// How much of the differing texts agrees, characters.
    agreeing: usize,
    first: Option<String>,
}

/// The first difference from the recorded request that differs least; none when nothing is recorded.
pub(super) fn from_the_nearest<'a>(recorded: impl Iterator<Item = &'a Request>, asked: &Request) -> Option<String> {
    let asked = asked.value();
    let compared = recorded.map(|recorded| {
        let recorded = recorded.value();
        let mut differences = Differences::default();
        for field in FIELDS {
            differences.compare(field, &recorded[field], &asked[field]);
        }
        differences
    });
    compared.min_by_key(|differences| (differences.count, Reverse(differences.agreeing)))?.first
}

impl Differences {
    fn compare(&mut self, path: &str, recorded: &Value, asked: &Value) {
        if recorded == asked {
            return;
        }
        match (recorded, asked) {
            (Value::Object(a), Value::Object(b)) => {
                let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
                keys.sort_unstable();
                keys.dedup();
                for key in keys {
                    let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                    self.compare(&format!("{path}.{key}"), &of(a), &of(b));
                }
            }
            (Value::Array(a), Value::Array(b)) => match (lines(path, a), lines(path, b)) {
                (Some(a), Some(b)) => self.texts(path, &a, &b),
                _ => self.lists(path, a, b),
            },
            (Value::String(a), Value::String(b)) if !is_told(path) => self.texts(path, a, b),
            _ if is_told(path) => self.note(0, || format!("{path}: {recorded} is recorded, {asked} is asked")),
            _ => self.note(0, || path.to_owned()),
        }
    }

    fn lists(&mut self, path: &str, recorded: &[Value], asked: &[Value]) {
        for (at, (a, b)) in recorded.iter().zip(asked).enumerate() {
            self.compare(&format!("{path}[{at}]"), a, b);
        }
        let missing = recorded.len().abs_diff(asked.len());
        if missing > 0 {
            self.note(0, || format!("{path}: {} are recorded, {} are asked", recorded.len(), asked.len()));
            self.count += missing - 1;
        }
    }

    fn texts(&mut self, path: &str, recorded: &str, asked: &str) {
        let agreeing = recorded.chars().zip(asked.chars()).take_while(|(a, b)| a == b);
        let (mut line, mut character, mut count) = (1, 1, 0);
        for (c, _) in agreeing {
            count += 1;
            (line, character) = if c == '\n' { (line + 1, 1) } else { (line, character + 1) };
        }
        self.note(count, || format!("{path} at line {line}, character {character}"));
    }

    fn note(&mut self, agreeing: usize, what: impl FnOnce() -> String) {
        self.count += 1;
        self.agreeing += agreeing;
        self.first.get_or_insert_with(what);
    }
}

/// A text that stands line by line.
fn lines(path: &str, list: &[Value]) -> Option<String> {
    let is_text = path.ends_with(".content");
    let lines: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    lines.filter(|_| is_text).map(|lines| lines.join("\n"))
}

fn is_told(path: &str) -> bool {
    // Within a schema, fields of the same names hold other things.
    let ours = !path.contains(".schema") && !path.contains(".parameters") && !path.contains(".tool_calls");
    ours && path.rsplit(['.', ']']).next().is_some_and(|field| TOLD.contains(&field))
}
