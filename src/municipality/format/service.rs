//! `services/<id>.yaml`: one service from its form to its letters: who prepares and decides, what may be asked, how long
//! it may take, which letter an outcome calls for and which block of appeal that letter carries.
//!
//! The parts that are read by themselves have a file of their own beside this one: [`super::form`], [`super::about`],
//! [`super::records`], [`super::notices`].

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::about::{AboutDecision, DecidedBy};
use super::delegation::{CORRECTIONS, claims_row};
use super::form::{AttachmentRule, Field};
use super::notices::{Category, UrgencyTarget};
use super::records::{AiPolicy, Records};
use crate::cases::{
    AppealKind, CaseFile, DeciderId, DepartmentId, DocumentId, DraftKind, Facts, Localized, Matter, Outcome, ServiceId,
    Urgency,
};
use crate::municipality::condition::Condition;
use crate::municipality::history::History;

/// `services/<id>.yaml`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// Stable id, the name of the file.
    pub id: ServiceId,
    /// Its name.
    pub name: Localized,
    /// Kind of matter.
    pub matter: Matter,
    /// Who pays whom.
    pub process: Process,
    /// The post that owns the service chain: a service without one is refused (S049).
    pub process_owner: DeciderId,
    /// Department that prepares.
    pub department: DepartmentId,
    /// The policy document whose rules are evaluated; none for a notice.
    #[serde(default)]
    pub policy: Option<DocumentId>,
    /// The delegation row that says who decides.
    #[serde(default)]
    pub delegation: Option<String>,
    /// Other delegation rows for cases of a certain kind; the first that fits stands before `delegation`.
    #[serde(default)]
    pub delegation_when: Vec<DelegationWhen>,
    /// Whether only the office opens it, of its own accord: residents find no such form, and what they send is none.
    #[serde(default)]
    pub office: bool,
    /// The decided case that it is about, such as the one whose grant is recovered.
    #[serde(default)]
    pub about: Option<AboutDecision>,
    /// The field that names the party, for example the association; left out: whoever sent it.
    #[serde(default)]
    pub party: Option<String>,
    /// What the case is about, as letters name it: the road, the hall.
    #[serde(default)]
    pub subject: Option<SubjectOf>,
    /// Which kind of letter an outcome of the rules calls for, where it is not the usual one.
    #[serde(default)]
    pub drafts: BTreeMap<Outcome, DraftKind>,
    /// The same for cases of a certain kind; the first row that fits and names the outcome stands before `drafts`.
    #[serde(default)]
    pub drafts_when: Vec<DraftsWhen>,
    /// How long handling may take (P11).
    pub handling_time: HandlingTime,
    /// Days to answer a completion request (P02: 14).
    #[serde(default = "fourteen")]
    pub completion_days: u32,
    /// Least days to pay what a decision orders to be paid back, from the day of the decision (P20: 30).
    #[serde(default = "thirty")]
    pub payment_days: u32,
    /// Fields of the form. Empty: nobody chooses this service, the machine and people recognise it in messages.
    pub fields: Vec<Field>,
    /// Attachments.
    #[serde(default)]
    pub attachments: Vec<AttachmentRule>,
    /// Facts that are worked out from other cases of the municipality.
    #[serde(default)]
    pub history: Vec<History>,
    /// Fields that tell what is paid for, beside the party: the same party is paid for the same thing once in the calendar
    /// year of arrival (K22). An empty list: once a year, whatever for. Left out: nobody looks.
    #[serde(default)]
    pub paid_once: Option<Vec<String>>,
    /// How it is applied for again, with what is known already; left out: it is not offered.
    #[serde(default)]
    pub again: Option<Again>,
    /// The tick by which the sender consents to publication, a field of type `flag`. It is asked before sending, never
    /// ticked beforehand, and can be withdrawn at any time. Left out: nothing is asked and nothing may be published.
    #[serde(default)]
    pub publication_consent: Option<String>,
    /// The access right that a granting decision adds to the register; left out: it adds none.
    #[serde(default)]
    pub right: Option<RightOf>,
    /// Appeal block by kind of decision; kinds that are left out carry none.
    #[serde(default)]
    pub appeal: BTreeMap<DraftKind, AppealKind>,
    /// Statute sections that a decision of this service always cites, `document#section`.
    #[serde(default)]
    pub provisions: BTreeMap<DraftKind, Vec<String>>,
    /// Records class, retention and publicity (P13, checks K20 and K21).
    pub records: Records,
    /// How the AI Act sees it, and what a model may read.
    pub ai: AiPolicy,
    /// For notices: the tree of categories.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// For notices: what each urgency means.
    #[serde(default)]
    pub urgencies: BTreeMap<Urgency, UrgencyTarget>,
}

const fn fourteen() -> u32 {
    14
}

const fn thirty() -> u32 {
    30
}

