//! What people changed in review, as cases that wait for a second label.
//!
//! A case comes in, the machine drafts, a person reclassifies, transfers, asks, corrects facts, rules or edits, and
//! somebody approves.
//! What the machine said and what people made of it becomes a case of its own for each thing that was changed: masked by
//! the product's own masker (`redaction`), of a household that is never in both parts of the dataset ([`lock`]), and
//! pending until a second person has said the same ([`second`]). Only decided cases are read: what was approved is what
//! people meant. Nothing here writes to the database, and a case that cannot be masked for certain is left out.

mod leaks;
pub mod lock;
mod redaction;
pub mod second;
mod ties;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::lock::Pseudonyms;
use self::redaction::Redaction;
use super::case::{EvalCase, EvalCaseId};
use crate::cases::{
    Actor, AuthorityId, CorrectionReason, Draft, DraftKind, Event, EventKind, Fact, FactCorrection, MunicipalityId,
    Preparer, Submission, vocabulary,
};
use crate::clock::helsinki;
use crate::model::masking::PublicWords;
use crate::municipality::Pack;
use crate::municipality::format::AttachmentRule;
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
        /// Values of facts that the machine misread (*facts*).
        Values = "values",
        /// Kind of decision, outcome and amount, after a person's ruling.
        Outcome = "outcome",
        /// The words of the letter.
        Letter = "letter",
    }
}

impl Aspect {
    /// What a second person is asked for, of all that is expected: a member of it; for an outcome `{kind, amount}`.
    #[must_use]
    pub fn asked(self, expected: &Value) -> Value {
        match self {
            Self::Class => expected["label"].clone(),
            Self::Route => expected["authority"].clone(),
            Self::Facts => expected["asked"].clone(),
            Self::Values => expected["facts"].clone(),
            Self::Outcome => json!({ "kind": expected["kind"], "amount": expected["amount"] }),
            Self::Letter => expected["letter"].clone(),
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
    /// Names by token, as far as they are known.
    pub names: BTreeMap<String, String>,
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
    let tokens = storage.tokens(municipality).await?;
    let names: BTreeMap<String, String> =
        tokens.into_iter().map(|token| (token.person.token.to_string(), token.person.name)).collect();
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
        let people = decided.case.file.preparers.iter().chain([&decided.decision.person]);
        let mut names = names.clone();
        names.extend(people.map(|person| (person.token.to_string(), person.name.clone())));
        reviewed.push(Reviewed { decided, drafts, timeline, submissions, names });
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
    let file = &reviewed.decided.case.file;
    // What was laid over a submission is not in it: neither its words nor who is to be masked would be found there.
    if file.split_from.is_some() || !file.split_off.is_empty() || !file.registrations.is_empty() {
        return Made { unmasked: changes(reviewed).len(), ..Made::default() };
    }
    let redaction = Redaction::new(reviewed, pack, public);
    let ties = ties::of(reviewed, pack, pseudonyms);
    let mut made = Made::default();
    for change in changes(reviewed) {
        if change.aspect == Aspect::Facts && !is_of_the_forms(&change, pack) {
            made.unmasked += 1;
            continue;
        }
        match case(reviewed, change, &redaction, pseudonyms) {
            Some(case) => made.corrections.push(Correction { case, ties: ties.clone() }),
            None => made.unmasked += 1,
        }
    }
    made
}

fn changes(reviewed: &Reviewed) -> Vec<Change> {
    [class(reviewed), route(reviewed), facts(reviewed), values(reviewed), outcome(reviewed), letter(reviewed)]
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

/// Facts that the machine misread. What somebody told or measured no reading could have found, and free words name people.
fn values(reviewed: &Reviewed) -> Option<Change> {
    use crate::cases::Value::{Date, Flag, Money, Number};
    let (event, _) = first(reviewed, EventKind::FactsCorrected)?;
    // What came later was another reading.
    if reviewed.submissions.iter().skip(1).any(|later| later.received_at > event.at) {
        return None;
    }
    let misread = |one: &&FactCorrection| matches!(one.code, CorrectionReason::Misread | CorrectionReason::WrongUnit);
    let names_nobody = |fact: &Option<Fact>| {
        let value = fact.as_ref().map(|fact| &fact.value);
        value.is_none_or(|value| matches!(value, Number(_) | Money(_) | Date(_) | Flag(_)))
    };
    let corrections = reviewed.decided.case.file.corrections.iter().filter(misread);
    let corrections: Vec<&FactCorrection> =
        corrections.filter(|one| names_nobody(&one.read) && names_nobody(&one.stated)).collect();
    let plain = |fact: &Option<Fact>| fact.as_ref().map(|fact| fact.value.plain());
    let of = |which: fn(&FactCorrection) -> &Option<Fact>| -> Map<String, Value> {
        corrections.iter().map(|one| (one.name.clone(), json!(plain(which(one))))).collect()
    };
    let (said, expected) = (of(|one| &one.read), of(|one| &one.stated));
    if said == expected {
        return None;
    }
    Some(Change {
        aspect: Aspect::Values,
        at: event.at,
        model_said: Value::Object(said),
        expected: json!({ "facts": expected }),
        by: corrections.last().map(|one| one.actor.clone()),
    })
}

/// A person's ruling changed what the machine had drafted of the same material.
fn outcome(reviewed: &Reviewed) -> Option<Change> {
    let file = &reviewed.decided.case.file;
    let others = file.reclassified.is_some() || file.transfer_to.is_some() || !file.asked.is_empty();
    if file.rulings.is_empty() || others || !file.corrections.is_empty() {
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
        model_said: json!({ "kind": was.kind, "amount": was.amount }),
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
    let day = decided.decision.decided_at.to_zoned(helsinki()).date();
    let key = format!("{}/{}", decided.case.id, decided.case.file.round);
    let id = format!("cor-{}-{}-{aspect}", day.strftime("%Y-%m"), pseudonyms.of("case", &key));
    // By the name, so that somebody with two tokens is one reviewer; nobody confirms what nobody's name stands behind.
    let person = by.and_then(|token| reviewed.names.get(&token)).map(|name| pseudonyms.person(name));
    let metadata = json!({
        "source": SOURCE, "aspect": aspect, "model_said": model_said, "engine": decided.proposed.engine.name,
        "lang": decided.case.file.reading.as_ref().map(|reading| reading.language),
        "reviewer": person, "second_label": null, "status": second::Standing::Pending, "household": null,
    });
    let Value::Object(metadata) = metadata else { return None };
    let case = EvalCase { id: EvalCaseId::try_from(id).ok()?, input, expected, metadata };
    redaction.is_clean(&case).then_some(case)
}

/// Whether all that is asked for has a name that the forms give it: a person may call a question by any word.
fn is_of_the_forms(change: &Change, pack: &Pack) -> bool {
    let said: BTreeSet<&str> = words(&change.model_said).collect();
    let names = names_of_forms(pack);
    words(&change.expected["asked"]).all(|asked| said.contains(asked) || names.contains(asked))
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Names of the fields and files that the forms of a municipality ask for.
fn names_of_forms(pack: &Pack) -> BTreeSet<String> {
    let services = || pack.services.values();
    let file = |rule: &AttachmentRule| [rule.name.clone(), format!("attachment_{}", rule.name)];
    let fields = services().flat_map(|service| service.fields.iter().map(|field| field.name.clone()));
    fields.chain(services().flat_map(|service| service.attachments.iter().flat_map(file))).collect()
}

/// Sets a member of a case's metadata.
fn set(metadata: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    metadata.insert(name.to_owned(), value.into());
}
