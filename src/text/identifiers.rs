//! Identifiers of people and companies: parsed once, never printed, found in free text.
//!
//! A parsed value has passed its checksum. `Debug` never shows it and there is no `Display`: what leaves the
//! house calls `as_str` on purpose. Finding is wider than parsing: a mistyped identity code is personal data, too.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

/// Why a text is not such an identifier. Carries nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// Length, letters or digits are not as they should be.
    #[error("does not have the form of this identifier")]
    Shape,
    /// The date in it does not exist.
    #[error("holds a date that does not exist")]
    Date,
    /// The check digit or character does not match.
    #[error("the check digit does not match")]
    Check,
    /// The country does not use IBANs of this length.
    #[error("the length does not match the country")]
    Country,
}

macro_rules! redacted {
    ($name:ident, $label:literal) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($label, "(redacted)"))
            }
        }
    };
}

/// An international bank account number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);
redacted!(Iban, "Iban");

impl Iban {
    /// Reads an IBAN with or without spaces.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let compact = compact(text, 34)?;
        let bytes = compact.as_bytes();
        if bytes.len() < 15
            || !bytes[..2].iter().all(u8::is_ascii_uppercase)
            || !bytes[2..4].iter().all(u8::is_ascii_digit)
            || !bytes.iter().all(u8::is_ascii_alphanumeric)
        {
            return Err(InvalidIdentifier::Shape);
        }
        if iban_length(&compact[..2]).is_some_and(|length| length != bytes.len()) {
            return Err(InvalidIdentifier::Country);
        }
        // ISO 7064 MOD 97-10: 98 minus the remainder, so 00, 01 and 99 are never written.
        if matches!(&bytes[2..4], b"00" | b"01" | b"99") || iban_remainder(bytes) != 1 {
            return Err(InvalidIdentifier::Check);
        }
        Ok(Self(compact))
    }

    /// Without spaces, in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In groups of four, as printed.
    #[must_use]
    pub fn grouped(&self) -> String {
        let mut out = String::with_capacity(self.0.len() + 8);
        for (at, character) in self.0.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                out.push(' ');
            }
            out.push(character);
        }
        out
    }
}

