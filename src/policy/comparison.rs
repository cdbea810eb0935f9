//! Two versions of a policy document side by side (*versiovertailu*): what became of each section, word by word, and
//! which values, rules and steps changed.
//!
//! Owned by the policy. Pure: the same two versions give the same comparison. The pieces of a side, put together, are
//! its text; a section that only moved is no change.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::document::{Document, Rule, Section, Step, YearlyWindow};
use super::expression::{Name, Space};
use super::in_words::{RuleInWords, Wording};
use crate::cases::{DocumentId, Language, RuleId, SectionId, write_date, write_value};
use crate::municipality::Pack;

/// What became of a thing from one version to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = VersionStanding)]
pub enum Standing {
    /// It stands in both, alike.
    Same,
    /// It stands in both, otherwise.
    Changed,
    /// It stands in the second only.
    Added,
    /// It stood in the first only.
    Removed,
}

/// Two versions held against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PolicyComparison)]
pub struct Comparison {
    /// The document.
    pub document: DocumentId,
    /// The language of the texts.
    pub language: Language,
    /// The first version.
    pub before: Head,
    /// The second version.
    pub after: Head,
    /// Values that differ: thresholds, percentages, rates.
    pub parameters: Vec<ParameterChange>,
    /// Every section, in the order of the second version; removed ones where they stood.
    pub sections: Vec<SectionChange>,
}

/// What a version says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = PolicyHead)]
pub struct Head {
    /// Its name: the day from which it is in force.
    #[schema(value_type = String, format = "date")]
    pub version: Date,
    /// Its last day; none while it is open.
    #[schema(value_type = Option<String>, format = "date")]
    pub until: Option<Date>,
    /// Its title.
    pub title: String,
    /// Body and section of the minutes that adopted it.
    pub adopted: Option<String>,
    /// The yearly application window: `1.2.–31.3. klo 15.00`.
    pub window: Option<String>,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ParameterChange {
    /// Its name in the file.
    pub name: String,
    /// What became of it.
    pub standing: Standing,
    /// As it was, with its unit.
    pub before: Option<String>,
    /// As it is, with its unit.
    pub after: Option<String>,
    /// Rules that read it in either version.
    pub rules: BTreeSet<RuleId>,
    /// The sections under which those rules and the steps that read it stand.
    pub sections: BTreeSet<SectionId>,
}

/// A section in both versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SectionChange {
    /// Its anchor.
    pub section: SectionId,
    /// What became of it, its rules and steps included.
    pub standing: Standing,
    /// As it was.
    pub before: Option<Side>,
    /// As it is.
    pub after: Option<Side>,
    /// Rules under it that differ.
    pub rules: Vec<RuleChange>,
    /// Steps of the calculation under it that differ.
    pub steps: Vec<StepChange>,
}

/// One side of a section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SectionSide)]
pub struct Side {
    /// The heading.
    pub heading: String,
    /// The text in pieces.
    pub words: Vec<Words>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = SectionWords)]
pub struct Words {
    /// The words.
    pub text: String,
    /// Whether the other side has others here.
    pub changed: bool,
}

/// A rule that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RuleChange {
    /// The rule.
    pub rule: RuleId,
    /// What became of it under this section.
    pub standing: Standing,
    /// As it was, in words with the values of its version.
    pub before: Option<RuleInWords>,
    /// As it is.
    pub after: Option<RuleInWords>,
}

/// A step that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StepChange {
    /// Its name in the file.
    pub name: String,
    /// What it is, in words.
    pub label: String,
    /// What became of it under this section.
    pub standing: Standing,
    /// How it was worked out, in words with the values of its version.
    pub before: Option<String>,
    /// How it is.
    pub after: Option<String>,
}

