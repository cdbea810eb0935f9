//! A form as its service defines it: which fields, how each is shown, and what is wrong with what was typed.
//!
//! Nothing is validated here: a value is read by the code that reads it in triage ([`crate::triage::gather`]), so that
//! a form never accepts what becomes a question later, nor refuses what could be read.

use serde::Serialize;
use serde_json::Value as Json;

use crate::cases::{Evidence, Fact, Facts, Language, Localized, Matter, ParameterValue};
use crate::http::pages::render;
use crate::intake::MAX_TEXT_CHARS;
use crate::municipality::format::{AttachmentRule, Field, FieldType, ServiceFile};
use crate::storage::{Filled, Origin};
use crate::text::identifiers::{IdentifierKind, find_all};
use crate::triage::gather::{self, Unreadable};

/// Name of the input with a message in free text.
pub const MESSAGE: &str = "message-text";
/// Names of the inputs that no service has: contact in a message, coordinates of a notice. No field is named so, for a
/// field's name has no hyphen.
pub const EMAIL: &str = "party-email";
/// Telephone.
pub const PHONE: &str = "party-phone";
/// Latitude.
pub const LAT: &str = "place-lat";
/// Longitude.
pub const LON: &str = "place-lon";
/// Name of a service's field that tells the place in words.
pub const PLACE: &str = "location_note";

/// The fields of a form: the service's own but those of the office, with coordinates for a notice; of a message, where there is no service.
#[must_use]
pub fn of(service: Option<&ServiceFile>) -> Vec<Field> {
    let Some(service) = service else {
        return vec![
            Field { required: true, free_text: true, ..plain(MESSAGE, FieldType::Text) },
            plain(EMAIL, FieldType::Email),
            plain(PHONE, FieldType::Phone),
        ];
    };
    let mut fields: Vec<Field> = service.fields.iter().filter(|field| !field.office).cloned().collect();
    if service.matter == Matter::FaultNotice {
        let after = fields.iter().position(|field| field.name == PLACE).map_or(fields.len(), |at| at + 1);
        let degrees = |name: &str, most: i64| Field {
            min: Some(ParameterValue::Integer(-most)),
            max: Some(ParameterValue::Integer(most)),
            unit: Some("°".to_owned()),
            ..plain(name, FieldType::Number)
        };
        fields.splice(after..after, [degrees(LAT, 90), degrees(LON, 180)]);
    }
    fields
}

/// A field of ours, with its words.
#[must_use]
pub fn plain(name: &str, kind: FieldType) -> Field {
    Field::new(name, words(&format!("field.{name}")), kind)
}

/// Our own words in every language.
#[must_use]
pub fn words(key: &str) -> Localized {
    let word = |language| render::word(key, language).unwrap_or(key).to_owned();
    Localized { fi: word(Language::Fi), sv: word(Language::Sv), en: Some(word(Language::En)) }
}

/// What is wrong with a value: a key of words, with the values in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Name of the field.
    pub name: String,
    /// Its label.
    pub label: String,
    /// `fault.<word>`.
    pub word: &'static str,
    /// Lowest possible value.
    pub low: String,
    /// Highest.
    pub high: String,
}

/// What is wrong with what was typed, in the order of the form.
#[must_use]
pub fn faults(fields: &[Field], filled: &Filled, language: Language) -> Vec<Fault> {
    let facts = read(fields, filled);
    let needed = |field: &Field| {
        let by_the_case = || field.required_when.as_ref().is_some_and(|when| when.holds(&facts) == Some(true));
        (field.required || by_the_case()) && field.empty_means.is_none()
    };
    fields.iter().filter_map(|field| fault(field, needed(field), filled.texts.get(&field.name), language)).collect()
}

/// What was typed, as far as it can be read: what a condition of another field looks at.
fn read(fields: &[Field], filled: &Filled) -> Facts {
    let fact = |field: &Field| {
        let value = gather::value(field, &Json::from(filled.texts.get(&field.name)?.as_str()))?;
        let evidence = Evidence::Form { field: field.name.clone() };
        Some(Fact { name: field.name.clone(), value, unit: field.unit.clone(), evidence })
    };
    Facts::from(fields.iter().filter_map(fact).collect::<Vec<_>>())
}

fn fault(field: &Field, needed: bool, typed: Option<&String>, language: Language) -> Option<Fault> {
    let word = match typed.map(|typed| typed.trim()).filter(|typed| !typed.is_empty()) {
        None if needed => "missing",
        None => return None,
        Some(typed) if typed.chars().count() > MAX_TEXT_CHARS => "long",
        Some(typed) if field.kind == FieldType::Email => (!is_email(typed)).then_some("email")?,
        Some(typed) => match gather::fault(field, typed)? {
            Unreadable::Range => "range",
            Unreadable::Type | Unreadable::CheckDigit => match field.kind {
                FieldType::Number => "number",
                FieldType::Money => "money",
                FieldType::Date => "date",
                FieldType::Moment => "moment",
                FieldType::Iban => "iban",
                FieldType::BusinessId => "business_id",
                FieldType::IdentityCode => "identity_code",
                _ => "choice",
            },
        },
    };
    let bound = |value: &Option<ParameterValue>, otherwise: &str| match value {
        Some(ParameterValue::Integer(number)) => number.to_string(),
        Some(ParameterValue::Text(text)) => text.clone(),
        _ => otherwise.to_owned(),
    };
    let label = field.label.get(language).to_owned();
    Some(Fault { name: field.name.clone(), label, word, low: bound(&field.min, "0"), high: bound(&field.max, "…") })
}

