//! Step `gather`: facts with evidence, from the form, the attachments, the registers and the clock.
//!
//! What a field says is parsed to its type; what cannot be parsed, is missing or fails its check digit
//! becomes a question to the applicant. Nothing is guessed or corrected in silence; what a model found stated in a text
//! is read by the same code ([`stated`]).

pub mod stated;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::AmbiguousOffset;
use regex::Regex;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::proposals::{Proposals, credit};
use super::{Circumstances, Desk, Error, Step, local_date};
use crate::cases::{
    About, CaseFile, Euro, Evidence, Fact, Facts, Flag, Localized, Matter, ParameterValue, Question, Reading,
    Submission, Value,
};
use crate::clock::helsinki;
use crate::municipality::condition::{Condition, RESIDENTS};
use crate::municipality::format::{
    AboutDecision, AttachmentRule, Field, FieldType, OfDecision, RegisterFact, ServiceFile,
};
use crate::municipality::notice::{self, Channel};
use crate::policy::{Governing, WindowSpan};
use crate::text::identifiers::{BusinessId, Iban, IdentityCode};
use crate::text::normalize;

/// Note of a fact that stands for a field left empty.
pub const LEFT_EMPTY: &str = "left empty on the form";
/// Note of the sending time when the sender gave none.
pub const NO_SENDING_TIME: &str = "the sender gave no time: the arrival";

/// The fact that tells how many have signed.
const SIGNATURES: &str = "signatures";
/// "90 allekirjoitusta", "90 asukkaan nimet", "90 underskrifter", "90 residents".
static SIGNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(\d{1,6})\s+(?:allekirjoit|nime|nimi|asuk|kuntalai|underskri|namn|invånar|signatur|names|residents)\w*",
    )
    .expect("a fixed pattern")
});
/// Days to claim revision from the notice (kuntalaki 138 §).
const CLAIM_DAYS: u32 = 14;
/// The fact that tells the last of them.
const CLAIM_UNTIL: &str = "claim_until";

/// Why a field gave no fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Not of the field's type.
    Type,
    /// A check digit does not match.
    CheckDigit,
    /// Below or above what is possible.
    Range,
}

/// Fills `file.facts` and `file.questions`.
pub fn run(
    desk: &Desk,
    submission: &Submission,
    file: &mut CaseFile,
    at: &Circumstances<'_>,
    proposals: &Proposals,
) -> Result<(), Error> {
    let classification = file.classification.as_ref().ok_or(Error::OutOfOrder { step: "gather", needs: "classify" })?;
    let is_notice = classification.matter == Matter::FaultNotice;
    let mut facts = Facts::default();
    let mut questions = Vec::new();
    let service = classification.service.as_ref().and_then(|id| desk.rulebook.pack.service(id));
    if let Some(service) = service {
        for field in &service.fields {
            from_field(field, submission, &mut facts, &mut questions, &mut file.flags);
        }
        for rule in &service.attachments {
            from_attachment(rule, submission, &mut facts, &mut questions);
        }
        counted(desk, service, submission, file.reading.as_ref(), &mut facts);
        required_by_the_case(service, submission, &facts, &mut questions);
    }
    let window = service
        .and_then(|service| service.policy.as_ref())
        .and_then(|policy| desk.rulebook.library.window_for(policy, submission.received_at));
    from_clock(submission, window.as_ref(), &mut facts);
    if let (Some(about), true) = (&file.about, classification.matter == Matter::ClaimForRevision) {
        from_the_decision(about, submission, &mut facts);
        questions.retain(|question| question.about != "decision_number");
    }
    if let (Some(about), Some(named)) = (&file.about, service.and_then(|service| service.about.as_ref())) {
        given_by_the_decision(about, named, &mut facts);
        questions.retain(|question| facts.get(&question.about).is_none());
    }
    if let Some(service) = service {
        // What a person put right may be the very day that picks the version.
        let mut known = facts.clone();
        file.corrections.iter().filter_map(|correction| correction.stated.clone()).for_each(|fact| known.insert(fact));
        if let Some(governing) = governing(desk, service, submission, &known, at) {
            from_registers(desk, service, governing.on, &mut facts);
        }
    }
    let taken = stated::take_over(service, submission, &proposals.facts, file, &mut facts, &mut questions);
    if let Some(engine) = file.engine.as_mut() {
        credit(engine, Step::Gather, proposals.credit.as_ref().filter(|_| taken));
    }
    if is_notice && !has_place(submission) {
        file.flags.insert(Flag::NeedsLocation);
    } else {
        file.flags.remove(&Flag::NeedsLocation);
    }
    if window.as_ref().is_some_and(|window| submission.received_at > window.closes) {
        file.flags.insert(Flag::Late);
    }
    for correction in &mut file.corrections {
        correction.read = facts.get(&correction.name).cloned();
    }
    file.facts = facts;
    file.questions = questions;
    correct(service, file);
    Ok(())
}

