//! Impact (*vaikutusten arviointi*): what two versions of a policy give the same cases, and who gains, loses, by how much.
//!
//! Owned by the policy. Pure and deterministic: the facts, rulings and open questions of each case as they stand, the
//! rules of both versions, each with its own application window in the year of the case. It says what the rules would
//! give and never what would be decided: what is unknown or left to a person under either version has no figure.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;

use super::assess::assess;
use super::document::Document;
use crate::cases::{
    Assessment, CaseFile, CaseId, DocumentId, Euro, Evidence, Fact, Outcome, RoundKind, RuleId, RuleOutcome, Value,
};
use crate::clock::helsinki;

/// Upper edges of the bands of differences, euros; the same below nothing.
const EDGES: [i64; 3] = [100, 500, 1_000];

/// Note of a factor that is taken as one, where no round has been run.
pub const NO_ROUND: &str = "no round has been run: taken as one";

/// A case to assess.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The number people use, or the name of a submission.
    pub name: &'a str,
    /// The case, where it is stored.
    pub id: Option<CaseId>,
    /// What is known of it.
    pub file: &'a CaseFile,
}

/// Why a case is not among those that were assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ImpactLeftOut)]
pub enum LeftOut {
    /// There are more cases than are assessed at once; the last to arrive are.
    BeyondLimit,
    /// No rule of this policy was evaluated for it: not read yet, or another matter.
    NotAssessed,
    /// It was withdrawn.
    Withdrawn,
    /// It is handled together with another, which is counted.
    Merged,
    /// Whoever asks judges it before they may see what the rules give.
    JudgeFirst,
    /// The input could not be read as a submission.
    Unreadable,
}

impl LeftOut {
    /// The word as it stands in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeyondLimit => "beyond-limit",
            Self::NotAssessed => "not-assessed",
            Self::Withdrawn => "withdrawn",
            Self::Merged => "merged",
            Self::JudgeFirst => "judge-first",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What became of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ImpactConsequence)]
pub enum Consequence {
    /// More money.
    Gains,
    /// Less money.
    Loses,
    /// As much money, another outcome.
    Outcome,
    /// Nothing.
    Same,
    /// Under one of the versions something is unknown or left to a person.
    Unknown,
}

impl Consequence {
    /// The word as it stands in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gains => "gains",
            Self::Loses => "loses",
            Self::Outcome => "outcome",
            Self::Same => "same",
            Self::Unknown => "unknown",
        }
    }
}

/// What the rules of one version give a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImpactGiven)]
pub struct Given {
    /// The outcome.
    pub outcome: Outcome,
    /// The amount: nothing for a refusal; null where it is unknown, or where the policy gives no money.
    pub amount: Option<Euro>,
}

/// One case under both versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImpactLine)]
pub struct Line {
    /// The number people use, or the name of a submission.
    pub case: String,
    /// The case; null for a submission that is not stored.
    pub id: Option<CaseId>,
    /// What became of it.
    pub consequence: Consequence,
    /// Under the first version.
    pub before: Given,
    /// Under the second version.
    pub after: Given,
    /// How much more the second gives; below nothing where it gives less, null where it is unknown.
    pub difference: Option<Euro>,
    /// Rules that come out otherwise, or that only one version has.
    pub rules: BTreeSet<RuleId>,
    /// Facts that either version needs and nobody stated.
    pub missing: BTreeSet<String>,
}

/// All cases together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImpactTotals)]
pub struct Totals {
    /// Cases that were assessed.
    pub cases: u64,
    /// Cases that get more.
    pub gains: u64,
    /// How much more they get together.
    pub gained: Euro,
    /// Cases that get less.
    pub loses: u64,
    /// How much less they get together.
    pub lost: Euro,
    /// Cases with as much money and another outcome.
    pub outcome: u64,
    /// Cases for which nothing changes.
    pub same: u64,
    /// Cases without a figure under one of the versions.
    pub unknown: u64,
    /// Together under the first version, of the cases with a figure under both.
    pub before: Euro,
    /// Together under the second version, of the same cases.
    pub after: Euro,
}

/// Cases that went from one outcome to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImpactMoved)]
pub struct Moved {
    /// Under the first version.
    pub before: Outcome,
    /// Under the second version.
    pub after: Outcome,
    /// How many.
    pub cases: u64,
}

