//! `vireille audit`: verifies and exports the hash chain of each municipality.
//!
//! An export can be verified without the database, by this program or by a few lines of anybody's. Who can write to
//! the database can rewrite a chain and its head together, so `verify` prints each head as an anchor: kept elsewhere
//! and given back with `--anchor`, it tells any rewriting of what lies before it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::{Context, Exit, Failure, output};
use crate::cases::MunicipalityId;
use crate::storage::audit::{Breach, Broken, Head, verify_export};

/// The audit chain.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Verify the chain: in the database, or an export file without it.
    Verify {
        /// An export instead of the database.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// A head that was kept elsewhere; may be given more than once.
        #[arg(long, value_name = "SEQ:HASH")]
        anchor: Vec<String>,
        /// One municipality only; needed with --anchor where the database holds several.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
    },
    /// Write the chain of a municipality as JSON lines: what `verify --file` reads.
    Export {
        /// Which; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
        /// A file instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Audit {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::Verify { file, anchor, municipality } => {
                let anchors = anchor
                    .iter()
                    .map(|text| text.parse::<Head>().map_err(|error| Failure::Usage(error.to_string())))
                    .collect::<Result<Vec<_>, _>>()?;
                let verified = match file {
                    Some(file) => vec![verify_file(&file, municipality.as_ref(), &anchors)?],
                    None => verify_database(context, municipality, &anchors).await?,
                };
                report(context, &verified)
            }
            Self::Export { municipality, output } => export(context, municipality, output.as_deref()).await,
        }
    }
}

type Verified = (Option<MunicipalityId>, Result<Head, Broken>);

fn verify_file(file: &Path, expected: Option<&MunicipalityId>, anchors: &[Head]) -> Result<Verified, Failure> {
    let opened = File::open(file).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    let mut failed = None;
    let lines = BufReader::new(opened).lines().map_while(|line| line.map_err(|error| failed = Some(error)).ok());
    let result = verify_export(expected, lines, anchors);
    if let Some(error) = failed {
        // Bytes that are no text are no export; anything else is the disk's.
        if error.kind() != std::io::ErrorKind::InvalidData {
            return Err(Failure::Failed(anyhow::Error::new(error).context(file.display().to_string())));
        }
        return Ok((expected.cloned(), Err(Broken { seq: 0, breach: Breach::Unreadable })));
    }
    Ok(match result {
        Ok((municipality, head)) => (Some(municipality), Ok(head)),
        Err(broken) => (expected.cloned(), Err(broken)),
    })
}

async fn verify_database(
    context: &Context,
    only: Option<MunicipalityId>,
    anchors: &[Head],
) -> Result<Vec<Verified>, Failure> {
    let config = context.config()?;
    let storage = context.storage(&config).await?;
    let municipalities = match only {
        Some(only) => vec![only],
        None => storage.audited_municipalities().await?,
    };
    if !anchors.is_empty() && municipalities.len() > 1 {
        return Err(Failure::Usage("an anchor is of one municipality: say which with --municipality".to_owned()));
    }
    let mut verified = Vec::new();
    for municipality in municipalities {
        let result = storage.verify_audit(&municipality, anchors).await?;
        verified.push((Some(municipality), result));
    }
    Ok(verified)
}

fn report(context: &mut Context, verified: &[Verified]) -> Result<Exit, Failure> {
    let mut exit = Exit::Ok;
    if verified.is_empty() && !context.out.is_json() {
        context.out.line("There are no events yet.")?;
    }
    for (municipality, result) in verified {
        let name = municipality.as_ref().map_or("export", MunicipalityId::as_str);
        if result.is_err() {
            exit = Exit::Failure;
        }
        match result {
            _ if context.out.is_json() => context.out.json_line(&match result {
                Ok(head) => {
                    json!({ "municipality": municipality, "ok": true, "events": head.seq, "anchor": head.to_string() })
                }
                Err(broken) => json!({
                    "municipality": municipality, "ok": false, "event": broken.seq, "what": broken.breach.to_string(),
                }),
            })?,
            Ok(head) => context.out.line(format!("{name}: the chain holds: {}, anchor {head}", counted(head.seq)))?,
            Err(broken) => output::complain(&format!("{name}: the chain is broken: {broken}")),
        }
    }
    Ok(exit)
}

fn counted(events: i64) -> String {
    format!("{events} event{}", if events == 1 { "" } else { "s" })
}

async fn export(
    context: &mut Context,
    municipality: Option<MunicipalityId>,
    file: Option<&Path>,
) -> Result<Exit, Failure> {
    let config = context.config()?;
    let storage = context.storage(&config).await?;
    let municipality = municipality.unwrap_or(config.policies.default_municipality);
    let head = match file {
        None => {
            let out = &mut context.out;
            storage.export_events::<Failure>(&municipality, |line| out.line(line)).await?
        }
        Some(file) => {
            let created = File::create(file).with_context(|| file.display().to_string())?;
            let mut writer = BufWriter::new(created);
            let head = storage.export_events::<Failure>(&municipality, |line| Ok(writeln!(writer, "{line}")?)).await?;
            writer.into_inner().map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?.sync_all()?;
            head
        }
    };
    output::note(&format!("{municipality}: {}, anchor {head}", counted(head.seq)));
    Ok(Exit::Ok)
}
