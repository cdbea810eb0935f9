//! `vireille triage`: a dry run over files. Nothing is stored; the very steps of the pipeline run in one go.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::json;

use super::inputs::{self, Tally};
use super::submit::refusal;
use super::{Context, Exit, Failure, output};
use crate::cases::{CaseFile, CaseId, CaseRef, CheckResult, MunicipalityId, Submission};
use crate::clock::helsinki;
use crate::intake::extract::{self, Attached, Cell};
use crate::intake::register::{check_service, rulebook};
use crate::intake::{Earlier, Incoming, IntakeError};
use crate::policy::Rulebooks;
use crate::triage::history::Others;
use crate::triage::report::Report;
use crate::triage::{Circumstances, Desk, Proposal, Triage};

/// Triages files without storing anything.
#[derive(Debug, Args)]
pub(super) struct TriageCommand {
    /// Files: .json, .jsonl, .eml, documents; a folder stands for the submissions in it, `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where a submission goes that names no municipality.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
    /// The moment at which it is done, RFC 3339; the submission's arrival when left out. Same input, files and
    /// moment: same draft.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    engine: super::Engine,
}

impl TriageCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        self.engine.set(context);
        let config = context.config()?;
        let municipality = self.municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
        let rulebooks = super::rulebooks(&config)?;
        let triage = Arc::new(super::desks(&config, &rulebooks, &context.ambient).await?);
        let inputs = inputs::read(&self.files, &municipality, &context.ambient);
        let bar = output::progress(inputs.len() as u64, "triaging");
        let (at, cell) = (self.at, Cell::new(&config.attachments));
        // Cases wait for a language model beside each other; what is printed keeps the order of the inputs.
        let mut results = futures::stream::iter(inputs)
            .map(|input| {
                let triaged = input.result.and_then(|incoming| known(&rulebooks, incoming)).map(|incoming| {
                    let (triage, cell) = (Arc::clone(&triage), cell.clone());
                    let case = CaseId::new(context.ambient.id());
                    tokio::spawn(async move {
                        let Incoming { submission, files, earlier, .. } = incoming;
                        let attached = extract::texts(&files, &cell).await;
                        let now = at.unwrap_or(submission.received_at);
                        all_of_it(&triage, submission, &earlier, &attached, now, case).await
                    })
                });
                async move {
                    match triaged {
                        Ok(task) => (input.name, Ok(task.await)),
                        Err(refused) => (input.name, Err(refused)),
                    }
                }
            })
            .buffered(usize::try_from(config.work.in_flight).unwrap_or(usize::MAX));
        let mut tally = Tally::default();
        while let Some((name, result)) = results.next().await {
            bar.inc(1);
            let error = match result {
                Err(refused) => {
                    tally.refused();
                    bar.suspend(|| output::complain(&format!("{name}: {refused}")));
                    if context.out.is_json() {
                        context.out.json_line(&refusal(&name, &refused))?;
                    }
                    continue;
                }
                Ok(Ok(Ok(cases))) => {
                    tally.done();
                    for (submission, file, proposal) in &cases {
                        bar.suspend(|| {
                            if context.out.is_json() {
                                context.out.json_line(&Report::new(submission, file, proposal))
                            } else {
                                context.out.line(summary(&name, submission, file, proposal))
                            }
                        })?;
                    }
                    continue;
                }
                Ok(Ok(Err(error))) => error.to_string(),
                Ok(Err(_)) => "triage broke off".to_owned(),
            };
            tally.failed();
            bar.suspend(|| output::complain(&format!("{name}: {error}")));
            if context.out.is_json() {
                context.out.json_line(&json!({ "input": name, "error": { "what": error } }))?;
            }
        }
        bar.finish_and_clear();
        Ok(tally.exit())
    }
}

/// A submission to a municipality and a service that are served here.
fn known(rulebooks: &Rulebooks, incoming: Incoming) -> Result<Incoming, IntakeError> {
    let book = rulebook(rulebooks, &incoming.submission.municipality)?;
    check_service(&book.pack, &incoming.submission)?;
    Ok(incoming)
}

