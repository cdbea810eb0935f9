//! What people put right in a case from its page: facts, two cases that are one, a message that is two matters, arrival
//! and party.
//!
//! Each form opens by a link, so that the page stays calm and no script is needed; one that is refused stays open with
//! what was typed and says in the reader's language what is wrong where. The acts are [`crate::review`]'s, as in the API.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde::Serialize;

use super::acts::{Sent, new_class};
use crate::app::App;
use crate::cases::{
    Act, Case, CaseId, Channel, CorrectionReason, Evidence, Fact, Language, Localized, ParameterValue, Party, Person,
    Status, Submission, Value, write_value,
};
use crate::clock::helsinki;
use crate::http::error::{Error, Result};
use crate::http::identity::{Prepare, Register, may};
use crate::http::pages::form::Form;
use crate::http::pages::reader::Reader;
use crate::http::v1::cases::alike_to;
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::review::facts::field;
use crate::review::{Flaw, NewFact, NewMerger, NewMetadata, NewPart, Words};
use crate::triage::material;

/// How a browser writes a moment in a form: to the minute, in local time.
const MINUTE: &str = "%Y-%m-%dT%H:%M";

/// What a person said of a fact.
#[derive(Debug, Serialize)]
struct Corrected {
    name: String,
    label: String,
    /// What the machine reads, as people write it.
    read: Option<String>,
    code: CorrectionReason,
    reason: String,
}

/// The form in which one fact is corrected.
#[derive(Debug, Serialize)]
struct FactForm {
    name: String,
    label: String,
    help: Option<String>,
    unit: Option<String>,
    low: Option<String>,
    high: Option<String>,
    /// Codes with their names, where there is a choice.
    choices: Vec<(String, String)>,
    value: String,
    withdrawn: bool,
    /// It stands nowhere on the page yet.
    absent: bool,
}

/// A case that may tell of the same fault.
#[derive(Debug, Serialize)]
struct Suggestion {
    id: CaseId,
    number: String,
    received_at: Timestamp,
    /// How far away, whole metres.
    metres: Option<i64>,
}

/// How and from whom it came, as it stands now or as it was typed.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Registered {
    received_at: String,
    channel: String,
    name: String,
    business_id: String,
    address: String,
    email: String,
    phone: String,
    language: String,
}

/// What can be put right, and the form that is open.
#[derive(Debug, Default, Serialize)]
pub(super) struct Work {
    /// `merge`, `split` or `metadata`.
    form: Option<&'static str>,
    can_correct: bool,
    can_merge: bool,
    can_change: bool,
    /// Facts that a person may say something of.
    names: BTreeSet<String>,
    corrected: BTreeMap<String, Corrected>,
    withdrawn: Vec<Corrected>,
    /// Facts that may be stated and are not there, with their labels.
    absent: Vec<(String, String)>,
    fact: Option<FactForm>,
    codes: &'static [CorrectionReason],
    suggestions: Vec<Suggestion>,
    into: String,
    channels: &'static [Channel],
    registered: Registered,
}

