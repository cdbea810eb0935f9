//! The audit chain, for whoever verifies it outside.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::app::App;
use crate::http::error::{Error, Result};
use crate::http::identity::{Audit, Can};
use crate::http::openapi::Problems;

/// The municipality's whole chain as JSON lines; `vireille audit verify FILE` checks it.
///
/// Roles: auditor.
#[utoipa::path(get, path = "/audit/export", tag = "administration",
    responses((status = 200, description = "One event a line", content_type = "application/x-ndjson", body = String), Problems))]
pub async fn export(State(app): State<App>, person: Can<Audit>) -> Result<impl IntoResponse> {
    let mut lines = String::new();
    let mut keep = |line: &str| {
        lines.push_str(line);
        lines.push('\n');
        Ok::<(), Error>(())
    };
    app.storage().export_events(&person.municipality, &mut keep).await?;
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], lines))
}
