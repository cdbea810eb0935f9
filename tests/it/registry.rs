//! The registry: what comes by telephone, on paper or at the desk becomes a case like any other, with who brought it in.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::{Browser, Page, signed_in};
use crate::support::app::{Caller, TestApp, spawn_app};
use crate::support::desk::{NOW, road_json};

async fn registry(app: &TestApp) -> Caller {
    app.person(Role::Registry, "Rauni Kirjaaja", None).await
}

/// Begins a form of the registry's; gives its path.
async fn begin(browser: &mut Browser, form: &[(&str, &str)]) -> String {
    let page = browser.post("/console/register", form).await.expect(303);
    let path = page.header("location").to_owned();
    assert!(path.starts_with("/console/register/") && path.len() > 70, "{path}");
    path
}

/// Registers a form that has nothing wrong; gives the page that says so.
async fn registered(browser: &mut Browser, path: &str) -> Page {
    browser.post(&format!("{path}/send"), &[]).await.leads_to(&format!("{path}/done"));
    browser.get(&format!("{path}/done")).await.expect(200)
}

/// The path of the case, and the one by which whoever it is from follows it.
fn paths(done: &Page) -> (String, String) {
    let of = |mark: &str| {
        let at = done.html.find(mark).unwrap_or_else(|| panic!("no {mark} in:\n{}", done.html));
        done.html[at..].split('"').next().unwrap().to_owned()
    };
    (of("/console/cases/"), of("/c/"))
}

