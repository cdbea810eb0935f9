//! Registering (*kirjaaminen*) for whoever calls, writes on paper or stands at the desk.
//!
//! The form is the residents' own, with how it came and who it is from before it and what was said after it (hallintolaki
//! 42 §); it is kept, compared and registered by the same functions. Nothing that somebody did not tell keeps their matter
//! from being registered: what is missing or cannot be read is shown here and asked for later. A form of the registry's
//! has a key of its own kind: no resident's address opens it, and this room opens no resident's.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::app::App;
use crate::cases::{CaseId, Channel, EmergencyHit, Language, Matter, Person, ServiceId, Submission, Value, write_date};
use crate::clock::helsinki;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Receive};
use crate::http::pages::form::Form;
use crate::http::pages::reader::Reader;
use crate::http::pages::resident::fields::{self, EMAIL, Fault, Input, MESSAGE, PHONE};
use crate::http::pages::resident::fill::{self, FileLine, Opened, Slot, Wrong};
use crate::http::pages::resident::upload::Sent;
use crate::http::pages::resident::{danger, send};
use crate::http::pages::{go, render};
use crate::http::v1::cases::{SimilarNotice, alike};
use crate::intake::json::Defaults;
use crate::intake::receipt::{self, Card};
use crate::intake::register::register;
use crate::intake::{MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS};
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::storage::{Filled, tokens};
use crate::triage::{Desk, gather, local_date};

/// How it came: the first of the registry's own inputs. Like all of them its name has a hyphen, which no service's has.
const CHANNEL: &str = "register-channel";
/// The day on which it came.
const DAY: &str = "register-day";
/// The time of that day.
const TIME: &str = "register-time";
/// Whom it is from.
const NAME: &str = "party-name";
/// Their postal address.
const ADDRESS: &str = "party-address";
/// The language in which they want to be served.
const LANGUAGE: &str = "party-language";
/// So many open notices are shown.
const SHOWN: usize = 5;

/// The pages of the registry's form.
pub fn router() -> Router<App> {
    Router::new()
        .route("/console/register", get(choose).post(begin))
        .route("/console/register/{secret}", get(show).post(save))
        .route("/console/register/{secret}/check", get(check))
        .route("/console/register/{secret}/send", post(do_register))
        .route("/console/register/{secret}/done", get(done))
}

/// A service that can be chosen.
#[derive(Debug, Serialize)]
struct Choice {
    id: ServiceId,
    name: String,
}

#[derive(Debug, Serialize)]
struct Choose {
    services: Vec<Choice>,
}

/// `GET /console/register`
///
/// # Errors
/// A fault of ours.
pub async fn choose(State(app): State<App>, reader: Reader, person: Can<Receive>) -> Result<Response> {
    let services = app.review().desk(&person.municipality)?.rulebook.pack.services.values();
    let choice = |file: &ServiceFile| Choice { id: file.id.clone(), name: file.name.get(reader.language).to_owned() };
    render::page(
        "console/register/choose.html",
        &reader,
        Choose { services: services.filter(|file| file.has_form()).map(choice).collect() },
    )
}

/// `POST /console/register`: begins a form with today's date; none chosen means a matter in free text.
///
/// # Errors
/// [`Error::NoSuch`].
pub async fn begin(State(app): State<App>, person: Can<Receive>, form: Form) -> Result<Response> {
    let pack = &app.review().desk(&person.municipality)?.rulebook.pack;
    let service = match form.text("service") {
        None => None,
        Some(id) => {
            let id: ServiceId = id.parse().map_err(|_| Error::NoSuch("service"))?;
            Some(pack.service(&id).ok_or(Error::NoSuch("service"))?.id.clone())
        }
    };
    let mut filled = Filled::default();
    let today = local_date(app.ambient().now());
    // As the field says that a day is written, in every language.
    filled.texts.insert(DAY.to_owned(), write_date(today, Language::Fi));
    let secret = fill::new_key(&app);
    fill::keep(&app, key(&secret), person.municipality.clone(), service, filled).await?;
    Ok(go(&format!("/console/register/{secret}")).into_response())
}

/// The key of a form of the registry's.
fn key(secret: &str) -> String {
    tokens::hash(&format!("registry {secret}"))
}

/// A form of the registry's that is kept, in the person's municipality.
async fn open(app: &App, person: &Person, secret: &str) -> Result<Option<Opened>> {
    match Opened::find(app, &key(secret)).await? {
        Some(opened) if opened.form.municipality != person.municipality => Err(Error::NoSuch("form")),
        found => Ok(found),
    }
}

