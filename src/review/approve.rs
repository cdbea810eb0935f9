//! `approve`: the one act that makes a draft a decision (promises 1, 5, 7).
//!
//! A named person, with the power for this amount on this day, who did not prepare it and is not
//! disqualified, confirms the hash of what they saw, the amount and the instructions for appeal. Every check
//! runs again with the approver known. Of two approvals at once storage lets one in. A refused approval is on
//! the record too.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::power::Authority;
use super::{Refusal, Result, Review, act};
use crate::cases::{
    Act, Adverse, AppealKind, Case, CaseId, Check, Decision, Draft, DraftContent, DraftHash, DraftKind, Due, Euro,
    EventKind, Ground, Hearing, Matter, Outcome, Person, Status,
};
use crate::clock::helsinki;
use crate::municipality::format::ServiceFile;
use crate::storage::Tx;
use crate::triage::history::{self, Others};
use crate::triage::owner::posts_named;
use crate::triage::standing;
use crate::triage::{Circumstances, Step};

/// What an approver confirms.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Hash of the draft that was seen.
    pub draft_hash: DraftHash,
    /// The amount that was seen; null when the draft grants nothing.
    pub confirmed_amount: Option<Euro>,
    /// That the instructions for appeal were read; must be true when the draft carries any.
    #[serde(default)]
    pub appeal_confirmed: bool,
    /// Whether the approver is disqualified (hallintolaki 27–28 §). An approval declares that they are not.
    #[serde(default)]
    pub disqualified: bool,
}

impl Review {
    /// Approves the draft.
    ///
    /// # Errors
    /// Every [`Refusal`] that an approval can meet; those about the person, the draft or its checks are
    /// recorded.
    pub async fn approve(&self, person: &Person, id: CaseId, approval: &Approval) -> Result<(Case, Decision)> {
        let (mut tx, case) = self.open_to_anybody(person, id).await?;
        let weighed = match self.weigh(person, &case, approval).await {
            Ok(weighed) => self.require_others_unchanged(&mut tx, &case).await.map(|()| weighed),
            Err(refusal) => Err(refusal),
        };
        match weighed {
            Ok((draft, authority)) => self.decide(tx, case, person, &draft, authority).await,
            Err(Refusal::OthersChanged { facts }) => {
                tx.rollback().await;
                self.make_anew(person, id, &facts).await?;
                Err(Refusal::OthersChanged { facts })
            }
            Err(refusal) => {
                tx.rollback().await;
                if approval.disqualified && matches!(refusal, Refusal::Disqualified) {
                    self.declare_disqualified(person, id, Ground::Other).await?;
                }
                self.record_refusal(person, id, &refusal, approval.disqualified).await?;
                Err(refusal)
            }
        }
    }

    /// Everything that must hold, in the order in which a person can do something about it. Gives the draft
    /// and what gives the power.
    async fn weigh(&self, person: &Person, case: &Case, approval: &Approval) -> Result<(Draft, Authority)> {
        let confirms = case.awaits_confirmation();
        if case.status.is_final() && !confirms {
            let decided = !matches!(case.status, Status::Merged | Status::Withdrawn);
            return Err(if decided { Refusal::AlreadyDecided } else { Refusal::Final { status: case.status } });
        }
        if !confirms {
            case.status.after(Act::Approve, Some(DraftKind::Grant))?;
            self.require_judged(person, case)?;
        }
        let draft = self.latest_draft(case).await?;
        // What was drafted before it was withdrawn says nothing any more.
        if confirms && draft.content.kind != DraftKind::Withdrawal {
            return Err(Refusal::Final { status: case.status });
        }
        if draft.hash != approval.draft_hash {
            return Err(Refusal::StaleDraft { current: draft.hash });
        }
        if approval.disqualified {
            return Err(Refusal::Disqualified);
        }
        let authority = self.may_approve(person, case, &draft.content).await?;
        if draft.content.amount != approval.confirmed_amount {
            return Err(Refusal::WrongAmount { amount: draft.content.amount });
        }
        if draft.content.appeal.kind != AppealKind::None && !approval.appeal_confirmed {
            return Err(Refusal::AppealNotConfirmed);
        }
        if self.storage.has_open_alert(&case.municipality, case.id).await? {
            return Err(Refusal::OpenAlert);
        }
        let checks = self.check(case, &draft.content, &draft.prepared_by, Some(person)).await?;
        let failed: Vec<Check> = checks.into_iter().filter(Check::blocks).collect();
        if failed.is_empty() { Ok((draft, authority)) } else { Err(Refusal::ChecksFailed(failed)) }
    }

