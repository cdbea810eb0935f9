//! The texts that bind, for those who apply them: the list with a search, one version, two side by side, and the impact
//! of one against the other.
//!
//! The same functions as `GET /v1/policies…`. A day that cannot be read is said beside the field, with what was typed;
//! versions that nobody chose are the two newest.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cases::{DocumentId, Language, Person};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases};
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::http::v1::policies::{Asked, passages};
use crate::http::v1::policy_impact::of_stored;
use crate::http::v1::policy_versions::{PolicyDocument, PolicyVersion, Two, documents, two, version};
use crate::policy::comparison::{Comparison, compare as compare_versions};
use crate::policy::impact::{Consequence, Impact, Line};
use crate::search::Passage;
use crate::triage::local_date;

/// Longest question, characters; the API's limit.
const LONGEST: usize = 2_000;
/// Passages that a search shows.
const PASSAGES: usize = 10;
/// Cases that the impact shows; the table for a spreadsheet has all.
const LINES: usize = 200;

/// On which day, and what is searched.
#[derive(Debug, Default, Deserialize)]
pub struct Wish {
    #[serde(default)]
    on: String,
    #[serde(default)]
    q: String,
}

/// Which versions were chosen.
#[derive(Debug, Default, Deserialize)]
pub struct Chosen {
    a: Option<String>,
    b: Option<String>,
}

#[derive(Debug, Serialize)]
struct Shelf {
    documents: Vec<PolicyDocument>,
    on: Date,
    /// The day as it was typed.
    typed: String,
    /// The day could not be read.
    fault: bool,
    q: String,
    /// What was found; none when nothing was asked.
    found: Option<Vec<Passage>>,
}

/// `GET /console/policies`
///
/// # Errors
/// What the search says.
pub async fn list(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Query(wish): Query<Wish>,
) -> Result<Response> {
    let today = local_date(app.ambient().now());
    let typed = wish.on.trim();
    let day = if typed.is_empty() { Ok(today) } else { typed.parse::<Date>() };
    let (on, fault) = (day.as_ref().copied().unwrap_or(today), day.is_err());
    let q: String = wish.q.trim().chars().take(LONGEST).collect();
    let found = if q.is_empty() { None } else { Some(search(&app, &person, &reader, &q, on).await?) };
    let book = &app.review().desk(&person.municipality)?.rulebook;
    let typed = if typed.is_empty() { today.to_string() } else { typed.chars().take(40).collect() };
    let view = Shelf { documents: documents(book, on, reader.language), on, typed, fault, q, found };
    render::page("console/policies.html", &reader, view)
}

/// Statutes and policies are written in Finnish and Swedish: who reads English searches the Finnish texts.
async fn search(app: &App, person: &Person, reader: &Reader, q: &str, on: Date) -> Result<Vec<Passage>> {
    let language = if reader.language == Language::Sv { Language::Sv } else { Language::Fi };
    let asked = Asked { q: q.to_owned(), language: Some(language), service: None, on: Some(on), limit: Some(PASSAGES) };
    passages(app, person, asked).await
}

/// `GET /console/policies/{document}`, as `id@version`.
///
/// # Errors
/// [`Error::NoSuch`] without such a version.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Path(document): Path<String>,
) -> Result<Response> {
    let view: PolicyVersion = version(&app, &person, &document, reader.language).await?;
    render::page("console/policy.html", &reader, view)
}

/// The versions to choose from, and the two that were chosen.
#[derive(Debug, Serialize)]
struct Choice {
    document: DocumentId,
    title: String,
    versions: Vec<Date>,
    a: Date,
    b: Date,
}

fn choice(app: &App, person: &Person, reader: &Reader, name: &str, chosen: &Chosen) -> Result<(Choice, Two)> {
    let none = || Error::NoSuch("policy");
    let book = &app.review().desk(&person.municipality)?.rulebook;
    let document: DocumentId = name.parse().map_err(|_| none())?;
    let versions = book.library.versions(&document);
    let newest = versions.last().ok_or_else(none)?;
    let earlier = versions.iter().rev().nth(1).unwrap_or(newest);
    let day = |text: &Option<String>, usual: Date| {
        text.as_ref().map_or(Ok(usual), |text| text.parse::<Date>().map_err(|_| none()))
    };
    let which = Two {
        a: day(&chosen.a, earlier.version())?,
        b: day(&chosen.b, newest.version())?,
        language: Some(reader.language),
    };
    let versions = versions.iter().rev().map(|version| version.version()).collect();
    let title = newest.title(reader.language).to_owned();
    Ok((Choice { document, title, versions, a: which.a, b: which.b }, which))
}

#[derive(Debug, Serialize)]
struct Compared {
    choice: Choice,
    comparison: Comparison,
}

/// `GET /console/policies/{document}/compare`
///
/// # Errors
/// [`Error::NoSuch`] without such versions.
pub async fn compare(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Path(document): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Response> {
    let (choice, which) = choice(&app, &person, &reader, &document, &chosen)?;
    let book = &app.review().desk(&person.municipality)?.rulebook;
    let (before, after) = two(&book.library, &document, &which)?;
    let comparison = compare_versions(before, after, &book.pack, reader.language);
    render::page("console/policy-compare.html", &reader, Compared { choice, comparison })
}

#[derive(Debug, Serialize)]
struct Weighed {
    choice: Choice,
    impact: Impact,
    /// The cases for which something changes or is unknown; at most [`LINES`].
    lines: Vec<Line>,
    /// How many of them are not shown.
    more: usize,
}

/// `GET /console/policies/{document}/impact`
///
/// # Errors
/// [`Error::NoSuch`] without such versions; what the database says.
pub async fn impact(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Path(document): Path<String>,
    Query(chosen): Query<Chosen>,
) -> Result<Response> {
    let (choice, which) = choice(&app, &person, &reader, &document, &chosen)?;
    let mut impact = of_stored(&app, &person, &document, which).await?;
    let mut lines = std::mem::take(&mut impact.cases);
    lines.retain(|line| line.consequence != Consequence::Same);
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    render::page("console/policy-impact.html", &reader, Weighed { choice, impact, lines, more })
}
