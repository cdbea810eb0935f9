//! Whether sentences in a language that the rules are not written in say what the rules' own sentences say.

use super::compose::Offline;
use super::consultation::{Consultation, Unable};
use crate::model::answers::TranslateAnswer;
use crate::model::masking::Masked;
use crate::model::prompts::{PromptId, Row, Values};
use crate::triage::proposals::Prose;

/// The differences in meaning between a model's sentences and those of the rules in the language of the record; none
/// where the letter is in that language or explains no rule.
pub(super) async fn differences(
    about: &Consultation<'_>,
    offline: &Offline,
    prose: &Prose,
) -> Result<Vec<String>, Unable> {
    let (record, letter) = (about.record_language(), offline.proposal.content.language);
    let Some(assessment) = about.assessment().filter(|_| record != letter) else { return Ok(Vec::new()) };
    let pair = |trace: &crate::cases::RuleTrace| -> Option<Row> {
        let written = prose.reasons.iter().find(|written| written.rule.as_ref() == Some(&trace.rule))?;
        Some(vec![
            ("rule", Masked::public(trace.rule.to_string())),
            ("original", about.masker().mask(trace.reason.get(record))),
            ("letter", about.masker().mask(&written.text)),
        ])
    };
    let pairs: Vec<Row> = assessment.rules.iter().filter_map(pair).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let values = Values::new()
        .word("record_language", record.code())
        .word("letter_language", letter.code())
        .rows("pairs", pairs);
    let answer: TranslateAnswer = about.ask(PromptId::TranslateCheck, &values).await?;
    let mut differences = answer.differences;
    if differences.is_empty() && !answer.same {
        differences.push("the sentences do not say the same as the rules' own".to_owned());
    }
    Ok(differences)
}
