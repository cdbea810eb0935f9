//! What other cases of the municipality say of a party and of its account, where money is to be paid: checks K22 and K23 read
//! it, and the handler sees the cases by their numbers. It is worked out with the assessment and once more at approval.

use serde::{Deserialize, Serialize};

/// Other cases that somebody should look at before money is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Standing {
    /// Numbers of earlier cases of another party in which the same account stands.
    pub account_of_others: Vec<String>,
    /// Numbers of other cases of the year in which the same party was granted the same thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paid_already: Vec<String>,
    /// Numbers of the cases in which money is or was recovered from the same party. Whether it is paid is not known here.
    pub recoveries: Vec<String>,
}

impl Standing {
    /// Whether there is nothing to look at.
    #[must_use]
    pub const fn is_clear(&self) -> bool {
        self.account_of_others.is_empty() && self.paid_already.is_empty() && self.recoveries.is_empty()
    }
}
