//! One self-contained page about runs: gates, flips, confusions, calibration, cost against quality, slices, the slowest
//! and the failed cases. It needs no server, no script and no network, follows the light or dark of the reader's
//! screen, and has a table beside every chart.
//!
//! What is in the page is decided here; `page.html` only lays it out, and escapes whatever it is given. Its looks stand in
//! one `<style>` and in no attribute, so that a server may allow that one text by its hash and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::charts::{Axis, Tick, points, roof};
use super::words::{brief, cases, count, interval, number, percent, signed, signed_interval, ways};
use super::{Report, Unrenderable, junit};
use crate::evals::compare::{AS_ASKED, Change, Comparison, Flip};
use crate::evals::gate::GateResult;
use crate::evals::measure::{Better, Figures, Measure, Measures};
use crate::evals::metrics::{self, Bin};
use crate::evals::row::{Row, Status, predicted};
use crate::evals::suite::Assertion;

/// Cases of one kind that are listed; the rest are counted.
const MOST_CASES: usize = 100;

/// The slowest cases that are listed.
const SLOWEST: usize = 10;

/// Figures in a table of slices.
const SLICE_FIGURES: usize = 5;

/// Steps of a curve that are drawn.
const DRAWN_STEPS: usize = 200;

/// Steps of a curve that are listed.
const LISTED_STEPS: usize = 10;

/// Characters of an answer that are shown.
const LONGEST_ANSWER: usize = 2_000;

/// Whether the page shows what was answered in failed cases, as far as the rows keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// It stays where the rows are.
    Hidden,
    /// For the eyes of who may read the cases.
    Shown,
}

#[derive(Serialize)]
struct Page {
    title: String,
    subtitle: String,
    scatter: Option<Scatter>,
    runs: Vec<RunView>,
    footer: String,
}

