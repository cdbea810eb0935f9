//! Inspect's samples: `{"id", "input", "target", "choices", "metadata"}`, one a line.
//!
//! How an answer is scored stands in the task's Python code, which is not read: `includes` is taken (the target stands in
//! the answer, in any size of letters), as Inspect's own default does, and said. Files, set-up and sandboxes are not
//! taken over.

use std::path::Path;

use serde_json::Value;

use super::{Ask, Ids, Imported, lines, name_of, pattern, with_message};
use crate::evals::case::plain;
use crate::municipality::Faults;

/// Reads samples.
///
/// # Errors
/// Lines that are no JSON.
pub fn samples(path: &Path, text: &str) -> Result<Imported, Faults> {
    let mut imported = Imported {
        description: format!("Samples of Inspect, from {}.", name_of(path)),
        user: "input.text".to_owned(),
        ..Imported::default()
    };
    let (mut ids, name) = (Ids::default(), name_of(path));
    let instead = "change the kind of the assertion if the task scores otherwise";
    imported.left.at(path, None, "the scorer stands in the task's code: `includes` was taken", instead);
    for (nth, (line, sample)) in lines(path, text)?.into_iter().enumerate() {
        let Some((input, mut metadata)) =
            with_message(&mut imported, path, line, sample.get("input").unwrap_or(&Value::Null))
        else {
            continue;
        };
        for key in sample.keys().filter(|key| !["id", "input", "target", "choices", "metadata"].contains(&key.as_str()))
        {
            imported.left.at(path, line, format!("`{key}` is not taken over"), "say it in the case, if it matters");
        }
        if let Some(choices) = sample.get("choices") {
            let instead = "they are kept under `metadata.choices`; write them into the message";
            imported.left.at(path, line, "the choices are not shown to the model", instead);
            metadata.insert("choices".to_owned(), choices.clone());
        }
        if let Some(Value::Object(own)) = sample.get("metadata") {
            metadata.extend(own.clone());
        }
        let asks = targets(sample.get("target"));
        let own = sample.get("id").map(|id| plain(Some(id)));
        match ids.give(own.as_deref(), &name, nth + 1) {
            Some(id) => imported.add(id, input, asks, metadata),
            None => imported.left.at(path, line, "the id stands twice", "give each sample an id of its own"),
        }
    }
    Ok(imported)
}

/// Any of the targets stands in the answer.
fn targets(target: Option<&Value>) -> Vec<Ask> {
    let texts: Vec<String> = match target {
        Some(Value::String(text)) => vec![pattern(text, true)],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(|text| pattern(text, true)).collect(),
        _ => Vec::new(),
    };
    if texts.is_empty() { Vec::new() } else { vec![Ask::regex("includes", texts.join("|"))] }
}
