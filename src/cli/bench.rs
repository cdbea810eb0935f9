//! `vireille bench`: how fast this machine is with this municipality's samples. Figures, not a test: nothing fails for
//! being slow. The aims: a dry triage within 20 ms (p95), 200 durable cases a second on SQLite with two cores.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Exit, Failure, bench_agent, demo, inputs, output, submit, triage};
use crate::app::App;
use crate::cases::{CaseId, MunicipalityId, SubmissionId};
use crate::intake::Incoming;

/// Measures speed.
#[derive(Debug, Subcommand)]
pub(super) enum Bench {
    /// A dry run of one submission, read to verified draft, nothing stored.
    Triage(Over),
    /// Intake to draft through the durable pipeline, into a new database that is removed again.
    Pipeline(Over),
    /// What the pipeline adds to a language model that takes its time.
    Agent(bench_agent::Over),
}

/// Over what.
#[derive(Debug, Args)]
pub(super) struct Over {
    /// How many submissions; the samples are taken again and again.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Files to take; the samples of the municipality when left out.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Of which municipality; the default one of the settings when left out.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
}

impl Over {
    fn submissions(&self, context: &Context, config: &crate::config::Config) -> Result<Vec<Incoming>, Failure> {
        let municipality = self.municipality.clone().unwrap_or_else(|| config.policies.default_municipality.clone());
        let files = if self.files.is_empty() { vec![demo::samples(config, &municipality)] } else { self.files.clone() };
        let read: Vec<Incoming> = inputs::read(&files, &municipality, &context.ambient)
            .into_iter()
            .map(|input| input.result.map_err(|error| Failure::Usage(format!("{}: {error}", input.name))))
            .collect::<Result<_, _>>()?;
        if read.is_empty() {
            return Err(Failure::Usage("there are no submissions to measure with".to_owned()));
        }
        Ok(read)
    }
}

/// How this program was built: figures of a dev build say little about a release build.
pub(super) const BUILD: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

impl Bench {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::Triage(over) => Box::pin(dry(context, &over)).await,
            Self::Pipeline(over) => durable(context, &over).await,
            Self::Agent(over) => Box::pin(bench_agent::run(context, &over)).await,
        }
    }
}

async fn dry(context: &mut Context, over: &Over) -> Result<Exit, Failure> {
    let config = context.config()?;
    let submissions = over.submissions(context, &config)?;
    let rulebooks = super::rulebooks(&config)?;
    let triage = super::desks(&config, &rulebooks, &context.ambient).await?;
    let now = context.ambient.now();
    let count = over.count as usize;
    let bar = output::progress(u64::from(over.count), "triaging");
    let mut times = Vec::with_capacity(count);
    let started = Instant::now();
    for incoming in submissions.iter().cycle().take(count) {
        let each = Instant::now();
        let case = CaseId::new(context.ambient.id());
        triage::dry_run(&triage, &incoming.submission, &[], None, now, case).await.map_err(anyhow::Error::from)?;
        times.push(each.elapsed());
        bar.inc(1);
    }
    let total = started.elapsed();
    bar.finish_and_clear();
    times.sort_unstable();
    let at = |share: f64| milliseconds(percentile(&times, share));
    if context.out.is_json() {
        context.out.json_line(&json!({
            "bench": "triage", "build": BUILD, "count": count, "p50_ms": at(0.5), "p95_ms": at(0.95),
            "p99_ms": at(0.99), "max_ms": at(1.0), "per_second": rate(count, total),
        }))?;
    } else {
        context.out.line(format!(
            "triage, {BUILD} build, one thread: {count} submissions: p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms, \
             max {:.2} ms; {:.0} a second",
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0),
            rate(count, total),
        ))?;
    }
    Ok(Exit::Ok)
}

async fn durable(context: &mut Context, over: &Over) -> Result<Exit, Failure> {
    let config = context.config()?;
    let submissions = over.submissions(context, &config)?;
    let folder = Scratch::new(context)?;
    context.prefer("storage.url", &format!("sqlite:{}", folder.0.join("bench.db").display()));
    let config = context.config()?;
    let workers = config.work.workers.max(1);
    let app = App::build(config).await?;
    let engine = app.storage().engine();
    let count = over.count as usize;
    let bar = output::progress(u64::from(over.count), "registering");
    let started = Instant::now();
    for incoming in submissions.into_iter().cycle().take(count) {
        let mut incoming = incoming;
        incoming.submission.id = SubmissionId::new(context.ambient.id());
        incoming.submission.external_id = None;
        submit::one(&app, incoming).await.map_err(anyhow::Error::from)?;
        bar.inc(1);
    }
    let registered = started.elapsed();
    bar.set_message("drafting");
    let mut hands = tokio::task::JoinSet::new();
    for n in 0..workers {
        let worker = app.worker(&format!("bench-{n}"));
        hands.spawn(async move { worker.run_pending(|_, _| {}).await });
    }
    while let Some(done) = hands.join_next().await {
        done.map_err(anyhow::Error::from)??;
    }
    let total = started.elapsed();
    bar.finish_and_clear();
    app.storage().close().await;
    if context.out.is_json() {
        context.out.json_line(&json!({
            "bench": "pipeline", "build": BUILD, "database": engine, "workers": workers, "count": count,
            "seconds_registering": registered.as_secs_f64(), "seconds": total.as_secs_f64(),
            "cases_per_second": rate(count, total),
        }))?;
    } else {
        context.out.line(format!(
            "pipeline, {BUILD} build, {engine}, {workers} workers: {count} cases in {:.2} s ({:.2} s of it registering): \
             {:.0} cases a second from intake to draft",
            total.as_secs_f64(),
            registered.as_secs_f64(),
            rate(count, total),
        ))?;
    }
    Ok(Exit::Ok)
}

/// A folder that goes away with its owner.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(context: &Context) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("vireille-bench-{}", context.ambient.id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The time below which that share of the sorted times lies (nearest rank).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank within a list of at most a million"
)]
fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "at most a million")]
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&times, 0.95), Duration::from_millis(95));
        assert_eq!(percentile(&times, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }
}