impl Work {
    /// What the reader can put right in this case; `form` says which form is open and what was typed into it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) async fn of(app: &App, reader: &Reader, person: &Person, case: &Case, form: &Form) -> Result<Self> {
        let mut work = Self { codes: CorrectionReason::ALL, channels: Channel::ALL, ..Self::default() };
        let pack = &app.review().desk(&case.municipality)?.rulebook.pack;
        let class = case.file.classification.as_ref();
        let service = class.and_then(|class| pack.service(class.service.as_ref()?));
        let claim = case.claim.as_ref().filter(|claim| claim.until > app.ambient().now());
        let holds = claim.is_some_and(|claim| claim.person.token == person.token);
        let anothers = claim.is_some() && !holds;
        let goes_back = case.status.after(Act::Reenter, None).is_ok();
        work.can_correct = goes_back && holds && may::<Prepare>(person) && service.is_some();
        work.can_merge = !case.status.is_final() && !anothers && may::<Register>(person);
        work.can_change = goes_back && !anothers && may::<Register>(person);
        work.facts(case, service, reader.language);
        if work.can_correct
            && let Some(field) = form.text("fact").and_then(|name| field(service?, name))
        {
            work.fact = Some(work.fact_form(case, &field, form, reader));
        }
        match form.text("form") {
            Some("merge") if work.can_merge => {
                work.form = Some("merge");
                work.suggestions = suggestions(app, case).await?;
                let first = work.suggestions.first().map(|first| first.number.as_str());
                work.into = form.text("into").or(first).unwrap_or_default().to_owned();
            }
            Some("split") if work.can_change => work.form = Some("split"),
            Some("metadata") if work.can_change => {
                work.form = Some("metadata");
                work.registered = if form.has("metadata_reason") {
                    Registered::typed(form)
                } else {
                    Registered::of(&standing(app, case).await?)
                };
            }
            _ => {}
        }
        Ok(work)
    }

    fn facts(&mut self, case: &Case, service: Option<&ServiceFile>, language: Language) {
        let Some(service) = service else { return };
        let files = service.attachments.iter().map(|rule| format!("attachment_{}", rule.name));
        let names: Vec<String> = service.fields.iter().map(|field| field.name.clone()).chain(files).collect();
        let label = |name: &str| {
            field(service, name).map_or_else(|| name.to_owned(), |field| field.label.get(language).to_owned())
        };
        for one in &case.file.corrections {
            let corrected = Corrected {
                name: one.name.clone(),
                label: label(&one.name),
                read: one.read.as_ref().map(|fact| told(fact, service, language)),
                code: one.code,
                reason: one.reason.clone(),
            };
            if one.stated.is_some() {
                self.corrected.insert(one.name.clone(), corrected);
            } else {
                self.withdrawn.push(corrected);
            }
        }
        let shown = |name: &str| case.file.facts.get(name).is_some_and(|fact| !is_blank(fact));
        let absent = names.iter().filter(|name| !shown(name) && self.withdrawn.iter().all(|one| one.name != **name));
        self.absent = absent.map(|name| (name.clone(), label(name))).collect();
        self.names = names.into_iter().collect();
    }

    fn fact_form(&self, case: &Case, field: &Field, form: &Form, reader: &Reader) -> FactForm {
        let language = reader.language;
        let local = |text: &Localized| text.get(language).to_owned();
        let choices = match field.kind {
            FieldType::Flag => [("true", "case.yes"), ("false", "case.no")]
                .map(|(code, word)| (code.to_owned(), reader.word(word)))
                .to_vec(),
            _ => field.choices.iter().map(|(code, label)| (code.clone(), local(label))).collect(),
        };
        let bounded = matches!(field.kind, FieldType::Number | FieldType::Money);
        let (low, high) = (bound(field.min.as_ref(), language), bound(field.max.as_ref(), language));
        let stands =
            case.file.facts.get(&field.name).filter(|fact| !is_blank(fact)).map(|fact| plain(&fact.value, language));
        FactForm {
            name: field.name.clone(),
            label: local(&field.label),
            help: field.help.as_ref().map(local),
            unit: if field.kind == FieldType::Money { Some("€".to_owned()) } else { field.unit.clone() },
            low: high.as_ref().filter(|_| bounded).map(|_| low.unwrap_or_else(|| "0".to_owned())),
            high: high.filter(|_| bounded),
            choices,
            value: form
                .0
                .iter()
                .find(|(name, _)| name == "value")
                .map(|(_, text)| text.clone())
                .or(stands)
                .unwrap_or_default(),
            withdrawn: form.has("withdrawn"),
            absent: self.absent.iter().any(|(name, _)| *name == field.name),
        }
    }
}

/// A fact that stands for a field left empty is no word of anybody's.
fn is_blank(fact: &Fact) -> bool {
    matches!(&fact.evidence, Evidence::Computed { note, .. } if note == crate::triage::gather::LEFT_EMPTY)
}

/// A fact as people write it, a choice by its name.
fn told(fact: &Fact, service: &ServiceFile, language: Language) -> String {
    let field = service.fields.iter().find(|field| field.name == fact.name);
    let choice = field.and_then(|field| field.choices.get(&fact.value.plain()));
    choice.map_or_else(
        || write_value(&fact.value, fact.unit.as_deref(), language),
        |label| label.get(language).to_owned(),
    )
}

