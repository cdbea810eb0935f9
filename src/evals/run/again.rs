//! Scores made anew from answers that were kept: for a changed assertion, a corrected label, a new slice.
//!
//! Nobody is asked: what judges said before stands, and what had no answer has none.

use std::collections::{BTreeMap, HashMap};

use super::{base, cluster, slices, unanswered};
use crate::evals::case::{EvalCase, EvalCaseId};
use crate::evals::row::{JudgedBy, Row, Scored, Status};
use crate::evals::score::{Answered, Scorer};
use crate::evals::suite::Suite;

/// Why a run cannot be scored anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unscorable {
    /// The suite said that answers are not to be kept.
    #[error("the run kept no answers (`keep_output: false`); run it again")]
    NothingKept,
    /// A case of the run is not in the dataset any more.
    #[error("the case `{0}` of the run is not in the dataset; run it again")]
    Gone(EvalCaseId),
}

/// The rows with new scores.
///
/// # Errors
/// [`Unscorable`].
pub fn score(rows: &[Row], cases: &[EvalCase], suite: &Suite, scorer: &Scorer) -> Result<Vec<Row>, Unscorable> {
    let by_id: HashMap<&EvalCaseId, &EvalCase> = cases.iter().map(|case| (&case.id, case)).collect();
    let judged: BTreeMap<&str, &JudgedBy> = scorer.seats().map(|(metric, _, judge, _)| (metric, judge)).collect();
    let answers = || rows.iter().filter(|row| !matches!(row.status, Status::Error | Status::Skipped));
    if answers().next().is_some() && answers().all(|row| row.output.is_null()) {
        return Err(Unscorable::NothingKept);
    }
    rows.iter()
        .map(|row| {
            let case = by_id.get(&row.case).ok_or_else(|| Unscorable::Gone(row.case.clone()))?;
            let (slices, cluster, base) = (slices(suite, case), cluster(suite, case), base(suite, case));
            let row = Row { slices, cluster, base, ..row.clone() };
            Ok(match row.status {
                Status::Error => Row { scores: unanswered(scorer, case), ..row },
                Status::Skipped => row,
                _ => rescored(row, case, scorer, &judged),
            })
        })
        .collect()
}

fn rescored(row: Row, case: &EvalCase, scorer: &Scorer, judged: &BTreeMap<&str, &JudgedBy>) -> Row {
    // What judges took was never the answer's.
    let used = row.used.without(row.judged);
    let answered = Answered { output: &row.output, used: &used, latency_ms: row.latency_ms };
    let mut grade = scorer.measure(case, answered);
    let said: BTreeMap<String, Scored> = row
        .scores
        .iter()
        // What another judge said says nothing about what this one would.
        .filter(|(metric, scored)| {
            judged.get(metric.as_str()).copied() == scored.judge.as_ref() && scored.judge.is_some()
        })
        .map(|(m, s)| (m.clone(), s.clone()))
        .collect();
    if said.len() < judged.len() && grade.ungraded.is_none() {
        grade.ungraded = row.error.clone().or_else(|| Some("no judge has seen this answer".to_owned()));
    }
    grade.scores.extend(said);
    Row { status: grade.status(), error: grade.ungraded, scores: grade.scores, ..row }
}
