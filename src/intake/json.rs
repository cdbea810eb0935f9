//! Submission files and request bodies: one JSON object, a list of them, or JSONL (one object a line).
//!
//! Input is read in two passes. The first (`items`) cuts it into submissions and bounds their nesting, so that each
//! submission keeps exactly the bytes that its sender wrote. The second, here, reads the frame by hand, key by key,
//! so that every refusal can say where it is (a JSON pointer), what is wrong and what to write instead. Values of
//! form fields are taken as they are: what they mean is asked later, in triage.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::attachments::attachments;
pub use super::attachments::{AttachmentFile, InlineFile};
use super::items::{split, walk};
use super::{
    Earlier, Incoming, IntakeError, MAX_EARLIER, MAX_EXTERNAL_ID_CHARS, MAX_FIELD_NAME_CHARS, MAX_FIELDS,
    MAX_SUBMISSION_BYTES, MAX_TEXT_CHARS, MAX_TOTAL_CHARS, Refusal, moment, quoted, sender_by_channel, words,
};
use crate::cases::{
    Actor, Channel, Location, MunicipalityId, Outcome, Party, Person, ServiceId, Submission, SubmissionId, TokenId,
};
use crate::clock::Ambient;

/// A submission as people and programs write it. [`parse`] reads exactly these keys; unknown ones are refused.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionFile {
    /// The sender's own id, at most 200 characters. The same id again is the same submission.
    #[serde(default)]
    pub id: Option<String>,
    /// The municipality; may be left out where the token or the command line says it.
    #[serde(default)]
    pub municipality: Option<MunicipalityId>,
    /// The service, for example `private-road-grant`; absent for free text.
    #[serde(default)]
    pub service: Option<ServiceId>,
    /// The fields of the form, by name. A missing or odd value is asked for, never refused. At most 200.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, Value>,
    /// Free text, at most 200 000 characters.
    #[serde(default)]
    pub text: Option<String>,
    /// Where.
    #[serde(default)]
    pub location: Option<Location>,
    /// Files: a path beside the submission file (command line only), or a name with its content. At most 20.
    #[serde(default)]
    pub attachments: Vec<AttachmentFile>,
    /// Who.
    #[serde(default)]
    pub party: Option<Party>,
    /// When the sender says it was sent, RFC 3339 with offset.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    #[schemars(with = "Option<String>")]
    pub sent_at: Option<Timestamp>,
    /// How it came: `phone`, `paper` or `desk`, where the registry or a handler brings in what others said or wrote; `office`
    /// where the municipality begins the matter itself.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// When it was available to our system, RFC 3339 with offset. In files, and beside a `channel`; no later than now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    #[schemars(with = "Option<String>")]
    pub received_at: Option<Timestamp>,
}

/// What holds for an input besides what stands in it.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// The municipality when the submission names none.
    pub municipality: Option<MunicipalityId>,
    /// Whether a submission may name another one than `municipality`.
    pub municipality_is_fixed: bool,
    /// How it came.
    pub channel: Channel,
    /// Whose ids the submissions' own ids are: two senders may both count from 1.
    pub sender: String,
    /// Whether `channel` and `received_at` may be given: only where a person of the municipality brings it in.
    pub may_set_arrival: bool,
    /// Who brings in what others said or wrote.
    pub registrar: Option<Actor>,
    /// The folder in which attachments given by path are looked for; none: paths are refused.
    pub folder: Option<PathBuf>,
    /// Time and ids.
    pub ambient: Ambient,
}

impl Defaults {
    /// For a request with a token: the municipality is the token's, arrival is now.
    #[must_use]
    pub fn api(municipality: MunicipalityId, token: TokenId, ambient: Ambient) -> Self {
        Self {
            municipality: Some(municipality),
            municipality_is_fixed: true,
            channel: Channel::Api,
            sender: format!("token:{token}"),
            may_set_arrival: false,
            registrar: None,
            folder: None,
            ambient,
        }
    }

