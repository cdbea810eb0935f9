//! Runs held against each other, against their gates and against a baseline; the reports of them; and verdicts that
//! anybody can compute anew. Runs are made by hand here: what counts is what is concluded from rows.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};
use vireille::evals::baseline::{Baseline, Blessed};
use vireille::evals::compare::{FlipTest, Named, Seen, runs};
use vireille::evals::exit::Outcome;
use vireille::evals::folder::{Run, RunFolder};
use vireille::evals::report::html::{self, Answers};
use vireille::evals::report::{Format, Report, render, write};
use vireille::evals::row::Status;
use vireille::evals::verdict::{self, Key, Signed};

/// Stands in every answer; no report may have it.
const CASE_TEXT: &str = "CANARY Mattila, Koivukuja 3";

/// Stands in the environment of every command; nothing may have it.
const SECRET: &str = "sk-canary-4f1c9b";

const LABELS: [&str; 4] = ["roads", "lighting", "waste", "water|<b>&"];

/// A run over so many cases, of which those are wrong; every tenth case is an emergency.
struct Story {
    cases: usize,
    wrong: Vec<usize>,
    errors: Vec<usize>,
    gates: Value,
    dataset: &'static str,
    /// Classes with a confidence, not only right or wrong: many figures, each drawn ten thousand times.
    classes: bool,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            cases: 400,
            wrong: (0..400).step_by(20).collect(),
            errors: Vec::new(),
            gates: json!([]),
            dataset: "d1",
            classes: false,
        }
    }
}

impl Story {
    fn run(&self) -> Run {
        let record = json!({
            "version": 1,
            "started": "2026-11-22T08:00:00Z",
            "suite": {
                "version": 1,
                "suite": "notices",
                "description": "What kind of matter a notice is.",
                "dataset": { "path": "../datasets/notices/cases.jsonl", "cluster": "metadata.household" },
                "target": { "component": "triage" },
                "assert": [
                    { "type": if self.classes { "label" } else { "equals" }, "metric": "category" },
                    { "type": "confidence", "metric": "sure", "of": "category" },
                ],
                "metrics": { "sure": { "max_error": 0.2 } },
                "slices": ["metadata.lang"],
                "gates": self.gates,
            },
            "hashes": { "suite": "s1", "dataset": self.dataset, "prompts": null, "packs": null, "prices": null, "judges": null },
            "model": "openai/small",
            "epochs": 1,
            "mode": "replay",
            "rows": self.cases,
            "attempts": 1,
            "program": "0.1.0",
        });
        let rows = (0..self.cases).map(|case| self.row(case)).collect::<Vec<_>>();
        serde_json::from_value(json!({ "record": record, "rows": rows })).unwrap()
    }

    fn row(&self, case: usize) -> Value {
        let part = |of: usize| f64::from(u32::try_from(case % of).unwrap());
        let (wrong, error) = (self.wrong.contains(&case), self.errors.contains(&case));
        let gold = LABELS[case % LABELS.len()];
        let predicted = if wrong { LABELS[(case + 1) % LABELS.len()] } else { gold };
        let confidence = if wrong { 0.6 } else { 0.7 + part(30) / 100.0 };
        let mut row = json!({
            "case": format!("n-{case:04}"),
            "epoch": 0,
            "status": if error { "error" } else if wrong { "failed" } else { "ok" },
            "slices": { "metadata.lang": if case.is_multiple_of(3) { "sv" } else { "fi" } },
            "cluster": format!("h-{case}"),
            "output": { "text": CASE_TEXT },
            "used": { "input": 100, "cached": 0, "output": 10, "calls": 1, "replayed": 1, "cost_micros": 0 },
            "latency_ms": 10.0 + part(7),
            "scores": { "category": { "kind": "score", "value": u8::from(!wrong), "pass": !wrong } },
        });
        if self.classes {
            row["scores"] = json!({
                "category": { "kind": "label", "gold": gold, "predicted": predicted, "pass": !wrong },
                "sure": { "kind": "confidence", "confidence": confidence, "correct": !wrong, "abstained": false },
            });
        }
        if error {
            row["scores"] = json!({});
            row["output"] = Value::Null;
            row["error"] = "no answer within 30 s".into();
        }
        row
    }
}

/// A run's folder on disk.
fn keep(folder: &Path, run: &Run) -> RunFolder {
    std::fs::create_dir_all(folder).unwrap();
    let kept = RunFolder(folder.to_owned());
    std::fs::write(kept.record(), serde_json::to_string(&run.record).unwrap()).unwrap();
    let rows: String = run.rows.iter().map(|row| serde_json::to_string(row).unwrap() + "\n").collect();
    std::fs::write(kept.rows(), rows).unwrap();
    kept
}

