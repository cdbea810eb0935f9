//! Who may decide a case: what its reader may, by which section, who else may, and who has declared that they are
//! disqualified. The same as `GET /v1/cases/{id}/power`, in words.

use serde::Serialize;

use crate::app::App;
use crate::cases::{Case, DeciderId, Disqualification, DraftContent, Euro, Ground, Person, Role};
use crate::http::error::Result;
use crate::http::identity::{Register, may};
use crate::http::pages::reader::Reader;
use crate::review::Powers;
use crate::triage::Desk;

/// What the page shows of power.
#[derive(Debug, Serialize)]
pub struct Power {
    /// Whether the reader is somebody who decides at all.
    decides: bool,
    /// What they may.
    powers: Powers,
    /// The post that they act for as its deputy.
    deputy_for: Option<String>,
    /// The section that the power comes from.
    section: Option<String>,
    /// The row of the delegation.
    holders: Vec<Holder>,
    disqualified: Vec<Disqualification>,
    /// Every ground, where the reader may still declare one.
    grounds: &'static [Ground],
}

/// Who may decide the draft.
#[derive(Debug, Serialize)]
struct Holder {
    title: String,
    up_to: Option<Euro>,
    deputy: Option<String>,
    people: Vec<String>,
}

impl Power {
    /// Of a case, for its reader.
    ///
    /// # Errors
    /// [`crate::http::error::Error::Unavailable`].
    pub async fn of(
        app: &App,
        reader: &Reader,
        person: &Person,
        case: &Case,
        content: Option<&DraftContent>,
    ) -> Result<Self> {
        let powers = app.review().powers(person, case, content).await?;
        let desk = app.review().desk(&case.municipality)?;
        let title = |id: &DeciderId| title(desk, id, reader);
        let holder = |holder: &crate::review::Holder| Holder {
            title: title(&holder.decider),
            up_to: holder.up_to,
            deputy: holder.deputy.as_ref().map(title),
            people: holder.people.clone(),
        };
        let declares = may::<Register>(person) && !case.status.is_final() && !powers.disqualified;
        Ok(Self {
            decides: person.role == Role::Approver,
            deputy_for: powers.deputy_for.as_ref().map(title),
            section: powers.source.as_ref().map(|source| section(app, desk, source, reader)),
            holders: powers.holders.iter().map(holder).collect(),
            disqualified: case.file.disqualified.clone(),
            grounds: if declares { Ground::ALL } else { &[] },
            powers,
        })
    }
}

/// The title of a post or body.
pub fn title(desk: &Desk, id: &DeciderId, reader: &Reader) -> String {
    let file = desk.rulebook.pack.municipality.deciders.get(id);
    file.map_or_else(|| id.to_string(), |file| file.title.get(reader.language).to_owned())
}

/// The name of a section such as `hallintosaanto#s12`; as it is written where it is none of ours.
fn section(app: &App, desk: &Desk, source: &str, reader: &Reader) -> String {
    let today = crate::triage::local_date(app.ambient().now());
    let found = || {
        let (document, section) = source.split_once('#')?;
        let document = desk.rulebook.library.version_on(&document.parse().ok()?, today)?;
        let heading = document.section(&section.parse().ok()?)?.heading(reader.language)?;
        Some(format!("{}, {heading}", document.title(reader.language)))
    };
    found().unwrap_or_else(|| source.to_owned())
}
