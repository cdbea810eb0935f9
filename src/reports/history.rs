//! What happened to a case, as reports read it: the stored events in order, and what follows from them alone.
//!
//! Everything is worked out from events, so a window in the past gives the same figures whenever it is asked for. An
//! event that reports do not know counts as somebody's work on the case and as nothing else.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::measure::{Stretch, together};
use crate::cases::{
    Actor, CaseId, Difference, DraftId, DraftKind, Euro, EventKind, Matter, ServiceId, Status, TokenId,
};
use crate::storage::{ReportCase, ReportEvent, ReportRows};
use crate::triage::classify;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// It came in, or the party sent more: whatever is drafted next is drafted from this.
    Material,
    /// Words of danger: the alert.
    Alert(String),
    /// A person has seen the alert.
    Acknowledged(String),
    /// A step failed for good.
    Failed,
    /// The machine made a draft.
    Drafted { draft: DraftId, hash: String },
    /// A person took it.
    Claimed,
    /// A person gave it up.
    Released,
    /// An approver had this draft before their eyes for the first time.
    Looked(DraftId),
    /// A person approved a draft.
    Approved(Box<Approved>),
    /// An approver gave it back.
    Returned,
    /// A person said that it is another kind of matter than the machine had found.
    Reclassified,
    /// A person sent it to another authority than the machine had found.
    Transferred,
    /// The party withdrew it.
    Withdrawn,
    /// A person judged it before they saw the proposal: in what the two differ.
    Judged(Vec<Difference>),
    /// A person did something else.
    Worked,
}

/// What the record of an approval says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approved {
    pub draft: DraftId,
    pub hash: String,
    pub kind: DraftKind,
    pub amount: Option<Euro>,
    /// Where the case stood afterwards.
    pub status: Status,
    /// By when it was due.
    pub due: Option<Timestamp>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Act {
    pub at: Timestamp,
    /// The person; none for the machine.
    pub by: Option<TokenId>,
    pub what: What,
}

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A named person decided.
    Decided,
    /// The competent authority has it.
    Transferred,
    /// The notice was answered.
    Acknowledged,
    /// The party withdrew it.
    Withdrawn,
    /// Another way.
    Otherwise,
}

impl End {
    /// Whether a person settled it.
    pub(super) const fn is_settled(self) -> bool {
        matches!(self, Self::Decided | Self::Transferred | Self::Acknowledged)
    }
}

/// An approval with what came before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Approval<'a> {
    pub case: &'a ReportCase,
    pub at: Timestamp,
    pub by: Option<TokenId>,
    pub what: &'a Approved,
    /// The machine's first draft since the party last sent something: its id and hash.
    pub first: Option<(DraftId, &'a str)>,
    /// When this person first had this very version before their eyes.
    pub looked: Option<Timestamp>,
    /// Whether it was given back before.
    pub returned: bool,
}

impl Approval<'_> {
    /// Approved exactly as the machine drafted it, of what the party had sent and of nothing that a person added.
    pub(super) fn as_drafted(&self) -> bool {
        self.first.is_some_and(|(_, hash)| hash == self.what.hash)
    }
}

/// A case with its history, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct History {
    pub case: ReportCase,
    pub acts: Vec<Act>,
}

/// The histories of these rows.
pub(super) fn histories(rows: ReportRows) -> Vec<History> {
    let ReportRows { cases, events, .. } = rows;
    let mut at: HashMap<CaseId, usize> = HashMap::with_capacity(cases.len());
    let mut histories: Vec<History> = Vec::with_capacity(cases.len());
    for case in cases {
        at.insert(case.id, histories.len());
        histories.push(History { case, acts: Vec::new() });
    }
    for event in events {
        if let Some(history) = at.get(&event.case_id).and_then(|at| histories.get_mut(*at))
            && let Some(act) = act(&event)
        {
            history.acts.push(act);
        }
    }
    histories
}

/// What an event tells; none where it tells nothing that a report asks for.
fn act(event: &ReportEvent) -> Option<Act> {
    let payload = &event.payload;
    let text = |key: &str| payload.get(key).and_then(Value::as_str);
    let id = |key: &str| text(key).and_then(|text| text.parse::<DraftId>().ok());
    let what = match event.kind {
        EventKind::Registered | EventKind::Supplemented => What::Material,
        EventKind::AlertRaised => What::Alert(text("alert")?.to_owned()),
        EventKind::AlertAcknowledged => What::Acknowledged(text("alert")?.to_owned()),
        EventKind::StepFailed => What::Failed,
        EventKind::Drafted => What::Drafted { draft: id("draft")?, hash: text("hash")?.to_owned() },
        EventKind::Claimed if payload.get("refused").is_some() => return None,
        EventKind::Claimed => What::Claimed,
        EventKind::Released => What::Released,
        EventKind::Read => id("draft").map_or(What::Worked, What::Looked),
        EventKind::Approved => What::Approved(Box::new(Approved {
            draft: id("draft")?,
            hash: text("hash")?.to_owned(),
            kind: DraftKind::parse(text("kind")?)?,
            amount: text("amount").and_then(|amount| amount.parse().ok()),
            status: Status::parse(text("status")?)?,
            due: text("due").and_then(|due| due.parse().ok()),
        })),
        EventKind::Returned => What::Returned,
        EventKind::Reclassified if is_another_class(payload) => What::Reclassified,
        EventKind::Transferred if payload.get("authority") != payload.get("was") => What::Transferred,
        EventKind::Withdrawn => What::Withdrawn,
        EventKind::Judged => What::Judged(
            payload.get("differs_in").and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default(),
        ),
        _ => What::Worked,
    };
    let by = match &event.actor {
        Actor::Person { token, .. } => Some(*token),
        Actor::System { .. } => None,
    };
    Some(Act { at: event.at, by, what })
}

