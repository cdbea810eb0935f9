//! A model that counts: budget before, row, span and metrics after.
//!
//! The row is written by a task of its own, so that whoever gives up waiting cannot lose it; the reservation of the
//! call goes when the row is there. When the row cannot be written, the reservation stays as long as the process lives:
//! what was spent must not be forgotten by the budget, too.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::budget::{Budget, Limits, Most, Payer, Refused, Reservation};
use super::prices::Prices;
use super::{Ledger, Unusable};
use crate::cases::ModelCallId;
use crate::clock::{Ambient, helsinki};
use crate::config;
use crate::model::cassette;
use crate::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Message, Purpose, Usage};
use crate::storage::{Micros, ModelCall, Month};
use crate::telemetry::gen_ai;

/// Longest name of a model that is kept, characters.
const LONGEST_NAME: usize = 100;

/// A model whose calls are counted and kept within a budget.
#[derive(Debug)]
pub struct Counted {
    inner: Arc<dyn ChatModel>,
    accounts: Arc<Accounts>,
}

/// What every call needs, and what outlives one that is given up.
#[derive(Debug)]
struct Accounts {
    ledger: Arc<dyn Ledger>,
    budget: Budget,
    prices: Prices,
    ambient: Ambient,
    provider: &'static str,
    model: String,
}

impl Counted {
    /// Counts the calls of `inner`, which is `model` of the settings, within `budget` and by its prices.
    ///
    /// # Errors
    /// [`Unusable`] when a limit is no amount or the price file is at fault.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        ledger: Arc<dyn Ledger>,
        model: &config::Model,
        budget: &config::Budget,
        ambient: Ambient,
    ) -> Result<Self, Unusable> {
        let prices = Prices::load(&budget.prices)?;
        let accounts = Accounts {
            ledger,
            budget: Budget::new(Limits::of(budget)?, prices.currency()),
            prices,
            ambient,
            provider: match model.api {
                config::ModelApi::Openai => "openai",
                config::ModelApi::Azure => "azure.ai.openai",
            },
            model: model.name.clone(),
        };
        Ok(Self { inner, accounts: Arc::new(accounts) })
    }

    async fn counted(&self, request: &ChatRequest) -> Result<ChatAnswer, ChatError> {
        let input = estimated_tokens(request);
        let reservation = self.accounts.reserve(request, input).await?;
        let pending = Pending::begin(&self.accounts, request, input, reservation);
        let result = self.inner.chat(request).await;
        pending.settle(&result).await;
        result
    }
}

impl ChatModel for Counted {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let span = gen_ai::chat(&self.accounts.asked(request));
        self.counted(request).instrument(span).boxed()
    }
}

impl Accounts {
    fn asked(&self, request: &ChatRequest) -> gen_ai::Asked<'_> {
        gen_ai::Asked {
            provider: self.provider,
            model: &self.model,
            temperature: request.sampling.temperature,
            max_tokens: request.sampling.max_tokens,
        }
    }

    async fn reserve(&self, request: &ChatRequest, input: u64) -> Result<Reservation, ChatError> {
        let now = self.ambient.now();
        let usage = Usage { input, output: request.sampling.max_tokens.into(), ..Usage::default() };
        let day = now.to_zoned(helsinki()).date();
        let most = Most { tokens: usage.total(), cost: self.prices.cost(&[&self.model], day, &usage).amount };
        let Purpose { municipality, case, .. } = &request.purpose;
        let payer = Payer { municipality, case: *case, month: Month::of(now) };
        self.budget.reserve(&*self.ledger, payer, most).await.map_err(|refused| {
            let why = match refused {
                Refused::Limit(why) => why,
                Refused::Unknown(error) => {
                    tracing::warn!(%error, "no model is asked: what was spent cannot be read: {error}");
                    "what was spent cannot be read, so nothing more is spent".to_owned()
                }
            };
            gen_ai::failed(&Span::current(), "budget");
            ChatError::Budget(why)
        })
    }
}

/// What a request takes, on the high side: three bytes a token. Finnish has 3.4 characters in one, English more. Exact
/// counting costs more than it gives here: the reservation goes when the answer tells what it was.
fn estimated_tokens(request: &ChatRequest) -> u64 {
    let messages = request.messages.iter().map(|message| match message {
        Message::System(text) | Message::User(text) | Message::Tool { content: text, .. } => text.as_str().len(),
        Message::Assistant { content, tool_calls } => {
            let calls = tool_calls.iter().map(|call| call.name.len() + call.arguments.len());
            content.as_ref().map_or(0, |text| text.as_str().len()) + calls.sum::<usize>()
        }
    });
    let tools = request.tools.iter().map(|tool| tool.description.len() + tool.parameters.to_string().len());
    let form = request.output.iter().map(|form| form.schema.to_string().len());
    let bytes: usize = messages.chain(tools).chain(form).sum();
    u64::try_from(bytes.div_ceil(3)).unwrap_or(u64::MAX)
}

