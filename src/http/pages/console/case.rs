//! The case on one page: what came in, what the machine proposes, what binds; and the acts.
//!
//! Everything here is read by the same functions as `GET /v1/cases/{id}` and its views. The page shows a draft that
//! could not be verified as such, and says of every act that is not possible why.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::access_rights;
use super::case_binds::{Binds, binds};
use super::claims;
use super::hearing;
use super::highlight::{Piece, highlight};
use super::messages;
use super::power::Power;
use super::publish;
use super::work::Work;
use crate::app::App;
use crate::cases::{
    Case, CaseId, Check, Decision, Draft, DraftKind, Euro, Event, Evidence, Fact, Matter, PartKind, Person, Role,
    Submission, write_value,
};
use crate::http::body::Id;
use crate::http::error::{Error, Result};
use crate::http::identity::{Can, Decide, Prepare, ReadCases, Register, Withdraw, may};
use crate::http::pages::form::Form;
use crate::http::pages::reader::Reader;
use crate::http::pages::render;
use crate::http::pages::signature::Signature;
use crate::http::problem::Problem;
use crate::municipality::Pack;
use crate::municipality::format::ServiceFile;
use crate::storage::Alert;
use crate::triage::gather::LEFT_EMPTY;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// What was done just now, for a line on top. A closed vocabulary: an address is written by anybody.
    #[serde(default)]
    done: String,
    /// A fact that is to be corrected.
    fact: Option<String>,
    /// A form that is to be opened.
    form: Option<String>,
}

/// A text as it came, with the words marked that something rests on.
#[derive(Debug, Serialize)]
struct Text {
    source: String,
    pieces: Vec<Piece>,
}

/// A field of the form as it was filled in.
#[derive(Debug, Serialize)]
struct Field {
    name: String,
    label: String,
    value: String,
}

/// A fact as people read it.
#[derive(Debug, Serialize)]
struct FactLine {
    name: String,
    label: String,
    value: String,
    /// Key of the words that tell where it came from.
    source: &'static str,
    /// The place: a field, a quote, a register.
    place: String,
    /// The form left it empty.
    blank: bool,
}

/// A part of the draft.
#[derive(Debug, Serialize)]
struct PartLine {
    kind: PartKind,
    title: Option<String>,
    text: String,
    /// Code alone writes it.
    worked_out: bool,
}

/// What the reader may do, and why not.
#[derive(Debug, Default, Serialize)]
struct Acts {
    prepare: bool,
    /// The reader holds the claim.
    holds: bool,
    /// Another holds it: who.
    held_by: Option<String>,
    register: bool,
    /// An alert is seen by whoever is there first, disqualified or not.
    acknowledge: bool,
    withdraw: bool,
    decide: bool,
    /// Nothing stands in the way of an approval but its confirmation.
    approve: bool,
    /// Why the reader may not approve: a key of words.
    why_not: Option<&'static str>,
    /// Up to what amount the reader may decide, where that is why.
    limit: Option<Euro>,
}

/// Everything on the page.
#[derive(Debug, Serialize)]
struct View {
    case: Case,
    number: String,
    title: String,
    submission: Submission,
    supplements: Vec<Submission>,
    texts: Vec<Text>,
    fields: Vec<Field>,
    facts: Vec<FactLine>,
    /// Labels of what the form left empty.
    blank: Vec<String>,
    labels: BTreeMap<String, String>,
    draft: Option<Draft>,
    parts: Vec<PartLine>,
    verified: bool,
    failed: Vec<Check>,
    decision: Option<Decision>,
    decider: Option<String>,
    /// Who approved it, where somebody did.
    signature: Option<Signature>,
    power: Power,
    /// The case is judged blind, and the reader sees the proposal once it was judged: what can be judged.
    judge: Option<&'static [DraftKind]>,
    alerts: Vec<Alert>,
    binds: Binds,
    messages: messages::View,
    timeline: Vec<Line>,
    acts: Acts,
    /// What can be put right.
    work: Work,
    /// A claim for revision and its decision.
    claims: claims::View,
    /// How the party can be heard.
    hearing: hearing::View,
    /// The access right that it granted, and the keys that its holder has out.
    access: access_rights::View,
    /// What is shown of it to everybody; none while the party does not consent.
    publish: Option<publish::View>,
    /// Every kind of matter.
    matters: &'static [Matter],
    services: BTreeMap<String, String>,
    authorities: BTreeMap<String, String>,
    done: Option<String>,
    problem: Option<Problem>,
    problem_key: Option<String>,
    /// What was typed into a form that was refused.
    typed: BTreeMap<String, String>,
}

