//! Search in the texts that bind: what comes up, for whom, on which day; the same from both backends.

use vireille::cases::Language;
use vireille::policy::Rulebooks;
use vireille::search::{Embedded, Passage, Query, Search};

use crate::support::app::spawn_app;
use crate::support::desk::policies;

fn rulebooks() -> Rulebooks {
    Rulebooks::load_all(&policies()).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A question to Harjuvesi's texts in Finnish, in the spring of 2026.
fn asking(text: &str) -> Query {
    Query {
        municipality: "harjuvesi".parse().unwrap(),
        text: text.to_owned(),
        language: Language::Fi,
        service: None,
        on: "2026-04-20".parse().unwrap(),
        limit: 5,
    }
}

fn sections(passages: &[Passage]) -> Vec<String> {
    passages.iter().map(|passage| passage.section.to_string()).collect()
}

#[tokio::test]
async fn a_question_brings_the_sections_that_answer_it() {
    let search = Embedded::over(&rulebooks());
    for (language, question, expected) in [
        (Language::Fi, "mikä on tuettavan tien pituus vähintään", "private-road-grant@2026-01-01#s3"),
        (Language::Sv, "hur lång ska den stödberättigande vägen vara", "private-road-grant@2026-01-01#s3"),
        (Language::Fi, "asiakirjan lähettäjän yhteystiedot", "hallintolaki@2004-01-01#s16"),
    ] {
        let query = Query { language, ..asking(question) };
        let found = search.search(&query).await.unwrap();
        assert!(sections(&found).iter().any(|section| section == expected), "{question}: {:?}", sections(&found));
        assert!(found.iter().all(|passage| passage.language == language && passage.score > 0.0));
        assert!(found.len() == 5, "several passages, never the one");
    }
}

#[tokio::test]
async fn only_what_is_in_force_on_the_day_comes_up() {
    let search = Embedded::over(&rulebooks());
    for (on, version) in [("2025-06-30", "2024-01-01"), ("2026-06-30", "2026-01-01")] {
        let query = Query { on: on.parse().unwrap(), limit: 50, ..asking("yksityistien tuettava pituus") };
        let found = search.search(&query).await.unwrap();
        let versions = |document: &str| {
            let mut found: Vec<_> = found.iter().filter(|p| p.section.document.as_str() == document).collect();
            found.dedup_by_key(|passage| passage.section.version);
            found.iter().map(|passage| passage.section.version.to_string()).collect::<Vec<_>>()
        };
        assert!(versions("private-road-grant").iter().all(|found| found == version), "{on}");
        assert!(!versions("private-road-grant").is_empty(), "{on}");
    }
}

#[tokio::test]
async fn a_service_leaves_out_what_governs_only_others() {
    let search = Embedded::over(&rulebooks());
    let question = Query { limit: 50, ..asking("vikailmoituksen käsittelyaika ja hallintolaki") };
    let of = |service: &str| Query { service: Some(service.parse().unwrap()), ..question.clone() };
    let documents = |found: Vec<Passage>| found.into_iter().map(|p| p.section.document.to_string()).collect::<Vec<_>>();
    let road = documents(search.search(&of("private-road-grant")).await.unwrap());
    let notice = documents(search.search(&of("fault-notice")).await.unwrap());
    assert!(notice.iter().any(|document| document == "fault-notice-service-levels"));
    assert!(!road.iter().any(|document| document == "fault-notice-service-levels"));
    for found in [&road, &notice] {
        assert!(found.iter().any(|document| document == "hallintolaki"), "statutes are everybody's: {found:?}");
    }
}

#[tokio::test]
async fn a_question_without_words_or_of_a_stranger_brings_nothing() {
    let search = Embedded::over(&rulebooks());
    for query in [
        asking(""),
        asking("!!! ???"),
        Query { language: Language::En, ..asking("private road grant") },
        Query { municipality: "muualla".parse().unwrap(), ..asking("yksityistie") },
        Query { limit: 0, ..asking("yksityistie") },
    ] {
        assert_eq!(search.search(&query).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_reader_searches_over_the_api() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let path = "/v1/policies/search?q=yksityistien+tuettava+pituus&on=2026-04-20";
    let found = handler.get(path).await.expect(200).json;
    let items = found["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert_eq!(items[0]["section"], "private-road-grant@2026-01-01#s3");
    assert!(items[0]["text"].as_str().unwrap().contains("400 metriä") && items[0]["score"].as_f64().unwrap() > 0.0);
    let swedish = handler.get(&format!("{path}&language=sv&limit=2")).await.expect(200).json;
    assert!(swedish["items"].as_array().unwrap().iter().all(|item| item["language"] == "sv"));
    for wrong in ["q=", "q=tie&limit=x", "q=tie&language=xx", "q=tie&on=eilen", "q=tie&page=2", "language=fi"] {
        handler.get(&format!("/v1/policies/search?{wrong}")).await.expect(400);
    }
    app.nobody().get(path).await.expect(401);
}
