//! The rules of one document version on the facts of one case: a complete trace, the outcome, the amount.
//!
//! Pure and total: the same document, facts and rulings give the same assessment, and no input makes it
//! fail. A missing fact never gives `not_met`: it gives `unknown`, and a question. What cannot be reckoned
//! exactly is unknown too. Officers' reasons are templates that see values worked out here, never a
//! stranger's text as a template.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use minijinja::Value as Shown;
use rust_decimal::Decimal;

use super::document::{Document, Rule, Step, kind_of_fact, template_name};
use super::expression::{Expression, Gap, Kind, Known, Name, Scalar, Space, day_number};
use crate::cases::{
    Assessment, CalculationStep, Effect, Euro, Fact, Facts, Language, Localized, Outcome, Question, RuleOutcome,
    RuleTrace, Ruling, Value, write_value,
};

/// Evaluates every rule and every step of `document` on `facts`.
///
/// A rule or step that does not speak of the case ([`Rule::only_when`]) is left out. A ruling stands in for a rule that came
/// out as discretion, and for nothing else. `open` are questions that are asked anyway, such as mandatory fields that were
/// left empty. The outcome, first that fits: a rule with effect inadmissible not met; one with effect rejection not met;
/// discretion without a ruling; an unknown rule, an unknown amount or an open question, which is pending where all that
/// lacks comes from a round; one with effect partial not met; granted.
#[must_use]
pub fn assess(
    document: &Document,
    facts: &Facts,
    rulings: &[Ruling],
    open: &[Question],
    governing_date: Date,
) -> Assessment {
    let mut known = Case { document, facts, steps: BTreeMap::new() };
    for step in &document.steps {
        let value = known.step(step);
        known.steps.insert(&step.name, value);
    }
    let shown = ShownByLanguage::new(&known);
    let speaking: Vec<&Rule> = document.rules.iter().filter(|rule| known.speaks(rule.only_when.as_ref())).collect();
    let rules: Vec<(RuleTrace, Option<Gap>)> = speaking.iter().map(|rule| known.rule(rule, rulings, &shown)).collect();
    // The step that gives the amount may speak of some cases only; others have none.
    let speaks = |name: &&String| {
        let step = document.steps.iter().find(|step| step.name == **name);
        step.is_none_or(|step| known.speaks(step.only_when.as_ref()))
    };
    let amount = document.amount.as_ref().filter(speaks).map(|name| known.amount(name));
    let outcome = outcome(document, &rules, amount.as_ref(), open);

    let mut questions = Questions { known: &known, asked: BTreeSet::new(), list: Vec::new() };
    if !matches!(outcome, Outcome::Rejected | Outcome::Inadmissible) {
        for (rule, (trace, gap)) in speaking.iter().zip(&rules) {
            if let Some(gap) = gap {
                questions.of_rule(rule, trace, gap);
            }
        }
        if let Some(Err(gap)) = &amount {
            questions.of_amount(gap);
        }
        questions.open(open);
    }
    let amount = match outcome {
        Outcome::Granted | Outcome::Partial | Outcome::Discretion => amount.and_then(Result::ok),
        _ => None,
    };
    Assessment {
        document: document.id.clone(),
        version: document.version(),
        governing_date,
        outcome,
        amount,
        questions: questions.list,
        calculation: document
            .steps
            .iter()
            .filter(|step| known.speaks(step.only_when.as_ref()))
            .map(|step| known.trace(step))
            .collect(),
        rules: rules.into_iter().map(|(trace, _)| trace).collect(),
    }
}

fn outcome(
    document: &Document,
    rules: &[(RuleTrace, Option<Gap>)],
    amount: Option<&Result<Euro, Gap>>,
    open: &[Question],
) -> Outcome {
    // Everything that is unknown waits for a round, and nothing has to be asked.
    let waits = |gap: &Gap| !gap.missing.is_empty() && gap.missing.iter().all(|fact| document.is_of_round(fact));
    let gaps = rules.iter().filter_map(|(_, gap)| gap.as_ref()).chain(amount.and_then(|amount| amount.as_ref().err()));
    let pending = open.is_empty() && gaps.into_iter().all(waits);
    let not_met = |effect| rules.iter().any(|(r, _)| r.outcome == RuleOutcome::NotMet && r.effect == effect);
    let any = |outcome| rules.iter().any(|(r, _)| r.outcome == outcome);
    if not_met(Effect::Inadmissible) {
        Outcome::Inadmissible
    } else if not_met(Effect::Rejection) {
        Outcome::Rejected
    } else if any(RuleOutcome::Discretion) {
        Outcome::Discretion
    } else if any(RuleOutcome::Unknown) || !open.is_empty() || amount.is_some_and(Result::is_err) {
        if pending { Outcome::Pending } else { Outcome::Incomplete }
    } else if not_met(Effect::Partial) {
        Outcome::Partial
    } else {
        Outcome::Granted
    }
}

