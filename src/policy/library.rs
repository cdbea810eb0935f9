//! All policy documents and statutes that bind in one municipality, and which version holds on a date.
//!
//! [`Library::version_on`] is the one function by which a version is picked; nobody else compares dates of
//! documents. An application window belongs to the version that is in force on the window's last day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;

use super::document::{self, Document, Written};
use super::format::{Adopted, DocumentKind, GoverningDate, WorkedCase};
use crate::cases::{DocumentId, Facts, Language, Value, valid_on};
use crate::clock::helsinki;
use crate::municipality::format::{Adoption, MunicipalityFile};
use crate::municipality::pack::{FileHash, files_in};
use crate::municipality::yaml::{self, write_one_of};
use crate::municipality::{Faults, Pack};

/// All versions of all documents.
#[derive(Debug, Clone, Default)]
pub struct Library {
    documents: BTreeMap<DocumentId, Vec<Document>>,
    pub(super) worked: BTreeMap<DocumentId, Vec<WorkedCase>>,
}

/// What a case is judged by: the version of a policy, and the date that picked it.
#[derive(Debug, Clone, Copy)]
pub struct Governing<'a> {
    /// The version.
    pub document: &'a Document,
    /// The date that picked it.
    pub on: Date,
}

/// An application window of one year, as moments.
#[derive(Debug, Clone, Copy)]
pub struct WindowSpan<'a> {
    /// First moment of the first day.
    pub opens: Timestamp,
    /// Last moment: what arrives later, even by a second, is late.
    pub closes: Timestamp,
    /// The last day: the governing date of what arrives for this window.
    pub ends_on: Date,
    /// The version in force on the last day.
    pub document: &'a Document,
}

impl Library {
    /// The version in force on a date.
    #[must_use]
    pub fn version_on(&self, id: &DocumentId, on: Date) -> Option<&Document> {
        valid_on(self.documents.get(id)?, on, |document| document.in_force)
    }

