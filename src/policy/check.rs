//! `policy check`: everything that is wrong in a folder of policies, with file, line and what to write.
//!
//! The readers find what is wrong in one file or one pack; here stands what needs both the pack and the
//! library (names of policies and statutes, facts that no form asks for), and the worked cases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::assess::assess;
use super::document::{Document, Step, Working, decimal, parameter_value};
use super::expression::{Name, Space};
use super::format::{GoverningDate, WorkedCase, WorkedCases};
use super::library::Library;
use super::rulebook::Rulebook;
use super::table::Column;
use crate::cases::{
    AppealKind, Assessment, DocumentId, DraftKind, Effect, Euro, Evidence, Fact, FactType, Facts, Matter,
    MunicipalityId, Outcome, Owner, ParameterValue, Settles, Value,
};
use crate::clock::helsinki;
use crate::municipality::format::{FieldType, MunicipalityFile, RegisterFact, ServiceFile};
use crate::municipality::pack::{Origin, file_name};
use crate::municipality::yaml::{self, write_one_of};
use crate::municipality::{Faults, Pack};

/// Every fault in a folder of policies, in the order of files and lines.
#[must_use]
pub fn check(root: &Path) -> Faults {
    let mut faults = Faults::new();
    for id in municipalities(root, &mut faults) {
        Rulebook::read(root, &id, &mut faults);
    }
    faults.sort();
    faults
}

/// The municipalities below a folder: every folder but the base pack and the schemas.
pub(super) fn municipalities(root: &Path, faults: &mut Faults) -> Vec<MunicipalityId> {
    let mut ids = Vec::new();
    let Ok(entries) = std::fs::read_dir(root) else {
        faults.at(root, None, "the folder of policies cannot be read", "name the folder that holds `base`");
        return ids;
    };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let name = file_name(&path);
        if name.starts_with('.') || name == "base" || name == "schemas" {
            continue;
        }
        match name.parse() {
            Ok(id) => ids.push(id),
            Err(_) => faults.at(&path, None, "the folder's name is no id", "write a–z, 0–9 and -"),
        }
    }
    ids.sort();
    if ids.is_empty() {
        faults.at(root, None, "there is no municipality", "add a folder with a `municipality.yaml`");
    }
    ids
}

/// What documents say that they govern and read, whatever their rules are.
pub(super) fn facts(pack: &Pack, library: &Library, faults: &mut Faults) {
    for document in library.documents() {
        governed_exist(pack, document, faults);
        sources_of_facts(pack, document, faults);
    }
}

/// What services name in the library, and owners in the directory.
pub(super) fn services(pack: &Pack, library: &Library, faults: &mut Faults) {
    for (id, service) in &pack.services {
        let Some(origin) = pack.origin("service", id.as_str()) else { continue };
        let ids = || library.ids().map(DocumentId::as_str);
        if let Some(policy) = &service.policy {
            let versions = library.versions(policy);
            if versions.is_empty() {
                let instead = write_one_of(policy.as_str(), ids());
                faults.at(&origin.file, origin.line(&["policy"]), format!("unknown policy `{policy}`"), instead);
            }
        }
        summed_steps(pack, service, library, origin, faults);
        appeal(pack, service, library, origin, faults);
        for (kind, provisions) in &service.provisions {
            for provision in provisions {
                let line = origin.line(&["provisions", kind.as_str()]);
                check_provision(provision, library, &origin.file, line, faults);
            }
        }
        owners(pack, service, origin, faults);
    }
    for document in library.documents() {
        compared_words(pack, document, faults);
        tables(pack, document, faults);
    }
    for row in &pack.delegations {
        let Some(origin) = pack.origin("delegation", &crate::municipality::pack::row_key(&row.id, row.valid)) else {
            continue;
        };
        // A delegation rests on a policy section where the library has that policy.
        let known = row.source.split_once('#').is_some_and(|(id, _)| library.ids().any(|d| d.as_str() == id));
        if known {
            let line = origin.line(&["delegation", &format!("#{}", origin.place), "source"]);
            check_provision(&row.source, library, &origin.file, line, faults);
        }
    }
}

