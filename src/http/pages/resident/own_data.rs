//! What the municipality holds of a case by its party: what, for what, from where, for how long, and who has seen it.
//! People are told by role and time; names stand in no list here.

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::case::Followed;
use super::{Frame, desk, fields};
use crate::app::App;
use crate::cases::{Actor, Role, Submission};
use crate::http::error::Result;
use crate::http::pages::reader::Reader;
use crate::http::pages::render;

/// One thing that is held.
#[derive(Debug, Serialize)]
struct Item {
    label: String,
    value: String,
    at: Timestamp,
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
}

/// `GET /c/{secret}/data`
///
/// # Errors
/// [`crate::http::error::Error::NoSuch`]: no link has that key.
pub async fn show(State(app): State<App>, reader: Reader, Path(key): Path<String>) -> Result<Response> {
    let followed = Followed::find(&app, key).await?;
    let desk = desk(&app, &followed.link.municipality)?;
    let sent = followed.sent(&app).await?;
    let service = followed.service(desk, sent.first());
    let fields = fields::of(service);
    let items = |submission: &Submission| {
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
        let degrees = place.and_then(|place| Some(format!("{}, {}", place.lat?, place.lon?)));
        add("data.coordinates", degrees);
        let party = submission.party.as_ref();
        add("data.email", party.and_then(|party| party.email.clone()));
        add("data.phone", party.and_then(|party| party.phone.clone()));
        for file in &submission.attachments {
            add("data.file", Some(file.name.clone()));
        }
        let at = submission.received_at;
        items.into_iter().map(move |(label, value)| Item { label, value, at }).collect::<Vec<_>>()
    };
    let case = &followed.case;
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
        items: sent.iter().flat_map(items).collect(),
        years: records.map(|records| records.retention_years),
        class: records.map(|records| records.class.clone()),
        public: records.map(|records| records.publicity == crate::municipality::format::Publicity::Public),
        seen: seen.collect(),
    };
    render::page("resident/data.html", &reader, &view)
}
