//! Audit events in the database: appending to the chain, reading a case's history, exporting, verifying.
//! What the chain is and why it holds stands in [`super::audit`].

use serde_json::{Value, json};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::audit::{self, Breach, Broken, Head, Record, Verifier};
use super::row::Columns as _;
use super::{Error, Result, Storage, Tx};
use crate::cases::{CaseId, Event, EventKind, MunicipalityId, NewEvent};

/// Rows that are read at a time.
const BATCH: i64 = 1_000;

impl Tx {
    /// Appends an event to the municipality's chain. Its head stays locked until the transaction ends, so
    /// append late and do nothing slow afterwards.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Corrupt`] when the head cannot be read.
    pub async fn append_event(&mut self, municipality: &MunicipalityId, event: NewEvent) -> Result<Event> {
        let head = match self.heads.get(municipality) {
            Some(head) => head.clone(),
            None => self.lock_head(municipality).await?,
        };
        let (event, record) = audit::chain(municipality, &head, self.storage.ambient.now(), event);
        let insert = sqlx::query(
            "insert into events (municipality, seq, at, actor, kind, case_id, payload, previous, hash) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(municipality.as_str().to_owned())
        .bind(record.seq)
        .bind(record.at)
        .bind(record.actor)
        .bind(record.kind)
        .bind(record.case_id)
        .bind(record.payload)
        .bind(record.previous)
        .bind(record.hash.clone());
        self.execute(insert).await?;
        self.heads.insert(municipality.clone(), Head { seq: record.seq, hash: record.hash });
        Ok(event)
    }

    pub(super) async fn lock_head(&mut self, municipality: &MunicipalityId) -> Result<Head> {
        let name = municipality.as_str();
        let select = |sql: &'static str| sqlx::query(sql).bind(name.to_owned());
        let lock = self.storage.dialect.head_for_update();
        if let Some(row) = self.fetch_optional(select(lock)).await? {
            return head(&row);
        }
        // The first event of a municipality: of two at once, the second waits here for the first.
        let start = Head::start();
        let insert =
            sqlx::query("insert into audit_heads (municipality, seq, hash) values ($1, $2, $3) on conflict do nothing")
                .bind(name.to_owned())
                .bind(start.seq)
                .bind(start.hash);
        self.execute(insert).await?;
        head(&self.fetch_optional(select(lock)).await?.ok_or(Error::Missing { what: "audit head" })?)
    }

    /// Writes the heads that this transaction has moved, each once.
    pub(super) async fn write_heads(&mut self) -> Result<()> {
        for (municipality, head) in std::mem::take(&mut self.heads) {
            let update = sqlx::query("update audit_heads set seq = $2, hash = $3 where municipality = $1")
                .bind(municipality.as_str().to_owned())
                .bind(head.seq)
                .bind(head.hash);
            self.execute(update).await?;
        }
        Ok(())
    }
}

impl Storage {
    /// The history of a case, oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn timeline(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Event>> {
        let select = sqlx::query("select * from events where case_id = $2 and municipality = $1 order by seq")
            .bind(municipality.as_str().to_owned())
            .bind(case.to_string());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(event).collect()
    }

