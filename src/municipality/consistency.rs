//! What must hold between the files of one pack, beyond what their types say: names that exist, dates that
//! do not overlap, pairs of languages, ladders in order. Called once, when a pack is read.

use std::collections::BTreeSet;
use std::path::Path;

use super::condition::Condition;
use super::emergency::Lexicon;
use super::fault::Faults;
use super::format::{DeciderKind, Field, FieldType, ServiceFile};
use super::history;
use super::pack::{Origin, Pack, row_key};
use super::yaml::write_one_of;
use rust_decimal::Decimal;

use crate::cases::{Language, Matter, ParameterValue, Validity};

pub(super) fn check(pack: &Pack, faults: &mut Faults) {
    municipality(pack, faults);
    baselines(pack, faults);
    delegations(pack, faults);
    authorities(pack, faults);
    tasks(pack, faults);
    services(pack, faults);
    histories(pack, faults);
    texts(pack, faults);
    examples(pack, faults);
    if let (Err(why), Some(origin)) = (Lexicon::compile(&pack.emergency), pack.origin("emergency", "")) {
        faults.at(
            &origin.file,
            1,
            format!("the words of danger cannot be read: {why}"),
            "write patterns as `tulipalo*`",
        );
    }
}

/// Refuses a template that does not compile.
pub(super) fn check_template(file: &Path, body: &str, first_line: usize, faults: &mut Faults) {
    let environment = minijinja::Environment::new();
    if let Err(error) = environment.template_from_str(body) {
        let line = first_line + error.line().unwrap_or(1) - 1;
        let why = error.detail().unwrap_or("it cannot be read").to_owned();
        faults.at(file, line, format!("the template is wrong: {why}"), "write placeholders as `{{ name }}`");
    }
}

fn municipality(pack: &Pack, faults: &mut Faults) {
    let own = &pack.municipality;
    let Some(origin) = pack.origin("municipality", own.id.as_str()) else { return };
    let departments = || own.departments.keys().map(crate::cases::DepartmentId::as_str);
    let deciders = || own.deciders.keys().map(crate::cases::DeciderId::as_str);
    if own.languages.is_empty() {
        faults.at(&origin.file, origin.line(&["languages"]), "no language of service", "write `languages: [fi]`");
    }
    if own.case_prefix.is_empty() || !own.case_prefix.bytes().all(|b| b.is_ascii_uppercase()) {
        let what = format!("the case prefix `{}` is not capital letters", own.case_prefix);
        faults.at(&origin.file, origin.line(&["case_prefix"]), what, "write for example `case_prefix: HRJ`");
    }
    for (id, decider) in &own.deciders {
        let at = |key: &str| origin.line(&["deciders", id.as_str(), key]);
        if !own.departments.contains_key(&decider.department) {
            let what = format!("`{id}` belongs to an unknown department `{}`", decider.department);
            faults.at(&origin.file, at("department"), what, write_one_of(decider.department.as_str(), departments()));
        }
        if decider.kind == DeciderKind::Post && decider.claims_to.is_none() {
            let what = format!("nobody takes claims against decisions of the post `{id}`");
            faults.at(&origin.file, at("title"), what, "add `claims_to: …` with a body (kuntalaki 134 §)");
        }
        let takes = decider.claims_to.as_ref().and_then(|body| own.deciders.get(body));
        if takes.is_some_and(|takes| takes.kind != DeciderKind::Body) {
            let bodies = own.deciders.iter().filter(|(_, other)| other.kind == DeciderKind::Body);
            let what = format!("claims against decisions of `{id}` go to a post, not to a body");
            let instead = write_one_of("", bodies.map(|(id, _)| id.as_str()));
            faults.at(&origin.file, at("claims_to"), what, instead);
        }
        for (key, named) in [("claims_to", &decider.claims_to), ("deputy", &decider.deputy)] {
            if let Some(named) = named.as_ref().filter(|named| !own.deciders.contains_key(named)) {
                let what = format!("`{id}` names an unknown decider `{named}` as `{key}`");
                faults.at(&origin.file, at(key), what, write_one_of(named.as_str(), deciders()));
            }
        }
    }
    for (n, fact) in own.registers.iter().enumerate() {
        let service = pack.services.get(&fact.service);
        // What is about one party is proposed on a form: both the fact and what it is about are fields of it.
        if let (Some(service), Some(about)) = (service, &fact.about) {
            let fields = || service.fields.iter().map(|field| field.name.as_str());
            for name in [fact.fact.as_str(), about.field.as_str()] {
                if !fields().any(|field| field == name) {
                    let what = format!("the register fact `{}` names an unknown field `{name}`", fact.fact);
                    let line = origin.line(&["registers", &format!("#{n}")]);
                    faults.at(&origin.file, line, what, write_one_of(name, fields()));
                }
            }
        }
        if service.is_none() {
            let what = format!("the register fact `{}` names an unknown service `{}`", fact.fact, fact.service);
            let instead =
                write_one_of(fact.service.as_str(), pack.services.keys().map(crate::cases::ServiceId::as_str));
            let line = origin.line(&["registers", &format!("#{n}"), "service"]);
            faults.at(&origin.file, line, what, instead);
        }
    }
    let rows = own.registers.iter().enumerate().map(|(n, row)| {
        let about = row.about.as_ref().map_or_else(String::new, |about| format!(" of {}", about.value));
        (n, format!("{}/{}{about}", row.service, row.fact), row.valid)
    });
    for (n, key, from) in overlapping(rows) {
        let what = format!("two values of `{key}` hold on {from}");
        faults.at(
            &origin.file,
            origin.line(&["registers", &format!("#{n}")]),
            what,
            "end the earlier one the day before",
        );
    }
}

