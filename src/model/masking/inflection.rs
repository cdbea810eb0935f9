//! Finnish and Swedish names in the forms that sentences give them: `Virtanen`, `Virtaselle`, `Virtas`, `Mäen`.
//!
//! A name gives stems (with the gradation of its consonants); a word is a form of it when it is a stem with an ending
//! of a closed list behind it. Wide on purpose: a form too many hides a word, a form too few shows a person.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Endings of cases, singular and plural, with the vowels of both harmonies; and the Swedish and English genitive.
const CASES: &str = "n a ä ta tä na nä ksi ssa ssä sta stä lla llä lta ltä lle tta ttä an än en in on un yn ön han hän hen hin hon \
     hun hyn hön seen t ten jen ien iden itten ja jä ia iä ita itä issa issä ista istä illa illä ilta iltä ille ina inä iksi itta \
     ittä iin ihin ssaan s 's ’s es";
const POSSESSIVES: &str = "ni si nsa nsä mme nne an än";
const CLITICS: &str = "kin kaan kään han hän ko kö pa pä";

/// Longest ending, in bytes.
const LONGEST: usize = 18;

/// Most names that share a stem: whose a first name is that more people have, nobody can tell by it.
const MOST: usize = 50;

static ENDINGS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let or_none = |list: &'static str| std::iter::once("").chain(list.split_whitespace());
    or_none(CASES)
        .flat_map(|case| or_none(POSSESSIVES).map(move |possessive| (case, possessive)))
        .flat_map(|(case, possessive)| or_none(CLITICS).map(move |clitic| format!("{case}{possessive}{clitic}")))
        .collect()
});

/// Words by all their stems.
#[derive(Debug, Clone, Default)]
pub struct Forms(HashMap<String, Vec<usize>>);

impl Forms {
    /// Adds a word under the number of what it names.
    pub fn add(&mut self, word: &str, of: usize) {
        for stem in stems(word) {
            let known = self.0.entry(stem).or_default();
            if known.len() < MOST && !known.contains(&of) {
                known.push(of);
            }
        }
    }

    /// What a word may name, in any of its forms.
    pub fn find(&self, word: &str) -> Vec<usize> {
        let word = word.to_lowercase();
        let mut found = Vec::new();
        for (at, _) in word.char_indices().chain([(word.len(), ' ')]).filter(|(at, _)| at + LONGEST >= word.len()) {
            let (stem, ending) = word.split_at(at);
            let Some(known) = self.0.get(stem).filter(|_| ENDINGS.contains(ending)) else { continue };
            found.extend(known.iter().copied().filter(|one| !found.contains(one)).collect::<Vec<_>>());
        }
        found
    }

    /// Whether a word is a form of any.
    pub fn has(&self, word: &str) -> bool {
        !self.find(word).is_empty()
    }
}

/// What the forms of a word begin with, in lower case, the word itself first.
fn stems(word: &str) -> Vec<String> {
    let word = word.to_lowercase();
    // Of a double name only the last part changes.
    let (head, last) = word.rfind('-').map_or(("", word.as_str()), |at| word.split_at(at + 1));
    let mut stems = vec![last.to_owned()];
    if let Some(short) = last.strip_suffix("nen") {
        stems.extend(["se", "s", "si"].map(|end| format!("{short}{end}")));
    } else if let Some(short) =
        ["selle", "sella", "sellä", "selta", "seltä", "sen"].iter().find_map(|e| last.strip_suffix(e))
    {
        // A name that was first met in another form.
        stems.extend(["nen", "se", "s", "si"].map(|end| format!("{short}{end}")));
    }
    if let Some(short) = last.strip_suffix(['s', 'š']) {
        stems.extend(["kse", "ks", "ksi"].map(|end| format!("{short}{end}")));
        stems.extend(short.chars().last().filter(|c| is_vowel(*c)).map(|vowel| format!("{short}{vowel}")));
    }
    if let Some(short) = last.strip_suffix("si") {
        stems.extend(["de", "te", "t"].map(|end| format!("{short}{end}")));
    }
    for graded in [Some(last.to_owned()), weak(last)].into_iter().flatten() {
        let Some(vowel) = graded.chars().last().filter(|c| is_vowel(*c)) else { continue };
        let short = &graded[..graded.len() - vowel.len_utf8()];
        stems.push(graded.clone());
        stems.extend(match vowel {
            // Niemi, Niemen; Saari, Saarta.
            'i' => vec![format!("{short}e"), short.to_owned()],
            'a' => vec![format!("{short}o")],
            'ä' => vec![format!("{short}ö")],
            'e' => vec![format!("{graded}e")],
            _ => Vec::new(),
        });
    }
    stems.retain(|stem| stem.chars().count() >= 2);
    stems.into_iter().map(|stem| format!("{head}{stem}")).collect()
}

/// The weak grade of the consonants before the last vowel: Pekka, Peka; Virta, Virra; Mäki, Mäi.
fn weak(word: &str) -> Option<String> {
    const GRADES: [(&str, &str); 14] = [
        ("kk", "k"),
        ("pp", "p"),
        ("tt", "t"),
        ("nk", "ng"),
        ("nt", "nn"),
        ("rt", "rr"),
        ("lt", "ll"),
        ("mp", "mm"),
        ("ht", "hd"),
        ("sk", "sk"),
        ("st", "st"),
        ("t", "d"),
        ("p", "v"),
        ("k", ""),
    ];
    let vowel = word.chars().last().filter(|c| is_vowel(*c))?;
    let short = &word[..word.len() - vowel.len_utf8()];
    let (strong, weak) = GRADES.iter().find(|(strong, _)| short.ends_with(strong))?;
    Some(format!("{}{weak}{vowel}", &short[..short.len() - strong.len()]))
}

const fn is_vowel(character: char) -> bool {
    matches!(character, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'å' | 'ä' | 'ö')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_name_are_known() {
        for (name, forms) in [
            ("Meikäläinen", "Meikäläinen Meikäläisen Meikäläiselle Meikäläistä Meikäläisten Meikäläiseltäkin"),
            ("Virta", "Virta Virran Virralle Virtaa Virtoja Virtaan"),
            ("Mäki", "Mäki Mäen Mäelle Mäkeä Mäkeen"),
            ("Pekka", "Pekan Pekalle Pekkaa Pekkakin Pekalta"),
            ("Lahti", "Lahden Lahdelle Lahtea Lahteen"),
            ("Saari", "Saaren Saarta Saarelle"),
            ("Tuomas", "Tuomaan Tuomaalle Tuomasta"),
            ("Markus", "Markuksen Markukselle Markusta"),
            ("Ahmed", "Ahmedin Ahmedille Ahmedia"),
            ("Karlsson", "Karlssons Karlssonin Karlssonille"),
            ("Anna-Liisa", "Anna-Liisan Anna-Liisalle"),
            ("Harjuvesi", "Harjuveden Harjuvedellä Harjuvettä Harjuveteen"),
            ("Ranta", "Rannan Rannalla Rantaa"),
        ] {
            let mut known = Forms::default();
            known.add(name, 1);
            for form in forms.split_whitespace() {
                assert!(known.has(form), "{name}: {form}");
            }
        }
    }

    #[test]
    fn other_words_are_no_forms() {
        let mut known = Forms::default();
        for name in ["Matti", "Virta", "Harju", "Meikäläinen"] {
            known.add(name, 1);
        }
        for word in ["Matkalla", "Matto", "Virtanen", "Harjuntie", "Harjuvesi", "Meikein", "koskien"] {
            assert!(!known.has(word), "{word}");
        }
    }
}
