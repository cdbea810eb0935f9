//! Review: what people do with a case. One file a verb.
//!
//! Every verb is one transaction: the case's new state, its audit event and the next jobs, or nothing. The
//! status machine of [`crate::cases::Status`] says what is possible; delegation, the claim and the rule that
//! a preparer does not approve are enforced here and nowhere else. Nothing here is done by the machine on its
//! own: each verb takes the [`Person`] who acts. Knows no HTTP and no models.

mod access_rights;
mod alerts;
mod approve;
mod ask;
mod blind;
mod claim;
mod consent;
mod disqualify;
mod edit;
pub mod facts;
mod hear;
mod jobs;
mod link;
mod look;
mod merge;
mod message;
mod metadata;
mod power;
mod publish;
mod read;
mod reclassify;
mod refusal;
mod resume;
mod return_;
mod round;
mod rule;
mod split;
mod supplement;
mod tokens;
mod transfer;
mod verify;
mod withdraw;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::cases::{Act, Case, CaseId, Draft, EventKind, MunicipalityId, NewEvent, Person, Submission};
use crate::clock::Ambient;
use crate::storage::{Storage, Tx};
use crate::triage::{Circumstances, Desk, Step, Triage, pipeline};

pub use access_rights::NewHandling;
pub use approve::Approval;
pub use ask::QuestionToAsk;
pub use blind::{NewJudgement, Sampling};
pub use edit::Edit;
pub use facts::NewFact;
pub use hear::NewHearing;
pub use merge::NewMerger;
pub use message::{Messaged, NewMessage};
pub use metadata::NewMetadata;
pub use power::{Authority, Holder, Powers};
pub use publish::{NewPublication, Publishing};
pub use reclassify::NewClass;
pub use refusal::{Flaw, Refusal};
pub use round::{NewLeftOut, NewRound, RoundState, WaitingCase};
pub use rule::NewRuling;
pub use split::NewPart;
pub use supplement::Supplemented;
pub use tokens::{NewToken, issue_token, revoke_token};
pub use words::Words;

/// Result of a verb.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// The verbs, over what they need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Review {
    storage: Storage,
    triage: Arc<Triage>,
    claim_lease: Duration,
    sampling: Sampling,
}

impl Review {
    /// The verbs over this storage; a claim lasts `claim_lease` and starts anew with each edit, and the share of `sampling`
    /// is judged blind.
    #[must_use]
    pub const fn new(storage: Storage, triage: Arc<Triage>, claim_lease: Duration, sampling: Sampling) -> Self {
        Self { storage, triage, claim_lease, sampling }
    }

    fn ambient(&self) -> &Ambient {
        self.storage.ambient()
    }

    /// What binds in a municipality, and its words of danger.
    ///
    /// # Errors
    /// [`Refusal::NoPack`] when this process has not loaded it.
    pub fn desk(&self, municipality: &MunicipalityId) -> Result<&Desk> {
        self.triage.desk(municipality).map(Arc::as_ref).map_err(|_| Refusal::NoPack)
    }

    /// A writing transaction and the case in it, locked. Another municipality's case is not found, and somebody who is
    /// disqualified handles none (hallintolaki 27 §).
    async fn open(&self, person: &Person, id: CaseId) -> Result<(Tx, Case)> {
        let (tx, case) = self.open_to_anybody(person, id).await?;
        if case.file.is_disqualified(person) { Err(Refusal::Disqualified) } else { Ok((tx, case)) }
    }

    /// The same for what is no handling of the case, or weighs by itself who acts.
    async fn open_to_anybody(&self, person: &Person, id: CaseId) -> Result<(Tx, Case)> {
        let mut tx = self.storage.begin().await?;
        let case = tx.case_for_update(&person.municipality, id).await?.ok_or(Refusal::NotFound)?;
        Ok((tx, case))
    }

    /// State, event and jobs become real together.
    async fn finish(mut tx: Tx, mut case: Case, event: NewEvent) -> Result<Case> {
        tx.save_case(&mut case).await?;
        tx.append_event(&case.municipality, event).await?;
        tx.commit().await?;
        Ok(case)
    }

    /// The case goes back into the pipeline at `from`, as a new job in the same transaction.
    async fn reenter(tx: &mut Tx, case: &mut Case, act: Act, from: Step) -> Result<()> {
        case.status = case.status.after(act, None)?;
        pipeline::reenter(tx, case, from).await?;
        Ok(())
    }

    async fn submission(&self, case: &Case) -> Result<Submission> {
        Ok(pipeline::submission(&self.storage, case).await?)
    }

    async fn latest_draft(&self, case: &Case) -> Result<Draft> {
        self.storage.latest_draft(&case.municipality, case.id).await?.ok_or(Refusal::NoDraft)
    }

    /// What the checks need to know of the moment.
    async fn circumstances<'a>(&self, case: &'a Case) -> Result<Circumstances<'a>> {
        let alerts_open = self.storage.has_open_alert(&case.municipality, case.id).await?;
        Ok(Circumstances { case: Some(case.id), alerts_open, ..Circumstances::new(&case.number, self.ambient().now()) })
    }

    /// The person holds the case, and their claim has not run out.
    fn require_claim(&self, case: &Case, person: &Person) -> Result<()> {
        match self.running_claim(case) {
            Some(claim) if claim.person.token == person.token => Ok(()),
            Some(claim) => Err(Refusal::ClaimedByAnother { until: claim.until }),
            None => Err(Refusal::NotClaimed),
        }
    }

    /// Nobody else holds the case.
    fn require_not_anothers(&self, case: &Case, person: &Person) -> Result<()> {
        match self.running_claim(case) {
            Some(claim) if claim.person.token != person.token => Err(Refusal::ClaimedByAnother { until: claim.until }),
            _ => Ok(()),
        }
    }

    fn running_claim<'a>(&self, case: &'a Case) -> Option<&'a crate::cases::Claim> {
        case.claim.as_ref().filter(|claim| claim.until > self.ambient().now())
    }
}

/// A person's act on a case, for the chain.
fn act(person: &Person, kind: EventKind, case: CaseId, payload: Value) -> NewEvent {
    NewEvent { actor: person.into(), kind, case_id: Some(case), payload }
}

/// A case that nothing more happens to.
fn refuse_final(case: &Case) -> Result<()> {
    if case.status.is_final() { Err(Refusal::Final { status: case.status }) } else { Ok(()) }
}
