//! `reclassify`: a person says what kind of matter it is. The machine's proposal is kept beside it.

use serde_json::json;

use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{Act, Case, CaseId, EventKind, Matter, Person, Reclassification, ServiceId};
use crate::municipality::Pack;
use crate::triage::Step;

/// What kind of matter a case is, in a person's judgement.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClass {
    /// Kind of matter.
    pub matter: Matter,
    /// The service that handles it, if one.
    #[serde(default)]
    pub service: Option<ServiceId>,
    /// Fault category, for a notice.
    #[serde(default)]
    pub category: Option<String>,
    /// Why.
    pub reason: Words,
}

impl Review {
    /// Sets the class and sends the case through the pipeline again.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the municipality has no such service or category;
    /// [`Refusal::ClaimedByAnother`], [`Refusal::Illegal`].
    pub async fn reclassify(&self, person: &Person, id: CaseId, class: NewClass) -> Result<Case> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_not_anothers(&case, person)?;
        let flaws = flaws(&self.desk(&case.municipality)?.rulebook.pack, &class);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let was = case.file.classification.as_ref().map(|said| said.label.as_str());
        let payload =
            json!({ "matter": class.matter, "service": class.service, "category": class.category, "was": was });
        case.file.reclassified = Some(Reclassification {
            matter: class.matter,
            service: class.service,
            category: class.category,
            actor: person.token.to_string(),
            reason: class.reason.into(),
        });
        // What was asked of, or where it was sent as, another kind of matter holds no more.
        case.file.asked.clear();
        case.file.transfer_to = None;
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Classify).await?;
        Self::finish(tx, case, act(person, EventKind::Reclassified, id, payload)).await
    }
}

/// What is wrong with a class, with pointers into it.
pub(super) fn flaws(pack: &Pack, class: &NewClass) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if let Some(service) = &class.service {
        match pack.service(service) {
            None => flaws.push(Flaw::new(
                "/service",
                format!("the municipality has no service `{service}`"),
                "write the id of a service, or leave it out",
            )),
            Some(file) if file.matter != class.matter => flaws.push(Flaw::new(
                "/matter",
                format!("the service `{service}` handles `{}`", file.matter),
                format!("write {}, or another service", file.matter),
            )),
            Some(_) => {}
        }
    }
    if let Some(category) = &class.category {
        let known = pack.services.values().any(|file| file.categories.iter().any(|row| row.code == *category));
        if !known {
            flaws.push(Flaw::new(
                "/category",
                "this is no fault category",
                "write a code such as LI1, or leave it out",
            ));
        }
    }
    flaws
}
