//! What is masked by its shape: numbers and addresses that identify a person wherever they stand.
//!
//! Wider than [`identifiers::find_all`], for a model needs none of it: cards, birth dates, other people's reference
//! numbers, street addresses. Linear in the text; what is found is a span with the key of the thing it names, so that
//! `040 123 4567` and `+358401234567` are one telephone.

use std::sync::LazyLock;

use regex::Regex;

use super::placeholder::Class;
use crate::text::identifiers::{self, BusinessId, IdentifierKind};

/// Something to mask.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends, exclusive.
    pub end: usize,
    /// What it is.
    pub class: Class,
    /// Which thing it is: the same for every way to write it.
    pub key: String,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a fixed pattern")
}

static CARD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:[0-9][ \u{a0}-]?){12,18}[0-9]\b"));

static PERSONNUMMER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?:19|20)?[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[1-2][0-9]|3[01]|[67][0-9]|8[0-9]|9[01])[-+–]?[0-9]{4}\b")
});

static BUSINESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:[0-9]{6,7}[-–−][0-9]|FI[0-9]{8})\b"));

static PROPERTY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,4}-[0-9]{1,4}\b"));

static BORN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)(?:\b(?:syntynyt|synt|syntymäaika(?:ni)?|syntymäpäivä(?:ni)?|syntymävuosi|s|född|f|födelsedatum|födelsetid|
        födelsedag|born(?:\ on)?|date\ of\ birth|dob))\b[.:,]?\s*(?:on\s+|är\s+|is\s+)?
        ([0-9]{1,2}\.\s?[0-9]{1,2}\.\s?(?:19|20)?[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[/-][0-9]{1,2}[/-](?:19|20)[0-9]{2}|
        [0-9]{6}(?:[0-9]{2})?|[0-9]{1,2}(?:st|nd|rd|th|\.)?\s\p{L}{3,12}\s(?:19|20)[0-9]{2})\b",
    )
});

static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)\b(?:viite|viitenumero|viitenro|asiakasnumero|asiakasnro|asiakastunnus|sopimusnumero|sopimusnro|vakuutusnumero|
        vahinkonumero|vahinkotunnus|potilasnumero|käyttöpaikkanumero|käyttöpaikka|jäsennumero|kortin\ numero|passin\ numero|
        passinumero|referensnummer|referens|kundnummer|kundnr|avtalsnummer|försäkringsnummer|skadenummer|medlemsnummer|
        passnummer|reference(?:\ number)?|customer\ (?:number|id)|policy\ number|claim\ number|passport(?:\ number)?|account\ number)
        (?:ni|mme|nsa|n)?\b\s*(?:on\b|är\b|is\b|:|no\.?|nro\.?|nr\.?|\#)*\s*
        ((?:RF[0-9]{2}|[A-Z]{1,4}[-/]?)?[0-9](?:[\ \u{a0}/-]?[0-9A-Z]){3,24})\b",
    )
});

/// Street and number; with stairs and flat, more numbers, postal code and town.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)(?P<street>(?:\b(?:Vanha|Uusi|Iso|Pieni|Pitkä|Itäinen|Läntinen|Pohjoinen|Eteläinen|Norra|Södra|Östra|Västra|Gamla|
        Nya|Stora|Lilla)[\ \u{a0}])?\b\p{Lu}[\p{L}'’-]*(?:[\ \u{a0}](?:katu|tie|kuja|polku|gata|väg|gränd|stig|allé|street|road|
        lane)\p{Ll}{0,5})?)[\ \u{a0}]{1,2}
        (?P<number>[0-9]{1,4}[A-Za-z]?\b(?:\s?[–-]\s?[0-9]{1,4}\b)?(?:\s[A-Za-z]\b(?:\s?[0-9]{1,4}\b)?)?
        (?:(?:,\s?|\s(?:ja|och|and|sekä|samt|tai|eller|or)\s)[0-9]{1,4}[A-Za-z]?\b)*)
        (?P<post>,?\s+(?:FI-)?[0-9]{5}\b(?:\s\p{Lu}[\p{L}-]+)?)?",
    )
});

/// What the name of a street ends with, in its forms; and what only looks like one, because a number names it.
const STREETS: &[&str] = &[
    "tie",
    "tei",
    "katu",
    "kadu",
    "kuja",
    "polku",
    "polu",
    "raitti",
    "raiti",
    "kaari",
    "kaare",
    "tanhua",
    "väylä",
    "rinne",
    "rinte",
    "mäki",
    "mäe",
    "ranta",
    "ranna",
    "penger",
    "aukio",
    "puisto",
    "bulevardi",
    "portti",
    "porti",
    "piha",
    "kulma",
    "linja",
    "laita",
    "reuna",
    "kangas",
    "harju",
    "silta",
    "silla",
    "törmä",
    "väg",
    "gata",
    "gränd",
    "stig",
    "allé",
    "back",
    "torg",
    "esplanad",
    "kaj",
    "brink",
    "leden",
    "gård",
    "strand",
    "street",
    "road",
    "lane",
    "avenue",
];
const NUMBERED: &[&str] = &[
    "valtatie",
    "kantatie",
    "seututie",
    "yhdystie",
    "maantie",
    "yksityistie",
    "riksväg",
    "stamväg",
    "landsväg",
    "regionväg",
    "regionalväg",
    "förbindelseväg",
    "highway",
    "tie",
    "väg",
    "moottoritie",
];

