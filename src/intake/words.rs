//! Every text of a submission in its normal form, with where it stood; the language of the party; words of danger.
//!
//! Intake looks for danger before anything is queued (promise 11), the pipeline looks again when it reads: both
//! with the functions here, so that they can never see different words. Nothing here follows what a text says.

use serde_json::Value;

use crate::cases::{EmergencyHit, Flag, Language, SourceText, Submission};
use crate::municipality::emergency::Lexicon;
use crate::text::language::{Detected, detect};
use crate::text::normalize;

/// Field whose value says in which language the party wants to be served.
const LANGUAGE_FIELD: &str = "language";

/// Every text that a stranger wrote, normalised, with its place, empty ones left out; and whether any of them had
/// characters that hide or reorder what a person sees.
#[must_use]
pub fn texts(submission: &Submission) -> (Vec<SourceText>, bool) {
    let mut found = Vec::new();
    let mut hidden = false;
    let mut add = |source: &str, raw: &str| {
        let normal = normalize(raw);
        hidden |= normal.hidden;
        if !normal.text.trim().is_empty() {
            found.push(SourceText { source: source.to_owned(), text: normal.text });
        }
    };
    if let Some(subject) = &submission.subject {
        add("subject", subject);
    }
    if let Some(text) = &submission.text {
        add("text", text);
    }
    if let Some(address) = submission.location.as_ref().and_then(|location| location.address.as_ref()) {
        add("location", address);
    }
    for (name, value) in &submission.fields {
        each_text(value, &mut |text| add(&format!("field:{name}"), text));
    }
    (found, hidden)
}

/// How many characters all texts of a submission have together, where danger is looked for.
#[must_use]
pub fn total_chars(submission: &Submission) -> usize {
    let address = submission.location.as_ref().and_then(|location| location.address.as_ref());
    let mut total = [&submission.subject, &submission.text]
        .into_iter()
        .flatten()
        .chain(address)
        .map(|text| text.chars().count())
        .sum();
    for value in submission.fields.values() {
        each_text(value, &mut |text| total += text.chars().count());
    }
    total
}

/// Every text within a value; the reader has bounded its nesting.
fn each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Array(list) => list.iter().for_each(|value| each_text(value, visit)),
        Value::Object(map) => map.values().for_each(|value| each_text(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Words of danger in texts, in the order in which they stand.
#[must_use]
pub fn emergencies(lexicon: &Lexicon, texts: &[SourceText]) -> Vec<EmergencyHit> {
    texts
        .iter()
        .flat_map(|text| {
            lexicon.find(&text.text).into_iter().map(|hit| EmergencyHit {
                kind: hit.kind,
                words: hit.words,
                source: text.source.clone(),
                card: hit.card,
            })
        })
        .collect()
}

/// What a hit makes a person notice.
pub fn flags(hits: &[EmergencyHit]) -> impl Iterator<Item = Flag> {
    hits.iter().flat_map(|hit| match hit.kind.as_str() {
        "self-harm" => [Flag::Emergency, Flag::SelfHarm],
        "threat" => [Flag::Emergency, Flag::Threat],
        _ => [Flag::Emergency, Flag::Emergency],
    })
}

/// The language in which the party is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// The language.
    pub language: Language,
    /// What it was told from: `party`, `text` or `municipality`.
    pub from: &'static str,
    /// Whether the message is in a language that we do not serve.
    pub foreign: bool,
}

/// The party's own word, else the words of the message, else `first`, the municipality's first language.
#[must_use]
pub fn language(submission: &Submission, texts: &[SourceText], first: Language) -> Answered {
    let chosen = submission
        .party
        .as_ref()
        .and_then(|party| party.language)
        .or_else(|| submission.fields.get(LANGUAGE_FIELD).and_then(Value::as_str).and_then(Language::from_code));
    if let Some(language) = chosen {
        return Answered { language, from: "party", foreign: false };
    }
    let message: Vec<&str> = texts
        .iter()
        .filter(|text| matches!(text.source.as_str(), "subject" | "text" | "field:description"))
        .map(|text| text.text.as_str())
        .collect();
    match detect(&message.join("\n")) {
        Detected::Known(language) => Answered { language, from: "text", foreign: false },
        other => Answered { language: first, from: "municipality", foreign: other == Detected::Other },
    }
}
