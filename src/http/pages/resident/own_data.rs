//! What the municipality holds of a case by its party: what, for what, from where, for how long, and who has seen it.
//! People are told by role and time; names stand in no list here.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::case::Followed;
use super::{Frame, consent, desk, fields};
use crate::app::App;
use crate::cases::{Actor, Case, Evidence, Fact, Role, Side, Submission, write_value};
use crate::clock::helsinki;
use crate::http::error::Result;
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::municipality::format::{Field, Publicity};

/// One thing that is held.
#[derive(Debug, Serialize)]
struct Item {
    label: String,
    value: String,
    /// Where it came from: `data.from_<word>`.
    source: &'static str,
    /// Which register, where it came from one.
    register: String,
    at: Timestamp,
}

impl Item {
    const fn new(label: String, value: String, source: &'static str, at: Timestamp) -> Self {
        Self { label, value, source, register: String::new(), at }
    }
}

/// Somebody who has handled the case.
#[derive(Debug, Serialize)]
struct Seen {
    role: Role,
    kind: String,
    at: Timestamp,
}

#[derive(Debug, Serialize)]
struct View<'a> {
    frame: Frame,
    key: &'a str,
    number: &'a str,
    title: Option<String>,
    items: Vec<Item>,
    years: Option<u32>,
    class: Option<String>,
    public: Option<bool>,
    seen: Vec<Seen>,
    consent: consent::View,
    just: Option<&'static str>,
}

/// What was done just now.
#[derive(Debug, Deserialize)]
pub struct Just {
    consented: Option<String>,
    unconsented: Option<String>,
}

impl Just {
    fn word(&self) -> Option<&'static str> {
        let given = self.consented.as_ref().map(|_| "consented");
        given.or_else(|| self.unconsented.as_ref().map(|_| "unconsented"))
    }
}

/// `GET /c/{secret}/data`
///
/// # Errors
/// [`crate::http::error::Error::NoSuch`]: no link has that key.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(key): Path<String>,
    Query(just): Query<Just>,
) -> Result<Response> {
    let followed = Followed::find(&app, key).await?;
    let desk = desk(&app, &followed.link.municipality)?;
    let sent = followed.sent(&app).await?;
    let service = followed.service(desk, sent.first());
    let (case, fields) = (&followed.case, fields::of(service));
    let mut items: Vec<Item> = sent.iter().flat_map(|submission| told(submission, &fields, &reader)).collect();
    items.extend(found(case, &fields, &reader));
    for message in app.storage().messages(&case.municipality, case.id).await? {
        let source = if message.side == Side::Party { "you" } else { "handler" };
        items.push(Item::new(reader.word("data.message"), message.text, source, message.at));
    }
    let events = app.storage().timeline(&case.municipality, case.id).await?;
    let seen = events.into_iter().filter_map(|event| match event.actor {
        Actor::Person { role, .. } if role != Role::ResidentChannel => {
            Some(Seen { role, kind: event.kind.to_string(), at: event.at })
        }
        _ => None,
    });
    let records = service.map(|service| &service.records);
    let view = View {
        frame: Frame::of(&desk.rulebook.pack, service, reader.language),
        key: &followed.key,
        number: &case.number,
        title: service.map(|service| service.name.get(reader.language).to_owned()),
        items,
        years: records.map(|records| records.retention_years),
        class: records.map(|records| records.class.clone()),
        public: records.map(|records| records.publicity == Publicity::Public),
        seen: seen.collect(),
        consent: consent::view(&app, &followed, service, reader.language).await?,
        just: just.word(),
    };
    render::page("resident/data.html", &reader, &view)
}

/// What the party told in a submission.
fn told(submission: &Submission, fields: &[Field], reader: &Reader) -> Vec<Item> {
    let mut items: Vec<(String, String)> = Vec::new();
    for (name, value) in &submission.fields {
        let typed = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let field = fields.iter().find(|field| field.name == *name);
        let label = field.map_or(name.as_str(), |field| field.label.get(reader.language));
        let value = field.map_or(typed.clone(), |field| fields::told(field, &typed, reader.language));
        items.push((label.to_owned(), value));
    }
    let mut add = |key: &str, value: Option<String>| items.extend(value.map(|value| (reader.word(key), value)));
    add("data.text", submission.text.clone());
    let place = submission.location.as_ref();
    add("data.coordinates", place.and_then(|place| Some(format!("{}, {}", place.lat?, place.lon?))));
    let party = submission.party.as_ref();
    add("data.email", party.and_then(|party| party.email.clone()));
    add("data.phone", party.and_then(|party| party.phone.clone()));
    for file in &submission.attachments {
        add("data.file", Some(file.name.clone()));
    }
    items.into_iter().map(|(label, value)| Item::new(label, value, "you", submission.received_at)).collect()
}

/// What the municipality found beside it: in its registers, in texts, by its people.
fn found(case: &Case, fields: &[Field], reader: &Reader) -> Vec<Item> {
    let label = |name: &str| {
        let field = fields.iter().find(|field| field.name == name);
        let unnamed = || {
            let named = render::word(&format!("fact.{name}"), reader.language);
            named.map_or_else(|| name.replace('_', " "), ToOwned::to_owned)
        };
        field.map_or_else(unnamed, |field| field.label.get(reader.language).to_owned())
    };
    let item = |fact: &Fact| {
        let value = write_value(&fact.value, fact.unit.as_deref(), reader.language);
        let of = |source| Item::new(label(&fact.name), value.clone(), source, case.received_at);
        match &fact.evidence {
            Evidence::Register { register, as_of } => {
                let at = as_of.to_zoned(helsinki()).map_or(case.received_at, |day| day.timestamp());
                Some(Item { register: register.clone(), at, ..of("register") })
            }
            // Which cases they are is nothing of this party's.
            Evidence::Cases { as_of, .. } => {
                let at = as_of.to_zoned(helsinki()).map_or(case.received_at, |day| day.timestamp());
                Some(Item { at, ..of("cases") })
            }
            Evidence::Person { .. } => Some(of("handler")),
            Evidence::Text { .. } | Evidence::Attachment { .. } => Some(of("text")),
            Evidence::Form { .. } | Evidence::Computed { .. } => None,
        }
    };
    case.file.facts.iter().filter_map(item).collect()
}
