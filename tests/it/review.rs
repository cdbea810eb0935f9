//! What people do with a case, told as stories over the API.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::support::app::{TestApp, approval, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::{NOW, large_road, web_road};

async fn kinds(app: &TestApp, case: &str) -> Vec<String> {
    let timeline = app.handler().await.get(&format!("{case}/timeline")).await.expect(200).json;
    timeline["items"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_application_comes_in_and_a_person_decides_it() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let handler = app.handler().await;
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["status"], "in-review");
        assert_eq!(page["assessment"]["amount"], "2585.00");
        assert_eq!(page["route"]["decider"], "technical-director");
        let decided = app.director().await.approve(&case).await.expect(200).json;
        assert_eq!(decided["case"]["status"], "decided");
        assert_eq!(decided["decision"]["amount"], "2585.00");
        assert_eq!(decided["decision"]["authority"], "delegation/road-grant@2026-01-01");
        assert_eq!(decided["decision"]["person"]["name"], "Tuomas Teknikko");
        assert_eq!(handler.get(&case).await.expect(200).json["decision"]["draft_hash"], page["draft"]["hash"]);
        assert_eq!(kinds(&app, &case).await.last().unwrap(), "approved");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_approvals_at_once_one_wins() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let (one, two) = (app.director().await, app.director().await);
        let seen = approval(&one.draft(&case).await);
        let (first, second) = tokio::join!(one.approve_as(&case, &seen), two.approve_as(&case, &seen));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
        let loser = if first.status == 409 { first } else { second };
        loser.problem(409, "/problems/already-decided");
        let approved = kinds(&app, &case).await.iter().filter(|kind| *kind == "approved").count();
        assert_eq!(approved, 1);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn above_the_limit_the_board_decides() {
    let app = spawn_app().await;
    let case = app.drafted(&large_road()).await;
    let director = app.director().await;
    let problem = director.approve(&case).await.problem(403, "/problems/beyond-power");
    assert_eq!((&problem["limit"], &problem["whose"]), (&json!("5000.00"), &json!("technical-board")));
    assert_eq!(kinds(&app, &case).await.last().unwrap(), "approval-refused");
    let other = app.person(Role::Approver, "Muu", Some("wellbeing-director")).await;
    let problem = other.approve(&case).await.problem(403, "/problems/beyond-power");
    assert_eq!(problem["limit"], Value::Null);
    let board = app.person(Role::Approver, "Teija Sihteeri", Some("technical-board")).await;
    board.approve(&case).await.expect(200);
}

#[tokio::test]
async fn what_was_not_seen_is_not_approved() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let director = app.director().await;
    let draft = director.draft(&case).await;
    let good = approval(&draft);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let stale =
        director.approve_as(&case, &with("draft_hash", json!("sha256:00"))).await.problem(409, "/problems/stale-draft");
    assert_eq!(stale["current"], draft["hash"]);
    for amount in [json!("2585.01"), Value::Null] {
        let problem = director.approve_as(&case, &with("confirmed_amount", amount)).await;
        let problem = problem.problem(422, "/problems/amount-not-confirmed");
        assert_eq!(problem["errors"][0]["pointer"], "/confirmed_amount");
    }
    let unread = director.approve_as(&case, &with("appeal_confirmed", json!(false))).await;
    unread.problem(422, "/problems/appeal-not-confirmed");
    director.approve_as(&case, &with("disqualified", json!(true))).await.problem(403, "/problems/disqualified");
    // Once said, it stays said.
    director.approve_as(&case, &good).await.problem(403, "/problems/disqualified");
    app.director().await.approve_as(&case, &good).await.expect(200);
}

#[tokio::test]
async fn who_prepared_a_decision_does_not_approve_it() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let director = app.director().await;
    director.claim(&case).await.expect(200);
    let edited = director.edit_part(&case, "contact", |text| format!("{text}\nTervetuloa.")).await.expect(200);
    assert_eq!(edited.json["version"], 2);
    director.approve(&case).await.problem(403, "/problems/preparer-approves");
    let deputy = app.person(Role::Approver, "Teija Sihteeri", Some("technical-board")).await;
    deputy.approve(&case).await.expect(200);
}

