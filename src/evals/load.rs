//! Reading a suite: strict, and with every fault at its line.
//!
//! What a suite's types do not say is said here: which words go together, which paths may stand where, that every gate
//! names a figure that exists. A suite that was loaded can be run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::calibration;
use super::defaults::{self, Defaults};
use super::measure::is_share;
use super::metrics::{LATENCIES, Names};
use super::suite::{
    Against, Assertion, AssertionKind, Bound, Component, Gate, MetricSettings, ModelChoice, RunSettings, Suite,
};
use super::target::provider::{self, Provider};
use crate::cases::hex;
use crate::municipality::{Fault, Faults, yaml};

/// Longest name of a suite, characters.
const LONGEST_NAME: usize = 64;

/// Figures that every run has, whatever it asserts.
pub const ALWAYS: &[&str] = &[
    "cases",
    "ok",
    "failed",
    "errors",
    "ungraded",
    "skipped",
    "cost",
    "cost_per_case",
    "tokens_in",
    "tokens_out",
    "latency_ms",
    "replayed",
];

/// It is no figure itself: its quantiles are.
const LATENCY: &str = "latency_ms";

/// A suite, where it stands, and what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The suite. The command line may have changed how it is run.
    pub suite: Suite,
    /// Its file.
    pub path: PathBuf,
    /// SHA-256 of the file, hexadecimal; and of the defaults, where they change something of it.
    pub hash: String,
}

impl Loaded {
    /// A file that the suite names: relative to the suite's own; promptfoo's `file://` may stand before it.
    #[must_use]
    pub fn resolve(&self, named: &Path) -> PathBuf {
        let plain = named.to_str().and_then(|text| text.strip_prefix("file://")).map_or(named, Path::new);
        tidy(&self.folder().join(plain))
    }

    /// The folder of all evaluations: the one above `suites`, or the suite's own where it stands elsewhere.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        home(&self.path)
    }

    /// Where calls of a language model for this suite are recorded.
    #[must_use]
    pub fn cassettes(&self) -> PathBuf {
        self.home().join("cassettes").join(&self.suite.suite)
    }

    /// Where its runs are kept.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.home().join("runs")
    }

    fn folder(&self) -> &Path {
        folder(&self.path)
    }
}

/// The folder of all evaluations that the suite in this file belongs to.
pub(super) fn home(suite: &Path) -> PathBuf {
    let folder = folder(suite);
    match folder.parent() {
        Some(above) if folder.file_name().is_some_and(|name| name == "suites") => above.to_owned(),
        _ => folder.to_owned(),
    }
}

fn folder(suite: &Path) -> &Path {
    suite.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A path without `x/..` in it, as far as that can be told from its words.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component::{CurDir, Normal, ParentDir};
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match (part, tidy.components().next_back()) {
            (ParentDir, Some(Normal(_))) => {
                tidy.pop();
            }
            (CurDir, _) => {}
            (part, _) => tidy.push(part),
        }
    }
    tidy
}

/// Reads the suite of a file.
///
/// # Errors
/// Every fault, with file, line and what to write instead.
pub fn suite(path: &Path) -> Result<Loaded, Faults> {
    let mut faults = Faults::new();
    let Some(source) = yaml::read_file(path, &mut faults) else { return Err(faults) };
    let mut suite = yaml::read::<Suite>(path, &source, 1, &mut faults);
    let mut hash = Sha256::new_with_prefix(source.as_bytes());
    let beside = home(path).join(defaults::FILE);
    if beside.is_file()
        && let Some((text, defaults)) = defaults(&beside, &mut faults)
        && let Some(suite) = &mut suite
        && let Some(written) = yaml::read::<Value>(path, &source, 1, &mut faults)
    {
        let before = suite.clone();
        defaults.lay_under(suite, &written);
        if *suite != before {
            hash.update(text);
        }
    }
    if let Some(suite) = &suite {
        Checker { path, source: &source, faults: &mut faults }.check(suite);
    }
    match suite {
        Some(suite) if faults.is_empty() => Ok(Loaded { suite, path: path.to_owned(), hash: hex(&hash.finalize()) }),
        _ => Err(in_our_words(faults, &source)),
    }
}

