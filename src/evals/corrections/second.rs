//! The second label: a correction is one person's word, and counts once another has said the same.
//!
//! Labels come as JSON Lines, `{"id": …, "label": …, "by": …}`, joined by id. Agreement confirms a case, disagreement
//! disputes it; neither changes what the first person said. How far people agree beyond chance is Cohen's κ (Cohen 1960).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lock::Pseudonyms;
use super::{Aspect, SOURCE, set};
use crate::cases::vocabulary;
use crate::evals::case::{EvalCase, EvalCaseId, plain};

vocabulary! {
    /// Where a correction stands.
    Standing {
        /// It waits for a second label. Never selected by a suite.
        Pending = "pending",
        /// Two people said the same.
        Confirmed = "confirmed",
        /// Two people said different things. Never selected by a suite.
        Disputed = "disputed",
    }
}

/// What a second person says of a case.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondLabel {
    /// The case.
    pub id: EvalCaseId,
    /// What they would have expected, found without looking at the first label; for a letter `true` or `false`.
    pub label: Value,
    /// Who: a name, or a pseudonym that begins with `r-`.
    pub by: String,
}

/// Why a label is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such correction.
    #[error("there is no such correction")]
    Unknown,
    /// The reviewer cannot confirm themself.
    #[error("the second label is the reviewer's own")]
    Own,
    /// A label stands already; it is never replaced.
    #[error("it has a second label")]
    Labelled,
}

/// What confirming came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Agreement {
    /// Cases that were confirmed now.
    pub confirmed: usize,
    /// Cases that were disputed now.
    pub disputed: usize,
    /// Cases that still wait.
    pub pending: usize,
    /// By aspect, over all cases with two labels: how many, the share that agrees, and κ where it is defined.
    pub by_aspect: BTreeMap<&'static str, Kappa>,
}

/// How far two people agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kappa {
    /// Cases with two labels.
    pub cases: usize,
    /// The share on which both say the same.
    pub agreement: f64,
    /// Beyond chance; none where everything has one label, for then chance alone would agree.
    pub kappa: Option<f64>,
}

/// Takes second labels over, each once.
///
/// Gives what it came to, and the labels that were refused by their place in `labels`.
pub fn confirm(
    cases: &mut [EvalCase],
    labels: &[SecondLabel],
    pseudonyms: &Pseudonyms,
) -> (Agreement, Vec<(usize, Refused)>) {
    let mut agreement = Agreement::default();
    let mut refused = Vec::new();
    for (nth, label) in labels.iter().enumerate() {
        match take(cases, label, pseudonyms) {
            Ok(Standing::Confirmed) => agreement.confirmed += 1,
            Ok(_) => agreement.disputed += 1,
            Err(why) => refused.push((nth, why)),
        }
    }
    let mut pairs: BTreeMap<&'static str, Vec<(String, String)>> = BTreeMap::new();
    for case in cases.iter().filter(|case| is_correction(case)) {
        let (Some(aspect), Some(second)) = (aspect(case), case.metadata.get("second_label")) else { continue };
        if second.is_null() {
            agreement.pending += 1;
        } else {
            let (first, second) = (word(first_label(case, aspect)), word(Some(second)));
            let first = if aspect == Aspect::Letter { "true".to_owned() } else { first };
            pairs.entry(aspect.as_str()).or_default().push((first, second));
        }
    }
    agreement.by_aspect = pairs.into_iter().filter_map(|(aspect, pairs)| Some((aspect, kappa(&pairs)?))).collect();
    (agreement, refused)
}

fn take(cases: &mut [EvalCase], label: &SecondLabel, pseudonyms: &Pseudonyms) -> Result<Standing, Refused> {
    let case = cases.iter_mut().find(|case| case.id == label.id).filter(|case| is_correction(case));
    let case = case.ok_or(Refused::Unknown)?;
    let aspect = aspect(case).ok_or(Refused::Unknown)?;
    if case.metadata.get("second_label").is_some_and(|second| !second.is_null()) {
        return Err(Refused::Labelled);
    }
    let by = if label.by.starts_with("r-") { label.by.clone() } else { pseudonyms.person(&label.by) };
    if case.metadata.get("reviewer").and_then(Value::as_str) == Some(&by) {
        return Err(Refused::Own);
    }
    let agrees = match aspect {
        Aspect::Letter => label.label == Value::Bool(true),
        _ => word(first_label(case, aspect)) == word(Some(&label.label)),
    };
    let standing = if agrees { Standing::Confirmed } else { Standing::Disputed };
    set(&mut case.metadata, "second_label", label.label.clone());
    set(&mut case.metadata, "second_reviewer", by);
    set(&mut case.metadata, "status", standing.as_str());
    Ok(standing)
}

