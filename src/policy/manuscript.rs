//! The manuscript of a policy document: one file in one language, read as it was written.
//!
//! A document is Markdown: front matter, sections with an anchor (`## 3 § Tuettava tie {#s3}`), and fenced
//! `rule`, `calculation`, `table` and `round` blocks under the section they implement. The text of a section is everything
//! up to the next heading without the fenced blocks, trimmed, otherwise byte for byte: what may be quoted.
//! Blocks keep the line they stand on, and a translation is checked against the text that holds the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::document::{SectionText, parameter_value};
use super::figures;
use super::format::{CalculationBlock, DocumentKind, FrontMatter, Parameter, RoundBlock, RuleBlock, TableBlock};
use crate::cases::{Language, SectionId, write_value};
use crate::municipality::Faults;
use crate::municipality::yaml::{self, write_one_of};

/// One file in one language, as written.
#[derive(Debug)]
pub(super) struct Written {
    pub file: PathBuf,
    pub source: String,
    pub front: FrontMatter,
    pub(super) sections: Vec<WrittenSection>,
}

#[derive(Debug)]
pub(super) struct WrittenSection {
    pub(super) id: SectionId,
    line: usize,
    pub(super) text: SectionText,
    /// The line of the file on which each line of the text stands.
    lines: Vec<usize>,
    pub(super) rules: Vec<Block<RuleBlock>>,
    pub(super) steps: Vec<Steps>,
    pub(super) rounds: Vec<Block<RoundBlock>>,
}

/// A block that gives steps of the calculation.
#[derive(Debug)]
pub(super) enum Steps {
    Calculation(Block<CalculationBlock>),
    Table(Block<TableBlock>),
}

impl Steps {
    /// The line of the file on which the block's text begins.
    const fn first_line(&self) -> usize {
        match self {
            Self::Calculation(block) => block.line,
            Self::Table(block) => block.line,
        }
    }
}

/// A fenced block with its place in the file.
#[derive(Debug)]
pub(super) struct Block<T> {
    pub(super) value: T,
    source: String,
    line: usize,
}

impl<T> Block<T> {
    /// The line of the file on which a path of keys stands.
    pub(super) fn line(&self, path: &[&str]) -> usize {
        self.line + yaml::line_of(&self.source, path) - 1
    }
}

impl Written {
    /// Reads one file. None when its front matter cannot be read.
    pub fn parse(file: &Path, source: String, faults: &mut Faults) -> Option<Self> {
        let Some(cut) = yaml::front_matter(&source) else {
            faults.at(
                file,
                1,
                "the document has no front matter",
                "begin with `---`, then `id: …`, `title: …`, …, then `---`",
            );
            return None;
        };
        let front: FrontMatter = yaml::read(file, cut.front, cut.front_line, faults)?;
        let sections = read_sections(file, cut.body, cut.body_line, faults);
        if sections.is_empty() {
            faults.at(
                file,
                cut.body_line,
                "the document has no section",
                "write a heading such as `## 1 § Soveltaminen {#s1}`",
            );
        }
        let written = Self { file: file.to_owned(), front, sections, source };
        written.check_file_name(faults);
        Some(written)
    }

    /// Puts values in the place of `{{ params.x }}` (with its unit) and `{{ number.x }}` (without) in what may be quoted
    /// and in the quotes, so that a figure of the text is the one that the rules use.
    pub fn fill(&mut self, parameters: &BTreeMap<String, Parameter>, faults: &mut Faults) {
        let Self { file, front, sections, .. } = self;
        let (file, language) = (&*file, front.language);
        for section in sections {
            section.text.text = filled(&section.text.text, parameters, language).unwrap_or_else(|name| {
                let what = format!("the text shows an unknown parameter `{name}`");
                faults.at(file, section.line, what, write_one_of(&name, parameters.keys().map(String::as_str)));
                section.text.text.clone()
            });
            for block in &mut section.rules {
                let quote = &mut block.value.quote;
                let english = quote.en.iter_mut().map(|words| (Language::En, words));
                for (language, words) in
                    [(Language::Fi, &mut quote.fi), (Language::Sv, &mut quote.sv)].into_iter().chain(english)
                {
                    // An unknown parameter is a fault of the section that is quoted.
                    if let Ok(filled) = filled(words, parameters, language) {
                        *words = filled;
                    }
                }
            }
        }
    }

    /// Whether its text shows the parameter.
    pub fn shows(&self, parameter: &str) -> bool {
        let texts = self.sections.iter().map(|section| &section.text.text);
        texts.flat_map(|text| SHOWN.captures_iter(text)).any(|found| &found[2] == parameter)
    }

    /// The line of a path of keys in the front matter.
    pub fn line(&self, path: &[&str]) -> usize {
        yaml::line_of(&self.source, path)
    }

