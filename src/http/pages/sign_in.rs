//! Signing in: with an access token anywhere; on this machine alone, where the settings allow it, by picking a person.
//!
//! Single sign-on takes the place of both one day: it ends in [`session::open`] like these two.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::kept::{self, Kept};
use super::limits::{Address, Limits};
use super::reader::Reader;
use super::{render, session};
use crate::app::App;
use crate::cases::{MunicipalityId, Person, Role, TokenId};
use crate::http::error::{Error, Result};
use crate::storage::tokens;

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct Back {
    #[serde(default)]
    to: String,
}

/// Somebody who may be picked.
#[derive(Debug, Serialize)]
struct Pick {
    token: TokenId,
    name: String,
    role: Role,
    post: Option<String>,
    municipality: String,
}

/// `GET /sign-in`
pub async fn show(State(app): State<App>, reader: Reader, local: Local, Query(back): Query<Back>) -> Result<Response> {
    form(&app, &reader, local, &back.to, None, None).await
}

/// `POST /sign-in`: with `token`, or on this machine with `person`.
pub async fn sign_in(
    State(app): State<App>,
    reader: Reader,
    local: Local,
    Extension(limits): Extension<Arc<Limits>>,
    address: Address,
    form: Form,
) -> Result<Response> {
    let to = form.text("to").unwrap_or_default().to_owned();
    let kept = Kept::through(&form, &to);
    limits.sign_in(address)?;
    let picked = form.text("person").and_then(|id| id.parse::<TokenId>().ok()).filter(|_| local.allowed);
    let person = if let Some(id) = picked {
        app.storage().person_by_token(id).await?
    } else {
        let secret = form.text("token").unwrap_or_default();
        app.storage().person_by_token_hash(&tokens::hash(secret)).await?
    };
    let Some(person) = person else {
        let mut response = self::form(&app, &reader, local, &to, Some("sign_in.unknown"), kept.as_ref()).await?;
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(response);
    };
    let cookie = session::open(&app, &person).await?;
    if let Some(kept) = kept {
        let page_of = kept::page_of(&kept.to);
        let page = render::page("again.html", &reader, context! { kept => Value::from(Serde(&kept)), page_of })?;
        return Ok(([(header::SET_COOKIE, cookie)], page).into_response());
    }
    let to = if is_here(&to) { to } else { home(&person).to_owned() };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response())
}

/// `POST /sign-out`
pub async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    let cookie = session::close(&app, &headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

/// The sign-in in place of an act whose session had ended, with the words that were typed.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn keeping(app: &App, reader: &Reader, local: Local, kept: &Kept) -> Result<Response> {
    let mut response = form(app, reader, local, &kept.to, Some("sign_in.ended"), Some(kept)).await?;
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    Ok(response)
}

async fn form(
    app: &App,
    reader: &Reader,
    local: Local,
    to: &str,
    fault: Option<&str>,
    kept: Option<&Kept>,
) -> Result<Response> {
    let people = if local.allowed { people(app, reader).await? } else { Vec::new() };
    let to = if is_here(to) { to } else { "" };
    render::page(
        "sign-in.html",
        reader,
        context! { people => Value::from(Serde(people)), kept => Value::from(Serde(kept)), to, fault, local => local.allowed },
    )
}

/// Everybody who has a token, in all municipalities that are served here.
async fn people(app: &App, reader: &Reader) -> Result<Vec<Pick>> {
    let mut people = Vec::new();
    let served: Vec<MunicipalityId> = app.rulebooks().iter().map(|(id, _)| id.clone()).collect();
    for id in served {
        let Some(rulebook) = app.rulebooks().get(&id) else { continue };
        let file = &rulebook.pack.municipality;
        for row in app.storage().tokens(&id).await? {
            let Person { token, role, name, post, .. } = row.person;
            let title = post.and_then(|post| Some(file.deciders.get(&post)?.title.get(reader.language).to_owned()));
            let municipality = file.name.get(reader.language).to_owned();
            people.push(Pick { token, name, role, post: title, municipality });
        }
    }
    Ok(people)
}

/// The first page of a role.
const fn home(person: &Person) -> &'static str {
    match person.role {
        Role::ResidentChannel => "/",
        Role::Admin => "/console/evaluations",
        Role::Supervisor => "/console/reports",
        _ => "/console",
    }
}

/// A path of ours: another site's address, also one that a browser takes for a path, is none.
#[must_use]
pub fn is_here(to: &str) -> bool {
    let mut chars = to.chars();
    chars.next() == Some('/')
        && !matches!(chars.next(), Some('/' | '\\'))
        && !to.chars().any(|c| c.is_control() || c == '\\' || c.is_whitespace())
}

/// Whether a person may be picked without a secret: the settings allow it, and the request comes from this machine and
/// not through a proxy.
#[derive(Debug, Clone, Copy)]
pub struct Local {
    allowed: bool,
}

impl axum::extract::FromRequestParts<App> for Local {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, app: &App) -> Result<Self> {
        Ok(Self::of(parts, app))
    }
}

impl Local {
    /// What holds for this request.
    #[must_use]
    pub fn of(parts: &axum::http::request::Parts, app: &App) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let forwarded = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        let direct = !forwarded.iter().any(|name| parts.headers.contains_key(*name));
        let allowed = app.config().pages.local_sign_in && direct && peer.is_some_and(|peer: IpAddr| peer.is_loopback());
        Self { allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_ours_is_gone_back_to() {
        for good in ["/", "/console", "/console/cases/1?tab=2#x"] {
            assert!(is_here(good), "{good}");
        }
        for bad in ["", "console", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "/\t/evil"] {
            assert!(!is_here(bad), "{bad:?}");
        }
    }
}
