//! A form that is kept while it is filled in: begun, saved, gone on with later.
//!
//! Its address is its key: whoever has it may go on. What was typed is kept as it was typed, also what is wrong; a form
//! that was sent leads to its case.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::danger::Said;
use super::fields::{self, Fault, Input};
use super::posted::{Place, Posted};
use super::upload::{Sent, SentFile};
use super::window::{self, Window};
use super::{Frame, danger, desk};
use crate::app::App;
use crate::cases::{Language, Matter, MunicipalityId, ServiceId};
use crate::http::error::{Error, Result};
use crate::http::pages::limits::Address;
use crate::http::pages::reader::Reader;
use crate::http::pages::{go, render};
use crate::intake::receipt::Card;
use crate::intake::{MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, MAX_SUBMISSION_BYTES};
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::policy::Rulebook;
use crate::storage::{Filled, SavedFile, SavedForm, tokens};
use crate::triage::Desk;

/// How long a form waits for whoever began it.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// All files together: they travel as base64 within a submission, beside the texts.
const MAX_FILES_BYTES: usize = MAX_SUBMISSION_BYTES / 4 * 3 - 2 * 1024 * 1024;

/// A form that is being filled in, with its key.
#[derive(Debug)]
pub struct Opened {
    /// The key in its address.
    pub secret: String,
    /// What is kept.
    pub form: SavedForm,
    /// Its files.
    pub files: Vec<SavedFile>,
    /// It was no longer kept when what was typed arrived: it has a new address.
    pub anew: bool,
}

impl Opened {
    /// The form of this key, if it is kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn find(app: &App, secret: &str) -> Result<Option<Self>> {
        let hash = tokens::hash(secret);
        let Some(form) = app.storage().saved_form(&hash).await? else { return Ok(None) };
        let files = app.storage().saved_files(&hash).await?;
        Ok(Some(Self { secret: secret.to_owned(), form, files, anew: false }))
    }

    /// The service, the fields and whose it is.
    ///
    /// # Errors
    /// [`Error::NoSuch`] when the municipality is no longer served here.
    pub fn desk<'a>(&self, app: &'a App) -> Result<(&'a Desk, Option<&'a ServiceFile>, Vec<Field>)> {
        let desk = desk(app, &self.form.municipality)?;
        let service = self.form.service.as_ref().and_then(|id| desk.rulebook.pack.service(id));
        Ok((desk, service, fields::of(service)))
    }
}

impl Place for Opened {
    async fn find(app: &App, key: String, _: Address, sent: &Sent) -> Result<Self, Response> {
        match Self::find(app, &key).await {
            Ok(Some(opened)) => Ok(opened),
            Ok(None) => match gone(app, &key).await {
                Err(Error::NoSuch(what)) => anew(app, sent).ok_or(Error::NoSuch(what).into_response()),
                elsewhere => Err(elsewhere.into_response()),
            },
            Err(error) => Err(error.into_response()),
        }
    }

    fn municipality(&self) -> &MunicipalityId {
        &self.form.municipality
    }

    fn path(&self) -> String {
        format!("/forms/{}", self.secret)
    }

    /// What is kept, too: the press that sends it carries none of its words.
    fn said(&self, sent: &Sent) -> Said {
        let sent_texts = sent.form.0.iter().map(|(_, text)| text.as_str());
        Said::of(self.form.file.texts.values().map(String::as_str).chain(sent_texts), sent.whole)
    }
}

impl Opened {
    /// The words that are kept.
    #[must_use]
    pub fn kept(&self) -> Said {
        Said::of(self.form.file.texts.values().map(String::as_str), true)
    }
}

/// A municipality where somebody begins a form.
#[derive(Debug)]
pub struct Town {
    municipality: MunicipalityId,
    from: Address,
}

impl Place for Town {
    async fn find(app: &App, key: String, from: Address, _: &Sent) -> Result<Self, Response> {
        let municipality: MunicipalityId = key.parse().map_err(|_| Error::NoSuch("municipality").into_response())?;
        desk(app, &municipality).map_err(Error::into_response)?;
        Ok(Self { municipality, from })
    }

    fn municipality(&self) -> &MunicipalityId {
        &self.municipality
    }

    fn path(&self) -> String {
        format!("/m/{}", self.municipality)
    }

    /// Anybody may begin here: a sender is told by the address.
    fn sender(&self) -> String {
        format!("{} {}", self.path(), self.from.0)
    }
}

