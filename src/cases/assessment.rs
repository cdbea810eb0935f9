//! The assessment (*arvio*): every rule of a case, evaluated, with its trace, the outcome and the amount.
//!
//! The trace is complete: from it alone a reader can tell which words of which version decided, on
//! which facts, and what is still unknown. Unknown is never unmet: it becomes a [`Question`].

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{DocumentId, DraftKind, Euro, Fact, Localized, RuleId, SectionId, Value};

vocabulary! {
    /// How one rule came out.
    RuleOutcome {
        /// The condition of the policy is met.
        Met = "met",
        /// It is not met, and the facts show it.
        NotMet = "not_met",
        /// A fact is missing: ask.
        Unknown = "unknown",
        /// The policy leaves it to a person.
        Discretion = "discretion",
    }
}

vocabulary! {
    /// What follows when a rule is not met.
    Effect {
        /// The application is rejected (*hylätään*).
        Rejection = "rejection",
        /// The application is not examined (*jätetään tutkimatta*).
        Inadmissible = "inadmissible",
        /// A part of what was asked is refused (*osittainen hyväksyntä*).
        Partial = "partial",
    }
}

vocabulary! {
    /// What the rules say of the whole case. Before a person's act nothing is decided.
    Outcome {
        /// All that was asked.
        Granted = "granted",
        /// A part of it.
        Partial = "partial",
        /// Nothing.
        Rejected = "rejected",
        /// Not examined.
        Inadmissible = "inadmissible",
        /// Something is unknown: ask first.
        Incomplete = "incomplete",
        /// A rule leaves it to a person, who has not ruled yet.
        Discretion = "discretion",
        /// It waits for a round over all cases of its window (*hakukierros*), and for nothing else.
        Pending = "pending",
    }
}

/// A section of a dated version, written `private-road-grant@2026-01-01#s3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SectionRef {
    /// The document.
    pub document: DocumentId,
    /// The day from which the version is in force.
    pub version: Date,
    /// The section.
    pub section: SectionId,
}

impl fmt::Display for SectionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}#{}", self.document, self.version, self.section)
    }
}

impl utoipa::PartialSchema for SectionRef {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .examples(["private-road-grant@2026-01-01#s3"])
            .into()
    }
}

impl utoipa::ToSchema for SectionRef {}

impl TryFrom<String> for SectionRef {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        let refused = || format!("`{s}` is no section: write document@YYYY-MM-DD#section");
        let (document, rest) = s.split_once('@').ok_or_else(refused)?;
        let (version, section) = rest.split_once('#').ok_or_else(refused)?;
        Ok(Self {
            document: document.parse().map_err(|_| refused())?,
            version: version.parse().map_err(|_| refused())?,
            section: section.parse().map_err(|_| refused())?,
        })
    }
}

impl From<SectionRef> for String {
    fn from(section: SectionRef) -> String {
        section.to_string()
    }
}

/// Something to ask the applicant (*täydennyspyynnön kohta*).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Question {
    /// Name of the field or attachment that would answer it.
    pub about: String,
    /// The question, in words for the applicant.
    pub text: Localized,
    /// The rule that needs the answer; none for a mandatory field.
    pub rule: Option<RuleId>,
    /// The section that asks for it, when a rule does.
    pub section: Option<SectionRef>,
}

/// A parameter as a rule used it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ParameterUse {
    /// The value.
    #[serde(flatten)]
    pub value: Value,
    /// Its unit.
    pub unit: Option<String>,
}

/// How one rule came out, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RuleTrace {
    /// The rule.
    pub rule: RuleId,
    /// How it came out.
    pub outcome: RuleOutcome,
    /// What follows if it is not met.
    pub effect: Effect,
    /// The section it stands under, with the version.
    pub section: SectionRef,
    /// The condition as written in the document.
    pub condition: String,
    /// The facts it read, with their evidence; a missing one is absent here and named in `missing`.
    pub inputs: BTreeMap<String, Fact>,
    /// The parameters it read, from the same version.
    pub parameters: BTreeMap<String, ParameterUse>,
    /// The calculation steps it read.
    pub steps: BTreeMap<String, Value>,
    /// Facts it needed and nobody stated.
    pub missing: Vec<String>,
    /// The reason in words, with the values filled in.
    pub reason: Localized,
    /// The words of the section that carry it, byte for byte, by language.
    pub quote: Localized,
    /// A person's ruling, where the rule left it to one.
    pub ruled_by: Option<String>,
    /// Whether the party is heard before it is refused on what others said.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hear_first: bool,
}

/// One step of the calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CalculationStep {
    /// Name, for later steps and rules.
    pub name: String,
    /// What it is, in words.
    pub label: Localized,
    /// The expression as written in the document.
    pub expression: String,
    /// The value; none while a fact is missing.
    pub value: Option<Value>,
    /// Unit of a number.
    pub unit: Option<String>,
    /// Whether the letter leaves it out of its table.
    #[serde(default)]
    pub hidden: bool,
    /// The section it stands under.
    pub section: SectionRef,
    /// Names of the facts it rests on, also through earlier steps.
    pub inputs: Vec<String>,
}

/// All rules of a case, evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Assessment {
    /// The policy document.
    pub document: DocumentId,
    /// The version, by the day from which it is in force.
    #[schema(value_type = String, format = "date")]
    pub version: Date,
    /// The day that picked the version.
    #[schema(value_type = String, format = "date")]
    pub governing_date: Date,
    /// What the rules say.
    pub outcome: Outcome,
    /// What is granted; none unless the outcome is a grant.
    pub amount: Option<Euro>,
    /// Every rule, in the order of the document.
    pub rules: Vec<RuleTrace>,
    /// Every step of the calculation.
    pub calculation: Vec<CalculationStep>,
    /// What must be asked, each thing once.
    pub questions: Vec<Question>,
}

impl Assessment {
    /// The facts that a rule rests on: those it read, and those that the calculation steps it read rest on.
    #[must_use]
    pub fn behind(&self, rule: &RuleTrace) -> Vec<String> {
        let mut names: Vec<String> = rule.inputs.keys().cloned().collect();
        for step in rule.steps.keys().filter_map(|name| self.calculation.iter().find(|step| step.name == *name)) {
            names.extend(step.inputs.iter().cloned());
        }
        names.sort();
        names.dedup();
        names
    }

    /// The rules that a decision of that kind tells of, in their order: for a refusal what refuses, for a grant every
    /// rule that was met or cut it.
    pub fn told(&self, kind: DraftKind) -> impl Iterator<Item = &RuleTrace> {
        let unmet = match (kind, self.outcome) {
            (DraftKind::Inadmissible, _)
            | (DraftKind::DocumentAnswer | DraftKind::ClaimDecision, Outcome::Inadmissible) => {
                Some(Effect::Inadmissible)
            }
            (DraftKind::Rejection, _) | (DraftKind::DocumentAnswer | DraftKind::Recovery, Outcome::Rejected) => {
                Some(Effect::Rejection)
            }
            _ => None,
        };
        self.rules
            .iter()
            .filter(move |rule| unmet.is_none_or(|effect| rule.outcome == RuleOutcome::NotMet && rule.effect == effect))
    }
}
