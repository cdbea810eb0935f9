//! What people changed in review, as cases that wait for a second label.
//!
//! A case comes in, the machine drafts, a person reclassifies, transfers, asks, rules or edits, and somebody approves.
//! What the machine said and what people made of it becomes a case of its own for each thing that was changed: masked by
//! the product's own masker (`redaction`), of a household that is never in both parts of the dataset ([`lock`]), and
//! pending until a second person has said the same ([`second`]). Only decided cases are read: what was approved is what
//! people meant. Nothing here writes to the database, and a case that cannot be masked for certain is left out.

pub mod lock;
mod redaction;
pub mod second;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use self::lock::Pseudonyms;
use self::redaction::Redaction;
use super::case::{EvalCase, EvalCaseId};
use crate::cases::{
    Actor, AuthorityId, Draft, DraftKind, Event, EventKind, MunicipalityId, Preparer, Submission, vocabulary,
};
use crate::clock::helsinki;
use crate::model::masking::PublicWords;
use crate::municipality::Pack;
use crate::storage::{self, Decided, DecidedFilter, Storage};

/// `metadata.source` of these cases.
pub const SOURCE: &str = "correction";

vocabulary! {
    /// What was corrected.
    Aspect {
        /// Kind of matter and category (*reclassify*).
        Class = "class",
        /// Whose it is (*transfer*).
        Route = "route",
        /// What is asked of the party (*ask*).
        Facts = "facts",
        /// Kind of decision, outcome and amount, after a person's ruling.
        Outcome = "outcome",
        /// The words of the letter.
        Letter = "letter",
    }
}

impl Aspect {
    /// The member of `expected` that a second person is asked for.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Class => "label",
            Self::Route => "authority",
            Self::Facts => "asked",
            Self::Outcome => "kind",
            Self::Letter => "letter",
        }
    }
}

/// A decided case with all that was drafted, done and sent.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The case and its decision.
    pub decided: Decided,
    /// Every draft up to the approved one, oldest first.
    pub drafts: Vec<Draft>,
    /// Its history, oldest first.
    pub timeline: Vec<Event>,
    /// What came in: the first submission and its supplements, oldest first.
    pub submissions: Vec<Submission>,
}

/// The newest decided cases of a municipality with their history, at most `limit`.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn reviewed(
    storage: &Storage,
    municipality: &MunicipalityId,
    since: Option<Timestamp>,
    limit: u32,
) -> storage::Result<Vec<Reviewed>> {
    let filter = DecidedFilter { since, ..DecidedFilter::default() };
    let mut reviewed = Vec::new();
    for decided in storage.decided(municipality, &filter, limit).await? {
        let mut drafts = storage.drafts(municipality, decided.case.id).await?;
        drafts.retain(|draft| draft.version <= decided.draft.version);
        let timeline = storage.timeline(municipality, decided.case.id).await?;
        let mut submissions = Vec::new();
        for id in std::iter::once(&decided.case.submission_id).chain(&decided.case.file.supplements) {
            let missing = storage::Error::Missing { what: "submission" };
            submissions.push(storage.submission(municipality, *id).await?.ok_or(missing)?);
        }
        reviewed.push(Reviewed { decided, drafts, timeline, submissions });
    }
    Ok(reviewed)
}

/// A correction as a case, not yet placed in a household.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The case; [`lock::Lock::place`] adds its household.
    pub case: EvalCase,
    /// What ties it to other cases of the same household, strongest first: keyed hashes.
    pub ties: Vec<String>,
}

/// What one decided case gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// Its corrections, none where nobody changed anything.
    pub corrections: Vec<Correction>,
    /// Corrections that were left out because masking them was not certain.
    pub unmasked: usize,
}

/// What was changed, and how.
struct Change {
    aspect: Aspect,
    /// When the machine had said it.
    at: Timestamp,
    model_said: Value,
    expected: Value,
    /// Token of the person.
    by: Option<String>,
}

