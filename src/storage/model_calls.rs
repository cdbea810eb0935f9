//! Accounts of language models: one row a call, what it took and what it cost. No content, neither what was sent nor
//! what came back.
//!
//! Rows are only added. Costs are whole millionths of a currency, so that sums are exact; a month and a day are those
//! of the calendar in Finland, worked out when the row is written. Sums of money are of one currency: what was paid in
//! another one does not count into them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use sqlx::any::AnyRow;

use super::row::Columns as _;
use super::{Error, Result, Storage};
use crate::cases::{CaseId, ModelCallId, MunicipalityId};
use crate::clock::helsinki;

/// Calls that a page of one case shows at most.
const MOST_OF_A_CASE: i64 = 1_000;

/// One call of a language model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ModelCall {
    /// Its id.
    pub id: ModelCallId,
    /// The municipality that pays.
    pub municipality: MunicipalityId,
    /// The case; none in dry runs.
    pub case_id: Option<CaseId>,
    /// The step of the pipeline, or `summarise`, `translate-check`.
    pub step: String,
    /// The prompt with its version.
    #[schema(example = "compose-decision@1")]
    pub prompt: String,
    /// Hash of the prompt's file.
    pub prompt_hash: String,
    /// The model as the address named it, else as the settings do.
    pub model: String,
    /// Which address answered; none when none did.
    pub endpoint: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = "date-time")]
    pub started_at: Timestamp,
    /// From the first attempt to the end, microseconds.
    #[serde(rename = "latency_microseconds", serialize_with = "microseconds")]
    #[schema(value_type = u64)]
    pub latency: Duration,
    /// Attempts until it was answered; none when it was not.
    pub attempts: Option<u32>,
    /// Tokens read, cached ones included.
    pub input_tokens: u64,
    /// Of these, read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Whether the tokens were counted by us because the address did not say.
    pub estimated: bool,
    /// What it cost.
    pub cost: Micros,
    /// In which currency, of the price file.
    #[schema(example = "USD")]
    pub currency: String,
    /// Whether a price was known; else the cost is reckoned by the dearest price of the file.
    pub cost_known: bool,
    /// Why the answer ended: `stop`, `length`, `tool_calls`, `content_filter`, `other`.
    pub finish: Option<String>,
    /// `answered`, `refusal` (the model would not), `cancelled` (nobody waited any more), or the kind of error.
    #[schema(example = "answered")]
    pub outcome: String,
}

fn microseconds<S: Serializer>(time: &Duration, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}

/// Money that a model costs: whole millionths of a currency. As text it is a decimal, `0.001234`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, example = "0.001234")]
pub struct Micros(i64);

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From millionths.
    #[must_use]
    pub const fn new(millionths: i64) -> Self {
        Self(millionths)
    }

    /// From an exact decimal, rounded up to a whole millionth; the largest value where it does not fit.
    #[must_use]
    pub fn ceil(amount: Decimal) -> Self {
        let millionths = amount.checked_mul(Decimal::from(1_000_000)).map(|value| value.ceil());
        Self(millionths.and_then(|value| value.try_into().ok()).unwrap_or(i64::MAX))
    }

    /// In millionths.
    #[must_use]
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// The sum, at most the largest value.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At least cents, as people write money; no zeros behind them.
        let mut amount = Decimal::new(self.0, 6).normalize();
        if amount.scale() < 2 {
            amount.rescale(2);
        }
        amount.fmt(f)
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A calendar month in Finland.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no month: write for example 2026-11")]
pub struct InvalidMonth;

impl Month {
    /// The month in which `at` falls.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.to_zoned(helsinki()).date().first_of_month())
    }

    /// Its first day, and the first one of the month after it.
    fn bounds(self) -> (String, String) {
        let after = self.0.last_of_month().tomorrow().unwrap_or(Date::MAX);
        (self.0.to_string(), after.to_string())
    }
}

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidMonth> {
        if text.len() != "2026-11".len() {
            return Err(InvalidMonth);
        }
        format!("{text}-01").parse().map(Self).map_err(|_| InvalidMonth)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// What models took so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Calls, failed ones included.
    pub calls: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Time with the model.
    pub latency: Duration,
    /// What it cost, in the currency that was asked for.
    pub cost: Micros,
}