/// Lets what people said of facts stand above what was read: a stated fact closes the question about it, a withdrawn one
/// opens it.
pub fn correct(service: Option<&ServiceFile>, file: &mut CaseFile) {
    for correction in &file.corrections {
        let name = &correction.name;
        if let Some(fact) = &correction.stated {
            file.questions.retain(|question| question.about != *name);
            file.facts.insert(fact.clone());
            continue;
        }
        file.facts.remove(name);
        if file.questions.iter().all(|question| question.about != *name) {
            file.questions.extend(service.and_then(|service| asks_for(service, name)));
        }
    }
    // How the notice was given moves the last day of a claim.
    if let Some(about) = file.about.as_ref().filter(|_| file.facts.get(CLAIM_UNTIL).is_some()) {
        file.facts.insert(claim_until(about, &file.facts));
    }
}

/// The question about a fact that a service cannot do without.
fn asks_for(service: &ServiceFile, name: &str) -> Option<Question> {
    if let Some(field) = service.fields.iter().find(|field| field.name == name) {
        let needed = field.required || field.required_when.is_some();
        return needed.then(|| question(&field.name, field.ask.as_ref(), &field.label));
    }
    let rule = service.attachments.iter().find(|rule| name.strip_prefix("attachment_") == Some(rule.name.as_str()))?;
    rule.required.then(|| question_for_file(rule))
}

/// What a case of the service is judged by ([`Library::governing`]); none for a service without a policy.
///
/// [`Library::governing`]: crate::policy::Library::governing
#[must_use]
pub fn governing<'a>(
    desk: &'a Desk,
    service: &ServiceFile,
    submission: &Submission,
    facts: &Facts,
    at: &Circumstances<'_>,
) -> Option<Governing<'a>> {
    desk.rulebook.library.governing(service.policy.as_ref()?, submission.received_at, at.today(), facts)
}

/// How many have signed, and of how many residents, where the service's time to answer hangs on it (kuntalaki 23 §).
fn counted(desk: &Desk, service: &ServiceFile, submission: &Submission, reading: Option<&Reading>, facts: &mut Facts) {
    let share = service.handling_time.extended.as_ref().is_some_and(|more| more.when.counts_residents());
    if !share {
        return;
    }
    facts.insert(Fact {
        name: RESIDENTS.to_owned(),
        value: Value::Number(Decimal::from(desk.rulebook.pack.municipality.residents)),
        unit: None,
        evidence: Evidence::Register {
            register: "municipality.yaml".to_owned(),
            as_of: super::local_date(submission.received_at),
        },
    });
    let message = reading.map(Reading::message).unwrap_or_default();
    if facts.get(SIGNATURES).is_none()
        && let Some(found) = SIGNED.captures(&message)
        && let (Some(words), Ok(count)) = (found.get(0), found[1].parse::<u32>())
    {
        facts.insert(Fact {
            name: SIGNATURES.to_owned(),
            value: Value::Number(Decimal::from(count)),
            unit: None,
            evidence: Evidence::Text { quote: words.as_str().to_owned(), start: words.start(), end: words.end() },
        });
    }
}

/// The facts that the fields of a form state.
fn said_on_the_form(service: &ServiceFile, submission: &Submission) -> Facts {
    let (mut facts, mut questions, mut flags) = (Facts::default(), Vec::new(), BTreeSet::new());
    for field in &service.fields {
        from_field(field, submission, &mut facts, &mut questions, &mut flags);
    }
    facts
}

