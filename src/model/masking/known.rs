//! What a case tells of its people before any text is read: the party, the form, the fields that no model may see.
//!
//! A field's type says what its value is; where the service lets no model see a text, its name says whether it is a
//! person's or a home. Values are found wherever they stand again, with other spaces and letters of another size.

use std::collections::HashMap;

use serde_json::Value;

use super::detect::{self, Span, compact, is_street};
use super::inflection::Forms;
use super::names::{self, words};
use super::placeholder::Class;
use crate::cases::Submission;
use crate::municipality::format::{Field, FieldType, ServiceFile};
use crate::text::normalize;

/// Longest value that is looked for as a whole, in characters.
const LONGEST: usize = 120;
/// Most values.
const MOST: usize = 100;
/// Fewest letters and digits of a value that is looked for.
const HEAD: usize = 4;

/// What is known.
pub struct Known {
    /// Names of people and organisations.
    pub names: Vec<(Class, String)>,
    /// Values that are masked wherever they stand.
    pub literals: Vec<Literal>,
    /// Letters and digits of each way to write a value, and which it is; by the first [`HEAD`] of them.
    by_head: HashMap<String, Vec<(String, usize)>>,
    places: Forms,
}

/// A value of a field.
pub struct Literal {
    /// What it is.
    pub class: Class,
    /// Which thing it is.
    pub key: String,
    /// As it was written.
    pub written: String,
}

impl Known {
    /// What a submission tells, by the fields of its service.
    pub fn of(submission: &Submission, service: Option<&ServiceFile>) -> Self {
        let mut known =
            Self { names: Vec::new(), literals: Vec::new(), by_head: HashMap::new(), places: Forms::default() };
        let fields = service.map(|service| service.fields.as_slice()).unwrap_or_default();
        let field = |name: &str| fields.iter().find(|field| field.name == name);
        let given = || submission.fields.iter().filter_map(|(name, value)| Some((name.as_str(), written(value)?)));
        let visible: Vec<String> = given()
            .filter(|(name, _)| field(name).is_some_and(|field| field.model_may_see))
            .map(|(_, value)| compact(&value))
            .collect();
        if let Some(party) = &submission.party {
            party.name.iter().for_each(|name| known.name(name, &visible));
            party.address.iter().for_each(|address| known.home(address));
            let values =
                [(Class::BusinessId, &party.business_id), (Class::Email, &party.email), (Class::Phone, &party.phone)];
            for (class, value) in values.into_iter().filter_map(|(class, value)| Some((class, value.as_ref()?))) {
                known.literal(class, value);
            }
        }
        for (name, value) in given() {
            known.field(name, field(name), &value, &visible);
        }
        let location = submission.location.as_ref().and_then(|location| location.address.clone());
        let roads =
            given().filter(|(name, _)| name.contains("road") || name.contains("location")).map(|(_, value)| value);
        for place in roads.chain(location) {
            words(&place).filter(|word| is_street(word.text)).for_each(|word| known.places.add(word.text, 0));
        }
        known
    }