    /// The version that governs a case, by the date that the policy names (DOMAIN: criteria by the end of the window,
    /// fees by arrival, procedure by the decision): the one place where that is decided. The version of the arrival
    /// says which date it is; where the day of an event is unknown, or before the first version, the arrival stands
    /// for it, so that what is missing can be asked.
    #[must_use]
    pub fn governing(
        &self,
        id: &DocumentId,
        arrival: Timestamp,
        decision: Date,
        facts: &Facts,
    ) -> Option<Governing<'_>> {
        let arrived = arrival.to_zoned(helsinki()).date();
        let says = self.version_on(id, arrived).or_else(|| self.documents.get(id)?.last())?;
        let on = match says.governing_date {
            GoverningDate::WindowEnd => self.window_for(id, arrival).map_or(arrived, |window| window.ends_on),
            GoverningDate::Arrival => arrived,
            GoverningDate::Decision => decision,
            GoverningDate::Event => match facts.get(says.event.as_deref()?).map(|fact| &fact.value) {
                Some(Value::Date(date)) => *date,
                Some(Value::Time(time)) => time.to_zoned(helsinki()).date(),
                _ => arrived,
            },
        };
        let by = |on| self.version_on(id, on).map(|document| Governing { document, on });
        by(on).or_else(|| by(arrived))
    }

    /// The version that begins on a date, whether or not it is in force now.
    #[must_use]
    pub fn version(&self, id: &DocumentId, from: Date) -> Option<&Document> {
        self.documents.get(id)?.iter().find(|document| document.version() == from)
    }

    /// All versions, oldest first.
    #[must_use]
    pub fn versions(&self, id: &DocumentId) -> Vec<&Document> {
        self.documents.get(id).into_iter().flatten().collect()
    }

    /// All documents, by id and then by version.
    pub fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values().flatten()
    }

    /// The worked cases of a version, in the order of their file.
    pub fn worked_cases(&self, id: &DocumentId, from: Date) -> impl Iterator<Item = &WorkedCase> {
        self.worked.get(id).into_iter().flatten().filter(move |case| case.version == from)
    }

    /// The ids of all documents.
    pub fn ids(&self) -> impl Iterator<Item = &DocumentId> {
        self.documents.keys()
    }

    /// The application window for something that arrived at a moment: the one that is open then; otherwise
    /// the one that closes in the year of arrival (it came too early or too late for that); otherwise the
    /// last one that closed before.
    #[must_use]
    pub fn window_for(&self, id: &DocumentId, arrival: Timestamp) -> Option<WindowSpan<'_>> {
        let year = arrival.to_zoned(helsinki()).year();
        let mut spans: Vec<WindowSpan<'_>> =
            (year.saturating_sub(1)..=year.saturating_add(1)).filter_map(|y| self.window_closing_in(id, y)).collect();
        let open = spans.iter().position(|span| span.opens <= arrival && arrival <= span.closes);
        let chosen = open
            .or_else(|| spans.iter().position(|span| span.ends_on.year() == year))
            .or_else(|| spans.iter().rposition(|span| span.closes < arrival))?;
        Some(spans.swap_remove(chosen))
    }

    /// The first application window that opens after a moment.
    #[must_use]
    pub fn window_after(&self, id: &DocumentId, moment: Timestamp) -> Option<WindowSpan<'_>> {
        let year = moment.to_zoned(helsinki()).year();
        // One that closes next year may have opened before; the one after it has not.
        (year..=year.saturating_add(2))
            .filter_map(|year| self.window_closing_in(id, year))
            .find(|span| span.opens > moment)
    }

    fn window_closing_in(&self, id: &DocumentId, year: i16) -> Option<WindowSpan<'_>> {
        self.documents.get(id)?.iter().find_map(|document| {
            let (opens, closes) = document.window?.closing_in(year)?;
            let ends_on = closes.to_zoned(helsinki()).date();
            let governs = self.version_on(id, ends_on).is_some_and(|d| d.version() == document.version());
            governs.then_some(WindowSpan { opens, closes, ends_on, document })
        })
    }

    /// Reads the statutes and policies of the base pack and of the municipality, whose documents replace the
    /// base's of the same id. Of the base's policies those that the municipality adopted. Every fault is noted.
    pub(crate) fn read(root: &Path, pack: &Pack, hash: &mut FileHash, faults: &mut Faults) -> Self {
        let own = &pack.municipality;
        let folders = [
            (root.join("base").join("law"), false),
            (root.join("base").join("policies"), true),
            (root.join(own.id.as_str()).join("policies"), false),
        ];
        let mut documents = BTreeMap::new();
        for (folder, shared) in folders {
            let mut read = read_folder(root, &folder, shared.then_some(pack), hash, faults);
            if shared {
                adopt(&mut read, pack, faults);
            } else {
                not_adopted(&read, faults);
            }
            documents.extend(read);
        }
        for versions in documents.values() {
            check_versions(versions, faults);
        }
        Self { documents, worked: BTreeMap::new() }
    }

    /// The policies of the base pack, adopted or not. Every fault is noted.
    pub(crate) fn offered(root: &Path, faults: &mut Faults) -> BTreeMap<DocumentId, Vec<Document>> {
        read_folder(root, &root.join("base").join("policies"), None, &mut FileHash::default(), faults)
    }

    /// The files of worked cases of a municipality.
    pub(crate) fn worked_case_files(root: &Path, own: &MunicipalityFile) -> Vec<PathBuf> {
        [root.join("base").join("policies"), root.join(own.id.as_str()).join("policies")]
            .iter()
            .flat_map(|folder| files_in(folder, ".tests.yaml"))
            .collect()
    }
}

