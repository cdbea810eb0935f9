//! Publication from the page of a case: the proposed text to be read and edited, what is shown now, and taking it away. The
//! same as `POST /v1/cases/{id}/publish`.

use axum::response::Response;
use serde::Serialize;

use super::acts::{Sent, words};
use crate::app::App;
use crate::cases::{Case, Person, Status};
use crate::http::error::{Error, Result};
use crate::http::identity::{Prepare, may};
use crate::http::pages::form::Form;
use crate::review::{Flaw, NewPublication, Publishing, Refusal};

/// What the page shows; nothing where the party does not consent, or the case was merged or withdrawn.
#[derive(Debug, Serialize)]
pub(super) struct View {
    #[serde(flatten)]
    state: Publishing,
    may: bool,
    /// What stands in the form: typed, shown now, or proposed.
    text: String,
    answer: String,
    /// The form was refused and stays open.
    open: bool,
}

impl View {
    /// Of this case, with what was typed.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) async fn of(app: &App, person: &Person, case: &Case, form: &Form) -> Result<Option<Self>> {
        // Most cases have no consent, and then nothing has to be proposed.
        let consent = app.storage().consent(&case.municipality, case.id).await?;
        let is_gone = matches!(case.status, Status::Merged | Status::Withdrawn);
        if is_gone || !consent.is_some_and(|consent| consent.holds()) {
            return Ok(None);
        }
        let state = app.review().publishing(case).await?;
        let open = form.has("publish_text");
        let typed = |name: &str| form.text(name).unwrap_or_default().to_owned();
        let (text, answer) = match &state.shown {
            _ if open => (typed("publish_text"), typed("publish_answer")),
            Some(shown) => (shown.text.clone(), shown.answer.clone().unwrap_or_default()),
            None => (state.proposed.text.clone(), state.proposed.answer.clone().unwrap_or_default()),
        };
        let may = may::<Prepare>(person) && !case.file.is_disqualified(person);
        Ok(Some(Self { state, may, text, answer, open }))
    }
}

/// `POST /console/cases/{id}/publish`: only with the tick that the words were read.
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn publish(act: Sent<Prepare>) -> Result<Response> {
    let result = async {
        if !act.form.has("publish_read") {
            return Err(Error::unusable("/publish_read", "nothing was confirmed", "read the words and tick the box"));
        }
        let text = words(&act.form, "publish_text")?;
        let answer = act.form.text("publish_answer").map(|_| words(&act.form, "publish_answer")).transpose()?;
        act.app.review().publish(&act.person, act.id, NewPublication { text, answer }).await.map_err(named)
    };
    let result = result.await;
    act.done("published", result).await
}

/// `POST /console/cases/{id}/unpublish`
///
/// # Errors
/// As [`publish`].
pub async fn unpublish(act: Sent<Prepare>) -> Result<Response> {
    let result = act.app.review().unpublish(&act.person, act.id).await.map_err(Error::from);
    act.done("unpublished", result).await
}

/// The fields of this form have names of their own on a page with many.
fn named(refusal: Refusal) -> Error {
    let of = |flaw: Flaw| Flaw { pointer: flaw.pointer.replacen('/', "/publish_", 1), ..flaw };
    match refusal {
        Refusal::Invalid(flaws) => Refusal::Invalid(flaws.into_iter().map(of).collect()).into(),
        other => other.into(),
    }
}