/// The tables of a policy fit the choices of the forms, and leave no hole.
fn tables(pack: &Pack, document: &Document, faults: &mut Faults) {
    let choices = |column: &Column| choices(pack, document, column.expression.as_name()?);
    for step in &document.steps {
        let Working::Table(table) = &step.working else { continue };
        for flaw in table.strangers(&choices).into_iter().chain(table.holes(&choices)) {
            faults.at(&document.file, flaw.line, flaw.what, flaw.instead);
        }
    }
}

/// Every kind of decision that the rules can lead to says how to appeal (hallintolaki 46 §), and the instructions fit.
fn appeal(pack: &Pack, service: &ServiceFile, library: &Library, origin: &Origin, faults: &mut Faults) {
    let mut at = |line: usize, what: String, instead: String| faults.at(&origin.file, line, what, instead);
    let rules = || service.policy.iter().flat_map(|policy| library.versions(policy)).flat_map(|version| &version.rules);
    let decided = service.policy.as_ref().is_some_and(|policy| !library.versions(policy).is_empty());
    for outcome in [Outcome::Granted, Outcome::Partial, Outcome::Rejected, Outcome::Inadmissible] {
        let (usual, possible) = match outcome {
            Outcome::Partial => (DraftKind::Partial, rules().any(|rule| rule.effect == Effect::Partial)),
            Outcome::Inadmissible => (DraftKind::Inadmissible, rules().any(|rule| rule.effect == Effect::Inadmissible)),
            Outcome::Rejected => (DraftKind::Rejection, rules().any(|rule| rule.effect == Effect::Rejection)),
            _ => (DraftKind::Grant, decided),
        };
        let usual = (!service.drafts.contains_key(&outcome)).then_some(usual);
        let kinds: BTreeSet<DraftKind> = service.drafts_of(outcome).chain(usual).collect();
        let silent = |kind: &&DraftKind| kind.settles() != Settles::Never && !service.appeal.contains_key(kind);
        for kind in kinds.iter().filter(|_| possible).filter(silent) {
            let what = format!("a decision of the kind `{kind}` says nothing of appeal");
            at(origin.line(&["appeal"]), what, format!("add `{kind}: A` to `appeal`, or the block that fits"));
        }
    }
    if service.appeal.values().any(|block| *block == AppealKind::A) && service.delegations().next().is_none() {
        let what = "a claim for revision goes to nobody: the service has no `delegation`".to_owned();
        at(origin.line(&["appeal"]), what, "add `delegation: …` with the row that says who decides".to_owned());
    }
    for (kind, block) in &service.appeal {
        let line = origin.line(&["appeal", kind.as_str()]);
        let carries = *block != AppealKind::None && *block != AppealKind::D;
        if carries && kind.settles() == Settles::Never {
            let what = format!("`{kind}` decides nothing and has instructions for appeal");
            at(line, what, format!("leave `{kind}` out of `appeal` (kuntalaki 136 §)"));
        }
        if *block == AppealKind::C && service.matter != Matter::DocumentRequest {
            let what =
                format!("`C` is the appeal on a refused document, and the service is about `{}`", service.matter);
            at(line, what, "write `A` for a claim for revision, or `B` for a municipal appeal".to_owned());
        }
        let id = format!("appeal-{block}");
        for language in pack.municipality.languages.iter().filter(|_| *block != AppealKind::None) {
            if !pack.texts.iter().any(|text| text.id == id && text.language == *language) {
                let what = format!("there is no text `{id}` in `{language}`");
                at(line, what, format!("add `texts/{language}/{id}.md`, or write another block"));
            }
        }
    }
}

/// The services that a document governs: those that name it as their policy, and those that it names.
fn governed<'a>(pack: &'a Pack, document: &'a Document) -> impl Iterator<Item = &'a ServiceFile> {
    pack.services
        .values()
        .filter(|service| service.policy.as_ref() == Some(&document.id) || document.services.contains(&service.id))
}

