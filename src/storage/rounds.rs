//! Rounds that were run, the last one of a window above those before it, which stay on the record.

use jiff::Timestamp;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{Case, DocumentId, MunicipalityId, Round, RoundId, ServiceId};

/// Which round of which window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoughtRound {
    /// The policy.
    pub document: DocumentId,
    /// The round's name in it.
    pub round: String,
    /// The last moment of the window.
    pub window_end: Timestamp,
}

impl Tx {
    /// Stores a round.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another one of the same window and count came first.
    pub async fn insert_round(&mut self, round: &Round) -> Result<()> {
        let insert = sqlx::query(
            "insert into rounds (id, municipality, document, round, window_end, nth, run_at, file) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        )
        .bind(round.id.to_string())
        .bind(round.municipality.as_str().to_owned())
        .bind(round.document.as_str().to_owned())
        .bind(round.round.clone())
        .bind(round.window_end.as_microsecond())
        .bind(i64::from(round.nth))
        .bind(round.run_at.as_microsecond())
        .bind(to_json("round", round)?);
        let nth = i64::from(round.nth);
        match self.execute(insert).await? {
            1 => Ok(()),
            _ => Err(Error::Conflict { what: "round", expected: nth - 1, found: nth }),
        }
    }
}

impl Storage {
    /// The last round that was run of a window.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn last_round(&self, municipality: &MunicipalityId, sought: &SoughtRound) -> Result<Option<Round>> {
        let select = sqlx::query(
            "select file from rounds where municipality = $1 and document = $2 and round = $3 and window_end = $4 \
             order by nth desc limit 1",
        )
        .bind(municipality.as_str().to_owned())
        .bind(sought.document.as_str().to_owned())
        .bind(sought.round.clone())
        .bind(sought.window_end.as_microsecond());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| row.json("file")).transpose()
    }

    /// The round of that id.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn round(&self, municipality: &MunicipalityId, id: RoundId) -> Result<Option<Round>> {
        let select = sqlx::query("select file from rounds where municipality = $1 and id = $2")
            .bind(municipality.as_str().to_owned())
            .bind(id.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| row.json("file")).transpose()
    }

    /// Every round that was run, the last one first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn rounds(&self, municipality: &MunicipalityId) -> Result<Vec<Round>> {
        let select = sqlx::query("select file from rounds where municipality = $1 order by run_at desc, id desc")
            .bind(municipality.as_str().to_owned());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(|row| row.json("file")).collect()
    }

    /// Every case of a service that arrived between two moments, in the order of arrival: an act on all cases of a window
    /// reads each of them.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn cases_between(
        &self,
        municipality: &MunicipalityId,
        service: &ServiceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Case>> {
        let select = sqlx::query(
            "select * from cases where municipality = $1 and service = $2 and received_at between $3 and $4 \
             order by received_at, id",
        )
        .bind(municipality.as_str().to_owned())
        .bind(service.as_str().to_owned())
        .bind(from.as_microsecond())
        .bind(to.as_microsecond());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(super::cases::case).collect()
    }
}
