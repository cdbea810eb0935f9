//! Reading the YAML that officers write: strict, bounded, and with faults that an officer understands.
//!
//! Unknown keys, doubled keys and wrong types are faults with a line. Numbers with decimals must stand in
//! quotes: a float would not be exact. `yes`/`no` are words here, only `true`/`false` are flags.

use std::fmt::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy};

use super::fault::Faults;

/// Largest file that is read, in bytes.
pub const LARGEST_FILE: usize = 2 * 1024 * 1024;

/// Reads a YAML text. `first_line` is the line of the file on which the text begins (1 for a whole file).
pub fn read<T: DeserializeOwned>(file: &Path, source: &str, first_line: usize, faults: &mut Faults) -> Option<T> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options(source, options) {
        Ok(value) => Some(value),
        Err(error) => {
            explain(&error, file, source, first_line, faults);
            None
        }
    }
}

/// Reads a file as text; an unreadable, overlong or non-UTF-8 file is a fault.
pub fn read_file(file: &Path, faults: &mut Faults) -> Option<String> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            faults.at(file, None, format!("the file cannot be read ({})", error.kind()), "put the file there");
            return None;
        }
    };
    if bytes.len() > LARGEST_FILE {
        faults.at(file, None, format!("the file has {} bytes", bytes.len()), "split it: at most 2 MiB are read");
        return None;
    }
    match String::from_utf8(bytes) {
        // The same text, and so the same hash, whatever editor wrote it.
        Ok(text) => Some(text.trim_start_matches('\u{feff}').replace("\r\n", "\n")),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|b| *b == b'\n').count();
            faults.at(file, line, "the file is not UTF-8", "save it as UTF-8");
            None
        }
    }
}

fn explain(error: &Error, file: &Path, source: &str, first_line: usize, faults: &mut Faults) {
    let error = error.without_snippet();
    let at = error.location().and_then(|l| usize::try_from(l.line()).ok()).filter(|line| *line > 0);
    let line = at.map(|line| line + first_line - 1);
    let words = at.and_then(|line| source.lines().nth(line - 1)).unwrap_or_default();
    let (what, instead) = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{}`", cut(field)), write_one_of(field, expected.iter().copied()))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("unknown word `{}`", cut(variant)), write_one_of(variant, expected.iter().copied()))
        }
        Error::SerdeMissingField { field, .. } => {
            let column = error.location().and_then(|l| usize::try_from(l.column()).ok()).unwrap_or(1);
            let entry = at.map_or(1, |at| entry_line(source, at, column.saturating_sub(1)));
            let line = entry + first_line - 1;
            let name = source.lines().nth(entry - 1).and_then(|line| line.trim().split_once(':')).map(|(name, _)| name);
            faults.at(file, line, format!("`{field}` is missing"), what_to_add(name.unwrap_or_default(), field));
            return;
        }
        Error::DuplicateMappingKey { key, .. } => (
            format!("the key `{}` stands twice", key.as_deref().map(cut).unwrap_or_default()),
            "keep one of the two".to_owned(),
        ),
        _ => {
            if let Some(float) = bare_decimal(words) {
                (format!("`{float}` is a bare decimal"), format!("write it in quotes: \"{float}\""))
            } else {
                let message = plain_message(error);
                // Our own types say themselves what to write.
                match message.split_once(": write ") {
                    Some((what, write)) => (what.to_owned(), format!("write {write}")),
                    None if message.contains("date") => (
                        "this is no day of the calendar".to_owned(),
                        "write a date that exists, as 2026-01-31".to_owned(),
                    ),
                    None => in_plain_words(message),
                }
            }
        }
    };
    faults.at(file, line, what, instead);
}

/// The line on which the entry begins whose last key stands at a line and column (from 0): the name above it, or the dash
/// before its first key; the first line for a whole text.
fn entry_line(source: &str, line: usize, column: usize) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let Some(last) = lines.get(line - 1) else { return line };
    // On one line in braces, or a dash and its only key.
    if column > indent(last) || column == 0 {
        return if column == 0 { 1 } else { line };
    }
    let above = lines[..line - 1].iter().rposition(|line| {
        let text = line.trim_start();
        !text.is_empty() && !text.starts_with('#') && indent(line) < column
    });
    above.map_or(1, |n| n + 1)
}

/// What to write for a key that is missing from an entry of that name.
fn what_to_add(entry: &str, key: &str) -> String {
    let example = match (entry, key) {
        (_, "process_owner") => "`process_owner: …` with the post that owns the service",
        (_, "handling_time") => "`handling_time: {days: 30, from: arrival}`",
        ("handling_time", "days") => "`days: 30`",
        ("handling_time", "from") => "`from: arrival` or `from: window_end`",
        (_, "records") => "`records: {class: \"00 00 00\", retention_years: 10, publicity: public}`",
        ("records", "class") => "`class: …` with the task class of the information control plan",
        (_, "retention_years") => "`retention_years: …` by the information control plan",
        (_, "publicity") => "`publicity: public`, `partly-secret` or `secret`",
        (_, "ai") => "`ai: {class: outside, because: …}`",
        ("ai", "class") => "`class: outside` or the point of Annex III",
        (_, "because") => "`because: …` with the reason in a sentence",
        (_, "label") => "`label: {fi: …, sv: …}`",
        (_, "fi" | "sv") => return format!("add `{key}: …`: every text stands in Finnish and in Swedish"),
        (_, "quote") => "`quote: {fi: …, sv: …}` with words of the section",
        (_, "reasons") => "`reasons: {met: {fi: …, sv: …}, not_met: {fi: …, sv: …}}`",
        (_, "in_force" | "valid") => return format!("add `{key}: {{from: 2026-01-01, to: null}}`"),
        (_, "source") => "`source: …` with where it stands written",
        _ => return format!("add `{key}: …`"),
    };
    format!("add {example}")
}

