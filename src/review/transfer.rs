//! `transfer`: a person says that another authority is competent (hallintolaki 21 §). The pipeline drafts
//! the letter, a person approves it.

use serde_json::json;

use super::{Refusal, Result, Review, act};
use crate::cases::{Act, AuthorityId, Case, CaseId, EventKind, Person};
use crate::triage::{Step, local_date};

impl Review {
    /// Sets the authority and drafts anew.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the directory has no such authority today; [`Refusal::NotClaimed`].
    pub async fn transfer(&self, person: &Person, id: CaseId, authority: &AuthorityId) -> Result<Case> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_judged(person, &case)?;
        self.require_claim(&case, person)?;
        let today = local_date(self.ambient().now());
        if self.desk(&case.municipality)?.rulebook.pack.authority(authority, today).is_none() {
            let what = format!("the directory has no authority `{authority}` today");
            return Err(Refusal::invalid("/authority", what, "write an id of authorities.yaml that is in force"));
        }
        let was = case.file.route.as_ref().map(|route| route.authority.clone());
        case.file.transfer_to = Some(authority.clone());
        case.file.hear = None;
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Classify).await?;
        Self::finish(tx, case, act(person, EventKind::Transferred, id, json!({ "authority": authority, "was": was })))
            .await
    }
}
