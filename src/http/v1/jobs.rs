//! Dead letters: work of the machine that failed for good.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::List;
use crate::app::App;
use crate::cases::JobId;
use crate::http::body::Id;
use crate::http::error::Result;
use crate::http::identity::{Administer, Can};
use crate::http::openapi::Problems;
use crate::storage::DeadJob;

/// The dead letters, oldest first.
///
/// Roles: admin.
#[utoipa::path(get, path = "/dead-jobs", tag = "administration", responses((status = 200, body = List<DeadJob>), Problems))]
pub async fn list(State(app): State<App>, person: Can<Administer>) -> Result<Json<List<DeadJob>>> {
    let items = app.storage().dead_jobs(&person.municipality).await?;
    Ok(Json(List { items }))
}

/// Sends a dead letter through again.
///
/// Roles: admin.
#[utoipa::path(post, path = "/dead-jobs/{id}/retry", tag = "administration", params(("id" = JobId, Path)),
    responses((status = 204, description = "It waits for a worker"), Problems))]
pub async fn retry(State(app): State<App>, person: Can<Administer>, Id(id): Id<JobId>) -> Result<StatusCode> {
    app.review().retry_job(&person, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
