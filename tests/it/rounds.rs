//! Rounds over all cases of a window: a factor that is the same for everybody, a draw that anybody can repeat, and what
//! keeps one from being run.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use vireille::cases::{Role, Round};
use vireille::policy::{self, Rulebooks};
use vireille::search::{Embedded, Search};
use vireille::triage::Triage;

use crate::pages::signed_in;
use crate::support::app::{Caller, TestApp};
use crate::support::database::on_every_database;
use crate::support::desk::{NOW, classifier, copy_folder, merge, policies, road_json};

const POLICY: &str = "base/policies/private-road-grant@2026-01-01.fi.md";
const BLOCK: &str =
    "id: factor-k\nkind: factor\nfact: factor_k\nsum: calc.capped\nappropriation: params.appropriation\ndecimals: 6\n";

/// The packs with other rules.
struct Packs(tempfile::TempDir);

impl Packs {
    fn new() -> Self {
        let packs = Self(tempfile::tempdir().unwrap());
        copy_folder(&policies(), packs.0.path());
        // The rules are changed for one municipality: the worked cases of the others would speak of other rules.
        for other in ["lillsund-salmela", "ylaharju"] {
            fs::remove_dir_all(packs.0.path().join(other)).unwrap();
        }
        packs
    }

    /// Five thousand euros, and no row of a register that says the factor.
    fn of_factor() -> Self {
        let packs = Self::new();
        packs.write(POLICY, "appropriation: {value: 85000, unit: EUR}", "appropriation: {value: 5000, unit: EUR}");
        let file = packs.0.path().join("harjuvesi/municipality.yaml");
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text.matches("fact: factor_k").count(), 2);
        let rows = text.split("\n  - fact: ").filter(|row| !row.starts_with("factor_k")).collect::<Vec<_>>();
        fs::write(file, rows.join("\n  - fact: ")).unwrap();
        packs
    }

    /// One place, drawn among those who fulfil everything else.
    fn of_draw() -> Self {
        let packs = Self::new();
        packs.write(POLICY, BLOCK, "id: arvonta\nkind: draw\nfact: drawn\nplaces: params.places\n");
        packs.write(
            POLICY,
            "  appropriation: {value: 85000, unit: EUR}\n",
            "  appropriation: {value: 85000, unit: EUR}\n  places: {value: 1}\n",
        );
        packs.write(POLICY, "parameters:\n", "  drawn:\n    type: flag\nparameters:\n");
        packs.write(
            POLICY,
            "## 13 § Perusparannus",
            "```rule
id: drawn
when: not facts.drawn
outcome: not_met
reasons:
  met:
    fi: Hakemus arvottiin avustuksen saajaksi.
    sv: Ansökan lottades fram.
  not_met:
    fi: Hakemusta ei arvottu avustuksen saajaksi.
    sv: Ansökan lottades inte fram.
quote:
  fi: jokainen avustus kerrotaan samalla kertoimella
  sv: multipliceras varje understöd med samma koefficient
```

## 13 § Perusparannus",
        );
        fs::remove_file(packs.0.path().join("base/policies/private-road-grant.tests.yaml")).unwrap();
        packs
    }

    fn write(&self, file: &str, old: &str, new: &str) {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file}: {old}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    fn load(&self) -> Arc<Triage> {
        let books = Rulebooks::load_all(self.0.path()).unwrap_or_else(|faults| panic!("{faults}"));
        let search: Arc<dyn Search> = Arc::new(Embedded::over(&books));
        let triage = Triage::new(&books, classifier, &search, None).expect("the words of danger compile");
        Arc::new(triage)
    }
}

fn road(id: &str, changes: &Value) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    road["fields"]["register_unit"] = format!("999-2026-K{id}").into();
    merge(&mut road, changes);
    road
}

/// Sends roads in the window; gives the paths of their cases, drafted after it.
async fn send(app: &TestApp, roads: &[Value]) -> Vec<String> {
    let mut cases = Vec::new();
    for road in roads {
        app.now_is("2026-03-10T08:15:00Z");
        cases.push(app.drafted(road).await);
    }
    cases
}

async fn number(handler: &Caller, case: &str) -> String {
    handler.get(case).await.expect(200).json["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_factor_is_the_same_for_every_applicant() {
    on_every_database(async |database| {
        let packs = Packs::of_factor();
        let triage = packs.load();
        let app = TestApp::with_packs(database, Arc::clone(&triage)).await;
        let (handler, director) = (app.handler().await, app.director().await);
        let unknown = json!({ "fields": { "supported_length": null } });
        let short = json!({ "fields": { "supported_length": "300", "total_length": "350" } });
        let roads = [road("1", &json!({})), road("2", &json!({})), road("3", &short), road("4", &unknown)];
        let cases = send(&app, &roads).await;

        // Before the round everybody who fulfils the rules waits for it, and nobody can approve that.
        let draft = director.draft(&cases[0]).await;
        assert_eq!(draft["content"]["kind"], "acknowledgement");
        let letter = draft["content"]["letter"].as_str().unwrap();
        assert!(
            letter.contains("laskentaa, joka tehdään yhdellä kertaa kaikille saman hakuajan hakemuksille"),
            "{letter}"
        );
        let trace = handler.get(&format!("{}/trace", cases[0])).await.expect(200).json;
        assert_eq!(trace["assessment"]["outcome"], "pending");
        assert_eq!(trace["assessment"]["questions"], json!([]), "nobody is asked for a factor");
        let refused = director.approve(&cases[0]).await.problem(422, "/problems/checks-failed");
        assert!(refused["checks"].as_array().unwrap().iter().any(|check| check["id"] == "K06"), "{refused}");

        let fourth = number(&handler, &cases[3]).await;
        let rounds = handler.get("/v1/rounds").await.expect(200).json;
        let of_roads = |state: &&Value| state["round"] == "factor-k" && state["window"] == "2026-04-15";
        let state = rounds["items"].as_array().unwrap().iter().find(of_roads).unwrap();
        assert_eq!((&state["closed"], &state["taking_part"], &state["last"]), (&json!(true), &json!(2), &Value::Null));
        assert_eq!(state["waiting"][0]["number"], fourth);
        assert_eq!(state["waiting"][0]["why"], "incomplete");

        // What keeps it from being run.
        let round = |more: &Value| {
            let mut round = json!({ "document": "private-road-grant", "round": "factor-k", "window": "2026-04-15" });
            merge(&mut round, more);
            round
        };
        let out = json!({ "leave_out": [{ "number": fourth, "reason": "Ei vastannut täydennyspyyntöön." }] });
        handler.post("/v1/rounds", &round(&out)).await.expect(403);
        let board = app.person(Role::Approver, "Liisa Liikunta", Some("leisure-director")).await;
        board.post("/v1/rounds", &round(&out)).await.problem(403, "/problems/beyond-power");
        let refused = director.post("/v1/rounds", &round(&json!({}))).await.expect(422);
        assert!(refused.text.contains(&format!("{fourth} waits: incomplete")), "{}", refused.text);
        for (more, word) in [
            (json!({ "round": "factor-x" }), "no such round"),
            (json!({ "window": "2025-04-15" }), "no such round"),
            (json!({ "seed": "a" }), "only a draw has a seed"),
            (json!({ "leave_out": [{ "number": "HRJ/2026/99999", "reason": "x" }] }), "does not wait"),
        ] {
            let refused = director.post("/v1/rounds", &round(&more)).await.expect(422);
            assert!(refused.text.contains(word), "{word}: {}", refused.text);
        }
        // There is no way to ask for an order of applicants.
        for key in ["rank", "score", "order", "order_by", "prompt"] {
            let refused = director.post("/v1/rounds", &round(&json!({ key: "facts.households" }))).await;
            assert!(matches!(refused.status, 400 | 422), "{key}: {}", refused.text);
        }
        app.now_is("2026-04-15T11:00:00Z");
        let early = director.post("/v1/rounds", &round(&out)).await.expect(422);
        assert!(early.text.contains("the window is open"), "{}", early.text);

        // Run, and another process drafts the cases anew: what the first owed stands in the database.
        app.now_is(NOW);
        let run = director.post("/v1/rounds", &round(&out)).await.expect(200).json;
        assert_eq!((&run["result"]["sum"], &run["result"]["value"]), (&json!("5170"), &json!("0.967117")));
        assert_eq!((&run["nth"], &run["left_out"][0]["number"]), (&json!(1), &json!(fourth)));
        let app = TestApp::with_packs(database, triage).await;
        app.now_is(NOW);
        assert!(app.run_jobs().await > 0);
        for case in &cases[..2] {
            let draft = director_of(&app, &director).draft(case).await;
            assert_eq!((&draft["content"]["kind"], &draft["content"]["amount"]), (&json!("grant"), &json!("2499.00")));
        }
        let director = director_of(&app, &director);
        assert_eq!(director.draft(&cases[2]).await["content"]["kind"], "rejection");
        assert_eq!(director.draft(&cases[3]).await["content"]["kind"], "completion");
        director.approve(&cases[0]).await.expect(200);

        // Once; again only with a reason, and the first stays on the record.
        let refused = director.post("/v1/rounds", &round(&out)).await.expect(422);
        assert!(refused.text.contains("was run before"), "{}", refused.text);
        let mut again = round(&out);
        again["reason"] = "Tien 2 kustannukset oli laskettu väärin.".into();
        let second = director.post("/v1/rounds", &again).await.expect(200).json;
        assert_eq!(
            (&second["nth"], &second["result"]["value"]),
            (&json!(2), &json!("0.967117")),
            "a decided case counts"
        );
        app.run_jobs().await;
        let first = director.get(&format!("/v1/rounds/{}", run["id"].as_str().unwrap())).await.expect(200).json;
        assert_eq!(first, run);
        let auditor = app.person(Role::Auditor, "Anna Auditoija", None).await;
        let chain = auditor.get("/v1/audit/export").await.expect(200).text;
        assert_eq!(chain.matches("\"round-run\"").count(), 2);
        assert!(!chain.contains("Ei vastannut"), "reasons are no part of the chain");

        // The record tells by itself whether it holds.
        let record: Round = serde_json::from_value(run.clone()).unwrap();
        assert!(record.verify());
        let mut bent = run;
        bent["result"]["value"] = "0.967118".into();
        assert!(!serde_json::from_value::<Round>(bent).unwrap().verify());
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_cases_of_a_round_are_a_table_for_a_spreadsheet() {
    on_every_database(async |database| {
        let packs = Packs::of_factor();
        let app = TestApp::with_packs(database, packs.load()).await;
        let director = app.director().await;
        let unknown = json!({ "fields": { "supported_length": null } });
        let cases = send(&app, &[road("1", &json!({})), road("2", &json!({})), road("3", &unknown)]).await;
        let (one, third) = (number(&director, &cases[0]).await, number(&director, &cases[2]).await);
        let out = json!({ "number": third, "reason": "=Ei vastannut, kysytty kahdesti." });
        let round = json!({ "document": "private-road-grant", "round": "factor-k", "window": "2026-04-15", "leave_out": [out] });
        let run = director.post("/v1/rounds", &round).await.expect(200).json;
        app.run_jobs().await;

        let of = |root: &str| format!("{root}/rounds/{}/cases.csv", run["id"].as_str().unwrap());
        let table = director.get(&of("/v1")).await.expect(200);
        assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
        assert!(table.header("content-disposition").contains("private-road-grant-factor-k-1.csv"));
        let lines: Vec<&str> = table.text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (4, "case,amount,left_out"), "{}", table.text);
        assert!(lines[1].starts_with(&format!("{one},2585")), "{}", table.text);
        assert_eq!(lines[3], format!("{third},,\"'=Ei vastannut, kysytty kahdesti.\""), "it starts no formula");
        app.residents().await.get(&of("/v1")).await.expect(403);
        app.stranger(Role::Auditor).await.get(&of("/v1")).await.expect(404);

        let mut browser = signed_in(&app, &director).await;
        browser.get("/console/rounds").await.expect(200).says(&of("/console"));
        browser.get(&of("/console")).await.expect(200).says("case,amount,left_out");
        let shown = Command::new(env!("CARGO_BIN_EXE_vireille"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["round", "show", run["id"].as_str().unwrap(), "--csv", "--database", &database.url])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&shown.stdout), table.text, "{shown:?}");
        app.stop().await;
    })
    .await;
}

/// The same person at another process.
fn director_of(app: &TestApp, person: &Caller) -> Caller {
    app.caller(person.secret.clone(), person.token.clone())
}

#[tokio::test]
async fn a_draw_can_be_repeated_by_anybody() {
    on_every_database(async |database| {
        let packs = Packs::of_draw();
        let triage = packs.load();
        let app = TestApp::with_packs(database, triage).await;
        let (handler, director) = (app.handler().await, app.director().await);
        let roads: Vec<Value> = (1..=5).map(|n| road(&n.to_string(), &json!({}))).collect();
        let cases = send(&app, &roads).await;
        let body = json!({ "document": "private-road-grant", "round": "arvonta", "window": "2026-04-15", "seed": "Harjuvesi 20.4.2026 klo 12" });
        let run = director.post("/v1/rounds", &body).await.expect(200).json;
        let order = run["result"]["order"].as_array().unwrap();
        assert_eq!((order.len(), order.iter().filter(|ticket| ticket["drawn"] == true).count()), (5, 1));
        assert_eq!(order[0]["drawn"], true);

        // A line of shell gives the same order.
        let mut lines: Vec<(String, String)> = Vec::new();
        for case in &cases {
            let number = number(&handler, case).await;
            let script = r#"printf '%s\n%s' "$1" "$2" | sha256sum"#;
            let sum = Command::new("sh").args(["-c", script, "sh", "Harjuvesi 20.4.2026 klo 12", &number]).output().unwrap();
            assert!(sum.status.success());
            let digest = String::from_utf8(sum.stdout).unwrap().split_whitespace().next().unwrap().to_owned();
            lines.push((digest, number));
        }
        lines.sort();
        let told: Vec<(String, String)> = order
            .iter()
            .map(|ticket| (ticket["digest"].as_str().unwrap().to_owned(), ticket["number"].as_str().unwrap().to_owned()))
            .collect();
        assert_eq!(told, lines);

        // So does the program, from the record alone.
        let folder = tempfile::tempdir().unwrap();
        let verify = |record: &Value| {
            let file = folder.path().join("round.json");
            fs::write(&file, record.to_string()).unwrap();
            Command::new(env!("CARGO_BIN_EXE_vireille")).args(["round", "verify"]).arg(file).output().unwrap()
        };
        let held = verify(&run);
        assert!(held.status.success(), "{held:?}");
        let mut bent = run.clone();
        bent["result"]["order"].as_array_mut().unwrap().swap(0, 1);
        assert_eq!(verify(&bent).status.code(), Some(1));

        app.run_jobs().await;
        for case in &cases {
            let number = number(&handler, case).await;
            let kind = if number == lines[0].1 { "grant" } else { "rejection" };
            assert_eq!(director.draft(case).await["content"]["kind"], kind, "{number}");
        }
        // A seed that nobody gave is made, and published all the same.
        let again = json!({ "document": "private-road-grant", "round": "arvonta", "window": "2026-04-15", "reason": "Siemen luettiin väärin." });
        let second = director.post("/v1/rounds", &again).await.expect(200).json;
        assert_eq!(second["result"]["seed"].as_str().unwrap().len(), 32);
        app.run_jobs().await;
        app.stop().await;
    })
    .await;
}

#[test]
fn a_round_that_is_said_wrongly_is_explained() {
    for (old, new, said, instead) in [
        ("sum: calc.capped", "sum: calc.caped", "`calc.caped` is no step", "calc.capped"),
        ("sum: calc.capped", "sum: calc.class", "`calc.class` is no step", "calc."),
        ("sum: calc.capped\n", "", "`sum` do not go", "add `sum: …`"),
        ("decimals: 6", "places: params.appropriation", "`places` do not go", "leave `places` out"),
        ("decimals: 6", "decimals: 40", "too many decimals", "at most 10"),
        ("fact: factor_k\nsum", "fact: factor_q\nsum", "undeclared fact `factor_q`", "factor_k"),
        ("fact: factor_k\nsum", "fact: through_route\nsum", "another type", "number"),
        (
            "appropriation: params.appropriation",
            "appropriation: params.apropriation",
            "no parameter above zero",
            "params.appropriation",
        ),
        ("id: factor-k\nkind", "id: Factor K\nkind", "the round's id is none", "factor-k"),
        ("kind: factor\n", "kind: draw\n", "do not go", ""),
        // Nobody can write that applicants are ordered by what they are.
        ("decimals: 6", "order_by: facts.households", "order_by", ""),
        ("kind: factor\n", "kind: ranking\n", "ranking", ""),
    ] {
        let packs = Packs::new();
        packs.write(POLICY, old, new);
        let faults = policy::check(packs.0.path());
        let told = faults.to_string();
        let found = faults
            .iter()
            .any(|fault| fault.what.contains(said) && fault.instead.contains(instead) && fault.line.is_some());
        assert!(found, "{new}: {told}");
    }
}
