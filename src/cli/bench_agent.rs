//! `vireille bench agent`: what the durable pipeline adds to a language model that takes its time.
//!
//! The model is one of ours, in process: it waits, looks a few things up with the agent's tools, and repeats the
//! sentences it was given. So nothing is measured but the house. The critical path is the longest chain of calls that
//! followed each other in one case: no pipeline can be faster than it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::bench::{BUILD, Scratch};
use super::{Context, Exit, Failure, demo, inputs, output, submit};
use crate::app::{self, App};
use crate::cases::{CaseId, SubmissionId};
use crate::intake::Incoming;
use crate::model::accounts::Counted;
use crate::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, ToolCall, Usage};
use crate::model::count;
use crate::model::prompts::Prompts;
use crate::search::{Embedded, Search};
use crate::storage::Storage;
use crate::text::language;
use crate::triage::Triage;
use crate::triage::agent::Agent;

/// Over what.
#[derive(Debug, Args)]
pub(super) struct Over {
    /// How many cases; the samples of the default municipality are taken again and again.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    cases: u32,
    /// How many of them at a time.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    in_flight: u32,
    /// How long the model takes for an answer, milliseconds.
    #[arg(long, default_value_t = 300)]
    model_ms: u64,
}

pub(super) async fn run(context: &mut Context, over: &Over) -> Result<Exit, Failure> {
    let folder = Scratch::new(context)?;
    context.prefer("storage.url", &format!("sqlite:{}", folder.0.join("bench.db").display()));
    context.flag("work.in_flight", Some(over.in_flight.to_string()));
    let config = context.config()?;
    let municipality = config.policies.default_municipality.clone();
    let storage = Storage::open(config.storage.url.reveal(), context.ambient.clone()).await?;
    let rulebooks = super::rulebooks(&config)?;
    let model = Arc::new(Slow { takes: Duration::from_millis(over.model_ms), calls: Mutex::default() });
    let counted = Counted::new(
        Arc::clone(&model) as Arc<dyn ChatModel>,
        Arc::new(storage.clone()),
        &config.model,
        &config.failover,
        &config.budget,
        context.ambient.clone(),
    )
    .map_err(app::StartError::Accounts)?;
    let prompts = Arc::new(Prompts::load(&config.model.prompts).map_err(app::StartError::Prompts)?);
    let agent = Agent::new(Arc::new(counted), prompts, &config.model, &config.budget, context.ambient.clone());
    let search: Arc<dyn Search> = Arc::new(Embedded::over(&rulebooks));
    let trained = |rulebook: &_| app::classifier(rulebook, &config.policies.cache);
    let triage = Triage::new(&rulebooks, trained, &search, Some(&Arc::new(agent)))
        .map_err(|fault| Failure::Usage(format!("the policies cannot be used: {fault}")))?;
    let samples = inputs::read(&[demo::samples(&config, &municipality)], &municipality, &context.ambient);
    let app = App::assemble(config, storage, Arc::new(triage));
    let samples: Vec<Incoming> = samples.into_iter().filter_map(|input| input.result.ok()).collect();
    for mut incoming in samples.into_iter().cycle().take(over.cases as usize) {
        incoming.submission.id = SubmissionId::new(context.ambient.id());
        incoming.submission.external_id = None;
        submit::one(&app, incoming).await.map_err(anyhow::Error::from)?;
    }
    // As a service does before its first case.
    language::load();
    count::load().await;

    let bar = output::progress(u64::from(over.cases) * crate::triage::Step::ALL.len() as u64, "drafting");
    let (started, used) = (Instant::now(), cpu());
    app.worker("bench").run_pending(|_, _| bar.inc(1)).await?;
    let (wall, used) = (started.elapsed(), cpu().zip(used).map(|(after, before)| after.saturating_sub(before)));
    bar.finish_and_clear();
    app.storage().close().await;

    let calls = model.calls.lock().unwrap_or_else(PoisonError::into_inner);
    let path = calls.values().map(|calls| longest_chain(calls)).max().unwrap_or_default();
    let count: usize = calls.values().map(Vec::len).sum();
    let ratio = wall.as_secs_f64() / path.as_secs_f64().max(f64::EPSILON);
    let each = used.map(|used| used.as_secs_f64() * 1000.0 / f64::from(over.cases));
    if context.out.is_json() {
        context.out.json_line(&json!({
            "bench": "agent", "build": BUILD, "cases": over.cases, "in_flight": over.in_flight,
            "model_ms": over.model_ms, "calls": count, "seconds": wall.as_secs_f64(),
            "critical_path_seconds": path.as_secs_f64(), "ratio": ratio, "cpu_ms_per_case": each,
        }))?;
    } else {
        let each = each.map_or_else(|| "not known here".to_owned(), |each| format!("{each:.1} ms"));
        context.out.line(format!(
            "agent, {BUILD} build: {} cases, {} in flight, {count} calls of {} ms: {:.2} s, {ratio:.2} × the critical \
             path of {:.2} s; processor time a case: {each}",
            over.cases,
            over.in_flight,
            over.model_ms,
            wall.as_secs_f64(),
            path.as_secs_f64(),
        ))?;
    }
    Ok(Exit::Ok)
}

