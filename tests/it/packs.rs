//! Packs while the service runs: what is new and sound becomes active in one step, what is at fault does not and is said,
//! and cases are handled all the while.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::signed_in;
use crate::support::app::{Caller, TestApp};
use crate::support::database::{Database, on_every_database};
use crate::support::desk::{copy_folder, policies, web_road};

/// A copy of the real packs that a story may change.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&policies(), folder.path());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts other words into a file.
    fn change(&self, name: &str, from: &str, to: &str) {
        let file = self.path(name);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{name} holds no {from:?}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
    }

    /// Another municipality with the files of Harjuvesi.
    fn another(&self, id: &str) {
        let folder = self.path(id);
        let _ = std::fs::remove_dir_all(&folder);
        copy_folder(&self.path("harjuvesi"), &folder);
        self.change(&format!("{id}/municipality.yaml"), "id: harjuvesi", &format!("id: {id}"));
    }

    async fn app(&self, database: &Database) -> TestApp {
        self.app_that_looks(database, 0).await
    }

    /// One that looks at the files every so many seconds, with a worker of its own if it does.
    async fn app_that_looks(&self, database: &Database, seconds: u32) -> TestApp {
        TestApp::with(database, |config| {
            config.policies.dir = self.0.path().into();
            config.policies.cache = env!("CARGO_TARGET_TMPDIR").into();
            config.policies.reload_seconds = seconds;
            config.work.workers = usize::from(seconds > 0);
        })
        .await
    }
}

/// A decider that does not exist, where the director stands.
fn break_delegation(folder: &Folder, municipality: &str) {
    folder.change(
        &format!("{municipality}/delegation.yaml"),
        "decider: technical-director",
        "decider: tehcnical-director",
    );
}

fn mend_delegation(folder: &Folder, municipality: &str) {
    folder.change(
        &format!("{municipality}/delegation.yaml"),
        "decider: tehcnical-director",
        "decider: technical-director",
    );
}

async fn pack(caller: &Caller) -> Value {
    let mut packs = caller.get("/v1/packs").await.expect(200).json;
    assert_eq!(packs["items"].as_array().unwrap().len(), 1, "one's own municipality's alone");
    packs["items"][0].take()
}

async fn reload(admin: &Caller) -> Value {
    admin.post("/v1/packs/reload", &json!({})).await.expect(200).json["items"][0].clone()
}

/// The pack that the current draft was made with.
async fn made_with(app: &TestApp, case: &str) -> Value {
    app.handler().await.draft(case).await["engine"]["pack"].clone()
}

fn road(nth: u32) -> Value {
    let mut road = web_road();
    road["id"] = format!("road-{nth}").into();
    road
}

async fn ready(app: &TestApp) -> Value {
    app.nobody().get("/health/ready").await.expect(200).json
}