/// Cases whose difference lies in a band: above `over` and at most `to`, below nothing the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ImpactBand)]
pub struct Band {
    /// The edge nearer to nothing, not within; equal to `to` for no difference.
    pub over: Euro,
    /// The farther edge, within; null: without end.
    pub to: Option<Euro>,
    /// Whether they lose.
    pub loses: bool,
    /// How many.
    pub cases: u64,
}

/// The impact of one version against another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Impact {
    /// The document.
    pub document: DocumentId,
    /// The first version.
    #[schema(value_type = String, format = "date")]
    pub before: jiff::civil::Date,
    /// The second version.
    #[schema(value_type = String, format = "date")]
    pub after: jiff::civil::Date,
    /// All cases together.
    pub totals: Totals,
    /// Outcomes under both versions.
    pub outcomes: Vec<Moved>,
    /// Differences, from the largest loss to the largest gain; bands without a case are there, too.
    pub differences: Vec<Band>,
    /// Each case, in the order in which they were given.
    pub cases: Vec<Line>,
    /// How many cases were not assessed, and why.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Facts of rounds that some case lacks because no round has been run: taken as one.
    pub taken_as_one: BTreeSet<String>,
}

/// Assesses each case by both versions. A case that the document's rules were not evaluated for is left out.
#[must_use]
pub fn impact<'a>(
    before: &Document,
    after: &Document,
    materials: impl IntoIterator<Item = Material<'a>>,
    mut left_out: BTreeMap<LeftOut, u64>,
) -> Impact {
    let factors = before.rounds.iter().chain(&after.rounds).filter(|round| round.kind() == RoundKind::Factor);
    let factors: BTreeSet<&String> = factors.map(|round| &round.fact).collect();
    let (mut cases, mut taken_as_one) = (Vec::new(), BTreeSet::new());
    for material in materials {
        match material.file.assessment.as_ref().filter(|assessment| assessment.document == before.id) {
            Some(standing) => {
                let lacks = |fact: &&&String| material.file.facts.get(fact).is_none();
                taken_as_one.extend(factors.iter().filter(lacks).map(|fact| (*fact).clone()));
                cases.push(line(&material, before, after, standing));
            }
            None => *left_out.entry(LeftOut::NotAssessed).or_default() += 1,
        }
    }
    let mut outcomes: BTreeMap<(Outcome, Outcome), u64> = BTreeMap::new();
    for line in &cases {
        *outcomes.entry((line.before.outcome, line.after.outcome)).or_default() += 1;
    }
    Impact {
        document: before.id.clone(),
        before: before.version(),
        after: after.version(),
        totals: totals(&cases),
        outcomes: outcomes.into_iter().map(|((before, after), cases)| Moved { before, after, cases }).collect(),
        differences: bands(&cases),
        cases,
        left_out,
        taken_as_one,
    }
}

fn line(material: &Material<'_>, before: &Document, after: &Document, standing: &Assessment) -> Line {
    let Material { name, id, file } = *material;
    let (old, new) = (under(before, file, standing), under(after, file, standing));
    let given = |document: &Document, assessment: &Assessment| Given {
        outcome: assessment.outcome,
        amount: document.amount.as_ref().and(match assessment.outcome {
            Outcome::Granted | Outcome::Partial => assessment.amount,
            Outcome::Rejected | Outcome::Inadmissible => Some(Euro::ZERO),
            Outcome::Incomplete | Outcome::Discretion | Outcome::Pending => None,
        }),
    };
    let (was, is) = (given(before, &old), given(after, &new));
    let difference = is.amount.zip(was.amount).map(|(is, was)| is - was);
    let open = |given: &Given| matches!(given.outcome, Outcome::Incomplete | Outcome::Discretion | Outcome::Pending);
    let consequence = match difference {
        _ if open(&was) || open(&is) => Consequence::Unknown,
        Some(difference) if difference > Euro::ZERO => Consequence::Gains,
        Some(difference) if difference < Euro::ZERO => Consequence::Loses,
        _ if was.outcome != is.outcome => Consequence::Outcome,
        _ => Consequence::Same,
    };
    let outcomes = |assessment: &Assessment| -> BTreeMap<RuleId, RuleOutcome> {
        assessment.rules.iter().map(|trace| (trace.rule.clone(), trace.outcome)).collect()
    };
    let (rules_before, rules_after) = (outcomes(&old), outcomes(&new));
    let rules = rules_before.keys().chain(rules_after.keys());
    let rules = rules.filter(|rule| rules_before.get(*rule) != rules_after.get(*rule)).cloned().collect();
    let missing = old.rules.iter().chain(&new.rules).flat_map(|trace| trace.missing.iter().cloned()).collect();
    Line { case: name.to_owned(), id, consequence, before: was, after: is, difference, rules, missing }
}

