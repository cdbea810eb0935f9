//! What people change in review becomes masked cases: nobody can be told from them, no household is in both parts, and
//! none counts before a second person has said the same.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use vireille::cases::Role;
use vireille::evals::dataset;

use crate::support::app::TestApp;
use crate::support::database::{Database, on_every_database};
use crate::support::desk::{road_json, submission, triage};

/// What stands in the cases that came in, and must stand in nothing that is exported.
const PLANTED: [&str; 12] = [
    "salla s",
    "salainen",
    "salaisen",
    "kuiskaus",
    "7771234",
    "salaistenpolku 7",
    "131052-308t",
    "pekka",
    "virtanen",
    "puheenjohtaja testi",
    "testi puheenjohtaja",
    "valmistelija",
];

fn export(database: &Database, folder: &Path, arguments: &[&str]) -> Output {
    let key = folder.join("keys/pseudonyms");
    let key = if arguments.contains(&"--key") { Vec::new() } else { vec!["--key".as_ref(), key.as_os_str()] };
    Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["eval", "from-corrections", "--json", "--database", &database.url, "-o"])
        .arg(folder.join("2026-03.jsonl"))
        .args(key)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

#[track_caller]
fn summary(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"))
}

fn notice(id: &str, text: &str) -> Value {
    json!({
        "id": id, "text": text, "location": { "address": "Kirkkotie 5", "lat": 61.123_456, "lon": 25.654_321 },
        "party": { "name": "Salla Salainen", "email": "salla@kuiskaus.example", "phone": "040 777 1234",
                   "address": "Salaistenpolku 7, 99990 Harjuvesi", "language": "fi" }
    })
}

/// A notice of another class, one that goes elsewhere, a letter in other words, and something more to ask.
async fn review(app: &TestApp) {
    let (handler, director) = (app.handler().await, app.director().await);
    let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
    let text =
        "Naapurini Pekka Virtanen kaatui kun tie oli jäässä. Tunnus 131052-308T. T. Salla Salainen, Salaistenpolku 7";
    let class = |code: &str| json!({ "matter": "fault-notice", "service": "fault-notice", "category": code, "reason": "Katuvalosta on kyse." });

    let reclassified = app.drafted(&notice("n1", text)).await;
    registry.post(&format!("{reclassified}/reclassify"), &class("LI1")).await.expect(200);
    app.run_jobs().await;
    director.approve(&reclassified).await.expect(200);

    let elsewhere = app.drafted(&notice("n2", "Katuvalo on pimeänä Kirkkotiellä Salla Salaisen kohdalla.")).await;
    handler.claim(&elsewhere).await.expect(200);
    let authority = &app.app.rulebooks().get(&"harjuvesi".parse().unwrap()).unwrap().pack.authorities[0].id;
    handler.post(&format!("{elsewhere}/transfer"), &json!({ "authority": authority })).await.expect(200);
    app.run_jobs().await;
    director.approve(&elsewhere).await.expect(200);

    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    // Within the window of the grant.
    app.now_is("2026-03-10T08:15:00Z");
    let edited = app.drafted(&road).await;
    handler.claim(&edited).await.expect(200);
    let added = |text: &str| format!("{text}\nAsiaa on hoitanut Testi Puheenjohtaja.");
    handler.edit_part(&edited, "conditions", added).await.expect(200);
    director.approve(&edited).await.expect(200);

    road["id"] = "r2".into();
    app.now_is("2026-03-11T08:15:00Z");
    let asked = app.drafted(&road).await;
    handler.claim(&asked).await.expect(200);
    let question = json!({ "questions": [{ "about": "meeting_date", "text": "Milloin kokous pidettiin?" }] });
    handler.post(&format!("{asked}/ask"), &question).await.expect(200);
    app.run_jobs().await;
    director.approve(&asked).await.expect(200);

    road["id"] = "r3".into();
    app.now_is("2026-03-12T08:15:00Z");
    let untouched = app.drafted(&road).await;
    director.approve(&untouched).await.expect(200);
}

