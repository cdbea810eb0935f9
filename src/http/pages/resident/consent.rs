//! Consent to publication on the pages: asked before sending ([`super::send`]), shown and withdrawn here at any time.

use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Serialize;

use super::case::Followed;
use super::posted::{Place as _, Posted};
use crate::app::App;
use crate::cases::Language;
use crate::http::error::Result;
use crate::http::pages::go;
use crate::municipality::format::ServiceFile;

/// What is shown of a consent.
#[derive(Debug, Default, Serialize)]
pub struct View {
    /// What may be published, where the service asks; none: nothing is asked.
    what: Option<String>,
    /// Since when it holds; none while it does not.
    since: Option<Timestamp>,
    /// When it was withdrawn.
    withdrawn: Option<Timestamp>,
    /// Since when everybody may read it.
    published: Option<Timestamp>,
}

/// The consent of the party of a case.
///
/// # Errors
/// [`crate::http::error::Error::Unavailable`].
pub async fn view(app: &App, followed: &Followed, service: Option<&ServiceFile>, language: Language) -> Result<View> {
    let name = service.and_then(|service| service.publication_consent.as_ref());
    let field = service.and_then(|service| service.fields.iter().find(|field| Some(&field.name) == name));
    let consent = app.storage().consent(followed.municipality(), followed.case.id).await?;
    let published = app.storage().publication(followed.municipality(), followed.case.id).await?;
    Ok(View {
        published: published.map(|publication| publication.published.at),
        what: field.map(|field| field.label.get(language).to_owned()),
        since: consent.filter(crate::cases::Consent::holds).map(|consent| consent.given_at),
        withdrawn: consent.and_then(|consent| consent.withdrawn_at),
    })
}

/// `POST /c/{secret}/consent`: gives it with `give`, withdraws it otherwise; back to the page that it was sent from.
///
/// # Errors
/// [`crate::http::error::Error::NoSuch`], [`crate::http::error::Error::TooOften`],
/// [`crate::http::error::Error::Unavailable`].
pub async fn set(posted: Posted<Followed>) -> Result<Response> {
    let Posted { app, place: followed, sent, .. } = posted;
    let given = sent.form.has("give");
    app.review().consent(&followed.person(), followed.case.id, given).await?;
    let word = if given { "consented" } else { "unconsented" };
    let page = if sent.form.has("own-data") { "/data" } else { "" };
    Ok(go(&format!("{}{page}?{word}=1", followed.path())).into_response())
}