impl Spent {
    /// Read and written.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// Adds one call; its cost only if it was paid in `currency`.
    pub fn add(&mut self, call: &ModelCall, currency: &str) {
        self.calls += 1;
        self.input_tokens = self.input_tokens.saturating_add(call.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(call.output_tokens);
        self.latency = self.latency.saturating_add(call.latency);
        if call.currency == currency {
            self.cost = self.cost.plus(call.cost);
        }
    }
}

/// What one prompt took on one day, by model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DayTotal {
    /// The day in Finland.
    #[schema(value_type = String, format = "date")]
    pub day: Date,
    /// The prompt with its version.
    pub prompt: String,
    /// The model.
    pub model: String,
    /// The currency of the cost.
    pub currency: String,
    /// Calls, failed ones included.
    pub calls: u64,
    /// Of these, calls without an answer that can be used: errors, refusals, and those that nobody waited for.
    pub failed: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Of these, read from the provider's cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What it cost.
    pub cost: Micros,
    /// Whether a price was known for every call.
    pub cost_known: bool,
}

impl Storage {
    /// Adds one call to the accounts.
    ///
    /// # Errors
    /// [`Error::Database`] when the id is taken; [`Error::Unavailable`].
    pub async fn record_model_call(&self, call: ModelCall) -> Result<()> {
        let day = call.started_at.to_zoned(helsinki()).date();
        let insert = sqlx::query(
            "insert into model_calls (id, municipality, case_id, step, prompt, prompt_hash, model, endpoint, day, \
             started_at, latency, attempts, input_tokens, cached_tokens, output_tokens, estimated, cost, currency, \
             cost_known, finish, outcome) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, \
             $16, $17, $18, $19, $20, $21)",
        )
        .bind(call.id.to_string())
        .bind(call.municipality.as_str().to_owned())
        .bind(call.case_id.map(|case| case.to_string()))
        .bind(call.step)
        .bind(call.prompt)
        .bind(call.prompt_hash)
        .bind(call.model)
        .bind(call.endpoint)
        .bind(day.to_string())
        .bind(call.started_at.as_microsecond())
        .bind(i64::try_from(call.latency.as_micros()).unwrap_or(i64::MAX))
        .bind(call.attempts.map(i64::from))
        .bind(whole(call.input_tokens))
        .bind(whole(call.cached_tokens))
        .bind(whole(call.output_tokens))
        .bind(i64::from(call.estimated))
        .bind(call.cost.millionths())
        .bind(call.currency)
        .bind(i64::from(call.cost_known))
        .bind(call.finish)
        .bind(call.outcome);
        insert.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// What one case took; cost in `currency`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn spent_by_case(&self, municipality: &MunicipalityId, case: CaseId, currency: &str) -> Result<Spent> {
        let select = sqlx::query(
            "select count(*) as calls, \
             cast(coalesce(sum(input_tokens), 0) as bigint) as input_tokens, \
             cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens, \
             cast(coalesce(sum(latency), 0) as bigint) as latency, \
             cast(coalesce(sum(case when currency = $3 then cost else 0 end), 0) as bigint) as cost \
             from model_calls where municipality = $1 and case_id = $2",
        )
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string())
        .bind(currency.to_owned());
        spent(&select.fetch_one(&mut *self.reader().await?).await?)
    }

    /// What a municipality's models took in a month, cases and dry runs; cost in `currency`. Without the time, which
    /// no limit of a month asks for.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn spent_in_month(&self, municipality: &MunicipalityId, month: Month, currency: &str) -> Result<Spent> {
        let (first, after) = month.bounds();
        let select = sqlx::query(
            "select count(*) as calls, \
             cast(coalesce(sum(input_tokens), 0) as bigint) as input_tokens, \
             cast(coalesce(sum(output_tokens), 0) as bigint) as output_tokens, \
             cast(0 as bigint) as latency, \
             cast(coalesce(sum(case when currency = $4 then cost else 0 end), 0) as bigint) as cost \
             from model_calls where municipality = $1 and day >= $2 and day < $3",
        )
        .bind(municipality.as_str().to_owned())
        .bind(first)
        .bind(after)
        .bind(currency.to_owned());
        spent(&select.fetch_one(&mut *self.reader().await?).await?)
    }

    /// The calls of one case, oldest first, at most 1 000.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn model_calls(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<ModelCall>> {
        let select = sqlx::query(
            "select * from model_calls where municipality = $1 and case_id = $2 order by started_at, id limit $3",
        )
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string())
        .bind(MOST_OF_A_CASE);
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(call).collect()
    }

    /// What each prompt took on each day of a month, by model and currency.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn model_costs(&self, municipality: &MunicipalityId, month: Month) -> Result<Vec<DayTotal>> {
        let (first, after) = month.bounds();
        let select = sqlx::query(
            "select day, prompt, model, currency, count(*) as calls, \
             cast(sum(case when outcome = 'answered' then 0 else 1 end) as bigint) as failed, \
             cast(sum(input_tokens) as bigint) as input_tokens, \
             cast(sum(cached_tokens) as bigint) as cached_tokens, \
             cast(sum(output_tokens) as bigint) as output_tokens, \
             cast(sum(cost) as bigint) as cost, min(cost_known) as cost_known \
             from model_calls where municipality = $1 and day >= $2 and day < $3 \
             group by day, prompt, model, currency order by day, prompt, model, currency",
        )
        .bind(municipality.as_str().to_owned())
        .bind(first)
        .bind(after);
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(day_total).collect()
    }
}

