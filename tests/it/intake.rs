//! What strangers send: read without a panic, kept byte for byte, refused only with where, what and what instead.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use vireille::cases::{EventKind, Flag, Language, MunicipalityId, Status};
use vireille::clock::Ambient;
use vireille::intake::json::Defaults;
use vireille::intake::receipt::Receipt;
use vireille::intake::register::{RegisterError, register, rulebook};
use vireille::intake::{Incoming, Refusal, email, json};
use vireille::policy::Rulebooks;
use vireille::storage::QueueFilter;
use vireille::triage::pipeline::{Settings, Worker};

use crate::support::database::{Database, on_every_database};
use crate::support::desk::{TRIAGE, desk, road_json};

/// More messages (broken MIME, odd encodings): give their folder to run them through the reader, too.
const MORE_MESSAGES: &str = "VIREILLE_TEST_EML_DIR";

#[test]
#[expect(clippy::disallowed_methods, reason = "a test takes its optional corpus from the environment")]
fn broken_messages_are_read_and_kept_byte_for_byte() {
    let (ambient, _) = Ambient::fixed("2026-03-31T13:15:00Z".parse().unwrap());
    let defaults = Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mail");
    let mut read = 0;
    each_file(&own, &mut |path| {
        let bytes = std::fs::read(path).unwrap();
        let mail = readable(path, &bytes, &defaults, 1);
        let said = [mail.submission.subject.as_deref(), mail.submission.text.as_deref()].map(Option::unwrap_or_default);
        // However it was built, the words reach a person.
        assert!(said.concat().contains("Kirkkotie"), "{}: {said:?}", path.display());
        read += 1;
    });
    assert_eq!(read, 6, "tests/fixtures/mail");
    let Ok(more) = std::env::var(MORE_MESSAGES) else { return };
    each_file(Path::new(&more), &mut |path| {
        let bytes = std::fs::read(path).unwrap();
        if !bytes.trim_ascii().is_empty() {
            readable(path, &bytes, &defaults, 97);
            read += 1;
        }
    });
    assert!(read > 6, "{MORE_MESSAGES} names a folder without messages");
}

/// Reads a message, and what is left of it when it is cut anywhere.
fn readable(path: &Path, bytes: &[u8], defaults: &Defaults, step: usize) -> Incoming {
    let mail = email::parse(bytes, defaults).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(mail.raw, bytes, "{}", path.display());
    for end in (1..bytes.len()).step_by(step) {
        let cut = email::parse(&bytes[..end], defaults);
        assert_eq!(cut.is_err(), bytes[..end].trim_ascii().is_empty(), "{} cut at {end}", path.display());
    }
    mail
}

fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, visit);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            visit(&path);
        }
    }
}

fn harjuvesi() -> MunicipalityId {
    "harjuvesi".parse().unwrap()
}

fn read(database: &Database, submission: &Value) -> Incoming {
    let defaults = Defaults::file(Some(harjuvesi()), None, database.ambient.clone());
    let mut read = json::parse(submission.to_string().as_bytes(), &defaults).unwrap_or_else(|error| panic!("{error}"));
    read.remove(0)
}

async fn try_submit(database: &Database, submission: &Value) -> Result<Receipt, RegisterError> {
    let desk = desk();
    register(&database.storage, &desk.rulebook, &desk.lexicon, read(database, submission)).await
}

async fn submit(database: &Database, submission: &Value) -> Receipt {
    try_submit(database, submission).await.unwrap_or_else(|error| panic!("{error}"))
}

