//! Facts that other cases give: what counts and what does not, what the record and the letter say of it, a decision that
//! comes in between, and files of services that say it wrongly.

use std::fs;
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Value, json};
use vireille::cases::{CaseFile, Evidence, Outcome, Value as FactValue};
use vireille::clock::Ambient;
use vireille::intake;
use vireille::policy::{self, Rulebooks};
use vireille::search::{Embedded, Search};
use vireille::storage::DecidedFilter;
use vireille::triage::history::Others;
use vireille::triage::replay::redraft;
use vireille::triage::{Circumstances, Triage, pipeline};

use crate::support::app::{TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::{NOW, at, circumstances, classifier, copy_folder, merge, policies, road_json};

const SERVICE: &str = "base/services/private-road-grant.yaml";
const POLICY: &str = "base/policies/private-road-grant@2026-01-01.fi.md";

/// What stands in the service file of these stories.
const HISTORY: &str = "history:
  - fact: earlier_roads
    label: {fi: Samalle tielle jo haetut avustukset, sv: Understöd som redan sökts för samma väg, en: Earlier grants for the road}
    of: count
    same: [register_unit]
    within: window
    earlier: true
    outcome: [granted, partial]
  - fact: any_other
    label: {fi: Muita hakemuksia, sv: Andra ansökningar}
    of: any
    within: calendar-year
  - fact: granted_before
    label: {fi: Myönnetty aiemmin, sv: Beviljat tidigare}
    of: sum
    step: granted
    within: {months: 24}
    earlier: true
    outcome: [granted]
  - fact: households_before
    label: {fi: Talouksia aiemmin, sv: Hushåll tidigare}
    of: sum
    field: households
    where: {households: {over: 4}, grant_type: maintenance}
    earlier: true
  - fact: latest
    label: {fi: Viimeisin, sv: Senaste}
    of: latest
    earlier: true
  - fact: same_meeting
    label: {fi: Samana päivänä, sv: Samma dag}
    of: count
    overlap: {from: meeting_date, to: meeting_date}
";

const RULE: &str = "```rule
id: once
when: facts.earlier_roads > 0
outcome: not_met
reasons:
  met:
    fi: Samalle tielle ei ole haettu muuta avustusta.
    sv: För samma väg har inget annat understöd sökts.
  not_met:
    fi: Samalle tielle on jo haettu avustusta.
    sv: För samma väg har understöd redan sökts.
quote:
  fi: Avustuksen voi saada samalle tielle kerran kahdeksassa vuodessa.
  sv: Samma väg kan få understöd en gång på åtta år.
```

## 14 § Päätös";

/// The packs with a service that looks at other cases.
struct Packs(tempfile::TempDir);

impl Packs {
    fn new() -> Self {
        let packs = Self(tempfile::tempdir().unwrap());
        copy_folder(&policies(), packs.0.path());
        // The worked cases of the others say nothing of other cases, either.
        for other in ["lillsund-salmela", "ylaharju"] {
            fs::remove_dir_all(packs.0.path().join(other)).unwrap();
        }
        packs.write(SERVICE, "fields:\n", &format!("{HISTORY}\nfields:\n"));
        packs.write(POLICY, "parameters:\n", "  earlier_roads:\n    type: number\nparameters:\n");
        packs.write(POLICY, "## 14 § Päätös", RULE);
        // The worked cases say nothing of other cases.
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
    merge(&mut road, changes);
    road
}

fn fact<'a>(evidence: &'a Value, name: &str) -> Option<&'a Value> {
    evidence["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == name)
}

#[tokio::test]
async fn a_case_counts_others_until_they_are_withdrawn_or_decided_otherwise() {
    on_every_database(async |database| {
        let packs = Packs::new();
        let triage = packs.load();
        let app = TestApp::with_packs(database, triage).await;
        let (handler, director) = (app.handler().await, app.director().await);
        let first = app.drafted(&road("first", &json!({}))).await;
        app.now_is("2026-03-11T08:15:00Z");
        // Written otherwise, and the same road.
        let unit = json!({ "fields": { "register_unit": " 999-2026-k54321 " } });
        let second = app.drafted(&road("second", &unit)).await;
        app.now_is("2026-03-12T08:15:00Z");
        let other = app.drafted(&road("other", &json!({ "fields": { "register_unit": "999-2026-K7" } }))).await;
        app.now_is("2026-03-13T08:15:00Z");
        let none = app.drafted(&road("none", &json!({ "fields": { "register_unit": null } }))).await;

        let seen = async |case: &str| handler.get(&format!("{case}/evidence")).await.expect(200).json;
        let number = handler.get(&first).await.expect(200).json["number"].clone();
        let (one, two) = (seen(&first).await, seen(&second).await);
        assert_eq!(fact(&one, "earlier_roads").unwrap()["value"], "0", "it does not count itself, nor what came later");
        let counted = fact(&two, "earlier_roads").unwrap();
        assert_eq!(counted["value"], "1");
        assert_eq!(counted["evidence"]["source"], "cases");
        assert_eq!(counted["evidence"]["numbers"], json!([number]));
        assert_eq!(counted["evidence"]["as_of"], "2026-04-20");
        assert_eq!(fact(&seen(&other).await, "earlier_roads").unwrap()["value"], "0");

        // Whoever lacks what is compared is asked for that, and for nothing that other cases say.
        let lacking = seen(&none).await;
        assert!(fact(&lacking, "earlier_roads").is_none());
        let trace = handler.get(&format!("{none}/trace")).await.expect(200).json;
        assert_eq!(trace["assessment"]["outcome"], "incomplete");
        let asked = trace["assessment"]["questions"].as_array().unwrap();
        assert_eq!(
            asked.iter().map(|question| question["about"].as_str().unwrap()).collect::<Vec<_>>(),
            ["register_unit"]
        );

        // The letter says what was counted, and no other case's number.
        let draft = director.draft(&second).await;
        assert_eq!(draft["content"]["kind"], "rejection");
        let letter = draft["content"]["letter"].as_str().unwrap();
        assert!(letter.contains("– Samalle tielle jo haetut avustukset: 1 (kunnan asiarekisteri)"), "{letter}");
        assert!(!letter.contains(number.as_str().unwrap()));

        // The first one is withdrawn: the second is not rejected for it any more.
        app.residents().await.post(&format!("{first}/withdraw"), &Value::Null).await.expect(200);
        let refused = director.approve(&second).await.problem(409, "/problems/others-changed");
        assert_eq!(refused["facts"], json!(["earlier_roads"]));
        let timeline = handler.get(&format!("{second}/timeline")).await.json;
        let last = timeline["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["kind"], "approval-refused");
        assert_eq!(last["payload"], json!({ "reason": "others-changed", "facts": ["earlier_roads"] }));
        app.run_jobs().await;
        assert_eq!(director.draft(&second).await["content"]["kind"], "grant");
        director.approve(&second).await.expect(200);

        // It was decided; what others count of it is the decision.
        app.now_is("2026-03-14T08:15:00Z");
        let third = app.drafted(&road("third", &json!({}))).await;
        assert_eq!(fact(&seen(&third).await, "earlier_roads").unwrap()["value"], "1");

        // A decided case that is drafted again stands on what stood then.
        let harjuvesi = "harjuvesi".parse().unwrap();
        let decided = database.storage.decided(&harjuvesi, &DecidedFilter::default(), 10).await.unwrap();
        assert_eq!(decided.len(), 1);
        let submission = pipeline::submission(&database.storage, &decided[0].case).await.unwrap();
        let (file, _) = redraft(app.app.triage().desk(&harjuvesi).unwrap(), &submission, &decided[0]).await.unwrap();
        assert_eq!(file.facts.get("earlier_roads"), decided[0].case.file.facts.get("earlier_roads"));
        assert!(file.facts.get("earlier_roads").is_some());
        app.stop().await;
    })
    .await;
}

/// What a dry run says of a road after others.
fn dry(triage: &Triage, earlier: &Value) -> CaseFile {
    let (ambient, _) = Ambient::fixed(at(NOW));
    let harjuvesi = "harjuvesi".parse().unwrap();
    let defaults = intake::json::Defaults::file(Some(harjuvesi), None, ambient);
    let mut input = road_json();
    input["earlier"] = earlier.clone();
    let read = intake::json::parse(input.to_string().as_bytes(), &defaults).unwrap_or_else(|error| panic!("{error}"));
    let desk = triage.desk(&"harjuvesi".parse().unwrap()).unwrap();
    let ledger = desk.ledger(&read[0].earlier).unwrap();
    let at = Circumstances { others: Others::Cases(&ledger), ..circumstances(NOW) };
    desk.dry_run(&read[0].submission, &at).now_or_never().unwrap().unwrap().0
}

#[test]
fn a_dry_run_names_what_came_before() {
    let triage = Packs::new().load();
    let before = |received: &str, changes: &Value| {
        let mut before = road_json();
        before["id"] = received.into();
        before["received_at"] = received.into();
        merge(&mut before, changes);
        before
    };
    let value = |file: &CaseFile, name: &str| file.facts.get(name).map(|fact| fact.value.plain());
    let alone = dry(&triage, &json!([]));
    let of = |file: &CaseFile| {
        ["earlier_roads", "any_other", "granted_before", "households_before", "latest", "same_meeting"]
            .map(|name| value(file, name).unwrap_or_else(|| "–".to_owned()))
    };
    assert_eq!(of(&alone), ["0", "false", "0.00", "0", "–", "0"]);

    let file = dry(
        &triage,
        &json!([
            // The same road in the same window: granted by the rules.
            before("2026-03-01T08:00:00Z", &json!({})),
            // Decided otherwise than the rules say; another year for the calendar, within 24 months.
            before(
                "2025-03-01T08:00:00Z",
                &json!({ "outcome": "rejected", "fields": { "households": 7, "meeting_date": "2025-02-01" } })
            ),
            // Too few households to be added up; more than 24 months ago.
            before(
                "2023-03-01T08:00:00Z",
                &json!({ "outcome": "granted", "fields": { "households": 2, "meeting_date": "2023-02-01" } })
            ),
            // It came later: it counts where order does not matter.
            before("2026-04-01T08:00:00Z", &json!({ "fields": { "register_unit": "999-2026-K8" } })),
        ]),
    );
    assert_eq!(of(&file), ["1", "true", "2585.00", "12", "2026-03-01", "2"]);
    assert_eq!(file.assessment.as_ref().unwrap().outcome, Outcome::Rejected);
    let sum = file.facts.get("granted_before").unwrap();
    assert!(matches!(sum.value, FactValue::Money(_)));
    let Evidence::Cases { numbers, .. } = &sum.evidence else { panic!("{sum:?}") };
    assert_eq!(numbers, &["2026-03-01T08:00:00Z"]);
    // The same register, the same facts, the same draft.
    assert_eq!(
        file,
        dry(
            &triage,
            &json!([
                before("2026-04-01T08:00:00Z", &json!({ "fields": { "register_unit": "999-2026-K8" } })),
                before(
                    "2023-03-01T08:00:00Z",
                    &json!({ "outcome": "granted", "fields": { "households": 2, "meeting_date": "2023-02-01" } })
                ),
                before(
                    "2025-03-01T08:00:00Z",
                    &json!({ "outcome": "rejected", "fields": { "households": 7, "meeting_date": "2025-02-01" } })
                ),
                before("2026-03-01T08:00:00Z", &json!({})),
            ])
        )
    );
}

#[test]
fn what_came_before_is_refused_where_it_is_said_wrongly() {
    let (ambient, _) = Ambient::fixed(at(NOW));
    let file = intake::json::Defaults::file(Some("harjuvesi".parse().unwrap()), None, ambient.clone());
    let api = intake::json::Defaults::web("harjuvesi".parse().unwrap(), ambient);
    let said = |earlier: Value, defaults: &intake::json::Defaults| {
        let input = json!({ "text": "x", "earlier": earlier });
        intake::json::parse(input.to_string().as_bytes(), defaults)
            .map(|read| read[0].earlier.len())
            .map_err(|e| e.to_string())
    };
    let received = "2026-03-01T08:00:00Z";
    assert_eq!(said(json!([{ "text": "a", "received_at": received }]), &file), Ok(1));
    for (earlier, place) in [
        (json!({}), "/earlier: "),
        (json!(["a"]), "/earlier/0: "),
        (json!([{ "text": "a" }]), "/earlier/0/received_at: "),
        (json!([{ "text": "a", "received_at": received, "outcome": "won" }]), "/earlier/0/outcome: "),
        (json!([{ "text": "a", "received_at": received, "earlier": [] }]), "/earlier/0/earlier: "),
        (json!([{ "text": "a", "received_at": "soon" }]), "/earlier/0: /received_at: "),
    ] {
        let error = said(earlier, &file).unwrap_err();
        assert!(error.starts_with(place), "{error}");
    }
    assert!(said(json!([]), &api).unwrap_err().contains("no key `earlier`"), "only a file tells of others");
}

#[tokio::test]
async fn a_service_without_history_reads_no_other_case() {
    let app = spawn_app().await;
    let case = app.drafted(&road("plain", &json!({}))).await;
    let evidence = app.handler().await.get(&format!("{case}/evidence")).await.expect(200).json;
    let facts = evidence["facts"].as_array().unwrap();
    assert!(!facts.is_empty() && facts.iter().all(|fact| fact["evidence"]["source"] != "cases"));
    app.stop().await;
}

#[test]
fn a_history_that_is_said_wrongly_is_explained() {
    for (old, new, said, instead) in [
        (
            "same: [register_unit]",
            "same: [register_unitt]",
            "a field `register_unitt` that `private-road-grant` has not",
            "register_unit",
        ),
        ("where: {households:", "where: {house_holds:", "a field `house_holds` that", "households"),
        (
            "where: {households:",
            "where: {road_name: x, households:",
            "of no type that fits `where`",
            "compared with `same`",
        ),
        ("field: households", "field: road_name", "of no type that fits `field`", "number or money"),
        ("{from: meeting_date,", "{from: road_name,", "of no type that fits `overlap`", "date or moment"),
        ("step: granted", "step: grantd", "adds up a step `grantd`", "granted"),
        ("step: granted", "step: class", "adds up a step `class`", "granted"),
        ("    step: granted\n", "", "does not say what is added up", "`field: …` or `step: …`"),
        ("of: latest", "of: latest\n    field: households", "adds nothing up", "`of: sum`"),
        ("of: latest", "of: latest\n    services: [road-grants]", "an unknown service `road-grants`", "write one of"),
        ("fact: same_meeting", "fact: latest", "`latest` is given twice", "another name"),
        ("fact: same_meeting", "fact: Same", "`Same` is not snake_case", "a letter first"),
        ("of: count", "of: number", "", ""),
        ("fact: earlier_roads", "fact: earlier_grants", "gives the fact `earlier_roads`", "earlier_grants"),
        ("of: count", "of: any", "declared as", "same type"),
    ] {
        let packs = Packs::new();
        packs.write(SERVICE, old, new);
        let faults = policy::check(packs.0.path());
        let told = faults.to_string();
        let found = faults.iter().find(|fault| fault.what.contains(said) && fault.instead.contains(instead));
        let found = found.unwrap_or_else(|| panic!("{new}: {told}"));
        assert!(found.line.is_some_and(|line| line > 1), "{new}: {told}");
    }
    // Nobody is asked for what other cases say.
    let packs = Packs::new();
    packs.write(
        POLICY,
        "  earlier_roads:\n    type: number\n",
        "  earlier_roads:\n    type: number\n    ask: {fi: Montako?, sv: Hur många?}\n",
    );
    let told = policy::check(packs.0.path()).to_string();
    assert!(told.contains("the fact `earlier_roads` comes from other cases"), "{told}");
}