/// A document governs services that there are.
fn governed_exist(pack: &Pack, document: &Document, faults: &mut Faults) {
    for id in &document.services {
        if !pack.services.contains_key(id) && !pack.municipality.without.contains(id) {
            let instead = write_one_of(id.as_str(), pack.services.keys().map(crate::cases::ServiceId::as_str));
            let line = line_in(&document.file, &[], "services");
            faults.at(&document.file, line, format!("the policy governs an unknown service `{id}`"), instead);
        }
    }
}

/// A step that a history adds up is a sum of money in the policy of every service whose cases count.
fn summed_steps(pack: &Pack, service: &ServiceFile, library: &Library, origin: &Origin, faults: &mut Faults) {
    for (n, history) in service.history.iter().enumerate() {
        let Some(name) = &history.step else { continue };
        let counted = history.services(&service.id).filter_map(|id| pack.service(id));
        for counted in counted {
            let versions: Vec<&Document> = counted.policy.iter().flat_map(|id| library.versions(id)).collect();
            let steps = || versions.iter().flat_map(|document| &document.steps);
            let good = |document: &&Document| document.steps.iter().any(|step| is_sum(step) && step.name == *name);
            // A version that knows no such step gives no sum, and no fact.
            if versions.iter().any(good) {
                continue;
            }
            let line = origin.line(&["history", &format!("#{n}"), "step"]);
            let what =
                format!("`{}` adds up a step `{name}` that no policy of `{}` has in euros", history.fact, counted.id);
            let sums = steps().filter(|step| is_sum(step)).map(|step| step.name.as_str());
            faults.at(&origin.file, line, what, write_one_of(name, sums));
        }
    }
}

/// The line of a key of an entry, or of the entry where it lacks the key; the file was read a moment ago.
fn line_in(file: &Path, entry: &[&str], key: &str) -> Option<usize> {
    std::fs::read_to_string(file).ok().map(|source| yaml::line_within(&source, entry, key))
}

/// Every fact that a policy may read is given by a field, an attachment, other cases, a register or the clock, with the type and unit
/// that it is declared with.
fn sources_of_facts(pack: &Pack, document: &Document, faults: &mut Faults) {
    let services: Vec<&ServiceFile> = governed(pack, document).collect();
    let of_service = |row: &&RegisterFact| row.about.is_none() && services.iter().any(|s| s.id == row.service);
    let registers: Vec<&str> =
        pack.municipality.registers.iter().filter(of_service).map(|row| row.fact.as_str()).collect();
    for (name, declared) in document.facts.iter().filter(|_| !services.is_empty()) {
        let line = |key: &str| line_in(&document.file, &["facts", name], key);
        let mut given = registers.contains(&name.as_str()) || document.is_of_round(name);
        let clock = WORKED_OUT.iter().find(|(known, _)| known == name).map(|(_, kind)| (*kind, None, None));
        let attached = |service: &&ServiceFile| {
            service.attachments.iter().any(|file| name.strip_prefix("attachment_") == Some(file.name.as_str()))
        };
        let attached = services.iter().copied().find(attached);
        let attached = attached.map(|service| (FactType::Flag, None, Some(service)));
        let fields = services.iter().filter_map(|service| {
            let field = service.fields.iter().find(|field| field.name == *name)?;
            Some((field.kind.fact_type(), field.unit(), Some(*service)))
        });
        let others = services.iter().filter_map(|service| {
            let history = service.history.iter().find(|history| history.fact == *name)?;
            let kind = history.fact_type(&service.fields);
            Some((kind, (kind == FactType::Money).then_some("EUR"), Some(*service)))
        });
        if declared.ask.is_some() && others.clone().next().is_some() {
            let what = format!("the fact `{name}` comes from other cases, and the applicant is asked for it");
            faults.at(&document.file, line("ask"), what, "leave `ask` out");
        }
        for (kind, unit, service) in clock.into_iter().chain(attached).chain(fields).chain(others) {
            given = true;
            let whose =
                service.map_or_else(|| "as code works it out".to_owned(), |s| format!("in the service `{}`", s.id));
            if kind != declared.kind {
                let (here, there) = (type_name(declared.kind), type_name(kind));
                let what = format!("the fact `{name}` is declared as {here} and given as {there}");
                faults.at(&document.file, line("type"), what, format!("write the same type here and {whose}"));
            } else if unit.unwrap_or_default() != declared.unit().unwrap_or_default() {
                let shown =
                    |unit: Option<&str>| unit.map_or("without a unit".to_owned(), |unit| format!("in `{unit}`"));
                let (here, there) = (shown(declared.unit()), shown(unit));
                let what = format!("the fact `{name}` is declared {here} and given {there}");
                faults.at(&document.file, line("unit"), what, format!("write the same unit here and {whose}"));
            }
        }
        if !given {
            let ids: Vec<String> = services.iter().map(|service| format!("`{}`", service.id)).collect();
            let ids = ids.join(" or ");
            let fields = services.iter().flat_map(|service| &service.fields).map(|field| field.name.as_str());
            let history = services.iter().flat_map(|service| &service.history).map(|history| history.fact.as_str());
            let names = fields.chain(history).chain(registers.iter().copied()).chain(WORKED_OUT.map(|(name, _)| name));
            let instead = yaml::nearest(name, names).map_or_else(
                || format!("add a field or a `history` to the service {ids}, or a register fact"),
                |near| format!("write `{near}`"),
            );
            let what = format!("no field, attachment, history or register of {ids} gives the fact `{name}`");
            faults.at(&document.file, line(""), what, instead);
        }
    }
}

