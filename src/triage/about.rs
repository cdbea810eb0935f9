//! The decided case that a claim for revision, a recovery or a correction is about: found by a number in its words, noted as it stood.
//!
//! The steps are pure: like [`super::similar`], this gathers beside them, before they run, what they then read in the case's
//! file.

use std::sync::LazyLock;

use regex::Regex;

use super::local_date;
use crate::cases::{About, Case, CaseRef, Status, Submission};
use crate::municipality::Pack;
use crate::storage::{self, Storage};

/// A case number as people write it.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[A-Za-z]{2,8}/\d{4}/\d{1,7}\b").expect("a fixed pattern"));

/// Most numbers that are looked up for one message.
const MOST_NUMBERS: usize = 5;

/// The decision that the words of a submission name by its number, if they name one.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn find(
    storage: &Storage,
    pack: &Pack,
    case: &Case,
    submission: &Submission,
) -> storage::Result<Option<About>> {
    let fields = submission.fields.values().filter_map(serde_json::Value::as_str);
    let texts = submission.subject.iter().chain(&submission.text).map(String::as_str).chain(fields);
    let mut numbers: Vec<String> = texts
        .flat_map(|text| NUMBER.find_iter(text))
        .map(|found| found.as_str().to_uppercase())
        .filter(|number| *number != case.number)
        .collect();
    numbers.dedup();
    for number in numbers.into_iter().take(MOST_NUMBERS) {
        if let Some(about) = named(storage, pack, case, &number).await? {
            return Ok(Some(about));
        }
    }
    Ok(None)
}

/// The decision of that number, if the municipality has made one.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn named(storage: &Storage, pack: &Pack, case: &Case, number: &str) -> storage::Result<Option<About>> {
    let other = storage.case_by_number(&case.municipality, number).await?;
    let Some(other) = other.filter(|other| other.status == Status::Decided && other.id != case.id) else {
        return Ok(None);
    };
    let Some(decision) = storage.decision(&case.municipality, other.id).await? else { return Ok(None) };
    let Some(draft) = storage.latest_draft(&case.municipality, other.id).await? else { return Ok(None) };
    let service = other.file.classification.as_ref().and_then(|class| class.service.clone());
    let party = party(storage, pack, &other).await?;
    let decider = draft.content.decider.map(|decider| decider.id);
    let mut people: Vec<String> = other.file.preparers.iter().map(|person| person.name.clone()).collect();
    people.push(decision.person.name);
    people.dedup();
    Ok(Some(About {
        case: CaseRef { id: other.id, number: other.number },
        service,
        kind: draft.content.kind,
        decided_on: local_date(decision.decided_at),
        amount: decision.amount,
        party,
        body: decider.as_ref().and_then(|id| pack.body_over(id)).cloned(),
        decider,
        people,
    }))
}

/// Whom a decided case is about: who its form names as the party, else who sent it.
async fn party(storage: &Storage, pack: &Pack, case: &Case) -> storage::Result<Option<String>> {
    let service = case.file.classification.as_ref().and_then(|class| pack.service(class.service.as_ref()?));
    let named = service.and_then(|service| case.file.facts.get(service.party.as_deref()?));
    if let Some(fact) = named {
        return Ok(Some(fact.value.plain()));
    }
    let submission = super::pipeline::submission(storage, case).await?;
    Ok(submission.party.and_then(|party| party.name))
}
