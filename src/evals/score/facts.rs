//! Facts by name and value, and amounts to the cent.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Finding, Found, Ungradable};

/// Facts by name and value. Only the names that are expected count: a wrong value is one too many and one missing, and
/// where `null` is expected, any value is one too many.
pub(super) fn facts(actual: Option<&Value>, gold: &Value, least: Option<f64>) -> Found {
    let Some(gold) = gold.as_object() else {
        return Err(Ungradable::new("the expected facts are no object of names and values"));
    };
    let stated = stated(actual);
    let (mut hits, mut surplus, mut missing) = (0, 0, 0);
    for (name, gold) in gold {
        match (stated.get(name.as_str()).filter(|value| !value.is_null()), gold) {
            (None, Value::Null) => {}
            (None, _) => missing += 1,
            (Some(_), Value::Null) => surplus += 1,
            (Some(value), gold) if agree(value, gold) => hits += 1,
            (Some(_), _) => {
                surplus += 1;
                missing += 1;
            }
        }
    }
    Finding::counted(hits, surplus, missing, least)
}

/// What is stated, by name: a list of facts with `name` and `value`, or an object of them.
fn stated(actual: Option<&Value>) -> BTreeMap<&str, &Value> {
    match actual {
        Some(Value::Array(facts)) => {
            facts.iter().filter_map(|fact| Some((fact.get("name")?.as_str()?, fact.get("value")?))).collect()
        }
        Some(Value::Object(map)) => map.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        _ => BTreeMap::new(),
    }
}

/// Whether two values say the same: numbers by their value however they are written, texts but for spaces.
fn agree(value: &Value, gold: &Value) -> bool {
    if let (Some(value), Some(gold)) = (decimal(value), decimal(gold)) {
        return value == gold;
    }
    match (value, gold) {
        (Value::String(a), Value::String(b)) => a.split_whitespace().eq(b.split_whitespace()),
        (Value::Bool(a), Value::String(b)) | (Value::String(b), Value::Bool(a)) => b.as_str() == a.to_string(),
        _ => value == gold,
    }
}

/// An amount, exact to the cent; `null` where none is to be granted.
pub(super) fn amount(actual: Option<&Value>, gold: &Value) -> Found {
    let actual = actual.filter(|value| !value.is_null());
    if gold.is_null() {
        return Finding::right(actual.is_none());
    }
    let gold = decimal(gold).ok_or_else(|| Ungradable::new("the expected amount is no amount"))?;
    Finding::right(actual.and_then(decimal) == Some(gold))
}

/// A number as people and programs write one: `2585.00`, `2 585,00 €`, `€2,585.00`.
fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => return Decimal::from_str(&number.to_string()).ok(),
        Value::String(text) => text,
        _ => return None,
    };
    let english = text.trim_start().starts_with('€');
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && *c != '€').collect();
    let bare = if english { bare.replace(',', "") } else { bare.replace(',', ".") };
    let is_number = bare.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    is_number.then(|| Decimal::from_str(&bare).ok())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evals::row::Observation;

    #[test]
    fn facts_count_by_name_and_value() {
        let stated = json!([
            { "name": "supported_length", "type": "number", "value": "2350.0", "evidence": {} },
            { "name": "households", "type": "number", "value": "4" },
            { "name": "other_support", "type": "money", "value": "0.00" },
            { "name": "beside", "type": "text", "value": "x" },
        ]);
        let gold =
            json!({ "supported_length": 2350, "households": "5", "road_name": "Harjuntie", "other_support": null });
        let found = facts(Some(&stated), &gold, None).unwrap().unwrap();
        assert_eq!(found.observation, Observation::Counts { true_positive: 1, false_positive: 2, false_negative: 2 });
        assert_eq!(found.pass, Some(false));
        let all = json!({ "households": 4, "beside": " x " });
        assert_eq!(facts(Some(&stated), &all, None).unwrap().unwrap().pass, Some(true));
        assert!(facts(None, &json!(["households"]), None).is_err());
    }

    #[test]
    fn an_amount_is_exact_to_the_cent() {
        for (said, gold, right) in [
            (json!("2585.00"), json!("2585"), true),
            (json!("2\u{a0}585,00 €"), json!(2585), true),
            (json!("€2,585.00"), json!("2585.00"), true),
            (json!("2585.01"), json!("2585.00"), false),
            (json!("about 2585"), json!("2585.00"), false),
            (Value::Null, Value::Null, true),
            (json!("0.00"), Value::Null, false),
            (Value::Null, json!("2585.00"), false),
        ] {
            assert_eq!(amount(Some(&said), &gold).unwrap().unwrap().pass, Some(right), "{said} {gold}");
        }
        assert!(amount(None, &json!("some")).is_err());
    }
}