/// A value as a form takes it.
fn plain(value: &Value, language: Language) -> String {
    match value {
        Value::Date(_) => write_value(value, None, language),
        _ => value.plain(),
    }
}

/// A bound of a number as people write it.
fn bound(bound: Option<&ParameterValue>, language: Language) -> Option<String> {
    let number = match bound? {
        ParameterValue::Integer(number) => Decimal::from(*number),
        ParameterValue::Text(text) => Decimal::from_str_exact(text).ok()?,
        ParameterValue::Flag(_) => return None,
    };
    Some(write_value(&Value::Number(number), None, language))
}

/// Open notices that came earlier and may tell of the same fault, the earliest first: that is where a case goes into.
async fn suggestions(app: &App, case: &Case) -> Result<Vec<Suggestion>> {
    let alike = alike_to(app, case).await?.into_iter();
    let earlier = alike.filter(|one| (one.case.received_at, one.case.id) < (case.received_at, case.id));
    let mut suggestions: Vec<Suggestion> = earlier
        .filter(|one| one.case.status != Status::Acknowledged)
        .map(|one| Suggestion {
            id: one.case.id,
            number: one.case.number,
            received_at: one.case.received_at,
            #[expect(clippy::cast_possible_truncation, reason = "metres within a municipality")]
            metres: one.likeness.metres.map(|metres| metres.round() as i64),
        })
        .collect();
    suggestions.sort_by_key(|one| one.received_at);
    Ok(suggestions)
}

/// The submission as it stands registered.
async fn standing(app: &App, case: &Case) -> Result<Submission> {
    let first = app.storage().submission(&case.municipality, case.submission_id).await?;
    Ok(material::of(&case.file, first.ok_or(Error::NoSuch("submission"))?, []))
}

impl Registered {
    fn of(submission: &Submission) -> Self {
        let party = submission.party.clone().unwrap_or_default();
        let text = Option::unwrap_or_default;
        Self {
            received_at: submission.received_at.to_zoned(helsinki()).strftime(MINUTE).to_string(),
            channel: submission.channel.to_string(),
            name: text(party.name),
            business_id: text(party.business_id),
            address: text(party.address),
            email: text(party.email),
            phone: text(party.phone),
            language: party.language.map(|language| language.code().to_owned()).unwrap_or_default(),
        }
    }

    fn typed(form: &Form) -> Self {
        let text = |name: &str| form.text(name).unwrap_or_default().to_owned();
        Self {
            received_at: text("received_at"),
            channel: text("channel"),
            name: text("party_name"),
            business_id: text("party_business_id"),
            address: text("party_address"),
            email: text("party_email"),
            phone: text("party_phone"),
            language: text("party_language"),
        }
    }

    /// What was changed; what reads as it did is left alone.
    fn changes(self, now: &Self, reason: Words) -> Result<NewMetadata> {
        let received_at = if self.received_at == now.received_at {
            None
        } else {
            let at: DateTime = self.received_at.parse().map_err(|_| unusable("/received_at", "time"))?;
            Some(at.to_zoned(helsinki()).map_err(|_| unusable("/received_at", "time"))?.timestamp())
        };
        let channel = Some(&self.channel).filter(|channel| **channel != now.channel);
        let channel = channel.map(|word| Channel::parse(word).ok_or_else(|| unusable("/channel", "choose")));
        let party_was = (&now.name, &now.business_id, &now.address, &now.email, &now.phone, &now.language);
        let party_is = (&self.name, &self.business_id, &self.address, &self.email, &self.phone, &self.language);
        let is_changed = party_is != party_was;
        let channel = channel.transpose()?;
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        let party = is_changed.then(|| Party {
            language: Language::from_code(&self.language),
            name: text(self.name),
            business_id: text(self.business_id),
            address: text(self.address),
            email: text(self.email),
            phone: text(self.phone),
        });
        Ok(NewMetadata { received_at, channel, party, reason })
    }
}

/// A value that cannot be used, with the word by which the page says why.
fn unusable(pointer: &str, code: &'static str) -> Error {
    Error::Unusable(vec![Flaw::new(pointer, "this cannot be used", "write it anew").coded(code)])
}

