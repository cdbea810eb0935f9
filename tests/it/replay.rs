//! Decided cases drafted again in shadow: the same files give the same, other rates other amounts, and people's edits
//! show. Nothing is written, and nothing that anybody wrote is printed.

use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};
use vireille::config::Config;
use vireille::model::chat::ChatModel;
use vireille::model::prompts::Prompts;
use vireille::storage::DecidedFilter;
use vireille::triage::agent::Agent;
use vireille::triage::replay::{Comparison, redraft};
use vireille::triage::{Desk, pipeline};

use crate::support::app::TestApp;
use crate::support::database::{Database, on_every_database};
use crate::support::desk::{circumstances, copy_folder, desk, policies, register_unit, road_json, submission};
use crate::support::endpoint;
use crate::support::files::{base64, pdf};
use crate::support::model::{ScriptedModel, Turn};

fn road(id: &str) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    road["fields"]["register_unit"] = register_unit(id).into();
    let minutes = json!({ "name": "poytakirja.pdf", "content": base64(&pdf(&["Kokous 20.2.2026"])) });
    road["attachments"].as_array_mut().unwrap().push(minutes);
    road
}

/// Three decided cases: as drafted, with a handler's words, and after a completion request that was answered.
async fn decide_three(app: &TestApp) -> [String; 3] {
    let (handler, director) = (app.handler().await, app.director().await);
    let plain = app.drafted(&road("plain")).await;
    director.approve(&plain).await.expect(200);

    app.now_is("2026-03-11T08:15:00Z");
    let edited = app.drafted(&road("edited")).await;
    handler.claim(&edited).await.expect(200);
    let added = |text: &str| format!("{text}\nAsia on käsitelty kiireellisenä.");
    handler.edit_part(&edited, "conditions", added).await.expect(200);
    director.approve(&edited).await.expect(200);

    app.now_is("2026-03-12T08:15:00Z");
    let mut incomplete = road("completed");
    incomplete["fields"].as_object_mut().unwrap().remove("supported_length");
    let completed = app.drafted(&incomplete).await;
    assert_eq!(director.draft(&completed).await["content"]["kind"], "completion");
    director.approve(&completed).await.expect(200);
    let more = json!({ "fields": { "supported_length": "2350" } });
    app.residents().await.post(&format!("{completed}/supplements"), &more).await.expect(201);
    app.run_jobs().await;
    director.approve(&completed).await.expect(200);

    let mut numbers = Vec::new();
    for case in [&plain, &edited, &completed] {
        let page = handler.get(case).await.expect(200).json;
        assert_eq!(page["status"], "decided");
        numbers.push(page["number"].as_str().unwrap().to_owned());
    }
    numbers.try_into().unwrap()
}

fn replay(database: &Database, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["replay", "--json", "--database", &database.url])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    lines
}

/// What would move if anything were written.
async fn standing(database: &Database) -> String {
    let storage = &database.storage;
    let municipality = "harjuvesi".parse().unwrap();
    let head = storage.audit_head(&municipality).await.unwrap();
    format!(
        "{head:?} {:?} {:?}",
        storage.case_counts(&municipality).await.unwrap(),
        storage.pending_jobs().await.unwrap()
    )
}

#[tokio::test]
async fn the_same_files_give_the_same_and_an_edit_shows_as_distance() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let [plain, edited, completed] = decide_three(&app).await;
        let before = standing(database).await;
        let output = replay(database, &[]);
        let lines = lines(&output);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        // The newest decision comes first.
        let numbers: Vec<&str> = lines.iter().filter_map(|line| line["number"].as_str()).collect();
        assert_eq!(numbers, [completed.as_str(), &edited, &plain]);
        for line in &lines[..3] {
            assert_eq!(line["amount"], json!({ "decided": "2585.00", "again": "2585.00" }), "{line}");
            assert_eq!((&line["sections_added"], &line["sections_dropped"]), (&json!([]), &json!([])));
            assert_eq!((&line["reasons"]["words"], &line["newly_failing"]), (&json!(0), &json!([])), "{line}");
        }
        let words = |n: usize| lines[n]["letter"]["words"].as_u64().unwrap();
        assert_eq!((words(0), words(1), words(2)), (0, 4, 0), "four words were added by hand");
        assert_eq!(lines[3]["summary"]["same_outcome"], 3);
        assert_eq!(standing(database).await, before);
        app.stop().await;
    })
    .await;
}

