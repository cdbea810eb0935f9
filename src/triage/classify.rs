//! Step `classify`: what kind of matter, which category, how urgent, whose.
//!
//! The classifier proposes a label; a sender's own choice and a person's reclassification come before it. Where it
//! abstained, a language model may tip the scale between its first and its second label, by words of the message, and
//! never into an application.
//! Urgency and owner are worked out by code from the pack's category tree and the owner test.

use super::matters;
use super::owner::{self, Finding};
use super::proposals::{LabelProposal, Proposals, credit};
use super::{Desk, Error, Step};
use crate::cases::{
    AuthorityId, CaseFile, Classification, EmergencyHit, Flag, Language, Matter, ModelProposal, Owner, ProposalKind,
    Reading, Route, ServiceId, Submission, Urgency, WeighedFeature,
};
use crate::intake::words;
use crate::municipality::Pack;
use crate::municipality::format::{Category, ServiceFile};

/// Fewer characters prove nothing.
const SHORTEST_QUOTE: usize = 4;
/// Longest quotation of a message that calls a person, characters.
const QUOTED: usize = 160;
/// The least part of the first label's probability that the second needs to be near it.
const NEAR: f64 = 0.5;
/// The least urgency with which somebody may be in danger.
const HAZARD: Urgency = Urgency::U2;

/// Fills `file.classification`, `file.urgency` and the first version of `file.route`.
pub fn run(desk: &Desk, submission: &Submission, file: &mut CaseFile, proposals: &Proposals) -> Result<(), Error> {
    let reading = file.reading.as_ref().ok_or(Error::OutOfOrder { step: "classify", needs: "read" })?;
    let message = reading.message();
    let split = file.split_from.as_ref().and_then(|part| part.label.as_deref());
    let mut classification = match (&file.reclassified, split) {
        (Some(person), _) => Classification {
            label: label(person.category.as_deref(), person.service.as_ref(), person.matter),
            matter: person.matter,
            service: person.service.clone(),
            category: person.category.clone(),
            confidence: 1.0,
            threshold: 0.0,
            abstained: false,
            reasons: vec![format!("a person set it: {}", person.reason)],
            features: Vec::new(),
        },
        (None, Some(label)) => split_off(desk, label, &message),
        (None, None) => propose(desk, submission, &message),
    };
    let mut engine = desk.engine();
    file.proposals.retain(|proposal| proposal.kind != ProposalKind::Classification);
    if let Some(label) = &proposals.label {
        let tipped = tip(desk, submission, &classification, label, &message, file.flags.contains(&Flag::Injection));
        file.proposals.push(shown(label, tipped.as_ref().err().copied()));
        if let Ok(tipped) = tipped {
            classification = tipped;
            credit(&mut engine, Step::Classify, proposals.credit.as_ref());
        }
    }
    let found = matters::find(desk, submission, file, reading, &classification);
    file.matters = found.others;
    if let Some(first) = found.first {
        classification = first;
    }
    // Its words stay here after the split, too.
    let split = file.split_off.iter().filter_map(|part| part.label.as_deref());
    let elsewhere: Vec<String> =
        file.matters.iter().map(|other| other.label.as_str()).chain(split).map(str::to_owned).collect();
    if elsewhere.is_empty() {
        file.flags.remove(&Flag::MultipleMatters);
    } else {
        file.flags.insert(Flag::MultipleMatters);
    }
    if classification.abstained {
        file.flags.insert(Flag::Abstained);
    } else {
        file.flags.remove(&Flag::Abstained);
    }
    match classification.matter {
        Matter::DamageClaim => drop(file.flags.insert(Flag::DamageClaim)),
        Matter::Threat => drop(file.flags.insert(Flag::Threat)),
        Matter::SelfHarm => drop(file.flags.insert(Flag::SelfHarm)),
        _ => {}
    }
    let alarm = alarm(&classification, reading, &message);
    if let (Some(alarm), Some(reading)) = (alarm, file.reading.as_mut()) {
        file.flags.extend(words::flags(std::slice::from_ref(&alarm)));
        reading.emergencies.push(alarm);
    }
    let reading = file.reading.as_ref().ok_or(Error::OutOfOrder { step: "classify", needs: "read" })?;
    let category = category(desk, &classification);
    // A threat in a message of two matters is the other case's.
    let here = Reading {
        emergencies: reading.emergencies.iter().filter(|hit| !elsewhere.contains(&hit.kind)).cloned().collect(),
        ..reading.clone()
    };
    let reading = &here;
    let in_danger = reading.emergencies.iter().any(|hit| hit.card == "emergency") || says_danger(submission);
    file.urgency = match (in_danger, category) {
        (true, _) => Some(Urgency::U0),
        (false, Some(category)) => Some(category.urgency),
        (false, None) => None,
    };
    let finding = owner::find(desk, reading, category, &classification);
    let route = route(desk, submission, &classification, category, finding);
    file.route = Some(route);
    file.engine = Some(engine);
    file.classification = Some(classification);
    Ok(())
}

