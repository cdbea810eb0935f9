//! Messages (*viesti*) between the party of a case and the office, and consents (*suostumus*) that a party gives.
//!
//! A message informs; it never decides, and nothing is worked out from it. What a party writes is a stranger's text.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{Actor, CaseId, Language, MessageId};

vocabulary! {
    /// Who wrote a message.
    Side {
        /// The party, or somebody with the party's link.
        Party = "party",
        /// The municipality.
        Office = "office",
    }
}

/// A message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The case.
    pub case_id: CaseId,
    /// Who wrote it.
    pub side: Side,
    /// By which token or link.
    pub by: Actor,
    /// The words, in normal form.
    pub text: String,
    /// The language of the page on which it was written.
    pub language: Language,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// The case that it became: the one it was written to had ended, and nothing that a party asks then may be lost.
    pub became: Option<CaseId>,
}

/// What it says may be personal: `{:?}` does not tell it (promise 10).
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("side", &self.side).finish_non_exhaustive()
    }
}

/// A party's consent to the publication of what they sent (*suostumus julkaisemiseen*). Where there is none, and where it
/// was withdrawn, nothing of theirs is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Consent {
    /// Since when it has been given, or was before it was withdrawn.
    #[schema(value_type = String, format = "date-time")]
    pub given_at: Timestamp,
    /// When it was withdrawn; null while it holds.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub withdrawn_at: Option<Timestamp>,
}

impl Consent {
    /// Whether it holds now.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.withdrawn_at.is_none()
    }
}
