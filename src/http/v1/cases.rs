//! Reading cases: the queue, the case page, and the views behind it. Reading writes nothing, except that
//! whoever takes out the bytes as they came is on the record, and so is an approver's first look at a draft.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::List;
use crate::app::App;
use crate::cases::{
    About, AlertId, Assessment, Attachment, Case, CaseId, Channel, Claim, Classification, DeciderId, Decision,
    DepartmentId, Disqualification, Draft, Due, EmergencyHit, Engine, Event, FactCorrection, Facts, Fallback, Flag,
    Hearing, HearingOrder, Judgement, Language, Location, Matter, Merger, ModelProposal, Outcome, Owner, Party,
    PassageRef, Person, Question, ReadFile, Reclassification, Registration, Returned, Route, Ruling, ServiceId,
    SourceText, SplitMatter, Status, Submission, SubmissionId, Urgency,
};
use crate::http::body::{Id, Parameters};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases};
use crate::http::openapi::Problems;
use crate::intake::duplicates::{self, Likeness, Notice};
use crate::review::Review;
use crate::storage::{Acknowledgement, Alert, CaseRow, NoticeRow, QueueFilter};

/// The case, if it is one of the person's municipality.
pub(super) async fn scoped(app: &App, person: &Person, id: CaseId) -> Result<Case> {
    app.storage().case(&person.municipality, id).await?.ok_or(Error::NoSuch("case"))
}

/// The same for what the machine proposes: hidden where the person must judge the case first.
pub(super) async fn with_proposal(app: &App, person: &Person, id: CaseId) -> Result<Case> {
    let case = scoped(app, person, id).await?;
    app.review().require_judged(person, &case)?;
    Ok(case)
}

/// Which cases, and which page of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Statuses, comma-separated; left out: all.
    #[serde(default)]
    #[param(example = "in-review,needs-person")]
    status: Option<String>,
    /// Service.
    #[param(value_type = Option<String>)]
    service: Option<ServiceId>,
    /// Kind of matter.
    matter: Option<Matter>,
    /// Fault category, for example `LI1`.
    category: Option<String>,
    /// Language of the party.
    language: Option<Language>,
    /// Urgency.
    urgency: Option<Urgency>,
    /// Whose matter.
    owner: Option<Owner>,
    /// Department that prepares it.
    #[param(value_type = Option<String>)]
    department: Option<DepartmentId>,
    /// Post or body that decides it.
    #[param(value_type = Option<String>)]
    decider: Option<DeciderId>,
    /// `me`, `nobody`; left out: whoever.
    claimed: Option<ClaimedBy>,
    /// Only cases with words of danger.
    #[serde(default)]
    emergency: bool,
    /// Due before this moment, RFC 3339.
    #[param(value_type = Option<String>)]
    due_before: Option<Timestamp>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows on the page.
    limit: Option<u32>,
}

/// Whose claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ClaimedBy {
    Me,
    Nobody,
}

impl Which {
    fn filter(&self, person: &Person) -> Result<QueueFilter> {
        let words = self.status.iter().flat_map(|words| words.split(','));
        let statuses = words.map(|word| {
            Status::parse(word).ok_or_else(|| {
                let known: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
                Error::parameter("status", "this is no status", format!("send {}", known.join(", ")))
            })
        });
        Ok(QueueFilter {
            statuses: statuses.collect::<Result<_>>()?,
            service: self.service.clone(),
            matter: self.matter,
            category: self.category.clone(),
            language: self.language,
            urgency: self.urgency,
            owner: self.owner,
            department: self.department.clone(),
            decider: self.decider.clone(),
            claimed_by: (self.claimed == Some(ClaimedBy::Me)).then_some(person.token),
            unclaimed: self.claimed == Some(ClaimedBy::Nobody),
            emergency_only: self.emergency,
            due_before: self.due_before,
        })
    }
}

/// A page of the queue.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Queue {
    /// Words of danger stand first, then what is due first.
    items: Vec<CaseRow>,
    /// `cursor` of the next page; null on the last one.
    next: Option<String>,
}

