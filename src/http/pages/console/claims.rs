//! A case that is about the decision of another (a claim for revision, a recovery, a correction), on the pages of both.
//!
//! The decision is found by its number in the words; where it is not, the registry says which it is. The act is
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
use crate::municipality::Pack;
use crate::municipality::format::ServiceFile;

/// What the page says of it.
#[derive(Debug, Serialize)]
pub(super) struct View {
    is_claim: bool,
    /// It is about a decision, whether or not that is known.
    is_about: bool,
    may_link: bool,
    /// The title of the body that decides a claim.
    body: Option<String>,
    /// Claims against the decision of this case.
    against: Vec<CaseRef>,
    /// Other cases about it, with the name of their service.
    others: Vec<(CaseRef, String)>,
    /// A number that was refused.
    typed: String,
}

impl View {
    /// Of this case, with what was typed.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) async fn of(app: &App, reader: &Reader, person: &Person, case: &Case, form: &Form) -> Result<Self> {
        let pack = &app.review().desk(&case.municipality)?.rulebook.pack;
        let is_claim = is_claim(case);
        let may_be_about = is_claim || service_about(pack, case).is_some();
        let body = case.file.about.as_ref().and_then(|about| pack.municipality.deciders.get(about.body.as_ref()?));
        let all = app.storage().cases_about(&case.municipality, case.id).await?;
        let of = |other: &Case| CaseRef { id: other.id, number: other.number.clone() };
        // Also a message about the decision, such as that its application is withdrawn after all: the decision stands.
        let name = |other: &Case| {
            let class = other.file.classification.as_ref()?;
            let service = class.service.as_ref().and_then(|id| pack.service(id));
            let named = service.map(|service| service.name.get(reader.language).to_owned());
            Some(named.unwrap_or_else(|| reader.word(&format!("matter.{}", class.matter))))
        };
        let others = all.iter().filter(|other| !self::is_claim(other));
        let others = others.map(|other| (of(other), name(other).unwrap_or_else(|| reader.word("queue.unread"))));
        Ok(Self {
            is_claim,
            is_about: may_be_about || case.file.about.is_some(),
            may_link: may_be_about && case.status.after(Act::Reenter, None).is_ok() && may::<Register>(person),
            body: body.filter(|_| is_claim).map(|file| file.title.get(reader.language).to_owned()),
            against: all.iter().filter(|other| self::is_claim(other)).map(of).collect(),
            others: others.collect(),
            typed: form.text("number").unwrap_or_default().to_owned(),
        })
    }
}

fn is_claim(case: &Case) -> bool {
    case.file.classification.as_ref().is_some_and(|class| class.matter == Matter::ClaimForRevision)
}

/// The service of a case that is about the decision of another.
fn service_about<'a>(pack: &'a Pack, case: &Case) -> Option<&'a ServiceFile> {
    let service = case.file.classification.as_ref()?.service.as_ref()?;
    pack.service(service).filter(|service| service.about.is_some())
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
