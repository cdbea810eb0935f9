//! The layers around every endpoint: request id, log line, metrics, panics, and the last word on problems.
//!
//! A log line holds the route's template, never the path or query as sent: a stranger writes those.

use std::any::Any;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::problem::{MEDIA_TYPE, Problem};
use crate::clock::Ambient;
use crate::telemetry;

/// The header that carries the request id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request its id, answers, then logs and counts it.
pub async fn observe(State(ambient): State<Ambient>, request: Request, next: Next) -> Response {
    let id = request_id(&request, &ambient);
    let method = known_method(request.method());
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request_id = %id, %method, %route);
    let started = Instant::now();
    let mut response = dress(next.run(request).instrument(span.clone()).await, &path);
    let seconds = started.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    span.in_scope(|| {
        tracing::info!(status, duration_seconds = seconds, "{method} {route} answered {status}");
    });
    metrics::counter!(telemetry::HTTP_REQUESTS, "method" => method, "route" => route.clone(),
        "status" => status.to_string())
    .increment(1);
    metrics::histogram!(telemetry::HTTP_SECONDS, "method" => method, "route" => route).record(seconds);
    response
}

/// The caller's id when it is a UUID (a proxy's), else a new one: any other text could be somebody's number, and
/// this one is logged.
fn request_id(request: &Request, ambient: &Ambient) -> String {
    request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(|id| uuid::Uuid::try_parse(id).ok())
        .unwrap_or_else(|| ambient.id())
        .to_string()
}

/// Every refusal leaves as a problem with its instance; nothing leaves sniffable or framed.
fn dress(mut response: Response, path: &str) -> Response {
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    // A health page says no in JSON of its own, a page in HTML; anything else without a problem is the framework's.
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let spoken = kind == "application/json" || kind.starts_with("text/html");
    if (status.is_client_error() || status.is_server_error()) && (problem.is_some() || !spoken) {
        let problem = problem.unwrap_or_else(|| bare(status));
        let instance = path.chars().take(200).collect();
        let body = serde_json::to_vec(&Problem { instance: Some(instance), ..problem }).unwrap_or_default();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        *response.body_mut() = Body::from(body);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The problem for an answer of the framework that has no body of ours.
pub fn bare(status: StatusCode) -> Problem {
    let (slug, detail) = match status {
        StatusCode::NOT_FOUND => ("no-such-path", "Nothing is served at this path; /openapi.json lists what is."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method-not-allowed", "The path takes other methods; the `Allow` header lists them.")
        }
        StatusCode::REQUEST_TIMEOUT => (
            "timeout",
            "The request took too long. It may have been kept; send it again with the same Idempotency-Key.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "The body is larger than this server takes."),
        _ if status.is_server_error() => return internal(),
        _ => ("refused", "The request was refused."),
    };
    Problem::new(status, slug, status.canonical_reason().unwrap_or("Refused"), detail)
}

/// What a caller sees of a fault of ours: that it is ours, and no more.
pub fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Internal error",
        "The fault is ours and has been logged under the request id in `x-request-id`. Try again later.",
    )
}

/// A panic is a fault of ours: it is logged (the panic hook tells where) and answered, and the server goes on.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    internal().into_response()
}

/// The method as a word of a closed vocabulary: anybody can invent one.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use std::time::Duration;
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;
    use tower_http::timeout::TimeoutLayer;

    async fn answer(path: &str) -> (u16, serde_json::Value) {
        let router = Router::new()
            .route("/panic", get(|| async { panic!("with a secret in it") as () }))
            .route("/slow", get(std::future::pending::<()>))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20)))
            .layer(from_fn_with_state(Ambient::system(), observe));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_its_words() {
        let (status, problem) = answer("/panic").await;
        assert_eq!((status, &problem["type"]), (500, &"/problems/internal".into()));
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }

    #[tokio::test]
    async fn what_takes_too_long_and_what_is_not_there_are_problems() {
        assert_eq!(answer("/slow").await.1["type"], "/problems/timeout");
        let (status, problem) = answer("/none?secret=1").await;
        assert_eq!((status, &problem["instance"]), (404, &"/none".into()));
    }
}
