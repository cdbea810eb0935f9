//! What names or identifies a person reaches no model: planted in every place of a case, searched in every request.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use vireille::cases::{CaseFile, SourceText, Submission};
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::intake;
use vireille::model::prompts::Prompts;
use vireille::text::normalize;
use vireille::triage::agent::Agent;
use vireille::triage::{Desk, Proposal, Step};

use crate::support::desk::*;
use crate::support::model::{ScriptedModel, Turn};

static PROMPTS: LazyLock<Arc<Prompts>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    Arc::new(Prompts::load(&folder).unwrap_or_else(|error| panic!("{error}")))
});

/// What is planted, by the placeholder that stands in its place; each in forms in which people write it again.
const PLANTED: &[(&str, &[&str])] = &[
    (
        "person",
        &[
            "Salla Salainen",
            "Sallan",
            "Salaisen",
            "Salaiselle",
            "salla salaista",
            "SALLA SALAINEN",
            "Salainen, Salla",
            "Ahti Piilonen",
            "Piilosta",
            "Ahdin",
            "Gunvor Gömdström",
            "Gömdströms",
            "Tuntematon Kulkija",
            "Veikko Vaitonen",
        ],
    ),
    ("identity code", &["131052-9085", "131052-9973", "811218-9876"]),
    ("iban", &["FI21 1234 5600 0007 85", "FI2112345600000785", "SE45 5000 0000 0583 9825 7466"]),
    ("phone", &["040 777 1234", "0407771234", "+358 40 777 1234", "+358407771234"]),
    ("e-mail", &["salla.salainen@kuiskaus.example", "gunvor@kuiskaus.example"]),
    ("street address", &["Salaistenpolku 7", "Salaistenpolku 7 B 12", "Hemlighetsvägen 3 B", "Piilokuja 9"]),
    ("plate", &["ABC-123", "XYZ 987"]),
    ("business id", &["0201256-6"]),
    ("birth date", &["13.10.1952"]),
    ("bank card", &["4539 1488 0343 6467"]),
    ("reference", &["5512-8877", "999-401-1-23"]),
];

/// A text in which everything is told at once, as a person might who tells too much.
fn told() -> String {
    "Hei, olen Salla Salainen, syntynyt 13.10.1952, henkilötunnukseni on 131052-9085 (en ole 131052-9973). Numeroni on 040 777 1234, siis \
     0407771234 tai +358 40 777 1234 tai +358407771234. Sähköposti: salla.salainen@kuiskaus.example. Asun osoitteessa Salaistenpolku 7 B 12, \
     99990 Harjuvesi, ja tilini on FI21 1234 5600 0007 85 eli FI2112345600000785, vanha SE45 5000 0000 0583 9825 7466. \
     Kortti 4539 1488 0343 6467. Toiminimeni on 0201256-6, asiakasnumeroni on 5512-8877 ja kiinteistöni 999-401-1-23. \
     Naapurini Tuntematon Kulkija ajoi autolla ABC-123 ojaan, toinen auto oli XYZ 987. Min granne Gunvor Gömdström bor på \
     Hemlighetsvägen 3 B, fråga Gömdströms son, gunvor@kuiskaus.example, 811218-9876. Puheenjohtaja Ahti Piilonen asuu \
     osoitteessa Piilokuja 9; Ahdin mukaan, sanoo Piilosta tunteva, Sallan tie on kunnossa. Salaisen kanssa puhui Veikko Vaitonen. \
     Ilmoittakaa Salaiselle. Älkää sekoittako häntä: salla salaista ei löydy, SALLA SALAINEN kylläkin, Salainen, Salla.\n\
     Katuvalo on pimeänä Kirkkotiellä koulun kohdalla.\nTerveisin\nSalla Salainen"
        .to_owned()
}

fn agent_desk(model: &Arc<ScriptedModel>) -> Desk {
    let config = Config::standard();
    let (ambient, _) = Ambient::fixed(at(NOW));
    let model: Arc<dyn vireille::model::chat::ChatModel> = Arc::<ScriptedModel>::clone(model);
    let agent = Agent::new(model, Arc::clone(&PROMPTS), &config.model, &config.budget, ambient);
    Desk { agent: Some(Arc::new(agent)), ..(*desk()).clone() }
}

/// All steps before a model that uses every tool, with the texts of the files as `read` takes them.
async fn triage_before(
    model: &Arc<ScriptedModel>,
    submission: &Submission,
    files: &[SourceText],
) -> (CaseFile, Proposal) {
    let desk = agent_desk(model);
    let at = circumstances(NOW);
    let mut file = CaseFile::default();
    for step in Step::ALL {
        let thought = desk.think(step, submission, file, &at).await.unwrap_or_else(|error| panic!("{error}"));
        file = thought.file;
        if step == Step::Read {
            file.reading.as_mut().unwrap().texts.extend_from_slice(files);
        }
        if let Some(proposal) = thought.proposal {
            return (file, proposal);
        }
    }
    unreachable!("the last step proposes")
}

