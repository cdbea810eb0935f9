//! One attempt at one address.
//!
//! The request and the address (path, query, key, Azure's way) are async-openai's; the transport is reqwest. Its own
//! transport cannot be used here: it writes bodies that it cannot read into the log, loses `Retry-After` and the bodies
//! of errors that are no JSON, hides whether a stream ended with `[DONE]` or was cut, reads ahead without bound, and
//! panics on a byte-order mark. Nothing here retries; [`super::resilient`] does.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_openai::config::{AzureConfig, Config, OpenAIConfig};
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, Url};
use tokio::time::{Instant, timeout};

use super::StartFault;
use super::refusal::{Refusal, refusal};
use super::resilient::Attempt;
use super::sse::{Events, NotText};
use super::wire::{self, Gathered, Habits, Piece, TooMuch};
use crate::clock::Ambient;
use crate::config::ModelApi;
use crate::model::chat::{ChatAnswer, ChatError, ChatRequest, TimeLimit};
use crate::model::count;
use crate::model::meter::Sent;

/// Longest answer, bytes on the wire. A streamed token takes some 300.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// As much of a refusal is read, bytes.
const MAX_REFUSAL: usize = 64 * 1024;
/// More optional parameters there are not.
const MAX_HABITS: usize = 5;

/// How an address is spoken to. It holds the key, and therefore has no `Debug`.
pub(super) struct Address<'a> {
    /// The section of the settings, for faults.
    pub(super) section: &'static str,
    pub(super) url: &'a str,
    pub(super) api: ModelApi,
    pub(super) api_version: &'a str,
    pub(super) key: &'a str,
    pub(super) model: &'a str,
}

/// One address.
pub(super) struct Endpoint {
    /// `primary` or `failover`.
    name: &'static str,
    http: reqwest::Client,
    url: Url,
    headers: HeaderMap,
    model: String,
    stall: Duration,
    habits: Mutex<Habits>,
    ambient: Ambient,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // An address may hold a password.
        f.debug_struct("Endpoint").field("name", &self.name).field("model", &self.model).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Speaks to an address by `http`; `stall` is the longest silence within an answer.
    pub(super) fn new(
        name: &'static str,
        http: reqwest::Client,
        address: &Address<'_>,
        stall: Duration,
        ambient: Ambient,
    ) -> Result<Self, StartFault> {
        if address.model.is_empty() {
            return Err(StartFault::Name(address.section));
        }
        // async-openai panics on such a key.
        if HeaderValue::from_str(address.key).is_err() {
            return Err(StartFault::Key(address.section));
        }
        let base = Url::parse(address.url).map_err(|_| StartFault::Address(address.section))?;
        let base = base.as_str().trim_end_matches('/');
        let (url, query, mut headers) = match address.api {
            ModelApi::Openai => {
                // The empty ones keep what stands in the environment out of the headers.
                let config = OpenAIConfig::new().with_org_id("").with_project_id("");
                parts(&config.with_api_base(base).with_api_key(address.key))
            }
            ModelApi::Azure => parts(
                &AzureConfig::new()
                    .with_api_base(base)
                    .with_api_version(address.api_version)
                    .with_deployment_id(address.model)
                    .with_api_key(address.key),
            ),
        };
        let mut url = Url::parse(&url).map_err(|_| StartFault::Address(address.section))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        // Without a key there is no header for one; with one it is never shown.
        if address.key.is_empty() {
            headers.clear();
        }
        headers.values_mut().for_each(|value| value.set_sensitive(true));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self { name, http, url, headers, model: address.model.to_owned(), stall, habits: Mutex::default(), ambient })
    }

    /// Asks until the address takes the request or refuses what cannot be left out. What it refused once it is not
    /// asked for again.
    async fn ask(&self, request: &ChatRequest, sent: &Sent) -> Result<ChatAnswer, ChatError> {
        let started = Instant::now();
        let known = *self.habits();
        let mut habits = known;
        for _ in 0..=MAX_HABITS {
            let response = self.send(wire::body(request, &self.model, habits)).await?;
            if response.status().is_success() {
                if habits != known {
                    *self.habits() = habits;
                }
                let gathered = self.gather(response, sent).await?;
                if !gathered.counted() {
                    count::load().await;
                }
                return Ok(self.answer(gathered, request, started));
            }
            let refusal = self.refused(response).await;
            match refusal.parameter.and_then(|parameter| habits.without(parameter)) {
                Some(changed) => habits = changed,
                None => return Err(refusal.error),
            }
        }
        Err(ChatError::Malformed)
    }

    fn habits(&self) -> std::sync::MutexGuard<'_, Habits> {
        // Plain flags: they are whole even after a panic.
        self.habits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, body: Vec<u8>) -> Result<Response, ChatError> {
        let request = self.http.post(self.url.clone()).headers(self.headers.clone()).body(body);
        // The error itself names the address; it goes no further.
        request.send().await.map_err(|error| {
            let slow = error.is_connect() && error.is_timeout();
            if slow { ChatError::Timeout(TimeLimit::Connect) } else { ChatError::Unreachable }
        })
    }

    /// A refusal's first bytes say enough, and what breaks off or stalls says nothing more.
    async fn refused(&self, mut response: Response) -> Refusal {
        let mut body = Vec::new();
        while body.len() < MAX_REFUSAL
            && let Ok(Ok(Some(bytes))) = timeout(self.stall, response.chunk()).await
        {
            body.extend_from_slice(&bytes);
        }
        refusal(response.status().as_u16(), response.headers(), &body, self.ambient.now())
    }

    /// Reads an answer, streamed or whole: its first character tells, whatever its content type says.
    async fn gather(&self, mut response: Response, sent: &Sent) -> Result<Gathered, ChatError> {
        let type_ = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let mut reader = Reader { has_events: type_.starts_with(b"text/event-stream"), ..Reader::default() };
        let mut read = 0;
        loop {
            let bytes = match timeout(self.stall, response.chunk()).await {
                Ok(Ok(Some(bytes))) => bytes,
                Err(_) if !reader.gathered.finished() => return Err(ChatError::Timeout(TimeLimit::Stall)),
                // Whether the connection broke is told by what is missing: after its last piece an answer is whole.
                Ok(Ok(None) | Err(_)) | Err(_) => return reader.end(),
            };
            read += bytes.len();
            if read > MAX_ANSWER {
                return Err(ChatError::Malformed);
            }
            let complete = reader.push(&bytes);
            sent.brought(reader.pieces);
            if complete? {
                return reader.end();
            }
        }
    }

    fn answer(&self, gathered: Gathered, request: &ChatRequest, started: Instant) -> ChatAnswer {
        let parts = gathered.into_parts(request, &self.model);
        ChatAnswer {
            content: parts.content,
            refusal: parts.refusal,
            tool_calls: parts.tool_calls,
            finish: parts.finish,
            usage: parts.usage,
            model: parts.model.unwrap_or_else(|| self.model.clone()),
            endpoint: self.name.to_owned(),
            attempts: 1,
            latency: started.elapsed(),
        }
    }
}

