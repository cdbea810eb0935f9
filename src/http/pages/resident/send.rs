//! Check and send: what was filled in on one page, what is like it already, and then one press.
//!
//! What is sent becomes a case by the functions of the API ([`parse`], [`register`]). The form's own hash is the
//! sender's id: sent twice it is one case.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::fields::{self, EMAIL, LAT, LON, MESSAGE, PHONE, PLACE};
use super::fill::{self, FileLine, Opened, Slot};
use super::posted::{Place as _, Posted};
use super::window::Window;
use super::{Frame, danger};
use crate::app::App;
use crate::cases::{CaseId, Language, Matter, MunicipalityId, Submission, TokenId};
use crate::http::error::{Error, Result};
use crate::http::pages::reader::Reader;
use crate::http::pages::{go, render};
use crate::intake::duplicates::{self, Likeness, Notice};
use crate::intake::json::{Defaults, parse};
use crate::intake::receipt::Card;
use crate::intake::register::register;
use crate::intake::{Incoming, IntakeError};
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::storage::{CaseLink, Origin, tokens};

/// So many open notices are looked at, the newest first.
const LOOKED_AT: u32 = 500;
/// So many are shown.
const SHOWN: usize = 3;

/// A line of the summary.
#[derive(Debug, Serialize)]
struct Line {
    label: String,
    value: String,
    from: Option<Origin>,
}

/// An open notice of perhaps the same fault. Nothing that its sender wrote stands here: what, how far, which day.
#[derive(Debug, Serialize)]
struct Similar {
    category: Option<String>,
    /// Metres from the reader's own place.
    metres: Option<u32>,
    same_address: bool,
    day: jiff::civil::Date,
}

#[derive(Debug, Serialize)]
struct View<'a> {
    frame: Frame,
    title: Option<String>,
    path: String,
    lines: Vec<Line>,
    files: Vec<FileLine>,
    missing: Vec<Slot>,
    similar: Vec<Similar>,
    cards: Vec<Card>,
    rescued: Option<&'a str>,
    window: Option<Window>,
    /// Until when the form is kept.
    until: jiff::Timestamp,
    /// What may be published with the sender's consent: name and label of its tick.
    consent: Option<(String, String)>,
}

/// `GET /forms/{secret}/check`
///
/// # Errors
/// [`Error::NoSuch`]: no form has that key.
pub async fn check(State(app): State<App>, reader: Reader, Path(secret): Path<String>) -> Result<Response> {
    let Some(opened) = Opened::find(&app, &secret).await? else { return fill::gone(&app, &secret).await };
    let (desk, service, fields) = opened.desk(&app)?;
    let (filled, language) = (&opened.form.file, reader.language);
    let faults = fields::faults(&fields, filled, language);
    if !faults.is_empty() {
        return fill::page(&app, &reader, &opened, None, &faults, &[]);
    }
    let line = |field: &Field| {
        let typed = filled.texts.get(&field.name)?;
        let (label, from) = (field.label.get(language).to_owned(), filled.from.get(&field.name).cloned());
        Some(Line { label, value: fields::told(field, typed, language), from })
    };
    let slots = fill::slots(service, &opened.files, language);
    let consent = service.and_then(|service| service.publication_consent.as_ref());
    let consent_line = |field: &Field| (field.name.clone(), field.label.get(language).to_owned());
    let view = View {
        frame: Frame::of(&desk.rulebook.pack, service, language),
        title: service.map(|service| service.name.get(language).to_owned()),
        path: opened.path(),
        window: Window::of(&desk.rulebook, service, app.ambient().now()),
        until: opened.form.expires_at,
        consent: fields.iter().find(|field| consent == Some(&field.name)).map(consent_line),
        lines: fields.iter().filter_map(line).collect(),
        files: fill::lines(&opened.files),
        missing: slots.into_iter().filter(|slot| slot.required && !slot.there).collect(),
        similar: similar(&app, &opened, service, &fields, language).await?,
        cards: danger::cards(desk, filled.texts.values().map(String::as_str), app.ambient().now(), language),
        rescued: filled.rescued.as_deref(),
    };
    render::page("resident/check.html", &reader, &view)
}

/// Open notices that may tell of the same fault, best first.
async fn similar(
    app: &App,
    opened: &Opened,
    service: Option<&ServiceFile>,
    fields: &[Field],
    language: Language,
) -> Result<Vec<Similar>> {
    let Some(service) = service.filter(|service| service.matter == Matter::FaultNotice) else { return Ok(Vec::new()) };
    let municipality = &opened.form.municipality;
    // One that cannot be read is refused when it is sent, with the reason.
    let defaults = Defaults::web(municipality.clone(), app.ambient().clone());
    let Ok(Incoming { submission, .. }) = incoming(&submission(opened, fields, Some(language)), &defaults) else {
        return Ok(Vec::new());
    };
    let this = Notice::of(&submission, opened.form.file.texts.get("category").cloned());
    let (from, to) = duplicates::window(submission.received_at);
    let notices = app.storage().open_notices(municipality, from, to, LOOKED_AT).await?;
    let like = |submission: &Submission, category| Likeness::between(&this, &Notice::of(submission, category));
    let notices = notices.iter().map(|notice| (like(&notice.submission, notice.row.category.clone()), notice));
    let mut found: Vec<_> = notices.filter(|(likeness, _)| likeness.is_duplicate()).collect();
    found.sort_by(|(one, _), (other, _)| one.best_first(other));
    let name = |code: &String| {
        let row = service.categories.iter().find(|row| row.code == *code);
        row.map(|row| row.name.get(language).to_owned())
    };
    let shown = found.into_iter().take(SHOWN).map(|(likeness, notice)| Similar {
        category: notice.row.category.as_ref().and_then(name),
        metres: likeness.metres.map(rounded),
        same_address: likeness.same_address == Some(true),
        day: crate::triage::local_date(notice.row.received_at),
    });
    Ok(shown.collect())
}

