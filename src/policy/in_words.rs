//! Rules and steps as an officer reads them: with the labels of the form, and the values of the version, in the place of
//! the names that the file uses.
//!
//! Owned by the policy. Only for people: nothing is evaluated from what is written here, and the condition as written
//! in the file always stands beside it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Serialize;

use super::document::{Document, Rule, Step};
use crate::cases::{Effect, Language, RuleId, RuleOutcome, write_value};
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
}

impl<'a> Wording<'a> {
    /// Words for a version; the facts are called as the forms of `pack` call them.
    #[must_use]
    pub fn new(document: &'a Document, pack: &'a Pack, language: Language) -> Self {
        let services = pack.services.values().filter(|service| service.policy.as_ref() == Some(&document.id));
        let fields = services.flat_map(|service| &service.fields);
        let labels = fields.map(|field| (field.name.as_str(), field.label.get(language))).collect();
        Self { document, language, labels }
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
        let conditions = rule.cases.iter().map(|(when, outcome)| Condition {
            when: when.as_ref().map(|when| self.expression(when.source())),
            outcome: *outcome,
        });
        RuleInWords { rule: rule.id.clone(), effect: rule.effect, conditions: conditions.collect() }
    }

    /// How a step is worked out.
    #[must_use]
    pub fn step(&self, step: &Step) -> String {
        self.expression(step.expression.source())
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
