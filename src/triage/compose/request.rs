//! Letters that prepare or tell: a request to complete (hallintolaki 22 and 33 §), a hearing (34 and 36 §), the word that a
//! matter waits for a round, a transfer (21 §), and the confirmation that a matter has lapsed. They carry no instructions for appeal (kuntalaki 136 §).

use super::letter::{Extras, Letter, lacks, reach};
use super::{Material, decision};
use crate::cases::{DraftContent, DraftKind, Language, PartKind, Reason, Value, write_date, write_value};
use crate::municipality::calendar;
use crate::triage::{Error, local_date};

/// Days that a draft may wait for its approver without taking from the party's time to answer: check K12 counts
/// the time from the day of approval.
pub const DAYS_TO_APPROVE: u32 = 7;

/// Asks for everything that is missing, each thing once, with the time to answer.
pub fn completion(material: &Material<'_>) -> Result<DraftContent, Error> {
    let mut letter = Letter::new(material, DraftKind::Completion);
    let language = letter.blocks.language();
    let days = material.service.map_or(14, |service| service.completion_days);
    let deadline = calendar::end_of_period(material.at.today(), days + DAYS_TO_APPROVE);
    let lines: Vec<String> =
        material.file.open_questions().iter().map(|question| format!("– {}", question.text.get(language))).collect();
    letter.blocks.set("questions", lines.join("\n"));
    letter.blocks.set("deadline", write_date(deadline, language));
    letter.blocks.set("days", days.to_string());
    letter.blocks.set("asked", material.service.map_or("", |service| service.name.get(language)));
    letter.cards()?.heading()?.matter("matter-application")?;
    letter.block(PartKind::Operative, "operative-completion")?;
    letter.lines(PartKind::Questions, "questions", &lines)?;
    let reasons = letter.explanation()?;
    letter.block(PartKind::Deadline, "deadline-completion")?;
    let provisions = letter.provisions()?;
    letter.closing()?;
    Ok(letter.finish(Extras { reasons, provisions, deadline: Some(deadline), ..Extras::default() }))
}

/// Tells that the matter is ready and waits for what is worked out over all applications of the window together.
pub fn pending(material: &Material<'_>) -> Result<DraftContent, Error> {
    let mut letter = Letter::new(material, DraftKind::Acknowledgement);
    let language = letter.blocks.language();
    letter.blocks.set("asked", material.service.map_or("", |service| service.name.get(language)));
    letter.cards()?.heading()?.matter("matter-application")?;
    letter.block(PartKind::Operative, "operative-pending")?;
    let reasons = letter.explanation()?;
    letter.closing()?;
    Ok(letter.finish(Extras { reasons, ..Extras::default() }))
}

/// Confirms that the matter was withdrawn and has lapsed: nothing was decided, so nothing is challenged (*raukeaminen*).
pub fn withdrawal(material: &Material<'_>) -> Result<DraftContent, Error> {
    let mut letter = Letter::new(material, DraftKind::Withdrawal);
    let language = letter.blocks.language();
    let withdrawal = material.file.withdrawal.as_ref();
    let day = withdrawal.map_or_else(|| material.at.today(), |withdrawal| local_date(withdrawal.at));
    letter.blocks.set("withdrawn_on", write_date(day, language));
    letter.blocks.set("by_party", if withdrawal.is_none_or(|one| one.by_party) { "x" } else { "" });
    letter.blocks.set("asked", material.service.map_or("", |service| service.name.get(language)));
    letter.heading()?;
    letter.block(PartKind::Matter, "matter-withdrawal")?;
    letter.block(PartKind::Operative, "operative-withdrawal")?;
    letter.closing()?;
    Ok(letter.finish(Extras::default()))
}

