//! The suites and datasets that stand in the repository: each can be read, says where it comes from, and tests what
//! nothing was trained on.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use vireille::evals::case::{EvalCase, at as value_at, plain};
use vireille::evals::dataset;
use vireille::evals::load::{self, Loaded};
use vireille::evals::rewrites::{Rewrite, family, is_original};
use vireille::evals::score::Scorer;
use vireille::evals::suite::{Component, Split};
use vireille::evals::target::faults;
use vireille::policy::Rulebook;
use vireille::text::identifiers::{IdentifierKind, find_all};

use crate::support::desk::policies;

/// Suites and the fewest cases that each must have.
const SUITES: &[(&str, usize)] = &[
    ("cases", 40),
    ("drafting", 40),
    ("duplicates", 60),
    ("emergencies", 90),
    ("facts", 40),
    ("masking", 60),
    ("metamorphic", 300),
    ("parity", 120),
    ("retrieval", 60),
    ("routing", 80),
    ("triage", 240),
    ("verification", 60),
];
/// The suite of attacks has a target, and tests, of its own (`tests/it/injection.rs`).
const ATTACKS: &str = "injection";
/// The suite of recorded calls has a model, and tests, of its own (`tests/it/evals_replay.rs`).
const RECORDED: &str = "model-triage";
/// First byte of a cluster's hash below which its cases are to tune on: a third.
const DEV: u8 = 0x55;
/// A public number that letters name.
const ROAD_USER_LINE: &str = "02002100";
/// Two texts that share more of their letter quadruples than this say the same in the same words.
const ALIKE: f64 = 0.45;
/// Suites of engines that learn nothing from the examples: likeness of words, and search.
const UNTAUGHT: [&str; 2] = ["duplicates", "retrieval"];

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evals")
}

fn suite(name: &str) -> Loaded {
    load::suite(&home().join("suites").join(format!("{name}.yaml"))).unwrap_or_else(|faults| panic!("\n{faults}"))
}

/// Every case of a suite's dataset, of both parts.
fn cases(name: &str) -> Vec<EvalCase> {
    let mut whole = suite(name);
    whole.suite.dataset.split = None;
    dataset::open(&whole, &[]).unwrap_or_else(|faults| panic!("\n{faults}")).cases
}

fn folder(name: &str) -> PathBuf {
    home().join("datasets").join(name)
}

/// The word at a path of a case.
fn word(case: &EvalCase, path: &str) -> String {
    let metadata = Value::Object(case.metadata.clone());
    plain(value_at("metadata", &metadata, path).or_else(|| value_at("expected", &case.expected, path)))
}

/// What people wrote in an input: messages and questions, not the documents that come along.
fn written(input: &Value) -> Vec<&str> {
    let Some(input) = input.as_object() else { return input.as_str().into_iter().collect() };
    let texts = input.iter().flat_map(|(key, value)| match (key.as_str(), value) {
        ("text" | "description" | "query", Value::String(text)) => vec![text.as_str()],
        ("attachments", _) => Vec::new(),
        (_, Value::Object(_)) => written(value),
        _ => Vec::new(),
    });
    texts.collect()
}

#[test]
fn every_suite_is_read_and_every_assertion_can_be_used() {
    let files = fs::read_dir(home().join("suites")).unwrap().map(|file| file.unwrap().path());
    let found: BTreeSet<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let known = SUITES.iter().map(|(name, _)| *name).chain([ATTACKS, RECORDED]).map(str::to_owned).collect();
    assert_eq!(found, known);
    for (name, _) in SUITES {
        let loaded = suite(name);
        assert_eq!(loaded.suite.suite, *name);
        assert!(loaded.suite.models.is_empty(), "{name}: the offline engine is what runs without a key");
        Scorer::new(&loaded.suite, &loaded.path).unwrap_or_else(|faults| panic!("\n{faults}"));
        for gate in &loaded.suite.gates {
            assert!(
                gate.bound.is_none() || gate.reason.is_some(),
                "{name}: {} has a bound without a reason",
                gate.metric
            );
        }
    }
}

#[test]
fn every_dataset_has_a_card_a_lock_and_cases_enough() {
    for (name, least) in SUITES {
        let (loaded, cases) = (suite(name), cases(name));
        assert!(cases.len() >= *least, "{name} has {} cases", cases.len());
        let card = fs::read_to_string(folder(name).join("CARD.md")).unwrap();
        for says in ["licence", "personal data", "label guide", "labelled by", "split"] {
            assert!(card.contains(&format!("| {says} |")), "the card of {name} says nothing of: {says}");
        }
        let lock = dataset::split(&folder(name).join("split.lock")).unwrap_or_else(|faults| panic!("\n{faults}"));
        assert_eq!(lock.len(), cases.len(), "{name}");
        let cluster = loaded.suite.dataset.cluster.clone();
        for case in &cases {
            let cluster = word(case, &cluster);
            let first = Sha256::digest(cluster.as_bytes())[0];
            let split = if first < DEV { Split::Dev } else { Split::Test };
            assert_eq!(lock.get(case.id.as_str()), Some(&split), "{} of {name}, cluster {cluster}", case.id);
        }
        assert!(lock.values().any(|split| *split == Split::Dev) && lock.values().any(|split| *split == Split::Test));
    }
}

