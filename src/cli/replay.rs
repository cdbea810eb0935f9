//! `vireille replay`: decided cases drafted again with another engine, model, prompt or policy, and held against what
//! people decided. Nothing is written, and nothing that anybody wrote about a person is printed.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use futures::StreamExt as _;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::{Context, Engine, Exit, Failure, output};
use crate::cases::{MunicipalityId, SectionRef, ServiceId};
use crate::clock::helsinki;
use crate::config::CassetteMode;
use crate::model::accounts::MemoryLedger;
use crate::storage::{Decided, DecidedFilter, Spent, Storage};
use crate::triage::replay::{Comparison, Distance, Pair, Summary, redraft};
use crate::triage::{Triage, pipeline};

/// Drafts decided cases again.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    engine: Engine,
    /// Folder of the prompts.
    #[arg(long, value_name = "DIR")]
    prompts: Option<String>,
    /// Folder of recorded calls.
    #[arg(long, value_name = "DIR")]
    cassettes: Option<String>,
    /// Whether calls are recorded or replayed.
    #[arg(long, requires = "cassettes")]
    cassette_mode: Option<CassetteMode>,
    /// Of which municipality; the default one of the settings when left out.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
    /// Only cases of this service.
    #[arg(long, value_name = "ID")]
    service: Option<ServiceId>,
    /// Only these cases, by the number that people use.
    #[arg(long = "case", value_name = "NUMBER", num_args = 1..)]
    numbers: Vec<String>,
    /// Only cases decided on this day or later.
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// At most so many, the newest decisions first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

impl Replay {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        self.engine.set(context);
        for (key, value) in [
            ("model.prompts", self.prompts),
            ("model.cassettes", self.cassettes),
            ("model.cassette_mode", word(self.cassette_mode)),
        ] {
            context.flag(key, value);
        }
        let config = context.config()?;
        let municipality = self.municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
        let filter = DecidedFilter {
            service: self.service,
            since: self.since.map(midnight).transpose()?,
            before: None,
            numbers: self.numbers.clone(),
        };
        let rulebooks = super::rulebooks(&config)?;
        let ledger = Arc::<MemoryLedger>::default();
        let storage = context.storage(&config).await?;
        let precedents = Arc::new(storage.clone());
        let triage =
            super::desks_with(&config, &rulebooks, &context.ambient, Arc::clone(&ledger), Some(precedents)).await?;
        let triage = Arc::new(triage);
        let decided = storage.decided(&municipality, &filter, self.limit).await?;
        let found: BTreeSet<&str> = decided.iter().map(|decided| decided.case.number.as_str()).collect();
        let missing = self.numbers.iter().filter(|number| !found.contains(number.as_str()));
        let missing = missing.inspect(|number| output::complain(&format!("{number}: no decided case fits"))).count();
        let bar = output::progress(decided.len() as u64, "drafting again");
        // Cases wait for a language model beside each other; what is printed keeps the order of the decisions.
        let mut results = futures::stream::iter(decided)
            .map(|decided| {
                let (number, triage, storage) = (decided.case.number.clone(), Arc::clone(&triage), storage.clone());
                let task = tokio::spawn(async move { compare(&triage, &storage, &decided).await });
                async move { (number, task.await) }
            })
            .buffered(usize::try_from(config.work.in_flight).unwrap_or(usize::MAX));
        let (mut compared, mut failed) = (Vec::new(), 0);
        while let Some((number, result)) = results.next().await {
            bar.inc(1);
            let error = match result {
                Ok(Ok(comparison)) => {
                    if context.out.is_json() {
                        bar.suspend(|| context.out.json_line(&comparison))?;
                    }
                    compared.push(comparison);
                    continue;
                }
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "drafting broke off".to_owned(),
            };
            failed += 1;
            bar.suspend(|| output::complain(&format!("{number}: {error}")));
            if context.out.is_json() {
                context.out.json_line(&json!({ "number": number, "error": { "what": error } }))?;
            }
        }
        bar.finish_and_clear();
        drop(results);
        storage.close().await;
        let (summary, calls) = (Summary::of(&compared), ledger.calls());
        let currency = calls.first().map(|call| call.currency.clone()).unwrap_or_default();
        let mut spent = Spent::default();
        for call in &calls {
            spent.add(call, &currency);
        }
        if context.out.is_json() {
            let spent = json!({
                "calls": spent.calls, "tokens": spent.tokens(), "cost": spent.cost.to_string(), "currency": currency,
                "seconds": spent.latency.as_secs_f64(),
            });
            context.out.json_line(&json!({ "summary": summary, "failed": failed, "spent": spent }))?;
        } else if !compared.is_empty() {
            context.out.table(HEAD, compared.iter().map(row))?;
            context.out.line(totals(&summary))?;
            if spent.calls > 0 {
                let Spent { calls, latency, cost, .. } = spent;
                let (tokens, seconds) = (spent.tokens(), latency.as_secs_f64());
                context
                    .out
                    .line(format!("{calls} calls, {tokens} tokens, {cost} {currency}, {seconds:.1} s of answers."))?;
            }
        }
        if compared.is_empty() && failed + missing == 0 {
            output::complain("no decided case fits");
        }
        Ok(match (compared.len(), failed + missing) {
            // Nothing was compared: nobody may take that for the same.
            (0, _) => Exit::Failure,
            (_, 1..) => Exit::Partly,
            _ if compared.iter().all(Comparison::is_same) => Exit::Ok,
            _ => Exit::Differs,
        })
    }
}

