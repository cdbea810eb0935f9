//! A ranked list of ids against the ids that answer the query, with grades.
//!
//! An id is a text (`private-road-grant@2026-01-01#s3`), an object with `id`, or one with `policy`, `version` and
//! `section`. A grade of 0 says that somebody judged it and it does not answer; what nobody judged has no grade.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Finding, Found, Ungradable};
use crate::evals::row::Observation;

/// Grades of everything that is relevant, and of what stands at each rank. `least` is the share of what is relevant that
/// must be found for the assertion to hold.
pub(super) fn ranking(actual: Option<&Value>, gold: &Value, least: Option<f64>) -> Found {
    let judged = judged(gold)?;
    let mut seen = BTreeSet::new();
    let listed: &[Value] = actual.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    // A long section may come up in several parts: the first one counts.
    let ranked: Vec<String> = listed.iter().filter_map(id).filter(|id| seen.insert(id.clone())).collect();
    let grades: Vec<Option<u8>> = ranked.iter().map(|id| judged.get(id).copied()).collect();
    let mut relevant: Vec<u8> = judged.into_values().filter(|grade| *grade > 0).collect();
    relevant.sort_unstable_by(|a, b| b.cmp(a));
    let found = grades.iter().flatten().filter(|grade| **grade > 0).count();
    let pass = least.filter(|_| !relevant.is_empty()).map(|least| super::share(found, relevant.len()) >= least);
    Ok(Some(Finding { observation: Observation::Ranking { grades, relevant }, pass, detail: None }))
}

/// The grade of every id that was judged; 1 where none is given.
fn judged(gold: &Value) -> Result<BTreeMap<String, u8>, Ungradable> {
    let odd = || Ungradable::new("the expected ids are no list of ids with grades from 0 to 9");
    let listed = gold.as_array().ok_or_else(odd)?;
    let one = |item: &Value| {
        let grade = match item.get("grade") {
            None => 1,
            Some(grade) => grade.as_u64().filter(|grade| *grade <= 9).and_then(|grade| u8::try_from(grade).ok())?,
        };
        Some((id(item)?, grade))
    };
    listed.iter().map(one).collect::<Option<_>>().ok_or_else(odd)
}

fn id(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    match item {
        Value::String(id) => Some(id.clone()),
        _ => text("id").map(str::to_owned).or_else(|| {
            let (policy, version, section) = (text("policy")?, text("version")?, text("section")?);
            Some(format!("{policy}@{version}#{section}"))
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn grades_stand_at_their_ranks() {
        let gold = json!([
            "a@1#s1",
            { "id": "b@1#s2", "grade": 3 },
            { "policy": "c", "version": "1", "section": "s3", "grade": 0 },
        ]);
        let ranked = json!(["c@1#s3", { "id": "b@1#s2" }, "x@1#s1", "b@1#s2"]);
        let found = ranking(Some(&ranked), &gold, Some(0.5)).unwrap().unwrap();
        let Observation::Ranking { grades, relevant } = found.observation else { panic!() };
        assert_eq!(grades, [Some(0), Some(3), None]);
        assert_eq!(relevant, [3, 1]);
        assert_eq!(found.pass, Some(true));
        assert_eq!(ranking(None, &gold, Some(0.5)).unwrap().unwrap().pass, Some(false));
    }

    #[test]
    fn a_query_without_an_answer_has_nothing_relevant() {
        let found = ranking(Some(&json!(["a"])), &json!([]), Some(1.0)).unwrap().unwrap();
        assert_eq!(found.observation, Observation::Ranking { grades: vec![None], relevant: Vec::new() });
        assert_eq!(found.pass, None);
        for odd in
            [json!("a"), json!([1]), json!([{ "id": "a", "grade": 12 }]), json!([{ "id": "a", "grade": "high" }])]
        {
            assert!(ranking(None, &odd, None).is_err(), "{odd}");
        }
    }
}
