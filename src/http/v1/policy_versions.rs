//! Policies and statutes by version: the list, one version with what stands under each section, two side by side.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::List;
use crate::app::App;
use crate::cases::{DocumentId, Language, Localized, Outcome, ParameterUse, Person, RuleOutcome, SectionId, ServiceId};
use crate::clock::helsinki;
use crate::http::body::Parameters;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, ReadCases};
use crate::http::openapi::Problems;
use crate::policy::comparison::{Comparison, compare as compare_versions};
use crate::policy::expression::Space;
use crate::policy::format::{DocumentKind, WorkedCase};
use crate::policy::in_words::{RuleInWords, Wording};
use crate::policy::{Document, Library, Rulebook};
use crate::storage::{SectionUse, Uses};

/// Case numbers that a section shows.
const LATEST: u32 = 5;

/// On which day, in which language.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OnDay {
    /// The day on which a version must be in force to be marked so; today when left out.
    #[param(value_type = Option<String>, format = "date")]
    pub on: Option<Date>,
    /// Language of the titles; Finnish when left out.
    pub language: Option<Language>,
}

/// In which language.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct InLanguage {
    /// Language of the text and of rules in words; Finnish when left out, and for a text that is not written in it.
    pub language: Option<Language>,
}

/// Which two versions.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Two {
    /// The first version, by its first day in force.
    #[param(value_type = String, format = "date")]
    pub a: Date,
    /// The second version, by its first day in force.
    #[param(value_type = String, format = "date")]
    pub b: Date,
    /// Language of the texts and of rules in words; Finnish when left out.
    pub language: Option<Language>,
}

/// A document with its versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyDocument {
    /// Its id.
    document: DocumentId,
    /// `policy` or `law`.
    kind: &'static str,
    /// Title of the newest version.
    title: String,
    /// Number of a statute.
    number: Option<String>,
    /// The services that it governs.
    #[schema(value_type = Vec<String>)]
    services: Vec<ServiceId>,
    /// Its versions, newest first.
    versions: Vec<PolicyVersionRow>,
}

/// A version in a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyVersionRow {
    /// Its name: the day from which it is in force.
    #[schema(value_type = String, format = "date")]
    version: Date,
    /// Its last day; null while it is open.
    #[schema(value_type = Option<String>, format = "date")]
    until: Option<Date>,
    /// Whether it is in force on the day that was asked about.
    in_force: bool,
    /// The languages that it is written in.
    languages: Vec<Language>,
    /// How many sections it has.
    sections: usize,
    /// How many rules stand under them.
    rules: usize,
}

/// One version of a document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyVersion {
    /// The document.
    document: DocumentId,
    /// `policy` or `law`.
    kind: &'static str,
    /// The version.
    #[schema(value_type = String, format = "date")]
    version: Date,
    /// Its last day; null while it is open.
    #[schema(value_type = Option<String>, format = "date")]
    until: Option<Date>,
    /// Its title.
    title: String,
    /// Number of a statute.
    number: Option<String>,
    /// Body, day and section of the minutes that adopted it.
    adopted: Option<PolicyAdoption>,
    /// The language of its texts here.
    language: Language,
    /// Every version of the document, newest first.
    #[schema(value_type = Vec<String>)]
    versions: Vec<Date>,
    /// Exact values that its rules use.
    parameters: BTreeMap<String, ParameterUse>,
    /// Its sections, in order.
    sections: Vec<PolicySection>,
}

/// Who adopted a version.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyAdoption {
    /// The body.
    body: String,
    /// The day of its meeting.
    #[schema(value_type = String, format = "date")]
    date: Date,
    /// Section of the minutes.
    section: String,
}

/// A section with what stands under it and what rests on it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicySection {
    /// Its anchor.
    section: SectionId,
    /// Its heading.
    heading: String,
    /// Its text, as it may be quoted.
    text: String,
    /// The rules under it.
    rules: Vec<PolicyRule>,
    /// The steps of the calculation under it.
    steps: Vec<PolicyStep>,
    /// How many cases of the municipality rest on it, by their current drafts.
    uses: Uses,
    /// The latest of them.
    latest: Vec<SectionUse>,
}

/// A rule under a section.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyRule {
    /// The rule in words.
    #[serde(flatten)]
    words: RuleInWords,
    /// The condition as written in the file.
    condition: String,
    /// The facts that it reads, by name, as the form calls them; through steps of the calculation, too.
    inputs: BTreeMap<String, String>,
    /// The words of the section that carry it.
    quote: Localized,
    /// Worked cases of this version that say how it must come out.
    worked: Vec<WorkedOutcome>,
}

