//! Facts that other cases of the municipality give (`history` of a service): how often, how much, when, at the same time.
//!
//! Pure: which cases are looked for is worked out from what is known of this case ([`sought`]), whoever runs the step
//! fetches them, and [`lay`] reckons. A dry run is given cases by hand, a case that is drafted again what stood then. Such
//! a fact is never asked of the applicant; while this case lacks what others are compared with, nobody knows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::proposals::Proposals;
use super::{Circumstances, Desk, Error, Step, local_date};
use crate::cases::{
    CaseFile, CaseId, Entry, Euro, Evidence, Fact, FactType, Facts, Ledger, ServiceId, Submission, Value, key_of,
};
use crate::clock::helsinki;
use crate::intake::Earlier;
use crate::municipality::format::{FieldType, ServiceFile};
use crate::municipality::history::{History, Measure, NamedSpan, Overlap, Within};
use crate::storage::Sought;

/// Most case numbers that a fact names.
const MOST_NUMBERS: usize = 50;

/// What other cases say to a step.
#[derive(Debug, Clone, Copy)]
pub enum Others<'a> {
    /// These cases.
    Cases(&'a Ledger),
    /// What was known of them when the case was drafted: among these facts.
    Stood(&'a Facts),
}

static NO_CASES: Ledger = Ledger::EMPTY;

impl Others<'_> {
    /// There are none.
    pub const NONE: Self = Self::Cases(&NO_CASES);
}

/// Which cases the facts of this one need; none where its service looks at no other.
#[must_use]
pub fn sought(desk: &Desk, submission: &Submission, file: &CaseFile) -> Vec<Sought> {
    let Some(service) = service(desk, file) else { return Vec::new() };
    let case = This { desk, service, received_at: submission.received_at, facts: &file.facts };
    let mut all = Vec::new();
    for history in &service.history {
        let (Some((from, to)), Some(keys)) = (case.span(history), case.keys(history)) else { continue };
        let same = keys.first().map(|(fact, key)| ((*fact).to_owned(), key.clone()));
        for service in history.services(&service.id) {
            let sought = Sought { service: service.clone(), from, to, same: same.clone() };
            if !all.contains(&sought) {
                all.push(sought);
            }
        }
    }
    all
}

/// Puts what other cases say in the place of what they said before.
pub fn lay(desk: &Desk, submission: &Submission, file: &mut CaseFile, at: &Circumstances<'_>) {
    let Some(service) = service(desk, file) else { return };
    for history in &service.history {
        let fact = match at.others {
            Others::Stood(facts) => facts.get(&history.fact).cloned(),
            Others::Cases(ledger) => {
                let case = This { desk, service, received_at: submission.received_at, facts: &file.facts };
                case.fact(history, ledger, at)
            }
        };
        match fact {
            Some(fact) => file.facts.insert(fact),
            None => drop(file.facts.remove(&history.fact)),
        }
    }
}

/// The facts on which a rule or a step of the case's assessment rests and of which other cases say something else now.
#[must_use]
pub fn differences(desk: &Desk, submission: &Submission, file: &CaseFile, at: &Circumstances<'_>) -> Vec<String> {
    let (Some(service), Some(assessment)) = (service(desk, file), &file.assessment) else { return Vec::new() };
    let mut now = file.clone();
    lay(desk, submission, &mut now, at);
    let value = |file: &CaseFile, name: &str| file.facts.get(name).map(|fact| fact.value.clone());
    let by_rule = |name: &String| {
        let rules = assessment.rules.iter();
        rules.into_iter().any(|rule| rule.inputs.contains_key(name) || rule.missing.contains(name))
            || assessment.calculation.iter().any(|step| step.inputs.contains(name))
    };
    let names = service.history.iter().map(|history| &history.fact);
    names.filter(|name| by_rule(name) && value(file, name) != value(&now, name)).cloned().collect()
}

