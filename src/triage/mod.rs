//! The pipeline: `read → classify → gather → assess → compose`, one file a step.
//!
//! Steps are pure: a submission, what is known so far and what was proposed in, a little more known out. No clock, no
//! database, no network: whoever may be slow or fail (an index, a language model) is asked before the step, and what
//! came of it is [`Proposals`]. [`pipeline`] makes steps durable, `vireille triage` and the evaluations run the very
//! same functions dry. The machine only proposes; nothing here can decide or send anything.

pub mod about;
pub mod agent;
pub mod assess;
pub mod classify;
pub mod compose;
pub mod gather;
pub mod history;
pub mod impact;
mod live;
pub mod material;
pub mod matters;
pub mod owner;
mod passages;
pub mod pipeline;
pub mod precedents;
pub mod proposals;
pub mod publication;
pub mod read;
pub mod replay;
pub mod report;
pub mod rounds;
pub mod similar;
pub mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use agent::Agent;
use history::Others;
pub use live::Live;
use proposals::{Noted, Proposals};

use crate::cases::{
    CaseFile, CaseId, CaseRef, Check, DraftContent, Engine, MunicipalityId, Person, Practice, Preparer, ServiceId,
    Submission,
};
use crate::clock::helsinki;
use crate::intake::extract::Attached;
use crate::model::TextClassifier;
use crate::model::masking::{Masker, PublicWords};
use crate::municipality::emergency::Lexicon;
use crate::policy::{Rulebook, Rulebooks};
use crate::search::Search;
use crate::verify::{self, Subject};

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Normal form of every text, language, emergency words.
    Read,
    /// Kind of matter, category, urgency, owner.
    Classify,
    /// Facts with evidence; what is missing becomes a question.
    Gather,
    /// Rules, amount, the power to decide, clocks.
    Assess,
    /// The draft and its checks.
    Compose,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 5] = [Self::Read, Self::Classify, Self::Gather, Self::Assess, Self::Compose];

    /// The step after this one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step > self)
    }

    /// The step that a job of this kind does, `triage/read` for example.
    #[must_use]
    pub fn of_job(kind: &str) -> Option<Self> {
        Self::named(kind.strip_prefix("triage/")?)
    }

    /// The step of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Name, for job kinds, events and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Classify => "classify",
            Self::Gather => "gather",
            Self::Assess => "assess",
            Self::Compose => "compose",
        }
    }
}

/// Why a step cannot go on. A person must look: trying again would not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No pack of that name is loaded.
    #[error("municipality `{0}` has no pack loaded")]
    UnknownMunicipality(MunicipalityId),
    /// A step ran before the one whose result it needs.
    #[error("step `{step}` needs the result of `{needs}`")]
    OutOfOrder {
        /// The step.
        step: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// The pack lacks something that a draft of this kind needs.
    #[error("the pack of `{municipality}` lacks {what}")]
    Pack {
        /// The municipality.
        municipality: MunicipalityId,
        /// What is missing.
        what: String,
    },
}

/// What is known of the moment and the case, passed in.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    /// The number people use for the case.
    pub number: &'a str,
    /// On whose account a model is asked; without a case only the limits of a month hold.
    pub case: Option<CaseId>,
    /// Now.
    pub now: Timestamp,
    /// Whether an alert of this case still waits for a person.
    pub alerts_open: bool,
    /// What was taken out of the files that came along; the first step asks for it.
    pub attached: Option<&'a Attached>,
    /// What other cases say; the step that assesses asks for it.
    pub others: Others<'a>,
    /// What earlier decisions say, where a person ruled and somebody looked.
    pub practice: Option<&'a Practice>,
    /// When the approver first had the draft before their eyes, where that is noted.
    pub looked_at: Option<Timestamp>,
}

impl<'a> Circumstances<'a> {
    /// A case by its number at a moment, of which nothing else is known.
    #[must_use]
    pub const fn new(number: &'a str, now: Timestamp) -> Self {
        Self {
            number,
            case: None,
            now,
            alerts_open: false,
            attached: None,
            others: Others::NONE,
            practice: None,
            looked_at: None,
        }
    }

    /// Today, in Finland.
    #[must_use]
    pub fn today(&self) -> Date {
        local_date(self.now)
    }
}

/// The calendar day of a moment, in Finland.
#[must_use]
pub fn local_date(at: Timestamp) -> Date {
    at.to_zoned(helsinki()).date()
}

