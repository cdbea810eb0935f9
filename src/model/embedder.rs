//! Dense vectors from an OpenAI-compatible address: `POST {url}/embeddings`.
//!
//! What comes in has been masked by the caller or is public. What comes back is a stranger's: bounded, put in order by
//! its `index`, counted, measured, and brought to length 1. No error holds what was sent or answered, or the key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::client::{StartFault, http, install_tls};
use crate::config::Embedding;
use crate::search::{Embedder, SearchError};

/// Attempts of one request.
const ATTEMPTS: u32 = 4;

/// The wait before the second attempt, or a longer one that the address asks for; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that an address may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Largest answer, bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// An embedder behind an address.
struct OpenAi {
    http: reqwest::Client,
    url: Url,
    key: SecretString,
    /// The model, as the address knows it.
    deployed: String,
    /// The model, with the dimension where one is asked for.
    model: String,
    dimensions: u32,
    batch: usize,
    timeout: Duration,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAi").field("model", &self.model).finish_non_exhaustive()
    }
}

/// The embedder of the settings; none where none is set. Nothing is sent.
///
/// # Errors
/// [`StartFault`].
pub fn connect(settings: &Embedding) -> Result<Option<Arc<dyn Embedder>>, StartFault> {
    if settings.url.is_empty() {
        return Ok(None);
    }
    if settings.name.is_empty() {
        return Err(StartFault::Name("embedding"));
    }
    install_tls();
    let address = format!("{}/embeddings", settings.url.trim_end_matches('/'));
    let model = match settings.dimensions {
        0 => settings.name.clone(),
        dimensions => format!("{}@{dimensions}", settings.name),
    };
    let timeout = Duration::from_secs(settings.timeout_seconds.max(1).into());
    Ok(Some(Arc::new(OpenAi {
        http: http(timeout)?,
        url: address.parse().map_err(|_| StartFault::Address("embedding"))?,
        key: settings.key.reveal().into(),
        deployed: settings.name.clone(),
        model,
        dimensions: settings.dimensions,
        batch: usize::try_from(settings.batch.max(1)).unwrap_or(usize::MAX),
        timeout,
    })))
}

/// Why an attempt gave nothing.
enum Failed {
    /// Another may do better, after that wait where the address names one.
    ForNow(String, Option<Duration>),
    /// None will.
    ForGood(String),
}

