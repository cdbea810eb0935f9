//! Packs while the service runs: new files are read, checked and prepared beside what is active, and become active in one
//! step. A pack with a fault is never activated.
//!
//! A municipality whose files are at fault keeps the pack that it has, and says so ([`PackState`]), while others go on to
//! their new ones; a fault of the base pack or of the folder as a whole keeps all. Requests and jobs that have begun end
//! with what they began with. Each change is an audit event of its municipality.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::{App, Shared, StartError, classifier, search};
use crate::cases::{Actor, EventKind, MunicipalityId, NewEvent, Person};
use crate::municipality::{Fault, Faults};
use crate::policy::{Rulebook, Rulebooks};
use crate::telemetry;
use crate::triage::Triage;

/// The pack of a municipality as it stands in this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PackState {
    /// The municipality.
    #[schema(value_type = String)]
    pub municipality: MunicipalityId,
    /// SHA-256 over the files of the active pack, as drafts name it (`engine.pack`); null when no pack of it was sound yet.
    pub hash: Option<String>,
    /// Since when it is active here.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub active_since: Option<Timestamp>,
    /// When the files were last read.
    #[schema(value_type = String, format = "date-time")]
    pub read_at: Timestamp,
    /// What is wrong in the files as they were last read. While there is anything, the active pack is an older one.
    pub faults: Vec<Fault>,
}

/// What came of reading a municipality's files again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A new pack is active.
    Activated,
    /// The files are at fault: the pack that was active stays.
    Kept,
    /// The files are those of the active pack.
    Unchanged,
}

impl Outcome {
    /// The word for it, in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Kept => "kept",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The states of all packs of this process.
#[derive(Debug)]
pub struct Packs {
    states: RwLock<BTreeMap<MunicipalityId, PackState>>,
    /// One reads at a time.
    turn: Mutex<()>,
}

impl Packs {
    /// What was read at the start.
    pub(super) fn of(triage: &Triage, at: Timestamp) -> Self {
        let state = |book: &Rulebook| PackState {
            municipality: book.pack.municipality.id.clone(),
            hash: Some(book.hash.clone()),
            active_since: Some(at),
            read_at: at,
            faults: Vec::new(),
        };
        let states = triage.desks().map(|desk| state(&desk.rulebook));
        let states = states.map(|state| (state.municipality.clone(), state)).collect();
        Self { states: RwLock::new(states), turn: Mutex::new(()) }
    }

    /// The pack of a municipality.
    #[must_use]
    pub fn state(&self, municipality: &MunicipalityId) -> Option<PackState> {
        self.states.read().unwrap_or_else(PoisonError::into_inner).get(municipality).cloned()
    }

    /// The municipalities whose files wait to be mended.
    #[must_use]
    pub fn at_fault(&self) -> Vec<MunicipalityId> {
        let states = self.states.read().unwrap_or_else(PoisonError::into_inner);
        states.values().filter(|state| !state.faults.is_empty()).map(|state| state.municipality.clone()).collect()
    }

    /// Notes what was found, and says so in the log where it is news.
    fn note(&self, found: BTreeMap<MunicipalityId, Found>, at: Timestamp) {
        let mut states = self.states.write().unwrap_or_else(PoisonError::into_inner);
        // A folder that never held a sound pack and is gone again leaves nothing.
        states.retain(|id, _| found.contains_key(id));
        for (id, found) in found {
            let before = states.get(&id);
            found.log(&id, before);
            metrics::counter!(telemetry::PACK_READINGS, "outcome" => found.outcome.as_str()).increment(1);
            let since = before.and_then(|state| state.active_since);
            let state = PackState {
                municipality: id.clone(),
                hash: found.book.as_ref().map(|book| book.hash.clone()),
                active_since: if found.outcome == Outcome::Activated { Some(at) } else { since },
                read_at: at,
                faults: found.faults,
            };
            states.insert(id, state);
        }
    }
}

/// What was found in a municipality's files.
#[derive(Debug)]
struct Found {
    outcome: Outcome,
    /// What binds from now on; none when no pack of it was sound yet.
    book: Option<Arc<Rulebook>>,
    faults: Vec<Fault>,
}

impl Found {
    fn log(&self, municipality: &MunicipalityId, before: Option<&PackState>) {
        let known = before.map_or(&[][..], |state| &state.faults);
        match &self.book {
            Some(book) if self.outcome == Outcome::Activated => {
                tracing::info!(%municipality, pack = book.hash, "a new pack of {municipality} is active");
            }
            _ if self.faults.is_empty() && !known.is_empty() => {
                tracing::info!(%municipality, "the files of {municipality} are those of the active pack again");
            }
            _ if self.faults != known => {
                for fault in &self.faults {
                    tracing::error!(%municipality, "the files of {municipality} are not activated: {fault}");
                }
            }
            _ => {}
        }
    }

