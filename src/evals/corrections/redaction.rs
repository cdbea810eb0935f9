//! A decided case without what identifies anybody: the submission as a case's input, and letters.
//!
//! The product's own masker does the work, so what is hidden from a model is hidden here. Free texts keep its
//! placeholders; form fields that must be of a type keep one: an example in the place of a value, invalid where the
//! value was. Coordinates keep two decimals (about a kilometre). Masking is then held against what is known of the
//! party: what would still name somebody is left out by the caller, never published in the hope that it is harmless.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Reviewed;
use crate::cases::{Location, ServiceId, SourceText, Submission};
use crate::evals::case::EvalCase;
use crate::model::masking::{Masker, PublicWords};
use crate::municipality::Pack;
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::text::identifiers::{BusinessId, Iban, IdentityCode};
use crate::text::normalize;

/// Fewer letters and digits name nobody for certain.
const SHORTEST: usize = 5;

/// Examples in the place of what a form field must hold, valid and not.
const EXAMPLES: [&str; 8] = [
    "FI21 1234 5600 0007 85",
    "FI00 1234 5600 0007 85",
    "1234567-1",
    "1234567-0",
    "010190-999W",
    "010190-999A",
    "asukas@example.org",
    "040 123 4567",
];

/// How one decided case is masked.
pub(super) struct Redaction<'a> {
    reviewed: &'a Reviewed,
    service: Option<&'a ServiceFile>,
    masker: Masker,
    /// Letters and digits of what must stand nowhere.
    private: Vec<String>,
}

impl<'a> Redaction<'a> {
    pub(super) fn new(reviewed: &'a Reviewed, pack: &'a Pack, public: &Arc<PublicWords>) -> Self {
        let whole = merged(&reviewed.submissions);
        let classified = reviewed.decided.case.file.classification.as_ref().and_then(|class| class.service.as_ref());
        let chosen: Option<&ServiceId> = whole.as_ref().and_then(|whole| whole.service.as_ref()).or(classified);
        let service = chosen.and_then(|id| pack.service(id));
        let private = private(reviewed, service);
        let masker = match &whole {
            Some(whole) => Masker::new(whole, service, Arc::clone(public)),
            // There is always a first submission; without one there is nothing to mask.
            None => Masker::new(&empty(reviewed), service, Arc::clone(public)),
        };
        Self { reviewed, service, masker, private }
    }

    /// What had come in by `at`, as the input of a case that is drafted then.
    pub(super) fn input(&self, at: Timestamp) -> Value {
        let submissions = &self.reviewed.submissions;
        let known = submissions.iter().filter(|submission| submission.received_at <= at).count().max(1);
        let Some(submission) = merged(&submissions[..known.min(submissions.len())]) else { return Value::Null };
        let mut input = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                input.insert(name.to_owned(), value);
            }
        };
        put("municipality", json!(submission.municipality));
        put("service", json!(submission.service));
        put("subject", json!(submission.subject.as_deref().map(|text| self.text(text))));
        put("text", json!(submission.text.as_deref().map(|text| self.text(text))));
        let fields: Map<String, Value> =
            submission.fields.iter().map(|(name, value)| (name.clone(), self.field(name, value))).collect();
        put("fields", if fields.is_empty() { Value::Null } else { Value::Object(fields) });
        put("location", submission.location.as_ref().map_or(Value::Null, |location| self.place(location)));
        let language = submission.party.as_ref().and_then(|party| party.language);
        put("party", language.map_or(Value::Null, |language| json!({ "language": language })));
        let files: Vec<Value> = submission.attachments.iter().map(|file| self.file(&file.name)).collect();
        put("attachments", if files.is_empty() { Value::Null } else { Value::Array(files) });
        put("received_at", json!(submission.received_at));
        put("now", json!(at));
        Value::Object(input)
    }

    /// A value with each text in it masked.
    pub(super) fn texts(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.texts(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, member)| (name, self.texts(member))).collect::<Map<_, _>>().into()
            }
            other => other,
        }
    }

    /// Whether nothing of what is known of the party and of the people who worked on the case stands in it.
    pub(super) fn is_clean(&self, case: &EvalCase) -> bool {
        let values = [&case.input, &case.expected];
        let said = case.metadata.get("model_said").into_iter();
        !values.into_iter().chain(said).any(|value| self.names_somebody(value))
    }

    fn names_somebody(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                let letters = compact(text);
                self.private.iter().any(|private| letters.contains(private.as_str()))
            }
            Value::Array(items) => items.iter().any(|item| self.names_somebody(item)),
            Value::Object(members) => members.values().any(|member| self.names_somebody(member)),
            _ => false,
        }
    }

    fn text(&self, text: &str) -> String {
        self.masker.mask(&normalize(text).text).as_str().to_owned()
    }

    fn field(&self, name: &str, value: &Value) -> Value {
        let field = self.service.and_then(|service| service.fields.iter().find(|field| field.name == name));
        let (Some(field), Value::String(text)) = (field, value) else { return self.texts(value.clone()) };
        let example = |valid: bool, at: usize| json!(EXAMPLES[if valid { at } else { at + 1 }]);
        match field.kind {
            FieldType::Iban => example(Iban::parse(text).is_ok(), 0),
            FieldType::BusinessId => example(BusinessId::parse(text).is_ok(), 2),
            FieldType::IdentityCode => example(IdentityCode::parse(text).is_ok(), 4),
            FieldType::Email => json!(EXAMPLES[6]),
            FieldType::Phone => json!(EXAMPLES[7]),
            FieldType::Date if !field.model_may_see => json!("1970-01-01"),
            FieldType::Number | FieldType::Money | FieldType::Date | FieldType::Flag | FieldType::Choice => {
                value.clone()
            }
            FieldType::Text => json!(self.written(field, text)),
        }
    }

    /// A text field; a short detail that no model may see goes whole.
    fn written(&self, field: &Field, text: &str) -> String {
        let masked = self.text(text);
        let untouched = masked == normalize(text).text;
        if untouched && !field.model_may_see && !field.free_text { "[detail]".to_owned() } else { masked }
    }

    fn place(&self, location: &Location) -> Value {
        let about = |degrees: f64| (degrees * 100.0).round() / 100.0;
        let mut place = Map::new();
        if let (Some(lat), Some(lon)) = (location.lat, location.lon) {
            place.insert("lat".to_owned(), json!(about(lat)));
            place.insert("lon".to_owned(), json!(about(lon)));
        }
        if let Some(address) = &location.address {
            place.insert("address".to_owned(), json!(self.text(address)));
        }
        Value::Object(place)
    }

    /// A file as the text that was read of it: its name tells what it is, its bytes stay at home.
    fn file(&self, name: &str) -> Value {
        let reading = self.reviewed.decided.case.file.reading.as_ref();
        let texts = reading.into_iter().flat_map(|reading| &reading.texts);
        let of_it = |text: &&SourceText| text.attachment().is_some_and(|(of, _)| of == name);
        let pages: Vec<String> = texts.filter(of_it).map(|text| self.text(&text.text)).collect();
        let text = if pages.is_empty() { "[not kept]".to_owned() } else { pages.join("\n") };
        json!({ "name": format!("{}.txt", self.text(name).trim_end_matches(".txt")), "text": text })
    }
}

