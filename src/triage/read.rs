//! Step `read`: every text in its normal form, the language of the party, words of danger, orders to a machine.
//!
//! Danger is looked for in every text of every service, not only in fault notices: a cry for help in a
//! grant form must reach a person (promise 11, checks K27). Nothing here follows what a text says.

use super::Desk;
use crate::cases::{CaseFile, Flag, Language, Reading, Submission};
use crate::intake::extract::Attached;
use crate::intake::words;

/// Reads `submission`, and what was taken out of its files, into `file.reading` and the flags that come from words
/// alone.
pub fn run(desk: &Desk, submission: &Submission, attached: Option<&Attached>, file: &mut CaseFile) {
    // Flags are found anew in each round; what a person corrected meanwhile must not linger.
    file.flags.clear();
    let (mut texts, mut hidden) = words::texts(submission);
    let mut files = Vec::new();
    if let Some(attached) = attached {
        let (of_files, hides) = words::of_files(&attached.texts);
        texts.extend(of_files);
        hidden |= hides;
        files.clone_from(&attached.files);
    }
    if files.iter().any(|file| file.reading.needs_person()) {
        file.flags.insert(Flag::UnreadAttachment);
    }
    let emergencies = words::emergencies(&desk.lexicon, &texts);
    file.flags.extend(words::flags(&emergencies));
    if hidden {
        file.flags.insert(Flag::HiddenCharacters);
    }
    let orders = words::orders(&desk.rulebook.pack.injection, submission, &texts);
    // A signal for the handler, and never the barrier: the barrier is that no text is ever obeyed.
    if !orders.is_empty() {
        file.flags.insert(Flag::Injection);
    }
    let first = desk.rulebook.pack.municipality.languages.first().copied().unwrap_or(Language::Fi);
    let answered = words::language(submission, &texts, first);
    if answered.foreign {
        file.flags.insert(Flag::OtherLanguage);
    }
    file.reading = Some(Reading {
        language: answered.language,
        language_from: answered.from.to_owned(),
        texts,
        emergencies,
        orders,
        files,
    });
}
