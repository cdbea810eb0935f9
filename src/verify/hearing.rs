//! K11: nobody is refused on what others said of them, and nothing is recovered, before they were heard (hallintolaki 34 §);
//! and a letter that hears says on what and leaves time to answer (36 §).

use super::{Subject, service, words};
use crate::cases::{Adverse, Check, CheckId, DraftKind, PartKind};
use crate::municipality::calendar;

/// The party was heard on every adverse fact that the policy says so of, and before money is recovered.
pub fn k11(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if content.kind == DraftKind::Hearing {
        return letter(subject);
    }
    if !content.is_decision() {
        return Check::not_applicable(CheckId::K11, words::no_decision());
    }
    if let Some(adverse) = unheard(subject).first() {
        let (rule, fact) = (adverse.rule.rule.as_str(), adverse.fact.name.as_str());
        return Check::fail(CheckId::K11, words::not_heard(rule, fact));
    }
    let heard = subject.file.was_heard(subject.decided_on);
    // A decision to recover nothing takes nothing from anybody.
    if content.kind == DraftKind::Recovery && content.amount.is_some() && !heard {
        return Check::fail(CheckId::K11, words::never_heard());
    }
    Check::pass(CheckId::K11, if heard { words::was_heard() } else { words::nothing_to_be_heard_on() })
}

fn unheard<'a>(subject: &Subject<'a>) -> Vec<Adverse<'a>> {
    let ours = service(subject).is_some_and(|service| service.office);
    subject.file.unheard(subject.decided_on, ours)
}

fn letter(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let days = service(subject).map_or(14, |service| service.completion_days);
    let earliest = calendar::end_of_period(subject.decided_on, days);
    let Some(deadline) = content.deadline else {
        return Check::fail(CheckId::K11, words::no_last_day());
    };
    if deadline < earliest {
        return Check::fail(CheckId::K11, words::too_little_time(deadline, days, earliest));
    }
    let told = content.part(PartKind::Questions).map(|part| part.text.trim()).unwrap_or_default();
    if told.is_empty() {
        return Check::fail(CheckId::K11, words::hears_on_nothing());
    }
    let unheard = unheard(subject);
    let left_out = unheard.iter().find(|adverse| !told.contains(adverse.rule.reason.get(content.language).trim()));
    if let Some(adverse) = left_out {
        return Check::fail(CheckId::K11, words::hearing_leaves_out(adverse.rule.rule.as_str()));
    }
    Check::pass(CheckId::K11, words::heard_until(deadline))
}
