//! The second label: a correction is one person's word, and counts once another has said the same.
//!
//! Labels come as JSON Lines, `{"id": …, "label": …, "by": …}`, joined by id. Only a word of the aspect's vocabulary is a
//! label; nobody confirms themself, under whichever of their names. Agreement confirms a case, disagreement
//! disputes it; neither changes what the first person said. How far people agree beyond chance is Cohen's κ (Cohen 1960).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lock::Pseudonyms;
use super::{Aspect, SOURCE, names_of_forms, set};
use crate::cases::{DraftKind, Euro, Matter, Owner, vocabulary};
use crate::evals::case::{EvalCase, EvalCaseId, plain};
use crate::municipality::Pack;

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
    /// What they would have expected, found without looking at the first label; for a letter `true` or `false`, for an
    /// outcome `{"kind": …, "amount": …}`, for facts `{"<name>": "<value>"}`, null where nobody stated it.
    pub label: Value,
    /// Who: a name, or a pseudonym of the dataset that begins with `r-`.
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
    /// Nobody knows whose correction it is, so nobody is known to be another.
    #[error("it is not known who corrected it")]
    Nobodys,
    /// A pseudonym that nobody in the dataset has.
    #[error("no reviewer of the dataset has this pseudonym: give a name")]
    Stranger,
    /// A word that no such label has.
    #[error("the label is none that there is: give one of the municipality's, for an outcome its kind and amount")]
    NoLabel,
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

/// The words of which labels are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    classes: BTreeSet<String>,
    competent: BTreeSet<String>,
    asked: BTreeSet<String>,
}

impl Vocabulary {
    /// Those of a municipality.
    #[must_use]
    pub fn of(pack: &Pack) -> Self {
        let services = || pack.services.values();
        let codes = services().flat_map(|service| service.categories.iter().map(|category| category.code.clone()));
        let ids = services().map(|service| service.id.to_string());
        let matters = Matter::ALL.iter().map(ToString::to_string);
        let owners = Owner::ALL.iter().map(ToString::to_string);
        Self {
            classes: codes.chain(ids).chain(matters).collect(),
            competent: pack.authorities.iter().map(|authority| authority.id.to_string()).chain(owners).collect(),
            asked: names_of_forms(pack),
        }
    }

    /// A label as it is kept; none where it is not one.
    fn read(&self, aspect: Aspect, label: &Value, case: &EvalCase) -> Option<Value> {
        let one_of = |known: &BTreeSet<String>| {
            let word = label.as_str()?.trim();
            known.contains(word).then(|| json!(word))
        };
        match aspect {
            Aspect::Class => one_of(&self.classes),
            Aspect::Route => one_of(&self.competent),
            Aspect::Facts => {
                let said = [aspect.asked(&case.expected), case.metadata.get("model_said")?.clone()];
                let is_said = |word: &Value| said.iter().filter_map(Value::as_array).any(|said| said.contains(word));
                let is_known = |word: &Value| word.as_str().is_some_and(|word| self.asked.contains(word));
                let words = label.as_array()?;
                words.iter().all(|word| is_known(word) || is_said(word)).then(|| label.clone())
            }
            Aspect::Values => {
                let values = label.as_object()?;
                let is_value = |value: &Value| value.is_null() || value.is_string();
                values.iter().all(|(name, value)| self.asked.contains(name) && is_value(value)).then(|| label.clone())
            }
            Aspect::Outcome => outcome(label),
            Aspect::Letter => label.as_bool().map(Value::Bool),
        }
    }
}

/// A kind of decision with its amount, written as the first label is.
fn outcome(label: &Value) -> Option<Value> {
    let label = label.as_object().filter(|label| label.keys().all(|key| key == "kind" || key == "amount"))?;
    let kind = DraftKind::parse(label.get("kind")?.as_str()?)?;
    let amount = match label.get("amount")? {
        Value::Null => None,
        amount => Some(Euro::exact(Decimal::from_str(&plain(Some(amount))).ok()?).ok()?),
    };
    Some(json!({ "kind": kind, "amount": amount }))
}

/// Takes second labels over, each once.
///
/// Gives what it came to, and the labels that were refused by their place in `labels`.
pub fn confirm(
    cases: &mut [EvalCase],
    labels: &[SecondLabel],
    vocabulary: &Vocabulary,
    pseudonyms: &Pseudonyms,
) -> (Agreement, Vec<(usize, Refused)>) {
    let mut agreement = Agreement::default();
    let mut refused = Vec::new();
    for (nth, label) in labels.iter().enumerate() {
        match take(cases, label, vocabulary, pseudonyms) {
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
            let (first, second) = (word(&aspect.asked(&case.expected)), word(second));
            let first = if aspect == Aspect::Letter { "true".to_owned() } else { first };
            pairs.entry(aspect.as_str()).or_default().push((first, second));
        }
    }
    agreement.by_aspect = pairs.into_iter().filter_map(|(aspect, pairs)| Some((aspect, kappa(&pairs)?))).collect();
    (agreement, refused)
}

