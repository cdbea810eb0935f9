//! Precedents: similar decisions of the same municipality, as examples of how its people put reasons into words.
//!
//! Only what was approved before the case was drafted, of the same service. A precedent tells the kind, the day, the
//! sections and the reasons, and never whom, where or how much: the old case's own masker runs over its words, and
//! then every name that the old case knows and every number go. Nothing binds by it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::LazyLock;

use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use jiff::civil::Date;
use regex::Regex;

use super::{Desk, local_date, material, pipeline};
use crate::cases::{CaseFile, DraftKind, RuleId, RuleOutcome, SectionRef, ServiceId, Submission};
use crate::model::masking::Masked;
use crate::storage::{self, Decided, DecidedFilter, Storage};
use crate::text::{ngrams, tokens};

/// The newest decisions among which similar ones are looked for.
const LOOKED_THROUGH: u32 = 200;
/// Characters by which a name is known; those behind them are its end.
const LONGEST_STEM: usize = 20;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Of this service.
    pub service: &'a ServiceId,
    /// With rules that came out like these.
    pub file: &'a CaseFile,
    /// Approved before this moment.
    pub before: Timestamp,
    /// At most so many.
    pub limit: usize,
}

/// A decision that is similar.
#[derive(Debug, Clone, PartialEq)]
pub struct Precedent {
    /// Kind of decision.
    pub kind: DraftKind,
    /// When it was decided.
    pub decided_on: Date,
    /// The policy it rests on, `id@version`.
    pub policy: Option<String>,
    /// Whether that version is the one that binds now.
    pub in_force: bool,
    /// The reasons, with their sections.
    pub reasons: Vec<(Masked<String>, Vec<SectionRef>)>,
}

/// Anything that knows what was decided.
pub trait Precedents: Send + Sync + fmt::Debug {
    /// The most similar decisions of the desk's municipality, the most similar first.
    fn similar<'a>(&'a self, desk: &'a Desk, wanted: &'a Wanted<'a>) -> BoxFuture<'a, storage::Result<Vec<Precedent>>>;
}

impl Precedents for Storage {
    fn similar<'a>(&'a self, desk: &'a Desk, wanted: &'a Wanted<'a>) -> BoxFuture<'a, storage::Result<Vec<Precedent>>> {
        let municipality = &desk.rulebook.pack.municipality.id;
        let filter = DecidedFilter {
            service: Some(wanted.service.clone()),
            before: Some(wanted.before),
            ..DecidedFilter::default()
        };
        async move {
            let decided = self.decided(municipality, &filter, LOOKED_THROUGH).await?;
            let mut found = Vec::new();
            for decided in rank(wanted, decided) {
                let submission = pipeline::submission(self, &decided.case).await?;
                found.push(precedent(desk, wanted, &decided, &submission));
            }
            Ok(found)
        }
        .boxed()
    }
}

/// The same rules with the same outcomes first, then the words, then the newest.
fn rank(wanted: &Wanted<'_>, decided: Vec<Decided>) -> Vec<Decided> {
    let (rules, words) = (outcomes(wanted.file), features(wanted.file));
    let mut ranked: Vec<(f64, f64, Decided)> = decided
        .into_iter()
        .filter(|decided| decided.draft.content.is_decision())
        .map(|decided| {
            let file = &decided.case.file;
            (agreement(&rules, &outcomes(file)), cosine(&words, &features(file)), decided)
        })
        .collect();
    // A stable sort: what is equally similar stays with the newest first.
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1)));
    ranked.into_iter().take(wanted.limit).map(|(_, _, decided)| decided).collect()
}

pub(super) fn outcomes(file: &CaseFile) -> BTreeMap<RuleId, RuleOutcome> {
    let rules = file.assessment.iter().flat_map(|assessment| &assessment.rules);
    rules.map(|trace| (trace.rule.clone(), trace.outcome)).collect()
}

/// The share of rules that came out the same, of all that either case has.
#[expect(clippy::cast_precision_loss, reason = "some dozens of rules")]
pub(super) fn agreement(one: &BTreeMap<RuleId, RuleOutcome>, other: &BTreeMap<RuleId, RuleOutcome>) -> f64 {
    let same = one.iter().filter(|(rule, outcome)| other.get(*rule) == Some(*outcome)).count();
    let all = one.keys().chain(other.keys()).collect::<BTreeSet<_>>().len();
    if all == 0 { 0.0 } else { same as f64 / all as f64 }
}

/// How often each n-gram stands in the message.
fn features(file: &CaseFile) -> BTreeMap<u32, f64> {
    let message = file.reading.as_ref().map(crate::cases::Reading::message).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for feature in ngrams(&tokens(&message)) {
        *counts.entry(feature.bucket).or_insert(0.0) += 1.0;
    }
    counts
}

