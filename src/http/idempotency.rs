//! `Idempotency-Key`: the same key with the same request gets the same answer; with another one, 409.
//!
//! The key is scoped to the token, so nobody reads another's answer. Only answers of success are kept: a
//! request that was refused may be mended and sent again under its key. The answer is kept after the work is
//! committed; should the process die in between, a submission is recognised by its key (it serves as the
//! sender's id) and every other verb by the status machine, so nothing happens twice.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::body::bytes;
use super::error::{Error, Result};
use super::identity::Asker;
use crate::app::App;
use crate::cases::{MunicipalityId, hex};
use crate::storage::{self, Answer};

/// The header that carries the key.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of this request, if it has one: unique within the municipality.
#[derive(Debug, Clone)]
pub struct Key(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }
}

/// Answers a repeated request from memory, and remembers the answer to a new one.
pub async fn remember(State(app): State<App>, request: Request, next: Next) -> Result<Response> {
    let Some((municipality, key)) = scoped_key(&request)? else { return Ok(next.run(request).await) };
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(Key(Some(key.clone())));
    let target = format!("{}\0{}\0", parts.method, parts.uri.path());
    let body = bytes(Request::from_parts(parts.clone(), body)).await?;
    let request_hash = hex(&Sha256::new().chain_update(target).chain_update(&body).finalize());
    if let Some(answer) = app.storage().answer(&municipality, &key).await? {
        return replay(answer, &request_hash);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    if response.status().is_success() {
        keep(&app, &municipality, &key, &request_hash, response).await
    } else {
        Ok(response)
    }
}

/// The municipality and key, scoped to the token; none when nobody known asks, or without a key.
fn scoped_key(request: &Request) -> Result<Option<(MunicipalityId, String)>> {
    let Some(Asker::Known(person)) = request.extensions().get::<Asker>() else { return Ok(None) };
    if request.method() != Method::POST {
        return Ok(None);
    }
    let key = key(request.headers())?;
    Ok(key.map(|key| (person.municipality.clone(), format!("idempotency-key/{}/{key}", person.token))))
}

fn key(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let key =
        value.to_str().ok().filter(|key| (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()));
    key.map(Some).ok_or_else(|| {
        Error::parameter("Idempotency-Key", "this is no key", "send 1–128 visible ASCII characters, for example a UUID")
    })
}

fn replay(answer: Answer, request_hash: &str) -> Result<Response> {
    if answer.body_hash != request_hash {
        return Err(Error::KeyReused);
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

async fn keep(app: &App, municipality: &MunicipalityId, key: &str, hash: &str, response: Response) -> Result<Response> {
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.map_err(|error| Error::Internal(error.to_string()))?;
    let kept = async {
        let mut tx = app.storage().begin().await?;
        tx.remember_answer(municipality, key, hash, parts.status.as_u16(), &body).await?;
        tx.commit().await
    };
    match kept.await {
        // The work is done: not being able to remember that is no reason to say otherwise.
        Ok(()) | Err(storage::Error::AlreadyAnswered) => {}
        Err(error) => tracing::warn!(%error, "an answer could not be remembered"),
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}
