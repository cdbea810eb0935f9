//! The formats of the files that a municipality's people edit: who it is, its services, its authorities,
//! its delegation, its fixed texts. Hand-edited shapes only; [`super::pack`] loads and checks them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::accent::Accent;
use super::condition::Condition;
use super::history::History;
use crate::cases::{
    AppealKind, AuthorityId, CaseFile, DeciderId, DepartmentId, DocumentId, DraftKind, Euro, FactType, Facts, Language,
    Localized, Matter, MunicipalityId, Outcome, Owner, ParameterValue, ServiceId, Urgency, Validity,
};

/// `municipality.yaml`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MunicipalityFile {
    /// Stable id, the name of the folder.
    pub id: MunicipalityId,
    /// Its name.
    pub name: Localized,
    /// Genitive or form used in letters' headings, for example `Harjuvesi kommun`.
    pub letterhead: Localized,
    /// Letters before a case number, for example `HRJ`.
    pub case_prefix: String,
    /// Languages in which it serves; the first is the language of the record.
    pub languages: Vec<Language>,
    /// Residents at the turn of the year.
    pub residents: u32,
    /// The registry: where post, e-mail and claims go.
    pub registry: Contact,
    /// Departments.
    pub departments: BTreeMap<DepartmentId, Department>,
    /// Bodies (*toimielin*) and posts (*virka*) that may hold power to decide.
    pub deciders: BTreeMap<DeciderId, Decider>,
    /// Numbers of state roads in the area, for the owner test.
    #[serde(default)]
    pub state_roads: Vec<String>,
    /// Names of private roads in the area, for the owner test.
    #[serde(default)]
    pub private_roads: Vec<String>,
    /// Names of places that belong to a neighbouring municipality, by its authority id.
    #[serde(default)]
    pub neighbours: BTreeMap<AuthorityId, Vec<String>>,
    /// Facts that come from the municipality's own dated settings or registers.
    #[serde(default)]
    pub registers: Vec<RegisterFact>,
    /// Which policies of the base pack bind here, and who adopted them. One that is not named is not in force.
    #[serde(default)]
    pub adoptions: Vec<Adoption>,
    /// Services of the base pack that are not offered.
    #[serde(default)]
    pub without: Vec<ServiceId>,
    /// Whether letters carry the statement that a machine helped.
    #[serde(default = "yes")]
    pub ai_statement: bool,
    /// The colour of its pages' headings, links and buttons, for example `"#0b5d3b"`. Must be readable on white.
    #[serde(default)]
    pub accent: Option<Accent>,
    /// How long handling took before: what reports hold today's minutes against. Without one no saving is told.
    #[serde(default)]
    pub baselines: Vec<Baseline>,
}

const fn yes() -> bool {
    true
}

/// How a person is reached.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Name of the unit.
    pub name: Localized,
    /// Postal address.
    #[serde(default)]
    pub address: Option<String>,
    /// E-mail.
    #[serde(default)]
    pub email: Option<String>,
    /// Telephone.
    #[serde(default)]
    pub phone: Option<String>,
    /// Opening hours.
    #[serde(default)]
    pub hours: Option<Localized>,
    /// Web address.
    #[serde(default)]
    pub web: Option<String>,
}

/// A department.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Its name.
    pub name: Localized,
    /// The person or desk that answers questions on its cases.
    pub contact: Contact,
}

/// A body or post.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decider {
    /// Body (*toimielin*) or post (*viranhaltija*).
    pub kind: DeciderKind,
    /// Title, in the nominative: `tekninen johtaja`.
    pub title: Localized,
    /// Title, in the allative or as in an address: `tekniselle lautakunnalle`. Used in appeal blocks.
    #[serde(default)]
    pub addressee: Option<Localized>,
    /// The department that prepares for it.
    pub department: DepartmentId,
    /// The body to which a claim for revision of its decisions goes (kuntalaki 134 §); a body: itself.
    #[serde(default)]
    pub claims_to: Option<DeciderId>,
    /// The post that acts when this one is away or disqualified.
    #[serde(default)]
    pub deputy: Option<DeciderId>,
}

/// Body or post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeciderKind {
    /// *toimielin*
    Body,
    /// *viranhaltija*
    Post,
}

