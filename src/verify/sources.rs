//! K18: numbers, names and places in a draft stand in its sources; nothing is made up.
//!
//! A source is what came in, what was worked out from it, and what the municipality's people wrote: facts,
//! calculation, parameters, sections, fixed blocks, contacts. Finnish and Swedish inflect names, so a name
//! has a source when a word with the same stem has one. The day of a condition has the person who set it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

use super::prose::{self, Prose};
use super::{Subject, service, words as say};
use crate::cases::{
    Check, CheckId, Fact, Language, Localized, PartKind, Preparer, write_date, write_time, write_value,
};
use crate::municipality::format::Contact;

/// A number with its grouping, decimals, dots and colons: an amount, a date, a time, a statute.
/// Three digits after a space belong to the number before: people have no key for a space that does not break.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\d{1,3}(?:[\u{a0}\u{202f}\ ]\d{3})+(?:,\d+)?|\d[\d.,:/\-]*").expect("a fixed pattern")
});

static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{L}][\p{L}’'-]*").expect("a fixed pattern"));

/// The fixed blocks of the draft as they were written, headings included.
pub fn blocks(subject: &Subject<'_>, language: Language) -> Vec<String> {
    let mut texts = Vec::new();
    for block in &subject.content.blocks {
        let id = block.split('@').next().unwrap_or(block);
        if let Some(text) = subject.rulebook.pack.text(id, language, subject.decided_on) {
            texts.push(text.body.clone());
            texts.extend(text.title.clone());
        }
    }
    texts
}

/// Texts that the municipality's people wrote and that this draft may use word for word.
pub fn fixed_texts(subject: &Subject<'_>) -> Vec<String> {
    let pack = &subject.rulebook.pack;
    let content = subject.content;
    let mut texts = blocks(subject, content.language);
    if content.language != Language::Fi {
        // The work order is in the language of the record.
        texts.extend(blocks(subject, Language::Fi));
    }
    let citations = content.reasons.iter().flat_map(|reason| &reason.citations).chain(&content.provisions);
    for citation in citations {
        if let Some(document) = subject.rulebook.library.version(&citation.document, citation.version) {
            texts.push(document.title(citation.language).to_owned());
            texts.extend(document.number.clone());
            if let Some(section) = document.section(&citation.section) {
                texts.extend(section.text(citation.language).map(str::to_owned));
                texts.push(section.number(citation.language).to_owned());
            }
        }
    }
    let municipality = &pack.municipality;
    let languages = [content.language, Language::Fi];
    for language in languages {
        texts.push(municipality.letterhead.get(language).to_owned());
        texts.push(municipality.name.get(language).to_owned());
        contact(&municipality.registry, language, &mut texts);
        for department in municipality.departments.values() {
            texts.push(department.name.get(language).to_owned());
            contact(&department.contact, language, &mut texts);
        }
        for decider in municipality.deciders.values() {
            texts.push(decider.title.get(language).to_owned());
            texts.extend(decider.addressee.as_ref().map(|addressee| addressee.get(language).to_owned()));
        }
        texts.extend(content.appeal.addressee.clone());
        let named = [content.recipient.as_deref(), subject.file.route.as_ref().map(|route| route.authority.as_str())];
        for authority in pack.authorities.iter().filter(|row| named.contains(&Some(row.id.as_str()))) {
            texts.push(authority.name.get(language).to_owned());
            texts.push(authority.task.get(language).to_owned());
            contact(&authority.contact, language, &mut texts);
        }
        if let Some(service) = service(subject) {
            texts.push(service.name.get(language).to_owned());
            texts.extend(service.fields.iter().map(|field| field.label.get(language).to_owned()));
            let code = subject.file.classification.as_ref().and_then(|classification| classification.category.as_ref());
            for category in service.categories.iter().filter(|category| Some(&category.code) == code) {
                texts.push(category.name.get(language).to_owned());
                texts.extend(category.advice.as_ref().map(|advice| advice.get(language).to_owned()));
            }
            for target in service.urgencies.values() {
                texts.push(target.target.get(language).to_owned());
            }
        }
    }
    texts
}

fn contact(contact: &Contact, language: Language, texts: &mut Vec<String>) {
    texts.push(contact.name.get(language).to_owned());
    let known = [&contact.address, &contact.email, &contact.phone, &contact.web];
    texts.extend(known.into_iter().flatten().cloned());
    texts.extend(contact.hours.as_ref().map(|hours| hours.get(language).to_owned()));
}

/// What the sender wrote, and the names of the files they sent.
pub fn own_words(subject: &Subject<'_>) -> String {
    let mut words = String::new();
    let texts = subject.file.reading.iter().flat_map(|reading| &reading.texts).map(|text| text.text.as_str());
    let files = subject.submission.attachments.iter().map(|attachment| attachment.name.as_str());
    let party = subject.submission.party.as_ref();
    let party = [party.and_then(|p| p.name.as_deref()), party.and_then(|p| p.business_id.as_deref())];
    for text in texts.chain(files).chain(party.into_iter().flatten()) {
        words.push_str(text);
        words.push('\n');
    }
    words
}

/// What was worked out: facts, calculation, parameters, dates of this case, reasons as the rules gave them.
fn worked_out(subject: &Subject<'_>) -> Vec<String> {
    let language = subject.content.language;
    let mut texts = vec![subject.number.to_owned(), write_date(subject.decided_on, language)];
    texts.extend(subject.file.other_cases());
    let mut languages = vec![language];
    if language != Language::Fi {
        languages.push(Language::Fi);
    }
    for language in languages {
        texts.push(write_time(subject.submission.received_at, language));
        for fact in subject.file.facts.iter() {
            texts.push(write_value(&fact.value, fact.unit.as_deref(), language));
        }
        if let Some(assessment) = &subject.file.assessment {
            for step in &assessment.calculation {
                texts.push(step.label.get(language).to_owned());
                texts.extend(step.value.as_ref().map(|value| write_value(value, step.unit.as_deref(), language)));
            }
            for rule in &assessment.rules {
                texts.push(rule.reason.get(language).to_owned());
                for parameter in rule.parameters.values() {
                    texts.push(write_value(&parameter.value, parameter.unit.as_deref(), language));
                }
            }
            texts.extend(assessment.questions.iter().map(|question| question.text.get(language).to_owned()));
            texts.extend(assessment.amount.map(|amount| amount.format(language)));
        }
        let questions = subject.file.questions.iter().chain(&subject.file.asked);
        texts.extend(questions.map(|question| question.text.get(language).to_owned()));
        if let Some(about) = &subject.file.about {
            texts.push(about.case.number.clone());
            texts.push(write_date(about.decided_on, language));
        }
        texts.extend(subject.file.rulings.iter().map(|ruling| ruling.reason.clone()));
        texts.extend(
            subject
                .file
                .withdrawal
                .iter()
                .map(|one| write_date(one.at.to_zoned(crate::clock::helsinki()).date(), language)),
        );
        for hearing in &subject.file.hearings {
            texts.push(write_date(hearing.until, language));
            texts.extend(hearing.answered.map(|at| write_time(at, language)));
        }
        texts.extend(subject.content.deadline.map(|deadline| write_date(deadline, language)));
    }
    // The day on which the draft was made stands in its heading; a later check must still know it.
    texts.extend(subject.content.part(PartKind::Heading).and_then(|part| drafting_day(&part.text)));
    if let Some(delegation) = service(subject).and_then(|service| service.delegation_of(subject.file))
        && let Some(row) = subject.rulebook.pack.delegation(&delegation, subject.decided_on)
        && let Some((document, section)) = row.source.split_once('#')
    {
        let document =
            document.parse().ok().and_then(|id| subject.rulebook.library.version_on(&id, subject.decided_on));
        let section = section.parse().ok();
        texts.extend(document.zip(section).and_then(|(document, section)| document.cite(&section, language)));
    }
    texts.extend(
        subject.file.route.iter().flat_map(|route| route.evidence.iter().cloned().chain([route.because.clone()])),
    );
    texts
        .extend(subject.file.hear.iter().flat_map(|order| [&order.about].into_iter().chain(&order.documents)).cloned());
    if let Some(days) = subject.content.appeal.days {
        texts.push(days.to_string());
    }
    texts.push(service(subject).map_or(14, |service| service.completion_days).to_string());
    texts.push(service(subject).map_or(30, |service| service.payment_days).to_string());
    if let Some(location) = &subject.submission.location {
        texts.extend([location.lat, location.lon].into_iter().flatten().map(|degrees| format!("{degrees:.5}")));
    }
    texts
}

/// The heading's own date line: the only date that a draft may carry without another source.
fn drafting_day(heading: &str) -> Option<String> {
    heading.lines().find(|line| line.matches('.').count() == 2).map(str::to_owned)
}

/// Every number and every capitalised word of the letter and the work order stands in a source.
pub fn k18(subject: &Subject<'_>) -> Check {
    let mut sources = fixed_texts(subject);
    sources.push(own_words(subject));
    sources.extend(worked_out(subject));
    let numbers: BTreeSet<String> = sources.iter().flat_map(|text| numbers(text)).collect();
    let words = capitalised(&sources);
    let set = days_set(subject, &numbers);
    let elsewhere = subject.content.parts.iter().filter(|part| part.kind != PartKind::Conditions);
    let elsewhere = elsewhere.flat_map(|part| [Some(&part.text), part.title.as_ref()]);
    let elsewhere = elsewhere.chain([subject.content.work_order.as_ref()]).flatten();
    let unknown = elsewhere.flat_map(|text| self::numbers(text)).find(|number| !numbers.contains(number));
    let in_letter = || self::numbers(&subject.content.letter).into_iter();
    let unknown = unknown.or_else(|| in_letter().find(|number| !numbers.contains(number) && !set.contains(number)));
    if let Some(number) = unknown {
        return Check::fail(CheckId::K18, say::number_without_source(number));
    }
    for part in &subject.content.parts {
        if let Some(name) = names(&part.text).find(|name| !has_source(name, &words)) {
            return Check::fail(CheckId::K18, say::name_without_source(name, part.kind));
        }
    }
    if prose::by_model(subject)
        && let Some(fault) = prose::written(subject).iter().find_map(|piece| made_up(subject, piece))
    {
        return Check::fail(CheckId::K18, fault);
    }
    if set.is_empty() {
        return Check::pass(CheckId::K18, say::everything_has_a_source());
    }
    Check::pass(CheckId::K18, say::the_person_set_the_days(set.into_iter().collect::<Vec<_>>().join(", ")))
}

/// The days that a person set in the conditions, from the day of the decision on: until when a culvert is mended is nobody
/// else's to know (hallintolaki 44 §). An amount, a length or a day of another part is none of theirs to make up.
fn days_set(subject: &Subject<'_>, known: &BTreeSet<String>) -> BTreeSet<String> {
    if !matches!(subject.preparer, Preparer::Person { .. }) {
        return BTreeSet::new();
    }
    let conditions = subject.content.part(PartKind::Conditions).map_or("", |part| part.text.as_str());
    let is_ahead = |number: &String| day(number).is_some_and(|day| day >= subject.decided_on);
    numbers(conditions).into_iter().filter(|number| !known.contains(number) && is_ahead(number)).collect()
}

/// The day that `31.8.2026` writes.
fn day(number: &str) -> Option<Date> {
    let mut parts = number.split('.');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// What a piece of a model's prose tells that its own sources do not: the facts it rests on, the sections it cites,
/// its rule. That a stranger wrote it somewhere is no source.
fn made_up(subject: &Subject<'_>, piece: &Prose<'_>) -> Option<Localized> {
    let sources = own_sources(subject, piece);
    let known: BTreeSet<String> = sources.iter().flat_map(|text| numbers(text)).collect();
    if let Some(number) = numbers(&piece.text).into_iter().find(|number| !known.contains(number)) {
        return Some(say::number_in_none_of_its_sources(number, &piece.place));
    }
    let said =
        |text: &str| NUMBER_WORD.find_iter(text).map(|word| word.as_str().to_lowercase()).collect::<BTreeSet<_>>();
    let known: BTreeSet<String> = sources.iter().flat_map(|text| said(text)).collect();
    if let Some(word) = said(&piece.text).into_iter().find(|word| !known.contains(word)) {
        return Some(say::number_word_in_none_of_its_sources(word, &piece.place));
    }
    // A name may also come from what the municipality's people wrote: authorities, units, roads of the pack.
    let known = capitalised(&[sources, fixed_texts(subject)].concat());
    let name = names(&piece.text).find(|name| !has_source(name, &known))?;
    Some(say::name_in_none_of_its_sources(name, &piece.place))
}

/// Numbers as words, from a hundred: nobody writes a small one out to deceive.
static NUMBER_WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b\p{L}*(?:tuhat|tuhan|sata|satoja|miljoon|tusen|hundra|miljon|thousand|hundred|million)\p{L}*\b")
        .expect("a fixed pattern")
});

