//! Several matters in one message (*useita asioita samassa viestissä*, hallintolaki 25 §): which words are about what.
//!
//! Each sentence is classified by itself. Another matter is found only where the classifier is sure of both sides and they
//! are matters of different kinds, or faults that different people mend; only the lexicon's words tell of a threat or of
//! wanting to die. The first case keeps the whole message and each other one reads the words that are about it, for the same
//! words may be about both: "a pothole broke my rim, pay 340 €" is a hole to be filled and a sum to be paid. Splitting too
//! little costs a handler one act, splitting too much tears a matter apart: what is in doubt stays together.
//!
//! Pure and bounded: so many sentences of so many characters, however long the message is.

use std::ops::Range;

use super::classify::labelled;
use super::{Desk, owner};
use crate::cases::{
    CaseFile, CaseRef, Classification, Flag, Matter, OtherMatter, Owner, Reading, SourceText, SplitMatter, Submission,
};
use crate::municipality::format::ServiceFile;

/// Most matters of one message, the first one included.
const MOST: usize = 5;
/// Most sentences that are looked at.
const SENTENCES: usize = 150;
/// Longest sentence that is looked at, bytes: a longer one is no sentence.
const LONGEST: usize = 600;
/// Fewest words that can be a matter.
const FEWEST_WORDS: usize = 2;
/// Probability with which a sentence makes a case of its own.
const SURE: f64 = 0.8;

/// Words that join two clauses.
const JOINTS: [&str; 3] = ["ja ", "och ", "and "];

/// What a message holds.
#[derive(Debug, Default)]
pub struct Found {
    /// What the message's first case is, where only its sentences tell.
    pub first: Option<Classification>,
    /// The other matters, in the order in which they stand.
    pub others: Vec<OtherMatter>,
}

/// At what a text is cut into what is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Full stops and line ends.
    Sentences,
    /// Commas, dashes and joints, too.
    Clauses,
}

/// Words of one matter in one text.
#[derive(Debug)]
struct Run<'a> {
    text: &'a SourceText,
    span: Range<usize>,
    label: String,
    kind: Kind,
    /// What the classifier believed of its first sentence; none where words of danger tell.
    confidence: Option<f64>,
}

impl Run<'_> {
    /// Whether it is sure enough to be a case.
    fn is_sure(&self) -> bool {
        self.confidence.is_none_or(|confidence| confidence >= SURE)
    }
}

/// What makes matters different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    matter: Matter,
    /// Who mends a fault.
    owner: Option<Owner>,
}

