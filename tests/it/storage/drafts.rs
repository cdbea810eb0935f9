//! Drafts and decisions: immutable versions, one approval wins.

use super::*;

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
