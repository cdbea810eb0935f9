//! Blind review (*sokkoarvio*): what a person judged of a case before they saw the machine's proposal.
//!
//! It guards against leaning on the machine: how often people agree with a proposal says something only where they did not
//! know it. Whether the two agree is worked out by code, once, and never changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{CaseFile, DraftContent, DraftHash, DraftKind, Euro, Person};

vocabulary! {
    /// In what a judgement and the machine's proposal differ.
    Difference {
        /// The kind of decision or letter.
        Outcome = "outcome",
        /// The amount, by a cent or more.
        Amount = "amount",
    }
}

/// What a person judged before they saw the proposal, and what the proposal was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Judgement {
    /// Who.
    pub person: Person,
    /// What they would do.
    pub outcome: DraftKind,
    /// What they would grant.
    pub amount: Option<Euro>,
    /// Why, in a line.
    pub line: String,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// The machine's version that it is held against.
    pub draft: DraftHash,
    /// What the machine proposed.
    pub proposed: DraftKind,
    /// What it proposed to grant.
    pub proposed_amount: Option<Euro>,
    /// In what the two differ; empty when they agree.
    pub differs_in: Vec<Difference>,
}

impl Judgement {
    /// Whether the person and the machine came to the same.
    #[must_use]
    pub const fn agreed(&self) -> bool {
        self.differs_in.is_empty()
    }
}

/// In what a judgement differs from a proposal. No amount and an amount of nothing are the same.
#[must_use]
pub fn differences(outcome: DraftKind, amount: Option<Euro>, proposed: &DraftContent) -> Vec<Difference> {
    let cents = |amount: Option<Euro>| amount.map_or(0, Euro::cents);
    let outcome = (outcome != proposed.kind).then_some(Difference::Outcome);
    let amount = (cents(amount) != cents(proposed.amount)).then_some(Difference::Amount);
    outcome.into_iter().chain(amount).collect()
}

impl CaseFile {
    /// The file without what the machine made of it: what came in, what was read from it, how it was classified and what
    /// must be noticed stay; dangers stand in the alerts and are never hidden.
    #[must_use]
    pub fn without_proposal(self) -> Self {
        Self {
            route: None,
            questions: Vec::new(),
            assessment: None,
            summary: None,
            proposals: Vec::new(),
            fallbacks: Vec::new(),
            passages: Vec::new(),
            ..self
        }
    }
}