    /// The same for somebody of the municipality who brings in what came by telephone, on paper or at the desk.
    #[must_use]
    pub fn registry(person: &Person, ambient: Ambient) -> Self {
        let (municipality, registrar) = (person.municipality.clone(), Some(person.into()));
        Self { may_set_arrival: true, registrar, ..Self::api(municipality, person.token, ambient) }
    }

    /// For a form of the pages: its id is the form's own link, arrival is now.
    #[must_use]
    pub fn web(municipality: MunicipalityId, ambient: Ambient) -> Self {
        Self {
            municipality: Some(municipality),
            municipality_is_fixed: true,
            channel: Channel::Api,
            sender: "pages".to_owned(),
            may_set_arrival: false,
            registrar: None,
            folder: None,
            ambient,
        }
    }

    /// For a file on the command line, with the folder it stands in.
    #[must_use]
    pub fn file(municipality: Option<MunicipalityId>, folder: Option<PathBuf>, ambient: Ambient) -> Self {
        Self {
            municipality,
            municipality_is_fixed: false,
            channel: Channel::File,
            sender: sender_by_channel(Channel::File),
            may_set_arrival: true,
            registrar: None,
            folder,
            ambient,
        }
    }
}

/// Reads a whole input; the first error refuses all of it.
///
/// # Errors
/// [`IntakeError`] with where, what and what to write instead.
pub fn parse(bytes: &[u8], defaults: &Defaults) -> Result<Vec<Incoming>, IntakeError> {
    parse_each(bytes, defaults).into_iter().collect()
}

/// Reads an input submission by submission: one that cannot be read does not hold up the others.
#[must_use]
pub fn parse_each(bytes: &[u8], defaults: &Defaults) -> Vec<Result<Incoming, IntakeError>> {
    let items = match split(bytes) {
        Ok(items) => items,
        Err(error) => return vec![Err(error)],
    };
    items
        .into_iter()
        .map(|item| {
            one(item.bytes, defaults, item.first_line).map_err(|error| match &item.place {
                Some(place) => error.within(place),
                None => error,
            })
        })
        .collect()
}

fn one(bytes: &[u8], defaults: &Defaults, first_line: usize) -> Result<Incoming, IntakeError> {
    if bytes.len() > MAX_SUBMISSION_BYTES {
        return Err(too_large("", "the submission", bytes.len(), MAX_SUBMISSION_BYTES, "bytes"));
    }
    walk(bytes, 0).or_else(|error| if error.refusal == Refusal::TooLarge { Err(error) } else { Ok(0) })?;
    let frame: Unique = serde_json::from_slice(bytes).map_err(|error| syntax(&error, first_line))?;
    let mut frame = frame.0;
    let now = defaults.ambient.now();

    let external_id = external_id(take(&mut frame, "id", "a text")?)?;
    let municipality = municipality(take_slug(&mut frame, "municipality")?, defaults)?;
    let service = take_slug(&mut frame, "service")?;
    let fields = fields(frame.remove("fields"))?;
    let text: Option<String> = take(&mut frame, "text", "a text")?;
    if let Some(text) = &text {
        let length = text.chars().count();
        if length > MAX_TEXT_CHARS {
            return Err(too_large("/text", "the text", length, MAX_TEXT_CHARS, "characters"));
        }
    }
    let location = location(frame.remove("location"))?;
    let party = part(
        frame.remove("party"),
        "/party",
        r#"an object such as {"name": "…", "email": "…", "language": "fi"}; its keys are name, business_id, address, email, phone, language"#,
    )?;
    let sent_at = time(&mut frame, "sent_at")?;
    let channel = channel(take(&mut frame, "channel", "phone, paper, desk or office")?, defaults)?;
    let received_at = arrival(time(&mut frame, "received_at")?, channel, defaults)?;
    let files = attachments(frame.remove("attachments"), defaults.folder.as_deref())?;
    let told = if defaults.channel == Channel::File { frame.remove("earlier") } else { None };
    let earlier = told.map(|told| earlier(told, defaults)).transpose()?.unwrap_or_default();
    if let Some(key) = frame.keys().next() {
        return Err(IntakeError::invalid(
            "",
            format!("a submission has no key `{}`", quoted(key)),
            "its keys are id, municipality, service, fields, text, location, attachments, party, sent_at, channel, received_at; \
             what the form asks for goes under `fields`",
        ));
    }
    let submission = Submission {
        id: SubmissionId::new(defaults.ambient.id()),
        external_id,
        municipality,
        channel,
        service,
        fields,
        subject: None,
        text,
        location,
        attachments: files.iter().map(|(file, _)| file.clone()).collect(),
        party,
        sent_at,
        received_at: received_at.unwrap_or(now),
    };
    let total = words::total_chars(&submission);
    if total > MAX_TOTAL_CHARS {
        return Err(too_large("", "all texts together", total, MAX_TOTAL_CHARS, "characters"));
    }
    // In a file nothing may be something: a person handed it in. Over the API it is a program's mistake.
    if defaults.channel == Channel::Api && is_nothing(&submission) {
        return Err(IntakeError::invalid("", "there is nothing in it", "give text, fields or attachments"));
    }
    let sender = defaults.sender.clone();
    let registrar = defaults.registrar.clone().filter(|_| channel.is_by_hand());
    Ok(Incoming { submission, sender, registrar, raw: bytes.to_vec(), files, notes: Vec::new(), earlier })
}

