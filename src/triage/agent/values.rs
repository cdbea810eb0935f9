//! What a prompt is told of a case: words of our own vocabulary, and masked texts.

use super::consultation::Consultation;
use crate::cases::{DraftContent, Evidence, Fact, Language, Reason, RuleOutcome, SectionRef, write_value};
use crate::model::masking::Masked;
use crate::model::prompts::Row;
use crate::triage::gather::stated;

/// Longest text of a sender that a model reads, characters; what is beyond is cut off.
const LONGEST_SOURCE: usize = 16_000;
/// Longest of all of them together.
const ALL_SOURCES: usize = 48_000;
/// Longest section that a model reads, characters.
const LONGEST_SECTION: usize = 8_000;

impl Consultation<'_> {
    /// What the sender wrote: each text with the id by which it can be quoted, masked. An attachment is named by its
    /// number, for its name is the sender's.
    pub(super) fn sources(&self) -> Vec<(String, Masked<String>)> {
        let mut left = ALL_SOURCES;
        let mut texts = Vec::new();
        for (id, text) in self.named_sources() {
            let masked = self.masker().mask(text).cut(LONGEST_SOURCE.min(left));
            left -= masked.as_str().chars().count().min(left);
            if !masked.as_str().is_empty() {
                texts.push((id, masked));
            }
        }
        texts
    }

    /// The name that a text has in the case, by its id in a prompt.
    pub(super) fn source_of(&self, id: &str) -> Option<String> {
        let at = self.named_sources().iter().position(|(known, _)| known == id)?;
        stated::sources(self.reading()?).nth(at).map(|text| text.source.clone())
    }

    fn named_sources(&self) -> Vec<(String, &str)> {
        let mut attachments = 0;
        let texts = self.reading().into_iter().flat_map(stated::sources);
        texts
            .map(|text| {
                if text.source.starts_with("attachment:") {
                    attachments += 1;
                    (format!("attachment:{attachments}"), text.text.as_str())
                } else {
                    (text.source.clone(), text.text.as_str())
                }
            })
            .collect()
    }

    /// The facts that a model may see, with where each stands.
    pub(super) fn facts(&self, language: Language) -> Vec<Row> {
        let fields = self.service().map(|service| service.fields.as_slice()).unwrap_or_default();
        let mut rows = Vec::new();
        for fact in self.file.facts.iter() {
            let field = fields.iter().find(|field| field.name == fact.name);
            if field.is_some_and(|field| !field.model_may_see) || is_attachment(fact) {
                continue;
            }
            let mut row = vec![("name", Masked::public(&fact.name))];
            row.extend(field.map(|field| ("label", Masked::public(field.label.get(language)))));
            let value = write_value(&fact.value, fact.unit.as_deref(), language);
            let choice = field.and_then(|field| field.choices.get(&fact.value.plain()));
            let value =
                choice.map_or_else(|| self.masker().mask(&value), |choice| Masked::public(choice.get(language)));
            row.push(("value", value));
            row.push(("from", Masked::public(from(&fact.evidence))));
            rows.push(row);
        }
        rows
    }

    /// The reasons as code made them, one rule a line.
    pub(super) fn reasons(&self, reasons: &[Reason]) -> Vec<Row> {
        reasons
            .iter()
            .map(|reason| {
                let mut row = Vec::new();
                if let Some(rule) = &reason.rule {
                    row.push(("rule", Masked::public(rule.to_string())));
                    let outcome = self.assessment().and_then(|assessment| {
                        assessment.rules.iter().find(|trace| trace.rule == *rule).map(|trace| trace.outcome)
                    });
                    row.extend(outcome.map(|outcome| ("outcome", Masked::public(outcome.as_str()))));
                }
                row.push(("sentence", self.masker().mask(&reason.text)));
                row.push(("evidence", Masked::public(reason.evidence.join(", "))));
                if let Some(citation) = reason.citations.first() {
                    let place = format!("{}@{}#{}", citation.document, citation.version, citation.section);
                    row.push(("section", Masked::public(place)));
                    row.push(("quote", Masked::public(&citation.quote)));
                }
                row
            })
            .collect()
    }

    /// The rules that leave a ruling to a person, as far as nobody has ruled.
    pub(super) fn discretion(&self, language: Language) -> Vec<Row> {
        let rules = self.assessment().into_iter().flat_map(|assessment| &assessment.rules);
        let open = rules.filter(|rule| rule.outcome == RuleOutcome::Discretion && rule.ruled_by.is_none());
        open.map(|rule| {
            vec![
                ("rule", Masked::public(rule.rule.to_string())),
                ("question", self.masker().mask(rule.reason.get(language))),
                ("section", Masked::public(rule.section.to_string())),
            ]
        })
        .collect()
    }

    /// What the sender is asked.
    pub(super) fn questions(&self, language: Language) -> Vec<Row> {
        let row = |question: &crate::cases::Question| {
            let mut row = vec![
                ("about", Masked::public(&question.about)),
                // A handler may have written it about this case.
                ("question", self.masker().mask(question.text.get(language))),
            ];
            row.extend(question.section.as_ref().map(|section| ("section", Masked::public(section.to_string()))));
            row
        };
        self.file.open_questions().into_iter().map(row).collect()
    }

    /// The text of a section as it can be quoted in a letter of `language`: in it, or else in Finnish.
    pub(super) fn section(&self, place: &SectionRef, language: Language) -> Option<(Language, &str)> {
        let document = self.desk.rulebook.library.version(&place.document, place.version)?;
        let section = document.section(&place.section)?;
        [language, Language::Fi].into_iter().find_map(|language| Some((language, section.text(language)?)))
    }

    /// The sections that a letter may cite, each once: those it cites already, those that ask, then what was found.
    pub(super) fn sections(&self, content: &DraftContent, found: impl Iterator<Item = SectionRef>) -> Vec<SectionRef> {
        let cited = content.reasons.iter().flat_map(|reason| &reason.citations).chain(&content.provisions);
        let cited = cited.map(|citation| SectionRef {
            document: citation.document.clone(),
            version: citation.version,
            section: citation.section.clone(),
        });
        let questions = self.file.open_questions();
        let asking = questions.iter().filter_map(|question| question.section.clone());
        let mut sections: Vec<SectionRef> = Vec::new();
        for section in cited.chain(asking).chain(found) {
            if !sections.contains(&section) {
                sections.push(section);
            }
        }
        sections
    }

    /// Those sections with their texts.
    pub(super) fn section_texts(&self, sections: &[SectionRef], language: Language) -> Vec<(String, Masked<String>)> {
        let text = |place: &SectionRef| {
            let (_, text) = self.section(place, language)?;
            Some((place.to_string(), Masked::public(text).cut(LONGEST_SECTION)))
        };
        sections.iter().filter_map(text).collect()
    }
}

fn is_attachment(fact: &Fact) -> bool {
    fact.name.starts_with("attachment_")
}

const fn from(evidence: &Evidence) -> &'static str {
    match evidence {
        Evidence::Form { .. } => "form",
        Evidence::Text { .. } => "text",
        Evidence::Attachment { .. } => "attachment",
        Evidence::Register { .. } => "register",
        Evidence::Cases { .. } => "register of cases",
        Evidence::Computed { .. } => "computed",
        Evidence::Person { .. } => "handler",
    }
}
