//! Power to decide (*toimivalta*): which row of the delegation gives it to whom, up to what amount, on this day.
//!
//! Worked out anew whenever it is asked, from the delegation in force and from who holds which post today, for themselves
//! or as a deputy; nothing of it is stored before a decision is made.

use jiff::civil::Date;
use serde::Serialize;

use super::{Refusal, Result, Review};
use crate::cases::{Case, DeciderId, DraftContent, DraftKind, Euro, Person, Role, ServiceId};
use crate::municipality::Pack;
use crate::municipality::format::Delegation;
use crate::triage::local_date;

/// What gives a person the power for one decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The row, for example `delegation/road-grant@2026-01-01`.
    pub because: String,
    /// The post that they act for as its deputy, if so.
    pub deputy_for: Option<DeciderId>,
}

/// What somebody may decide in a case today, and who else may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Powers {
    /// The delegation row, for example `delegation/road-grant@2026-01-01`; none: the matter is decided by nobody's power.
    pub row: Option<String>,
    /// The section that it comes from, for example `hallintosaanto#s12`.
    pub source: Option<String>,
    /// Whether they hold power in such a matter at all.
    pub holds: bool,
    /// Up to what amount, inclusive; null without a limit, or without power.
    pub up_to: Option<Euro>,
    /// The post that they act for as its deputy.
    pub deputy_for: Option<DeciderId>,
    /// The last day of their deputyship.
    #[schema(value_type = Option<String>, format = "date")]
    pub deputy_until: Option<Date>,
    /// Whether they said that they are disqualified.
    pub disqualified: bool,
    /// Who may decide the draft as it stands, lowest on the ladder first.
    pub holders: Vec<Holder>,
}

/// A post or body that may decide the draft, and who acts for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Holder {
    /// The post or body.
    pub decider: DeciderId,
    /// Up to what amount, inclusive; null without a limit.
    pub up_to: Option<Euro>,
    /// The post that acts when it is away or disqualified.
    pub deputy: Option<DeciderId>,
    /// Who may approve in its place today: neither disqualified nor a preparer of the case, nor whoever asks.
    pub people: Vec<String>,
}

impl Review {
    /// The row that gives the power. Preparatory letters and answers need none: they settle nothing.
    /// To end an application otherwise than it was sent — reclassified, say — takes the power to decide it.
    pub(super) async fn power(&self, person: &Person, case: &Case, content: &DraftContent) -> Result<Authority> {
        let route = case.file.route.as_ref();
        let today = local_date(self.ambient().now());
        if let Some(deputy) = person.deputy.filter(|deputy| !deputy.contains(today)) {
            return Err(Refusal::NotDeputyNow { from: deputy.from, until: deputy.until });
        }
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let matter = self.matter(case, pack).await?;
        let ends_application = content.kind == DraftKind::Acknowledgement && matter.was_sent_as_application;
        let stands_in = person.deputy.and(person.post.clone());
        if !content.needs_power() && !ends_application {
            let because = route.map_or_else(String::new, |route| route.because.clone());
            return Ok(Authority { because, deputy_for: stands_in });
        }
        let nobody = Refusal::BeyondPower { limit: None, whose: route.and_then(|route| route.decider.clone()) };
        let (Some(post), Some(delegation)) = (&person.post, matter.delegation) else { return Err(nobody) };
        match pack.may_decide(post, &delegation, content.amount, today) {
            Ok(power) => Ok(Authority { because: power.because, deputy_for: power.deputy_for.or(stands_in) }),
            Err(beyond) => Err(Refusal::BeyondPower { limit: beyond.limit, whose: beyond.whose }),
        }
    }