#[tokio::test]
async fn an_edit_is_a_new_version_and_a_stale_one_is_refused() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let handler = app.handler().await;
    let first = handler.draft(&case).await;
    let parts = json!({ "parts": first["content"]["parts"] });
    handler.put_draft(&case, first["hash"].as_str().unwrap(), &parts).await.problem(409, "/problems/not-claimed");
    handler.claim(&case).await.expect(200);
    let same = handler.put_draft(&case, first["hash"].as_str().unwrap(), &parts).await.expect(200);
    assert_eq!(same.json["version"], 1, "nothing changed, no version");

    let second = handler.edit_part(&case, "contact", |text| format!("{text}\nTervetuloa.")).await.expect(200);
    assert_eq!((&second.json["version"], &second.json["prepared_by"]["by"]), (&json!(2), &json!("person")));
    assert_eq!(second.header("etag"), format!("\"{}\"", second.json["hash"].as_str().unwrap()));
    assert!(second.json["content"]["letter"].as_str().unwrap().contains("Tervetuloa."));
    let stale =
        handler.put_draft(&case, first["hash"].as_str().unwrap(), &parts).await.problem(412, "/problems/stale-draft");
    assert_eq!(stale["current"], second.json["hash"]);
    let headers = [("content-type", "application/json")];
    let body = parts.to_string().into_bytes();
    let blind = handler.send(reqwest::Method::PUT, &format!("{case}/draft"), &headers, Some(body)).await;
    blind.problem(428, "/problems/precondition-required");

    let versions = handler.get(&format!("{case}/drafts")).await.expect(200).json;
    assert_eq!(versions["items"].as_array().unwrap().len(), 2);
    assert_eq!(versions["items"][0]["hash"], first["hash"], "the first version is as it was");
    let hidden =
        handler.edit_part(&case, "contact", |_| "a\u{202e}b".to_owned()).await.problem(422, "/problems/invalid");
    assert!(hidden["errors"][0]["pointer"].as_str().unwrap().starts_with("/parts/"), "{hidden}");
}

#[tokio::test]
async fn an_edit_that_breaks_a_check_is_kept_and_not_approved() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let handler = app.handler().await;
    handler.claim(&case).await.expect(200);
    let edited =
        handler.edit_part(&case, "conditions", |text| format!("{text} Lisäksi maksetaan 9 585 €.")).await.expect(200);
    let checks = handler.get(&format!("{case}/checks")).await.expect(200).json;
    assert_eq!(checks["verified"], false, "{}", edited.text);
    let problem = app.director().await.approve(&case).await.problem(422, "/problems/checks-failed");
    let failed: Vec<&str> =
        problem["checks"].as_array().unwrap().iter().filter_map(|check| check["id"].as_str()).collect();
    assert!(failed.contains(&"K01"), "{failed:?}");
}

#[tokio::test]
async fn checks_can_be_tried_before_saving() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let handler = app.handler().await;
    let now = handler.post(&format!("{case}/verify"), &Value::Null).await.expect(200).json;
    assert_eq!(now["verified"], true, "{now}");
    let mut words = json!({ "parts": handler.draft(&case).await["content"]["parts"] });
    let conditions = words["parts"].as_array_mut().unwrap().iter_mut().find(|part| part["kind"] == "conditions");
    conditions.unwrap()["text"] = "Lisäksi maksetaan 9 585 €.".into();
    let tried = handler.post(&format!("{case}/verify"), &words).await.expect(200).json;
    assert_eq!((&tried["verified"], &tried["draft"]), (&json!(false), &Value::Null));
    assert_eq!(handler.draft(&case).await["version"], 1, "nothing was saved");
}

