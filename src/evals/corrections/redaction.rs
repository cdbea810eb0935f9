//! A decided case without what identifies anybody: the submission as a case's input, and letters.
//!
//! The product's own masker does the work, so what is hidden from a model is hidden here. Free texts keep its
//! placeholders; form fields that must be of a type keep one: an example in the place of a value, invalid where the
//! value was; a number, a day or a choice stands only where it reads as one. Coordinates keep two decimals (about a
//! kilometre), moments the day. Masking is then held against what is known of the party and looked at once more
//! ([`leaks`]): what would still name somebody is left out by the caller, never published in the hope that it is harmless.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Reviewed, leaks};
use crate::cases::{Flag, Location, ServiceId, SourceText, Submission};
use crate::clock::helsinki;
use crate::evals::case::EvalCase;
use crate::model::masking::{Masker, PublicWords, compact};
use crate::municipality::Pack;
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::text::identifiers::{BusinessId, Iban, IdentityCode};
use crate::text::normalize;
use crate::triage::gather;

/// Fewer letters and digits name nobody for certain.
const SHORTEST: usize = 5;

/// Digits of the longest number of a form that is no telephone or code.
const LONGEST_NUMBER: usize = 8;
/// In the place of the number under which the case stands in the register.
const NUMBER: &str = "[case]";

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
    pack: &'a Pack,
    service: Option<&'a ServiceFile>,
    masker: Masker,
    /// Letters and digits of what must stand nowhere.
    private: Vec<String>,
    /// What is replaced before the masker looks: the case's number and the minutes at which something came.
    fixed: Vec<(String, String)>,
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
        Self { reviewed, pack, service, masker, private, fixed: fixed(reviewed) }
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
            submission.fields.iter().enumerate().map(|(nth, (name, value))| self.field(nth + 1, name, value)).collect();
        put("fields", if fields.is_empty() { Value::Null } else { Value::Object(fields) });
        put("location", submission.location.as_ref().map_or(Value::Null, |location| self.place(location)));
        let language = submission.party.as_ref().and_then(|party| party.language);
        put("party", language.map_or(Value::Null, |language| json!({ "language": language })));
        let files: Vec<Value> =
            (1..).zip(&submission.attachments).map(|(nth, file)| self.file(nth, &file.name)).collect();
        put("attachments", if files.is_empty() { Value::Null } else { Value::Array(files) });
        put("received_at", json!(self.day(submission.received_at)));
        put("now", json!(self.day(at)));
        Value::Object(input)
    }

    /// A moment's day in Finland: an evaluation needs the day, and the minute would find the case in the register. At noon,
    /// which is within every window of that day; what came late stays late.
    fn day(&self, at: Timestamp) -> Timestamp {
        let hour = if self.reviewed.decided.case.file.flags.contains(&Flag::Late) { 23 } else { 12 };
        let moment = at.to_zoned(helsinki()).date().at(hour, 0, 0, 0);
        moment.to_zoned(helsinki()).map_or(at, |moment| moment.timestamp())
    }

    /// A value with each text in it masked.
    pub(super) fn texts(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.texts(item)).collect(),
            Value::Object(members) => {
                let masked = members.into_iter().map(|(name, member)| (self.text(&name), self.texts(member)));
                masked.collect::<Map<_, _>>().into()
            }
            Value::Number(number) => {
                let digits = number.to_string().chars().filter(char::is_ascii_digit).count();
                if digits > LONGEST_NUMBER - 2 { json!("[number]") } else { Value::Number(number) }
            }
            other => other,
        }
    }

    /// Whether nothing of what is known of the party and of the people who worked on the case stands in it, and nothing
    /// that looks like somebody's data.
    pub(super) fn is_clean(&self, case: &EvalCase) -> bool {
        let values = [&case.input, &case.expected];
        let said = case.metadata.get("model_said").into_iter();
        !values.into_iter().chain(said).any(|value| self.names_somebody(value) || leaks::stands_in(value, &EXAMPLES))
    }

    fn names_somebody(&self, value: &Value) -> bool {
        let in_text = |text: &str| {
            let letters = compact(text);
            self.private.iter().any(|private| letters.contains(private.as_str()))
        };
        match value {
            Value::String(text) => in_text(text),
            Value::Array(items) => items.iter().any(|item| self.names_somebody(item)),
            Value::Object(members) => members.iter().any(|(name, member)| in_text(name) || self.names_somebody(member)),
            Value::Number(number) => in_text(&number.to_string()),
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn text(&self, text: &str) -> String {
        let mut text = normalize(text).text;
        for (written, instead) in &self.fixed {
            text = text.replace(written, instead);
        }
        self.masker.mask(&text).as_str().to_owned()
    }

    /// A field with its name; one that no service has is called by its place.
    fn field(&self, nth: usize, name: &str, value: &Value) -> (String, Value) {
        let field = self.service.and_then(|service| service.fields.iter().find(|field| field.name == name));
        let mut fields = self.pack.services.values().flat_map(|service| &service.fields);
        let is_known = field.is_some() || fields.any(|field| field.name == name);
        let name = if is_known { name.to_owned() } else { format!("field-{nth}") };
        (name, field.map_or_else(|| self.texts(value.clone()), |field| self.typed(field, value)))
    }

    fn typed(&self, field: &Field, value: &Value) -> Value {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => return self.texts(other.clone()),
        };
        let example = |valid: bool, at: usize| json!(EXAMPLES[if valid { at } else { at + 1 }]);
        match field.kind {
            FieldType::Iban => example(Iban::parse(&text).is_ok(), 0),
            FieldType::BusinessId => example(BusinessId::parse(&text).is_ok(), 2),
            FieldType::IdentityCode => example(IdentityCode::parse(&text).is_ok(), 4),
            FieldType::Email => json!(EXAMPLES[6]),
            FieldType::Phone => json!(EXAMPLES[7]),
            FieldType::Date if !field.model_may_see => json!("1970-01-01"),
            FieldType::Number
            | FieldType::Money
            | FieldType::Date
            | FieldType::Moment
            | FieldType::Flag
            | FieldType::Choice => plain(field, &text).map_or_else(|| self.texts(value.clone()), Value::String),
            FieldType::Text => json!(self.written(field, &text)),
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

    /// A file as the text that was read of it. Its name is ours; a word of the service's by which the file is known stays.
    fn file(&self, nth: usize, name: &str) -> Value {
        let reading = self.reviewed.decided.case.file.reading.as_ref();
        let texts = reading.into_iter().flat_map(|reading| &reading.texts);
        let of_it = |text: &&SourceText| text.attachment().is_some_and(|(of, _)| of == name);
        let pages: Vec<String> = texts.filter(of_it).map(|text| self.text(&text.text)).collect();
        let text = if pages.is_empty() { "[not kept]".to_owned() } else { pages.join("\n") };
        let mut words =
            self.service.into_iter().flat_map(|service| &service.attachments).flat_map(|rule| &rule.file_words);
        let lower = name.to_lowercase();
        let word = words.find(|word| lower.contains(&word.to_lowercase())).map_or("file", String::as_str);
        json!({ "name": format!("{word}-{nth}.txt"), "text": text })
    }
}

/// The case's number, and the times of day at which something came as letters write them.
fn fixed(reviewed: &Reviewed) -> Vec<(String, String)> {
    let mut fixed = vec![(reviewed.decided.case.number.clone(), NUMBER.to_owned())];
    let came = reviewed.submissions.iter().flat_map(|one| std::iter::once(one.received_at).chain(one.sent_at));
    for at in came.map(|at| at.to_zoned(helsinki())) {
        for time in ["%-H.%M", "%H.%M", "%-H:%M", "%H:%M"].map(|form| at.strftime(form).to_string()) {
            fixed.extend(["klo ", "kl. ", "kl ", "at "].map(|word| (format!("{word}{time}"), format!("{word}[time]"))));
        }
    }
    fixed
}

/// What a number, a day, a choice or a yes says, written anew; none where the text is none of these, or as long as a
/// telephone's number.
fn plain(field: &Field, text: &str) -> Option<String> {
    let value = gather::value(field, &json!(text))?.plain();
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_number = matches!(field.kind, FieldType::Number | FieldType::Money);
    let written = digits(text);
    let is_code = written.len() > LONGEST_NUMBER || (written.len() > 3 && written.starts_with('0'));
    (!is_number || !is_code).then_some(value)
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
    hidden.push(compact(&reviewed.decided.case.number));
    hidden.retain(|mark| mark.chars().count() >= SHORTEST && !open.iter().any(|open| open.contains(mark.as_str())));
    hidden.sort();
    hidden.dedup();
    hidden
}
