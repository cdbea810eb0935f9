//! The command line as a stranger meets it: what goes to standard output, what to standard error, and how it ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vireille::cases::MunicipalityId;
use vireille::policy::Rulebook;
use vireille::storage::QueueFilter;

use crate::support::database::{Database, on_every_database};
use crate::support::desk::{policies, road_json};
use crate::support::endpoint;
use crate::support::model::ScriptedModel;

fn vireille() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vireille"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    // What this shell happens to set must not change a test.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("VIREILLE__") {
            command.env_remove(name);
        }
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    vireille().args(arguments).output().unwrap()
}

fn exit(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder with a database and submissions.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn database(&self) -> String {
        format!("--database=sqlite:{}", self.0.path().join("vireille.db").display())
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

#[test]
fn help_tells_the_exit_codes_and_wrong_use_is_two() {
    let help = run(&["--help"]);
    assert_eq!(exit(&help), 0);
    assert!(text(&help.stdout).contains("Exit codes:"));
    let wrong = run(&["triage"]);
    assert_eq!(exit(&wrong), 2);
    assert!(wrong.stdout.is_empty());
    assert!(text(&wrong.stderr).contains("Usage:"));
}

#[test]
fn triage_prints_one_object_a_line_in_the_stable_shape_and_stores_nothing() {
    let desk = Desk::new();
    let mut second = road_json();
    second["id"] = json!("r2");
    let file = desk.file("two.jsonl", &format!("{}\n{second}\n", road_json()));
    let arguments = ["triage", &file, "--json", "--at", "2026-04-20T12:00:00+03:00", &desk.database()];
    let output = run(&arguments);
    assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    let reports = lines(&output);
    assert_eq!(reports.iter().map(|report| &report["id"]).collect::<Vec<_>>(), ["r1", "r2"]);
    let report = &reports[0];
    assert_eq!(report["case"]["service"], "private-road-grant");
    assert_eq!(report["case"]["matter"], "application");
    assert_eq!(report["route"]["because"], "delegation/road-grant@2026-01-01");
    assert_eq!(report["assessment"]["outcome"], "granted");
    assert_eq!(report["assessment"]["amount"], "2585.00");
    assert_eq!(report["draft"]["kind"], "grant");
    assert!(report["draft"]["letter"].as_str().unwrap().contains("2\u{a0}585,00\u{a0}€"));
    assert_eq!(report["engine"]["name"], "offline");
    for key in ["classification", "flags", "facts", "checks"] {
        assert!(!report[key].is_null(), "{key}");
    }
    assert!(!desk.0.path().join("vireille.db").exists(), "a dry run made a database");
    assert_eq!(output.stdout, run(&arguments).stdout, "same input, same moment, other draft");
}

/// More than one thread: the address answers while the program is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triage_asks_a_model_at_an_address() {
    let desk = Desk::new();
    let file = desk.file("one.json", &road_json().to_string());
    let model = Arc::new(ScriptedModel::good());
    let address = endpoint::serve(Arc::clone(&model)).await;
    let output = vireille()
        .args(["triage", &file, "--engine", "openai", "--model", "scripted-1", "--json"])
        .args(["--at", "2026-04-20T12:00:00+03:00"])
        .envs([("VIREILLE__MODEL__URL", address.as_str()), ("VIREILLE__MODEL__KEY", "sk-test")])
        .output()
        .unwrap();
    assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    let report = &lines(&output)[0];
    assert_eq!((&report["engine"]["name"], &report["engine"]["model"]), (&json!("openai"), &json!("scripted-1")));
    assert_eq!(report["assessment"]["amount"], "2585.00");
    assert_eq!(model.times("compose-decision"), 1);
}

#[test]
fn one_bad_line_is_told_and_the_others_go_through() {
    let desk = Desk::new();
    let file = desk.file("three.jsonl", &format!("{}\n{{\"text\": 7}}\n{}\n", road_json(), road_json()));
    let output = run(&["triage", &file, "--json"]);
    assert_eq!(exit(&output), 3);
    let reports = lines(&output);
    assert_eq!(reports.len(), 3, "one object a line, also for what cannot be read");
    assert_eq!(reports[1]["error"]["at"], "line 2: /text");
    assert!(text(&output.stderr).contains("line 2: /text: this is a number; write a text"));
}

#[test]
fn an_input_that_cannot_be_used_ends_with_two() {
    let desk = Desk::new();
    for (name, content, told) in [
        ("empty.json", "", "there is nothing in it"),
        ("cut.json", "{\"text\": \"abc", "the JSON ends too early"),
        ("latin1.json", "{\"service\": \"dog-licence\"}", "write one of:"),
        ("where.json", "{\"municipality\": \"atlantis\"}", "`atlantis` is not served here"),
        ("when.json", "{\"sent_at\": \"2026-02-30T10:00:00+02:00\"}", "the day 2026-02-30 does not exist"),
    ] {
        let file = desk.file(name, content);
        let output = run(&["triage", &file]);
        assert_eq!(exit(&output), 2, "{name}");
        assert!(text(&output.stderr).contains(told), "{name}: {}", text(&output.stderr));
    }
    let output = run(&["triage", "no/such/file.json"]);
    assert_eq!(exit(&output), 2);
    assert!(text(&output.stderr).contains("no/such/file.json: the file cannot be read"));
}

#[test]
fn own_files_are_registered_once_and_drafted() {
    let desk = Desk::new();
    let json = desk.file("a.json", &road_json().to_string());
    let mail = desk.file("b.eml", "From: a@example.fi\r\nSubject: Kuoppa\r\n\r\nKirkkotiellä on kuoppa.\r\n");
    let note = desk.file("c.txt", "Katuvalo ei pala Kirkkotiellä.");
    let submit = ["submit", &json, &mail, &note, "--json", &desk.database()];
    let first = run(&submit);
    assert_eq!(exit(&first), 0, "{}", text(&first.stderr));
    let numbers = |output: &Output| -> Vec<Value> {
        lines(output).into_iter().map(|line| line["receipt"]["number"].clone()).collect()
    };
    assert_eq!(numbers(&first), ["HRJ/2026/00001", "HRJ/2026/00002", "HRJ/2026/00003"]);
    let again = run(&submit);
    assert_eq!(numbers(&again), numbers(&first), "handed in twice, registered twice");

    let work = run(&["work", "--once", "--json", &desk.database()]);
    assert_eq!(lines(&work)[0]["steps"], 15, "{}", text(&work.stderr));
    let verify = run(&["audit", "verify", "--json", &desk.database()]);
    assert_eq!((exit(&verify), &lines(&verify)[0]["ok"]), (0, &json!(true)));
}

#[test]
fn standard_input_is_a_file_like_any() {
    let mut child =
        vireille().args(["triage", "-", "--json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(road_json().to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(lines(&output)[0]["draft"]["kind"], "grant");
}

#[test]
fn an_export_is_verified_without_the_database_and_an_edit_is_seen() {
    let desk = Desk::new();
    let file = desk.file("a.txt", "Katuvalo ei pala.");
    run(&["submit", &file, &desk.database()]);
    let export = run(&["audit", "export", &desk.database()]);
    assert_eq!(exit(&export), 0);
    let good = desk.file("good.jsonl", &text(&export.stdout));
    let verified = run(&["audit", "verify", "--file", &good, "--json"]);
    assert_eq!(exit(&verified), 0);
    let anchor = lines(&verified)[0]["anchor"].as_str().unwrap().to_owned();
    assert_eq!(exit(&run(&["audit", "verify", "--file", &good, "--anchor", &anchor])), 0);

    let bad = desk.file("bad.jsonl", &text(&export.stdout).replace("registered", "withdrawn"));
    let told = run(&["audit", "verify", "--file", &bad]);
    assert_eq!(exit(&told), 1);
    assert!(text(&told.stderr).contains("audit event 1"), "{}", text(&told.stderr));
    assert_eq!(exit(&run(&["audit", "verify", "--anchor", "1:xyz", &desk.database()])), 2);
}

#[test]
fn a_token_is_shown_once_and_ends_when_revoked() {
    let desk = Desk::new();
    let made =
        run(&["token", "create", "--name", "Testi Käsittelijä", "--role", "handler", "--json", &desk.database()]);
    let made = &lines(&made)[0];
    assert!(made["token"].as_str().unwrap().starts_with("vir_"));
    let id = made["person"]["token"].as_str().unwrap();
    let listed = text(&run(&["token", "list", "--json", &desk.database()]).stdout);
    assert!(listed.contains(id) && !listed.contains("vir_"), "{listed}");
    assert_eq!(exit(&run(&["token", "revoke", id, &desk.database()])), 0);
    assert_eq!(exit(&run(&["token", "revoke", id, &desk.database()])), 2);
    assert!(run(&["token", "list", "--json", &desk.database()]).stdout.is_empty());
}

#[test]
fn a_token_is_made_by_the_rules_of_the_house_or_not_at_all() {
    let desk = Desk::new();
    let create = |arguments: &[&str]| {
        let database = desk.database();
        run(&[&["token", "create", "--name", "Testi Päättäjä", "--json", database.as_str()], arguments].concat())
    };
    for (arguments, told) in [
        (&["--role", "approver"][..], "--post: an approver acts with the power of a post or body; write its id"),
        (&["--role", "approver", "--post", "mayor"], "--post: the municipality has no post or body `mayor`; write"),
        (
            &["--role", "handler", "--municipality", "atlantis"],
            "`atlantis` is not served here; write one of: harjuvesi",
        ),
    ] {
        let refused = create(arguments);
        assert_eq!(exit(&refused), 2, "{arguments:?}");
        assert!(text(&refused.stderr).contains(told), "{arguments:?}: {}", text(&refused.stderr));
        assert!(refused.stdout.is_empty(), "{arguments:?}: a token was made");
    }
    assert!(run(&["token", "list", "--json", &desk.database()]).stdout.is_empty());

    let made = create(&["--role", "approver", "--post", "technical-director"]);
    assert_eq!(exit(&made), 0, "{}", text(&made.stderr));
    let person = &lines(&made)[0]["person"];
    assert_eq!((&person["post"], &person["municipality"]), (&json!("technical-director"), &json!("harjuvesi")));
    run(&["token", "revoke", person["token"].as_str().unwrap(), &desk.database()]);
    let chain = text(&run(&["audit", "export", &desk.database()]).stdout);
    let changes: Vec<Value> = chain
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["kind"] == "token-changed")
        .collect();
    // The same payload as over the API, also from the command line.
    let payload = |event: &Value| match &event["payload"] {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    let made = json!({"token": person["token"], "role": "approver", "post": "technical-director", "change": "made"});
    assert_eq!(
        changes.iter().map(payload).collect::<Vec<_>>(),
        [made, json!({"token": person["token"], "change": "revoked"})],
        "{chain}"
    );
}

#[test]
fn policies_are_searched_by_day_and_language() {
    let search = ["policy", "search", "yksityistien", "tuettava", "pituus", "--json", "--limit", "3", "--on"];
    for (day, version) in [("2026-04-20", "2026-01-01"), ("2025-04-20", "2024-01-01")] {
        let found = lines(&run(&[&search[..], &[day]].concat()));
        assert_eq!(found.len(), 3);
        assert!(
            found.iter().any(|passage| passage["section"] == format!("private-road-grant@{version}#s3")),
            "{found:?}"
        );
    }
    let shown = run(&["policy", "search", "stödberättigande längd", "--language", "sv", "--on", "2026-04-20"]);
    assert!(text(&shown.stdout).contains("[private-road-grant@2026-01-01#s3]"), "{}", text(&shown.stdout));
    let nothing = run(&["policy", "search", "zzzz", "--json"]);
    assert_eq!((exit(&nothing), nothing.stdout.len()), (0, 0));
    assert!(!nothing.stderr.is_empty());
    assert_eq!(exit(&run(&["policy", "search", "tie", "--on", "eilen"])), 2);
    assert_eq!(exit(&run(&["policy", "search", "tie", "--municipality", "muualla"])), 2);
    let indexed = run(&["policy", "index", "--json"]);
    assert_eq!(lines(&indexed)[0]["collection"], Value::Null);
    let unreachable = vireille()
        .args(["policy", "index"])
        .envs([("VIREILLE__SEARCH__BACKEND", "qdrant"), ("VIREILLE__SEARCH__URL", "http://127.0.0.1:1")])
        .output()
        .unwrap();
    assert_eq!(exit(&unreachable), 1);
}

#[test]
fn policies_are_checked_shown_and_described() {
    let checked = run(&["policy", "check"]);
    assert_eq!(exit(&checked), 0, "{}", text(&checked.stdout));
    let shown = run(&["policy", "show", "private-road-grant@2026-01-01", "--json"]);
    let document = &lines(&shown)[0];
    assert!(document["sections"].as_array().unwrap().iter().any(|section| section["section"] == "s3"));
    assert_eq!(exit(&run(&["policy", "show", "private-road-grant@1999-01-01"])), 2);

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("base")).unwrap();
    let faulty = run(&["policy", "check", "--policies", &folder.path().display().to_string()]);
    assert_eq!(exit(&faulty), 1);
    assert!(!faulty.stdout.is_empty(), "faults are results");
    let told = |count: usize| if count == 1 { "1 fault.".to_owned() } else { format!("{count} faults.") };
    let stderr = text(&faulty.stderr);
    assert!(stderr.contains(&told(text(&faulty.stdout).lines().count())), "{stderr}");
}

#[test]
fn settings_are_checked_with_their_place() {
    let desk = Desk::new();
    assert_eq!(exit(&run(&["config", "check"])), 0);
    let file = desk.file("vireille.toml", "[server]\nlisten = \"nowhere\"\nport = 1\n");
    let faulty = run(&["config", "check", "--config", &file, "--json"]);
    assert_eq!(exit(&faulty), 2);
    let told = lines(&faulty)[0]["faults"].to_string();
    assert!(told.contains("server.listen") && told.contains("port"), "{told}");
    let shown: toml::Table = text(&run(&["config", "show"]).stdout).parse().unwrap();
    assert!(shown.contains_key("server"));
}

fn demo(database: &str, arguments: &[&str]) -> Command {
    let mut command = vireille();
    command.args(["demo", "--json", "--database", database]).args(arguments);
    command
}

/// Every case of the demo with its draft, by number.
fn demo_table(database: &str) -> Vec<Value> {
    let output = demo(database, &["--no-serve"]).output().unwrap();
    assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
    lines(&output)
}

#[test]
fn the_demo_shows_every_way_a_case_can_go() {
    let desk = Desk::new();
    let database = format!("sqlite:{}", desk.0.path().join("demo.db").display());
    let rows = demo_table(&database);
    assert!(rows.len() >= 12, "{} cases", rows.len());
    let has = |key: &str, value: Value| rows.iter().any(|row| row[key] == value);
    let harjuvesi =
        Rulebook::load(&policies(), &"harjuvesi".parse().unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    // What the office opens is about a decision that was made, and in the demo a person has still to make the first.
    for (service, _) in harjuvesi.pack.services.iter().filter(|(_, service)| !service.office) {
        let is_of =
            |row: &Value| row["service"].as_str().is_some_and(|name| name.split(' ').next() == Some(service.as_str()));
        assert!(rows.iter().any(is_of), "the inbox has nothing for `{service}`");
    }
    let flagged = |flag: &str| rows.iter().any(|row| row["flags"].as_array().unwrap().contains(&json!(flag)));
    assert!(has("amount", json!("2585.00")), "R1 of the rules of 2026");
    assert!(has("draft", json!("completion")));
    assert!(has("route", json!("state-road-keeper")), "a redirect to the state road authority");
    assert!(flagged("emergency"));
    assert!(has("draft", json!("inadmissible")) && flagged("late"));
    assert!(rows.iter().all(|row| row["status"] == "in-review" && !row["draft"].is_null()));
    assert_eq!(rows, demo_table(&database), "a second run made other cases");
}

#[tokio::test]
async fn killed_in_the_middle_and_started_again_every_case_ends_in_one_draft() {
    on_every_database(async |database| {
        for _ in 0..3 {
            kill_in_the_middle(database).await;
        }
        let rows = demo_table(&database.url);
        let samples = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/harjuvesi/samples"))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_file())
            .count();
        assert_eq!(rows.len(), samples + 1, "one message tells of damage and of the hole that did it");
        for row in &rows {
            assert_eq!(row["status"], "in-review", "{row}");
        }
        let harjuvesi: MunicipalityId = "harjuvesi".parse().unwrap();
        let all = database.storage.cases(&harjuvesi, &QueueFilter::default(), None, 500).await.unwrap();
        for case in all.rows {
            let drafts = database.storage.drafts(&harjuvesi, case.id).await.unwrap();
            assert_eq!(drafts.len(), 1, "{} was drafted {} times", case.number, drafts.len());
        }
        assert!(database.storage.verify_audit(&harjuvesi, &[]).await.unwrap().is_ok());
        assert!(database.storage.dead_jobs(&harjuvesi).await.unwrap().is_empty());
    })
    .await;
}

/// Starts the demo and kills it, the hard way, as soon as it has written some more events.
async fn kill_in_the_middle(database: &Database) {
    let harjuvesi: MunicipalityId = "harjuvesi".parse().unwrap();
    let events = || async { database.storage.audit_head(&harjuvesi).await.unwrap().seq };
    let before = events().await;
    let mut child = demo(&database.url, &["--port", "0"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(15);
    while events().await < before + 20 && Instant::now() < patience && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn serve_tells_its_address_answers_and_stops_cleanly() {
    let desk = Desk::new();
    let mut child = vireille()
        .args(["serve", "--listen", "127.0.0.1:0", &desk.database()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    vireille::model::client::install_tls();
    let ready = runtime.block_on(reqwest::get(format!("{}/health/ready", address.trim()))).unwrap();
    assert!(ready.status().is_success());
    assert_eq!(stop(&mut child), Some(0));
}

/// Asks a process to stop, as a service manager does.
fn stop(child: &mut Child) -> Option<i32> {
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    child.wait().unwrap().code()
}
