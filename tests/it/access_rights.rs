//! The register of access rights: an approval makes a row, a person hands the key over and takes it back, and what is
//! overdue is told by the day.

use serde_json::{Value, json};
use vireille::cases::Role;

use crate::pages::signed_in;
use crate::support::app::{Answer, Caller, TestApp, spawn_app};
use crate::support::database::on_every_database;

/// An application for a key, by the number of its holder.
fn key(n: u32, until: &str) -> Value {
    let sample = std::fs::read_to_string("policies/harjuvesi/samples/access-tag.json").unwrap();
    let mut sample: Value = serde_json::from_str(&sample).unwrap();
    sample["id"] = format!("key-{n}").into();
    sample.as_object_mut().unwrap().remove("received_at");
    for (name, value) in [
        ("holder_name", json!(format!("Testi Ohjaaja {n}"))),
        ("standing", json!(false)),
        ("key_kind", json!("key")),
        ("valid_from", json!("2026-05-01")),
        ("valid_until", json!(until)),
    ] {
        sample["fields"][name] = value;
    }
    sample
}

/// Whoever decides on bookings.
async fn secretary(app: &TestApp) -> Caller {
    app.person(Role::Approver, "Liisa Liikunta", Some("leisure-secretary")).await
}

async fn handle(who: &Caller, case: &str, body: &Value) -> Answer {
    who.post(&format!("{case}/access-right"), body).await
}

