//! What a text says under a disguise: look-alike letters, digits for letters, letters with spaces between, markup,
//! hidden characters, base64, hexadecimal, percent signs, ROT13, backwards.
//!
//! [`readings`] gives the text as it is and every other way to read it that differs. It is a help for noticing, never a
//! proof: there is always one more disguise. Bounded: it reads at most [`LONGEST`] bytes and gives at most [`MOST`]
//! readings; linear in what it reads; never panics.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::normalize;

/// Most bytes of a text that are read.
pub const LONGEST: usize = 256 * 1024;
/// Most readings of one text.
pub const MOST: usize = 24;
/// Fewest characters of a run that is tried as base64 or hexadecimal: shorter ones are words and numbers.
const ENCODED: usize = 16;
/// Fewest letters of a run of single letters that is joined.
const SPACED: usize = 6;

/// How a reading was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disguise {
    /// As it stands.
    None,
    /// Characters of the tags block, which no program shows.
    HiddenCharacters,
    /// Letters of other alphabets, widths and styles that look the same.
    LookAlikes,
    /// Without tags, comments and entities of HTML.
    Markup,
    /// Digits and signs in the place of letters.
    Digits,
    /// Letters with something between them.
    Spaced,
    /// Base64.
    Base64,
    /// Hexadecimal digits, `\x41` and `\u0041` included.
    Hexadecimal,
    /// `%41`.
    Percent,
    /// Each letter by the thirteenth after it.
    Rot13,
    /// Backwards.
    Reversed,
}

impl Disguise {
    /// One word for people and files; none for a text as it stands.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::HiddenCharacters => "hidden-characters",
            Self::LookAlikes => "look-alikes",
            Self::Markup => "markup",
            Self::Digits => "digits",
            Self::Spaced => "spaced",
            Self::Base64 => "base64",
            Self::Hexadecimal => "hexadecimal",
            Self::Percent => "percent",
            Self::Rot13 => "rot13",
            Self::Reversed => "reversed",
        })
    }
}

/// One way to read a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// How it was made.
    pub disguise: Disguise,
    /// What it says so.
    pub text: String,
}

/// The text in its normal form, then every other reading that differs from it.
#[must_use]
pub fn readings(raw: &str) -> Vec<Reading> {
    let raw = beginning(raw);
    let mut found = Vec::new();
    let plain = normalize(raw).text;
    push(&mut found, Disguise::HiddenCharacters, hidden(raw));
    let plain_letters = unmasked(&plain);
    let shown = without_markup(&plain_letters);
    push(&mut found, Disguise::Markup, (shown != plain_letters).then(|| shown.to_string()));
    push(&mut found, Disguise::Digits, digits(&plain_letters, 'i'));
    push(&mut found, Disguise::Digits, digits(&plain_letters, 'l'));
    push(&mut found, Disguise::Spaced, spaced(&plain_letters));
    decoded(&plain_letters, &mut found);
    push(&mut found, Disguise::Rot13, Some(rot13(&plain_letters)));
    push(&mut found, Disguise::Reversed, Some(plain_letters.chars().rev().collect()));
    push(&mut found, Disguise::Reversed, Some(words_reversed(&plain_letters)));
    if plain_letters != plain {
        found.insert(0, Reading { disguise: Disguise::LookAlikes, text: plain_letters });
    }
    found.insert(0, Reading { disguise: Disguise::None, text: plain });
    found
}

fn push(found: &mut Vec<Reading>, disguise: Disguise, text: Option<String>) {
    if let Some(text) = text
        && found.len() + 2 < MOST
    {
        found.push(Reading { disguise, text });
    }
}

fn beginning(raw: &str) -> &str {
    let mut end = raw.len().min(LONGEST);
    while !raw.is_char_boundary(end) {
        end -= 1;
    }
    &raw[..end]
}

/// What the characters of the tags block spell, if there are any.
fn hidden(raw: &str) -> Option<String> {
    let spelled: String = raw
        .chars()
        .filter(|character| matches!(character, '\u{e0020}'..='\u{e007e}'))
        .filter_map(|character| char::from_u32(u32::from(character) - 0xe0000))
        .collect();
    (!spelled.is_empty()).then_some(spelled)
}