/// Whether a text is one e-mail address and nothing else.
fn is_email(text: &str) -> bool {
    let found = find_all(text);
    matches!(found.as_slice(), [only] if only.kind == IdentifierKind::Email && only.start == 0 && only.end == text.len())
}

/// A field as it is shown.
#[derive(Debug, Serialize)]
pub struct Input {
    name: String,
    label: String,
    help: Option<String>,
    /// How it is asked: `text`, `long`, `choice`, `tick`, `yes-no`.
    shape: &'static str,
    /// Type of the input.
    kind: &'static str,
    mode: &'static str,
    complete: &'static str,
    unit: Option<String>,
    required: bool,
    choices: Vec<(String, String)>,
    value: String,
    /// Where the value was taken from.
    from: Option<Origin>,
    /// Whether a value that was taken from a case changes from year to year.
    changes: bool,
    fault: Option<Fault>,
}

impl Input {
    /// The field with what was typed and what is wrong with it.
    #[must_use]
    pub fn of(field: &Field, filled: &Filled, faults: &[Fault], language: Language) -> Self {
        let shape = match field.kind {
            FieldType::Choice => "choice",
            FieldType::Flag if field.empty_means.is_some() => "tick",
            FieldType::Flag => "yes-no",
            FieldType::Text if field.free_text => "long",
            _ => "text",
        };
        let (kind, mode, complete) = match field.kind {
            FieldType::Email => ("email", "email", "email"),
            FieldType::Phone => ("tel", "tel", "tel"),
            FieldType::Number | FieldType::Money => ("text", "decimal", "off"),
            FieldType::Date | FieldType::Moment | FieldType::Iban | FieldType::BusinessId | FieldType::IdentityCode => {
                ("text", "text", "off")
            }
            _ => ("text", "text", "on"),
        };
        let key = match field.kind {
            FieldType::Date => Some("fill.date_help"),
            FieldType::Moment => Some("fill.moment_help"),
            FieldType::Iban => Some("fill.iban_help"),
            FieldType::BusinessId => Some("fill.business_id_help"),
            _ => None,
        };
        let help = field.help.as_ref().map(|help| help.get(language).to_owned());
        let choices = field.choices.iter().map(|(code, label)| (code.clone(), label.get(language).to_owned()));
        Self {
            name: field.name.clone(),
            label: field.label.get(language).to_owned(),
            help: help.or_else(|| render::word(key?, language).map(ToOwned::to_owned)),
            shape,
            kind,
            mode,
            complete,
            unit: field.unit.as_ref().map(|unit| if unit == "EUR" { "€".to_owned() } else { unit.clone() }),
            required: field.required && field.empty_means.is_none(),
            choices: choices.collect(),
            value: filled.texts.get(&field.name).cloned().unwrap_or_default(),
            from: filled.from.get(&field.name).cloned(),
            changes: field.kind == FieldType::Money,
            fault: faults.iter().find(|fault| fault.name == field.name).cloned(),
        }
    }
}

/// What was typed, as people read it.
#[must_use]
pub fn told(field: &Field, typed: &str, language: Language) -> String {
    match field.kind {
        FieldType::Choice => field.choices.get(typed).map_or(typed, |label| label.get(language)).to_owned(),
        FieldType::Flag => {
            let key = match gather::flag(&serde_json::Value::String(typed.to_owned())) {
                Some(true) => "fill.yes",
                Some(false) => "fill.no",
                None => return typed.to_owned(),
            };
            render::word(key, language).unwrap_or(typed).to_owned()
        }
        _ => field.unit.as_ref().map_or_else(
            || typed.to_owned(),
            |unit| format!("{typed}\u{a0}{}", if unit == "EUR" { "€" } else { unit }),
        ),
    }
}

/// Whether a file's name shows that it is the one that a rule asks for.
#[must_use]
pub fn answers(rule: &AttachmentRule, name: &str) -> bool {
    let name = name.to_lowercase();
    rule.file_words.iter().any(|word| name.contains(&word.to_lowercase()))
}

/// A file's name, with a word before it that says for what it was chosen where its own name does not.
#[must_use]
pub fn file_name(rules: &[AttachmentRule], input: &str, name: &str) -> String {
    let rule = rules.iter().find(|rule| input.strip_prefix("file-") == Some(rule.name.as_str()));
    match rule.filter(|rule| !answers(rule, name)).and_then(|rule| rule.file_words.first()) {
        Some(word) => format!("{word} {name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_and_nothing_else() {
        assert!(is_email("tiekunta@harjuntie.example"));
        for text in ["tiekunta", "a@b", "a@b.example, c@d.example", "kirjoita a@b.example", "@b.example"] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn what_is_typed_into_a_message_is_judged_by_its_kind() {
        let fields = of(None);
        let filled = |pairs: &[(&str, &str)]| Filled {
            texts: pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            ..Filled::default()
        };
        let words = |pairs| faults(&fields, &filled(pairs), Language::Fi).into_iter().map(|fault| fault.word);
        assert_eq!(words(&[(MESSAGE, " "), (EMAIL, "x")]).collect::<Vec<_>>(), ["missing", "email"]);
        assert_eq!(words(&[(MESSAGE, "Hei"), (EMAIL, "a@b.example")]).count(), 0);
        let long = "ä".repeat(MAX_TEXT_CHARS + 1);
        assert_eq!(words(&[(MESSAGE, long.as_str())]).collect::<Vec<_>>(), ["long"]);
    }
}
