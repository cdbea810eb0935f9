//! A case (*asia*): one matter with an id, a party, a status and a history.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::classification::vocabulary;
use super::{
    Assessment, CaseId, Classification, DeciderId, DraftHash, Engine, Euro, Evidence, FactCorrection, Facts, Flag,
    Language, Merger, MunicipalityId, Person, Registration, Route, ServiceId, SplitMatter, Status, Submission,
    SubmissionId, Urgency, hex,
};

/// One text of a case: the normalised reading of a field, message or attachment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SourceText {
    /// Where it stood: `text`, `subject`, `field:<name>`, `attachment:<name>#<page>`.
    pub source: String,
    /// The words, normalised (NFC, no control or direction characters).
    pub text: String,
}

impl SourceText {
    /// The text of a page of a file; a file without pages is one page.
    #[must_use]
    pub fn of_attachment(name: &str, page: u32, text: String) -> Self {
        Self { source: format!("attachment:{name}#{page}"), text }
    }

    /// The file and the page that this is the text of, if it is one's.
    #[must_use]
    pub fn attachment(&self) -> Option<(&str, u32)> {
        let (name, page) = self.source.strip_prefix("attachment:")?.rsplit_once('#')?;
        Some((name, page.parse().ok()?))
    }
}

vocabulary! {
    /// How far a file that came along could be read.
    FileReading {
        /// All of it.
        Read = "read",
        /// Some pages could not be read, or it is longer than what is read of one file.
        InPart = "in-part",
        /// It holds no words: a scan, for example. A person must look.
        Empty = "empty",
        /// It may hold words and none could be read: broken, encrypted, or of a kind that is not read. A person must look.
        Unreadable = "unreadable",
        /// A picture, a sound or a film.
        NotText = "not-text",
        /// The other files of the case took the room or the time. A person must look.
        LeftOut = "left-out",
    }
}

impl FileReading {
    /// Whether words may stand in it that no step has seen.
    #[must_use]
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::InPart | Self::Empty | Self::Unreadable | Self::LeftOut)
    }
}

/// How far one file could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReadFile {
    /// Name as it came.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How far.
    pub reading: FileReading,
    /// Its pages, as far as they were counted.
    pub pages: u32,
}

/// An emergency word that was found. Quoting it is how a person sees at once why the alarm went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EmergencyHit {
    /// Entry of the pack's lexicon, for example `live-wire`.
    pub kind: String,
    /// The words.
    pub words: String,
    /// Which text.
    pub source: String,
    /// Which card of the pack answers it: `emergency` (112) or `crisis`.
    pub card: String,
}

/// Words by which a text gives orders to a machine. A signal: nothing is ever obeyed, found or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderHit {
    /// Entry of the pack's lexicon, for example `override`.
    pub kind: String,
    /// The words, out of their disguise.
    pub words: String,
    /// Which text: as of the texts, or `sender`, `file-name`.
    pub source: String,
    /// How they were disguised, if they were: `base64` for example.
    pub disguise: Option<String>,
}

/// What reading gave: language and texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reading {
    /// The language in which the party is answered.
    pub language: Language,
    /// What the language was told from: `party`, `text`, `municipality`.
    pub language_from: String,
    /// The texts.
    pub texts: Vec<SourceText>,
    /// Emergency words.
    pub emergencies: Vec<EmergencyHit>,
    /// Orders to a machine.
    #[serde(default)]
    pub orders: Vec<OrderHit>,
    /// How far each file that came along could be read.
    #[serde(default)]
    pub files: Vec<ReadFile>,
}

