//! K13: dates agree with each other, with the window and with the calendar.

use super::{Subject, service, words};
use crate::cases::{Check, CheckId, DraftKind, Flag, Value};
use crate::clock::helsinki;
use crate::municipality::calendar;

/// Arrival before decision, lateness as the window says, last days on working days.
pub fn k13(subject: &Subject<'_>) -> Check {
    let submission = subject.submission;
    let arrival = submission.received_at.to_zoned(helsinki()).date();
    if arrival > subject.decided_on {
        return Check::fail(CheckId::K13, words::arrived_after_decision(arrival, subject.decided_on));
    }
    let time = |name: &str| match subject.file.facts.get(name).map(|fact| &fact.value) {
        Some(Value::Time(at)) => Some(*at),
        _ => None,
    };
    if time("received_at").is_some_and(|at| at != submission.received_at) {
        return Check::fail(CheckId::K13, words::arrival_differs());
    }
    if let Some(end) = time("window_end") {
        let late = submission.received_at > end;
        if late != subject.file.flags.contains(&Flag::Late) {
            return Check::fail(CheckId::K13, words::lateness_differs());
        }
        if subject.content.kind == DraftKind::Inadmissible && !late {
            return Check::fail(CheckId::K13, words::refused_as_late_in_time());
        }
    }
    if let Some(deadline) = subject.content.deadline {
        if deadline < subject.decided_on && subject.content.kind.asks() {
            return Check::fail(CheckId::K13, words::last_day_past(deadline));
        }
        if subject.content.kind.asks() && !calendar::is_working_day(deadline) {
            return Check::fail(
                CheckId::K13,
                words::last_day_not_working(deadline, calendar::next_working_day(deadline)),
            );
        }
        let recovers = subject.content.kind == DraftKind::Recovery;
        let days = service(subject).map_or(30, |service| service.payment_days);
        let earliest = calendar::end_of_period(subject.decided_on, days);
        if recovers && deadline < earliest {
            return Check::fail(CheckId::K13, words::too_little_time_to_pay(deadline, days, earliest));
        }
        let written = crate::cases::write_date(deadline, subject.content.language);
        if (recovers || subject.content.kind.asks()) && !subject.content.letter.contains(&written) {
            return Check::fail(CheckId::K13, words::last_day_not_named(deadline));
        }
    }
    if subject.content.kind == DraftKind::Recovery
        && subject.content.amount.is_some()
        && subject.content.deadline.is_none()
    {
        return Check::fail(CheckId::K13, words::no_day_to_pay());
    }
    Check::pass(CheckId::K13, words::arrived(arrival))
}
