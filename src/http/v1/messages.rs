//! Messages between the party of a case and the office, and the party's consent to publication.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::List;
use super::cases::{CaseSummary, scoped};
use crate::app::App;
use crate::cases::{CaseId, Consent, Message};
use crate::http::body::{Body, Id};
use crate::http::error::Result;
use crate::http::identity::{self, Can, Correspond, ReadCases, Register};
use crate::http::openapi::Problems;
use crate::review::{Messaged, NewMessage};

/// The messages of a case, oldest first; also the one that the case came from.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/messages", tag = "messages", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<Message>), Problems))]
pub async fn list(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<List<Message>>> {
    scoped(&app, &person, id).await?;
    Ok(Json(List { items: app.storage().messages(&person.municipality, id).await? }))
}

/// Sends a message: through the resident channel the party's, else the office's. It decides nothing.
///
/// Roles: resident-channel, registry, handler, approver. What a party writes about a case that has ended becomes a case of
/// its own (`became`). When words of danger are found, `cards` says what must be shown to the sender at once.
#[utoipa::path(post, path = "/cases/{id}/messages", tag = "messages", params(("id" = CaseId, Path)),
    request_body = NewMessage, responses((status = 201, body = Messaged), Problems))]
pub async fn send(
    State(app): State<App>,
    person: Can<Correspond>,
    Id(id): Id<CaseId>,
    Body(new): Body<NewMessage>,
) -> Result<(StatusCode, Json<Messaged>)> {
    Ok((StatusCode::CREATED, Json(app.review().message(&person, id, new).await?)))
}

/// Says that the office has seen the party's messages, where they need no answer.
///
/// Roles: registry, handler, approver.
#[utoipa::path(post, path = "/cases/{id}/messages/seen", tag = "messages", params(("id" = CaseId, Path)),
    responses((status = 200, body = CaseSummary), Problems))]
pub async fn seen(State(app): State<App>, person: Can<Register>, Id(id): Id<CaseId>) -> Result<Json<CaseSummary>> {
    Ok(Json(app.review().see_messages(&person, id).await?.into()))
}

/// Whether the party consents to publication.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ConsentState {
    /// Whether it holds now: without it nothing of the party's is published.
    holds: bool,
    /// The consent; null when it was never given.
    consent: Option<Consent>,
}

/// The party's word on publication.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentOrder {
    /// `true` gives the consent, `false` withdraws it.
    given: bool,
}

/// Whether the party of a case consents to the publication of what they sent.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/consent", tag = "messages", params(("id" = CaseId, Path)),
    responses((status = 200, body = ConsentState), Problems))]
pub async fn consent(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<ConsentState>> {
    scoped(&app, &person, id).await?;
    let consent = app.storage().consent(&person.municipality, id).await?;
    Ok(Json(ConsentState { holds: consent.is_some_and(|consent| consent.holds()), consent }))
}

/// Gives or withdraws the party's consent to publication, for the party.
///
/// Roles: resident-channel, registry. It can be withdrawn at any time, also after the case has ended.
#[utoipa::path(post, path = "/cases/{id}/consent", tag = "messages", params(("id" = CaseId, Path)),
    request_body = ConsentOrder, responses((status = 204), Problems))]
pub async fn set_consent(
    State(app): State<App>,
    person: Can<identity::Consent>,
    Id(id): Id<CaseId>,
    Body(order): Body<ConsentOrder>,
) -> Result<StatusCode> {
    app.review().consent(&person, id, order.given).await?;
    Ok(StatusCode::NO_CONTENT)
}