fn is_sum(step: &Step) -> bool {
    step.unit.as_deref() == Some("EUR")
}

/// A word that a rule or step compares a choice with is one of the form's choices.
fn compared_words(pack: &Pack, document: &Document, faults: &mut Faults) {
    let rules = document.rules.iter().flat_map(|rule| rule.cases.iter().filter_map(|(when, _)| when.as_ref()));
    let steps = document.steps.iter().flat_map(|step| match &step.working {
        Working::Expression(expression) => vec![expression],
        Working::Table(table) => table.columns.iter().map(|column| &column.expression).collect(),
    });
    for expression in rules.chain(steps) {
        for (name, word) in expression.compared_words() {
            let choices = choices(pack, document, name);
            if let Some(choices) = choices.filter(|choices| !choices.iter().any(|choice| choice == word)) {
                let line = std::fs::read_to_string(&document.file).ok().and_then(|source| {
                    let first = expression.source().lines().next().unwrap_or_default().trim().to_owned();
                    source.lines().position(|line| line.contains(&first)).map(|n| n + 1)
                });
                let what = format!("`{name}` is never `{word}`: that is no choice of the form");
                faults.at(&document.file, line, what, write_one_of(word, choices.iter().map(String::as_str)));
            }
        }
    }
}

/// What a fact can be, where every form that gives it offers a choice.
fn choices(pack: &Pack, document: &Document, name: &Name) -> Option<Vec<String>> {
    if name.space != Space::Facts {
        return None;
    }
    let mut choices = Vec::new();
    for field in governed(pack, document).flat_map(|service| &service.fields).filter(|f| f.name == name.name) {
        if field.kind != FieldType::Choice {
            return None;
        }
        choices.extend(field.choices.keys().cloned());
    }
    (!choices.is_empty()).then_some(choices)
}

/// Facts that code works out; any document may declare them.
pub(super) const WORKED_OUT: [(&str, FactType); 7] = [
    ("received_at", FactType::Time),
    ("sent_at", FactType::Time),
    ("window_opens", FactType::Time),
    ("window_end", FactType::Time),
    ("decision_date", FactType::Date),
    ("claim_until", FactType::Date),
    ("claim_date", FactType::Date),
];

fn check_provision(provision: &str, library: &Library, file: &Path, line: usize, faults: &mut Faults) {
    let parts = provision.split_once('#').and_then(|(id, section)| {
        Some((id.parse::<DocumentId>().ok()?, section.parse::<crate::cases::SectionId>().ok()?))
    });
    let Some((id, section)) = parts else {
        faults.at(
            file,
            line,
            format!("`{provision}` is no section"),
            "write `document#section`, for example `hallintolaki#s44`",
        );
        return;
    };
    let versions = library.versions(&id);
    let Some(last) = versions.last() else {
        let instead = yaml::nearest(id.as_str(), library.ids().map(DocumentId::as_str)).map_or_else(
            || format!("add `base/law/{id}.fi.md` and its pair in `sv`"),
            |near| format!("write `{near}`"),
        );
        faults.at(file, line, format!("unknown document `{id}` in `{provision}`"), instead);
        return;
    };
    if !versions.iter().any(|document| document.section(&section).is_some()) {
        let instead = write_one_of(section.as_str(), last.sections.iter().map(|s| s.id.as_str()));
        faults.at(file, line, format!("`{id}` has no section `{section}`"), instead);
    }
}