/// What a case says to others; none for one that no service handles.
#[must_use]
pub fn entry(desk: &Desk, case: CaseId, number: &str, received_at: Timestamp, file: &CaseFile) -> Option<Entry> {
    let service = service(desk, file)?;
    let assessment = file.assessment.as_ref();
    // What people write may name somebody: it stands as a key only.
    let nameless = |fact: &&Fact| match fact.value {
        Value::Text(_) => service.fields.iter().any(|field| field.name == fact.name && field.kind == FieldType::Choice),
        _ => true,
    };
    let steps = assessment.iter().flat_map(|assessment| &assessment.calculation);
    Some(Entry {
        case,
        number: number.to_owned(),
        service: service.id.clone(),
        received_at,
        outcome: assessment.map(|assessment| assessment.outcome),
        decided: false,
        facts: file.facts.iter().filter(nameless).map(|fact| (fact.name.clone(), fact.value.clone())).collect(),
        steps: steps.filter_map(|step| Some((step.name.clone(), step.value.clone()?))).collect(),
        keys: file.facts.iter().map(|fact| (fact.name.clone(), key_of(&fact.value))).collect(),
    })
}

impl Desk {
    /// The register of cases as it would be after these submissions, each assessed on those before it; no model is asked.
    ///
    /// # Errors
    /// [`Error`] when a person would have to look at one of them.
    pub fn ledger(&self, earlier: &[Earlier]) -> Result<Ledger, Error> {
        let mut earlier: Vec<&Earlier> = earlier.iter().collect();
        earlier.sort_by_key(|earlier| earlier.submission.received_at);
        let mut ledger = Ledger::EMPTY;
        for (nth, Earlier { submission, outcome }) in (1..).zip(earlier) {
            let number = submission.external_id.clone().unwrap_or_else(|| format!("#{nth}"));
            let case = CaseId::new(submission.id.uuid());
            let file = self.assessed(submission, &number, case, &ledger)?;
            let said = entry(self, case, &number, submission.received_at, &file);
            ledger.extend(said.map(|said| Entry {
                outcome: outcome.or(said.outcome),
                decided: outcome.is_some(),
                ..said
            }));
        }
        Ok(ledger)
    }

    fn assessed(
        &self,
        submission: &Submission,
        number: &str,
        case: CaseId,
        ledger: &Ledger,
    ) -> Result<CaseFile, Error> {
        let at = Circumstances {
            case: Some(case),
            others: Others::Cases(ledger),
            ..Circumstances::new(number, submission.received_at)
        };
        let steps = Step::ALL.into_iter().filter(|step| *step != Step::Compose);
        steps.into_iter().try_fold(CaseFile::default(), |file, step| {
            self.run(step, submission, file, &at, &Proposals::none()).map(|(file, _)| file)
        })
    }
}

fn service<'a>(desk: &'a Desk, file: &CaseFile) -> Option<&'a ServiceFile> {
    let service: &ServiceId = file.classification.as_ref()?.service.as_ref()?;
    desk.rulebook.pack.service(service)
}

/// The case that looks at others.
struct This<'a> {
    desk: &'a Desk,
    service: &'a ServiceFile,
    received_at: Timestamp,
    facts: &'a Facts,
}

