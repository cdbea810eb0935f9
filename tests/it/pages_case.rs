//! The case on one page: read, decided in three acts, edited, given back; and what a page does with a refusal.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::{Browser, Page, signed_in};
use crate::support::app::{TestApp, spawn_app};
use crate::support::desk::road_json;

/// The application that the rules grant 2 585 €, drafted. Gives the path of its page.
async fn granted(app: &TestApp) -> String {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    let path = app.drafted(&road).await;
    format!("/console/cases/{}", path.trim_start_matches("/v1/cases/"))
}

/// The value of a hidden or visible field of the page.
#[track_caller]
fn value(page: &Page, name: &str) -> String {
    let marked = format!("name=\"{name}\" value=\"");
    let at = page.html.find(&marked).unwrap_or_else(|| panic!("no field {name} in:\n{}", page.html)) + marked.len();
    page.html[at..].split('"').next().unwrap().to_owned()
}

async fn approve(browser: &mut Browser, path: &str, seen: &Page, confirmed: bool) -> Page {
    let (hash, amount) = (value(seen, "draft_hash"), value(seen, "amount"));
    let mut form = vec![("draft_hash", hash.as_str()), ("amount", amount.as_str())];
    if confirmed {
        form.push(("confirmed", "yes"));
    }
    browser.post(&format!("{path}/approve"), &form).await
}

#[tokio::test]
async fn a_clean_case_is_decided_in_three_acts() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let mut browser = signed_in(&app, &app.director().await).await;
    // 1: open.
    let page = browser.get(&path).await.expect(200).says("2\u{a0}585,00\u{a0}€").says("Kaikki estävät tarkistukset");
    // 2: confirm the amount and the instructions for appeal; 3: approve.
    approve(&mut browser, &path, &page, true).await.leads_to(&format!("{path}?done=approved"));
    browser.get(&format!("{path}?done=approved")).await.expect(200).says("Hyväksyit luonnoksen.").says("Päätetty");
    // Twice is once.
    approve(&mut browser, &path, &page, true).await.expect(409).says("Toinen ehti ensin");
    app.stop().await;
}

#[tokio::test]
async fn nothing_is_approved_that_was_not_confirmed() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let mut browser = signed_in(&app, &app.director().await).await;
    let page = browser.get(&path).await;
    let unticked = approve(&mut browser, &path, &page, false).await.expect(422);
    unticked.says("Hyväksymistä ei vahvistettu. Lue kirje ja rastita ruutu.");
    let hash = value(&page, "draft_hash");
    let other = [("draft_hash", hash.as_str()), ("amount", "2586.00"), ("confirmed", "yes")];
    browser.post(&format!("{path}/approve"), &other).await.expect(422).says("Summaa ei vahvistettu");
    let stale = [("draft_hash", "sha256:00"), ("amount", "2585.00"), ("confirmed", "yes")];
    browser.post(&format!("{path}/approve"), &stale).await.expect(409).says("Luonnos on muuttunut");
    browser.get(&path).await.says("Odottaa ihmistä");
    app.stop().await;
}

#[tokio::test]
async fn the_page_says_why_somebody_may_not_approve() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let clerk = app.person(Role::Approver, "Silja Sihteeri", Some("hr-secretary")).await;
    let mut browser = signed_in(&app, &clerk).await;
    let page = browser.get(&path).await.expect(200).says("Tämän päättäminen ei kuulu toimivaltaasi");
    assert!(!page.html.contains("name=\"confirmed\""), "no button that only refuses");
    let handler = signed_in(&app, &app.handler().await).await.get(&path).await.expect(200);
    assert!(!handler.html.contains("/approve\""), "a handler is offered no approval");
    let auditor = app.person(Role::Auditor, "Aune Auditoija", None).await;
    let auditor = signed_in(&app, &auditor).await.get(&path).await.expect(200);
    assert!(!auditor.html.contains(&format!("action=\"{path}")), "an auditor changes nothing");
    let stranger = app.stranger(Role::Handler).await;
    let page = signed_in(&app, &stranger).await.get(&path).await;
    assert!(page.status == 404 && !page.html.contains("2585"), "{}", page.status);
    app.stop().await;
}