#[tokio::test]
async fn one_person_works_on_a_case_at_a_time() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let (one, two) = (app.handler().await, app.handler().await);
    one.claim(&case).await.expect(200);
    one.claim(&case).await.expect(200);
    two.claim(&case).await.problem(409, "/problems/claimed-by-another");
    two.post(&format!("{case}/release"), &Value::Null).await.problem(409, "/problems/claimed-by-another");
    let mine = one.get("/v1/cases?claimed=me").await.expect(200).json;
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    one.post(&format!("{case}/release"), &Value::Null).await.expect(200);
    two.claim(&case).await.expect(200);
    // The lease of four hours runs out.
    app.now_is("2026-04-20T13:00:01Z");
    two.edit_part(&case, "contact", |text| format!("{text}!")).await.problem(409, "/problems/not-claimed");
    one.claim(&case).await.expect(200);
}

#[tokio::test]
async fn a_disqualified_person_is_refused_and_it_is_on_the_record() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let handler = app.handler().await;
    let refused = handler.post(&format!("{case}/claim"), &json!({ "disqualified": true })).await;
    refused.problem(403, "/problems/disqualified");
    handler.claim(&case).await.problem(403, "/problems/disqualified");
    let timeline = app.handler().await.get(&format!("{case}/timeline")).await.expect(200).json;
    let last = timeline["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["payload"]["ground"]), (&json!("disqualified"), &json!("other")));
    app.handler().await.claim(&case).await.expect(200);
}

#[tokio::test]
async fn an_approver_gives_a_draft_back_with_the_reason() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let (handler, director) = (app.handler().await, app.director().await);
    handler.claim(&case).await.expect(200);
    let order = json!({ "reason": "Perustele sepelin hinta." });
    let back = director.post(&format!("{case}/return"), &order).await.expect(200).json;
    assert_eq!((&back["status"], &back["claim"]), (&json!("in-review"), &Value::Null));
    let page = handler.get(&case).await.expect(200).json;
    assert_eq!(page["returned"]["reason"], "Perustele sepelin hinta.");
    let timeline = handler.get(&format!("{case}/timeline")).await.expect(200).text;
    assert!(!timeline.contains("sepelin"), "words stay out of the chain");
    handler.claim(&case).await.expect(200);
    handler.edit_part(&case, "contact", |text| format!("{text}\nTervetuloa.")).await.expect(200);
    assert_eq!(handler.get(&case).await.expect(200).json["returned"], Value::Null);
}

#[tokio::test]
async fn a_handler_asks_and_the_answer_comes() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let handler = app.handler().await;
        let questions = json!({ "questions": [{ "about": "restrictions", "text": "Mitä rajoituksia tiellä on?" }] });
        handler.post(&format!("{case}/ask"), &questions).await.problem(409, "/problems/not-claimed");
        handler.claim(&case).await.expect(200);
        let asked = handler.post(&format!("{case}/ask"), &questions).await.expect(200).json;
        assert_eq!(asked["status"], "received");
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!(draft["content"]["kind"], "completion", "{draft}");
        assert!(draft["content"]["letter"].as_str().unwrap().contains("Mitä rajoituksia tiellä on?"));
        let sent = app.director().await.approve(&case).await.expect(200).json;
        assert_eq!(sent["case"]["status"], "awaiting-completion");
        assert_eq!(sent["case"]["due"]["because"], "completion request");

        let more = json!({ "fields": { "restrictions": "Kelirikkoaikana yli 12 tonnin ajo kielletty." } });
        let residents = app.residents().await;
        let receipt = residents.post(&format!("{case}/supplements"), &more).await.expect(201).json;
        assert_eq!((&receipt["status"], &receipt["already"]), (&json!("received"), &json!(false)));
        app.run_jobs().await;
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["status"], "in-review");
        assert_eq!(page["draft"]["content"]["kind"], "grant", "{}", page["draft"]["content"]["letter"]);
        assert_eq!(page["submission"]["supplements"].as_array().unwrap().len(), 1);
        app.director().await.approve(&case).await.expect(200);
        residents.post(&format!("{case}/supplements"), &more).await.problem(409, "/problems/final");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_notice_is_reclassified_transferred_and_withdrawn() {
    let app = spawn_app().await;
    let notice = json!({ "text": "Katuvalo on pimeä Kirkkotiellä.", "location": { "address": "Kirkkotie 5" } });
    let case = app.drafted(&notice).await;
    let handler = app.handler().await;
    let registry = app.person(Role::Registry, "Kirjaamo", None).await;

    let wrong = json!({ "matter": "feedback", "service": "fault-notice", "category": "XX9", "reason": "x" });
    let problem = registry.post(&format!("{case}/reclassify"), &wrong).await.problem(422, "/problems/invalid");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem}");
    let class =
        json!({ "matter": "fault-notice", "service": "fault-notice", "category": "LI1", "reason": "Valo on pimeä." });
    registry.post(&format!("{case}/reclassify"), &class).await.expect(200);
    registry.post(&format!("{case}/reclassify"), &class).await.problem(409, "/problems/illegal-transition");
    app.run_jobs().await;
    assert_eq!(handler.get(&case).await.expect(200).json["reclassified"]["category"], "LI1");

    handler.claim(&case).await.expect(200);
    let nowhere = handler.post(&format!("{case}/transfer"), &json!({ "authority": "moon" })).await;
    nowhere.problem(422, "/problems/invalid");
    let authority = app.app.rulebooks().get(&"harjuvesi".parse().unwrap()).unwrap().pack.authorities[0].id.clone();
    handler.post(&format!("{case}/transfer"), &json!({ "authority": authority })).await.expect(200);
    app.run_jobs().await;
    assert_eq!(handler.draft(&case).await["content"]["kind"], "transfer");

    let gone = app.residents().await.post(&format!("{case}/withdraw"), &Value::Null).await.expect(200).json;
    assert_eq!(gone["status"], "withdrawn");
    registry.post(&format!("{case}/withdraw"), &Value::Null).await.problem(409, "/problems/illegal-transition");
    handler.claim(&case).await.problem(409, "/problems/final");
}