fn iban_remainder(bytes: &[u8]) -> u32 {
    bytes[4..].iter().chain(&bytes[..4]).fold(0, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}

/// Length of an IBAN by country (SWIFT registry: the European Economic Area, Switzerland, United Kingdom, Ukraine, Türkiye).
fn iban_length(country: &str) -> Option<usize> {
    Some(match country {
        "NO" => 15,
        "BE" => 16,
        "DK" | "FI" | "NL" => 18,
        "SI" => 19,
        "AT" | "EE" | "LT" | "LU" => 20,
        "CH" | "HR" | "LI" | "LV" => 21,
        "BG" | "DE" | "GB" | "IE" => 22,
        "CZ" | "ES" | "RO" | "SE" | "SK" => 24,
        "PT" => 25,
        "IS" | "TR" => 26,
        "FR" | "GR" | "IT" => 27,
        "CY" | "HU" | "PL" => 28,
        "UA" => 29,
        "MT" => 31,
        _ => return None,
    })
}

/// A Finnish business id (*Y-tunnus*).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BusinessId(String);
redacted!(BusinessId, "BusinessId");

impl BusinessId {
    /// Reads `1234567-8`, six digits before the hyphen, or the VAT form `FI12345678`.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let compact = compact(text, 11)?;
        let (number, check) = if let Some(vat) = compact.strip_prefix("FI") {
            vat.split_at_checked(7).ok_or(InvalidIdentifier::Shape)?
        } else {
            compact.split_once('-').ok_or(InvalidIdentifier::Shape)?
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(number) || !digits(check) || check.len() != 1 || !matches!(number.len(), 6 | 7) {
            return Err(InvalidIdentifier::Shape);
        }
        let number = format!("{number:0>7}");
        if business_check(&number) != check.bytes().next().map(|byte| u32::from(byte - b'0')) {
            return Err(InvalidIdentifier::Check);
        }
        Ok(Self(format!("{number}-{check}")))
    }

    /// As `1234567-8`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The check digit of seven digits; a remainder of one is never given out.
fn business_check(number: &str) -> Option<u32> {
    let sum: u32 =
        number.bytes().zip([7, 9, 10, 5, 8, 4, 2]).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    match sum % 11 {
        0 => Some(0),
        1 => None,
        rest => Some(11 - rest),
    }
}

/// A Finnish personal identity code (*henkilötunnus*), with the century signs in use since 2023.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityCode(String);
redacted!(IdentityCode, "IdentityCode");

const CHECK_CHARACTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

impl IdentityCode {
    /// Reads `ddmmyyCnnnT`; spaces and lower case are forgiven.
    pub fn parse(text: &str) -> Result<Self, InvalidIdentifier> {
        let compact = compact(text, 11)?;
        let bytes = compact.as_bytes();
        let digits = |from: usize, to: usize| bytes[from..to].iter().all(u8::is_ascii_digit);
        if bytes.len() != 11 || !digits(0, 6) || !digits(7, 10) || !CHECK_CHARACTERS.contains(&bytes[10]) {
            return Err(InvalidIdentifier::Shape);
        }
        birth_date(bytes).ok_or_else(|| {
            if century(bytes[6]).is_some() { InvalidIdentifier::Date } else { InvalidIdentifier::Shape }
        })?;
        let number = bytes[..6].iter().chain(&bytes[7..10]).fold(0u32, |sum, byte| sum * 10 + u32::from(byte - b'0'));
        if number % 1000 < 2 {
            return Err(InvalidIdentifier::Shape);
        }
        if CHECK_CHARACTERS[(number % 31) as usize] != bytes[10] {
            return Err(InvalidIdentifier::Check);
        }
        Ok(Self(compact))
    }

    /// As `ddmmyyCnnnT`, in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Date of birth.
    #[must_use]
    pub fn born(&self) -> Option<Date> {
        birth_date(self.0.as_bytes())
    }
}

const fn century(sign: u8) -> Option<i16> {
    match sign {
        b'+' => Some(1800),
        b'-' | b'U'..=b'Y' => Some(1900),
        b'A'..=b'F' => Some(2000),
        _ => None,
    }
}

/// The date in a code whose first six bytes are digits.
fn birth_date(bytes: &[u8]) -> Option<Date> {
    let two = |at: usize| i8::try_from((bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0')).ok();
    Date::new(century(bytes[6])? + i16::from(two(4)?), two(2)?, two(0)?).ok()
}

/// What programs and hands write for a hyphen, beside the hyphen itself: dashes, a minus, hyphens that break no line or
/// only where one ends.
const HYPHENS: [char; 5] = ['–', '−', '‐', '‑', '\u{ad}'];

/// Upper case without spaces and with one kind of hyphen; refused when longer than `longest` characters.
fn compact(text: &str, longest: usize) -> Result<String, InvalidIdentifier> {
    let mut out = String::with_capacity(longest);
    for character in text.chars().filter(|c| !c.is_whitespace()).take(longest + 1) {
        let character = if HYPHENS.contains(&character) { '-' } else { character };
        if !character.is_ascii_alphanumeric() && !matches!(character, '+' | '-') {
            return Err(InvalidIdentifier::Shape);
        }
        out.push(character.to_ascii_uppercase());
    }
    if out.chars().count() > longest { Err(InvalidIdentifier::Shape) } else { Ok(out) }
}

/// What kind of identifier was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdentifierKind {
    /// Personal identity code.
    IdentityCode,
    /// Bank account.
    Iban,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Registration plate of a vehicle.
    Plate,
}

impl IdentifierKind {
    /// What stands in masked text in its place.
    #[must_use]
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::IdentityCode => "[identity code]",
            Self::Iban => "[IBAN]",
            Self::Email => "[e-mail]",
            Self::Phone => "[phone]",
            Self::Plate => "[plate]",
        }
    }
}

/// An identifier in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its kind.
    pub kind: IdentifierKind,
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends, in bytes, exclusive.
    pub end: usize,
    /// Whether its checksum holds; always true for kinds without one.
    pub verified: bool,
}

