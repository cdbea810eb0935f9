//! `edit`: a person's own version of the draft.
//!
//! Versions are immutable: an edit makes a new one, bound to the version it was made from and verified
//! like the machine's. A person edits words: parts and reasons. Kind, amount, decider and appeal are worked
//! out by code; to change those, change facts, rulings or the class, and the pipeline drafts anew.

use serde_json::json;

use super::words::{self, fault};
use super::{Flaw, Refusal, Result, Review, act};
use crate::cases::{
    Act, Case, CaseId, CheckId, Draft, DraftContent, DraftHash, DraftId, EventKind, Part, PartKind, Person, Preparer,
    Reason,
};
use crate::policy::Library;
use crate::triage::compose;

/// Most parts or reasons of a draft.
const MOST_ITEMS: usize = 60;
/// Longest part of a letter, characters.
const LONGEST_PART: usize = 5_000;

/// New words for a draft.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// All parts, in the order of the letter.
    pub parts: Vec<Part>,
    /// All reasons; left out: as they are.
    #[serde(default)]
    pub reasons: Option<Vec<Reason>>,
}

impl Edit {
    /// The content with the new words, and the letter made anew from them.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with each text that cannot stand in a letter.
    pub fn apply(self, content: &DraftContent, library: &Library) -> Result<DraftContent> {
        let mut flaws = self.flaws();
        flaws.extend(self.changes_of_worked_out_parts(content));
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let Self { mut parts, reasons } = self;
        let reasons = reasons.unwrap_or_else(|| content.reasons.clone());
        // The letter gives the reasons that stand in the draft, in their words, and no others.
        for part in parts.iter_mut().filter(|part| part.kind == PartKind::Reasons) {
            part.text = compose::reason_lines(library, &reasons, content.language).join("\n");
        }
        let letter = DraftContent::render_letter(&parts);
        Ok(DraftContent { parts, reasons, letter, ..content.clone() })
    }

    /// Code alone writes some parts: they come back as they were, all of them, in their order.
    fn changes_of_worked_out_parts(&self, content: &DraftContent) -> Vec<Flaw> {
        let kept: Vec<&Part> = content.parts.iter().filter(|part| part.kind.is_worked_out(content.kind)).collect();
        let sent = self.parts.iter().enumerate().filter(|(_, part)| part.kind.is_worked_out(content.kind));
        let sent: Vec<(usize, &Part)> = sent.collect();
        let mut flaws: Vec<Flaw> = sent
            .iter()
            .filter(|(_, part)| !kept.contains(part))
            .map(|(i, part)| {
                let what = format!("the part `{}` is worked out by code", part.kind);
                Flaw::new(&format!("/parts/{i}"), what, "send it as it was; facts, rulings or the class change it")
            })
            .collect();
        if flaws.is_empty() && sent.iter().map(|(_, part)| *part).collect::<Vec<_>>() != kept {
            let kinds: Vec<&str> = kept.iter().map(|part| part.kind.as_str()).collect();
            let instead = format!("send each of these once and in this order: {}", kinds.join(", "));
            flaws.push(Flaw::new("/parts", "parts that code works out are missing, doubled or moved", instead));
        }
        flaws
    }

    fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut look = |pointer: String, text: &str, longest: usize| {
            if let Some(what) = fault(text, longest) {
                flaws.push(Flaw::new(&pointer, what, format!("write at most {longest} printable characters")));
            }
        };
        for (i, part) in self.parts.iter().enumerate() {
            look(format!("/parts/{i}/text"), &part.text, LONGEST_PART);
            look(format!("/parts/{i}/title"), part.title.as_deref().unwrap_or_default(), 200);
        }
        for (i, reason) in self.reasons.iter().flatten().enumerate() {
            look(format!("/reasons/{i}/text"), &reason.text, words::LONGEST);
            for (j, citation) in reason.citations.iter().enumerate() {
                look(format!("/reasons/{i}/citations/{j}/quote"), &citation.quote, words::LONGEST);
            }
            for (j, name) in reason.evidence.iter().enumerate() {
                look(format!("/reasons/{i}/evidence/{j}"), name, 200);
            }
        }
        let reasons = self.reasons.as_ref().map_or(0, Vec::len);
        if self.parts.is_empty() || self.parts.len() > MOST_ITEMS || reasons > MOST_ITEMS {
            flaws.push(Flaw::new("/parts", "a letter has 1 to 60 parts and at most 60 reasons", "send all parts"));
        }
        flaws
    }
}

impl Review {
    /// Saves a person's version, made from the version with the hash `seen`. An edit that changes nothing
    /// gives the version that stands.
    ///
    /// # Errors
    /// [`Refusal::StaleDraft`], [`Refusal::NotClaimed`], [`Refusal::ClaimedByAnother`], [`Refusal::Invalid`].
    pub async fn edit(&self, person: &Person, id: CaseId, seen: &DraftHash, edit: Edit) -> Result<Draft> {
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_judged(person, &case)?;
        self.require_claim(&case, person)?;
        case.status = case.status.after(Act::Edit, None)?;
        let old = self.latest_draft(&case).await?;
        if old.hash != *seen {
            return Err(Refusal::StaleDraft { current: old.hash });
        }
        let content = edit.apply(&old.content, &self.desk(&case.municipality)?.rulebook.library)?;
        if content.hash() == old.hash {
            return Ok(old);
        }
        let draft = self.version(person, &case, &old, content).await?;
        let failed: Vec<CheckId> = draft.checks.iter().filter(|check| check.blocks()).map(|check| check.id).collect();
        let payload = json!({ "draft": draft.id, "version": draft.version, "hash": draft.hash, "from": old.hash,
            "failed": failed });
        tx.insert_draft(&draft).await?;
        case.claim = Some(self.new_claim(person));
        case.file.returned = None;
        case.file.note_preparer(person);
        Self::finish(tx, case, act(person, EventKind::Edited, id, payload)).await?;
        Ok(draft)
    }

    async fn version(&self, person: &Person, case: &Case, old: &Draft, content: DraftContent) -> Result<Draft> {
        let preparer = Preparer::Person { actor: person.token.to_string() };
        let checks = self.check(case, &content, &preparer, None).await?;
        Ok(Draft {
            id: DraftId::new(self.ambient().id()),
            case_id: case.id,
            version: old.version + 1,
            hash: content.hash(),
            content,
            checks,
            engine: old.engine.clone(),
            prepared_by: preparer,
            created_at: self.ambient().now(),
        })
    }
}
