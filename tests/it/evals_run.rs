//! Runs of evaluation suites: each case once, each row kept, and an end that says what it was.

use std::collections::BTreeSet;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::evals::case::EvalCase;
use vireille::evals::dataset;
use vireille::evals::load::{self, Loaded};
use vireille::evals::meter::Metered;
use vireille::evals::row::{Observation, Row, Status, Used};
use vireille::evals::rows::Writer;
use vireille::evals::run::{self, BeginError, Beginning, Begun, End, Ended, Wanted, Work, again, resume};
use vireille::evals::score::Scorer;
use vireille::evals::select::Criterion;
use vireille::evals::suite::{Mode, RunSettings};
use vireille::evals::target::{Answer, Target, TargetError};

use vireille::model::accounts::prices::Prices;
use vireille::model::chat::{ChatModel as _, ChatRequest, Purpose, Sampling};

use crate::support::desk::{NOW, at};
use crate::support::model::{ScriptedModel, Turn};

const SUITE: &str = "\
version: 1
suite: smoke
description: Messages and their kinds.
dataset: { path: ../datasets/smoke.jsonl, cluster: metadata.household }
target: { component: masking }
run: { max_concurrency: 4, epochs: 2 }
assert:
  - { type: label, actual: output.label, expected: expected.label, metric: kind }
slices: [metadata.lang]
";

/// A folder of evaluations with one suite of 40 cases.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self::with(SUITE)
    }

    fn with(suite: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["suites", "datasets"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let cases = (0..40).map(|nth| {
            let case = json!({
                "id": format!("c-{nth:02}"), "input": { "text": format!("message {nth} {{{{ 7 * 7 }}}}") },
                "expected": { "label": if nth % 10 == 0 { "leak" } else { "lamp" } },
                "metadata": { "lang": if nth % 2 == 0 { "fi" } else { "sv" }, "household": format!("h-{}", nth / 2) },
            });
            format!("{case}\n")
        });
        std::fs::write(home.path().join("datasets/smoke.jsonl"), cases.collect::<String>()).unwrap();
        std::fs::write(home.path().join("suites/smoke.yaml"), suite).unwrap();
        Self(home)
    }

    fn suite(&self) -> PathBuf {
        self.0.path().join("suites/smoke.yaml")
    }

    fn loaded(&self) -> Loaded {
        load::suite(&self.suite()).unwrap()
    }

    fn begin(&self, criteria: &[Criterion]) -> Begun {
        let loaded = self.loaded();
        Beginning {
            loaded: &loaded,
            model: None,
            cases: dataset::open(&loaded, criteria).unwrap(),
            criteria,
            config: &Config::standard(),
            runs: &loaded.runs(),
            now: at(NOW),
        }
        .begin()
        .unwrap()
    }
}

async fn execute(begun: &mut Begun, target: Arc<dyn Target>, stop: impl Future<Output = ()>) -> Ended {
    let loaded = &begun.loaded;
    let work = Work {
        suite: Arc::new(loaded.suite.clone()),
        cases: std::mem::take(&mut begun.cases.cases).into(),
        target,
        scorer: Arc::new(Scorer::new(&loaded.suite, &loaded.path).unwrap()),
        done: std::mem::take(&mut begun.done),
        spent_micros: begun.spent_micros,
    };
    let writer = Writer::append(&begun.folder.rows()).unwrap();
    run::execute(work, writer, stop, |_| {}).await.unwrap()
}

fn again_of(begun: &Begun, retry: bool, change: impl FnOnce(&mut RunSettings)) -> Result<Begun, BeginError> {
    let begun = resume(&begun.folder.0, &Config::standard(), retry, change)?;
    begun.go_on()?;
    Ok(begun)
}

fn written(begun: &Begun) -> Vec<Row> {
    begun.folder.read().unwrap().rows
}

fn count(rows: &[Row], status: Status) -> usize {
    rows.iter().filter(|row| row.status == status).count()
}

/// A target that says the same to everything, unless the story wants it otherwise.
#[derive(Debug, Default)]
struct Scripted {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    down: AtomicBool,
    fails: &'static [(&'static str, Fails)],
    costs: i64,
    wait: Duration,
}

