//! What people do with a case from its page: each act is one form, one call of the domain, one line on top.
//!
//! A refused act shows the case as it stands now, with the reason and what was typed; nothing is lost. There is no
//! act over several cases.

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};

use super::case::{Asked, page};
use crate::app::App;
use crate::cases::{
    AlertId, AuthorityId, CaseId, DraftHash, DraftKind, Euro, Ground, Matter, RuleId, RuleOutcome, ServiceId, Value,
};
use crate::http::body::Id;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Decide, Prepare, Register, Right, Withdraw};
use crate::http::pages::form::Form;
use crate::http::pages::go;
use crate::http::pages::reader::Reader;
use crate::http::pages::resident::fields;
use crate::municipality::format::FieldType;
use crate::review::{Approval, NewClass, NewJudgement, NewRuling, QuestionToAsk, Words};
use crate::triage::gather;

/// A form about a case, sent by somebody who has the right `R`: what every act begins with.
#[derive(Debug)]
pub struct Sent<R> {
    pub(super) app: App,
    pub(super) reader: Reader,
    pub(super) person: Can<R>,
    pub(super) id: CaseId,
    pub(super) form: Form,
}

impl<R: Right> FromRequest<App> for Sent<R> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let reader = Reader::from_request_parts(&mut parts, app).await?;
        let person = Can::from_request_parts(&mut parts, app).await?;
        let Id(id) = Id::from_request_parts(&mut parts, app).await?;
        let form = Form::from_request(Request::from_parts(parts, body), app).await?;
        Ok(Self { app: app.clone(), reader, person, id, form })
    }
}

impl<R> Sent<R> {
    /// After the act: back to the case with a line that says what was done, or with why it was not.
    pub(super) async fn done<T>(self, word: &str, result: Result<T>) -> Result<Response> {
        let Self { app, reader, person, id, form } = self;
        match result {
            Ok(_) => Ok(go(&format!("/console/cases/{id}?done={word}")).into_response()),
            // The whole page is worth more than an act that went well should carry.
            Err(error) => Box::pin(page(&app, &reader, &person, id, Asked::default(), Some((error, form)))).await,
        }
    }

    /// With the form that stays open when the act is refused.
    pub(super) fn opens(mut self, name: &str) -> Self {
        self.form.0.push(("form".to_owned(), name.to_owned()));
        self
    }
}

/// The class that a form says, by the names of its two lists. A service says what kind of matter it handles.
pub(super) fn new_class<R>(act: &Sent<R>, service: &str, matter: &str, reason: Words) -> Result<NewClass> {
    let Sent { app, person, form, .. } = act;
    let service = form.text(service).map(|_| value::<ServiceId>(form, service)).transpose()?;
    let pack = &app.review().desk(&person.municipality)?.rulebook.pack;
    let handled = service.as_ref().and_then(|id| pack.service(id)).map(|file| file.matter);
    let chosen = handled.or_else(|| Matter::parse(form.text(matter).unwrap_or_default()));
    let none = || Error::unusable(&format!("/{matter}"), "this is no kind of matter", "choose one of the list");
    let category = form.text("category").map(ToOwned::to_owned);
    Ok(NewClass { matter: chosen.ok_or_else(none)?, service, category, reason })
}

/// A text of the form, or what is wrong with it.
pub(super) fn words(form: &Form, name: &str) -> Result<Words> {
    let text = form.text(name).unwrap_or_default().to_owned();
    Words::try_from(text).map_err(|what| Error::unusable(&format!("/{name}"), what, "write it anew"))
}

/// A value of a closed vocabulary, an id or an amount.
fn value<T: std::str::FromStr>(form: &Form, name: &str) -> Result<T> {
    let text = form.text(name).unwrap_or_default();
    text.parse().map_err(|_| Error::unusable(&format!("/{name}"), "this is none", "choose one of the list"))
}

/// `POST /console/cases/{id}/claim`
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn claim(act: Sent<Prepare>) -> Result<Response> {
    let Sent { app, person, id, .. } = &act;
    let result = app.review().claim(person, *id).await.map_err(Error::from);
    act.done("claimed", result).await
}

/// `POST /console/cases/{id}/disqualify`
///
/// # Errors
/// As [`claim`].
pub async fn disqualify(act: Sent<Register>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let ground = Ground::parse(form.text("ground").unwrap_or_default())
            .ok_or_else(|| Error::unusable("/ground", "this is no ground", "choose one of the list"))?;
        Ok(app.review().declare_disqualified(person, *id, ground).await?)
    };
    let result = result.await;
    act.done("disqualified", result).await
}

