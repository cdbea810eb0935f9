//! Who may decide: deputies on their days, what the case says of power, and who has declared that they are disqualified.

use serde_json::{Value, json};
use vireille::cases::{Actor, Deputyship, Role};
use vireille::review::NewToken;

use crate::pages::{Browser, signed_in};
use crate::support::app::{Caller, TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::{large_road, web_road};

/// Somebody who holds the technical director's post as its deputy for these days.
async fn deputy(app: &TestApp, name: &str, from: &str, until: &str) -> Caller {
    let deputy = Some(Deputyship { from: from.parse().unwrap(), until: until.parse().unwrap() });
    let post = Some("technical-director".parse().unwrap());
    let new = NewToken { role: Role::Approver, name: name.to_owned(), post, deputy };
    let by = Actor::system("test");
    let made = app.app.review().issue_token(&"harjuvesi".parse().unwrap(), by, new).await;
    let (person, secret) = made.expect("a token is made");
    app.caller(Some(secret), person.token.to_string())
}

async fn last_event(app: &TestApp, case: &str) -> Value {
    let timeline = app.handler().await.get(&format!("{case}/timeline")).await.expect(200).json;
    timeline["items"].as_array().unwrap().last().unwrap().clone()
}

fn page_of(case: &str) -> String {
    case.replace("/v1", "/console")
}

#[tokio::test]
async fn a_deputy_decides_on_their_days_only_and_it_is_said() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        // It is the 20th of April.
        let early = deputy(&app, "Eeva Ennen", "2026-04-01", "2026-04-19").await;
        let late = deputy(&app, "Lauri Liian", "2026-04-21", "2026-04-30").await;
        for (caller, from) in [(&early, "2026-04-01"), (&late, "2026-04-21")] {
            let refused = caller.approve(&case).await.problem(403, "/problems/not-deputy-now");
            assert_eq!(refused["from"], from);
            let event = last_event(&app, &case).await;
            assert_eq!(
                (&event["kind"], &event["payload"]["reason"]),
                (&json!("approval-refused"), &json!("not-deputy-now"))
            );
        }
        let page = signed_in(&app, &late).await.get(&page_of(&case)).await.expect(200);
        let page = page.says("Sijaisuutesi ei ole voimassa tänään").says("Sinulla ei ole päätösvaltaa");
        assert!(!page.html.contains("name=\"confirmed\""), "no button that only refuses");

        let saara = deputy(&app, "Saara Sijainen", "2026-04-20", "2026-04-20").await;
        let mut browser = signed_in(&app, &saara).await;
        let page = browser.get(&page_of(&case)).await.expect(200).says("Saat päättää enintään 5\u{a0}000,00\u{a0}€");
        page.says("Toimit sijaisena 20.4.2026 asti: tekninen johtaja").says("name=\"confirmed\"");
        let decided = saara.approve(&case).await.expect(200).json;
        assert_eq!(decided["decision"]["deputy_for"], "technical-director");
        assert_eq!(last_event(&app, &case).await["payload"]["deputy_for"], "technical-director");
        browser.get(&page_of(&case)).await.says("Saara Sijainen, tekninen johtaja, sijaisena");
        browser
            .get(&format!("{}?lang=sv", page_of(&case)))
            .await
            .says("Saara Sijainen, teknisk direktör, som ersättare");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_standing_deputy_of_a_post_is_named_as_such_and_the_holder_is_not() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let file = app.app.rulebooks().get(&"harjuvesi".parse().unwrap()).unwrap();
    let standing = file.pack.municipality.deciders[&"technical-director".parse().unwrap()].deputy.clone().unwrap();
    let standing = app.person(Role::Approver, "Varpu Varalla", Some(standing.as_str())).await;
    let decided = standing.approve(&case).await.expect(200).json;
    assert_eq!(decided["decision"]["deputy_for"], "technical-director");
    let page = signed_in(&app, &standing).await.get(&page_of(&case)).await.expect(200);
    page.says("Varpu Varalla, ").says("sijaisena (tekninen johtaja)");

    let mut other = web_road();
    other["id"] = "other".into();
    let case = app.drafted(&other).await;
    let decided = app.director().await.approve(&case).await.expect(200).json;
    assert!(decided["decision"].get("deputy_for").is_none(), "{decided}");
    let page = signed_in(&app, &standing).await.get(&page_of(&case)).await.expect(200);
    let page = page.says("Tuomas Teknikko, tekninen johtaja<br>");
    assert!(!page.html.contains("johtaja, sijaisena"), "{}", page.html);
    app.stop().await;
}