/// The case by the rules of a version, with that version's window in the year of the case.
fn under(document: &Document, file: &CaseFile, standing: &Assessment) -> Assessment {
    let mut facts = file.facts.clone();
    let year = match facts.get("window_end").map(|fact| &fact.value) {
        Some(Value::Time(end)) => end.to_zoned(helsinki()).year(),
        _ => standing.governing_date.year(),
    };
    let mut on = standing.governing_date;
    if let Some((opens, closes)) = document.window.and_then(|window| window.closing_in(year)) {
        on = closes.to_zoned(helsinki()).date();
        for (name, at) in [("window_opens", opens), ("window_end", closes)] {
            let note = format!("the window of {}@{}", document.id, document.version());
            let evidence = Evidence::Computed { from: Vec::new(), note };
            facts.insert(Fact { name: name.to_owned(), value: Value::Time(at), unit: None, evidence });
        }
    }
    // A factor that nobody has worked out yet is taken as one: the difference is then of the rules before it.
    for round in document.rounds.iter().filter(|round| round.kind() == RoundKind::Factor) {
        if facts.get(&round.fact).is_none() {
            let evidence = Evidence::Computed { from: Vec::new(), note: NO_ROUND.to_owned() };
            let value = Value::Number(Decimal::ONE);
            facts.insert(Fact { name: round.fact.clone(), value, unit: None, evidence });
        }
    }
    let open: Vec<_> = file.questions.iter().chain(&file.asked).cloned().collect();
    assess(document, &facts, &file.rulings, &open, on)
}

fn totals(cases: &[Line]) -> Totals {
    let mut totals = Totals::default();
    for line in cases {
        totals.cases += 1;
        let difference = line.difference.unwrap_or(Euro::ZERO);
        match line.consequence {
            Consequence::Gains => {
                totals.gains += 1;
                totals.gained = totals.gained + difference;
            }
            Consequence::Loses => {
                totals.loses += 1;
                totals.lost = totals.lost + (Euro::ZERO - difference);
            }
            Consequence::Outcome => totals.outcome += 1,
            Consequence::Same => totals.same += 1,
            Consequence::Unknown => totals.unknown += 1,
        }
        if let Some((before, after)) = line.before.amount.zip(line.after.amount) {
            totals.before = totals.before + before;
            totals.after = totals.after + after;
        }
    }
    totals
}

fn bands(cases: &[Line]) -> Vec<Band> {
    let euros = |whole: i64| Euro::from_cents(whole * 100);
    let count = |holds: &dyn Fn(Euro) -> bool| {
        cases.iter().filter_map(|line| line.difference).filter(|difference| holds(*difference)).count() as u64
    };
    let edges: Vec<Euro> = std::iter::once(0).chain(EDGES).map(euros).collect();
    let band = |n: usize, loses: bool| {
        let (over, to) = (edges[n], edges.get(n + 1).copied());
        let size = |difference: Euro| if loses { Euro::ZERO - difference } else { difference };
        let within = |difference: Euro| size(difference) > over && to.is_none_or(|to| size(difference) <= to);
        Band { over, to, loses, cases: count(&within) }
    };
    let nothing = Band {
        over: Euro::ZERO,
        to: Some(Euro::ZERO),
        loses: false,
        cases: count(&|difference| difference == Euro::ZERO),
    };
    let losses = (0..edges.len()).rev().map(|n| band(n, true));
    losses.chain([nothing]).chain((0..edges.len()).map(|n| band(n, false))).collect()
}