/// Holds two versions of one document against each other, in the words of a language; the texts in Finnish where they are
/// not written in it.
#[must_use]
pub fn compare(before: &Document, after: &Document, pack: &Pack, language: Language) -> Comparison {
    let texts = if before.titles.contains_key(&language) { after.text_language(language) } else { Language::Fi };
    let sides = Sides {
        before,
        after,
        texts,
        language,
        old: Wording::new(before, pack, language),
        new: Wording::new(after, pack, language),
    };
    Comparison {
        document: after.id.clone(),
        language: texts,
        before: head(before, language),
        after: head(after, language),
        parameters: sides.parameters(),
        sections: order(before, after).into_iter().map(|id| sides.section(id)).collect(),
    }
}

fn head(document: &Document, language: Language) -> Head {
    let adopted = document.adopted.get(&language).or_else(|| document.adopted.values().next());
    Head {
        version: document.version(),
        until: document.in_force.to,
        title: document.title(language).to_owned(),
        adopted: adopted
            .map(|adopted| format!("{} {} {}", adopted.body, write_date(adopted.date, language), adopted.section)),
        window: document.window.map(|window| window_in_words(window, language)),
    }
}

/// A yearly window as people write it: no year.
fn window_in_words(window: YearlyWindow, language: Language) -> String {
    let YearlyWindow { opens: (from_month, from), closes: (to_month, to), at: (hour, minute) } = window;
    match language {
        Language::Fi => format!("{from}.{from_month}.–{to}.{to_month}. klo {hour}.{minute:02}"),
        Language::Sv => format!("{from}.{from_month}–{to}.{to_month} kl. {hour}.{minute:02}"),
        Language::En => format!("{from}/{from_month}–{to}/{to_month} (day/month) at {hour}:{minute:02}"),
    }
}

/// The sections of the second version in their order, and those of the first that are gone behind the one before them.
fn order<'a>(before: &'a Document, after: &'a Document) -> Vec<&'a SectionId> {
    let mut order: Vec<&SectionId> = after.sections.iter().map(|section| &section.id).collect();
    let mut place = 0;
    for section in &before.sections {
        if let Some(at) = order.iter().position(|id| **id == section.id) {
            place = at + 1;
        } else {
            order.insert(place, &section.id);
            place += 1;
        }
    }
    order
}

/// What became of a thing that may be on either side.
fn standing<T: PartialEq>(before: Option<&T>, after: Option<&T>) -> Standing {
    match (before, after) {
        (None, _) => Standing::Added,
        (_, None) => Standing::Removed,
        (before, after) if before == after => Standing::Same,
        _ => Standing::Changed,
    }
}

struct Sides<'a> {
    before: &'a Document,
    after: &'a Document,
    texts: Language,
    language: Language,
    old: Wording<'a>,
    new: Wording<'a>,
}

