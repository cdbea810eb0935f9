//! Rewritings against their originals in one run: the same message in other words must be decided the same way.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vireille::evals::exit::Outcome;
use vireille::evals::folder::Run;
use vireille::evals::gate::GateResult;
use vireille::evals::report::{Format, Report, render};

/// Stands in every answer; no report may have it.
const CASE_TEXT: &str = "CANARY Mattila, Koivukuja 3";

const LABELS: [&str; 3] = ["roads", "lighting", "waste"];

/// What a target answers to the nth message in one way of writing it: how far from the right label.
type Answers = fn(nth: usize, way: &str) -> usize;

/// As it was written, every tenth message is misread; so are its rewritings.
fn invariant(nth: usize, _: &str) -> usize {
    usize::from(nth.is_multiple_of(10))
}

/// Messages in capitals are misread twice as often as others and some more: every tenth and every fifth but one.
fn biased(nth: usize, way: &str) -> usize {
    usize::from(nth.is_multiple_of(10) || (way == "capitals" && nth % 5 == 1))
}

/// As often wrong in capitals as elsewhere, and with another answer.
fn capricious(nth: usize, way: &str) -> usize {
    match (nth.is_multiple_of(10), way) {
        (false, _) => 0,
        (true, "capitals") => 2,
        (true, _) => 1,
    }
}

const WAYS: [&str; 3] = ["none", "capitals", "slips"];

/// Two hundred messages in three ways of writing.
fn run(answers: Answers, gates: &Value) -> Run {
    let row = |nth: usize, way: &str| {
        let (gold, said) = (LABELS[nth % 3], LABELS[(nth + answers(nth, way)) % 3]);
        json!({
            "case": format!("m-{nth:03}-{way}"),
            "epoch": 0,
            "status": if gold == said { "ok" } else { "failed" },
            "slices": { "metadata.rewrite": way },
            "base": { "id": format!("m-{nth:03}"), "original": way == "none" },
            "cluster": format!("m-{nth:03}"),
            "output": { "text": CASE_TEXT },
            "latency_ms": 1.0,
            "scores": { "kind": { "kind": "label", "gold": gold, "predicted": said, "pass": gold == said } },
        })
    };
    let rows: Vec<Value> = (0..200).flat_map(|nth| WAYS.map(|way| row(nth, way))).collect();
    let record = json!({
        "version": 1,
        "started": "2026-11-22T08:00:00Z",
        "suite": {
            "version": 1,
            "suite": "rewritings",
            "description": "The same messages in other words.",
            "dataset": {
                "path": "cases.jsonl", "cluster": "metadata.base",
                "originals": { "by": "metadata.base", "where": "metadata.rewrite=none" },
            },
            "target": { "component": "triage" },
            "assert": [{ "type": "label", "metric": "kind" }],
            "slices": ["metadata.rewrite"],
            "gates": gates,
        },
        "hashes": { "suite": "s", "dataset": "d", "prompts": null, "packs": null, "prices": null, "judges": null },
        "model": null,
        "epochs": 1,
        "mode": "replay",
        "rows": rows.len(),
        "attempts": 1,
        "program": "0.1.0",
    });
    serde_json::from_value(json!({ "record": record, "rows": rows })).unwrap()
}

fn gates() -> Value {
    let by_way = |metric: &str, margin: &str| json!({ "metric": metric, "slice": "metadata.rewrite=*", "compare": "originals", margin: 0.05, "adjust": "holm" });
    json!([
        by_way("kind.accuracy", "non_inferior"),
        by_way("kind.accuracy", "equivalent"),
        { "metric": "kind.agreement", "slice": "metadata.rewrite=*", "min": 0.95, "bound": "lower" },
    ])
}

/// What the gates came to in this way of writing.
fn outcomes(report: &Report, way: &str) -> Vec<Outcome> {
    let slice = format!("metadata.rewrite={way}");
    report.gates.iter().filter(|gate| gate.slice.as_ref() == Some(&slice)).map(|gate| gate.outcome).collect()
}

fn capitals(report: &Report) -> &GateResult {
    report.gates.iter().find(|gate| gate.slice.as_deref() == Some("metadata.rewrite=capitals")).unwrap()
}

#[test]
fn a_target_that_does_not_care_how_a_message_is_written_passes() {
    let report = Report::of(run(invariant, &gates()), None);
    assert_eq!(report.outcome, Outcome::Pass, "{:#?}", report.gates);
    for way in ["capitals", "slips"] {
        assert_eq!(outcomes(&report, way), [Outcome::Pass; 3], "{way}");
    }
    assert!(outcomes(&report, "none").is_empty(), "originals are not held against themselves");
    let pairs = capitals(&report).pairs.as_ref().unwrap();
    assert_eq!((pairs.of, pairs.agree, pairs.mcnemar), (200, Some(200), Some(1.0)));
    // Wrong answers count where wrong answers are counted.
    assert!((report.figures.all["kind.accuracy"].value - 0.9).abs() < 1e-12);
}

