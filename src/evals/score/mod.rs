//! What an answer is worth: each assertion of a suite looks at one thing and notes what it saw.
//!
//! A [`Scorer`] is made once for a suite and then scores case after case without any input or output; only a judge asks
//! anybody. It notes observations, not conclusions: figures are made of them elsewhere. An assertion whose expected
//! value a case does not have does not apply to it. What cannot be graded is [ungraded](Grade::ungraded), never wrong;
//! no detail carries a word of a case or an answer.

mod drafts;
mod facts;
pub mod judge;
mod labels;
mod place;
mod ranking;
mod reader;
mod text;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jsonschema::Validator;
use regex::Regex;
use serde_json::Value;

use self::judge::{Judge, SameFamily, family};
use self::labels::Labels;
use self::place::Place;
use self::reader::Reader;
use super::case::{EvalCase, plain};
use super::meter::{Spent, metered};
use super::row::{JudgedBy, Observation, Scored, Status, Used};
use super::suite::{Assertion, AssertionKind, ModelChoice, Suite};
use crate::clock::Ambient;
use crate::model::chat::{ChatError, ChatModel};
use crate::municipality::Faults;

/// An answer and what it took.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// What the target answered.
    pub output: &'a Value,
    /// Tokens and money.
    pub used: &'a Used,
    /// How long it took, milliseconds.
    pub latency_ms: f64,
}

/// What scoring an answer came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Grade {
    /// By metric.
    pub scores: BTreeMap<String, Scored>,
    /// Why something could not be graded, if so: one plain sentence without case text.
    pub ungraded: Option<String>,
    /// What the judges took.
    pub judged: Used,
    /// The first call of a judge that came to nothing.
    pub fault: Option<ChatError>,
}

impl Grade {
    /// What became of the case. A wrong answer is wrong even where something else could not be graded.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.scores.values().any(|scored| scored.pass == Some(false)) {
            Status::Failed
        } else if self.ungraded.is_some() {
            Status::Ungraded
        } else {
            Status::Ok
        }
    }
}

/// The assertions of a suite, ready to look at answers.
#[derive(Debug)]
pub struct Scorer {
    checks: Vec<Check>,
    judges: Vec<(Noted, Judge)>,
}

/// Under which name an assertion notes what it saw.
#[derive(Debug)]
struct Noted {
    metric: String,
    only_measure: bool,
}

/// One assertion that asks nobody.
#[derive(Debug)]
struct Check {
    noted: Noted,
    actual: Place,
    gold: Gold,
    threshold: Option<f64>,
    abstained: Option<Place>,
    test: Test,
}

/// The right answer.
#[derive(Debug)]
enum Gold {
    /// There is none to compare with.
    Absent,
    /// The same for all cases.
    Fixed(Value),
    /// In the case.
    At(Place),
}

/// What an assertion asks.
#[derive(Debug)]
enum Test {
    Equals,
    Label(Labels),
    Ordinal(Labels),
    /// Of the check at that place.
    Confidence(usize),
    Ranking,
    Set,
    ContainsAll,
    Contains,
    NotContains,
    /// None: the pattern stands in the case.
    Regex(Option<Regex>),
    /// None: the schema stands in the case.
    JsonSchema(Option<Box<Validator>>),
    Amount,
    Language,
    NotContainsPii,
    Citations,
    Grounded,
    Checks,
    Parts,
    EditDistance,
    Facts,
    Latency,
    Cost,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    observation: Observation,
    pass: Option<bool>,
    detail: Option<String>,
}

/// Why nothing can be said: one plain sentence without case text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ungradable(String);

/// What was seen; none where the assertion does not apply.
type Found = Result<Option<Finding>, Ungradable>;

impl Ungradable {
    fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "each gives what an assertion gives")]
impl Finding {
    fn of(observation: Observation, pass: bool) -> Found {
        Ok(Some(Self { observation, pass: Some(pass), detail: None }))
    }

    fn measured(observation: Observation) -> Found {
        Ok(Some(Self { observation, pass: None, detail: None }))
    }

    /// Right or wrong.
    fn right(right: bool) -> Found {
        Self::of(Observation::Score { value: if right { 1.0 } else { 0.0 } }, right)
    }

