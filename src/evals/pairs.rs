//! Rows that belong to each other: of two runs over the same cases, or of rewritings and their originals in one run.
//!
//! They are matched once, for every figure that is looked at. A rewriting is held against its original as a run is held
//! against an earlier one: the original's row stands in the place of the rewriting's, under its id. No case text.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::case::EvalCaseId;
use super::compare::AS_ASKED;
use super::measure::Better;
use super::metrics::{Change, Joint, Matched, belongs, same_answer};
use super::row::{Observation, Row};
use super::stats::{Uncertain as _, bootstrap, mcnemar};
use super::suite::{Assertion, Suite};

/// What became of the single pairs of rewritings and originals. Ids are those of the rewritings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pairs {
    /// How many were compared.
    pub of: usize,
    /// Pairs with one and the same label or level; none where answers are neither.
    pub agree: Option<usize>,
    /// The original is answered better than the rewriting.
    pub harmful: Vec<String>,
    /// The rewriting is answered better.
    pub beneficial: Vec<String>,
    /// One is as right or wrong as the other, and the answers are two all the same.
    pub otherwise: Vec<String>,
    /// McNemar's exact p-value of as many flips each way by chance; none where pairs depend on each other, and for
    /// what is not right or wrong.
    pub mcnemar: Option<f64>,
}

/// Rows before and after, matched by case and epoch.
pub(super) struct Both<'a> {
    suite: &'a Suite,
    joint: Joint<'a>,
    after: &'a [Row],
    before: BTreeMap<(&'a EvalCaseId, u32), &'a Row>,
}

impl<'a> Both<'a> {
    pub fn of(suite: &'a Suite, before: &'a [Row], after: &'a [Row]) -> Self {
        let joint = Joint::of(suite, before, after);
        Self { suite, joint, after, before: before.iter().map(|row| ((&row.case, row.epoch), row)).collect() }
    }

    /// The slices that have a pair: `metadata.lang=fi`.
    pub fn slices(&self) -> BTreeSet<String> {
        self.joint.slices()
    }

    /// What became of a figure, from draws that depend on nothing but what is compared.
    pub fn difference(&self, figure: &str, slice: Option<&str>, draws: usize) -> Option<Change> {
        self.joint.change(figure, slice, seed(self.suite, figure, slice), draws)
    }

    /// Whether both saw the same in every case and repetition of what a figure is made of, and no case from before is
    /// gone. Figures of cost and time are made of nothing that could be the same.
    pub fn same(&self, figure: &str, slice: Option<&str>) -> bool {
        let metrics = self.metrics(figure);
        let after: BTreeSet<&EvalCaseId> = self.after.iter().map(|row| &row.case).collect();
        let gives = |row: &Row| figure == AS_ASKED || metrics.iter().any(|metric| row.scores.contains_key(*metric));
        let mut before = self.before.values().filter(|row| is_in(row, slice) && gives(row));
        if before.any(|row| !after.contains(&row.case)) {
            return false;
        }
        let mut matched = self.matched(slice).peekable();
        let compares = matched.peek().is_some() && (figure == AS_ASKED || !metrics.is_empty());
        compares
            && matched.all(|(was, is)| {
                (figure != AS_ASKED || is.status == was.status)
                    && metrics.iter().all(|metric| observation(is, metric) == observation(was, metric))
            })
    }

    /// What became of single pairs, where `change` is what became of the figure.
    pub fn pairs(&self, figure: &str, slice: Option<&str>, change: &Change) -> Pairs {
        let matched = self.joint.pairs(figure, slice).unwrap_or_default();
        let which = |is: &dyn Fn(f64) -> bool| -> Vec<String> {
            let gain = |found: &Matched<'_>| match change.better {
                Better::Higher => found.pair.b - found.pair.a,
                Better::Lower => found.pair.a - found.pair.b,
            };
            matched.iter().filter(|found| is(gain(found))).map(|found| found.case.to_string()).collect()
        };
        let (harmful, beneficial) = (which(&|gain| gain < 0.0), which(&|gain| gain > 0.0));
        let mut agrees: BTreeMap<&EvalCaseId, bool> = BTreeMap::new();
        for (was, is) in self.matched(slice) {
            for metric in self.metrics(figure) {
                let same = observation(was, metric).zip(observation(is, metric)).and_then(|(a, b)| same_answer(a, b));
                if let Some(same) = same {
                    *agrees.entry(&is.case).or_insert(true) &= same;
                }
            }
        }
        let differ = agrees.iter().filter(|(_, same)| !**same).map(|(case, _)| case.to_string());
        let told = |case: &String| harmful.contains(case) || beneficial.contains(case);
        let right_or_wrong = |value: f64| value <= 0.0 || value >= 1.0;
        let exact = !matched.is_empty()
            && change.gain.clusters() == change.gain.cases()
            && matched.iter().all(|found| right_or_wrong(found.pair.a) && right_or_wrong(found.pair.b));
        Pairs {
            of: change.gain.cases(),
            agree: (!agrees.is_empty()).then(|| agrees.values().filter(|same| **same).count()),
            otherwise: differ.filter(|case| !told(case)).collect(),
            mcnemar: exact.then(|| mcnemar::exact(harmful.len(), beneficial.len())),
            harmful,
            beneficial,
        }
    }

    /// The asserted metrics that a figure is made of.
    fn metrics(&self, figure: &str) -> Vec<&'a str> {
        self.suite.assert.iter().map(Assertion::metric).filter(|metric| belongs(figure, metric)).collect()
    }

    /// The rows before and after of a slice, or of everything.
    fn matched(&self, slice: Option<&str>) -> impl Iterator<Item = (&'a Row, &'a Row)> {
        let inside = self.after.iter().filter(move |row| is_in(row, slice));
        inside.filter_map(|row| Some((*self.before.get(&(&row.case, row.epoch))?, row)))
    }
}

/// Where drawing anew begins for a difference.
pub(super) fn seed(suite: &Suite, figure: &str, slice: Option<&str>) -> u64 {
    bootstrap::seed(&[&suite.suite, figure, slice.unwrap_or_default()])
}

fn observation<'a>(row: &'a Row, metric: &str) -> Option<&'a Observation> {
    row.scores.get(metric).map(|scored| &scored.observation)
}

/// Whether a row belongs to a slice (`metadata.lang=fi`); to no slice belongs every row.
fn is_in(row: &Row, slice: Option<&str>) -> bool {
    let Some(slice) = slice else { return true };
    slice.split_once('=').is_some_and(|(path, value)| row.slices.get(path).is_some_and(|own| own == value))
}

/// The rows of originals under the ids of their rewritings: what these are held against.
pub(super) fn originals(rows: &[Row]) -> Vec<Row> {
    let mut originals = BTreeMap::new();
    for row in rows {
        if let Some(base) = row.base.as_ref().filter(|base| base.original) {
            originals.insert((&base.id, row.epoch), row);
        }
    }
    let in_place = |row: &Row| {
        let base = row.base.as_ref().filter(|base| !base.original)?;
        let original = originals.get(&(&base.id, row.epoch))?;
        // What was answered is not compared and may be long.
        Some(Row {
            case: row.case.clone(),
            status: original.status,
            scores: original.scores.clone(),
            output: Value::Null,
            used: original.used,
            latency_ms: original.latency_ms,
            error: None,
            ..row.clone()
        })
    };
    rows.iter().filter_map(in_place).collect()
}
