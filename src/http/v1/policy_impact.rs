//! The impact of one version of a policy against another over the stored cases of the municipality.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;

use super::policy_versions::{Two, two};
use crate::app::App;
use crate::cases::Person;
use crate::http::body::Parameters;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases};
use crate::http::openapi::Problems;
use crate::policy::impact::{self, Impact};
use crate::triage::impact::{Cases, USUAL_LIMIT};

/// Over the stored cases, the last to arrive first.
pub async fn of_stored(app: &App, person: &Person, document: &str, which: Two) -> Result<Impact> {
    let book = Arc::clone(&app.review().desk(&person.municipality)?.rulebook);
    let (before, _) = two(&book.library, document, &which)?;
    let cases =
        Cases::stored(app.storage(), &book, before, USUAL_LIMIT, |case| app.review().hides_from(person, case)).await?;
    let document = document.to_owned();
    // Some thousand assessments: others must not wait for that.
    let reckon = move || two(&book.library, &document, &which).map(|(before, after)| cases.impact(before, after));
    tokio::task::spawn_blocking(reckon).await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Who would gain, lose and by how much, had the second version been applied in the place of the first.
///
/// Roles: handler, approver, registry, auditor. What the rules give, never a decision: each stored case of the services
/// that the policy governs is assessed by both versions, the last 1 000 to arrive; `left_out` counts the others by
/// reason.
#[utoipa::path(get, path = "/policies/{document}/impact", tag = "policies",
    params(("document" = String, Path, example = "private-road-grant"), Two),
    responses((status = 200, body = Impact), Problems))]
pub async fn show(
    State(app): State<App>,
    person: Can<ReadCases>,
    Path(document): Path<String>,
    Parameters(which): Parameters<Two>,
) -> Result<Json<Impact>> {
    Ok(Json(of_stored(&app, &person, &document, which).await?))
}

/// The same as a table, one line a case.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/policies/{document}/impact.csv", tag = "policies",
    params(("document" = String, Path, example = "private-road-grant"), Two),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
pub async fn table(
    State(app): State<App>,
    person: Can<ReadCases>,
    Path(document): Path<String>,
    Parameters(which): Parameters<Two>,
) -> Result<impl IntoResponse> {
    let impact = of_stored(&app, &person, &document, which).await?;
    let name = format!("attachment; filename=\"{}-{}-{}.csv\"", impact.document, impact.before, impact.after);
    let text = impact::csv(&impact).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], text))
}