/// Asks the party to comment before the matter is settled: why, on what, with which documents, until when, and what
/// follows if nobody answers (hallintolaki 36 §).
pub fn hearing(material: &Material<'_>) -> Result<DraftContent, Error> {
    let mut letter = Letter::new(material, DraftKind::Hearing);
    let language = letter.blocks.language();
    let days = material.service.map_or(14, |service| service.completion_days);
    let deadline = calendar::end_of_period(material.at.today(), days + DAYS_TO_APPROVE);
    letter.blocks.set("deadline", write_date(deadline, language));
    letter.blocks.set("days", days.to_string());
    letter.blocks.set("asked", material.service.map_or("", |service| service.name.get(language)));
    letter.cards()?.heading()?.matter("matter-application")?;
    letter.block(PartKind::Operative, "operative-hearing")?;
    let reasons = adverse(material, language);
    letter.lines(PartKind::Questions, "hearing-points", &points(material, &reasons, language))?;
    let documents = material.file.hear.iter().flat_map(|order| &order.documents);
    let documents: Vec<String> = documents.map(|name| format!("– {name}")).collect();
    if !documents.is_empty() {
        letter.lines(PartKind::Notification, "documents-sent", &documents)?;
    }
    letter.block(PartKind::Deadline, "deadline-hearing")?;
    let provisions = letter.provisions()?;
    letter.closing()?;
    Ok(letter.finish(Extras { reasons, provisions, deadline: Some(deadline), ..Extras::default() }))
}

/// What each unmet rule says that the party must be heard on.
fn adverse(material: &Material<'_>, language: Language) -> Vec<Reason> {
    let unheard = material.file.unheard(material.at.today(), material.ours());
    let Some(assessment) = material.file.assessment.as_ref().filter(|_| !unheard.is_empty()) else { return Vec::new() };
    let rules = assessment.rules.iter().filter(|rule| unheard.iter().any(|adverse| adverse.rule.rule == rule.rule));
    decision::reasons_of(assessment, rules, language)
}

/// What the party may comment on: in a person's words, and each unmet rule with the facts that others gave.
fn points(material: &Material<'_>, reasons: &[Reason], language: Language) -> Vec<String> {
    let ordered = material.file.hear.iter().map(|order| format!("– {}", order.about));
    let mut lines: Vec<String> = ordered.collect();
    let unheard = material.file.unheard(material.at.today(), material.ours());
    lines.extend(super::reason_lines(&material.desk.rulebook.library, reasons, language));
    lines.extend(decision::lines_of(material, language, |fact| {
        unheard.iter().any(|adverse| adverse.fact.name == fact.name)
    }));
    lines
}

/// Sends a matter on to the authority that is competent on the day.
pub fn transfer(material: &Material<'_>) -> Result<DraftContent, Error> {
    let mut letter = Letter::new(material, DraftKind::Transfer);
    let language = letter.blocks.language();
    let id = material.file.transfer_to.as_ref().unwrap_or(&material.route.authority);
    let pack = &material.desk.rulebook.pack;
    let authority = pack.authority(id, material.at.today()).ok_or_else(|| lacks(material, id))?;
    let recipient = authority.name.get(language).to_owned();
    let basis = match material.route.evidence.first() {
        Some(words) if material.file.transfer_to.is_none() => format!("”{words}”"),
        _ => authority.task.get(language).to_owned(),
    };
    // The values of a notice come first: they know nothing of whom a person transfers to.
    let matter = if material.service.is_some_and(|service| service.categories.is_empty()) {
        "matter-application"
    } else {
        super::notice::set_values(material, &mut letter);
        "matter-notice"
    };
    letter.blocks.set("recipient", recipient.clone());
    letter.blocks.set("open_until", open_until(material, language).unwrap_or_default());
    letter.blocks.set("recipient_contact", reach(&authority.contact));
    letter.blocks.set("recipient_task", authority.task.get(language));
    letter.blocks.set("owner_basis", basis);
    letter.blocks.set("asked", material.service.map_or("", |service| service.name.get(language)));
    letter.cards()?.heading()?;
    letter.block(PartKind::Matter, matter)?;
    letter.block(PartKind::Operative, "operative-transfer")?;
    let provisions = letter.provisions()?;
    letter.closing()?;
    Ok(letter.finish(Extras { provisions, recipient: Some(id.to_string()), ..Extras::default() }))
}

/// The last moment of the window where it is still open: the same may hold at the recipient's, who keeps the time
/// (hallintolaki 21 §).
fn open_until(material: &Material<'_>, language: Language) -> Option<String> {
    let fact = material.file.facts.get("window_end")?;
    match fact.value {
        Value::Time(end) if material.at.now <= end => Some(write_value(&fact.value, None, language)),
        _ => None,
    }
}
