//! The command line: one file a command. Results go to standard output, everything about them to standard error,
//! so that a pipe sees results only; with `--json` every result is JSON.
//!
//! Exit codes are a promise to scripts: [`Exit`] is their one home and `--help` prints them. A command reads its
//! arguments, calls the house and shows what came back; nothing is decided here.

mod audit;
mod bench;
mod bench_agent;
mod config;
mod demo;
mod eval;
mod extract;
mod inputs;
mod municipality;
mod municipality_diff;
mod output;
mod policy;
mod policy_versions;
mod prompts;
mod replay;
mod report;
mod round;
mod serve;
mod submit;
mod token;
mod train;
mod triage;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum as _};
use serde_json::json;

use crate::app::StartError;
use crate::clock::Ambient;
use crate::config::{Config, EngineChoice, Faulty, Sources};
use crate::evals::exit::Outcome;
use crate::model::accounts::MemoryLedger;
use crate::model::client::install_tls;
use crate::municipality::{Fault, Faults};
use crate::policy::Rulebooks;
use crate::storage::Storage;
use crate::triage::Triage;
use crate::triage::precedents::Precedents;
use output::Output;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Ok = 0,
    /// It failed, or what was checked does not hold.
    Failure = 1,
    /// The arguments, the settings or an input file cannot be used.
    Usage = 2,
    /// Some inputs failed; the others went through.
    Partly = 3,
    /// What was compared is not the same.
    Differs = 4,
    /// A gate of an evaluation failed.
    GateFailed = 100,
    /// An evaluation is not complete.
    Incomplete = 102,
    /// An evaluation has too few cases to tell.
    Inconclusive = 103,
    /// The budget of an evaluation was used up.
    OverBudget = 104,
    /// Interrupted from outside; what was done is kept.
    Interrupted = 130,
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Pass => Self::Ok,
            Outcome::Inconclusive => Self::Inconclusive,
            Outcome::OverBudget => Self::OverBudget,
            Outcome::Incomplete => Self::Incomplete,
            Outcome::Fail => Self::GateFailed,
        }
    }
}

const AFTER_HELP: &str = "\
Exit codes:
  0  all is well
  1  it failed, or what was checked does not hold
  2  the arguments, the settings or the only input cannot be used
  3  some inputs failed, the others went through
  4  what was compared is not the same (replay)
  100 to 104, 130: how an evaluation ended (`vireille eval --help`)

Settings: `vireille config show`; each can be set in a file (--config, or vireille.toml in the working
directory) or in the environment as VIREILLE__SECTION__KEY.";

/// Case triage for municipalities: it prepares, a person decides.
#[derive(Debug, Parser)]
#[command(name = "vireille", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Settings file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Database: `sqlite:PATH` or `postgres://…`.
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Folder with the policies.
    #[arg(long, global = true, value_name = "DIR")]
    policies: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A sample inbox, triaged, in a table; then serve it.
    Demo(demo::Demo),
    /// Serve the API and draft what waits, until SIGINT or SIGTERM.
    Serve(serve::Serve),
    /// Draft what waits without serving.
    Work(serve::Work),
    /// Register submissions: JSON, JSONL, .eml, documents; `-` reads standard input.
    Submit(submit::Submit),
    /// Triage files without storing anything.
    Triage(triage::TriageCommand),
    /// Draft decided cases again, in shadow, and compare with what people decided.
    Replay(replay::Replay),
    /// The files that bind: check, show, search, compare them, the impact of a change.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Municipalities: make the files of a new one, show what differs between two.
    #[command(subcommand)]
    Municipality(municipality::Municipality),
    /// What a language model is told: check it, show it.
    #[command(subcommand)]
    Prompts(prompts::PromptsCommand),
    /// Evaluations: run suites, compare, bless, verify.
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Train the offline classifier and print its figures.
    Train(train::Train),
    /// Measure the speed on this machine.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Rounds over all cases of a window: list, run, show, verify.
    #[command(subcommand)]
    Round(round::RoundCommand),
    /// The audit chain: verify it, export it.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// API tokens.
    #[command(subcommand)]
    Token(token::Token),
    /// How the work goes: figures of a window.
    Report(report::ReportCommand),
    /// Settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// The text of one file from standard input, with few rights: how this program reads attachments.
    #[command(hide = true)]
    Extract(extract::Extract),
}

/// Who proposes.
#[derive(Debug, Args)]
struct Engine {
    /// Who proposes: the offline engine alone, or a language model with the offline engine as its fallback.
    #[arg(long, value_enum)]
    engine: Option<EngineChoice>,
    /// The language model, as its address knows it.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl Engine {
    fn set(self, context: &mut Context) {
        let engine = self.engine.as_ref().and_then(EngineChoice::to_possible_value);
        context.flag("model.engine", engine.map(|engine| engine.get_name().to_owned()));
        context.flag("model.name", self.model);
    }
}

/// What every command needs.
struct Context {
    sources: Sources,
    out: Output,
    ambient: Ambient,
}

