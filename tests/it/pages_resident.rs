//! A resident at a browser without a script: from the first word to the letter, and what happens when something is wrong.

use serde_json::Value;

use crate::pages::{Browser, Page, signed_in};
use crate::support::app::{TestApp, spawn_app};
use crate::support::desk::{NOW, road_json};

/// Begins a form; gives its path.
pub async fn begin(browser: &mut Browser, form: &[(&str, &str)]) -> String {
    let page = browser.post("/m/harjuvesi/forms", form).await.expect(303);
    let path = page.header("location").to_owned();
    assert!(path.starts_with("/forms/") && path.len() > 60, "{path}");
    path
}

/// What the sample application types into its form.
fn typed() -> Vec<(String, String)> {
    let mut road = road_json();
    // The road that a register of the pack knows.
    road["fields"]["register_unit"] = "999-2026-K12345".into();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    road["fields"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn pairs(typed: &[(String, String)]) -> Vec<(&str, &str)> {
    typed.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

pub const FILES: [(&str, &str, &[u8]); 2] =
    [("file-accounts", "IMG_1.txt", b"kuitit"), ("file-minutes", "poytakirja.txt", b"paatettiin hakea")];

/// Sends a form that has nothing wrong; gives the path of its case.
pub async fn sent(browser: &mut Browser, path: &str) -> String {
    let page = browser.post(&format!("{path}/send"), &[]).await.expect(303);
    page.header("location").trim_end_matches("?sent=1").to_owned()
}

/// The whole application, sent; gives the path of its case.
pub async fn applied(browser: &mut Browser, files: &[(&str, &str, &[u8])]) -> String {
    let path = begin(browser, &[("service", "private-road-grant")]).await;
    let typed = typed();
    let mut form = pairs(&typed);
    form.push(("act", "check"));
    browser.upload(&path, &form, files).await.leads_to(&format!("{path}/check"));
    sent(browser, &path).await
}

/// The value of an input of the page.
fn value(page: &Page, name: &str) -> Option<String> {
    let at = page.html.find(&format!(" name=\"{name}\""))?;
    let input = &page.html[at..at + page.html[at..].find('>')?];
    let value = input.split(" value=\"").nth(1)?;
    Some(value.split('"').next()?.to_owned())
}

pub async fn decide(app: &TestApp, number: &str) {
    let director = app.director().await;
    let queue = director.get("/v1/cases").await.expect(200).json;
    let row = queue["items"].as_array().unwrap().iter().find(|row| row["number"] == number).expect("in the queue");
    director.approve(&format!("/v1/cases/{}", row["id"].as_str().unwrap())).await.expect(200);
}

#[tokio::test]
async fn own_words_lead_to_the_form_and_are_not_typed_again() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let chosen = browser.get("/").await.expect(200).says("/m/harjuvesi").says("/m/lillsund-salmela");
    chosen.says("Yläharjun kunta");
    let page = browser.get("/m/harjuvesi?q=Katuvalo+ei+pala+Koulutiell%C3%A4").await.expect(200);
    let page = page.says("Vikailmoitus").says("Yksityistieavustus").says("Katuvalo ei pala Koulutiellä");
    assert_eq!(value(&page, "category").as_deref(), Some("LI1"));
    let path =
        begin(&mut browser, &[("service", "fault-notice"), ("category", "LI1"), ("q", "Katuvalo ei pala")]).await;
    browser.get(&path).await.expect(200).says(">Katuvalo ei pala</textarea>").says("value=\"LI1\" selected");
    browser.get("/m/nowhere").await.expect(404).says("Sivua ei löydy");
    browser.post("/m/harjuvesi/forms", &[("service", "no-such")]).await.expect(404);
    app.stop().await;
}

#[tokio::test]
async fn a_form_says_at_the_field_what_is_wrong_and_keeps_what_was_typed() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let path = begin(&mut browser, &[("service", "private-road-grant")]).await;
    let mut typed = typed();
    for (name, wrong) in [
        ("iban", "FI21 1234 5600 0007 86"),
        ("business_id", "1234567-2"),
        ("email", "tiekunta"),
        ("total_length", "noin 2 km"),
        ("meeting_date", "30.2.2026"),
        ("households", "5000"),
        ("road_name", ""),
    ] {
        typed.iter_mut().find(|(known, _)| known == name).unwrap().1 = wrong.to_owned();
    }
    let mut form = pairs(&typed);
    // Half done is no fault.
    browser.upload(&path, &form, &[]).await.leads_to(&format!("{path}?saved=1"));
    browser.get(&format!("{path}?saved=1")).await.expect(200).says("Lomake on tallennettu").says("noin 2 km");
    form.push(("act", "check"));
    let page = browser.upload(&path, &form, &FILES).await.expect(422);
    for words in [
        "Tilinumero ei täsmää",
        "Y-tunnus ei täsmää",
        "Kirjoita yksi sähköpostiosoite",
        "Kirjoita luku numeroin",
        "Päivää ei ole",
        "vähintään 0 ja enintään 1000",
        "Täytä tämä kohta",
        "tilinpäätös IMG_1.txt",
    ] {
        assert!(page.html.contains(words), "{words}: {}", page.html);
    }
    assert_eq!(value(&page, "iban").as_deref(), Some("FI21 1234 5600 0007 86"));
    // A check or a press on an old page sends nothing that is wrong.
    browser.get(&format!("{path}/check")).await.expect(422);
    browser.post(&format!("{path}/send"), &[]).await.expect(422).says("Korjaa nämä kohdat");
    browser.get(&format!("{path}?lang=sv")).await.expect(200).says("Väglagets namn").says("noin 2 km");
    assert_eq!(app.run_jobs().await, 0, "nothing was sent");
    app.stop().await;
}

#[tokio::test]
async fn an_application_goes_from_form_to_letter() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    // The minutes are left out: the form says so and lets it through.
    let path = begin(&mut browser, &[("service", "private-road-grant")]).await;
    let typed = typed();
    let mut form = pairs(&typed);
    form.push(("act", "check"));
    browser.upload(&path, &form, &FILES[..1]).await.leads_to(&format!("{path}/check"));
    let check = browser.get(&format!("{path}/check")).await.expect(200);
    let check = check.says("Kokouksen pöytäkirja").says("pyydämme niitä myöhemmin").says("Harjun tiekunta");
    let case = sent(&mut browser, &path).await;
    check.says("Haku on auki 15.4.2026 klo 15.00 asti");
    // Twice is once, and the form has become its case.
    assert_eq!(sent(&mut browser, &path).await, case);
    browser.get(&path).await.leads_to(&case);
    let page = browser.get(&format!("{case}?sent=1")).await.expect(200).says("HRJ/2026/00001").says("on vastaanotettu");
    page.says("040 000 0002").says("Ihminen lukee ehdotuksen");
    app.now_is(NOW);
    app.run_jobs().await;
    let page = browser.get(&case).await.expect(200).says("Ihminen käsittelee asiaa");
    assert!(!page.html.contains("letter-page") && !page.html.contains("/answer"), "no draft is shown: {}", page.html);

    decide(&app, "HRJ/2026/00001").await;
    let page = browser.get(&case).await.expect(200).says("Odotamme vastaustasi").says("letter-page");
    page.says("Toimittakaa pöytäkirja kokouksesta");
    let answer = format!("{case}/answer");
    browser.upload(&answer, &[], &[]).await.expect(422).says("Vastaus on tyhjä");
    // What must be put right first hides no danger, and the same words alarm once.
    for _ in 0..3 {
        let danger = [("message-text", "Apua, talo palaa!")];
        let page = browser.upload(&answer, &danger, &[("file-minutes", "a.txt", b"")]).await.expect(422);
        page.says("soittakaa 112").says("asianumerolla HRJ/2026/00002").says("Apua, talo palaa!");
    }
    let page = browser.upload(&answer, &[("message-text", "Ohessa.")], &[("file-minutes", "a.txt", b"")]).await;
    page.expect(422).says("a.txt on tyhjä").says("Ohessa.");
    browser.upload(&answer, &[("message-text", "Ohessa.")], &FILES[1..]).await.leads_to(&format!("{case}?answered=1"));
    app.run_jobs().await;

    decide(&app, "HRJ/2026/00001").await;
    let page = browser.get(&case).await.expect(200).says("Asia on päätetty").says("2\u{a0}585,00\u{a0}€");
    assert!(!page.html.contains("/withdraw"), "what is decided is not withdrawn");
    browser.post(&format!("{case}/withdraw"), &[("sure", "yes")]).await.expect(422).says("ei voi enää perua");
    let late = browser.upload(&answer, &[("message-text", "Vielä yksi asia")], &[]).await.expect(422);
    late.says("voit lähettää sen viestinä").says("Vielä yksi asia</textarea>");

    let data = browser.get(&format!("{case}/data")).await.expect(200).says("Säilytetään 10 vuotta").says("hyväksyjä");
    let data = data.says("Harjun tiekunta").says("poytakirja.txt").says("Kunnan rekisteristä");
    assert!(!data.html.contains("2640"), "what a register says of one road is no fact until they say it");
    assert!(!data.html.contains("Tuomas Teknikko"), "people are told by role: {}", data.html);

    // A person has seen to it who applies: now the register's word on that road stands in the next form.
    let page = browser.post(&format!("{case}/again"), &[("again", "1")]).await.expect(303);
    let form = browser.get(page.header("location")).await.expect(200);
    let form = form.says("Otettu rekisteristä: Yksityistierekisteri, 1.3.2026").says("Otettu asiasta HRJ/2026/00001");
    assert_eq!(value(&form, "total_length").as_deref(), Some("2640"));
    let page = browser.post(&format!("{case}/again"), &[("another", "1")]).await.expect(303);
    let other = browser.get(page.header("location")).await.expect(200).says("Testi Puheenjohtaja");
    assert!(!other.html.contains("rekisteri, 1.3.2026"), "another's form tells nothing of this road");
    app.stop().await;
}

