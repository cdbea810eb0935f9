//! Precedents: similar decisions of the same municipality, without whom, where and how much.

use serde_json::{Value, json};
use vireille::cases::{CaseFile, DraftKind};
use vireille::storage::Storage;
use vireille::triage::precedents::{Precedent, Precedents as _, Wanted};

use crate::kinds::rule;
use crate::support::app::{Caller, TestApp};
use crate::support::database::{Database, on_every_database};
use crate::support::desk::{at, desk, merge, register_unit, road_json, submission, triage};

fn road(id: &str, changes: &Value) -> Value {
    let mut road = road_json();
    road.as_object_mut().unwrap().remove("received_at");
    road["id"] = id.into();
    road["fields"]["register_unit"] = register_unit(id).into();
    merge(&mut road, changes);
    road
}

fn short(id: &str) -> Value {
    road(id, &json!({ "fields": { "supported_length": "300", "total_length": "350" } }))
}

/// A case with something about people in the handler's reasons, approved.
async fn decide(app: &TestApp, director: &Caller, road: &Value, at: &str) {
    app.now_is(at);
    let case = app.drafted(road).await;
    let handler = app.handler().await;
    handler.claim(&case).await.expect(200);
    let draft = handler.draft(&case).await;
    let mut reasons = draft["content"]["reasons"].clone();
    let told = reasons[0]["text"].as_str().unwrap().to_owned();
    reasons[0]["text"] =
        format!("{told} Hakija on Harjun tiekunta, ja Harjuntien asiaa hoitaa Testi Puheenjohtaja.").into();
    let body = json!({ "parts": draft["content"]["parts"], "reasons": reasons });
    handler.put_draft(&case, draft["hash"].as_str().unwrap(), &body).await.expect(200);
    director.approve(&case).await.expect(200);
}

async fn similar(storage: &Storage, file: &CaseFile, before: &str) -> Vec<Precedent> {
    let service = "private-road-grant".parse().unwrap();
    let wanted = Wanted { service: &service, file, before: at(before), limit: 2 };
    storage.similar(&desk(), &wanted).await.unwrap()
}

/// So many names in what came in that a part of them might be forgotten.
#[tokio::test]
async fn a_long_list_of_names_hides_nobody_less() {
    let database = Database::sqlite().await;
    let app = TestApp::over(&database).await;
    let director = app.director().await;
    let letters = |n: u32| ['a', 'e', 'i', 'o', 'u', 'y', 'k', 'l', 'm', 'n'][(n % 10) as usize];
    let present: Vec<String> =
        (0..700).map(|n| format!("A{}{}{}nen", letters(n / 100), letters(n / 10), letters(n))).collect();
    let text = format!("Kokouksessa olivat {}. Puhetta johti Virpi Zetterström.", present.join(", "));
    app.now_is("2026-03-10T08:00:00Z");
    let case = app.drafted(&road("a", &json!({ "text": text }))).await;
    let handler = app.handler().await;
    handler.claim(&case).await.expect(200);
    let draft = handler.draft(&case).await;
    let mut reasons = draft["content"]["reasons"].clone();
    let told = reasons[0]["text"].as_str().unwrap().to_owned();
    reasons[0]["text"] = format!("{told} Asia on Zetterströmin, ja Harjun puolesta puhui Akaenen.").into();
    let body = json!({ "parts": draft["content"]["parts"], "reasons": reasons });
    handler.put_draft(&case, draft["hash"].as_str().unwrap(), &body).await.expect(200);
    director.approve(&case).await.expect(200);
    let (file, _) = triage(&submission(&road("new", &json!({}))));
    let found = similar(&database.storage, &file, "2026-05-01T00:00:00Z").await;
    let told = found[0].reasons[0].0.as_str();
    assert!(told.contains("puolesta puhui"), "{told}");
    for name in ["Zetter", "Harju", "Akae"] {
        assert!(!told.contains(name), "{name}: {told}");
    }
    app.stop().await;
}