/// How long a person worked on a case of a service before, as somebody measured it (*lähtötaso*).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The service.
    pub service: ServiceId,
    /// Minutes of work a case, mean.
    pub minutes: u32,
    /// Of how many cases.
    pub cases: u32,
    /// When it was measured.
    pub measured: Validity,
    /// Where it stands written, for example `Ajanseuranta, tekniset palvelut, HRJ/2026/00031`.
    pub source: String,
}

/// That a policy of the base pack binds in this municipality (*hyväksyminen*).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adoption {
    /// The policy.
    pub document: DocumentId,
    /// The version, by its first day in force.
    #[schemars(with = "String")]
    pub version: Date,
    /// The body that adopted it.
    pub body: Localized,
    /// Date of the meeting.
    #[schemars(with = "String")]
    pub date: Date,
    /// Section of the minutes, for example `§ 71`.
    pub section: String,
    /// Values that were adopted otherwise than the base pack proposes them. The policy's text shows them too.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterValue>,
}

/// A dated fact from the municipality's own register or settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterFact {
    /// Name of the fact.
    pub fact: String,
    /// For which service.
    pub service: ServiceId,
    /// Its value.
    pub value: ParameterValue,
    /// Whom it is about, where it holds for one party only: then it is no fact of a case by itself, but stands in a new
    /// form of that party with its source, for them to confirm.
    #[serde(default)]
    pub about: Option<About>,
    /// When it holds: compared with the governing date.
    pub valid: Validity,
    /// Where it comes from, for the record.
    pub source: String,
}

/// The party of a register's row, by a field of the service's form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Name of the field, for example `register_unit`.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// `delegation.yaml`: who may decide what (P01, *hallintosääntö*).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationFile {
    /// Dated rows.
    pub delegation: Vec<Delegation>,
}

/// One dated delegation.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Id that services name, for example `road-grant`.
    pub id: String,
    /// From when to when: compared with the decision date.
    pub valid: Validity,
    /// The policy section it comes from, for example `hallintosaanto#s12`.
    pub source: String,
    /// Steps by amount, smallest first; the last has no limit.
    pub steps: Vec<DelegationStep>,
}

/// Up to which amount who decides. The limit is inclusive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelegationStep {
    /// Largest amount, inclusive; none: no limit.
    #[serde(default)]
    pub up_to: Option<Euro>,
    /// Who.
    pub decider: DeciderId,
}

/// `authorities.yaml`: who is competent for what (P19), dated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoritiesFile {
    /// Rows.
    pub authorities: Vec<Authority>,
    /// Words that tell whose a matter is.
    #[serde(default)]
    pub tasks: Vec<Task>,
}

/// Words that tell whose a matter is: of an authority, or of a post of the municipality.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Id, for example `home-care`; a municipality's row stands in place of the base's.
    pub id: String,
    /// For which kinds of matters its words count.
    pub matters: Vec<Matter>,
    /// The authority, by its id in the directory.
    #[serde(default)]
    pub authority: Option<AuthorityId>,
    /// The post of the municipality.
    #[serde(default)]
    pub decider: Option<DeciderId>,
    /// Patterns: words in order, `*` ends a stem (`rakennuslu*`), `_` allows up to four words between.
    pub patterns: Vec<String>,
}

/// One dated row of the directory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Id; several rows may share it with other dates.
    pub id: AuthorityId,
    /// Its name.
    pub name: Localized,
    /// For which owner it stands, if for one.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// What it does, in words for the letter.
    pub task: Localized,
    /// How it is reached.
    pub contact: Contact,
    /// From when to when.
    pub valid: Validity,
    /// Where this row comes from.
    pub source: String,
}

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

/// The delegation row by which a body decides claims against its own decisions and those of the posts under it. It stands in
/// the law and in no file.
#[must_use]
pub fn claims_row(body: &DeciderId) -> String {
    format!("claims/{body}")
}

/// What the rows by which decisions are corrected have in common.
pub const CORRECTIONS: &str = "corrections";

/// The delegation row by which whoever made a decision corrects it (hallintolaki 50 and 51 §). It stands in the law, too.
#[must_use]
pub fn corrections_row(decider: &DeciderId) -> String {
    format!("{CORRECTIONS}/{decider}")
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

/// The decided case that a case is about, and what the form takes from it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AboutDecision {
    /// The field with the number of the decided case.
    pub field: String,
    /// Who decides, of those who made that decision: the delegation row is then `<delegation>/<post or body>`.
    #[serde(default)]
    pub decided_by: Option<DecidedBy>,
    /// Fields that say what the decision says, whatever was typed: by the name of the field.
    #[serde(default)]
    pub gives: BTreeMap<String, OfDecision>,
}

