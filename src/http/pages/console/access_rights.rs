//! The register of access rights in the console: what is out with the overdue first, and on the page of a case its right
//! with what can be done with the key or tag. The same as `/v1/access-rights`.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::acts::{Sent, words};
use super::case::choice;
use crate::app::App;
use crate::cases::{AccessAct, AccessRight, AccessState, Case, Person};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases, Register, may};
use crate::http::pages::form::Form;
use crate::http::pages::reader::{Reader, encoded};
use crate::http::pages::render;
use crate::municipality::format::ServiceFile;
use crate::review::{Flaw, NewHandling, Refusal};

/// Which rights the address asks for.
#[derive(Debug, Deserialize)]
pub struct Which {
    #[serde(default)]
    state: String,
    #[serde(default)]
    cursor: String,
}

/// A right as people read it.
#[derive(Debug, Serialize)]
struct Line {
    right: AccessRight,
    state: AccessState,
    /// The name of the kind of thing that opens: key, tag.
    kind: Option<String>,
}

impl Line {
    fn of(app: &App, reader: &Reader, service: Option<&ServiceFile>, right: AccessRight) -> Self {
        let field = service.and_then(|file| file.right.as_ref()?.kind.as_deref());
        let kind =
            right.kind.clone().map(|kind| field.and_then(|name| choice(service, name, &kind, reader)).unwrap_or(kind));
        let field = service.and_then(|file| Some(file.right.as_ref()?.what.as_str()));
        let what = field.and_then(|name| choice(service, name, &right.what, reader));
        let state = app.review().access_state(&right);
        Self { state, kind, right: AccessRight { what: what.unwrap_or_else(|| right.what.clone()), ..right } }
    }
}

/// A state that can be chosen, with how many rights stand so.
#[derive(Debug, Serialize)]
struct Tab {
    /// Empty for all of them.
    state: &'static str,
    rights: i64,
    chosen: bool,
}

/// What the page of the register shows.
#[derive(Debug, Serialize)]
struct Page {
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    /// Address of the next page.
    next: Option<String>,
}

/// `GET /console/access-rights`
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn list(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Query(which): Query<Which>,
) -> Result<Response> {
    let pack = &app.review().desk(&person.municipality)?.rulebook.pack;
    let state = AccessState::parse(&which.state);
    let after = which.cursor.parse().ok();
    let storage = app.storage();
    let page = storage.access_rights(&person.municipality, state, after.as_ref(), app.config().api.page_size).await?;
    let counts: BTreeMap<AccessState, i64> = storage.access_right_counts(&person.municipality).await?;
    let all = Tab { state: "", rights: counts.values().sum(), chosen: state.is_none() };
    let tab = |each: &AccessState| Tab {
        state: each.as_str(),
        rights: counts.get(each).copied().unwrap_or_default(),
        chosen: state == Some(*each),
    };
    // What needs somebody stands first.
    let order = [
        AccessState::Overdue,
        AccessState::HandedOver,
        AccessState::Granted,
        AccessState::Lost,
        AccessState::Returned,
        AccessState::Lapsed,
    ];
    let tabs = std::iter::once(all).chain(order.iter().map(tab)).collect();
    let of_state = state.map_or_else(String::new, |state| format!("state={state}&"));
    let next = page.next.map(|next| format!("/console/access-rights?{of_state}cursor={}", encoded(&next.to_string())));
    let lines = page.rows.into_iter().map(|right| Line::of(&app, &reader, pack.service(&right.service), right));
    let lines = lines.collect();
    render::page("console/access-rights.html", &reader, Page { tabs, lines, next })
}

/// What the page of a case shows.
#[derive(Debug, Serialize)]
pub(super) struct View {
    /// The right that it granted.
    line: Option<Line>,
    /// What its reader may do with the key or tag.
    acts: &'static [AccessAct],
    /// Keys and tags that a holder of this name has out by other cases.
    others: Vec<Line>,
}

impl View {
    /// Of this case.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) async fn of(
        app: &App,
        reader: &Reader,
        person: &Person,
        case: &Case,
        service: Option<&ServiceFile>,
    ) -> Result<Self> {
        let storage = app.storage();
        let right = storage.access_right(&case.municipality, case.id).await?;
        let holder = service.filter(|file| file.right.is_some()).and_then(|file| {
            let fact = case.file.facts.get(file.party.as_deref()?)?;
            Some(fact.value.plain())
        });
        let mut others = match holder {
            Some(holder) => storage.keys_out_of(&case.municipality, &holder).await?,
            None => Vec::new(),
        };
        others.retain(|other| other.case.id != case.id);
        let line = |right| Line::of(app, reader, service, right);
        let line_of_case = right.map(line);
        let acts = line_of_case.as_ref().map_or(&[] as &[_], |line| line.state.acts());
        let may_act = may::<Register>(person) && !case.file.is_disqualified(person);
        Ok(Self {
            acts: if may_act { acts } else { &[] },
            line: line_of_case,
            others: others.into_iter().map(line).collect(),
        })
    }
}

/// `POST /console/cases/{id}/access-right`: the button that was pressed says what was done.
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn handle(act: Sent<Register>) -> Result<Response> {
    let result = async {
        let new = new_handling(&act.form)?;
        let done = new.act;
        act.app.review().handle_key(&act.person, act.id, new).await.map_err(named)?;
        Ok(done)
    };
    let result: Result<AccessAct> = result.await;
    let word = match result.as_ref() {
        Ok(AccessAct::HandOver) => "key-handed-over",
        Ok(AccessAct::TakeBack) => "key-returned",
        Ok(AccessAct::ReportLost) => "key-lost",
        Err(_) => "",
    };
    act.done(word, result).await
}

fn new_handling(form: &Form) -> Result<NewHandling> {
    let act = AccessAct::parse(form.text("key_act").unwrap_or_default());
    let act = act.ok_or_else(|| Error::unusable("/key_act", "this is no act", "press a button of the page"))?;
    let number = form.text("key_number").filter(|_| act == AccessAct::HandOver).map(ToOwned::to_owned);
    let reason = if act == AccessAct::ReportLost { Some(words(form, "key_reason")?) } else { None };
    Ok(NewHandling { act, number, reason })
}

/// The fields of this form have names of their own on a page with many.
fn named(refusal: Refusal) -> Error {
    let of = |flaw: Flaw| Flaw { pointer: flaw.pointer.replacen('/', "/key_", 1), ..flaw };
    match refusal {
        Refusal::Invalid(flaws) => Refusal::Invalid(flaws.into_iter().map(of).collect()).into(),
        other => other.into(),
    }
}
