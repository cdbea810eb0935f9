//! The parts of the product that evaluations run: each is the product's own code, and what it answers is what people get.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::evals::case::EvalCase;
use vireille::evals::load;
use vireille::evals::suite::ModelChoice;
use vireille::evals::target::{self, Answer, Target, TargetError, Unusable, faults};

use crate::support::desk::{NOW, at, policies, road_json};
use crate::support::endpoint;
use crate::support::model::{ScriptedModel, Turn};

fn config() -> Config {
    let mut config = Config::standard();
    config.policies.dir = policies();
    config.policies.cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    config.model.prompts = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    config
}

/// A target over a suite that is written beside its recorded calls, of which there are none.
async fn build(component: &str, model: Option<&str>) -> Result<Arc<dyn Target>, Unusable> {
    built(component, model, "mode: replay", &config()).await
}

async fn built(component: &str, model: Option<&str>, run: &str, config: &Config) -> Result<Arc<dyn Target>, Unusable> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suite.yaml");
    let suite = format!(
        "version: 1\nsuite: targets\ndescription: One part of the product.\ndataset: {{ path: cases.jsonl, cluster: none }}\n\
         target: {{ component: {component} }}\nrun: {{ {run} }}\nassert:\n  - {{ type: latency, metric: speed }}\n"
    );
    std::fs::write(&path, suite).unwrap();
    std::fs::create_dir_all(folder.path().join("cassettes/targets")).unwrap();
    let loaded = load::suite(&path).unwrap_or_else(|faults| panic!("{faults}"));
    let (ambient, _) = Ambient::fixed(at(NOW));
    let choice = model.map(|id| ModelChoice { id: id.to_owned(), url: None });
    target::build(&loaded, config, choice.as_ref(), &ambient).await
}

async fn answer(target: &dyn Target, input: &Value) -> Result<Value, TargetError> {
    let case: EvalCase = serde_json::from_value(json!({ "id": "case-1", "input": input })).unwrap();
    target.answer(&case, 0).await.map(|Answer { output, .. }| output)
}

/// The application of the worked case, to be drafted after its window, with some of it changed.
fn road(changes: &Value) -> Value {
    let mut json = road_json();
    json["now"] = json!(NOW);
    crate::support::desk::merge(&mut json, changes);
    json
}

fn completion() -> Value {
    let mut json = road(&json!({}));
    json["attachments"].as_array_mut().unwrap().pop();
    json
}

fn rejection() -> Value {
    road(&json!({ "fields": { "supported_length": 390, "total_length": 390 } }))
}

fn notice() -> Value {
    json!({
        "service": "fault-notice", "received_at": "2026-04-20T08:00:00Z", "now": NOW,
        "fields": { "description": "Koulun edessä on yksi katuvalo pimeänä.", "category": "LI1" },
        "location": { "address": "Koulutie 3" }
    })
}

#[tokio::test]
async fn a_submission_comes_to_the_object_that_triage_prints() {
    let target = build("triage", None).await.unwrap();
    let output = answer(&*target, &road(&json!({}))).await.unwrap();
    assert_eq!(output["draft"]["kind"], "grant");
    assert_eq!(output["draft"]["amount"], "2585.00");
    assert_eq!(output["case"]["service"], "private-road-grant");
    assert_eq!(output["id"], "r1");
    assert!(output["checks"].as_array().unwrap().iter().all(|check| check["result"] != "fail"));
    assert_eq!(answer(&*target, &road(&json!({}))).await.unwrap(), output, "the same on any day");
    let told = answer(&*target, &json!({ "text": "Katuvalo ei toimi Kirkkotiellä.", "now": NOW })).await.unwrap();
    assert_eq!((&told["case"]["category"], &told["id"]), (&json!("LI1"), &json!("case-1")));
    let refused = answer(&*target, &json!({ "text": "x" })).await.unwrap_err();
    assert!(matches!(&refused, TargetError::Failed(why) if why.contains("when it came")), "{refused}");
}

/// In the service a step goes on without its model; here that would hide that nothing was asked.
#[tokio::test]
async fn a_call_that_is_not_recorded_is_an_error_and_no_offline_draft() {
    let target = build("triage", Some("openai/scripted")).await.unwrap();
    let error = answer(&*target, &completion()).await.unwrap_err();
    assert!(matches!(error, TargetError::MissingCassette { .. }), "{error}");
}

