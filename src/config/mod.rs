//! Settings: compiled-in defaults ← a file ← the environment ← flags.
//!
//! `config/default.toml` documents every key where its default stands. Unknown keys and wrong values are
//! [`Fault`]s with their source, line and what to write instead. This is the one room that reads the
//! environment; everybody else is handed a [`Config`]. Nothing here prints a [`Secret`].

mod env_file;
mod layers;
mod model;
mod secret;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{AddrParseError, IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::cases::MunicipalityId;

pub use model::{
    Api as ModelApi, Budget, CassetteMode, Embedding, EngineChoice, Failover, Model, Search, SearchBackend, Structured,
};
pub use secret::Secret;

/// The defaults, with their documentation: what `config default` prints.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The settings file that is read from the working directory when none is named.
pub const FILE: &str = "vireille.toml";

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where and how to listen.
    pub server: Server,
    /// The database.
    pub storage: Storage,
    /// The files that people write.
    pub policies: Policies,
    /// The pipeline's workers.
    pub work: Work,
    /// How files that came along are read.
    pub attachments: Attachments,
    /// The language model.
    pub model: Model,
    /// A second address for it.
    pub failover: Failover,
    /// What it may cost.
    pub budget: Budget,
    /// Where policies are searched.
    pub search: Search,
    /// Dense vectors for the search.
    pub embedding: Embedding,
    /// The queue of the handlers.
    pub review: Review,
    /// The JSON API.
    pub api: Api,
    /// Evaluations.
    pub evals: Evals,
    /// The pages.
    pub pages: Pages,
    /// Reports.
    pub reports: Reports,
    /// Logging.
    pub log: Log,
}

/// Where and how to listen.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Largest request body, bytes.
    pub max_body_bytes: usize,
    /// Longest request, seconds.
    pub request_timeout_seconds: u32,
    /// Longest wait for running work at a stop, seconds.
    pub drain_seconds: u32,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// `sqlite:…` or `postgres://…`.
    pub url: Secret,
}

/// The files that people write.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// The folder.
    pub dir: PathBuf,
    /// Where trained classifiers are kept; empty: nowhere.
    pub cache: PathBuf,
    /// How often the files are looked at while the service runs, seconds; 0: never.
    pub reload_seconds: u32,
    /// Whose a submission is that names no municipality.
    pub default_municipality: MunicipalityId,
}

/// The pipeline's workers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// How many in this process.
    pub workers: usize,
    /// Lease of a job, seconds.
    pub lease_seconds: u32,
    /// How often an idle worker looks, milliseconds.
    pub poll_milliseconds: u32,
    /// Cases in flight in one worker.
    pub in_flight: u32,
}

/// How files that came along are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachments {
    /// The program that reads them; empty: this one.
    pub program: PathBuf,
    /// Longest time for one file, seconds.
    pub timeout_seconds: u32,
    /// Memory for one file, megabytes.
    pub memory_megabytes: u32,
    /// Files read at a time in this process.
    pub at_once: u32,
}

/// The queue of the handlers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Lease of a claim, minutes.
    pub claim_minutes: u32,
    /// Share of cases that are judged before the proposal is seen, percent.
    pub blind_share: u32,
    /// What chooses them, with the case's id.
    pub blind_seed: String,
}

/// Evaluations.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evals {
    /// The folder that the API shows; empty or not there: no runs.
    pub folder: PathBuf,
    /// The private key that verdicts are signed with; empty: they are not signed.
    pub signing_key_file: PathBuf,
}

/// The JSON API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// How long an idempotent answer is kept, hours.
    pub idempotency_hours: u32,
    /// Rows a page.
    pub page_size: u32,
    /// Most rows a page.
    pub max_page_size: u32,
}

/// The pages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// Whether anybody at this machine may sign in as any person of the database, without a secret.
    pub local_sign_in: bool,
    /// How long a session lives without a request, minutes.
    pub session_minutes: u32,
    /// Attempts to sign in, a minute and an address.
    pub sign_ins_per_minute: u32,
    /// Forms sent by residents, a minute and an address.
    pub forms_per_minute: u32,
    /// Proxies whose `X-Forwarded-For` is believed, with commas between.
    pub trusted_proxies: String,
}

/// Reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reports {
    /// An approval within so many seconds of the first look is quick.
    pub quick_seconds: u32,
}

/// Logging.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Shape of a line.
    pub format: LogFormat,
    /// What is logged.
    pub filter: String,
    /// Where traces go by OTLP over HTTP; empty: nowhere.
    pub otlp: String,
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

impl Server {
    /// Longest request.
    #[must_use]
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds as u64)
    }

    /// Longest wait for running work at a stop.
    #[must_use]
    pub const fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds as u64)
    }
}

impl Policies {
    /// How often the files are looked at while the service runs; none: never.
    #[must_use]
    pub const fn reload(&self) -> Option<Duration> {
        match self.reload_seconds {
            0 => None,
            seconds => Some(Duration::from_secs(seconds as u64)),
        }
    }
}

