//! `facts`: a person states, corrects or withdraws facts. The machine's reading is kept beside each, the rules are
//! evaluated anew, and what the person said stands until a person says otherwise.
//!
//! A fact has the type, unit and bounds that the service gives it, whoever states it. Arrival, window and registers are
//! no facts of the party: they are put right where they come from.

use serde_json::{Value as Json, json};

use super::words::fault;
use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{
    Act, Case, CaseId, CorrectionReason, EventKind, Evidence, Fact, FactCorrection, ParameterValue, Person, Value,
};
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::triage::Step;
use crate::triage::gather::{self, Unreadable};

/// Most facts of one act.
const MOST_FACTS: usize = 50;
/// Longest text of a fact, characters.
const LONGEST_TEXT: usize = 4000;

/// What a person says of a fact.
#[derive(Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFact {
    /// Its name in the service definition, or `attachment_<name>` for a file that the service asks for.
    #[schema(example = "supported_length")]
    pub name: String,
    /// The value, as a form takes it; null: nobody has stated it.
    #[schema(value_type = Option<Object>, example = "2530")]
    pub value: Json,
    /// The unit in which it is meant; left out: the unit of the service definition, which is the only one taken.
    #[serde(default)]
    pub unit: Option<String>,
    /// Why, by the vocabulary.
    pub code: CorrectionReason,
    /// Why, in words.
    pub reason: Words,
}

/// It may hold personal data.
impl std::fmt::Debug for NewFact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewFact").field("name", &self.name).field("code", &self.code).finish_non_exhaustive()
    }
}

impl Review {
    /// Sets the facts and sends the case through the rules again.
    ///
    /// # Errors
    /// [`Refusal::NotClaimed`], [`Refusal::ClaimedByAnother`], [`Refusal::Illegal`]; [`Refusal::Invalid`] when the
    /// service knows no such fact, or the value is not of its type, unit and bounds.
    pub async fn correct_facts(&self, person: &Person, id: CaseId, facts: Vec<NewFact>) -> Result<Case> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_claim(&case, person)?;
        let class = case.file.classification.as_ref();
        let service = class.and_then(|class| class.service.as_ref());
        let service = service.and_then(|id| self.desk(&case.municipality).ok()?.rulebook.pack.service(id));
        let stated = stated(service, person, facts)?;
        let said = stated.iter().map(|(name, fact, code, _)| {
            json!({ "name": name, "change": if fact.is_some() { "stated" } else { "withdrawn" }, "code": code })
        });
        let payload = json!({ "facts": said.collect::<Vec<_>>() });
        for (name, stated, code, reason) in stated {
            let known = case.file.corrections.iter().position(|known| known.name == name);
            let read = match known {
                Some(at) => case.file.corrections.remove(at).read,
                None => case.file.facts.get(&name).cloned(),
            };
            if stated.is_some() {
                case.file.asked.retain(|question| question.about != name);
            }
            let (actor, at) = (person.token.to_string(), self.ambient().now());
            case.file.corrections.push(FactCorrection { name, read, stated, code, reason: reason.into(), actor, at });
        }
        gather::correct(service, &mut case.file);
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
        Self::finish(tx, case, act(person, EventKind::FactsCorrected, id, payload)).await
    }
}

/// A fact as it is said, none where it is withdrawn, and why.
type Stated = (String, Option<Fact>, CorrectionReason, Words);

fn stated(service: Option<&ServiceFile>, person: &Person, facts: Vec<NewFact>) -> Result<Vec<Stated>> {
    if facts.is_empty() || facts.len() > MOST_FACTS {
        return Err(Refusal::invalid("/facts", "an act says 1 to 50 facts", "send the facts"));
    }
    let Some(service) = service else {
        let instead = "reclassify the case to the service that handles it first";
        return Err(Refusal::invalid("/facts", "no service handles this case, so it has no facts", instead));
    };
    let mut stated: Vec<Stated> = Vec::new();
    let mut flaws = Vec::new();
    for (nth, new) in facts.into_iter().enumerate() {
        let at = format!("/facts/{nth}");
        if stated.iter().any(|(name, ..)| *name == new.name) {
            flaws.push(Flaw::new(&format!("{at}/name"), "this fact is said twice", "say it once").coded("twice"));
            continue;
        }
        match value(service, &new, &at) {
            Ok((value, unit)) => {
                let evidence =
                    Evidence::Person { actor: person.token.to_string(), reason: new.reason.as_str().to_owned() };
                let fact = value.map(|value| Fact { name: new.name.clone(), value, unit, evidence });
                stated.push((new.name, fact, new.code, new.reason));
            }
            Err(flaw) => flaws.push(flaw),
        }
    }
    if flaws.is_empty() { Ok(stated) } else { Err(Refusal::Invalid(flaws)) }
}