fn blessed(run: Run) -> Baseline {
    let at = "2026-11-20T08:00:00Z".parse().unwrap();
    Baseline::of(run, Blessed { by: "mari".to_owned(), at, because: "the first".to_owned() })
}

fn named<'a>(name: &'a str, run: &'a Run) -> Named<'a> {
    Named { name, run }
}

fn vireille(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vireille"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).args(arguments);
    command.env("VIREILLE__MODEL__KEY", SECRET).env_remove("GITHUB_STEP_SUMMARY").env("USER", "mari");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn nothing_changed_passes_and_is_told_as_such() {
    let run = Story::default().run();
    let comparison = runs(named("before", &run), named("after", &run), Vec::new());
    assert_eq!(comparison.outcome, Outcome::Pass);
    assert_eq!((comparison.paired, comparison.harmful.len(), comparison.beneficial.len()), (400, 0, 0));
    let accuracy = comparison.changes.iter().find(|change| change.metric == "category").unwrap();
    assert_eq!((accuracy.seen, accuracy.difference), (Seen::Same, 0.0));
}

#[test]
fn flips_are_listed_by_id_and_a_clear_loss_fails() {
    let before = Story::default().run();
    let after =
        Story { wrong: (0..400).filter(|case| case % 20 == 1 || case % 8 == 2).collect(), ..Story::default() }.run();
    let comparison = runs(named("before", &before), named("after", &after), Vec::new());
    assert_eq!(comparison.outcome, Outcome::Fail);
    assert_eq!((comparison.harmful.len(), comparison.beneficial.len()), (70, 20));
    assert_eq!(
        (comparison.harmful[0].case.as_str(), comparison.harmful[0].metrics.as_slice()),
        ("n-0001", &["category".to_owned()][..])
    );
    assert_eq!(comparison.beneficial[0].case, "n-0000");
    let accuracy = comparison.changes.iter().find(|change| change.metric == "category").unwrap();
    assert_eq!(accuracy.seen, Seen::Worse);
    assert!((accuracy.difference + 0.125).abs() < 1e-9);
    assert!(comparison.chance.p < 0.001 && comparison.chance.mid_p.is_some());
    // The other way round the same is a gain.
    let back = runs(named("after", &after), named("before", &before), Vec::new());
    assert_eq!((back.outcome, back.harmful.len()), (Outcome::Pass, 20));
}

#[test]
fn too_few_cases_to_tell_are_told_with_how_many_would() {
    let before = Story { cases: 60, wrong: vec![3, 9], ..Story::default() }.run();
    let after = Story { cases: 60, wrong: vec![4, 9], ..Story::default() }.run();
    let comparison = runs(named("before", &before), named("after", &after), Vec::new());
    assert_eq!(comparison.outcome, Outcome::Inconclusive);
    assert!(comparison.gates[0].need.is_some_and(|need| need > 60), "{:?}", comparison.gates[0]);
    assert!(comparison.why.contains("more"), "{}", comparison.why);
}

#[test]
fn what_one_run_alone_has_is_listed_and_never_compared() {
    let before = Story { cases: 300, ..Story::default() }.run();
    let after = Story { errors: vec![5, 6], dataset: "d2", ..Story::default() }.run();
    let comparison = runs(named("before", &before), named("after", &after), Vec::new());
    assert_eq!((comparison.paired, comparison.only_before.len(), comparison.only_after.len()), (300, 0, 100));
    assert_eq!(comparison.lost, ["n-0005", "n-0006"]);
    assert!(comparison.harmful.is_empty(), "an error is no wrong answer");
    assert!(comparison.notes.iter().any(|note| note.contains("dataset")));
}

#[test]
fn a_gate_passes_fails_or_has_too_few_cases() {
    let gates = json!([
        { "metric": "category", "min": 0.9 },
        { "metric": "category", "min": 0.93, "bound": "lower" },
        { "metric": "category", "min": 0.97 },
        { "metric": "category", "slice": "metadata.lang=*", "min": 0.5 },
        { "metric": "category", "slice": "metadata.lang=en", "min": 0.5 },
        { "metric": "no.such", "max": 0.1 },
        { "metric": "category", "compare": "baseline", "non_inferior": 0.02, "reason": "one noisy label" },
        { "metric": "category", "max": 0.5, "else": "incomplete" },
    ]);
    let report = Report::of(Story { gates, ..Story::default() }.run(), None);
    let outcomes: Vec<(Outcome, Option<&str>)> =
        report.gates.iter().map(|gate| (gate.outcome, gate.slice.as_deref())).collect();
    let of = |outcome| (outcome, None);
    assert_eq!(
        outcomes,
        [
            of(Outcome::Pass),
            of(Outcome::Inconclusive),
            of(Outcome::Fail),
            (Outcome::Pass, Some("metadata.lang=fi")),
            (Outcome::Pass, Some("metadata.lang=sv")),
            (Outcome::Incomplete, Some("metadata.lang=en")),
            of(Outcome::Incomplete),
            of(Outcome::Incomplete),
            of(Outcome::Incomplete),
        ]
    );
    assert!(report.gates[1].need.is_some_and(|need| need > 400), "{:?}", report.gates[1]);
    assert_eq!(report.outcome, Outcome::Fail);
}

#[test]
fn errors_and_missing_rows_are_incomplete_and_never_all_failed() {
    let mut run = Story { errors: vec![1, 2, 3], ..Story::default() }.run();
    assert_eq!(Report::of(run.clone(), None).outcome, Outcome::Incomplete);
    run.record.suite.run.max_errors = 0.01;
    let report = Report::of(run.clone(), None);
    assert_eq!(report.outcome, Outcome::Pass);
    assert_eq!((report.counts.ok, report.counts.failed, report.counts.error), (377, 20, 3));
    run.rows.truncate(390);
    assert_eq!(Report::of(run.clone(), None).outcome, Outcome::Incomplete);
    run.record.suite.run.budget = Some(0.0);
    assert_eq!(Report::of(run, None).outcome, Outcome::OverBudget);
}

/// What is missing may have made a gate fail; what no missing answer could mend has failed all the same.
#[test]
fn a_failure_that_missing_answers_may_explain_is_no_failure() {
    let gates = json!([
        { "metric": "ok", "min": 0.9 },
        { "metric": "failed", "max": 0.02 },
        { "metric": "category", "min": 0.97 },
        { "metric": "category", "compare": "baseline", "non_inferior": 0.02 },
    ]);
    let outcomes = |errors: std::ops::Range<usize>, wrong: Vec<usize>| {
        let before = Story { wrong: Vec::new(), ..Story::default() }.run();
        let run = Story { gates: gates.clone(), errors: errors.collect(), wrong, ..Story::default() }.run();
        let report = Report::of(run, Some(&before));
        let words: Vec<&str> = report.gates.iter().map(|gate| gate.outcome.as_str()).collect();
        (words, report.outcome)
    };
    // Everything that has an answer is right.
    let (gates, outcome) = outcomes(100..400, Vec::new());
    assert_eq!((gates, outcome), (vec!["incomplete", "pass", "pass", "inconclusive"], Outcome::Incomplete));
    // Ten of a hundred answers are wrong: with three hundred more, nobody knows of what share that is.
    let (gates, outcome) = outcomes(100..400, (0..10).collect());
    assert_eq!((gates, outcome), (vec!["incomplete", "fail", "incomplete", "incomplete"], Outcome::Fail));
    // One answer is missing, and eighty are wrong.
    let (gates, outcome) = outcomes(399..400, (0..80).collect());
    assert_eq!((gates, outcome), (vec!["fail"; 4], Outcome::Fail));
}

/// A gate that compares with the baseline.
fn compared() -> Value {
    json!([{ "metric": "category", "compare": "baseline", "non_inferior": 0.02, "reason": "one noisy label" }])
}

#[test]
fn what_is_missing_never_passes_for_the_same() {
    let before = Story::default().run();
    let of = |change: &dyn Fn(&mut Run)| {
        let mut after = Story { gates: compared(), ..Story::default() }.run();
        change(&mut after);
        let comparison = runs(named("before", &before), named("after", &after), Vec::new());
        (comparison.outcome, Report::of(after, Some(&before)).outcome, comparison.why)
    };
    let both = |outcome| (outcome, outcome);
    let ends = |(compared, held, why): (Outcome, Outcome, String)| {
        assert!(why.len() > 10, "{why}");
        (compared, held)
    };
    assert_eq!(ends(of(&|_| ())), both(Outcome::Pass));
    // One row of four hundred, as if there were no more; and a run that was cut off half-way.
    assert_eq!(
        ends(of(&|run| {
            run.rows.truncate(1);
            run.record.rows = 1;
        })),
        both(Outcome::Incomplete)
    );
    assert_eq!(ends(of(&|run| run.rows.truncate(200))), both(Outcome::Incomplete));
    // `--limit 1`: complete as far as was asked, and no proof of anything.
    let selected = |run: &mut Run| {
        run.rows.truncate(1);
        run.record.rows = 1;
        run.record.selection = vec!["--limit=1".to_owned()];
    };
    assert_eq!(ends(of(&selected)), both(Outcome::Inconclusive));
    let mut after = before.clone();
    selected(&mut after);
    let notes = runs(named("before", &before), named("after", &after), Vec::new()).notes;
    assert!(notes.iter().any(|note| note.contains("selected by hand and lacks 399 cases")), "{notes:?}");
    // Half of the answers are errors, half have no grade, half were left out by nobody.
    for status in [Status::Error, Status::Ungraded, Status::Skipped] {
        let half = |run: &mut Run| {
            for row in run.rows.iter_mut().skip(200) {
                (row.status, row.scores) = (status, [].into());
            }
        };
        assert_eq!(ends(of(&half)), both(Outcome::Incomplete), "{status:?}");
    }
}

#[test]
fn a_grade_that_was_lost_is_an_answer_less() {
    let gates = json!([{ "metric": "category", "min": 0.9 }]);
    let mut run = Story { cases: 100, wrong: Vec::new(), gates, ..Story::default() }.run();
    for row in run.rows.iter_mut().skip(1) {
        (row.status, row.scores) = (Status::Ungraded, [].into());
    }
    assert_eq!(Report::of(run.clone(), None).outcome, Outcome::Incomplete);
    run.record.suite.run.max_ungraded = 0.99;
    assert_eq!(Report::of(run, None).outcome, Outcome::Pass);
}

#[test]
fn a_floor_is_claimed_from_clusters_and_not_from_their_cases() {
    let gates = json!([{ "metric": "category", "min": 0.95, "bound": "lower" }]);
    let of = |cases: usize, clusters: usize| {
        let mut run = Story { cases, wrong: Vec::new(), gates: gates.clone(), ..Story::default() }.run();
        for (nth, row) in run.rows.iter_mut().enumerate() {
            row.cluster = format!("c-{}", nth % clusters);
        }
        Report::of(run, None).gates.remove(0)
    };
    let (apart, together, few) = (of(707, 707), of(707, 101), of(300, 6));
    assert!(apart.outcome == Outcome::Pass && apart.bound.unwrap() > 0.995, "{apart:?}");
    assert!(together.outcome == Outcome::Pass && together.bound.unwrap() < 0.971, "{together:?}");
    assert!(few.outcome == Outcome::Inconclusive && few.why.contains("6 clusters only"), "{few:?}");
    // Clusters count, and the number of cases that is missing is that of the exact bound: 59 clusters.
    let short = of(80, 40);
    assert_eq!(short.outcome, Outcome::Inconclusive);
    assert!(short.need.is_some_and(|need| (110..130).contains(&need)), "{short:?}");
}

#[test]
fn a_slice_that_is_gone_is_missed() {
    let gates = json!([{
        "metric": "category", "slice": "metadata.lang=*", "compare": "baseline", "non_inferior": 0.05, "reason": "few",
    }]);
    let before = Story::default().run();
    let mut after = Story { gates, ..Story::default() }.run();
    after.rows.retain(|row| row.slices["metadata.lang"] == "fi");
    after.record.rows = after.rows.len();
    let report = Report::of(after, Some(&before));
    let swedish = report.gates.iter().find(|gate| gate.slice.as_deref() == Some("metadata.lang=sv")).unwrap();
    assert_eq!((swedish.outcome, report.outcome), (Outcome::Incomplete, Outcome::Incomplete));
}

#[test]
fn flips_of_dependent_cases_are_tested_by_cluster() {
    let before = Story::default().run();
    let wrong: Vec<usize> = (0..400).filter(|case| case % 20 == 0 || (101..113).contains(case)).collect();
    let mut after = Story { wrong, ..Story::default() }.run();
    let chance = |after: &Run| runs(named("before", &before), named("after", after), Vec::new()).chance;
    let apart = chance(&after);
    assert!(apart.test == FlipTest::Mcnemar && apart.p < 0.001, "{apart:?}");
    // The twelve that changed are one household: that happens to one household in two.
    for row in &mut after.rows[101..113] {
        row.cluster = "h-one".to_owned();
    }
    let together = chance(&after);
    assert!(together.test == FlipTest::SignFlip && together.p > 0.9, "{together:?}");
    // McNemar's test knows one epoch.
    let mut repeated = Story::default().run();
    repeated.record.epochs = 2;
    assert_eq!(chance(&repeated).test, FlipTest::SignFlip);
}

#[test]
fn a_gate_says_what_is_seen_of_its_difference() {
    let before = Story { wrong: Vec::new(), ..Story::default() }.run();
    let after = Story { wrong: (0..100).collect(), gates: compared(), ..Story::default() }.run();
    let report = Report::of(after, Some(&before));
    let change = report.gates[0].change.as_ref().unwrap();
    assert_eq!(change.seen, Seen::Worse);
    let same = Report::of(Story { gates: compared(), ..Story::default() }.run(), Some(&Story::default().run()));
    assert_eq!(same.gates[0].change.as_ref().unwrap().seen, Seen::Same);
}

#[test]
fn a_nasty_slice_is_no_markup_in_a_pull_request() {
    const NASTY: &str = "<img src=x> @mayor [win](https://evil.example)";
    let gates = json!([{
        "metric": "category", "slice": "metadata.lang=*", "compare": "baseline", "non_inferior": 0.02, "reason": "few",
    }]);
    let before = Story { cases: 60, wrong: Vec::new(), ..Story::default() };
    let nasty = |mut run: Run| {
        for row in &mut run.rows {
            row.slices.insert("metadata.lang".to_owned(), NASTY.to_owned());
        }
        run
    };
    let after = Story { cases: 60, wrong: vec![3], gates, ..Story::default() };
    let report = Report::of(nasty(after.run()), Some(&nasty(before.run())));
    assert!(report.comparison.as_ref().unwrap().why.contains(NASTY));
    let text = render(Format::Markdown, &[report]).unwrap();
    // What stands between backticks is shown to the letter; nothing of it may stand outside.
    let outside: String = text.split('`').step_by(2).collect();
    for part in ["<img", "@mayor", "](http", "evil.example"] {
        assert!(text.contains(part) && !outside.contains(part), "{part}");
    }
}

/// Eight wrong answers and an error in 160 cases, of which the baseline had two others wrong.
fn report() -> Report {
    static REPORT: LazyLock<Report> = LazyLock::new(|| {
        let gates = json!([
            { "metric": "category.accuracy", "min": 0.97 },
            {
                "metric": "category.accuracy", "slice": "metadata.lang=*", "compare": "baseline", "non_inferior": 0.05,
                "adjust": "holm",
            },
        ]);
        let before = Story { cases: 160, wrong: vec![1, 2], classes: true, ..Story::default() }.run();
        let after = Story { cases: 160, gates, errors: vec![7], classes: true, ..Story::default() }.run();
        Report::of(after, Some(&before))
    });
    REPORT.clone()
}

#[test]
fn no_report_holds_case_text_but_the_rows_for_programs() {
    let reports = [report()];
    for format in [Format::Json, Format::Junit, Format::Html, Format::Markdown, Format::Csv] {
        let text = render(format, &reports).unwrap();
        assert!(text.contains("n-0020"), "{format:?} names the cases that failed");
        assert!(!text.contains("CANARY") && !text.contains("Koivukuja"), "{format:?}");
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        assert!(!words.contains(&"NaN") && !words.contains(&"inf"), "{format:?}");
    }
    for format in [Format::Jsonl, Format::Promptfoo] {
        assert!(render(format, &reports).unwrap().contains(CASE_TEXT), "{format:?}");
    }
    let shown = html::render(&reports, Answers::Shown).unwrap();
    assert!(shown.contains("Koivukuja"));
}

#[test]
fn junit_tells_failures_from_errors_and_gates_are_test_cases() {
    let text = render(Format::Junit, &[report()]).unwrap();
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    let mut reader = quick_xml::Reader::from_str(&text);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => match tag.name().as_ref() {
                "testcase" => tests += 1,
                "failure" => failures += 1,
                "error" => errors += 1,
                _ => {}
            },
            _ => {}
        }
    }
    // Eight wrong answers and the gate that asks for more; one error; two gates in slices.
    assert_eq!((tests, errors), (160 + 3, 1));
    assert!(failures >= 9, "{failures}");
    assert!(text.contains(&format!("tests=\"163\" failures=\"{failures}\" errors=\"1\"")), "{}", &text[..300]);
    assert!(text.contains("classname=\"notices.gates\""));
}

