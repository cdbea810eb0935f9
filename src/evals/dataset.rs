//! The cases of a suite: read line by line, held against their hash, and never silently fewer than asked for.
//!
//! A line that is no case, an id that stands twice, a content other than the declared one and a selection without cases
//! are faults. What a case says is never a template, and no list in it becomes several cases.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::case::EvalCase;
use super::load::Loaded;
use super::row::Base;
use super::score::Scorer;
use super::select::{Criterion, base, choose, word};
use super::suite::{Originals, Split};
use crate::cases::hex;
use crate::municipality::{Faults, yaml};

/// Longest line of a dataset, bytes.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// Most words of a slice: every one has figures of its own.
const MOST_KINDS: usize = 100;

/// Longest word of a slice, characters.
const LONGEST_KIND: usize = 64;

/// The cases of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Cases {
    /// Those chosen, in the order of the file.
    pub cases: Vec<EvalCase>,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// How many cases the file has.
    pub of: usize,
    /// Corrections that are left out: nobody has said the same a second time.
    pub unsettled: usize,
}

/// Reads the dataset of a suite and chooses from it.
///
/// # Errors
/// Every fault with file and line; that no case is chosen is one, too.
pub fn open(loaded: &Loaded, criteria: &[Criterion]) -> Result<Cases, Faults> {
    let mut faults = Faults::new();
    let path = loaded.resolve(&loaded.suite.dataset.path);
    let read = read(&path, &mut faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    let (mut cases, sha256) = read;
    let all = cases.len();
    cases.retain(EvalCase::is_settled);
    let of = cases.len();
    if let Some(declared) = &loaded.suite.dataset.sha256
        && !declared.eq_ignore_ascii_case(&sha256)
    {
        let what = format!("the dataset is another than the declared one: its SHA-256 is {sha256}");
        faults.at(&loaded.path, sha256_line(&loaded.path), what, "declare the new one if the change is meant");
    }
    if let Some(split) = loaded.suite.dataset.split {
        cases = of_split(cases, split, &path.with_file_name("split.lock"), &mut faults);
    }
    let source = || yaml::read_file(&loaded.path, &mut Faults::new()).unwrap_or_default();
    kinds(loaded, &cases, &source, &mut faults);
    if let Some(originals) = &loaded.suite.dataset.originals {
        one_original_each(&cases, originals, &path, &mut faults);
    }
    if faults.is_empty() {
        nowhere(loaded, &cases, &mut faults);
    }
    for id in missing(&cases, criteria) {
        faults.at(&path, None, format!("there is no case `{id}`"), "name one that is there");
    }
    let cases = choose(cases, criteria);
    if cases.is_empty() && faults.is_empty() {
        let words = criteria.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let what = if words.is_empty() { "there is no case".to_owned() } else { format!("no case fits {words}") };
        faults.at(&path, None, what, "write cases, or choose others");
    }
    if faults.is_empty() { Ok(Cases { cases, sha256, of, unsettled: all - of }) } else { Err(faults) }
}

/// An assertion that applies to no case is a slip of the pen, and every answer would pass it.
fn nowhere(loaded: &Loaded, cases: &[EvalCase], faults: &mut Faults) {
    if cases.is_empty() {
        return;
    }
    match Scorer::new(&loaded.suite, &loaded.path) {
        Ok(scorer) => {
            let source = yaml::read_file(&loaded.path, &mut Faults::new()).unwrap_or_default();
            for (nth, path) in scorer.leads_nowhere(&loaded.suite, cases) {
                let line = yaml::line_of(&source, &["assert", &format!("#{nth}")]);
                let instead = "write a path that stands in a case, or leave the assertion out";
                faults.at(&loaded.path, line, format!("no case has anything at `{path}`"), instead);
            }
        }
        Err(found) => faults.append(found),
    }
}

/// Ids that were asked for and are not there.
fn missing<'a>(cases: &[EvalCase], criteria: &'a [Criterion]) -> Vec<&'a str> {
    let there: HashSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let asked = criteria.iter().filter_map(|criterion| match criterion {
        Criterion::Id(id) => Some(id.as_str()),
        _ => None,
    });
    asked.filter(|id| !there.contains(id)).collect()
}

