//! K14: the party, its ids, its account and what registers know of it agree (*ristiriidat*). A difference is shown, never
//! mended: a person asks or explains it. Details name places and fields, never an account number or an id.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, Fact, Localized, ParameterValue, Value};
use crate::policy::document::parameter_value;
use crate::text::identifiers::{BusinessId, IdentifierKind, find_all};

/// What the form says of the party agrees with itself, with the files that came along and with the registers.
pub fn k14(subject: &Subject<'_>) -> Check {
    let mut differences = Vec::new();
    differences.extend(holder(subject));
    differences.extend(sender(subject));
    differences.extend(in_files(subject, "iban", accounts).map(words::another_account_in));
    differences.extend(in_files(subject, "business_id", business_ids).map(words::another_business_id_in));
    differences.extend(registers(subject));
    if differences.is_empty() {
        Check::pass(CheckId::K14, words::party_agrees())
    } else {
        Check::fail(CheckId::K14, words::party_differs(super::joined(&differences)))
    }
}

fn fact<'a>(subject: &Subject<'a>, name: &str) -> Option<&'a Fact> {
    subject.file.facts.get(name)
}

/// Letters and digits only, so that a comma or a capital makes no difference.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The account is the party's own.
fn holder(subject: &Subject<'_>) -> Option<Localized> {
    let party = fact(subject, service(subject)?.party.as_deref()?)?.value.plain();
    let holder = fact(subject, "account_holder")?.value.plain();
    (bare(&party) != bare(&holder)).then(words::another_holder)
}

/// Who sent it in the name of the party is the party, where the sender names an organisation at all.
fn sender(subject: &Subject<'_>) -> Option<Localized> {
    let party = fact(subject, service(subject)?.party.as_deref()?)?.value.plain();
    let sender = subject.submission.party.as_ref()?;
    sender.business_id.as_ref()?;
    let name = sender.name.as_deref()?;
    (bare(&party) != bare(name)).then(words::another_sender)
}

/// The file that came along and shows ids of that kind, and none of them the form's.
fn in_files<'a>(subject: &Subject<'a>, field: &str, ids: fn(&str) -> Vec<&str>) -> Option<&'a str> {
    let stated = bare(&fact(subject, field)?.value.plain());
    let texts = subject.file.reading.iter().flat_map(|reading| &reading.texts);
    let file = texts.filter(|text| text.attachment().is_some()).find(|text| {
        let found = ids(&text.text);
        !found.is_empty() && found.iter().all(|id| bare(id) != stated)
    })?;
    Some(&file.source)
}

fn accounts(text: &str) -> Vec<&str> {
    let found = find_all(text).into_iter().filter(|found| found.kind == IdentifierKind::Iban);
    found.map(|found| &text[found.start..found.end]).collect()
}

fn business_ids(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')'));
    words.map(|word| word.trim_end_matches('.')).filter(|word| BusinessId::parse(word).is_ok()).collect()
}

/// What a register says of this very party is what the form says.
fn registers(subject: &Subject<'_>) -> Vec<Localized> {
    let Some(service) = service(subject) else { return Vec::new() };
    let arrival = subject.submission.received_at.to_zoned(crate::clock::helsinki()).date();
    let rows = subject.rulebook.pack.municipality.registers.iter();
    rows.filter(|row| row.service == service.id && row.valid.contains(arrival))
        .filter(|row| {
            row.about.as_ref().is_some_and(|about| {
                fact(subject, &about.field).is_some_and(|fact| bare(&fact.value.plain()) == bare(&about.value))
            })
        })
        .filter_map(|row| {
            let stated = fact(subject, &row.fact)?;
            let label = service.fields.iter().find(|field| field.name == row.fact)?.label.clone();
            (!same(&stated.value, &row.value)).then(|| words::register_differs(label, &row.source))
        })
        .collect()
}

fn same(stated: &Value, written: &ParameterValue) -> bool {
    match (stated, parameter_value(written)) {
        (Value::Money(euro), Value::Number(number)) => euro.decimal() == number,
        (stated, Value::Text(text)) => bare(&stated.plain()) == bare(&text),
        (stated, written) => *stated == written,
    }
}
