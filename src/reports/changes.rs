//! What people changed between the machine's first draft and the one that was approved.

use std::collections::HashMap;

use similar::{Algorithm, capture_diff_slices, get_diff_ratio};

use super::history::Approval;
use crate::cases::{DraftId, Settles};
use crate::storage::{self, DraftWords};

/// What differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// A letter of another kind: a question in place of a decision, for example.
    pub kind: bool,
    /// A decision of another outcome.
    pub outcome: bool,
    /// The amount.
    pub amount: bool,
    /// The reasons.
    pub reasons: bool,
    /// Nothing but other words.
    pub wording: bool,
    /// How much of the letter's words, in thousandths.
    pub words: u16,
}

impl Changes {
    /// Whether anything differs.
    pub(super) const fn any(self) -> bool {
        self.kind || self.outcome || self.amount || self.reasons || self.wording
    }

    /// What differs between two versions.
    pub(super) fn between(first: &DraftWords, approved: &DraftWords) -> Self {
        let another = first.kind != approved.kind;
        let outcome = another && [first.kind, approved.kind].iter().all(|kind| kind.settles() != Settles::Never);
        let amount = first.amount != approved.amount;
        let reasons = first.reasons != approved.reasons;
        let letter = first.letter != approved.letter;
        Self {
            kind: another && !outcome,
            outcome,
            amount,
            reasons,
            wording: letter && !another && !amount && !reasons,
            words: if letter { words(&first.letter, &approved.letter) } else { 0 },
        }
    }

    /// What differs between the machine's first draft and this approved one; none where the machine made none.
    ///
    /// # Errors
    /// [`storage::Error::Missing`] when a version that should be compared is not among `drafts`.
    pub(super) fn of(approval: &Approval, drafts: &HashMap<DraftId, DraftWords>) -> storage::Result<Option<Self>> {
        let Some((first, _)) = approval.first else { return Ok(None) };
        if approval.as_drafted() {
            return Ok(Some(Self::default()));
        }
        let draft = |id: DraftId| drafts.get(&id).ok_or(storage::Error::Missing { what: "draft" });
        Ok(Some(Self::between(draft(first)?, draft(approval.what.draft)?)))
    }
}

/// The share of words that stand in only one of two texts, in thousandths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share lies between nought and one")]
fn words(before: &str, after: &str) -> u16 {
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.split_whitespace().collect(), after.split_whitespace().collect());
    let same = get_diff_ratio(&capture_diff_slices(Algorithm::Myers, &before, &after), before.len(), after.len());
    ((1.0 - same) * 1_000.0).round() as u16
}
