//! `rule`: a person rules where the policy leaves it to a person (*harkinta*). The pipeline assesses anew.

use serde_json::json;

use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{Act, Assessment, Case, CaseId, EventKind, Person, RuleId, RuleOutcome, Ruling};
use crate::triage::Step;

/// A ruling.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRuling {
    /// The rule.
    #[schema(value_type = String)]
    pub rule: RuleId,
    /// `met` or `not_met`.
    pub outcome: RuleOutcome,
    /// Why; it becomes a reason of the decision.
    pub reason: Words,
}

impl Review {
    /// Adds rulings; a later ruling on the same rule takes the place of the earlier one.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when a rule is not left to a person; [`Refusal::NotClaimed`].
    pub async fn rule(&self, person: &Person, id: CaseId, rulings: Vec<NewRuling>) -> Result<Case> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_judged(person, &case)?;
        self.require_claim(&case, person)?;
        let flaws = flaws(case.file.assessment.as_ref(), &rulings);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let payload = rulings.iter().map(|ruling| json!({ "rule": ruling.rule, "outcome": ruling.outcome }));
        let event = act(person, EventKind::Edited, id, json!({ "rulings": payload.collect::<Vec<_>>() }));
        for new in rulings {
            case.file.rulings.retain(|known| known.rule != new.rule);
            let actor = person.token.to_string();
            case.file.rulings.push(Ruling { rule: new.rule, outcome: new.outcome, reason: new.reason.into(), actor });
        }
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
        Self::finish(tx, case, event).await
    }
}

fn flaws(assessment: Option<&Assessment>, rulings: &[NewRuling]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if rulings.is_empty() {
        flaws.push(Flaw::new("/rulings", "there is no ruling", "send at least one"));
    }
    let rules = assessment.map_or(&[][..], |assessment| &assessment.rules);
    for (i, ruling) in rulings.iter().enumerate() {
        let left_to_a_person = rules.iter().any(|trace| {
            trace.rule == ruling.rule && (trace.outcome == RuleOutcome::Discretion || trace.ruled_by.is_some())
        });
        if !left_to_a_person {
            let pointer = format!("/rulings/{i}/rule");
            flaws.push(Flaw::new(&pointer, "the policy does not leave this rule to a person", "see `trace`"));
        }
        if !matches!(ruling.outcome, RuleOutcome::Met | RuleOutcome::NotMet) {
            let pointer = format!("/rulings/{i}/outcome");
            flaws.push(Flaw::new(&pointer, "a ruling says met or not_met", "write met or not_met"));
        }
    }
    flaws
}