/// Asks for what only cases of this kind need, once what kind it is is known.
fn required_by_the_case(service: &ServiceFile, submission: &Submission, facts: &Facts, questions: &mut Vec<Question>) {
    // Nobody who wrote an e-mail is asked for its address.
    let known = submission.party.as_ref().is_some_and(|party| party.email.is_some());
    let needed = |when: &Option<Condition>| when.as_ref().is_some_and(|when| when.holds(facts) == Some(true));
    let asked = |questions: &[Question], about: &str| questions.iter().any(|question| question.about == about);
    for field in service.fields.iter().filter(|field| needed(&field.required_when)) {
        if known && field.kind == FieldType::Email {
            continue;
        }
        if facts.get(&field.name).is_none() && !asked(questions, &field.name) {
            questions.push(question(&field.name, field.ask.as_ref(), &field.label));
        }
    }
    for rule in service.attachments.iter().filter(|rule| needed(&rule.required_when)) {
        if facts.get(&format!("attachment_{}", rule.name)).is_none() {
            questions.push(question_for_file(rule));
        }
    }
}

fn has_place(submission: &Submission) -> bool {
    let location = submission.location.as_ref();
    location.is_some_and(|location| location.address.is_some() || (location.lat.is_some() && location.lon.is_some()))
        || submission.fields.iter().any(|(name, value)| {
            name.starts_with("location") && value.as_str().is_some_and(|text| !text.trim().is_empty())
        })
}

fn question(about: &str, ask: Option<&Localized>, label: &Localized) -> Question {
    let text = ask.cloned().unwrap_or_else(|| Localized {
        fi: format!("Ilmoittakaa: {}.", label.fi),
        sv: format!("Uppge: {}.", label.sv),
        en: label.en.as_ref().map(|label| format!("Please give: {label}.")),
    });
    Question { about: about.to_owned(), text, rule: None, section: None }
}

fn from_field(
    field: &Field,
    submission: &Submission,
    facts: &mut Facts,
    questions: &mut Vec<Question>,
    flags: &mut BTreeSet<Flag>,
) {
    let given = submission.fields.get(&field.name).filter(|value| !field.office && !is_empty(value));
    let Some(given) = given else {
        if let Some(meaning) = &field.empty_means {
            if let Some(value) = written(meaning, field.kind) {
                facts.insert(Fact {
                    name: field.name.clone(),
                    value,
                    unit: field.unit.clone(),
                    evidence: Evidence::Computed {
                        from: vec![format!("field:{}", field.name)],
                        note: LEFT_EMPTY.to_owned(),
                    },
                });
            }
        } else if field.required && !in_the_message(field, submission) {
            questions.push(question(&field.name, field.ask.as_ref(), &field.label));
        }
        return;
    };
    match parse(field, given) {
        Ok(value) => facts.insert(Fact {
            name: field.name.clone(),
            value,
            unit: field.unit.clone(),
            evidence: Evidence::Form { field: field.name.clone() },
        }),
        Err(problem) => {
            if problem == Unreadable::CheckDigit {
                flags.insert(Flag::InvalidIdentifier);
            }
            questions.push(unreadable(field, problem));
        }
    }
}

/// What keeps a value from being read, for a form that says so before it is sent; none for an empty one.
#[must_use]
pub fn fault(field: &Field, typed: &str) -> Option<Unreadable> {
    let given = Json::String(typed.to_owned());
    if is_empty(&given) { None } else { parse(field, &given).err() }
}

fn unreadable(field: &Field, problem: Unreadable) -> Question {
    let (fi, sv, en) = match problem {
        Unreadable::Type => (
            "tietoa ei voitu lukea. Antakaa se uudelleen",
            "uppgiften kunde inte läsas. Ge den på nytt",
            "this could not be read. Please give it again",
        ),
        Unreadable::CheckDigit => (
            "tunnuksen tarkiste ei täsmää. Tarkistakaa tunnus",
            "kontrolltecknet stämmer inte. Kontrollera beteckningen",
            "the check digit does not match. Please check it",
        ),
        Unreadable::Range => (
            "arvo ei ole mahdollinen. Tarkistakaa tieto",
            "värdet är inte möjligt. Kontrollera uppgiften",
            "this value is not possible. Please check it",
        ),
    };
    Question {
        about: field.name.clone(),
        text: Localized {
            fi: format!("{}: {fi}.", field.label.fi),
            sv: format!("{}: {sv}.", field.label.sv),
            en: Some(format!("{}: {en}.", field.label.en.as_ref().unwrap_or(&field.label.fi))),
        },
        rule: None,
        section: None,
    }
}