    /// A share; all of it must hold where no threshold is given.
    fn shared(value: f64, least: Option<f64>, detail: Option<String>) -> Found {
        let pass = value >= least.unwrap_or(1.0);
        Ok(Some(Self { observation: Observation::Score { value }, pass: Some(pass), detail }))
    }

    /// A set against the expected one; both must be the same where no threshold of F1 is given.
    fn counted(hits: usize, surplus: usize, missing: usize, least: Option<f64>) -> Found {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let observation = Observation::Counts {
            true_positive: count(hits),
            false_positive: count(surplus),
            false_negative: count(missing),
        };
        let pass = share(2 * hits, 2 * hits + surplus + missing) >= least.unwrap_or(1.0);
        let apart = surplus + missing > 0;
        let detail = apart.then(|| format!("{missing} missing, {surplus} too many"));
        Ok(Some(Self { observation, pass: Some(pass), detail }))
    }

    fn amount(value: f64, most: Option<f64>) -> Found {
        Ok(Some(Self {
            observation: Observation::Amount { value },
            pass: most.map(|most| value <= most),
            detail: None,
        }))
    }
}

/// A share; all of nothing is all.
#[expect(clippy::cast_precision_loss, reason = "numbers of items")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// The mean of some values; 0 of none.
#[expect(clippy::cast_precision_loss, reason = "numbers of verdicts")]
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// A value as a set of plain words: the items of a list, or the one value; nothing of nothing.
fn words_of(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        None | Some(Value::Null) => BTreeSet::new(),
        Some(Value::Array(items)) => items.iter().map(|item| plain(Some(item))).collect(),
        Some(one) => BTreeSet::from([plain(Some(one))]),
    }
}

