//! Reports over real cases: what people did by API stands in the figures, on both databases; who may read what; the
//! pages and the files; and how long ten thousand cases take.

use std::time::Instant;

use serde_json::{Value, json};
use vireille::cases::{EventKind, MunicipalityId, Role};
use vireille::reports::{Reports, Scope, Window};

use crate::pages::signed_in;
use crate::support::app::{TestApp, spawn_app};
use crate::support::database::{Database, on_every_database};
use crate::support::desk::{NOW, register_unit, road_json};

const SPRING: &str = "from=2026-03-01&to=2026-04-30";

fn road(id: &str) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    road["fields"]["register_unit"] = register_unit(id).into();
    road
}

/// The application of that id, in by 10 March 8.15 UTC and drafted at [`NOW`].
async fn drafted(app: &TestApp, id: &str) -> String {
    app.now_is("2026-03-10T08:15:00Z");
    app.drafted(&road(id)).await
}

async fn looks(app: &TestApp, case: &str) -> usize {
    let id = case.rsplit('/').next().unwrap().parse().unwrap();
    let timeline = app.app.storage().timeline(&"harjuvesi".parse().unwrap(), id).await.unwrap();
    timeline.iter().filter(|event| event.kind == EventKind::Read).count()
}

#[tokio::test]
async fn what_people_did_stands_in_the_figures() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (handler, director) = (app.handler().await, app.director().await);
        // Approved as drafted, twelve seconds after the first look.
        let clean = drafted(&app, "clean").await;
        director.draft(&clean).await;
        app.now_is("2026-04-20T09:00:12Z");
        director.approve(&clean).await.expect(200);
        // Claimed at 9.01, edited at 9.16, looked at and approved at 9.31.
        let edited = drafted(&app, "edited").await;
        app.now_is("2026-04-20T09:01:00Z");
        handler.claim(&edited).await.expect(200);
        app.now_is("2026-04-20T09:16:00Z");
        handler.edit_part(&edited, "contact", |text| format!("{text}\nTervetuloa.")).await.expect(200);
        app.now_is("2026-04-20T09:31:00Z");
        director.approve(&edited).await.expect(200);
        // Given back, and still open.
        let returned = drafted(&app, "returned").await;
        app.now_is("2026-04-20T10:00:00Z");
        director.post(&format!("{returned}/return"), &json!({ "reason": "Tarkista." })).await.expect(200);
        // Words of danger, seen after seven minutes.
        app.now_is("2026-04-20T10:00:00Z");
        app.residents().await.submit(&json!({ "id": "d", "text": "Sähköjohto roikkuu maassa ja kipinöi!" })).await;
        app.now_is("2026-04-20T10:07:00Z");
        let alert = handler.get("/v1/alerts").await.json["items"][0]["id"].as_str().unwrap().to_owned();
        handler.post(&format!("/v1/alerts/{alert}/acknowledge"), &Value::Null).await.expect(200);
        handler.post(&format!("/v1/alerts/{alert}/acknowledge"), &Value::Null).await;
        app.run_jobs().await;

        let supervisor = app.person(Role::Supervisor, "Eeva Esihenkilö", None).await;
        let report = supervisor.get(&format!("/v1/reports?{SPRING}")).await.expect(200).json;
        let all = &report["volume"]["all"];
        assert_eq!((&all["received"], &all["decided"], &all["open"]), (&json!(4), &json!(2), &json!(2)));
        assert_eq!(report["as_drafted"]["all"], json!({ "part": 1, "of": 2, "percent": null }));
        let changes = &report["corrections"]["all"];
        assert_eq!(changes["changed"], json!({ "part": 1, "of": 2, "percent": null }));
        assert_eq!((&changes["wording"], &changes["amount"]), (&json!(1), &json!(0)));
        // Of few there is no median: 12 seconds, and 30 minutes from the claim to the approval.
        assert_eq!(report["manual"]["all"]["time"], json!({ "n": 2, "median_seconds": null, "p90_seconds": null }));
        assert_eq!(
            (&report["manual"]["all"]["baseline"], &report["manual"]["all"]["unknown"]),
            (&Value::Null, &json!(0))
        );
        let alerts = &report["alerts"];
        assert_eq!((&alerts["raised"], &alerts["open"], &alerts["worst_seconds"]), (&json!(1), &json!(0), &json!(420)));
        assert_eq!(report["lead_times"]["all"]["whole"]["n"], 2);
        assert_eq!(report["deadlines"]["all"]["settled_late"]["of"], 2, "the last day is on the record");
        let month = &report["series"].as_array().unwrap().iter().find(|piece| piece["settled"] == 2);
        assert!(month.is_some(), "{}", report["series"]);
        assert_eq!(report["costs"], json!([]));

        let guard = supervisor.get(&format!("/v1/reports/approvals?{SPRING}")).await.expect(200).json;
        let person = &guard["people"][0];
        assert_eq!((&person["name"], &person["approvals"]), (&json!("Tuomas Teknikko"), &json!(2)));
        // The edited one was looked at and approved in one go: both are quick.
        assert_eq!(person["quick"], json!({ "part": 2, "of": 2, "percent": null }));
        assert_eq!(person["changed"], json!({ "part": 1, "of": 2, "percent": null }));
        assert_eq!(person["returned"], json!({ "part": 1, "of": 3, "percent": null }));
        let largest = person["largest_quick"].as_array().unwrap();
        assert_eq!((largest.len(), &largest[0]["amount"], &person["ask"]), (2, &json!("2585.00"), &json!(false)));
        assert!(largest.iter().any(|quick| quick["seconds"] == 12), "{largest:?}");

        // Another window, another service, another municipality: nothing of it.
        let none = json!(0);
        for query in ["from=2026-05-01&to=2026-05-31", "from=2026-03-01&to=2026-04-30&service=other"] {
            let report = supervisor.get(&format!("/v1/reports?{query}")).await.expect(200).json;
            assert_eq!((&report["volume"]["all"]["received"], &report["volume"]["all"]["decided"]), (&none, &none));
        }
        let stranger = app.stranger(Role::Supervisor).await;
        let scope = Scope {
            window: Window::new("2026-03-01".parse().unwrap(), "2026-04-30".parse().unwrap()).unwrap(),
            service: None,
            department: None,
        };
        let neighbour: MunicipalityId = "ylaharju".parse().unwrap();
        let report = app.app.reports().report(&neighbour, &scope, &[]).await.unwrap();
        assert_eq!((report.volume.all.received, report.volume.all.open), (0, 0));
        drop(stranger);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_approvers_first_look_at_a_version_is_on_the_record_once() {
    let app = spawn_app().await;
    let case = drafted(&app, "looked-at").await;
    let (handler, director) = (app.handler().await, app.director().await);
    handler.draft(&case).await;
    assert_eq!(looks(&app, &case).await, 0, "handlers' looks are not kept");
    director.draft(&case).await;
    director.get(&case).await.expect(200);
    let page = format!("/console/cases/{}", case.rsplit('/').next().unwrap());
    let mut browser = signed_in(&app, &director).await;
    browser.get(&page).await.expect(200);
    browser.get(&page).await.expect(200);
    assert_eq!(looks(&app, &case).await, 1);
    handler.claim(&case).await.expect(200);
    handler.edit_part(&case, "contact", |text| format!("{text}!")).await.expect(200);
    browser.get(&page).await.expect(200);
    assert_eq!(looks(&app, &case).await, 2, "another version is looked at anew");
    director.approve(&case).await.expect(200);
    browser.get(&page).await.expect(200);
    assert_eq!(looks(&app, &case).await, 2, "what is decided is only read");
    app.stop().await;
}

