//! Who reads, in which language: the layer around every page, and what the frame of a page shows.
//!
//! A language is chosen by `?lang=sv` and remembered in a cookie; else the browser's wish counts. A refusal leaves
//! [`super::super::error`] as a problem like everywhere; here, and only here, it becomes a page for people. A person
//! whose session has ended is led to the sign-in and back.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::resident::start;
use super::sign_in::{self, Local};
use super::{kept, render, session};
use crate::app::App;
use crate::app::packs::PackState;
use crate::cases::{Language, Person};
use crate::http::error::{Error, Result};
use crate::http::identity::{Asker, ReadCases, ReadEvaluations, ReadPacks, ReadReports, Receive, Supervise, may};
use crate::http::problem::Problem;

/// The cookie that remembers the language.
const LANGUAGE: &str = "lang";
/// What a page may load and where its forms may go: ourselves. No script or style inside a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Who reads this page.
#[derive(Debug, Clone, Serialize)]
pub struct Reader {
    /// In which language.
    pub language: Language,
    /// The path, without the query.
    pub path: String,
    /// The query without the language, with a leading `&` where there is one: for links to the other languages.
    pub query: String,
    /// Who is signed in.
    pub person: Option<Person>,
    /// Whether the reader may read the queue.
    pub cases: bool,
    /// Whether the reader may register what came by telephone, on paper or at the desk.
    pub registers: bool,
    /// Whether the reader may read runs of evaluations.
    pub evaluations: bool,
    /// Whether the reader may read reports.
    pub reports: bool,
    /// Whether the reader may see how approvals are made.
    pub supervises: bool,
    /// Alerts that wait for a person, where the reader is one who may see them.
    pub alerts: usize,
    /// The pack of the reader's municipality while newer files are at fault, where the reader is one who may see it.
    pub pack: Option<PackState>,
}

impl Reader {
    /// A word in the reader's language; the key itself when there is none.
    #[must_use]
    pub fn word(&self, key: &str) -> String {
        render::word(key, self.language).unwrap_or(key).to_owned()
    }

    fn of(parts: &Parts, person: Option<Person>) -> Self {
        let asked = query_language(&parts.uri);
        let language = asked.or_else(|| session::cookie(&parts.headers, LANGUAGE).and_then(Language::from_code));
        Self {
            language: language.or_else(|| wished(&parts.headers)).unwrap_or(Language::Fi),
            path: parts.uri.path().to_owned(),
            query: query_without_language(&parts.uri),
            cases: person.as_ref().is_some_and(may::<ReadCases>),
            registers: person.as_ref().is_some_and(may::<Receive>),
            evaluations: person.as_ref().is_some_and(may::<ReadEvaluations>),
            reports: person.as_ref().is_some_and(may::<ReadReports>),
            supervises: person.as_ref().is_some_and(may::<Supervise>),
            person,
            alerts: 0,
            pack: None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Error::Internal("a page outside its layer".to_owned()))
    }
}

/// Finds out who reads, answers, and dresses the answer as a page.
pub async fn arrive(State(app): State<App>, request: Request, next: Next) -> Result<Response> {
    let found = session::find(&app, request.headers()).await?;
    let (kept, request) = if found.is_none() { kept::take(request).await } else { (None, request) };
    let (mut parts, body) = request.into_parts();
    let local = Local::of(&parts, &app);
    let person = found.map(|found| found.person);
    let asker = person.clone().map_or(Asker::Nobody, Asker::Known);
    let mut reader = Reader::of(&parts, person);
    if let Some(person) = &reader.person
        && reader.cases
    {
        reader.alerts = app.storage().alerts(&person.municipality, true).await?.len();
    }
    if let Some(person) = reader.person.as_ref().filter(|person| may::<ReadPacks>(person)) {
        reader.pack = app.packs().state(&person.municipality).filter(|pack| !pack.faults.is_empty());
    }
    parts.extensions.insert(asker);
    parts.extensions.insert(reader.clone());
    let (method, chosen) = (parts.method.clone(), query_language(&parts.uri));
    let wants_page = accepts_html(&parts.headers);
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(problem) = response.extensions().get::<Problem>().cloned()
        && wants_page
    {
        response = match kept {
            Some(kept) if problem.status() == StatusCode::UNAUTHORIZED => {
                sign_in::keeping(&app, &reader, local, &kept).await?
            }
            _ => refused(&app, &reader, &problem, &method, &target)?,
        };
    }
    let headers = response.headers_mut();
    // What is stricter than a page (a stranger's file, a report) says so itself.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("permissions-policy"), HeaderValue::from_static("geolocation=(self)"));
    if let Some(language) = chosen {
        let cookie = format!("{LANGUAGE}={language}; Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Lax");
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(|e| Error::Internal(e.to_string()))?);
    }
    Ok(response)
}

/// A problem as people read it.
fn refused(app: &App, reader: &Reader, problem: &Problem, method: &Method, target: &str) -> Result<Response> {
    if problem.status() == StatusCode::UNAUTHORIZED {
        // An act is looked at anew before it is done.
        let to = if method == Method::GET { target } else { kept::page_of(target) };
        return Ok(Redirect::to(&format!("/sign-in?to={}", encoded(to))).into_response());
    }
    let slug = problem.kind.rsplit('/').next().unwrap_or_default();
    let known = render::word(&format!("problem.{slug}"), reader.language).is_some();
    let title = format!("problem.{}", if known { slug } else { "other" });
    let view = context! { title => title, detail => problem.detail.as_str(), known => known, status => problem.status,
    contacts => Value::from(Serde(if reader.person.is_none() { start::contacts(app, reader.language) } else { Vec::new() })),
    errors => Value::from(Serde(&problem.errors)) };
    let mut response = render::page("problem.html", reader, view)?;
    *response.status_mut() = problem.status();
    Ok(response)
}

/// A text as the value of a query parameter.
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        use std::fmt::Write as _;
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

fn pairs(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
}

fn query_language(uri: &Uri) -> Option<Language> {
    pairs(uri).find_map(|pair| Language::from_code(pair.strip_prefix("lang=")?))
}

fn query_without_language(uri: &Uri) -> String {
    pairs(uri).filter(|pair| !pair.starts_with("lang=")).flat_map(|pair| ["&", pair]).collect()
}

/// The first language of the browser's list that we have.
fn wished(headers: &HeaderMap) -> Option<Language> {
    let list = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    list.split(',').find_map(|wish| Language::from_code(wish.trim().get(..2)?))
}

/// A browser asks for HTML; a program that lost its way gets the problem as it is.
fn accepts_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}
