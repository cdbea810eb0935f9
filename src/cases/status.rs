//! The status machine of a case. Illegal transitions are refused here and nowhere else.

use super::DraftKind;
use super::classification::vocabulary;

vocabulary! {
    /// Where a case stands (*asian tila*).
    Status {
        /// Registered; the pipeline has it.
        Received = "received",
        /// A draft waits for a person.
        InReview = "in-review",
        /// The pipeline failed: a person must look (a dead letter that is seen).
        NeedsPerson = "needs-person",
        /// The party was asked; their clock runs.
        AwaitingCompletion = "awaiting-completion",
        /// A named person decided.
        Decided = "decided",
        /// Sent on to the competent authority.
        Transferred = "transferred",
        /// The notice was answered; the work order is out or the owner is told.
        Acknowledged = "acknowledged",
        /// The party withdrew it.
        Withdrawn = "withdrawn",
        /// It is handled together with another case.
        Merged = "merged",
    }
}

vocabulary! {
    /// What happens to a case.
    Act {
        /// The pipeline finished a draft.
        Draft = "draft",
        /// The pipeline gave up.
        Fail = "fail",
        /// A person sent it through the pipeline again (completed, reclassified, returned).
        Reenter = "reenter",
        /// A person saved their own version.
        Edit = "edit",
        /// A person approved the draft.
        Approve = "approve",
        /// The party, or the registry for it, withdrew.
        Withdraw = "withdraw",
        /// The party sent more.
        Supplement = "supplement",
        /// A person merged it into another case.
        Merge = "merge",
    }
}

/// An act that does not fit the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a case that is `{status}` cannot take `{act}`; possible now: {possible}")]
pub struct IllegalTransition {
    /// Where the case stands.
    pub status: Status,
    /// What was tried.
    pub act: Act,
    /// What would be possible.
    pub possible: String,
}

impl Status {
    /// Whether nothing more happens by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Decided | Self::Transferred | Self::Acknowledged | Self::Withdrawn | Self::Merged)
    }

    /// Where the case stands after `act`; `kind` is the draft's, and tells what an approval leads to.
    ///
    /// # Errors
    /// [`IllegalTransition`] with what would be possible.
    pub fn after(self, act: Act, kind: Option<DraftKind>) -> Result<Self, IllegalTransition> {
        self.next(act, kind).ok_or_else(|| IllegalTransition {
            status: self,
            act,
            possible: Act::ALL
                .iter()
                .filter(|act| self.next(**act, Some(DraftKind::Grant)).is_some())
                .map(|act| act.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    fn next(self, act: Act, kind: Option<DraftKind>) -> Option<Self> {
        use Status::{
            Acknowledged, AwaitingCompletion, Decided, InReview, Merged, NeedsPerson, Received, Transferred, Withdrawn,
        };
        match (self, act) {
            (Received, Act::Draft) | (InReview, Act::Edit) => Some(InReview),
            (Received, Act::Fail) => Some(NeedsPerson),
            (InReview | NeedsPerson | AwaitingCompletion, Act::Reenter | Act::Supplement)
            | (Received, Act::Supplement) => Some(Received),
            (InReview, Act::Approve) => Some(match kind? {
                DraftKind::Completion | DraftKind::Hearing => AwaitingCompletion,
                DraftKind::Transfer => Transferred,
                DraftKind::Acknowledgement => Acknowledged,
                DraftKind::Withdrawal => Withdrawn,
                _ => Decided,
            }),
            (Received | InReview | NeedsPerson | AwaitingCompletion, Act::Withdraw) => Some(Withdrawn),
            (Received | InReview | NeedsPerson | AwaitingCompletion, Act::Merge) => Some(Merged),
            // It has ended, and one letter more says so: the written confirmation that it lapsed.
            (Withdrawn, Act::Draft | Act::Approve) if kind == Some(DraftKind::Withdrawal) => Some(Withdrawn),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_that_has_ended_takes_nothing_more() {
        for status in Status::ALL.iter().filter(|status| status.is_final()) {
            for act in Act::ALL {
                assert!(status.after(*act, Some(DraftKind::Grant)).is_err(), "{status} {act}");
            }
        }
    }

    #[test]
    fn what_was_withdrawn_takes_its_confirmation_alone() {
        for (act, kind) in [(Act::Draft, DraftKind::Withdrawal), (Act::Approve, DraftKind::Withdrawal)] {
            assert_eq!(Status::Withdrawn.after(act, Some(kind)), Ok(Status::Withdrawn));
            assert!(Status::Decided.after(act, Some(kind)).is_err());
        }
    }

    #[test]
    fn only_review_leads_to_a_decision() {
        for status in Status::ALL {
            let decided = status.after(Act::Approve, Some(DraftKind::Grant));
            assert_eq!(decided.is_ok(), *status == Status::InReview, "{status}");
        }
    }

    #[test]
    fn a_refusal_names_what_is_possible() {
        let refused = Status::AwaitingCompletion.after(Act::Approve, Some(DraftKind::Grant)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a case that is `awaiting-completion` cannot take `approve`; possible now: reenter, withdraw, supplement, merge"
        );
    }
}