impl Scorer {
    /// Makes the assertions of a suite ready. `file` is the suite's: what it names stands beside it, and faults have
    /// its lines.
    ///
    /// # Errors
    /// Every assertion that cannot be used, with file and line.
    pub fn new(suite: &Suite, file: &Path) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        // Without the file, as for a run that is scored again elsewhere, faults have no better line than the first.
        let source = std::fs::read_to_string(file).unwrap_or_default();
        let folder = file.parent().unwrap_or_else(|| Path::new(""));
        let mut scorer = Self { checks: Vec::new(), judges: Vec::new() };
        let mut names = BTreeSet::new();
        for (nth, assertion) in suite.assert.iter().enumerate() {
            let mut reader = Reader { suite, assertion, folder, file, source: &source, nth, faults: &mut faults };
            if !names.insert(assertion.metric()) {
                let what = format!("two assertions make the figure `{}`", assertion.metric());
                reader.fault("metric", what, "give one of them another name under `metric`");
            }
            if assertion.kind == AssertionKind::Judge {
                if let Some(judge) = reader.judge() {
                    scorer.judges.push((Noted::of(assertion), judge));
                }
            } else if let Some(check) = reader.check(&scorer.checks) {
                scorer.checks.push(check);
            }
        }
        if faults.is_empty() { Ok(scorer) } else { Err(faults) }
    }

    /// The models that judge, as the suite names them.
    pub fn judges(&self) -> impl Iterator<Item = &ModelChoice> {
        self.judges.iter().map(|(_, judge)| judge.provider())
    }

    /// The judges: the figure that each makes, its rubric, who it is, and the least share that passes.
    pub fn seats(&self) -> impl Iterator<Item = (&str, &str, &JudgedBy, f64)> {
        self.judges.iter().map(|(noted, judge)| {
            let (rubric, by, least) = judge.seat_of();
            (noted.metric.as_str(), rubric, by, least)
        })
    }

    /// That no judge is of the candidate's family.
    ///
    /// # Errors
    /// [`SameFamily`].
    pub fn refuse_own_family(&self, candidate: Option<&ModelChoice>) -> Result<(), SameFamily> {
        let Some(candidate) = candidate else { return Ok(()) };
        match self.judges().find(|judge| family(&judge.id) == family(&candidate.id)) {
            Some(judge) => Err(SameFamily { judge: judge.id.clone(), candidate: candidate.id.clone() }),
            None => Ok(()),
        }
    }

    /// Puts every rubric before its model.
    ///
    /// # Errors
    /// Those of `connect`.
    pub fn seat_judges<E>(
        &mut self,
        ambient: &Ambient,
        mut connect: impl FnMut(&ModelChoice) -> Result<Arc<dyn ChatModel>, E>,
    ) -> Result<(), E> {
        for (_, judge) in &mut self.judges {
            let model = connect(judge.provider())?;
            judge.seat(model, ambient);
        }
        Ok(())
    }

    /// Scores an answer, judges included.
    pub async fn grade(&self, case: &EvalCase, epoch: u32, answered: Answered<'_>) -> Grade {
        let mut grade = self.measure(case, answered);
        for (noted, judge) in &self.judges {
            let (found, Spent { used, fault, .. }) = metered(judge.grade(case, epoch, answered.output)).await;
            grade.judged = grade.judged.and(used);
            grade.fault = grade.fault.or(fault.filter(|_| found.is_err()));
            grade.note(noted, found.map(Some));
            if let Some(scored) = grade.scores.get_mut(&noted.metric) {
                scored.judge = Some(judge.seat_of().1.clone());
            }
        }
        grade
    }

    /// Scores an answer by everything that asks nobody.
    #[must_use]
    pub fn measure(&self, case: &EvalCase, answered: Answered<'_>) -> Grade {
        let mut grade = Grade::default();
        for check in &self.checks {
            grade.note(&check.noted, self.look(check, case, answered));
        }
        if grade.scores.is_empty() && self.judges.is_empty() {
            grade.ungraded.get_or_insert_with(|| "no assertion applies to this case".to_owned());
        }
        grade
    }

    /// Assertions whose right answer no case has, by their number in the suite, with the path.
    #[must_use]
    pub fn leads_nowhere<'a>(&self, suite: &'a Suite, cases: &[EvalCase]) -> Vec<(usize, &'a str)> {
        let nowhere = |metric: &str| {
            let of_metric = self.checks.iter().find(|check| check.noted.metric == metric);
            of_metric.is_some_and(|check| match &check.gold {
                Gold::At(place) => cases.iter().all(|case| place.find(case, &Value::Null).is_none()),
                Gold::Absent | Gold::Fixed(_) => false,
            })
        };
        let asserted = suite.assert.iter().enumerate();
        let path =
            |(nth, assertion): (usize, &'a Assertion)| Some((nth, assertion.expected.as_deref()?, assertion.metric()));
        asserted.filter_map(path).filter(|(.., metric)| nowhere(metric)).map(|(nth, path, _)| (nth, path)).collect()
    }

    fn look(&self, check: &Check, case: &EvalCase, answered: Answered<'_>) -> Found {
        let find = |place: &Place| place.find(case, answered.output).map(Cow::into_owned);
        let gold = match &check.gold {
            Gold::Absent => None,
            Gold::Fixed(value) => Some(value.clone()),
            Gold::At(place) => match find(place) {
                Some(value) => Some(value),
                None => return Ok(None),
            },
        };
        let actual = check.actual.find(case, answered.output);
        let (actual, gold) = (actual.as_deref(), gold.as_ref());
        let nothing = &Value::Null;
        let expected = gold.unwrap_or(nothing);
        let is_set = |place: &Place| find(place) == Some(Value::Bool(true));
        let abstained = check.abstained.as_ref().is_some_and(is_set);
        match &check.test {
            Test::Equals => labels::equals(actual, expected),
            Test::Label(known) => labels::label(known, actual, expected, abstained),
            Test::Ordinal(order) => labels::level(order, actual, expected, abstained),
            Test::Confidence(of) => self.sure(check, *of, case, answered, abstained),
            Test::Ranking => ranking::ranking(actual, expected, check.threshold),
            Test::Set => labels::set(actual, expected, check.threshold),
            Test::ContainsAll => text::contains_all(actual, expected, check.threshold),
            Test::Contains => text::contains(actual, expected),
            Test::NotContains => text::contains_none(actual, expected),
            Test::Regex(Some(pattern)) => text::matches(pattern, actual),
            Test::Regex(None) => text::matches(&text::pattern(expected)?, actual),
            Test::JsonSchema(Some(schema)) => text::fits(schema, actual),
            Test::JsonSchema(None) => text::fits(&text::schema(expected)?, actual),
            Test::Amount => facts::amount(actual, expected),
            Test::Language => text::language(actual, expected, check.threshold),
            Test::NotContainsPii => text::no_identifier(actual, gold),
            Test::Citations => drafts::none_failed(actual, &drafts::CITATIONS),
            Test::Grounded => drafts::none_failed(actual, &drafts::GROUNDED),
            Test::Checks => drafts::checks(actual, gold),
            Test::Parts => drafts::parts(actual, expected),
            Test::EditDistance => text::edit_distance(actual, expected, check.threshold),
            Test::Facts => facts::facts(actual, expected, check.threshold),
            Test::Latency => Finding::amount(answered.latency_ms.max(0.0), check.threshold),
            Test::Cost => Finding::amount(euros(answered.used), check.threshold),
        }
    }

    /// How sure the target was of the label that another check looks at.
    fn sure(&self, check: &Check, of: usize, case: &EvalCase, answered: Answered<'_>, abstained: bool) -> Found {
        let Some(label) = self.checks.get(of) else { return Ok(None) };
        let (Test::Label(known) | Test::Ordinal(known)) = &label.test else { return Ok(None) };
        let gold = match &label.gold {
            Gold::Absent => None,
            Gold::Fixed(value) => Some(Cow::Borrowed(value)),
            Gold::At(place) => place.find(case, answered.output),
        };
        let Some(gold) = gold else { return Ok(None) };
        let sure = check.actual.find(case, answered.output);
        let said = label.actual.find(case, answered.output);
        labels::confidence(known, sure.as_deref(), said.as_deref(), &gold, abstained)
    }
}

