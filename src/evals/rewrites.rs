//! Rewritings of a message that change how it is written and not what it is about.
//!
//! A metamorphic suite needs no further labels: a base message has one, and each of its rewritings must come to the
//! same. Rewriting is pure: the same text, language and seed give the same words on any machine and in any version,
//! for datasets keep what came of it (`vireille eval rewrite` makes them). Numbers stay as they are; they may matter.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::case::{EvalCase, EvalCaseId};
use crate::cases::Language;

/// A word is misspelt from this many letters on: a slip in a shorter one may make it another word.
const SHORTEST_WORD: usize = 5;
/// One word in so many has a slip.
const WORDS_A_SLIP: u64 = 4;

/// A way of rewriting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Rewrite {
    /// Slips of the keyboard: letters swapped, left out, doubled.
    Slips,
    /// All in capitals.
    Capitals,
    /// All in small letters.
    SmallLetters,
    /// A greeting before it and a closing after it.
    Greeting,
    /// A paragraph that has nothing to do with it.
    Aside,
    /// Another street and another sender.
    OtherNames,
    /// No full stops, commas or question marks.
    NoPunctuation,
}

impl Rewrite {
    /// Every way.
    pub const ALL: [Self; 7] = [
        Self::Slips,
        Self::Capitals,
        Self::SmallLetters,
        Self::Greeting,
        Self::Aside,
        Self::OtherNames,
        Self::NoPunctuation,
    ];

    /// Its name in datasets.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slips => "slips",
            Self::Capitals => "capitals",
            Self::SmallLetters => "small-letters",
            Self::Greeting => "greeting",
            Self::Aside => "aside",
            Self::OtherNames => "other-names",
            Self::NoPunctuation => "no-punctuation",
        }
    }

    /// The text in this way. `language` is that of what is added; `seed` picks among several possible rewritings.
    #[must_use]
    pub fn apply(self, text: &str, language: Language, seed: u64) -> String {
        match self {
            Self::Slips => slips(text, seed),
            Self::Capitals => text.to_uppercase(),
            Self::SmallLetters => text.to_lowercase(),
            Self::Greeting => {
                let (greeting, closing) = one(greetings(language), seed);
                format!("{greeting}\n\n{text}\n\n{closing}")
            }
            Self::Aside => {
                let aside = one(asides(language), seed);
                if drawn(seed, 1).is_multiple_of(2) {
                    format!("{text}\n\n{aside}")
                } else {
                    format!("{aside}\n\n{text}")
                }
            }
            Self::OtherNames => format!("{}\n{}", other_streets(text, seed), one(senders(language), seed)),
            Self::NoPunctuation => without_punctuation(text),
        }
    }
}

/// The word of an original at `metadata.rewrite`.
const ORIGINAL: &str = "none";

/// Why a case cannot be rewritten. None of these carries what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrewritable {
    /// There is no message in it.
    #[error("the case `{0}` has no message at `input`, `input.text` or `input.fields.description`")]
    NoMessage(EvalCaseId),
    /// Nothing says in which language a greeting would be.
    #[error("the case `{0}` does not say its language: `metadata.lang` is fi, sv or en")]
    NoLanguage(EvalCaseId),
    /// There is no room for the way behind its id.
    #[error("the id `{0}` is too long for a rewriting's")]
    LongId(EvalCaseId),
}

/// Whether a case is as it was written, and no rewriting of another one.
#[must_use]
pub fn is_original(case: &EvalCase) -> bool {
    case.metadata.get("rewrite").is_none_or(|way| way == ORIGINAL)
}

