//! Recorded calls: a model that answers from committed files, so that tests, demos and comparisons need no network.
//!
//! The key of a call is what decides its answer: the model's name, messages, tools, form, sampling and the epoch of the
//! settings; never an address, a header, a key, a case or a municipality. A text that differs only in the key of its
//! fence is the same text. Answers and errors are recorded alike, unless only [what lasts](Cassette::lasting_only) is. The same request asked again in one run gets the next
//! take, and the last one for ever after. What is recorded is what was sent: masked texts.

mod difference;
mod tape;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};

use super::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest};
use super::meter::{Meter, Unmetered};
use crate::config::{self, CassetteMode};
use tape::{Folder, Key, Request, Take, Tape};

/// The endpoint of an answer that was replayed.
pub const ENDPOINT: &str = "cassette";

/// Takes of one request that are recorded at most.
const MOST_TAKES: usize = 100;
/// Requests in one folder that are recorded at most.
const MOST_TAPES: usize = 20_000;

pub use tape::Fault;

/// A model that records or replays.
#[derive(Debug)]
pub struct Cassette {
    inner: Option<Arc<dyn ChatModel>>,
    mode: CassetteMode,
    epoch: u32,
    model: String,
    folder: Folder,
    tapes: Mutex<Tapes>,
    /// What says nothing about its request is neither recorded nor, where a model can be asked, replayed.
    lasting_only: bool,
    missed: Mutex<BTreeSet<Key>>,
}

/// What a run asked for, and what it did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Different requests that were answered from what is recorded.
    pub recorded: usize,
    /// Different requests that are not recorded.
    pub missed: usize,
    /// What is recorded and nobody asked for: `classify/0123456789abcdef.json`, in the order of names.
    pub unused: BTreeSet<String>,
}

/// By prompt and key.
type Tapes = BTreeMap<String, BTreeMap<Key, Slot>>;

/// A tape and how far this run has come on it.
#[derive(Debug)]
struct Slot {
    tape: Tape,
    /// How often it was asked for in this run.
    asked: usize,
    /// Whether what was recorded before this run is gone.
    anew: bool,
}

impl Cassette {
    /// The model with recording or replaying around it, as the settings say.
    ///
    /// # Errors
    /// [`Fault`] with the file.
    pub fn around(inner: Arc<dyn ChatModel>, settings: &config::Model) -> Result<Arc<dyn ChatModel>, Fault> {
        let mode = settings.cassette_mode;
        let inner = match mode {
            CassetteMode::Off => return Ok(inner),
            CassetteMode::Replay => None,
            CassetteMode::Record | CassetteMode::Auto => Some(inner),
        };
        let cassette = Self::open(inner, &settings.cassettes, mode, settings.cassette_epoch, &settings.name)?;
        Ok(Arc::new(cassette))
    }

    /// Reads what is recorded in `dir`. `inner` makes the calls that are not replayed; `model` is its name in the
    /// settings.
    ///
    /// # Errors
    /// [`Fault`] with the file and what to do about it.
    pub fn open(
        inner: Option<Arc<dyn ChatModel>>,
        dir: &Path,
        mode: CassetteMode,
        epoch: u32,
        model: &str,
    ) -> Result<Self, Fault> {
        let folder = Folder::new(dir);
        let mut tapes = Tapes::new();
        if mode != CassetteMode::Off {
            for (prompt, key, tape) in folder.read(mode == CassetteMode::Replay)? {
                tapes.entry(prompt).or_default().insert(key, Slot { tape, asked: 0, anew: false });
            }
        }
        Ok(Self {
            inner,
            mode,
            epoch,
            model: model.to_owned(),
            folder,
            tapes: Mutex::new(tapes),
            lasting_only: false,
            missed: Mutex::default(),
        })
    }