/// The documents of a folder, each in all its versions, with the values that `pack` adopted otherwise.
fn read_folder(
    root: &Path,
    folder: &Path,
    pack: Option<&Pack>,
    hash: &mut FileHash,
    faults: &mut Faults,
) -> BTreeMap<DocumentId, Vec<Document>> {
    let mut read: BTreeMap<DocumentId, Vec<Document>> = BTreeMap::new();
    let mut written: BTreeMap<(DocumentId, Date), Vec<Written>> = BTreeMap::new();
    let before = faults.len();
    for file in files_in(folder, ".md") {
        let Some(source) = yaml::read_file(&file, faults) else { continue };
        hash.add(root, &file, &source);
        let Some(text) = Written::parse(&file, source, faults) else { continue };
        written.entry((text.front.id.clone(), text.front.in_force.from)).or_default().push(text);
    }
    let all_read = faults.len() == before;
    for ((id, version), mut files) in written {
        if let Some(pack) = pack {
            deviate(&mut files, pack, &id, version, faults);
        }
        let base = files.iter().find(|text| text.front.translation_of.is_none());
        // Without the text that has them no figure can be told.
        if let Some(parameters) = base.map(|text| text.front.parameters.clone()) {
            for text in &mut files {
                text.fill(&parameters, faults);
            }
        }
        if let Some(document) = join_languages(files, all_read, faults) {
            read.entry(id).or_default().push(document);
        }
    }
    read
}

/// Lays the values that the municipality adopted otherwise over those of the base pack. The text must show each: a
/// deviation never leaves another figure standing in it.
fn deviate(files: &mut [Written], pack: &Pack, id: &DocumentId, version: Date, faults: &mut Faults) {
    let own = &pack.municipality;
    let found = own.adoptions.iter().enumerate().find(|(_, by)| by.document == *id && by.version == version);
    let (Some((n, adoption)), Some(origin)) = (found, pack.origin("municipality", own.id.as_str())) else { return };
    for (name, value) in &adoption.parameters {
        let line = origin.line(&["adoptions", &format!("#{n}"), "parameters", name]);
        let silent = files.iter().find(|text| !text.shows(name)).map(|text| text.front.language);
        let Some(parameter) = files.iter_mut().find_map(|text| text.front.parameters.get_mut(name)) else {
            let known = files.iter().flat_map(|text| text.front.parameters.keys().map(String::as_str));
            let what = format!("`{id}@{version}` has no parameter `{name}`");
            faults.at(&origin.file, line, what, write_one_of(name, known));
            continue;
        };
        if let Some(language) = silent {
            let what = format!("the text of `{id}@{version}` in `{language}` does not show `{name}`");
            let instead = format!("write `{{{{ number.{name} }}}}` where the figure stands in the base pack's text");
            faults.at(&origin.file, line, what, instead);
        }
        parameter.value = value.clone();
    }
}

/// Keeps of the base pack's policies the versions that the municipality adopted, with who adopted them.
fn adopt(documents: &mut BTreeMap<DocumentId, Vec<Document>>, pack: &Pack, faults: &mut Faults) {
    let own = &pack.municipality;
    if let Some(origin) = pack.origin("municipality", own.id.as_str()) {
        for (n, adoption) in own.adoptions.iter().enumerate() {
            let line = |key: &str| origin.line(&["adoptions", &format!("#{n}"), key]);
            let Some(versions) = documents.get(&adoption.document) else {
                let instead = write_one_of(adoption.document.as_str(), documents.keys().map(DocumentId::as_str));
                let what = format!("the base pack has no policy `{}`", adoption.document);
                faults.at(&origin.file, line("document"), what, instead);
                continue;
            };
            let known: Vec<String> = versions.iter().map(|document| document.version().to_string()).collect();
            let wanted = adoption.version.to_string();
            if !known.contains(&wanted) {
                let what = format!("the base pack's `{}` has no version of {wanted}", adoption.document);
                let instead = write_one_of(&wanted, known.iter().map(String::as_str));
                faults.at(&origin.file, line("version"), what, instead);
            }
        }
    }
    for versions in documents.values_mut() {
        versions.retain_mut(|document| {
            let by = |adoption: &&Adoption| adoption.document == document.id && adoption.version == document.version();
            let Some(adoption) = own.adoptions.iter().find(by) else { return false };
            let languages = document.titles.keys().copied();
            document.adopted = languages
                .map(|language| {
                    let body = adoption.body.get(language).to_owned();
                    (language, Adopted { body, date: adoption.date, section: adoption.section.clone() })
                })
                .collect();
            true
        });
    }
    documents.retain(|_, versions| !versions.is_empty());
}