impl Reading {
    /// All free texts of the message, joined by line ends: what the classifier reads.
    #[must_use]
    pub fn message(&self) -> String {
        self.texts
            .iter()
            .filter(|text| matches!(text.source.as_str(), "subject" | "text" | "field:description"))
            .map(|text| text.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// A date that something is due by, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Due {
    /// Last day, in Finland.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// What it is counted from.
    pub because: String,
}

/// A person's ruling on a rule that the policy leaves to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ruling {
    /// The rule.
    pub rule: super::RuleId,
    /// `met` or `not_met`.
    pub outcome: super::RuleOutcome,
    /// Why, in the person's words.
    pub reason: String,
    /// Who, by token.
    pub actor: String,
}

/// What the pipeline has worked out so far; each step adds its part. Stored as one JSON text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CaseFile {
    /// Which run through the pipeline this is; a job of an earlier one changes nothing.
    #[serde(default)]
    pub round: u32,
    /// What the party sent afterwards, in order of arrival.
    #[serde(default)]
    pub supplements: Vec<SubmissionId>,
    /// People who edited, asked, heard, ruled, reclassified, transferred, corrected, merged or split: none of them may approve
    /// (check K10).
    #[serde(default)]
    pub preparers: Vec<Person>,
    /// People who said that they are disqualified: none of them handles or decides it.
    #[serde(default)]
    pub disqualified: Vec<Disqualification>,
    /// From `read`.
    pub reading: Option<Reading>,
    /// From `classify`.
    pub classification: Option<Classification>,
    /// What else stands in the message, from `classify`: the pipeline makes a case of each.
    #[serde(default)]
    pub matters: Vec<super::OtherMatter>,
    /// From `classify`, completed by `assess` (the amount picks the decider).
    pub route: Option<Route>,
    /// From `gather`.
    pub facts: Facts,
    /// What a mandatory field or attachment leaves open, from `gather`.
    #[serde(default)]
    pub questions: Vec<super::Question>,
    /// From `assess`.
    pub assessment: Option<Assessment>,
    /// What a person should notice.
    pub flags: BTreeSet<Flag>,
    /// Urgency of a notice.
    pub urgency: Option<Urgency>,
    /// When a person must have acted.
    pub due: Option<Due>,
    /// People's rulings under discretion.
    #[serde(default)]
    pub rulings: Vec<Ruling>,
    /// A classification that a person set; the machine's is kept beside it.
    #[serde(default)]
    pub reclassified: Option<Reclassification>,
    /// What people said of facts, each fact once.
    #[serde(default)]
    pub corrections: Vec<FactCorrection>,
    /// What people put right of how it came and from whom, oldest first.
    #[serde(default)]
    pub registrations: Vec<Registration>,
    /// The case with which this one is handled together, if it was merged into one.
    #[serde(default)]
    pub merged_into: Option<Merger>,
    /// Cases that were merged into this one.
    #[serde(default)]
    pub merged: Vec<Merger>,
    /// The case that this one was split off, and the words that it is about.
    #[serde(default)]
    pub split_from: Option<SplitMatter>,
    /// Matters that were split off this case.
    #[serde(default)]
    pub split_off: Vec<SplitMatter>,
    /// What tells who people are and stands in nothing that the case reads any more, by name: of a party that was put
    /// right, of the form that another matter keeps. Texts may still hold it, and it is masked in them.
    #[serde(default)]
    pub withheld: BTreeMap<String, String>,
    /// Questions that a person added.
    #[serde(default)]
    pub asked: Vec<super::Question>,
    /// The authority that a person transfers to.
    #[serde(default)]
    pub transfer_to: Option<super::AuthorityId>,
    /// That an approver gave the draft back, until somebody saves another version.
    #[serde(default)]
    pub returned: Option<Returned>,
    /// Whether a completion request was already sent, and until when.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "date")]
    pub completion_until: Option<Date>,
    /// The decision that it is about, where it is a claim for revision.
    #[serde(default)]
    pub about: Option<Box<super::About>>,
    /// What other cases say of the party and its account, from `assess`.
    #[serde(default, skip_serializing_if = "super::Standing::is_clear")]
    pub standing: super::Standing,
    /// That it was withdrawn, and how far that is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<Withdrawal>,
    /// What a person wants the party to be heard on, until the letter is approved.
    #[serde(default)]
    pub hear: Option<Box<super::HearingOrder>>,
    /// How the party was heard, oldest first.
    #[serde(default)]
    pub hearings: Vec<super::Hearing>,
    /// What a person judged before they saw the machine's proposal, where the case was chosen for that.
    #[serde(default)]
    pub judgement: Option<super::Judgement>,
    /// Which engine proposed.
    pub engine: Option<Engine>,
    /// A few lines for the handler, from a language model; none offline.
    #[serde(default)]
    pub summary: Option<String>,
    /// What a language model proposed, and what became of it.
    #[serde(default)]
    pub proposals: Vec<super::ModelProposal>,
    /// Steps that the offline engine took over, with the reason.
    #[serde(default)]
    pub fallbacks: Vec<super::Fallback>,
    /// Passages that may bear on the case, best first.
    #[serde(default)]
    pub passages: Vec<super::PassageRef>,
}