#[tokio::test]
async fn the_letter_of_a_deputy_is_signed_as_theirs_for_its_party_too() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let begun = resident.post("/m/harjuvesi/forms", &[("service", "fault-notice")]).await.expect(303);
    let path = begun.header("location").to_owned();
    let form =
        [("category", "LI1"), ("description", "Katuvalo ei pala"), ("location_note", "Koulutie 4"), ("act", "check")];
    resident.upload(&path, &form, &[]).await.expect(303);
    let sent = resident.post(&format!("{path}/send"), &[]).await.expect(303);
    let link = sent.header("location").trim_end_matches("?sent=1").to_owned();
    app.now_is("2026-04-20T08:15:00Z");
    app.run_jobs().await;
    let saara = deputy(&app, "Saara Sijainen", "2026-04-20", "2026-04-20").await;
    let queue = saara.get("/v1/cases").await.expect(200).json;
    saara.approve(&format!("/v1/cases/{}", queue["items"][0]["id"].as_str().unwrap())).await.expect(200);
    resident.get(&link).await.expect(200).says("Saara Sijainen, tekninen johtaja, sijaisena");
    app.stop().await;
}

#[tokio::test]
async fn the_case_says_what_its_reader_may_decide_and_who_else_may() {
    let app = spawn_app().await;
    let case = app.drafted(&large_road()).await;
    let director = app.director().await;
    let board = app.person(Role::Approver, "Teija Puheenjohtaja", Some("technical-board")).await;
    let page = signed_in(&app, &director).await.get(&page_of(&case)).await.expect(200);
    let page = page.says("Saat päättää enintään 5\u{a0}000,00\u{a0}€").says("delegation/road-grant@2026-01-01");
    let page = page.says("12 § Yksityistieavustukset").says("tekninen lautakunta").says("Teija Puheenjohtaja");
    assert!(!page.html.contains("<li>tekninen johtaja"), "the director does not reach 6 000 €: {}", page.html);
    signed_in(&app, &board).await.get(&page_of(&case)).await.expect(200).says("Saat päättää asian ilman ylärajaa");
    let handler = app.handler().await;
    let page = signed_in(&app, &handler).await.get(&page_of(&case)).await.expect(200).says("Teija Puheenjohtaja");
    assert!(!page.html.contains("Sinulla ei ole päätösvaltaa"), "nobody told a handler that they decide");

    let power = director.get(&format!("{case}/power")).await.expect(200).json;
    assert_eq!((&power["holds"], &power["up_to"]), (&json!(true), &json!("5000.00")));
    assert_eq!(
        (&power["row"], &power["source"]),
        (&json!("delegation/road-grant@2026-01-01"), &json!("hallintosaanto#s12"))
    );
    assert_eq!(power["holders"].as_array().unwrap().len(), 1);
    assert_eq!(power["holders"][0]["decider"], "technical-board");
    assert_eq!(power["holders"][0]["people"], json!(["Teija Puheenjohtaja"]));
    let clerk = app.person(Role::Approver, "Silja Sihteeri", Some("hr-secretary")).await;
    let power = clerk.get(&format!("{case}/power")).await.expect(200).json;
    assert_eq!((&power["holds"], &power["up_to"]), (&json!(false), &Value::Null));
    app.stranger(Role::Approver).await.get(&format!("{case}/power")).await.expect(404);
    app.stop().await;
}

