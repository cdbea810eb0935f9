//! Publications: what a resident wrote and the answer to it are shown to everybody while the party consents and a person
//! says so, in words that identify nobody.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::{Browser, signed_in};
use crate::pages_resident::begin;
use crate::support::app::{Answer, Caller, TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::NOW;

/// What identifies somebody in the feedback of the stories.
const PLANTED: [&str; 9] = [
    "Salla",
    "Salainen",
    "Virtanen",
    "040 777 1234",
    "salla.salainen@kuiskaus.example",
    "Kuusikatu 4",
    "ABC-123",
    "131052-9971",
    "FI21 1234 5600 0007 85",
];

const WORDS: &str = "Kiitos luistelukentästä! Naapurini Pekka Virtanen kehui sitä. Jään luona oli auto ABC-123. \
    Asun Kuusikatu 4, numeroni on 040 777 1234, salla.salainen@kuiskaus.example. Tunnus 131052-9971, tili \
    FI21 1234 5600 0007 85. Terveisin Salla Salainen";

/// Feedback with everything in it that nobody may read.
fn feedback(id: &str, words: &str, consents: bool) -> Value {
    json!({
        "id": id, "service": "general-feedback",
        "fields": {
            "topic": "leisure", "kind": "thanks", "description": words, "wants_answer": true, "language": "fi",
            "sender_name": "Salla Salainen", "sender_email": "salla.salainen@kuiskaus.example",
            "sender_phone": "040 777 1234", "publish_consent": consents
        },
        "party": { "name": "Salla Salainen", "email": "salla.salainen@kuiskaus.example", "language": "fi" }
    })
}

/// Whoever answers feedback.
async fn secretary(app: &TestApp) -> Caller {
    app.person(Role::Approver, "Aino Asiakaspalvelu", Some("customer-service-secretary")).await
}

async fn publish(who: &Caller, case: &str, text: &str, answer: Option<&str>) -> Answer {
    who.post(&format!("{case}/publish"), &json!({ "text": text, "answer": answer })).await
}

/// What everybody reads of Harjuvesi.
async fn shown(app: &TestApp) -> Vec<Value> {
    let page = app.nobody().get("/v1/publications?municipality=harjuvesi").await.expect(200).json;
    page["items"].as_array().unwrap().clone()
}

/// The stable words of what is wrong.
fn codes(problem: &Value) -> Vec<String> {
    let of = |error: &Value| {
        format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap_or_default())
    };
    problem["errors"].as_array().unwrap().iter().map(of).collect()
}

#[track_caller]
fn assert_nobody(what: &str, text: &str) {
    for planted in PLANTED {
        assert!(!text.contains(planted), "`{planted}` in {what}: {text}");
    }
}

