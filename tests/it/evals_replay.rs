//! The recorded calls that are committed: what a scripted server said, and what the product made of it.
//!
//! `UPDATE_GOLDEN=1 cargo test --test it evals_replay::the_recorded` records them anew (docs/evals.md).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde_json::Value;
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::evals::case::EvalCase;
use vireille::evals::dataset;
use vireille::evals::load::{self, Loaded};
use vireille::evals::suite::Mode;
use vireille::evals::target;
use vireille::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest};
use vireille::text::identifiers::{IdentifierKind, find_all};

use crate::support::desk::{NOW, at, policies};
use crate::support::endpoint;
use crate::support::model::{ScriptedModel, Turn};

/// The suite whose calls are recorded.
const SUITE: &str = "model-triage";

fn evals() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evals")
}

fn suite() -> Loaded {
    let file = evals().join("suites").join(SUITE).with_extension("yaml");
    load::suite(&file).unwrap_or_else(|faults| panic!("\n{faults}"))
}

fn cases(loaded: &Loaded) -> Vec<EvalCase> {
    dataset::open(loaded, &[]).unwrap_or_else(|faults| panic!("\n{faults}")).cases
}

fn config(url: &str) -> Config {
    let mut config = Config::standard();
    config.policies.dir = policies();
    config.policies.cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    config.model.prompts = evals().with_file_name("prompts");
    url.clone_into(&mut config.model.url);
    config
}

/// A server that plays the script of one case after the other.
#[derive(Debug)]
struct Stage(Mutex<Arc<ScriptedModel>>);

impl Stage {
    fn play(&self, script: ScriptedModel) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(script);
    }
}

impl ChatModel for Stage {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let script = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move { script.chat(request).await })
    }
}

/// What the model says in a case: by prompt, one turn a request, the last one repeated; good answers to the rest.
fn script(case: &EvalCase) -> ScriptedModel {
    let prompts = case.metadata["script"].as_object().unwrap_or_else(|| panic!("{} has no script", case.id));
    prompts.iter().fold(ScriptedModel::good(), |model, (prompt, turns)| {
        let turns: Vec<Turn> = turns.as_array().into_iter().flatten().map(turn).collect();
        assert!(!turns.is_empty(), "{}: {prompt} has no turn", case.id);
        model.on(prompt, turns)
    })
}

fn turn(written: &Value) -> Turn {
    match written.as_str() {
        None => Turn::Says(written.clone()),
        Some("good") => Turn::Good,
        Some("tools") => Turn::Tools,
        Some("words") => Turn::Text("I would say that this is a lamp.".to_owned()),
        Some("malformed") => Turn::Malformed,
        Some("cut-off") => Turn::Truncated,
        Some("refuses") => Turn::Refuses,
        Some("invented-number") => Turn::InventedNumber,
        Some("invented-citation") => Turn::InventedCitation,
        Some("wrong-language") => Turn::WrongLanguage,
        Some("leaks-prompt") => Turn::LeaksPrompt,
        Some(other) => panic!("no such turn: {other}"),
    }
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    fn add(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                add(root, &entry, found);
            } else {
                let text = std::fs::read_to_string(&entry).unwrap();
                found.insert(entry.strip_prefix(root).unwrap().to_owned(), text);
            }
        }
    }
    let mut found = BTreeMap::new();
    add(folder, folder, &mut found);
    found
}

