//! Two runs over the same cases, held against each other case by case.
//!
//! Only what both runs answered is compared, by the id of the case; what one of them alone has is listed. A flip is a
//! case that was answered as asked in one run and not in the other: harmful where it was right before. A difference is
//! told as seen only after allowing for how many were looked at: Holm's step-down over the figures that are judged,
//! Benjamini and Hochberg's over all others and over slices. No case text: ids, metrics and numbers.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calibration::{self, Judging};
use super::exit::Outcome;
use super::folder::{Hashes, Run, RunRecord};
use super::gate::{self, GateResult};
use super::measure::{Better, Figures};
use super::metrics::{self, Bounds};
use super::missing::Missing;
use super::pairs::Both;
use super::report::words::count;
use super::row::{Row, Status};
use super::stats::bootstrap::{self, DRAWS};
use super::stats::multiple::{benjamini_hochberg, holm};
use super::stats::paired::{Pair, sign_flip};
use super::stats::{Level, Uncertain as _, mcnemar};
use super::suite::{Against, Gate};

/// p-values above this show nothing.
const SIGNIFICANT: f64 = 0.05;

/// How much worse a run may be where its suite has no gate that says it.
pub const MARGIN: f64 = 0.02;

/// The figure that is judged where the suite has no gate that compares: cases answered as asked.
pub const AS_ASKED: &str = "ok";

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// What it is called: where it was read from, or `the baseline`.
    pub name: String,
    /// Which model; none: the offline engine alone.
    pub model: Option<String>,
    /// What its answers depend on.
    pub hashes: Hashes,
    /// Cases that it has.
    pub cases: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The suite.
    pub suite: String,
    /// What was there.
    pub before: Side,
    /// What is there now.
    pub after: Side,
    /// No worse, worse, or too few cases to tell.
    pub outcome: Outcome,
    /// Why: a sentence.
    pub why: String,
    /// What was judged.
    pub gates: Vec<GateResult>,
    /// Cases that both have.
    pub paired: usize,
    /// What makes the two harder to compare.
    pub notes: Vec<String>,
    /// Figures of everything.
    pub changes: Vec<Change>,
    /// Figures by slice.
    pub slices: Vec<Change>,
    /// Cases that were right and are wrong.
    pub harmful: Vec<Flip>,
    /// Cases that were wrong and are right.
    pub beneficial: Vec<Flip>,
    /// How likely as many flips each way are by chance.
    pub chance: Chance,
    /// Cases answered before and not now.
    pub lost: Vec<String>,
    /// Cases that are only there before.
    pub only_before: Vec<String>,
    /// Cases that are only there now.
    pub only_after: Vec<String>,
}

/// How likely as many flips each way are where nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Chance {
    /// How it was found.
    pub test: FlipTest,
    /// Two-sided p-value.
    pub p: f64,
    /// The less strict mid-p value, of McNemar's test alone.
    pub mid_p: Option<f64>,
}

/// Tests of flips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlipTest {
    /// McNemar's exact test: independent cases, one epoch.
    Mcnemar,
    /// The sums of clusters with their signs at random (Fisher 1935).
    SignFlip,
}

