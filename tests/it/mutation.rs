//! The checks on trial: clean drafts of every sample, in Finnish and in Swedish, with one thing made wrong in each.
//!
//! A mutant is a draft as a slip of a program, of a person or of a model would leave it. Every one must be blocked by some
//! check (99 of 100 at least), and no clean draft may be blocked at all. `--nocapture` shows the matrix: what was made
//! wrong, how often, what blocked it, and each mutant that went through.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use jiff::{Timestamp, ToSpan as _};
use regex::Regex;
use serde_json::{Value, json};
use vireille::cases::{
    Appeal, AppealKind, CaseFile, Check, CheckResult, DraftContent, Euro, Language, Outcome, PartKind, Preparer,
    RuleOutcome, Submission,
};
use vireille::triage::Desk;

use crate::support::desk::*;

/// When they are drafted, or on the day after they came in where that is later.
const LATER: &str = "2026-06-01T09:00:00Z";

/// A clean draft with everything that its checks look at.
struct Clean {
    name: String,
    now: String,
    desk: Arc<Desk>,
    submission: Submission,
    file: CaseFile,
    content: DraftContent,
}

impl Clean {
    fn checks(&self, mut content: DraftContent) -> Vec<Check> {
        content.letter = DraftContent::render_letter(&content.parts);
        let at = circumstances(&self.now);
        self.desk.check(&self.submission, &self.file, &content, &Preparer::Engine, None, &at)
    }
}

/// Every sample of Harjuvesi as it is, and as somebody would send it in Swedish to Lillsund-Salmela.
fn clean_drafts() -> Vec<Clean> {
    let mut drafts = Vec::new();
    let mut files: Vec<_> =
        std::fs::read_dir(policies().join("harjuvesi/samples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let text = std::fs::read_to_string(path).unwrap();
        for (municipality, language) in [("harjuvesi", "fi"), ("lillsund-salmela", "sv")] {
            let mut sample: Value = serde_json::from_str(&text).unwrap();
            sample["municipality"] = municipality.into();
            if sample["fields"].get("language").is_some() {
                sample["fields"]["language"] = language.into();
            }
            if let Some(party) = sample.get_mut("party").filter(|party| party.is_object()) {
                party["language"] = language.into();
            }
            for attachment in sample["attachments"].as_array_mut().into_iter().flatten() {
                let name = attachment.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
                *attachment = json!({ "name": name, "media_type": "text/plain", "content": "TGlpdGU=" });
            }
            let submission = submission(&sample);
            let desk = Arc::clone(TRIAGE.desk(&municipality.parse().unwrap()).unwrap());
            let now = LATER.parse::<Timestamp>().unwrap().max(submission.received_at + 24.hours()).to_string();
            let (file, proposal) = triage_on(&desk, &submission, &now);
            let name = format!("{} {language}", path.file_stem().unwrap().display());
            drafts.push(Clean { name, now, desk, submission, file, content: proposal.content });
        }
    }
    drafts
}

static SUM: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d[\d\u{a0}]*,\d\d\u{a0}€").unwrap());
static DAY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{1,2}\.\d{1,2}\.20\d\d\b").unwrap());
static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{2,6}\b").unwrap());

/// One mutant, or none where the draft has nothing to make wrong so.
type Mutate = fn(&Clean) -> Vec<DraftContent>;

/// A text with one match at a time replaced.
fn each(text: &str, pattern: &Regex, other: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let found = pattern.find_iter(text);
    found
        .filter_map(|found| {
            Some(format!("{}{}{}", &text[..found.start()], other(found.as_str())?, &text[found.end()..]))
        })
        .filter(|mutant| mutant != text)
        .take(4)
        .collect()
}

/// Mutants of the texts of some parts.
fn in_parts(clean: &Clean, kinds: &[PartKind], mutants: impl Fn(&str) -> Vec<String>) -> Vec<DraftContent> {
    let mut all = Vec::new();
    for (n, part) in clean.content.parts.iter().enumerate().filter(|(_, part)| kinds.contains(&part.kind)) {
        for text in mutants(&part.text) {
            let mut content = clean.content.clone();
            content.parts[n].text = text;
            all.push(content);
        }
    }
    all
}

/// The draft with words behind the first part that people may edit.
fn with(clean: &Clean, words: &str) -> Vec<DraftContent> {
    // What the sender wrote stands in the matter, in whatever language.
    let kinds = [PartKind::Conditions, PartKind::Contact];
    let part = kinds.iter().find_map(|kind| clean.content.parts.iter().position(|part| part.kind == *kind));
    part.into_iter()
        .map(|n| {
            let mut content = clean.content.clone();
            content.parts[n].text.push_str(words);
            content
        })
        .collect()
}

fn changed(clean: &Clean, change: impl FnOnce(&mut DraftContent) -> Option<()>) -> Vec<DraftContent> {
    let mut content = clean.content.clone();
    let fits = change(&mut content).is_some() && content != clean.content;
    if fits { vec![content] } else { Vec::new() }
}

/// Another figure of the same length.
fn another_digit(text: &str) -> Option<String> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let digit = text[at..].chars().next()?.to_digit(10)?;
    let other = if digit == 9 { 3 } else { digit + 1 };
    Some(format!("{}{other}{}", &text[..at], &text[at + 1..]))
}

