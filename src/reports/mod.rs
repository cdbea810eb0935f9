//! Reports: how the work goes, in figures of a window, and how approvals are made.
//!
//! Owns every figure: pages, API and command line only show them. Made of stored cases, events, decisions and drafts,
//! read once for a window; the figures are pure functions of that and of a moment. No report holds a party's data, and
//! none ranks those who handle cases. What is small is not told as a rate (`measure::FEW`), what is an estimate says
//! so, and a saving is told only against a measurement that somebody wrote down ([`Baseline`]).

mod changes;
pub mod guard;
mod history;
mod measure;
mod report;
pub mod rounds;
pub mod table;
mod window;

use std::collections::HashMap;
use std::time::Duration;

use jiff::SignedDuration;

use crate::cases::{DepartmentId, DraftId, MunicipalityId, Person, ServiceId};
use crate::municipality::format::Baseline;
use crate::storage::{DraftWords, Result, Storage};

use changes::Changes;
use guard::Guard;
use history::histories;
pub use measure::{Share, Spread};
use report::Material;
pub use report::{
    Alerts, Blind, ByService, Compared, Corrections, Deadlines, Detours, LeadTime, Manual, OfService, Piece, Report,
    Volume,
};
pub use window::{InvalidWindow, Window};

/// What a report is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Which days.
    pub window: Window,
    /// Of which service only.
    pub service: Option<ServiceId>,
    /// Of which department (*yksikkö*) only.
    pub department: Option<DepartmentId>,
}

/// The reports, over what they are made of. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reports {
    storage: Storage,
    lease: SignedDuration,
    quick_seconds: u32,
}

impl Reports {
    /// Over this storage; a claim lasts `lease`, and an approval within `quick_seconds` of the first look is quick.
    #[must_use]
    pub fn new(storage: Storage, lease: Duration, quick_seconds: u32) -> Self {
        let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
        Self { storage, lease, quick_seconds }
    }

    /// How the work of a municipality went, compared with these baselines.
    ///
    /// # Errors
    /// Whatever the storage refuses.
    pub async fn report(&self, municipality: &MunicipalityId, scope: &Scope, baselines: &[Baseline]) -> Result<Report> {
        let (from, to) = (scope.window.start(), scope.window.end());
        let made_at = self.storage.ambient().now();
        let mut rows = self.storage.report_rows(municipality, from, to).await?;
        let (service, department) = (scope.service.as_ref(), scope.department.as_ref());
        let costs = self.storage.costs_between(municipality, from, to, service, department).await?;
        let drafts: HashMap<DraftId, DraftWords> = std::mem::take(&mut rows.drafts).into_iter().collect();
        let histories = histories(rows);
        let lease = self.lease;
        Report::of(scope, Material { histories: &histories, drafts: &drafts, costs, baselines, made_at, lease })
    }

    /// How approvals of a window were made.
    ///
    /// # Errors
    /// Whatever the storage refuses.
    pub async fn approvals(&self, municipality: &MunicipalityId, window: Window) -> Result<Guard> {
        let (from, to) = (window.start(), window.end());
        let mut rows = self.storage.report_rows(municipality, from, to).await?;
        // Also those whose token was revoked since: their name stands under their decisions.
        let tokens = self.storage.tokens(municipality).await?.into_iter().map(|row| row.person);
        let decided = self.storage.decisions_between(municipality, from, to).await?;
        let people: Vec<Person> = decided.into_iter().map(|decision| decision.person).chain(tokens).collect();
        let drafts: HashMap<DraftId, DraftWords> = std::mem::take(&mut rows.drafts).into_iter().collect();
        let histories = histories(rows);
        let mut approved = Vec::new();
        for approval in histories.iter().flat_map(history::History::approvals) {
            if window.contains(approval.at) {
                let changes = Changes::of(&approval, &drafts)?.unwrap_or_default();
                approved.push((approval, changes));
            }
        }
        Ok(Guard::of(window, &histories, &approved, &people, self.quick_seconds))
    }
}

#[cfg(test)]
mod tests;