/// What came before a submission that is tried out: submissions with `outcome`, in a file only.
fn earlier(given: Value, defaults: &Defaults) -> Result<Vec<Earlier>, IntakeError> {
    let Value::Array(items) = given else {
        return Err(IntakeError::invalid("/earlier", "this is no list", "write a list of submissions"));
    };
    let refuse = |at: String, what: &str, instead: String| Err(IntakeError::invalid(at, what, instead));
    if items.len() > MAX_EARLIER {
        return Err(too_large("/earlier", "the list", items.len(), MAX_EARLIER, "submissions"));
    }
    let one_of_them = |(nth, item)| {
        let at = |key: &str| format!("/earlier/{nth}{key}");
        let Value::Object(mut item) = item else {
            return refuse(at(""), "this is no submission", "write an object".to_owned());
        };
        let outcome = match item.remove("outcome") {
            None => None,
            Some(word) => {
                let Some(outcome) = word.as_str().and_then(Outcome::parse) else {
                    let known: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
                    return refuse(at("/outcome"), "this is no outcome", format!("write one of: {}", known.join(", ")));
                };
                Some(outcome)
            }
        };
        if item.contains_key("earlier") {
            return refuse(
                at("/earlier"),
                "it stands in one list already",
                "put all of them into that list".to_owned(),
            );
        }
        if !item.contains_key("received_at") {
            return refuse(at("/received_at"), "it does not say when it came", "add `received_at`".to_owned());
        }
        let bytes = Value::Object(item).to_string();
        match one(bytes.as_bytes(), defaults, 1) {
            Ok(incoming) => Ok(Earlier { submission: incoming.submission, outcome }),
            Err(error) => Err(error.within(&at(""))),
        }
    };
    items.into_iter().enumerate().map(one_of_them).collect()
}

/// How it came: what the place says where it arrived, unless somebody of the municipality brings it in.
fn channel(given: Option<Channel>, defaults: &Defaults) -> Result<Channel, IntakeError> {
    match given {
        None => Ok(defaults.channel),
        Some(channel) if channel == defaults.channel => Ok(channel),
        Some(_) if !defaults.may_set_arrival => Err(IntakeError::invalid(
            "/channel",
            "what came by telephone, on paper or at the desk is registered by the registry or a handler",
            "leave it out, or send it with a token of theirs",
        )),
        Some(channel) if channel.is_by_hand() => Ok(channel),
        Some(_) => Err(IntakeError::invalid(
            "/channel",
            "nobody brings this in by hand",
            "write phone, paper, desk or office, or leave it out",
        )),
    }
}

