//! The real pack of Harjuvesi with a trained classifier, loaded once, and submissions to put on the desk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use futures::FutureExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use vireille::cases::{CaseFile, Submission};
use vireille::clock::Ambient;
use vireille::intake;
use vireille::model::TextClassifier;
use vireille::policy::{Rulebook, Rulebooks};
use vireille::search::{Embedded, Search};
use vireille::triage::{Circumstances, Desk, Proposal, Triage};

/// The folder of the packs.
pub fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies")
}

/// Copies a folder with all that is below it, so that a story can change files.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The classifier that the base examples train, kept between runs: training takes long in a dev build.
pub fn classifier(rulebook: &Rulebook) -> Arc<dyn TextClassifier> {
    vireille::app::classifier(rulebook, Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// Triage over the real packs.
pub static TRIAGE: LazyLock<Arc<Triage>> = LazyLock::new(|| {
    let rulebooks = Rulebooks::load_all(&policies()).unwrap_or_else(|faults| panic!("{faults}"));
    let search: Arc<dyn Search> = Arc::new(Embedded::over(&rulebooks));
    Arc::new(Triage::new(&rulebooks, classifier, &search, None).expect("the words of danger compile"))
});

/// Harjuvesi's desk.
pub fn desk() -> Arc<Desk> {
    Arc::clone(TRIAGE.desk(&"harjuvesi".parse().unwrap()).unwrap())
}

/// A desk like Harjuvesi's whose municipality serves in Finnish and Swedish.
pub fn bilingual_desk() -> Desk {
    let mut rulebook =
        Rulebook::load(&policies(), &"harjuvesi".parse().unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    rulebook.pack.municipality.languages = vec![vireille::cases::Language::Fi, vireille::cases::Language::Sv];
    Desk { rulebook: Arc::new(rulebook), ..(*desk()).clone() }
}

/// The moment at which drafts are made in tests, after the window of 2026.
pub const NOW: &str = "2026-04-20T09:00:00Z";

/// A moment in time.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A submission from the JSON that a resident's form would send.
pub fn submission(json: &Value) -> Submission {
    let (ambient, _) = Ambient::fixed(at(NOW));
    let defaults = intake::json::Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient);
    let mut read =
        intake::json::parse(json.to_string().as_bytes(), &defaults).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.len(), 1);
    read.remove(0).submission
}

/// A complete application for a maintenance grant: the worked case R1 (2 350 m, 5 households, 6 120,40 €).
pub fn road_json() -> Value {
    json!({
        "id": "r1", "municipality": "harjuvesi", "service": "private-road-grant",
        "received_at": "2026-03-10T08:15:00Z",
        "fields": {
            "cooperative_name": "Harjun tiekunta", "road_name": "Harjuntie", "register_unit": "999-2026-K54321",
            "business_id": "1234567-1", "chair_name": "Testi Puheenjohtaja", "email": "tiekunta@harjuntie.example",
            "phone": "040 000 0100", "address": "Harjuntie 1, 99990 Harjuvesi", "account_holder": "Harjun tiekunta", "iban": "FI21 1234 5600 0007 85",
            "applicant_type": "road-cooperative",
            "grant_type": "maintenance", "total_length": "2600", "supported_length": "2350", "households": 5,
            "household_list": "Harjuntie 1, 3, 5, 7 ja 9", "through_route": false, "register_current": true, "digiroad_current": true,
            "restrictions": "Ei rajoituksia", "open_to_others": true,
            "cost_ploughing": "3 000,00", "cost_sanding": "620,40", "cost_grading": "1 500,00", "cost_gravel": "1 000,00",
            "vat_registered": false, "costs_include_vat": true, "other_support": "0", "meeting_date": "2026-02-20", "declaration": true, "language": "fi"
        },
        "attachments": [
            {"name": "tilinpaatos-2025.txt", "media_type": "text/plain", "content": "VGlsaW5ww6TDpHTDtnM="},
            {"name": "poytakirja-2026.txt", "media_type": "text/plain", "content": "UMO2eXTDpGtpcmph"}
        ]
    })
}

/// The worked application R1 (2 585 €), as the web form sends it.
/// The register unit of a road of its own: one road is granted money once a year.
pub fn register_unit(id: &str) -> String {
    format!("999-2026-K{}", id.bytes().fold(7_u32, |sum, byte| sum * 31 % 90_000 + u32::from(byte)))
}

pub fn web_road() -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road
}

/// One that the board decides: 9 000 m, 6 000 €.
pub fn large_road() -> Value {
    let mut road = web_road();
    for (field, value) in [("supported_length", "9000"), ("total_length", "9000"), ("cost_ploughing", "17879.60")] {
        road["fields"][field] = value.into();
    }
    road["fields"]["households"] = 12.into();
    road["id"] = "large".into();
    road
}

/// That application, with some fields changed; `null` takes a field away.
pub fn road_with(changes: &Value) -> Submission {
    let mut json = road_json();
    merge(&mut json, changes);
    submission(&json)
}

/// That application.
pub fn road() -> Submission {
    submission(&road_json())
}

/// A message without a chosen service.
pub fn message(text: &str) -> Submission {
    submission(&json!({
        "id": "m1", "municipality": "harjuvesi", "text": text, "received_at": "2026-04-20T08:00:00Z",
        "location": {"address": "Kirkkotie 5"}
    }))
}

/// Puts changes into a JSON value; `null` takes a field away.
pub fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    into.remove(name);
                } else {
                    merge(into.entry(name.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (into, changes) => *into = changes.clone(),
    }
}

/// The whole pipeline, dry, at [`NOW`].
pub fn triage(submission: &Submission) -> (CaseFile, Proposal) {
    triage_on(&desk(), submission, NOW)
}

/// The whole pipeline, dry, on a desk and at a moment.
pub fn triage_on(desk: &Desk, submission: &Submission, now: &str) -> (CaseFile, Proposal) {
    desk.dry_run(submission, &circumstances(now))
        .now_or_never()
        .expect("nobody slow is asked at an offline desk")
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A case number, a moment, no open alert.
pub fn circumstances(now: &str) -> Circumstances<'static> {
    Circumstances::new("HRJ/2026/00001", at(now))
}