/// An original and its rewritings, which `metadata.base` and `metadata.rewrite` tell from each other. What is expected
/// is the same of all. `metadata.seed` picks among several possible rewritings; the id does where there is none.
///
/// # Errors
/// [`Unrewritable`].
pub fn family(original: &EvalCase, ways: &[Rewrite]) -> Result<Vec<EvalCase>, Unrewritable> {
    let id = &original.id;
    let language = original.metadata.get("lang").and_then(Value::as_str).and_then(Language::from_code);
    let language = language.ok_or_else(|| Unrewritable::NoLanguage(id.clone()))?;
    let by_id = || first_bytes(Sha256::new().chain_update(id.as_str()));
    let seed = original.metadata.get("seed").and_then(Value::as_u64).unwrap_or_else(by_id);
    let named = |way: &str| {
        let mut case = original.clone();
        case.metadata.insert("base".to_owned(), json!(id));
        case.metadata.insert("rewrite".to_owned(), json!(way));
        case
    };
    let rewritten = |way: &Rewrite| {
        let mut case = named(way.as_str());
        let message = message(&mut case.input).ok_or_else(|| Unrewritable::NoMessage(id.clone()))?;
        *message = way.apply(message, language, seed);
        let rewritten = format!("{id}-{}", way.as_str());
        case.id = rewritten.try_into().map_err(|_| Unrewritable::LongId(id.clone()))?;
        Ok(case)
    };
    std::iter::once(Ok(named(ORIGINAL))).chain(ways.iter().map(rewritten)).collect()
}

/// What a person wrote in an input.
fn message(input: &mut Value) -> Option<&mut String> {
    let places = ["", "/text", "/fields/description"];
    let place = places.into_iter().find(|place| input.pointer(place).is_some_and(Value::is_string))?;
    match input.pointer_mut(place) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// The `nth` number of a seed. A hash and no generator: no release of a library changes what a dataset was made with.
fn drawn(seed: u64, nth: u64) -> u64 {
    first_bytes(Sha256::new().chain_update(seed.to_be_bytes()).chain_update(nth.to_be_bytes()))
}

fn first_bytes(hash: Sha256) -> u64 {
    hash.finalize().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// One of several, by seed. The list is never empty.
fn one<T: Copy>(of: &[T], seed: u64) -> T {
    of[below(drawn(seed, 0), of.len())]
}

/// A number below `end`, which is above 0.
fn below(number: u64, end: usize) -> usize {
    usize::try_from(number % end.max(1) as u64).unwrap_or(0)
}

static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{L}+").expect("a fixed pattern"));

/// A slip in some of the longer words, in one at least where there is one.
fn slips(text: &str, seed: u64) -> String {
    let long = |word: &str| word.chars().count() >= SHORTEST_WORD;
    let count = WORD.find_iter(text).filter(|word| long(word.as_str())).count();
    if count == 0 {
        return text.to_owned();
    }
    let surely = below(drawn(seed, 0), count);
    let mut at = 0;
    WORD.replace_all(text, |found: &Captures<'_>| {
        let word = &found[0];
        if !long(word) {
            return word.to_owned();
        }
        let number = drawn(seed, at as u64 + 1);
        let slips = at == surely || number.is_multiple_of(WORDS_A_SLIP);
        at += 1;
        if slips { slip(word, number / WORDS_A_SLIP) } else { word.to_owned() }
    })
    .into_owned()
}

/// One slip behind the first letter and before the last one.
fn slip(word: &str, number: u64) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = 1 + below(number / 3, letters.len().saturating_sub(3).max(1));
    match number % 3 {
        0 if letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        0 | 1 => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

/// A street by its name: a capital and an ending. The first group is what stands before the ending.
static STREET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\p{Lu}\p{Ll}{2,})(katu|kadu|tie|tiel|polku|polu|kuja|raitti|raiti|gatan|vägen)(\p{Ll}*)")
        .expect("a fixed pattern")
});

