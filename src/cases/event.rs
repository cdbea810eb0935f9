//! Audit events: what happened, by whom, when. Storage chains them by hash, one chain a municipality.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{Actor, CaseId};

vocabulary! {
    /// What happened.
    EventKind {
        /// A submission was registered as a case.
        Registered = "registered",
        /// Emergency words were found and an alert was raised.
        AlertRaised = "alert-raised",
        /// A person acknowledged an alert.
        AlertAcknowledged = "alert-acknowledged",
        /// A step of the pipeline finished.
        StepDone = "step-done",
        /// A language model was asked: prompt, model, tokens, cost, how it ended; no content.
        ModelAsked = "model-asked",
        /// A tool was used for a language model: its name and how much it gave; no content.
        ToolUsed = "tool-used",
        /// The offline engine took a step over from a language model, with the reason.
        FellBack = "fell-back",
        /// A step failed and will be tried again.
        StepRetried = "step-retried",
        /// A step failed for good; a person must look.
        StepFailed = "step-failed",
        /// A version of a draft was made.
        Drafted = "drafted",
        /// A person took the case.
        Claimed = "claimed",
        /// A person gave it back.
        Released = "released",
        /// A person said that they are disqualified, with the ground.
        Disqualified = "disqualified",
        /// A person judged before they saw the proposal, and whether they agreed with it.
        Judged = "judged",
        /// A person saved a version.
        Edited = "edited",
        /// A person approved a draft.
        Approved = "approved",
        /// The decision of this case was corrected by another one.
        Corrected = "corrected",
        /// An approval was refused, with the reason.
        ApprovalRefused = "approval-refused",
        /// An approver returned it to its handler.
        Returned = "returned",
        /// A person asked the party for more.
        Asked = "asked",
        /// A person said which decision a claim is against.
        Linked = "linked",
        /// A person wants the party to be heard.
        HearingOrdered = "hearing-ordered",
        /// The party's time to answer is over, and a person goes on without an answer.
        Resumed = "resumed",
        /// A person sent it to another authority.
        Transferred = "transferred",
        /// A person changed what kind of matter it is.
        Reclassified = "reclassified",
        /// A person stated, corrected or withdrew facts.
        FactsCorrected = "facts-corrected",
        /// A person merged the case into another, or another into it.
        Merged = "merged",
        /// A person split a matter off the case.
        Split = "split",
        /// A person corrected how it came and from whom.
        MetadataCorrected = "metadata-corrected",
        /// The party sent more.
        Supplemented = "supplemented",
        /// The party withdrew it.
        Withdrawn = "withdrawn",
        /// The party or the office sent a message.
        MessageSent = "message-sent",
        /// The office has seen the party's messages.
        MessagesSeen = "messages-seen",
        /// The party consents to publication, or does so no more.
        ConsentChanged = "consent-changed",
        /// A person showed to everybody what the party sent.
        Published = "published",
        /// It is shown no more: a person took it away, or the party's consent ended.
        Unpublished = "unpublished",
        /// A person handed a key or tag over.
        KeyHandedOver = "key-handed-over",
        /// A key or tag came back.
        KeyReturned = "key-returned",
        /// A key or tag is lost.
        KeyLost = "key-lost",
        /// A person ran a round over the cases of a window.
        RoundRun = "round-run",
        /// A person read a case.
        Read = "read",
        /// The files that bind were read again: a new pack is active, or the one that was stays.
        PackRead = "pack-read",
        /// A token was made or revoked.
        TokenChanged = "token-changed",
    }
}

/// An event before it is chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: EventKind,
    /// Which case, if one.
    pub case_id: Option<CaseId>,
    /// Details without personal data: ids, hashes, versions, reason codes.
    pub payload: serde_json::Value,
}

/// An event as the chain keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Event {
    /// 1, 2, 3 … within the municipality.
    pub seq: i64,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: EventKind,
    /// Which case.
    pub case_id: Option<CaseId>,
    /// Details without personal data.
    #[schema(value_type = Object)]
    pub payload: serde_json::Value,
    /// Hash of the event before this one; 64 zeros for the first.
    pub previous: String,
    /// SHA-256 over this event and the hash before it, 64 hexadecimal digits.
    pub hash: String,
}
