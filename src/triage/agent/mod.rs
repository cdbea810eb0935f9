//! The language model in triage: asked before a step, it proposes; the step, which is code, decides what becomes of it.
//!
//! One file a task. What a model sees is masked and fenced; what it says is a proposal with evidence. Whatever goes
//! wrong here (a fault, a refusal, a budget, a limit, findings that stay) ends in the offline result with the reason
//! shown ([`Fallback`]): no step ever fails because of a model, and no case waits for one.

mod classify;
mod compose;
mod consultation;
mod gather;
mod summarise;
mod tools;
mod translate;
mod values;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::json;
use tracing::Instrument as _;

use super::precedents::Precedents;
use super::proposals::{Noted, Proposals};
use super::{Circumstances, Desk, Step};
use crate::cases::{CaseFile, EventKind, Fallback, Submission};
use crate::clock::Ambient;
use crate::config;
use crate::model::chat::ChatModel;
use crate::model::prompts::Prompts;
use crate::model::structured::Modes;
use crate::telemetry::gen_ai;
use consultation::{Consultation, Unable};

/// The step's name of the lines for the handler, in fallbacks and events.
const SUMMARISE: &str = "summarise";

/// Who asks a language model for every municipality. Holds no case.
#[derive(Debug)]
pub struct Agent {
    model: Arc<dyn ChatModel>,
    prompts: Arc<Prompts>,
    modes: Modes,
    limits: Limits,
    precedents: Option<Arc<dyn Precedents>>,
    ambient: Ambient,
}

/// How far one step goes.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Answers of the model in one loop.
    steps: u32,
    /// Tool calls in one loop.
    tool_calls: u32,
    /// Longest time with the model for one step; none: as long as its calls take.
    time: Option<Duration>,
}

impl Agent {
    /// An agent over `model`, which counts and bounds its own calls.
    #[must_use]
    pub fn new(
        model: Arc<dyn ChatModel>,
        prompts: Arc<Prompts>,
        settings: &config::Model,
        budget: &config::Budget,
        ambient: Ambient,
    ) -> Self {
        let seconds = u64::from(budget.case_seconds);
        let limits = Limits {
            steps: settings.max_steps,
            tool_calls: settings.max_tool_calls,
            time: (seconds > 0).then(|| Duration::from_secs(seconds)),
        };
        Self { model, prompts, modes: Modes::new(settings.structured), limits, precedents: None, ambient }
    }

    /// The same agent with similar decisions as a further tool.
    #[must_use]
    pub fn with_precedents(self, precedents: Arc<dyn Precedents>) -> Self {
        Self { precedents: Some(precedents), ..self }
    }

    /// The prompts.
    #[must_use]
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// What the model proposes for a step, beside what was proposed already.
    pub(super) async fn propose(
        &self,
        desk: &Desk,
        step: Step,
        submission: &Submission,
        file: &CaseFile,
        at: &Circumstances<'_>,
        mut proposals: Proposals,
    ) -> Proposals {
        let consultation = |name| Consultation::new(self, desk, submission, file, at, name);
        match step {
            Step::Read | Step::Assess => {}
            Step::Classify => {
                let about = consultation(step.name());
                if classify::is_wanted(&about) {
                    let done = self.consult(&about, classify::ask(&about)).await;
                    proposals.label = about.settle(done, &mut proposals);
                }
            }
            Step::Gather => {
                let about = consultation(step.name());
                if gather::is_wanted(&about) {
                    let done = self.consult(&about, gather::ask(&about)).await;
                    proposals.facts = about.settle(done, &mut proposals).unwrap_or_default();
                }
            }
            Step::Compose => {
                let (writer, teller) = (consultation(step.name()), consultation(SUMMARISE));
                let Some(offline) = compose::Offline::of(&writer) else { return proposals };
                // The handler's lines wait for nothing and add no time.
                let (written, told) = futures::join!(
                    self.consult(&writer, compose::write(&writer, &offline, &proposals.passages)),
                    self.consult(&teller, summarise::tell(&teller, &offline)),
                );
                let written = written.transpose().and_then(|done| writer.settle(done, &mut proposals));
                let (words, rulings) = written.map_or((None, Vec::new()), |written| (written.words, written.rulings));
                let (prose, tried) = words.unzip();
                // Without words of its own the draft is the one that code made.
                proposals.tried = Some(tried.unwrap_or(offline.proposal));
                proposals.prose = prose;
                proposals.rulings = rulings;
                // The lines are no part of the draft: its credit is the writer's.
                let credit = proposals.credit.take();
                proposals.summary = teller.settle(told, &mut proposals);
                proposals.credit = credit;
            }
        }
        proposals
    }

    /// Work with the model, bounded in time, in a span of its own; a fault of ours in it is contained.
    async fn consult<T>(
        &self,
        about: &Consultation<'_>,
        work: impl Future<Output = Result<T, Unable>>,
    ) -> Result<T, Unable> {
        let span = gen_ai::invoke_agent(about.step);
        let work = AssertUnwindSafe(work.instrument(span.clone())).catch_unwind();
        let ended = match self.limits.time {
            Some(limit) => tokio::time::timeout(limit, work).await.map_err(|_| Unable::Time),
            None => Ok(work.await),
        };
        let done = ended.and_then(|done| {
            done.unwrap_or_else(|_| {
                tracing::error!(step = about.step, "the work with a language model broke off");
                Err(Unable::BrokeOff)
            })
        });
        if let Err(unable) = &done {
            gen_ai::failed(&span, unable.kind());
        }
        done
    }
}

impl Consultation<'_> {
    /// Puts what happened into the proposals: the credit of what came, or the fallback.
    fn settle<T>(&self, done: Result<T, Unable>, proposals: &mut Proposals) -> Option<T> {
        proposals.noted.extend(self.noted());
        match done {
            Ok(value) => {
                proposals.credit = self.credit();
                Some(value)
            }
            Err(unable) => {
                let reason = unable.to_string();
                tracing::warn!(step = self.step, error = unable.kind(), "the offline engine goes on alone");
                gen_ai::fell_back(self.step, unable.kind());
                let payload = json!({ "step": self.step, "error": unable.kind(), "reason": reason });
                proposals.noted.push(Noted { kind: EventKind::FellBack, payload });
                proposals.fallbacks.push(Fallback { step: self.step.to_owned(), reason });
                None
            }
        }
    }
}
