//! The figures of a run, computed from its rows: by metric and slice, each with its bounds and over how many cases.
//!
//! An observation's kind decides which figures it makes; nothing is configured that the rows already say. Epochs of a
//! case are reduced to one value before anything is averaged, so that repetitions never pass for further cases. Errors,
//! ungraded and skipped answers are no wrong answers: they have figures of their own. What one case depends on another
//! by (its cluster) goes into every bound. The same rows give the same figures, in whatever order they were written.

mod agreement;
mod amounts;
mod calibration;
mod classification;
mod counts;
mod figure;
mod joint;
mod judged;
mod names;
mod ordinal;
mod overall;
mod ranking;
mod run;
#[cfg(test)]
mod support;

use std::collections::BTreeMap;

use super::folder::RunRecord;
use super::measure::{Figures, Measures, Method};
use super::row::{Observation, Row};
use super::stats::Level;
use super::stats::bootstrap::{self, DRAWS};
use super::suite::{Assertion, Suite};
use figure::Found;
use run::{Cases, Run};

pub use agreement::{is_agreement, same_answer};
pub use calibration::{Bin, Reliability, Step, reliability};
pub use joint::{Change, Gain, Joint, Matched};
pub use names::{LATENCIES, Names};

/// How sure bounds are, and how they are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// How sure.
    pub level: Level,
    /// Exact intervals of proportions instead of Wilson's.
    pub exact: bool,
    /// Draws of the bootstrap; without any, what needs one has no bounds.
    pub draws: usize,
}

impl Bounds {
    /// Two-sided 95 %: what reports show.
    pub const SHOWN: Self = Self { level: Level::TWO_SIDED_95, exact: false, draws: DRAWS };

    /// One-sided 95 %, exact: what gates hold against a limit.
    pub const HELD: Self = Self { level: Level::ONE_SIDED_95, exact: true, draws: DRAWS };

    /// The same without a bootstrap.
    #[must_use]
    pub const fn quick(self) -> Self {
        Self { draws: 0, ..self }
    }
}

/// All figures of a run, those that rest on what its record says of its judges included.
#[must_use]
pub fn of_run(record: &RunRecord, rows: &[Row], bounds: Bounds) -> Figures {
    let mut figures = figures(&record.suite, rows, bounds);
    judged::add(&mut figures, &record.judges, rows, bounds);
    figures
}

/// The figures of rows by themselves: over everything, in each slice, and the confusion matrices.
#[must_use]
pub fn figures(suite: &Suite, rows: &[Row], bounds: Bounds) -> Figures {
    let run = Run::of(rows);
    let matrix = |metric| Some((String::from(metric), classification::matrix(&run.observed(metric).seen)?));
    Figures {
        all: measures(suite, &run, "", bounds),
        slices: run
            .slices()
            .into_iter()
            .map(|slice| {
                let measures = measures(suite, &run.within(&slice), &slice, bounds);
                (slice, measures)
            })
            .collect(),
        matrices: run.metrics().into_iter().filter_map(matrix).collect::<BTreeMap<_, _>>(),
    }
}

fn measures(suite: &Suite, run: &Run<'_>, slice: &str, bounds: Bounds) -> Measures {
    let mut measures = Measures::new();
    for metric in run.metrics() {
        let cases = run.observed(metric);
        let seed = seed(suite, slice, Some(metric));
        measures.extend(find(suite, metric, &cases).measures(&cases, bounds, seed));
        let pairs = run.pairs(metric);
        measures.extend(agreement::find(metric, &pairs.seen).measures(&pairs, bounds, seed));
    }
    // Last: these names are the program's own.
    let cases = run.rows();
    let seed = seed(suite, slice, None);
    measures.extend(overall::find(&cases.seen).measures(&cases, bounds, seed));
    measures
}

/// Where drawing anew begins for the figures of a metric, or for those that every run has, in a slice or (an empty name)
/// over everything.
fn seed(suite: &Suite, slice: &str, metric: Option<&str>) -> u64 {
    let words = [Some(suite.suite.as_str()), Some(slice), metric];
    bootstrap::seed(&words.into_iter().flatten().collect::<Vec<_>>())
}

