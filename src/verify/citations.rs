//! K03, K04 and K05: every reason cites a section in force, and every quote stands there byte for byte.

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

use super::{Subject, prose, words};
use crate::cases::{Check, CheckId, Citation, Localized, PartKind, Reason};
use crate::clock::helsinki;
use crate::policy::format::DocumentKind;

/// A statute number in a letter: `(434/2003)`.
static STATUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(\d{1,4}/(?:19|20)\d{2})\b").expect("a fixed pattern"));

/// What is wrong with a citation, if anything: the version, the section, the quote.
fn fault(subject: &Subject<'_>, citation: &Citation) -> Option<Localized> {
    let place = format!("{}@{}#{}", citation.document, citation.version, citation.section);
    let Some(document) = subject.rulebook.library.version(&citation.document, citation.version) else {
        return Some(words::no_such_version(place));
    };
    let Some(section) = document.section(&citation.section) else {
        return Some(words::no_such_section(place));
    };
    let Some(text) = section.text(citation.language) else {
        return Some(words::no_text_in(place, citation.language));
    };
    if citation.quote.trim().is_empty() {
        return Some(words::nothing_quoted(place));
    }
    if !text.contains(&citation.quote) {
        return Some(words::quote_not_found(place));
    }
    (!is_sentence(text, &citation.quote)).then(|| words::quote_no_sentence(place))
}

/// The version that is cited: `private-road-grant@2026-01-01`.
fn place(citation: &Citation) -> String {
    format!("{}@{}", citation.document, citation.version)
}

/// Whether the quote is whole sentences of the text: a word or two prove nothing.
fn is_sentence(text: &str, quote: &str) -> bool {
    let ends = quote.ends_with(['.', '!', '?', ':', ';']);
    text.match_indices(quote).any(|(at, _)| {
        let begins = text[..at].chars().next_back().is_none_or(char::is_whitespace);
        begins && (ends || at + quote.len() == text.len())
    })
}

/// What is wrong with a citation, if anything: a policy binds as it was on its governing date, a statute as it is on
/// the day of the decision.
fn stale(subject: &Subject<'_>, citation: &Citation, governing: Date) -> Option<Localized> {
    let library = &subject.rulebook.library;
    let version = library.version(&citation.document, citation.version);
    if version.is_some_and(|document| document.kind == DocumentKind::Law) {
        if version.is_none_or(|law| !law.in_force.contains(subject.decided_on)) {
            return Some(words::not_in_force_on(place(citation), subject.decided_on));
        }
    } else if library.version_on(&citation.document, governing).is_none_or(|d| d.in_force.from != citation.version) {
        return Some(words::was_not_in_force(place(citation), governing));
    }
    fault(subject, citation)
}

/// The policy version is in force on the governing date, and each cited section stands in it as quoted.
pub fn k03(subject: &Subject<'_>) -> Check {
    let citations: Vec<_> = subject.content.reasons.iter().flat_map(|reason| &reason.citations).collect();
    let Some(assessment) = &subject.file.assessment else {
        if citations.is_empty() {
            return Check::not_applicable(CheckId::K03, words::nothing_by_policy());
        }
        // An answer to a notice may tell what the policy says; whoever let a model look for it did not evaluate it.
        if subject.content.is_decision() || subject.engine.model.is_none() {
            return Check::fail(CheckId::K03, words::policy_not_evaluated());
        }
        let arrival = subject.submission.received_at.to_zoned(helsinki()).date();
        let stale = citations.into_iter().find_map(|citation| stale(subject, citation, arrival));
        return stale.map_or_else(
            || Check::pass(CheckId::K03, words::in_force_on_arrival(arrival)),
            |stale| Check::fail(CheckId::K03, stale),
        );
    };
    let version = format!("{}@{}", assessment.document, assessment.version);
    let in_force = subject.rulebook.library.version_on(&assessment.document, assessment.governing_date);
    if in_force.is_none_or(|document| document.in_force.from != assessment.version) {
        return Check::fail(CheckId::K03, words::assessed_by_another_version(version, assessment.governing_date));
    }
    if let Some(stale) = citations.into_iter().find_map(|citation| stale(subject, citation, assessment.governing_date))
    {
        return Check::fail(CheckId::K03, stale);
    }
    Check::pass(CheckId::K03, words::was_in_force(version, assessment.governing_date))
}

