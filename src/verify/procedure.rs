//! K06, K12, K27 and K30: nothing is refused on what nobody asked, and no cry for help waits in a queue.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, DraftKind, Effect, Outcome, PartKind, RuleOutcome, RuleTrace, Settles};
use crate::municipality::calendar;

/// Every unmet rule behind a refusal is evidenced; unknown is not unmet; discretion is a person's.
pub fn k06(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let Some(assessment) = &subject.file.assessment else {
        return if content.kind.settles() == Settles::Always || content.kind == DraftKind::Correction {
            Check::fail(CheckId::K06, words::decision_without_rules())
        } else {
            Check::not_applicable(CheckId::K06, words::no_rules_evaluated())
        };
    };
    let waits = assessment.outcome == Outcome::Pending;
    if waits && (content.kind.settles() != Settles::Never || content.kind == DraftKind::Acknowledgement) {
        return Check::fail(CheckId::K06, words::waits_for_a_round());
    }
    if !content.kind.rests_on_rules() {
        return Check::pass(CheckId::K06, words::nothing_refused());
    }
    // Nobody rules on the merits of what is not examined.
    let examined =
        |rule: &RuleTrace| assessment.outcome != Outcome::Inadmissible || rule.effect == Effect::Inadmissible;
    if let Some(rule) = assessment
        .rules
        .iter()
        .find(|rule| rule.outcome == RuleOutcome::Discretion && rule.ruled_by.is_none() && examined(rule))
    {
        return Check::fail(CheckId::K06, words::left_to_a_person(rule.rule.as_str(), rule.section.to_string()));
    }
    let refuses = content.kind.refuses(Some(assessment.outcome));
    if !refuses || content.kind == DraftKind::Partial {
        let unknown: Vec<_> = assessment
            .rules
            .iter()
            .filter(|rule| rule.outcome == RuleOutcome::Unknown)
            .map(|rule| rule.rule.to_string())
            .chain(assessment.questions.iter().map(|question| question.about.clone()))
            .collect();
        if !unknown.is_empty() {
            return Check::fail(CheckId::K06, words::granted_although_unknown(unknown.join(", ")));
        }
    }
    for reason in &content.reasons {
        let Some(id) = &reason.rule else { continue };
        let Some(rule) = assessment.rules.iter().find(|rule| rule.rule == *id) else {
            return Check::fail(CheckId::K06, words::rule_not_evaluated(id.as_str()));
        };
        if refuses
            && (rule.outcome == RuleOutcome::Unknown
                || (rule.outcome == RuleOutcome::NotMet && !rule.missing.is_empty()))
        {
            return Check::fail(CheckId::K06, words::rule_unknown(id.as_str(), rule.missing.join(", ")));
        }
    }
    if matches!(content.kind, DraftKind::Rejection | DraftKind::Inadmissible)
        && !assessment.rules.iter().any(|rule| rule.outcome == RuleOutcome::NotMet)
    {
        return Check::fail(CheckId::K06, words::refused_with_nothing_unmet());
    }
    Check::pass(CheckId::K06, words::refusal_evidenced())
}

/// A completion is asked before anything is refused for missing material, with the minimum time to answer.
pub fn k12(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let days = service(subject).map_or(14, |service| service.completion_days);
    if content.kind == DraftKind::Completion {
        let earliest = calendar::end_of_period(subject.decided_on, days);
        let Some(deadline) = content.deadline else {
            return Check::fail(CheckId::K12, words::no_last_day());
        };
        if deadline < earliest {
            return Check::fail(CheckId::K12, words::too_little_time(deadline, days, earliest));
        }
        let asked = content.part(PartKind::Questions).map(|part| part.text.as_str()).unwrap_or_default();
        let questions = subject.file.open_questions();
        let mut any = false;
        for question in questions {
            any = true;
            if !asked.contains(question.text.get(content.language)) {
                return Check::fail(CheckId::K12, words::question_not_asked(&question.about));
            }
        }
        return if any {
            Check::pass(CheckId::K12, words::asked_until(deadline))
        } else {
            Check::fail(CheckId::K12, words::asks_nothing())
        };
    }
    if content.kind != DraftKind::Rejection {
        return Check::not_applicable(CheckId::K12, words::nothing_refused_for_missing());
    }
    let rests_on_missing = subject.file.assessment.iter().flat_map(|assessment| &assessment.rules).any(|rule| {
        content.reasons.iter().any(|reason| reason.rule.as_ref() == Some(&rule.rule)) && !rule.missing.is_empty()
    });
    if rests_on_missing && subject.file.completion_until.is_none_or(|until| until >= subject.decided_on) {
        return Check::fail(CheckId::K12, words::refused_for_missing_unasked());
    }
    Check::pass(CheckId::K12, words::not_refused_for_missing())
}

/// Words of danger in any text were seen by a person.
pub fn k27(subject: &Subject<'_>) -> Check {
    let hits: Vec<_> = subject
        .file
        .reading
        .iter()
        .flat_map(|reading| &reading.emergencies)
        .map(|hit| words::danger_in(&hit.kind, &hit.source))
        .collect();
    if hits.is_empty() {
        return Check::pass(CheckId::K27, words::no_danger());
    }
    if subject.alerts_open {
        return Check::fail(CheckId::K27, words::danger_unseen(super::joined(&hits)));
    }
    Check::pass(CheckId::K27, words::danger_seen(super::joined(&hits)))
}

/// No local rule refuses for something that the party must first be asked for (hallintolaki 22 §), whatever it says:
/// "incomplete is rejected" stands in many rules of procedure, and the statute stands above them.
pub fn k30(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if !matches!(content.kind, DraftKind::Rejection | DraftKind::Inadmissible) {
        return Check::not_applicable(CheckId::K30, words::nothing_refused());
    }
    let about_material = |rule: &&crate::cases::RuleTrace| {
        rule.outcome == RuleOutcome::NotMet
            && !rule.inputs.is_empty()
            && rule.inputs.keys().all(|name| name.starts_with("attachment_"))
    };
    let told =
        |rule: &&crate::cases::RuleTrace| content.reasons.iter().any(|reason| reason.rule.as_ref() == Some(&rule.rule));
    let asked = subject.file.completion_until.is_some();
    let mut rules = subject.file.assessment.iter().flat_map(|assessment| &assessment.rules);
    match rules.find(|rule| about_material(rule) && told(rule) && !asked) {
        Some(rule) => {
            Check::fail(CheckId::K30, words::local_rule_against_statute(rule.rule.as_str(), rule.section.to_string()))
        }
        None => Check::pass(CheckId::K30, words::no_conflict_with_statute()),
    }
}