/// Whether a word is the name of a street, road or another place, in any form.
#[must_use]
pub fn is_street(word: &str) -> bool {
    let word = word.to_lowercase();
    let ends = |root: &str, at: usize| word[at + root.len()..].chars().count() <= 5;
    STREETS.iter().any(|root| word.rfind(root).is_some_and(|at| at > 0 && ends(root, at)))
}

/// Whether a word has the form of a place: a lake, a village, a building, or a name that says where.
pub fn is_somewhere(word: &str) -> bool {
    const PLACES: &[&str] = &[
        "joki", "joe", "järvi", "järve", "lampi", "lamme", "lahti", "lahde", "niemi", "nieme", "saari", "saare",
        "vesi", "vede", "kylä", "koski", "koske", "vaara", "selkä", "selä", "koulu", "kirkko", "kirko", "asema",
        "halli", "talo", "keskus", "satama", "linna", "sjö", "holm", "stad", "köping", "skola", "kyrka", "torp",
        "borg",
    ];
    const WHERE: &[&str] =
        &["ssa", "ssä", "sta", "stä", "seen", "aan", "ään", "iin", "een", "uun", "oon", "öön", "yyn"];
    let word = word.to_lowercase();
    let ends = |root: &str, at: usize| at > 0 && word[at + root.len()..].chars().count() <= 5;
    WHERE.iter().any(|end| word.ends_with(end))
        || PLACES.iter().any(|root| word.rfind(root).is_some_and(|at| ends(root, at)))
}

/// Whether a word is a kind of road that a number names: valtatie 4.
#[must_use]
pub fn is_numbered_road(word: &str) -> bool {
    let word = word.to_lowercase();
    NUMBERED.iter().any(|root| word.strip_prefix(root).is_some_and(|rest| rest.chars().count() <= 4))
}

/// Identifiers, cards, dates and numbers, the more certain first.
pub fn identifiers(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut add = |start, end, class| {
        spans.push(Span { start, end, class, key: key(class, &text[start..end]) });
    };
    // Without a digit or an at-sign nothing of this is there.
    if !text.contains(|c: char| c.is_ascii_digit() || c == '@') {
        return spans;
    }
    for found in BORN.captures_iter(text).filter_map(|found| found.get(1)) {
        add(found.start(), found.end(), Class::BirthDate);
    }
    for found in REFERENCE.captures_iter(text).filter_map(|found| found.get(1)) {
        add(found.start(), found.end(), Class::Reference);
    }
    // Before telephones: the end of a card reads like one.
    for found in CARD.find_iter(text).filter(|found| luhn(found.as_str())) {
        add(found.start(), found.end(), Class::BankCard);
    }
    for found in identifiers::find_all(text) {
        add(found.start, found.end, class_of(found.kind));
    }
    for found in PERSONNUMMER.find_iter(text).filter(|found| is_personnummer(found.as_str())) {
        add(found.start(), found.end(), Class::IdentityCode);
    }
    for found in BUSINESS.find_iter(text).filter(|found| BusinessId::parse(found.as_str()).is_ok()) {
        add(found.start(), found.end(), Class::BusinessId);
    }
    for found in PROPERTY.find_iter(text) {
        add(found.start(), found.end(), Class::Reference);
    }
    spans
}

/// Street addresses. Of one whose street `is_place` only the number is masked: the work needs to know which road.
pub fn addresses(text: &str, is_place: impl Fn(&str) -> bool, is_home: impl Fn(&str) -> bool) -> Vec<Span> {
    let mut spans = Vec::new();
    for found in ADDRESS.captures_iter(text) {
        let (Some(whole), Some(street), Some(number)) = (found.get(0), found.name("street"), found.name("number"))
        else {
            continue;
        };
        let last = street.as_str().rsplit([' ', '\u{a0}']).next().unwrap_or_default();
        let road = is_street(last) || street.as_str().contains([' ', '\u{a0}']);
        // Harjuntie 12.3.2026 is a road and a day; valtatie 4 is a road.
        let mut behind = text[whole.end()..].chars();
        let goes_on =
            matches!(behind.next(), Some('.' | ',' | ':')) && behind.next().is_some_and(|c| c.is_ascii_digit());
        if !road || is_numbered_road(last) || goes_on {
            continue;
        }
        let home = key(Class::StreetAddress, &text[street.start()..number.end()]);
        if is_place(last) && !is_home(&home) {
            let key = key(Class::HouseNumber, &text[street.start()..number.end()]);
            spans.push(Span { start: number.start(), end: number.end(), class: Class::HouseNumber, key });
        } else {
            spans.push(Span { start: street.start(), end: whole.end(), class: Class::StreetAddress, key: home });
        }
    }
    spans
}

