//! Gates: what a suite says must hold, held against a run.
//!
//! A gate passes, fails, or has too few cases to tell; the third is an answer of its own with the number of cases that
//! would settle it. A limit with a bound (`min` with `bound: lower`) asks that the limit holds with one-sided 95 %
//! confidence. A gate against the baseline asks for non-inferiority, case by case and by cluster: passed when the lower
//! one-sided 95 % bound of the difference lies above the margin, failed when the upper one lies below it. A figure that
//! the rows do not give is never a pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibration;
use super::compare::{Change, change, difference, same_observations};
use super::exit::Outcome;
use super::folder::Run;
use super::measure::{Figures, Measure, Method};
use super::metrics::{self, Bounds};
use super::report::words::{brief, count, number, signed};
use super::row::Status;
use super::stats::bootstrap::DRAWS;
use super::stats::inferiority::{Judgement, judge, judge_all};
use super::stats::multiple::{benjamini_hochberg, holm};
use super::stats::{Level, Uncertain};
use super::suite::{Adjust, Against, Bound, Gate, Otherwise};

/// How a gate came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateResult {
    /// The gate, as the suite has it.
    pub gate: Gate,
    /// The slice that was looked at; none: everything.
    pub slice: Option<String>,
    /// Whether it holds.
    pub outcome: Outcome,
    /// The figure; none where the rows do not give it.
    pub figure: Option<Measure>,
    /// The one-sided 95 % bound that was held against the limit.
    pub bound: Option<f64>,
    /// Against the baseline, where it is compared.
    pub change: Option<Change>,
    /// As many cases in all would tell.
    pub need: Option<usize>,
    /// Why it came out so: one sentence without case text.
    pub why: String,
}

impl GateResult {
    /// How it came out, in a word: that of its outcome, or `goal` where one is not reached yet.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let missed = self.gate.otherwise == Some(Otherwise::Goal) && self.why.starts_with(NOT_REACHED);
        if missed { "goal" } else { self.outcome.as_str() }
    }

    /// The gate in a line: `category.recall[U0] ≥ 0.97 in metadata.lang=fi, lower bound`.
    #[must_use]
    pub fn title(&self) -> String {
        let gate = &self.gate;
        let rule = match (gate.min, gate.max, gate.compare) {
            (Some(min), ..) => format!("≥ {}", brief(min)),
            (None, Some(max), _) => format!("≤ {}", brief(max)),
            (None, None, _) => match margin(gate) {
                0.0 => "no worse than the baseline".to_owned(),
                margin => format!("no worse than the baseline by more than {}", brief(margin)),
            },
        };
        let slice = self.slice.as_ref().map(|slice| format!(" in {slice}")).unwrap_or_default();
        let bound = match gate.bound {
            Some(Bound::Lower) => ", lower bound",
            Some(Bound::Upper) => ", upper bound",
            None => "",
        };
        format!("{} {rule}{slice}{bound}", gate.metric)
    }
}

/// How the reason begins why a goal is no more than one.
const NOT_REACHED: &str = "a goal, not reached yet";

/// How much worse a gate lets it be.
fn margin(gate: &Gate) -> f64 {
    gate.non_inferior.unwrap_or(0.0).max(0.0)
}

/// Holds a run against its suite's gates, and against the blessed run where they compare; one result a gate and slice.
#[must_use]
pub fn hold(run: &Run, figures: &Figures, baseline: Option<&Run>) -> Vec<GateResult> {
    hold_all(&run.record.suite.gates, run, figures, baseline)
}

/// Holds a run against gates that need not be its suite's.
pub(super) fn hold_all(gates: &[Gate], run: &Run, figures: &Figures, baseline: Option<&Run>) -> Vec<GateResult> {
    let bounds = bounds(gates, run, figures);
    gates.iter().flat_map(|gate| Held { gate, run, figures, bounds: &bounds, baseline }.results()).collect()
}

/// The figures with the one-sided bounds that gates ask for. Drawing anew costs time and is left out where no gate
/// needs it.
fn bounds(gates: &[Gate], run: &Run, figures: &Figures) -> Figures {
    let bounded = || gates.iter().filter(|gate| gate.bound.is_some());
    let drawn = |gate: &Gate| {
        let measures = std::iter::once(&figures.all).chain(figures.slices.values());
        measures.filter_map(|measures| measures.get(&gate.metric)).any(|found| found.method == Method::Bootstrap)
    };
    let bounds = if bounded().any(drawn) { Bounds::HELD } else { Bounds::HELD.quick() };
    let rows = if bounded().next().is_some() { run.rows.as_slice() } else { &[] };
    metrics::of_run(&run.record, rows, bounds)
}

