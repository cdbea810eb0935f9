//! Which language a message is written in: Finnish, Swedish, English, something else, or too little to say.
//!
//! A guess among three languages is always one of the three; the guards here say "other" for other scripts,
//! for letters and function words of other languages (Northern Sámi first), and "unclear" for a few letters.
//! Reads the first [`READ`] bytes only. Deterministic.

use std::collections::HashMap;
use std::sync::LazyLock;

use lingua::{LanguageDetector, LanguageDetectorBuilder};

use super::tokens::tokens;
use crate::cases::Language;

/// How much of a text is read, in bytes.
pub const READ: usize = 3_000;

/// So many small words of one of our languages alone, and none of another alone, tell the language without a doubt.
const PLAIN: usize = 2;

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// One of ours.
    Known(Language),
    /// Certainly or probably none of ours: a person reads it.
    Other,
    /// Too short or too mixed to tell.
    Unclear,
}

impl Detected {
    /// The language, when it is one of ours.
    #[must_use]
    pub const fn known(self) -> Option<Language> {
        match self {
            Self::Known(language) => Some(language),
            Self::Other | Self::Unclear => None,
        }
    }
}

static DETECTOR: LazyLock<LanguageDetector> = LazyLock::new(|| {
    LanguageDetectorBuilder::from_languages(&[
        lingua::Language::Finnish,
        lingua::Language::Swedish,
        lingua::Language::English,
    ])
    .build()
});

/// Function words by language; a word of several languages counts for each.
const FUNCTION_WORDS: &[(Tongue, &str)] = &[
    (
        Tongue::Ours(Language::Fi),
        "ja on ei että oli se hän mutta kun niin tämä ole olen mikä tai jos myös minun mun siis sitten nyt vielä joka jossa \
         ovat voi kuin mä sä te me ne tässä siinä tuossa siellä täällä pitää pitäis olisi kiitos hei moi terve onko eikä sen \
         ihan jo aina koko ole tuo noin aivan mitä miksi milloin missä kuka kanssa sekä jotka saa sais ku oon oo mie sie miul",
    ),
    (
        Tongue::Ours(Language::Sv),
        "och det att är i en jag hon som han på den med var sig för så till men ett om hade de av icke mig du henne då sin nu \
         har inte hans honom skulle hennes där min man ej vid kunde något från ut när efter upp vi dem vara vad över än dig kan \
         sina här ha mot alla under någon eller allt mycket sedan ju denna själv detta åt utan varit hur ingen mitt ni bli blev \
         oss din dessa några deras blir mina samma vilken er sådan vår blivit dess inom mellan hej tack finns går står",
    ),
    (
        Tongue::Ours(Language::En),
        "the and is a to of in it that i you for on with this was are have has not be at my we they there but or from can \
         please your our an as by his her she he me so if what when where who which would could should will just been do does \
         did don no thanks hello hi some any very near about out up down again still all its were had their them than then",
    ),
    (
        Tongue::Other,
        "ja on ei et see oli ta kui ma me te nad aga siis kas seda mis oma ning või veel väga kuid mida olen tänan tere palun",
    ),
    (
        Tongue::Other,
        "der die das und ist nicht ich sie es ein eine mit auf für dem den von zu im auch wir ihr aber wie bei nach wenn noch \
         sind wird haben hat bitte danke guten tag straße",
    ),
    (
        Tongue::Other,
        "le la les des et est une un dans pour que qui sur pas vous nous je il elle avec ce cette sont mais plus bonjour merci au du",
    ),
    (
        Tongue::Other,
        "el la los las que y es en un una por para con no se su del al lo como pero más está hay hola gracias muy son",
    ),
    (
        Tongue::Other,
        "il lo la gli che di è un una per con non sono del della nel ma anche come più questo buongiorno grazie ho",
    ),
    (
        Tongue::Other,
        "og det er ikke jeg på en et til som med for at av har den de vi om du fra kan hvor hvordan være noe også ble bli veien takk hei",
    ),
    (
        Tongue::Other,
        "i w na jest nie to się z że do jak co po dla przed czy dzień dobry dziękuję proszę ulica tak są był przy mam od",
    ),
    (
        Tongue::Other,
        "ja lea go dat mun don son mii dii sii leat ii in it eai muhto dál maid dan dás das lei livččii galgá gos gii mas bures \
         giitu buorre beaivi geaidnu luodda lean ledje ollu dušše vel maiddái dahje",
    ),
    (Tongue::Other, "waa iyo in ku ka oo aan ma uu ay waxaa si la u soo waan mahadsanid jidka leh kuma haddii"),
    (Tongue::Other, "ve bir bu için ile de da ne çok var yok değil ben sen biz merhaba teşekkürler gibi daha ama yol"),
    (Tongue::Other, "este nu și în la cu pe un o care mai din sunt vă rog bună ziua mulțumesc drum strada am să"),
    (Tongue::Other, "ani dhe është në një të për me nga që nuk kam jam ka rrugë faleminderit përshëndetje"),
    (
        Tongue::Other,
        "net ir yra kad su bet tai labas ačiū dėl prie gatvė un ir ka ar par es nav paldies labdien iela uz no",
    ),
];