struct Case<'a> {
    document: &'a Document,
    facts: &'a Facts,
    steps: BTreeMap<&'a str, Known>,
}

/// A value inside expressions: a date is its day number, a time its seconds, both since 1.1.1970.
fn scalar(value: &Value) -> Option<Scalar> {
    Some(match value {
        Value::Text(text) => Scalar::Text(text.clone()),
        Value::Number(number) => Scalar::Number(*number),
        Value::Money(euro) => Scalar::Number(euro.decimal()),
        Value::Date(date) => Scalar::Number(day_number(*date)),
        Value::Time(time) => {
            Scalar::Number(Decimal::try_from_i128_with_scale(time.as_nanosecond(), 9).ok()?.normalize())
        }
        Value::Flag(flag) => Scalar::Flag(*flag),
    })
}

impl<'a> Case<'a> {
    /// A fact whose type is the declared one; another type is as good as none.
    fn fact(&self, name: &str) -> Option<&'a Fact> {
        let declared = kind_of_fact(self.document.facts.get(name)?.kind);
        self.facts.get(name).filter(|fact| {
            declared
                == match &fact.value {
                    Value::Text(_) => Kind::Text,
                    Value::Number(_) | Value::Money(_) => Kind::Number,
                    Value::Date(_) => Kind::Date,
                    Value::Time(_) => Kind::Time,
                    Value::Flag(_) => Kind::Flag,
                }
        })
    }

    fn look_up(&self, name: &Name) -> Known {
        match name.space {
            Space::Facts => {
                self.fact(&name.name).and_then(|fact| scalar(&fact.value)).ok_or_else(|| Gap::missing(&name.name))
            }
            Space::Params => self
                .document
                .parameters
                .get(&name.name)
                .and_then(|parameter| scalar(&parameter.value))
                .ok_or_else(|| Gap::fault("an unknown parameter")),
            Space::Calc => {
                self.steps.get(name.name.as_str()).cloned().unwrap_or_else(|| Err(Gap::fault("an unknown step")))
            }
        }
    }

    fn step(&self, step: &Step) -> Known {
        let value = step.value(&|name| self.look_up(name))?;
        if self.document.amount.as_ref() == Some(&step.name) {
            let Scalar::Number(number) = value else { return Err(Gap::fault("an amount that is no number")) };
            if number.is_sign_negative() && !number.is_zero() {
                return Err(Gap::fault("an amount below zero"));
            }
            Euro::exact(number).map_err(|_| Gap::fault("an amount with a fraction of a cent"))?;
        }
        Ok(value)
    }

    fn amount(&self, name: &str) -> Result<Euro, Gap> {
        match self.steps.get(name) {
            Some(Ok(Scalar::Number(number))) => Euro::exact(*number).map_err(|_| Gap::fault("no exact amount")),
            Some(Err(gap)) => Err(gap.clone()),
            _ => Err(Gap::fault("no amount")),
        }
    }

    fn step_value(&self, step: &Step) -> Option<Value> {
        step.in_kind(self.steps.get(step.name.as_str())?.as_ref().ok()?)
    }

    fn trace(&self, step: &Step) -> CalculationStep {
        CalculationStep {
            name: step.name.clone(),
            label: step.label.clone(),
            expression: step.source(),
            value: self.step_value(step),
            unit: step.unit.clone(),
            hidden: step.hidden,
            section: self.document.reference(&step.section),
            inputs: self.facts_behind(step).into_iter().collect(),
        }
    }

    /// The facts that a step rests on, also through earlier steps.
    fn facts_behind(&self, step: &Step) -> BTreeSet<String> {
        let mut facts = BTreeSet::new();
        let mut todo: Vec<&Step> = vec![step];
        // Steps read earlier steps only: this ends.
        while let Some(step) = todo.pop() {
            facts.extend(step.reads.iter().filter(|n| n.space == Space::Facts).map(|n| n.name.clone()));
            let earlier = step.reads.iter().filter(|n| n.space == Space::Calc);
            todo.extend(earlier.filter_map(|n| self.document.steps.iter().find(|step| step.name == n.name)));
        }
        facts
    }

    /// Whether a rule or step speaks of this case. While that is not known it does: what tells it is then asked for.
    fn speaks(&self, only_when: Option<&Expression>) -> bool {
        only_when.is_none_or(|when| when.value(&|name| self.look_up(name)) != Ok(Scalar::Flag(false)))
    }

    /// The outcome by the conditions alone.
    fn decide(&self, rule: &Rule) -> Result<RuleOutcome, Gap> {
        if let Some(when) = &rule.only_when {
            when.value(&|name| self.look_up(name))?;
        }
        for (when, outcome) in &rule.cases {
            let holds = match when {
                None => true,
                Some(when) => match when.value(&|name| self.look_up(name))? {
                    Scalar::Flag(flag) => flag,
                    _ => return Err(Gap::fault("a condition that is no flag")),
                },
            };
            if holds {
                return Ok(*outcome);
            }
        }
        Ok(RuleOutcome::Met)
    }

    fn rule(&self, rule: &Rule, rulings: &[Ruling], shown: &ShownByLanguage) -> (RuleTrace, Option<Gap>) {
        let (mut outcome, gap) = match self.decide(rule) {
            // An officer wrote that this must be asked: the fact is there, and not good enough.
            Ok(RuleOutcome::Unknown) => (RuleOutcome::Unknown, Some(Gap::default())),
            Ok(outcome) => (outcome, None),
            Err(gap) => (RuleOutcome::Unknown, Some(gap)),
        };
        let mut ruled_by = None;
        if outcome == RuleOutcome::Discretion
            && let Some(ruling) = rulings
                .iter()
                .rev()
                .find(|r| r.rule == rule.id && matches!(r.outcome, RuleOutcome::Met | RuleOutcome::NotMet))
        {
            outcome = ruling.outcome;
            ruled_by = Some(ruling.actor.clone());
        }
        let read = |space: Space| rule.reads.iter().filter(move |name| name.space == space).map(|name| &name.name);
        let trace = RuleTrace {
            rule: rule.id.clone(),
            outcome,
            effect: rule.effect,
            section: self.document.reference(&rule.section),
            condition: rule.condition.clone(),
            inputs: read(Space::Facts).filter_map(|n| Some((n.clone(), self.fact(n)?.clone()))).collect(),
            parameters: rule.parameters(self.document).map(|(name, used)| (name.to_owned(), used.clone())).collect(),
            steps: self
                .document
                .steps
                .iter()
                .filter(|step| read(Space::Calc).any(|n| *n == step.name))
                .filter_map(|step| Some((step.name.clone(), self.step_value(step)?)))
                .collect(),
            missing: gap.iter().flat_map(|gap| gap.missing.iter().cloned()).collect(),
            reason: self.reason(rule, outcome, gap.as_ref(), shown),
            quote: rule.quote.clone(),
            ruled_by,
            hear_first: rule.hear_first,
        };
        (trace, gap)
    }

    fn reason(&self, rule: &Rule, outcome: RuleOutcome, gap: Option<&Gap>, shown: &ShownByLanguage) -> Localized {
        let in_words = |language: Language| -> Option<String> {
            let missing = gap.map(|gap| self.missing_in_words(rule, gap, language)).unwrap_or_default();
            if outcome == RuleOutcome::Unknown {
                return Some(unknown_reason(&missing, language));
            }
            let name = template_name(&rule.id, outcome, language);
            let template = self.document.templates.get_template(&name).ok()?;
            template.render(shown.context(language, missing)).ok()
        };
        Localized {
            fi: in_words(Language::Fi).unwrap_or_default(),
            sv: in_words(Language::Sv).unwrap_or_default(),
            en: in_words(Language::En),
        }
    }

    /// What is missing, in the words in which it is asked for; its name where nobody wrote any.
    fn missing_in_words(&self, rule: &Rule, gap: &Gap, language: Language) -> String {
        let words = |fact: &String| {
            let ask = self.document.facts.get(fact).and_then(|f| f.ask.as_ref());
            ask.map_or_else(|| fact.clone(), |ask| ask.get(language).to_owned())
        };
        let asked: Vec<&String> = rule.asks(gap).map_or_else(|| gap.missing.iter().collect(), |ask| vec![ask]);
        asked.into_iter().map(words).collect::<Vec<_>>().join(" ")
    }
}

