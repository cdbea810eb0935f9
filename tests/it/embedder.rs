//! Dense vectors over HTTP: what is sent, what is kept, and what happens when the address misbehaves.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use vireille::config::{Embedding, Secret};
use vireille::model::embedder;
use vireille::policy::Rulebooks;
use vireille::search::{Embedded, Embedder, Index, Kept, Passages, Query, Search as _, SearchError, Vectors};

use crate::support::desk::policies;

/// An address that embeds by length, after the misbehaviour it was told of.
#[derive(Clone, Default)]
struct Address {
    first: Arc<Mutex<VecDeque<Response>>>,
    seen: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Address {
    async fn start(&self) -> Embedding {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/embeddings", post(answer)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Embedding {
            url,
            key: Secret::new("sesame-4711".to_owned()),
            name: "lengths".to_owned(),
            dimensions: 0,
            batch: 40,
            timeout_seconds: 5,
        }
    }

    fn first(&self, response: impl axum::response::IntoResponse) -> &Self {
        self.first.lock().unwrap().push_back(response.into_response());
        self
    }

    /// The texts of each request.
    fn texts(&self) -> Vec<Vec<String>> {
        let input = |body: &Value| serde_json::from_value(body["input"].clone()).unwrap();
        self.seen.lock().unwrap().iter().map(|(_, body)| input(body)).collect()
    }
}

async fn answer(State(address): State<Address>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
    address.seen.lock().unwrap().push((headers, body));
    if let Some(first) = address.first.lock().unwrap().pop_front() {
        return first;
    }
    let vector = |text: &String| json!([text.len(), text.bytes().filter(|byte| *byte == b'e').count(), 7]);
    // Backwards: the index tells.
    let data: Vec<_> =
        texts.iter().enumerate().rev().map(|(at, text)| json!({"index": at, "embedding": vector(text)})).collect();
    Json(json!({"object": "list", "data": data, "model": "lengths", "usage": {}})).into_response()
}

async fn embedder(address: &Address) -> Arc<dyn Embedder> {
    embedder::connect(&address.start().await).unwrap().unwrap()
}

fn texts(count: usize) -> Vec<String> {
    (1..=count).map(|length| "e".repeat(length)).collect()
}

fn passages() -> Passages {
    Passages::of(&Rulebooks::load_all(&policies()).unwrap_or_else(|faults| panic!("{faults}")))
}

#[tokio::test]
async fn texts_go_in_batches_and_come_back_in_order() {
    let address = Address::default();
    let vectors = embedder(&address).await.embed(&texts(90)).await.unwrap();
    assert_eq!(address.texts().iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 10]);
    assert_eq!(vectors.len(), 90);
    // Texts grow, so the first number does against the third.
    assert!(vectors.windows(2).all(|pair| pair[0][2] > pair[1][2]));
    let seen = address.seen.lock().unwrap();
    let (headers, body) = &seen[0];
    assert_eq!((headers["authorization"].to_str().unwrap(), &body["model"]), ("Bearer sesame-4711", &json!("lengths")));
    assert!(body.get("dimensions").is_none());
}

#[tokio::test]
async fn an_address_that_asks_for_patience_gets_some() {
    let address = Address::default();
    address.first((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")], "slow down"));
    let started = std::time::Instant::now();
    assert_eq!(embedder(&address).await.embed(&texts(2)).await.unwrap().len(), 2);
    assert_eq!(address.texts().len(), 2);
    assert!(started.elapsed() >= Duration::from_millis(500), "also when it asks for none");
}

#[tokio::test]
async fn what_cannot_be_used_is_an_error_without_content() {
    for (status, body, attempts) in [
        (StatusCode::UNAUTHORIZED, "secret words", 1),
        (StatusCode::OK, "secret words", 1),
        (StatusCode::OK, r#"{"data":[{"index":0,"embedding":[1]}]}"#, 1),
    ] {
        let address = Address::default();
        address.first((status, body));
        let Err(SearchError::Unreachable(told)) = embedder(&address).await.embed(&texts(2)).await else {
            panic!("{status} {body}")
        };
        assert!(!told.contains("secret") && !told.contains("sesame"), "{told}");
        assert_eq!(address.texts().len(), attempts);
    }
    let embedder = embedder(&Address::default()).await;
    assert!(!format!("{embedder:?}").contains("sesame"));
}

#[tokio::test]
async fn passages_are_embedded_once() {
    let folder = tempfile::tempdir().unwrap();
    let address = Address::default();
    let settings = address.start().await;
    let embed = async |settings: &Embedding| {
        let embedder = embedder::connect(settings).unwrap().unwrap();
        Vectors::of(&passages(), embedder, folder.path(), Kept::Trusted, &|_, _| ()).await.unwrap()
    };
    embed(&settings).await;
    let sent = address.texts().concat().len();
    assert!(sent > 50, "{sent}");
    assert_eq!(embed(&settings).await.dimension(), 3);
    assert_eq!(address.texts().concat().len(), sent, "kept");
    embed(&Embedding { name: "another".to_owned(), ..settings.clone() }).await;
    assert_eq!(address.texts().concat().len(), 2 * sent, "another model, other vectors");
    embed(&Embedding { url: address.start().await.url, ..settings }).await;
    assert_eq!(address.texts().concat().len(), 3 * sent, "another address, maybe another model");
}

#[tokio::test]
async fn a_question_is_masked_and_its_failure_costs_no_search() {
    let address = Address::default();
    let embedder = embedder(&address).await;
    let passages = passages();
    let vectors = Vectors::of(&passages, embedder, "".as_ref(), Kept::Trusted, &|_, _| ()).await.unwrap();
    let before = address.texts().len();
    let search = Embedded::new(Index::build(passages), Some(vectors));
    let query = Query {
        municipality: "harjuvesi".parse().unwrap(),
        text: "Olen 010190-999W ja haen yksityistien tukea, soita 040 123 4567".to_owned(),
        language: vireille::cases::Language::Fi,
        service: None,
        on: "2026-04-20".parse().unwrap(),
        limit: 5,
    };
    assert_eq!(search.search(&query).await.unwrap().len(), 5);
    let asked = address.texts()[before..].concat();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("yksityistien") && !asked[0].contains("999W") && !asked[0].contains("123"), "{asked:?}");
    address.first(StatusCode::BAD_REQUEST);
    assert_eq!(search.search(&query).await.unwrap().len(), 5);
    // Left alone for a while.
    assert_eq!(search.search(&query).await.unwrap().len(), 5);
    assert_eq!(address.texts().len(), before + 2);
}