/// A baseline stands for a measurement: of a service that is there, of some cases, with a source.
fn baselines(pack: &Pack, faults: &mut Faults) {
    let own = &pack.municipality;
    let Some(origin) = pack.origin("municipality", own.id.as_str()) else { return };
    for (n, row) in own.baselines.iter().enumerate() {
        let line = origin.line(&["baselines", &format!("#{n}")]);
        if !pack.services.contains_key(&row.service) {
            let known = pack.services.keys().map(crate::cases::ServiceId::as_str);
            let what = format!("a baseline names an unknown service `{}`", row.service);
            faults.at(&origin.file, line, what, write_one_of(row.service.as_str(), known));
        }
        if row.minutes == 0 || row.cases == 0 || row.source.trim().is_empty() {
            let what = format!("the baseline of `{}` does not say what was measured", row.service);
            faults.at(&origin.file, line, what, "write minutes and cases above 0, and where the measurement stands");
        }
        if row.measured.to.is_some_and(|to| to < row.measured.from) {
            let what = format!("the baseline of `{}` ends before it begins", row.service);
            faults.at(&origin.file, line, what, "write `measured: {from: …, to: …}` in order");
        }
        if own.baselines[..n]
            .iter()
            .any(|other| (&other.service, other.measured.from) == (&row.service, row.measured.from))
        {
            let what = format!("two baselines of `{}` begin on {}", row.service, row.measured.from);
            faults.at(&origin.file, line, what, "keep one");
        }
    }
}

