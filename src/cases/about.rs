//! The decision that a case is about: the one against which a claim for revision is made (*oikaisuvaatimuksen kohde*),
//! whose grant is recovered, or which is corrected.
//!
//! It is found by its number and noted as it stood; clocks, the competent body and the letter read it here.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{CaseRef, DeciderId, DraftKind, Euro, ServiceId};

/// A decided case as another case is about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct About {
    /// The decided case.
    pub case: CaseRef,
    /// Its service.
    pub service: Option<ServiceId>,
    /// The kind of its decision.
    pub kind: DraftKind,
    /// The day of its decision, in Finland.
    #[schema(value_type = String, format = "date")]
    pub decided_on: Date,
    /// What it granted.
    pub amount: Option<Euro>,
    /// Whom it is about, as the decision names them.
    #[serde(default)]
    pub party: Option<String>,
    /// Who decided it: the post or body.
    pub decider: Option<DeciderId>,
    /// The body that takes claims against it (kuntalaki 134 §): itself, or the one over the post.
    pub body: Option<DeciderId>,
    /// The people who prepared and decided it, by name: another person should handle the claim.
    #[serde(default)]
    pub people: Vec<String>,
}
