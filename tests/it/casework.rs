//! What people put right in a case: facts, two cases that are one, one message that is two matters, arrival and party.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::{Browser, signed_in};
use crate::support::app::{Caller, TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::{NOW, road_json};

/// The application that the rules grant 2 585 €: 2 350 m at 1.10 €.
fn road(id: &str) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    road
}

fn lamp(id: &str, text: &str, name: &str) -> Value {
    json!({ "id": id, "text": text, "location": { "address": "Koulukatu 3", "lat": 61.0, "lon": 24.4 },
        "party": { "name": name, "email": format!("{id}@esimerkki.example") } })
}

/// The same by the form for notices.
fn notice(id: &str, text: &str, name: &str) -> Value {
    let mut notice = lamp(id, text, name);
    notice.as_object_mut().unwrap().remove("text");
    notice["service"] = "fault-notice".into();
    notice["fields"] = json!({ "description": text });
    notice
}

fn fact(name: &str, value: impl Into<Value>, code: &str) -> Value {
    json!({ "name": name, "value": value.into(), "code": code, "reason": "Tarkistettu pöytäkirjasta." })
}

async fn events(caller: &Caller, case: &str) -> Vec<Value> {
    let timeline = caller.get(&format!("{case}/timeline")).await.expect(200).json;
    timeline["items"].as_array().unwrap().clone()
}

fn path(id: &Value) -> String {
    format!("/v1/cases/{}", id.as_str().expect("an id"))
}

async fn state(caller: &Caller, case: &str, facts: &[Value]) -> crate::support::app::Answer {
    caller.post(&format!("{case}/facts"), &json!({ "facts": facts })).await
}