/// Every rewriting has one original, and some original has a rewriting: else a gate would compare with nothing.
fn one_original_each(cases: &[EvalCase], originals: &Originals, path: &Path, faults: &mut Faults) {
    let mut messages: BTreeMap<String, (Vec<&EvalCase>, Vec<&EvalCase>)> = BTreeMap::new();
    for case in cases {
        let Some(Base { id, original }) = base(case, originals) else { continue };
        let (first, others) = messages.entry(id).or_default();
        if original { first.push(case) } else { others.push(case) }
    }
    if messages.values().all(|(_, others)| others.is_empty()) {
        let what = format!("no case is a rewriting: none has another word than `{}`", originals.which);
        faults.at(path, None, what, "write rewritings, or leave `originals` out of the suite");
    }
    for (first, others) in messages.values() {
        match (first.as_slice(), others.first()) {
            ([], Some(other)) => {
                let what = format!("the case `{}` is a rewriting without an original", other.id);
                faults.at(path, None, what, format!("add the case with `{}`", originals.which));
            }
            ([one, another, ..], _) => {
                let what = format!("the cases `{}` and `{}` are originals of the same", one.id, another.id);
                faults.at(path, None, what, format!("keep `{}` at one of them", originals.which));
            }
            _ => {}
        }
    }
}

/// Every case of a file, whoever may select it.
///
/// # Errors
/// Every fault with file and line.
pub fn all(path: &Path) -> Result<Vec<EvalCase>, Faults> {
    let mut faults = Faults::new();
    let (cases, _) = read(path, &mut faults);
    if faults.is_empty() { Ok(cases) } else { Err(faults) }
}

/// What stands in reports of every case are kinds: few of them, and short. And a cluster that no case names would make
/// dependent cases pass for independent ones.
fn kinds(loaded: &Loaded, cases: &[EvalCase], source: &dyn Fn() -> String, faults: &mut Faults) {
    let suite = &loaded.suite;
    let cluster = &suite.dataset.cluster;
    if cluster != "none" && !cases.is_empty() && cases.iter().all(|case| word(case, cluster).is_none()) {
        let line = yaml::line_of(&source(), &["dataset", "cluster"]);
        let what = format!("`cluster` leads nowhere: no case has `{cluster}`");
        faults.at(&loaded.path, line, what, "write a path that cases have, or `none`");
    }
    for path in &suite.slices {
        let found: BTreeSet<String> = cases.iter().filter_map(|case| word(case, path)).collect();
        let long = found.iter().any(|kind| kind.chars().count() > LONGEST_KIND);
        if long || found.len() > MOST_KINDS {
            let line = yaml::line_of(&source(), &["slices"]);
            let what = format!("the words of the slice `{path}` are no kinds: there are {} of them", found.len());
            let instead = format!("name a path with at most {MOST_KINDS} words of at most {LONGEST_KIND} characters");
            faults.at(&loaded.path, line, what, instead);
        }
    }
}

fn sha256_line(suite: &Path) -> Option<usize> {
    let source = yaml::read_file(suite, &mut Faults::new())?;
    Some(yaml::line_of(&source, &["dataset", "sha256"]))
}

