//! The pages for residents. One file a page; no page here needs a sign-in.

pub mod start;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The pages for residents.
pub fn router() -> Router<App> {
    Router::new().route("/", get(start::show))
}
