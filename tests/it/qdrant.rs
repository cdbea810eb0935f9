//! The cluster: the same answers as from the index in memory, whatever happens to it.
//!
//! Each story runs against the stand-in of `support::qdrant` and, when `VIREILLE_TEST_QDRANT_URL` names a genuine server
//! (and `VIREILLE_TEST_QDRANT_KEY` its key), the stories that plant no faults run against that too, in collections of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use vireille::cases::{Language, SectionRef, Validity};
use vireille::config::{self, Secret};
use vireille::policy::Rulebooks;
use vireille::search::passages::Part;
use vireille::search::qdrant::Cluster;
use vireille::search::{Embedded, Embedder, Index, Kept, Passage, Passages, Query, Search, SearchError, Vectors};

use crate::support::desk::policies;
use crate::support::qdrant::Server;

const PATIENT: Duration = Duration::from_secs(10);

fn settings(url: &str, alias: &str) -> config::Search {
    config::Search {
        backend: config::SearchBackend::Qdrant,
        url: url.to_owned(),
        key: Secret::new(genuine().filter(|(genuine, _)| genuine == url).map(|(_, key)| key).unwrap_or_default()),
        collection: alias.to_owned(),
        timeout_seconds: 5,
    }
}

/// A genuine server, where the tests were told of one.
#[expect(clippy::disallowed_methods, reason = "tests are told by their environment")]
fn genuine() -> Option<(String, String)> {
    let url = std::env::var("VIREILLE_TEST_QDRANT_URL").ok().filter(|url| !url.is_empty())?;
    Some((url, std::env::var("VIREILLE_TEST_QDRANT_KEY").unwrap_or_default()))
}

/// Tells a story on the stand-in and, where there is one, on a genuine server. The alias is the story's own.
async fn on_each<F: Future<Output = ()>>(story: impl Fn(String, String) -> F) {
    let server = Server::start();
    let alias = format!("story-{}", uuid::Builder::from_random_bytes(rand::random()).into_uuid().simple());
    story(server.url.clone(), alias.clone()).await;
    if let Some((url, _)) = genuine() {
        story(url.clone(), alias.clone()).await;
        drop_all(&url, &alias).await;
    }
}

async fn drop_all(url: &str, alias: &str) {
    let key = settings(url, alias).key;
    let client = qdrant_client::Qdrant::from_url(url).api_key(key.reveal()).skip_compatibility_check().build().unwrap();
    for collection in client.list_collections().await.unwrap().collections {
        if collection.name.starts_with(alias) {
            client.delete_collection(collection.name).await.unwrap();
        }
    }
}

/// Turns texts into vectors of few numbers by what letters they have; a stand-in for a model.
#[derive(Debug)]
struct Letters {
    name: &'static str,
    dimension: usize,
    /// By how many places the numbers are turned: another model with the same name.
    turned: usize,
    asked: AtomicUsize,
}

impl Letters {
    fn new(name: &'static str, dimension: usize) -> Arc<Self> {
        Self::turned(name, dimension, 0)
    }

    fn turned(name: &'static str, dimension: usize, turned: usize) -> Arc<Self> {
        Arc::new(Self { name, dimension, turned, asked: AtomicUsize::new(0) })
    }
}

