//! Step `compose`: the draft, from fixed blocks that people wrote and reasons that the rules gave.
//!
//! One file a family of letters. Code picks the kind from the assessment and the owner; the amount, the
//! appeal block, the addressee and the deadlines are computed, never written by an engine. A language model's [`Prose`]
//! has two places: the sentences of reasons, and a paragraph on the matter.

mod blocks;
mod decision;
mod letter;
mod notice;
mod request;

use super::proposals::{Proposals, Prose, credit};
use super::{Circumstances, Desk, Error, Step};
use crate::cases::{
    CaseFile, Classification, DraftContent, DraftKind, Language, Matter, Outcome, Owner, ProposalKind, Reading, Reason,
    Route, Submission,
};
use crate::municipality::format::ServiceFile;
use crate::policy::Library;

/// Everything a letter is made from.
#[derive(Debug, Clone, Copy)]
struct Material<'a> {
    desk: &'a Desk,
    submission: &'a Submission,
    file: &'a CaseFile,
    reading: &'a Reading,
    classification: &'a Classification,
    route: &'a Route,
    service: Option<&'a ServiceFile>,
    at: &'a Circumstances<'a>,
    prose: Option<&'a Prose>,
}

impl Material<'_> {
    /// Whether the office began the matter of its own accord.
    fn ours(&self) -> bool {
        self.service.is_some_and(|service| service.office)
    }

    /// Whether the case waits for a round, and for nothing else.
    fn waits(&self) -> bool {
        self.file.assessment.as_ref().is_some_and(|assessment| assessment.outcome == Outcome::Pending)
    }
}

/// Notes in the case what was proposed beside the draft, and whose words stand in it.
pub fn note(file: &mut CaseFile, proposals: &Proposals) {
    file.passages.clone_from(&proposals.passages);
    file.summary.clone_from(&proposals.summary);
    file.proposals.retain(|proposal| proposal.kind != ProposalKind::Ruling);
    file.proposals.extend(proposals.rulings.iter().cloned());
    if let Some(engine) = file.engine.as_mut() {
        credit(engine, Step::Compose, proposals.credit.as_ref().filter(|_| proposals.prose.is_some()));
    }
}

/// The machine's draft of a case, with a language model's words where there are any.
pub fn run(
    desk: &Desk,
    submission: &Submission,
    file: &CaseFile,
    at: &Circumstances<'_>,
    prose: Option<&Prose>,
) -> Result<DraftContent, Error> {
    let needs = |needs| Error::OutOfOrder { step: "compose", needs };
    let classification = file.classification.as_ref().ok_or(needs("classify"))?;
    let material = Material {
        desk,
        submission,
        file,
        reading: file.reading.as_ref().ok_or(needs("read"))?,
        classification,
        route: file.route.as_ref().ok_or(needs("classify"))?,
        service: classification.service.as_ref().and_then(|id| desk.rulebook.pack.service(id)),
        at,
        prose,
    };
    match kind(&material) {
        kind if kind.rests_on_rules() => decision::compose(&material, kind),
        DraftKind::Completion => request::completion(&material),
        DraftKind::Hearing => request::hearing(&material),
        DraftKind::Transfer => request::transfer(&material),
        DraftKind::Withdrawal => request::withdrawal(&material),
        DraftKind::Acknowledgement if material.waits() => request::pending(&material),
        _ => notice::compose(&material),
    }
}

/// The reasons as they stand in a letter, one a line, each with the section that carries it.
#[must_use]
pub fn reason_lines(library: &Library, reasons: &[Reason], language: Language) -> Vec<String> {
    reasons
        .iter()
        .map(|reason| {
            let place = reason.citations.first().and_then(|citation| {
                let document = library.version(&citation.document, citation.version)?;
                Some(format!(" ({})", document.cite(&citation.section, language)?))
            });
            format!("– {}{}", reason.text, place.unwrap_or_default())
        })
        .collect()
}

/// The kind of draft that a case calls for.
fn kind(material: &Material<'_>) -> DraftKind {
    // Whatever it was, it has lapsed.
    if material.file.withdrawal.is_some() {
        return DraftKind::Withdrawal;
    }
    if material.file.transfer_to.is_some() {
        return DraftKind::Transfer;
    }
    let applies = material.classification.matter == Matter::Application;
    // Names of neighbours in the office's own words move nothing.
    if applies
        && !material.ours()
        && material.route.owner != Owner::Municipality
        && material.route.owner != Owner::Emergency112
    {
        return DraftKind::Transfer;
    }
    // A question whose time to answer is over is not asked again.
    let answerable = material.file.completion_until.is_none_or(|until| material.at.today() <= until);
    if !material.file.asked.is_empty() && answerable {
        return DraftKind::Completion;
    }
    // Nobody is answered on the merits while nobody is sure what they ask.
    if material.classification.abstained && !applies {
        return DraftKind::Acknowledgement;
    }
    if material.file.hear.is_some() || !material.file.unheard(material.at.today(), material.ours()).is_empty() {
        return DraftKind::Hearing;
    }
    let outcome = material.file.assessment.as_ref().map(|assessment| assessment.outcome);
    // What may be an application is asked what it lacks, and not decided before somebody is sure that it is one.
    if material.classification.abstained && outcome != Some(Outcome::Incomplete) {
        return DraftKind::Acknowledgement;
    }
    let own = |outcome| material.service.and_then(|service| service.draft_for(outcome, &material.file.facts));
    // What a person must still rule on is drafted as if it were met.
    let drafted = outcome.map(|outcome| if outcome == Outcome::Discretion { Outcome::Granted } else { outcome });
    if let Some(kind) = drafted.and_then(own) {
        return kind;
    }
    match outcome {
        Some(Outcome::Partial) => DraftKind::Partial,
        Some(Outcome::Rejected) => DraftKind::Rejection,
        Some(Outcome::Inadmissible) => DraftKind::Inadmissible,
        Some(Outcome::Incomplete) => DraftKind::Completion,
        // What a person must still rule on is drafted as if it were met, and check K06 blocks it until they do.
        Some(Outcome::Granted | Outcome::Discretion) => DraftKind::Grant,
        // What waits for a round is told so; check K06 keeps it from being approved as if it were the answer.
        Some(Outcome::Pending) | None => DraftKind::Acknowledgement,
    }
}
