//! The register of cases as rules look into it: one narrow row a case, beside the cases.
//!
//! Owned by the drafts: the row of a case is written when the pipeline stores a draft of it, and its outcome when a
//! person decides. A case that was withdrawn, sent elsewhere or merged says nothing to others; its row stays.

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::row::{Columns as _, to_json};
use super::{Result, Storage, Tx};
use crate::cases::{CaseId, Entry, Ledger, MunicipalityId, Outcome, ServiceId, Status};

/// Which cases are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// Of this service.
    pub service: ServiceId,
    /// That arrived at this moment or later.
    pub from: Timestamp,
    /// And at this one or before.
    pub to: Timestamp,
    /// In which this fact has this key.
    pub same: Option<(String, String)>,
}

impl Tx {
    /// What the case says to others, in the place of what it said before; none: nothing.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn note_ledger(
        &mut self,
        municipality: &MunicipalityId,
        id: CaseId,
        entry: Option<&Entry>,
    ) -> Result<()> {
        for delete in ["delete from ledger_keys where case_id = $1", "delete from ledger where case_id = $1"] {
            self.execute(sqlx::query(delete).bind(id.to_string())).await?;
        }
        let Some(entry) = entry else { return Ok(()) };
        let insert = sqlx::query(
            "insert into ledger (case_id, municipality, service, received_at, outcome, entry) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.to_string())
        .bind(municipality.as_str().to_owned())
        .bind(entry.service.as_str().to_owned())
        .bind(entry.received_at.as_microsecond())
        .bind(entry.outcome.map(Outcome::as_str))
        .bind(to_json("ledger.entry", entry)?);
        self.execute(insert).await?;
        let keys: Vec<Value> = entry.keys.iter().map(|(fact, key)| json!({ "fact": fact, "key": key })).collect();
        let insert = sqlx::query(self.storage.dialect.insert_ledger_keys())
            .bind(id.to_string())
            .bind(to_json("ledger.keys", &keys)?);
        self.execute(insert).await.map(drop)
    }

    /// How the case was decided, for others.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn note_outcome(&mut self, id: CaseId, outcome: Outcome) -> Result<()> {
        let update = sqlx::query("update ledger set outcome = $2 where case_id = $1");
        self.execute(update.bind(id.to_string()).bind(outcome.as_str())).await.map(drop)
    }

    /// The cases that are looked for, as this transaction sees them once every decision of the municipality that began
    /// before it is made: of two approvals that count each other, the second one sees the first.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn ledger(&mut self, municipality: &MunicipalityId, sought: &[Sought]) -> Result<Ledger> {
        self.lock_head(municipality).await?;
        read(self.connection(), municipality, sought).await
    }
}

impl Storage {
    /// The cases that are looked for.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn ledger(&self, municipality: &MunicipalityId, sought: &[Sought]) -> Result<Ledger> {
        if sought.is_empty() {
            return Ok(Ledger::EMPTY);
        }
        read(&mut *self.reader().await?, municipality, sought).await
    }
}

async fn read(connection: &mut AnyConnection, municipality: &MunicipalityId, sought: &[Sought]) -> Result<Ledger> {
    let mut ledger = Ledger::EMPTY;
    for sought in sought {
        let select = if sought.same.is_some() {
            "select l.entry, l.outcome, c.status from ledger_keys k join ledger l on l.case_id = k.case_id \
             join cases c on c.id = l.case_id where k.municipality = $1 and k.service = $2 and k.fact = $8 \
             and k.hash = $9 and l.received_at between $3 and $4 and c.status not in ($5, $6, $7)"
        } else {
            "select l.entry, l.outcome, c.status from ledger l join cases c on c.id = l.case_id where l.municipality = $1 \
             and l.service = $2 and l.received_at between $3 and $4 and c.status not in ($5, $6, $7)"
        };
        let mut select = sqlx::query(select)
            .bind(municipality.as_str().to_owned())
            .bind(sought.service.as_str().to_owned())
            .bind(sought.from.as_microsecond())
            .bind(sought.to.as_microsecond())
            .bind(Status::Withdrawn.as_str())
            .bind(Status::Transferred.as_str())
            .bind(Status::Merged.as_str());
        if let Some((fact, key)) = &sought.same {
            select = select.bind(fact.clone()).bind(key.clone());
        }
        for row in select.fetch_all(&mut *connection).await? {
            let entry = row.json::<Entry>("entry")?;
            let decided = row.word("status", Status::parse)? == Status::Decided;
            ledger.extend([Entry { outcome: row.opt_word("outcome", Outcome::parse)?, decided, ..entry }]);
        }
    }
    Ok(ledger)
}
