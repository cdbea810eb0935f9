//! Figures worked by hand, over histories written out in full.

use std::collections::HashMap;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::guard::Guard;
use super::history::{History, histories};
use super::report::Material;
use super::*;
use crate::cases::{
    Actor, CaseId, DraftKind, EventKind, MunicipalityId, Person, Reason, Role, ServiceId, Status, TokenId, Validity,
};
use crate::storage::{ReportCase, ReportEvent, ReportRows};

const LEASE: SignedDuration = SignedDuration::from_hours(4);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A minute of 1 March 2026, counted from midnight UTC.
fn minute(minutes: i64) -> Timestamp {
    at("2026-03-01T00:00:00Z").checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn token(n: u128) -> TokenId {
    TokenId::new(id(n))
}

fn draft(case: u128, version: u128) -> DraftId {
    DraftId::new(id(case * 100 + version))
}

/// A story of cases.
#[derive(Default)]
struct Story {
    rows: ReportRows,
    drafts: HashMap<DraftId, DraftWords>,
}

impl Story {
    fn case(&mut self, n: u128, received_at: Timestamp, status: Status) {
        self.rows.cases.push(ReportCase {
            id: CaseId::new(id(n)),
            number: format!("HRJ/2026/{n:05}"),
            service: Some("road".parse().unwrap()),
            department: Some("technical".parse().unwrap()),
            status,
            received_at,
            due_at: None,
        });
    }

    fn event(&mut self, n: u128, at: Timestamp, by: u128, kind: EventKind, payload: Value) {
        let actor = match by {
            0 => Actor::system("test"),
            by => Actor::Person { token: token(by), role: Role::Handler, post: None },
        };
        self.rows.events.push(ReportEvent { case_id: CaseId::new(id(n)), at, actor, kind, payload });
    }

    fn drafted(&mut self, n: u128, at: Timestamp, version: u128) {
        let payload = json!({ "draft": draft(n, version), "version": version, "hash": format!("h{version}") });
        self.event(n, at, 0, EventKind::Drafted, payload);
    }

    fn approved(&mut self, n: u128, at: Timestamp, by: u128, version: u128, status: Status) {
        let payload = json!({ "draft": draft(n, version), "version": version, "hash": format!("h{version}"),
            "kind": "grant", "amount": format!("{n}00.00"), "status": status, "due": "2026-03-01T12:00:00Z" });
        self.event(n, at, by, EventKind::Approved, payload);
    }

    /// Drafted by the machine when it came in, approved by `by` as it was after `minutes`.
    fn plain(&mut self, n: u128, by: u128, minutes: i64) {
        self.case(n, minute(0), Status::Decided);
        self.drafted(n, minute(1), 1);
        self.approved(n, minute(minutes), by, 1, Status::Decided);
    }

    fn histories(&self) -> Vec<History> {
        histories(self.rows.clone())
    }

    fn report(&self, scope: &Scope, baselines: &[Baseline]) -> Report {
        let histories = self.histories();
        let material = Material {
            histories: &histories,
            drafts: &self.drafts,
            costs: Vec::new(),
            baselines,
            made_at: at("2026-06-01T00:00:00Z"),
            lease: LEASE,
        };
        Report::of(scope, material).unwrap()
    }
}

fn words(kind: DraftKind, amount: &str, reason: &str, letter: &str) -> DraftWords {
    let text = reason.to_owned();
    let reasons = vec![Reason { text, evidence: Vec::new(), citations: Vec::new(), rule: None }];
    DraftWords { kind, amount: Some(amount.parse().unwrap()), reasons, letter: letter.to_owned() }
}

fn march() -> Scope {
    Scope { window: Window::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap(), service: None, department: None }
}

#[test]
fn waiting_for_the_party_is_not_the_municipalitys_time() {
    let mut story = Story::default();
    // Five cases of one to five days; the fourth waited for a day and a half, the fifth for two days.
    for n in 1..=5_u128 {
        let days = i64::try_from(n).unwrap() * 24 * 60;
        story.case(n, minute(0), Status::Decided);
        story.drafted(n, minute(1), 1);
        if n >= 4 {
            let back = if n == 4 { 10 + 36 * 60 } else { 10 + 48 * 60 };
            story.approved(n, minute(10), 9, 1, Status::AwaitingCompletion);
            story.event(n, minute(back), 0, EventKind::Supplemented, json!({}));
            story.drafted(n, minute(back + 1), 2);
            story.approved(n, minute(days), 9, 2, Status::Decided);
        } else {
            story.approved(n, minute(days), 9, 1, Status::Decided);
        }
    }
    let times = story.report(&march(), &[]).lead_times;
    let hours = |hours: i64| Some(hours * 3_600);
    assert_eq!((times.all.whole.n, times.all.whole.median_seconds), (5, hours(72)));
    assert_eq!(times.all.whole.p90_seconds, hours(120));
    // Without waiting: 24, 48, 72, 60, 72 hours.
    assert_eq!((times.all.own.median_seconds, times.all.own.p90_seconds), (hours(60), hours(72)));
    assert_eq!((times.all.waiting.n, times.all.waiting.median_seconds), (2, None));
    assert_eq!(times.services.len(), 1);
    assert_eq!(times.services[0].figures, times.all);
}

#[test]
fn what_came_in_and_ended_is_counted_once_at_the_edges() {
    let mut story = Story::default();
    // The first moment of March in Finland, and the first one after it.
    let (first, after) = (at("2026-02-28T22:00:00Z"), at("2026-03-31T21:00:00Z"));
    let just_before = |at: Timestamp| at.checked_sub(SignedDuration::from_micros(1)).unwrap();
    for (n, received, ended) in [
        (1, just_before(first), first),
        (2, first, just_before(after)),
        (3, just_before(after), after),
        (4, after, after),
    ] {
        story.case(n, received, Status::Decided);
        story.drafted(n, received, 1);
        story.approved(n, ended, 9, 1, Status::Decided);
    }
    story.case(5, first, Status::Withdrawn);
    story.event(5, minute(5), 7, EventKind::Withdrawn, json!({}));
    story.case(6, first, Status::InReview);
    let volume = story.report(&march(), &[]).volume.all;
    assert_eq!((volume.received, volume.decided, volume.withdrawn), (4, 2, 1));
    // At the end of March the third was still open, and so is the sixth.
    assert_eq!(volume.open, 2);
    let series = story.report(&march(), &[]).series;
    assert_eq!(series.iter().map(|piece| piece.received).sum::<u64>(), 4);
    assert_eq!((series[0].settled, series[30].settled), (1, 1));
}

#[test]
fn what_people_changed_is_told_by_kind_and_a_ruling_is_no_clean_draft() {
    let mut story = Story::default();
    let base = words(DraftKind::Grant, "100.00", "pitkä tie", "yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan");
    let versions = [
        words(DraftKind::Partial, "80.00", "pitkä tie", "yksi kaksi kolme neljä viisi kuusi seitsemän yhdeksän"),
        words(DraftKind::Grant, "100.00", "lyhyt tie", "yksi kaksi kolme neljä viisi kuusi seitsemän yhdeksän"),
        words(DraftKind::Grant, "100.00", "pitkä tie", "yksi kaksi kolme neljä viisi kuusi seitsemän yhdeksän"),
        words(DraftKind::Completion, "100.00", "pitkä tie", "yksi kaksi kolme neljä viisi kuusi seitsemän yhdeksän"),
        // Drafted anew after a ruling, and it reads the same: another hash, no change.
        base.clone(),
    ];
    for (n, approved) in (1_u128..).zip(versions) {
        story.case(n, minute(0), Status::Decided);
        story.drafted(n, minute(1), 1);
        story.event(n, minute(2), 3, EventKind::Edited, json!({}));
        story.approved(n, minute(3), 9, 2, Status::Decided);
        story.drafts.insert(draft(n, 1), base.clone());
        story.drafts.insert(draft(n, 2), approved);
    }
    (6..=10).for_each(|n| story.plain(n, 9, 5));
    let report = story.report(&march(), &[]);
    let it = report.corrections.all;
    assert_eq!((it.changed.part, it.changed.of, it.changed.percent), (4, 10, Some(40.0)));
    assert_eq!((it.kind, it.outcome, it.amount, it.reasons, it.wording), (1, 1, 1, 1, 1));
    assert_eq!(it.words_median_percent, None, "four are too few for a median");
    assert_eq!(report.as_drafted.all, Share::new(5, 10));
    assert_eq!(Changes::between(&base, &story.drafts[&draft(1, 2)]).words, 125);
}

#[test]
fn detours_are_counted_only_where_something_changed() {
    let mut story = Story::default();
    (1..=5).for_each(|n| story.plain(n, 9, 30));
    let class = |label: &str| json!({ "matter": "feedback", "service": null, "category": null, "was": label });
    story.event(1, minute(2), 3, EventKind::Reclassified, class("question"));
    story.event(2, minute(2), 3, EventKind::Reclassified, class("feedback"));
    story.event(3, minute(2), 3, EventKind::Transferred, json!({ "authority": "grid", "was": "municipality" }));
    story.rows.events.sort_by_key(|event| event.at);
    story.case(6, minute(0), Status::NeedsPerson);
    story.event(6, minute(9), 0, EventKind::StepFailed, json!({}));
    let it = story.report(&march(), &[]).detours;
    assert_eq!((it.reclassified, it.transferred), (Share::new(1, 5), Share::new(1, 5)));
    assert_eq!(it.needed_person, Share::new(1, 6));
}

#[test]
fn alerts_are_timed_to_the_first_acknowledgement_of_each() {
    let mut story = Story::default();
    for n in 1..=6_u128 {
        story.case(n, minute(0), Status::InReview);
        story.event(n, minute(0), 0, EventKind::AlertRaised, json!({ "alert": n.to_string() }));
        if n < 6 {
            let seen = minute(i64::try_from(n * n).unwrap());
            story.event(n, seen, 4, EventKind::AlertAcknowledged, json!({ "alert": n.to_string() }));
            story.event(n, minute(600), 4, EventKind::AlertAcknowledged, json!({ "alert": n.to_string() }));
        }
    }
    let it = story.report(&march(), &[]).alerts;
    assert_eq!((it.raised, it.open, it.worst_seconds), (6, 1, Some(25 * 60)));
    assert_eq!((it.acknowledged.n, it.acknowledged.median_seconds), (5, Some(9 * 60)));
}

#[test]
fn due_and_late_are_of_now_and_late_settlements_of_the_window() {
    let mut story = Story::default();
    let now = at("2026-06-01T00:00:00Z");
    for (n, days) in [(1, -1), (2, 3), (3, 7), (4, 8), (5, 20)] {
        story.case(n, minute(0), Status::InReview);
        story.rows.cases.last_mut().unwrap().due_at = Some(now + SignedDuration::from_hours(days * 24));
    }
    story.case(6, minute(0), Status::NeedsPerson);
    story.case(7, minute(0), Status::AwaitingCompletion);
    // Due at noon.
    story.plain(8, 9, 11 * 60);
    story.plain(9, 9, 13 * 60);
    let it = story.report(&march(), &[]).deadlines.all;
    assert_eq!((it.open, it.late, it.within_7, it.within_14, it.later, it.without, it.waiting), (6, 1, 2, 1, 1, 1, 1));
    assert_eq!((it.settled_late.part, it.settled_late.of), (1, 2));
}

#[test]
fn worked_time_leaves_out_gaps_and_counts_overlaps_once() {
    let mut story = Story::default();
    story.case(1, minute(0), Status::Decided);
    story.drafted(1, minute(1), 1);
    let claim = || json!({ "disqualified": false });
    story.event(1, minute(10), 3, EventKind::Claimed, claim());
    story.event(1, minute(25), 3, EventKind::Edited, json!({}));
    // Overnight: longer than a claim lasts.
    story.event(1, minute(25 + 241), 3, EventKind::Edited, json!({}));
    story.event(1, minute(300), 3, EventKind::Released, json!({}));
    // A refused claim is no work.
    story.event(1, minute(310), 5, EventKind::Claimed, json!({ "disqualified": true, "refused": true }));
    story.event(1, minute(400), 4, EventKind::Claimed, claim());
    story.event(1, minute(405), 9, EventKind::Read, json!({ "what": "draft", "draft": draft(1, 1) }));
    story.event(1, minute(408), 9, EventKind::Read, json!({ "what": "draft", "draft": draft(1, 1) }));
    story.approved(1, minute(415), 9, 1, Status::Decided);
    let history = &story.histories()[0];
    // 15 + 34 minutes of the first, 15 of the second; the approver's ten lie within.
    assert_eq!(history.worked(minute(415), LEASE), Some(SignedDuration::from_mins(15 + 34 + 15)));
    let mut untold = Story::default();
    untold.plain(2, 9, 30);
    assert_eq!(untold.histories()[0].worked(minute(30), LEASE), None, "nobody is known to have looked");
}

#[test]
fn no_saving_is_told_without_a_baseline_or_of_few() {
    let mut story = Story::default();
    for n in 1..=5_u128 {
        story.case(n, minute(0), Status::Decided);
        story.drafted(n, minute(1), 1);
        story.event(n, minute(10), 3, EventKind::Claimed, json!({}));
        story.approved(n, minute(10 + 10 * i64::try_from(n).unwrap()), 9, 1, Status::Decided);
    }
    let it = story.report(&march(), &[]).manual.all;
    assert_eq!((it.time.n, it.unknown, it.mean_seconds, it.baseline), (5, 0, Some(30 * 60), None));
    let service: ServiceId = "road".parse().unwrap();
    let measured = Validity { from: date(2025, 2, 1), to: Some(date(2025, 2, 28)) };
    let baseline = |minutes, measured| Baseline {
        service: service.clone(),
        minutes,
        cases: 40,
        measured,
        source: "Ajanseuranta 2025".to_owned(),
    };
    let older = Validity { from: date(2020, 2, 1), to: None };
    let baselines = [baseline(95, measured), baseline(400, older)];
    let report = story.report(&march(), &baselines);
    assert_eq!(report.manual.all.baseline, None, "services are not thrown together");
    let compared = report.manual.services[0].figures.baseline.clone().unwrap();
    assert_eq!((compared.minutes, compared.cases, compared.saved_seconds), (95, 40, Some(65 * 60)));
    story.rows.cases.truncate(4);
    let few = story.report(&march(), &baselines).manual.services[0].figures.clone();
    assert_eq!((few.mean_seconds, few.baseline.unwrap().saved_seconds), (None, None));
}

#[test]
fn a_scope_is_of_one_service_and_department() {
    let mut story = Story::default();
    (1..=3).for_each(|n| story.plain(n, 9, 30));
    story.rows.cases[0].service = None;
    story.rows.cases[1].department = None;
    let received = |service: Option<&str>, department: Option<&str>| {
        let scope = Scope {
            service: service.map(|id| id.parse().unwrap()),
            department: department.map(|id| id.parse().unwrap()),
            ..march()
        };
        story.report(&scope, &[]).volume.all.received
    };
    assert_eq!((received(None, None), received(Some("road"), None), received(None, Some("technical"))), (3, 2, 2));
    assert_eq!((received(Some("road"), Some("technical")), received(Some("other"), None)), (1, 0));
    let services: Vec<_> = story.report(&march(), &[]).volume.services.iter().map(|of| of.service.is_some()).collect();
    assert_eq!(services, [false, true], "cases of no service are a group of their own");
}

fn guard(story: &Story) -> Guard {
    let histories = story.histories();
    let approvals = histories.iter().flat_map(History::approvals);
    let approved: Vec<_> = approvals
        .map(|approval| {
            let changes = Changes::of(&approval, &story.drafts).unwrap().unwrap_or_default();
            (approval, changes)
        })
        .collect();
    let municipality: MunicipalityId = "harjuvesi".parse().unwrap();
    let person = |n, name: &str| Person {
        token: token(n),
        municipality: municipality.clone(),
        role: Role::Approver,
        name: name.to_owned(),
        post: None,
        deputy: None,
    };
    let people = [person(1, "Tuomas Teknikko"), person(2, "tuomas  teknikko"), person(3, "Anna Virta")];
    Guard::of(march().window, &histories, &approved, &people, 20)
}

/// `n` approvals by turns with the tokens 1 and 2, `seconds` after the first look.
fn reading(story: &mut Story, n: u128, seconds: i64) {
    let by = 1 + n % 2;
    story.case(n, minute(0), Status::Decided);
    story.drafted(n, minute(1), 1);
    let looked = minute(60);
    story.event(n, looked, by, EventKind::Read, json!({ "what": "draft", "draft": draft(n, 1) }));
    story.approved(n, looked + SignedDuration::from_secs(seconds), by, 1, Status::Decided);
}

#[test]
fn quick_approvals_of_one_person_with_two_tokens_raise_a_question() {
    let mut story = Story::default();
    (1..=9).for_each(|n| reading(&mut story, n, if n <= 6 { 5 } else { 300 }));
    assert!(!guard(&story).people[0].ask, "nine are no pattern");
    reading(&mut story, 10, 20);
    let guard_of_ten = guard(&story);
    assert_eq!(guard_of_ten.people.len(), 1);
    let it = &guard_of_ten.people[0];
    assert_eq!((it.approvals, it.quick, it.reading.median_seconds), (10, Share::new(6, 10), Some(5)));
    let largest: Vec<(&str, i64)> = it.largest_quick.iter().map(|one| (one.number.as_str(), one.seconds)).collect();
    assert_eq!(largest, [("HRJ/2026/00006", 5), ("HRJ/2026/00005", 5), ("HRJ/2026/00004", 5)]);
    assert!(it.ask);
    story.event(1, minute(30), 1, EventKind::Returned, json!({}));
    story.rows.events.sort_by_key(|event| event.at);
    let it = &guard(&story).people[0];
    assert_eq!((it.returned, it.ask), (Share::new(1, 11), false), "who gives drafts back reads them");
}

#[test]
fn a_look_at_another_version_or_by_another_person_is_no_reading_time() {
    let mut story = Story::default();
    story.case(1, minute(0), Status::Decided);
    story.drafted(1, minute(1), 1);
    story.event(1, minute(2), 1, EventKind::Read, json!({ "what": "draft", "draft": draft(1, 7) }));
    story.event(1, minute(3), 3, EventKind::Read, json!({ "what": "draft", "draft": draft(1, 1) }));
    story.event(1, minute(4), 1, EventKind::Read, json!({ "what": "raw" }));
    story.approved(1, minute(5), 1, 1, Status::Decided);
    let guard = guard(&story);
    assert_eq!((guard.people[0].reading.n, guard.people[0].quick), (0, Share::new(0, 0)));
}

proptest! {
    /// Time with a claim never exceeds the time from the first act to the last, and no gap beyond the lease counts.
    #[test]
    fn worked_time_is_bounded(
        gaps in prop::collection::vec((0i64..600, 0usize..5, 1u128..4), 1..30), lease in 1i64..300,
    ) {
        let mut story = Story::default();
        story.case(1, minute(0), Status::InReview);
        let kinds =
            [EventKind::Claimed, EventKind::Released, EventKind::Edited, EventKind::Returned, EventKind::Asked];
        let mut now = 0;
        let mut within = 0;
        for (gap, kind, by) in &gaps {
            now += gap;
            within += if *gap <= lease { *gap } else { 0 };
            story.event(1, minute(now), *by, kinds[*kind], json!({}));
        }
        let worked = story.histories()[0].worked(minute(now), SignedDuration::from_mins(lease));
        if let Some(worked) = worked {
            prop_assert!(worked <= SignedDuration::from_mins(now));
            prop_assert!(worked.as_mins() <= now - gaps[0].0);
            // One holder at a time: where every gap is too long, nothing is left but what one holder did between others.
            if gaps.iter().all(|(gap, _, by)| *gap > lease && *by == 1) {
                prop_assert_eq!(worked, SignedDuration::ZERO);
            }
            if gaps.iter().all(|(_, _, by)| *by == 1) {
                prop_assert!(worked.as_mins() <= within);
            }
        } else {
            prop_assert!(!gaps.iter().any(|(_, kind, _)| *kind == 0));
        }
    }

    /// Whatever happened to cases, shares are shares and parts sum up to the whole.
    #[test]
    fn figures_agree_with_each_other(cases in prop::collection::vec((0i64..100_000, 0i64..100_000, 0usize..4), 0..40)) {
        let mut story = Story::default();
        let ends = [Status::Decided, Status::Acknowledged, Status::Transferred, Status::InReview];
        for (n, (received, long, end)) in (1_u128..).zip(&cases) {
            story.case(n, minute(*received), ends[*end]);
            story.drafted(n, minute(*received), 1);
            if ends[*end] != Status::InReview {
                story.approved(n, minute(received + long), 9, 1, ends[*end]);
            }
        }
        let report = story.report(&march(), &[]);
        let it = report.volume.all;
        let settled = it.decided + it.acknowledged + it.transferred;
        prop_assert_eq!(report.series.iter().map(|piece| piece.received).sum::<u64>(), it.received);
        prop_assert_eq!(report.series.iter().map(|piece| piece.settled).sum::<u64>(), settled);
        prop_assert_eq!(report.lead_times.all.whole.n, settled);
        prop_assert_eq!(report.as_drafted.all.of, settled);
        prop_assert_eq!(report.manual.all.unknown, settled);
        let of_services: u64 = report.volume.services.iter().map(|of| of.figures.received).sum();
        prop_assert_eq!(of_services, it.received);
    }
}