/// The corrections of a decided case of the municipality of `pack`.
#[must_use]
pub fn of(reviewed: &Reviewed, pack: &Pack, public: &std::sync::Arc<PublicWords>, pseudonyms: &Pseudonyms) -> Made {
    let redaction = Redaction::new(reviewed, pack, public);
    let ties = ties(reviewed, pseudonyms);
    let mut made = Made::default();
    for change in changes(reviewed) {
        match case(reviewed, change, &redaction, pseudonyms) {
            Some(case) => made.corrections.push(Correction { case, ties: ties.clone() }),
            None => made.unmasked += 1,
        }
    }
    made
}

fn changes(reviewed: &Reviewed) -> Vec<Change> {
    [class(reviewed), route(reviewed), facts(reviewed), outcome(reviewed), letter(reviewed)]
        .into_iter()
        .flatten()
        .collect()
}

/// The first act of a kind in the case's history: beside it stands what the machine had said.
fn first(reviewed: &Reviewed, kind: EventKind) -> Option<(&Event, Option<String>)> {
    let event = reviewed.timeline.iter().find(|event| event.kind == kind)?;
    let by = match &event.actor {
        Actor::Person { token, .. } => Some(token.to_string()),
        Actor::System { .. } => None,
    };
    Some((event, by))
}

fn class(reviewed: &Reviewed) -> Option<Change> {
    let set = reviewed.decided.case.file.reclassified.as_ref()?;
    let (event, _) = first(reviewed, EventKind::Reclassified)?;
    let label = crate::triage::classify::label(set.category.as_deref(), set.service.as_ref(), set.matter);
    let model_said = event.payload["was"].clone();
    if model_said == json!(label) {
        return None;
    }
    let expected = json!({ "label": label, "matter": set.matter, "service": set.service, "category": set.category });
    Some(Change { aspect: Aspect::Class, at: event.at, model_said, expected, by: Some(set.actor.clone()) })
}

fn route(reviewed: &Reviewed) -> Option<Change> {
    let authority: &AuthorityId = reviewed.decided.case.file.transfer_to.as_ref()?;
    let (event, by) = first(reviewed, EventKind::Transferred)?;
    let model_said = event.payload["was"].clone();
    if model_said == json!(authority) {
        return None;
    }
    Some(Change { aspect: Aspect::Route, at: event.at, model_said, expected: json!({ "authority": authority }), by })
}

fn facts(reviewed: &Reviewed) -> Option<Change> {
    let (event, by) = first(reviewed, EventKind::Asked)?;
    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> =
            value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        names.sort();
        names.dedup();
        names
    };
    let (about, was) = (names(&event.payload["about"]), names(&event.payload["was"]));
    let mut asked = [about, was.clone()].concat();
    asked.sort();
    asked.dedup();
    if asked == was {
        return None;
    }
    Some(Change {
        aspect: Aspect::Facts,
        at: event.at,
        model_said: json!(was),
        expected: json!({ "asked": asked }),
        by,
    })
}

/// A person's ruling changed what the machine had drafted of the same material.
fn outcome(reviewed: &Reviewed) -> Option<Change> {
    let file = &reviewed.decided.case.file;
    if file.rulings.is_empty() || file.reclassified.is_some() || file.transfer_to.is_some() || !file.asked.is_empty() {
        return None;
    }
    let complete = reviewed.submissions.iter().skip(1).map(|later| later.received_at).max();
    let by_machine = |draft: &&Draft| draft.prepared_by == Preparer::Engine;
    let machine =
        reviewed.drafts.iter().filter(by_machine).find(|draft| complete.is_none_or(|at| draft.created_at >= at))?;
    let (was, is) = (&machine.content, &reviewed.decided.draft.content);
    if (was.kind, was.amount) == (is.kind, is.amount) {
        return None;
    }
    let outcome = file.assessment.as_ref().map(|assessment| assessment.outcome);
    Some(Change {
        aspect: Aspect::Outcome,
        at: machine.created_at,
        model_said: json!(was.kind),
        expected: json!({ "kind": is.kind, "outcome": outcome, "amount": is.amount }),
        by: file.rulings.last().map(|ruling| ruling.actor.clone()),
    })
}

