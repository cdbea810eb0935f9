//! Runs of evaluation suites, as the service shows them: to whom, in which state, and never with a text of a case.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vireille::cases::Role;
use vireille::evals::folder::RunFolder;
use vireille::evals::report::Report;
use vireille::evals::verdict;

use crate::support::app::TestApp;
use crate::support::database::Database;

/// The stem of a run's name by its hour; later hours are newer.
fn name(hour: usize) -> String {
    format!("20260302T{hour:02}0000Z-smoke-1a2b3c4d")
}

/// A run of two cases as the runner writes it; the second answer was wrong.
fn write(folder: &Path, hour: usize) -> PathBuf {
    let run = folder.join(name(hour));
    std::fs::create_dir_all(&run).unwrap();
    let record = json!({
        "version": 1, "started": format!("2026-03-02T{hour:02}:00:00Z"), "path": "/srv/private/suites/smoke.yaml", "model": null,
        "suite": {
            "version": 1, "suite": "smoke", "description": "Kinds.", "dataset": { "path": "c.jsonl", "cluster": "none" },
            "target": { "component": "masking" },
            "assert": [{ "type": "label", "actual": "output.kind", "expected": "expected.kind", "metric": "kind" }],
            "gates": [{ "metric": "kind.accuracy", "min": 0.4 }],
        },
        "hashes": { "suite": "s", "dataset": "d", "prompts": null, "packs": null, "prices": null, "judges": null },
        "epochs": 1, "mode": "auto", "rows": 2, "attempts": 1, "program": "0.1.0",
    });
    std::fs::write(run.join("run.json"), record.to_string()).unwrap();
    let row = |case: &str, predicted: &str, status: &str| {
        let kind = json!({ "kind": "label", "gold": "lamp", "predicted": predicted, "pass": status == "ok" });
        let row = json!({
            "case": case, "epoch": 0, "status": status, "cluster": case, "latency_ms": 1.0, "scores": { "kind": kind },
            "output": { "kind": predicted, "said": "CASETEXT" },
        });
        format!("{row}\n")
    };
    std::fs::write(run.join("rows.jsonl"), row("a", "lamp", "ok") + &row("b", "leak", "failed")).unwrap();
    run
}

/// The same with its verdict.
fn finish(folder: &Path, hour: usize) -> PathBuf {
    let run = RunFolder(write(folder, hour));
    let report = Report::of(run.read().unwrap(), None);
    verdict::write(&run, &report, None, None).unwrap();
    run.0
}

async fn serving(folder: &Path) -> (TestApp, Database) {
    let database = Database::sqlite().await;
    let app = TestApp::with(&database, |config| folder.clone_into(&mut config.evals.folder)).await;
    (app, database)
}

#[tokio::test]
async fn runs_are_listed_newest_first_whatever_state_they_are_in() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let at = folder.path();
    finish(at, 1);
    // Its last row is torn, as a crash leaves it; nobody wrote a verdict.
    let torn = write(at, 2).join("rows.jsonl");
    let rows = std::fs::read(&torn).unwrap();
    std::fs::write(&torn, &rows[..rows.len() - 20]).unwrap();
    // Begun a moment ago; a verdict on other rows; a record that is none; a row that is none; a link out of the folder.
    std::fs::create_dir(at.join(name(3))).unwrap();
    let more = finish(at, 4).join("rows.jsonl");
    let twice = std::fs::read_to_string(&more).unwrap();
    std::fs::write(&more, twice.replace("\"a\"", "\"z\"")).unwrap();
    std::fs::write(write(at, 5).join("run.json"), "{\"version\":").unwrap();
    std::fs::write(write(at, 6).join("rows.jsonl"), "CASETEXT\n{}\n").unwrap();
    std::os::unix::fs::symlink(finish(elsewhere.path(), 7), at.join(name(7))).unwrap();
    let linked = write(at, 8).join("rows.jsonl");
    std::fs::remove_file(&linked).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &linked).unwrap();
    std::fs::write(at.join("notes.txt"), "no run").unwrap();

    let (app, _database) = serving(at).await;
    let auditor = app.person(Role::Auditor, "Aino Auditoija", None).await;
    let page = auditor.get("/v1/evaluations").await.expect(200).json;
    let told: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| (item["run"].clone(), item["state"].clone())).collect();
    let expected = [
        (8, "broken"),
        (6, "broken"),
        (5, "broken"),
        (4, "unfinished"),
        (3, "unfinished"),
        (2, "unfinished"),
        (1, "complete"),
    ];
    assert_eq!(told, expected.map(|(hour, state)| (json!(name(hour)), json!(state))));
    assert_eq!(page["next"], Value::Null);
    let complete = &page["items"][6];
    assert_eq!(
        (&complete["suite"], &complete["outcome"], &complete["model"]),
        (&json!("smoke"), &json!("pass"), &Value::Null)
    );
    assert_eq!(
        (&complete["counts"]["ok"], &complete["counts"]["failed"], &complete["started"]),
        (&json!(1), &json!(1), &json!("2026-03-02T01:00:00Z"))
    );
    assert_eq!(
        (&complete["figures"][0]["name"], &complete["figures"][0]["value"]),
        (&json!("kind.accuracy"), &json!(0.5))
    );
    assert_eq!((&page["items"][5]["counts"]["rows"], &page["items"][5]["outcome"]), (&json!(1), &Value::Null));
    assert_eq!(page["items"][0]["problem"], "rows.jsonl is no file");
    assert_eq!(page["items"][1]["problem"], "rows.jsonl is not what a run writes (line 1)");
    let text = page.to_string();
    assert!(!text.contains("CASETEXT") && !text.contains("/srv/private") && !text.contains("root:"), "{text}");

    // Page by page the same runs come.
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = auditor.get(&format!("/v1/evaluations?limit=3{cursor}")).await.expect(200).json;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["run"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, expected.map(|(hour, _)| name(hour)));
    auditor.get("/v1/evaluations?cursor=..%2Fx").await.problem(400, "/problems/bad-parameter");
    for hour in [3, 5, 6, 8] {
        let problem =
            auditor.get(&format!("/v1/evaluations/{}", name(hour))).await.problem(409, "/problems/broken-run");
        assert!(!problem.to_string().contains("CASETEXT"), "{problem}");
    }
    let unfinished = auditor.get(&format!("/v1/evaluations/{}", name(2))).await.expect(200).json;
    assert_eq!(unfinished["outcome"], "incomplete");
    app.stop().await;
}