/// Nor is a draft of the offline engine the answer of a model that gave none, whatever it said instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_gives_nothing_has_no_answer() {
    let refuses = axum::Router::new().fallback(|| async { (axum::http::StatusCode::BAD_REQUEST, "{}") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, refuses).await });
    let silent = endpoint::serve(Arc::new(ScriptedModel::always(Turn::Empty))).await;
    let good = endpoint::serve(Arc::new(ScriptedModel::good())).await;
    let told = json!({ "text": "Katuvalo ei toimi Kirkkotiellä.", "now": NOW });
    for (url, says) in [(refusing, Some("refuses the request (400)")), (silent, Some("answered alone")), (good, None)] {
        let mut config = config();
        config.model.url = url;
        let target = built("triage", Some("openai/scripted"), "mode: live, attempts: 1", &config).await.unwrap();
        match (answer(&*target, &told).await, says) {
            (Ok(output), None) => assert_eq!(output["fallbacks"], json!([])),
            (Err(error), Some(says)) => assert!(error.to_string().contains(says), "{error}"),
            other => panic!("{other:?}"),
        }
    }
}

/// A replay asks nobody: neither what embeds nor a cluster that searches.
#[tokio::test(flavor = "multi_thread")]
async fn a_replay_touches_no_network() {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&asked);
    let embeds = axum::Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { axum::http::StatusCode::BAD_REQUEST }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, embeds).await });
    let cache = tempfile::tempdir().unwrap();
    let mut config = config();
    config.policies.cache = cache.path().to_owned();
    (config.embedding.url, config.embedding.name) = (url, "e5".to_owned());
    let question = json!({ "question": "Miten avustuksen määrä lasketaan?", "as_of": "2026-03-10" });
    for (mode, is_asked) in [("replay", false), ("live", true)] {
        let target = built("retrieve", None, &format!("mode: {mode}"), &config).await.unwrap();
        answer(&*target, &question).await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst) > 0, is_asked, "{mode}");
    }
}

#[tokio::test]
async fn a_question_comes_to_sections_each_once() {
    let target = build("retrieve", None).await.unwrap();
    let asked = json!({ "question": "Miten avustuksen määrä lasketaan?", "as_of": "2026-03-10", "service": "private-road-grant" });
    let output = answer(&*target, &asked).await.unwrap();
    let ranking: Vec<&str> = output["ranking"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(ranking.iter().any(|id| id.starts_with("private-road-grant@2026-01-01#s")), "{ranking:?}");
    let mut distinct = ranking.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() == ranking.len() && ranking.len() <= 10 && ranking.len() > 1, "{ranking:?}");
    let none = answer(&*target, &json!({ "question": "Miten?" })).await.unwrap_err();
    assert!(matches!(none, TargetError::Failed(_)), "{none}");
}

#[tokio::test]
async fn a_text_is_masked_and_put_back() {
    let target = build("masking", None).await.unwrap();
    let text = "Olen Salla Salainen, numeroni on 040 777 1234. Katuvalo on pimeänä Kirkkotiellä.";
    let input = json!({ "text": text, "party": { "name": "Salla Salainen" } });
    let output = answer(&*target, &input).await.unwrap();
    assert_eq!((&output["restored"], &output["exact"]), (&json!(text), &json!(true)));
    let masked = output["masked"].as_str().unwrap();
    assert!(!masked.contains("Salla") && !masked.contains("040") && masked.contains("Kirkkotiellä"), "{masked}");
}

/// Each fault in a draft that it fits, and the check that is there for it.
fn seeded() -> Vec<(&'static str, Value, &'static str)> {
    let (grant, large) = (
        road(&json!({})),
        road(&json!({ "fields": { "supported_length": 9000, "total_length": 9000, "cost_ploughing": "17879.60" } })),
    );
    let of = |checks: &str, input: &Value| -> Vec<(&'static str, Value, &'static str)> {
        TABLE.iter().filter(|(_, on, _)| *on == checks).map(|(name, _, id)| (*name, input.clone(), *id)).collect()
    };
    [
        of("grant", &grant),
        of("large", &large),
        of("completion", &completion()),
        of("rejection", &rejection()),
        of("notice", &notice()),
    ]
    .concat()
}