fn letter(reviewed: &Reviewed) -> Option<Change> {
    let Decided { draft, proposed, .. } = &reviewed.decided;
    let Preparer::Person { actor } = &draft.prepared_by else { return None };
    if draft.content.letter == proposed.content.letter || draft.content.kind == DraftKind::Withdrawal {
        return None;
    }
    Some(Change {
        aspect: Aspect::Letter,
        at: proposed.created_at,
        model_said: json!(proposed.content.letter),
        expected: json!({ "letter": draft.content.letter }),
        by: Some(actor.clone()),
    })
}

/// The change as a masked case; none where a word that identifies somebody would stand in it.
fn case(reviewed: &Reviewed, change: Change, redaction: &Redaction<'_>, pseudonyms: &Pseudonyms) -> Option<EvalCase> {
    let Change { aspect, at, model_said, expected, by } = change;
    let decided = &reviewed.decided;
    let text = |value: Value| if aspect == Aspect::Letter { redaction.texts(value) } else { value };
    let (model_said, expected) = (text(model_said), text(expected));
    let input = redaction.input(at);
    let day: Date = decided.decision.decided_at.to_zoned(helsinki()).date();
    let key = format!("{}/{}", decided.case.id, decided.case.file.round);
    let id = format!("cor-{}-{}-{aspect}", day.strftime("%Y-%m"), pseudonyms.of("case", &key));
    let person = by.map(|token| pseudonyms.person(&name_of(reviewed, &token)));
    let metadata = json!({
        "source": SOURCE, "aspect": aspect, "model_said": model_said, "engine": decided.proposed.engine.name,
        "lang": decided.case.file.reading.as_ref().map(|reading| reading.language),
        "reviewer": person, "second_label": null, "status": second::Standing::Pending, "household": null,
    });
    let Value::Object(metadata) = metadata else { return None };
    let case = EvalCase { id: EvalCaseId::try_from(id).ok()?, input, expected, metadata };
    redaction.is_clean(&case).then_some(case)
}

/// The name behind a token, so that somebody with two tokens is one reviewer; the token where nobody noted a name.
fn name_of(reviewed: &Reviewed, token: &str) -> String {
    let preparers = reviewed.decided.case.file.preparers.iter();
    let mut people = preparers.chain(std::iter::once(&reviewed.decided.decision.person));
    people.find(|person| person.token.to_string() == token).map_or_else(|| token.to_owned(), |found| found.name.clone())
}

/// What the case shares with others of the same household: the party's own marks first, then the place.
fn ties(reviewed: &Reviewed, pseudonyms: &Pseudonyms) -> Vec<String> {
    let mut marks = Vec::new();
    for submission in &reviewed.submissions {
        let party = submission.party.as_ref();
        let mark = |of: fn(&crate::cases::Party) -> Option<&String>| party.and_then(of).cloned();
        marks.extend([
            mark(|party| party.business_id.as_ref()),
            mark(|party| party.email.as_ref()),
            mark(|party| party.phone.as_ref()),
            mark(|party| party.address.as_ref()),
            mark(|party| party.name.as_ref()),
        ]);
        let field = |name: &str| submission.fields.get(name).and_then(Value::as_str).map(str::to_owned);
        marks.extend(["business_id", "iban", "email", "phone", "address", "register_unit"].map(field));
        marks.push(submission.location.as_ref().and_then(|location| location.address.clone()));
    }
    let mut ties: Vec<String> = Vec::new();
    for mark in marks.into_iter().flatten() {
        let letters = redaction::compact(&mark);
        let tie = pseudonyms.of("tie", &letters);
        if !letters.is_empty() && !ties.contains(&tie) {
            ties.push(tie);
        }
    }
    if ties.is_empty() {
        ties.push(pseudonyms.of("tie", &reviewed.decided.case.id.to_string()));
    }
    ties
}

/// Sets a member of a case's metadata.
fn set(metadata: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    metadata.insert(name.to_owned(), value.into());
}