#[test]
fn the_page_needs_nothing_from_outside_and_escapes_what_it_shows() {
    let text = render(Format::Html, &[report(), report()]).unwrap();
    assert!(text.contains("water|&lt;b&gt;&amp;") && !text.contains("<b>"));
    for outside in ["<script", "http://", "https://", "@import", "url(", "src="] {
        assert!(!text.contains(outside), "{outside}");
    }
    for part in ["Gates", "Confusions", "Calibration", "Risk and coverage", "Latency and quality", "Slices", "Slowest"]
    {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(text.matches("id=\"run-").count(), 2);
}

#[test]
fn markdown_has_the_verdict_the_flips_and_breaks_no_table() {
    let text = render(Format::Markdown, &[report()]).unwrap();
    assert!(text.starts_with(
        "<!-- vireille eval notices · openai/small -->\n## Evaluation `notices · openai/small`: **fail**"
    ));
    assert!(text.contains("Harmful flips: 8") && text.contains("- `n-0020` `category`"), "{text}");
    for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let first = columns(table.lines().next().unwrap());
        assert!(table.lines().all(|line| columns(line) == first), "{table}");
    }
}

#[test]
fn a_spreadsheet_takes_nothing_for_a_formula() {
    let mut report = report();
    report.rows[0].slices.insert("metadata.lang".to_owned(), "=1+1".to_owned());
    let text = render(Format::Csv, &[report]).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert!(heads.contains(&"category".to_owned()) && heads.contains(&"metadata.lang".to_owned()));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 160);
    assert!(rows[0].iter().any(|cell| cell == "'=1+1"));
}

