//! A case's input as a submission: through the very intake that reads what strangers send.
//!
//! The input is what a file of `vireille submit` holds, with three liberties: it may be a text alone, `now` says when
//! the case is drafted, and a file that comes along may be `{name, text}` in place of base64. `mail` makes a message of
//! it. Arrival and moment stand in the case, so that a case comes to the same on any day.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::TargetError;
use crate::cases::{Attachment, MunicipalityId, Submission};
use crate::clock::Ambient;
use crate::evals::case::EvalCase;
use crate::intake::json::Defaults;
use crate::intake::{self, Earlier, Incoming, IntakeError, Refusal};

/// A submission, its files, and the moment at which the case is drafted.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    /// What came in.
    pub submission: Submission,
    /// The files that came along.
    pub files: Vec<(Attachment, Vec<u8>)>,
    /// What came before it.
    pub earlier: Vec<Earlier>,
    /// When it is drafted.
    pub now: Timestamp,
}

/// A message, as its parts stand in a case.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Mail {
    from: String,
    address: String,
    subject: String,
    date: String,
    text: String,
}

/// A file that comes along, as its text stands in a case.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct TextFile {
    name: String,
    text: String,
}

/// Reads the input of a case; without a municipality of its own it goes to `municipality`.
///
/// # Errors
/// [`TargetError::Failed`] when intake refuses it or nothing says when it came.
pub(super) fn take_in(case: &EvalCase, input: &Value, municipality: &MunicipalityId) -> Result<Taken, TargetError> {
    let refused = |what: String| TargetError::Failed(format!("the input is no submission: {what}"));
    let mut input = match input {
        Value::String(text) => Map::from_iter([("text".to_owned(), json!(text))]),
        Value::Object(input) => input.clone(),
        _ => return Err(refused("write a text or an object".to_owned())),
    };
    let received = moment(input.get("received_at"))?;
    let now = match input.remove("now") {
        Some(now) => moment(Some(&now))?,
        None => None,
    };
    let Some(now) = now.or(received) else {
        return Err(refused("nothing says when it came; give `received_at` or `now`".to_owned()));
    };
    // A case without an arrival of its own is drafted the moment it comes; ids count up.
    let (ambient, _) = Ambient::fixed(received.unwrap_or(now));
    let defaults = Defaults::file(Some(municipality.clone()), None, ambient);
    let incoming = match input.remove("mail") {
        Some(mail) => {
            let mail = serde_json::from_value(mail).map_err(|_| {
                refused("`mail` has from, address, subject, date and text, all of them texts".to_owned())
            })?;
            let message = message(&mail, &beside_mail(input).map_err(refused)?);
            intake::email::parse(message.as_bytes(), &defaults).map_err(|error| refused(without_words(&error)))?
        }
        None => form(input, case, &defaults).map_err(refused)?,
    };
    let Incoming { submission, files, earlier, .. } = incoming;
    Ok(Taken { submission, files, earlier, now })
}

fn moment(value: Option<&Value>) -> Result<Option<Timestamp>, TargetError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let moment = value.as_str().and_then(|text| text.parse().ok());
    moment.map(Some).ok_or_else(|| {
        TargetError::Failed("the input's moment is none: write it with its offset, 2026-03-10T08:15:00Z".to_owned())
    })
}

fn form(mut input: Map<String, Value>, case: &EvalCase, defaults: &Defaults) -> Result<Incoming, String> {
    input.entry("id").or_insert_with(|| json!(case.id));
    if let Some(Value::Array(files)) = input.get_mut("attachments") {
        for file in files {
            if let Ok(TextFile { name, text }) = serde_json::from_value(file.clone()) {
                *file = json!({ "name": name, "media_type": "text/plain", "content": BASE64.encode(text) });
            }
        }
    }
    let bytes = Value::Object(input).to_string();
    let mut read = intake::json::parse(bytes.as_bytes(), defaults).map_err(|error| without_words(&error))?;
    // One object is one submission.
    read.pop().ok_or_else(|| "there is nothing in it".to_owned())
}

/// Where intake stopped, and at what kind of fault. Its own words are for the sender and may repeat what they wrote; a
/// case's fault stands in reports.
fn without_words(error: &IntakeError) -> String {
    const KEYS: [&str; 11] = [
        "id",
        "municipality",
        "service",
        "fields",
        "text",
        "location",
        "attachments",
        "party",
        "sent_at",
        "received_at",
        "earlier",
    ];
    let key = error.at.split('/').nth(1).unwrap_or_default();
    // Any other key is the case's own word.
    let place = if KEYS.contains(&key) { format!(" at `/{key}`") } else { String::new() };
    let kind = match error.refusal {
        Refusal::Unreadable => "it cannot be read",
        Refusal::TooLarge => "it is too large",
        Refusal::UnknownMunicipality => "no such municipality",
        Refusal::UnknownService => "no such service",
        Refusal::Conflict => "the id was used before",
        Refusal::Invalid => "a key, a type or a value that no submission has",
    };
    format!("{kind}{place}")
}

/// The files that come with a message; nothing else may stand beside it but when it came.
fn beside_mail(mut input: Map<String, Value>) -> Result<Vec<TextFile>, String> {
    input.remove("received_at");
    let files = input.remove("attachments").unwrap_or_else(|| json!([]));
    if !input.is_empty() {
        return Err("beside `mail` stand `attachments`, `received_at` and `now`, and nothing else".to_owned());
    }
    serde_json::from_value(files).map_err(|_| "beside `mail` an attachment is {name, text}".to_owned())
}