/// That a case was withdrawn before it was decided (*raukeaminen*): it has ended, and the party is told so in writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Withdrawal {
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// Whether the party did it itself; else a person of the municipality noted it for the party.
    pub by_party: bool,
    /// Whether a person has approved the letter that confirms it; a notice is answered by none.
    pub confirmed: bool,
}

vocabulary! {
    /// Why somebody is disqualified (*esteellisyysperuste*, hallintolaki 28 § 1 momentti).
    Ground {
        /// They or somebody close to them is a party (*osallisuusjäävi*, 1 kohta).
        Party = "party",
        /// They or somebody close to them assists or represents a party (*edustusjäävi*, 2 kohta).
        Representative = "representative",
        /// They or somebody close to them gains or loses by it (*intressijäävi*, 3 kohta).
        Interest = "interest",
        /// They are employed or commissioned by a party (*palvelussuhdejäävi*, 4 kohta).
        Employment = "employment",
        /// They or somebody close to them leads a body that is a party (*yhteisöjäävi*, 5 kohta).
        Leadership = "leadership",
        /// They or somebody close to them steers the authority that it concerns (*ohjausjäävi*, 6 kohta).
        Steering = "steering",
        /// Trust in their impartiality is at risk for another special reason (*yleislausekejäävi*, 7 kohta).
        Other = "other",
    }
}

/// That somebody is disqualified in a case (*esteellisyys*, hallintolaki 27–30 §). It cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Disqualification {
    /// Who.
    pub person: Person,
    /// Why.
    pub ground: Ground,
    /// When they said so.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
}

/// That an approver gave a draft back to its handler, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Returned {
    /// The version that was given back.
    pub draft: DraftHash,
    /// Who, by token.
    pub actor: String,
    /// Why, in their words.
    pub reason: String,
}

impl CaseFile {
    /// Everything to ask the party, each thing once. A person's words come before the form's, and the form's,
    /// which knows why a value could not be read, before the rule's.
    #[must_use]
    pub fn open_questions(&self) -> Vec<&super::Question> {
        let assessed = self.assessment.iter().flat_map(|assessment| &assessment.questions);
        let mut all: Vec<&super::Question> = Vec::new();
        for question in self.asked.iter().chain(&self.questions).chain(assessed) {
            if !all.iter().any(|known| known.about == question.about) {
                all.push(question);
            }
        }
        all
    }

    /// The numbers of the cases that came out of the same message, the first one first.
    #[must_use]
    pub fn other_cases(&self) -> Vec<String> {
        self.split_from.iter().chain(&self.split_off).map(|part| part.case.number.clone()).collect()
    }

    /// Whether the person said, with any of their tokens, that they are disqualified.
    #[must_use]
    pub fn is_disqualified(&self, person: &Person) -> bool {
        self.disqualified.iter().any(|declared| declared.person.is_same_person(person))
    }

