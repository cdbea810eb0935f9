//! The text of attachments: read in a process of its own, and whatever a file does, it does to that process alone.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vireille::cases::{Attachment, FileReading, hex};
use vireille::config::{self, Config};
use vireille::intake::extract::{self, Attached, Cell, MAX_FILE_CHARS, MAX_PAGES};

use crate::support::app::{TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::road_json;
use crate::support::files::{base64, docx, odt, pdf, pdf_of};

fn settings() -> config::Attachments {
    config::Attachments { program: env!("CARGO_BIN_EXE_vireille").into(), ..Config::standard().attachments }
}

fn cell() -> Cell {
    Cell::new(&settings())
}

fn file(name: &str, bytes: impl Into<Vec<u8>>) -> (Attachment, Vec<u8>) {
    use sha2::Digest as _;
    let bytes = bytes.into();
    let sha256 = hex(&sha2::Sha256::digest(&bytes));
    (Attachment { name: name.to_owned(), media_type: None, size: bytes.len() as u64, sha256 }, bytes)
}

async fn read(name: &str, bytes: impl Into<Vec<u8>>) -> Attached {
    extract::texts(&[file(name, bytes)], &cell()).await
}

fn words(attached: &Attached) -> Vec<(&str, &str)> {
    attached.texts.iter().map(|text| (text.source.as_str(), text.text.trim())).collect()
}

#[tokio::test]
async fn every_kind_gives_its_words_page_by_page() {
    let files = [
        file("kulut.pdf", pdf(&["Kustannukset 2 585,00 euroa", "Toinen sivu"])),
        file("pöytäkirja.docx", docx(&["Tiekunnan kokous 20.2.2026"])),
        file("selvitys.odt", odt(&["Tien pituus on 2 350 m"])),
        file("sivu.html", "<p>Tie on <b>poikki</b></p>"),
        file("viesti.eml", "Subject: Kokous\r\n\r\nKutsu liitteenä."),
        file("tili.csv", "pvm;summa\n1.2.2026;10,00"),
        file("kuva.jpg", b"\xff\xd8\xff\xe0".as_slice()),
        file("kuitit.zip", b"PK\x03\x04".as_slice()),
        file("tuloslaskelma.doc", b"\xd0\xcf\x11\xe0".as_slice()),
    ];
    let attached = extract::texts(&files, &cell()).await;
    assert_eq!(
        words(&attached),
        [
            ("attachment:kulut.pdf#1", "Kustannukset 2 585,00 euroa"),
            ("attachment:kulut.pdf#2", "Toinen sivu"),
            ("attachment:pöytäkirja.docx#1", "Tiekunnan kokous 20.2.2026"),
            ("attachment:selvitys.odt#1", "Tien pituus on 2 350 m"),
            ("attachment:sivu.html#1", "Tie on poikki"),
            ("attachment:viesti.eml#1", "Kokous\nKutsu liitteenä."),
            ("attachment:tili.csv#1", "pvm;summa\n1.2.2026;10,00"),
        ]
    );
    assert_eq!(attached.texts[1].attachment(), Some(("kulut.pdf", 2)));
    let read: Vec<FileReading> = attached.files.iter().map(|file| file.reading).collect();
    assert_eq!(
        read,
        [[FileReading::Read; 6].as_slice(), &[FileReading::NotText, FileReading::Unreadable, FileReading::Unreadable]]
            .concat()
    );
    assert_eq!(attached.files[0].pages, 2);
    assert_eq!(extract::plain(&files), attached.texts[6..], "plain text reads the same at once");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_files_own_misfortune() {
    for (name, bytes) in [
        ("rikki.pdf", b"%PDF-1.7 and nothing more".to_vec()),
        ("katkennut.pdf", pdf(&["Hei"])[..200].to_vec()),
        ("rikki.docx", b"PK\x03\x04 broken".to_vec()),
        ("tyhja.odt", Vec::new()),
        ("pommi.docx", docx(&[&"a".repeat(20 << 20)])),
    ] {
        let attached = read(name, bytes).await;
        assert_eq!((attached.files[0].reading, attached.texts.len()), (FileReading::Unreadable, 0), "{name}");
    }
    assert_eq!(read("skannattu.pdf", pdf(&["", ""])).await.files[0].reading, FileReading::Empty);
}

#[tokio::test]
async fn what_is_too_much_is_read_in_part() {
    let long = read("pitka.txt", "sana ".repeat(MAX_FILE_CHARS)).await;
    assert_eq!(long.files[0].reading, FileReading::InPart);
    assert_eq!(long.texts[0].text.chars().count(), MAX_FILE_CHARS);
    let page = "Sivu";
    let many = read("monta.pdf", pdf(&vec![page; MAX_PAGES + 5])).await;
    assert_eq!((many.files[0].reading, many.texts.len()), (FileReading::InPart, MAX_PAGES));
    let large = varied(MAX_FILE_CHARS - 1);
    let files: Vec<_> = (0..6).map(|n| file(&format!("{n}.odt"), odt(&[&large]))).collect();
    let read = extract::texts(&files, &cell()).await;
    assert_eq!((read.files[3].reading, read.files[5].reading), (FileReading::Read, FileReading::LeftOut));
}

/// A program in the place of the real one.
fn stand_in(folder: &Path, script: &str) -> Cell {
    let path = folder.join("stand-in");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    Cell::new(&config::Attachments { program: path, timeout_seconds: 1, ..settings() })
}

#[tokio::test]
async fn a_child_that_hangs_crashes_or_raves_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    for script in
        ["exec sleep 60", "exit 1", "kill -SEGV $$", "echo '{\"pages\": [1]}'", "exec cat /dev/zero", "cat >/dev/null"]
    {
        let cell = stand_in(folder.path(), script);
        let started = Instant::now();
        let attached = extract::texts(&[file("a.pdf", pdf(&["Hei"]))], &cell).await;
        assert_eq!(attached.files[0].reading, FileReading::Unreadable, "{script}");
        assert!(started.elapsed() < Duration::from_secs(5), "{script}: {:?}", started.elapsed());
    }
    let nowhere = Cell::new(&config::Attachments { program: "/nowhere/vireille".into(), ..settings() });
    let attached = extract::texts(&[file("a.pdf", pdf(&["Hei"]))], &nowhere).await;
    assert_eq!(attached.files[0].reading, FileReading::Unreadable);
    // It knows nothing of what surrounds the service.
    let told = folder.path().join("told");
    let cell = stand_in(folder.path(), &format!("/usr/bin/env > {}", told.display()));
    extract::texts(&[file("a.pdf", pdf(&["Hei"]))], &cell).await;
    let told = std::fs::read_to_string(told).unwrap();
    assert!(!told.contains("HOME=") && !told.contains("CARGO"), "{told}");
}

/// The program itself, with so little that a parser that asks for more must fail.
fn child(kind: &str, memory: u64, seconds: u64, bytes: &[u8]) -> std::process::Output {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["extract", "--kind", kind, "--memory", &memory.to_string(), "--seconds", &seconds.to_string()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(bytes));
        child.wait_with_output().unwrap()
    })
}