/// Where a form has gone that is no longer kept: to what was registered, if it was.
async fn gone(app: &App, secret: &str) -> Result<Response> {
    match app.storage().case_link(&tokens::hash(&fill::case_key(&key(secret)))).await? {
        Some(_) => Ok(go(&format!("/console/register/{secret}/done")).into_response()),
        None => Err(Error::NoSuch("form")),
    }
}

/// The fields of the form, in their groups.
#[derive(Debug)]
struct Fields {
    how: Vec<Field>,
    who: Vec<Field>,
    what: Vec<Field>,
}

impl Fields {
    fn of(service: Option<&ServiceFile>) -> Self {
        let mut channel = Field { required: true, ..fields::plain(CHANNEL, FieldType::Choice) };
        for by_hand in Channel::ALL.iter().filter(|channel| channel.is_by_hand()) {
            channel.choices.insert(by_hand.to_string(), fields::words(&format!("channel.{by_hand}")));
        }
        let day = Field { required: true, ..fields::plain(DAY, FieldType::Date) };
        let time = Field { help: Some(fields::words("register.time_help")), ..fields::plain(TIME, FieldType::Text) };
        let mut language = fields::plain(LANGUAGE, FieldType::Choice);
        for code in [Language::Fi, Language::Sv, Language::En] {
            language.choices.insert(code.code().to_owned(), fields::words(&format!("language.{}", code.code())));
        }
        let mut what = fields::of(service);
        // What the service itself asks of whoever it is from, is asked once.
        let asks = |what: &[Field], kind| what.iter().any(|field| field.kind == kind && field.name != EMAIL);
        let mut who = vec![fields::plain(NAME, FieldType::Text), fields::plain(ADDRESS, FieldType::Text)];
        what.retain(|field| ![MESSAGE, EMAIL, PHONE].contains(&field.name.as_str()));
        if !asks(&what, FieldType::Email) {
            who.push(fields::plain(EMAIL, FieldType::Email));
        }
        if !asks(&what, FieldType::Phone) {
            who.push(fields::plain(PHONE, FieldType::Phone));
        }
        if !what.iter().any(|field| field.name == "language") {
            who.push(language);
        }
        let said = Field {
            free_text: true,
            label: fields::words("register.said"),
            help: Some(fields::words("register.said_help")),
            ..fields::plain(MESSAGE, FieldType::Text)
        };
        what.push(said);
        Self { how: vec![channel, day, time], who, what }
    }

    fn all(&self) -> Vec<Field> {
        self.how.iter().chain(&self.who).chain(&self.what).cloned().collect()
    }

    /// What must be put right before it can be registered: only what the registry itself says.
    fn faults(&self, filled: &Filled, files: usize, now: Timestamp, language: Language) -> Vec<Fault> {
        let mut own = self.how.clone();
        own.extend(self.who.iter().cloned());
        let mut faults = fields::faults(&own, filled, language);
        let told = |name: &str| faults.iter().any(|fault: &Fault| fault.name == name);
        let fault = |name: &str, word| {
            let field = self.how.iter().chain(&self.what).find(|field| field.name == name);
            let label = field.map_or_else(String::new, |field| field.label.get(language).to_owned());
            Fault { name: name.to_owned(), label, word, low: String::new(), high: String::new() }
        };
        if !told(DAY)
            && let Err((name, word)) = arrival(filled, now)
        {
            faults.push(fault(name, word));
        }
        let nothing = self.what.iter().all(|field| !filled.texts.contains_key(&field.name)) && files == 0;
        if nothing {
            faults.push(fault(MESSAGE, "missing"));
        }
        faults
    }
}

/// When it came, where that is not just now; else at which input what is wrong.
fn arrival(filled: &Filled, now: Timestamp) -> Result<Option<Timestamp>, (&'static str, &'static str)> {
    let text = |name: &str| filled.texts.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let read = |text: &str| gather::value(&fields::plain(DAY, FieldType::Date), &Json::from(text));
    let Some(Value::Date(day)) = text(DAY).and_then(read) else { return Err((DAY, "date")) };
    let today = local_date(now);
    if day > today {
        return Err((DAY, "later"));
    }
    let Some(typed) = text(TIME) else {
        // Of a day gone by nobody knows the hour, and a window may end within it.
        return if day == today { Ok(None) } else { Err((TIME, "missing")) };
    };
    let at = time_of(day, typed).ok_or((TIME, "time"))?;
    if at > now { Err((TIME, "later")) } else { Ok(Some(at)) }
}

