//! The pages: server-rendered, complete without a script, in Finnish, Swedish and English.
//!
//! In reading order: [`render`] (templates and words), [`reader`] (who reads, in which language; the layer around every
//! page), [`session`] and [`sign_in`], [`limits`], [`form`] (what a browser posts), [`kept`] (what was typed when a session ended),
//! [`assets`], then [`console`] for those who handle cases and [`resident`] for those whose cases they are. A page calls the same functions as the API
//! and can do nothing that the API cannot; its rights are the same types ([`super::identity`]).

pub mod assets;
pub mod console;
pub mod form;
pub mod kept;
pub mod limits;
pub mod reader;
pub mod render;
pub mod resident;
pub mod session;
pub mod sign_in;
pub mod signature;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::csrf::CsrfLayer;

use crate::app::App;
use limits::Limits;

/// Every page. The limits outlive it: they count on when new packs become active.
pub fn router(app: &App, limits: &Arc<Limits>) -> Router {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", axum::routing::post(sign_in::sign_out))
        .merge(console::router())
        .merge(resident::router())
        .fallback(nowhere)
        .with_state(app.clone())
        .layer(Extension(Arc::clone(limits)))
        // A form that another site sends is refused by where it came from, not by a token that would have to be kept.
        .layer(CsrfLayer::new().with_rejection_response(|_| cross_site()))
        .layer(from_fn_with_state(app.clone(), reader::arrive))
        .merge(assets::router().with_state(app.clone()))
}

/// To another page, with GET.
pub fn go(path: &str) -> Redirect {
    Redirect::to(path)
}

/// Nothing is here, for a program as for a person.
async fn nowhere() -> Response {
    super::shell::bare(StatusCode::NOT_FOUND).into_response()
}

fn cross_site() -> Response {
    super::problem::Problem::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "Sent by another site",
        "The form was sent by another site. Open the page here and send it again.",
    )
    .into_response()
}
