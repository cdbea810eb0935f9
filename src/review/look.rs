//! `look`: an approver has a draft before their eyes. Who looked, and when first, is on the record: a supervisor sees
//! from it whether drafts are read before they are approved.

use serde_json::json;

use super::{Result, Review, act};
use crate::cases::{Actor, Case, Draft, Event, EventKind, Person, Role, Status};

impl Review {
    /// Notes the first look of an approver at this version of a draft that waits for them; `history` is the case's.
    /// Whoever does not decide, and whoever looks again, leaves nothing.
    ///
    /// # Errors
    /// [`super::Refusal::Storage`].
    pub async fn look(&self, person: &Person, case: &Case, draft: &Draft, history: &[Event]) -> Result<()> {
        let waits = person.role == Role::Approver && case.status == Status::InReview;
        if !waits || history.iter().any(|event| is_look(event, person, draft)) {
            return Ok(());
        }
        let payload = json!({ "what": "draft", "draft": draft.id, "version": draft.version });
        let mut tx = self.storage.begin().await?;
        tx.append_event(&person.municipality, act(person, EventKind::Read, case.id, payload)).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn is_look(event: &Event, person: &Person, draft: &Draft) -> bool {
    event.kind == EventKind::Read
        && matches!(&event.actor, Actor::Person { token, .. } if *token == person.token)
        && event.payload["draft"] == json!(draft.id)
}