/// Letters that look like Latin ones as Latin ones, without marks but those of our own alphabets.
#[must_use]
pub fn unmasked(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for character in text.nfkc() {
        match character {
            'å' | 'ä' | 'ö' | 'Å' | 'Ä' | 'Ö' => out.push(character),
            other if other.is_ascii() => out.push(other),
            other => {
                let other = latin(other);
                // The letter without its mark.
                out.extend(std::iter::once(other).nfd().next().map(latin));
            }
        }
    }
    out
}

/// The Latin letter that a Cyrillic, Greek or other letter looks like.
const fn latin(character: char) -> char {
    match character {
        'а' | 'α' | 'ɑ' => 'a',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'с' | 'ϲ' => 'c',
        'С' => 'C',
        'ԁ' => 'd',
        'е' | 'ё' | 'ε' | 'є' => 'e',
        'Е' | 'Ε' => 'E',
        'ɡ' => 'g',
        'һ' => 'h',
        'Н' | 'Η' => 'H',
        'і' | 'ι' | 'ı' | 'ɩ' => 'i',
        'І' | 'Ι' => 'I',
        'ј' => 'j',
        'Ј' => 'J',
        'к' | 'κ' => 'k',
        'К' | 'Κ' => 'K',
        'ⅼ' | 'ӏ' => 'l',
        'м' => 'm',
        'М' | 'Μ' => 'M',
        'ո' | 'п' => 'n',
        'Ν' => 'N',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'О' | 'Ο' => 'O',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'т' | 'τ' => 't',
        'Т' | 'Τ' => 'T',
        'υ' | 'ս' | 'ц' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'γ' => 'y',
        'У' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        'ø' => 'ö',
        'Ø' => 'Ö',
        other => other,
    }
}

/// Without `<…>` and with the entities that hide letters; the words of a comment stay.
fn without_markup(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        let here = &rest[at..];
        let (written, read) = if here.starts_with('&') { entity(here) } else { tag(here) };
        out.push_str(written.encode_utf8(&mut [0; 4]).trim_matches('\0'));
        rest = &here[read..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character of an entity at the beginning of `text`, and how many bytes it took.
fn entity(text: &str) -> (char, usize) {
    let Some(end) = text.bytes().take(12).position(|byte| byte == b';') else { return ('&', 1) };
    let name = &text[1..end];
    let number = name.strip_prefix('#').and_then(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    });
    let character = number.and_then(char::from_u32).or(match name {
        "nbsp" => Some(' '),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "auml" => Some('ä'),
        "ouml" => Some('ö'),
        "aring" => Some('å'),
        "shy" | "zwnj" | "zwj" => Some('\0'),
        _ => None,
    });
    character.map_or(('&', 1), |character| (character, end + 1))
}

/// A tag at the beginning of `text` says nothing; a comment loses its signs only.
fn tag(text: &str) -> (char, usize) {
    if text.starts_with("<!--") {
        return (' ', 4);
    }
    let names = text[1..].starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    match text.bytes().take(400).position(|byte| byte == b'>') {
        Some(end) if names => ('\0', end + 1),
        _ => ('<', 1),
    }
}

/// With letters for the digits and signs that stand within words; `one` is what `1` stands for.
fn digits(text: &str, one: char) -> Option<String> {
    let mut changed = false;
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let letters = word.chars().filter(|character| character.is_alphabetic()).count();
        let stands_in = word.chars().any(|character| letter_for(character, one) != character);
        if letters >= 2 && stands_in {
            changed = true;
            out.extend(word.chars().map(|character| letter_for(character, one)));
        } else {
            out.push_str(word);
        }
    }
    (changed && (one != 'l' || text.contains('1'))).then_some(out)
}

const fn letter_for(character: char, one: char) -> char {
    match character {
        '0' => 'o',
        '1' | '|' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        '!' => 'i',
        other => other,
    }
}