/// Who of those who made a decision decides what is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecidedBy {
    /// The body that made it, or that stands over the post that did.
    Body,
    /// The very post or body that made it.
    Decider,
}

/// What a decided case says to a case that is about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OfDecision {
    /// Whom it is about, a text.
    Party,
    /// What it granted, money.
    Amount,
    /// The day on which it was made.
    Date,
    /// Its service, a choice.
    Service,
}

impl OfDecision {
    /// The type of field that can say it.
    #[must_use]
    pub const fn field_type(self) -> FieldType {
        match self {
            Self::Party => FieldType::Text,
            Self::Amount => FieldType::Money,
            Self::Date => FieldType::Date,
            Self::Service => FieldType::Choice,
        }
    }
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

/// One field of a form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name, `snake_case`; also the name of the fact.
    pub name: String,
    /// Label on the form, and name of the fact in a letter.
    pub label: Localized,
    /// What helps to fill it in, under the label.
    #[serde(default)]
    pub help: Option<Localized>,
    /// Type of the value.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Unit of a number.
    #[serde(default)]
    pub unit: Option<String>,
    /// Whether it must be given. A missing one is asked for; it is never a rejection.
    #[serde(default)]
    pub required: bool,
    /// For which cases it must be given, where not for all.
    #[serde(default)]
    pub required_when: Option<Condition>,
    /// What an empty field means, where the form says so ("leave empty if none").
    #[serde(default)]
    pub empty_means: Option<ParameterValue>,
    /// Choices of an enum.
    #[serde(default)]
    pub choices: BTreeMap<String, Localized>,
    /// How it is asked for when it is missing.
    #[serde(default)]
    pub ask: Option<Localized>,
    /// Whether only the office finds it out: no form shows it, and what a sender writes there does not count. A handler
    /// states it as a fact of the case; until then it is what `empty_means` says.
    #[serde(default)]
    pub office: bool,
    /// Whether a language model may ever see it.
    #[serde(default)]
    pub model_may_see: bool,
    /// Free text in which emergency words are looked for and classification may look.
    #[serde(default)]
    pub free_text: bool,
    /// Lowest and highest number accepted without a question.
    #[serde(default)]
    pub min: Option<ParameterValue>,
    /// Highest.
    #[serde(default)]
    pub max: Option<ParameterValue>,
}

impl Field {
    /// Its unit: that of money is the euro, whether or not it is written.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref().or((self.kind == FieldType::Money).then_some("EUR"))
    }

    /// A field with nothing but a name, a label and a type.
    #[must_use]
    pub fn new(name: &str, label: Localized, kind: FieldType) -> Self {
        Self {
            name: name.to_owned(),
            label,
            help: None,
            kind,
            unit: None,
            required: false,
            required_when: None,
            empty_means: None,
            choices: BTreeMap::new(),
            ask: None,
            office: false,
            model_may_see: false,
            free_text: false,
            min: None,
            max: None,
        }
    }
}

/// Type of a form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text.
    Text,
    /// Exact decimal.
    Number,
    /// Euros.
    Money,
    /// Calendar day.
    Date,
    /// Day and time, in Finland.
    Moment,
    /// Yes or no.
    Flag,
    /// One of the choices.
    Choice,
    /// IBAN, checked mod 97.
    Iban,
    /// Business id, check digit.
    BusinessId,
    /// Finnish identity code, check character.
    IdentityCode,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
}

impl FieldType {
    /// The type of the fact that a field becomes.
    #[must_use]
    pub const fn fact_type(self) -> FactType {
        match self {
            Self::Number => FactType::Number,
            Self::Money => FactType::Money,
            Self::Date => FactType::Date,
            Self::Moment => FactType::Time,
            Self::Flag => FactType::Flag,
            _ => FactType::Text,
        }
    }
}