    /// Notes that a person prepared this case.
    pub fn note_preparer(&mut self, person: &Person) {
        if !self.preparers.iter().any(|known| known.is_same_person(person)) {
            self.preparers.push(person.clone());
        }
    }
}

/// A person's answer to "what kind of matter is this".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Reclassification {
    /// Kind of matter.
    pub matter: super::Matter,
    /// Service.
    pub service: Option<ServiceId>,
    /// Fault category.
    pub category: Option<String>,
    /// Who, by token.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// A case as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The number people use, for example `HRJ/2026/00017` (*asianumero*).
    pub number: String,
    /// The municipality.
    pub municipality: MunicipalityId,
    /// The submission it came from.
    pub submission_id: SubmissionId,
    /// Where it stands.
    pub status: Status,
    /// What the pipeline worked out.
    pub file: CaseFile,
    /// Arrival.
    #[schema(value_type = String, format = "date-time")]
    pub received_at: Timestamp,
    /// Grows by one with each change; guards against lost updates.
    pub revision: i64,
    /// Who has claimed it.
    pub claim: Option<Claim>,
}

impl Case {
    /// Whether it was withdrawn and the letter that confirms it still waits for whoever approves it.
    #[must_use]
    pub fn awaits_confirmation(&self) -> bool {
        self.status == Status::Withdrawn && self.file.withdrawal.as_ref().is_some_and(|one| !one.confirmed)
    }
}

/// A handler's lease on a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Claim {
    /// Who.
    pub person: Person,
    /// Until when.
    #[schema(value_type = String, format = "date-time")]
    pub until: Timestamp,
}

/// A decision (*päätös*) or another approved draft: the named person's act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Decision {
    /// The case.
    pub case_id: CaseId,
    /// The version that was approved.
    pub draft_id: super::DraftId,
    /// The hash of what was seen.
    pub draft_hash: DraftHash,
    /// What is granted.
    pub amount: Option<Euro>,
    /// Who decided.
    pub person: Person,
    /// The delegation row that gave the power.
    pub authority: String,
    /// The post that they decided for as its deputy (*sijainen*), if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy_for: Option<DeciderId>,
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub decided_at: Timestamp,
}

/// SHA-256 over the material of a draft: what came in, what other cases said, and what people asked, ruled and set.
/// Our own ids are left out, so that the same message gives the same draft.
#[must_use]
pub fn basis(submission: &Submission, file: &CaseFile) -> String {
    let files: Vec<&str> = submission.attachments.iter().map(|attachment| attachment.sha256.as_str()).collect();
    let said = |fact: &&super::Fact| matches!(fact.evidence, Evidence::Person { .. } | Evidence::Cases { .. });
    let mut stated: Vec<_> = file.facts.iter().filter(said).map(|fact| serde_json::json!(fact)).collect();
    let withdrawn = file.corrections.iter().filter(|correction| correction.stated.is_none());
    stated.extend(withdrawn.map(|correction| serde_json::json!(correction.name)));
    let mut material = serde_json::json!({
        "service": submission.service, "fields": submission.fields, "subject": submission.subject,
        "text": submission.text, "location": submission.location, "party": submission.party, "files": files,
        "sent_at": submission.sent_at, "received_at": submission.received_at, "supplements": file.supplements.len(),
        "stated": stated, "rulings": file.rulings, "reclassified": file.reclassified, "asked": file.asked,
        "transfer_to": file.transfer_to,
    });
    if let Some(withdrawal) = &file.withdrawal {
        material["withdrawn"] = serde_json::json!(withdrawal.at);
    }
    if let Some(about) = &file.about {
        material["about"] = serde_json::json!(about.case.number);
    }
    if let Some(order) = &file.hear {
        material["hear"] = serde_json::json!(order);
    }
    if !file.hearings.is_empty() {
        material["hearings"] = serde_json::json!(file.hearings);
    }
    hex(&Sha256::digest(material.to_string()))
}
