//! `policy check`: everything that is wrong in a folder of policies, with file, line and what to write.
//!
//! The readers find what is wrong in one file or one pack; here stands what needs both the pack and the
//! library (names of policies and statutes, facts that no form asks for), and the worked cases.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::assess::assess;
use super::document::{Document, decimal, parameter_value};
use super::format::{GoverningDate, WorkedCase, WorkedCases};
use super::library::Library;
use super::rulebook::Rulebook;
use crate::cases::{
    Assessment, DocumentId, Euro, Evidence, Fact, FactType, Facts, MunicipalityId, Owner, ParameterValue, Value,
};
use crate::clock::helsinki;
use crate::municipality::format::{MunicipalityFile, ServiceFile};
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
        sources_of_facts(pack, service, library, faults);
        for (kind, provisions) in &service.provisions {
            for provision in provisions {
                let line = origin.line(&["provisions", kind.as_str()]);
                check_provision(provision, library, &origin.file, line, faults);
            }
        }
        owners(pack, service, origin, faults);
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

/// Every fact that a policy may read is given by a field, an attachment, a register or the clock.
fn sources_of_facts(pack: &Pack, service: &ServiceFile, library: &Library, faults: &mut Faults) {
    let registers: Vec<&str> = pack
        .municipality
        .registers
        .iter()
        .filter(|row| row.service == service.id && row.about.is_none())
        .map(|row| row.fact.as_str())
        .collect();
    let attachments: Vec<String> = service.attachments.iter().map(|a| format!("attachment_{}", a.name)).collect();
    for document in service.policy.iter().flat_map(|policy| library.versions(policy)) {
        for (name, declared) in &document.facts {
            let field = service.fields.iter().find(|field| field.name == *name).map(|field| field.kind.fact_type());
            let worked_out = WORKED_OUT.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
            let given = if worked_out.is_some() {
                worked_out
            } else if attachments.contains(name) {
                Some(FactType::Flag)
            } else if registers.contains(&name.as_str()) {
                Some(declared.kind)
            } else {
                field
            };
            if given == Some(declared.kind) {
                continue;
            }
            let line = std::fs::read_to_string(&document.file).ok().map(|s| yaml::line_of(&s, &["facts", name]));
            if let Some(kind) = given {
                let (here, there) = (type_name(declared.kind), type_name(kind));
                let what = format!("the fact `{name}` is declared as {here} and given as {there}");
                let instead = format!("write the same type here and in the service `{}`", service.id);
                faults.at(&document.file, line, what, instead);
                continue;
            }
            let fields = service.fields.iter().map(|field| field.name.as_str());
            let instead = yaml::nearest(name, fields.chain(registers.iter().copied())).map_or_else(
                || format!("add a field to the service `{}`, or a register fact", service.id),
                |near| format!("write `{near}`"),
            );
            let what = format!("no field, attachment or register of `{}` gives the fact `{name}`", service.id);
            faults.at(&document.file, line, what, instead);
        }
    }
}

/// Facts that code works out; any document may declare them.
const WORKED_OUT: [(&str, FactType); 7] = [
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
        let ours = matches!(category.owner, Owner::Municipality | Owner::OnCall | Owner::Emergency112);
        // Owners without an office of their own: the sender is told, nobody is written to.
        let nobody =
            matches!(category.owner, Owner::PlotOwner | Owner::HousingCompany | Owner::PrivateRoad | Owner::Other);
        let row = pack
            .authorities
            .iter()
            .filter(|row| row.valid.to.is_none())
            .any(|row| category.authority.as_ref().map_or(row.owner == Some(category.owner), |id| row.id == *id));
        if !ours && !nobody && !row {
            let what = format!(
                "the category `{}` belongs to `{}`, for which no authority is listed",
                category.code, category.owner
            );
            let line = origin.line(&["categories", &format!("#{n}")]);
            faults.at(&origin.file, line, what, "add a row without an end date to authorities.yaml");
        }
    }
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
            let Some(facts) = stated_facts(case, document, library, &file, &at, faults) else { continue };
            let date = governing_date(document, &facts).unwrap_or(case.version);
            let assessment = assess(document, &facts, &[], &[], date);
            compare(case, &assessment, document, &file, &at, faults);
        }
        read.entry(cases.document).or_default().extend(cases.cases);
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
