//! Runs of evaluation suites, as they lie in the folder of the settings. Figures and ids; no text of a case.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::evals::report::{self, Counts, Format, Report};
use crate::evals::shelf::{Headline, Listed, Missing, RunName, Shelf, State as RunState};
use crate::http::body::{Id, Parameters};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadEvaluations};
use crate::http::openapi::Problems;

/// Which page of the runs.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WhichRuns {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows on the page.
    limit: Option<u32>,
}

/// A page of runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Evaluations {
    /// Newest first.
    items: Vec<Evaluation>,
    /// `cursor` of the next page; null on the last one.
    next: Option<String>,
}

/// A run of a suite. What is not known of it is null.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Evaluation {
    /// Its name.
    #[schema(example = "20260302T081500Z-triage-1a2b3c4d")]
    run: String,
    /// Whether it ended.
    state: EvaluationState,
    /// Why it cannot be read.
    problem: Option<String>,
    /// The suite.
    suite: Option<String>,
    /// When it began.
    #[schema(value_type = Option<String>)]
    started: Option<Timestamp>,
    /// The language model; null: the offline engine alone.
    model: Option<String>,
    /// `pass`, `fail`, `inconclusive`, `incomplete` or `over-budget`.
    outcome: Option<&'static str>,
    /// Rows by what became of them.
    counts: Option<EvaluationCounts>,
    /// The figures that gates hold, and the share of cases as asked.
    figures: Vec<EvaluationFigure>,
}

/// Whether a run ended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvaluationState {
    /// It did.
    Complete,
    /// It goes on, or was broken off.
    Unfinished,
    /// It cannot be read.
    Broken,
}

/// Rows of a run by what became of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EvaluationCounts {
    /// Rows that a complete run has.
    selected: usize,
    /// Rows there are.
    rows: usize,
    /// As asked.
    ok: usize,
    /// Not as asked.
    failed: usize,
    /// No answer.
    error: usize,
    /// No grade.
    ungraded: usize,
    /// Left out on purpose.
    skipped: usize,
}

/// A figure of a run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EvaluationFigure {
    /// Its name.
    #[schema(example = "urgency.under_triage")]
    name: String,
    /// Its value.
    value: f64,
    /// Lower 95 % bound, where it has a quick one.
    low: Option<f64>,
    /// Upper 95 % bound.
    high: Option<f64>,
    /// Over how many cases.
    cases: usize,
}

impl From<Listed> for Evaluation {
    fn from(Listed { name, state }: Listed) -> Self {
        let (state, outcome, headline, problem) = match state {
            RunState::Complete(outcome, headline) => {
                (EvaluationState::Complete, Some(outcome.as_str()), Some(headline), None)
            }
            RunState::Unfinished(headline) => (EvaluationState::Unfinished, None, headline, None),
            RunState::Broken(why) => (EvaluationState::Broken, None, None, Some(why)),
        };
        let bare = Self {
            run: name.as_str().to_owned(),
            state,
            problem,
            suite: None,
            started: None,
            model: None,
            outcome,
            counts: None,
            figures: Vec::new(),
        };
        let Some(headline) = headline else { return bare };
        let Headline { record, counts, figures } = *headline;
        Self {
            suite: Some(record.suite.suite),
            started: Some(record.started),
            model: record.model,
            counts: Some(counts.into()),
            figures: figures
                .into_iter()
                .map(|(name, measure)| EvaluationFigure {
                    name,
                    value: measure.value,
                    low: measure.low,
                    high: measure.high,
                    cases: measure.scored,
                })
                .collect(),
            ..bare
        }
    }
}

impl From<Counts> for EvaluationCounts {
    fn from(Counts { selected, rows, ok, failed, error, ungraded, skipped }: Counts) -> Self {
        Self { selected, rows, ok, failed, error, ungraded, skipped }
    }
}

/// Runs of evaluation suites, newest first.
///
/// They hold no resident's data, and are the same for every municipality. Roles: approver, auditor, admin.
#[utoipa::path(get, path = "/evaluations", tag = "evaluations", params(WhichRuns),
    responses((status = 200, body = Evaluations), Problems))]
pub async fn list(
    State(app): State<App>,
    _person: Can<ReadEvaluations>,
    which: Parameters<WhichRuns>,
) -> Result<Json<Evaluations>> {
    let limit = which.0.limit.unwrap_or(app.config().api.page_size);
    runs(&app, which.0.cursor.as_deref(), limit).await.map(Json)
}

/// A page of the runs, for programs and for people.
pub(in crate::http) async fn runs(app: &App, cursor: Option<&str>, limit: u32) -> Result<Evaluations> {
    let limit = limit.clamp(1, app.config().api.max_page_size) as usize;
    let no_cursor = |_| Error::parameter("cursor", "this is no cursor", "send `next` of the page before");
    let after: Option<RunName> = cursor.map(str::parse).transpose().map_err(no_cursor)?;
    let page = read(app, move |shelf| shelf.page(after.as_ref(), limit)).await?;
    let next = page.next.map(|next| next.as_str().to_owned());
    Ok(Evaluations { items: page.runs.into_iter().map(Evaluation::from).collect(), next })
}

/// A run: what was run, figures, gates, comparison with the baseline, and what became of each case.
///
/// The same as `vireille eval run -o report.json`; no text of a case. Roles: approver, auditor, admin.
#[utoipa::path(get, path = "/evaluations/{run}", tag = "evaluations", params(("run" = String, Path)),
    responses((status = 200, body = Object), Problems))]
pub async fn show(State(app): State<App>, _person: Can<ReadEvaluations>, Id(name): Id<RunName>) -> Result<Json<Value>> {
    let report = found(&app, name).await?;
    let value = serde_json::to_value(report).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Json(value))
}

/// The report of a run as one page: no script, nothing from elsewhere, no text of a case.
///
/// Roles: approver, auditor, admin.
#[utoipa::path(get, path = "/evaluations/{run}/report", tag = "evaluations", params(("run" = String, Path)),
    responses((status = 200, body = String, content_type = "text/html"), Problems))]
pub async fn page(State(app): State<App>, _person: Can<ReadEvaluations>, Id(name): Id<RunName>) -> Result<Response> {
    let report = found(&app, name).await?;
    let page = report::render(Format::Html, &[report]).map_err(|error| Error::Internal(error.to_string()))?;
    let policy = HeaderValue::from_str(&policy(&page)).map_err(|error| Error::Internal(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((headers, page).into_response())
}

/// What a page may do: look as its own `<style>` says, and nothing else.
fn policy(page: &str) -> String {
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map(|(style, _)| style);
    let hash = BASE64_STANDARD.encode(Sha256::digest(style.unwrap_or_default()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    )
}

async fn found(app: &App, name: RunName) -> Result<Report> {
    read(app, move |shelf| shelf.report(&name)).await?.map_err(|missing| match missing {
        Missing::Nowhere => Error::NoSuch("evaluation run"),
        Missing::Broken(why) => Error::BrokenRun(why),
    })
}

/// Reads files where no request waits for it.
async fn read<T: Send + 'static>(app: &App, look: impl FnOnce(Shelf) -> T + Send + 'static) -> Result<T> {
    let shelf = app.evaluations();
    tokio::task::spawn_blocking(move || look(shelf)).await.map_err(|error| Error::Internal(error.to_string()))
}
