//! `vireille demo`: the whole way on a sample inbox, without a model, a server or a key.
//!
//! Registers the municipality's samples, drafts them, prints the table, makes a token for each role and serves. The
//! demo's database is kept: the samples have ids, so a second run finds its cases again instead of making new ones,
//! and what a killed run left behind is drafted by the next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::inputs::{self, Tally};
use super::{Context, Exit, Failure, output, submit, token};
use crate::app::App;
use crate::cases::{Case, CheckResult, DeciderId, Draft, Euro, Language, MunicipalityId, Role, Status};
use crate::clock::helsinki;
use crate::config::Config;
use crate::intake::register::{RegisterError, rulebook};
use crate::review::NewToken;
use crate::serve::stop_signal;
use crate::storage::QueueFilter;
use crate::telemetry;

/// Where the demo's database stands unless `--database` says otherwise.
const DATABASE: &str = "sqlite:target/demo.db";
/// Marks the demo's tokens, so that the next run can revoke them.
const MARK: &str = "(demo)";
/// How long a worker of the demo owns a job: what a killed run held is free again after this.
const LEASE_SECONDS: &str = "5";
/// Of a hundred cases so many are judged blind, unless the settings say otherwise.
const BLIND_SHARE: &str = "10";
/// How often to look whether such a lease ran out.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Triages a sample inbox and serves it.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The municipality whose samples are taken.
    #[arg(long, value_name = "ID", default_value = "harjuvesi")]
    municipality: MunicipalityId,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// End after the table.
    #[arg(long)]
    no_serve: bool,
    #[command(flatten)]
    engine: super::Engine,
}

impl Demo {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        context.prefer("storage.url", DATABASE);
        context.prefer("policies.default_municipality", self.municipality.as_str());
        context.prefer("work.lease_seconds", LEASE_SECONDS);
        context.prefer("log.filter", "warn");
        context.prefer("pages.local_sign_in", "true");
        context.propose("review.blind_share", BLIND_SHARE);
        context.flag("server.listen", Some(format!("127.0.0.1:{}", self.port)));
        self.engine.set(context);
        let config = context.config()?;
        let _telemetry = telemetry::init(&config.log);
        let samples = samples(&config, &self.municipality);
        let app = App::build(config).await?;
        rulebook(app.rulebooks(), &self.municipality).map_err(|error| Failure::Usage(error.to_string()))?;

        let exit = take_in(context, &app, &self.municipality, &samples).await?;
        draft(&app, &self.municipality).await?;
        table(context, &app, &self.municipality).await?;
        if self.no_serve {
            app.storage().close().await;
            return Ok(exit);
        }
        let tokens = tokens(&app, &self.municipality).await?;
        let running = app.serve().await?;
        let address = running.address().map_or_else(String::new, |address| format!("http://{address}"));
        invite(context, &address, &tokens)?;
        running.until(stop_signal()).await;
        Ok(exit)
    }
}

/// The folder with a municipality's samples.
pub(super) fn samples(config: &Config, municipality: &MunicipalityId) -> PathBuf {
    config.policies.dir.join(municipality.as_str()).join("samples")
}

/// Registers the samples; what was registered in an earlier run is found again.
async fn take_in(context: &Context, app: &App, municipality: &MunicipalityId, samples: &Path) -> Result<Exit, Failure> {
    let inputs = inputs::read(&[samples.to_owned()], municipality, &context.ambient);
    if inputs.is_empty() {
        return Err(Failure::Usage(format!("there are no samples in {}", samples.display())));
    }
    let bar = output::progress(inputs.len() as u64, "registering");
    let mut tally = Tally::default();
    for (nth, input) in inputs.into_iter().enumerate() {
        let registered = match input.result {
            Ok(mut incoming) => {
                inputs::name_after_file(&mut incoming, Path::new(&input.name), nth);
                submit::one(app, incoming).await
            }
            Err(refused) => Err(refused.into()),
        };
        bar.inc(1);
        match registered {
            Ok(_) => tally.done(),
            Err(RegisterError::Refused(refused)) => {
                tally.refused();
                bar.suspend(|| output::complain(&format!("{}: {refused}", input.name)));
            }
            Err(RegisterError::Storage(error)) => return Err(error.into()),
        }
    }
    bar.finish_and_clear();
    Ok(tally.exit())
}

