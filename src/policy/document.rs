//! One version of a policy document: its sections in every language, and the rules, parameters and
//! calculation that people wrote into it, read and checked.
//!
//! Here are the nouns and their small methods. How the Markdown is read stands in `manuscript`, how it becomes
//! rules and steps in `compiler`. A [`Document`] that exists has passed every check that needs no other document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use minijinja::Environment;
use rust_decimal::Decimal;

pub use super::compiler::parameter_value;
pub(super) use super::compiler::{decimal, join, kind_of_fact, template_name};
use super::expression::{Expression, Kind, Known, Name, Scalar, Space, date_of, time_of};
use super::format::{Adopted, DocumentKind, FactDeclaration, GoverningDate};
pub(super) use super::manuscript::Written;
use super::table::Table;
use crate::cases::{
    DocumentId, Effect, Euro, Language, Localized, ParameterUse, RoundKind, RuleId, RuleOutcome, SectionId, SectionRef,
    ServiceId, Validity, Value, place_of,
};
use crate::clock::helsinki;

/// One version of a policy document or statute, in all its languages.
#[derive(Debug, Clone)]
pub struct Document {
    /// Stable id, the same in every version.
    pub id: DocumentId,
    /// Local policy or statute.
    pub kind: DocumentKind,
    /// Statute number, for example `434/2003`.
    pub number: Option<String>,
    /// From when to when it is in force.
    pub in_force: Validity,
    /// Which date of a case picks the version.
    pub governing_date: GoverningDate,
    /// The fact that tells the day of the event, where that picks the version.
    pub event: Option<String>,
    /// The yearly application window, where it has one.
    pub window: Option<YearlyWindow>,
    /// Its title, by language.
    pub titles: BTreeMap<Language, String>,
    /// Who adopted it, by language.
    pub adopted: BTreeMap<Language, Adopted>,
    /// The services that it governs.
    pub services: Vec<ServiceId>,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// The facts that its rules may read.
    pub facts: BTreeMap<String, FactDeclaration>,
    /// The exact values that its rules use.
    pub parameters: BTreeMap<String, ParameterUse>,
    /// The steps of the calculation, in order.
    pub steps: Vec<Step>,
    /// Name of the step that is the amount granted.
    pub amount: Option<String>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Computations over all cases of a window.
    pub rounds: Vec<RoundRule>,
    /// The file that holds the rules.
    pub file: PathBuf,
    pub(super) templates: Arc<Environment<'static>>,
}

/// One section (*pykälä*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its anchor.
    pub id: SectionId,
    /// Heading and text by language.
    pub languages: BTreeMap<Language, SectionText>,
}

/// A section in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionText {
    /// The heading without marks and anchor: `3 § Tuettava tie`.
    pub heading: String,
    /// What may be quoted, byte for byte.
    pub text: String,
}

impl Section {
    /// What may be quoted, in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> Option<&str> {
        self.languages.get(&language).map(|section| section.text.as_str())
    }

    /// How it is cited, from its heading: `49 b §`, or `15 artikla` where it is no section of a statute.
    #[must_use]
    pub fn number(&self, language: Language) -> &str {
        let heading = self.heading(language).or_else(|| self.heading(Language::Fi)).unwrap_or_default();
        if let Some(end) = heading.find('§') {
            return &heading[..end + '§'.len_utf8()];
        }
        let words = heading.match_indices(' ').nth(1);
        words.map_or(heading, |(end, _)| &heading[..end])
    }

    /// The heading in a language: `3 § Tuettava tie`.
    #[must_use]
    pub fn heading(&self, language: Language) -> Option<&str> {
        self.languages.get(&language).map(|section| section.heading.as_str())
    }
}

/// A yearly application window, in Finnish local time. It may run over the turn of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YearlyWindow {
    /// First day: month and day.
    pub opens: (i8, i8),
    /// Last day: month and day.
    pub closes: (i8, i8),
    /// Last moment of the last day: hour and minute.
    pub at: (i8, i8),
}

impl YearlyWindow {
    /// Its first and last moment, where it closes in that year; none where the calendar has no such day.
    #[must_use]
    pub fn closing_in(self, year: i16) -> Option<(Timestamp, Timestamp)> {
        let Self { opens, closes, at } = self;
        let first = Date::new(if opens > closes { year - 1 } else { year }, opens.0, opens.1).ok()?;
        let last = Date::new(year, closes.0, closes.1).ok()?;
        let moment = |date: Date, hour: i8, minute: i8| {
            date.at(hour, minute, 0, 0).to_zoned(helsinki()).ok().map(|zoned| zoned.timestamp())
        };
        Some((moment(first, 0, 0)?, moment(last, at.0, at.1)?))
    }
}

/// One rule (*käsittelysääntö*).
#[derive(Debug, Clone)]
pub struct Rule {
    /// Stable id.
    pub id: RuleId,
    /// The section it stands under.
    pub section: SectionId,
    /// Of which cases it speaks; none: of all.
    pub only_when: Option<Expression>,
    /// Conditions in order, the first that holds decides; none of them: met.
    pub cases: Vec<(Option<Expression>, RuleOutcome)>,
    /// The condition as written.
    pub condition: String,
    /// What follows when it is not met.
    pub effect: Effect,
    /// Whether the party is heard before it is refused on what others said.
    pub hear_first: bool,
    /// The fact to ask for when it is unknown.
    pub ask: Option<String>,
    /// The words of the section that carry it.
    pub quote: Localized,
    /// Whether officers wrote a reason for discretion.
    pub has_discretion_reason: bool,
    /// Every name it reads.
    pub reads: BTreeSet<Name>,
}

