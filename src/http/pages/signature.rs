//! Who signed a letter: name, title, and whether as a deputy (*sijaisena*, *som ersättare*). It stands under every letter that
//! a person approved; the letter itself was written before it was known who would.

use jiff::Timestamp;
use serde::Serialize;

use super::reader::Reader;
use crate::cases::{DeciderId, Decision};
use crate::municipality::Pack;

/// What stands under an approved letter.
#[derive(Debug, Serialize)]
pub struct Signature {
    name: String,
    title: Option<String>,
    /// The post that they decided for as its deputy.
    deputy_for: Option<String>,
    /// Whether that is the post that they hold as a deputy.
    same: bool,
    at: Timestamp,
}

impl Signature {
    /// Of a decision.
    #[must_use]
    pub fn of(decision: &Decision, pack: &Pack, reader: &Reader) -> Self {
        let title = |id: &DeciderId| {
            let file = pack.municipality.deciders.get(id);
            file.map_or_else(|| id.to_string(), |file| file.title.get(reader.language).to_owned())
        };
        Self {
            name: decision.person.name.clone(),
            title: decision.person.post.as_ref().map(title),
            deputy_for: decision.deputy_for.as_ref().map(title),
            same: decision.deputy_for == decision.person.post,
            at: decision.decided_at,
        }
    }
}