    /// What this person may decide in the case today, and who may decide `content`, the draft as it stands.
    ///
    /// # Errors
    /// [`Refusal::NoPack`], [`Refusal::Storage`].
    pub async fn powers(&self, person: &Person, case: &Case, content: Option<&DraftContent>) -> Result<Powers> {
        let content = content.filter(|_| !self.hides_from(person, case));
        let pack = &self.desk(&case.municipality)?.rulebook.pack;
        let today = local_date(self.ambient().now());
        let disqualified = case.file.is_disqualified(person);
        let delegation = self.matter(case, pack).await?.delegation;
        let Some(row) = delegation.and_then(|id| pack.delegation(&id, today)) else {
            return Ok(Powers { disqualified, ..Powers::default() });
        };
        let post = person.post_on(today).filter(|_| person.role == Role::Approver);
        let reach = post.and_then(|post| reach(pack, row, post));
        let deputy = person.deputy.filter(|_| post.is_some());
        let deputy_for = reach.as_ref().and_then(|reach| reach.deputy_for.clone());
        Ok(Powers {
            row: Some(row.reference()),
            source: Some(row.source.clone()),
            holds: reach.is_some(),
            up_to: reach.and_then(|reach| reach.up_to),
            deputy_for: deputy_for.or(deputy.and(person.post.clone())),
            deputy_until: deputy.map(|deputy| deputy.until),
            disqualified,
            holders: self.holders(person, case, pack, row, content).await?,
        })
    }

    async fn holders(
        &self,
        asker: &Person,
        case: &Case,
        pack: &Pack,
        row: &Delegation,
        content: Option<&DraftContent>,
    ) -> Result<Vec<Holder>> {
        let today = local_date(self.ambient().now());
        let tokens = self.storage.tokens(&case.municipality).await?;
        let prepared = |person: &Person| case.file.preparers.iter().any(|known| known.is_same_person(person));
        let free = |person: &Person| {
            person.role == Role::Approver
                && !(case.file.is_disqualified(person) || prepared(person) || person.is_same_person(asker))
        };
        let free: Vec<&Person> = tokens.iter().map(|row| &row.person).filter(|person| free(person)).collect();
        let steps = row.steps_from(content.and_then(|content| content.amount)).iter();
        let holder = steps.map(|step| {
            let deputy = pack.municipality.deciders.get(&step.decider).and_then(|file| file.deputy.clone());
            let acts = |person: &&&Person| {
                let post = person.post_on(today);
                post.is_some_and(|post| *post == step.decider || Some(post) == deputy.as_ref())
            };
            let mut people: Vec<String> = free.iter().filter(acts).map(|person| person.name.clone()).collect();
            people.dedup();
            Holder { decider: step.decider.clone(), up_to: step.up_to, deputy, people }
        });
        Ok(holder.collect())
    }

    /// Which delegation the case falls under: of the service it is, or of the one it was sent to.
    async fn matter(&self, case: &Case, pack: &Pack) -> Result<Matter> {
        let delegation = |service: Option<&ServiceId>| {
            service.and_then(|service| pack.service(service)).and_then(|file| file.delegation_of(&case.file))
        };
        let service = case.file.classification.as_ref().and_then(|class| class.service.as_ref());
        let service = case.file.reclassified.as_ref().map_or(service, |class| class.service.as_ref());
        let sent_as = delegation(self.submission(case).await?.service.as_ref());
        let was_sent_as_application = sent_as.is_some();
        Ok(Matter { delegation: delegation(service).or(sent_as), was_sent_as_application })
    }
}

/// Under which delegation a case falls.
struct Matter {
    delegation: Option<String>,
    /// It was sent as something that somebody's power decides.
    was_sent_as_application: bool,
}

/// How far a post reaches on a ladder.
struct Reach {
    up_to: Option<Euro>,
    deputy_for: Option<DeciderId>,
}

/// The highest step that the post holds, itself before as a deputy of another.
fn reach(pack: &Pack, row: &Delegation, post: &DeciderId) -> Option<Reach> {
    let own = row.steps.iter().rfind(|step| step.decider == *post);
    let deputy_of = |decider: &DeciderId| {
        pack.municipality.deciders.get(decider).is_some_and(|file| file.deputy.as_ref() == Some(post))
    };
    let other = || row.steps.iter().rfind(|step| deputy_of(&step.decider));
    let own = own.map(|step| Reach { up_to: step.up_to, deputy_for: None });
    own.or_else(|| other().map(|step| Reach { up_to: step.up_to, deputy_for: Some(step.decider.clone()) }))
}