/// A draft as the machine proposes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What is seen.
    pub content: DraftContent,
    /// Every check of it.
    pub checks: Vec<Check>,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Thought {
    /// What is known now.
    pub file: CaseFile,
    /// The draft; only the last step gives one.
    pub proposal: Option<Proposal>,
    /// What happened on the way, for the case's timeline.
    pub noted: Vec<Noted>,
}

/// Everything that triage needs of one municipality: what binds, where it is searched, words of danger, the classifier.
#[derive(Debug, Clone)]
pub struct Desk {
    /// What binds.
    pub rulebook: Arc<Rulebook>,
    /// Words of danger.
    pub lexicon: Arc<Lexicon>,
    /// Who proposes the kind of matter.
    pub classifier: Arc<dyn TextClassifier>,
    /// Where the texts that bind are searched.
    pub search: Arc<dyn Search>,
    /// Words of the municipality that name nobody.
    pub public_words: Arc<PublicWords>,
    /// The language model that is asked before a step; none: the offline engine alone.
    pub agent: Option<Arc<Agent>>,
}

impl Desk {
    /// Which engine proposes here, with all versions (check K28).
    #[must_use]
    pub fn engine(&self) -> Engine {
        Engine {
            name: "offline".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            classifier: Some(self.classifier.hash().to_owned()),
            prompt: None,
            model: None,
            pack: self.rulebook.hash.clone(),
        }
    }

    /// What is put in the place of personal data in texts of a case.
    #[must_use]
    pub fn masker(&self, submission: &Submission, service: Option<&ServiceId>) -> Masker {
        let service = service.and_then(|id| self.rulebook.pack.service(id));
        Masker::new(submission, service, Arc::clone(&self.public_words))
    }

    /// Asks whoever proposes, then runs the step.
    ///
    /// # Errors
    /// [`Error`] when a person must look.
    pub async fn think(
        &self,
        step: Step,
        submission: &Submission,
        file: CaseFile,
        at: &Circumstances<'_>,
    ) -> Result<Thought, Error> {
        let mut proposals = self.propose(step, submission, &file, at).await;
        let noted = std::mem::take(&mut proposals.noted);
        let (file, proposal) = self.run(step, submission, file, at, &proposals)?;
        Ok(Thought { file, proposal, noted })
    }

    /// What is proposed for a step. Never fails: whoever is silent has proposed nothing.
    async fn propose(&self, step: Step, submission: &Submission, file: &CaseFile, at: &Circumstances<'_>) -> Proposals {
        let mut proposals = Proposals::none();
        if step == Step::Compose {
            proposals.passages = passages::find(self, submission, file, at).await;
        }
        match &self.agent {
            // Most cases ask nobody: their future need not be as large as the loop with a model.
            Some(agent) => Box::pin(agent.propose(self, step, submission, file, at, proposals)).await,
            None => proposals,
        }
    }

    /// Runs one step: what was known, and a little more. Only the last step gives a proposal.
    ///
    /// # Errors
    /// [`Error`] when a person must look.
    pub fn run(
        &self,
        step: Step,
        submission: &Submission,
        mut file: CaseFile,
        at: &Circumstances<'_>,
        proposals: &Proposals,
    ) -> Result<(CaseFile, Option<Proposal>), Error> {
        file.fallbacks.retain(|fallback| Step::named(&fallback.step) != Some(step));
        file.fallbacks.extend(proposals.fallbacks.iter().cloned());
        let mut proposal = None;
        match step {
            Step::Read => read::run(self, submission, at.attached, &mut file),
            Step::Classify => classify::run(self, submission, &mut file, proposals)?,
            Step::Gather => gather::run(self, submission, &mut file, at, proposals)?,
            Step::Assess => assess::run(self, submission, &mut file, at)?,
            Step::Compose => {
                compose::note(&mut file, proposals);
                let made = || {
                    let content = compose::run(self, submission, &file, at, proposals.prose.as_ref())?;
                    let checks = self.check(submission, &file, &content, &Preparer::Engine, None, at);
                    Ok(Proposal { content, checks })
                };
                // A trial is the draft itself: it saves time and changes nothing, which every test tries again.
                debug_assert!(proposals.tried.as_ref().is_none_or(|tried| made().as_ref() == Ok(tried)));
                proposal = Some(proposals.tried.clone().map_or_else(made, Ok)?);
            }
        }
        Ok((file, proposal))
    }