const TABLE: &[(&str, &str, &str)] = &[
    ("amount-changed", "grant", "K01"),
    ("amount-added", "rejection", "K01"),
    ("amount-reworded", "grant", "K01"),
    ("operative-part-extended", "grant", "K01"),
    ("operative-part-doubled", "grant", "K01"),
    ("sum-added", "grant", "K01"),
    ("calculation-changed", "grant", "K02"),
    ("fact-changed", "grant", "K02"),
    ("version-not-in-force", "grant", "K03"),
    ("section-unknown", "grant", "K03"),
    ("quote-altered", "grant", "K03"),
    ("quote-cut", "rejection", "K03"),
    ("statute-invented", "grant", "K04"),
    ("statute-misquoted", "grant", "K04"),
    ("provisions-missing", "rejection", "K04"),
    ("reasons-missing", "grant", "K05"),
    ("reason-without-evidence", "grant", "K05"),
    ("reason-without-provision", "rejection", "K05"),
    ("evidence-invented", "grant", "K05"),
    ("reason-invented", "grant", "K05"),
    ("granted-although-unknown", "grant", "K06"),
    ("discretion-unruled", "grant", "K06"),
    ("refused-on-the-unasked", "rejection", "K06"),
    ("appeal-missing", "grant", "K07"),
    ("appeal-of-another-kind", "grant", "K07"),
    ("appeal-period-changed", "rejection", "K07"),
    ("appeal-addressee-changed", "grant", "K07"),
    ("appeal-reworded", "grant", "K07"),
    ("appeal-in-a-letter", "notice", "K08"),
    ("decider-missing", "grant", "K09"),
    ("decider-without-power", "large", "K09"),
    ("deadline-missing", "completion", "K12"),
    ("deadline-too-soon", "completion", "K12"),
    ("question-left-out", "completion", "K12"),
    ("deadline-on-a-holiday", "completion", "K13"),
    ("deadline-unsaid", "completion", "K13"),
    ("decided-before-it-came", "grant", "K13"),
    ("identity-code-leaked", "grant", "K15"),
    ("account-leaked", "notice", "K15"),
    ("phone-leaked", "completion", "K15"),
    ("language-switched", "grant", "K16"),
    ("paragraph-in-another-language", "grant", "K16"),
    ("language-of-a-model", "grant", "K16"),
    ("promise-of-a-model", "grant", "K17"),
    ("contradiction-of-a-model", "grant", "K17"),
    ("contradiction-of-a-model", "rejection", "K17"),
    ("number-invented", "grant", "K18"),
    ("name-invented", "grant", "K18"),
    ("number-of-a-model", "grant", "K18"),
    ("name-of-a-model", "grant", "K18"),
    ("link-of-a-model", "grant", "K19"),
    ("markup-of-a-model", "grant", "K19"),
    ("placeholder-of-a-model", "grant", "K19"),
    ("instructions-of-a-model", "grant", "K19"),
    ("rule-dropped-by-a-model", "grant", "K05"),
    ("cry-for-help-unseen", "notice", "K27"),
    ("versions-unrecorded", "grant", "K28"),
    ("texts-unrecorded", "grant", "K28"),
    ("made-from-other-material", "grant", "K28"),
];

#[tokio::test]
async fn every_seeded_fault_is_seen_by_the_check_that_is_there_for_it() {
    let target = build("verify", None).await.unwrap();
    let run = async |case: &Value, fault: &str| answer(&*target, &json!({ "case": case, "fault": fault })).await;
    let mut unseen = Vec::new();
    for (fault, case, check) in seeded() {
        match run(&case, fault).await {
            Ok(output) if output["failed"].as_array().unwrap().contains(&json!(check)) => {
                assert_eq!(output["blocked"], true, "{fault}: {output}");
            }
            other => unseen.push(format!("{fault}: {check} is not among {other:?}")),
        }
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
    let told: Vec<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
    let untold: Vec<&str> = faults::names().filter(|name| *name != "none" && !told.contains(name)).collect();
    assert_eq!(untold, Vec::<&str>::new(), "each fault is tried");
    assert!(told.len() > 50);
}

#[tokio::test]
async fn a_draft_without_a_fault_fails_nothing_and_a_fault_that_does_not_fit_is_no_pass() {
    let target = build("verify", None).await.unwrap();
    let run = async |case: &Value, fault: &str| answer(&*target, &json!({ "case": case, "fault": fault })).await;
    for case in [road(&json!({})), completion(), rejection(), notice()] {
        let output = run(&case, "none").await.unwrap();
        assert_eq!((&output["failed"], &output["blocked"]), (&json!([]), &json!(false)), "{output}");
    }
    for (fault, says) in [("appeal-missing", "cannot be put into"), ("amount-chnged", "write `amount-changed`")] {
        let error = run(&notice(), fault).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_part_that_asks_no_model_is_given_none() {
    for component in ["retrieve", "verify", "masking"] {
        let error = build(component, Some("openai/gpt-4.1-mini")).await.unwrap_err();
        assert!(error.to_string().contains("asks no language model"), "{error}");
    }
}
