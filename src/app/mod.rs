//! The application: settings, database, packs, triage, review, put together once and handed to whoever needs them.
//!
//! [`App`] is the state behind every request and every worker, over one state of the packs: when new ones become active
//! ([`packs`]), [`App::newest`] is another one. It knows no port and no protocol: [`crate::http`] serves it,
//! [`crate::serve`] runs it.

pub mod packs;

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::clock::Ambient;
use crate::config::{Config, EngineChoice};
use crate::evals::shelf::Shelf;
use crate::intake::extract::Cell;
use crate::model::accounts::{self, Counted, Ledger};
use crate::model::cassette::{self, Cassette};
use crate::model::client::{self, StartFault};
use crate::model::embedder;
use crate::model::kept::trained_or_kept;
use crate::model::prompts::Prompts;
use crate::model::{TextClassifier, count};
use crate::municipality::Faults;
use crate::policy::{Rulebook, Rulebooks};
use crate::reports::Reports;
use crate::review::{Review, Sampling};
use crate::search::{self, Search, SearchError};
use crate::storage::{self, Storage};
use crate::text::language;
use crate::triage::agent::Agent;
use crate::triage::pipeline::{Settings, Worker};
use crate::triage::precedents::Precedents;
use crate::triage::{Live, Triage};
use packs::Packs;

/// The application. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    shared: Arc<Shared>,
    rulebooks: Rulebooks,
    triage: Arc<Triage>,
    review: Review,
}

/// What stays when packs change.
struct Shared {
    config: Config,
    ambient: Ambient,
    storage: Storage,
    live: Live,
    packs: Packs,
    /// Shared by all workers: so many files at a time in the whole process.
    attachments: Cell,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("config", self.config()).finish_non_exhaustive()
    }
}

/// Why the application could not be built or started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The municipalities' files are faulty: every fault, with file and line.
    #[error("the policies cannot be used:\n{0}")]
    Policies(Faults),
    /// A pack cannot be compiled.
    #[error("the policies cannot be used: {0}")]
    Pack(String),
    /// The settings of the search cannot be used.
    #[error("the search cannot be used: {0}")]
    Search(#[from] SearchError),
    /// The prompts are faulty: every fault, with file and line.
    #[error("the prompts cannot be used:\n{0}")]
    Prompts(Faults),
    /// The settings of the language model name something that is not one.
    #[error("the language model cannot be used: {0}")]
    Model(#[from] StartFault),
    /// The recorded calls cannot be used.
    #[error("the recorded calls cannot be used: {0}")]
    Cassettes(#[from] cassette::Fault),
    /// The accounts of the language model cannot be kept.
    #[error("the language model's accounts cannot be kept: {0}")]
    Accounts(#[from] accounts::Unusable),
    /// The database cannot be opened.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {because}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        because: std::io::Error,
    },
}

impl App {
    /// Builds on the machine's clock.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn build(config: Config) -> Result<Self, StartError> {
        Self::build_with(config, Ambient::system()).await
    }

    /// Builds on the given clock and ids.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn build_with(config: Config, ambient: Ambient) -> Result<Self, StartError> {
        let storage = Storage::open(config.storage.url.reveal(), ambient.clone()).await?;
        let rulebooks = Rulebooks::load_all(&config.policies.dir).map_err(StartError::Policies)?;
        let trained = |rulebook: &Rulebook| classifier(rulebook, &config.policies.cache);
        let search = search(&config, &rulebooks).await?;
        let agent = agent(&config, Arc::new(storage.clone()), Some(Arc::new(storage.clone())), &ambient)?;
        // What is loaded once is loaded before the first case waits for it.
        let _ = tokio::task::spawn_blocking(language::load).await;
        if agent.is_some() {
            count::load().await;
        }
        let triage = Triage::new(&rulebooks, trained, &search, agent.as_ref()).map_err(StartError::Pack)?;
        let triage = Arc::new(triage);
        Ok(Self::assemble(config, storage, triage))
    }

    /// The application from its parts; time and ids are the storage's.
    #[must_use]
    pub fn assemble(config: Config, storage: Storage, triage: Arc<Triage>) -> Self {
        let ambient = storage.ambient().clone();
        let packs = Packs::of(&triage, ambient.now());
        let attachments = Cell::new(&config.attachments);
        let live = Live::from(Arc::clone(&triage));
        Self::over(Arc::new(Shared { config, ambient, storage, live, packs, attachments }), triage)
    }

    fn over(shared: Arc<Shared>, triage: Arc<Triage>) -> Self {
        let Config { review, .. } = &shared.config;
        let sampling = Sampling { share: review.blind_share, seed: review.blind_seed.clone() };
        let review = Review::new(shared.storage.clone(), Arc::clone(&triage), review.claim(), sampling);
        Self(Arc::new(Parts { shared, rulebooks: triage.rulebooks(), triage, review }))
    }

    /// The application over the packs that are active now: this one, as long as they are the same.
    #[must_use]
    pub fn newest(&self) -> Self {
        let now = self.0.shared.live.now();
        if Arc::ptr_eq(&now, &self.0.triage) { self.clone() } else { Self::over(Arc::clone(&self.0.shared), now) }
    }

    /// Whether both are over the same packs.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.triage, &other.0.triage)
    }

    /// Which packs are active, and which files wait to be mended.
    #[must_use]
    pub fn packs(&self) -> &Packs {
        &self.0.shared.packs
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.shared.config
    }

    /// Runs of evaluation suites that may be shown.
    #[must_use]
    pub fn evaluations(&self) -> Shelf {
        Shelf::new(self.0.shared.config.evals.folder.clone())
    }

    /// Time and ids.
    #[must_use]
    pub fn ambient(&self) -> &Ambient {
        &self.0.shared.ambient
    }

    /// The database.
    #[must_use]
    pub fn storage(&self) -> &Storage {
        &self.0.shared.storage
    }

    /// Everything that binds, by municipality.
    #[must_use]
    pub fn rulebooks(&self) -> &Rulebooks {
        &self.0.rulebooks
    }

    /// Triage, by municipality.
    #[must_use]
    pub fn triage(&self) -> &Arc<Triage> {
        &self.0.triage
    }

    /// What people do with cases.
    #[must_use]
    pub fn review(&self) -> &Review {
        &self.0.review
    }

    /// Figures of how the work goes.
    #[must_use]
    pub fn reports(&self) -> Reports {
        let Config { review, reports, .. } = self.config();
        Reports::new(self.0.shared.storage.clone(), review.claim(), reports.quick_seconds)
    }

    /// A worker of the pipeline, named for the job table. Each job is done by the packs that are active when it begins.
    #[must_use]
    pub fn worker(&self, name: &str) -> Worker {
        let work = &self.0.shared.config.work;
        // What takes longer is given back before the stop breaks it off.
        let drain = self.0.shared.config.server.drain().mul_f64(0.9);
        let settings = Settings {
            in_flight: work.in_flight,
            lease: work.lease(),
            poll: work.poll(),
            drain,
            attachments: self.0.shared.attachments.clone(),
        };
        let name = format!("{name}-{}", self.0.shared.ambient.id());
        let Shared { storage, live, ambient, .. } = &*self.0.shared;
        Worker::new(storage.clone(), live.clone(), ambient.clone(), name, settings)
    }
}

