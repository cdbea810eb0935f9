//! Facts that a text states for fields left empty.

use super::consultation::{Consultation, Unable};
use crate::cases::Language;
use crate::model::answers::GatherAnswer;
use crate::model::masking::Masked;
use crate::model::prompts::{PromptId, Row, Values};
use crate::municipality::format::{Field, FieldType};
use crate::triage::Step;
use crate::triage::gather::stated;
use crate::triage::proposals::{FactProposal, Proposals};

/// Whether something would be asked of the sender that a text may state.
pub(super) fn is_wanted(about: &Consultation<'_>) -> bool {
    let Some(service) = about.service() else { return false };
    let open = stated::open_fields(service, about.submission);
    let offline = about.desk.run(Step::Gather, about.submission, about.file.clone(), about.at, &Proposals::none());
    let asks = offline.is_ok_and(|(file, _)| {
        file.questions.iter().any(|question| open.iter().any(|field| field.name == question.about))
    });
    asks && !about.sources().is_empty()
}

/// Asks for what the texts state.
pub(super) async fn ask(about: &Consultation<'_>) -> Result<Vec<FactProposal>, Unable> {
    let language = about.record_language();
    let open = about.service().map(|service| stated::open_fields(service, about.submission)).unwrap_or_default();
    let values = Values::new()
        .word("record_language", language.code())
        .rows("fields", open.into_iter().map(|field| row(field, language)))
        .texts("sources", about.sources());
    let answer: GatherAnswer = about.ask(PromptId::GatherFacts, &values).await?;
    let facts = answer.facts.into_iter().map(|fact| FactProposal {
        name: about.put_back(&fact.name),
        value: about.put_back(&fact.value),
        source: about.source_of(&fact.source),
        quote: about.masker().restore(&fact.quote).ok(),
        reason: about.put_back(&fact.reason),
    });
    Ok(facts.collect())
}

fn row(field: &Field, language: Language) -> Row {
    let mut row = vec![
        ("name", Masked::public(&field.name)),
        ("label", Masked::public(field.label.get(language))),
        ("type", Masked::public(kind(field.kind))),
    ];
    row.extend(field.unit.as_ref().map(|unit| ("unit", Masked::public(unit))));
    if !field.choices.is_empty() {
        let choice = |(code, label): (&String, &crate::cases::Localized)| format!("{code}: {}", label.get(language));
        let choices: Vec<String> = field.choices.iter().map(choice).collect();
        row.push(("choices", Masked::public(choices.join("; "))));
    }
    row
}

const fn kind(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Number => "number",
        FieldType::Money => "euros",
        FieldType::Date => "day",
        FieldType::Moment => "day and time",
        FieldType::Flag => "flag",
        FieldType::Choice => "choice",
        _ => "text",
    }
}
