//! A model that counts: budget before, row, span and metrics after.
//!
//! One call may send several requests: each is reserved for before it is sent, at the price of the dearest address, and
//! each that was read is in the row, also when its answer broke off or nobody waited for it. What was never sent costs
//! nothing. The row is written by a task of its own, so that whoever gives up waiting cannot lose it; the reservation of the
//! call goes when the row is there. A row that cannot be written now is tried again, and what the call took stays reserved
//! meanwhile: what was spent must not be forgotten by the budget, too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};
use tracing::{Instrument as _, Span};

use super::budget::{Budget, Limits, Most, Payer, Refused, Reservation};
use super::prices::{Cost, Prices};
use super::{Ledger, Unusable};
use crate::cases::ModelCallId;
use crate::clock::{Ambient, helsinki};
use crate::config;
use crate::model::cassette;
use crate::model::chat::{
    ChatAnswer, ChatError, ChatModel, ChatRequest, FAILOVER, Message, PRIMARY, Purpose, Sampling, Usage,
};
use crate::model::meter::{Meter, Sent};
use crate::storage::{self, Micros, ModelCall, Month};
use crate::telemetry::gen_ai;

/// The wait before a row is tried to be written again; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No such wait is longer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
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
    primary: Address,
    failover: Option<Address>,
}

/// Who runs a model, and how it is called in the settings.
#[derive(Debug)]
struct Address {
    provider: &'static str,
    model: String,
}

impl Address {
    fn new(api: config::ModelApi, model: &str) -> Self {
        let provider = match api {
            config::ModelApi::Openai => "openai",
            config::ModelApi::Azure => "azure.ai.openai",
        };
        Self { provider, model: model.to_owned() }
    }
}

impl Counted {
    /// Counts the calls of `inner`, which is `model` of the settings with `failover` behind it, within `budget` and by
    /// its prices.
    ///
    /// # Errors
    /// [`Unusable`] when a limit is no amount or the price file is at fault.
    pub fn new(
        inner: Arc<dyn ChatModel>,
        ledger: Arc<dyn Ledger>,
        model: &config::Model,
        failover: &config::Failover,
        budget: &config::Budget,
        ambient: Ambient,
    ) -> Result<Self, Unusable> {
        let prices = Prices::load(&budget.prices)?;
        let accounts = Accounts {
            ledger,
            budget: Budget::new(Limits::of(budget)?, prices.currency()),
            prices,
            ambient,
            primary: Address::new(model.api, &model.name),
            failover: (!failover.url.is_empty()).then(|| Address::new(failover.api, &failover.name)),
        };
        Ok(Self { inner, accounts: Arc::new(accounts) })
    }

    async fn counted(&self, request: &ChatRequest) -> Result<ChatAnswer, ChatError> {
        let pending = Pending::begin(&self.accounts, request).await.inspect_err(|error| {
            gen_ai::failed(&Span::current(), error.kind());
        })?;
        let result = self.inner.metered(request, &pending).await;
        pending.settle(&result).await;
        result
    }
}

impl ChatModel for Counted {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let span = gen_ai::chat(&asked(&self.accounts.primary, &request.sampling));
        self.counted(request).instrument(span).boxed()
    }
}

fn asked<'a>(address: &'a Address, sampling: &Sampling) -> gen_ai::Asked<'a> {
    gen_ai::Asked {
        provider: address.provider,
        model: &address.model,
        temperature: sampling.temperature,
        max_tokens: sampling.max_tokens,
    }
}

impl Accounts {
    /// The address of that name; any other name is the first one's.
    fn address(&self, endpoint: &str) -> &Address {
        self.failover.as_ref().filter(|_| endpoint == FAILOVER).unwrap_or(&self.primary)
    }

    /// What tokens cost on the day of `at`, at the dearest of the addresses: either may come to be asked.
    fn at_most(&self, at: Timestamp, usage: &Usage) -> Micros {
        let addresses = std::iter::once(&self.primary).chain(&self.failover);
        addresses.map(|address| self.cost(&[&address.model], at, usage).amount).max().unwrap_or_default()
    }

    fn cost(&self, models: &[&str], at: Timestamp, usage: &Usage) -> Cost {
        self.prices.cost(models, at.to_zoned(helsinki()).date(), usage)
    }

