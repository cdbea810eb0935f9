//! Which passages of the texts that bind may bear on a case: what the handler reads beside the draft.
//!
//! Several passages are shown, never "the" passage. They change no word of the draft, and an index that does not answer
//! leaves the list empty: no case waits for a search.

use jiff::civil::Date;

use super::gather::governing;
use super::{Circumstances, Desk};
use crate::cases::{CaseFile, Language, PassageRef, RuleOutcome, Submission};
use crate::municipality::format::ServiceFile;
use crate::search::{Passage, Query};

/// How many are shown.
const SHOWN: usize = 5;
/// How many characters of a message say what it is about.
const QUERY_CHARS: usize = 1_000;

/// The passages for a case, best first.
pub(super) async fn find(
    desk: &Desk,
    submission: &Submission,
    file: &CaseFile,
    at: &Circumstances<'_>,
) -> Vec<PassageRef> {
    let Some(query) = query(desk, submission, file, at) else { return Vec::new() };
    match desk.search.search(&query).await {
        Ok(found) => found.into_iter().map(shown).collect(),
        Err(error) => {
            tracing::warn!(municipality = %query.municipality, %error, "no passages could be searched");
            Vec::new()
        }
    }
}

/// What a case is about, as a question to the texts; none when it says nothing.
fn query(desk: &Desk, submission: &Submission, file: &CaseFile, at: &Circumstances<'_>) -> Option<Query> {
    let reading = file.reading.as_ref()?;
    let language = if reading.language == Language::Sv { Language::Sv } else { Language::Fi };
    let service = service(desk, file);
    let mut words: Vec<String> = Vec::new();
    words.extend(service.map(|service| service.name.get(language).to_owned()));
    // What the rules did not find met is what a handler will look up first.
    let rules = file.assessment.iter().flat_map(|assessment| &assessment.rules);
    words
        .extend(rules.filter(|rule| rule.outcome != RuleOutcome::Met).map(|rule| rule.reason.get(language).to_owned()));
    words.push(reading.message());
    // The query may leave the house, to an index or an embedder.
    let masked = desk.masker(submission, service.map(|service| &service.id)).mask(&words.join("\n"));
    let text: String = masked.as_str().chars().take(QUERY_CHARS).collect();
    (!text.trim().is_empty()).then(|| Query {
        municipality: desk.rulebook.pack.municipality.id.clone(),
        text,
        language,
        service: service.map(|service| service.id.clone()),
        on: governs(desk, submission, file, at),
        limit: SHOWN,
    })
}

/// The day whose texts bind in a case.
pub(super) fn governs(desk: &Desk, submission: &Submission, file: &CaseFile, at: &Circumstances<'_>) -> Date {
    let governing = service(desk, file).and_then(|service| governing(desk, service, submission, &file.facts, at));
    governing.map_or_else(|| at.today(), |governing| governing.on)
}

fn service<'a>(desk: &'a Desk, file: &CaseFile) -> Option<&'a ServiceFile> {
    desk.rulebook.pack.service(file.classification.as_ref()?.service.as_ref()?)
}

fn shown(passage: Passage) -> PassageRef {
    PassageRef {
        section: passage.section,
        language: passage.language,
        heading: format!("{}: {}", passage.title, passage.heading),
        score: passage.score,
    }
}
