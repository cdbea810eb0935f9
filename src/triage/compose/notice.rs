//! Answers to notices: a work order with its target, a redirect to whoever owns the thing, advice to a plot
//! owner, or the plain word that a person reads it. A notice is a factual act: no decision is made up for it.
//!
//! Other matters that no rules decide are answered here, too: by their service's own words, which say what happens next
//! and by when. Who threatens gets the approved words alone, who wants to die the card alone.

use jiff::civil::Date;

use super::Material;
use super::blocks::Blocks;
use super::letter::{Extras, Letter, lacks, reach};
use crate::cases::{DraftContent, DraftKind, Language, Matter, Owner, PartKind, Urgency, write_date};
use crate::triage::classify::category;
use crate::triage::{Error, local_date};

/// How many characters of the sender's own words an answer repeats.
const EXCERPT: usize = 280;

/// Composes the answer to a notice or to a matter that no service handles yet.
pub fn compose(material: &Material<'_>) -> Result<DraftContent, Error> {
    let mut letter = Letter::new(material, DraftKind::Acknowledgement);
    let language = letter.blocks.language();
    set_values(material, &mut letter);
    letter.cards()?.heading()?;
    let matter = material.classification.matter;
    if matter == Matter::SelfHarm {
        // A person speaks to them; on its own the municipality says nothing but the card.
        letter.block(PartKind::Contact, "contact")?;
        return Ok(letter.finish(Extras { deadline: target(material), ..Extras::default() }));
    }
    letter.block(PartKind::Matter, "matter-notice")?;
    let mut extras = Extras::default();
    let is_notice = material.service.is_some_and(|service| !service.categories.is_empty());
    // A category that nobody is sure of does not stand in the way of an owner that the words name.
    let sure = !material.classification.abstained || !material.route.evidence.is_empty();
    let handled = material.service.is_some() && sure;
    match material.route.owner {
        _ if !handled => {
            letter.block(PartKind::Operative, "receipt")?;
            // Danger is acted on before anybody is sure what it is.
            if material.file.urgency == Some(Urgency::U0) {
                extras.work_order = Some(work_order(material)?);
            }
        }
        _ if matter == Matter::Threat => {
            letter.block(PartKind::Operative, answer(&letter))?;
            extras.work_order = Some(work_order(material)?);
            extras.deadline = target(material);
        }
        Owner::Municipality | Owner::OnCall if !is_notice => {
            letter.block(PartKind::Operative, answer(&letter))?;
            extras.reasons = letter.explanation()?;
            if letter.blocks.has_own("deadline-acknowledgement") {
                letter.block(PartKind::Deadline, "deadline-acknowledgement")?;
            }
            extras.deadline = target(material);
        }
        Owner::Municipality | Owner::OnCall => {
            letter.block(PartKind::Operative, "operative-acknowledgement")?;
            extras.reasons = letter.explanation()?;
            letter.block(PartKind::Deadline, "deadline-acknowledgement")?;
            extras.work_order = Some(work_order(material)?);
            extras.deadline = target(material);
        }
        Owner::PlotOwner => {
            letter.block(PartKind::Operative, "operative-advice")?;
        }
        _ => {
            let authority = material
                .desk
                .rulebook
                .pack
                .authority(&material.route.authority, material.at.today())
                .ok_or_else(|| lacks(material, &material.route.authority))?;
            letter.blocks.set("recipient", authority.name.get(language));
            letter.blocks.set("recipient_contact", reach(&authority.contact));
            letter.blocks.set("recipient_task", authority.task.get(language));
            letter.block(PartKind::Operative, "operative-redirect")?;
            extras.reasons = letter.explanation()?;
            extras.recipient = Some(material.route.authority.to_string());
            if material.file.urgency == Some(Urgency::U0) {
                extras.work_order = Some(work_order(material)?);
            }
        }
    }
    letter.closing()?;
    Ok(letter.finish(extras))
}