#[test]
fn promptfoo_reads_its_own_words() {
    let text = render(Format::Promptfoo, &[report()]).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    let results = &whole["results"];
    assert_eq!(results["version"], 3);
    assert_eq!(
        results["stats"],
        json!({
            "successes": 151, "failures": 8, "errors": 1,
            "tokenUsage": { "total": 17600, "prompt": 16000, "completion": 1600, "cached": 0, "numRequests": 160 },
        })
    );
    let reasons: Vec<i64> =
        results["results"].as_array().unwrap().iter().map(|one| one["failureReason"].as_i64().unwrap()).collect();
    let count = |reason| reasons.iter().filter(|one| **one == reason).count();
    assert_eq!((count(0), count(1), count(2)), (151, 8, 1));
}

#[test]
fn reports_are_written_by_the_end_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.json", "a.jsonl", "a.junit.xml", "a.html", "a.md", "a.csv", "a.promptfoo.json"] {
        let path = folder.path().join("out").join(name);
        write(&path, &[report()]).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() > 1000, "{name}");
    }
    let error = write(&folder.path().join("a.txt"), &[report()]).unwrap_err();
    assert!(error.to_string().contains(".junit.xml"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 7, "nothing half-written is left");
}

/// A folder with a verdict over a run with a baseline.
fn verdict_in(folder: &Path, key: Option<&Key>) -> PathBuf {
    let gates = json!([
        { "metric": "category", "min": 0.9, "bound": "lower" },
        { "metric": "category", "compare": "baseline", "non_inferior": 0.02 },
        { "metric": "latency_ms.p95", "max": 100 },
    ]);
    let before = blessed(Story { wrong: vec![1, 2], ..Story::default() }.run());
    let kept = keep(folder, &Story { gates, ..Story::default() }.run());
    let report = Report::of(kept.read().unwrap(), Some(&before.run));
    verdict::write(&kept, &report, Some(&before), key).unwrap()
}

