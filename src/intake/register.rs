//! Registration (*kirjaaminen*): a submission becomes a case, in one transaction.
//!
//! Written together or not at all: the bytes as they came, the files, the reading, the case with its number, the
//! audit event, the alert where words of danger stand, and the first job of the pipeline. A submission that its
//! sender has sent before (same id, same content) gets the receipt of its case and changes nothing.

use std::sync::Arc;

use serde_json::json;

use super::receipt::{self, Receipt};
use super::{Incoming, IntakeError, Refusal, extract, quoted, words};
use crate::cases::{
    Actor, AlertId, Attachment, Case, CaseFile, CaseId, Channel, EmergencyHit, EventKind, Language, MunicipalityId,
    NewEvent, Status, Submission,
};
use crate::clock::helsinki;
use crate::municipality::Pack;
use crate::municipality::emergency::Lexicon;
use crate::municipality::format::ServiceFile;
use crate::policy::{Rulebook, Rulebooks};
use crate::storage::{self, Alert, NewJob, Storage, Tx};

/// How often the first job is tried before a person must look.
const ATTEMPTS: u32 = 5;
/// Who registers, in the audit chain.
const COMPONENT: &str = "intake/register";

/// Why a submission was not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// It is refused; the sender can put it right.
    #[error(transparent)]
    Refused(#[from] IntakeError),
    /// It could not be stored; nothing of it was, and the same call may succeed later.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

/// The rulebook of the municipality that a submission names.
///
/// # Errors
/// [`IntakeError`] with the municipalities that are served.
pub fn rulebook(rulebooks: &Rulebooks, municipality: &MunicipalityId) -> Result<Arc<Rulebook>, IntakeError> {
    rulebooks.get(municipality).ok_or_else(|| {
        let served: Vec<&str> = rulebooks.iter().map(|(id, _)| id.as_str()).collect();
        IntakeError::new(
            Refusal::UnknownMunicipality,
            "/municipality",
            format!("`{municipality}` is not served here"),
            format!("write one of: {}", served.join(", ")),
        )
    })
}

/// Registers a submission in a transaction of its own.
///
/// # Errors
/// [`RegisterError`]; nothing was written then.
pub async fn register(
    storage: &Storage,
    rulebook: &Rulebook,
    lexicon: &Lexicon,
    incoming: Incoming,
) -> Result<Receipt, RegisterError> {
    check_service(&rulebook.pack, &incoming.submission)?;
    let read = Read::of(&rulebook.pack, lexicon, &incoming.submission, &incoming.files);
    Box::pin(write(storage, &rulebook.pack, incoming, &read)).await
}

/// The same within a transaction that does more. After an error the transaction must be dropped.
///
/// # Errors
/// As [`register`].
pub async fn register_in(
    tx: &mut Tx,
    rulebook: &Rulebook,
    lexicon: &Lexicon,
    incoming: Incoming,
) -> Result<Receipt, RegisterError> {
    check_service(&rulebook.pack, &incoming.submission)?;
    let read = Read::of(&rulebook.pack, lexicon, &incoming.submission, &incoming.files);
    write_in(tx, &rulebook.pack, incoming, &read).await
}

/// What must be known of the words before anything is written. It is found before the transaction begins: a long
/// text takes its time, and the database may have one writer only.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) hits: Vec<EmergencyHit>,
    pub(super) language: Language,
}

impl Read {
    pub(super) fn of(pack: &Pack, lexicon: &Lexicon, submission: &Submission, files: &[(Attachment, Vec<u8>)]) -> Self {
        let (texts, _) = words::texts(submission);
        let first = pack.municipality.languages.first().copied().unwrap_or(Language::Fi);
        let language = words::language(submission, &texts, first).language;
        let mut hits = words::emergencies(lexicon, &texts);
        // Other files are read by the pipeline, in a process of their own: nobody waits for them here.
        let (texts, _) = words::of_files(&extract::plain(files));
        hits.extend(words::emergencies(lexicon, &texts));
        Self { hits, language }
    }
}

/// Writes everything that a submission makes, in one transaction.
pub(super) async fn write(
    storage: &Storage,
    pack: &Pack,
    incoming: Incoming,
    read: &Read,
) -> Result<Receipt, RegisterError> {
    let mut tx = storage.begin().await?;
    let receipt = write_in(&mut tx, pack, incoming, read).await?;
    if receipt.already {
        tx.rollback().await;
    } else {
        tx.commit().await?;
    }
    Ok(receipt)
}

