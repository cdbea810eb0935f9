//! Runs of evaluation suites, newest first, each with its report: the same as `GET /v1/evaluations`. No text of a case.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use crate::app::App;
use crate::http::error::Result;
use crate::http::identity::{Can, ReadEvaluations};
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::http::v1::evaluations::runs;

/// Which page.
#[derive(Debug, Default, Deserialize)]
pub struct Which {
    cursor: Option<String>,
}

/// `GET /console/evaluations`
///
/// # Errors
/// A cursor that is none; a fault of ours.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    _person: Can<ReadEvaluations>,
    Query(which): Query<Which>,
) -> Result<Response> {
    let page = runs(&app, which.cursor.as_deref(), app.config().api.page_size).await?;
    render::page("console/evaluations.html", &reader, &page)
}
