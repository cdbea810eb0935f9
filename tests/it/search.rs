//! Search in the texts that bind: what comes up, for whom, on which day; the same from both backends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use vireille::cases::Language;
use vireille::config::Config;
use vireille::policy::Rulebooks;
use vireille::search::{self, Embedded, Embedder, Kept, Passage, Passages, Query, Search, SearchError, Vectors};

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
        Query { municipality: "muualla".parse().unwrap(), ..asking("yksityistie") },
        Query { limit: 0, ..asking("yksityistie") },
    ] {
        assert_eq!(search.search(&query).await.unwrap(), []);
    }
}

/// Embeds by what letters a text has, in the way it is told; counts the texts.
#[derive(Debug)]
struct Letters {
    dimension: AtomicUsize,
    turned: AtomicUsize,
    away: AtomicBool,
    texts: AtomicUsize,
}

impl Letters {
    fn new() -> Arc<Self> {
        let [dimension, turned, texts] = [8, 0, 0].map(AtomicUsize::new);
        Arc::new(Self { dimension, turned, texts, away: AtomicBool::new(false) })
    }

    /// How many texts were embedded since it was asked last.
    fn embedded(&self) -> usize {
        self.texts.swap(0, Ordering::Relaxed)
    }
}

impl Embedder for Letters {
    fn model(&self) -> &'static str {
        "letters"
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Vec<Vec<f32>>, SearchError>> {
        if self.away.load(Ordering::Relaxed) {
            return std::future::ready(Err(SearchError::Unreachable("away".to_owned()))).boxed();
        }
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        let (dimension, turned) = (self.dimension.load(Ordering::Relaxed), self.turned.load(Ordering::Relaxed));
        let vector = |text: &String| {
            let mut vector = vec![0.1_f32; dimension];
            for byte in text.bytes() {
                vector[(usize::from(byte) + turned) % dimension] += 1.0;
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.into_iter().map(|x| x / length).collect()
        };
        std::future::ready(Ok(texts.iter().map(vector).collect())).boxed()
    }
}

#[tokio::test]
async fn a_model_that_changed_behind_its_name_embeds_everything_again() {
    let (books, folder, letters) = (rulebooks(), tempfile::tempdir().unwrap(), Letters::new());
    let index = async |rebuild| {
        let embedder = Some(Arc::clone(&letters) as Arc<dyn Embedder>);
        let settings = Config::standard().search;
        search::index(&settings, &books, embedder, folder.path(), rebuild, &|_, _| ()).await.unwrap();
        letters.embedded()
    };
    let all = index(false).await;
    assert!(all > 50, "{all}");
    assert_eq!(index(false).await, 1, "one text is tried");
    letters.turned.store(3, Ordering::Relaxed);
    assert_eq!(index(false).await, 1 + all, "another model");
    letters.dimension.store(9, Ordering::Relaxed);
    assert_eq!(index(false).await, 1 + all, "another dimension");
    assert_eq!((index(false).await, index(true).await), (1, all));
}

#[tokio::test]
async fn vectors_of_two_lengths_are_never_mixed() {
    let (folder, letters) = (tempfile::tempdir().unwrap(), Letters::new());
    let mut parts = Passages::of(&rulebooks()).parts().to_vec();
    // Municipalities share policies, and a text that two have is embedded once: of one that only one has it shows.
    let own = parts.iter().position(|part| parts.iter().filter(|other| other.text == part.text).count() == 1).unwrap();
    parts.swap(0, own);
    let embed = async |parts: &[search::passages::Part]| {
        let embedder = Arc::clone(&letters) as Arc<dyn Embedder>;
        let passages = Passages::new(parts.to_vec());
        let vectors = Vectors::of(&passages, embedder, folder.path(), Kept::Trusted, &|_, _| ()).await.unwrap();
        (vectors.dimension(), letters.embedded())
    };
    let (_, all) = embed(&parts[1..]).await;
    letters.dimension.store(9, Ordering::Relaxed);
    // The new passage shows it; then all are embedded again, and kept.
    assert_eq!(embed(&parts).await, (9, 1 + all + 1));
    assert_eq!(embed(&parts).await, (9, 0));
}

#[tokio::test(start_paused = true)]
async fn an_embedder_that_was_away_at_the_start_is_asked_again() {
    let letters = Letters::new();
    letters.away.store(true, Ordering::Relaxed);
    let embedder = Some(Arc::clone(&letters) as Arc<dyn Embedder>);
    let search = search::connect(&Config::standard().search, &rulebooks(), embedder, Path::new("")).await.unwrap();
    assert_eq!(search.search(&asking("yksityistien tuki")).await.unwrap().len(), 5);
    letters.away.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert!(letters.embedded() > 50);
    search.search(&asking("yksityistien tuki")).await.unwrap();
    assert_eq!(letters.embedded(), 1, "the question");
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
