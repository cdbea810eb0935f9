//! Drafting decided cases again, in shadow: what another model, prompt or policy would have proposed, held against what
//! people decided.
//!
//! Everything is given as it stood when the machine drafted: what came in, what people had said, what the files said,
//! and the moment, so that governing dates and delegation are those of then. The same engine over the same files gives
//! the same draft, letter for letter. Nothing is written. A [`Comparison`] names numbers, kinds, amounts and sections,
//! and never what anybody wrote.

use serde::Serialize;

use super::history::Others;
use super::{Circumstances, Desk, Error, Proposal};
use crate::cases::{
    CaseFile, CheckId, CheckResult, DeciderId, DraftContent, DraftKind, Engine, Euro, Outcome, SectionRef, SourceText,
    Submission,
};
use crate::intake::extract::Attached;
use crate::storage::Decided;

/// Words of a text that are compared; a letter has some hundreds.
const MOST_WORDS: usize = 5_000;

/// Drafts a decided case again at this desk.
///
/// # Errors
/// [`Error`] when the desk cannot draft it.
pub async fn redraft(desk: &Desk, submission: &Submission, decided: &Decided) -> Result<(CaseFile, Proposal), Error> {
    let reading = decided.case.file.reading.as_ref();
    let texts = reading.iter().flat_map(|reading| &reading.texts);
    let texts: Vec<SourceText> = texts.filter(|text| text.attachment().is_some()).cloned().collect();
    let attached = Attached::kept(texts, reading.map(|reading| reading.files.clone()).unwrap_or_default());
    // The limits of the case hold here, too. A decision is made when every alert is acknowledged.
    let at = Circumstances {
        case: Some(decided.case.id),
        attached: Some(&attached),
        others: Others::Stood(&decided.case.file.facts),
        ..Circumstances::new(&decided.case.number, decided.proposed.created_at)
    };
    desk.dry_run_on(said_by_people(decided), submission, &at).await
}

/// What people had said of the case; everything else is worked out anew.
fn said_by_people(decided: &Decided) -> CaseFile {
    let file = &decided.case.file;
    // A letter that is itself what was approved had not been sent when it was drafted.
    let was = |kind| decided.draft.content.kind == kind;
    let mut hearings = file.hearings.clone();
    let hear = if was(DraftKind::Hearing) { hearings.pop().and_then(|hearing| hearing.order) } else { None };
    CaseFile {
        round: file.round,
        supplements: file.supplements.clone(),
        preparers: file.preparers.clone(),
        corrections: file.corrections.clone(),
        rulings: file.rulings.clone(),
        reclassified: file.reclassified.clone(),
        asked: file.asked.clone(),
        transfer_to: file.transfer_to.clone(),
        about: file.about.clone(),
        standing: file.standing.clone(),
        hear: hear.map(Box::new),
        hearings,
        completion_until: file.completion_until.filter(|_| !was(DraftKind::Completion)),
        ..CaseFile::default()
    }
}

/// What was, and what is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair<T> {
    /// What people decided.
    pub decided: T,
    /// What was drafted again.
    pub again: T,
}

impl<T: PartialEq> Pair<T> {
    /// Whether nothing changed.
    pub fn is_same(&self) -> bool {
        self.decided == self.again
    }
}

/// How far two texts are apart, in words that were put in, left out or exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Distance {
    /// How many.
    pub words: usize,
    /// Words of the longer text.
    pub of: usize,
}

impl Distance {
    /// Between two texts, whatever their line ends.
    #[must_use]
    pub fn between(one: &str, other: &str) -> Self {
        let words = |text| str::split_whitespace(text).take(MOST_WORDS).collect::<Vec<_>>();
        let (one, other) = (words(one), words(other));
        Self { words: strsim::generic_levenshtein(&one, &other), of: one.len().max(other.len()) }
    }

    /// 0 for the same words, 1 for none in common.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most some thousands of words")]
    pub fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.words as f64 / self.of as f64 }
    }
}

/// One case, decided and drafted again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The number people use.
    pub number: String,
    /// Kind of decision or letter.
    pub kind: Pair<DraftKind>,
    /// What the rules say.
    pub outcome: Pair<Option<Outcome>>,
    /// What is granted.
    pub amount: Pair<Option<Euro>>,
    /// Who decides.
    pub decider: Pair<Option<DeciderId>>,
    /// Sections that are cited now and were not.
    pub sections_added: Vec<SectionRef>,
    /// Sections that were cited and are not now.
    pub sections_dropped: Vec<SectionRef>,
    /// How far the reasons are apart.
    pub reasons: Distance,
    /// How far the letters are apart.
    pub letter: Distance,
    /// Checks that fail now and did not.
    pub newly_failing: Vec<CheckId>,
    /// Which engine proposed.
    pub engine: Pair<Engine>,
    /// Steps that the offline engine took over.
    pub fell_back: Vec<String>,
}