/// The parser's words as an officer reads them, and what to write.
fn in_plain_words(message: String) -> (String, String) {
    let known: [(&[&str], &str, &str); 7] = [
        (&["expected string", "expected a string"], "one text is needed here", "write a word, or a text in quotes"),
        (
            &["expected mapping", "expected a map", "expected struct"],
            "a group of keys is needed here",
            "write `key: value` pairs below it",
        ),
        (
            &["invalid u", "invalid i8", "invalid i16", "invalid i32", "invalid i64"],
            "a whole number is needed here",
            "write digits only, for example 30",
        ),
        (&["invalid boolean", "strict mode"], "this is neither yes nor no", "write `true` or `false`"),
        (
            &["untagged enum ParameterValue", "untagged enum Cell"],
            "one value is needed here",
            "write a whole number, a decimal in quotes, a date, a word, `true` or `false`",
        ),
        (
            &["untagged enum"],
            "this has a form that does not fit here",
            "write what the format asks for (policies/schemas)",
        ),
        (
            &["while parsing", "while scanning", "did not find expected", "block mapping", "simple key", "unclosed"],
            "the entry cannot be read: keys do not stand in one column, or a bracket or quote is open",
            "write each key as `key: value` in the column of its neighbours, and close brackets and quotes",
        ),
    ];
    let found = known.iter().find(|(signs, ..)| signs.iter().any(|sign| message.contains(sign)));
    match found {
        Some((_, what, instead)) => ((*what).to_owned(), (*instead).to_owned()),
        None => (message, "write what the format asks for (policies/schemas)".to_owned()),
    }
}

/// The parser's own words on one line, without its position (the fault has one).
fn plain_message(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it cannot be read");
    let mut words = line.trim().trim_start_matches("error: ").to_owned();
    if let Some((_, rest)) = words.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        words = rest.to_owned();
    }
    if let Some(at) = words.rfind(" at line ") {
        words.truncate(at);
    }
    words
}