fn delegations(pack: &Pack, faults: &mut Faults) {
    let mut rows = Vec::new();
    for row in &pack.delegations {
        let Some(origin) = pack.origin("delegation", &row_key(&row.id, row.valid)) else { continue };
        let place = format!("#{}", origin.place);
        rows.push((origin.line(&["delegation", &place]), format!("{}\n{}", origin.file.display(), row.id), row.valid));
        check_dates(origin, row.valid, &["delegation", &place, "valid"], faults);
        if row.steps.is_empty() {
            let what = format!("the delegation `{}` has no steps", row.id);
            faults.at(&origin.file, origin.line(&["delegation", &place]), what, "write `steps: [{decider: …}]`");
        }
        let mut reached = None;
        for (s, step) in row.steps.iter().enumerate() {
            let line = origin.line(&["delegation", &place, "steps", &format!("#{s}")]);
            if !pack.municipality.deciders.contains_key(&step.decider) {
                let what = format!("the delegation `{}` names an unknown decider `{}`", row.id, step.decider);
                let known = pack.municipality.deciders.keys().map(crate::cases::DeciderId::as_str);
                faults.at(&origin.file, line, what, write_one_of(step.decider.as_str(), known));
            }
            let last = s + 1 == row.steps.len();
            match step.up_to {
                None if !last => faults.at(
                    &origin.file,
                    line,
                    format!("only the last step of `{}` may have no limit", row.id),
                    "write `up_to: …` or remove the steps after it",
                ),
                Some(_) if last => faults.at(
                    &origin.file,
                    line,
                    format!("the last step of `{}` has a limit: nobody could decide above it", row.id),
                    "remove `up_to`, or add a last step without one",
                ),
                Some(limit) if reached.is_some_and(|r| limit <= r) => faults.at(
                    &origin.file,
                    line,
                    format!("the steps of `{}` are not in order: {limit} does not exceed the step before", row.id),
                    "write the steps from the smallest limit to the largest",
                ),
                _ => {}
            }
            reached = step.up_to.or(reached);
        }
    }
    for (line, key, from) in overlapping(rows.into_iter()) {
        let (file, id) = key.split_once('\n').unwrap_or_default();
        let what = format!("two rows of the delegation `{id}` hold on {from}");
        faults.at(file, line, what, "end the earlier one the day before");
    }
}

fn authorities(pack: &Pack, faults: &mut Faults) {
    let mut rows = Vec::new();
    for row in &pack.authorities {
        let Some(origin) = pack.origin("authority", &row_key(row.id.as_str(), row.valid)) else { continue };
        let place = format!("#{}", origin.place);
        check_dates(origin, row.valid, &["authorities", &place, "valid"], faults);
        rows.push((origin.line(&["authorities", &place]), format!("{}\n{}", origin.file.display(), row.id), row.valid));
    }
    for (line, key, from) in overlapping(rows.into_iter()) {
        let (file, id) = key.split_once('\n').unwrap_or_default();
        let what = format!("two rows of the authority `{id}` hold on {from}");
        faults.at(file, line, what, "end the earlier one the day before");
    }
}

/// Every task leads somewhere: to one authority of the directory or to one post.
fn tasks(pack: &Pack, faults: &mut Faults) {
    for task in pack.tasks.rows() {
        let Some(origin) = pack.origin("task", &task.id) else { continue };
        let line = origin.line(&["tasks", &format!("#{}", origin.place)]);
        if task.authority.is_some() == task.decider.is_some() {
            let what = format!("the task `{}` leads to nobody, or to two", task.id);
            faults.at(&origin.file, line, what, "write `authority: …` or `decider: …`");
        }
        if let Some(authority) = task.authority.as_ref().filter(|id| !pack.authorities.iter().any(|r| r.id == **id)) {
            let what = format!("the task `{}` names an unknown authority `{authority}`", task.id);
            let known = pack.authorities.iter().map(|row| row.id.as_str());
            faults.at(&origin.file, line, what, write_one_of(authority.as_str(), known));
        }
        if let Some(decider) = task.decider.as_ref().filter(|id| !pack.municipality.deciders.contains_key(*id)) {
            let what = format!("the task `{}` names an unknown decider `{decider}`", task.id);
            let known = pack.municipality.deciders.keys().map(crate::cases::DeciderId::as_str);
            faults.at(&origin.file, line, what, write_one_of(decider.as_str(), known));
        }
    }
}

