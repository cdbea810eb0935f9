//! `claim` and `release`: one person works on a case at a time.
//!
//! A claim is a lease: when it runs out, anybody may take the case. Who claims declares that they are not disqualified
//! (*esteellinen*, hallintolaki 27–28 §); who is says so instead, and somebody else takes it.

use jiff::SignedDuration;
use serde_json::json;

use super::{Result, Review, act, refuse_final};
use crate::cases::{Case, CaseId, Claim, EventKind, Person};

impl Review {
    /// Takes the case, or takes it anew. An expired claim of another gives way.
    ///
    /// # Errors
    /// [`super::Refusal::ClaimedByAnother`], [`super::Refusal::Disqualified`], [`super::Refusal::Final`].
    pub async fn claim(&self, person: &Person, id: CaseId) -> Result<Case> {
        let (tx, mut case) = self.open(person, id).await?;
        refuse_final(&case)?;
        self.require_not_anothers(&case, person)?;
        let claim = self.new_claim(person);
        let event = act(person, EventKind::Claimed, id, json!({ "until": claim.until }));
        case.claim = Some(claim);
        Self::finish(tx, case, event).await
    }

    /// Gives the case back.
    ///
    /// # Errors
    /// [`super::Refusal::NotClaimed`], [`super::Refusal::ClaimedByAnother`].
    pub async fn release(&self, person: &Person, id: CaseId) -> Result<Case> {
        let (tx, mut case) = self.open(person, id).await?;
        self.require_claim(&case, person)?;
        case.claim = None;
        Self::finish(tx, case, act(person, EventKind::Released, id, json!({}))).await
    }

    pub(super) fn new_claim(&self, person: &Person) -> Claim {
        let lease = SignedDuration::try_from(self.claim_lease).unwrap_or(SignedDuration::from_hours(4));
        let until = self.ambient().now().checked_add(lease).unwrap_or(jiff::Timestamp::MAX);
        Claim { person: person.clone(), until }
    }
}