/// A count as the database keeps it.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn spent(row: &AnyRow) -> Result<Spent> {
    Ok(Spent {
        calls: row.count("calls")?,
        input_tokens: row.count("input_tokens")?,
        output_tokens: row.count("output_tokens")?,
        latency: Duration::from_micros(row.count("latency")?),
        cost: Micros(row.int("cost")?),
    })
}

fn call(row: &AnyRow) -> Result<ModelCall> {
    Ok(ModelCall {
        id: row.parse("id")?,
        municipality: row.parse("municipality")?,
        case_id: row.opt_parse("case_id")?,
        step: row.text("step")?,
        prompt: row.text("prompt")?,
        prompt_hash: row.text("prompt_hash")?,
        model: row.text("model")?,
        endpoint: row.opt_text("endpoint")?,
        started_at: row.time("started_at")?,
        latency: Duration::from_micros(row.count("latency")?),
        attempts: attempts(row)?,
        input_tokens: row.count("input_tokens")?,
        cached_tokens: row.count("cached_tokens")?,
        output_tokens: row.count("output_tokens")?,
        estimated: row.flag("estimated")?,
        cost: Micros(row.int("cost")?),
        currency: row.text("currency")?,
        cost_known: row.flag("cost_known")?,
        finish: row.opt_text("finish")?,
        outcome: row.text("outcome")?,
    })
}

fn attempts(row: &AnyRow) -> Result<Option<u32>> {
    row.opt_int("attempts")?.map(|count| u32::try_from(count).map_err(|_| Error::corrupt("attempts"))).transpose()
}

fn day_total(row: &AnyRow) -> Result<DayTotal> {
    Ok(DayTotal {
        day: row.parse("day")?,
        prompt: row.text("prompt")?,
        model: row.text("model")?,
        currency: row.text("currency")?,
        calls: row.count("calls")?,
        failed: row.count("failed")?,
        input_tokens: row.count("input_tokens")?,
        cached_tokens: row.count("cached_tokens")?,
        output_tokens: row.count("output_tokens")?,
        cost: Micros(row.int("cost")?),
        cost_known: row.flag("cost_known")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_that_of_the_calendar_in_finland() {
        let month = |at: &str| Month::of(at.parse().unwrap()).to_string();
        assert_eq!(month("2026-10-31T21:59:59Z"), "2026-10");
        assert_eq!(month("2026-10-31T22:00:00Z"), "2026-11");
        assert_eq!(month("2026-12-31T22:00:00Z"), "2027-01");
        assert_eq!("2026-12".parse::<Month>().unwrap().bounds(), ("2026-12-01".into(), "2027-01-01".into()));
        for wrong in ["", "2026", "2026-13", "2026-1", "2026-11-01", "26-11-01", "marraskuu"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn millionths_read_as_money() {
        for (millionths, text) in
            [(0, "0.00"), (1, "0.000001"), (500_000, "0.50"), (1_234_000, "1.234"), (-20_000, "-0.02")]
        {
            assert_eq!(Micros::new(millionths).to_string(), text);
        }
        assert_eq!(Micros::ceil("0.0000001".parse().unwrap()), Micros::new(1));
        assert_eq!(Micros::ceil(Decimal::MAX), Micros::new(i64::MAX));
    }
}