impl Rule {
    /// The one fact to ask for, where the rule names it and it is what is missing, or where an officer wrote
    /// `outcome: unknown`.
    fn asks(&self, gap: &Gap) -> Option<&String> {
        self.ask.as_ref().filter(|ask| gap.missing.contains(*ask) || *gap == Gap::default())
    }
}

/// What stands in a reason for a value that nobody stated.
const fn not_known(language: Language) -> &'static str {
    match language {
        Language::Fi => "ei tiedossa",
        Language::Sv => "inte känt",
        Language::En => "not known",
    }
}

fn unknown_reason(missing: &str, language: Language) -> String {
    match (language, missing.is_empty()) {
        (Language::Fi, true) => "Laskelmaa ei voida tehdä annetuilla luvuilla.".to_owned(),
        (Language::Sv, true) => "Beräkningen kan inte göras med de uppgivna talen.".to_owned(),
        (Language::En, true) => "The calculation cannot be made with the numbers given.".to_owned(),
        (Language::Fi, false) => format!("Ratkaisu edellyttää lisätietoa: {missing}"),
        (Language::Sv, false) => format!("Avgörandet kräver ytterligare uppgifter: {missing}"),
        (Language::En, false) => format!("More information is needed: {missing}"),
    }
}

/// All values of the case in words, in the three languages: what a reason may show.
struct ShownByLanguage([(Language, Shown, Shown, Shown); 3]);