/// Works until no case waits for the pipeline any more, also for the leases of a run that was killed.
async fn draft(app: &App, municipality: &MunicipalityId) -> Result<(), Failure> {
    let steps = crate::triage::Step::ALL.len() as u64;
    let waiting = || in_pipeline(app, municipality);
    let bar = output::progress(waiting().await? * steps, "drafting");
    let worker = app.worker("demo");
    loop {
        worker.run_pending(|_, _| bar.inc(1)).await?;
        if waiting().await? == 0 {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    bar.finish_and_clear();
    Ok(())
}

async fn in_pipeline(app: &App, municipality: &MunicipalityId) -> Result<u64, Failure> {
    let counts = app.storage().case_counts(municipality).await?;
    let received = counts.iter().find(|(status, _)| *status == Status::Received).map_or(0, |(_, count)| *count);
    Ok(u64::try_from(received).unwrap_or(0))
}

/// One line a case, in the order of their numbers.
async fn table(context: &mut Context, app: &App, municipality: &MunicipalityId) -> Result<(), Failure> {
    let mut cases = Vec::new();
    let mut after = None;
    loop {
        let page = app.storage().cases(municipality, &QueueFilter::default(), after.as_ref(), 500).await?;
        for row in &page.rows {
            if let Some(case) = app.storage().case(municipality, row.id).await? {
                let draft = app.storage().latest_draft(municipality, row.id).await?;
                cases.push((case, draft));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    cases.sort_by(|(a, _), (b, _)| a.number.cmp(&b.number));
    if context.out.is_json() {
        for (case, draft) in &cases {
            context.out.json_line(&json!({
                "case": case.number, "service": service(case), "route": route(case),
                "draft": draft.as_ref().map(|draft| draft.content.kind), "amount": amount(draft.as_ref()),
                "checks": draft.as_ref().map(|draft| failed(draft)), "due": due(case), "status": case.status,
                "flags": case.file.flags,
            }))?;
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = cases
        .iter()
        .map(|(case, draft)| {
            let draft = draft.as_ref();
            vec![
                case.number.clone(),
                service(case),
                route(case),
                draft.map_or_else(|| case.status.to_string(), |draft| draft.content.kind.to_string()),
                amount(draft).map_or_else(String::new, |amount| amount.format(Language::Fi)),
                draft.map_or_else(String::new, checks),
                due(case),
                case.file.flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    context.out.table(&["case", "service", "route", "draft", "amount", "checks", "due", "to notice"], rows)
}

/// The service, or the category of a notice, or the kind of matter.
fn service(case: &Case) -> String {
    let Some(found) = &case.file.classification else { return String::new() };
    let service = found.service.as_ref().map_or_else(|| found.matter.to_string(), ToString::to_string);
    match &found.category {
        Some(category) => format!("{service} {category}"),
        None => service,
    }
}

/// Who decides, or whose matter it is.
fn route(case: &Case) -> String {
    case.file.route.as_ref().map_or_else(String::new, |route| match &route.decider {
        Some(decider) if route.authority.as_str() == "municipality" => decider.to_string(),
        _ => route.authority.to_string(),
    })
}

/// What is granted: of an amount of nothing nobody needs to be told.
fn amount(draft: Option<&Draft>) -> Option<Euro> {
    draft.and_then(|draft| draft.content.amount)
}

fn failed(draft: &Draft) -> Vec<&'static str> {
    draft.checks.iter().filter(|check| check.result == CheckResult::Fail).map(|check| check.id.as_str()).collect()
}

fn checks(draft: &Draft) -> String {
    let passed = draft.checks.iter().filter(|check| check.result == CheckResult::Pass).count();
    let failed = failed(draft);
    if failed.is_empty() { format!("{passed} passed") } else { format!("{} failed", failed.join(", ")) }
}

fn due(case: &Case) -> String {
    case.file.due.as_ref().map_or_else(String::new, |due| due.at.to_zoned(helsinki()).date().to_string())
}

/// A new token for each role. The secrets of an earlier run are nowhere to be found, so its tokens are revoked.
async fn tokens(app: &App, municipality: &MunicipalityId) -> Result<Vec<(Role, String)>, Failure> {
    let storage = app.storage();
    for old in storage.tokens(municipality).await? {
        if old.person.name.ends_with(MARK) {
            token::revoke(storage, municipality, old.id).await?;
        }
    }
    let book = rulebook(app.rulebooks(), municipality).map_err(|error| Failure::Usage(error.to_string()))?;
    let posts = &book.pack.municipality.deciders;
    let post: Option<DeciderId> = "technical-director"
        .parse()
        .ok()
        .filter(|post| posts.contains_key(post))
        .or_else(|| posts.keys().next().cloned());
    let mut made = Vec::new();
    for (role, name) in [
        (Role::ResidentChannel, "Web form"),
        (Role::Handler, "Hanna Handler"),
        (Role::Approver, "Antti Approver"),
        (Role::Registry, "Rauni Registry"),
        (Role::Supervisor, "Saija Supervisor"),
        (Role::Auditor, "Aune Auditor"),
        (Role::Admin, "Aki Admin"),
    ] {
        let post = if role == Role::Approver { post.clone() } else { None };
        let new = NewToken { role, name: format!("{name} {MARK}"), post, deputy: None };
        let (_, secret) = token::create(storage, &book.pack, new).await?;
        made.push((role, secret));
    }
    Ok(made)
}

/// Says what to open.
fn invite(context: &mut Context, address: &str, tokens: &[(Role, String)]) -> Result<(), Failure> {
    if context.out.is_json() {
        let tokens: serde_json::Map<_, _> =
            tokens.iter().map(|(role, secret)| (role.to_string(), json!(secret))).collect();
        return context.out.json_line(&json!({ "address": address, "tokens": tokens }));
    }
    let secret =
        |wanted: Role| tokens.iter().find(|(role, _)| *role == wanted).map_or("", |(_, secret)| secret.as_str());
    context.out.line(format!(
        "\nServing on {address}. Open {address}/console and pick who you are; {address}/openapi.json is the whole \
             API. Stop with Ctrl-C."
    ))?;
    context.out.line("\nTokens of this run (role, secret):")?;
    for (role, secret) in tokens {
        context.out.line(format!("  {:<16} {secret}", role.as_str()))?;
    }
    context.out.line(format!(
        "\nTry:\n  curl -s -H 'Authorization: Bearer {}' {address}/v1/cases\n  \
         curl -s -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\\n       \
         -d '{{\"text\": \"Koulukadun varrella ei pala katuvalo\"}}' {address}/v1/submissions",
        secret(Role::Handler),
        secret(Role::ResidentChannel),
    ))
}