/// The example of RFC 8410, section 10.3: PKCS #8 without the public half, as OpenSSL writes it.
pub const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

#[test]
fn a_verdict_is_computed_anew_from_rows_and_the_first_number_that_differs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = verdict_in(folder.path(), None);
    let kept = RunFolder(folder.path().to_owned());
    let started = std::time::Instant::now();
    let checked = verdict::check(&path, &kept).unwrap();
    let took = started.elapsed();
    assert!(checked.holds() && checked.compared > 60, "{:?}", checked.differences.first());
    assert_eq!(checked.signed, Signed::Unsigned);
    assert!(took.as_secs() < 20, "{took:?} unoptimised");

    let mut told: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    told["figures"]["all"]["category"]["value"] = json!(0.99);
    std::fs::write(&path, told.to_string()).unwrap();
    let checked = verdict::check(&path, &kept).unwrap();
    assert!(!checked.holds());
    assert_eq!(checked.differences.len(), 1);
    assert_eq!(checked.differences[0].at, "figures.all.category.value");
    assert_eq!((checked.differences[0].verdict.as_str(), checked.differences[0].rows.as_str()), ("0.99", "0.95"));

    // A row that was changed afterwards is another file and gives other numbers.
    verdict_in(folder.path(), None);
    let rows = std::fs::read_to_string(kept.rows()).unwrap();
    std::fs::write(kept.rows(), rows.replacen("\"status\":\"failed\"", "\"status\":\"ok\"", 1)).unwrap();
    let checked = verdict::check(&path, &kept).unwrap();
    assert!(checked.differences.iter().any(|one| one.at == "made_of.rows"), "{:?}", checked.differences);
    assert!(checked.differences.iter().any(|one| one.at == "counts.ok"), "{:?}", checked.differences);
}

