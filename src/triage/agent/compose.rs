//! The words of a letter: a loop with read-only tools, held to the very checks that every draft is held to.
//!
//! The offline draft is made first. The model writes sentences for its reasons and a paragraph on the matter, and nothing
//! else ([`Prose`]). Each answer is put into the letter by the step itself and checked; what the checks find goes back
//! once, and the second failure leaves the offline draft as it was.

use std::collections::BTreeSet;

use super::consultation::{Consultation, Unable};
use super::tools::{self, Toolbox};
use super::translate;
use crate::cases::{
    Check, CheckId, CheckResult, Citation, DraftContent, DraftKind, Flag, ModelProposal, PassageRef, ProposalKind,
    RuleId, RuleOutcome, SectionRef, Urgency,
};
use crate::model::answers::{ComposeAnswer, ComposedCitation, ComposedReason, ProposedRuling};
use crate::model::masking::Masked;
use crate::model::prompts::{PromptId, Values};
use crate::model::structured::{self, Turn};
use crate::triage::proposals::{Proposals, Prose, WrittenReason};
use crate::triage::{Proposal, Step};

/// Longest letter that a model reads, characters.
const LONGEST_LETTER: usize = 24_000;
/// Longest detail of a finding, characters.
const LONGEST_DETAIL: usize = 300;

/// The draft that code makes alone.
pub(super) struct Offline {
    pub(super) proposal: Proposal,
}

impl Offline {
    /// None when the step itself cannot go on: then there is nothing to write either.
    pub(super) fn of(about: &Consultation<'_>) -> Option<Self> {
        let run = about.desk.run(Step::Compose, about.submission, about.file.clone(), about.at, &Proposals::none());
        let (_, proposal) = run.ok()?;
        Some(Self { proposal: proposal? })
    }

    fn content(&self) -> &DraftContent {
        &self.proposal.content
    }

    fn failed(&self, id: CheckId) -> bool {
        self.proposal.checks.iter().any(|check| check.id == id && check.result == CheckResult::Fail)
    }
}

/// What a model wrote.
pub(super) struct Written {
    /// Words for the letter, and the draft in which they were tried; none where it had nothing to add.
    pub(super) words: Option<(Prose, Proposal)>,
    /// What it would rule where the policy leaves it to a person.
    pub(super) rulings: Vec<ModelProposal>,
}

/// Something that is wrong with an answer, for the model to mend.
struct Finding {
    check: String,
    detail: String,
}

impl Finding {
    fn new(check: &str, detail: impl Into<String>) -> Self {
        Self { check: check.to_owned(), detail: detail.into() }
    }
}

/// Lets a model write, where the letter has a place for its words; none where it has none.
pub(super) async fn write(
    about: &Consultation<'_>,
    offline: &Offline,
    passages: &[PassageRef],
) -> Result<Option<Written>, Unable> {
    let Some(id) = writer(about, offline.content()) else { return Ok(None) };
    if let Some(check) = offline.proposal.checks.iter().find(|check| judges_words(check.id) && offline.failed(check.id))
    {
        // What fails without the model's words could hide what fails with them.
        return Err(Unable::Findings(check.id.to_string()));
    }
    let prompt = about.agent.prompts.get(id);
    let mut messages = prompt.render(&values(about, offline, passages), &about.fence)?;
    let mut toolbox = Toolbox::new(about, offline, about.agent.limits.tool_calls);
    let mut sent_back = false;
    for _ in 0..about.agent.limits.steps {
        let request = about.request(prompt, messages, tools::offered(about.agent.precedents.is_some()));
        let asked = structured::turn::<ComposeAnswer>(about, request, &about.agent.modes).await?;
        messages = asked.conversation;
        let answer = match asked.value {
            Turn::Tools(calls) => {
                for call in calls {
                    messages.push(toolbox.meet(call).await);
                }
                continue;
            }
            Turn::Answer(answer) => answer,
        };
        let findings = match judge(about, offline, answer).await? {
            Ok(written) => return Ok(Some(written)),
            Err(findings) => findings,
        };
        if sent_back {
            let named: BTreeSet<&str> = findings.iter().map(|finding| finding.check.as_str()).collect();
            return Err(Unable::Findings(named.into_iter().collect::<Vec<_>>().join(", ")));
        }
        sent_back = true;
        let rows = findings.into_iter().map(|finding| {
            let detail = about.masker().mask(&finding.detail).cut(LONGEST_DETAIL);
            vec![("check", Masked::public(finding.check)), ("detail", detail)]
        });
        messages.push(prompt.repair(&Values::new().rows("findings", rows), &about.fence)?);
    }
    Err(Unable::Steps(about.agent.limits.steps))
}

