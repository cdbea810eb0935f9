//! The figures of a window: how much came in and was settled, how long it took, what is due, what people changed.
//!
//! Pure: histories, drafts, costs, baselines and a moment in; figures out. Every figure says of how many it is made.
//! Nobody is named here, and nobody who handles cases is counted apart.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::changes::Changes;
use super::history::{Approval, End, History, What};
use super::measure::{FEW, Share, Spread, median, percentile, together};
use super::{Scope, Window};
use crate::cases::{DepartmentId, Difference, DraftId, ServiceId};
use crate::municipality::format::Baseline;
use crate::storage::{self, CostTotal, DraftWords};

/// Days that "due soon" reaches, and twice as far.
const SOON: [i64; 2] = [7, 14];

/// How the work went in a window.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Report {
    /// Which days.
    pub window: Window,
    /// Of which service only.
    pub service: Option<ServiceId>,
    /// Of which department only.
    pub department: Option<DepartmentId>,
    /// The moment at which it was made: what is open and due is as of then.
    #[schema(value_type = String, format = "date-time")]
    pub made_at: Timestamp,
    /// What came in, what was settled, what is open.
    pub volume: ByService<Volume>,
    /// The same over time.
    pub series: Vec<Piece>,
    /// From arrival to the settlement, of cases settled in the window.
    pub lead_times: ByService<LeadTime>,
    /// What is due now, and what was settled late in the window.
    pub deadlines: ByService<Deadlines>,
    /// What people changed in drafts that were approved in the window.
    pub corrections: ByService<Corrections>,
    /// Drafts that a person approved in the window exactly as the machine had made them.
    pub as_drafted: ByService<Share>,
    /// How often people who had not seen the proposal came to the same.
    pub blind: ByService<Blind>,
    /// What went another way than the machine had laid out.
    pub detours: Detours,
    /// How soon a person saw words of danger that were found in the window.
    pub alerts: Alerts,
    /// How long people worked on cases settled in the window: an estimate.
    pub manual: ByService<Manual>,
    /// What language models cost in the window, by currency.
    pub costs: Vec<CostTotal>,
}

/// A figure of all, and of each service that has any.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ByService<T> {
    /// Of all services together.
    pub all: T,
    /// Of each.
    pub services: Vec<OfService<T>>,
}

/// A figure of one service.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct OfService<T> {
    /// The service; null: cases that belong to none.
    pub service: Option<ServiceId>,
    /// Its figure.
    pub figures: T,
}

/// What came in, what ended, what is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Volume {
    /// Came in within the window.
    pub received: u64,
    /// Decided within it.
    pub decided: u64,
    /// Notices answered within it.
    pub acknowledged: u64,
    /// Sent to the competent authority within it.
    pub transferred: u64,
    /// Withdrawn by the party within it.
    pub withdrawn: u64,
    /// Ended another way within it.
    pub otherwise: u64,
    /// Open at its end, or now where that is earlier.
    pub open: u64,
}

/// A piece of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Piece {
    /// Which days.
    pub window: Window,
    /// Came in.
    pub received: u64,
    /// Settled by a person: decided, answered, sent on.
    pub settled: u64,
}

/// From arrival to the settlement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LeadTime {
    /// The whole time.
    pub whole: Spread,
    /// Without the time in which the municipality waited for the party.
    pub own: Spread,
    /// That time, of the cases in which it waited.
    pub waiting: Spread,
}

/// What is due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Deadlines {
    /// Open now and the municipality's turn.
    pub open: u64,
    /// Of these, late.
    pub late: u64,
    /// Due within seven days.
    pub within_7: u64,
    /// Due within fourteen days, but not within seven.
    pub within_14: u64,
    /// Due later.
    pub later: u64,
    /// Without a clock.
    pub without: u64,
    /// Open now and the party's turn.
    pub waiting: u64,
    /// Settled late in the window, of those whose last day is on the record.
    pub settled_late: Share,
}

/// What people changed between the machine's first draft and the approved one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Corrections {
    /// Approved drafts in which something was changed.
    pub changed: Share,
    /// Of these, a letter of another kind.
    pub kind: u64,
    /// Of these, a decision of another outcome.
    pub outcome: u64,
    /// Of these, another amount.
    pub amount: u64,
    /// Of these, other reasons.
    pub reasons: u64,
    /// Of these, nothing but other words.
    pub wording: u64,
    /// Share of the letter's words that was changed, percent: the middle one of those in which any was. Null of fewer
    /// than five.
    pub words_median_percent: Option<f64>,
    /// The same, nine in ten.
    pub words_p90_percent: Option<f64>,
}