/// Who has the rows and the seeds can draw again; another seed is another verdict.
#[test]
fn every_bound_that_was_drawn_has_its_seed() {
    let folder = tempfile::tempdir().unwrap();
    let gates = json!([{ "metric": "category.macro_f1", "compare": "baseline", "non_inferior": 0.1 }]);
    let story = |wrong: Vec<usize>| Story { cases: 40, wrong, gates: gates.clone(), classes: true, ..Story::default() };
    let before = blessed(story(vec![1, 2]).run());
    let kept = keep(folder.path(), &story(vec![2, 3, 4]).run());
    let path =
        verdict::write(&kept, &Report::of(kept.read().unwrap(), Some(&before.run)), Some(&before), None).unwrap();
    let mut told: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let drawn = &told["drawn"];
    // SHA-256 of suite, slice and metric; of suite, figure and slice.
    assert_eq!(drawn["figures"]["category.macro_f1"], json!("567ce5b5d38f33bc"));
    assert_eq!(drawn["figures"]["category.macro_f1 in metadata.lang=fi"], json!("5eee75117f3f909e"));
    assert_eq!(drawn["differences"], json!({ "category.macro_f1": "95f01e792754dc0b" }));
    assert_eq!((&drawn["times"], &drawn["generator"]), (&json!(10_000), &json!("xoshiro256++")));
    let bootstrapped = told["figures"]["all"].as_object().unwrap().values();
    let bootstrapped = bootstrapped.filter(|figure| figure["method"] == "bootstrap").count();
    let seeds = drawn["figures"].as_object().unwrap().keys().filter(|title| !title.contains(" in ")).count();
    assert!(bootstrapped == seeds && seeds > 3, "{bootstrapped} {seeds}");
    told["drawn"]["figures"]["category.macro_f1"] = json!("0000000000000001");
    std::fs::write(&path, told.to_string()).unwrap();
    let checked = verdict::check(&path, &kept).unwrap();
    let differ: Vec<&str> = checked.differences.iter().map(|one| one.at.as_str()).collect();
    assert_eq!(differ, ["drawn.figures.category.macro_f1"]);
}