/// Letters and digits only, in lower case: other spaces and hyphens hide nothing.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Searches everything that a model was sent.
#[track_caller]
fn assert_nothing_planted(place: &str, model: &ScriptedModel, least: usize) {
    let requests = model.requests();
    assert!(requests.len() >= least, "{place}: only {} requests", requests.len());
    let sent = model.everything_sent();
    let (lower, letters) = (sent.to_lowercase(), bare(&sent));
    for (class, values) in PLANTED {
        for value in *values {
            let digits = value.chars().filter(char::is_ascii_digit).count();
            let found = lower.contains(&value.to_lowercase()) || (digits > 6 && letters.contains(&bare(value)));
            let at = lower.find(&value.to_lowercase()).unwrap_or(0);
            let around: String = lower[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
            assert!(!found, "{place}: the {class} “{value}” was sent, behind “{around}”");
        }
    }
}

fn file(name: &str, text: &str) -> SourceText {
    SourceText::of_attachment(name, 1, normalize(text).text)
}

fn application() -> Value {
    let mut road = road_json();
    for (field, planted) in [
        ("chair_name", "Ahti Piilonen"),
        ("account_holder", "Salla Salainen"),
        ("iban", "FI21 1234 5600 0007 85"),
        ("phone", "040 777 1234"),
        ("email", "salla.salainen@kuiskaus.example"),
        ("address", "Salaistenpolku 7"),
        ("business_id", "0201256-6"),
        ("household_list", "Salaistenpolku 7, Piilokuja 9"),
        ("restrictions", "Kysykää: Salla Salainen"),
    ] {
        road["fields"][field] = planted.into();
    }
    road["fields"]["description"] = told().into();
    road["party"] = json!({
        "name": "Salla Salainen", "email": "salla.salainen@kuiskaus.example", "phone": "+358 40 777 1234",
        "address": "Salaistenpolku 7 B 12, 99990 Harjuvesi", "business_id": "0201256-6", "language": "fi"
    });
    road["attachments"][0]["name"] = "tilinpaatos-Salla_Salainen-131052-9085.txt".into();
    road["attachments"][1]["name"] = "poytakirja Ahti Piilonen 040 777 1234.txt".into();
    road
}

#[tokio::test]
async fn nothing_planted_in_an_application_is_sent() {
    for change in [
        json!({}),
        json!({"fields": {"supported_length": 390, "total_length": 390}}),
        // What is missing is asked for, and the model may look for it.
        json!({"fields": {"households": null, "meeting_date": null, "supported_length": null}}),
        json!({"fields": {"cooperative_name": "Salla Salainen", "register_unit": "131052-9085", "road_name": "Harjuntie, Salla Salainen"}}),
    ] {
        let mut json = application();
        merge(&mut json, &change);
        let submission = submission(&json);
        let files: Vec<_> = submission.attachments.iter().map(|one| file(&one.name, &told())).collect();
        let model = Arc::new(ScriptedModel::always(Turn::Tools));
        triage_before(&model, &submission, &files).await;
        assert_nothing_planted(&format!("{change}"), &model, 2);
        let sent = model.everything_sent();
        for (class, _) in
            PLANTED.iter().filter(|_| change["fields"]["households"].is_null() && change["fields"].is_object())
        {
            if change["fields"].get("households").is_some() {
                assert!(sent.contains(&format!("[{class} ")), "no {class} was masked");
            }
        }
    }
}

#[tokio::test]
async fn nothing_planted_in_a_message_is_sent() {
    let subject = "Salla Salainen, 131052-9085, Salaistenpolku 7: katuvalo";
    let mail = format!(
        "From: \"Salla Salainen\" <salla.salainen@kuiskaus.example>\r\nReply-To: gunvor@kuiskaus.example\r\nTo: kirjaamo@harjuvesi.example\r\n\
         X-Phone: 040 777 1234\r\nOrganization: Ahti Piilonen\r\nSubject: {subject}\r\nDate: Mon, 20 Apr 2026 11:00:00 +0300\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{}\r\n--cut\r\nContent-Type: text/plain; charset=utf-8; name=\"Salla Salainen 131052-9085.txt\"\r\n\
         Content-Disposition: attachment; filename=\"Salla Salainen 131052-9085.txt\"\r\n\r\nKuva\r\n--cut--\r\n",
        told(),
    );
    let (ambient, _) = Ambient::fixed(at(NOW));
    let defaults = intake::json::Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient);
    let mailed = intake::email::parse(mail.as_bytes(), &defaults).unwrap_or_else(|error| panic!("{error}")).submission;
    assert_eq!(mailed.attachments.len(), 1);
    let notice = submission(&json!({
        "municipality": "harjuvesi", "service": "fault-notice", "received_at": "2026-04-20T08:00:00Z",
        "fields": {
            "description": told(), "category": "LI1", "location_note": "Salla Salainen, Salaistenpolku 7, 040 777 1234",
            "reporter_email": "salla.salainen@kuiskaus.example", "reporter_phone": "040 777 1234"
        },
        "location": {"address": "Kirkkotie 5"}, "party": {"name": "Ahti Piilonen", "address": "Piilokuja 9"}
    }));
    // The first message says little; what comes afterwards says everything.
    let first = submission(&json!({
        "municipality": "harjuvesi", "text": "Katuvalo on pimeänä.", "received_at": "2026-04-20T08:00:00Z",
        "party": {"name": "Salla Salainen", "phone": "040 777 1234"}, "location": {"address": "Kirkkotie 5"}
    }));
    let supplemented = first.supplemented_by(mailed.clone());
    for (place, submission) in [("mail", mailed), ("notice", notice), ("supplement", supplemented)] {
        let files: Vec<_> = submission.attachments.iter().map(|one| file(&one.name, &told())).collect();
        let model = Arc::new(ScriptedModel::always(Turn::Tools));
        let (_, proposal) = triage_before(&model, &submission, &files).await;
        assert_nothing_planted(place, &model, 1);
        for (class, _) in PLANTED {
            assert!(model.everything_sent().contains(&format!("[{class} ")), "{place}: no {class} was masked");
        }
        assert!(!proposal.content.letter.contains("[person 1]"), "{place}: a placeholder stands in the letter");
    }
}

