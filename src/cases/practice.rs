//! What earlier decisions say of a case (*ratkaisukäytäntö*, hallintolaki 6 §): how many were compared, and one that a
//! person ruled otherwise on the same facts. Worked out by triage over stored decisions, judged by check K26.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{CaseId, RuleId};

/// What earlier decisions say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Practice {
    /// How many decisions were compared.
    pub compared: usize,
    /// The newest that deviates.
    pub deviation: Option<Deviation>,
}

/// A decision in which the same facts were ruled otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// Its case.
    pub case: CaseId,
    /// The number people use.
    pub number: String,
    /// When it was decided.
    pub decided_on: Date,
    /// The rule that came out otherwise.
    pub rule: RuleId,
    /// The facts that the rule looks at: the same in both.
    pub facts: Vec<String>,
}
