//! Help: the way of a clear case, the keys, why an approval is refused, and every check. `?` leads here.
//!
//! It tells of the program and of no case, so that it needs no right; what it says of the checks is read from them.

use axum::response::Response;
use serde::Serialize;

use crate::cases::{CheckId, Severity};
use crate::http::error::Result;
use crate::http::pages::reader::Reader;
use crate::http::pages::render;

#[derive(Debug, Serialize)]
struct Line {
    id: CheckId,
    severity: Severity,
}

#[derive(Debug, Serialize)]
struct Help {
    checks: Vec<Line>,
}

/// `GET /console/help`
///
/// # Errors
/// A fault of ours.
pub async fn show(reader: Reader) -> Result<Response> {
    let checks = CheckId::ALL.iter().map(|id| Line { id: *id, severity: id.severity() }).collect();
    render::page("console/help.html", &reader, &Help { checks })
}
