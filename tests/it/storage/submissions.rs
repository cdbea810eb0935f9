//! What came in: kept byte for byte, once, and by its sender.

use super::*;

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