/// What a row cost, euros.
#[expect(clippy::cast_precision_loss, reason = "the cost of one case")]
fn euros(used: &Used) -> f64 {
    used.cost_micros as f64 / 1e6
}

impl Grade {
    fn note(&mut self, noted: &Noted, found: Found) {
        match found {
            Ok(None) => {}
            Ok(Some(Finding { observation, pass, detail })) => {
                let pass = pass.filter(|_| !noted.only_measure);
                self.scores.insert(noted.metric.clone(), Scored { observation, pass, detail, judge: None });
            }
            Err(Ungradable(why)) => {
                self.ungraded.get_or_insert_with(|| format!("{}: {why}", noted.metric));
            }
        }
    }
}

impl Noted {
    fn of(assertion: &Assertion) -> Self {
        Self { metric: assertion.metric().to_owned(), only_measure: assertion.only_measure }
    }
}

/// A file that a suite in this folder names; promptfoo's `file://` may stand before it.
fn named(folder: &Path, file: &Path) -> PathBuf {
    folder.join(file.to_str().and_then(|text| text.strip_prefix("file://")).map_or(file, Path::new))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::{BoxFuture, FutureExt as _};
    use serde_json::json;

    use super::*;
    use crate::model::chat::{ChatAnswer, ChatError, ChatRequest, Finish, Message, Usage};
    use crate::municipality::yaml;

    fn suite(assert: &Value) -> Suite {
        let suite = json!({
            "version": 1, "suite": "s", "description": "d", "assert": assert,
            "dataset": { "path": "cases.jsonl", "cluster": "none" }, "target": { "component": "chat" },
            "metrics": { "category": { "labels": ["LI1", "ST2"] } },
        });
        serde_json::from_value(suite).unwrap()
    }

    fn scorer(assert: &Value) -> Scorer {
        Scorer::new(&suite(assert), Path::new("suite.yaml")).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn case(expected: &Value) -> EvalCase {
        serde_json::from_value(json!({ "id": "a", "input": { "text": "Valo" }, "expected": expected })).unwrap()
    }

    fn measure(scorer: &Scorer, expected: &Value, output: &Value) -> Grade {
        scorer.measure(&case(expected), Answered { output, used: &Used::default(), latency_ms: 12.5 })
    }

    #[test]
    fn each_assertion_notes_what_it_saw() {
        let scorer = scorer(&json!([
            { "type": "label", "metric": "category", "actual": "output.category", "expected": "expected.category",
              "abstained": "output.abstained" },
            { "type": "confidence", "metric": "sure", "actual": "output.confidence", "of": "category",
              "abstained": "output.abstained" },
            { "type": "ordinal", "metric": "urgency", "actual": "output.urgency", "expected": "expected.urgency",
              "order": ["U3", "U2", "U1", "U0"], "only_measure": true },
            { "type": "latency", "threshold": 10 },
            { "type": "cost" },
            { "type": "not-contains-pii", "metric": "pii", "actual": "output.note" },
        ]));
        let expected = json!({ "category": "LI1", "urgency": "U0" });
        let output =
            json!({ "category": "LI1", "abstained": true, "confidence": 0.5, "urgency": "U3", "note": "a@b.fi" });
        let grade = measure(&scorer, &expected, &output);
        assert_eq!(grade.status(), Status::Failed);
        let of = |metric: &str| (grade.scores[metric].observation.clone(), grade.scores[metric].pass);
        let label = |gold: &str, predicted: &str| (gold.to_owned(), predicted.to_owned());
        let (gold, predicted) = label("LI1", "__abstain__");
        assert_eq!(of("category"), (Observation::Label { gold, predicted }, Some(false)));
        let sure = Observation::Confidence { confidence: 0.5, correct: true, abstained: true };
        assert_eq!(of("sure"), (sure, None));
        let (gold, predicted) = label("U0", "U3");
        assert_eq!(of("urgency"), (Observation::Level { gold, predicted }, None), "measured and never failed");
        assert_eq!(of("latency"), (Observation::Amount { value: 12.5 }, Some(false)));
        assert_eq!(of("cost"), (Observation::Amount { value: 0.0 }, None));
        assert_eq!(of("pii"), (Observation::Score { value: 0.0 }, Some(false)));
        let written = serde_json::to_string(&grade.scores).unwrap();
        assert!(!written.contains("a@b.fi"), "no detail carries what was found: {written}");
    }

    #[test]
    fn what_a_case_does_not_expect_does_not_apply_to_it() {
        let scorer = scorer(&json!([
            { "type": "equals", "metric": "kind", "actual": "output.kind", "expected": "expected.kind" },
            { "type": "facts", "expected": "expected.facts" },
        ]));
        let grade = measure(&scorer, &json!({ "kind": null }), &json!({ "kind": null }));
        assert_eq!(grade.scores.keys().collect::<Vec<_>>(), ["kind"]);
        assert_eq!(grade.status(), Status::Ok);
        assert_eq!(measure(&scorer, &Value::Null, &json!({})).scores, BTreeMap::new());
    }

    #[test]
    fn what_cannot_be_graded_is_not_wrong() {
        let scorer = scorer(&json!([
            { "type": "label", "metric": "category", "actual": "output.c", "expected": "expected.c" },
            { "type": "equals", "metric": "same", "actual": "output.c", "expected": "expected.c" },
        ]));
        let grade = measure(&scorer, &json!({ "c": "XX9" }), &json!({ "c": "XX9" }));
        assert_eq!(grade.status(), Status::Ungraded);
        assert_eq!(grade.ungraded.as_deref(), Some("category: the expected label is none of the suite's labels"));
        let both = measure(&scorer, &json!({ "c": "XX9" }), &json!({ "c": "LI1" }));
        assert_eq!(both.status(), Status::Failed, "a wrong answer is wrong all the same");
    }

    #[test]
    fn every_assertion_that_cannot_be_used_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("suite.yaml");
        let yaml = "assert:\n  - type: equals\n    actual: answer.x\n    expected: expected.x\n  - type: label\n  - type: regex\n    value: '['\n  - type: json-schema\n    value: none.json\n  - type: ordinal\n    expected: expected.u\n    order: [a]\n  - type: confidence\n    of: label\n  - type: judge\n  - type: equals\n    expected: output.x\n";
        std::fs::write(&file, yaml).unwrap();
        let read: Value = yaml::read(&file, yaml, 1, &mut Faults::new()).unwrap();
        let faults = Scorer::new(&suite(&read["assert"]), &file).unwrap_err().to_string();
        for (line, words) in [
            (3, "the path `answer.x` leads nowhere"),
            (5, "`label` has nothing to compare with"),
            (7, "no regular expression"),
            (12, "no scale"),
            (14, "nobody knows which label"),
            (15, "a judge without a rubric"),
            (16, "two assertions make the figure `equals`"),
            (17, "looked for in the answer"),
        ] {
            let place = format!("suite.yaml:{line}: ");
            let told = faults.lines().any(|fault| fault.contains(&place) && fault.contains(words));
            assert!(told, "{place}{words} in\n{faults}");
        }
        assert!(faults.contains("none.json: the file cannot be read"), "{faults}");
    }

    /// A judge that says one thing after the other.
    #[derive(Debug)]
    struct Says(std::sync::Mutex<Vec<&'static str>>);

    impl ChatModel for Says {
        fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
            let Some(Message::User(shown)) = request.messages.get(1) else { panic!("two messages") };
            assert!(shown.as_str().contains("Hyvä [e-mail]"), "identifiers are masked: {shown}");
            let answer = ChatAnswer {
                content: Some(self.0.lock().unwrap().remove(0).to_owned()),
                refusal: None,
                tool_calls: Vec::new(),
                finish: Finish::Stop,
                usage: Usage { input: 10, cached: 0, output: 2, estimated: false },
                model: "mistral-large".to_owned(),
                endpoint: "primary".to_owned(),
                attempts: 1,
                latency: Duration::ZERO,
            };
            futures::future::ready(Ok(answer)).boxed()
        }
    }

    async fn judged(says: &[&'static str]) -> Grade {
        let folder = tempfile::tempdir().unwrap();
        let rubric = "version: 1\nrubric: tone\ndescription: Tone.\nprompt: Is it polite?\nshow: [output.letter]\nscale: {good: 1, bad: 0}\nrepeats: 3\n";
        std::fs::write(folder.path().join("tone.yaml"), rubric).unwrap();
        let suite = suite(
            &json!([{ "type": "judge", "metric": "tone", "rubric": "tone.yaml", "provider": "openai/mistral-large" }]),
        );
        let mut scorer = Scorer::new(&suite, &folder.path().join("s.yaml")).unwrap_or_else(|faults| panic!("{faults}"));
        let candidate = |id: &str| ModelChoice { id: id.to_owned(), url: None };
        assert!(scorer.refuse_own_family(Some(&candidate("openai-api/local/ministral-8b"))).is_err());
        assert_eq!(scorer.refuse_own_family(Some(&candidate("openai/gpt-4.1"))), Ok(()));
        let model: Arc<dyn ChatModel> = Arc::new(Says(std::sync::Mutex::new(says.to_vec())));
        scorer.seat_judges::<()>(&Ambient::system(), |_| Ok(Arc::clone(&model))).unwrap();
        let output = json!({ "letter": "Hyvä a@b.fi" });
        let answered = Answered { output: &output, used: &Used::default(), latency_ms: 0.0 };
        scorer.grade(&case(&Value::Null), 0, answered).await
    }

    const GOOD: &str = r#"{"reason": "It is.", "verdict": "good"}"#;
    const BAD: &str = "```json\n{\"reason\": \"It is not.\", \"verdict\": \"bad\"}\n```";
    const ODD: &str = r#"{"reason": "Hm.", "verdict": "middling"}"#;

    #[tokio::test]
    async fn a_judges_verdicts_are_averaged_and_their_spread_is_told() {
        let grade = judged(&[GOOD, BAD, GOOD]).await;
        let tone = &grade.scores["tone"];
        assert_eq!(tone.observation, Observation::Score { value: 2.0 / 3.0 });
        assert_eq!((tone.pass, tone.detail.as_deref()), (Some(true), Some("3 of 3 verdicts, from 0 to 1")));
        assert_eq!(grade.status(), Status::Ok);
    }

    #[tokio::test]
    async fn a_judge_that_cannot_be_read_grades_nothing() {
        let grade = judged(&[ODD, GOOD, ODD]).await;
        assert_eq!((grade.status(), grade.scores.len()), (Status::Ungraded, 0));
        assert_eq!(grade.ungraded.as_deref(), Some("tone: the judge's verdict is no word of the scale"));
        // Asked again for the form once, as everywhere, and then given up.
        let grade = judged(&["Very good!", "Very good!", GOOD, GOOD]).await;
        assert_eq!((grade.status(), grade.scores["tone"].pass), (Status::Ok, Some(true)));
    }
}
