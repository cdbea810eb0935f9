//! The durable pipeline, told on every database: nothing is lost, nothing happens twice, and what fails is seen.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vireille::cases::{Case, CaseId, EventKind, Status};
use vireille::clock::Ambient;
use vireille::config::{self, Config};
use vireille::intake::extract::Cell;
use vireille::intake::{self, register::register};
use vireille::model::{Prediction, TextClassifier};
use vireille::storage::{QueueFilter, Storage};
use vireille::triage::pipeline::{Settings, Worker, reenter};
use vireille::triage::{Desk, Step, Triage};

use crate::support::database::{Database, on_every_database};
use crate::support::desk::*;
use crate::support::files::base64;

const MUNICIPALITY: &str = "harjuvesi";

fn worker(database: &Database, triage: &Arc<Triage>, name: &str) -> Worker {
    worker_over(&database.storage, &database.ambient, triage, name)
}

fn worker_over(storage: &Storage, ambient: &Ambient, triage: &Arc<Triage>, name: &str) -> Worker {
    Worker::new(storage.clone(), Arc::clone(triage), ambient.clone(), name.to_owned(), Settings::default())
}

/// Sends one submission in, as any channel does.
async fn send(database: &Database, json: &Value) -> CaseId {
    let desk = desk();
    let defaults = intake::json::Defaults::file(Some(MUNICIPALITY.parse().unwrap()), None, database.ambient.clone());
    let incoming = intake::json::parse(json.to_string().as_bytes(), &defaults).unwrap().remove(0);
    register(&database.storage, &desk.rulebook, &desk.lexicon, incoming).await.unwrap().case_id
}

async fn case(database: &Database, id: CaseId) -> Case {
    database.storage.case(&MUNICIPALITY.parse().unwrap(), id).await.unwrap().unwrap()
}

async fn happened(database: &Database, id: CaseId) -> Vec<EventKind> {
    let timeline = database.storage.timeline(&MUNICIPALITY.parse().unwrap(), id).await.unwrap();
    timeline.into_iter().map(|event| event.kind).collect()
}

async fn assert_chain_holds(database: &Database) {
    database.storage.verify_audit(&MUNICIPALITY.parse().unwrap(), &[]).await.unwrap().unwrap();
}

fn road(id: u32) -> Value {
    let mut json = road_json();
    json["id"] = json!(format!("road-{id}"));
    json["received_at"] = json!("2026-03-02T08:15:00Z");
    json
}

#[tokio::test]
async fn a_submission_becomes_a_draft_step_by_step() {
    on_every_database(async |database| {
        let id = send(database, &road(1)).await;
        let done = worker(database, &TRIAGE, "w").run_pending(|_, _| {}).await.unwrap();
        assert_eq!(done, Step::ALL.len());
        let case = case(database, id).await;
        assert_eq!(case.status, Status::InReview);
        let drafts = database.storage.drafts(&case.municipality, id).await.unwrap();
        assert_eq!(drafts.len(), 1);
        assert_eq!(drafts[0].content.amount.unwrap().to_string(), "2585.00");
        assert!(drafts[0].is_verified());
        let mut expected = vec![EventKind::Registered];
        expected.extend([EventKind::StepDone; 4]);
        expected.push(EventKind::Drafted);
        assert_eq!(happened(database, id).await, expected);
        assert_chain_holds(database).await;
    })
    .await;
}

