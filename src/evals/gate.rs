//! Gates: what a suite says must hold, held against a run.
//!
//! A gate passes, fails, or has too few cases to tell; the third is an answer of its own with the number of cases that
//! would settle it. A limit with a bound (`min` with `bound: lower`) asks that the limit holds with one-sided 95 %
//! confidence. A gate that compares asks for non-inferiority, case by case and by cluster: passed when the lower one-sided
//! 95 % bound of the difference lies above the margin, failed when the upper one lies below it; or for equivalence, which
//! asks the same on both sides. What it compares with is the blessed run, or in the same run the originals of rewritings.
//! A figure that the rows do not give is never a pass, and neither are rewritings without originals.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibration;
use super::case::EvalCaseId;
use super::compare::{Change, adjusted, change};
use super::exit::Outcome;
use super::folder::Run;
use super::measure::{Figures, Measure, Method};
use super::metrics::{self, Bounds};
use super::missing::Missing;
use super::pairs::{self, Both, Pairs};
use super::report::words::{brief, count, number, signed};
use super::row::Row;
use super::stats::bootstrap::DRAWS;
use super::stats::inferiority::{Claim, Judgement, judge, judge_all};
use super::stats::interval::times_needed;
use super::stats::multiple::{benjamini_hochberg, holm};
use super::stats::{FEW_CLUSTERS, Level, Uncertain};
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
    /// Against the baseline or the originals, where it is compared with them.
    pub change: Option<Change>,
    /// Against the originals: what became of single pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairs: Option<Pairs>,
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
            (None, None, _) => match claim(gate) {
                Claim::NoWorse(0.0) => format!("no worse than {}", other(gate)),
                Claim::NoWorse(margin) => format!("no worse than {} by more than {}", other(gate), brief(margin)),
                Claim::Equivalent(margin) => format!("within {} of {}", brief(margin), other(gate)),
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

/// What a gate compares with.
fn other(gate: &Gate) -> &'static str {
    match gate.compare {
        Some(Against::Originals) => "the originals",
        Some(Against::Baseline) | None => "the baseline",
    }
}

/// What a gate that compares claims.
fn claim(gate: &Gate) -> Claim {
    match gate.equivalent {
        Some(margin) => Claim::Equivalent(margin),
        None => Claim::NoWorse(gate.non_inferior.unwrap_or(0.0).max(0.0)),
    }
}

/// Holds a run against its suite's gates, and against the blessed run where they compare; one result a gate and slice.
#[must_use]
pub fn hold(run: &Run, figures: &Figures, baseline: Option<&Run>) -> Vec<GateResult> {
    hold_all(&run.record.suite.gates, run, figures, baseline)
}

/// Holds a run against gates that need not be its suite's.
pub(super) fn hold_all(gates: &[Gate], run: &Run, figures: &Figures, baseline: Option<&Run>) -> Vec<GateResult> {
    let suite = &run.record.suite;
    let compares = gates.iter().any(|gate| gate.compare == Some(Against::Baseline));
    let originals = pairs::originals(&run.rows);
    let evidence = Evidence {
        run,
        figures,
        bounds: bounds(gates, run, figures),
        baseline,
        with_baseline: baseline.filter(|_| compares).map(|baseline| Both::of(suite, &baseline.rows, &run.rows)),
        with_originals: Both::of(suite, &originals, &run.rows),
        missing: Missing::of(run),
        gone: baseline.filter(|_| run.record.selection.is_empty()).map_or(0, |baseline| gone(baseline, run)),
    };
    gates.iter().flat_map(|gate| Held { gate, evidence: &evidence }.results()).collect()
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
    worst.max(Missing::of(run).map_or(Outcome::Pass, |missing| missing.outcome))
}

