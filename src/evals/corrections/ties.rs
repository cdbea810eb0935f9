//! What a case shares with others of the same household: marks of the party and the place, as keyed hashes.
//!
//! A mark is compared as the masker compares it, however it was written: `040 777 1234` and `+358407771234` are one
//! telephone, `FI02012566` and `0201256-6` one business. What a field holds is told by its type, not by its name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Reviewed;
use super::lock::{Pseudonyms, name_parts};
use crate::cases::Submission;
use crate::model::masking::{Class, compact, key};
use crate::municipality::Pack;
use crate::municipality::format::FieldType;

/// The ties of a case, strongest first; that of the case alone where nothing of it is known.
pub(super) fn of(reviewed: &Reviewed, pack: &Pack, pseudonyms: &Pseudonyms) -> Vec<String> {
    let mut marks = Vec::new();
    for submission in &reviewed.submissions {
        let party = submission.party.iter().flat_map(|party| {
            let marks = [
                (Class::BusinessId, &party.business_id),
                (Class::Email, &party.email),
                (Class::Phone, &party.phone),
                (Class::StreetAddress, &party.address),
                (Class::Person, &party.name),
            ];
            marks.into_iter().filter_map(|(class, mark)| Some((class, mark.clone()?)))
        });
        marks.extend(party);
        marks.extend(fields(submission, pack));
        let place = submission.location.as_ref().and_then(|location| location.address.clone());
        marks.extend(place.map(|place| (Class::StreetAddress, place)));
    }
    let mut ties: Vec<String> = Vec::new();
    for (class, mark) in &marks {
        let mark = bare(*class, mark);
        let tie = pseudonyms.of("tie", &format!("{}:{mark}", class.label()));
        if !mark.is_empty() && !ties.contains(&tie) {
            ties.push(tie);
        }
    }
    if ties.is_empty() {
        ties.push(pseudonyms.of("tie", &reviewed.decided.case.id.to_string()));
    }
    ties
}

/// Marks in the fields of a form, whichever of the municipality's forms it is.
fn fields(submission: &Submission, pack: &Pack) -> Vec<(Class, String)> {
    let mut marks = Vec::new();
    for (name, value) in &submission.fields {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        let fields = pack.services.values().flat_map(|service| &service.fields);
        let kinds: BTreeSet<Option<Class>> =
            fields.filter(|field| field.name == *name).map(|field| class(name, Some(field.kind))).collect();
        let kinds = if kinds.is_empty() { BTreeSet::from([class(name, None)]) } else { kinds };
        marks.extend(kinds.into_iter().flatten().map(|class| (class, text.clone())));
    }
    marks
}

/// What kind of mark a field is, where it is one.
fn class(name: &str, kind: Option<FieldType>) -> Option<Class> {
    match kind {
        Some(FieldType::Iban) => Some(Class::Iban),
        Some(FieldType::BusinessId) => Some(Class::BusinessId),
        Some(FieldType::IdentityCode) => Some(Class::IdentityCode),
        Some(FieldType::Email) => Some(Class::Email),
        Some(FieldType::Phone) => Some(Class::Phone),
        Some(FieldType::Text) | None => match name {
            "iban" => Some(Class::Iban),
            "business_id" => Some(Class::BusinessId),
            "email" => Some(Class::Email),
            "phone" => Some(Class::Phone),
            "register_unit" => Some(Class::Reference),
            name if name.contains("address") => Some(Class::StreetAddress),
            _ => None,
        },
        Some(
            FieldType::Number
            | FieldType::Money
            | FieldType::Date
            | FieldType::Moment
            | FieldType::Flag
            | FieldType::Choice,
        ) => None,
    }
}

/// A mark as it is the same however it was written.
fn bare(class: Class, mark: &str) -> String {
    match class {
        Class::Person => name_parts(mark),
        // The postal code and the town come with a comma or without one.
        Class::StreetAddress => {
            let key = key(class, mark);
            let is_post = |word: &&str| word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit());
            compact(&key.split_whitespace().take_while(|word| !is_post(word)).collect::<String>())
        }
        _ => key(class, mark),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_one_however_it_is_written() {
        for (class, one, other) in [
            (Class::Phone, "040 777 1234", "+358407771234"),
            (Class::Phone, "0407771234", "00358 40 7771234"),
            (Class::BusinessId, "FI02012566", "0201256-6"),
            (Class::Iban, "FI21 1234 5600 0007 85", "fi2112345600000785"),
            (Class::StreetAddress, "Salaistenpolku 7, 99990 Harjuvesi", "salaistenpolku  7 99990 HARJUVESI"),
            (Class::StreetAddress, "Salaistenpolku 7 A 2", "Salaistenpolku 7A2"),
            (Class::Email, "Salla@Kuiskaus.example", "salla@kuiskaus.example"),
            (Class::Person, "Salla Salainen", "Salainen, Salla"),
        ] {
            assert_eq!(bare(class, one), bare(class, other));
        }
        assert_ne!(bare(Class::StreetAddress, "Salaistenpolku 7"), bare(Class::StreetAddress, "Salaistenpolku 8"));
        assert_eq!(class("mobile", Some(FieldType::Phone)), Some(Class::Phone), "by its type, whatever its name");
    }
}
