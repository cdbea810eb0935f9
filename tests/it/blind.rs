//! Blind review: what people would do, said before they see what the machine proposes.

use serde_json::{Value, json};
use vireille::cases::Role;
use vireille::review::Sampling;

use crate::pages::signed_in;
use crate::support::app::{Caller, TestApp, approval};
use crate::support::database::{Database, on_every_database};
use crate::support::desk::road_json;

/// The worked application R1, which the rules grant 2 585 €.
fn road(id: &str) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    road
}

/// The application in which so many of a hundred cases are judged blind.
async fn sampling(database: &Database, share: u32) -> TestApp {
    TestApp::with(database, |config| {
        config.review.blind_share = share;
        "stories".clone_into(&mut config.review.blind_seed);
    })
    .await
}

async fn judge(caller: &Caller, case: &str, outcome: &str, amount: Option<&str>) -> Value {
    let judgement = json!({ "outcome": outcome, "amount": amount, "line": "Ehdot täyttyvät." });
    caller.post(&format!("{case}/judgement"), &judgement).await.expect(200).json
}

#[tokio::test]
async fn the_proposal_is_hidden_until_somebody_has_judged() {
    on_every_database(async |database| {
        let app = sampling(database, 100).await;
        let case = app.drafted(&road("one")).await;
        let (handler, director) = (app.handler().await, app.director().await);
        let auditor = app.person(Role::Auditor, "Aune Auditoija", None).await;
        let known = auditor.draft(&case).await;
        for caller in [&handler, &director] {
            let page = caller.get(&case).await.expect(200).json;
            assert_eq!(page["judge_first"], true);
            for hidden in ["draft", "assessment", "summary", "route", "decision", "judgement"] {
                assert_eq!(page[hidden], Value::Null, "{hidden}");
            }
            for hidden in ["questions", "proposals", "passages"] {
                assert_eq!(page[hidden], json!([]), "{hidden}");
            }
            assert_eq!(page["submission"]["service"], "private-road-grant", "what came in is there");
            assert!(!page["facts"].as_array().unwrap().is_empty());
            for view in ["draft", "drafts", "checks", "trace"] {
                let refused = caller.get(&format!("{case}/{view}")).await.problem(403, "/problems/judge-first");
                assert!(refused["detail"].as_str().unwrap().contains("/judgement"), "{view}: what to do");
            }
            caller.post(&format!("{case}/verify"), &Value::Null).await.problem(403, "/problems/judge-first");
            let timeline = caller.get(&format!("{case}/timeline")).await.expect(200).json;
            let drafted =
                timeline["items"].as_array().unwrap().iter().find(|event| event["kind"] == "drafted").unwrap();
            assert_eq!(drafted["payload"], json!({}), "it would tell the kind");
            let power = caller.get(&format!("{case}/power")).await.expect(200).json;
            assert_eq!(power["holders"].as_array().unwrap().len(), 2, "who decides would tell the amount");
        }
        // Whoever knows the hash from elsewhere does not get further.
        director.approve_as(&case, &approval(&known)).await.problem(403, "/problems/judge-first");
        let back = director.post(&format!("{case}/return"), &json!({ "reason": "Tarkista." })).await;
        back.problem(403, "/problems/judge-first");
        handler.claim(&case).await.expect(200);
        let parts = json!({ "parts": known["content"]["parts"] });
        let edit = handler.put_draft(&case, known["hash"].as_str().unwrap(), &parts).await;
        edit.problem(403, "/problems/judge-first");
        for (verb, order) in [
            ("ask", json!({ "questions": [{ "about": "details", "text": "Mikä?" }] })),
            ("transfer", json!({ "authority": "municipality" })),
            ("rulings", json!({ "rulings": [{ "rule": "x", "outcome": "met", "reason": "Näin." }] })),
        ] {
            handler.post(&format!("{case}/{verb}"), &order).await.problem(403, "/problems/judge-first");
        }
        handler.post(&format!("{case}/release"), &Value::Null).await.expect(200);

        let judged = judge(&director, &case, "grant", Some("2585.00")).await;
        assert_eq!((&judged["differs_in"], &judged["proposed_amount"]), (&json!([]), &json!("2585.00")));
        let again = json!({ "outcome": "rejection", "line": "Muutin mieleni." });
        let again = handler.post(&format!("{case}/judgement"), &again).await;
        again.problem(409, "/problems/already-judged");
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!((&page["judge_first"], &page["judgement"]["outcome"]), (&json!(false), &json!("grant")));
        assert_eq!(page["draft"]["hash"], known["hash"]);
        let timeline = handler.get(&format!("{case}/timeline")).await.expect(200);
        let event = timeline.json["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&event["kind"], &event["payload"]["agreed"]), (&json!("judged"), &json!(true)));
        assert!(!timeline.text.contains("Ehdot täyttyvät"), "words stay out of the chain");
        // Whoever judged prepared nothing.
        director.approve(&case).await.expect(200);
        assert_eq!(handler.get(&case).await.expect(200).json["judgement"]["outcome"], "grant", "it stands");

        let reader = app.person(Role::Auditor, "Tiina Tarkastaja", None).await;
        let agreed = async |days: &str| {
            let report = reader.get(&format!("/v1/reports?{days}")).await.expect(200).json;
            (report["blind"]["all"]["agreed"]["part"].clone(), report["blind"]["all"]["agreed"]["of"].clone())
        };
        assert_eq!(agreed("from=2026-04-20&to=2026-04-20").await, (json!(1), json!(1)));
        for before_or_after in ["from=2026-04-01&to=2026-04-19", "from=2026-04-21&to=2026-04-30"] {
            assert_eq!(agreed(before_or_after).await, (json!(0), json!(0)), "{before_or_after}");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn code_tells_in_what_the_two_differ() {
    let database = Database::sqlite().await;
    let app = sampling(&database, 100).await;
    let handler = app.handler().await;
    let mut told = Vec::new();
    for (id, outcome, amount) in [
        ("a", "grant", Some("2585.00")),
        ("b", "grant", Some("2585.01")),
        ("c", "grant", None),
        ("d", "partial", Some("2585.00")),
        ("e", "rejection", None),
    ] {
        // Within the window, each of them.
        app.now_is("2026-03-10T08:15:00Z");
        let case = app.drafted(&road(id)).await;
        let judged = judge(&handler, &case, outcome, amount).await;
        told.push((id, judged["differs_in"].clone()));
    }
    let expected = [
        ("a", json!([])),
        ("b", json!(["amount"])),
        ("c", json!(["amount"])),
        ("d", json!(["outcome"])),
        ("e", json!(["outcome", "amount"])),
    ];
    assert_eq!(told, expected);
    let reader = app.person(Role::Auditor, "Tiina Tarkastaja", None).await;
    let report = reader.get("/v1/reports?from=2026-04-01&to=2026-04-30").await.expect(200).json;
    let blind = json!({ "agreed": { "part": 1, "of": 5, "percent": 20.0 }, "outcome": 2, "amount": 3 });
    assert_eq!(report["blind"]["all"], blind);
    app.stop().await;
}

#[tokio::test]
async fn a_judgement_that_cannot_be_is_refused() {
    let database = Database::sqlite().await;
    let app = sampling(&database, 100).await;
    let (handler, other) = (app.handler().await, app.handler().await);
    let receipt = app.residents().await.submit(&road("one")).await.expect(201).json;
    let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
    let path = format!("{case}/judgement");
    let good = json!({ "outcome": "grant", "amount": "2585.00", "line": "Ehdot täyttyvät." });
    handler.post(&path, &good).await.problem(409, "/problems/no-draft");
    assert_eq!(handler.get(&case).await.expect(200).json["judge_first"], true);
    app.now_is("2026-04-20T09:00:00Z");
    app.run_jobs().await;
    let none = json!({ "outcome": "rejection", "amount": "1.00", "line": "Ei." });
    let refused = handler.post(&path, &none).await.problem(422, "/problems/invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/amount");
    for odd in [json!({ "outcome": "grant", "line": " " }), json!({ "outcome": "maybe", "line": "x" }), json!({})] {
        handler.post(&path, &odd).await.expect(422);
    }
    app.person(Role::Registry, "Rauni Kirjaaja", None).await.post(&path, &good).await.expect(403);
    app.stranger(Role::Handler).await.post(&path, &good).await.expect(404);
    other.claim(&case).await.expect(200);
    handler.post(&path, &good).await.problem(409, "/problems/claimed-by-another");
    other.post(&format!("{case}/disqualify"), &json!({ "ground": "party" })).await.expect(200);
    other.post(&path, &good).await.problem(403, "/problems/disqualified");
    handler.post(&path, &good).await.expect(200);
    app.stop().await;

    let database = Database::sqlite().await;
    let app = sampling(&database, 0).await;
    let case = app.drafted(&road("one")).await;
    let handler = app.handler().await;
    assert_eq!(handler.get(&case).await.expect(200).json["judge_first"], false);
    handler.post(&format!("{case}/judgement"), &good).await.problem(409, "/problems/not-blind");
    app.stop().await;
}

#[tokio::test]
async fn the_share_that_is_hidden_is_the_one_that_the_id_and_the_seed_choose() {
    let database = Database::sqlite().await;
    let app = sampling(&database, 50).await;
    let handler = app.handler().await;
    let chosen = Sampling { share: 50, seed: "stories".to_owned() };
    let mut hidden = 0;
    for n in 0..12 {
        let text = json!({ "id": n.to_string(), "text": format!("Katuvalo on pimeä Kirkkotiellä, pylväs {n}.") });
        let case = app.drafted(&text).await;
        let page = handler.get(&case).await.expect(200).json;
        let id = case.trim_start_matches("/v1/cases/").parse().unwrap();
        assert_eq!(page["judge_first"], chosen.chooses(id));
        assert_eq!(page["draft"].is_null(), chosen.chooses(id));
        hidden += usize::from(chosen.chooses(id));
    }
    assert!((1..12).contains(&hidden), "{hidden}");
    app.stop().await;
}

#[tokio::test]
async fn the_page_asks_first_and_shows_the_proposal_then() {
    let database = Database::sqlite().await;
    let app = sampling(&database, 100).await;
    let case = app.drafted(&road("one")).await;
    let path = case.replace("/v1", "/console");
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    let page = browser.get(&path).await.expect(200).says("Arvioi ensin itse").says("Harjun tiekunta");
    for hidden in ["letter-page", "2\u{a0}585,00", "name=\"draft_hash\"", "Tarkistukset", "/edit\"", "/ask\""] {
        assert!(!page.html.contains(hidden), "{hidden}: {}", page.html);
    }
    for hidden in ["edit", "versions"] {
        browser.get(&format!("{path}/{hidden}")).await.expect(403).says("Arvioi ensin itse");
    }
    let odd = [("outcome", "grant"), ("amount", "paljon"), ("line", "Ehdot <b>täyttyvät</b>.")];
    let page = browser.post(&format!("{path}/judge"), &odd).await.expect(422).says("Kirjoita summa numeroin");
    let page = page.says("value=\"paljon\"").says("Ehdot &lt;b&gt;täyttyvät&lt;/b&gt;.");
    assert!(page.html.contains("<option value=\"grant\" selected>"), "{}", page.html);
    browser.post(&format!("{path}/judge"), &[("line", "x")]).await.expect(422).says("Valitse jokin");
    let good = [("outcome", "grant"), ("amount", "2 585,00"), ("line", "Ehdot täyttyvät.")];
    browser.post(&format!("{path}/judge"), &good).await.leads_to(&format!("{path}?done=judged"));
    let page = browser.get(&format!("{path}?done=judged")).await.expect(200).says("Arviosi on kirjattu");
    page.says("letter-page").says("sama kuin ehdotus").says("Ehdot täyttyvät.").says("Veera Valmistelija");
    app.stop().await;
}

#[tokio::test]
async fn danger_is_never_hidden() {
    let database = Database::sqlite().await;
    let app = sampling(&database, 100).await;
    let text = "Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä!";
    let case = app.drafted(&json!({ "id": "danger", "text": text })).await;
    let handler = app.handler().await;
    let page = handler.get(&case).await.expect(200).json;
    assert_eq!((&page["judge_first"], &page["alert_open"]), (&json!(true), &json!(true)));
    let mut browser = signed_in(&app, &handler).await;
    let page = browser.get(&case.replace("/v1", "/console")).await.expect(200).says("Mahdollinen hätätilanne");
    let page = page.says("<mark class=\"danger\">").says("Olen nähnyt ja ryhdyn toimiin");
    let alert = page.html.split("name=\"alert\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let path = case.replace("/v1", "/console");
    browser.post(&format!("{path}/acknowledge"), &[("alert", &alert)]).await.expect(303);
    app.stop().await;
}