impl This<'_> {
    /// When the others arrived, both moments included; none where this case has no such span.
    fn span(&self, history: &History) -> Option<(Timestamp, Timestamp)> {
        let always = (Timestamp::MIN, Timestamp::MAX);
        let (from, to) = match history.within {
            Within::Named(NamedSpan::Always) => always,
            Within::Named(NamedSpan::Window) => {
                let policy = self.service.policy.as_ref()?;
                let window = self.desk.rulebook.library.window_for(policy, self.received_at)?;
                (window.opens, window.closes)
            }
            Within::Named(NamedSpan::CalendarYear) => {
                let first = |year| Date::new(year, 1, 1).ok()?.to_zoned(helsinki()).ok().map(|day| day.timestamp());
                let year = local_date(self.received_at).year();
                (first(year)?, first(year.checked_add(1)?)?.checked_sub(jiff::Span::new().microseconds(1)).ok()?)
            }
            Within::Months(months) => {
                let arrived = self.received_at.to_zoned(helsinki());
                (arrived.checked_sub(months.span()).ok()?.timestamp(), Timestamp::MAX)
            }
        };
        Some((from, if history.earlier { to.min(self.received_at) } else { to }))
    }

    /// What must be equal, by fact; none while this case lacks one of them.
    fn keys<'h>(&self, history: &'h History) -> Option<Vec<(&'h str, String)>> {
        let same = history.same.iter();
        same.map(|name| Some((name.as_str(), key_of(&self.facts.get(name)?.value)))).collect()
    }

    fn fact(&self, history: &History, ledger: &Ledger, at: &Circumstances<'_>) -> Option<Fact> {
        let (from, to) = self.span(history)?;
        let keys = self.keys(history)?;
        let time = match &history.overlap {
            Some(overlap) => Some(time(overlap, |name| self.facts.get(name).map(|fact| &fact.value))?),
            None => None,
        };
        let counts = |entry: &&Entry| {
            Some(entry.case) != at.case
                && history.services(&self.service.id).any(|service| *service == entry.service)
                && (from..=to).contains(&entry.received_at)
                && (!history.earlier || (entry.received_at, entry.number.as_str()) < (self.received_at, at.number))
                && keys.iter().all(|(name, key)| entry.keys.get(*name) == Some(key))
                && history.condition.holds_of(|name| entry.facts.get(name)) == Some(true)
                && (history.outcome.is_empty() || entry.outcome.is_some_and(|is| history.outcome.contains(&is)))
                && time.is_none_or(|(start, end)| {
                    let other =
                        history.overlap.as_ref().and_then(|overlap| self::time(overlap, |n| entry.facts.get(n)));
                    other.is_some_and(|(from, to)| from < end && start < to)
                })
        };
        let mut counted: Vec<&Entry> = ledger.iter().filter(counts).collect();
        counted.sort_by_key(|entry| (entry.received_at, &entry.number));
        let value = match history.of {
            Measure::Count => Value::Number(Decimal::from(counted.len())),
            Measure::Any => Value::Flag(!counted.is_empty()),
            Measure::Latest => Value::Date(local_date(counted.last()?.received_at)),
            Measure::Sum => self.sum(history, &counted)?,
        };
        let numbers = counted.iter().rev().take(MOST_NUMBERS).map(|entry| entry.number.clone()).collect();
        Some(Fact {
            name: history.fact.clone(),
            value,
            unit: self.unit(history),
            evidence: Evidence::Cases { as_of: at.today(), numbers },
        })
    }

    fn sum(&self, history: &History, counted: &[&Entry]) -> Option<Value> {
        let of = |values: &BTreeMap<String, Value>, name: &Option<String>| {
            name.as_ref().and_then(|name| values.get(name)).and_then(Value::number)
        };
        let mut sum = Decimal::ZERO;
        for entry in counted {
            let summand = of(&entry.facts, &history.field).or_else(|| of(&entry.steps, &history.step));
            // A sum that leaves out what is not known would be a guess.
            sum = sum.checked_add(summand?)?;
        }
        match history.fact_type(&self.service.fields) {
            FactType::Money => Euro::exact(sum).ok().map(Value::Money),
            _ => Some(Value::Number(sum.normalize())),
        }
    }

    fn unit(&self, history: &History) -> Option<String> {
        let field = history.field.as_ref()?;
        self.service.fields.iter().find(|known| known.name == *field)?.unit.clone()
    }
}

/// The time of a case in seconds, its end excluded; none where it has none, or ends before it begins.
fn time<'a>(overlap: &Overlap, value: impl Fn(&str) -> Option<&'a Value>) -> Option<(i64, i64)> {
    let second = |name: &str, last: bool| match value(name)? {
        Value::Time(moment) => Some(moment.as_second()),
        Value::Date(day) => {
            let first = day.to_zoned(helsinki()).ok()?;
            let day = if last { first.tomorrow().ok()? } else { first };
            Some(day.timestamp().as_second())
        }
        _ => None,
    };
    let (from, to) = (second(&overlap.from, false)?, second(&overlap.to, true)?);
    (from < to).then_some((from, to))
}