/// Looks for the matters of a message of which `whole` is what the classifier or its sender says.
#[must_use]
pub fn find(desk: &Desk, submission: &Submission, file: &CaseFile, reading: &Reading, whole: &Classification) -> Found {
    // What a person said stands, a part has no parts, and whoever gives orders to a machine gets no cases out of it.
    if file.reclassified.is_some() || file.split_from.is_some() || file.flags.contains(&Flag::Injection) {
        return Found::default();
    }
    let service = submission.service.as_ref().and_then(|id| desk.rulebook.pack.service(id));
    let form = service.filter(|service| service.categories.is_empty());
    let is_notice = service.is_some() && form.is_none();
    // What broke and what it cost are told in one breath.
    let is_claim = whole.label == Matter::DamageClaim.as_str();
    let runs = runs(desk, reading, service, if is_claim { Cut::Clauses } else { Cut::Sentences });
    let told = first_of(&runs, is_notice).filter(|_| form.is_none() && whole.abstained);
    let first = told.map(|run| classification(desk, run, whole));
    let kept = match told {
        Some(run) => run.kind,
        // A form says by itself what it is.
        None if whole.abstained && service.is_none() => return Found::default(),
        None => kind(desk, reading, whole.matter, &whole.label, None),
    };
    if kept.matter == Matter::SelfHarm {
        // Somebody in distress is met as a whole.
        return Found { first, others: Vec::new() };
    }
    let is_there = runs.iter().any(|run| run.kind == kept);
    let mut others: Vec<&Run<'_>> = Vec::new();
    for run in runs.iter().filter(|run| run.kind != kept) {
        let stands_alone = match (form, run.kind.matter) {
            (Some(form), matter) => run.is_sure() && stands_beside_form(form, matter),
            // The hole that broke the rim.
            (None, Matter::FaultNotice) if kept.matter == Matter::DamageClaim => true,
            (None, Matter::FaultNotice) if kept.matter == Matter::FaultNotice => {
                is_there && run.is_sure() && !are_close(&run.label, first_label(first.as_ref(), whole))
            }
            // A question and a fault are mostly one: "when is it mended?"
            (None, Matter::FaultNotice) if kept.matter == Matter::Question => false,
            // Whoever asks for papers may ask for a decision on them (621/1999 14 §).
            (None, Matter::ClaimForRevision) if kept.matter == Matter::DocumentRequest => false,
            (None, Matter::OtherAuthority) => run.is_sure() && names_task(desk, run),
            (None, matter) => run.is_sure() && stands_beside(matter),
        };
        if stands_alone && !others.iter().any(|other| other.kind == run.kind) {
            others.push(run);
        }
    }
    others.truncate(MOST - 1);
    let others = others.into_iter().map(|run| OtherMatter {
        label: run.label.clone(),
        source: run.text.source.clone(),
        // A claim without what happened says nothing.
        text: match run.kind.matter {
            Matter::DamageClaim => run.text.text.trim(),
            _ => run.text.text[run.span.clone()].trim(),
        }
        .to_owned(),
    });
    Found { first, others: others.collect() }
}

/// What a case of its own begins with: which words of which case it is, and what the machine took them for.
#[must_use]
pub fn file_of(first: CaseRef, whole: &Submission, file: &CaseFile, other: &OtherMatter) -> CaseFile {
    CaseFile {
        split_from: Some(SplitMatter { case: first, text: other.text.clone(), label: Some(other.label.clone()) }),
        registrations: file.registrations.clone(),
        withheld: super::material::withheld(file, whole),
        ..CaseFile::default()
    }
}

/// Where nobody knows what the whole message is, its sentences tell: by two matters that are each sure, or by words of a
/// threat or of wanting to die alone. On the form for notices the notice comes first.
fn first_of<'a, 'r>(runs: &'r [Run<'a>], is_notice: bool) -> Option<&'r Run<'a>> {
    let notice = runs.iter().find(|run| is_notice && run.kind.matter == Matter::FaultNotice);
    let first = notice.or_else(|| runs.first())?;
    let several = runs.iter().any(|run| run.kind != first.kind && run.is_sure() && stands_beside(run.kind.matter));
    (several && first.is_sure() || runs.len() == 1 && first.confidence.is_none()).then_some(first)
}

/// The label that the first case goes by.
fn first_label<'a>(first: Option<&'a Classification>, whole: &'a Classification) -> &'a str {
    first.map_or(whole.label.as_str(), |first| first.label.as_str())
}

/// Whether two categories of faults are of one family, or lamps and the power that they need: what looks like two of them is
/// mostly one fault and its traces.
fn are_close(one: &str, other: &str) -> bool {
    let family = |label: &str| match label.get(..2) {
        Some("EL") => "LI".to_owned(),
        Some(family) => family.to_owned(),
        None => label.to_owned(),
    };
    family(one) == family(other)
}

/// Whether the words say of which authority they are: what only sounds like somebody else's is not.
fn names_task(desk: &Desk, run: &Run<'_>) -> bool {
    let words = &run.text.text[run.span.clone()];
    desk.rulebook.pack.tasks.find(words, Matter::OtherAuthority).is_some()
}

