//! The database itself: opened again, cut off, not there.

use super::*;

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