impl Comparison {
    /// Holds what was drafted again against what was decided.
    #[must_use]
    pub fn of(decided: &Decided, file: &CaseFile, proposal: &Proposal, engine: Engine) -> Self {
        let (was, now) = (&decided.draft.content, &proposal.content);
        let outcome = |file: &CaseFile| file.assessment.as_ref().map(|assessment| assessment.outcome);
        let by = |content: &DraftContent| content.decider.as_ref().map(|decider| decider.id.clone());
        let failed = |checks: &[crate::cases::Check], id| {
            checks.iter().any(|check| check.id == id && check.result == CheckResult::Fail)
        };
        let (before, after) = (sections(was), sections(now));
        let new = proposal.checks.iter().filter(|check| check.result == CheckResult::Fail).map(|check| check.id);
        Self {
            number: decided.case.number.clone(),
            kind: Pair { decided: was.kind, again: now.kind },
            outcome: Pair { decided: outcome(&decided.case.file), again: outcome(file) },
            amount: Pair { decided: was.amount, again: now.amount },
            decider: Pair { decided: by(was), again: by(now) },
            sections_added: after.iter().filter(|section| !before.contains(section)).cloned().collect(),
            sections_dropped: before.iter().filter(|section| !after.contains(section)).cloned().collect(),
            reasons: Distance::between(&reasons(was), &reasons(now)),
            letter: Distance::between(&was.letter, &now.letter),
            newly_failing: new.filter(|id| !failed(&decided.draft.checks, *id)).collect(),
            engine: Pair { decided: decided.draft.engine.clone(), again: file.engine.clone().unwrap_or(engine) },
            fell_back: file.fallbacks.iter().map(|fallback| fallback.step.clone()).collect(),
        }
    }

    /// Whether people would have been shown the same decision, whatever its words.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.kind.is_same() && self.outcome.is_same() && self.amount.is_same() && self.decider.is_same()
    }
}

/// Every section that a draft cites, each once, in their order.
fn sections(content: &DraftContent) -> Vec<SectionRef> {
    let citations = content.reasons.iter().flat_map(|reason| &reason.citations).chain(&content.provisions);
    let mut sections: Vec<SectionRef> = citations
        .map(|citation| SectionRef {
            document: citation.document.clone(),
            version: citation.version,
            section: citation.section.clone(),
        })
        .collect();
    sections.sort();
    sections.dedup();
    sections
}

fn reasons(content: &DraftContent) -> String {
    content.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// All cases together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Cases that were drafted again.
    pub cases: usize,
    /// Of these, the same kind and outcome.
    pub same_outcome: usize,
    /// Of these, the same amount.
    pub same_amount: usize,
    /// Of these, the same sections.
    pub same_sections: usize,
    /// The middle share of words that changed in the reasons.
    pub reasons_median: f64,
    /// The middle share of words that changed in the letter.
    pub letter_median: f64,
    /// Cases with a check that fails now and did not.
    pub newly_failing: usize,
    /// Cases in which the offline engine took a step over.
    pub fell_back: usize,
}

impl Summary {
    /// Over these cases.
    #[must_use]
    pub fn of(cases: &[Comparison]) -> Self {
        let count = |holds: &dyn Fn(&Comparison) -> bool| cases.iter().filter(|case| holds(case)).count();
        Self {
            cases: cases.len(),
            same_outcome: count(&|case| case.kind.is_same() && case.outcome.is_same()),
            same_amount: count(&|case| case.amount.is_same()),
            same_sections: count(&|case| case.sections_added.is_empty() && case.sections_dropped.is_empty()),
            reasons_median: median(cases.iter().map(|case| case.reasons.share()).collect()),
            letter_median: median(cases.iter().map(|case| case.letter.share()).collect()),
            newly_failing: count(&|case| !case.newly_failing.is_empty()),
            fell_back: count(&|case| !case.fell_back.is_empty()),
        }
    }
}

/// The middle value; of an even number the lower one; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_words() {
        let apart = |one, other| Distance::between(one, other).words;
        assert_eq!(apart("avustus myönnetään", "avustus  myönnetään\n"), 0);
        assert_eq!(apart("avustus myönnetään", "avustusta ei myönnetä"), 3);
        let all = Distance::between("a b", "");
        assert!((all.share() - 1.0).abs() < f64::EPSILON && Distance::between("", "").share().abs() < f64::EPSILON);
        let long = "sana ".repeat(50_000);
        assert_eq!(Distance::between(&long, &long).of, MOST_WORDS);
    }

    #[test]
    fn the_median_is_a_value_that_occurred() {
        assert!(median(Vec::new()).abs() < f64::EPSILON);
        for (values, middle) in [(vec![0.3], 0.3), (vec![0.9, 0.1], 0.1), (vec![0.5, 0.1, 0.9], 0.5)] {
            assert!((median(values) - middle).abs() < f64::EPSILON);
        }
    }
}
