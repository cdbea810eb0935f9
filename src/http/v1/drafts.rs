//! Drafts: every version, the current one, its checks, a person's edit.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde::Serialize;

use super::List;
use super::cases::with_proposal;
use crate::app::App;
use crate::cases::{CaseId, Check, Draft, DraftHash};
use crate::http::body::{Body, Id, IfMatch};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Prepare, ReadCases};
use crate::http::openapi::Problems;
use crate::review::{Edit, Refusal};

/// A draft with its ETag.
type Tagged = ([(HeaderName, String); 1], Json<Draft>);

fn tagged(draft: Draft) -> Tagged {
    ([(header::ETAG, format!("\"{}\"", draft.hash))], Json(draft))
}

/// The checks of a draft.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Checks {
    /// Hash of the draft they are of; none when they are of an edit that is not saved.
    draft: Option<DraftHash>,
    /// Whether no blocking check failed.
    verified: bool,
    /// Every check.
    items: Vec<Check>,
}

impl Checks {
    fn new(draft: Option<DraftHash>, items: Vec<Check>) -> Self {
        Self { draft, verified: !items.iter().any(Check::blocks), items }
    }
}

/// Every version, oldest first.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/drafts", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<Draft>), Problems))]
pub async fn list(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<List<Draft>>> {
    let case = with_proposal(&app, &person, id).await?;
    Ok(Json(List { items: app.storage().drafts(&case.municipality, case.id).await? }))
}

/// The current draft; its hash is the ETag.
///
/// Roles: handler, approver, registry, auditor. An approver's first look at a version that waits is on the record.
#[utoipa::path(get, path = "/cases/{id}/draft", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = Draft, headers(("ETag" = String, description = "The draft's hash"))), Problems))]
pub async fn current(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Tagged> {
    let case = with_proposal(&app, &person, id).await?;
    let draft = app.storage().latest_draft(&case.municipality, case.id).await?.ok_or(Refusal::NoDraft)?;
    let history = app.storage().timeline(&case.municipality, case.id).await?;
    app.review().look(&person, &case, &draft, &history).await?;
    Ok(tagged(draft))
}

/// Saves a person's version: new words, verified like the machine's.
///
/// Roles: handler, approver; with a claim. `If-Match` carries the ETag of the version that was edited.
#[utoipa::path(put, path = "/cases/{id}/draft", tag = "review", request_body = Edit,
    params(("id" = CaseId, Path), ("If-Match" = String, Header, description = "ETag of the version that was edited")),
    responses((status = 200, body = Draft, headers(("ETag" = String, description = "The new draft's hash"))), Problems))]
pub async fn edit(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    IfMatch(seen): IfMatch,
    Body(edit): Body<Edit>,
) -> Result<Tagged> {
    match app.review().edit(&person, id, &seen, edit).await {
        Ok(draft) => Ok(tagged(draft)),
        Err(Refusal::StaleDraft { current }) => Err(Error::PreconditionFailed(current)),
        Err(other) => Err(other.into()),
    }
}

/// The checks of the current draft, as they came out when it was made.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/checks", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = Checks), Problems))]
pub async fn checks(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<Checks>> {
    let case = with_proposal(&app, &person, id).await?;
    let draft = app.storage().latest_draft(&case.municipality, case.id).await?.ok_or(Refusal::NoDraft)?;
    Ok(Json(Checks::new(Some(draft.hash), draft.checks)))
}

/// The checks as they come out now: of the current draft (`null`), or of an edit that is not saved.
///
/// Roles: handler, approver, registry, auditor. Changes nothing.
#[utoipa::path(post, path = "/cases/{id}/verify", tag = "review", params(("id" = CaseId, Path)),
    request_body = Option<Edit>, responses((status = 200, body = Checks), Problems))]
pub async fn verify(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
    Body(edit): Body<Option<Edit>>,
) -> Result<Json<Checks>> {
    let (draft, checks) = app.review().verify(&person, id, edit).await?;
    Ok(Json(Checks::new(draft, checks)))
}
