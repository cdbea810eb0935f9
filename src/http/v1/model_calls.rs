//! What language models were asked and what it cost. No content: neither what was sent nor what came back.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::List;
use super::cases::scoped;
use crate::app::App;
use crate::cases::CaseId;
use crate::http::body::{Id, Parameters};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases, ReadCosts};
use crate::http::openapi::Problems;
use crate::storage::{DayTotal, ModelCall, Month};

/// Which month.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhichMonth {
    /// The calendar month in Finland; left out: this one.
    #[param(example = "2026-11")]
    month: Option<String>,
}

/// What language models cost in a month.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Costs {
    /// The month.
    #[schema(example = "2026-11")]
    month: String,
    /// By day, prompt, model and currency.
    items: Vec<DayTotal>,
}

/// What language models were asked for a case, oldest first.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/cases/{id}/model-calls", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<ModelCall>), Problems))]
pub async fn of_case(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
) -> Result<Json<List<ModelCall>>> {
    let case = scoped(&app, &person, id).await?;
    Ok(Json(List { items: app.storage().model_calls(&case.municipality, id).await? }))
}

/// What the municipality's language models cost in a month.
///
/// Roles: auditor, admin.
#[utoipa::path(get, path = "/model-costs", tag = "administration", params(WhichMonth),
    responses((status = 200, body = Costs), Problems))]
pub async fn costs(
    State(app): State<App>,
    person: Can<ReadCosts>,
    which: Parameters<WhichMonth>,
) -> Result<Json<Costs>> {
    let no_month = |_| Error::parameter("month", "this is no month", "send for example 2026-11");
    let month = which.0.month.as_deref().map(str::parse).transpose().map_err(no_month)?;
    let month = month.unwrap_or_else(|| Month::of(app.ambient().now()));
    let items = app.storage().model_costs(&person.municipality, month).await?;
    Ok(Json(Costs { month: month.to_string(), items }))
}
