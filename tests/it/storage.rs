//! Stories of storage, each told on every database at hand.

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

// ── What came in ──

#[tokio::test]
async fn a_submission_is_kept_byte_for_byte() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let raw: Vec<u8> = (0..=255).chain([0, 0, 10]).collect();
        let picture = vec![0xff, 0xd8, 0x00, 0x01];
        let file = Attachment {
            name: "kuva.jpg".into(),
            media_type: None,
            size: 4,
            sha256: "43e8d3e1d8e4fc9d5a5a6c0c9d8c1aa2".into(),
        };
        let mut tx = storage.begin().await.unwrap();
        let wrong =
            tx.insert_submission(&submission(storage), "channel:file", &raw, &[(file.clone(), picture.clone())]).await;
        assert!(matches!(wrong, Err(Error::Corrupt { .. })), "bytes that are not the attachment's are refused");

        let file = Attachment { sha256: hex(&<sha2::Sha256 as sha2::Digest>::digest(&picture)), ..file };
        let empty = Attachment { sha256: hex(&<sha2::Sha256 as sha2::Digest>::digest([])), size: 0, ..file.clone() };
        let submission = Submission { attachments: vec![file.clone(), empty.clone()], ..submission(storage) };
        let files = [(file.clone(), picture.clone()), (empty.clone(), Vec::new())];
        assert_eq!(tx.insert_submission(&submission, "channel:file", &raw, &files).await.unwrap(), Receipt::New);
        tx.commit().await.unwrap();

        let id = submission.id;
        assert_eq!(storage.submission(&harjuvesi(), id).await.unwrap().as_ref(), Some(&submission));
        assert_eq!(storage.raw(&harjuvesi(), id).await.unwrap(), Some(raw));
        assert_eq!(storage.file(&harjuvesi(), id, &file).await.unwrap(), Some(picture));
        assert_eq!(storage.file(&harjuvesi(), id, &empty).await.unwrap(), Some(Vec::new()));
        // Another municipality sees nothing of it.
        assert_eq!(storage.submission(&neighbour(), id).await.unwrap(), None);
        assert_eq!(storage.raw(&neighbour(), id).await.unwrap(), None);
        assert_eq!(storage.file(&neighbour(), id, &file).await.unwrap(), None);

        // Bytes that rot on the disk are noticed, not handed out.
        db.tamper("update blobs set size = 3, bytes = (select bytes from blobs b where b.size = 0) where size = 4")
            .await;
        assert!(matches!(storage.file(&harjuvesi(), id, &file).await, Err(Error::Corrupt { .. })));
    })
    .await;
}

#[tokio::test]
async fn the_senders_id_twice_is_one_submission() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let first = Submission { external_id: Some("A\u{0}1".into()), ..submission(storage) };
        let again = Submission { id: SubmissionId::new(storage.ambient().id()), ..first.clone() };
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.insert_submission(&first, "channel:file", b"one", &[]).await.unwrap(), Receipt::New);
        assert_eq!(tx.insert_submission(&again, "channel:file", b"one", &[]).await.unwrap(), Receipt::Again(first.id));
        assert_eq!(
            tx.insert_submission(&again, "channel:file", b"two", &[]).await.unwrap(),
            Receipt::Differs(first.id)
        );
        let others = Submission { id: SubmissionId::new(storage.ambient().id()), ..first.clone() };
        assert_eq!(tx.insert_submission(&others, "token:7", b"two", &[]).await.unwrap(), Receipt::New);
        tx.commit().await.unwrap();
        let known =
            storage.find_submission_by_external_id(&harjuvesi(), "channel:file", "A\u{0}1").await.unwrap().unwrap();
        assert_eq!(known.id, first.id);
        assert_eq!(
            storage.find_submission_by_external_id(&neighbour(), "channel:file", "A\u{0}1").await.unwrap(),
            None
        );
        assert_eq!(storage.submission(&harjuvesi(), again.id).await.unwrap(), None);
    })
    .await;
}

// ── Cases and the queue ──

#[tokio::test]
async fn a_rolled_back_number_leaves_no_gap() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.next_case_number(&harjuvesi(), "HRJ", 2026).await.unwrap(), "HRJ/2026/00001");
        assert_eq!(tx.next_case_number(&harjuvesi(), "HRJ", 2026).await.unwrap(), "HRJ/2026/00002");
        drop(tx);
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.next_case_number(&harjuvesi(), "HRJ", 2026).await.unwrap(), "HRJ/2026/00001");
        assert_eq!(tx.next_case_number(&harjuvesi(), "HRJ", 2027).await.unwrap(), "HRJ/2027/00001");
        assert_eq!(tx.next_case_number(&neighbour(), "LSD", 2026).await.unwrap(), "LSD/2026/00001");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_case_reads_back_as_it_was_saved_and_a_stale_one_is_refused() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let mut case = register(storage).await;
        assert_eq!(storage.case(&harjuvesi(), case.id).await.unwrap().as_ref(), Some(&case));
        assert_eq!(storage.case(&neighbour(), case.id).await.unwrap(), None);
        let mut stale = case.clone();

        case.status = Status::InReview;
        case.file.flags = BTreeSet::from([Flag::Emergency]);
        case.file.urgency = Some(Urgency::U1);
        let until = storage.ambient().now() + LEASE;
        case.claim = Some(Claim { person: person(storage, Role::Handler), until });
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.case_for_update(&neighbour(), case.id).await.unwrap(), None);
        assert_eq!(tx.case_for_update(&harjuvesi(), case.id).await.unwrap().as_ref(), Some(&stale));
        tx.save_case(&mut case).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(case.revision, 1);
        assert_eq!(storage.case(&harjuvesi(), case.id).await.unwrap().as_ref(), Some(&case));
        assert_eq!(storage.case_by_number(&harjuvesi(), &case.number).await.unwrap().as_ref(), Some(&case));
        assert_eq!(
            storage.cases_of_submission(&harjuvesi(), case.submission_id).await.unwrap(),
            std::slice::from_ref(&case)
        );

        stale.status = Status::Withdrawn;
        let mut tx = storage.begin().await.unwrap();
        let refused = tx.save_case(&mut stale).await.unwrap_err();
        assert_eq!(refused, Error::Conflict { what: "case", expected: 0, found: 1 });
        // The refusal is the caller's to tell: the transaction still takes an event.
        tx.append_event(&harjuvesi(), event(1)).await.unwrap();
        tx.commit().await.unwrap();
        let unknown = case_of(storage, &submission(storage), "HRJ/2026/09999");
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.save_case(&mut unknown.clone()).await, Err(Error::Missing { what: "case" }));
    })
    .await;
}

