//! Traces by OTLP over HTTP, as JSON: spans of this crate only, and of those only what stands in their fields.
//!
//! Spans are batched by a thread of the exporter's own, with a queue that is bounded: when the collector is slow or
//! away, spans are lost and nothing else. That thread brings its own small runtime, so that a flush at the end waits
//! for no worker. Log lines are not exported, and no span holds content.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use tokio::runtime::Runtime;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// Where the collector takes traces, under its address.
const PATH: &str = "/v1/traces";
/// Longest request to the collector, and longest wait for the last one.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long spans are gathered before they are sent.
const GATHER: Duration = Duration::from_secs(2);
/// Spans that wait at most; what comes beyond them is lost.
const QUEUE: usize = 4_096;

/// Traces that go to a collector. Dropped, it sends what waits and ends.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

/// Why no traces can be sent.
#[derive(Debug, thiserror::Error)]
#[error("no traces can be sent: {0}")]
pub struct Unsendable(String);

impl Traces {
    /// Spans go to the collector at `address`, for example `http://127.0.0.1:4318`.
    ///
    /// # Errors
    /// [`Unsendable`] when the address cannot be used or the system gives no thread.
    pub fn to(address: &str) -> Result<Self, Unsendable> {
        let address = address.trim_end_matches('/');
        let endpoint = if address.ends_with(PATH) { address.to_owned() } else { format!("{address}{PATH}") };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Post::new()?)
            .with_protocol(Protocol::HttpJson)
            // Waiting to try again would fill the queue, and hold up the end of the process.
            .with_retry_policy(RetryPolicy::disabled())
            .with_endpoint(endpoint)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| Unsendable(error.to_string()))?;
        let batches = BatchConfigBuilder::default().with_max_queue_size(QUEUE).with_scheduled_delay(GATHER).build();
        let resource = Resource::builder_empty()
            .with_attribute(KeyValue::new("service.name", "vireille"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            .build();
        Ok(Self(provider))
    }

    /// What hands this crate's spans over.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("vireille"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|of| of.is_span() && of.target().starts_with("vireille")))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(TIMEOUT) {
            tracing::warn!(%error, "the last spans are lost");
        }
    }
}

/// Sends batches on the exporter's thread.
#[derive(Debug)]
struct Post {
    client: reqwest::Client,
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    /// Whether the last batch went out: a collector that is away is told of once.
    failing: AtomicBool,
}

impl Post {
    fn new() -> Result<Self, Unsendable> {
        // An error means that a provider is installed already.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        Ok(Self {
            client: client.map_err(|error| Unsendable(error.to_string()))?,
            runtime: Some(runtime.map_err(|error| Unsendable(error.to_string()))?),
            failing: AtomicBool::new(false),
        })
    }

    async fn post(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.client.execute(request.try_into()?).await?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        Ok(Response::builder().status(status).body(body)?)
    }
}

impl HttpClient for Post {
    fn send_bytes<'life, 'future>(
        &'life self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'future>>
    where
        'life: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let Some(runtime) = &self.runtime else { return Err("it has ended".into()) };
            let result = runtime.block_on(self.post(request));
            let fails = !result.as_ref().is_ok_and(|answer| answer.status().is_success());
            if fails && !self.failing.swap(fails, Ordering::Relaxed) {
                tracing::warn!("the collector of traces does not take them; spans are lost until it does");
            }
            self.failing.store(fails, Ordering::Relaxed);
            result
        })
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        // An ordinary drop would block, which a task must not.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
