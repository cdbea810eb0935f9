//! `vireille municipality`: the files of a new municipality, and what differs between two.

use std::io::ErrorKind;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Exit, Failure, output, show_faults};
use crate::cases::{Language, Localized, MunicipalityId};
use crate::clock::helsinki;
use crate::policy::Rulebook;
use crate::policy::founding::{self, Founded};

/// Longest name, characters.
const LONGEST_NAME: usize = 100;
/// Names of folders below `policies` that hold something else.
const TAKEN: [&str; 2] = ["base", "schemas"];

/// Municipalities.
#[derive(Debug, Subcommand)]
pub(super) enum Municipality {
    /// Make the files of a new municipality: whole and valid, with placeholders to fill in.
    New(New),
    /// Show what differs between two municipalities, or between one and the base pack.
    Diff(super::municipality_diff::Diff),
}

/// A new municipality.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The name of its folder: a–z, 0–9 and -.
    name: String,
    /// Its name in Finnish; the folder's name with a capital letter when left out.
    #[arg(long, value_name = "NAME")]
    name_fi: Option<String>,
    /// Its name in Swedish; as in Finnish when left out.
    #[arg(long, value_name = "NAME")]
    name_sv: Option<String>,
    /// Languages of service, the language of the record first.
    #[arg(long, value_name = "LANGUAGES", value_delimiter = ',', value_parser = ["fi", "sv"], default_value = "fi")]
    languages: Vec<String>,
    /// Capital letters before a case number; from the name when left out.
    #[arg(long, value_name = "LETTERS")]
    prefix: Option<String>,
    /// Residents at the turn of the year.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    residents: u32,
}

impl Municipality {
    pub(super) fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::New(command) => command.run(context),
            Self::Diff(command) => command.run(context),
        }
    }
}

impl New {
    fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let root = context.config()?.policies.dir;
        let founded = self.founded(context)?;
        let made = match founding::files(&root, &founded) {
            Ok(made) => made,
            Err(faults) => {
                output::complain("the base pack is at fault; mend it first:");
                return show_faults(context, &faults, &root);
            }
        };
        let folder = root.join(founded.id.as_str());
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let folder = folder.display();
                return Err(Failure::Usage(format!("{folder} exists; choose another name, or change its files")));
            }
            made => made?,
        }
        for (name, text) in &made.files {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
            std::fs::write(file, text)?;
        }
        if let Err(faults) = Rulebook::load(&root, &founded.id) {
            return show_faults(context, &faults, &folder);
        }
        let files: Vec<&String> = made.files.keys().collect();
        if context.out.is_json() {
            let made = json!({
                "municipality": founded.id, "folder": folder, "files": files, "without": made.without,
            });
            context.out.json_line(&made)?;
            return Ok(Exit::Ok);
        }
        context
            .out
            .line(format!("{} passes `vireille policy check` and is a whole municipality.", folder.display()))?;
        context.out.line("Edit next, in this order; FILL IN stands where a placeholder does:")?;
        for (name, what) in NEXT {
            let name = name.replace("YEAR", &founded.year.to_string());
            context.out.line(format!("  {}: {what}", folder.join(name).display()))?;
        }
        if !made.without.is_empty() {
            let without: Vec<&str> = made.without.iter().map(crate::cases::ServiceId::as_str).collect();
            let without = without.join(", ");
            context.out.line(format!("Not offered yet, as the base pack has no policy for them: {without}."))?;
        }
        context.out.line("Then:")?;
        let sample = folder.join("samples").join("notice.json");
        for command in ["vireille policy check".to_owned(), format!("vireille triage {}", sample.display())] {
            context.out.line(format!("  {command}"))?;
        }
        Ok(Exit::Ok)
    }

    fn founded(self, context: &Context) -> Result<Founded, Failure> {
        let usage = |what: String| Failure::Usage(what);
        let id: MunicipalityId =
            self.name.parse().map_err(|error| usage(format!("the name cannot be used: {error}")))?;
        if TAKEN.contains(&id.as_str()) {
            return Err(usage(format!("`{id}` is no municipality's name: that folder holds something else")));
        }
        let fi = match self.name_fi {
            Some(name) => named("--name-fi", &name)?,
            None => capitalised(id.as_str()),
        };
        let sv = self.name_sv.map(|name| named("--name-sv", &name)).transpose()?.unwrap_or_else(|| fi.clone());
        let letters = || id.as_str().bytes().filter(u8::is_ascii_lowercase).take(3);
        let prefix = self.prefix.unwrap_or_else(|| letters().map(|b| char::from(b.to_ascii_uppercase())).collect());
        if prefix.is_empty() || prefix.len() > 8 || !prefix.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(usage("write 1–8 capital letters A–Z after `--prefix`, for example HRJ".to_owned()));
        }
        let mut languages: Vec<Language> = Vec::new();
        for language in self.languages.iter().filter_map(|code| Language::from_code(code)) {
            if !languages.contains(&language) {
                languages.push(language);
            }
        }
        let year = context.ambient.now().to_zoned(helsinki()).year();
        let name = Localized { en: Some(fi.clone()), fi, sv };
        Ok(Founded { id, name, prefix, languages, residents: self.residents, year })
    }
}

/// What an officer does with the files, in order.
const NEXT: [(&str, &str); 4] = [
    ("municipality.yaml", "names, how you are reached, departments, posts and bodies, who adopted which policy"),
    ("policies/hallintosaanto@YEAR-01-01.fi.md", "who decides what, in Finnish and in Swedish (.sv.md)"),
    ("delegation.yaml", "the same as limits and posts"),
    ("authorities.yaml", "the water works, the waste company and others to whom matters go"),
];

fn named(option: &str, name: &str) -> Result<String, Failure> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Failure::Usage(format!("write 1–{LONGEST_NAME} printable characters after `{option}`")));
    }
    Ok(name)
}

/// `lillsund-salmela` → `Lillsund-Salmela`
fn capitalised(id: &str) -> String {
    let part = |part: &str| {
        let mut chars = part.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    id.split('-').map(part).collect::<Vec<String>>().join("-")
}
