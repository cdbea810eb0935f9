//! Assertions about words: what stands in a text and what must not, its form, its language, how far it is from another.
//!
//! Where an answer is no text, all texts in it are looked at. What was found is told by kind and number, never by its
//! words.

use std::borrow::Cow;

use jsonschema::Validator;
use regex::Regex;
use serde_json::Value;

use super::{Finding, Found, Ungradable, share, words_of};
use crate::evals::row::Observation;
use crate::text::identifiers::{IdentifierKind, find_all};
use crate::text::language::{Detected, detect};
use crate::triage::replay::Distance;

/// Paragraphs shorter than this say too little for their language to be told, characters.
const ENOUGH: usize = 60;

/// The text of an answer, or all texts in it, a line each.
pub(super) fn text_of(value: Option<&Value>) -> Cow<'_, str> {
    fn gather<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => into.push(text),
            Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
            Value::Object(map) => map.values().for_each(|item| gather(item, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    match value {
        None => Cow::Borrowed(""),
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(other) => {
            let mut texts = Vec::new();
            gather(other, &mut texts);
            Cow::Owned(texts.join("\n"))
        }
    }
}

/// Words with one space between them: where a line breaks is no matter.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text, or any text of a list, stands in the answer, to the letter.
pub(super) fn contains(actual: Option<&Value>, gold: &Value) -> Found {
    let text = collapsed(&text_of(actual));
    let wanted = words_of(Some(gold));
    Finding::right(wanted.iter().any(|wanted| text.contains(&collapsed(wanted))))
}

/// Everything of a list is there: as an item where the answer is a list, else within its text.
pub(super) fn contains_all(actual: Option<&Value>, gold: &Value, least: Option<f64>) -> Found {
    let wanted = words_of(Some(gold));
    let found = if actual.is_some_and(Value::is_array) {
        words_of(actual).intersection(&wanted).count()
    } else {
        let text = collapsed(&text_of(actual));
        wanted.iter().filter(|wanted| text.contains(&collapsed(wanted))).count()
    };
    let detail = (found < wanted.len()).then(|| format!("{} of {} are missing", wanted.len() - found, wanted.len()));
    Finding::shared(share(found, wanted.len()), least, detail)
}

/// No text of a list stands in the answer, whatever the size of its letters: a forbidden word is one in capitals, too.
pub(super) fn contains_none(actual: Option<&Value>, gold: &Value) -> Found {
    let text = collapsed(&text_of(actual)).to_lowercase();
    let stands = |word: &&String| text.contains(&collapsed(word).to_lowercase());
    let found = words_of(Some(gold)).iter().filter(|word| !word.trim().is_empty()).filter(stands).count();
    Finding::right(found == 0).map(|finding| told(finding, (found > 0).then(|| format!("{found} forbidden"))))
}

fn told(finding: Option<Finding>, detail: Option<String>) -> Option<Finding> {
    finding.map(|finding| Finding { detail, ..finding })
}

/// A pattern, of the suite or of a case.
pub(super) fn pattern(value: &Value) -> Result<Regex, Ungradable> {
    let pattern = value.as_str().and_then(|pattern| Regex::new(pattern).ok());
    pattern.ok_or_else(|| Ungradable::new("the pattern is no regular expression"))
}

/// A regular expression matches.
pub(super) fn matches(pattern: &Regex, actual: Option<&Value>) -> Found {
    Finding::right(pattern.is_match(&text_of(actual)))
}

/// A schema, of the suite or of a case.
pub(super) fn schema(value: &Value) -> Result<Validator, Ungradable> {
    jsonschema::validator_for(value).map_err(|_| Ungradable::new("the schema is no JSON Schema"))
}

/// The answer fits a schema.
pub(super) fn fits(schema: &Validator, actual: Option<&Value>) -> Found {
    let fault = schema.validate(actual.unwrap_or(&Value::Null)).err();
    // Which keyword does not hold; the place may carry a word of the answer.
    let detail = fault.as_ref().map(|fault| format!("`{}` does not hold", fault.kind().keyword()));
    Finding::right(fault.is_none()).map(|finding| told(finding, detail))
}

/// The text is in the expected language: the share of its paragraphs that are, of those whose language can be told. A
/// language's code may stand in the place of a text.
pub(super) fn language(actual: Option<&Value>, gold: &Value, least: Option<f64>) -> Found {
    let Some(gold) = gold.as_str().filter(|code| matches!(*code, "fi" | "sv" | "en" | "other")) else {
        return Err(Ungradable::new("the expected language is none of fi, sv, en and other"));
    };
    let text = text_of(actual);
    if matches!(text.trim(), "fi" | "sv" | "en" | "other") {
        return Finding::right(text.trim() == gold);
    }
    let paragraphs = text.split("\n\n").filter(|paragraph| paragraph.chars().count() >= ENOUGH);
    let mut told: Vec<&str> = paragraphs.filter_map(code).collect();
    if told.is_empty() {
        told.extend(code(&text));
    }
    let fitting = told.iter().filter(|code| **code == gold).count();
    let detail = match told.iter().find(|code| **code != gold) {
        Some(other) => {
            Some(format!("{} of {} paragraphs are not, one is in `{other}`", told.len() - fitting, told.len()))
        }
        None if told.is_empty() => Some("its language cannot be told".to_owned()),
        None => None,
    };
    let value = if told.is_empty() { 0.0 } else { share(fitting, told.len()) };
    Finding::shared(value, least, detail)
}

fn code(text: &str) -> Option<&'static str> {
    match detect(text) {
        Detected::Known(language) => Some(language.code()),
        Detected::Other => Some("other"),
        Detected::Unclear => None,
    }
}

