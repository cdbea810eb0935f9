//! What a request for completion asks, and the form that answers it. Only what a person approved is asked: the case
//! waits for it then.

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::case::{Followed, Refused, page};
use super::fields::{self, Input, MESSAGE};
use super::posted::{Place as _, Posted};
use super::upload::Sent;
use super::{desk, fill, messages, send};
use crate::cases::{Case, Language};
use crate::http::error::{Error, Result};
use crate::http::pages::go;
use crate::intake::json::Defaults;
use crate::municipality::format::{Field, ServiceFile};
use crate::review::Refusal;
use crate::storage::{Filled, tokens};

/// A question with what answers it.
#[derive(Debug, Serialize)]
pub struct Asked {
    text: String,
    /// The field of the form that it is about.
    input: Option<Input>,
    /// The input for a file.
    file: Option<String>,
}

/// The questions of the request, each with its input; what no field answers is answered in the message.
#[must_use]
pub fn asked(case: &Case, service: Option<&ServiceFile>, refused: &Refused, language: Language) -> Vec<Asked> {
    let of = |question: &crate::cases::Question| {
        let field = service.and_then(|file| file.fields.iter().find(|field| field.name == question.about));
        let file = question.about.strip_prefix("attachment_").map(|name| format!("file-{name}"));
        let input = field.map(|field| Input::of(field, &refused.typed, &refused.faults, language));
        Asked { text: question.text.get(language).to_owned(), input, file }
    };
    case.file.open_questions().into_iter().map(of).collect()
}

/// `POST /c/{secret}/answer`
///
/// # Errors
/// [`Error::NoSuch`], [`Error::TooOften`], [`Error::Unavailable`]; what can be put right is a page with what was typed.
pub async fn answer(posted: Posted<Followed>) -> Result<Response> {
    let Posted { app, reader, place: followed, sent } = &posted;
    let desk = desk(app, followed.municipality())?;
    let service = followed.service(desk, followed.sent(app).await?.first());
    let fields = answered(&followed.case, service);
    let refused = judge(&fields, sent, app.config().server.max_body_bytes, reader.language);
    if let Some(refused) = refused {
        // Whoever must put something right first may never come back.
        let rescued = posted.rescue().await;
        return page(app, reader, followed, None, Some(Refused { rescued, ..refused })).await;
    }
    let supplement = supplement(followed, service, &fields, sent);
    let result = async {
        let defaults = Defaults::web(followed.municipality().clone(), app.ambient().clone());
        let incoming = send::incoming(&supplement, &defaults)?;
        Ok::<_, Error>(app.review().supplement(&followed.person(), followed.case.id, incoming).await?)
    };
    match result.await {
        Ok(_) => Ok(go(&format!("{}?answered=1", followed.path())).into_response()),
        // An old page of a case that has ended meanwhile: the words stand in the message that can be sent instead.
        Err(Error::Refused(Refusal::Final { .. })) if sent.form.text(MESSAGE).is_some() => {
            let words = sent.form.text(MESSAGE).unwrap_or_default().to_owned();
            let typed = Filled { texts: [(messages::INPUT.to_owned(), words)].into(), ..Filled::default() };
            let (word, rescued) = (Some("follow.ended"), posted.rescue().await);
            page(app, reader, followed, None, Some(Refused { word, typed, rescued, ..Refused::default() })).await
        }
        Err(error) => posted.refuse(error).await,
    }
}

/// The fields that the request asks for. None of them must be given: what is still missing is asked again.
fn answered(case: &Case, service: Option<&ServiceFile>) -> Vec<Field> {
    let about: Vec<&str> = case.file.open_questions().into_iter().map(|question| question.about.as_str()).collect();
    let fields = service.map(|file| file.fields.as_slice()).unwrap_or_default();
    let asked = fields.iter().filter(|field| about.contains(&field.name.as_str()));
    asked.map(|field| Field { required: false, ..field.clone() }).collect()
}

/// What is wrong with an answer, with what was typed; none when it can be sent.
fn judge(fields: &[Field], sent: &Sent, most_bytes: usize, language: Language) -> Option<Refused> {
    let names = fields.iter().map(|field| field.name.as_str()).chain([MESSAGE]);
    let typed = names.filter_map(|name| Some((name.to_owned(), sent.form.text(name)?.to_owned())));
    let typed = Filled { texts: typed.collect(), ..Filled::default() };
    let faults = fields::faults(fields, &typed, language);
    let mut total = 0;
    let mut wrong = Vec::new();
    for (count, file) in sent.files.iter().enumerate() {
        wrong.extend(fill::wrong(file, count, total));
        total += file.bytes.len();
    }
    if !sent.whole {
        wrong.push(fill::Wrong { name: String::new(), size: most_bytes, word: "body_large" });
    }
    let nothing = typed.texts.is_empty() && sent.files.is_empty();
    let word = nothing.then_some("follow.nothing");
    let refused = Refused { faults, wrong, word, typed, rescued: None };
    (!refused.faults.is_empty() || !refused.wrong.is_empty() || nothing).then_some(refused)
}

/// The answer as a submission; the same answer twice is one.
fn supplement(followed: &Followed, service: Option<&ServiceFile>, fields: &[Field], sent: &Sent) -> Value {
    let rules = service.map(|file| file.attachments.as_slice()).unwrap_or_default();
    let values = fields.iter().filter_map(|field| Some((field.name.clone(), sent.form.text(&field.name)?.into())));
    let files = sent.files.iter().map(|file| {
        let name = fields::file_name(rules, &file.input, &file.name);
        json!({ "name": name, "content": BASE64.encode(&file.bytes) })
    });
    let mut supplement = json!({
        "fields": values.collect::<Map<String, Value>>(),
        "text": sent.form.text(MESSAGE),
        "attachments": files.collect::<Vec<_>>(),
    });
    supplement["id"] = tokens::hash(&format!("{} {} {supplement}", followed.link.id, followed.case.file.round)).into();
    supplement
}
