//! `round`: a person runs a round over all cases of a closed window: a factor, a value or a draw (*hakukierros*).
//!
//! Whoever has the power to decide the service runs it, once: again only with a reason, and what came before stays on the
//! record. It waits for every case that cannot be told yet, unless the person leaves it out by number and reason. The
//! record, its event and the way of each case back through the rules are one transaction. There is nothing by which
//! applicants could be ordered but a sum that all share or a published seed.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::words::fault;
use super::{Flaw, Refusal, Result, Review, Words};
use crate::cases::{
    Act, Case, CaseId, DocumentId, Draw, EventKind, LeftOutCase, MunicipalityId, NewEvent, Person, Round, RoundId,
    RoundKind, RoundResult, SectionId, Share, Status, Summand,
};
use crate::municipality::format::ServiceFile;
use crate::policy::document::RoundOf;
use crate::storage::SoughtRound;
use crate::triage::rounds::{self, Due, Standing, Why};
use crate::triage::{Desk, Step, local_date};

/// Longest seed, characters.
const LONGEST_SEED: usize = 200;
/// Most cases that are left out of one round.
const MOST_LEFT_OUT: usize = 1_000;
/// An application for a window arrives at most so many days before it closes.
const LONGEST_WINDOW_DAYS: i64 = 730;

/// A round to run.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRound {
    /// The policy.
    pub document: DocumentId,
    /// The round's name in it.
    #[schema(example = "factor-k")]
    pub round: String,
    /// The last day of the window.
    #[schema(value_type = String, format = "date")]
    pub window: Date,
    /// Cases that are left out although nobody can tell yet whether they take part.
    #[serde(default)]
    pub leave_out: Vec<NewLeftOut>,
    /// The seed of a draw; left out: one is made. It is published with the result.
    #[serde(default)]
    pub seed: Option<String>,
    /// Why it is run again, where it was run before.
    #[serde(default)]
    pub reason: Option<Words>,
}

/// A case to leave out.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLeftOut {
    /// Its number.
    pub number: String,
    /// Why.
    pub reason: Words,
}

/// A round of the window that is open, or that closed last.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RoundState {
    /// The policy.
    pub document: DocumentId,
    /// The version that governs the window.
    #[schema(value_type = String, format = "date")]
    pub version: Date,
    /// The section that the round rests on.
    pub section: SectionId,
    /// The round's name.
    pub round: String,
    /// What it works out.
    pub kind: RoundKind,
    /// The last day of the window.
    #[schema(value_type = String, format = "date")]
    pub window: Date,
    /// The last moment of the window.
    #[schema(value_type = String, format = "date-time")]
    pub window_end: Timestamp,
    /// Whether the window has closed.
    pub closed: bool,
    /// How many cases take part.
    pub taking_part: usize,
    /// The cases that keep it from being run.
    pub waiting: Vec<WaitingCase>,
    /// The last time that it was run.
    pub last: Option<Round>,
}

/// A case that keeps a round from being run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WaitingCase {
    /// The case.
    pub id: CaseId,
    /// The number people use.
    pub number: String,
    /// Why.
    pub why: Why,
}

impl Review {
    /// Every round of the municipality's policies: of the window that is open, or closed last.
    ///
    /// # Errors
    /// [`Refusal::NoPack`], [`Refusal::Storage`].
    pub async fn rounds(&self, municipality: &MunicipalityId) -> Result<Vec<RoundState>> {
        let (desk, now) = (self.desk(municipality)?, self.ambient().now());
        let mut states = Vec::new();
        for due in rounds::due(desk, now) {
            let cases = self.cases_of(desk, &due).await?;
            let mut state = RoundState {
                document: due.window.document.id.clone(),
                version: due.window.document.version(),
                section: due.rule.section.clone(),
                round: due.rule.id.clone(),
                kind: due.rule.kind(),
                window: due.window.ends_on,
                window_end: due.window.closes,
                closed: now > due.window.closes,
                taking_part: 0,
                waiting: Vec::new(),
                last: self.storage.last_round(municipality, &sought(&due)).await?,
            };
            for case in &cases {
                match rounds::standing(&due, case) {
                    Standing::Takes(_) => state.taking_part += 1,
                    Standing::Waits(why) => {
                        state.waiting.push(WaitingCase { id: case.id, number: case.number.clone(), why });
                    }
                    Standing::Out => {}
                }
            }
            states.push(state);
        }
        Ok(states)
    }

