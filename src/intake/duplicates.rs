//! Whether two notices tell of the same fault: from their place, time, category and words.
//!
//! Words alone cannot tell: a lamp sixty metres away is another lamp, however alike the messages read; and two people
//! describe one lamp in different words. So the place leads, where both notices tell it. A likeness is a suggestion for
//! a person, with what it rests on; nothing is ever merged here, and nobody's notice is closed for being like another.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::cases::{Location, Submission};
use crate::text::normalize;
use crate::text::similarity::Profile;

/// From this likeness on two notices are taken for the same fault.
pub const SAME: f64 = 0.5;

/// Within this distance two places are one: telephones are no more exact.
const ONE_PLACE: f64 = 50.0;
/// From this distance on they are two. Lamps may stand closer, and then only a person knows which one is meant.
const TWO_PLACES: f64 = 60.0;
/// Two people's words for one thing are seldom more alike than this.
const SAME_WORDS: f64 = 0.4;
/// Characters of a notice that are compared: what two notices have in common stands at their beginning.
const MOST_CHARACTERS: usize = 2_000;
/// Days within which a fault is still the same one.
const RECENT: f64 = 14.0;
/// Days after which it has as likely come anew.
const OLD: f64 = 28.0;
/// Notices that came further apart than this are not looked at together.
const WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Radius of the earth, metres.
const EARTH: f64 = 6_371_000.0;

/// Between which arrivals notices are looked at together with one that came at this moment.
#[must_use]
pub fn window(at: Timestamp) -> (Timestamp, Timestamp) {
    let from = at.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
    (from, at.checked_add(WINDOW).unwrap_or(Timestamp::MAX))
}

/// What is compared of a notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its words.
    pub words: Profile,
    /// Where it is.
    pub location: Location,
    /// Its category, as far as it is known.
    pub category: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
}

impl Notice {
    /// A notice with these words.
    fn new(words: &str, location: Option<Location>, category: Option<String>, received_at: Timestamp) -> Self {
        let end = words.char_indices().nth(MOST_CHARACTERS).map_or(words.len(), |(end, _)| end);
        let words = Profile::of(&normalize(&words[..end]).text);
        Self { words, location: location.unwrap_or_default(), category, received_at }
    }

    /// What came in, of a category as far as it is known.
    #[must_use]
    pub fn of(submission: &Submission, category: Option<String>) -> Self {
        let described = submission.fields.get("description").and_then(serde_json::Value::as_str);
        let told = [submission.subject.as_deref(), submission.text.as_deref(), described];
        let words = told.into_iter().flatten().collect::<Vec<_>>().join("\n");
        Self::new(&words, submission.location.clone(), category, submission.received_at)
    }
}

/// How alike two notices are, and by what.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Likeness {
    /// All together, 0 to 1.
    pub likeness: f64,
    /// Of the words, 0 to 1.
    pub words: f64,
    /// Metres between the places, where both tell their coordinates.
    pub metres: Option<f64>,
    /// Whether the addresses are the same, where both tell one.
    pub same_address: Option<bool>,
    /// Whether the categories are the same, where both have one.
    pub same_category: Option<bool>,
    /// Days between the two.
    pub days: f64,
}

impl Likeness {
    /// Between two notices, whichever comes first.
    #[must_use]
    pub fn between(one: &Notice, other: &Notice) -> Self {
        let metres = metres(&one.location, &other.location);
        let address = addresses(&one.location, &other.location);
        let same_category = one.category.as_ref().zip(other.category.as_ref()).map(|(one, other)| one == other);
        let words = one.words.cosine(&other.words);
        let days = one.received_at.duration_since(other.received_at).as_secs_f64().abs() / 86_400.0;
        let place = match (metres, address) {
            (Some(metres), _) => falling(metres, ONE_PLACE, TWO_PLACES),
            (None, Some(Address::Same)) => 1.0,
            // A street may be long; only like words make it one place.
            (None, Some(Address::Street)) => 0.4 + 0.5 * words,
            (None, Some(Address::Other)) => 0.0,
            (None, None) => 0.2 + 0.5 * words,
        };
        let category = match same_category {
            Some(true) => 1.0,
            None => 0.9,
            // Two faults may stand at one place; the engine takes neighbouring categories for each other, too.
            Some(false) => 0.45,
        };
        let told = 0.6 + 0.4 * (words / SAME_WORDS).min(1.0);
        let time = 0.2 + 0.8 * falling(days, RECENT, OLD);
        Self {
            likeness: (place * category * told * time).clamp(0.0, 1.0),
            words,
            metres,
            same_address: address.map(|address| address == Address::Same),
            same_category,
            days,
        }
    }