fn another_day(text: &str) -> Option<String> {
    let mut parts = text.split('.').map(|part| part.parse::<i16>().ok());
    let (day, month, year) = (parts.next()??, parts.next()??, parts.next()??);
    let date = jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let other = date.checked_add(37.days()).ok()?;
    Some(format!("{}.{}.{}", other.day(), other.month(), other.year()))
}

/// Parts whose figures and days are worked out.
const WORKED_OUT: [PartKind; 7] = [
    PartKind::Operative,
    PartKind::Reasons,
    PartKind::Facts,
    PartKind::Calculation,
    PartKind::Conditions,
    PartKind::Deadline,
    PartKind::Matter,
];

#[rustfmt::skip]
const MUTATIONS: &[(&str, Mutate)] = &[
    ("amount in the data", |c| changed(c, |d| { d.amount = Some(Euro::from_cents(d.amount?.cents() + 100)); Some(()) })),
    ("amount taken away", |c| changed(c, |d| d.amount.take().map(drop))),
    ("amount in the words", |c| in_parts(c, &WORKED_OUT, |text| each(text, &SUM, another_digit))),
    ("sum added", |c| with(c, " Lisäksi maksetaan 300,00\u{a0}€.")),
    ("date in the words", |c| in_parts(c, &WORKED_OUT, |text| each(text, &DAY, another_day))),
    ("date added", |c| with(c, " Asia ratkaistaan 17.8.2031.")),
    ("deadline in the data", |c| changed(c, |d| { d.deadline = d.deadline?.checked_add(9.days()).ok(); Some(()) })),
    ("section", |c| changed(c, |d| { d.reasons.first_mut()?.citations.first_mut()?.section = "s998".parse().ok()?; Some(()) })),
    ("section of a statute", |c| changed(c, |d| { d.provisions.first_mut()?.section = "s998".parse().ok()?; Some(()) })),
    ("version", |c| changed(c, |d| { let at = d.reasons.first_mut()?.citations.first_mut()?; at.version = at.version.checked_sub(400.days()).ok()?; Some(()) })),
    ("version of a statute", |c| changed(c, |d| { let at = d.provisions.first_mut()?; at.version = at.version.checked_sub(400.days()).ok()?; Some(()) })),
    ("quote, one letter", |c| changed(c, |d| { let quote = &mut d.reasons.first_mut()?.citations.first_mut()?.quote; *quote = quote.replacen(['a', 'e'], "o", 1); Some(()) })),
    ("quote, another sentence", |c| changed(c, |d| { "Kunta voi tehdä toisin.".clone_into(&mut d.reasons.first_mut()?.citations.first_mut()?.quote); Some(()) })),
    ("quote of a statute", |c| changed(c, |d| { d.provisions.first_mut()?.quote.push_str(" Aina."); Some(()) })),
    ("reason without provision", |c| changed(c, |d| { d.reasons.first_mut()?.citations.clear(); Some(()) })),
    ("reason without evidence", |c| changed(c, |d| { d.reasons.first_mut()?.evidence.clear(); Some(()) })),
    ("name added", |c| with(c, " Asian vahvisti eilen Kekkonen.")),
    ("place added", |c| with(c, " Asia koskee Rovaniemeä.")),
    ("appeal of another kind", |c| changed(c, |d| { let kind = &mut appeal(d)?.kind; *kind = if *kind == AppealKind::B { AppealKind::A } else { AppealKind::B }; Some(()) })),
    ("appeal taken away", |c| changed(c, |d| { appeal(d)?; d.parts.retain(|part| part.kind != PartKind::Appeal); Some(()) })),
    ("appeal, words", |c| in_parts(c, &[PartKind::Appeal], |text| vec![format!("{text}\nVaatimus ei ole maksuton.")])),
    ("appeal, days in the data", |c| changed(c, |d| { let days = appeal(d)?.days.as_mut()?; *days = if *days == 14 { 30 } else { 14 }; Some(()) })),
    ("appeal, days in the words", |c| in_parts(c, &[PartKind::Appeal], |text| each(text, &NUMBER, |days| (days == "14" || days == "30").then(|| "21".to_owned())))),
    ("appeal added to a letter that prepares", |c| changed(c, |d| { if d.is_decision() { return None; } d.appeal = Appeal { kind: AppealKind::A, addressee: Some("kunnanhallitukselle".to_owned()), days: Some(14) }; Some(()) })),
    ("addressee in the data", |c| changed(c, |d| { "valtuustolle".clone_into(appeal(d)?.addressee.as_mut()?); Some(()) })),
    ("addressee in the words", |c| { let to = c.content.appeal.addressee.clone().unwrap_or_default(); in_parts(c, &[PartKind::Appeal], |text| if to.is_empty() { vec![] } else { vec![text.replace(&to, "valtuustolle")] }) }),
    ("decider", |c| changed(c, |d| { d.decider.as_mut()?.id = "nobody".parse().ok()?; Some(()) })),
    ("decider taken away", |c| changed(c, |d| { if !d.is_decision() { return None; } d.decider.take().map(drop) })),
    ("language", |c| changed(c, |d| { d.language = if d.language == Language::Sv { Language::Fi } else { Language::Sv }; Some(()) })),
    ("paragraph in another language", |c| with(c, if c.content.language == Language::Fi {
        "\n\nUnderstödet betalas till väglagets konto när beslutet har vunnit laga kraft och räkningen är granskad av kommunen."
    } else {
        "\n\nAvustus maksetaan tiekunnan tilille, kun päätös on saanut lainvoiman ja kunta on tarkastanut tositteet huolellisesti."
    })),
    ("number invented", |c| with(c, " Niitä on 4711 kappaletta.")),
    ("number in the words", |c| in_parts(c, &[PartKind::Reasons, PartKind::Calculation, PartKind::Facts], |text| each(text, &NUMBER, |_| Some("7919".to_owned())))),
    ("identity code leaked", |c| with(c, " Tunnus on 010190-999Y.")),
    ("account leaked", |c| with(c, " Tili on FI21 1234 5600 0007 85.")),
    ("telephone leaked", |c| with(c, " Puhelin on 040 123 4567.")),
    ("operative part, more granted", |c| in_parts(c, &[PartKind::Operative], |text| if c.content.is_decision() { vec![format!("{text} Tämän lisäksi maksetaan viisituhatta euroa.")] } else { vec![] })),
    ("operative part taken away", |c| changed(c, |d| { if !d.is_decision() { return None; } d.parts.retain(|part| part.kind != PartKind::Operative); Some(()) })),
    ("question left out", |c| in_parts(c, &[PartKind::Questions], |text| vec![text.lines().skip(1).collect::<Vec<_>>().join("\n")])),
];

