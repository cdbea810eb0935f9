//! The runner: every case in every epoch through the target, so many at a time, one row each.
//!
//! A row is on its way to the disk as soon as its answer is graded, so that whatever stops a run costs at most the cases
//! in flight. Attempts are bounded by the client, the whole by a deadline and a budget; when nothing but the same kind
//! of error comes, the run ends instead of repeating it for every case. How a run ended is not how good it was:
//! [`End`] says the one, gates say the other.

pub mod again;
mod begin;
mod hashes;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use begin::{BeginError, Beginning, Begun, Wanted, latest, resume};

use super::case::{EvalCase, EvalCaseId};
use super::meter::metered;
use super::row::{Base, Observation, Row, Scored, Status, Used, predicted};
use super::rows::{RowsError, Writer};
use super::score::{Answered, Grade, Scorer};
use super::select;
use super::suite::{Mode, RunSettings, Suite};
use super::target::{Answer, Target, TargetError};

/// So many errors of the run in a row, and no answer between them, end it.
const HOPELESS: u32 = 10;

/// What is to be run.
pub struct Work {
    /// The suite, with what the command line changed in it.
    pub suite: Arc<Suite>,
    /// The cases.
    pub cases: Arc<[EvalCase]>,
    /// What is run over them.
    pub target: Arc<dyn Target>,
    /// What is asked of the answers.
    pub scorer: Arc<Scorer>,
    /// Cases and epochs that have a row already.
    pub done: HashSet<(EvalCaseId, u32)>,
    /// What these cost, millionths of a euro.
    pub spent_micros: i64,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows there will be.
    pub total: usize,
    /// Rows there are, those of before included.
    pub done: usize,
    /// Of this attempt: answers that are as they should be.
    pub ok: usize,
    /// Answers that are not.
    pub failed: usize,
    /// No answers.
    pub errors: usize,
    /// Answers that nobody could grade.
    pub ungraded: usize,
    /// Cost of all attempts, millionths of a euro.
    pub cost_micros: i64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Every case has a row.
    Complete,
    /// The time was over.
    Deadline,
    /// The money was spent.
    OverBudget,
    /// Nothing but errors came: the last of them.
    Hopeless(TargetError),
    /// Somebody stopped it.
    Interrupted,
}

/// A run that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub end: End,
    /// How far it came.
    pub tally: Tally,
    /// What servers called their model.
    pub served_by: BTreeSet<String>,
}

/// Runs what has no row yet and writes a row for each. `stop` ends it early; `progress` is told after each row.
///
/// # Errors
/// [`RowsError`]: the rows cannot be written.
pub async fn execute(
    work: Work,
    writer: Writer,
    stop: impl Future<Output = ()>,
    mut progress: impl FnMut(Tally),
) -> Result<Ended, RowsError> {
    let Work { suite, cases, target, scorer, done, spent_micros } = work;
    let RunSettings { epochs, max_concurrency, deadline_seconds, budget, mode, .. } = suite.run;
    // What is replayed costs nothing.
    let budget = budget.filter(|_| mode != Mode::Replay);
    let total = cases.len() * epochs as usize;
    let mut tally = Tally { total, done: done.len(), cost_micros: spent_micros, ..Tally::default() };
    let mut waiting = (0..epochs)
        .flat_map(|epoch| (0..cases.len()).map(move |nth| (nth, epoch)))
        .filter(|(nth, epoch)| !done.contains(&(cases[*nth].id.clone(), *epoch)))
        .peekable();
    let deadline = deadline_seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let runner = Arc::new(Runner { suite: Arc::clone(&suite), cases: Arc::clone(&cases), target, scorer });
    let mut running = JoinSet::new();
    let mut served_by = BTreeSet::new();
    let mut end = End::Complete;
    let mut in_a_row = 0;
    tokio::pin!(stop);
    loop {
        let over_budget = budget.is_some_and(|euros| f64_micros(euros) <= tally.cost_micros);
        if over_budget && waiting.peek().is_some() {
            // What is in flight is paid for: its rows are taken.
            end = End::OverBudget;
        }
        while end == End::Complete
            && running.len() < max_concurrency as usize
            && let Some((nth, epoch)) = waiting.next()
        {
            let runner = Arc::clone(&runner);
            running.spawn(async move { runner.row(nth, epoch).await });
        }
        if running.is_empty() {
            break;
        }
        let finished = tokio::select! {
            biased;
            () = &mut stop => { end = End::Interrupted; break }
            () = until(deadline) => { end = End::Deadline; break }
            finished = running.join_next() => finished,
        };
        // What breaks off in the target or the grader has a row; whatever breaks off elsewhere has none, and the run is
        // not complete.
        let Some(Ok(Finished { row, error, model })) = finished else { continue };
        if !writer.push(&row) {
            break;
        }
        served_by.extend(model);
        tally.count(&row);
        progress(tally);
        in_a_row = if error.as_ref().is_some_and(TargetError::is_about_the_run) { in_a_row + 1 } else { 0 };
        if let Some(error) = error
            && in_a_row >= HOPELESS
            && (waiting.peek().is_some() || !running.is_empty())
        {
            end = End::Hopeless(error);
            break;
        }
    }
    running.shutdown().await;
    writer.close()?;
    Ok(Ended { end, tally, served_by })
}