async fn compare(triage: &Triage, storage: &Storage, decided: &Decided) -> anyhow::Result<Comparison> {
    let submission = pipeline::submission(storage, &decided.case).await?;
    let desk = triage.desk(&decided.case.municipality)?;
    let (file, proposal) = redraft(desk, &submission, decided).await?;
    Ok(Comparison::of(decided, &file, &proposal, desk.engine()))
}

/// A choice as it is written in settings.
fn word(choice: Option<impl clap::ValueEnum>) -> Option<String> {
    choice?.to_possible_value().map(|value| value.get_name().to_owned())
}

/// The first moment of a day in Finland.
fn midnight(day: Date) -> Result<Timestamp, Failure> {
    let start = day.to_zoned(helsinki()).map_err(|error| Failure::Usage(format!("--since: {error}")))?;
    Ok(start.timestamp())
}

const HEAD: &[&str] = &["case", "decided", "again", "sections", "reasons", "letter", "failing now"];

fn row(case: &Comparison) -> Vec<String> {
    let was = [case.kind.decided.to_string(), amount(case.amount.decided)].join(" ");
    let now = [case.kind.again.to_string(), amount(case.amount.again)].join(" ");
    let same = case.is_same();
    let decider = match &case.decider {
        Pair { again: Some(decider), .. } if !case.decider.is_same() => format!(" by {decider}"),
        _ => String::new(),
    };
    let sections = |sign: char, sections: &[SectionRef]| {
        sections.iter().map(|section| format!("{sign}{section}")).collect::<Vec<_>>()
    };
    let moved = [sections('+', &case.sections_added), sections('-', &case.sections_dropped)].concat();
    vec![
        case.number.clone(),
        was.trim_end().to_owned(),
        if same { "same".to_owned() } else { format!("{}{decider}", now.trim_end()) },
        moved.join(" "),
        changed(case.reasons),
        changed(case.letter),
        case.newly_failing.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(" "),
    ]
}

fn amount(amount: Option<crate::cases::Euro>) -> String {
    amount.map(|amount| amount.to_string()).unwrap_or_default()
}

fn changed(distance: Distance) -> String {
    if distance.words == 0 { String::new() } else { format!("{:.0} %", distance.share() * 100.0) }
}

fn totals(summary: &Summary) -> String {
    let Summary { cases, same_outcome, same_amount, same_sections, newly_failing, fell_back, .. } = summary;
    format!(
        "\n{cases} cases: the same outcome in {same_outcome}, the same amount in {same_amount}, the same sections in \
         {same_sections}.\nMiddle share of words changed: {:.0} % of the reasons, {:.0} % of the letter.\n\
         Checks that failed anew in {newly_failing}; the offline engine took over in {fell_back}.",
        summary.reasons_median * 100.0,
        summary.letter_median * 100.0,
    )
}