fn services(pack: &Pack, faults: &mut Faults) {
    let departments = || pack.municipality.departments.keys().map(crate::cases::DepartmentId::as_str);
    for (id, service) in &pack.services {
        let Some(origin) = pack.origin("service", id.as_str()) else { continue };
        let mut at = |path: &[&str], what: String, instead: String| {
            faults.at(&origin.file, origin.line(path), what, instead);
        };
        if !pack.municipality.departments.contains_key(&service.department) {
            let what = format!("unknown department `{}`", service.department);
            at(&["department"], what, write_one_of(service.department.as_str(), departments()));
        }
        if !pack.municipality.deciders.contains_key(&service.process_owner) {
            let known = pack.municipality.deciders.keys().map(crate::cases::DeciderId::as_str);
            let what = format!("the process owner `{}` is no post of this municipality", service.process_owner);
            at(&["process_owner"], what, write_one_of(service.process_owner.as_str(), known));
        }
        for row in service.delegations().filter(|row| !pack.delegations.iter().any(|d| service.rests_on(row, &d.id))) {
            let known = pack.delegations.iter().map(|d| d.id.as_str());
            let key = if service.delegation.as_deref() == Some(row) { "delegation" } else { "delegation_when" };
            at(&[key], format!("unknown delegation `{row}`"), write_one_of(row, known));
        }
        for (path, what, instead) in unsaid(service) {
            at(&path, what.to_owned(), instead.to_owned());
        }
        let mut names = BTreeSet::new();
        let attachments = service.attachments.iter().map(|a| ("attachments", &a.name));
        for (n, (list, name)) in service.fields.iter().map(|f| ("fields", &f.name)).chain(attachments).enumerate() {
            let n = if list == "fields" { n } else { n - service.fields.len() };
            let place = [list, &format!("#{n}")];
            if !names.insert((list, name)) {
                at(
                    &place,
                    format!("the name `{name}` stands twice in `{list}`"),
                    "give one of them another name".to_owned(),
                );
            }
            if !is_snake_case(name) {
                at(
                    &place,
                    format!("the name `{name}` is not snake_case"),
                    "write a–z, 0–9 and _, a letter first".to_owned(),
                );
            }
        }
        for (n, field) in service.fields.iter().enumerate() {
            if let Some((what, instead)) = wrong_field(field) {
                at(&["fields", &format!("#{n}")], what, instead.to_owned());
            }
        }
        let fields = || service.fields.iter().map(|field| field.name.as_str());
        references(service, &mut at);
        for name in service.again.iter().flat_map(|again| &again.sender) {
            if !fields().any(|field| field == name) {
                at(&["again", "sender"], format!("unknown field `{name}`"), write_one_of(name, fields()));
            }
        }
        if let Some(name) = &service.publication_consent
            && !service.fields.iter().any(|field| field.name == *name && is_tick(field))
        {
            let what = format!("`{name}` is no tick of the form: consent is never there beforehand");
            let instead = "name a field with `type: flag` and `empty_means: false`, not `required`".to_owned();
            at(&["publication_consent"], what, instead);
        }
        access(service, &mut at);
        categories(pack, service, origin, faults);
    }
}