/// The message as a mail server would hand it over. What people wrote is encoded: no line of it can be a boundary.
fn message(mail: &Mail, files: &[TextFile]) -> String {
    let Mail { from, address, subject, date, text } = mail;
    let line = |text: &str| text.replace(['\r', '\n'], " ");
    let quotable = |text: &str| line(text).replace(['"', '\\'], "'");
    let part = |head: &str, text: &str| {
        let body = BASE64.encode(text);
        // Lines of a message are at most 998 characters long; encoded text is ASCII.
        let lines: Vec<&str> = body.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let body = lines.join("\r\n");
        format!("--cut\r\n{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n")
    };
    let head = format!(
        "From: \"{}\" <{}>\r\nTo: kirjaamo@example.org\r\nSubject: {}\r\nDate: {}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n",
        quotable(from),
        line(address),
        line(subject),
        line(date),
    );
    let text = part("Content-Type: text/plain; charset=utf-8", text);
    let files = files.iter().map(|TextFile { name, text }| {
        let name = quotable(name);
        let head = format!(
            "Content-Type: text/plain; charset=utf-8; name=\"{name}\"\r\nContent-Disposition: attachment; \
             filename=\"{name}\""
        );
        part(&head, text)
    });
    [head, text].into_iter().chain(files).chain(["--cut--\r\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(input: &Value) -> Result<Taken, TargetError> {
        let case: EvalCase = serde_json::from_value(json!({ "id": "tri-1", "input": input })).unwrap();
        take_in(&case, &case.input, &"harjuvesi".parse().unwrap())
    }

    #[test]
    fn a_submission_is_read_as_intake_reads_it() {
        let taken = take(&json!({
            "received_at": "2026-03-10T08:15:00Z", "service": "private-road-grant", "fields": { "road_name": "Harjuntie" },
            "attachments": [{ "name": "selvitys.txt", "text": "Tilinpäätös 2025" }],
        }))
        .unwrap();
        assert_eq!(taken.submission.external_id.as_deref(), Some("tri-1"));
        assert_eq!(taken.now, taken.submission.received_at);
        assert_eq!(taken.files[0].1, "Tilinpäätös 2025".as_bytes());
        assert_eq!(taken.submission.attachments[0].name, "selvitys.txt");
    }

    #[test]
    fn a_message_is_read_as_a_mail_server_hands_it_over() {
        let taken = take(&json!({
            "now": "2026-04-20T09:00:00Z",
            "mail": { "from": "Testi", "address": "testi@posti.example", "subject": "Katuvalo", "text": "Valo on pimeänä.",
                      "date": "Mon, 20 Apr 2026 11:00:00 +0300" },
            "attachments": [{ "name": "a.txt", "text": "Liite" }],
        }))
        .unwrap();
        assert_eq!(taken.submission.subject.as_deref(), Some("Katuvalo"));
        assert!(taken.submission.text.unwrap().contains("Valo on pimeänä."));
        assert_eq!(taken.files.len(), 1);
    }

    #[test]
    fn no_line_of_a_text_cuts_the_message() {
        let text = "Ensimmäinen.\n--cut\nContent-Type: text/plain\n\ntoinen\n--cut--\nviimeinen";
        let taken = take(&json!({
            "now": "2026-04-20T09:00:00Z",
            "mail": { "from": "T", "address": "t@posti.example", "subject": "S", "text": text,
                      "date": "Mon, 20 Apr 2026 11:00:00 +0300" },
            "attachments": [{ "name": "a\"b.txt", "text": text }],
        }))
        .unwrap();
        assert_eq!(taken.submission.text.as_deref(), Some(text));
        assert_eq!((taken.files.len(), taken.files[0].1.as_slice()), (1, text.as_bytes()));
    }

    #[test]
    fn nothing_vanishes_beside_a_message() {
        let mail = json!({ "from": "T", "address": "t@posti.example", "subject": "S", "text": "x",
                           "date": "Mon, 20 Apr 2026 11:00:00 +0300" });
        for (key, value) in [
            ("municipality", json!("koivulahti")),
            ("fields", json!({ "a": 1 })),
            ("attachmnts", json!([])),
            ("attachments", json!([{ "name": "a.txt", "content": "eA==" }])),
            ("attachments", json!({ "name": "a.txt", "text": "x" })),
        ] {
            let error = take(&json!({ "now": "2026-04-20T09:00:00Z", "mail": mail, key: value })).unwrap_err();
            assert!(error.to_string().contains("beside `mail`"), "{key}: {error}");
        }
    }

    #[test]
    fn what_no_file_of_submissions_may_hold_is_refused_without_its_words() {
        for (input, says) in [
            (json!("Valo on pimeänä."), "nothing says when it came"),
            (json!(7), "a text or an object"),
            (json!({ "text": "x", "now": "yesterday" }), "moment is none"),
            (json!({ "text": "x", "now": "2026-04-20T09:00:00Z", "salla.Salla@x": 1 }), "no submission"),
            (json!({ "text": "x", "now": "2026-04-20T09:00:00Z", "service": "Salla Salainen" }), "at `/service`"),
            (json!({ "fields": { "Salla Salainen": [[1]] }, "received_at": "Salla" }), "moment is none"),
            (json!({ "now": "2026-04-20T09:00:00Z", "party": { "Salla Salainen": 1 } }), "at `/party`"),
            (json!({ "mail": { "from": "Salla Salainen" }, "now": "2026-04-20T09:00:00Z" }), "`mail` has from"),
        ] {
            let error = take(&input).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("Salla"), "{error}");
        }
    }
}