    /// That what the rules read of other cases still holds: one may have been decided since. Two approvals of one
    /// municipality that look at other cases are weighed one after the other.
    async fn require_others_unchanged(&self, tx: &mut Tx, case: &Case) -> Result<()> {
        let desk = self.desk(&case.municipality)?;
        let submission = self.submission(case).await?;
        let mut sought = history::sought(desk, &submission, &case.file);
        sought.extend(standing::sought(desk, &case.file));
        if sought.is_empty() {
            return Ok(());
        }
        let ledger = tx.ledger(&case.municipality, &sought).await?;
        let at = Circumstances { others: Others::Cases(&ledger), ..self.circumstances(case).await? };
        let mut facts = history::differences(desk, &submission, &case.file, &at);
        if standing::standing(desk, &submission, &case.file, &at, &ledger) != case.file.standing {
            facts.push("standing".to_owned());
        }
        if facts.is_empty() { Ok(()) } else { Err(Refusal::OthersChanged { facts }) }
    }

    /// The refused case goes through the rules again.
    async fn make_anew(&self, person: &Person, id: CaseId, facts: &[String]) -> Result<()> {
        let (mut tx, mut case) = self.open_to_anybody(person, id).await?;
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
        let payload = json!({ "reason": "others-changed", "facts": facts });
        Self::finish(tx, case, act(person, EventKind::ApprovalRefused, id, payload)).await.map(drop)
    }

    /// Whether this person could approve a draft of the case at all, whatever they confirm: gives what gives the power.
    ///
    /// # Errors
    /// [`Refusal::Disqualified`], [`Refusal::PreparerApproves`], [`Refusal::BeyondPower`], [`Refusal::NotDeputyNow`].
    pub async fn may_approve(&self, person: &Person, case: &Case, content: &DraftContent) -> Result<Authority> {
        if case.file.is_disqualified(person) {
            return Err(Refusal::Disqualified);
        }
        if self.is_about(person, case)? {
            return Err(Refusal::Disqualified);
        }
        Self::require_not_preparer(person, case)?;
        self.power(person, case, content).await
    }

    /// Whether the case is a complaint that names this person's post (hallintolaki 27–28 §).
    fn is_about(&self, person: &Person, case: &Case) -> Result<bool> {
        let class = case.file.classification.as_ref().filter(|class| class.matter == Matter::Complaint);
        let (Some(_), Some(post), Some(reading)) = (class, &person.post, &case.file.reading) else { return Ok(false) };
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        Ok(posts_named(pack, &reading.message()).contains(post))
    }

    /// Nobody approves what they prepared, also not with another token: who edited, asked, ruled, reclassified or
    /// transferred is on the case.
    fn require_not_preparer(person: &Person, case: &Case) -> Result<()> {
        let prepared = case.file.preparers.iter().any(|preparer| preparer.is_same_person(person));
        if prepared { Err(Refusal::PreparerApproves) } else { Ok(()) }
    }