/// Records every case, one after the other, as if the suite stood in `home`; gives the folder of the recorded calls.
async fn record(home: &Path) -> PathBuf {
    let mut loaded = suite();
    let cases = cases(&loaded);
    loaded.path = home.join("suites").join(SUITE).with_extension("yaml");
    loaded.suite.run.mode = Mode::Record;
    let stage = Arc::new(Stage(Mutex::new(Arc::new(ScriptedModel::good()))));
    let url = endpoint::serve(Arc::clone(&stage)).await;
    let (ambient, _) = Ambient::fixed(at(NOW));
    let model = loaded.suite.models.first();
    let target = target::build(&loaded, &config(&url), model, &ambient).await.unwrap();
    for case in &cases {
        stage.play(script(case));
        target.answer(case, 0).await.unwrap_or_else(|error| panic!("{}: {error}", case.id));
    }
    loaded.cassettes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorded_calls_are_those_that_the_product_makes_today() {
    let home = tempfile::tempdir().unwrap();
    let fresh = files(&record(home.path()).await);
    let folder = suite().cassettes();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        for (name, text) in &fresh {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
    }
    let committed = files(&folder);
    let names = |of: &BTreeMap<PathBuf, String>, without: &BTreeMap<PathBuf, String>| -> Vec<PathBuf> {
        of.iter().filter(|(name, text)| without.get(*name) != Some(text)).map(|(name, _)| name.clone()).collect()
    };
    let (missing, unused) = (names(&fresh, &committed), names(&committed, &fresh));
    assert!(
        missing.is_empty() && unused.is_empty(),
        "record them anew: UPDATE_GOLDEN=1 cargo test --test it evals_replay::the_recorded\nnot recorded: {missing:?}\n\
         asked by no case any more: {unused:?}"
    );
    let size: usize = committed.values().map(String::len).sum();
    assert!(committed.len() > 60 && size < 1_000_000, "{} tapes of {size} bytes", committed.len());
}

/// The cases are no new texts: what they say and what is right stands in the sets that they come from.
#[test]
fn every_case_is_one_of_the_sets_it_comes_from() {
    let cases = cases(&suite());
    for case in &cases {
        let word = |key: &str| case.metadata[key].as_str().unwrap_or_else(|| panic!("{} has no {key}", case.id));
        let set = evals().join("datasets").join(word("from")).join("cases.jsonl");
        let set = dataset::all(&set).unwrap_or_else(|faults| panic!("\n{faults}"));
        let source = set.iter().find(|source| source.id.as_str() == word("of"));
        let source = source.unwrap_or_else(|| panic!("{}: {} is gone", case.id, word("of")));
        assert_eq!(case.input, source.input, "{}", case.id);
        for known in ["label", "facts", "amount", "kind", "outcome", "decider", "recipient", "mentions"] {
            assert_eq!(case.expected.get(known), source.expected.get(known), "{}: {known}", case.id);
        }
    }
    let card = std::fs::read_to_string(evals().join("datasets").join(SUITE).join("CARD.md")).unwrap();
    assert!(card.contains(&format!("| cases | {} (", cases.len())) && card.contains("scripted server"));
    let good = cases.iter().filter(|case| case.metadata["model"] == "right").count();
    assert!(cases.len() >= 30 && good * 2 < cases.len(), "the script errs in most cases: {good} of {}", cases.len());
}

#[test]
fn nothing_recorded_names_anybody() {
    let tapes = files(&suite().cassettes());
    let texts: Vec<String> = cases(&suite()).iter().map(|case| case.input.to_string()).collect();
    let mut looked = 0;
    for text in texts {
        let plate = |kind| kind == IdentifierKind::Plate;
        for found in find_all(&text).into_iter().filter(|found| !plate(found.kind)) {
            looked += 1;
            let written = &text[found.start..found.end];
            let (name, _) = tapes.iter().find(|(_, tape)| tape.contains(written)).unzip();
            assert_eq!(name, None, "{:?} of a case stands there", found.kind);
        }
    }
    assert!(looked > 20, "{looked}");
    assert!(tapes.values().all(|tape| !tape.contains("Testi Puheenjohtaja")), "a person's name");
}

/// A copy of the suite with its cases and recorded calls, and of the prompts.
fn copied() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let repository = evals();
    let put = |name: PathBuf, text: &str| {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for folder in ["cassettes/model-triage", "datasets/model-triage"] {
        for (name, text) in files(&repository.join(folder)) {
            put(Path::new("evals").join(folder).join(name), &text);
        }
    }
    for (name, text) in files(&repository.with_file_name("prompts")) {
        put(Path::new("prompts").join(name), &text);
    }
    put("evals/suites/model-triage.yaml".into(), &std::fs::read_to_string(&suite().path).unwrap());
    home
}

/// Exit code, standard output and standard error.
fn eval(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vireille"))
        .current_dir(home)
        .args(["eval", arguments[0], "evals/suites/model-triage.yaml"])
        .args(&arguments[1..])
        .env("VIREILLE__POLICIES__DIR", policies())
        .env("VIREILLE__POLICIES__CACHE", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn edit(file: &Path, change: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(file).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text, "{}", file.display());
    std::fs::write(file, changed).unwrap();
}

#[test]
fn a_prompt_with_another_word_names_the_field_and_what_to_do() {
    let home = copied();
    let path = home.path().join("prompts/summarise.md");
    edit(&path, |text| text.replacen("Evidence", "Proof", 1));
    let (code, out, err) = eval(home.path(), &["run", "--limit=2", "--json"]);
    assert_eq!(code, 102, "an answer that is not recorded is no wrong answer: {err}");
    assert!(out.contains("\"error\":2") && out.contains("\"failed\":0"), "{out}");
    for says in [
        "2 of 2 cases have no answer (mod-001: no recorded call fits: messages[0].content at line ",
        "take the change back, or record anew (`--mode record`)",
    ] {
        assert!(err.contains(says), "{err}");
    }
    let (code, out, _) = eval(home.path(), &["explain-cache", "mod-001"]);
    assert!(code == 4 && out.starts_with("mod-001: not recorded: messages[0].content at line "), "{out}");

    // Every call of that prompt is stale, and only these.
    let (code, out, _) = eval(home.path(), &["explain-cache", "--json"]);
    let last: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    let unused = last["unused"].as_array().unwrap();
    assert_eq!((code, last["missed"].as_u64()), (4, Some(unused.len() as u64)));
    assert!(unused.len() > 20 && unused.iter().all(|name| name.as_str().unwrap().starts_with("summarise/")), "{out}");
    let share = last["missed_share"].as_f64().unwrap();
    assert!(share > 0.2 && share < 0.5, "{share}");
}

#[test]
fn what_no_case_asks_for_any_more_is_listed() {
    let home = copied();
    let (code, out, err) = eval(home.path(), &["explain-cache"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(
        out.ends_with(" calls, 0 of them not recorded (0 %); 0 recorded calls are asked for by no case.\n"),
        "{out}"
    );
    // The last case is taken out.
    let cases = home.path().join("evals/datasets/model-triage/cases.jsonl");
    edit(&cases, |text| text.split_inclusive('\n').filter(|line| !line.contains("mod-031")).collect());
    let (code, out, _) = eval(home.path(), &["explain-cache"]);
    assert_eq!(code, 4, "{out}");
    let unused: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("unused: ")).collect();
    assert!(
        unused.len() == 2 && unused[0].starts_with("compose-notice/") && unused[1].starts_with("summarise/"),
        "{out}"
    );
    let (code, _, err) = eval(home.path(), &["run"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("2 recorded calls are asked for by no case any more; `vireille eval explain-cache"), "{err}");
}
