//! How far a judge can be trusted: what it said of items that people had labelled, held against their labels.
//!
//! The items of a rubric stand in `judges/calibration/<rubric>.jsonl`: ids, labels and scores, no text. Each line names
//! the judge (model and hash of what it is told); the file of one judge says nothing about another. A run keeps in its
//! record what its judges were and how far they agreed with people, so that its figures can be made anew from its own
//! folder. A judge without a calibration is told as such beside every figure of it, and no gate rests on it.

pub mod ask;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::case::EvalCaseId;
use super::load;
use super::measure::{Better, Measure, Method};
use super::metrics::Bounds;
use super::row::JudgedBy;
use super::score::Scorer;
use super::stats::bootstrap::{self, Sample, percentile};
use super::stats::mean::clustered;
use super::stats::prevalence::Share;
use super::stats::{Interval, Level, Uncertain as _, real};
use super::suite::{Assertion, AssertionKind, Suite};
use crate::cases::hex;
use crate::municipality::{Faults, yaml};

/// One line of a calibration: an item that a person labelled and a judge scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The item.
    pub id: EvalCaseId,
    /// What it depends on others by; none: it stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Whether people call it good.
    pub human: bool,
    /// The share that the judge gave it; none where its answer could not be read.
    pub score: Option<f64>,
    /// Which judge.
    pub judge: JudgedBy,
}

/// How a judge agrees with people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Items that both have judged.
    pub items: usize,
    /// Items whose judgement could not be read; they are in none of the figures.
    pub ungraded: usize,
    /// Good by people, and by the judge.
    pub true_positive: usize,
    /// Good by people, and not by the judge.
    pub false_negative: usize,
    /// Not good by either.
    pub true_negative: usize,
    /// Not good by people, and good by the judge.
    pub false_positive: usize,
    /// Share of the good ones that the judge calls good.
    pub sensitivity: Measure,
    /// As many independent items tell as much about it: dependent ones count as fewer.
    pub sensitivity_items: f64,
    /// Share of the others that the judge does not call good.
    pub specificity: Measure,
    /// As many independent items tell as much about it.
    pub specificity_items: f64,
    /// Agreement beyond chance (Cohen 1960); none where chance alone agrees always.
    pub kappa: Option<Measure>,
    /// The same with one pool of labels for both (Krippendorff 1970).
    pub alpha: Option<f64>,
}

/// A judge of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judging {
    /// The figure that it makes.
    pub metric: String,
    /// Its rubric.
    pub rubric: String,
    /// The model, and the hash of what it is told.
    pub judge: JudgedBy,
    /// The least share that passes.
    pub least: f64,
    /// Whether it fails a case.
    pub fails: bool,
    /// Whether it was tried on what people had labelled.
    pub standing: Standing,
}

/// Whether a judge was tried on what people had labelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It was, with this result.
    Calibrated(Box<Calibration>),
    /// It was not, or not this one: why, in a few words.
    NotCalibrated(String),
}

impl Judging {
    /// How it agrees with people, where that is known.
    #[must_use]
    pub fn calibration(&self) -> Option<&Calibration> {
        match &self.standing {
            Standing::Calibrated(calibration) => Some(calibration),
            Standing::NotCalibrated(_) => None,
        }
    }

    /// Whether a figure rests on what it said: its own ones, and whether cases are as asked where it fails cases.
    #[must_use]
    pub fn reaches(&self, figure: &str) -> bool {
        let own = figure.strip_prefix(self.metric.as_str());
        own.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            || (self.fails && matches!(figure, "ok" | "failed"))
    }

    /// What a reader has to know of it, in a line.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { rubric, judge: JudgedBy { model, hash }, .. } = self;
        let who = format!("{model} by the rubric {rubric} ({})", hash.get(..12).unwrap_or(hash));
        match &self.standing {
            Standing::NotCalibrated(why) => format!("{who}, not calibrated: {why}"),
            Standing::Calibrated(found) => {
                let kappa = found.kappa.as_ref().map(|kappa| format!(", κ {:.2}", kappa.value)).unwrap_or_default();
                format!(
                    "{who}, calibrated on {} items: sensitivity {:.2}, specificity {:.2}{kappa}",
                    found.items, found.sensitivity.value, found.specificity.value
                )
            }
        }
    }
}

/// The judges that are others in one run than in another, by the figures that they make: what they said is not compared.
#[must_use]
pub fn others(before: &[Judging], after: &[Judging]) -> Vec<Judging> {
    let same = |one: &Judging, other: &Judging| {
        one.metric == other.metric && one.judge == other.judge && one.least.total_cmp(&other.least).is_eq()
    };
    let not_in = |judges: &[Judging], one: &Judging| !judges.iter().any(|other| same(one, other));
    let now = after.iter().filter(|one| not_in(before, one));
    let then = before.iter().filter(|one| !after.iter().any(|other| other.metric == one.metric));
    now.chain(then).cloned().collect()
}

