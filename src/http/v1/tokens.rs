//! Tokens: who may act. A secret is shown once.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::List;
use crate::app::App;
use crate::cases::{Person, TokenId};
use crate::http::body::{Body, Id};
use crate::http::error::Result;
use crate::http::identity::{Administer, Can};
use crate::http::openapi::Problems;
use crate::review::NewToken;

/// A new token with its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Made {
    /// Whom it is for.
    person: Person,
    /// The secret. It is shown now and never again.
    #[schema(example = "vir_0f3c…")]
    secret: String,
}

/// The tokens that are not revoked, without their secrets.
///
/// Roles: admin.
#[utoipa::path(get, path = "/tokens", tag = "administration", responses((status = 200, body = List<Person>), Problems))]
pub async fn list(State(app): State<App>, person: Can<Administer>) -> Result<Json<List<Person>>> {
    let rows = app.storage().tokens(&person.municipality).await?;
    Ok(Json(List { items: rows.into_iter().map(|row| row.person).collect() }))
}

/// Makes a token. Keep the secret: nobody can show it again.
///
/// Roles: admin. An approver's token names the post or body whose power it carries.
#[utoipa::path(post, path = "/tokens", tag = "administration", request_body = NewToken,
    responses((status = 201, body = Made), Problems))]
pub async fn make(
    State(app): State<App>,
    admin: Can<Administer>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<Made>)> {
    let (person, secret) = app.review().make_token(&admin, new).await?;
    Ok((StatusCode::CREATED, Json(Made { person, secret })))
}

/// Revokes a token, from the next request on.
///
/// Roles: admin.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "administration", params(("id" = TokenId, Path)),
    responses((status = 204, description = "It is revoked"), Problems))]
pub async fn revoke(State(app): State<App>, admin: Can<Administer>, Id(id): Id<TokenId>) -> Result<StatusCode> {
    app.review().revoke_token(&admin, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
