//! Jobs: leases, retries, dead letters; a worker that lost its lease writes nothing.

use super::*;

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