#[tokio::test]
async fn the_second_application_is_hardly_typed() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let case = applied(&mut browser, &FILES).await;
    app.now_is(NOW);
    app.run_jobs().await;
    let page = browser.post(&format!("{case}/again"), &[("again", "1")]).await.expect(303);
    let path = page.header("location").to_owned();
    let form = browser.get(&path).await.expect(200).says("Otettu asiasta HRJ/2026/00001").says("Harjun tiekunta");
    assert!(!form.html.contains("Otettu rekisteristä"), "whoever types an id of a road is told nothing about it");
    // A year later: the day of the meeting, and one cost that has changed.
    let known: Vec<(String, String)> =
        typed().into_iter().filter(|(name, _)| form.html.contains(&format!("name=\"{name}\""))).collect();
    let first: usize = known.iter().map(|(_, text)| text.chars().count()).sum();
    let new = [("meeting_date", "2026-03-01"), ("cost_ploughing", "3 100,00")];
    let second: usize = new.iter().map(|(_, text)| text.chars().count()).sum();
    assert!(second * 100 <= first * 15, "{second} of {first} characters");
    let kept = known.iter().map(|(name, text)| {
        let changed = new.iter().find(|(known, _)| known == name).map(|(_, text)| *text);
        (name.as_str(), changed.unwrap_or(text))
    });
    let mut kept: Vec<(&str, &str)> = kept.collect();
    kept.push(("act", "check"));
    browser.upload(&path, &kept, &FILES).await.leads_to(&format!("{path}/check"));
    let check = browser.get(&format!("{path}/check")).await.expect(200).says("3 100,00");
    assert!(!check.html.contains("3 000,00"), "what was changed is not the old");
    assert_ne!(sent(&mut browser, &path).await, case);

    let page = browser.post(&format!("{case}/again"), &[("another", "1")]).await.expect(303);
    let other = browser.get(page.header("location")).await.expect(200).says("tiekunta@harjuntie.example");
    assert!(!other.html.contains("Harjun tiekunta") && !other.html.contains("FI21"), "{}", other.html);
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn danger_is_answered_at_once_and_reaches_a_person_whatever_else_is_wrong() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let danger = "Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä!";
    browser
        .get("/m/harjuvesi?q=S%C3%A4hk%C3%B6johto+roikkuu+maassa+ja+kipin%C3%B6i")
        .await
        .expect(200)
        .says("soittakaa 112");
    let path = begin(&mut browser, &[("service", "fault-notice"), ("q", danger)]).await;
    browser.get(&path).await.expect(200).says("soittakaa 112");
    let wrong = [("description", danger), ("reporter_email", "x"), ("act", "check")];
    let page = browser.upload(&path, &wrong, &[]).await.expect(422).says("soittakaa 112");
    page.says("Se on jo annettu ihmisen luettavaksi asianumerolla HRJ/2026/00001");
    browser.upload(&path, &wrong, &[]).await.expect(422).says("HRJ/2026/00001");
    let right = [("description", danger), ("act", "check")];
    browser.upload(&path, &right, &[]).await.leads_to(&format!("{path}/check"));
    browser.get(&format!("{path}/check")).await.expect(200).says("soittakaa 112");
    let case = sent(&mut browser, &path).await;
    browser.get(&case).await.expect(200).says("soittakaa 112").says("HRJ/2026/00002");
    let mut console = signed_in(&app, &app.handler().await).await;
    console.get("/console?view=all").await.expect(200).says("odottaa ihmistä: 2");
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn a_notice_like_mine_is_shown_without_anything_of_its_sender() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let notice = |words: &'static str, lat: &'static str| {
        [
            ("category", "LI1"),
            ("description", words),
            ("location_note", "Maija Mallin portti"),
            ("place-lat", lat),
            ("place-lon", "23,76000"),
            ("reporter_phone", "040 000 0999"),
            ("act", "check"),
        ]
    };
    let path = begin(&mut browser, &[("service", "fault-notice")]).await;
    browser
        .upload(&path, &notice("Katuvalo ei pala, soittakaa Maijalle", "61.50000"), &[("file", "kuva.jpg", b"x")])
        .await
        .expect(303);
    sent(&mut browser, &path).await;
    app.now_is("2026-03-11T09:00:00Z");
    app.run_jobs().await;
    let path = begin(&mut browser, &[("service", "fault-notice")]).await;
    let mine = notice("Lamppu on pimeänä", "61.50010")
        .map(|(name, text)| (name, if name == "location_note" { "Koulutie" } else { text }));
    browser.upload(&path, &mine, &[]).await.leads_to(&format!("{path}/check"));
    let page = browser.get(&format!("{path}/check")).await.expect(200).says("Tästä on ehkä jo ilmoitettu");
    let page = page.says("noin 20 metrin päässä").says("10.3.2026");
    assert!(!page.html.contains("Maija") && !page.html.contains("HRJ/2026/00001"), "{}", page.html);
    app.stop().await;
}

