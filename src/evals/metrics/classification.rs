//! One class of several: the confusion matrix and what is made of it.
//!
//! An answer that is no label, or none because the target declined, is not right, and no class of its own in averages.
//! A class counts in averages where it has a case or an answer; its F1 is 0 where none of these are the same. A case
//! that has no answer (an error) is left out of every figure, and stands in the matrix.

use std::collections::{BTreeMap, BTreeSet};

use super::figure::{Found, Statistic};
use super::run::{Seen, read};
use crate::evals::measure::Better::{self, Higher, Lower};
use crate::evals::row::{Observation, predicted};
use crate::evals::suite::MetricSettings;

/// Gold → predicted → cases.
pub(super) type Matrix = BTreeMap<String, BTreeMap<String, usize>>;

/// A label and the label given.
type Words<'a> = (&'a str, &'a str);

/// The same as numbers of classes.
type Numbers = (usize, usize);

/// The figures of labels.
pub(super) fn find(found: &mut Found, seen: &[Seen<&Observation>], settings: &MetricSettings) {
    let words = read(seen, |observation| label(observation, settings));
    if words.is_empty() {
        return;
    }
    let classes = Classes::of(&words);
    let numbers = read(&words, |(gold, predicted)| Some((classes.number(gold), classes.number(predicted))));
    let declined = classes.number(predicted::ABSTAIN);
    found.share("accuracy", Higher, &numbers, |(gold, predicted)| one(gold == predicted));
    found.share("coverage", Higher, &numbers, |(_, predicted)| one(*predicted != declined));
    found.share("abstained", Lower, &numbers, |(_, predicted)| one(*predicted == declined));
    found.part("accuracy_answered", Higher, &numbers, |(gold, predicted)| {
        let answered = *predicted != declined;
        (one(answered && gold == predicted), one(answered))
    });
    for (class, name) in classes.0.iter().enumerate() {
        let gold = move |numbers: &Numbers| one(numbers.0 == class);
        let predicted = move |numbers: &Numbers| one(numbers.1 == class);
        found.part(&format!("precision[{name}]"), Higher, &numbers, |numbers| {
            (gold(numbers) * predicted(numbers), predicted(numbers))
        });
        recall(found, name, &numbers, |numbers| (numbers.0 == class).then(|| predicted(numbers)));
    }
    parents(found, &words, &settings.parents);
    cost(found, &words, &settings.cost);
    found.statistic("", Averages::of(&numbers, &classes));
}

/// What a label observation says; none where there was no answer.
fn label<'a>(observation: &'a Observation, settings: &MetricSettings) -> Option<Words<'a>> {
    let Observation::Label { gold, predicted } = observation else { return None };
    let special = [predicted::ABSTAIN, predicted::INVALID].contains(&predicted.as_str());
    let known = special || settings.labels.is_empty() || settings.labels.contains(predicted);
    (predicted != predicted::ERROR).then_some((gold, if known { predicted } else { predicted::INVALID }))
}

/// The classes that have a case or an answer, in the order of their names.
struct Classes<'a>(Vec<&'a str>);