/// What a worked case says of a rule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WorkedOutcome {
    /// Name of the worked case.
    name: String,
    /// How the rule must come out.
    rule: RuleOutcome,
    /// What the case must come to.
    outcome: Outcome,
}

/// A step of the calculation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PolicyStep {
    /// Its name.
    name: String,
    /// What it is, in words.
    label: String,
    /// How it is worked out, in words.
    words: String,
    /// The expression as written in the file.
    expression: String,
    /// Whether it is the amount granted.
    amount: bool,
}

const fn kind(document: &Document) -> &'static str {
    match document.kind {
        DocumentKind::Policy => "policy",
        DocumentKind::Law => "law",
    }
}

/// The version that a path names: `id@2026-01-01`, or `id` for the one in force today, else the newest.
fn named<'a>(library: &'a Library, name: &str, today: Date) -> Result<&'a Document> {
    let none = || Error::NoSuch("policy");
    let (id, from) = name.split_once('@').map_or((name, None), |(id, from)| (id, Some(from)));
    let id: DocumentId = id.parse().map_err(|_| none())?;
    match from {
        Some(from) => library.version(&id, from.parse().map_err(|_| none())?),
        None => library.version_on(&id, today).or_else(|| library.versions(&id).last().copied()),
    }
    .ok_or_else(none)
}

/// Two versions of one document.
pub fn two<'a>(library: &'a Library, name: &str, which: &Two) -> Result<(&'a Document, &'a Document)> {
    let none = || Error::NoSuch("policy");
    let id: DocumentId = name.parse().map_err(|_| none())?;
    let version = |from| library.version(&id, from).ok_or_else(none);
    Ok((version(which.a)?, version(which.b)?))
}

fn today(app: &App) -> Date {
    app.ambient().now().to_zoned(helsinki()).date()
}

/// The documents of a rulebook: policies first, then statutes, by title.
pub fn documents(book: &Rulebook, on: Date, language: Language) -> Vec<PolicyDocument> {
    let mut items: Vec<PolicyDocument> = book
        .library
        .ids()
        .filter_map(|id| {
            let versions = book.library.versions(id);
            let newest = versions.last()?;
            Some(PolicyDocument {
                document: id.clone(),
                kind: kind(newest),
                title: newest.title(language).to_owned(),
                number: newest.number.clone(),
                services: newest.services.clone(),
                versions: versions.iter().rev().map(|version| row(version, on)).collect(),
            })
        })
        .collect();
    items.sort_by(|one, other| (one.kind == "law", &one.title).cmp(&(other.kind == "law", &other.title)));
    items
}

fn row(version: &Document, on: Date) -> PolicyVersionRow {
    PolicyVersionRow {
        version: version.version(),
        until: version.in_force.to,
        in_force: version.in_force.contains(on),
        languages: version.titles.keys().copied().collect(),
        sections: version.sections.len(),
        rules: version.rules.len(),
    }
}

/// One version with everything that stands under its sections and the cases that rest on them.
pub async fn version(app: &App, person: &Person, name: &str, language: Language) -> Result<PolicyVersion> {
    let book = &app.review().desk(&person.municipality)?.rulebook;
    let document = named(&book.library, name, today(app))?;
    let storage = app.storage();
    let uses = storage.uses_of_version(&person.municipality, &document.id, document.version()).await?;
    let wording = Wording::new(document, &book.pack, language);
    let texts = document.text_language(language);
    let worked: Vec<&WorkedCase> = book.library.worked_cases(&document.id, document.version()).collect();
    let mut sections = Vec::with_capacity(document.sections.len());
    for section in &document.sections {
        let uses = uses.get(&section.id).copied().unwrap_or_default();
        let latest = match uses.cases {
            0 => Vec::new(),
            _ => storage.uses_of_section(&person.municipality, &document.reference(&section.id), LATEST).await?,
        };
        let rules = document.rules.iter().filter(|rule| rule.section == section.id);
        let steps = document.steps.iter().filter(|step| step.section == section.id);
        sections.push(PolicySection {
            section: section.id.clone(),
            heading: section.heading(texts).unwrap_or_default().to_owned(),
            text: section.text(texts).unwrap_or_default().to_owned(),
            rules: rules.map(|rule| policy_rule(document, rule, &wording, &worked)).collect(),
            steps: steps
                .map(|step| PolicyStep {
                    name: step.name.clone(),
                    label: step.label.get(language).to_owned(),
                    words: wording.step(step),
                    expression: step.source(),
                    amount: document.amount.as_ref() == Some(&step.name),
                })
                .collect(),
            uses,
            latest,
        });
    }
    let adopted = document.adopted.get(&texts);
    Ok(PolicyVersion {
        document: document.id.clone(),
        kind: kind(document),
        version: document.version(),
        until: document.in_force.to,
        title: document.title(language).to_owned(),
        number: document.number.clone(),
        adopted: adopted.map(|adopted| PolicyAdoption {
            body: adopted.body.clone(),
            date: adopted.date,
            section: adopted.section.clone(),
        }),
        language: texts,
        versions: book.library.versions(&document.id).iter().rev().map(|version| version.version()).collect(),
        parameters: document.parameters.clone(),
        sections,
    })
}