// In the order in which they win over each other: the more specific first. That of an address begins at its at-sign.
static PATTERNS: LazyLock<[(IdentifierKind, Regex); 5]> = LazyLock::new(|| {
    let regex = |pattern: &str| Regex::new(pattern).expect("a fixed pattern");
    [
        (IdentifierKind::Email, regex(r"(?i)^@[\p{L}0-9-]{1,63}(?:\.[\p{L}0-9-]{1,63})*\.\p{L}{2,24}")),
        (
            IdentifierKind::IdentityCode,
            regex(
                r"(?x)(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])[0-9]{2} [\ \t\u{a0}\u{202f}]?[-+–−‐‑\u{ad}U-YA-Fu-ya-f]
                [\ \t\u{a0}\u{202f}]?[0-9]{3}[0-9A-FHJ-NPR-Ya-fhj-npr-y]",
            ),
        ),
        (
            IdentifierKind::Iban, // No `(?i)`: it folds letters of other alphabets to ours.
            regex(r"[A-Za-z]{2}[0-9]{2}(?:[ \t\r\n\u{a0}\u{2009}\u{202f}‐‑-]{0,3}[A-Za-z0-9]){11,30}"),
        ),
        (
            IdentifierKind::Phone,
            regex(
                r"(?x)(?: (?:(?:\+|00)[1-9][0-9]{0,2}|00[\ ]358)[\ \t\u{a0}\u{2009}\u{202f}./–−‐‑-]?(?:\(0\)[\ \t]?)?[0-9]{1,3}
                | \(?0[1-9][0-9]{0,2} ) \)?
                (?: [\ \t\u{a0}\u{2009}\u{202f}./–−‐‑-]?[0-9] | [\ \t\u{a0}\u{202f}][/–−‐‑-][\ \t\u{a0}\u{202f}][1-9] ){4,10}",
            ),
        ),
        (
            IdentifierKind::Plate,
            regex(
                r"[A-ZÅÄÖ]{2,3}-[0-9]{1,3}|[A-ZÅÄÖ]{3}[ ]?[0-9]{3}|[A-Z]{3}[ ]?[0-9]{2}[A-Z]|(?i:[a-zåäö]{3}-[0-9]{3})",
            ),
        ),
    ]
});

/// Every identity code, IBAN, e-mail address, telephone number and plate of a text, in order, without overlaps.
/// A shape is enough; [`Found::verified`] tells whether its checksum holds, too.
#[must_use]
pub fn find_all(text: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (kind, pattern) in PATTERNS.iter() {
        let mut taken = Vec::new();
        let mut from = 0;
        while let Some((start, end)) = next(*kind, pattern, text, from) {
            match accept(text, *kind, start, end) {
                Some(one) => {
                    from = one.end;
                    // `found` is sorted: what an earlier kind took stays its own.
                    let next = found.partition_point(|other| other.end <= one.start);
                    if found.get(next).is_none_or(|other| other.start >= one.end) {
                        taken.push(one);
                    }
                }
                // Go on behind the first character, not behind the whole refused run.
                None => from = start + text[start..].chars().next().map_or(1, char::len_utf8),
            }
        }
        found.append(&mut taken);
        found.sort_by_key(|one| one.start);
    }
    found
}

/// Most characters before an at-sign (RFC 5321, 4.5.3.1.1).
const LONGEST_LOCAL_PART: usize = 64;

/// The first place from `from` on that has the shape of this kind.
fn next(kind: IdentifierKind, pattern: &Regex, text: &str, from: usize) -> Option<(usize, usize)> {
    if kind != IdentifierKind::Email {
        return pattern.find_at(text, from).map(|hit| (hit.start(), hit.end()));
    }
    // From its at-sign in both directions: from the left, every letter of a text could begin an address.
    let mut signs = text[from..].match_indices('@').map(|(at, _)| from + at);
    signs.find_map(|sign| {
        let allowed = |c: &char| c.is_alphabetic() || c.is_ascii_digit() || "._%+'-".contains(*c);
        let before = text[from..sign].chars().rev().take(LONGEST_LOCAL_PART).take_while(allowed);
        let start = sign - before.map(char::len_utf8).sum::<usize>();
        let domain = if start < sign { pattern.find(&text[sign..])? } else { return None };
        Some((start, sign + domain.end()))
    })
}