/// The sources of one piece of prose.
fn own_sources(subject: &Subject<'_>, piece: &Prose<'_>) -> Vec<String> {
    let language = subject.content.language;
    let free = |name: &str| {
        let field = service(subject).and_then(|service| service.fields.iter().find(|field| field.name == name));
        field.is_some_and(|field| field.free_text)
    };
    let fact = |fact: &Fact| write_value(&fact.value, fact.unit.as_deref(), language);
    let facts = subject.file.facts.iter().filter(|known| !free(&known.name));
    let mut texts = vec![subject.number.to_owned()];
    let Some(reason) = piece.reason else {
        // Labels, fixed blocks, the category: all written by people of the municipality.
        texts.extend(fixed_texts(subject));
        texts.extend(facts.map(fact));
        texts.extend([subject.submission.received_at].map(|at| write_time(at, language)));
        texts.extend(subject.content.deadline.map(|day| write_date(day, language)));
        texts.extend(place(subject));
        return texts;
    };
    texts.extend(facts.filter(|known| reason.evidence.contains(&known.name)).map(fact));
    for citation in &reason.citations {
        let document = subject.rulebook.library.version(&citation.document, citation.version);
        texts.extend(document.map(|document| document.title(citation.language).to_owned()));
        let section = document.and_then(|document| document.section(&citation.section));
        texts.extend(section.and_then(|section| section.text(citation.language)).map(str::to_owned));
        texts.extend(section.map(|section| section.number(citation.language).to_owned()));
    }
    let Some(rule) = prose::rule_of(subject, reason) else {
        // Why something is asked for, or whose a road is.
        let questions = subject.file.open_questions();
        texts.extend(questions.into_iter().map(|question| question.text.get(language).to_owned()));
        texts.extend(subject.content.deadline.map(|day| write_date(day, language)));
        texts.extend(place(subject));
        return texts;
    };
    texts.push(rule.reason.get(language).to_owned());
    let parameters = rule.parameters.values().map(|used| write_value(&used.value, used.unit.as_deref(), language));
    texts.extend(parameters.chain(rule.inputs.values().map(fact)));
    let steps = subject.file.assessment.iter().flat_map(|assessment| &assessment.calculation);
    for step in steps.filter(|step| rule.steps.contains_key(&step.name)) {
        texts.push(step.label.get(language).to_owned());
        texts.extend(step.value.as_ref().map(|value| write_value(value, step.unit.as_deref(), language)));
    }
    texts
}

