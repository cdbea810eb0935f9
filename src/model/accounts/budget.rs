//! How much a model may take: limits for one case and for one municipality and month.
//!
//! A request is let through when what was spent, what others may still take, and what this one takes at most stay
//! within every limit. What a call may take is reserved until its row is written, so calls at the same time cannot
//! together pass a limit; a call that ends just then may count twice for a moment, which errs on the side of stopping.
//! Only time cannot be reserved, for nobody knows how long a call will take: its limit stops the calls after it.
//! Other processes on the same database see what was written, not what is reserved: they may pass a limit by what they
//! have in flight.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rust_decimal::Decimal;

use super::{Ledger, Unusable};
use crate::cases::{CaseId, MunicipalityId};
use crate::config;
use crate::storage::{Micros, Month, Spent};

/// Limits; none means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// Calls for one case.
    pub(super) case_calls: Option<u64>,
    /// Tokens, in and out, for one case.
    pub(super) case_tokens: Option<u64>,
    /// Time with the model for one case.
    pub(super) case_time: Option<Duration>,
    /// Cost of one case.
    pub(super) case_cost: Option<Micros>,
    /// Tokens of one municipality in a month.
    pub(super) month_tokens: Option<u64>,
    /// Cost of one municipality in a month.
    pub(super) month_cost: Option<Micros>,
}

impl Limits {
    /// The limits of the settings.
    ///
    /// # Errors
    /// [`Unusable::Limit`] when a cost is no amount.
    pub(super) fn of(budget: &config::Budget) -> Result<Self, Unusable> {
        let cost = |key, text: &str| {
            let amount: Decimal = text.parse().map_err(|_error| Unusable::Limit { key })?;
            Ok::<_, Unusable>((!amount.is_zero()).then(|| Micros::ceil(amount)))
        };
        let count = |count: u64| (count > 0).then_some(count);
        Ok(Self {
            case_calls: count(budget.case_calls.into()),
            case_tokens: count(budget.case_tokens),
            case_time: count(budget.case_seconds.into()).map(Duration::from_secs),
            case_cost: cost("case_cost", &budget.case_cost)?,
            month_tokens: count(budget.month_tokens),
            month_cost: cost("month_cost", &budget.month_cost)?,
        })
    }

    const fn of_case(&self) -> bool {
        self.case_calls.is_some() || self.case_tokens.is_some() || self.case_time.is_some() || self.case_cost.is_some()
    }

    const fn of_month(&self) -> bool {
        self.month_tokens.is_some() || self.month_cost.is_some()
    }
}

/// What one request takes at most, or several together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Most {
    /// Calls: none when it is one more request of the same call.
    pub(super) calls: u64,
    /// Tokens, in and out.
    pub(super) tokens: u64,
    /// Cost.
    pub(super) cost: Micros,
}

impl Most {
    const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            tokens: self.tokens.saturating_add(other.tokens),
            cost: self.cost.plus(other.cost),
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            tokens: self.tokens.saturating_sub(other.tokens),
            cost: self.cost.minus(other.cost),
        }
    }
}

/// Who pays for a call, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payer<'a> {
    /// The municipality.
    pub(super) municipality: &'a MunicipalityId,
    /// The case; without one only the limits of the month hold.
    pub(super) case: Option<CaseId>,
    /// The month.
    pub(super) month: Month,
}

/// Why a call is not made.
#[derive(Debug)]
pub(super) enum Refused {
    /// A limit would be passed; which and by how much, in plain words.
    Limit(String),
    /// What was spent cannot be read.
    Unknown(crate::storage::Error),
}

/// The limits, and what calls in flight may still take.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    currency: String,
    held: Arc<Mutex<HashMap<Account, Most>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Account {
    Case(MunicipalityId, CaseId),
    Municipality(MunicipalityId, Month),
}

/// What was reserved for one request; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    held: Arc<Mutex<HashMap<Account, Most>>>,
    accounts: Vec<Account>,
    most: Most,
}

impl Budget {
    pub(super) fn new(limits: Limits, currency: &str) -> Self {
        Self { limits, currency: currency.to_owned(), held: Arc::default() }
    }

