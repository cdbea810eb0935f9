//! How approvals are made, by person, for their supervisor: are drafts read before they are approved?
//!
//! Figures and, where a pattern looks like approving without reading, a question; never a ranking: the list is in the
//! order of names. A fast approval alone says nothing, a clean case is quick to read; so the note asks for several
//! things at once, and states them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::Window;
use super::changes::Changes;
use super::history::{Approval, History, What};
use super::measure::{Share, Spread};
use crate::cases::{CaseId, Euro, Person, TokenId};

/// Fewer approvals than this make no pattern.
pub const PATTERN_APPROVALS: u64 = 10;
/// From this share of quick approvals on there may be one, percent.
pub const PATTERN_QUICK_PERCENT: u64 = 50;
/// Unless they gave back more than this share of drafts, percent.
pub const PATTERN_RETURNED_PERCENT: u64 = 5;
/// Quick approvals that are named, the largest amounts first.
const LARGEST: usize = 3;

/// How approvals of a window were made.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Guard {
    /// Which days.
    pub window: Window,
    /// An approval within so many seconds of the first look is quick.
    pub quick_seconds: u32,
    /// Those who approved, in the order of their names.
    pub people: Vec<Approver>,
}

/// How one person approved.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Approver {
    /// Name as it stands under their decisions.
    pub name: String,
    /// Drafts they approved.
    pub approvals: u64,
    /// From the first look at the approved version to the approval, where the look is on the record.
    pub reading: Spread,
    /// Approved quickly, of those.
    pub quick: Share,
    /// Drafts they approved that another person had changed.
    pub changed: Share,
    /// Drafts they gave back, of those they approved or gave back.
    pub returned: Share,
    /// The largest amounts that they approved quickly.
    pub largest_quick: Vec<QuickApproval>,
    /// Whether the pattern asks for a talk: at least ten looks on the record, at least half of these approvals quick, and
    /// no more than one draft in twenty given back. What others changed says nothing of who approved.
    pub ask: bool,
}

/// A quick approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QuickApproval {
    /// The case.
    pub case_id: CaseId,
    /// The number people use.
    pub number: String,
    /// What was granted.
    pub amount: Euro,
    /// From the first look to the approval.
    pub seconds: i64,
    /// When it was approved.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
}

/// What one person did.
#[derive(Default)]
struct Done<'a> {
    name: String,
    approvals: Vec<(&'a Approval<'a>, &'a Changes)>,
    returns: u64,
}

impl Guard {
    /// The approvals of a window; `people` are those who decided or have a token.
    pub(super) fn of(
        window: Window,
        histories: &[History],
        approved: &[(Approval, Changes)],
        people: &[Person],
        quick_seconds: u32,
    ) -> Self {
        let names: BTreeMap<TokenId, &str> = people.iter().map(|person| (person.token, person.name.as_str())).collect();
        // With two tokens a person is one person, as everywhere: `Person::is_same_person`.
        let key = |token: TokenId| {
            let name = names.get(&token).copied();
            name.map_or_else(
                || token.to_string(),
                |name| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
            )
        };
        let name = |token: TokenId| names.get(&token).map_or_else(|| token.to_string(), |name| (*name).to_owned());
        let mut done: BTreeMap<String, Done> = BTreeMap::new();
        for (approval, changes) in approved {
            let Some(by) = approval.by else { continue };
            let one = done.entry(key(by)).or_insert_with(|| Done { name: name(by), ..Done::default() });
            one.approvals.push((approval, changes));
        }
        for act in histories.iter().flat_map(|history| &history.acts) {
            if act.what == What::Returned
                && window.contains(act.at)
                && let Some(by) = act.by
            {
                done.entry(key(by)).or_insert_with(|| Done { name: name(by), ..Done::default() }).returns += 1;
            }
        }
        let people = done.into_values().map(|done| approver(done, i64::from(quick_seconds))).collect();
        Self { window, quick_seconds, people }
    }
}

fn approver(done: Done, quick_seconds: i64) -> Approver {
    let Done { name, approvals, returns } = done;
    let read = approvals.iter().filter_map(|(approval, _)| {
        let looked = approval.looked?;
        Some((*approval, approval.at.duration_since(looked)))
    });
    let read: Vec<_> = read.collect();
    let is_quick = |time: &jiff::SignedDuration| time.as_secs() < quick_seconds;
    let quick = Share::of(&read, |(_, time)| is_quick(time));
    let made = approvals.len() as u64;
    let changed = Share::of(&approvals, |(_, changes)| changes.any());
    let returned = Share::new(returns, made + returns);
    let mut largest: Vec<QuickApproval> = read
        .iter()
        .filter(|(_, time)| is_quick(time))
        .filter_map(|(approval, time)| {
            Some(QuickApproval {
                case_id: approval.case.id,
                number: approval.case.number.clone(),
                amount: approval.what.amount?,
                seconds: time.as_secs(),
                at: approval.at,
            })
        })
        .collect();
    largest.sort_by(|a, b| b.amount.cmp(&a.amount).then(a.at.cmp(&b.at)));
    largest.truncate(LARGEST);
    let ask = quick.of >= PATTERN_APPROVALS
        && quick.part * 100 >= quick.of * PATTERN_QUICK_PERCENT
        && returned.part * 100 <= returned.of * PATTERN_RETURNED_PERCENT;
    let reading = Spread::of(read.into_iter().map(|(_, time)| time));
    Approver { name, approvals: made, reading, quick, changed, returned, largest_quick: largest, ask }
}