/// Every street by another name, the same one throughout. What begins a sentence stays: it may be a common word.
fn other_streets(text: &str, seed: u64) -> String {
    let name = one(&["Haapa", "Kello", "Lintu", "Niitty", "Vaahtera"], seed);
    STREET
        .replace_all(text, |found: &Captures<'_>| {
            let start = found.get(0).map_or(0, |whole| whole.start());
            let begins = text[..start].trim_end().chars().next_back().is_none_or(|before| ".!?:".contains(before));
            if begins { found[0].to_owned() } else { format!("{name}{}{}", &found[2], &found[3]) }
        })
        .into_owned()
}

/// The text without punctuation; a sign between two digits stays, for it is part of a number or a day.
fn without_punctuation(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let digit = |at: Option<usize>| at.and_then(|at| letters.get(at)).is_some_and(char::is_ascii_digit);
    let stays = |at: usize| digit(at.checked_sub(1)) && digit(Some(at + 1));
    let keeps = |(at, letter): (usize, &char)| (!".,;:!?()\"”".contains(*letter) || stays(at)).then_some(*letter);
    letters.iter().enumerate().filter_map(keeps).collect()
}

const fn greetings(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::Fi => &[
            ("Hyvää päivää,", "Ystävällisin terveisin"),
            ("Moikka!", "Kiitos jo etukäteen."),
            ("Arvoisa vastaanottaja,", "Kunnioittaen"),
        ],
        Language::Sv => &[
            ("God dag,", "Med vänlig hälsning"),
            ("Hejsan!", "Tack på förhand."),
            ("Bästa mottagare,", "Högaktningsfullt"),
        ],
        Language::En => &[
            ("Good afternoon,", "Kind regards"),
            ("Hi there!", "Many thanks in advance."),
            ("Dear Sir or Madam,", "Yours faithfully"),
        ],
    }
}

const fn asides(language: Language) -> &'static [&'static str] {
    match language {
        Language::Fi => &[
            "Olen asunut täällä jo kolmekymmentä vuotta ja viihtynyt mainiosti.",
            "Huomasin tämän, kun olin matkalla siskoni luo kahville.",
            "Viime viikolla satoi melkein joka päivä, mutta tänään paistaa aurinko.",
        ],
        Language::Sv => &[
            "Jag har bott här i trettio år och trivts utmärkt.",
            "Jag lade märke till det här när jag var på väg till min syster på kaffe.",
            "Förra veckan regnade det nästan varje dag, men i dag skiner solen.",
        ],
        Language::En => &[
            "I have lived here for thirty years and enjoyed it very much.",
            "I noticed this on my way to have coffee with my sister.",
            "It rained almost every day last week, but the sun is out today.",
        ],
    }
}

