//! The product put together for a suite: policies, search, a desk for each municipality, and the model where one is asked.
//!
//! It is what a server puts together at its start, without a database: every desk is the one that serves. A language
//! model stands behind a meter; one for each epoch, so that recorded calls of one never answer another.

use std::sync::Arc;

use super::chat::{Models, models};
use super::provider::{Provider, settings};
use super::submission::Taken;
use super::{TargetError, Unusable};
use crate::cases::{CaseFile, Fallback, MunicipalityId, Submission};
use crate::clock::{Ambient, helsinki};
use crate::config::Config;
use crate::evals::load::Loaded;
use crate::evals::meter::{Metered, Spent, metered};
use crate::evals::suite::ModelChoice;
use crate::intake::extract::{self, Cell};
use crate::model::accounts::prices::Prices;
use crate::model::cassette::Asked;
use crate::model::prompts::Prompts;
use crate::model::{count, embedder, kept};
use crate::policy::{Rulebook, Rulebooks};
use crate::search::{self, Search};
use crate::triage::agent::Agent;
use crate::triage::history::Others;
use crate::triage::{Circumstances, Desk, Proposal, Triage};

/// The product.
#[derive(Debug)]
pub(super) struct House {
    triage: Triage,
    search: Arc<dyn Search>,
    municipality: MunicipalityId,
    /// One an epoch; none: the offline engine alone.
    agents: Vec<Arc<Agent>>,
    /// The models behind these.
    models: Option<Models>,
    cell: Cell,
}

/// A case drafted, with what was taken in for it.
pub(super) struct Drafted {
    pub desk: Desk,
    pub taken: Taken,
    pub number: String,
    pub file: CaseFile,
    pub proposal: Proposal,
}

impl House {
    /// The offline engine, as the settings say.
    ///
    /// # Errors
    /// [`Unusable`].
    pub async fn offline(config: &Config) -> Result<Self, Unusable> {
        let rulebooks = Rulebooks::load_all(&config.policies.dir).map_err(Unusable::Policies)?;
        let embedder = embedder::connect(&config.embedding)?;
        let search = search::connect(&config.search, &rulebooks, embedder, &config.policies.cache).await?;
        let trained = |rulebook: &Rulebook| {
            let examples = rulebook.pack.examples.iter();
            kept::trained_or_kept(examples.map(|one| (one.text.as_str(), one.label.as_str())), &config.policies.cache)
        };
        let triage = Triage::new(&rulebooks, trained, &search, None).map_err(Unusable::Component)?;
        Ok(Self {
            triage,
            search,
            municipality: config.policies.default_municipality.clone(),
            agents: Vec::new(),
            models: None,
            cell: Cell::new(&config.attachments),
        })
    }

    /// With the language model of the suite, where it names one.
    ///
    /// # Errors
    /// [`Unusable`].
    pub async fn with_model(
        self,
        loaded: &Loaded,
        config: &Config,
        choice: Option<&ModelChoice>,
        ambient: &Ambient,
    ) -> Result<Self, Unusable> {
        let name = match Provider::of(choice)? {
            Provider::Offline => return Ok(self),
            Provider::Fixed => return Err(Unusable::Component("`mock/fixed` is for the component `chat`".to_owned())),
            Provider::OpenAi { name } => name,
        };
        let folder = loaded.suite.target.prompts.as_deref().map(|prompts| loaded.resolve(prompts));
        let prompts = Prompts::load(folder.as_deref().unwrap_or(&config.model.prompts)).map_err(Unusable::Prompts)?;
        let (prompts, prices) = (Arc::new(prompts), Arc::new(Prices::load(&config.budget.prices)?));
        let cassettes = loaded.cassettes();
        let agent = |(epoch, model)| -> Result<Arc<Agent>, Unusable> {
            let metered = Arc::new(Metered::new(model, &name, &prices, ambient));
            let asked = settings(config, choice, &loaded.suite.run, &cassettes, epoch)?;
            let asked = asked.as_ref().unwrap_or(&config.model);
            Ok(Arc::new(Agent::new(metered, Arc::clone(&prompts), asked, &config.budget, ambient.clone())))
        };
        let models = models(&loaded.suite, config, choice, &cassettes, ambient)?;
        let agents = (0..).zip(models.each.iter().cloned()).map(agent).collect::<Result<_, _>>()?;
        count::load().await;
        Ok(Self { agents, models: Some(models), ..self })
    }