#[tokio::test]
async fn words_of_danger_are_seen_before_anything_is_approved() {
    let app = spawn_app().await;
    let notice = json!({ "text": "Sähköjohto roikkuu kipinöiden leikkipuiston päällä, lapset vieressä, apua!",
        "location": { "address": "Kirkkotie 5" } });
    let receipt = app.residents().await.submit(&notice).await.expect(201).json;
    assert!(receipt["emergency"][0]["text"].as_str().unwrap().contains("112"), "{receipt}");
    app.now_is(NOW);
    app.run_jobs().await;
    let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
    let handler = app.handler().await;
    let alerts = handler.get("/v1/alerts").await.expect(200).json;
    assert_eq!(alerts["items"][0]["case_id"], receipt["case_id"]);
    let director = app.director().await;
    director.approve(&case).await.problem(422, "/problems/open-alert");
    let alert = alerts["items"][0]["id"].as_str().unwrap();
    let seen = handler.post(&format!("/v1/alerts/{alert}/acknowledge"), &Value::Null).await.expect(200).json;
    assert_eq!(seen["acknowledged"]["person"]["token"], handler.token);
    let page = handler.get(&case).await.expect(200).json;
    assert_eq!((&page["alerts"][0]["id"], &page["alert_open"]), (&json!(alert), &json!(false)));
    assert_eq!(page["alerts"][0]["acknowledged"], seen["acknowledged"]);
    assert_eq!(handler.get("/v1/alerts").await.expect(200).json["items"], json!([]));
    assert_eq!(handler.get("/v1/alerts?all=true").await.expect(200).json["items"].as_array().unwrap().len(), 1);
    let decided = director.approve(&case).await.expect(200).json;
    assert_eq!(decided["case"]["status"], "acknowledged");
}

#[tokio::test]
async fn danger_in_a_supplement_is_told_at_once() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let more = json!({ "text": "En jaksa enää elää, aion tappaa itseni." });
    let receipt = app.residents().await.post(&format!("{case}/supplements"), &more).await.expect(201).json;
    assert_eq!(receipt["cards"], json!(["crisis"]), "{receipt}");
    let alerts = app.handler().await.get("/v1/alerts").await.expect(200).json;
    assert_eq!(alerts["items"].as_array().unwrap().len(), 1, "before any job has run");
    app.run_jobs().await;
    let alerts = app.handler().await.get("/v1/alerts").await.expect(200).json;
    assert_eq!(alerts["items"].as_array().unwrap().len(), 1, "once");
}