/// All steps for every case that a submission becomes, after those that came `earlier`: the first one, and one for each
/// other matter in it. The number is one that no case has.
async fn all_of_it(
    triage: &Triage,
    submission: Submission,
    earlier: &[Earlier],
    attached: &Attached,
    now: Timestamp,
    case: CaseId,
) -> Result<Vec<(Submission, CaseFile, Proposal)>, crate::triage::Error> {
    let (file, proposal) = dry_run(triage, &submission, earlier, Some(attached), now, case).await?;
    let desk = triage.desk(&submission.municipality)?;
    let number = number_of_none(desk, &submission);
    let at = Circumstances { case: Some(case), attached: Some(attached), ..Circumstances::new(&number, now) };
    let first = CaseRef { id: case, number: number.clone() };
    let mut parts = Vec::new();
    for (part, submission) in desk.parts(&first, &submission, &file) {
        let (file, proposal) = desk.dry_run_on(part, &submission, &at).await?;
        parts.push((submission, file, proposal));
    }
    parts.insert(0, (submission, file, proposal));
    Ok(parts)
}

fn number_of_none(desk: &Desk, submission: &Submission) -> String {
    let prefix = &desk.rulebook.pack.municipality.case_prefix;
    format!("{prefix}/{}/00000", submission.received_at.to_zoned(helsinki()).year())
}

/// All steps for one submission, after those that came `earlier`. `case` is nobody's, so that the limits of a
/// case hold.
pub(super) async fn dry_run(
    triage: &Triage,
    submission: &Submission,
    earlier: &[Earlier],
    attached: Option<&Attached>,
    now: Timestamp,
    case: CaseId,
) -> Result<(CaseFile, Proposal), crate::triage::Error> {
    let desk = triage.desk(&submission.municipality)?;
    let number = number_of_none(desk, submission);
    let ledger = desk.ledger(earlier)?;
    let (case, others) = (Some(case), Others::Cases(&ledger));
    desk.dry_run(submission, &Circumstances { case, attached, others, ..Circumstances::new(&number, now) }).await
}

/// A municipality's triage, for whoever looks on in a terminal: what it is, whose, what the checks say, the letter.
fn summary(name: &str, submission: &Submission, file: &CaseFile, proposal: &Proposal) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut say = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{label:<10} {value}");
        }
    };
    say("input", name);
    say("id", submission.external_id.as_deref().unwrap_or_default());
    if let Some(found) = &file.classification {
        let kind = found.category.clone().or_else(|| found.service.as_ref().map(ToString::to_string));
        let sure = if found.abstained { "a person classifies" } else { "proposed" };
        say("matter", &format!("{} {} ({sure}, {:.2})", found.matter, kind.unwrap_or_default(), found.confidence));
    }
    if let Some(route) = &file.route {
        let decider = route.decider.as_ref().map_or_else(|| route.authority.to_string(), ToString::to_string);
        say("route", &format!("{decider}, because {}", route.because));
    }
    for fallback in &file.fallbacks {
        say("offline", &format!("{} without a language model: {}", fallback.step, fallback.reason));
    }
    for line in file.summary.iter().flat_map(|summary| summary.lines()) {
        say("summary", line);
    }
    for proposal in file.proposals.iter().filter(|proposal| !proposal.adopted) {
        let because = proposal.because.as_deref().unwrap_or_default();
        say(
            "proposed",
            &format!("{} {}: {} (not taken over: {because})", proposal.kind, proposal.about, proposal.value),
        );
    }
    say("flags", &file.flags.iter().map(|flag| flag.as_str()).collect::<Vec<_>>().join(", "));
    say("draft", proposal.content.kind.as_str());
    say("amount", &proposal.content.amount.map(|amount| amount.to_string()).unwrap_or_default());
    let failed: Vec<String> = proposal
        .checks
        .iter()
        .filter(|check| check.result == CheckResult::Fail)
        .map(|check| format!("{} failed: {}", check.id, check.detail))
        .collect();
    let passed = proposal.checks.iter().filter(|check| check.result == CheckResult::Pass).count();
    say("checks", &format!("{passed} passed"));
    for line in &failed {
        say("", line);
    }
    say("due", &file.due.as_ref().map(|due| due.at.to_zoned(helsinki()).date().to_string()).unwrap_or_default());
    let _ = write!(text, "\n{}", proposal.content.letter);
    text
}
