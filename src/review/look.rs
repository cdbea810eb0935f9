//! `look`: an approver has a draft before their eyes. Who looked, and when first, is on the record: a supervisor sees
//! from it whether drafts are read before they are approved.

use jiff::Timestamp;
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
        let waits = person.role == Role::Approver && (case.status == Status::InReview || case.awaits_confirmation());
        if !waits || history.iter().any(|event| is_look(event, person, draft)) {
            return Ok(());
        }
        let payload = json!({ "what": "draft", "draft": draft.id, "version": draft.version });
        let mut tx = self.storage.begin().await?;
        tx.append_event(&person.municipality, act(person, EventKind::Read, case.id, payload)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// When this approver first had the current version before their eyes.
    pub(super) async fn first_look(&self, person: &Person, case: &Case) -> Result<Option<Timestamp>> {
        let draft = self.latest_draft(case).await?;
        let history = self.storage.timeline(&case.municipality, case.id).await?;
        Ok(history.iter().find(|event| is_look(event, person, &draft)).map(|event| event.at))
    }
}

fn is_look(event: &Event, person: &Person, draft: &Draft) -> bool {
    event.kind == EventKind::Read
        && matches!(&event.actor, Actor::Person { token, .. } if *token == person.token)
        && event.payload["draft"] == json!(draft.id)
}