#[tokio::test]
async fn who_reads_the_bytes_is_on_the_record_and_other_reading_is_not() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let handler = app.handler().await;
    let before = kinds(&app, &case).await;
    for view in ["", "/evidence", "/trace", "/checks", "/timeline", "/drafts", "/draft", "/submission"] {
        handler.get(&format!("{case}{view}")).await.expect(200);
    }
    assert_eq!(kinds(&app, &case).await, before);
    handler.get(&format!("{case}/submission/raw")).await.expect(200);
    assert_eq!(kinds(&app, &case).await.last().unwrap(), "read");
}

#[tokio::test]
async fn where_the_policy_leaves_it_to_a_person_a_person_rules() {
    let app = spawn_app().await;
    // Sent a minute before the window closed, received after an outage.
    app.now_is("2026-04-15T12:20:00Z");
    let mut outage = web_road();
    outage["sent_at"] = "2026-04-15T11:59:00Z".into();
    let case = app.drafted(&outage).await;
    let director = app.director().await;
    director.claim(&case).await.expect(200);
    let order = |rule: &str, outcome: &str| json!({ "rulings": [{ "rule": rule, "outcome": outcome, "reason": "käyttökatko" }] });
    for (rule, outcome, pointer) in
        [("min-length", "met", "/rulings/0/rule"), ("in-time", "unknown", "/rulings/0/outcome")]
    {
        let problem = director.post(&format!("{case}/rulings"), &order(rule, outcome)).await;
        assert_eq!(problem.problem(422, "/problems/invalid")["errors"][0]["pointer"], pointer);
    }
    director.post(&format!("{case}/rulings"), &order("in-time", "met")).await.expect(200);
    app.run_jobs().await;
    assert_eq!(director.draft(&case).await["content"]["kind"], "grant");
    let trace = director.get(&format!("{case}/trace")).await.expect(200).json;
    assert_eq!(trace["rulings"][0]["actor"], director.token);
    director.approve(&case).await.problem(403, "/problems/preparer-approves");
    app.director().await.approve(&case).await.expect(200);
}

#[tokio::test]
async fn a_dead_letter_is_seen_and_sent_again() {
    let app = spawn_app().await;
    let receipt = app.residents().await.submit(&web_road()).await.expect(201).json;
    let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
    let storage = app.app.storage();
    let job = storage.claim_jobs("test", 1, std::time::Duration::from_mins(1)).await.unwrap().remove(0);
    let mut tx = storage.begin().await.unwrap();
    let mut row = tx.case_for_update(&job.municipality, job.case_id.unwrap()).await.unwrap().unwrap();
    row.status = row.status.after(vireille::cases::Act::Fail, None).unwrap();
    tx.save_case(&mut row).await.unwrap();
    tx.bury_job(&job, "the disk was full").await.unwrap();
    tx.commit().await.unwrap();

    let admin = app.person(Role::Admin, "Aino Ylläpitäjä", None).await;
    let dead = admin.get("/v1/dead-jobs").await.expect(200).json;
    assert_eq!(dead["items"][0]["last_error"], "the disk was full");
    let path = format!("/v1/dead-jobs/{}/retry", dead["items"][0]["id"].as_str().unwrap());
    app.stranger(Role::Admin).await.post(&path, &Value::Null).await.expect(404);
    admin.post(&path, &Value::Null).await.expect(204);
    admin.post(&path, &Value::Null).await.problem(404, "/problems/not-found");
    app.now_is(NOW);
    app.run_jobs().await;
    assert_eq!(app.handler().await.get(&case).await.expect(200).json["status"], "in-review");
}