/// Loads what telling languages needs, which takes a tenth of a second: a service does so before its first case.
pub fn load() {
    DETECTOR.compute_language_confidence_values("kuoppa");
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    Ours(Language),
    Other,
}

/// Function word → the lists (by index) in which it stands.
static WORDS: LazyLock<HashMap<&'static str, Vec<usize>>> = LazyLock::new(|| {
    let mut words: HashMap<&'static str, Vec<usize>> = HashMap::new();
    for (list, (_, text)) in FUNCTION_WORDS.iter().enumerate() {
        for word in text.split_whitespace() {
            let lists = words.entry(word).or_default();
            if !lists.contains(&list) {
                lists.push(list);
            }
        }
    }
    words
});

/// Which language a text is written in.
#[must_use]
pub fn detect(text: &str) -> Detected {
    let words = readable(text);
    let letters: Vec<char> = words.iter().flat_map(|word| word.chars()).collect();
    if letters.is_empty() {
        return Detected::Unclear;
    }
    let latin = letters.iter().filter(|character| is_latin(**character)).count();
    if latin * 10 < letters.len() * 7 {
        return Detected::Other;
    }
    let foreign = letters.iter().filter(|character| is_foreign(**character)).count();
    // One letter may be somebody's name; more than one in forty is a language.
    if foreign > 1 && foreign * 40 >= letters.len() || foreign * 8 >= letters.len() {
        return Detected::Other;
    }

    let mut counts = [0usize; FUNCTION_WORDS.len()];
    for word in &words {
        for &list in WORDS.get(word.as_str()).into_iter().flatten() {
            counts[list] += 1;
        }
    }
    let best = |wanted: fn(Tongue) -> bool| {
        FUNCTION_WORDS.iter().zip(counts).filter(|((t, _), _)| wanted(*t)).map(|(_, n)| n).max().unwrap_or(0)
    };
    let ours = best(|tongue| matches!(tongue, Tongue::Ours(_)));
    let others = best(|tongue| tongue == Tongue::Other);
    if others >= 2 && others > ours + ours / 4 && others * 8 >= words.len() {
        return Detected::Other;
    }

    if letters.len() < 4 {
        return Detected::Unclear;
    }
    if let Some(language) = plainly(&words) {
        return Detected::Known(language);
    }
    let values = DETECTOR.compute_language_confidence_values(words.join(" "));
    let Some((language, confidence)) = values.first().copied() else { return Detected::Unclear };
    let language = match language {
        lingua::Language::Finnish => Language::Fi,
        lingua::Language::Swedish => Language::Sv,
        lingua::Language::English => Language::En,
    };
    // The fewer words, the surer: one word is often a name or a brand.
    let own = counts[FUNCTION_WORDS.iter().position(|(tongue, _)| *tongue == Tongue::Ours(language)).unwrap_or(0)];
    let needed = match (words.len(), own) {
        (0..=2, 0) => 0.80,
        (_, 0) => 0.60,
        _ => 0.50,
    };
    if confidence < needed {
        return Detected::Unclear;
    }
    // A long text without a single small word of its language is a list, a code or another language.
    if own == 0 && words.len() >= 25 {
        return Detected::Unclear;
    }
    Detected::Known(language)
}

