//! The pages for residents. One file a page; no page here needs a sign-in.
//!
//! In reading order: [`start`] and [`choose`] (what can be done here), [`fields`] (a form, as its service defines it),
//! [`upload`] (what a browser sends), [`fill`] (a form that is kept while it is filled in), [`send`] (check and send),
//! [`case`] (the case by its link), [`related`] (what it hangs together with), [`answer`] (what a request for completion
//! asks), [`messages`], [`consent`], [`own_data`], [`feedback`] (what everybody may read). Below them: [`posted`] (what every form that is sent begins with), [`window`], [`registers`], [`danger`].
//! Whoever has a link may do what it stands for and nothing else: a link is unguessable, and the database knows its hash
//! only. Somebody who signs in as a party one day comes to the same [`case::Followed`] by another way.

pub mod answer;
pub mod case;
pub mod choose;
pub mod consent;
pub mod danger;
pub mod feedback;
pub mod fields;
pub mod fill;
pub mod messages;
pub mod own_data;
pub mod posted;
pub mod registers;
pub mod related;
pub mod send;
pub mod start;
pub mod upload;
pub mod window;

use axum::Router;
use axum::routing::{get, post};
use serde::Serialize;

use crate::app::App;
use crate::cases::{Language, MunicipalityId};
use crate::http::error::{Error, Result};
use crate::municipality::Pack;
use crate::municipality::format::{Contact, ServiceFile};
use crate::triage::Desk;

/// The pages for residents.
pub fn router() -> Router<App> {
    Router::new()
        .route("/", get(start::show))
        .route("/m/{municipality}", get(choose::show))
        .route("/feedback", get(feedback::choose))
        .route("/m/{municipality}/feedback", get(feedback::show))
        .route("/m/{municipality}/forms", post(fill::begin))
        .route("/forms/{secret}", get(fill::show).post(fill::save))
        .route("/forms/{secret}/check", get(send::check))
        .route("/forms/{secret}/send", post(send::send))
        .route("/c/{secret}", get(case::show))
        .route("/c/{secret}/answer", post(answer::answer))
        .route("/c/{secret}/withdraw", post(case::withdraw))
        .route("/c/{secret}/again", post(case::again))
        .route("/c/{secret}/message", post(messages::write))
        .route("/c/{secret}/consent", post(consent::set))
        .route("/c/{secret}/data", get(own_data::show))
}

/// What every page of a municipality shows: whose it is and where a person is reached.
#[derive(Debug, Serialize)]
pub struct Frame {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who answers questions here.
    pub contact: Reached,
}

/// Where a person is reached.
#[derive(Debug, Serialize)]
pub struct Reached {
    name: String,
    phone: Option<String>,
    hours: Option<String>,
    email: Option<String>,
    address: Option<String>,
}

impl Frame {
    /// The frame of a page; the department of the service answers, else the registry.
    #[must_use]
    pub fn of(pack: &Pack, service: Option<&ServiceFile>, language: Language) -> Self {
        let file = &pack.municipality;
        let department = service.and_then(|service| file.departments.get(&service.department));
        let contact: &Contact = department.map_or(&file.registry, |department| &department.contact);
        Self {
            id: file.id.to_string(),
            name: file.letterhead.get(language).to_owned(),
            contact: Reached {
                name: contact.name.get(language).to_owned(),
                phone: contact.phone.clone(),
                hours: contact.hours.as_ref().map(|hours| hours.get(language).to_owned()),
                email: contact.email.clone(),
                address: contact.address.clone(),
            },
        }
    }
}

/// The desk of a municipality that is served here.
fn desk<'a>(app: &'a App, municipality: &MunicipalityId) -> Result<&'a Desk> {
    if app.rulebooks().get(municipality).is_none() {
        return Err(Error::NoSuch("municipality"));
    }
    Ok(app.review().desk(municipality)?)
}
