//! What comes in: submissions and supplements. Read by [`crate::intake`], whose limits and refusals hold here.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use serde::Serialize;

use crate::app::App;
use crate::cases::{CaseId, Person, Status};
use crate::http::body::{Id, Raw};
use crate::http::error::{Error, Result};
use crate::http::idempotency::Key;
use crate::http::identity::{Can, Receive, Submit, may};
use crate::http::openapi::Problems;
use crate::intake::Incoming;
use crate::intake::json::{Defaults, SubmissionFile, parse};
use crate::intake::receipt::Receipt;
use crate::intake::register::register;

/// That a supplement was received.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SupplementReceipt {
    /// The case.
    case_id: CaseId,
    /// The number people use.
    number: String,
    /// Where the case stands now.
    status: Status,
    /// Cards to show to the sender at once: `emergency` (112) or `crisis`.
    cards: Vec<String>,
    /// Whether it had been received before; nothing was changed.
    already: bool,
}

/// Receives a submission and registers it as a case.
///
/// Roles: resident-channel, registry, handler. A missing or odd form field is no error: it becomes a question.
/// When words of danger are found the receipt carries what must be shown to the sender at once. The registry and handlers
/// say with `channel` that they bring in what came by telephone, on paper or at the desk, and with `received_at` when it came.
#[utoipa::path(post, path = "/submissions", tag = "submissions", request_body = SubmissionFile,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key: the same submission")),
    responses((status = 201, body = Receipt), Problems))]
pub async fn submit(
    State(app): State<App>,
    person: Can<Submit>,
    key: Key,
    Raw(bytes): Raw,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Receipt>)> {
    let incoming = one(&app, &person, key, &bytes)?;
    let desk = app.review().desk(&person.municipality)?;
    let receipt = register(app.storage(), &desk.rulebook, &desk.lexicon, incoming).await?;
    metrics::counter!(crate::telemetry::SUBMISSIONS).increment(1);
    let location = format!("/v1/cases/{}", receipt.case_id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(receipt)))
}

/// Adds to a case what its party sends later. The case is drafted anew with everything that is known.
///
/// Roles: resident-channel, registry, handler.
#[utoipa::path(post, path = "/cases/{id}/supplements", tag = "submissions", request_body = SubmissionFile,
    params(("id" = CaseId, Path)), responses((status = 201, body = SupplementReceipt), Problems))]
pub async fn supplement(
    State(app): State<App>,
    person: Can<Submit>,
    Id(id): Id<CaseId>,
    key: Key,
    Raw(bytes): Raw,
) -> Result<(StatusCode, Json<SupplementReceipt>)> {
    let incoming = one(&app, &person, key, &bytes)?;
    let done = app.review().supplement(&person, id, incoming).await?;
    let receipt = SupplementReceipt {
        case_id: done.case.id,
        number: done.case.number,
        status: done.case.status,
        cards: done.cards,
        already: done.already,
    };
    Ok((StatusCode::CREATED, Json(receipt)))
}

/// The one submission of a body. Its key serves as the sender's id when it has none of its own, so that a
/// repeated request finds what the first one stored.
fn one(app: &App, person: &Person, Key(key): Key, bytes: &[u8]) -> Result<Incoming> {
    let ambient = app.ambient().clone();
    let defaults = if may::<Receive>(person) {
        Defaults::registry(person, ambient)
    } else {
        Defaults::api(person.municipality.clone(), person.token, ambient)
    };
    let mut all = parse(bytes, &defaults)?;
    match (all.pop(), all.is_empty()) {
        (Some(mut only), true) => {
            only.submission.external_id = only.submission.external_id.or(key);
            Ok(only)
        }
        _ => Err(Error::unusable("", "this is a list", "send one submission a request")),
    }
}
