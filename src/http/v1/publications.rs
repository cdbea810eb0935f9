//! What a municipality shows to everybody of what it was sent, and showing it. Reading the list needs no token: it is what
//! the page `/feedback` shows.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cases::scoped;
use crate::app::App;
use crate::cases::{CaseId, Language, MunicipalityId, Publication, PublicationId};
use crate::http::body::{Body, Id, Parameters};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Prepare, ReadCases};
use crate::http::openapi::Problems;
use crate::review::{NewPublication, Publishing};

/// A publication as everybody reads it: nothing leads from it to a case or a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PublicText {
    id: PublicationId,
    /// The language in which it was sent.
    language: Language,
    /// What was sent, without what identifies anybody.
    text: String,
    /// The municipality's answer.
    answer: Option<String>,
    #[schema(value_type = String, format = "date-time")]
    published_at: Timestamp,
}

impl From<Publication> for PublicText {
    fn from(publication: Publication) -> Self {
        let Publication { id, language, text, answer, published, .. } = publication;
        Self { id, language, text, answer, published_at: published.at }
    }
}

/// Whose publications, and which page of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The municipality.
    #[param(value_type = String, example = "harjuvesi")]
    municipality: MunicipalityId,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows on the page, at most 100.
    limit: Option<u32>,
}

/// A page of publications.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Publications {
    /// The newest first.
    items: Vec<PublicText>,
    /// `cursor` of the next page; null on the last one.
    next: Option<String>,
}

/// What a municipality shows to everybody: feedback whose sender consents, with the approved answer, the newest first.
///
/// Needs no token. A consent that is withdrawn takes its publication away at once.
#[utoipa::path(get, path = "/publications", tag = "registers", params(Which), security(()),
    responses((status = 200, body = Publications), Problems))]
pub async fn list(State(app): State<App>, which: Parameters<Which>) -> Result<Json<Publications>> {
    let Which { municipality, cursor, limit } = which.0;
    if app.rulebooks().get(&municipality).is_none() {
        return Err(Error::NoSuch("municipality"));
    }
    let no_cursor = |_| Error::parameter("cursor", "this is no cursor", "send `next` of the page before");
    let after = cursor.as_deref().map(str::parse).transpose().map_err(no_cursor)?;
    let limit = limit.unwrap_or(app.config().api.page_size);
    let page = app.storage().publications(&municipality, after.as_ref(), limit).await?;
    let items = page.rows.into_iter().map(Into::into).collect();
    Ok(Json(Publications { items, next: page.next.map(|next| next.to_string()) }))
}

/// Whether a case may be published, what is shown of it, and a text to begin with.
///
/// Roles: handler, approver, registry, auditor. `proposed` is what came in and the approved answer without what identifies
/// anybody, as far as the machine finds it: a person reads and edits it.
#[utoipa::path(get, path = "/cases/{id}/publication", tag = "registers", params(("id" = CaseId, Path)),
    responses((status = 200, body = Publishing), Problems))]
pub async fn show(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<Publishing>> {
    let case = scoped(&app, &person, id).await?;
    Ok(Json(app.review().publishing(&case).await?))
}

/// Shows what the party sent to everybody, in these words, in place of what was shown before.
///
/// Roles: handler, approver; no claim is needed. Refused (422) without the party's consent, while an alert is open, and when
/// something that identifies a person stands in the words: a number, an address, a plate, the sender's name.
#[utoipa::path(post, path = "/cases/{id}/publish", tag = "registers", params(("id" = CaseId, Path)),
    request_body = NewPublication, responses((status = 201, body = Publication), Problems))]
pub async fn publish(
    State(app): State<App>,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    Body(new): Body<NewPublication>,
) -> Result<(StatusCode, Json<Publication>)> {
    Ok((StatusCode::CREATED, Json(app.review().publish(&person, id, new).await?)))
}

/// Takes away what everybody reads of a case.
///
/// Roles: handler, approver.
#[utoipa::path(post, path = "/cases/{id}/unpublish", tag = "registers", params(("id" = CaseId, Path)),
    responses((status = 204), Problems))]
pub async fn unpublish(State(app): State<App>, person: Can<Prepare>, Id(id): Id<CaseId>) -> Result<StatusCode> {
    app.review().unpublish(&person, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