#[derive(Serialize)]
struct RunView {
    id: String,
    title: String,
    description: String,
    outcome: &'static str,
    quality: String,
    cost: String,
    latency: String,
    counts: Vec<Part>,
    counts_say: String,
    gates: Vec<GateView>,
    comparison: Option<ComparisonView>,
    matrices: Vec<MatrixView>,
    calibrations: Vec<CalibrationView>,
    figures: Vec<Group>,
    slices: Vec<SliceView>,
    lists: Vec<CaseList>,
    facts: Vec<(&'static str, String, bool)>,
}

#[derive(Serialize)]
struct Part {
    class: &'static str,
    n: usize,
    says: &'static str,
}

#[derive(Serialize)]
struct GateView {
    title: String,
    reason: Option<String>,
    outcome: &'static str,
    figure: String,
    interval: String,
    bar: Option<Bar>,
    why: String,
    flips: Vec<IdList>,
}

/// An interval between nought and one.
#[derive(Serialize)]
struct Bar {
    at: f64,
    low: f64,
    width: f64,
    limit: Option<f64>,
    says: String,
}

/// A difference with its bounds, and the margin that it is judged by.
#[derive(Serialize)]
struct Forest {
    at: f64,
    zero: f64,
    low: Option<f64>,
    high: Option<f64>,
    margin: Option<f64>,
    says: String,
}

#[derive(Serialize)]
struct ComparisonView {
    before: String,
    outcome: &'static str,
    why: String,
    paired: usize,
    notes: Vec<String>,
    changes: Vec<ChangeView>,
    others: Vec<ChangeView>,
    slices: Vec<ChangeView>,
    harmful: Vec<FlipView>,
    harmful_total: usize,
    beneficial: Vec<FlipView>,
    beneficial_total: usize,
    chance: Option<String>,
    lists: Vec<IdList>,
}

#[derive(Serialize)]
struct ChangeView {
    title: String,
    before: String,
    after: String,
    difference: String,
    interval: String,
    plot: Option<Forest>,
    class: &'static str,
    verdict: String,
}

#[derive(Serialize)]
struct FlipView {
    case: String,
    metrics: String,
}

#[derive(Serialize)]
struct IdList {
    says: &'static str,
    total: usize,
    ids: Vec<String>,
}

#[derive(Serialize)]
struct MatrixView {
    name: String,
    columns: Vec<String>,
    rows: Vec<MatrixRow>,
    heads: Vec<String>,
    classes: Vec<ClassView>,
}

#[derive(Serialize)]
struct MatrixRow {
    label: String,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    n: usize,
    share: usize,
    class: &'static str,
}

#[derive(Serialize)]
struct ClassView {
    label: String,
    figures: Vec<Option<FigureView>>,
}

#[derive(Serialize)]
struct FigureView {
    name: String,
    remark: Option<&'static str>,
    value: String,
    interval: String,
    cases: String,
    bar: Option<Bar>,
}

#[derive(Serialize)]
struct Group {
    name: String,
    figures: Vec<FigureView>,
}

#[derive(Serialize)]
struct SliceView {
    name: String,
    heads: Vec<String>,
    rows: Vec<SliceRow>,
}

#[derive(Serialize)]
struct SliceRow {
    value: String,
    cases: usize,
    figures: Vec<Option<FigureView>>,
}

#[derive(Serialize)]
struct CaseList {
    title: &'static str,
    head: &'static str,
    total: usize,
    rows: Vec<CaseView>,
}

#[derive(Serialize)]
struct CaseView {
    case: String,
    says: String,
    latency: String,
    answer: Option<String>,
}

#[derive(Serialize)]
struct CalibrationView {
    name: String,
    x: Vec<SaidTick>,
    y: Vec<SaidTick>,
    line: String,
    bins: Vec<BinView>,
    cover_x: Vec<SaidTick>,
    cover_y: Vec<SaidTick>,
    cover_line: String,
    cover_point: Option<(f64, f64)>,
    cover_table: Vec<Step>,
    operating: String,
}

#[derive(Serialize)]
struct SaidTick {
    at: f64,
    says: String,
}

impl From<Tick> for SaidTick {
    fn from(Tick { at, value }: Tick) -> Self {
        Self { at, says: brief(value) }
    }
}

#[derive(Serialize)]
struct BinView {
    x: f64,
    y: f64,
    y_low: Option<f64>,
    y_high: Option<f64>,
    confidence: String,
    accuracy: String,
    gap: String,
    n: usize,
}

#[derive(Serialize)]
struct Step {
    coverage: String,
    risk: String,
}

#[derive(Serialize)]
struct Scatter {
    title: &'static str,
    across: &'static str,
    x: Vec<SaidTick>,
    y: Vec<SaidTick>,
    points: Vec<PointView>,
}

#[derive(Serialize)]
struct PointView {
    mark: String,
    name: String,
    x: f64,
    y: f64,
    low: Option<f64>,
    high: Option<f64>,
    x_says: String,
    y_says: String,
}

/// The page about these runs.
///
/// # Errors
/// What the template's engine says; none is known.
pub fn render(reports: &[Report], answers: Answers) -> Result<String, Unrenderable> {
    let mut environment = Environment::new();
    environment.add_template("page.html", include_str!("page.html"))?;
    Ok(environment.get_template("page.html")?.render(Serde(page(reports, answers)))?)
}

fn page(reports: &[Report], answers: Answers) -> Page {
    let suites: BTreeSet<&str> = reports.iter().map(|report| report.record.suite.suite.as_str()).collect();
    let first = reports.first().map(|report| &report.record);
    let title = match reports {
        [one] => format!("Evaluation {}: {}", one.title(), one.outcome.as_str()),
        _ => format!("Evaluation {}", suites.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Page {
        title,
        subtitle: first
            .map(|record| format!("begun {}", record.started.strftime("%Y-%m-%d %H:%M UTC")))
            .unwrap_or_default(),
        scatter: scatter(reports),
        runs: reports.iter().enumerate().map(|(number, report)| run(number, report, answers)).collect(),
        footer: first.map(|record| format!("vireille {}", record.program)).unwrap_or_default(),
    }
}

fn run(place: usize, report: &Report, answers: Answers) -> RunView {
    let figures = &report.figures;
    let counts = parts(report);
    let counts_say = counts.iter().map(|part| format!("{} {}", part.n, part.says)).collect::<Vec<_>>().join(", ");
    RunView {
        id: format!("run-{}", place + 1),
        title: report.title(),
        description: report.record.suite.description.clone(),
        outcome: report.outcome.as_str(),
        quality: quality(&report.figures).map(|ok| number(ok.value)).unwrap_or_default(),
        cost: named(figures, "cost_per_case").map(|value| format!("{} €", number(value))).unwrap_or_default(),
        latency: named(figures, "latency_ms.p50").map(|value| format!("{} ms", number(value))).unwrap_or_default(),
        counts,
        counts_say,
        gates: report.gates.iter().map(gate).collect(),
        comparison: report.comparison.as_ref().map(comparison),
        matrices: figures.matrices.iter().map(|(name, matrix)| matrix_view(name, matrix, &figures.all)).collect(),
        calibrations: calibrations(report),
        figures: groups(report),
        slices: slices(report),
        lists: lists(report, answers),
        facts: facts(report),
    }
}

fn named(figures: &Figures, name: &str) -> Option<f64> {
    figures.all.get(name).map(|measure| measure.value)
}

fn parts(report: &Report) -> Vec<Part> {
    let counts = &report.counts;
    let parts = [
        ("ok", counts.ok, "as asked"),
        ("failed", counts.failed, "failed"),
        ("error", counts.error, "without an answer"),
        ("ungraded", counts.ungraded, "without a grade"),
        ("skipped", counts.skipped, "left out"),
        ("missing", counts.selected.saturating_sub(counts.rows), "missing"),
    ];
    parts.into_iter().filter(|(_, n, _)| *n > 0).map(|(class, n, says)| Part { class, n, says }).collect()
}

fn gate(gate: &GateResult) -> GateView {
    let (figure, bounds, bar) = match (&gate.change, &gate.figure) {
        (Some(change), _) => (signed(change.difference), signed_interval(change.low, change.high), None),
        (None, Some(figure)) => {
            (number(figure.value), interval(figure.low, figure.high), bar(figure, gate.gate.min.or(gate.gate.max)))
        }
        (None, None) => Default::default(),
    };
    GateView {
        title: gate.title(),
        reason: gate.gate.reason.clone(),
        outcome: gate.word(),
        figure,
        interval: bounds,
        bar,
        why: gate.why.clone(),
        flips: gate
            .pairs
            .iter()
            .flat_map(ways)
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(says, ids)| id_list(says, ids))
            .collect(),
    }
}

/// Only what lies between nought and one has a bar: other figures have no common scale.
fn bar(measure: &Measure, limit: Option<f64>) -> Option<Bar> {
    let (low, high) = (measure.low?, measure.high?);
    if ![low, measure.value, high].iter().all(|value| (0.0..=1.0).contains(value)) {
        return None;
    }
    let axis = Axis { from: 0.0, to: 1.0, start: 2.0, end: 126.0 };
    Some(Bar {
        at: axis.at(measure.value),
        low: axis.at(low),
        width: axis.at(high) - axis.at(low),
        limit: limit.map(|limit| axis.at(limit)),
        says: format!("{} between 0 and 1", number(measure.value)),
    })
}

fn comparison(comparison: &Comparison) -> ComparisonView {
    let flips = |flips: &[Flip]| flips.iter().take(MOST_CASES).map(flip).collect();
    let lists = [
        ("Answered before and not now", &comparison.lost),
        ("Only before", &comparison.only_before),
        ("Only now", &comparison.only_after),
    ];
    let (leading, others): (Vec<&Change>, Vec<_>) = comparison.changes.iter().partition(|change| change.leads());
    let told: Vec<&Change> = comparison.slices.iter().filter(|change| change.tells()).collect();
    ComparisonView {
        before: comparison.before.name.clone(),
        outcome: comparison.outcome.as_str(),
        why: comparison.why.clone(),
        paired: comparison.paired,
        notes: comparison.notes.clone(),
        changes: changes(&leading),
        others: changes(&others),
        slices: changes(&told),
        harmful: flips(&comparison.harmful),
        harmful_total: comparison.harmful.len(),
        beneficial: flips(&comparison.beneficial),
        beneficial_total: comparison.beneficial.len(),
        chance: comparison.flipped().then(|| comparison.chance.says()),
        lists: lists.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(says, ids)| id_list(says, ids)).collect(),
    }
}

fn id_list(says: &'static str, ids: &[String]) -> IdList {
    IdList { says, total: ids.len(), ids: ids.iter().take(MOST_CASES).cloned().collect() }
}

fn flip(flip: &Flip) -> FlipView {
    FlipView { case: flip.case.clone(), metrics: flip.metrics.join(", ") }
}

/// Differences of shares are drawn on one scale, so that they can be looked at beside each other.
fn changes(changes: &[&Change]) -> Vec<ChangeView> {
    let shares = changes.iter().filter(|change| change.is_share());
    let widest = roof(shares.flat_map(|change| {
        [change.low, change.high, Some(change.difference), change.margin].into_iter().flatten().map(f64::abs)
    }));
    let axis = Axis { from: -widest, to: widest, start: 6.0, end: 186.0 };
    let view = |change: &&Change| {
        let bounds = signed_interval(change.low, change.high);
        let plot = change.is_share().then(|| Forest {
            at: axis.at(change.difference),
            zero: axis.at(0.0),
            low: change.low.map(|low| axis.at(low)),
            high: change.high.map(|high| axis.at(high)),
            margin: change.margin.map(|margin| axis.at(if change.better == Better::Higher { -margin } else { margin })),
            says: format!("difference {} {bounds}", signed(change.difference)),
        });
        ChangeView {
            title: change.title(),
            before: number(change.before),
            after: number(change.after),
            difference: signed(change.difference),
            interval: bounds,
            plot,
            class: change.seen.as_str(),
            verdict: change.verdict(),
        }
    };
    changes.iter().map(view).collect()
}

type Matrix = BTreeMap<String, BTreeMap<String, usize>>;

fn matrix_view(name: &str, matrix: &Matrix, all: &Measures) -> MatrixView {
    let special = [predicted::ABSTAIN, predicted::INVALID, predicted::ERROR];
    let mut columns: Vec<&String> = matrix.keys().collect();
    let given: BTreeSet<&String> = matrix.values().flat_map(BTreeMap::keys).collect();
    let others = given.into_iter().filter(|label| !matrix.contains_key(*label));
    let (asides, strangers): (Vec<_>, Vec<_>) = others.partition(|label| special.contains(&label.as_str()));
    columns.extend(strangers);
    columns.extend(asides);
    let rows = matrix.iter().map(|(gold, given)| {
        let sum: usize = given.values().sum();
        let cell = |label: &&String| {
            let n = given.get(*label).copied().unwrap_or(0);
            let share = (100 * n).div_ceil(sum.max(1));
            match n {
                0 => Cell { n, share: 0, class: "none" },
                _ if *label == gold => Cell { n, share, class: "hit" },
                // Mistakes are few; the root makes them seen.
                _ => Cell { n, share: (100 * share).isqrt(), class: "miss" },
            }
        };
        MatrixRow { label: gold.clone(), cells: columns.iter().map(cell).collect() }
    });
    let (heads, classes) = by_class(name, matrix.keys(), all);
    MatrixView {
        name: name.to_owned(),
        rows: rows.collect(),
        columns: columns.iter().map(|label| aside(label)).collect(),
        heads,
        classes,
    }
}

/// A prediction that is no label, in words.
fn aside(label: &str) -> String {
    match label {
        predicted::ABSTAIN => "declined".to_owned(),
        predicted::INVALID => "invalid".to_owned(),
        predicted::ERROR => "no answer".to_owned(),
        label => label.to_owned(),
    }
}

fn by_class<'a>(name: &str, labels: impl Iterator<Item = &'a String>, all: &Measures) -> (Vec<String>, Vec<ClassView>) {
    let heads: Vec<&str> = ["precision", "recall", "f1"]
        .into_iter()
        .filter(|head| all.keys().any(|key| key.starts_with(&format!("{name}.{head}["))))
        .collect();
    let class = |label: &String| {
        let figures = heads.iter().map(|head| {
            let key = format!("{name}.{head}[{label}]");
            all.get(&key).map(|measure| figure(&key, measure))
        });
        ClassView { label: label.clone(), figures: figures.collect() }
    };
    let classes = if heads.is_empty() { Vec::new() } else { labels.map(class).collect() };
    (heads.iter().map(|head| (*head).to_owned()).collect(), classes)
}