    /// What was asked for so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner).len();
        let mut asked = Asked { missed, ..Asked::default() };
        for (prompt, of_prompt) in &*self.tapes() {
            for (key, slot) in of_prompt {
                if slot.asked > 0 {
                    asked.recorded += 1;
                } else {
                    asked.unused.insert(tape::name(prompt, key));
                }
            }
        }
        asked
    }

    /// Only what would be the same tomorrow: answers, and refusals of a request for what it is. An address that is down
    /// today is not recorded, and where it was, it is asked anew wherever it can be. For evaluations, in which one
    /// outage would otherwise stand for the model for ever.
    #[must_use]
    pub fn lasting_only(mut self) -> Self {
        self.lasting_only = true;
        if self.mode == CassetteMode::Auto {
            let tapes = self.tapes.get_mut().unwrap_or_else(PoisonError::into_inner);
            for slot in tapes.values_mut().flat_map(BTreeMap::values_mut) {
                slot.tape.takes.retain(Take::is_lasting);
            }
        }
        self
    }

    async fn answer(&self, request: &ChatRequest, meter: &dyn Meter) -> Result<ChatAnswer, ChatError> {
        let asked = Request::of(request, &self.model, self.epoch);
        let prompt = tape::prompt_id(&request.purpose.prompt);
        let key = asked.key();
        if matches!(self.mode, CassetteMode::Replay | CassetteMode::Auto)
            && let Some(take) = self.take(&prompt, &key)
        {
            return take.play();
        }
        match &self.inner {
            Some(inner) if self.mode == CassetteMode::Off => inner.metered(request, meter).await,
            Some(inner) if self.mode != CassetteMode::Replay => {
                let result = inner.metered(request, meter).await;
                if let Some(take) = Take::of(&result).filter(|take| !self.lasting_only || take.is_lasting()) {
                    self.record(&prompt, &key, asked, take);
                }
                result
            }
            _ => {
                let first_difference = self.first_difference(&prompt, &asked);
                self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
                Err(ChatError::NotRecorded { first_difference })
            }
        }
    }

    /// The next take of this run, if there is one.
    fn take(&self, prompt: &str, key: &Key) -> Option<Take> {
        let mut tapes = self.tapes();
        let slot = tapes.get_mut(prompt)?.get_mut(key)?;
        let next = match self.mode {
            // A run that asks more often than the recorded one did gets the last answer again.
            CassetteMode::Replay => slot.asked.min(slot.tape.takes.len().checked_sub(1)?),
            _ => slot.asked,
        };
        slot.asked += 1;
        slot.tape.takes.get(next).cloned()
    }

    fn record(&self, prompt: &str, key: &Key, request: Request, take: Take) {
        let mut tapes = self.tapes();
        let of_prompt = tapes.entry(prompt.to_owned()).or_default();
        if of_prompt.len() >= MOST_TAPES && !of_prompt.contains_key(key) {
            tracing::warn!(prompt, "a call is not recorded: the folder of {prompt} holds {MOST_TAPES} calls");
            return;
        }
        let empty = || Slot { tape: Tape { request, takes: Vec::new() }, asked: 1, anew: true };
        let slot = of_prompt.entry(key.clone()).or_insert_with(empty);
        slot.asked = slot.asked.max(1);
        if self.mode == CassetteMode::Record && !slot.anew {
            slot.tape.takes.clear();
            slot.anew = true;
        }
        if slot.tape.takes.len() >= MOST_TAKES {
            tracing::warn!(prompt, "a call is not recorded: the same request has {MOST_TAKES} takes");
            return;
        }
        slot.tape.takes.push(take);
        // Under the lock: of two takes at once, the file must end with both.
        if let Err(fault) = self.folder.write(prompt, key, &slot.tape) {
            tracing::error!(prompt, "a call is not recorded: {fault}");
        }
    }

    fn first_difference(&self, prompt: &str, asked: &Request) -> String {
        let tapes = self.tapes();
        let recorded = tapes.get(prompt).into_iter().flat_map(BTreeMap::values).map(|slot| &slot.tape.request);
        difference::from_the_nearest(recorded, asked)
            .unwrap_or_else(|| format!("nothing is recorded for the prompt {prompt}"))
    }

    fn tapes(&self) -> MutexGuard<'_, Tapes> {
        self.tapes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChatModel for Cassette {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        self.answer(request, &Unmetered).boxed()
    }

    /// What is replayed is not sent.
    fn metered<'a>(
        &'a self,
        request: &'a ChatRequest,
        meter: &'a dyn Meter,
    ) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        self.answer(request, meter).boxed()
    }
}

impl Take {
    /// An answer, or a refusal that says something about the request.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Answer(_) => true,
            Self::Error(error) => ChatError::from(error.clone()).is_of_the_request(),
        }
    }

    fn play(self) -> Result<ChatAnswer, ChatError> {
        match self {
            Self::Answer(answer) => Ok(answer.into_chat(ENDPOINT, Duration::ZERO)),
            Self::Error(error) => Err(error.into()),
        }
    }
}