/// A case after an act.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CaseSummary {
    /// Its id.
    id: CaseId,
    /// The number people use.
    number: String,
    /// Where it stands.
    status: Status,
    /// Grows by one with each change.
    revision: i64,
    /// Who has claimed it.
    claim: Option<Claim>,
    /// When a person must have acted.
    due: Option<Due>,
}

impl From<Case> for CaseSummary {
    fn from(case: Case) -> Self {
        Self {
            id: case.id,
            number: case.number,
            status: case.status,
            revision: case.revision,
            claim: case.claim,
            due: case.file.due,
        }
    }
}

/// What came in, in short.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubmissionSummary {
    id: SubmissionId,
    channel: Channel,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceId>,
    subject: Option<String>,
    party: Option<Party>,
    location: Option<Location>,
    attachments: Vec<Attachment>,
    /// What the party sent afterwards.
    supplements: Vec<SubmissionId>,
    #[schema(value_type = Option<String>, format = "date-time")]
    sent_at: Option<Timestamp>,
    #[schema(value_type = String, format = "date-time")]
    received_at: Timestamp,
}

/// What the rules say, in short; `trace` has all of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AssessmentSummary {
    outcome: Outcome,
    amount: Option<crate::cases::Euro>,
    /// The policy, `id@version`.
    policy: String,
    /// What is still to be asked.
    questions: Vec<Question>,
}

/// The case on one page: what came in, what the machine proposes, what binds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CasePage {
    /// Its number, status, claim and clock.
    #[serde(flatten)]
    case: CaseSummary,
    /// What came in.
    submission: SubmissionSummary,
    /// In which the party is answered.
    language: Option<Language>,
    /// What the machine takes it for.
    classification: Option<Classification>,
    /// What a person says it is.
    reclassified: Option<Reclassification>,
    /// Whose it is and who may decide it.
    route: Option<Route>,
    /// Urgency of a notice.
    urgency: Option<Urgency>,
    /// What a person should notice.
    flags: Vec<Flag>,
    /// Typed values with their evidence.
    facts: Facts,
    /// What people said of facts, with what the machine reads.
    corrections: Vec<FactCorrection>,
    /// What people put right of how it came and from whom, oldest first; `submission` is what came.
    registrations: Vec<Registration>,
    /// The case with which this one is handled together.
    merged_into: Option<Merger>,
    /// Cases that were merged into this one.
    merged: Vec<Merger>,
    /// The case that this one was split off, and its words.
    split_from: Option<SplitMatter>,
    /// Matters that were split off this case.
    split_off: Vec<SplitMatter>,
    /// What the form leaves open.
    questions: Vec<Question>,
    /// What a person asks.
    asked: Vec<Question>,
    /// The decision that it is about, where it is a claim for revision.
    about: Option<About>,
    /// What a person wants the party to be heard on, until the letter is approved.
    hear: Option<HearingOrder>,
    /// How the party was heard.
    hearings: Vec<Hearing>,
    /// What the rules say.
    assessment: Option<AssessmentSummary>,
    /// The current draft with its checks.
    draft: Option<Draft>,
    /// A few lines for the handler, from a language model; null offline.
    summary: Option<String>,
    /// What a language model proposed, and what became of it. Nothing here binds.
    proposals: Vec<ModelProposal>,
    /// What the offline engine did alone although a language model was asked, and why.
    fallbacks: Vec<Fallback>,
    /// Passages of policies and statutes that may bear on the case, best first.
    passages: Vec<PassageRef>,
    /// That an approver gave the draft back, and why.
    returned: Option<Returned>,
    /// Who said that they are disqualified, and why.
    disqualified: Vec<Disqualification>,
    /// Whether the case is judged blind and nobody has judged it yet: what the machine proposes is left out then.
    judge_first: bool,
    /// What was judged before the proposal was seen, and whether the two agree.
    judgement: Option<Judgement>,
    /// The decision.
    decision: Option<Decision>,
    /// Whether an alert waits for a person.
    alert_open: bool,
    /// Its alerts, oldest first.
    alerts: Vec<CaseAlert>,
}

