//! `withdraw`: the party, or the registry for it, takes the matter back (*asian raukeaminen*).

use serde_json::json;

use super::{Result, Review, act};
use crate::cases::{Act, Case, CaseId, EventKind, Person};

impl Review {
    /// Ends the case. Steps of the pipeline that still wait find it ended and do nothing.
    ///
    /// # Errors
    /// [`super::Refusal::Illegal`] when it has ended already.
    pub async fn withdraw(&self, person: &Person, id: CaseId) -> Result<Case> {
        let (tx, mut case) = self.open(person, id).await?;
        case.status = case.status.after(Act::Withdraw, None)?;
        case.claim = None;
        case.file.due = None;
        Self::finish(tx, case, act(person, EventKind::Withdrawn, id, json!({}))).await
    }
}