/// Every case of a file, and the file's hash.
fn read(path: &Path, faults: &mut Faults) -> (Vec<EvalCase>, String) {
    let mut cases = Vec::new();
    let mut hash = Sha256::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            faults.at(path, None, format!("the dataset cannot be read ({})", error.kind()), "put the file there");
            return (cases, String::new());
        }
    };
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut first_lines: HashMap<String, usize> = HashMap::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        // One byte more than a case may have, and its end: whatever comes without one is not read for ever.
        match reader.by_ref().take(LONGEST_LINE as u64 + 2).read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => hash.update(&line),
            Err(error) => {
                faults.at(path, number, format!("the dataset cannot be read ({})", error.kind()), "save it anew");
                break;
            }
        }
        if line.len() > LONGEST_LINE + 1 {
            faults.at(path, number, "the line is longer than 4 MiB", "write at most 4 MiB a case");
            break;
        }
        let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            continue;
        }
        match case(text) {
            Ok(case) => match first_lines.insert(case.id.as_str().to_owned(), number) {
                None => cases.push(case),
                Some(before) => {
                    let what = format!("the id `{}` stands on line {before} already", case.id);
                    faults.at(path, number, what, "give each case an id of its own");
                }
            },
            Err((what, instead)) => faults.at(path, number, what, instead),
        }
    }
    (cases, hex(&hash.finalize()))
}

/// One case. The parser's own words may quote the case; only ours are said.
fn case(text: &[u8]) -> Result<EvalCase, (String, &'static str)> {
    const FORM: &str = "write {\"id\": …, \"input\": …, \"expected\": …, \"metadata\": {…}}";
    serde_json::from_slice(text).map_err(|error| {
        let words = error.to_string();
        let known =
            ["missing field `id`", "missing field `input`", "duplicate field", "an id has 1 to 120", "unknown field"];
        let said = known.iter().find(|known| words.contains(**known));
        let what = match (error.classify(), said) {
            (_, Some(said)) if said.starts_with("an id") => {
                "the id is none: it has 1 to 120 letters, digits and the signs . _ - / : #".to_owned()
            }
            (_, Some(said)) => format!("the case cannot be read ({said})"),
            (serde_json::error::Category::Data, None) => "the line is no case".to_owned(),
            _ => format!("the line is no JSON (column {})", error.column()),
        };
        (what, FORM)
    })
}

/// Only the cases of one part; a case that the lock does not know is a fault.
fn of_split(cases: Vec<EvalCase>, split: Split, lock: &PathBuf, faults: &mut Faults) -> Vec<EvalCase> {
    let parts = match self::split(lock) {
        Ok(parts) => parts,
        Err(found) => {
            faults.append(found);
            return cases;
        }
    };
    let mut chosen = Vec::with_capacity(cases.len());
    for case in cases {
        match parts.get(case.id.as_str()) {
            Some(part) if *part == split => chosen.push(case),
            Some(_) => {}
            None => {
                let what = format!("the case `{}` is in no part", case.id);
                faults.at(
                    lock,
                    None,
                    what,
                    "add a line `<id> dev` or `<id> test`; never move a case that was reported on",
                );
            }
        }
    }
    chosen
}