    /// Whether this changes anything for the municipality.
    fn is_news(&self, before: Option<&PackState>) -> bool {
        self.outcome == Outcome::Activated || before.is_some_and(|state| state.faults != self.faults)
    }
}

impl App {
    /// Reads the files of all packs again, and makes active what is new and sound. `by` asked for it; their municipality
    /// notes it in any case, others what it changes for them. It is done to the end also when nobody waits for it any more.
    ///
    /// # Errors
    /// What has nothing to do with the files: the database, the settings of the search. Then nothing has changed.
    pub async fn reload_packs(&self, by: Option<&Person>) -> Result<(), StartError> {
        let (app, by) = (self.clone(), by.cloned());
        let done = tokio::spawn(async move { app.read_again(by.as_ref()).await }).await;
        done.unwrap_or_else(|_| Err(StartError::Pack("reading them again broke off".to_owned())))
    }

    async fn read_again(&self, by: Option<&Person>) -> Result<(), StartError> {
        let Shared { config, ambient, live, packs, .. } = &*self.0.shared;
        let _turn = packs.turn.lock().await;
        let running = live.now();
        let folder = config.policies.dir.clone();
        let read = blocking(move || Ok(Rulebooks::load_each(&folder))).await?;
        let found = weigh(read, &running.rulebooks(), &config.policies.dir);
        let changed = found.values().any(|found| found.outcome == Outcome::Activated);
        let prepared = if changed { Some(self.prepare(&found, running).await?) } else { None };
        self.note_events(&found, by).await?;
        if let Some(prepared) = prepared {
            live.replace(Arc::new(prepared));
        }
        packs.note(found, ambient.now());
        Ok(())
    }

    /// Everything that triage needs over these packs, beside what is active: the index, the classifiers, the words.
    async fn prepare(
        &self,
        found: &BTreeMap<MunicipalityId, Found>,
        running: Arc<Triage>,
    ) -> Result<Triage, StartError> {
        let config = self.config();
        let books: Rulebooks = found.values().filter_map(|found| found.book.clone()).collect();
        let search = search(config, &books).await?;
        let cache = config.policies.cache.clone();
        blocking(move || {
            // One agent serves all municipalities.
            let agent = running.desks().find_map(|desk| desk.agent.clone());
            let trained = |book: &Rulebook| {
                let same = running.desk(&book.pack.municipality.id).ok();
                let same = same.filter(|desk| desk.rulebook.pack.examples == book.pack.examples);
                same.map_or_else(|| classifier(book, &cache), |desk| Arc::clone(&desk.classifier))
            };
            Triage::new(&books, trained, &search, agent.as_ref()).map_err(StartError::Pack)
        })
        .await
    }

    async fn note_events(
        &self,
        found: &BTreeMap<MunicipalityId, Found>,
        by: Option<&Person>,
    ) -> Result<(), StartError> {
        let mut tx = self.storage().begin().await?;
        for (id, one) in found {
            let before = self.packs().state(id);
            let asked = by.filter(|person| person.municipality == *id);
            // Of a municipality that was never served there is nobody who could read its events.
            let told = asked.is_some() || one.is_news(before.as_ref());
            let Some(book) = one.book.as_ref().filter(|_| told) else { continue };
            let before = before.and_then(|state| state.hash);
            let payload = json!({
                "outcome": one.outcome, "pack": book.hash, "before": before, "faults": one.faults.len(),
            });
            let actor = asked.map_or_else(|| Actor::system("packs"), Actor::from);
            tx.append_event(id, NewEvent { actor, kind: EventKind::PackRead, case_id: None, payload }).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// What the files that were read mean for what is active.
fn weigh(
    read: Result<BTreeMap<MunicipalityId, Result<Rulebook, Faults>>, Faults>,
    running: &Rulebooks,
    folder: &Path,
) -> BTreeMap<MunicipalityId, Found> {
    let kept = |book: Option<Arc<Rulebook>>, faults: Faults| Found {
        outcome: Outcome::Kept,
        book,
        faults: faults.into_iter().collect(),
    };
    let mut read = match read {
        Ok(read) => read,
        // Nobody can say whose the fault is: everybody's pack stays.
        Err(faults) => {
            let kept = |book: &Arc<Rulebook>| kept(Some(Arc::clone(book)), faults.clone());
            return running.iter().map(|(id, book)| (id.clone(), kept(book))).collect();
        }
    };
    let mut found = BTreeMap::new();
    for (id, book) in running.iter() {
        let book = Arc::clone(book);
        let now = match read.remove(id) {
            Some(Ok(new)) if new.hash == book.hash => {
                Found { outcome: Outcome::Unchanged, book: Some(book), faults: Vec::new() }
            }
            Some(Ok(new)) => Found { outcome: Outcome::Activated, book: Some(Arc::new(new)), faults: Vec::new() },
            Some(Err(faults)) => kept(Some(book), faults),
            // Its cases are still there.
            None => {
                let mut faults = Faults::new();
                faults.at(folder.join(id.as_str()), None, "the folder is gone", "put it back, or restart without it");
                kept(Some(book), faults)
            }
        };
        found.insert(id.clone(), now);
    }
    for (id, new) in read {
        let now = match new {
            Ok(book) => Found { outcome: Outcome::Activated, book: Some(Arc::new(book)), faults: Vec::new() },
            Err(faults) => kept(None, faults),
        };
        found.insert(id, now);
    }
    found
}

/// Work for the disk and the processor, where no request waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(StartError::Pack("reading them again broke off".to_owned())))
}