#[tokio::test]
async fn a_report_is_shown_without_case_text_and_may_do_nothing() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), 1);
    let (app, _database) = serving(folder.path()).await;
    let admin = app.person(Role::Admin, "Aatu Admin", None).await;
    let path = format!("/v1/evaluations/{}", name(1));
    let report = admin.get(&path).await.expect(200);
    assert_eq!((&report.json["outcome"], &report.json["gates"][0]["outcome"]), (&json!("pass"), &json!("pass")));
    assert_eq!(report.json["rows"][1]["case"], "b");
    assert!(!report.text.contains("CASETEXT") && !report.text.contains("/srv/private"), "{}", report.text);

    let page = admin.get(&format!("{path}/report")).await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("kind.accuracy") && !page.text.contains("CASETEXT"));
    // Its one style is allowed by hash; nothing else is, and nothing else is there.
    let style = page.text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}';")), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.text.matches("<style").count(), 1);
    for no in ["<script", " style=", "javascript:", " onload", " onclick"] {
        assert!(!page.text.contains(no), "{no}");
    }
    app.stop().await;
}

#[tokio::test]
async fn only_who_answers_for_the_machine_sees_them_and_no_path_leads_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    finish(&runs, 1);
    finish(folder.path(), 2);
    let (app, _database) = serving(&runs).await;
    let path = format!("/v1/evaluations/{}", name(1));
    for role in [Role::Approver, Role::Auditor, Role::Admin] {
        app.person(role, &format!("{role:?}"), (role == Role::Approver).then_some("technical-director"))
            .await
            .get(&path)
            .await
            .expect(200);
        app.stranger(role).await.get("/v1/evaluations").await.expect(200);
    }
    for role in [Role::ResidentChannel, Role::Registry, Role::Handler] {
        let person = app.person(role, &format!("{role:?}"), None).await;
        for path in ["/v1/evaluations", &path, &format!("{path}/report")] {
            person.get(path).await.problem(403, "/problems/forbidden");
        }
    }
    app.nobody().get("/v1/evaluations").await.problem(401, "/problems/no-token");
    let auditor = app.person(Role::Auditor, "Aino Auditoija", None).await;
    let other = name(2);
    for wrong in [
        "..%2f".to_owned() + &other,
        "%2e%2e%2f".to_owned() + &other,
        format!("..%5c{other}"),
        format!("%2Fetc%2F{other}"),
        format!("{other}%00"),
        "..".to_owned(),
        "%2e%2e".to_owned(),
        ".".to_owned(),
        "x".repeat(5_000),
        "%ff%fe".to_owned(),
        other.clone(),
        "nobody".to_owned(),
    ] {
        for end in ["", "/report"] {
            let answer = auditor.send(Method::GET, &format!("/v1/evaluations/{wrong}{end}"), &[], None).await;
            assert_eq!(answer.status, 404, "{wrong}{end}: {}", answer.text);
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn without_a_folder_there_are_no_runs() {
    for folder in ["", "/nowhere/at/all"] {
        let (app, _database) = serving(Path::new(folder)).await;
        let auditor = app.person(Role::Auditor, "Aino Auditoija", None).await;
        assert_eq!(auditor.get("/v1/evaluations").await.expect(200).json, json!({ "items": [], "next": null }));
        auditor.get("/v1/evaluations/evals").await.problem(404, "/problems/not-found");
        app.stop().await;
    }
}

#[tokio::test]
async fn the_console_lists_the_runs_and_opens_each_report_in_its_own_box() {
    let folder = tempfile::tempdir().unwrap();
    finish(folder.path(), 1);
    write(folder.path(), 2);
    let (app, _database) = serving(folder.path()).await;
    let auditor = app.person(Role::Auditor, "Aino Auditoija", None).await;
    let mut browser = crate::pages::signed_in(&app, &auditor).await;
    let page = browser.get("/console/evaluations").await.expect(200).says("Arvioinnit").says("kesken");
    let path = format!("/console/evaluations/{}", name(1));
    assert!(page.html.contains(&path) && !page.html.contains(&name(2)), "only what ended has a report");
    let report = browser.get(&path).await.expect(200).says("smoke");
    let policy = report.header("content-security-policy");
    assert!(
        policy.contains("sandbox") && policy.contains("style-src 'sha256-") && !policy.contains("'self'"),
        "{policy}"
    );
    assert!(!report.html.contains("CASETEXT"));
    browser.get("/console/evaluations?cursor=..%2Fx").await.expect(400);
    browser.get(&format!("/console/evaluations/{}", name(9))).await.expect(404).says("Sivua ei löydy");

    let admin = app.person(Role::Admin, "Pia Pääkäyttäjä", None).await;
    let mut browser = crate::pages::Browser::new(&app);
    browser.post("/sign-in", &[("token", admin.secret.as_deref().unwrap())]).await.leads_to("/console/evaluations");
    let mut handler = crate::pages::signed_in(&app, &app.handler().await).await;
    handler.get("/console/evaluations").await.expect(403);
    app.stop().await;
}