impl Context {
    /// The settings of all layers.
    fn config(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.sources)?)
    }

    /// A setting from an argument of the command; it wins over every other layer.
    fn flag(&mut self, key: &str, value: Option<String>) {
        self.sources.flags.extend(value.map(|value| (key.to_owned(), value)));
    }

    /// A setting that the command prefers where nobody set it otherwise.
    fn prefer(&mut self, key: &str, value: &str) {
        if !self.sources.flags.iter().any(|(set, _)| set == key) {
            self.flag(key, Some(value.to_owned()));
        }
    }

    /// A setting that the command proposes where no flag and no variable of the environment sets it.
    fn propose(&mut self, key: &str, value: &str) {
        let variable = format!("VIREILLE__{}", key.replace('.', "__").to_uppercase());
        if !self.sources.environment.iter().any(|(set, _)| *set == variable) {
            self.prefer(key, value);
        }
    }

    /// The database of the settings.
    async fn storage(&self, config: &Config) -> Result<Storage, Failure> {
        Ok(Storage::open(config.storage.url.reveal(), self.ambient.clone()).await?)
    }
}

/// Everything that binds.
fn rulebooks(config: &Config) -> Result<Rulebooks, Failure> {
    Rulebooks::load_all(&config.policies.dir)
        .map_err(|faults| Failure::Usage(format!("the policies cannot be used:\n{faults}")))
}

/// Triage at every municipality's desk; what a language model takes is counted as long as the command runs.
async fn desks(config: &Config, rulebooks: &Rulebooks, ambient: &Ambient) -> Result<Triage, Failure> {
    desks_with(config, rulebooks, ambient, Arc::default(), None).await
}

/// The same, with the accounts of its calls and with what was decided before.
async fn desks_with(
    config: &Config,
    rulebooks: &Rulebooks,
    ambient: &Ambient,
    ledger: Arc<MemoryLedger>,
    precedents: Option<Arc<dyn Precedents>>,
) -> Result<Triage, Failure> {
    let agent = crate::app::agent(config, ledger, precedents, ambient)?;
    let search = crate::app::search(config, rulebooks).await?;
    Triage::new(rulebooks, |rulebook| crate::app::classifier(rulebook, &config.policies.cache), &search, agent.as_ref())
        .map_err(|fault| Failure::Usage(format!("the policies cannot be used: {fault}")))
}

/// Why a command ended early.
#[derive(Debug)]
enum Failure {
    /// The reader of our output went away: nothing to say and nobody to say it to.
    Gone,
    /// Arguments, settings or an input that cannot be used.
    Usage(String),
    /// Anything else.
    Failed(anyhow::Error),
}

impl From<Faulty> for Failure {
    fn from(faults: Faulty) -> Self {
        Self::Usage(faults.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<crate::storage::Error> for Failure {
    fn from(error: crate::storage::Error) -> Self {
        match error {
            crate::storage::Error::Address { .. } => Self::Usage(error.to_string()),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Storage(error) => error.into(),
            StartError::Listen { .. } => Self::Failed(error.into()),
            _ => Self::Usage(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Gone } else { Self::Failed(error.into()) }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs a command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    install_tls();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors and go to standard output.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return ExitCode::from(exit as u8);
        }
    };
    let exit = match execute(cli) {
        Ok(exit) => exit,
        Err(Failure::Gone) => Exit::Ok,
        Err(Failure::Usage(what)) => {
            output::complain(&what);
            Exit::Usage
        }
        Err(Failure::Failed(error)) => {
            output::complain(&format!("{error:#}"));
            Exit::Failure
        }
    };
    ExitCode::from(exit as u8)
}

fn execute(cli: Cli) -> Result<Exit, Failure> {
    let Global { json, config, database, policies } = cli.global;
    let mut flags = Vec::new();
    for (key, value) in [("storage.url", database), ("policies.dir", policies)] {
        flags.extend(value.map(|value| (key.to_owned(), value)));
    }
    let mut context =
        Context { sources: Sources::system(config, flags), out: Output::new(json), ambient: Ambient::system() };
    match cli.command {
        Command::Demo(command) => on_runtime(command.run(&mut context)),
        Command::Serve(command) => on_runtime(command.run(&mut context)),
        Command::Work(command) => on_runtime(command.run(&mut context)),
        Command::Submit(command) => on_runtime(command.run(&mut context)),
        Command::Triage(command) => on_runtime(command.run(&mut context)),
        Command::Replay(command) => on_runtime(command.run(&mut context)),
        Command::Policy(command) => command.run(&mut context),
        Command::Municipality(command) => command.run(&mut context),
        Command::Prompts(command) => command.run(&mut context),
        Command::Eval(command) => on_runtime(command.run(&mut context)),
        Command::Train(command) => command.run(&mut context),
        Command::Bench(command) => on_runtime(command.run(&mut context)),
        Command::Audit(command) => on_runtime(command.run(&mut context)),
        Command::Token(command) => on_runtime(command.run(&mut context)),
        Command::Round(command) => on_runtime(command.run(&mut context)),
        Command::Report(command) => on_runtime(command.run(&mut context)),
        Command::Config(command) => command.run(&mut context),
        Command::Extract(command) => command.run(),
    }
}

/// The faults of files that people edit are the result of checking them.
fn show_faults(context: &mut Context, faults: &Faults, folder: &Path) -> Result<Exit, Failure> {
    for fault in faults.iter() {
        if context.out.is_json() {
            let Fault { file, line, what, instead } = fault;
            context.out.json_line(&json!({ "file": file, "line": line, "what": what, "instead": instead }))?;
        } else {
            context.out.line(fault.to_string())?;
        }
    }
    if faults.is_empty() {
        if !context.out.is_json() {
            context.out.line(format!("{}: no faults.", folder.display()))?;
        }
        return Ok(Exit::Ok);
    }
    output::note(&match faults.len() {
        1 => "1 fault.".to_owned(),
        several => format!("{several} faults."),
    });
    Ok(Exit::Failure)
}

/// Runs work that waits for a database or the network.
fn on_runtime(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
