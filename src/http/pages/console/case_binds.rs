//! What binds in a case, for its page: the section under each rule, the sentences that rest on each fact, and how similar
//! cases were decided.
//!
//! Everything stands in the page already; which of it is shown is a matter of focus, and needs no script.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::choice;
use crate::app::App;
use crate::cases::{Case, Draft, Language, SectionRef, Value, write_value};
use crate::http::error::Result;
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::http::v1::precedents::of_case;
use crate::municipality::format::ServiceFile;
use crate::policy::Library;
use crate::triage::similar::{DifferingFact, SimilarDecision};

/// What binds.
#[derive(Debug, Serialize)]
pub(super) struct Binds {
    /// Sections that rules stand under or the draft cites, by `document@version#section`.
    sections: BTreeMap<String, SectionShown>,
    /// The sentences of the reasons that rest on a fact, by its name: their places, from 1, and words.
    rests: BTreeMap<String, Vec<(usize, String)>>,
    /// Similar decisions, best first.
    similar: Vec<SimilarShown>,
}

/// A section in place.
#[derive(Debug, Serialize)]
struct SectionShown {
    title: String,
    heading: String,
    text: String,
    language: Language,
    /// Its place on the page of its version.
    href: String,
}

/// A similar decision.
#[derive(Debug, Serialize)]
struct SimilarShown {
    #[serde(flatten)]
    decision: SimilarDecision,
    /// Labels of the facts that agree.
    same: Vec<String>,
    /// Facts that differ: label, here, there.
    other: Vec<(String, String, String)>,
}

/// What binds in this case, in the reader's words.
pub(super) async fn binds(
    app: &App,
    reader: &Reader,
    case: &Case,
    draft: Option<&Draft>,
    service: Option<&ServiceFile>,
) -> Result<Binds> {
    let library = &app.review().desk(&case.municipality)?.rulebook.library;
    let rules = case.file.assessment.iter().flat_map(|assessment| &assessment.rules).map(|rule| rule.section.clone());
    let content = draft.map(|draft| &draft.content);
    let citations = content
        .into_iter()
        .flat_map(|content| content.reasons.iter().flat_map(|reason| &reason.citations).chain(&content.provisions));
    let cited = citations.map(|citation| SectionRef {
        document: citation.document.clone(),
        version: citation.version,
        section: citation.section.clone(),
    });
    let sections = rules.chain(cited).filter_map(|section| {
        let shown = shown(library, &section, reader.language)?;
        Some((section.to_string(), shown))
    });
    let mut rests: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    for (place, reason) in (1..).zip(content.into_iter().flat_map(|content| &content.reasons)) {
        for name in &reason.evidence {
            rests.entry(name.clone()).or_default().push((place, reason.text.clone()));
        }
    }
    let words = Words { reader, service };
    Ok(Binds {
        sections: sections.collect(),
        rests,
        similar: of_case(app, case).await?.into_iter().map(|decision| words.similar(decision)).collect(),
    })
}

fn shown(library: &Library, at: &SectionRef, language: Language) -> Option<SectionShown> {
    let document = library.version(&at.document, at.version)?;
    let section = document.section(&at.section)?;
    let language = document.text_language(language);
    Some(SectionShown {
        title: document.title(language).to_owned(),
        heading: section.heading(language)?.to_owned(),
        text: section.text(language)?.to_owned(),
        language,
        href: format!("/console/policies/{}@{}#{}", at.document, at.version, at.section),
    })
}

/// Labels and values of facts as the form writes them.
struct Words<'a> {
    reader: &'a Reader,
    service: Option<&'a ServiceFile>,
}

impl Words<'_> {
    fn similar(&self, decision: SimilarDecision) -> SimilarShown {
        let other = decision.differ.iter().map(|fact| {
            (self.label(&fact.name), self.value(fact, fact.here.as_ref()), self.value(fact, fact.there.as_ref()))
        });
        SimilarShown {
            same: decision.agree.iter().map(|name| self.label(name)).collect(),
            other: other.collect(),
            decision,
        }
    }

    fn label(&self, name: &str) -> String {
        let field = self.service.and_then(|file| file.fields.iter().find(|field| field.name == name));
        let word = || render::word(&format!("fact.{name}"), self.reader.language);
        let unnamed = || word().map_or_else(|| name.replace('_', " "), ToOwned::to_owned);
        field.map_or_else(unnamed, |field| field.label.get(self.reader.language).to_owned())
    }

    fn value(&self, fact: &DifferingFact, value: Option<&Value>) -> String {
        let Some(value) = value else { return "–".to_owned() };
        choice(self.service, &fact.name, &value.plain(), self.reader)
            .unwrap_or_else(|| write_value(value, fact.unit.as_deref(), self.reader.language))
    }
}