/// A decimal number that stands unquoted as a value in a line of YAML.
fn bare_decimal(line: &str) -> Option<&str> {
    line.split([' ', ',', '{', '}', '[', ']', '\t']).find(|word| {
        word.strip_prefix('-').unwrap_or(word).split_once('.').is_some_and(|(whole, part)| {
            let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            digits(whole) && digits(part)
        })
    })
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// What to write instead of a wrong name: the nearest right one first, then all of them if they are few.
#[must_use]
pub fn write_one_of<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> String {
    let mut right: Vec<&str> = right.collect();
    right.sort_unstable();
    right.dedup();
    let mut text = match nearest(wrong, right.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None if right.is_empty() => return "leave it out".to_owned(),
        None => "write one of".to_owned(),
    };
    if nearest(wrong, right.iter().copied()).is_none() {
        for (i, name) in right.iter().take(12).enumerate() {
            let _ = write!(text, "{} `{name}`", if i == 0 { "" } else { "," });
        }
        if right.len() > 12 {
            text.push_str(", …");
        }
    }
    text
}

/// The name among `right` that a person most likely meant, if one is near enough and no other is as near.
#[must_use]
pub fn nearest<'a>(wrong: &str, right: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wrong: String = wrong.chars().take(80).collect::<String>().to_lowercase();
    let mut near: Vec<(usize, &str)> = right
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1.max(name.chars().count().min(wrong.chars().count()) / 3))
        .collect();
    near.sort_unstable();
    near.dedup();
    match near[..] {
        [(nearest, _), (next, _), ..] if nearest == next => None,
        [(_, name), ..] => Some(name),
        [] => None,
    }
}

/// The line (from 1) on which a path of keys stands; `#2` is the third entry of a list. A path that ends
/// inside a one-line `{…}` gives the line of its beginning.
#[must_use]
pub fn line_of(source: &str, path: &[&str]) -> usize {
    let mut lines = source.split('\n').enumerate().peekable();
    let mut at = 0;
    for step in path {
        // Each step is looked for from the line of the step before on, that line included.
        let mut ahead = lines.clone();
        let found = match step.strip_prefix('#').and_then(|n| n.parse::<usize>().ok()) {
            None => ahead.find(|(_, line)| is_key(line, step)).map(|(n, _)| n),
            Some(nth) => {
                ahead.find(|(_, line)| line.trim_start_matches(' ').starts_with("- ")).and_then(|(first, line)| {
                    let depth = indent(line);
                    std::iter::once((first, line))
                        .chain(ahead)
                        .take_while(|(_, line)| indent(line) >= depth || line.trim().is_empty())
                        .filter(|(_, line)| indent(line) == depth && line.as_bytes().get(depth) == Some(&b'-'))
                        .nth(nth)
                        .map(|(n, _)| n)
                })
            }
        };
        at = found.unwrap_or(at);
        while lines.peek().is_some_and(|(n, _)| *n < at) {
            lines.next();
        }
    }
    at + 1
}

/// The line (from 1) of a key of the entry at a path; the entry's own line where it lacks that key.
#[must_use]
pub fn line_within(source: &str, entry: &[&str], key: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let (at, depth) = match entry {
        [] => (0, None),
        entry => {
            let at = line_of(source, entry);
            (at, lines.get(at - 1).map(|line| indent(line)))
        }
    };
    let within = |line: &&&str| line.trim().is_empty() || depth.is_none_or(|depth| indent(line) > depth);
    let found = lines[at.min(lines.len())..].iter().take_while(within).position(|line| is_key(line, key));
    found.map_or(at.max(1), |n| at + n + 1)
}

fn indent(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

fn is_key(line: &str, key: &str) -> bool {
    // Most lines are no such key: a cheap look first.
    let Some(at) = line.find(key) else { return false };
    line.as_bytes().get(at + key.len()).is_some_and(|byte| matches!(byte, b':' | b'"' | b'\''))
        && line[..at].bytes().all(|byte| matches!(byte, b' ' | b'-' | b'{' | b'"' | b'\''))
}

/// A Markdown file cut into its front matter and its body, with the line on which each begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrontAndBody<'a> {
    /// The YAML between the `---` lines.
    pub front: &'a str,
    /// Its first line.
    pub front_line: usize,
    /// Everything after.
    pub body: &'a str,
    /// Its first line.
    pub body_line: usize,
}

