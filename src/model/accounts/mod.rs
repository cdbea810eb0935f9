//! What language models cost: counted at every call, and stopped before it when a budget is used up.
//!
//! [`Counted`] stands around a model: it asks the [`Ledger`] what was spent, reserves what the call may take at most
//! (`budget`), makes the call, and writes one row about it, whatever came of it, priced by the price file of the day
//! ([`prices`]). A call that nobody waits for any more is written down, too: its tokens are paid for. No row, span,
//! metric or error holds any content.

mod budget;
mod counted;
pub mod prices;
mod stored;

use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt as _};

use crate::cases::{CaseId, MunicipalityId};
use crate::storage::{self, ModelCall, Month, Spent};

pub use counted::Counted;

/// Why accounts cannot be kept with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// A limit of the budget is no amount.
    #[error("`budget.{key}` is no amount: write a decimal as text, for example \"0.50\"")]
    Limit {
        /// Which setting.
        key: &'static str,
    },
    /// The price file is at fault.
    #[error(transparent)]
    Prices(#[from] prices::Fault),
}

/// Where it is written down what was spent.
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// What one case took; cost in `currency`.
    fn spent_by_case<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        case: CaseId,
        currency: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>>;

    /// What a municipality took in a month of the Finnish calendar, dry runs included; cost in `currency`.
    fn spent_in_month<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        month: Month,
        currency: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>>;

    /// Writes one call down.
    fn record(&self, call: ModelCall) -> BoxFuture<'_, storage::Result<()>>;
}

/// A ledger that lasts as long as the process: for dry runs, benchmarks and tests.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<Vec<ModelCall>>);

impl MemoryLedger {
    /// The calls so far, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<ModelCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn sum(&self, currency: &str, counts: impl Fn(&ModelCall) -> bool) -> Spent {
        let mut spent = Spent::default();
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| counts(call)).for_each(|call| spent.add(call, currency));
        spent
    }
}

impl Ledger for MemoryLedger {
    fn spent_by_case<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        case: CaseId,
        currency: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>> {
        let counts = |call: &ModelCall| call.municipality == *municipality && call.case_id == Some(case);
        futures::future::ready(Ok(self.sum(currency, counts))).boxed()
    }

    fn spent_in_month<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        month: Month,
        currency: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>> {
        let counts = |call: &ModelCall| call.municipality == *municipality && Month::of(call.started_at) == month;
        futures::future::ready(Ok(self.sum(currency, counts))).boxed()
    }

    fn record(&self, call: ModelCall) -> BoxFuture<'_, storage::Result<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        futures::future::ready(Ok(())).boxed()
    }
}