#[tokio::test]
async fn what_people_change_becomes_masked_cases_that_wait() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        review(&app).await;
        let folder = tempfile::tempdir().unwrap();
        let done = summary(&export(database, folder.path(), &[]));
        let text = std::fs::read_to_string(folder.path().join("2026-03.jsonl")).unwrap();
        assert_eq!((&done["decided"], &done["written"]), (&json!(5), &json!(4)), "{done}\n{text}");
        assert_eq!((&done["left_out_unmasked"], &done["left_out_joining_parts"]), (&json!(0), &json!(0)), "{done}");

        let cases = dataset::all(&folder.path().join("2026-03.jsonl")).unwrap();
        let found = |aspect: &str| cases.iter().find(|case| case.metadata["aspect"] == aspect).expect(aspect);
        let class = found("class");
        assert_eq!(class.expected["label"], "LI1");
        assert!(class.metadata["model_said"].is_string() && class.metadata["model_said"] != "LI1", "{class:?}");
        assert_eq!(found("route").metadata["model_said"], "municipality");
        assert_eq!(
            (&found("facts").expected, &found("facts").metadata["model_said"]),
            (&json!({ "asked": ["meeting_date"] }), &json!([]))
        );
        let letter = &found("letter").expected["letter"];
        assert!(letter.as_str().unwrap().contains("Asiaa on hoitanut [person"), "{letter}");
        for case in &cases {
            assert_eq!((&case.metadata["status"], &case.metadata["second_label"]), (&json!("pending"), &Value::Null));
            assert!(!case.is_settled(), "no suite selects it");
            assert!(case.metadata["reviewer"].as_str().unwrap().starts_with("r-"), "{case:?}");
        }

        // Nobody can be told from anything that was written.
        for file in ["2026-03.jsonl", "split.lock"] {
            let text = std::fs::read_to_string(folder.path().join(file)).unwrap().to_lowercase();
            for planted in PLANTED {
                let around = text.find(planted).map(|at| text[..at].chars().rev().take(60).collect::<String>());
                let around = around.map(|before| before.chars().rev().collect::<String>());
                assert_eq!(around, None, "{planted} stands in {file} after this");
            }
            assert!(!text.contains("61.123") && !text.contains("040 000 0100"), "{file}");
        }

        // The machine can be run over them: a whole application stays one.
        let mut input = found("letter").input.clone();
        for name in ["now", "attachments"] {
            input.as_object_mut().unwrap().remove(name);
        }
        let (again, _) = triage(&submission(&input));
        assert!(again.facts.get("supported_length").is_some() && again.facts.get("iban").is_some());

        // Both notices are one household's, both applications another's.
        assert_eq!(class.metadata["household"], found("route").metadata["household"]);
        assert_eq!(found("facts").metadata["household"], found("letter").metadata["household"]);
        assert_ne!(class.metadata["household"], found("letter").metadata["household"]);
        let lock = dataset::split(&folder.path().join("split.lock")).unwrap();
        assert_eq!(lock.len(), 4);
        assert_eq!(lock[class.id.as_str()], lock[found("route").id.as_str()]);

        // A second time there is nothing new, and what stands is not touched.
        let before = std::fs::read(folder.path().join("split.lock")).unwrap();
        let again = summary(&export(database, folder.path(), &["--since", "2026-01-01"]));
        assert_eq!((&again["written"], &again["already_there"]), (&json!(0), &json!(4)), "{again}");
        assert_eq!(std::fs::read(folder.path().join("split.lock")).unwrap(), before);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_second_label_confirms_or_disputes() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    review(&app).await;
    let folder = tempfile::tempdir().unwrap();
    summary(&export(&database, folder.path(), &[]));
    let file = folder.path().join("2026-03.jsonl");
    let cases = dataset::all(&file).unwrap();
    let id = |aspect: &str| cases.iter().find(|case| case.metadata["aspect"] == aspect).unwrap().id.to_string();
    let labels = [
        json!({ "id": id("class"), "label": "LI1", "by": "Risto Rinnakkainen" }),
        json!({ "id": id("route"), "label": "municipality", "by": "Risto Rinnakkainen" }),
        json!({ "id": id("letter"), "label": true, "by": "Veera Valmistelija" }),
    ];
    let lines: Vec<String> = labels.iter().map(Value::to_string).collect();
    let path = folder.path().join("labels.txt");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let output = export(&database, folder.path(), &["--confirm", path.to_str().unwrap()]);
    let done = summary(&output);
    assert_eq!(output.status.code(), Some(3), "one of three was refused");
    assert_eq!(done["agreement"]["confirmed"], 1, "{done}");
    assert_eq!((&done["agreement"]["disputed"], &done["agreement"]["pending"]), (&json!(1), &json!(2)), "{done}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("labels.txt:3: ") && said.contains("the reviewer's own"), "{said}");
    let settled: Vec<String> =
        dataset::all(&file).unwrap().iter().filter(|case| case.is_settled()).map(|case| case.id.to_string()).collect();
    assert_eq!(settled, [id("class")]);

    // Another key would make other households of the same people.
    let other = folder.path().join("other");
    std::fs::write(&other, [b'k'; 32]).unwrap();
    let output = export(&database, folder.path(), &["--key", other.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    app.stop().await;
}