impl Embedder for Letters {
    fn model(&self) -> &str {
        self.name
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Vec<Vec<f32>>, SearchError>> {
        self.asked.fetch_add(texts.len(), Ordering::Relaxed);
        let vector = |text: &String| {
            let mut vector = vec![0.1_f32; self.dimension];
            for byte in text.bytes() {
                vector[(usize::from(byte) + self.turned) % self.dimension] += 1.0;
            }
            let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.into_iter().map(|x| x / length).collect()
        };
        std::future::ready(Ok(texts.iter().map(vector).collect())).boxed()
    }
}

async fn embedded(parts: Vec<Part>, embedder: Option<Arc<Letters>>) -> Embedded {
    let passages = Passages::new(parts);
    let vectors = match embedder {
        Some(embedder) => Some(Vectors::of(&passages, embedder, "".as_ref(), Kept::Trusted, &|_, _| ()).await.unwrap()),
        None => None,
    };
    Embedded::new(Index::build(passages), vectors)
}

fn cluster(url: &str, alias: &str, local: Embedded) -> Cluster {
    Cluster::new(&settings(url, alias), PATIENT, local).unwrap()
}

/// The texts of the packs.
fn pack() -> Vec<Part> {
    let rulebooks = Rulebooks::load_all(&policies()).unwrap_or_else(|faults| panic!("{faults}"));
    Passages::of(&rulebooks).parts().to_vec()
}

/// Short texts out of few words: full of ties, repetitions and texts that differ by one word.
fn random_parts(seed: u64, sections: usize) -> Vec<Part> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..sections)
        .map(|number| {
            let language = *[Language::Fi, Language::Sv, Language::En].choose(&mut rng).unwrap();
            let words: Vec<_> =
                (0..rng.random_range(1..9)).map(|_| *words(language).choose(&mut rng).unwrap()).collect();
            let from = format!("202{}-01-01", rng.random_range(3..7));
            let document = ["road", "notice", "general"].choose(&mut rng).unwrap();
            Part {
                municipality: ["harju", "kivi"].choose(&mut rng).unwrap().parse().unwrap(),
                language,
                section: SectionRef::try_from(format!("{document}@{from}#s{number}")).unwrap(),
                number: 0,
                title: (*document).to_owned(),
                heading: words[0].to_owned(),
                text: words.join(" "),
                services: if *document == "general" { vec![] } else { vec![document.parse().unwrap()] },
                in_force: Validity {
                    from: from.parse().unwrap(),
                    to: rng.random_bool(0.3).then(|| "2026-06-30".parse().unwrap()),
                },
            }
        })
        .collect()
}

fn words(language: Language) -> &'static [&'static str] {
    match language {
        Language::Fi => {
            &["tie", "tiekunta", "tiekunnan", "avustus", "avustusta", "auraus", "katuvalo", "valo", "kunta"]
        }
        Language::Sv => &["väg", "vägen", "vägar", "bidrag", "bidraget", "plogning", "gatlykta", "lykta", "kommun"],
        Language::En => &["road", "roads", "grant", "granted", "ploughing", "light", "streetlight", "municipality"],
    }
}

fn random_query(rng: &mut StdRng) -> Query {
    let language = *[Language::Fi, Language::Sv, Language::En].choose(rng).unwrap();
    let text: Vec<_> = (0..rng.random_range(1..5)).map(|_| *words(language).choose(rng).unwrap()).collect();
    Query {
        municipality: ["harju", "kivi"].choose(rng).unwrap().parse().unwrap(),
        text: text.join(" "),
        language,
        service: [None, Some("road"), Some("notice")].choose(rng).unwrap().map(|service| service.parse().unwrap()),
        on: ["2024-02-29", "2026-06-30", "2026-07-01"].choose(rng).unwrap().parse().unwrap(),
        limit: *[1, 3, 10, 200].choose(rng).unwrap(),
    }
}

/// A question to Harjuvesi's texts.
fn asking(language: Language, text: &str) -> Query {
    Query {
        municipality: "harjuvesi".parse().unwrap(),
        text: text.to_owned(),
        language,
        service: None,
        on: "2026-04-20".parse().unwrap(),
        limit: 10,
    }
}

fn sections(passages: &[Passage]) -> Vec<(String, Language)> {
    passages.iter().map(|passage| (passage.section.to_string(), passage.language)).collect()
}

/// What the cluster itself answers, held against the index in memory. How many passages there were.
async fn same_answers(cluster: &Cluster, local: &Embedded, query: &Query) -> usize {
    let here = local.search(query).await.unwrap();
    // A question of which no text has a word is not sent.
    let there = if here.is_empty() { Vec::new() } else { cluster.answer(query).await.unwrap().unwrap_or_default() };
    compare(&there, &here, query);
    there.len()
}

/// What a search gives, whoever answers it. How many passages there were.
async fn searched(cluster: &Cluster, local: &Embedded, query: &Query) -> usize {
    let (there, here) = (cluster.search(query).await.unwrap(), local.search(query).await.unwrap());
    compare(&there, &here, query);
    there.len()
}

/// The same passages in the same order, the same texts, nearly the same scores.
fn compare(there: &[Passage], here: &[Passage], query: &Query) {
    let scores = |passages: &[Passage]| passages.iter().map(|passage| passage.score).collect::<Vec<_>>();
    assert_eq!(sections(there), sections(here), "{query:?}: {:?} {:?}", scores(there), scores(here));
    for (there, here) in there.iter().zip(here) {
        assert!((there.score - here.score).abs() < 1e-4, "{query:?}: {there:?} {here:?}");
        assert_eq!(there.text, here.text);
    }
}