/// After an error the transaction must be dropped.
async fn write_in(tx: &mut Tx, pack: &Pack, incoming: Incoming, read: &Read) -> Result<Receipt, RegisterError> {
    let Incoming { submission, sender, registrar, raw, files, notes, .. } = incoming;
    let Read { hits, language } = read;

    match tx.insert_submission(&submission, &sender, &raw, &files).await? {
        storage::Receipt::New => {}
        storage::Receipt::Again(id) => {
            let known = tx.submission(&submission.municipality, id).await?;
            let case = tx.cases_of_submission(&submission.municipality, id).await?.into_iter().next();
            return match (known, case) {
                // The frame may be the same and a file beside it another.
                (Some(known), Some(case)) if known.attachments == submission.attachments => {
                    Ok(receipt::write(pack, &case, *language, hits, true))
                }
                (_, Some(case)) => Err(conflict(&submission, Some(&case)).into()),
                (_, None) => Err(storage::Error::Missing { what: "case of a submission" }.into()),
            };
        }
        storage::Receipt::Differs(id) => {
            let cases = tx.cases_of_submission(&submission.municipality, id).await?;
            return Err(conflict(&submission, cases.first()).into());
        }
    }

    let ambient = tx.ambient().clone();
    let year = submission.received_at.to_zoned(helsinki()).year();
    let number = tx.next_case_number(&submission.municipality, &pack.municipality.case_prefix, year).await?;
    let case = Case {
        id: CaseId::new(ambient.id()),
        number,
        municipality: submission.municipality.clone(),
        submission_id: submission.id,
        status: Status::Received,
        // The flags stand before any step has run: a queue shows danger at once.
        file: CaseFile { flags: words::flags(hits).collect(), ..CaseFile::default() },
        received_at: submission.received_at,
        revision: 0,
        claim: None,
    };
    tx.insert_case(&case).await?;
    tx.append_event(
        &case.municipality,
        NewEvent {
            actor: registrar.unwrap_or_else(|| Actor::system(COMPONENT)),
            kind: EventKind::Registered,
            case_id: Some(case.id),
            payload: json!({
                "number": case.number,
                "submission": submission.id,
                "channel": submission.channel,
                "service": submission.service,
                "raw_sha256": sha256(&raw),
                "files": files.iter().map(|(file, _)| file.sha256.as_str()).collect::<Vec<_>>(),
                "notes": notes,
            }),
        },
    )
    .await?;
    if consents(pack, &submission) {
        tx.set_consent(&case.municipality, case.id, true).await?;
        let event = NewEvent {
            actor: Actor::system(COMPONENT),
            kind: EventKind::ConsentChanged,
            case_id: Some(case.id),
            payload: json!({ "publication": true }),
        };
        tx.append_event(&case.municipality, event).await?;
    }
    if !hits.is_empty() {
        raise(tx, &case, hits, AlertId::new(ambient.id()), ambient.now()).await?;
    }
    tx.enqueue(&first_job(&case)).await?;
    Ok(receipt::write(pack, &case, *language, hits, false))
}

/// Whether the sender ticked that what they send may be published. Only a plain yes is one.
fn consents(pack: &Pack, submission: &Submission) -> bool {
    let service = submission.service.as_ref().and_then(|id| pack.service(id));
    let tick = service.and_then(|service| service.publication_consent.as_ref());
    let value = tick.and_then(|name| submission.fields.get(name));
    value.is_some_and(|value| *value == json!(true) || *value == json!("true"))
}

/// The job with which a case enters the pipeline. Its words are the pipeline's (`triage::pipeline`), which no room
/// below it may call; a test holds the two together.
#[must_use]
pub fn first_job(case: &Case) -> NewJob {
    NewJob {
        kind: "triage/read".to_owned(),
        key: Some(format!("triage/{}/{}/read", case.id, case.file.round)),
        municipality: case.municipality.clone(),
        case_id: Some(case.id),
        payload: json!({ "round": case.file.round, "step": "read" }),
        run_at: None,
        max_attempts: ATTEMPTS,
    }
}

async fn raise(
    tx: &mut Tx,
    case: &Case,
    hits: &[EmergencyHit],
    id: AlertId,
    now: jiff::Timestamp,
) -> Result<(), storage::Error> {
    tx.raise_alert(&Alert {
        id,
        municipality: case.municipality.clone(),
        case_id: case.id,
        hits: hits.to_vec(),
        raised_at: now,
        acknowledged: None,
    })
    .await?;
    // Kinds and places; the words themselves may be about a person and stay in the alert.
    let event = NewEvent {
        actor: Actor::system(COMPONENT),
        kind: EventKind::AlertRaised,
        case_id: Some(case.id),
        payload: json!({
            "alert": id,
            "kinds": hits.iter().map(|hit| hit.kind.as_str()).collect::<std::collections::BTreeSet<_>>(),
        }),
    };
    tx.append_event(&case.municipality, event).await.map(|_| ())
}

/// Refuses a service that the municipality does not have, or that only its own people open.
///
/// # Errors
/// [`IntakeError`] with the services that it has.
pub fn check_service(pack: &Pack, submission: &Submission) -> Result<(), IntakeError> {
    let Some(service) = &submission.service else { return Ok(()) };
    let channel = submission.channel;
    let opens = |file: &ServiceFile| if is_of_the_office(channel) { file.has_form() } else { file.is_offered() };
    if pack.service(service).is_some_and(opens) {
        return Ok(());
    }
    let known = pack.services.values().filter(|service| opens(service));
    let known: Vec<&str> = known.map(|service| service.id.as_str()).collect();
    Err(IntakeError::new(
        Refusal::UnknownService,
        "/service",
        format!("`{service}` is no service of `{}`", submission.municipality),
        format!("write one of: {}; or leave it out for a message in free text", known.join(", ")),
    ))
}

/// Whether a person of the municipality brings it in, or whoever runs its command line.
const fn is_of_the_office(channel: Channel) -> bool {
    channel.is_by_hand() || matches!(channel, Channel::File)
}

fn conflict(submission: &Submission, case: Option<&Case>) -> IntakeError {
    let id = quoted(submission.external_id.as_deref().unwrap_or_default());
    let number = case.map_or(String::new(), |case| format!(" as {}", case.number));
    IntakeError::new(
        Refusal::Conflict,
        "/id",
        format!("a submission with the id `{id}` and other content was registered before{number}"),
        "give this one an id of its own, or send it as a supplement to that case",
    )
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    crate::cases::hex(&Sha256::digest(bytes))
}