/// The place of the matter as the sender gave it, and the words by which code told whose it is.
fn place(subject: &Subject<'_>) -> Vec<String> {
    let location = subject.submission.location.as_ref().and_then(|location| location.address.clone());
    let route = subject.file.route.iter().flat_map(|route| route.evidence.iter().cloned());
    route.chain(location).collect()
}

/// Every word with a capital, in lower case. A name's source is a name: "koskien" is none for "Koskinen".
fn capitalised(texts: &[String]) -> BTreeSet<String> {
    texts
        .iter()
        .flat_map(|text| WORD.find_iter(text))
        .filter(|word| word.as_str().chars().next().is_some_and(char::is_uppercase))
        .map(|word| word.as_str().to_lowercase())
        .collect()
}

/// Numbers in one form: grouping taken away, decimal comma as a point, trailing marks off.
fn numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for number in NUMBER.find_iter(text) {
        // A digit within a word is part of a code (U4, s12), not a number.
        if text[..number.start()].chars().next_back().is_some_and(char::is_alphabetic) {
            continue;
        }
        let bare: String = number.as_str().chars().filter(|c| !c.is_whitespace()).collect();
        let bare = bare.trim_end_matches(['.', ',', ':', '/', '-']).replace(',', ".");
        // 2585.00 and 2585 are the same amount.
        let bare = match bare.split_once('.') {
            Some((whole, zeros)) if zeros.chars().all(|c| c == '0') && zeros.len() <= 2 => whole.to_owned(),
            _ => bare,
        };
        found.push(bare);
    }
    found
}