/// Which part each case is in, from `split.lock`: a line `<id> <dev|test>` for each, with its household behind it where
/// people stand behind the cases; lines that begin with `#` are comments.
///
/// # Errors
/// Every line that is none; a case or a household in both parts.
pub fn split(lock: &Path) -> Result<BTreeMap<String, Split>, Faults> {
    let mut faults = Faults::new();
    let mut parts = BTreeMap::new();
    let mut households: HashMap<&str, Split> = HashMap::new();
    let text = yaml::read_file(lock, &mut faults).unwrap_or_default();
    for (number, line) in text.lines().enumerate().map(|(nth, line)| (nth + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let part = match (words.next(), words.next()) {
            (Some(id), Some("dev")) => Some((id, Split::Dev)),
            (Some(id), Some("test")) => Some((id, Split::Test)),
            _ => None,
        };
        if let (Some((_, split)), Some(household)) = (part, words.next())
            && *households.entry(household).or_insert(split) != split
        {
            faults.at(lock, number, "the household of this case is in both parts", "put back the line that was moved");
        }
        match part {
            None => faults.at(lock, number, "the line names no case and part", "write `<id> dev` or `<id> test`"),
            Some((id, part)) => {
                if parts.insert(id.to_owned(), part).is_some_and(|before| before != part) {
                    faults.at(lock, number, format!("the case `{id}` is in both parts"), "keep one of the two lines");
                }
            }
        }
    }
    if faults.is_empty() { Ok(parts) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::load;

    const SUITE: &str = r"version: 1
suite: smoke
description: A few messages.
dataset: { path: cases.jsonl, cluster: none }
target: { component: masking }
assert:
  - { type: latency, metric: speed }
";

    fn opened(suite: &str, cases: &str, lock: &str, words: &[&str]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("smoke.yaml", suite), ("cases.jsonl", cases), ("split.lock", lock)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let loaded = load::suite(&folder.path().join("smoke.yaml")).unwrap();
        let criteria: Vec<Criterion> = words.iter().map(|word| word.parse().unwrap()).collect();
        open(&loaded, &criteria)
            .map(|cases| cases.cases.iter().map(|case| case.id.to_string()).collect())
            .map_err(|faults| faults.to_string())
    }

    const THREE: &str =
        "{\"id\":\"a\",\"input\":1}\n\n{\"id\":\"b\",\"input\":[1,2]}\n{\"id\":\"c\",\"input\":\"{{x}}\"}\n";

    #[test]
    fn each_line_is_one_case() {
        assert_eq!(opened(SUITE, THREE, "", &[]).unwrap(), ["a", "b", "c"]);
        assert_eq!(opened(SUITE, &format!("\u{feff}{THREE}"), "", &["--limit=1"]).unwrap(), ["a"]);
    }

    #[test]
    fn what_is_no_case_is_a_fault_and_is_not_quoted() {
        let secret = "Matti Meikäläinen";
        for (line, says) in [
            (format!("{{\"id\":\"d\",\"input\":\"{secret}"), "cases.jsonl:5: the line is no JSON"),
            ("{\"id\":\"a\",\"input\":2}".to_owned(), "cases.jsonl:5: the id `a` stands on line 1 already"),
            (format!("{{\"input\":\"{secret}\"}}"), "cases.jsonl:5: the case cannot be read (missing field `id`)"),
            (format!("{{\"id\":\"{secret}\",\"input\":1}}"), "cases.jsonl:5: the id is none"),
            (format!("{{\"id\":\"d\",\"input\":1,\"metadata\":\"{secret}\"}}"), "cases.jsonl:5: the line is no case"),
        ] {
            let faults = opened(SUITE, &format!("{THREE}{line}"), "", &[]).unwrap_err();
            assert!(faults.contains(says), "{faults}");
            assert!(!faults.contains(secret), "{faults}");
        }
    }

    #[test]
    fn an_endless_line_ends() {
        let mut faults = Faults::new();
        let (cases, _) = read(Path::new("/dev/zero"), &mut faults);
        assert!(cases.is_empty() && faults.to_string().contains("the line is longer than 4 MiB"), "{faults}");
    }

    #[test]
    fn a_slip_of_the_pen_is_a_fault() {
        let labelled = "{\"id\":\"a\",\"input\":1,\"expected\":{\"label\":1}}\n";
        let asked = |path: &str| format!("{{ type: equals, actual: output, expected: {path} }}");
        let suite = |path: &str| SUITE.replace("{ type: latency, metric: speed }", &asked(path));
        assert_eq!(opened(&suite("expected.label"), labelled, "", &[]).unwrap(), ["a"]);
        let faults = opened(&suite("expected.lable"), labelled, "", &[]).unwrap_err();
        assert!(faults.contains("smoke.yaml:7: no case has anything at `expected.lable`"), "{faults}");
        let faults = opened(SUITE, &labelled.replace("expected", "expectd"), "", &[]).unwrap_err();
        assert!(faults.contains("cases.jsonl:1: the case cannot be read (unknown field)"), "{faults}");
    }

    #[test]
    fn every_id_that_is_asked_for_is_there() {
        let faults = opened(SUITE, THREE, "", &["--id=a", "--id=nope"]).unwrap_err();
        assert!(faults.contains("there is no case `nope`"), "{faults}");
        assert_eq!(opened(SUITE, THREE, "", &["--id=a"]).unwrap(), ["a"]);
    }

    #[test]
    fn no_case_is_a_fault() {
        assert!(opened(SUITE, "", "", &[]).unwrap_err().contains("there is no case"));
        let none = opened(SUITE, THREE, "", &["--id=a", "--where=metadata.lang=fi"]).unwrap_err();
        assert!(none.contains("no case fits --id=a --where=metadata.lang=fi"), "{none}");
    }

    #[test]
    fn a_correction_counts_once_it_is_confirmed() {
        let correction = |id: &str, status: &str| {
            format!(
                "{{\"id\":\"{id}\",\"input\":1,\"metadata\":{{\"source\":\"correction\",\"status\":\"{status}\"}}}}\n"
            )
        };
        let waiting = correction("p", "pending") + &correction("d", "disputed");
        assert!(opened(SUITE, &waiting, "", &[]).unwrap_err().contains("there is no case"));
        let cases = waiting + &correction("e", "confirmed") + THREE;
        assert_eq!(opened(SUITE, &cases, "", &[]).unwrap(), ["e", "a", "b", "c"]);
    }

    #[test]
    fn another_content_than_the_declared_one_is_refused() {
        let declared = SUITE.replace("cluster", &format!("sha256: {}, cluster", "0".repeat(64)));
        let faults = opened(&declared, THREE, "", &[]).unwrap_err();
        assert!(faults.contains("smoke.yaml:4: the dataset is another"), "{faults}");
        let right = hex(&Sha256::digest(THREE.as_bytes()));
        assert!(faults.contains(&right));
        let declared = SUITE.replace("cluster", &format!("sha256: {right}, cluster"));
        assert_eq!(opened(&declared, THREE, "", &[]).unwrap().len(), 3);
    }

    #[test]
    fn every_rewriting_has_one_original() {
        let suite = SUITE.replace("none }", "none, originals: { by: metadata.base, where: metadata.way=plain } }");
        let case = |id: &str, base: &str, way: &str| {
            format!("{{\"id\":\"{id}\",\"input\":1,\"metadata\":{{\"base\":\"{base}\",\"way\":\"{way}\"}}}}\n")
        };
        let pair = case("a", "a", "plain") + &case("a-loud", "a", "loud");
        // A case that is neither stands beside them; a choice is looked at only after the whole.
        let whole = format!("{pair}{{\"id\":\"x\",\"input\":1}}\n");
        assert_eq!(opened(&suite, &whole, "", &["--where=metadata.way=loud"]).unwrap(), ["a-loud"]);
        for (more, says) in [
            (case("b-loud", "b", "loud"), "`b-loud` is a rewriting without an original"),
            (case("a-again", "a", "plain"), "`a` and `a-again` are originals of the same"),
        ] {
            let faults = opened(&suite, &(pair.clone() + &more), "", &[]).unwrap_err();
            assert!(faults.contains(says), "{faults}");
        }
        let faults = opened(&suite, &case("a", "a", "plain"), "", &[]).unwrap_err();
        assert!(faults.contains("no case is a rewriting"), "{faults}");
    }

    #[test]
    fn a_part_is_locked() {
        let test = SUITE.replace("cluster", "split: test, cluster");
        assert_eq!(opened(&test, THREE, "# locked\na dev\nb test\nc test\n", &[]).unwrap(), ["b", "c"]);
        let faults = opened(&test, THREE, "a dev\nb test\n", &[]).unwrap_err();
        assert!(faults.contains("the case `c` is in no part"), "{faults}");
        let faults = opened(&test, THREE, "a dev\na test\nb\n", &[]).unwrap_err();
        assert!(faults.contains("split.lock:2: the case `a` is in both parts"), "{faults}");
        assert!(faults.contains("split.lock:3"), "{faults}");
        let faults = opened(&test, THREE, "a dev h-1 t1\nb test h-2 t2\nc test h-1 t3\n", &[]).unwrap_err();
        assert!(faults.contains("split.lock:3: the household of this case is in both parts"), "{faults}");
    }
}