#[tokio::test]
async fn a_corrected_fact_changes_the_amount_and_the_reading_stays_beside_it() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&road("corrected")).await;
        let handler = app.handler().await;
        let first = handler.draft(&case).await;
        state(&handler, &case, &[fact("supported_length", "2 530", "misread")])
            .await
            .problem(409, "/problems/not-claimed");
        handler.claim(&case).await.expect(200);
        let saved = state(&handler, &case, &[fact("supported_length", "2 530", "misread")]).await.expect(200).json;
        assert_eq!(saved["status"], "received", "the rules are evaluated anew");
        assert_eq!(app.run_jobs().await, 2, "assess and compose, nothing before them");

        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["assessment"]["amount"], "2783.00");
        let correction = &page["corrections"][0];
        assert_eq!((&correction["read"]["value"], &correction["stated"]["value"]), (&json!("2350"), &json!("2530")));
        assert_eq!((&correction["code"], &correction["stated"]["unit"]), (&json!("misread"), &json!("m")));
        assert_eq!(correction["stated"]["evidence"]["source"], "person");
        assert_ne!(page["draft"]["hash"], first["hash"]);
        assert_eq!(handler.get(&format!("{case}/drafts")).await.expect(200).json["items"].as_array().unwrap().len(), 2);

        let event = events(&handler, &case).await.into_iter().find(|event| event["kind"] == "facts-corrected").unwrap();
        let said = json!({ "facts": [{ "name": "supported_length", "change": "stated", "code": "misread" }] });
        assert_eq!(event["payload"], said, "no value and no words in the chain");

        // What a person said stands when the party sends more.
        let more = json!({ "fields": { "supported_length": "2400" } });
        app.residents().await.post(&format!("{case}/supplements"), &more).await.expect(201);
        app.run_jobs().await;
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(
            (&page["assessment"]["amount"], &page["corrections"][0]["read"]["value"]),
            (&json!("2783.00"), &json!("2400"))
        );
        app.director().await.approve(&case).await.expect(200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_corrects_a_fact_has_prepared_the_decision() {
    let app = spawn_app().await;
    let case = app.drafted(&road("preparer")).await;
    let director = app.director().await;
    director.claim(&case).await.expect(200);
    state(&director, &case, &[fact("supported_length", 2400, "measured")]).await.expect(200);
    app.run_jobs().await;
    director.approve(&case).await.problem(403, "/problems/preparer-approves");
    app.director().await.approve(&case).await.expect(200);
    app.stop().await;
}

#[tokio::test]
async fn a_withdrawn_fact_is_asked_for_and_a_stated_one_no_more() {
    let app = spawn_app().await;
    let mut incomplete = road("incomplete");
    incomplete["fields"]["meeting_date"] = Value::Null;
    let case = app.drafted(&incomplete).await;
    let handler = app.handler().await;
    handler.claim(&case).await.expect(200);
    let about = async || {
        let page = handler.get(&case).await.expect(200).json;
        let asked = page["questions"].as_array().unwrap().iter().chain(page["asked"].as_array().unwrap());
        asked.map(|question| question["about"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(about().await, ["meeting_date"]);
    let ask = json!({ "questions": [{ "about": "meeting_date", "text": "Milloin kokous pidettiin?" }] });
    handler.post(&format!("{case}/ask"), &ask).await.expect(200);
    app.run_jobs().await;

    let told = fact("meeting_date", "14.2.2026", "party-told");
    state(&handler, &case, &[told, fact("households", Value::Null, "other")]).await.expect(200);
    app.run_jobs().await;
    assert_eq!(about().await, ["households"]);
    let page = handler.get(&case).await.expect(200).json;
    assert!(page["facts"].as_array().unwrap().iter().all(|fact| fact["name"] != "households"), "{page}");
    assert_eq!(page["draft"]["content"]["kind"], "completion");

    // Said again, it stands; the reading beside it is still the machine's.
    state(&handler, &case, &[fact("households", "6", "register-says")]).await.expect(200);
    app.run_jobs().await;
    let page = handler.get(&case).await.expect(200).json;
    let households = page["corrections"].as_array().unwrap().iter().find(|one| one["name"] == "households").unwrap();
    assert_eq!((&households["read"]["value"], &households["stated"]["value"]), (&json!("5"), &json!("6")));
    assert_eq!(page["assessment"]["outcome"], "granted");
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_value_of_a_fact_is_told_at_its_place() {
    let app = spawn_app().await;
    let case = app.drafted(&road("flaws")).await;
    let handler = app.handler().await;
    handler.claim(&case).await.expect(200);
    let mut kilometres = fact("total_length", "2.6", "wrong-unit");
    kilometres["unit"] = "km".into();
    let facts = [
        fact("supported_length", "pitkä", "misread"),
        fact("road_colour", "red", "other"),
        fact("households", -1, "other"),
        kilometres,
        fact("iban", "FI21 1234 5600 0007 86", "party-told"),
        fact("grant_type", "party", "other"),
        fact("road_name", "Harju\u{202e}tie", "other"),
        fact("chair_name", "  ", "other"),
        fact("received_at", "2026-03-01", "other"),
    ];
    let problem = state(&handler, &case, &facts).await.problem(422, "/problems/invalid");
    let flaws: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flaw| (flaw["pointer"].as_str().unwrap(), flaw["code"].as_str().unwrap()))
        .collect();
    let expected = [
        ("/facts/0/value", "type"),
        ("/facts/1/name", "unknown"),
        ("/facts/2/value", "range"),
        ("/facts/3/unit", "unit"),
        ("/facts/4/value", "check-digit"),
        ("/facts/5/value", "type"),
        ("/facts/6/value", "text"),
        ("/facts/7/value", "missing"),
        ("/facts/8/name", "unknown"),
    ];
    assert_eq!(flaws, expected);
    assert!(problem["errors"][0]["instead"].as_str().unwrap().contains("in m"), "{problem}");
    state(&handler, &case, &[]).await.problem(422, "/problems/invalid");
    let unexplained = json!({ "facts": [{ "name": "households", "value": 6, "code": "because", "reason": "x" }] });
    handler.post(&format!("{case}/facts"), &unexplained).await.problem(422, "/problems/unusable");
    assert_eq!(handler.get(&case).await.json["status"], "in-review", "nothing was changed");
    app.stop().await;
}

async fn merge(caller: &Caller, case: &str, into: &str, same_party: bool) -> crate::support::app::Answer {
    let order = json!({ "into": into, "same_party": same_party, "reason": "Sama asia." });
    caller.post(&format!("{case}/merge"), &order).await
}

async fn number(caller: &Caller, case: &str) -> String {
    caller.get(case).await.expect(200).json["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_applications_of_one_party_are_handled_as_one() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
        let first = app.drafted(&road("first")).await;
        let mut again = road("second");
        again["fields"]["supported_length"] = 2400.into();
        // The demo's window is open on this day.
        app.now_is("2026-03-11T08:15:00Z");
        let second = app.drafted(&again).await;
        let earlier = number(&registry, &first).await;
        let stays = merge(&registry, &second, &earlier.to_lowercase(), true).await.expect(200).json;
        assert_eq!((&stays["number"], &stays["status"]), (&json!(earlier), &json!("received")));
        app.run_jobs().await;

        let page = registry.get(&first).await.expect(200).json;
        assert_eq!(page["assessment"]["amount"], "2640.00", "the newer form of the same party");
        assert_eq!(page["merged"][0]["case"]["number"], number(&registry, &second).await);
        let gone = registry.get(&second).await.expect(200).json;
        assert_eq!((&gone["status"], &gone["merged_into"]["case"]["number"]), (&json!("merged"), &json!(earlier)));
        assert!(gone["draft"].is_object(), "nothing of it is lost");
        for case in [&first, &second] {
            assert!(
                events(&registry, case).await.iter().any(|event| event["kind"] == "merged"),
                "both histories say it"
            );
        }
        merge(&registry, &second, &earlier, true).await.problem(409, "/problems/final");
        let more = json!({ "text": "Vielä yksi asia." });
        app.residents().await.post(&format!("{second}/supplements"), &more).await.problem(409, "/problems/final");
        app.director().await.approve(&second).await.problem(409, "/problems/final");
        app.director().await.approve(&first).await.expect(200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn of_two_parties_neither_reads_the_other() {
    let app = spawn_app().await;
    app.now_is(NOW);
    let handler = app.handler().await;
    let first = app.drafted(&notice("aino", "Katuvalo on pimeänä koulun edessä.", "Aino Ensimmäinen")).await;
    let second =
        app.drafted(&notice("bertta", "Katuvalo on pimeänä koulun edessä, kissani eksyi.", "Bertta Toinen")).await;
    let before = handler.draft(&first).await;
    let suggested = handler.get(&format!("{second}/similar")).await.expect(200).json;
    let id = suggested["items"][0]["case"]["id"].as_str().expect("the other notice").to_owned();
    merge(&handler, &second, &id, false).await.expect(200);
    assert_eq!(handler.draft(&first).await["hash"], before["hash"], "an edited draft is not made anew for nothing");
    let page = handler.get(&first).await.expect(200).text;
    assert!(!page.contains("Bertta") && !page.contains("kissa"), "{page}");
    let similar = handler.get(&format!("{first}/similar")).await.expect(200).json;
    assert_eq!(similar["items"], json!([]), "it is handled already");
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_merged_says_why() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let first = app.drafted(&notice("a", "Katuvalo on pimeänä koulun edessä.", "A")).await;
    app.now_is("2026-03-11T08:15:00Z");
    let second = app.drafted(&notice("b", "Katuvalo on rikki koululla.", "B")).await;
    let third = app.drafted(&notice("c", "Koulun katuvalo ei pala.", "C")).await;
    let (one, two) = (number(&handler, &first).await, number(&handler, &second).await);
    let refused = async |case: &str, into: &str| {
        let problem = merge(&handler, case, into, false).await.problem(422, "/problems/invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/into");
        problem["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(&second, &two).await, "itself");
    assert_eq!(refused(&second, "HRJ/2026/99999").await, "unknown");
    assert_eq!(refused(&second, "").await, "unknown");
    assert_eq!(refused(&first, &two).await, "later");
    let other = app.handler().await;
    other.claim(&first).await.expect(200);
    merge(&handler, &second, &one, false).await.problem(409, "/problems/claimed-by-another");
    other.post(&format!("{first}/release"), &Value::Null).await.expect(200);
    merge(&handler, &third, &two, false).await.expect(200);
    assert_eq!(refused(&second, &one).await, "chain");
    let strange = app.stranger(Role::Handler).await;
    merge(&strange, &first, &two, false).await.problem(422, "/problems/invalid");
    app.residents().await.post(&format!("{first}/merge"), &json!({})).await.problem(403, "/problems/forbidden");

    let danger = notice("d", "Sähköjohto roikkuu maassa ja kipinöi leikkipuiston vieressä!", "D");
    let danger = app.drafted(&danger).await;
    merge(&handler, &danger, &one, false).await.problem(422, "/problems/open-alert");
    handler.post(&format!("{first}/withdraw"), &Value::Null).await.expect(200);
    assert_eq!(refused(&second, &one).await, "ended");
    app.stop().await;
}

const LAMP: &str = "Katuvalo on pimeänä Koulukadulla.";
const QUESTION: &str = "Milloin kirjasto on auki?";

fn part(text: &str, matter: &str) -> Value {
    json!({ "text": text, "class": { "matter": matter, "reason": "Oma asiansa." } })
}

#[tokio::test]
async fn a_message_with_two_matters_becomes_two_cases() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
        let text = format!("Hei!\r\n{LAMP}\r\n{QUESTION}\r\nTerveisin A");
        let case = app.drafted(&lamp("two", &text, "A")).await;
        let received = registry.get(&case).await.expect(200).json["submission"]["received_at"].clone();
        app.now_is("2026-03-12T08:15:00Z");
        let order = json!({ "parts": [part(QUESTION, "question")] });
        let divided = registry.post(&format!("{case}/split"), &order).await.expect(200).json;
        let new = path(&divided["parts"][0]["id"]);
        assert_ne!(divided["parts"][0]["number"], divided["case"]["number"]);
        app.run_jobs().await;

        let page = registry.get(&new).await.expect(200).json;
        assert_eq!((&page["classification"]["matter"], &page["status"]), (&json!("question"), &json!("in-review")));
        assert_eq!(page["submission"]["received_at"], received, "it arrived when the message did");
        assert_eq!(page["split_from"]["case"]["number"], divided["case"]["number"]);
        let texts =
            async |case: &str| registry.get(&format!("{case}/evidence")).await.expect(200).json["texts"].to_string();
        let (rest, own) = (texts(&case).await, texts(&new).await);
        assert!(rest.contains(LAMP) && !rest.contains(QUESTION), "{rest}");
        assert!(own.contains(QUESTION) && !own.contains("Katuvalo"), "{own}");
        let raw = registry.get(&format!("{case}/submission/raw")).await.expect(200).text;
        assert!(raw.contains(QUESTION), "what came in is as it came");
        assert_eq!(registry.get(&case).await.json["split_off"][0]["case"]["id"], divided["parts"][0]["id"]);
        assert!(events(&registry, &case).await.iter().any(|event| event["kind"] == "split"));
        let registered = &events(&registry, &new).await[0];
        assert_eq!(
            (&registered["kind"], &registered["payload"]["split_from"]),
            (&json!("registered"), &divided["case"]["id"])
        );

        // Its submission is the whole message: it does not go elsewhere as somebody's material.
        let earlier = app.drafted(&json!({ "id": "other", "text": QUESTION })).await;
        let order = json!({ "received_at": "2026-03-09T10:00:00Z", "reason": "x" });
        registry.post(&format!("{earlier}/metadata"), &order).await.expect(200);
        app.run_jobs().await;
        let elsewhere = number(&registry, &earlier).await;
        let refused = merge(&registry, &new, &elsewhere, true).await.problem(422, "/problems/invalid");
        assert_eq!(refused["errors"][0]["code"], "part");

        // It was one matter after all.
        let number = divided["case"]["number"].as_str().unwrap();
        merge(&registry, &new, number, true).await.expect(200);
        app.run_jobs().await;
        let whole = texts(&case).await;
        assert!(whole.contains(LAMP) && whole.matches(QUESTION).count() == 1, "{whole}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_words_that_stand_there_can_be_split_off() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let case = app.drafted(&json!({ "id": "s", "text": format!("{LAMP} {QUESTION}") })).await;
    let refused = async |parts: Value| {
        let problem = handler.post(&format!("{case}/split"), &json!({ "parts": parts })).await;
        let problem = problem.problem(422, "/problems/invalid");
        let told = problem["errors"].as_array().unwrap().iter();
        told.map(|flaw| format!("{} {}", flaw["pointer"].as_str().unwrap(), flaw["code"].as_str().unwrap_or("-")))
            .collect::<Vec<_>>()
    };
    assert_eq!(refused(json!([])).await, ["/parts -"]);
    assert_eq!(refused(json!([part("Kirjasto on kiinni", "question")])).await, ["/parts/0/text absent"]);
    assert_eq!(refused(json!([part(LAMP, "feedback"), part(LAMP, "feedback")])).await, ["/parts/1/text absent"]);
    assert_eq!(refused(json!([part(LAMP, "feedback"), part(QUESTION, "question")])).await, ["/parts nothing-left"]);
    let mut strange = part(LAMP, "application");
    strange["class"]["service"] = "no-such-service".into();
    assert_eq!(refused(json!([strange])).await, ["/parts/0/class/service -"]);
    let other = app.handler().await;
    other.claim(&case).await.expect(200);
    let order = json!({ "parts": [part(QUESTION, "question")] });
    handler.post(&format!("{case}/split"), &order).await.problem(409, "/problems/claimed-by-another");
    app.stop().await;
}

#[tokio::test]
async fn a_corrected_arrival_moves_the_clocks_and_what_came_stays() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
        // Registered after the window closed, in the post box before.
        app.now_is("2026-04-20T09:00:00Z");
        let receipt = app.residents().await.submit(&road("paper")).await.expect(201).json;
        app.run_jobs().await;
        let case = path(&receipt["case_id"]);
        let late = registry.get(&case).await.expect(200).json;
        assert_ne!(late["assessment"]["outcome"], "granted", "{late}");
        let order = json!({ "received_at": "2026-03-20T09:00:00Z", "channel": "paper", "reason": "Postileima ja saapumisleima 20.3." });
        registry.post(&format!("{case}/metadata"), &order).await.expect(200);
        app.run_jobs().await;
        let page = registry.get(&case).await.expect(200).json;
        assert_eq!(page["assessment"]["outcome"], "granted");
        let registration = &page["registrations"][0];
        assert_eq!((&registration["channel"], &registration["received_at"]), (&json!("paper"), &order["received_at"]));
        assert_eq!(page["submission"]["received_at"], late["submission"]["received_at"], "what came in is as it came");
        let row = registry.get("/v1/cases").await.expect(200).json["items"][0].clone();
        assert_eq!(row["received_at"], order["received_at"]);
        let event = events(&registry, &case).await.into_iter().find(|one| one["kind"] == "metadata-corrected").unwrap();
        assert_eq!(event["payload"]["received_at"]["now"], order["received_at"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_letter_goes_to_the_party_that_was_put_right_in_their_language() {
    let app = spawn_app().await;
    let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
    let case = app.drafted(&lamp("swedish", "Katuvalo on pimeänä Koulukadulla.", "Väärä Nimi")).await;
    let party = json!({ "name": "Ölbacka väglag", "language": "sv", "email": "vag@example.fi" });
    let order = json!({ "party": party, "reason": "Soitti ja kertoi." });
    registry.post(&format!("{case}/metadata"), &order).await.expect(200);
    app.run_jobs().await;
    let page = registry.get(&case).await.expect(200).json;
    assert_eq!((&page["language"], &page["draft"]["content"]["language"]), (&json!("sv"), &json!("sv")));
    let event = events(&registry, &case).await.into_iter().find(|one| one["kind"] == "metadata-corrected").unwrap();
    assert!(!event.to_string().contains("lbacka"), "no personal data in the chain: {event}");

    let refused = async |order: Value| {
        let problem = registry.post(&format!("{case}/metadata"), &order).await.problem(422, "/problems/invalid");
        let told = problem["errors"].as_array().unwrap().iter();
        told.map(|flaw| format!("{} {}", flaw["pointer"].as_str().unwrap(), flaw["code"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(refused(json!({ "reason": "x" })).await, [" nothing"]);
    assert_eq!(refused(json!({ "received_at": "2026-12-01T00:00:00Z", "reason": "x" })).await, ["/received_at future"]);
    assert_eq!(refused(json!({ "received_at": "1926-03-01T00:00:00Z", "reason": "x" })).await, ["/received_at old"]);
    let party = json!({ "name": " ", "email": "ei osoite", "business_id": "1234567-2", "phone": "1\u{0}" });
    let flaws = refused(json!({ "party": party, "reason": "x" })).await;
    assert_eq!(
        flaws,
        ["/party/name missing", "/party/business_id check-digit", "/party/email email", "/party/phone text"]
    );
    app.stop().await;
}

fn page_of(case: &str) -> String {
    format!("/console/cases/{}", case.trim_start_matches("/v1/cases/"))
}

#[tokio::test]
async fn a_fact_is_corrected_on_the_page_without_a_script() {
    let app = spawn_app().await;
    let path = page_of(&app.drafted(&road("page")).await);
    let mut browser = signed_in(&app, &app.handler().await).await;
    let page = browser.get(&path).await.expect(200);
    assert!(!page.html.contains("?fact="), "nothing is corrected without a claim");
    browser.post(&format!("{path}/claim"), &[]).await.expect(303);
    browser.get(&path).await.says(&format!("{path}?fact=supported_length#work"));
    let page = browser.get(&format!("{path}?fact=supported_length")).await.expect(200);
    page.says("Korjaa tieto: ").says("name=\"value\" value=\"2350\"").says("Yksikkö: m.");

    let wrong = [("fact", "supported_length"), ("value", "2,53 <km>"), ("code", "misread"), ("fact_reason", "Ote.")];
    let page = browser.post(&format!("{path}/facts"), &wrong).await.expect(422);
    let page = page.says("Tätä ei voi lukea").says("value=\"2,53 &lt;km&gt;\"").says(">Ote.</textarea>");
    page.says("<option value=\"misread\" selected>")
        .says("aria-invalid=\"true\"")
        .says("Jokin kohta pitää korjata")
        .says("href=\"#work\"");
    let unsaid = [("fact", "supported_length"), ("value", "2530"), ("fact_reason", " ")];
    browser.post(&format!("{path}/facts"), &unsaid).await.expect(422).says("Valitse yksi.").says("value=\"2530\"");
    let right = [("fact", "supported_length"), ("value", "2 530"), ("code", "misread"), ("fact_reason", "Ote 4.3.")];
    browser.post(&format!("{path}/facts"), &right).await.leads_to(&format!("{path}?done=facts"));
    app.run_jobs().await;
    let page = browser.get(&format!("{path}?done=facts")).await.expect(200).says("Tieto on korjattu.");
    page.says("Kone luki: 2\u{a0}350\u{a0}m; kone luki väärin: Ote 4.3.")
        .says("2\u{a0}783,00\u{a0}€")
        .says("tietoja korjattu");

    let gone = [
        ("fact", "households"),
        ("withdrawn", "yes"),
        ("value", "5"),
        ("code", "other"),
        ("fact_reason", "Sekaannus."),
    ];
    browser.post(&format!("{path}/facts"), &gone).await.leads_to(&format!("{path}?done=facts"));
    app.run_jobs().await;
    browser.get(&path).await.says("Poistettu tieto").says("muu syy: Sekaannus.").says("Täydennyspyyntö");
    browser
        .get(&format!("{path}?fact=vat_registered&lang=sv"))
        .await
        .expect(200)
        .says("Rätta uppgiften")
        .says(">ja</option>");
    // An address is written by anybody.
    for strange in ["?fact=nonsense", "?fact=%3Cscript%3E", "?form=nonsense", "?form=merge&fact=households"] {
        let page = browser.get(&format!("{path}{strange}")).await.expect(200);
        assert!(!page.html.contains("<script>") && page.html.contains("<title>"), "{strange}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_duplicate_is_merged_on_the_page_and_both_sides_say_it() {
    let app = spawn_app().await;
    app.now_is(NOW);
    let first = app.drafted(&notice("one", "Katuvalo on pimeänä koulun edessä.", "A")).await;
    let second = app.drafted(&notice("two", "Katuvalo on pimeänä koulun edessä.", "B")).await;
    let handler = app.handler().await;
    let (one, two) = (number(&handler, &first).await, number(&handler, &second).await);
    let mut browser = signed_in(&app, &handler).await;
    let path = page_of(&second);
    browser.get(&path).await.says(&format!("{path}?form=merge#work"));
    browser.get(&format!("{path}?form=merge")).await.expect(200).says(&format!("name=\"into\" value=\"{one}\""));
    let wrong = [("into", "HRJ/2026/99999"), ("merge_reason", "Sama lamppu.")];
    let page = browser.post(&format!("{path}/merge"), &wrong).await.expect(422).says("Tätä ei löydy kunnasta");
    page.says("value=\"HRJ/2026/99999\"").says(">Sama lamppu.</textarea>");
    let right = [("into", one.as_str()), ("merge_reason", "Sama lamppu.")];
    browser.post(&format!("{path}/merge"), &right).await.leads_to(&format!("{path}?done=merged"));
    browser
        .get(&path)
        .await
        .says(&format!("käsitellään yhdessä asian {one} kanssa"))
        .says("Kerro tämän asian asianosaiselle");
    browser.get(&page_of(&first)).await.says(&format!("yhdistetty asia {two}")).says("Kerro ratkaisusta myös");
    app.stop().await;
}

#[tokio::test]
async fn a_matter_is_split_off_and_the_arrival_put_right_on_the_page() {
    let app = spawn_app().await;
    let case = app.drafted(&lamp("page", &format!("{LAMP} {QUESTION}"), "A")).await;
    let mut browser = signed_in(&app, &app.person(Role::Registry, "Kirsi Kirjaaja", None).await).await;
    let path = page_of(&case);
    browser.get(&format!("{path}?form=split")).await.expect(200).says("Kohta, joka erotetaan");
    let split = |text| {
        [("split_text", text), ("split_service", ""), ("split_matter", "question"), ("split_reason", "Kysymys.")]
    };
    let page = browser.post(&format!("{path}/split"), &split("Milloin uimahalli on auki?")).await.expect(422);
    let page = page.says("Näitä sanoja ei ole viestissä").says(">Milloin uimahalli on auki?</textarea>");
    page.says("<option value=\"question\" selected>");
    browser.post(&format!("{path}/split"), &split(QUESTION)).await.leads_to(&format!("{path}?done=split"));
    app.run_jobs().await;
    browser.get(&path).await.says("Tästä on erotettu asia").says(QUESTION);

    let page = browser.get(&format!("{path}?form=metadata")).await.expect(200).says("value=\"2026-03-10T10:15\"");
    page.says("name=\"party_name\" value=\"A\"");
    let metadata = |at, email, reason| {
        [
            ("received_at", at),
            ("channel", "api"),
            ("party_name", "A"),
            ("party_email", email),
            ("party_language", "sv"),
            ("metadata_reason", reason),
        ]
    };
    let page = browser.post(&format!("{path}/metadata"), &metadata("eilen", "page@esimerkki.example", "Soitto.")).await;
    page.expect(422).says("Kirjoita päivä ja kellonaika").says("value=\"eilen\"").says(">Soitto.</textarea>");
    let page = browser.post(&format!("{path}/metadata"), &metadata("2026-03-09T16:00", "ei osoite", "Soitto.")).await;
    page.expect(422).says("Kirjoita yksi sähköpostiosoite.").says("value=\"ei osoite\"");
    let saved = browser
        .post(&format!("{path}/metadata"), &metadata("2026-03-09T16:00", "a@esimerkki.example", "Soitto."))
        .await;
    saved.leads_to(&format!("{path}?done=metadata"));
    app.run_jobs().await;
    browser.get(&path).await.says("Saapumistietoja on korjattu").says("9.3.2026 klo 16.00").says("ruotsi");
    app.stop().await;
}

/// A resident sends a message by the page; gives the path of its private link.
async fn resident_sends(app: &TestApp, browser: &mut Browser, text: &str) -> String {
    let form = browser.post("/m/harjuvesi/forms", &[]).await.expect(303).header("location").to_owned();
    browser.upload(&form, &[("message-text", text), ("act", "check")], &[]).await;
    let sent = browser.post(&format!("{form}/send"), &[]).await.expect(303).header("location").to_owned();
    app.run_jobs().await;
    sent.split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_resident_is_told_of_the_other_number_and_of_nothing_else() {
    let app = spawn_app().await;
    let (mut aino, mut bertta) = (Browser::new(&app), Browser::new(&app));
    let first = resident_sends(&app, &mut aino, &format!("Ainon sanat. {LAMP} {QUESTION}")).await;
    let second = resident_sends(&app, &mut bertta, "Bertan sanat. Katuvalo on rikki Koulukadulla.").await;
    let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
    let rows = registry.get("/v1/cases").await.expect(200).json["items"].as_array().unwrap().clone();
    let mut cases: Vec<(String, String)> =
        rows.iter().map(|row| (row["number"].as_str().unwrap().to_owned(), path(&row["id"]))).collect();
    cases.sort();
    let [(one, of_aino), (two, of_bertta)] = cases.try_into().expect("two cases");

    let order = json!({ "parts": [part(QUESTION, "question")] });
    let divided = registry.post(&format!("{of_aino}/split"), &order).await.expect(200).json;
    app.run_jobs().await;
    let part = divided["parts"][0]["number"].as_str().unwrap().to_owned();
    aino.get(&first).await.expect(200).says(&one).says(&part).says("Samasta viestistäsi tehdyt asiat");

    // What hangs on a split stays where it is; the other notice goes into it.
    merge(&registry, &of_bertta, &one, false).await.expect(200);
    let page = bertta.get(&second).await.expect(200).says(&two).says(&format!("yhdessä asian {one} kanssa"));
    assert!(!page.html.contains("Ainon sanat") && !page.html.contains("/withdraw"), "{}", page.html);
    for path in [first.clone(), format!("{first}/data")] {
        let page = aino.get(&path).await.expect(200);
        assert!(!page.html.contains("Bertan") && !page.html.contains(&two), "{path}: {}", page.html);
    }
    app.stop().await;
}