#[test]
fn a_signature_holds_until_a_word_is_changed_and_the_key_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.pem");
    std::fs::write(&key_file, PRIVATE_KEY).unwrap();
    let key = Key::read(&key_file).unwrap();
    assert_eq!(key.public(), "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
    let run = folder.path().join("run");
    let path = verdict_in(&run, Some(&key));
    let kept = RunFolder(run.clone());
    let by = Signed::By { public_key: key.public() };
    assert_eq!(verdict::check(&path, &kept).unwrap().signed, by);

    // Another layout is the same file.
    let text = std::fs::read_to_string(&path).unwrap();
    let told: Value = serde_json::from_str(&text).unwrap();
    std::fs::write(&path, told.to_string()).unwrap();
    assert_eq!(verdict::check(&path, &kept).unwrap().signed, by);

    let mut forged = told;
    forged["outcome"] = json!("inconclusive");
    std::fs::write(&path, forged.to_string()).unwrap();
    let checked = verdict::check(&path, &kept).unwrap();
    assert_eq!(checked.signed, Signed::Invalid);
    assert!(!checked.holds());

    std::fs::write(&path, text).unwrap();
    let exit = |arguments: &[&str]| vireille(arguments).status.code().unwrap();
    assert_eq!(exit(&["eval", "verify", self::path(&run), "--signer", &key.public()]), 0);
    assert_eq!(exit(&["eval", "verify", self::path(&path), "--signer", &"00".repeat(32)]), 1);

    // What does not hold is told first and last, and who takes the signature away leaves a trace.
    let told: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let verify = || vireille(&["eval", "verify", self::path(&run)]);
    let lines =
        |output: &Output| String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>();
    let mut bare = told.clone();
    bare.as_object_mut().unwrap().remove("signature");
    std::fs::write(&path, bare.to_string()).unwrap();
    let output = verify();
    assert!(output.status.success() && said(&output).contains("carries no signature"), "{}", said(&output));
    let mut forged = told.clone();
    forged["counts"]["ok"] = json!(400);
    std::fs::write(&path, forged.to_string()).unwrap();
    let output = verify();
    let lines = lines(&output);
    assert_eq!((output.status.code(), lines[0].as_str()), (Some(1), "the verdict does not hold"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.starts_with("pass")), "{lines:?}");
    std::fs::write(&path, told.to_string()).unwrap();
    for file in std::fs::read_dir(&run).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("1O5y2/kTWErVttjx") && !text.contains("d4ee72dbf913584ad5b6d8f1f769f8ad"));
    }
    std::fs::write(&key_file, "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n").unwrap();
    let error = Key::read(&key_file).err().unwrap().to_string();
    assert!(error.contains("key.pem") && !error.contains("CANARY"), "{error}");
}

