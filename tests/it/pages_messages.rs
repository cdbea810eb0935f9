//! Messages between a resident and the office: read by both, deciding nothing, and never the end of a claim.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::{Browser, signed_in};
use crate::pages_resident::{FILES, applied, begin, decide, sent};
use crate::support::app::{TestApp, spawn_app};
use crate::support::desk::NOW;

/// A resident's application, drafted: the page of its link and its path in the API.
async fn drafted(app: &TestApp, resident: &mut Browser) -> (String, String) {
    let page = applied(resident, &FILES).await;
    app.now_is(NOW);
    app.run_jobs().await;
    (page, format!("/v1/cases/{}", id_of(app, "HRJ/2026/00001").await))
}

async fn id_of(app: &TestApp, number: &str) -> String {
    let rows = app.director().await.get("/v1/cases?limit=100").await.expect(200).json;
    let row = rows["items"].as_array().unwrap().iter().find(|row| row["number"] == number);
    row.unwrap_or_else(|| panic!("{number}: {rows}"))["id"].as_str().unwrap().to_owned()
}

fn console(case: &str) -> String {
    case.replace("/v1/", "/console/")
}

fn texts(messages: &Value) -> Vec<(&str, &str)> {
    let items = messages["items"].as_array().unwrap().iter();
    items.map(|one| (one["side"].as_str().unwrap(), one["text"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_question_is_answered_and_nothing_is_decided_by_it() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let (page, case) = drafted(&app, &mut resident).await;
    let director = app.director().await;
    let hash = director.draft(&case).await["hash"].clone();
    let write = format!("{page}/message");
    let words = [("message", "Milloin <b>päätös</b> tulee? {{ 7*7 }}\u{202e}")];
    for _ in 0..2 {
        resident.post(&write, &words).await.leads_to(&format!("{page}?written=1#messages"));
    }
    let shown = resident.get(&format!("{page}?written=1")).await.expect(200).says("Viestisi on lähetetty");
    let shown = shown.says("Milloin &lt;b&gt;päätös&lt;/b&gt; tulee? {{ 7*7 }}");
    assert!(!shown.html.contains('\u{202e}'));

    let mut office = signed_in(&app, &director).await;
    office.get("/console?view=all").await.expect(200).says("Viesti odottaa");
    office.get(&console(&case)).await.expect(200).says("Milloin &lt;b&gt;").says("Viesti odottaa");
    let answer = format!("{}/message", console(&case));
    office.post(&answer, &[("message", " ")]).await.expect(422).says("Kirjoita viesti, enintään 4 000 merkkiä.");
    office
        .post(&answer, &[("message", "Huhtikuun aikana.")])
        .await
        .leads_to(&format!("{}?done=written", console(&case)));
    let queue = office.get("/console?view=all").await.expect(200);
    assert!(!queue.html.contains("Viesti odottaa"), "{}", queue.html);
    let shown = resident.get(&page).await.expect(200).says("Huhtikuun aikana.").says("Harjuveden kunta");
    assert!(!shown.html.contains("Tuomas"), "the office answers by its name");
    resident.get(&format!("{page}/data")).await.expect(200).says("Huhtikuun aikana.");

    let messages = director.get(&format!("{case}/messages")).await.expect(200).json;
    let said = [("party", "Milloin <b>päätös</b> tulee? {{ 7*7 }}"), ("office", "Huhtikuun aikana.")];
    assert_eq!(texts(&messages), said);
    let timeline = director.get(&format!("{case}/timeline")).await.expect(200);
    assert_eq!(timeline.text.matches("message-sent").count(), 2, "twice the same is once: {}", timeline.text);
    assert!(!timeline.text.contains("Huhtikuun"), "the chain holds no words");
    // The same draft, the same status; whoever wrote has not prepared and may decide.
    assert_eq!(director.draft(&case).await["hash"], hash);
    director.approve(&case).await.expect(200);
    app.stop().await;
}

#[tokio::test]
async fn what_needs_no_answer_is_marked_as_read() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let (page, case) = drafted(&app, &mut resident).await;
    resident.post(&format!("{page}/message"), &[("message", "Kiitos!")]).await.expect(303);
    let handler = app.handler().await;
    let mut office = signed_in(&app, &handler).await;
    office.get(&console(&case)).await.expect(200).says("Merkitse luetuksi");
    office.post(&format!("{}/messages-seen", console(&case)), &[]).await.expect(303);
    let shown = office.get(&console(&case)).await.expect(200);
    assert!(!shown.html.contains("Viesti odottaa"), "{}", shown.html);
    handler.post(&format!("{case}/messages/seen"), &json!({})).await.expect(200);
    let timeline = handler.get(&format!("{case}/timeline")).await.expect(200);
    assert_eq!(timeline.text.matches("messages-seen").count(), 1, "{}", timeline.text);
    app.stop().await;
}

#[tokio::test]
async fn a_claim_for_revision_written_as_a_message_becomes_a_case_that_somebody_has_to_handle() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let (page, _) = drafted(&app, &mut resident).await;
    decide(&app, "HRJ/2026/00001").await;
    resident.get(&page).await.expect(200).says("Viestisi kirjataan uutena asiana");
    let claim = [("message", "Vaadin oikaisua päätökseen: tien pituus on laskettu väärin.")];
    let answer = resident.post(&format!("{page}/message"), &claim).await.expect(303);
    let new = answer.header("location").to_owned();
    assert!(new.starts_with("/c/") && new.ends_with("?sent=1") && !new.starts_with(&page), "{new}");
    resident.get(&new).await.expect(200).says("HRJ/2026/00002").says("on vastaanotettu");
    let new = new.trim_end_matches("?sent=1");
    resident.get(&page).await.expect(200).says("Viesti kirjattiin uutena asiana").says(&format!("href=\"{new}\""));
    app.run_jobs().await;

    let registry = app.person(Role::Registry, "Kaisa Kirjaaja", None).await;
    let case = registry.get(&format!("/v1/cases/{}", id_of(&app, "HRJ/2026/00002").await)).await.expect(200);
    assert_eq!(case.json["classification"]["matter"], "claim-for-revision", "{}", case.text);
    let mut office = signed_in(&app, &registry).await;
    let id = case.json["id"].as_str().unwrap();
    office.get("/console?view=all").await.expect(200).says("HRJ/2026/00002");
    office.get(&format!("/console/cases/{id}")).await.expect(200).says("tuli viestistä").says("HRJ/2026/00001");
    app.stop().await;
}

#[tokio::test]
async fn danger_in_a_message_is_answered_at_once_and_holds_up_a_decision() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let (page, case) = drafted(&app, &mut resident).await;
    let cry = [("message", "Sähköjohto roikkuu tien yllä ja kipinöi!")];
    resident.post(&format!("{page}/message"), &cry).await.expect(303);
    resident.get(&page).await.expect(200).says("soittakaa 112");
    let director = app.director().await;
    director.approve(&case).await.problem(422, "/problems/open-alert");
    let mut office = signed_in(&app, &director).await;
    office.get("/console").await.expect(200).says("Mahdollinen hätätilanne odottaa ihmistä: 1");

    // About an ended case it alarms on the case that it becomes; the answer to a program says what to show.
    let path = begin(&mut resident, &[("q", "Kysymys venepaikasta")]).await;
    let other = sent(&mut resident, &path).await;
    resident.post(&format!("{other}/withdraw"), &[("sure", "yes")]).await.expect(303);
    let answer = resident.post(&format!("{other}/message"), &cry).await.expect(303);
    resident.get(answer.header("location")).await.expect(200).says("soittakaa 112").says("HRJ/2026/00003");
    office.get("/console").await.expect(200).says("odottaa ihmistä: 2");
    let message = json!({ "text": "Apua, talo palaa!", "language": "fi" });
    let sent = app.residents().await.post(&format!("{case}/messages"), &message).await.expect(201).json;
    assert_eq!((&sent["cards"], &sent["message"]["side"]), (&json!(["emergency"]), &json!("party")));
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_kept_and_danger_in_it_is_not_lost() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let (page, case) = drafted(&app, &mut resident).await;
    let write = format!("{page}/message");
    resident.post(&write, &[("message", " \u{200b}")]).await.expect(422).says("Kirjoita viesti.");
    let long = format!("Apua, talo palaa! {}", "ja ".repeat(1_500));
    for _ in 0..2 {
        let shown = resident.post(&write, &[("message", &long)]).await.expect(422).says("enintään 4000 merkkiä");
        shown.says("soittakaa 112").says("asianumerolla HRJ/2026/00002").says("ja ja ja ja");
    }
    let director = app.director().await;
    assert_eq!(texts(&director.get(&format!("{case}/messages")).await.json), []);
    let text = |text: &str| json!({ "text": text, "language": "fi" });
    let auditor = app.person(Role::Auditor, "Auli Auditoija", None).await;
    auditor.get(&format!("{case}/messages")).await.expect(200);
    auditor.post(&format!("{case}/messages"), &text("Hei")).await.problem(403, "/problems/forbidden");
    app.residents().await.get(&format!("{case}/messages")).await.problem(403, "/problems/forbidden");
    let stranger = app.stranger(Role::Handler).await;
    for path in ["messages", "consent"] {
        stranger.get(&format!("{case}/{path}")).await.problem(404, "/problems/not-found");
    }
    stranger.post(&format!("{case}/messages"), &text("Hei")).await.problem(404, "/problems/not-found");
    director.post(&format!("{case}/messages"), &text("")).await.problem(422, "/problems/invalid");
    resident.post("/c/nothing/message", &[("message", "Hei")]).await.expect(404);
    app.stop_with_jobs_left().await;
}