#[tokio::test]
async fn whoever_is_disqualified_says_so_at_any_time_and_somebody_else_goes_on() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let (handler, director) = (app.handler().await, app.director().await);
        // Not at the claim, but in the middle of the work.
        handler.claim(&case).await.expect(200);
        let order = json!({ "ground": "interest" });
        let after = handler.post(&format!("{case}/disqualify"), &order).await.expect(200).json;
        assert_eq!(after["claim"], Value::Null, "the case is free for another");
        handler.post(&format!("{case}/disqualify"), &json!({ "ground": "other" })).await.expect(200);
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["disqualified"].as_array().unwrap().len(), 1, "what was said first stands");
        assert_eq!(page["disqualified"][0]["ground"], "interest");
        let event = last_event(&app, &case).await;
        assert_eq!((&event["kind"], &event["payload"]), (&json!("disqualified"), &json!({ "ground": "interest" })));
        handler.claim(&case).await.problem(403, "/problems/disqualified");
        handler.edit_part(&case, "contact", |text| format!("{text}!")).await.problem(403, "/problems/disqualified");
        let class = json!({ "matter": "feedback", "reason": "Palautetta." });
        handler.post(&format!("{case}/reclassify"), &class).await.problem(403, "/problems/disqualified");
        let question = json!({ "questions": [{ "about": "details", "text": "Mikä?" }] });
        handler.post(&format!("{case}/ask"), &question).await.problem(403, "/problems/disqualified");
        // Another token is the same person.
        let again = app.person(Role::Approver, "Veera Valmistelija", Some("technical-director")).await;
        again.approve(&case).await.problem(403, "/problems/disqualified");

        director.post(&format!("{case}/disqualify"), &json!({ "ground": "party" })).await.expect(200);
        director.approve(&case).await.problem(403, "/problems/disqualified");
        let power = director.get(&format!("{case}/power")).await.expect(200).json;
        assert_eq!(power["disqualified"], true);
        let deputy = deputy(&app, "Saara Sijainen", "2026-04-20", "2026-04-30").await;
        let power = director.get(&format!("{case}/power")).await.expect(200).json;
        assert_eq!(power["holders"][0]["people"], json!(["Saara Sijainen"]), "who may instead");
        deputy.approve(&case).await.expect(200);
        let ended = app.handler().await.post(&format!("{case}/disqualify"), &order).await;
        ended.problem(409, "/problems/final");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_page_takes_the_declaration_and_offers_nothing_more() {
    let app = spawn_app().await;
    let text = "Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä!";
    let case = app.drafted(&json!({ "id": "danger", "text": text })).await;
    let path = page_of(&case);
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    browser.get(&path).await.expect(200).says("Ilmoita esteellisyydestä").says("hallintolaki 27–30 §");
    browser.post(&format!("{path}/claim"), &[]).await.expect(303);
    browser.post(&format!("{path}/disqualify"), &[]).await.expect(422).says("Jokin kohta pitää korjata");
    let declared = browser.post(&format!("{path}/disqualify"), &[("ground", "party")]).await;
    declared.leads_to(&format!("{path}?done=disqualified"));
    let page = browser.get(&format!("{path}?done=disqualified")).await.expect(200).says("Esteellisyytesi on kirjattu");
    let page = page.says("Olet ilmoittanut olevasi esteellinen").says("osallisuus").says("toinen käsittelijä");
    for gone in ["/claim\"", "/release\"", "/reclassify\"", "/withdraw\"", "/disqualify\""] {
        assert!(!page.html.contains(&format!("action=\"{path}{gone}")), "{gone}");
    }
    // Danger is seen by whoever is there.
    let alert = page.html.split("name=\"alert\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    browser.post(&format!("{path}/acknowledge"), &[("alert", &alert)]).await.expect(303);
    let auditor = app.person(Role::Auditor, "Aune Auditoija", None).await;
    let page = signed_in(&app, &auditor).await.get(&path).await.expect(200).says("Veera Valmistelija, osallisuus");
    assert!(!page.html.contains("/disqualify\""), "an auditor declares nothing");
    auditor.post(&format!("{case}/disqualify"), &json!({ "ground": "party" })).await.expect(403);
    app.stop().await;
}

#[tokio::test]
async fn a_deputy_has_a_post_and_days_that_follow_each_other() {
    let app = spawn_app().await;
    let admin = app.person(Role::Admin, "Aki Admin", None).await;
    let days = json!({ "from": "2026-07-01", "until": "2026-07-31" });
    let new =
        |post: Value, deputy: &Value| json!({ "role": "approver", "name": "Saara", "post": post, "deputy": deputy });
    let refused = admin.post("/v1/tokens", &new(Value::Null, &days)).await.problem(422, "/problems/invalid");
    assert!(refused["errors"].as_array().unwrap().iter().any(|error| error["pointer"] == "/deputy"), "{refused}");
    let backwards = json!({ "from": "2026-07-02", "until": "2026-07-01" });
    let refused = admin.post("/v1/tokens", &new(json!("technical-director"), &backwards)).await;
    assert_eq!(refused.problem(422, "/problems/invalid")["errors"][0]["pointer"], "/deputy/until");
    let made = admin.post("/v1/tokens", &new(json!("technical-director"), &days)).await.expect(201).json;
    assert_eq!(made["person"]["deputy"], days);
    let endless = json!({ "from": "2026-07-01" });
    admin.post("/v1/tokens", &new(json!("technical-director"), &endless)).await.expect(422);
}
