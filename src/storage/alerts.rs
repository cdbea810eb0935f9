//! Alerts: emergency words that were found. They reach a person at once and stay open until a named
//! person acknowledges them; the words are kept so that one look tells why the alarm went.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::row::{Columns as _, to_json};
use super::{Result, Storage, Tx};
use crate::cases::{AlertId, CaseId, EmergencyHit, MunicipalityId, Person};

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The municipality.
    pub municipality: MunicipalityId,
    /// The case.
    pub case_id: CaseId,
    /// What was found, and where.
    pub hits: Vec<EmergencyHit>,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub raised_at: Timestamp,
    /// Who has seen it; none while it is open.
    pub acknowledged: Option<Acknowledgement>,
}

/// That a person has seen an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Acknowledgement {
    /// Who.
    pub person: Person,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
}

impl Tx {
    /// Raises an alert.
    ///
    /// # Errors
    /// [`super::Error::Database`] when its case is not stored.
    pub async fn raise_alert(&mut self, alert: &Alert) -> Result<()> {
        let insert = sqlx::query(
            "insert into alerts (id, municipality, case_id, raised_at, acknowledged_at, file) \
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(alert.id.to_string())
        .bind(alert.municipality.as_str().to_owned())
        .bind(alert.case_id.to_string())
        .bind(alert.raised_at.as_microsecond())
        .bind(alert.acknowledged.as_ref().map(|seen| seen.at.as_microsecond()))
        .bind(to_json("alert", alert)?);
        self.execute(insert).await.map(|_| ())
    }

    /// The alerts of one case, oldest first, as this transaction sees them.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn alerts_of_case(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Alert>> {
        of_case(self.connection(), municipality, case).await
    }

    /// Notes that `person` has seen the alert, and gives it as it stands now. Who saw it first stays.
    /// None when the person's municipality has no such alert.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn acknowledge_alert(&mut self, id: AlertId, person: &Person) -> Result<Option<Alert>> {
        // The update that changes nothing takes the row's lock, so that of two persons one is first.
        let lock = sqlx::query("update alerts set file = file where municipality = $1 and id = $2 returning file")
            .bind(person.municipality.as_str().to_owned())
            .bind(id.to_string());
        let Some(row) = self.fetch_optional(lock).await? else { return Ok(None) };
        let mut alert: Alert = row.json("file")?;
        if alert.acknowledged.is_none() {
            let at = self.storage.ambient.now();
            alert.acknowledged = Some(Acknowledgement { person: person.clone(), at });
            let update =
                sqlx::query("update alerts set acknowledged_at = $3, file = $4 where municipality = $1 and id = $2")
                    .bind(person.municipality.as_str().to_owned())
                    .bind(id.to_string())
                    .bind(at.as_microsecond())
                    .bind(to_json("alert", &alert)?);
            self.execute(update).await?;
        }
        Ok(Some(alert))
    }
}

impl Storage {
    /// The alerts of one case, oldest first.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn alerts_of_case(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Alert>> {
        of_case(&mut *self.reader().await?, municipality, case).await
    }

    /// The alerts of a municipality: open ones oldest first, then, unless `open_only`, the others newest first.
    /// At most 500; so none that is open stays hidden for ever: each that is seen makes room for the next.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn alerts(&self, municipality: &MunicipalityId, open_only: bool) -> Result<Vec<Alert>> {
        let select = sqlx::query(
            "select file from alerts where municipality = $1 and ($2 = 0 or acknowledged_at is null) \
             order by acknowledged_at is not null, \
             case when acknowledged_at is null then raised_at else -raised_at end, id limit 500",
        )
        .bind(municipality.as_str().to_owned())
        .bind(i64::from(open_only));
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(|row: &AnyRow| row.json("file")).collect()
    }

    /// Whether an alert of this case still waits for a person.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn has_open_alert(&self, municipality: &MunicipalityId, case: CaseId) -> Result<bool> {
        let select = sqlx::query(
            "select count(*) as alerts from alerts where municipality = $1 and case_id = $2 and acknowledged_at is null",
        )
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string());
        Ok(select.fetch_one(&mut *self.reader().await?).await?.int("alerts")? > 0)
    }

    /// How many alerts nobody has seen yet, in all municipalities: for metrics and health.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn open_alerts(&self) -> Result<i64> {
        let select = sqlx::query("select count(*) as alerts from alerts where acknowledged_at is null");
        select.fetch_one(&mut *self.reader().await?).await?.int("alerts")
    }
}

async fn of_case(connection: &mut AnyConnection, municipality: &MunicipalityId, case: CaseId) -> Result<Vec<Alert>> {
    let select = sqlx::query("select file from alerts where case_id = $2 and municipality = $1 order by raised_at, id")
        .bind(municipality.as_str().to_owned())
        .bind(case.to_string());
    select.fetch_all(connection).await?.iter().map(|row: &AnyRow| row.json("file")).collect()
}