impl Chance {
    /// Over the cases that were graded in both runs, right (1) or wrong (0).
    fn of(pairs: &[Pair<'_>], once: bool, seed: u64) -> Self {
        let count = |is: fn(&Pair<'_>) -> bool| pairs.iter().filter(|pair| is(pair)).count();
        let clusters: BTreeSet<&str> = pairs.iter().map(|pair| pair.cluster).collect();
        if once && clusters.len() == pairs.len() {
            let (harmed, healed) = (count(|pair| pair.b < pair.a), count(|pair| pair.b > pair.a));
            let (p, mid_p) = (mcnemar::exact(harmed, healed), Some(mcnemar::mid_p(harmed, healed)));
            return Self { test: FlipTest::Mcnemar, p, mid_p };
        }
        Self { test: FlipTest::SignFlip, p: sign_flip(pairs, seed, DRAWS), mid_p: None }
    }

    /// It, as a sentence.
    #[must_use]
    pub fn says(&self) -> String {
        let p = |p: f64| if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
        match (self.test, self.mid_p) {
            (FlipTest::Mcnemar, Some(mid_p)) => {
                format!("As many flips each way by chance: {} (McNemar, exact; mid-{})", p(self.p), p(mid_p))
            }
            (FlipTest::Mcnemar, None) => format!("As many flips each way by chance: {} (McNemar, exact)", p(self.p)),
            (FlipTest::SignFlip, _) => format!("As many flips each way by chance: {} (signs of clusters)", p(self.p)),
        }
    }
}

impl Comparison {
    /// Whether any case changed sides.
    #[must_use]
    pub const fn flipped(&self) -> bool {
        !(self.harmful.is_empty() && self.beneficial.is_empty())
    }
}

/// A case that changed sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flip {
    /// Its id.
    pub case: String,
    /// What it depends on other cases by.
    pub cluster: String,
    /// The metrics that changed sides with it.
    pub metrics: Vec<String>,
}

/// How a figure changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The figure.
    pub metric: String,
    /// In which slice; none: everything.
    pub slice: Option<String>,
    /// Which way is better.
    pub better: Better,
    /// Before.
    pub before: f64,
    /// After.
    pub after: f64,
    /// After less before, on the cases that both have.
    pub difference: f64,
    /// Lower 95 % bound of the difference.
    pub low: Option<f64>,
    /// Upper 95 % bound.
    pub high: Option<f64>,
    /// Cases that both have and that give the figure.
    pub cases: usize,
    /// Two-sided p-value of no difference, adjusted for the number of figures that were looked at; of a gate, for the
    /// number of its slices, where it says how.
    pub p: Option<f64>,
    /// The same of this figure alone.
    #[serde(skip)]
    pub(super) alone: Option<f64>,
    /// How much worse it may be, where a gate says so.
    pub margin: Option<f64>,
    /// What can be seen.
    pub seen: Seen,
}

/// What can be seen of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// Nothing changed in any case.
    Same,
    /// The difference may be chance.
    Unclear,
}

impl Seen {
    /// One word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same",
            Self::Unclear => "unclear",
        }
    }
}

impl Change {
    /// The figure, and the slice where there is one.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.slice {
            Some(slice) => format!("{} in {slice}", self.metric),
            None => self.metric.clone(),
        }
    }

    /// Whether a difference was seen.
    #[must_use]
    pub const fn tells(&self) -> bool {
        matches!(self.seen, Seen::Better | Seen::Worse)
    }

    /// Whether it is one of the few to look at first: what is judged, and what was seen to differ.
    #[must_use]
    pub const fn leads(&self) -> bool {
        self.margin.is_some() || self.tells()
    }

    /// Whether all of it lies between −1 and 1, as shares do.
    #[must_use]
    pub fn is_share(&self) -> bool {
        [Some(self.before), Some(self.after), self.low, self.high].into_iter().flatten().all(|value| value.abs() <= 1.0)
    }

    /// Whether it was nought and is.
    fn is_nought(&self) -> bool {
        [self.before, self.after].iter().all(|value| value.abs() < f64::EPSILON)
    }

    /// What was seen, in words.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (self.seen, self.p) {
            (Seen::Same, _) => "the same in every case".to_owned(),
            (seen @ (Seen::Better | Seen::Worse), Some(p)) if p < 0.001 => format!("{}, p < 0.001", seen.as_str()),
            (seen @ (Seen::Better | Seen::Worse), Some(p)) => format!("{}, p = {p:.3}", seen.as_str()),
            (seen @ (Seen::Better | Seen::Worse), None) => seen.as_str().to_owned(),
            (Seen::Unclear, Some(_)) => "may be chance".to_owned(),
            (Seen::Unclear, None) => "not judged".to_owned(),
        }
    }
}

/// A run against the blessed one; `gates` are those of its suite, already held.
#[must_use]
pub fn with_baseline(baseline: &Run, run: &Run, figures: &Figures, gates: &[GateResult]) -> Comparison {
    let before = Named { name: "the baseline", run: baseline };
    let after = Named { name: "this run", run };
    let held: Vec<GateResult> = gates.iter().filter(|result| against_baseline(&result.gate)).cloned().collect();
    let held = if held.is_empty() { gate::hold_all(&[as_asked(MARGIN)], run, figures, Some(baseline)) } else { held };
    // Figures that nobody judges and that only a bootstrap could bound are shown without bounds: a report must be quick.
    comparison(before, after, figures, held, 0)
}

