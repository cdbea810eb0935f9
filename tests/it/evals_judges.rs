//! Judges on trial: held against people's labels, corrected by how they err, refused where nobody knows.

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::evals::baseline::{Baseline, Blessed};
use vireille::evals::calibration::ask::{self, Asked, Label};
use vireille::evals::calibration::{self, Standing};
use vireille::evals::case::EvalCase;
use vireille::evals::dataset;
use vireille::evals::exit::Outcome;
use vireille::evals::folder::RunFolder;
use vireille::evals::load;
use vireille::evals::report::{self, Format, Report};
use vireille::evals::row::{Status, Used};
use vireille::evals::rows::Writer;
use vireille::evals::run::{self, Beginning, End, Work, again, resume};
use vireille::evals::score::Scorer;
use vireille::evals::suite::{ModelChoice, RunSettings};
use vireille::evals::target::{Answer, Target, TargetError};
use vireille::evals::verdict;
use vireille::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, Usage};

use crate::support::desk::{NOW, at};

const MODEL: &str = "openai/mistral-large";

const RUBRIC: &str = "\
version: 1
rubric: polite
description: Whether a letter is polite.
prompt: Is this letter polite?
show: [output.letter]
scale: { good: 1, bad: 0 }
";

const SUITE: &str = "\
version: 1
suite: letters
description: Letters and their tone.
dataset: { path: ../datasets/letters.jsonl, cluster: none }
target: { component: chat }
assert:
  - { type: judge, metric: tone, rubric: ../rubrics/polite.yaml, provider: openai/mistral-large }
slices: [metadata.lang]
";

/// A folder of evaluations with one suite that asks a judge about 100 letters: 60 are polite.
///
/// Letters say what they are, and whether the judge slips on them.
struct Home(tempfile::TempDir);

/// `n` letters of one truth, of which the judge gets the first `slips` wrong.
fn letters(truth: &str, n: usize, slips: usize) -> impl Iterator<Item = String> {
    let truth = truth.to_owned();
    (0..n).map(move |nth| format!("LETTERTEXT truth={truth} slip={}", nth < slips))
}

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["suites", "datasets", "rubrics"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let home = Self(home);
        let all = letters("good", 60, 6).chain(letters("bad", 40, 8)).enumerate();
        let cases = all.map(|(nth, letter)| {
            let metadata = json!({ "lang": if nth % 2 == 0 { "fi" } else { "sv" } });
            format!("{}\n", json!({ "id": format!("c-{nth:03}"), "input": { "letter": letter }, "metadata": metadata }))
        });
        home.write("datasets/letters.jsonl", &cases.collect::<String>());
        home.write("rubrics/polite.yaml", RUBRIC);
        home.write("suites/letters.yaml", SUITE);
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// 100 labels: the judge finds 45 of 50 polite letters and 40 of 50 others.
    fn labels(&self) -> Vec<Label> {
        let good = letters("good", 50, 5).map(|letter| (true, letter));
        let others = letters("bad", 50, 10).map(|letter| (false, letter));
        let lines = good.chain(others).enumerate().map(|(nth, (human, letter))| {
            format!("{}\n", json!({ "id": format!("l-{nth:03}"), "human": human, "output": { "letter": letter } }))
        });
        self.write("labels.jsonl", &lines.collect::<String>());
        ask::labels(&self.path("labels.jsonl")).unwrap()
    }

    async fn ask(&self, judge: Says, labels: &[Label]) -> Asked {
        let loaded = ask::suite(&self.path("rubrics/polite.yaml"), MODEL, None, RunSettings::default());
        let mut scorer = Scorer::new(&loaded.suite, &loaded.path).unwrap();
        judge.sit(&mut scorer);
        let by = scorer.seats().next().unwrap().2.clone();
        ask::ask(&scorer, &by, labels, 8).await
    }

    /// Has the judge calibrated, as `vireille eval calibrate` does.
    async fn calibrate(&self) {
        let asked = self.ask(Says::Slips, &self.labels()).await;
        assert_eq!((asked.items.len(), &asked.fault), (100, &None));
        let file = calibration::path(self.0.path(), "polite");
        self.write(file.strip_prefix(self.0.path()).unwrap().to_str().unwrap(), &ask::lines(&asked.items).unwrap());
    }

    /// Runs the suite before this judge.
    async fn run(&self, judge: Says) -> (RunFolder, End) {
        let loaded = load::suite(&self.path("suites/letters.yaml")).unwrap_or_else(|faults| panic!("{faults}"));
        let beginning = Beginning {
            loaded: &loaded,
            model: None,
            cases: dataset::open(&loaded, &[]).unwrap(),
            criteria: &[],
            config: &Config::standard(),
            runs: &loaded.runs(),
            now: at(NOW),
        };
        let begun = beginning.begin().unwrap();
        let mut scorer = Scorer::new(&loaded.suite, &loaded.path).unwrap();
        judge.sit(&mut scorer);
        let work = Work {
            suite: Arc::new(loaded.suite.clone()),
            cases: begun.cases.cases.clone().into(),
            target: Arc::new(Writes),
            scorer: Arc::new(scorer),
            done: begun.done.clone(),
            spent_micros: 0,
        };
        let writer = Writer::append(&begun.folder.rows()).unwrap();
        let ended = run::execute(work, writer, pending(), |_| {}).await.unwrap();
        (begun.folder, ended.end)
    }

    fn faults(&self) -> String {
        load::suite(&self.path("suites/letters.yaml")).map_or_else(|faults| faults.to_string(), |_| String::new())
    }
}