/// One line of the timeline.
#[derive(Debug, Serialize)]
struct Line {
    at: jiff::Timestamp,
    kind: String,
    actor: String,
    detail: Option<String>,
}

/// `GET /console/cases/{id}`
///
/// # Errors
/// [`Error::NoSuch`]: also another municipality's case.
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Id(id): Id<CaseId>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    page(&app, &reader, &person, id, asked, None).await
}

/// The page, after an act that was refused with what was typed, or as it stands.
pub(super) async fn page(
    app: &App,
    reader: &Reader,
    person: &Person,
    id: CaseId,
    asked: Asked,
    refused: Option<(Error, Form)>,
) -> Result<Response> {
    let Asked { done, fact, form } = asked;
    let opened = [("fact", fact), ("form", form)].into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
    let (problem, form) = match refused {
        Some((error @ (Error::Unavailable(_) | Error::Internal(_) | Error::NoSuch(_)), _)) => return Err(error),
        Some((error, form)) => (Some(error.problem()), form),
        None => (None, Form(opened.collect())),
    };
    let status = problem.as_ref().map(Problem::status);
    let view = view(app, reader, person, id, done, problem, form).await?;
    let mut response = render::page("console/case.html", reader, &view)?;
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    Ok(response)
}

async fn view(
    app: &App,
    reader: &Reader,
    person: &Person,
    id: CaseId,
    done: String,
    problem: Option<Problem>,
    form: Form,
) -> Result<View> {
    let storage = app.storage();
    let mut case = storage.case(&person.municipality, id).await?.ok_or(Error::NoSuch("case"))?;
    let blind = app.review().hides_from(person, &case);
    if blind {
        case.file = case.file.without_proposal();
    }
    let case = case;
    let read = async |id| storage.submission(&case.municipality, id).await?.ok_or(Error::NoSuch("submission"));
    let submission = read(case.submission_id).await?;
    let mut supplements = Vec::new();
    for id in &case.file.supplements {
        supplements.push(read(*id).await?);
    }
    let draft = storage.latest_draft(&case.municipality, id).await?.filter(|_| !blind);
    let decision = storage.decision(&case.municipality, id).await?;
    let alerts = storage.alerts_of_case(&case.municipality, id).await?;
    let events = storage.timeline(&case.municipality, id).await?;
    if let Some(draft) = &draft {
        app.review().look(person, &case, draft, &events).await?;
    }
    let names = names(app, person).await?;
    let pack = &app.review().desk(&case.municipality)?.rulebook.pack;
    let service = case.file.classification.as_ref().and_then(|class| pack.service(class.service.as_ref()?));
    let service = service.or_else(|| pack.service(submission.service.as_ref()?));
    let language = reader.language;
    let labels: BTreeMap<String, String> = service
        .map(|file| {
            let fields = file.fields.iter().map(|field| (&field.name, &field.label));
            let history = file.history.iter().map(|history| (&history.fact, &history.label));
            fields.chain(history).map(|(name, label)| (name.clone(), label.get(language).to_owned())).collect()
        })
        .unwrap_or_default();
    let acts = acts(app, person, &case, draft.as_ref(), &alerts).await?;
    let binds = binds(app, reader, &case, draft.as_ref(), service).await?;
    let work = Work::of(app, reader, person, &case, &form).await?;
    let power = Power::of(app, reader, person, &case, draft.as_ref().map(|draft| &draft.content)).await?;
    let failed: Vec<Check> =
        draft.iter().flat_map(|draft| &draft.checks).filter(|check| check.blocks()).cloned().collect();
    let decider = case.file.route.as_ref().and_then(|route| route.decider.as_ref());
    let decider = decider.map(|id| {
        pack.municipality.deciders.get(id).map_or_else(|| id.to_string(), |file| file.title.get(language).to_owned())
    });
    let today = crate::triage::local_date(app.ambient().now());
    let order = |fact: &Fact| service.and_then(|file| file.fields.iter().position(|field| field.name == fact.name));
    let mut facts: Vec<&Fact> = case.file.facts.iter().collect();
    facts.sort_by_key(|fact| order(fact).unwrap_or(usize::MAX));
    let facts: Vec<FactLine> = facts.into_iter().map(|fact| fact_line(fact, service, &labels, reader)).collect();
    let messages = messages::view(app, person, &case).await?;
    let claims = claims::View::of(app, reader, person, &case, &form).await?;
    let access = access_rights::View::of(app, reader, person, &case, service).await?;
    let publish = publish::View::of(app, person, &case, &form).await?;
    Ok(View {
        access,
        publish,
        hearing: hearing::View::of(app, &case, &form),
        claims,
        signature: decision.as_ref().map(|decision| Signature::of(decision, pack, reader)),
        power,
        judge: blind.then_some(DraftKind::ALL),
        title: title(&case, pack, service, reader),
        number: case.number.clone(),
        texts: texts(&case),
        fields: submission.fields.iter().map(|(name, value)| field(name, value, service, &labels, reader)).collect(),
        blank: facts.iter().filter(|fact| fact.blank).map(|fact| fact.label.clone()).collect(),
        facts,
        parts: draft.iter().flat_map(parts).collect(),
        verified: failed.is_empty(),
        failed,
        timeline: events.iter().map(|event| line(event, &names)).collect(),
        matters: Matter::ALL,
        services: pack.services.iter().map(|(id, file)| (id.to_string(), file.name.get(language).to_owned())).collect(),
        authorities: pack
            .authorities
            .iter()
            .filter(|row| row.valid.contains(today))
            .map(|row| (row.id.to_string(), row.name.get(language).to_owned()))
            .collect(),
        done: Some(done).filter(|word| render::word(&format!("done.{word}"), language).is_some()),
        problem_key: problem.as_ref().map(|problem| {
            let slug = problem.kind.rsplit('/').next().unwrap_or_default();
            let key = format!("problem.{slug}");
            if render::word(&key, language).is_some() { key } else { "problem.other".to_owned() }
        }),
        problem,
        typed: form.0.into_iter().collect(),
        case,
        submission,
        supplements,
        labels,
        draft,
        decision,
        decider,
        alerts,
        binds,
        messages,
        acts,
        work,
    })
}