/// Blind reviews (*sokkoarvio*) of a window: what people judged before they saw the proposal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Blind {
    /// Came to the same outcome and amount, of all that were judged blind.
    pub agreed: Share,
    /// Of these, another kind of decision or letter.
    pub outcome: u64,
    /// Of these, another amount.
    pub amount: u64,
}

/// What went another way than the machine had laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Detours {
    /// Settled cases whose kind of matter a person had changed.
    pub reclassified: Share,
    /// Settled cases that a person had sent to another authority.
    pub transferred: Share,
    /// Approved drafts that had been given back before.
    pub returned: Share,
    /// Cases that came in and that the machine could not draft.
    pub needed_person: Share,
}

/// How soon a person saw words of danger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Alerts {
    /// Raised in the window.
    pub raised: u64,
    /// Of these, not acknowledged yet.
    pub open: u64,
    /// From the alert to the acknowledgement.
    pub acknowledged: Spread,
    /// The longest of these, seconds.
    pub worst_seconds: Option<i64>,
}

/// How long people worked on settled cases.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Manual {
    /// Cases of which the record tells.
    pub time: Spread,
    /// Their mean, seconds. Null of fewer than five.
    pub mean_seconds: Option<i64>,
    /// Settled cases of which it does not tell.
    pub unknown: u64,
    /// The same work before, as measured; null where nobody measured it, and then no saving can be told.
    pub baseline: Option<Compared>,
}

/// A stored baseline, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Compared {
    /// Minutes a case, mean.
    pub minutes: u32,
    /// Of how many cases.
    pub cases: u32,
    /// First day of the measurement.
    #[schema(value_type = String, format = "date")]
    pub measured_from: jiff::civil::Date,
    /// Last day.
    #[schema(value_type = Option<String>, format = "date")]
    pub measured_to: Option<jiff::civil::Date>,
    /// Where it stands written.
    pub source: String,
    /// Seconds a case that are saved; below nought it takes longer. Null of fewer than five cases.
    pub saved_seconds: Option<i64>,
}

/// What figures are made of.
pub(super) struct Material<'a> {
    pub histories: &'a [History],
    pub drafts: &'a HashMap<DraftId, DraftWords>,
    pub costs: Vec<CostTotal>,
    pub baselines: &'a [Baseline],
    pub made_at: Timestamp,
    pub lease: SignedDuration,
}

impl Report {
    /// The figures of a scope.
    pub(super) fn of(scope: &Scope, material: Material) -> storage::Result<Self> {
        let Material { histories, drafts, costs, baselines, made_at, lease } = material;
        let window = scope.window;
        let within = |history: &&History| {
            scope.service.as_ref().is_none_or(|service| history.case.service.as_ref() == Some(service))
                && scope.department.as_ref().is_none_or(|unit| history.case.department.as_ref() == Some(unit))
        };
        let all: Vec<&History> = histories.iter().filter(within).collect();
        let settled = all.iter().copied().filter_map(|history| Settled::of(history, window)).collect::<Vec<_>>();
        let mut approved = Vec::new();
        for approval in all.iter().flat_map(|history| history.approvals()) {
            if window.contains(approval.at)
                && let Some(changes) = Changes::of(&approval, drafts)?
            {
                approved.push((approval, changes));
            }
        }
        let judged: Vec<(&History, &[Difference])> = all
            .iter()
            .flat_map(|history| history.acts.iter().map(move |act| (*history, act)))
            .filter(|(_, act)| window.contains(act.at))
            .filter_map(|(history, act)| match &act.what {
                What::Judged(differs_in) => Some((history, differs_in.as_slice())),
                _ => None,
            })
            .collect();
        // What happened up to this very moment counts.
        let end = window.end().min(made_at.saturating_add(SignedDuration::from_micros(1)).unwrap_or(made_at));
        let of_case = |history: &&History| history.case.service.clone();
        let of_settled = |settled: &Settled| settled.history.case.service.clone();
        let of_approved = |approved: &(Approval, Changes)| approved.0.case.service.clone();
        Ok(Self {
            window,
            service: scope.service.clone(),
            department: scope.department.clone(),
            made_at,
            volume: by_service(&all, of_case, |_, cases| volume(cases, window, end)),
            series: series(&all, &settled, window),
            lead_times: by_service(&settled, of_settled, |_, settled| lead_time(settled)),
            deadlines: deadlines(&all, &settled, made_at),
            corrections: by_service(&approved, of_approved, |_, approved| corrections(approved)),
            as_drafted: by_service(&approved, of_approved, |_, approved| {
                Share::of(approved, |approved| approved.0.as_drafted())
            }),
            blind: by_service(&judged, |(history, _)| history.case.service.clone(), |_, judged| blind(judged)),
            detours: detours(&all, &settled, &approved, window),
            alerts: alerts(&all, window),
            manual: by_service(&settled, of_settled, |service, settled| {
                manual(settled, lease, service.and_then(|service| baseline(baselines, service)))
            }),
            costs,
        })
    }
}