/// The agent over the language model of the settings, where they name one: its calls are bounded by the budget and
/// written down in `ledger`. Where `precedents` are known they are one of its tools.
///
/// # Errors
/// What is wrong with the settings, the prompts or the price file. Nothing is sent.
pub fn agent(
    config: &Config,
    ledger: Arc<dyn Ledger>,
    precedents: Option<Arc<dyn Precedents>>,
    ambient: &Ambient,
) -> Result<Option<Arc<Agent>>, StartError> {
    let settings = &config.model;
    if settings.engine == EngineChoice::Offline {
        return Ok(None);
    }
    let prompts = Arc::new(Prompts::load(&settings.prompts).map_err(StartError::Prompts)?);
    let connected = client::connect(settings, &config.failover, ambient)?;
    let recorded = Cassette::around(connected, settings)?;
    let counted = Counted::new(recorded, ledger, settings, &config.failover, &config.budget, ambient.clone())?;
    let agent = Agent::new(Arc::new(counted), prompts, settings, &config.budget, ambient.clone());
    Ok(Some(Arc::new(match precedents {
        Some(precedents) => agent.with_precedents(precedents),
        None => agent,
    })))
}

/// The search of the settings, with dense vectors where they name an embedder.
///
/// # Errors
/// [`StartError::Model`] and [`StartError::Search`]: the settings cannot be used.
pub async fn search(config: &Config, rulebooks: &Rulebooks) -> Result<Arc<dyn Search>, StartError> {
    let embedder = embedder::connect(&config.embedding)?;
    Ok(search::connect(&config.search, rulebooks, embedder, &config.policies.cache).await?)
}

/// The classifier of a municipality, from its labelled examples.
pub fn classifier(rulebook: &Rulebook, cache: &Path) -> Arc<dyn TextClassifier> {
    let examples = rulebook.pack.examples.iter().map(|example| (example.text.as_str(), example.label.as_str()));
    trained_or_kept(examples, cache)
}
