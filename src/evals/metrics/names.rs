//! Which figures an assertion will make, told before anything is run: a gate on a figure that never comes would be met
//! only when the money is spent.
//!
//! The names stand where the figures are computed; a test here makes every kind of observation and compares.

use super::ranking::RANKS;
use super::{agreement, ordinal};
use crate::evals::suite::{Assertion, AssertionKind, MetricSettings, Suite};

/// Figures of one class each: `recall[LI1]`.
const OF_CLASSES: [&str; 3] = ["precision", "recall", "f1"];

/// The figures of a run as a whole that have names of their own within them.
pub const LATENCIES: [&str; 2] = ["latency_ms.p50", "latency_ms.p95"];

/// What may follow the metric's name in the name of a figure; nothing: the metric's name is a figure itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Names without a class.
    pub plain: Vec<String>,
    /// Figures of one class each, and the classes where these are known; none: any word may be one.
    by_class: Option<(&'static [&'static str], Vec<String>)>,
}

impl Names {
    /// The figures of an assertion of this suite.
    #[must_use]
    pub fn of(suite: &Suite, assertion: &Assertion) -> Self {
        let metric = assertion.metric();
        let settings = suite.metrics.get(metric).cloned().unwrap_or_default();
        let plain = |names: &[&str]| Self { plain: names.iter().map(ToString::to_string).collect(), by_class: None };
        let mut names = match assertion.kind {
            AssertionKind::Label => labels(&settings),
            AssertionKind::Ordinal => Self {
                by_class: Some((&OF_CLASSES[1..2], ordinal::order(suite, metric).to_vec())),
                ..with_cost(&["accuracy", "abstained", "under_triage", "over_triage", "quadratic_kappa"], &settings)
            },
            AssertionKind::Confidence => {
                let at = if settings.max_error.is_some() { &["coverage_at", "error_at"][..] } else { &[] };
                plain(&[&["brier", "log_loss", "ece", "aurc"], at].concat())
            }
            AssertionKind::Ranking => ranks(&settings),
            AssertionKind::Set | AssertionKind::Facts | AssertionKind::Checks | AssertionKind::Parts => {
                plain(&["precision", "recall", "f1", "exact"])
            }
            AssertionKind::EditDistance | AssertionKind::Latency | AssertionKind::Cost => {
                plain(&["mean", "max", "p50", "p95"])
            }
            AssertionKind::Judge => plain(&["", "passed", "corrected", "sensitivity", "specificity", "kappa"]),
            _ => plain(&[""]),
        };
        let compares = matches!(assertion.kind, AssertionKind::Label | AssertionKind::Ordinal);
        if compares && suite.dataset.originals.is_some() {
            names.plain.push(agreement::NAME.to_owned());
        }
        names
    }

    /// Whether there will be such a figure.
    #[must_use]
    pub fn has(&self, rest: &str) -> bool {
        let of_class = || {
            let (figures, classes) = self.by_class.as_ref()?;
            let (figure, class) = rest.strip_suffix(']')?.split_once('[')?;
            let known = classes.is_empty() || classes.iter().any(|known| known == class);
            Some(figures.contains(&figure) && known)
        };
        self.plain.iter().any(|name| name == rest) || of_class().unwrap_or(false)
    }
}

fn labels(settings: &MetricSettings) -> Names {
    const ALL: [&str; 10] = [
        "accuracy",
        "coverage",
        "abstained",
        "accuracy_answered",
        "parent_accuracy",
        "macro_f1",
        "weighted_f1",
        "balanced_accuracy",
        "kappa",
        "mcc",
    ];
    Names { by_class: Some((&OF_CLASSES, settings.labels.clone())), ..with_cost(&ALL, settings) }
}

fn with_cost(names: &[&str], settings: &MetricSettings) -> Names {
    let cost = (!settings.cost.is_empty()).then_some("cost");
    Names { plain: names.iter().copied().chain(cost).map(str::to_owned).collect(), by_class: None }
}

fn ranks(settings: &MetricSettings) -> Names {
    let ranks = if settings.k.is_empty() { &RANKS[..] } else { &settings.k };
    let at = |figure: &'static str| ranks.iter().map(move |k| format!("{figure}@{k}"));
    let by_rank = ["recall", "precision", "hit", "ndcg", "judged"].into_iter().flat_map(at);
    let plain = ["mrr", "map", "no_answer_clean"].map(str::to_owned);
    Names { plain: plain.into_iter().chain(by_rank).collect(), by_class: None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::evals::metrics::support::{quick, rows};
    use crate::evals::row::Observation;

    fn suite(kind: &str) -> Suite {
        serde_json::from_value(json!({
            "version": 1, "suite": "s", "description": "d",
            "dataset": { "path": "cases.jsonl", "cluster": "none" }, "target": { "component": "chat" },
            "assert": [{ "type": kind, "metric": "m", "order": ["a", "b.c"] }],
            "metrics": { "m": {
                "labels": ["a", "b.c"], "cost": { "a": { "b.c": 2.0 } }, "max_error": 1.0, "k": [2, 7],
            } },
        }))
        .unwrap()
    }

    #[test]
    fn the_names_are_those_of_the_figures() {
        let word = str::to_owned;
        let labels = [("a", "a"), ("a", "b.c"), ("b.c", "b.c")];
        let each: [(&str, Vec<Observation>); 6] = [
            ("label", labels.map(|(g, p)| Observation::Label { gold: word(g), predicted: word(p) }).to_vec()),
            ("ordinal", labels.map(|(g, p)| Observation::Level { gold: word(g), predicted: word(p) }).to_vec()),
            (
                "confidence",
                [(0.9, true), (0.8, true), (0.3, false)]
                    .map(|(confidence, correct)| Observation::Confidence { confidence, correct, abstained: false })
                    .to_vec(),
            ),
            (
                "ranking",
                vec![
                    Observation::Ranking { grades: vec![Some(1)], relevant: vec![1] },
                    Observation::Ranking { grades: vec![], relevant: vec![] },
                ],
            ),
            ("set", vec![Observation::Counts { true_positive: 1, false_positive: 1, false_negative: 1 }]),
            ("latency", vec![Observation::Amount { value: 1.0 }]),
        ];
        let score = ("equals", vec![Observation::Score { value: 1.0 }]);
        for (kind, seen) in each.into_iter().chain([score]) {
            let suite = suite(kind);
            let names = Names::of(&suite, &suite.assert[0]);
            let figures = quick(&suite, &rows(seen));
            let made: BTreeSet<&str> = figures
                .all
                .keys()
                .filter_map(|name| name.strip_prefix('m'))
                .map(|rest| rest.trim_start_matches('.'))
                .collect();
            assert!(!made.is_empty() && made.iter().all(|name| names.has(name)), "{kind}: {made:?} {names:?}");
            let told: BTreeSet<&str> = names.plain.iter().map(String::as_str).collect();
            let plain: BTreeSet<&str> = made.into_iter().filter(|name| !name.contains('[')).collect();
            assert_eq!(told, plain, "{kind}");
        }
    }

    #[test]
    fn a_class_that_is_none_has_no_figure() {
        let mut suite = suite("label");
        let has = |suite: &Suite, rest: &str| Names::of(suite, &suite.assert[0]).has(rest);
        assert!(has(&suite, "recall[b.c]") && !has(&suite, "recall[d]") && !has(&suite, "acuracy[a]"));
        assert!(!has(&suite, "acuracy") && !has(&suite, "") && !has(&suite, "recall[a"));
        suite.metrics.clear();
        assert!(has(&suite, "recall[d]") && !has(&suite, "cost"), "labels are those of the cases");
    }
}
