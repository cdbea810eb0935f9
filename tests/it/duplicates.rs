//! Notices of the same fault find each other, by place and words, within one municipality; and how well words alone tell
//! paraphrases, on pairs that nobody here wrote.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use vireille::cases::Role;
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::evals::case::EvalCase;
use vireille::evals::load;
use vireille::evals::target::{self, Target};
use vireille::text::normalize;
use vireille::text::similarity::Profile;

use crate::support::app::TestApp;
use crate::support::database::on_every_database;
use crate::support::desk::{NOW, at, policies, road_json};

fn lamp(id: &str, text: &str, lat: f64) -> Value {
    json!({ "id": id, "service": "fault-notice", "fields": { "description": text }, "location": { "lat": lat, "lon": 25.0 } })
}

#[tokio::test]
async fn open_notices_of_the_same_fault_are_suggested_best_first() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        app.now_is("2026-04-20T08:00:00Z");
        let first = app.drafted(&lamp("a", "Katuvalo on pimeänä koulun edessä.", 61.0)).await;
        let near = app.drafted(&lamp("b", "Katuvalo pimeänä koulun kohdalla", 61.000_1)).await;
        let nearer = app.drafted(&lamp("c", "Katuvalo on pimeänä koulun edessä!", 61.0)).await;
        // Sixty metres away, word for word.
        let away = app.drafted(&lamp("d", "Katuvalo on pimeänä koulun edessä.", 61.000_6)).await;
        let withdrawn = app.drafted(&lamp("e", "Katuvalo on pimeänä koulun edessä.", 61.0)).await;
        app.residents().await.post(&format!("{withdrawn}/withdraw"), &Value::Null).await.expect(200);
        let mut road = road_json();
        road.as_object_mut().unwrap().remove("received_at");
        let application = app.drafted(&road).await;

        let handler = app.handler().await;
        let similar = async |case: &str| -> Vec<Value> {
            let found = handler.get(&format!("{case}/similar")).await.expect(200).json;
            found["items"].as_array().unwrap().clone()
        };
        let found = similar(&first).await;
        let paths: Vec<String> =
            found.iter().map(|item| format!("/v1/cases/{}", item["case"]["id"].as_str().unwrap())).collect();
        assert_eq!(paths, [nearer.clone(), near], "{found:?}");
        assert!(found[0]["words"].as_f64() > found[1]["words"].as_f64(), "{found:?}");
        assert_eq!((&found[0]["metres"], &found[0]["same_category"]), (&json!(0.0), &json!(true)));
        assert!(similar(&away).await.is_empty(), "another lamp");
        assert!(similar(&application).await.is_empty(), "no notice");

        // Nothing was merged, and nobody else sees it.
        assert_eq!(handler.get(&nearer).await.expect(200).json["status"], "in-review");
        let stranger = app.stranger(Role::Handler).await;
        stranger.get(&format!("{first}/similar")).await.problem(404, "/problems/not-found");
        app.residents().await.get(&format!("{first}/similar")).await.problem(403, "/problems/forbidden");
        app.nobody().get(&format!("{first}/similar")).await.problem(401, "/problems/no-token");
        app.stop().await;
    })
    .await;
}

/// The component `duplicates`, over its suite as it would stand in `evals/suites`.
async fn target() -> Arc<dyn Target> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suite.yaml");
    let suite = "version: 1\nsuite: pairs\ndescription: Pairs of notices.\ndataset: { path: cases.jsonl, cluster: none }\n\
                 target: { component: duplicates }\nassert:\n  - { type: latency, metric: speed }\n";
    std::fs::write(&path, suite).unwrap();
    let loaded = load::suite(&path).unwrap_or_else(|faults| panic!("{faults}"));
    let mut config = Config::standard();
    config.policies.dir = policies();
    config.policies.cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (ambient, _) = Ambient::fixed(at(NOW));
    target::build(&loaded, &config, None, &ambient).await.unwrap()
}

#[tokio::test]
async fn an_evaluation_compares_as_the_service_does() {
    let target = target().await;
    let pair = async |a: Value, b: Value| {
        let case: EvalCase = serde_json::from_value(json!({ "id": "d-1", "input": { "a": a, "b": b } })).unwrap();
        target.answer(&case, 0).await
    };
    let with = |text: &str, lat: f64| {
        let mut notice = lamp("x", text, lat);
        notice["received_at"] = json!("2026-04-20T08:00:00Z");
        notice
    };
    let here = with("Katuvalo on pimeänä koulun edessä.", 61.0);
    let same = pair(here.clone(), with("Koulun lamppu ei pala", 61.000_1)).await.unwrap().output;
    assert_eq!(same["duplicate"], true, "{same}");
    let away = pair(here.clone(), with("Katuvalo on pimeänä koulun edessä.", 61.000_6)).await.unwrap().output;
    assert_eq!((&away["duplicate"], &away["likeness"]), (&json!(false), &json!(0.0)), "{away}");
    let half: EvalCase = serde_json::from_value(json!({ "id": "d-2", "input": { "a": here } })).unwrap();
    let error = target.answer(&half, 0).await.unwrap_err().to_string();
    assert!(error.contains("`a` and `b`") && !error.contains("Katuvalo"), "{error}");
}

/// Finnish pairs of the Turku Paraphrase Corpus: 3 and 4 are paraphrases, 1 is unrelated.
#[test]
fn paraphrases_are_told_from_other_pairs() {
    let Some(folder) = std::env::var_os("VIREILLE_DATA").map(PathBuf::from) else {
        eprintln!("skipped, no data: VIREILLE_DATA names no folder");
        return;
    };
    let path = folder.join("turku-paraphrase/fi.dev.jsonl.gz");
    let unpacked = std::process::Command::new("gzip").arg("-dc").arg(&path).output().unwrap().stdout;
    let (mut alike, mut other) = (Vec::new(), Vec::new());
    for line in String::from_utf8(unpacked).unwrap().lines() {
        let pair: Value = serde_json::from_str(line).unwrap();
        let profile = |name: &str| Profile::of(&normalize(pair[name].as_str().unwrap()).text);
        let likeness = profile("text1").cosine(&profile("text2"));
        match pair["label"].as_str().unwrap().as_bytes()[0] {
            b'3' | b'4' => alike.push(likeness),
            b'1' => other.push(likeness),
            _ => {}
        }
    }
    // The area under the curve is the share of pairs of pairs that are in the right order.
    other.sort_by(f64::total_cmp);
    let below: usize = alike.iter().map(|likeness| other.partition_point(|other| other < likeness)).sum();
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let area = below as f64 / (alike.len() * other.len()) as f64;
    println!("{} paraphrases, {} unrelated pairs: ROC-AUC {area:.4}", alike.len(), other.len());
    assert!(area > 0.94, "{area}");
}
