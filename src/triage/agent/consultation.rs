//! One task of one case with the model: whom it concerns, what hides it, what was asked and what came of it.

use std::sync::{Mutex, OnceLock, PoisonError};

use futures::future::BoxFuture;
use serde_json::json;

use super::Agent;
use crate::cases::{Assessment, CaseFile, Classification, EventKind, Language, Reading, Submission};
use crate::model::answers::Answer;
use crate::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Message, Purpose, Tool};
use crate::model::masking::{Masker, Unrestorable};
use crate::model::prompts::{Fence, Prompt, PromptId, RenderError, Values};
use crate::model::structured::{self, AskError, Unusable};
use crate::municipality::format::ServiceFile;
use crate::text;
use crate::triage::proposals::{Credit, Noted};
use crate::triage::{Circumstances, Desk, material};
use crate::verify;

/// Longest name of a model or an address that is kept, characters.
const LONGEST_NAME: usize = 100;
/// Stands for words that are not shown.
const NOT_SHOWN: &str = "–";

/// Why a model's proposal cannot be used. Words for a handler; never any content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unable {
    /// No usable answer came.
    #[error(transparent)]
    Ask(#[from] Unusable),
    /// A prompt could not be filled: a fault in a prompt's file or in this program.
    #[error(transparent)]
    Prompt(#[from] RenderError),
    /// What was masked cannot be put back into an answer.
    #[error(transparent)]
    Restore(#[from] Unrestorable),
    /// The checks found faults in its words, and again after they were sent back.
    #[error("the letter with the model's words does not pass: {0}")]
    Findings(String),
    /// Its lines for the handler hold what a stranger ordered or how it was asked.
    #[error("the model's lines hold an address, markup or its own instructions")]
    Steered,
    /// It went on and on.
    #[error("the model gave no answer within {0} steps")]
    Steps(u32),
    /// It took too long.
    #[error("the time for the model is used up")]
    Time,
    /// A fault in this program.
    #[error("the work with the model broke off")]
    BrokeOff,
}

impl Unable {
    /// One word for events and logs.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Ask(unusable) => unusable.kind(),
            Self::Prompt(_) => "prompt",
            Self::Restore(_) => "placeholder",
            Self::Findings(_) => "findings",
            Self::Steered => "steered",
            Self::Steps(_) => "steps",
            Self::Time => "case_time",
            Self::BrokeOff => "broke_off",
        }
    }
}

impl From<AskError> for Unable {
    fn from(error: AskError) -> Self {
        Self::Ask(error.why)
    }
}

/// One task of one case.
pub(super) struct Consultation<'a> {
    pub(super) agent: &'a Agent,
    pub(super) desk: &'a Desk,
    pub(super) submission: &'a Submission,
    pub(super) file: &'a CaseFile,
    pub(super) at: &'a Circumstances<'a>,
    /// The step, or the name of the task.
    pub(super) step: &'static str,
    masker: OnceLock<Masker>,
    pub(super) fence: Fence,
    heard: Mutex<Heard>,
}

/// What came of the calls.
#[derive(Default)]
struct Heard {
    noted: Vec<Noted>,
    /// The prompt and the model of the last answer to the task's own prompt.
    credit: Option<Credit>,
}

impl<'a> Consultation<'a> {
    pub(super) fn new(
        agent: &'a Agent,
        desk: &'a Desk,
        submission: &'a Submission,
        file: &'a CaseFile,
        at: &'a Circumstances<'a>,
        step: &'static str,
    ) -> Self {
        Self {
            agent,
            desk,
            submission,
            file,
            at,
            step,
            masker: OnceLock::new(),
            fence: Fence::new(&agent.ambient),
            heard: Mutex::default(),
        }
    }

    /// What is put in the place of personal data; made when the first text is masked.
    pub(super) fn masker(&self) -> &Masker {
        let service = self.classification().and_then(|found| found.service.as_ref());
        let known = || material::with_withheld(self.file, self.submission);
        self.masker.get_or_init(|| self.desk.masker(&known(), service))
    }