/// The answer that a service has of its own; that a person reads the message is true of every other.
fn answer(letter: &Letter<'_>) -> &'static str {
    if letter.blocks.has_own("operative-acknowledgement") { "operative-acknowledgement" } else { "receipt" }
}

/// The values that blocks about notices use.
pub fn set_values(material: &Material<'_>, letter: &mut Letter<'_>) {
    let language = letter.blocks.language();
    set(material, &mut letter.blocks, language);
}

fn set(material: &Material<'_>, blocks: &mut Blocks<'_>, language: Language) {
    let found = category(material.desk, material.classification);
    let unit = material.route.department.as_ref().and_then(|id| {
        material.desk.rulebook.pack.municipality.departments.get(id).map(|department| department.name.get(language))
    });
    let words = material
        .file
        .urgency
        .and_then(|urgency| material.service?.urgencies.get(&urgency))
        .map_or("", |target| target.target.get(language));
    let category = found.map_or_else(
        || material.service.map_or("", |service| service.name.get(language)),
        |category| category.name.get(language),
    );
    blocks.set("category", category);
    // Under a 112 card nobody is told how trees are pruned.
    let advice = found.and_then(|found| found.advice.as_ref()).filter(|_| material.file.urgency != Some(Urgency::U0));
    blocks.set("advice", advice.map_or("", |advice| advice.get(language)));
    blocks.set("target", words);
    blocks.set("work_unit", unit.unwrap_or("–"));
    blocks.set("location", location(material));
    blocks.set("owner_basis", owner_basis(material));
    blocks.set("text_excerpt", excerpt(&material.reading.message()));
    blocks.set("deadline", target(material).map(|day| write_date(day, language)).unwrap_or_default());
    blocks.set("recipient", "–");
    blocks.set("recipient_contact", "–");
    blocks.set("recipient_task", "–");
    blocks.set("urgency", material.file.urgency.map_or("–", Urgency::as_str));
}

/// The order to the unit that does the work, in the language of the record.
fn work_order(material: &Material<'_>) -> Result<String, Error> {
    let record = material.desk.rulebook.pack.municipality.languages.first().copied().unwrap_or(Language::Fi);
    let mut blocks = Blocks::new(material, record);
    blocks.set("case_number", material.at.number);
    set(material, &mut blocks, record);
    if let Some(authority) = material.desk.rulebook.pack.authority(&material.route.authority, material.at.today()) {
        blocks.set("recipient", authority.name.get(record));
        blocks.set("recipient_contact", reach(&authority.contact));
    }
    blocks.text("work-order")
}

/// The last day: of a notice's urgency, or of the handling time of a matter that is no notice.
fn target(material: &Material<'_>) -> Option<Date> {
    let is_notice = material.service.is_none_or(|service| !service.categories.is_empty());
    if is_notice && material.file.urgency.is_none() {
        return None;
    }
    material.file.due.as_ref().map(|due| local_date(due.at))
}

fn location(material: &Material<'_>) -> String {
    let place = material
        .reading
        .texts
        .iter()
        .find(|text| text.source == "location" || text.source.starts_with("field:location"))
        .map(|text| excerpt(&text.text));
    let point = material.submission.location.as_ref().and_then(|location| Some((location.lat?, location.lon?)));
    match (place, point) {
        (Some(place), _) => place,
        (None, Some((lat, lon))) => format!("{lat:.5}, {lon:.5}"),
        (None, None) => "–".to_owned(),
    }
}

fn owner_basis(material: &Material<'_>) -> String {
    material.route.evidence.first().map_or_else(|| "–".to_owned(), |words| format!("”{words}”"))
}

/// The sender's own words on one line, cut at a word, with identifiers masked (check K15).
fn excerpt(text: &str) -> String {
    let line = crate::text::mask(text);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= EXCERPT {
        return line;
    }
    let cut: String = line.chars().take(EXCERPT).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{} …", &cut[..end])
}
