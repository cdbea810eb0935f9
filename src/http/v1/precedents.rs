//! Decisions that are similar to a case.

use axum::Json;
use axum::extract::State;

use super::List;
use super::cases::with_proposal;
use crate::app::App;
use crate::cases::{Case, CaseId};
use crate::http::body::Id;
use crate::http::error::Result;
use crate::http::identity::{Can, ReadCases};
use crate::http::openapi::Problems;
use crate::triage::similar::{self, SimilarDecision};

/// Similar decisions of the municipality, best first.
pub async fn of_case(app: &App, case: &Case) -> Result<Vec<SimilarDecision>> {
    let class = case.file.classification.as_ref().filter(|_| case.file.assessment.is_some());
    let Some(service) = class.and_then(|class| class.service.as_ref()) else { return Ok(Vec::new()) };
    let decided = app.storage().decided_cases(&case.municipality, service, similar::LOOKED_THROUGH).await?;
    Ok(similar::similar(case.id, &case.file, &decided, similar::SHOWN))
}

/// Decisions of the same service with rules that came out alike, best first.
///
/// Roles: handler, approver, registry, auditor. Which facts agree and which differ; at most 5, among the 60 newest.
/// Nothing binds by them.
#[utoipa::path(get, path = "/cases/{id}/precedents", tag = "cases", params(("id" = CaseId, Path)),
    responses((status = 200, body = List<SimilarDecision>), Problems))]
pub async fn list(
    State(app): State<App>,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
) -> Result<Json<List<SimilarDecision>>> {
    let case = with_proposal(&app, &person, id).await?;
    Ok(Json(List { items: of_case(&app, &case).await? }))
}