/// An alert of the case, to be acknowledged by its id. Its words stand in the evidence.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CaseAlert {
    /// Its id.
    id: AlertId,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    raised_at: Timestamp,
    /// Who has seen it; none while it is open.
    acknowledged: Option<Acknowledgement>,
}

impl From<Alert> for CaseAlert {
    fn from(alert: Alert) -> Self {
        Self { id: alert.id, raised_at: alert.raised_at, acknowledged: alert.acknowledged }
    }
}

/// The texts and facts that everything rests on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EvidenceView {
    /// The texts in their normal form, with their places.
    texts: Vec<SourceText>,
    /// Words of danger.
    emergencies: Vec<EmergencyHit>,
    /// How far each file that came along could be read; what could not, a person must open.
    files: Vec<ReadFile>,
    /// Typed values with their evidence.
    facts: Facts,
    /// Why it was classified so.
    classification: Option<Classification>,
}

/// A notice that may tell of the same fault.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SimilarNotice {
    /// The other case.
    pub(in crate::http) case: CaseRow,
    /// How alike the two are, and by what.
    #[serde(flatten)]
    pub(in crate::http) likeness: Likeness,
}

/// Notices that one is compared with, the newest.
const MOST_NOTICES: u32 = 2_000;
/// Notices that are suggested.
const MOST_SIMILAR: usize = 20;

/// Every rule with its inputs, and every ruling.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraceView {
    /// All rules, evaluated; null when no policy governs the matter.
    assessment: Option<Assessment>,
    /// People's rulings.
    rulings: Vec<Ruling>,
    /// Which engine proposed, with its versions.
    engine: Option<Engine>,
}

/// What came in, as it was read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubmissionView {
    /// What came first.
    #[serde(flatten)]
    submission: Submission,
    /// What the party sent afterwards, oldest first.
    supplements: Vec<Submission>,
}

/// Which bytes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhichRaw {
    /// A supplement's id; left out: the first submission.
    of: Option<SubmissionId>,
}

/// The queue: words of danger first, then what is due first.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases", tag = "cases", params(Which), responses((status = 200, body = Queue), Problems))]
pub async fn queue(State(app): State<App>, person: Can<ReadCases>, which: Parameters<Which>) -> Result<Json<Queue>> {
    let api = &app.config().api;
    let limit = which.0.limit.unwrap_or(api.page_size).clamp(1, api.max_page_size);
    let no_cursor = |_| Error::parameter("cursor", "this is no cursor", "send `next` of the page before");
    let after = which.0.cursor.as_deref().map(str::parse).transpose().map_err(no_cursor)?;
    let page = app.storage().cases(&person.municipality, &which.0.filter(&person)?, after.as_ref(), limit).await?;
    Ok(Json(Queue { items: page.rows, next: page.next.map(|next| next.to_string()) }))
}

