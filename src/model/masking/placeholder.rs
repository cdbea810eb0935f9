//! What stands in masked text in the place of a person's data: `[person 1]`, and `[person 1.2]` for another written
//! form of the same thing.
//!
//! The grammar is exact. Whatever merely looks like a placeholder is none: in a stranger's text it is masked itself, so
//! that nobody can write one into a text; in an answer it is an error, so that nothing is ever guessed.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// What kind of thing is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A person's name.
    Person,
    /// An organisation that the service does not let a model see.
    Organisation,
    /// Personal identity code, Finnish or Swedish.
    IdentityCode,
    /// Bank account.
    Iban,
    /// Telephone number.
    Phone,
    /// E-mail address.
    Email,
    /// Street and number of somebody's home.
    StreetAddress,
    /// The number alone, where the street is the place of the matter.
    HouseNumber,
    /// Registration plate of a vehicle.
    Plate,
    /// Business id: that of a sole trader is a person's.
    BusinessId,
    /// Date of birth.
    BirthDate,
    /// Number of a payment card.
    BankCard,
    /// A number by which somebody else knows the person or their property.
    Reference,
    /// Any other value of a field that no model may see.
    Detail,
    /// Words of the text itself that look like a placeholder.
    Quoted,
}

impl Class {
    const ALL: [Self; 15] = [
        Self::Person,
        Self::Organisation,
        Self::IdentityCode,
        Self::Iban,
        Self::Phone,
        Self::Email,
        Self::StreetAddress,
        Self::HouseNumber,
        Self::Plate,
        Self::BusinessId,
        Self::BirthDate,
        Self::BankCard,
        Self::Reference,
        Self::Detail,
        Self::Quoted,
    ];

    /// Its name, as it stands in a placeholder.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organisation => "organisation",
            Self::IdentityCode => "identity code",
            Self::Iban => "iban",
            Self::Phone => "phone",
            Self::Email => "e-mail",
            Self::StreetAddress => "street address",
            Self::HouseNumber => "house number",
            Self::Plate => "plate",
            Self::BusinessId => "business id",
            Self::BirthDate => "birth date",
            Self::BankCard => "bank card",
            Self::Reference => "reference",
            Self::Detail => "detail",
            Self::Quoted => "quoted",
        }
    }

    /// Whether Finnish and Swedish inflect it by its letters; an ending after a number is only written behind it.
    pub const fn is_inflected(self) -> bool {
        matches!(self, Self::Person | Self::Organisation)
    }
}

/// One placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// The kind of thing.
    pub class: Class,
    /// Which thing of that kind, from 1.
    pub number: usize,
    /// In which written form, from 1.
    pub form: usize,
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, number, form } = self;
        match form {
            1 => write!(f, "[{} {number}]", class.label()),
            _ => write!(f, "[{} {number}.{form}]", class.label()),
        }
    }
}

impl Placeholder {
    /// Reads exactly what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let (class, number) = inner.rsplit_once(' ')?;
        let class = Class::ALL.into_iter().find(|known| known.label() == class)?;
        let (number, form) = number.split_once('.').unwrap_or((number, "1"));
        let found = Self { class, number: number.parse().ok()?, form: form.parse().ok()? };
        (found.to_string() == text).then_some(found)
    }
}

/// The labels, however they are written.
const LABELS: &str = r"(?:persons?|organi[sz]ation|identity[\s_-]*code|iban|phone|e[\s_-]?mail|street[\s_-]*address|house[\s_-]*number|plate|business[\s_-]*id|birth[\s_-]*date|bank[\s_-]*card|reference|detail|quoted)";

/// A bracket with a label behind it, or a label and a number with a bracket behind them.
static LOOKALIKE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)[\[［【〔]\s*{LABELS}\b[^\[\]\n]{{0,24}}\]?|\b{LABELS}[\s_-]*[0-9]+(?:\.[0-9]+)?\s*[\]］】〕]"
    ))
    .expect("a fixed pattern")
});

/// A label and a number without any bracket, or with one.
static LEFT_OVER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?i)[\[［【〔<({{]\s*{LABELS}\s*[0-9.]*\s*[\]］】〕>)}}]|\b(?:identity code|street address|house number|business id|birth date|bank card|iban|person|phone|e-mail|plate|quoted) [0-9]+(?:\.[0-9]+)?\b"))
        .expect("a fixed pattern")
});

/// Where something in a text is, or looks like, a placeholder.
pub fn lookalikes(text: &str) -> impl Iterator<Item = (usize, usize)> {
    LOOKALIKE.find_iter(text).map(|found| (found.start(), found.end()))
}

/// Whether a text for a reader still speaks of a placeholder, with or without brackets.
#[must_use]
pub fn stands_in(text: &str) -> bool {
    LOOKALIKE.is_match(text) || LEFT_OVER.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_a_placeholder() {
        for class in Class::ALL {
            for form in [1, 2, 12] {
                let one = Placeholder { class, number: 3, form };
                assert_eq!(Placeholder::parse(&one.to_string()), Some(one));
                assert_eq!(lookalikes(&format!("x {one} y")).count(), 1, "{one}");
            }
        }
        for text in ["[Person 1]", "[person 01]", "[person 1.1]", "[person  1]", "[person 1 ]", "[person]", "[person 1"]
        {
            assert_eq!(Placeholder::parse(text), None, "{text}");
            assert_eq!(lookalikes(text).count(), 1, "{text}");
        }
        for text in ["[x]", "person 1", "[personal]", "kuva [1]", "[]"] {
            assert_eq!(lookalikes(text).count(), 0, "{text}");
        }
    }

    #[test]
    fn what_a_reader_would_stumble_over_is_seen() {
        for text in ["Hei [person 1]!", "Hei person 1!", "(phone 2)", "<iban>", "[identity code"] {
            assert!(stands_in(text), "{text}");
        }
        assert!(!stands_in("Avustusta myönnetään henkilölle, joka asuu tien 1 varrella."));
    }
}
