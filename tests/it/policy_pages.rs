//! Policies by version: browsed, searched, compared, weighed; what rests on what; and similar decisions. By API, page and
//! command line, with figures worked out by hand.

use std::process::{Command, Output};

use serde_json::{Value, json};
use vireille::cases::{Role, SectionRef};

use crate::pages::signed_in;
use crate::support::app::{TestApp, spawn_app};
use crate::support::database::{Database, on_every_database};
use crate::support::desk::{merge, road_json};

const V1: &str = "2024-01-01";
const V2: &str = "2026-01-01";

/// The road R1 (2 350 m, 6 120,40 €), with some fields changed.
fn road(id: &str, changes: &Value) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    merge(&mut road, &json!({ "fields": changes }));
    road
}

fn section(json: &Value, id: &str) -> Value {
    let sections = json["sections"].as_array().expect("sections");
    sections.iter().find(|section| section["section"] == id).unwrap_or_else(|| panic!("no {id}: {json}")).clone()
}

async fn number(app: &TestApp, case: &str) -> String {
    app.handler().await.get(case).await.expect(200).json["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn policies_are_listed_with_the_version_in_force_on_a_day() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let in_force = async |on: &str| -> Vec<String> {
        let list = handler.get(&format!("/v1/policies?on={on}")).await.expect(200).json;
        let items = list["items"].as_array().unwrap().clone();
        let grant = items.iter().find(|item| item["document"] == "private-road-grant").unwrap().clone();
        assert_eq!(grant["versions"].as_array().unwrap().len(), 2);
        let versions = grant["versions"].as_array().unwrap().iter().filter(|version| version["in_force"] == true);
        versions.map(|version| version["version"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(in_force("2025-12-31").await, [V1]);
    assert_eq!(in_force("2026-01-01").await, [V2]);
    assert!(in_force("2023-12-31").await.is_empty());
    app.person(Role::Admin, "Aino Admin", None).await.get("/v1/policies").await.problem(403, "/problems/forbidden");
    let mut browser = signed_in(&app, &handler).await;
    let page = browser.get("/console/policies?on=2025-12-31").await.expect(200);
    page.says("Yksityistieavustusten myöntämisperusteet").says("/console/policies/private-road-grant@2024-01-01");
    browser.get("/console/policies?on=eilen").await.expect(200).says("Anna päivä muodossa").says("value=\"eilen\"");
    browser.get("/console/policies?q=tuettava+pituus").await.expect(200).says("3 § Tuettava tie");
    browser.get("/console/policies?q=tuettava&lang=en").await.expect(200).says("3 § Tuettava tie");
    app.stop().await;
}

#[tokio::test]
async fn a_section_shows_its_rules_worked_cases_and_the_cases_that_rest_on_it() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let handler = app.handler().await;
        let case = app.drafted(&road("one", &json!({}))).await;
        let number = number(&app, &case).await;
        let version = handler.get(&format!("/v1/policies/private-road-grant@{V2}")).await.expect(200).json;
        let third = section(&version, "s3");
        assert_eq!(third["heading"], "3 § Tuettava tie");
        assert_eq!(third["uses"], json!({ "cases": 1, "cited": 1 }), "{third}");
        assert_eq!(third["latest"][0]["number"], number.as_str());
        let rule = third["rules"].as_array().unwrap().iter().find(|rule| rule["rule"] == "min-length").unwrap().clone();
        assert_eq!(rule["condition"], "facts.supported_length < params.min_length");
        assert!(rule["conditions"][0]["when"].as_str().unwrap().ends_with("< 400\u{a0}m"), "{rule}");
        assert!(rule["inputs"]["supported_length"].is_string());
        let worked: Vec<&str> =
            rule["worked"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
        assert!(worked.contains(&"length one metre short v2") && !worked.contains(&"R1 v1"), "{worked:?}");
        // The other version was used by nobody; another municipality's people have no such pages.
        let old = handler.get(&format!("/v1/policies/private-road-grant@{V1}")).await.expect(200).json;
        assert_eq!(section(&old, "s3")["uses"], json!({ "cases": 0, "cited": 0 }));
        for nothing in ["no-such", "private-road-grant@2020-01-01", "private-road-grant@x", "@"] {
            handler.get(&format!("/v1/policies/{nothing}")).await.problem(404, "/problems/not-found");
        }
        // An edit cites the same; the case counts once.
        handler.claim(&case).await.expect(200);
        handler.edit_part(&case, "conditions", |text| format!("{text}\nLisätty.")).await.expect(200);
        let again = handler.get("/v1/policies/private-road-grant").await.expect(200).json;
        assert_eq!(section(&again, "s3")["uses"]["cases"], 1);
        let mut browser = signed_in(&app, &handler).await;
        let page = browser.get(&format!("/console/policies/private-road-grant@{V2}")).await.expect(200);
        page.says("id=\"s3\"").says(&number).says("min-length").says("length one metre short v2");
        browser.get("/console/policies/private-road-grant@2020-01-01").await.expect(404);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_rule_that_a_refusal_does_not_cite_was_evaluated_all_the_same() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    // 300 m is too short: the decision cites 3 § and not the costs of 5 §.
    app.drafted(&road("short", &json!({ "supported_length": "300" }))).await;
    let version = handler.get(&format!("/v1/policies/private-road-grant@{V2}")).await.expect(200).json;
    assert_eq!(section(&version, "s3")["uses"], json!({ "cases": 1, "cited": 1 }));
    assert_eq!(section(&version, "s5")["uses"], json!({ "cases": 1, "cited": 0 }));
    app.stop().await;
}

#[tokio::test]
async fn nobody_sees_what_another_municipality_rests_on() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        app.drafted(&road("one", &json!({}))).await;
        let storage = app.app.storage();
        let at: SectionRef = format!("private-road-grant@{V2}#s3").try_into().unwrap();
        let uses = async |id: &str| {
            let id = id.parse().unwrap();
            let counts = storage.uses_of_version(&id, &at.document, at.version).await.unwrap();
            (counts.len(), storage.uses_of_section(&id, &at, 5).await.unwrap().len())
        };
        let (sections, cases) = uses("harjuvesi").await;
        assert!(sections > 3 && cases == 1, "{sections} {cases}");
        assert_eq!(uses("ylaharju").await, (0, 0));
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn two_versions_stand_side_by_side() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let compared =
        handler.get(&format!("/v1/policies/private-road-grant/compare?a={V1}&b={V2}")).await.expect(200).json;
    let value = |name: &str| {
        let changes = compared["parameters"].as_array().unwrap();
        let change = changes.iter().find(|change| change["name"] == name).unwrap_or_else(|| panic!("{name}"));
        (change["before"].clone(), change["after"].clone())
    };
    assert_eq!(value("min_length"), (json!("500\u{a0}m"), json!("400\u{a0}m")));
    assert_eq!(value("share"), (json!("40\u{a0}%"), json!("60\u{a0}%")));
    let third = section(&compared, "s3");
    assert_eq!(third["standing"], "changed");
    assert!(third["rules"].as_array().unwrap().iter().any(|rule| rule["rule"] == "min-length"));
    let path = "/v1/policies/private-road-grant/compare";
    handler.get(&format!("{path}?a={V1}&b=2020-01-01")).await.problem(404, "/problems/not-found");
    handler.get(&format!("{path}?a={V1}")).await.problem(400, "/problems/bad-parameter");
    let mut browser = signed_in(&app, &handler).await;
    // Versions that nobody chose are the two newest.
    let page = browser.get("/console/policies/private-road-grant/compare").await.expect(200);
    page.says("500\u{a0}m").says("400\u{a0}m").says("<del>").says("<ins>").says("40\u{a0}%").says("60\u{a0}%");
    let sv = browser.get("/console/policies/private-road-grant/compare?lang=sv").await.expect(200);
    sv.says("Jämför versioner").says("meter").says("lang=\"sv\"");
    browser.get("/console/policies/private-road-grant/compare?a=x").await.expect(404);
    browser.get("/console/policies/hallintolaki/compare?lang=fi").await.expect(200).says("Arvot ovat samat.");
    app.stop().await;
}

#[tokio::test]
async fn the_impact_is_what_the_rules_would_have_given_the_stored_cases() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let handler = app.handler().await;
        let r1 = app.drafted(&road("r1", &json!({}))).await;
        app.now_is("2026-03-11T08:15:00Z");
        // 450 m: refused by the rules of 2024; 1,10 × 450 = 495 € by those of 2026.
        app.drafted(&road("short", &json!({ "supported_length": "450", "total_length": "450" }))).await;
        app.now_is("2026-03-12T08:15:00Z");
        app.drafted(&road("silent", &json!({ "supported_length": null }))).await;
        app.now_is("2026-03-13T08:15:00Z");
        let gone = app.drafted(&road("gone", &json!({}))).await;
        handler.post(&format!("{gone}/withdraw"), &json!({})).await.expect(200);
        app.run_jobs().await;
        let path = format!("/v1/policies/private-road-grant/impact?a={V1}&b={V2}");
        let impact = handler.get(&path).await.expect(200).json;
        assert_eq!(
            impact["totals"],
            json!({
                "cases": 3, "gains": 2, "gained": "1435.00", "loses": 0, "lost": "0.00", "outcome": 0, "same": 0,
                "unknown": 1, "before": "1645.00", "after": "3080.00"
            })
        );
        assert_eq!(impact["left_out"], json!({ "withdrawn": 1 }));
        let number = number(&app, &r1).await;
        let line = impact["cases"].as_array().unwrap().iter().find(|line| line["case"] == number.as_str()).unwrap();
        assert_eq!((&line["before"]["amount"], &line["after"]["amount"]), (&json!("1645.00"), &json!("2585.00")));
        assert_eq!(line["difference"], "940.00");
        assert!(!impact.to_string().contains("Harjun"), "numbers, no names");
        assert_eq!(handler.get(&path).await.expect(200).json, impact, "the same again");
        let table = handler.get(&path.replace("/impact?", "/impact.csv?")).await.expect(200);
        assert!(table.header("content-type").starts_with("text/csv"));
        assert_eq!(table.text.lines().count(), 4, "{}", table.text);
        assert!(
            table.text.contains(&format!("{number},gains,granted,1645.00,granted,2585.00,940.00,")),
            "{}",
            table.text
        );
        // The other way round the same roads lose it.
        let back = handler.get(&format!("/v1/policies/private-road-grant/impact?a={V2}&b={V1}")).await.expect(200).json;
        assert_eq!((&back["totals"]["loses"], &back["totals"]["lost"]), (&json!(2), &json!("1435.00")));
        let mut browser = signed_in(&app, &handler).await;
        let page = browser.get("/console/policies/private-road-grant/impact").await.expect(200);
        page.says(&number).says("940,00\u{a0}€").says("ei ole päätös").says("perutut hakemukset: 1");
        let csv =
            browser.get(&format!("/console/policies/private-road-grant/impact.csv?a={V1}&b={V2}")).await.expect(200);
        assert_eq!(csv.html, table.text);
        // The same by the command line.
        let output = vireille(database, &["policy", "impact", &of(V1), &of(V2), "--stored", "--json"]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told, impact);
        app.stop().await;
    })
    .await;
}

