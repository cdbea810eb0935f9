//! K07 and K08: the instructions for appeal fit the decision, and letters that prepare carry none.

use super::{Subject, service};
use crate::cases::{Appeal, AppealKind, Check, CheckId, DeciderId, DraftKind, Language, PartKind};
use crate::municipality::Pack;
use crate::municipality::format::{DeciderKind, ServiceFile};

/// The instructions that a decision of this kind must carry: the block by the service, the addressee by the
/// organisation (kuntalaki 134 §: the body itself, or for an officer the body above).
#[must_use]
pub fn expected(
    pack: &Pack,
    service: &ServiceFile,
    kind: DraftKind,
    decider: Option<&DeciderId>,
    language: Language,
) -> Option<Appeal> {
    let block = *service.appeal.get(&kind)?;
    let (days, to_body) = match block {
        AppealKind::A => (Some(14), true),
        AppealKind::B | AppealKind::C => (Some(30), false),
        AppealKind::D | AppealKind::None => (None, false),
    };
    let addressee = if to_body {
        let deciders = &pack.municipality.deciders;
        let decider = deciders.get(decider?)?;
        let body = match decider.kind {
            DeciderKind::Body => Some(decider),
            DeciderKind::Post => decider.claims_to.as_ref().and_then(|id| deciders.get(id)),
        }?;
        Some(body.addressee.as_ref().unwrap_or(&body.title).get(language).to_owned())
    } else {
        None
    };
    Some(Appeal { kind: block, addressee, days })
}

/// Block, addressee and days are what the decision's kind and the organisation demand, in data and in words.
pub fn k07(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if !content.kind.is_decision() {
        return Check::not_applicable(CheckId::K07, "no decision, no instructions for appeal");
    }
    let service = service(subject);
    let Some(service) = service else {
        return Check::fail(CheckId::K07, "a decision without a service: nobody knows how to appeal");
    };
    let decider = content.decider.as_ref().map(|decider| &decider.id);
    let Some(expected) = expected(&subject.rulebook.pack, service, content.kind, decider, content.language) else {
        return Check::fail(
            CheckId::K07,
            format!(
                "the service `{}` names no instructions for `{}`, or the decider has no body above",
                service.id, content.kind
            ),
        );
    };
    if content.appeal != expected {
        return Check::fail(
            CheckId::K07,
            format!(
                "instructions {} to {:?} in {:?} days, expected {} to {:?} in {:?} days",
                content.appeal.kind,
                content.appeal.addressee,
                content.appeal.days,
                expected.kind,
                expected.addressee,
                expected.days
            ),
        );
    }
    if expected.kind == AppealKind::None {
        return Check::pass(CheckId::K07, "no instructions for this kind");
    }
    let Some(part) = content.part(PartKind::Appeal) else {
        return Check::fail(CheckId::K07, "the letter has no instructions for appeal (hallintolaki 46–47 §)");
    };
    let says = |what: &str| part.text.contains(what);
    if expected.addressee.as_deref().is_some_and(|addressee| !says(addressee)) {
        return Check::fail(
            CheckId::K07,
            format!("the instructions do not name {}", expected.addressee.unwrap_or_default()),
        );
    }
    if expected.days.is_some_and(|days| !says(&days.to_string())) {
        return Check::fail(
            CheckId::K07,
            format!("the instructions do not say {} days", expected.days.unwrap_or_default()),
        );
    }
    let id = format!("appeal-{}", expected.kind);
    let block = subject.rulebook.pack.text(&id, content.language, subject.decided_on);
    if !block.is_some_and(|block| super::blocks::fits(&block.body, &part.text)) {
        return Check::fail(CheckId::K07, format!("the instructions are not the text `{id}`: nobody words them anew"));
    }
    if expected.kind != AppealKind::D && !uses(content.blocks.as_slice(), expected.kind) {
        return Check::fail(CheckId::K07, format!("the letter does not use the block appeal-{}", expected.kind));
    }
    if !content.letter.contains(part.text.trim()) {
        return Check::fail(CheckId::K07, "the letter does not carry its instructions for appeal");
    }
    Check::pass(CheckId::K07, format!("block {}, as the service demands", expected.kind))
}

fn uses(blocks: &[String], kind: AppealKind) -> bool {
    let id = format!("appeal-{kind}@");
    blocks.iter().any(|block| block.starts_with(&id))
}

/// A letter that prepares carries no instructions for appeal (kuntalaki 136 §).
pub fn k08(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if content.kind.is_decision() {
        return Check::not_applicable(CheckId::K08, "a decision: K07 looks at its instructions");
    }
    let forbidden = |kind: AppealKind| !matches!(kind, AppealKind::None | AppealKind::D);
    let has_block = content.blocks.iter().any(|block| block.starts_with("appeal-") && !block.starts_with("appeal-D@"));
    let has_part = content.part(PartKind::Appeal).is_some() && content.appeal.kind != AppealKind::D;
    if forbidden(content.appeal.kind) || has_block || has_part {
        return Check::fail(
            CheckId::K08,
            format!(
                "a letter of kind `{}` prepares: take the instructions for appeal out (kuntalaki 136 §)",
                content.kind
            ),
        );
    }
    Check::pass(CheckId::K08, "no instructions for appeal")
}
