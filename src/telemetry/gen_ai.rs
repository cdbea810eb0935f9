//! OpenTelemetry's conventions for generative models, as constants and spans of our own: the published ones still change their home.
//!
//! A span or metric tells which model, how many tokens, how long, and the kind of error. It never tells what was sent,
//! what came back, or a tool's arguments. Words that a server chose (the model's name in an answer) are cut down before
//! they come here, and they are no labels of metrics.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};
use tracing::Span;
use tracing::field::Empty;

/// What was done: `chat`, `execute_tool`, `invoke_agent`.
pub const OPERATION: &str = "gen_ai.operation.name";
/// Who runs the model: `openai`, `azure.ai.openai`.
pub const PROVIDER: &str = "gen_ai.provider.name";
/// The model that was asked for.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// Sampling temperature.
pub const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
/// Most tokens of the answer.
pub const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// The model that answered.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// Why the answer ended.
pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// Tokens read, cached ones included.
pub const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Of these, read from the provider's cache.
pub const CACHED_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
/// Tokens written.
pub const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// The tool.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// The agent.
pub const AGENT_NAME: &str = "gen_ai.agent.name";
/// The kind of error.
pub const ERROR_TYPE: &str = "error.type";

/// `gen_ai.client.token.usage`: tokens of a call, by model and `gen_ai_token_type` (`input`, `output`).
pub const TOKEN_USAGE: &str = "gen_ai_client_token_usage";
/// `gen_ai.client.operation.duration`: time of a call with all its attempts, by model and kind of error.
pub const OPERATION_SECONDS: &str = "gen_ai_client_operation_duration_seconds";
/// What calls cost, in millionths of the currency that a label names.
pub const COST: &str = "vireille_model_cost_millionths_total";
/// Steps that the offline engine did although a model was asked for, by step and kind of reason.
pub const FALLBACKS: &str = "vireille_model_fallbacks_total";

/// Upper bounds of the buckets for tokens, as the conventions advise.
pub(super) const TOKEN_BUCKETS: &[f64] =
    &[1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0];
/// Upper bounds of the buckets for the time of a call, seconds, as the conventions advise.
pub(super) const SECONDS_BUCKETS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68];

/// HELP and TYPE lines.
pub(super) fn describe() {
    describe_histogram!(TOKEN_USAGE, "Tokens of one call of a language model, by model and input or output.");
    describe_histogram!(OPERATION_SECONDS, Unit::Seconds, "Time of a call of a language model with all its attempts.");
    describe_counter!(COST, "What language models cost, in millionths of the currency.");
    describe_counter!(
        FALLBACKS,
        "Steps that the offline engine did although a model was asked for, by step and reason."
    );
}

/// What a call is made with: of the first address before it, of the one that answered or was asked last after it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Who runs the model.
    pub provider: &'static str,
    /// The model of the settings.
    pub model: &'a str,
    /// Sampling temperature.
    pub temperature: f32,
    /// Most tokens of the answer.
    pub max_tokens: u32,
}

/// What came of a call.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// The model that answered, cut down to what a model may be called.
    pub model: Option<&'a str>,
    /// Why the answer ended.
    pub finish: Option<&'a str>,
    /// The kind of error.
    pub error: Option<&'static str>,
    /// Tokens read, cached ones included.
    pub input: u64,
    /// Of these, from the provider's cache.
    pub cached: u64,
    /// Tokens written.
    pub output: u64,
    /// From the first attempt to the end.
    pub latency: Duration,
}

/// The span of one call of a model: `chat {model}`. Who ran the model is told at its end.
#[must_use]
pub fn chat(asked: &Asked<'_>) -> Span {
    tracing::info_span!(
        "chat",
        otel.name = format!("chat {}", asked.model),
        otel.kind = "client",
        otel.status_code = Empty,
        { OPERATION } = "chat",
        { PROVIDER } = Empty,
        { REQUEST_MODEL } = asked.model,
        { REQUEST_TEMPERATURE } = f64::from(asked.temperature),
        { REQUEST_MAX_TOKENS } = asked.max_tokens,
        { RESPONSE_MODEL } = Empty,
        { FINISH_REASONS } = Empty,
        { INPUT_TOKENS } = Empty,
        { CACHED_TOKENS } = Empty,
        { OUTPUT_TOKENS } = Empty,
        { ERROR_TYPE } = Empty,
    )
}

/// The span of one use of a tool: `execute_tool {name}`. The name is one of ours, never one that a model made up.
#[must_use]
pub fn execute_tool(name: &'static str) -> Span {
    tracing::info_span!(
        "execute_tool",
        otel.name = format!("execute_tool {name}"),
        otel.kind = "internal",
        otel.status_code = Empty,
        { OPERATION } = "execute_tool",
        { TOOL_NAME } = name,
        { ERROR_TYPE } = Empty,
    )
}

/// The span of one loop of the agent: `invoke_agent {name}`.
#[must_use]
pub fn invoke_agent(name: &'static str) -> Span {
    tracing::info_span!(
        "invoke_agent",
        otel.name = format!("invoke_agent {name}"),
        otel.kind = "internal",
        otel.status_code = Empty,
        { OPERATION } = "invoke_agent",
        { AGENT_NAME } = name,
        { ERROR_TYPE } = Empty,
    )
}

/// Marks a span as failed.
pub fn failed(span: &Span, kind: &'static str) {
    span.record(ERROR_TYPE, kind);
    span.record("otel.status_code", "ERROR");
}

/// Notes what came of a call, in its span and in the metrics.
pub fn ended(span: &Span, asked: &Asked<'_>, came: &Came<'_>) {
    span.record(PROVIDER, asked.provider);
    if let Some(model) = came.model {
        span.record(RESPONSE_MODEL, model);
    }
    if let Some(finish) = came.finish {
        span.record(FINISH_REASONS, finish);
    }
    span.record(INPUT_TOKENS, came.input);
    span.record(CACHED_TOKENS, came.cached);
    span.record(OUTPUT_TOKENS, came.output);
    if let Some(kind) = came.error {
        failed(span, kind);
    }
    let model = asked.model.to_owned();
    for (kind, tokens) in [("input", came.input), ("output", came.output)] {
        histogram!(TOKEN_USAGE, "gen_ai_operation_name" => "chat", "gen_ai_request_model" => model.clone(),
            "gen_ai_token_type" => kind)
        .record(f64::from(u32::try_from(tokens).unwrap_or(u32::MAX)));
    }
    histogram!(OPERATION_SECONDS, "gen_ai_operation_name" => "chat", "gen_ai_request_model" => model,
        "error_type" => came.error.unwrap_or("none"))
    .record(came.latency.as_secs_f64());
}

/// Counts what a call cost.
pub fn paid(model: &str, currency: &str, millionths: i64) {
    counter!(COST, "gen_ai_request_model" => model.to_owned(), "currency" => currency.to_owned())
        .increment(u64::try_from(millionths).unwrap_or(0));
}

/// Counts a step that the offline engine did although a model was asked for. `reason` is a word of ours: the kind of an
/// error, or `checks` when what the model wrote did not hold.
pub fn fell_back(step: &'static str, reason: &'static str) {
    counter!(FALLBACKS, "step" => step, "reason" => reason).increment(1);
}
