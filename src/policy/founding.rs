//! The files that a new municipality begins with: whole and valid, so that it is served at once, with placeholders for what
//! only its officers know.
//!
//! The files come from templates (`src/municipality/template`). What the services of the base pack name beyond them (a
//! department, a row of power to decide, an authority, a register's fact) is added, so that the files hold against the
//! base pack as it is. Pure: reads the base pack, gives the files, writes none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior, Value};
use serde::Serialize;

use super::check::{WORKED_OUT, is_written_to};
use super::document::Document;
use super::library::Library;
use crate::cases::{
    AuthorityId, DeciderId, DepartmentId, DocumentId, FactType, Language, Localized, MunicipalityId, Owner, ServiceId,
};
use crate::municipality::Faults;
use crate::municipality::format::{
    AuthoritiesFile, CORRECTIONS, Category, DelegationFile, MunicipalityFile, ServiceFile,
};
use crate::municipality::pack::Offer;
use crate::municipality::yaml;

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("../municipality/template/", $name))
    };
}

/// The files below the municipality's folder, with what they are made from. `YEAR` stands for the first year.
const TEMPLATES: [(&str, &str); 6] = [
    ("municipality.yaml", template!("municipality.yaml")),
    ("delegation.yaml", template!("delegation.yaml")),
    ("authorities.yaml", template!("authorities.yaml")),
    ("policies/hallintosaanto@YEAR-01-01.fi.md", template!("hallintosaanto.fi.md")),
    ("policies/hallintosaanto@YEAR-01-01.sv.md", template!("hallintosaanto.sv.md")),
    ("samples/notice.json", template!("samples/notice.json")),
];

/// Who is founded.
#[derive(Debug, Clone, Serialize)]
pub struct Founded {
    /// The name of the folder.
    pub id: MunicipalityId,
    /// Its name.
    pub name: Localized,
    /// Capital letters before a case number.
    pub prefix: String,
    /// Languages of service; the first is the language of the record.
    pub languages: Vec<Language>,
    /// Residents.
    pub residents: u32,
    /// The year from whose first day its own files hold.
    pub year: i16,
}

/// The files of a new municipality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// By path below the municipality's folder.
    pub files: BTreeMap<String, String>,
    /// Services of the base pack that are not offered yet, because the base pack has no policy for them.
    pub without: Vec<ServiceId>,
}

/// What the base pack asks for beyond the templates.
#[derive(Debug, Default, Serialize)]
struct More {
    departments: BTreeSet<DepartmentId>,
    deciders: BTreeSet<DeciderId>,
    delegations: BTreeSet<String>,
    authorities: Vec<MoreAuthority>,
    registers: Vec<MoreFact>,
    adoptions: Vec<MoreAdoption>,
    without: Vec<ServiceId>,
}

#[derive(Debug, Serialize)]
struct MoreAuthority {
    id: String,
    owner: Option<Owner>,
}

#[derive(Debug, Serialize)]
struct MoreFact {
    fact: String,
    service: ServiceId,
    value: String,
    from: Date,
}

#[derive(Debug, Serialize)]
struct MoreAdoption {
    document: DocumentId,
    version: Date,
    date: Date,
}

#[derive(Serialize)]
struct Material<'a> {
    #[serde(flatten)]
    founded: &'a Founded,
    more: &'a More,
}

/// The files that this municipality begins with, over the base pack below `root`.
///
/// # Errors
/// What is wrong with the base pack, with file and line.
pub fn files(root: &Path, founded: &Founded) -> Result<Files, Faults> {
    let mut faults = Faults::new();
    let offer = Offer::read(root, &mut faults);
    let policies = Library::offered(root, &mut faults);
    let plain = render(founded, &More::default(), &mut faults);
    let own = Own::read(&plain, &mut faults);
    let (Some(own), true) = (own, faults.is_empty()) else {
        faults.sort();
        return Err(faults);
    };
    let more = own.lacks(&offer, &policies);
    let files = render(founded, &more, &mut faults);
    if faults.is_empty() { Ok(Files { files, without: more.without }) } else { Err(faults) }
}

fn render(founded: &Founded, more: &More, faults: &mut Faults) -> BTreeMap<String, String> {
    let material = Material { founded, more };
    let mut files = BTreeMap::new();
    for (path, template) in TEMPLATES {
        match environment().and_then(|environment| environment.render_str(template, Value::from(Serde(&material)))) {
            Ok(text) => drop(files.insert(path.replace("YEAR", &founded.year.to_string()), text)),
            // Templates are compiled in and a test renders them.
            Err(error) => {
                faults.at(path, error.line(), format!("the template is wrong: {error}"), "tell who made this");
            }
        }
    }
    files
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // `{#s1}` is the anchor of a section.
    let mut syntax = SyntaxConfig::builder();
    syntax.comment_delimiters("<#", "#>").trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    // A text of JSON is a text of YAML, whatever stands in it.
    environment.add_filter("quoted", |text: String| serde_json::Value::from(text).to_string());
    Ok(environment)
}