/// Whether somebody who wrote freely, and filled in no form, said there what the field asks for in words.
fn in_the_message(field: &Field, submission: &Submission) -> bool {
    field.free_text && submission.text.as_ref().is_some_and(|text| !text.trim().is_empty())
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => normalize(text).text.trim().is_empty(),
        _ => false,
    }
}

/// A value as a person wrote it in a file, in the type of a field.
fn written(value: &ParameterValue, kind: FieldType) -> Option<Value> {
    let text = match value {
        ParameterValue::Integer(number) => number.to_string(),
        ParameterValue::Flag(flag) => return Some(Value::Flag(*flag)),
        ParameterValue::Text(text) => text.clone(),
    };
    typed(kind, &text).ok()
}

/// What a field's value says in the field's type; none where it cannot be read or is not possible.
#[must_use]
pub fn value(field: &Field, given: &Json) -> Option<Value> {
    parse(field, given).ok()
}

/// What a field's value says in the field's type.
///
/// # Errors
/// [`Unreadable`]: why it gives no fact.
pub fn parse(field: &Field, given: &Json) -> Result<Value, Unreadable> {
    if field.kind == FieldType::Flag {
        return flag(given).map(Value::Flag).ok_or(Unreadable::Type);
    }
    let text = match given {
        Json::String(text) => normalize(text).text.trim().to_owned(),
        // A number that came as JSON keeps its written digits; it never becomes a float.
        Json::Number(number) => number.to_string(),
        _ => return Err(Unreadable::Type),
    };
    let value = if field.kind == FieldType::Choice {
        field.choices.contains_key(&text).then_some(Value::Text(text)).ok_or(Unreadable::Type)?
    } else {
        typed(field.kind, &text)?
    };
    in_range(field, value)
}

fn in_range(field: &Field, value: Value) -> Result<Value, Unreadable> {
    let number = match &value {
        Value::Number(number) => *number,
        Value::Money(euro) => euro.decimal(),
        _ => return Ok(value),
    };
    let bound = |written: &Option<ParameterValue>| match written {
        Some(ParameterValue::Integer(number)) => Some(Decimal::from(*number)),
        Some(ParameterValue::Text(text)) => Decimal::from_str(text).ok(),
        _ => None,
    };
    let low = bound(&field.min).unwrap_or(Decimal::ZERO);
    if number < low || bound(&field.max).is_some_and(|high| number > high) {
        return Err(Unreadable::Range);
    }
    Ok(value)
}

fn typed(kind: FieldType, text: &str) -> Result<Value, Unreadable> {
    match kind {
        FieldType::Number => number(text).map(Value::Number).ok_or(Unreadable::Type),
        FieldType::Money => {
            number(text).and_then(|number| Euro::exact(number).ok()).map(Value::Money).ok_or(Unreadable::Type)
        }
        FieldType::Date => date(text).map(Value::Date).ok_or(Unreadable::Type),
        FieldType::Moment => moment(text).map(Value::Time).ok_or(Unreadable::Type),
        FieldType::Flag => word_flag(text).map(Value::Flag).ok_or(Unreadable::Type),
        FieldType::Iban => Iban::parse(text).map(|_| Value::Text(compact(text))).map_err(|_| Unreadable::CheckDigit),
        FieldType::BusinessId => {
            BusinessId::parse(text).map(|_| Value::Text(compact(text))).map_err(|_| Unreadable::CheckDigit)
        }
        FieldType::IdentityCode => {
            IdentityCode::parse(text).map(|_| Value::Text(compact(text))).map_err(|_| Unreadable::CheckDigit)
        }
        FieldType::Text | FieldType::Choice | FieldType::Email | FieldType::Phone => Ok(Value::Text(text.to_owned())),
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase()
}

/// A number as people write it: `2350`, `2 350`, `6 120,40`, `6120.40`, with `m` or `€` after it.
fn number(text: &str) -> Option<Decimal> {
    let bare = text.trim().trim_end_matches(['€', 'm']).trim();
    let plain: String = bare
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}'))
        .map(|c| if c == ',' { '.' } else { c })
        .collect();
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let readable = !digits.is_empty()
        && digits.len() <= 20
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.starts_with(|c: char| c.is_ascii_digit());
    if readable { Decimal::from_str_exact(&plain).ok() } else { None }
}