/// A category that is another's matter needs somebody to send it to.
fn owners(pack: &Pack, service: &ServiceFile, origin: &Origin, faults: &mut Faults) {
    for (n, category) in service.categories.iter().enumerate() {
        let row = pack
            .authorities
            .iter()
            .filter(|row| row.valid.to.is_none())
            .any(|row| category.authority.as_ref().map_or(row.owner == Some(category.owner), |id| row.id == *id));
        if is_written_to(category.owner) && !row {
            let what = format!(
                "the category `{}` belongs to `{}`, for which no authority is listed",
                category.code, category.owner
            );
            let line = origin.line(&["categories", &format!("#{n}")]);
            faults.at(&origin.file, line, what, "add a row without an end date to authorities.yaml");
        }
    }
}

/// Whether matters of this owner are sent on. Our own are not; and owners without an office are told of by the sender's
/// letter alone.
pub(super) const fn is_written_to(owner: Owner) -> bool {
    !matches!(
        owner,
        Owner::Municipality
            | Owner::OnCall
            | Owner::Emergency112
            | Owner::PlotOwner
            | Owner::HousingCompany
            | Owner::PrivateRoad
            | Owner::Other
    )
}

/// Runs the worked cases of a municipality's documents; gives them by document.
pub(super) fn worked_cases(
    root: &Path,
    own: &MunicipalityFile,
    library: &Library,
    faults: &mut Faults,
) -> BTreeMap<DocumentId, Vec<WorkedCase>> {
    let mut read: BTreeMap<DocumentId, Vec<WorkedCase>> = BTreeMap::new();
    let base = root.join("base");
    let mut own_cases = BTreeSet::new();
    for file in Library::worked_case_files(root, own) {
        let Some(source) = yaml::read_file(&file, faults) else { continue };
        let Some(cases) = yaml::read::<WorkedCases>(&file, &source, 1, faults) else { continue };
        let of_base = file.starts_with(&base);
        if library.versions(&cases.document).is_empty() {
            // A municipality need not adopt every policy of the base pack.
            if of_base {
                continue;
            }
            let instead = write_one_of(cases.document.as_str(), library.ids().map(DocumentId::as_str));
            let line = yaml::line_of(&source, &["document"]);
            faults.at(&file, line, format!("unknown document `{}`", cases.document), instead);
            continue;
        }
        // Where the municipality has a text of its own, the base's cases are not about it.
        let own_text = library.versions(&cases.document).iter().any(|document| !document.file.starts_with(&base));
        if of_base && own_text {
            continue;
        }
        let deviates = |version: Date| {
            own.adoptions
                .iter()
                .any(|by| by.document == cases.document && by.version == version && !by.parameters.is_empty())
        };
        for (n, case) in cases.cases.iter().enumerate() {
            let place = format!("#{n}");
            let at = |path: &[&str]| yaml::line_of(&source, &[&["cases", &place], path].concat());
            let Some(document) = library.version(&cases.document, case.version) else {
                if of_base {
                    continue;
                }
                let versions: Vec<String> =
                    library.versions(&cases.document).iter().map(|d| d.version().to_string()).collect();
                let instead = write_one_of(&case.version.to_string(), versions.iter().map(String::as_str));
                faults.at(&file, at(&["version"]), format!("there is no version of {}", case.version), instead);
                continue;
            };
            // With other values other things come out: the municipality has worked cases of its own.
            if of_base && deviates(case.version) {
                continue;
            }
            let Some(facts) = stated_facts(case, document, library, &file, &at, faults) else { continue };
            let date = governing_date(document, &facts).unwrap_or(case.version);
            let assessment = assess(document, &facts, &[], &[], date);
            compare(case, &assessment, document, &file, &at, faults);
        }
        if !of_base {
            own_cases.extend(cases.cases.iter().map(|case| case.name.clone()));
        }
        let stand = |case: &WorkedCase| !(of_base && deviates(case.version));
        let standing: Vec<WorkedCase> = cases.cases.iter().filter(|case| stand(case)).cloned().collect();
        read.entry(cases.document).or_default().extend(standing);
    }
    for (n, adoption) in own.adoptions.iter().enumerate().filter(|(_, by)| !by.parameters.is_empty()) {
        let worked = read.get(&adoption.document).is_some_and(|cases| {
            cases.iter().any(|case| case.version == adoption.version && own_cases.contains(&case.name))
        });
        let file = root.join(own.id.as_str()).join("municipality.yaml");
        if !worked {
            let line = std::fs::read_to_string(&file)
                .ok()
                .map(|source| yaml::line_of(&source, &["adoptions", &format!("#{n}"), "parameters"]));
            let what = format!("no worked case shows `{}@{}` with these values", adoption.document, adoption.version);
            let instead = format!("add one to {}/policies/{}.tests.yaml", own.id, adoption.document);
            faults.at(&file, line, what, instead);
        }
    }
    read
}