    /// `private-road-grant@2024-01-01.fi.md`, or `hallintolaki.fi.md` for a statute of one version.
    fn check_file_name(&self, faults: &mut Faults) {
        let name = crate::municipality::pack::file_name(&self.file);
        let front = &self.front;
        let short = format!("{}.{}.md", front.id, front.language);
        let dated = format!("{}@{}.{}.md", front.id, front.in_force.from, front.language);
        if name != dated && name != short {
            let what = format!("the file's name `{name}` does not fit `id`, `in_force` and `language`");
            faults.at(&self.file, 1, what, format!("name it `{dated}`, or correct the front matter"));
        }
    }
}

/// A parameter in a text.
static SHOWN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{\{\s*(params|number)\.([a-z0-9_]+)\s*\}\}").expect("a fixed pattern"));

/// The text with its parameters; the name of one that there is not.
fn filled(text: &str, parameters: &BTreeMap<String, Parameter>, language: Language) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut done = 0;
    for found in SHOWN.captures_iter(text) {
        let (Some(whole), name) = (found.get(0), &found[2]) else { continue };
        let parameter = parameters.get(name).ok_or_else(|| name.to_owned())?;
        let unit = parameter.unit.as_deref().filter(|_| &found[1] == "params");
        filled.push_str(&text[done..whole.start()]);
        filled.push_str(&write_value(&parameter_value(&parameter.value), unit, language));
        done = whole.end();
    }
    filled.push_str(&text[done..]);
    Ok(filled)
}

fn read_sections(file: &Path, body: &str, first_line: usize, faults: &mut Faults) -> Vec<WrittenSection> {
    let mut sections: Vec<WrittenSection> = Vec::new();
    let mut lines = body.lines().enumerate().map(|(n, line)| (first_line + n, line));
    while let Some((at, line)) = lines.next() {
        if let Some(word) = line.trim_start().strip_prefix("```") {
            let word = word.trim();
            let mut block = String::new();
            let mut closed = false;
            for (_, inner) in lines.by_ref() {
                if inner.trim() == "```" {
                    closed = true;
                    break;
                }
                block.push_str(inner);
                block.push('\n');
            }
            if !closed {
                faults.at(file, at, "the block is not closed", "write ``` on a line of its own after it");
            }
            take_block(file, at, word, block, sections.last_mut(), faults);
        } else if let Some(heading) = heading(line) {
            let Some((text, anchor)) = anchor(heading.text) else {
                if heading.level > 1 {
                    faults.at(file, at, "the heading has no anchor", "write it at the end, for example `{#s3}`");
                }
                continue;
            };
            match anchor.parse::<SectionId>() {
                Err(error) => faults.at(file, at, error.to_string(), "write an anchor such as `{#s3}`"),
                Ok(id) if sections.iter().any(|s| s.id == id) => {
                    faults.at(
                        file,
                        at,
                        format!("the anchor `{id}` stands twice"),
                        "give one of the sections another anchor",
                    );
                }
                Ok(id) => sections.push(WrittenSection {
                    id,
                    line: at,
                    text: SectionText { heading: text.to_owned(), text: String::new() },
                    lines: Vec::new(),
                    rules: Vec::new(),
                    steps: Vec::new(),
                    rounds: Vec::new(),
                }),
            }
        } else if let Some(section) = sections.last_mut() {
            section.text.text.push_str(line);
            section.text.text.push('\n');
            section.lines.push(at);
        }
    }
    for section in &mut sections {
        let blank = section.text.text.lines().take_while(|line| line.trim().is_empty()).count();
        section.lines.drain(..blank);
        section.text.text = section.text.text.trim().to_owned();
        if section.text.text.is_empty() {
            let what = format!("the section `{}` has no text", section.id);
            faults.at(file, section.line, what, "write what binds in words: rules only implement it");
        }
    }
    sections
}

struct Heading<'a> {
    level: usize,
    text: &'a str,
}

fn heading(line: &str) -> Option<Heading<'_>> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| Heading { level, text: text.trim() })
}

/// `3 § Tuettava tie {#s3}` → (`3 § Tuettava tie`, `s3`)
fn anchor(heading: &str) -> Option<(&str, &str)> {
    let (text, anchor) = heading.strip_suffix('}')?.rsplit_once("{#")?;
    Some((text.trim(), anchor))
}

/// The blocks that a section may hold.
const BLOCKS: [&str; 4] = ["rule", "calculation", "table", "round"];

