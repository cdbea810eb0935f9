//! How an evaluation ends, as scripts see it (exit codes are a promise; `vireille eval --help` prints them).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an evaluation came to. The worst of several wins, in this order. A gate counts as failed only where no answer that
/// is missing could have made it hold, so that a server that is down is never told as a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every gate passed.
    Pass,
    /// Too few cases to tell.
    Inconclusive,
    /// The budget of money was used up before the end.
    OverBudget,
    /// Not every case has an answer, or too many errors.
    Incomplete,
    /// A gate failed.
    Fail,
}

impl Outcome {
    /// The exit code. 101 is what a panic returns and is not used.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 100,
            Self::Incomplete => 102,
            Self::Inconclusive => 103,
            Self::OverBudget => 104,
        }
    }

    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::OverBudget => "over-budget",
            Self::Incomplete => "incomplete",
            Self::Fail => "fail",
        }
    }
}