#[test]
fn memory_and_processor_time_are_bounded_by_the_system() {
    let large = docx(&[&varied(8 << 20)]);
    assert!(child("office", 256 << 20, 20, &large).status.success());
    assert!(!child("office", 8 << 20, 20, &large).status.success(), "it took more memory than it was given");
    let started = Instant::now();
    let slow = child("pdf", 4 << 30, 1, &pdf_of(&[&"1 0 Td (a) Tj ".repeat(100_000)]));
    assert!(!slow.status.success(), "one second of processor time is not enough for this one");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

/// So many characters that do not pack to nothing.
fn varied(chars: usize) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
    };
    (0..chars).map(|_| next()).collect()
}

/// The application for a road grant as the form sends it: when it arrived is not for the sender to say.
fn road() -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road
}

/// The application for a road grant with these files beside its own.
fn road_with(files: &[(&str, Vec<u8>)]) -> Value {
    let mut road = road();
    let attachments = road["attachments"].as_array_mut().unwrap();
    attachments.extend(files.iter().map(|(name, bytes)| json!({ "name": name, "content": base64(bytes) })));
    road
}

#[tokio::test]
async fn what_a_file_says_is_evidence_and_what_it_hides_is_seen() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let plain = app.drafted(&road()).await;
        let mut road =
            road_with(&[("kulut.pdf", pdf(&["Kulut", "Sorastus 1 000,00"])), ("rikki.pdf", b"%PDF-1.4".to_vec())]);
        road["id"] = "with-files".into();
        app.now_is("2026-03-10T08:20:00Z");
        let case = app.drafted(&road).await;
        let handler = app.handler().await;
        let evidence = handler.get(&format!("{case}/evidence")).await.expect(200).json;
        let texts = evidence["texts"].as_array().unwrap();
        assert!(
            texts.contains(&json!({ "source": "attachment:kulut.pdf#2", "text": "Sorastus 1 000,00" })),
            "{texts:?}"
        );
        let files = evidence["files"].as_array().unwrap();
        let known: Vec<_> = files.iter().map(|file| (file["name"].as_str().unwrap(), &file["reading"])).collect();
        assert!(known.contains(&("kulut.pdf", &json!("read"))), "{known:?}");
        assert!(known.contains(&("rikki.pdf", &json!("unreadable"))), "{known:?}");
        // The case went all the way; the draft, its class and its checks are what they are without the files.
        let (page, without) = (handler.get(&case).await.expect(200).json, handler.get(&plain).await.expect(200).json);
        assert_eq!(page["status"], "in-review");
        assert_eq!(page["flags"], json!(["unread-attachment"]));
        assert_eq!(without["flags"], json!([]));
        assert_eq!(page["classification"], without["classification"]);
        assert_eq!(page["draft"]["content"]["amount"], without["draft"]["content"]["amount"]);
        let results = |page: &Value| -> Vec<(Value, Value)> {
            let checks = page["draft"]["checks"].as_array().unwrap().iter();
            checks.map(|check| (check["id"].clone(), check["result"].clone())).collect()
        };
        assert_eq!(results(&page), results(&without));
        app.stop().await;
    })
    .await;
}