type LineOf<'a> = dyn Fn(&[&str]) -> usize + 'a;

fn stated_facts(
    case: &WorkedCase,
    document: &Document,
    library: &Library,
    file: &Path,
    at: &LineOf<'_>,
    faults: &mut Faults,
) -> Option<Facts> {
    let before = faults.len();
    let mut facts = Facts::default();
    let mut state = |name: &str, value: Value| {
        let unit = document.facts.get(name).and_then(|fact| fact.unit.clone());
        let evidence = Evidence::Form { field: name.to_owned() };
        facts.insert(Fact { name: name.to_owned(), value, unit, evidence });
    };
    let mut received = None;
    for (name, written) in &case.facts {
        let line = || at(&["facts", name]);
        let Some(declared) = document.facts.get(name) else {
            let what = format!("the worked case {} states an unknown fact `{name}`", case.name);
            faults.at(file, line(), what, write_one_of(name, document.facts.keys().map(String::as_str)));
            continue;
        };
        let Some(value) = value_of(written, declared.kind) else {
            let what = format!("the worked case {}: `{name}` is not {}", case.name, type_name(declared.kind));
            faults.at(file, line(), what, example_of(declared.kind));
            continue;
        };
        if let ("received_at", Value::Time(time)) = (name.as_str(), &value) {
            received = Some(*time);
        }
        state(name, value);
    }
    // What code works out for every case.
    if let Some(time) = received {
        let span = library.window_for(&document.id, time);
        let computed = [
            ("sent_at", Some(time)),
            ("window_opens", span.map(|span| span.opens)),
            ("window_end", span.map(|span| span.closes)),
        ];
        for (name, time) in computed {
            if let Some(time) = time.filter(|_| document.facts.contains_key(name) && !case.facts.contains_key(name)) {
                state(name, Value::Time(time));
            }
        }
    }
    (faults.len() == before).then_some(facts)
}

fn governing_date(document: &Document, facts: &Facts) -> Option<Date> {
    let name = match document.governing_date {
        GoverningDate::WindowEnd => "window_end",
        GoverningDate::Arrival => "received_at",
        GoverningDate::Event => document.event.as_deref()?,
        GoverningDate::Decision => return None,
    };
    match facts.get(name)?.value {
        Value::Date(date) => Some(date),
        Value::Time(time) => Some(time.to_zoned(helsinki()).date()),
        _ => None,
    }
}

/// A written value as the declared type; none when it is not of that type.
fn value_of(written: &ParameterValue, kind: FactType) -> Option<Value> {
    let text = match written {
        ParameterValue::Integer(number) => number.to_string(),
        ParameterValue::Text(text) => text.clone(),
        ParameterValue::Flag(flag) => return (kind == FactType::Flag).then_some(Value::Flag(*flag)),
    };
    Some(match kind {
        FactType::Text => Value::Text(text),
        FactType::Number => Value::Number(decimal(&text)?),
        FactType::Money => Value::Money(Euro::exact(decimal(&text)?).ok()?),
        FactType::Date => Value::Date(text.parse().ok()?),
        FactType::Time => Value::Time(moment(&text)?),
        FactType::Flag => return None,
    })
}