#[test]
fn a_planted_bias_fails_and_its_flips_are_named() {
    let report = Report::of(run(biased, &gates()), None);
    assert_eq!(report.outcome, Outcome::Fail);
    assert_eq!(outcomes(&report, "capitals"), [Outcome::Fail; 3]);
    assert_eq!(outcomes(&report, "slips"), [Outcome::Pass; 3], "what is no worse is not blamed");
    let gate = capitals(&report);
    let pairs = gate.pairs.as_ref().unwrap();
    assert_eq!((pairs.harmful.len(), pairs.beneficial.len(), pairs.otherwise.len()), (40, 0, 0));
    assert_eq!((pairs.harmful[0].as_str(), pairs.agree), ("m-001-capitals", Some(160)));
    assert!(pairs.mcnemar.unwrap() < 1e-9);
    assert_eq!(
        format!("{}: {}", gate.title(), gate.why),
        "kind.accuracy no worse than the originals by more than 0.05 in metadata.rewrite=capitals: \
         −0.200 over 200 pairs (40 worse, 0 better; the same answer in 160 of 200; McNemar p < 0.001): \
         surely worse than allowed"
    );
    for format in [Format::Markdown, Format::Html, Format::Json] {
        let text = render(format, std::slice::from_ref(&report)).unwrap();
        assert!(text.contains("m-001-capitals") && !text.contains("CANARY"), "{format:?}");
    }
    let text = render(Format::Markdown, std::slice::from_ref(&report)).unwrap();
    let listed = "<details><summary>Rewritings: 40 of 200 not as their originals</summary>\n\n\
                  `kind.accuracy no worse than the originals by more than 0.05 in metadata.rewrite=capitals`\n\n\
                  Worse than the original (40): `m-001-capitals`, `m-006-capitals`, ";
    assert!(text.contains(listed), "{text}");
    let text = render(Format::Html, &[report]).unwrap();
    assert!(text.contains("<summary>Worse than the original: 40</summary>"));
}

#[test]
fn another_wrong_answer_is_no_loss_and_no_agreement() {
    let report = Report::of(run(capricious, &gates()), None);
    let [worse, same, agreement] = outcomes(&report, "capitals")[..] else { panic!("{:?}", report.gates) };
    assert_eq!((worse, same, agreement), (Outcome::Pass, Outcome::Pass, Outcome::Fail));
    let pairs = capitals(&report).pairs.as_ref().unwrap();
    assert_eq!((pairs.harmful.len(), pairs.otherwise.len(), pairs.agree), (0, 20, Some(180)));
}

#[test]
fn too_few_pairs_are_told_with_how_many_would_tell() {
    let mut run = run(invariant, &gates());
    run.rows.retain(|row| row.case.as_str() < "m-030");
    run.record.rows = run.rows.len();
    let report = Report::of(run, None);
    assert_eq!(report.outcome, Outcome::Inconclusive, "{:#?}", report.gates);
    // 0.95ⁿ ≤ 0.05 / 2: of two looks.
    assert_eq!(capitals(&report).need, Some(72));
    assert!(capitals(&report).why.ends_with("too few to tell; about 42 more would"), "{}", capitals(&report).why);
}

#[test]
fn without_originals_nothing_passes() {
    let mut run = run(invariant, &gates());
    run.rows.retain(|row| row.base.as_ref().is_some_and(|base| !base.original));
    run.record.rows = run.rows.len();
    let report = Report::of(run, None);
    assert_eq!(report.outcome, Outcome::Incomplete);
    for gate in &report.gates {
        assert_eq!(gate.outcome, Outcome::Incomplete, "{}: {}", gate.title(), gate.why);
    }
    assert!(report.gates[0].why.contains("no rewriting with its original in this run"), "{}", report.gates[0].why);
}

/// The suite that is shipped, over some of its cases: whoever chooses rewritings alone has no gate that passes.
#[test]
fn a_choice_without_originals_is_incomplete() {
    let home = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals");
    for file in ["suites/metamorphic.yaml", "datasets/metamorphic/cases.jsonl"] {
        let copy = home.path().join(file);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(shipped.join(file), copy).unwrap();
    }
    let suite = home.path().join("suites/metamorphic.yaml");
    let run = |chosen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vireille"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
        let output = command.args(["eval", "run", suite.to_str().unwrap(), chosen, "--json"]).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let within = told["gates"].as_array().unwrap().iter().find(|gate| gate["gate"]["compare"] == "originals");
        (output.status.code(), within.unwrap().clone())
    };
    let (code, gate) = run("--where=metadata.base=met-01");
    assert_eq!(gate["pairs"]["of"], json!(7), "{gate}");
    assert_eq!((code, &gate["outcome"]), (Some(102), &json!("inconclusive")), "there is no baseline: {gate}");
    let (code, gate) = run("--id=met-01-slips");
    assert_eq!((code, &gate["outcome"]), (Some(102), &json!("incomplete")), "{gate}");
}