const DANGER: &str = "Sähköjohto roikkuu tiellä ja kipinöi!";

#[tokio::test]
async fn words_of_danger_in_a_file_reach_a_person() {
    let app = spawn_app().await;
    // Plain text is read at once: the sender is told of 112 with the receipt.
    let residents = app.residents().await;
    let receipt = residents.submit(&road_with(&[("viesti.txt", DANGER.into())])).await.expect(201).json;
    assert!(receipt["emergency"][0]["text"].as_str().unwrap().contains("112"), "{receipt}");
    // Other files are read by the first step: whoever is on call sees the alert with the words and their place.
    let mut road = road_with(&[("viesti.docx", docx(&[DANGER]))]);
    road["id"] = "docx".into();
    let case = app.drafted(&road).await;
    let handler = app.handler().await;
    let page = handler.get(&case).await.expect(200).json;
    assert_eq!((&page["alert_open"], &page["urgency"]), (&json!(true), &json!("U0")));
    let evidence = handler.get(&format!("{case}/evidence")).await.expect(200).json;
    assert_eq!(evidence["emergencies"][0]["source"], "attachment:viesti.docx#1");
    let alerts = handler.get("/v1/alerts").await.expect(200).json;
    assert_eq!(alerts["items"].as_array().unwrap().len(), 2, "one alert a case: {alerts}");
    // The same in a supplement.
    let other = app.drafted(&json!({ "text": "Katuvalo on pimeä Kirkkotiellä." })).await;
    let more = json!({ "text": "Lisää liitteessä.", "attachments": [{ "name": "a.pdf", "content": base64(&pdf(&[DANGER])) }] });
    residents.post(&format!("{other}/supplements"), &more).await.expect(201);
    app.run_jobs().await;
    assert_eq!(handler.get(&other).await.expect(200).json["alert_open"], true);
    app.stop().await;
}

#[test]
fn a_dry_run_reads_the_files_of_a_submission_and_of_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("kulut.pdf"), pdf(&[DANGER])).unwrap();
    std::fs::write(path("a.json"), json!({ "text": "Kuvia.", "attachments": ["kulut.pdf"] }).to_string()).unwrap();
    let mail = format!(
        "Subject: Kuvia\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"kulut.pdf\"\r\n\r\n{}\r\n",
        base64(&std::fs::read(path("kulut.pdf")).unwrap())
    );
    std::fs::write(path("b.eml"), mail).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_vireille"))
        .args(["triage", "--json"])
        .args([path("a.json"), path("b.eml"), path("kulut.pdf")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let lines: Vec<Value> =
        output.stdout.split(|b| *b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
    assert_eq!(lines.len(), 3, "{}", String::from_utf8_lossy(&output.stderr));
    for line in lines {
        assert_eq!(line["emergencies"][0]["source"], "attachment:kulut.pdf#1", "{line}");
    }
}

/// Files that other people's programs were broken by; `VIREILLE_DATA` names the folder.
fn corpus(kind: &str) -> Option<Vec<PathBuf>> {
    let Some(folder) = std::env::var_os("VIREILLE_DATA") else {
        eprintln!("skipped: VIREILLE_DATA names no folder with `{kind}`");
        return None;
    };
    let mut files = Vec::new();
    let mut folders = vec![Path::new(&folder).join(kind)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == kind));
    files.sort();
    (!files.is_empty()).then_some(files)
}

#[tokio::test]
async fn no_file_of_the_corpus_and_no_broken_copy_of_it_breaks_anything() {
    let cell = Cell::new(&config::Attachments { timeout_seconds: 5, ..settings() });
    for kind in ["pdf", "eml"] {
        let Some(paths) = corpus(kind) else { return };
        let (mut tally, started) = (std::collections::BTreeMap::<&str, usize>::new(), Instant::now());
        for (n, path) in paths.iter().enumerate() {
            let whole = std::fs::read(path).unwrap();
            // One copy is cut, one has a byte in every hundred changed.
            let mut changed = whole.clone();
            changed.iter_mut().skip(n % 100).step_by(100).for_each(|byte| *byte ^= 0x55);
            for bytes in [&whole[..], &whole[..whole.len() * 2 / 3], &changed] {
                let attached = read_with(&format!("a.{kind}"), bytes, &cell).await;
                assert_eq!(attached.files.len(), 1);
                *tally.entry(attached.files[0].reading.as_str()).or_default() += 1;
            }
        }
        let files: usize = tally.values().sum();
        eprintln!("{kind}: {files} files in {:.1} s: {tally:?}", started.elapsed().as_secs_f64());
        assert!(tally.get("read").is_some_and(|read| *read * 4 > paths.len()), "{tally:?}");
    }
}

async fn read_with(name: &str, bytes: &[u8], cell: &Cell) -> Attached {
    extract::texts(&[file(name, bytes)], cell).await
}