/// What the templates bring by themselves.
struct Own {
    municipality: MunicipalityFile,
    delegations: DelegationFile,
    authorities: AuthoritiesFile,
}

impl Own {
    fn read(files: &BTreeMap<String, String>, faults: &mut Faults) -> Option<Self> {
        fn one<T: serde::de::DeserializeOwned>(
            files: &BTreeMap<String, String>,
            name: &str,
            faults: &mut Faults,
        ) -> Option<T> {
            yaml::read(Path::new(name), files.get(name)?, 1, faults)
        }
        Some(Self {
            municipality: one(files, "municipality.yaml", faults)?,
            delegations: one(files, "delegation.yaml", faults)?,
            authorities: one(files, "authorities.yaml", faults)?,
        })
    }

    /// What services and policies of the base pack name and nobody brings.
    fn lacks(&self, offer: &Offer, policies: &BTreeMap<DocumentId, Vec<Document>>) -> More {
        let mut more = More::default();
        for service in offer.services.values() {
            match &service.policy {
                Some(policy) if !policies.contains_key(policy) => {
                    more.without.push(service.id.clone());
                    continue;
                }
                Some(policy) => more.registers.extend(facts(service, policies.get(policy).into_iter().flatten())),
                None => {}
            }
            let of_categories = service.categories.iter().filter_map(|category| category.department.as_ref());
            let departments = of_categories.chain([&service.department]);
            let known = &self.municipality.departments;
            more.departments.extend(departments.filter(|id| !known.contains_key(id)).cloned());
            if !self.municipality.deciders.contains_key(&service.process_owner) {
                more.deciders.insert(service.process_owner.clone());
            }
            let rows = || self.delegations.delegation.iter().chain(&offer.delegations);
            // Whoever decided corrects: that stands in the law.
            let known = |row: &&str| *row == CORRECTIONS || rows().any(|d| service.rests_on(row, &d.id));
            more.delegations.extend(service.delegations().filter(|row| !known(row)).map(str::to_owned));
            for category in &service.categories {
                self.lacks_authority(category, offer, &mut more);
            }
        }
        let adoption = |document: &Document| MoreAdoption {
            document: document.id.clone(),
            version: document.version(),
            date: document.version().yesterday().unwrap_or_else(|_| document.version()),
        };
        more.adoptions = policies.values().flatten().map(adoption).collect();
        more
    }

    fn lacks_authority(&self, category: &Category, offer: &Offer, more: &mut More) {
        let owner = category.authority.is_none().then_some(category.owner);
        if owner.is_some_and(|owner| !is_written_to(owner)) {
            return;
        }
        let id = category.authority.as_ref().map_or(category.owner.as_str(), AuthorityId::as_str);
        let mut rows =
            self.authorities.authorities.iter().chain(&offer.authorities).filter(|row| row.valid.to.is_none());
        let brought = rows.any(|row| owner.map_or(row.id.as_str() == id, |owner| row.owner == Some(owner)));
        if !brought && !more.authorities.iter().any(|row| row.id == id) {
            more.authorities.push(MoreAuthority { id: id.to_owned(), owner });
        }
    }
}

/// Facts that a policy may read and nobody gives: the municipality's register does.
fn facts<'a>(service: &ServiceFile, versions: impl Iterator<Item = &'a Document>) -> Vec<MoreFact> {
    let mut found: BTreeMap<&str, MoreFact> = BTreeMap::new();
    for document in versions {
        for (name, declared) in &document.facts {
            let field = service.fields.iter().any(|field| field.name == *name);
            let file = service.attachments.iter().any(|file| format!("attachment_{}", file.name) == *name);
            if field || file || WORKED_OUT.iter().any(|(known, _)| known == name) || found.contains_key(name.as_str()) {
                continue;
            }
            let fact = MoreFact {
                fact: name.clone(),
                service: service.id.clone(),
                value: placeholder(declared.kind, document.version()),
                from: document.version(),
            };
            found.insert(name, fact);
        }
    }
    found.into_values().collect()
}

/// A value of the type, as it stands in YAML.
fn placeholder(kind: FactType, day: Date) -> String {
    match kind {
        FactType::Text => "\"TÄYDENNÄ\"".to_owned(),
        FactType::Number | FactType::Money => "\"1\"".to_owned(),
        FactType::Date => format!("\"{day}\""),
        FactType::Time => format!("\"{day}T12:00\""),
        FactType::Flag => "false".to_owned(),
    }
}