#[tokio::test]
async fn the_queue_shows_what_is_due_first_page_by_page() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let now = storage.ambient().now();
        let handler = person(storage, Role::Handler);
        register_in(storage, neighbour()).await;
        // Due in reverse order of registration; every third never.
        let mut expected = Vec::new();
        for n in 0..12_i64 {
            let mut case = register(storage).await;
            let due = now + Duration::from_hours((100 - n).unsigned_abs());
            case.file.due = (n % 3 != 0).then(|| Due { at: due, because: "työjono".into() });
            case.status = if n % 2 == 0 { Status::InReview } else { Status::Received };
            if n == 4 {
                case.file.flags.insert(Flag::Emergency);
                case.claim = Some(Claim { person: handler.clone(), until: now + LEASE });
            }
            let set = Reclassification {
                matter: Matter::FaultNotice,
                service: Some("fault-notice".parse().unwrap()),
                category: Some("LI1".into()),
                actor: "x".into(),
                reason: "y".into(),
            };
            case.file.reclassified = (n == 5).then_some(set);
            let mut tx = storage.begin().await.unwrap();
            tx.save_case(&mut case).await.unwrap();
            tx.commit().await.unwrap();
            expected.push((case.file.due.as_ref().map_or(Timestamp::MAX, |due| due.at), case.id, n));
        }
        // The fourth has words of danger.
        expected.sort_by_key(|(due, id, n)| (*n != 4, *due, *id));

        let mut seen = Vec::new();
        let mut cursor: Option<Cursor> = None;
        for _ in 0..4 {
            let all = QueueFilter::default();
            let page = storage.cases(&harjuvesi(), &all, cursor.as_ref(), 5).await.unwrap();
            seen.extend(page.rows.iter().map(|row| row.id));
            cursor = page.next.map(|next| next.to_string().parse().unwrap());
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected.iter().map(|(_, id, _)| *id).collect::<Vec<_>>());

        let ids = async |filter: QueueFilter| -> Vec<CaseId> {
            let page = storage.cases(&harjuvesi(), &filter, None, 100).await.unwrap();
            page.rows.into_iter().map(|row| row.id).collect()
        };
        let where_n = |chosen: &dyn Fn(i64) -> bool| -> Vec<CaseId> {
            expected.iter().filter(|(_, _, n)| chosen(*n)).map(|(_, id, _)| *id).collect()
        };
        let all = QueueFilter::default;
        let in_review = QueueFilter { statuses: vec![Status::InReview, Status::Decided], ..all() };
        assert_eq!(ids(in_review).await, where_n(&|n| n % 2 == 0));
        assert_eq!(ids(QueueFilter { emergency_only: true, ..all() }).await, where_n(&|n| n == 4));
        assert_eq!(ids(QueueFilter { category: Some("LI1".into()), ..all() }).await, where_n(&|n| n == 5));
        let service = Some("fault-notice".parse().unwrap());
        assert_eq!(ids(QueueFilter { service, ..all() }).await, where_n(&|n| n == 5));
        assert_eq!(ids(QueueFilter { matter: Some(Matter::FaultNotice), ..all() }).await, where_n(&|n| n == 5));
        assert_eq!(ids(QueueFilter { language: Some(Language::Sv), ..all() }).await, []);
        let due_before = Some(now + Duration::from_hours(93));
        assert_eq!(ids(QueueFilter { due_before, ..all() }).await, where_n(&|n| n % 3 != 0 && 100 - n < 93));
        let claimed_by = Some(handler.token);
        assert_eq!(ids(QueueFilter { claimed_by, ..all() }).await, where_n(&|n| n == 4));
        assert_eq!(ids(QueueFilter { unclaimed: true, ..all() }).await, where_n(&|n| n != 4));
        // A claim that ran out is none.
        db.clock.advance(LEASE);
        assert_eq!(ids(QueueFilter { claimed_by, ..all() }).await, []);
        assert_eq!(ids(QueueFilter { unclaimed: true, ..all() }).await.len(), 12);
        let page = storage.cases(&harjuvesi(), &all(), None, 100).await.unwrap();
        assert!(page.rows.iter().all(|row| row.claim.is_none()));
        // A stranger's text in a filter is only a text.
        assert_eq!(ids(QueueFilter { category: Some("' or 1=1 --\0%".into()), ..all() }).await, []);
        let counts = storage.case_counts(&harjuvesi()).await.unwrap();
        assert_eq!(counts, [(Status::InReview, 6), (Status::Received, 6)]);
    })
    .await;
}

