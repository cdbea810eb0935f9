//! The texts that bind, searched.

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::Deserialize;

use super::List;
use crate::app::App;
use crate::cases::{Language, Person, ServiceId};
use crate::clock::helsinki;
use crate::http::body::Parameters;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases};
use crate::http::openapi::Problems;
use crate::search::{self, Passage};

/// Longest question, characters.
const LONGEST: usize = 2000;
/// Passages when the caller names no `limit`, and the most it may ask for.
const USUAL: usize = 5;
const MOST: usize = 50;

/// What is asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The question, in words of the language; at most 2000 characters.
    pub q: String,
    /// Language of the texts that are searched; Finnish when left out.
    pub language: Option<Language>,
    /// Only texts that govern this service, and the statutes.
    #[param(value_type = Option<String>)]
    pub service: Option<ServiceId>,
    /// Only texts in force on this day; today when left out.
    #[param(value_type = Option<String>, format = "date")]
    pub on: Option<Date>,
    /// At most so many passages: 5 when left out, 50 at most.
    pub limit: Option<usize>,
}

/// The passages of policies and statutes that answer best, best first.
///
/// Roles: handler, approver, registry, auditor. Several passages, never "the" passage: read them.
#[utoipa::path(get, path = "/policies/search", tag = "policies", params(Asked),
    responses((status = 200, body = List<Passage>), Problems))]
pub async fn find(
    State(app): State<App>,
    person: Can<ReadCases>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Json<List<Passage>>> {
    Ok(Json(List { items: passages(&app, &person, asked).await? }))
}

/// The passages that answer best, of the texts that bind in the person's municipality.
pub async fn passages(app: &App, person: &Person, asked: Asked) -> Result<Vec<Passage>> {
    if asked.q.trim().is_empty() || asked.q.chars().nth(LONGEST).is_some() {
        let what = "the question is empty or longer than 2000 characters";
        return Err(Error::parameter("q", what, "ask in a few words"));
    }
    let query = search::Query {
        municipality: person.municipality.clone(),
        text: asked.q,
        language: asked.language.unwrap_or(Language::Fi),
        service: asked.service,
        on: asked.on.unwrap_or_else(|| app.ambient().now().to_zoned(helsinki()).date()),
        limit: asked.limit.unwrap_or(USUAL).clamp(1, MOST),
    };
    let desk = app.triage().desk(&person.municipality).map_err(|error| Error::Internal(error.to_string()))?;
    desk.search.search(&query).await.map_err(|error| Error::Internal(error.to_string()))
}