/// How a run ends: the worst of its gates and of what is missing.
#[must_use]
pub fn outcome(run: &Run, gates: &[GateResult]) -> Outcome {
    let worst = gates.iter().map(|gate| gate.outcome).max().unwrap_or(Outcome::Pass);
    worst.max(completeness(run))
}

/// Whether every case has an answer, but for as many errors as the suite lets pass.
fn completeness(run: &Run) -> Outcome {
    let settings = &run.record.suite.run;
    let spent: i64 = run.rows.iter().map(|row| row.used.cost_micros).sum();
    if run.rows.len() < run.record.rows {
        #[expect(clippy::cast_precision_loss, reason = "millionths of a euro, far below 2^52")]
        let spent = spent as f64 / 1_000_000.0;
        let over = settings.budget.is_some_and(|budget| spent >= budget);
        return if over { Outcome::OverBudget } else { Outcome::Incomplete };
    }
    let errors = run.rows.iter().filter(|row| row.status == Status::Error).count();
    #[expect(clippy::cast_precision_loss, reason = "rows of a run, far below 2^52")]
    let too_many = errors as f64 > settings.max_errors * run.rows.len() as f64;
    if too_many || run.rows.is_empty() { Outcome::Incomplete } else { Outcome::Pass }
}

/// A gate with all that it is held against.
struct Held<'a> {
    gate: &'a Gate,
    run: &'a Run,
    figures: &'a Figures,
    bounds: &'a Figures,
    baseline: Option<&'a Run>,
}