/// The value in the type of the service, with its unit; none where it is withdrawn.
fn value(service: &ServiceFile, new: &NewFact, at: &str) -> Result<(Option<Value>, Option<String>), Flaw> {
    let Some(field) = field(service, &new.name) else {
        let what = format!("the service `{}` knows no fact of this name", service.id);
        let instead = "write the name of a field or attachment of its form".to_owned();
        return Err(Flaw::new(&format!("{at}/name"), what, instead).coded("unknown"));
    };
    if let Some(unit) = new.unit.as_ref().filter(|unit| Some(*unit) != field.unit.as_ref()) {
        let what = format!("the unit of this fact is not `{unit}`");
        let instead = field
            .unit
            .as_ref()
            .map_or_else(|| "leave it out".to_owned(), |unit| format!("write {unit}, and the number in it"));
        return Err(Flaw::new(&format!("{at}/unit"), what, instead).coded("unit"));
    }
    if new.value.is_null() {
        return Ok((None, None));
    }
    let at = format!("{at}/value");
    if let Some(what) = new.value.as_str().and_then(|text| fault(text.trim(), LONGEST_TEXT)) {
        return Err(Flaw::new(&at, format!("the text {what}"), "write printable characters, or null").coded("text"));
    }
    if new.value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Err(
            Flaw::new(&at, "there is no value", "write one, or null when nobody has stated it").coded("missing")
        );
    }
    match gather::parse(&field, &new.value) {
        Ok(value) => Ok((Some(value), field.unit.clone())),
        Err(unreadable) => Err(unreadable_flaw(&field, &at, unreadable)),
    }
}

/// What the service says of a fact: a field of its form, or whether a file that it asks for is there.
#[must_use]
pub fn field(service: &ServiceFile, name: &str) -> Option<Field> {
    if let Some(field) = service.fields.iter().find(|field| field.name == name) {
        return Some(field.clone());
    }
    let rule = service.attachments.iter().find(|rule| name.strip_prefix("attachment_") == Some(rule.name.as_str()))?;
    Some(Field::new(name, rule.label.clone(), FieldType::Flag))
}

/// A bound as people write it.
fn written(bound: Option<&ParameterValue>) -> Option<String> {
    match bound? {
        ParameterValue::Integer(number) => Some(number.to_string()),
        ParameterValue::Text(text) => Some(text.clone()),
        ParameterValue::Flag(_) => None,
    }
}

fn unreadable_flaw(field: &Field, at: &str, unreadable: Unreadable) -> Flaw {
    let unit = field.unit.as_ref().map_or_else(String::new, |unit| format!(" in {unit}"));
    let (what, code) = match unreadable {
        Unreadable::Type => ("this cannot be read as a value of this fact", "type"),
        Unreadable::CheckDigit => ("the check digit does not match", "check-digit"),
        Unreadable::Range => ("this value is not possible", "range"),
    };
    let instead = match (unreadable, field.kind) {
        (Unreadable::Range, _) => {
            let low = written(field.min.as_ref()).unwrap_or_else(|| "0".to_owned());
            let high = written(field.max.as_ref()).map_or_else(String::new, |high| format!(" to {high}"));
            format!("write a number from {low}{high}{unit}")
        }
        (Unreadable::CheckDigit, _) => "look at it character by character".to_owned(),
        (Unreadable::Type, FieldType::Choice) => {
            let codes: Vec<&str> = field.choices.keys().map(String::as_str).collect();
            format!("write one of: {}", codes.join(", "))
        }
        (Unreadable::Type, FieldType::Number) => format!("write a number{unit}, such as 2530 or 2 530,5"),
        (Unreadable::Type, FieldType::Money) => "write euros, such as 6120.40".to_owned(),
        (Unreadable::Type, FieldType::Date) => "write a day, such as 2026-03-10 or 10.3.2026".to_owned(),
        (Unreadable::Type, FieldType::Moment) => {
            "write a day and a time in Finland, such as 2026-05-12T18:00 or 12.5.2026 18.00".to_owned()
        }
        (Unreadable::Type, FieldType::Flag) => "write true or false".to_owned(),
        (Unreadable::Type, _) => "write a text".to_owned(),
    };
    Flaw::new(at, what, instead).coded(code)
}