    /// Whose desk it is where a case does not say.
    pub fn municipality(&self) -> &MunicipalityId {
        &self.municipality
    }

    /// What was asked of recorded calls so far.
    pub fn asked(&self) -> Option<Asked> {
        self.models.as_ref()?.asked()
    }

    /// Every desk.
    pub fn desks(&self) -> impl Iterator<Item = &Arc<Desk>> {
        self.triage.desks()
    }

    /// Where the texts that bind are searched.
    pub fn search(&self) -> &dyn Search {
        &*self.search
    }

    /// The desk that a submission comes to, with the model of an epoch where there is one.
    pub fn desk(&self, submission: &Submission, epoch: u32) -> Result<Desk, TargetError> {
        let desk =
            self.triage.desk(&submission.municipality).map_err(|error| TargetError::Failed(error.to_string()))?;
        let nth = usize::try_from(epoch).unwrap_or(usize::MAX).min(self.agents.len().saturating_sub(1));
        Ok(Desk { agent: self.agents.get(nth).cloned(), ..Desk::clone(desk) })
    }

    /// All steps for what was taken in, as `vireille triage` takes them.
    pub async fn draft(&self, taken: Taken, epoch: u32) -> Result<(Drafted, Spent), TargetError> {
        self.draft_at(self.desk(&taken.submission, epoch)?, taken).await
    }

    /// All steps at that desk.
    pub async fn draft_at(&self, desk: Desk, taken: Taken) -> Result<(Drafted, Spent), TargetError> {
        let attached = extract::texts(&taken.files, &self.cell).await;
        let number = number(&desk, &taken.submission);
        let ledger = desk.ledger(&taken.earlier).map_err(|error| TargetError::Failed(error.to_string()))?;
        let at = Circumstances {
            attached: Some(&attached),
            others: Others::Cases(&ledger),
            ..Circumstances::new(&number, taken.now)
        };
        let (done, spent) = metered(desk.dry_run(&taken.submission, &at)).await;
        let (file, proposal) = match done {
            Ok(done) => done,
            Err(error) => return Err(without_model(&spent, &[]).unwrap_or(TargetError::Failed(error.to_string()))),
        };
        match without_model(&spent, &file.fallbacks) {
            Some(error) => Err(error),
            None => Ok((Drafted { desk, taken, number, file, proposal }, spent)),
        }
    }
}

/// Why a draft says nothing about the model that was asked for it, if so.
///
/// In the service a step goes on without its model, and the resident has a letter all the same. Scored as the model's,
/// such a letter would make a model that never answers a perfect one. So a call that failed and was not made good by
/// another is no answer, and neither is a case in which every step that asked went on alone, whatever the model said.
/// Where only some did, the draft is partly the model's: it is scored, and `output.fallbacks` names the steps.
fn without_model(spent: &Spent, fallbacks: &[Fallback]) -> Option<TargetError> {
    if let Some(fault) = &spent.fault {
        let error = TargetError::from(fault.clone());
        let about_the_case = !error.is_about_the_run() && !matches!(error, TargetError::MissingCassette { .. });
        let made_good = fallbacks.is_empty() && (fault.is_of_the_request() || about_the_case);
        if !made_good {
            return Some(error);
        }
    }
    let alone = |step: &&str| fallbacks.iter().any(|fallback| fallback.step == *step);
    let nothing = !spent.steps.is_empty() && spent.steps.iter().all(alone);
    nothing.then(|| {
        let steps = spent.steps.iter().copied().collect::<Vec<_>>().join(", ");
        TargetError::Failed(format!(
            "nothing of the model's could be used ({steps}): the offline engine answered alone"
        ))
    })
}

/// A number that no case has.
fn number(desk: &Desk, submission: &Submission) -> String {
    let prefix = &desk.rulebook.pack.municipality.case_prefix;
    format!("{prefix}/{}/00000", submission.received_at.to_zoned(helsinki()).year())
}

/// That a component which asks no language model is given none.
///
/// # Errors
/// [`Unusable`] with the component's name.
pub(super) fn refuse_model(component: &str, choice: Option<&ModelChoice>) -> Result<(), Unusable> {
    match Provider::of(choice)? {
        Provider::Offline => Ok(()),
        _ => Err(Unusable::Component(format!("`{component}` asks no language model: leave `models` out"))),
    }
}