/// Cuts a Markdown file; none when it does not begin with a front matter between two `---` lines.
#[must_use]
pub fn front_matter(source: &str) -> Option<FrontAndBody<'_>> {
    let rest = source.strip_prefix("---\n")?;
    let end = if rest.starts_with("---") { 0 } else { rest.find("\n---")? + 1 };
    let after = &rest[end + 3..];
    let newline = after.find('\n').map_or(after.len(), |n| n + 1);
    if !after[..newline].trim().is_empty() {
        return None;
    }
    let front = &rest[..end];
    Some(FrontAndBody { front, front_line: 2, body: &after[newline..], body_line: 3 + front.matches('\n').count() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROWS: &str = "delegation:\n  - id: a\n    steps:\n      - {up_to: \"1\", decider: x}\n      - decider: y\n  - id: b\n    steps:\n      - decider: z\n";

    #[test]
    fn finds_lines_by_path() {
        assert_eq!(line_of(ROWS, &["delegation", "#1", "steps", "#0"]), 8);
        assert_eq!(line_of(ROWS, &["delegation", "#0", "steps", "#1"]), 5);
        assert_eq!(line_of(ROWS, &["nothing"]), 1);
    }

    #[test]
    fn finds_a_key_within_its_entry_only() {
        let source = "facts:\n  a:\n    type: date\n  b: {type: text}\n  c:\n    unit: m\nunit: x\n";
        assert_eq!(line_within(source, &["facts", "a"], "type"), 3);
        assert_eq!(line_within(source, &["facts", "a"], "unit"), 2, "that of c is not a's");
        assert_eq!(line_within(source, &["facts", "b"], "type"), 4);
        assert_eq!(line_within(source, &[], "unit"), 6);
        assert_eq!(line_within(source, &[], "nothing"), 1);
    }

    #[test]
    fn a_missing_key_is_told_at_its_entry() {
        let told = |source: &str| {
            #[derive(Debug, serde::Deserialize)]
            #[expect(dead_code, reason = "only read")]
            struct Inner {
                a: u32,
                b: u32,
            }
            #[derive(Debug, serde::Deserialize)]
            #[expect(dead_code, reason = "only read")]
            struct Outer {
                name: String,
                list: Vec<Inner>,
                inner: Inner,
            }
            let mut faults = Faults::new();
            assert!(read::<Outer>(Path::new("x"), source, 1, &mut faults).is_none(), "{source}");
            faults.to_string()
        };
        let whole = "name: n\nlist:\n  - a: 1\n    b: 2\n  - a: 1\n    b: 2\ninner:\n  a: 1\n  b: 2\n";
        assert_eq!(told(&whole.replace("name: n\n", "")), "x:1: `name` is missing → add `name: …`");
        assert_eq!(told(&whole.replace("inner:\n  a: 1\n", "inner:\n")), "x:7: `a` is missing → add `a: …`");
        assert_eq!(
            told(&whole.replace("inner:\n  a: 1\n  b: 2\n", "inner: {a: 1}\n")),
            "x:7: `b` is missing → add `b: …`"
        );
        assert_eq!(
            told(&whole.replace("name: n", "name: [n]")),
            "x:1: one text is needed here → write a word, or a text in quotes"
        );
        assert_eq!(
            told(&whole.replacen("b: 2", "b: two", 1)),
            "x:4: a whole number is needed here → write digits only, for example 30"
        );
    }

    #[test]
    fn cuts_front_matter() {
        let cut = front_matter("---\na: 1\nb: 2\n---\nText\n").unwrap();
        assert_eq!((cut.front, cut.body, cut.body_line), ("a: 1\nb: 2\n", "Text\n", 5));
        assert_eq!(front_matter("# Text"), None);
        assert_eq!(front_matter("---\na: 1\n"), None);
    }

    #[test]
    fn suggests_the_nearest_name() {
        assert_eq!(nearest("min_lenght", ["min_length", "rate_a"].into_iter()), Some("min_length"));
        assert_eq!(nearest("zzz", ["min_length", "rate_a"].into_iter()), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}", nl in "(---\n|a: |- |\n|#){0,20}") {
            let text = format!("{nl}{text}");
            let _ = front_matter(&text);
            let _ = line_of(&text, &["a", "#0", "#2"]);
            let _ = read::<std::collections::BTreeMap<String, i64>>(Path::new("x"), &text, 1, &mut Faults::new());
        }
    }
}