impl ShownByLanguage {
    fn new(case: &Case<'_>) -> Self {
        Self([Language::Fi, Language::Sv, Language::En].map(|language| {
            let unknown = || not_known(language).to_owned();
            let facts = case.document.facts.iter().map(|(name, declared)| {
                let value = case
                    .fact(name)
                    .map(|fact| write_value(&fact.value, fact.unit.as_deref().or(declared.unit.as_deref()), language));
                (name.clone(), value.unwrap_or_else(unknown))
            });
            let parameters = case
                .document
                .parameters
                .iter()
                .map(|(name, used)| (name.clone(), write_value(&used.value, used.unit.as_deref(), language)));
            let steps = case.document.steps.iter().map(|step| {
                let value = case.step_value(step).map(|value| write_value(&value, step.unit.as_deref(), language));
                (step.name.clone(), value.unwrap_or_else(unknown))
            });
            (language, named(facts), named(parameters), named(steps))
        }))
    }

    fn context(&self, language: Language, missing: String) -> Shown {
        let all = self.0.iter().find(|(l, ..)| *l == language);
        let Some((_, facts, params, calc)) = all else { return Shown::UNDEFINED };
        minijinja::context! { facts => facts, params => params, calc => calc, missing => missing }
    }
}

/// Values by name: what a template reads as `facts.x`.
fn named(values: impl Iterator<Item = (String, String)>) -> Shown {
    Shown::from_pairs(values)
}

/// The questions, each thing once.
struct Questions<'a> {
    known: &'a Case<'a>,
    asked: BTreeSet<String>,
    list: Vec<Question>,
}