impl<'a> Classes<'a> {
    fn of(words: &[Seen<Words<'a>>]) -> Self {
        let mut classes = BTreeSet::new();
        for (gold, predicted) in words.iter().flat_map(|seen| &seen.epochs) {
            classes.insert(*gold);
            if ![predicted::ABSTAIN, predicted::INVALID].contains(predicted) {
                classes.insert(*predicted);
            }
        }
        Self(classes.into_iter().collect())
    }

    /// The number of a class; what is none is numbered after them.
    fn number(&self, label: &str) -> usize {
        let none = self.0.len() + usize::from(label == predicted::ABSTAIN);
        self.0.binary_search(&label).unwrap_or(none)
    }
}

/// The share of a class's cases that were taken for it: `hit` is none for cases of another.
pub(super) fn recall<T>(found: &mut Found, class: &str, seen: &[Seen<T>], hit: impl Fn(&T) -> Option<f64>) {
    found.share(&format!("recall[{class}]"), Higher, &read(seen, hit), |hit| *hit);
}

/// Right at the level above: the declared parent, else the label up to its last dot (`water` of `water.leak`).
fn parents(found: &mut Found, words: &[Seen<Words<'_>>], declared: &BTreeMap<String, String>) {
    let parent = |label: &str| {
        let above = || label.rsplit_once('.').map(|(parent, _)| parent.to_owned());
        declared.get(label).cloned().or_else(above).unwrap_or_else(|| label.to_owned())
    };
    if words.iter().flat_map(|seen| &seen.epochs).any(|(gold, _)| parent(gold) != *gold) {
        found.share("parent_accuracy", Higher, words, |(gold, predicted)| one(parent(gold) == parent(predicted)));
    }
}

/// The mean cost of mistakes. A right answer that the matrix leaves out costs nothing; a wrong one, and an answer that
/// is no label, as much as the worst mistake in it.
pub(super) fn cost(found: &mut Found, words: &[Seen<Words<'_>>], matrix: &BTreeMap<String, BTreeMap<String, f64>>) {
    let Some(worst) = matrix.values().flat_map(BTreeMap::values).copied().reduce(f64::max) else { return };
    found.mean("cost", Lower, words, |(gold, predicted)| {
        let declared = matrix.get(*gold).and_then(|row| row.get(*predicted)).copied();
        declared.unwrap_or(if gold == predicted { 0.0 } else { worst })
    });
}

/// How often each label or level was taken for which, by each case's most frequent answer (the earliest of several).
pub(super) fn matrix(seen: &[Seen<&Observation>]) -> Option<Matrix> {
    let words = read(seen, |observation| match observation {
        Observation::Label { gold, predicted } | Observation::Level { gold, predicted } => {
            Some((gold.as_str(), predicted.as_str()))
        }
        _ => None,
    });
    let mut matrix = Matrix::new();
    for seen in &words {
        let times = |words: &Words<'_>| seen.epochs.iter().filter(|other| *other == words).count();
        // Of equal ones the last counts, seen from behind the earliest.
        let (gold, predicted) = seen.epochs.iter().rev().max_by_key(|words| times(words))?;
        *matrix.entry((*gold).to_owned()).or_default().entry((*predicted).to_owned()).or_default() += 1;
    }
    (!matrix.is_empty()).then_some(matrix)
}

/// F1 of each class, averages of F1 and recall, Cohen's kappa (1960) and the correlation coefficient of Matthews
/// for several classes (Gorodkin 2004).
struct Averages {
    /// Each epoch with its cluster and weight.
    epochs: Vec<(usize, Numbers, f64)>,
    /// Names of classes.
    classes: Vec<String>,
}

impl Averages {
    fn of(numbers: &[Seen<Numbers>], classes: &Classes<'_>) -> Self {
        let epochs =
            |seen: &Seen<Numbers>| seen.weighed().map(|(own, weight)| (seen.cluster, *own, weight)).collect::<Vec<_>>();
        let classes = classes.0.iter().copied().map(str::to_owned).collect();
        Self { epochs: numbers.iter().flat_map(epochs).collect(), classes }
    }
}

/// The weight of a class's cases, of its answers, and of what is both.
#[derive(Debug, Clone, Copy, Default)]
struct Class {
    gold: f64,
    predicted: f64,
    both: f64,
}

impl Statistic for Averages {
    fn names(&self) -> Vec<(String, Better)> {
        let averages = ["macro_f1", "weighted_f1", "balanced_accuracy", "kappa", "mcc"].map(str::to_owned);
        let by_class = self.classes.iter().map(|class| format!("f1[{class}]"));
        averages.into_iter().chain(by_class).map(|name| (name, Higher)).collect()
    }

    fn values(&self, counts: &[u32], out: &mut [Option<f64>]) {
        // What is no class has two places behind them, for agreement by chance counts such answers, too.
        let mut table = vec![Class::default(); self.classes.len() + 2];
        for &(cluster, (gold, predicted), weight) in &self.epochs {
            let weight = f64::from(counts[cluster]) * weight;
            table[gold].gold += weight;
            table[predicted].predicted += weight;
            if gold == predicted {
                table[gold].both += weight;
            }
        }
        let sum = |of: fn(&Class) -> f64| table.iter().map(of).sum::<f64>();
        let (all, right) = (sum(|class| class.gold), sum(|class| class.both));
        let chance = sum(|class| class.gold * class.predicted) / all;
        let spread_of_gold = all - sum(|class| class.gold.powi(2)) / all;
        let spread_of_predicted = all - sum(|class| class.predicted.powi(2)) / all;
        let (averages, by_class) = out.split_at_mut(out.len() - self.classes.len());
        let (mut f1s, mut weighted, mut recalls) = ((0.0, 0.0), 0.0, (0.0, 0.0));
        for (class, out) in table.iter().zip(by_class) {
            *out = divided(2.0 * class.both, class.gold + class.predicted);
            if let Some(f1) = *out {
                f1s = (f1s.0 + f1, f1s.1 + 1.0);
                weighted += class.gold * f1;
            }
            if let Some(recall) = divided(class.both, class.gold) {
                recalls = (recalls.0 + recall, recalls.1 + 1.0);
            }
        }
        averages.copy_from_slice(&[
            divided(f1s.0, f1s.1),
            divided(weighted, all),
            divided(recalls.0, recalls.1),
            divided(right - chance, all - chance),
            divided(right - chance, (spread_of_gold * spread_of_predicted).max(0.0).sqrt()),
        ]);
    }
}

/// A quotient; none where there is nothing to divide by, rounding apart.
pub(super) fn divided(over: f64, under: f64) -> Option<f64> {
    (under > 1e-9).then(|| over / under)
}

/// A truth as a number.
pub(super) fn one(truth: bool) -> f64 {
    f64::from(u8::from(truth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::measure::Method;
    use crate::evals::metrics::support::{assert_values, label, measure, quick, row, rows, suite, with};

    /// Twelve cases of four classes; one declined, one not readable.
    fn cases() -> Vec<Observation> {
        let gold = "a a a a b b b c c c d d".split(' ');
        let predicted = "a a b __abstain__ b b a c __invalid__ c a d".split(' ');
        gold.zip(predicted).map(|(gold, predicted)| super::super::support::label(gold, predicted)).collect()
    }

    #[test]
    fn figures_are_those_of_scikit_learn() {
        let figures = quick(&suite(), &rows(cases()));
        assert_values(
            &figures,
            &[
                ("m.accuracy", 7.0 / 12.0),
                ("m.coverage", 11.0 / 12.0),
                ("m.abstained", 1.0 / 12.0),
                ("m.accuracy_answered", 7.0 / 11.0),
                ("m.macro_f1", 0.658_333_333_333_333_3),
                ("m.weighted_f1", 0.644_444_444_444_444_5),
                ("m.balanced_accuracy", 0.583_333_333_333_333_3),
                ("m.kappa", 0.459_459_459_459_459_4),
                ("m.mcc", 0.468_067_225_111_649_6),
                ("m.precision[a]", 0.5),
                ("m.recall[a]", 0.5),
                ("m.f1[a]", 0.5),
                ("m.precision[c]", 1.0),
                ("m.recall[c]", 2.0 / 3.0),
                ("m.f1[c]", 0.8),
            ],
        );
        let recall = measure(&figures, "m.recall[c]");
        assert_eq!((recall.scored, recall.total, recall.method), (3, 12, Method::Wilson));
        assert!(!figures.all.contains_key("m.f1[__invalid__]") && !figures.all.contains_key("m.recall[__abstain__]"));
        assert_eq!(
            figures.matrices["m"]["a"],
            [("__abstain__", 1), ("a", 2), ("b", 1)].map(|(l, n)| (l.to_owned(), n)).into()
        );
    }

    #[test]
    fn an_error_is_no_wrong_answer_and_another_label_is_invalid() {
        let settings = MetricSettings { labels: vec!["a".to_owned()], ..MetricSettings::default() };
        let figures = quick(&with(settings), &rows([label("a", "a"), label("a", predicted::ERROR), label("a", "z")]));
        assert_values(&figures, &[("m.accuracy", 0.5), ("m.coverage", 1.0), ("m.recall[a]", 0.5)]);
        assert!(!figures.all.contains_key("m.f1[z]"));
        assert_eq!(figures.matrices["m"]["a"].get(predicted::ERROR), Some(&1));
    }

    #[test]
    fn one_class_alone_has_no_agreement_beyond_chance() {
        let figures = quick(&suite(), &rows([label("a", "a"), label("a", "a")]));
        assert_values(&figures, &[("m.accuracy", 1.0), ("m.macro_f1", 1.0)]);
        assert!(!figures.all.contains_key("m.kappa") && !figures.all.contains_key("m.mcc"));
    }

    #[test]
    fn a_class_without_a_right_answer_has_an_f1_of_nought() {
        let figures = quick(&suite(), &rows([label("a", "b"), label("a", "a")]));
        assert_values(&figures, &[("m.f1[b]", 0.0), ("m.precision[b]", 0.0), ("m.macro_f1", 1.0 / 3.0)]);
        assert!(!figures.all.contains_key("m.recall[b]"), "no case is one");
    }

    #[test]
    fn near_misses_are_right_one_level_up() {
        let figures = quick(&suite(), &rows([label("water.leak", "water.main"), label("road.hole", "water.leak")]));
        assert_values(&figures, &[("m.accuracy", 0.0), ("m.parent_accuracy", 0.5)]);
        let parents =
            [("LI1", "lighting"), ("LI2", "lighting")].map(|(label, parent)| (label.to_owned(), parent.to_owned()));
        let settings = MetricSettings { parents: parents.into(), ..MetricSettings::default() };
        assert_values(&quick(&with(settings), &rows([label("LI1", "LI2")])), &[("m.parent_accuracy", 1.0)]);
        assert!(!quick(&suite(), &rows(cases())).all.contains_key("m.parent_accuracy"));
    }

    #[test]
    fn mistakes_cost_what_the_suite_says() {
        let cost = serde_json::from_value(serde_json::json!({ "a": { "b": 2.0 }, "b": { "a": 10.0 } })).unwrap();
        let settings = MetricSettings { cost, ..MetricSettings::default() };
        let seen = [label("a", "a"), label("a", "b"), label("b", "a"), label("a", predicted::ABSTAIN)];
        assert_values(&quick(&with(settings), &rows(seen)), &[("m.cost", (0.0 + 2.0 + 10.0 + 10.0) / 4.0)]);
    }

    #[test]
    fn epochs_are_one_case() {
        let epochs = [(0, "a"), (1, "b"), (2, "b")];
        let mut rows: Vec<_> = epochs.map(|(epoch, predicted)| row(0, epoch, label("a", predicted))).into();
        rows.push(row(1, 0, label("a", "a")));
        let figures = quick(&suite(), &rows);
        assert_values(&figures, &[("m.accuracy", 2.0 / 3.0), ("m.precision[a]", 1.0)]);
        assert_eq!((measure(&figures, "m.accuracy").scored, measure(&figures, "cases").value), (2, 2.0));
        assert_eq!(figures.matrices["m"]["a"], [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
        let tie = [row(0, 0, label("a", "b")), row(0, 1, label("a", "a"))];
        assert_eq!(quick(&suite(), &tie).matrices["m"]["a"], [("b".to_owned(), 1)].into());
    }
}
