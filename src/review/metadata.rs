//! `metadata`: the registry puts right when a submission arrived, by which channel and from whom.
//!
//! The arrival decides clocks and windows (hallintolaki 17–18 §, 13/2003 10 §), the party whom a letter is for and in
//! which language. What came in stays byte for byte as it came; what was put right stands beside it, with who and why.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::words::fault;
use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{Act, Case, CaseId, Channel, EventKind, Party, Person, Registration};
use crate::text::identifiers::{BusinessId, IdentifierKind, find_all};
use crate::triage::Step;

/// Longest name, address or number of a party, characters.
const LONGEST: usize = 300;
/// An arrival is not put back further than this.
const OLDEST: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// What is put right. What is left out stays as it is.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMetadata {
    /// When it was available to the authority.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date-time")]
    pub received_at: Option<Timestamp>,
    /// By which channel.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// From whom; the whole of it, in the place of what stands now.
    #[serde(default)]
    pub party: Option<Party>,
    /// Why.
    pub reason: Words,
}

impl Review {
    /// Sets what is right and sends the case through the pipeline again, so that clocks and letters follow.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], [`Refusal::ClaimedByAnother`], [`Refusal::Illegal`].
    pub async fn correct_metadata(&self, person: &Person, id: CaseId, new: NewMetadata) -> Result<Case> {
        let now = self.ambient().now();
        let flaws = flaws(&new, now);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_not_anothers(&case, person)?;
        let NewMetadata { received_at, channel, party, reason } = new;
        // Storage keeps microseconds: what is written must equal what is read back.
        let received_at = received_at.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok());
        let moved = received_at.map(|now| json!({ "was": case.received_at, "now": now }));
        let payload = json!({ "received_at": moved, "channel": channel, "party": party.is_some() });
        if party.is_some() {
            let was = self.submission(&case).await?.party.unwrap_or_default();
            let nth = case.file.registrations.len();
            let told = [("name", was.name), ("address", was.address), ("email", was.email), ("phone", was.phone)];
            let told = told.into_iter().filter_map(|(name, text)| Some((format!("party_{name}_{nth}"), text?)));
            case.file.withheld.extend(told);
        }
        case.received_at = received_at.unwrap_or(case.received_at);
        let actor = person.token.to_string();
        case.file.registrations.push(Registration {
            received_at,
            channel,
            party,
            reason: reason.into(),
            actor,
            at: now,
        });
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Read).await?;
        Self::finish(tx, case, act(person, EventKind::MetadataCorrected, id, payload)).await
    }
}

fn flaws(new: &NewMetadata, now: Timestamp) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if new.received_at.is_none() && new.channel.is_none() && new.party.is_none() {
        flaws.push(Flaw::new("", "nothing is put right", "send received_at, channel or party").coded("nothing"));
    }
    if let Some(at) = new.received_at {
        if at > now {
            let what = "nothing arrives in the future";
            flaws.push(Flaw::new("/received_at", what, "write when it arrived").coded("future"));
        } else if now.duration_since(at) > OLDEST {
            let what = "this is more than ten years ago";
            flaws.push(Flaw::new("/received_at", what, "look at the year").coded("old"));
        }
    }
    flaws.extend(new.party.iter().flat_map(of_party));
    flaws
}

fn of_party(party: &Party) -> Vec<Flaw> {
    let texts = [
        ("name", &party.name),
        ("business_id", &party.business_id),
        ("address", &party.address),
        ("email", &party.email),
        ("phone", &party.phone),
    ];
    let mut flaws = Vec::new();
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?))) {
        let at = format!("/party/{name}");
        if text.trim().is_empty() {
            flaws.push(Flaw::new(&at, "the text is empty", "write one, or leave it out").coded("missing"));
        } else if let Some(what) = fault(text, LONGEST) {
            flaws.push(
                Flaw::new(&at, format!("the text {what}"), "write at most 300 printable characters").coded("text"),
            );
        } else if name == "business_id" && BusinessId::parse(text).is_err() {
            flaws.push(
                Flaw::new(&at, "the check digit does not match", "look at it digit by digit").coded("check-digit"),
            );
        } else if name == "email" && !is_email(text) {
            flaws.push(
                Flaw::new(&at, "this is no e-mail address", "write one, such as nimi@esimerkki.fi").coded("email"),
            );
        }
    }
    flaws
}

/// Whether a text is one e-mail address and nothing else.
fn is_email(text: &str) -> bool {
    matches!(find_all(text).as_slice(), [only] if only.kind == IdentifierKind::Email && only.start == 0 && only.end == text.len())
}
