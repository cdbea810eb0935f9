//! What the documents promise: their examples are run, their tables compared, their links followed.
//!
//! A `console` block after `<!-- checked -->` is run, command by command, in a folder of its own with the real policies;
//! after `<!-- checked, in the same folder -->` in that of the block before.
//! Each line under a command must stand in what it printed, in order; `…` stands for anything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGES: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/operating.md",
    "docs/packs.md",
    "docs/prompts.md",
    "docs/evals.md",
    "docs/api.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The blocks that are marked to be run, and whether each goes on where the one before ended.
fn checked_blocks(page: &str) -> Vec<(bool, &str)> {
    page.split("<!-- checked")
        .skip(1)
        .filter_map(|rest| {
            let (mark, rest) = rest.split_once(" -->\n```console\n")?;
            let goes_on = match mark {
                "" => false,
                ", in the same folder" => true,
                other => panic!("no such mark: {other}"),
            };
            Some((goes_on, rest.split("\n```").next().unwrap_or_default()))
        })
        .collect()
}

/// Commands with the lines that stand under them.
fn commands(block: &str) -> Vec<(&str, Vec<&str>)> {
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((command, Vec::new())),
            None => commands.last_mut().expect("a block begins with a command").1.push(line),
        }
    }
    commands
}

/// A folder that looks like the project to a command: its policies and prompts, a few suites with what they need, and
/// corrections that wait.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let link = |name: &str| {
        let to = folder.path().join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(root().join(name), to).unwrap();
    };
    ["policies", "prompts", "evals/cassettes"].into_iter().for_each(link);
    for suite in ["facts", "model-triage"] {
        link(&format!("evals/suites/{suite}.yaml"));
        link(&format!("evals/datasets/{suite}"));
    }
    let evals = folder.path().join("evals");
    copy(&root().join("evals/baselines"), &evals.join("baselines"), &|_| false);
    copy(&root().join("tests/fixtures/evals"), &evals.join("datasets/corrections"), &|_| false);
    folder
}

fn run(command: &str, folder: &Path) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_vireille"));
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let with_program = std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    shell.env("PATH", std::env::join_paths(with_program).unwrap());
    let output = shell.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "$ {command}\n{printed}");
    printed
}

/// Whether the pieces of `expected` around each `…` stand in `line` in order.
fn stands_in(expected: &str, line: &str) -> bool {
    let mut rest = line;
    expected.split('…').map(str::trim).all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn the_examples_of_the_documents_come_out_as_written() {
    let mut run_blocks = 0;
    for name in PAGES {
        let mut folder = folder();
        for (goes_on, block) in checked_blocks(&page(name)) {
            run_blocks += 1;
            if !goes_on {
                folder = self::folder();
            }
            for (command, expected) in commands(block) {
                let printed = run(command, folder.path());
                let mut lines = printed.lines();
                for line in expected {
                    assert!(
                        lines.any(|printed| stands_in(line, printed)),
                        "{name}: $ {command}\nshould print: {line}\nprinted:\n{printed}"
                    );
                }
            }
        }
    }
    assert!(run_blocks >= 17, "the marks are gone: {run_blocks} blocks were run");
    let evals = page("docs/evals.md");
    assert_eq!(
        checked_blocks(&evals).len(),
        evals.matches("```console\n").count(),
        "every example of docs/evals.md is run"
    );
}

/// The files that a page shows whole: `<!-- file: NAME -->`, then a fenced block.
fn files(page: &str) -> Vec<(&str, &str)> {
    page.split("<!-- file: ")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once(" -->\n").expect("a name");
            let (opening, rest) = rest.split_once('\n').expect("a fence");
            let fence = opening.trim_end_matches(|c: char| c != '`');
            assert!(fence.len() >= 3, "{name}: no block follows");
            (name, rest.split_once(&format!("\n{fence}\n")).expect("the block ends").0)
        })
        .collect()
}

/// A copy of a folder, without the files that `leave_out` names.
fn copy(from: &Path, to: &Path, leave_out: &dyn Fn(&str) -> bool) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(&name), leave_out);
        } else if !leave_out(&name) {
            std::fs::copy(entry.path(), to.join(&name)).unwrap();
        }
    }
}