fn of(version: &str) -> String {
    format!("private-road-grant@{version}")
}

fn vireille(database: &Database, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["--database", &database.url])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[tokio::test]
async fn the_impact_over_files_and_of_a_working_copy() {
    let database = Database::sqlite().await;
    let sample = "policies/harjuvesi/samples/road-r1.json";
    let output = vireille(&database, &["policy", "impact", &of(V1), &of(V2), "--cases", sample, "--csv"]);
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table.lines().nth(1), Some("sample-road-r1,gains,granted,1645.00,granted,2585.00,940.00,,"), "{table}");
    // A working copy with a lower rate for the first class: 1,00 × 2 350 = 2 350 €.
    let copy = tempfile::tempdir().unwrap();
    copy_folder(std::path::Path::new("policies"), copy.path());
    let folder = copy.path().join("base/policies");
    std::fs::remove_file(folder.join("private-road-grant.tests.yaml")).unwrap();
    let file = folder.join("private-road-grant@2026-01-01.fi.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("rate_a: {value: \"1.10\"", "rate_a: {value: \"1.00\"");
    assert_ne!(changed, text);
    std::fs::write(&file, changed).unwrap();
    let copy = copy.path().to_str().unwrap();
    let two = [of(V2), of(V2)];
    let output =
        vireille(&database, &["policy", "impact", &two[0], &two[1], "--copy", copy, "--cases", sample, "--json"]);
    let impact: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(impact["totals"]["lost"], "235.00", "{impact}");
    let output = vireille(&database, &["policy", "compare", &two[0], &two[1], "--copy", copy]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("rate_a") && told.contains("1,10") && told.contains("1,00"), "{told}");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn similar_decisions_tell_what_agrees_and_what_differs() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (handler, director) = (app.handler().await, app.director().await);
        let decided =
            app.drafted(&road("decided", &json!({ "supported_length": "1200", "total_length": "1200" }))).await;
        let open = app.drafted(&road("open", &json!({}))).await;
        let none = handler.get(&format!("{open}/precedents")).await.expect(200).json;
        assert_eq!(none["items"], json!([]), "nothing is decided yet");
        director.approve(&decided).await.expect(200);
        let found = handler.get(&format!("{open}/precedents")).await.expect(200).json;
        let items = found["items"].as_array().unwrap();
        assert_eq!(items.len(), 1);
        let number = number(&app, &decided).await;
        assert_eq!((&items[0]["number"], &items[0]["amount"]), (&json!(number), &json!("1320.00")));
        assert_eq!((&items[0]["outcome"], &items[0]["same_version"]), (&json!("granted"), &json!(true)));
        let differ: Vec<&str> =
            items[0]["differ"].as_array().unwrap().iter().filter_map(|f| f["name"].as_str()).collect();
        assert_eq!(differ, ["supported_length"]);
        assert!(items[0]["agree"].as_array().unwrap().contains(&json!("households")));
        assert!(!found.to_string().contains("Harjun"), "no names");
        let own = handler.get(&format!("{decided}/precedents")).await.expect(200).json;
        assert_eq!(own["items"], json!([]), "a case is not its own precedent");
        let mut browser = signed_in(&app, &handler).await;
        let page = browser.get(&format!("/console/cases/{}", open.trim_start_matches("/v1/cases/"))).await.expect(200);
        let page = page.says("Samankaltaiset päätökset").says(&number).says("1\u{a0}320,00\u{a0}€");
        // A rule shows its section in place, a fact the sentences that rest on it, a citation leads to the policy.
        let page = page.says("Tien tuettava pituus on vähintään 400 metriä.").says("Tähän nojaavat perustelut");
        page.says("/console/policies/private-road-grant@2026-01-01#s3").says("data-facts=\"supported_length\"");
        app.stop().await;
    })
    .await;
}
