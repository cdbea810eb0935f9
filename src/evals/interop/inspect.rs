//! Inspect's samples: `{"id", "input", "target", "choices", "metadata"}`, one a line.
//!
//! How an answer is scored stands in the task's Python code, which is not read: `includes` is taken (the target stands in
//! the answer, in any size of letters), as Inspect's own default does, and said. Files, set-up, sandboxes and questions
//! with choices, whose target is a letter, are not taken over.

use std::path::Path;

use serde_json::Value;

use super::{Ask, Ids, Imported, NO_ID, NO_TARGET, alternatives, lines, name_of, pattern, with_message};
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
        if sample.get("choices").is_some_and(|choices| !choices.is_null()) {
            let instead = "write the choices into the message and the whole answer as its target";
            imported.left.at(
                path,
                line,
                "a question with choices is answered by a letter: the sample is left out",
                instead,
            );
            continue;
        }
        let Some(targets) = alternatives(sample.get("target")) else {
            imported.left.at(path, line, NO_TARGET, "write a text or a list of texts as `target`");
            continue;
        };
        let Some((input, mut metadata)) =
            with_message(&mut imported, path, line, sample.get("input").unwrap_or(&Value::Null))
        else {
            continue;
        };
        for key in sample.keys().filter(|key| !["id", "input", "target", "choices", "metadata"].contains(&key.as_str()))
        {
            imported.left.at(path, line, format!("`{key}` is not taken over"), "say it in the case, if it matters");
        }
        if let Some(Value::Object(own)) = sample.get("metadata") {
            metadata.extend(own.clone());
        }
        // Any of the targets stands in the answer.
        let any: Vec<String> = targets.iter().map(|target| pattern(target, true)).collect();
        let asks = vec![Ask::regex("includes", any.join("|"))];
        let own = sample.get("id").map(|id| plain(Some(id)));
        match ids.give(own.as_deref(), &name, nth + 1) {
            Some(id) => imported.add(id, input, asks, metadata),
            None => imported.left.at(path, line, NO_ID, "give the file a shorter name"),
        }
    }
    Ok(imported)
}
