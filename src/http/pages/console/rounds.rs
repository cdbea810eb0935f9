//! Rounds in the console: which are due, what keeps them waiting, running one, and its result with how to verify it. The
//! same as `/v1/rounds`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::app::App;
use crate::cases::{Person, Role};
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Decide, ReadRounds};
use crate::http::pages::form::Form;
use crate::http::pages::reader::Reader;
use crate::http::pages::{go, render};
use crate::review::{NewLeftOut, NewRound, Refusal, RoundState, Words};

/// Names of the inputs in which a case is left out with a reason: this, then its number.
const LEAVE_OUT: &str = "out.";

/// What the page shows.
#[derive(Debug, Serialize)]
struct View {
    rounds: Vec<Shown>,
    /// Whether the reader may run one, as far as their role goes.
    may_run: bool,
    /// What is wrong with the form that was sent, each kind once.
    faults: Vec<&'static str>,
    /// What was typed, by name; none where nothing was refused.
    typed: BTreeMap<String, String>,
}

/// A round with the name of its policy.
#[derive(Debug, Serialize)]
struct Shown {
    title: String,
    #[serde(flatten)]
    state: RoundState,
}

/// `GET /console/rounds`
///
/// # Errors
/// A fault of ours.
pub async fn show(State(app): State<App>, reader: Reader, person: Can<ReadRounds>) -> Result<Response> {
    page(&app, &reader, &person, Vec::new(), Form::default()).await
}

/// `POST /console/rounds`: runs one.
///
/// # Errors
/// A refusal that is not about the form; a fault of ours.
pub async fn run(State(app): State<App>, reader: Reader, person: Can<Decide>, form: Form) -> Result<Response> {
    let outcome = match new_round(&form) {
        Ok(new) => app.review().run_round(&person, new).await.map_err(|refusal| match refusal {
            Refusal::Invalid(flaws) => Ok(flaws.iter().filter_map(|flaw| flaw.code).collect()),
            other => Err(Error::from(other)),
        }),
        Err(fault) => Err(Ok(vec![fault])),
    };
    match outcome {
        Ok(_) => Ok(go("/console/rounds").into_response()),
        Err(Ok(faults)) => page(&app, &reader, &person, faults, form).await,
        Err(Err(error)) => Err(error),
    }
}

fn new_round(form: &Form) -> std::result::Result<NewRound, &'static str> {
    if !form.has("confirmed") {
        return Err("confirm");
    }
    let text = |name: &str| form.text(name).unwrap_or_default();
    let words = |text: &str| Words::try_from(text.to_owned()).map_err(|_| "words");
    let left_out = form.0.iter().filter(|(name, text)| name.starts_with(LEAVE_OUT) && !text.trim().is_empty());
    let left_out = left_out.map(|(name, text)| {
        let number = name.trim_start_matches(LEAVE_OUT).to_owned();
        words(text).map(|reason| NewLeftOut { number, reason })
    });
    Ok(NewRound {
        document: text("document").parse().map_err(|_| "unknown")?,
        round: text("round").to_owned(),
        window: text("window").parse().map_err(|_| "unknown")?,
        leave_out: left_out.collect::<std::result::Result<_, _>>()?,
        seed: form.text("seed").map(ToOwned::to_owned),
        reason: form.text("reason").map(words).transpose()?,
    })
}

async fn page(
    app: &App,
    reader: &Reader,
    person: &Person,
    mut faults: Vec<&'static str>,
    typed: Form,
) -> Result<Response> {
    faults.dedup();
    let library = &app.review().desk(&person.municipality)?.rulebook.library;
    let title = |state: &RoundState| {
        let version = library.version(&state.document, state.version);
        version.map(|version| version.title(reader.language).to_owned()).unwrap_or_default()
    };
    let states = app.review().rounds(&person.municipality).await?;
    let rounds = states.into_iter().map(|state| Shown { title: title(&state), state }).collect();
    let may_run = person.role == Role::Approver;
    render::page("console/rounds.html", reader, View { rounds, may_run, faults, typed: typed.0.into_iter().collect() })
}
