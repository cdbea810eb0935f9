//! The description of the API, made from the handlers themselves; `openapi.json` in `docs/` is its golden copy.

use std::collections::BTreeMap;

use axum::{Json, Router};
use utoipa::openapi::OpenApi as OpenApiDocument;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use super::problem::{MEDIA_TYPE, Problem, ProblemError};
use super::v1;
use crate::app::App;

/// What the handlers do not say themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vireille",
        description = "Case triage for municipalities: it prepares, a person decides.\n\n\
            Every call carries `Authorization: Bearer <token>`. A token speaks for one person in one role of one \
            municipality; another municipality's cases do not exist for it (404). Refusals are problem bodies \
            (RFC 9457). POST takes an `Idempotency-Key`; the draft has an ETag, and PUT asks for `If-Match`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, ProblemError)),
    modifiers(&Bearer),
    security(("token" = [])),
    tags(
        (name = "submissions", description = "What comes in"),
        (name = "cases", description = "Reading cases"),
        (name = "review", description = "What people do with cases"),
        (name = "messages", description = "What the party and the office write to each other, and the party's consent"),
        (name = "rounds", description = "One computation over all cases of an application window"),
        (name = "registers", description = "Access rights with their keys and tags; what is published of feedback"),
        (name = "policies", description = "The texts that bind"),
        (name = "alerts", description = "Words of danger that a person must see"),
        (name = "evaluations", description = "How good the proposals are"),
        (name = "reports", description = "How the work goes"),
        (name = "administration", description = "Tokens, dead letters, audit, costs"),
    )
)]
struct Base;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApiDocument) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`vir_…`")).build();
        document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Every refusal, for the `responses` of a handler.
pub struct Problems;

impl IntoResponses for Problems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response = ResponseBuilder::new().description("A problem (RFC 9457)").content(MEDIA_TYPE, content).build();
        BTreeMap::from([("default".to_owned(), response.into())])
    }
}

/// The endpoints, and their description as `/openapi.json` gives it.
pub fn documented(app: &App) -> (Router, OpenApiDocument) {
    let api = OpenApiRouter::with_openapi(Base::openapi()).nest("/v1", v1::router(app));
    let (router, mut document) = api.with_state::<()>(app.clone()).split_for_parts();
    complete(&mut document);
    (router, document)
}

/// The description alone, without an application.
pub fn document() -> OpenApiDocument {
    let mut document = OpenApiRouter::<App>::with_openapi(Base::openapi()).nest("/v1", v1::endpoints()).into_openapi();
    complete(&mut document);
    document
}

/// What the standard asks for and the macros leave open: unique operation ids (`post_cases_id_approve`) and a
/// description of each response.
fn complete(document: &mut OpenApiDocument) {
    for (path, item) in &mut document.paths.paths {
        let path = path.trim_start_matches("/v1/").replace(['{', '}'], "").replace(['/', '-'], "_");
        let operations =
            [("get", &mut item.get), ("post", &mut item.post), ("put", &mut item.put), ("delete", &mut item.delete)];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(format!("{method}_{path}"));
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && response.description.is_empty()
                {
                    let words = if status == "201" { "Created" } else { "Done" };
                    words.clone_into(&mut response.description);
                }
            }
        }
    }
}

/// `GET /openapi.json`
#[expect(clippy::unused_async, reason = "a handler is async")]
pub async fn serve(document: OpenApiDocument) -> Json<OpenApiDocument> {
    Json(document)
}