/// One call of a model that costs.
async fn spend() {
    let model = Arc::new(ScriptedModel::always(Turn::Text("yes".to_owned())));
    let metered = Metered::new(model, "gpt-4.1-mini", &Arc::new(Prices::standard()), &Ambient::system());
    let purpose = Purpose {
        municipality: "harjuvesi".parse().unwrap(),
        case: None,
        step: "classify",
        prompt: "classify@1".to_owned(),
        prompt_hash: String::new(),
    };
    let sampling = Sampling { temperature: 0.0, max_tokens: 10, seed: None };
    let request = ChatRequest { purpose, messages: Vec::new(), tools: Vec::new(), output: None, sampling };
    metered.chat(&request).await.unwrap();
}

#[derive(Debug, Clone, Copy)]
enum Fails {
    Error,
    /// After a call that cost.
    Spends,
    Panics,
    Words,
}

impl Scripted {
    async fn say(&self, case: &EvalCase) -> Result<Answer, TargetError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(self.wait).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(TargetError::Unreachable);
        }
        let used = Used { calls: 1, cost_micros: self.costs, ..Used::default() };
        let output = match self.fails.iter().find(|(id, _)| case.id.as_str() == *id) {
            Some((_, Fails::Error)) => return Err(TargetError::Failed("the letter has no kind".to_owned())),
            Some((_, Fails::Spends)) => {
                spend().await;
                return Err(TargetError::Failed("the letter has no kind".to_owned()));
            }
            Some((_, Fails::Panics)) => panic!("a story"),
            Some((_, Fails::Words)) => json!("It is a lamp."),
            None => json!({ "label": "lamp", "seen": case.input }),
        };
        Ok(Answer { output, used, served_by: Some("scripted-1".to_owned()) })
    }
}

impl Target for Scripted {
    fn answer<'a>(&'a self, case: &'a EvalCase, _: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        self.say(case).boxed()
    }
}

#[tokio::test]
async fn each_case_is_run_once_an_epoch_and_noted() {
    let home = Home::new();
    let mut begun = home.begin(&[]);
    let target = Arc::new(Scripted { wait: Duration::from_millis(1), ..Scripted::default() });
    let ended = execute(&mut begun, target.clone(), pending()).await;
    assert_eq!((ended.end, ended.served_by), (End::Complete, BTreeSet::from(["scripted-1".to_owned()])));
    let rows = written(&begun);
    assert_eq!((rows.len(), begun.record.rows, target.asked.load(Ordering::SeqCst)), (80, 80, 80));
    assert_eq!(target.most_at_once.load(Ordering::SeqCst), 4);
    assert_eq!((count(&rows, Status::Ok), count(&rows, Status::Failed)), (72, 8));
    let row = &rows[2];
    assert_eq!((row.case.as_str(), row.epoch, row.cluster.as_str()), ("c-01", 0, "h-0"));
    assert_eq!(row.slices["metadata.lang"], "sv");
    assert_eq!(row.output["seen"]["text"], "message 1 {{ 7 * 7 }}", "a case is never a template");
    let name = begun.folder.0.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.contains("-smoke-") && name.starts_with("20"), "{name}");
}