impl Questions<'_> {
    fn of_rule(&mut self, rule: &Rule, trace: &RuleTrace, gap: &Gap) {
        let facts: Vec<String> =
            rule.asks(gap).map_or_else(|| self.to_ask(gap, rule.reads.iter()), |ask| vec![ask.clone()]);
        for fact in facts {
            if let Some(text) = self.text(&fact)
                && self.asked.insert(fact.clone())
            {
                self.list.push(Question {
                    about: fact,
                    text,
                    rule: Some(rule.id.clone()),
                    section: Some(trace.section.clone()),
                });
            }
        }
    }

    fn of_amount(&mut self, gap: &Gap) {
        let document = self.known.document;
        let step = document.steps.iter().find(|step| document.amount.as_ref() == Some(&step.name));
        let Some(step) = step else { return };
        for fact in self.to_ask(gap, step.reads.iter()) {
            if let Some(text) = self.text(&fact)
                && self.asked.insert(fact.clone())
            {
                let section = Some(document.reference(&step.section));
                self.list.push(Question { about: fact, text, rule: None, section });
            }
        }
    }

    fn open(&mut self, open: &[Question]) {
        for question in open {
            if self.asked.insert(question.about.clone()) {
                self.list.push(question.clone());
            }
        }
    }

    /// What is missing; where nothing is missing but the arithmetic failed, the facts that went into it.
    fn to_ask<'n>(&self, gap: &Gap, reads: impl Iterator<Item = &'n Name>) -> Vec<String> {
        if !gap.missing.is_empty() {
            return gap.missing.iter().cloned().collect();
        }
        let mut facts = BTreeSet::new();
        let mut todo: Vec<Name> = reads.cloned().collect();
        while let Some(name) = todo.pop() {
            match name.space {
                Space::Facts => {
                    facts.insert(name.name);
                }
                Space::Params => {}
                // Steps read earlier steps only: this ends.
                Space::Calc => todo.extend(
                    self.known
                        .document
                        .steps
                        .iter()
                        .filter(|s| s.name == name.name)
                        .flat_map(|s| s.reads.iter().cloned()),
                ),
            }
        }
        facts.into_iter().collect()
    }

    fn text(&self, fact: &str) -> Option<Localized> {
        self.known.document.facts.get(fact)?.ask.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::cases::Evidence;
    use crate::municipality::Faults;
    use crate::policy::document::{Written, join};

    /// The formula of the private-road rules of 2026, with a rule of every kind.
    const DOCUMENT: &str = r#"---
id: roads
title: Tiet
language: fi
adopted: {body: lautakunta, date: 2025-11-18, section: "§ 71"}
in_force: {from: 2026-01-01}
facts:
  length: {type: number, unit: m, ask: {fi: Pituus?, sv: Längd?}}
  households: {type: number, ask: {fi: Talot?, sv: Hus?}}
  through_route: {type: flag, ask: {fi: Läpikulku?, sv: Genomfart?}}
  costs: {type: money, ask: {fi: Kulut?, sv: Kostnader?}}
  refused: {type: money}
  kind: {type: text, ask: {fi: Laji?, sv: Slag?}}
  register_current: {type: flag, ask: {fi: Päivittäkää rekisteri., sv: Uppdatera registret.}}
  received_on: {type: date}
parameters:
  min_length: {value: 400, unit: m}
  last_day: {value: 2026-04-15}
  cap: {value: 6000, unit: EUR}
---
## 1 § Kaikki {#s1}

Teksti.

```rule
id: in-time
when: facts.received_on > params.last_day
outcome: not_met
effect: inadmissible
reasons: {met: {fi: "{{ facts.received_on }}", sv: b}, not_met: {fi: "{{ params.last_day }}", sv: b}}
quote: {fi: Teksti., sv: Teksti.}
```

```rule
id: min-length
when: facts.length < params.min_length
outcome: not_met
reasons: {met: {fi: "on {{ facts.length }}", sv: b}, not_met: {fi: a, sv: b}}
quote: {fi: Teksti., sv: Teksti.}
```

```rule
id: register
when: not facts.register_current
outcome: unknown
ask: register_current
reasons: {met: {fi: a, sv: b}, not_met: {fi: a, sv: b}}
quote: {fi: Teksti., sv: Teksti.}
```

```rule
id: kind
when: facts.kind not in ["maintenance", "snow"]
outcome: discretion
reasons: {met: {fi: a, sv: b}, not_met: {fi: a, sv: b}, discretion: {fi: "{{ facts.kind }}", sv: b}}
quote: {fi: Teksti., sv: Teksti.}
```

```rule
id: refused
when: facts.refused > 0
outcome: not_met
effect: partial
reasons: {met: {fi: a, sv: b}, not_met: {fi: "{{ facts.refused }}", sv: b}}
quote: {fi: Teksti., sv: Teksti.}
```

```calculation
steps:
  - {name: rate, label: {fi: a, sv: b}, value: "facts.households >= 3 or facts.through_route ? 1.10 : 0.80", unit: EUR/m}
  - {name: granted, label: {fi: a, sv: b}, value: "floor(min([0.60 * facts.costs, calc.rate * facts.length, params.cap]))", unit: EUR}
amount: granted
```
"#;

    fn document() -> Document {
        let mut faults = Faults::new();
        let path = Path::new("roads@2026-01-01.fi.md");
        let written = Written::parse(path, DOCUMENT.to_owned(), &mut faults).expect("it reads");
        let document = join(&written, &[], &mut faults);
        assert!(faults.is_empty(), "{faults}");
        document
    }

    fn fact(name: &str, value: Value) -> Fact {
        Fact { name: name.to_owned(), value, unit: None, evidence: Evidence::Form { field: name.to_owned() } }
    }

    fn complete() -> Facts {
        vec![
            fact("length", Value::Number(Decimal::from(2350))),
            fact("households", Value::Number(Decimal::from(5))),
            fact("through_route", Value::Flag(false)),
            fact("costs", Value::Money("6120.40".parse().unwrap())),
            fact("refused", Value::Money(Euro::ZERO)),
            fact("kind", Value::Text("maintenance".to_owned())),
            fact("register_current", Value::Flag(true)),
            fact("received_on", Value::Date("2026-04-15".parse().unwrap())),
        ]
        .into()
    }

    fn with(name: &str, value: Value) -> Facts {
        let mut facts = complete();
        facts.insert(fact(name, value));
        facts
    }

    fn of(facts: &Facts) -> Assessment {
        assess(&document(), facts, &[], &[], "2026-04-15".parse().unwrap())
    }

    #[test]
    fn a_complete_case_is_granted() {
        let got = of(&complete());
        assert_eq!((got.outcome, got.amount), (Outcome::Granted, Some("2585.00".parse().unwrap())));
        assert_eq!(got.rules[0].reason.fi, "15.4.2026");
        assert_eq!(got.rules[0].parameters["last_day"].value, Value::Date("2026-04-15".parse().unwrap()));
        assert_eq!(got.calculation[1].value, Some(Value::Money("2585.00".parse().unwrap())));
        assert_eq!(got.calculation[0].inputs, ["households", "through_route"]);
    }

    #[test]
    fn the_first_outcome_that_fits_is_taken() {
        let money = |text: &str| Value::Money(text.parse().unwrap());
        let text = |text: &str| Value::Text(text.to_owned());
        let late = Value::Date("2026-04-16".parse().unwrap());
        assert_eq!(of(&with("refused", money("10.00"))).outcome, Outcome::Partial);
        assert_eq!(of(&with("kind", text("bridge"))).outcome, Outcome::Discretion);
        let mut facts = with("length", Value::Number(Decimal::from(10)));
        assert_eq!(of(&facts).outcome, Outcome::Rejected);
        facts.remove("kind");
        let rejected = of(&facts);
        assert_eq!((rejected.outcome, rejected.questions.len()), (Outcome::Rejected, 0), "nothing is asked in vain");
        facts.insert(fact("received_on", late));
        assert_eq!(of(&facts).outcome, Outcome::Inadmissible);
    }

    #[test]
    fn what_an_officer_wrote_as_unknown_is_asked() {
        let got = of(&with("register_current", Value::Flag(false)));
        assert_eq!(got.outcome, Outcome::Incomplete);
        assert_eq!(got.questions.len(), 1);
        assert_eq!(got.questions[0].text.sv, "Uppdatera registret.");
        assert_eq!(got.rules[2].reason.fi, "Ratkaisu edellyttää lisätietoa: Päivittäkää rekisteri.");
    }

    #[test]
    fn an_open_question_keeps_a_case_open_and_is_asked_once() {
        let open = |about: &str| Question {
            about: about.to_owned(),
            text: Localized { fi: "?".to_owned(), sv: "?".to_owned(), en: None },
            rule: None,
            section: None,
        };
        let mut facts = complete();
        facts.remove("length");
        let questions = [open("length"), open("minutes")];
        let got = assess(&document(), &facts, &[], &questions, "2026-04-15".parse().unwrap());
        let asked: Vec<_> = got.questions.iter().map(|q| (q.about.as_str(), q.rule.is_some())).collect();
        assert_eq!(asked, [("length", true), ("minutes", false)]);
        assert_eq!(
            assess(&document(), &complete(), &[], &[open("minutes")], "2026-04-15".parse().unwrap()).outcome,
            Outcome::Incomplete
        );
    }

    #[test]
    fn a_fact_of_another_type_is_as_good_as_none() {
        let got = of(&with("length", Value::Text("0".to_owned())));
        assert_eq!(
            (got.outcome, got.rules[1].missing.as_slice()),
            (Outcome::Incomplete, ["length".to_owned()].as_slice())
        );
    }

    #[test]
    fn an_amount_that_cannot_be_reckoned_is_asked_again() {
        let got = of(&with("length", Value::Number("70000000000000000000000000000".parse().unwrap())));
        assert_eq!((got.outcome, got.amount), (Outcome::Incomplete, None));
        assert!(got.questions.iter().any(|q| q.about == "length"), "{:?}", got.questions);
        let below = of(&with("costs", Value::Money("-5.00".parse().unwrap())));
        assert_eq!((below.outcome, below.amount), (Outcome::Incomplete, None));
    }

    #[test]
    fn a_strangers_text_is_never_a_template() {
        let got = of(&with("kind", Value::Text("{{ params.cap }}{% for x in y %}".to_owned())));
        assert_eq!(got.rules[3].reason.fi, "{{ params.cap }}{% for x in y %}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            "\\PC{0,20}".prop_map(Value::Text),
            (any::<i64>(), 0_u32..20).prop_map(|(n, scale)| Value::Number(Decimal::new(n, scale))),
            (0_i64..10_000_000).prop_map(|n| Value::Number(Decimal::from(n))),
            (-100_i64..1_000_000_000).prop_map(|cents| Value::Money(Euro::from_cents(cents))),
            (0_i32..20_000).prop_map(|days| Value::Date(jiff::civil::date(1990, 1, 1) + jiff::Span::new().days(days))),
            any::<bool>().prop_map(Value::Flag),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// No input fails, and what is missing never makes a rule unmet that was not so before.
        #[test]
        fn a_missing_fact_never_gives_not_met(
            values in proptest::collection::vec(any_value(), 8),
            chosen in proptest::collection::vec(any::<bool>(), 8),
            keep in proptest::collection::vec(any::<bool>(), 8),
        ) {
            let document = document();
            let on = "2026-04-15".parse().unwrap();
            let mut facts = complete();
            for ((name, value), chosen) in document.facts.keys().zip(values).zip(chosen) {
                if chosen {
                    facts.insert(fact(name, value));
                }
            }
            let all = assess(&document, &facts, &[], &[], on);
            let some: Facts = Vec::from(facts).into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(f, _)| f).collect::<Vec<_>>().into();
            let fewer = assess(&document, &some, &[], &[], on);
            for (fewer, all) in fewer.rules.iter().zip(&all.rules) {
                if fewer.outcome != RuleOutcome::Unknown {
                    prop_assert_eq!(fewer.outcome, all.outcome);
                }
            }
            let nothing = assess(&document, &Facts::default(), &[], &[], on);
            prop_assert!(nothing.rules.iter().all(|rule| rule.outcome == RuleOutcome::Unknown));
            prop_assert_eq!(nothing.outcome, Outcome::Incomplete);
        }

        /// More length, more costs or more households never give less money, and never beyond the cap.
        #[test]
        fn more_never_gives_less(length in 400_i64..20_000, costs in 0_i64..5_000_000, more in 0_i64..5_000, households in 0_i64..6) {
            let document = document();
            let amount = |length: i64, costs: i64, households: i64| {
                let mut facts = complete();
                facts.insert(fact("length", Value::Number(Decimal::from(length))));
                facts.insert(fact("households", Value::Number(Decimal::from(households))));
                facts.insert(fact("costs", Value::Money(Euro::from_cents(costs))));
                assess(&document, &facts, &[], &[], "2026-04-15".parse().unwrap()).amount.expect("a complete case")
            };
            let base = amount(length, costs, households);
            prop_assert!(amount(length + more, costs, households) >= base);
            prop_assert!(amount(length, costs + more, households) >= base);
            prop_assert!(amount(length, costs, households + more) >= base);
            prop_assert!(base <= Euro::from_cents(600_000));
            prop_assert_eq!(base.cents() % 100, 0);
        }
    }
}
