//! Blind review (*sokkoarvio*): for a set share of cases a handler says what they would do before anybody who prepares or
//! decides sees what the machine proposes.
//!
//! Which cases is worked out from the case's id and a seed of the settings: nobody chooses, and it comes out the same
//! whenever it is asked. What came in and words of danger are never hidden.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::words::Words;
use super::{Refusal, Result, Review, act};
use crate::cases::{
    Case, CaseId, Draft, DraftKind, Euro, Event, EventKind, Judgement, Person, Preparer, Role, Status, differences,
};

/// Which cases are judged blind.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// So many of a hundred.
    pub share: u32,
    /// Another seed chooses other cases.
    pub seed: String,
}

impl Sampling {
    /// Whether the case is one of the share.
    #[must_use]
    pub fn chooses(&self, id: CaseId) -> bool {
        let digest = Sha256::digest(format!("blind review {} {id}", self.seed));
        let drawn = digest.iter().take(8).fold(0_u64, |drawn, byte| drawn << 8 | u64::from(*byte));
        drawn % 100 < u64::from(self.share)
    }
}

/// What a person would do.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJudgement {
    /// Which decision or letter.
    pub outcome: DraftKind,
    /// What they would grant; left out where nothing is.
    #[serde(default)]
    pub amount: Option<Euro>,
    /// Why, in a line.
    pub line: Words,
}

impl Review {
    /// Whether the machine's proposal is hidden from this person until somebody has judged the case: only from those who
    /// prepare and decide, and only while it could be a proposal.
    #[must_use]
    pub fn hides_from(&self, person: &Person, case: &Case) -> bool {
        matches!(person.role, Role::Handler | Role::Approver) && self.waits_for_judgement(case)
    }

    fn waits_for_judgement(&self, case: &Case) -> bool {
        matches!(case.status, Status::Received | Status::InReview)
            && case.file.judgement.is_none()
            && self.sampling.chooses(case.id)
    }

    /// Nobody works on a proposal that they may not see yet.
    ///
    /// # Errors
    /// [`Refusal::JudgeFirst`].
    pub fn require_judged(&self, person: &Person, case: &Case) -> Result<()> {
        if self.hides_from(person, case) { Err(Refusal::JudgeFirst) } else { Ok(()) }
    }

    /// An event without what it tells of the proposal.
    #[must_use]
    pub fn without_proposal(event: Event) -> Event {
        let tells = matches!(
            event.kind,
            EventKind::Drafted
                | EventKind::StepDone
                | EventKind::ModelAsked
                | EventKind::ToolUsed
                | EventKind::FellBack
        );
        if tells { Event { payload: json!({}), ..event } } else { event }
    }

    /// Records what a person would do, once a case; from then on the proposal is shown. Whether the two agree is worked out
    /// against the machine's last version. It changes nothing in the case, so whoever judged may decide it.
    ///
    /// # Errors
    /// [`Refusal::AlreadyJudged`], [`Refusal::NotBlind`], [`Refusal::NoDraft`], [`Refusal::Invalid`],
    /// [`Refusal::ClaimedByAnother`], [`Refusal::Disqualified`].
    pub async fn judge(&self, person: &Person, id: CaseId, new: NewJudgement) -> Result<Judgement> {
        let (tx, mut case) = self.open(person, id).await?;
        if case.file.judgement.is_some() {
            return Err(Refusal::AlreadyJudged);
        }
        if !self.waits_for_judgement(&case) {
            return Err(Refusal::NotBlind);
        }
        self.require_not_anothers(&case, person)?;
        if case.status != Status::InReview {
            return Err(Refusal::NoDraft);
        }
        if new.amount.is_some() && !new.outcome.grants() {
            let instead = "leave it out, or choose an outcome that grants";
            return Err(Refusal::invalid("/amount", "this outcome grants nothing", instead));
        }
        let Draft { content, hash, .. } = self.machines_version(&case).await?;
        let NewJudgement { outcome, amount, line } = new;
        let judgement = Judgement {
            person: person.clone(),
            outcome,
            amount,
            line: line.into(),
            at: self.ambient().now(),
            differs_in: differences(outcome, amount, &content),
            draft: hash,
            proposed: content.kind,
            proposed_amount: content.amount,
        };
        let payload = json!({ "outcome": outcome, "amount": amount, "draft": judgement.draft,
            "proposed": judgement.proposed, "proposed_amount": judgement.proposed_amount,
            "agreed": judgement.agreed(), "differs_in": judgement.differs_in });
        case.file.judgement = Some(judgement.clone());
        Self::finish(tx, case, act(person, EventKind::Judged, id, payload)).await?;
        Ok(judgement)
    }

    async fn machines_version(&self, case: &Case) -> Result<Draft> {
        let versions = self.storage.drafts(&case.municipality, case.id).await?;
        versions.into_iter().rfind(|draft| draft.prepared_by == Preparer::Engine).ok_or(Refusal::NoDraft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_the_share_and_comes_out_the_same() {
        let ids = (0..2_000_u128).map(|n| CaseId::new(uuid::Uuid::from_u128(n << 40)));
        let ids: Vec<CaseId> = ids.collect();
        let chosen = |share, seed: &str| {
            let sampling = Sampling { share, seed: seed.to_owned() };
            ids.iter().copied().filter(|id| sampling.chooses(*id)).collect::<Vec<_>>()
        };
        assert_eq!((chosen(0, "a").len(), chosen(100, "a").len()), (0, 2_000));
        let fifth = chosen(20, "a");
        assert!((340..460).contains(&fifth.len()), "{}", fifth.len());
        assert_eq!(fifth, chosen(20, "a"));
        assert_ne!(fifth, chosen(20, "b"));
        let more = chosen(30, "a");
        assert!(fifth.iter().all(|id| more.contains(id)), "a larger share leaves no case out");
    }
}