#[tokio::test]
async fn an_error_a_failure_and_an_unreadable_answer_are_three_things() {
    let home = Home::new();
    let mut begun = home.begin(&["--limit=5".parse().unwrap()]);
    let fails: &[_] = &[("c-01", Fails::Error), ("c-02", Fails::Panics), ("c-03", Fails::Words)];
    execute(&mut begun, Arc::new(Scripted { fails, ..Scripted::default() }), pending()).await;
    let rows = written(&begun);
    let of = |id: &str| rows.iter().find(|row| row.case.as_str() == id).unwrap();
    let predicted = |id: &str| match &of(id).scores["kind"].observation {
        Observation::Label { predicted, .. } => predicted.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((of("c-01").status, predicted("c-01").as_str()), (Status::Error, "__error__"));
    assert_eq!(of("c-01").error.as_deref(), Some("the letter has no kind"));
    assert_eq!((of("c-02").status, of("c-02").error.as_deref()), (Status::Error, Some("the target broke off")));
    assert_eq!((of("c-03").status, predicted("c-03").as_str()), (Status::Failed, "__invalid__"));
    assert_eq!((of("c-00").status, predicted("c-00").as_str()), (Status::Failed, "lamp"));
    assert_eq!(of("c-04").status, Status::Ok);
}

#[tokio::test]
async fn a_server_that_is_down_ends_the_run_at_once_and_the_run_can_go_on() {
    let home = Home::new();
    let mut begun = home.begin(&[]);
    let target = Arc::new(Scripted { down: true.into(), ..Scripted::default() });
    let ended = execute(&mut begun, target.clone(), pending()).await;
    assert_eq!(ended.end, End::Hopeless(TargetError::Unreachable));
    assert!(target.asked.load(Ordering::SeqCst) < 20, "not every case met the same");
    let errors = written(&begun).len();
    assert!(errors < 20);

    target.down.store(false, Ordering::SeqCst);
    let mut again = again_of(&begun, false, |_| {}).unwrap();
    assert_eq!((again.done.len(), again.record.attempts), (errors, 2));
    execute(&mut again, target.clone(), pending()).await;
    assert_eq!(count(&written(&again), Status::Error), errors, "errors stand until they are retried");

    let mut again = again_of(&begun, true, |_| {}).unwrap();
    let ended = execute(&mut again, target, pending()).await;
    let rows = written(&again);
    assert_eq!((ended.end, rows.len(), count(&rows, Status::Error)), (End::Complete, 80, 0));
}

#[tokio::test]
async fn a_stop_keeps_what_was_done() {
    let home = Home::new();
    let mut begun = home.begin(&[]);
    let target = Arc::new(Scripted { wait: Duration::from_millis(5), ..Scripted::default() });
    let ended = execute(&mut begun, target.clone(), tokio::time::sleep(Duration::from_millis(40))).await;
    let done = written(&begun).len();
    assert_eq!(ended.end, End::Interrupted);
    assert!(done > 0 && done < 80, "{done}");
    let mut again = again_of(&begun, false, |_| {}).unwrap();
    assert_eq!(again.done.len(), done);
    execute(&mut again, target.clone(), pending()).await;
    assert_eq!(written(&again).len(), 80);
    // Only what was in flight was asked twice.
    assert!(target.asked.load(Ordering::SeqCst) <= 80 + 4);
}

#[tokio::test]
async fn money_and_time_end_a_run() {
    let home = Home::with(&SUITE.replace("epochs: 2", "budget: 0.01"));
    let mut begun = home.begin(&[]);
    let target = Arc::new(Scripted { costs: 1_000, wait: Duration::from_millis(1), ..Scripted::default() });
    let ended = execute(&mut begun, target, pending()).await;
    assert_eq!(ended.end, End::OverBudget);
    let rows = written(&begun);
    assert!((10..=13).contains(&rows.len()), "what is in flight is paid for: {}", rows.len());
    // A raised budget, and the money of the first attempt counts.
    let begun = again_of(&begun, false, |settings| settings.budget = Some(1.0)).unwrap();
    assert_eq!(begun.spent_micros, i64::try_from(rows.len()).unwrap() * 1_000);
    assert_eq!(begun.loaded.suite.run.budget, Some(1.0));

    let home = Home::with(&SUITE.replace("epochs: 2", "deadline_seconds: 1"));
    let mut begun = home.begin(&[]);
    let target = Arc::new(Scripted { wait: Duration::from_hours(1), ..Scripted::default() });
    assert_eq!(execute(&mut begun, target, pending()).await.end, End::Deadline);
}

#[tokio::test]
async fn a_run_goes_on_only_with_what_it_began_with() {
    let home = Home::new();
    let begun = home.begin(&["--where=metadata.lang=fi".parse().unwrap(), "--limit=3".parse().unwrap()]);
    let newest = |wanted: Wanted<'_>| run::latest(&home.loaded().runs(), wanted);
    assert_eq!(newest(SMOKE), Some(begun.folder.0.clone()));
    assert_eq!(newest(Wanted { model: Some("openai/m"), ..SMOKE }), None);
    assert_eq!(newest(Wanted { criteria: &["--limit=3".parse().unwrap()], ..SMOKE }), None);
    assert_eq!(newest(Wanted { epochs: Some(3), ..SMOKE }), None);
    let again = again_of(&begun, false, |settings| settings.epochs = 7).unwrap();
    let ids: Vec<&str> = again.cases.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!((ids, again.loaded.suite.run.epochs), (vec!["c-00", "c-02", "c-04"], 2));

    let dataset = home.0.path().join("datasets/smoke.jsonl");
    let cases = std::fs::read_to_string(&dataset).unwrap();
    std::fs::write(&dataset, cases.replace("message 7", "message seven")).unwrap();
    let changed = |what: &str| match again_of(&begun, false, |_| {}) {
        Err(error @ BeginError::Changed { .. }) => assert!(error.to_string().contains(what), "{error}"),
        other => panic!("{other:?}"),
    };
    changed("the dataset has changed");
    std::fs::write(home.suite(), SUITE.replace("Messages", "Letters")).unwrap();
    changed("the suite has changed");
    assert!(matches!(resume(Path::new("nowhere"), &Config::standard(), false, |_| {}), Err(BeginError::Record { .. })));
}

const SMOKE: Wanted<'static> = Wanted { suite: "smoke", model: None, criteria: &[], epochs: None, retry_errors: false };

#[tokio::test]
async fn the_newest_run_that_lacks_something_is_gone_on_with() {
    let home = Home::new();
    let mut broken = home.begin(&[]);
    execute(&mut broken, Arc::new(Scripted::default()), tokio::time::sleep(Duration::ZERO)).await;
    let limit: &[Criterion] = &["--limit=2".parse().unwrap()];
    let fails: &[_] = &[("c-01", Fails::Error)];
    let mut complete = home.begin(limit);
    execute(&mut complete, Arc::new(Scripted { fails, ..Scripted::default() }), pending()).await;
    let newest = |wanted: Wanted<'_>| run::latest(&home.loaded().runs(), wanted);
    assert_eq!(newest(SMOKE), Some(broken.folder.0.clone()), "not the newest, which lacks nothing");
    assert_eq!(newest(Wanted { criteria: limit, ..SMOKE }), Some(complete.folder.0.clone()), "nothing else fits");
    let retried = Wanted { retry_errors: true, ..SMOKE };
    assert_eq!(newest(retried), Some(complete.folder.0.clone()), "it has errors");
    // Scores of another run are no run to go on with.
    let loaded = home.loaded();
    let beginning = Beginning {
        loaded: &loaded,
        model: None,
        cases: dataset::open(&loaded, limit).unwrap(),
        criteria: limit,
        config: &Config::standard(),
        runs: &loaded.runs(),
        now: at(NOW),
    };
    let copy = beginning.score_anew(complete.record.clone(), "that one".to_owned()).unwrap();
    assert_eq!(newest(retried), Some(complete.folder.0.clone()));
    assert!(again_of(&copy, false, |_| {}).unwrap_err().to_string().contains("scores of another run"));
}

#[tokio::test]
async fn what_answers_were_made_with_is_told_as_it_was() {
    let home = Home::new();
    let policies = home.0.path().join("policies");
    std::fs::create_dir(&policies).unwrap();
    std::fs::write(policies.join("pack.yaml"), "one").unwrap();
    let mut config = Config::standard();
    config.policies.dir.clone_from(&policies);
    let (loaded, runs) = (home.loaded(), home.0.path().join("runs"));
    let beginning = || Beginning {
        loaded: &loaded,
        model: None,
        cases: dataset::open(&loaded, &[]).unwrap(),
        criteria: &[],
        config: &config,
        runs: &runs,
        now: at(NOW),
    };
    let begun = beginning().begin().unwrap();
    let replayed = resume(&begun.folder.0, &config, false, |run| run.mode = Mode::Replay).unwrap();
    assert_eq!((begun.record.mode, replayed.record.mode), (Mode::Auto, Mode::Replay));
    std::fs::write(policies.join("pack.yaml"), "two").unwrap();
    let changed = resume(&begun.folder.0, &config, false, |_| {}).unwrap_err();
    assert!(changed.to_string().contains("the packs or policies have changed"), "{changed}");
    // New scores of old answers: the packs are those of the answers.
    let copy = beginning().score_anew(begun.record.clone(), "before".to_owned()).unwrap();
    assert_eq!(copy.record.hashes.packs, begun.record.hashes.packs);
    assert_ne!(beginning().begin().unwrap().record.hashes.packs, begun.record.hashes.packs);
}

#[tokio::test]
async fn what_was_spent_on_an_answer_that_did_not_come_is_spent() {
    let home = Home::with(&SUITE.replace("epochs: 2", "budget: 0.01"));
    let mut begun = home.begin(&["--limit=2".parse().unwrap()]);
    let fails: &[_] = &[("c-00", Fails::Spends), ("c-01", Fails::Spends)];
    let target = Arc::new(Scripted { fails, ..Scripted::default() });
    execute(&mut begun, target.clone(), pending()).await;
    let row = written(&begun)[0].clone();
    assert_eq!((row.status, row.used.calls, row.used.input), (Status::Error, 1, 100));
    let once: i64 = written(&begun).iter().map(|row| row.used.cost_micros).sum();
    assert!(once > 0);
    for attempt in 1..4 {
        let mut again = again_of(&begun, true, |_| {}).unwrap();
        assert_eq!(again.spent_micros, attempt * once, "all lines, not only the last of each case");
        again.loaded.suite.run.budget = None;
        execute(&mut again, target.clone(), pending()).await;
    }
}

#[tokio::test]
async fn what_is_replayed_needs_no_money() {
    let home = Home::with(&SUITE.replace("epochs: 2", "budget: 0, mode: replay"));
    let mut begun = home.begin(&[]);
    assert_eq!(execute(&mut begun, Arc::new(Scripted::default()), pending()).await.end, End::Complete);
    let home = Home::with(&SUITE.replace("epochs: 2", "budget: 0, mode: live"));
    let mut begun = home.begin(&[]);
    assert_eq!(execute(&mut begun, Arc::new(Scripted::default()), pending()).await.end, End::OverBudget);
}

#[tokio::test]
async fn what_a_judge_took_is_not_the_answers() {
    let home = Home::with(&SUITE.replace("slices:", "  - { type: cost, metric: money, threshold: 0.001 }\nslices:"));
    let mut begun = home.begin(&["--limit=1".parse().unwrap()]);
    execute(&mut begun, Arc::new(Scripted { costs: 500, ..Scripted::default() }), pending()).await;
    let loaded = home.loaded();
    let cases = dataset::open(&loaded, &[]).unwrap().cases;
    let scorer = Scorer::new(&loaded.suite, &loaded.path).unwrap();
    let judged = Used { cost_micros: 5_000, ..Used::default() };
    let row = written(&begun)[0].clone();
    let row = Row { used: row.used.and(judged), judged, ..row };
    let again = again::score(std::slice::from_ref(&row), &cases, &loaded.suite, &scorer).unwrap();
    assert_eq!(again[0].scores["money"].pass, Some(true), "{:?}", again[0].scores["money"]);
}

#[tokio::test]
async fn scores_are_made_anew_from_kept_answers() {
    let home = Home::new();
    let mut begun = home.begin(&[]);
    execute(&mut begun, Arc::new(Scripted::default()), pending()).await;
    let before = written(&begun);
    let stricter = SUITE.replace(
        "slices:",
        "  - { type: not-contains, actual: output.seen.text, value: \"message 7 \", metric: seven }\nslices:",
    );
    std::fs::write(home.suite(), stricter).unwrap();
    let loaded = home.loaded();
    let cases = dataset::open(&loaded, &[]).unwrap().cases;
    let scorer = Scorer::new(&loaded.suite, &loaded.path).unwrap();
    let after = again::score(&before, &cases, &loaded.suite, &scorer).unwrap();
    assert_eq!((count(&before, Status::Failed), count(&after, Status::Failed)), (8, 10));
    assert_eq!(again::score(&after, &cases, &loaded.suite, &scorer).unwrap(), after);
    let gone = again::score(&before, &cases[..3], &loaded.suite, &scorer);
    assert!(matches!(gone, Err(again::Unscorable::Gone(_))));
    let without: Vec<Row> = before.iter().map(|row| Row { output: json!(null), ..row.clone() }).collect();
    assert_eq!(again::score(&without, &cases, &loaded.suite, &scorer), Err(again::Unscorable::NothingKept));
}

/// The schemas stand checked in, where an editor finds them.
#[test]
fn the_schemas_are_those_of_the_types() {
    let folder = Path::new("evals/schemas");
    for (name, schema) in vireille::evals::schema::schemas() {
        let mut fresh = serde_json::to_string_pretty(&schema).unwrap();
        fresh.push('\n');
        let file = folder.join(name);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&file, &fresh).unwrap();
        }
        let golden = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(golden == fresh, "{} is not up to date: run the tests with UPDATE_GOLDEN=1", file.display());
    }
}
