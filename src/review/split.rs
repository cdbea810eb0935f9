//! `split`: one message holds several matters; each gets a case of its own (*asioiden eriyttäminen*).
//!
//! A person points at the words and says what kind of matter they are. The new case has its own number and its own run
//! through the pipeline, the same submission and the same arrival; what is left stays with the case that it was. The
//! words must stand in the case's text byte for byte: nothing is retold.

use serde_json::json;

use super::{Flaw, NewClass, Refusal, Result, Review, Words, act, reclassify};
use crate::cases::{
    Act, Case, CaseFile, CaseId, CaseRef, EventKind, Person, Reclassification, SplitMatter, Submission,
};
use crate::municipality::Pack;
use crate::triage::{Step, material, pipeline};

/// Most matters of one act.
const MOST_PARTS: usize = 10;

/// A matter that becomes a case of its own.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPart {
    /// Its words, as they stand in the case's text.
    pub text: Words,
    /// What kind of matter they are.
    pub class: NewClass,
}

impl Review {
    /// Splits matters off the case. Gives the case with what is left, and the new ones.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when words do not stand in the text, nothing would be left, or a class is none;
    /// [`Refusal::ClaimedByAnother`], [`Refusal::Illegal`].
    pub async fn split(&self, person: &Person, id: CaseId, parts: Vec<NewPart>) -> Result<(Case, Vec<Case>)> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_not_anothers(&case, person)?;
        // Refused before anything is looked up in what came in.
        case.status.after(Act::Reenter, None)?;
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let whole = self.submission(&case).await?;
        let withheld = material::withheld(&case.file, &whole);
        let flaws = flaws(pack, whole, &parts);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let first = CaseRef { id: case.id, number: case.number.clone() };
        let mut made = Vec::new();
        for NewPart { text, class } in parts {
            let text = String::from(text);
            let mut file = CaseFile {
                split_from: Some(SplitMatter { case: first.clone(), text: text.clone(), label: None }),
                registrations: case.file.registrations.clone(),
                withheld: withheld.clone(),
                reclassified: Some(Reclassification {
                    matter: class.matter,
                    service: class.service,
                    category: class.category,
                    actor: person.token.to_string(),
                    reason: class.reason.into(),
                }),
                ..CaseFile::default()
            };
            file.note_preparer(person);
            let new = pipeline::enter_part(&mut tx, pack, &case, file, person.into()).await?;
            case.file.split_off.push(SplitMatter {
                case: CaseRef { id: new.id, number: new.number.clone() },
                text,
                label: None,
            });
            made.push(new);
        }
        case.file.note_preparer(person);
        let ids: Vec<CaseId> = made.iter().map(|new| new.id).collect();
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Read).await?;
        let case = Self::finish(tx, case, act(person, EventKind::Split, id, json!({ "into": ids }))).await?;
        Ok((case, made))
    }
}

fn flaws(pack: &Pack, mut rest: Submission, parts: &[NewPart]) -> Vec<Flaw> {
    if parts.is_empty() || parts.len() > MOST_PARTS {
        return vec![Flaw::new("/parts", "a split has 1 to 10 parts", "send the parts")];
    }
    let mut flaws = Vec::new();
    for (nth, part) in parts.iter().enumerate() {
        if !material::take_out(&mut rest, part.text.as_str()) {
            let instead = "copy the words as they stand, each only once";
            flaws.push(
                Flaw::new(&format!("/parts/{nth}/text"), "these words do not stand in the text", instead)
                    .coded("absent"),
            );
        }
        flaws.extend(reclassify::flaws(pack, &part.class).into_iter().map(|flaw| {
            let pointer = format!("/parts/{nth}/class{}", flaw.pointer);
            Flaw { pointer, ..flaw }
        }));
    }
    if flaws.is_empty() && material::is_empty(&rest) {
        let what = "nothing would be left of the case";
        flaws.push(Flaw::new("/parts", what, "leave its own matter, or reclassify it").coded("nothing-left"));
    }
    flaws
}
