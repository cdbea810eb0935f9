//! `merge`: two cases tell of one matter and are handled as one (*asioiden yhdistäminen*, hallintolaki 25 §).
//!
//! The later case goes into the earlier one, so that nobody loses an arrival; it ends as `merged` and keeps everything.
//! What came in for it becomes material of the other only where a person says that one party sent both: nobody's words
//! stand in a letter to somebody else. Merging a part back into the case it was split off undoes the split. What the case that
//! ends showed to everybody is taken away with it.

use serde_json::json;

use super::{Flaw, Refusal, Result, Review, Words, act, refuse_final};
use crate::cases::{Act, Case, CaseId, CaseRef, EventKind, Merger, MunicipalityId, Person};
use crate::triage::Step;

/// Longest number or id of a case, characters.
const LONGEST_NUMBER: usize = 64;

/// Into which case, and why.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMerger {
    /// The number of the case that goes on, or its id.
    #[schema(example = "HRJ/2026/00017")]
    pub into: String,
    /// Whether one party sent both. Then what came in for this case is read with the other as if sent later.
    pub same_party: bool,
    /// Why.
    pub reason: Words,
}

impl Review {
    /// Merges the case into another. Gives the one that goes on.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the other is none that it can go into, [`Refusal::Final`],
    /// [`Refusal::ClaimedByAnother`] and [`Refusal::Disqualified`] for either, [`Refusal::OpenAlert`]: an alert is acknowledged where it was raised.
    pub async fn merge(&self, person: &Person, id: CaseId, merger: NewMerger) -> Result<Case> {
        let into = self.named(&person.municipality, &merger.into).await?;
        if into == id {
            return Err(other("a case cannot be merged into itself", "write the number of another case", "itself"));
        }
        let mut tx = self.storage.begin().await?;
        // In the order of their ids: two mergers of the same cases wait for each other and do not lock up.
        let mut both = Vec::new();
        for id in [id.min(into), id.max(into)] {
            let case = tx.case_for_update(&person.municipality, id).await?.ok_or(Refusal::NotFound)?;
            if case.file.is_disqualified(person) {
                return Err(Refusal::Disqualified);
            }
            both.push(case);
        }
        let (Some(second), Some(first)) = (both.pop(), both.pop()) else { return Err(Refusal::NotFound) };
        let (mut gone, mut stays) = if first.id == id { (first, second) } else { (second, first) };
        refuse_final(&gone)?;
        self.require_not_anothers(&gone, person)?;
        self.require_not_anothers(&stays, person)?;
        if self.storage.has_open_alert(&gone.municipality, gone.id).await? {
            return Err(Refusal::OpenAlert);
        }
        // A part and what it was split off are one party's.
        let undoes = is_off(&gone, &stays);
        let same_party = merger.same_party || undoes;
        if let Some(flaw) = flaw(&gone, &stays, same_party) {
            return Err(Refusal::Invalid(vec![flaw]));
        }
        let at = self.ambient().now();
        let told = |case: &Case| Merger {
            case: CaseRef { id: case.id, number: case.number.clone() },
            same_party,
            reason: merger.reason.as_str().to_owned(),
            actor: person.token.to_string(),
            at,
        };
        let away = act(person, EventKind::Merged, gone.id, json!({ "into": stays.id, "same_party": same_party }));
        let here = act(person, EventKind::Merged, stays.id, json!({ "from": gone.id, "same_party": same_party }));
        gone.file.merged_into = Some(told(&stays));
        gone.status = gone.status.after(Act::Merge, None)?;
        (gone.claim, gone.file.due) = (None, None);
        stays.file.merged.push(told(&gone));
        stays.file.note_preparer(person);
        if undoes {
            stays.file.split_off.retain(|part| part.case.id != gone.id);
        } else if same_party {
            stays.file.supplements.push(gone.submission_id);
        }
        if same_party {
            stays.file.supplements.extend(&gone.file.supplements);
            Self::reenter(&mut tx, &mut stays, Act::Supplement, Step::Read).await?;
        }
        tx.save_case(&mut gone).await?;
        tx.append_event(&gone.municipality, away).await?;
        Self::take_away(&mut tx, person, &gone, "merged").await?;
        Self::finish(tx, stays, here).await
    }

    /// The case of this number or id.
    async fn named(&self, municipality: &MunicipalityId, name: &str) -> Result<CaseId> {
        let name = name.trim();
        let none = || other("there is no such case", "write the number of a case of this municipality", "unknown");
        if name.is_empty() || name.chars().count() > LONGEST_NUMBER {
            return Err(none());
        }
        if let Ok(id) = name.parse::<CaseId>() {
            return Ok(self.storage.case(municipality, id).await?.ok_or_else(none)?.id);
        }
        let found = self.storage.case_by_number(municipality, &name.to_uppercase()).await?;
        Ok(found.ok_or_else(none)?.id)
    }
}

fn other(what: &str, instead: &str, code: &'static str) -> Refusal {
    Refusal::Invalid(vec![Flaw::new("/into", what, instead).coded(code)])
}

fn is_off(gone: &Case, stays: &Case) -> bool {
    gone.file.split_from.as_ref().is_some_and(|part| part.case.id == stays.id)
}

/// Why the one case cannot go into the other.
fn flaw(gone: &Case, stays: &Case, same_party: bool) -> Option<Flaw> {
    let (what, instead, code) = if stays.status.is_final() {
        ("this case has ended", "write the number of an open case", "ended")
    } else if !gone.file.merged.is_empty() || !gone.file.split_off.is_empty() {
        ("other cases hang on the one that you are merging", "merge the other case into this one", "chain")
    } else if gone.submission_id == stays.submission_id && !is_off(gone, stays) {
        ("both came out of one message", "merge a part into the case that it was split off", "one-message")
    } else if same_party && gone.file.split_from.is_some() && !is_off(gone, stays) {
        // Its submission is the whole message, of which the rest is another matter.
        ("only a part of its message is this case", "merge it into the case that it was split off first", "part")
    } else if !is_off(gone, stays) && (gone.received_at, gone.id) < (stays.received_at, stays.id) {
        ("this case arrived later", "merge the later case into the earlier one", "later")
    } else {
        return None;
    };
    Some(Flaw::new("/into", what, instead).coded(code))
}
