//! Levels of an ordered scale, such as urgency: how often too low, how often too high, and what it costs.
//!
//! Too low and too high are two figures, for a gas leak that is filed as routine is another mistake than a pothole that is
//! filed as urgent. An answer that is no level is one that nobody acts on: too low wherever there is a lower level, and as
//! far off as can be. Who declines to answer hands the case to a person: not right, neither too low nor too high, and a
//! share of its own.

use super::classification::{cost, divided, one, recall};
use super::figure::{Found, Statistic};
use super::run::{Seen, read};
use crate::evals::measure::Better::{self, Higher, Lower};
use crate::evals::row::{Observation, predicted};
use crate::evals::stats::real;
use crate::evals::suite::{Assertion, AssertionKind, MetricSettings, Suite};

/// The levels of a metric, lowest first: from its settings, else from its assertion.
pub(super) fn order<'a>(suite: &'a Suite, metric: &str) -> &'a [String] {
    let asserted = |assert: &&Assertion| assert.kind == AssertionKind::Ordinal && assert.metric() == metric;
    let declared = suite.metrics.get(metric).map(|settings| &settings.order).filter(|order| !order.is_empty());
    declared.or_else(|| suite.assert.iter().find(asserted).map(|assert| &assert.order)).map_or(&[], Vec::as_slice)
}

/// The figures of levels. A case whose right level is none of the scale is left out.
pub(super) fn find(found: &mut Found, seen: &[Seen<&Observation>], order: &[String], settings: &MetricSettings) {
    let number = |level: &str| order.iter().position(|known| known == level);
    let words = read(seen, |observation| match observation {
        Observation::Level { gold, predicted } if predicted != predicted::ERROR => {
            number(gold).map(|_| (gold.as_str(), predicted.as_str()))
        }
        _ => None,
    });
    let given = |level: &str| match number(level) {
        Some(level) => Given::Level(level),
        None if level == predicted::ABSTAIN => Given::Declined,
        None => Given::Invalid,
    };
    let levels = read(&words, |(gold, predicted)| Some((number(gold)?, given(predicted))));
    found.share("accuracy", Higher, &levels, |(gold, given)| one(*given == Given::Level(*gold)));
    found.share("abstained", Lower, &levels, |(_, given)| one(*given == Given::Declined));
    found.share("under_triage", Lower, &levels, |(gold, given)| match given {
        Given::Level(level) => one(level < gold),
        Given::Invalid => one(*gold > 0),
        Given::Declined => 0.0,
    });
    found.share("over_triage", Lower, &levels, |(gold, given)| {
        one(matches!(given, Given::Level(level) if level > gold))
    });
    for (level, name) in order.iter().enumerate() {
        recall(found, name, &levels, |(gold, given)| (*gold == level).then(|| one(*given == Given::Level(level))));
    }
    cost(found, &words, &settings.cost);
    let top = order.len().saturating_sub(1);
    let pairs = |seen: &Seen<(usize, Given)>| {
        let pair = |(&(gold, given), weight): (&(usize, Given), f64)| {
            let given = match given {
                Given::Level(level) => level,
                // The end of the scale that lies further off.
                Given::Invalid => {
                    if 2 * gold >= top {
                        0
                    } else {
                        top
                    }
                }
                Given::Declined => return None,
            };
            Some(Pair { cluster: seen.cluster, gold: real(gold), given: real(given), weight })
        };
        seen.weighed().filter_map(pair).collect::<Vec<_>>()
    };
    let pairs: Vec<Pair> = levels.iter().flat_map(pairs).collect();
    if !pairs.is_empty() {
        found.statistic("", QuadraticKappa(pairs));
    }
}

/// What a target made of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// A level, by its place.
    Level(usize),
    /// No level.
    Invalid,
    /// Nothing: a person looks at it.
    Declined,
}

/// A level and the level given, as numbers.
struct Pair {
    cluster: usize,
    gold: f64,
    given: f64,
    weight: f64,
}

/// Cohen's kappa with quadratic weights (1968): 1 less the squared distance of levels over that of chance, which follows
/// from the moments of both.
struct QuadraticKappa(Vec<Pair>);

impl Statistic for QuadraticKappa {
    fn names(&self) -> Vec<(String, Better)> {
        vec![("quadratic_kappa".to_owned(), Higher)]
    }