#[tokio::test]
async fn files_and_supplements_can_be_read_by_who_may_read_the_case() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let more = json!({ "text": "Lisäselvitys.", "attachments": [{ "name": "a.html", "content": "PHNjcmlwdD4=" }] });
    app.residents().await.post(&format!("{case}/supplements"), &more).await.expect(201);
    let handler = app.handler().await;
    let view = handler.get(&format!("{case}/submission")).await.expect(200).json;
    assert_eq!(view["supplements"][0]["text"], "Lisäselvitys.");
    let sha256 = view["supplements"][0]["attachments"][0]["sha256"].as_str().unwrap();
    let file = handler.get(&format!("{case}/files/{sha256}")).await.expect(200);
    assert_eq!((file.text.as_str(), file.header("content-type")), ("<script>", "application/octet-stream"));
    assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{sha256}\""));
    handler.get(&format!("{case}/files/{}", "0".repeat(64))).await.expect(404);
    app.stranger(Role::Handler).await.get(&format!("{case}/files/{sha256}")).await.expect(404);
    let of = view["supplements"][0]["id"].as_str().unwrap();
    assert!(handler.get(&format!("{case}/submission/raw?of={of}")).await.expect(200).text.contains("selvitys"));
    let other = app.drafted(&json!({ "text": "Katuvalo on pimeä." })).await;
    handler.get(&format!("{other}/submission/raw?of={of}")).await.expect(404);
}

#[tokio::test]
async fn what_code_works_out_no_edit_changes() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let handler = app.handler().await;
    handler.claim(&case).await.expect(200);
    for part in ["operative", "decider", "appeal", "calculation", "ai-statement"] {
        let refused = handler.edit_part(&case, part, |text| format!("{text} Ei sittenkään.")).await;
        let problem = refused.problem(422, "/problems/invalid");
        assert!(problem["errors"][0]["what"].as_str().unwrap().contains(part), "{problem}");
    }
    let draft = handler.draft(&case).await;
    let mut parts = draft["content"]["parts"].clone();
    parts.as_array_mut().unwrap().retain(|part| part["kind"] != "decider");
    let refused = handler.put_draft(&case, draft["hash"].as_str().unwrap(), &json!({ "parts": parts })).await;
    assert_eq!(refused.problem(422, "/problems/invalid")["errors"][0]["pointer"], "/parts");
}

#[tokio::test]
async fn an_approval_of_what_was_seen_before_a_supplement_is_stale() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let director = app.director().await;
    let seen = director.draft(&case).await;
    // Free text changes no letter: the new draft reads the same and is another draft all the same.
    let news = json!({ "text": "Tiekunta on lakannut ja tilinumero oli väärä." });
    app.residents().await.post(&format!("{case}/supplements"), &news).await.expect(201);
    app.run_jobs().await;
    let now = director.draft(&case).await;
    assert_eq!(now["content"]["letter"], seen["content"]["letter"]);
    let problem = director.approve_as(&case, &approval(&seen)).await.problem(409, "/problems/stale-draft");
    assert_eq!(problem["current"], now["hash"]);
    director.approve(&case).await.expect(200);
}

#[tokio::test]
async fn who_asked_does_not_approve_the_question_with_any_token() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let director = app.director().await;
    director.claim(&case).await.expect(200);
    let questions = json!({ "questions": [{ "about": "minutes", "text": "Lähettäkää pöytäkirja." }] });
    director.post(&format!("{case}/ask"), &questions).await.expect(200);
    app.run_jobs().await;
    director.approve(&case).await.problem(403, "/problems/preparer-approves");
    // The same person with a second token is the same person.
    let again = app.person(Role::Approver, "tuomas  teknikko", Some("technical-director")).await;
    again.approve(&case).await.problem(403, "/problems/preparer-approves");
    app.director().await.approve(&case).await.expect(200);
}

#[tokio::test]
async fn an_application_ends_as_something_else_only_by_the_power_to_decide_it() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let class = json!({ "matter": "feedback", "reason": "ei hakemus" });
    app.handler().await.post(&format!("{case}/reclassify"), &class).await.expect(200);
    app.run_jobs().await;
    let powerless = app.person(Role::Approver, "Vilma Virka", Some("wellbeing-director")).await;
    powerless.approve(&case).await.problem(403, "/problems/beyond-power");
    app.director().await.approve(&case).await.expect(200);
}
