//! What a run has no answer to, and which failures may be owed to that.
//!
//! A server that is down fails every gate on `ok` and says nothing about quality: told as a failure it would send people
//! to look for a fault in the change. So in an incomplete run a gate has failed only where it would have failed whatever
//! the missing answers had been; else it is as incomplete as the run, and whoever goes on with it hears of the failure,
//! if it is one. One lost answer, on the other hand, does not hide a gate that is missed by far: what missing answers
//! could add is bounded by how many they are. Errors and lost grades that the suite lets pass (`max_errors`,
//! `max_ungraded`) are not missing; rows that are left out without anybody having chosen so are.

use super::exit::Outcome;
use super::folder::Run;
use super::measure::{Measure, Method};
use super::metrics::{Change, Gain};
use super::report::words::count;
use super::row::Status;
use super::stats::inferiority::Claim;
use super::stats::{Interval, Level, Uncertain as _, real};

/// Figures that count rows without an answer among their cases.
const COUNT_ALL: [&str; 4] = ["ok", "failed", "errors", "ungraded"];

/// Figures that are nought when nothing is missing.
const COUNT_MISSING: [&str; 2] = ["errors", "ungraded"];

/// Rows that an incomplete run lacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    /// How the run ends for it.
    pub outcome: Outcome,
    /// Rows without an answer or without a grade.
    unanswered: usize,
    /// Rows that are not there.
    absent: usize,
}

impl Missing {
    /// What a run lacks; none where every case has an answer, but for as many errors as the suite lets pass.
    pub fn of(run: &Run) -> Option<Self> {
        let settings = &run.record.suite.run;
        let rows = |status| run.rows.iter().filter(|row| row.status == status).count();
        let (errors, ungraded) = (rows(Status::Error), rows(Status::Ungraded));
        let skipped = if run.record.selection.is_empty() { rows(Status::Skipped) } else { 0 };
        let absent = run.record.rows.saturating_sub(run.rows.len()) + skipped;
        let spent: i64 = run.rows.iter().map(|row| row.used.cost_micros).sum();
        #[expect(clippy::cast_precision_loss, reason = "millionths of a euro, far below 2^52")]
        let over_budget = settings.budget.is_some_and(|budget| spent as f64 / 1_000_000.0 >= budget);
        let beyond = |count: usize, share: f64| real(count) > share * real(run.rows.len());
        let too_many = beyond(errors, settings.max_errors) || beyond(ungraded, settings.max_ungraded);
        let outcome = if absent > 0 && over_budget { Outcome::OverBudget } else { Outcome::Incomplete };
        let incomplete = absent > 0 || too_many || run.rows.is_empty();
        incomplete.then(|| Self { outcome, unanswered: errors + ungraded, absent })
    }

    /// It, as a sentence.
    pub fn says(self) -> String {
        let Self { unanswered, absent, .. } = self;
        format!("{} without an answer or a grade, {} not there", count(unanswered, "row"), count(absent, "row"))
    }

    /// How many rows these are.
    pub fn rows(self) -> usize {
        self.unanswered + self.absent
    }

    /// The best that a figure could be with the missing answers: the highest, or the lowest. None where they could make
    /// it anything: it is no share of cases.
    pub fn best(self, name: &str, figure: &Measure, upwards: bool) -> Option<f64> {
        if !matches!(figure.method, Method::Wilson | Method::ClopperPearson) {
            return None;
        }
        if !upwards && COUNT_MISSING.contains(&name) {
            return Some(0.0);
        }
        let counted = if COUNT_ALL.contains(&name) { self.unanswered } else { 0 };
        let (scored, missing) = (real(figure.scored), real(self.rows()));
        let hits = figure.value * scored + if upwards { missing } else { 0.0 };
        Some((hits / (scored + missing - real(counted)).max(scored)).min(1.0))
    }

    /// Whether a difference of shares that breaks a claim could be within it with the missing answers: each moves the
    /// sum of differences by one case at most.
    pub fn could_mend(self, change: &Change, claim: Claim) -> bool {
        let shares = [change.a, change.b].iter().all(|value| (0.0..=1.0).contains(value));
        let (Gain::Paired(_), true) = (&change.gain, shares) else { return true };
        let Some(Interval { low, high }) = change.gain.interval(Level::ONE_SIDED_95) else { return true };
        let beyond = match claim {
            Claim::NoWorse(_) => -high,
            Claim::Equivalent(_) => low.max(-high),
        };
        let (cases, missing) = (real(change.gain.cases()), real(self.rows()));
        (cases * beyond - missing) / (cases + missing) <= claim.margin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::measure::Better;

    fn figure(value: f64, scored: usize, method: Method) -> Measure {
        let (low, high, design_effect) = (None, None, None);
        let (total, clusters, better) = (scored, scored, Better::Higher);
        Measure { value, low, high, method, scored, total, clusters, design_effect, better }
    }

    #[test]
    fn the_best_case_is_that_of_the_missing_answers() {
        let missing = Missing { outcome: Outcome::Incomplete, unanswered: 10, absent: 40 };
        let best = |name: &str, value: f64, scored: usize, upwards: bool| {
            missing.best(name, &figure(value, scored, Method::Wilson), upwards).unwrap()
        };
        // Sixty rows, of which ten are errors: forty are right, and the fifty that are missing may be.
        assert!((best("ok", 40.0 / 60.0, 60, true) - 0.9).abs() < 1e-12);
        // The same of a metric, which has no figure of errors.
        assert!((best("category.accuracy", 0.8, 50, true) - 0.9).abs() < 1e-12);
        assert!((best("failed", 10.0 / 60.0, 60, false) - 0.1).abs() < 1e-12);
        assert!(best("errors", 1.0, 60, false) <= 0.0);
        let mean = figure(0.8, 50, Method::Mean);
        assert_eq!(missing.best("distance", &mean, true), None);
    }
}