/// A case that a person settled within the window.
struct Settled<'a> {
    history: &'a History,
    at: Timestamp,
}

impl<'a> Settled<'a> {
    fn of(history: &'a History, window: Window) -> Option<Self> {
        let (at, end) = history.ended()?;
        (end.is_settled() && window.contains(at)).then_some(Self { history, at })
    }
}

/// Figures of all, and of each service apart, in the order of their ids. Of all together there is no one service.
fn by_service<I, T>(
    items: &[I],
    service: impl Fn(&I) -> Option<ServiceId>,
    figures: impl Fn(Option<&ServiceId>, &[&I]) -> T,
) -> ByService<T> {
    let mut groups: BTreeMap<Option<ServiceId>, Vec<&I>> = BTreeMap::new();
    for item in items {
        groups.entry(service(item)).or_default().push(item);
    }
    let all: Vec<&I> = items.iter().collect();
    let services = groups.into_iter().map(|(service, items)| {
        let figures = figures(service.as_ref(), &items);
        OfService { service, figures }
    });
    ByService { services: services.collect(), all: figures(None, &all) }
}

fn volume(cases: &[&&History], window: Window, end: Timestamp) -> Volume {
    let mut volume = Volume::default();
    for history in cases {
        volume.received += u64::from(window.contains(history.case.received_at));
        volume.open += u64::from(history.is_open_before(end));
        if let Some((_, ended)) = history.ended().filter(|(at, _)| window.contains(*at)) {
            *match ended {
                End::Decided => &mut volume.decided,
                End::Acknowledged => &mut volume.acknowledged,
                End::Transferred => &mut volume.transferred,
                End::Withdrawn => &mut volume.withdrawn,
                End::Otherwise => &mut volume.otherwise,
            } += 1;
        }
    }
    volume
}

fn series(all: &[&History], settled: &[Settled], window: Window) -> Vec<Piece> {
    let pieces = window.pieces();
    let mut series: Vec<Piece> =
        pieces.iter().map(|window| Piece { window: *window, received: 0, settled: 0 }).collect();
    // Pieces lie in order: the one that a moment belongs to is found by halving.
    let ends: Vec<Timestamp> = pieces.iter().map(Window::end).collect();
    let mut count = |at: Timestamp, field: fn(&mut Piece) -> &mut u64| {
        if window.contains(at)
            && let Some(piece) = series.get_mut(ends.partition_point(|end| *end <= at))
        {
            *field(piece) += 1;
        }
    };
    for history in all {
        count(history.case.received_at, |piece| &mut piece.received);
    }
    for settled in settled {
        count(settled.at, |piece| &mut piece.settled);
    }
    series
}

fn lead_time(settled: &[&Settled]) -> LeadTime {
    let times = settled.iter().map(|settled| {
        let whole = settled.at.duration_since(settled.history.case.received_at);
        (whole, together(settled.history.waits(settled.at)))
    });
    let times: Vec<(SignedDuration, SignedDuration)> = times.collect();
    LeadTime {
        whole: Spread::of(times.iter().map(|(whole, _)| *whole)),
        own: Spread::of(times.iter().map(|(whole, waiting)| whole.saturating_sub(*waiting))),
        waiting: Spread::of(times.iter().map(|(_, waiting)| *waiting).filter(SignedDuration::is_positive)),
    }
}

/// What is due now, of open cases, and what was settled late, of settled ones: services that have either.
fn deadlines(all: &[&History], settled: &[Settled], now: Timestamp) -> ByService<Deadlines> {
    let settled_at: HashMap<_, _> = settled.iter().map(|settled| (settled.history.case.id, settled.at)).collect();
    let concerned: Vec<&History> = all
        .iter()
        .copied()
        .filter(|history| !history.case.status.is_final() || settled_at.contains_key(&history.case.id))
        .collect();
    by_service(
        &concerned,
        |history| history.case.service.clone(),
        |_, cases| {
            let mut figures = Deadlines::default();
            let mut late = (0, 0);
            for history in cases {
                if let Some(at) = settled_at.get(&history.case.id) {
                    let due = history.acts.iter().rev().find_map(|act| match &act.what {
                        What::Approved(approved) => Some(approved.due),
                        _ => None,
                    });
                    if let Some(due) = due.flatten() {
                        late.0 += u64::from(*at > due);
                        late.1 += 1;
                    }
                } else if history.case.status == crate::cases::Status::AwaitingCompletion {
                    figures.waiting += 1;
                } else {
                    figures.open += 1;
                    *match history.case.due_at.map(|due| due.duration_since(now).as_secs()) {
                        None => &mut figures.without,
                        Some(left) if left < 0 => &mut figures.late,
                        Some(left) if left <= SOON[0] * 86_400 => &mut figures.within_7,
                        Some(left) if left <= SOON[1] * 86_400 => &mut figures.within_14,
                        Some(_) => &mut figures.later,
                    } += 1;
                }
            }
            Deadlines { settled_late: Share::new(late.0, late.1), ..figures }
        },
    )
}

