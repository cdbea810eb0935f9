//! K07 and K08: the instructions for appeal fit the decision, and letters that prepare carry none.

use super::{Subject, service, words};
use jiff::civil::Date;

use crate::cases::{Appeal, AppealKind, Check, CheckId, DeciderId, DraftKind, Language, Localized, PartKind, Settles};
use crate::municipality::Pack;
use crate::municipality::format::{DeciderKind, ServiceFile};

/// The row of the directory of authorities that takes appeals.
const COURT: &str = "administrative-court";

/// The instructions that a decision of this kind must carry: the block by the service, the addressee by the
/// organisation (kuntalaki 134 §: the body itself, or for an officer the body above; the administrative court by the
/// directory of authorities).
#[must_use]
pub fn expected(
    pack: &Pack,
    service: &ServiceFile,
    kind: DraftKind,
    decider: Option<&DeciderId>,
    language: Language,
    on: Date,
) -> Option<Appeal> {
    let block = *service.appeal.get(&kind)?;
    let (days, to_body) = match block {
        AppealKind::A => (Some(14), true),
        AppealKind::B | AppealKind::C => (Some(30), false),
        AppealKind::D | AppealKind::None => return Some(Appeal { kind: block, addressee: None, days: None }),
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
        let court = pack.authorities.iter().find(|row| row.id.as_str() == COURT && row.valid.contains(on));
        court.map(|court| court.name.get(language).to_owned())
    };
    Some(Appeal { kind: block, addressee, days })
}

/// Block, addressee and days are what the decision's kind and the organisation demand, in data and in words.
pub fn k07(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    let outcome = subject.file.assessment.as_ref().map(|assessment| assessment.outcome);
    if content.kind.settles() == Settles::IfItRefuses && content.refuses != content.kind.refuses(outcome) {
        return Check::fail(CheckId::K07, words::refuses_otherwise());
    }
    if !content.is_decision() {
        return Check::not_applicable(CheckId::K07, words::no_decision_no_appeal());
    }
    let service = service(subject);
    let Some(service) = service else {
        return Check::fail(CheckId::K07, words::appeal_without_service());
    };
    let decider = content.decider.as_ref().map(|decider| &decider.id);
    let Some(expected) =
        expected(&subject.rulebook.pack, service, content.kind, decider, content.language, subject.decided_on)
    else {
        return Check::fail(CheckId::K07, words::appeal_not_defined(service.id.as_str(), content.kind));
    };
    if content.appeal != expected {
        return Check::fail(CheckId::K07, words::another_appeal(told(&content.appeal), told(&expected)));
    }
    if expected.kind == AppealKind::None {
        return Check::pass(CheckId::K07, words::no_appeal_for_this_kind());
    }
    let Some(part) = content.part(PartKind::Appeal) else {
        return Check::fail(CheckId::K07, words::letter_without_appeal());
    };
    let says = |what: &str| part.text.contains(what);
    if let Some(addressee) = expected.addressee.as_deref().filter(|addressee| !says(addressee)) {
        return Check::fail(CheckId::K07, words::appeal_does_not_name(addressee));
    }
    if let Some(days) = expected.days.filter(|days| !says(&days.to_string())) {
        return Check::fail(CheckId::K07, words::appeal_does_not_say(days));
    }
    let id = format!("appeal-{}", expected.kind);
    let block = subject.rulebook.pack.text(&id, content.language, subject.decided_on);
    if !block.is_some_and(|block| super::blocks::fits(&block.body, &part.text, &[])) {
        return Check::fail(CheckId::K07, words::appeal_reworded(id));
    }
    if expected.kind != AppealKind::D && !uses(content.blocks.as_slice(), expected.kind) {
        return Check::fail(CheckId::K07, words::appeal_block_unused(expected.kind.as_str()));
    }
    if !content.letter.contains(part.text.trim()) {
        return Check::fail(CheckId::K07, words::appeal_not_carried());
    }
    Check::pass(CheckId::K07, words::appeal_as_demanded(expected.kind.as_str()))
}

fn told(appeal: &Appeal) -> Localized {
    let days = appeal.days.map_or_else(|| "–".to_owned(), |days| days.to_string());
    words::appeal_told(appeal.kind.as_str(), appeal.addressee.as_deref().unwrap_or("–"), days)
}

fn uses(blocks: &[String], kind: AppealKind) -> bool {
    let id = format!("appeal-{kind}@");
    blocks.iter().any(|block| block.starts_with(&id))
}

/// A letter that prepares carries no instructions for appeal (kuntalaki 136 §).
pub fn k08(subject: &Subject<'_>) -> Check {
    let content = subject.content;
    if content.is_decision() {
        return Check::not_applicable(CheckId::K08, words::appeal_looked_at_elsewhere());
    }
    let forbidden = |kind: AppealKind| !matches!(kind, AppealKind::None | AppealKind::D);
    let has_block = content.blocks.iter().any(|block| block.starts_with("appeal-") && !block.starts_with("appeal-D@"));
    let has_part = content.part(PartKind::Appeal).is_some() && content.appeal.kind != AppealKind::D;
    if forbidden(content.appeal.kind) || has_block || has_part {
        return Check::fail(CheckId::K08, words::appeal_on_preparation(content.kind));
    }
    Check::pass(CheckId::K08, words::no_appeal())
}
