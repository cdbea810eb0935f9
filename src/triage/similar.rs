//! Similar decisions for a handler (*aiemmat ratkaisut*): of the same service, by the rules that came out alike and the
//! facts that decided.
//!
//! Owned by triage. For people who may read both cases: unlike [`super::precedents`], which a model sees, it names the
//! case. It tells which facts agree and which differ, and nothing that anybody wrote. Nothing binds by it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::local_date;
use super::precedents::{agreement, outcomes};
use crate::cases::{
    CaseFile, CaseId, Deviation, DocumentId, Euro, Fact, MunicipalityId, Outcome, Practice, RuleTrace, Value,
};
use crate::storage::{self, DecidedCase, Storage};

/// The newest decisions among which similar ones are looked for.
pub const LOOKED_THROUGH: u32 = 60;
/// Decisions that are shown.
pub const SHOWN: usize = 5;

/// A decision that is similar.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SimilarDecision {
    /// Its case.
    pub case: CaseId,
    /// The number people use.
    pub number: String,
    /// When it was decided.
    #[schema(value_type = String, format = "date")]
    pub decided_on: Date,
    /// What the rules said.
    pub outcome: Outcome,
    /// What was granted.
    pub amount: Option<Euro>,
    /// The policy that it rests on.
    pub document: DocumentId,
    /// Its version.
    #[schema(value_type = String, format = "date")]
    pub version: Date,
    /// Whether the case at hand is judged by the same version.
    pub same_version: bool,
    /// Facts that decide and are the same in both, by name.
    pub agree: Vec<String>,
    /// Facts that decide and differ.
    pub differ: Vec<DifferingFact>,
}

/// A fact that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DifferingFact {
    /// Its name.
    pub name: String,
    /// In the case at hand; null where nobody stated it.
    pub here: Option<Value>,
    /// In the decided case; null where nobody stated it.
    pub there: Option<Value>,
    /// The unit of both.
    pub unit: Option<String>,
}

/// The decisions most similar to a case, best first: by rules that came out alike, by facts that agree, then the newest.
/// A case that no rule was evaluated for has none.
#[must_use]
pub fn similar(id: CaseId, file: &CaseFile, decided: &[DecidedCase], limit: usize) -> Vec<SimilarDecision> {
    let Some(here) = &file.assessment else { return Vec::new() };
    let rules = outcomes(file);
    let mut ranked: Vec<(f64, usize, SimilarDecision)> = decided
        .iter()
        .filter(|decided| decided.case.id != id)
        .filter_map(|DecidedCase { case, decision }| {
            let there = case.file.assessment.as_ref().filter(|there| there.document == here.document)?;
            let (agree, differ) = facts(file, &case.file);
            let found = SimilarDecision {
                case: case.id,
                number: case.number.clone(),
                decided_on: local_date(decision.decided_at),
                outcome: there.outcome,
                amount: decision.amount,
                document: there.document.clone(),
                version: there.version,
                same_version: there.version == here.version,
                agree,
                differ,
            };
            Some((agreement(&rules, &outcomes(&case.file)), found.agree.len(), found))
        })
        .collect();
    // A stable sort: what is equally similar stays with the newest first.
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)));
    ranked.into_iter().take(limit).map(|(_, _, found)| found).collect()
}

/// Months back in which practice is looked for (K26).
const PRACTICE_MONTHS: i32 = 24;

/// What earlier decisions say of the rules on which people ruled in this case; none where nobody ruled, for then the
/// rules alone decide.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn practice(
    storage: &Storage,
    municipality: &MunicipalityId,
    id: CaseId,
    file: &CaseFile,
    now: Timestamp,
) -> storage::Result<Option<Practice>> {
    let service = file.classification.as_ref().and_then(|class| class.service.as_ref());
    let Some(service) = service.filter(|_| !file.rulings.is_empty()) else { return Ok(None) };
    let decided = storage.decided_cases(municipality, service, LOOKED_THROUGH).await?;
    let since = local_date(now).saturating_sub(jiff::Span::new().months(PRACTICE_MONTHS));
    let recent: Vec<DecidedCase> =
        decided.into_iter().filter(|decided| local_date(decided.decision.decided_at) >= since).collect();
    Ok(Some(deviation(id, file, &recent)))
}

/// The newest decision under the same version in which a rule was ruled otherwise although the facts that it reads are
/// the same.
fn deviation(id: CaseId, file: &CaseFile, decided: &[DecidedCase]) -> Practice {
    let mut practice = Practice::default();
    for DecidedCase { case: other, decision } in decided.iter().filter(|decided| decided.case.id != id) {
        let (Some(here), Some(there)) = (&file.assessment, &other.file.assessment) else { continue };
        if (&here.document, here.version) != (&there.document, there.version) {
            continue;
        }
        practice.compared += 1;
        let ruled = |trace: &&RuleTrace| {
            let ruling = file.rulings.iter().rev().find(|ruling| ruling.rule == trace.rule);
            ruling.is_some_and(|ruling| {
                let theirs = there.rules.iter().find(|theirs| theirs.rule == trace.rule && theirs.ruled_by.is_some());
                theirs.is_some_and(|theirs| theirs.outcome != ruling.outcome && deciding(theirs) == deciding(trace))
            })
        };
        if practice.deviation.is_none()
            && let Some(trace) = here.rules.iter().find(ruled)
        {
            practice.deviation = Some(Deviation {
                case: other.id,
                number: other.number.clone(),
                decided_on: local_date(decision.decided_at),
                rule: trace.rule.clone(),
                facts: deciding(trace).into_keys().map(str::to_owned).collect(),
            });
        }
    }
    practice
}

/// The facts that a rule reads, without moments: two cases never have the same.
fn deciding(trace: &RuleTrace) -> BTreeMap<&str, &Value> {
    let facts = trace.inputs.iter().map(|(name, fact)| (name.as_str(), &fact.value));
    facts.filter(|(_, value)| !matches!(value, Value::Time(_))).collect()
}

/// The facts that rules read in either case: those that agree, and those that differ. Moments are left out, two cases
/// never have the same.
fn facts(here: &CaseFile, there: &CaseFile) -> (Vec<String>, Vec<DifferingFact>) {
    let rules = [here, there].into_iter().flat_map(|file| &file.assessment).flat_map(|assessment| &assessment.rules);
    let names: BTreeSet<&String> = rules.flat_map(|rule| rule.inputs.keys()).collect();
    let (mut agree, mut differ) = (Vec::new(), Vec::new());
    for name in names {
        let (here, there) = (here.facts.get(name), there.facts.get(name));
        let value = |fact: Option<&Fact>| fact.map(|fact| fact.value.clone());
        let unit = here.or(there).and_then(|fact| fact.unit.clone());
        match (value(here), value(there)) {
            (Some(Value::Time(_)), _) | (_, Some(Value::Time(_))) => {}
            (here, there) if here == there => agree.push(name.clone()),
            (here, there) => differ.push(DifferingFact { name: name.clone(), here, there, unit }),
        }
    }
    (agree, differ)
}