/// An attachment that a form asks for. It becomes the fact `attachment_<name>` (yes) when a file is named for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentRule {
    /// Name, `snake_case`.
    pub name: String,
    /// Label.
    pub label: Localized,
    /// Whether it must be there; a missing one is asked for.
    #[serde(default)]
    pub required: bool,
    /// For which cases it must be there, where not for all.
    #[serde(default)]
    pub required_when: Option<Condition>,
    /// Words in a file's name that show it is this one.
    pub file_words: Vec<String>,
    /// How it is asked for.
    #[serde(default)]
    pub ask: Option<Localized>,
}

/// Records management of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Task class of the information control plan (*TOS-luokka*).
    pub class: String,
    /// Years of retention.
    pub retention_years: u32,
    /// Publicity class.
    pub publicity: Publicity,
    /// The provision that makes it secret or partly secret.
    #[serde(default)]
    pub ground: Option<String>,
}

/// Publicity class (*julkisuusluokka*, 621/1999).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Publicity {
    /// *julkinen*
    Public,
    /// *osittain salassa pidettävä*
    PartlySecret,
    /// *salassa pidettävä*
    Secret,
}

/// What the AI Act (EU) 2024/1689 makes of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AiPolicy {
    /// Class, for example `outside`, `annex-iii-4a`.
    pub class: String,
    /// Why, in a sentence.
    pub because: String,
}

/// One fault category.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Code, `LI1` … `OT1`.
    pub code: String,
    /// Name.
    pub name: Localized,
    /// Whose it is unless the owner test finds another.
    pub owner: Owner,
    /// The unit that does the work, when the municipality's.
    #[serde(default)]
    pub department: Option<DepartmentId>,
    /// The authority that it is redirected to, when not the municipality's.
    #[serde(default)]
    pub authority: Option<AuthorityId>,
    /// Default urgency.
    pub urgency: Urgency,
    /// Owners that the owner test must rule out.
    #[serde(default)]
    pub check: Vec<Owner>,
    /// Advice added to the answer.
    #[serde(default)]
    pub advice: Option<Localized>,
}

/// What an urgency means.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgencyTarget {
    /// Meaning, for handlers.
    pub meaning: Localized,
    /// Target in words, for the letter.
    pub target: Localized,
    /// Hours to the target; for `U1`.
    #[serde(default)]
    pub hours: Option<u32>,
    /// Working days to the target.
    #[serde(default)]
    pub working_days: Option<u32>,
    /// Calendar days to the target.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Front matter of a fixed text, `texts/<language>/<id>.md`. The body is a minijinja template that sees values
/// worked out by code only; a stranger's text is never a template.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextFrontMatter {
    /// Id, the same in every language.
    pub id: String,
    /// Language.
    pub language: Language,
    /// Heading of the part in the letter; none for text without one.
    #[serde(default)]
    pub title: Option<String>,
    /// Version, by its first day in force.
    pub in_force: Validity,
}

/// `emergency.yaml`: words of danger, by kind (P18).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyFile {
    /// Kinds of danger.
    pub kinds: Vec<EmergencyKind>,
    /// Phrases that look like danger and are not; a hit inside one does not count.
    pub lookalikes: Vec<String>,
}

/// One kind of danger.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyKind {
    /// Id, for example `live-wire`.
    pub id: String,
    /// Which card answers it: `emergency` or `crisis`.
    pub card: String,
    /// Patterns: words in order, `*` ends a stem (`sähköiskun*`), `_` allows up to four words between.
    pub patterns: Vec<String>,
}

/// `injection.yaml`: ways in which a text gives orders to a machine. A signal, never the barrier.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectionFile {
    /// Kinds of orders.
    pub kinds: Vec<InjectionKind>,
    /// Phrases that look like an order to a machine and are not; a hit inside one does not count.
    #[serde(default)]
    pub lookalikes: Vec<String>,
}

/// One kind of order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectionKind {
    /// Id, for example `override`.
    pub id: String,
    /// What such an order is after, for people.
    pub meaning: String,
    /// Patterns: words in order, `*` ends a stem (`ohje*`), `_` allows up to four words between.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Signs that no ordinary message has, looked for letter by letter; `^` before one: only where a line begins.
    #[serde(default)]
    pub markers: Vec<String>,
}

/// One line of `examples/<language>.jsonl`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The message.
    pub text: String,
    /// Label: a fault category code, a service id, or a matter.
    pub label: String,
}