#[tokio::test]
async fn reports_are_for_those_who_answer_for_the_work() {
    let app = spawn_app().await;
    for role in Role::ALL {
        let post = (*role == Role::Approver).then_some("technical-director");
        let caller = app.person(*role, role.as_str(), post).await;
        let reads = [Role::Approver, Role::Supervisor, Role::Auditor, Role::Admin].contains(role);
        let supervises = *role == Role::Supervisor;
        let mut browser = signed_in(&app, &caller).await;
        for (right, paths) in [
            (reads, ["/reports", "/reports/tables/volume"]),
            (supervises, ["/reports/approvals", "/reports/approvals/tables/approvers"]),
        ] {
            for path in paths {
                let expected = if right { 200 } else { 403 };
                assert_eq!(caller.get(&format!("/v1{path}")).await.status, expected, "{role} {path}");
                assert_eq!(browser.get(&format!("/console{path}")).await.status, expected, "{role} {path}");
            }
        }
        assert_eq!(
            caller.get("/v1/cases").await.status == 200,
            !matches!(role, Role::Supervisor | Role::Admin | Role::ResidentChannel)
        );
    }
    app.nobody().get("/v1/reports").await.expect(401);
    app.stop().await;
}

#[tokio::test]
async fn the_page_shows_a_table_under_each_chart_and_keeps_what_was_typed() {
    let app = spawn_app().await;
    let case = drafted(&app, "page").await;
    app.now_is(NOW);
    let director = app.director().await;
    director.approve(&case).await.expect(200);
    let supervisor = app.person(Role::Supervisor, "Eeva Esihenkilö", None).await;
    let mut browser = signed_in(&app, &supervisor).await;
    let page = browser.get(&format!("/console/reports?{SPRING}&service=private-road-grant&department=technical")).await;
    let page = page.expect(200).says("Käsittelyaika").says("Yksityistieavustus").says("role=\"img\"");
    let page = page.says("Säästöä ei kerrota").says("nimetty ihminen");
    let file = "/console/reports/tables/volume?from=2026-03-01&amp;to=2026-04-30&amp;service=private-road-grant&amp;department=technical";
    let page = page.says(file);
    assert_eq!(
        page.html.matches("<table>").count(),
        page.html.matches("text/csv").count() + page.html.matches("class=\"csv\"").count()
    );
    assert!(!page.html.contains("Harjun tiekunta") && !page.html.contains("Tuomas"), "nobody's data");
    let csv = browser.get(&file.replace("&amp;", "&")).await.expect(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"volume-2026-03-01-2026-04-30.csv\"");
    assert_eq!(
        csv.html,
        "service,received,decided,acknowledged,transferred,withdrawn,otherwise,open\n\
         private-road-grant,1,1,0,0,0,0,0\nall,1,1,0,0,0,0,0\n"
    );
    browser.get("/console/reports/tables/nonsense").await.expect(404);
    for (query, told) in [
        ("from=yesterday&to=2026-04-30", "Päivää ei voi lukea"),
        ("from=2026-04-30&to=2026-03-01", "Viimeinen päivä on ennen"),
        ("from=1995-04-30&to=2026-03-01", "yli kymmenen vuotta"),
    ] {
        let page = browser.get(&format!("/console/reports?{query}")).await.expect(200).says(told);
        page.says(&format!("value=\"{}\"", query.split(['=', '&']).nth(1).unwrap()));
    }
    browser.get("/console/reports?service=%00../x&department=&lang=sv").await.expect(200).says("Handläggningstid");
    let guard = browser.get(&format!("/console/reports/approvals?{SPRING}&lang=en")).await.expect(200);
    guard.says("Tuomas Teknikko").says("HRJ/2026/00001").says("speed alone says nothing");
    app.stop().await;
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_told_why() {
    let app = spawn_app().await;
    let auditor = app.person(Role::Auditor, "Aune Auditoija", None).await;
    for (query, name) in [
        ("from=2026-13-01", "from"),
        ("to=x", "to"),
        ("from=2026-04-30&to=2026-03-01", "to"),
        ("service=%20", "service"),
        ("department=A", "department"),
        ("unit=x", "unit"),
    ] {
        let problem = auditor.get(&format!("/v1/reports?{query}")).await.problem(400, "/problems/bad-parameter");
        assert!(problem.to_string().contains(name), "{query}: {problem}");
    }
    auditor.get("/v1/reports/tables/none").await.expect(404);
    app.stop().await;
}

#[tokio::test]
async fn the_command_line_tells_the_same() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let case = drafted(&app, "cli").await;
    app.director().await.approve(&case).await.expect(200);
    app.stop().await;
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vireille"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["report", "--database", &database.url]);
        let output = command.args(["--from", "2026-03-01", "--to", "2026-04-30"]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, json) = run(&["--json", "--service", "private-road-grant"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &report["as_drafted"]["all"]["part"]), (Some(0), &json!(1)));
    let (code, csv) = run(&["--csv", "as-drafted"]);
    assert_eq!((code, csv.lines().last()), (Some(0), Some("all,1,1,")));
    let (code, text) = run(&[]);
    assert!(code == Some(0) && text.contains("lead-times") && text.contains("private-road-grant"), "{text}");
    assert_eq!(run(&["--to", "2020-01-01", "--json"]).0, Some(2), "given twice, or backwards");
    database.close().await;
}

