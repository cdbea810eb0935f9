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

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use tower::{ServiceExt as _, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use pages::limits::Limits;

/// Everything that is served, each request by the packs that are active when it comes.
pub fn service(app: App) -> Router {
    // Metrics exist from the first request on.
    crate::telemetry::metrics();
    let limits = Arc::new(Limits::new(&app.config().pages));
    let newest = Arc::new(Mutex::new((router(&app, &limits), app)));
    Router::new().fallback_service(service_fn(move |request: Request| {
        let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
        let app = newest.1.newest();
        if !app.is(&newest.1) {
            *newest = (router(&app, &limits), app);
        }
        newest.0.clone().oneshot(request)
    }))
}

/// Everything that is served by one state of the packs.
fn router(app: &App, limits: &Arc<Limits>) -> Router {
    let server = &app.config().server;
    let (api, document) = openapi::documented(app);
    let api = api
        .layer(from_fn_with_state(app.clone(), identity::identify))
        .layer(Extension(body::Limit(server.max_body_bytes)));
    Router::new()
        .merge(operations::router().with_state(app.clone()))
        .route("/openapi.json", get(move || openapi::serve(document.clone())))
        .merge(api)
        .merge(pages::router(app, limits).layer(Extension(body::Limit(server.max_body_bytes))))
        .layer(CatchPanicLayer::custom(shell::panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, server.request_timeout()))
        .layer(from_fn_with_state(app.ambient().clone(), shell::observe))
}
