//! `vireille config`: what the settings are and what is wrong with them.

use clap::Subcommand;
use serde_json::json;

use super::{Context, Exit, Failure, output};
use crate::config;

/// Settings.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Check the settings of all layers; every fault with its place and what to write instead.
    Check,
    /// Print the compiled-in settings with their documentation: a start for a file of your own.
    Show,
}

impl ConfigCommand {
    pub(super) fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::Check => check(context),
            Self::Show => show(context),
        }
    }
}

fn check(context: &mut Context) -> Result<Exit, Failure> {
    let faults = config::check(&context.sources);
    let holds = faults.is_empty();
    if context.out.is_json() {
        context.out.json_line(&json!({ "ok": holds, "faults": faults }))?;
    } else if holds {
        let from = context.sources.file.as_ref().map_or(String::new(), |file| format!(" and {}", file.display()));
        context.out.line(format!("The settings hold: the defaults{from}, with the environment over them."))?;
    } else {
        for fault in &faults {
            output::complain(&fault.to_string());
        }
    }
    Ok(if holds { Exit::Ok } else { Exit::Usage })
}

fn show(context: &mut Context) -> Result<Exit, Failure> {
    if context.out.is_json() {
        let defaults: toml::Table = config::DEFAULTS.parse().map_err(anyhow::Error::from)?;
        context.out.json_line(&defaults)?;
    } else {
        context.out.line(config::DEFAULTS.trim_end())?;
    }
    Ok(Exit::Ok)
}
