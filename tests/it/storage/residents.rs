//! Links to cases, and forms that are being filled in.

use vireille::storage::{CaseLink, Filled, Origin, SavedFile, SavedForm};

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
        form.file.from.insert("road_name".to_owned(), Origin::Case("HRJ/2026/00001".to_owned()));
        let register = Origin::Register { register: "Tierekisteri".to_owned(), as_of: jiff::civil::date(2026, 3, 1) };
        form.file.from.insert("total_length".to_owned(), register);
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

#[tokio::test]
async fn a_message_waits_until_the_office_has_seen_it() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let (case, other) = (register(storage).await, register(storage).await);
        let message = |side, became| Message {
            id: MessageId::new(storage.ambient().id()),
            case_id: case.id,
            side,
            by: Actor::system("test"),
            text: "Hei\n”ä”".to_owned(),
            language: Language::Fi,
            at: storage.ambient().now(),
            became,
        };
        let write = async |message: &Message| {
            let mut tx = storage.begin().await.unwrap();
            tx.insert_message(&harjuvesi(), message).await.unwrap();
            tx.commit().await.unwrap();
            db.clock.advance(Duration::from_secs(1));
        };
        let waiting = async || storage.cases_with_waiting_messages(&harjuvesi()).await.unwrap();
        let first = message(Side::Party, None);
        write(&first).await;
        assert_eq!(waiting().await, BTreeSet::from([case.id]));
        assert!(storage.cases_with_waiting_messages(&neighbour()).await.unwrap().is_empty());
        let answer = message(Side::Office, None);
        write(&answer).await;
        assert!(waiting().await.is_empty());
        let claim = message(Side::Party, Some(other.id));
        write(&claim).await;
        assert!(waiting().await.is_empty(), "the case that it became waits");
        let all = [first, answer, claim.clone()];
        assert_eq!(storage.messages(&harjuvesi(), case.id).await.unwrap(), all);
        assert_eq!(storage.messages(&harjuvesi(), other.id).await.unwrap(), [claim]);
        assert_eq!(storage.messages(&neighbour(), case.id).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_consent_is_there_only_while_it_was_given() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await;
        let set = async |given| {
            db.clock.advance(Duration::from_secs(1));
            let mut tx = storage.begin().await.unwrap();
            let changed = tx.set_consent(&harjuvesi(), case.id, given).await.unwrap();
            tx.commit().await.unwrap();
            let consent = storage.consent(&harjuvesi(), case.id).await.unwrap();
            (changed, consent.is_some_and(|consent| consent.holds()))
        };
        assert_eq!(set(false).await, (false, false), "what was never given is not withdrawn");
        assert_eq!(storage.consent(&harjuvesi(), case.id).await.unwrap(), None);
        assert_eq!(set(true).await, (true, true));
        assert_eq!(set(true).await, (false, true), "twice is once");
        assert_eq!(set(false).await, (true, false));
        assert_eq!(set(true).await, (true, true));
        assert_eq!(storage.consent(&neighbour(), case.id).await.unwrap(), None);
    })
    .await;
}