/// The key of the case that a form becomes: whoever has the form has its case, and sending twice leads to one.
#[must_use]
pub fn case_key(secret: &str) -> String {
    tokens::hash(&format!("case of {secret}"))
}

/// Where a form has gone that is no longer kept: to its case, if it was sent.
///
/// # Errors
/// [`Error::NoSuch`].
pub async fn gone(app: &App, secret: &str) -> Result<Response> {
    let key = case_key(secret);
    match app.storage().case_link(&tokens::hash(&key)).await? {
        Some(_) => Ok(go(&format!("/c/{key}")).into_response()),
        None => Err(Error::NoSuch("form")),
    }
}

/// Begins a form with what is known; gives its address.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn create(
    app: &App,
    municipality: MunicipalityId,
    service: Option<ServiceId>,
    file: Filled,
) -> Result<String> {
    Ok(keep(app, new_key(app), municipality, service, file).await?.path())
}

/// A key that nobody can guess.
#[must_use]
pub fn new_key(app: &App) -> String {
    let (token, _) = tokens::generate(app.ambient());
    token.trim_start_matches("vir_").to_owned()
}

/// Keeps a new form under its key.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn keep(
    app: &App,
    key: String,
    municipality: MunicipalityId,
    service: Option<ServiceId>,
    file: Filled,
) -> Result<Opened> {
    let opened = new(app, key, municipality, service, file)?;
    app.storage().save_form(&opened.form).await?;
    Ok(opened)
}

/// A form under its key, not stored yet.
fn new(
    app: &App,
    secret: String,
    municipality: MunicipalityId,
    service: Option<ServiceId>,
    file: Filled,
) -> Result<Opened> {
    let rulebook = &desk(app, &municipality)?.rulebook;
    let expires_at = until(app, rulebook, service.as_ref().and_then(|id| rulebook.pack.service(id)))?;
    let form = SavedForm { link_hash: tokens::hash(&secret), municipality, service, file, expires_at };
    Ok(Opened { secret, form, files: Vec::new(), anew: false })
}

/// A form in place of one that is no longer kept: its page says whose it was, so that nothing typed is lost.
fn anew(app: &App, sent: &Sent) -> Option<Opened> {
    let municipality: MunicipalityId = sent.form.text("of-municipality")?.parse().ok()?;
    let pack = &desk(app, &municipality).ok()?.rulebook.pack;
    let service = sent.form.text("of-service").and_then(|id| id.parse().ok());
    let service = service.filter(|id| pack.service(id).is_some_and(|file| !file.office));
    Some(Opened { anew: true, ..new(app, new_key(app), municipality, service, Filled::default()).ok()? })
}

/// Until when a form is kept from now on; one that could wait for the next application window, until then.
pub(in crate::http::pages) fn until(
    app: &App,
    rulebook: &Rulebook,
    service: Option<&ServiceFile>,
) -> Result<jiff::Timestamp> {
    let now = app.ambient().now();
    let least = now.checked_add(KEPT).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(window::kept_until(rulebook, service, now).map_or(least, |until| until.max(least)))
}

