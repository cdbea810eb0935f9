//! The case by its link: where it stands, what is asked, what was approved; withdraw, and apply again.
//!
//! Shown is what the party may know: steps, dates, who decides, approved letters. Never a draft that nobody approved,
//! nor what handlers and the machine noted.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fields::Fault;
use super::fill::{self, Wrong};
use super::messages::{self, MessageLine};
use super::posted::{Place, Posted};
use super::related::Related;
use super::upload::Sent;
use super::window::Window;
use super::{Frame, answer, consent, danger, desk, fields, registers};
use crate::app::App;
use crate::cases::{Case, EmergencyHit, Engine, MunicipalityId, Part, Person, Role, Status, Submission};
use crate::http::error::{Error, Result};
use crate::http::pages::limits::Address;
use crate::http::pages::reader::Reader;
use crate::http::pages::signature::Signature;
use crate::http::pages::{go, render};
use crate::intake::receipt::{self, Card};
use crate::municipality::Pack;
use crate::municipality::format::{Again, FieldType, ServiceFile};
use crate::storage::{CaseLink, Filled, Origin, tokens};
use crate::triage::Desk;

/// A case that somebody has the link to.
#[derive(Debug)]
pub struct Followed {
    /// The key in its address.
    pub key: String,
    /// The link.
    pub link: CaseLink,
    /// The case.
    pub case: Case,
}

impl Followed {
    /// The case of this key.
    ///
    /// # Errors
    /// [`Error::NoSuch`]: no link has that key.
    pub async fn find(app: &App, key: String) -> Result<Self> {
        let storage = app.storage();
        let link = storage.case_link(&tokens::hash(&key)).await?.ok_or(Error::NoSuch("case"))?;
        let case = storage.case(&link.municipality, link.case_id).await?.ok_or(Error::NoSuch("case"))?;
        Ok(Self { key, link, case })
    }

    /// Who acts with the link, for the audit chain: nobody by name.
    #[must_use]
    pub fn person(&self) -> Person {
        Person {
            token: self.link.id,
            municipality: self.link.municipality.clone(),
            role: Role::ResidentChannel,
            name: "asioija".to_owned(),
            post: None,
            deputy: None,
        }
    }

    /// What was sent, the first and what came later.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sent(&self, app: &App) -> Result<Vec<Submission>> {
        let mut all = Vec::new();
        for id in std::iter::once(&self.case.submission_id).chain(&self.case.file.supplements) {
            all.extend(app.storage().submission(&self.link.municipality, *id).await?);
        }
        Ok(all)
    }

    /// The service of the case, as triage found it or as its sender chose it.
    #[must_use]
    pub fn service<'a>(&self, desk: &'a Desk, first: Option<&Submission>) -> Option<&'a ServiceFile> {
        let found = self.case.file.classification.as_ref().and_then(|class| class.service.as_ref());
        let id = found.or_else(|| first.and_then(|submission| submission.service.as_ref()))?;
        desk.rulebook.pack.service(id)
    }
}

impl Place for Followed {
    async fn find(app: &App, key: String, _: Address, _: &Sent) -> Result<Self, Response> {
        Self::find(app, key).await.map_err(Error::into_response)
    }

    fn municipality(&self) -> &MunicipalityId {
        &self.link.municipality
    }

    fn path(&self) -> String {
        format!("/c/{}", self.key)
    }
}

/// A step of the way.
#[derive(Debug, Serialize)]
struct Step {
    /// `way.<word>`.
    word: &'static str,
    /// `done`, `now` or `next`.
    state: &'static str,
}

/// A letter that a person approved.
#[derive(Debug, Serialize)]
struct Letter {
    kind: crate::cases::DraftKind,
    language: crate::cases::Language,
    at: Timestamp,
    parts: Vec<Part>,
    signature: Signature,
}

#[derive(Debug, Serialize)]
struct View<'a> {
    frame: Frame,
    key: &'a str,
    number: &'a str,
    title: Option<String>,
    received_at: Timestamp,
    status: Status,
    open: bool,
    steps: Vec<Step>,
    due: Option<Timestamp>,
    answer_until: Option<jiff::civil::Date>,
    decider: Option<String>,
    cards: Vec<Card>,
    /// The case under which words of danger in what was refused reached a person; empty where there were none.
    rescued: String,
    questions: Vec<answer::Asked>,
    letters: Vec<Letter>,
    related: Related,
    /// What the buttons say that apply again: the same applicant, another one.
    again: Option<(String, String)>,
    window: Option<Window>,
    /// Which engine prepared the proposal.
    engine: Option<&'a Engine>,
    messages: Vec<MessageLine>,
    written: &'a str,
    consent: consent::View,
    /// What was done just now: `just.<word>`.
    just: Option<&'static str>,
    faults: &'a [Fault],
    wrong: &'a [Wrong],
    /// Why an act was refused: a key of words.
    refused: Option<&'static str>,
    message: &'a str,
}

