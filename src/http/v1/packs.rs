//! Packs: which one is active, and reading the files again.

use axum::Json;
use axum::extract::State;

use super::List;
use crate::app::App;
use crate::app::packs::PackState;
use crate::cases::Person;
use crate::http::error::Result;
use crate::http::identity::{Administer, Can, ReadPacks};
use crate::http::openapi::Problems;

/// The pack that is active in your municipality, and what is wrong in newer files.
///
/// Roles: handler, approver, supervisor, auditor, admin. A pack with a fault is never activated: while there are faults,
/// the pack of `hash` goes on to bind.
#[utoipa::path(get, path = "/packs", tag = "administration", responses((status = 200, body = List<PackState>), Problems))]
pub async fn list(State(app): State<App>, person: Can<ReadPacks>) -> Json<List<PackState>> {
    Json(of(&app, &person))
}

/// Reads the files again: what is new and sound becomes active, in one step; what is at fault does not.
///
/// Roles: admin. The answer is the same as of `GET /v1/packs` afterwards. All municipalities of this process are read;
/// other processes read when they are told, or look by themselves (`policies.reload_seconds`).
#[utoipa::path(post, path = "/packs/reload", tag = "administration",
    responses((status = 200, body = List<PackState>), Problems))]
pub async fn reload(State(app): State<App>, admin: Can<Administer>) -> Result<Json<List<PackState>>> {
    app.reload_packs(Some(&admin)).await?;
    Ok(Json(of(&app, &admin)))
}

fn of(app: &App, person: &Person) -> List<PackState> {
    List { items: app.packs().state(&person.municipality).into_iter().collect() }
}
