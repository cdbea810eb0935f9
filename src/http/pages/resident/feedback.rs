//! What residents wrote to their municipality and what it answered, for everybody to read: no sign-in, no cookie. Shown is
//! what a person published while its sender consents; nothing here leads to a case or to who wrote.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::start::municipalities;
use super::{Frame, desk};
use crate::app::App;
use crate::cases::Language;
use crate::http::error::{Error, Result};
use crate::http::pages::reader::{Reader, encoded};
use crate::http::pages::{go, render};
use crate::triage::local_date;

/// So many stand on a page.
const ON_A_PAGE: u32 = 20;

/// Which page.
#[derive(Debug, Deserialize)]
pub struct Which {
    #[serde(default)]
    cursor: String,
}

/// A publication as everybody reads it.
#[derive(Debug, Serialize)]
struct Line {
    language: Language,
    text: String,
    answer: Option<String>,
    day: Date,
}

#[derive(Debug, Serialize)]
struct View {
    frame: Frame,
    lines: Vec<Line>,
    /// Address of the next page.
    next: Option<String>,
    /// The reader has gone on from the first page.
    further: bool,
}

/// `GET /feedback`: the municipalities that are served here; where there is only one, its page.
///
/// # Errors
/// A fault of ours.
pub async fn choose(State(app): State<App>, reader: Reader) -> Result<Response> {
    let mut ids = app.rulebooks().iter().map(|(id, _)| id);
    if let (Some(only), None) = (ids.next(), ids.next()) {
        return Ok(go(&format!("/m/{only}/feedback")).into_response());
    }
    let all = municipalities(&app, reader.language);
    render::page("start.html", &reader, minijinja::context! { municipalities => all, feedback => true })
}

/// `GET /m/{municipality}/feedback`
///
/// # Errors
/// [`Error::NoSuch`]: nobody is served under that name.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(municipality): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response> {
    let municipality = municipality.parse().map_err(|_| Error::NoSuch("municipality"))?;
    let pack = &desk(&app, &municipality)?.rulebook.pack;
    let after = which.cursor.parse().ok();
    let page = app.storage().publications(&municipality, after.as_ref(), ON_A_PAGE).await?;
    let line = |one: crate::cases::Publication| Line {
        language: one.language,
        text: one.text,
        answer: one.answer,
        day: local_date(one.published.at),
    };
    let view = View {
        frame: Frame::of(pack, None, reader.language),
        lines: page.rows.into_iter().map(line).collect(),
        next: page.next.map(|next| format!("/m/{municipality}/feedback?cursor={}", encoded(&next.to_string()))),
        further: after.is_some(),
    };
    render::page("resident/feedback.html", &reader, &view)
}