/// One computation over all cases of a window (*hakukierros*).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRule {
    /// Its name.
    pub id: String,
    /// The section it stands under.
    pub section: SectionId,
    /// The fact that it gives every case.
    pub fact: String,
    /// What it works out, and of what.
    pub of: RoundOf,
}

/// What a round works out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundOf {
    /// A factor or a value: an appropriation by the sum of a step.
    Share {
        /// Which of them.
        kind: RoundKind,
        /// The step.
        step: String,
        /// What is shared.
        appropriation: Decimal,
        /// Decimals, rounded down.
        decimals: u32,
    },
    /// A draw.
    Draw {
        /// How many are drawn.
        places: u32,
    },
}

impl RoundRule {
    /// What it works out.
    #[must_use]
    pub const fn kind(&self) -> RoundKind {
        match self.of {
            RoundOf::Share { kind, .. } => kind,
            RoundOf::Draw { .. } => RoundKind::Draw,
        }
    }

    /// The names of the facts that it gives.
    #[must_use]
    pub fn facts(&self) -> Vec<String> {
        match self.of {
            RoundOf::Share { .. } => vec![self.fact.clone()],
            RoundOf::Draw { .. } => vec![self.fact.clone(), place_of(&self.fact)],
        }
    }
}

/// One step of the calculation.
#[derive(Debug, Clone)]
pub struct Step {
    /// Name, for later steps and rules.
    pub name: String,
    /// What it is, in words.
    pub label: Localized,
    /// How it comes to its value.
    pub working: Working,
    /// Of which cases it speaks; none: of all.
    pub only_when: Option<Expression>,
    /// Kind of its value.
    pub kind: Kind,
    /// `EUR` for money, else a unit to show.
    pub unit: Option<String>,
    /// Whether the letter leaves it out.
    pub hidden: bool,
    /// The section it stands under.
    pub section: SectionId,
    /// Every name it reads.
    pub reads: BTreeSet<Name>,
}

/// How a step comes to its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Working {
    /// By an expression.
    Expression(Expression),
    /// By looking it up.
    Table(Table),
}

impl Document {
    /// Whether a fact is given by a round over all cases of the window.
    #[must_use]
    pub fn is_of_round(&self, fact: &str) -> bool {
        self.rounds.iter().any(|round| round.facts().iter().any(|given| given == fact))
    }

    /// The section with that anchor.
    #[must_use]
    pub fn section(&self, id: &SectionId) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == *id)
    }

    /// A section as people cite it: `Hallintolaki 49 b §`.
    #[must_use]
    pub fn cite(&self, section: &SectionId, language: Language) -> Option<String> {
        let number = self.section(section)?.number(language);
        // A heading begins with a capital, and within a sentence an article does not.
        let number = number.strip_prefix("Artik").map_or_else(|| number.to_string(), |rest| format!("artik{rest}"));
        Some(format!("{} {number}", self.title(language)))
    }

    /// The version's name: the day from which it is in force.
    #[must_use]
    pub const fn version(&self) -> Date {
        self.in_force.from
    }

    /// A section of this version.
    #[must_use]
    pub fn reference(&self, section: &SectionId) -> SectionRef {
        SectionRef { document: self.id.clone(), version: self.version(), section: section.clone() }
    }

    /// The language of its texts for whoever reads `wished`: that one, or the first that it has.
    #[must_use]
    pub fn text_language(&self, wished: Language) -> Language {
        if self.titles.contains_key(&wished) {
            wished
        } else {
            self.titles.keys().next().copied().unwrap_or(Language::Fi)
        }
    }

    /// Its title in a language, Finnish where there is none.
    #[must_use]
    pub fn title(&self, language: Language) -> &str {
        self.titles.get(&language).or_else(|| self.titles.values().next()).map_or("", String::as_str)
    }
}

impl Step {
    /// How it is worked out, as written: the expression, or what the table looks at.
    #[must_use]
    pub fn source(&self) -> String {
        match &self.working {
            Working::Expression(expression) => expression.source().to_owned(),
            Working::Table(table) => table.source(),
        }
    }

    /// Its value with these values of names.
    pub(super) fn value(&self, look_up: &dyn Fn(&Name) -> Known) -> Known {
        match &self.working {
            Working::Expression(expression) => expression.value(look_up),
            Working::Table(table) => table.value(look_up),
        }
    }

    /// A value of its kind, with euros as such.
    pub(super) fn in_kind(&self, value: &Scalar) -> Option<Value> {
        let money = self.unit.as_deref() == Some("EUR");
        Some(match value {
            Scalar::Text(text) => Value::Text(text.clone()),
            Scalar::Flag(flag) => Value::Flag(*flag),
            Scalar::Number(number) => match (self.kind, money.then(|| Euro::exact(*number))) {
                (Kind::Date, _) => Value::Date(date_of(*number)?),
                (Kind::Time, _) => Value::Time(time_of(*number)?),
                (_, Some(Ok(euro))) => Value::Money(euro),
                _ => Value::Number(number.normalize()),
            },
        })
    }
}

impl Rule {
    /// The parameters that it reads, by name.
    pub fn parameters<'a>(&'a self, document: &'a Document) -> impl Iterator<Item = (&'a str, &'a ParameterUse)> {
        self.reads
            .iter()
            .filter(|name| name.space == Space::Params)
            .filter_map(|name| Some((name.name.as_str(), document.parameters.get(&name.name)?)))
    }
}