#[tokio::test]
async fn both_backends_give_the_same_answers_from_the_pack() {
    on_each(async |url, alias| {
        for embedder in [None, Some(Letters::new("letters", 12))] {
            let local = embedded(pack(), embedder).await;
            let cluster = cluster(&url, &alias, local.clone());
            cluster.index(false, &|_, _| ()).await.unwrap();
            for (language, question) in [
                (Language::Fi, "mikä on tuettavan tien pituus vähintään"),
                (Language::Fi, "katuvalo ei pala, kuinka nopeasti se korjataan"),
                (Language::Fi, "asiakirjan lähettäjän yhteystiedot"),
                (Language::Sv, "hur lång ska den stödberättigande vägen vara"),
                (Language::Sv, "beslut om bidrag och vem som beslutar"),
            ] {
                let query = asking(language, question);
                assert_eq!(same_answers(&cluster, &local, &query).await, 10);
                let query = Query { service: Some("private-road-grant".parse().unwrap()), ..query };
                assert!(same_answers(&cluster, &local, &query).await > 3);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn both_backends_give_the_same_answers_from_any_texts() {
    on_each(async |url, alias| {
        let mut found = 0;
        for (seed, count) in [(1, 12), (2, 90), (3, 400)] {
            for embedder in [None, Some(Letters::new("letters", 7))] {
                let local = embedded(random_parts(seed, count), embedder).await;
                let cluster = cluster(&url, &alias, local.clone());
                cluster.index(false, &|_, _| ()).await.unwrap();
                let mut rng = StdRng::seed_from_u64(seed);
                for _ in 0..60 {
                    found += same_answers(&cluster, &local, &random_query(&mut rng)).await;
                }
            }
        }
        assert!(found > 1000, "{found}: too few to compare");
    })
    .await;
}

/// That the cluster answered, and not the index in memory for it.
#[tokio::test]
async fn it_is_the_cluster_that_answers() {
    let server = Server::start();
    let cluster = cluster(&server.url, "policy", embedded(pack(), None).await);
    cluster.index(false, &|_, _| ()).await.unwrap();
    for asked in 1..=3 {
        assert_eq!(cluster.search(&asking(Language::Fi, "yksityistien tuki")).await.unwrap().len(), 10);
        assert_eq!(server.queries(), asked);
    }
}

#[tokio::test]
async fn indexing_again_writes_nothing() {
    on_each(async |url, alias| {
        let parts = random_parts(4, 50);
        let cluster = cluster(&url, &alias, embedded(parts, None).await);
        let first = cluster.index(false, &|_, _| ()).await.unwrap();
        assert_eq!((first.written, first.kept, first.removed, first.moved), (50, 0, 0, true));
        let second = cluster.index(false, &|_, _| ()).await.unwrap();
        assert_eq!((second.written, second.kept, second.removed, second.moved), (0, 50, 0, false));
        assert_eq!(second.collection, first.collection);
        assert!(second.dropped.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_does_not_belong_is_removed() {
    let server = Server::start();
    let cluster = cluster(&server.url, "policy", embedded(random_parts(4, 30), None).await);
    cluster.index(false, &|_, _| ()).await.unwrap();
    server.plant(&cluster.collection());
    let again = cluster.index(false, &|_, _| ()).await.unwrap();
    assert_eq!((again.written, again.kept, again.removed), (0, 30, 1));
}

#[tokio::test]
async fn new_texts_get_a_collection_of_their_own_and_the_old_one_goes() {
    on_each(async |url, alias| {
        let mut parts = random_parts(5, 40);
        let old = cluster(&url, &alias, embedded(parts.clone(), None).await).index(false, &|_, _| ()).await.unwrap();
        parts[0].text.push_str(" uusi sana");
        let local = embedded(parts, None).await;
        let cluster = cluster(&url, &alias, local.clone());
        let new = cluster.index(false, &|_, _| ()).await.unwrap();
        assert_ne!(new.collection, old.collection);
        assert_eq!((new.moved, new.dropped), (true, vec![old.collection.unwrap()]));
        same_answers(&cluster, &local, &random_query(&mut StdRng::seed_from_u64(5))).await;
    })
    .await;
}

#[tokio::test]
async fn another_model_or_dimension_means_another_collection() {
    let server = Server::start();
    let mut collections = Vec::new();
    for embedder in [None, Some(Letters::new("a", 8)), Some(Letters::new("b", 8)), Some(Letters::new("b", 9))] {
        let cluster = cluster(&server.url, "policy", embedded(random_parts(6, 20), embedder).await);
        let indexed = cluster.index(false, &|_, _| ()).await.unwrap();
        assert_eq!((indexed.written, indexed.moved), (20, true));
        collections.push(indexed.collection.unwrap());
    }
    collections.sort();
    collections.dedup();
    assert_eq!(collections.len(), 4);
}

#[tokio::test]
async fn a_model_that_changed_behind_its_name_is_written_anew() {
    let server = Server::start();
    let index = async |turned| {
        let local = embedded(random_parts(12, 20), Some(Letters::turned("letters", 8, turned))).await;
        cluster(&server.url, "policy", local).index(false, &|_, _| ()).await.unwrap()
    };
    assert_eq!((index(0).await.written, index(0).await.written), (20, 0));
    let anew = index(3).await;
    assert_eq!((anew.written, anew.kept, anew.moved), (20, 0, true));
    assert_eq!(index(3).await.written, 0);
}

#[tokio::test]
async fn a_cluster_with_vectors_answers_by_words_who_has_none() {
    let server = Server::start();
    let with = embedded(pack(), Some(Letters::new("letters", 12))).await;
    cluster(&server.url, "policy", with).index(false, &|_, _| ()).await.unwrap();
    let query = asking(Language::Fi, "yksityistien tuettava pituus");
    // The embedder was away when this process started.
    let words_alone = embedded(pack(), None).await;
    let before = server.queries();
    let without = cluster(&server.url, "policy", words_alone.clone());
    assert_eq!(same_answers(&without, &words_alone, &query).await, 10);
    assert_eq!(server.queries(), before + 1);
    // Vectors of another model are not believed.
    let other = embedded(pack(), Some(Letters::new("others", 12))).await;
    assert_eq!(cluster(&server.url, "policy", other).answer(&query).await, Ok(None));
}

#[tokio::test]
async fn what_a_run_that_broke_off_left_out_is_made_up_for() {
    let server = Server::start();
    let cluster = cluster(&server.url, "policy", embedded(random_parts(13, 10), None).await);
    server.makes_field_indexes(false);
    assert!(cluster.index(false, &|_, _| ()).await.is_err());
    server.makes_field_indexes(true);
    cluster.index(false, &|_, _| ()).await.unwrap();
    assert_eq!(server.fields(&cluster.collection()), 7);
}

#[tokio::test]
async fn an_alias_is_taken_away_only_from_a_server_that_will_not_move_it() {
    let server = Server::start();
    let mut parts = random_parts(14, 10);
    cluster(&server.url, "policy", embedded(parts.clone(), None).await).index(false, &|_, _| ()).await.unwrap();
    let before = server.aliases();
    parts[0].text.push_str(" uusi sana");
    let new = cluster(&server.url, "policy", embedded(parts, None).await);
    for silent in [tonic::Code::DeadlineExceeded, tonic::Code::Unavailable] {
        server.alias_fault(silent);
        assert!(new.index(false, &|_, _| ()).await.is_err());
        assert_eq!(server.aliases(), before, "{silent:?}");
    }
    server.alias_fault(tonic::Code::AlreadyExists);
    assert!(new.index(false, &|_, _| ()).await.unwrap().moved);
    assert_eq!(server.aliases()["policy"], new.collection());
}

#[tokio::test]
async fn searches_go_on_while_the_collection_is_rebuilt() {
    on_each(async |url, alias| {
        let local = embedded(random_parts(7, 300), Some(Letters::new("letters", 7))).await;
        let cluster = Arc::new(cluster(&url, &alias, local.clone()));
        let first = cluster.index(false, &|_, _| ()).await.unwrap();
        let query = Query { limit: 10, service: None, ..random_query(&mut StdRng::seed_from_u64(7)) };
        let rebuilding = tokio::spawn({
            let cluster = Arc::clone(&cluster);
            async move { (cluster.index(true, &|_, _| ()).await.unwrap(), cluster.index(true, &|_, _| ()).await.unwrap()) }
        });
        let mut searches = 0;
        while !rebuilding.is_finished() || searches == 0 {
            assert!(same_answers(&cluster, &local, &query).await > 0);
            searches += 1;
        }
        let (second, third) = rebuilding.await.unwrap();
        assert_eq!((second.written, second.kept, second.moved), (300, 0, true));
        assert_ne!(second.collection, first.collection);
        assert_eq!(second.dropped, [first.collection.clone().unwrap()]);
        assert_eq!(third.collection, first.collection);
    })
    .await;
}

#[tokio::test]
async fn an_indexing_that_breaks_off_leaves_the_old_texts_and_is_gone_on_with() {
    let server = Server::start();
    let mut parts = random_parts(8, 200);
    let old_local = embedded(parts.clone(), None).await;
    let old = cluster(&server.url, "policy", old_local.clone());
    old.index(false, &|_, _| ()).await.unwrap();
    parts[3].text.push_str(" uusi sana");
    let new_local = embedded(parts, None).await;
    let new = cluster(&server.url, "policy", new_local.clone());
    server.full_after(150);
    assert!(matches!(new.index(false, &|_, _| ()).await, Err(SearchError::Unreachable(_))));
    let query = Query { limit: 10, service: None, ..random_query(&mut StdRng::seed_from_u64(8)) };
    let before = server.queries();
    assert!(same_answers(&old, &old_local, &query).await > 0);
    assert_eq!(server.queries(), before + 1, "the old collection answers");
    server.full_after(usize::MAX);
    let resumed = new.index(false, &|_, _| ()).await.unwrap();
    assert_eq!((resumed.written, resumed.kept, resumed.moved), (72, 128, true));
    assert!(same_answers(&new, &new_local, &query).await > 0);
}

#[tokio::test]
async fn a_cluster_of_other_files_is_not_believed() {
    let server = Server::start();
    let mut parts = random_parts(9, 60);
    let query = Query { limit: 10, service: None, ..random_query(&mut StdRng::seed_from_u64(9)) };
    cluster(&server.url, "policy", embedded(parts.clone(), None).await).index(false, &|_, _| ()).await.unwrap();
    for part in &mut parts {
        part.text = format!("{} {}", part.text, part.text);
    }
    let local = embedded(parts, None).await;
    let stale = cluster(&server.url, "policy", local.clone());
    assert!(searched(&stale, &local, &query).await > 0);
}

#[tokio::test]
async fn a_cluster_that_fails_costs_no_search() {
    let local = embedded(pack(), None).await;
    let query = asking(Language::Fi, "yksityistien tuettava pituus");
    // Nobody there at all.
    let nobody = cluster("http://127.0.0.1:1", "policy", local.clone());
    assert_eq!(searched(&nobody, &local, &query).await, 10);
    assert!(matches!(nobody.index(false, &|_, _| ()).await, Err(SearchError::Unreachable(_))));
    // Never indexed.
    let server = Server::start();
    let empty = cluster(&server.url, "policy", local.clone());
    assert_eq!(searched(&empty, &local, &query).await, 10);
    // Refuses, or keeps us waiting.
    for fault in [|server: &Server| server.unavailable(true), |server: &Server| server.slow(Duration::from_mins(1))] {
        let server = Server::start();
        let hurried = Duration::from_millis(40);
        cluster(&server.url, "policy", local.clone()).index(false, &|_, _| ()).await.unwrap();
        let failing = Cluster::new(&settings(&server.url, "policy"), hurried, local.clone()).unwrap();
        fault(&server);
        for _ in 0..5 {
            assert_eq!(searched(&failing, &local, &query).await, 10);
        }
    }
    assert!(matches!(
        Cluster::new(&settings("no address", "policy"), PATIENT, local),
        Err(SearchError::Unreachable(_))
    ));
}

#[tokio::test]
async fn a_collection_that_takes_no_vectors_is_never_searched() {
    let server = Server::start();
    server.wrong_dimension();
    let local = embedded(random_parts(10, 30), Some(Letters::new("letters", 8))).await;
    let cluster = cluster(&server.url, "policy", local.clone());
    assert!(matches!(cluster.index(false, &|_, _| ()).await, Err(SearchError::Unreachable(_))));
    let query = Query { limit: 10, service: None, ..random_query(&mut StdRng::seed_from_u64(10)) };
    searched(&cluster, &local, &query).await;
    assert_eq!(server.queries(), 0);
}

#[tokio::test]
async fn the_key_opens_the_cluster_and_stays_out_of_sight() {
    let server = Server::with_key("sesame-4711");
    let local = embedded(random_parts(11, 10), None).await;
    let refused = cluster(&server.url, "policy", local.clone()).index(false, &|_, _| ()).await;
    assert!(matches!(refused, Err(SearchError::Unreachable(_))));
    let known = config::Search { key: Secret::new("sesame-4711".to_owned()), ..settings(&server.url, "policy") };
    let cluster = Cluster::new(&known, PATIENT, local).unwrap();
    assert_eq!(cluster.index(false, &|_, _| ()).await.unwrap().written, 10);
    assert!(!format!("{cluster:?}").contains("sesame"));
}