/// A day as `2026-03-10` or `10.3.2026`; a day that does not exist is none.
fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    if let Ok(date) = text.parse::<Date>() {
        return Some(date);
    }
    let mut parts = text.split('.').map(str::trim);
    let (day, month, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, month, day).ok()
}

/// A day and time in Finland as forms send it, `2026-05-12T18:00`, and as people write it, `12.5.2026 klo 18.00`; a
/// moment that the change to summer time leaves out is none.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let (day, time) = text.split_once(['T', ' '])?;
    let time = time.trim().trim_start_matches("klo").trim_start_matches("kl.").trim();
    let mut parts = time.split([':', '.']).map(|part| part.trim().parse::<i8>().ok());
    let (hour, minute) = (parts.next()??, parts.next().unwrap_or(Some(0))?);
    let local = date(day)?.to_datetime(jiff::civil::Time::new(hour, minute, 0, 0).ok()?);
    let zoned = helsinki().to_ambiguous_zoned(local);
    let exists = !matches!(zoned.offset(), AmbiguousOffset::Gap { .. });
    exists.then(|| zoned.compatible().ok()).flatten().map(|zoned| zoned.timestamp())
}

/// Yes or no, as forms send it and people write it in three languages.
#[must_use]
pub fn flag(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        Json::String(text) => word_flag(text),
        _ => None,
    }
}

fn word_flag(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "kyllä" | "joo" | "ja" => Some(true),
        "false" | "no" | "off" | "0" | "ei" | "nej" => Some(false),
        _ => None,
    }
}

fn from_attachment(rule: &AttachmentRule, submission: &Submission, facts: &mut Facts, questions: &mut Vec<Question>) {
    let found = submission.attachments.iter().find(|attachment| {
        let name = attachment.name.to_lowercase();
        rule.file_words.iter().any(|word| name.contains(&word.to_lowercase()))
    });
    match found {
        Some(attachment) => facts.insert(Fact {
            name: format!("attachment_{}", rule.name),
            value: Value::Flag(true),
            unit: None,
            evidence: Evidence::Attachment { name: attachment.name.clone(), page: 1, quote: String::new() },
        }),
        None if rule.required => questions.push(question_for_file(rule)),
        None => {}
    }
}

fn question_for_file(rule: &AttachmentRule) -> Question {
    let mut missing = question(&format!("attachment_{}", rule.name), rule.ask.as_ref(), &rule.label);
    if rule.ask.is_none() {
        missing.text = Localized {
            fi: format!("Toimittakaa liite: {}.", rule.label.fi),
            sv: format!("Skicka bilagan: {}.", rule.label.sv),
            en: rule.label.en.as_ref().map(|label| format!("Please send the attachment: {label}.")),
        };
    }
    missing
}

fn from_clock(submission: &Submission, window: Option<&WindowSpan<'_>>, facts: &mut Facts) {
    let mut at = |name: &str, time, from: &str, note: &str| {
        facts.insert(Fact {
            name: name.to_owned(),
            value: Value::Time(time),
            unit: None,
            evidence: Evidence::Computed { from: vec![from.to_owned()], note: note.to_owned() },
        });
    };
    at("received_at", submission.received_at, "submission", "when it was available to our system (13/2003 10 §)");
    match submission.sent_at {
        // A sender's clock may run ahead of ours; a message is never sent after it arrived.
        Some(sent) => at("sent_at", sent.min(submission.received_at), "submission", "when the sender says it was sent"),
        None => at("sent_at", submission.received_at, "submission", NO_SENDING_TIME),
    }
    if let Some(window) = window {
        at("window_opens", window.opens, "policy", "first moment of the application window");
        at("window_end", window.closes, "policy", "last moment of the application window");
    }
}

/// Until when a decision can be challenged. Without a word on how the notice was given the longest clock counts: nobody loses
/// time that they had.
fn claim_until(about: &About, facts: &Facts) -> Fact {
    let channel = match facts.get("notice_channel").map(|fact| fact.value.plain()).as_deref() {
        Some("electronic") => Channel::ElectronicNotice,
        Some("minutes") => Channel::Minutes,
        _ => Channel::Letter,
    };
    let until = notice::appeal_until(notice::known_on(about.decided_on, channel), CLAIM_DAYS);
    let from = vec!["decision_date".to_owned(), "notice_channel".to_owned()];
    let evidence = Evidence::Computed { from, note: "14 days from the presumed notice".to_owned() };
    Fact { name: CLAIM_UNTIL.to_owned(), value: Value::Date(until), unit: None, evidence }
}

