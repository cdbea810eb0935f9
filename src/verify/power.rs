//! K09, K10 and K29: the decider has the power, nobody approves what they prepared, and whoever approves has looked.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, DeciderId, Localized, Preparer};
use crate::municipality::{BeyondPower, Pack};

/// The decider is within delegation on the day, for the amount.
pub fn k09(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if !content.needs_power() {
        return Check::not_applicable(CheckId::K09, words::no_decision());
    }
    let pack = &subject.rulebook.pack;
    let delegation = service(subject).and_then(|service| service.delegation_of(subject.file));
    let Some(delegation) = delegation else {
        return Check::fail(CheckId::K09, words::no_delegation());
    };
    let Some(decider) = &content.decider else {
        return Check::fail(CheckId::K09, words::no_decider());
    };
    let may = |who| pack.may_decide(who, &delegation, content.amount, subject.decided_on);
    if let Err(beyond) = may(&decider.id) {
        return Check::fail(CheckId::K09, words::beyond_power(title(pack, &decider.id), told(pack, &beyond)));
    }
    if let Some(post) = subject.approver.and_then(|approver| approver.post_on(subject.decided_on)) {
        if let Err(beyond) = may(post) {
            return Check::fail(CheckId::K09, words::beyond_power(title(pack, post), told(pack, &beyond)));
        }
    } else if subject.approver.is_some() {
        return Check::fail(CheckId::K09, words::approver_without_post());
    }
    Check::pass(CheckId::K09, words::decided_by(title(pack, &decider.id), &decider.authority))
}

/// The post or body by its title; its id where the pack has none.
fn title(pack: &Pack, decider: &DeciderId) -> Localized {
    let known = pack.municipality.deciders.get(decider).map(|file| file.title.clone());
    known.unwrap_or_else(|| Localized { fi: decider.to_string(), sv: decider.to_string(), en: None })
}

/// How far the power reaches, and whose it is beyond that.
fn told(pack: &Pack, beyond: &BeyondPower) -> Localized {
    match (beyond.limit, &beyond.whose) {
        (None, None) => words::no_power_here(),
        (None, Some(whose)) => words::no_power_here_but(title(pack, whose)),
        (Some(limit), None) => words::power_reaches(limit),
        (Some(limit), Some(whose)) => words::power_reaches_but(limit, title(pack, whose)),
    }
}

/// The preparer is not the approver.
pub fn k10(subject: &Subject<'_>) -> Check {
    match (subject.preparer, subject.approver) {
        (Preparer::Person { actor }, Some(approver)) if *actor == approver.token.to_string() => {
            Check::fail(CheckId::K10, words::same_hands())
        }
        (_, Some(_)) => Check::pass(CheckId::K10, words::different_hands()),
        (Preparer::Engine, None) => Check::pass(CheckId::K10, words::machine_prepared()),
        (Preparer::Person { .. }, None) => Check::pass(CheckId::K10, words::person_prepared()),
    }
}

/// Whoever approves had this very version before their eyes (P14). The amount and the instructions for appeal are
/// confirmed by the approval itself, which is refused without.
pub fn k29(subject: &Subject<'_>) -> Check {
    if subject.approver.is_none() {
        return Check::not_applicable(CheckId::K29, words::nobody_approves_yet());
    }
    match subject.looked_at {
        Some(at) => Check::pass(CheckId::K29, words::looked_at(at)),
        None => Check::fail(CheckId::K29, words::approved_unseen()),
    }
}