/// Two runs. What is judged is `asked`; where that is empty, the gates of the later run's suite that compare; where it
/// has none, that cases answered as asked fall by no more than [`MARGIN`].
#[must_use]
pub fn runs(before: Named<'_>, after: Named<'_>, asked: Vec<Gate>) -> Comparison {
    let suite = &after.run.record.suite;
    let figures = metrics::of_run(&after.run.record, &after.run.rows, Bounds::SHOWN.quick());
    let mut gates = asked;
    if gates.is_empty() {
        gates.extend(suite.gates.iter().filter(|gate| against_baseline(gate)).cloned());
    }
    if gates.is_empty() {
        gates.push(as_asked(MARGIN));
    }
    let held = gate::hold_all(&gates, after.run, &figures, Some(before.run));
    comparison(before, after, &figures, held, DRAWS)
}

/// Whether a gate compares with an earlier run; what compares within one run says nothing of a change.
fn against_baseline(gate: &Gate) -> bool {
    gate.compare == Some(Against::Baseline)
}

/// A run and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The run.
    pub run: &'a Run,
}

/// The gate that a figure is no worse than before by more than a margin.
#[must_use]
pub fn no_worse(metric: &str, margin: f64) -> Gate {
    Gate {
        metric: metric.to_owned(),
        slice: None,
        min: None,
        max: None,
        bound: None,
        compare: Some(Against::Baseline),
        non_inferior: Some(margin),
        equivalent: None,
        adjust: None,
        otherwise: None,
        reason: None,
    }
}

/// The gate that a figure is what it was, within a margin either way.
#[must_use]
pub fn the_same(metric: &str, margin: f64) -> Gate {
    Gate { non_inferior: None, equivalent: Some(margin), ..no_worse(metric, margin) }
}

/// The gate where nobody wrote one.
#[must_use]
pub fn as_asked(margin: f64) -> Gate {
    no_worse(AS_ASKED, margin)
}

fn comparison(
    before: Named<'_>,
    after: Named<'_>,
    figures: &Figures,
    gates: Vec<GateResult>,
    draws: usize,
) -> Comparison {
    let (was, is) = (by_case(&before.run.rows), by_case(&after.run.rows));
    let missing = |here: &ByCase<'_>, there: &ByCase<'_>| {
        here.keys().filter(|case| !there.contains_key(*case)).map(|case| (*case).to_owned()).collect::<Vec<_>>()
    };
    let both = || was.iter().filter_map(|(case, rows)| Some((*case, rows, is.get(case)?)));
    let (harmful, beneficial) = (flips(both(), true), flips(both(), false));
    let lost = both().filter(|(_, was, is)| right(was).is_some() && right(is).is_none());
    let others = calibration::others(&before.run.record.judges, &after.run.record.judges);
    let both_runs = Both::of(&after.run.record.suite, &before.run.rows, &after.run.rows);
    let looks = Looks { both: both_runs, gates: &gates, others: &others, draws };
    let (changes, slices) = (looks.overall(figures), looks.in_slices(figures));
    // What could be compared may be fine because the rest is missing.
    let missing_rows = Missing::of(after.run);
    let outcome = gate::outcome(after.run, &gates);
    let graded = both().filter_map(|(_, was, is)| {
        let one = |right: bool| f64::from(u8::from(right));
        let (a, b) = (one(right(was)?), one(right(is)?));
        Some(Pair { a, b, cluster: is.first().map(|row| row.cluster.as_str())? })
    });
    let graded: Vec<Pair<'_>> = graded.collect();
    let once = [before, after].iter().all(|side| side.run.record.epochs == 1);
    let seed = bootstrap::seed(&[&after.run.record.suite.suite, "flips"]);
    Comparison {
        suite: after.run.record.suite.suite.clone(),
        before: side(before, was.len()),
        after: side(after, is.len()),
        outcome,
        why: why(&gates, outcome, missing_rows),
        gates,
        paired: both().count(),
        notes: notes(before.run, after.run, &others),
        changes,
        slices,
        chance: Chance::of(&graded, once, seed),
        harmful,
        beneficial,
        lost: lost.map(|(case, ..)| case.to_owned()).collect(),
        only_before: missing(&was, &is),
        only_after: missing(&is, &was),
    }
}