fn is_correction(case: &EvalCase) -> bool {
    case.metadata.get("source").and_then(Value::as_str) == Some(SOURCE)
}

fn aspect(case: &EvalCase) -> Option<Aspect> {
    Aspect::parse(case.metadata.get("aspect")?.as_str()?)
}

fn first_label(case: &EvalCase, aspect: Aspect) -> Option<&Value> {
    case.expected.get(aspect.key())
}

/// A label as one word; a list whatever its order.
fn word(label: Option<&Value>) -> String {
    match label {
        Some(Value::Array(items)) => {
            let mut words: Vec<String> = items.iter().map(|item| plain(Some(item))).collect();
            words.sort();
            words.join(" ")
        }
        Some(Value::String(text)) => text.trim().to_owned(),
        other => plain(other),
    }
}

/// Cohen's κ of pairs of labels; none of no pairs.
#[expect(clippy::cast_precision_loss, reason = "numbers of cases")]
#[must_use]
pub fn kappa(pairs: &[(String, String)]) -> Option<Kappa> {
    if pairs.is_empty() {
        return None;
    }
    let cases = pairs.len();
    let of = |count: usize| count as f64 / cases as f64;
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (first, second) in pairs {
        counts.entry(first).or_default().0 += 1;
        counts.entry(second).or_default().1 += 1;
    }
    let agreement = of(pairs.iter().filter(|(first, second)| first == second).count());
    let chance: f64 = counts.values().map(|(first, second)| of(*first) * of(*second)).sum();
    let kappa = (1.0 - chance > 1e-12).then(|| (agreement - chance) / (1.0 - chance));
    Some(Kappa { cases, agreement, kappa })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms::new(&[7; 32]).unwrap()
    }

    fn case(id: &str, aspect: &str, expected: &Value) -> EvalCase {
        let reviewer = pseudonyms().person("Veera Valmistelija");
        serde_json::from_value(json!({ "id": id, "input": {}, "expected": expected, "metadata": {
            "source": "correction", "aspect": aspect, "reviewer": reviewer, "second_label": null, "status": "pending" } }))
        .unwrap()
    }

    fn label(id: &str, label: &Value, by: &str) -> SecondLabel {
        SecondLabel { id: EvalCaseId::try_from(id.to_owned()).unwrap(), label: label.clone(), by: by.to_owned() }
    }

    #[test]
    fn agreement_confirms_and_disagreement_disputes() {
        let mut cases = [
            case("a", "class", &json!({ "label": "LI1" })),
            case("b", "class", &json!({ "label": "KA2" })),
            case("c", "facts", &json!({ "asked": ["x", "y"] })),
            case("d", "letter", &json!({ "letter": "Hei" })),
            case("e", "class", &json!({ "label": "KA2" })),
        ];
        let other = "Risto Rinnakkainen";
        let labels = [
            label("a", &json!("LI1"), other),
            label("b", &json!("LI1"), other),
            label("c", &json!(["y", "x"]), other),
            label("d", &json!(true), other),
            label("e", &json!("KA2"), "veera valmistelija"),
            label("a", &json!("KA2"), other),
            label("z", &json!("KA2"), other),
        ];
        let (agreement, refused) = confirm(&mut cases, &labels, &pseudonyms());
        assert_eq!((agreement.confirmed, agreement.disputed, agreement.pending), (3, 1, 1));
        assert_eq!(refused, [(4, Refused::Own), (5, Refused::Labelled), (6, Refused::Unknown)]);
        let standing: Vec<&Value> = cases.iter().map(|case| &case.metadata["status"]).collect();
        assert_eq!(standing, ["confirmed", "disputed", "confirmed", "confirmed", "pending"]);
        assert_eq!(cases[1].expected["label"], "KA2", "the first label stays");
        assert_eq!(cases.iter().filter(|case| case.is_settled()).count(), 3);
        assert_eq!(agreement.by_aspect["class"].cases, 2);
        assert_eq!(agreement.by_aspect["letter"].kappa, None, "everything has one label");
    }

    #[test]
    fn kappa_is_cohen_s() {
        // Twenty yes-yes, five yes-no, ten no-yes, fifteen no-no: κ = 0.4.
        let pair = |first: &str, second: &str, times: usize| vec![(first.to_owned(), second.to_owned()); times];
        let pairs = [pair("y", "y", 20), pair("y", "n", 5), pair("n", "y", 10), pair("n", "n", 15)].concat();
        let found = kappa(&pairs).unwrap();
        assert!((found.agreement - 0.7).abs() < 1e-12 && (found.kappa.unwrap() - 0.4).abs() < 1e-12, "{found:?}");
        assert_eq!(kappa(&[]), None);
    }
}