/// When it came, where that may be said: a file tells it of itself, and a person of what they bring in.
fn arrival(given: Option<Timestamp>, channel: Channel, defaults: &Defaults) -> Result<Option<Timestamp>, IntakeError> {
    let refuse = |what: &str, instead: &str| Err(IntakeError::invalid("/received_at", what, instead));
    let told_by_file = defaults.channel == Channel::File;
    match given {
        Some(_) if !(told_by_file || defaults.may_set_arrival && channel.is_by_hand()) => refuse(
            "the time of arrival is set where the submission arrives",
            "leave it out; `sent_at` may say when it was sent",
        ),
        Some(at) if !told_by_file && at > defaults.ambient.now() => {
            refuse("nothing has come yet that comes later than now", "write when it came")
        }
        _ => Ok(given),
    }
}

/// Whether nobody could tell what is wanted.
fn is_nothing(submission: &Submission) -> bool {
    let said = [&submission.subject, &submission.text].into_iter().flatten().any(|text| !text.trim().is_empty());
    !said && submission.service.is_none() && submission.fields.is_empty() && submission.attachments.is_empty()
}

/// A JSON object whose keys are each given once: of two values nobody could say which one was meant.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Unique;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
                let mut map = Map::new();
                while let Some(key) = access.next_key::<String>()? {
                    let again = map.contains_key(&key);
                    let value = if key == "fields" { access.next_value::<Fields>()?.0 } else { access.next_value()? };
                    if again {
                        return Err(serde::de::Error::custom(format_args!("`{}` is given twice", quoted(&key))));
                    }
                    map.insert(key, value);
                }
                Ok(Unique(map))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The value of `fields`: an object with each name once, or whatever else stands there, to be refused with its place.
