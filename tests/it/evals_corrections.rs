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
    "131052-9085",
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
        "Naapurini Pekka Virtanen kaatui kun tie oli jäässä. Tunnus 131052-9085. T. Salla Salainen, Salaistenpolku 7";
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
    // The last word is the same person's, with another token and their name the other way round.
    handler.post(&format!("{edited}/release"), &Value::Null).await.expect(200);
    let again = app.person(Role::Handler, "veera  Valmistelija", None).await;
    again.claim(&edited).await.expect(200);
    let added = |text: &str| format!("{text}\nTie pidetään avoinna kaikille.");
    again.edit_part(&edited, "conditions", added).await.expect(200);
    director.approve(&edited).await.expect(200);

    road["id"] = "r2".into();
    app.now_is("2026-03-11T08:15:00Z");
    let asked = app.drafted(&road).await;
    handler.claim(&asked).await.expect(200);
    let question = json!({ "questions": [{ "about": "meeting_date", "text": "Milloin kokous pidettiin?" }] });
    handler.post(&format!("{asked}/ask"), &question).await.expect(200);
    app.run_jobs().await;
    director.approve(&asked).await.expect(200);

    // Sent before the window closed, received after an outage: the policy leaves that to a person.
    let mut outage = road.clone();
    (outage["id"], outage["sent_at"]) = ("r4".into(), "2026-04-15T11:59:00Z".into());
    app.now_is("2026-04-15T12:20:00Z");
    let late = app.drafted(&outage).await;
    let ruling =
        json!({ "rulings": [{ "rule": "in-time", "outcome": "not_met", "reason": "lähetetty liian myöhään" }] });
    director.claim(&late).await.expect(200);
    director.post(&format!("{late}/rulings"), &ruling).await.expect(200);
    app.run_jobs().await;
    app.director().await.approve(&late).await.expect(200);

    road["id"] = "r3".into();
    // Another of its roads: the same one is paid for once a year.
    road["fields"]["register_unit"] = "999-2026-K7".into();
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
        assert_eq!((&done["decided"], &done["written"]), (&json!(6), &json!(5)), "{done}\n{text}");
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
        assert!(letter.as_str().unwrap().contains("[case]"), "the number by which the register knows it: {letter}");
        assert!(letter.as_str().unwrap().contains("klo [time]"), "{letter}");
        let (expected, said) = (&found("outcome").expected, &found("outcome").metadata["model_said"]);
        assert_eq!(said, &json!({ "kind": "grant", "amount": "2585.00" }));
        assert!(expected["kind"] != "grant" && expected["amount"].is_null(), "{expected}");
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
            assert!(!text.contains("08:15") && !text.contains("t12:20"), "{file} has a minute");
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
        assert_eq!(lock.len(), 5);
        assert_eq!(lock[class.id.as_str()], lock[found("route").id.as_str()]);

        // A second time there is nothing new, and what stands is not touched.
        let before = std::fs::read(folder.path().join("split.lock")).unwrap();
        let again = summary(&export(database, folder.path(), &["--since", "2026-01-01"]));
        assert_eq!((&again["written"], &again["already_there"]), (&json!(0), &json!(5)), "{again}");
        assert_eq!(std::fs::read(folder.path().join("split.lock")).unwrap(), before);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_misread_fact_becomes_a_case_and_what_somebody_told_does_not() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let handler = app.handler().await;
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    let case = app.drafted(&road).await;
    handler.claim(&case).await.expect(200);
    let fact =
        |name: &str, value: &str, code: &str| json!({ "name": name, "value": value, "code": code, "reason": "x" });
    let facts = json!({ "facts": [
        fact("supported_length", "2400", "misread"), fact("households", "6", "party-told"),
        fact("chair_name", "Salla Salainen", "misread"),
    ] });
    handler.post(&format!("{case}/facts"), &facts).await.expect(200);
    app.run_jobs().await;
    app.director().await.approve(&case).await.expect(200);
    let folder = tempfile::tempdir().unwrap();
    let done = summary(&export(&database, folder.path(), &[]));
    let text = std::fs::read_to_string(folder.path().join("2026-03.jsonl")).unwrap();
    assert_eq!(done["written"], 1, "{done}\n{text}");
    let cases = dataset::all(&folder.path().join("2026-03.jsonl")).unwrap();
    assert_eq!(cases[0].metadata["aspect"], "values");
    assert_eq!(cases[0].expected, json!({ "facts": { "supported_length": "2400" } }));
    assert_eq!(cases[0].metadata["model_said"], json!({ "supported_length": "2350" }));
    assert!(!text.contains("Salainen"), "a name is no value: {text}");
    app.stop().await;
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
    let kind = &cases.iter().find(|case| case.metadata["aspect"] == "outcome").unwrap().expected["kind"];
    let labels = [
        json!({ "id": id("class"), "label": "LI1", "by": "Risto Rinnakkainen" }),
        json!({ "id": id("route"), "label": "municipality", "by": "Risto Rinnakkainen" }),
        json!({ "id": id("letter"), "label": true, "by": "Valmistelija Veera" }),
        json!({ "id": id("outcome"), "label": { "kind": kind, "amount": "2585.00" }, "by": "Risto Rinnakkainen" }),
        json!({ "id": id("facts"), "label": ["Salla Salainen"], "by": "Risto Rinnakkainen" }),
    ];
    let lines: Vec<String> = labels.iter().map(Value::to_string).collect();
    let path = folder.path().join("labels.txt");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let output = export(&database, folder.path(), &["--confirm", path.to_str().unwrap()]);
    let done = summary(&output);
    assert_eq!(output.status.code(), Some(3), "two of five were refused");
    assert_eq!(done["agreement"]["confirmed"], 1, "{done}");
    assert_eq!((&done["agreement"]["disputed"], &done["agreement"]["pending"]), (&json!(2), &json!(2)), "{done}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("labels.txt:3: ") && said.contains("the reviewer's own"), "{said}");
    assert!(said.contains("labels.txt:5: ") && said.contains("none that there is"), "{said}");
    let of =
        |aspect: &str| dataset::all(&file).unwrap().into_iter().find(|case| case.metadata["aspect"] == aspect).unwrap();
    assert_eq!(of("outcome").metadata["status"], "disputed", "the kind is right and the amount is not");
    assert_eq!(of("facts").metadata["second_label"], Value::Null);
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

/// Whatever stands in a field, whichever type the form gives it.
#[tokio::test]
async fn what_is_typed_into_a_field_is_read_or_masked() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let handler = app.handler().await;
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    for (name, value) in [
        ("total_length", json!("2600 m, mittasi Pekka Virtanen hetu 131052-908T puh 040 555 1234")),
        ("other_support", json!("0405551234")),
        ("meeting_date", json!("20.2.2026, paikalla Pekka Virtanen")),
        ("through_route", json!("kyllä, kysykää 040 555 1234")),
        ("grant_type", json!("131052-908T")),
        ("phone", json!(405_551_234)),
        ("hissi Pekka Virtanen", json!(405_551_234)),
    ] {
        road["fields"][name] = value;
    }
    road["attachments"][0]["name"] = "tilinpaatos Pekka Virtanen 131052-908T.txt".into();
    app.now_is("2026-03-10T08:15:00Z");
    let question = json!({ "questions": [{ "about": "meeting_date", "text": "Milloin kokous pidettiin?" }, { "about": "households", "text": "Montako taloutta?" }] });
    let case = app.drafted(&road).await;
    handler.claim(&case).await.expect(200);
    handler.post(&format!("{case}/ask"), &question).await.expect(200);
    app.run_jobs().await;
    app.director().await.approve(&case).await.expect(200);

    // What nobody masks leaves the whole case out: here the code has a gap where its sign should stand.
    let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
    let dirty = app.drafted(&notice("n1", "Katuvalo on pimeänä. Tunnukseni on 131052 908T.")).await;
    let class = json!({ "matter": "fault-notice", "service": "fault-notice", "category": "RD1", "reason": "Kuopasta on kyse." });
    registry.post(&format!("{dirty}/reclassify"), &class).await.expect(200);
    app.run_jobs().await;
    app.director().await.approve(&dirty).await.expect(200);

    let folder = tempfile::tempdir().unwrap();
    let done = summary(&export(&database, folder.path(), &[]));
    let text = std::fs::read_to_string(folder.path().join("2026-03.jsonl")).unwrap();
    assert_eq!((&done["written"], &done["left_out_unmasked"]), (&json!(1), &json!(1)), "{done}\n{text}");
    for planted in ["pekka", "virtanen", "131052", "908t", "5551234", "555 1234", "hissi"] {
        assert!(!text.to_lowercase().contains(planted), "{planted}\n{text}");
    }
    let case = &dataset::all(&folder.path().join("2026-03.jsonl")).unwrap()[0];
    let fields = &case.input["fields"];
    assert_eq!((&fields["supported_length"], &fields["cost_ploughing"]), (&json!("2350"), &json!("3000.00")));
    assert_eq!((&fields["households"], &fields["iban"]), (&json!("5"), &json!("FI21 1234 5600 0007 85")));
    assert!(fields["total_length"].as_str().unwrap().starts_with("2600 m, mittasi ["), "{fields}");
    assert_eq!(case.input["attachments"][0]["name"], "tilinpaatos-1.txt");
    app.stop().await;
}