/// The hash of all judges of a run; none where nobody judges.
#[must_use]
pub fn hash(judges: &[Judging]) -> Option<String> {
    let mut hash = Sha256::new();
    for Judging { metric, judge, .. } in judges {
        hash.update(format!("{metric}\n{}\n{}\n", judge.model, judge.hash));
    }
    (!judges.is_empty()).then(|| hex(&hash.finalize()))
}

/// Where the calibration of a rubric stands.
#[must_use]
pub fn path(home: &Path, rubric: &str) -> PathBuf {
    home.join("judges").join("calibration").join(format!("{rubric}.jsonl"))
}

/// The judges of a suite and what is known of them. `file` is the suite's.
///
/// # Errors
/// Faults of the suite's assertions, and lines of a calibration that are none.
pub fn judges(suite: &Suite, file: &Path) -> Result<Vec<Judging>, Faults> {
    let mut faults = Faults::new();
    let home = load::home(file);
    let scorer = Scorer::new(suite, file)?;
    let judging = scorer.seats().map(|(metric, rubric, judge, least)| {
        let fails = suite.assert.iter().any(|assertion| assertion.metric() == metric && !assertion.only_measure);
        let (metric, rubric, judge) = (metric.to_owned(), rubric.to_owned(), judge.clone());
        let standing = standing(&path(&home, &rubric), &judge, least, &mut faults);
        Judging { metric, rubric, judge, least, fails, standing }
    });
    let judging = judging.collect();
    if faults.is_empty() { Ok(judging) } else { Err(faults) }
}

/// That no gate rests on the opinion of a judge that was never held against people, but where the suite says why.
pub fn refuse_uncalibrated(suite: &Suite, judges: &[Judging], mut refuse: impl FnMut(usize, String, String)) {
    let waived = |judging: &Judging| {
        let of =
            |assertion: &&Assertion| assertion.metric() == judging.metric && assertion.kind == AssertionKind::Judge;
        suite.assert.iter().find(of).is_some_and(|assertion| assertion.uncalibrated.is_some())
    };
    for (nth, gate) in suite.gates.iter().enumerate() {
        let judging = judges.iter().find(|judging| judging.reaches(&gate.metric) && !waived(judging));
        let Some(Judging { rubric, standing: Standing::NotCalibrated(why), .. }) = judging else { continue };
        refuse(
            nth,
            format!("`{}` rests on a judge that is not calibrated: {why}", gate.metric),
            format!(
                "calibrate it (`vireille eval calibrate …/{rubric}.yaml --labels FILE`), or say in `uncalibrated` of its \
                 assertion why it may be relied on"
            ),
        );
    }
}

fn standing(file: &Path, judge: &JudgedBy, least: f64, faults: &mut Faults) -> Standing {
    if !file.exists() {
        return Standing::NotCalibrated("nobody has held it against people's labels".to_owned());
    }
    let Some((items, sha256)) = read(file, faults) else {
        return Standing::NotCalibrated("its calibration cannot be read".to_owned());
    };
    if let Some(other) = items.iter().map(|item| &item.judge).find(|other| *other != judge) {
        let what =
            if other.model == judge.model { "what it is told has changed".to_owned() } else { other.model.clone() };
        return Standing::NotCalibrated(format!("the calibration is of another judge ({what})"));
    }
    match Calibration::of(&items, least, sha256) {
        Some(calibration) => Standing::Calibrated(Box::new(calibration)),
        None => Standing::NotCalibrated("its calibration has no good items, or no others".to_owned()),
    }
}

/// The hash of a calibration's file.
#[must_use]
pub fn digest(lines: &str) -> String {
    hex(&Sha256::digest(lines.as_bytes()))
}

/// The items of a file and its hash; none where a line is at fault.
fn read(file: &Path, faults: &mut Faults) -> Option<(Vec<Item>, String)> {
    let source = yaml::read_file(file, faults)?;
    let (mut items, mut seen, mut good) = (Vec::new(), BTreeSet::new(), true);
    for (at, line) in source.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let item = serde_json::from_str::<Item>(line).ok();
        let item = item.filter(|item| item.score.is_none_or(|score| (0.0..=1.0).contains(&score)));
        let Some(item) = item else {
            let instead = "have `vireille eval calibrate` write it";
            faults.at(file, at + 1, "this is no item of a calibration", instead);
            good = false;
            continue;
        };
        if seen.insert(item.id.clone()) {
            items.push(item);
        } else {
            faults.at(file, at + 1, format!("the item `{}` stands twice", item.id), "keep one of the two lines");
            good = false;
        }
    }
    good.then(|| (items, digest(&source)))
}