    async fn reserve(&self, row: &ModelCall, most: Most) -> Result<Reservation, ChatError> {
        let payer = Payer { municipality: &row.municipality, case: row.case_id, month: Month::of(row.started_at) };
        self.budget.reserve(&*self.ledger, payer, most).await.map_err(|refused| {
            ChatError::Budget(match refused {
                Refused::Limit(why) => why,
                Refused::Unknown(error) => {
                    tracing::warn!(%error, "no model is asked: what was spent cannot be read: {error}");
                    "what was spent cannot be read, so nothing more is spent".to_owned()
                }
            })
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
    row: ModelCall,
    started: Instant,
    sampling: Sampling,
    /// What the request takes, estimated: for those whose answer nobody has.
    input: u64,
    most: Most,
    open: Mutex<Open>,
}

/// What was sent for a call, and what is reserved for it.
#[derive(Debug)]
struct Open {
    /// None once the row is handed over.
    reserved: Option<Vec<Reservation>>,
    sent: Vec<(&'static str, Arc<Sent>)>,
}

impl Meter for Pending {
    fn sends(&self, endpoint: &'static str) -> BoxFuture<'_, Result<Arc<Sent>, ChatError>> {
        async move {
            // The first request is reserved for before the call begins.
            if !self.open().sent.is_empty() {
                let another = self.accounts.reserve(&self.row, Most { calls: 0, ..self.most }).await?;
                self.open().reserved.get_or_insert_default().push(another);
            }
            let sent = Arc::<Sent>::default();
            self.open().sent.push((endpoint, Arc::clone(&sent)));
            Ok(sent)
        }
        .boxed()
    }
}

impl Pending {
    /// Reserves for one request.
    async fn begin(accounts: &Arc<Accounts>, request: &ChatRequest) -> Result<Self, ChatError> {
        let Purpose { municipality, case, step, prompt, prompt_hash } = request.purpose.clone();
        let row = ModelCall {
            id: ModelCallId::new(accounts.ambient.id()),
            municipality,
            case_id: case,
            step: step.to_owned(),
            prompt,
            prompt_hash,
            model: accounts.primary.model.clone(),
            endpoint: None,
            started_at: accounts.ambient.now(),
            latency: Duration::ZERO,
            attempts: None,
            input_tokens: 0,
            cached_tokens: 0,
            output_tokens: 0,
            estimated: false,
            cost: Micros::ZERO,
            currency: accounts.prices.currency().to_owned(),
            cost_known: true,
            finish: None,
            outcome: "cancelled".to_owned(),
        };
        let input = estimated_tokens(request);
        let usage = Usage { input, output: request.sampling.max_tokens.into(), ..Usage::default() };
        let most = Most { calls: 1, tokens: usage.total(), cost: accounts.at_most(row.started_at, &usage) };
        let reserved = Some(vec![accounts.reserve(&row, most).await?]);
        Ok(Self {
            accounts: Arc::clone(accounts),
            row,
            started: Instant::now(),
            sampling: request.sampling,
            input,
            most,
            open: Mutex::new(Open { reserved, sent: Vec::new() }),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Lists that are only added to.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what came.
    async fn settle(mut self, result: &Result<ChatAnswer, ChatError>) {
        let error = match result {
            Ok(answer) => {
                self.answered(answer);
                None
            }
            Err(error) => {
                error.kind().clone_into(&mut self.row.outcome);
                Some(error.kind())
            }
        };
        if let Some(written) = self.hand_over(error) {
            let _ended = written.await;
        }
    }

    fn answered(&mut self, answer: &ChatAnswer) {
        let row = &mut self.row;
        row.endpoint = name(&answer.endpoint);
        row.attempts = Some(answer.attempts);
        row.finish = Some(answer.finish.as_str().to_owned());
        let outcome = if answer.refusal.is_some() { "refusal" } else { "answered" };
        outcome.clone_into(&mut row.outcome);
        let configured = &self.accounts.address(&answer.endpoint).model;
        row.model = name(&answer.model).unwrap_or_else(|| configured.clone());
        // What comes from a cassette costs nothing.
        let cost = (answer.endpoint != cassette::ENDPOINT)
            .then(|| self.accounts.cost(&[&row.model, configured], row.started_at, &answer.usage));
        add(row, &answer.usage, cost);
    }

    /// Adds the requests that were read and whose answer nobody has.
    fn owe(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (endpoint, sent) in &open.sent {
            let Some(pieces) = sent.owed() else { continue };
            let output = pieces.min(self.sampling.max_tokens.into());
            let usage = Usage { input: self.input, cached: 0, output, estimated: true };
            let cost = self.accounts.cost(&[&self.accounts.address(endpoint).model], self.row.started_at, &usage);
            add(&mut self.row, &usage, Some(cost));
        }
    }

    /// Tells span and metrics, and leaves the row to a task; none when it is done already.
    fn hand_over(&mut self, error: Option<&'static str>) -> Option<tokio::task::JoinHandle<()>> {
        let reserved = self.open().reserved.take()?;
        self.row.latency = self.started.elapsed();
        self.owe();
        let (mut row, accounts) = (self.row.clone(), Arc::clone(&self.accounts));
        // The address that answered, or was asked last.
        let last = self.open().sent.last().map(|(endpoint, _)| *endpoint);
        let address = accounts.address(row.endpoint.as_deref().or(last).unwrap_or(PRIMARY));
        if row.endpoint.is_none() {
            row.model.clone_from(&address.model);
        }
        let came = gen_ai::Came {
            model: row.endpoint.is_some().then_some(row.model.as_str()),
            finish: row.finish.as_deref(),
            error,
            input: row.input_tokens,
            cached: row.cached_tokens,
            output: row.output_tokens,
            latency: row.latency,
        };
        gen_ai::ended(&Span::current(), &asked(address, &self.sampling), &came);
        gen_ai::paid(&address.model, accounts.prices.currency(), row.cost.millionths());
        Some(tokio::spawn(write_down(accounts, row, reserved)))
    }
}

/// Writes a row down; what was reserved goes when it is there. What cannot be written now is left to a task of its own.
async fn write_down(accounts: Arc<Accounts>, row: ModelCall, mut reserved: Vec<Reservation>) {
    let Err(error) = accounts.ledger.record(row.clone()).await else { return };
    let id = row.id;
    tracing::error!(call = %id, %error, "model call {id} is not in the accounts yet: {error}");
    // The first one stands for the whole call from now on.
    reserved.truncate(1);
    let Some(mut reservation) = reserved.pop() else { return };
    let tokens = row.input_tokens.saturating_add(row.output_tokens);
    reservation.took(Most { calls: 1, tokens, cost: row.cost });
    tokio::spawn(write_later(accounts, row, error, reservation));
}

/// Tries again until the row is there, the process ends, or it shows that it cannot be written at all: then what it took
/// stays reserved.
async fn write_later(accounts: Arc<Accounts>, row: ModelCall, error: storage::Error, reservation: Reservation) {
    let (id, mut error, mut wait) = (row.id, error, FIRST_WAIT);
    while error.is_transient() {
        sleep(wait).await;
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        match accounts.ledger.record(row.clone()).await {
            Ok(()) => {
                tracing::info!(call = %id, "model call {id} is in the accounts now");
                return;
            }
            Err(again) => error = again,
        }
    }
    tracing::error!(call = %id, %error, "model call {id} cannot be in the accounts: {error}");
    reservation.keep();
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Without a runtime the process is ending; nobody is left to write.
        if tokio::runtime::Handle::try_current().is_ok() {
            drop(self.hand_over(Some("cancelled")));
        }
    }
}

/// Adds to a row what a request took.
fn add(row: &mut ModelCall, usage: &Usage, cost: Option<Cost>) {
    row.input_tokens = row.input_tokens.saturating_add(usage.input);
    row.cached_tokens = row.cached_tokens.saturating_add(usage.cached);
    row.output_tokens = row.output_tokens.saturating_add(usage.output);
    row.estimated |= usage.estimated;
    if let Some(cost) = cost {
        row.cost = row.cost.plus(cost.amount);
        row.cost_known &= cost.known;
    }
}

/// A name that a server gave, cut down to what a model may be called; none when nothing is left.
fn name(given: &str) -> Option<String> {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.:/@".contains(*c);
    let name: String = given.chars().filter(plain).take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}