/// Whether what matched stands by itself and is plausible, and where it ends.
fn accept(text: &str, kind: IdentifierKind, start: usize, end: usize) -> Option<Found> {
    let word = |character: char| character.is_alphanumeric();
    if text[..start].chars().next_back().is_some_and(word) {
        return None;
    }
    let alone = |end: usize| !text[end..].chars().next().is_some_and(word);
    let whole = |end: usize, verified: bool| alone(end).then_some(Found { kind, start, end, verified });
    let matched = &text[start..end];
    match kind {
        IdentifierKind::Email => whole(end, true),
        IdentifierKind::IdentityCode => whole(end, IdentityCode::parse(matched).is_ok()),
        IdentifierKind::Iban => iban_at(matched).and_then(|(length, verified)| whole(start + length, verified)),
        IdentifierKind::Phone => {
            let matched = first_number(matched);
            let digits = matched.bytes().filter(u8::is_ascii_digit).count();
            let foreign = matched.starts_with('+');
            // A number, not a part of a case number, a date or a business id.
            let before = text[..start].chars().next_back();
            let glued = before.is_some_and(|c| matches!(c, '.' | '/' | '-'))
                && text[..start].chars().rev().nth(1).is_some_and(|c| c.is_ascii_digit());
            let plausible = (7..=if foreign { 15 } else { 14 }).contains(&digits);
            if !plausible || glued || begins_as_day_or_hour(matched) || BusinessId::parse(matched).is_ok() {
                return None;
            }
            whole(start + matched.len(), true)
        }
        IdentifierKind::Plate => {
            // Valtatie, kantatie, seututie, yhdystie, maantie, riksväg, stamväg: roads, not vehicles.
            let prefix = matched.split(['-', ' ']).next().unwrap_or_default().to_uppercase();
            let road =
                matches!(prefix.as_str(), "VT" | "KT" | "ST" | "YT" | "MT" | "RV" | "SV" | "PVC" | "KLO" | "NRO");
            if road { None } else { whole(end, true) }
        }
    }
}

/// Two numbers beside each other are read as one: the first of them. Behind nine digits a group that begins with a zero
/// begins another number.
fn first_number(candidate: &str) -> &str {
    let mut digits = 0;
    let mut last = 0;
    for (at, character) in candidate.char_indices() {
        if character.is_ascii_digit() {
            if digits >= 9 && character == '0' && last < at {
                return &candidate[..last];
            }
            digits += 1;
            last = at + 1;
        }
    }
    candidate
}

/// Whether what begins with two digits and a point goes on as a day or an hour does: `09.30`, `05.2026`, but `09.310 1691`.
fn begins_as_day_or_hour(candidate: &str) -> bool {
    let leading = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let candidate = candidate.trim_start_matches('(');
    let first = leading(candidate);
    first <= 2 && candidate[first..].strip_prefix('.').is_some_and(|rest| matches!(leading(rest), 1 | 2 | 4))
}

