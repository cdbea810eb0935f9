//! Alerts: that a named person has seen the words of danger (check K27).

use serde_json::json;

use super::{Refusal, Result, Review, act};
use crate::cases::{AlertId, EventKind, Person};
use crate::storage::Alert;

impl Review {
    /// Notes that the person has seen the alert. Who saw it first stays on the record.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn acknowledge(&self, person: &Person, id: AlertId) -> Result<Alert> {
        let mut tx = self.storage.begin().await?;
        let alert = tx.acknowledge_alert(id, person).await?.ok_or(Refusal::NotFound)?;
        let event = act(person, EventKind::AlertAcknowledged, alert.case_id, json!({ "alert": id }));
        tx.append_event(&person.municipality, event).await?;
        tx.commit().await?;
        Ok(alert)
    }
}
