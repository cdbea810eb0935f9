//! K22 and K23: before money is paid, whose the account is, whether it is paid for already,
//! and whether the same party owes some back.
//!
//! Other cases are looked up where the case is assessed (`triage::standing`); a check reads what was found. Details name
//! cases by their numbers, which the handler may open, and no account.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, Evidence};
use crate::municipality::format::{FieldType, Process};

/// The account is not known as another party's, and the party is not paid for the same thing twice in a year; or a person
/// has looked and said otherwise, by stating the account or what is paid for.
pub fn k22(subject: &Subject<'_>) -> Check {
    let pays = service(subject).filter(|service| service.process == Process::MunicipalityPays && !service.office);
    let (Some(service), true) = (pays, subject.content.kind.grants()) else {
        return Check::not_applicable(CheckId::K22, words::nothing_is_paid());
    };
    let stated =
        |name: &str| subject.file.facts.get(name).is_some_and(|fact| matches!(fact.evidence, Evidence::Person { .. }));
    let standing = &subject.file.standing;
    let mut purpose = service.paid_once.iter().flatten().chain(&service.party);
    if !standing.paid_already.is_empty() && !purpose.any(|name| stated(name)) {
        return Check::fail(CheckId::K22, words::paid_already(standing.paid_already.join(", ")));
    }
    let account = service.fields.iter().find(|field| field.kind == FieldType::Iban);
    let others = standing.account_of_others.join(", ");
    match account {
        Some(field) if !others.is_empty() && !stated(&field.name) => {
            Check::fail(CheckId::K22, words::account_of_another(others))
        }
        Some(_) if !others.is_empty() => Check::pass(CheckId::K22, words::account_confirmed(others)),
        _ => Check::pass(CheckId::K22, words::account_of_nobody_else()),
    }
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
