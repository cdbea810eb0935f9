//! The rows of a run by case.

use std::collections::{BTreeMap, BTreeSet};

use crate::evals::case::EvalCaseId;
use crate::evals::row::{Observation, Row, Status};
use crate::evals::stats::real;

/// A run: each case with one row an epoch. A later row of the same epoch takes the place of an earlier one (a retry).
#[derive(Debug, Clone, Default)]
pub(super) struct Run<'a>(BTreeMap<&'a EvalCaseId, Case<'a>>);

#[derive(Debug, Clone)]
struct Case<'a> {
    cluster: &'a str,
    epochs: Vec<&'a Row>,
    /// Of a rewriting, the rows of its original.
    originals: Vec<&'a Row>,
}

/// What was seen of one case.
#[derive(Debug)]
pub(super) struct Seen<T> {
    /// The case, by its place in the order of ids.
    pub case: usize,
    /// Its cluster, as a number.
    pub cluster: usize,
    /// Each epoch in which something was seen; at least one.
    pub epochs: Vec<T>,
}

impl<T> Seen<T> {
    /// Each epoch and its weight: those of a case make 1 together.
    pub fn weighed(&self) -> impl Iterator<Item = (&T, f64)> {
        let weight = 1.0 / real(self.epochs.len());
        self.epochs.iter().map(move |epoch| (epoch, weight))
    }
}

fn observation<'a>(row: &'a Row, metric: &str) -> Option<&'a Observation> {
    row.scores.get(metric).map(|scored| &scored.observation)
}

/// What can be read from what was seen; cases without any of it are left out.
pub(super) fn read<T, U>(seen: &[Seen<T>], look: impl Fn(&T) -> Option<U>) -> Vec<Seen<U>> {
    let read = |seen: &Seen<T>| Seen {
        case: seen.case,
        cluster: seen.cluster,
        epochs: seen.epochs.iter().filter_map(&look).collect(),
    };
    seen.iter().map(read).filter(|read| !read.epochs.is_empty()).collect()
}

/// What was seen of the cases of a run, in the order of their ids.
#[derive(Debug)]
pub(super) struct Cases<'a, T> {
    /// Those of which something was seen.
    pub seen: Vec<Seen<T>>,
    /// The names of clusters.
    pub clusters: Vec<&'a str>,
    /// These, and those that have no answer or no grade.
    pub total: usize,
}

impl<'a> Run<'a> {
    /// The cases of these rows.
    pub fn of(rows: &'a [Row]) -> Self {
        let latest: BTreeMap<_, _> = rows.iter().map(|row| ((&row.case, row.epoch), row)).collect();
        let mut originals: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in latest.values() {
            if let Some(base) = row.base.as_ref().filter(|base| base.original) {
                originals.entry(&base.id).or_default().push(row);
            }
        }
        let originals = |row: &Row| match &row.base {
            Some(base) if !base.original => originals.get(base.id.as_str()).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut cases: BTreeMap<&EvalCaseId, Case<'_>> = BTreeMap::new();
        for ((id, _), row) in latest {
            let new = || Case { cluster: &row.cluster, epochs: Vec::new(), originals: originals(row) };
            cases.entry(id).or_insert_with(new).epochs.push(row);
        }
        Self(cases)
    }

    /// The names of its slices: `metadata.lang=fi`.
    pub fn slices(&self) -> BTreeSet<String> {
        self.first_rows()
            .flat_map(|(_, row)| row.slices.iter().map(|(path, value)| format!("{path}={value}")))
            .collect()
    }

    /// Its part in this slice.
    pub fn within(&self, slice: &str) -> Self {
        let path_and_value = slice.split_once('=');
        let inside = |row: &Row| {
            path_and_value.is_some_and(|(path, value)| row.slices.get(path).is_some_and(|found| found == value))
        };
        self.only(&self.first_rows().filter(|(_, row)| inside(row)).map(|(id, _)| id).collect())
    }

    /// Its part with these cases.
    pub fn only(&self, ids: &BTreeSet<&EvalCaseId>) -> Self {
        Self(self.0.iter().filter(|(id, _)| ids.contains(*id)).map(|(id, case)| (*id, case.clone())).collect())
    }

    /// The same cases in the clusters that `other` puts them in.
    pub fn clustered_as(mut self, other: &Self) -> Self {
        for (id, case) in &mut self.0 {
            case.cluster = other.0.get(id).map_or(case.cluster, |other| other.cluster);
        }
        self
    }

    /// Its cases.
    pub fn ids(&self) -> BTreeSet<&'a EvalCaseId> {
        self.0.keys().copied().collect()
    }

    /// The names of its metrics.
    pub fn metrics(&self) -> BTreeSet<&'a str> {
        self.0.values().flat_map(|case| &case.epochs).flat_map(|row| row.scores.keys().map(String::as_str)).collect()
    }

    /// The cases of which an answer was seen under a metric; an error keeps what would have been right and is none.
    pub fn scored(&self, metric: &str) -> BTreeSet<&'a EvalCaseId> {
        let answered = |row: &&Row| row.scores.get(metric).is_some_and(|scored| scored.observation.is_answered());
        let scored = |case: &Case<'_>| case.epochs.iter().any(&answered);
        self.0.iter().filter(|(_, case)| scored(case)).map(|(id, _)| *id).collect()
    }

    /// What was seen of them under a metric.
    pub fn observed(&self, metric: &str) -> Cases<'a, &'a Observation> {
        self.cases(|_, row| observation(row, metric))
    }

    /// What was seen of rewritings under a metric, each beside what was seen of its original in the same epoch.
    pub fn pairs(&self, metric: &str) -> Cases<'a, (&'a Observation, &'a Observation)> {
        let rewritings = self.0.iter().filter(|(_, case)| !case.originals.is_empty());
        Self(rewritings.map(|(id, case)| (*id, case.clone())).collect()).cases(|case, row| {
            let original = case.originals.iter().find(|original| original.epoch == row.epoch)?;
            observation(original, metric).zip(observation(row, metric))
        })
    }

    /// Their rows.
    pub fn rows(&self) -> Cases<'a, &'a Row> {
        self.cases(|_, row| Some(row))
    }

    fn cases<T>(&self, look: impl Fn(&Case<'a>, &'a Row) -> Option<T>) -> Cases<'a, T> {
        let mut seen = Vec::new();
        let mut total = 0;
        for (at, case) in self.0.values().enumerate() {
            let epochs: Vec<T> = case.epochs.iter().filter_map(|row| look(case, row)).collect();
            let unanswered = case.epochs.iter().any(|row| matches!(row.status, Status::Error | Status::Ungraded));
            total += usize::from(unanswered || !epochs.is_empty());
            if !epochs.is_empty() {
                seen.push((at, case.cluster, epochs));
            }
        }
        let clusters: BTreeSet<&str> = seen.iter().map(|(_, cluster, _)| *cluster).collect();
        let numbers: BTreeMap<&str, usize> =
            clusters.iter().enumerate().map(|(number, name)| (*name, number)).collect();
        let seen = seen.into_iter().map(|(case, cluster, epochs)| Seen { case, cluster: numbers[cluster], epochs });
        Cases { seen: seen.collect(), clusters: clusters.into_iter().collect(), total }
    }

    /// Each case's first epoch: what is known of a case does not change from one to the next.
    fn first_rows(&self) -> impl Iterator<Item = (&'a EvalCaseId, &'a Row)> {
        self.0.iter().filter_map(|(id, case)| Some((*id, *case.epochs.first()?)))
    }
}
