//! Other tools' cases: what is taken over gives the verdict that it gave there, and what is not is said with its line.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use vireille::evals::interop::{Format, Imported, read};
use vireille::evals::row::{Status, Used};
use vireille::evals::score::{Answered, Scorer};
use vireille::evals::{dataset, load};

fn imported(name: &str, text: &str, format: Format) -> (tempfile::TempDir, Imported) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    let imported = read(&folder.path().join(name), format).unwrap_or_else(|faults| panic!("{faults}"));
    (folder, imported)
}

/// The verdict on each case of an imported file when the model answers these.
fn verdicts(imported: &Imported, answers: &[&str]) -> Vec<bool> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suite.yaml");
    std::fs::write(&path, imported.suite("suite")).unwrap();
    let loaded = load::suite(&path).unwrap_or_else(|faults| panic!("{faults}\n{}", imported.suite("suite")));
    let scorer = Scorer::new(&loaded.suite, &path).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(imported.cases.len(), answers.len());
    let grades = imported.cases.iter().zip(answers).map(|(case, answer)| {
        let output = json!(answer);
        scorer.measure(case, Answered { output: &output, used: &Used::default(), latency_ms: 1.0 })
    });
    grades
        .map(|grade| {
            assert!(grade.ungraded.is_none() && !grade.scores.is_empty(), "{grade:?}");
            grade.status() == Status::Ok
        })
        .collect()
}

/// Kind, value, answer, and what promptfoo 0.121 says of it.
const SHARED: &[(&str, &str, &str, bool)] = &[
    ("equals", "LI1", "LI1", true),
    ("equals", "LI1", "li1", false),
    ("equals", "LI1", " LI1", false),
    ("not-equals", "LI1", "KA2", true),
    ("not-equals", "LI1", "LI1", false),
    ("contains", "katu", "Rantakatu 5", true),
    ("contains", "Katu", "Rantakatu 5", false),
    ("contains", "a  b", "a b", false),
    ("contains", "1.5", "105", false),
    ("not-contains", "Katu", "Rantakatu 5", true),
    ("not-contains", "katu", "Rantakatu 5", false),
    ("icontains", "ÄITI", "Isä ja äiti", true),
    ("icontains", "setä", "Isä ja äiti", false),
    ("not-icontains", "ÄITI", "Isä ja äiti", false),
    ("not-icontains", "setä", "Isä ja äiti", true),
    ("regex", "^\\d+ €$", "250 €", true),
    ("regex", "^\\d+ €$", "noin 250 €", false),
    ("not-regex", "\\d", "ei lukuja", true),
    ("not-regex", "\\d", "yksi 1", false),
    ("starts-with", "Hei", "Hei taas", true),
    ("starts-with", "Hei", "Oi hei", false),
    ("not-starts-with", "Hei", "Oi Hei", true),
    ("is-json", "", "{\"a\": [1, 2]}", true),
    ("is-json", "", "{\"a\": [1, 2}", false),
    ("not-is-json", "", "sanoja", true),
    ("not-is-json", "", "{}", false),
    ("contains-any", "kissa,koira", "iso koira", true),
    ("contains-any", "kissa,koira", "hevonen", false),
    ("not-contains-any", "kissa,koira", "hevonen", true),
    ("contains-all", "kissa,koira", "koira ja kissa", true),
    ("contains-all", "kissa,koira", "koira", false),
];

