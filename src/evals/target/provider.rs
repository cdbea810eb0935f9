//! Which language model a suite's word names, and the settings with which it is asked.
//!
//! A suite names models as its users know them from elsewhere: `openai/gpt-4.1-mini`, `openai-api/local/qwen3-32b`,
//! `offline`, `mock/fixed`. Addresses and keys come from the settings; a suite may name another address, never a key. The
//! key goes only where the settings send it: whoever writes a suite must not be able to have it sent to them.

use std::path::Path;

use reqwest::Url;

use crate::config::{self, CassetteMode, Config, EngineChoice, Secret};
use crate::evals::suite::{Mode, ModelChoice, RunSettings};

/// Who proposes in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// The offline engine alone.
    Offline,
    /// A model that gives one fixed answer: to try a suite out without any model.
    Fixed,
    /// A model behind an OpenAI-compatible address.
    OpenAi {
        /// Its name at the address.
        name: String,
    },
}

/// A word that names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no model: write offline, openai/NAME, openai-api/SERVICE/NAME or mock/fixed")]
pub struct UnknownProvider(String);

impl Provider {
    /// Who is meant; no word at all is the offline engine.
    ///
    /// # Errors
    /// [`UnknownProvider`].
    pub fn of(model: Option<&ModelChoice>) -> Result<Self, UnknownProvider> {
        let Some(ModelChoice { id, .. }) = model else { return Ok(Self::Offline) };
        let named = |name: &str| Some(Self::OpenAi { name: name.to_owned() }).filter(|_| !name.is_empty());
        match id.split_once('/') {
            None if id == "offline" => Some(Self::Offline),
            Some(("mock", "fixed")) => Some(Self::Fixed),
            Some(("openai", name)) => named(name),
            Some(("openai-api", rest)) => rest.split_once('/').and_then(|(_, name)| named(name)),
            _ => None,
        }
        .ok_or_else(|| UnknownProvider(id.clone()))
    }
}

/// The settings of the language model for one epoch (from 0) of a run; none where no language model is asked.
///
/// Recorded calls stand in `cassettes` and carry the epoch in their key: several epochs never share one answer. A
/// failing address is not left alone as in the service: the run itself stops when errors are all that comes.
///
/// # Errors
/// [`UnknownProvider`].
pub fn settings(
    config: &Config,
    choice: Option<&ModelChoice>,
    run: &RunSettings,
    cassettes: &Path,
    epoch: u32,
) -> Result<Option<config::Model>, UnknownProvider> {
    /// As many failures in a row as no run has.
    const NEVER: u32 = u32::MAX;
    let Provider::OpenAi { name } = Provider::of(choice)? else { return Ok(None) };
    let settings = &config.model;
    let url = choice.and_then(|choice| choice.url.clone()).unwrap_or_else(|| settings.url.clone());
    let key = if same_host(&url, &settings.url) { settings.key.clone() } else { Secret::new(String::new()) };
    Ok(Some(config::Model {
        engine: EngineChoice::Openai,
        url,
        key,
        name,
        attempts: run.attempts,
        concurrency: run.max_concurrency.max(1),
        breaker_failures: NEVER,
        cassettes: cassettes.to_owned(),
        cassette_mode: match run.mode {
            Mode::Replay => CassetteMode::Replay,
            Mode::Record => CassetteMode::Record,
            Mode::Live => CassetteMode::Off,
            Mode::Auto => CassetteMode::Auto,
        },
        cassette_epoch: settings.cassette_epoch.saturating_add(epoch),
        ..settings.clone()
    }))
}

/// Whether two addresses are one server: scheme, host and port.
fn same_host(one: &str, other: &str) -> bool {
    let origin = |url: &str| url.parse::<Url>().ok().map(|url| url.origin());
    one == other || origin(one).is_some_and(|one| one.is_tuple() && Some(one) == origin(other))
}

/// Why a suite may not name this address, if so. It stands in every run's record: it holds no secret.
#[must_use]
pub fn unfit_address(url: &str) -> Option<&'static str> {
    match url.parse::<Url>() {
        Err(_) => Some("the model's address is none"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") || !url.has_host() => Some("the model's address is none"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() || url.query().is_some() => {
            Some("the model's address carries a name, a key or a query")
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(id: &str) -> ModelChoice {
        ModelChoice { id: id.to_owned(), url: None }
    }

    #[test]
    fn a_word_names_a_model_or_is_refused() {
        let of = |id: &str| Provider::of(Some(&choice(id)));
        let named = |name: &str| Ok(Provider::OpenAi { name: name.to_owned() });
        assert_eq!(Provider::of(None), Ok(Provider::Offline));
        assert_eq!(of("offline"), Ok(Provider::Offline));
        assert_eq!(of("mock/fixed"), Ok(Provider::Fixed));
        assert_eq!(of("openai/gpt-4.1-mini"), named("gpt-4.1-mini"));
        assert_eq!(of("openai-api/local/org/qwen3-32b"), named("org/qwen3-32b"));
        for wrong in ["", "gpt-4.1-mini", "openai/", "openai-api/local", "anthropic/claude", "mock/random"] {
            assert_eq!(of(wrong), Err(UnknownProvider(wrong.to_owned())));
        }
    }

    #[test]
    fn the_key_goes_only_where_the_settings_send_it() {
        let mut config = Config::standard();
        config.model.url = "https://api.example.org/v1".to_owned();
        config.model.key = Secret::new("sk-PLANTED".to_owned());
        let run = RunSettings::default();
        let key = |url: Option<&str>| {
            let choice = ModelChoice { id: "openai/m".to_owned(), url: url.map(str::to_owned) };
            settings(&config, Some(&choice), &run, Path::new("c"), 0).unwrap().unwrap().key.reveal().to_owned()
        };
        for there in [None, Some("https://api.example.org/v1"), Some("https://api.example.org:443/v2")] {
            assert_eq!(key(there), "sk-PLANTED", "{there:?}");
        }
        for elsewhere in [
            "https://evil.example/v1",
            "http://api.example.org/v1",
            "https://api.example.org.evil.example/v1",
            "https://api.example.org@evil.example/v1",
            "https://api.example.org:8443/v1",
            "data:x",
            "",
        ] {
            assert_eq!(key(Some(elsewhere)), "", "{elsewhere}");
        }
    }

    #[test]
    fn an_address_in_a_suite_holds_no_secret() {
        for good in ["http://127.0.0.1:8080/v1", "https://api.example.org"] {
            assert_eq!(unfit_address(good), None, "{good}");
        }
        for bad in [
            "https://me:sk-1@api.example.org",
            "https://sk-1@api.example.org",
            "https://a.org/v1?key=sk-1",
            "a",
            "file:///x",
        ] {
            assert!(unfit_address(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn each_epoch_has_recorded_calls_of_its_own() {
        let config = Config::standard();
        let run = RunSettings { mode: Mode::Replay, attempts: 2, ..RunSettings::default() };
        let of = |epoch| settings(&config, Some(&choice("openai/m")), &run, Path::new("c"), epoch).unwrap().unwrap();
        assert_ne!(of(0).cassette_epoch, of(1).cassette_epoch);
        assert_eq!((of(0).cassette_mode, of(0).attempts, of(0).name.as_str()), (CassetteMode::Replay, 2, "m"));
        assert_eq!(settings(&config, None, &run, Path::new("c"), 0), Ok(None));
    }
}
