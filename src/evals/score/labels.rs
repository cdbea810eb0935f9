//! One word of several: labels, levels of a scale, how sure the target was, and plain equality.
//!
//! A prediction that is no label (a list, a sentence, nothing at all) is invalid, never silently another label.

use serde_json::Value;

use super::{Finding, Found, Ungradable, words_of};
use crate::evals::row::{Observation, predicted};

/// Longest word that can be a label, characters. What is longer is an answer of another kind.
const LONGEST: usize = 80;

/// The labels there are; empty where the suite declares none.
#[derive(Debug, Default)]
pub(super) struct Labels(pub Vec<String>);

impl Labels {
    /// The right label.
    fn gold(&self, value: &Value) -> Result<String, Ungradable> {
        let gold = word(Some(value)).ok_or_else(|| Ungradable::new("the expected label is no single word"))?;
        if gold != predicted::ABSTAIN && !self.knows(&gold) {
            return Err(Ungradable::new("the expected label is none of the suite's labels"));
        }
        Ok(gold)
    }

    /// What the answer says, whether or not the target stood by it.
    fn said(&self, value: Option<&Value>) -> String {
        word(value).filter(|said| self.knows(said)).unwrap_or_else(|| predicted::INVALID.to_owned())
    }

    fn knows(&self, word: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|label| label == word)
    }
}

/// A value as a label; nothing (`null`) is the label `none`.
fn word(value: Option<&Value>) -> Option<String> {
    let word = match value? {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Array(_) | Value::Object(_) => return None,
    };
    let plain = !word.is_empty() && word.chars().count() <= LONGEST && !word.contains(['\n', '\r']);
    plain.then_some(word)
}

/// One class of several.
pub(super) fn label(labels: &Labels, actual: Option<&Value>, gold: &Value, abstained: bool) -> Found {
    let (gold, predicted) = (labels.gold(gold)?, settled(labels, actual, abstained));
    let pass = gold == predicted;
    Finding::of(Observation::Label { gold, predicted }, pass)
}

/// A level of an ordered scale.
pub(super) fn level(order: &Labels, actual: Option<&Value>, gold: &Value, abstained: bool) -> Found {
    let (gold, predicted) = (order.gold(gold)?, settled(order, actual, abstained));
    let pass = gold == predicted;
    Finding::of(Observation::Level { gold, predicted }, pass)
}

fn settled(labels: &Labels, actual: Option<&Value>, abstained: bool) -> String {
    if abstained { predicted::ABSTAIN.to_owned() } else { labels.said(actual) }
}

/// How sure the target was of a label; what it would have said counts even where it declined to answer.
pub(super) fn confidence(
    labels: &Labels,
    confidence: Option<&Value>,
    label: Option<&Value>,
    gold: &Value,
    abstained: bool,
) -> Found {
    let Some(confidence) = confidence.filter(|value| !value.is_null()) else { return Ok(None) };
    let Some(confidence) = confidence.as_f64().filter(|share| (0.0..=1.0).contains(share)) else {
        return Err(Ungradable::new("the confidence is no number from 0 to 1"));
    };
    let correct = labels.said(label) == labels.gold(gold)?;
    Finding::measured(Observation::Confidence { confidence, correct, abstained })
}

/// The same JSON value; numbers by their value, texts to the letter.
pub(super) fn equals(actual: Option<&Value>, gold: &Value) -> Found {
    Finding::right(same(actual.unwrap_or(&Value::Null), gold))
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => one == other,
    }
}

/// A list as a set against the expected one: precision and recall.
pub(super) fn set(actual: Option<&Value>, gold: &Value, least: Option<f64>) -> Found {
    let (said, gold) = (words_of(actual), words_of(Some(gold)));
    let hits = said.intersection(&gold).count();
    let (surplus, missing) = (said.len() - hits, gold.len() - hits);
    Finding::counted(hits, surplus, missing, least)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels() -> Labels {
        Labels(["LI1", "ST2", "none"].map(str::to_owned).to_vec())
    }

    fn predicted_of(found: Found) -> (String, Option<bool>) {
        match found.unwrap().unwrap() {
            Finding { observation: Observation::Label { predicted, .. }, pass, .. } => (predicted, pass),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_prediction_is_a_label_an_abstention_or_invalid() {
        let said = |value: Option<&Value>, abstained| predicted_of(label(&labels(), value, &json!("LI1"), abstained));
        assert_eq!(said(Some(&json!("LI1")), false), ("LI1".to_owned(), Some(true)));
        assert_eq!(said(Some(&json!("ST2")), false), ("ST2".to_owned(), Some(false)));
        assert_eq!(said(Some(&Value::Null), false), ("none".to_owned(), Some(false)));
        assert_eq!(said(Some(&json!("LI1")), true), (predicted::ABSTAIN.to_owned(), Some(false)));
        for odd in [None, Some(json!("LI1 ")), Some(json!(["LI1"])), Some(json!("It is LI1.")), Some(json!(""))] {
            assert_eq!(said(odd.as_ref(), false), (predicted::INVALID.to_owned(), Some(false)), "{odd:?}");
        }
        let undeclared = Labels::default();
        let long = json!("a word ".repeat(40));
        assert_eq!(predicted_of(label(&undeclared, Some(&long), &json!("a"), false)).0, predicted::INVALID);
        assert!(label(&labels(), None, &json!("LI9"), false).is_err());
    }

    #[test]
    fn confidence_counts_what_would_have_been_said() {
        let found = confidence(&labels(), Some(&json!(0.4)), Some(&json!("LI1")), &json!("LI1"), true);
        let Observation::Confidence { correct, abstained, .. } = found.unwrap().unwrap().observation else { panic!() };
        assert!(correct && abstained);
        assert_eq!(confidence(&labels(), None, None, &json!("LI1"), false), Ok(None));
        assert!(confidence(&labels(), Some(&json!(1.2)), None, &json!("LI1"), false).is_err());
        assert!(confidence(&labels(), Some(&json!("high")), None, &json!("LI1"), false).is_err());
    }

    #[test]
    fn values_are_the_same_by_value() {
        for (a, b, same) in [
            (json!(1), json!(1.0), true),
            (json!({ "a": [1, 2] }), json!({ "a": [1.0, 2] }), true),
            (json!([1, 2]), json!([2, 1]), false),
            (json!("1"), json!(1), false),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 }), false),
        ] {
            assert_eq!(equals(Some(&a), &b).unwrap().unwrap().pass, Some(same), "{a} {b}");
        }
        assert_eq!(equals(None, &Value::Null).unwrap().unwrap().pass, Some(true));
    }

    #[test]
    fn a_set_knows_no_order_and_no_doubles() {
        let found = set(Some(&json!(["a", "b", "b", "x"])), &json!(["b", "a", "c"]), Some(0.6)).unwrap().unwrap();
        assert_eq!(found.observation, Observation::Counts { true_positive: 2, false_positive: 1, false_negative: 1 });
        assert_eq!(found.pass, Some(true));
        assert_eq!(set(None, &json!([]), None).unwrap().unwrap().pass, Some(true));
        assert_eq!(set(Some(&json!(["a"])), &json!([]), None).unwrap().unwrap().pass, Some(false));
    }
}