/// Capitalised words that do not begin a sentence or a line: names of people, places and organisations.
fn names(text: &str) -> impl Iterator<Item = &str> {
    WORD.find_iter(text).filter_map(move |word| {
        let before = text[..word.start()].trim_end_matches([' ', '\u{a0}', '”', '"', '(', '“', '–', '-']);
        let starts = before.is_empty() || before.ends_with(['.', '!', '?', ':', '\n', ';']);
        let capital = word.as_str().chars().next().is_some_and(char::is_uppercase);
        (capital && !starts && word.as_str().chars().count() > 1).then_some(word.as_str())
    })
}

/// Whether a name with the same stem stands in a source. Finnish names change at their end (Turku, Turun; Mikko,
/// Mikon), so all but the last three letters must agree, and never fewer than three.
fn has_source(name: &str, names: &BTreeSet<String>) -> bool {
    let lower = name.to_lowercase();
    if names.contains(&lower) || is_abbreviation(name) {
        return true;
    }
    let length = lower.chars().count();
    let stem: String = lower.chars().take(length.saturating_sub(3).max(3)).collect();
    length > 3 && names.range(stem.clone()..).next().is_some_and(|known| known.starts_with(&stem))
}

/// EU, ELY, LVV: no person's name.
fn is_abbreviation(name: &str) -> bool {
    name.chars().count() <= 4 && name.chars().all(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(numbers("2\u{a0}585,00 € ja 3.3.2026, 14 päivää"), ["2585", "3.3.2026", "14"]);
        assert_eq!(numbers("1 380,00 € vuonna 2026 100 metriä"), ["1380", "2026", "100"]);
        assert_eq!(numbers("HRJ/2026/00001 klo 15.00.01"), ["2026/00001", "15.00.01"]);
    }

    #[test]
    fn names_are_words_within_a_sentence() {
        let found: Vec<_> = names("Hakija on Harjun tiekunta. Päätös koskee Mäntytietä.").collect();
        assert_eq!(found, ["Harjun", "Mäntytietä"]);
    }

    #[test]
    fn an_inflected_name_has_its_source() {
        let words = ["mäntytie".to_owned(), "harjun".to_owned()].into();
        assert!(has_source("Mäntytietä", &words));
        assert!(!has_source("Kuusitie", &words));
        let names = ["turku".to_owned(), "mikko".to_owned()].into();
        assert!(has_source("Turun", &names) && has_source("Mikon", &names));
    }
}
