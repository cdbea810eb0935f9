//! `withdraw`: the party, or the registry for it, takes the matter back (*asian raukeaminen*).
//!
//! The case ends at once: nobody waits for a letter to be rid of an application. The written confirmation is drafted after
//! that and goes the way of every letter; a notice, which is answered by acts and not by letters, gets none. What is decided
//! is not withdrawn: the decision stands until it is changed. What everybody could read of the case is taken away with it.

use serde_json::json;

use super::{Result, Review, act};
use crate::cases::{Act, Case, CaseId, Due, EventKind, Person, Role, Withdrawal};
use crate::clock::helsinki;
use crate::municipality::calendar;
use crate::municipality::format::ServiceFile;
use crate::triage::{Step, local_date, pipeline};

/// Working days in which the party has its confirmation.
const DAYS_TO_CONFIRM: u32 = 5;

impl Review {
    /// Ends the case, and sends the confirmation of it to be drafted. Steps of the pipeline that still wait find it ended
    /// and do nothing.
    ///
    /// # Errors
    /// [`super::Refusal::Illegal`] when it has ended already.
    pub async fn withdraw(&self, person: &Person, id: CaseId) -> Result<Case> {
        let (mut tx, mut case) = self.open(person, id).await?;
        case.status = case.status.after(Act::Withdraw, None)?;
        case.claim = None;
        case.file.due = None;
        let now = self.ambient().now();
        let by_party = person.role == Role::ResidentChannel;
        case.file.withdrawal = Some(Withdrawal { at: now, by_party, confirmed: false });
        if self.is_notice(&case)? {
            case.file.withdrawal = Some(Withdrawal { at: now, by_party, confirmed: true });
        } else {
            let last = calendar::add_working_days(local_date(now), DAYS_TO_CONFIRM).at(23, 59, 59, 0);
            let at = last.to_zoned(helsinki()).map_or(jiff::Timestamp::MAX, |last| last.timestamp());
            case.file.due = Some(Due { at, because: "confirmation of the withdrawal".to_owned() });
            let from = if case.file.classification.is_some() { Step::Compose } else { Step::Read };
            pipeline::reenter(&mut tx, &mut case, from).await?;
        }
        Self::take_away(&mut tx, person, &case, "withdrawn").await?;
        Self::finish(tx, case, act(person, EventKind::Withdrawn, id, json!({}))).await
    }

    fn is_notice(&self, case: &Case) -> Result<bool> {
        let service = case.file.classification.as_ref().and_then(|class| class.service.as_ref());
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let is_notice = |service: &ServiceFile| !service.categories.is_empty();
        Ok(service.and_then(|id| pack.service(id)).is_some_and(is_notice))
    }
}
