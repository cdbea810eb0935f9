//! What kind of matter a case is, how urgent, and whose: the stable vocabulary of files, API and evals.

use serde::{Deserialize, Serialize};

use super::{AuthorityId, DeciderId, DepartmentId, ServiceId};

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every word of this vocabulary.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in files, API and evals.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The word that a text names, if it is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// What kind of matter this is (*asian laji*).
    Matter {
        /// *hakemus*
        Application = "application",
        /// *vikailmoitus*
        FaultNotice = "fault-notice",
        /// *palaute*
        Feedback = "feedback",
        /// *kysymys, neuvonta*
        Question = "question",
        /// *oikaisuvaatimus*
        ClaimForRevision = "claim-for-revision",
        /// *vahingonkorvausvaatimus*
        DamageClaim = "damage-claim",
        /// *tietopyyntö*
        DocumentRequest = "document-request",
        /// *rekisteröidyn pyyntö*
        DataSubjectRequest = "data-subject-request",
        /// *hallintokantelu*
        Complaint = "complaint",
        /// *kuntalaisaloite*
        Initiative = "initiative",
        /// *uhkaus*
        Threat = "threat",
        /// *itsetuhoisuus*
        SelfHarm = "self-harm",
        /// *roskaposti*
        Spam = "spam",
        /// *toisen viranomaisen asia*
        OtherAuthority = "other-authority",
    }
}

vocabulary! {
    /// How urgent a fault notice is (*kiireellisyys*).
    Urgency {
        /// Danger to life now: 112, never a queue.
        U0 = "U0",
        /// Serious danger or damage: 2 h, on call.
        U1 = "U1",
        /// Hazard or loss of service: 1 working day.
        U2 = "U2",
        /// Ordinary defect: 7 days.
        U3 = "U3",
        /// Planned work: next round, at most 60 days.
        U4 = "U4",
        /// Idea or opinion: answer in 14 days.
        U5 = "U5",
    }
}

vocabulary! {
    /// Whose matter it is (*kenen vastuulla*).
    Owner {
        /// *kunta*
        Municipality = "municipality",
        /// *päivystys*
        OnCall = "on-call",
        /// *maantien pitäjä*
        StateRoad = "state-road",
        /// *tiekunta*
        PrivateRoad = "private-road",
        /// *sähköverkkoyhtiö*
        Grid = "grid",
        /// *jäteyhtiö*
        WasteCompany = "waste-company",
        /// *vesihuoltolaitos*
        WaterUtility = "water-utility",
        /// *hyvinvointialue*
        WellbeingCounty = "wellbeing-county",
        /// *poliisi*
        Police = "police",
        /// *hätäkeskus*
        Emergency112 = "112",
        /// *kiinteistön omistaja*
        PlotOwner = "plot-owner",
        /// *taloyhtiö*
        HousingCompany = "housing-company",
        /// *seurakunta*
        Parish = "parish",
        /// *naapurikunta*
        NeighbourMunicipality = "neighbour-municipality",
        /// *teleyhtiö*
        Telecom = "telecom",
        /// *radanpitäjä*
        Rail = "rail",
        /// *muu*
        Other = "other",
    }
}

vocabulary! {
    /// What a person should notice about a case at once.
    Flag {
        /// Emergency words in some text.
        Emergency = "emergency",
        /// Text that tries to give orders to the machine.
        Injection = "injection",
        /// Personal data of somebody else.
        ThirdPartyPii = "third-party-pii",
        /// A demand for compensation.
        DamageClaim = "damage-claim",
        /// More than one matter in one message.
        MultipleMatters = "multiple-matters",
        /// No place was given and the matter needs one.
        NeedsLocation = "needs-location",
        /// Coarse language.
        Profanity = "profanity",
        /// Neither Finnish, Swedish nor English.
        OtherLanguage = "other-language",
        /// Words of wanting to die.
        SelfHarm = "self-harm",
        /// A threat against a person.
        Threat = "threat",
        /// Arrived after its window closed.
        Late = "late",
        /// A check digit of an identifier does not match.
        InvalidIdentifier = "invalid-identifier",
        /// The classifier did not know.
        Abstained = "abstained",
        /// Direction-changing or invisible characters were found.
        HiddenCharacters = "hidden-characters",
        /// A file that came along could not be read, or not all of it: a person must open it.
        UnreadAttachment = "unread-attachment",
    }
}

/// One word or pattern that weighed in a classification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WeighedFeature {
    /// The words as they stood in the text.
    pub text: String,
    /// How much it spoke for the label; larger is more.
    pub weight: f64,
}

/// What the engine believes a text to be. A proposal with reasons, never an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Classification {
    /// The winning label: a service, a matter or a fault category.
    pub label: String,
    /// Kind of matter.
    pub matter: Matter,
    /// The service, when one handles this matter.
    pub service: Option<ServiceId>,
    /// Fault category of the service (`LI1` … `OT1`).
    pub category: Option<String>,
    /// Calibrated probability of the label, 0–1.
    pub confidence: f64,
    /// Threshold below which the engine abstains, as it stood.
    pub threshold: f64,
    /// Whether the engine abstained: a person classifies.
    pub abstained: bool,
    /// Why, in words a handler understands.
    pub reasons: Vec<String>,
    /// The features that weighed most.
    #[serde(default)]
    pub features: Vec<WeighedFeature>,
}

/// Another matter in the same message (*toinen asia samassa viestissä*), as the machine found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OtherMatter {
    /// Its label: a matter or a fault category.
    pub label: String,
    /// Where its words stand.
    pub source: String,
    /// Its words, as they stand there.
    pub text: String,
}

/// Whose case it is and who may decide it, with the reason. Computed by code from files that people wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Route {
    /// Whose matter.
    pub owner: Owner,
    /// The competent authority: `municipality`, or an entry of the dated directory.
    pub authority: AuthorityId,
    /// Department of the municipality that prepares it.
    pub department: Option<DepartmentId>,
    /// The post or body with the power to decide.
    pub decider: Option<DeciderId>,
    /// The file row that says so, for example `delegation/road-grant@2026-01-01`.
    pub because: String,
    /// The words, facts or map rows that this rests on.
    #[serde(default)]
    pub evidence: Vec<String>,
}
