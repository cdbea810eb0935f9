//! Personal data does not reach a model: what identifies a person is replaced before a call and put back after it.
//!
//! [`Masked`] is the proof in the type: a request can only be made of masked texts, and a text is masked by the
//! [`Masker`] of its case, or because it is public (the municipality's own files).
//!
//! One thing has one placeholder in all texts of a case, and [`Masker::restore`] gives back exactly what was masked. Of
//! a fault's place the street stays and the number goes: the work needs the road, the number is somebody's home.

mod detect;
mod inflection;
mod known;
mod names;
mod placeholder;
mod public_words;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use detect::Span;
pub use detect::{compact, is_numbered_road, is_street, key};
use known::Known;
use names::People;
pub use placeholder::{Class, stands_in};
use placeholder::{Placeholder, lookalikes};
pub use public_words::PublicWords;
use regex::{Captures, Regex};

use crate::cases::Submission;
use crate::municipality::format::ServiceFile;

/// Something in which no personal data stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Masked<T>(T);

impl Masked<String> {
    /// A text that the municipality's people wrote for everybody: a policy, a prompt, a fixed block, a word of our own
    /// vocabulary. Never anything that came in.
    #[must_use]
    pub fn public(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text with less in it: a fixed word in the place of everything that fits the pattern and goes.
    #[must_use]
    pub fn without(&self, pattern: &Regex, goes: impl Fn(&str) -> bool, instead: &'static str) -> Self {
        let replaced =
            pattern.replace_all(
                &self.0,
                |found: &Captures<'_>| {
                    if goes(&found[0]) { instead.to_owned() } else { found[0].to_owned() }
                },
            );
        Self(replaced.into_owned())
    }

    /// The same text cut to so many characters, never within a placeholder.
    #[must_use]
    pub fn cut(&self, longest: usize) -> Self {
        let Some((end, _)) = self.0.char_indices().nth(longest) else { return self.clone() };
        let open = self.0[..end].rfind('[').filter(|open| {
            let close = self.0[*open..].find(']').map(|length| open + length + 1);
            close.is_some_and(|close| close > end && Placeholder::parse(&self.0[*open..close]).is_some())
        });
        Self(self.0[..open.unwrap_or(end)].to_owned())
    }

    /// The same text for readers: a word in the place of every placeholder.
    #[must_use]
    pub fn told(&self, instead: &str) -> String {
        let mut told = String::with_capacity(self.0.len());
        let mut rest = 0;
        for (start, end) in lookalikes(&self.0) {
            told.push_str(&self.0[rest..start]);
            told.push_str(instead);
            rest = end;
        }
        told.push_str(&self.0[rest..]);
        told
    }

    /// Several masked texts make a masked text.
    #[must_use]
    pub fn join(parts: &[Self], between: &str) -> Self {
        Self(parts.iter().map(Self::as_str).collect::<Vec<_>>().join(between))
    }
}

impl fmt::Display for Masked<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How often what masking laid bare is looked at again. Only a text built for it needs more than two.
const PASSES: usize = 16;

/// Masks the texts of one case and puts back what a model's answer names.
pub struct Masker {
    public: Arc<PublicWords>,
    known: Known,
    things: Mutex<Things>,
}

/// Nobody prints a case's secrets by accident.
impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masker(redacted)")
    }
}

/// Something of a text that would be masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub class: Class,
    /// As it is written.
    pub written: String,
    /// Whether the form or the sender told it: what else looks like a name may be none.
    pub known: bool,
}

/// Nobody prints what was found by accident.
impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit").field("class", &self.class).field("known", &self.known).finish_non_exhaustive()
    }
}

/// Everything that was masked so far.
#[derive(Default)]
struct Things {
    people: People,
    numbers: HashMap<(Class, String), usize>,
    counts: HashMap<Class, usize>,
    /// The written forms of each thing, in the order in which they were met.
    forms: HashMap<(Class, usize), Vec<String>>,
    /// The place of each written form among them.
    written: HashMap<(Class, usize, String), usize>,
}

impl Things {
    fn number(&mut self, class: Class, key: String) -> usize {
        let counts = &mut self.counts;
        *self.numbers.entry((class, key)).or_insert_with(|| {
            let count = counts.entry(class).or_default();
            *count += 1;
            *count
        })
    }

    fn placeholder(&mut self, class: Class, key: String, written: &str) -> Placeholder {
        let number = self.number(class, key);
        let forms = self.forms.entry((class, number)).or_default();
        let form = *self.written.entry((class, number, written.to_owned())).or_insert_with(|| {
            forms.push(written.to_owned());
            forms.len()
        });
        Placeholder { class, number, form }
    }