/// A time of day as people write it, `9.30` or `09:30`, on a day in Finland.
fn time_of(day: Date, typed: &str) -> Option<Timestamp> {
    let (hours, minutes) = typed.split_once(['.', ':'])?;
    let time = Time::new(hours.trim().parse().ok()?, minutes.trim().parse().ok()?, 0, 0).ok()?;
    Some(day.to_datetime(time).to_zoned(helsinki()).ok()?.timestamp())
}

#[derive(Debug, Serialize)]
struct View<'a> {
    title: Option<String>,
    notice: bool,
    path: String,
    how: Vec<Input>,
    who: Vec<Input>,
    what: Vec<Input>,
    slots: Vec<Slot>,
    files: Vec<FileLine>,
    cards: Vec<Card>,
    faults: &'a [Fault],
    wrong: &'a [Wrong],
    saved: bool,
    most_files: usize,
    most_bytes: usize,
}

/// Whether the form was saved just now.
#[derive(Debug, Deserialize)]
pub struct Just {
    saved: Option<String>,
}

/// `GET /console/register/{secret}`
///
/// # Errors
/// [`Error::NoSuch`]: no form has that key, or it is another municipality's.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    person: Can<Receive>,
    Path(secret): Path<String>,
    Query(just): Query<Just>,
) -> Result<Response> {
    match open(&app, &person, &secret).await? {
        Some(opened) => page(&app, &reader, &secret, &opened, just.saved.is_some(), &[], &[]),
        None => gone(&app, &secret).await,
    }
}

/// `POST /console/register/{secret}`: keeps what was typed, then goes on to the check.
///
/// # Errors
/// [`Error::NoSuch`], [`Error::Unavailable`].
pub async fn save(
    State(app): State<App>,
    reader: Reader,
    person: Can<Receive>,
    Path(secret): Path<String>,
    sent: Sent,
) -> Result<Response> {
    let Some(mut opened) = open(&app, &person, &secret).await? else { return gone(&app, &secret).await };
    let path = format!("/console/register/{secret}");
    let (desk, service, _) = opened.desk(&app)?;
    let fields = Fields::of(service);
    fill::take(&mut opened.form.file, &fields.all(), &sent);
    opened.form.expires_at = fill::until(&app, &desk.rulebook, service)?;
    app.storage().save_form(&opened.form).await?;
    if let Some(id) = sent.form.text("remove") {
        app.storage().remove_saved_file(&opened.form.link_hash, id).await?;
        return Ok(go(&format!("{path}?saved=1#files")).into_response());
    }
    let checks = sent.form.text("act") == Some("check");
    let wrong = fill::keep_files(&app, &mut opened, service, sent.files, sent.whole).await?;
    let faults = if checks { faults(&app, &opened, &fields, reader.language) } else { Vec::new() };
    if !wrong.is_empty() || !faults.is_empty() {
        return page(&app, &reader, &secret, &opened, false, &faults, &wrong);
    }
    Ok(go(&if checks { format!("{path}/check") } else { format!("{path}?saved=1") }).into_response())
}

fn faults(app: &App, opened: &Opened, fields: &Fields, language: Language) -> Vec<Fault> {
    fields.faults(&opened.form.file, opened.files.len(), app.ambient().now(), language)
}