    /// Whether a person should look at the two together.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.likeness >= SAME
    }

    /// Best first; of two as likely, the one in like words.
    #[must_use]
    pub fn best_first(&self, other: &Self) -> Ordering {
        other.likeness.total_cmp(&self.likeness).then(other.words.total_cmp(&self.words))
    }
}

/// Whether two places may be one: not where both tell coordinates too far apart, whatever the words are.
#[must_use]
pub fn may_be_one_place(one: Option<&Location>, other: Option<&Location>) -> bool {
    one.zip(other).and_then(|(one, other)| metres(one, other)).is_none_or(|metres| metres < TWO_PLACES)
}

/// 1 up to `from`, 0 from `to` on, and in between what lies between.
fn falling(value: f64, from: f64, to: f64) -> f64 {
    ((to - value) / (to - from)).clamp(0.0, 1.0)
}

/// Metres between two places on the earth; none where either tells no coordinates that exist.
fn metres(one: &Location, other: &Location) -> Option<f64> {
    let degrees = |place: &Location| {
        let (lat, lon) = place.lat.zip(place.lon)?;
        (lat.abs() <= 90.0 && lon.abs() <= 180.0).then(|| (lat.to_radians(), lon.to_radians()))
    };
    let ((lat1, lon1), (lat2, lon2)) = (degrees(one)?, degrees(other)?);
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let chord = half(lat2 - lat1) + lat1.cos() * lat2.cos() * half(lon2 - lon1);
    Some(2.0 * EARTH * chord.clamp(0.0, 1.0).sqrt().asin())
}

/// How two addresses stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Address {
    /// The same street and number.
    Same,
    /// The same street, and a number missing on one side or both.
    Street,
    /// Another street or another number.
    Other,
}

