//! Links by which residents follow their cases: an unguessable secret, kept as its hash.

use super::row::Columns as _;
use super::{Result, Storage};
use crate::cases::{CaseId, MunicipalityId, TokenId};

/// A link to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseLink {
    /// The name by which the audit chain knows who acted with it.
    pub id: TokenId,
    /// The municipality.
    pub municipality: MunicipalityId,
    /// The case.
    pub case_id: CaseId,
}

impl Storage {
    /// Stores a link under the hash of its secret.
    ///
    /// # Errors
    /// [`super::Error::Database`] when its case is not stored; [`super::Error::Unavailable`].
    pub async fn insert_case_link(&self, hash: &str, link: &CaseLink) -> Result<()> {
        let insert = sqlx::query(
            "insert into case_links (link_hash, id, municipality, case_id, created_at) values ($1, $2, $3, $4, $5)",
        )
        .bind(hash.to_owned())
        .bind(link.id.to_string())
        .bind(link.municipality.as_str().to_owned())
        .bind(link.case_id.to_string())
        .bind(self.ambient.now().as_microsecond());
        insert.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// Where a link leads, by the hash of its secret.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn case_link(&self, hash: &str) -> Result<Option<CaseLink>> {
        let select =
            sqlx::query("select id, municipality, case_id from case_links where link_hash = $1").bind(hash.to_owned());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| {
            Ok(CaseLink {
                id: row.parse("id")?,
                municipality: row.parse("municipality")?,
                case_id: row.parse("case_id")?,
            })
        })
        .transpose()
    }
}
