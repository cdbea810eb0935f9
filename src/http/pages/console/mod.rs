//! The console: for those who handle, approve and register. One file a page; every page takes its right by type.

pub mod access_rights;
pub mod acts;
pub mod case;
mod case_binds;
pub mod changes;
pub mod charts;
pub mod claims;
pub mod edit;
pub mod evaluations;
pub mod hearing;
pub mod help;
pub mod highlight;
pub mod messages;
pub mod policies;
pub mod power;
pub mod publish;
pub mod queue;
pub mod register;
pub mod reports;
pub mod rounds;
pub mod work;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The pages of the console.
pub fn router() -> Router<App> {
    Router::new()
        .route("/console", get(queue::show))
        .route("/console/help", get(help::show))
        .route("/console/evaluations", get(evaluations::show))
        .route("/console/evaluations/{run}", get(crate::http::v1::evaluations::page))
        .route("/console/reports", get(reports::show))
        .route("/console/reports/approvals", get(reports::approvals))
        .route("/console/reports/tables/{table}", get(crate::http::v1::reports::table))
        .route("/console/reports/approvals/tables/{table}", get(crate::http::v1::reports::approval_table))
        .route("/console/rounds", get(rounds::show).post(rounds::run))
        .route("/console/rounds/{id}", get(crate::http::v1::rounds::show))
        .route("/console/rounds/{id}/cases.csv", get(crate::http::v1::rounds::table))
        .route("/console/access-rights", get(access_rights::list))
        .route("/console/policies", get(policies::list))
        .route("/console/policies/{document}", get(policies::show))
        .route("/console/policies/{document}/compare", get(policies::compare))
        .route("/console/policies/{document}/impact", get(policies::impact))
        .route("/console/policies/{document}/impact.csv", get(crate::http::v1::policy_impact::table))
        .merge(register::router())
        .route("/console/cases/{id}", get(case::show))
        .route("/console/cases/{id}/edit", get(edit::show).post(edit::save))
        .route("/console/cases/{id}/versions", get(edit::versions))
        .route("/console/cases/{id}/files/{sha256}", get(crate::http::v1::cases::file))
        .route("/console/cases/{id}/claim", post(acts::claim))
        .route("/console/cases/{id}/judge", post(acts::judge))
        .route("/console/cases/{id}/release", post(acts::release))
        .route("/console/cases/{id}/disqualify", post(acts::disqualify))
        .route("/console/cases/{id}/approve", post(acts::approve))
        .route("/console/cases/{id}/return", post(acts::return_))
        .route("/console/cases/{id}/ask", post(acts::ask))
        .route("/console/cases/{id}/link", post(claims::link))
        .route("/console/cases/{id}/access-right", post(access_rights::handle))
        .route("/console/cases/{id}/hear", post(hearing::hear))
        .route("/console/cases/{id}/resume", post(hearing::resume))
        .route("/console/cases/{id}/transfer", post(acts::transfer))
        .route("/console/cases/{id}/reclassify", post(acts::reclassify))
        .route("/console/cases/{id}/rule", post(acts::rule))
        .route("/console/cases/{id}/withdraw", post(acts::withdraw))
        .route("/console/cases/{id}/message", post(messages::write))
        .route("/console/cases/{id}/messages-seen", post(messages::seen))
        .route("/console/cases/{id}/acknowledge", post(acts::acknowledge))
        .route("/console/cases/{id}/publish", post(publish::publish))
        .route("/console/cases/{id}/unpublish", post(publish::unpublish))
        .route("/console/cases/{id}/facts", post(work::facts))
        .route("/console/cases/{id}/merge", post(work::merge))
        .route("/console/cases/{id}/split", post(work::split))
        .route("/console/cases/{id}/metadata", post(work::metadata))
}
