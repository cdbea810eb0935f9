//! Settings of the language model, its budgets, and the search. `config/default.toml` says what each key means.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::Secret;

/// Who proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The trained classifier, patterns and letter blocks.
    Offline,
    /// A language model behind an OpenAI-compatible address, with the offline engine as its fallback.
    Openai,
}

/// How an address is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// `POST {url}/chat/completions` with a bearer key.
    Openai,
    /// Azure: deployments in the path, `api-version` in the query, `api-key` in the header.
    Azure,
}

/// How answers get their form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Structured {
    /// The strictest form that the address takes, remembered for each address.
    Auto,
    /// Strict JSON schema.
    JsonSchema,
    /// JSON mode, with the schema in the prompt.
    JsonObject,
    /// Plain words, with the schema in the prompt.
    Text,
}

/// Whether calls are recorded or replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum CassetteMode {
    /// Neither.
    Off,
    /// Every call is made and recorded.
    Record,
    /// No call is made; what is not recorded is an error.
    Replay,
    /// Recorded calls are replayed, others made and recorded.
    Auto,
}

/// The language model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Who proposes.
    pub engine: EngineChoice,
    /// The address, with its version.
    pub url: String,
    /// How it is spoken to.
    pub api: Api,
    /// Azure only.
    pub api_version: String,
    /// The key; empty where none is asked for.
    pub key: Secret,
    /// The model.
    pub name: String,
    /// How answers get their form.
    pub structured: Structured,
    /// Folder of the prompts.
    pub prompts: PathBuf,
    /// Longest time to connect, seconds.
    pub connect_timeout_seconds: u32,
    /// Longest silence within an answer, seconds.
    pub stall_timeout_seconds: u32,
    /// Longest attempt, seconds.
    pub attempt_timeout_seconds: u32,
    /// Longest call with all its attempts, seconds.
    pub total_timeout_seconds: u32,
    /// Attempts at one address.
    pub attempts: u32,
    /// When a second request is sent beside a silent first, milliseconds; 0: never.
    pub hedge_after_milliseconds: u32,
    /// Calls in flight.
    pub concurrency: u32,
    /// Requests a minute; 0: no limit.
    pub requests_per_minute: u32,
    /// Tokens a minute; 0: no limit.
    pub tokens_per_minute: u32,
    /// Failures in a row after which an address is left alone.
    pub breaker_failures: u32,
    /// For how long, seconds.
    pub breaker_pause_seconds: u32,
    /// Answers of the model in one loop of the agent.
    pub max_steps: u32,
    /// Tool calls in one loop of the agent.
    pub max_tool_calls: u32,
    /// Folder of recorded calls; empty: none.
    pub cassettes: PathBuf,
    /// Whether calls are recorded or replayed.
    pub cassette_mode: CassetteMode,
    /// Part of the key of a recorded call.
    pub cassette_epoch: u32,
}

/// A second address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failover {
    /// The address; empty: none.
    pub url: String,
    /// How it is spoken to.
    pub api: Api,
    /// Azure only.
    pub api_version: String,
    /// The key.
    pub key: Secret,
    /// The model.
    pub name: String,
}

/// What a model may cost. 0 means no limit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Calls for one case.
    pub case_calls: u32,
    /// Tokens, in and out, for one case.
    pub case_tokens: u64,
    /// Time with the model for one case, seconds.
    pub case_seconds: u32,
    /// Cost of one case, decimal, in the currency of the price file.
    pub case_cost: String,
    /// Tokens of one municipality in a month.
    pub month_tokens: u64,
    /// Cost of one municipality in a month.
    pub month_cost: String,
    /// A price file; empty: the one compiled in.
    pub prices: PathBuf,
}

/// Which index answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SearchBackend {
    /// An exact index in memory.
    Embedded,
    /// A Qdrant cluster.
    Qdrant,
}

/// Where policies are searched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Which index answers.
    pub backend: SearchBackend,
    /// gRPC address of the cluster.
    pub url: String,
    /// Its key; empty where none is asked for.
    pub key: Secret,
    /// The alias that is searched.
    pub collection: String,
    /// Longest request, seconds.
    pub timeout_seconds: u32,
}

/// Dense vectors for the search.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// An address with `/embeddings`; empty: none.
    pub url: String,
    /// Its key.
    pub key: Secret,
    /// The model.
    pub name: String,
    /// Dimensions asked for; 0: as the model gives them.
    pub dimensions: u32,
    /// Texts in one request.
    pub batch: u32,
    /// Longest request, seconds.
    pub timeout_seconds: u32,
}

impl Model {
    /// Longest silence within an answer.
    #[must_use]
    pub const fn stall_timeout(&self) -> Duration {
        Duration::from_secs(self.stall_timeout_seconds as u64)
    }

    /// Longest attempt.
    #[must_use]
    pub const fn attempt_timeout(&self) -> Duration {
        Duration::from_secs(self.attempt_timeout_seconds as u64)
    }

    /// Longest call with all its attempts.
    #[must_use]
    pub const fn total_timeout(&self) -> Duration {
        Duration::from_secs(self.total_timeout_seconds as u64)
    }
}

impl Search {
    /// Longest request.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds as u64)
    }
}

/// What types alone do not say.
pub(super) fn check<'a>(text: &impl Fn(&str) -> &'a str, expect: &mut impl FnMut(&str, bool, &str, &str)) {
    let one_of = |key: &str, words: &[&str]| words.contains(&text(key));
    for (key, words) in [
        ("model.engine", &["offline", "openai"][..]),
        ("model.api", &["openai", "azure"]),
        ("failover.api", &["openai", "azure"]),
        ("model.structured", &["auto", "json_schema", "json_object", "text"]),
        ("model.cassette_mode", &["off", "record", "replay", "auto"]),
        ("search.backend", &["embedded", "qdrant"]),
    ] {
        expect(key, one_of(key, words), "is no word that we know", &format!("write one of {}", words.join(", ")));
    }
    for (key, may_be_empty) in [
        ("model.url", false),
        ("failover.url", true),
        ("embedding.url", true),
        ("search.url", false),
        ("log.otlp", true),
    ] {
        let url = text(key);
        let holds = url.starts_with("http://") || url.starts_with("https://") || (may_be_empty && url.is_empty());
        expect(key, holds, "is no address", "write for example https://api.openai.com/v1");
    }
    for key in ["budget.case_cost", "budget.month_cost"] {
        let holds = text(key).parse::<rust_decimal::Decimal>().is_ok_and(|cost| !cost.is_sign_negative());
        expect(key, holds, "is no amount", "write a decimal as text, for example \"0.50\"; \"0\" means no limit");
    }
    let records = text("model.cassette_mode") == "off" || !text("model.cassettes").is_empty();
    expect("model.cassettes", records, "is empty while calls are recorded or replayed", "name a folder");
}