/// What an access right is made of is known of every case that gets a decision: fields that must be given, of types that
/// can be days and words.
fn access(service: &ServiceFile, at: &mut impl FnMut(&[&str], String, String)) {
    use FieldType::{Choice, Date, Text};
    let Some(right) = &service.right else { return };
    let party = service.party.as_deref();
    if party.is_none() {
        let what = "nobody would hold the access right: the service names no `party`";
        at(&["right"], what.to_owned(), "add `party: …` with the field that names its holder".to_owned());
    }
    let named: [(&str, Option<&str>, &[FieldType]); 5] = [
        ("from", Some(&right.from), &[Date]),
        ("until", Some(&right.until), &[Date]),
        ("what", Some(&right.what), &[Text, Choice]),
        ("kind", right.kind.as_deref(), &[Choice]),
        ("party", party, &[Text]),
    ];
    for (key, name, types) in named.into_iter().filter_map(|(key, name, types)| Some((key, name?, types))) {
        let path: &[&str] = if key == "party" { &["party"] } else { &["right", key] };
        let Some(field) = service.fields.iter().find(|field| field.name == name) else {
            // That the party's field is unknown is told where the party is named.
            if key != "party" {
                let known = service.fields.iter().map(|field| field.name.as_str());
                at(path, format!("`{key}` names an unknown field `{name}`"), write_one_of(name, known));
            }
            continue;
        };
        if !types.contains(&field.kind) || !field.required {
            let words: Vec<&str> = types.iter().map(|kind| word_of(*kind)).collect();
            let what = format!("the access right cannot be made of the field `{name}`");
            let instead = format!("name a field of type `{}` that is `required: true`", words.join("` or `"));
            at(path, what, instead);
        }
    }
}

/// A type as files write it.
const fn word_of(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Date => "date",
        FieldType::Choice => "choice",
        _ => "text",
    }
}

/// The tree of categories of a notice: codes once, departments and authorities that there are.
fn categories(pack: &Pack, service: &ServiceFile, origin: &Origin, faults: &mut Faults) {
    let departments = || pack.municipality.departments.keys().map(crate::cases::DepartmentId::as_str);
    let mut at = |path: &[&str], what: String, instead: String| {
        faults.at(&origin.file, origin.line(path), what, instead);
    };
    let mut codes = BTreeSet::new();
    for (n, category) in service.categories.iter().enumerate() {
        let row = format!("#{n}");
        let place = ["categories", &row];
        if !codes.insert(&category.code) {
            at(
                &place,
                format!("the category code `{}` stands twice", category.code),
                "give one of them another code".to_owned(),
            );
        }
        if let Some(department) =
            category.department.as_ref().filter(|d| !pack.municipality.departments.contains_key(d))
        {
            let what = format!("the category `{}` names an unknown department `{department}`", category.code);
            at(&["categories", &row, "department"], what, write_one_of(department.as_str(), departments()));
        }
        if let Some(authority) = category.authority.as_ref().filter(|a| !pack.authorities.iter().any(|r| r.id == **a)) {
            let what = format!("the category `{}` names an unknown authority `{authority}`", category.code);
            at(
                &["categories", &row, "authority"],
                what,
                write_one_of(authority.as_str(), pack.authorities.iter().map(|r| r.id.as_str())),
            );
        }
    }
}

fn histories(pack: &Pack, faults: &mut Faults) {
    for (id, service) in &pack.services {
        if let Some(origin) = pack.origin("service", id.as_str()) {
            history::check(pack, service, origin, faults);
        }
    }
}

/// The party, the subject and the conditions of a service name fields of its form, and values that these can have.
fn references(service: &ServiceFile, at: &mut impl FnMut(&[&str], String, String)) {
    let fields = || service.fields.iter().map(|field| field.name.as_str());
    for (key, name) in
        [("party", service.party.as_deref()), ("subject", service.subject.as_ref().map(|s| s.field.as_str()))]
    {
        if let Some(name) = name.filter(|name| !fields().any(|field| field == *name)) {
            at(&[key], format!("`{key}` names an unknown field `{name}`"), write_one_of(name, fields()));
        }
    }
    for name in service.paid_once.iter().flatten().filter(|name| !fields().any(|field| field == *name)) {
        at(&["paid_once"], format!("`paid_once` names an unknown field `{name}`"), write_one_of(name, fields()));
    }
    if let Some(about) = &service.about {
        if !fields().any(|field| field == about.field) {
            let what = format!("`about` names an unknown field `{}`", about.field);
            at(&["about", "field"], what, write_one_of(&about.field, fields()));
        }
        for (name, gives) in &about.gives {
            let field = service.fields.iter().find(|field| field.name == *name);
            if field.is_none_or(|field| field.kind != gives.field_type()) {
                let what = format!("the earlier decision cannot say what the field `{name}` is");
                at(&["about", "gives"], what, "name a field of the form, of the type of what it is given".to_owned());
            }
        }
    }
    for (path, condition) in conditions(service) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for (name, values) in condition.values() {
            let Some(field) = service.fields.iter().find(|field| field.name == name) else {
                at(&path, format!("the condition names an unknown field `{name}`"), write_one_of(name, fields()));
                continue;
            };
            let choices = || field.choices.keys().map(String::as_str);
            for value in values {
                if let (FieldType::Choice, ParameterValue::Text(value)) = (field.kind, value)
                    && !field.choices.contains_key(value)
                {
                    at(&path, format!("`{value}` is no choice of the field `{name}`"), write_one_of(value, choices()));
                }
            }
        }
    }
}

