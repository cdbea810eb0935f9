//! Links to cases, and forms that are being filled in.

use vireille::storage::{CaseLink, Filled, SavedFile, SavedForm};

use super::*;

#[tokio::test]
async fn a_link_leads_to_its_case_and_to_no_other() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let link = CaseLink { id: TokenId::new(storage.ambient().id()), municipality: harjuvesi(), case_id: case.id };
        storage.insert_case_link("one", &link).await.unwrap();
        assert_eq!(storage.case_link("one").await.unwrap(), Some(link.clone()));
        assert_eq!(storage.case_link("another").await.unwrap(), None);
        assert!(storage.insert_case_link("one", &link).await.is_err(), "a link is made once");
    })
    .await;
}

#[tokio::test]
async fn a_form_is_kept_until_it_is_sent_or_forgotten() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let now = storage.ambient().now();
        let mut form = SavedForm {
            link_hash: "a".to_owned(),
            municipality: harjuvesi(),
            service: Some("private-road-grant".parse().unwrap()),
            file: Filled::default(),
            expires_at: now + Duration::from_mins(1),
        };
        form.file.texts.insert("road_name".to_owned(), "Harju\u{0}tie ”ä”".to_owned());
        storage.save_form(&form).await.unwrap();
        form.file.from.insert("road_name".to_owned(), "HRJ/2026/00001".to_owned());
        storage.save_form(&form).await.unwrap();
        assert_eq!(storage.saved_form("a").await.unwrap(), Some(form.clone()));
        let file = |id: &str| SavedFile { id: id.to_owned(), name: "k\u{0}uva.jpg".to_owned(), bytes: vec![0, 255] };
        for id in ["1", "2"] {
            storage.add_saved_file("a", &file(id)).await.unwrap();
        }
        storage.remove_saved_file("b", "1").await.unwrap();
        storage.remove_saved_file("a", "2").await.unwrap();
        let kept = storage.saved_files("a").await.unwrap();
        assert_eq!(
            kept.iter().map(|file| (file.id.as_str(), file.name.as_str())).collect::<Vec<_>>(),
            [("1", "kuva.jpg")]
        );

        let other = SavedForm { link_hash: "b".to_owned(), service: None, ..form.clone() };
        storage.save_form(&other).await.unwrap();
        storage.add_saved_file("b", &file("3")).await.unwrap();
        storage.delete_saved_form("b").await.unwrap();
        assert_eq!((storage.saved_form("b").await.unwrap(), storage.saved_files("b").await.unwrap().len()), (None, 0));

        db.clock.advance(Duration::from_secs(61));
        assert_eq!(storage.saved_form("a").await.unwrap(), None, "nobody came back");
        assert_eq!(storage.forget_saved_forms().await.unwrap(), 1);
        assert_eq!(storage.saved_files("a").await.unwrap(), []);
    })
    .await;
}