    fn field(&mut self, name: &str, field: Option<&Field>, value: &str, visible: &[String]) {
        let named = |hints: &[&str]| hints.iter().any(|hint| name.to_lowercase().contains(hint));
        match field.map(|field| field.kind) {
            Some(FieldType::Iban) => self.literal(Class::Iban, value),
            Some(FieldType::BusinessId) => self.literal(Class::BusinessId, value),
            Some(FieldType::IdentityCode) => self.literal(Class::IdentityCode, value),
            Some(FieldType::Email) => self.literal(Class::Email, value),
            Some(FieldType::Phone) => self.literal(Class::Phone, value),
            Some(FieldType::Date) | None if named(&["birth", "syntym", "född", "fodelse"]) => {
                self.birth_date(value);
            }
            Some(FieldType::Text) | None if field.is_none_or(|field| !field.model_may_see) => {
                if named(&["address", "osoite", "adress"]) {
                    self.home(value);
                } else if named(&["name", "nimi", "namn", "holder", "haltija", "chair", "contact", "owner", "person"]) {
                    self.name(value, visible);
                } else if field.is_some_and(|field| !field.free_text) {
                    self.literal(Class::Detail, value);
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, name: &str, visible: &[String]) {
        let name = normalize(name).text;
        let name = name.trim();
        if name.chars().count() > LONGEST || self.names.len() >= MOST {
            return;
        }
        if !names::is_organisation(name) {
            self.names.push((Class::Person, name.to_owned()));
        } else if !visible.contains(&compact(name)) {
            self.names.push((Class::Organisation, name.to_owned()));
        }
    }

    fn home(&mut self, address: &str) {
        let street = address.split([',', '\n']).next().unwrap_or(address);
        for part in [address, street] {
            if part.contains(|c: char| c.is_ascii_digit()) {
                self.literal(Class::StreetAddress, part);
            }
        }
    }

    /// A day in the two ways in which people and forms write it.
    fn birth_date(&mut self, value: &str) {
        self.literal(Class::BirthDate, value);
        if let Ok(day) = value.trim().parse::<jiff::civil::Date>() {
            self.literal(Class::BirthDate, &format!("{}.{}.{}", day.day(), day.month(), day.year()));
        }
    }

    fn literal(&mut self, class: Class, value: &str) {
        let value = normalize(value).text;
        let value = value.trim();
        let letters = compact(value);
        // Two or three letters stand in other words, too.
        if letters.chars().count() < HEAD || value.chars().count() > LONGEST || self.literals.len() >= MOST {
            return;
        }
        let key = detect::key(class, value);
        let mut ways = vec![letters];
        if class == Class::Phone {
            ways.extend(["0", "358", "00358"].map(|prefix| format!("{prefix}{key}")));
        }
        for way in ways {
            let head = way.chars().take(HEAD).collect();
            let known: &mut Vec<(String, usize)> = self.by_head.entry(head).or_default();
            if !known.iter().any(|(known, _)| *known == way) {
                known.push((way, self.literals.len()));
                // The longest first.
                known.sort_by_key(|(way, _)| std::cmp::Reverse(way.len()));
            }
        }
        self.literals.push(Literal { class, key, written: value.to_owned() });
    }

    /// Where known values stand: their letters and digits, with at most three other signs between two of them. A line may end
    /// within the number of an account or a telephone.
    pub fn find(&self, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        if self.by_head.is_empty() {
            return spans;
        }
        let letters: Vec<(usize, char)> = text
            .char_indices()
            .filter(|(_, c)| c.is_alphanumeric())
            .flat_map(|(at, c)| c.to_lowercase().map(move |lower| (at, lower)))
            .collect();
        let width = |at: usize| text[at..].chars().next().map_or(1, char::len_utf8);
        let alone = |start: usize, end: usize| {
            !text[..start].chars().next_back().is_some_and(char::is_alphanumeric)
                && !text[end..].chars().next().is_some_and(char::is_alphanumeric)
        };
        let mut from = 0;
        while let Some(run) = letters.get(from..) {
            let Some((start, _)) = run.first() else { break };
            let head: String = run.iter().take(HEAD).map(|(_, c)| c).collect();
            let end_of = |way: &str, class: Class| {
                let is_broken = |gap: &str| gap.contains('\n') && !matches!(class, Class::Iban | Class::Phone);
                let mut last = *start;
                for (c, (at, letter)) in way.chars().zip(run) {
                    let gap = text.get(last..*at).unwrap_or_default();
                    // The letter before stands in the gap, too.
                    let close = gap.chars().count() <= 4 && !gap.contains(['[', ']']) && !is_broken(gap);
                    if c != *letter || !close {
                        return None;
                    }
                    last = *at;
                }
                (way.chars().count() <= run.len()).then(|| last + width(last))
            };
            let hit = self.by_head.get(&head).into_iter().flatten().find_map(|(way, one)| {
                let literal = self.literals.get(*one)?;
                let end = end_of(way, literal.class).filter(|end| alone(*start, *end))?;
                Some((end, way.chars().count(), literal))
            });
            match hit {
                Some((end, length, literal)) => {
                    spans.push(Span { start: *start, end, class: literal.class, key: literal.key.clone() });
                    from += length;
                }
                None => from += 1,
            }
        }
        spans
    }

    /// Whether a word names the road or place that the case is about.
    pub fn is_place(&self, word: &str) -> bool {
        self.places.has(word)
    }

    /// Whether the key of an address is that of a home the case tells of.
    pub fn is_home(&self, key: &str) -> bool {
        self.literals.iter().any(|literal| literal.class == Class::StreetAddress && literal.key == key)
    }
}

/// The text of a value, where it is one.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
