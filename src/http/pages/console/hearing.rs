//! Hearing of the party from the page of its case: the form that orders it, and going on when the time to answer is over.
//!
//! Both are [`crate::review`]'s verbs, as in the API. A form that is refused stays open with what was typed.

use axum::response::Response;
use serde::Serialize;

use super::acts::{Sent, words};
use crate::app::App;
use crate::cases::{Act, Case};
use crate::http::error::{Error, Result};
use crate::http::identity::Prepare;
use crate::http::pages::form::Form;
use crate::review::{Flaw, NewHearing, Refusal};

/// What the reader, who holds the case, may do.
#[derive(Debug, Serialize)]
pub(super) struct View {
    may_hear: bool,
    may_resume: bool,
    /// The form was refused and stays open.
    open: bool,
    about: String,
    documents: String,
}

impl View {
    /// Of this case, with what was typed.
    pub(super) fn of(app: &App, case: &Case, form: &Form) -> Self {
        let typed = |name: &str| form.text(name).unwrap_or_default().to_owned();
        Self {
            may_hear: case.status.after(Act::Reenter, None).is_ok(),
            may_resume: app.review().may_resume(case),
            open: form.has("hear_about") || form.has("hear_documents"),
            about: typed("hear_about"),
            documents: typed("hear_documents"),
        }
    }
}

/// `POST /console/cases/{id}/hear`
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn hear(act: Sent<Prepare>) -> Result<Response> {
    let result = async {
        let lines = act.form.text("hear_documents").unwrap_or_default().lines();
        let documents = lines.map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect();
        let new = NewHearing { about: words(&act.form, "hear_about")?, documents };
        match act.app.review().hear(&act.person, act.id, new).await {
            // One field holds them all.
            Err(Refusal::Invalid(flaws)) => {
                let flaws = flaws.into_iter().map(|flaw| Flaw { pointer: "/hear_documents".to_owned(), ..flaw });
                Err(Error::from(Refusal::Invalid(flaws.take(1).collect())))
            }
            other => Ok(other?),
        }
    };
    let result = result.await;
    act.done("hearing", result).await
}

/// `POST /console/cases/{id}/resume`
///
/// # Errors
/// As [`hear`].
pub async fn resume(act: Sent<Prepare>) -> Result<Response> {
    let result = act.app.review().resume(&act.person, act.id).await.map_err(Error::from);
    act.done("resumed", result).await
}