    async fn decide(
        &self,
        mut tx: Tx,
        mut case: Case,
        person: &Person,
        draft: &Draft,
        authority: Authority,
    ) -> Result<(Case, Decision)> {
        let content = &draft.content;
        let right = self.right_granted(person, &case, content)?;
        let decision = Decision {
            case_id: case.id,
            draft_id: draft.id,
            draft_hash: draft.hash.clone(),
            amount: content.amount,
            person: person.clone(),
            authority: authority.because,
            deputy_for: authority.deputy_for,
            decided_at: self.ambient().now(),
        };
        case.status = case.status.after(Act::Approve, Some(content.kind))?;
        case.claim = None;
        let due = case.file.due.take().map(|due| due.at);
        case.file.returned = None;
        if let Some(withdrawal) = &mut case.file.withdrawal {
            withdrawal.confirmed = true;
        }
        if content.kind.asks() {
            let because = if content.kind == DraftKind::Hearing { "hearing" } else { "completion request" };
            case.file.due = content.deadline.and_then(end_of_day).map(|at| Due { at, because: because.to_owned() });
        }
        match (content.kind, content.deadline) {
            (DraftKind::Completion, until) => case.file.completion_until = until,
            (DraftKind::Hearing, Some(until)) => {
                let class = case.file.classification.as_ref();
                let service = class.and_then(|class| class.service.as_ref());
                let pack = &self.desk(&case.municipality)?.rulebook.pack;
                let ours = service.and_then(|id| pack.service(id)).is_some_and(|service| service.office);
                let adverse = case.file.adverse(ours);
                let value = |adverse: &Adverse<'_>| (adverse.fact.name.clone(), adverse.fact.value.plain());
                let facts = adverse.iter().map(value).collect();
                let order = case.file.hear.take();
                case.file.hearings.push(Hearing { order: order.map(|order| *order), facts, until, answered: None });
            }
            _ => {}
        }
        let mut payload = json!({ "draft": draft.id, "version": draft.version, "hash": draft.hash, "kind": content.kind,
            "amount": content.amount, "authority": decision.authority, "status": case.status, "due": due });
        if let Some(post) = &decision.deputy_for {
            payload["deputy_for"] = json!(post);
        }
        tx.insert_decision(&decision).await?;
        if let Some(right) = &right {
            tx.insert_access_right(&case.municipality, right).await?;
        }
        if let Some(outcome) = outcome_of(content.kind) {
            tx.note_outcome(case.id, outcome).await?;
        }
        self.note_correction(&mut tx, person, &case, content.kind).await?;
        let event = act(person, EventKind::Approved, case.id, payload);
        Ok((Self::finish(tx, case, event).await?, decision))
    }

    /// A correction is noted on the case of the decision that it corrects (*korjausmerkintä*, hallintolaki 53 §).
    async fn note_correction(&self, tx: &mut Tx, person: &Person, case: &Case, kind: DraftKind) -> Result<()> {
        let class = case.file.classification.as_ref().and_then(|class| class.service.as_ref());
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let corrects = class.and_then(|id| pack.service(id)).is_some_and(ServiceFile::corrects);
        let done = kind == DraftKind::Correction || kind.grants();
        if let (Some(about), true) = (&case.file.about, corrects && done) {
            let payload = json!({ "correction": case.number, "case": case.id, "kind": kind });
            tx.append_event(&case.municipality, act(person, EventKind::Corrected, about.case.id, payload)).await?;
        }
        Ok(())
    }

    /// A refused approval of this person, for the chain. A race or a wrong status tells nothing about them.
    async fn record_refusal(&self, person: &Person, id: CaseId, refusal: &Refusal, disqualified: bool) -> Result<()> {
        let mut payload = json!({ "reason": refusal.code() });
        match refusal {
            Refusal::BeyondPower { limit, whose } => {
                payload["limit"] = json!(limit);
                payload["whose"] = json!(whose);
            }
            Refusal::ChecksFailed(checks) => {
                payload["failed"] = checks.iter().map(|check| check.id.as_str()).collect();
            }
            Refusal::Disqualified if disqualified => payload["disqualified"] = true.into(),
            Refusal::Disqualified
            | Refusal::StaleDraft { .. }
            | Refusal::WrongAmount { .. }
            | Refusal::AppealNotConfirmed
            | Refusal::PreparerApproves
            | Refusal::NotDeputyNow { .. }
            | Refusal::OpenAlert => {}
            _ => return Ok(()),
        }
        let mut tx = self.storage.begin().await?;
        tx.append_event(&person.municipality, act(person, EventKind::ApprovalRefused, id, payload)).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// What a kind of decision says of the case to others; none for one that says no more than the rules do.
const fn outcome_of(kind: DraftKind) -> Option<Outcome> {
    match kind {
        DraftKind::Grant => Some(Outcome::Granted),
        DraftKind::Partial => Some(Outcome::Partial),
        DraftKind::Rejection => Some(Outcome::Rejected),
        DraftKind::Inadmissible => Some(Outcome::Inadmissible),
        _ => None,
    }
}

/// The last moment of a day in Finland.
fn end_of_day(date: Date) -> Option<jiff::Timestamp> {
    let zone: TimeZone = helsinki();
    date.tomorrow().ok()?.to_zoned(zone).ok()?.timestamp().checked_sub(jiff::SignedDuration::from_secs(1)).ok()
}