/// Nothing that identifies a person stands in the text, but for what `public` holds: the municipality's own numbers.
pub(super) fn no_identifier(actual: Option<&Value>, public: Option<&Value>) -> Found {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let public = words_of(public);
    let is_public = |found: &str, kind| {
        let (lower, number) = (found.to_lowercase(), digits(found));
        let same_number = |text: &String| kind == IdentifierKind::Phone && digits(text).contains(&number);
        public.iter().any(|text| text.to_lowercase().contains(&lower) || same_number(text))
    };
    let text = text_of(actual);
    let found = find_all(&text).into_iter().find(|found| !is_public(&text[found.start..found.end], found.kind));
    let detail = found.map(|found| format!("{} in the text", found.kind.placeholder()));
    Finding::right(found.is_none()).map(|finding| told(finding, detail))
}

/// How far the text is from the expected one: words put in, left out or exchanged, as a share of the longer text.
pub(super) fn edit_distance(actual: Option<&Value>, gold: &Value, most: Option<f64>) -> Found {
    let Some(gold) = gold.as_str() else { return Err(Ungradable::new("the expected text is no text")) };
    let value = Distance::between(&text_of(actual), gold).share();
    let pass = most.map(|most| value <= most);
    Ok(Some(Finding { observation: Observation::Amount { value }, pass, detail: None }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(found: Found) -> bool {
        found.unwrap().unwrap().pass.unwrap()
    }

    #[test]
    fn words_are_found_across_lines() {
        let text = json!("Avustusta\nmyönnetään  2 585 €.");
        assert!(passes(contains(Some(&text), &json!("Avustusta myönnetään"))));
        assert!(!passes(contains(Some(&text), &json!("avustusta myönnetään"))));
        assert!(passes(contains(Some(&text), &json!(["hylätään", "2 585 €"]))));
        assert!(!passes(contains(None, &json!("x"))));
        assert!(passes(contains_none(Some(&text), &json!(["hylätään", ""]))));
        assert!(!passes(contains_none(Some(&text), &json!("AVUSTUSTA"))));
        assert!(!passes(contains_none(Some(&json!({ "a": ["kyllä", { "b": "CNRY-1" }] })), &json!("cnry-1"))));
    }

    #[test]
    fn all_of_a_list_or_a_share_of_it() {
        let wanted = json!(["a", "b", "c"]);
        let found = contains_all(Some(&json!(["b", "a", "x"])), &wanted, Some(0.6)).unwrap().unwrap();
        assert_eq!(found.pass, Some(true));
        assert_eq!(found.detail.as_deref(), Some("1 of 3 are missing"));
        assert!(!passes(contains_all(Some(&json!("a, b")), &wanted, None)));
        assert!(passes(contains_all(Some(&json!("a, b and c")), &wanted, None)));
        assert!(passes(contains_all(None, &json!([]), None)));
    }

    #[test]
    fn a_schema_says_which_keyword_does_not_hold() {
        let schema = jsonschema::validator_for(&json!({ "type": "object", "required": ["label"] })).unwrap();
        assert!(passes(fits(&schema, Some(&json!({ "label": 1 })))));
        let found = fits(&schema, Some(&json!("Secret words"))).unwrap().unwrap();
        assert_eq!((found.pass, found.detail.as_deref()), (Some(false), Some("`type` does not hold")));
    }

    #[test]
    fn each_paragraph_counts_for_its_language() {
        let fi = "Hakemus on saapunut määräajassa, ja siihen on liitetty kaikki tarvittavat selvitykset.";
        let sv = "Ansökan har kommit in inom utsatt tid och alla nödvändiga utredningar finns som bilaga.";
        assert!(passes(language(Some(&json!(fi)), &json!("fi"), None)));
        let both = json!(format!("{fi}\n\n{sv}\n\n1 234 €"));
        let found = language(Some(&both), &json!("fi"), None).unwrap().unwrap();
        assert_eq!((found.observation, found.pass), (Observation::Score { value: 0.5 }, Some(false)));
        assert!(passes(language(Some(&json!("sv")), &json!("sv"), None)));
        assert!(!passes(language(Some(&json!("")), &json!("fi"), None)));
        assert!(language(None, &json!("de"), None).is_err());
    }

    #[test]
    fn identifiers_are_told_by_kind_only() {
        let found = no_identifier(Some(&json!("Soita 040 123 4567.")), None).unwrap().unwrap();
        assert_eq!((found.pass, found.detail.as_deref()), (Some(false), Some("[phone] in the text")));
        let public = json!(["Vaihde +358 40 123 4567", "kirjaamo@harjuvesi.example"]);
        let text = json!("Kirjaamo: kirjaamo@harjuvesi.example, +358 40 1234567");
        assert!(passes(no_identifier(Some(&text), Some(&public))));
        assert!(passes(no_identifier(Some(&json!("Päätös 15.4.2026, 2 585,00 €")), None)));
    }

    #[test]
    fn distance_is_a_share_of_the_longer_text() {
        let found = edit_distance(Some(&json!("a b c d")), &json!("a b x d"), Some(0.2)).unwrap().unwrap();
        assert_eq!((found.observation, found.pass), (Observation::Amount { value: 0.25 }, Some(false)));
        assert_eq!(edit_distance(None, &json!(""), None).unwrap().unwrap().pass, None);
    }
}