/// What came first with what came afterwards.
fn merged(submissions: &[Submission]) -> Option<Submission> {
    let mut submissions = submissions.iter().cloned();
    let first = submissions.next()?;
    Some(submissions.fold(first, Submission::supplemented_by))
}

fn empty(reviewed: &Reviewed) -> Submission {
    let case = &reviewed.decided.case;
    Submission {
        id: case.submission_id,
        external_id: None,
        municipality: case.municipality.clone(),
        channel: crate::cases::Channel::File,
        service: None,
        fields: std::collections::BTreeMap::new(),
        subject: None,
        text: None,
        location: None,
        attachments: Vec::new(),
        party: None,
        sent_at: None,
        received_at: case.received_at,
    }
}

/// What must stand nowhere: the party's marks, hidden fields, and the names of who worked on the case. What the service
/// lets everybody see, and our own examples, are no secrets.
fn private(reviewed: &Reviewed, service: Option<&ServiceFile>) -> Vec<String> {
    let field = |name: &str| service.and_then(|service| service.fields.iter().find(|field| field.name == name));
    let (mut hidden, mut open): (Vec<String>, Vec<String>) = (Vec::new(), EXAMPLES.map(compact).to_vec());
    for submission in &reviewed.submissions {
        if let Some(party) = &submission.party {
            let marks = [&party.name, &party.business_id, &party.address, &party.email, &party.phone];
            hidden.extend(marks.into_iter().flatten().map(|mark| compact(mark)));
        }
        for (name, value) in &submission.fields {
            let (Some(field), Some(text)) = (field(name), value.as_str()) else { continue };
            let is_word =
                matches!(field.kind, FieldType::Choice | FieldType::Flag | FieldType::Number | FieldType::Money);
            if is_word || field.free_text {
                continue;
            }
            if field.model_may_see { open.push(compact(text)) } else { hidden.push(compact(text)) }
        }
    }
    let people = reviewed.decided.case.file.preparers.iter().chain([&reviewed.decided.decision.person]);
    hidden.extend(people.map(|person| compact(&person.name)));
    hidden.retain(|mark| mark.chars().count() >= SHORTEST && !open.iter().any(|open| open.contains(mark.as_str())));
    hidden.sort();
    hidden.dedup();
    hidden
}

/// Letters and digits in lower case, so that neither spaces nor signs hide a name.
pub(super) fn compact(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