impl Work {
    /// Lease of a job.
    #[must_use]
    pub const fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds as u64)
    }

    /// How often an idle worker looks.
    #[must_use]
    pub const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_milliseconds as u64)
    }
}

impl Attachments {
    /// Longest time for one file.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds as u64)
    }

    /// Memory for one file, bytes.
    #[must_use]
    pub const fn memory_bytes(&self) -> u64 {
        self.memory_megabytes as u64 * 1024 * 1024
    }
}

impl Review {
    /// Lease of a claim.
    #[must_use]
    pub const fn claim(&self) -> Duration {
        Duration::from_secs(self.claim_minutes as u64 * 60)
    }
}

impl Pages {
    /// How long a session lives without a request.
    #[must_use]
    pub const fn session(&self) -> Duration {
        Duration::from_secs(self.session_minutes as u64 * 60)
    }

    /// Proxies whose `X-Forwarded-For` is believed.
    #[must_use]
    pub fn trusted_proxies(&self) -> Vec<IpAddr> {
        proxies(&self.trusted_proxies).filter_map(Result::ok).collect()
    }
}

fn proxies(text: &str) -> impl Iterator<Item = Result<IpAddr, AddrParseError>> {
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::parse)
}

impl Api {
    /// How long an idempotent answer is kept.
    #[must_use]
    pub const fn idempotency(&self) -> Duration {
        Duration::from_secs(self.idempotency_hours as u64 * 3600)
    }
}

/// One thing that is wrong with the settings, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The file, environment variable or command line.
    pub source: String,
    /// Line in the file, from 1.
    pub line: Option<usize>,
    /// The setting as `section.key`.
    pub key: Option<String>,
    /// What is wrong. Never the value: it may be a secret.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.what, self.instead)
    }
}

/// Settings that cannot be used: every fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty(pub Vec<Fault>);

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faulty {}

/// The layers over the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The settings file; it must exist.
    pub file: Option<PathBuf>,
    /// The environment; only `VIREILLE__SECTION__KEY` counts.
    pub environment: Vec<(String, String)>,
    /// Flags as `section.key` and text.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// This process's environment and, when no file is named, `vireille.toml` if it is there.
    #[must_use]
    pub fn system(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let standing = Path::new(FILE);
        let file = file.or_else(|| standing.is_file().then(|| standing.to_owned()));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, environment, flags }
    }

    /// Adds the variables of a file of `NAME=value` lines; what the environment has already stays.
    ///
    /// # Errors
    /// [`Faulty`] with every faulty line, by its number and without what stands there.
    pub fn add_env_file(&mut self, path: &Path) -> Result<(), Faulty> {
        let fresh = env_file::read(path)?;
        // Of two lines with one name the last counts, as in a shell.
        for (name, value) in fresh.into_iter().rev() {
            if !self.environment.iter().any(|(known, _)| *known == name) {
                self.environment.push((name, value));
            }
        }
        Ok(())
    }
}

impl Config {
    /// The settings that these layers make.
    ///
    /// # Errors
    /// [`Faulty`] with every fault of every layer.
    pub fn load(sources: &Sources) -> Result<Self, Faulty> {
        let mut faults = Vec::new();
        let defaults = layers::defaults(DEFAULTS);
        let mut settings = defaults.clone();
        let mut own = BTreeSet::new();
        if let Some(path) = &sources.file {
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    own = layers::lay_file(&mut settings, path, &text, &mut faults);
                }
                Err(error) => faults.push(Fault {
                    source: path.display().to_string(),
                    line: None,
                    key: None,
                    what: format!("the settings file cannot be read: {error}"),
                    instead: "name a readable file, or leave `--config` out".to_owned(),
                }),
            }
        }
        own.extend(layers::lay_environment(&mut settings, &sources.environment, &mut faults));
        own.extend(layers::lay_flags(&mut settings, &sources.flags, &mut faults));
        layers::lay_customary(&mut settings, &sources.environment, &own, &defaults, &mut faults);
        check_values(&settings, &mut faults);
        if !faults.is_empty() {
            return Err(Faulty(faults));
        }
        layers::nest(settings).try_into().map_err(|error: toml::de::Error| {
            Faulty(vec![Fault {
                source: "settings".to_owned(),
                line: None,
                key: None,
                what: error.message().to_owned(),
                instead: "see config/default.toml".to_owned(),
            }])
        })
    }

    /// The compiled-in settings alone.
    ///
    /// # Panics
    /// When the compiled-in file is faulty; a test reads it.
    #[must_use]
    pub fn standard() -> Self {
        Self::load(&Sources::default()).expect("config/default.toml holds")
    }
}

/// What is wrong with these layers; nothing, when they can be used.
#[must_use]
pub fn check(sources: &Sources) -> Vec<Fault> {
    Config::load(sources).err().map(|Faulty(faults)| faults).unwrap_or_default()
}