#[test]
fn what_both_tools_ask_gets_the_same_verdict() {
    let answers: Vec<&str> = SHARED.iter().map(|(_, _, answer, _)| *answer).collect();
    let expected: Vec<bool> = SHARED.iter().map(|(.., verdict)| *verdict).collect();
    let compare = |found: &[bool], from: &str| {
        for ((kind, value, answer, expected), found) in SHARED.iter().zip(found) {
            assert_eq!(found, expected, "{from}: {kind} {value:?} of {answer:?}");
        }
        assert_eq!(found, expected);
    };

    let tests: Vec<Value> = SHARED
        .iter()
        .map(|(kind, value, ..)| {
            let list = kind.ends_with("-any") || kind.ends_with("-all");
            let value = if list { json!(value.split(',').collect::<Vec<_>>()) } else { json!(value) };
            let value = if kind.ends_with("is-json") { Value::Null } else { value };
            json!({ "vars": { "q": "x" }, "assert": [{ "type": kind, "value": value }] })
        })
        .collect();
    // JSON is YAML.
    let config = json!({ "prompts": ["{{q}}"], "tests": tests }).to_string();
    let (_folder, from_yaml) = imported("shared.yaml", &config, Format::Promptfoo);
    assert!(from_yaml.left.is_empty(), "{}", from_yaml.left);
    compare(&verdicts(&from_yaml, &answers), "YAML");

    let mut table = "q,__expected\n".to_owned();
    for (kind, value, ..) in SHARED {
        let cell = if kind.ends_with("is-json") { (*kind).to_owned() } else { format!("{kind}: {value}") };
        table += &["x,\"", &cell.replace('"', "\"\""), "\"\n"].concat();
    }
    let (_folder, from_csv) = imported("shared.csv", &table, Format::Promptfoo);
    compare(&verdicts(&from_csv, &answers), "CSV");
}

const CONFIG: &str = r#"description: Notices by category
prompts:
  - |
    Name the category of the notice.
    {{notice}}
  - "Is {{notice}} about {{lamp}}?"
providers:
  - openai:gpt-4o-mini
  - id: anthropic:messages:claude
outputPath: out.json
defaultTest:
  assert:
    - type: not-contains
      value: sorry
tests:
  - description: a lamp
    vars: { notice: "Lamppu {1} on pimeänä" }
    assert:
      - { type: equals, value: LI1 }
      - type: llm-rubric
        value: is polite
  - vars: { notice: "Ignore {{system}}" }
  - vars: { notice: [a, b] }
  - vars: { notice: file://notice.txt }
    assert:
      - { type: javascript, value: "output.length < 9" }
      - { type: contains, value: "RO" }
      - { type: contains, value: "1" }
"#;

#[test]
fn what_is_not_taken_over_is_said_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notices.yaml");
    std::fs::write(&path, CONFIG).unwrap();
    std::fs::write(folder.path().join("notice.txt"), "Kuoppa ajoradassa").unwrap();
    let imported = read(&path, Format::Promptfoo).unwrap();
    assert_eq!(imported.system.as_deref(), Some("Name the category of the notice."));
    assert_eq!(
        (imported.user.as_str(), imported.models.as_slice()),
        ("input.notice", &["openai/gpt-4o-mini".to_owned()][..])
    );
    assert_eq!(imported.prompts, ["Is {{notice}} about {{lamp}}?"], "kept as data");
    let inputs: Vec<&Value> = imported.cases.iter().map(|case| &case.input["notice"]).collect();
    assert_eq!(inputs, ["Lamppu {1} on pimeänä", "Kuoppa ajoradassa"]);
    assert_eq!(imported.cases[0].metadata["description"], "a lamp");
    assert_eq!(imported.cases[1].expected["contains-2"], "1");
    assert_eq!(verdicts(&imported, &["LI1", "RO1"]), [true, true]);
    assert_eq!(verdicts(&imported, &["LI1", "sorry, RO1"]), [true, false]);
    let left = imported.left.to_string();
    for says in [
        "notices.yaml:6: the prompt is a template",
        "notices.yaml:9: this provider is not known here",
        "notices.yaml:10: `outputPath` is not taken over",
        "notices.yaml:20: `llm-rubric` is not taken over",
        "notices.yaml:22: a variable is a template itself",
        "notices.yaml:23: a list of values",
        "notices.yaml:26: `javascript` is not taken over",
    ] {
        assert!(left.contains(says), "{says}\n{left}");
    }
    assert_eq!(imported.left.len(), 7, "{left}");
}

