//! `publish` and `unpublish`: a person shows to everybody what a party sent, with the answer, and takes it away again
//! (*julkaiseminen*).
//!
//! Only while the party consents, and only in words that this person has seen: the machine proposes a text without what
//! identifies anybody, the person edits it, and what still identifies somebody is refused. When the consent is withdrawn
//! ([`super::consent`]), or the case is merged into another or withdrawn, nothing is shown from that moment on.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{
    Case, CaseId, DraftContent, EventKind, Handled, Person, Publication, PublicationId, Status, Submission, hex,
};
use crate::storage::Tx;
use crate::triage::publication::{Proposed, identifying, propose};

/// What everybody is to read.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPublication {
    /// What the party sent, as it will be shown, 1–4000 characters.
    pub text: Words,
    /// The approved answer, as it will be shown; null or left out: none.
    #[serde(default)]
    pub answer: Option<Words>,
}

/// It may hold what should not be told (promise 10).
impl std::fmt::Debug for NewPublication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPublication").finish_non_exhaustive()
    }
}

/// Whether a case may be published, what is shown of it, and what the machine would show.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Publishing {
    /// Whether the party consents now: without that nothing may be published.
    pub consents: bool,
    /// What everybody reads now; null: nothing.
    pub shown: Option<Publication>,
    /// What came in and the approved answer, without what identifies anybody as far as the machine finds it.
    pub proposed: Proposed,
}

impl Review {
    /// Whether a case may be published, and with what words.
    ///
    /// # Errors
    /// [`Refusal::NoPack`], [`Refusal::Storage`].
    pub async fn publishing(&self, case: &Case) -> Result<Publishing> {
        let consent = self.storage.consent(&case.municipality, case.id).await?;
        let shown = self.storage.publication(&case.municipality, case.id).await?;
        let submission = self.submission(case).await?;
        let approved = self.approved(case).await?;
        let desk = self.desk(&case.municipality)?;
        let proposed = propose(desk, &submission, &case.file, approved.as_ref());
        Ok(Publishing { consents: consent.is_some_and(|consent| consent.holds()), shown, proposed })
    }

    /// Shows a case to everybody, in place of what it showed before.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the party does not consent, when something that identifies somebody stands in the words,
    /// or when there is an answer that nobody approved; [`Refusal::Final`] when the case was merged or withdrawn;
    /// [`Refusal::OpenAlert`], [`Refusal::Disqualified`].
    pub async fn publish(&self, person: &Person, id: CaseId, new: NewPublication) -> Result<Publication> {
        let (mut tx, case) = self.open(person, id).await?;
        if matches!(case.status, Status::Merged | Status::Withdrawn) {
            return Err(Refusal::Final { status: case.status });
        }
        let state = self.publishing(&case).await?;
        if !state.consents {
            let flaw = Flaw::new("/text", "the party does not consent to publication", "publish nothing of it");
            return Err(Refusal::Invalid(vec![flaw.coded("consent")]));
        }
        if self.storage.has_open_alert(&case.municipality, id).await? {
            return Err(Refusal::OpenAlert);
        }
        if new.answer.is_some() && state.proposed.answer.is_none() {
            let flaw = Flaw::new("/answer", "no answer was approved", "leave it out, or approve one first");
            return Err(Refusal::Invalid(vec![flaw.coded("unapproved")]));
        }
        let submission = self.submission(&case).await?;
        let flaws = self.identifying(&case, &submission, &new)?;
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let replaced = tx.end_publication(&case.municipality, id).await?;
        let publication = Publication {
            id: PublicationId::new(self.ambient().id()),
            case_id: id,
            language: state.proposed.language,
            text: new.text.into(),
            answer: new.answer.map(Into::into),
            published: Handled { at: self.ambient().now(), by: person.clone() },
        };
        tx.insert_publication(&case.municipality, &publication).await?;
        let payload = json!({ "publication": publication.id, "hash": hash(&publication), "replaced": replaced });
        tx.append_event(&case.municipality, act(person, EventKind::Published, id, payload)).await?;
        tx.commit().await?;
        Ok(publication)
    }

    /// Takes away what everybody reads of a case.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when nothing of it is shown; [`Refusal::Disqualified`].
    pub async fn unpublish(&self, person: &Person, id: CaseId) -> Result<()> {
        let (mut tx, case) = self.open(person, id).await?;
        if !Self::take_away(&mut tx, person, &case, "person").await? {
            let flaw = Flaw::new("", "nothing of this case is shown", "read it again");
            return Err(Refusal::Invalid(vec![flaw.coded("nothing")]));
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends what a case shows, with its event; gives whether it showed anything.
    pub(super) async fn take_away(tx: &mut Tx, person: &Person, case: &Case, reason: &str) -> Result<bool> {
        let ended = tx.end_publication(&case.municipality, case.id).await?;
        if ended {
            let event = act(person, EventKind::Unpublished, case.id, json!({ "reason": reason }));
            tx.append_event(&case.municipality, event).await?;
        }
        Ok(ended)
    }

    /// What of the words identifies somebody, each kind at its field.
    fn identifying(&self, case: &Case, submission: &Submission, new: &NewPublication) -> Result<Vec<Flaw>> {
        let desk = self.desk(&case.municipality)?;
        let texts = [("/text", Some(&new.text)), ("/answer", new.answer.as_ref())];
        let texts = texts.into_iter().filter_map(|(pointer, words)| Some((pointer, words?)));
        let flaws = texts.flat_map(|(pointer, words)| {
            let found = identifying(desk, submission, &case.file, words.as_str());
            found.into_iter().map(move |word| {
                let what = format!("something that identifies a person stands in it: {word}");
                Flaw::new(pointer, what, "take it out").coded(word)
            })
        });
        Ok(flaws.collect())
    }

    /// What was approved last.
    async fn approved(&self, case: &Case) -> Result<Option<DraftContent>> {
        let Some(decision) = self.storage.decision(&case.municipality, case.id).await? else { return Ok(None) };
        let draft = self.storage.draft(&case.municipality, decision.draft_id).await?;
        Ok(draft.map(|draft| draft.content))
    }
}

/// By which the chain tells what was shown, without its words.
fn hash(publication: &Publication) -> String {
    let mut hasher = Sha256::new();
    hasher.update(publication.text.as_bytes());
    hasher.update([0]);
    hasher.update(publication.answer.as_deref().unwrap_or_default().as_bytes());
    format!("sha256:{}", hex(&hasher.finalize()))
}
