//! `resume`: the time to answer is over, and the matter is settled with what there is (hallintolaki 33 and 36 §).

use serde_json::json;

use super::{Refusal, Result, Review, act};
use crate::cases::{Act, Case, CaseId, EventKind, Person};
use crate::triage::{Step, local_date};

impl Review {
    /// Drafts anew without an answer, once the last day of the letter has passed.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] while the party still has time or nothing was asked; [`Refusal::NotClaimed`].
    pub async fn resume(&self, person: &Person, id: CaseId) -> Result<Case> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_claim(&case, person)?;
        if !self.may_resume(&case) {
            let what = "the party's time to answer is not over";
            return Err(Refusal::invalid("", what, "wait for the answer, or for the day after the last day"));
        }
        case.file.asked.clear();
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
        Self::finish(tx, case, act(person, EventKind::Resumed, id, json!({}))).await
    }

    /// Whether the case waits for an answer whose last day has passed.
    #[must_use]
    pub fn may_resume(&self, case: &Case) -> bool {
        let today = local_date(self.ambient().now());
        let asked =
            case.file.completion_until.into_iter().chain(case.file.hearings.last().map(|hearing| hearing.until));
        case.status == crate::cases::Status::AwaitingCompletion && asked.max().is_some_and(|until| today > until)
    }
}
