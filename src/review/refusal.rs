//! Why an act of a person was refused. No HTTP here: the API maps each variant in one place.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cases::{Check, DeciderId, DraftHash, Euro, IllegalTransition, Status};
use crate::storage;

/// One thing that is wrong with what was sent, where, and what to send instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// JSON pointer into the request body (RFC 6901).
    pub pointer: String,
    /// What is wrong.
    pub what: String,
    /// What to send instead.
    pub instead: String,
    /// Stable word for programs and for pages, which say the rest in the reader's language.
    pub code: Option<&'static str>,
}

impl Flaw {
    /// One flaw.
    #[must_use]
    pub fn new(pointer: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), what: what.into(), instead: instead.into(), code: None }
    }

    /// The same with a stable word.
    #[must_use]
    pub const fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}

/// An act that was refused, with what the person can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such case in the person's municipality. Another municipality's case looks the same (promise 9).
    #[error("there is no such case")]
    NotFound,
    /// The case stands where this act is not possible.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// Somebody else holds the case.
    #[error("another person has claimed the case until {until}")]
    ClaimedByAnother {
        /// When that claim ends.
        until: Timestamp,
    },
    /// The act needs a claim.
    #[error("claim the case first")]
    NotClaimed,
    /// The person said that they are disqualified (hallintolaki 27–28 §).
    #[error("a disqualified person does not handle or decide the case")]
    Disqualified,
    /// The case is judged blind, and nobody has judged it yet.
    #[error("say what you would do before you see the proposal")]
    JudgeFirst,
    /// Somebody has judged the case; it is not changed.
    #[error("the case has been judged")]
    AlreadyJudged,
    /// The proposal of this case is no secret: it was not chosen, or it has gone on.
    #[error("the case is not judged blind")]
    NotBlind,
    /// There is no draft yet.
    #[error("the case has no draft yet")]
    NoDraft,
    /// The draft changed since it was seen (promise 7).
    #[error("the draft has changed since you saw it")]
    StaleDraft {
        /// Hash of the draft as it stands.
        current: DraftHash,
    },
    /// What was confirmed is not what the draft grants (promise 5).
    #[error("the confirmed amount is not the amount of the draft")]
    WrongAmount {
        /// What the draft grants.
        amount: Option<Euro>,
    },
    /// The instructions for appeal were not confirmed.
    #[error("the instructions for appeal were not confirmed")]
    AppealNotConfirmed,
    /// The person holds no power to decide this.
    #[error("the decision is beyond the person's power")]
    BeyondPower {
        /// Up to what amount they may decide; none: they may not decide this at all.
        limit: Option<Euro>,
        /// Whose power it is.
        whose: Option<DeciderId>,
    },
    /// The person is a deputy, and not on this day.
    #[error("a deputy decides from {from} to {until} only")]
    NotDeputyNow {
        /// First day.
        from: Date,
        /// Last day.
        until: Date,
    },
    /// The person made this version or the one it was made from (check K10).
    #[error("who prepared a decision does not approve it")]
    PreparerApproves,
    /// Blocking checks failed.
    #[error("blocking checks failed")]
    ChecksFailed(Vec<Check>),
    /// Emergency words were found and nobody has acknowledged them (check K27).
    #[error("an emergency alert is open")]
    OpenAlert,
    /// Other cases say something else than when the draft was made: it is made anew.
    #[error("other cases have changed what the draft rests on")]
    OthersChanged {
        /// The facts that changed.
        facts: Vec<String>,
    },
    /// Another approval won.
    #[error("the case has been decided")]
    AlreadyDecided,
    /// Another act changed the case in between.
    #[error("the case changed meanwhile")]
    ChangedMeanwhile,
    /// What was sent does not fit the municipality's files or the draft.
    #[error("what was sent cannot be used")]
    Invalid(Vec<Flaw>),
    /// Nothing more happens to the case.
    #[error("a case that is {status} takes nothing more")]
    Final {
        /// Where it stands.
        status: Status,
    },
    /// This process has no files of the person's municipality.
    #[error("the municipality's files are not loaded here")]
    NoPack,
    /// Storage failed.
    #[error(transparent)]
    Storage(storage::Error),
}

impl From<storage::Error> for Refusal {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Conflict { .. } => Self::ChangedMeanwhile,
            storage::Error::AlreadyDecided { .. } => Self::AlreadyDecided,
            other => Self::Storage(other),
        }
    }
}

impl Refusal {
    /// What was sent has one flaw.
    #[must_use]
    pub fn invalid(pointer: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Invalid(vec![Flaw::new(pointer, what, instead)])
    }

    /// Stable word for events and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Illegal(_) => "illegal-transition",
            Self::ClaimedByAnother { .. } => "claimed-by-another",
            Self::NotClaimed => "not-claimed",
            Self::Disqualified => "disqualified",
            Self::JudgeFirst => "judge-first",
            Self::AlreadyJudged => "already-judged",
            Self::NotBlind => "not-blind",
            Self::NoDraft => "no-draft",
            Self::StaleDraft { .. } => "stale-draft",
            Self::WrongAmount { .. } => "amount-not-confirmed",
            Self::AppealNotConfirmed => "appeal-not-confirmed",
            Self::BeyondPower { .. } => "beyond-power",
            Self::NotDeputyNow { .. } => "not-deputy-now",
            Self::PreparerApproves => "preparer-approves",
            Self::ChecksFailed(_) => "checks-failed",
            Self::OpenAlert => "open-alert",
            Self::OthersChanged { .. } => "others-changed",
            Self::AlreadyDecided => "already-decided",
            Self::ChangedMeanwhile => "changed-meanwhile",
            Self::Invalid(_) => "invalid",
            Self::Final { .. } => "final",
            Self::NoPack => "no-pack",
            Self::Storage(_) => "storage",
        }
    }
}