fn policy_rule(
    document: &Document,
    rule: &crate::policy::document::Rule,
    wording: &Wording<'_>,
    worked: &[&WorkedCase],
) -> PolicyRule {
    let mut inputs = BTreeMap::new();
    let mut todo: Vec<_> = rule.reads.iter().collect();
    // Steps read earlier steps only: this ends.
    while let Some(name) = todo.pop() {
        match name.space {
            Space::Facts => {
                inputs.insert(name.name.clone(), wording.fact(&name.name));
            }
            Space::Calc => {
                todo.extend(document.steps.iter().filter(|step| step.name == name.name).flat_map(|step| &step.reads));
            }
            Space::Params => {}
        }
    }
    let worked = worked.iter().filter_map(|case| {
        let outcome = *case.expect.rules.get(&rule.id)?;
        Some(WorkedOutcome { name: case.name.clone(), rule: outcome, outcome: case.expect.outcome })
    });
    PolicyRule {
        words: wording.rule(rule),
        condition: rule.condition.clone(),
        inputs,
        quote: rule.quote.clone(),
        worked: worked.collect(),
    }
}

/// Policies and statutes that bind in the municipality, each with its versions.
///
/// Roles: handler, approver, registry, auditor. Policies first, then statutes.
#[utoipa::path(get, path = "/policies", tag = "policies", params(OnDay),
    responses((status = 200, body = List<PolicyDocument>), Problems))]
pub async fn list(
    State(app): State<App>,
    person: Can<ReadCases>,
    Parameters(which): Parameters<OnDay>,
) -> Result<Json<List<PolicyDocument>>> {
    let book = &app.review().desk(&person.municipality)?.rulebook;
    let on = which.on.unwrap_or_else(|| today(&app));
    Ok(Json(List { items: documents(book, on, which.language.unwrap_or(Language::Fi)) }))
}

/// One version: its sections, the rules and steps under them, worked cases, and the cases that rest on each section.
///
/// Roles: handler, approver, registry, auditor. `document` is `id@version`, or `id` for the version in force today.
#[utoipa::path(get, path = "/policies/{document}", tag = "policies",
    params(("document" = String, Path, example = "private-road-grant@2026-01-01"), InLanguage),
    responses((status = 200, body = PolicyVersion), Problems))]
pub async fn show(
    State(app): State<App>,
    person: Can<ReadCases>,
    Path(document): Path<String>,
    Parameters(which): Parameters<InLanguage>,
) -> Result<Json<PolicyVersion>> {
    Ok(Json(version(&app, &person, &document, which.language.unwrap_or(Language::Fi)).await?))
}

/// Two versions side by side: each section word by word, values, rules and steps that changed.
///
/// Roles: handler, approver, registry, auditor.
#[utoipa::path(get, path = "/policies/{document}/compare", tag = "policies",
    params(("document" = String, Path, example = "private-road-grant"), Two),
    responses((status = 200, body = Comparison), Problems))]
pub async fn compare(
    State(app): State<App>,
    person: Can<ReadCases>,
    Path(document): Path<String>,
    Parameters(which): Parameters<Two>,
) -> Result<Json<Comparison>> {
    let book = &app.review().desk(&person.municipality)?.rulebook;
    let (before, after) = two(&book.library, &document, &which)?;
    Ok(Json(compare_versions(before, after, &book.pack, which.language.unwrap_or(Language::Fi))))
}
