//! A language model on a free port of this machine that always says the same: what the harness is measured against.
//!
//! `mock_model [--delay MILLISECONDS] [--fault 429|500|words]`. Every tenth request meets the fault: 429 asks for 100 ms
//! with `retry-after-ms`, 500 is gone when it is tried again, `words` are no JSON. The address is printed; `GET /count`
//! says how many requests came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

const LABEL: &str = r#"{"id":"mock","object":"chat.completion","created":0,"model":"mock-1","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"label\": \"lamp\", \"confidence\": 0.9}"}}],"usage":{"prompt_tokens":150,"completion_tokens":12,"total_tokens":162}}"#;
const WORDS: &str = r#"{"id":"mock","object":"chat.completion","created":0,"model":"mock-1","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"That may well be a lamp."}}],"usage":{"prompt_tokens":150,"completion_tokens":12,"total_tokens":162}}"#;
const FAULT: &str = r#"{"error":{"message":"try again","type":"server_error","code":null}}"#;

struct Mock {
    delay: Duration,
    fault: Option<String>,
    count: AtomicU64,
}

impl Mock {
    async fn answer(&self) -> Response {
        let nth = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let json = [(header::CONTENT_TYPE, "application/json")];
        match self.fault.as_deref().filter(|_| nth.is_multiple_of(10)) {
            Some("429") => {
                return (StatusCode::TOO_MANY_REQUESTS, [("retry-after-ms", "100")], FAULT).into_response();
            }
            Some("500") => return (StatusCode::INTERNAL_SERVER_ERROR, json, FAULT).into_response(),
            _ => {}
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let words = self.fault.as_deref() == Some("words") && nth.is_multiple_of(10);
        (json, if words { WORDS } else { LABEL }).into_response()
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| arguments.iter().position(|word| word == name).and_then(|at| arguments.get(at + 1));
    let delay = after("--delay").and_then(|word| word.parse().ok()).map_or(Duration::ZERO, Duration::from_millis);
    let mock = Arc::new(Mock { delay, fault: after("--fault").cloned(), count: AtomicU64::new(0) });
    let chat = |State(mock): State<Arc<Mock>>, _: Bytes| async move { mock.answer().await };
    let count = |State(mock): State<Arc<Mock>>| async move { mock.count.load(Ordering::Relaxed).to_string() };
    let router = Router::new().route("/v1/chat/completions", post(chat)).route("/count", get(count)).with_state(mock);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router).await
}