/// The cases as CSV for a spreadsheet: one line a case, no names.
///
/// # Errors
/// What the writer says; it writes into memory.
pub fn csv(impact: &Impact) -> Result<String, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record([
        "case",
        "consequence",
        "before_outcome",
        "before_amount",
        "after_outcome",
        "after_amount",
        "difference",
        "rules",
        "missing",
    ])?;
    let amount = |amount: Option<Euro>| amount.map(|amount| amount.to_string()).unwrap_or_default();
    for line in &impact.cases {
        let rules: Vec<&str> = line.rules.iter().map(RuleId::as_str).collect();
        let missing: Vec<&str> = line.missing.iter().map(String::as_str).collect();
        out.write_record([
            inert(&line.case),
            line.consequence.as_str().to_owned(),
            line.before.outcome.to_string(),
            amount(line.before.amount),
            line.after.outcome.to_string(),
            amount(line.after.amount),
            amount(line.difference),
            rules.join(" "),
            missing.join(" "),
        ])?;
    }
    let bytes = out.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text that no spreadsheet takes for a formula: a submission is named by whoever sent it.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cases::Facts;
    use crate::policy::Rulebook;

    fn book() -> Rulebook {
        Rulebook::load(Path::new("policies"), &"harjuvesi".parse().unwrap()).unwrap()
    }

    fn versions(book: &Rulebook) -> (&Document, &Document) {
        let id = "private-road-grant".parse().unwrap();
        let version = |from: &str| book.library.version(&id, from.parse().unwrap()).unwrap();
        (version("2024-01-01"), version("2026-01-01"))
    }

    /// The road R1 of the technical board: 2 350 m, five households, costs of 6 120,40 €.
    fn road(book: &Rulebook, changes: &[(&str, Option<Value>)]) -> CaseFile {
        let number = |text: &str| Value::Number(text.parse().unwrap());
        let time = |text: &str| Value::Time(text.parse().unwrap());
        let money = |text: &str| Value::Money(text.parse().unwrap());
        let mut facts: BTreeMap<&str, Value> = BTreeMap::from([
            ("received_at", time("2026-03-10T08:15:00Z")),
            ("sent_at", time("2026-03-10T08:15:00Z")),
            ("window_end", time("2026-04-15T12:00:00Z")),
            ("grant_type", Value::Text("maintenance".to_owned())),
            ("supported_length", number("2350")),
            ("households", number("5")),
            ("through_route", Value::Flag(false)),
            ("register_current", Value::Flag(true)),
            ("digiroad_current", Value::Flag(true)),
            ("open_to_others", Value::Flag(true)),
            ("vat_registered", Value::Flag(false)),
            ("costs_include_vat", Value::Flag(true)),
            ("factor_k", number("1")),
            ("other_support", money("0")),
        ]);
        for (name, cost) in [
            ("cost_ploughing", "2480.00"),
            ("cost_sanding", "640.00"),
            ("cost_grading", "960.40"),
            ("cost_gravel", "1720.00"),
            ("cost_dust_control", "320.00"),
            ("cost_brush_cutting", "0"),
            ("cost_culverts", "0"),
            ("cost_ditching", "0"),
            ("cost_administration", "0"),
            ("cost_lighting", "0"),
            ("cost_other", "0"),
        ] {
            facts.insert(name, money(cost));
        }
        for (name, value) in changes {
            match value {
                Some(value) => facts.insert(name, value.clone()),
                None => facts.remove(name),
            };
        }
        let facts: Vec<Fact> = facts
            .into_iter()
            .map(|(name, value)| Fact {
                name: name.to_owned(),
                value,
                unit: None,
                evidence: Evidence::Form { field: name.to_owned() },
            })
            .collect();
        let facts = Facts::from(facts);
        let on = "2026-04-15".parse().unwrap();
        let assessment = assess(versions(book).1, &facts, &[], &[], on);
        CaseFile { facts, assessment: Some(assessment), ..CaseFile::default() }
    }

    fn euro(text: &str) -> Euro {
        text.parse().unwrap()
    }

    #[test]
    fn the_road_r1_gains_940_euros() {
        let book = book();
        let (before, after) = versions(&book);
        let file = road(&book, &[]);
        let materials = [Material { name: "HRJ/2026/00001", id: None, file: &file }];
        let impact = impact(before, after, materials, BTreeMap::new());
        let line = &impact.cases[0];
        // 2024: min(40 % of 6 120,40 = 2 448,16; 0,70 × 2 350 = 1 645; 4 000). 2026: min(3 672,24; 2 585; 6 000).
        assert_eq!((line.before.amount, line.after.amount), (Some(euro("1645.00")), Some(euro("2585.00"))));
        assert_eq!((line.consequence, line.difference), (Consequence::Gains, Some(euro("940.00"))));
        assert_eq!((impact.totals.gains, impact.totals.gained), (1, euro("940.00")));
        assert_eq!((impact.totals.before, impact.totals.after), (euro("1645.00"), euro("2585.00")));
        let band = impact.differences.iter().find(|band| band.cases == 1).unwrap();
        assert_eq!((band.over, band.to, band.loses), (euro("500.00"), Some(euro("1000.00")), false));
        assert_eq!(impact.differences.len(), 9);
    }

    #[test]
    fn the_other_way_round_the_same_road_loses_them() {
        let book = book();
        let (before, after) = versions(&book);
        let file = road(&book, &[]);
        let impact = impact(after, before, [Material { name: "a", id: None, file: &file }], BTreeMap::new());
        assert_eq!((impact.totals.loses, impact.totals.lost), (1, euro("940.00")));
        assert_eq!(impact.cases[0].difference, Some(Euro::ZERO - euro("940.00")));
    }

    #[test]
    fn outcomes_change_and_what_is_unknown_has_no_figure() {
        let book = book();
        let (before, after) = versions(&book);
        let number = |text: &str| Some(Value::Number(text.parse().unwrap()));
        // 450 m: too short in 2024, and 1,10 × 450 = 495 € in 2026.
        let short = road(&book, &[("supported_length", number("450"))]);
        // Arrived on 10.4.: in time in 2026 (15.4.), late by the window of 2024 (31.3.).
        let april = Value::Time("2026-04-10T08:00:00Z".parse().unwrap());
        let late = road(&book, &[("received_at", Some(april.clone())), ("sent_at", Some(april))]);
        let silent = road(&book, &[("supported_length", None)]);
        let elsewhere = CaseFile::default();
        let materials = [("short", &short), ("late", &late), ("silent", &silent), ("elsewhere", &elsewhere)];
        let materials = materials.map(|(name, file)| Material { name, id: None, file });
        let left_out = BTreeMap::from([(LeftOut::Withdrawn, 2)]);
        let impact = impact(before, after, materials, left_out);
        let seen: Vec<(&str, Consequence, Outcome, Outcome, Option<Euro>)> = impact
            .cases
            .iter()
            .map(|line| {
                (line.case.as_str(), line.consequence, line.before.outcome, line.after.outcome, line.difference)
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("short", Consequence::Gains, Outcome::Rejected, Outcome::Granted, Some(euro("495.00"))),
                ("late", Consequence::Gains, Outcome::Inadmissible, Outcome::Granted, Some(euro("2585.00"))),
                ("silent", Consequence::Unknown, Outcome::Incomplete, Outcome::Incomplete, None),
            ]
        );
        assert!(impact.cases[0].rules.iter().any(|rule| rule.as_str() == "min-length"));
        assert!(impact.cases[2].missing.contains("supported_length"));
        assert_eq!(impact.left_out, BTreeMap::from([(LeftOut::NotAssessed, 1), (LeftOut::Withdrawn, 2)]));
        assert_eq!((impact.totals.unknown, impact.totals.cases), (1, 3));
        let moved: u64 = impact.outcomes.iter().map(|moved| moved.cases).sum();
        assert_eq!(moved, 3);
    }

    #[test]
    fn nothing_changes_between_a_version_and_itself() {
        let book = book();
        let (_, after) = versions(&book);
        let file = road(&book, &[]);
        let impact = impact(after, after, [Material { name: "=1+1", id: None, file: &file }], BTreeMap::new());
        assert_eq!((impact.cases[0].consequence, impact.totals.same), (Consequence::Same, 1));
        let table = csv(&impact).unwrap();
        assert_eq!(table.lines().nth(1), Some("'=1+1,same,granted,2585.00,granted,2585.00,0.00,,"));
    }
}
