//! `hear`: a person wants the party to comment before the matter is settled (*kuuleminen*, hallintolaki 34 and 36 §). The
//! pipeline drafts the letter, a person approves it. Where the policy says so itself, the letter is drafted unasked.

use serde_json::json;

use super::words::fault;
use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{Act, Case, CaseId, EventKind, HearingOrder, Person};
use crate::triage::Step;

/// Most documents that are sent along.
const MOST_DOCUMENTS: usize = 20;
/// Longest name of a document, characters.
const LONGEST_NAME: usize = 200;

/// What the party may comment on.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHearing {
    /// In the language of the case: what is considered, and what the party may say something of.
    pub about: Words,
    /// Names of the documents that are sent along, 0–20.
    #[serde(default)]
    pub documents: Vec<String>,
}

impl Review {
    /// Orders the hearing and drafts its letter.
    ///
    /// # Errors
    /// [`Refusal::NotClaimed`], [`Refusal::Illegal`], [`Refusal::Invalid`].
    pub async fn hear(&self, person: &Person, id: CaseId, new: NewHearing) -> Result<Case> {
        let flaws = flaws(&new.documents);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_judged(person, &case)?;
        self.require_claim(&case, person)?;
        let documents: Vec<String> = new.documents.iter().map(|name| name.trim().to_owned()).collect();
        let payload = json!({ "documents": documents.len() });
        let order = HearingOrder { about: new.about.into(), documents, actor: person.token.to_string() };
        case.file.hear = Some(Box::new(order));
        case.file.asked.clear();
        case.file.transfer_to = None;
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
        Self::finish(tx, case, act(person, EventKind::HearingOrdered, id, payload)).await
    }
}

fn flaws(documents: &[String]) -> Vec<Flaw> {
    if documents.len() > MOST_DOCUMENTS {
        return vec![Flaw::new("/documents", "these are too many documents", "name at most 20").coded("many")];
    }
    let bad = |name: &str| name.trim().is_empty() || name.contains('\n') || fault(name, LONGEST_NAME).is_some();
    let bad = documents.iter().enumerate().filter(|(_, name)| bad(name));
    bad.map(|(n, _)| {
        Flaw::new(&format!("/documents/{n}"), "this is no name of a document", "write 1–200 printable characters")
            .coded("document")
    })
    .collect()
}
