//! K09 and K10: the decider has the power, and nobody approves what they prepared.

use super::{Subject, service};
use crate::cases::{Check, CheckId, Preparer};

/// The decider is within delegation on the day, for the amount.
pub fn k09(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if !content.kind.is_decision() {
        return Check::not_applicable(CheckId::K09, "no decision");
    }
    let pack = &subject.rulebook.pack;
    let delegation = service(subject).and_then(|service| service.delegation.as_deref());
    let Some(delegation) = delegation else {
        return Check::fail(CheckId::K09, "the service names no delegation: nobody has the power to decide");
    };
    let Some(decider) = &content.decider else {
        return Check::fail(CheckId::K09, "the draft names no decider (hallintolaki 44 §)");
    };
    let may = |who| pack.may_decide(who, delegation, content.amount, subject.decided_on);
    if let Err(beyond) = may(&decider.id) {
        return Check::fail(CheckId::K09, format!("{} may not decide this: {beyond}", decider.id));
    }
    if let Some(post) = subject.approver.and_then(|approver| approver.post.as_ref()) {
        if let Err(beyond) = may(post) {
            return Check::fail(CheckId::K09, format!("{post} may not decide this: {beyond}"));
        }
    } else if subject.approver.is_some() {
        return Check::fail(CheckId::K09, "the approver holds no post that could decide");
    }
    Check::pass(CheckId::K09, format!("{} by {}", decider.id, decider.authority))
}

/// The preparer is not the approver.
pub fn k10(subject: &Subject<'_>) -> Check {
    match (subject.preparer, subject.approver) {
        (Preparer::Person { actor }, Some(approver)) if *actor == approver.token.to_string() => {
            Check::fail(CheckId::K10, "prepared and approved by the same person: somebody else must approve")
        }
        (_, Some(_)) => Check::pass(CheckId::K10, "prepared and approved by different hands"),
        (Preparer::Engine, None) => Check::pass(CheckId::K10, "prepared by the machine; a person approves"),
        (Preparer::Person { .. }, None) => Check::pass(CheckId::K10, "prepared by a person; another one approves"),
    }
}