#[test]
fn samples_of_inspect_and_openai_are_read() {
    let samples = [
        json!({ "id": "s 1", "input": "Capital of Finland?", "target": "Helsinki", "metadata": { "lang": "en" } }),
        json!({ "id": "b", "input": [{ "role": "user", "content": "Two?" }], "target": [2, "two"] }),
        json!({ "input": [{ "role": "user", "content": "a" }, { "role": "assistant", "content": "b" }], "target": "c" }),
    ];
    let text: String = samples.iter().flat_map(|sample| [sample.to_string(), "\n".to_owned()]).collect();
    let (_folder, inspect) = imported("samples.jsonl", &text, Format::Inspect);
    let ids: Vec<&str> = inspect.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["samples-0001", "b"]);
    assert_eq!(inspect.cases[0].metadata["lang"], "en");
    assert_eq!(verdicts(&inspect, &["It is helsinki.", "Three"]), [true, false]);
    let left = inspect.left.to_string();
    assert!(left.contains("samples.jsonl:3: the input"), "{left}");

    let with = |system: &str, user: &str| json!([{ "role": "system", "content": system }, { "role": "user", "content": user }]);
    let samples = [
        json!({ "input": with("Answer in one word.", "Capital of Sweden?"), "ideal": "Stockholm" }),
        json!({ "input": with("Answer in one word.", "Even?"), "ideal": ["yes", "Yes"] }),
        json!({ "input": with("Be brief.", "Odd?"), "ideal": "no" }),
    ];
    let text: String = samples.iter().flat_map(|sample| [sample.to_string(), "\n".to_owned()]).collect();
    let (_folder, openai) = imported("match.jsonl", &text, Format::Openai);
    assert_eq!(openai.system.as_deref(), Some("Answer in one word."));
    assert_eq!(verdicts(&openai, &["Stockholm.", "Yes", "It is no"]), [true, true, false]);
    assert!(openai.left.to_string().contains("match.jsonl:3: the instruction is another"), "{}", openai.left);
}

/// A number is a text, nothing is no target, and a letter is no answer.
#[test]
fn what_a_sample_expects_is_read_or_the_sample_is_left_out() {
    let targets = [json!(42), json!(["a", 7]), json!(""), json!([]), json!(["a", ""]), json!({ "a": 1 }), Value::Null];
    for (format, key, name) in [(Format::Inspect, "target", "c"), (Format::Openai, "ideal", "c")] {
        let samples = targets.iter().map(|target| json!({ "input": "q", key: target }).to_string());
        let text = samples.chain([json!({ "input": "q" }).to_string()]).collect::<Vec<_>>().join("\n");
        let (_folder, found) = imported("c.jsonl", &text, format);
        assert_eq!(verdicts(&found, &["42", "7"]), [true, true]);
        assert_eq!(verdicts(&found, &["24", "8"]), [false, false]);
        let left = found.left.to_string();
        for line in 3..=8 {
            assert!(left.contains(&format!("{name}.jsonl:{line}: nothing that is expected")), "{left}");
        }
    }
    let choice = json!({ "input": "Which?", "target": "A", "choices": ["one", "two"] });
    let text = format!("{choice}\n{}", json!({ "input": "q", "target": "a" }));
    let (_folder, found) = imported("c.jsonl", &text, Format::Inspect);
    assert_eq!(found.cases.len(), 1);
    assert!(found.left.to_string().contains("c.jsonl:1: a question with choices"), "{}", found.left);
}

#[test]
fn a_sample_gets_the_next_free_id() {
    let mut samples: Vec<Value> = (1..=9).map(|_| json!({ "input": "q", "target": "a" })).collect();
    samples[2]["id"] = "c-0009".into();
    samples[8]["id"] = "bad id".into();
    let text = samples.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let (_folder, found) = imported("c.jsonl", &text, Format::Inspect);
    assert_eq!(found.cases.len(), 9);
    assert_eq!(found.cases[8].id.as_str(), "c-0010");
}

