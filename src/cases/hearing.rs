//! Hearing of the party (*kuuleminen*, hallintolaki 34 ja 36 §): nobody is refused on what others said of them before
//! they could comment on it.
//!
//! The policy says of which rules that holds (`hear_first`), or a person says so. What was heard is kept with the facts
//! as they stood: another value of a fact is heard anew. In a matter that the office began (a recovery, say) the party has
//! said nothing yet: there it is heard on what such a rule finds met or leaves to a person, too.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Assessment, CaseFile, CorrectionReason, Euro, Evidence, Fact, Outcome, RuleOutcome, RuleTrace, Value};

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
    /// What the party must be heard on before the matter is settled against them, and has not been; `ours` is a matter that
    /// the office began.
    #[must_use]
    pub fn unheard(&self, today: Date, ours: bool) -> Vec<Adverse<'_>> {
        let heard = |fact: &Fact| {
            let over = self.hearings.iter().filter(|hearing| hearing.is_over(today));
            let told = |hearing: &Hearing| {
                hearing
                    .facts
                    .get(&fact.name)
                    .is_some_and(|told| *told == fact.value.plain() || ours && is_less(fact, told))
            };
            over.into_iter().any(told)
        };
        let mut adverse = self.adverse(ours);
        adverse.retain(|adverse| !heard(adverse.fact));
        adverse
    }

    /// Every rule that the policy wants heard first and that goes against the party, with each of its facts that came from
    /// others: an unmet one, and in a matter that the office began (`ours`) one that is met or left to a person.
    #[must_use]
    pub fn adverse(&self, ours: bool) -> Vec<Adverse<'_>> {
        let burdens = |assessment: &&Assessment| match assessment.outcome {
            Outcome::Rejected | Outcome::Inadmissible => !ours,
            Outcome::Partial => true,
            Outcome::Granted | Outcome::Discretion => ours,
            Outcome::Incomplete | Outcome::Pending => false,
        };
        let against = |rule: &&RuleTrace| match rule.outcome {
            RuleOutcome::NotMet => true,
            RuleOutcome::Met | RuleOutcome::Discretion => ours,
            RuleOutcome::Unknown => false,
        };
        // What the office still lacks it finds out before it asks anybody to comment.
        let lacks = |assessment: &&Assessment| {
            ours && (!assessment.questions.is_empty()
                || assessment.rules.iter().any(|rule| rule.outcome == RuleOutcome::Unknown))
        };
        let complete = self.assessment.as_ref().filter(|assessment| !lacks(assessment));
        let Some(assessment) = complete.filter(burdens) else { return Vec::new() };
        let rules = assessment.rules.iter().filter(|rule| rule.hear_first).filter(against);
        let facts = |rule| {
            let behind = assessment.behind(rule);
            let told = move |fact: &&Fact| behind.contains(&fact.name);
            self.facts.iter().filter(told).filter(move |fact| self.is_from_others(fact, ours))
        };
        rules.flat_map(|rule| facts(rule).map(move |fact| Adverse { rule, fact })).collect()
    }

    /// Whether somebody else than the party said so: a register, other cases, a person who does not have it from the party,
    /// or the office on a form of its own.
    fn is_from_others(&self, fact: &Fact, ours: bool) -> bool {
        match &fact.evidence {
            Evidence::Register { .. } | Evidence::Cases { .. } => true,
            Evidence::Person { .. } => {
                let said = self.corrections.iter().find(|correction| correction.name == fact.name);
                said.is_none_or(|correction| correction.code != CorrectionReason::PartyTold)
            }
            Evidence::Form { .. } | Evidence::Text { .. } | Evidence::Attachment { .. } => ours,
            Evidence::Computed { .. } => false,
        }
    }

    /// Whether the party was heard at all, and answered or had its time.
    #[must_use]
    pub fn was_heard(&self, today: Date) -> bool {
        self.hearings.iter().any(|hearing| hearing.is_over(today))
    }
}

/// Whether a sum is smaller than the one that the party was heard on: that takes nothing more from it.
fn is_less(fact: &Fact, told: &str) -> bool {
    matches!(fact.value, Value::Money(euro) if told.parse::<Euro>().is_ok_and(|told| euro < told))
}
