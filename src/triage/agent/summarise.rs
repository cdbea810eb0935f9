//! A few lines for the handler: what the matter is, and what to look at first. No part of the draft.

use super::compose::Offline;
use super::consultation::{Consultation, Unable};
use crate::model::answers::SummaryAnswer;
use crate::model::masking::Masked;
use crate::model::prompts::{PromptId, Values};
use crate::{text, verify};

/// Asks for the lines, in the language of the record.
pub(super) async fn tell(about: &Consultation<'_>, offline: &Offline) -> Result<String, Unable> {
    let language = about.record_language();
    let flags = about.file.flags.iter().map(|flag| vec![("flag", Masked::public(flag.as_str()))]);
    let content = &offline.proposal.content;
    let values = Values::new()
        .word("record_language", language.code())
        .word("kind", content.kind.as_str())
        .rows("facts", about.facts(language))
        .rows("reasons", about.reasons(&content.reasons))
        .rows("questions", about.questions(language))
        .rows("flags", flags)
        .texts("sources", about.sources());
    let answer: SummaryAnswer = about.ask(PromptId::Summarise, &values).await?;
    let mut lines = Vec::new();
    for line in answer.lines {
        // A line stays a line, and no identifier stands in it that the handler does not look up on purpose.
        let restored = about.masker().restore(&line)?.split_whitespace().collect::<Vec<_>>().join(" ");
        if restored.is_empty() {
            continue;
        }
        let shown = text::mask(&restored);
        // The handler reads them as ours: a model that obeyed a stranger, or tells how it was asked, is not heard.
        let steered = verify::leak(&shown.replace(['[', ']'], ""), &[]).is_some();
        if steered || about.agent.prompts.get(PromptId::Summarise).is_repeated_in(&restored, &content.letter) {
            return Err(Unable::Steered);
        }
        lines.push(shown);
    }
    Ok(lines.join("\n"))
}