/// The prompt for this letter. Under danger, a threat or words of wanting to die nobody but people finds words.
fn writer(about: &Consultation<'_>, content: &DraftContent) -> Option<PromptId> {
    let grave = [Flag::Emergency, Flag::SelfHarm, Flag::Threat].iter().any(|flag| about.file.flags.contains(flag));
    if grave || about.file.urgency == Some(Urgency::U0) {
        return None;
    }
    match content.kind {
        _ if content.is_decision() => Some(PromptId::ComposeDecision),
        DraftKind::Completion => Some(PromptId::ComposeCompletion),
        // A work order or a redirect; advice and a plain receipt say all there is to say.
        DraftKind::Acknowledgement if content.work_order.is_some() || content.recipient.is_some() => {
            Some(PromptId::ComposeNotice)
        }
        _ => None,
    }
}

/// Whether a check looks at words, and not only at how the case stands.
const fn judges_words(id: CheckId) -> bool {
    use CheckId::{K02, K06, K09, K10, K11, K12, K14, K20, K21, K22, K23, K26, K27, K28, K29, K30};
    !matches!(id, K02 | K06 | K09 | K10 | K11 | K12 | K14 | K20 | K21 | K22 | K23 | K26 | K27 | K28 | K29 | K30)
}

fn values(about: &Consultation<'_>, offline: &Offline, passages: &[PassageRef]) -> Values {
    let content = offline.content();
    let language = content.language;
    let sections = about.sections(content, passages.iter().map(|passage| passage.section.clone()));
    Values::new()
        .word("letter_language", language.code())
        .word("kind", content.kind.as_str())
        .rows("reasons", about.reasons(&content.reasons))
        .rows("discretion", about.discretion(language))
        .rows("questions", about.questions(language))
        .rows("facts", about.facts(language))
        .texts("sections", about.section_texts(&sections, language))
        .texts("sources", about.sources())
        .text("letter", about.masker().mask(&content.letter).cut(LONGEST_LETTER))
}

/// Puts an answer into the letter and checks it: what was written, or what is wrong with it.
async fn judge(
    about: &Consultation<'_>,
    offline: &Offline,
    answer: ComposeAnswer,
) -> Result<Result<Written, Vec<Finding>>, Unable> {
    let rulings = rulings(about, answer.rulings);
    let prose = match prose(about, offline.content(), answer.matter, answer.reasons) {
        Ok(prose) => prose,
        Err(findings) => return Ok(Err(findings)),
    };
    if prose.matter.is_none() && prose.reasons.is_empty() {
        return Ok(Ok(Written { words: None, rulings }));
    }
    let Some(tried) = tried(about, &prose) else {
        return Ok(Err(vec![Finding::new("letter", "these words cannot stand in the letter")]));
    };
    let mut findings = failures(offline, &tried);
    if repeats_instructions(about, offline.content(), &prose) {
        findings.push(Finding::new("K19", "the words are those of the instructions"));
    }
    if findings.is_empty() {
        let differences = translate::differences(about, offline, &prose).await?;
        findings.extend(differences.into_iter().map(|difference| Finding::new("translate-check", difference)));
    }
    Ok(if findings.is_empty() { Ok(Written { words: Some((prose, tried)), rulings }) } else { Err(findings) })
}

/// The draft with these words.
fn tried(about: &Consultation<'_>, prose: &Prose) -> Option<Proposal> {
    let trial = Proposals { prose: Some(prose.clone()), credit: about.credit(), ..Proposals::none() };
    about.desk.run(Step::Compose, about.submission, about.file.clone(), about.at, &trial).ok()?.1
}

/// The checks that fail with a model's words and not without them.
fn failures(offline: &Offline, tried: &Proposal) -> Vec<Finding> {
    let new = |check: &&Check| check.result == CheckResult::Fail && !offline.failed(check.id);
    tried.checks.iter().filter(new).map(|check| Finding::new(check.id.as_str(), check.detail.as_str())).collect()
}

fn repeats_instructions(about: &Consultation<'_>, content: &DraftContent, prose: &Prose) -> bool {
    let Some(id) = writer(about, content) else { return false };
    let prompt = about.agent.prompts.get(id);
    let texts = prose.reasons.iter().map(|reason| reason.text.as_str()).chain(prose.matter.as_deref());
    texts.into_iter().any(|text| prompt.is_repeated_in(text, &content.letter))
}