fn side(named: Named<'_>, cases: usize) -> Side {
    let RunRecord { model, hashes, .. } = &named.run.record;
    Side { name: named.name.to_owned(), model: model.clone(), hashes: hashes.clone(), cases }
}

/// What decided it.
fn why(gates: &[GateResult], outcome: Outcome, missing: Option<Missing>) -> String {
    let lacks = missing
        .filter(|missing| missing.outcome == outcome)
        .map(|missing| format!("the run is not complete: {}", missing.says()));
    let deciding: Vec<String> = gates
        .iter()
        .filter(|result| result.outcome == outcome)
        .map(|result| format!("{}: {}", result.title(), result.why))
        .chain(lacks)
        .collect();
    match (outcome, deciding.as_slice()) {
        (Outcome::Pass, [one]) => format!("{one}."),
        (Outcome::Pass, several) => {
            format!("Nothing that is judged is worse than allowed ({} looked at).", several.len())
        }
        (_, several) => format!("{}.", several.join("; ")),
    }
}

/// What makes two runs harder to compare, or is what was changed between them.
fn notes(before: &Run, after: &Run, others: &[Judging]) -> Vec<String> {
    let gone = gate::gone(before, after);
    let (before, after) = (&before.record, &after.record);
    let (was, is) = (&before.hashes, &after.hashes);
    let other = |judging: &Judging| {
        let Judging { metric, fails, .. } = judging;
        let cases = if *fails { ", and what it failed makes flips that no answer made" } else { "" };
        format!("The judge of `{metric}` is another one: its figures are not compared{cases}.")
    };
    let mut notes: Vec<String> = others.iter().map(other).collect();
    for (differs, note) in [
        (was.dataset != is.dataset, "The dataset is another one: a case of the same id may ask something else."),
        (was.suite != is.suite, "The suite's file is another one."),
        (before.epochs != after.epochs, "The runs have different numbers of repetitions."),
        (was.prompts != is.prompts, "The prompts are others."),
        (was.packs != is.packs, "The packs and policies are others."),
        (before.model != after.model, "The model is another one."),
    ] {
        if differs {
            notes.push(note.to_owned());
        }
    }
    if gone > 0 && !after.selection.is_empty() {
        let gone = count(gone, "case");
        notes.push(format!(
            "The later run was selected by hand and lacks {gone} of the earlier one: nothing is said of these."
        ));
    }
    notes
}

type ByCase<'a> = BTreeMap<&'a str, Vec<&'a Row>>;

fn by_case(rows: &[Row]) -> ByCase<'_> {
    let mut cases = ByCase::new();
    for row in rows.iter().filter(|row| row.status != Status::Skipped) {
        cases.entry(row.case.as_str()).or_default().push(row);
    }
    cases
}

/// Whether more than half of a case's graded repetitions are as asked; none where nothing was graded.
fn right(rows: &[&Row]) -> Option<bool> {
    mostly(rows.iter().filter_map(|row| match row.status {
        Status::Ok => Some(true),
        Status::Failed => Some(false),
        Status::Error | Status::Ungraded | Status::Skipped => None,
    }))
}

fn mostly(answers: impl Iterator<Item = bool>) -> Option<bool> {
    let (yes, no) = answers.fold((0, 0), |(yes, no), answer| if answer { (yes + 1, no) } else { (yes, no + 1) });
    (yes + no > 0).then_some(yes > no)
}

fn flips<'a, 'b: 'a>(
    cases: impl Iterator<Item = (&'b str, &'a Vec<&'b Row>, &'a Vec<&'b Row>)>,
    harmful: bool,
) -> Vec<Flip> {
    cases
        .filter(|(_, was, is)| right(was) == Some(harmful) && right(is) == Some(!harmful))
        .map(|(case, was, is)| {
            let metrics: BTreeSet<&String> = is.iter().flat_map(|row| row.scores.keys()).collect();
            let holds = |rows: &[&Row], metric: &str| {
                mostly(rows.iter().filter_map(|row| row.scores.get(metric).and_then(|scored| scored.pass)))
            };
            let flipped = metrics
                .into_iter()
                .filter(|metric| holds(was, metric) == Some(harmful) && holds(is, metric) == Some(!harmful));
            Flip {
                case: case.to_owned(),
                cluster: is.first().map(|row| row.cluster.clone()).unwrap_or_default(),
                metrics: flipped.cloned().collect(),
            }
        })
        .collect()
}

