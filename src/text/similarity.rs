//! How alike two texts are: the cosine of their runs of two to four characters.
//!
//! Character runs see through inflection and typing errors, which words do not; on pairs of Finnish sentences they tell
//! paraphrases from others better than anything as cheap (`tests/it/duplicates.rs` measures it). Likeness of words is
//! not sameness of matter: whoever asks holds it against place and time.

use std::collections::HashMap;

use super::fnv;

/// Characters of a text that are read; what two notices have in common stands at their beginning.
const MOST_CHARACTERS: usize = 20_000;
/// Characters of a run.
const RUNS: [usize; 3] = [2, 3, 4];

/// What a text is made of: how often each run of characters stands in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    runs: HashMap<u64, f64>,
    length: f64,
}

impl Profile {
    /// Of a text in its [normal form](super::normalize()); letter case and the width of gaps do not count.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut runs = HashMap::new();
        for word in text.split_whitespace().scan(0, |read, word| {
            *read += word.chars().count();
            (*read <= MOST_CHARACTERS).then_some(word)
        }) {
            let edged: Vec<char> =
                std::iter::once(' ').chain(word.chars().flat_map(char::to_lowercase)).chain([' ']).collect();
            for run in RUNS.into_iter().flat_map(|length| edged.windows(length)) {
                *runs.entry(hash(run)).or_insert(0.0) += 1.0;
            }
        }
        let length = runs.values().map(|count: &f64| count * count).sum::<f64>().sqrt();
        Self { runs, length }
    }

    /// 1 for the same runs, 0 for none in common; 0 where either text is empty.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f64 {
        let (few, many) = if self.runs.len() <= other.runs.len() { (self, other) } else { (other, self) };
        let product: f64 = few.runs.iter().filter_map(|(run, count)| Some(count * many.runs.get(run)?)).sum();
        let lengths = self.length * other.length;
        if lengths > 0.0 { (product / lengths).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// Over the characters and their number.
fn hash(run: &[char]) -> u64 {
    fnv::of(run.iter().flat_map(|character| u32::from(*character).to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alike(one: &str, other: &str) -> f64 {
        Profile::of(one).cosine(&Profile::of(other))
    }

    #[test]
    fn inflection_and_typing_errors_are_seen_through() {
        let one = "Katuvalo on pimeänä Rantakadulla";
        assert!(alike(one, "katuvalot  pimeinä rantakadun varrella") > alike(one, "Jäteastia on täynnä torilla"));
        assert!(alike(one, "Katuvlo on pimenä Rantakadulla") > 0.7);
        assert!((alike(one, &one.to_uppercase()) - 1.0).abs() < 1e-9);
        assert!(alike(one, "").abs() < f64::EPSILON && alike("", "").abs() < f64::EPSILON);
        assert!(alike("abc", "xyz").abs() < f64::EPSILON);
    }

    #[test]
    fn a_huge_text_is_read_in_part() {
        let long = "sana ".repeat(500_000);
        assert!((alike(&long, &format!("{long} ja lisää")) - 1.0).abs() < 1e-9);
        assert!(alike(&"x".repeat(1_000_000), "x").abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn likeness_is_a_share_and_goes_both_ways(one in "\\PC{0,60}", other in "\\PC{0,60}") {
            let there = alike(&one, &other);
            prop_assert!((0.0..=1.0).contains(&there));
            prop_assert!((there - alike(&other, &one)).abs() < 1e-9);
            prop_assert!(one.trim().is_empty() || (alike(&one, &one) - 1.0).abs() < 1e-9);
        }
    }
}
