//! Asking a judge about what people have labelled: a file of labels in, the items of a calibration out.
//!
//! The judge is asked as in a run, by the same rubric through the same client and cassettes. Labels hold the texts that
//! are judged; what comes out holds none of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::stream::{self, StreamExt as _};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Item;
use crate::evals::case::{EvalCase, EvalCaseId};
use crate::evals::load::Loaded;
use crate::evals::row::{JudgedBy, Observation, Used};
use crate::evals::score::{Answered, Scorer};
use crate::evals::suite::{Assertion, AssertionKind, Component, Dataset, RunSettings, Suite, Target};
use crate::municipality::{Faults, yaml};

/// What the judge's opinion is called here.
const METRIC: &str = "opinion";

/// One line of a file of labels.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The item.
    pub id: EvalCaseId,
    /// Whether people call the output good.
    pub human: bool,
    /// What it depends on others by; none: it stands alone.
    #[serde(default)]
    pub cluster: Option<String>,
    /// What had gone in.
    #[serde(default)]
    pub input: Value,
    /// What should have come out.
    #[serde(default)]
    pub expected: Value,
    /// What is known about it.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// What is judged.
    pub output: Value,
}

/// The labels of a file.
///
/// # Errors
/// Every line that is none, a file without any, an id that stands twice.
pub fn labels(file: &Path) -> Result<Vec<Label>, Faults> {
    let mut faults = Faults::new();
    let source = yaml::read_file(file, &mut faults).unwrap_or_default();
    let mut labels: Vec<Label> = Vec::new();
    for (at, line) in source.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Label>(line) {
            Ok(label) if labels.iter().any(|known| known.id == label.id) => {
                faults.at(file, at + 1, format!("the item `{}` stands twice", label.id), "keep one of the two lines");
            }
            Ok(label) => labels.push(label),
            Err(_) => {
                let instead = r#"write {"id": "…", "human": true, "output": {"letter": "…"}}"#;
                faults.at(file, at + 1, "this is no labelled item", instead);
            }
        }
    }
    if faults.is_empty() && labels.is_empty() {
        faults.at(file, None, "there is no labelled item in it", "write one a line");
    }
    if faults.is_empty() { Ok(labels) } else { Err(faults) }
}

/// A suite that asks nothing but one judge, beside the suites of the rubric's folder of evaluations.
#[must_use]
pub fn suite(rubric: &Path, model: &str, least: Option<f64>, run: RunSettings) -> Loaded {
    let folder = rubric.parent().unwrap_or_else(|| Path::new(""));
    let home = match folder.parent() {
        Some(above) if folder.file_name().is_some_and(|name| name == "rubrics") => above,
        _ => folder,
    };
    let assertion = Assertion {
        kind: AssertionKind::Judge,
        metric: Some(METRIC.to_owned()),
        actual: None,
        expected: None,
        value: None,
        threshold: least,
        order: Vec::new(),
        abstained: None,
        of: None,
        // Whole, because the suite's own folder need not be there.
        rubric: Some(std::path::absolute(rubric).unwrap_or_else(|_| rubric.to_owned())),
        provider: Some(model.to_owned()),
        uncalibrated: None,
        only_measure: true,
    };
    let suite = Suite {
        version: 1,
        suite: "calibration".to_owned(),
        description: "What a judge says of what people have labelled.".to_owned(),
        dataset: Dataset {
            path: PathBuf::new(),
            split: None,
            sha256: None,
            cluster: "none".to_owned(),
            originals: None,
        },
        target: Target {
            component: Component::Chat,
            prompts: None,
            system: None,
            user: None,
            json: false,
            keep_output: false,
        },
        models: Vec::new(),
        run,
        assert: vec![assertion],
        metrics: BTreeMap::new(),
        slices: Vec::new(),
        gates: Vec::new(),
        baseline: None,
    };
    Loaded { suite, path: home.join("suites").join("calibration.yaml"), hash: String::new() }
}

/// What a judge said.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Each item that it was asked about, in the order of the labels.
    pub items: Vec<Item>,
    /// Tokens and money.
    pub used: Used,
    /// The first call that came to nothing: who is not there has no opinion, and there is no calibration.
    pub fault: Option<String>,
}

/// Asks the judge of a scorer that [`suite`] made about every label, so many at a time.
pub async fn ask(scorer: &Scorer, judge: &JudgedBy, labels: &[Label], at_once: u32) -> Asked {
    let asked = stream::iter(labels).map(|label| async move {
        let Label { id, input, expected, metadata, output, .. } = label.clone();
        let case = EvalCase { id, input, expected, metadata };
        let answered = Answered { output: &output, used: &Used::default(), latency_ms: 0.0 };
        (label, scorer.grade(&case, 0, answered).await)
    });
    let mut asked = asked.buffered(at_once.max(1) as usize);
    let mut all = Asked { items: Vec::new(), used: Used::default(), fault: None };
    while let Some((label, grade)) = asked.next().await {
        let score = match grade.scores.get(METRIC).map(|scored| &scored.observation) {
            Some(Observation::Score { value }) => Some(*value),
            _ => None,
        };
        if let (None, Some(fault)) = (score, grade.fault) {
            all.fault.get_or_insert_with(|| format!("{}: {fault}", label.id));
        }
        all.used = all.used.and(grade.judged);
        let Label { id, cluster, human, .. } = label.clone();
        all.items.push(Item { id, cluster, human, score, judge: judge.clone() });
    }
    all
}

/// The items as they stand in a calibration's file, one a line.
///
/// # Errors
/// When one cannot be written as JSON; none is known.
pub fn lines(items: &[Item]) -> serde_json::Result<String> {
    items.iter().map(|item| Ok(serde_json::to_string(item)? + "\n")).collect()
}

/// The items about which the judge and people differ, by id.
#[must_use]
pub fn disagreements(items: &[Item], least: f64) -> Vec<&EvalCaseId> {
    let differs = |item: &&Item| item.score.is_some_and(|score| (score >= least) != item.human);
    items.iter().filter(differs).map(|item| &item.id).collect()
}