fn is_another_class(payload: &Value) -> bool {
    let text = |key: &str| payload.get(key).and_then(Value::as_str);
    let service = text("service").and_then(|id| id.parse::<ServiceId>().ok());
    let matter = text("matter").and_then(Matter::parse);
    matter
        .is_none_or(|matter| Some(classify::label(text("category"), service.as_ref(), matter).as_str()) != text("was"))
}

impl History {
    /// When and how it ended; none while it is open.
    pub(super) fn ended(&self) -> Option<(Timestamp, End)> {
        let known = self.acts.iter().find_map(|act| match &act.what {
            What::Approved(approved) => match approved.status {
                Status::Decided => Some((act.at, End::Decided)),
                Status::Transferred => Some((act.at, End::Transferred)),
                Status::Acknowledged => Some((act.at, End::Acknowledged)),
                Status::Withdrawn => Some((act.at, End::Withdrawn)),
                _ => None,
            },
            What::Withdrawn => Some((act.at, End::Withdrawn)),
            _ => None,
        });
        let otherwise = || self.acts.last().map(|act| (act.at, End::Otherwise));
        known.or_else(|| if self.case.status.is_final() { otherwise() } else { None })
    }

    /// Whether it had come in before a moment and had not ended by then.
    pub(super) fn is_open_before(&self, end: Timestamp) -> bool {
        self.case.received_at < end && self.ended().is_none_or(|(ended, _)| ended >= end)
    }

    /// When the municipality waited for the party, up to `until`: from an approved letter that asks them to their answer.
    pub(super) fn waits(&self, until: Timestamp) -> Vec<Stretch> {
        let mut waits = Vec::new();
        let mut since = None;
        for act in self.acts.iter().filter(|act| act.at <= until) {
            match &act.what {
                What::Approved(approved) if approved.status == Status::AwaitingCompletion => since = Some(act.at),
                // An answer, a withdrawal, a draft made because no answer came: the clock is the municipality's again.
                What::Material | What::Withdrawn | What::Drafted { .. } | What::Approved(_) => {
                    waits.extend(since.take().map(|since| (since, act.at)));
                }
                _ => {}
            }
        }
        waits.extend(since.map(|since| (since, until)));
        waits
    }

    /// Every approval, with what came before it.
    pub(super) fn approvals(&self) -> Vec<Approval<'_>> {
        let mut approvals = Vec::new();
        let mut first = None;
        let mut returned = false;
        let mut looks: HashMap<(TokenId, DraftId), Timestamp> = HashMap::new();
        for act in &self.acts {
            match &act.what {
                What::Material => first = None,
                What::Drafted { draft, hash } => first = first.or(Some((*draft, hash.as_str()))),
                What::Looked(draft) => {
                    if let Some(by) = act.by {
                        looks.entry((by, *draft)).or_insert(act.at);
                    }
                }
                What::Returned => returned = true,
                What::Approved(what) => {
                    let looked = act.by.and_then(|by| looks.get(&(by, what.draft)).copied());
                    let (at, by) = (act.at, act.by);
                    approvals.push(Approval { case: &self.case, at, by, what, first, looked, returned });
                    first = None;
                    returned = false;
                }
                _ => {}
            }
        }
        approvals
    }

    /// How long people worked on it up to `until`, as far as the record tells: from a claim over each act of who holds
    /// it to its end, and from an approver's first look to the approval. A gap longer than a claim lasts is left out;
    /// where two worked at once the time counts once. None when nobody claimed it and nobody is known to have looked.
    pub(super) fn worked(&self, until: Timestamp, lease: SignedDuration) -> Option<SignedDuration> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut known = false;
        let mut stretch = |from: Timestamp, to: Timestamp| {
            if to.duration_since(from) <= lease {
                stretches.push((from, to));
            }
        };
        let mut held: Option<(TokenId, Timestamp)> = None;
        let mut looks: HashMap<(TokenId, DraftId), Timestamp> = HashMap::new();
        for act in self.acts.iter().filter(|act| act.at <= until) {
            let Some(by) = act.by else { continue };
            let ends = matches!(act.what, What::Released | What::Returned | What::Approved(_) | What::Withdrawn);
            match held {
                Some((holder, since)) if holder == by || ends => {
                    stretch(since, act.at);
                    held = (!ends).then_some((holder, act.at));
                }
                _ => {}
            }
            match &act.what {
                What::Claimed => {
                    known = true;
                    held = Some((by, act.at));
                }
                What::Looked(draft) => {
                    looks.entry((by, *draft)).or_insert(act.at);
                }
                What::Approved(approved) => {
                    if let Some(looked) = looks.get(&(by, approved.draft)) {
                        known = true;
                        stretch(*looked, act.at);
                    }
                }
                _ => {}
            }
        }
        known.then(|| together(stretches))
    }
}