/// When a call began and ended.
type Span = (Instant, Instant);

/// A model that takes its time and says what it was told.
#[derive(Debug)]
struct Slow {
    takes: Duration,
    calls: Mutex<BTreeMap<Option<CaseId>, Vec<Span>>>,
}

impl ChatModel for Slow {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        Box::pin(async move {
            let began = Instant::now();
            tokio::time::sleep(self.takes).await;
            let answer = answer(request, self.takes);
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.entry(request.purpose.case).or_default().push((began, Instant::now()));
            Ok(answer)
        })
    }
}

fn answer(request: &ChatRequest, latency: Duration) -> ChatAnswer {
    let rounds = request.messages.iter().filter(|message| matches!(message, Message::Tool { .. })).count();
    // One thing looked up after the other, as a thorough model does.
    let wishes = [
        ("evaluate_rules", json!({})),
        ("case_facts", json!({})),
        ("search_policy", json!({ "query": "avustuksen määrä", "language": "fi" })),
    ];
    let wish = wishes.get(rounds).filter(|_| !request.tools.is_empty());
    let tool_calls: Vec<ToolCall> = wish
        .map(|(name, arguments)| ToolCall {
            id: format!("call-{rounds}"),
            name: (*name).to_owned(),
            arguments: arguments.to_string(),
        })
        .into_iter()
        .collect();
    let content = if tool_calls.is_empty() { Some(words(request).to_string()) } else { None };
    ChatAnswer {
        finish: if tool_calls.is_empty() { Finish::Stop } else { Finish::ToolCalls },
        content,
        refusal: None,
        tool_calls,
        usage: Usage { input: 4_000, cached: 3_000, output: 400, estimated: false },
        model: "slow-1".to_owned(),
        endpoint: "bench".to_owned(),
        attempts: 1,
        latency,
    }
}

/// A valid answer: of a letter's reasons, the sentences as they were given.
fn words(request: &ChatRequest) -> Value {
    let prompt = request.purpose.prompt.split('@').next().unwrap_or_default();
    match prompt {
        "classify" => json!({ "reason": "–", "quote": "", "label": "question", "confidence": 0.5, "language": "fi" }),
        "gather-facts" => json!({ "facts": [] }),
        "summarise" => json!({ "lines": ["Luonnos on valmis tarkastettavaksi."] }),
        "translate-check" => json!({ "differences": [], "same": true }),
        _ => json!({ "matter": null, "reasons": reasons(request), "rulings": [] }),
    }
}

fn reasons(request: &ChatRequest) -> Vec<Value> {
    let users = request.messages.iter().filter_map(|message| match message {
        Message::User(words) => Some(words.as_str()),
        _ => None,
    });
    let rows = users.flat_map(str::lines).filter(|line| line.starts_with("{\"rule\""));
    let rows = rows.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.filter(|row| row.get("sentence").is_some())
        .map(|row| {
            let evidence = row["evidence"].as_str().unwrap_or_default().split(", ").map(str::to_owned);
            json!({
                "rule": row["rule"], "text": row["sentence"], "evidence": evidence.collect::<Vec<_>>(),
                "citations": [{ "section": row["section"], "quote": row["quote"] }],
            })
        })
        .collect()
}

/// The longest time that calls following each other took together.
fn longest_chain(calls: &[Span]) -> Duration {
    let mut calls = calls.to_vec();
    calls.sort_by_key(|(_, ended)| *ended);
    let mut chains: Vec<Duration> = Vec::with_capacity(calls.len());
    for (began, ended) in &calls {
        let before = calls.iter().zip(&chains).filter(|((_, earlier), _)| earlier <= began).map(|(_, chain)| *chain);
        chains.push(before.max().unwrap_or_default() + ended.duration_since(*began));
    }
    chains.into_iter().max().unwrap_or_default()
}

/// Processor time of this process so far, where the system tells it: in hundredths of a second on Linux.
fn cpu() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after_name = stat.rsplit_once(')')?.1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_made_of_calls_that_follow_each_other() {
        let start = Instant::now();
        let at = |from: u64, to: u64| (start + Duration::from_secs(from), start + Duration::from_secs(to));
        assert_eq!(longest_chain(&[at(0, 3), at(0, 1), at(3, 5), at(1, 2)]), Duration::from_secs(5));
        assert_eq!(longest_chain(&[]), Duration::ZERO);
    }
}