    fn value(&self, placeholder: Placeholder) -> Option<&str> {
        let forms = self.forms.get(&(placeholder.class, placeholder.number))?;
        forms.get(placeholder.form.checked_sub(1)?).map(String::as_str)
    }
}

/// Why an answer cannot be put back. Carries nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrestorable {
    /// The answer names a placeholder that stands for nothing.
    #[error("the answer names a placeholder that the case does not have")]
    Unknown,
    /// The answer holds something that is nearly a placeholder.
    #[error("the answer holds a mangled placeholder")]
    Mangled,
    /// The answer inflects a name that nobody can inflect without knowing it.
    #[error("the answer puts an ending behind the placeholder of a name")]
    Inflected,
}

impl Masker {
    /// The masker of a case: what the form, the sender and the service's fields tell is known from the start.
    #[must_use]
    pub fn new(submission: &Submission, service: Option<&ServiceFile>, public: Arc<PublicWords>) -> Self {
        let mut things = Things::default();
        let known = Known::of(submission, service);
        for (class, name) in &known.names {
            if let Some(key) = things.people.know(*class, name) {
                things.placeholder(*class, key, name);
            }
        }
        for literal in &known.literals {
            things.placeholder(literal.class, literal.key.clone(), &literal.written);
        }
        Self { public, known, things: Mutex::new(things) }
    }

    /// The text with a placeholder in the place of everything that identifies a person. The text is in normal form
    /// ([`crate::text::normalize`]); what hides in other characters is not looked for.
    #[must_use]
    pub fn mask(&self, text: &str) -> Masked<String> {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let mut masked = String::with_capacity(text.len());
        self.write(text, &mut things, 0, &mut masked);
        Masked(masked)
    }

    /// The text with every placeholder in it replaced by what it stands for.
    ///
    /// Behind a code or a number an ending stays as it is (`[iban 1]:n`); behind a name it is refused, for the form
    /// of a name is not the name and an ending.
    ///
    /// # Errors
    /// [`Unrestorable`] when anything is not exactly a placeholder of this case: nothing is guessed.
    pub fn restore(&self, text: &str) -> Result<String, Unrestorable> {
        let things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let mut restored = String::with_capacity(text.len());
        let mut rest = 0;
        for (start, end) in lookalikes(text) {
            let placeholder = Placeholder::parse(&text[start..end]).ok_or(Unrestorable::Mangled)?;
            let value = things.value(placeholder).ok_or(Unrestorable::Unknown)?;
            if placeholder.class.is_inflected() && has_ending(&text[end..]) {
                return Err(Unrestorable::Inflected);
            }
            restored.push_str(&text[rest..start]);
            restored.push_str(value);
            rest = end;
        }
        restored.push_str(&text[rest..]);
        Ok(restored)
    }

    /// The people whom the form and the sender named.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.known.names.iter().filter(|(class, _)| *class == Class::Person).map(|(_, name)| name.as_str())
    }

    /// What of a text would be masked, in its order.
    #[must_use]
    pub fn finds(&self, text: &str) -> Vec<Hit> {
        let masked = self.mask(text);
        let things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |class: Class, first: &str| {
            let names = self.known.names.iter().map(|(of, name)| (*of, name.as_str()));
            let literals = self.known.literals.iter().map(|literal| (literal.class, literal.written.as_str()));
            names.chain(literals).any(|known| known == (class, first))
        };
        let hits = lookalikes(&masked.0).filter_map(|(start, end)| {
            let placeholder = Placeholder::parse(&masked.0[start..end])?;
            let first = things.value(Placeholder { form: 1, ..placeholder })?;
            let written = things.value(placeholder)?.to_owned();
            Some(Hit { class: placeholder.class, written, known: told(placeholder.class, first) })
        });
        hits.collect()
    }

    /// Masks a text or, from the second pass on, a piece of one between two placeholders.
    fn write(&self, text: &str, things: &mut Things, pass: usize, masked: &mut String) {
        let spans = self.spans(text, things, pass > 0);
        if spans.is_empty() {
            masked.push_str(text);
            return;
        }
        if pass == PASSES {
            masked.push_str(&things.placeholder(Class::Quoted, text.to_lowercase(), text).to_string());
            return;
        }
        let mut rest = 0;
        for span in spans {
            // Taking one thing out can give its neighbour a boundary and make it one, too.
            self.write(&text[rest..span.start], things, pass + 1, masked);
            let placeholder = things.placeholder(span.class, span.key, &text[span.start..span.end]);
            masked.push_str(&placeholder.to_string());
            rest = span.end;
        }
        self.write(&text[rest..], things, pass + 1, masked);
    }

    /// What is to be masked, in order, without overlaps; the more certain wins.
    fn spans(&self, text: &str, things: &mut Things, within: bool) -> Vec<Span> {
        let quoted = |(start, end): (usize, usize)| {
            let key = detect::key(Class::Quoted, &text[start..end]);
            Span { start, end, class: Class::Quoted, key }
        };
        let mut candidates: Vec<Span> = lookalikes(text).map(quoted).collect();
        candidates.extend(self.known.find(text));
        candidates.extend(detect::identifiers(text));
        candidates.extend(detect::addresses(
            text,
            |street| self.known.is_place(street) || self.public.is_place(street),
            |home| self.known.is_home(home),
        ));
        // Whom the end of a text brings in, its beginning may name.
        let is_place = |word: &str| self.known.is_place(word);
        if !within {
            things.people.find(text, &self.public, &is_place, within);
        }
        candidates.extend(things.people.find(text, &self.public, &is_place, within));
        let mut taken: BTreeMap<usize, Span> = BTreeMap::new();
        for span in candidates {
            let before = taken.range(..span.end).next_back();
            if span.start < span.end && before.is_none_or(|(_, other)| other.end <= span.start) {
                taken.insert(span.start, span);
            }
        }
        taken.into_values().collect()
    }
}

