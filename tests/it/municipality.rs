//! Municipalities by the command line: the files of a new one are whole and valid at once, and what differs is told.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use vireille::cases::{DraftKind, Language, MunicipalityId};
use vireille::policy::Rulebook;
use vireille::triage::Desk;

use crate::support::desk::*;

/// A folder with the base pack alone, or with the municipalities of the house beside it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            copy_folder(&policies().join(name), &folder.path().join(name));
        }
        Self(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_vireille"))
            .current_dir(self.0.path())
            .env("VIREILLE__POLICIES__CACHE", env!("CARGO_TARGET_TMPDIR"))
            .env("VIREILLE__POLICIES__DIR", self.0.path())
            .args(arguments)
            .output()
            .unwrap()
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, complaints) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{complaints}");
        out
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], words: &str) {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(words), "{arguments:?}: {}", text(&output.stderr));
    }

    fn book(&self, id: &str) -> Rulebook {
        let id: MunicipalityId = id.parse().unwrap();
        Rulebook::load(self.0.path(), &id).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_new_municipality_passes_the_check_and_its_cases_are_drafted() {
    let folder = Folder::with(&["base"]);
    let said = folder.good(&[
        "municipality",
        "new",
        "uusikyla",
        "--name-fi",
        "Uusikylä",
        "--name-sv",
        "Nyby",
        "--languages",
        "fi,sv",
        "--prefix",
        "UKY",
        "--residents",
        "1234",
    ]);
    for words in ["uusikyla/municipality.yaml", "FILL IN", "vireille policy check", "samples/notice.json"] {
        assert!(said.contains(words), "no {words:?}: {said}");
    }
    assert!(folder.good(&["policy", "check"]).contains("no faults"));
    let book = folder.book("uusikyla");
    let own = &book.pack.municipality;
    assert_eq!((own.case_prefix.as_str(), own.residents), ("UKY", 1234));
    assert_eq!((own.name.fi.as_str(), own.name.sv.as_str()), ("Uusikylä", "Nyby"));
    assert_eq!(own.languages, [Language::Fi, Language::Sv]);
    let offered = book.pack.services.keys().filter(|id| !own.without.contains(id)).count();
    assert!(offered >= 2, "{:?}", own.without);

    // An application is decided by the base's policy, which somebody adopted; a notice finds its owner.
    let desk = Desk { rulebook: Arc::new(book), ..(*desk()).clone() };
    let (_, proposal) = triage_on(&desk, &road(), NOW);
    assert_eq!(proposal.content.kind, DraftKind::Grant);
    assert!(proposal.content.amount.is_some());
    let sample = folder.path("uusikyla/samples/notice.json");
    let drafted = folder.good(&["triage", "--json", sample.to_str().unwrap()]);
    let drafted: Value = serde_json::from_str(drafted.lines().next().unwrap()).unwrap();
    assert!(drafted.to_string().contains("LI"), "{drafted}");
}

#[test]
fn names_are_data_and_the_plain_form_needs_nothing_but_one() {
    let folder = Folder::with(&["base"]);
    folder.good(&["municipality", "new", "pikku-kunta"]);
    let plain = folder.book("pikku-kunta");
    assert_eq!(plain.pack.municipality.name.fi, "Pikku-Kunta");
    assert_eq!(plain.pack.municipality.case_prefix, "PIK");
    let odd = "Ä\"{{ 7 * 7 }}: #[x] 'y' {% if %}";
    let made = folder.good(&["--json", "municipality", "new", "outo", "--name-fi", odd, "--languages", "sv"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["municipality"], "outo");
    assert!(made["files"].as_array().unwrap().contains(&"delegation.yaml".into()), "{made}");
    let book = folder.book("outo");
    assert_eq!(
        (book.pack.municipality.name.fi.as_str(), &book.pack.municipality.languages[..]),
        (odd, &[Language::Sv][..])
    );
    assert!(folder.good(&["policy", "check"]).contains("no faults"));
}

#[test]
fn a_name_that_is_taken_or_none_is_refused_and_nothing_is_written() {
    let folder = Folder::with(&["base", "harjuvesi"]);
    let before = std::fs::read_to_string(folder.path("harjuvesi/municipality.yaml")).unwrap();
    folder.refused(&["municipality", "new", "harjuvesi"], "exists");
    assert_eq!(std::fs::read_to_string(folder.path("harjuvesi/municipality.yaml")).unwrap(), before);
    folder.refused(&["municipality", "new", "base"], "no municipality's name");
    folder.refused(&["municipality", "new", "Iso Kunta"], "a–z, 0–9");
    folder.refused(&["municipality", "new", "../ulos"], "a–z, 0–9");
    folder.refused(&["municipality", "new", "uusi", "--prefix", "uk"], "capital letters");
    folder.refused(&["municipality", "new", "uusi", "--name-fi", " "], "--name-fi");
    folder.refused(&["municipality", "new", "uusi", "--languages", "de"], "de");
    assert!(!folder.path("uusi").exists());
}

#[test]
fn what_a_base_service_names_and_no_template_brings_is_added() {
    let folder = Folder::with(&["base"]);
    let service = folder.path("base/services/fault-notice.yaml");
    let notice = std::fs::read_to_string(&service).unwrap();
    let owner = notice.lines().find(|line| line.starts_with("process_owner:")).unwrap();
    let notice =
        notice.replace(owner, "process_owner: harbour-master").replace("department: leisure", "department: harbour");
    std::fs::write(service, notice).unwrap();
    folder.good(&["municipality", "new", "satama"]);
    let book = folder.book("satama");
    let own = &book.pack.municipality;
    assert!(own.departments.contains_key(&"harbour".parse().unwrap()));
    assert!(own.deciders.contains_key(&"harbour-master".parse().unwrap()));
}

#[test]
fn what_differs_is_told_setting_by_setting() {
    let folder = Folder::with(&["base", "harjuvesi"]);
    folder.good(&["municipality", "new", "uusikyla"]);
    let service = std::fs::read_to_string(folder.path("base/services/fault-notice.yaml")).unwrap();
    let own = service.replacen("days: ", "days: 9", 1);
    assert_ne!(own, service);
    std::fs::create_dir_all(folder.path("uusikyla/services")).unwrap();
    std::fs::write(folder.path("uusikyla/services/fault-notice.yaml"), own).unwrap();

    let told = folder.good(&["municipality", "diff", "uusikyla", "base"]);
    assert!(told.contains("services › fault-notice › handling_time › days"), "{told}");
    assert!(told.contains("uusikyla replaces ") && told.contains("services/fault-notice"), "{told}");
    assert!(told.contains("% of the base pack's settings are overridden ("), "{told}");

    let json = folder.good(&["--json", "municipality", "diff", "harjuvesi", "uusikyla"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let differences = json["differences"].as_array().unwrap();
    let prefix =
        differences.iter().find(|it| it["path"] == serde_json::json!(["municipality", "case_prefix"])).unwrap();
    assert_eq!((&prefix["first"], &prefix["second"]), (&"HRJ".into(), &"UUS".into()));
    let limit = |it: &&Value| it["path"][0] == "delegation" && it["path"][1] == "road-grant";
    assert!(differences.iter().any(|it| limit(&it)), "{json}");
    assert!(json["second"]["replaces"].as_array().unwrap().contains(&"services/fault-notice".into()), "{json}");
    assert!(json["second"]["overridden"].as_u64().unwrap() >= 1);
    folder.refused(&["municipality", "diff", "harjuvesi", "nowhere"], "no folder");
}

#[test]
fn every_municipality_of_the_house_differs_from_the_base_by_deviations_only() {
    let root = policies();
    for entry in std::fs::read_dir(&root).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if ["base", "schemas"].contains(&name.as_str()) {
            continue;
        }
        let [own, base] = [name.as_str(), "base"].map(|side| side.parse().unwrap());
        let found =
            vireille::policy::deviations::compare(&root, &own, &base).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!found.differences.is_empty() && found.first.own > 0, "{name}");
        assert!(found.first.overridden * 2 < found.first.settings, "{name}: {} %", found.first.percent());
        assert_eq!((found.second.overridden, found.second.own), (0, 0));
    }
}