#[tokio::test]
async fn files_that_cannot_be_taken_are_named_and_the_text_stays() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let path = begin(&mut browser, &[]).await;
    let text = ("message-text", "Hei, kysyn kaavasta.");
    browser.upload(&path, &[text], &[("file", "tyhja.pdf", b"")]).await.expect(422).says("tyhja.pdf on tyhjä (0");
    let large = vec![b'x'; crate::support::app::MAX_BODY + 10];
    let page = browser.upload(&path, &[text], &[("file", "suuri.bin", &large)]).await.expect(422);
    page.says("yhdellä kertaa voi lähettää enintään 8\u{a0}Mt").says("Hei, kysyn kaavasta.");
    let many: Vec<(&str, &str, &[u8])> = (0..21).map(|_| ("file", "a.txt", &b"a"[..])).collect();
    let page = browser.upload(&path, &[text], &many).await.expect(422).says("jo enimmäismäärä");
    let id = page.html.split("name=\"remove\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    browser.upload(&path, &[text, ("remove", &id)], &[]).await.leads_to(&format!("{path}?saved=1#files"));
    browser.upload(&path, &[text, ("act", "check")], &[]).await.leads_to(&format!("{path}/check"));
    sent(&mut browser, &path).await;
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn what_is_hostile_stays_a_text() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let path = begin(&mut browser, &[]).await;
    let text = "<script>alert(1)</script> {{ 7*7 }} \u{0} \u{202e}";
    let form = [("message-text", text), ("status", "decided"), ("service", "private-road-grant"), ("act", "check")];
    browser.upload(&path, &form, &[("file", "../../etc/<b>.txt", b"x")]).await.leads_to(&format!("{path}/check"));
    let page = browser.get(&format!("{path}/check")).await.expect(200).says("&lt;script&gt;").says("{{ 7*7 }}");
    assert!(!page.html.contains("<script>alert") && !page.html.contains("<b>"));
    let case = sent(&mut browser, &path).await;
    browser.get(&format!("{case}/data")).await.expect(200).says("&lt;script&gt;").says("&lt;b&gt;.txt");
    for body in ["not-a-form", "%00=%ff&&="] {
        browser.post(&path, &[("message-text", body)]).await.expect(303);
    }
    for unknown in ["/c/x", "/c/%00", "/forms/x", "/forms/x/check", "/c/x/data"] {
        browser.get(unknown).await.expect(404).says("Sivua ei löydy");
    }
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn two_links_do_not_mix_and_a_matter_is_withdrawn_by_its_own_only() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let mut cases = Vec::new();
    for words in ["Ensimmäinen kysymys kaavasta", "Toinen kysymys venepaikasta"] {
        let path = begin(&mut browser, &[("q", words)]).await;
        cases.push(sent(&mut browser, &path).await);
    }
    let data = browser.get(&format!("{}/data", cases[0])).await.expect(200).says("Ensimmäinen");
    assert!(!data.html.contains("Toinen kysymys"));
    browser.post(&format!("{}/withdraw", cases[0]), &[]).await.expect(422).says("Mitään ei peruttu");
    browser
        .post(&format!("{}/withdraw", cases[0]), &[("sure", "yes")])
        .await
        .leads_to(&format!("{}?withdrawn=1", cases[0]));
    browser.get(&cases[0]).await.expect(200).says("Asia on peruttu");
    browser.get(&cases[1]).await.expect(200).says("Asiaa valmistellaan");
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn too_many_forms_are_refused_and_danger_in_them_is_not_lost() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let path = begin(&mut browser, &[]).await;
    let mut page = browser.get(&path).await;
    for _ in 0..60 {
        page = browser.post(&path, &[("message-text", "Apua, talo palaa!")]).await;
        if page.status == 429 {
            break;
        }
    }
    let page = page.expect(429);
    page.says("soittakaa 112").says("HRJ/2026/00001");
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn the_window_is_told_before_anything_is_typed_and_a_closed_one_loses_nothing() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    app.now_is("2026-01-15T10:00:00Z");
    browser.get("/m/harjuvesi").await.expect(200).says("Haku alkaa 1.2.2026.");
    app.now_is("2026-03-10T08:15:00Z");
    browser.get("/m/harjuvesi?lang=sv").await.expect(200).says("Ansökningstiden pågår till 15.4.2026");
    browser.get("/m/harjuvesi?lang=fi").await.expect(200).says("Haku on auki 15.4.2026 klo 15.00 asti.");

    app.now_is("2026-04-15T12:00:01Z");
    let page = browser.get("/m/harjuvesi").await.expect(200).says("Haku päättyi 15.4.2026 klo 15.00.");
    page.says("Seuraava haku alkaa 1.2.2027.");
    let path = begin(&mut browser, &[("service", "private-road-grant")]).await;
    let typed = typed();
    let mut form = pairs(&typed);
    browser.upload(&path, &form, &FILES).await.leads_to(&format!("{path}?saved=1"));
    let page = browser.get(&path).await.expect(200).says("käsitellään myöhästyneenä");
    page.says("Seuraava hakuaika on 1.2.2027 – ").says("säilyy tässä osoitteessa 2.3.2027 asti");
    form.push(("act", "check"));
    browser.upload(&path, &form, &[]).await.leads_to(&format!("{path}/check"));
    browser.get(&format!("{path}/check")).await.expect(200).says("Lähetä myöhästyneenä").says("Seuraava hakuaika");
    // Whoever waits finds the form as it was.
    app.now_is("2027-02-02T10:00:00Z");
    let page = browser.get(&path).await.expect(200).says("Haku on auki").says("tilinpäätös IMG_1.txt");
    assert_eq!(value(&page, "cooperative_name").as_deref(), Some("Harjun tiekunta"));
    app.now_is("2026-04-20T09:00:00Z");
    let case = sent(&mut browser, &path).await;
    browser.get(&case).await.expect(200).says("Hakuaika").says("Hakemus saapui hakuajan jälkeen");
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn what_is_typed_into_a_form_that_is_no_longer_kept_gets_a_new_address() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let path = begin(&mut browser, &[]).await;
    app.now_is("2026-04-20T09:00:00Z");
    let typed = [("message-text", "Pitkä <kysymys> kaavasta"), ("act", "check")];
    browser.upload(&path, &typed, &[]).await.expect(404);
    let mut whose = typed.to_vec();
    whose.push(("of-municipality", "harjuvesi"));
    let page = browser.upload(&path, &whose, &[("file", "a.txt", b"a")]).await.expect(303);
    let new = page.header("location").trim_end_matches("?anew=1").to_owned();
    assert!(new.starts_with("/forms/") && new != path, "{new}");
    let page = browser.get(&format!("{new}?anew=1")).await.expect(200).says("säilytysaika oli päättynyt");
    page.says("Pitkä &lt;kysymys&gt; kaavasta").says("a.txt");
    sent(&mut browser, &new).await;
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn consent_is_asked_last_given_by_a_tick_and_withdrawn_at_any_time() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let registry = app.person(vireille::cases::Role::Registry, "Kaisa Kirjaaja", None).await;
    let notice = [("category", "VA1"), ("description", "Töhryjä alikulussa Koulutiellä"), ("act", "check")];
    let mut cases = Vec::new();
    for tick in [&[][..], &[("publish_consent", "true")]] {
        let path = begin(&mut browser, &[("service", "fault-notice")]).await;
        let form = browser.get(&path).await.expect(200).says("ilmoittaa vian nimettömänä");
        assert!(!form.html.contains("publish_consent"), "it is asked where all is seen that it is about");
        browser.upload(&path, &notice, &[]).await.leads_to(&format!("{path}/check"));
        let check = browser.get(&format!("{path}/check")).await.expect(200).says("Suostumus julkaisemiseen");
        assert!(check.html.contains("name=\"publish_consent\"") && !check.html.contains("checked"), "{}", check.html);
        let page = browser.post(&format!("{path}/send"), tick).await.expect(303);
        cases.push(page.header("location").trim_end_matches("?sent=1").to_owned());
    }
    let consents = async || {
        let rows = registry.get("/v1/cases").await.expect(200).json;
        let mut held = Vec::new();
        for row in rows["items"].as_array().unwrap() {
            let path = format!("/v1/cases/{}/consent", row["id"].as_str().unwrap());
            let number = row["number"].as_str().unwrap().to_owned();
            held.push((number, registry.get(&path).await.expect(200).json["holds"].as_bool().unwrap()));
        }
        held.sort();
        held.into_iter().map(|(_, holds)| holds).collect::<Vec<_>>()
    };
    assert_eq!(consents().await, [false, true]);
    browser.get(&cases[0]).await.expect(200).says("Et ole antanut suostumusta");
    browser.get(&cases[1]).await.expect(200).says("Olet antanut suostumuksen").says("Peru suostumus");
    let own_data = [("withdraw", "1"), ("own-data", "1")];
    browser
        .post(&format!("{}/consent", cases[1]), &own_data)
        .await
        .leads_to(&format!("{}/data?unconsented=1", cases[1]));
    browser.get(&format!("{}/data?unconsented=1", cases[1])).await.expect(200).says("Peruit suostumuksen");
    assert_eq!(consents().await, [false, false]);
    browser.post(&format!("{}/withdraw", cases[0]), &[("sure", "yes")]).await.expect(303);
    browser.post(&format!("{}/consent", cases[0]), &[("give", "1")]).await.expect(303);
    browser.get(&cases[0]).await.expect(200).says("Olet antanut suostumuksen");
    assert_eq!(consents().await, [true, false], "also when the case has ended");

    let handler = app.handler().await;
    let id = handler.get("/v1/cases").await.json["items"][0]["id"].as_str().unwrap().to_owned();
    let order = serde_json::json!({ "given": true });
    handler.post(&format!("/v1/cases/{id}/consent"), &order).await.problem(403, "/problems/forbidden");
    let timeline = registry.get(&format!("/v1/cases/{id}/timeline")).await.expect(200);
    assert!(timeline.text.contains("consent-changed"), "{}", timeline.text);
    // What the service publishes nothing of is neither asked nor given.
    let road = applied(&mut browser, &FILES).await;
    let page = browser.get(&road).await.expect(200);
    assert!(!page.html.contains("Suostumus julkaisemiseen"), "{}", page.html);
    browser.post(&format!("{road}/consent"), &[("give", "1")]).await.expect(422);
    app.stop_with_jobs_left().await;
}