/// The packs with a lower rate for the first class of roads.
fn other_rates() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&policies(), folder.path());
    let policy = folder.path().join("base/policies");
    // Its worked cases hold the amounts of the old rate.
    std::fs::remove_file(policy.join("private-road-grant.tests.yaml")).unwrap();
    let mut changed = 0;
    for entry in std::fs::read_dir(policy).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if text.contains("rate_a: {value: \"1.10\"") {
            std::fs::write(entry.path(), text.replace("rate_a: {value: \"1.10\"", "rate_a: {value: \"1.00\"")).unwrap();
            changed += 1;
        }
    }
    assert!(changed > 0, "the policy has its rate where this test looks for it");
    folder
}

#[tokio::test]
async fn other_rates_give_other_amounts() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let [plain, ..] = decide_three(&app).await;
    let folder = other_rates();
    let other = folder.path().display().to_string();
    let output = replay(&database, &["--policies", &other, "--case", &plain]);
    let lines = lines(&output);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines[0]["amount"], json!({ "decided": "2585.00", "again": "2350.00" }));
    assert_eq!(lines[1]["summary"]["cases"], 1);
    assert_eq!(lines[1]["summary"]["same_amount"], 0);
    app.stop().await;
}

#[tokio::test]
async fn nothing_is_written_and_nobody_is_named() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let [plain, ..] = decide_three(&app).await;
    app.stop().await;
    database.storage.close().await;
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let before = std::fs::read(path).unwrap();
    for arguments in [&[][..], &["--since", "2026-01-01", "--limit", "2", "--service", "private-road-grant"]] {
        let output = replay(&database, arguments);
        assert_eq!(output.status.code(), Some(0));
        let table = Command::new(env!("CARGO_BIN_EXE_vireille"))
            .args(["replay", "--database", &database.url])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr, table.stdout.clone(), table.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("HRJ/2026/"), "{said}");
        for private in ["Harjun tiekunta", "Harjuntie", "1234567-1", "FI21", "Testi", "040 000", "kiireellisenä"] {
            assert!(!said.contains(private), "{private}: {said}");
        }
        let table = String::from_utf8(table.stdout).unwrap();
        assert!(table.contains("the same outcome in"), "{table}");
    }
    assert!(std::fs::read(path).unwrap() == before, "the database is byte for byte what it was");
    // Nothing fits, and a filter that nobody can mean is refused.
    let nothing = replay(&database, &["--since", "2027-01-01"]);
    assert_eq!(lines(&nothing)[0]["summary"]["cases"], 0);
    assert_eq!(nothing.status.code(), Some(1), "nothing was compared, which is not the same");
    assert_eq!(replay(&database, &["--since", "yesterday"]).status.code(), Some(2));
    let one = lines(&replay(&database, &["--case", &plain]));
    assert_eq!(one[0]["number"], plain.as_str());
    let mistyped = replay(&database, &["--case", &plain, "HRJ/2026/99999"]);
    assert_eq!(mistyped.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&mistyped.stderr).contains("HRJ/2026/99999"));
    assert_eq!(replay(&database, &["--case", "HRJ/2026/99999"]).status.code(), Some(1));
}

