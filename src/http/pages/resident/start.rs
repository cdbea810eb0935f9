//! The first page: which municipalities are served here, and where each one's people are reached. Where there is only
//! one, its own page is the first.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};

use super::{Frame, Reached};
use crate::app::App;
use crate::cases::Language;
use crate::http::error::Result;
use crate::http::pages::reader::Reader;
use crate::http::pages::{go, render};
use crate::municipality::format::MunicipalityFile;

/// Where a person is reached in each municipality, for pages that belong to none.
#[must_use]
pub fn contacts(app: &App, language: Language) -> Vec<Reached> {
    app.rulebooks().iter().map(|(_, rulebook)| Frame::of(&rulebook.pack, None, language).contact).collect()
}

/// `GET /`
///
/// # Errors
/// A fault of ours.
pub async fn show(State(app): State<App>, reader: Reader) -> Result<Response> {
    let mut ids = app.rulebooks().iter().map(|(id, _)| id);
    if let (Some(only), None) = (ids.next(), ids.next()) {
        return Ok(go(&format!("/m/{only}")).into_response());
    }
    render::page("start.html", &reader, context! { municipalities => municipalities(&app, reader.language) })
}

/// The municipalities that are served here, as a page lists them.
pub(super) fn municipalities(app: &App, language: Language) -> Vec<Value> {
    let of = |file: &MunicipalityFile| {
        context! {
            id => file.id.as_str(),
            name => file.letterhead.get(language),
            phone => file.registry.phone.as_deref(),
            email => file.registry.email.as_deref(),
            address => file.registry.address.as_deref(),
            hours => file.registry.hours.as_ref().map(|hours| hours.get(language)),
        }
    };
    app.rulebooks().iter().map(|(_, rulebook)| of(&rulebook.pack.municipality)).collect()
}
