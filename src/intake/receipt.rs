//! What a sender is told at once: the case number, and 112 where the words speak of danger (13/2003 12 §, promise 11).
//!
//! The words are the pack's fixed texts, filled with values of our own only. A pack that lacks them never keeps a
//! person from being told: the shortest form is compiled in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

use crate::cases::{Case, CaseId, EmergencyHit, Language, SubmissionId};
use crate::clock::helsinki;
use crate::municipality::Pack;

/// What the sender gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Receipt {
    /// The case.
    pub case_id: CaseId,
    /// The number people use, for example `HRJ/2026/00017`.
    pub number: String,
    /// Numbers of the other cases that the message became, as far as known: it is taken apart after it was registered.
    pub others: Vec<String>,
    /// The submission.
    pub submission_id: SubmissionId,
    /// Arrival.
    #[schema(value_type = String, format = "date-time")]
    pub received_at: Timestamp,
    /// Language of the texts below.
    pub language: Language,
    /// What happens next, in the sender's language.
    pub text: String,
    /// What to do now, when the words speak of danger: to be shown before everything else.
    pub emergency: Vec<Card>,
    /// Whether this submission was registered before; nothing was registered again.
    pub already: bool,
}

/// What to do in danger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Card {
    /// `emergency` or `crisis`.
    pub card: String,
    /// Heading.
    pub title: String,
    /// Text.
    pub text: String,
}

/// The receipt of a case.
#[must_use]
pub fn write(pack: &Pack, case: &Case, language: Language, hits: &[EmergencyHit], already: bool) -> Receipt {
    let others = case.file.other_cases();
    let number = Some((case.number.as_str(), others.join(", ")));
    let (title, text) = fill(pack, "receipt", number, case.received_at, language).unwrap_or_else(|| {
        let words = match language {
            Language::Fi => "Viestinne on kirjattu asianumerolla",
            Language::Sv => "Ert meddelande har registrerats med ärendenumret",
            Language::En => "Your message is registered under the case number",
        };
        (None, format!("{words} {}.", case.number))
    });
    Receipt {
        case_id: case.id,
        number: case.number.clone(),
        others,
        submission_id: case.submission_id,
        received_at: case.received_at,
        language,
        text: title.map_or(text.clone(), |title| format!("{title}\n{text}")),
        emergency: cards(pack, Some(&case.number), case.received_at, language, hits),
        already,
    }
}

/// The cards of the hits: 112 before the crisis line.
pub fn cards(pack: &Pack, number: Option<&str>, at: Timestamp, language: Language, hits: &[EmergencyHit]) -> Vec<Card> {
    ["emergency", "crisis"]
        .into_iter()
        .filter(|card| hits.iter().any(|hit| (hit.card == "crisis") == (*card == "crisis")))
        .map(|card| {
            let (title, text) =
                fill(pack, &format!("{card}-card"), number.map(|number| (number, String::new())), at, language)
                    .unwrap_or_else(|| {
                        let words = match language {
                            Language::Fi => "Jos joku on vaarassa, soittakaa heti hätänumeroon 112.",
                            Language::Sv => "Om någon är i fara, ring genast nödnumret 112.",
                            Language::En => "If anyone is in danger, call the emergency number 112 now.",
                        };
                        (None, words.to_owned())
                    });
            Card { card: card.to_owned(), title: title.unwrap_or_else(|| "112".to_owned()), text }
        })
        .collect()
}

/// A fixed text with our own values; none when the pack lacks it or it wants a value that a receipt has not.
fn fill(
    pack: &Pack,
    id: &str,
    number: Option<(&str, String)>,
    at: Timestamp,
    language: Language,
) -> Option<(Option<String>, String)> {
    let today = at.to_zoned(helsinki()).date();
    let block = pack.text(id, language, today)?;
    let mut values = BTreeMap::from([("municipality", pack.municipality.letterhead.get(language).to_owned())]);
    if let Some((number, others)) = number {
        values.extend([("case_number", number.to_owned()), ("other_cases", others)]);
    }
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let text = environment.render_str(&block.body, values).ok()?;
    Some((block.title.clone(), text.trim().to_owned()))
}
