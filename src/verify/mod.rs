//! The checks of a draft, numbered K01…K30 in the field, one file a family.
//!
//! The same checks hold for the machine's drafts, for people's edits and at the moment of approval. They
//! know nothing of databases or of HTTP and ask no model; they look at the draft, at what it was made from and at
//! what binds. A draft that fails is shown with its failures, never hidden and never mended in silence.
//!
//! What a language model wrote is held to more: its sentences are not yet anybody's. A person's edit makes them theirs.

mod amounts;
pub mod appeal;
mod blocks;
mod citations;
mod commands;
mod consistency;
mod dates;
mod hearing;
mod language;
mod legibility;
mod parties;
mod payment;
mod power;
mod privacy;
mod procedure;
mod promises;
mod prose;
mod records;
mod sources;
mod words;

pub use commands::leak;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::cases::{
    CaseFile, Check, DraftContent, Engine, Language, Localized, Person, Practice, Preparer, Submission,
};
use crate::municipality::format::ServiceFile;
use crate::policy::Rulebook;

/// Everything a check may look at.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What binds.
    pub rulebook: &'a Rulebook,
    /// What came in.
    pub submission: &'a Submission,
    /// Number of the case.
    pub number: &'a str,
    /// What the pipeline worked out.
    pub file: &'a CaseFile,
    /// The draft.
    pub content: &'a DraftContent,
    /// Which engine proposed.
    pub engine: &'a Engine,
    /// Who made this version.
    pub preparer: &'a Preparer,
    /// Who is about to approve it, if anybody.
    pub approver: Option<&'a Person>,
    /// The day of the decision; the day of the check before there is one.
    pub decided_on: Date,
    /// Whether an alert of the case still waits for a person.
    pub alerts_open: bool,
    /// What earlier decisions say, where a person ruled; none where nobody looked.
    pub practice: Option<&'a Practice>,
    /// When the approver first had this version before their eyes; none where nobody noted it.
    pub looked_at: Option<Timestamp>,
}

/// The service of the case, if one handles it.
fn service<'a>(subject: &Subject<'a>) -> Option<&'a ServiceFile> {
    subject.rulebook.pack.service(subject.file.classification.as_ref()?.service.as_ref()?)
}

/// Several findings in one line.
fn joined(all: &[Localized]) -> Localized {
    let of = |language| all.iter().map(|one| one.get(language)).collect::<Vec<_>>().join("; ");
    Localized { fi: of(Language::Fi), sv: of(Language::Sv), en: Some(of(Language::En)) }
}

/// Runs every check, in the order of their numbers.
#[must_use]
pub fn verify(subject: &Subject<'_>) -> Vec<Check> {
    vec![
        amounts::k01(subject),
        amounts::k02(subject),
        citations::k03(subject),
        citations::k04(subject),
        citations::k05(subject),
        procedure::k06(subject),
        appeal::k07(subject),
        appeal::k08(subject),
        power::k09(subject),
        power::k10(subject),
        hearing::k11(subject),
        procedure::k12(subject),
        dates::k13(subject),
        parties::k14(subject),
        privacy::k15(subject),
        language::k16(subject),
        promises::k17(subject),
        sources::k18(subject),
        commands::k19(subject),
        records::k20(subject),
        records::k21(subject),
        payment::k22(subject),
        payment::k23(subject),
        legibility::k24(subject),
        legibility::k25(subject),
        consistency::k26(subject),
        procedure::k27(subject),
        records::k28(subject),
        power::k29(subject),
        procedure::k30(subject),
    ]
}