#[test]
fn a_run_is_blessed_whole_and_by_a_person_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notices.json");
    let run = keep(&folder.path().join("run"), &Story::default().run());
    let bless = |run: &RunFolder, because: &str| {
        vireille(&["eval", "bless", path(&run.0), "--because", because, "-o", path(&file)])
    };
    assert_eq!(bless(&run, " ").status.code(), Some(2));
    let output = bless(&run, "the first");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("CANARY"), "a baseline has no case text");
    assert!(text.lines().count() > 400, "a line a row");
    let baseline = Baseline::read(&file).unwrap();
    assert_eq!((baseline.blessed.by.as_str(), baseline.blessed.because.as_str()), ("mari", "the first"));
    assert_eq!(baseline.text().unwrap(), text);

    // The next one shows what changes.
    let worse = keep(&folder.path().join("worse"), &Story { wrong: (0..100).collect(), ..Story::default() }.run());
    let output = bless(&worse, "other labels");
    assert!(said(&output).contains("harmful flips"), "{}", said(&output));

    let mut broken = Story { errors: vec![3], ..Story::default() }.run();
    let errors = keep(&folder.path().join("errors"), &broken);
    assert_eq!(bless(&errors, "no").status.code(), Some(2));
    broken.record.selection = vec!["--limit 3".to_owned()];
    let part = keep(&folder.path().join("part"), &broken);
    let output = bless(&part, "no");
    assert!(output.status.code() == Some(2) && said(&output).contains("--limit 3"), "{}", said(&output));
}

#[test]
fn the_command_compares_and_ends_with_the_promised_code() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let good = keep(&at("good"), &Story::default().run());
    let bad = keep(&at("bad"), &Story { wrong: (0..120).collect(), ..Story::default() }.run());
    let few = keep(&at("few"), &Story { cases: 60, wrong: vec![4, 5, 6], ..Story::default() }.run());
    let short = keep(&at("short"), &Story { cases: 60, ..Story::default() }.run());
    let other = {
        let mut run = Story::default().run();
        run.record.suite.suite = "another".to_owned();
        keep(&at("other"), &run)
    };
    let (good, bad, few, short, other) = (path(&good.0), path(&bad.0), path(&few.0), path(&short.0), path(&other.0));
    let summary = at("summary.md");
    let code = |arguments: &[&str]| {
        let output = vireille(&[&["eval", "compare"], arguments].concat());
        assert!(!said(&output).contains(SECRET) && !said(&output).contains("CANARY"));
        output.status.code().unwrap()
    };
    assert_eq!(code(&[good, good]), 0);
    assert_eq!(code(&[good, bad, "-o", path(&summary)]), 100);
    assert_eq!(code(&[good, bad, "--json"]), 100);
    assert_eq!(code(&[good, few]), 102, "most cases are gone");
    assert_eq!(code(&[short, few]), 103);
    assert_eq!(code(&[short, few, "--inconclusive", "pass"]), 0);
    assert_eq!(code(&[short, few, "--inconclusive", "fail"]), 100);
    assert_eq!(code(&[good, other]), 2);
    assert_eq!(code(&[good, path(&at("nowhere"))]), 2);
    let text = std::fs::read_to_string(&summary).unwrap();
    assert!(text.contains("**fail**") && text.contains("`n-0001`") && !text.contains("CANARY"));
}

#[test]
fn a_page_is_made_of_folders_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    verdict_in(&folder.path().join("run"), None);
    let run = folder.path().join("run");
    let output = vireille(&["eval", "view", path(&run)]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("Against the baseline") && !page.contains("CANARY") && !page.contains(SECRET));
    let file = folder.path().join("answers.html");
    vireille(&["eval", "view", path(&run), path(&run), "--answers", "-o", path(&file)]);
    assert!(std::fs::read_to_string(file).unwrap().contains("Koivukuja"));
}

#[test]
fn power_says_what_a_number_of_cases_shows() {
    let output = vireille(&["eval", "power", "--cases", "500", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!((told["difference"].as_f64().unwrap() - 0.0396).abs() < 0.0005, "{told}");
    let output = vireille(&["eval", "power", "--difference", "0.04", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["cases"], 491);
    // Four repetitions lessen what varies within cases, and only that.
    let output = vireille(&["eval", "power", "--difference", "0.04", "--within", "0.04", "--epochs", "4", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["cases"], 197);
}