/// `POST /m/{municipality}/forms`: with the words of the search, so that nobody types them twice.
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`].
pub async fn begin(posted: Posted<Town>) -> Result<Response> {
    let Posted { app, place: Town { municipality, .. }, sent, .. } = posted;
    let desk = desk(&app, &municipality)?;
    let service = match sent.form.text("service") {
        None => None,
        Some(id) => {
            let id: ServiceId = id.parse().map_err(|_| Error::NoSuch("service"))?;
            Some(desk.rulebook.pack.service(&id).filter(|file| !file.office).ok_or(Error::NoSuch("service"))?)
        }
    };
    let mut filled = Filled::default();
    let words = fields::of(service).into_iter().find(|field| field.free_text);
    if let Some((words, field)) = sent.form.text("q").zip(words) {
        filled.texts.insert(field.name, words.to_owned());
    }
    let category = service.and_then(|file| file.fields.iter().find(|field| field.name == "category"));
    if let Some((code, field)) = sent.form.text("category").zip(category)
        && field.choices.contains_key(code)
    {
        filled.texts.insert(field.name.clone(), code.to_owned());
    }
    let path = create(&app, municipality.clone(), service.map(|file| file.id.clone()), filled).await?;
    Ok(go(&path).into_response())
}

/// What was done just now.
#[derive(Debug, Deserialize)]
pub struct Just {
    saved: Option<String>,
    anew: Option<String>,
}

/// `GET /forms/{secret}`
///
/// # Errors
/// [`Error::NoSuch`]: no form has that key.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(secret): Path<String>,
    Query(just): Query<Just>,
) -> Result<Response> {
    match Opened::find(&app, &secret).await? {
        Some(opened) => {
            let just = just.anew.map(|_| "fill.anew").or_else(|| just.saved.map(|_| "fill.saved"));
            page(&app, &reader, &opened, just, &[], &[])
        }
        None => gone(&app, &secret).await,
    }
}

/// `POST /forms/{secret}`: keeps what was typed, whatever it is; then goes on to the check, if nothing is wrong.
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`], [`Error::Unavailable`].
pub async fn save(posted: Posted<Opened>) -> Result<Response> {
    let Posted { app, reader, place: mut opened, sent } = posted;
    let path = opened.path();
    let (desk, service, fields) = opened.desk(&app)?;
    take(&mut opened.form.file, &fields, &sent);
    opened.form.expires_at = until(&app, &desk.rulebook, service)?;
    app.storage().save_form(&opened.form).await?;
    if let Some(id) = sent.form.text("remove") {
        app.storage().remove_saved_file(&opened.form.link_hash, id).await?;
        return Ok(go(&format!("{path}?saved=1#files")).into_response());
    }
    let wrong = keep_files(&app, &mut opened, service, sent.files, sent.whole).await?;
    let checks = sent.form.text("act") == Some("check");
    let faults = if checks { fields::faults(&fields, &opened.form.file, reader.language) } else { Vec::new() };
    if !wrong.is_empty() || !faults.is_empty() {
        rescue(&app, &mut opened).await?;
        return page(&app, &reader, &opened, opened.anew.then_some("fill.anew"), &faults, &wrong);
    }
    if opened.anew {
        return Ok(go(&format!("{path}?anew=1")).into_response());
    }
    Ok(go(&if checks { format!("{path}/check") } else { format!("{path}?saved=1") }).into_response())
}

/// Takes over what was typed. A body that was cut changes only what came.
pub(in crate::http::pages) fn take(filled: &mut Filled, fields: &[Field], sent: &Sent) {
    for field in fields.iter().filter(|field| sent.whole || sent.form.has(&field.name)) {
        let typed = sent.form.text(&field.name).unwrap_or_default();
        if filled.texts.get(&field.name).map(String::as_str) != Some(typed) {
            filled.from.remove(&field.name);
        }
        if typed.is_empty() {
            filled.texts.remove(&field.name);
        } else {
            filled.texts.insert(field.name.clone(), typed.to_owned());
        }
    }
}

/// Whoever must put something right first may never come back: words of danger go to a person now, once a form.
pub(super) async fn rescue(app: &App, opened: &mut Opened) -> Result<()> {
    if opened.form.file.rescued.is_some() {
        return Ok(());
    }
    if let Some(rescued) = danger::rescue(app, opened, &opened.kept()).await {
        opened.form.file.rescued = Some(rescued.number).filter(|number| !number.is_empty());
        app.storage().save_form(&opened.form).await?;
    }
    Ok(())
}

/// Whether a field tells who sends a notice.
const fn tells_who(kind: FieldType) -> bool {
    matches!(kind, FieldType::Email | FieldType::Phone | FieldType::IdentityCode)
}

/// A file that was not taken, and why.
#[derive(Debug, Serialize)]
pub struct Wrong {
    /// Its name; empty when the body was cut before it was known.
    pub name: String,
    /// Its size, bytes.
    pub size: usize,
    /// `fault.<word>`.
    pub word: &'static str,
}

/// Why a file is not taken beside `count` others with so many bytes together.
#[must_use]
pub fn wrong(file: &SentFile, count: usize, total: usize) -> Option<Wrong> {
    let word = match file.bytes.len() {
        0 => "file_empty",
        size if size > MAX_ATTACHMENT_BYTES => "file_large",
        _ if count >= MAX_ATTACHMENTS => "files_many",
        size if total + size > MAX_FILES_BYTES => "files_large",
        _ => return None,
    };
    Some(Wrong { name: file.name.clone(), size: file.bytes.len(), word })
}