/// The one of our languages whose own small words stand here, when no other's do: most sentences, and it spares
/// weighing every letter. Words that two of our languages share tell nothing.
fn plainly(words: &[String]) -> Option<Language> {
    let mut told: Option<(Language, usize)> = None;
    for word in words {
        let lists = WORDS.get(word.as_str()).into_iter().flatten();
        let mut ours = lists.filter_map(|list| match FUNCTION_WORDS[*list].0 {
            Tongue::Ours(language) => Some(language),
            Tongue::Other => None,
        });
        let (Some(language), None) = (ours.next(), ours.next()) else { continue };
        match &mut told {
            Some((known, count)) if *known == language => *count += 1,
            Some(_) => return None,
            None => told = Some((language, 1)),
        }
    }
    told.filter(|(_, count)| *count >= PLAIN).map(|(language, _)| language)
}

/// The words of the first part of a text; no addresses of web or mail, no word with a digit, nothing monstrous.
fn readable(text: &str) -> Vec<String> {
    let mut end = text.len().min(READ);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end]
        .split_whitespace()
        .filter(|chunk| !chunk.contains("://") && !chunk.contains('@') && !chunk.starts_with("www."))
        .flat_map(tokens)
        .map(|token| token.word)
        .filter(|word| !word.chars().any(char::is_numeric) && word.len() <= 80)
        .collect()
}

const fn is_latin(character: char) -> bool {
    matches!(character, 'a'..='z' | 'ß'..='ö' | 'ø'..='ɏ' | 'ḁ'..='ỿ' | 'ª' | 'º')
}

/// Letters that Finnish, Swedish and English words do not have, but for loans and names.
const fn is_foreign(character: char) -> bool {
    is_latin(character)
        && !matches!(character, 'a'..='z' | 'å' | 'ä' | 'ö' | 'é' | 'è' | 'à' | 'ü' | 'š' | 'ž' | 'ï' | 'ç')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_languages_are_told_apart() {
        let table = [
            (Language::Fi, "Kadulla on iso kuoppa, voisitteko korjata sen ennen kuin joku hajottaa autonsa."),
            (Language::Fi, "moi katuvalo ei toimi"),
            (Language::Fi, "kuoppa tiessä"),
            (Language::Fi, "kuappa tiäs koulun eres, korjakkee äkkiä"),
            (Language::Fi, "Haemme avustusta yksityistien kunnossapitoon vuodelle 2026."),
            (Language::Sv, "Det finns ett stort hål i vägen utanför skolan."),
            (Language::Sv, "Gatlampan är trasig"),
            (Language::Sv, "vi ansöker om bidrag för enskild väg"),
            (Language::En, "There is a big pothole in front of the school, please fix it."),
            (Language::En, "street light broken"),
            (Language::En, "The bin at the bus stop is full again"),
        ];
        for (language, text) in table {
            assert_eq!(detect(text), Detected::Known(language), "{text}");
        }
    }

    #[test]
    fn other_languages_are_noticed() {
        for text in [
            "Buorre beaivi, geaidnu lea billašuvvan ja mii dárbbašit veahki.",
            "Mun lean ožžon reivve gielddas, muhto in ádde dan.",
            "На дороге большая яма, пожалуйста, почините.",
            "На вулиці не працює ліхтар",
            "هناك حفرة كبيرة في الطريق",
            "Guten Tag, die Straßenlaterne vor dem Haus ist kaputt und es ist sehr dunkel.",
            "Tere, tänaval on suur auk ja see on väga ohtlik, palun parandage.",
            "Bonjour, il y a un grand trou dans la rue devant l'école.",
            "Hei, det er et stort hull i veien og jeg vet ikke hvor jeg skal ringe, takk.",
            "Dzień dobry, na ulicy jest duża dziura i nie można przejechać.",
            "路上有一个大坑",
        ] {
            assert_eq!(detect(text), Detected::Other, "{text}");
        }
    }

    #[test]
    fn too_little_is_unclear() {
        for text in ["", "   ", "123 456", "😡", "ok", "A1", "https://example.fi/kuoppa", "?!", "x@y.fi"] {
            assert_eq!(detect(text), Detected::Unclear, "{text}");
        }
    }

    #[test]
    fn long_and_odd_texts_take_no_time() {
        for text in ["QUJDREVGR0hJSktM".repeat(70_000), "ä".repeat(1_000_000), "a ".repeat(500_000)] {
            let _ = detect(&text);
        }
    }
}
