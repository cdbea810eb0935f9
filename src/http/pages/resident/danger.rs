//! Words of danger on the pages (promise 11): the card that says 112 is shown at once, and what is refused still
//! reaches a person.

use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::Serde;
use minijinja::{Value, context};

use super::Frame;
use super::posted::Place;
use crate::app::App;
use crate::cases::{Language, SourceText};
use crate::http::error::{Error, Result};
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::intake::json::Defaults;
use crate::intake::receipt::{self, Card};
use crate::intake::{rescue, words};
use crate::telemetry;
use crate::text::normalize;
use crate::triage::Desk;

/// The cards that these texts call for.
#[must_use]
pub fn cards<'a>(
    desk: &Desk,
    texts: impl Iterator<Item = &'a str>,
    at: jiff::Timestamp,
    language: Language,
) -> Vec<Card> {
    let texts: Vec<SourceText> =
        texts.map(|text| SourceText { source: "text".to_owned(), text: normalize(text).text }).collect();
    receipt::cards(&desk.rulebook.pack, None, at, language, &words::emergencies(&desk.lexicon, &texts))
}

/// What somebody wrote, to be looked through for words of danger when it is refused.
#[derive(Debug)]
pub struct Said {
    json: Vec<u8>,
    whole: bool,
}

impl Said {
    /// These texts; `whole` says whether they are all that came.
    #[must_use]
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>, whole: bool) -> Self {
        Self { json: serde_json::to_vec(&texts.collect::<Vec<_>>()).unwrap_or_default(), whole }
    }
}

/// What became of words of danger in something that was refused.
#[derive(Debug)]
pub struct Rescued {
    /// The case under which a person finds them; empty when they could not be registered.
    pub number: String,
    /// What to show now.
    pub cards: Vec<Card>,
}

/// Brings words of danger in what was refused to a person: once, however often the same words are tried.
pub async fn rescue(app: &App, place: &impl Place, said: &Said) -> Option<Rescued> {
    let desk = app.review().desk(place.municipality()).ok()?;
    let defaults = Defaults::web(place.municipality().clone(), app.ambient().clone());
    let pack = &desk.rulebook.pack;
    let danger = rescue::look(pack, &desk.lexicon, &defaults, &said.json, said.whole)?.once(&place.sender());
    let cards = danger.cards(pack);
    match danger.keep(app.storage(), &desk.rulebook).await {
        Ok(receipt) => {
            metrics::counter!(telemetry::SUBMISSIONS).increment(u64::from(!receipt.already));
            Some(Rescued { number: receipt.number, cards: receipt.emergency })
        }
        Err(error) => {
            tracing::error!(%error, "words of danger in a refused form could not be registered");
            Some(Rescued { number: String::new(), cards })
        }
    }
}

/// A refused form as a page: why, that it is kept where it was, and what to do in danger.
///
/// # Errors
/// A fault of ours as it is; where words of danger were found, their card comes first whatever the fault.
pub async fn refused(app: &App, reader: &Reader, place: &impl Place, said: &Said, error: Error) -> Result<Response> {
    let Some(rescued) = rescue(app, place, said).await else { return Err(error) };
    let problem = error.problem();
    let slug = problem.kind.rsplit('/').next().unwrap_or_default();
    let known = render::word(&format!("problem.{slug}"), reader.language).is_some();
    let pack = &super::desk(app, place.municipality())?.rulebook.pack;
    let view = context! {
        frame => Value::from(Serde(Frame::of(pack, None, reader.language))),
        cards => Value::from(Serde(&rescued.cards)),
        number => rescued.number,
        title => format!("problem.{}", if known { slug } else { "other" }),
        back => place.path(),
    };
    let mut response = render::page("resident/refused.html", reader, view)?;
    *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    Ok(response)
}
