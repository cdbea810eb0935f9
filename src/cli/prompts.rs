//! `vireille prompts`: what a language model is told. Faults are results: they go to standard output, one a line.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Context, Exit, Failure};
use crate::cases::Language;
use crate::model::chat::Message;
use crate::model::prompts::{self, Fence, Kind, Prompt, PromptId, Prompts};
use crate::model::{count, schema};

/// What a language model is told.
#[derive(Debug, Subcommand)]
pub(super) enum PromptsCommand {
    /// Check every prompt: each fault with file, line and what to write instead.
    Check {
        /// Folder with the prompts; the one of the settings when left out.
        #[arg(long, value_name = "DIR")]
        prompts: Option<PathBuf>,
    },
    /// List the prompts, or show one as a model gets it, filled with a sample.
    Show {
        /// `classify`, for example; all when left out.
        prompt: Option<String>,
        /// Language of the sample.
        #[arg(long, default_value = "fi", value_parser = ["fi", "sv", "en"])]
        language: String,
        /// Folder with the prompts; the one of the settings when left out.
        #[arg(long, value_name = "DIR")]
        prompts: Option<PathBuf>,
    },
}

impl PromptsCommand {
    pub(super) fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::Check { prompts } => {
                let folder = folder(context, prompts)?;
                let faults = Prompts::load(&folder).err().unwrap_or_default();
                super::show_faults(context, &faults, &folder)
            }
            Self::Show { prompt, language, prompts } => {
                let folder = folder(context, prompts)?;
                let all = Prompts::load(&folder)
                    .map_err(|faults| Failure::Usage(format!("the prompts cannot be used:\n{faults}")))?;
                let Some(id) = prompt else { return list(context, &all) };
                let Some(id) = PromptId::named(&id) else {
                    let known = PromptId::ALL.map(PromptId::as_str).join(", ");
                    return Err(Failure::Usage(format!("there is no prompt `{id}`; there is: {known}")));
                };
                show(context, all.get(id), Language::from_code(&language).unwrap_or(Language::Fi))
            }
        }
    }
}

fn folder(context: &Context, argument: Option<PathBuf>) -> Result<PathBuf, Failure> {
    Ok(match argument {
        Some(folder) => folder,
        None => context.config()?.model.prompts,
    })
}

fn list(context: &mut Context, all: &Prompts) -> Result<Exit, Failure> {
    if context.out.is_json() {
        for prompt in all.iter() {
            context.out.json_line(&facts(prompt))?;
        }
        return Ok(Exit::Ok);
    }
    let rows = all.iter().map(|prompt| {
        vec![
            prompt.name(),
            count::tokens(prompt.system()).to_string(),
            prompt.hash[..12].to_owned(),
            prompt.purpose.clone(),
        ]
    });
    context.out.table(&["prompt", "tokens", "hash", "what for"], rows)?;
    Ok(Exit::Ok)
}

fn show(context: &mut Context, prompt: &Prompt, language: Language) -> Result<Exit, Failure> {
    let fence = Fence::new(&context.ambient);
    let failed = |error: prompts::RenderError| Failure::Failed(error.into());
    let mut messages = prompt.render(&prompts::sample(prompt.id, language), &fence).map_err(failed)?;
    if !prompt.id.repair_variables().is_empty() {
        messages.push(prompt.repair(&prompts::sample_of_repair(), &fence).map_err(failed)?);
    }
    let messages: Vec<(&str, &str)> = messages
        .iter()
        .filter_map(|message| match message {
            Message::System(words) => Some(("system", words.as_str())),
            Message::User(words) => Some(("user", words.as_str())),
            Message::Assistant { .. } | Message::Tool { .. } => None,
        })
        .collect();
    if context.out.is_json() {
        let mut whole = facts(prompt);
        whole["messages"] = messages.iter().map(|(role, words)| json!({ "role": role, "content": words })).collect();
        whole["schema"] = schema::of_answer(prompt.id.output()).unwrap_or_default();
        context.out.json_line(&whole)?;
        return Ok(Exit::Ok);
    }
    for (role, words) in messages {
        context.out.line(format!("── {role} ({} tokens)\n\n{words}\n", count::tokens(words)))?;
    }
    Ok(Exit::Ok)
}

fn facts(prompt: &Prompt) -> Value {
    let variables: Vec<Value> = prompt
        .id
        .variables()
        .iter()
        .map(|variable| {
            let columns = if let Kind::Rows(columns) = variable.kind { columns } else { &[] };
            json!({
                "name": variable.name, "kind": variable.kind.as_str(), "columns": columns, "about": variable.about,
            })
        })
        .collect();
    json!({
        "prompt": prompt.name(), "purpose": prompt.purpose, "hash": prompt.hash, "output": prompt.id.output(),
        "settings": {
            "temperature": prompt.sampling.temperature, "max_tokens": prompt.sampling.max_tokens, "seed": prompt.sampling.seed,
        },
        "variables": variables,
    })
}
