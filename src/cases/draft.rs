//! Drafts (*luonnos*): a proposed decision or letter, in parts, with citations. Versions are immutable.
//!
//! The hash covers everything an approver sees. An approval carries that hash; if anything changed
//! since, it is refused (promise 7).

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::classification::vocabulary;
use super::{CaseId, Check, DeciderId, DocumentId, DraftId, Euro, Language, Outcome, RuleId, SectionId};

vocabulary! {
    /// The kind of decision or letter (*ratkaisun laji*).
    DraftKind {
        /// *myönteinen päätös*
        Grant = "grant",
        /// *osittain myönteinen päätös*
        Partial = "partial",
        /// *hylkäävä päätös*
        Rejection = "rejection",
        /// *tutkimatta jättäminen*
        Inadmissible = "inadmissible",
        /// *täydennyspyyntö*
        Completion = "completion",
        /// *siirto*
        Transfer = "transfer",
        /// *kuuleminen*
        Hearing = "hearing",
        /// *ilmoituksen kuittaus*
        Acknowledgement = "acknowledgement",
        /// *vastaus tietopyyntöön*
        DocumentAnswer = "document-answer",
        /// *takaisinperintä*
        Recovery = "recovery",
        /// *oikaisuvaatimuksen ratkaisu*
        ClaimDecision = "claim-decision",
        /// *korjaus*
        Correction = "correction",
        /// *raukeaminen*
        Withdrawal = "withdrawal",
    }
}

/// Whether a letter of a kind settles a matter, and so can be appealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settles {
    /// A decision (*päätös*): it carries instructions for appeal.
    Always,
    /// A decision where it refuses something, and otherwise an answer (621/1999 14 and 33 §).
    IfItRefuses,
    /// It prepares or informs and never carries any (kuntalaki 136 §).
    Never,
}

impl DraftKind {
    /// Whether a letter of this kind settles the matter; of a draft that is there, [`DraftContent::is_decision`] says it.
    #[must_use]
    pub const fn settles(self) -> Settles {
        match self {
            Self::Grant
            | Self::Partial
            | Self::Rejection
            | Self::Inadmissible
            | Self::Recovery
            | Self::ClaimDecision => Settles::Always,
            Self::DocumentAnswer => Settles::IfItRefuses,
            Self::Completion
            | Self::Transfer
            | Self::Hearing
            | Self::Acknowledgement
            | Self::Correction
            | Self::Withdrawal => Settles::Never,
        }
    }

    /// Whether rules lead to it and its words are worked out: a decision, an answer, or the correction of a decision.
    #[must_use]
    pub const fn rests_on_rules(self) -> bool {
        !matches!(self.settles(), Settles::Never) || matches!(self, Self::Correction)
    }

    /// Whether it grants what was applied for.
    #[must_use]
    pub const fn grants(self) -> bool {
        matches!(self, Self::Grant | Self::Partial)
    }

    /// Whether it carries the amount that the rules work out: what is granted, the fee, what is recovered.
    #[must_use]
    pub const fn has_amount(self) -> bool {
        match self {
            Self::Grant | Self::Partial | Self::DocumentAnswer | Self::Recovery => true,
            Self::Rejection
            | Self::Inadmissible
            | Self::Completion
            | Self::Transfer
            | Self::Hearing
            | Self::Acknowledgement
            | Self::ClaimDecision
            | Self::Correction
            | Self::Withdrawal => false,
        }
    }

    /// Whether it asks the party for something until a last day.
    #[must_use]
    pub const fn asks(self) -> bool {
        matches!(self, Self::Completion | Self::Hearing)
    }

    /// Whether what the rules say makes a letter of this kind refuse something of what was asked for.
    #[must_use]
    pub fn refuses(self, outcome: Option<Outcome>) -> bool {
        match self {
            Self::Partial | Self::Rejection | Self::Inadmissible => true,
            // What does not exist is not refused: there is nothing to give, and a decision is made on request only.
            Self::DocumentAnswer => matches!(outcome, Some(Outcome::Partial | Outcome::Rejected)),
            Self::ClaimDecision => outcome != Some(Outcome::Granted),
            Self::Grant
            | Self::Completion
            | Self::Transfer
            | Self::Hearing
            | Self::Acknowledgement
            | Self::Recovery
            | Self::Correction
            | Self::Withdrawal => false,
        }
    }

