//! What everybody could read of a case: a proposal without what identifies anybody, and what of a text identifies somebody.
//!
//! Pure. The case's own masker runs over what came in and over the approved answer; a person reads the proposal, writes
//! what is shown and answers for it. What is left in their text by mistake is told by the same masker: numbers, addresses
//! and plates of anybody, and the names that the form or the sender told. The municipality's own are nobody's secret.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Desk;
use crate::cases::{CaseFile, DraftContent, Language, PartKind, Submission};
use crate::model::masking::{Class, compact, key};
use crate::municipality::Pack;
use crate::municipality::format::Contact;

/// What everybody could read, as the machine proposes it.
#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Proposed {
    /// What the party sent.
    pub text: String,
    /// The approved answer; none where nothing was approved.
    pub answer: Option<String>,
    /// The language in which the party wrote.
    pub language: Language,
}

/// Masking may have missed a name: `{:?}` tells no words (promise 10).
impl std::fmt::Debug for Proposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proposed").field("language", &self.language).finish_non_exhaustive()
    }
}

/// What the machine proposes to show of a case; `approved` is the draft that a person approved last.
#[must_use]
pub fn propose(desk: &Desk, submission: &Submission, file: &CaseFile, approved: Option<&DraftContent>) -> Proposed {
    let language = file.reading.as_ref().map_or(Language::Fi, |reading| reading.language);
    let masker = desk.masker(submission, service(file));
    let names = parts(masker.people());
    let told = |text: &str, language| {
        without(&masker.mask(text).told(removed(language)), &names, removed(language)).trim().to_owned()
    };
    let message = file.reading.as_ref().map(crate::cases::Reading::message).unwrap_or_default();
    let answer = approved.map(|content| told(&answer(content), content.language)).filter(|text| !text.is_empty());
    Proposed { text: told(&message, language), answer, language }
}

/// What the answer says: what was decided or done and why, without addresses, contacts and instructions.
fn answer(content: &DraftContent) -> String {
    let parts = content
        .parts
        .iter()
        .filter(|part| matches!(part.kind, PartKind::Operative | PartKind::Reasons) && !part.text.trim().is_empty());
    parts.map(|part| part.text.trim()).collect::<Vec<_>>().join("\n\n")
}

/// What stands in the place of what was taken out.
const fn removed(language: Language) -> &'static str {
    match language {
        Language::Fi => "[poistettu]",
        Language::Sv => "[borttaget]",
        Language::En => "[removed]",
    }
}

fn service(file: &CaseFile) -> Option<&crate::cases::ServiceId> {
    file.classification.as_ref().and_then(|class| class.service.as_ref())
}

/// What of a text identifies somebody: a stable word for each kind, in the order of the text and each once.
#[must_use]
pub fn identifying(desk: &Desk, submission: &Submission, file: &CaseFile, text: &str) -> Vec<&'static str> {
    let text = crate::text::normalize(text).text;
    let masker = desk.masker(submission, service(file));
    let own = Own::of(&desk.rulebook.pack);
    let mut found = Vec::new();
    for hit in masker.finds(&text) {
        let word = match hit.class {
            Class::IdentityCode => "identity-code",
            Class::Iban | Class::BankCard => "account",
            Class::Phone if !is_among(&own.phones, &key(Class::Phone, &hit.written)) => "phone",
            Class::Email if !is_among(&own.written, &compact(&hit.written)) => "e-mail",
            Class::Plate => "plate",
            Class::StreetAddress if !is_among(&own.written, &compact(&hit.written)) => "address",
            Class::BirthDate => "birth-date",
            Class::Reference => "reference",
            Class::Person if hit.known => "name",
            Class::Detail if hit.known => "detail",
            _ => continue,
        };
        if !found.contains(&word) {
            found.push(word);
        }
    }
    let named = words(&text).any(|(_, word)| names_somebody(word, &parts(masker.people())));
    if named && !found.contains(&"name") {
        found.push("name");
    }
    found
}

/// The words of the names that the sender told, in lower case. The masker leaves a name be that may be a place, so that the
/// work keeps its places; what everybody reads can do without.
fn parts<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let parts = names.flat_map(|name| words(name).map(|(_, word)| word.to_lowercase()).collect::<Vec<_>>());
    parts.filter(|part| part.chars().count() > 2).collect()
}

fn names_somebody(word: &str, names: &BTreeSet<String>) -> bool {
    word.starts_with(char::is_uppercase) && names.contains(&word.to_lowercase())
}

/// The text with `instead` in the place of every word that is one of these names.
fn without(text: &str, names: &BTreeSet<String>, instead: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = 0;
    for (start, word) in words(text).filter(|(_, word)| names_somebody(word, names)) {
        told.push_str(&text[rest..start]);
        told.push_str(instead);
        rest = start + word.len();
    }
    told.push_str(&text[rest..]);
    told
}

/// Runs of letters, with the byte at which each begins.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|c: char| !c.is_alphabetic()).filter_map(move |word| {
        let start = at + text[at..].find(word)?;
        at = start + word.len();
        (!word.is_empty()).then_some((start, word))
    })
}

/// How the municipality itself is reached.
struct Own {
    phones: Vec<String>,
    written: Vec<String>,
}

impl Own {
    fn of(pack: &Pack) -> Self {
        let file = &pack.municipality;
        let departments = file.departments.values().map(|department| &department.contact);
        let contacts: Vec<&Contact> = std::iter::once(&file.registry)
            .chain(departments)
            .chain(pack.authorities.iter().map(|authority| &authority.contact))
            .collect();
        let phones = contacts.iter().filter_map(|contact| contact.phone.as_deref());
        let written = contacts.iter().flat_map(|contact| [&contact.email, &contact.address]).flatten();
        Self {
            phones: phones.map(|phone| key(Class::Phone, phone)).collect(),
            written: written.map(|text| compact(text)).collect(),
        }
    }
}

fn is_among(all: &[String], one: &str) -> bool {
    all.iter().any(|known| known.contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_goes_also_where_it_may_be_a_place() {
        let names = parts(["Salla Harju-Aalto", "Bo"].into_iter());
        assert_eq!(without("Kiitos, Salla! T: Harju", &names, "[x]"), "Kiitos, [x]! T: [x]");
        assert_eq!(without("Harjun koulu, aalto, Bo, åSalla", &names, "[x]"), "Harjun koulu, aalto, Bo, åSalla");
        assert_eq!(words("ä, b\u{a0}cd.").collect::<Vec<_>>(), [(0, "ä"), (4, "b"), (7, "cd")]);
    }
}
