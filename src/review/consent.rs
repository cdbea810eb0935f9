//! `consent`: the party allows that what they sent is published, or allows it no more (*suostumus*, tietosuoja-asetus 7
//! artikla). It holds from that moment; to withdraw is as easy as to give, also after the case has ended, and takes away at
//! once what was published.

use serde_json::json;

use super::{Result, Review, act};
use crate::cases::{CaseId, EventKind, Person};

impl Review {
    /// Notes the party's consent to publication, or that it is withdrawn. The same twice is once.
    ///
    /// # Errors
    /// [`super::Refusal::NotFound`]; [`super::Refusal::Invalid`] when the service of the case publishes nothing.
    pub async fn consent(&self, person: &Person, id: CaseId, given: bool) -> Result<()> {
        let (mut tx, case) = self.open(person, id).await?;
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let sent = tx.submission(&case.municipality, case.submission_id).await?;
        let class = case.file.classification.as_ref().and_then(|class| class.service.as_ref());
        let service = class.or_else(|| sent.as_ref().and_then(|sent| sent.service.as_ref()));
        let asks = service.and_then(|id| pack.service(id)).is_some_and(|file| file.publication_consent.is_some());
        if given && !asks {
            let instead = "a service with `publication_consent` asks for it";
            return Err(super::Refusal::invalid("/given", "nothing of this case is published", instead));
        }
        if tx.set_consent(&case.municipality, id, given).await? {
            let event = act(person, EventKind::ConsentChanged, id, json!({ "publication": given }));
            tx.append_event(&case.municipality, event).await?;
        }
        if !given {
            Self::take_away(&mut tx, person, &case, "consent-withdrawn").await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