    /// Reserves what a request takes at most, if every limit allows it.
    pub(super) async fn reserve(
        &self,
        ledger: &dyn Ledger,
        payer: Payer<'_>,
        most: Most,
    ) -> Result<Reservation, Refused> {
        let case = payer.case.filter(|_| self.limits.of_case());
        let case_account = case.map(|case| Account::Case(payer.municipality.clone(), case));
        let month_account = self.limits.of_month();
        let month_account = month_account.then(|| Account::Municipality(payer.municipality.clone(), payer.month));
        // Reserved first and read afterwards: of two calls at once the later one sees the earlier, and neither is
        // missed between its reservation and its row.
        let accounts: Vec<Account> = case_account.iter().chain(&month_account).cloned().collect();
        let mut ahead = Vec::with_capacity(accounts.len());
        {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            for account in &accounts {
                let entry = held.entry(account.clone()).or_default();
                ahead.push(*entry);
                *entry = entry.plus(most);
            }
        }
        let reservation = Reservation { held: Arc::clone(&self.held), accounts, most };
        let mut ahead = ahead.into_iter();
        if let Some(case) = case {
            let spent = ledger.spent_by_case(payer.municipality, case, &self.currency).await;
            self.check_case(&spent.map_err(Refused::Unknown)?, ahead.next().unwrap_or_default(), most)?;
        }
        if month_account.is_some() {
            let spent = ledger.spent_in_month(payer.municipality, payer.month, &self.currency).await;
            let spent = spent.map_err(Refused::Unknown)?;
            self.check_month(&spent, ahead.next().unwrap_or_default(), most, payer.month)?;
        }
        Ok(reservation)
    }

    fn check_case(&self, spent: &Spent, ahead: Most, most: Most) -> Result<(), Refused> {
        let Limits { case_calls, case_tokens, case_time, case_cost, .. } = self.limits;
        let whose = "for this case";
        within(case_calls, spent.calls, ahead.calls, most.calls, "calls", whose)?;
        within(case_tokens, spent.tokens(), ahead.tokens, most.tokens, "tokens", whose)?;
        if let Some(limit) = case_time.filter(|limit| spent.latency >= *limit) {
            let (limit, spent) = (limit.as_secs(), spent.latency.as_secs());
            return Err(Refused::Limit(format!(
                "{limit} seconds with the model are allowed {whose}; {spent} are spent"
            )));
        }
        within(case_cost, spent.cost, ahead.cost, most.cost, &self.currency, whose)
    }

    fn check_month(&self, spent: &Spent, ahead: Most, most: Most, month: Month) -> Result<(), Refused> {
        let whose = format!("for this municipality in {month}");
        within(self.limits.month_tokens, spent.tokens(), ahead.tokens, most.tokens, "tokens", &whose)?;
        within(self.limits.month_cost, spent.cost, ahead.cost, most.cost, &self.currency, &whose)
    }
}

/// What limits are counted in.
trait Countable: Copy + Ord + fmt::Display {
    fn and(self, other: Self) -> Self;
}

impl Countable for u64 {
    fn and(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl Countable for Micros {
    fn and(self, other: Self) -> Self {
        self.plus(other)
    }
}

/// Whether what was spent, what is reserved and what comes stay within a limit.
fn within<T: Countable>(
    limit: Option<T>,
    spent: T,
    ahead: T,
    comes: T,
    unit: &str,
    whose: &str,
) -> Result<(), Refused> {
    let Some(limit) = limit else { return Ok(()) };
    if spent.and(ahead).and(comes) <= limit {
        return Ok(());
    }
    Err(Refused::Limit(format!(
        "{limit} {unit} are allowed {whose}; {spent} are spent, {ahead} may go to calls in flight, and this one may \
         take {comes}"
    )))
}

impl Reservation {
    /// Holds what the call took, in the place of what it was to take at most.
    pub(super) fn took(&mut self, took: Most) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for account in &self.accounts {
            let entry = held.entry(account.clone()).or_default();
            *entry = entry.minus(self.most).plus(took);
        }
        self.most = took;
    }

    /// Holds it as long as the process lives: its call took what no ledger knows of.
    pub(super) fn keep(mut self) {
        self.accounts.clear();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for account in &self.accounts {
            let Some(entry) = held.get_mut(account) else { continue };
            *entry = entry.minus(self.most);
            if *entry == Most::default() {
                held.remove(account);
            }
        }
    }
}
