//! Drafts: every version is kept and none is ever changed.
//!
//! A draft belongs to the *round* of its case that is stored when it is made; a case that is sent through
//! the pipeline again begins a new one. One round is decided at most once (see `decisions.rs`).

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{CaseId, Draft, DraftId, MunicipalityId};

impl Tx {
    /// Stores a version, and which sections it cites in the place of those that the version before cited.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the hash is not the content's; [`Error::Missing`] without its case;
    /// [`Error::Conflict`] when the case already has that version.
    pub async fn insert_draft(&mut self, draft: &Draft) -> Result<()> {
        if draft.hash != draft.content.hash() {
            return Err(Error::corrupt("draft.hash"));
        }
        let insert = sqlx::query(
            "insert into drafts (id, municipality, case_id, version, round, hash, created_at, file) \
             select $1, c.municipality, c.id, $3, c.round, $4, $5, $6 from cases c where c.id = $2 on conflict (case_id, version) do nothing",
        )
        .bind(draft.id.to_string())
        .bind(draft.case_id.to_string())
        .bind(i64::from(draft.version))
        .bind(draft.hash.0.clone())
        .bind(draft.created_at.as_microsecond())
        .bind(to_json("draft", draft)?);
        if self.execute(insert).await? == 1 {
            return self.note_cited(draft).await;
        }
        let select = sqlx::query("select max(version) as version from drafts where case_id = $1")
            .bind(draft.case_id.to_string());
        let row = self.fetch_optional(select).await?;
        match row.map(|row| row.opt_int("version")).transpose()?.flatten() {
            Some(found) => Err(Error::Conflict { what: "draft", expected: i64::from(draft.version), found }),
            None => Err(Error::Missing { what: "case" }),
        }
    }

    /// The newest version, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn latest_draft(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Draft>> {
        latest(self.connection(), municipality, case).await
    }
}

impl Storage {
    /// One version.
    ///
    /// # Errors
    /// [`Error::Corrupt`] also when its content no longer has its hash; [`Error::Unavailable`].
    pub async fn draft(&self, municipality: &MunicipalityId, id: DraftId) -> Result<Option<Draft>> {
        let select = sqlx::query("select hash, file from drafts where municipality = $1 and id = $2")
            .bind(municipality.as_str().to_owned())
            .bind(id.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| draft(&row)).transpose()
    }

    /// Every version of a case, oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn drafts(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Draft>> {
        let select =
            sqlx::query("select hash, file from drafts where municipality = $1 and case_id = $2 order by version")
                .bind(municipality.as_str().to_owned())
                .bind(case.to_string());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(draft).collect()
    }

    /// The newest version of a case.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn latest_draft(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Draft>> {
        latest(&mut *self.reader().await?, municipality, case).await
    }
}

async fn latest(connection: &mut AnyConnection, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Draft>> {
    let select = sqlx::query(
        "select hash, file from drafts where municipality = $1 and case_id = $2 order by version desc limit 1",
    )
    .bind(municipality.as_str().to_owned())
    .bind(case.to_string());
    select.fetch_optional(connection).await?.map(|row| draft(&row)).transpose()
}

fn draft(row: &AnyRow) -> Result<Draft> {
    let draft: Draft = row.json("file")?;
    // An approval is bound to this hash: what is shown must be what was hashed.
    if draft.hash.0 != row.text("hash")? || draft.content.hash() != draft.hash {
        return Err(Error::corrupt("drafts.hash"));
    }
    Ok(draft)
}
