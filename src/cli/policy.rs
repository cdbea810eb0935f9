//! `vireille policy`: the files that bind. Faults are results: they go to standard output, one a line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;

use super::{Context, Exit, Failure, output};
use crate::app::StartError;
use crate::cases::{DocumentId, Language, MunicipalityId, ServiceId};
use crate::clock::helsinki;
use crate::config::Config;
use crate::model::embedder;
use crate::policy::{self, Document, Rulebook};
use crate::search::{self, Indexed, Query, SearchError};

/// The files that bind.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Check every file: each fault with file, line and what to write instead.
    Check,
    /// List the documents of a municipality, or show one of them.
    Show {
        /// `private-road-grant` for its versions, `private-road-grant@2026-01-01` for one; all when left out.
        document: Option<String>,
        /// Of which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
        /// Language of the text.
        #[arg(long, default_value = "fi", value_parser = ["fi", "sv", "en"])]
        language: String,
    },
    /// Search the texts that bind: several passages, best first.
    Search {
        /// The question, in words of the language.
        #[arg(required = true, num_args = 1..)]
        query: Vec<String>,
        /// Language of the texts that are searched.
        #[arg(long, default_value = "fi", value_parser = ["fi", "sv", "en"])]
        language: String,
        /// Only texts that govern this service, and the statutes.
        #[arg(long, value_name = "ID")]
        service: Option<ServiceId>,
        /// Only texts in force on this day; today when left out.
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// Of which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
        /// At most so many passages.
        #[arg(long, default_value_t = 5, value_name = "N")]
        limit: usize,
    },
    /// Hold two versions of a policy against each other: values, sections, rules.
    Compare(super::policy_versions::Compare),
    /// Work out what two versions of a policy give the same cases: who gains, who loses, by how much.
    Impact(super::policy_versions::ImpactCommand),
    /// Bring the index up to date: embed what is new, fill the cluster's collection, move its alias.
    Index {
        /// Fill a new collection even when nothing has changed.
        #[arg(long)]
        rebuild: bool,
    },
    /// The JSON Schemas of every file that people edit.
    Schemas {
        /// Write them into this folder instead of listing them.
        #[arg(long, value_name = "DIR")]
        write: Option<PathBuf>,
    },
}

impl Policy {
    pub(super) fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::Check => check(context),
            Self::Show { document, municipality, language } => {
                let language = Language::from_code(&language).unwrap_or(Language::Fi);
                show(context, document.as_deref(), municipality, language)
            }
            Self::Search { query, language, service, on, municipality, limit } => {
                let config = context.config()?;
                let query = Query {
                    municipality: municipality.unwrap_or_else(|| config.policies.default_municipality.clone()),
                    text: query.join(" "),
                    language: Language::from_code(&language).unwrap_or(Language::Fi),
                    service,
                    on: on.unwrap_or_else(|| context.ambient.now().to_zoned(helsinki()).date()),
                    limit,
                };
                super::on_runtime(find(context, &config, &query))
            }
            Self::Compare(command) => command.run(context),
            Self::Impact(command) => super::on_runtime(command.run(context)),
            Self::Index { rebuild } => super::on_runtime(index(context, rebuild)),
            Self::Schemas { write } => schemas(context, write),
        }
    }
}

/// Longest text of a passage that is shown to people, characters.
const SHOWN: usize = 300;

async fn find(context: &mut Context, config: &Config, query: &Query) -> Result<Exit, Failure> {
    let rulebooks = super::rulebooks(config)?;
    crate::intake::register::rulebook(&rulebooks, &query.municipality)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let found = crate::app::search(config, &rulebooks).await?.search(query).await.map_err(failure)?;
    for (place, passage) in (1..).zip(&found) {
        if context.out.is_json() {
            context.out.json_line(passage)?;
            continue;
        }
        let mut text: String = passage.text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((end, _)) = text.char_indices().nth(SHOWN) {
            text.truncate(end);
            text.push('…');
        }
        context.out.line(format!("{place}. {} [{}]", passage.heading, passage.section))?;
        context.out.line(format!("   {} · {:.2}\n   {text}", passage.title, passage.score))?;
    }
    if found.is_empty() {
        output::note(&format!("no passage in `{}` in force on {} has a word of it.", query.language, query.on));
    }
    Ok(Exit::Ok)
}

async fn index(context: &mut Context, rebuild: bool) -> Result<Exit, Failure> {
    let config = context.config()?;
    let rulebooks = super::rulebooks(&config)?;
    let bar = output::progress(0, "passages");
    let progress = |done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let (settings, cache) = (&config.search, &config.policies.cache);
    let embedder = embedder::connect(&config.embedding).map_err(StartError::from)?;
    let indexed = search::index(settings, &rulebooks, embedder, cache, rebuild, &progress).await;
    bar.finish_and_clear();
    let indexed = indexed.map_err(failure)?;
    if context.out.is_json() {
        context.out.json_line(&indexed)?;
        return Ok(Exit::Ok);
    }
    let Indexed { collection, passages, written, kept, removed, moved, dropped } = indexed;
    let Some(collection) = collection else {
        context.out.line(format!("{passages} passages, searched in memory: nothing to write."))?;
        return Ok(Exit::Ok);
    };
    let alias = &settings.collection;
    let pointed = if moved { "now points" } else { "points" };
    context
        .out
        .line(format!("{passages} passages in {collection}: {written} written, {kept} kept, {removed} removed."))?;
    context.out.line(format!("The alias {alias} {pointed} at it."))?;
    if !dropped.is_empty() {
        context.out.line(format!("Dropped: {}.", dropped.join(", ")))?;
    }
    Ok(Exit::Ok)
}