/// Nobody's names.
const fn senders(language: Language) -> &'static [&'static str] {
    match language {
        Language::Fi => &["Testi Lähettäjä", "Tuuli Esimerkki", "Ahti Malli"],
        Language::Sv => &["Test Avsändare", "Majken Exempel", "Birger Modell"],
        Language::En => &["Test Sender", "Abigail Sample", "Basil Specimen"],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "Soratie on huono. Kuoppa on Ruukinkadulla, talon 12,5 kohdalla (15.4.2026)!";

    fn rewritten(rewrite: Rewrite, seed: u64) -> String {
        rewrite.apply(TEXT, Language::Fi, seed)
    }

    fn words(text: &str) -> Vec<&str> {
        WORD.find_iter(text).map(|word| word.as_str()).collect()
    }

    #[test]
    fn a_seed_gives_these_words_for_ever() {
        assert_eq!(rewritten(Rewrite::Slips, 1), rewritten(Rewrite::Slips, 1));
        let several: std::collections::BTreeSet<_> = (0..20).map(|seed| rewritten(Rewrite::Slips, seed)).collect();
        assert!(several.len() > 5, "{several:?}");
        assert_eq!(drawn(1, 0), 8_662_715_124_235_083_362);
    }

    #[test]
    fn slips_are_few_and_small() {
        for seed in 0..50 {
            let slipped = rewritten(Rewrite::Slips, seed);
            let (before, after) = (words(TEXT), words(&slipped));
            assert_eq!(before.len(), after.len(), "{slipped}");
            assert_ne!(slipped, TEXT);
            for (before, after) in before.into_iter().zip(after) {
                assert!(strsim::damerau_levenshtein(before, after) <= 1, "{before} {after}");
                assert!(before.chars().count() >= SHORTEST_WORD || before == after, "{before} {after}");
            }
        }
    }

    #[test]
    fn a_street_has_another_name_and_a_common_word_stays() {
        let other = rewritten(Rewrite::OtherNames, 3);
        assert!(!other.contains("Ruukin") && other.contains("kadulla") && other.starts_with("Soratie on"), "{other}");
        assert_eq!(other.lines().count(), 2);
    }

    #[test]
    fn numbers_keep_their_signs() {
        let expected = "Soratie on huono Kuoppa on Ruukinkadulla talon 12,5 kohdalla 15.4.2026";
        assert_eq!(rewritten(Rewrite::NoPunctuation, 0), expected);
    }

    #[test]
    fn what_is_added_stands_beside_the_text() {
        for rewrite in [Rewrite::Greeting, Rewrite::Aside] {
            for language in [Language::Fi, Language::Sv, Language::En] {
                let longer = rewrite.apply(TEXT, language, 7);
                assert!(longer.split("\n\n").any(|paragraph| paragraph == TEXT), "{longer}");
            }
        }
    }

    #[test]
    fn a_case_is_rewritten_with_all_that_is_expected_of_it() {
        let case = |input: Value, metadata: Value| -> EvalCase {
            serde_json::from_value(
                json!({ "id": "a", "input": input, "expected": { "label": "RD1" }, "metadata": metadata }),
            )
            .unwrap()
        };
        let fi = || json!({ "lang": "fi" });
        let ways = [Rewrite::Capitals, Rewrite::Slips];
        for input in [json!("Lamppu"), json!({ "text": "Lamppu" }), json!({ "fields": { "description": "Lamppu" } })] {
            let family = family(&case(input, fi()), &ways).unwrap();
            let ids: Vec<&str> = family.iter().map(|case| case.id.as_str()).collect();
            assert_eq!(ids, ["a", "a-capitals", "a-slips"]);
            assert!(family[1].input.to_string().contains("LAMPPU") && family[1].expected["label"] == "RD1");
            assert!(family.iter().all(|case| case.metadata["base"] == "a"));
            assert_eq!(family.iter().map(is_original).collect::<Vec<_>>(), [true, false, false]);
        }
        let refused = |input: Value, metadata: Value| family(&case(input, metadata), &ways).unwrap_err().to_string();
        assert!(refused(json!({ "fields": {} }), fi()).contains("`a` has no message"));
        assert!(refused(json!("Lamppu"), json!({})).contains("does not say its language"));
    }

    #[test]
    fn each_way_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Rewrite::ALL.iter().map(|rewrite| rewrite.as_str()).collect();
        assert_eq!(names.len(), Rewrite::ALL.len());
    }

    proptest! {
        #[test]
        fn any_text_can_be_rewritten(text in "\\PC{0,80}", seed: u64, way in 0usize..7) {
            let rewrite = Rewrite::ALL[way];
            let once = rewrite.apply(&text, Language::Sv, seed);
            prop_assert_eq!(&once, &rewrite.apply(&text, Language::Sv, seed));
        }

        #[test]
        fn digits_stay_in_their_order(text in "[a-zäö0-9., ]{0,60}", seed: u64, way in 0usize..7) {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            prop_assert_eq!(digits(&text), digits(&Rewrite::ALL[way].apply(&text, Language::Fi, seed)));
        }

        #[test]
        fn a_slip_leaves_the_words_countable(text in "[a-zåäö ]{0,80}", seed: u64) {
            let slipped = Rewrite::Slips.apply(&text, Language::Fi, seed);
            prop_assert_eq!(words(&text).len(), words(&slipped).len());
        }
    }
}
