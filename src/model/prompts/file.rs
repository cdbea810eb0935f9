//! Reading prompts: front matter, parts, and every fault with its place and what to write instead.

use std::path::Path;

use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Fence, Prompt, PromptId, REPAIR, USER, Values, Variable, sample, sample_of_repair};
use crate::cases::{Language, hex};
use crate::model::chat::Sampling;
use crate::municipality::Faults;
use crate::municipality::yaml::{self, write_one_of};

/// Part of a prompt that is never a template.
const SYSTEM: &str = "system";

/// Most tokens that a prompt may give to an answer.
const MOST_TOKENS: u32 = 32_768;

/// What to write instead of a template that cannot be read or filled.
const TEMPLATE: &str = "write `{{ name }}` or `{%- for x in name %} … {%- endfor %}`, as docs/prompts.md shows";

/// The front matter of a prompt.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    id: String,
    version: u32,
    purpose: String,
    settings: Settings,
    output: String,
}

/// How the answer is drawn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    temperature: f32,
    max_tokens: u32,
    #[serde(default)]
    seed: Option<i64>,
}

/// A part with the line of the file on which its text begins.
struct Part<'a> {
    name: &'a str,
    heading: usize,
    line: usize,
    text: String,
}

/// Reads every prompt of a folder; all of them, or every fault.
pub(super) fn read_folder(folder: &Path) -> Result<[Prompt; PromptId::ALL.len()], Faults> {
    let mut faults = Faults::new();
    let files = match std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(files) => files,
        Err(error) => {
            faults.at(
                folder,
                None,
                format!("the folder of the prompts cannot be read ({})", error.kind()),
                "put the prompts there, or name their folder in the setting `model.prompts`",
            );
            return Err(faults);
        }
    };
    for file in files {
        let path = file.path();
        let name = file.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".md")) else { continue };
        if PromptId::named(stem).is_none() {
            let known = PromptId::ALL.iter().map(|id| id.as_str());
            faults.at(path, None, format!("nothing asks for a prompt `{stem}`"), write_one_of(stem, known));
        }
    }
    let read = PromptId::ALL.map(|id| {
        let file = folder.join(format!("{id}.md"));
        if !file.exists() {
            faults.at(&file, None, format!("the prompt `{id}` is missing"), "put the file there");
            return None;
        }
        let source = yaml::read_file(&file, &mut faults)?;
        let mut reader = Reader { file: &file, id, faults: Faults::new() };
        let prompt = reader.read(&source);
        faults.append(reader.faults);
        prompt
    });
    faults.sort();
    if !faults.is_empty() {
        return Err(faults);
    }
    // Who gives no prompt gives a fault.
    let read: Vec<Prompt> = read.into_iter().flatten().collect();
    read.try_into().map_err(|_| faults)
}