fn refused(result: Result<Receipt, RegisterError>) -> vireille::intake::IntakeError {
    match result {
        Err(RegisterError::Refused(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

async fn cases(database: &Database) -> usize {
    let all = database.storage.cases(&harjuvesi(), &QueueFilter::default(), None, 500).await.unwrap();
    all.rows.len()
}

async fn draft_everything(database: &Database) {
    let worker = Worker::new(
        database.storage.clone(),
        Arc::clone(&TRIAGE),
        database.ambient.clone(),
        "test".to_owned(),
        Settings::default(),
    );
    worker.run_pending(|_, _| {}).await.unwrap();
}

#[tokio::test]
async fn a_submission_becomes_a_case_with_its_bytes_its_number_and_its_history() {
    on_every_database(async |database| {
        let sent = json!({"id": "a1", "text": "Katuvalo ei pala Kirkkotiellä."});
        let receipt = submit(database, &sent).await;
        assert_eq!(receipt.number, "HRJ/2026/00001");
        assert_eq!(receipt.language, Language::Fi);
        assert!(receipt.text.contains("HRJ/2026/00001"), "{}", receipt.text);
        assert!(receipt.emergency.is_empty() && !receipt.already);

        let raw = database.storage.raw(&harjuvesi(), receipt.submission_id).await.unwrap().unwrap();
        assert_eq!(raw, sent.to_string().as_bytes());
        let history = database.storage.timeline(&harjuvesi(), receipt.case_id).await.unwrap();
        assert_eq!(history.iter().map(|event| event.kind).collect::<Vec<_>>(), [EventKind::Registered]);
        assert!(!history[0].payload.to_string().contains("Kirkkotie"), "personal data in the audit chain");
    })
    .await;
}

#[tokio::test]
async fn the_same_submission_twice_is_one_case_and_another_under_its_id_is_refused_aloud() {
    on_every_database(async |database| {
        let sent = json!({"id": "a1", "text": "Katuvalo ei pala."});
        let first = submit(database, &sent).await;
        let again = submit(database, &sent).await;
        assert!(again.already);
        assert_eq!((again.case_id, again.text), (first.case_id, first.text));

        let error = refused(try_submit(database, &json!({"id": "a1", "text": "Jotain muuta."})).await);
        assert_eq!((error.refusal, error.at.as_str()), (Refusal::Conflict, "/id"));
        assert!(error.what.contains("HRJ/2026/00001"), "{error}");
        assert_eq!(cases(database).await, 1);
        // Without an id nobody can know: the safe side is two cases.
        submit(database, &json!({"text": "Katuvalo ei pala."})).await;
        submit(database, &json!({"text": "Katuvalo ei pala."})).await;
        assert_eq!(cases(database).await, 3);
    })
    .await;
}

#[tokio::test]
async fn the_same_frame_with_another_file_is_not_the_same_submission() {
    on_every_database(async |database| {
        let folder = tempfile::tempdir().unwrap();
        let sent = br#"{"id": "a1", "text": "Liite", "attachments": ["a.txt"]}"#;
        let desk = desk();
        for (content, registered) in [("one", true), ("two", false)] {
            std::fs::write(folder.path().join("a.txt"), content).unwrap();
            let defaults = Defaults::file(Some(harjuvesi()), Some(folder.path().to_owned()), database.ambient.clone());
            let incoming = json::parse(sent, &defaults).unwrap().remove(0);
            let result = register(&database.storage, &desk.rulebook, &desk.lexicon, incoming).await;
            assert_eq!(result.is_ok(), registered, "{result:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_channels_at_once_with_one_id_make_one_case() {
    on_every_database(async |database| {
        let sent = json!({"id": "a1", "text": "Katuvalo ei pala."});
        let (one, two, three) = tokio::join!(submit(database, &sent), submit(database, &sent), submit(database, &sent));
        assert_eq!((one.case_id, two.case_id), (two.case_id, three.case_id));
        assert_eq!([one.already, two.already, three.already].iter().filter(|already| !**already).count(), 1);
        assert_eq!(cases(database).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_serves_is_refused_with_what_is_served() {
    on_every_database(async |database| {
        let error = refused(try_submit(database, &json!({"service": "dog-licence", "text": "x"})).await);
        assert_eq!((error.refusal, error.at.as_str()), (Refusal::UnknownService, "/service"));
        assert!(error.instead.contains("private-road-grant"), "{error}");
        assert_eq!(cases(database).await, 0);

        let books: Rulebooks = [(*desk().rulebook).clone()].into_iter().collect();
        let error = rulebook(&books, &"atlantis".parse().unwrap()).unwrap_err();
        assert_eq!(error.refusal, Refusal::UnknownMunicipality);
        assert!(error.instead.contains("harjuvesi"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn words_of_danger_reach_a_person_and_the_sender_at_once() {
    on_every_database(async |database| {
        // In a form field, in Swedish, before any step has run.
        let sent = json!({
            "service": "fault-notice", "party": {"language": "sv"},
            "fields": {"description": "En elledning ligger på marken och det gnistrar. Barnen leker där!"}
        });
        let receipt = submit(database, &sent).await;
        assert_eq!(receipt.emergency.len(), 1);
        assert_eq!(receipt.emergency[0].card, "emergency");
        assert!(receipt.emergency[0].text.contains("112"), "{:?}", receipt.emergency);

        let alerts = database.storage.alerts(&harjuvesi(), true).await.unwrap();
        assert_eq!(alerts.len(), 1);
        assert_eq!((alerts[0].case_id, alerts[0].hits[0].source.as_str()), (receipt.case_id, "field:description"));
        let case = database.storage.case(&harjuvesi(), receipt.case_id).await.unwrap().unwrap();
        assert!(case.file.flags.contains(&Flag::Emergency));
        let history = database.storage.timeline(&harjuvesi(), receipt.case_id).await.unwrap();
        let kinds: Vec<_> = history.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Registered, EventKind::AlertRaised]);
    })
    .await;
}

#[tokio::test]
async fn tricks_in_texts_are_kept_as_they_came_and_hurt_nobody() {
    on_every_database(async |database| {
        let sent = json!({
            "text": "Kuoppa\u{0} tiessä \u{202e}äpäv\u{202c} '; drop table cases; -- {{ 7 * 7 }}",
            "fields": {"a\u{0}b": "\u{0}", "deep": [{"x": ["y"]}]}
        });
        let receipt = submit(database, &sent).await;
        let kept = database.storage.submission(&harjuvesi(), receipt.submission_id).await.unwrap().unwrap();
        assert_eq!(kept.text.as_deref(), sent["text"].as_str());
        assert_eq!(kept.fields["a\u{0}b"], "\u{0}");
        draft_everything(database).await;
        let case = database.storage.case(&harjuvesi(), receipt.case_id).await.unwrap().unwrap();
        assert_eq!(case.status, Status::InReview);
        assert!(case.file.flags.contains(&Flag::HiddenCharacters));
    })
    .await;
}

#[tokio::test]
async fn the_first_job_is_one_that_the_pipeline_knows() {
    on_every_database(async |database| {
        let mut incomplete = road_json();
        incomplete["fields"]["supported_length"] = json!("noin kaksi kilometriä");
        let receipt = submit(database, &incomplete).await;
        draft_everything(database).await;
        let case = database.storage.case(&harjuvesi(), receipt.case_id).await.unwrap().unwrap();
        assert_eq!(case.status, Status::InReview);
        // What is wrong in a field is asked for; it was no reason to refuse the submission.
        let draft = database.storage.latest_draft(&harjuvesi(), receipt.case_id).await.unwrap().unwrap();
        assert_eq!(draft.content.kind.as_str(), "completion");
        assert!(database.storage.dead_jobs(&harjuvesi()).await.unwrap().is_empty());
    })
    .await;
}
