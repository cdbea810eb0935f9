//! A claim for revision and the decision that it is against, on the pages of both cases.
//!
//! The decision is found by its number in the claim; where it is not, the registry says which it is. The act is
//! [`crate::review`]'s, as in the API.

use axum::response::Response;
use serde::Serialize;

use super::acts::Sent;
use crate::app::App;
use crate::cases::{Act, Case, CaseRef, Matter, Person};
use crate::http::error::{Error, Result};
use crate::http::identity::{Register, may};
use crate::http::pages::form::Form;
use crate::http::pages::reader::Reader;

/// What the page says of it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    is_claim: bool,
    may_link: bool,
    /// The title of the body that decides it.
    body: Option<String>,
    /// Claims against the decision of this case.
    against: Vec<CaseRef>,
    /// A number that was refused.
    typed: String,
}

impl View {
    /// Of this case, with what was typed.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) async fn of(app: &App, reader: &Reader, person: &Person, case: &Case, form: &Form) -> Result<Self> {
        let class = case.file.classification.as_ref();
        let is_claim = class.is_some_and(|class| class.matter == Matter::ClaimForRevision);
        let pack = &app.review().desk(&case.municipality)?.rulebook.pack;
        let body = case.file.about.as_ref().and_then(|about| pack.municipality.deciders.get(about.body.as_ref()?));
        let claims = app.storage().cases_about(&case.municipality, case.id).await?;
        let of_claim = |claim: &Case| {
            claim.file.classification.as_ref().is_some_and(|class| class.matter == Matter::ClaimForRevision)
        };
        let claims = claims.into_iter().filter(of_claim);
        Ok(Self {
            is_claim,
            may_link: is_claim && case.status.after(Act::Reenter, None).is_ok() && may::<Register>(person),
            body: body.map(|file| file.title.get(reader.language).to_owned()),
            against: claims.map(|claim| CaseRef { id: claim.id, number: claim.number }).collect(),
            typed: form.text("number").unwrap_or_default().to_owned(),
        })
    }
}

/// `POST /console/cases/{id}/link`
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn link(act: Sent<Register>) -> Result<Response> {
    let number = act.form.text("number").unwrap_or_default();
    let result = act.app.review().link(&act.person, act.id, number).await.map_err(Error::from);
    act.done("linked", result).await
}
