//! The words of a conversation with a language model: a request, an answer, and why there is none.
//!
//! Every text of a request is [`Masked`]: what names or identifies a person cannot be put into one. Errors carry no
//! content, neither what was sent nor what came back. [`ChatModel`] is the one door: an address, the one that retries,
//! the one that counts, a cassette and a scripted model in a test all stand behind it.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;

use super::masking::Masked;
use super::meter::Meter;
use crate::cases::{CaseId, MunicipalityId};

/// The first address of the settings.
pub const PRIMARY: &str = "primary";
/// The second one, behind it.
pub const FAILOVER: &str = "failover";

/// Anything that answers a conversation.
pub trait ChatModel: Send + Sync + std::fmt::Debug {
    /// One answer. May take long and may fail; never panics.
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>>;

    /// The same, telling `meter` of every request that is sent for it: one, unless a model knows better.
    fn metered<'a>(
        &'a self,
        request: &'a ChatRequest,
        meter: &'a dyn Meter,
    ) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        async move {
            let sent = meter.sends(PRIMARY).await?;
            let result = self.chat(request).await;
            sent.ended(&result);
            result
        }
        .boxed()
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// What it is for; never sent.
    pub purpose: Purpose,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The tools that the model may ask for; all of them only read.
    pub tools: Vec<Tool>,
    /// The form of the answer, where it must have one.
    pub output: Option<OutputForm>,
    /// How it is drawn.
    pub sampling: Sampling,
}

/// What a request is for: for budgets, accounts, spans and logs. Ids and versions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// The municipality that pays.
    pub municipality: MunicipalityId,
    /// The case, outside dry runs.
    pub case: Option<CaseId>,
    /// The step of the pipeline, or `summarise`, `translate-check`.
    pub step: &'static str,
    /// The prompt, `compose-decision@1`.
    pub prompt: String,
    /// Hash of the prompt's file.
    pub prompt_hash: String,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Our instructions.
    System(Masked<String>),
    /// What the instructions are to be applied to.
    User(Masked<String>),
    /// What the model said before.
    Assistant {
        /// Its words.
        content: Option<Masked<String>>,
        /// What it asked for.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool gave.
    Tool {
        /// Which call it answers.
        call_id: String,
        /// The result.
        content: Masked<String>,
    },
}

/// A tool that a model may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// Its name, `search_policy` for example.
    pub name: String,
    /// What it gives, for the model.
    pub description: String,
    /// Strict JSON schema of its arguments.
    pub parameters: Value,
}

/// A model's wish to use a tool. Arguments are a stranger's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Its id within the conversation.
    pub id: String,
    /// The tool that was named; it may not exist.
    pub name: String,
    /// JSON text as it came; it may be none.
    pub arguments: String,
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputForm {
    /// A name for the schema.
    pub name: String,
    /// How the address is asked for it.
    pub mode: OutputMode,
    /// The strict JSON schema.
    pub schema: Value,
}

/// How an address is asked for a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputMode {
    /// `response_format: json_schema`, strict.
    JsonSchema,
    /// `response_format: json_object`; the schema stands in the prompt.
    JsonObject,
    /// No `response_format`; the schema stands in the prompt.
    Text,
}

/// How an answer is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// 0 is the most probable answer each time.
    pub temperature: f32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
    /// The same seed gives the same draw where the address heeds it.
    pub seed: Option<i64>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAnswer {
    /// The words; none or empty when tools are asked for.
    pub content: Option<String>,
    /// That the model refused, in its words.
    pub refusal: Option<String>,
    /// The tools it asks for.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ended.
    pub finish: Finish,
    /// What it took.
    pub usage: Usage,
    /// The model as the address named it.
    pub model: String,
    /// Which address answered: [`PRIMARY`] or [`FAILOVER`], `cassette`, or the name of a scripted one.
    pub endpoint: String,
    /// Attempts until it came, from 1.
    pub attempts: u32,
    /// From the first attempt to the end of the answer.
    pub latency: Duration,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// It was complete.
    Stop,
    /// The most tokens were reached: it is cut off.
    Length,
    /// Tools are asked for.
    ToolCalls,
    /// A filter of the provider cut it off.
    ContentFilter,
    /// A word that only this address knows (`eos`).
    Other(String),
}

