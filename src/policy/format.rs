//! The formats of a policy document, as an officer writes it: Markdown with YAML front matter, sections
//! with an anchor (`## 3 § Tuettava tie {#s3}`), and fenced `rule`, `calculation` and `table` blocks that
//! stand under the section they implement.
//!
//! These are the hand-edited shapes only; [`super::document`] turns them into checked documents.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{
    DocumentId, Effect, FactType, Language, Localized, ParameterValue, RoundKind, RuleId, RuleOutcome, ServiceId,
    Validity,
};

/// Front matter of a policy document or statute.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// Stable id, the same in every version and language.
    pub id: DocumentId,
    /// Whether the text binds as a local policy or as a statute of the allow-list.
    #[serde(default)]
    pub kind: DocumentKind,
    /// Title in the document's language.
    pub title: String,
    /// Language of this file.
    pub language: Language,
    /// Statute number, for example `434/2003`; statutes only.
    #[serde(default)]
    pub number: Option<String>,
    /// Who adopted it, when and under which section of the minutes; policies of one municipality only. Who adopted
    /// a policy of the base pack stands in each `municipality.yaml`.
    #[serde(default)]
    pub adopted: Option<Adopted>,
    /// From when to when it is in force.
    pub in_force: Validity,
    /// Which date of a case picks the version.
    #[serde(default)]
    pub governing_date: GoverningDate,
    /// The fact that tells the day of the event, where that picks the version: a date or a moment.
    #[serde(default)]
    pub event: Option<String>,
    /// The application window, where the policy has one.
    #[serde(default)]
    pub window: Option<Window>,
    /// Facts that the rules read, with their types: a rule that names another is refused.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, FactDeclaration>")]
    pub facts: BTreeMap<String, FactDeclaration>,
    /// Exact values that the rules use.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The language version whose rules this text carries, for a translation without rules of its own.
    #[serde(default)]
    pub translation_of: Option<Language>,
    /// The services that this policy governs.
    #[serde(default)]
    pub services: Vec<ServiceId>,
}

/// What kind of text this is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// A local policy.
    #[default]
    Policy,
    /// A statute, in our own words, by section: the allow-list for citations.
    Law,
}

/// Adoption of a policy.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Adopted {
    /// The body, in the document's language.
    pub body: String,
    /// Date of the meeting.
    #[schemars(with = "String")]
    pub date: Date,
    /// Section of the minutes, for example `§ 71`.
    pub section: String,
}

/// Which date of a case picks the version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GoverningDate {
    /// The last day of the application window.
    WindowEnd,
    /// The day of arrival.
    #[default]
    Arrival,
    /// The day of the decision.
    Decision,
    /// The day of the event that the case is about.
    Event,
}

/// A yearly application window, in Finnish local time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// First day, `MM-DD`.
    pub opens: String,
    /// Last day, `MM-DD`.
    pub closes: String,
    /// Last moment of the last day, `HH:MM`; that very minute's start is the last moment in time.
    pub at: String,
}

/// A declared fact.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactDeclaration {
    /// Type of the value.
    #[serde(rename = "type")]
    pub kind: FactType,
    /// Unit of a number.
    #[serde(default)]
    pub unit: Option<String>,
    /// How it is asked for when it is missing; none for facts that code works out.
    #[serde(default)]
    pub ask: Option<Localized>,
}

impl FactDeclaration {
    /// Its unit: that of money is the euro, whether or not it is written.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref().or((self.kind == FactType::Money).then_some("EUR"))
    }
}

/// A parameter: an exact value with its unit. Write decimals in quotes, so that no float ever exists.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The value.
    pub value: ParameterValue,
    /// Unit, for example `m`, `EUR`, `EUR/m`, `%`.
    #[serde(default)]
    pub unit: Option<String>,
}

/// A `rule` block. Either `when` and `outcome`, or a list of `cases` of which the first that fits decides;
/// a rule whose conditions do not fit is met.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleBlock {
    /// Stable id within the document.
    pub id: RuleId,
    /// Of which cases it speaks, as a condition; left out: of all. Of others it is neither asked nor told.
    #[serde(default)]
    pub only_when: Option<String>,
    /// Condition, as an expression over `facts.…`, `params.…` and `calc.…`.
    #[serde(default)]
    pub when: Option<String>,
    /// How the rule comes out when the condition holds.
    #[serde(default)]
    pub outcome: Option<RuleOutcome>,
    /// Several conditions, first match decides.
    #[serde(default)]
    pub cases: Vec<RuleCase>,
    /// What follows when the rule is not met.
    #[serde(default = "rejection")]
    pub effect: Effect,
    /// Whether the party is heard (hallintolaki 34 §) before it is refused on facts that came from others: from a register, or
    /// from a person who does not have them from the party.
    #[serde(default)]
    pub hear_first: bool,
    /// The fact to ask for when the rule is unknown. Without it, every missing fact is asked for.
    #[serde(default)]
    pub ask: Option<String>,
    /// The reason in words, by outcome. `{{ facts.x }}`, `{{ params.x }}`, `{{ calc.x }}` and `{{ missing }}` are filled in
    /// by code, written as people write numbers, dates and euros.
    pub reasons: RuleReasons,
    /// Words of the section, byte for byte, that carry the reason.
    pub quote: Localized,
}