    /// Runs a round.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when there is no such round, the window is open, cases wait, or it was run before and no
    /// reason is given; [`Refusal::BeyondPower`], [`Refusal::NotDeputyNow`], [`Refusal::Disqualified`];
    /// [`Refusal::ChangedMeanwhile`] when a case or the round changed while it was worked out.
    pub async fn run_round(&self, person: &Person, new: NewRound) -> Result<Round> {
        let municipality = &person.municipality;
        let (desk, now) = (self.desk(municipality)?, self.ambient().now());
        let due = find(desk, &new, now)?;
        self.require_power(person, desk, &due)?;
        if now <= due.window.closes {
            let instead = format!("wait until {}", due.window.closes);
            return Err(Refusal::Invalid(vec![Flaw::new("/window", "the window is open", instead).coded("open")]));
        }
        let last = self.storage.last_round(municipality, &sought(&due)).await?;
        if last.is_some() && new.reason.is_none() {
            let flaw = Flaw::new("/reason", "this round was run before", "say why it is run again").coded("again");
            return Err(Refusal::Invalid(vec![flaw]));
        }
        let seed = seed(&new, &due)?;
        let cases = self.cases_of(desk, &due).await?;
        if cases.iter().any(|case| case.file.is_disqualified(person)) {
            return Err(Refusal::Disqualified);
        }
        let (taking_part, left_out) = weigh(&due, &cases, new.leave_out)?;
        let waiting: Vec<(CaseId, i64)> = taking_part
            .iter()
            .filter(|(case, _)| case.status == Status::InReview)
            .map(|(case, _)| (case.id, case.revision))
            .collect();
        let result = match &due.rule.of {
            RoundOf::Draw { places } => {
                let seed = seed.unwrap_or_else(|| self.ambient().id().simple().to_string());
                RoundResult::Draw(Draw::of(
                    &seed,
                    *places,
                    taking_part.into_iter().map(|(case, _)| case.number.clone()),
                ))
            }
            RoundOf::Share { kind, appropriation, decimals, .. } => {
                let summand = |(case, amount): (&Case, _)| Summand { number: case.number.clone(), amount };
                let summands = taking_part.into_iter().map(summand).collect();
                let share = Share::of(*kind, *appropriation, *decimals, summands).ok_or_else(|| {
                    let what = "the cases come to nothing that could be shared";
                    Refusal::Invalid(vec![
                        Flaw::new("/round", what, "look at the cases of the window").coded("nothing"),
                    ])
                })?;
                if *kind == RoundKind::Factor { RoundResult::Factor(share) } else { RoundResult::Value(share) }
            }
        };
        let round = Round {
            id: RoundId::new(self.ambient().id()),
            municipality: municipality.clone(),
            document: due.window.document.id.clone(),
            version: due.window.document.version(),
            section: due.rule.section.clone(),
            round: due.rule.id.clone(),
            fact: due.rule.fact.clone(),
            window_end: due.window.closes,
            nth: last.map_or(1, |last| last.nth + 1),
            run_at: now,
            actor: person.token.to_string(),
            reason: new.reason.map(Into::into),
            left_out,
            result,
        };
        self.put_into_effect(person, round, &waiting).await
    }

    /// The record, its event, and every case that takes part and is not decided back through the rules, in one transaction.
    async fn put_into_effect(&self, person: &Person, round: Round, waiting: &[(CaseId, i64)]) -> Result<Round> {
        let mut tx = self.storage.begin().await?;
        for (id, revision) in waiting {
            let case = tx.case_for_update(&round.municipality, *id).await?;
            let mut case = case.filter(|case| case.revision == *revision).ok_or(Refusal::ChangedMeanwhile)?;
            Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
            tx.save_case(&mut case).await?;
        }
        tx.insert_round(&round).await?;
        let payload = json!({
            "round": round.id, "document": round.document, "version": round.version, "name": round.round,
            "window_end": round.window_end, "nth": round.nth, "left_out": round.left_out.len(),
        });
        let event = NewEvent { actor: person.into(), kind: EventKind::RoundRun, case_id: None, payload };
        tx.append_event(&round.municipality, event).await?;
        tx.commit().await?;
        Ok(round)
    }

    /// The power to decide a service of the policy, on this day.
    fn require_power(&self, person: &Person, desk: &Desk, due: &Due<'_>) -> Result<()> {
        let today = local_date(self.ambient().now());
        if let Some(deputy) = person.deputy.filter(|deputy| !deputy.contains(today)) {
            return Err(Refusal::NotDeputyNow { from: deputy.from, until: deputy.until });
        }
        let pack = &desk.rulebook.pack;
        let governed =
            pack.services.values().filter(|service| service.policy.as_ref() == Some(&due.window.document.id));
        let rows: Vec<&str> = governed.flat_map(ServiceFile::delegations).collect();
        let decides = |post| rows.iter().any(|row| pack.may_decide(post, row, None, today).is_ok());
        if person.post.as_ref().is_some_and(decides) {
            return Ok(());
        }
        let whose = rows.iter().find_map(|row| pack.decider_for(row, None, today)).map(|power| power.decider);
        Err(Refusal::BeyondPower { limit: None, whose })
    }