/// Both labels of an item.
struct Pair<'a> {
    human: bool,
    judge: bool,
    cluster: &'a str,
}

impl Calibration {
    /// What the items come to, where a share of `least` counts as good. None without good ones or without others.
    #[must_use]
    pub fn of(items: &[Item], least: f64, sha256: String) -> Option<Self> {
        let pairs: Vec<Pair<'_>> = items
            .iter()
            .filter_map(|item| {
                let cluster = item.cluster.as_deref().unwrap_or(item.id.as_str());
                Some(Pair { human: item.human, judge: item.score? >= least, cluster })
            })
            .collect();
        let count = |human, judge| pairs.iter().filter(|pair| pair.human == human && pair.judge == judge).count();
        let (sensitivity, sensitivity_items) = share(&pairs, true)?;
        let (specificity, specificity_items) = share(&pairs, false)?;
        Some(Self {
            items: pairs.len(),
            ungraded: items.len() - pairs.len(),
            true_positive: count(true, true),
            false_negative: count(true, false),
            true_negative: count(false, false),
            false_positive: count(false, true),
            sensitivity,
            sensitivity_items,
            specificity,
            specificity_items,
            kappa: kappa(&pairs, &sha256),
            alpha: alpha(count(true, true), count(false, false), count(true, false) + count(false, true)),
            sha256,
        })
    }

    /// How often it is right about good ones, as a share to correct by.
    #[must_use]
    pub const fn of_good(&self) -> Share {
        Share { value: self.sensitivity.value, cases: self.sensitivity_items }
    }

    /// How often it is right about the others.
    #[must_use]
    pub const fn of_others(&self) -> Share {
        Share { value: self.specificity.value, cases: self.specificity_items }
    }
}

