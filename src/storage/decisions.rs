//! Decisions: an approved draft and the named person who approved it. One round of a case has one
//! decision: of two approvals at once the database lets exactly one in, on both engines.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{CaseId, Decision, Euro, MunicipalityId};

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