/// Cases of an earlier run that a later one has no row of.
pub(super) fn gone(before: &Run, after: &Run) -> usize {
    let there: BTreeSet<&EvalCaseId> = after.rows.iter().map(|row| &row.case).collect();
    let gone: BTreeSet<&EvalCaseId> =
        before.rows.iter().map(|row| &row.case).filter(|case| !there.contains(case)).collect();
    gone.len()
}

/// What gates are held against.
struct Evidence<'a> {
    run: &'a Run,
    figures: &'a Figures,
    bounds: Figures,
    baseline: Option<&'a Run>,
    with_baseline: Option<Both<'a>>,
    with_originals: Both<'a>,
    missing: Option<Missing>,
    /// Cases of the baseline that the run lacks although nobody selected others.
    gone: usize,
}

/// A gate with all that it is held against.
struct Held<'a> {
    gate: &'a Gate,
    evidence: &'a Evidence<'a>,
}

impl Held<'_> {
    fn results(&self) -> Vec<GateResult> {
        match self.gate.compare {
            Some(Against::Baseline) => self.against_baseline(),
            Some(Against::Originals) => self.compare(&self.evidence.with_originals),
            None => self.slices().into_iter().map(|slice| self.against_limit(slice)).collect(),
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
        let Evidence { figures, with_originals, baseline, .. } = self.evidence;
        // Slices of originals alone have nothing to be compared with.
        let of_pairs = self.gate.compare == Some(Against::Originals) || metrics::is_agreement(&self.gate.metric);
        let mut known = if of_pairs { with_originals.slices() } else { figures.slices.keys().cloned().collect() };
        if self.gate.compare == Some(Against::Baseline) {
            // A slice that is gone is no slice that passed.
            let slices = |row: &Row| row.slices.iter().map(|(path, word)| format!("{path}={word}")).collect::<Vec<_>>();
            known.extend(baseline.iter().flat_map(|baseline| &baseline.rows).flat_map(slices));
        }
        let found: Vec<_> = known.into_iter().filter(|name| name.starts_with(all_of)).map(Some).collect();
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
        GateResult {
            gate: self.gate.clone(),
            outcome,
            figure: find(self.evidence.figures, slice.as_deref(), &self.gate.metric).cloned(),
            slice,
            bound: None,
            change: None,
            pairs: None,
            need: None,
            why,
        }
    }

    /// A gate that failed; one that may owe it to answers that are missing is as incomplete as the run.
    fn failed(&self, slice: Option<String>, why: String, owed: impl FnOnce(Missing) -> bool) -> GateResult {
        match self.evidence.missing {
            Some(missing) if self.gate.otherwise.is_none() && owed(missing) => {
                let why = format!("{why}, and {} without an answer could change that", count(missing.rows(), "row"));
                self.result(slice, missing.outcome, why)
            }
            _ => self.result(slice, Outcome::Fail, why),
        }
    }

    /// A limit: missed by the figure itself, it failed; missed by the bound alone, there are too few cases to tell.
    fn against_limit(&self, slice: Option<String>) -> GateResult {
        let Some(figure) = find(self.evidence.figures, slice.as_deref(), &self.gate.metric) else {
            let why = format!("no row gives {}", self.gate.metric);
            return self.result(slice, Outcome::Incomplete, why);
        };
        let Some(limit) = Limit::of(self.gate) else {
            return self.result(slice, Outcome::Incomplete, "the gate names no limit".to_owned());
        };
        let over = format!("{} over {}", number(figure.value), count(figure.scored, "case"));
        if !limit.holds(figure.value) {
            let upwards = matches!(limit, Limit::AtLeast(_));
            return self.failed(slice, over, |missing| {
                missing.best(&self.gate.metric, figure, upwards).is_none_or(|best| limit.holds(best))
            });
        }
        let Some(side) = self.gate.bound else {
            return self.result(slice, Outcome::Pass, over);
        };
        if figure.clusters < FEW_CLUSTERS && figure.clusters < figure.scored {
            let why = format!(
                "{over}, but in {} only: too few to tell how alike their cases are",
                count(figure.clusters, "cluster")
            );
            return self.result(slice, Outcome::Inconclusive, why);
        }
        let bounded = find(&self.evidence.bounds, slice.as_deref(), &self.gate.metric);
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
        let more = if need.is_none() {
            "; no number of cases is in sight that would do".to_owned()
        } else {
            more(need, figure.scored)
        };
        let why = format!("{over}, but its {word} bound is {}{more}", number(bound));
        GateResult { bound: Some(bound), need, ..self.result(slice, Outcome::Inconclusive, why) }
    }

    fn against_baseline(&self) -> Vec<GateResult> {
        let Evidence { run, baseline, with_baseline, .. } = self.evidence;
        let missing = |why: &str| {
            let slices = self.slices().into_iter();
            slices.map(|slice| self.result(slice, Outcome::Incomplete, why.to_owned())).collect()
        };
        let (Some(baseline), Some(both)) = (baseline, with_baseline) else {
            return missing("there is no baseline yet; `vireille eval bless` writes one");
        };
        let others = calibration::others(&baseline.record.judges, &run.record.judges);
        if let Some(other) = others.iter().find(|judging| judging.reaches(&self.gate.metric)) {
            return missing(&format!(
                "the judge of {} is another one than that of the baseline, which has to be blessed anew",
                other.metric
            ));
        }
        self.compare(both)
    }

    fn compare(&self, both: &Both<'_>) -> Vec<GateResult> {
        let metric = &self.gate.metric;
        let found: Vec<_> = self
            .slices()
            .into_iter()
            .map(|slice| {
                // The run behaves as the blessed one did: whatever other cases would show, they would show of both, and
                // there is nothing to be sure of by drawing. Rewritings are as many as somebody wrote; of others than
                // these nothing is known.
                let same = self.gate.compare == Some(Against::Baseline) && both.same(metric, slice.as_deref());
                let draws = if same { 0 } else { DRAWS };
                let found = both.difference(metric, slice.as_deref(), draws);
                (slice, same, found)
            })
            .collect();
        let looks = found
            .iter()
            .filter_map(|(slice, same, found)| Some((change(metric, slice.as_deref(), found.as_ref()?), *same)));
        let mut changes = adjusted(looks.collect(), self.adjust()).into_iter();
        let mut judgements = self.judge(found.iter().filter_map(|(_, _, found)| found.as_ref())).into_iter();
        let results = found.into_iter().map(|(slice, same, found)| {
            let judged = found.and_then(|found| Some((found, changes.next()?, judgements.next()?)));
            self.compared(both, slice, same, judged)
        });
        results.collect()
    }

    fn judge<'g>(&self, found: impl Iterator<Item = &'g metrics::Change>) -> Vec<Judgement> {
        let gains: Vec<&dyn Uncertain> = found.map(|found| &found.gain as &dyn Uncertain).collect();
        let (claim, level) = (claim(self.gate), Level::ONE_SIDED_95);
        match self.gate.adjust {
            Some(_) => judge_all(&gains, claim, level, self.adjust()),
            None => gains.into_iter().map(|gain| judge(gain, claim, level)).collect(),
        }
    }

    /// How p-values of several slices are raised.
    fn adjust(&self) -> fn(&[f64]) -> Vec<f64> {
        match self.gate.adjust {
            Some(Adjust::Holm) => holm,
            Some(Adjust::Bh) => benjamini_hochberg,
            None => <[f64]>::to_vec,
        }
    }

    fn compared(
        &self,
        both: &Both<'_>,
        slice: Option<String>,
        same: bool,
        judged: Option<(metrics::Change, Change, Judgement)>,
    ) -> GateResult {
        let metric = &self.gate.metric;
        let within = self.gate.compare == Some(Against::Originals);
        let Some((found, mut change, judgement)) = judged else {
            let nobody = if within { "no rewriting with its original in this run" } else { "no case in both runs" };
            return self.result(slice, Outcome::Incomplete, format!("{metric} cannot be compared: {nobody} gives it"));
        };
        change.margin = Some(claim(self.gate).margin());
        let pairs = within.then(|| both.pairs(metric, slice.as_deref(), &found));
        let cases = count(change.cases, if within { "pair" } else { "case" });
        let over = match &pairs {
            None => format!("{} over {cases}", signed(change.difference)),
            Some(pairs) => format!("{} over {cases}{}", signed(change.difference), flips(pairs)),
        };
        let result = match judgement {
            // What is gone cannot be seen to be worse.
            Judgement::Pass | Judgement::Inconclusive { .. } if !within && self.evidence.gone > 0 => {
                let gone = count(self.evidence.gone, "case");
                let why = format!(
                    "{over}, but the run lacks {gone} of the baseline; where these were dropped on purpose, bless anew"
                );
                self.result(slice, Outcome::Incomplete, why)
            }
            _ if same => self.result(slice, Outcome::Pass, format!("the same in each of {cases}")),
            Judgement::Pass => self.result(slice, Outcome::Pass, over),
            Judgement::Fail => {
                let why = format!("{over}: surely {} than allowed", farther(self.gate));
                // An original that is missing takes all its rewritings along.
                self.failed(slice, why, |missing| within || missing.could_mend(&found, claim(self.gate)))
            }
            Judgement::Inconclusive { need } => {
                let why = format!("{over}: too few to tell{}", more(need, change.cases));
                GateResult { need, ..self.result(slice, Outcome::Inconclusive, why) }
            }
        };
        GateResult { change: Some(change), pairs, ..result }
    }
}

