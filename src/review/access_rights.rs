//! `access-right`: a key or tag is handed over, comes back, or is lost (*kulkuoikeusrekisteri*).
//!
//! The right itself is made by an approval, in its transaction, and by nothing else. What is done with the key or tag is an
//! event of the case; the number of the tag and how it was lost stand in the register and not in the chain.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use super::words::fault;
use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{
    AccessAct, AccessRight, AccessState, Case, CaseId, CaseRef, DraftContent, DraftKind, EventKind, Handled, Person,
    Value,
};
use crate::municipality::format::RightOf;
use crate::triage::local_date;

/// Longest number of a key or tag, characters.
const LONGEST_NUMBER: usize = 64;

/// What is done with the key or tag.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHandling {
    /// What.
    pub act: AccessAct,
    /// When it is handed over: the serial number of the key or the number of the tag, 1–64 characters on one line.
    #[serde(default)]
    #[schema(example = "A-1042")]
    pub number: Option<String>,
    /// When it is lost: how.
    #[serde(default)]
    pub reason: Option<Words>,
}

impl Review {
    /// Notes what is done with the key or tag of a case.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the case granted none, when it stands where this cannot be done, or when the number or
    /// the reason is missing; [`Refusal::Disqualified`].
    pub async fn handle_key(&self, person: &Person, id: CaseId, new: NewHandling) -> Result<AccessRight> {
        let (mut tx, case) = self.open(person, id).await?;
        let Some(mut right) = tx.access_right(&case.municipality, id).await? else {
            let flaw = Flaw::new("/act", "the case granted no access right", "look it up in the register");
            return Err(Refusal::Invalid(vec![flaw.coded("none")]));
        };
        let now = self.ambient().now();
        let today = local_date(now);
        let stood = right.state(today);
        if !stood.acts().contains(&new.act) {
            let possible: Vec<&str> = stood.acts().iter().map(|act| act.as_str()).collect();
            let instead = match possible.as_slice() {
                [] => "nothing more is done with it".to_owned(),
                some => format!("send {}", some.join(" or ")),
            };
            let flaw = Flaw::new("/act", format!("the key or tag is {stood}"), instead);
            return Err(Refusal::Invalid(vec![flaw.coded("state")]));
        }
        let done = Handled { at: now, by: person.clone() };
        let kind = match (new.act, new.number, new.reason) {
            (AccessAct::HandOver, number, None) => {
                right.number = Some(readable(number.as_deref().unwrap_or_default())?);
                right.handed_over = Some(done);
                EventKind::KeyHandedOver
            }
            (AccessAct::TakeBack, None, None) => {
                right.returned = Some(done);
                EventKind::KeyReturned
            }
            (AccessAct::ReportLost, None, Some(reason)) => {
                right.lost = Some(done);
                right.lost_because = Some(reason.into());
                EventKind::KeyLost
            }
            (AccessAct::ReportLost, None, None) => {
                let flaw = Flaw::new("/reason", "it is not said how it was lost", "write 1–4000 characters");
                return Err(Refusal::Invalid(vec![flaw.coded("reason")]));
            }
            _ => {
                let what = "a number goes with handing over, a reason with a loss";
                return Err(Refusal::invalid("", what, "leave the other out"));
            }
        };
        tx.save_access_right(&case.municipality, &right).await?;
        let payload = json!({ "was": stood, "until": right.until });
        tx.append_event(&case.municipality, act(person, kind, id, payload)).await?;
        tx.commit().await?;
        Ok(right)
    }

    /// The right that an approval of this draft grants; none where the service grants none, or this draft does not.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when a fact that it is made of is not known: nobody decides on a right that could not be
    /// registered.
    pub(super) fn right_granted(
        &self,
        person: &Person,
        case: &Case,
        content: &DraftContent,
    ) -> Result<Option<AccessRight>> {
        if !matches!(content.kind, DraftKind::Grant | DraftKind::Partial) {
            return Ok(None);
        }
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let service = case.file.classification.as_ref().and_then(|class| pack.service(class.service.as_ref()?));
        let Some((service, RightOf { from, until, what, kind })) =
            service.and_then(|file| Some((file, file.right.as_ref()?)))
        else {
            return Ok(None);
        };
        let holder = service.party.as_deref().unwrap_or_default();
        Ok(Some(AccessRight {
            case: CaseRef { id: case.id, number: case.number.clone() },
            service: service.id.clone(),
            holder: text(case, holder)?,
            what: text(case, what)?,
            kind: kind.as_deref().map(|kind| text(case, kind)).transpose()?,
            from: day(case, from)?,
            until: day(case, until)?,
            granted: Handled { at: self.ambient().now(), by: person.clone() },
            handed_over: None,
            number: None,
            returned: None,
            lost: None,
            lost_because: None,
        }))
    }

    /// Where an access right stands today.
    #[must_use]
    pub fn access_state(&self, right: &AccessRight) -> AccessState {
        right.state(local_date(self.ambient().now()))
    }
}

fn text(case: &Case, name: &str) -> Result<String> {
    let value = case.file.facts.get(name).map(|fact| fact.value.plain()).unwrap_or_default();
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { Err(unknown(name)) } else { Ok(line) }
}

fn day(case: &Case, name: &str) -> Result<Date> {
    match case.file.facts.get(name).map(|fact| &fact.value) {
        Some(Value::Date(day)) => Ok(*day),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> Refusal {
    let what = format!("the decision grants an access right, and the fact `{name}` is not known");
    Refusal::invalid("/draft_hash", what, "state the fact, then approve the draft that is made from it")
}

/// A number as it is kept.
fn readable(number: &str) -> Result<String> {
    let number = number.trim();
    if number.is_empty() || number.contains(['\n', '\t']) || fault(number, LONGEST_NUMBER).is_some() {
        let what = "this is no number of a key or tag";
        let flaw = Flaw::new("/number", what, "write 1–64 printable characters on one line");
        return Err(Refusal::Invalid(vec![flaw.coded("number")]));
    }
    Ok(number.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_line_that_can_be_read() {
        assert_eq!(readable(" A-1042 ").unwrap(), "A-1042");
        for bad in ["", " ", "1\n2", "1\t2", "\u{202e}1", &"1".repeat(65)] {
            assert!(readable(bad).is_err(), "{bad:?}");
        }
    }
}
