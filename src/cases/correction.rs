//! What people put right in a case, and how cases are put together and taken apart.
//!
//! Nothing that came in is changed by any of it: a corrected fact stands beside what the machine read, a corrected
//! arrival beside the submission as it came, a merged case keeps its file, and a part that was split off is words that
//! stand in the submission both came from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{CaseId, Channel, Fact, Party};

vocabulary! {
    /// Why a person corrects a fact (*korjauksen syy*).
    CorrectionReason {
        /// The machine read something else than what stands there.
        Misread = "misread",
        /// The party said so, by telephone for example.
        PartyTold = "party-told",
        /// A register that binds says otherwise.
        RegisterSays = "register-says",
        /// It was measured or seen on the spot.
        Measured = "measured",
        /// The number was right and the unit was not.
        WrongUnit = "wrong-unit",
        /// Something else, which the words tell.
        Other = "other",
    }
}

/// A person's word on one fact (*tiedon korjaus*), with the machine's own reading beside it. It stands through later
/// rounds until a person says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FactCorrection {
    /// The fact's name in the service definition.
    pub name: String,
    /// What the machine reads; none: nothing.
    pub read: Option<Fact>,
    /// What the person states; none: that nobody has stated it.
    pub stated: Option<Fact>,
    /// Why, by the vocabulary.
    pub code: CorrectionReason,
    /// Why, in the person's words.
    pub reason: String,
    /// Who, by token.
    pub actor: String,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
}

/// Another case, as people and programs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CaseRef {
    /// Its id.
    pub id: CaseId,
    /// The number people use.
    pub number: String,
}

/// That a case is handled together with another (*asioiden yhdistäminen*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Merger {
    /// The other case: for a merged one the case that goes on, for that one the case that was merged in.
    pub case: CaseRef,
    /// Whether one party sent both, so that what came in for one is material of the other.
    pub same_party: bool,
    /// Why, in the person's words.
    pub reason: String,
    /// Who, by token.
    pub actor: String,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
}

/// A matter that was split off a message into a case of its own (*asian eriyttäminen*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SplitMatter {
    /// The other case: for the message's first case the new one, for the new one the first.
    pub case: CaseRef,
    /// The words that went over, as they stand in the case's text.
    pub text: String,
    /// What the machine took the words for, where the pipeline split them off: the first case keeps them, too. What a
    /// person splits off is taken out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What a person put right of how a submission came and from whom (*rekisteröintitietojen korjaus*). What is none
/// stands as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Registration {
    /// When it was available to the authority (13/2003 10 §): from then on every clock counts.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub received_at: Option<Timestamp>,
    /// By which channel.
    pub channel: Option<Channel>,
    /// From whom, and the language in which they are answered; the whole of it.
    pub party: Option<Party>,
    /// Why, in the person's words.
    pub reason: String,
    /// Who, by token.
    pub actor: String,
    /// When it was put right.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
}