fn classification(desk: &Desk, run: &Run<'_>, whole: &Classification) -> Classification {
    let labelled = labelled(desk, &run.label);
    let mut reasons = whole.reasons.clone();
    reasons.push(match run.confidence {
        Some(confidence) => format!("its sentences are sure by themselves: {} ({confidence:.2})", run.label),
        None => format!("words of danger say `{}`", run.label),
    });
    Classification {
        label: run.label.clone(),
        matter: labelled.matter,
        service: labelled.service,
        category: labelled.category,
        confidence: run.confidence.unwrap_or(1.0),
        abstained: false,
        reasons,
        ..whole.clone()
    }
}

/// Whether a matter in free text becomes a case beside another one. Thanks, opinions and questions are mostly about the
/// matter that they stand beside ("when is it mended?"), advertising belongs to nothing, and an application is made by
/// whoever applies.
const fn stands_beside(matter: Matter) -> bool {
    !matches!(matter, Matter::Feedback | Matter::Question | Matter::Spam | Matter::Application)
}

/// Whether a matter becomes a case beside the form of a service: what the form is about may well be a bad road or a
/// question, but no demand on the municipality. A form that somebody decides on asks nothing back: a question in it is
/// another matter.
fn stands_beside_form(form: &ServiceFile, matter: Matter) -> bool {
    match matter {
        Matter::FaultNotice | Matter::OtherAuthority => false,
        Matter::Question => form.matter == Matter::Application,
        _ => stands_beside(matter),
    }
}

/// The sure sentences of every free text, each with those after it that say nothing sure: one run a kind and text.
fn runs<'a>(desk: &Desk, reading: &'a Reading, service: Option<&ServiceFile>, cut: Cut) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut left = SENTENCES;
    for text in reading.texts.iter().filter(|text| is_free(&text.source, service)) {
        let begin = runs.len();
        let mut last: Option<usize> = None;
        for span in pieces(&text.text, cut).take(left) {
            left -= 1;
            let words = &text.text[span.clone()];
            let Some((label, confidence)) = sure(desk, words) else {
                if let Some(last) = last {
                    let run: &mut Run<'a> = &mut runs[last];
                    run.span.end = span.end;
                }
                continue;
            };
            let kind = kind(desk, reading, labelled(desk, &label).matter, &label, Some(words));
            let known = (begin..runs.len()).find(|at| runs[*at].kind == kind);
            let at = known.unwrap_or(runs.len());
            if known.is_none() {
                runs.push(Run { text, span: span.clone(), label, kind, confidence });
            }
            runs[at].span.end = span.end;
            last = Some(at);
        }
    }
    runs
}

/// Whether a text is a person's own words. Where something is, is no matter.
fn is_free(source: &str, service: Option<&ServiceFile>) -> bool {
    if matches!(source, "text" | "field:description") {
        return true;
    }
    source.strip_prefix("field:").is_some_and(|name| {
        !name.starts_with("location")
            && service.is_some_and(|service| service.fields.iter().any(|field| field.name == name && field.free_text))
    })
}

/// What a sentence is by itself, where that is sure.
fn sure(desk: &Desk, words: &str) -> Option<(String, Option<f64>)> {
    let grave = desk.lexicon.find(words).into_iter().find(|hit| is_matter(&hit.kind));
    if let Some(hit) = grave {
        return Some((hit.kind, None));
    }
    if words.len() > LONGEST || words.split_whitespace().count() < FEWEST_WORDS {
        return None;
    }
    let prediction = desk.classifier.predict(words);
    // Of these only the words that people have written down tell, in what may be half a sentence.
    let sure = !prediction.abstained && !is_matter(&prediction.label);
    sure.then_some((prediction.label, Some(prediction.confidence)))
}

/// Whether a kind of danger is a matter of its own, and no danger on the spot.
pub fn is_matter(kind: &str) -> bool {
    [Matter::SelfHarm, Matter::Threat].iter().any(|matter| matter.as_str() == kind)
}

