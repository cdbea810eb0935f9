//! A version of a policy document as plain text: its sections, and under each the rules and steps that
//! implement it. For `policy show` and for handlers who ask what binds.

use std::fmt::Write as _;

use super::document::{Document, Working};
use super::in_words::rows;
use crate::cases::{Language, write_date, write_value};

/// Renders a version in a language.
#[must_use]
pub fn show(document: &Document, language: Language) -> String {
    let mut text = String::new();
    let until = document.in_force.to.map(|to| write_date(to, language)).unwrap_or_default();
    let _ = writeln!(text, "{} ({}@{})", document.title(language), document.id, document.version());
    let _ = writeln!(text, "{}–{until}", write_date(document.in_force.from, language));
    for section in &document.sections {
        let (Some(heading), Some(words)) = (section.heading(language), section.text(language)) else { continue };
        let _ = write!(text, "\n{heading} [{}]\n{words}\n", section.id);
        for rule in document.rules.iter().filter(|rule| rule.section == section.id) {
            let _ = writeln!(text, "  rule {}: {} ({})", rule.id, rule.condition, rule.effect);
            for (name, used) in rule.parameters(document) {
                let _ = writeln!(text, "    {name} = {}", write_value(&used.value, used.unit.as_deref(), language));
            }
        }
        for step in document.steps.iter().filter(|step| step.section == section.id) {
            let amount = if document.amount.as_ref() == Some(&step.name) { " *" } else { "" };
            let _ = writeln!(text, "  {} = {}{amount}", step.name, step.source());
            if let Working::Table(table) = &step.working {
                for (row, value) in rows(table, step, language) {
                    let _ = writeln!(text, "    {row}: {value}");
                }
            }
        }
    }
    text
}