/// So many cases, each with ten events.
const CASES: u32 = 1_000;

/// Every case of many is counted once; prints how long a report takes with `--nocapture`.
#[tokio::test]
async fn a_report_counts_each_of_many_cases_once() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let case = drafted(&app, "measured").await;
    app.stop().await;
    let case = case.rsplit('/').next().unwrap();
    let id = |kind: u32, n: u32| format!("{kind:08x}-0000-7000-8000-{n:012x}");
    let insert = |into: &str, rows: Vec<String>| {
        let parts = rows.chunks(1_000).map(|rows| format!("insert into {into} values {}; ", rows.join(", ")));
        parts.collect::<String>()
    };
    let (mut cases, mut events, mut drafts, mut decisions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let file = |table: &str| format!("(select file from {table} where case_id = '{case}' limit 1)");
    let start = 1_772_000_000_000_000_i64;
    for n in 0..CASES {
        let of = id(1, n);
        let at = start + i64::from(n) * 500_000_000;
        let edited = n % 3 == 0;
        cases.push(format!(
            "('{of}', 'harjuvesi', 'M/{n}', (select submission_id from cases where id = '{case}'), 'decided', 1, {at}, \
             'private-road-grant', 'application', null, 'fi', null, 'municipality', 'technical', null, \
             9223372036854775806, 0, null, null, null, 0, (select file from cases where id = '{case}'), null)"
        ));
        let versions = if edited { 2 } else { 1 };
        for version in 1..=versions {
            let draft = id(1 + version, n);
            drafts.push(format!(
                "('{draft}', 'harjuvesi', '{of}', {version}, 0, 'h{version}', {at}, {})",
                file("drafts")
            ));
        }
        let approved = id(1 + versions, n);
        decisions.push(format!("('{of}', 0, 'harjuvesi', '{approved}', {at} + 9000000, 258500, '{{}}')"));
        let system = r#"{"kind":"system","component":"triage/compose"}"#;
        let person = format!(r#"{{"kind":"person","token":"{}","role":"approver","post":null}}"#, id(9, 1));
        let drafted = format!(r#"{{"draft":"{}","version":1,"hash":"h1","kind":"grant"}}"#, id(2, n));
        let seen = format!(r#"{{"what":"draft","draft":"{approved}"}}"#);
        let decided = format!(
            r#"{{"draft":"{approved}","version":{versions},"hash":"h{versions}","kind":"grant","amount":"2585.00","status":"decided","due":null}}"#
        );
        let story: [(&str, &str, &str); 10] = [
            ("registered", system, "{}"),
            ("step-done", system, r#"{"step":"read","round":0}"#),
            ("step-done", system, r#"{"step":"classify","round":0}"#),
            ("step-done", system, r#"{"step":"gather","round":0}"#),
            ("step-done", system, r#"{"step":"assess","round":0}"#),
            ("drafted", system, &drafted),
            ("claimed", &person, r#"{"disqualified":false}"#),
            ("edited", &person, "{}"),
            ("read", &person, &seen),
            ("approved", &person, &decided),
        ];
        for (k, (kind, actor, payload)) in (0_u32..).zip(story) {
            let (seq, at) = (1_000 + n * 10 + k, at + i64::from(k) * 1_000_000);
            events.push(format!("('harjuvesi', {seq}, {at}, '{actor}', '{kind}', '{of}', '{payload}', '', '')"));
        }
    }
    let rows = [("cases", cases), ("drafts", drafts), ("decisions", decisions), ("events", events)];
    let rows: String = rows.into_iter().map(|(table, rows)| insert(table, rows)).collect();
    database.tamper(&format!("begin; {rows} commit")).await;
    // The application has closed its own.
    let storage = database.open_again().await;
    let reports = Reports::new(storage, std::time::Duration::from_hours(4), 20);
    let window = Window::new("2026-01-01".parse().unwrap(), "2026-12-31".parse().unwrap()).unwrap();
    let scope = Scope { window, service: None, department: None };
    let started = Instant::now();
    let report = reports.report(&"harjuvesi".parse().unwrap(), &scope, &[]).await.unwrap();
    println!("{CASES} cases with ten events each: {:?}", started.elapsed());
    let (untouched, all) = (report.as_drafted.all.part, report.as_drafted.all.of);
    // Each third was edited before it was approved.
    assert_eq!((untouched, all), (u64::from(CASES - CASES.div_ceil(3)), u64::from(CASES)));
    assert_eq!(report.volume.all.decided, u64::from(CASES));
}