fn page(
    app: &App,
    reader: &Reader,
    secret: &str,
    opened: &Opened,
    saved: bool,
    faults: &[Fault],
    wrong: &[Wrong],
) -> Result<Response> {
    let (desk, service, _) = opened.desk(app)?;
    let (file, language) = (&opened.form.file, reader.language);
    let inputs = |fields: &[Field]| fields.iter().map(|field| Input::of(field, file, faults, language)).collect();
    let fields = Fields::of(service);
    let view = View {
        title: service.map(|service| service.name.get(language).to_owned()),
        notice: service.is_some_and(|service| service.matter == Matter::FaultNotice),
        path: format!("/console/register/{secret}"),
        how: inputs(&fields.how),
        who: inputs(&fields.who),
        what: inputs(&fields.what),
        slots: fill::slots(service, &opened.files, language),
        files: fill::lines(&opened.files),
        cards: cards(app, desk, opened, language),
        faults,
        wrong,
        saved,
        most_files: MAX_ATTACHMENTS,
        most_bytes: MAX_ATTACHMENT_BYTES.min(app.config().server.max_body_bytes),
    };
    let mut response = render::page("console/register/form.html", reader, &view)?;
    if !faults.is_empty() || !wrong.is_empty() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// 112, to be said to the caller now.
fn cards(app: &App, desk: &Desk, opened: &Opened, language: Language) -> Vec<Card> {
    danger::cards(desk, opened.form.file.texts.values().map(String::as_str), app.ambient().now(), language)
}

/// A line of the summary.
#[derive(Debug, Serialize)]
struct Line {
    label: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Summary {
    title: Option<String>,
    path: String,
    lines: Vec<Line>,
    files: Vec<FileLine>,
    /// What the form leaves open: it is registered all the same, and asked for.
    open: Vec<Fault>,
    missing: Vec<Slot>,
    similar: Vec<SimilarNotice>,
    cards: Vec<Card>,
}

/// `GET /console/register/{secret}/check`
///
/// # Errors
/// [`Error::NoSuch`].
pub async fn check(
    State(app): State<App>,
    reader: Reader,
    person: Can<Receive>,
    Path(secret): Path<String>,
) -> Result<Response> {
    let Some(opened) = open(&app, &person, &secret).await? else { return gone(&app, &secret).await };
    let (desk, service, _) = opened.desk(&app)?;
    let fields = Fields::of(service);
    let language = reader.language;
    let faults = faults(&app, &opened, &fields, language);
    if !faults.is_empty() {
        return page(&app, &reader, &secret, &opened, false, &faults, &[]);
    }
    let filled = &opened.form.file;
    let line = |field: &Field| {
        let typed = filled.texts.get(&field.name)?;
        let (label, value) = (field.label.get(language).to_owned(), fields::told(field, typed, language));
        Some(Line { label, value })
    };
    let slots = fill::slots(service, &opened.files, language);
    let view = Summary {
        title: service.map(|service| service.name.get(language).to_owned()),
        path: format!("/console/register/{secret}"),
        lines: fields.all().iter().filter_map(line).collect(),
        files: fill::lines(&opened.files),
        open: fields::faults(&fields.what, filled, language),
        missing: slots.into_iter().filter(|slot| slot.required && !slot.there).collect(),
        similar: similar(&app, &person, &opened, service).await?,
        cards: cards(&app, desk, &opened, language),
    };
    render::page("console/register/check.html", &reader, &view)
}

/// Open notices that may tell of the same fault, best first.
async fn similar(
    app: &App,
    person: &Person,
    opened: &Opened,
    service: Option<&ServiceFile>,
) -> Result<Vec<SimilarNotice>> {
    if service.is_none_or(|service| service.matter != Matter::FaultNotice) {
        return Ok(Vec::new());
    }
    let defaults = Defaults::registry(person, app.ambient().clone());
    let this = submission(opened, &Fields::of(service), app.ambient().now());
    // One that cannot be read is refused when it is registered, with the reason.
    let Ok(this) = send::incoming(&this, &defaults) else { return Ok(Vec::new()) };
    let category = opened.form.file.texts.get("category").cloned();
    let mut found = alike(app, this.submission, category).await?;
    found.truncate(SHOWN);
    Ok(found)
}

/// The form as a submission that a person brings in.
fn submission(opened: &Opened, fields: &Fields, now: Timestamp) -> Json {
    let filled = &opened.form.file;
    let text = |name: &str| filled.texts.get(name).map(String::as_str);
    let mut whole = send::submission(opened, &fields.all(), None);
    whole["channel"] = text(CHANNEL).into();
    whole["received_at"] = arrival(filled, now).ok().flatten().map(|at| at.to_string()).into();
    whole["party"]["name"] = text(NAME).into();
    whole["party"]["address"] = text(ADDRESS).into();
    if let Some(language) = text(LANGUAGE) {
        whole["party"]["language"] = language.into();
    }
    whole
}

/// `POST /console/register/{secret}/send`
///
/// # Errors
/// [`Error::NoSuch`], [`Error::Intake`], [`Error::Unavailable`]; the form is kept then.
pub async fn do_register(
    State(app): State<App>,
    reader: Reader,
    person: Can<Receive>,
    Path(secret): Path<String>,
) -> Result<Response> {
    let Some(opened) = open(&app, &person, &secret).await? else { return gone(&app, &secret).await };
    let (desk, service, _) = opened.desk(&app)?;
    let fields = Fields::of(service);
    let faults = faults(&app, &opened, &fields, reader.language);
    if !faults.is_empty() {
        return page(&app, &reader, &secret, &opened, false, &faults, &[]);
    }
    let defaults = Defaults::registry(&person, app.ambient().clone());
    let incoming = send::incoming(&submission(&opened, &fields, app.ambient().now()), &defaults)?;
    let receipt = register(app.storage(), &desk.rulebook, &desk.lexicon, incoming).await?;
    metrics::counter!(crate::telemetry::SUBMISSIONS).increment(1);
    send::link(&app, &person.municipality, receipt.case_id, &fill::case_key(&opened.secret)).await?;
    app.storage().delete_saved_form(&opened.form.link_hash).await?;
    Ok(go(&format!("/console/register/{secret}/done")).into_response())
}

/// What is read out or printed for whoever it is from.
#[derive(Debug, Serialize)]
struct Done {
    id: CaseId,
    number: String,
    channel: Channel,
    received_at: Timestamp,
    cards: Vec<Card>,
    /// In which language the receipt is.
    language: Language,
    receipt: String,
    /// Where they follow it.
    address: String,
}

/// `GET /console/register/{secret}/done`
///
/// # Errors
/// [`Error::NoSuch`].
pub async fn done(
    State(app): State<App>,
    reader: Reader,
    person: Can<Receive>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let (storage, case_key) = (app.storage(), fill::case_key(&key(&secret)));
    let link = storage.case_link(&tokens::hash(&case_key)).await?;
    let link = link.filter(|link| link.municipality == person.municipality).ok_or(Error::NoSuch("form"))?;
    let case = storage.case(&link.municipality, link.case_id).await?.ok_or(Error::NoSuch("case"))?;
    let submission = storage.submission(&link.municipality, case.submission_id).await?;
    let submission = submission.ok_or(Error::NoSuch("submission"))?;
    let pack = &app.review().desk(&person.municipality)?.rulebook.pack;
    let alerts = storage.alerts_of_case(&case.municipality, case.id).await?;
    let hits: Vec<EmergencyHit> = alerts.into_iter().flat_map(|alert| alert.hits).collect();
    let language = language_of(&submission).unwrap_or(reader.language);
    let receipt = receipt::write(pack, &case, language, &hits, false);
    let view = Done {
        id: case.id,
        number: case.number,
        channel: submission.channel,
        received_at: case.received_at,
        // The officer reads it out now.
        cards: receipt::cards(pack, None, case.received_at, reader.language, &hits),
        language,
        receipt: receipt.text,
        address: format!("{}/c/{case_key}", origin(&headers)),
    };
    render::page("console/register/done.html", &reader, &view)
}

/// The language that the party chose.
fn language_of(submission: &Submission) -> Option<Language> {
    submission.party.as_ref()?.language
}

/// Where this server is reached, as the browser knows it: a session's cookie lives over HTTPS or on this machine only.
fn origin(headers: &HeaderMap) -> String {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return String::new() };
    let here = ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    format!("{}://{host}", if here { "http" } else { "https" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(day: &str, time: &str) -> Result<Option<String>, (&'static str, &'static str)> {
        let now = "2026-03-10T08:15:00Z".parse().unwrap();
        let texts = [(DAY, day), (TIME, time)].map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        arrival(&Filled { texts, ..Filled::default() }, now).map(|at| at.map(|at| at.to_string()))
    }

    #[test]
    fn what_came_came_no_later_than_now_and_of_a_day_gone_by_the_hour_is_said() {
        assert_eq!(arrived("10.3.2026", ""), Ok(None));
        assert_eq!(arrived("2026-03-10", "10:15"), Ok(Some("2026-03-10T08:15:00Z".to_owned())));
        assert_eq!(arrived("9.3.2026", "15.30"), Ok(Some("2026-03-09T13:30:00Z".to_owned())));
        assert_eq!(arrived("9.3.2026", ""), Err((TIME, "missing")));
        assert_eq!(arrived("10.3.2026", "10.16"), Err((TIME, "later")));
        assert_eq!(arrived("11.3.2026", ""), Err((DAY, "later")));
        assert_eq!(arrived("30.2.2026", ""), Err((DAY, "date")));
        for odd in ["9", "25.00", "9.75", "kello yhdeksän", "-1.00", "9.30.00"] {
            assert_eq!(arrived("9.3.2026", odd), Err((TIME, "time")), "{odd}");
        }
        // The hour that the clock skips in spring is read as the next; that it exists is not asked.
        assert!(arrived("30.3.2025", "3.30").is_ok());
    }

    #[test]
    fn the_address_is_the_browsers() {
        let at = |host: &str| origin(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]));
        assert_eq!(at("asiointi.harjuvesi.example"), "https://asiointi.harjuvesi.example");
        assert_eq!(at("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(at("localhost.evil.example"), "https://localhost.evil.example");
    }
}
