//! Answers to requests that carried an Idempotency-Key: the same key gets the same answer again.

use super::row::{Columns as _, sha256};
use super::{Error, Result, Storage, Tx};
use crate::cases::MunicipalityId;

/// An answer that was given.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Hash of the request's body: the same key with another body is a mistake of the caller.
    pub body_hash: String,
    /// HTTP status.
    pub status: u16,
    /// Body of the answer.
    pub body: Vec<u8>,
}

/// The body may hold personal data.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Tx {
    /// Remembers the answer in the transaction that did the work. Put whatever else tells requests apart
    /// (token, path) into `key`; it is kept as a hash.
    ///
    /// # Errors
    /// [`Error::AlreadyAnswered`] when a request with this key came first: drop this transaction.
    pub async fn remember_answer(
        &mut self,
        municipality: &MunicipalityId,
        key: &str,
        body_hash: &str,
        status: u16,
        body: &[u8],
    ) -> Result<()> {
        let insert = sqlx::query(
            "insert into answers (municipality, key_hash, body_hash, status, body, created_at) \
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        )
        .bind(municipality.as_str().to_owned())
        .bind(sha256(key.as_bytes()))
        .bind(body_hash.to_owned())
        .bind(i64::from(status))
        .bind(body.to_vec())
        .bind(self.storage.ambient.now().as_microsecond());
        if self.execute(insert).await? == 1 { Ok(()) } else { Err(Error::AlreadyAnswered) }
    }

    /// Forgets answers given before `before`; gives how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_answers(&mut self, before: jiff::Timestamp) -> Result<u64> {
        self.execute(sqlx::query("delete from answers where created_at < $1").bind(before.as_microsecond())).await
    }
}

impl Storage {
    /// The answer given to this key, if there was one.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn answer(&self, municipality: &MunicipalityId, key: &str) -> Result<Option<Answer>> {
        let select =
            sqlx::query("select body_hash, status, body from answers where municipality = $1 and key_hash = $2")
                .bind(municipality.as_str().to_owned())
                .bind(sha256(key.as_bytes()));
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| {
            Ok(Answer { body_hash: row.text("body_hash")?, status: row.count("status")?, body: row.bytes("body")? })
        })
        .transpose()
    }
}