/// A reason in words.
fn reason(form: &Form, name: &str) -> Result<Words> {
    let text = form.text(name).unwrap_or_default().to_owned();
    Words::try_from(text).map_err(|_| unusable(&format!("/{name}"), "reason"))
}

/// `POST /console/cases/{id}/facts`: one fact.
///
/// # Errors
/// A fault of ours; a refusal is a page.
pub async fn facts(act: Sent<Prepare>) -> Result<Response> {
    let result = async {
        let form = &act.form;
        let name = form.text("fact").unwrap_or_default().to_owned();
        let value = if form.has("withdrawn") { None } else { Some(form.text("value").unwrap_or_default()) };
        let code = form.text("code").and_then(CorrectionReason::parse);
        let fact = NewFact {
            name,
            value: value.map_or(serde_json::Value::Null, Into::into),
            unit: None,
            code: code.ok_or_else(|| unusable("/facts/0/code", "choose"))?,
            reason: reason(form, "fact_reason")?,
        };
        Ok(act.app.review().correct_facts(&act.person, act.id, vec![fact]).await?)
    };
    let result = result.await;
    act.done("facts", result).await
}

/// `POST /console/cases/{id}/merge`
///
/// # Errors
/// As [`facts`].
pub async fn merge(act: Sent<Register>) -> Result<Response> {
    let result = async {
        let form = &act.form;
        let merger = NewMerger {
            into: form.text("into").unwrap_or_default().to_owned(),
            same_party: form.has("same_party"),
            reason: reason(form, "merge_reason")?,
        };
        Ok(act.app.review().merge(&act.person, act.id, merger).await?)
    };
    let result = result.await;
    act.opens("merge").done("merged", result).await
}

/// `POST /console/cases/{id}/split`: one matter.
///
/// # Errors
/// As [`facts`].
pub async fn split(act: Sent<Register>) -> Result<Response> {
    let result = async {
        let form = &act.form;
        let text = Words::try_from(form.text("split_text").unwrap_or_default().to_owned());
        let text = text.map_err(|_| unusable("/parts/0/text", "absent"))?;
        let reason = reason(form, "split_reason")?;
        let class = new_class(&act, "split_service", "split_matter", reason)?;
        Ok(act.app.review().split(&act.person, act.id, vec![NewPart { text, class }]).await?)
    };
    let result = result.await;
    act.opens("split").done("split", result).await
}

/// `POST /console/cases/{id}/metadata`
///
/// # Errors
/// As [`facts`].
pub async fn metadata(act: Sent<Register>) -> Result<Response> {
    let result = async {
        let case = act.app.storage().case(&act.person.municipality, act.id).await?.ok_or(Error::NoSuch("case"))?;
        let now = Registered::of(&standing(&act.app, &case).await?);
        let new = Registered::typed(&act.form).changes(&now, reason(&act.form, "metadata_reason")?)?;
        Ok(act.app.review().correct_metadata(&act.person, act.id, new).await?)
    };
    let result = result.await;
    act.opens("metadata").done("metadata", result).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_is_put_right() {
        let stands = || Registered {
            received_at: "2026-03-10T10:15".to_owned(),
            channel: "email".to_owned(),
            name: "A".to_owned(),
            ..Registered::default()
        };
        let reason = || Words::try_from("postileima".to_owned()).unwrap();
        let same = stands().changes(&stands(), reason()).unwrap();
        assert!(same.received_at.is_none() && same.channel.is_none() && same.party.is_none());
        let typed = Registered { received_at: "2026-03-09T16:15".to_owned(), name: String::new(), ..stands() };
        let new = typed.changes(&stands(), reason()).unwrap();
        assert_eq!(new.received_at.unwrap().to_string(), "2026-03-09T14:15:00Z", "Finnish time");
        assert_eq!((new.party.unwrap().name, new.channel), (None, None));
        for received_at in ["", "eilen", "2026-02-30T10:00"] {
            let typed = Registered { received_at: received_at.to_owned(), ..stands() };
            assert!(typed.changes(&stands(), reason()).is_err(), "{received_at}");
        }
    }
}
