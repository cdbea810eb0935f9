//! Case numbers (*asianumero*): one counter a municipality, prefix and year. The counter moves inside the
//! transaction that uses the number, so a rollback leaves no gap.

use super::row::Columns as _;
use super::{Error, Result, Tx};
use crate::cases::MunicipalityId;

impl Tx {
    /// The next number, for example `HRJ/2026/00001`. Holds the counter until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn next_case_number(&mut self, municipality: &MunicipalityId, prefix: &str, year: i16) -> Result<String> {
        let next = sqlx::query(
            "insert into numbers (municipality, prefix, year, last) values ($1, $2, $3, 1) \
             on conflict (municipality, prefix, year) do update set last = numbers.last + 1 returning last",
        )
        .bind(municipality.as_str().to_owned())
        .bind(prefix.to_owned())
        .bind(i64::from(year));
        let row = self.fetch_optional(next).await?.ok_or(Error::Missing { what: "number" })?;
        Ok(format!("{prefix}/{year}/{:05}", row.int("last")?))
    }
}