#[tokio::test]
async fn a_person_edits_and_the_page_shows_what_changed() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let mut browser = signed_in(&app, &app.handler().await).await;
    browser.post(&format!("{path}/claim"), &[]).await.leads_to(&format!("{path}?done=claimed"));
    let page = browser.get(&format!("{path}/edit")).await.expect(200);
    let hash = value(&page, "draft_hash");
    let reason = "Tie täyttää pituuden vaatimuksen.";
    let saved = browser.post(&format!("{path}/edit"), &[("draft_hash", &hash), ("reason-0", reason)]).await;
    saved.leads_to(&format!("{path}?done=edited"));
    browser.get(&path).await.says(reason).says("ihmisen muokkaama").says("Versio 2");
    browser.get(&format!("{path}/versions")).await.expect(200).says(&format!("<ins>– {reason}")).says("<del>");
    app.stop().await;
}

#[tokio::test]
async fn two_who_edit_lose_nothing() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let mut browser = signed_in(&app, &app.handler().await).await;
    browser.post(&format!("{path}/claim"), &[]).await.expect(303);
    let hash = value(&browser.get(&format!("{path}/edit")).await, "draft_hash");
    let first = [("draft_hash", hash.as_str()), ("reason-0", "Ensimmäinen teksti.")];
    browser.post(&format!("{path}/edit"), &first).await.expect(303);
    // The other tab still has the older version.
    let second = [("draft_hash", hash.as_str()), ("reason-0", "Toinen <teksti>.")];
    let page = browser.post(&format!("{path}/edit"), &second).await.expect(409);
    let page = page.says("Mitään ei ole hukattu").says("Toinen &lt;teksti&gt;.").says("Ensimmäinen teksti.");
    assert_ne!(value(&page, "draft_hash"), hash, "the merge is saved over the version that stands");
    let hash = value(&page, "draft_hash");
    let merged = [("draft_hash", hash.as_str()), ("reason-0", "Ensimmäinen ja toinen teksti.")];
    browser.post(&format!("{path}/edit"), &merged).await.expect(303);
    browser.get(&path).await.says("Ensimmäinen ja toinen teksti.").says("Versio 3");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_saved_is_kept_and_told_at_its_field() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let mut browser = signed_in(&app, &app.handler().await).await;
    let unclaimed = browser.post(&format!("{path}/ask"), &[("about", "details"), ("question", "Mikä tie?")]).await;
    unclaimed.expect(409).says("Ota asia ensin").says("Mikä tie?");
    browser.post(&format!("{path}/claim"), &[]).await.expect(303);
    let hash = value(&browser.get(&format!("{path}/edit")).await, "draft_hash");
    let hidden = [("draft_hash", hash.as_str()), ("reason-0", "Teksti\u{202e}nurin.")];
    browser.post(&format!("{path}/edit"), &hidden).await.expect(422).says("aria-invalid=\"true\"").says("nurin.");
    browser.post(&format!("{path}/ask"), &[("about", "details"), ("question", "  ")]).await.expect(422);
    app.stop().await;
}

#[tokio::test]
async fn a_session_that_ends_takes_no_words_with_it_and_repeats_no_decision() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    browser.post(&format!("{path}/claim"), &[]).await.expect(303);
    browser.post("/sign-out", &[]).await.expect(303);
    let ask = [("about", "details"), ("question", "Mikä on <tien> nimi?")];
    let page = browser.post(&format!("{path}/ask"), &ask).await.expect(401).says("Istuntosi oli päättynyt");
    assert_eq!(value(&page, "kept.question"), "Mikä on &lt;tien&gt; nimi?");
    let to = format!("{path}/ask");
    let wrong = [("to", to.as_str()), ("kept.about", "details"), ("kept.question", ask[1].1), ("token", "vir_wrong")];
    let page = browser.post("/sign-in", &wrong).await.expect(422);
    assert_eq!(value(&page, "kept.about"), "details", "a wrong token loses nothing either");
    let right = [wrong[0], wrong[1], wrong[2], ("token", handler.secret.as_deref().unwrap())];
    let page = browser.post("/sign-in", &right).await.expect(200).says("Kirjoittamasi on tallella");
    let page = page.says("Mikä on &lt;tien&gt; nimi?</textarea>").says(&format!("action=\"{to}\""));
    assert_eq!(value(&page, "about"), "details");
    browser.post(&to, &ask).await.leads_to(&format!("{path}?done=asked"));
    // Files go along nowhere, and that is said.
    browser.post("/sign-out", &[]).await.expect(303);
    let page = browser.upload(&to, &ask, &[("file", "a.txt", b"a")]).await.expect(401);
    assert_eq!(value(&page, "kept-files"), "1");
    let mut form = right.to_vec();
    form.push(("kept-files", "1"));
    browser.post("/sign-in", &form).await.expect(200).says("Liitteitä ei voitu säilyttää");
    // Nothing of a decision goes through a sign-in: it is seen again first. Nor does an act without words.
    browser.post("/sign-out", &[]).await.expect(303);
    let approval = [("draft_hash", "x"), ("confirmed", "kyllä kiitos")];
    browser.post(&format!("{path}/approve"), &approval).await.leads_to(&format!("/sign-in?to={path}"));
    browser.post(&format!("{path}/claim"), &[]).await.leads_to(&format!("/sign-in?to={path}"));
    let approve = format!("{path}/approve");
    let form = [("to", approve.as_str()), ("kept.confirmed", "kyllä kiitos"), right[3]];
    browser.post("/sign-in", &form).await.expect(303);
    app.run_jobs().await;
    app.stop().await;
}