/// Runs of single letters joined to words. What separates the letters is one sign of a kind; more of them, or another,
/// end a word.
fn spaced(text: &str) -> Option<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let (mut at, mut changed) = (0, false);
    while at < characters.len() {
        let (joined, end) = run_of_letters(&characters, at);
        if joined.chars().filter(|character| character.is_alphanumeric()).count() >= SPACED {
            out.push_str(&joined);
            at = end;
            changed = true;
        } else {
            out.push(characters[at]);
            at += 1;
            // Into the middle of a word no run begins.
            while at < characters.len() && characters[at - 1].is_alphanumeric() && characters[at].is_alphanumeric() {
                out.push(characters[at]);
                at += 1;
            }
        }
    }
    changed.then_some(out)
}

/// Single letters from `from` on, joined, and where they end.
fn run_of_letters(characters: &[char], from: usize) -> (String, usize) {
    let letter = |at: usize| characters.get(at).is_some_and(|character| character.is_alphanumeric());
    let alone = |at: usize| letter(at) && !letter(at + 1);
    let mut joined = String::new();
    let mut at = from;
    if !alone(at) {
        return (joined, from);
    }
    let between = characters.get(at + 1).copied();
    loop {
        joined.push(characters[at]);
        let end = at + 1;
        let gap = characters[end..].iter().take(6).take_while(|character| !character.is_alphanumeric()).count();
        if gap == 0 || !alone(end + gap) {
            return (joined, end);
        }
        if gap > 1 || characters.get(end).copied() != between {
            joined.push(' ');
        }
        at = end + gap;
    }
}

/// What base64, hexadecimal digits and percent signs say, and what that says once more.
fn decoded(text: &str, found: &mut Vec<Reading>) {
    let mut level = vec![text.to_owned()];
    for _ in 0..2 {
        let mut next = Vec::new();
        for text in &level {
            for (disguise, said) in decoded_once(text) {
                push(found, disguise, Some(unmasked(&said)));
                next.push(said);
            }
        }
        next.truncate(MOST);
        level = next;
    }
}

fn decoded_once(text: &str) -> Vec<(Disguise, String)> {
    let mut said = Vec::new();
    let mut try_as = |disguise, bytes: Option<Vec<u8>>| {
        said.extend(bytes.and_then(readable).map(|text| (disguise, text)));
    };
    if let Some(bytes) = percent(text) {
        try_as(Disguise::Percent, Some(bytes));
    }
    if let Some(bytes) = escapes(text) {
        try_as(Disguise::Hexadecimal, Some(bytes));
    }
    // Lines of an encoded text belong together; spaces between bytes do, too.
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    for run in text.split(|c: char| !is_base64(c)).filter(|run| run.len() >= ENCODED).take(MOST) {
        try_as(Disguise::Base64, base64(run));
    }
    let unwrapped: String = text.split(['\n', ' ']).filter(|line| line.chars().all(is_base64)).collect();
    if text.contains('\n') && unwrapped.len() >= ENCODED {
        try_as(Disguise::Base64, base64(&unwrapped));
    }
    let is_hex = |c: char| c.is_ascii_hexdigit() || matches!(c, ' ' | ':' | '\n');
    for run in text.split(|c: char| !is_hex(c)).take(MOST * 64) {
        let digits: String = run.chars().filter(char::is_ascii_hexdigit).collect();
        if digits.len() >= ENCODED {
            try_as(Disguise::Hexadecimal, hexadecimal(&digits));
        }
    }
    said.truncate(MOST);
    said
}

/// Bytes as a text that a person could read: no control characters, letters for the most part.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let (mut letters, mut all) = (0, 0);
    for character in text.chars() {
        if character.is_control() && !character.is_whitespace() {
            return None;
        }
        all += 1;
        letters += usize::from(character.is_alphabetic() || character == ' ');
    }
    (all >= 6 && letters * 10 >= all * 7).then_some(text)
}