/// The seed of every figure whose bounds were drawn, by its name and slice.
#[must_use]
pub fn seeds(suite: &Suite, figures: &Figures) -> BTreeMap<String, u64> {
    let slices = figures.slices.iter().map(|(slice, measures)| (slice.as_str(), measures));
    let drawn = std::iter::once(("", &figures.all)).chain(slices).flat_map(|(slice, measures)| {
        let drawn = measures.iter().filter(|(_, measure)| measure.method == Method::Bootstrap);
        drawn.map(move |(name, _)| {
            let asserted = suite.assert.iter().map(Assertion::metric).filter(|metric| belongs(name, metric));
            let title = if slice.is_empty() { name.clone() } else { format!("{name} in {slice}") };
            (title, seed(suite, slice, asserted.max_by_key(|metric| metric.len())))
        })
    });
    drawn.collect()
}

/// Whether a figure is one of a metric's: `category.macro_f1` of `category`.
pub(super) fn belongs(figure: &str, metric: &str) -> bool {
    figure.strip_prefix(metric).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What the observations of a metric come to.
fn find(suite: &Suite, metric: &str, cases: &Cases<'_, &Observation>) -> Found {
    let settings = suite.metrics.get(metric).cloned().unwrap_or_default();
    let mut found = Found::named(metric);
    classification::find(&mut found, &cases.seen, &settings);
    ordinal::find(&mut found, &cases.seen, ordinal::order(suite, metric), &settings);
    calibration::find(&mut found, cases, &settings);
    ranking::find(&mut found, &cases.seen, &settings.k);
    counts::find(&mut found, &cases.seen);
    amounts::find(&mut found, &cases.seen);
    judged::find(&mut found, &cases.seen, suite, metric);
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::support::{assert_values, label, measure, row, rows, suite, with};
    use super::*;
    use crate::evals::row::{Status, predicted};
    use crate::evals::stats::interval;
    use crate::evals::suite::MetricSettings;

    /// Forty cases, each seventh wrong.
    fn forty() -> Vec<Row> {
        rows((0..40).map(|case| label(["a", "b"][case % 2], ["a", "b"][(case + usize::from(case % 7 == 0)) % 2])))
    }

    #[test]
    fn reports_show_wilsons_interval_and_gates_hold_the_exact_bound() {
        let (shown, held) = (figures(&suite(), &forty(), Bounds::SHOWN), figures(&suite(), &forty(), Bounds::HELD));
        let expected = interval::wilson(34, 40, Level::TWO_SIDED_95).unwrap();
        let accuracy = measure(&shown, "m.accuracy");
        assert_eq!(
            (accuracy.method, accuracy.low, accuracy.high),
            (Method::Wilson, Some(expected.low), Some(expected.high))
        );
        let expected = interval::clopper_pearson(34, 40, Level::ONE_SIDED_95).unwrap();
        let accuracy = measure(&held, "m.accuracy");
        assert_eq!((accuracy.method, accuracy.low), (Method::ClopperPearson, Some(expected.low)));
        let (shown, held) = (measure(&shown, "m.macro_f1"), measure(&held, "m.macro_f1"));
        assert!(
            shown.method == Method::Bootstrap && shown.low < held.low && held.low < Some(held.value),
            "{shown:?} {held:?}"
        );
    }

    #[test]
    fn few_clusters_are_not_drawn_from() {
        let mut rows = forty();
        rows.iter_mut().enumerate().for_each(|(at, row)| row.cluster = format!("h{}", at % 19));
        let found = figures(&suite(), &rows, Bounds::SHOWN);
        assert_eq!(measure(&found, "m.macro_f1").method, Method::None);
        assert_eq!(measure(&figures(&suite(), &forty(), Bounds::SHOWN.quick()), "m.macro_f1").low, None);
        // A proportion has bounds, and wider ones than of as many strangers.
        let (here, there) =
            (measure(&found, "m.accuracy"), measure(&figures(&suite(), &forty(), Bounds::SHOWN), "m.accuracy"));
        assert!(here.low < there.low && here.high > there.high);
    }

    #[test]
    fn a_slice_is_its_own_cases() {
        let mut rows = forty();
        for (at, row) in rows.iter_mut().enumerate() {
            row.slices = [("metadata.lang".to_owned(), ["fi", "sv", "en", "fi"][at % 4].to_owned())].into();
        }
        let found = figures(&suite(), &rows, Bounds::SHOWN.quick());
        let scored: Vec<_> = found.slices.iter().map(|(slice, of)| (slice.as_str(), of["m.accuracy"].scored)).collect();
        assert_eq!(scored, [("metadata.lang=en", 10), ("metadata.lang=fi", 20), ("metadata.lang=sv", 10)]);
        let alone: Vec<Row> = rows.iter().filter(|row| row.slices["metadata.lang"] == "fi").cloned().collect();
        assert_eq!(found.slices["metadata.lang=fi"], figures(&suite(), &alone, Bounds::SHOWN.quick()).all);
    }

    #[test]
    fn what_has_no_answer_is_in_the_total() {
        let mut rows = forty();
        rows[0].scores.clear();
        rows[0].status = Status::Error;
        rows[1].scores.clear();
        let found = figures(&suite(), &rows, Bounds::SHOWN.quick());
        let accuracy = measure(&found, "m.accuracy");
        // The second has an answer to which the metric does not apply.
        assert_eq!((accuracy.scored, accuracy.total), (38, 39));
    }

    #[test]
    fn no_rows_make_no_figures_but_a_count() {
        let found = figures(&suite(), &[], Bounds::SHOWN);
        assert_eq!((measure(&found, "cases").value, found.slices.len(), found.matrices.len()), (0.0, 0, 0));
        assert!(!found.all.contains_key("ok") && !found.all.contains_key("latency_ms.p50"));
    }

    /// Anything that a row can say.
    fn observation() -> impl Strategy<Value = Observation> {
        let word =
            || prop::sample::select(vec!["a", "b", "c", predicted::ABSTAIN, predicted::INVALID, predicted::ERROR]);
        let grade = || prop::option::of(0u8..4);
        prop_oneof![
            (word(), word()).prop_map(|(gold, predicted)| label(gold, predicted)),
            (word(), word())
                .prop_map(|(gold, predicted)| Observation::Level { gold: gold.into(), predicted: predicted.into() }),
            any::<f64>().prop_map(|value| Observation::Score { value }),
            any::<f64>().prop_map(|value| Observation::Amount { value }),
            (-0.1f64..1.1, any::<bool>(), any::<bool>()).prop_map(|(confidence, correct, abstained)| {
                Observation::Confidence { confidence, correct, abstained }
            }),
            (prop::collection::vec(grade(), 0..5), prop::collection::vec(0u8..4, 0..4))
                .prop_map(|(grades, relevant)| Observation::Ranking { grades, relevant }),
            (0u32..3, 0u32..3, 0u32..3).prop_map(|(true_positive, false_positive, false_negative)| {
                Observation::Counts { true_positive, false_positive, false_negative }
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn whatever_rows_say_every_figure_is_a_number_and_the_order_of_rows_does_not_matter(
            seen in prop::collection::vec((0usize..40, 0u32..3, 0usize..30, observation()), 0..120),
        ) {
            let order = ["a", "b", "c"].map(str::to_owned).to_vec();
            let settings = MetricSettings { order, max_error: Some(0.2), ..MetricSettings::default() };
            let mut rows: Vec<Row> = seen
                .into_iter()
                .map(|(case, epoch, cluster, observation)| Row { cluster: format!("h{cluster}"), ..row(case, epoch, observation) })
                .collect();
            rows.sort_by_key(|row| (row.case.clone(), row.epoch));
            rows.dedup_by_key(|row| (row.case.clone(), row.epoch));
            let suite = with(settings);
            let bounds = Bounds { draws: 200, ..Bounds::SHOWN };
            let found = figures(&suite, &rows, bounds);
            for (name, measure) in &found.all {
                for number in [Some(measure.value), measure.low, measure.high].into_iter().flatten() {
                    prop_assert!(number.is_finite(), "{} {:?}", name, measure);
                }
                prop_assert!(measure.scored <= measure.total, "{} {:?}", name, measure);
                prop_assert!(measure.low.is_none_or(|low| low <= measure.value + 1e-9) || measure.method == Method::Bootstrap);
                prop_assert_eq!(measure.low.is_some(), measure.method != Method::None);
            }
            rows.reverse();
            prop_assert_eq!(found, figures(&suite, &rows, bounds));
        }
    }

    #[test]
    fn the_same_rows_give_the_same_bounds_for_ever() {
        let found = figures(&suite(), &forty(), Bounds::SHOWN);
        let macro_f1 = measure(&found, "m.macro_f1");
        assert_values(&found, &[("m.macro_f1", 0.85)]);
        assert_eq!((macro_f1.low, macro_f1.high), (Some(0.724_828_017_510_944_3), Some(0.949_494_949_494_949_5)));
    }
}