/// Names of the municipality's people by token, also of tokens that were revoked as far as the case knows them.
async fn names(app: &App, person: &Person) -> Result<BTreeMap<String, String>> {
    let rows = app.storage().tokens(&person.municipality).await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.person.name)).collect())
}

fn title(case: &Case, pack: &Pack, service: Option<&ServiceFile>, reader: &Reader) -> String {
    let class = case.file.classification.as_ref();
    let category = class.and_then(|class| class.category.as_ref()).and_then(|code| {
        let rows = pack.services.values().flat_map(|file| &file.categories);
        rows.into_iter().find(|row| row.code == *code).map(|row| row.name.get(reader.language).to_owned())
    });
    category
        .or_else(|| service.map(|file| file.name.get(reader.language).to_owned()))
        .or_else(|| class.map(|class| reader.word(&format!("matter.{}", class.matter))))
        .unwrap_or_else(|| reader.word("queue.unread"))
}

/// The texts with the words marked that facts, dangers and orders rest on.
fn texts(case: &Case) -> Vec<Text> {
    let Some(reading) = &case.file.reading else { return Vec::new() };
    let quotes = |source: &str| {
        let facts = case.file.facts.iter().filter_map(move |fact| match &fact.evidence {
            Evidence::Text { quote, .. } if !source.starts_with("attachment:") => {
                Some((quote.clone(), fact.name.clone()))
            }
            Evidence::Attachment { name, page, quote } if source == format!("attachment:{name}#{page}") => {
                Some((quote.clone(), fact.name.clone()))
            }
            _ => None,
        });
        let danger = reading.emergencies.iter().filter(|hit| hit.source == source);
        let orders = reading.orders.iter().filter(|hit| hit.source == source);
        let danger = danger.map(|hit| (hit.words.clone(), "danger".to_owned()));
        let orders = orders.map(|hit| (hit.words.clone(), "order".to_owned()));
        facts.chain(danger.collect::<Vec<_>>()).chain(orders.collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    // The fields and the place stand in lists of their own.
    let free = reading.texts.iter().filter(|text| !text.source.starts_with("field:") && text.source != "location");
    free.map(|text| Text { source: text.source.clone(), pieces: highlight(&text.text, &quotes(&text.source)) })
        .collect()
}

fn field(
    name: &str,
    value: &serde_json::Value,
    service: Option<&ServiceFile>,
    labels: &BTreeMap<String, String>,
    reader: &Reader,
) -> Field {
    let label = labels.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let plain = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let value = match plain.as_str() {
        "true" => reader.word("case.yes"),
        "false" => reader.word("case.no"),
        _ => choice(service, name, &plain, reader).unwrap_or(plain),
    };
    Field { name: name.to_owned(), label, value }
}

/// The name of a choice that the form offers.
pub(super) fn choice(service: Option<&ServiceFile>, name: &str, value: &str, reader: &Reader) -> Option<String> {
    let field = service?.fields.iter().find(|field| field.name == name)?;
    Some(field.choices.get(value)?.get(reader.language).to_owned())
}

fn fact_line(
    fact: &Fact,
    service: Option<&ServiceFile>,
    labels: &BTreeMap<String, String>,
    reader: &Reader,
) -> FactLine {
    let unnamed = |name: &str| {
        render::word(&format!("fact.{name}"), reader.language).map_or_else(|| name.replace('_', " "), ToOwned::to_owned)
    };
    let label = |name: &str| labels.get(name).cloned().unwrap_or_else(|| unnamed(name));
    let (source, place) = match &fact.evidence {
        Evidence::Form { field } => ("case.from_form", label(field)),
        Evidence::Text { quote, .. } => ("case.from_text", quote.clone()),
        Evidence::Attachment { name, page, quote } => ("case.from_attachment", format!("{name}, {page}: {quote}")),
        Evidence::Register { register, as_of } => ("case.from_register", format!("{register}, {as_of}")),
        Evidence::Cases { as_of, numbers } => {
            let numbers = if numbers.is_empty() { "–".to_owned() } else { numbers.join(", ") };
            ("case.from_cases", format!("{numbers} ({as_of})"))
        }
        Evidence::Computed { from, note } => {
            let from: Vec<String> = from.iter().map(|name| label(name)).collect();
            ("case.from_computation", format!("{note} ({})", from.join(", ")))
        }
        Evidence::Person { reason, .. } => ("case.from_person", reason.clone()),
    };
    let chosen = choice(service, &fact.name, &fact.value.plain(), reader);
    let value = chosen.unwrap_or_else(|| write_value(&fact.value, fact.unit.as_deref(), reader.language));
    let blank = matches!(&fact.evidence, Evidence::Computed { note, .. } if note == LEFT_EMPTY);
    FactLine { name: fact.name.clone(), label: label(&fact.name), value, source, place, blank }
}

fn parts(draft: &Draft) -> impl Iterator<Item = PartLine> + '_ {
    let kind = draft.content.kind;
    draft.content.parts.iter().map(move |part| PartLine {
        kind: part.kind,
        title: part.title.clone(),
        text: part.text.clone(),
        worked_out: part.kind.is_worked_out(kind),
    })
}

fn line(event: &Event, names: &BTreeMap<String, String>) -> Line {
    use crate::cases::Actor;
    let actor = match &event.actor {
        Actor::System { component } => component.clone(),
        Actor::Person { token, .. } => {
            let token = token.to_string();
            names.get(&token).cloned().unwrap_or(token)
        }
    };
    let of = |key: &str| event.payload.get(key).and_then(|value| value.as_str()).map(ToOwned::to_owned);
    Line {
        at: event.at,
        kind: event.kind.to_string(),
        actor,
        detail: of("step").or_else(|| of("reason")).or_else(|| of("correction")),
    }
}

async fn acts(app: &App, person: &Person, case: &Case, draft: Option<&Draft>, alerts: &[Alert]) -> Result<Acts> {
    use crate::review::Refusal;
    let open = !case.status.is_final() && !case.file.is_disqualified(person);
    let confirms = case.awaits_confirmation() && !case.file.is_disqualified(person);
    let claim = case.claim.as_ref().filter(|claim| claim.until > app.ambient().now());
    let holds = claim.is_some_and(|claim| claim.person.token == person.token);
    let mut acts = Acts {
        prepare: open && may::<Prepare>(person),
        holds,
        held_by: claim.filter(|_| !holds).map(|claim| claim.person.name.clone()),
        register: open && may::<Register>(person),
        acknowledge: may::<Register>(person),
        withdraw: open && may::<Withdraw>(person),
        decide: (open || confirms) && may::<Decide>(person) && person.role == Role::Approver,
        ..Acts::default()
    };
    let Some(draft) = draft.filter(|_| acts.decide) else { return Ok(acts) };
    match app.review().may_approve(person, case, &draft.content).await {
        Ok(_) => {}
        Err(Refusal::Storage(error)) => return Err(error.into()),
        Err(Refusal::BeyondPower { limit, .. }) => {
            acts.why_not = Some("case.why_power");
            acts.limit = limit;
        }
        Err(Refusal::NotDeputyNow { .. }) => acts.why_not = Some("power.why_deputy"),
        Err(Refusal::Disqualified) => acts.why_not = Some("case.why_disqualified"),
        Err(_) => acts.why_not = Some("case.why_preparer"),
    }
    if alerts.iter().any(|alert| alert.acknowledged.is_none()) {
        acts.why_not = Some("case.why_alert");
    } else if draft.checks.iter().any(Check::blocks) {
        acts.why_not = Some("case.why_checks");
    } else if case.status != crate::cases::Status::InReview && !confirms {
        acts.why_not = Some("case.why_status");
    }
    acts.approve = acts.why_not.is_none();
    Ok(acts)
}