// ── Drafts and decisions ──

#[tokio::test]
async fn versions_of_a_draft_stay_as_they_were() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let one = draft(storage, case.id, 1, Preparer::Engine);
        let two = draft(storage, case.id, 2, Preparer::Person { actor: "a".into() });
        let mut tx = storage.begin().await.unwrap();
        tx.insert_draft(&one).await.unwrap();
        tx.insert_draft(&two).await.unwrap();
        assert_eq!(tx.latest_draft(&harjuvesi(), case.id).await.unwrap().as_ref(), Some(&two));
        let taken = draft(storage, case.id, 2, Preparer::Engine);
        assert_eq!(
            tx.insert_draft(&taken).await,
            Err(Error::Conflict { what: "draft", expected: 2, found: 2 }),
            "of two edits at once the second is told"
        );
        let nowhere = draft(storage, CaseId::new(storage.ambient().id()), 1, Preparer::Engine);
        assert_eq!(tx.insert_draft(&nowhere).await, Err(Error::Missing { what: "case" }));
        tx.commit().await.unwrap();

        assert_eq!(storage.drafts(&harjuvesi(), case.id).await.unwrap(), [one.clone(), two.clone()]);
        assert_eq!(storage.draft(&harjuvesi(), one.id).await.unwrap().as_ref(), Some(&one));
        assert_eq!(storage.draft(&neighbour(), one.id).await.unwrap(), None);
        assert_eq!(storage.drafts(&neighbour(), case.id).await.unwrap(), []);
        assert_eq!(storage.latest_draft(&neighbour(), case.id).await.unwrap(), None);

        db.tamper("update drafts set file = replace(file, 'myönnetään', 'hylätään') where version = 2").await;
        assert!(matches!(storage.latest_draft(&harjuvesi(), case.id).await, Err(Error::Corrupt { .. })));
    })
    .await;
}

#[tokio::test]
async fn of_two_approvals_at_once_exactly_one_wins() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        for _ in 0..10 {
            let case = register(storage).await;
            // Two versions of the same round: whichever is approved, the other must not be as well.
            let one = draft(storage, case.id, 1, Preparer::Engine);
            let two = draft(storage, case.id, 2, Preparer::Person { actor: "a".into() });
            let mut tx = storage.begin().await.unwrap();
            tx.insert_draft(&one).await.unwrap();
            tx.insert_draft(&two).await.unwrap();
            tx.commit().await.unwrap();
            let approvals = [&one, &two, &two].map(|draft| {
                let (storage, decision) = (storage.clone(), decision(storage, draft));
                tokio::spawn(async move {
                    let mut tx = storage.begin().await?;
                    tx.insert_decision(&decision).await?;
                    tokio::task::yield_now().await;
                    tx.commit().await
                })
            });
            let mut won = 0;
            for approval in approvals {
                match approval.await.unwrap() {
                    Ok(()) => won += 1,
                    Err(lost) => assert_eq!(lost, Error::AlreadyDecided { case: case.id }),
                }
            }
            assert_eq!(won, 1);
            assert_eq!(storage.decisions(&harjuvesi(), case.id).await.unwrap().len(), 1);
            assert_eq!(storage.decision(&neighbour(), case.id).await.unwrap(), None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_case_that_comes_again_is_decided_again() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let mut case = register(storage).await;
        let mut tx = storage.begin().await.unwrap();
        let completion = draft(storage, case.id, 1, Preparer::Engine);
        tx.insert_draft(&completion).await.unwrap();
        tx.insert_decision(&decision(storage, &completion)).await.unwrap();
        // A person's version in the same round cannot be approved any more.
        let edited = draft(storage, case.id, 2, Preparer::Person { actor: "a".into() });
        tx.insert_draft(&edited).await.unwrap();
        let late = tx.insert_decision(&decision(storage, &edited)).await;
        assert_eq!(late, Err(Error::AlreadyDecided { case: case.id }));
        case.file.round += 1;
        tx.save_case(&mut case).await.unwrap();
        let grant = draft(storage, case.id, 3, Preparer::Engine);
        tx.insert_draft(&grant).await.unwrap();
        let granted = decision(storage, &grant);
        tx.insert_decision(&granted).await.unwrap();
        // Who approves what was not seen, approves nothing.
        let stale = Decision { draft_hash: completion.hash.clone(), ..granted.clone() };
        assert_eq!(tx.insert_decision(&stale).await, Err(Error::Missing { what: "draft" }));
        assert_eq!(tx.decision(&harjuvesi(), case.id).await.unwrap().as_ref(), Some(&granted));
        tx.commit().await.unwrap();
        assert_eq!(storage.decisions(&harjuvesi(), case.id).await.unwrap().len(), 2);
        assert_eq!(storage.decision(&harjuvesi(), case.id).await.unwrap(), Some(granted));
    })
    .await;
}

// ── Jobs ──

