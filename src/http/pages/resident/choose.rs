//! What can be done in a municipality: its services, a search in the reader's own words, a message in free text.
//!
//! The search asks the very classifier that triage asks. It only proposes: the reader chooses, and what they wrote goes
//! into the form with them.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Frame, danger, desk};
use crate::app::App;
use crate::cases::{Language, Matter, ServiceId};
use crate::http::error::{Error, Result};
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::intake::receipt::Card;
use crate::municipality::format::ServiceFile;
use crate::text::normalize;
use crate::triage::Desk;
use crate::triage::classify::service_of;

/// So many characters of a search are read; more are still in the form that follows.
const LONGEST: usize = 2_000;

/// What is looked for.
#[derive(Debug, Deserialize)]
pub struct Search {
    #[serde(default)]
    q: String,
}

/// A service that can be chosen.
#[derive(Debug, Serialize)]
struct Choice {
    id: ServiceId,
    name: String,
    /// The category that the words point to, for a notice: code and name.
    category: Option<(String, String)>,
    /// Where its application window stands.
    window: Option<Window>,
}

#[derive(Debug, Serialize)]
struct View {
    frame: Frame,
    services: Vec<Choice>,
    q: String,
    found: Option<Choice>,
    cards: Vec<Card>,
}

/// `GET /m/{municipality}`
///
/// # Errors
/// [`Error::NoSuch`]: nobody is served under that name.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(municipality): Path<String>,
    Query(Search { q }): Query<Search>,
) -> Result<Response> {
    let municipality = municipality.parse().map_err(|_| Error::NoSuch("municipality"))?;
    let desk = desk(&app, &municipality)?;
    let pack = &desk.rulebook.pack;
    let q: String = q.trim().chars().take(LONGEST).collect();
    let choice = |file: &ServiceFile| Choice {
        id: file.id.clone(),
        name: file.name.get(reader.language).to_owned(),
        category: None,
        window: Window::of(&desk.rulebook, Some(file), app.ambient().now()),
    };
    let view = View {
        frame: Frame::of(pack, None, reader.language),
        services: pack.services.values().filter(|file| file.is_offered()).map(choice).collect(),
        found: (!q.is_empty()).then(|| found(desk, &q, app.ambient().now(), reader.language)).flatten(),
        cards: danger::cards(desk, std::iter::once(q.as_str()), app.ambient().now(), reader.language),
        q,
    };
    render::page("resident/choose.html", &reader, &view)
}

/// The service that the words most likely mean; none where the classifier abstains or means no service.
fn found(desk: &Desk, q: &str, at: Timestamp, language: Language) -> Option<Choice> {
    let prediction = desk.classifier.predict(&normalize(q).text);
    if prediction.abstained {
        return None;
    }
    let pack = &desk.rulebook.pack;
    let only = Matter::parse(&prediction.label).and_then(|matter| service_of(pack, matter)).map(|file| &file.id);
    pack.services.values().filter(|file| file.is_offered()).find_map(|file| {
        let category = file.categories.iter().find(|category| category.code == prediction.label);
        let meant = category.is_some() || file.id.as_str() == prediction.label || only == Some(&file.id);
        meant.then(|| Choice {
            id: file.id.clone(),
            name: file.name.get(language).to_owned(),
            category: category.map(|row| (row.code.clone(), row.name.get(language).to_owned())),
            window: Window::of(&desk.rulebook, Some(file), at),
        })
    })
}
