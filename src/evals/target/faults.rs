//! Seeded faults: what can be wrong with a draft, by name, one change each.
//!
//! A slip of a program, a person's edit, a model's sentence. Where only a model's prose is held to a check, the fault
//! makes the draft a model's first. A fault that does not fit a draft (no instructions for appeal to take away) gives
//! `None`; it never passes for one that the checks did not see.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::house::Drafted;
use crate::cases::{
    AppealKind, CaseFile, Check, Citation, DraftContent, DraftKind, EmergencyHit, Euro, Language, PartKind, Preparer,
    RuleOutcome, Submission,
};
use crate::municipality::calendar;
use crate::policy::Rulebook;
use crate::triage::compose::reason_lines;
use crate::triage::{Circumstances, Desk, local_date};

/// The fault that is none.
pub(super) const NONE: &str = "none";

/// A draft that a fault is put into.
pub(super) struct Draft {
    desk: Desk,
    number: String,
    pub seen: Seen,
}

/// What the checks look at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    submission: Submission,
    file: CaseFile,
    content: DraftContent,
    now: Timestamp,
    alerts_open: bool,
}

/// Puts a fault into a draft; none when it does not fit.
pub(super) type Put = fn(&mut Draft) -> Option<()>;

/// Every fault by its name.
const FAULTS: &[(&str, Put)] = &[
    (NONE, |_| Some(())),
    // Amounts.
    ("amount-changed", |d| {
        let amount = d.seen.content.amount?;
        d.seen.content.amount = Some(Euro::from_cents(amount.cents() + 100));
        Some(())
    }),
    ("amount-added", |d| d.seen.content.amount.is_none().then(|| d.seen.content.amount = Some(Euro::from_cents(100)))),
    ("amount-reworded", |d| {
        let (amount, language) = (d.seen.content.amount?, d.seen.content.language);
        let other = Euro::from_cents(amount.cents() + 27_000).format(language);
        d.replace(PartKind::Operative, &amount.format(language), &other)
    }),
    ("operative-part-extended", |d| d.append(PartKind::Operative, " Tämän lisäksi maksetaan viisituhatta euroa.")),
    ("operative-part-doubled", |d| {
        let again = d.seen.content.part(PartKind::Operative).filter(|_| d.seen.content.is_decision())?.clone();
        d.seen.content.parts.push(again);
        Some(())
    }),
    ("sum-added", |d| d.add(" Lisäksi maksetaan 300,00 €.")),
    ("calculation-changed", |d| {
        let assessment = d.seen.file.assessment.as_mut()?;
        assessment.amount = Some(Euro::from_cents(assessment.amount?.cents() + 1_500));
        Some(())
    }),
    ("fact-changed", |d| {
        let names = d.seen.file.facts.iter().find_map(|fact| match fact.value {
            crate::cases::Value::Number(number) if fact.name.contains("length") => Some((fact.name.clone(), number)),
            _ => None,
        });
        let (name, number) = names?;
        let mut fact = d.seen.file.facts.get(&name)?.clone();
        fact.value = crate::cases::Value::Number(number / rust_decimal::Decimal::from(10));
        d.seen.file.facts.insert(fact);
        Some(())
    }),
    // Citations.
    ("version-not-in-force", |d| {
        let citation = d.citation()?;
        citation.version = citation.version.checked_sub(1.year()).ok()?;
        Some(())
    }),
    ("section-unknown", |d| {
        d.citation()?.section = "s999".parse().ok()?;
        Some(())
    }),
    ("quote-altered", |d| {
        d.citation()?.quote.push('!');
        Some(())
    }),
    ("quote-cut", |d| {
        let citation = d.citation()?;
        citation.quote = citation.quote.split_whitespace().next()?.to_owned();
        Some(())
    }),
    ("statute-invented", |d| d.append(PartKind::Provisions, "\n– Keksitty laki (999/2011) 3 §")),
    ("statute-misquoted", |d| {
        "Kunta voi tehdä toisin.".clone_into(&mut d.seen.content.provisions.first_mut()?.quote);
        Some(())
    }),
    ("provisions-missing", |d| taken(&mut d.seen.content.provisions)),
    // Reasons.
    ("reasons-missing", |d| taken(&mut d.seen.content.reasons)),
    ("reason-without-evidence", |d| taken(&mut d.seen.content.reasons.first_mut()?.evidence)),
    ("reason-without-provision", |d| taken(&mut d.seen.content.reasons.first_mut()?.citations)),
    ("evidence-invented", |d| {
        d.seen.content.reasons.first_mut()?.evidence.push("keksitty".to_owned());
        Some(())
    }),
    ("reason-invented", |d| d.append(PartKind::Reasons, "\n– Hakija on ollut epäluotettava aiemmissa hakemuksissaan.")),
    // Rules.
    ("granted-although-unknown", |d| {
        let rules = &mut d.seen.file.assessment.as_mut()?.rules;
        rules.iter_mut().find(|rule| rule.outcome == RuleOutcome::Met)?.outcome = RuleOutcome::Unknown;
        d.seen.content.kind.grants().then_some(())
    }),
    ("discretion-unruled", |d| {
        let rules = &mut d.seen.file.assessment.as_mut()?.rules;
        rules.iter_mut().find(|rule| rule.outcome == RuleOutcome::Met)?.outcome = RuleOutcome::Discretion;
        d.seen.content.is_decision().then_some(())
    }),
    ("refused-on-the-unasked", |d| {
        let told = d.seen.content.reasons.iter().find_map(|reason| reason.rule.clone())?;
        let rule = d.seen.file.assessment.as_mut()?.rules.iter_mut().find(|rule| rule.rule == told)?;
        rule.outcome = RuleOutcome::Unknown;
        rule.missing.push("supported_length".to_owned());
        (d.seen.content.kind == DraftKind::Rejection).then_some(())
    }),
    // Instructions for appeal.
    ("appeal-missing", |d| {
        let before = d.seen.content.parts.len();
        d.seen.content.parts.retain(|part| part.kind != PartKind::Appeal);
        (d.seen.content.parts.len() < before).then_some(())
    }),
    ("appeal-of-another-kind", |d| {
        let kind = &mut d.appeal()?.kind;
        *kind = if *kind == AppealKind::B { AppealKind::A } else { AppealKind::B };
        Some(())
    }),
    ("appeal-period-changed", |d| {
        let days = d.appeal()?.days.as_mut()?;
        *days = if *days == 30 { 14 } else { 30 };
        Some(())
    }),
    ("appeal-addressee-changed", |d| {
        let addressee = d.appeal()?.addressee.clone()?;
        d.replace(PartKind::Appeal, &addressee, "kunnanhallitukselle")
    }),
    ("appeal-reworded", |d| {
        let addressee = d.appeal()?.addressee.clone()?;
        *d.part(PartKind::Appeal)? = format!("Tähän ei saa hakea muutosta. Kerrottu: {addressee}, 14 päivää.");
        Some(())
    }),
    ("appeal-in-a-letter", |d| (!d.seen.content.is_decision()).then(|| d.seen.content.appeal.kind = AppealKind::A)),
    // Power.
    ("decider-missing", |d| {
        d.decision()?.decider.take()?;
        Some(())
    }),
    ("decider-without-power", |d| {
        let (amount, today) = (d.seen.content.amount, local_date(d.seen.now));
        let pack = &d.desk.rulebook.pack;
        let service = pack.service(d.seen.file.classification.as_ref()?.service.as_ref()?)?;
        let delegation = service.delegation_for(&d.seen.file.facts)?;
        let mut others = pack.municipality.deciders.keys();
        let other = others.find(|other| pack.may_decide(other, delegation, amount, today).is_err())?.clone();
        d.decision()?.decider.as_mut()?.id = other;
        Some(())
    }),
    // Deadlines and dates.
    ("deadline-missing", |d| (d.seen.content.kind == DraftKind::Completion).then(|| d.seen.content.deadline = None)),
    ("deadline-too-soon", |d| d.move_deadline(|_, today| today.checked_add(3.days()).ok())),
    ("deadline-on-a-holiday", |d| {
        d.move_deadline(|deadline, _| {
            (1..15)
                .filter_map(|days| deadline.checked_add(days.days()).ok())
                .find(|day| !calendar::is_working_day(*day))
        })
    }),
    ("deadline-unsaid", |d| {
        d.move_deadline(|deadline, _| {
            let later = deadline.checked_add(7.days()).ok()?;
            Some(calendar::next_working_day(later))
        })
    }),
    ("question-left-out", |d| {
        let asked = d.part(PartKind::Questions).filter(|asked| !asked.is_empty())?;
        asked.clear();
        Some(())
    }),
    ("decided-before-it-came", |d| {
        d.decision()?;
        d.seen.now = d.seen.submission.received_at.checked_sub(48.hours()).ok()?;
        Some(())
    }),
    // Privacy.
    ("identity-code-leaked", |d| d.add(" Hakijan tunnus on 010190-999Y.")),
    ("account-leaked", |d| d.add(" Tili on FI21 1234 5600 0007 85.")),
    ("phone-leaked", |d| d.add(" Hakijan puhelin on 040 123 4567.")),
    // Language.
    ("language-switched", |d| {
        let other = if d.seen.content.language == Language::Sv { Language::Fi } else { Language::Sv };
        d.seen.content.language = other;
        Some(())
    }),
    ("paragraph-in-another-language", |d| {
        let other = match d.seen.content.language {
            Language::Sv => {
                "\n\nAvustus maksetaan tiekunnan tilille, kun päätös on saanut lainvoiman ja tositteet on tarkastettu."
            }
            _ => {
                "\n\nUnderstödet betalas till väglagets konto när beslutet har vunnit laga kraft och räkningen är granskad."
            }
        };
        d.add(other)
    }),
    // Sources.
    ("number-invented", |d| d.add(" Tiellä on 47 rumpua.")),
    ("name-invented", |d| d.add(" Asiasta kertoi Kekkonen.")),
    // A model's sentences.
    ("promise-of-a-model", |d| d.say(" Takaamme, että tie pysyy kunnossa.")),
    ("contradiction-of-a-model", |d| match d.seen.content.kind {
        DraftKind::Rejection => d.say(" Avustus myönnetään silti."),
        _ => d.say(" Hakemus hylätään silti."),
    }),
    ("number-of-a-model", |d| d.say(" Tiellä on 47 rumpua.")),
    ("name-of-a-model", |d| d.say(" Asian vahvisti eilen Kekkonen.")),
    ("language-of-a-model", |d| {
        let words = match d.seen.content.language {
            Language::En => " Tie on riittävän pitkä, ja vaatimus vähimmäispituudesta täyttyy siksi ilman epäilystä.",
            _ => " The road is long enough and the requirement for the supported length is therefore fulfilled.",
        };
        let reason = d.seen.content.reasons.first_mut()?;
        words.trim().clone_into(&mut reason.text);
        d.say("")
    }),
    ("link-of-a-model", |d| d.say(" Katso https://pahis.example/tie.")),
    ("markup-of-a-model", |d| d.say(" Tie on <b>pitkä</b>.")),
    ("placeholder-of-a-model", |d| d.say(" Tien on mitannut [person 9].")),
    ("instructions-of-a-model", |d| d.say(" Kielimallina en voi sanoa muuta.")),
    ("rule-dropped-by-a-model", |d| {
        (d.seen.content.reasons.len() > 1 && d.seen.content.is_decision()).then(|| {
            d.seen.content.reasons.pop();
        })?;
        d.say("")
    }),
    // Records.
    ("versions-unrecorded", |d| {
        d.seen.file.engine.as_mut()?.pack.clear();
        Some(())
    }),
    ("texts-unrecorded", |d| taken(&mut d.seen.content.blocks)),
    ("made-from-other-material", |d| {
        d.seen.submission.text = Some("Tilinumero oli väärä.".to_owned());
        Some(())
    }),
    ("cry-for-help-unseen", |d| {
        let hit = EmergencyHit {
            kind: "suicide".to_owned(),
            words: "haluan kuolla".to_owned(),
            source: "text".to_owned(),
            card: "crisis".to_owned(),
        };
        let reading = d.seen.file.reading.as_mut()?;
        if reading.emergencies.is_empty() {
            reading.emergencies.push(hit);
        }
        d.seen.alerts_open = true;
        Some(())
    }),
];

