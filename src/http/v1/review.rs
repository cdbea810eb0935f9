//! The verbs of review. Who may do what stands in the signatures; what is possible, in [`crate::review`].

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::cases::{CaseSummary, scoped};
use crate::app::App;
use crate::cases::{AuthorityId, CaseId, Decision, DraftHash, Ground, Judgement};
use crate::http::body::{Body, Id};
use crate::http::error::Result;
use crate::http::identity::{Can, Decide, Prepare, ReadCases, Register, Withdraw};
use crate::http::openapi::Problems;
use crate::review::{
    Approval, NewClass, NewFact, NewHearing, NewJudgement, NewMerger, NewMetadata, NewPart, NewRuling, Powers,
    QuestionToAsk, Words,
};

/// A claim's declaration.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Whether the person is disqualified in this case (hallintolaki 27–28 §). `true` refuses and records.
    disqualified: bool,
}

/// Why somebody is disqualified.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisqualificationOrder {
    /// Which ground of hallintolaki 28 §.
    ground: Ground,
}

/// An approver's reason for giving a draft back.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnOrder {
    /// Why.
    reason: Words,
    /// Hash of the draft that was seen; left out: the current one.
    #[serde(default)]
    draft_hash: Option<DraftHash>,
}

/// What to ask the party.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskOrder {
    /// The questions, 1–20.
    questions: Vec<QuestionToAsk>,
}

/// Who is competent instead.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferOrder {
    /// An id of `authorities.yaml`.
    authority: AuthorityId,
}

/// A person's rulings.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulingOrder {
    /// At least one.
    rulings: Vec<NewRuling>,
}

/// What a person says of facts.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FactOrder {
    /// The facts, 1–50.
    facts: Vec<NewFact>,
}

/// Matters that become cases of their own.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitOrder {
    /// The matters, 1–10.
    parts: Vec<NewPart>,
}

/// What a split made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Divided {
    /// The case with what is left.
    case: CaseSummary,
    /// The new cases, in the order in which they were asked for.
    parts: Vec<CaseSummary>,
}

/// A decision and the case it leaves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Approved {
    /// The named person's act.
    decision: Decision,
    /// The case now.
    case: CaseSummary,
}

/// Takes the case, for a while.
///
/// Roles: handler, approver. The claim is a lease: each edit starts it anew, an expired one may be taken.
#[utoipa::path(post, path = "/cases/{id}/claim", tag = "review", params(("id" = CaseId, Path)), request_body = Declaration,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn claim(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(declared): Body<Declaration>,
) -> Result<Json<CaseSummary>> {
    if declared.disqualified {
        app.review().declare_disqualified(&person, id, Ground::Other).await?;
    }
    Ok(Json(app.review().claim(&person, id).await?.into()))
}

/// Says that one is disqualified (hallintolaki 27–30 §): from now on the person neither handles nor decides the case.
///
/// Roles: registry, handler, approver; at any time while the case is open. It cannot be taken back; a claim of theirs ends.
#[utoipa::path(post, path = "/cases/{id}/disqualify", tag = "review", params(("id" = CaseId, Path)),
    request_body = DisqualificationOrder, responses((status = 200, body = CaseSummary), Problems))]
pub async fn disqualify(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(order): Body<DisqualificationOrder>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().declare_disqualified(&person, id, order.ground).await?.into()))
}

/// Says what one would do before one sees what the machine proposes, in a case that is judged blind.
///
/// Roles: handler, approver; not while another holds the claim. Once a case and never changed; then the proposal is shown.
/// Code works out whether the two agree, by the kind of letter and the amount to the cent.
#[utoipa::path(post, path = "/cases/{id}/judgement", tag = "review", params(("id" = CaseId, Path)),
    request_body = NewJudgement, responses((status = 200, body = Judgement), Problems))]
pub async fn judge(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(new): Body<NewJudgement>,
) -> Result<Json<Judgement>> {
    Ok(Json(app.review().judge(&person, id, new).await?))
}

/// What the asker may decide in the case today, by which delegation, and who else may.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/power", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = Powers), Problems))]
pub async fn power(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<Powers>> {
    let case = scoped(&app, &person, id).await?;
    let draft = app.storage().latest_draft(&case.municipality, id).await?;
    Ok(Json(app.review().powers(&person, &case, draft.as_ref().map(|draft| &draft.content)).await?))
}

/// Gives the case back.
///
/// Roles: handler, approver.
#[utoipa::path(post, path = "/cases/{id}/release", tag = "review", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn release(State(app): State<App>, person: Can<Prepare>, Id(id): Id<CaseId>) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().release(&person, id).await?.into()))
}

/// Approves the draft: the one act that decides.
///
/// Roles: approver, within the delegation of their post. Carries the hash of what was seen and the amount;
/// every check runs again. Refused: a stale hash (409), beyond the power (403), by who prepared it (403), with
/// a failed blocking check or an open alert (422). Of two at once one wins, the other gets 409.
#[utoipa::path(post, path = "/cases/{id}/approve", tag = "review", params(("id" = CaseId, Path)), request_body = Approval,
    responses((status = 200, body = Approved), Problems))]
pub async fn approve(
    State(app): State<App>,
    person: Can<Decide>,
    Id(id): Id<CaseId>,
    Body(approval): Body<Approval>,
) -> Result<Json<Approved>> {
    let (case, decision) = app.review().approve(&person, id, &approval).await?;
    Ok(Json(Approved { decision, case: case.into() }))
}

