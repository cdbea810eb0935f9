//! Traces: what a collector is sent about language models, and what it is never sent.

use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tracing::Instrument as _;
use tracing_subscriber::layer::SubscriberExt as _;
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::model::accounts::{Counted, MemoryLedger};
use vireille::model::chat::{ChatError, ChatModel, Message, ToolCall};
use vireille::model::masking::Masked;
use vireille::telemetry::gen_ai;
use vireille::telemetry::traces::Traces;

use crate::support::calls::{Told, answer, request};
use crate::support::database::BEGINNING;

/// What strangers and models wrote: none of it may leave by a span.
const PLANTED: [&str; 5] =
    ["010190-999W", "Aino Esimerkki", "Write the reasons", "Tiekunta anoo avustusta", "sk-very-secret"];

/// A collector that keeps what it is sent, and its address.
async fn collector() -> (String, Arc<Mutex<Vec<Value>>>) {
    let received: Arc<Mutex<Vec<Value>>> = Arc::default();
    let keep = Arc::clone(&received);
    let take = move |Json(batch): Json<Value>| {
        keep.lock().unwrap().push(batch);
        async { Json(serde_json::json!({})) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(take))).await });
    (address, received)
}

fn spans(batches: &[Value]) -> Vec<Value> {
    let items = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let of_resource = batches.iter().flat_map(|batch| items(batch, "resourceSpans"));
    of_resource.flat_map(|resource| items(&resource, "scopeSpans")).flat_map(|scope| items(&scope, "spans")).collect()
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

/// An attribute as text, whatever its type.
fn attribute(span: &Value, key: &str) -> Option<String> {
    let attributes = span["attributes"].as_array().unwrap();
    let value = &attributes.iter().find(|attribute| attribute["key"] == key)?["value"];
    let value = value.as_object().unwrap().values().next().unwrap();
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_learns_of_every_call_and_nothing_of_its_content() {
    let (address, received) = collector().await;
    let traces = Traces::to(&address).unwrap();
    let subscriber = tracing_subscriber::registry().with(traces.layer());

    let mut answered = answer("Aino Esimerkki (010190-999W): Tiekunta anoo avustusta.");
    answered.tool_calls =
        vec![ToolCall { id: "1".into(), name: "search_policy".into(), arguments: r#"{"query":"010190-999W"}"#.into() }];
    let (ambient, _) = Ambient::fixed(BEGINNING.parse().unwrap());
    let Config { model: mut settings, failover, budget, .. } = Config::standard();
    settings.key = vireille::config::Secret::new("sk-very-secret".into());
    let ledger = Arc::new(MemoryLedger::default());
    let results = [Ok(answered), Err(ChatError::Cut)];
    let model = Counted::new(Told::all(results), ledger, &settings, &failover, &budget, ambient).unwrap();
    let mut request = request("Tiekunta anoo avustusta.");
    request.messages.push(Message::User(Masked::public("Aino Esimerkki, 010190-999W")));

    let working = async {
        model.chat(&request).await.unwrap();
        let using = async { tracing::error!("Aino Esimerkki stands in a line of the log") };
        using.instrument(gen_ai::execute_tool("search_policy")).await;
        model.chat(&request).await.unwrap_err();
        gen_ai::failed(&tracing::Span::current(), "cut");
        // What is not ours is not exported.
        tracing::info_span!(target: "async_openai::client", "request", body = "Aino Esimerkki").in_scope(|| ());
    };
    {
        let _listening = tracing::subscriber::set_default(subscriber);
        working.instrument(gen_ai::invoke_agent("compose")).await;
    }
    // The end sends what waits.
    drop(traces);

    let batches = received.lock().unwrap().clone();
    let spans = spans(&batches);
    let text = serde_json::to_string(&batches).unwrap();
    for planted in PLANTED {
        assert!(!text.contains(planted), "{planted}: {text}");
    }
    assert!(text.contains(r#""key":"service.name","value":{"stringValue":"vireille"}"#), "{text}");

    let [answered, cut] = named(&spans, "chat gpt-4.1-mini").try_into().expect("two calls");
    for (key, told) in [
        (gen_ai::OPERATION, "chat"),
        (gen_ai::PROVIDER, "openai"),
        (gen_ai::REQUEST_MODEL, "gpt-4.1-mini"),
        (gen_ai::RESPONSE_MODEL, "gpt-4.1-mini-2025-04-14"),
        (gen_ai::REQUEST_MAX_TOKENS, "800"),
        (gen_ai::INPUT_TOKENS, "900"),
        (gen_ai::CACHED_TOKENS, "600"),
        (gen_ai::OUTPUT_TOKENS, "40"),
        (gen_ai::FINISH_REASONS, "stop"),
    ] {
        assert_eq!(attribute(answered, key).as_deref(), Some(told), "{key}: {answered}");
    }
    assert!(attribute(answered, gen_ai::REQUEST_TEMPERATURE).unwrap().starts_with("0.2"));
    assert_eq!((answered["kind"].as_u64(), attribute(answered, gen_ai::ERROR_TYPE)), (Some(3), None), "a client's");
    assert_eq!(attribute(cut, gen_ai::ERROR_TYPE).as_deref(), Some("cut"));
    assert_eq!(cut["status"]["code"], 2);

    let [agent] = named(&spans, "invoke_agent compose").try_into().expect("one loop");
    let [tool] = named(&spans, "execute_tool search_policy").try_into().expect("one tool");
    assert_eq!(attribute(tool, gen_ai::TOOL_NAME).as_deref(), Some("search_policy"));
    assert_eq!(tool["events"].as_array().map_or(0, Vec::len), 0, "no line of the log: {tool}");
    for inner in [answered, cut, tool] {
        assert_eq!((&inner["parentSpanId"], &inner["traceId"]), (&agent["spanId"], &agent["traceId"]));
    }
    assert_eq!(spans.len(), 4, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_keeps_nobody_waiting() {
    let started = std::time::Instant::now();
    // Nobody listens on port 1.
    let traces = Traces::to("http://127.0.0.1:1").unwrap();
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..10_000 {
            gen_ai::execute_tool("search_policy").in_scope(|| ());
        }
    });
    drop(traces);
    assert!(started.elapsed().as_secs() < 4, "{:?} for more spans than the queue holds", started.elapsed());
    assert!(Traces::to("not an address").is_err());
}