impl Sides<'_> {
    fn section(&self, id: &SectionId) -> SectionChange {
        let texts = |section: Option<&Section>| {
            section.map(|section| {
                let heading = section.heading(self.texts).unwrap_or_default().to_owned();
                (heading, section.text(self.texts).unwrap_or_default().to_owned())
            })
        };
        let (before, after) = (texts(self.before.section(id)), texts(self.after.section(id)));
        let (rules, steps) = (self.rules(id), self.steps(id));
        let mut standing = standing(before.as_ref(), after.as_ref());
        if standing == Standing::Same && !(rules.is_empty() && steps.is_empty()) {
            standing = Standing::Changed;
        }
        let (old, new) =
            pieces(before.as_ref().map_or("", |(_, text)| text), after.as_ref().map_or("", |(_, text)| text), standing);
        let side = |texts: Option<(String, String)>, words| texts.map(|(heading, _)| Side { heading, words });
        SectionChange {
            section: id.clone(),
            standing,
            before: side(before, old),
            after: side(after, new),
            rules,
            steps,
        }
    }

    fn rules(&self, section: &SectionId) -> Vec<RuleChange> {
        let under = |document: &Document, words: &Wording<'_>, id: &RuleId| {
            let rule = document.rules.iter().find(|rule| rule.id == *id && rule.section == *section);
            rule.map(|rule| words.rule(rule))
        };
        ids(self.before, self.after, section, |document| &document.rules, |rule: &Rule| (&rule.section, &rule.id))
            .into_iter()
            .filter_map(|id| {
                let (before, after) = (under(self.before, &self.old, id), under(self.after, &self.new, id));
                let standing = standing(before.as_ref(), after.as_ref());
                (standing != Standing::Same).then(|| RuleChange { rule: id.clone(), standing, before, after })
            })
            .collect()
    }

    fn steps(&self, section: &SectionId) -> Vec<StepChange> {
        fn under<'a>(document: &'a Document, section: &SectionId, name: &str) -> Option<&'a Step> {
            document.steps.iter().find(|step| step.name == name && step.section == *section)
        }
        ids(self.before, self.after, section, |document| &document.steps, |step: &Step| (&step.section, &step.name))
            .into_iter()
            .filter_map(|name| {
                let (old, new) = (under(self.before, section, name), under(self.after, section, name));
                let before = old.map(|step| self.old.step(step));
                let after = new.map(|step| self.new.step(step));
                let standing = standing(before.as_ref(), after.as_ref());
                let label = new.or(old)?.label.get(self.language).to_owned();
                (standing != Standing::Same).then(|| StepChange { name: name.clone(), label, standing, before, after })
            })
            .collect()
    }

    fn parameters(&self) -> Vec<ParameterChange> {
        let names: BTreeSet<&String> = self.before.parameters.keys().chain(self.after.parameters.keys()).collect();
        let changes = names.into_iter().filter_map(|name| {
            let (before, after) = (self.before.parameters.get(name), self.after.parameters.get(name));
            let standing = standing(before, after);
            (standing != Standing::Same).then(|| {
                let written = |used: Option<&crate::cases::ParameterUse>| {
                    used.map(|used| write_value(&used.value, used.unit.as_deref(), self.language))
                };
                let (rules, sections) = self.readers(name);
                ParameterChange {
                    name: name.clone(),
                    standing,
                    before: written(before),
                    after: written(after),
                    rules,
                    sections,
                }
            })
        });
        changes.collect()
    }

    /// The rules that read a parameter, and the sections of all that reads it.
    fn readers(&self, parameter: &str) -> (BTreeSet<RuleId>, BTreeSet<SectionId>) {
        let name = Name { space: Space::Params, name: parameter.to_owned() };
        let (mut rules, mut sections) = (BTreeSet::new(), BTreeSet::new());
        for document in [self.before, self.after] {
            for rule in document.rules.iter().filter(|rule| rule.reads.contains(&name)) {
                rules.insert(rule.id.clone());
                sections.insert(rule.section.clone());
            }
            let steps = document.steps.iter().filter(|step| step.reads.contains(&name));
            sections.extend(steps.map(|step| step.section.clone()));
        }
        (rules, sections)
    }
}