struct Fields(Value);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object with the fields of the form")
            }
            fn visit_unit<E>(self) -> Result<Fields, E> {
                Ok(Fields(Value::Null))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut access: A) -> Result<Fields, A::Error> {
                let mut map = Map::new();
                while let Some(key) = access.next_key::<String>()? {
                    let value: Value = access.next_value()?;
                    if map.contains_key(&key) {
                        return Err(serde::de::Error::custom(format_args!("field `{}` is given twice", quoted(&key))));
                    }
                    map.insert(key, value);
                }
                Ok(Fields(Value::Object(map)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

fn syntax(error: &serde_json::Error, first_line: usize) -> IntakeError {
    let at = format!("line {}, column {}", error.line() + first_line - 1, error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            // Our own words above; serde's for a wrong type repeat the value, so they are cut before it.
            let words = error.to_string();
            let what = words.split(" at line ").next().unwrap_or_default();
            let what =
                if what.ends_with("is given twice") { what.to_owned() } else { "`fields` is not an object".to_owned() };
            IntakeError::invalid(at, what, r#"write each name once, such as "fields": {"road_name": "…"}"#)
        }
        serde_json::error::Category::Eof => {
            IntakeError::new(Refusal::Unreadable, at, "the JSON ends too early", "close every bracket and text")
        }
        _ => IntakeError::new(
            Refusal::Unreadable,
            at,
            "this is not JSON",
            "look for a missing comma or quotation mark just before this place",
        ),
    }
}

/// A key with its type; `null` is as good as absent.
fn take<T: DeserializeOwned>(
    frame: &mut Map<String, Value>,
    key: &str,
    expected: &str,
) -> Result<Option<T>, IntakeError> {
    match frame.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let given = kind(&value);
            serde_json::from_value(value).map(Some).map_err(|_| {
                IntakeError::invalid(format!("/{key}"), format!("this is {given}"), format!("write {expected}"))
            })
        }
    }
}

fn take_slug<T: std::str::FromStr<Err = crate::cases::InvalidId>>(
    frame: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<T>, IntakeError> {
    let Some(given) = take::<String>(frame, key, "its id as a text")? else { return Ok(None) };
    given.parse().map(Some).map_err(|error: crate::cases::InvalidId| {
        IntakeError::invalid(format!("/{key}"), format!("`{}` is no id", quoted(&given)), error.expected)
    })
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn external_id(given: Option<String>) -> Result<Option<String>, IntakeError> {
    let Some(id) = given else { return Ok(None) };
    let good =
        !id.trim().is_empty() && id.chars().count() <= MAX_EXTERNAL_ID_CHARS && !id.chars().any(super::is_steering);
    if good {
        Ok(Some(id))
    } else {
        Err(IntakeError::invalid(
            "/id",
            "this id is empty, too long or has characters that cannot be seen",
            format!("write 1–{MAX_EXTERNAL_ID_CHARS} visible characters, or leave it out"),
        ))
    }
}

fn municipality(given: Option<MunicipalityId>, defaults: &Defaults) -> Result<MunicipalityId, IntakeError> {
    match (given, &defaults.municipality) {
        (Some(given), Some(fixed)) if defaults.municipality_is_fixed && given != *fixed => Err(IntakeError::new(
            Refusal::UnknownMunicipality,
            "/municipality",
            format!("this channel serves `{fixed}`, not `{given}`"),
            format!("write \"{fixed}\" or leave it out"),
        )),
        (Some(given), _) => Ok(given),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Err(IntakeError::invalid(
            "/municipality",
            "nothing says which municipality this goes to",
            r#"write "municipality": "harjuvesi", or say it with --municipality"#,
        )),
    }
}

fn fields(given: Option<Value>) -> Result<BTreeMap<String, Value>, IntakeError> {
    let map = match given {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(map)) => map,
        Some(other) => {
            return Err(IntakeError::invalid(
                "/fields",
                format!("this is {}", kind(&other)),
                r#"write an object such as {"road_name": "…"}"#,
            ));
        }
    };
    if map.len() > MAX_FIELDS {
        return Err(too_large("/fields", "the form", map.len(), MAX_FIELDS, "fields"));
    }
    for (name, value) in &map {
        if name.chars().count() > MAX_FIELD_NAME_CHARS {
            return Err(too_large(
                "/fields",
                "the name of a field",
                name.chars().count(),
                MAX_FIELD_NAME_CHARS,
                "characters",
            ));
        }
        if let Value::String(text) = value {
            let length = text.chars().count();
            if length > MAX_TEXT_CHARS {
                return Err(too_large(&pointer("/fields", name), "the text", length, MAX_TEXT_CHARS, "characters"));
            }
        }
    }
    Ok(map.into_iter().collect())
}

/// RFC 6901: `~` and `/` are escaped; what could steer a terminal is left out.
fn pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", quoted(key).replace('~', "~0").replace('/', "~1"))
}

fn part<T: DeserializeOwned>(given: Option<Value>, at: &str, expected: &str) -> Result<Option<T>, IntakeError> {
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let given = kind(&value);
            let object = value.as_object().cloned();
            serde_json::from_value(value).map(Some).map_err(|_| {
                // Which key it was, found by leaving out one after another: rare, small, and exact.
                let culprit = object.and_then(|map| {
                    map.keys()
                        .find(|key| {
                            let single: Map<String, Value> = map
                                .iter()
                                .filter(|(other, _)| other == key)
                                .map(|(k, v)| (k.clone(), v.clone()))
                                .collect();
                            serde_json::from_value::<T>(Value::Object(single)).is_err()
                        })
                        .map(|key| (pointer(at, key), kind(&map[key.as_str()])))
                });
                match culprit {
                    Some((at, kind)) => IntakeError::invalid(
                        at,
                        format!("this key is unknown here or its value ({kind}) does not fit"),
                        format!("write {expected}"),
                    ),
                    None => IntakeError::invalid(at, format!("this is {given}"), format!("write {expected}")),
                }
            })
        }
    }
}