fn take_block(
    file: &Path,
    at: usize,
    word: &str,
    source: String,
    section: Option<&mut WrittenSection>,
    faults: &mut Faults,
) {
    let line = at + 1;
    if !BLOCKS.contains(&word) {
        faults.at(file, at, format!("unknown block `{word}`"), write_one_of(word, BLOCKS.into_iter()));
        return;
    }
    let Some(section) = section else {
        let what = format!("a {word} stands outside any section");
        faults.at(file, at, what, "move it under the heading of the section it implements");
        return;
    };
    match word {
        "rule" => section.rules.extend(block(file, source, line, faults)),
        "table" => section.steps.extend(block(file, source, line, faults).map(Steps::Table)),
        "round" => section.rounds.extend(block(file, source, line, faults)),
        _ => section.steps.extend(block(file, source, line, faults).map(Steps::Calculation)),
    }
}

fn block<T: serde::de::DeserializeOwned>(
    file: &Path,
    source: String,
    line: usize,
    faults: &mut Faults,
) -> Option<Block<T>> {
    yaml::read(file, &source, line, faults).map(|value| Block { value, source, line })
}

pub(super) fn check_translation(base: &Written, translation: &Written, faults: &mut Faults) {
    let (of, language) = (base.front.language, translation.front.language);
    let mut fault = |line: usize, what: String, instead: String| faults.at(&translation.file, line, what, instead);
    if base.front.kind == DocumentKind::Policy && translation.front.translation_of != Some(of) {
        let what = format!("`{of}` and `{language}` both claim to hold the rules");
        fault(1, what, format!("write `translation_of: {of}` in the front matter of the translation"));
    }
    if translation.front.in_force.to != base.front.in_force.to {
        let line = translation.line(&["in_force"]);
        fault(line, format!("`in_force` differs from the `{of}` text"), "write the same dates".to_owned());
    }
    if !translation.front.facts.is_empty() || !translation.front.parameters.is_empty() {
        let key = if translation.front.facts.is_empty() { "parameters" } else { "facts" };
        let what = format!("a translation has `{key}` of its own");
        fault(translation.line(&[key]), what, format!("keep them in the `{of}` text only"));
    }
    for section in &translation.sections {
        if !base.sections.iter().any(|s| s.id == section.id) {
            let what = format!("the section `{}` does not exist in `{of}`", section.id);
            fault(section.line, what, write_one_of(section.id.as_str(), base.sections.iter().map(|s| s.id.as_str())));
        }
        let block = section.rules.first().map(|b| b.line).or_else(|| section.steps.first().map(Steps::first_line));
        let block = block.or_else(|| section.rounds.first().map(|b| b.line));
        if let Some(line) = block {
            fault(
                line - 1,
                "a translation has a rule of its own".to_owned(),
                format!("keep rules in the `{of}` text only"),
            );
        }
    }
    let mut after = 0;
    for section in &base.sections {
        match translation.sections.iter().position(|s| s.id == section.id) {
            None => {
                let instead = format!("translate `## {} {{#{}}}`", section.text.heading, section.id);
                fault(1, format!("the section `{}` of `{of}` is missing in `{language}`", section.id), instead);
            }
            Some(n) if n < after => {
                let line = translation.sections[n].line;
                let what = format!("the section `{}` stands in another order than in `{of}`", section.id);
                fault(line, what, "keep the order of the sections".to_owned());
            }
            Some(n) => after = n,
        }
    }
    // English writes its numbers otherwise.
    if language != Language::En {
        for section in &translation.sections {
            let original = base.sections.iter().find(|s| s.id == section.id);
            if let Some((line, what, instead)) = original.and_then(|s| other_figures(s, section, [of, language])) {
                faults.at(&translation.file, line, what, instead);
            }
        }
    }
}

/// Figures that a section has in one language and not in the other.
fn other_figures(
    base: &WrittenSection,
    translation: &WrittenSection,
    [of, language]: [Language; 2],
) -> Option<(usize, String, String)> {
    let (there, here) = (figures::of(&base.text.text), figures::of(&translation.text.text));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        a.difference(b).map(|figure| format!("`{figure}`")).collect::<Vec<_>>().join(", ")
    };
    let (added, lost) = (only(&here, &there), only(&there, &here));
    let line = |line: &str| figures::of(line).iter().any(|figure| !there.contains(figure));
    let at = translation.text.text.lines().position(line).and_then(|n| translation.lines.get(n));
    let id = &translation.id;
    let (what, instead) = match (added.is_empty(), lost.is_empty()) {
        (true, true) => return None,
        (false, true) => (
            format!("{added} stands in the section `{id}` in `{language}` and not in `{of}`"),
            format!("write it in `{of}`, or take it away"),
        ),
        (true, false) => (
            format!("{lost} stands in the section `{id}` in `{of}` and not in `{language}`"),
            format!("write {lost} in `{language}`, too"),
        ),
        (false, false) => (
            format!("{added} stands in the section `{id}` in `{language}` where `{of}` has {lost}"),
            format!("write {lost}, as in `{of}`"),
        ),
    };
    Some((at.copied().unwrap_or(translation.line), what, instead))
}