/// The answer, as far as it is read.
#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    /// Some servers leave it out and keep the order.
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl OpenAi {
    async fn request(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, SearchError> {
        let mut wait = FIRST_WAIT;
        let mut attempt = 1;
        loop {
            let asked = match self.attempt(texts).await {
                Ok(vectors) => return Ok(vectors),
                Err(Failed::ForGood(because)) => return Err(SearchError::Unreachable(because)),
                Err(Failed::ForNow(because, _)) if attempt == ATTEMPTS => {
                    return Err(SearchError::Unreachable(because));
                }
                Err(Failed::ForNow(_, asked)) => asked.unwrap_or_default(),
            };
            tokio::time::sleep(asked.clamp(wait, LONGEST_WAIT)).await;
            wait = wait.saturating_mul(2);
            attempt += 1;
        }
    }

    async fn attempt(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, Failed> {
        let mut body = json!({ "model": self.deployed, "input": texts, "encoding_format": "float" });
        if self.dimensions > 0 {
            body["dimensions"] = self.dimensions.into();
        }
        let mut request = self.http.post(self.url.clone()).timeout(self.timeout).json(&body);
        if !self.key.expose_secret().is_empty() {
            request = request.bearer_auth(self.key.expose_secret());
        }
        let gone = |error: reqwest::Error| {
            let what = if error.is_timeout() { "the embedder was silent" } else { "the embedder cannot be reached" };
            Failed::ForNow(what.to_owned(), None)
        };
        let mut response = request.send().await.map_err(gone)?;
        let status = response.status();
        if !status.is_success() {
            let because = format!("the embedder answered {}", status.as_u16());
            let passes = status.is_server_error()
                || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
            return Err(if passes {
                Failed::ForNow(because, asked_wait(response.headers()))
            } else {
                Failed::ForGood(because)
            });
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(gone)? {
            if bytes.len() + piece.len() > LARGEST {
                return Err(Failed::ForGood("the embedder's answer is too large".to_owned()));
            }
            bytes.extend_from_slice(&piece);
        }
        read(&bytes, texts.len(), self.dimensions).map_err(|because| Failed::ForGood(because.to_owned()))
    }
}

impl Embedder for OpenAi {
    fn model(&self) -> &str {
        &self.model
    }

    fn kept_as(&self) -> String {
        format!("{} {}", self.url, self.model)
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Vec<Vec<f32>>, SearchError>> {
        async move {
            let mut vectors = Vec::with_capacity(texts.len());
            for some in texts.chunks(self.batch) {
                vectors.extend(self.request(some).await?);
            }
            Ok(vectors)
        }
        .boxed()
    }
}

/// `Retry-After` in seconds; a date there is left to our own waits.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The vectors in the order of the texts, each of length 1.
fn read(bytes: &[u8], count: usize, dimensions: u32) -> Result<Vec<Vec<f32>>, &'static str> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|_| "the embedder's answer cannot be read")?;
    let mut items = answer.data;
    if items.len() != count {
        return Err("the embedder gave another number of vectors");
    }
    if items.iter().any(|item| item.index.is_some()) {
        items.sort_by_key(|item| item.index);
        if items.iter().enumerate().any(|(place, item)| item.index != Some(place)) {
            return Err("the embedder's vectors cannot be told apart");
        }
    }
    let wanted = match usize::try_from(dimensions) {
        Ok(0) | Err(_) => items.first().map_or(0, |item| item.embedding.len()),
        Ok(dimensions) => dimensions,
    };
    if wanted == 0 || items.iter().any(|item| item.embedding.len() != wanted) {
        return Err("the embedder gave vectors of another length");
    }
    items.into_iter().map(|item| unit(item.embedding).ok_or("the embedder gave no vector")).collect()
}

/// The vector of length 1 in the same direction; none where there is no direction.
#[expect(clippy::cast_possible_truncation, reason = "from single precision and back")]
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = vector.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>().sqrt();
    (length.is_finite() && length > 0.0).then_some(())?;
    for number in &mut vector {
        *number = (f64::from(*number) / length) as f32;
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(items: &serde_json::Value) -> Vec<u8> {
        serde_json::to_vec(&json!({ "data": items, "model": "m" })).unwrap()
    }

    #[test]
    fn vectors_come_in_the_order_of_the_texts_and_with_length_one() {
        let items = json!([{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]);
        assert_eq!(read(&answer(&items), 2, 0), Ok(vec![vec![0.6, 0.8], vec![0.0, 1.0]]));
        let plain = json!([{"embedding": [3, 4]}, {"embedding": [0, 2]}]);
        assert_eq!(read(&answer(&plain), 2, 2), Ok(vec![vec![0.6, 0.8], vec![0.0, 1.0]]));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_an_error() {
        let one = json!([{"index": 0, "embedding": [1.0]}]);
        for (items, count, dimensions) in [
            (one.clone(), 2, 0),
            (one.clone(), 1, 3),
            (json!([{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]), 2, 0),
            (json!([{"index": 0, "embedding": [1]}, {"index": 2, "embedding": [1]}]), 2, 0),
            (json!([{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]), 2, 0),
            (json!([{"embedding": []}]), 1, 0),
            (json!([{"embedding": [0, 0]}]), 1, 0),
            (json!([{"embedding": "AAAA"}]), 1, 0),
        ] {
            assert!(read(&answer(&items), count, dimensions).is_err(), "{items}");
        }
        assert!(read(b"<html>", 1, 0).is_err());
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&bytes, 1, 0);
        }

        #[test]
        fn a_unit_vector_has_length_one(vector in proptest::collection::vec(-1e6_f32..1e6, 1..40)) {
            if let Some(unit) = unit(vector) {
                let length: f32 = unit.iter().map(|x| x * x).sum();
                prop_assert!((length - 1.0).abs() < 1e-4);
            }
        }
    }
}
