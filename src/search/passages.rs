//! What is searched: every section of every version and language, in a fixed order.
//!
//! A long section is cut at the ends of its paragraphs into parts that all carry the section's name. The order —
//! municipality, language, document, version, place in the document — is the order of equal answers, and keeps the parts
//! of one municipality and language together. [`Passages::hash`] names the whole: two processes with the same hash search the same.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Passage, Query, analysis};
use crate::cases::{Language, MunicipalityId, SectionRef, ServiceId, Validity, hex};
use crate::policy::{Document, Rulebook, Rulebooks};

/// Longest part of a section, in bytes, as far as paragraphs and lines let it be cut.
const LONGEST_PART: usize = 2400;

/// A section, or a part of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose text.
    pub municipality: MunicipalityId,
    /// Its language.
    pub language: Language,
    /// The section.
    pub section: SectionRef,
    /// Which part of the section, from 0.
    pub number: u32,
    /// The document's title.
    pub title: String,
    /// The section's heading.
    pub heading: String,
    /// The words.
    pub text: String,
    /// The services that the document governs; none: every service.
    pub services: Vec<ServiceId>,
    /// When it is in force.
    pub in_force: Validity,
}

/// Everything that is searched.
#[derive(Debug, Clone, Default)]
pub struct Passages {
    parts: Vec<Part>,
    places: BTreeMap<(MunicipalityId, Language), Range<usize>>,
    ids: Vec<Uuid>,
    hash: String,
}

impl Passages {
    /// The sections of every municipality.
    #[must_use]
    pub fn of(rulebooks: &Rulebooks) -> Self {
        Self::new(rulebooks.iter().flat_map(|(_, rulebook)| sections(rulebook)).collect())
    }

    /// These parts. Those of one municipality and language keep their order.
    #[must_use]
    pub fn new(mut parts: Vec<Part>) -> Self {
        parts.sort_by(|a, b| (&a.municipality, a.language).cmp(&(&b.municipality, b.language)));
        let mut places: BTreeMap<_, Range<usize>> = BTreeMap::new();
        for (at, part) in parts.iter().enumerate() {
            places.entry((part.municipality.clone(), part.language)).or_insert(at..at).end = at + 1;
        }
        let ids: Vec<Uuid> = parts.iter().map(Part::id).collect();
        let mut hash = Sha256::new();
        hash.update(analysis::VERSION.to_be_bytes());
        for id in &ids {
            hash.update(id.as_bytes());
        }
        let hash = hex(&hash.finalize());
        Self { parts, places, ids, hash }
    }

    /// All parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The id of each part, in the same order.
    #[must_use]
    pub fn ids(&self) -> &[Uuid] {
        &self.ids
    }

    /// SHA-256 over all parts and the way they are read, hexadecimal.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many parts are in a language.
    pub(super) fn count(&self, language: Language) -> usize {
        self.places.iter().filter(|((_, of), _)| *of == language).map(|(_, place)| place.len()).sum()
    }

    /// Where the parts stand that a query may find at all: those of its municipality and language.
    pub(super) fn place(&self, query: &Query) -> Range<usize> {
        self.places.get(&(query.municipality.clone(), query.language)).cloned().unwrap_or_default()
    }
}

impl Part {
    /// A UUID out of everything that the part is: the same part, the same id; any change, another.
    fn id(&self) -> Uuid {
        let Self { municipality, language, section, number, title, heading, text, services, in_force } = self;
        let mut hash = Sha256::new();
        let mut add = |field: &str| {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        };
        for field in [municipality.as_str(), language.code(), title, heading, text] {
            add(field);
        }
        add(&section.to_string());
        add(&number.to_string());
        add(&in_force.from.to_string());
        add(&in_force.to.as_ref().map_or_else(String::new, Date::to_string));
        for service in services {
            add(service.as_str());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        // The form of a UUID that is a hash of its own kind (RFC 9562, version 8).
        uuid::Builder::from_custom_bytes(id).into_uuid()
    }

    /// Whether it answers the query's service and day.
    pub(super) fn fits(&self, query: &Query) -> bool {
        let governs = |service| self.services.is_empty() || self.services.contains(service);
        self.in_force.contains(query.on) && query.service.as_ref().is_none_or(governs)
    }

    /// What is shown.
    pub(super) fn passage(&self, score: f64) -> Passage {
        Passage {
            section: self.section.clone(),
            language: self.language,
            title: self.title.clone(),
            heading: self.heading.clone(),
            text: self.text.clone(),
            score,
        }
    }
}

fn sections(rulebook: &Rulebook) -> impl Iterator<Item = Part> + '_ {
    let municipality = &rulebook.pack.municipality.id;
    rulebook.library.documents().flat_map(move |document| document_parts(municipality, document))
}