/// A household is one however its marks are written.
#[tokio::test]
async fn one_household_is_in_one_part_however_it_writes_its_number() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
    let phones = ["040 777 1234", "+358407771234"];
    for (nth, phone) in phones.iter().enumerate() {
        let mut notice = notice(&format!("n{nth}"), "Katuvalo on pimeänä.");
        notice["party"] = json!({ "phone": phone });
        notice.as_object_mut().unwrap().remove("location");
        let case = app.drafted(&notice).await;
        let class = json!({ "matter": "fault-notice", "service": "fault-notice", "category": "RD1", "reason": "Kuopasta on kyse." });
        registry.post(&format!("{case}/reclassify"), &class).await.expect(200);
        app.run_jobs().await;
        app.director().await.approve(&case).await.expect(200);
    }
    let folder = tempfile::tempdir().unwrap();
    let done = summary(&export(&database, folder.path(), &[]));
    assert_eq!(done["written"], 2, "{done}");
    let cases = dataset::all(&folder.path().join("2026-03.jsonl")).unwrap();
    assert_eq!(cases[0].metadata["household"], cases[1].metadata["household"]);

    // A line of the lock that somebody moved into the other part is refused.
    let lock = folder.path().join("split.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    let (last, other) = if text.contains(" dev ") { (" dev ", " test ") } else { (" test ", " dev ") };
    let at = text.rfind(last).unwrap();
    std::fs::write(&lock, format!("{}{other}{}", &text[..at], &text[at + last.len()..])).unwrap();
    assert!(dataset::split(&lock).unwrap_err().to_string().contains("in both parts"));
    let output = export(&database, folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    app.stop().await;
}