#[tokio::test]
async fn a_pack_with_a_fault_is_never_activated_and_the_one_before_goes_on() {
    on_every_database(async |database| {
        let folder = Folder::new();
        let app = folder.app(database).await;
        let admin = app.person(Role::Admin, "Anni Ylläpitäjä", None).await;
        let first = pack(&admin).await;
        let before = app.drafted(&road(1)).await;
        assert_eq!(made_with(&app, &before).await, first["hash"]);

        break_delegation(&folder, "harjuvesi");
        let kept = reload(&admin).await;
        assert_eq!((&kept["hash"], &kept["active_since"]), (&first["hash"], &first["active_since"]), "it stays");
        let fault = &kept["faults"][0];
        assert!(fault["file"].as_str().unwrap().ends_with("harjuvesi/delegation.yaml"), "{fault}");
        assert_eq!(fault["line"], 10);
        assert!(fault["what"].as_str().unwrap().contains("tehcnical-director"), "{fault}");
        assert!(fault["instead"].as_str().unwrap().contains("`technical-director`"), "{fault}");
        assert_eq!(pack(&app.handler().await).await, kept, "whoever prepares sees it");
        let health = ready(&app).await;
        assert_eq!((&health["status"], &health["packs_at_fault"]), (&json!("ready"), &json!(["harjuvesi"])));
        assert!(app.nobody().get("/metrics").await.text.contains("vireille_packs_at_fault 1"));
        let mut browser = signed_in(&app, &app.director().await).await;
        let page = browser.get("/console").await.expect(200).says("Muutettuja ohjetiedostoja ei ole otettu käyttöön");
        page.says("tehcnical-director").says("<summary>");

        // Cases go on with what was active.
        let meanwhile = app.drafted(&road(2)).await;
        assert_eq!(made_with(&app, &meanwhile).await, first["hash"]);
        app.director().await.approve(&before).await.expect(200);

        mend_delegation(&folder, "harjuvesi");
        folder.change("harjuvesi/municipality.yaml", "phone: 040 000 0002", "phone: 040 000 0099");
        let new = reload(&admin).await;
        assert_ne!(new["hash"], first["hash"]);
        assert_eq!((&new["faults"], &new["active_since"]), (&json!([]), &json!("2026-04-20T09:00:00Z")));
        assert_eq!(ready(&app).await["packs_at_fault"], json!([]));
        assert!(!browser.get("/console").await.expect(200).html.contains("ohjetiedostoja"));
        let after = app.drafted(&road(3)).await;
        let draft = app.handler().await.draft(&after).await;
        assert_eq!(draft["engine"]["pack"], new["hash"]);
        assert!(draft.to_string().contains("040 000 0099"), "the letter has the new number");

        let audit = app.person(Role::Auditor, "Aino Tarkastaja", None).await;
        let export = audit.get("/v1/audit/export").await.expect(200).text;
        let read = |line: &&str| line.contains("\"pack-read\"");
        let events: Vec<Value> = export.lines().filter(read).map(|line| serde_json::from_str(line).unwrap()).collect();
        let told: Vec<_> = events.iter().map(|event| event["payload"]["outcome"].as_str().unwrap()).collect();
        assert_eq!(told, ["kept", "activated"]);
        assert_eq!(events[1]["payload"]["before"], first["hash"]);
        assert_eq!(events[1]["payload"]["pack"], new["hash"]);
        assert!(events.iter().all(|event| event["actor"].to_string().contains(&admin.token)), "{events:?}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn each_municipality_stands_for_itself_and_a_fault_of_the_base_keeps_all() {
    on_every_database(async |database| {
        let folder = Folder::new();
        let app = folder.app(database).await;
        let admin = app.person(Role::Admin, "Anni Ylläpitäjä", None).await;
        // A new folder is a new municipality, without a restart.
        folder.another("ylaharju");
        reload(&admin).await;
        let other = app.stranger(Role::Admin).await;
        let (ours, theirs) = (pack(&admin).await, pack(&other).await);
        assert_eq!(theirs["faults"], json!([]));

        break_delegation(&folder, "harjuvesi");
        folder.change("ylaharju/municipality.yaml", "residents: 4200", "residents: 1100");
        let (kept, new) = (reload(&admin).await, pack(&other).await);
        assert_eq!(kept["hash"], ours["hash"]);
        assert_ne!(kept["faults"], json!([]));
        assert_ne!(new["hash"], theirs["hash"], "the other's files were sound");

        mend_delegation(&folder, "harjuvesi");
        folder.change("base/services/fault-notice.yaml", "id: fault-notice", "id: fault-notices");
        for (municipality, active) in [(&admin, &ours), (&other, &new)] {
            let kept = reload(municipality).await;
            assert_eq!(kept["hash"], active["hash"]);
            assert!(kept["faults"][0]["file"].as_str().unwrap().ends_with("base/services/fault-notice.yaml"), "{kept}");
        }
        folder.change("base/services/fault-notice.yaml", "id: fault-notices", "id: fault-notice");

        // A folder that is gone takes nobody's cases away.
        std::fs::rename(folder.path("ylaharju"), folder.0.path().join(".ylaharju")).unwrap();
        let gone = reload(&other).await;
        assert_eq!(gone["hash"], new["hash"]);
        assert_eq!(gone["faults"][0]["what"], "the folder is gone");
        assert_eq!(pack(&admin).await["faults"], json!([]), "the mended one is as it was: {ours}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_case_that_two_packs_would_have_prepared_is_prepared_by_the_new_one() {
    on_every_database(async |database| {
        let folder = Folder::new();
        let app = folder.app(database).await;
        let admin = app.person(Role::Admin, "Anni Ylläpitäjä", None).await;
        let case = app.drafted(&road(1)).await;
        let first = made_with(&app, &case).await;
        // The new pack takes no road as long as this one: reading the form tells, not the rules.
        folder.change("base/services/private-road-grant.yaml", "max: 100000", "max: 2000");
        let new = reload(&admin).await;
        assert_ne!(new["hash"], first);
        // The handler corrects a fact: from here on a job owes the last two steps only.
        let handler = app.handler().await;
        handler.claim(&case).await.expect(200);
        let fact = json!({ "name": "households", "value": "6", "code": "misread", "reason": "Luettelossa on kuusi." });
        handler.post(&format!("{case}/facts"), &json!({ "facts": [fact] })).await.expect(200);
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!((&draft["engine"]["pack"], &draft["version"]), (&new["hash"], &json!(2)));
        assert_eq!(draft["content"]["kind"], "completion", "the new pack does not take the length");
        let shown = handler.get(&case).await.expect(200).json;
        assert_eq!(shown["status"], "in-review", "{shown}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_an_administrator_has_the_files_read_again() {
    let folder = Folder::new();
    let database = Database::sqlite().await;
    let app = folder.app(&database).await;
    for caller in [app.handler().await, app.director().await, app.residents().await] {
        caller.post("/v1/packs/reload", &json!({})).await.problem(403, "/problems/forbidden");
    }
    app.residents().await.get("/v1/packs").await.problem(403, "/problems/forbidden");
    app.nobody().get("/v1/packs").await.problem(401, "/problems/no-token");
    app.stop().await;
}

/// Looks until the pack is as it should be.
async fn until(admin: &Caller, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let pack = pack(admin).await;
        if holds(&pack) {
            return pack;
        }
        assert!(Instant::now() < patience, "{what}: {pack}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn changed_files_are_found_while_cases_are_handled() {
    on_every_database(async |database| {
        let folder = Folder::new();
        let app = folder.app_that_looks(database, 1).await;
        let admin = app.person(Role::Admin, "Anni Ylläpitäjä", None).await;
        let residents = app.residents().await;
        let mut cases = Vec::new();
        let mut send = async |nth: u32| {
            let receipt = residents.submit(&road(nth)).await.expect(201).json;
            cases.push(format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap()));
        };
        let first = pack(&admin).await;
        send(1).await;
        break_delegation(&folder, "harjuvesi");
        send(2).await;
        let kept = until(&admin, "the fault is said", |pack| pack["faults"] != json!([])).await;
        assert_eq!(kept["hash"], first["hash"]);
        send(3).await;
        mend_delegation(&folder, "harjuvesi");
        folder.change("harjuvesi/municipality.yaml", "phone: 040 000 0002", "phone: 040 000 0099");
        let new = until(&admin, "the new pack is active", |pack| pack["hash"] != first["hash"]).await;
        assert_eq!(new["faults"], json!([]));
        send(4).await;
        let handler = app.handler().await;
        let patience = Instant::now() + Duration::from_mins(1);
        let mut made = Vec::new();
        for case in &cases {
            while handler.get(case).await.expect(200).json["status"] != "in-review" {
                assert!(Instant::now() < patience, "{case} has no draft");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            made.push(handler.draft(case).await["engine"]["pack"].clone());
        }
        assert!(made[..3].iter().all(|pack| *pack == first["hash"] || *pack == new["hash"]), "{made:?}");
        assert_eq!(made[3], new["hash"]);
        app.stop().await;
    })
    .await;
}

#[cfg(unix)]
#[test]
fn a_hangup_has_the_files_read_again() {
    let folder = Folder::new();
    let state = tempfile::tempdir().unwrap();
    let mut service = Command::new(env!("CARGO_BIN_EXE_vireille"))
        .current_dir(state.path())
        .env("VIREILLE__POLICIES__CACHE", env!("CARGO_TARGET_TMPDIR"))
        .env("VIREILLE__POLICIES__RELOAD_SECONDS", "0")
        .args(["serve", "--listen", "127.0.0.1:0", "--database", "sqlite:packs.db", "--policies"])
        .arg(folder.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut address).unwrap();
    vireille::model::client::install_tls();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ready = || {
        let answer = async { reqwest::get(format!("{}/health/ready", address.trim())).await?.json::<Value>().await };
        runtime.block_on(answer).unwrap()
    };
    let tell = |signal: &str| {
        assert!(Command::new("kill").args([signal, &service.id().to_string()]).status().unwrap().success());
    };
    assert_eq!(ready()["packs_at_fault"], json!([]));
    break_delegation(&folder, "harjuvesi");
    tell("-HUP");
    let patience = Instant::now() + Duration::from_mins(1);
    while ready()["packs_at_fault"] != json!(["harjuvesi"]) {
        assert!(Instant::now() < patience, "the fault is not said");
        std::thread::sleep(Duration::from_millis(50));
    }
    tell("-TERM");
    let ended = service.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{log}");
    assert!(log.contains("are not activated") && log.contains("tehcnical-director"), "{log}");
}