fn appeal(content: &mut DraftContent) -> Option<&mut Appeal> {
    (content.appeal.kind != AppealKind::None).then_some(&mut content.appeal)
}

#[test]
fn a_mutant_is_blocked_and_a_clean_draft_is_not() {
    let mut drafts = clean_drafts();
    // What waits for a person's ruling or for a round is blocked until then: no clean draft yet.
    let all = drafts.len();
    drafts.retain(|draft| {
        draft.file.assessment.as_ref().is_none_or(|assessment| {
            assessment.outcome != Outcome::Pending
                && !assessment.rules.iter().any(|rule| rule.outcome == RuleOutcome::Discretion)
        })
    });
    println!("{} of {all} drafts wait for a ruling or a round and are left out", all - drafts.len());
    let kinds: BTreeMap<String, usize> = drafts.iter().fold(BTreeMap::new(), |mut kinds, draft| {
        *kinds.entry(draft.content.kind.to_string()).or_default() += 1;
        kinds
    });
    let mut false_blocks = Vec::new();
    for clean in &drafts {
        let checks = clean.checks(clean.content.clone());
        let blocked = checks.iter().filter(|check| check.blocks());
        false_blocks.extend(blocked.map(|check| format!("{}: {} {}", clean.name, check.id, check.detail)));
    }
    let mut matrix = String::new();
    let (mut tried_all, mut caught_all, mut missed) = (0, 0, Vec::new());
    for (what, mutate) in MUTATIONS {
        let (mut tried, mut caught) = (0, 0);
        let mut by: BTreeMap<String, usize> = BTreeMap::new();
        for clean in &drafts {
            for mutant in mutate(clean) {
                tried += 1;
                let checks = clean.checks(mutant.clone());
                let blocked: Vec<&Check> = checks.iter().filter(|check| check.blocks()).collect();
                caught += usize::from(!blocked.is_empty());
                for check in &blocked {
                    *by.entry(check.id.to_string()).or_default() += 1;
                }
                if blocked.is_empty() {
                    let warned = checks.iter().filter(|check| check.result == CheckResult::Fail).map(|check| check.id);
                    missed.push(format!("{what}: {} (warned: {:?})", clean.name, warned.collect::<Vec<_>>()));
                }
            }
        }
        assert!(tried > 0, "`{what}` fits no draft: it proves nothing");
        let by: Vec<String> = by.iter().map(|(check, times)| format!("{check} {times}")).collect();
        writeln!(matrix, "{what:<42} {caught:>5} of {tried:<5} {}", by.join(", ")).unwrap();
        tried_all += tried;
        caught_all += caught;
    }
    println!("{} clean drafts: {kinds:?}\n\n{matrix}\n{caught_all} of {tried_all} mutants blocked", drafts.len());
    println!("{}", missed.join("\n"));
    assert_eq!(false_blocks, Vec::<String>::new(), "clean drafts that are blocked");
    assert!(drafts.len() >= 30 && tried_all > 500, "{} drafts, {tried_all} mutants", drafts.len());
    assert!(
        caught_all * 100 >= tried_all * 99,
        "{caught_all} of {tried_all} blocked; went through:\n{}",
        missed.join("\n")
    );
}