fn corrections(approved: &[&(Approval, Changes)]) -> Corrections {
    let count = |is_so: fn(&Changes) -> bool| approved.iter().filter(|(_, changes)| is_so(changes)).count() as u64;
    let mut words: Vec<i64> =
        approved.iter().filter(|(_, changes)| changes.any()).map(|(_, changes)| i64::from(changes.words)).collect();
    words.sort_unstable();
    let percent = |thousandths: Option<i64>| {
        let enough = words.len() as u64 >= FEW;
        thousandths.and_then(|share| i32::try_from(share).ok()).filter(|_| enough).map(|share| f64::from(share) / 10.0)
    };
    Corrections {
        changed: Share::of(approved, |(_, changes)| changes.any()),
        kind: count(|changes| changes.kind),
        outcome: count(|changes| changes.outcome),
        amount: count(|changes| changes.amount),
        reasons: count(|changes| changes.reasons),
        wording: count(|changes| changes.wording),
        words_median_percent: percent(median(&words)),
        words_p90_percent: percent(percentile(&words, 90)),
    }
}

fn blind(judged: &[&(&History, &[Difference])]) -> Blind {
    let differ = |what| judged.iter().filter(|(_, differs_in)| differs_in.contains(&what)).count() as u64;
    Blind {
        agreed: Share::of(judged, |(_, differs_in)| differs_in.is_empty()),
        outcome: differ(Difference::Outcome),
        amount: differ(Difference::Amount),
    }
}

fn detours(all: &[&History], settled: &[Settled], approved: &[(Approval, Changes)], window: Window) -> Detours {
    let had = |what: What| {
        Share::of(settled, |settled| settled.history.acts.iter().any(|act| act.at <= settled.at && act.what == what))
    };
    let received = all.iter().filter(|history| window.contains(history.case.received_at));
    Detours {
        reclassified: had(What::Reclassified),
        transferred: had(What::Transferred),
        returned: Share::of(approved, |(approval, _)| approval.returned),
        needed_person: Share::of(received, |history| history.acts.iter().any(|act| act.what == What::Failed)),
    }
}

fn alerts(all: &[&History], window: Window) -> Alerts {
    let mut alerts = Alerts::default();
    let mut times = Vec::new();
    for history in all {
        for raised in &history.acts {
            let What::Alert(alert) = &raised.what else { continue };
            if !window.contains(raised.at) {
                continue;
            }
            alerts.raised += 1;
            let seen = |what: &What| matches!(what, What::Acknowledged(seen) if seen == alert);
            match history.acts.iter().find(|act| seen(&act.what)) {
                Some(seen) => times.push(seen.at.duration_since(raised.at)),
                None => alerts.open += 1,
            }
        }
    }
    alerts.worst_seconds = times.iter().max().map(SignedDuration::as_secs);
    alerts.acknowledged = Spread::of(times);
    alerts
}

/// The newest baseline of a service.
fn baseline<'a>(baselines: &'a [Baseline], service: &ServiceId) -> Option<&'a Baseline> {
    baselines.iter().filter(|baseline| baseline.service == *service).max_by_key(|baseline| baseline.measured.from)
}

fn manual(settled: &[&Settled], lease: SignedDuration, baseline: Option<&Baseline>) -> Manual {
    let times: Vec<SignedDuration> =
        settled.iter().filter_map(|settled| settled.history.worked(settled.at, lease)).collect();
    let n = i64::try_from(times.len()).unwrap_or(i64::MAX);
    let total: i64 = times.iter().map(SignedDuration::as_secs).sum();
    let mean_seconds = (times.len() as u64 >= FEW).then(|| total / n.max(1));
    Manual {
        unknown: (settled.len() - times.len()) as u64,
        time: Spread::of(times),
        mean_seconds,
        baseline: baseline.map(|baseline| Compared {
            minutes: baseline.minutes,
            cases: baseline.cases,
            measured_from: baseline.measured.from,
            measured_to: baseline.measured.to,
            source: baseline.source.clone(),
            saved_seconds: mean_seconds.map(|mean| i64::from(baseline.minutes) * 60 - mean),
        }),
    }
}
