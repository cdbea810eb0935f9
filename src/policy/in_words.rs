//! Rules and steps as an officer reads them: with the labels of the form, and the values of the version, in the place of
//! the names that the file uses.
//!
//! Owned by the policy. Only for people: nothing is evaluated from what is written here, and the condition as written
//! in the file always stands beside it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use rust_decimal::Decimal;
use serde::Serialize;

use super::document::{Document, Rule, Step, Working};
use super::expression::{Expression, Kind, Scalar, Space, date_of};
use super::table::{Column, Ends, Fit, Table};
use crate::cases::{Effect, Language, Localized, RuleId, RuleOutcome, Value, write_date, write_value};
use crate::municipality::Pack;

/// What a name stands for, and the words between names. A quoted text is left as it is.
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"'[^']*'|"[^"]*"|\b(facts|params|calc)\.(\w+)|\b(and|or|not|in|true|false)\b|<=|>=|==|!=|\*"#;
    Regex::new(pattern).expect("a fixed pattern")
});

/// A rule in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RuleInWords {
    /// Its id.
    pub rule: RuleId,
    /// What follows when it is not met.
    pub effect: Effect,
    /// Its conditions, the first that holds decides; when none does, the rule is met.
    pub conditions: Vec<Condition>,
}

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = RuleCondition)]
pub struct Condition {
    /// When it holds, in words; none: always.
    pub when: Option<String>,
    /// How the rule then comes out.
    pub outcome: RuleOutcome,
}

/// The words of one version in one language.
#[derive(Debug)]
pub struct Wording<'a> {
    document: &'a Document,
    language: Language,
    labels: BTreeMap<&'a str, &'a str>,
    choices: BTreeMap<&'a str, &'a BTreeMap<String, Localized>>,
}

impl<'a> Wording<'a> {
    /// Words for a version; the facts are called as the forms of `pack` call them.
    #[must_use]
    pub fn new(document: &'a Document, pack: &'a Pack, language: Language) -> Self {
        let services = pack.services.values().filter(|service| service.policy.as_ref() == Some(&document.id));
        let fields: Vec<_> = services.flat_map(|service| &service.fields).collect();
        let labels = fields.iter().map(|field| (field.name.as_str(), field.label.get(language))).collect();
        let choices = fields.iter().map(|field| (field.name.as_str(), &field.choices)).collect();
        Self { document, language, labels, choices }
    }

    /// What a fact is called.
    #[must_use]
    pub fn fact(&self, name: &str) -> String {
        let clock = |fi, sv, en| match self.language {
            Language::Fi => fi,
            Language::Sv => sv,
            Language::En => en,
        };
        match (self.labels.get(name), name) {
            (Some(label), _) => (*label).to_owned(),
            (None, "received_at") => clock("Saapumishetki", "Ankomsttid", "Arrival").to_owned(),
            (None, "sent_at") => clock("Lähetyshetki", "Avsändningstid", "Sending").to_owned(),
            (None, "window_opens") => {
                clock("Hakuajan alku", "Ansökningstidens början", "Window's beginning").to_owned()
            }
            (None, "window_end") => clock("Hakuajan loppu", "Ansökningstidens slut", "Window's end").to_owned(),
            (None, name) => name.replace('_', " "),
        }
    }

    /// A rule.
    #[must_use]
    pub fn rule(&self, rule: &Rule) -> RuleInWords {
        let only = rule.only_when.as_ref().map(Expression::source);
        let conditions = rule.cases.iter().map(|(when, outcome)| {
            let when = when.as_ref().map(Expression::source);
            let whole = only.zip(when).map(|(only, when)| format!("{only} and ({when})"));
            Condition { when: whole.as_deref().or(only).or(when).map(|when| self.expression(when)), outcome: *outcome }
        });
        RuleInWords { rule: rule.id.clone(), effect: rule.effect, conditions: conditions.collect() }
    }

    /// How a step is worked out: a table with all its rows.
    #[must_use]
    pub fn step(&self, step: &Step) -> String {
        match &step.working {
            Working::Expression(expression) => self.expression(expression.source()),
            Working::Table(table) => {
                let columns = table.columns.iter().map(|column| self.expression(column.expression.source()));
                let columns = columns.collect::<Vec<_>>().join("; ");
                let rows = rows_with(table, step, self.language, &|column, word| self.choice(column, word));
                let rows = rows.into_iter().map(|(row, value)| format!("{row}: {value}")).collect::<Vec<_>>();
                let table = match self.language {
                    Language::Fi => "Taulukko",
                    Language::Sv => "Tabell",
                    Language::En => "Table",
                };
                format!("{table} ({columns}): {}", rows.join("; "))
            }
        }
    }

    /// What the form calls a word of a column that is one of its choices.
    fn choice(&self, column: &Column, word: &str) -> Option<String> {
        let name = column.expression.as_name().filter(|name| name.space == Space::Facts)?;
        Some(self.choices.get(name.name.as_str())?.get(word)?.get(self.language).to_owned())
    }