/// How many bytes of a candidate are the IBAN, and whether it verifies. A Finnish one is taken unverified, too.
fn iban_at(candidate: &str) -> Option<(usize, bool)> {
    let country = candidate[..2].to_ascii_uppercase();
    let length = iban_length(&country)?;
    let end = candidate
        .char_indices()
        .filter(|(_, c)| c.is_ascii_alphanumeric())
        .nth(length - 1)
        .map(|(at, c)| at + c.len_utf8())?;
    let bare: String = candidate[..end].chars().filter(char::is_ascii_alphanumeric).collect();
    let verified = Iban::parse(&bare).is_ok();
    let finnish = country == "FI" && bare[2..].bytes().all(|byte| byte.is_ascii_digit());
    (verified || finnish).then_some((end, verified))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<(IdentifierKind, &str)> {
        find_all(text).into_iter().map(|found| (found.kind, &text[found.start..found.end])).collect()
    }

    fn identity_code(day: u8, month: u8, year: u8, sign: char, individual: u16) -> String {
        let number: u32 = format!("{day:02}{month:02}{year:02}{individual:03}").parse().unwrap();
        let check = CHECK_CHARACTERS[(number % 31) as usize] as char;
        format!("{day:02}{month:02}{year:02}{sign}{individual:03}{check}")
    }

    /// Every text that differs from `valid` in one digit.
    fn digit_changes(valid: &str) -> Vec<String> {
        let mut changes = Vec::new();
        for (at, old) in valid.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            for new in ('0'..='9').filter(|new| *new != old) {
                let mut other = valid.to_owned();
                other.replace_range(at..=at, &new.to_string());
                changes.push(other);
            }
        }
        changes
    }

    #[test]
    fn ibans_are_read_and_refused() {
        let iban = Iban::parse("fi21 1234 5600 0007 85").unwrap();
        assert_eq!(iban.as_str(), "FI2112345600000785");
        assert_eq!(iban.grouped(), "FI21 1234 5600 0007 85");
        assert!(!format!("{iban:?}").contains("1234"));
        assert_eq!(Iban::parse("FI2112345600000786").unwrap_err(), InvalidIdentifier::Check);
        assert_eq!(Iban::parse("FI21123456000007855").unwrap_err(), InvalidIdentifier::Country);
        assert_eq!(Iban::parse("FI21-ä").unwrap_err(), InvalidIdentifier::Shape);
        assert_eq!(Iban::parse("").unwrap_err(), InvalidIdentifier::Shape);
        assert!(Iban::parse("DE89370400440532013000").is_ok());
        assert!(digit_changes(iban.as_str()).iter().all(|changed| Iban::parse(changed).is_err()));
    }

    #[test]
    fn business_ids_are_read_and_refused() {
        assert_eq!(BusinessId::parse(" 0201256-6 ").unwrap().as_str(), "0201256-6");
        assert_eq!(BusinessId::parse("FI02012566").unwrap().as_str(), "0201256-6");
        assert_eq!(BusinessId::parse("201256-6").unwrap().as_str(), "0201256-6");
        assert_eq!(BusinessId::parse("0201256-7").unwrap_err(), InvalidIdentifier::Check);
        assert_eq!(BusinessId::parse("02012566").unwrap_err(), InvalidIdentifier::Shape);
        assert_eq!(BusinessId::parse("FI\u{e4}").unwrap_err(), InvalidIdentifier::Shape);
    }

    #[test]
    fn identity_codes_know_every_century_sign() {
        for (sign, year) in [('+', 1890), ('-', 1990), ('U', 1990), ('Y', 1990), ('A', 2090), ('F', 2090)] {
            let code = IdentityCode::parse(&identity_code(1, 1, 90, sign, 999)).unwrap();
            assert_eq!(code.born().map(Date::year), Some(year));
        }
        assert_eq!(IdentityCode::parse(&identity_code(1, 1, 90, 'G', 999)).unwrap_err(), InvalidIdentifier::Shape);
        assert_eq!(IdentityCode::parse(&identity_code(30, 2, 90, '-', 999)).unwrap_err(), InvalidIdentifier::Date);
        assert_eq!(IdentityCode::parse(&identity_code(29, 2, 1, 'A', 999)).unwrap_err(), InvalidIdentifier::Date);
        assert_eq!(IdentityCode::parse("010190-999A").unwrap_err(), InvalidIdentifier::Check);
        assert_eq!(format!("{:?}", IdentityCode::parse("010190-999w").unwrap()), "IdentityCode(redacted)");
    }

    #[test]
    fn identifiers_are_found_in_free_text() {
        use IdentifierKind::{Email, Iban, IdentityCode, Phone, Plate};
        let table: &[(&str, &[(IdentifierKind, &str)])] = &[
            ("hetuni on 010190-999W.", &[(IdentityCode, "010190-999W")]),
            ("hetu:010190u999w", &[(IdentityCode, "010190u999w")]),
            ("väärin kirjoitettu 010190-999A on silti henkilötieto", &[(IdentityCode, "010190-999A")]),
            ("tilille FI21 1234 5600 0007 85 kiitos", &[(Iban, "FI21 1234 5600 0007 85")]),
            ("konto SE45 5000 0000 0583 9825 7466", &[(Iban, "SE45 5000 0000 0583 9825 7466")]),
            ("soita 040-1234567 tai +358 50 123 4567", &[(Phone, "040-1234567"), (Phone, "+358 50 123 4567")]),
            ("puh.0401234567,09 310 1691", &[(Phone, "0401234567"), (Phone, "09 310 1691")]),
            ("+358(0)40 123 4567", &[(Phone, "+358(0)40 123 4567")]),
            ("Puh. 040 - 123 4567", &[(Phone, "040 - 123 4567")]),
            ("puh. 040.123.4567, 09.310.1691", &[(Phone, "040.123.4567"), (Phone, "09.310.1691")]),
            ("+358.40.123.4567", &[(Phone, "+358.40.123.4567")]),
            ("040‑123‐4567", &[(Phone, "040‑123‐4567")]),
            ("040\u{202f}123\u{202f}4567", &[(Phone, "040\u{202f}123\u{202f}4567")]),
            ("hetu 010190‑999W", &[(IdentityCode, "010190‑999W")]),
            ("hetu 010190‐999w", &[(IdentityCode, "010190‐999w")]),
            ("hetu 010190\u{ad}999W", &[(IdentityCode, "010190\u{ad}999W")]),
            ("hetu 010190\u{a0}-\u{a0}999W", &[(IdentityCode, "010190\u{a0}-\u{a0}999W")]),
            ("FI21 1234 5600\n0007 85 ja", &[(Iban, "FI21 1234 5600\n0007 85")]),
            (
                "FI21\u{202f}1234\u{202f}5600\u{202f}0007\u{202f}85",
                &[(Iban, "FI21\u{202f}1234\u{202f}5600\u{202f}0007\u{202f}85")],
            ),
            ("kirjoita matti.meikalainen@example.fi!", &[(Email, "matti.meikalainen@example.fi")]),
            ("auto ABC-123 ja peräkärry DEF 456", &[(Plate, "ABC-123"), (Plate, "DEF 456")]),
            ("hylätty auto abc-123", &[(Plate, "abc-123")]),
            ("tie 648, 15.4.2026, 2350 m, 2 585,00 €, 0,50 €, VT-4, 0201256-6, HRJ/2026/00001, 112", &[]),
            ("gatan 12 A 3, kl 15.00", &[]),
            ("klo 09.30 - 11.45, 09.04.2026, 05.03. - 12.04.2026, 05.2026 - 12.2026, (08.00 – 16.00)", &[]),
            ("2 585,00 - 13 000,00 €, 2 000 - 3 000 taloutta", &[]),
            ("040 123 4567 - 050 765 4321", &[(Phone, "040 123 4567"), (Phone, "050 765 4321")]),
            ("040 123 4567 050 765 4321", &[(Phone, "040 123 4567"), (Phone, "050 765 4321")]),
        ];
        for (text, expected) in table {
            assert_eq!(kinds(text), *expected, "{text}");
        }
    }

    /// Letters that are capitals of none of ours, though Unicode folds them so.
    #[test]
    fn letters_that_fold_to_ours_are_none_of_an_iban() {
        for text in
            ["K\u{212a}21 1234 5600 0007 85", "F\u{17f}21 1234 5600 0007 85", "\u{17f}\u{17f}21 1234 5600 0007 85"]
        {
            assert!(!kinds(text).iter().any(|(kind, _)| *kind == IdentifierKind::Iban), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_and_finding_never_panic(text in "\\PC{0,40}|[-+A-Fa-z0-9ä@. ]{0,40}") {
            let _ = (Iban::parse(&text), BusinessId::parse(&text), IdentityCode::parse(&text));
            for found in find_all(&text) {
                prop_assert!(text.get(found.start..found.end).is_some());
            }
        }

        #[test]
        fn a_changed_digit_breaks_an_identity_code(day in 1u8..=28, month in 1u8..=12, year in 0u8..=99, individual in 900u16..=999) {
            let code = identity_code(day, month, year, '-', individual);
            prop_assert!(IdentityCode::parse(&code).is_ok());
            for changed in digit_changes(&code) {
                prop_assert!(IdentityCode::parse(&changed).is_err(), "{}", changed);
            }
        }

        #[test]
        fn a_changed_digit_breaks_a_business_id(number in 0u32..10_000_000) {
            let number = format!("{number:07}");
            if let Some(check) = business_check(&number) {
                let id = format!("{number}-{check}");
                prop_assert!(BusinessId::parse(&id).is_ok());
                for changed in digit_changes(&id) {
                    prop_assert!(BusinessId::parse(&changed).is_err(), "{}", changed);
                }
            }
        }

        #[test]
        fn a_changed_digit_breaks_an_iban(account in 0u64..100_000_000_000_000) {
            let number = format!("{account:014}");
            let check = 98 - iban_remainder(format!("FI00{number}").as_bytes());
            let iban = format!("FI{check:02}{number}");
            prop_assert!(Iban::parse(&iban).is_ok());
            for changed in digit_changes(&iban) {
                prop_assert!(Iban::parse(&changed).is_err(), "{}", changed);
            }
        }
    }
}