/// Every condition in a service's file, with where it stands.
fn conditions(service: &ServiceFile) -> Vec<(Vec<String>, &Condition)> {
    let at = |list: &str, n: usize, key: &str| vec![list.to_owned(), format!("#{n}"), key.to_owned()];
    let rows = service.delegation_when.iter().enumerate();
    let rows = rows.map(|(n, row)| (at("delegation_when", n, "when"), &row.when));
    let drafts = service.drafts_when.iter().enumerate();
    let rows = rows.chain(drafts.map(|(n, row)| (at("drafts_when", n, "when"), &row.when)));
    let fields = service.fields.iter().enumerate();
    let fields =
        fields.filter_map(|(n, field)| Some((at("fields", n, "required_when"), field.required_when.as_ref()?)));
    let files = service.attachments.iter().enumerate();
    let files =
        files.filter_map(|(n, file)| Some((at("attachments", n, "required_when"), file.required_when.as_ref()?)));
    let more = service.handling_time.extended.iter();
    let more = more.map(|more| (["handling_time", "extended", "when"].map(str::to_owned).to_vec(), &more.when));
    rows.chain(fields).chain(files).chain(more).collect()
}

/// What a service must say and says emptily: how long it takes, how long it is kept, how the AI Act sees it.
fn unsaid(service: &ServiceFile) -> Vec<([&'static str; 2], &'static str, &'static str)> {
    let (records, ai) = (&service.records, &service.ai);
    let blank = |text: &str| text.trim().is_empty();
    let said = [
        (service.handling_time.days == 0, ["handling_time", "days"], "handling takes no day", "write days above 0"),
        (
            blank(&records.class),
            ["records", "class"],
            "the service has no records class",
            "write `class: \"00 00 00\"`",
        ),
        (
            records.retention_years == 0,
            ["records", "retention_years"],
            "the records are kept for no year",
            "write years above 0, by the information control plan",
        ),
        (
            blank(&ai.class),
            ["ai", "class"],
            "nobody says how the AI Act sees the service",
            "write `class: outside` or the point of Annex III, for example `annex-iii-4a`",
        ),
        (blank(&ai.because), ["ai", "because"], "the AI class has no reason", "write `because: …` in a sentence"),
    ];
    said.into_iter().filter(|(empty, ..)| *empty).map(|(_, path, what, instead)| (path, what, instead)).collect()
}

/// A box that is empty until somebody ticks it.
fn is_tick(field: &Field) -> bool {
    field.kind == FieldType::Flag && field.empty_means == Some(ParameterValue::Flag(false)) && !field.required
}

/// What is wrong with a field by itself.
fn wrong_field(field: &Field) -> Option<(String, &'static str)> {
    if field.kind == FieldType::Choice && field.choices.is_empty() {
        return Some((format!("the field `{}` has no choices", field.name), "add `choices: {…}`"));
    }
    if field.office && (field.required || field.required_when.is_some() || field.empty_means.is_none()) {
        let what = format!("the field `{}` is the office's, and its sender would be asked for it", field.name);
        return Some((what, "write `empty_means: …`, and not `required`"));
    }
    let number = matches!(field.kind, FieldType::Number | FieldType::Money);
    for (key, limit) in [("min", &field.min), ("max", &field.max)] {
        let good = match limit {
            None | Some(ParameterValue::Integer(_)) => true,
            Some(ParameterValue::Text(text)) => Decimal::from_str_exact(text).is_ok(),
            Some(ParameterValue::Flag(_)) => false,
        };
        if !good || (limit.is_some() && !number) {
            return Some((
                format!("`{key}` of the field `{}` is no limit", field.name),
                "write a number, and only for numbers and money",
            ));
        }
    }
    None
}

/// Every example teaches a label that exists.
fn examples(pack: &Pack, faults: &mut Faults) {
    let labels: BTreeSet<&str> = pack
        .services
        .values()
        .flat_map(|service| {
            service.categories.iter().map(|category| category.code.as_str()).chain([service.id.as_str()])
        })
        .chain(Matter::ALL.iter().map(|matter| matter.as_str()))
        .collect();
    for (example, origin) in pack.examples.iter().zip(&pack.example_origins) {
        if !labels.contains(example.label.as_str()) {
            let what = format!("unknown label `{}`", example.label);
            faults.at(&origin.0, origin.1, what, write_one_of(&example.label, labels.iter().copied()));
        }
    }
}

fn texts(pack: &Pack, faults: &mut Faults) {
    let mut rows = Vec::new();
    for text in &pack.texts {
        let key = format!("{}/{}@{}", text.language, text.id, text.version);
        let Some(origin) = pack.origin("text", &key) else { continue };
        rows.push((rows.len(), format!("{}/{}", text.language, text.id), text.valid));
        check_dates(origin, text.valid, &["in_force"], faults);
        let other = match text.language {
            Language::Fi => Language::Sv,
            Language::Sv | Language::En => Language::Fi,
        };
        let pair = pack.texts.iter().any(|t| t.id == text.id && t.language == other && t.version == text.version);
        if !pair {
            let what = format!("the text `{}` of {} has no version in `{other}`", text.id, text.version);
            let instead = format!("add it under texts/{other}, with the same `id` and `in_force`");
            faults.at(&origin.file, 1, what, instead);
        }
    }
    let texts: Vec<_> = pack.texts.iter().collect();
    for (n, key, from) in overlapping(rows.into_iter()) {
        let Some(text) = texts.get(n) else { continue };
        let Some(origin) = pack.origin("text", &format!("{}/{}@{}", text.language, text.id, text.version)) else {
            continue;
        };
        let what = format!("two versions of the text `{key}` are in force on {from}");
        faults.at(&origin.file, origin.line(&["in_force"]), what, "end the earlier one the day before");
    }
}

fn check_dates(origin: &Origin, valid: Validity, path: &[&str], faults: &mut Faults) {
    if let Some(to) = valid.to.filter(|to| *to < valid.from) {
        let what = format!("it ends on {to}, before it begins on {}", valid.from);
        faults.at(&origin.file, origin.line(path), what, "write a later `to`, or leave `to` out");
    }
}

/// Rows of one key that share a day: the one that begins earlier and should have ended, with the first common day.
fn overlapping(rows: impl Iterator<Item = (usize, String, Validity)>) -> Vec<(usize, String, jiff::civil::Date)> {
    let mut seen: Vec<(usize, String, Validity)> = Vec::new();
    let mut found = Vec::new();
    for (place, key, valid) in rows {
        if let Some((there, _, other)) = seen.iter().find(|(_, k, v)| *k == key && v.overlaps(&valid)) {
            let earlier = if other.from < valid.from { *there } else { place };
            found.push((earlier, key.clone(), valid.from.max(other.from)));
        }
        seen.push((place, key, valid));
    }
    found
}

pub(crate) fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