    /// The fixed text of its operative part: kinds whose words depend on what the rules say have one for each outcome.
    #[must_use]
    pub fn operative_text(self, outcome: Option<Outcome>) -> String {
        match (self, outcome) {
            // What is incomplete is drafted as if it were complete, and blocked.
            (Self::DocumentAnswer | Self::ClaimDecision | Self::Recovery, Some(outcome))
                if matches!(outcome, Outcome::Partial | Outcome::Rejected | Outcome::Inadmissible) =>
            {
                format!("operative-{self}-{outcome}")
            }
            _ => format!("operative-{self}"),
        }
    }
}

vocabulary! {
    /// Which instructions for appeal a letter carries (*muutoksenhakuohje*).
    AppealKind {
        /// Claim for revision, 14 days (kuntalaki 134, 138 §).
        A = "A",
        /// Municipal appeal to the administrative court, 30 days (kuntalaki 135, 138 §).
        B = "B",
        /// Appeal on a refused document to the administrative court, 30 days (621/1999 33 §).
        C = "C",
        /// No appeal, with the provision that bars it (kuntalaki 136 §).
        D = "D",
        /// No instructions at all.
        None = "none",
    }
}

vocabulary! {
    /// What a part of a draft is, in the order of a letter.
    PartKind {
        /// 112 and what to do now.
        Emergency = "emergency",
        /// Authority, unit, date, number, case, language.
        Heading = "heading",
        /// Whom it concerns.
        Party = "party",
        /// What was asked.
        Matter = "matter",
        /// What is decided or done, exactly (*päätösosa*).
        Operative = "operative",
        /// What to send (*täydennettävät asiat*).
        Questions = "questions",
        /// Until when, and what follows if it is missed.
        Deadline = "deadline",
        /// The facts and evidence.
        Facts = "facts",
        /// How the party was heard (*kuuleminen*).
        Hearing = "hearing",
        /// Why (*perustelut*).
        Reasons = "reasons",
        /// How the amount was worked out.
        Calculation = "calculation",
        /// Conditions, use, report, recovery.
        Conditions = "conditions",
        /// The provisions applied.
        Provisions = "provisions",
        /// Who decides and on what power.
        Decider = "decider",
        /// Where a person can be reached.
        Contact = "contact",
        /// Instructions for appeal.
        Appeal = "appeal",
        /// Who else is told; attachments.
        Notification = "notification",
        /// That a machine helped, in plain words.
        AiStatement = "ai-statement",
    }
}

impl PartKind {
    /// Whether code alone writes this part of a draft of `kind`: an edit may not change it. What a decision does,
    /// on what facts and power, how it can be appealed and where help is are not a matter of words.
    #[must_use]
    pub const fn is_worked_out(self, kind: DraftKind) -> bool {
        match self {
            Self::Operative => kind.rests_on_rules() || matches!(kind, DraftKind::Withdrawal),
            Self::Matter | Self::Reasons | Self::Conditions | Self::Contact | Self::Notification => false,
            _ => true,
        }
    }
}

/// One part of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its heading in the letter; none for the first lines.
    pub title: Option<String>,
    /// The words.
    pub text: String,
}

/// Words of a section in force, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Citation {
    /// Policy document or statute.
    pub document: DocumentId,
    /// The day from which the version is in force.
    #[schema(value_type = String, format = "date")]
    pub version: Date,
    /// The section.
    pub section: SectionId,
    /// The language whose text is quoted.
    pub language: Language,
    /// The words.
    pub quote: String,
}

/// One reason: a sentence, the facts it rests on, the provisions that carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reason {
    /// The sentence.
    pub text: String,
    /// Names of the facts it rests on.
    pub evidence: Vec<String>,
    /// The provisions.
    pub citations: Vec<Citation>,
    /// The rule it tells of, if one.
    pub rule: Option<RuleId>,
}

/// Who decides, and on what power (*toimivallan peruste*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeciderRef {
    /// The post or body.
    pub id: DeciderId,
    /// Its title in the language of the letter.
    pub title: String,
    /// The delegation row, for example `delegation/road-grant@2026-01-01`.
    pub authority: String,
}

/// Instructions for appeal: code picks the block and the addressee, never a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Appeal {
    /// Which block.
    pub kind: AppealKind,
    /// Body or court to which it goes; none without an appeal.
    pub addressee: Option<String>,
    /// Days from notice.
    pub days: Option<u32>,
}