fn failure(error: SearchError) -> Failure {
    Failure::Failed(error.into())
}

fn check(context: &mut Context) -> Result<Exit, Failure> {
    let config = context.config()?;
    let faults = policy::check(&config.policies.dir);
    super::show_faults(context, &faults, &config.policies.dir)
}

fn show(
    context: &mut Context,
    document: Option<&str>,
    municipality: Option<MunicipalityId>,
    language: Language,
) -> Result<Exit, Failure> {
    let config = context.config()?;
    let municipality = municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
    let rulebooks = super::rulebooks(&config)?;
    let book = crate::intake::register::rulebook(&rulebooks, &municipality)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let Some(wanted) = document else {
        let rows = book.library.ids().flat_map(|id| book.library.versions(id)).collect::<Vec<_>>();
        return list(context, &rows, language);
    };
    let (id, from) = wanted.split_once('@').map_or((wanted, None), |(id, from)| (id, Some(from)));
    let id: DocumentId = id.parse().map_err(|error: crate::cases::InvalidId| Failure::Usage(error.to_string()))?;
    let versions = book.library.versions(&id);
    if versions.is_empty() {
        let known = book.library.ids().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("`{municipality}` has no document `{id}`; it has: {known}")));
    }
    let Some(from) = from else { return list(context, &versions, language) };
    let Some(version) = versions.iter().find(|version| version.version().to_string() == from) else {
        let known = versions.iter().map(|version| version.version().to_string()).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("`{id}` has no version from {from}; it has: {known}")));
    };
    text(context, &book, version, language)
}

fn list(context: &mut Context, documents: &[&Document], language: Language) -> Result<Exit, Failure> {
    let last_day = |document: &Document| document.in_force.to.map(|to| to.to_string());
    if context.out.is_json() {
        for document in documents {
            context.out.json_line(&json!({
                "document": document.id, "version": document.version().to_string(), "to": last_day(document),
                "title": document.title(language), "number": document.number, "sections": document.sections.len(),
                "rules": document.rules.len(),
            }))?;
        }
        return Ok(Exit::Ok);
    }
    let rows = documents.iter().map(|document| {
        vec![
            format!("{}@{}", document.id, document.version()),
            last_day(document).unwrap_or_default(),
            document.title(language).to_owned(),
            document.sections.len().to_string(),
            document.rules.len().to_string(),
        ]
    });
    context.out.table(&["document", "until", "title", "sections", "rules"], rows)?;
    Ok(Exit::Ok)
}

fn text(context: &mut Context, book: &Rulebook, document: &Document, language: Language) -> Result<Exit, Failure> {
    if context.out.is_json() {
        let sections: Vec<_> = document
            .sections
            .iter()
            .map(|section| {
                json!({
                    "section": section.id, "heading": section.heading(language), "text": section.text(language),
                    "rules": document.rules.iter().filter(|rule| rule.section == section.id).map(|rule| &rule.id)
                        .collect::<Vec<_>>(),
                })
            })
            .collect();
        context.out.json_line(&json!({
            "document": document.id, "version": document.version().to_string(), "title": document.title(language),
            "sections": sections, "rulebook": book.hash,
        }))?;
        return Ok(Exit::Ok);
    }
    context.out.line(format!("{} ({}@{})", document.title(language), document.id, document.version()))?;
    for section in &document.sections {
        let heading = section.heading(language).unwrap_or_default();
        context.out.line(format!("\n{heading} [{}]", section.id))?;
        context.out.line(section.text(language).unwrap_or_default())?;
        for rule in document.rules.iter().filter(|rule| rule.section == section.id) {
            context.out.line(format!("  rule {}: {}", rule.id, rule.condition.replace('\n', " ")))?;
        }
    }
    Ok(Exit::Ok)
}

fn schemas(context: &mut Context, folder: Option<PathBuf>) -> Result<Exit, Failure> {
    let schemas = policy::schemas();
    let Some(folder) = folder else {
        if context.out.is_json() {
            context.out.json_line(&schemas)?;
        } else {
            for name in schemas.keys() {
                context.out.line(name)?;
            }
        }
        return Ok(Exit::Ok);
    };
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (name, schema) in &schemas {
        let path = folder.join(name);
        let text = format!("{}\n", serde_json::to_string_pretty(schema)?);
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        context.out.line(path.display().to_string())?;
    }
    Ok(Exit::Ok)
}
