//! What the checks say of a draft, and the parts of a letter. No check is made again here: the answer carries the
//! results of the product's own checks, as `checks` (every check with its result) or as `failed` (ids).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Finding, Found, Ungradable, words_of};

/// Id, version in force, quote byte for byte.
pub(super) const CITATIONS: [&str; 3] = ["K03", "K04", "K05"];
/// Every number, name and sentence has a source.
pub(super) const GROUNDED: [&str; 3] = ["K01", "K17", "K18"];

/// Which checks failed, and which had something to look at.
struct Results<'a> {
    failed: BTreeSet<&'a str>,
    /// None where the answer only says what failed.
    looked: Option<BTreeSet<&'a str>>,
}

impl<'a> Results<'a> {
    fn of(actual: Option<&'a Value>) -> Result<Self, Ungradable> {
        let lists = |key: &str| actual.and_then(|answer| answer.get(key)).and_then(Value::as_array);
        if let Some(failed) = lists("failed") {
            // An id is short; anything else is no check and stays out of every detail.
            let id = |id: &&str| id.len() <= 4 && id.chars().all(|c| c.is_ascii_alphanumeric());
            return Ok(Self { failed: failed.iter().filter_map(Value::as_str).filter(id).collect(), looked: None });
        }
        let checks = lists("checks").or_else(|| actual.and_then(Value::as_array));
        let checks = checks.ok_or_else(|| Ungradable::new("the answer carries no results of checks"))?;
        let with = |wanted: fn(&str) -> bool| {
            let result = |check: &Value| check.get("result").and_then(Value::as_str).is_some_and(wanted);
            checks.iter().filter(|check| result(check)).filter_map(|check| check.get("id")?.as_str()).collect()
        };
        Ok(Self { failed: with(|result| result == "fail"), looked: Some(with(|result| result != "not-applicable")) })
    }
}

/// None of these checks failed; does not apply to a draft in which none of them had anything to look at.
pub(super) fn none_failed(actual: Option<&Value>, ids: &[&str]) -> Found {
    let results = Results::of(actual)?;
    if results.looked.is_some_and(|looked| !ids.iter().any(|id| looked.contains(id))) {
        return Ok(None);
    }
    let failed: Vec<&str> = ids.iter().copied().filter(|id| results.failed.contains(id)).collect();
    let detail = (!failed.is_empty()).then(|| format!("failed: {}", failed.join(" ")));
    let finding = Finding::right(failed.is_empty())?;
    Ok(finding.map(|finding| Finding { detail, ..finding }))
}

/// Exactly the expected checks failed; none where none is expected.
pub(super) fn checks(actual: Option<&Value>, gold: Option<&Value>) -> Found {
    let results = Results::of(actual)?;
    let expected = words_of(gold);
    let hits = results.failed.iter().filter(|id| expected.contains(**id)).count();
    let finding = Finding::counted(hits, results.failed.len() - hits, expected.len() - hits, None)?;
    let failed = results.failed.iter().copied().collect::<Vec<_>>().join(" ");
    let detail = (!failed.is_empty()).then(|| format!("failed: {failed}"));
    Ok(finding.map(|finding| Finding { detail, ..finding }))
}

/// The letter has every expected part, and none that is named with a `!` before it.
pub(super) fn parts(actual: Option<&Value>, gold: &Value) -> Found {
    let listed: &[Value] = actual.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let there: BTreeSet<&str> =
        listed.iter().filter_map(|part| part.as_str().or_else(|| part.get("kind")?.as_str())).collect();
    let wanted = words_of(Some(gold));
    let (forbidden, expected): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(String::as_str).partition(|part| part.starts_with('!'));
    let missing: Vec<&str> = expected.iter().copied().filter(|part| !there.contains(part)).collect();
    let surplus = forbidden.iter().filter(|part| there.contains(part.trim_start_matches('!'))).count();
    let finding = Finding::counted(expected.len() - missing.len(), surplus, missing.len(), None)?;
    let detail = (!missing.is_empty()).then(|| format!("missing: {}", missing.join(" ")));
    Ok(finding.map(|finding| Finding { detail, ..finding }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evals::row::Observation;

    fn answer() -> Value {
        json!({ "checks": [
            { "id": "K01", "result": "pass" },
            { "id": "K03", "result": "not-applicable" },
            { "id": "K04", "result": "fail" },
            { "id": "K05", "result": "pass" },
            { "id": "K17", "result": "not-applicable" },
        ] })
    }

    #[test]
    fn a_family_of_checks_holds_fails_or_has_nothing_to_say() {
        let answer = answer();
        let found = none_failed(Some(&answer), &CITATIONS).unwrap().unwrap();
        assert_eq!((found.pass, found.detail.as_deref()), (Some(false), Some("failed: K04")));
        assert_eq!(none_failed(Some(&answer), &GROUNDED).unwrap().unwrap().pass, Some(true));
        assert_eq!(none_failed(Some(&answer), &["K17"]), Ok(None));
        assert!(none_failed(Some(&json!({ "letter": "x" })), &CITATIONS).is_err());
    }

    #[test]
    fn the_expected_checks_fail_and_no_other() {
        let gold = json!(["K04"]);
        assert_eq!(checks(Some(&answer()), Some(&gold)).unwrap().unwrap().pass, Some(true));
        assert_eq!(checks(Some(&answer()), None).unwrap().unwrap().pass, Some(false));
        let found = checks(Some(&json!({ "failed": ["K01"] })), Some(&gold)).unwrap().unwrap();
        assert_eq!(found.observation, Observation::Counts { true_positive: 0, false_positive: 1, false_negative: 1 });
        assert_eq!(found.pass, Some(false));
    }

    #[test]
    fn a_letter_has_its_parts() {
        let letter = json!([{ "kind": "heading" }, { "kind": "reasons" }, { "kind": "appeal" }]);
        let passes = |gold: Value| parts(Some(&letter), &gold).unwrap().unwrap().pass;
        assert_eq!(passes(json!(["reasons", "appeal"])), Some(true));
        assert_eq!(passes(json!(["reasons", "!appeal"])), Some(false));
        assert_eq!(passes(json!(["calculation", "!emergency"])), Some(false));
        assert_eq!(passes(json!(["!emergency"])), Some(true));
    }
}