#[tokio::test]
async fn two_workers_draft_every_case_once() {
    on_every_database(async |database| {
        let mut ids = Vec::new();
        for n in 0..12 {
            ids.push(send(database, &road(n)).await);
        }
        let other = database.open_again().await;
        let (one, two) = (worker(database, &TRIAGE, "one"), worker_over(&other, &database.ambient, &TRIAGE, "two"));
        let (one, two) = tokio::join!(Box::pin(one.run_pending(|_, _| {})), Box::pin(two.run_pending(|_, _| {})));
        one.unwrap();
        two.unwrap();
        for id in ids {
            assert_eq!(case(database, id).await.status, Status::InReview);
            assert_eq!(database.storage.drafts(&MUNICIPALITY.parse().unwrap(), id).await.unwrap().len(), 1);
        }
        assert_eq!(database.storage.pending_jobs().await.unwrap(), 0);
        assert_chain_holds(database).await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_died_in_the_middle_leaves_a_case_that_goes_on() {
    on_every_database(async |database| {
        let id = send(database, &road(1)).await;
        // It took the job and never came back.
        let taken = database.storage.claim_jobs("dead", 1, Duration::from_mins(1)).await.unwrap();
        assert_eq!(taken.len(), 1);
        let living = worker(database, &TRIAGE, "living");
        assert_eq!(living.run_pending(|_, _| {}).await.unwrap(), 0);
        database.clock.advance(Duration::from_secs(61));
        living.run_pending(|_, _| {}).await.unwrap();
        assert_eq!(case(database, id).await.status, Status::InReview);
        assert_eq!(database.storage.drafts(&MUNICIPALITY.parse().unwrap(), id).await.unwrap().len(), 1);
    })
    .await;
}

/// A classifier with a fault in it.
#[derive(Debug)]
struct Broken;

impl TextClassifier for Broken {
    fn predict(&self, _: &str) -> Prediction {
        panic!("a fault in the classifier")
    }

    fn hash(&self) -> &'static str {
        "broken"
    }
}

fn broken_triage() -> Arc<Triage> {
    let desk = desk();
    let broken = Desk { classifier: Arc::new(Broken), ..(*desk).clone() };
    Arc::new([broken].into_iter().collect())
}

#[tokio::test]
async fn a_step_that_breaks_leaves_a_case_that_a_person_sees() {
    on_every_database(async |database| {
        let id =
            send(database, &json!({"id": "m", "text": "Katuvalo on pimeänä", "received_at": "2026-03-02T08:00:00Z"}))
                .await;
        worker(database, &broken_triage(), "w").run_pending(|_, _| {}).await.unwrap();
        let broken = case(database, id).await;
        assert_eq!(broken.status, Status::NeedsPerson);
        let dead = database.storage.dead_jobs(&broken.municipality).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert_eq!(dead[0].case_id, Some(id));
        assert!(happened(database, id).await.contains(&EventKind::StepFailed));

        // Mended and sent in again, it is drafted as if nothing had been.
        let mut tx = database.storage.begin().await.unwrap();
        let mut case_again = tx.case_for_update(&broken.municipality, id).await.unwrap().unwrap();
        case_again.status = case_again.status.after(vireille::cases::Act::Reenter, None).unwrap();
        reenter(&mut tx, &mut case_again, Step::Read).await.unwrap();
        tx.save_case(&mut case_again).await.unwrap();
        tx.commit().await.unwrap();
        worker(database, &TRIAGE, "w").run_pending(|_, _| {}).await.unwrap();
        assert_eq!(case(database, id).await.status, Status::InReview);
        assert_chain_holds(database).await;
    })
    .await;
}

#[tokio::test]
async fn files_that_take_their_time_hold_up_no_other_case() {
    let database = Database::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    // Reads nothing before the story goes on.
    let (program, go_on) = (folder.path().join("stand-in"), folder.path().join("go-on"));
    let script = format!("#!/bin/sh\nwhile [ ! -e {} ]; do sleep 0.02; done\n", go_on.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let attachments = Cell::new(&config::Attachments { program, ..Config::standard().attachments });
    for id in 0..6 {
        let mut slow = road(id);
        let file = json!({ "name": "hidas.pdf", "content": base64(format!("%PDF-1.7 {id}").as_bytes()) });
        slow["attachments"].as_array_mut().unwrap().push(file);
        send(&database, &slow).await;
    }
    let honest = send(&database, &road(6)).await;
    let settings = Settings { attachments, ..Settings::default() };
    let worker =
        Worker::new(database.storage.clone(), Arc::clone(&TRIAGE), database.ambient.clone(), "w".to_owned(), settings);
    let mut before = Vec::new();
    let progress = |case, step: &str| {
        if !go_on.exists() {
            before.push(case);
        }
        if case == honest && step == "compose" {
            std::fs::write(&go_on, "").unwrap();
        }
    };
    worker.run_pending(progress).await.unwrap();
    assert_eq!(before, [honest; 5], "its steps, and no step of those with slow files");
    database.close().await;
}

#[tokio::test]
async fn a_sign_of_life_while_a_step_is_written_forgets_no_case() {
    on_every_database(async |database| {
        for id in 0..12 {
            send(database, &road(id)).await;
        }
        // Signs of life all the time, in the middle of every transaction, too.
        let settings = Settings { lease: Duration::from_millis(3), ..Settings::default() };
        let worker = Worker::new(
            database.storage.clone(),
            Arc::clone(&TRIAGE),
            database.ambient.clone(),
            "w".to_owned(),
            settings,
        );
        assert_eq!(worker.run_pending(|_, _| {}).await.unwrap(), 60);
        assert_eq!(database.storage.pending_jobs().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_job_of_an_earlier_round_changes_nothing() {
    on_every_database(async |database| {
        let id = send(database, &road(1)).await;
        let mut tx = database.storage.begin().await.unwrap();
        let mut case_now = tx.case_for_update(&MUNICIPALITY.parse().unwrap(), id).await.unwrap().unwrap();
        reenter(&mut tx, &mut case_now, Step::Read).await.unwrap();
        tx.save_case(&mut case_now).await.unwrap();
        tx.commit().await.unwrap();
        worker(database, &TRIAGE, "w").run_pending(|_, _| {}).await.unwrap();
        assert_eq!(case(database, id).await.status, Status::InReview);
        assert_eq!(database.storage.drafts(&MUNICIPALITY.parse().unwrap(), id).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn danger_is_first_in_the_queue_and_alerts_a_person_before_any_step_ran() {
    on_every_database(async |database| {
        send(database, &road(1)).await;
        let danger = send(
            database,
            &json!({"id": "d", "text": "Sähköjohto roikkuu tiellä ja kipinöi!", "received_at": "2026-03-02T09:00:00Z"}),
        )
        .await;
        let municipality = MUNICIPALITY.parse().unwrap();
        let alerts = database.storage.alerts(&municipality, true).await.unwrap();
        assert_eq!(alerts.iter().map(|alert| alert.case_id).collect::<Vec<_>>(), [danger]);

        worker(database, &TRIAGE, "w").run_pending(|_, _| {}).await.unwrap();
        let queue = database.storage.cases(&municipality, &QueueFilter::default(), None, 10).await.unwrap();
        assert_eq!(queue.rows[0].id, danger);
        // The steps found the same words and raised no second alert.
        assert_eq!(database.storage.alerts(&municipality, false).await.unwrap().len(), 1);
    })
    .await;
}
