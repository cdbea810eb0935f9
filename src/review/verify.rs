//! `verify`: the checks of a draft as they come out now. Changes nothing.

use super::{Edit, Refusal, Result, Review};
use crate::cases::{Case, CaseId, Check, DraftContent, DraftHash, Person, Preparer};
use crate::triage::{Circumstances, similar};

impl Review {
    /// The checks of the current draft (with its hash), or of what an edit would make of it.
    ///
    /// # Errors
    /// [`Refusal::NotFound`], [`Refusal::NoDraft`], [`Refusal::Invalid`].
    pub async fn verify(
        &self,
        person: &Person,
        id: CaseId,
        edit: Option<Edit>,
    ) -> Result<(Option<DraftHash>, Vec<Check>)> {
        let case = self.storage.case(&person.municipality, id).await?.ok_or(Refusal::NotFound)?;
        self.require_judged(person, &case)?;
        let draft = self.latest_draft(&case).await?;
        match edit {
            None => Ok((Some(draft.hash), self.check(&case, &draft.content, &draft.prepared_by, None).await?)),
            Some(edit) => {
                let library = &self.desk(&case.municipality)?.rulebook.library;
                let preparer = Preparer::Person { actor: person.token.to_string() };
                Ok((None, self.check(&case, &edit.apply(&draft.content, library)?, &preparer, None).await?))
            }
        }
    }

    /// Every check of some content of a case, at this moment.
    pub(super) async fn check(
        &self,
        case: &Case,
        content: &DraftContent,
        preparer: &Preparer,
        approver: Option<&Person>,
    ) -> Result<Vec<Check>> {
        let submission = self.submission(case).await?;
        let practice =
            similar::practice(&self.storage, &case.municipality, case.id, &case.file, self.ambient().now()).await?;
        let looked_at = match approver {
            Some(approver) => self.first_look(approver, case).await?,
            None => None,
        };
        let at = Circumstances { practice: practice.as_ref(), looked_at, ..self.circumstances(case).await? };
        Ok(self.desk(&case.municipality)?.check(&submission, &case.file, content, preparer, approver, &at))
    }
}