fn addresses(one: &Location, other: &Location) -> Option<Address> {
    let parts = |place: &Location| {
        let address = normalize(place.address.as_ref()?).text.to_lowercase();
        // The town behind the comma is the municipality's own.
        let line = address.split([',', '\n']).next().unwrap_or_default().trim().to_owned();
        let number = line.find(|c: char| c.is_ascii_digit()).map(|at| line[at..].to_owned());
        let street = line.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().trim().to_owned();
        let number = number.map(|number| number.split_whitespace().collect::<String>());
        (!street.is_empty()).then_some((street, number))
    };
    let ((street, number), (other_street, other_number)) = (parts(one)?, parts(other)?);
    Some(match (street == other_street, number, other_number) {
        (true, Some(number), Some(other)) if number == other => Address::Same,
        (true, Some(_), Some(_)) | (false, ..) => Address::Other,
        (true, ..) => Address::Street,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DARK: &str = "Katuvalo on pimeänä, tolppa 207.";

    /// A metre north is so many degrees.
    const METRE: f64 = 1.0 / 111_195.0;

    fn notice(words: &str, north: Option<f64>, address: Option<&str>, category: Option<&str>, day: i64) -> Notice {
        let location = Location {
            lat: north.map(|metres| 61.0 + metres * METRE),
            lon: north.map(|_| 25.0),
            address: address.map(str::to_owned),
        };
        let at = Timestamp::from_second(1_770_000_000 + day * 86_400).unwrap();
        Notice::new(words, Some(location), category.map(str::to_owned), at)
    }

    fn likeness(one: &Notice, other: &Notice) -> Likeness {
        Likeness::between(one, other)
    }

    #[test]
    fn a_lamp_sixty_metres_away_is_another_lamp() {
        let here = notice(DARK, Some(0.0), None, Some("LI1"), 0);
        let beside = likeness(&here, &notice("Lamppu ei pala, pylväs 207", Some(8.0), None, Some("LI1"), 1));
        assert!(beside.is_duplicate(), "{beside:?}");
        let away = likeness(&here, &notice(DARK, Some(60.5), None, Some("LI1"), 0));
        assert!(!away.is_duplicate() && (away.metres.unwrap() - 60.5).abs() < 0.1, "{away:?}");
        assert!((away.words - 1.0).abs() < 1e-9, "the words are the same");
    }

    #[test]
    fn only_the_beginning_of_a_notice_near_by_is_read() {
        let long = format!("{}{}", "katuvalo ".repeat(400), "aivan muita sanoja ".repeat(1_000));
        let read: String = long.chars().take(MOST_CHARACTERS).collect();
        assert_eq!(notice(&long, None, None, None, 0).words, notice(&read, None, None, None, 0).words);
        let place = |metres: Option<f64>| Some(notice(DARK, metres, None, None, 0).location);
        for (metres, may_be) in [(Some(59.0), true), (None, true), (Some(60.5), false), (Some(9_000.0), false)] {
            assert_eq!(may_be_one_place(place(Some(0.0)).as_ref(), place(metres).as_ref()), may_be, "{metres:?}");
            let found = likeness(&notice(DARK, Some(0.0), None, None, 0), &notice(DARK, metres, None, None, 0));
            assert!(may_be || !found.is_duplicate(), "nothing is left unread that would be one");
        }
        assert!(may_be_one_place(None, place(Some(0.0)).as_ref()));
    }

    #[test]
    fn addresses_serve_where_there_are_no_coordinates() {
        let here = notice(DARK, None, Some("Rantakatu 5, 99990 Harjuvesi"), Some("LI1"), 0);
        let with = |address, words| likeness(&here, &notice(words, None, Some(address), Some("LI1"), 2));
        assert!(with("rantakatu 5", "Valo ei pala").is_duplicate());
        assert!(!with("Rantakatu 45", DARK).is_duplicate());
        assert!(!with("Kirkkotie 5", DARK).is_duplicate());
        assert!(with("Rantakatu", DARK).is_duplicate(), "the same words on the same street");
        assert!(!with("Rantakatu", "Kuoppa ajoradassa koulun edessä").is_duplicate());
    }

    #[test]
    fn another_category_and_a_long_time_make_it_less_likely() {
        let here = notice(DARK, Some(0.0), None, Some("LI1"), 0);
        let pothole = likeness(&here, &notice("Iso kuoppa ajoradassa", Some(5.0), None, Some("RO1"), 0));
        assert!(!pothole.is_duplicate(), "{pothole:?}");
        let fresh = likeness(&here, &notice(DARK, Some(5.0), None, Some("LI1"), 1)).likeness;
        let old = likeness(&here, &notice(DARK, Some(5.0), None, Some("LI1"), 90)).likeness;
        assert!(fresh > old && old > 0.0);
    }

    proptest! {
        #[test]
        fn likeness_is_a_share_and_goes_both_ways(
            words in "\\PC{0,30}", other in "\\PC{0,30}", lat in any::<f64>(), lon in any::<f64>(), day in -9_000_i64..9_000,
        ) {
            let mut one = notice(&words, Some(3.0), Some(&other), None, 0);
            let two = notice(&other, None, Some(&words), Some("LI1"), day);
            one.location.lat = Some(lat);
            one.location.lon = Some(lon);
            let there = likeness(&one, &two);
            prop_assert!((0.0..=1.0).contains(&there.likeness) && there.metres.is_none_or(f64::is_finite));
            prop_assert!((there.likeness - likeness(&two, &one).likeness).abs() < 1e-9);
        }
    }
}
