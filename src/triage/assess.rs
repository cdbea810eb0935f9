//! Step `assess`: what other cases and rounds say, also of the party and its account, the rules, the amount, who may decide it, and the clocks. Code and files decide
//! here; no engine has a say.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::gather::governing;
use super::owner::posts_named;
use super::{Circumstances, Desk, Error, history, local_date, rounds, standing};
use crate::cases::{CaseFile, Due, Euro, Matter, Submission, Urgency};
use crate::clock::helsinki;
use crate::municipality::calendar;
use crate::municipality::format::{HandlingStart, ServiceFile};
use crate::policy::{self, Governing, WindowSpan};

/// Fills `file.assessment`, completes `file.route` with the decider, and sets `file.due`.
pub fn run(desk: &Desk, submission: &Submission, file: &mut CaseFile, at: &Circumstances<'_>) -> Result<(), Error> {
    let classification = file.classification.as_ref().ok_or(Error::OutOfOrder { step: "assess", needs: "classify" })?;
    let service = classification.service.as_ref().and_then(|id| desk.rulebook.pack.service(id));
    let window = service
        .and_then(|service| service.policy.as_ref())
        .and_then(|policy| desk.rulebook.library.window_for(policy, submission.received_at));
    file.assessment = None;
    history::lay(desk, submission, file, at);
    rounds::lay(desk, submission, file, at);
    standing::lay(desk, submission, file, at);
    if let Some(service) = service {
        assess(desk, service, submission, file, at);
        decide_who_decides(desk, service, file, at.today());
    }
    file.due = due(service, submission, file, window.as_ref());
    Ok(())
}

fn assess(desk: &Desk, service: &ServiceFile, submission: &Submission, file: &mut CaseFile, at: &Circumstances<'_>) {
    let Some(Governing { document, on }) = governing(desk, service, submission, &file.facts, at) else { return };
    let open: Vec<_> = file.questions.iter().chain(&file.asked).cloned().collect();
    file.assessment = Some(policy::assess(document, &file.facts, &file.rulings, &open, on));
}

/// The amount picks the step of the delegation; what grants nothing goes to the lowest.
fn decide_who_decides(desk: &Desk, service: &ServiceFile, file: &mut CaseFile, on: Date) {
    let Some(delegation) = service.delegation_of(file) else {
        return answers(desk, service, file);
    };
    let Some(route) = file.route.as_mut() else { return };
    let amount = file.assessment.as_ref().and_then(|assessment| assessment.amount).unwrap_or(Euro::ZERO);
    if let Some(power) = desk.rulebook.pack.decider_for(&delegation, Some(amount), on) {
        route.decider = Some(power.decider);
        route.because = power.because;
    }
}

/// Where nothing is decided by delegation, whoever owns the service answers (S049); their deputy where the complaint is
/// about themselves (hallintolaki 27 §).
fn answers(desk: &Desk, service: &ServiceFile, file: &mut CaseFile) {
    let (Some(reading), Some(route)) = (&file.reading, file.route.as_mut()) else { return };
    if !service.categories.is_empty() || route.decider.is_some() {
        return;
    }
    let owner = &service.process_owner;
    let pack = &desk.rulebook.pack;
    let about = if service.matter == Matter::Complaint { posts_named(pack, &reading.message()) } else { Vec::new() };
    let deputy = pack.municipality.deciders.get(owner).and_then(|file| file.deputy.clone());
    match deputy.filter(|_| about.contains(owner)) {
        Some(deputy) => {
            route.because = format!("complaint/about/{owner}");
            route.decider = Some(deputy);
        }
        None => route.decider = Some(owner.clone()),
    }
}

/// When a person must have acted: the target of a notice's urgency, or the service's handling time (P11).
fn due(
    service: Option<&ServiceFile>,
    submission: &Submission,
    file: &CaseFile,
    window: Option<&WindowSpan<'_>>,
) -> Option<Due> {
    let received = submission.received_at;
    let arrival = local_date(received);
    if let Some(urgency) = file.urgency {
        if urgency == Urgency::U0 {
            return Some(Due { at: received, because: "U0: now".to_owned() });
        }
        let target = service?.urgencies.get(&urgency)?;
        let at = if let Some(hours) = target.hours {
            received + SignedDuration::from_hours(i64::from(hours))
        } else if let Some(days) = target.working_days {
            end_of(calendar::add_working_days(arrival, days))
        } else {
            end_of(calendar::end_of_period(arrival, target.days?))
        };
        return Some(Due { at, because: format!("{urgency}: {}", target.target.fi) });
    }
    let Some(service) = service else {
        // A matter that no service handles yet: a person answers within the time for feedback (P10).
        return Some(Due {
            at: end_of(calendar::add_working_days(arrival, 10)),
            because: "10 working days".to_owned(),
        });
    };
    let time = &service.handling_time;
    // Handling of a late application starts at its arrival; the window is over.
    let start = match (time.from, window) {
        (HandlingStart::WindowEnd, Some(window)) => window.ends_on.max(arrival),
        _ => arrival,
    };
    let extended = time.extended.as_ref().filter(|more| more.when.holds(&file.facts) == Some(true));
    if let Some(more) = extended {
        let last = calendar::end_of_months(start, more.months);
        return Some(Due { at: end_of(last), because: format!("{} months from {start}", more.months) });
    }
    let last = if time.working_days {
        calendar::add_working_days(start, time.days)
    } else {
        calendar::end_of_period(start, time.days)
    };
    Some(Due { at: end_of(last), because: format!("{} days from {start}", time.days) })
}

/// The last second of a day in Finland.
fn end_of(day: Date) -> Timestamp {
    day.at(23, 59, 59, 0).to_zoned(helsinki()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}
