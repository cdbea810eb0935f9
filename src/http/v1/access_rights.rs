//! The register of access rights: what is out, what is overdue, and what is done with a key or tag.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::cases::scoped;
use crate::app::App;
use crate::cases::{AccessRight, AccessState, CaseId};
use crate::http::body::{Body, Id, Parameters};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases, Register};
use crate::http::openapi::Problems;
use crate::review::NewHandling;

/// A right of the register, with where it stands today.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RightView {
    /// Where it stands.
    state: AccessState,
    /// The right.
    #[serde(flatten)]
    right: AccessRight,
}

impl RightView {
    fn of(app: &App, right: AccessRight) -> Self {
        Self { state: app.review().access_state(&right), right }
    }
}

/// Which rights, and which page of them.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Only those that stand so; left out: all.
    state: Option<AccessState>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows on the page.
    limit: Option<u32>,
}

/// A page of the register.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AccessRegister {
    /// What is out stands first, the overdue before all; then what waits to be fetched, then what has ended.
    items: Vec<RightView>,
    /// `cursor` of the next page; null on the last one.
    next: Option<String>,
}

/// The register of access rights: what is out first, the overdue before all.
///
/// Roles: handler, approver, registry, auditor. A right is overdue when its last day has passed and its key or tag is still
/// out, and lapsed when nobody fetched it by then; both are worked out on the day.
#[utoipa::path(get, path = "/access-rights", tag = "registers", params(Which),
    responses((status = 200, body = AccessRegister), Problems))]
pub async fn list(
    State(app): State<App>,
    person: Can<ReadCases>,
    which: Parameters<Which>,
) -> Result<Json<AccessRegister>> {
    let api = &app.config().api;
    let limit = which.0.limit.unwrap_or(api.page_size).clamp(1, api.max_page_size);
    let no_cursor = |_| Error::parameter("cursor", "this is no cursor", "send `next` of the page before");
    let after = which.0.cursor.as_deref().map(str::parse).transpose().map_err(no_cursor)?;
    let page = app.storage().access_rights(&person.municipality, which.0.state, after.as_ref(), limit).await?;
    let items = page.rows.into_iter().map(|right| RightView::of(&app, right)).collect();
    Ok(Json(AccessRegister { items, next: page.next.map(|next| next.to_string()) }))
}

/// The access right that a case granted.
///
/// Roles: handler, approver, registry, auditor. 404 where it granted none.
#[utoipa::path(get, path = "/cases/{id}/access-right", tag = "registers", params(("id" = CaseId, Path)),
    responses((status = 200, body = RightView), Problems))]
pub async fn show(State(app): State<App>, person: Can<ReadCases>, Id(id): Id<CaseId>) -> Result<Json<RightView>> {
    let case = scoped(&app, &person, id).await?;
    let right = app.storage().access_right(&case.municipality, id).await?;
    Ok(Json(RightView::of(&app, right.ok_or(Error::NoSuch("access right"))?)))
}

/// Says that the key or tag of a case was handed over, came back, or is lost.
///
/// Roles: registry, handler, approver; no claim is needed. With `hand-over` goes the `number` of the key or tag, with
/// `report-lost` the `reason`. What was thought lost can be taken back.
#[utoipa::path(post, path = "/cases/{id}/access-right", tag = "registers", params(("id" = CaseId, Path)),
    request_body = NewHandling, responses((status = 200, body = RightView), Problems))]
pub async fn handle(
    State(app): State<App>,
    person: Can<Register>,
    Id(id): Id<CaseId>,
    Body(new): Body<NewHandling>,
) -> Result<Json<RightView>> {
    let right = app.review().handle_key(&person, id, new).await?;
    Ok(Json(RightView::of(&app, right)))
}
