//! Alerts: words of danger that a person must see.

use axum::Json;
use axum::extract::State;

use super::List;
use crate::app::App;
use crate::cases::AlertId;
use crate::http::body::{Id, Parameters};
use crate::http::error::Result;
use crate::http::identity::{Can, ReadCases, Register};
use crate::http::openapi::Problems;
use crate::storage::Alert;

/// Which alerts.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Also those that somebody has acknowledged.
    #[serde(default)]
    all: bool,
}

/// The alerts: open ones first, oldest first.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/alerts", tag = "alerts", params(Which), responses((status = 200, body = List<Alert>), Problems))]
pub async fn list(
    State(app): State<App>,
    person: Can<ReadCases>,
    which: Parameters<Which>,
) -> Result<Json<List<Alert>>> {
    let items = app.storage().alerts(&person.municipality, !which.0.all).await?;
    Ok(Json(List { items }))
}

/// Says that a person has seen the alert.
///
/// Roles: registry, handler, approver. Who saw it first stays on the record.
#[utoipa::path(post, path = "/alerts/{id}/acknowledge", tag = "alerts", params(("id" = AlertId, Path)),
    responses((status = 200, body = Alert), Problems))]
pub async fn acknowledge(State(app): State<App>, person: Can<Register>, Id(id): Id<AlertId>) -> Result<Json<Alert>> {
    Ok(Json(app.review().acknowledge(&person, id).await?))
}
