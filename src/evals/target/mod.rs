//! What is run over cases: the parts of the product behind one door, [`Target`].
//!
//! A target is the product's own code path, never a copy of it. It is given a case and answers with JSON; it knows no
//! assertion and no expected answer. Why there is no answer is a [`TargetError`]: one plain sentence without a word of
//! the case, so that it may stand in any report.

pub mod chat;
mod duplicates;
pub mod faults;
mod house;
pub mod injection;
pub mod judges;
mod masking;
pub mod provider;
mod retrieve;
mod submission;
mod triage;
mod verify;

use std::borrow::Cow;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use self::chat::Chat;
use self::house::{House, refuse_model};
use super::case::EvalCase;
use super::load::Loaded;
use super::row::Used;
use super::suite::{Component, Mode, ModelChoice};
use crate::clock::Ambient;
use crate::config::{Config, SearchBackend};
use crate::model::accounts::prices;
use crate::model::cassette::{self, Asked};
use crate::model::chat::ChatError;
use crate::model::client::StartFault;
use crate::municipality::Faults;
use crate::search::SearchError;

/// Anything that can be run over cases.
pub trait Target: Send + Sync + std::fmt::Debug {
    /// What comes of a case in an epoch (from 0). May take long and may fail; never panics.
    fn answer<'a>(&'a self, case: &'a EvalCase, epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>>;

    /// What was asked of recorded calls so far; none where nothing is recorded or replayed.
    fn asked(&self) -> Option<Asked> {
        None
    }
}

/// What a target answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The output that assertions look into; a text where the answer is no JSON.
    pub output: Value,
    /// Tokens and money.
    pub used: Used,
    /// What the server called its model, where one was asked.
    pub served_by: Option<String>,
}

/// Why there is no answer. No variant carries a word of a case, a prompt or an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nobody listens there.
    #[error("the model cannot be reached")]
    Unreachable,
    /// It took too long, all attempts together.
    #[error("it took too long")]
    Timeout,
    /// It is refused and would be a moment later, too: the key, the quota, a budget, the model's name.
    #[error("{0}")]
    Refused(String),
    /// A fault at the other end that did not pass in the attempts there were.
    #[error("{0}")]
    Fault(String),
    /// Nothing is recorded for this request.
    #[error("no recorded call fits: {field}; take the change back, or record anew (`--mode record`)")]
    MissingCassette {
        /// The first field that differs from the nearest recorded call.
        field: String,
    },
    /// The case itself cannot be run, or the part of the product failed on it.
    #[error("{0}")]
    Failed(String),
}

impl TargetError {
    /// Whether it says something about the run rather than about the case: met again and again, it would be met by every
    /// case, and the run stops.
    #[must_use]
    pub const fn is_about_the_run(&self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Refused(_) | Self::Fault(_))
    }
}

/// Why a target cannot be made: the suite or the settings name something that is not there. Nothing was asked.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// A word names no model.
    #[error(transparent)]
    Provider(#[from] provider::UnknownProvider),
    /// The part of the product cannot be run like this.
    #[error("{0}")]
    Component(String),
    /// The municipalities' files are faulty: every fault, with file and line.
    #[error("the policies cannot be used:\n{0}")]
    Policies(Faults),
    /// The prompts are faulty: every fault, with file and line.
    #[error("the prompts cannot be used:\n{0}")]
    Prompts(Faults),
    /// The settings of the search cannot be used.
    #[error("the search cannot be used: {0}")]
    Search(#[from] SearchError),
    /// The settings of the language model name something that is not one.
    #[error("the language model cannot be used: {0}")]
    Model(#[from] StartFault),
    /// The recorded calls cannot be used.
    #[error("the recorded calls cannot be used: {0}")]
    Cassettes(#[from] cassette::Fault),
    /// The price file is at fault.
    #[error(transparent)]
    Prices(#[from] prices::Fault),
}

/// The settings as a run may use them: in a replay nobody is asked over a network, neither a model nor what searches.
#[must_use]
pub fn at_hand(config: &Config, mode: Mode) -> Cow<'_, Config> {
    if mode != Mode::Replay {
        return Cow::Borrowed(config);
    }
    let mut config = config.clone();
    config.embedding.url = String::new();
    config.search.backend = SearchBackend::Embedded;
    Cow::Owned(config)
}

/// The part of the product that a suite names, with the model of one run. Nothing is asked yet.
///
/// `chat` loads nothing else; everything that drafts or searches loads the policies of the settings.
///
/// # Errors
/// [`Unusable`].
pub async fn build(
    loaded: &Loaded,
    config: &Config,
    choice: Option<&ModelChoice>,
    ambient: &Ambient,
) -> Result<Arc<dyn Target>, Unusable> {
    let config = &*at_hand(config, loaded.suite.run.mode);
    let component = loaded.suite.target.component;
    let asks_nobody = |name| refuse_model(name, choice);
    Ok(match component {
        Component::Chat => Arc::new(Chat::build(&loaded.suite, config, choice, &loaded.cassettes(), ambient)?),
        Component::Triage => {
            let house = House::offline(config).await?.with_model(loaded, config, choice, ambient).await?;
            Arc::new(triage::Steps(house))
        }
        Component::Retrieve => {
            asks_nobody("retrieve")?;
            Arc::new(retrieve::Retrieval(House::offline(config).await?))
        }
        Component::Verify => {
            asks_nobody("verify")?;
            Arc::new(verify::Verification(House::offline(config).await?))
        }
        Component::Masking => {
            asks_nobody("masking")?;
            Arc::new(masking::Masking(House::offline(config).await?))
        }
        Component::Injection => {
            asks_nobody("injection")?;
            Arc::new(injection::Injection::build(loaded, config, ambient).await?)
        }
        Component::Duplicates => {
            asks_nobody("duplicates")?;
            Arc::new(duplicates::Duplicates(House::offline(config).await?))
        }
    })
}

impl From<ChatError> for TargetError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Unreachable | ChatError::LeftAlone => Self::Unreachable,
            ChatError::Timeout(_) => Self::Timeout,
            ChatError::Quota
            | ChatError::Unauthorized
            | ChatError::Budget(_)
            | ChatError::Refused { status: 401..=404, .. } => Self::Refused(error.to_string()),
            ChatError::RateLimited { .. } | ChatError::Fault { .. } => Self::Fault(error.to_string()),
            ChatError::NotRecorded { first_difference } => Self::MissingCassette { field: first_difference },
            // A request that is too long or an answer that is unreadable is this case's own.
            other => Self::Failed(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_case_would_meet_is_told_from_what_one_did() {
        let about_the_run = |error: ChatError| TargetError::from(error).is_about_the_run();
        let refused = |status| ChatError::Refused { status, code: None };
        for error in [
            ChatError::Unreachable,
            ChatError::LeftAlone,
            ChatError::Unauthorized,
            ChatError::Quota,
            ChatError::Fault { status: 500, retry_after: None },
            refused(404),
        ] {
            assert!(about_the_run(error.clone()), "{error}");
        }
        let recorded = ChatError::NotRecorded { first_difference: "messages.1, line 3".to_owned() };
        for error in [ChatError::TooLong, ChatError::Malformed, ChatError::Cut, refused(400), recorded] {
            assert!(!about_the_run(error.clone()), "{error}");
        }
    }
}
