//! Alerts: that a named person has seen the words of danger (check K27).

use serde_json::json;

use super::{Refusal, Result, Review, act};
use crate::cases::{Actor, AlertId, Case, EmergencyHit, EventKind, NewEvent, Person};
use crate::storage::{Alert, Tx};

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
    /// Raises an alert on a case, in the transaction of what brought the words; `component` says what found them.
    pub(super) async fn alarm(&self, tx: &mut Tx, case: &Case, hits: Vec<EmergencyHit>, component: &str) -> Result<()> {
        let id = AlertId::new(self.ambient().id());
        // Kinds only; the words may be about a person and stay in the alert.
        let kinds: Vec<&str> = hits.iter().map(|hit| hit.kind.as_str()).collect();
        let event = NewEvent {
            actor: Actor::system(component),
            kind: EventKind::AlertRaised,
            case_id: Some(case.id),
            payload: json!({ "alert": id, "kinds": kinds }),
        };
        let (municipality, raised_at) = (case.municipality.clone(), self.ambient().now());
        tx.raise_alert(&Alert { id, municipality, case_id: case.id, hits, raised_at, acknowledged: None }).await?;
        tx.append_event(&case.municipality, event).await?;
        Ok(())
    }
}

/// The cards that must be shown for these words.
pub(super) fn cards(hits: &[EmergencyHit]) -> Vec<String> {
    let mut cards: Vec<String> = hits.iter().map(|hit| hit.card.clone()).collect();
    cards.sort();
    cards.dedup();
    cards
}