/// The classification by a language model's label, where it may be taken over; else why not.
fn tip(
    desk: &Desk,
    submission: &Submission,
    offline: &Classification,
    proposal: &LabelProposal,
    message: &str,
    suspicious: bool,
) -> Result<Classification, &'static str> {
    if !offline.abstained {
        return Err("what the sender chose, a person set or the classifier was sure of stands above it");
    }
    if suspicious {
        return Err("the message tries to give orders to the machine");
    }
    let quote = proposal.quote.as_deref().map(str::trim).unwrap_or_default();
    if quote.chars().count() < SHORTEST_QUOTE || !message.contains(quote) {
        return Err("the words it rests on do not stand in the message");
    }
    let prediction = desk.classifier.predict(message);
    let runner_up = prediction.runner_up.as_ref().filter(|(label, _)| *label == proposal.label);
    let confidence = match runner_up {
        _ if prediction.label == proposal.label => prediction.confidence,
        Some((_, confidence)) if *confidence >= NEAR * prediction.confidence => *confidence,
        Some(_) => return Err("the classifier sees hardly a sign of it in the message"),
        None => return Err("the classifier sees no sign of it in the message"),
    };
    let (first, found) = (labelled(desk, &prediction.label), labelled(desk, &proposal.label));
    if is_grave(first.matter) && found.matter != first.matter {
        return Err("what looks grave only a person finds harmless");
    }
    if first.urgency.is_some_and(|first| first <= HAZARD && found.urgency.is_none_or(|found| found > first)) {
        return Err("what looks like a hazard only a person finds less urgent");
    }
    if submission.service.is_some() && (found.category.is_none() || found.service != submission.service) {
        return Err("it is no category of the service that the sender chose");
    }
    // A decision with an appeal would be drafted on what nobody was sure to have been applied for.
    if found.matter == Matter::Application {
        return Err("an application is opened by its sender's choice, by a sure classifier or by a person");
    }
    let mut reasons = offline.reasons.clone();
    reasons.push(format!("a language model tipped the scale by the words ”{quote}”"));
    Ok(Classification {
        label: proposal.label.clone(),
        matter: found.matter,
        service: found.service,
        category: found.category,
        confidence,
        threshold: offline.threshold,
        abstained: false,
        reasons,
        features: if prediction.label == proposal.label { prediction.features } else { Vec::new() },
    })
}

fn shown(proposal: &LabelProposal, because: Option<&str>) -> ModelProposal {
    ModelProposal {
        kind: ProposalKind::Classification,
        about: "label".to_owned(),
        value: proposal.label.clone(),
        source: Some("text".to_owned()),
        quote: proposal.quote.clone(),
        reason: proposal.reason.clone(),
        adopted: because.is_none(),
        because: because.map(str::to_owned),
    }
}

/// The category of a notice in the pack's tree.
#[must_use]
pub fn category<'a>(desk: &'a Desk, classification: &Classification) -> Option<&'a Category> {
    let code = classification.category.as_deref()?;
    let service = desk.rulebook.pack.service(classification.service.as_ref()?)?;
    service.categories.iter().find(|category| category.code == code)
}

/// The service of the pack that handles notices with categories.
fn notice_service(desk: &Desk) -> Option<&ServiceFile> {
    desk.rulebook.pack.services.values().find(|service| !service.categories.is_empty())
}

/// Whether the sender ticked that there is danger now.
fn says_danger(submission: &Submission) -> bool {
    submission.fields.get("danger_now").and_then(super::gather::flag).unwrap_or(false)
}

/// The label of a class: its category, else its service, else its kind of matter.
#[must_use]
pub fn label(category: Option<&str>, service: Option<&ServiceId>, matter: Matter) -> String {
    category.map(str::to_owned).or_else(|| service.map(ToString::to_string)).unwrap_or_else(|| matter.to_string())
}