    fn values(&self, counts: &[u32], out: &mut [Option<f64>]) {
        let (mut all, mut gold, mut given, mut squares, mut distance) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for pair in &self.0 {
            let weight = f64::from(counts[pair.cluster]) * pair.weight;
            all += weight;
            gold += weight * pair.gold;
            given += weight * pair.given;
            squares += weight * (pair.gold.powi(2) + pair.given.powi(2));
            distance += weight * (pair.gold - pair.given).powi(2);
        }
        out[0] = divided(distance, squares - 2.0 * gold * given / all).map(|distance| 1.0 - distance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{assert_values, measure, quick, rows, suite, with};

    const ORDER: [&str; 4] = ["low", "normal", "high", "emergency"];

    fn settings() -> MetricSettings {
        MetricSettings { order: ORDER.map(str::to_owned).into(), ..MetricSettings::default() }
    }

    fn level(gold: usize, predicted: &str) -> Observation {
        Observation::Level { gold: ORDER[gold].to_owned(), predicted: predicted.to_owned() }
    }

    #[test]
    fn figures_are_those_of_scikit_learn() {
        let gold = [0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3];
        let given = [0, 1, 1, 3, 2, 2, 1, 0, 1, 3, 2, 0];
        let seen = gold.into_iter().zip(given).map(|(gold, given)| level(gold, ORDER[given]));
        let figures = quick(&with(settings()), &rows(seen));
        assert_values(
            &figures,
            &[
                ("m.accuracy", 7.0 / 12.0),
                ("m.under_triage", 3.0 / 12.0),
                ("m.over_triage", 2.0 / 12.0),
                ("m.quadratic_kappa", 0.428_571_428_571_428_6),
                ("m.recall[emergency]", 1.0 / 3.0),
            ],
        );
        assert_eq!(measure(&figures, "m.under_triage").better, Lower);
        assert_eq!(figures.matrices["m"]["emergency"]["low"], 1);
    }

    #[test]
    fn what_is_no_level_is_too_low_and_costs_as_much() {
        let cost = serde_json::from_value(serde_json::json!({ "emergency": { "low": 100.0, "high": 1.0 } })).unwrap();
        let seen = [level(3, predicted::INVALID), level(3, "high"), level(3, predicted::ERROR)];
        let figures = quick(&with(MetricSettings { cost, ..settings() }), &rows(seen));
        assert_values(
            &figures,
            &[("m.accuracy", 0.0), ("m.under_triage", 1.0), ("m.over_triage", 0.0), ("m.cost", 50.5)],
        );
        assert_eq!(measure(&figures, "m.accuracy").scored, 2);
    }

    #[test]
    fn nonsense_never_makes_a_figure_better() {
        let of = |answer: &str| {
            // Right but for one emergency in thirty, which is taken for low; then every emergency gets this answer.
            let seen = (0..120).map(|case| match (case % 4, answer) {
                (3, "") if case == 3 => level(3, "low"),
                (3, answer) if !answer.is_empty() => level(3, answer),
                (gold, _) => level(gold, ORDER[gold]),
            });
            let figures = quick(&with(settings()), &rows(seen));
            ["m.under_triage", "m.quadratic_kappa", "m.abstained"].map(|name| measure(&figures, name).value)
        };
        let ([under, kappa, _], [worse, lower, _]) = (of(""), of(predicted::INVALID));
        assert!(under < 0.01 && worse > 0.24 && lower < kappa, "{under} {worse} {kappa} {lower}");
        // Whoever declines is not too low, and is seen to decline.
        let [under, _, declined] = of(predicted::ABSTAIN);
        assert!(under <= 0.0 && declined > 0.24, "{under} {declined}");
        let lowest = quick(&with(settings()), &rows([level(0, predicted::INVALID)]));
        assert_values(&lowest, &[("m.under_triage", 0.0), ("m.accuracy", 0.0)]);
    }

    #[test]
    fn the_order_stands_in_the_assertion_or_in_the_settings() {
        let mut suite = suite();
        assert_eq!(order(&suite, "m"), [""; 0]);
        let assert = serde_json::json!({ "type": "ordinal", "metric": "m", "order": ["low", "high"] });
        suite.assert = vec![serde_json::from_value(assert).unwrap()];
        assert_eq!(order(&suite, "m"), ["low", "high"]);
        suite.metrics.insert("m".to_owned(), settings());
        assert_eq!(order(&suite, "m"), ORDER);
        assert_eq!(order(&suite, "other"), [""; 0]);
    }
}
