//! Step `classify`: what kind of matter, which category, how urgent, whose.
//!
//! The classifier proposes a label; a sender's own choice and a person's reclassification come before it.
//! Urgency and owner are worked out by code from the pack's category tree and the owner test.

use super::owner::{self, Finding};
use super::{Desk, Error};
use crate::cases::{
    AuthorityId, CaseFile, Classification, Flag, Matter, Owner, Route, ServiceId, Submission, Urgency, WeighedFeature,
};
use crate::municipality::format::{Category, ServiceFile};

/// Fills `file.classification`, `file.urgency` and the first version of `file.route`.
pub fn run(desk: &Desk, submission: &Submission, file: &mut CaseFile) -> Result<(), Error> {
    let reading = file.reading.as_ref().ok_or(Error::OutOfOrder { step: "classify", needs: "read" })?;
    let message = reading.message();
    let classification = match &file.reclassified {
        Some(person) => Classification {
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
        None => propose(desk, submission, &message),
    };
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
    let category = category(desk, &classification);
    let in_danger = reading.emergencies.iter().any(|hit| hit.card == "emergency") || says_danger(submission);
    file.urgency = match (in_danger, category) {
        (true, _) => Some(Urgency::U0),
        (false, Some(category)) => Some(category.urgency),
        (false, None) => None,
    };
    let finding = owner::find(desk, reading, category, &classification);
    file.route = Some(route(desk, submission, &classification, category, finding));
    file.engine = Some(desk.engine());
    file.classification = Some(classification);
    Ok(())
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

fn label(category: Option<&str>, service: Option<&ServiceId>, matter: Matter) -> String {
    category.map(str::to_owned).or_else(|| service.map(ToString::to_string)).unwrap_or_else(|| matter.to_string())
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
    if let Some(words) = words(&prediction.features) {
        reasons.push(format!("the words that weighed most: {words}"));
    }
    let notices = notice_service(desk);
    let category = notices.and_then(|service| {
        service.categories.iter().find(|category| category.code == prediction.label).map(|found| (service, found))
    });
    let service = prediction.label.parse::<ServiceId>().ok().and_then(|id| desk.rulebook.pack.service(&id));
    let (matter, service, category) = match (category, service) {
        (Some((service, category)), _) => (service.matter, Some(service.id.clone()), Some(category.code.clone())),
        (None, Some(service)) => (service.matter, Some(service.id.clone()), None),
        (None, None) => (Matter::parse(&prediction.label).unwrap_or(Matter::Question), None, None),
    };
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

fn words(features: &[WeighedFeature]) -> Option<String> {
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
    let department =
        category.and_then(|category| category.department.clone()).or_else(|| service.map(|s| s.department.clone()));
    Route {
        owner: finding.owner,
        authority,
        department,
        decider: None,
        because: finding.because,
        evidence: finding.evidence,
    }
}
