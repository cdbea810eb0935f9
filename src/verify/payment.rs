//! K22 and K23: before money is paid, whose the account is, and whether the same party owes some back.
//!
//! Other cases are looked up where the case is assessed (`triage::standing`); a check reads what was found. Details name
//! cases by their numbers, which the handler may open, and no account.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, Evidence};
use crate::municipality::format::{FieldType, Process};

/// The account is not known as another party's, or a person has looked and said so.
pub fn k22(subject: &Subject<'_>) -> Check {
    let account = service(subject).filter(|service| service.process == Process::MunicipalityPays).and_then(|service| {
        let field = service.fields.iter().find(|field| field.kind == FieldType::Iban)?;
        subject.file.facts.get(&field.name)
    });
    let (Some(account), true) = (account, subject.content.kind.grants()) else {
        return Check::not_applicable(CheckId::K22, words::nothing_is_paid());
    };
    let others = &subject.file.standing.account_of_others;
    if others.is_empty() {
        return Check::pass(CheckId::K22, words::account_of_nobody_else());
    }
    if matches!(account.evidence, Evidence::Person { .. }) {
        return Check::pass(CheckId::K22, words::account_confirmed(others.join(", ")));
    }
    Check::fail(CheckId::K22, words::account_of_another(others.join(", ")))
}

/// Nothing is being recovered from the party.
pub fn k23(subject: &Subject<'_>) -> Check {
    let pays = service(subject).is_some_and(|service| service.process == Process::MunicipalityPays && !service.office);
    if !pays || !subject.content.is_decision() {
        return Check::not_applicable(CheckId::K23, words::nothing_is_paid());
    }
    let recoveries = &subject.file.standing.recoveries;
    if recoveries.is_empty() {
        return Check::pass(CheckId::K23, words::nothing_recovered());
    }
    Check::fail(CheckId::K23, words::recovered_from_the_party(recoveries.join(", ")))
}
