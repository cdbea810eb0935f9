//! From what is written to what can be evaluated: joins the languages of one version and compiles its blocks
//! into checked rules and steps, with the templates of their reasons.
//!
//! Every name must exist, every expression must have the kind that its place needs, the amount must be money in
//! whole cents, and every quote must stand byte for byte in its section. What fails is told with file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use minijinja::{Environment, UndefinedBehavior};
use rust_decimal::Decimal;

use super::document::{Document, RoundOf, RoundRule, Rule, Section, Step, Working, YearlyWindow};
use super::expression::{Expression, InvalidExpression, Kind, Name, Scalar, Space};
use super::format::{Adopted, DocumentKind, GoverningDate, RoundBlock, RuleBlock, StepBlock, TableBlock, Window};
use super::manuscript::{Block, Steps, Written, check_translation};
use super::table::{self, Column};
use super::unit::{Measure, Unit};
use crate::cases::{
    Euro, FactType, Language, ParameterUse, ParameterValue, RoundKind, RuleId, RuleOutcome, SectionId, Value, place_of,
};
use crate::municipality::Faults;
use crate::municipality::yaml::write_one_of;

/// Joins the languages of one version, checks them against each other and compiles the rules.
pub(super) fn join(base: &Written, translations: &[Written], faults: &mut Faults) -> Document {
    let mut sections: Vec<Section> = base
        .sections
        .iter()
        .map(|s| Section { id: s.id.clone(), languages: BTreeMap::from([(base.front.language, s.text.clone())]) })
        .collect();
    let mut titles = BTreeMap::from([(base.front.language, base.front.title.clone())]);
    let mut adopted: BTreeMap<_, _> =
        base.front.adopted.clone().map(|a| (base.front.language, a)).into_iter().collect();
    for translation in translations {
        let language = translation.front.language;
        titles.insert(language, translation.front.title.clone());
        adopted.extend(translation.front.adopted.clone().map(|a| (language, a)));
        check_translation(base, translation, faults);
        for section in &mut sections {
            if let Some(written) = translation.sections.iter().find(|s| s.id == section.id) {
                section.languages.insert(language, written.text.clone());
            }
        }
    }
    Compiler { base, translations, sections: &sections, faults, templates: new_templates() }
        .compile(titles, adopted)
        .with_sections(sections)
}

fn new_templates() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates
}

struct Compiler<'a> {
    base: &'a Written,
    translations: &'a [Written],
    sections: &'a [Section],
    faults: &'a mut Faults,
    templates: Environment<'static>,
}

impl Document {
    fn with_sections(mut self, sections: Vec<Section>) -> Self {
        self.sections = sections;
        self
    }
}

/// What is known of steps while a document is compiled.
#[derive(Default)]
struct Known {
    steps: Vec<Step>,
    /// Steps with a fault of their own: who reads them is not told again.
    failed: BTreeSet<String>,
    decimals: BTreeMap<String, Option<u32>>,
    measures: BTreeMap<String, Measure>,
    /// The line on which each step says what it gives.
    lines: BTreeMap<String, usize>,
}

/// An expression with what is known of its value.
struct Read {
    expression: Expression,
    kind: Kind,
    measure: Measure,
}