/// The road is needed to tell whose a fault is; the number of the house is nobody's business.
#[test]
fn the_place_of_a_fault_keeps_its_road() {
    let submission = message("Kirkkotie 5 kohdalla on kuoppa, samoin Harjuntien alussa. Koulutiellä ei.");
    let masked = desk().masker(&submission, None).mask(submission.text.as_deref().unwrap());
    assert_eq!(
        masked.as_str(),
        "Kirkkotie [house number 1] kohdalla on kuoppa, samoin Harjuntien alussa. Koulutiellä ei."
    );
}

/// Ordinary messages stay readable: most of the examples name nobody, and nothing is masked in them.
#[test]
fn messages_that_name_nobody_stay_as_they_are() {
    let desk = desk();
    let masker = desk.masker(&message("x"), None);
    let examples: Vec<_> = desk.rulebook.pack.examples.iter().step_by(9).collect();
    let changed: BTreeSet<String> = examples
        .iter()
        .map(|example| masker.mask(&example.text).to_string())
        .filter(|masked| masked.contains("[person"))
        .collect();
    assert!(changed.len() * 20 < examples.len(), "{} of {}: {changed:#?}", changed.len(), examples.len());
}

/// How many words of people's names the rule finds in running text nobody here wrote. Printed, and held to a floor.
#[test]
fn names_in_finnish_text() {
    let Some(folder) = std::env::var_os("VIREILLE_DATA").map(PathBuf::from) else {
        println!("skipped, no data");
        return;
    };
    let file = folder.join("turku-ner/fi.dev.jsonl.gz");
    let unpacked = String::from_utf8(Command::new("gzip").arg("-dc").arg(&file).output().unwrap().stdout).unwrap();
    let rows: Vec<Value> = unpacked.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |row: &Value, key: &str| -> Vec<String> {
        row[key].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    let (mut people, mut found, mut places, mut hidden, mut masked_words, mut right) = (0, 0, 0, 0, 0, 0);
    // Ten sentences are about as long as a message.
    for part in rows.chunks(10) {
        let masker = desk().masker(&message("x"), None);
        let text: Vec<String> = part.iter().map(|row| of(row, "tokens").join(" ")).collect();
        let sent = masker.mask(&text.join("\n"));
        let covered = covered(sent.as_str(), &|piece| masker.restore(piece).ok());
        let mut at = 0;
        for (token, tag) in part.iter().flat_map(|row| of(row, "tokens").into_iter().zip(of(row, "tags"))) {
            let is_masked = covered.iter().any(|(start, end)| *start <= at && at < *end);
            let word = token.chars().any(char::is_alphabetic);
            people += usize::from(tag.ends_with("PER"));
            found += usize::from(tag.ends_with("PER") && is_masked);
            places += usize::from(tag.ends_with("LOC"));
            hidden += usize::from(tag.ends_with("LOC") && is_masked);
            masked_words += usize::from(is_masked && word);
            right += usize::from(is_masked && word && tag.ends_with("PER"));
            at += token.len() + 1;
        }
    }
    let share =
        |part: usize, of: usize| f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(of).unwrap());
    let recall = share(found, people);
    println!(
        "words of people's names: {found} of {people} found, recall {recall:.3}; of {masked_words} masked words {right} are"
    );
    println!("names of people; {hidden} of {places} words of places are masked, too ({:.3})", share(hidden, places));
    assert!(recall > 0.7, "recall {recall:.3}");
}

/// Where placeholders stood in the text before, in bytes.
fn covered(masked: &str, restore: &dyn Fn(&str) -> Option<String>) -> Vec<(usize, usize)> {
    let (mut spans, mut at, mut rest) = (Vec::new(), 0, masked);
    while let Some(start) = rest.find('[') {
        at += start;
        let end = rest[start..].find(']').map_or(rest.len(), |end| start + end + 1);
        let piece = &rest[start..end];
        if let Some(original) = restore(piece).filter(|original| original != piece) {
            spans.push((at, at + original.len()));
            at += original.len();
            rest = &rest[end..];
        } else {
            at += 1;
            rest = &rest[start + 1..];
        }
    }
    spans
}