#[tokio::test]
async fn only_what_was_decided_last_counts_and_only_in_its_municipality() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let [.., completed] = decide_three(&app).await;
        let storage = &database.storage;
        let all = DecidedFilter::default();
        let decided = storage.decided(&"harjuvesi".parse().unwrap(), &all, 10).await.unwrap();
        assert_eq!(decided.len(), 3, "the completion request was gone on with");
        assert_eq!(decided[0].case.number, completed);
        assert_eq!(decided[1].draft.version, decided[1].proposed.version + 1, "the edited one follows the machine's");
        assert!(storage.decided(&"ylaharju".parse().unwrap(), &all, 10).await.unwrap().is_empty());
        let other = DecidedFilter { service: Some("fault-notice".parse().unwrap()), ..DecidedFilter::default() };
        assert!(storage.decided(&"harjuvesi".parse().unwrap(), &other, 10).await.unwrap().is_empty());
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_models_words_show_as_distance_and_no_case_is_its_own_precedent() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    decide_three(&app).await;
    let storage = &database.storage;
    let model = Arc::new(ScriptedModel::good().on("compose-decision", [Turn::Tools]));
    let config = Config::standard();
    let prompts = Arc::new(Prompts::load(&policies().with_file_name("prompts")).unwrap_or_else(|f| panic!("{f}")));
    let asked = Arc::clone(&model) as Arc<dyn ChatModel>;
    let agent = Agent::new(asked, prompts, &config.model, &config.budget, database.ambient.clone())
        .with_precedents(Arc::new(storage.clone()));
    let desk = Desk { agent: Some(Arc::new(agent)), ..(*desk()).clone() };

    let decided = storage.decided(&"harjuvesi".parse().unwrap(), &DecidedFilter::default(), 10).await.unwrap();
    for decided in &decided {
        let submission = pipeline::submission(storage, &decided.case).await.unwrap();
        let (file, proposal) = redraft(&desk, &submission, decided).await.unwrap();
        assert!(file.fallbacks.is_empty(), "{:?}", file.fallbacks);
        let compared = Comparison::of(decided, &file, &proposal, desk.engine());
        assert!(compared.is_same(), "a model changes words and nothing that binds: {compared:?}");
        assert!(compared.reasons.words > 0 && compared.letter.words > 0, "{compared:?}");
        let last = model.requests().pop().unwrap();
        assert_eq!(last.purpose.case, Some(decided.case.id), "the limits of a case hold for each of them");
        assert_eq!((compared.engine.decided.name.as_str(), compared.engine.again.name.as_str()), ("offline", "openai"));
    }
    // All were decided at the moment at which they were drafted in this story: none is a precedent of any.
    let sent = model.everything_sent();
    assert!(sent.contains("similar_decisions") && !sent.contains("decided_on"), "{sent}");
    // A case that comes later sees them.
    desk.dry_run(&submission(&road_json()), &circumstances("2026-05-05T09:00:00Z")).await.unwrap();
    assert!(model.everything_sent().contains("decided_on"));
    app.stop().await;
}

/// The table of a replay by a language model at this address, and how it ended. What time and prices decide is left out.
fn table(database: &Database, address: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["replay", "--engine", "openai", "--model", "scripted-1", "--database", &database.url])
        .args(arguments)
        .env("VIREILLE__MODEL__URL", address)
        .env("VIREILLE__MODEL__KEY", "sk-test")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    let spent = regex::Regex::new(r"[1-9]\d* tokens, \d+\.\d+ [A-Z]{3}, \d+\.\d s of answers").unwrap();
    assert!(spent.is_match(&table), "{table}");
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    (output.status.code(), spent.replace(&table.join("\n"), "[tokens, cost and seconds]").into_owned())
}

/// More than one thread: the address answers while the program is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_at_an_address_is_replayed_as_a_table() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    decide_three(&app).await;
    let before = standing(&database).await;
    let model = Arc::new(ScriptedModel::good());
    let address = endpoint::serve(Arc::clone(&model)).await;

    let (code, same) = table(&database, &address, &[]);
    assert_eq!(code, Some(0), "a model changes words and nothing that binds:\n{same}");
    insta::assert_snapshot!("replay-same", same);
    assert_eq!(model.times("compose-decision"), 3);

    let folder = other_rates();
    let (code, differs) = table(&database, &address, &["--policies", &folder.path().display().to_string()]);
    assert_eq!(code, Some(4), "{differs}");
    insta::assert_snapshot!("replay-differs", differs);

    // A model whose words no check lets through costs nothing but its words.
    let address = endpoint::serve(Arc::new(ScriptedModel::always(Turn::InventedNumber))).await;
    let (code, fell_back) = table(&database, &address, &[]);
    assert_eq!(code, Some(0), "{fell_back}");
    assert!(fell_back.contains("the offline engine took over in 3."), "{fell_back}");
    assert_eq!(standing(&database).await, before, "something was written");
    app.stop().await;
}