/// Every statute named is on the allow-list and in force on the day of the decision.
pub fn k04(subject: &Subject<'_>) -> Check {
    let library = &subject.rulebook.library;
    for citation in &subject.content.provisions {
        if let Some(fault) = fault(subject, citation) {
            return Check::fail(CheckId::K04, fault);
        }
        let law = library.version(&citation.document, citation.version);
        if law.is_none_or(|law| law.kind != DocumentKind::Law || !law.in_force.contains(subject.decided_on)) {
            return Check::fail(CheckId::K04, words::no_statute_in_force(place(citation), subject.decided_on));
        }
    }
    let numbers: Vec<&str> = library
        .documents()
        .filter(|document| document.kind == DocumentKind::Law)
        .filter_map(|law| law.number.as_deref())
        .collect();
    let own_words = super::sources::own_words(subject);
    let unknown = STATUTE.captures_iter(&subject.content.letter).map(|found| found[1].to_owned()).find(|number| {
        !numbers.contains(&number.as_str()) && !subject.number.contains(number) && !own_words.contains(number)
    });
    match unknown {
        Some(number) => Check::fail(CheckId::K04, words::statute_not_allowed(number)),
        None if subject.content.provisions.is_empty() && subject.content.needs_power() => {
            Check::fail(CheckId::K04, words::no_provision_named())
        }
        None => Check::pass(CheckId::K04, words::provisions_in_force(subject.content.provisions.len())),
    }
}

/// Every reason rests on evidence that the case has, and on a provision; a decision has reasons.
pub fn k05(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if !content.needs_power() && content.reasons.is_empty() {
        return Check::not_applicable(CheckId::K05, words::needs_no_reasons());
    }
    if content.reasons.is_empty() {
        return Check::fail(CheckId::K05, words::no_reasons());
    }
    for reason in &content.reasons {
        let start: String = reason.text.chars().take(60).collect();
        if reason.citations.is_empty() {
            return Check::fail(CheckId::K05, words::reason_without_provision(start));
        }
        // Why something is asked for may rest on the policy alone.
        if reason.evidence.is_empty() && (content.is_decision() || subject.engine.model.is_none()) {
            return Check::fail(CheckId::K05, words::reason_without_evidence(start));
        }
        if let Some(name) = reason.evidence.iter().find(|name| subject.file.facts.get(name).is_none()) {
            return Check::fail(CheckId::K05, words::reason_without_fact(name, start));
        }
        if !content.letter.contains(reason.text.trim()) {
            return Check::fail(CheckId::K05, words::reason_not_in_letter(start));
        }
    }
    let written = content.parts.iter().filter(|part| part.kind == PartKind::Reasons);
    let stray = written.flat_map(|part| part.text.lines()).find(|line| {
        let line = line.trim().trim_start_matches("– ");
        !line.is_empty() && !content.reasons.iter().any(|reason| carries(line, reason.text.trim()))
    });
    if let Some(line) = stray {
        let start: String = line.chars().take(60).collect();
        return Check::fail(CheckId::K05, words::reason_that_nothing_carries(start));
    }
    if prose::by_model(subject)
        && content.needs_power()
        && let Some(fault) = untold(subject)
    {
        return Check::fail(CheckId::K05, fault);
    }
    Check::pass(CheckId::K05, words::reasons_carried(content.reasons.len()))
}

/// How the reasons of a model's decision differ from the rules that it must tell of, if they do: none is dropped,
/// none added, and each cites the section of its own rule.
fn untold(subject: &Subject<'_>) -> Option<Localized> {
    let content = subject.content;
    let Some(assessment) = &subject.file.assessment else {
        return Some(words::decided_without_rules());
    };
    if let Some(reason) = content.reasons.iter().find(|reason| reason.rule.is_none()) {
        let start: String = reason.text.chars().take(60).collect();
        return Some(words::reason_without_rule(start));
    }
    let told: Vec<_> = assessment.told(content.kind).collect();
    let given: Vec<_> = content.reasons.iter().filter_map(|reason| reason.rule.as_ref()).collect();
    if let Some(rule) = told.iter().find(|rule| !given.contains(&&rule.rule)) {
        return Some(words::rule_left_out(rule.rule.as_str()));
    }
    if let Some(rule) = given.iter().find(|rule| !told.iter().any(|known| known.rule == ***rule)) {
        return Some(words::rule_not_told(rule.as_str()));
    }
    if told.iter().map(|rule| &rule.rule).ne(given.iter().copied()) {
        return Some(words::rules_out_of_order());
    }
    let cites_own = |reason: &Reason| {
        prose::rule_of(subject, reason).is_some_and(|rule| {
            let own = &rule.section;
            let is_own =
                |c: &Citation| c.document == own.document && c.version == own.version && c.section == own.section;
            reason.citations.iter().any(is_own)
        })
    };
    let stray = content.reasons.iter().find(|reason| !cites_own(reason))?;
    let rule = stray.rule.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(words::rule_cites_another_section(rule))
}

/// Whether a line of the letter is that reason, with nothing but the section behind it.
fn carries(line: &str, reason: &str) -> bool {
    line.strip_prefix(reason).is_some_and(|rest| rest.is_empty() || (rest.starts_with(" (") && rest.ends_with(" §)")))
}
