//! Style sheet, script and icon, compiled in and named by their hash: a browser keeps them for a year and sees a change
//! at once. One accent colour per municipality, from its pack.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::cases::{MunicipalityId, hex};
use crate::http::error::{Error, Result};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// An asset: its media type, its bytes.
const ASSETS: &[(&str, &str, &[u8])] = &[
    ("style.css", "text/css; charset=utf-8", include_bytes!("../../../pages/assets/style.css")),
    ("pages.js", "text/javascript; charset=utf-8", include_bytes!("../../../pages/assets/pages.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../../pages/assets/icon.svg")),
];

static HASHES: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    ASSETS.iter().map(|(name, _, bytes)| (*name, hex(&Sha256::digest(bytes))[..12].to_owned())).collect()
});

/// Where an asset is: `/assets/<hash>/<name>`.
#[must_use]
pub fn address(name: &str) -> String {
    let hash = HASHES.get(name).map_or("none", String::as_str);
    format!("/assets/{hash}/{name}")
}

/// The assets.
pub fn router() -> Router<App> {
    Router::new().route("/assets/{hash}/{name}", get(serve)).route("/accent/{municipality}", get(accent))
}

async fn serve(Path((hash, name)): Path<(String, String)>) -> Result<Response> {
    let found = ASSETS.iter().find(|(known, _, _)| *known == name);
    let (_, media, bytes) = found.ok_or(Error::NoSuch("asset"))?;
    // An old page may ask for an old hash: it gets what there is now, and does not keep it.
    let keep = if HASHES.get(name.as_str()) == Some(&hash) { FOR_EVER } else { "no-store" };
    Ok(([(header::CONTENT_TYPE, *media), (header::CACHE_CONTROL, keep)], *bytes).into_response())
}

/// The accent colour of a municipality as a style sheet.
async fn accent(State(app): State<App>, Path(name): Path<String>) -> Result<Response> {
    let id = name.strip_suffix(".css").and_then(|id| id.parse::<MunicipalityId>().ok());
    let rulebook = id.and_then(|id| app.rulebooks().get(&id)).ok_or(Error::NoSuch("municipality"))?;
    let style = rulebook.pack.municipality.accent.as_ref().map_or_else(String::new, |accent| {
        let [light, dark] = [accent.on_light(), accent.on_dark()];
        format!(":root{{--accent:light-dark({light},{dark})}}\n")
    });
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((headers, style).into_response())
}