impl Finish {
    /// The word for accounts and spans; what only one address knows is `other`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Other(_) => "other",
        }
    }
}

/// Tokens of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read, cached ones included.
    pub input: u64,
    /// Of these, read from the provider's prompt cache.
    pub cached: u64,
    /// Written.
    pub output: u64,
    /// Whether we counted them ourselves because the address did not say.
    pub estimated: bool,
}

impl Usage {
    /// Read and written.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// Why there is no answer. Never any content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// Nobody listens there, or the connection broke before an answer began.
    #[error("the model cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("the model took too long ({0})")]
    Timeout(TimeLimit),
    /// Too many requests or tokens a minute.
    #[error("the model asks to wait")]
    RateLimited {
        /// How long, when it said so.
        retry_after: Option<Duration>,
    },
    /// The provider's quota is used up: waiting does not help.
    #[error("the quota at the model's provider is used up")]
    Quota,
    /// The key is refused.
    #[error("the model refuses the key")]
    Unauthorized,
    /// The request is longer than the model can read.
    #[error("the request is longer than the model can read")]
    TooLong,
    /// The request is refused, for example because the address does not know `json_schema`.
    #[error("the model refuses the request ({status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The provider's error code, when it is a plain word.
        code: Option<String>,
    },
    /// A fault at the provider.
    #[error("a fault at the model's provider ({status})")]
    Fault {
        /// HTTP status.
        status: u16,
        /// How long to wait, when it said so.
        retry_after: Option<Duration>,
    },
    /// What came is not what an OpenAI-compatible address sends.
    #[error("the model's answer cannot be read")]
    Malformed,
    /// The answer broke off in its middle.
    #[error("the model's answer broke off")]
    Cut,
    /// The address failed so often that it is left alone for a while.
    #[error("the model is left alone after failures in a row")]
    LeftAlone,
    /// A budget is used up.
    #[error("the budget is used up: {0}")]
    Budget(String),
    /// Nothing is recorded for this request.
    #[error("no recorded call fits: {first_difference}")]
    NotRecorded {
        /// The first field that differs from the nearest recorded call.
        first_difference: String,
    },
}

/// Which limit of time was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// To connect.
    Connect,
    /// Silence within an answer.
    Stall,
    /// One attempt.
    Attempt,
    /// All attempts of a call.
    Total,
}

impl std::fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "to connect",
            Self::Stall => "silence within an answer",
            Self::Attempt => "one attempt",
            Self::Total => "all attempts",
        })
    }
}

impl ChatError {
    /// One word for accounts, metrics and the `error.type` of a span.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout(TimeLimit::Stall) => "stall",
            Self::Timeout(_) => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Quota => "quota",
            Self::Unauthorized => "unauthorized",
            Self::TooLong => "too_long",
            Self::Refused { .. } => "refused",
            Self::Fault { .. } => "fault",
            Self::Malformed => "malformed",
            Self::Cut => "cut",
            Self::LeftAlone => "left_alone",
            Self::Budget(_) => "budget",
            Self::NotRecorded { .. } => "not_recorded",
        }
    }

    /// Whether the request was read before it failed, and is paid for.
    #[must_use]
    pub const fn was_read(&self) -> bool {
        matches!(
            self,
            Self::Timeout(TimeLimit::Stall | TimeLimit::Attempt | TimeLimit::Total) | Self::Malformed | Self::Cut
        )
    }

    /// Whether it says something about this request, which would be refused on any other day, too: its length, its form,
    /// what stands in it. All else says something about the address, the key or the day.
    #[must_use]
    pub const fn is_of_the_request(&self) -> bool {
        match self {
            Self::TooLong | Self::Fault { status: 501, .. } => true,
            Self::Refused { status, .. } => !matches!(status, 401..=404),
            _ => false,
        }
    }

    /// Whether the same request may succeed a little later at the same address.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::Timeout(_)
                | Self::RateLimited { .. }
                | Self::Fault { .. }
                | Self::Malformed
                | Self::Cut
        )
    }
}
