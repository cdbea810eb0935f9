//! `municipality.yaml`: who a municipality is, how it is reached, its departments, its bodies and posts, the policies
//! that it adopted and what its registers say.
//!
//! Whoever decides here is a [`Decider`]; what it may decide stands in `delegation.yaml`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{
    AuthorityId, DeciderId, DepartmentId, DocumentId, Language, Localized, MunicipalityId, ParameterValue, ServiceId,
    Validity,
};
use crate::municipality::accent::Accent;

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