/// Writes the letter that the case holds.
#[derive(Debug)]
struct Writes;

impl Target for Writes {
    fn answer<'a>(&'a self, case: &'a EvalCase, _: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        let answer = Answer { output: case.input.clone(), used: Used::default(), served_by: None };
        futures::future::ready(Ok(answer)).boxed()
    }
}

/// A judge of known errors.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// The truth, but for letters that it slips on.
    Slips,
    /// Nothing that can be read, of letters that it would slip on.
    Mumbles,
    /// Nothing at all.
    Absent,
}

impl Says {
    fn sit(self, scorer: &mut Scorer) {
        // Behind a meter, as in a run.
        let metered = |model| -> Arc<dyn ChatModel> {
            let prices = Arc::new(vireille::model::accounts::prices::Prices::standard());
            Arc::new(vireille::evals::meter::Metered::new(model, "mistral-large", &prices, &Ambient::system()))
        };
        scorer.seat_judges::<()>(&Ambient::system(), |_| Ok(metered(Arc::new(self)))).unwrap();
    }

    fn say(self, shown: &str) -> Result<String, ChatError> {
        let (good, slips) = (shown.contains("truth=good"), shown.contains("slip=true"));
        let verdict = |good| json!({ "reason": "So.", "verdict": if good { "good" } else { "bad" } }).to_string();
        match self {
            Self::Slips => Ok(verdict(good != slips)),
            Self::Mumbles if slips => Ok("Well, hm.".to_owned()),
            Self::Mumbles => Ok(verdict(good)),
            Self::Absent => Err(ChatError::Unreachable),
        }
    }
}

impl ChatModel for Says {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let shown = match request.messages.get(1) {
            Some(Message::User(shown)) => shown.as_str(),
            other => panic!("{other:?}"),
        };
        let answer = self.say(shown).map(|words| ChatAnswer {
            content: Some(words),
            refusal: None,
            tool_calls: Vec::new(),
            finish: Finish::Stop,
            usage: Usage { input: 10, cached: 0, output: 2, estimated: false },
            model: "mistral-large".to_owned(),
            endpoint: "primary".to_owned(),
            attempts: 1,
            latency: Duration::ZERO,
        });
        futures::future::ready(answer).boxed()
    }
}

fn report(folder: &RunFolder) -> Report {
    Report::of(folder.read().unwrap(), None)
}

fn value(report: &Report, figure: &str) -> f64 {
    report.figures.all.get(figure).unwrap_or_else(|| panic!("no {figure}: {:?}", report.figures.all.keys())).value
}

#[tokio::test]
async fn what_a_judge_of_known_errors_says_is_corrected_to_what_people_would_have_said() {
    let home = Home::new();
    home.calibrate().await;
    let (folder, end) = home.run(Says::Slips).await;
    assert_eq!(end, End::Complete);
    let found = report(&folder);
    // 54 of 60 and 8 of 40 pass: (.62 + .8 − 1) / (.9 + .8 − 1) = .6, which is the truth.
    let close = |figure: &str, expected: f64| {
        assert!((value(&found, figure) - expected).abs() < 1e-9, "{figure}: {}", value(&found, figure));
    };
    close("tone.passed", 0.62);
    close("tone.corrected", 0.6);
    close("tone.sensitivity", 0.9);
    close("tone.specificity", 0.8);
    close("tone.kappa", 0.7);
    let width = |figure: &str| found.figures.all[figure].high.unwrap() - found.figures.all[figure].low.unwrap();
    assert!(width("tone.corrected") > width("tone.passed") / 0.7, "the labels' uncertainty is in it, too");
    assert!(found.figures.slices["metadata.lang=fi"].contains_key("tone.corrected"));
    // Each score says whose it is, and the record what is known of them.
    let [judge] = found.record.judges.as_slice() else { panic!("{:?}", found.record.judges) };
    assert!(matches!(&judge.standing, Standing::Calibrated(found) if found.items == 100));
    assert!(found.rows.iter().all(|row| row.scores["tone"].judge.as_ref() == Some(&judge.judge)));
    assert_eq!((judge.judge.model.as_str(), judge.judge.hash.len()), (MODEL, 64));
    assert!(found.record.hashes.judges.is_some());
    // Whoever has the folder can make all of it anew.
    verdict::write(&folder, &found, None, None).unwrap();
    let checked = verdict::check(&verdict::path(&folder), &folder).unwrap();
    assert!(checked.holds(), "{:?}", checked.differences);
    for format in [Format::Markdown, Format::Html, Format::Json] {
        let text = report::render(format, std::slice::from_ref(&found)).unwrap();
        assert!(text.contains("tone.corrected") && !text.contains("not calibrated"), "{format:?}");
        assert!(!text.contains("LETTERTEXT"), "{format:?} holds case text");
    }
}

