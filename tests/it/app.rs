//! The application as a process: workers of its own, a clean stop.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use vireille::app::classifier;
use vireille::config::{Config, Secret};
use vireille::policy::Rulebook;

use crate::support::app::{TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::policies;

#[tokio::test(flavor = "multi_thread")]
async fn it_works_by_itself_and_stops_cleanly() {
    on_every_database(async |database| {
        let app = TestApp::with(database, |config| {
            config.work.workers = 2;
            config.work.poll_milliseconds = 50;
        })
        .await;
        let residents = app.residents().await;
        for n in 1..=8 {
            let text = format!("Katuvalo {n} on pimeä Kirkkotiellä.");
            residents.submit(&json!({ "text": text, "location": { "address": "Kirkkotie 5" } })).await.expect(201);
        }
        let handler = app.handler().await;
        let started = Instant::now();
        loop {
            let page = handler.get("/v1/cases?status=in-review").await.expect(200).json;
            if page["items"].as_array().unwrap().len() == 8 {
                break;
            }
            assert!(started.elapsed() < Duration::from_mins(1), "{page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let base = app.base.clone();
        app.stop().await;
        assert!(reqwest::get(format!("{base}/health/live")).await.is_err(), "nobody listens any more");
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "jobs are left")]
async fn a_story_that_leaves_jobs_fails() {
    let app = spawn_app().await;
    app.residents().await.submit(&json!({ "text": "Katuvalo on pimeä." })).await.expect(201);
    app.stop().await;
}

#[tokio::test]
async fn a_faulty_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::standard();
    config.storage.url = Secret::new(format!("sqlite:{}", folder.path().join("x.db").display()));
    config.policies.dir = folder.path().join("nowhere");
    let refused = vireille::app::App::build(config).await.unwrap_err().to_string();
    assert!(refused.starts_with("the policies cannot be used"), "{refused}");
    assert!(refused.contains("nowhere"), "{refused}");
}

#[test]
fn a_trained_classifier_is_kept_and_a_damaged_one_is_trained_anew() {
    let harjuvesi = "harjuvesi".parse().unwrap();
    let mut rulebook = Rulebook::load(&policies(), &harjuvesi).unwrap_or_else(|faults| panic!("{faults}"));
    rulebook.pack.examples.truncate(40);
    let folder = tempfile::tempdir().unwrap();
    let trained = classifier(&rulebook, folder.path());
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(classifier(&rulebook, folder.path()).hash(), trained.hash());
    std::fs::write(&file, "damaged").unwrap();
    assert_eq!(classifier(&rulebook, folder.path()).hash(), trained.hash());
    rulebook.pack.examples.truncate(30);
    assert_ne!(classifier(&rulebook, folder.path()).hash(), trained.hash(), "other examples, another model");
    assert_eq!(classifier(&rulebook, Path::new("/proc/nowhere")).hash(), classifier(&rulebook, Path::new("")).hash());
}
