//! The endpoints under `/v1`, one file a noun.
//!
//! URL shape: nouns in the plural, verbs of review as the last segment under POST. Lists are objects with
//! `items`, and `next` where there may be more. Times are RFC 3339 UTC, money is a string with two decimals.

pub mod access_rights;
pub mod alerts;
pub mod audit;
pub mod cases;
pub mod drafts;
pub mod evaluations;
pub mod jobs;
pub mod messages;
pub mod model_calls;
pub mod packs;
pub mod policies;
pub mod policy_impact;
pub mod policy_versions;
pub mod precedents;
pub mod publications;
pub mod reports;
pub mod review;
pub mod rounds;
pub mod submissions;
pub mod tokens;

use axum::middleware::from_fn_with_state;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{idempotency, rescue};
use crate::app::App;

/// A list. An object, so that more can be said beside it one day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The things.
    pub items: Vec<T>,
}

/// The endpoints with what surrounds them.
pub fn router(app: &App) -> OpenApiRouter<App> {
    let remember = from_fn_with_state(app.clone(), idempotency::remember);
    // Outside the memory: a key that was used before must not hide a cry for help either.
    let sent = sent().layer(remember.clone()).layer(from_fn_with_state(app.clone(), rescue::look_after));
    sent.merge(repeatable().layer(remember)).merge(unrepeatable())
}

/// The endpoints alone.
pub fn endpoints() -> OpenApiRouter<App> {
    sent().merge(repeatable()).merge(unrepeatable())
}

/// What strangers send; takes an Idempotency-Key.
fn sent() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(submissions::submit))
        .routes(routes!(submissions::supplement))
        .routes(routes!(messages::list, messages::send))
}

/// Further endpoints whose POSTs take an Idempotency-Key.
fn repeatable() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cases::queue))
        .routes(routes!(cases::show))
        .routes(routes!(cases::evidence))
        .routes(routes!(cases::trace))
        .routes(routes!(cases::similar))
        .routes(routes!(cases::timeline))
        .routes(routes!(cases::submission))
        .routes(routes!(cases::raw))
        .routes(routes!(cases::file))
        .routes(routes!(drafts::list))
        .routes(routes!(drafts::current, drafts::edit))
        .routes(routes!(drafts::checks))
        .routes(routes!(drafts::verify))
        .routes(routes!(review::claim))
        .routes(routes!(review::release))
        .routes(routes!(review::disqualify))
        .routes(routes!(review::power))
        .routes(routes!(review::judge))
        .routes(routes!(review::approve))
        .routes(routes!(review::return_))
        .routes(routes!(review::ask))
        .routes(routes!(review::hear))
        .routes(routes!(review::resume))
        .routes(routes!(review::link))
        .routes(routes!(review::transfer))
        .routes(routes!(review::reclassify))
        .routes(routes!(review::rule))
        .routes(routes!(review::withdraw))
        .routes(routes!(review::correct_facts))
        .routes(routes!(review::merge))
        .routes(routes!(review::split))
        .routes(routes!(review::correct_metadata))
        .routes(routes!(messages::seen))
        .routes(routes!(messages::consent, messages::set_consent))
        .routes(routes!(policies::find))
        .routes(routes!(policy_versions::list))
        .routes(routes!(policy_versions::show))
        .routes(routes!(policy_versions::compare))
        .routes(routes!(policy_impact::show))
        .routes(routes!(policy_impact::table))
        .routes(routes!(precedents::list))
        .routes(routes!(access_rights::list))
        .routes(routes!(access_rights::show, access_rights::handle))
        .routes(routes!(publications::list))
        .routes(routes!(publications::show))
        .routes(routes!(publications::publish))
        .routes(routes!(publications::unpublish))
        .routes(routes!(rounds::list, rounds::run))
        .routes(routes!(rounds::show))
        .routes(routes!(rounds::table))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::acknowledge))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::retry))
        .routes(routes!(audit::export))
        .routes(routes!(packs::list))
        .routes(routes!(packs::reload))
        .routes(routes!(model_calls::of_case))
        .routes(routes!(model_calls::costs))
        .routes(routes!(evaluations::list))
        .routes(routes!(evaluations::show))
        .routes(routes!(evaluations::page))
        .routes(routes!(reports::show))
        .routes(routes!(reports::approvals))
        .routes(routes!(reports::table))
        .routes(routes!(reports::approval_table))
}

/// A secret is shown once and never kept: its answer is not remembered.
fn unrepeatable() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(tokens::list, tokens::make)).routes(routes!(tokens::revoke))
}