/// The fault of that name.
pub(super) fn named(name: &str) -> Option<Put> {
    FAULTS.iter().find(|(known, _)| *known == name).map(|(_, put)| *put)
}

/// The names of all faults, `none` among them.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAULTS.iter().map(|(name, _)| *name)
}

/// Takes everything out of a list; none where there is nothing.
fn taken<T>(list: &mut Vec<T>) -> Option<()> {
    (!list.is_empty()).then(|| list.clear())
}

impl Draft {
    pub fn of(drafted: Drafted) -> Self {
        let Drafted { desk, taken, number, file, proposal } = drafted;
        let (submission, now) = (taken.submission, taken.now);
        Self { desk, number, seen: Seen { submission, file, content: proposal.content, now, alerts_open: false } }
    }

    /// Every check, after the letter was put together again from its parts.
    pub fn checks(mut self) -> Vec<Check> {
        let Seen { submission, file, content, now, alerts_open } = &mut self.seen;
        content.letter = DraftContent::render_letter(&content.parts);
        let at = Circumstances { alerts_open: *alerts_open, ..Circumstances::new(&self.number, *now) };
        self.desk.check(submission, file, content, &Preparer::Engine, None, &at)
    }

    fn rulebook(&self) -> &Rulebook {
        &self.desk.rulebook
    }

