//! What of a draft a language model may have written: the sentences of its reasons and its paragraph on the matter.
//!
//! A draft counts as a model's while the machine prepared it and a model had a part in the case. What is still word for
//! word what code makes (the sentence of a rule, the fixed block on the matter) is nobody's prose and needs no suspicion.

use super::{Subject, words};
use crate::cases::{Localized, PartKind, Preparer, Reason, RuleTrace};

/// A piece of prose.
#[derive(Debug, Clone)]
pub struct Prose<'a> {
    /// Where it stands, for the detail of a check.
    pub place: Localized,
    /// The words. What the block on the matter quotes from the sender is no part of them; what a model puts into quotation
    /// marks is.
    pub text: String,
    /// The reason, when it is one's sentence.
    pub reason: Option<&'a Reason>,
}

/// Whether a language model had a part in this draft and no person has taken it over.
pub fn by_model(subject: &Subject<'_>) -> bool {
    subject.engine.model.is_some() && *subject.preparer == Preparer::Engine
}

/// The rule that a reason tells of, as it was evaluated.
pub fn rule_of<'a>(subject: &Subject<'a>, reason: &Reason) -> Option<&'a RuleTrace> {
    let assessment = subject.file.assessment.as_ref()?;
    assessment.rules.iter().find(|rule| Some(&rule.rule) == reason.rule.as_ref())
}

/// Everything in the draft's reasons and matter that code did not write.
pub fn written<'a>(subject: &Subject<'a>) -> Vec<Prose<'a>> {
    let content = subject.content;
    let model = by_model(subject);
    let own = collapsed(&crate::text::mask(&super::sources::own_words(subject)));
    let told = |reason: &Reason| {
        rule_of(subject, reason).is_some_and(|rule| rule.reason.get(content.language).trim() == reason.text.trim())
    };
    let mut prose: Vec<Prose<'a>> = content
        .reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| !told(reason))
        .map(|(at, reason)| Prose { place: words::the_reason(at + 1), text: reason.text.clone(), reason: Some(reason) })
        .collect();
    for part in content.parts.iter().filter(|part| part.kind == PartKind::Matter) {
        let blocks = ["matter-application", "matter-notice"];
        let block = |id: &&str| subject.rulebook.pack.text(id, content.language, subject.decided_on);
        let is_block = |text: &str| {
            let fits = blocks.iter().filter_map(block).any(|block| super::blocks::fits(&block.body, text, &[]));
            fits && unquoted(text, &own).1
        };
        // A model's paragraph stands behind the block.
        let paragraph = part.text.rsplit_once("\n\n").filter(|(before, _)| is_block(before)).map(|(_, words)| words);
        let text = match paragraph {
            Some(words) if model => words.to_owned(),
            None if is_block(&part.text) => continue,
            None if model => part.text.clone(),
            _ => unquoted(&part.text, &own).0,
        };
        prose.push(Prose { place: words::the_matter(), text, reason: None });
    }
    prose
}

/// The text without what it quotes word for word from the sender, and whether all its quotes are such.
fn unquoted(text: &str, own: &str) -> (String, bool) {
    /// Quotes, and marks within one, that are looked at: what has more is nobody's honest quote.
    const MOST: usize = 8;
    // English begins a quote with another mark.
    let (text, own) = (text.replace('“', "”"), own.replace('“', "”"));
    let mut rest = text.as_str();
    let (mut out, mut hold) = (String::new(), true);
    for _ in 0..MOST {
        let Some(start) = rest.find('”') else { break };
        let inner = &rest[start + '”'.len_utf8()..];
        // The sender's words may hold the same mark: the longest quote that is theirs is meant.
        let theirs = inner.rmatch_indices('”').map(|(end, _)| end).take(MOST).find(|end| {
            let words = collapsed(inner[..*end].trim_end_matches('…'));
            !words.is_empty() && own.contains(&words)
        });
        let Some(end) = theirs else {
            hold = false;
            let until = rest.len() - inner.len();
            out.push_str(&rest[..until]);
            rest = inner;
            continue;
        };
        out.push_str(&rest[..start]);
        rest = &inner[end + '”'.len_utf8()..];
    }
    out.push_str(rest);
    (out, hold && !rest.contains('”'))
}

/// Words with one space between them.
pub fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences of a text. A point within a number, a date or a short word ends none.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, mark) in text.char_indices().filter(|(_, c)| matches!(c, '.' | '!' | '?' | '\n' | ';')) {
        let end = at + mark.len_utf8();
        let ends = mark != '.' || text[end..].chars().next().is_none_or(char::is_whitespace);
        let number = mark == '.'
            && text[..at].ends_with(|c: char| c.is_ascii_digit())
            && text[end..].trim_start().starts_with(char::is_lowercase);
        if ends && !number {
            found.push(text[from..end].trim());
            from = end;
        }
    }
    found.push(text[from..].trim());
    found.retain(|sentence| !sentence.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_at_their_marks() {
        assert_eq!(
            sentences("Hakuaika päättyi 15.4. kello 15.00. Hakemus on ajoissa! Kiitos"),
            ["Hakuaika päättyi 15.4. kello 15.00.", "Hakemus on ajoissa!", "Kiitos"]
        );
    }

    #[test]
    fn only_the_senders_own_words_are_a_quote() {
        let own = "Kadulla on kuoppa, sanoi ”naapuri” eilen";
        assert_eq!(
            unquoted("Kirjoititte: ”Kadulla on kuoppa, sanoi ”naapuri” eilen”", own),
            ("Kirjoititte: ".to_owned(), true)
        );
        assert_eq!(unquoted("”Kadulla on …” ja muuta", own), (" ja muuta".to_owned(), true));
        let (text, hold) = unquoted("Kirjoititte: ”Myönnetään kaikki”", own);
        assert!(text.contains("Myönnetään kaikki") && !hold);
        assert_eq!(unquoted("You wrote: “Kadulla on kuoppa”", own), ("You wrote: ".to_owned(), true));
        assert!(!unquoted("You wrote: “All is granted”", own).1);
    }
}