impl Held<'_> {
    fn results(&self) -> Vec<GateResult> {
        let slices = self.slices();
        match self.gate.compare {
            Some(Against::Baseline) => self.against_baseline(slices),
            None => slices.into_iter().map(|slice| self.against_limit(slice)).collect(),
        }
    }

    /// The slices that the gate names; one that no case falls into is looked at all the same, and found wanting.
    fn slices(&self) -> Vec<Option<String>> {
        let Some(slice) = &self.gate.slice else {
            return vec![None];
        };
        let Some(all_of) = slice.strip_suffix('*') else {
            return vec![Some(slice.clone())];
        };
        let found: Vec<_> =
            self.figures.slices.keys().filter(|name| name.starts_with(all_of)).cloned().map(Some).collect();
        if found.is_empty() { vec![Some(slice.clone())] } else { found }
    }

    fn result(&self, slice: Option<String>, outcome: Outcome, why: String) -> GateResult {
        let (outcome, why) = match (outcome, self.gate.otherwise) {
            (Outcome::Fail, Some(Otherwise::Incomplete)) => (Outcome::Incomplete, why),
            (Outcome::Fail | Outcome::Inconclusive, Some(Otherwise::Goal)) => {
                (Outcome::Pass, format!("{NOT_REACHED}: {why}"))
            }
            (outcome, _) => (outcome, why),
        };
        let figure = find(self.figures, slice.as_deref(), &self.gate.metric).cloned();
        GateResult { gate: self.gate.clone(), slice, outcome, figure, bound: None, change: None, need: None, why }
    }

    /// A limit: missed by the figure itself, it failed; missed by the bound alone, there are too few cases to tell.
    fn against_limit(&self, slice: Option<String>) -> GateResult {
        let Some(figure) = find(self.figures, slice.as_deref(), &self.gate.metric) else {
            let why = format!("no row gives {}", self.gate.metric);
            return self.result(slice, Outcome::Incomplete, why);
        };
        let Some(limit) = Limit::of(self.gate) else {
            return self.result(slice, Outcome::Incomplete, "the gate names no limit".to_owned());
        };
        let over = format!("{} over {}", number(figure.value), count(figure.scored, "case"));
        if !limit.holds(figure.value) {
            return self.result(slice, Outcome::Fail, over);
        }
        let Some(side) = self.gate.bound else {
            return self.result(slice, Outcome::Pass, over);
        };
        let bounded = find(self.bounds, slice.as_deref(), &self.gate.metric);
        let (word, bound) = match side {
            Bound::Lower => ("lower", bounded.and_then(|bounded| bounded.low)),
            Bound::Upper => ("upper", bounded.and_then(|bounded| bounded.high)),
        };
        let Some(bound) = bound else {
            let why = format!("{over}: too few for a bound");
            return self.result(slice, Outcome::Inconclusive, why);
        };
        if limit.holds(bound) {
            let why = format!("{over}, {word} bound {}", number(bound));
            return GateResult { bound: Some(bound), ..self.result(slice, Outcome::Pass, why) };
        }
        let need = limit.cases_needed(figure, bound);
        let why = format!("{over}, but its {word} bound is {}{}", number(bound), more(need, figure.scored));
        GateResult { bound: Some(bound), need, ..self.result(slice, Outcome::Inconclusive, why) }
    }

    fn against_baseline(&self, slices: Vec<Option<String>>) -> Vec<GateResult> {
        let Some(baseline) = self.baseline else {
            let why = "there is no baseline yet; `vireille eval bless` writes one";
            return slices.into_iter().map(|slice| self.result(slice, Outcome::Incomplete, why.to_owned())).collect();
        };
        let others = calibration::others(&baseline.record.judges, &self.run.record.judges);
        if let Some(other) = others.iter().find(|judging| judging.reaches(&self.gate.metric)) {
            let why = format!(
                "the judge of {} is another one than that of the baseline, which has to be blessed anew",
                other.metric
            );
            return slices.into_iter().map(|slice| self.result(slice, Outcome::Incomplete, why.clone())).collect();
        }
        let found: Vec<_> = slices
            .into_iter()
            .map(|slice| {
                let same = same_observations(baseline, self.run, &self.gate.metric, slice.as_deref());
                // Of what is the same in every case there is nothing to be sure of by drawing.
                let draws = if same { 0 } else { DRAWS };
                let found = difference(baseline, self.run, &self.gate.metric, slice.as_deref(), draws);
                (slice, same, found)
            })
            .collect();
        let mut judgements = self.judge(found.iter().filter_map(|(_, _, found)| found.as_ref())).into_iter();
        let results = found.into_iter().map(|(slice, same, found)| {
            let judged = found.and_then(|found| Some((found, judgements.next()?)));
            self.compared(slice, same, judged)
        });
        results.collect()
    }

    fn judge<'g>(&self, found: impl Iterator<Item = &'g metrics::Change>) -> Vec<Judgement> {
        let gains: Vec<&dyn Uncertain> = found.map(|found| &found.gain as &dyn Uncertain).collect();
        let (margin, level) = (margin(self.gate), Level::ONE_SIDED_95);
        match self.gate.adjust {
            Some(Adjust::Holm) => judge_all(&gains, margin, level, holm),
            Some(Adjust::Bh) => judge_all(&gains, margin, level, benjamini_hochberg),
            None => gains.into_iter().map(|gain| judge(gain, margin, level)).collect(),
        }
    }

    fn compared(&self, slice: Option<String>, same: bool, judged: Option<(metrics::Change, Judgement)>) -> GateResult {
        let Some((found, judgement)) = judged else {
            let why = format!("{} cannot be compared: no case in both runs gives it", self.gate.metric);
            return self.result(slice, Outcome::Incomplete, why);
        };
        let mut change = change(&self.gate.metric, slice.as_deref(), &found);
        change.margin = Some(margin(self.gate));
        let over = format!("{} over {}", signed(change.difference), count(change.cases, "case"));
        let (outcome, need, why) = match judgement {
            // The run behaves as the blessed one did: whatever other cases would show, they would show of both.
            _ if same => (Outcome::Pass, None, format!("the same in each of {}", count(change.cases, "case"))),
            Judgement::Pass => (Outcome::Pass, None, over),
            Judgement::Fail => (Outcome::Fail, None, format!("{over}: surely worse than allowed")),
            Judgement::Inconclusive { need } => {
                (Outcome::Inconclusive, need, format!("{over}: too few to tell{}", more(need, change.cases)))
            }
        };
        GateResult { change: Some(change), need, ..self.result(slice, outcome, why) }
    }
}

/// A figure of everything or of a slice.
fn find<'a>(figures: &'a Figures, slice: Option<&str>, metric: &str) -> Option<&'a Measure> {
    let measures = slice.map_or(Some(&figures.all), |slice| figures.slices.get(slice))?;
    measures.get(metric)
}

/// What a figure must not fall below, or rise above.
#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    fn of(gate: &Gate) -> Option<Self> {
        gate.min.map(Self::AtLeast).or_else(|| gate.max.map(Self::AtMost))
    }

    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    /// As many cases in all bring the bound to the limit, if the figure stays what it is: a bound comes nearer with the
    /// root of their number. None where the figure sits on the limit.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
    fn cases_needed(self, figure: &Measure, bound: f64) -> Option<usize> {
        let (Self::AtLeast(limit) | Self::AtMost(limit)) = self;
        let times = ((figure.value - bound) / (figure.value - limit)).powi(2);
        let needed = (figure.scored as f64 * times).ceil();
        (needed.is_finite() && needed < f64::from(u32::MAX)).then_some(needed as usize)
    }
}

/// How many more cases would settle it, as the end of a sentence.
fn more(need: Option<usize>, cases: usize) -> String {
    match need.and_then(|need| need.checked_sub(cases)).filter(|more| *more > 0) {
        Some(more) => format!("; about {more} more would"),
        None => String::new(),
    }
}