/// Metres as people say them: a place is told no more exactly than it takes to look there.
fn rounded(metres: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a distance of notices that are near")]
    let tens = (metres / 10.0).ceil().clamp(1.0, 1_000.0) as u32;
    tens * 10
}

/// The form as a submission; the same form is the same submission. `language` is the party's where they chose none.
pub(in crate::http::pages) fn submission(opened: &Opened, fields: &[Field], language: Option<Language>) -> Value {
    let texts = &opened.form.file.texts;
    let text = |name: &str| texts.get(name).map(String::as_str);
    let values = fields.iter().filter(|field| !field.name.contains('-'));
    let values = values.filter_map(|field| Some((field.name.clone(), Value::from(text(&field.name)?))));
    let of_kind = |kind| fields.iter().find(|field| field.kind == kind).and_then(|field| text(&field.name));
    let degrees = |name| text(name).and_then(|typed| typed.replace(',', ".").trim().parse::<f64>().ok());
    let chosen = text("language").filter(|code| Language::from_code(code).is_some());
    let location = json!({ "lat": degrees(LAT), "lon": degrees(LON), "address": text(PLACE) });
    let party = json!({
        "email": text(EMAIL).or_else(|| of_kind(FieldType::Email)),
        "phone": text(PHONE).or_else(|| of_kind(FieldType::Phone)),
        "language": chosen.or(language.map(Language::code)),
    });
    let files = opened.files.iter().map(|file| json!({ "name": file.name, "content": BASE64.encode(&file.bytes) }));
    json!({
        "id": opened.form.link_hash,
        "service": opened.form.service,
        "fields": values.collect::<Map<_, _>>(),
        "text": text(MESSAGE),
        "location": Some(location).filter(|place| place.as_object().is_some_and(|place| !place.values().all(Value::is_null))),
        "party": party,
        "attachments": files.collect::<Vec<_>>(),
    })
}

/// What the API would make of it.
pub(in crate::http::pages) fn incoming(submission: &Value, defaults: &Defaults) -> Result<Incoming, IntakeError> {
    let mut all = parse(submission.to_string().as_bytes(), defaults)?;
    all.pop().ok_or_else(|| IntakeError {
        refusal: crate::intake::Refusal::Invalid,
        at: String::new(),
        what: "there is nothing in it".to_owned(),
        instead: "write what it is about".to_owned(),
    })
}

/// `POST /forms/{secret}/send`
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`], [`Error::Intake`], [`Error::Unavailable`]; the form is kept then.
pub async fn send(mut posted: Posted<Opened>) -> Result<Response> {
    let (app, reader) = (posted.app.clone(), posted.reader.clone());
    let (desk, service, fields) = posted.place.desk(&app)?;
    let opened = &mut posted.place;
    let faults = fields::faults(&fields, &opened.form.file, reader.language);
    if !faults.is_empty() {
        fill::rescue(&app, opened).await?;
        return fill::page(&app, &reader, opened, None, &faults, &[]);
    }
    if let Some(name) = service.and_then(|service| service.publication_consent.as_ref())
        && posted.sent.form.has(name)
    {
        opened.form.file.texts.insert(name.clone(), "true".to_owned());
    }
    let municipality = opened.form.municipality.clone();
    let whole = submission(opened, &fields, Some(reader.language));
    let defaults = Defaults::web(municipality.clone(), app.ambient().clone());
    let result = async {
        let incoming = incoming(&whole, &defaults)?;
        Ok::<_, Error>(register(app.storage(), &desk.rulebook, &desk.lexicon, incoming).await?)
    };
    let receipt = match result.await {
        Ok(receipt) => receipt,
        Err(error) => return danger::refused(&app, &reader, opened, &opened.kept(), error).await,
    };
    metrics::counter!(crate::telemetry::SUBMISSIONS).increment(1);
    let key = fill::case_key(&opened.secret);
    link(&app, &municipality, receipt.case_id, &key).await?;
    app.storage().delete_saved_form(&opened.form.link_hash).await?;
    Ok(go(&format!("/c/{key}?sent=1")).into_response())
}

/// Makes the link to a case, unless it is there: of two who send at once one makes it.
///
/// # Errors
/// [`Error::Unavailable`].
pub(in crate::http::pages) async fn link(
    app: &App,
    municipality: &MunicipalityId,
    case_id: CaseId,
    key: &str,
) -> Result<()> {
    let hash = tokens::hash(key);
    let link = CaseLink { id: TokenId::new(app.ambient().id()), municipality: municipality.clone(), case_id };
    if app.storage().case_link(&hash).await?.is_some() {
        return Ok(());
    }
    match app.storage().insert_case_link(&hash, &link).await {
        Err(error) if app.storage().case_link(&hash).await?.is_none() => Err(error.into()),
        _ => Ok(()),
    }
}