/// A moment with its offset, or in Finnish time without one: `2026-04-15T15:00`.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(helsinki()).ok().map(|zoned| zoned.timestamp()))
}

const fn type_name(kind: FactType) -> &'static str {
    match kind {
        FactType::Text => "text",
        FactType::Number => "a number",
        FactType::Money => "an amount of euros",
        FactType::Date => "a date",
        FactType::Time => "a time",
        FactType::Flag => "a flag",
    }
}

const fn example_of(kind: FactType) -> &'static str {
    match kind {
        FactType::Text => "write text",
        FactType::Number => "write a number, decimals in quotes: \"2350.5\"",
        FactType::Money => "write euros in quotes: \"6120.40\"",
        FactType::Date => "write a date: 2026-04-15",
        FactType::Time => "write a time in Finland: 2026-04-15T15:00",
        FactType::Flag => "write true or false",
    }
}

fn compare(
    case: &WorkedCase,
    got: &Assessment,
    document: &Document,
    file: &Path,
    at: &LineOf<'_>,
    faults: &mut Faults,
) {
    let expect = &case.expect;
    let mut differs = |path: &[&str], what: &str, expected: String, got: String| {
        let what = format!("the worked case {}: {what} should be {expected} and is {got}", case.name);
        faults.at(file, at(path), what, "correct the rule, or the case if it is wrong");
    };
    if got.outcome != expect.outcome {
        differs(
            &["expect", "outcome"],
            "the outcome",
            expect.outcome.to_string(),
            format!("{}{}", got.outcome, why(got)),
        );
    }
    if expect.amount.is_some() && got.amount != expect.amount {
        let shown = |amount: Option<Euro>| amount.map_or("none".to_owned(), |euro| euro.to_string());
        differs(&["expect", "amount"], "the amount", shown(expect.amount), shown(got.amount));
    }
    for (rule, expected) in &expect.rules {
        let outcome = got.rules.iter().find(|trace| trace.rule == *rule).map(|trace| trace.outcome);
        if outcome != Some(*expected) {
            let known: Vec<&str> = document.rules.iter().map(|rule| rule.id.as_str()).collect();
            let shown = outcome.map_or_else(
                || format!("no rule ({})", write_one_of(rule.as_str(), known.iter().copied())),
                |outcome| outcome.to_string(),
            );
            differs(&["expect", "rules", rule.as_str()], &format!("the rule `{rule}`"), expected.to_string(), shown);
        }
    }
    let steps: BTreeMap<&str, Option<&Value>> =
        got.calculation.iter().map(|step| (step.name.as_str(), step.value.as_ref())).collect();
    for (name, expected) in &expect.steps {
        let value = steps.get(name.as_str()).copied().flatten();
        let same = value.is_some_and(|value| match (value, parameter_value(&ParameterValue::Text(expected.clone()))) {
            (Value::Number(a), Value::Number(b)) => *a == b,
            (Value::Money(a), Value::Number(b)) => a.decimal() == b,
            (a, _) => a.plain() == *expected,
        });
        if !same {
            let shown = value.map_or_else(|| "unknown".to_owned(), Value::plain);
            differs(&["expect", "steps", name], &format!("the step `{name}`"), expected.clone(), shown);
        }
    }
}

/// The rules that made an outcome what it is, for the fault.
fn why(got: &Assessment) -> String {
    let rules: Vec<String> = got
        .rules
        .iter()
        .filter(|trace| trace.outcome != crate::cases::RuleOutcome::Met)
        .map(|trace| {
            let missing =
                if trace.missing.is_empty() { String::new() } else { format!(" (no {})", trace.missing.join(", ")) };
            format!("{} {}{missing}", trace.rule, trace.outcome)
        })
        .collect();
    if rules.is_empty() { String::new() } else { format!(" because of {}", rules.join(", ")) }
}
