//! K20 and K28: publicity is set, and the draft can be traced to the versions that made it.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId};
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