#[tokio::test]
async fn similar_decisions_name_nobody_and_no_number() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let director = app.director().await;
        decide(&app, &director, &road("a", &json!({})), "2026-03-10T08:00:00Z").await;
        decide(&app, &director, &short("b"), "2026-03-11T08:00:00Z").await;
        decide(&app, &director, &road("c", &json!({})), "2026-03-12T08:00:00Z").await;

        // The rules of a short road came out like those of the other short road.
        let (rejected, _) = triage(&submission(&short("new")));
        let (granted, _) = triage(&submission(&road("new", &json!({}))));
        let to_short = similar(&database.storage, &rejected, "2026-05-01T00:00:00Z").await;
        assert_eq!(to_short.len(), 2, "no more than asked for");
        assert_eq!(to_short[0].kind, DraftKind::Rejection);
        let to_long = similar(&database.storage, &granted, "2026-05-01T00:00:00Z").await;
        assert_eq!(to_long.iter().map(|found| found.kind).collect::<Vec<_>>(), [DraftKind::Grant; 2]);
        assert!(to_long.iter().all(|found| found.in_force && !found.reasons.is_empty()), "{to_long:?}");
        assert!(similar(&database.storage, &granted, "2026-03-01T00:00:00Z").await.is_empty(), "not yet decided");

        for (reason, sections) in to_short.iter().chain(&to_long).flat_map(|found| &found.reasons) {
            let told = reason.as_str();
            for private in
                ["Harju", "Testi", "Puheenjohtaja", "040", "2350", "300", "2585", "1234567-1", "FI21", "example"]
            {
                assert!(!told.contains(private), "{private}: {told}");
            }
            assert!(!told.chars().any(|c| c.is_ascii_digit()), "{told}");
            assert!(!sections.is_empty());
        }
        let told = to_long[0].reasons[0].0.as_str();
        assert!(told.contains("asiaa hoitaa"), "what nobody is known by stays: {told}");
        app.stop().await;
    })
    .await;
}

/// A road whose cooperative got other support, on which a handler rules. Gives its path and number.
async fn weighed(app: &TestApp, handler: &Caller, id: &str, support: &str, outcome: &str) -> (String, String) {
    let unit = format!("999-2026-K{id}");
    app.now_is("2026-03-10T08:00:00Z");
    let case = app.drafted(&road(id, &json!({ "fields": { "register_unit": unit, "other_support": support } }))).await;
    rule(handler, &case, "other-support", outcome, "Tuki koskee valaistusta eikä kunnossapitoa.").await;
    app.run_jobs().await;
    let number = handler.get(&case).await.expect(200).json["number"].as_str().unwrap().to_owned();
    (case, number)
}

/// What K26 says of the draft that stands.
async fn k26(handler: &Caller, case: &str) -> (String, String) {
    let draft = handler.draft(case).await;
    let check = draft["checks"].as_array().unwrap().iter().find(|check| check["id"] == "K26").unwrap().clone();
    (check["result"].as_str().unwrap().to_owned(), check["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn like_cases_are_decided_alike_or_the_handler_sees_which_was_not() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (handler, director) = (app.handler().await, app.director().await);
        let mut numbers = Vec::new();
        for id in ["54331", "54332", "54333"] {
            let (case, number) = weighed(&app, &handler, id, "500,00", "met").await;
            assert_eq!(k26(&handler, &case).await.0, "pass", "nobody ruled otherwise before");
            director.approve(&case).await.expect(200);
            numbers.push(number);
        }

        // Who follows practice passes, and is told with how many it was compared.
        let (alike, _) = weighed(&app, &handler, "54334", "500,00", "met").await;
        let (result, told) = k26(&handler, &alike).await;
        assert_eq!(result, "pass", "{told}");
        assert!(told.contains('3'), "{told}");

        // The applicant wrote of other support, a handler stated the same as in the others and ruled otherwise.
        let (deviates, _) = weighed(&app, &handler, "54335", "900,00", "not_met").await;
        assert_eq!(k26(&handler, &deviates).await.0, "pass", "on another fact another ruling is no deviation");
        let fact =
            json!({ "name": "other_support", "value": "500.00", "code": "measured", "reason": "Tukipäätöksen mukaan." });
        handler.post(&format!("{deviates}/facts"), &json!({ "facts": [fact] })).await.expect(200);
        app.run_jobs().await;
        let draft = handler.draft(&deviates).await;
        let (result, told) = k26(&handler, &deviates).await;
        assert_eq!(result, "fail", "{}: {told}", draft["content"]["kind"]);
        assert!(told.contains(&numbers[2]) && told.contains("other-support"), "the newest case and its rule: {told}");
        assert!(told.contains("(other_support)"), "the fact: {told}");
        let check = draft["checks"].as_array().unwrap().iter().find(|check| check["id"] == "K26").unwrap();
        assert_eq!(check["severity"], "warning", "there may be a good reason, which the decision then gives");
        assert!(check["words"]["fi"].as_str().unwrap().contains("perustelkaa ero"), "{check}");

        // Where rules alone decide there is nothing to depart from.
        let plain = app.drafted(&road("54336", &json!({ "fields": { "register_unit": "999-2026-K54336" } }))).await;
        assert_eq!(k26(&handler, &plain).await.0, "pass");
        app.stop().await;
    })
    .await;
}