    pub(super) fn reading(&self) -> Option<&'a Reading> {
        self.file.reading.as_ref()
    }

    pub(super) fn classification(&self) -> Option<&'a Classification> {
        self.file.classification.as_ref()
    }

    pub(super) fn assessment(&self) -> Option<&'a Assessment> {
        self.file.assessment.as_ref()
    }

    pub(super) fn service(&self) -> Option<&'a ServiceFile> {
        self.desk.rulebook.pack.service(self.classification()?.service.as_ref()?)
    }

    /// The language that the handler reads.
    pub(super) fn record_language(&self) -> Language {
        self.desk.rulebook.pack.municipality.languages.first().copied().unwrap_or(Language::Fi)
    }

    /// Asks once for an answer with a form.
    pub(super) async fn ask<T: Answer>(&self, id: PromptId, values: &Values) -> Result<T, Unable> {
        let prompt = self.agent.prompts.get(id);
        let request = self.request(prompt, prompt.render(values, &self.fence)?, Vec::new());
        Ok(structured::ask::<T>(self, request, &self.agent.modes).await?.value)
    }

    /// A request of this task.
    pub(super) fn request(&self, prompt: &Prompt, messages: Vec<Message>, tools: Vec<Tool>) -> ChatRequest {
        ChatRequest {
            purpose: Purpose {
                municipality: self.desk.rulebook.pack.municipality.id.clone(),
                case: self.at.case,
                step: self.step,
                prompt: prompt.name(),
                prompt_hash: prompt.hash.clone(),
            },
            messages,
            tools,
            output: None,
            sampling: prompt.sampling,
        }
    }

    /// A model's words for the handler, with what was masked put back. What identifies anybody by a number or an address
    /// stays hidden; words that only a steered machine writes are not shown.
    pub(super) fn put_back(&self, words: &str) -> String {
        let shown = text::mask(&self.masker().restore(words).unwrap_or_else(|_| words.to_owned()));
        let steered = verify::leak(&shown.replace(['[', ']'], ""), &[]).is_some();
        if steered { NOT_SHOWN.to_owned() } else { shown }
    }

    /// Notes something that happened.
    pub(super) fn note(&self, kind: EventKind, payload: serde_json::Value) {
        self.heard().noted.push(Noted { kind, payload });
    }

    /// Everything that happened.
    pub(super) fn noted(&self) -> Vec<Noted> {
        self.heard().noted.clone()
    }

    /// Whose words the last answer was.
    pub(super) fn credit(&self) -> Option<Credit> {
        self.heard().credit.clone()
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, purpose: &Purpose, result: &Result<ChatAnswer, ChatError>) {
        let hash: String = purpose.prompt_hash.chars().take(8).collect();
        let prompt = format!("{}#{hash}", purpose.prompt);
        let payload = match result {
            Ok(answer) => {
                let model = name(&answer.model);
                // What only checks the words of another prompt has no part in them.
                if !purpose.prompt.starts_with(PromptId::TranslateCheck.as_str()) {
                    self.heard().credit = Some(Credit { prompt: prompt.clone(), model: model.clone() });
                }
                json!({
                    "step": self.step, "prompt": prompt, "model": model, "endpoint": name(&answer.endpoint),
                    "finish": answer.finish.as_str(), "tokens_in": answer.usage.input,
                    "tokens_cached": answer.usage.cached, "tokens_out": answer.usage.output,
                    "attempts": answer.attempts,
                    "milliseconds": u64::try_from(answer.latency.as_millis()).unwrap_or(u64::MAX),
                })
            }
            Err(error) => json!({ "step": self.step, "prompt": prompt, "error": error.kind() }),
        };
        self.note(EventKind::ModelAsked, payload);
    }
}

/// Every call is noted on its way.
impl ChatModel for Consultation<'_> {
    fn chat<'b>(&'b self, request: &'b ChatRequest) -> BoxFuture<'b, Result<ChatAnswer, ChatError>> {
        Box::pin(async move {
            let result = self.agent.model.chat(request).await;
            self.hear(&request.purpose, &result);
            result
        })
    }
}

/// A case's secrets are not printed by accident.
impl std::fmt::Debug for Consultation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consultation").field("step", &self.step).finish_non_exhaustive()
    }
}

/// A name that a server gave, as it may stand in a record: plain characters, bounded.
fn name(given: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.:/@".contains(*c);
    given.chars().filter(plain).take(LONGEST_NAME).collect()
}