#[tokio::test]
async fn what_identifies_somebody_is_taken_out_and_never_published() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&feedback("one", WORDS, true)).await;
        let handler = app.handler().await;
        let state = handler.get(&format!("{case}/publication")).await.expect(200).json;
        assert_eq!((&state["consents"], &state["shown"]), (&json!(true), &Value::Null));
        let proposed = state["proposed"]["text"].as_str().unwrap();
        assert_nobody("the proposal", proposed);
        assert!(proposed.starts_with("Kiitos luistelukentästä!") && proposed.contains("[poistettu]"), "{proposed}");
        assert_eq!(state["proposed"]["answer"], Value::Null, "nothing was approved");

        let refused = publish(&handler, &case, WORDS, None).await.problem(422, "/problems/invalid");
        for code in ["plate", "address", "phone", "e-mail", "identity-code", "account", "name"] {
            assert!(codes(&refused).contains(&format!("/text {code}")), "{code}: {refused}");
        }
        assert!(!refused.to_string().contains("Virtanen"), "a refusal repeats nothing: {refused}");
        let inflected = publish(&handler, &case, "Sallan mielestä kenttä on hyvä.", None).await;
        assert_eq!(codes(&inflected.problem(422, "/problems/invalid")), ["/text name"]);
        let early = publish(&handler, &case, "Kiitos kentästä!", Some("Kiitos!")).await;
        assert_eq!(codes(&early.problem(422, "/problems/invalid")), ["/answer unapproved"]);
        assert_eq!(shown(&app).await, Vec::<Value>::new());

        // The answer that was approved is shown with it, and it may say how the municipality is reached.
        handler.claim(&case).await.expect(200);
        let answer = |_: &str| "Kiitos, Salla! Jäädytämme kentän myös ensi talvena.".to_owned();
        handler.edit_part(&case, "operative", answer).await.expect(200);
        secretary(&app).await.approve(&case).await.expect(200);
        let state = handler.get(&format!("{case}/publication")).await.expect(200).json;
        let proposed_answer = state["proposed"]["answer"].as_str().unwrap();
        assert!(proposed_answer.contains("Jäädytämme kentän myös ensi talvena."), "{proposed_answer}");
        assert_nobody("the answer", proposed_answer);
        let reached = "Kiitos! Soittakaa kirjaamoon 040 000 0001.";
        let done = publish(&handler, &case, proposed, Some(reached)).await.expect(201).json;
        let all = shown(&app).await;
        assert_eq!(all.len(), 1);
        assert_eq!(
            (&all[0]["id"], &all[0]["text"], &all[0]["answer"]),
            (&done["id"], &json!(proposed), &json!(reached))
        );
        let keys: Vec<&String> = all[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["answer", "id", "language", "published_at", "text"], "nothing leads to the case");

        // Published anew it stands once, and the chain tells without words.
        publish(&handler, &case, "Kiitos kentästä!", None).await.expect(201);
        let all = shown(&app).await;
        assert_eq!((all.len(), &all[0]["text"], &all[0]["answer"]), (1, &json!("Kiitos kentästä!"), &Value::Null));
        let timeline = handler.get(&format!("{case}/timeline")).await.expect(200).text;
        assert_eq!(timeline.matches("\"published\"").count(), 2);
        assert!(!timeline.contains("kentästä"), "{timeline}");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn only_a_person_publishes_and_only_while_the_party_consents() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&feedback("one", "Kiitos kentästä!", true)).await;
        let silent = app.drafted(&feedback("two", "Kiitos kirjastosta!", false)).await;
        let handler = app.handler().await;
        let text = "Kiitos kentästä!";
        let refused = publish(&handler, &silent, text, None).await.problem(422, "/problems/invalid");
        assert_eq!(codes(&refused), ["/text consent"]);
        let registry = app.person(Role::Registry, "Kaisa Kirjaaja", None).await;
        publish(&registry, &case, text, None).await.problem(403, "/problems/forbidden");
        publish(&app.residents().await, &case, text, None).await.problem(403, "/problems/forbidden");
        let stranger = app.stranger(Role::Handler).await;
        publish(&stranger, &case, text, None).await.problem(404, "/problems/not-found");
        stranger.get(&format!("{case}/publication")).await.expect(404);
        stranger.post(&format!("{case}/unpublish"), &json!({})).await.expect(404);
        let unpublish = format!("{case}/unpublish");
        handler.post(&unpublish, &json!({})).await.problem(422, "/problems/invalid");

        publish(&handler, &case, text, None).await.expect(201);
        assert_eq!(shown(&app).await.len(), 1);
        let elsewhere = app.nobody().get("/v1/publications?municipality=ylaharju").await.expect(200).json;
        assert_eq!(elsewhere["items"], json!([]));
        app.nobody().get("/v1/publications?municipality=nowhere").await.expect(404);
        app.nobody().get("/v1/publications").await.expect(400);
        stranger.post(&unpublish, &json!({})).await.expect(404);
        handler.post(&unpublish, &json!({})).await.expect(204);
        assert_eq!(shown(&app).await, Vec::<Value>::new());

        // A consent that is withdrawn takes it away at once, and giving it again brings nothing back by itself.
        publish(&handler, &case, text, None).await.expect(201);
        let consent = async |given: bool| {
            let order = json!({ "given": given });
            registry.post(&format!("{case}/consent"), &order).await.expect(204);
        };
        consent(false).await;
        assert_eq!(shown(&app).await, Vec::<Value>::new());
        publish(&handler, &case, text, None).await.problem(422, "/problems/invalid");
        consent(true).await;
        assert_eq!(shown(&app).await, Vec::<Value>::new());
        let timeline = handler.get(&format!("{case}/timeline")).await.expect(200).text;
        assert!(timeline.contains("consent-withdrawn"), "{timeline}");
        assert_eq!(timeline.matches("\"unpublished\"").count(), 2);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_merged_or_withdrawn_is_shown_no_longer() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let stays = app.drafted(&feedback("one", "Kiitos kentästä!", true)).await;
        let merged = app.drafted(&feedback("two", "Kiitos vielä kentästä!", true)).await;
        let withdrawn = app.drafted(&feedback("three", "Kiitos kirjastosta!", true)).await;
        let handler = app.handler().await;
        for (case, text) in [(&stays, "Kiitos 1"), (&merged, "Kiitos 2"), (&withdrawn, "Kiitos 3")] {
            publish(&handler, case, text, None).await.expect(201);
        }
        let texts = async || {
            let mut texts: Vec<String> =
                shown(&app).await.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
            texts.sort();
            texts
        };
        assert_eq!(texts().await, ["Kiitos 1", "Kiitos 2", "Kiitos 3"]);

        let number = handler.get(&stays).await.expect(200).json["number"].clone();
        let into = json!({ "into": number, "same_party": true, "reason": "Sama asia kahdesti." });
        handler.claim(&merged).await.expect(200);
        handler.post(&format!("{merged}/merge"), &into).await.expect(200);
        assert_eq!(texts().await, ["Kiitos 1", "Kiitos 3"]);
        handler.post(&format!("{withdrawn}/withdraw"), &Value::Null).await.expect(200);
        assert_eq!(texts().await, ["Kiitos 1"], "what was not withdrawn stays");

        for (case, reason) in [(&merged, "merged"), (&withdrawn, "withdrawn")] {
            let events = handler.get(&format!("{case}/timeline")).await.expect(200).json;
            let ended: Vec<&Value> =
                events["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "unpublished").collect();
            assert_eq!((ended.len(), &ended[0]["payload"]["reason"]), (1, &json!(reason)), "{events}");
            // Nor is it shown anew, whatever the party consented to.
            publish(&handler, case, "Kiitos!", None).await.problem(409, "/problems/final");
        }
        app.run_jobs().await;
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_newest_stand_first_and_page_by_page() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let handler = app.handler().await;
        let mut cases = Vec::new();
        for n in 1..=5 {
            cases.push(app.drafted(&feedback(&format!("f{n}"), "Kiitos kentästä!", true)).await);
        }
        for (n, case) in (1..).zip(&cases) {
            // Two of them at the same moment.
            app.now_is(&format!("2026-05-0{}T09:00:00Z", n.min(4)));
            publish(&handler, case, &format!("Kiitos {n}"), None).await.expect(201);
        }
        let (mut texts, mut path) = (Vec::new(), "/v1/publications?municipality=harjuvesi&limit=2".to_owned());
        loop {
            let page = app.nobody().get(&path).await.expect(200).json;
            texts
                .extend(page["items"].as_array().unwrap().iter().map(|item| item["text"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/publications?municipality=harjuvesi&limit=2&cursor={next}");
        }
        assert_eq!(texts[2..], ["Kiitos 3", "Kiitos 2", "Kiitos 1"]);
        assert_eq!(texts.len(), 5);
        app.nobody()
            .get("/v1/publications?municipality=harjuvesi&cursor=x")
            .await
            .problem(400, "/problems/bad-parameter");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn feedback_goes_from_the_form_to_the_page_that_everybody_reads_and_away_again() {
    let app = spawn_app().await;
    let mut resident = Browser::new(&app);
    let path = begin(&mut resident, &[("service", "general-feedback")]).await;
    let typed = [
        ("topic", "leisure"),
        ("description", "Kiitos <b>kentästä</b>, terveisin Salla Salainen"),
        ("sender_name", "Salla Salainen"),
        ("act", "check"),
    ];
    resident.upload(&path, &typed, &[]).await.leads_to(&format!("{path}/check"));
    let sent = resident.post(&format!("{path}/send"), &[("publish_consent", "true")]).await.expect(303);
    let followed = sent.header("location").trim_end_matches("?sent=1").to_owned();
    app.now_is(NOW);
    app.run_jobs().await;
    resident.get(&followed).await.expect(200).says("Palautettasi ei ole julkaistu.");

    let handler = app.handler().await;
    let id = handler.get("/v1/cases").await.expect(200).json["items"][0]["id"].as_str().unwrap().to_owned();
    let page = format!("/console/cases/{id}");
    let mut office = signed_in(&app, &handler).await;
    let form = office.get(&page).await.expect(200).says("Julkaise palaute").says("[poistettu]");
    assert!(!form.html.contains("name=\"publish_answer\""), "nothing was approved: {}", form.html);
    let text = "Kiitos <b>kentästä</b>!";
    let publish = format!("{page}/publish");
    let unread = office.post(&publish, &[("publish_text", text)]).await.expect(422);
    unread.says("Julkaisemista ei vahvistettu").says("Kiitos &lt;b&gt;kentästä");
    let named = [("publish_text", "Kiitos kentästä, Salla"), ("publish_read", "yes")];
    office.post(&publish, &named).await.expect(422).says("poista lähettäjän nimi").says("Kiitos kentästä, Salla");
    let good = [("publish_text", text), ("publish_read", "yes")];
    office.post(&publish, &good).await.leads_to(&format!("{page}?done=published"));
    office
        .get(&format!("{page}?done=published"))
        .await
        .expect(200)
        .says("Palaute on julkaistu.")
        .says("Poista julkaisu");

    // Anybody reads it, in three languages, and is given no cookie for it.
    let mut anybody = Browser::new(&app);
    anybody.get("/m/harjuvesi").await.expect(200).says("/m/harjuvesi/feedback");
    anybody.get("/feedback").await.expect(200).says("/m/harjuvesi/feedback").says("/m/ylaharju/feedback");
    let read = anybody.get("/m/harjuvesi/feedback").await.expect(200);
    assert_eq!(read.header("set-cookie"), "");
    let read = read.says("Palautteet ja vastaukset").says("Kiitos &lt;b&gt;kentästä").says("Julkaistu 20.4.2026");
    assert_nobody("the public page", &read.html);
    for secret in [id.as_str(), "HRJ/2026", followed.as_str()] {
        assert!(!read.html.contains(secret), "{secret}: {}", read.html);
    }
    anybody.get("/m/harjuvesi/feedback?lang=sv").await.expect(200).says("Respons och svar").says("lang=\"fi\"");
    anybody.get("/m/harjuvesi/feedback?lang=en").await.expect(200).says("Feedback and answers");
    anybody.get("/m/ylaharju/feedback?lang=fi").await.expect(200).says("Palautteita ei ole vielä julkaistu");
    anybody.get("/m/harjuvesi/feedback?cursor=x").await.expect(200);
    anybody.get("/m/nowhere/feedback").await.expect(404);

    resident.get(&followed).await.expect(200).says("Palautteesi on julkaistu 20.4.2026");
    resident.post(&format!("{followed}/consent"), &[("withdraw", "1")]).await.expect(303);
    let read =
        anybody.get("/m/harjuvesi/feedback?lang=fi").await.expect(200).says("Palautteita ei ole vielä julkaistu");
    assert!(!read.html.contains("kentästä"), "{}", read.html);
    let closed = office.get(&page).await.expect(200).says("Mitään ei saa julkaista");
    assert!(!closed.html.contains("Julkaise palaute"), "{}", closed.html);
    office.post(&publish, &good).await.expect(422);

    // And taken away by the office.
    resident.post(&format!("{followed}/consent"), &[("give", "1")]).await.expect(303);
    office.post(&publish, &good).await.expect(303);
    office.post(&format!("{page}/unpublish"), &[]).await.leads_to(&format!("{page}?done=unpublished"));
    anybody.get("/m/harjuvesi/feedback").await.expect(200).says("Palautteita ei ole vielä julkaistu");
    app.stop().await;
}
