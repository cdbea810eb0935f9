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

pub use super::compiler::parameter_value;
pub(super) use super::compiler::{decimal, join, kind_of_fact, template_name};
use super::expression::{Expression, Kind, Name, Space};
use super::format::{Adopted, DocumentKind, FactDeclaration, GoverningDate};
pub(super) use super::manuscript::Written;
use crate::cases::{
    DocumentId, Effect, Language, Localized, ParameterUse, RuleId, RuleOutcome, SectionId, SectionRef, ServiceId,
    Validity,
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

/// One step of the calculation.
#[derive(Debug, Clone)]
pub struct Step {
    /// Name, for later steps and rules.
    pub name: String,
    /// What it is, in words.
    pub label: Localized,
    /// The expression.
    pub expression: Expression,
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

impl Document {
    /// The section with that anchor.
    #[must_use]
    pub fn section(&self, id: &SectionId) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == *id)
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

impl Rule {
    /// The parameters that it reads, by name.
    pub fn parameters<'a>(&'a self, document: &'a Document) -> impl Iterator<Item = (&'a str, &'a ParameterUse)> {
        self.reads
            .iter()
            .filter(|name| name.space == Space::Params)
            .filter_map(|name| Some((name.name.as_str(), document.parameters.get(&name.name)?)))
    }
}