impl Tally {
    fn count(&mut self, row: &Row) {
        self.done += 1;
        self.cost_micros = self.cost_micros.saturating_add(row.used.cost_micros);
        match row.status {
            Status::Ok => self.ok += 1,
            Status::Failed => self.failed += 1,
            Status::Error => self.errors += 1,
            Status::Ungraded => self.ungraded += 1,
            Status::Skipped => {}
        }
    }
}

/// What every case needs.
struct Runner {
    suite: Arc<Suite>,
    cases: Arc<[EvalCase]>,
    target: Arc<dyn Target>,
    scorer: Arc<Scorer>,
}

struct Finished {
    row: Row,
    error: Option<TargetError>,
    model: Option<String>,
}

impl Runner {
    /// One case in one epoch. Whatever happens in the target or the grader, there is a row.
    async fn row(&self, nth: usize, epoch: u32) -> Finished {
        let case = &self.cases[nth];
        let began = Instant::now();
        let answer = AssertUnwindSafe(async { self.target.answer(case, epoch).await }).catch_unwind();
        let (answered, spent) = metered(answer).await;
        let took = began.elapsed();
        let answered = answered.unwrap_or_else(|_| Err(TargetError::Failed("the target broke off".to_owned())));
        let row = Row {
            case: case.id.clone(),
            epoch,
            status: Status::Error,
            scores: BTreeMap::new(),
            slices: slices(&self.suite, case),
            cluster: cluster(&self.suite, case),
            base: base(&self.suite, case),
            output: Value::Null,
            // What came of it decides what of this is the answer's; without one it was spent all the same.
            used: spent.used,
            judged: Used::default(),
            latency_ms: (took.as_secs_f64() * 1e6).round() / 1e3,
            error: None,
        };
        match answered {
            Ok(answer) => self.graded(row, case, answer).await,
            Err(error) => {
                let row = Row { scores: unanswered(&self.scorer, case), error: Some(error.to_string()), ..row };
                Finished { row, error: Some(error), model: None }
            }
        }
    }

    async fn graded(&self, row: Row, case: &EvalCase, answer: Answer) -> Finished {
        let Answer { output, used, served_by } = answer;
        let answered = Answered { output: &output, used: &used, latency_ms: row.latency_ms };
        let grade = AssertUnwindSafe(async { self.scorer.grade(case, row.epoch, answered).await }).catch_unwind();
        let (grade, spent) = metered(grade).await;
        let broke_off = |_| Grade { ungraded: Some("grading broke off".to_owned()), ..Grade::default() };
        let mut grade = Grade { judged: spent.used, ..grade.unwrap_or_else(broke_off) };
        // Who is not there has no opinion: that says something about the run, and nothing about the answer.
        let fault = grade.fault.take().filter(|_| grade.ungraded.is_some()).map(TargetError::from);
        let absent =
            fault.filter(|fault| fault.is_about_the_run() || matches!(fault, TargetError::MissingCassette { .. }));
        let row = Row {
            status: if absent.is_some() { Status::Error } else { grade.status() },
            used: used.and(grade.judged),
            judged: grade.judged,
            scores: grade.scores,
            error: absent.as_ref().map(|absent| format!("the judge: {absent}")).or(grade.ungraded),
            output: if self.suite.target.keep_output { output } else { Value::Null },
            ..row
        };
        Finished { row, error: absent, model: served_by }
    }
}

/// The words by which a case's figures are given, too.
fn slices(suite: &Suite, case: &EvalCase) -> BTreeMap<String, String> {
    let word = |path: &String| (path.clone(), select::word(case, path).unwrap_or_else(|| "none".to_owned()));
    suite.slices.iter().map(word).collect()
}

/// What a case depends on others by; a case that does not say so stands alone.
fn cluster(suite: &Suite, case: &EvalCase) -> String {
    select::word(case, &suite.dataset.cluster).unwrap_or_else(|| case.id.to_string())
}

/// Of which message a case is the original or a rewriting.
fn base(suite: &Suite, case: &EvalCase) -> Option<Base> {
    select::base(case, suite.dataset.originals.as_ref()?)
}

/// What would have been right, where there is no answer: labels keep their row of the confusion matrix.
fn unanswered(scorer: &Scorer, case: &EvalCase) -> BTreeMap<String, Scored> {
    let nothing = Answered { output: &Value::Null, used: &Used::default(), latency_ms: 0.0 };
    let predicted = || predicted::ERROR.to_owned();
    let seen = scorer.measure(case, nothing).scores.into_iter().filter_map(|(metric, scored)| {
        let observation = match scored.observation {
            Observation::Label { gold, .. } => Observation::Label { gold, predicted: predicted() },
            Observation::Level { gold, .. } => Observation::Level { gold, predicted: predicted() },
            _ => return None,
        };
        Some((metric, Scored { observation, pass: None, detail: None, judge: None }))
    });
    seen.collect()
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Euros as millionths; more than there are is the most there are.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and a suite's budget is finite")]
fn f64_micros(euros: f64) -> i64 {
    (euros * 1e6).round() as i64
}