fn location(given: Option<Value>) -> Result<Option<Location>, IntakeError> {
    const EXPECTED: &str = r#"an object such as {"lat": 61.1, "lon": 24.5, "address": "…"}"#;
    let location: Option<Location> = part(given, "/location", EXPECTED)?;
    if let Some(location) = &location {
        let beyond = |value: Option<f64>, limit: f64| value.is_some_and(|v| !v.is_finite() || v.abs() > limit);
        for (key, value, limit) in [("lat", location.lat, 90.0), ("lon", location.lon, 180.0)] {
            if beyond(value, limit) {
                return Err(IntakeError::invalid(
                    format!("/location/{key}"),
                    format!("this lies beyond ±{limit} degrees"),
                    format!("write WGS84 degrees in {EXPECTED}"),
                ));
            }
        }
        let length = location.address.as_deref().map_or(0, |address| address.chars().count());
        if length > MAX_TEXT_CHARS {
            return Err(too_large("/location/address", "the address", length, MAX_TEXT_CHARS, "characters"));
        }
    }
    Ok(location)
}

fn time(frame: &mut Map<String, Value>, key: &str) -> Result<Option<Timestamp>, IntakeError> {
    let given: Option<String> = take(frame, key, "a time such as \"2026-03-31T16:15:00+03:00\"")?;
    given.map(|text| moment(&format!("/{key}"), text.trim())).transpose()
}

