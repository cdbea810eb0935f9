//! K06, K12 and K27: nothing is refused on what nobody asked, and no cry for help waits in a queue.

use super::{Subject, service};
use crate::cases::{Check, CheckId, DraftKind, PartKind, RuleOutcome};
use crate::municipality::calendar;

/// Whether a draft refuses something.
const fn refuses(kind: DraftKind) -> bool {
    matches!(kind, DraftKind::Rejection | DraftKind::Inadmissible | DraftKind::Partial)
}

/// Every unmet rule behind a refusal is evidenced; unknown is not unmet; discretion is a person's.
pub fn k06(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let Some(assessment) = &subject.file.assessment else {
        return if content.kind.is_decision() {
            Check::fail(CheckId::K06, "a decision without evaluated rules")
        } else {
            Check::not_applicable(CheckId::K06, "no rules were evaluated")
        };
    };
    if !content.kind.is_decision() {
        return Check::pass(CheckId::K06, "nothing is refused");
    }
    if let Some(rule) =
        assessment.rules.iter().find(|rule| rule.outcome == RuleOutcome::Discretion && rule.ruled_by.is_none())
    {
        return Check::fail(
            CheckId::K06,
            format!("the rule `{}` ({}) is left to a person: record a ruling with its reason", rule.rule, rule.section),
        );
    }
    if content.kind.grants() {
        let unknown: Vec<_> = assessment
            .rules
            .iter()
            .filter(|rule| rule.outcome == RuleOutcome::Unknown)
            .map(|rule| rule.rule.to_string())
            .chain(assessment.questions.iter().map(|question| question.about.clone()))
            .collect();
        if !unknown.is_empty() {
            return Check::fail(CheckId::K06, format!("granted although unknown: {}; ask first", unknown.join(", ")));
        }
    }
    for reason in &content.reasons {
        let Some(id) = &reason.rule else { continue };
        let Some(rule) = assessment.rules.iter().find(|rule| rule.rule == *id) else {
            return Check::fail(CheckId::K06, format!("the reason cites the rule `{id}`, which was not evaluated"));
        };
        if refuses(content.kind)
            && (rule.outcome == RuleOutcome::Unknown
                || (rule.outcome == RuleOutcome::NotMet && !rule.missing.is_empty()))
        {
            return Check::fail(
                CheckId::K06,
                format!("the rule `{id}` is unknown ({} missing): ask, do not refuse", rule.missing.join(", ")),
            );
        }
    }
    if matches!(content.kind, DraftKind::Rejection | DraftKind::Inadmissible)
        && !assessment.rules.iter().any(|rule| rule.outcome == RuleOutcome::NotMet)
    {
        return Check::fail(CheckId::K06, "nothing is unmet, but the draft refuses");
    }
    Check::pass(CheckId::K06, "whatever is refused is evidenced")
}

/// A completion is asked before anything is refused for missing material, with the minimum time to answer.
pub fn k12(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let days = service(subject).map_or(14, |service| service.completion_days);
    if content.kind == DraftKind::Completion {
        let earliest = calendar::end_of_period(subject.decided_on, days);
        let Some(deadline) = content.deadline else {
            return Check::fail(CheckId::K12, "a completion request without a last day (hallintolaki 33 §)");
        };
        if deadline < earliest {
            return Check::fail(
                CheckId::K12,
                format!(
                    "the last day {deadline} leaves less than {days} days: ask again, and the letter names {earliest} or later"
                ),
            );
        }
        let asked = content.part(PartKind::Questions).map(|part| part.text.as_str()).unwrap_or_default();
        let questions = subject.file.open_questions();
        let mut any = false;
        for question in questions {
            any = true;
            if !asked.contains(question.text.get(content.language)) {
                return Check::fail(CheckId::K12, format!("the letter does not ask about `{}`", question.about));
            }
        }
        return if any {
            Check::pass(CheckId::K12, format!("asked, with time until {deadline}"))
        } else {
            Check::fail(CheckId::K12, "a completion request that asks nothing")
        };
    }
    if content.kind != DraftKind::Rejection {
        return Check::not_applicable(CheckId::K12, "nothing is refused for missing material");
    }
    let rests_on_missing = subject.file.assessment.iter().flat_map(|assessment| &assessment.rules).any(|rule| {
        content.reasons.iter().any(|reason| reason.rule.as_ref() == Some(&rule.rule)) && !rule.missing.is_empty()
    });
    if rests_on_missing && subject.file.completion_until.is_none_or(|until| until >= subject.decided_on) {
        return Check::fail(
            CheckId::K12,
            "refused for missing material that was not asked for, or whose time is not over (hallintolaki 22 §)",
        );
    }
    Check::pass(CheckId::K12, "not refused for missing material")
}

/// Words of danger in any text were seen by a person.
pub fn k27(subject: &Subject<'_>) -> Check {
    let hits: Vec<_> = subject
        .file
        .reading
        .iter()
        .flat_map(|reading| &reading.emergencies)
        .map(|hit| format!("{} in {}", hit.kind, hit.source))
        .collect();
    if hits.is_empty() {
        return Check::pass(CheckId::K27, "no words of danger");
    }
    if subject.alerts_open {
        return Check::fail(
            CheckId::K27,
            format!("words of danger ({}): a person must acknowledge the alert first", hits.join("; ")),
        );
    }
    Check::pass(CheckId::K27, format!("words of danger ({}), acknowledged by a person", hits.join("; ")))
}
