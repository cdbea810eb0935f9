//! The ledger of the service: the table `model_calls`, which every process on the same database shares.

use futures::future::{BoxFuture, FutureExt as _};

use super::Ledger;
use crate::cases::{CaseId, MunicipalityId};
use crate::storage::{ModelCall, Month, Result, Spent, Storage};

impl Ledger for Storage {
    fn spent_by_case<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        case: CaseId,
        currency: &'a str,
    ) -> BoxFuture<'a, Result<Spent>> {
        Self::spent_by_case(self, municipality, case, currency).boxed()
    }

    fn spent_in_month<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        month: Month,
        currency: &'a str,
    ) -> BoxFuture<'a, Result<Spent>> {
        Self::spent_in_month(self, municipality, month, currency).boxed()
    }

    fn record(&self, call: ModelCall) -> BoxFuture<'_, Result<()>> {
        self.record_model_call(call).boxed()
    }
}