async fn events(app: &TestApp, case: &str) -> Vec<Value> {
    let path = case.replace("/console", "/v1");
    let timeline = app.handler().await.get(&format!("{path}/timeline")).await.expect(200).json;
    timeline["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_caller_is_told_of_danger_at_once_and_gets_a_number_and_a_link() {
    let app = spawn_app().await;
    let registry = registry(&app).await;
    let mut browser = signed_in(&app, &registry).await;
    browser.get("/console").await.expect(200).says("href=\"/console/register\"");
    browser.get("/console/register").await.expect(200).says("Vikailmoitus").says("Muu asia omin sanoin");
    let path = begin(&mut browser, &[("service", "fault-notice")]).await;
    browser
        .get(&path)
        .await
        .expect(200)
        .says("name=\"register-day\"")
        .says("value=\"10.3.2026\"")
        .says("hallintolaki 42 §");
    let danger = "Soittaja kertoo: sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä.";
    let call = [
        ("register-channel", "phone"),
        ("register-day", "10.3.2026"),
        ("party-name", "Maija Malli"),
        ("reporter_phone", "040 000 0999"),
        ("category", "LI3"),
        ("language", "sv"),
        ("message-text", danger),
        ("location_note", "Koulutie 4"),
    ];
    // 112 stands there as soon as anything was saved.
    browser.upload(&path, &call, &[]).await.leads_to(&format!("{path}?saved=1"));
    browser.get(&path).await.expect(200).says("soittakaa 112");
    let mut all = call.to_vec();
    all.push(("act", "check"));
    browser.upload(&path, &all, &[]).await.leads_to(&format!("{path}/check"));
    browser.get(&format!("{path}/check")).await.expect(200).says("soittakaa 112").says("Maija Malli").says("Puhelin");
    let done = registered(&mut browser, &path).await.says("HRJ/2026/00001").says("soittakaa 112");
    // The receipt is in the caller's language.
    let done = done.says("<p class=\"letter\" lang=\"sv\">");
    let (case, link) = paths(&done);
    // Twice is once, and the form has become its case.
    registered(&mut browser, &path).await.says("HRJ/2026/00001");
    browser.get(&path).await.leads_to(&format!("{path}/done"));
    Browser::new(&app).get(&link).await.expect(200).says("HRJ/2026/00001");
    app.now_is(NOW);
    app.run_jobs().await;
    let page = signed_in(&app, &registry).await.get(&case).await.expect(200).says("Puhelin · Maija Malli");
    page.says("Suullisesti esitetty, viranomaisen kirjaama").says("leikkipuiston vieressä");
    let events = events(&app, &case).await;
    let first = &events[0];
    assert_eq!((&first["kind"], &first["payload"]["channel"]), (&json!("registered"), &json!("phone")));
    assert_eq!(first["actor"]["token"], registry.token, "the chain knows who brought it in");
    assert_eq!(events[1]["kind"], "alert-raised");
    app.stop().await;
}

#[tokio::test]
async fn a_letter_is_registered_as_it_came_on_the_day_it_came() {
    let app = spawn_app().await;
    let mut browser = signed_in(&app, &registry(&app).await).await;
    let path = begin(&mut browser, &[("service", "private-road-grant")]).await;
    let road = road_json();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let fields = road["fields"].as_object().unwrap();
    let mut form: Vec<(String, String)> = fields.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let mut set = |name: &str, text: &str| {
        form.retain(|(known, _)| known != name);
        form.push((name.to_owned(), text.to_owned()));
        form.iter().map(|(name, text)| (name.clone(), text.clone())).collect::<Vec<_>>()
    };
    set("iban", "FI21 1234 5600 0007 86");
    set("meeting_date", "");
    set("party-name", "Harjun tiekunta");
    set("act", "check");
    let refused = [
        ("register-day", "11.3.2026", "", "Asia ei ole voinut saapua myöhemmin kuin nyt"),
        ("register-time", "9.3.2026", "", "Täytä tämä kohta"),
        ("register-time", "9.3.2026", "puolilta päivin", "Kirjoita kellonaika"),
    ];
    for (name, day, time, words) in refused {
        set("register-day", day);
        let form = set("register-time", time);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let page = browser.upload(&path, &form, &[]).await.expect(422).says(words).says(&format!("href=\"#{name}\""));
        // Nobody said how it came; what was typed is kept.
        page.says("href=\"#register-channel\"").says(&format!("value=\"{day}\"")).says("FI21 1234 5600 0007 86");
    }
    set("register-channel", "paper");
    set("register-day", "9.3.2026");
    let form = set("register-time", "15.30");
    let form: Vec<(&str, &str)> = form.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let files: [(&str, &str, &[u8]); 2] =
        [("file-accounts", "skannaus-1.txt", b"kuitit"), ("file", "kirje.txt", b"Hakemus avustuksesta")];
    browser.upload(&path, &form, &files).await.leads_to(&format!("{path}/check"));
    // What the letter does not tell, or tells wrongly, is shown and keeps nothing from being registered.
    let page = browser.get(&format!("{path}/check")).await.expect(200).says("Tilinumero ei täsmää");
    page.says("Nämä jäävät auki").says("Liite puuttuu.").says("kirje.txt").says("Paperi").says("15.30");
    let done = registered(&mut browser, &path).await.says("9.3.2026 klo 15.30").says("HRJ/2026/00001");
    let (case, _) = paths(&done);
    app.now_is(NOW);
    app.run_jobs().await;
    let page = signed_in(&app, &app.handler().await)
        .await
        .get(&case)
        .await
        .expect(200)
        .says("Paperi")
        .says("kirje.txt")
        .says("Saapui 9.3.2026 klo 15.30");
    assert!(!page.html.contains("Suullisesti esitetty"), "a letter is not speech");
    app.stop().await;
}

#[tokio::test]
async fn a_form_of_the_registrys_is_the_registrys() {
    let app = spawn_app().await;
    let registry = registry(&app).await;
    let mut browser = signed_in(&app, &registry).await;
    let path = begin(&mut browser, &[]).await;
    let secret = path.trim_start_matches("/console/register/");
    browser.get(&format!("/forms/{secret}")).await.expect(404);
    let nothing = [("register-channel", "desk"), ("register-day", "10.3.2026"), ("act", "check")];
    browser.upload(&path, &nothing, &[]).await.expect(422).says("href=\"#message-text\"");
    let odd = [("register-channel", "api"), ("register-day", "10.3.2026"), ("message-text", "Hei"), ("act", "check")];
    browser.upload(&path, &odd, &[]).await.expect(422).says("href=\"#register-channel\"");
    let hostile = "<script>alert(1)</script> {{ 7*7 }}";
    let form = [
        ("register-channel", "desk"),
        ("register-day", "10.3.2026"),
        ("party-name", hostile),
        ("message-text", hostile),
        ("act", "check"),
    ];
    browser.upload(&path, &form, &[]).await.expect(303);
    let page = browser.get(&format!("{path}/check")).await.expect(200).says("&lt;script&gt;").says("{{ 7*7 }}");
    assert!(!page.html.contains("<script>alert"));
    for (role, status) in
        [(Role::Approver, 403), (Role::Auditor, 403), (Role::Admin, 403), (Role::ResidentChannel, 403)]
    {
        let post = (role == Role::Approver).then_some("technical-director");
        let other = app.person(role, &format!("Muu {role}"), post).await;
        let mut other = signed_in(&app, &other).await;
        for path in ["/console/register", path.as_str(), &format!("{path}/done")] {
            other.get(path).await.expect(status);
        }
    }
    let stranger = app.stranger(Role::Registry).await;
    signed_in(&app, &stranger).await.get(&path).await.expect(404);
    let resident = Browser::new(&app).get(&path).await;
    assert_eq!(resident.status, 303, "somebody without a session signs in first");
    registered(&mut browser, &path).await.says("HRJ/2026/00001");
    signed_in(&app, &stranger).await.get(&format!("{path}/done")).await.expect(404);
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn an_open_notice_of_the_same_fault_is_told_to_the_caller() {
    let app = spawn_app().await;
    let first = json!({ "id": "lamp", "service": "fault-notice", "fields": { "category": "LI1", "description": "Katuvalo ei pala" },
        "location": { "address": "Koulutie 4" } });
    app.drafted(&first).await;
    let mut browser = signed_in(&app, &registry(&app).await).await;
    let path = begin(&mut browser, &[("service", "fault-notice")]).await;
    let form = [
        ("register-channel", "phone"),
        ("register-day", "1.4.2026"),
        ("category", "LI1"),
        ("description", "Katuvalo ei pala"),
        ("location_note", "Koulutie 4"),
        ("act", "check"),
    ];
    app.now_is("2026-04-01T06:00:00Z");
    browser.upload(&path, &form, &[]).await.leads_to(&format!("{path}/check"));
    let page = browser.get(&format!("{path}/check")).await.expect(200);
    page.says("Tästä on ehkä jo ilmoitettu").says(">HRJ/2026/00001</a>").says("sama osoite");
    app.stop().await;
}

#[tokio::test]
async fn the_channel_is_said_by_those_who_may_say_it() {
    let app = spawn_app().await;
    let letter =
        json!({ "text": "Milloin tie aurataan?", "channel": "paper", "received_at": "2026-03-09T10:00:00+02:00" });
    let refused = app.residents().await.submit(&letter).await.problem(422, "/problems/unusable");
    assert_eq!(refused["errors"][0]["pointer"], "/channel");
    let registry = registry(&app).await;
    let with = |name: &str, value: Value| {
        let mut changed = letter.clone();
        changed[name] = value;
        changed
    };
    let later = with("received_at", json!("2026-03-10T08:15:01Z"));
    let refused = registry.submit(&later).await.problem(422, "/problems/unusable");
    assert_eq!(refused["errors"][0]["pointer"], "/received_at");
    for odd in [json!("email"), json!("file"), json!("pigeon")] {
        let refused = registry.submit(&with("channel", odd)).await.problem(422, "/problems/unusable");
        assert_eq!(refused["errors"][0]["pointer"], "/channel");
    }
    // Without a channel of theirs nobody says when it arrived.
    registry.submit(&with("channel", Value::Null)).await.problem(422, "/problems/unusable");
    let receipt = registry.submit(&letter).await.expect(201).json;
    assert_eq!(receipt["received_at"], "2026-03-09T08:00:00Z");
    let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
    let page = app.handler().await.get(&case).await.expect(200).json;
    assert_eq!(page["submission"]["channel"], "paper");
    // What a program of theirs sends is the program's.
    let sent = app.handler().await.submit(&json!({ "text": "Hei" })).await.expect(201).json;
    let case = format!("/v1/cases/{}", sent["case_id"].as_str().unwrap());
    assert_eq!(events(&app, &case).await[0]["actor"]["kind"], "system");
    app.stop_with_jobs_left().await;
}
