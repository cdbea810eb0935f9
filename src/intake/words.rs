//! Every text of a submission in its normal form, with where it stood; the language of the party; words of danger; orders to a machine.
//!
//! Intake looks for danger before anything is queued (promise 11), the pipeline looks again when it reads: both
//! with the functions here, so that they can never see different words. Nothing here follows what a text says.

use serde_json::Value;

use crate::cases::{EmergencyHit, Flag, Language, OrderHit, SourceText, Submission};
use crate::municipality::emergency::Lexicon;
use crate::municipality::injection;
use crate::text::language::{Detected, detect};
use crate::text::normalize;

/// Field whose value says in which language the party wants to be served.
const LANGUAGE_FIELD: &str = "language";

/// Most orders to a machine that are reported for one case.
const MOST_ORDERS: usize = 20;

/// Every text that a stranger wrote, normalised, with its place, empty ones left out; and whether any of them had
/// characters that hide or reorder what a person sees.
#[must_use]
pub fn texts(submission: &Submission) -> (Vec<SourceText>, bool) {
    let mut found = Vec::new();
    let mut hidden = false;
    each_raw(submission, &mut |source, raw| {
        let normal = normalize(raw);
        hidden |= normal.hidden;
        if !normal.text.trim().is_empty() {
            found.push(SourceText { source: source.to_owned(), text: normal.text });
        }
    });
    (found, hidden)
}

/// Every text that a stranger wrote as it came, with its place.
fn each_raw(submission: &Submission, visit: &mut dyn FnMut(&str, &str)) {
    let address = submission.location.as_ref().and_then(|location| location.address.as_ref());
    for (source, text) in
        [("subject", submission.subject.as_ref()), ("text", submission.text.as_ref()), ("location", address)]
    {
        if let Some(text) = text {
            visit(source, text);
        }
    }
    for (name, value) in &submission.fields {
        each_text(value, &mut |text| visit(&format!("field:{name}"), text));
    }
}

/// Texts of files in the normal form of all others, and whether any had characters that hide or reorder.
#[must_use]
pub fn of_files(texts: &[SourceText]) -> (Vec<SourceText>, bool) {
    let mut hidden = false;
    let normal = |text: &SourceText| {
        let normal = normalize(&text.text);
        hidden |= normal.hidden;
        SourceText { source: text.source.clone(), text: normal.text }
    };
    let texts: Vec<SourceText> = texts.iter().map(normal).filter(|text| !text.text.trim().is_empty()).collect();
    (texts, hidden)
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

/// Orders to a machine in every text, the sender's name and the names of files; one of each kind and place.
#[must_use]
pub fn orders(lexicon: &injection::Lexicon, submission: &Submission, texts: &[SourceText]) -> Vec<OrderHit> {
    let mut found = Vec::new();
    let mut look = |source: &str, raw: &str| {
        found.extend(lexicon.find(raw).into_iter().map(|order| OrderHit {
            kind: order.kind,
            words: order.words,
            source: source.to_owned(),
            disguise: order.disguise.as_str().map(str::to_owned),
        }));
    };
    // As it came, where we have that: the normal form leaves out what nobody sees, and that may spell an order.
    each_raw(submission, &mut look);
    for text in texts.iter().filter(|text| text.source.starts_with("attachment:")) {
        look(&text.source, &text.text);
    }
    if let Some(party) = &submission.party {
        for text in [&party.name, &party.address, &party.email].into_iter().flatten() {
            look("sender", text);
        }
    }
    for attachment in &submission.attachments {
        look("file-name", &attachment.name);
    }
    found.truncate(MOST_ORDERS);
    found
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
