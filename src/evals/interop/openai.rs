//! OpenAI evals' samples: `{"input": messages, "ideal": …}`, one a line.
//!
//! Taken as the basic `match` takes them: the answer begins with the ideal, or with one of several. Which class really
//! scores stands in a registry that is not read, and that is said.

use std::path::Path;

use serde_json::Value;

use super::{Ask, Ids, Imported, NO_ID, NO_TARGET, alternatives, lines, name_of, with_message};
use crate::municipality::Faults;

/// Reads samples.
///
/// # Errors
/// Lines that are no JSON.
pub fn samples(path: &Path, text: &str) -> Result<Imported, Faults> {
    let mut imported = Imported {
        description: format!("Samples of OpenAI evals, from {}.", name_of(path)),
        user: "input.text".to_owned(),
        ..Imported::default()
    };
    let (mut ids, name) = (Ids::default(), name_of(path));
    let instead = "change the kind of the assertion if the registry names `includes`, `fuzzy_match` or a judge";
    imported.left.at(path, None, "the class that scores stands in the registry: `match` was taken", instead);
    for (nth, (line, sample)) in lines(path, text)?.into_iter().enumerate() {
        let Some(ideals) = alternatives(sample.get("ideal")) else {
            imported.left.at(path, line, NO_TARGET, "write a text or a list of texts as `ideal`");
            continue;
        };
        let input = sample.get("input").unwrap_or(&Value::Null);
        let Some((input, metadata)) = with_message(&mut imported, path, line, input) else { continue };
        for key in sample.keys().filter(|key| !["id", "input", "ideal"].contains(&key.as_str())) {
            imported.left.at(path, line, format!("`{key}` is not taken over"), "say it in the case, if it matters");
        }
        // The answer begins with any of the ideals.
        let any: Vec<String> = ideals.iter().map(|ideal| regex::escape(ideal)).collect();
        let asks = vec![Ask::regex("match", format!("^(?:{})", any.join("|")))];
        let own = sample.get("id").and_then(Value::as_str);
        match ids.give(own, &name, nth + 1) {
            Some(id) => imported.add(id, input, asks, metadata),
            None => imported.left.at(path, line, NO_ID, "give the file a shorter name"),
        }
    }
    Ok(imported)
}