#[tokio::test]
async fn a_job_with_a_known_key_is_the_same_job_even_when_done() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let Enqueued::New(id) = enqueue(storage, &job("triage/read", Some("read:1"))).await else { panic!("new") };
        assert_eq!(enqueue(storage, &job("triage/read", Some("read:1"))).await, Enqueued::Known);
        let elsewhere = NewJob { municipality: neighbour(), ..job("triage/read", Some("read:1")) };
        assert!(matches!(enqueue(storage, &elsewhere).await, Enqueued::New(_)));
        assert!(matches!(enqueue(storage, &job("triage/read", None)).await, Enqueued::New(_)));
        assert!(matches!(enqueue(storage, &job("triage/read", None)).await, Enqueued::New(_)));
        assert_eq!(storage.pending_jobs().await.unwrap(), 4);

        let claimed = storage.claim_jobs("w", 10, LEASE).await.unwrap();
        assert_eq!(claimed.len(), 4);
        assert_eq!((claimed[0].id, claimed[0].attempts, &claimed[0].payload), (id, 1, &json!({"n": 1})));
        let mut tx = storage.begin().await.unwrap();
        tx.complete_job(&claimed[0]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(enqueue(storage, &job("triage/read", Some("read:1"))).await, Enqueued::Known);
        assert_eq!(storage.pending_jobs().await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_commits_nothing() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        enqueue(storage, &job("triage/read", None)).await;
        let mut slow = claim_one(storage, "slow").await.unwrap();
        assert_eq!(claim_one(storage, "quick").await, None, "it is under a lease");
        db.clock.advance(LEASE / 2);
        storage.heartbeat(&mut slow, LEASE).await.unwrap();
        db.clock.advance(LEASE / 2);
        assert_eq!(claim_one(storage, "quick").await, None, "the heartbeat extended it");
        db.clock.advance(LEASE / 2);
        let quick = claim_one(storage, "quick").await.unwrap();
        assert_eq!((quick.id, quick.attempts), (slow.id, 2));

        // The slow one finishes all the same, and writes: not a word of it may stay.
        let lost = Error::LostLease { job: slow.id };
        let mut tx = storage.begin().await.unwrap();
        tx.append_event(&harjuvesi(), event(1)).await.unwrap();
        assert_eq!(tx.complete_job(&slow).await, Err(lost.clone()));
        assert_eq!(tx.commit().await, Err(lost.clone()), "even if the caller does not look");
        assert_eq!(storage.audit_head(&harjuvesi()).await.unwrap(), Head::start());
        assert_eq!(storage.heartbeat(&mut slow, LEASE).await, Err(lost.clone()));
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.retry_job(&slow, "x", LEASE).await, Err(lost.clone()));
        assert_eq!(tx.bury_job(&slow, "x").await, Err(lost.clone()));
        assert_eq!(tx.release_job(&slow).await, Err(lost.clone()));
        drop(tx);

        let mut tx = storage.begin().await.unwrap();
        tx.append_event(&harjuvesi(), event(2)).await.unwrap();
        tx.complete_job(&quick).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = storage.begin().await.unwrap();
        assert!(matches!(tx.complete_job(&quick).await, Err(Error::LostLease { .. })), "done is done");
        drop(tx);
        assert_eq!(storage.audit_head(&harjuvesi()).await.unwrap().seq, 1);
        assert_eq!(storage.pending_jobs().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_crash_in_the_middle_leaves_nothing_and_the_job_comes_again() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let mut case = register(storage).await;
        enqueue(storage, &job("triage/read", None)).await;
        let first = claim_one(storage, "crashes").await.unwrap();
        let mut tx = storage.begin().await.unwrap();
        case.status = Status::InReview;
        tx.save_case(&mut case).await.unwrap();
        tx.append_event(&harjuvesi(), event(1)).await.unwrap();
        tx.enqueue(&job("triage/classify", Some("next"))).await.unwrap();
        tx.complete_job(&first).await.unwrap();
        drop(tx);

        let storage = &db.open_again().await;
        let found = storage.case(&harjuvesi(), case.id).await.unwrap().unwrap();
        assert_eq!((found.status, found.revision), (Status::Received, 0));
        assert_eq!(storage.audit_head(&harjuvesi()).await.unwrap(), Head::start());
        assert_eq!(storage.pending_jobs().await.unwrap(), 1);
        db.clock.advance(LEASE);
        let second = claim_one(storage, "goes on").await.unwrap();
        assert_eq!((second.id, second.attempts), (first.id, 2));
        storage.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_failing_job_waits_comes_again_and_ends_as_a_dead_letter_that_is_seen() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let Enqueued::New(id) = enqueue(storage, &job("triage/read", Some("k"))).await else { panic!("new") };
        for attempt in 1..=2 {
            let job = claim_one(storage, "w").await.unwrap();
            assert_eq!((job.attempts, job.is_last_attempt()), (attempt, false));
            let mut tx = storage.begin().await.unwrap();
            tx.retry_job(&job, "disk\0full", Duration::from_secs(5)).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(claim_one(storage, "w").await, None, "not before its time");
            db.clock.advance(Duration::from_secs(5));
        }
        let job = claim_one(storage, "w").await.unwrap();
        assert!(job.is_last_attempt() && !job.is_exhausted());
        let mut tx = storage.begin().await.unwrap();
        tx.bury_job(&job, &"x".repeat(10_000)).await.unwrap();
        tx.commit().await.unwrap();
        db.clock.advance(LEASE * 10);
        assert_eq!(claim_one(storage, "w").await, None);
        assert_eq!(storage.pending_jobs().await.unwrap(), 0);
        let dead = storage.dead_jobs(&harjuvesi()).await.unwrap();
        assert_eq!((dead.len(), dead[0].id, dead[0].attempts), (1, id, 3));
        assert_eq!(dead[0].last_error.as_ref().unwrap().len(), 500);
        assert_eq!(storage.dead_jobs(&neighbour()).await.unwrap(), []);

        let mut tx = storage.begin().await.unwrap();
        assert!(!tx.revive_job(&neighbour(), id).await.unwrap());
        assert!(tx.revive_job(&harjuvesi(), id).await.unwrap());
        assert!(!tx.revive_job(&harjuvesi(), id).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(claim_one(storage, "w").await.unwrap().attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn a_job_that_kills_its_worker_shows_as_exhausted() {
    on_every_database(async |db: &Database| {
        enqueue(&db.storage, &job("triage/read", None)).await;
        for _ in 0..3 {
            assert!(!claim_one(&db.storage, "dies").await.unwrap().is_exhausted());
            db.clock.advance(LEASE);
        }
        assert!(claim_one(&db.storage, "sees it").await.unwrap().is_exhausted());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_jobs_and_four_workers_none_twice() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let mut tx = storage.begin().await.unwrap();
        for n in 0..200 {
            let run_at = Some(storage.ambient().now() - Duration::from_secs(n));
            tx.enqueue(&NewJob { run_at, ..job("count", None) }).await.unwrap();
        }
        tx.commit().await.unwrap();
        let other_process = db.open_again().await;
        let workers = ["a", "b", "c", "d"].map(|name| {
            let storage = if name < "c" { storage.clone() } else { other_process.clone() };
            tokio::spawn(async move {
                let mut done = Vec::new();
                loop {
                    let jobs = storage.claim_jobs(name, 7, LEASE).await.unwrap();
                    if jobs.is_empty() {
                        return done;
                    }
                    assert!(jobs.len() <= 7 && jobs.is_sorted_by_key(|job| job.run_at));
                    for job in jobs {
                        let mut tx = storage.begin().await.unwrap();
                        tx.append_event(&harjuvesi(), event(1)).await.unwrap();
                        tx.complete_job(&job).await.unwrap();
                        tx.commit().await.unwrap();
                        done.push(job.id);
                    }
                }
            })
        });
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.await.unwrap());
        }
        assert_eq!(done.len(), 200);
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>().len(), 200);
        assert_eq!(storage.pending_jobs().await.unwrap(), 0);
        assert_eq!(storage.verify_audit(&harjuvesi(), &[]).await.unwrap().unwrap().seq, 200);
        other_process.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_commit_wakes_a_waiting_worker() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let waits = async |storage: &Storage| {
            tokio::time::timeout(Duration::from_millis(50), storage.jobs_enqueued()).await.is_err()
        };
        let mut tx = storage.begin().await.unwrap();
        tx.enqueue(&job("a", None)).await.unwrap();
        assert!(waits(storage).await, "nothing is real before the commit");
        tx.commit().await.unwrap();
        assert!(!waits(storage).await);
        assert!(waits(storage).await);
        let mut tx = storage.begin().await.unwrap();
        tx.enqueue(&job("a", None)).await.unwrap();
        tx.rollback().await;
        let later = Some(storage.ambient().now() + LEASE);
        enqueue(storage, &NewJob { run_at: later, ..job("a", None) }).await;
        assert!(waits(storage).await);
    })
    .await;
}

// ── The audit chain ──

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_appends_make_one_unbroken_chain() {
    on_every_database(async |db: &Database| {
        let other_process = db.open_again().await;
        let writers = [0, 1, 2, 3].map(|writer| {
            let storage = if writer < 2 { db.storage.clone() } else { other_process.clone() };
            tokio::spawn(async move {
                for n in 0..25 {
                    let mut tx = storage.begin().await.unwrap();
                    tx.append_event(&harjuvesi(), event(n)).await.unwrap();
                    tx.append_event(&harjuvesi(), event(n)).await.unwrap();
                    // Every fifth is given up: no gap may show.
                    if n % 5 != 4 {
                        tx.commit().await.unwrap();
                    }
                }
            })
        });
        for writer in writers {
            writer.await.unwrap();
        }
        let head = db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().unwrap();
        assert_eq!(head.seq, 4 * 20 * 2);
        assert_eq!(db.storage.audit_head(&harjuvesi()).await.unwrap(), head);
        other_process.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_appended_is_what_is_read_and_another_municipality_has_its_own_chain() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let mut tx = storage.begin().await.unwrap();
        let first = tx.append_event(&harjuvesi(), event(1)).await.unwrap();
        let about =
            NewEvent { case_id: Some(case.id), actor: Actor::from(&person(storage, Role::Approver)), ..event(2) };
        let second = tx.append_event(&harjuvesi(), about).await.unwrap();
        let other = tx.append_event(&neighbour(), event(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!((first.seq, second.seq, other.seq), (1, 2, 1));
        assert_eq!(second.previous, first.hash);
        assert_ne!(other.hash, first.hash, "the municipality is part of the hash");
        assert_eq!(first.payload["share"], json!("0.25"), "no number with a fraction");
        assert_eq!(storage.timeline(&harjuvesi(), case.id).await.unwrap(), std::slice::from_ref(&second));
        assert_eq!(storage.timeline(&neighbour(), case.id).await.unwrap(), []);
        let head = audit::verify_chain(&harjuvesi(), [&first, &second], None, &[]).unwrap();
        assert_eq!(storage.audit_head(&harjuvesi()).await.unwrap(), head);
        assert_eq!(storage.audited_municipalities().await.unwrap(), [harjuvesi(), neighbour()]);
        assert_eq!(storage.verify_audit(&"ylaharju".parse().unwrap(), &[]).await.unwrap(), Ok(Head::start()));
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_tampering_is_seen() {
    // What is done to a chain of six events, and what the verifier says.
    let tampering = [
        ("update events set payload = replace(payload, '3', '4') where seq = 3", 3, Breach::Edited),
        ("update events set payload = payload || ' ' where seq = 3", 3, Breach::Edited),
        ("update events set actor = replace(actor, 'read', 'compose') where seq = 2", 2, Breach::Edited),
        ("update events set kind = 'approved' where seq = 2", 2, Breach::Edited),
        ("update events set at = at + 1 where seq = 6", 6, Breach::Edited),
        ("update events set case_id = '00000000-0000-7000-8000-000000000000' where seq = 2", 2, Breach::Edited),
        ("update events set previous = hash where seq = 2", 2, Breach::Unlinked),
        ("update events set hash = previous where seq = 4", 4, Breach::Edited),
        ("delete from events where seq = 1", 1, Breach::Removed),
        ("delete from events where seq = 3", 3, Breach::Removed),
        ("delete from events where seq = 6", 6, Breach::Cut),
        ("delete from events", 1, Breach::Cut),
        ("update events set seq = case seq when 99 then 4 else 99 end where seq = 3", 3, Breach::Removed),
        ("update events set seq = seq - 10", -9, Breach::Reordered),
        (
            "insert into events select municipality, 0, at, actor, kind, case_id, payload, previous, hash from events \
             where seq = 1",
            0,
            Breach::Reordered,
        ),
        // Removed and closed up again.
        ("delete from events where seq = 3; update events set seq = seq - 1 where seq > 3", 3, Breach::Unlinked),
        // Two events change places.
        (
            "update events set seq = 100 where seq = 2; update events set seq = 2 where seq = 3; \
             update events set seq = 3 where seq = 100",
            2,
            Breach::Unlinked,
        ),
        // Another municipality's event in place of ours; without ours the first stands alone.
        (
            "delete from events where municipality = 'harjuvesi'; \
             update events set municipality = 'harjuvesi' where municipality = 'lillsund'",
            1,
            Breach::Edited,
        ),
        ("update audit_heads set seq = 5", 6, Breach::Head),
        ("update audit_heads set seq = 7", 7, Breach::Cut),
        ("update audit_heads set hash = replace(hash, substr(hash, 1, 1), 'x')", 6, Breach::Head),
        ("delete from audit_heads", 6, Breach::Head),
        (
            "insert into events select municipality, 7, at, actor, kind, case_id, payload, hash, hash from events \
             where seq = 6",
            7,
            Breach::Edited,
        ),
    ];
    for (sql, seq, breach) in tampering {
        on_every_database(async |db: &Database| {
            for n in 1..=6 {
                append(&db.storage, &harjuvesi(), n).await;
            }
            append(&db.storage, &neighbour(), 1).await;
            assert_eq!(db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().unwrap().seq, 6);
            // The neighbour's rows take part only where a line says so.
            let only_ours = if sql.contains("lillsund") { sql.to_owned() } else { ours(sql) };
            assert_ne!(db.tamper(&only_ours).await, 0, "{sql}");
            let found = db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap();
            assert_eq!(found, Err(Broken { seq, breach }), "{sql}");
            if !sql.contains("lillsund") {
                assert!(db.storage.verify_audit(&neighbour(), &[]).await.unwrap().is_ok());
            }
        })
        .await;
    }
}

/// The statements, each narrowed to our municipality.
fn ours(sql: &str) -> String {
    let narrow = |statement: &str| {
        let word = if statement.contains(" where ") { "and" } else { "where" };
        format!("{} {word} municipality = 'harjuvesi'", statement.trim())
    };
    sql.split(';').map(narrow).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn a_cut_with_a_matching_head_is_seen_by_an_anchor() {
    on_every_database(async |db: &Database| {
        for n in 1..=6 {
            append(&db.storage, &harjuvesi(), n).await;
        }
        let anchor = db.storage.audit_head(&harjuvesi()).await.unwrap();
        assert_eq!(anchor.to_string().parse::<Head>().unwrap(), anchor);
        append(&db.storage, &harjuvesi(), 7).await;
        let verify = async || db.storage.verify_audit(&harjuvesi(), std::slice::from_ref(&anchor)).await.unwrap();
        assert!(verify().await.is_ok());

        db.tamper("delete from events where seq > 4").await;
        db.tamper("update audit_heads set seq = 4, hash = (select hash from events where seq = 4)").await;
        assert!(db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().is_ok(), "from within it looks whole");
        assert_eq!(verify().await, Err(Broken { seq: 5, breach: Breach::Cut }));
        // And so is a chain that was written anew.
        for n in [8, 9, 10] {
            append(&db.storage, &harjuvesi(), n).await;
        }
        assert!(db.storage.verify_audit(&harjuvesi(), &[]).await.unwrap().is_ok());
        assert_eq!(verify().await, Err(Broken { seq: 6, breach: Breach::Anchor }));
    })
    .await;
}

#[tokio::test]
async fn an_export_can_be_verified_without_the_service() {
    on_every_database(async |db: &Database| {
        // More than one batch of reading.
        let mut tx = db.storage.begin().await.unwrap();
        for n in 0..1_203 {
            tx.append_event(&harjuvesi(), event(n)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut lines = Vec::new();
        let head = db
            .storage
            .export_events(&harjuvesi(), |line| {
                lines.push(line.to_owned());
                Ok::<(), Error>(())
            })
            .await
            .unwrap();
        assert_eq!((lines.len(), head.seq), (1_205, 1_203));
        assert_eq!(audit::verify_export(None, &lines, &[]).unwrap(), (harjuvesi(), head.clone()));
        assert!(audit::verify_export(Some(&harjuvesi()), &lines, std::slice::from_ref(&head)).is_ok());

        let broken = |change: &dyn Fn(&mut Vec<String>)| {
            let mut lines = lines.clone();
            change(&mut lines);
            audit::verify_export(None, &lines, &[]).unwrap_err()
        };
        let edited = |lines: &mut Vec<String>| lines[3] = lines[3].replace("\"step\":2", "\"step\":5");
        assert_eq!(broken(&edited), Broken { seq: 3, breach: Breach::Edited });
        let more = |lines: &mut Vec<String>| lines[3] = lines[3].replacen('{', "{\"x\":1,", 1);
        assert_eq!(broken(&more), Broken { seq: 3, breach: Breach::Unreadable });
        let removed = |lines: &mut Vec<String>| drop(lines.remove(5));
        assert_eq!(broken(&removed), Broken { seq: 5, breach: Breach::Removed });
        let swapped = |lines: &mut Vec<String>| lines.swap(5, 6);
        assert_eq!(broken(&swapped), Broken { seq: 5, breach: Breach::Removed });
        let cut = |lines: &mut Vec<String>| drop(lines.remove(1_203));
        assert_eq!(broken(&cut), Broken { seq: 1_203, breach: Breach::Cut });
        let headless = |lines: &mut Vec<String>| lines.truncate(1_204);
        assert_eq!(broken(&headless), Broken { seq: 1_204, breach: Breach::Cut });
        let renamed = |lines: &mut Vec<String>| lines[0] = lines[0].replace("harjuvesi", "lillsund");
        assert_eq!(broken(&renamed), Broken { seq: 1, breach: Breach::Edited });
        let nothing = |lines: &mut Vec<String>| lines.clear();
        assert_eq!(broken(&nothing), Broken { seq: 0, breach: Breach::Unreadable });
        let foreign = audit::verify_export(Some(&neighbour()), &lines, &[]).unwrap_err();
        assert_eq!(foreign.breach, Breach::Foreign);
    })
    .await;
}

// ── Alerts, tokens, answers ──

#[tokio::test]
async fn an_alert_stays_open_until_a_person_has_seen_it() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let words = "sähköjohto poikki".to_owned();
        let hit = EmergencyHit { kind: "live-wire".into(), words, source: "text".into(), card: "emergency".into() };
        let alert = Alert {
            id: AlertId::new(storage.ambient().id()),
            municipality: harjuvesi(),
            case_id: case.id,
            hits: vec![hit],
            raised_at: storage.ambient().now(),
            acknowledged: None,
        };
        let mut tx = storage.begin().await.unwrap();
        tx.raise_alert(&alert).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(storage.alerts(&harjuvesi(), true).await.unwrap(), std::slice::from_ref(&alert));
        assert_eq!(storage.alerts(&neighbour(), false).await.unwrap(), []);
        assert_eq!(storage.open_alerts().await.unwrap(), 1);
        assert_eq!(storage.alerts_of_case(&harjuvesi(), case.id).await.unwrap(), std::slice::from_ref(&alert));
        assert_eq!(storage.alerts_of_case(&neighbour(), case.id).await.unwrap(), []);

        let seen_by = person(storage, Role::Handler);
        let stranger = Person { municipality: neighbour(), ..seen_by.clone() };
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.acknowledge_alert(alert.id, &stranger).await.unwrap(), None);
        let seen = tx.acknowledge_alert(alert.id, &seen_by).await.unwrap().unwrap();
        let at = storage.ambient().now();
        assert_eq!(seen.acknowledged, Some(Acknowledgement { person: seen_by, at }));
        let late = tx.acknowledge_alert(alert.id, &person(storage, Role::Registry)).await.unwrap().unwrap();
        assert_eq!(late, seen, "who saw it first stays");
        tx.commit().await.unwrap();
        assert_eq!(storage.alerts(&harjuvesi(), true).await.unwrap(), []);
        assert_eq!(storage.alerts(&harjuvesi(), false).await.unwrap(), std::slice::from_ref(&seen));

        // What is open stands first, the one that waits longest on top.
        let open = |minutes: u64| Alert {
            id: AlertId::new(storage.ambient().id()),
            raised_at: alert.raised_at + Duration::from_secs(minutes * 60),
            ..alert.clone()
        };
        let (old, new) = (open(1), open(2));
        let mut tx = storage.begin().await.unwrap();
        tx.raise_alert(&new).await.unwrap();
        tx.raise_alert(&old).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(storage.alerts(&harjuvesi(), false).await.unwrap(), [old, new, seen]);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_token_opens_nothing() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let person = person(storage, Role::Approver);
        let (secret, hash) = tokens::generate(storage.ambient());
        let row = TokenRow { id: person.token, hash: hash.clone(), person: person.clone() };
        let mut tx = storage.begin().await.unwrap();
        tx.insert_token(&row).await.unwrap();
        tx.commit().await.unwrap();
        let by_secret = async |secret: &str| storage.person_by_token_hash(&tokens::hash(secret)).await.unwrap();
        assert_eq!(by_secret(&secret).await, Some(person.clone()));
        assert_eq!(by_secret("vir_0").await, None);
        assert_eq!(storage.person_by_token_hash("a\0b").await.unwrap(), None);
        assert_eq!(storage.tokens(&harjuvesi()).await.unwrap(), [row]);
        let mut tx = storage.begin().await.unwrap();
        assert!(!tx.revoke_token(&neighbour(), person.token).await.unwrap());
        assert!(tx.revoke_token(&harjuvesi(), person.token).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(by_secret(&secret).await, None);
        assert_eq!(storage.tokens(&harjuvesi()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_answer() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let remember =
            async |tx: &mut Tx, body: &[u8]| tx.remember_answer(&harjuvesi(), "k\0", "hash", 201, body).await;
        assert_eq!(storage.answer(&harjuvesi(), "k\0").await.unwrap(), None);
        let mut tx = storage.begin().await.unwrap();
        remember(&mut tx, b"first").await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(remember(&mut tx, b"second").await, Err(Error::AlreadyAnswered));
        drop(tx);
        let answer = storage.answer(&harjuvesi(), "k\0").await.unwrap().unwrap();
        assert_eq!((answer.status, answer.body.as_slice(), answer.body_hash.as_str()), (201, &b"first"[..], "hash"));
        assert_eq!(storage.answer(&neighbour(), "k\0").await.unwrap(), None);
        db.clock.advance(LEASE);
        let mut tx = storage.begin().await.unwrap();
        assert_eq!(tx.forget_answers(storage.ambient().now()).await.unwrap(), 1);
        tx.commit().await.unwrap();
        assert_eq!(storage.answer(&harjuvesi(), "k\0").await.unwrap(), None);
    })
    .await;
}

// ── The database itself ──

#[tokio::test]
async fn opening_again_changes_nothing_and_two_may_open_a_new_one_at_once() {
    on_every_database(async |db: &Database| {
        let case = register(&db.storage).await;
        let again = db.open_again().await;
        assert_eq!(again.case(&harjuvesi(), case.id).await.unwrap(), Some(case));
        again.ping().await.unwrap();
        again.close().await;
        assert!(matches!(again.ping().await, Err(Error::Unavailable { .. })));
        assert!(matches!(again.begin().await, Err(Error::Unavailable { .. })));
    })
    .await;

    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("new folder/ä.db").display());
    let (ambient, _) = vireille::clock::Ambient::fixed(Timestamp::UNIX_EPOCH);
    let opening = [(); 4].map(|()| {
        let (url, ambient) = (url.clone(), ambient.clone());
        tokio::spawn(async move { Storage::open(&url, ambient).await })
    });
    for opened in opening {
        opened.await.unwrap().unwrap().close().await;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("new folder/ä.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else may read it");
    }
}

#[tokio::test]
async fn a_transaction_in_which_a_statement_failed_is_never_called_a_commit() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let mut tx = storage.begin().await.unwrap();
        tx.append_event(&harjuvesi(), event(1)).await.unwrap();
        let refused = tx.insert_case(&case).await.unwrap_err();
        assert!(matches!(&refused, Error::Database { .. }), "{refused}");
        assert!(!refused.to_string().contains(&case.number), "{refused}");
        assert_eq!(tx.commit().await, Err(Error::Broken));
        assert_eq!(storage.audit_head(&harjuvesi()).await.unwrap(), Head::start());
    })
    .await;
}

#[tokio::test]
async fn a_cut_connection_loses_the_open_transaction_and_nothing_else() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        append(storage, &harjuvesi(), 1).await;
        let mut tx = storage.begin().await.unwrap();
        tx.append_event(&harjuvesi(), event(2)).await.unwrap();
        if !db.cut_connections().await {
            return;
        }
        let refused = tx.append_event(&harjuvesi(), event(3)).await.unwrap_err();
        assert!(refused.is_transient(), "{refused}");
        assert!(tx.commit().await.is_err());
        append(storage, &harjuvesi(), 4).await;
        assert_eq!(storage.verify_audit(&harjuvesi(), &[]).await.unwrap().unwrap().seq, 2);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_without_its_value() {
    on_every_database(async |db: &Database| {
        let case = register(&db.storage).await;
        db.tamper("update cases set file = '{\"flags\": \"Matti Meikäläinen\"}'").await;
        let refused = db.storage.case(&harjuvesi(), case.id).await.unwrap_err();
        assert_eq!(refused, Error::Corrupt { what: "file".into() });
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let (ambient, _) = vireille::clock::Ambient::fixed(Timestamp::UNIX_EPOCH);
    let secret = "postgres://user:hunter2@127.0.0.1:1/nothing";
    let refused = Storage::open(secret, ambient.clone()).await.unwrap_err();
    assert!(refused.is_transient() && !format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
    let refused = Storage::open("mysql://user:hunter2@h/d", ambient).await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
}
