//! `return`: an approver gives a draft back to its handler, with the reason.
//!
//! The draft stays as it is and the case stays in review, free to be claimed: people's words are not thrown
//! away by drafting anew. The reason stands in the case file until somebody saves another version.

use serde_json::json;

use super::{Refusal, Result, Review, Words, act};
use crate::cases::{Act, Case, CaseId, DraftHash, EventKind, Person, Returned};

impl Review {
    /// Gives the draft with the hash `seen` back.
    ///
    /// # Errors
    /// [`Refusal::StaleDraft`] when it is no longer the current one.
    pub async fn return_to_handler(
        &self,
        person: &Person,
        id: CaseId,
        seen: Option<&DraftHash>,
        reason: Words,
    ) -> Result<Case> {
        let (tx, mut case) = self.open(person, id).await?;
        self.require_judged(person, &case)?;
        case.status = case.status.after(Act::Edit, None)?;
        let draft = self.latest_draft(&case).await?;
        if seen.is_some_and(|seen| *seen != draft.hash) {
            return Err(Refusal::StaleDraft { current: draft.hash });
        }
        case.claim = None;
        let payload = json!({ "draft": draft.id, "version": draft.version, "hash": draft.hash });
        case.file.returned =
            Some(Returned { draft: draft.hash, actor: person.token.to_string(), reason: reason.into() });
        Self::finish(tx, case, act(person, EventKind::Returned, id, payload)).await
    }
}