/// What was done just now.
#[derive(Debug, Default, Deserialize)]
pub struct Just {
    sent: Option<String>,
    answered: Option<String>,
    withdrawn: Option<String>,
    written: Option<String>,
    consented: Option<String>,
    unconsented: Option<String>,
}

/// What is wrong with what was sent on the page of a case, and what was typed.
#[derive(Debug, Default)]
pub struct Refused {
    /// At fields.
    pub faults: Vec<Fault>,
    /// Files.
    pub wrong: Vec<Wrong>,
    /// On the whole.
    pub word: Option<&'static str>,
    /// What was typed.
    pub typed: Filled,
    /// What became of words of danger in it.
    pub rescued: Option<danger::Rescued>,
}

/// `GET /c/{secret}`
///
/// # Errors
/// [`Error::NoSuch`]: no link has that key.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(key): Path<String>,
    Query(just): Query<Just>,
) -> Result<Response> {
    let just = [
        (just.sent, "sent"),
        (just.answered, "answered"),
        (just.withdrawn, "withdrawn"),
        (just.written, "written"),
        (just.consented, "consented"),
        (just.unconsented, "unconsented"),
    ];
    let just = just.into_iter().find_map(|(given, word)| given.map(|_| word));
    page(&app, &reader, &Followed::find(&app, key).await?, just, None).await
}

/// The page as the case stands, with what is wrong with what was sent.
///
/// # Errors
/// A fault of ours.
pub async fn page(
    app: &App,
    reader: &Reader,
    followed: &Followed,
    just: Option<&'static str>,
    refused: Option<Refused>,
) -> Result<Response> {
    let (case, language) = (&followed.case, reader.language);
    let desk = desk(app, &followed.link.municipality)?;
    let pack = &desk.rulebook.pack;
    let sent = followed.sent(app).await?;
    let service = followed.service(desk, sent.first());
    let alerts = app.storage().alerts_of_case(&case.municipality, case.id).await?;
    let hits: Vec<EmergencyHit> = alerts.into_iter().flat_map(|alert| alert.hits).collect();
    let decider = case.file.route.as_ref().and_then(|route| route.decider.as_ref());
    let title = |id| pack.municipality.deciders.get(id).map(|file| file.title.get(language).to_owned());
    let is_refused = refused.is_some();
    let mut refused = refused.unwrap_or_default();
    let rescued = refused.rescued.take();
    let mut cards = receipt::cards(pack, Some(&case.number), case.received_at, language, &hits);
    let (found, number) = rescued.map_or_else(Default::default, |rescued| (rescued.cards, rescued.number));
    cards.extend(found.into_iter().filter(|card| !hits.iter().any(|hit| hit.card == card.card)));
    let says = |again: &Again| (again.same.get(language).to_owned(), again.another.get(language).to_owned());
    let waits = case.status == Status::AwaitingCompletion;
    let heard = case.file.hearings.last().filter(|hearing| hearing.answered.is_none());
    let heard_until = heard.map(|hearing| hearing.until);
    let view = View {
        frame: Frame::of(pack, service, language),
        key: &followed.key,
        number: &case.number,
        title: service.map(|service| service.name.get(language).to_owned()),
        received_at: case.received_at,
        status: case.status,
        open: !case.status.is_final(),
        steps: steps(case.status),
        due: case.file.due.as_ref().filter(|_| !case.status.is_final() && !waits).map(|due| due.at),
        answer_until: heard_until.or(case.file.completion_until).filter(|_| waits),
        decider: decider.and_then(title),
        cards,
        rescued: number,
        questions: if waits { answer::asked(case, service, &refused, language) } else { Vec::new() },
        letters: letters(app, case, pack, reader).await?,
        related: Related::of(app, case).await?,
        again: service.and_then(|service| service.again.as_ref()).map(says),
        window: Window::of(&desk.rulebook, service, case.received_at),
        engine: case.file.engine.as_ref(),
        messages: messages::lines(app, followed).await?,
        written: refused.typed.texts.get(messages::INPUT).map_or("", String::as_str),
        consent: consent::view(app, followed, service, language).await?,
        just,
        faults: &refused.faults,
        wrong: &refused.wrong,
        refused: refused.word,
        message: refused.typed.texts.get(fields::MESSAGE).map_or("", String::as_str),
    };
    let mut response = render::page("resident/case.html", reader, &view)?;
    if is_refused {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(response)
}

/// The way of a case, in an order that anybody understands.
fn steps(status: Status) -> Vec<Step> {
    let step = |word, state| Step { word, state };
    let (handled, asked, end) = match status {
        Status::Received | Status::InReview | Status::NeedsPerson => {
            (step("handled", "now"), None, step("end", "next"))
        }
        Status::AwaitingCompletion => (step("handled", "done"), Some(step("asked", "now")), step("end", "next")),
        Status::Decided => (step("handled", "done"), None, step("decided", "done")),
        Status::Transferred => (step("handled", "done"), None, step("transferred", "done")),
        Status::Acknowledged => (step("handled", "done"), None, step("acknowledged", "done")),
        Status::Withdrawn => return vec![step("received", "done"), step("withdrawn", "done")],
        Status::Merged => return vec![step("received", "done"), step("merged", "done")],
    };
    [Some(step("received", "done")), Some(handled), asked, Some(end)].into_iter().flatten().collect()
}

/// The letters that a person approved, the newest first.
async fn letters(app: &App, case: &Case, pack: &Pack, reader: &Reader) -> Result<Vec<Letter>> {
    let mut letters = Vec::new();
    for decision in app.storage().decisions(&case.municipality, case.id).await? {
        if let Some(draft) = app.storage().draft(&case.municipality, decision.draft_id).await? {
            let content = draft.content;
            let (kind, language, parts) = (content.kind, content.language, content.parts);
            let signature = Signature::of(&decision, pack, reader);
            letters.push(Letter { kind, language, at: decision.decided_at, parts, signature });
        }
    }
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.at));
    Ok(letters)
}

