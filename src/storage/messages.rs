//! Messages between the parties of cases and the office.

use std::collections::BTreeSet;

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::row::{Columns as _, to_json};
use super::{Result, Storage, Tx};
use crate::cases::{CaseId, Message, MunicipalityId, Side};

/// So many messages of a case are read, the newest.
const MOST: i64 = 500;

impl Tx {
    /// Stores a message. A party's waits for the office, unless it became a case that does; an answer ends the waiting.
    ///
    /// # Errors
    /// [`super::Error::Database`] when its case is not stored; [`super::Error::Unavailable`].
    pub async fn insert_message(&mut self, municipality: &MunicipalityId, message: &Message) -> Result<()> {
        if message.side == Side::Office {
            self.messages_seen(municipality, message.case_id).await?;
        }
        let insert = sqlx::query(
            "insert into messages (id, municipality, case_id, at, waits, became, file) \
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(message.id.to_string())
        .bind(municipality.as_str().to_owned())
        .bind(message.case_id.to_string())
        .bind(message.at.as_microsecond())
        .bind(i64::from(message.side == Side::Party && message.became.is_none()))
        .bind(message.became.map(|id| id.to_string()))
        .bind(to_json("message", message)?);
        self.execute(insert).await.map(|_| ())
    }

    /// Notes that the office has seen the party's messages of a case; gives how many waited.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn messages_seen(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<u64> {
        let update =
            sqlx::query("update messages set waits = 0 where municipality = $1 and case_id = $2 and waits = 1")
                .bind(municipality.as_str().to_owned())
                .bind(case.to_string());
        self.execute(update).await
    }

    /// The messages of a case, as this transaction sees them.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn messages(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Message>> {
        of_case(self.connection(), municipality, case).await
    }
}

impl Storage {
    /// The messages of a case, oldest first: those written to it, and the one that it came from. At most the newest 500.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn messages(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Message>> {
        of_case(&mut *self.reader().await?, municipality, case).await
    }

    /// The cases of a municipality in which a message of the party waits for the office.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn cases_with_waiting_messages(&self, municipality: &MunicipalityId) -> Result<BTreeSet<CaseId>> {
        let select = sqlx::query("select distinct case_id from messages where municipality = $1 and waits = 1")
            .bind(municipality.as_str().to_owned());
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row: &AnyRow| row.parse("case_id")).collect()
    }
}

async fn of_case(connection: &mut AnyConnection, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Message>> {
    let select = sqlx::query(
        "select file from messages where municipality = $1 and (case_id = $2 or became = $2) \
         order by at desc, id desc limit $3",
    )
    .bind(municipality.as_str().to_owned())
    .bind(case.to_string())
    .bind(MOST);
    let rows = select.fetch_all(connection).await?;
    rows.iter().rev().map(|row: &AnyRow| row.json("file")).collect()
}