fn figure(name: &str, measure: &Measure) -> FigureView {
    FigureView {
        name: name.to_owned(),
        remark: None,
        value: number(measure.value),
        interval: interval(measure.low, measure.high),
        cases: cases(measure),
        bar: bar(measure, None),
    }
}

/// Figures by metric; those of classes stand beside their matrix.
fn groups(report: &Report) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Vec<FigureView>> = BTreeMap::new();
    for (name, measure) in report.figures.all.iter().filter(|(name, _)| !name.contains('[')) {
        let group = name.split_once('.').map_or("the run", |(metric, _)| metric);
        let view = FigureView { remark: report.remark(name), ..figure(name, measure) };
        groups.entry(group).or_default().push(view);
    }
    groups.into_iter().map(|(name, figures)| Group { name: name.to_owned(), figures }).collect()
}

/// Slices by what they are made by, with the figures that gates name and the first of each metric.
fn slices(report: &Report) -> Vec<SliceView> {
    let heads = slice_heads(report);
    let mut views: BTreeMap<&str, Vec<SliceRow>> = BTreeMap::new();
    for (slice, measures) in &report.figures.slices {
        let (name, value) = slice.split_once('=').unwrap_or((slice, ""));
        views.entry(name).or_default().push(SliceRow {
            value: value.to_owned(),
            cases: measures.values().map(|measure| measure.total).max().unwrap_or(0),
            figures: heads.iter().map(|head| measures.get(*head).map(|measure| figure(head, measure))).collect(),
        });
    }
    let heads: Vec<String> = heads.into_iter().map(str::to_owned).collect();
    views.into_iter().map(|(name, rows)| SliceView { name: name.to_owned(), heads: heads.clone(), rows }).collect()
}