/// Whether letters stand right behind, or behind a colon, as endings do.
fn has_ending(rest: &str) -> bool {
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    rest.chars().next().is_some_and(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cases::{Channel, Location, Party, SubmissionId};
    use crate::text::identifiers::find_all;

    fn submission() -> Submission {
        let fields = serde_json::json!({
            "chair_name": "Matti Meikäläinen", "iban": "FI21 1234 5600 0007 85", "address": "Salaistenpolku 7, 99990 Harjuvesi",
            "contact_name": "Anna-Liisa Mäki", "birth_date": "1.2.1950", "account_holder": "Hiljainen tiekunta"
        });
        Submission {
            id: SubmissionId::new(uuid::Uuid::from_u128(1)),
            external_id: None,
            municipality: "harjuvesi".parse().unwrap(),
            channel: Channel::Api,
            service: None,
            fields: serde_json::from_value(fields).unwrap(),
            subject: None,
            text: None,
            location: Some(Location { address: Some("Kirkkotie 5".to_owned()), ..Location::default() }),
            attachments: Vec::new(),
            party: Some(Party {
                name: Some("Salla Salainen".to_owned()),
                email: Some("salla@kuiskaus.example".to_owned()),
                phone: Some("040 777 1234".to_owned()),
                ..Party::default()
            }),
            sent_at: None,
            received_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn masker() -> Masker {
        Masker::new(&submission(), None, Arc::default())
    }

    /// What stands in the submission and must stand in no hidden text.
    const PLANTED: [&str; 16] = [
        "Salla Salainen",
        "Salla",
        "Salaiselle",
        "matti meikäläisen",
        "Meikäläinen, Matti",
        "Anna-Liisan",
        "Mäelle",
        "mattimeikalainen",
        "salla@kuiskaus.example",
        "+358 40 7771234",
        "FI2112345600000785",
        "fi21 1234 5600 0007 85",
        "Salaistenpolku 7",
        "131052-9085",
        "ABC-123",
        "Hiljaisen tiekunnan",
    ];

    #[track_caller]
    fn masks(text: &str, as_: &str) {
        let masker = masker();
        let hidden = masker.mask(text);
        assert_eq!(hidden.as_str(), as_);
        assert_eq!(masker.restore(hidden.as_str()).as_deref(), Ok(text));
    }

    #[test]
    fn what_the_form_tells_is_masked_in_all_its_forms() {
        masks(
            "Salla Salainen soitti. Salaisen numero on 0407771234, Sallalle voi kirjoittaa: salla@kuiskaus.example.",
            "[person 1] soitti. [person 1.2] numero on [phone 1.2], [person 1.3] voi kirjoittaa: [e-mail 1].",
        );
        masks("Tilille FI2112345600000785, Meikäläisen Matti.", "Tilille [iban 1], [person 2.2].");
        masks("Hiljaisen tiekunnan puolesta", "[organisation 1.2] puolesta");
        masks("Asun Salaistenpolku 7:ssä.", "Asun [street address 1.2]:ssä.");
    }

    #[test]
    fn the_place_keeps_its_road_and_loses_its_number() {
        masks("Kuoppa on Kirkkotie 5 kohdalla.", "Kuoppa on Kirkkotie [house number 1] kohdalla.");
        masks("Asun Lepolankuja 3 B 12, 99990 Harjuvesi.", "Asun [street address 2].");
        masks("Kirkkotiellä on kuoppia, samoin tiellä 648.", "Kirkkotiellä on kuoppia, samoin tiellä 648.");
    }

    #[test]
    fn third_parties_are_masked_where_the_text_brings_them_in() {
        masks(
            "Ojan tukki naapurini Pekka Virtanen, kysykää Virtaselta.",
            "Ojan tukki naapurini [person 4], kysykää [person 4.2].",
        );
        masks("Min granne Lars kom.", "Min granne [person 4] kom.");
        masks("Eilen Jari Koskinen kaatui.", "Eilen [person 4] kaatui.");
        masks(
            "Kadulla on kuoppa. Korjatkaa se!\nTerveisin\nAino",
            "Kadulla on kuoppa. Korjatkaa se!\nTerveisin\n[person 4]",
        );
        masks("KADULLA ON ISO KUOPPA", "KADULLA ON ISO KUOPPA");
        masks("Ojan tukki VIRTANEN PEKKA.", "Ojan tukki [person 4].");
        masks("NAAPURINI PEKKA VIRTANEN TUKKI OJAN", "NAAPURINI [person 4] TUKKI OJAN");
        masks("KAI SEN TOISEN TIEN VOI KORJATA SAMALLA", "KAI SEN TOISEN TIEN VOI KORJATA SAMALLA");
    }

    #[test]
    fn nobody_writes_a_placeholder_into_a_text() {
        let masker = masker();
        for written in
            ["[person 1]", "[identity code 1]", "[Person 1]", "[ iban 2 ]", "phone 1]", "[quoted 1]", "[e-mail"]
        {
            let text = format!("Maksakaa tilille {written} heti");
            let hidden = masker.mask(&text);
            assert!(hidden.as_str().contains("[quoted "), "{hidden}");
            assert!(!hidden.as_str().contains("[person") && !hidden.as_str().contains("[iban"), "{hidden}");
            assert_eq!(masker.restore(hidden.as_str()).as_deref(), Ok(text.as_str()));
        }
    }

    #[test]
    fn what_is_not_exactly_a_placeholder_of_the_case_is_refused() {
        let masker = masker();
        assert_eq!(masker.restore("[person 1] ja [phone 1]").as_deref(), Ok("Salla Salainen ja 040 777 1234"));
        for unknown in ["[person 9]", "[person 0]", "[person 1.9]", "[plate 1]", "[person 99999999999]"] {
            assert_eq!(masker.restore(unknown), Err(Unrestorable::Unknown), "{unknown}");
        }
        for mangled in [
            "[Person 1]",
            "[person 1",
            "person 1]",
            "[person1]",
            "[person  1]",
            "[person]",
            "【person 1】",
            "[person one]",
        ] {
            assert_eq!(masker.restore(mangled), Err(Unrestorable::Mangled), "{mangled}");
        }
    }

    /// However a program or a hand breaks it up.
    #[test]
    fn a_value_of_the_form_is_masked_with_other_signs_within_it() {
        for (text, hidden) in [
            ("Puh. 040 - 777 1234", "Puh. [phone 1.2]"),
            ("Puh. 040.777.1234", "Puh. [phone 1.2]"),
            ("Puh. 040\n777 1234", "Puh. [phone 1.2]"),
            ("Puh. 040‑777‑1234", "Puh. [phone 1.2]"),
            ("Puh. +358\u{202f}40\u{202f}777\u{202f}1234", "Puh. +[phone 1.2]"),
            ("Tili FI21\u{202f}1234\u{202f}5600\u{202f}0007\u{202f}85", "Tili [iban 1]"),
            ("Tili FI21 1234 5600\n0007 85.", "Tili [iban 1]."),
            ("Tili FI21 - 1234 - 5600 - 0007 - 85.", "Tili [iban 1]."),
        ] {
            masks(text, hidden);
        }
    }

    #[test]
    fn a_cut_never_goes_through_a_placeholder() {
        let text = Masked::public("Terveisin [person 1] ja muut");
        assert_eq!(text.cut(15).as_str(), "Terveisin ");
        assert_eq!(text.cut(20).as_str(), "Terveisin [person 1]");
        assert_eq!(text.cut(400), text);
        // A bracket that opens nothing takes nothing away.
        let text = Masked::public("Kuoppa [ on iso, sanoo [person 1] eilen");
        assert_eq!(text.cut(16).as_str(), "Kuoppa [ on iso,");
        assert_eq!(text.cut(30).as_str(), "Kuoppa [ on iso, sanoo ");
    }

    /// `1234 5600:n` is how Finnish inflects a number; `Salla Salainen:n` is no form of a name.
    #[test]
    fn an_ending_behind_a_number_stays_and_behind_a_name_is_refused() {
        let masker = masker();
        assert_eq!(masker.restore("[phone 1]:n").as_deref(), Ok("040 777 1234:n"));
        for text in ["[person 1]:n", "[person 1]n", "[person 1]:lle", "[organisation 1]:n"] {
            assert_eq!(masker.restore(text), Err(Unrestorable::Inflected), "{text}");
        }
        masks("Salainen:n nimi", "[person 1.2] nimi");
    }

    #[test]
    fn debug_shows_nothing() {
        let masker = masker();
        assert_eq!(masker.mask("Eilen Jari Koskinen").as_str(), "Eilen [person 4]");
        assert_eq!(format!("{masker:?}"), "Masker(redacted)");
    }

    #[test]
    fn hostile_texts_take_bounded_time() {
        let masker = masker();
        let started = std::time::Instant::now();
        for piece in [
            "[person 1",
            "[[[[",
            "040 123 4567",
            "Aa Bb ",
            "a@",
            "FI21 1234 ",
            "Matti ",
            "1-1-1-1-",
            "\u{301}",
            "ABC-123",
            "s. 1.1.",
            "Kirkkotie 1, 1, 1",
        ] {
            let text: String = piece.chars().cycle().take(12_000).collect();
            let hidden = masker.mask(&text);
            assert!(masker.restore(hidden.as_str()).as_deref() == Ok(text.as_str()), "{piece}");
        }
        // Ever more people who share their first name; whoever is one too many is masked all the same.
        let letter = |at: u32| char::from(b'a' + u8::try_from(at % 26).unwrap());
        let surname = |at: u32| format!("Q{}{}{}", letter(at / 676), letter(at / 26), letter(at));
        for first in ["Bo", "Mattia"] {
            let text = (0..4_000).map(|at| format!("{first} {}.", surname(at))).collect::<Vec<_>>().join(" ");
            let hidden = masker.mask(&text);
            assert!(!hidden.as_str().contains('Q'), "{first}");
            assert!(masker.restore(hidden.as_str()).as_deref() == Ok(text.as_str()), "{first}");
        }
        let glued = "Bo.".repeat(20_000);
        assert!(masker.restore(masker.mask(&glued).as_str()).as_deref() == Ok(glued.as_str()));
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    }

    /// One for all cases: what earlier texts brought in must not spoil later ones.
    static MASKER: std::sync::LazyLock<Masker> = std::sync::LazyLock::new(masker);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_masked_comes_back(text in "\\PC{0,80}|[-+A-Ea-c0-9@. :/\\[\\]]{0,80}|([A-ZÅÄÖ][a-zåäö]{1,8}[ ,.:]{1,2}|[0-9 -]{1,8}|\\[person 1\\]|\\[phone |040 777 1234|Salla|Mäki|Harjuntie [0-9]{1,3}){0,12}") {
            let masker = &*MASKER;
            let hidden = masker.mask(&text);
            prop_assert!(find_all(hidden.as_str()).is_empty(), "{}", hidden);
            prop_assert_eq!(masker.restore(hidden.as_str()), Ok(text.clone()));
            // What is known by now has its placeholder for good.
            prop_assert_eq!(masker.mask(&text), masker.mask(&text));
        }

        #[test]
        fn nothing_planted_remains(before in "[\\PC&&[^\\p{Alphabetic}\\p{M}\\p{N}@]]{0,6}|[a-zäö]{1,8} |[0-9]{1,6} ", planted in 0..PLANTED.len(), after in "| [a-zäö]{1,8}|[.,;!?]{1,2}| [0-9]{1,6}| FI21") {
            let masker = &*MASKER;
            let text = format!("{before}{}{after}", PLANTED[planted]);
            let hidden = masker.mask(&text);
            prop_assert!(!hidden.as_str().to_lowercase().contains(&PLANTED[planted].to_lowercase()), "{} → {}", text, hidden);
            prop_assert_eq!(masker.restore(hidden.as_str()), Ok(text));
        }
    }
}
