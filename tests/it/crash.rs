//! The service is killed in the middle of its work and started again: every case ends in a draft, none twice.
//!
//! The real binary on the real clock, killed with SIGKILL: no destructor runs, no lease is given back.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use vireille::cases::{CaseId, MunicipalityId, Status};
use vireille::intake::{self, register::register};

use crate::support::database::{Database, on_every_database};
use crate::support::desk::*;

const CASES: u32 = 60;

fn serve(database: &Database) -> Child {
    Command::new(env!("CARGO_BIN_EXE_vireille"))
        .arg("serve")
        .env("VIREILLE__SERVER__LISTEN", "127.0.0.1:0")
        .env("VIREILLE__STORAGE__URL", &database.url)
        .env("VIREILLE__POLICIES__DIR", policies())
        .env("VIREILLE__WORK__LEASE_SECONDS", "2")
        .env("VIREILLE__WORK__POLL_MILLISECONDS", "50")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the service starts")
}

async fn send(database: &Database, count: u32) -> Vec<CaseId> {
    let desk = desk();
    let mut ids = Vec::new();
    for n in 0..count {
        let mut json = road_json();
        json["id"] = json!(format!("road-{n}"));
        json["received_at"] = json!("2026-03-02T08:15:00Z");
        let defaults = intake::json::Defaults::file(None, None, database.ambient.clone());
        let incoming = intake::json::parse(json.to_string().as_bytes(), &defaults).unwrap().remove(0);
        ids.push(register(&database.storage, &desk.rulebook, &desk.lexicon, incoming).await.unwrap().case_id);
    }
    ids
}

async fn drafted(database: &Database, ids: &[CaseId]) -> usize {
    let municipality: MunicipalityId = "harjuvesi".parse().unwrap();
    let mut drafted = 0;
    for id in ids {
        let case = database.storage.case(&municipality, *id).await.unwrap().unwrap();
        drafted += usize::from(case.status == Status::InReview);
    }
    drafted
}

/// Waits until at least `enough` cases are drafted; tells how many are.
async fn wait_for(database: &Database, ids: &[CaseId], enough: usize) -> usize {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let found = drafted(database, ids).await;
        if found >= enough {
            return found;
        }
        assert!(Instant::now() < deadline, "{found} of {} cases drafted after a minute", ids.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_where_it_was() {
    on_every_database(async |database| {
        let ids = send(database, CASES).await;
        let mut first = serve(database);
        let before = wait_for(database, &ids, 1).await;
        first.kill().expect("SIGKILL");
        first.wait().unwrap();
        assert!(before < ids.len(), "the service was done before it could be killed");

        let mut second = serve(database);
        wait_for(database, &ids, ids.len()).await;
        second.kill().expect("SIGKILL");
        second.wait().unwrap();

        let municipality: MunicipalityId = "harjuvesi".parse().unwrap();
        for id in &ids {
            assert_eq!(database.storage.drafts(&municipality, *id).await.unwrap().len(), 1);
        }
        assert_eq!(database.storage.pending_jobs().await.unwrap(), 0);
        assert!(database.storage.dead_jobs(&municipality).await.unwrap().is_empty());
        database.storage.verify_audit(&municipality, &[]).await.unwrap().expect("the chain holds");
    })
    .await;
}
