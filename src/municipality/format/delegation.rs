//! `delegation.yaml`: who may decide what, by amount and by day (P01, *hallintosääntö*).
//!
//! Two rows stand in the law and in no file: who decides a claim for revision, and who corrects a decision. Their ids
//! are made here, so that a service, the pack and a power speak of the same row.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{DeciderId, Euro, Validity};

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
