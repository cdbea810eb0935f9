//! What judges said: how often they pass, and how often people would have, by how the judge errs.
//!
//! `passed` is made of rows alone and can be compared from run to run. `corrected` (Rogan and Gladen's) needs the judge's
//! calibration, which stands in the run's record, as do `sensitivity`, `specificity` and `kappa`: what is known of the
//! judge is shown beside what it said.

use super::Bounds;
use super::figure::Found;
use super::run::{Run, Seen, read};
use crate::evals::calibration::{Calibration, Judging};
use crate::evals::measure::Better::Higher;
use crate::evals::measure::{Figures, Measure, Measures, Method};
use crate::evals::row::{Observation, Row};
use crate::evals::stats::Uncertain as _;
use crate::evals::stats::prevalence::{Share, corrected};
use crate::evals::suite::{Assertion, AssertionKind, Suite};

/// How often the judge of a metric passes; nothing where none judges.
pub(super) fn find(found: &mut Found, seen: &[Seen<&Observation>], suite: &Suite, metric: &str) {
    let judge = |assertion: &&Assertion| assertion.kind == AssertionKind::Judge && assertion.metric() == metric;
    if let Some(assertion) = suite.assert.iter().find(judge) {
        passed(found, seen, assertion.least());
    }
}

fn passed(found: &mut Found, seen: &[Seen<&Observation>], least: f64) {
    let passes = read(seen, |observation| match observation {
        Observation::Score { value } if value.is_finite() => Some(*value >= least),
        _ => None,
    });
    found.share("passed", Higher, &passes, |passes| if *passes { 1.0 } else { 0.0 });
}

/// Adds what the calibrations of a run's judges say to its figures.
pub(super) fn add(figures: &mut Figures, judges: &[Judging], rows: &[Row], bounds: Bounds) {
    let run = Run::of(rows);
    for judging in judges {
        let Some(calibration) = judging.calibration() else { continue };
        let name = |figure: &str| format!("{}.{figure}", judging.metric);
        let put = |measures: &mut Measures, run: &Run<'_>| {
            if let Some(found) = of_people(judging, calibration, run, bounds) {
                measures.insert(name("corrected"), found);
            }
        };
        put(&mut figures.all, &run);
        for (slice, measures) in &mut figures.slices {
            put(measures, &run.within(slice));
        }
        let known = [("sensitivity", Some(&calibration.sensitivity)), ("specificity", Some(&calibration.specificity))];
        for (figure, measure) in known.into_iter().chain([("kappa", calibration.kappa.as_ref())]) {
            figures.all.extend(measure.map(|measure| (name(figure), measure.clone())));
        }
    }
}

/// The rate that people would have given.
fn of_people(judging: &Judging, calibration: &Calibration, run: &Run<'_>, bounds: Bounds) -> Option<Measure> {
    let cases = run.observed(&judging.metric);
    let mut found = Found::named("");
    passed(&mut found, &cases.seen, judging.least);
    let ratio = found.find_ratio("passed")?;
    let seen = ratio.estimate(&cases.clusters)?;
    // Of a single cluster nobody knows how alike its cases are: they count as one.
    let seen_share = Share { value: seen.value(), cases: seen.effective_cases().unwrap_or(1.0) };
    let found = corrected(seen_share, calibration.of_good(), calibration.of_others(), bounds.level)?;
    Some(Measure {
        value: found.value,
        low: Some(found.interval.low),
        high: Some(found.interval.high),
        method: Method::Corrected,
        scored: seen.cases,
        total: cases.total,
        clusters: seen.clusters,
        design_effect: seen.design_effect(),
        better: Higher,
    })
}
