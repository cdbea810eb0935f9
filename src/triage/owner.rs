//! The owner test (*vastuutahon selvitys*): danger, then road class, then utility, then parcel (P09).
//!
//! Each answer names the words or the file row it rests on. What the test cannot tell stays with the
//! category's default owner, and a person sees why.

use std::sync::LazyLock;

use regex::Regex;

use super::Desk;
use crate::cases::{AuthorityId, Classification, DeciderId, Language, Matter, Owner, Reading};
use crate::municipality::Pack;
use crate::municipality::format::{Category, DeciderKind};
use crate::text::tokens;

/// Whose it is, and on what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose.
    pub owner: Owner,
    /// The authority, where the test names one.
    pub authority: Option<AuthorityId>,
    /// The row or rule that says so.
    pub because: String,
    /// The words.
    pub evidence: Vec<String>,
}

/// "maantie 648", "tiellä 648", "väg 648", "road 648", "mt 648", "648-tie".
static NUMBERED_ROAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        \b(?:maantie|valtatie|kantatie|seututie|yhdystie|tie|mt|vt|kt|st|yt|landsväg|riksväg|stamväg|regionväg|förbindelseväg|väg|road|highway)
        \p{L}{0,6} \s* (?:n:o|nro|nr|numero|number|no)?\.?\s* (\d{1,5})\b
        | \b(\d{1,5})\s?-?\s?(?:tie|vägen)\p{L}{0,4}\b",
    )
    .expect("a fixed pattern")
});

/// Words for a state road without its number.
const STATE_ROAD: &[&str] =
    &["maantie", "valtatie", "kantatie", "seututie", "yhdystie", "landsväg", "riksväg", "stamväg", "state road"];
/// Words for a private road.
const PRIVATE_ROAD: &[&str] = &["yksityistie", "tiekun", "enskild väg", "enskilda väg", "väglag", "private road"];

/// Texts besides the message in which a place may be named. A sender's own address is not among them: it
/// does not tell where the matter is.
const PLACE_SOURCES: &[&str] = &["location", "field:location", "field:road", "field:place", "field:municipality"];

/// Languages in which a post may be named.
const LANGUAGES: [Language; 3] = [Language::Fi, Language::Sv, Language::En];

/// Finds the owner of a case.
#[must_use]
pub fn find(desk: &Desk, reading: &Reading, category: Option<&Category>, classification: &Classification) -> Finding {
    let pack = &desk.rulebook.pack;
    if let Some(threat) = reading.emergencies.iter().find(|hit| hit.kind == Matter::Threat.as_str()) {
        return Finding {
            owner: Owner::Police,
            authority: None,
            because: format!("emergency/{}", threat.kind),
            evidence: vec![threat.words.clone()],
        };
    }
    if let Some(hit) = reading.emergencies.iter().find(|hit| hit.card == "emergency") {
        return Finding {
            owner: Owner::Emergency112,
            authority: None,
            because: format!("emergency/{}", hit.kind),
            evidence: vec![hit.words.clone()],
        };
    }
    let words = place_words(reading);
    let matter = classification.matter;
    if has_place(matter)
        && let Some(found) = neighbour(desk, &words)
    {
        return found;
    }
    let road = match matter {
        Matter::FaultNotice => state_road(desk, &words, category).or_else(|| private_road(desk, &words, category)),
        // Whoever keeps the road answers for what happened on it.
        Matter::DamageClaim => state_road(desk, &words, category),
        _ => None,
    };
    if let Some(found) = road.or_else(|| task(desk, reading, matter)) {
        return found;
    }
    match category {
        Some(category) => Finding {
            owner: category.owner,
            authority: category.authority.clone(),
            because: format!("category/{}", category.code),
            evidence: Vec::new(),
        },
        None => Finding {
            owner: if classification.matter == Matter::OtherAuthority { Owner::Other } else { Owner::Municipality },
            authority: None,
            because: classification.service.as_ref().and_then(|id| pack.service(id)).map_or_else(
                || format!("matter/{}", classification.matter),
                |service| format!("service/{}", service.id),
            ),
            evidence: Vec::new(),
        },
    }
}

/// Whether it matters where a matter is. Who may judge a decision, an officer or a register does not hang on a place that
/// is mentioned.
const fn has_place(matter: Matter) -> bool {
    use Matter::{Application, DamageClaim, FaultNotice, Feedback, OtherAuthority, Question};
    matches!(matter, Application | DamageClaim | FaultNotice | Feedback | OtherAuthority | Question)
}

/// Whose the words of a task are: of an authority, or of a post of the municipality.
fn task(desk: &Desk, reading: &Reading, matter: Matter) -> Option<Finding> {
    let pack = &desk.rulebook.pack;
    let (task, words) = pack.tasks.find(&reading.message(), matter)?;
    let owner = task.authority.as_ref().map_or(Owner::Municipality, |id| {
        pack.authorities.iter().find(|row| row.id == *id).and_then(|row| row.owner).unwrap_or(Owner::Other)
    });
    let because = format!("task/{}", task.id);
    Some(Finding { owner, authority: task.authority.clone(), because, evidence: vec![words] })
}

