//! Hearing of the party (*kuuleminen*, hallintolaki 34 ja 36 §): nobody is refused on what others said of them before
//! they could comment on it.
//!
//! The policy says of which rules that holds (`hear_first`), or a person says so. What was heard is kept with the facts
//! as they stood: another value of a fact is heard anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Assessment, CaseFile, CorrectionReason, Evidence, Fact, Outcome, RuleOutcome, RuleTrace};

/// What a person wants the party to comment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HearingOrder {
    /// In the person's words, in the language of the case.
    pub about: String,
    /// Documents that are sent along, by name.
    pub documents: Vec<String>,
    /// Who, by token.
    pub actor: String,
}

/// That the party was asked to comment before the matter is settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hearing {
    /// What a person wanted it on, if one did.
    pub order: Option<HearingOrder>,
    /// Facts that came from others, by name, with their values as they stood.
    pub facts: BTreeMap<String, String>,
    /// The last day to answer.
    #[schema(value_type = String, format = "date")]
    pub until: Date,
    /// When the answer came, if one did.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub answered: Option<Timestamp>,
}

impl Hearing {
    /// Whether the party has answered or had its time.
    #[must_use]
    pub fn is_over(&self, today: Date) -> bool {
        self.answered.is_some() || today > self.until
    }
}

/// A rule that is not met because of facts that came from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adverse<'a> {
    /// The rule.
    pub rule: &'a RuleTrace,
    /// One of the facts.
    pub fact: &'a Fact,
}

impl CaseFile {
    /// What the party must be heard on before the matter is settled against them, and has not been.
    #[must_use]
    pub fn unheard(&self, today: Date) -> Vec<Adverse<'_>> {
        let heard = |fact: &Fact| {
            self.hearings
                .iter()
                .any(|hearing| hearing.is_over(today) && hearing.facts.get(&fact.name) == Some(&fact.value.plain()))
        };
        let mut adverse = self.adverse();
        adverse.retain(|adverse| !heard(adverse.fact));
        adverse
    }

    /// Every unmet rule that the policy wants heard first, with each of its facts that came from others.
    #[must_use]
    pub fn adverse(&self) -> Vec<Adverse<'_>> {
        let refusing = |assessment: &&Assessment| {
            matches!(assessment.outcome, Outcome::Rejected | Outcome::Inadmissible | Outcome::Partial)
        };
        let Some(assessment) = self.assessment.as_ref().filter(refusing) else { return Vec::new() };
        let rules = assessment.rules.iter().filter(|rule| rule.hear_first && rule.outcome == RuleOutcome::NotMet);
        let facts = |rule| {
            let behind = assessment.behind(rule);
            self.facts.iter().filter(move |fact| behind.contains(&fact.name)).filter(|fact| self.is_from_others(fact))
        };
        rules.flat_map(|rule| facts(rule).map(move |fact| Adverse { rule, fact })).collect()
    }

    /// Whether somebody else than the party said so: a register, other cases, or a person who does not have it from the party.
    fn is_from_others(&self, fact: &Fact) -> bool {
        match &fact.evidence {
            Evidence::Register { .. } | Evidence::Cases { .. } => true,
            Evidence::Person { .. } => {
                let said = self.corrections.iter().find(|correction| correction.name == fact.name);
                said.is_none_or(|correction| correction.code != CorrectionReason::PartyTold)
            }
            Evidence::Form { .. } | Evidence::Text { .. } | Evidence::Attachment { .. } | Evidence::Computed { .. } => {
                false
            }
        }
    }

    /// Whether the party was heard at all, and answered or had its time.
    #[must_use]
    pub fn was_heard(&self, today: Date) -> bool {
        self.hearings.iter().any(|hearing| hearing.is_over(today))
    }
}