/// Reads defaults; the text, too.
fn defaults(path: &Path, faults: &mut Faults) -> Option<(String, Defaults)> {
    let source = yaml::read_file(path, faults)?;
    let mut found = Faults::new();
    let defaults = yaml::read::<Defaults>(path, &source, 1, &mut found);
    if let Some(defaults) = &defaults {
        let mut checker = Checker { path, source: &source, faults: &mut found };
        if defaults.version != 1 {
            let what = format!("version {} is not known", defaults.version);
            checker.fault(&["version"], what, "write `version: 1`");
        }
        checker.models(&defaults.models);
        checker.run(&defaults.run.over(&RunSettings::default(), &|_| false));
        if let Some(judge) = &defaults.judge.provider {
            checker.model(judge, &["judge".to_owned(), "provider".to_owned()]);
        }
    }
    let sound = found.is_empty();
    let in_our_words = |fault: Fault| {
        let instead = fault.instead.replace("policies/schemas", "evals/schemas/defaults.schema.json");
        Fault { instead, ..fault }
    };
    found.into_iter().map(in_our_words).for_each(|fault| faults.push(fault));
    defaults.filter(|_| sound).map(|defaults| (source, defaults))
}

/// The reader of officers' files names their schemas, and takes what lacks a key for the whole text where it stands on
/// one line; a suite has a schema of its own and such lines.
fn in_our_words(faults: Faults, source: &str) -> Faults {
    const OF: [(&str, &str); 3] = [("`path` ", "dataset"), ("`cluster` ", "dataset"), ("`component` ", "target")];
    let mut ours = Faults::new();
    for fault in faults {
        let part = OF.iter().find(|(key, _)| fault.what.ends_with("is missing") && fault.what.starts_with(key));
        let line = part.map_or(fault.line, |(_, part)| Some(yaml::line_of(source, &[part])));
        let instead = fault.instead.replace("policies/schemas", "evals/schemas/suite.schema.json");
        ours.push(Fault { line, instead, ..fault });
    }
    ours.sort();
    ours
}

/// What types do not say.
struct Checker<'a> {
    path: &'a Path,
    source: &'a str,
    faults: &'a mut Faults,
}