/// Reads one file and notes what is wrong in it.
struct Reader<'a> {
    file: &'a Path,
    id: PromptId,
    faults: Faults,
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, what: impl Into<String>, instead: impl Into<String>) {
        self.faults.at(self.file, line, what, instead);
    }

    /// None only with a fault; what has a fault is thrown away.
    fn read(&mut self, source: &str) -> Option<Prompt> {
        let Some(cut) = yaml::front_matter(source) else {
            self.fault(
                1,
                "the prompt has no front matter",
                "begin with `---`, then `id: …`, `version: …`, …, then `---`",
            );
            return None;
        };
        let front = self.front_matter(cut.front, cut.front_line);
        let parts = self.parts(cut.body, cut.body_line);
        let system = self.system(&parts, cut.body_line);
        let mut templates = Environment::empty();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        self.template(&mut templates, USER, self.id.variables(), &parts, cut.body_line);
        self.template(&mut templates, REPAIR, self.id.repair_variables(), &parts, cut.body_line);
        let (front, system) = (front?, system?);
        Some(Prompt {
            id: self.id,
            version: front.version,
            purpose: front.purpose,
            hash: hex(&Sha256::digest(source)),
            sampling: Sampling {
                temperature: front.settings.temperature,
                max_tokens: front.settings.max_tokens,
                seed: front.settings.seed,
            },
            system,
            parts: templates,
        })
    }

    fn front_matter(&mut self, source: &str, first_line: usize) -> Option<FrontMatter> {
        let mut faults = Faults::new();
        let front: Option<FrontMatter> = yaml::read(self.file, source, first_line, &mut faults);
        for mut fault in faults {
            if fault.instead.contains("policies/schemas") {
                "write it as docs/prompts.md shows".clone_into(&mut fault.instead);
            }
            self.faults.push(fault);
        }
        let front = front?;
        let line = |path: &[&str]| first_line + yaml::line_of(source, path) - 1;
        let id = self.id;
        if front.id != id.as_str() {
            let what = format!("`id: {}` does not fit the file's name", front.id);
            self.fault(line(&["id"]), what, format!("write `id: {id}`, or rename the file"));
        }
        if front.version == 0 {
            self.fault(line(&["version"]), "versions count from 1", "write `version: 1`");
        }
        if front.purpose.trim().is_empty() {
            self.fault(line(&["purpose"]), "the purpose is empty", "write in one line what the prompt is for");
        }
        if !(0.0..=2.0).contains(&front.settings.temperature) {
            let line = line(&["settings", "temperature"]);
            self.fault(
                line,
                "the temperature is not between 0 and 2",
                "write `temperature: 0` for the most probable answer",
            );
        }
        if !(1..=MOST_TOKENS).contains(&front.settings.max_tokens) {
            let line = line(&["settings", "max_tokens"]);
            self.fault(
                line,
                format!("`max_tokens` is not between 1 and {MOST_TOKENS}"),
                "write for example `max_tokens: 1000`",
            );
        }
        if front.output != id.output() {
            let what = format!("the answer of `{id}` has the form `{}`, not `{}`", id.output(), front.output);
            self.fault(line(&["output"]), what, format!("write `output: {}`", id.output()));
        }
        Some(front)
    }

    /// The parts of the body, each with its place.
    fn parts<'s>(&mut self, body: &'s str, first_line: usize) -> Vec<Part<'s>> {
        let mut parts: Vec<Part<'s>> = Vec::new();
        let known: &[&str] =
            if self.id.repair_variables().is_empty() { &[SYSTEM, USER] } else { &[SYSTEM, USER, REPAIR] };
        let mut stray = None;
        for (at, line) in body.lines().enumerate().map(|(n, line)| (first_line + n, line)) {
            if let Some(name) = line.strip_prefix("## ").map(str::trim) {
                if !known.contains(&name) {
                    let what = format!("this prompt has no part `{name}`");
                    let instead = format!(
                        "{}, or begin a heading within a part with `###`",
                        write_one_of(name, known.iter().copied())
                    );
                    self.fault(at, what, instead);
                } else if parts.iter().any(|part| part.name == name) {
                    self.fault(at, format!("the part `{name}` stands twice"), "keep one of the two");
                }
                parts.push(Part { name, heading: at, line: at + 1, text: String::new() });
            } else if let Some(part) = parts.last_mut() {
                if part.text.is_empty() && line.trim().is_empty() {
                    part.line = at + 1;
                } else {
                    part.text.push_str(line.trim_end());
                    part.text.push('\n');
                }
            } else if !line.trim().is_empty() {
                stray.get_or_insert(at);
            }
        }
        if let Some(at) = stray {
            self.fault(at, "this text stands in no part", "write `## system` on a line before it");
        }
        for part in &mut parts {
            part.text.truncate(part.text.trim_end().len());
        }
        parts
    }

    /// A part that must be there and say something.
    fn part<'p, 's>(&mut self, name: &str, parts: &'p [Part<'s>], end: usize) -> Option<&'p Part<'s>> {
        let part = parts.iter().find(|part| part.name == name);
        match part {
            None => self.fault(
                end,
                format!("the part `{name}` is missing"),
                format!("write `## {name}` and below it what it says"),
            ),
            Some(part) if part.text.is_empty() => {
                self.fault(part.heading, format!("the part `{name}` is empty"), "write what it says below it");
            }
            Some(_) => {}
        }
        part.filter(|part| !part.text.is_empty())
    }

    fn system(&mut self, parts: &[Part<'_>], end: usize) -> Option<String> {
        let part = self.part(SYSTEM, parts, end)?;
        for (n, line) in part.text.lines().enumerate() {
            if ["{{", "{%", "{#"].iter().any(|opening| line.contains(opening)) {
                self.fault(
                    part.line + n,
                    "the system part is the same in every case: it has no variable",
                    "put what differs from case to case into the part `user`",
                );
            }
        }
        Some(part.text.clone())
    }

    fn template(
        &mut self,
        templates: &mut Environment<'static>,
        name: &'static str,
        variables: &[Variable],
        parts: &[Part<'_>],
        end: usize,
    ) {
        if variables.is_empty() {
            return;
        }
        let Some(part) = self.part(name, parts, end) else { return };
        let line = |error: &minijinja::Error| part.line + error.line().unwrap_or(1) - 1;
        if let Err(error) = templates.add_template_owned(name, part.text.clone()) {
            self.fault(line(&error), plain(&error), TEMPLATE);
            return;
        }
        let Ok(template) = templates.get_template(name) else { return };
        let mut unknown: Vec<String> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|used| !variables.iter().any(|variable| variable.name == used))
            .collect();
        unknown.sort();
        for used in &unknown {
            let at = part.text.lines().position(|line| line.contains(used.as_str())).unwrap_or_default();
            let known = variables.iter().map(|variable| variable.name);
            self.fault(part.line + at, format!("this part has no variable `{used}`"), write_one_of(used, known));
        }
        if !unknown.is_empty() {
            return;
        }
        let fence = Fence::of_samples();
        for language in [Language::Fi, Language::Sv, Language::En] {
            let values: Values = if name == USER { sample(self.id, language) } else { sample_of_repair() };
            let Ok(values) = values.fenced(self.id, variables, &fence) else { continue };
            if let Err(error) = template.render(values) {
                self.fault(line(&error), plain(&error), TEMPLATE);
                return;
            }
        }
    }
}

/// What a template engine says, without its place.
fn plain(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()))
}