/// Where each right stands, by the path of its case.
fn states(page: &Value) -> Vec<(String, String)> {
    let of = |item: &Value| {
        (format!("/v1/cases/{}", item["case"]["id"].as_str().unwrap()), item["state"].as_str().unwrap().to_owned())
    };
    page["items"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test]
async fn a_key_is_granted_handed_over_overdue_and_taken_back() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (soon, later) = (app.drafted(&key(1, "2026-06-30")).await, app.drafted(&key(2, "2026-12-31")).await);
        let registry = app.person(Role::Registry, "Kaisa Kirjaaja", None).await;
        registry.get(&format!("{soon}/access-right")).await.problem(404, "/problems/not-found");
        let early = handle(&registry, &soon, &json!({ "act": "hand-over", "number": "A-1" })).await;
        assert!(early.expect(422).text.contains("granted no access right"));
        let approver = secretary(&app).await;
        for case in [&later, &soon] {
            approver.approve(case).await.expect(200);
        }
        let right = registry.get(&format!("{soon}/access-right")).await.expect(200).json;
        assert_eq!(
            (&right["state"], &right["holder"], &right["kind"], &right["from"], &right["until"]),
            (&json!("granted"), &json!("Testi Ohjaaja 1"), &json!("key"), &json!("2026-05-01"), &json!("2026-06-30"))
        );
        assert_eq!(right["granted"]["by"]["name"], "Liisa Liikunta");

        // Without its number nothing is handed over, and nothing comes back that is not out.
        for (body, word) in [
            (json!({ "act": "hand-over" }), "no number"),
            (json!({ "act": "hand-over", "number": "1\n2" }), "no number"),
            (json!({ "act": "take-back" }), "is granted"),
            (json!({ "act": "report-lost", "reason": "x" }), "is granted"),
            (json!({ "act": "hand-over", "number": "A-1", "reason": "x" }), "a number goes with"),
        ] {
            let refused = handle(&registry, &soon, &body).await.expect(422);
            assert!(refused.text.contains(word), "{word}: {}", refused.text);
        }
        let auditor = app.person(Role::Auditor, "Anna Auditoija", None).await;
        handle(&auditor, &soon, &json!({ "act": "hand-over", "number": "A-1" })).await.expect(403);
        for (case, number) in [(&later, "A-2"), (&soon, " A-1 ")] {
            let done = handle(&registry, case, &json!({ "act": "hand-over", "number": number })).await.expect(200).json;
            assert_eq!((&done["state"], &done["number"]), (&json!("handed-over"), &json!(number.trim())));
            assert_eq!(done["handed_over"]["by"]["name"], "Kaisa Kirjaaja");
        }

        // On its last day it is not overdue, on the next one it is, and nothing had to run for that.
        let list =
            async |query: &str| states(&registry.get(&format!("/v1/access-rights{query}")).await.expect(200).json);
        let stands = |case: &str, state: &str| (case.to_owned(), state.to_owned());
        app.now_is("2026-06-30T20:59:59Z");
        assert_eq!(list("").await, [stands(&soon, "handed-over"), stands(&later, "handed-over")]);
        app.now_is("2026-06-30T21:00:00Z");
        assert_eq!(list("").await, [stands(&soon, "overdue"), stands(&later, "handed-over")]);
        assert_eq!(list("?state=overdue").await, [stands(&soon, "overdue")]);
        let first = registry.get("/v1/access-rights?limit=1").await.expect(200).json;
        let next = first["next"].as_str().unwrap();
        assert_eq!(list(&format!("?limit=1&cursor={next}")).await, [stands(&later, "handed-over")]);
        registry.get("/v1/access-rights?cursor=x").await.problem(400, "/problems/bad-parameter");
        registry.get("/v1/access-rights?state=stolen").await.expect(400);

        // Lost with a reason, and found again.
        handle(&registry, &soon, &json!({ "act": "report-lost" })).await.expect(422);
        let missing = json!({ "act": "report-lost", "reason": "Putosi lumihankeen pysäköintipaikalla." });
        assert_eq!(handle(&registry, &soon, &missing).await.expect(200).json["state"], "lost");
        assert_eq!(list("?state=lost").await, [stands(&soon, "lost")]);
        assert_eq!(list("").await, [stands(&later, "handed-over"), stands(&soon, "lost")]);
        for case in [&soon, &later] {
            let back = handle(&registry, case, &json!({ "act": "take-back" })).await.expect(200).json;
            assert_eq!((&back["state"], back["returned"]["at"].is_string()), (&json!("returned"), true));
            handle(&registry, case, &json!({ "act": "take-back" })).await.expect(422);
        }

        // Each act is an event of the case, without the number and without the words.
        let timeline = registry.get(&format!("{soon}/timeline")).await.expect(200);
        for kind in ["key-handed-over", "key-lost", "key-returned"] {
            assert_eq!(timeline.text.matches(kind).count(), 1, "{kind}");
        }
        assert!(!timeline.text.contains("A-1") && !timeline.text.contains("lumihankeen"), "{}", timeline.text);

        // Another municipality has a register of its own.
        let stranger = app.stranger(Role::Handler).await;
        assert_eq!(stranger.get("/v1/access-rights").await.expect(200).json["items"], json!([]));
        stranger.get(&format!("{soon}/access-right")).await.expect(404);
        handle(&stranger, &soon, &json!({ "act": "take-back" })).await.problem(404, "/problems/not-found");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_granted_or_not_fetched_is_never_out() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let mut minor = key(1, "2026-06-30");
        minor["fields"]["holder_is_adult"] = false.into();
        let (minor, unfetched) = (app.drafted(&minor).await, app.drafted(&key(2, "2026-06-30")).await);
        let approver = secretary(&app).await;
        let relative = app.handler().await;
        relative.post(&format!("{unfetched}/disqualify"), &json!({ "ground": "interest" })).await.expect(200);
        for case in [&minor, &unfetched] {
            approver.approve(case).await.expect(200);
        }
        // Whoever has said that they are disqualified handles no key of the case either.
        let number = json!({ "act": "hand-over", "number": "A-1" });
        handle(&relative, &unfetched, &number).await.problem(403, "/problems/disqualified");
        approver.get(&format!("{minor}/access-right")).await.expect(404);
        app.now_is("2026-07-01T09:00:00Z");
        let listed = approver.get("/v1/access-rights").await.expect(200).json;
        assert_eq!(states(&listed), [(unfetched.clone(), "lapsed".to_owned())]);
        let late = handle(&approver, &unfetched, &number).await.expect(422);
        assert!(late.text.contains("is lapsed"), "{}", late.text);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_register_and_the_key_are_handled_from_the_pages() {
    let app = spawn_app().await;
    let case = app.drafted(&key(1, "2026-06-30")).await;
    secretary(&app).await.approve(&case).await.expect(200);
    let page = case.replace("/v1/", "/console/");
    let act = format!("{page}/access-right");
    let registry = app.person(Role::Registry, "Kaisa Kirjaaja", None).await;
    let mut browser = signed_in(&app, &registry).await;
    browser
        .get("/console/access-rights")
        .await
        .expect(200)
        .says("Luovuttamatta")
        .says("Testi Ohjaaja 1")
        .says(">avain<");
    browser.get(&page).await.expect(200).says("Merkitse luovutetuksi").says("1.5.2026 – 30.6.2026");
    let refused = browser.post(&act, &[("key_act", "hand-over"), ("key_number", " ")]).await.expect(422);
    refused.says("Kirjoita avaimen tai tunnisteen numero");
    let number = "<b>A-1</b>";
    let handed = browser.post(&act, &[("key_act", "hand-over"), ("key_number", number)]).await;
    handed.leads_to(&format!("{page}?done=key-handed-over"));
    let shown = browser.get(&format!("{page}?done=key-handed-over")).await.expect(200);
    shown.says("merkitty luovutetuksi").says("&lt;b&gt;A-1").says("Kaisa Kirjaaja");

    // The next application of a holder of that name tells of the key, for a person to look at.
    let again = app.drafted(&key(1, "2026-12-31")).await.replace("/v1/", "/console/");
    browser.get(&again).await.expect(200).says("Samannimisellä saajalla").says(&page);
    app.now_is("2026-07-02T09:00:00Z");
    let mut browser = signed_in(&app, &registry).await;
    browser.get("/console/access-rights?state=overdue").await.expect(200).says("Palautus myöhässä").says("30.6.2026");
    browser
        .get("/console/access-rights?state=overdue&lang=sv")
        .await
        .expect(200)
        .says("Återlämning försenad")
        .says("nyckel");
    browser.get(&format!("{page}?lang=fi")).await.expect(200).says("Avain tai tunniste on palauttamatta");
    let refused = browser.post(&act, &[("key_act", "report-lost"), ("key_reason", "")]).await.expect(422);
    refused.says("Kirjoita, miten avain tai tunniste katosi");
    browser.post(&act, &[("key_act", "sold")]).await.expect(422).says("Tätä ei voi merkitä nyt");
    browser.post(&act, &[("key_act", "take-back")]).await.leads_to(&format!("{page}?done=key-returned"));
    let shown = browser.get(&page).await.expect(200).says("Palautettu");
    assert!(!shown.html.contains("Merkitse palautetuksi"), "{}", shown.html);
    let calm = browser.get(&again).await.expect(200);
    assert!(!calm.html.contains("Samannimisellä saajalla"), "{}", calm.html);
    app.stop().await;
}