fn take(
    cases: &mut [EvalCase],
    label: &SecondLabel,
    vocabulary: &Vocabulary,
    pseudonyms: &Pseudonyms,
) -> Result<Standing, Refused> {
    let by = second_reviewer(cases, &label.by, pseudonyms)?;
    let case = cases.iter_mut().find(|case| case.id == label.id).filter(|case| is_correction(case));
    let case = case.ok_or(Refused::Unknown)?;
    let aspect = aspect(case).ok_or(Refused::Unknown)?;
    if case.metadata.get("second_label").is_some_and(|second| !second.is_null()) {
        return Err(Refused::Labelled);
    }
    match case.metadata.get("reviewer").and_then(Value::as_str) {
        None => return Err(Refused::Nobodys),
        Some(reviewer) if reviewer == by => return Err(Refused::Own),
        Some(_) => {}
    }
    let second = vocabulary.read(aspect, &label.label, case).ok_or(Refused::NoLabel)?;
    let agrees = match aspect {
        Aspect::Letter => second == Value::Bool(true),
        _ => word(&aspect.asked(&case.expected)) == word(&second),
    };
    let standing = if agrees { Standing::Confirmed } else { Standing::Disputed };
    set(&mut case.metadata, "second_label", second);
    set(&mut case.metadata, "second_reviewer", by);
    set(&mut case.metadata, "status", standing.as_str());
    Ok(standing)
}

/// The pseudonym of who labels. One that is given stands for somebody only if the dataset knows it.
fn second_reviewer(cases: &[EvalCase], by: &str, pseudonyms: &Pseudonyms) -> Result<String, Refused> {
    let by = by.trim();
    if !by.to_lowercase().starts_with("r-") {
        return Ok(pseudonyms.person(by));
    }
    let named = |case: &EvalCase| {
        ["reviewer", "second_reviewer"].iter().any(|who| case.metadata.get(*who).and_then(Value::as_str) == Some(by))
    };
    if cases.iter().any(named) { Ok(by.to_owned()) } else { Err(Refused::Stranger) }
}

fn is_correction(case: &EvalCase) -> bool {
    case.metadata.get("source").and_then(Value::as_str) == Some(SOURCE)
}

fn aspect(case: &EvalCase) -> Option<Aspect> {
    Aspect::parse(case.metadata.get("aspect")?.as_str()?)
}

/// A label as one word; a list whatever its order.
fn word(label: &Value) -> String {
    match label {
        Value::Array(items) => {
            let mut words: Vec<String> = items.iter().map(|item| plain(Some(item))).collect();
            words.sort();
            words.join(" ")
        }
        other => plain(Some(other)),
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

    fn vocabulary() -> Vocabulary {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Vocabulary {
            classes: words(&["LI1", "KA2"]),
            competent: words(&["municipality"]),
            asked: words(&["x", "y", "z"]),
        }
    }

    fn case(id: &str, aspect: &str, expected: &Value) -> EvalCase {
        let reviewer = pseudonyms().person("Veera Valmistelija");
        serde_json::from_value(json!({ "id": id, "input": {}, "expected": expected, "metadata": {
            "source": "correction", "aspect": aspect, "reviewer": reviewer, "model_said": null, "second_label": null,
            "status": "pending" } }))
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
        let (agreement, refused) = confirm(&mut cases, &labels, &vocabulary(), &pseudonyms());
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
    fn nobody_confirms_themself() {
        let own = pseudonyms().person("Veera Valmistelija");
        let mut cases =
            [case("a", "class", &json!({ "label": "LI1" })), case("b", "class", &json!({ "label": "LI1" }))];
        set(&mut cases[1].metadata, "reviewer", Value::Null);
        let is = json!("LI1");
        let by = ["Valmistelija Veera", "Valmistelija, Veera", &own, "r-self", "R-0011223344556677"];
        let labels: Vec<SecondLabel> = by.iter().map(|by| label("a", &is, by)).collect();
        let labels = [labels, vec![label("b", &is, "Risto Rinnakkainen")]].concat();
        let (agreement, refused) = confirm(&mut cases, &labels, &vocabulary(), &pseudonyms());
        let why: Vec<Refused> = refused.into_iter().map(|(_, why)| why).collect();
        let (own, stranger) = (Refused::Own, Refused::Stranger);
        assert_eq!(why, [own, own, own, stranger, stranger, Refused::Nobodys]);
        assert_eq!((agreement.confirmed, agreement.pending), (0, 2));
    }

    #[test]
    fn a_label_is_a_word_of_its_aspect() {
        let grant = json!({ "kind": "grant", "outcome": "granted", "amount": "2585.00" });
        for (aspect, expected, given, found) in [
            ("class", json!({ "label": "LI1" }), json!("Salla Salainen"), None),
            ("route", json!({ "authority": "municipality" }), json!(["municipality"]), None),
            ("facts", json!({ "asked": ["x"] }), json!(["Salla"]), None),
            ("letter", json!({ "letter": "Hei" }), json!("true"), None),
            ("outcome", grant.clone(), json!("grant"), None),
            ("outcome", grant.clone(), json!({ "kind": "grant" }), None),
            ("outcome", grant.clone(), json!({ "kind": "grant", "amount": "2585.00", "by": "Salla" }), None),
            ("outcome", grant.clone(), json!({ "amount": 2585, "kind": "grant" }), Some("confirmed")),
            ("outcome", grant.clone(), json!({ "kind": "grant", "amount": "2000" }), Some("disputed")),
            ("outcome", grant, json!({ "kind": "grant", "amount": null }), Some("disputed")),
            ("class", json!({ "label": "LI1" }), json!(" LI1 "), Some("confirmed")),
        ] {
            let mut cases = [case("a", aspect, &expected)];
            let given = [label("a", &given, "Risto Rinnakkainen")];
            let (_, refused) = confirm(&mut cases, &given, &vocabulary(), &pseudonyms());
            let why: Vec<Refused> = refused.into_iter().map(|(_, why)| why).collect();
            match found {
                None => assert_eq!(why, [Refused::NoLabel], "{given:?}"),
                Some(standing) => assert_eq!(cases[0].metadata["status"], standing, "{given:?}"),
            }
        }
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