impl ServiceFile {
    /// Whether it can be chosen: a matter that nobody would file under its own name has no form.
    #[must_use]
    pub const fn has_form(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Whether residents may choose it: what the office begins is not offered to them.
    #[must_use]
    pub const fn is_offered(&self) -> bool {
        self.has_form() && !self.office
    }

    /// The delegation row of a case with these facts.
    #[must_use]
    pub fn delegation_for(&self, facts: &Facts) -> Option<&str> {
        let special = self.delegation_when.iter().find(|row| row.when.holds(facts) == Some(true));
        special.map(|row| row.row.as_str()).or(self.delegation.as_deref())
    }

    /// The delegation row of a case: a claim for revision is decided by the body over whoever decided (kuntalaki 134 §);
    /// what is about another decision, by whom its service says.
    #[must_use]
    pub fn delegation_of(&self, file: &CaseFile) -> Option<String> {
        if self.matter == Matter::ClaimForRevision {
            return file.about.as_ref()?.body.as_ref().map(claims_row);
        }
        let row = self.delegation_for(&file.facts)?;
        let Some(by) = self.about.as_ref().and_then(|about| about.decided_by) else { return Some(row.to_owned()) };
        let about = file.about.as_ref()?;
        let who = match by {
            DecidedBy::Body => about.body.as_ref(),
            DecidedBy::Decider => about.decider.as_ref(),
        };
        Some(format!("{row}/{}", who?))
    }

    /// The kind of letter that it names for an outcome of the rules on these facts, if it names one.
    #[must_use]
    pub fn draft_for(&self, outcome: Outcome, facts: &Facts) -> Option<DraftKind> {
        let fits = self.drafts_when.iter().filter(|row| row.when.holds(facts) == Some(true));
        fits.into_iter().find_map(|row| row.drafts.get(&outcome)).or_else(|| self.drafts.get(&outcome)).copied()
    }

    /// Every kind of letter that it may name for an outcome.
    pub fn drafts_of(&self, outcome: Outcome) -> impl Iterator<Item = DraftKind> {
        let rows = self.drafts_when.iter().map(|row| &row.drafts).chain([&self.drafts]);
        rows.filter_map(move |row| row.get(&outcome).copied())
    }

    /// Whether its decisions correct the one that they are about (hallintolaki 50 and 51 §).
    #[must_use]
    pub fn corrects(&self) -> bool {
        self.delegation.as_deref() == Some(CORRECTIONS)
    }

    /// Whether a row of that id is what it names: of rows for each post or body of an earlier decision it names what they
    /// have in common.
    #[must_use]
    pub fn rests_on(&self, row: &str, id: &str) -> bool {
        if self.about.as_ref().is_some_and(|about| about.decided_by.is_some()) {
            return id.split_once('/').is_some_and(|(common, _)| common == row);
        }
        id == row
    }

    /// Every delegation row that it names.
    pub fn delegations(&self) -> impl Iterator<Item = &str> {
        self.delegation_when.iter().map(|row| row.row.as_str()).chain(self.delegation.as_deref())
    }
}

/// Kinds of letters for cases of a certain kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftsWhen {
    /// Which cases.
    pub when: Condition,
    /// The kinds, by outcome.
    pub drafts: BTreeMap<Outcome, DraftKind>,
}

/// A delegation row for cases of a certain kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationWhen {
    /// Which cases.
    pub when: Condition,
    /// The row.
    pub row: String,
}

/// What a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubjectOf {
    /// The field that names it.
    pub field: String,
    /// What it is, before its name: `Tie`.
    pub label: Localized,
}

/// How a service is applied for again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Again {
    /// What the button for the same applicant says, for example "the same road cooperative again".
    pub same: Localized,
    /// What the button for another applicant says, for example "another road cooperative".
    pub another: Localized,
    /// Fields that tell of the sender and not of the applicant: they stay the same for another applicant.
    pub sender: Vec<String>,
}

/// Which fields tell of the access right that a decision grants (*kulkuoikeus*). Its holder is the party.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RightOf {
    /// Its first day, a required field of type `date`.
    pub from: String,
    /// Its last day, a required field of type `date`.
    pub until: String,
    /// What it opens, a required field of type `text` or `choice`.
    pub what: String,
    /// Whether it is a key, a tag or something else, a required field of type `choice`.
    #[serde(default)]
    pub kind: Option<String>,
}

/// Process type of the seeds (S001–S003).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Process {
    /// The municipality pays.
    MunicipalityPays,
    /// The customer pays.
    CustomerPays,
    /// A notice is fixed and reported back.
    Notice,
}

/// How long handling may take.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandlingTime {
    /// Days.
    pub days: u32,
    /// From what they are counted.
    pub from: HandlingStart,
    /// Whether only working days count.
    #[serde(default)]
    pub working_days: bool,
    /// A longer time for cases of a certain kind, for example much work with a document request (621/1999 14 §).
    #[serde(default)]
    pub extended: Option<ExtendedTime>,
}

/// A longer handling time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendedTime {
    /// For which cases.
    pub when: Condition,
    /// Calendar months, from the same day as the usual time.
    pub months: u32,
}

/// From what handling time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandlingStart {
    /// Arrival.
    Arrival,
    /// End of the application window.
    WindowEnd,
}