/// A YAML file with the top-level keys of `part` written anew.
fn with_keys(whole: &str, part: &str) -> String {
    let key = |line: &str| match line.split_once(':') {
        Some((key, _)) if !line.starts_with([' ', '#', '-']) => Some(key.to_owned()),
        _ => None,
    };
    let new: BTreeSet<String> = part.lines().filter_map(key).collect();
    let mut current = None;
    let mut kept = String::new();
    for line in whole.lines() {
        current = key(line).or(current);
        if !current.as_ref().is_some_and(|key| new.contains(key)) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept + part + "\n"
}

#[test]
fn a_municipality_with_the_documents_of_the_page_has_no_faults() {
    let folder = tempfile::tempdir().unwrap();
    let policies = root().join("policies");
    copy(&policies.join("base"), &folder.path().join("base"), &|_| false);
    // A new municipality that begins with Harjuvesi's files, and writes the document of the page instead of its own.
    let own = folder.path().join("uusikunta");
    copy(&policies.join("harjuvesi"), &own, &|name| name.starts_with("private-road-grant"));
    let page = page("docs/packs.md");
    let files = files(&page);
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "municipality.yaml",
            "policies/private-road-grant@2026-01-01.fi.md",
            "policies/private-road-grant@2026-01-01.sv.md",
            "policies/private-road-grant.tests.yaml",
            "policies/swimming-course-fee@2026-01-01.fi.md",
            "policies/swimming-course-fee@2026-01-01.sv.md",
            "policies/swimming-course-fee.tests.yaml"
        ]
    );
    for (name, text) in &files {
        let path = own.join(name);
        let text = match std::fs::read_to_string(&path) {
            Ok(whole) => with_keys(&whole.replace("id: harjuvesi\n", "id: uusikunta\n"), text),
            Err(_) => format!("{text}\n"),
        };
        std::fs::write(path, text).unwrap();
    }
    let check = || {
        let faults = vireille::policy::check(folder.path());
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(check(), Vec::<String>::new());
    run(&format!("vireille policy check --policies {}", folder.path().display()), folder.path());

    // The worked case and the quote hold the page to what it says.
    for (file, right, wrong) in [
        ("private-road-grant@2026-01-01.fi.md", "\"1.10\"", "\"0.10\""),
        ("private-road-grant@2026-01-01.fi.md", "on vähintään 400 metriä.\n\n", "on yli 400 metriä.\n\n"),
        ("swimming-course-fee@2026-01-01.fi.md", "age: {from: 18}", "age: {from: 19}"),
        ("swimming-course-fee@2026-01-01.fi.md", "value: \"2.50\"", "value: \"2.40\""),
        ("swimming-course-fee@2026-01-01.fi.md", "years(facts", "months(facts"),
    ] {
        let document = own.join("policies").join(file);
        let good = std::fs::read_to_string(&document).unwrap();
        assert!(good.contains(right), "{right}");
        std::fs::write(&document, good.replace(right, wrong)).unwrap();
        assert!(!check().is_empty(), "{wrong} went through");
        std::fs::write(&document, good).unwrap();
    }
}

/// The page of the tenth service, followed by somebody who does what it says: its files, then its commands.
#[test]
fn a_tenth_service_is_added_by_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["policies", "prompts"] {
        copy(&root().join(name), &folder.path().join(name), &|_| false);
    }
    let page = page("docs/tenth-service.md");
    let files = files(&page);
    assert_eq!(files.len(), 9, "form, policy twice, worked cases, four texts, sample");
    for (name, text) in &files {
        let path = folder.path().join(name);
        assert!(!path.exists(), "{name} is a new file");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
    }
    let mut run_commands = 0;
    for (_, block) in checked_blocks(&page) {
        for (command, expected) in commands(block) {
            run_commands += 1;
            let printed = run(command, folder.path());
            let mut lines = printed.lines();
            for line in expected {
                assert!(lines.any(|printed| stands_in(line, printed)), "$ {command}\nshould print: {line}\n{printed}");
            }
        }
    }
    assert_eq!(run_commands, 4);
}

#[test]
fn every_test_file_and_room_that_the_map_names_exists() {
    let map = page("ARCHITECTURE.md");
    let rooms: BTreeSet<&str> = map
        .split("| room | holds | invariant |\n|---|---|---|\n")
        .nth(1)
        .expect("the code map")
        .lines()
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .map(|room| room.trim().trim_matches('`'))
        .collect();
    let there: BTreeSet<String> = std::fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect();
    assert_eq!(rooms, there.iter().map(String::as_str).collect(), "rooms of the code map, and of src");

    // `tests/it/storage.rs` or `tests/it/{storage,crash}.rs`; `cases/status.rs` is below src.
    let mut told = 0;
    for words in map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|words| words.contains('/') && Path::new(words).extension().is_some_and(|ending| ending == "rs"))
    {
        let (before, rest) = words.split_once('{').unwrap_or((words, ""));
        let paths: Vec<String> = match rest.split_once('}') {
            Some((names, after)) => names.split(',').map(|name| format!("{before}{name}{after}")).collect(),
            None => vec![words.to_owned()],
        };
        for path in paths {
            told += 1;
            let is_there = root().join(&path).exists() || root().join("src").join(&path).exists();
            assert!(is_there, "ARCHITECTURE.md: {path} is not there");
        }
    }
    assert!(told > 10, "the promises are no longer told where they are shown");
}

#[test]
fn the_calls_of_the_tour_are_the_calls_of_the_api() {
    // Another test holds this file to what the service serves.
    let document: serde_json::Value = serde_json::from_str(&page("docs/openapi.json")).unwrap();
    let mut served = BTreeSet::new();
    for (path, verbs) in document["paths"].as_object().unwrap() {
        for verb in ["get", "post", "put", "delete", "patch"] {
            if verbs.get(verb).is_some() && path.starts_with("/v1/") {
                served.insert(format!("{} {path}", verb.to_uppercase()));
            }
        }
    }
    let told: BTreeSet<String> = page("docs/api.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split('`').next())
        .filter(|call| call.contains("/v1/"))
        .map(str::to_owned)
        .collect();
    assert_eq!(told, served);
}

#[test]
fn links_between_documents_lead_somewhere() {
    for name in PAGES {
        let text = page(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with('#') {
                continue;
            }
            let target = root().join(name).parent().unwrap().join(link.split('#').next().unwrap_or_default());
            assert!(target.exists(), "{name}: {link} leads nowhere");
        }
    }
}

#[test]
fn every_command_stands_in_the_operators_table() {
    let help = run("vireille --help", root());
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
    let page = page("docs/operating.md");
    for command in commands.lines().filter_map(|line| line.split_whitespace().next()) {
        // Continued descriptions begin with other words.
        if command == "help" || !commands.contains(&format!("  {command} ")) {
            continue;
        }
        assert!(page.contains(&format!("| `{command}")), "docs/operating.md does not tell of `{command}`");
    }
}