/// The case on one page.
///
/// Roles: handler, approver, registry, auditor. Where a case is judged blind, handlers and approvers see what the machine
/// proposes once somebody has judged it (`judge_first`).
#[utoipa::path(get, path = "/cases/{id}", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = CasePage), Problems))]
pub async fn show(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<CasePage>> {
    let mut case = scoped(&app, &person, id).await?;
    let storage = app.storage();
    let submission = storage.submission(&case.municipality, case.submission_id).await?;
    let draft = storage.latest_draft(&case.municipality, id).await?;
    let decision = storage.decision(&case.municipality, id).await?;
    let alerts = storage.alerts_of_case(&case.municipality, id).await?;
    let submission = submission.ok_or(Error::NoSuch("submission"))?;
    let judge_first = app.review().hides_from(&person, &case);
    if judge_first {
        case.file = case.file.without_proposal();
    }
    let draft = draft.filter(|_| !judge_first);
    if let Some(draft) = &draft {
        let history = storage.timeline(&case.municipality, id).await?;
        app.review().look(&person, &case, draft, &history).await?;
    }
    Ok(Json(CasePage { judge_first, ..CasePage::new(case, submission, draft, decision, alerts) }))
}

impl CasePage {
    fn new(
        mut case: Case,
        submission: Submission,
        draft: Option<Draft>,
        decision: Option<Decision>,
        alerts: Vec<Alert>,
    ) -> Self {
        let file = std::mem::take(&mut case.file);
        case.file.due = file.due;
        Self {
            case: case.into(),
            submission: SubmissionSummary {
                id: submission.id,
                channel: submission.channel,
                service: submission.service,
                subject: submission.subject,
                party: submission.party,
                location: submission.location,
                attachments: submission.attachments,
                supplements: file.supplements,
                sent_at: submission.sent_at,
                received_at: submission.received_at,
            },
            language: file.reading.as_ref().map(|reading| reading.language),
            classification: file.classification,
            reclassified: file.reclassified,
            route: file.route,
            urgency: file.urgency,
            flags: file.flags.into_iter().collect(),
            facts: file.facts,
            corrections: file.corrections,
            registrations: file.registrations,
            merged_into: file.merged_into,
            merged: file.merged,
            split_from: file.split_from,
            split_off: file.split_off,
            questions: file.questions,
            asked: file.asked,
            about: file.about.map(|about| *about),
            hear: file.hear.map(|order| *order),
            hearings: file.hearings,
            assessment: file.assessment.map(|assessment| AssessmentSummary {
                outcome: assessment.outcome,
                amount: assessment.amount,
                policy: format!("{}@{}", assessment.document, assessment.version),
                questions: assessment.questions,
            }),
            draft,
            summary: file.summary,
            proposals: file.proposals,
            fallbacks: file.fallbacks,
            passages: file.passages,
            returned: file.returned,
            disqualified: file.disqualified,
            judge_first: false,
            judgement: file.judgement,
            decision,
            alert_open: alerts.iter().any(|alert| alert.acknowledged.is_none()),
            alerts: alerts.into_iter().map(Into::into).collect(),
        }
    }
}

/// Open notices that may tell of the same fault, best first.
///
/// Roles: handler, approver, registry, auditor. Only a suggestion, with what it rests on: nothing is merged, and a case
/// that is no notice has none. The earliest of them is the one that the others would be added to.
#[utoipa::path(get, path = "/cases/{id}/similar", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<SimilarNotice>), Problems))]
pub async fn similar(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
) -> Result<Json<List<SimilarNotice>>> {
    let case = scoped(&app, &person, id).await?;
    Ok(Json(List { items: alike_to(&app, &case).await? }))
}

/// Open notices that may tell of the same fault as a case, best first; none for a case that is no notice.
pub(in crate::http) async fn alike_to(app: &App, case: &Case) -> Result<Vec<SimilarNotice>> {
    let storage = app.storage();
    let class = case.file.classification.as_ref().filter(|class| class.matter == Matter::FaultNotice);
    let Some(class) = class else { return Ok(Vec::new()) };
    let submission = storage.submission(&case.municipality, case.submission_id).await?;
    let submission = submission.ok_or(Error::NoSuch("submission"))?;
    // Arrival may have been put right.
    let submission = Submission { received_at: case.received_at, ..submission };
    let mut items = alike(app, submission, class.category.clone()).await?;
    items.retain(|similar| similar.case.id != case.id);
    items.truncate(MOST_SIMILAR);
    Ok(items)
}

/// Open notices that may tell of the same fault as a submission, best first, itself among them where it is one.
///
/// # Errors
/// [`Error::Unavailable`].
pub(in crate::http) async fn alike(
    app: &App,
    submission: Submission,
    category: Option<String>,
) -> Result<Vec<SimilarNotice>> {
    let (from, to) = duplicates::window(submission.received_at);
    let notices = app.storage().open_notices(&submission.municipality, from, to, MOST_NOTICES).await?;
    // Some hundred messages are read: others must not wait for that.
    let compare = move || most_alike(&submission, category, notices);
    tokio::task::spawn_blocking(compare).await.map_err(|error| Error::Internal(error.to_string()))
}

/// The notices that may tell of the same fault as a submission, best first.
fn most_alike(submission: &Submission, category: Option<String>, notices: Vec<NoticeRow>) -> Vec<SimilarNotice> {
    let this = Notice::of(submission, category);
    let place = submission.location.as_ref();
    let mut items: Vec<SimilarNotice> = notices
        .into_iter()
        .filter(|notice| duplicates::may_be_one_place(place, notice.submission.location.as_ref()))
        .map(|notice| {
            let other = Notice::of(&notice.submission, notice.row.category.clone());
            SimilarNotice { likeness: Likeness::between(&this, &other), case: notice.row }
        })
        .filter(|similar| similar.likeness.is_duplicate())
        .collect();
    items.sort_by(|one, other| one.likeness.best_first(&other.likeness));
    items
}

/// The texts and facts that everything rests on.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/evidence", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = EvidenceView), Problems))]
pub async fn evidence(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
) -> Result<Json<EvidenceView>> {
    let file = scoped(&app, &person, id).await?.file;
    let (texts, emergencies, files) =
        file.reading.map(|reading| (reading.texts, reading.emergencies, reading.files)).unwrap_or_default();
    Ok(Json(EvidenceView { texts, emergencies, files, facts: file.facts, classification: file.classification }))
}

/// Every rule with its inputs.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/trace", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = TraceView), Problems))]
pub async fn trace(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<TraceView>> {
    let file = with_proposal(&app, &person, id).await?.file;
    Ok(Json(TraceView { assessment: file.assessment, rulings: file.rulings, engine: file.engine }))
}

/// What happened, oldest first.
///
/// Roles: handler, approver, registry, auditor. Before a blind case is judged, what the machine's steps tell is left out
/// for handlers and approvers.
#[utoipa::path(get, path = "/cases/{id}/timeline", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<Event>), Problems))]
pub async fn timeline(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<List<Event>>> {
    let case = scoped(&app, &person, id).await?;
    let mut items = app.storage().timeline(&case.municipality, id).await?;
    if app.review().hides_from(&person, &case) {
        items = items.into_iter().map(Review::without_proposal).collect();
    }
    Ok(Json(List { items }))
}

/// What came in, as it was read: first the submission, then each supplement.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/submission", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = SubmissionView), Problems))]
pub async fn submission(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
) -> Result<Json<SubmissionView>> {
    let case = scoped(&app, &person, id).await?;
    let read = async |id| app.storage().submission(&case.municipality, id).await?.ok_or(Error::NoSuch("submission"));
    let mut supplements = Vec::new();
    for id in &case.file.supplements {
        supplements.push(read(*id).await?);
    }
    Ok(Json(SubmissionView { submission: read(case.submission_id).await?, supplements }))
}

/// The bytes as they came. That they were read is on the record.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/submission/raw", tag = "cases", params(("id" = CaseId, Path), WhichRaw),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream", body = Vec<u8>),
        Problems))]