impl Compiler<'_> {
    fn compile(mut self, titles: BTreeMap<Language, String>, adopted: BTreeMap<Language, Adopted>) -> Document {
        let front = &self.base.front;
        let window = front.window.as_ref().and_then(|window| self.window(window));
        self.facts();
        let parameters = self.parameters();
        let (known, amount) = self.steps(&parameters);
        let rules = self.rules(&parameters, &known);
        let rounds = self.rounds(&parameters, &known);
        Document {
            id: front.id.clone(),
            kind: front.kind,
            number: front.number.clone(),
            in_force: front.in_force,
            governing_date: front.governing_date,
            event: front.event.clone(),
            window,
            titles,
            adopted,
            services: front.services.clone(),
            sections: Vec::new(),
            facts: front.facts.clone(),
            parameters,
            steps: known.steps,
            amount,
            rules,
            rounds,
            file: self.base.file.clone(),
            templates: Arc::new(self.templates),
        }
    }

    fn fault(&mut self, line: usize, what: impl Into<String>, instead: impl Into<String>) {
        self.faults.at(&self.base.file, line, what, instead);
    }

    fn window(&mut self, window: &Window) -> Option<YearlyWindow> {
        let pair = |text: &str, separator: char| -> Option<(i8, i8)> {
            let (a, b) = text.split_once(separator)?;
            (a.len() == 2 && b.len() == 2).then_some(())?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        // A leap year: 29 February is a day that some years lack.
        let day = |text: &str| pair(text, '-').filter(|(m, d)| Date::new(2024, *m, *d).is_ok() && (*m, *d) != (2, 29));
        let time = |text: &str| pair(text, ':').filter(|(h, m)| (0..24).contains(h) && (0..60).contains(m));
        let (opens, closes, at) = (day(&window.opens), day(&window.closes), time(&window.at));
        for (key, good, instead) in [
            ("opens", opens.is_some(), "write the day as MM-DD, for example \"02-01\""),
            ("closes", closes.is_some(), "write the day as MM-DD, for example \"04-15\""),
            ("at", at.is_some(), "write the time as HH:MM, for example \"15:00\""),
        ] {
            if !good {
                let line = self.base.line(&["window", key]);
                self.fault(line, format!("`{key}` of the window is no such thing"), instead);
            }
        }
        Some(YearlyWindow { opens: opens?, closes: closes?, at: at? })
    }

    /// A policy that looks at the day of an event says which fact tells it.
    fn event(&mut self) {
        let front = &self.base.front;
        let line = self.base.line(&[if front.event.is_some() { "event" } else { "governing_date" }]);
        match (&front.event, front.governing_date) {
            (None, GoverningDate::Event) => {
                self.fault(line, "no fact tells the day of the event", "add `event: …` with the name of a date");
            }
            (Some(_), GoverningDate::WindowEnd | GoverningDate::Arrival | GoverningDate::Decision) => {
                self.fault(line, "the version is not picked by an event", "write `governing_date: event`");
            }
            (Some(name), GoverningDate::Event) => match front.facts.get(name).map(|fact| fact.kind) {
                Some(FactType::Date | FactType::Time) => {}
                Some(_) => {
                    self.fault(line, format!("the event `{name}` is no day"), "name a fact of type date or time");
                }
                None => {
                    let instead = write_one_of(name, front.facts.keys().map(String::as_str));
                    self.fault(line, format!("`event` names an unknown fact `{name}`"), instead);
                }
            },
            (None, _) => {}
        }
    }

    fn facts(&mut self) {
        let front = &self.base.front;
        for name in front.facts.keys().filter(|name| !crate::municipality::is_snake_case(name)) {
            let line = self.base.line(&["facts", name]);
            self.fault(line, format!("the fact `{name}` is not snake_case"), "write a–z, 0–9 and _, a letter first");
        }
        self.event();
        if front.kind == DocumentKind::Law && front.number.is_none() {
            self.fault(1, "the statute has no number", "add `number: 434/2003`");
        }
        if let Some(to) = front.in_force.to.filter(|to| *to < front.in_force.from) {
            let line = self.base.line(&["in_force"]);
            self.fault(line, format!("it ends on {to}, before it begins"), "write a later `to`, or leave `to` out");
        }
    }

    fn parameters(&mut self) -> BTreeMap<String, ParameterUse> {
        let mut parameters = BTreeMap::new();
        for (name, parameter) in &self.base.front.parameters {
            let line = self.base.line(&["parameters", name]);
            if !crate::municipality::is_snake_case(name) {
                self.fault(
                    line,
                    format!("the parameter `{name}` is not snake_case"),
                    "write a–z, 0–9 and _, a letter first",
                );
            }
            let value = parameter_value(&parameter.value);
            let value = match (value, parameter.unit.as_deref()) {
                (Value::Number(number), Some("EUR")) => Euro::exact(number).map_or_else(
                    |error| {
                        self.fault(
                            line,
                            format!("the parameter `{name}`: {error}"),
                            "write euros with at most two decimals",
                        );
                        Value::Number(number)
                    },
                    Value::Money,
                ),
                (value, _) => value,
            };
            parameters.insert(name.clone(), ParameterUse { value, unit: parameter.unit.clone() });
        }
        parameters
    }

    /// Says of a name that does not exist what was probably meant.
    fn unknown_name(&mut self, line: usize, name: &Name, parameters: &BTreeMap<String, ParameterUse>, known: &Known) {
        if name.space == Space::Calc && known.failed.contains(&name.name) {
            return;
        }
        let facts = &self.base.front.facts;
        let there: Vec<String> = match name.space {
            Space::Facts => facts.keys().cloned().collect(),
            Space::Params => parameters.keys().cloned().collect(),
            Space::Calc => known.steps.iter().map(|s| s.name.clone()).collect(),
        };
        let elsewhere = [
            (Space::Facts, facts.contains_key(&name.name)),
            (Space::Params, parameters.contains_key(&name.name)),
            (Space::Calc, known.steps.iter().any(|s| s.name == name.name)),
        ];
        let instead = match elsewhere.into_iter().find(|(_, there)| *there) {
            Some((space, _)) => format!("write `{}.{}`", space.word(), name.name),
            None if there.is_empty() && name.space == Space::Calc => "write only steps that stand earlier".to_owned(),
            None if there.is_empty() => format!("declare `{}` in the front matter", name.name),
            None => write_one_of(&name.name, there.iter().map(String::as_str)),
        };
        self.fault(line, format!("unknown name `{name}`"), instead);
    }

    /// Reads an expression, checks its names and gives its kind.
    fn expression(
        &mut self,
        source: &str,
        line: usize,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &Known,
    ) -> Option<Read> {
        let refused = |compiler: &mut Self, error: InvalidExpression| compiler.fault(line, error.what, error.instead);
        let expression = match Expression::parse(source) {
            Ok(expression) => expression,
            Err(error) => {
                refused(self, error);
                return None;
            }
        };
        let facts = &self.base.front.facts;
        let kind_of = |name: &Name| match name.space {
            Space::Facts => facts.get(&name.name).map(|fact| kind_of_fact(fact.kind)),
            Space::Params => parameters.get(&name.name).map(|parameter| kind_of_value(&parameter.value)),
            Space::Calc => known.steps.iter().find(|step| step.name == name.name).map(|step| step.kind),
        };
        let unknown: Vec<Name> = expression.names().into_iter().filter(|name| kind_of(name).is_none()).collect();
        let kind = if unknown.is_empty() { Some(expression.kind(&kind_of)) } else { None };
        for name in &unknown {
            self.unknown_name(line, name, parameters, known);
        }
        let measure = |name: &Name| self.measure(name, parameters, known);
        match kind?.and_then(|kind| Ok((kind, expression.measure(&measure)?))) {
            Ok((kind, measure)) => Some(Read { expression, kind, measure }),
            Err(error) => {
                refused(self, error);
                None
            }
        }
    }

    /// What is known of the unit of a name.
    fn measure(&self, name: &Name, parameters: &BTreeMap<String, ParameterUse>, known: &Known) -> Measure {
        let of = |unit: Option<&str>| Measure::Of(Unit::parse(unit.unwrap_or_default()));
        match name.space {
            Space::Facts => match self.base.front.facts.get(&name.name) {
                Some(fact) if matches!(fact.kind, FactType::Number | FactType::Money) => of(fact.unit()),
                _ => Measure::Unknown,
            },
            Space::Params => match parameters.get(&name.name) {
                Some(ParameterUse { value: Value::Number(_) | Value::Money(_), unit }) => of(unit.as_deref()),
                _ => Measure::Unknown,
            },
            Space::Calc => known.measures.get(&name.name).cloned().unwrap_or(Measure::Unknown),
        }
    }

    /// What a step gives is what its `unit` says; gives what is known of it then.
    fn step_unit(&mut self, step: &StepBlock, read: &Read, line: &dyn Fn(&[&str]) -> usize) -> Measure {
        let declared = step.unit.as_deref().map(Unit::parse);
        match (&read.measure, declared) {
            (Measure::Of(unit), Some(declared)) if *unit != declared => {
                let what = format!("the step `{}` gives `{unit}` and says `{declared}`", step.name);
                let instead = if unit.is_none() {
                    "leave `unit` out, or give what it reads the right units".to_owned()
                } else {
                    format!("write `unit: {unit}`, or correct the expression")
                };
                self.fault(line(&["unit"]), what, instead);
            }
            (Measure::Of(unit), None) if !unit.is_none() => {
                let what = format!("the step `{}` has no unit and gives `{unit}`", step.name);
                self.fault(line(&["name"]), what, format!("add `unit: {unit}`"));
            }
            (_, Some(declared)) => return Measure::Of(declared),
            _ => {}
        }
        read.measure.clone()
    }

    fn steps(&mut self, parameters: &BTreeMap<String, ParameterUse>) -> (Known, Option<String>) {
        let mut known = Known::default();
        let mut amount: Option<(String, usize)> = None;
        let base = self.base;
        for section in &base.sections {
            for block in &section.steps {
                let block = match block {
                    Steps::Calculation(block) => block,
                    Steps::Table(block) => {
                        self.table(&section.id, block, parameters, &mut known);
                        continue;
                    }
                };
                for (n, step) in block.value.steps.iter().enumerate() {
                    let line = |key: &[&str]| block.line(&[&["steps", &format!("#{n}")], key].concat());
                    self.step(&section.id, step, &line, parameters, &mut known);
                }
                if let Some(name) = &block.value.amount {
                    let line = block.line(&["amount"]);
                    if amount.is_some() {
                        self.fault(line, "the document has two amounts", "keep `amount` in one calculation only");
                    }
                    amount = Some((name.clone(), line));
                }
            }
        }
        let amount = amount.and_then(|(name, line)| self.amount(name, line, &known));
        (known, amount)
    }

    /// Whether a step may have that name; one that stands twice is not compiled.
    fn step_name(&mut self, name: &str, line: usize, known: &Known) -> bool {
        if known.steps.iter().any(|s| s.name == name) {
            self.fault(line, format!("the step `{name}` stands twice"), "give one of them another name");
            return false;
        }
        if !crate::municipality::is_snake_case(name) {
            self.fault(line, format!("the step `{name}` is not snake_case"), "write a–z, 0–9 and _, a letter first");
        }
        true
    }

    fn step(
        &mut self,
        section: &SectionId,
        step: &StepBlock,
        line: &dyn Fn(&[&str]) -> usize,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &mut Known,
    ) {
        if !self.step_name(&step.name, line(&[]), known) {
            return;
        }
        let Some(read) = self.expression(&step.value, line(&["value"]), parameters, known) else {
            known.failed.insert(step.name.clone());
            return;
        };
        let measure = self.step_unit(step, &read, line);
        known.measures.insert(step.name.clone(), measure);
        known.lines.insert(step.name.clone(), line(&["value"]));
        let Read { expression, kind, .. } = read;
        known.decimals.insert(step.name.clone(), self.decimals(&expression, parameters, known));
        let only_when = self.only_when(step.only_when.as_deref(), line(&["only_when"]), parameters, known);
        known.steps.push(Step {
            name: step.name.clone(),
            label: step.label.clone(),
            reads: expression.names(),
            only_when,
            working: Working::Expression(expression),
            kind,
            unit: step.unit.clone(),
            hidden: step.hidden,
            section: section.clone(),
        });
    }

    fn table(
        &mut self,
        section: &SectionId,
        block: &Block<TableBlock>,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &mut Known,
    ) {
        let written = &block.value;
        if !self.step_name(&written.name, block.line(&["name"]), known) {
            return;
        }
        let compiled = self.columns(block, parameters, known).and_then(|columns| {
            let decimals: Vec<Option<u32>> =
                columns.iter().map(|column| self.decimals(&column.expression, parameters, known)).collect();
            match table::compile(written, columns, &decimals, &|path| block.line(path)) {
                Ok(compiled) => Some(compiled),
                Err(flaws) => {
                    for flaw in flaws {
                        self.fault(flaw.line, flaw.what, flaw.instead);
                    }
                    None
                }
            }
        });
        let Some((table, kind)) = compiled else {
            known.failed.insert(written.name.clone());
            return;
        };
        match &written.unit {
            None if kind == Kind::Number => {
                let what = format!("the table `{}` has no unit", written.name);
                let instead = "add `unit: …`, for example `unit: EUR/h`, or `unit: \"\"` for a mere number";
                self.fault(block.line(&["name"]), what, instead);
            }
            Some(_) if kind != Kind::Number => {
                let what = format!("the table `{}` gives {kind}, which has no unit", written.name);
                self.fault(block.line(&["unit"]), what, "leave `unit` out");
            }
            _ => {}
        }
        let most = table.rows.iter().filter_map(|row| match &row.value {
            Scalar::Number(number) => Some(number.normalize().scale()),
            _ => None,
        });
        known.decimals.insert(written.name.clone(), most.max());
        known.lines.insert(written.name.clone(), block.line(&["rows"]));
        if kind == Kind::Number {
            let unit = Unit::parse(written.unit.as_deref().unwrap_or_default());
            known.measures.insert(written.name.clone(), Measure::Of(unit));
        }
        known.steps.push(Step {
            name: written.name.clone(),
            label: written.label.clone(),
            reads: table.names(),
            only_when: None,
            working: Working::Table(table),
            kind,
            unit: written.unit.clone().filter(|unit| !unit.is_empty()),
            hidden: written.hidden,
            section: section.clone(),
        });
    }

    /// The columns of a table; none when one has a fault, which is told.
    fn columns(
        &mut self,
        block: &Block<TableBlock>,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &Known,
    ) -> Option<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        let mut sound = true;
        for (n, column) in block.value.columns.iter().enumerate() {
            let line = |key: &[&str]| block.line(&[&["columns", &format!("#{n}")], key].concat());
            let name = &column.name;
            let wrong = if !crate::municipality::is_snake_case(name) || name == table::VALUE {
                Some((format!("the column cannot be called `{name}`"), "write a–z, 0–9 and _, and not `value`"))
            } else if columns.iter().any(|other| other.name == *name) {
                Some((format!("the column `{name}` stands twice"), "give one of them another name"))
            } else {
                None
            };
            if let Some((what, instead)) = wrong {
                sound = false;
                self.fault(line(&["name"]), what, instead);
            }
            match self.expression(&column.value, line(&["value"]), parameters, known) {
                Some(Read { expression, kind, .. }) => columns.push(Column { name: name.clone(), expression, kind }),
                None => sound = false,
            }
        }
        if block.value.columns.is_empty() {
            let what = format!("the table `{}` looks at nothing", block.value.name);
            self.fault(block.line(&["columns"]), what, "add `columns: [{name: …, value: facts.…}]`");
            return None;
        }
        sound.then_some(columns)
    }

    /// The most decimals that a value can have, where that can be told.
    fn decimals(
        &self,
        expression: &Expression,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &Known,
    ) -> Option<u32> {
        expression.decimals(&|name| match name.space {
            Space::Facts => self.base.front.facts.get(&name.name).and_then(|fact| match fact.kind {
                FactType::Money => Some(2),
                FactType::Date | FactType::Time => Some(0),
                _ => None,
            }),
            Space::Params => parameters.get(&name.name).and_then(|parameter| match &parameter.value {
                Value::Number(number) => Some(number.normalize().scale()),
                Value::Money(euro) => Some(euro.decimal().normalize().scale()),
                _ => None,
            }),
            Space::Calc => known.decimals.get(&name.name).copied().flatten(),
        })
    }

    /// The condition that says of which cases a block speaks.
    fn only_when(
        &mut self,
        source: Option<&str>,
        line: usize,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &Known,
    ) -> Option<Expression> {
        match self.expression(source?, line, parameters, known)? {
            Read { expression, kind: Kind::Flag, .. } => Some(expression),
            Read { kind, .. } => {
                let instead = "write a comparison such as `facts.x == 'a'`";
                self.fault(line, format!("the condition is {kind}"), instead);
                None
            }
        }
    }

    fn amount(&mut self, name: String, line: usize, known: &Known) -> Option<String> {
        if known.failed.contains(&name) {
            return None;
        }
        let Some(step) = known.steps.iter().find(|step| step.name == name) else {
            let instead = write_one_of(&name, known.steps.iter().map(|step| step.name.as_str()));
            self.fault(line, format!("the amount `{name}` is no step"), instead);
            return None;
        };
        if step.kind != Kind::Number || step.unit.as_deref() != Some("EUR") {
            self.fault(line, format!("the amount `{name}` is not money"), "write `unit: EUR` at that step");
        }
        if known.decimals.get(&name).copied().flatten().is_none_or(|decimals| decimals > 2) {
            let what = format!("the amount `{name}` could have a fraction of a cent");
            let line = known.lines.get(&name).copied().unwrap_or(line);
            self.fault(line, what, "round it: `floor(…)` to full euros, `round(…, 2)` to cents");
        }
        Some(name)
    }

    fn rules(&mut self, parameters: &BTreeMap<String, ParameterUse>, known: &Known) -> Vec<Rule> {
        let mut rules: Vec<Rule> = Vec::new();
        let base = self.base;
        for section in &base.sections {
            for block in &section.rules {
                if rules.iter().any(|rule| rule.id == block.value.id) {
                    let what = format!("the rule `{}` stands twice", block.value.id);
                    self.fault(block.line(&["id"]), what, "give one of them another id");
                    continue;
                }
                rules.extend(self.rule(&section.id, block, parameters, known));
            }
        }
        rules
    }

    fn rounds(&mut self, parameters: &BTreeMap<String, ParameterUse>, known: &Known) -> Vec<RoundRule> {
        let mut rounds: Vec<RoundRule> = Vec::new();
        let base = self.base;
        for section in &base.sections {
            for block in &section.rounds {
                if rounds.iter().any(|round| round.id == block.value.id) {
                    let what = format!("the round `{}` stands twice", block.value.id);
                    self.fault(block.line(&["id"]), what, "give one of them another id");
                    continue;
                }
                if base.front.window.is_none() {
                    let what = "a round is of an application window, and the document has none";
                    self.fault(block.line(&["id"]), what, "add `window: {opens: …, closes: …, at: …}`");
                }
                rounds.extend(self.round(&section.id, block, parameters, known));
            }
        }
        rounds
    }

    fn round(
        &mut self,
        section: &SectionId,
        block: &Block<RoundBlock>,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &Known,
    ) -> Option<RoundRule> {
        let round = &block.value;
        if round.id.parse::<RuleId>().is_err() {
            self.fault(block.line(&["id"]), "the round's id is none", "write a–z, 0–9 and -, for example `factor-k`");
            return None;
        }
        let (kind, needed) = match round.kind {
            RoundKind::Draw => (
                FactType::Flag,
                [
                    ("places", round.places.is_some()),
                    ("sum", round.sum.is_none()),
                    ("appropriation", round.appropriation.is_none()),
                    ("decimals", round.decimals.is_none()),
                ],
            ),
            RoundKind::Factor | RoundKind::Value => (
                FactType::Number,
                [
                    ("places", round.places.is_none()),
                    ("sum", round.sum.is_some()),
                    ("appropriation", round.appropriation.is_some()),
                    ("decimals", true),
                ],
            ),
        };
        if let Some((key, _)) = needed.into_iter().find(|(_, good)| !good) {
            let (draw, draws) = (round.kind == RoundKind::Draw, key == "places");
            let what = format!("a round of kind `{}` and `{key}` do not go as they stand", round.kind);
            let instead = if draw == draws { format!("add `{key}: …`") } else { format!("leave `{key}` out") };
            self.fault(block.line(&[key]), what, instead);
            return None;
        }
        self.round_fact(block, &round.fact, kind, true)?;
        let of = if round.kind == RoundKind::Draw {
            self.round_fact(block, &place_of(&round.fact), FactType::Number, false)?;
            let places = self.round_parameter(block, "places", round.places.as_deref()?, parameters)?;
            let Ok(places) = u32::try_from(places) else {
                self.fault(
                    block.line(&["places"]),
                    "the places are no count",
                    "name a parameter that is a whole number",
                );
                return None;
            };
            RoundOf::Draw { places }
        } else {
            let name = round.sum.as_deref()?;
            let step = name.strip_prefix("calc.").and_then(|name| known.steps.iter().find(|step| step.name == name));
            let Some(step) = step.filter(|step| step.kind == Kind::Number) else {
                let steps: Vec<String> = known.steps.iter().map(|step| format!("calc.{}", step.name)).collect();
                let instead = write_one_of(name, steps.iter().map(String::as_str));
                self.fault(block.line(&["sum"]), format!("`{name}` is no step that can be summed"), instead);
                return None;
            };
            let (step, appropriation) = (step.name.clone(), round.appropriation.as_deref()?);
            let appropriation = self.round_parameter(block, "appropriation", appropriation, parameters)?;
            let decimals = round.decimals.unwrap_or(6);
            if decimals > 10 {
                self.fault(block.line(&["decimals"]), "too many decimals", "write at most 10");
                return None;
            }
            RoundOf::Share { kind: round.kind, step, appropriation, decimals }
        };
        Some(RoundRule { id: round.id.clone(), section: section.clone(), fact: round.fact.clone(), of })
    }

    /// A fact that a round gives is declared with its type, and nobody is asked for it.
    fn round_fact(&mut self, block: &Block<RoundBlock>, name: &str, kind: FactType, must: bool) -> Option<()> {
        let facts = &self.base.front.facts;
        let line = block.line(&["fact"]);
        match facts.get(name) {
            None if must => {
                let instead = write_one_of(name, facts.keys().map(String::as_str));
                self.fault(line, format!("the round gives an undeclared fact `{name}`"), instead);
                None
            }
            Some(fact) if fact.kind != kind => {
                let instead = if kind == FactType::Flag { "declare it as a flag" } else { "declare it as a number" };
                self.fault(line, format!("the fact `{name}` is of another type than the round gives"), instead);
                None
            }
            Some(fact) if fact.ask.is_some() => {
                let what = format!("the fact `{name}` comes from a round, and the applicant is asked for it");
                self.fault(self.base.line(&["facts", name]), what, "leave `ask` out");
                None
            }
            _ => Some(()),
        }
    }

    fn round_parameter(
        &mut self,
        block: &Block<RoundBlock>,
        key: &str,
        name: &str,
        parameters: &BTreeMap<String, ParameterUse>,
    ) -> Option<Decimal> {
        let value = name.strip_prefix("params.").and_then(|name| parameters.get(name));
        let number = value.and_then(|parameter| parameter.value.number()).filter(|number| *number > Decimal::ZERO);
        if number.is_none() {
            let names: Vec<String> = parameters.keys().map(|name| format!("params.{name}")).collect();
            let instead = write_one_of(name, names.iter().map(String::as_str));
            self.fault(block.line(&[key]), format!("`{name}` is no parameter above zero"), instead);
        }
        number
    }

    fn rule(
        &mut self,
        section: &SectionId,
        block: &Block<RuleBlock>,
        parameters: &BTreeMap<String, ParameterUse>,
        known: &Known,
    ) -> Option<Rule> {
        let rule = &block.value;
        let written: Vec<(Option<&String>, RuleOutcome, usize)> =
            match (&rule.when, rule.outcome, rule.cases.is_empty()) {
                (Some(when), Some(outcome), true) => vec![(Some(when), outcome, block.line(&["when"]))],
                (None, None, false) => rule
                    .cases
                    .iter()
                    .enumerate()
                    .map(|(n, case)| (case.when.as_ref(), case.outcome, block.line(&["cases", &format!("#{n}")])))
                    .collect(),
                (None, Some(RuleOutcome::Discretion), true) => {
                    vec![(None, RuleOutcome::Discretion, block.line(&["outcome"]))]
                }
                (Some(_), None, true) => {
                    self.fault(
                        block.line(&["when"]),
                        format!("the rule `{}` has no outcome", rule.id),
                        "add `outcome: not_met`",
                    );
                    return None;
                }
                _ => {
                    let what = format!("the rule `{}` needs either `when` and `outcome`, or `cases`", rule.id);
                    self.fault(block.line(&["id"]), what, "write `when: …` and `outcome: not_met`");
                    return None;
                }
            };
        let line = block.line(&["only_when"]);
        let only_when = self.only_when(rule.only_when.as_deref(), line, parameters, known);
        let mut cases = Vec::new();
        let mut reads: BTreeSet<Name> = only_when.iter().flat_map(Expression::names).collect();
        let mut complete = true;
        for (n, (when, outcome, line)) in written.iter().enumerate() {
            if *outcome == RuleOutcome::Unknown && rule.ask.is_none() {
                self.fault(*line, "`unknown` does not say what to ask for", "add `ask: …` with the name of a fact");
            }
            let Some(when) = when else {
                if n + 1 < written.len() {
                    self.fault(
                        *line,
                        "only the last case may have no condition",
                        "add `when: …`, or move it to the end",
                    );
                }
                cases.push((None, *outcome));
                continue;
            };
            match self.expression(when, *line, parameters, known) {
                Some(Read { expression, kind: Kind::Flag, .. }) => {
                    reads.extend(expression.names());
                    cases.push((Some(expression), *outcome));
                }
                Some(Read { kind, .. }) => {
                    complete = false;
                    self.fault(
                        *line,
                        format!("the condition is {kind}"),
                        "write a comparison such as `facts.x < params.y`",
                    );
                }
                None => complete = false,
            }
        }
        if let Some(ask) = rule.ask.as_ref().filter(|ask| !self.base.front.facts.contains_key(*ask)) {
            let instead = write_one_of(ask, self.base.front.facts.keys().map(String::as_str));
            self.fault(block.line(&["ask"]), format!("`ask` names an unknown fact `{ask}`"), instead);
        }
        let leaves_open = cases.iter().any(|(_, outcome)| *outcome == RuleOutcome::Discretion);
        if leaves_open && rule.reasons.discretion.is_none() {
            let what = format!("the rule `{}` can be left to discretion and has no reason for it", rule.id);
            self.fault(block.line(&["reasons"]), what, "add `discretion: {fi: …, sv: …}`");
        }
        self.reasons(block, parameters, known);
        self.quotes(section, block);
        complete.then(|| Rule {
            id: rule.id.clone(),
            section: section.clone(),
            only_when,
            condition: condition(&cases),
            cases,
            effect: rule.effect,
            hear_first: rule.hear_first,
            ask: rule.ask.clone(),
            quote: rule.quote.clone(),
            has_discretion_reason: rule.reasons.discretion.is_some(),
            reads,
        })
    }

    fn reasons(&mut self, block: &Block<RuleBlock>, parameters: &BTreeMap<String, ParameterUse>, known: &Known) {
        let reasons = &block.value.reasons;
        let by_outcome = [
            (RuleOutcome::Met, Some(&reasons.met)),
            (RuleOutcome::NotMet, Some(&reasons.not_met)),
            (RuleOutcome::Discretion, reasons.discretion.as_ref()),
        ];
        for (outcome, texts) in by_outcome.into_iter().filter_map(|(outcome, texts)| Some((outcome, texts?))) {
            let languages = [
                Some((Language::Fi, &texts.fi)),
                Some((Language::Sv, &texts.sv)),
                texts.en.as_ref().map(|en| (Language::En, en)),
            ];
            for (language, text) in languages.into_iter().flatten() {
                let line = block.line(&["reasons", outcome.as_str(), language.code()]);
                if text.trim().is_empty() {
                    self.fault(line, format!("the reason for {outcome} is empty in `{language}`"), "write it in words");
                }
                let name = template_name(&block.value.id, outcome, language);
                if let Err(error) = self.templates.add_template_owned(name.clone(), text.clone()) {
                    let why = error.detail().unwrap_or("it cannot be read").to_owned();
                    self.fault(line, format!("the reason is no template: {why}"), "write values as `{{ facts.x }}`");
                    continue;
                }
                let tried = self.templates.get_template(&name).and_then(|template| {
                    let used = template.undeclared_variables(true);
                    template.render(sample(&used)).map(|_| used)
                });
                let used = match tried {
                    Ok(used) => used,
                    Err(error) => {
                        let why = error.detail().unwrap_or("it cannot be filled in").to_owned();
                        self.fault(
                            line,
                            format!("the reason is no template: {why}"),
                            "write values as `{{ facts.x }}`",
                        );
                        continue;
                    }
                };
                let mut used: Vec<String> = used.into_iter().filter(|name| name != "missing").collect();
                used.sort();
                for used in used {
                    let space = used.split_once('.').and_then(|(space, name)| Some((Space::from_word(space)?, name)));
                    let there = space.is_some_and(|(space, name)| match space {
                        Space::Facts => self.base.front.facts.contains_key(name),
                        Space::Params => parameters.contains_key(name),
                        Space::Calc => known.steps.iter().any(|step| step.name == name),
                    });
                    match space {
                        _ if there => {}
                        Some((space, name)) => {
                            let name = Name { space, name: name.to_owned() };
                            self.unknown_name(line, &name, parameters, known);
                        }
                        None => self.fault(
                            line,
                            format!("unknown name `{used}` in a reason"),
                            "write `{{ facts.x }}`, `{{ params.x }}`, `{{ calc.x }}` or `{{ missing }}`",
                        ),
                    }
                }
            }
        }
    }

    /// Every quote stands byte for byte in its section, in each language that is written.
    fn quotes(&mut self, section: &SectionId, block: &Block<RuleBlock>) {
        let quote = &block.value.quote;
        let languages = [
            Some((Language::Fi, &quote.fi)),
            Some((Language::Sv, &quote.sv)),
            quote.en.as_ref().map(|en| (Language::En, en)),
        ];
        let section = self.sections.iter().find(|s| s.id == *section);
        for (language, words) in languages.into_iter().flatten() {
            let written =
                self.base.front.language == language || self.translations.iter().any(|t| t.front.language == language);
            let line = block.line(&["quote", language.code()]);
            let Some(text) = section.and_then(|s| s.text(language)) else {
                // A language that is missing altogether is a fault of the pair, not of each quote.
                if !written && language == Language::En {
                    self.fault(
                        line,
                        "the quote is in a language in which the document does not exist",
                        "leave `en` out",
                    );
                }
                continue;
            };
            if words.trim().is_empty() {
                self.fault(line, format!("the quote is empty in `{language}`"), "copy words of the section");
            } else if !text.contains(words.as_str()) {
                let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
                let instead = if squeezed(text).contains(&squeezed(words)) {
                    "copy it byte for byte: only spaces, line breaks or capitals differ"
                } else {
                    "copy words of the section byte for byte"
                };
                let what = format!("the quote `{}` is not in the section in `{language}`", cut(words));
                self.fault(line, what, instead);
            }
        }
    }
}

