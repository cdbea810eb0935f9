//! Consents of parties to publication: what is not here was not given.

use super::row::Columns as _;
use super::{Result, Storage, Tx};
use crate::cases::{CaseId, Consent, MunicipalityId};

impl Tx {
    /// Notes that the party of a case consents to publication, or does so no more. Gives whether that changed anything.
    ///
    /// # Errors
    /// [`super::Error::Database`] when the case is not stored; [`super::Error::Unavailable`].
    pub async fn set_consent(&mut self, municipality: &MunicipalityId, case: CaseId, given: bool) -> Result<bool> {
        let now = self.storage.ambient.now().as_microsecond();
        let change = if given {
            "insert into consents (municipality, case_id, given_at) values ($1, $2, $3) \
             on conflict (municipality, case_id) do update set given_at = excluded.given_at, withdrawn_at = null \
             where consents.withdrawn_at is not null"
        } else {
            "update consents set withdrawn_at = $3 where municipality = $1 and case_id = $2 and withdrawn_at is null"
        };
        let change = sqlx::query(change).bind(municipality.as_str().to_owned()).bind(case.to_string()).bind(now);
        Ok(self.execute(change).await? == 1)
    }
}

impl Storage {
    /// The consent of the party of a case; none when it was never given.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn consent(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<Consent>> {
        let select =
            sqlx::query("select given_at, withdrawn_at from consents where municipality = $1 and case_id = $2")
                .bind(municipality.as_str().to_owned())
                .bind(case.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| {
            let withdrawn_at = row.opt_int("withdrawn_at")?.map(jiff::Timestamp::from_microsecond).transpose();
            let withdrawn_at = withdrawn_at.map_err(|_| super::Error::corrupt("withdrawn_at"))?;
            Ok(Consent { given_at: row.time("given_at")?, withdrawn_at })
        })
        .transpose()
    }
}