    /// An expression with what its names stand for.
    #[must_use]
    pub fn expression(&self, source: &str) -> String {
        let replace = |found: &Captures<'_>| -> String {
            let whole = &found[0];
            if let (Some(space), Some(name)) = (found.get(1), found.get(2)) {
                return self.name(space.as_str(), name.as_str()).unwrap_or_else(|| whole.to_owned());
            }
            let [fi, sv, en] = match whole {
                "<=" => ["≤"; 3],
                ">=" => ["≥"; 3],
                "==" => ["="; 3],
                "!=" => ["≠"; 3],
                "*" => ["×"; 3],
                "and" => ["ja", "och", "and"],
                "or" => ["tai", "eller", "or"],
                "not" => ["ei pidä paikkaansa:", "stämmer inte:", "not true:"],
                "in" => ["on jokin näistä:", "är något av:", "is one of:"],
                "true" => ["kyllä", "ja", "yes"],
                "false" => ["ei", "nej", "no"],
                other => [other; 3],
            };
            let word = match self.language {
                Language::Fi => fi,
                Language::Sv => sv,
                Language::En => en,
            };
            word.to_owned()
        };
        TOKEN.replace_all(source.trim(), replace).into_owned()
    }

    fn name(&self, space: &str, name: &str) -> Option<String> {
        match space {
            "facts" => Some(self.fact(name)),
            "params" => {
                let used = self.document.parameters.get(name)?;
                Some(write_value(&used.value, used.unit.as_deref(), self.language))
            }
            _ => {
                let step = self.document.steps.iter().find(|step| step.name == name)?;
                Some(step.label.get(self.language).to_owned())
            }
        }
    }
}

/// The rows of a table: what fits in each column, `–` for anything, and the value.
pub(super) fn rows(table: &Table, step: &Step, language: Language) -> Vec<(String, String)> {
    rows_with(table, step, language, &|_, _| None)
}

fn rows_with(
    table: &Table,
    step: &Step,
    language: Language,
    choice: &dyn Fn(&Column, &str) -> Option<String>,
) -> Vec<(String, String)> {
    let cell = |(column, fit): (&Column, &Fit)| match fit {
        Fit::Any => "–".to_owned(),
        Fit::Is(Scalar::Text(word)) => choice(column, word).unwrap_or_else(|| word.clone()),
        Fit::Is(Scalar::Flag(flag)) => write_value(&Value::Flag(*flag), None, language),
        Fit::Is(Scalar::Number(number)) => written(*number, column.kind, language),
        Fit::Within(ends) => range(*ends, column.kind, language),
    };
    let row = |row: &super::table::Row| {
        let cells: Vec<String> = table.columns.iter().zip(&row.cells).map(cell).collect();
        let value = step.in_kind(&row.value).map(|value| write_value(&value, step.unit.as_deref(), language));
        (cells.join(", "), value.unwrap_or_default())
    };
    table.rows.iter().map(row).collect()
}

fn written(number: Decimal, kind: Kind, language: Language) -> String {
    match date_of(number) {
        Some(date) if kind == Kind::Date => write_date(date, language),
        _ => write_value(&Value::Number(number), None, language),
    }
}

/// Ends as people write them: `1.1.2026–31.12.2026`, `25–`, `10–alle 20`.
fn range(ends: Ends, kind: Kind, language: Language) -> String {
    let below = match language {
        Language::Fi => "alle",
        Language::Sv => "under",
        Language::En => "below",
    };
    let end = |number: Option<Decimal>| number.map(|number| written(number, kind, language));
    let from = end(ends.from).unwrap_or_default();
    match end(ends.below) {
        Some(last) if from.is_empty() => format!("{below} {last}"),
        Some(last) => format!("{from}–{below} {last}"),
        None => format!("{from}–{}", end(ends.to).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::Rulebook;

    #[test]
    fn a_rule_reads_as_the_form_and_the_version_call_things() {
        let book = Rulebook::load(Path::new("policies"), &"harjuvesi".parse().unwrap()).unwrap();
        let id = "private-road-grant".parse().unwrap();
        let words = |from: &str, rule: &str, language| {
            let document = book.library.version(&id, from.parse().unwrap()).unwrap();
            let rule = document.rules.iter().find(|known| known.id.as_str() == rule).unwrap();
            Wording::new(document, &book.pack, language).rule(rule)
        };
        let (old, new) =
            (words("2024-01-01", "min-length", Language::Fi), words("2026-01-01", "min-length", Language::Fi));
        let condition = |rule: &RuleInWords| rule.conditions[0].when.clone().unwrap();
        assert!(condition(&old).ends_with("< 500\u{a0}m"), "{old:?}");
        assert!(condition(&new).ends_with("< 400\u{a0}m"), "{new:?}");
        assert_eq!(new.conditions[0].outcome, RuleOutcome::NotMet);
        let in_time = words("2026-01-01", "in-time", Language::En);
        let whens: Vec<Option<&str>> = in_time.conditions.iter().map(|one| one.when.as_deref()).collect();
        assert_eq!(whens, [Some("Arrival ≤ Window's end"), Some("Sending ≤ Window's end"), None]);
        assert_eq!(in_time.effect, Effect::Inadmissible);
    }

    #[test]
    fn a_quoted_text_stays_and_words_of_the_language_stand_between() {
        let book = Rulebook::load(Path::new("policies"), &"harjuvesi".parse().unwrap()).unwrap();
        let id = "private-road-grant".parse().unwrap();
        let document = book.library.version(&id, "2026-01-01".parse().unwrap()).unwrap();
        let wording = Wording::new(document, &book.pack, Language::Fi);
        let text = wording.expression("calc.class == 'A and or' ? params.rate_a : params.no_such");
        assert_eq!(text, "Tieluokka = 'A and or' ? 1,10\u{a0}€/m : params.no_such");
    }
}
