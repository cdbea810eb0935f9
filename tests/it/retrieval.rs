//! How well the words alone find, on public texts that nobody here wrote: the folder named by `VIREILLE_DATA`.
//!
//! Where a set has queries (`queries*.jsonl[.gz]`, `qrels*.tsv`) they are asked. Where it has none, a sentence is taken out
//! of each passage and asked for, whole as a question and a few words of it as a heading: the passage must come up by what is
//! left of it. Printed is nDCG@10; what is asserted is a floor under what was measured, so that a change for the worse is seen.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::Value;
use vireille::cases::{Language, SectionRef, Validity};
use vireille::search::passages::Part;
use vireille::search::{Embedded, Index, Passages, Query, Search as _};

/// Set, language, and the least nDCG@10 of sentences and of few words out of them.
const SETS: &[(&str, Language, f64, f64)] = &[
    ("finlex-fi", Language::Fi, 0.44, 0.245),
    ("finlex-sv", Language::Sv, 0.50, 0.28),
    ("swefaq", Language::Sv, 0.56, 0.37),
    ("squad-fi-dev", Language::Fi, 0.56, 0.28),
    ("squad-sv-dev", Language::Sv, 0.53, 0.275),
    ("xquad-en", Language::En, 0.80, 0.485),
];

/// Questions of a set that are asked at most; a dev build asks some ten a second.
const ASKED: usize = 250;

struct Row {
    id: String,
    title: String,
    text: String,
}

/// A question and the passages that answer it.
type Question = (String, BTreeSet<String>);

#[expect(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn data() -> Option<PathBuf> {
    std::env::var("VIREILLE_DATA").ok().filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

fn lines(file: &Path) -> Vec<Value> {
    let output = Command::new("gzip").arg("-dcf").arg(file).output().expect("gzip is there");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn word(row: &Value, field: &str) -> String {
    row[field].as_str().unwrap_or_default().to_owned()
}

fn files(folder: &Path, start: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(start)).collect();
    files.sort();
    files
}

fn corpus(folder: &Path) -> Vec<Row> {
    let rows = lines(&folder.join("corpus.jsonl.gz"));
    rows.iter().map(|row| Row { id: word(row, "_id"), title: word(row, "title"), text: word(row, "text") }).collect()
}

/// The set's own questions, where it has them.
fn official(folder: &Path) -> Vec<Question> {
    let mut answers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(folder, "qrels").iter().filter(|file| !file.to_string_lossy().contains(".to-")) {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let fields: Vec<_> = line.split('\t').collect();
            if let [query, passage, grade] = fields[..]
                && grade.parse().is_ok_and(|grade: f64| grade > 0.0)
            {
                answers.entry(query.to_owned()).or_default().insert(passage.to_owned());
            }
        }
    }
    let queries = files(folder, "queries").iter().flat_map(|file| lines(file)).collect::<Vec<_>>();
    queries.iter().filter_map(|row| Some((word(row, "text"), answers.get(&word(row, "_id"))?.clone()))).collect()
}

/// Takes a sentence out of each passage that has three, and asks for it, or for a few of its longer words.
fn taken_out(rows: &mut [Row], few: bool) -> Vec<Question> {
    let mut rng = StdRng::seed_from_u64(7);
    let mut questions = Vec::new();
    for row in rows {
        let sentences: Vec<&str> = row.text.split_inclusive(['.', '?', '!', ';', ':']).collect();
        let good = |sentence: &&str| (5..=30).contains(&sentence.split_whitespace().count());
        let candidates: Vec<usize> = (0..sentences.len()).filter(|&at| good(&sentences[at])).collect();
        if sentences.len() < 3 || candidates.is_empty() {
            continue;
        }
        let at = candidates[rng.random_range(0..candidates.len())];
        let words: Vec<&str> = sentences[at].split_whitespace().collect();
        let longer: Vec<&str> = words.iter().copied().filter(|word| word.chars().count() > 3).collect();
        let question = if few && !longer.is_empty() {
            let count = rng.random_range(2..=5).min(longer.len());
            let from = rng.random_range(0..=longer.len() - count);
            longer[from..from + count].join(" ")
        } else {
            words.join(" ")
        };
        let rest = [&sentences[..at], &sentences[at + 1..]].concat().concat();
        row.text = rest;
        questions.push((question, BTreeSet::from([row.id.clone()])));
    }
    questions
}

/// nDCG@10 of a sample of the questions.
async fn measure(rows: &[Row], language: Language, questions: &[Question]) -> f64 {
    let parts = rows.iter().zip(0..).map(|(row, number)| Part {
        municipality: "harjuvesi".parse().unwrap(),
        language,
        section: SectionRef::try_from(format!("corpus@2026-01-01#s{number}")).unwrap(),
        number: 0,
        title: row.title.replace('_', " "),
        heading: String::new(),
        text: row.text.clone(),
        services: Vec::new(),
        in_force: Validity { from: "2026-01-01".parse().unwrap(), to: None },
    });
    let search = Embedded::new(Index::build(Passages::new(parts.collect())), None);
    let step = questions.len().div_ceil(ASKED).max(1);
    let sample: Vec<_> = questions.iter().step_by(step).collect();
    let mut total = 0.0;
    for (text, answers) in &sample {
        let query = Query {
            municipality: "harjuvesi".parse().unwrap(),
            text: text.clone(),
            language,
            service: None,
            on: "2026-06-01".parse().unwrap(),
            limit: 10,
        };
        let found = search.search(&query).await.unwrap();
        let gain = |place: usize| 1.0 / f64::from(u32::try_from(place).unwrap() + 2).log2();
        let id = |passage: &vireille::search::Passage| {
            let number: usize = passage.section.section.as_str()[1..].parse().unwrap();
            rows[number].id.clone()
        };
        let dcg: f64 = found
            .iter()
            .enumerate()
            .filter(|(_, passage)| answers.contains(&id(passage)))
            .map(|(at, _)| gain(at))
            .sum();
        total += dcg / (0..answers.len().min(10)).map(gain).sum::<f64>();
    }
    total / f64::from(u32::try_from(sample.len().max(1)).unwrap())
}

#[tokio::test]
async fn words_alone_find_what_is_asked_for() {
    let Some(data) = data() else {
        println!("skipped, no data: VIREILLE_DATA names no folder");
        return;
    };
    for &(set, language, sentences, few) in SETS {
        let folder = data.join(set);
        if !folder.is_dir() {
            println!("{set}: skipped, no data");
            continue;
        }
        let questions = official(&folder);
        if !questions.is_empty() {
            println!(
                "{set}: nDCG@10 {:.3} of its own questions",
                measure(&corpus(&folder), language, &questions).await
            );
        }
        for (kind, few, floor) in [("sentences", false, sentences), ("few words", true, few)] {
            let mut rows = corpus(&folder);
            let questions = taken_out(&mut rows, few);
            let figure = measure(&rows, language, &questions).await;
            println!("{set}: nDCG@10 {figure:.3} of {kind}");
            assert!(figure >= floor, "{set}: {figure:.3} of {kind}, it was {floor:.3} and more");
        }
    }
}