/// Kind of a fact in expressions.
pub(super) const fn kind_of_fact(kind: FactType) -> Kind {
    match kind {
        FactType::Text => Kind::Text,
        FactType::Number | FactType::Money => Kind::Number,
        FactType::Date => Kind::Date,
        FactType::Time => Kind::Time,
        FactType::Flag => Kind::Flag,
    }
}

const fn kind_of_value(value: &Value) -> Kind {
    match value {
        Value::Text(_) => Kind::Text,
        Value::Number(_) | Value::Money(_) => Kind::Number,
        Value::Date(_) => Kind::Date,
        Value::Time(_) => Kind::Time,
        Value::Flag(_) => Kind::Flag,
    }
}

/// Some text for every name: what a template is tried on.
fn sample(names: &std::collections::HashSet<String>) -> minijinja::Value {
    let mut spaces: BTreeMap<&str, BTreeMap<&str, minijinja::Value>> = BTreeMap::new();
    for name in names {
        let (space, name) = name.split_once('.').unwrap_or((name, ""));
        spaces.entry(space).or_default().insert(name, "1".into());
    }
    spaces
        .into_iter()
        .map(|(space, names)| {
            let value = if space == "missing" { "x".into() } else { minijinja::Value::from(names) };
            (space, value)
        })
        .collect::<BTreeMap<_, _>>()
        .into()
}

