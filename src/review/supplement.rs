//! `supplement`: the party sends more (*täydennys*). It is kept like any submission, byte for byte, and the
//! case goes through the pipeline again with everything that is known. Words of danger in it raise an alert
//! at once, like in a first message (promise 11).

use serde_json::json;

use super::{Refusal, Result, Review, act, alerts, refuse_final};
use crate::cases::{Act, Case, CaseFile, CaseId, EmergencyHit, EventKind, Person};
use crate::intake::Incoming;
use crate::intake::extract::{self, Attached};
use crate::storage::Receipt;
use crate::triage::{Step, read};

/// What became of a supplement.
#[derive(Debug, Clone, PartialEq)]
pub struct Supplemented {
    /// The case.
    pub case: Case,
    /// Cards that must be shown to the sender now: `emergency` or `crisis`.
    pub cards: Vec<String>,
    /// Whether it was known already; nothing was written.
    pub already: bool,
}

impl Review {
    /// Adds to a case.
    ///
    /// # Errors
    /// [`Refusal::Final`] when the case has ended; [`Refusal::Invalid`] when the sender's id was used before
    /// for something else.
    pub async fn supplement(&self, person: &Person, id: CaseId, more: Incoming) -> Result<Supplemented> {
        // Reading takes its time with a long text; the one writer of the database is not held for it.
        let hits = self.dangers(person, &more);
        let (mut tx, mut case) = self.open_to_anybody(person, id).await?;
        let hits = hits?;
        let cards = alerts::cards(&hits);
        refuse_final(&case)?;
        let submission = more.submission;
        match tx.insert_submission(&submission, &more.sender, &more.raw, &more.files).await? {
            Receipt::New => {}
            Receipt::Again(_) => return Ok(Supplemented { case, cards, already: true }),
            Receipt::Differs(_) => {
                return Err(Refusal::invalid("/id", "this id was used before for something else", "send another id"));
            }
        }
        if !hits.is_empty() {
            self.alarm(&mut tx, &case, hits, "review/supplement").await?;
        }
        case.file.supplements.push(submission.id);
        case.file.asked.clear();
        // Whatever the party sends while it is heard is its answer.
        let now = self.ambient().now();
        case.file.hearings.iter_mut().for_each(|hearing| {
            hearing.answered.get_or_insert(now);
        });
        let payload = json!({ "submission": submission.id, "asked_until": case.file.completion_until });
        Self::reenter(&mut tx, &mut case, Act::Supplement, Step::Read).await?;
        let case = Self::finish(tx, case, act(person, EventKind::Supplemented, id, payload)).await?;
        Ok(Supplemented { case, cards, already: false })
    }

    fn dangers(&self, person: &Person, more: &Incoming) -> Result<Vec<EmergencyHit>> {
        // The very reading that the pipeline's first step does, so that both find the same; files that are no plain
        // text it reads in a process of their own, and raises what only they say.
        let mut file = CaseFile::default();
        let plain = Attached::kept(extract::plain(&more.files), Vec::new());
        read::run(self.desk(&person.municipality)?, &more.submission, Some(&plain), &mut file);
        Ok(file.reading.map(|reading| reading.emergencies).unwrap_or_default())
    }
}