/// Everything an approver sees. Immutable; a change makes a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DraftContent {
    /// Kind of decision or letter.
    pub kind: DraftKind,
    /// Language of the letter.
    pub language: Language,
    /// The parts, in the order of the letter.
    pub parts: Vec<Part>,
    /// The reasons; their words also stand in the part of that name.
    pub reasons: Vec<Reason>,
    /// The statutes applied.
    pub provisions: Vec<Citation>,
    /// What is granted, paid or recovered.
    pub amount: Option<Euro>,
    /// Who decides.
    pub decider: Option<DeciderRef>,
    /// Instructions for appeal.
    pub appeal: Appeal,
    /// Whether it refuses something of what was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refuses: bool,
    /// The last day to answer a completion request or to pay what is recovered, or the target day of a work order.
    #[schema(value_type = Option<String>, format = "date")]
    pub deadline: Option<Date>,
    /// For a transfer or redirect: the authority that it goes to.
    pub recipient: Option<String>,
    /// For a notice: the work order, in the words of the unit that does it.
    pub work_order: Option<String>,
    /// Texts of the pack that were used, `id@version`.
    pub blocks: Vec<String>,
    /// SHA-256 over what came in and what people said of it: a draft of other material is another draft, even
    /// when it reads the same.
    pub basis: String,
    /// The whole letter as text.
    pub letter: String,
}

impl DraftContent {
    /// Whether this settles the matter and so carries instructions for appeal.
    #[must_use]
    pub const fn is_decision(&self) -> bool {
        match self.kind.settles() {
            Settles::Always => true,
            Settles::IfItRefuses => self.refuses,
            Settles::Never => false,
        }
    }

    /// Whether only whoever has the power for it may approve it, with rules and reasons behind it: a decision, or the
    /// correction of one, which settles nothing anew and so carries no instructions for appeal (hallintolaki 51 and 53 §).
    #[must_use]
    pub const fn needs_power(&self) -> bool {
        self.is_decision() || matches!(self.kind, DraftKind::Correction)
    }

    /// The part of that kind.
    #[must_use]
    pub fn part(&self, kind: PartKind) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind)
    }

    /// The letter from its parts: a heading line, a blank line between parts.
    #[must_use]
    pub fn render_letter(parts: &[Part]) -> String {
        let mut letter = String::new();
        for part in parts {
            if !letter.is_empty() {
                letter.push('\n');
            }
            if let Some(title) = &part.title {
                letter.push_str(&title.to_uppercase());
                letter.push('\n');
            }
            letter.push_str(part.text.trim_end());
            letter.push('\n');
        }
        letter
    }

    /// SHA-256 over everything that is seen, as `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> DraftHash {
        // serde writes struct fields in their order and this type has no map, so the bytes are stable.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        DraftHash(format!("sha256:{}", hex(&Sha256::digest(&bytes))))
    }
}

/// Lower-case hexadecimal digits of some bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The hash an approval is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct DraftHash(pub String);

impl fmt::Display for DraftHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which engine proposed, with everything needed to do it again (check K28).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Engine {
    /// `offline`, later also `openai`.
    pub name: String,
    /// Version of this program.
    pub version: String,
    /// Hash of the trained classifier.
    pub classifier: Option<String>,
    /// Prompt id and version; none offline.
    pub prompt: Option<String>,
    /// Model as the server named it; none offline.
    pub model: Option<String>,
    /// Hash of the municipality's files.
    pub pack: String,
}

/// Who made this version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Preparer {
    /// The machine.
    Engine,
    /// A person, by the id of their token.
    Person {
        /// Who.
        actor: String,
    },
}

/// One stored version of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// The case.
    pub case_id: CaseId,
    /// 1, 2, 3 … within the case.
    pub version: u32,
    /// What is seen.
    pub content: DraftContent,
    /// Every check of it.
    pub checks: Vec<Check>,
    /// Which engine.
    pub engine: Engine,
    /// Who made this version.
    pub prepared_by: Preparer,
    /// Hash of the content.
    pub hash: DraftHash,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub created_at: Timestamp,
}

impl Draft {
    /// Whether no blocking check failed: only then may it be approved.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        !self.checks.iter().any(Check::blocks)
    }
}

/// The language of a letter (*asiointikieli*, kielilaki 10, 12, 19 §): the party's own, where the
/// municipality serves in it. A monolingual municipality decides in its own language, but anybody who
/// reports a fault is answered in theirs, in so far as there are words for it.
#[must_use]
pub fn letter_language(languages: &[Language], party: Language, kind: DraftKind) -> Language {
    let served = languages.contains(&party);
    let may_settle = !matches!(kind.settles(), Settles::Never);
    if served && !(may_settle && party == Language::En) {
        return party;
    }
    match kind {
        DraftKind::Acknowledgement => party,
        _ => languages.first().copied().unwrap_or(Language::Fi),
    }
}