#[tokio::test]
async fn a_judge_that_nobody_calibrated_is_told_beside_its_figures_and_holds_no_gate() {
    let home = Home::new();
    let (folder, _) = home.run(Says::Slips).await;
    let found = report(&folder);
    assert!(!found.figures.all.contains_key("tone.corrected"));
    let text = |format| report::render(format, std::slice::from_ref(&found)).unwrap();
    assert!(text(Format::Markdown).contains("| `tone.passed` (not calibrated) |"), "{}", text(Format::Markdown));
    assert!(text(Format::Markdown).contains("| `cases` |"), "what rests on no judge has no remark");
    assert!(text(Format::Html).contains(r#"<code>tone.passed</code> <span class="soft small">not calibrated</span>"#));
    assert!(text(Format::Json).contains("not-calibrated"));

    let gates = "gates:\n  - { metric: errors, max: 0 }\n  - { metric: tone.passed, min: 0.5 }\n";
    home.write("suites/letters.yaml", &format!("{SUITE}{gates}"));
    let faults = home.faults();
    assert!(faults.contains("letters.yaml:11: `tone.passed` rests on a judge that is not calibrated"), "{faults}");
    assert!(faults.contains("vireille eval calibrate"), "{faults}");
    let waived = SUITE.replace("large }", "large, uncalibrated: only a first look }");
    home.write("suites/letters.yaml", &format!("{waived}{gates}"));
    assert_eq!(home.faults(), "");
    home.write("suites/letters.yaml", &format!("{SUITE}{gates}"));
    home.calibrate().await;
    assert_eq!(home.faults(), "");
    // Whether cases are as asked rests on it, too.
    std::fs::remove_file(calibration::path(home.0.path(), "polite")).unwrap();
    home.write("suites/letters.yaml", &format!("{SUITE}gates:\n  - {{ metric: ok, min: 0.5 }}\n"));
    assert!(home.faults().contains("`ok` rests on a judge"), "{}", home.faults());
    let measured = SUITE.replace("large }", "large, only_measure: true }");
    home.write("suites/letters.yaml", &format!("{measured}gates:\n  - {{ metric: ok, min: 0.5 }}\n"));
    assert_eq!(home.faults(), "");
}

#[tokio::test]
async fn another_word_in_the_rubric_is_another_judge() {
    let gate = "baseline: ../baselines/letters.json\ngates:\n  - { metric: tone, compare: baseline, non_inferior: 0.05, reason: a story }\n  - { metric: tone.corrected, min: 0.3 }\n";
    let home = Home::new();
    home.write("suites/letters.yaml", &format!("{SUITE}{gate}"));
    home.calibrate().await;
    let (folder, _) = home.run(Says::Slips).await;
    let blessed = Blessed { by: "maintainers".to_owned(), at: at(NOW), because: "a story".to_owned() };
    let baseline = Baseline::of(folder.read().unwrap(), blessed).run;
    let same = Report::of(folder.read().unwrap(), Some(&baseline));
    assert_eq!(same.outcome, Outcome::Pass, "{:?}", same.gates);

    home.write("rubrics/polite.yaml", &RUBRIC.replace("Is this", "Is the whole"));
    // The calibration was of the judge before, and so were the rows of a run that would be gone on with.
    assert!(
        home.faults().contains("the calibration is of another judge (what it is told has changed)"),
        "{}",
        home.faults()
    );
    let suite = format!("{SUITE}{gate}").replace("large }", "large, uncalibrated: a story }");
    home.write("suites/letters.yaml", &suite);
    let (other, _) = home.run(Says::Slips).await;
    let after = Report::of(other.read().unwrap(), Some(&baseline));
    let [compared, _] = after.gates.as_slice() else { panic!("{:?}", after.gates) };
    assert_eq!(compared.outcome, Outcome::Incomplete);
    assert!(compared.why.contains("the judge of tone is another one than that of the baseline"), "{}", compared.why);
    let comparison = after.comparison.as_ref().unwrap();
    assert!(comparison.notes.iter().any(|note| note.starts_with("The judge of `tone` is another one")));
    assert!(!comparison.changes.iter().any(|change| change.metric.starts_with("tone") || change.metric == "ok"));
    assert!(comparison.changes.iter().any(|change| change.metric == "latency_ms.p50"));

    // What this judge said stands when the run is scored anew; what another one said does not.
    let loaded = load::suite(&home.path("suites/letters.yaml")).unwrap();
    let (cases, scorer) =
        (dataset::open(&loaded, &[]).unwrap().cases, Scorer::new(&loaded.suite, &loaded.path).unwrap());
    let ungraded = |folder: &RunFolder| {
        let rows = again::score(&folder.read().unwrap().rows, &cases, &loaded.suite, &scorer).unwrap();
        rows.iter().filter(|row| row.status == Status::Ungraded || row.scores.is_empty()).count()
    };
    assert_eq!((ungraded(&other), ungraded(&folder)), (0, 100));
    home.write("rubrics/polite.yaml", &RUBRIC.replace("Is this", "Was this"));
    let error = resume(&other.0, &Config::standard(), false, |_| {}).unwrap_err().to_string();
    assert!(error.contains("a rubric or a judge has changed"), "{error}");
}

#[tokio::test]
async fn what_a_judge_mumbles_is_no_grade_and_one_that_is_not_there_is_an_error() {
    let home = Home::new();
    let labels = home.labels();
    let asked = home.ask(Says::Mumbles, &labels).await;
    assert_eq!(asked.fault, None);
    let found = calibration::Calibration::of(&asked.items, 0.5, String::new()).unwrap();
    assert_eq!((found.items, found.ungraded, found.false_positive, found.false_negative), (85, 15, 0, 0));
    let slips = home.ask(Says::Slips, &labels).await;
    let differ = ask::disagreements(&slips.items, 0.5);
    assert_eq!((differ.len(), differ[0].as_str(), differ[14].as_str()), (15, "l-000", "l-059"));
    assert!(home.ask(Says::Absent, &labels).await.fault.unwrap().starts_with("l-000: "));

    let (folder, end) = home.run(Says::Mumbles).await;
    let found = report(&folder);
    assert_eq!((end, found.counts.ungraded, found.counts.error), (End::Complete, 14, 0));
    assert_eq!(found.figures.all["tone"].scored, 86);
    let (folder, end) = home.run(Says::Absent).await;
    assert!(matches!(end, End::Hopeless(TargetError::Unreachable)), "{end:?}");
    let found = report(&folder);
    assert_eq!((found.outcome, found.counts.ungraded, found.counts.ok), (Outcome::Incomplete, 0, 0));
}

#[test]
fn a_judge_of_the_candidates_family_is_refused() {
    let home = Home::new();
    let loaded = load::suite(&home.path("suites/letters.yaml")).unwrap();
    let scorer = Scorer::new(&loaded.suite, &loaded.path).unwrap();
    let candidate = ModelChoice { id: "openai-api/local/ministral-8b".to_owned(), url: None };
    assert!(scorer.refuse_own_family(Some(&candidate)).is_err());
}

#[test]
fn labels_that_are_none_are_told_with_their_line() {
    let home = Home::new();
    let good = json!({ "id": "a", "human": true, "output": {} });
    home.write("labels.jsonl", &format!("{good}\n\n{{\"id\": \"b\"}}\n{good}\n"));
    let faults = ask::labels(&home.path("labels.jsonl")).unwrap_err().to_string();
    assert!(faults.contains("labels.jsonl:3: this is no labelled item"), "{faults}");
    assert!(faults.contains("labels.jsonl:4: the item `a` stands twice"), "{faults}");
    home.write("labels.jsonl", "\n");
    assert!(ask::labels(&home.path("labels.jsonl")).unwrap_err().to_string().contains("no labelled item in it"));
}

/// Every rubric of the house can be read, fits its schema, and shows what a draft has.
#[test]
fn the_rubrics_of_the_house_are_usable() {
    let schema = &vireille::evals::schema::schemas()["rubric.schema.json"];
    let schema = jsonschema::validator_for(schema).unwrap();
    let files = std::fs::read_dir("evals/rubrics").unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut faults = vireille::municipality::Faults::new();
        let rubric: Option<Value> = vireille::municipality::yaml::read(&file, &text, 1, &mut faults);
        assert!(schema.is_valid(&rubric.unwrap()), "{}", file.display());
        let loaded = ask::suite(&file, MODEL, None, RunSettings::default());
        let scorer = Scorer::new(&loaded.suite, &loaded.path).unwrap_or_else(|faults| panic!("{faults}"));
        let name = scorer.seats().next().unwrap().1.to_owned();
        assert_eq!(file.file_stem().unwrap().to_str(), Some(name.as_str()), "its calibration is found by its name");
    }
}
