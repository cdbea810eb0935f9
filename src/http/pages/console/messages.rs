//! Messages with the party on the page of a case, and the acts on them. A message decides nothing.

use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

use super::acts::Sent;
use crate::app::App;
use crate::cases::{Actor, Case, CaseId, Consent, Language, Person, Side};
use crate::http::error::{Error, Result};
use crate::http::identity::{Correspond, Register, may};
use crate::review::NewMessage;

/// The messages of a case.
#[derive(Debug, Serialize)]
pub struct View {
    lines: Vec<Line>,
    /// The party's consent to publication, as it stands now: the tick on the form says what was, not what is.
    consent: Option<Consent>,
    /// A message of the party waits for somebody.
    waits: bool,
    may_write: bool,
    may_see: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    side: Side,
    /// Who of the office wrote it.
    name: Option<String>,
    text: String,
    language: Language,
    at: Timestamp,
    /// The case that it became: id and number.
    became: Option<(CaseId, String)>,
    /// The case that it was written to, where this one came from it.
    of: Option<(CaseId, String)>,
}

/// The messages of a case, as this person sees them.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn view(app: &App, person: &Person, case: &Case) -> Result<View> {
    let storage = app.storage();
    let tokens = storage.tokens(&case.municipality).await?;
    let name = |by: &Actor| match by {
        Actor::Person { token, .. } => tokens.iter().find(|row| row.id == *token).map(|row| row.person.name.clone()),
        Actor::System { .. } => None,
    };
    let number = async |id: Option<CaseId>| -> Result<Option<(CaseId, String)>> {
        let Some(id) = id.filter(|id| *id != case.id) else { return Ok(None) };
        Ok(storage.case(&case.municipality, id).await?.map(|other| (id, other.number)))
    };
    let mut lines = Vec::new();
    for message in storage.messages(&case.municipality, case.id).await? {
        let (became, of) = (number(message.became).await?, number(Some(message.case_id)).await?);
        let name = name(&message.by).filter(|_| message.side == Side::Office);
        let (side, text, language, at) = (message.side, message.text, message.language, message.at);
        lines.push(Line { side, name, text, language, at, became, of });
    }
    let waits = storage.cases_with_waiting_messages(&case.municipality).await?.contains(&case.id);
    let consent = storage.consent(&case.municipality, case.id).await?;
    Ok(View { lines, consent, waits, may_write: may::<Correspond>(person), may_see: may::<Register>(person) })
}

/// `POST /console/cases/{id}/message`: in the language in which the party is served.
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn write(act: Sent<Correspond>) -> Result<Response> {
    let Sent { app, reader, person, id, form } = &act;
    let result = async {
        let case = app.storage().case(&person.municipality, *id).await?.ok_or(Error::NoSuch("case"))?;
        let language = case.file.reading.as_ref().map_or(reader.language, |reading| reading.language);
        let text = form.text("message").unwrap_or_default().to_owned();
        Ok(app.review().message(person, *id, NewMessage { text, language }).await?)
    };
    let result = result.await;
    act.done("written", result).await
}

/// `POST /console/cases/{id}/messages-seen`: they need no answer.
///
/// # Errors
/// As [`write()`].
pub async fn seen(act: Sent<Register>) -> Result<Response> {
    let Sent { app, person, id, .. } = &act;
    let result = app.review().see_messages(person, *id).await.map_err(Error::from);
    act.done("seen", result).await
}
