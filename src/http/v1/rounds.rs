//! Rounds: one computation over all cases of an application window, by a person's act.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::List;
use crate::app::App;
use crate::cases::{Person, Round, RoundId};
use crate::http::body::{Body, Id};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Decide, ReadRounds};
use crate::http::openapi::Problems;
use crate::reports;
use crate::review::{NewRound, Refusal, RoundState};

/// The rounds of the window that is open or closed last, of each policy: what keeps them waiting, and their last result.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/rounds", tag = "rounds", responses((status = 200, body = List<RoundState>), Problems))]
pub async fn list(State(app): State<App>, person: Can<ReadRounds>) -> Result<Json<List<RoundState>>> {
    Ok(Json(List { items: app.review().rounds(&person.municipality).await? }))
}

/// Runs a round of a closed window; every case that waits for its draft goes back through the rules.
///
/// Roles: approver with the power to decide the service. Refused while cases wait that are not left out with a reason,
/// and when it was run before and no reason is given.
#[utoipa::path(post, path = "/rounds", tag = "rounds", request_body = NewRound,
    responses((status = 200, body = Round), Problems))]
pub async fn run(State(app): State<App>, person: Can<Decide>, Body(new): Body<NewRound>) -> Result<Json<Round>> {
    Ok(Json(app.review().run_round(&person, new).await?))
}

/// A round that was run, with everything that it was worked out from: `vireille round verify` reads it.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/rounds/{id}", tag = "rounds", params(("id" = RoundId, Path)),
    responses((status = 200, body = Round), Problems))]
pub async fn show(State(app): State<App>, person: Can<ReadRounds>, Id(id): Id<RoundId>) -> Result<Json<Round>> {
    Ok(Json(of(&app, &person, id).await?))
}

/// Its cases as a table, one line a case: what each came to, or its place in the draw, and why one was left out.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/rounds/{id}/cases.csv", tag = "rounds", params(("id" = RoundId, Path)),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
pub async fn table(State(app): State<App>, person: Can<ReadRounds>, Id(id): Id<RoundId>) -> Result<impl IntoResponse> {
    let round = of(&app, &person, id).await?;
    let name = format!("attachment; filename=\"{}-{}-{}.csv\"", round.document, round.round, round.nth);
    let text = reports::rounds::table(&round).csv().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], text))
}

async fn of(app: &App, person: &Person, id: RoundId) -> Result<Round> {
    Ok(app.storage().round(&person.municipality, id).await?.ok_or(Refusal::NotFound)?)
}
