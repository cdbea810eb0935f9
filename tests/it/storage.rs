//! Stories of storage, each told on every database at hand.

mod cases;
mod chain;
mod database;
mod drafts;
mod jobs;
mod model_calls;
mod people;
mod residents;
mod submissions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use vireille::cases::*;
use vireille::storage::audit::{self, Breach, Broken, Head};
use vireille::storage::{
    Acknowledgement, Alert, Cursor, Enqueued, Error, Job, NewJob, QueueFilter, Receipt, Storage, TokenRow, Tx, tokens,
};

use crate::support::database::{Database, on_every_database};

const LEASE: Duration = Duration::from_secs(30);

fn harjuvesi() -> MunicipalityId {
    "harjuvesi".parse().unwrap()
}

fn neighbour() -> MunicipalityId {
    "lillsund".parse().unwrap()
}

fn submission(storage: &Storage) -> Submission {
    let ambient = storage.ambient();
    Submission {
        id: SubmissionId::new(ambient.id()),
        external_id: None,
        municipality: harjuvesi(),
        channel: Channel::Api,
        service: None,
        fields: BTreeMap::from([("description".into(), json!("Katuvalo ei pala.\u{0} Ei ollenkaan."))]),
        subject: None,
        text: Some("Katuvalo ei pala \u{202e}".into()),
        location: None,
        attachments: Vec::new(),
        party: None,
        sent_at: None,
        received_at: ambient.now(),
    }
}

fn case_of(storage: &Storage, submission: &Submission, number: &str) -> Case {
    Case {
        id: CaseId::new(storage.ambient().id()),
        number: number.into(),
        municipality: submission.municipality.clone(),
        submission_id: submission.id,
        status: Status::Received,
        file: CaseFile::default(),
        received_at: submission.received_at,
        revision: 0,
        claim: None,
    }
}

/// Registers a case in the municipality, as intake does.
async fn register_in(storage: &Storage, municipality: MunicipalityId) -> Case {
    let submission = Submission { municipality: municipality.clone(), ..submission(storage) };
    let mut tx = storage.begin().await.unwrap();
    assert_eq!(tx.insert_submission(&submission, "channel:file", b"{}", &[]).await.unwrap(), Receipt::New);
    let number = tx.next_case_number(&municipality, "HRJ", 2026).await.unwrap();
    let case = case_of(storage, &submission, &number);
    tx.insert_case(&case).await.unwrap();
    tx.commit().await.unwrap();
    case
}

async fn register(storage: &Storage) -> Case {
    register_in(storage, harjuvesi()).await
}

fn person(storage: &Storage, role: Role) -> Person {
    Person {
        token: TokenId::new(storage.ambient().id()),
        municipality: harjuvesi(),
        role,
        name: "Aino Esimerkki".into(),
        post: Some("technical-director".parse().unwrap()),
        deputy: None,
    }
}

fn draft(storage: &Storage, case: CaseId, version: u32, prepared_by: Preparer) -> Draft {
    let parts =
        vec![Part { kind: PartKind::Operative, title: None, text: format!("Avustus myönnetään. {version}") }];
    let content = DraftContent {
        kind: DraftKind::Grant,
        language: Language::Fi,
        letter: DraftContent::render_letter(&parts),
        parts,
        reasons: Vec::new(),
        amount: Some("2585.00".parse().unwrap()),
        decider: None,
        appeal: Appeal { kind: AppealKind::A, addressee: None, days: Some(14) },
        refuses: false,
        deadline: None,
        recipient: None,
        work_order: None,
        blocks: Vec::new(),
        basis: String::new(),
        provisions: Vec::new(),
    };
    Draft {
        id: DraftId::new(storage.ambient().id()),
        case_id: case,
        version,
        hash: content.hash(),
        content,
        checks: Vec::new(),
        engine: Engine {
            name: "offline".into(),
            version: "0.1.0".into(),
            classifier: None,
            prompt: None,
            model: None,
            pack: "pack".into(),
        },
        prepared_by,
        created_at: storage.ambient().now(),
    }
}

fn decision(storage: &Storage, draft: &Draft) -> Decision {
    Decision {
        case_id: draft.case_id,
        draft_id: draft.id,
        draft_hash: draft.hash.clone(),
        amount: draft.content.amount,
        person: person(storage, Role::Approver),
        authority: "delegation/road-grant@2026-01-01".into(),
        deputy_for: None,
        decided_at: storage.ambient().now(),
    }
}

fn job(kind: &str, key: Option<&str>) -> NewJob {
    NewJob {
        kind: kind.into(),
        key: key.map(Into::into),
        municipality: harjuvesi(),
        case_id: None,
        payload: json!({"n": 1}),
        run_at: None,
        max_attempts: 3,
    }
}

fn event(n: u32) -> NewEvent {
    NewEvent {
        actor: Actor::system("triage/read"),
        kind: EventKind::StepDone,
        case_id: None,
        payload: json!({"step": n, "share": 0.25, "name": "Å \"ö\" \u{1f}\u{7f}", "nested": {"b": [1, null], "a": true}}),
    }
}

async fn append(storage: &Storage, municipality: &MunicipalityId, n: u32) {
    let mut tx = storage.begin().await.unwrap();
    tx.append_event(municipality, event(n)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn enqueue(storage: &Storage, new: &NewJob) -> Enqueued {
    let mut tx = storage.begin().await.unwrap();
    let enqueued = tx.enqueue(new).await.unwrap();
    tx.commit().await.unwrap();
    enqueued
}

async fn claim_one(storage: &Storage, worker: &str) -> Option<Job> {
    storage.claim_jobs(worker, 1, LEASE).await.unwrap().pop()
}