impl Attempt for Endpoint {
    fn attempt<'a>(&'a self, request: &'a ChatRequest, sent: &'a Sent) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        Box::pin(self.ask(request, sent))
    }
}

/// Path, query and headers of a chat.
fn parts(config: &dyn Config) -> (String, Vec<(String, String)>, HeaderMap) {
    let query = config.query().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    (config.url("/chat/completions"), query, config.headers())
}

/// An answer as its bytes come.
#[derive(Debug, Default)]
struct Reader {
    form: Form,
    gathered: Gathered,
    /// Whether the head said that events come, or one came.
    has_events: bool,
    /// Pieces that were taken.
    pieces: u64,
    /// Whether the stream said that it is complete.
    done: bool,
}

/// How an answer comes.
#[derive(Debug, Default)]
enum Form {
    /// Nothing came yet.
    #[default]
    Unknown,
    /// One JSON object.
    Whole(Vec<u8>),
    /// Events.
    Streamed(Events),
}

impl Form {
    /// What begins with a brace is an object; the rest is events, or nothing.
    fn of(bytes: &[u8]) -> Self {
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => Self::Unknown,
            Some(b'{') => Self::Whole(Vec::new()),
            Some(_) => Self::Streamed(Events::default()),
        }
    }
}

impl Reader {
    /// Takes the next bytes; tells whether the answer is complete.
    fn push(&mut self, bytes: &[u8]) -> Result<bool, ChatError> {
        if let Form::Unknown = self.form {
            self.form = Form::of(bytes);
        }
        match &mut self.form {
            Form::Unknown => {}
            Form::Whole(body) => body.extend_from_slice(bytes),
            Form::Streamed(events) => {
                events.push(bytes);
                let new: Vec<_> = std::iter::from_fn(|| events.next()).collect();
                for data in new {
                    self.event(&data.map_err(|NotText| ChatError::Malformed)?)?;
                }
            }
        }
        Ok(self.done)
    }

    fn event(&mut self, data: &str) -> Result<(), ChatError> {
        self.has_events = true;
        if self.done {
            return Ok(());
        }
        if data.trim() == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        self.take(serde_json::from_str(data).map_err(|_| ChatError::Malformed)?)
    }

    fn take(&mut self, piece: Piece) -> Result<(), ChatError> {
        if let Some(error) = &piece.error {
            return Err(error.without_status());
        }
        self.pieces += 1;
        self.gathered.take(piece).map_err(|TooMuch| ChatError::Malformed)
    }

    /// No more bytes come.
    fn end(mut self) -> Result<Gathered, ChatError> {
        match std::mem::take(&mut self.form) {
            // The head came and nothing after it.
            Form::Unknown => return Err(ChatError::Cut),
            Form::Whole(body) => {
                // JSON that ends too early was cut; other faults are not.
                let piece = serde_json::from_slice(&body)
                    .map_err(|error| if error.is_eof() { ChatError::Cut } else { ChatError::Malformed })?;
                self.take(piece)?;
                self.done = true;
            }
            Form::Streamed(events) => {
                if let Some(rest) = events.rest() {
                    // Half a piece is no piece: what is missing shows below.
                    let _half = self.event(&rest);
                }
                if !self.has_events {
                    return Err(ChatError::Malformed);
                }
            }
        }
        if !self.done && !self.gathered.finished() {
            return Err(ChatError::Cut);
        }
        if self.gathered.begun { Ok(self.gathered) } else { Err(ChatError::Malformed) }
    }
}
