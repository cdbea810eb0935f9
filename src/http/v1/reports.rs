//! Reports: how the work goes, and how approvals are made. Figures only; nobody's data but the names of those who
//! approve, for their supervisor.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde::Deserialize;

use crate::app::App;
use crate::cases::Person;
use crate::http::body::{Id, Parameters};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadReports, Supervise};
use crate::http::openapi::Problems;
use crate::reports::guard::Guard;
use crate::reports::table::Table;
use crate::reports::{Report, Scope, Window};
use crate::review::Flaw;
use crate::triage::local_date;

/// Which days, and of what.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// First day in Finland; left out: eleven months before this month.
    #[serde(default)]
    #[param(example = "2026-01-01")]
    pub(in crate::http) from: String,
    /// Last day; left out: today.
    #[serde(default)]
    #[param(example = "2026-03-31")]
    pub(in crate::http) to: String,
    /// Of this service only.
    #[serde(default)]
    #[param(example = "private-road-grant")]
    pub(in crate::http) service: String,
    /// Of this department only.
    #[serde(default)]
    #[param(example = "technical")]
    pub(in crate::http) department: String,
}

impl Which {
    /// What is asked for.
    ///
    /// # Errors
    /// What cannot be used, by the name of the parameter.
    pub(in crate::http) fn scope(&self, today: Date) -> std::result::Result<Scope, Flaw> {
        let usual = Window::year_to(today);
        let day = |name: &str, text: &str, usual: Date| {
            if text.is_empty() {
                return Ok(usual);
            }
            let no_day = |_| Flaw::new(&format!("/{name}"), "this is no day", "send for example 2026-01-31");
            text.parse::<Date>().map_err(no_day)
        };
        let from = day("from", &self.from, usual.from())?;
        let to = day("to", &self.to, usual.to())?;
        let window = Window::new(from, to).map_err(|why| Flaw::new("/to", why.to_string(), "send another day"))?;
        Ok(Scope {
            window,
            service: slug("service", &self.service)?,
            department: slug("department", &self.department)?,
        })
    }
}

fn slug<T: std::str::FromStr>(name: &str, text: &str) -> std::result::Result<Option<T>, Flaw> {
    let no_id = |_| Flaw::new(&format!("/{name}"), "this is no id", "send an id of the municipality's files");
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(no_id) }
}

fn scope(app: &App, which: &Which) -> Result<Scope> {
    let refused = |flaw: Flaw| Error::parameter(flaw.pointer.trim_start_matches('/'), flaw.what, flaw.instead);
    which.scope(local_date(app.ambient().now())).map_err(refused)
}

/// The report of a scope, for programs and for people.
pub(in crate::http) async fn report(app: &App, person: &Person, scope: &Scope) -> Result<Report> {
    let baselines = &app.review().desk(&person.municipality)?.rulebook.pack.municipality.baselines;
    Ok(app.reports().report(&person.municipality, scope, baselines).await?)
}

/// How the work goes: what came in and was settled, how long it took, what is due, what people changed, what it cost.
///
/// Figures without anybody's data. A group of fewer than five has no percentile, mean or percentage (null). A saving is
/// told only against a baseline of the municipality's files. Roles: approver, supervisor, auditor, admin.
#[utoipa::path(get, path = "/reports", tag = "reports", params(Which),
    responses((status = 200, body = Report), Problems))]
pub async fn show(State(app): State<App>, person: Can<ReadReports>, which: Parameters<Which>) -> Result<Json<Report>> {
    report(&app, &person, &scope(&app, &which.0)?).await.map(Json)
}

/// How approvals were made, by person: time from the first look, quick ones, what was changed or given back.
///
/// Service and department do not matter here. Role: supervisor.
#[utoipa::path(get, path = "/reports/approvals", tag = "reports", params(Which),
    responses((status = 200, body = Guard), Problems))]
pub async fn approvals(
    State(app): State<App>,
    person: Can<Supervise>,
    which: Parameters<Which>,
) -> Result<Json<Guard>> {
    let scope = scope(&app, &which.0)?;
    Ok(Json(app.reports().approvals(&person.municipality, scope.window).await?))
}

/// One table of the report as CSV: `volume`, `series`, `lead-times`, `deadlines`, `corrections`, `as-drafted`, `blind`,
/// `detours`, `alerts`, `manual`, `costs`.
///
/// Roles: approver, supervisor, auditor, admin.
#[utoipa::path(get, path = "/reports/tables/{table}", tag = "reports", params(("table" = String, Path), Which),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
pub async fn table(
    State(app): State<App>,
    person: Can<ReadReports>,
    Id(name): Id<String>,
    which: Parameters<Which>,
) -> Result<Response> {
    let scope = scope(&app, &which.0)?;
    let report = report(&app, &person, &scope).await?;
    file(report.tables(), &name, scope.window)
}

/// One table on approvals as CSV: `approvers`, `quick-approvals`.
///
/// Role: supervisor.
#[utoipa::path(get, path = "/reports/approvals/tables/{table}", tag = "reports",
    params(("table" = String, Path), Which),
    responses((status = 200, body = String, content_type = "text/csv"), Problems))]
pub async fn approval_table(
    State(app): State<App>,
    person: Can<Supervise>,
    Id(name): Id<String>,
    which: Parameters<Which>,
) -> Result<Response> {
    let window = scope(&app, &which.0)?.window;
    let guard = app.reports().approvals(&person.municipality, window).await?;
    file(guard.tables(), &name, window)
}

fn file(tables: Vec<Table>, name: &str, window: Window) -> Result<Response> {
    let table = tables.into_iter().find(|table| table.name == name).ok_or(Error::NoSuch("table"))?;
    let text = table.csv().map_err(|error| Error::Internal(error.to_string()))?;
    let named = format!("attachment; filename=\"{}-{}-{}.csv\"", table.name, window.from(), window.to());
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, named)];
    Ok((headers, text).into_response())
}
