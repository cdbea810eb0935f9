//! Publications (*julkaisu*): what a party sent, and the answer to it, as everybody may read them.
//!
//! A person wrote the text that is shown, or left what the machine proposed, and answers for it. It holds no name and no
//! way back to the case; it is shown while the party consents.

use serde::{Deserialize, Serialize};

use super::{CaseId, Handled, Language, PublicationId};

/// A text that everybody may read while the consent of its party holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Publication {
    /// Its id, which tells nothing of the case.
    pub id: PublicationId,
    /// The case: never shown to everybody.
    pub case_id: CaseId,
    /// The language in which the party wrote.
    pub language: Language,
    /// What the party sent, without what identifies anybody.
    pub text: String,
    /// The municipality's approved answer, without what identifies anybody.
    pub answer: Option<String>,
    /// When it was published, and by whom.
    pub published: Handled,
}

/// A person answers for its words, and a mistake may stand in them: `{:?}` does not tell them (promise 10).
impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication").field("id", &self.id).field("language", &self.language).finish_non_exhaustive()
    }
}
