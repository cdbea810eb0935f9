//! K26: like cases are decided alike (*yhdenvertainen kohtelu*, hallintolaki 6 §).
//!
//! Where rules decide, the same facts give the same outcome by themselves. Where a person ruled, earlier rulings on the
//! same facts are looked up by whoever asks for the check; one that came out otherwise is shown with the case and the
//! facts. It warns: a reason to depart from practice may be good, and then it belongs in the decision (45 §).

use super::{Subject, words};
use crate::cases::{Check, CheckId};

/// No similar decision of the last two years came out otherwise.
pub fn k26(subject: &Subject<'_>) -> Check {
    if !subject.content.is_decision() {
        return Check::not_applicable(CheckId::K26, words::no_decision());
    }
    if subject.file.rulings.is_empty() {
        return Check::pass(CheckId::K26, words::follows_from_rules());
    }
    let Some(practice) = subject.practice else {
        return Check::not_applicable(CheckId::K26, words::practice_not_looked_up());
    };
    match &practice.deviation {
        None => Check::pass(CheckId::K26, words::practice_followed(practice.compared)),
        Some(found) => Check::fail(
            CheckId::K26,
            words::practice_deviates(&found.number, found.decided_on, found.rule.as_str(), found.facts.join(", ")),
        ),
    }
}