#[tokio::test]
async fn every_page_says_where_a_person_is_reached_and_what_the_computer_does() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let notice = [("description", "Katuvalo on pimeänä Koulutiellä"), ("act", "check")];
    let path = begin(&mut browser, &[("service", "fault-notice")]).await;
    browser.upload(&path, &notice, &[]).await.leads_to(&format!("{path}/check"));
    for page in ["/m/harjuvesi", &path, &format!("{path}/check")] {
        browser.get(page).await.expect(200).says("Kunnantie 1, 99990 Harjuvesi").says("Ihminen lukee ehdotuksen");
    }
    let case = sent(&mut browser, &path).await;
    let page = browser.get(&case).await.expect(200);
    assert!(!page.html.contains("/again"), "a notice is not applied for again: {}", page.html);
    browser.post(&format!("{case}/again"), &[("again", "1")]).await.expect(404);
    app.now_is(NOW);
    app.run_jobs().await;
    for page in [&case, &format!("{case}/data")] {
        browser.get(page).await.expect(200).says("040 000 0002").says("Kunnantie 1");
    }
    browser.get(&case).await.says("eikä käytä kielimallia").says("Ihminen tarkistaa sen");
    browser.get("/c/nothing").await.expect(404).says("040 000 0001").says("Kunnantie 1");
    app.stop().await;
}

#[tokio::test]
async fn a_withdrawal_too_many_hides_no_danger_and_alarms_once() {
    let app = spawn_app().await;
    let mut browser = Browser::new(&app);
    let path = begin(&mut browser, &[("q", "Kysymys venepaikasta")]).await;
    let case = sent(&mut browser, &path).await;
    let cry = [("why", "Perun, koska talo palaa, apua!")];
    let mut refused = 0;
    for _ in 0..60 {
        let page = browser.post(&format!("{case}/withdraw"), &cry).await;
        if page.status == 429 {
            page.says("soittakaa 112").says("HRJ/2026/00002");
            refused += 1;
        }
    }
    assert!(refused > 1, "{refused}");
    app.stop_with_jobs_left().await;
}
