//! Messages on the page of a case: what the party and the office have written, and the form to write.
//!
//! What is written about a case that has ended becomes a case of its own, with a link of its own that follows from this
//! one: whoever wrote it is led there.

use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Serialize;

use super::case::{Followed, Refused, page};
use super::posted::{Place as _, Posted};
use super::send;
use crate::app::App;
use crate::cases::{CaseId, Language, Side};
use crate::http::error::{Error, Result};
use crate::http::pages::go;
use crate::review::{NewMessage, Refusal};
use crate::storage::{Filled, tokens};
use crate::text::normalize;

/// Name of the input.
pub const INPUT: &str = "message";

/// A message as it is shown.
#[derive(Debug, Serialize)]
pub struct MessageLine {
    side: Side,
    text: String,
    language: Language,
    at: Timestamp,
    /// The number of the case that it became, and the key that follows it.
    became: Option<(String, Option<String>)>,
}

/// The messages that were written on this case, oldest first.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn lines(app: &App, followed: &Followed) -> Result<Vec<MessageLine>> {
    let case = &followed.case;
    let mut lines = Vec::new();
    for message in app.storage().messages(&case.municipality, case.id).await? {
        let became = match message.became.filter(|became| *became != case.id) {
            Some(became) => followed_on(app, followed, became).await?,
            None => None,
        };
        let (side, text, language, at) = (message.side, message.text, message.language, message.at);
        lines.push(MessageLine { side, text, language, at, became });
    }
    Ok(lines)
}

async fn followed_on(app: &App, followed: &Followed, became: CaseId) -> Result<Option<(String, Option<String>)>> {
    let Some(case) = app.storage().case(followed.municipality(), became).await? else { return Ok(None) };
    let key = key_of(followed, became);
    let is_ours = app.storage().case_link(&tokens::hash(&key)).await?.is_some();
    Ok(Some((case.number, is_ours.then_some(key))))
}

/// The key of the case that a message of this link became.
fn key_of(followed: &Followed, became: CaseId) -> String {
    tokens::hash(&format!("case {became} of {}", followed.key))
}

/// `POST /c/{secret}/message`
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`], [`Error::Unavailable`]; what can be put right is a page with what was typed.
pub async fn write(posted: Posted<Followed>) -> Result<Response> {
    let Posted { app, reader, place: followed, sent } = &posted;
    let text = sent.form.text(INPUT).unwrap_or_default().to_owned();
    let new = NewMessage { text: text.clone(), language: reader.language };
    match app.review().message(&followed.person(), followed.case.id, new).await {
        Ok(sent) => match sent.message.became {
            Some(became) => {
                let key = key_of(followed, became);
                send::link(app, followed.municipality(), became, &key).await?;
                Ok(go(&format!("/c/{key}?sent=1")).into_response())
            }
            None => Ok(go(&format!("{}?written=1#messages", followed.path())).into_response()),
        },
        Err(Refusal::Invalid(_)) => {
            let nothing = normalize(&text).text.trim().is_empty();
            let word = if nothing { "messages.empty" } else { "messages.unreadable" };
            let typed = Filled { texts: [(INPUT.to_owned(), text)].into(), ..Filled::default() };
            let rescued = posted.rescue().await;
            let refused = Refused { word: Some(word), typed, rescued, ..Refused::default() };
            page(app, reader, followed, None, Some(refused)).await
        }
        Err(error) => posted.refuse(Error::from(error)).await,
    }
}