/// `POST /console/cases/{id}/judge`: before the proposal is seen.
///
/// # Errors
/// As [`claim`].
pub async fn judge(act: Sent<Prepare>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let outcome = DraftKind::parse(form.text("outcome").unwrap_or_default())
            .ok_or_else(|| Error::unusable("/outcome", "this is no outcome", "choose one of the list"))?;
        let money = fields::plain("amount", FieldType::Money);
        let amount = form.text("amount").map(|typed| match gather::value(&money, &typed.into()) {
            Some(Value::Money(amount)) => Ok(amount),
            _ => Err(Error::unusable("/amount", "this is no amount", "write it in digits, such as 2585.00")),
        });
        let judgement = NewJudgement { outcome, amount: amount.transpose()?, line: words(form, "line")? };
        Ok(app.review().judge(person, *id, judgement).await?)
    };
    let result = result.await;
    act.done("judged", result).await
}

/// `POST /console/cases/{id}/release`
///
/// # Errors
/// As [`claim`].
pub async fn release(act: Sent<Prepare>) -> Result<Response> {
    let Sent { app, person, id, .. } = &act;
    let result = app.review().release(person, *id).await.map_err(Error::from);
    act.done("released", result).await
}

/// `POST /console/cases/{id}/approve`: carries the hash of what was seen, the amount and the tick that confirms both
/// the amount and the instructions for appeal.
///
/// # Errors
/// As [`claim`].
pub async fn approve(act: Sent<Decide>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        // Not ticked: nothing was confirmed, whatever the form carried along.
        if !form.has("confirmed") {
            return Err(Error::unusable("/confirmed", "nothing was confirmed", "read the letter and tick the box"));
        }
        let approval = Approval {
            draft_hash: DraftHash(form.text("draft_hash").unwrap_or_default().to_owned()),
            confirmed_amount: form.text("amount").map(|_| value::<Euro>(form, "amount")).transpose()?,
            appeal_confirmed: true,
            disqualified: form.has("disqualified"),
        };
        Ok(app.review().approve(person, *id, &approval).await?)
    };
    let result = result.await;
    act.done("approved", result).await
}

/// `POST /console/cases/{id}/return`
///
/// # Errors
/// As [`claim`].
pub async fn return_(act: Sent<Decide>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let seen = form.text("draft_hash").map(|hash| DraftHash(hash.to_owned()));
        Ok(app.review().return_to_handler(person, *id, seen.as_ref(), words(form, "return_reason")?).await?)
    };
    let result = result.await;
    act.done("returned", result).await
}

/// `POST /console/cases/{id}/ask`: one question.
///
/// # Errors
/// As [`claim`].
pub async fn ask(act: Sent<Prepare>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let about = form.text("about").unwrap_or("details").to_owned();
        let question = QuestionToAsk { about, text: words(form, "question")? };
        Ok(app.review().ask(person, *id, vec![question]).await?)
    };
    let result = result.await;
    act.done("asked", result).await
}

/// `POST /console/cases/{id}/transfer`
///
/// # Errors
/// As [`claim`].
pub async fn transfer(act: Sent<Prepare>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let authority: AuthorityId = value(form, "authority")?;
        Ok(app.review().transfer(person, *id, &authority).await?)
    };
    let result = result.await;
    act.done("transferred", result).await
}

/// `POST /console/cases/{id}/reclassify`
///
/// # Errors
/// As [`claim`].
pub async fn reclassify(act: Sent<Register>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let class = new_class(&act, "new_service", "matter", words(form, "class_reason")?)?;
        Ok(app.review().reclassify(person, *id, class).await?)
    };
    let result = result.await;
    act.done("reclassified", result).await
}

/// `POST /console/cases/{id}/rule`: a ruling where the policy leaves it to a person.
///
/// # Errors
/// As [`claim`].
pub async fn rule(act: Sent<Prepare>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = async {
        let rule: RuleId = value(form, "rule")?;
        let outcome = RuleOutcome::parse(form.text("outcome").unwrap_or_default())
            .ok_or_else(|| Error::unusable("/outcome", "a ruling says met or not met", "choose one of the two"))?;
        let ruling = NewRuling { rule, outcome, reason: words(form, "rule_reason")? };
        Ok(app.review().rule(person, *id, vec![ruling]).await?)
    };
    let result = result.await;
    act.done("ruled", result).await
}

/// `POST /console/cases/{id}/withdraw`: for the party.
///
/// # Errors
/// As [`claim`].
pub async fn withdraw(act: Sent<Withdraw>) -> Result<Response> {
    let Sent { app, person, id, form, .. } = &act;
    let result = if form.has("sure") {
        app.review().withdraw(person, *id).await.map_err(Error::from)
    } else {
        Err(Error::unusable("/sure", "nothing was confirmed", "tick the box"))
    };
    act.done("withdrawn", result).await
}

/// `POST /console/cases/{id}/acknowledge`: a person has seen the words of danger.
///
/// # Errors
/// As [`claim`].
pub async fn acknowledge(act: Sent<Register>) -> Result<Response> {
    let Sent { app, person, form, .. } = &act;
    let result = async {
        let alert: AlertId = value(form, "alert")?;
        Ok(app.review().acknowledge(person, alert).await?)
    };
    let result = result.await;
    act.done("acknowledged", result).await
}
