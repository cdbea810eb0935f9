//! K01 and K02: the amount in the words = the computed amount, and the computation reproduces.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use rust_decimal::Decimal;

use super::{Subject, words};
use crate::cases::{
    Assessment, CalculationStep, Check, CheckId, Euro, Localized, Outcome, PartKind, Settles, Value, write_value,
};
use crate::policy;

/// A sum of euros as people write it, in all languages of the house.
static SUM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?x) ((?:\d{1,3}(?:[\u{a0}\u{202f}\ ]\d{3})+|\d+)(?:,\d{1,2})?) [\u{a0}\u{202f}\ ]? (?:€(?:/|\b|$|[^\w/])|€|euro\w*|EUR\b) | €[\ \u{a0}]?(\d[\d,]*(?:\.\d{1,2})?)")
        .expect("a fixed pattern")
});

/// Every sum of euros in a text. A rate (`0,70 €/m`) counts as its number too.
pub fn sums(text: &str) -> Vec<(String, Decimal)> {
    // Most texts name no money, and a look for the sign costs a hundredth of the pattern.
    if !["€", "euro", "EUR"].iter().any(|sign| text.contains(sign)) {
        return Vec::new();
    }
    SUM.captures_iter(text)
        .filter_map(|found| {
            let written = found[0].trim().to_owned();
            let plain: String = match (found.get(1), found.get(2)) {
                (Some(nordic), _) => nordic
                    .as_str()
                    .chars()
                    .filter(|c| !c.is_whitespace())
                    .map(|c| if c == ',' { '.' } else { c })
                    .collect(),
                (None, Some(english)) => english.as_str().replace(',', ""),
                (None, None) => return None,
            };
            Some((written, plain.trim_end_matches('.').parse().ok()?))
        })
        .collect()
}

/// Amount in the operative part = computed amount; every other sum in the letter stands in evidence.
pub fn k01(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let computed = subject.file.assessment.as_ref().and_then(|assessment| assessment.amount);
    if !content.kind.has_amount() {
        if let Some(amount) = content.amount {
            return Check::fail(CheckId::K01, words::grants_nothing_but_carries(content.kind, amount));
        }
    } else if content.amount != computed || (computed.is_none() && gives_an_amount(subject)) {
        return Check::fail(CheckId::K01, words::another_amount(content.amount, computed));
    }
    if let Some(fault) = operative_fault(subject) {
        return Check::fail(CheckId::K01, fault);
    }
    let known = known_sums(subject);
    let stray: Vec<_> =
        sums(&content.letter).into_iter().filter(|(_, sum)| !known.contains(sum)).map(|(written, _)| written).collect();
    if stray.is_empty() {
        Check::pass(CheckId::K01, words::sums_have_sources())
    } else {
        Check::fail(CheckId::K01, words::stray_sums(stray.join("; ")))
    }
}

/// Whether the policy works out an amount: a key or a reserved hall has none, nor has an answer that gives nothing.
fn gives_an_amount(subject: &Subject<'_>) -> bool {
    let assessment = subject.file.assessment.as_ref();
    let outcome = assessment.map(|assessment| assessment.outcome);
    if !subject.content.kind.grants() && matches!(outcome, Some(Outcome::Rejected | Outcome::Inadmissible)) {
        return false;
    }
    let library = &subject.rulebook.library;
    let document = assessment.and_then(|assessment| library.version(&assessment.document, assessment.version));
    // The step may speak of some cases only.
    let steps = || assessment.iter().flat_map(|assessment| &assessment.calculation);
    document
        .is_none_or(|document| document.amount.as_ref().is_some_and(|amount| steps().any(|step| step.name == *amount)))
}

/// What is wrong with the operative part of a decision: there is one, it is its block with values filled in, and
/// the sums in it are the amount and what is refused.
fn operative_fault(subject: &Subject<'_>) -> Option<Localized> {
    let content = subject.content;
    if !content.kind.rests_on_rules() {
        return None;
    }
    let mut parts = content.parts.iter().filter(|part| part.kind == PartKind::Operative);
    let (Some(operative), None) = (parts.next(), parts.next()) else {
        return Some(words::one_operative_part());
    };
    let found = sums(&operative.text);
    if let Some(amount) = content.amount
        && !found.iter().any(|(_, sum)| *sum == amount.decimal())
    {
        return Some(words::operative_without_amount(amount));
    }
    let refused = subject.file.assessment.iter().flat_map(|assessment| &assessment.calculation);
    let known: Vec<Decimal> = refused
        .filter(|step| step.name == "refused_costs")
        .filter_map(|step| match &step.value {
            Some(Value::Money(euro)) => Some(euro.decimal()),
            _ => None,
        })
        .chain(content.amount.map(Euro::decimal))
        .collect();
    // A correction shows what was written wrong and what is right; it decides no sum.
    let decides = content.kind.settles() != Settles::Never;
    if let Some((written, _)) = found.iter().find(|(_, sum)| decides && !known.contains(sum)) {
        return Some(words::operative_with_another_sum(written));
    }
    let outcome = subject.file.assessment.as_ref().map(|assessment| assessment.outcome);
    let id = content.kind.operative_text(outcome);
    let service = super::service(subject).map(|service| &service.id);
    let block = subject.rulebook.pack.text_of(&id, service, content.language, subject.decided_on);
    let written = content.amount.map(|amount| amount.format(content.language)).unwrap_or_default();
    (!block.is_some_and(|block| super::blocks::fits(&block.body, &operative.text, &[("amount", written)])))
        .then(|| words::operative_not_its_text(id))
}