    /// The cases of a window, of every service that the policy governs.
    async fn cases_of(&self, desk: &Desk, due: &Due<'_>) -> Result<Vec<Case>> {
        let (document, library) = (&due.window.document.id, &desk.rulebook.library);
        let pack = &desk.rulebook.pack;
        let longest = Span::new().hours(24 * LONGEST_WINDOW_DAYS);
        let from = due.window.closes.checked_sub(longest).unwrap_or(Timestamp::MIN);
        let mut all = Vec::new();
        for service in pack.services.values().filter(|service| service.policy.as_ref() == Some(document)) {
            let now = self.ambient().now();
            let cases = self.storage.cases_between(&pack.municipality.id, &service.id, from, now).await?;
            let of_window = |case: &Case| {
                let window = library.window_for(document, case.received_at);
                window.is_some_and(|window| window.closes == due.window.closes)
            };
            all.extend(cases.into_iter().filter(of_window));
        }
        Ok(all)
    }
}

fn sought(due: &Due<'_>) -> SoughtRound {
    SoughtRound { document: due.window.document.id.clone(), round: due.rule.id.clone(), window_end: due.window.closes }
}

fn find<'a>(desk: &'a Desk, new: &NewRound, now: Timestamp) -> Result<Due<'a>> {
    let asked = |due: &Due<'_>| {
        due.window.document.id == new.document && due.rule.id == new.round && due.window.ends_on == new.window
    };
    rounds::due(desk, now).find(asked).ok_or_else(|| {
        let there: Vec<String> = rounds::due(desk, now)
            .map(|due| format!("{} {} {}", due.window.document.id, due.rule.id, due.window.ends_on))
            .collect();
        let instead = if there.is_empty() {
            "no policy has one".to_owned()
        } else {
            format!("send one of: {}", there.join(", "))
        };
        Refusal::Invalid(vec![Flaw::new("/round", "there is no such round of such a window", instead).coded("unknown")])
    })
}

/// The seed that the person gives, if they do.
fn seed(new: &NewRound, due: &Due<'_>) -> Result<Option<String>> {
    let Some(seed) = &new.seed else { return Ok(None) };
    let wrong = |what: String, instead: &str| Refusal::Invalid(vec![Flaw::new("/seed", what, instead).coded("seed")]);
    if due.rule.kind() != RoundKind::Draw {
        return Err(wrong("only a draw has a seed".to_owned(), "leave it out"));
    }
    let seed = seed.trim();
    if seed.is_empty() || seed.contains('\n') {
        return Err(wrong("the seed is no line of text".to_owned(), "write one line, or leave it out"));
    }
    match fault(seed, LONGEST_SEED) {
        Some(fault) => Err(wrong(format!("the seed {fault}"), "write at most 200 printable characters")),
        None => Ok(Some(seed.to_owned())),
    }
}

type TakingPart<'a> = Vec<(&'a Case, rust_decimal::Decimal)>;

/// Who takes part, and who was left out; refused while a case waits that nobody left out.
fn weigh<'a>(
    due: &Due<'_>,
    cases: &'a [Case],
    leave_out: Vec<NewLeftOut>,
) -> Result<(TakingPart<'a>, Vec<LeftOutCase>)> {
    if leave_out.len() > MOST_LEFT_OUT {
        return Err(Refusal::invalid("/leave_out", "too many cases are left out", "leave out at most 1000"));
    }
    let (mut taking_part, mut left_out, mut flaws) = (Vec::new(), Vec::new(), Vec::new());
    let mut waiting = Vec::new();
    for case in cases {
        match rounds::standing(due, case) {
            Standing::Takes(amount) => taking_part.push((case, amount)),
            Standing::Waits(why) => waiting.push((case.number.as_str(), why)),
            Standing::Out => {}
        }
    }
    for (nth, out) in leave_out.into_iter().enumerate() {
        let number = out.number.trim();
        if let Some(at) = waiting.iter().position(|(waits, _)| *waits == number) {
            waiting.remove(at);
            left_out.push(LeftOutCase { number: number.to_owned(), reason: out.reason.into() });
        } else {
            let instead = "leave out only cases that keep the round waiting";
            let pointer = format!("/leave_out/{nth}/number");
            flaws.push(Flaw::new(&pointer, "this case does not wait", instead).coded("not-waiting"));
        }
    }
    flaws.extend(waiting.into_iter().map(|(number, why)| {
        let what = format!("{number} waits: {}", why.as_str());
        Flaw::new("/leave_out", what, "have it settled, or leave it out with a reason").coded("waits")
    }));
    if flaws.is_empty() { Ok((taking_part, left_out)) } else { Err(Refusal::Invalid(flaws)) }
}