/// A call that was begun and is not yet in the ledger. Dropped before it ends, it is written down as cancelled.
struct Pending {
    accounts: Arc<Accounts>,
    /// None once it is handed over.
    row: Option<(ModelCall, Reservation)>,
    started: Instant,
    max_tokens: u32,
    temperature: f32,
}

impl Pending {
    fn begin(accounts: &Arc<Accounts>, request: &ChatRequest, input: u64, reservation: Reservation) -> Self {
        let Purpose { municipality, case, step, prompt, prompt_hash } = request.purpose.clone();
        let row = ModelCall {
            id: ModelCallId::new(accounts.ambient.id()),
            municipality,
            case_id: case,
            step: step.to_owned(),
            prompt,
            prompt_hash,
            model: accounts.model.clone(),
            endpoint: None,
            started_at: accounts.ambient.now(),
            latency: Duration::ZERO,
            attempts: None,
            input_tokens: input,
            cached_tokens: 0,
            output_tokens: 0,
            estimated: true,
            cost: Micros::ZERO,
            currency: accounts.prices.currency().to_owned(),
            cost_known: true,
            finish: None,
            outcome: "cancelled".to_owned(),
        };
        Self {
            accounts: Arc::clone(accounts),
            row: Some((row, reservation)),
            started: Instant::now(),
            max_tokens: request.sampling.max_tokens,
            temperature: request.sampling.temperature,
        }
    }

    /// Writes down what came.
    async fn settle(mut self, result: &Result<ChatAnswer, ChatError>) {
        let Some((mut row, reservation)) = self.row.take() else { return };
        row.latency = self.started.elapsed();
        let error = match result {
            Ok(answer) => {
                answered(&mut row, answer);
                None
            }
            Err(error) => {
                failed(&mut row, error);
                Some(error.kind())
            }
        };
        let _ended = self.hand_over(row, reservation, error).await;
    }

    /// Prices the call, tells span and metrics, and leaves the row to a task.
    fn hand_over(
        &self,
        mut row: ModelCall,
        reservation: Reservation,
        error: Option<&'static str>,
    ) -> tokio::task::JoinHandle<()> {
        let accounts = Arc::clone(&self.accounts);
        // What comes from a cassette costs nothing.
        if row.endpoint.as_deref() != Some(cassette::ENDPOINT) {
            let usage = Usage {
                input: row.input_tokens,
                cached: row.cached_tokens,
                output: row.output_tokens,
                estimated: row.estimated,
            };
            let day = row.started_at.to_zoned(helsinki()).date();
            let cost = accounts.prices.cost(&[&row.model, &accounts.model], day, &usage);
            (row.cost, row.cost_known) = (cost.amount, cost.known);
        }
        let asked = gen_ai::Asked {
            provider: accounts.provider,
            model: &accounts.model,
            temperature: self.temperature,
            max_tokens: self.max_tokens,
        };
        let came = gen_ai::Came {
            model: row.endpoint.is_some().then_some(row.model.as_str()),
            finish: row.finish.as_deref(),
            error,
            input: row.input_tokens,
            cached: row.cached_tokens,
            output: row.output_tokens,
            latency: row.latency,
        };
        gen_ai::ended(&Span::current(), &asked, &came);
        gen_ai::paid(&accounts.model, accounts.prices.currency(), row.cost.millionths());
        tokio::spawn(async move {
            let id = row.id;
            match accounts.ledger.record(row).await {
                Ok(()) => drop(reservation),
                Err(error) => {
                    tracing::error!(call = %id, %error, "model call {id} is not in the accounts: {error}");
                    reservation.keep();
                }
            }
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Without a runtime the process is ending; nobody is left to write.
        if let (Some((mut row, reservation)), Ok(_runtime)) = (self.row.take(), tokio::runtime::Handle::try_current()) {
            row.latency = self.started.elapsed();
            drop(self.hand_over(row, reservation, Some("cancelled")));
        }
    }
}

fn answered(row: &mut ModelCall, answer: &ChatAnswer) {
    if let Some(model) = name(&answer.model) {
        row.model = model;
    }
    row.endpoint = name(&answer.endpoint);
    row.attempts = Some(answer.attempts);
    row.input_tokens = answer.usage.input;
    row.cached_tokens = answer.usage.cached;
    row.output_tokens = answer.usage.output;
    row.estimated = answer.usage.estimated;
    row.finish = Some(answer.finish.as_str().to_owned());
    let outcome = if answer.refusal.is_some() { "refusal" } else { "answered" };
    outcome.clone_into(&mut row.outcome);
}

/// A call that broke off in its middle was read, and is paid for; one that was turned away was not.
fn failed(row: &mut ModelCall, error: &ChatError) {
    let read = matches!(error, ChatError::Timeout(_) | ChatError::Malformed | ChatError::Cut);
    if !read {
        (row.input_tokens, row.estimated) = (0, false);
    }
    error.kind().clone_into(&mut row.outcome);
}

/// A name that a server gave, cut down to what a model may be called; none when nothing is left.
fn name(given: &str) -> Option<String> {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.:/@".contains(*c);
    let name: String = given.chars().filter(plain).take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}
