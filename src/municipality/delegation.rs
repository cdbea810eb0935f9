//! Who may decide what, up to which amount, on which day (*hallintosääntö*).
//!
//! A delegation is a ladder of steps by amount, limits inclusive. The first step that reaches the amount
//! decides; whoever stands higher on the ladder may decide too; a deputy acts with the power of the post.
//! The row that gave the power is always named, for the decision and the audit.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

use super::format::{Decider, DeciderKind, Delegation, DelegationStep, claims_row, corrections_row};
use super::pack::Pack;
use crate::cases::{DeciderId, Euro, Validity};

/// Power to decide, and the row that gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Power {
    /// The post or body.
    pub decider: DeciderId,
    /// The row, for example `delegation/road-grant@2026-01-01`.
    pub because: String,
    /// The largest amount, inclusive; none: no limit.
    pub up_to: Option<Euro>,
    /// The post that it is held for as its deputy, if so.
    pub deputy_for: Option<DeciderId>,
}

/// A decision beyond a post's power: how far it reaches, and whose power it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("beyond the power of this post{}{}",
    limit.map(|l| format!(", which reaches {l} €")).unwrap_or_default(),
    whose.as_ref().map(|w| format!("; it belongs to {w}")).unwrap_or_default())]
pub struct BeyondPower {
    /// How far the post's own power reaches; none when it has none in this matter.
    pub limit: Option<Euro>,
    /// Whose power it is; none when no delegation row is in force.
    pub whose: Option<DeciderId>,
}

impl Delegation {
    /// The row as a decision names it: `delegation/road-grant@2026-01-01`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("delegation/{}@{}", self.id, self.valid.from)
    }

    /// The number of the first step that reaches `amount`; a decision without an amount takes the first.
    fn step_for(&self, amount: Option<Euro>) -> Option<usize> {
        self.steps.iter().position(|step| match (step.up_to, amount) {
            (Some(limit), Some(amount)) => amount <= limit,
            _ => true,
        })
    }

    fn power(&self, step: &DelegationStep) -> Power {
        Power { decider: step.decider.clone(), because: self.reference(), up_to: step.up_to, deputy_for: None }
    }

    /// The steps that reach `amount`: who decides, then whoever stands higher on the ladder.
    #[must_use]
    pub fn steps_from(&self, amount: Option<Euro>) -> &[DelegationStep] {
        self.step_for(amount).map_or(&[], |from| &self.steps[from..])
    }
}

/// The rows by which bodies decide claims for revision (kuntalaki 134 §), one for each body: they come from the law.
pub(super) fn claims(deciders: &BTreeMap<DeciderId, Decider>) -> impl Iterator<Item = Delegation> {
    let bodies = deciders.iter().filter(|(_, decider)| decider.kind == DeciderKind::Body);
    bodies.map(|(id, _)| Delegation {
        id: claims_row(id),
        valid: Validity { from: date(2015, 5, 1), to: None },
        source: "kuntalaki#s134".to_owned(),
        steps: vec![DelegationStep { up_to: None, decider: id.clone() }],
    })
}

/// The rows by which whoever made a decision corrects it (hallintolaki 50–52 §), one for each post and body: from the law, too.
pub(super) fn corrections(deciders: &BTreeMap<DeciderId, Decider>) -> impl Iterator<Item = Delegation> {
    deciders.keys().map(|id| Delegation {
        id: corrections_row(id),
        valid: Validity { from: date(2004, 1, 1), to: None },
        source: "hallintolaki#s52".to_owned(),
        steps: vec![DelegationStep { up_to: None, decider: id.clone() }],
    })
}

impl Pack {
    /// The body that takes claims against decisions of a post or body: a body itself, over a post the one that it names.
    #[must_use]
    pub fn body_over<'a>(&'a self, decider: &'a DeciderId) -> Option<&'a DeciderId> {
        let file = self.municipality.deciders.get(decider)?;
        match file.kind {
            DeciderKind::Body => Some(decider),
            DeciderKind::Post => file.claims_to.as_ref(),
        }
    }

    /// The delegation of that id in force on a date.
    #[must_use]
    pub fn delegation(&self, id: &str, on: Date) -> Option<&Delegation> {
        self.delegations.iter().find(|row| row.id == id && row.valid.contains(on))
    }

    /// Who decides a matter of this amount on this date.
    #[must_use]
    pub fn decider_for(&self, delegation: &str, amount: Option<Euro>, on: Date) -> Option<Power> {
        let row = self.delegation(delegation, on)?;
        Some(row.power(&row.steps[row.step_for(amount)?]))
    }

    /// Whether `post` may decide a matter of this amount on this date: the step's decider, one higher on the
    /// ladder, or a deputy of either.
    ///
    /// # Errors
    /// [`BeyondPower`] with the post's own limit and whose power it is.
    pub fn may_decide(
        &self,
        post: &DeciderId,
        delegation: &str,
        amount: Option<Euro>,
        on: Date,
    ) -> Result<Power, BeyondPower> {
        let row = self.delegation(delegation, on).ok_or(BeyondPower { limit: None, whose: None })?;
        let acts_for = |step: &&DelegationStep| {
            step.decider == *post
                || self.municipality.deciders.get(&step.decider).is_some_and(|d| d.deputy.as_ref() == Some(post))
        };
        let reaching = row.steps_from(amount);
        let Some(step) = reaching.iter().find(acts_for) else {
            return Err(BeyondPower {
                limit: row.steps.iter().filter(acts_for).filter_map(|step| step.up_to).max(),
                whose: reaching.first().map(|step| step.decider.clone()),
            });
        };
        let deputy_for = (step.decider != *post).then(|| step.decider.clone());
        Ok(Power { deputy_for, ..row.power(step) })
    }
}