/// What the machine split off a message is what it took the words for.
fn split_off(desk: &Desk, label: &str, message: &str) -> Classification {
    let mut split = from_text(desk, message);
    let Labelled { matter, service, category, .. } = labelled(desk, label);
    if split.label != label {
        // A claim is read with all that happened, of which other words may weigh more.
        (split.confidence, split.features) = (split.threshold, Vec::new());
    }
    let mut reasons = vec![format!("split off a message with several matters: these words are `{label}`")];
    reasons.append(&mut split.reasons);
    Classification { label: label.to_owned(), matter, service, category, abstained: false, reasons, ..split }
}

/// What calls a person at once where the classifier is sure of it and no word of the lexicon was found.
fn alarm(classification: &Classification, reading: &Reading, message: &str) -> Option<EmergencyHit> {
    let kind = classification.matter.as_str();
    let known = reading.emergencies.iter().any(|hit| hit.kind == kind);
    if classification.abstained || known || !matters::is_matter(kind) {
        return None;
    }
    let card = if classification.matter == Matter::SelfHarm { "crisis" } else { "emergency" };
    Some(EmergencyHit {
        kind: kind.to_owned(),
        words: message.chars().take(QUOTED).collect(),
        source: "text".to_owned(),
        card: card.to_owned(),
    })
}

/// The sender's choice first, then the classifier.
fn propose(desk: &Desk, submission: &Submission, message: &str) -> Classification {
    let chosen = submission.service.as_ref().and_then(|id| desk.rulebook.pack.service(id));
    match chosen {
        Some(service) if service.categories.is_empty() => Classification {
            label: service.id.to_string(),
            matter: service.matter,
            service: Some(service.id.clone()),
            category: None,
            confidence: 1.0,
            threshold: 0.0,
            abstained: false,
            reasons: vec!["the sender chose this service".to_owned()],
            features: Vec::new(),
        },
        Some(service) => notice(desk, service, submission, message),
        None => from_text(desk, message),
    }
}

/// A notice on its own form: the sender's category, else the classifier's among the categories.
fn notice(desk: &Desk, service: &ServiceFile, submission: &Submission, message: &str) -> Classification {
    let named = submission.fields.get("category").and_then(serde_json::Value::as_str);
    if let Some(category) = named.and_then(|code| service.categories.iter().find(|category| category.code == code)) {
        return Classification {
            label: category.code.clone(),
            matter: service.matter,
            service: Some(service.id.clone()),
            category: Some(category.code.clone()),
            confidence: 1.0,
            threshold: 0.0,
            abstained: false,
            reasons: vec!["the sender chose this category".to_owned()],
            features: Vec::new(),
        };
    }
    let proposal = from_text(desk, message);
    if proposal.category.is_some() {
        return proposal;
    }
    // The form says that it is a notice, the words say something else: a person must look.
    Classification {
        matter: service.matter,
        service: Some(service.id.clone()),
        category: None,
        abstained: true,
        reasons: vec![format!("sent as a notice, but the words look like `{}`", proposal.label)],
        ..proposal
    }
}

/// The classifier's proposal, in the words of the pack.
fn from_text(desk: &Desk, message: &str) -> Classification {
    let prediction = desk.classifier.predict(message);
    let mut reasons = vec![if prediction.abstained {
        format!("the classifier was not sure: {:.2} is below {:.2}", prediction.confidence, prediction.threshold)
    } else {
        format!("the classifier was sure: {:.2} of at least {:.2}", prediction.confidence, prediction.threshold)
    }];
    if let Some((label, confidence)) = &prediction.runner_up {
        reasons.push(format!("next best: {label} ({confidence:.2})"));
    }
    if let Some(words) = weighed(&prediction.features) {
        reasons.push(format!("the words that weighed most: {words}"));
    }
    let Labelled { matter, service, category, .. } = labelled(desk, &prediction.label);
    Classification {
        label: prediction.label,
        matter,
        service,
        category,
        confidence: prediction.confidence,
        threshold: prediction.threshold,
        abstained: prediction.abstained,
        reasons,
        features: prediction.features,
    }
}

/// Whether a matter is never answered without a person who looks for it.
const fn is_grave(matter: Matter) -> bool {
    matches!(matter, Matter::SelfHarm | Matter::Threat | Matter::DamageClaim)
}

