//! `link`: a person says which decision a claim for revision is against (*oikaisuvaatimuksen kohde*).

use serde_json::json;

use super::{Flaw, Refusal, Result, Review, act};
use crate::cases::{Act, Case, CaseId, EventKind, Person};
use crate::triage::{Step, about};

/// Longest number of a case, characters.
const LONGEST_NUMBER: usize = 64;

impl Review {
    /// Notes the decision and triages the claim anew.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the municipality has made no decision of this number; [`Refusal::ClaimedByAnother`].
    pub async fn link(&self, person: &Person, id: CaseId, number: &str) -> Result<Case> {
        let number = number.trim().to_uppercase();
        let seen = self.storage.case(&person.municipality, id).await?.ok_or(Refusal::NotFound)?;
        let pack = &self.desk(&person.municipality)?.rulebook.pack;
        let found = match number.chars().count() {
            1..=LONGEST_NUMBER => about::named(&self.storage, pack, &seen, &number).await?,
            _ => None,
        };
        let Some(found) = found else {
            let flaw =
                Flaw::new("/number", "there is no decision of this number", "write the number of a decided case");
            return Err(Refusal::Invalid(vec![flaw.coded("undecided")]));
        };
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_not_anothers(&case, person)?;
        let payload = json!({ "about": found.case.id, "was": case.file.about.as_ref().map(|was| was.case.id) });
        case.file.about = Some(Box::new(found));
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Gather).await?;
        Self::finish(tx, case, act(person, EventKind::Linked, id, payload)).await
    }
}