/// Where people said `human`, how often the judge said the same, and as how many independent items these count.
fn share(pairs: &[Pair<'_>], human: bool) -> Option<(Measure, f64)> {
    let of = pairs.iter().filter(|pair| pair.human == human);
    let values: Vec<(f64, &str)> = of.map(|pair| (if pair.judge == human { 1.0 } else { 0.0 }, pair.cluster)).collect();
    let estimate = clustered(&values, Some(Interval::SHARE))?;
    let interval = estimate.wilson(Level::TWO_SIDED_95);
    // Of a single cluster nobody knows how alike its items are: they count as one.
    let independent = estimate.effective_cases().unwrap_or(1.0);
    Some((measure(estimate.mean, interval, Method::Wilson, values.len()), independent))
}

/// Cohen's κ, with bounds from clusters drawn again.
fn kappa(pairs: &[Pair<'_>], sha256: &str) -> Option<Measure> {
    let clusters: BTreeSet<&str> = pairs.iter().map(|pair| pair.cluster).collect();
    let numbers: BTreeMap<&str, usize> = clusters.iter().enumerate().map(|(number, name)| (*name, number)).collect();
    let seed = bootstrap::seed(&["calibration", sha256]);
    let draws = Bounds::SHOWN.draws;
    let sample = Sample { cases: pairs.len(), clusters: clusters.len(), seed, draws };
    let found = percentile(sample, 1, |counts, out| {
        let mut cells = [[0.0; 2]; 2];
        for pair in pairs {
            let times = numbers.get(pair.cluster).and_then(|number| counts.get(*number)).copied().unwrap_or(0);
            cells[usize::from(pair.human)][usize::from(pair.judge)] += f64::from(times);
        }
        out[0] = beyond_chance(cells);
    });
    let found = found.into_iter().next()??;
    Some(measure(found.value(), found.interval(Level::TWO_SIDED_95), Method::Bootstrap, pairs.len()))
}

/// (observed − by chance) / (1 − by chance), from items by people's label and the judge's.
fn beyond_chance([[neither, judge_only], [human_only, both]]: [[f64; 2]; 2]) -> Option<f64> {
    let all = neither + judge_only + human_only + both;
    let observed = (neither + both) / all;
    let (human, judge) = ((human_only + both) / all, (judge_only + both) / all);
    let by_chance = human * judge + (1.0 - human) * (1.0 - judge);
    (all > 0.0 && by_chance < 1.0).then(|| (observed - by_chance) / (1.0 - by_chance))
}

/// Krippendorff's α of two labels an item: 1 − observed / expected disagreement, chance without replacement.
fn alpha(both: usize, neither: usize, differ: usize) -> Option<f64> {
    let labels = real(2 * (both + neither + differ));
    let (good, others) = (real(2 * both + differ), real(2 * neither + differ));
    let expected = 2.0 * good * others / (labels * (labels - 1.0));
    (expected > 0.0).then(|| 1.0 - 2.0 * real(differ) / labels / expected)
}

fn measure(value: f64, interval: Option<Interval>, method: Method, items: usize) -> Measure {
    Measure {
        value,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        method: if interval.is_some() { method } else { Method::None },
        scored: items,
        total: items,
        clusters: items,
        design_effect: None,
        better: Better::Higher,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(hash: &str) -> JudgedBy {
        JudgedBy { model: "openai/mistral-large".to_owned(), hash: hash.to_owned() }
    }

    /// Items by people's label and the judge's, so many each.
    fn items(both: usize, human_only: usize, judge_only: usize, neither: usize) -> Vec<Item> {
        let kinds = [(true, 1.0, both), (true, 0.0, human_only), (false, 1.0, judge_only), (false, 0.0, neither)];
        let all = kinds.into_iter().flat_map(|(human, score, n)| std::iter::repeat_n((human, score), n));
        all.enumerate()
            .map(|(nth, (human, score))| Item {
                id: format!("i-{nth:03}").try_into().unwrap(),
                cluster: None,
                human,
                score: Some(score),
                judge: judge("h"),
            })
            .collect()
    }

    fn calibrated(items: &[Item]) -> Calibration {
        Calibration::of(items, 0.5, "sha".to_owned()).unwrap()
    }

    #[test]
    fn agreement_is_as_in_the_textbooks() {
        // Seen in 35 of 50, by chance in half of them: κ = 0.4.
        let found = calibrated(&items(20, 5, 10, 15));
        let kappa = found.kappa.as_ref().unwrap();
        assert!((kappa.value - 0.4).abs() < 1e-12);
        assert!(kappa.low.is_some_and(|low| low > 0.1) && kappa.high.is_some_and(|high| high < 0.65), "{kappa:?}");
        let expected = 1.0 - 0.3 / (2.0 * 55.0 * 45.0 / (100.0 * 99.0));
        assert!((found.alpha.unwrap() - expected).abs() < 1e-12);
        assert!((found.sensitivity.value - 0.8).abs() < 1e-12 && (found.specificity.value - 0.6).abs() < 1e-12);
        assert_eq!(
            (found.true_positive, found.false_negative, found.false_positive, found.true_negative),
            (20, 5, 10, 15)
        );
    }

    #[test]
    fn what_could_not_be_read_is_counted_and_in_no_figure() {
        let mut all = items(20, 5, 10, 15);
        all.iter_mut().take(3).for_each(|item| item.score = None);
        let found = calibrated(&all);
        assert_eq!((found.items, found.ungraded, found.true_positive), (47, 3, 17));
        assert_eq!(Calibration::of(&items(5, 1, 0, 0), 0.5, String::new()), None, "without others no specificity");
    }

    #[test]
    fn dependent_items_count_as_fewer() {
        let alone = calibrated(&items(40, 10, 10, 40));
        let mut households = items(40, 10, 10, 40);
        for (nth, item) in households.iter_mut().enumerate() {
            item.cluster = Some(format!("h-{}", nth / 5));
        }
        let together = calibrated(&households);
        assert!(together.sensitivity_items < alone.sensitivity_items / 2.0, "{together:?}");
        assert!(together.sensitivity.low < alone.sensitivity.low);
    }

    #[test]
    fn a_calibration_of_another_judge_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tone.jsonl");
        let write = |items: &[Item]| {
            let lines = items.iter().map(|item| serde_json::to_string(item).unwrap() + "\n").collect::<String>();
            std::fs::write(&file, lines).unwrap();
        };
        let stands = |hash: &str| {
            let mut faults = Faults::new();
            let found = standing(&file, &judge(hash), 0.5, &mut faults);
            (found, faults.to_string())
        };
        assert!(matches!(stands("h").0, Standing::NotCalibrated(why) if why.contains("nobody")));
        write(&items(8, 2, 1, 9));
        assert!(matches!(stands("h").0, Standing::Calibrated(found) if found.items == 20));
        assert!(
            matches!(stands("other").0, Standing::NotCalibrated(why) if why.contains("of another judge (what it is"))
        );
        let mut twice = items(8, 2, 1, 9);
        twice[1].id = twice[0].id.clone();
        write(&twice);
        let (found, faults) = stands("h");
        assert!(matches!(found, Standing::NotCalibrated(_)) && faults.contains("tone.jsonl:2"), "{faults}");
    }
}
