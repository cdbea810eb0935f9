//! A language model behind an OpenAI-compatible address.
//!
//! [`connect`] is the way in: it gives one [`ChatModel`] that retries, waits, leaves a failing address alone and goes
//! to a second one. What leaves here is a [`ChatAnswer`](super::chat::ChatAnswer) or a
//! [`ChatError`](super::chat::ChatError) without content: no line, error or `Debug` of this module holds what was
//! sent, what came back, or a key.

mod breaker;
mod endpoint;
mod limits;
mod refusal;
mod resilient;
mod sse;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use self::breaker::Breaker;
use self::endpoint::{Address, Endpoint};
use self::limits::Gate;
use self::resilient::{Guarded, Patience, Resilient};
use super::chat::{ChatModel, FAILOVER, PRIMARY};
use crate::clock::Ambient;
use crate::config::{Failover, Model};

/// Why the model cannot be connected: the settings name something that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartFault {
    /// No address.
    #[error("{0}.url is no address: write for example https://api.openai.com/v1")]
    Address(&'static str),
    /// No key: it cannot stand in a header.
    #[error("{0}.key holds a character that no key holds, a line break for example")]
    Key(&'static str),
    /// No model.
    #[error("{0}.name is empty: name the model as the address knows it")]
    Name(&'static str),
    /// The HTTP client cannot be built, for example because no root certificates are found.
    #[error("the HTTP client cannot be built: {0}")]
    Http(String),
}

/// Makes ring the process's TLS provider. To be called before any HTTP client is built; a second call changes nothing.
pub fn install_tls() {
    // An error means that a provider is installed already.
    let _already = rustls::crypto::ring::default_provider().install_default();
}

/// The configured address, and behind it the second one where there is one.
///
/// `ambient` gives the moment against which a date in `Retry-After` is held, and one id as the seed of the waits.
///
/// # Errors
/// [`StartFault`]. Nothing is sent.
pub fn connect(model: &Model, failover: &Failover, ambient: &Ambient) -> Result<Arc<dyn ChatModel>, StartFault> {
    install_tls();
    let http = http(Duration::from_secs(model.connect_timeout_seconds.into()))?;
    let primary = Address {
        section: "model",
        url: &model.url,
        api: model.api,
        api_version: &model.api_version,
        key: model.key.reveal(),
        model: &model.name,
    };
    let second = (!failover.url.is_empty()).then(|| Address {
        section: "failover",
        url: &failover.url,
        api: failover.api,
        api_version: &failover.api_version,
        key: failover.key.reveal(),
        model: &failover.name,
    });
    let guarded = |(name, address): (&'static str, Address<'_>)| {
        let endpoint = Endpoint::new(name, http.clone(), &address, model.stall_timeout(), ambient.clone())?;
        let pause = Duration::from_secs(model.breaker_pause_seconds.into());
        Ok(Guarded {
            name,
            endpoint: Arc::new(endpoint),
            gate: Gate::new(model.concurrency, model.requests_per_minute, model.tokens_per_minute),
            breaker: Breaker::new(name, model.breaker_failures, pause),
        })
    };
    let addresses = [(PRIMARY, Some(primary)), (FAILOVER, second)];
    let addresses = addresses.into_iter().filter_map(|(name, address)| Some((name, address?)));
    let hedge_after = Duration::from_millis(model.hedge_after_milliseconds.into());
    Ok(Arc::new(Resilient {
        addresses: addresses.map(guarded).collect::<Result<_, _>>()?,
        patience: Patience {
            attempts: model.attempts,
            attempt: model.attempt_timeout(),
            total: model.total_timeout(),
            // An address may be silent for so long and still be well; a short call leaves part of its time.
            least: model.stall_timeout().min(model.total_timeout() / 4),
            hedge_after: Some(hedge_after).filter(|after| !after.is_zero()),
        },
        rng: Mutex::new(StdRng::seed_from_u64(ambient.id().as_u64_pair().1)),
    }))
}

/// A client that goes where it is sent and nowhere else: no redirects, no proxy out of the environment.
pub(super) fn http(connect_timeout: Duration) -> Result<reqwest::Client, StartFault> {
    reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .user_agent(concat!("vireille/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|fault| StartFault::Http(fault.to_string()))
}
