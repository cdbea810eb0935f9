//! The API as a caller meets it: identity, problems, idempotency, paging, operations.

use reqwest::Method;
use serde_json::{Value, json};
use vireille::cases::Role;

use crate::support::app::{MAX_BODY, TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::{NOW, road_json};

/// A problem as a snapshot shows it, in the order in which a person reads it.
fn shown(problem: &Value) -> String {
    let mut lines = vec![format!(
        "{} {}  {}\n{}",
        problem["status"],
        problem["type"].as_str().unwrap_or_default(),
        problem["title"].as_str().unwrap_or_default(),
        problem["detail"].as_str().unwrap_or_default()
    )];
    for error in problem["errors"].as_array().into_iter().flatten() {
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        lines.push(format!("  {}: {} → {}", text("pointer"), text("what"), text("instead")));
    }
    lines.join("\n")
}

#[tokio::test]
async fn openapi_is_the_golden_copy() {
    let app = spawn_app().await;
    let served = app.nobody().get("/openapi.json").await.expect(200).json;
    let pretty = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");
    let known = std::fs::read_to_string(golden).unwrap_or_default();
    if known != pretty {
        // The new text stands beside it, to be looked at and taken over.
        std::fs::write(format!("{golden}.new"), &pretty).unwrap();
        panic!("docs/openapi.json is not what is served; look at docs/openapi.json.new and take it over");
    }
    assert_eq!(served["openapi"], "3.1.0");
}

#[tokio::test]
async fn an_operator_sees_that_it_lives_is_ready_and_measures() {
    let app = spawn_app().await;
    let operator = app.nobody();
    assert_eq!(operator.get("/health/live").await.expect(200).json["status"], "live");
    let ready = operator.get("/health/ready").await.expect(200).json;
    assert_eq!((&ready["status"], &ready["database"], &ready["packs"]), (&json!("ready"), &json!("ok"), &json!("ok")));
    assert_eq!(operator.get("/openapi.json").await.expect(200).json["openapi"], "3.1.0");
    assert!(operator.get("/").await.expect(200).text.starts_with("<!doctype html>"));

    operator.get("/v1/cases?category=SECRET").await.expect(401);
    let metrics = operator.get("/metrics").await.expect(200).text;
    assert!(metrics.contains("# HELP vireille_http_requests_total Requests answered"), "{metrics}");
    assert!(
        metrics.contains(r#"vireille_http_requests_total{method="GET",route="/v1/cases",status="401"}"#),
        "{metrics}"
    );
    assert!(metrics.contains("vireille_jobs_pending 0"));
    app.drafted(&json!({ "text": "Katuvalo on pimeä." })).await;
    let metrics = operator.get("/metrics").await.expect(200).text;
    assert!(metrics.contains("vireille_submissions_total ") && !metrics.contains("harjuvesi"), "{metrics}");
    assert!(metrics.contains(r#"vireille_steps_total{step="read",outcome="done"}"#), "{metrics}");
    assert!(metrics.contains(r#"vireille_step_duration_seconds_count{step="read"}"#), "{metrics}");
    assert!(!metrics.contains("SECRET"));
}

#[tokio::test]
async fn every_answer_has_its_request_id_and_cannot_be_sniffed() {
    let app = spawn_app().await;
    let answer = app.nobody().get("/health/live").await;
    assert_eq!(answer.header("x-request-id").len(), 36);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    let given = app
        .nobody()
        .send(Method::GET, "/health/live", &[("x-request-id", "0192f0c8-9a1b-7c3d-8e4f-0123456789ab")], None)
        .await;
    assert_eq!(given.header("x-request-id"), "0192f0c8-9a1b-7c3d-8e4f-0123456789ab");
    let forged = app.nobody().send(Method::GET, "/health/live", &[("x-request-id", "a b;c=<d> e f")], None).await;
    assert_eq!(forged.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn what_cannot_be_used_is_told_with_its_place() {
    let app = spawn_app().await;
    let residents = app.residents().await;
    let handler = app.handler().await;
    let mut told = Vec::new();
    for body in [
        "{\"text\": ",
        "not json at all",
        "\u{feff}",
        "[{\"text\": \"a\"}, {\"text\": \"b\"}]",
        r#"{"service": "time-travel", "text": "x"}"#,
        r#"{"municipality": "ylaharju", "text": "x"}"#,
        r#"{"text": 7}"#,
        r#"{"fields": "none"}"#,
        r#"{"sent_at": "2026-02-30T12:00:00Z", "text": "x"}"#,
        r#"{"received_at": "2026-01-01T00:00:00Z", "text": "x"}"#,
        r#"{"txet": "x"}"#,
        r#"{"attachments": ["/etc/passwd"]}"#,
        r#"{"location": {"lat": 1000}, "text": "x"}"#,
    ] {
        let answer = residents.post_bytes("/v1/submissions", &[], body.as_bytes().to_vec()).await;
        assert!((400..500).contains(&answer.status), "{body}: {}", answer.text);
        told.push(format!("{body}\n{}", shown(&answer.json)));
    }
    let case = "/v1/cases/00000000-0000-7000-8000-000000000000";
    for (verb, body) in [
        ("claim", "{}"),
        ("claim", r#"{"disqualified": "no"}"#),
        ("ask", r#"{"questions": [{"about": "x", "text": "a\u0000b"}]}"#),
        ("reclassify", r#"{"matter": "wish", "reason": "x"}"#),
        ("approve", r#"{"draft_hash": "x", "confirmed_amount": "12,50"}"#),
        ("transfer", r#"{"authority": "ely", "now": true}"#),
    ] {
        let caller = if verb == "approve" { app.director().await } else { handler.clone() };
        let answer = caller.post_bytes(&format!("{case}/{verb}"), &[], body.as_bytes().to_vec()).await;
        told.push(format!("{verb} {body}\n{}", shown(&answer.json)));
    }
    insta::assert_snapshot!("problems-of-bodies", told.join("\n\n"));
}

#[tokio::test]
async fn what_the_framework_refuses_is_a_problem_too() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let mut told = Vec::new();
    for (method, path, kind) in [
        (Method::GET, "/v1/nothing", "application/json"),
        (Method::GET, "/v1/cases/not-a-uuid", "application/json"),
        (Method::GET, "/v1/cases/%00", "application/json"),
        (Method::GET, "/v1/cases/%FF%FE", "application/json"),
        (Method::DELETE, "/v1/cases", "application/json"),
        (Method::GET, "/v1/cases?colour=red", "application/json"),
        (Method::GET, "/v1/cases?limit=many", "application/json"),
        (Method::GET, "/v1/cases?status=lost", "application/json"),
        (Method::GET, "/v1/cases?cursor=x", "application/json"),
        (Method::GET, "/v1/cases?service=%00", "application/json"),
        (Method::POST, "/v1/submissions", "text/plain"),
    ] {
        let answer = handler.send(method.clone(), path, &[("content-type", kind)], Some(b"{}".to_vec())).await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}: {}", answer.text);
        told.push(format!("{method} {path}\n{}", shown(&answer.json)));
    }
    insta::assert_snapshot!("problems-of-requests", told.join("\n\n"));
    assert_eq!(handler.send(Method::DELETE, "/v1/cases", &[], None).await.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn ten_megabytes_are_refused_and_a_long_text_within_the_limit_is_told_its_limit() {
    let app = spawn_app().await;
    let residents = app.residents().await;
    let text = |length: usize| json!({ "text": "a".repeat(length) });
    // Always the problem, never a broken connection: the body is read to its end.
    for _ in 0..5 {
        let problem = residents.submit(&text(10_000_000)).await.problem(413, "/problems/too-large");
        assert_eq!(problem["instance"], "/v1/submissions");
    }
    let case = "/v1/cases/00000000-0000-7000-8000-000000000000/claim";
    app.handler().await.post(case, &text(10_000_000)).await.problem(413, "/problems/too-large");
    residents.submit(&text(MAX_BODY - 100)).await.problem(413, "/problems/too-large");
    residents.submit(&text(100_000)).await.expect(201);
}

#[tokio::test]
async fn hostile_text_is_taken_as_it_is_and_flagged() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app
            .drafted(&json!({
                "text": "Kirkkotiellä on kuoppa \u{202e}txet\u{202c} null\u{0}tavu {{ 7*7 }} <script>alert(1)</script>",
                "fields": { "description\u{0}": "a\u{0}b", "x": { "deep": [null, 1e300, "\u{200b}"] } },
                "location": { "address": "Kirkkotie 5\u{0}" }, "party": { "name": "\u{0}", "email": "a\u{202e}b" },
                "attachments": [{ "name": "../\u{0}x\u{202e}gpj.exe", "content": "AAAA" }]
            }))
            .await;
        let handler = app.handler().await;
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["status"], "in-review", "{page}");
        assert!(page["flags"].as_array().unwrap().contains(&json!("hidden-characters")), "{}", page["flags"]);
        assert!(!page["draft"]["content"]["letter"].to_string().contains("49"), "nothing of it is a template");
        let raw = handler.get(&format!("{case}/submission/raw")).await.expect(200);
        assert_eq!(raw.header("content-type"), "application/octet-stream");
        assert!(raw.text.contains("\\u0000"), "the bytes are kept as they came");
        handler.claim(&case).await.expect(200);
        let hash = "\u{1}".to_owned();
        let stale = json!({ "draft_hash": format!("{hash}\u{0}"), "confirmed_amount": null });
        app.director().await.approve_as(&case, &stale).await.problem(409, "/problems/stale-draft");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_check_digit_is_asked_about_and_never_refused() {
    let app = spawn_app().await;
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["fields"]["iban"] = "FI21 1234 5600 0007 86".into();
    road["fields"]["business_id"] = "1234567-2".into();
    let case = app.drafted(&road).await;
    let page = app.handler().await.get(&case).await.expect(200).json;
    assert!(page["flags"].as_array().unwrap().contains(&json!("invalid-identifier")), "{}", page["flags"]);
    assert_eq!(page["draft"]["content"]["kind"], "completion");
    let asked: Vec<&str> =
        page["assessment"]["questions"].as_array().unwrap().iter().filter_map(|q| q["about"].as_str()).collect();
    assert!(asked.contains(&"iban") && asked.contains(&"business_id"), "{asked:?}");
}

#[tokio::test]
async fn the_same_key_gives_the_same_answer_and_another_body_is_refused() {
    let app = spawn_app().await;
    let residents = app.residents().await;
    let key = [("idempotency-key", "0195f2a0-key")];
    let submission = json!({ "text": "Katuvalo on pimeä Kirkkotiellä.", "location": { "address": "Kirkkotie 5" } });
    let first = residents.post_with("/v1/submissions", &key, &submission).await.expect(201);
    let second = residents.post_with("/v1/submissions", &key, &submission).await.expect(201);
    assert_eq!(first.text, second.text);
    assert_eq!(second.header("idempotency-replayed"), "true");
    let other = json!({ "text": "Toinen asia." });
    residents.post_with("/v1/submissions", &key, &other).await.problem(409, "/problems/idempotency-key-reused");

    // Another token's key is another key, and a key must be one.
    let elsewhere = app.residents().await.post_with("/v1/submissions", &key, &submission).await.expect(201);
    assert_ne!(first.json["case_id"], elsewhere.json["case_id"]);
    residents
        .post_with("/v1/submissions", &[("idempotency-key", "a b")], &submission)
        .await
        .problem(400, "/problems/bad-parameter");
    let queue = app.handler().await.get("/v1/cases").await.expect(200).json;
    assert_eq!(queue["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_submission_stored_before_a_crash_is_found_by_its_key() {
    let app = spawn_app().await;
    let residents = app.residents().await;
    let key = [("idempotency-key", "before-the-crash")];
    let submission = json!({ "text": "Katuvalo on pimeä." });
    let first = residents.post_with("/v1/submissions", &key, &submission).await.expect(201);
    // The answer was not remembered: as if the process had died between the two.
    let mut tx = app.app.storage().begin().await.unwrap();
    tx.forget_answers("2030-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    let again = residents.post_with("/v1/submissions", &key, &submission).await.expect(201);
    assert_eq!(first.json["case_id"], again.json["case_id"]);
    assert_eq!(again.json["already"], true);
}

#[tokio::test]
async fn without_a_known_token_nothing_opens() {
    let app = spawn_app().await;
    let missing = app.nobody().get("/v1/cases").await;
    assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"vireille\"");
    missing.problem(401, "/problems/no-token");
    for secret in ["vir_0000", "' or 1=1 --", &"x".repeat(3000)] {
        let caller = app.caller(Some(secret.to_owned()), String::new());
        let answer = caller.get("/v1/cases").await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    let admin = app.person(Role::Admin, "Aino Ylläpitäjä", None).await;
    let handler = app.handler().await;
    handler.get("/v1/cases").await.expect(200);
    admin.send(Method::DELETE, &format!("/v1/tokens/{}", handler.token), &[], None).await.expect(204);
    handler.get("/v1/cases").await.problem(401, "/problems/unknown-token");
    admin.send(Method::DELETE, &format!("/v1/tokens/{}", handler.token), &[], None).await.expect(404);
}

#[tokio::test]
async fn each_sender_counts_by_itself_and_nothing_is_no_submission() {
    let app = spawn_app().await;
    let (one, other) = (app.residents().await, app.residents().await);
    let sent = json!({ "id": "1", "text": "Katuvalo on pimeä." });
    let first = one.submit(&sent).await.expect(201).json;
    assert_eq!(one.submit(&sent).await.expect(201).json["case_id"], first["case_id"]);
    let elsewhere = other.submit(&json!({ "id": "1", "text": "Kuoppa tiessä." })).await.expect(201).json;
    assert_ne!(elsewhere["case_id"], first["case_id"]);
    let problem = one.submit(&json!({})).await.problem(422, "/problems/unusable");
    assert_eq!(problem["errors"][0]["what"], "there is nothing in it");
}

const NOBODYS: &str = "00000000-0000-7000-8000-000000000000";

/// The operators' table of roles: each call with the roles that have the right. `…` is a case.
fn told_roles() -> Vec<(String, Vec<String>)> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md")).unwrap();
    let (_, table) = page.split_once("| roles | may | calls").expect("the table of roles");
    let mut told = Vec::new();
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let roles: Vec<String> = cells[1].split(", ").map(str::to_owned).collect();
        told.extend(cells[3].split('`').skip(1).step_by(2).map(|call| (call.to_owned(), roles.clone())));
    }
    told
}
/// A cry for help, in words that the lexicon knows.
const HELP: &str = "Apua, talo palaa ja sisällä on ihminen!";

#[tokio::test]
async fn a_cry_for_help_that_is_refused_reaches_a_person() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (residents, handler) = (app.residents().await, app.handler().await);
        let first = residents.submit(&json!({ "id": "1", "text": "Katuvalo on pimeä." })).await.expect(201).json;
        let key = [("idempotency-key", "used")];
        residents.post_with("/v1/submissions", &key, &json!({ "text": "Kuoppa." })).await.expect(201);
        let closed = format!("/v1/cases/{}", first["case_id"].as_str().unwrap());
        app.now_is(NOW);
        app.run_jobs().await;
        handler.post(&format!("{closed}/withdraw"), &Value::Null).await.expect(200);
        let submissions = "/v1/submissions";
        let supplements = format!("{closed}/supplements");
        let big = format!("{{\"text\": \"{HELP}\", \"id\": \"{}\"}}", "a ".repeat(MAX_BODY));
        for (path, headers, body, status, kind) in [
            (&*supplements, &[][..], json!({ "text": HELP }).to_string(), 409, "final"),
            (submissions, &[], json!({ "service": "time-travel", "text": HELP }).to_string(), 422, "unknown-service"),
            (submissions, &[], json!({ "txet": HELP }).to_string(), 422, "unusable"),
            (submissions, &[], format!("{{\"text\": \"{HELP}\""), 400, "unreadable-json"),
            (submissions, &[], json!({ "id": "1", "text": HELP }).to_string(), 409, "id-reused"),
            (submissions, &key, json!({ "text": HELP }).to_string(), 409, "idempotency-key-reused"),
            (submissions, &[], big, 413, "too-large"),
        ] {
            let before = handler.get("/v1/alerts").await.expect(200).json["items"].as_array().unwrap().len();
            let problem = residents
                .post_bytes(path, headers, body.clone().into_bytes())
                .await
                .problem(status, &format!("/problems/{kind}"));
            assert!(problem["emergency"][0]["text"].as_str().unwrap().contains("112"), "{kind}: {problem}");
            let alerts = handler.get("/v1/alerts").await.expect(200).json;
            let alerts = alerts["items"].as_array().unwrap();
            assert_eq!(alerts.len(), before + 1, "{kind}");
            let case = format!("/v1/cases/{}", alerts[before]["case_id"].as_str().unwrap());
            let page = handler.get(&case).await.expect(200).json;
            assert_eq!(page["number"], problem["case_number"], "{kind}");
            assert_eq!((&page["submission"]["channel"], &page["alert_open"]), (&json!("api"), &json!(true)));
            if kind != "too-large" {
                assert_eq!(handler.get(&format!("{case}/submission/raw")).await.expect(200).text, body);
            }
        }
        let plain = residents.send(Method::POST, submissions, &[], Some(HELP.into())).await;
        assert!(plain.problem(415, "/problems/unsupported-media-type")["case_number"].is_string());

        // Whatever was kept can be worked on; and without danger a refusal keeps nothing.
        app.run_jobs().await;
        let admin = app.person(Role::Admin, "Aino Ylläpitäjä", None).await;
        assert_eq!(admin.get("/v1/dead-jobs").await.expect(200).json["items"], json!([]));
        let count =
            async || handler.get("/v1/cases?limit=100").await.expect(200).json["items"].as_array().unwrap().len();
        let before = count().await;
        for (path, body, status) in [
            (&*supplements, r#"{"text": "Lisää."}"#, 409),
            (submissions, r#"{"service": "time-travel", "text": "x"}"#, 422),
            (submissions, r#"{"txet": "x"}"#, 422),
            (submissions, r#"{"text": "#, 400),
            (submissions, r#"{"id": "1", "text": "Muuta."}"#, 409),
        ] {
            let refused = residents.post_bytes(path, &[], body.into()).await.expect(status).json;
            assert!(refused.get("emergency").is_none() && refused.get("case_number").is_none(), "{refused}");
        }
        assert_eq!(count().await, before);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_may_not_send_leaves_nothing() {
    let app = spawn_app().await;
    let approver = app.director().await;
    let refused = approver.submit(&json!({ "text": HELP })).await.problem(403, "/problems/forbidden");
    assert!(refused.get("case_number").is_none());
    app.nobody().submit(&json!({ "text": HELP })).await.expect(401);
    assert_eq!(app.handler().await.get("/v1/alerts").await.expect(200).json["items"], json!([]));
}

#[tokio::test]
async fn words_of_danger_stand_first_in_the_queue() {
    let app = spawn_app().await;
    let residents = app.residents().await;
    residents.submit(&json!({ "text": "Katuvalo on pimeä." })).await.expect(201);
    let danger = residents.submit(&json!({ "text": HELP })).await.expect(201).json;
    let handler = app.handler().await;
    let page = handler.get("/v1/cases?limit=1").await.expect(200).json;
    assert_eq!(page["items"][0]["id"], danger["case_id"]);
    let next = format!("/v1/cases?limit=1&cursor={}", page["next"].as_str().unwrap());
    let page = handler.get(&next).await.expect(200).json;
    assert_eq!((&page["items"][0]["emergency"], &page["next"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn each_role_does_what_the_operators_table_says_and_no_more() {
    let app = spawn_app().await;
    let case = app.drafted(&road_without_arrival()).await;
    let mut callers = Vec::new();
    for role in Role::ALL {
        let post = (*role == Role::Approver).then_some("technical-director");
        callers.push((role.as_str(), app.person(*role, "Testi", post).await));
    }
    let told = told_roles();
    assert!(told.len() >= 20, "{told:?}");
    for (call, roles) in told {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        // What takes no body is asked of a case that is not there: who has the right is told so, and nothing happens.
        let no_case = format!("/v1/cases/{NOBODYS}");
        let target = if path.ends_with("/withdraw") { &no_case } else { &case };
        let path = path.replace('…', target).replace("{id}", NOBODYS);
        let mut may = Vec::new();
        for (role, caller) in &callers {
            // An empty list is no body of any of them.
            let body = (method != "GET").then(|| b"[]".to_vec());
            let answer =
                caller.send(method.parse().unwrap(), &path, &[("content-type", "application/json")], body).await;
            assert!(![401, 405].contains(&answer.status) && answer.status < 500, "{call}: {}", answer.text);
            if answer.status != 403 {
                may.push(*role);
            }
        }
        assert_eq!(may, roles, "{call}");
    }
}

#[tokio::test]
async fn another_municipalitys_case_does_not_exist() {
    let app = spawn_app().await;
    let case = app.drafted(&road_without_arrival()).await;
    let reader = app.stranger(Role::Handler).await;
    for view in [
        "",
        "/draft",
        "/drafts",
        "/checks",
        "/evidence",
        "/trace",
        "/timeline",
        "/model-calls",
        "/submission",
        "/submission/raw",
    ] {
        reader.get(&format!("{case}{view}")).await.expect(404);
    }
    let empty = reader.get("/v1/cases").await.expect(200).json;
    assert_eq!(empty["items"], json!([]));
    for (verb, body) in [
        ("claim", json!({"disqualified": false})),
        ("release", json!({})),
        ("ask", json!({"questions": [{"about": "x", "text": "y"}]})),
        ("transfer", json!({"authority": "x"})),
        ("reclassify", json!({"matter": "feedback", "reason": "x"})),
        ("rulings", json!({"rulings": []})),
        ("withdraw", json!({})),
        ("verify", json!(null)),
        ("supplements", json!({"text": "x"})),
    ] {
        reader.post(&format!("{case}/{verb}"), &body).await.expect(404);
    }
    let decider = app.stranger(Role::Approver).await;
    decider.post(&format!("{case}/approve"), &json!({"draft_hash": "x", "confirmed_amount": null})).await.expect(404);
    decider.post(&format!("{case}/return"), &json!({"reason": "x"})).await.expect(404);
    let admin = app.stranger(Role::Admin).await;
    assert_eq!(admin.get("/v1/tokens").await.expect(200).json["items"].as_array().unwrap().len(), 3);
    let export = app.stranger(Role::Auditor).await.get("/v1/audit/export").await.expect(200).text;
    assert_eq!(export.lines().count(), 2, "a first line and a head: {export}");
}

#[tokio::test]
async fn the_queue_is_paged_and_filtered() {
    let app = spawn_app().await;
    let residents = app.residents().await;
    for n in 1..=5 {
        let text = format!("Katuvalo on pimeä Kirkkotiellä, pylväs {n}.");
        residents.submit(&json!({ "text": text, "location": { "address": "Kirkkotie 5" } })).await.expect(201);
    }
    app.drafted(&road_without_arrival()).await;
    let handler = app.handler().await;
    let mut seen = Vec::new();
    let mut path = "/v1/cases?limit=2".to_owned();
    loop {
        let page = handler.get(&path).await.expect(200).json;
        seen.extend(page["items"].as_array().unwrap().iter().map(|row| row["number"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/cases?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 6, "{seen:?}");
    let count = async |query: &str| {
        let page = handler.get(&format!("/v1/cases?{query}")).await.expect(200).json;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("service=private-road-grant").await, 1);
    assert_eq!(count("status=in-review,received").await, 6);
    assert_eq!(count("status=decided").await, 0);
    assert_eq!(count("claimed=me").await, 0);
    assert_eq!(count("claimed=nobody&emergency=false").await, 6);
    assert_eq!(count("emergency=true").await, 0);
}

#[tokio::test]
async fn tokens_are_made_shown_once_and_listed_without_secrets() {
    let app = spawn_app().await;
    let admin = app.person(Role::Admin, "Aino Ylläpitäjä", None).await;
    let order = json!({ "role": "approver", "name": "Teija Sihteeri", "post": "technical-board" });
    let made = admin.post("/v1/tokens", &order).await.expect(201).json;
    let secret = made["secret"].as_str().unwrap().to_owned();
    let board = app.caller(Some(secret.clone()), String::new());
    board.get("/v1/cases").await.expect(200);
    let list = admin.get("/v1/tokens").await.expect(200).text;
    assert!(list.contains("Teija Sihteeri") && !list.contains(&secret));
    for (order, pointer) in [
        (json!({ "role": "approver", "name": "N" }), "/post"),
        (json!({ "role": "approver", "name": "N", "post": "king" }), "/post"),
        (json!({ "role": "handler", "name": " " }), "/name"),
        (json!({ "role": "handler", "name": "a\u{202e}b" }), "/name"),
    ] {
        let problem = admin.post("/v1/tokens", &order).await.problem(422, "/problems/invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
}

#[tokio::test]
async fn an_auditor_takes_the_chain_out_and_it_verifies() {
    let app = spawn_app().await;
    let case = app.drafted(&road_without_arrival()).await;
    let director = app.director().await;
    director.approve(&case).await.expect(200);
    let export = app.person(Role::Auditor, "Tilintarkastaja", None).await.get("/v1/audit/export").await.expect(200);
    assert_eq!(export.header("content-type"), "application/x-ndjson");
    assert!(export.text.contains("\"approved\""));
    for personal in ["Testi Puheenjohtaja", "1234567-1", "FI21", "Tuomas Teknikko"] {
        assert!(!export.text.contains(personal), "{personal} stands in the chain");
    }
    let head = app.app.storage().audit_head(&"harjuvesi".parse().unwrap()).await.unwrap();
    assert!(export.text.contains(&head.hash));
}

/// The worked application; over the API a sender cannot set the arrival.
fn road_without_arrival() -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road
}