/// `POST /c/{secret}/withdraw`: only with the tick that confirms it.
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`], [`Error::Unavailable`]; a refusal is a page.
pub async fn withdraw(posted: Posted<Followed>) -> Result<Response> {
    let Posted { app, reader, place: followed, sent } = posted;
    let refuse = |word| Some(Refused { word: Some(word), ..Refused::default() });
    if !sent.form.has("sure") {
        return page(&app, &reader, &followed, None, refuse("follow.not_sure")).await;
    }
    match app.review().withdraw(&followed.person(), followed.case.id).await.map_err(Error::from) {
        Ok(_) => Ok(go(&format!("{}?withdrawn=1", followed.path())).into_response()),
        Err(Error::Refused(_)) => page(&app, &reader, &followed, None, refuse("follow.not_possible")).await,
        Err(error) => Err(error),
    }
}

/// `POST /c/{secret}/again`: a new form with what this case told, or, for another applicant, with what tells of the
/// sender. Nothing is taken over unseen: the form says beside each value where it came from.
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`], [`Error::Unavailable`].
pub async fn again(posted: Posted<Followed>) -> Result<Response> {
    let Posted { app, place: followed, sent, .. } = posted;
    let desk = desk(&app, followed.municipality())?;
    let submissions = followed.sent(&app).await?;
    let service = followed.service(desk, submissions.first()).ok_or(Error::NoSuch("service"))?;
    let again = service.again.as_ref().ok_or(Error::NoSuch("service"))?;
    let another = sent.form.has("another");
    let mut filled = Filled::default();
    for field in &service.fields {
        // A day is of one year, what is written freely is of one case, and consent is given anew each time.
        let once = matches!(field.kind, FieldType::Date | FieldType::Moment) || field.free_text;
        let taken = if another { again.sender.contains(&field.name) } else { !once };
        if !taken || service.publication_consent.as_ref() == Some(&field.name) {
            continue;
        }
        if let Some(value) = registers::last_said(&submissions, &field.name) {
            filled.texts.insert(field.name.clone(), value);
            filled.from.insert(field.name.clone(), Origin::Case(followed.case.number.clone()));
        }
    }
    if !another {
        registers::fill_in(&app, desk, service, &followed, &mut filled).await?;
    }
    let path = fill::create(&app, followed.link.municipality, Some(service.id.clone()), filled).await?;
    Ok(go(&path).into_response())
}
