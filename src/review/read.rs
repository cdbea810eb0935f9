//! `read`: the bytes as they came, and files that came along. Who takes them out is on the record.

use serde_json::{Value, json};

use super::{Refusal, Result, Review, act};
use crate::cases::{Attachment, Case, CaseId, EventKind, Person, SubmissionId};

impl Review {
    /// The bytes of the submission that the case came from, or of the supplement `of`.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn read_raw(&self, person: &Person, id: CaseId, of: Option<SubmissionId>) -> Result<Vec<u8>> {
        let case = self.storage.case(&person.municipality, id).await?.ok_or(Refusal::NotFound)?;
        let of = of.unwrap_or(case.submission_id);
        if !came_with(&case).any(|submission| submission == of) {
            return Err(Refusal::NotFound);
        }
        let bytes = self.storage.raw(&case.municipality, of).await?.ok_or(Refusal::NotFound)?;
        self.record_read(person, id, json!({ "submission": of, "what": "raw" })).await?;
        Ok(bytes)
    }

    /// A file that came along with the case or a supplement, by the hash of its bytes.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn read_file(&self, person: &Person, id: CaseId, sha256: &str) -> Result<(Attachment, Vec<u8>)> {
        let case = self.storage.case(&person.municipality, id).await?.ok_or(Refusal::NotFound)?;
        for of in came_with(&case) {
            let Some(submission) = self.storage.submission(&case.municipality, of).await? else { continue };
            let Some(file) = submission.attachments.into_iter().find(|file| file.sha256 == sha256) else { continue };
            let bytes = self.storage.file(&case.municipality, of, &file).await?.ok_or(Refusal::NotFound)?;
            self.record_read(person, id, json!({ "submission": of, "what": "file", "sha256": sha256 })).await?;
            return Ok((file, bytes));
        }
        Err(Refusal::NotFound)
    }

    async fn record_read(&self, person: &Person, id: CaseId, payload: Value) -> Result<()> {
        let mut tx = self.storage.begin().await?;
        tx.append_event(&person.municipality, act(person, EventKind::Read, id, payload)).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The first submission and its supplements.
fn came_with(case: &Case) -> impl Iterator<Item = SubmissionId> {
    std::iter::once(case.submission_id).chain(case.file.supplements.iter().copied())
}
