//! Dead letters: jobs that failed for good. A person looks, mends what was wrong, and sends them again.

use serde_json::json;

use super::{Refusal, Result, Review};
use crate::cases::{Act, EventKind, JobId, NewEvent, Person, Status};

impl Review {
    /// Sends a dead letter through again, with all its attempts; its case goes back into the pipeline where it
    /// stopped.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when the municipality has no such dead letter.
    pub async fn retry_job(&self, admin: &Person, id: JobId) -> Result<()> {
        let dead = self.storage.dead_jobs(&admin.municipality).await?;
        let found = dead.iter().find(|job| job.id == id).ok_or(Refusal::NotFound)?.clone();
        // A letter of an earlier round would change nothing and leave the case waiting for nobody.
        if let Some(newer) = dead.iter().find(|job| job.case_id == found.case_id && job.buried_at > found.buried_at) {
            let what = format!("the case failed again later, in the job {}", newer.id);
            return Err(Refusal::invalid("/id", what, "try that one again"));
        }
        let dead = found;
        let mut tx = self.storage.begin().await?;
        if let Some(case) = dead.case_id
            && let Some(mut case) = tx.case_for_update(&admin.municipality, case).await?
            && case.status == Status::NeedsPerson
        {
            // The same round: the revived job is the one that goes on.
            case.status = case.status.after(Act::Reenter, None)?;
            tx.save_case(&mut case).await?;
        }
        if !tx.revive_job(&admin.municipality, id).await? {
            return Err(Refusal::NotFound);
        }
        let payload = json!({ "job": id, "kind": dead.kind, "by_hand": true });
        let event = NewEvent { actor: admin.into(), kind: EventKind::StepRetried, case_id: dead.case_id, payload };
        tx.append_event(&admin.municipality, event).await?;
        tx.commit().await?;
        Ok(())
    }
}