/// The names of what stands under a section in either version: those of the second first, in their order.
fn ids<'a, T: 'a, I: PartialEq>(
    before: &'a Document,
    after: &'a Document,
    section: &SectionId,
    all: impl Fn(&'a Document) -> &'a Vec<T>,
    of: impl Fn(&'a T) -> (&'a SectionId, &'a I),
) -> Vec<&'a I> {
    let mut ids: Vec<&I> = Vec::new();
    for thing in all(after).iter().chain(all(before)) {
        let (under, id) = of(thing);
        if under == section && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Both texts in pieces, with what the other side lacks marked. A text that stands on one side only is not marked: that
/// all of it is new or gone is said once.
fn pieces(before: &str, after: &str, standing: Standing) -> (Vec<Words>, Vec<Words>) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    let put = |side: &mut Vec<Words>, text: &str, changed: bool| match side.last_mut() {
        Some(last) if last.changed == changed => last.text.push_str(text),
        _ => side.push(Words { text: text.to_owned(), changed }),
    };
    if matches!(standing, Standing::Added | Standing::Removed) {
        put(&mut old, before, false);
        put(&mut new, after, false);
        return (old, new);
    }
    for change in TextDiff::from_words(before, after).iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => {
                put(&mut old, change.value(), false);
                put(&mut new, change.value(), false);
            }
            ChangeTag::Delete => put(&mut old, change.value(), true),
            ChangeTag::Insert => put(&mut new, change.value(), true),
        }
    }
    (old, new)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::Rulebook;

    fn compared(before: &str, after: &str) -> Comparison {
        let book = Rulebook::load(Path::new("policies"), &"harjuvesi".parse().unwrap()).unwrap();
        let id = "private-road-grant".parse().unwrap();
        let version = |from: &str| book.library.version(&id, from.parse().unwrap()).unwrap();
        compare(version(before), version(after), &book.pack, Language::Fi)
    }

    #[test]
    fn a_version_is_the_same_as_itself() {
        let comparison = compared("2026-01-01", "2026-01-01");
        assert!(!comparison.sections.is_empty() && comparison.parameters.is_empty());
        for section in comparison.sections {
            assert_eq!(section.standing, Standing::Same, "{}", section.section);
            assert!(section.before.unwrap().words.iter().all(|words| !words.changed));
        }
    }

    #[test]
    fn the_road_rules_of_2026_against_those_of_2024() {
        let comparison = compared("2024-01-01", "2026-01-01");
        let value = |name: &str| {
            let found = comparison.parameters.iter().find(|change| change.name == name).unwrap();
            (found.before.clone().unwrap(), found.after.clone().unwrap())
        };
        assert_eq!(value("min_length"), ("500\u{a0}m".to_owned(), "400\u{a0}m".to_owned()));
        assert_eq!(value("share"), ("40\u{a0}%".to_owned(), "60\u{a0}%".to_owned()));
        assert_eq!(value("cap"), ("4\u{a0}000,00\u{a0}€".to_owned(), "6\u{a0}000,00\u{a0}€".to_owned()));
        assert!(comparison.parameters.iter().all(|change| change.name != "class_a_households"), "it did not change");
        let third = comparison.sections.iter().find(|section| section.section.as_str() == "s3").unwrap();
        assert_eq!(third.standing, Standing::Changed);
        let marked = |side: &Option<Side>| -> Vec<String> {
            let words = side.iter().flat_map(|side| &side.words).filter(|words| words.changed);
            words.map(|words| words.text.trim().to_owned()).collect()
        };
        assert!(marked(&third.before).contains(&"500".to_owned()), "{:?}", third.before);
        assert!(marked(&third.after).contains(&"400".to_owned()), "{:?}", third.after);
        let rule = third.rules.iter().find(|change| change.rule.as_str() == "min-length").unwrap();
        assert_eq!(rule.standing, Standing::Changed);
        assert_eq!(comparison.before.window.as_deref(), Some("1.2.–31.3. klo 15.00"));
    }

    #[test]
    fn what_is_gone_stays_in_its_place_and_pieces_are_the_text() {
        let (old, new) = pieces("yksi kaksi kolme", "yksi neljä kolme", Standing::Changed);
        let whole = |side: &[Words]| side.iter().map(|words| words.text.as_str()).collect::<String>();
        assert_eq!((whole(&old), whole(&new)), ("yksi kaksi kolme".to_owned(), "yksi neljä kolme".to_owned()));
        assert_eq!(old.iter().filter(|words| words.changed).count(), 1);
        let book = Rulebook::load(Path::new("policies"), &"harjuvesi".parse().unwrap()).unwrap();
        let id = "private-road-grant".parse().unwrap();
        let document = book.library.version(&id, "2026-01-01".parse().unwrap()).unwrap();
        let mut without = document.clone();
        let gone = without.sections.remove(2).id;
        let ids: Vec<&SectionId> = document.sections.iter().map(|section| &section.id).collect();
        assert_eq!(order(document, &without), ids, "the removed section stands where it stood");
        let comparison = compare(document, &without, &book.pack, Language::Fi);
        let section = comparison.sections.iter().find(|section| section.section == gone).unwrap();
        assert_eq!((section.standing, section.after.is_none()), (Standing::Removed, true));
    }
}