#[test]
fn every_label_is_asked_for_at_least_three_times_and_in_three_languages() {
    let rulebook =
        Rulebook::load(&policies(), &"harjuvesi".parse().unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let labels: BTreeSet<&str> = rulebook.pack.examples.iter().map(|example| example.label.as_str()).collect();
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut languages: BTreeMap<String, usize> = BTreeMap::new();
    let cases = cases("triage");
    for case in &cases {
        *asked.entry(word(case, "expected.label")).or_default() += 1;
        *languages.entry(word(case, "metadata.lang")).or_default() += 1;
    }
    assert_eq!(asked.keys().map(String::as_str).collect::<BTreeSet<_>>(), labels);
    assert!(asked.values().all(|count| *count >= 3), "{asked:?}");
    for (language, of_ten) in [("fi", 5), ("sv", 2), ("en", 1)] {
        assert!(languages[language] * 10 >= cases.len() * of_ten, "{languages:?}");
    }
    let declared = &suite("triage").suite.metrics["category"].labels;
    assert_eq!(declared.iter().map(String::as_str).collect::<BTreeSet<_>>(), labels);
}

/// The label guide: the category's own urgency, but for danger now and for a stop sign that is gone.
#[test]
fn urgency_is_the_category_s_own() {
    let rulebook =
        Rulebook::load(&policies(), &"harjuvesi".parse().unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let categories = rulebook.pack.services.values().flat_map(|service| &service.categories);
    let own: HashMap<&str, String> =
        categories.map(|category| (category.code.as_str(), category.urgency.to_string())).collect();
    let mut looked = 0;
    for (name, _) in SUITES {
        for case in cases(name) {
            let (label, urgency) = (word(&case, "expected.label"), word(&case, "expected.urgency"));
            let Some(own) = own.get(label.as_str()).filter(|_| !["U0", "none"].contains(&urgency.as_str())) else {
                continue;
            };
            looked += 1;
            let is_stop_sign = written(&case.input).iter().any(|text| text.to_lowercase().contains("stop"));
            let is_exempt = label == "SG1" && urgency == "U2" && is_stop_sign;
            assert!(urgency == *own || is_exempt, "{} of {name} is {label} {urgency}, {label}'s own is {own}", case.id);
        }
    }
    assert!(looked > 500, "{looked}");
}

#[test]
fn every_seeded_fault_has_a_case_and_every_case_a_fault_that_there_is() {
    let cases = cases("verification");
    let seeded: BTreeSet<String> = cases.iter().map(|case| word(case, "metadata.fault")).collect();
    assert_eq!(seeded, faults::names().map(str::to_owned).collect());
    for case in &cases {
        assert_eq!(case.input["fault"], case.metadata["fault"], "{}", case.id);
        assert_eq!(case.input["fault"] == "none", case.expected.get("clean").is_some(), "{}", case.id);
    }
}

/// An engine that learnt a text by heart would know its label.
#[test]
fn no_text_stands_among_the_examples() {
    let rulebook =
        Rulebook::load(&policies(), &"harjuvesi".parse().unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let examples: Vec<(&str, BTreeSet<u64>)> =
        rulebook.pack.examples.iter().map(|example| (example.text.as_str(), quadruples(&example.text))).collect();
    let mut holders: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, (_, quadruples)) in examples.iter().enumerate() {
        for quadruple in quadruples {
            holders.entry(*quadruple).or_default().push(at);
        }
    }
    let mut looked = 0;
    for (name, _) in SUITES.iter().filter(|(name, _)| !UNTAUGHT.contains(name)) {
        for case in cases(name).iter().filter(|case| word(case, "metadata.rewrite") == "none") {
            for text in written(&case.input) {
                looked += 1;
                let own = quadruples(text);
                let mut shared: HashMap<usize, usize> = HashMap::new();
                for at in own.iter().filter_map(|quadruple| holders.get(quadruple)).flatten() {
                    *shared.entry(*at).or_default() += 1;
                }
                for (at, shared) in shared {
                    let all = own.len() + examples[at].1.len() - shared;
                    #[expect(clippy::cast_precision_loss, reason = "letters of a message")]
                    let alike = shared as f64 / all as f64;
                    assert!(alike < ALIKE, "{} of {name} is {alike:.2} alike: {}", case.id, examples[at].0);
                }
            }
        }
    }
    assert!(looked > 800, "{looked}");
}

/// Four letters at a time, without signs and capitals.
fn quadruples(text: &str) -> BTreeSet<u64> {
    let bare: String = text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let letters: Vec<char> = bare.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    letters.windows(4).map(|four| four.iter().fold(0, |sum, c| (sum << 16) ^ u64::from(u32::from(*c)))).collect()
}

#[test]
fn nothing_in_the_datasets_identifies_anybody() {
    // An individual number from 900 on is given to nobody.
    let code = Regex::new(r"(?i)\b[0-3]\d[01]\d{3}[-+A-FU-Y](\d{3})[0-9A-Y]\b").unwrap();
    let mut seen = BTreeSet::new();
    for (name, _) in SUITES {
        let text = fs::read_to_string(folder(name).join("cases.jsonl")).unwrap();
        for found in code.captures_iter(&text) {
            assert!(found[1].parse::<u16>().unwrap() >= 900, "{name}: {}", &found[0]);
        }
        for found in find_all(&text) {
            let value = &text[found.start..found.end];
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            let national = digits.strip_prefix("358").map_or(digits.clone(), |rest| format!("0{rest}"));
            let invented = match found.kind {
                IdentifierKind::IdentityCode => digits[6..9].parse::<u16>().is_ok_and(|number| number >= 900),
                IdentifierKind::Iban => digits[2..].starts_with("1234560000"),
                IdentifierKind::Email => value.ends_with(".example"),
                IdentifierKind::Phone => {
                    national == ROAD_USER_LINE || ["123", "000"].iter().any(|number| national[3..].starts_with(number))
                }
                IdentifierKind::Plate => true,
            };
            assert!(invented, "{name}: {value}");
            seen.insert(found.kind.placeholder());
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

/// A baseline is public as the code is; what people wrote stays in the dataset.
#[test]
fn a_baseline_has_observations_and_no_text() {
    let mut looked = 0;
    for (name, _) in SUITES.iter().filter(|(name, _)| *name != "duplicates") {
        let loaded = suite(name);
        let Some(baseline) = &loaded.suite.baseline else { continue };
        let baseline = fs::read_to_string(loaded.resolve(baseline)).unwrap();
        for case in cases(name) {
            for text in written(&case.input).into_iter().filter(|text| text.chars().count() > 20) {
                looked += 1;
                // As it would stand there: quotes and line ends are escaped.
                let text = serde_json::to_string(text).unwrap();
                assert!(!baseline.contains(text.trim_matches('"')), "{} of {name} stands in its baseline", case.id);
            }
        }
    }
    assert!(looked > 1000, "{looked}");
}

/// Three languages of one matter share everything but the words.
#[test]
fn a_matter_is_the_same_in_three_languages() {
    let mut matters: BTreeMap<String, Vec<EvalCase>> = BTreeMap::new();
    for case in cases("parity") {
        matters.entry(word(&case, "metadata.matter")).or_default().push(case);
    }
    assert!(matters.len() >= 40, "{}", matters.len());
    for (matter, cases) in matters {
        let languages: Vec<String> = cases.iter().map(|case| word(case, "metadata.lang")).collect();
        assert_eq!(languages, ["fi", "sv", "en"], "{matter}");
        let told = |case: &EvalCase| (word(case, "expected.label"), word(case, "expected.owner"));
        assert!(cases.iter().all(|case| told(case) == told(&cases[0])), "{matter}");
    }
}

/// The dataset of rewritings is what the rewritings make of its base messages.
#[test]
fn the_rewritten_cases_are_those_of_the_rewritings() {
    let file = folder("metamorphic").join("cases.jsonl");
    let bases: Vec<EvalCase> = dataset::all(&file).unwrap().into_iter().filter(is_original).collect();
    assert!(bases.len() >= 40, "{}", bases.len());
    let fresh: Vec<EvalCase> = bases.iter().flat_map(|base| family(base, &Rewrite::ALL).unwrap()).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let lines: String = fresh.iter().map(|case| serde_json::to_string(case).unwrap() + "\n").collect();
        fs::write(&file, lines).unwrap();
        let lock = |case: &EvalCase| {
            let first = Sha256::digest(word(case, "metadata.base").as_bytes())[0];
            format!("{}\t{}\n", case.id, if first < DEV { "dev" } else { "test" })
        };
        fs::write(file.with_file_name("split.lock"), fresh.iter().map(lock).collect::<String>()).unwrap();
    }
    let golden = dataset::all(&file).unwrap();
    assert!(golden == fresh, "{} is not up to date: run the tests with UPDATE_GOLDEN=1", file.display());
    assert_eq!(suite("metamorphic").suite.target.component, Component::Triage);
}
