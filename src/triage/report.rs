//! What triage made of one case, in the stable shape that files, `vireille triage --json` and evaluations read
//! (docs/operating.md).

use serde::Serialize;

use super::Proposal;
use crate::cases::{
    Assessment, CaseFile, Check, DraftContent, DraftKind, Due, EmergencyHit, Engine, Facts, Fallback, Flag, Language,
    Matter, ModelProposal, Owner, Part, PassageRef, Question, Reason, Route, ServiceId, Submission, Urgency,
};

/// One case.
#[derive(Debug, Clone, Serialize)]
pub struct Report<'a> {
    /// The sender's own id, or ours.
    pub id: String,
    /// What kind of matter, whose, how urgent.
    pub case: Summary<'a>,
    /// What the engine believed, and why.
    pub classification: Option<ClassificationReport<'a>>,
    /// Who prepares and who may decide.
    pub route: Option<&'a Route>,
    /// What a person should notice.
    pub flags: Vec<Flag>,
    /// Words of danger.
    pub emergencies: &'a [EmergencyHit],
    /// Facts with evidence.
    pub facts: &'a Facts,
    /// What must be asked.
    pub questions: Vec<&'a Question>,
    /// The rules, evaluated.
    pub assessment: Option<AssessmentReport<'a>>,
    /// The draft.
    pub draft: DraftReport<'a>,
    /// Every check.
    pub checks: &'a [Check],
    /// By when a person must act.
    pub due: Option<&'a Due>,
    /// Which engine.
    pub engine: Option<&'a Engine>,
    /// A few lines for the handler, from a language model.
    pub summary: Option<&'a str>,
    /// What a language model proposed, and what became of it.
    pub proposals: &'a [ModelProposal],
    /// What the offline engine did alone although a model was asked, and why.
    pub fallbacks: &'a [Fallback],
    /// Passages that may bear on the case, best first.
    pub passages: &'a [PassageRef],
}

/// What kind of matter, whose, how urgent.
#[derive(Debug, Clone, Serialize)]
pub struct Summary<'a> {
    service: Option<&'a ServiceId>,
    matter: Option<Matter>,
    category: Option<&'a str>,
    language: Option<Language>,
    urgency: Option<Urgency>,
    owner: Option<Owner>,
}

/// What the engine believed.
#[derive(Debug, Clone, Serialize)]
pub struct ClassificationReport<'a> {
    label: &'a str,
    confidence: f64,
    threshold: f64,
    abstained: bool,
    reasons: &'a [String],
}

/// The rules; inputs by name, so that the facts stand only once.
#[derive(Debug, Clone, Serialize)]
pub struct AssessmentReport<'a> {
    document: String,
    outcome: crate::cases::Outcome,
    amount: Option<crate::cases::Euro>,
    rules: Vec<RuleReport<'a>>,
    calculation: &'a [crate::cases::CalculationStep],
}

/// One rule.
#[derive(Debug, Clone, Serialize)]
pub struct RuleReport<'a> {
    rule: &'a crate::cases::RuleId,
    outcome: crate::cases::RuleOutcome,
    section: &'a crate::cases::SectionRef,
    condition: &'a str,
    inputs: std::collections::BTreeMap<&'a str, String>,
    parameters: std::collections::BTreeMap<&'a str, String>,
    missing: &'a [String],
}

/// The draft.
#[derive(Debug, Clone, Serialize)]
pub struct DraftReport<'a> {
    kind: DraftKind,
    language: Language,
    parts: &'a [Part],
    reasons: &'a [Reason],
    provisions: &'a [crate::cases::Citation],
    amount: Option<crate::cases::Euro>,
    decider: Option<&'a crate::cases::DeciderRef>,
    appeal: &'a crate::cases::Appeal,
    deadline: Option<String>,
    recipient: Option<&'a str>,
    work_order: Option<&'a str>,
    hash: crate::cases::DraftHash,
    letter: &'a str,
}

impl<'a> Report<'a> {
    /// The report of one dry or stored run.
    #[must_use]
    pub fn new(submission: &Submission, file: &'a CaseFile, proposal: &'a Proposal) -> Self {
        let classification = file.classification.as_ref();
        Self {
            id: submission.external_id.clone().unwrap_or_else(|| submission.id.to_string()),
            case: Summary {
                service: classification.and_then(|c| c.service.as_ref()),
                matter: classification.map(|c| c.matter),
                category: classification.and_then(|c| c.category.as_deref()),
                language: file.reading.as_ref().map(|reading| reading.language),
                urgency: file.urgency,
                owner: file.route.as_ref().map(|route| route.owner),
            },
            classification: classification.map(|c| ClassificationReport {
                label: &c.label,
                confidence: c.confidence,
                threshold: c.threshold,
                abstained: c.abstained,
                reasons: &c.reasons,
            }),
            route: file.route.as_ref(),
            flags: file.flags.iter().copied().collect(),
            emergencies: file.reading.as_ref().map(|reading| reading.emergencies.as_slice()).unwrap_or_default(),
            facts: &file.facts,
            questions: file.questions.iter().chain(&file.asked).collect(),
            assessment: file.assessment.as_ref().map(AssessmentReport::new),
            draft: DraftReport::new(&proposal.content),
            checks: &proposal.checks,
            due: file.due.as_ref(),
            engine: file.engine.as_ref(),
            summary: file.summary.as_deref(),
            proposals: &file.proposals,
            fallbacks: &file.fallbacks,
            passages: &file.passages,
        }
    }
}

impl<'a> AssessmentReport<'a> {
    fn new(assessment: &'a Assessment) -> Self {
        let rule = |rule: &'a crate::cases::RuleTrace| RuleReport {
            rule: &rule.rule,
            outcome: rule.outcome,
            section: &rule.section,
            condition: &rule.condition,
            inputs: rule.inputs.iter().map(|(name, fact)| (name.as_str(), fact.value.plain())).collect(),
            parameters: rule.parameters.iter().map(|(name, used)| (name.as_str(), used.value.plain())).collect(),
            missing: &rule.missing,
        };
        Self {
            document: format!("{}@{}", assessment.document, assessment.version),
            outcome: assessment.outcome,
            amount: assessment.amount,
            rules: assessment.rules.iter().map(rule).collect(),
            calculation: &assessment.calculation,
        }
    }
}

impl<'a> DraftReport<'a> {
    fn new(content: &'a DraftContent) -> Self {
        Self {
            kind: content.kind,
            language: content.language,
            parts: &content.parts,
            reasons: &content.reasons,
            provisions: &content.provisions,
            amount: content.amount,
            decider: content.decider.as_ref(),
            appeal: &content.appeal,
            deadline: content.deadline.map(|deadline| deadline.to_string()),
            recipient: content.recipient.as_deref(),
            work_order: content.work_order.as_deref(),
            hash: content.hash(),
            letter: &content.letter,
        }
    }
}
