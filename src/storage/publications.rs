//! Publications: the texts that everybody may read. One is shown only while the party's consent holds, whatever its own
//! row says: both are asked in one statement.

use std::fmt;
use std::str::FromStr;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{CaseId, MunicipalityId, Publication, PublicationId};

/// A page is never longer than this.
const PAGE_LIMIT: u32 = 100;

/// Where the next page begins. Opaque to callers; it names no case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationCursor {
    published_at: i64,
    id: PublicationId,
}

impl fmt::Display for PublicationCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.published_at, self.id.uuid().simple())
    }
}

impl FromStr for PublicationCursor {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (published_at, id) = text.split_once('.')?;
            Some(Self { published_at: i64::from_str_radix(published_at, 16).ok()?, id: id.parse().ok()? })
        };
        parse().ok_or_else(|| Error::corrupt("cursor"))
    }
}

/// One page of what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationPage {
    /// The publications, the newest first.
    pub rows: Vec<Publication>,
    /// Where the next page begins; none on the last one.
    pub next: Option<PublicationCursor>,
}

impl Tx {
    /// Stores a publication. What the case showed before must have ended.
    ///
    /// # Errors
    /// [`Error::Database`] when the case shows one already or is not stored; [`Error::Unavailable`].
    pub async fn insert_publication(&mut self, municipality: &MunicipalityId, new: &Publication) -> Result<()> {
        let insert = sqlx::query(
            "insert into publications (id, municipality, case_id, published_at, file) values ($1, $2, $3, $4, $5)",
        )
        .bind(new.id.to_string())
        .bind(municipality.as_str().to_owned())
        .bind(new.case_id.to_string())
        .bind(new.published.at.as_microsecond())
        .bind(to_json("publication", new)?);
        self.execute(insert).await.map(|_| ())
    }

    /// Ends what the case shows; gives whether it showed anything.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_publication(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<bool> {
        let update = sqlx::query(
            "update publications set ended_at = $3 where municipality = $1 and case_id = $2 and ended_at is null",
        )
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string())
        .bind(self.storage.ambient.now().as_microsecond());
        Ok(self.execute(update).await? == 1)
    }
}

impl Storage {
    /// What a case shows to everybody now.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn publication(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Publication>> {
        let select = sqlx::query(
            "select p.file from publications p \
             join consents c on c.municipality = p.municipality and c.case_id = p.case_id and c.withdrawn_at is null \
             where p.municipality = $1 and p.case_id = $2 and p.ended_at is null",
        )
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| row.json("file")).transpose()
    }

    /// What a municipality shows to everybody now, the newest first. `limit` is cut to 100.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn publications(
        &self,
        municipality: &MunicipalityId,
        after: Option<&PublicationCursor>,
        limit: u32,
    ) -> Result<PublicationPage> {
        let limit = limit.clamp(1, PAGE_LIMIT);
        let select = sqlx::query(
            "select p.file from publications p \
             join consents c on c.municipality = p.municipality and c.case_id = p.case_id and c.withdrawn_at is null \
             where p.municipality = $1 and p.ended_at is null and ($4 = 1 or (p.published_at, p.id) < ($2, $3)) \
             order by p.published_at desc, p.id desc limit $5",
        )
        .bind(municipality.as_str().to_owned())
        .bind(after.map_or(i64::MAX, |after| after.published_at))
        .bind(after.map_or_else(String::new, |after| after.id.to_string()))
        .bind(i64::from(after.is_none()))
        // One more than asked for tells whether there is a next page.
        .bind(i64::from(limit) + 1);
        let found = select.fetch_all(&mut *self.reader().await?).await?;
        let more = found.len() > limit as usize;
        let rows = found.iter().take(limit as usize).map(|row| row.json("file"));
        let rows: Vec<Publication> = rows.collect::<Result<_>>()?;
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| PublicationCursor { published_at: last.published.at.as_microsecond(), id: last.id });
        Ok(PublicationPage { rows, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_strange_one_is_refused() {
        let id = PublicationId::new(uuid::Uuid::from_u128(7));
        let cursor = PublicationCursor { published_at: 1_790_000_000_000_000, id };
        assert_eq!(cursor.to_string().parse::<PublicationCursor>().unwrap(), cursor);
        for strange in ["", "1", ".", "x.2", "1.nobody"] {
            assert!(strange.parse::<PublicationCursor>().is_err(), "{strange}");
        }
    }
}