    /// All steps in one go, nothing stored.
    ///
    /// # Errors
    /// [`Error`] when a person must look.
    pub async fn dry_run(
        &self,
        submission: &Submission,
        at: &Circumstances<'_>,
    ) -> Result<(CaseFile, Proposal), Error> {
        self.dry_run_on(CaseFile::default(), submission, at).await
    }

    /// All steps in one go over what people have said of the case, nothing stored.
    ///
    /// # Errors
    /// [`Error`] when a person must look.
    pub async fn dry_run_on(
        &self,
        mut file: CaseFile,
        submission: &Submission,
        at: &Circumstances<'_>,
    ) -> Result<(CaseFile, Proposal), Error> {
        for step in Step::ALL {
            let thought = self.think(step, submission, file, at).await?;
            file = thought.file;
            if let Some(proposal) = thought.proposal {
                return Ok((file, proposal));
            }
        }
        Err(Error::OutOfOrder { step: "dry-run", needs: "compose" })
    }

    /// The other matters of a dry run, each with what its case reads; `first` names the case that they came with.
    #[must_use]
    pub fn parts(&self, first: &CaseRef, submission: &Submission, file: &CaseFile) -> Vec<(CaseFile, Submission)> {
        let of = |other| {
            let part = matters::file_of(first.clone(), submission, file, other);
            let read = material::of(&part, submission.clone(), []);
            (part, read)
        };
        file.matters.iter().map(of).collect()
    }

    /// The checks of any draft of a case: the machine's, a handler's, or the one about to be approved.
    #[must_use]
    pub fn check(
        &self,
        submission: &Submission,
        file: &CaseFile,
        content: &DraftContent,
        preparer: &Preparer,
        approver: Option<&Person>,
        at: &Circumstances<'_>,
    ) -> Vec<Check> {
        let engine = file.engine.clone().unwrap_or_else(|| self.engine());
        verify::verify(&Subject {
            rulebook: &self.rulebook,
            submission,
            number: at.number,
            file,
            content,
            engine: &engine,
            preparer,
            approver,
            decided_on: at.today(),
            alerts_open: at.alerts_open,
            practice: at.practice,
            looked_at: at.looked_at,
        })
    }
}

/// Triage for every municipality that this process serves.
#[derive(Debug, Clone, Default)]
pub struct Triage {
    desks: BTreeMap<MunicipalityId, Arc<Desk>>,
}

impl Triage {
    /// One desk for each municipality; `classifier` trains or fetches the classifier of a rulebook, `search` finds in
    /// all of them, and `agent`, if there is one, is asked for each.
    ///
    /// # Errors
    /// What is wrong with a pack's words of danger.
    pub fn new(
        rulebooks: &Rulebooks,
        mut classifier: impl FnMut(&Rulebook) -> Arc<dyn TextClassifier>,
        search: &Arc<dyn Search>,
        agent: Option<&Arc<Agent>>,
    ) -> Result<Self, String> {
        let mut desks = BTreeMap::new();
        for (id, rulebook) in rulebooks.iter() {
            let lexicon = Arc::new(Lexicon::compile(&rulebook.pack.emergency)?);
            let classifier = classifier(rulebook);
            let desk = Desk {
                rulebook: Arc::clone(rulebook),
                lexicon,
                classifier,
                search: Arc::clone(search),
                public_words: Arc::new(PublicWords::new(&rulebook.pack)),
                agent: agent.map(Arc::clone),
            };
            desks.insert(id.clone(), Arc::new(desk));
        }
        Ok(Self { desks })
    }

    /// The desk of a municipality.
    ///
    /// # Errors
    /// [`Error::UnknownMunicipality`].
    pub fn desk(&self, id: &MunicipalityId) -> Result<&Arc<Desk>, Error> {
        self.desks.get(id).ok_or_else(|| Error::UnknownMunicipality(id.clone()))
    }

    /// What binds in every municipality.
    #[must_use]
    pub fn rulebooks(&self) -> Rulebooks {
        self.desks().map(|desk| Arc::clone(&desk.rulebook)).collect()
    }

    /// Every desk.
    pub fn desks(&self) -> impl Iterator<Item = &Arc<Desk>> {
        self.desks.values()
    }
}

/// Desks put together by hand: for evaluations of one part, and for tests.
impl FromIterator<Desk> for Triage {
    fn from_iter<I: IntoIterator<Item = Desk>>(desks: I) -> Self {
        let named = |desk: Desk| (desk.rulebook.pack.municipality.id.clone(), Arc::new(desk));
        Self { desks: desks.into_iter().map(named).collect() }
    }
}
