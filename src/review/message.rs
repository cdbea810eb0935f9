//! `message`: the party and the office write to each other about a case.
//!
//! A message changes no draft, no fact and no status, so that nothing can be decided by one. What a party writes about a
//! case that has ended is registered as a case of its own: a claim for revision (*oikaisuvaatimus*, kuntalaki 134 §) has
//! a deadline and a decider, and must not lie among messages that nobody waits for. Words of danger alarm at once.

use serde_json::json;

use super::words::{LONGEST, fault};
use super::{Refusal, Result, Review, act, alerts};
use crate::cases::{
    Case, CaseId, Channel, EventKind, Language, Message, MessageId, Person, Role, Side, SourceText, Submission,
    SubmissionId,
};
use crate::intake::Incoming;
use crate::intake::register::{RegisterError, register_in};
use crate::intake::words;
use crate::storage::Tx;
use crate::text::normalize;

/// A message to be sent.
#[derive(Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// The words, 1–4000 characters. Invisible and direction-changing characters are taken out.
    #[schema(min_length = 1, max_length = 4000)]
    pub text: String,
    /// The language of the page on which it was written.
    pub language: Language,
}

/// What it says may be personal (promise 10).
impl std::fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMessage").field("language", &self.language).finish_non_exhaustive()
    }
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Messaged {
    /// The message.
    pub message: Message,
    /// Cards that must be shown to the sender now: `emergency` or `crisis`.
    pub cards: Vec<String>,
    /// Whether the very same words were the last ones before; nothing was written again.
    pub already: bool,
}

impl Review {
    /// Sends a message on a case: the party's through its channel, the office's from everybody else.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when there are no words or too many; [`Refusal::NotFound`].
    pub async fn message(&self, person: &Person, id: CaseId, new: NewMessage) -> Result<Messaged> {
        let text = readable(&new.text)?;
        let side = if person.role == Role::ResidentChannel { Side::Party } else { Side::Office };
        let hits = match side {
            Side::Party => {
                let texts = [SourceText { source: "message".to_owned(), text: text.clone() }];
                words::emergencies(&self.desk(&person.municipality)?.lexicon, &texts)
            }
            Side::Office => Vec::new(),
        };
        let cards = alerts::cards(&hits);
        let (mut tx, case) = self.open(person, id).await?;
        let last = tx.messages(&case.municipality, id).await?.pop();
        if let Some(message) = last.filter(|last| last.case_id == id && last.side == side && last.text == text) {
            tx.rollback().await;
            return Ok(Messaged { message, cards, already: true });
        }
        let became = match side {
            Side::Party if case.status.is_final() => Some(self.register(&mut tx, &case, person, &text).await?),
            _ => {
                if !hits.is_empty() {
                    self.alarm(&mut tx, &case, hits, "review/message").await?;
                }
                None
            }
        };
        let (by, language, at) = (person.into(), new.language, self.ambient().now());
        let message =
            Message { id: MessageId::new(self.ambient().id()), case_id: id, side, by, text, language, at, became };
        tx.insert_message(&case.municipality, &message).await?;
        let payload = json!({ "message": message.id, "side": side, "became": became });
        tx.append_event(&case.municipality, act(person, EventKind::MessageSent, id, payload)).await?;
        tx.commit().await?;
        Ok(Messaged { message, cards, already: false })
    }

    /// Notes that the office has seen the party's messages of a case, where they need no answer.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub async fn see_messages(&self, person: &Person, id: CaseId) -> Result<Case> {
        let (mut tx, case) = self.open(person, id).await?;
        if tx.messages_seen(&case.municipality, id).await? == 0 {
            tx.rollback().await;
            return Ok(case);
        }
        tx.append_event(&case.municipality, act(person, EventKind::MessagesSeen, id, json!({}))).await?;
        tx.commit().await?;
        Ok(case)
    }

    /// Registers what a party writes about an ended case as a case, with its number and how the party is reached.
    async fn register(&self, tx: &mut Tx, case: &Case, person: &Person, text: &str) -> Result<CaseId> {
        let desk = self.desk(&case.municipality)?;
        let first = tx.submission(&case.municipality, case.submission_id).await?;
        let submission = Submission {
            id: SubmissionId::new(self.ambient().id()),
            external_id: None,
            municipality: case.municipality.clone(),
            channel: Channel::Api,
            service: None,
            fields: std::collections::BTreeMap::new(),
            subject: Some(case.number.clone()),
            text: Some(text.to_owned()),
            location: None,
            attachments: Vec::new(),
            party: first.and_then(|first| first.party),
            sent_at: None,
            received_at: self.ambient().now(),
        };
        let raw = json!({ "case": case.number, "text": text }).to_string().into_bytes();
        let sender = format!("link:{}", person.token);
        let incoming = Incoming {
            submission,
            sender,
            raw,
            files: Vec::new(),
            notes: Vec::new(),
            registrar: None,
            earlier: Vec::new(),
        };
        match register_in(tx, &desk.rulebook, &desk.lexicon, incoming).await {
            Ok(receipt) => Ok(receipt.case_id),
            Err(RegisterError::Storage(error)) => Err(error.into()),
            Err(RegisterError::Refused(error)) => Err(Refusal::invalid("/text", error.what, error.instead)),
        }
    }
}

/// A text as it is kept, or what is wrong with it.
fn readable(text: &str) -> Result<String> {
    let text = normalize(text).text.trim().to_owned();
    let what = if text.is_empty() { Some("is empty") } else { fault(&text, LONGEST) };
    match what {
        None => Ok(text),
        Some(what) => Err(Refusal::invalid("/text", format!("the text {what}"), "write 1–4000 characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_without_what_nobody_sees() {
        assert_eq!(readable(" Hei\u{202e}\u{200b}!\r\n ").unwrap(), "Hei!");
        for bad in ["", " \u{200b}\n", &"x".repeat(LONGEST + 1)] {
            assert!(readable(bad).is_err());
        }
    }
}
