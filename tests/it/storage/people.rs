//! Alerts, tokens and remembered answers.

use super::*;

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