/// Gives the draft back to its handler.
///
/// Roles: approver. The case stays in review, free to be claimed; the reason stands on the case page.
#[utoipa::path(post, path = "/cases/{id}/return", tag = "review", params(("id" = CaseId, Path)), request_body = ReturnOrder,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn return_(
    State(app): State<App>,
    person: Can<Decide>,
    Id(id): Id<CaseId>,
    Body(order): Body<ReturnOrder>,
) -> Result<Json<CaseSummary>> {
    let case = app.review().return_to_handler(&person, id, order.draft_hash.as_ref(), order.reason).await?;
    Ok(Json(case.into()))
}

/// Asks the party for more: the machine drafts the request, a person approves it.
///
/// Roles: handler, approver; with a claim.
#[utoipa::path(post, path = "/cases/{id}/ask", tag = "review", params(("id" = CaseId, Path)), request_body = AskOrder,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn ask(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(order): Body<AskOrder>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().ask(&person, id, order.questions).await?.into()))
}

/// Sends the case to the authority that is competent: the machine drafts the letter, a person approves it.
///
/// Roles: handler, approver; with a claim.
#[utoipa::path(post, path = "/cases/{id}/transfer", tag = "review", params(("id" = CaseId, Path)), request_body = TransferOrder,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn transfer(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(order): Body<TransferOrder>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().transfer(&person, id, &order.authority).await?.into()))
}

/// Lets the party comment before the matter is settled (hallintolaki 34 §): the machine drafts the letter, a person approves it.
///
/// Roles: handler, approver; with a claim. Whatever the party sends while it is heard is its answer. Where a rule of the policy
/// says so, the letter is drafted unasked before a refusal on what others said.
#[utoipa::path(post, path = "/cases/{id}/hear", tag = "review", params(("id" = CaseId, Path)), request_body = NewHearing,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn hear(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(new): Body<NewHearing>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().hear(&person, id, new).await?.into()))
}

/// Which decision a claim is against.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkOrder {
    /// The number of the decided case.
    #[schema(example = "HRJ/2026/00017")]
    number: String,
}

/// Says which decision a claim for revision is against; the claim is triaged anew.
///
/// Roles: registry, handler, approver; not while another holds the claim. A number that stands in the claim is found unasked.
#[utoipa::path(post, path = "/cases/{id}/link", tag = "review", params(("id" = CaseId, Path)), request_body = LinkOrder,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn link(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(order): Body<LinkOrder>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().link(&person, id, &order.number).await?.into()))
}

/// Goes on without an answer, once the last day of a completion request or a hearing has passed: the case is drafted anew.
///
/// Roles: handler, approver; with a claim.
#[utoipa::path(post, path = "/cases/{id}/resume", tag = "review", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn resume(State(app): State<App>, person: Can<Prepare>, Id(id): Id<CaseId>) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().resume(&person, id).await?.into()))
}

/// Says what kind of matter it is; the case is triaged anew.
///
/// Roles: registry, handler, approver; not while another holds the claim.
#[utoipa::path(post, path = "/cases/{id}/reclassify", tag = "review", params(("id" = CaseId, Path)), request_body = NewClass,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn reclassify(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(class): Body<NewClass>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().reclassify(&person, id, class).await?.into()))
}

/// Rules where the policy leaves it to a person; the case is assessed anew.
///
/// Roles: handler, approver; with a claim. Who rules does not approve.
#[utoipa::path(post, path = "/cases/{id}/rulings", tag = "review", params(("id" = CaseId, Path)), request_body = RulingOrder,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn rule(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(order): Body<RulingOrder>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().rule(&person, id, order.rulings).await?.into()))
}

/// States, corrects or withdraws facts; the case is assessed anew.
///
/// Roles: handler, approver; with a claim. What the machine read is kept beside each fact; what a person states stands
/// through later rounds. Who corrects does not approve.
#[utoipa::path(post, path = "/cases/{id}/facts", tag = "review", params(("id" = CaseId, Path)), request_body = FactOrder,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn correct_facts(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(order): Body<FactOrder>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().correct_facts(&person, id, order.facts).await?.into()))
}

/// Merges the case into another that arrived before it; gives the one that goes on.
///
/// Roles: registry, handler, approver; not while another holds the claim of either. The merged case ends as `merged` and
/// keeps everything. Both parties are told; what one wrote is read with the other case only where one party sent both.
#[utoipa::path(post, path = "/cases/{id}/merge", tag = "review", params(("id" = CaseId, Path)), request_body = NewMerger,
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn merge(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(merger): Body<NewMerger>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().merge(&person, id, merger).await?.into()))
}

/// Splits matters off the case, each by its own words; each becomes a case with its own number and the same arrival.
///
/// Roles: registry, handler, approver; not while another holds the claim.
#[utoipa::path(post, path = "/cases/{id}/split", tag = "review", params(("id" = CaseId, Path)), request_body = SplitOrder,
    responses((status = 200, body = Divided), Problems))]
pub async fn split(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(order): Body<SplitOrder>,
) -> Result<Json<Divided>> {
    let (case, parts) = app.review().split(&person, id, order.parts).await?;
    Ok(Json(Divided { case: case.into(), parts: parts.into_iter().map(Into::into).collect() }))
}

/// Puts right when it arrived, by which channel and from whom; the case is triaged anew.
///
/// Roles: registry, handler, approver; not while another holds the claim. What came in stays as it came.
#[utoipa::path(post, path = "/cases/{id}/metadata", tag = "review", params(("id" = CaseId, Path)),
    request_body = NewMetadata, responses((status = 200, body = CaseSummary), Problems))]
pub async fn correct_metadata(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(new): Body<NewMetadata>,
) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().correct_metadata(&person, id, new).await?.into()))
}

/// Takes the matter back for its party.
///
/// Roles: resident-channel, registry, handler.
#[utoipa::path(post, path = "/cases/{id}/withdraw", tag = "review", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn withdraw(State(app): State<App>, person: Can<Withdraw>, Id(id): Id<CaseId>) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().withdraw(&person, id).await?.into()))
}