/// A municipality's own policy says who adopted it.
fn not_adopted(documents: &BTreeMap<DocumentId, Vec<Document>>, faults: &mut Faults) {
    let policies = documents.values().flatten().filter(|document| document.kind == DocumentKind::Policy);
    let silent = |document: &&Document| document.titles.keys().any(|language| !document.adopted.contains_key(language));
    for document in policies.filter(silent) {
        let instead = "add `adopted: {body: …, date: …, section: \"§ …\"}`";
        faults.at(&document.file, 1, "nobody adopted the policy", instead);
    }
}

/// One document out of its files: the one that is no translation holds the rules.
/// Whether a language is missing can be told only when `all_read`.
fn join_languages(mut files: Vec<Written>, all_read: bool, faults: &mut Faults) -> Option<Document> {
    files.sort_by_key(|text| (text.front.translation_of.is_some(), text.front.language));
    let mut languages: Vec<Written> = Vec::new();
    for text in files {
        if let Some(other) = languages.iter().find(|t| t.front.language == text.front.language) {
            let what = format!(
                "the version of {} stands twice in `{}`: also in {}",
                text.front.in_force.from,
                text.front.language,
                other.file.display()
            );
            faults.at(&text.file, text.line(&["in_force"]), what, "give one of them another `in_force`, or remove it");
        } else {
            languages.push(text);
        }
    }
    let base = (!languages.is_empty()).then(|| languages.remove(0))?;
    if !all_read {
        return Some(document::join(&base, &languages, faults));
    }
    if let Some(of) = base.front.translation_of {
        let what = format!("the `{of}` text that this translates does not exist for this version");
        faults.at(
            &base.file,
            base.line(&["translation_of"]),
            what,
            format!("add it with the same `id` and `in_force`, in `{of}`"),
        );
    }
    let has = |language| base.front.language == language || languages.iter().any(|t| t.front.language == language);
    for (there, lacks) in [(Language::Fi, Language::Sv), (Language::Sv, Language::Fi)] {
        if base.front.translation_of != Some(lacks) && has(there) && !has(lacks) {
            let what = format!("the document has no `{lacks}` text");
            let instead =
                format!("add `{}@{}.{lacks}.md` with the same sections", base.front.id, base.front.in_force.from);
            faults.at(&base.file, 1, what, instead);
        }
    }
    Some(document::join(&base, &languages, faults))
}

/// Versions follow each other day by day: none twice, no gap.
fn check_versions(versions: &[Document], faults: &mut Faults) {
    for pair in versions.windows(2) {
        let [earlier, later] = pair else { continue };
        let before = later.version().yesterday().unwrap_or(Date::MIN);
        if earlier.in_force.overlaps(&later.in_force) {
            let what = format!(
                "the versions of {} and {} are both in force on {}",
                earlier.version(),
                later.version(),
                later.version()
            );
            faults.at(&earlier.file, line(&earlier.file), what, format!("write `to: {before}` in the earlier one"));
        } else if earlier.kind == DocumentKind::Policy && earlier.in_force.to.is_some_and(|to| to < before) {
            let to = earlier.in_force.to.unwrap_or(before);
            let what = format!("no version is in force from {} to {before}", to.tomorrow().unwrap_or(to));
            faults.at(
                &earlier.file,
                line(&earlier.file),
                what,
                format!("write `to: {before}`, or begin the next version earlier"),
            );
        }
    }
}

