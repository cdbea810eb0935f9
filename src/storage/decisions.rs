//! Decisions: an approved draft and the named person who approved it. One round of a case has one
//! decision: of two approvals at once the database lets exactly one in, on both engines.

use jiff::Timestamp;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx, cases};
use crate::cases::{Case, CaseId, Decision, Draft, Euro, MunicipalityId, Preparer, ServiceId, Status};

/// Which decided cases of a municipality. The default is all of them.
#[derive(Debug, Clone, Default)]
pub struct DecidedFilter {
    /// Service.
    pub service: Option<ServiceId>,
    /// Decided at this moment or later.
    pub since: Option<Timestamp>,
    /// Decided before this moment.
    pub before: Option<Timestamp>,
    /// Any of these numbers; empty for all.
    pub numbers: Vec<String>,
}

/// A case whose last word is a decision, with everything that was decided on.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The case; nothing happened to it since.
    pub case: Case,
    /// The decision.
    pub decision: Decision,
    /// What was approved.
    pub draft: Draft,
    /// The machine's last version before it; the approved one, where nobody edited.
    pub proposed: Draft,
}

/// A case that was decided and not gone on with since.
#[derive(Debug, Clone, PartialEq)]
pub struct DecidedCase {
    /// The case.
    pub case: Case,
    /// The decision.
    pub decision: Decision,
}

impl Tx {
    /// Stores the decision.
    ///
    /// # Errors
    /// [`Error::AlreadyDecided`] when another approval of this round came first; [`Error::Missing`] when
    /// the draft is not stored, is another case's, or has another hash.
    pub async fn insert_decision(&mut self, decision: &Decision) -> Result<()> {
        let insert = sqlx::query(
            "insert into decisions (case_id, round, municipality, draft_id, decided_at, amount_cents, file) \
             select d.case_id, d.round, d.municipality, d.id, $4, $5, $6 from drafts d \
             where d.id = $1 and d.case_id = $2 and d.hash = $3 on conflict do nothing",
        )
        .bind(decision.draft_id.to_string())
        .bind(decision.case_id.to_string())
        .bind(decision.draft_hash.0.replace('\0', ""))
        .bind(decision.decided_at.as_microsecond())
        .bind(decision.amount.map(Euro::cents))
        .bind(to_json("decision", decision)?);
        if self.execute(insert).await? == 1 {
            return Ok(());
        }
        let select = sqlx::query("select id from drafts where id = $1 and case_id = $2 and hash = $3")
            .bind(decision.draft_id.to_string())
            .bind(decision.case_id.to_string())
            .bind(decision.draft_hash.0.replace('\0', ""));
        match self.fetch_optional(select).await? {
            Some(_) => Err(Error::AlreadyDecided { case: decision.case_id }),
            None => Err(Error::Missing { what: "draft" }),
        }
    }

    /// The newest decision of the case, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn decision(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Decision>> {
        Ok(of_case(self.connection(), municipality, case).await?.pop())
    }
}

impl Storage {
    /// The newest decision of the case.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn decision(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Decision>> {
        Ok(self.decisions(municipality, case).await?.pop())
    }

    /// The cases that were decided and not gone on with since, the newest decision first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn decided(
        &self,
        municipality: &MunicipalityId,
        filter: &DecidedFilter,
        limit: u32,
    ) -> Result<Vec<Decided>> {
        let numbers = if filter.numbers.is_empty() { String::new() } else { format!("|{}|", filter.numbers.join("|")) };
        let select = sqlx::query(
            "select d.file from decisions d join cases c on c.id = d.case_id and c.round = d.round \
             where d.municipality = $1 and ($2 = '' or c.service = $2) and d.decided_at >= $3 \
             and d.decided_at < $4 and ($5 = '' or $5 like '%|' || c.number || '|%') \
             order by d.decided_at desc, d.case_id desc limit $6",
        )
        .bind(municipality.as_str().to_owned())
        .bind(filter.service.as_ref().map_or_else(String::new, ToString::to_string))
        .bind(filter.since.map_or(i64::MIN, Timestamp::as_microsecond))
        .bind(filter.before.map_or(i64::MAX, Timestamp::as_microsecond))
        .bind(numbers.replace('\0', ""))
        .bind(i64::from(limit));
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        let mut decided = Vec::with_capacity(rows.len());
        for row in &rows {
            decided.push(self.with_what_was_decided_on(municipality, row.json("file")?).await?);
        }
        Ok(decided)
    }

    /// Cases of a service whose status is decided, without their drafts, the newest decision first. A completion request
    /// that was approved decides nothing.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn decided_cases(
        &self,
        municipality: &MunicipalityId,
        service: &ServiceId,
        limit: u32,
    ) -> Result<Vec<DecidedCase>> {
        let select = sqlx::query(
            "select c.*, d.file as decision from decisions d join cases c on c.id = d.case_id and c.round = d.round \
             where d.municipality = $1 and c.service = $2 and c.status = $3 \
             order by d.decided_at desc, d.case_id desc limit $4",
        )
        .bind(municipality.as_str().to_owned())
        .bind(service.as_str().to_owned())
        .bind(Status::Decided.as_str())
        .bind(i64::from(limit));
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok(DecidedCase { case: cases::case(row)?, decision: row.json("decision")? })).collect()
    }

    async fn with_what_was_decided_on(&self, municipality: &MunicipalityId, decision: Decision) -> Result<Decided> {
        let case = self.case(municipality, decision.case_id).await?.ok_or(Error::Missing { what: "case" })?;
        let mut drafts = self.drafts(municipality, case.id).await?;
        let missing = Error::Missing { what: "draft" };
        let at = drafts.iter().position(|draft| draft.id == decision.draft_id).ok_or(missing.clone())?;
        drafts.truncate(at + 1);
        let proposed = drafts.iter().rfind(|draft| draft.prepared_by == Preparer::Engine).cloned();
        let draft = drafts.pop().ok_or(missing)?;
        Ok(Decided { case, decision, proposed: proposed.unwrap_or_else(|| draft.clone()), draft })
    }

    /// Every decision of the case, oldest round first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn decisions(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Decision>> {
        of_case(&mut *self.reader().await?, municipality, case).await
    }
}

async fn of_case(connection: &mut AnyConnection, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Decision>> {
    let select = sqlx::query("select file from decisions where municipality = $1 and case_id = $2 order by round")
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string());
    select.fetch_all(connection).await?.iter().map(|row: &AnyRow| row.json("file")).collect()
}