pub(super) fn too_large(at: &str, what: &str, given: usize, limit: usize, unit: &str) -> IntakeError {
    IntakeError::new(
        Refusal::TooLarge,
        at,
        format!("{what} has {given} {unit}; at most {limit} are taken"),
        "shorten it, or send it in parts",
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::intake::MAX_DEPTH;
    use proptest::prelude::*;

    pub(in crate::intake) fn defaults() -> Defaults {
        let (ambient, _) = Ambient::fixed("2026-03-31T13:15:00Z".parse().unwrap());
        Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient)
    }

    fn refused(text: &str) -> IntakeError {
        parse(text.as_bytes(), &defaults()).unwrap_err()
    }

    #[test]
    fn a_refusal_says_where_what_and_what_instead() {
        let cases = [
            ("", "there is nothing in it"),
            ("hello", "line 1: a submission begins with `{`"),
            ("[]", "the list is empty"),
            ("[{\"text\":\"a\"},]", "line 1: a list holds submissions"),
            ("{\"text\":\"a\"", "line 1, column 11: the JSON ends too early"),
            ("{\"txt\":\"a\"}", "a submission has no key `txt`"),
            ("{\"text\":\"a\",\"text\":\"b\"}", "line 1, column 23: `text` is given twice"),
            ("{\"fields\":{\"a\":1,\"a\":2}}", "line 1, column 23: field `a` is given twice"),
            ("{\"fields\":[1]}", "line 1, column 11: `fields` is not an object"),
            ("{\"sent_at\":\"2026-02-30T10:00:00Z\"}", "/sent_at: the day 2026-02-30 does not exist"),
            ("{\"sent_at\":5}", "/sent_at: this is a number"),
            ("{\"municipality\":\"Harju vesi\"}", "/municipality: `Harju vesi` is no id"),
            ("{\"service\":true}", "/service: this is true or false"),
            ("{\"location\":{\"lat\":91}}", "/location/lat: this lies beyond ±90 degrees"),
            ("{\"location\":{\"lat\":\"61\"}}", "/location/lat: this key is unknown here or its value (a text)"),
            ("{\"party\":{\"hetu\":\"010190-999W\"}}", "/party/hetu: this key is unknown here"),
            ("{\"party\":{\"language\":\"ru\"}}", "/party/language: this key is unknown here or its value"),
            ("{\"party\":7}", "/party: this is a number"),
            ("{\"id\":\"\"}", "/id: this id is empty"),
            ("{\"attachments\":[\"../x\"]}", "/attachments/0: a path means nothing here"),
            ("{\"attachments\":[{\"name\":\"x\",\"content\":\"%%\"}]}", "/attachments/0/content: this is not base64"),
        ];
        for (input, expected) in cases {
            let error = refused(input);
            assert!(error.to_string().starts_with(expected), "{input}\n  gave {error}\n  want {expected}");
            assert!(!error.instead.is_empty(), "{input}");
            assert!(!error.to_string().contains("010190"), "personal data in an error: {error}");
        }
    }

    #[test]
    fn odd_values_in_fields_are_taken_as_they_are() {
        let read = parse(
            br#"{"fields":{"length":"abc","n":null,"deep":{"a":[1,{"b":2}]},"nul":"a\u0000b","rtl":"\u202eabc"}}"#,
            &defaults(),
        )
        .unwrap();
        assert_eq!(read[0].submission.fields["nul"], "a\0b");
        assert_eq!(read[0].submission.fields.len(), 5);
    }

    #[test]
    fn limits_are_named() {
        let long = format!("{{\"text\":\"{}\"}}", "ä".repeat(MAX_TEXT_CHARS + 1));
        let error = refused(&long);
        assert_eq!(error.refusal, Refusal::TooLarge);
        assert_eq!(error.what, "the text has 200001 characters; at most 200000 are taken");
        assert!(parse(format!("{{\"text\":\"{}\"}}", "ä".repeat(MAX_TEXT_CHARS)).as_bytes(), &defaults()).is_ok());

        let many: Vec<String> = (0..5).map(|n| format!("\"f{n}\":[\"{}\"]", "ä".repeat(100_000))).collect();
        let error = refused(&format!("{{\"fields\":{{{}}}}}", many.join(",")));
        assert_eq!(error.refusal, Refusal::TooLarge);
        assert!(error.what.contains("400000"), "{error}");

        let deep = |n: usize| format!("{{\"fields\":{{\"a\":{}1{}}}}}", "[".repeat(n), "]".repeat(n));
        assert!(parse(deep(MAX_DEPTH - 2).as_bytes(), &defaults()).is_ok());
        assert_eq!(refused(&deep(MAX_DEPTH - 1)).refusal, Refusal::TooLarge);
        assert_eq!(refused(&deep(1_000_000)).refusal, Refusal::TooLarge);

        let many = (0..=MAX_FIELDS).map(|i| format!("\"f{i}\":1")).collect::<Vec<_>>().join(",");
        assert_eq!(refused(&format!("{{\"fields\":{{{many}}}}}")).refusal, Refusal::TooLarge);
    }

    #[test]
    fn a_channel_cannot_choose_its_arrival_or_another_municipality() {
        let (ambient, _) = Ambient::fixed("2026-03-31T13:15:00Z".parse().unwrap());
        let api = Defaults::api("harjuvesi".parse().unwrap(), TokenId::new(ambient.id()), ambient);
        let error = parse(br#"{"received_at":"2026-01-01T00:00:00Z"}"#, &api).unwrap_err();
        assert_eq!(error.at, "/received_at");
        let error = parse(br#"{"municipality":"ylaharju"}"#, &api).unwrap_err();
        assert_eq!(error.refusal, Refusal::UnknownMunicipality);
        for nothing in ["{}", r#"{"text":" ","party":{"name":"A"}}"#] {
            let error = parse(nothing.as_bytes(), &api).unwrap_err();
            assert_eq!(error.to_string(), "there is nothing in it; give text, fields or attachments");
            assert!(parse(nothing.as_bytes(), &defaults()).is_ok(), "in a file it is kept");
        }
        let read = parse(br#"{"municipality":"harjuvesi","text":"x"}"#, &api).unwrap();
        assert_eq!(read[0].submission.received_at.to_string(), "2026-03-31T13:15:00Z");
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_each(&bytes, &defaults());
        }

        #[test]
        fn never_panics_on_almost_json(text in r#"[\[\]{}",:\\a0 \n]{0,60}"#) {
            let _ = parse_each(text.as_bytes(), &defaults());
        }

        #[test]
        fn any_text_survives(text in any::<String>()) {
            let input = serde_json::json!([{ "text": text }]).to_string();
            let read = parse(input.as_bytes(), &defaults()).unwrap();
            prop_assert_eq!(read[0].submission.text.as_deref(), Some(text.as_str()));
        }
    }
}