const fn rejection() -> Effect {
    Effect::Rejection
}

/// One condition of a rule with several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleCase {
    /// Condition; the last case may leave it out.
    #[serde(default)]
    pub when: Option<String>,
    /// How the rule comes out when it holds.
    pub outcome: RuleOutcome,
}

/// Reasons by outcome.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleReasons {
    /// When the rule is met.
    pub met: Localized,
    /// When it is not met.
    pub not_met: Localized,
    /// When it is left to a person.
    #[serde(default)]
    pub discretion: Option<Localized>,
}

/// A `calculation` block: named steps, each an exact expression that may read earlier steps as `calc.…`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalculationBlock {
    /// The steps, in order.
    pub steps: Vec<StepBlock>,
    /// Name of the step that is the amount granted, if this block has it.
    #[serde(default)]
    pub amount: Option<String>,
}

/// One step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBlock {
    /// Name, `snake_case`.
    pub name: String,
    /// What it is, in words for the letter.
    pub label: Localized,
    /// Of which cases it speaks, as a condition; left out: of all. The letters of others leave it out.
    #[serde(default)]
    pub only_when: Option<String>,
    /// The expression.
    pub value: String,
    /// `EUR` for money, else a unit to show.
    #[serde(default)]
    pub unit: Option<String>,
    /// Whether the letter leaves this step out of its calculation table.
    #[serde(default)]
    pub hidden: bool,
}

/// A `table` block: a step that looks its value up, in document order with the steps of calculations. The value is that of
/// the one row that fits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableBlock {
    /// Name, `snake_case`: read as `calc.…` like a step.
    pub name: String,
    /// What it is, in words for the letter.
    pub label: Localized,
    /// Unit of the values, for example `EUR/h`; needed where they are numbers, `""` for a mere number.
    #[serde(default)]
    pub unit: Option<String>,
    /// Whether the letter leaves it out of its calculation table.
    #[serde(default)]
    pub hidden: bool,
    /// What is looked at.
    pub columns: Vec<TableColumn>,
    /// The rows: what must fit, by name of the column, and `value`. In a column that is left out anything fits.
    pub rows: Vec<BTreeMap<String, Cell>>,
}

/// Something that a table looks at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableColumn {
    /// Its name in the rows, `snake_case`.
    pub name: String,
    /// The expression, for example `facts.facility`.
    pub value: String,
}

/// What stands in a column of a row.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Cell {
    /// A value.
    One(ParameterValue),
    /// A range.
    Range(Range),
}

/// A range of numbers or dates: `{from: 1, to: 24}` of whole numbers and days, both included; `{from: 1, below: "2.5"}` of
/// numbers with decimals. An end that is left out is open.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// First value.
    #[serde(default)]
    pub from: Option<ParameterValue>,
    /// Last value.
    #[serde(default)]
    pub to: Option<ParameterValue>,
    /// First value beyond.
    #[serde(default)]
    pub below: Option<ParameterValue>,
}

/// A `round` block: one computation over all cases of a window, by a person's act. It gives every case a fact that its
/// rules read. There is no key by which applicants could be ranked: a sum that all share, or a draw.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoundBlock {
    /// Its name within the document, for example `factor-k`.
    pub id: String,
    /// What it works out.
    pub kind: RoundKind,
    /// The fact that it gives: a number, or a flag for a draw, which gives `<fact>_place` too.
    pub fact: String,
    /// The step that is summed over the cases, `calc.…`; factor and value only.
    #[serde(default)]
    pub sum: Option<String>,
    /// What is shared, `params.…`; factor and value only.
    #[serde(default)]
    pub appropriation: Option<String>,
    /// Decimals of the factor or value, which is rounded down: 6 where nothing is said.
    #[serde(default)]
    pub decimals: Option<u32>,
    /// How many are drawn, `params.…`; a draw only.
    #[serde(default)]
    pub places: Option<String>,
}

/// A file `*.tests.yaml` beside a document: worked cases that `policy check` runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkedCases {
    /// The document.
    pub document: DocumentId,
    /// The cases.
    pub cases: Vec<WorkedCase>,
}

/// One worked case.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkedCase {
    /// Name, for example `R1`.
    pub name: String,
    /// The version, by its first day in force.
    #[schemars(with = "String")]
    pub version: Date,
    /// The facts; numbers and money as strings or whole numbers.
    pub facts: BTreeMap<String, ParameterValue>,
    /// What must come out.
    pub expect: Expected,
}

/// What a worked case must come out as.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Outcome.
    pub outcome: crate::cases::Outcome,
    /// Amount granted.
    #[serde(default)]
    pub amount: Option<crate::cases::Euro>,
    /// Rules that must come out so; others are free.
    #[serde(default)]
    pub rules: BTreeMap<RuleId, RuleOutcome>,
    /// Calculation steps that must have these values.
    #[serde(default)]
    pub steps: BTreeMap<String, String>,
}