const fn class_of(kind: IdentifierKind) -> Class {
    match kind {
        IdentifierKind::IdentityCode => Class::IdentityCode,
        IdentifierKind::Iban => Class::Iban,
        IdentifierKind::Email => Class::Email,
        IdentifierKind::Phone => Class::Phone,
        IdentifierKind::Plate => Class::Plate,
    }
}

/// What is the same thing however it is written.
#[must_use]
pub fn key(class: Class, written: &str) -> String {
    let bare = || compact(written);
    match class {
        Class::Phone => {
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            let digits = digits.trim_start_matches("00");
            digits.strip_prefix("358").unwrap_or(digits).trim_start_matches('0').to_owned()
        }
        Class::StreetAddress => {
            let street = written.split(',').next().unwrap_or(written);
            street.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
        }
        Class::Email | Class::Quoted => written.to_lowercase(),
        Class::BusinessId => bare().trim_start_matches("fi").trim_start_matches('0').to_owned(),
        _ => bare(),
    }
}

/// Letters and digits in lower case, so that neither spaces nor signs hide a name.
#[must_use]
pub fn compact(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The check digit of cards and of Swedish personal numbers.
fn luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ if *digit > 4 => digit * 2 - 9,
            _ => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// With its mark in the middle a mistyped one counts, too; ten or twelve bare digits must add up.
fn is_personnummer(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    text.contains(['-', '+', '–']) || luhn(&digits[digits.len() - 10..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Class, &str)> {
        let mut spans = identifiers(text);
        spans.extend(addresses(text, |street| street == "Kirkkotie", |key| key == "kirkkotie 9"));
        spans.into_iter().map(|span| (span.class, &text[span.start..span.end])).collect()
    }

    #[test]
    fn what_identifies_by_its_shape_is_found() {
        for (text, class, what) in [
            ("kortti 4539 1488 0343 6467 meni", Class::BankCard, "4539 1488 0343 6467"),
            ("personnummer 811218-9876 här", Class::IdentityCode, "811218-9876"),
            ("id 198112189876 här", Class::IdentityCode, "198112189876"),
            ("toiminimeni 0201256-6 on", Class::BusinessId, "0201256-6"),
            ("olen syntynyt 1.2.1950 täällä", Class::BirthDate, "1.2.1950"),
            ("Jag är född 1950-02-01.", Class::BirthDate, "1950-02-01"),
            ("s. 010250", Class::BirthDate, "010250"),
            ("asiakasnumeroni on 5512-88", Class::Reference, "5512-88"),
            ("viitenumero: 1234 56789", Class::Reference, "1234 56789"),
            ("kiinteistöni 999-401-1-23 kohdalla", Class::Reference, "999-401-1-23"),
        ] {
            assert!(found(text).contains(&(class, what)), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn addresses_are_found_and_places_keep_their_road() {
        for (text, class, what) in [
            ("Asun Harjuntie 1 A 4, 99990 Harjuvesi.", Class::StreetAddress, "Harjuntie 1 A 4, 99990 Harjuvesi"),
            ("på Strandvägen 3 B bor", Class::StreetAddress, "Strandvägen 3 B"),
            ("Mannerheimintiellä 12:ssa", Class::StreetAddress, "Mannerheimintiellä 12"),
            ("Vanha Turuntie 5", Class::StreetAddress, "Vanha Turuntie 5"),
            ("Aleksis Kiven katu 7", Class::StreetAddress, "Kiven katu 7"),
            ("Kuusikatu 1, 3 ja 5b talot", Class::StreetAddress, "Kuusikatu 1, 3 ja 5b"),
            ("kuoppa Kirkkotie 5 kohdalla", Class::HouseNumber, "5"),
            ("kotini Kirkkotie 9 luona", Class::StreetAddress, "Kirkkotie 9"),
        ] {
            assert_eq!(found(text), [(class, what)], "{text}");
        }
        for text in ["Valtatie 4 ja Kantatie 58", "tie 648", "Harjuntie 12.3.2026", "Yhteensä 5 kuoppaa", "Vuonna 2026"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn one_thing_has_one_key() {
        assert_eq!(key(Class::Phone, "040 123 4567"), key(Class::Phone, "+358401234567"));
        assert_eq!(key(Class::Iban, "fi21 1234 5600 0007 85"), key(Class::Iban, "FI2112345600000785"));
        assert_eq!(key(Class::StreetAddress, "Harjuntie  1, 99990 X"), key(Class::StreetAddress, "harjuntie 1"));
    }
}