fn cosine(one: &BTreeMap<u32, f64>, other: &BTreeMap<u32, f64>) -> f64 {
    let length = |counts: &BTreeMap<u32, f64>| counts.values().map(|count| count * count).sum::<f64>().sqrt();
    let product: f64 = one.iter().filter_map(|(bucket, count)| Some(count * other.get(bucket)?)).sum();
    let lengths = length(one) * length(other);
    if lengths > 0.0 { product / lengths } else { 0.0 }
}

fn precedent(desk: &Desk, wanted: &Wanted<'_>, decided: &Decided, submission: &Submission) -> Precedent {
    let known = material::with_withheld(&decided.case.file, submission);
    let masker = desk.masker(&known, Some(wanted.service));
    let names = names(submission, &decided.case.file);
    let fit = |text: &str| {
        let impersonal = masker.mask(text).without(&PLACEHOLDER, |_| true, "[personal]");
        let nameless = impersonal.without(&NAME, |word| is_name(word, &names), "[name]");
        nameless.without(&NUMBER, |_| true, "[number]")
    };
    let assessment = decided.case.file.assessment.as_ref();
    let binding = wanted.file.assessment.as_ref().map(|assessment| (&assessment.document, assessment.version));
    Precedent {
        kind: decided.draft.content.kind,
        decided_on: local_date(decided.decision.decided_at),
        policy: assessment.map(|assessment| format!("{}@{}", assessment.document, assessment.version)),
        in_force: assessment.is_some_and(|assessment| binding == Some((&assessment.document, assessment.version))),
        reasons: decided
            .draft
            .content
            .reasons
            .iter()
            .map(|reason| {
                let sections = reason.citations.iter().map(|citation| SectionRef {
                    document: citation.document.clone(),
                    version: citation.version,
                    section: citation.section.clone(),
                });
                (fit(&reason.text), sections.collect())
            })
            .collect(),
    }
}

/// A placeholder of the old case: it would stand for something else in the new one.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[[^\[\]]*\d+\]").expect("a fixed pattern"));
/// A number, an amount, a date or a code with digits.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{L}/-]*\d[\d.,:/\p{L}\u{a0}\u{202f}-]*").expect("a fixed pattern"));
static NAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{Lu}[\p{L}’'-]+").expect("a fixed pattern"));

/// The stem of every name that the old case knows: of capitalised words of what came in. More words than names are
/// among them, which takes a little of a reason and nothing of anybody.
fn names(submission: &Submission, file: &CaseFile) -> HashSet<String> {
    let party = submission.party.as_ref();
    let party = party.into_iter().flat_map(|party| [&party.name, &party.address, &party.email]).flatten();
    let place = submission.location.as_ref().and_then(|location| location.address.as_ref());
    let texts = file.reading.iter().flat_map(|reading| &reading.texts).map(|text| &text.text);
    let words = texts.chain(party).chain(place).flat_map(|text| NAME.find_iter(text));
    let stem = |word: &str| {
        // Finnish and Swedish inflect names at their end (Harjuntie, Harjuntien).
        let letters = word.chars().count();
        word.chars().take(letters.saturating_sub(3).max(letters.min(3)).min(LONGEST_STEM)).collect()
    };
    words.map(|word| stem(word.as_str())).collect()
}

/// Whether a word, or a part of it (Ala-Harjun), begins with one of the stems.
fn is_name(word: &str, stems: &HashSet<String>) -> bool {
    let parts = word.match_indices(['-', '’', '\'']).map(|(at, sign)| at + sign.len());
    std::iter::once(0).chain(parts).any(|start| {
        let part = &word[start..];
        let ends = part.char_indices().skip(1).map(|(end, _)| end).chain([part.len()]);
        ends.take(LONGEST_STEM).any(|end| stems.contains(&part[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_came_out_the_same_agree() {
        let rules = |pairs: &[(&str, RuleOutcome)]| -> BTreeMap<RuleId, RuleOutcome> {
            pairs.iter().map(|(rule, outcome)| (rule.parse().unwrap(), *outcome)).collect()
        };
        let one = rules(&[("a", RuleOutcome::Met), ("b", RuleOutcome::NotMet)]);
        assert!((agreement(&one, &one) - 1.0).abs() < f64::EPSILON);
        assert!((agreement(&one, &rules(&[("a", RuleOutcome::Met), ("b", RuleOutcome::Met)])) - 0.5).abs() < 1e-9);
        assert!(agreement(&one, &rules(&[])).abs() < f64::EPSILON);
    }

    #[test]
    fn alike_words_are_near() {
        let vector = |pairs: &[(u32, f64)]| pairs.iter().copied().collect::<BTreeMap<_, _>>();
        assert!((cosine(&vector(&[(1, 2.0)]), &vector(&[(1, 1.0)])) - 1.0).abs() < 1e-9);
        assert!(cosine(&vector(&[(1, 2.0)]), &vector(&[(2, 1.0)])).abs() < f64::EPSILON);
        assert!(cosine(&vector(&[]), &vector(&[(2, 1.0)])).abs() < f64::EPSILON);
    }
}