/// When the decision that a claim is about was made, until when it could be challenged, and when the claim came (kuntalaki 138
/// and 139 §).
fn from_the_decision(about: &About, submission: &Submission, facts: &mut Facts) {
    facts.insert(claim_until(about, facts));
    let computed = |from: &[&str], note: &str| Evidence::Computed {
        from: from.iter().map(|&name| name.to_owned()).collect(),
        note: note.to_owned(),
    };
    let register = Evidence::Register { register: about.case.number.clone(), as_of: about.decided_on };
    for (name, value, evidence) in [
        ("decision_number", Value::Text(about.case.number.clone()), register.clone()),
        ("decision_date", Value::Date(about.decided_on), register),
        (
            "claim_date",
            Value::Date(local_date(submission.received_at)),
            computed(&["received_at"], "the day on which it arrived"),
        ),
    ] {
        facts.insert(Fact { name: name.to_owned(), value, unit: None, evidence });
    }
}

/// What the decision that a case is about says: it stands above what the form says of it.
fn given_by_the_decision(about: &About, named: &AboutDecision, facts: &mut Facts) {
    let register = || Evidence::Register { register: about.case.number.clone(), as_of: about.decided_on };
    let mut give = |name: &str, value: Option<Value>, unit: Option<&str>| {
        if let Some(value) = value {
            facts.insert(Fact { name: name.to_owned(), value, unit: unit.map(str::to_owned), evidence: register() });
        }
    };
    give(&named.field, Some(Value::Text(about.case.number.clone())), None);
    for (name, what) in &named.gives {
        let value = match what {
            OfDecision::Party => about.party.clone().map(Value::Text),
            OfDecision::Amount => about.amount.map(Value::Money),
            OfDecision::Date => Some(Value::Date(about.decided_on)),
            OfDecision::Service => about.service.as_ref().map(|service| Value::Text(service.to_string())),
        };
        give(name, value, (*what == OfDecision::Amount).then_some("EUR"));
    }
}

fn from_registers(desk: &Desk, service: &ServiceFile, on: Date, facts: &mut Facts) {
    let registers = &desk.rulebook.pack.municipality.registers;
    let holds = |row: &&RegisterFact| row.service == service.id && row.valid.contains(on) && row.about.is_none();
    for row in registers.iter().filter(holds) {
        let value = match &row.value {
            ParameterValue::Integer(number) => Value::Number(Decimal::from(*number)),
            ParameterValue::Flag(flag) => Value::Flag(*flag),
            ParameterValue::Text(text) => {
                Decimal::from_str_exact(text).map_or_else(|_| Value::Text(text.clone()), Value::Number)
            }
        };
        facts.insert(Fact {
            name: row.fact.clone(),
            value,
            unit: None,
            evidence: Evidence::Register { register: row.source.clone(), as_of: on },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, value) in [
            ("2 350", "2350"),
            ("6 120,40", "6120.40"),
            ("6\u{a0}120,40 €", "6120.40"),
            ("2350 m", "2350"),
            ("-5", "-5"),
        ] {
            assert_eq!(number(text), Some(Decimal::from_str_exact(value).unwrap()), "{text}");
        }
        for text in ["", "noin 500", "1e9", "NaN", "0x1f", "--5", "5.000.000", "½", ".", "m"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_no_day() {
        assert_eq!(date("10.3.2026"), Some(jiff::civil::date(2026, 3, 10)));
        assert_eq!(date("2026-03-10"), Some(jiff::civil::date(2026, 3, 10)));
        for text in ["30.2.2026", "2026-02-30", "32.1.2026", "1.13.2026", "huomenna", "1.2.3.2026"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_day_and_a_time_in_finland() {
        for text in ["2026-05-12T18:00", "12.5.2026 18.00", "12.5.2026 klo 18.00", "2026-05-12T15:00:00Z"] {
            assert_eq!(moment(text), Some("2026-05-12T15:00:00Z".parse().unwrap()), "{text}");
        }
        for text in ["", "12.5.2026", "12.5.2026 25.00", "2026-03-29T03:30", "illalla", "2026-05-12T18:61"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_field_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = number(&text);
            let _ = date(&text);
            let _ = moment(&text);
            let _ = word_flag(&text);
        }
    }
}