fn document_parts<'a>(municipality: &'a MunicipalityId, document: &'a Document) -> impl Iterator<Item = Part> + 'a {
    document.sections.iter().flat_map(move |section| {
        section.languages.iter().flat_map(move |(&language, words)| {
            split(&words.text).into_iter().zip(0..).map(move |(text, number)| Part {
                municipality: municipality.clone(),
                language,
                section: document.reference(&section.id),
                number,
                title: document.title(language).to_owned(),
                heading: words.heading.clone(),
                text: text.to_owned(),
                services: document.services.clone(),
                in_force: document.in_force,
            })
        })
    })
}

/// A text in parts that are not too long, cut where a paragraph ends, within a long paragraph where a line does.
fn split(text: &str) -> Vec<&str> {
    cut(text, &["\n\n", "\n"]).into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn cut<'a>(text: &'a str, ends: &[&str]) -> Vec<&'a str> {
    let Some((end, finer)) = ends.split_first().filter(|_| text.len() > LONGEST_PART) else { return vec![text] };
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for piece in text.split_inclusive(end) {
        if at > start && at + piece.len() - start > LONGEST_PART {
            parts.extend(cut(&text[start..at], finer));
            start = at;
        }
        at += piece.len();
    }
    parts.extend(cut(&text[start..], finer));
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_section_is_cut_at_the_ends_of_paragraphs() {
        let paragraph = |word: &str, times: usize| format!("{word} ").repeat(times).trim().to_owned();
        let (first, second) = (paragraph("tie", 400), paragraph("tuki", 300));
        let text = format!("{first}\n\n{second}");
        assert_eq!(split(&text), [first.as_str(), second.as_str()]);
        assert_eq!(split("Lyhyt.\n\nToinen."), ["Lyhyt.\n\nToinen."]);
    }

    #[test]
    fn any_change_makes_another_id() {
        let part = Part {
            municipality: "harjuvesi".parse().unwrap(),
            language: Language::Fi,
            section: SectionRef::try_from("road@2026-01-01#s1".to_owned()).unwrap(),
            number: 0,
            title: "Otsikko".to_owned(),
            heading: "1 §".to_owned(),
            text: "Teksti.".to_owned(),
            services: Vec::new(),
            in_force: Validity { from: "2026-01-01".parse().unwrap(), to: None },
        };
        let ended = Validity { to: Some("2026-12-31".parse().unwrap()), ..part.in_force };
        let others = [
            Part { number: 1, ..part.clone() },
            Part { text: "Teksti!".to_owned(), ..part.clone() },
            Part { heading: "1 §Teksti.".to_owned(), text: String::new(), ..part.clone() },
            Part { services: vec!["road".parse().unwrap()], ..part.clone() },
            Part { in_force: ended, ..part.clone() },
            Part { language: Language::Sv, ..part.clone() },
        ];
        assert_eq!(part.id(), part.clone().id());
        assert!(others.iter().all(|other| other.id() != part.id()));
    }

    proptest! {
        #[test]
        fn parts_are_pieces_of_the_text_and_lose_no_word(lines in proptest::collection::vec("[a-z ]{0,600}\n{0,2}", 0..12)) {
            let text = lines.concat();
            let parts = split(&text);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert!(parts.iter().all(|part| text.contains(part) && !part.is_empty()));
            prop_assert_eq!(words(&parts.join("\n")), words(&text));
        }
    }
}