/// How many pairs went which way, in brackets.
fn flips(pairs: &Pairs) -> String {
    let Pairs { harmful, beneficial, otherwise, agree, of, mcnemar } = pairs;
    let mut words = vec![format!("{} worse, {} better", harmful.len(), beneficial.len())];
    if !otherwise.is_empty() {
        words.push(format!("{} otherwise", otherwise.len()));
    }
    if let Some(agree) = agree {
        words.push(format!("the same answer in {agree} of {of}"));
    }
    if let Some(p) = mcnemar {
        words.push(if *p < 0.001 { "McNemar p < 0.001".to_owned() } else { format!("McNemar p = {p:.3}") });
    }
    format!(" ({})", words.join("; "))
}

/// What is wrong with a difference that fails.
fn farther(gate: &Gate) -> &'static str {
    if gate.equivalent.is_some() { "farther" } else { "worse" }
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

    /// As many cases in all bring the bound to the limit, if the figure stays what it is. An exact bound is asked itself;
    /// any other comes nearer with the root of their number. None where the figure sits on the limit, and beyond
    /// a million.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
    fn cases_needed(self, figure: &Measure, bound: f64) -> Option<usize> {
        const MOST: f64 = 1e6;
        let level = Level::ONE_SIDED_95;
        let exact = matches!(figure.method, Method::Wilson | Method::ClopperPearson);
        let times = match self {
            Self::AtLeast(limit) if exact => times_needed(figure.value, bound, limit, level)?,
            Self::AtMost(limit) if exact => times_needed(1.0 - figure.value, 1.0 - bound, 1.0 - limit, level)?,
            Self::AtLeast(limit) | Self::AtMost(limit) => ((figure.value - bound) / (figure.value - limit)).powi(2),
        };
        let needed = (figure.scored as f64 * times).ceil();
        (needed.is_finite() && needed <= MOST).then_some(needed as usize)
    }
}

/// How many more cases would settle it, as the end of a sentence.
fn more(need: Option<usize>, cases: usize) -> String {
    match need.and_then(|need| need.checked_sub(cases)).filter(|more| *more > 0) {
        Some(more) => format!("; about {more} more would"),
        None => String::new(),
    }
}