fn slice_heads(report: &Report) -> Vec<&str> {
    let known = |name: &str| report.figures.slices.values().any(|measures| measures.contains_key(name));
    let suite = &report.record.suite;
    let gated = suite.gates.iter().map(|gate| gate.metric.as_str());
    let metrics: Vec<&str> = suite.assert.iter().map(Assertion::metric).collect();
    let first = report.figures.all.iter().filter(|(name, measure)| {
        let metric = name.split_once('.').map_or(name.as_str(), |(metric, _)| metric);
        measure.better == Better::Higher && !name.contains('[') && metrics.contains(&metric)
    });
    let mut heads: Vec<&str> = Vec::new();
    for name in gated.chain(first.map(|(name, _)| name.as_str())).filter(|name| known(name)) {
        if !heads.contains(&name) && heads.len() < SLICE_FIGURES {
            heads.push(name);
        }
    }
    heads
}

fn lists(report: &Report, answers: Answers) -> Vec<CaseList> {
    let of = |status: Status| report.rows.iter().filter(move |row| row.status == status).collect::<Vec<_>>();
    let mut slowest: Vec<&Row> = report.rows.iter().filter(|row| row.latency_ms > 0.0).collect();
    slowest.sort_by(|a, b| b.latency_ms.total_cmp(&a.latency_ms).then_with(|| a.case.cmp(&b.case)));
    slowest.truncate(SLOWEST);
    let lists = [
        ("Failed", "What does not hold", of(Status::Failed)),
        ("Without an answer", "Why", of(Status::Error)),
        ("Without a grade", "Why", of(Status::Ungraded)),
        ("Slowest", "", slowest),
    ];
    let list = |(title, head, rows): (&'static str, &'static str, Vec<&Row>)| CaseList {
        title,
        head,
        total: rows.len(),
        rows: rows.into_iter().take(MOST_CASES).map(|row| case(report, row, answers)).collect(),
    };
    lists.into_iter().filter(|(_, _, rows)| !rows.is_empty()).map(list).collect()
}