    /// The head of a municipality's chain as it stands: keep it elsewhere as an anchor.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn audit_head(&self, municipality: &MunicipalityId) -> Result<Head> {
        Ok(stored_head(&mut *self.reader().await?, municipality).await?.unwrap_or_else(Head::start))
    }

    /// Every municipality that has events.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn audited_municipalities(&self) -> Result<Vec<MunicipalityId>> {
        let select = sqlx::query(
            "select municipality from audit_heads union select municipality from events order by municipality",
        );
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row: &AnyRow| row.parse("municipality")).collect()
    }

    /// Verifies a municipality's chain as it stands in the database, against the stored head and against
    /// `anchors` that were kept outside. The outer result is the database's, the inner one the chain's.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn verify_audit(
        &self,
        municipality: &MunicipalityId,
        anchors: &[Head],
    ) -> Result<std::result::Result<Head, Broken>> {
        let mut snapshot = self.snapshot().await?;
        let head = stored_head(&mut snapshot, municipality).await?;
        let mut verifier = Verifier::new(municipality.clone(), anchors);
        // From the very first row: one that stands before the chain's beginning must not go unseen.
        let mut seq = i64::MIN;
        loop {
            let rows = batch(&mut snapshot, municipality, seq).await?;
            for row in &rows {
                let next = verifier.head().seq + 1;
                let Ok(record) = record(row) else {
                    return Ok(Err(Broken { seq: next, breach: Breach::Unreadable }));
                };
                seq = record.seq;
                if let Err(broken) = verifier.push(&record) {
                    return Ok(Err(broken));
                }
            }
            if rows.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                break;
            }
        }
        let head = head.unwrap_or_else(Head::start);
        Ok(verifier.finish(Some(&head)))
    }

    /// A municipality's chain as JSON lines: a line that names the format and the municipality, one line
    /// an event, and a last line with the head. [`audit::verify_export`] reads it, and so can anybody.
    ///
    /// # Errors
    /// Of the database, or of `line`, which takes one line at a time without its line end.
    pub async fn export_events<E: From<Error>>(
        &self,
        municipality: &MunicipalityId,
        mut line: impl FnMut(&str) -> std::result::Result<(), E>,
    ) -> std::result::Result<Head, E> {
        let mut snapshot = self.snapshot().await?;
        let head = stored_head(&mut snapshot, municipality).await?.unwrap_or_else(Head::start);
        line(&json!({"format": audit::FORMAT, "municipality": municipality}).to_string())?;
        let mut seq = i64::MIN;
        loop {
            let rows = batch(&mut snapshot, municipality, seq).await?;
            for row in &rows {
                let record = record(row)?;
                seq = record.seq;
                line(&record.export_line()?)?;
            }
            if rows.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                break;
            }
        }
        line(&json!({ "head": head }).to_string())?;
        Ok(head)
    }
}

/// Rows after `seq`, oldest first.
async fn batch(connection: &mut AnyConnection, municipality: &MunicipalityId, seq: i64) -> Result<Vec<AnyRow>> {
    let select = sqlx::query("select * from events where municipality = $1 and seq > $2 order by seq limit $3")
        .bind(municipality.as_str().to_owned())
        .bind(seq)
        .bind(BATCH);
    Ok(select.fetch_all(connection).await?)
}

async fn stored_head(connection: &mut AnyConnection, municipality: &MunicipalityId) -> Result<Option<Head>> {
    let select =
        sqlx::query("select seq, hash from audit_heads where municipality = $1").bind(municipality.as_str().to_owned());
    select.fetch_optional(connection).await?.map(|row| head(&row)).transpose()
}

fn head(row: &AnyRow) -> Result<Head> {
    Ok(Head { seq: row.int("seq")?, hash: row.text("hash")? })
}

/// The row as it stands, text for text: what was tampered with must not be tidied up by reading it.
fn record(row: &AnyRow) -> Result<Record> {
    Ok(Record {
        seq: row.int("seq")?,
        at: row.int("at")?,
        actor: row.text("actor")?,
        kind: row.text("kind")?,
        case_id: row.opt_text("case_id")?,
        payload: row.text("payload")?,
        previous: row.text("previous")?,
        hash: row.text("hash")?,
    })
}

fn event(row: &AnyRow) -> Result<Event> {
    Ok(Event {
        seq: row.int("seq")?,
        at: row.time("at")?,
        actor: row.json("actor")?,
        kind: row.word("kind", EventKind::parse)?,
        case_id: row.opt_parse("case_id")?,
        payload: row.json::<Value>("payload")?,
        previous: row.text("previous")?,
        hash: row.text("hash")?,
    })
}