/// What types alone do not say.
fn check_values(settings: &layers::Flat, faults: &mut Vec<Fault>) {
    let mut expect = |key: &str, holds: bool, what: &str, instead: &str| {
        if !holds {
            faults.push(Fault {
                source: "settings".to_owned(),
                line: None,
                key: Some(key.to_owned()),
                what: format!("`{key}` {what}"),
                instead: instead.to_owned(),
            });
        }
    };
    let text = |key: &str| settings.get(key).and_then(toml::Value::as_str).unwrap_or_default();
    let number = |key: &str| settings.get(key).and_then(toml::Value::as_integer).unwrap_or_default();

    let url = text("storage.url");
    let engine = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    expect("storage.url", engine, "names no database that we know", "write sqlite:PATH or postgres://…");
    let listen = text("server.listen").parse::<SocketAddr>().is_ok();
    expect("server.listen", listen, "is no address with a port", "write for example 127.0.0.1:8080");
    let id = text("policies.default_municipality").parse::<MunicipalityId>().is_ok();
    expect("policies.default_municipality", id, "is no municipality's id", "write the name of its folder");
    expect("policies.dir", !text("policies.dir").is_empty(), "is empty", "write the path of the folder");
    let format = matches!(text("log.format"), "json" | "pretty");
    expect("log.format", format, "is no format that we know", "write pretty or json");
    let filter = tracing_subscriber::EnvFilter::try_new(text("log.filter")).is_ok();
    expect("log.filter", filter, "is no filter", "write for example info,sqlx=warn");
    for (key, least, most) in [
        ("server.max_body_bytes", 1024, 1 << 30),
        ("server.request_timeout_seconds", 1, 3600),
        ("server.drain_seconds", 0, 3600),
        ("policies.reload_seconds", 0, 86_400),
        ("work.workers", 0, 256),
        ("work.lease_seconds", 1, 86_400),
        ("work.poll_milliseconds", 10, 60_000),
        ("work.in_flight", 1, 1_024),
        ("attachments.timeout_seconds", 1, 300),
        ("attachments.memory_megabytes", 64, 16_384),
        ("attachments.at_once", 1, 256),
        ("model.connect_timeout_seconds", 1, 300),
        ("model.stall_timeout_seconds", 1, 3_600),
        ("model.attempt_timeout_seconds", 1, 3_600),
        ("model.total_timeout_seconds", 1, 3_600),
        ("model.attempts", 1, 20),
        ("model.hedge_after_milliseconds", 0, 600_000),
        ("model.concurrency", 1, 4_096),
        ("model.requests_per_minute", 0, 1_000_000),
        ("model.tokens_per_minute", 0, 1_000_000_000),
        ("model.breaker_failures", 1, 1_000),
        ("model.breaker_pause_seconds", 1, 86_400),
        ("model.max_steps", 1, 100),
        ("model.max_tool_calls", 0, 1_000),
        ("model.cassette_epoch", 1, 1_000_000),
        ("budget.case_calls", 0, 10_000),
        ("budget.case_tokens", 0, 100_000_000),
        ("budget.case_seconds", 0, 86_400),
        ("budget.month_tokens", 0, 1_000_000_000_000),
        ("search.timeout_seconds", 1, 300),
        ("embedding.dimensions", 0, 65_536),
        ("embedding.batch", 1, 2_048),
        ("embedding.timeout_seconds", 1, 300),
        ("review.claim_minutes", 1, 43_200),
        ("review.blind_share", 0, 100),
        ("pages.session_minutes", 1, 43_200),
        ("pages.sign_ins_per_minute", 1, 10_000),
        ("pages.forms_per_minute", 1, 10_000),
        ("reports.quick_seconds", 1, 3_600),
        ("api.idempotency_hours", 1, 8_760),
        ("api.page_size", 1, 1_000),
        ("api.max_page_size", 1, 1_000),
    ] {
        let value = number(key);
        let bounds = format!("write {least}–{most}");
        expect(key, (least..=most).contains(&value), "is out of bounds", &bounds);
    }
    model::check(&text, &mut expect);
    let local = settings.get("pages.local_sign_in").and_then(toml::Value::as_bool).unwrap_or_default();
    let loopback = text("server.listen").parse::<SocketAddr>().is_ok_and(|address| address.ip().is_loopback());
    expect(
        "pages.local_sign_in",
        !local || loopback,
        "lets anybody sign in as anybody, and `server.listen` is open to other machines",
        "write false, or listen on 127.0.0.1",
    );
    let readable = proxies(text("pages.trusted_proxies")).all(|address| address.is_ok());
    expect(
        "pages.trusted_proxies",
        readable,
        "holds something that is no IP address",
        "write for example 10.0.0.7, ::1",
    );
    let pages = number("api.page_size") <= number("api.max_page_size");
    expect("api.page_size", pages, "is larger than `api.max_page_size`", "write a smaller one");
}