fn case(report: &Report, row: &Row, answers: Answers) -> CaseView {
    let failed = row.status == Status::Failed;
    let kept = failed && answers == Answers::Shown && !row.output.is_null();
    CaseView {
        case: if report.record.epochs > 1 { format!("{} #{}", row.case, row.epoch + 1) } else { row.case.to_string() },
        says: if failed { junit::failures(row).join("; ") } else { row.error.clone().unwrap_or_default() },
        latency: format!("{} ms", number(row.latency_ms)),
        answer: kept.then(|| answer(&row.output)),
    }
}

fn answer(output: &serde_json::Value) -> String {
    let whole = match output {
        serde_json::Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let mut shown: String = whole.chars().take(LONGEST_ANSWER).collect();
    if shown.len() < whole.len() {
        shown.push('…');
    }
    shown
}

fn facts(report: &Report) -> Vec<(&'static str, String, bool)> {
    let record = &report.record;
    let hashes = &record.hashes;
    let (calls, replayed) = report
        .rows
        .iter()
        .fold((0, 0), |(calls, replayed), row| (calls + row.used.calls, replayed + row.used.replayed));
    let words = [
        ("begun", Some(record.started.to_string())),
        ("model", Some(record.model.clone().unwrap_or_else(|| "none: the offline engine alone".to_owned()))),
        ("the server called it", Some(record.served_by.join(", ")).filter(|names| !names.is_empty())),
        ("repetitions", Some(record.epochs.to_string())),
        ("calls of a model", Some(format!("{calls}, {replayed} of them from cassettes"))),
        ("cost", Some(format!("{} €", number(report.cost())))),
        ("selected by", Some(record.selection.join(" ")).filter(|selection| !selection.is_empty())),
        ("begun or resumed", Some(count(record.attempts as usize, "time"))),
    ];
    let judges =
        record.judges.iter().map(|judging| ("judge", format!("{}: {}", judging.metric, judging.sentence()), false));
    let files = [
        ("suite", Some(hashes.suite.clone())),
        ("dataset", Some(hashes.dataset.clone())),
        ("prompts", hashes.prompts.clone()),
        ("packs", hashes.packs.clone()),
        ("prices", hashes.prices.clone()),
        ("judges", hashes.judges.clone()),
    ];
    let words = words.into_iter().filter_map(|(name, value)| Some((name, value?, false)));
    words.chain(judges).chain(files.into_iter().filter_map(|(name, value)| Some((name, value?, true)))).collect()
}

/// Where a plot's frame stands, left to right.
const ACROSS: (f64, f64) = (64.0, 404.0);

fn ticks(axis: Axis) -> Vec<SaidTick> {
    axis.ticks(5).into_iter().map(SaidTick::from).collect()
}

fn calibrations(report: &Report) -> Vec<CalibrationView> {
    let suite = &report.record.suite;
    let metrics: BTreeSet<&str> = suite.assert.iter().map(Assertion::metric).collect();
    metrics.into_iter().filter_map(|name| calibration_view(report, name)).collect()
}

fn calibration_view(report: &Report, name: &str) -> Option<CalibrationView> {
    let settings = report.record.suite.metrics.get(name);
    let metrics::Reliability { bins, steps: curve } = metrics::reliability(&report.record.suite, &report.rows, name)?;
    let x = Axis { from: 0.0, to: 1.0, start: ACROSS.0, end: ACROSS.1 };
    let y = Axis { from: 0.0, to: 1.0, start: 256.0, end: 16.0 };
    let bins: Vec<BinView> = bins.iter().map(|bin| bin_view(bin, x, y)).collect();
    let risk = Axis { from: 0.0, to: roof(curve.iter().map(|step| step.risk)), start: 236.0, end: 16.0 };
    let operating = operating_point(&report.figures, name);
    Some(CalibrationView {
        name: name.to_owned(),
        x: ticks(x),
        y: ticks(y),
        line: points(bins.iter().map(|bin| (bin.x, bin.y))),
        bins,
        cover_x: ticks(x),
        cover_y: ticks(risk),
        cover_line: points(thinned(&curve, DRAWN_STEPS).map(|step| (x.at(step.coverage), risk.at(step.risk)))),
        cover_point: operating.map(|(coverage, error)| (x.at(coverage), risk.at(error))),
        cover_table: thinned(&curve, LISTED_STEPS)
            .map(|step| Step { coverage: number(step.coverage), risk: number(step.risk) })
            .collect(),
        operating: match (operating, settings.and_then(|settings| settings.max_error)) {
            (Some((coverage, error)), Some(most)) => format!(
                "{} of the cases can be answered without a person and at most {} of these be wrong, with 95 % \
                 confidence; here {} were.",
                percent(coverage),
                percent(most),
                percent(error)
            ),
            (Some((coverage, error)), None) => {
                format!("Operating point: {} answered, {} of them wrong.", percent(coverage), percent(error))
            }
            (None, _) => "No operating point: the suite names no largest error, or no coverage reaches it.".to_owned(),
        },
    })
}

fn bin_view(bin: &Bin, x: Axis, y: Axis) -> BinView {
    BinView {
        x: x.at(bin.confidence),
        y: y.at(bin.accuracy),
        y_low: bin.bounds.map(|bounds| y.at(bounds.low)),
        y_high: bin.bounds.map(|bounds| y.at(bounds.high)),
        confidence: number(bin.confidence),
        accuracy: number(bin.accuracy),
        gap: signed(bin.accuracy - bin.confidence),
        n: bin.cases,
    }
}

/// The share that can be answered without a person, and the error among it.
fn operating_point(figures: &Figures, name: &str) -> Option<(f64, f64)> {
    let coverage = named(figures, &format!("{name}.coverage_at"))?;
    let error = named(figures, &format!("{name}.error_at")).unwrap_or(0.0);
    (coverage > 0.0).then_some((coverage, error))
}

/// At most about `most` of the steps, evenly, with the last.
fn thinned<T>(steps: &[T], most: usize) -> impl Iterator<Item = &T> {
    let stride = steps.len().div_ceil(most.max(1)).max(1);
    let last = steps.len().saturating_sub(1);
    steps
        .iter()
        .enumerate()
        .filter(move |(place, _)| place % stride == stride - 1 || *place == last)
        .map(|(_, step)| step)
}

/// Cases that were answered as asked, with the figure's own bounds: by case and cluster.
fn quality(figures: &Figures) -> Option<&Measure> {
    figures.all.get(AS_ASKED)
}

/// A run in the chart of cost and quality.
struct Point {
    name: String,
    quality: f64,
    bounds: Option<(f64, f64)>,
    cost: f64,
    latency: f64,
}

fn scatter(reports: &[Report]) -> Option<Scatter> {
    let points: Vec<Point> = reports.iter().filter_map(point).collect();
    let priced = points.iter().any(|point| point.cost > 0.0);
    let (title, across) =
        if priced { ("Cost and quality", "cost of a case, €") } else { ("Latency and quality", "mean latency, ms") };
    let value = |point: &Point| if priced { point.cost } else { point.latency };
    let x = Axis { from: 0.0, to: roof(points.iter().map(value)), start: ACROSS.0, end: ACROSS.1 };
    let lowest = points.iter().map(|point| point.bounds.map_or(point.quality, |(low, _)| low)).fold(1.0, f64::min);
    // Tenths: a scale that starts near the lowest bound, and ends at one.
    let y = Axis { from: (lowest * 10.0 - 0.5).floor().max(0.0) / 10.0, to: 1.0, start: 236.0, end: 16.0 };
    let views = points.iter().enumerate().map(|(place, point)| PointView {
        mark: mark(place),
        name: point.name.clone(),
        x: x.at(value(point)),
        y: y.at(point.quality),
        low: point.bounds.map(|(low, _)| y.at(low)),
        high: point.bounds.map(|(_, high)| y.at(high)),
        x_says: number(value(point)),
        y_says: number(point.quality),
    });
    let views: Vec<PointView> = views.collect();
    (!views.is_empty()).then(|| Scatter { title, across, x: ticks(x), y: ticks(y), points: views })
}

fn point(report: &Report) -> Option<Point> {
    let quality = quality(&report.figures)?;
    #[expect(clippy::cast_precision_loss, reason = "rows of a run, far below 2^52")]
    let rows = report.rows.len() as f64;
    let latency = report.rows.iter().map(|row| row.latency_ms).sum::<f64>() / rows;
    let (bounds, quality) = (quality.low.zip(quality.high), quality.value);
    Some(Point { name: report.title(), quality, bounds, cost: report.cost() / rows, latency })
}

/// A, B, C …
fn mark(place: usize) -> String {
    let letter = u8::try_from(place % 26).unwrap_or(0) + b'A';
    char::from(letter).to_string()
}
