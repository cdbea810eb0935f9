//! Problem bodies (RFC 9457): what went wrong, where, and what to do instead.
//!
//! A [`Problem`] is made in one place only, [`super::error`]; the outermost layer ([`super::shell`]) adds the
//! `instance` and gives a body to answers that came without one (a framework's 404, 405, 408, 413).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::review::Flaw;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A problem as the API tells it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Stable name of the kind of problem, a URI reference.
    #[serde(rename = "type")]
    #[schema(example = "/problems/stale-draft")]
    pub kind: String,
    /// The kind in a few words; the same for each occurrence.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// This occurrence, and what to do.
    pub detail: String,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What is wrong in the request body, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemError>,
    /// Further members of this kind of problem, for example `current` of `/problems/stale-draft`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub more: Map<String, Value>,
}

/// One thing that is wrong in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProblemError {
    /// JSON pointer into the body (RFC 6901), or the name of a header or query parameter.
    #[schema(example = "/fields/total_length")]
    pub pointer: String,
    /// What is wrong.
    pub what: String,
    /// What to send instead.
    pub instead: String,
    /// Stable word for what is wrong, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "range")]
    pub code: Option<&'static str>,
}

impl From<&Flaw> for ProblemError {
    fn from(flaw: &Flaw) -> Self {
        Self { pointer: flaw.pointer.clone(), what: flaw.what.clone(), instead: flaw.instead.clone(), code: flaw.code }
    }
}

impl Problem {
    /// A problem of the kind `/problems/<slug>`.
    #[must_use]
    pub fn new(status: StatusCode, slug: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{slug}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: None,
            errors: Vec::new(),
            more: Map::new(),
        }
    }

    /// With what is wrong in the body.
    #[must_use]
    pub fn errors<'a>(mut self, flaws: impl IntoIterator<Item = &'a Flaw>) -> Self {
        self.errors = flaws.into_iter().map(Into::into).collect();
        self
    }

    /// With a further member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.more(name, value);
        self
    }

    /// Adds a further member, or takes the place of one.
    pub fn more(&mut self, name: &str, value: impl Serialize) {
        self.more.insert(name.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null));
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"vireille\""));
        }
        // The outermost layer takes it from here to add the instance.
        response.extensions_mut().insert(self);
        response
    }
}