fn cut(words: &str) -> String {
    let cut: String = words.chars().filter(|c| !c.is_control()).take(60).collect();
    if cut.len() < words.len() { format!("{cut}…") } else { cut }
}

/// The name of a reason's template.
pub(super) fn template_name(rule: &RuleId, outcome: RuleOutcome, language: Language) -> String {
    format!("{rule}/{outcome}/{language}")
}

fn condition(cases: &[(Option<Expression>, RuleOutcome)]) -> String {
    match cases {
        [(Some(only), _)] => only.source().to_owned(),
        [(None, _)] => "true".to_owned(),
        _ => cases
            .iter()
            .map(|(when, outcome)| match when {
                Some(when) => format!("{} → {outcome}", when.source()),
                None => format!("else → {outcome}"),
            })
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// An exact value as it was written: a decimal in quotes, a date, a word, a whole number or a flag.
#[must_use]
pub fn parameter_value(value: &ParameterValue) -> Value {
    match value {
        ParameterValue::Integer(number) => Value::Number(Decimal::from(*number)),
        ParameterValue::Flag(flag) => Value::Flag(*flag),
        ParameterValue::Text(text) => decimal(text)
            .map(Value::Number)
            .or_else(|| text.parse::<Date>().ok().filter(|_| text.len() == 10).map(Value::Date))
            .unwrap_or_else(|| Value::Text(text.clone())),
    }
}

/// A decimal of digits with at most one dot; no exponents, no signs but `-`.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    plain.then(|| Decimal::from_str_exact(text).ok()).flatten()
}
