//! `vireille submit`: registers a user's own files. Registered is stored and queued; `serve` and `work` draft.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::inputs::{self, Tally};
use super::{Context, Exit, Failure, output};
use crate::app::App;
use crate::cases::MunicipalityId;
use crate::intake::receipt::Receipt;
use crate::intake::register::{RegisterError, register, rulebook};
use crate::intake::{Incoming, IntakeError};

/// Registers submissions.
#[derive(Debug, Args)]
pub(super) struct Submit {
    /// Files: .json, .jsonl, .eml, documents; a folder stands for the submissions in it, `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where a submission goes that names no municipality.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
}

impl Submit {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let config = context.config()?;
        let municipality = self.municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
        let inputs = inputs::read(&self.files, &municipality, &context.ambient);
        let app = App::build(config).await?;
        let mut tally = Tally::default();
        let mut rows = Vec::new();
        let bar = output::progress(inputs.len() as u64, "registering");
        for input in inputs {
            let registered = match input.result {
                Ok(incoming) => one(&app, incoming).await,
                Err(refused) => Err(refused.into()),
            };
            bar.inc(1);
            match registered {
                Ok(receipt) => {
                    tally.done();
                    if context.out.is_json() {
                        context.out.json_line(&json!({ "input": input.name, "receipt": receipt }))?;
                    } else {
                        rows.push(row(&input.name, &receipt));
                    }
                }
                Err(RegisterError::Refused(refused)) => {
                    tally.refused();
                    bar.suspend(|| output::complain(&format!("{}: {refused}", input.name)));
                    if context.out.is_json() {
                        context.out.json_line(&refusal(&input.name, &refused))?;
                    }
                }
                // The database is gone: the others would fare no better.
                Err(RegisterError::Storage(error)) => return Err(error.into()),
            }
        }
        bar.finish_and_clear();
        if !context.out.is_json() && !rows.is_empty() {
            context.out.table(&["case", "file", "result"], rows)?;
            output::note("Registered. `vireille work --once` drafts what waits; `vireille serve` drafts and answers.");
        }
        app.storage().close().await;
        Ok(tally.exit())
    }
}

/// Registers one submission at the desk of its municipality.
pub(super) async fn one(app: &App, incoming: Incoming) -> Result<Receipt, RegisterError> {
    if !incoming.earlier.is_empty() {
        return Err(IntakeError {
            refusal: crate::intake::Refusal::Invalid,
            at: "/earlier".to_owned(),
            what: "earlier submissions are told of in dry runs; here the register of cases knows them".to_owned(),
            instead: "submit them first, each by itself".to_owned(),
        }
        .into());
    }
    let municipality = incoming.submission.municipality.clone();
    rulebook(app.rulebooks(), &municipality)?;
    let desk = app.triage().desk(&municipality).map_err(|error| IntakeError {
        refusal: crate::intake::Refusal::UnknownMunicipality,
        at: "/municipality".to_owned(),
        what: error.to_string(),
        instead: "name a municipality that is served here".to_owned(),
    })?;
    register(app.storage(), &desk.rulebook, &desk.lexicon, incoming).await
}

/// A refused input as JSON.
pub(super) fn refusal(input: &str, refused: &IntakeError) -> serde_json::Value {
    json!({ "input": input, "error": { "at": refused.at, "what": refused.what, "instead": refused.instead } })
}

fn row(file: &str, receipt: &Receipt) -> Vec<String> {
    let result = match (receipt.already, receipt.emergency.is_empty()) {
        (true, _) => "registered before",
        (false, true) => "registered",
        (false, false) => "registered; words of danger: a person is alerted",
    };
    vec![receipt.number.clone(), file.to_owned(), result.to_owned()]
}
