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
        json!({ "id": "b", "input": [{ "role": "user", "content": "Two?" }], "target": ["2", "two"], "choices": ["2", "3"] }),
        json!({ "input": [{ "role": "user", "content": "a" }, { "role": "assistant", "content": "b" }], "target": "c" }),
    ];
    let text: String = samples.iter().flat_map(|sample| [sample.to_string(), "\n".to_owned()]).collect();
    let (_folder, inspect) = imported("samples.jsonl", &text, Format::Inspect);
    let ids: Vec<&str> = inspect.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["samples-0001", "b"]);
    assert_eq!(inspect.cases[0].metadata["lang"], "en");
    assert_eq!(verdicts(&inspect, &["It is helsinki.", "Three"]), [true, false]);
    let left = inspect.left.to_string();
    assert!(left.contains("samples.jsonl:2: the choices") && left.contains("samples.jsonl:3: the input"), "{left}");

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
