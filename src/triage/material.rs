//! What a case is made from: what came in, with what its party sent later, without what was split off, and as a person
//! registered it. Every step, check and comparison reads this and never a stored submission by itself.
//!
//! Pure: what came in stays as it came, and what people said of it is laid over it here.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::cases::{CaseFile, Submission};
use crate::text::normalize;

/// Longest field of a form that may name somebody, characters.
const LONGEST_NAME: usize = 300;

/// The submission as the case reads it: `first` came first, `later` is what the party sent afterwards.
#[must_use]
pub fn of(file: &CaseFile, first: Submission, later: impl IntoIterator<Item = Submission>) -> Submission {
    let first = match &file.split_from {
        Some(part) => only(first, &part.text),
        None => first,
    };
    let mut whole = later.into_iter().fold(first, Submission::supplemented_by);
    // What the machine split off stays here, too, for its words may be about both.
    for part in file.split_off.iter().filter(|part| part.label.is_none()) {
        take_out(&mut whole, &part.text);
    }
    for registration in &file.registrations {
        whole.received_at = registration.received_at.unwrap_or(whole.received_at);
        whole.channel = registration.channel.unwrap_or(whole.channel);
        whole.party = registration.party.clone().or(whole.party);
    }
    whole
}

/// The submission with what else is known of the people in it, for whoever masks texts of the case.
#[must_use]
pub fn with_withheld<'a>(file: &CaseFile, submission: &'a Submission) -> Cow<'a, Submission> {
    let mut known = Cow::Borrowed(submission);
    for (name, text) in &file.withheld {
        if !known.fields.contains_key(name) {
            known.to_mut().fields.insert(name.clone(), text.as_str().into());
        }
    }
    known
}

/// What of a form may name somebody, for a case that reads only a part of the message.
#[must_use]
pub fn withheld(file: &CaseFile, whole: &Submission) -> BTreeMap<String, String> {
    let form = whole.fields.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let form = form.filter(|(_, text)| text.chars().count() <= LONGEST_NAME);
    form.chain(file.withheld.clone()).collect()
}

/// A message of which one matter became a case of its own: its words alone. The form was another matter's; place, files
/// and sender are the same.
fn only(mut submission: Submission, words: &str) -> Submission {
    submission.service = None;
    submission.fields.clear();
    submission.subject = None;
    submission.text = Some(words.to_owned());
    submission
}

/// Takes words out of the text in which they stand, byte for byte as the case's text shows it; whether they stood
/// anywhere.
pub fn take_out(submission: &mut Submission, words: &str) -> bool {
    let fields = submission.fields.values_mut().filter_map(|value| match value {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    });
    submission.text.iter_mut().chain(submission.subject.as_mut()).chain(fields).any(|text| {
        let shown = if text.contains(words) { None } else { Some(normalize(text).text) };
        let Some((before, after)) = shown.as_deref().unwrap_or(text).split_once(words) else { return false };
        // A blank stays, so that what stood on both sides makes no new word.
        let rest = format!("{before} {after}");
        *text = rest;
        true
    })
}

/// Whether anything is left that a person could handle.
#[must_use]
pub fn is_empty(submission: &Submission) -> bool {
    let blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
    let fields = submission.fields.values().all(|value| value.as_str().is_some_and(|text| text.trim().is_empty()));
    blank(&submission.text) && blank(&submission.subject) && fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{CaseRef, Channel, Party, Registration, SplitMatter};

    fn message(text: &str) -> Submission {
        Submission {
            id: "0199f0a2-0000-7000-8000-000000000001".parse().unwrap(),
            external_id: None,
            municipality: "harjuvesi".parse().unwrap(),
            channel: Channel::Email,
            service: None,
            fields: [("description".to_owned(), "Kaivo on auki.".into()), ("households".to_owned(), 5.into())].into(),
            subject: Some("Kaksi asiaa".to_owned()),
            text: Some(text.to_owned()),
            location: None,
            attachments: Vec::new(),
            party: None,
            sent_at: None,
            received_at: "2026-03-10T08:00:00Z".parse().unwrap(),
        }
    }

    fn part(text: &str) -> SplitMatter {
        let case = CaseRef { id: "0199f0a2-0000-7000-8000-000000000002".parse().unwrap(), number: "X".to_owned() };
        SplitMatter { case, text: text.to_owned(), label: None }
    }

    #[test]
    fn a_part_and_the_rest_are_the_message() {
        let (one, two) = ("Lamppu on pimeänä.", "Kuoppa on tiessä.");
        let whole = message(&format!("Hei!\r\n{one}\r\n{two}"));
        let rest = of(&CaseFile { split_off: vec![part(two)], ..CaseFile::default() }, whole.clone(), []);
        assert_eq!(rest.text.as_deref().map(str::trim), Some(format!("Hei!\r\n{one}").as_str()));
        assert_eq!(rest.fields, whole.fields);
        let split = of(&CaseFile { split_from: Some(part(two)), ..CaseFile::default() }, whole, []);
        assert_eq!((split.text.as_deref(), split.subject, split.fields.len()), (Some(two), None, 0));
    }

    #[test]
    fn words_are_found_as_the_page_shows_them_and_nowhere_else() {
        let mut submission = message("Lamppu on pi\u{200b}meänä.\r\nKaivo");
        assert!(!take_out(&mut submission, "pimeä lamppu"));
        assert!(take_out(&mut submission, "pimeänä.\nKaivo"), "a mark that nobody sees and the line ends of mail");
        assert!(take_out(&mut submission, "Kaivo on auki."), "in a field");
        assert!(!take_out(&mut submission, "5"), "a number is no text");
        assert!(!is_empty(&submission));
        let mut little = message("Kaivo");
        (little.subject, little.fields) = (None, BTreeMap::new());
        assert!(take_out(&mut little, "Kaivo") && is_empty(&little));
    }

    #[test]
    fn what_names_people_is_known_also_where_it_is_not_read() {
        let withheld = [("chair_name".to_owned(), "Testi Puheenjohtaja".to_owned())];
        let file = CaseFile { withheld: withheld.into(), ..CaseFile::default() };
        let submission = message("x");
        assert_eq!(with_withheld(&file, &submission).fields["chair_name"], "Testi Puheenjohtaja");
        assert!(matches!(with_withheld(&CaseFile::default(), &submission), Cow::Borrowed(_)));
    }

    #[test]
    fn the_latest_registration_stands_and_what_it_does_not_say_stays() {
        let registration = |party: Option<Party>, at: Option<&str>| Registration {
            received_at: at.map(|at| at.parse().unwrap()),
            channel: None,
            party,
            reason: "postileima".to_owned(),
            actor: "a".to_owned(),
            at: "2026-03-11T08:00:00Z".parse().unwrap(),
        };
        let named = Party { name: Some("Harjun tiekunta".to_owned()), ..Party::default() };
        let registrations = vec![
            registration(Some(named.clone()), Some("2026-03-08T08:00:00Z")),
            registration(None, Some("2026-03-09T08:00:00Z")),
        ];
        let read = of(&CaseFile { registrations, ..CaseFile::default() }, message("x"), []);
        assert_eq!(read.received_at.to_string(), "2026-03-09T08:00:00Z");
        assert_eq!((read.party, read.channel), (Some(named), Channel::Email));
    }
}
