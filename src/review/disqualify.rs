//! `disqualify`: a person says that they are disqualified (*esteellisyysilmoitus*, hallintolaki 27–30 §).
//!
//! Possible at any time while the case is open, and never taken back. From then on the person neither handles nor decides
//! it, with any token; a claim of theirs ends, so that somebody else can go on.

use serde_json::json;

use super::{Result, Review, act, refuse_final};
use crate::cases::{Case, CaseId, Disqualification, EventKind, Ground, Person};

impl Review {
    /// Declares. Said again it changes nothing: what was said first stands.
    ///
    /// # Errors
    /// [`super::Refusal::NotFound`], [`super::Refusal::Final`].
    pub async fn declare_disqualified(&self, person: &Person, id: CaseId, ground: Ground) -> Result<Case> {
        let (tx, mut case) = self.open_to_anybody(person, id).await?;
        refuse_final(&case)?;
        if case.file.is_disqualified(person) {
            return Ok(case);
        }
        let at = self.ambient().now();
        case.file.disqualified.push(Disqualification { person: person.clone(), ground, at });
        case.claim = case.claim.filter(|claim| !claim.person.is_same_person(person));
        Self::finish(tx, case, act(person, EventKind::Disqualified, id, json!({ "ground": ground }))).await
    }
}