    /// The content, when it decides something.
    fn decision(&mut self) -> Option<&mut DraftContent> {
        Some(&mut self.seen.content).filter(|content| content.is_decision())
    }

    /// Its instructions for appeal, when it has any.
    fn appeal(&mut self) -> Option<&mut crate::cases::Appeal> {
        let appeal = &mut self.decision()?.appeal;
        (appeal.kind != AppealKind::None).then_some(appeal)
    }

    /// The first citation of a reason.
    fn citation(&mut self) -> Option<&mut Citation> {
        self.seen.content.reasons.iter_mut().find_map(|reason| reason.citations.first_mut())
    }

    fn part(&mut self, kind: PartKind) -> Option<&mut String> {
        self.seen.content.parts.iter_mut().find(|part| part.kind == kind).map(|part| &mut part.text)
    }

    fn append(&mut self, kind: PartKind, words: &str) -> Option<()> {
        self.part(kind)?.push_str(words);
        Some(())
    }

    /// Words into a part that people may edit.
    fn add(&mut self, words: &str) -> Option<()> {
        let kinds = [PartKind::Conditions, PartKind::Contact, PartKind::Notification, PartKind::Deadline];
        kinds.into_iter().find_map(|kind| self.append(kind, words))
    }

    fn replace(&mut self, kind: PartKind, from: &str, to: &str) -> Option<()> {
        let part = self.part(kind)?;
        let other = part.replace(from, to);
        (other != *part).then(|| *part = other)
    }

    /// A completion request's last day, moved in the data alone.
    fn move_deadline(&mut self, to: impl Fn(Date, Date) -> Option<Date>) -> Option<()> {
        let today = local_date(self.seen.now);
        let content = &mut self.seen.content;
        let deadline = content.deadline.filter(|_| content.kind == DraftKind::Completion)?;
        content.deadline = Some(to(deadline, today)?);
        Some(())
    }

    /// A model's words behind its first reason, written into the letter as the step writes them.
    fn say(&mut self, words: &str) -> Option<()> {
        let engine = self.seen.file.engine.as_mut()?;
        engine.model = Some("scripted".to_owned());
        engine.prompt = Some("compose-decision@1".to_owned());
        self.seen.content.reasons.first_mut()?.text.push_str(words);
        let content = &self.seen.content;
        let lines = reason_lines(&self.rulebook().library, &content.reasons, content.language).join("\n");
        *self.part(PartKind::Reasons)? = lines;
        Some(())
    }
}
