//! Editing a draft: its own words stay the machine's, what a person may change stands in fields.
//!
//! Saved from the version that was opened; when another was saved meanwhile, nothing is overwritten: the page shows the
//! three texts side by side and keeps what was typed. Each saved version is verified like the machine's, and the page
//! shows what differs from it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::changes::{Change, changes};
use crate::app::App;
use crate::cases::{Case, CaseId, Draft, DraftHash, Part, PartKind, Person, Reason};
use crate::http::body::Id;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Prepare, ReadCases};
use crate::http::pages::form::Form;
use crate::http::pages::go;
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::http::problem::Problem;
use crate::review::{Edit, Refusal};

/// A text that may be edited.
#[derive(Debug, Serialize)]
struct Editable {
    /// Its name in the form: `part-3` or `reason-0`.
    name: String,
    label: Option<String>,
    kind: PartKind,
    /// What stands in the field.
    text: String,
    /// What stands in the latest version, where that is another than the one that was opened.
    theirs: Option<String>,
    fault: Option<String>,
}

#[derive(Debug, Serialize)]
struct View {
    case: Case,
    draft: Draft,
    texts: Vec<Editable>,
    stale: bool,
    problem: Option<Problem>,
}

/// `GET /console/cases/{id}/edit`
///
/// # Errors
/// [`Error::NoSuch`], [`Refusal::NoDraft`].
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
) -> Result<Response> {
    let (case, draft) = latest(&app, &person, id).await?;
    let texts = editable(&draft).map(|(name, label, kind, text)| Editable {
        name,
        label,
        kind,
        text: text.to_owned(),
        theirs: None,
        fault: None,
    });
    let texts = texts.collect();
    render::page("console/edit.html", &reader, &View { case, draft, texts, stale: false, problem: None })
}

/// `POST /console/cases/{id}/edit`
///
/// # Errors
/// A fault of ours; what cannot be saved is shown with what was typed.
pub async fn save(
    State(app): State<App>,
    reader: Reader,
    person: Can<Prepare>,
    Id(id): Id<CaseId>,
    form: Form,
) -> Result<Response> {
    let seen = DraftHash(form.text("draft_hash").unwrap_or_default().to_owned());
    let (case, draft) = latest(&app, &person, id).await?;
    // The edit is made of the version that was opened: code's own parts never pass through the browser.
    let versions = app.storage().drafts(&case.municipality, id).await?;
    let opened = versions.iter().find(|version| version.hash == seen).unwrap_or(&draft);
    let edit = edited(opened, &form);
    let refused = match app.review().edit(&person, id, &seen, edit).await {
        Ok(_) => return Ok(go(&format!("/console/cases/{id}?done=edited")).into_response()),
        Err(Refusal::Storage(error)) => return Err(error.into()),
        Err(refused) => refused,
    };
    let stale = matches!(refused, Refusal::StaleDraft { .. });
    let problem = Error::from(refused).problem();
    let status = if stale { StatusCode::CONFLICT } else { problem.status() };
    let now: Vec<_> = editable(&draft).collect();
    let texts = editable(opened).map(|(name, label, kind, text)| {
        let typed = typed(&form, &name).unwrap_or_else(|| text.to_owned());
        let theirs = now.iter().find(|(known, ..)| *known == name).map(|(_, _, _, text)| (*text).to_owned());
        let pointer = pointer(&name);
        let fault = problem.errors.iter().find(|error| error.pointer.starts_with(&pointer)).map(|e| e.what.clone());
        Editable { theirs: theirs.filter(|theirs| stale && *theirs != typed), name, label, kind, text: typed, fault }
    });
    let texts = texts.collect();
    let view = View { case, draft, texts, stale, problem: Some(problem) };
    let mut response = render::page("console/edit.html", &reader, &view)?;
    *response.status_mut() = status;
    Ok(response)
}

#[derive(Debug, Serialize)]
struct Versions {
    case: Case,
    versions: Vec<Version>,
}

/// A version and how it differs from the one before.
#[derive(Debug, Serialize)]
struct Version {
    draft: Draft,
    changes: Vec<Change>,
}

/// `GET /console/cases/{id}/versions`: every version, newest first, each with what it changed.
///
/// # Errors
/// [`Error::NoSuch`].
pub async fn versions(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
) -> Result<Response> {
    let case = app.storage().case(&person.municipality, id).await?.ok_or(Error::NoSuch("case"))?;
    app.review().require_judged(&person, &case)?;
    let all = app.storage().drafts(&case.municipality, id).await?;
    let mut versions: Vec<Version> = Vec::new();
    for (nth, draft) in all.iter().enumerate() {
        let before = nth.checked_sub(1).map_or("", |nth| all[nth].content.letter.as_str());
        let changes = if nth == 0 { Vec::new() } else { changes(before, &draft.content.letter) };
        versions.push(Version { draft: draft.clone(), changes });
    }
    versions.reverse();
    render::page("console/versions.html", &reader, &Versions { case, versions })
}

async fn latest(app: &App, person: &Person, id: CaseId) -> Result<(Case, Draft)> {
    let case = app.storage().case(&person.municipality, id).await?.ok_or(Error::NoSuch("case"))?;
    app.review().require_judged(person, &case)?;
    let draft = app.storage().latest_draft(&case.municipality, id).await?.ok_or(Refusal::NoDraft)?;
    Ok((case, draft))
}

/// What a person may change: parts that code does not work out, and each reason by itself.
fn editable(draft: &Draft) -> impl Iterator<Item = (String, Option<String>, PartKind, &str)> {
    let kind = draft.content.kind;
    draft.content.parts.iter().enumerate().filter(move |(_, part)| !part.kind.is_worked_out(kind)).flat_map(
        move |(nth, part)| {
            let reasons: &[Reason] = if part.kind == PartKind::Reasons { &draft.content.reasons } else { &[] };
            let whole =
                reasons.is_empty().then(|| (format!("part-{nth}"), part.title.clone(), part.kind, part.text.as_str()));
            let each = reasons.iter().enumerate().map(move |(n, reason)| {
                (format!("reason-{n}"), if n == 0 { part.title.clone() } else { None }, part.kind, reason.text.as_str())
            });
            whole.into_iter().chain(each)
        },
    )
}

/// A field as it was sent, also an empty one.
fn typed(form: &Form, name: &str) -> Option<String> {
    form.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.trim_end().to_owned())
}

fn edited(draft: &Draft, form: &Form) -> Edit {
    let parts = draft.content.parts.iter().enumerate().map(|(nth, part)| {
        let worked_out = part.kind.is_worked_out(draft.content.kind);
        let text = if worked_out { None } else { typed(form, &format!("part-{nth}")) };
        Part { text: text.unwrap_or_else(|| part.text.clone()), ..part.clone() }
    });
    let reasons = draft.content.reasons.iter().enumerate().filter_map(|(nth, reason)| {
        let text = typed(form, &format!("reason-{nth}")).unwrap_or_else(|| reason.text.clone());
        // An emptied reason is one that was taken out.
        (!text.trim().is_empty()).then(|| Reason { text, ..reason.clone() })
    });
    Edit { parts: parts.collect(), reasons: Some(reasons.collect()) }
}

/// Where the field stands in the edit, for its fault.
fn pointer(name: &str) -> String {
    match name.split_once('-') {
        Some(("reason", nth)) => format!("/reasons/{nth}/"),
        Some((_, nth)) => format!("/parts/{nth}/"),
        None => "/".to_owned(),
    }
}
