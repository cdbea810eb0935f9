//! K13: dates agree with each other, with the window and with the calendar.

use super::Subject;
use crate::cases::{Check, CheckId, DraftKind, Flag, Value};
use crate::clock::helsinki;
use crate::municipality::calendar;

/// Arrival before decision, lateness as the window says, last days on working days.
pub fn k13(subject: &Subject<'_>) -> Check {
    let submission = subject.submission;
    let arrival = submission.received_at.to_zoned(helsinki()).date();
    if arrival > subject.decided_on {
        return Check::fail(
            CheckId::K13,
            format!("arrived {arrival}, after the day of the decision {}", subject.decided_on),
        );
    }
    let time = |name: &str| match subject.file.facts.get(name).map(|fact| &fact.value) {
        Some(Value::Time(at)) => Some(*at),
        _ => None,
    };
    if time("received_at").is_some_and(|at| at != submission.received_at) {
        return Check::fail(CheckId::K13, "the fact `received_at` is not the arrival of the submission");
    }
    if let Some(end) = time("window_end") {
        let late = submission.received_at > end;
        if late != subject.file.flags.contains(&Flag::Late) {
            return Check::fail(CheckId::K13, "lateness does not agree with the window: assess the case again");
        }
        if subject.content.kind == DraftKind::Inadmissible && !late {
            return Check::fail(CheckId::K13, "refused as late, but it arrived in time");
        }
    }
    if let Some(deadline) = subject.content.deadline {
        if deadline < subject.decided_on && subject.content.kind == DraftKind::Completion {
            return Check::fail(CheckId::K13, format!("the last day {deadline} is past"));
        }
        if subject.content.kind == DraftKind::Completion && !calendar::is_working_day(deadline) {
            return Check::fail(
                CheckId::K13,
                format!("the last day {deadline} is no working day: write {}", calendar::next_working_day(deadline)),
            );
        }
        let written = crate::cases::write_date(deadline, subject.content.language);
        if subject.content.kind == DraftKind::Completion && !subject.content.letter.contains(&written) {
            return Check::fail(CheckId::K13, format!("the letter does not name its last day {written}"));
        }
    }
    Check::pass(CheckId::K13, format!("arrived {arrival}"))
}
