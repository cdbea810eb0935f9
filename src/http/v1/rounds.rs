//! Rounds: one computation over all cases of an application window, by a person's act.

use axum::Json;
use axum::extract::State;

use super::List;
use crate::app::App;
use crate::cases::{Round, RoundId};
use crate::http::body::{Body, Id};
use crate::http::error::Result;
use crate::http::identity::{Can, Decide, ReadRounds};
use crate::http::openapi::Problems;
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
    let round = app.storage().round(&person.municipality, id).await?;
    Ok(Json(round.ok_or(Refusal::NotFound)?))
}