/// Keeps the files that can be taken; gives those that cannot.
pub(in crate::http::pages) async fn keep_files(
    app: &App,
    opened: &mut Opened,
    service: Option<&ServiceFile>,
    files: Vec<SentFile>,
    whole: bool,
) -> Result<Vec<Wrong>> {
    let rules = service.map(|file| file.attachments.as_slice()).unwrap_or_default();
    let mut refused = Vec::new();
    for file in files {
        let total = opened.files.iter().map(|file| file.bytes.len()).sum();
        if let Some(wrong) = wrong(&file, opened.files.len(), total) {
            refused.push(wrong);
            continue;
        }
        let name = fields::file_name(rules, &file.input, &file.name);
        let kept = SavedFile { id: app.ambient().id().to_string(), name, bytes: file.bytes.to_vec() };
        app.storage().add_saved_file(&opened.form.link_hash, &kept).await?;
        opened.files.push(kept);
    }
    if !whole {
        refused.push(Wrong { name: String::new(), size: app.config().server.max_body_bytes, word: "body_large" });
    }
    Ok(refused)
}

/// A file of the form.
#[derive(Debug, Serialize)]
pub struct FileLine {
    id: String,
    name: String,
    size: usize,
}

/// An attachment that the service asks for.
#[derive(Debug, Serialize)]
pub struct Slot {
    /// Name of its input.
    pub name: String,
    /// Its label.
    pub label: String,
    /// Whether it must be there in the end.
    pub required: bool,
    /// Whether a file is there.
    pub there: bool,
}

/// What the service asks for, and whether it is there.
#[must_use]
pub fn slots(service: Option<&ServiceFile>, files: &[SavedFile], language: Language) -> Vec<Slot> {
    let rules = service.map(|file| file.attachments.as_slice()).unwrap_or_default();
    let slot = |rule: &crate::municipality::format::AttachmentRule| Slot {
        name: format!("file-{}", rule.name),
        label: rule.label.get(language).to_owned(),
        required: rule.required,
        there: files.iter().any(|file| fields::answers(rule, &file.name)),
    };
    rules.iter().map(slot).collect()
}

/// The files as they are shown.
#[must_use]
pub fn lines(files: &[SavedFile]) -> Vec<FileLine> {
    let line = |file: &SavedFile| FileLine { id: file.id.clone(), name: file.name.clone(), size: file.bytes.len() };
    files.iter().map(line).collect()
}

#[derive(Debug, Serialize)]
struct View<'a> {
    frame: Frame,
    title: Option<String>,
    notice: bool,
    /// Nothing on the form makes its sender tell who they are.
    anonymous: bool,
    window: Option<Window>,
    municipality: &'a MunicipalityId,
    service: Option<&'a ServiceId>,
    path: String,
    inputs: Vec<Input>,
    slots: Vec<Slot>,
    files: Vec<FileLine>,
    cards: Vec<Card>,
    rescued: Option<&'a str>,
    faults: &'a [Fault],
    wrong: &'a [Wrong],
    /// What was done just now: a key of words.
    just: Option<&'static str>,
    until: jiff::Timestamp,
    most_files: usize,
    most_bytes: usize,
}

/// The form as it is kept, with what is wrong.
///
/// # Errors
/// A fault of ours.
pub fn page(
    app: &App,
    reader: &Reader,
    opened: &Opened,
    just: Option<&'static str>,
    faults: &[Fault],
    wrong: &[Wrong],
) -> Result<Response> {
    let (desk, service, fields) = opened.desk(app)?;
    let (file, language) = (&opened.form.file, reader.language);
    // Consent to publication is asked last, where all is seen that it is about.
    let consent = service.and_then(|service| service.publication_consent.as_ref());
    let asked = fields.iter().filter(|field| consent != Some(&field.name));
    let view = View {
        frame: Frame::of(&desk.rulebook.pack, service, language),
        title: service.map(|service| service.name.get(language).to_owned()),
        notice: service.is_some_and(|service| service.matter == Matter::FaultNotice),
        anonymous: service.is_some_and(|service| service.matter == Matter::FaultNotice)
            && !fields.iter().any(|field| field.required && tells_who(field.kind)),
        window: Window::of(&desk.rulebook, service, app.ambient().now()),
        path: opened.path(),
        inputs: asked.map(|field| Input::of(field, file, faults, language)).collect(),
        slots: slots(service, &opened.files, language),
        files: lines(&opened.files),
        cards: danger::cards(desk, file.texts.values().map(String::as_str), app.ambient().now(), language),
        rescued: file.rescued.as_deref(),
        faults,
        wrong,
        just,
        municipality: &opened.form.municipality,
        service: opened.form.service.as_ref(),
        until: opened.form.expires_at,
        most_files: MAX_ATTACHMENTS,
        most_bytes: MAX_ATTACHMENT_BYTES.min(app.config().server.max_body_bytes),
    };
    let mut response = render::page("resident/form.html", reader, &view)?;
    if !faults.is_empty() || !wrong.is_empty() {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}
