//! The JSON API, the pages, identity, problem bodies.
//!
//! In reading order: [`identity`] (rights as types), [`body`] (reading what was sent), [`error`] and
//! [`problem`] (the one place where errors become answers), [`shell`] (the layers around everything),
//! [`idempotency`], [`rescue`] (words of danger in what is refused), [`v1`] (the endpoints, one file a noun), [`pages`]
//! (the same for people). A handler extracts, is authorised by its signature, makes one call of the domain and gives
//! a view. Knows no SQL.

pub mod body;
pub mod error;
pub mod idempotency;
pub mod identity;
pub mod openapi;
pub mod operations;
pub mod pages;
pub mod problem;
pub mod rescue;
pub mod shell;
pub mod v1;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;

/// Everything that is served.
pub fn router(app: &App) -> Router {
    // Metrics exist from the first request on.
    crate::telemetry::metrics();
    let server = &app.config().server;
    let (api, document) = openapi::documented(app);
    let api = api
        .layer(from_fn_with_state(app.clone(), identity::identify))
        .layer(Extension(body::Limit(server.max_body_bytes)));
    Router::new()
        .merge(operations::router().with_state(app.clone()))
        .route("/openapi.json", get(move || openapi::serve(document.clone())))
        .merge(api)
        .merge(pages::router(app).layer(Extension(body::Limit(server.max_body_bytes))))
        .layer(CatchPanicLayer::custom(shell::panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, server.request_timeout()))
        .layer(from_fn_with_state(app.ambient().clone(), shell::observe))
}