impl Checker<'_> {
    fn check(&mut self, suite: &Suite) {
        self.head(suite);
        self.target(suite);
        self.models(&suite.models);
        self.run(&suite.run);
        self.assertions(suite);
        self.gates(suite);
        for (nth, slice) in suite.slices.iter().enumerate() {
            let at = ["slices".to_owned(), format!("#{nth}")];
            self.path_of_kinds("a slice", slice, &at);
        }
    }

    fn fault(&mut self, at: &[impl AsRef<str>], what: impl Into<String>, instead: impl Into<String>) {
        let at: Vec<&str> = at.iter().map(AsRef::as_ref).collect();
        let part = yaml::line_of(self.source, &at[..1.min(at.len())]);
        // What stands on one line has no lines of its own.
        let on_one_line = self.source.lines().nth(part - 1).is_some_and(|line| line.contains(['[', '{']));
        let line = if on_one_line { part } else { yaml::line_of(self.source, &at) };
        self.faults.at(self.path, line, what, instead);
    }

    fn head(&mut self, suite: &Suite) {
        if suite.version != 1 {
            self.fault(&["version"], format!("version {} is not known", suite.version), "write `version: 1`");
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = &suite.suite;
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
            let instead = "write small letters, digits and hyphens, 64 at most";
            self.fault(&["suite"], "the suite's name is no plain word", instead);
        }
        let dataset = &suite.dataset;
        if dataset.cluster != "none" {
            let at = ["dataset", "cluster"].map(str::to_owned);
            self.path_of_kinds("`cluster`", &dataset.cluster, &at);
        }
        if let Some(originals) = &dataset.originals {
            let at = ["dataset", "originals"].map(str::to_owned);
            self.path_of_kinds("`by`", &originals.by, &at);
            match originals.which.split_once('=') {
                Some((path, _)) => self.path_of_kinds("`where`", path, &at),
                None => self.fault(&at, "`where` names no word", "write a path and its word: `metadata.rewrite=none`"),
            }
        }
        let digest = |hash: &String| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if dataset.sha256.as_ref().is_some_and(|hash| !digest(hash)) {
            self.fault(&["dataset", "sha256"], "this is no SHA-256", "write 64 hexadecimal digits, or leave it out");
        }
    }

    fn target(&mut self, suite: &Suite) {
        let target = &suite.target;
        let chat = target.component == Component::Chat;
        if !chat && (target.system.is_some() || target.user.is_some() || target.json) {
            let what = "`system`, `user` and `json` are for the component `chat` only";
            self.fault(&["target"], what, "leave them out");
        }
        if let Some(user) = &target.user {
            self.path_into("`user`", user, &["input"], &["target", "user"].map(str::to_owned));
        }
    }

    fn model(&mut self, id: &str, at: &[String]) {
        if let Err(unknown) = Provider::of(Some(&ModelChoice { id: id.to_owned(), url: None })) {
            let words = unknown.to_string();
            let (what, instead) = words.split_once(": ").unwrap_or((&words, "write openai/NAME"));
            self.fault(at, what, instead);
        }
    }

    fn models(&mut self, models: &[ModelChoice]) {
        let mut seen = BTreeSet::new();
        for (nth, model) in models.iter().enumerate() {
            let at = ["models".to_owned(), format!("#{nth}")];
            self.model(&model.id, &at);
            if let Some(what) = model.url.as_deref().and_then(provider::unfit_address) {
                self.fault(&at, what, "write http(s)://HOST/PATH; the key stands in the settings");
            }
            if !seen.insert((&model.id, &model.url)) {
                self.fault(&at, format!("the model `{}` stands twice", model.id), "keep one of the two");
            }
        }
    }

    fn run(&mut self, run: &RunSettings) {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        for (key, holds, instead) in [
            ("epochs", (1..=1_000).contains(&run.epochs), "write 1 to 1000"),
            ("max_concurrency", (1..=4_096).contains(&run.max_concurrency), "write 1 to 4096"),
            ("attempts", (1..=20).contains(&run.attempts), "write 1 to 20"),
            ("max_errors", share(run.max_errors), "write a share from 0 to 1, 0.02 for 2 %"),
            ("max_ungraded", share(run.max_ungraded), "write a share from 0 to 1, 0.02 for 2 %"),
            ("budget", run.budget.is_none_or(|euros| euros.is_finite() && euros >= 0.0), "write euros"),
            ("deadline_seconds", run.deadline_seconds != Some(0), "write seconds, or leave it out"),
        ] {
            if !holds {
                self.fault(&["run", key], format!("`{key}` is out of bounds"), instead);
            }
        }
    }

    fn assertions(&mut self, suite: &Suite) {
        if suite.assert.is_empty() {
            self.fault(&["assert"], "nothing is asked of the answers", "write at least one assertion");
        }
        let metrics: BTreeSet<&str> = suite.assert.iter().map(Assertion::metric).collect();
        for (nth, assertion) in suite.assert.iter().enumerate() {
            let at = ["assert".to_owned(), format!("#{nth}")];
            let metric = assertion.metric();
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if metric.is_empty() || !metric.chars().all(plain) {
                self.fault(&at, "the metric's name is no plain word", "write letters, digits, _ and -");
            }
            if ALWAYS.contains(&metric) {
                let what = format!("every run has a figure `{metric}` of its own");
                self.fault(&at, what, "give the metric another name");
            }
        }
        self.labels(suite);
        for name in suite.metrics.keys().filter(|name| !metrics.contains(name.as_str())) {
            let instead = yaml::write_one_of(name, metrics.iter().copied());
            self.fault(&["metrics", name], format!("no assertion has the metric `{name}`"), instead);
        }
        for (name, settings) in &suite.metrics {
            self.settings(name, settings);
        }
        // Whoever scores knows best what an assertion needs.
        match calibration::judges(suite, self.path) {
            Ok(judges) => calibration::refuse_uncalibrated(suite, &judges, |nth, what, instead| {
                self.fault(&["gates".to_owned(), format!("#{nth}")], what, instead);
            }),
            Err(found) => self.faults.append(found),
        }
        for (nth, assertion) in suite.assert.iter().enumerate() {
            if assertion.uncalibrated.is_some() && assertion.kind != AssertionKind::Judge {
                let at = ["assert".to_owned(), format!("#{nth}")];
                self.fault(&at, "`uncalibrated` is for a judge", "leave it out");
            }
        }
    }

    /// A model that answers freely may answer with words of the case; only declared labels stand in reports.
    fn labels(&mut self, suite: &Suite) {
        let declared = |metric: &str| suite.metrics.get(metric).is_some_and(|settings| !settings.labels.is_empty());
        for (nth, assertion) in suite.assert.iter().enumerate() {
            let metric = assertion.metric();
            let free = suite.target.component == Component::Chat && assertion.kind == AssertionKind::Label;
            if free && !declared(metric) {
                let at = ["assert".to_owned(), format!("#{nth}")];
                let instead = format!("write `{metric}: {{ labels: [… ] }}` under `metrics`");
                self.fault(&at, format!("the labels of `{metric}` are not declared"), instead);
            }
        }
    }

    fn gates(&mut self, suite: &Suite) {
        let known: BTreeSet<&str> = suite.assert.iter().map(Assertion::metric).chain(ALWAYS.iter().copied()).collect();
        for (nth, gate) in suite.gates.iter().enumerate() {
            let at = ["gates".to_owned(), format!("#{nth}")];
            self.figure(suite, &gate.metric, &known, &at);
            self.gate(suite, gate, &at);
        }
    }

    /// A figure that the suite's assertions will make.
    fn figure(&mut self, suite: &Suite, figure: &str, known: &BTreeSet<&str>, at: &[String]) {
        let (metric, rest) = figure.split_once('.').unwrap_or((figure, ""));
        let what = format!("no figure is called `{figure}`");
        let names = suite.assert.iter().find(|assertion| assertion.metric() == metric).map(|one| Names::of(suite, one));
        match names {
            Some(names) if names.has(rest) => {}
            Some(names) => {
                let full = names.plain.iter().map(|rest| match rest.as_str() {
                    "" => metric.to_owned(),
                    rest => format!("{metric}.{rest}"),
                });
                let full: Vec<String> = full.collect();
                self.fault(at, what, yaml::write_one_of(figure, full.iter().map(String::as_str)));
            }
            None if LATENCIES.contains(&figure) || (rest.is_empty() && figure != LATENCY && known.contains(metric)) => {
            }
            None => self.fault(at, what, yaml::write_one_of(metric, known.iter().copied())),
        }
    }

    /// Numbers that figures are made with.
    fn settings(&mut self, name: &str, settings: &MetricSettings) {
        let costs = settings.cost.values().flat_map(BTreeMap::values);
        for (key, holds, instead) in [
            ("cost", costs.copied().all(|cost| cost.is_finite() && cost >= 0.0), "write costs from 0 on"),
            ("bins", settings.bins.is_none_or(|bins| (1..=1_000).contains(&bins)), "write 1 to 1000"),
            (
                "max_error",
                settings.max_error.is_none_or(|share| (0.0..=1.0).contains(&share)),
                "write a share from 0 to 1",
            ),
            ("k", settings.k.iter().all(|k| (1..=10_000).contains(k)), "write ranks from 1 on"),
        ] {
            if !holds {
                self.fault(&["metrics", name, key], format!("`{key}` of `{name}` is out of bounds"), instead);
            }
        }
    }

    fn gate(&mut self, suite: &Suite, gate: &Gate, at: &[String]) {
        let of_judges = suite.assert.iter().filter(|assertion| assertion.kind == AssertionKind::Judge);
        let rests_on_calibration = of_judges.map(Assertion::metric).any(|metric| {
            let rest = gate.metric.strip_prefix(metric).and_then(|rest| rest.strip_prefix('.'));
            rest.is_some_and(|rest| ["corrected", "sensitivity", "specificity", "kappa"].contains(&rest))
        });
        if gate.compare.is_some() && rests_on_calibration {
            let what = format!("`{}` rests on the calibration and cannot be compared case by case", gate.metric);
            self.fault(at, what, "hold `passed` against the baseline, or this against `min`");
        }
        let ways = [gate.min.is_some(), gate.max.is_some(), gate.compare.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            self.fault(at, "a gate holds a figure in one way", "write one of `min`, `max` and `compare`");
        }
        let margins = [gate.non_inferior, gate.equivalent];
        if gate.compare.is_some() {
            if margins.iter().flatten().count() != 1 {
                let instead =
                    "write one of `non_inferior`, how much worse it may be, and `equivalent`, how far from it";
                self.fault(at, "a comparison without a margin, or with two", instead);
            }
            if gate.compare == Some(Against::Baseline) && suite.baseline.is_none() {
                self.fault(at, "a comparison without a baseline", "add `baseline`, a file, to the suite");
            }
            if gate.compare == Some(Against::Originals) && suite.dataset.originals.is_none() {
                let instead = "add `originals` with `by` and `where` to the dataset";
                self.fault(at, "a comparison with originals, and nothing says which these are", instead);
            }
        } else if margins.iter().any(Option::is_some) {
            self.fault(at, "a margin without a comparison", "add `compare: baseline` or `compare: originals`");
        }
        if gate.equivalent.is_some_and(|margin| margin <= 0.0) {
            self.fault(at, "nothing is the same within nothing", "write a margin above 0");
        }
        if margins.iter().any(Option::is_some) && gate.reason.is_none() {
            self.fault(at, "a margin without its reason", "add `reason`, why this much is no harm");
        }
        if gate.bound.is_some() && gate.compare.is_some() {
            self.fault(at, "`bound` is for `min` and `max`", "leave it out");
        }
        let other_side = (gate.min.is_some() && gate.bound == Some(Bound::Upper))
            || (gate.max.is_some() && gate.bound == Some(Bound::Lower));
        if other_side {
            let instead = "write `bound: lower` with `min` and `bound: upper` with `max`";
            self.fault(at, "this bound lies on the other side of the limit and holds nothing", instead);
        }
        let limits = [gate.min, gate.max, gate.non_inferior, gate.equivalent];
        if is_share(&gate.metric) && limits.into_iter().flatten().any(|number| number.abs() > 1.0) {
            let what = format!("`{}` never goes beyond 1", gate.metric);
            self.fault(at, what, "write a share: 0.02 for 2 %");
        }
        if gate.non_inferior.is_some_and(|margin| margin < 0.0) {
            self.fault(at, "a margin below nothing", "write how much worse it may be, 0 or more");
        }
        let numbers = [gate.min, gate.max, gate.non_inferior, gate.equivalent];
        if numbers.into_iter().flatten().any(|number| !number.is_finite()) {
            self.fault(at, "a gate's number is none", "write a finite number");
        }
        let each = gate.slice.as_ref().is_some_and(|slice| slice.ends_with("=*"));
        if gate.adjust.is_some() && !(each && gate.compare.is_some()) {
            let instead = "write `compare` and `slice: \"…=*\"`, or leave it out";
            self.fault(at, "`adjust` is for a comparison in each slice", instead);
        }
        let Some(slice) = &gate.slice else { return };
        let path = slice.split_once('=').map(|(path, _)| path).unwrap_or_default();
        if !suite.slices.iter().any(|known| known == path) {
            let instead = match yaml::write_one_of(path, suite.slices.iter().map(String::as_str)) {
                none if suite.slices.is_empty() => none.replace("leave it out", "name it under `slices`, too"),
                some => some,
            };
            self.fault(at, format!("`{slice}` is no slice of this suite"), instead);
        }
    }

    /// A path whose words stand in reports: it does not lead into what was sent.
    fn path_of_kinds(&mut self, what: &str, path: &str, at: &[String]) {
        if path.split('.').next() == Some("input") {
            let what = format!("{what} would show what was sent: `{path}`");
            self.fault(at, what, "write a path that begins with `expected` or `metadata`");
        } else {
            self.path_into(what, path, &["expected", "metadata"], at);
        }
    }

    /// A path begins with one of the roots.
    fn path_into(&mut self, what: &str, path: &str, roots: &[&str], at: &[String]) {
        let root = path.split('.').next().unwrap_or_default();
        if !roots.contains(&root) {
            let begin = roots.iter().map(|root| format!("`{root}`")).collect::<Vec<_>>().join(" or ");
            self.fault(at, format!("{what} leads nowhere: `{path}`"), format!("write a path that begins with {begin}"));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::evals::suite::Mode;

    /// A suite without a fault.
    pub(in crate::evals) const GOOD: &str = r"version: 1
suite: smoke
description: A few messages.
dataset: { path: cases.jsonl, cluster: none }
target: { component: chat, json: true }
models:
  - id: mock/fixed
assert:
  - { type: label, actual: output.label, expected: expected.label, metric: category }
  - { type: confidence, actual: output.confidence, of: category, metric: sure }
metrics: { category: { labels: [LI1, ST2] } }
slices: [metadata.lang]
gates:
  - { metric: category.macro_f1, min: 0.8 }
  - { metric: errors, max: 0 }
";

    fn faults(text: &str) -> Vec<(usize, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("smoke.yaml");
        std::fs::write(&path, text).unwrap();
        match suite(&path) {
            Ok(_) => Vec::new(),
            Err(faults) => faults
                .into_iter()
                .map(|fault| (fault.line.unwrap_or_default(), format!("{} → {}", fault.what, fault.instead)))
                .collect(),
        }
    }

    #[test]
    fn a_good_suite_has_no_fault() {
        assert_eq!(faults(GOOD), []);
    }

    #[test]
    fn every_fault_has_its_line() {
        for (from, to, line, says) in [
            ("version: 1", "version: 2", 1, "version 2"),
            ("suite: smoke", "suite: Smoke Test", 2, "no plain word"),
            ("cluster: none", "cluster: household", 4, "leads nowhere"),
            (", cluster: none", "", 4, "`cluster` is missing"),
            ("cases.jsonl,", "cases.jsonl, sha256: abc,", 4, "no SHA-256"),
            ("component: chat", "component: verify", 5, "component `chat` only"),
            ("mock/fixed", "claude", 7, "names no model"),
            ("mock/fixed", "openai/m\n    url: https://me:sk-1@a.example/v1", 7, "a name, a key or a query"),
            ("metric: category }", "metric: sure }", 10, "two assertions make the figure `sure`"),
            ("type: label", "type: lable", 9, "`label`"),
            ("expected: expected.label, ", "", 9, "nothing to compare with"),
            ("actual: output.label", "actual: answer.label", 9, "leads nowhere"),
            ("of: category", "of: categry", 10, "which label"),
            ("labels: [LI1, ST2]", "bins: 5", 9, "not declared"),
            ("metadata.lang", "meta.lang", 12, "leads nowhere"),
            ("metadata.lang", "input.text", 12, "what was sent"),
            ("cluster: none", "cluster: input.sender", 4, "what was sent"),
            ("min: 0.8", "min: 0.8, bound: upper", 14, "the other side"),
            ("max: 0", "max: 0, bound: lower", 15, "the other side"),
            ("min: 0.8", "min: 80", 14, "beyond 1"),
            ("min: 0.8", "compare: baseline, non_inferior: 5, reason: five points", 14, "beyond 1"),
            ("min: 0.8", "compare: baseline, non_inferior: -0.1, reason: none", 14, "below nothing"),
            ("category.macro_f1", "categry.macro_f1", 14, "write `category`"),
            ("min: 0.8", "min: 0.8, max: 1", 14, "in one way"),
            ("min: 0.8", "compare: baseline", 14, "without a margin"),
            ("min: 0.8", "min: 0.8, slice: metadata.channel=web", 14, "no slice"),
            ("max: 0", "max: 0, adjust: bh", 15, "comparison in each slice"),
            ("min: 0.8", "compare: baseline, equivalent: 0, reason: none", 14, "within nothing"),
            ("min: 0.8", "compare: baseline, equivalent: 0.1, non_inferior: 0.1", 14, "or with two"),
            ("min: 0.8", "compare: originals, equivalent: 0.1, reason: none", 14, "which these are"),
            ("none }", "none, originals: { by: base, where: metadata.rewrite=none } }", 4, "leads nowhere"),
            ("none }", "none, originals: { by: metadata.base, where: metadata.rewrite } }", 4, "names no word"),
            ("min: 0.8", "min: 0.8, equivalent: 0.1, reason: none", 14, "without a comparison"),
            ("category.macro_f1", "category.macro_fi", 14, "`category.macro_f1`"),
            ("category.macro_f1", "category", 14, "no figure is called `category`"),
            ("category.macro_f1", "sure.accuracy", 14, "no figure is called `sure.accuracy`"),
            ("metric: errors", "metric: latency_ms", 15, "no figure is called `latency_ms`"),
            ("metric: errors", "metric: errors.p50", 15, "no figure is called `errors.p50`"),
            ("labels: [LI1, ST2]", "labels: [LI1, ST2], cost: { a: { b: .nan } }", 11, "`cost` of `category`"),
            ("labels: [LI1, ST2]", "labels: [LI1, ST2], bins: 0", 11, "`bins` of `category`"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let found = faults(&text);
            assert!(found.iter().any(|(at, words)| *at == line && words.contains(says)), "{to}: {found:?}");
        }
    }

    /// Faults of the defaults, or the suite as it is with them.
    fn with_defaults(suite: &str, defaults: &str) -> Result<Loaded, Vec<(String, usize, String)>> {
        let folder = tempfile::tempdir().unwrap();
        let suites = folder.path().join("suites");
        std::fs::create_dir(&suites).unwrap();
        std::fs::write(suites.join("smoke.yaml"), suite).unwrap();
        if !defaults.is_empty() {
            std::fs::write(folder.path().join("defaults.yaml"), defaults).unwrap();
        }
        self::suite(&suites.join("smoke.yaml")).map_err(|faults| {
            let told = |fault: Fault| {
                let file = fault.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (file, fault.line.unwrap_or_default(), format!("{} → {}", fault.what, fault.instead))
            };
            faults.into_iter().map(told).collect()
        })
    }

    #[test]
    fn defaults_lie_under_what_a_suite_says() {
        let own = GOOD.replace("assert:\n", "run: { attempts: 3 }\nassert:\n");
        let without = with_defaults(&own, "").unwrap();
        let same = with_defaults(&own, "version: 1\nrun: { attempts: 9, max_concurrency: 20 }\n").unwrap();
        assert_eq!(
            (&same.suite, &same.hash),
            (&without.suite, &without.hash),
            "what changes nothing is no other suite"
        );

        let defaults = "version: 1\nmodels: [{ id: openai/m }]\nrun: { attempts: 9, budget: 2.5, mode: replay }\n";
        let laid = with_defaults(&own, defaults).unwrap();
        let run = &laid.suite.run;
        assert_eq!((run.attempts, run.budget, run.mode), (3, Some(2.5), Mode::Replay));
        assert_eq!(laid.suite.models[0].id, "mock/fixed", "the suite has a model");
        assert_ne!(laid.hash, without.hash);
        let asks = GOOD.replace("models:\n  - id: mock/fixed\n", "");
        assert_eq!(with_defaults(&asks, defaults).unwrap().suite.models[0].id, "openai/m");
        let offline = asks.replace("component: chat, json: true", "component: triage");
        assert!(with_defaults(&offline, defaults).unwrap().suite.models.is_empty(), "the offline engine's");
    }

    #[test]
    fn defaults_are_read_as_strictly_as_a_suite() {
        for (defaults, line, says) in [
            ("version: 2\n", 1, "version 2"),
            ("version: 1\nmodel: openai/m\n", 2, "`model`"),
            ("version: 1\nmodels:\n  - id: claude\n", 3, "names no model"),
            ("version: 1\nrun:\n  attempts: 0\n", 3, "out of bounds"),
            ("version: 1\nrun:\n  atempts: 2\n", 3, "attempts"),
            ("version: 1\njudge:\n  provider: gpt\n", 3, "names no model"),
        ] {
            let found = with_defaults(GOOD, defaults).unwrap_err();
            let told = |(file, at, words): &(String, usize, String)| {
                file == "defaults.yaml" && *at == line && words.contains(says)
            };
            assert!(found.iter().any(told), "{defaults}: {found:?}");
        }
    }

    #[test]
    fn files_are_named_from_where_the_suite_stands() {
        let folder = tempfile::tempdir().unwrap();
        let suites = folder.path().join("suites");
        std::fs::create_dir(&suites).unwrap();
        let path = suites.join("smoke.yaml");
        std::fs::write(&path, GOOD).unwrap();
        let loaded = suite(&path).unwrap();
        assert_eq!(loaded.home(), folder.path());
        assert_eq!(loaded.cassettes(), folder.path().join("cassettes/smoke"));
        assert_eq!(loaded.resolve(Path::new("../datasets/a.jsonl")), folder.path().join("datasets/a.jsonl"));
        assert_eq!(loaded.resolve(Path::new("file://a.jsonl")), suites.join("a.jsonl"));
        assert_eq!(tidy(Path::new("./../../a/./b/../c")), Path::new("../../a/c"));
    }
}