pub async fn raw(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
    which: Parameters<WhichRaw>,
) -> Result<impl IntoResponse> {
    let bytes = app.review().read_raw(&person, id, which.0.of).await?;
    Ok(download(&id.to_string(), bytes))
}

/// A file that came along. That it was read is on the record.
///
/// Roles: handler, approver, registry, auditor. Its name and media type are as the sender declared them and
/// stand in the submission; here it is bytes, whatever it says it is.
#[utoipa::path(get, path = "/cases/{id}/files/{sha256}", tag = "cases",
    params(("id" = CaseId, Path), ("sha256" = String, Path, description = "`sha256` of the attachment")),
    responses((status = 200, description = "The bytes", content_type = "application/octet-stream", body = Vec<u8>),
        Problems))]
pub async fn file(
    State(app): State<App>,
    person: Can<ReadCases>,
    Path((id, sha256)): Path<(String, String)>,
) -> Result<impl IntoResponse> {
    let id: CaseId = id.parse().map_err(|_| Error::NoSuch("case"))?;
    let (file, bytes) = app.review().read_file(&person, id, &sha256).await?;
    Ok(download(&file.sha256, bytes))
}

/// A stranger's bytes are never shown by a browser as a page of ours, and never named by the stranger.
fn download(name: &str, bytes: Vec<u8>) -> impl IntoResponse + use<> {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
    ];
    (headers, bytes)
}
