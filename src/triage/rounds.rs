//! Rounds as triage sees them: what a round gives a case, and whether a case can take part in one.
//!
//! Pure. A case takes part where it lacks nothing but what the round gives: its rules are evaluated without that fact, so
//! that neither an earlier round nor a register has a say in who takes part. A result stands above a register's row.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::Serialize;

use super::gather::governing;
use super::history::Others;
use super::{Circumstances, Desk, local_date};
use crate::cases::{Case, CaseFile, Evidence, Fact, Facts, Outcome, Status, Submission, Value};
use crate::policy::document::{Document, RoundOf, RoundRule};
use crate::policy::{self, WindowSpan};
use crate::storage::SoughtRound;

/// The rounds whose results a case needs.
#[must_use]
pub fn sought(desk: &Desk, submission: &Submission, file: &CaseFile, at: &Circumstances<'_>) -> Vec<SoughtRound> {
    let Some((document, window)) = bound(desk, submission, file, at) else { return Vec::new() };
    let of = |rule: &RoundRule| SoughtRound {
        document: document.id.clone(),
        round: rule.id.clone(),
        window_end: window.closes,
    };
    document.rounds.iter().map(of).collect()
}

/// Lays what rounds gave over what was gathered.
pub fn lay(desk: &Desk, submission: &Submission, file: &mut CaseFile, at: &Circumstances<'_>) {
    let Some((document, window)) = bound(desk, submission, file, at) else { return };
    for rule in &document.rounds {
        match at.others {
            Others::Stood(facts) => {
                for fact in rule.facts().iter().filter_map(|name| facts.get(name)) {
                    file.facts.insert(fact.clone());
                }
            }
            Others::Cases(ledger) => {
                let run = ledger.rounds.iter().find(|round| {
                    round.document == document.id && round.round == rule.id && round.window_end == window.closes
                });
                let Some(run) = run else { continue };
                let register = format!("{}@{}#{} {}", document.id, document.version(), rule.section, rule.id);
                for (name, value) in run.facts(at.number) {
                    let evidence = Evidence::Register { register: register.clone(), as_of: local_date(run.run_at) };
                    file.facts.insert(Fact { name, value, unit: None, evidence });
                }
            }
        }
    }
}

fn bound<'a>(
    desk: &'a Desk,
    submission: &Submission,
    file: &CaseFile,
    at: &Circumstances<'_>,
) -> Option<(&'a Document, WindowSpan<'a>)> {
    let service = file.classification.as_ref()?.service.as_ref()?;
    let service = desk.rulebook.pack.service(service)?;
    let document = governing(desk, service, submission, &file.facts, at)?.document;
    let window = desk.rulebook.library.window_for(&document.id, submission.received_at)?;
    Some((document, window))
}

/// A round of the window that is open now, or that closed last.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// The window, with the version that governs it.
    pub window: WindowSpan<'a>,
    /// The round.
    pub rule: &'a RoundRule,
}

/// The rounds of every policy, each of the window that is open at a moment or closed last before it.
pub fn due(desk: &Desk, now: Timestamp) -> impl Iterator<Item = Due<'_>> {
    let library = &desk.rulebook.library;
    let a_year_ago = now.checked_sub(SignedDuration::from_hours(365 * 24)).unwrap_or(now);
    let windows = library.ids().filter_map(move |id| {
        // At the turn of the year the next window has not opened: the last one may still have its round to be run.
        let opened = library.window_for(id, now).filter(|window| window.opens <= now);
        opened.or_else(|| library.window_for(id, a_year_ago))
    });
    windows.flat_map(|window| window.document.rounds.iter().map(move |rule| Due { window, rule }))
}

/// What a round finds in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It takes part, and comes to so much.
    Takes(Decimal),
    /// Nobody can say yet whether it takes part.
    Waits(Why),
    /// It has no part: refused, ended, or in no need of the round.
    Out,
}

/// Why a case keeps a round from being run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RoundWaitsWhy)]
pub enum Why {
    /// It is being drafted, or a person must look.
    NotDrafted,
    /// Something was asked, or has to be.
    Incomplete,
    /// A rule is left to a person who has not ruled.
    Discretion,
}

impl Why {
    /// The word as it stands in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotDrafted => "not-drafted",
            Self::Incomplete => "incomplete",
            Self::Discretion => "discretion",
        }
    }
}

/// What a round finds in a case of its window.
#[must_use]
pub fn standing(due: &Due<'_>, case: &Case) -> Standing {
    match case.status {
        Status::Withdrawn | Status::Transferred | Status::Merged | Status::Acknowledged => return Standing::Out,
        Status::Received | Status::NeedsPerson => return Standing::Waits(Why::NotDrafted),
        Status::InReview | Status::AwaitingCompletion | Status::Decided => {}
    }
    let file = &case.file;
    let Some(assessed) = &file.assessment else { return Standing::Waits(Why::NotDrafted) };
    let given: BTreeSet<String> = due.rule.facts().into_iter().collect();
    let facts: Vec<Fact> = file.facts.iter().filter(|fact| !given.contains(&fact.name)).cloned().collect();
    let open: Vec<_> = file.questions.iter().chain(&file.asked).cloned().collect();
    let facts = Facts::from(facts);
    let without = policy::assess(due.window.document, &facts, &file.rulings, &open, assessed.governing_date);
    match without.outcome {
        Outcome::Incomplete => Standing::Waits(Why::Incomplete),
        Outcome::Discretion => Standing::Waits(Why::Discretion),
        Outcome::Granted | Outcome::Partial | Outcome::Rejected | Outcome::Inadmissible => Standing::Out,
        Outcome::Pending => match &due.rule.of {
            RoundOf::Draw { .. } => Standing::Takes(Decimal::ONE),
            RoundOf::Share { step, .. } => {
                let value = without.calculation.iter().find(|known| known.name == *step);
                let number = value.and_then(|step| step.value.as_ref()).and_then(Value::number);
                number.map_or(Standing::Waits(Why::Incomplete), Standing::Takes)
            }
        },
    }
}