/// What is looked at.
struct Looks<'a> {
    both: Both<'a>,
    gates: &'a [GateResult],
    /// Judges that are others in one run than in the other.
    others: &'a [Judging],
    draws: usize,
}

/// A look: how a figure changed, and whether both runs saw the same in every case.
pub(super) type Look = (Change, bool);

impl Looks<'_> {
    /// The figures of everything that both runs give: first those that are judged, then the others, each lot adjusted
    /// for how many it is. Figures of single classes stand in the confusion matrix; those that are nought in both runs
    /// tell nothing.
    fn overall(&self, figures: &Figures) -> Vec<Change> {
        let judged: BTreeSet<&str> = self.gates.iter().map(|result| result.gate.metric.as_str()).collect();
        let names = figures.all.keys().map(String::as_str);
        let others = names.filter(|name| !name.contains('[') && !judged.contains(name));
        let others = others.filter_map(|name| self.look(name, None)).filter(|(change, _)| !change.is_nought());
        let judged = judged.iter().filter_map(|name| self.look(name, None)).collect();
        [adjusted(judged, holm), adjusted(others.collect(), benjamini_hochberg)].concat()
    }

    /// The gated figures in each slice.
    fn in_slices(&self, figures: &Figures) -> Vec<Change> {
        let gated: BTreeSet<&str> = self.gates.iter().map(|result| result.gate.metric.as_str()).collect();
        let looks = figures.slices.keys().flat_map(|slice| gated.iter().map(move |name| (slice, *name)));
        adjusted(looks.filter_map(|(slice, name)| self.look(name, Some(slice))).collect(), benjamini_hochberg)
    }

    fn look(&self, name: &str, slice: Option<&str>) -> Option<Look> {
        if self.others.iter().any(|judging| judging.reaches(name)) {
            return None;
        }
        let held = self.gates.iter().find(|result| result.gate.metric == name && result.slice.as_deref() == slice);
        let change = match held.and_then(|result| result.change.clone()) {
            Some(change) => change,
            None => change(name, slice, &self.both.difference(name, slice, self.draws)?),
        };
        Some((change, self.both.same(name, slice)))
    }
}

/// Says what can be seen, after allowing for the number of looks.
pub(super) fn adjusted(found: Vec<Look>, adjust: fn(&[f64]) -> Vec<f64>) -> Vec<Change> {
    let p_values: Vec<f64> = found.iter().map(|(change, _)| change.alone.unwrap_or(1.0)).collect();
    let told = found.into_iter().zip(adjust(&p_values)).map(|((mut change, same), p)| {
        change.p = change.alone.map(|_| p);
        let better = (change.difference > 0.0) == (change.better == Better::Higher);
        change.seen = match (same, p <= SIGNIFICANT, better) {
            (true, ..) => Seen::Same,
            (false, false, _) => Seen::Unclear,
            (false, true, true) => Seen::Better,
            (false, true, false) => Seen::Worse,
        };
        change
    });
    told.collect()
}

/// How a figure changed; what can be seen of it is said only after all of them are known.
pub(super) fn change(metric: &str, slice: Option<&str>, found: &metrics::Change) -> Change {
    let bounds = found.interval(Level::TWO_SIDED_95);
    let sides = found.gain.p_above(0.0).zip(found.gain.p_below(0.0));
    let alone = sides.map(|(above, below)| (2.0 * above.min(below)).min(1.0));
    Change {
        metric: metric.to_owned(),
        slice: slice.map(str::to_owned),
        better: found.better,
        before: found.a,
        after: found.b,
        difference: found.difference(),
        low: bounds.map(|bounds| bounds.low),
        high: bounds.map(|bounds| bounds.high),
        cases: found.gain.cases(),
        p: alone,
        alone,
        margin: None,
        seen: Seen::Unclear,
    }
}