/// An answer as words for the letter, with what was masked put back.
fn prose(
    about: &Consultation<'_>,
    offline: &DraftContent,
    matter: Option<String>,
    reasons: Vec<ComposedReason>,
) -> Result<Prose, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut written: Vec<WrittenReason> = Vec::new();
    for reason in reasons {
        match self::reason(about, offline, reason) {
            Ok(reason) if reason.rule.is_some() && written.iter().any(|other| other.rule == reason.rule) => {
                findings.push(Finding::new("reasons", "a rule is explained twice"));
            }
            Ok(reason) => written.push(reason),
            Err(finding) => findings.push(finding),
        }
    }
    let explained = |rule: &Option<RuleId>| written.iter().any(|written| written.rule == *rule);
    let missing = offline.reasons.iter().filter(|reason| !explained(&reason.rule));
    findings.extend(missing.filter_map(|reason| reason.rule.as_ref()).map(|rule| {
        Finding::new("reasons", format!("the rule `{rule}` is not explained: give one reason for each rule, in order"))
    }));
    let has_place = offline.is_decision() || offline.kind == DraftKind::Completion;
    let matter = matter.filter(|words| has_place && !words.trim().is_empty());
    let matter = match matter.map(|words| about.masker().restore(&one_line(&words))).transpose() {
        Ok(matter) => matter,
        Err(unrestorable) => {
            findings.push(Finding::new("placeholders", unrestorable.to_string()));
            None
        }
    };
    if findings.is_empty() { Ok(Prose { matter, reasons: written }) } else { Err(findings) }
}

fn reason(about: &Consultation<'_>, offline: &DraftContent, reason: ComposedReason) -> Result<WrittenReason, Finding> {
    let rule = reason.rule.filter(|rule| !rule.trim().is_empty());
    let rule = rule.map(|rule| known_rule(about, offline, &rule)).transpose()?;
    if rule.is_none() && offline.is_decision() {
        return Err(Finding::new("reasons", "each reason of a decision names its rule"));
    }
    let text = about.masker().restore(&one_line(&reason.text));
    let text = text.map_err(|unrestorable| Finding::new("placeholders", unrestorable.to_string()))?;
    if text.is_empty() {
        return Err(Finding::new("reasons", "a reason has no words"));
    }
    let citations = reason.citations.into_iter().map(|citation| self::citation(about, offline, citation));
    Ok(WrittenReason { rule, text, evidence: reason.evidence, citations: citations.collect::<Result<_, _>>()? })
}

/// A rule that the letter explains, or that asks.
fn known_rule(about: &Consultation<'_>, offline: &DraftContent, rule: &str) -> Result<RuleId, Finding> {
    let unknown = || Finding::new("reasons", "a reason names a rule that was not given");
    let rule: RuleId = rule.parse().map_err(|_| unknown())?;
    let mut of_case = about.assessment().into_iter().flat_map(|assessment| &assessment.rules);
    let known = if offline.is_decision() {
        offline.reasons.iter().any(|reason| reason.rule.as_ref() == Some(&rule))
    } else {
        of_case.any(|trace| trace.rule == rule)
    };
    if known { Ok(rule) } else { Err(unknown()) }
}

fn citation(about: &Consultation<'_>, offline: &DraftContent, given: ComposedCitation) -> Result<Citation, Finding> {
    let place = SectionRef::try_from(given.section)
        .map_err(|_| Finding::new("K03", "a citation names no section by its id, document@date#section"))?;
    let language = about.section(&place, offline.language).map_or(offline.language, |(language, _)| language);
    Ok(Citation {
        document: place.document,
        version: place.version,
        section: place.section,
        language,
        quote: given.quote.trim().to_owned(),
    })
}

/// Rulings that the model would make, for the rules that leave one to a person and to nobody else.
fn rulings(about: &Consultation<'_>, rulings: Vec<ProposedRuling>) -> Vec<ModelProposal> {
    let left_open = |rule: &str| {
        let mut rules = about.assessment().into_iter().flat_map(|assessment| &assessment.rules);
        rules.any(|trace| trace.rule.as_str() == rule && trace.outcome == RuleOutcome::Discretion)
    };
    rulings
        .into_iter()
        .filter(|ruling| left_open(&ruling.rule))
        .map(|ruling| ModelProposal {
            kind: ProposalKind::Ruling,
            about: ruling.rule,
            value: ruling.outcome.as_str().to_owned(),
            source: None,
            quote: None,
            reason: about.put_back(&ruling.reason),
            adopted: false,
            because: Some("the policy leaves it to a person".to_owned()),
        })
        .collect()
}

/// Words on one line: no answer begins a new part of a letter.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