/// The line on which `in_force` ends; the file was read a moment ago.
fn line(file: &Path) -> Option<usize> {
    std::fs::read_to_string(file).ok().map(|source| yaml::line_within(&source, &["in_force"], "to"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{Evidence, Fact};

    /// Two versions of a policy that looks at `governing`, the second from 1.1.2026.
    fn library(governing: &str) -> Library {
        let mut faults = Faults::new();
        let documents = [("2024-01-01", "2025-12-31"), ("2026-01-01", "null")].map(|(from, to)| {
            let source = format!(
                "---\nid: p\ntitle: P\nlanguage: fi\nadopted: {{body: b, date: 2023-01-01, section: \"1\"}}\n\
                 in_force: {{from: {from}, to: {to}}}\n{governing}\nfacts:\n  happened_on: {{type: date}}\n\
                 ---\n## 1 § A {{#s1}}\n\nTeksti.\n"
            );
            let written = Written::parse(Path::new("p.fi.md"), source, &mut faults).unwrap();
            document::join(&written, &[], &mut faults)
        });
        assert!(faults.is_empty(), "{faults}");
        Library { documents: BTreeMap::from([("p".parse().unwrap(), documents.into())]), ..Library::default() }
    }

    fn happened(on: &str) -> Facts {
        Facts::from(vec![Fact {
            name: "happened_on".to_owned(),
            value: Value::Date(on.parse().unwrap()),
            unit: None,
            evidence: Evidence::Form { field: "happened_on".to_owned() },
        }])
    }

    /// The version that governs and the day that picks it.
    fn governs(library: &Library, arrival: &str, decision: &str, facts: &Facts) -> Option<String> {
        let (arrival, decision) = (arrival.parse().unwrap(), decision.parse().unwrap());
        let found = library.governing(&"p".parse().unwrap(), arrival, decision, facts)?;
        Some(format!("{} on {}", found.document.version(), found.on))
    }

    #[test]
    fn criteria_follow_the_last_day_of_the_window() {
        let window = "governing_date: window_end\nwindow: {opens: \"12-01\", closes: \"01-15\", at: \"15:00\"}";
        let library = library(window);
        let none = Facts::default();
        // Sent in December 2025 for a window that closes in January 2026: the rules of 2026.
        let found = governs(&library, "2025-12-20T10:00:00Z", "2026-03-01", &none);
        assert_eq!(found.as_deref(), Some("2026-01-01 on 2026-01-15"));
        // The window that closed in January 2025, decided long after: the rules of its last day.
        let found = governs(&library, "2025-01-10T10:00:00Z", "2026-03-01", &none);
        assert_eq!(found.as_deref(), Some("2024-01-01 on 2025-01-15"));
    }

    #[test]
    fn fees_follow_the_arrival_to_the_second_in_finland() {
        let library = library("governing_date: arrival");
        let none = Facts::default();
        assert_eq!(
            governs(&library, "2025-12-31T21:59:59Z", "2026-02-01", &none).as_deref(),
            Some("2024-01-01 on 2025-12-31")
        );
        assert_eq!(
            governs(&library, "2025-12-31T22:00:00Z", "2026-02-01", &none).as_deref(),
            Some("2026-01-01 on 2026-01-01")
        );
        assert_eq!(governs(&library, "2023-06-01T09:00:00Z", "2026-02-01", &none), None, "nothing was in force");
    }

    #[test]
    fn procedure_follows_the_day_of_the_decision() {
        let library = library("governing_date: decision");
        let none = Facts::default();
        assert_eq!(
            governs(&library, "2025-12-01T09:00:00Z", "2025-12-31", &none).as_deref(),
            Some("2024-01-01 on 2025-12-31")
        );
        assert_eq!(
            governs(&library, "2025-12-01T09:00:00Z", "2026-01-02", &none).as_deref(),
            Some("2026-01-01 on 2026-01-02")
        );
    }

    #[test]
    fn an_event_picks_the_version_and_one_that_nobody_told_is_asked_under_that_of_the_arrival() {
        let library = library("governing_date: event\nevent: happened_on");
        let (arrival, decision) = ("2026-02-01T09:00:00Z", "2026-03-01");
        assert_eq!(
            governs(&library, arrival, decision, &happened("2025-12-31")).as_deref(),
            Some("2024-01-01 on 2025-12-31")
        );
        assert_eq!(
            governs(&library, arrival, decision, &happened("2026-01-01")).as_deref(),
            Some("2026-01-01 on 2026-01-01")
        );
        assert_eq!(
            governs(&library, arrival, decision, &Facts::default()).as_deref(),
            Some("2026-01-01 on 2026-02-01")
        );
        assert_eq!(
            governs(&library, arrival, decision, &happened("2020-05-01")).as_deref(),
            Some("2026-01-01 on 2026-02-01")
        );
    }
}
