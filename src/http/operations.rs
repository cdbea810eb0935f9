//! For operators: is it alive, is it ready, what does it measure.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::app::App;
use crate::telemetry;

/// Endpoints without identity; none of them shows a case.
pub fn router() -> Router<App> {
    Router::new()
        .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready when the database answers and at least one municipality's pack is active.
async fn ready(State(app): State<App>) -> impl IntoResponse {
    let database = app.storage().ping().await.is_ok();
    let municipalities = app.rulebooks().iter().count();
    // A pack that is kept serves: whoever is ready stays so, and says whose files wait to be mended.
    let at_fault = app.packs().at_fault();
    let ready = database && municipalities > 0;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |good| if good { "ok" } else { "failing" };
    let body = json!({ "status": if ready { "ready" } else { "not-ready" }, "database": word(database),
        "packs": word(municipalities > 0), "municipalities": municipalities, "packs_at_fault": at_fault });
    (status, Json(body))
}

/// Prometheus text. Gauges of the database are read when they are asked for.
async fn metrics(State(app): State<App>) -> impl IntoResponse {
    if let Ok(pending) = app.storage().pending_jobs().await {
        gauge(telemetry::JOBS_PENDING, pending);
    }
    if let Ok(open) = app.storage().open_alerts().await {
        gauge(telemetry::ALERTS_OPEN, open);
    }
    gauge(telemetry::PACKS_AT_FAULT, i64::try_from(app.packs().at_fault().len()).unwrap_or(i64::MAX));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::metrics().render())
}

fn gauge(name: &'static str, value: i64) {
    metrics::gauge!(name).set(f64::from(i32::try_from(value).unwrap_or(i32::MAX)));
}