/// Sums that have a source: facts, calculation, parameters, fixed blocks and the quoted sections.
fn known_sums(subject: &Subject<'_>) -> BTreeSet<Decimal> {
    let mut known = BTreeSet::new();
    // Three hundred metres are no source for three hundred euros: a number counts by its unit.
    let mut add = |value: &Value, unit: Option<&str>| match value {
        Value::Number(number) if unit.is_some_and(|unit| unit.starts_with("EUR")) => {
            known.insert(number.normalize());
        }
        Value::Money(euro) => drop(known.insert(euro.decimal().normalize())),
        _ => {}
    };
    for fact in subject.file.facts.iter() {
        add(&fact.value, fact.unit.as_deref());
    }
    if let Some(assessment) = &subject.file.assessment {
        for step in &assessment.calculation {
            step.value.iter().for_each(|value| add(value, step.unit.as_deref()));
        }
        for rule in &assessment.rules {
            rule.parameters.values().for_each(|parameter| add(&parameter.value, parameter.unit.as_deref()));
        }
        if let Some(amount) = assessment.amount {
            add(&Value::Money(amount), None);
        }
    }
    for text in super::sources::fixed_texts(subject) {
        for (_, sum) in sums(&text) {
            known.insert(sum.normalize());
        }
    }
    // An answer may repeat the sender's own words, with the sums in them.
    for text in subject.file.reading.iter().flat_map(|reading| &reading.texts) {
        for (_, sum) in sums(&text.text) {
            known.insert(sum.normalize());
        }
    }
    known
}

/// A step that the letter's calculation shows with another value, or not at all.
fn misshown<'a>(subject: &Subject<'_>, assessment: &'a Assessment) -> Option<&'a str> {
    let content = subject.content;
    let shown = content.part(PartKind::Calculation)?;
    let line = |step: &CalculationStep| {
        let value = write_value(step.value.as_ref()?, step.unit.as_deref(), content.language);
        Some(format!("– {}: {value}", step.label.get(content.language)))
    };
    let told = |line: &String| shown.text.lines().any(|written| written == line);
    let steps = assessment.calculation.iter().filter(|step| !step.hidden);
    let wrong = steps.filter_map(|step| Some((step, line(step)?))).find(|(_, line)| !told(line));
    wrong.map(|(step, _)| step.name.as_str())
}

/// The stored assessment reproduces from its facts, its version and people's rulings.
pub fn k02(subject: &Subject<'_>) -> Check {
    let Some(assessment) = &subject.file.assessment else {
        return Check::not_applicable(CheckId::K02, words::no_rules_evaluated());
    };
    let Some(document) = subject.rulebook.library.version(&assessment.document, assessment.version) else {
        let version = format!("{}@{}", assessment.document, assessment.version);
        return Check::fail(CheckId::K02, words::version_not_in_pack(version));
    };
    let open: Vec<_> = subject.file.questions.iter().chain(&subject.file.asked).cloned().collect();
    let again = policy::assess(document, &subject.file.facts, &subject.file.rulings, &open, assessment.governing_date);
    if again.outcome != assessment.outcome || again.amount != assessment.amount {
        return Check::fail(
            CheckId::K02,
            words::computes_otherwise(again.outcome, again.amount, assessment.outcome, assessment.amount),
        );
    }
    let differing = again
        .calculation
        .iter()
        .zip(&assessment.calculation)
        .find(|(again, stored)| again.name != stored.name || again.value != stored.value);
    if let Some((step, _)) = differing {
        return Check::fail(CheckId::K02, words::step_does_not_reproduce(&step.name));
    }
    if let Some(name) = misshown(subject, assessment) {
        return Check::fail(CheckId::K02, words::step_not_as_computed(name));
    }
    let version = format!("{}@{}", assessment.document, assessment.version);
    Check::pass(CheckId::K02, words::reproduces(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_found_as_people_write_them() {
        let found = |text: &str| sums(text).into_iter().map(|(_, sum)| sum.to_string()).collect::<Vec<_>>();
        assert_eq!(found("myönnetään 2\u{a0}585,00\u{a0}€."), ["2585.00"]);
        assert_eq!(found("0,70 €/m ja 4 000 euroa"), ["0.70", "4000"]);
        assert_eq!(found("we grant €2,585.00 today"), ["2585.00"]);
        assert_eq!(found("vuonna 2026, 3 §, 14 päivää"), Vec::<String>::new());
    }
}