/// The posts that a text names by their titles, also inflected, in any language: whom a complaint is about handles none of
/// it (hallintolaki 27 §).
#[must_use]
pub fn posts_named(pack: &Pack, text: &str) -> Vec<DeciderId> {
    let words: Vec<String> = tokens(text).into_iter().map(|token| token.word.to_lowercase()).collect();
    let named = |title: &str| {
        let stems: Vec<String> = title.split_whitespace().map(stem).collect();
        !stems.is_empty()
            && words
                .windows(stems.len())
                .any(|window| window.iter().zip(&stems).all(|(word, stem)| word.starts_with(stem.as_str())))
    };
    let deciders = pack.municipality.deciders.iter();
    let posts = deciders.filter(|(_, file)| file.kind == DeciderKind::Post);
    let named = posts.filter(|(_, file)| LANGUAGES.iter().any(|language| named(file.title.get(*language))));
    named.map(|(id, _)| id.clone()).collect()
}

/// The part of a word that its endings leave alone.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let keep = word.chars().count().saturating_sub(3).max(4);
    word.chars().take(keep).collect()
}

/// The words in which a place may be named, in lower case.
fn place_words(reading: &Reading) -> String {
    let mut words = reading.message();
    for source in reading.texts.iter().filter(|text| PLACE_SOURCES.iter().any(|place| text.source.starts_with(place))) {
        words.push('\n');
        words.push_str(&source.text);
    }
    words.to_lowercase()
}

fn neighbour(desk: &Desk, words: &str) -> Option<Finding> {
    desk.rulebook.pack.municipality.neighbours.iter().find_map(|(authority, places)| {
        let place = places.iter().find(|place| names(words, &place.to_lowercase()))?;
        Some(Finding {
            owner: Owner::NeighbourMunicipality,
            authority: Some(authority.clone()),
            because: format!("municipality/neighbours/{authority}"),
            evidence: vec![place.clone()],
        })
    })
}

/// Whether `words` name `place`, also inflected: the place's stem at the start of a word.
fn names(words: &str, place: &str) -> bool {
    words
        .match_indices(place)
        .any(|(at, _)| at == 0 || words[..at].chars().next_back().is_some_and(|before| !before.is_alphanumeric()))
}

fn concerns(category: Option<&Category>, owner: Owner) -> bool {
    category.is_none_or(|category| category.owner == owner || category.check.contains(&owner))
}

fn state_road(desk: &Desk, words: &str, category: Option<&Category>) -> Option<Finding> {
    if !concerns(category, Owner::StateRoad) {
        return None;
    }
    let roads = &desk.rulebook.pack.municipality.state_roads;
    let numbered = NUMBERED_ROAD.captures_iter(words).find_map(|found| {
        let number = found.get(1).or_else(|| found.get(2))?.as_str();
        roads
            .iter()
            .any(|road| road == number)
            .then(|| (format!("municipality/state_roads/{number}"), found[0].trim().to_owned()))
    });
    let (because, evidence) = numbered.or_else(|| {
        let word = STATE_ROAD.iter().find(|word| names(words, word))?;
        Some(("owner-test/road-class".to_owned(), (*word).to_owned()))
    })?;
    Some(Finding { owner: Owner::StateRoad, authority: None, because, evidence: vec![evidence] })
}

fn private_road(desk: &Desk, words: &str, category: Option<&Category>) -> Option<Finding> {
    if !concerns(category, Owner::PrivateRoad) {
        return None;
    }
    let named = desk.rulebook.pack.municipality.private_roads.iter().find(|road| names(words, &road.to_lowercase()));
    let (because, evidence) = if let Some(road) = named {
        ("municipality/private_roads".to_owned(), road.clone())
    } else {
        let word = PRIVATE_ROAD.iter().find(|word| names(words, word))?;
        ("owner-test/road-class".to_owned(), (*word).to_owned())
    };
    Some(Finding { owner: Owner::PrivateRoad, authority: None, because, evidence: vec![evidence] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn road_numbers_are_read_in_three_languages() {
        for (text, number) in [
            ("kuoppa maantiellä 648 ennen siltaa", "648"),
            ("tie 648 on reikiä täynnä", "648"),
            ("stor grop på väg 648", "648"),
            ("pothole on road no 648", "648"),
            ("648-tiellä iso kuoppa", "648"),
        ] {
            let found = NUMBERED_ROAD.captures(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.get(1).or_else(|| found.get(2)).unwrap().as_str(), number, "{text}");
        }
        assert!(NUMBERED_ROAD.captures("kotikatu 648").is_none());
    }

    #[test]
    fn a_place_is_named_at_the_start_of_a_word() {
        assert!(names("asun koivulahdessa", "koivulah"));
        assert!(!names("isokoivulahti", "koivulah"));
    }
}