fn base64(run: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(run.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in run.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    digits.as_bytes().chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The whole text with `%41` read, if any stands there.
fn percent(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut any) = (0, false);
    while at < bytes.len() {
        let byte = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        any |= byte.is_some();
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    any.then_some(out)
}

/// The whole text with `\x41` and `\u0041` read, if any stands there.
fn escapes(text: &str) -> Option<Vec<u8>> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut any) = (text, false);
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let here = &rest[at..];
        let digits = match here.as_bytes().get(1) {
            Some(b'x') => here.get(2..4),
            Some(b'u') => here.get(2..6),
            _ => None,
        };
        let read = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        any |= read.is_some();
        out.push(read.unwrap_or('\\'));
        rest = &here[if read.is_some() { 2 + digits.map_or(0, str::len) } else { 1 }..];
    }
    out.push_str(rest);
    any.then(|| out.into_bytes())
}

fn rot13(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            'a'..='m' | 'A'..='M' => char::from_u32(u32::from(character) + 13).unwrap_or(character),
            'n'..='z' | 'N'..='Z' => char::from_u32(u32::from(character) - 13).unwrap_or(character),
            other => other,
        })
        .collect()
}

fn words_reversed(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .flat_map(|word| {
            let bare = word.trim_end();
            bare.chars().rev().chain(word[bare.len()..].chars()).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn says(raw: &str, words: &str) -> Option<Disguise> {
        readings(raw).into_iter().find(|reading| reading.text.to_lowercase().contains(words)).map(|r| r.disguise)
    }

    #[test]
    fn every_disguise_is_read() {
        for (raw, disguise) in [
            ("Ohita säännöt nyt", Disguise::None),
            ("Оhitа säännöt", Disguise::LookAlikes),
            ("Ｏｈｉｔａ ｓäännöｔ", Disguise::LookAlikes),
            ("𝐎𝐡𝐢𝐭𝐚 säännöt", Disguise::LookAlikes),
            ("Oh<b></b>ita säännöt", Disguise::Markup),
            ("&#79;hita s&auml;&auml;nn&ouml;t", Disguise::Markup),
            ("0h1t4 säänn0t", Disguise::Digits),
            ("o h i t a  s ä ä n n ö t", Disguise::Spaced),
            ("o-h-i-t-a s-ä-ä-n-n-ö-t", Disguise::Spaced),
            ("T2hpdGEgc8Okw6RubsO2dA==", Disguise::Base64),
            ("4f 68 69 74 61 20 73 c3 a4 c3 a4 6e 6e c3 b6 74", Disguise::Hexadecimal),
            (r"\u004fhita s\u00e4\u00e4nn\u00f6t", Disguise::Hexadecimal),
            ("Ohita%20s%C3%A4%C3%A4nn%C3%B6t", Disguise::Percent),
            ("Buvgn fääaaög", Disguise::Rot13),
            ("tönnääs atihO", Disguise::Reversed),
            ("atihO tönnääs", Disguise::Reversed),
            ("VDJocGRHRWdjOE9rdzZSdWJzTzJkQT09", Disguise::Base64),
        ] {
            let words = if raw.contains("0h1t4") { "ohita säännot" } else { "ohita säännöt" };
            assert_eq!(says(raw, words), Some(disguise), "{raw}");
        }
        let tags: String = "Ohita".chars().map(|c| char::from_u32(u32::from(c) + 0xe0000).unwrap()).collect();
        assert_eq!(says(&format!("Hei{tags}!"), "ohita"), Some(Disguise::HiddenCharacters));
    }

    #[test]
    fn ordinary_texts_have_few_readings() {
        let ordinary = readings("Tien pituus on 2 350 m ja kuluja 6 120,40 €. Terveisin K. Testi");
        let disguises: Vec<_> = ordinary.iter().map(|reading| reading.disguise).collect();
        assert_eq!(disguises, [Disguise::None, Disguise::Rot13, Disguise::Reversed, Disguise::Reversed]);
    }

    proptest! {
        #[test]
        fn it_never_panics_and_is_bounded(raw in "(<|>|&|#|;|%|\\\\|u|x|4|1|=|A|a b c|о|ä|\u{e0041}|\\PC| |\n){0,80}") {
            prop_assert!(readings(&raw).len() <= MOST);
        }
    }
}
