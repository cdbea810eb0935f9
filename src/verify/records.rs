//! K20, K21 and K28: publicity is set, the record can be filed, and the draft can be traced to the versions that made it.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, PartKind};
use crate::municipality::format::Publicity;

/// The publicity class is set, with its ground where it is secret.
pub fn k20(subject: &Subject<'_>) -> Check {
    let service = service(subject);
    let Some(service) = service else {
        return if subject.content.is_decision() {
            Check::fail(CheckId::K20, words::no_publicity())
        } else {
            Check::not_applicable(CheckId::K20, words::no_service_yet())
        };
    };
    let records = &service.records;
    if records.publicity != Publicity::Public && records.ground.as_deref().is_none_or(|ground| ground.trim().is_empty())
    {
        return Check::fail(CheckId::K20, words::secret_without_ground(service.id.as_str()));
    }
    let publicity = match records.publicity {
        Publicity::Public => words::public(),
        Publicity::PartlySecret => words::partly_secret(),
        Publicity::Secret => words::secret(),
    };
    Check::pass(CheckId::K20, words::publicity(&records.class, publicity))
}

/// Where it is filed, how long it is kept, and what the letter says of itself (906/2019 25–26 §).
pub fn k21(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let Some(service) = service(subject) else {
        return Check::not_applicable(CheckId::K21, words::no_service_yet());
    };
    let records = &service.records;
    let mut class = records.class.split(' ').filter(|part| !part.is_empty()).peekable();
    let is_class = class.peek().is_some() && class.all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !is_class {
        return Check::fail(CheckId::K21, words::no_records_class(service.id.as_str()));
    }
    if records.retention_years == 0 {
        return Check::fail(CheckId::K21, words::no_retention(service.id.as_str()));
    }
    let heading = content.part(PartKind::Heading).map(|part| part.text.as_str()).unwrap_or_default();
    if !heading.contains(subject.number) {
        return Check::fail(CheckId::K21, words::letter_without_number(subject.number));
    }
    Check::pass(CheckId::K21, words::filed(&records.class, records.retention_years))
}

/// Engine, classifier, pack and texts are recorded with their versions; the file's engine is this one.
pub fn k28(subject: &Subject<'_>) -> Check {
    let engine = subject.engine;
    let missing: Vec<&str> = [
        ("engine", engine.name.is_empty()),
        ("version", engine.version.is_empty()),
        ("pack", engine.pack.is_empty()),
        ("classifier or model", engine.classifier.is_none() && engine.model.is_none()),
        ("prompt", engine.model.is_some() && engine.prompt.is_none()),
        ("texts", subject.content.blocks.is_empty()),
    ]
    .into_iter()
    .filter_map(|(what, missing)| missing.then_some(what))
    .collect();
    if !missing.is_empty() {
        return Check::fail(CheckId::K28, words::not_recorded(missing.join(", ")));
    }
    if subject.content.basis != crate::cases::basis(subject.submission, subject.file) {
        return Check::fail(CheckId::K28, words::made_from_other_material());
    }
    Check::pass(
        CheckId::K28,
        words::recorded(&engine.name, &engine.version, engine.pack.get(..12).unwrap_or(&engine.pack)),
    )
}