/// What a label stands for in the pack.
pub(super) struct Labelled {
    pub(super) matter: Matter,
    pub(super) service: Option<ServiceId>,
    pub(super) category: Option<String>,
    urgency: Option<Urgency>,
}

/// The one service that says it handles a matter (*asian laji*). Faults have their categories, and what is applied for is
/// never told by its kind alone.
#[must_use]
pub fn service_of(pack: &Pack, matter: Matter) -> Option<&ServiceFile> {
    let mut of = pack.services.values().filter(|service| service.matter == matter && service.categories.is_empty());
    let only = of.next().filter(|_| matter != Matter::Application)?;
    of.next().is_none().then_some(only)
}

pub(super) fn labelled(desk: &Desk, label: &str) -> Labelled {
    let category = notice_service(desk).and_then(|service| {
        service.categories.iter().find(|category| category.code == label).map(|found| (service, found))
    });
    let pack = &desk.rulebook.pack;
    let service = label.parse::<ServiceId>().ok().and_then(|id| pack.service(&id));
    let service = service.or_else(|| service_of(pack, Matter::parse(label)?));
    let urgency = category.map(|(_, category)| category.urgency);
    let (matter, service, category) = match (category, service) {
        (Some((service, category)), _) => (service.matter, Some(service.id.clone()), Some(category.code.clone())),
        (None, Some(service)) => (service.matter, Some(service.id.clone()), None),
        (None, None) => (Matter::parse(label).unwrap_or(Matter::Question), None, None),
    };
    Labelled { matter, service, category, urgency }
}

/// Every label that a matter can have here, with what it means in `language`.
#[must_use]
pub fn labels(desk: &Desk, language: Language) -> Vec<(String, String)> {
    let pack = &desk.rulebook.pack;
    // What the office begins of its own accord is nobody's message.
    let services = pack.services.values().filter(|service| service.categories.is_empty() && !service.office);
    let services = services.map(|service| {
        // The one service of a matter goes by the matter: that is what examples are labelled with.
        let only = service_of(pack, service.matter).is_some();
        let label = if only { service.matter.to_string() } else { service.id.to_string() };
        (label, service.name.get(language).to_owned())
    });
    let categories = notice_service(desk).into_iter().flat_map(|service| {
        let meaning = |category: &Category| format!("{}: {}", service.name.get(language), category.name.get(language));
        service.categories.iter().map(move |category| (category.code.clone(), meaning(category)))
    });
    let handled = desk.rulebook.pack.services.values().map(|service| service.matter);
    let handled: Vec<Matter> = handled.collect();
    let matters = Matter::ALL.iter().filter(|matter| !handled.contains(matter));
    let matters = matters.map(|matter| (matter.to_string(), matter.as_str().replace('-', " ")));
    services.chain(categories).chain(matters).collect()
}

fn weighed(features: &[WeighedFeature]) -> Option<String> {
    let words: Vec<_> = features.iter().take(5).map(|feature| format!("”{}”", feature.text)).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Whose case it is. The decider follows in `assess`, where the amount is known.
fn route(
    desk: &Desk,
    submission: &Submission,
    classification: &Classification,
    category: Option<&Category>,
    finding: Finding,
) -> Route {
    let pack = &desk.rulebook.pack;
    let on = super::local_date(submission.received_at);
    let service = classification.service.as_ref().and_then(|id| pack.service(id));
    let here = || "municipality".parse::<AuthorityId>().expect("`municipality` is a slug");
    let authority = if finding.owner == Owner::Municipality {
        here()
    } else {
        finding
            .authority
            .or_else(|| pack.authority_for(finding.owner, on).map(|authority| authority.id.clone()))
            .unwrap_or_else(here)
    };
    let post = finding.because.strip_prefix("task/").and_then(|id| {
        let task = pack.tasks.rows().iter().find(|task| task.id == id)?;
        pack.municipality.deciders.get_key_value(task.decider.as_ref()?)
    });
    let department = category
        .and_then(|category| category.department.clone())
        .or_else(|| post.map(|(_, post)| post.department.clone()))
        .or_else(|| service.map(|service| service.department.clone()));
    Route {
        owner: finding.owner,
        authority,
        department,
        decider: post.map(|(id, _)| id.clone()),
        because: finding.because,
        evidence: finding.evidence,
    }
}