fn kind(desk: &Desk, reading: &Reading, matter: Matter, label: &str, words: Option<&str>) -> Kind {
    if matter == Matter::DataSubjectRequest {
        // Both ask for papers, and one answer may give both.
        return Kind { matter: Matter::DocumentRequest, owner: None };
    }
    if matter != Matter::FaultNotice {
        return Kind { matter, owner: None };
    }
    let labelled = labelled(desk, label);
    let fault = Classification {
        label: label.to_owned(),
        matter,
        service: labelled.service,
        category: labelled.category,
        confidence: 1.0,
        threshold: 0.0,
        abstained: false,
        reasons: Vec::new(),
        features: Vec::new(),
    };
    let category = super::classify::category(desk, &fault);
    let alone = words.map(|words| Reading {
        texts: vec![SourceText { source: "text".to_owned(), text: words.to_owned() }],
        emergencies: Vec::new(),
        orders: Vec::new(),
        files: Vec::new(),
        language: reading.language,
        language_from: reading.language_from.clone(),
    });
    let found = owner::find(desk, alone.as_ref().unwrap_or(reading), category, &fault);
    Kind { matter, owner: Some(found.owner) }
}

/// The spans of a text's sentences, or of their parts.
fn pieces(text: &str, cut: Cut) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    let mut chars = text.char_indices().peekable();
    let mut ends = std::iter::from_fn(move || {
        loop {
            let (at, char) = chars.next()?;
            let blank = chars.peek().is_none_or(|(_, next)| next.is_whitespace());
            let ends = match char {
                '\n' | '?' | '!' => true,
                '.' => blank,
                ',' | ';' | ':' | '–' | '—' => blank && cut == Cut::Clauses,
                ' ' if cut == Cut::Clauses => JOINTS.iter().any(|joint| text[at + 1..].starts_with(joint)),
                _ => false,
            };
            if ends {
                return Some(at + char.len_utf8());
            }
        }
    });
    let mut done = false;
    std::iter::from_fn(move || {
        loop {
            if done {
                return None;
            }
            let end = ends.next().unwrap_or_else(|| {
                done = true;
                text.len()
            });
            let span = from..end;
            from = end;
            if !text[span.clone()].trim().is_empty() {
                return Some(span);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, cut: Cut) -> Vec<&str> {
        pieces(text, cut).map(|span| text[span].trim()).collect()
    }

    #[test]
    fn a_text_is_cut_at_its_sentences_or_their_parts() {
        let text = "Kuoppa rikkoi vanteen, korvatkaa 1.200,50 €.\n\nMilloin? klo 9.30 – kiitos ja hei";
        assert_eq!(
            parts(text, Cut::Sentences),
            ["Kuoppa rikkoi vanteen, korvatkaa 1.200,50 €.", "Milloin?", "klo 9.30 – kiitos ja hei"]
        );
        assert_eq!(
            parts(text, Cut::Clauses),
            ["Kuoppa rikkoi vanteen,", "korvatkaa 1.200,50 €.", "Milloin?", "klo 9.30 –", "kiitos", "ja hei"]
        );
        assert_eq!(parts("", Cut::Clauses), Vec::<&str>::new());
        assert_eq!(parts("…\u{301}é", Cut::Sentences), ["…\u{301}é"]);
    }

    #[test]
    fn pieces_lie_in_the_text_one_after_the_other() {
        for text in ["a. b, c", "ä–ö —å;;\r\n", "  ", "yksi ja kaksi", "x ja "] {
            let mut end = 0;
            for span in pieces(text, Cut::Clauses) {
                assert!(span.start >= end && text.is_char_boundary(span.end), "{text}");
                end = span.end;
            }
        }
    }

    #[test]
    fn faults_of_one_family_are_close() {
        assert!(are_close("LI1", "LI2") && are_close("EL1", "LI2") && are_close("CL1", "CL3"));
        assert!(!are_close("LI1", "CL3") && !are_close("RD1", "WA1"));
    }
}
