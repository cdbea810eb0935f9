//! What kind of matter a message is, where the classifier does not know.

use super::consultation::{Consultation, Unable};
use crate::cases::CaseFile;
use crate::model::answers::ClassifyAnswer;
use crate::model::masking::Masked;
use crate::model::prompts::{PromptId, Values};
use crate::triage::proposals::{LabelProposal, Proposals};
use crate::triage::{Step, classify};

/// Whether the offline engine abstains and there is something to read.
pub(super) fn is_wanted(about: &Consultation<'_>) -> bool {
    let offline = about.desk.run(Step::Classify, about.submission, about.file.clone(), about.at, &Proposals::none());
    let abstains = |file: CaseFile| file.classification.is_some_and(|classification| classification.abstained);
    offline.is_ok_and(|(file, _)| abstains(file)) && !about.sources().is_empty()
}

/// Asks for a label.
pub(super) async fn ask(about: &Consultation<'_>) -> Result<LabelProposal, Unable> {
    let language = about.record_language();
    let labels = classify::labels(about.desk, language);
    let row = |(label, meaning): (String, String)| {
        vec![("label", Masked::public(label)), ("meaning", Masked::public(meaning))]
    };
    let values = Values::new()
        .word("record_language", language.code())
        .rows("labels", labels.into_iter().map(row))
        .texts("sources", about.sources());
    let answer: ClassifyAnswer = about.ask(PromptId::Classify, &values).await?;
    Ok(LabelProposal {
        label: about.put_back(&answer.label),
        quote: about.masker().restore(&answer.quote).ok(),
        reason: about.put_back(&answer.reason),
    })
}
