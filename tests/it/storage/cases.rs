//! Cases and the queue: numbers without gaps, revisions, what stands first.

use super::*;

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
