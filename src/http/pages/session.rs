//! Sessions: who is signed in on the pages.
//!
//! The cookie holds a secret of the same kind as a token's; the database knows only its hash. A session stands for a
//! token: when that is revoked, or the session has not been used for a while, nobody is signed in. Signing in always
//! makes a new secret. Our own few lines, because the common crates take the time from the machine, and ours is passed
//! in.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cases::{Person, TokenId};
use crate::http::error::{Error, Result};
use crate::storage::{SessionRow, tokens};

/// The cookie.
const NAME: &str = "vireille_session";
/// A session's end is moved at most so often: not every page is a write.
const MOVE_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// What a session holds. Stored as a text of its own shape: a session that stands for a party, known by a national
/// identity, will be another one beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct File {
    token: TokenId,
}

/// A session that lives.
#[derive(Debug, Clone)]
pub struct Found {
    /// Who is signed in.
    pub person: Person,
}

/// Signs somebody in; gives the cookie.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn open(app: &App, person: &Person) -> Result<HeaderValue> {
    let (secret, id_hash) = tokens::generate(app.ambient());
    let file = serde_json::to_string(&File { token: person.token }).map_err(|e| Error::Internal(e.to_string()))?;
    let row = SessionRow { id_hash, file, expires_at: end(app)? };
    if !app.storage().create_session(&row).await? {
        return Err(Error::Internal("a session id was there before".to_owned()));
    }
    let age = app.config().pages.session().as_secs();
    set(&format!("{NAME}={secret}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Lax"))
}

/// Who is signed in with these headers.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Found>> {
    let Some(secret) = cookie(headers, NAME) else { return Ok(None) };
    let storage = app.storage();
    let Some(mut row) = storage.session(&tokens::hash(secret)).await? else { return Ok(None) };
    let Ok(file) = serde_json::from_str::<File>(&row.file) else { return Ok(None) };
    let Some(person) = storage.person_by_token(file.token).await? else { return Ok(None) };
    let end = end(app)?;
    if end.duration_since(row.expires_at) >= MOVE_EVERY {
        row.expires_at = end;
        storage.save_session(&row).await?;
    }
    Ok(Some(Found { person }))
}

/// Ends the session; gives the cookie that makes the browser forget it.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn close(app: &App, headers: &HeaderMap) -> Result<HeaderValue> {
    if let Some(secret) = cookie(headers, NAME) {
        app.storage().delete_session(&tokens::hash(secret)).await?;
    }
    set(&format!("{NAME}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"))
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn end(app: &App) -> Result<Timestamp> {
    let lives = SignedDuration::try_from(app.config().pages.session()).map_err(|e| Error::Internal(e.to_string()))?;
    app.ambient().now().checked_add(lives).map_err(|e| Error::Internal(e.to_string()))
}

fn set(cookie: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(cookie).map_err(|error| Error::Internal(error.to_string()))
}