#[tokio::test]
async fn every_act_of_the_page_does_what_the_api_does() {
    let app = spawn_app().await;
    let path = granted(&app).await;
    let mut handler = signed_in(&app, &app.handler().await).await;
    let mut director = signed_in(&app, &app.director().await).await;
    let hash = value(&director.get(&path).await, "draft_hash");
    let back = [("draft_hash", hash.as_str()), ("return_reason", "Tarkista pituus vielä.")];
    director.post(&format!("{path}/return"), &back).await.leads_to(&format!("{path}?done=returned"));
    handler.get(&path).await.says("Tarkista pituus vielä.");
    handler.post(&format!("{path}/claim"), &[]).await.expect(303);
    handler.post(&format!("{path}/release"), &[]).await.leads_to(&format!("{path}?done=released"));
    handler.post(&format!("{path}/claim"), &[]).await.expect(303);
    let ask = [("about", "supported_length"), ("question", "Mikä on pituus?")];
    handler.post(&format!("{path}/ask"), &ask).await.leads_to(&format!("{path}?done=asked"));
    app.run_jobs().await;
    handler.get(&path).await.says("Täydennyspyyntö").says("Mikä on pituus?");
    let class = [("new_service", ""), ("matter", "feedback"), ("class_reason", "Tämä on palautetta.")];
    handler.post(&format!("{path}/reclassify"), &class).await.leads_to(&format!("{path}?done=reclassified"));
    app.run_jobs().await;
    handler.post(&format!("{path}/withdraw"), &[]).await.expect(422);
    handler.post(&format!("{path}/withdraw"), &[("sure", "yes")]).await.leads_to(&format!("{path}?done=withdrawn"));
    app.run_jobs().await;
    handler.get(&path).await.says("Peruttu");
    app.stop().await;
}

#[tokio::test]
async fn danger_stands_on_top_until_a_named_person_has_seen_it() {
    let app = spawn_app().await;
    let text = "Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä!";
    let path = app.drafted(&json!({ "id": "danger", "text": text })).await;
    let path = format!("/console/cases/{}", path.trim_start_matches("/v1/cases/"));
    let mut browser = signed_in(&app, &app.handler().await).await;
    let page =
        browser.get(&path).await.expect(200).says("<mark class=\"danger\">").says("Olen nähnyt ja ryhdyn toimiin");
    // A failed check tells in the reader's language what to do.
    let page = page.says("ihmisen on ensin kuitattava hälytys");
    browser.get(&format!("{path}?lang=sv")).await.says("en människa måste först kvittera larmet");
    browser.get(&format!("{path}?lang=fi")).await.expect(200);
    let alert = value(&page, "alert");
    let seen = browser.post(&format!("{path}/acknowledge"), &[("alert", &alert)]).await;
    seen.leads_to(&format!("{path}?done=acknowledged"));
    let page = browser.get("/console").await.expect(200);
    assert!(!page.html.contains("Mahdollinen hätätilanne odottaa"), "{}", page.html);
    app.stop().await;
}

#[tokio::test]
async fn a_strangers_words_are_words() {
    let app = spawn_app().await;
    let text = "<script>alert(1)</script> {{ 7*7 }} Katuvalo on pimeänä.";
    let message: Value = json!({ "id": "x", "text": text, "party": { "name": "<img src=x onerror=alert(1)>" } });
    let path = app.drafted(&message).await;
    let path = format!("/console/cases/{}", path.trim_start_matches("/v1/cases/"));
    let page = signed_in(&app, &app.handler().await).await.get(&path).await.expect(200);
    assert!(page.html.contains("&lt;script&gt;alert(1)") && page.html.contains("{{ 7*7 }}"), "{}", page.html);
    assert!(!page.html.contains("<script>alert") && !page.html.contains("<img src=x"), "{}", page.html);
    app.stop().await;
}