#[test]
fn no_kind_of_promptfoo_becomes_a_text_to_equal() {
    let cells = [
        "similar(0.8): hello",
        "contains-json",
        "levenshtein(5): foo",
        "is-refusal",
        "not-is-refusal",
        "cost(0.1)",
        "latency(1000)",
        "contains(0.5): x",
        "rouge-n(0.6): a text",
        "similar:cosine(0.8): hello",
    ];
    let mut table = "q,__expected\n".to_owned();
    for cell in cells {
        table += &["x,\"", cell, "\"\n"].concat();
    }
    table += "file://body.txt,LI1\nx,Contains: nothing\nx,similar words\n";
    let (_folder, found) = imported("cells.csv", &table, Format::Promptfoo);
    let asked: Vec<&Value> = found.cases.iter().map(|case| &case.expected).collect();
    let nothing = json!({});
    assert!(asked[..cells.len()].iter().all(|asked| **asked == nothing), "{asked:?}");
    let equals = |text: &str| json!({ "equals": text });
    assert_eq!(asked[cells.len()..], [&equals("Contains: nothing"), &equals("similar words")]);
    let left = found.left.to_string();
    for line in 2..=cells.len() + 2 {
        assert!(left.contains(&format!("cells.csv:{line}: ")), "{line}\n{left}");
    }
}

const UNREAD: &str = r#"prompts: ["{{q}}"]
defaultTest:
  threshold: 0.5
  options:
    transform: output.trim()
tests:
  - vars: file://vars.yaml
  - vars: { q: a }
    assert:
      - { type: contains, value: x, weight: 0 }
      - { type: contains, value: x, threshold: 0.5 }
      - { type: contains, value: y, metric: mine }
"#;

#[test]
fn every_key_that_is_not_read_is_said() {
    let (_folder, found) = imported("keys.yaml", UNREAD, Format::Promptfoo);
    assert_eq!(found.cases.len(), 1);
    assert_eq!(found.cases[0].expected, json!({ "contains": "y" }));
    let left = found.left.to_string();
    for says in [
        "keys.yaml:3: `threshold` of a test",
        "keys.yaml:4: `options` of a test",
        "keys.yaml:7: `vars` is not written out",
        "keys.yaml:10: an assertion with `weight`",
        "keys.yaml:11: an assertion with `threshold`",
        "keys.yaml:12: the `metric`",
    ] {
        assert!(left.contains(says), "{says}\n{left}");
    }
}

#[test]
fn what_cannot_be_read_is_a_fault_with_its_line() {
    for (name, text, format, says) in [
        ("a.jsonl", "{\"input\": 1}\n{", Format::Openai, "a.jsonl:2: the line is no JSON object"),
        ("a.yaml", "prompts: [\ntests: 1", Format::Promptfoo, "a.yaml:"),
        ("a.yaml", "prompts: ['{{q}}']\ntests: []\n", Format::Promptfoo, "there is no case"),
        ("a.csv", "", Format::Promptfoo, "there is no case"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        let faults = read(&folder.path().join(name), format).unwrap_err().to_string();
        assert!(faults.contains(says), "{faults}");
    }
}

fn import(folder: &Path, file: &str, format: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["eval", "import", file, "--format", format, "-o", "taken"])
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn the_command_writes_a_suite_that_can_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("My Tests.yaml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("notice.txt"), "Kuoppa").unwrap();
    let output = import(folder.path(), "My Tests.yaml", "promptfoo");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("not taken over: My Tests.yaml:20: "), "{said}");
    let loaded = load::suite(&folder.path().join("taken/my-tests.yaml")).unwrap();
    assert_eq!(dataset::open(&loaded, &[]).unwrap().cases.len(), 2);
    assert_eq!(loaded.suite.models[0].id, "openai/gpt-4o-mini");
    // Nothing is written over.
    assert_eq!(import(folder.path(), "My Tests.yaml", "promptfoo").status.code(), Some(2));
}
