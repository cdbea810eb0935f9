//! The client of a language model over real HTTP, against a server that does what a story tells it.

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use vireille::clock::Ambient;
use vireille::config::{Budget, Config, Failover, Model, ModelApi, Secret};
use vireille::model::accounts::{Counted, MemoryLedger};
use vireille::model::chat::{
    ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, OutputForm, OutputMode, Purpose, Sampling,
    TimeLimit, Tool, Usage,
};
use vireille::model::client::{StartFault, connect};
use vireille::model::masking::Masked;

use crate::support::desk::{NOW, at};

/// Stands in everything that is sent and in everything that comes back; it must stand nowhere else.
const PLANTED: &str = "PLANTED";
const KEY: &str = "sk-PLANTED-key";

/// What the server does with its nth request, from 0.
type Respond = dyn Fn(usize) -> Response + Send + Sync;

/// One request as it came.
#[derive(Debug, Clone)]
struct Received {
    uri: Uri,
    headers: HeaderMap,
    body: Value,
}

/// A server on a free port; it ends with the story's runtime.
struct Server {
    url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    async fn start(respond: impl Fn(usize) -> Response + Send + Sync + 'static) -> Self {
        let respond: Arc<Respond> = Arc::new(respond);
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let kept = Arc::clone(&received);
        let handler = move |request: Request| {
            let (respond, kept) = (Arc::clone(&respond), Arc::clone(&kept));
            async move {
                let (head, body) = request.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                let nth = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(Received { uri: head.uri, headers: head.headers, body });
                    kept.len() - 1
                };
                respond(nth)
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, received }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// One attempt, with a second address that is none.
    fn settings(&self) -> (Model, Failover) {
        let Config { mut model, failover, .. } = Config::standard();
        model.url.clone_from(&self.url);
        model.key = Secret::new(KEY.to_owned());
        model.attempts = 1;
        (model, failover)
    }

    fn model(&self) -> Arc<dyn ChatModel> {
        let (model, failover) = self.settings();
        open(&model, &failover)
    }
}

fn open(model: &Model, failover: &Failover) -> Arc<dyn ChatModel> {
    connect(model, failover, &Ambient::fixed(at(NOW)).0).expect("the settings can be used")
}

fn request() -> ChatRequest {
    ChatRequest {
        purpose: Purpose {
            municipality: "harjuvesi".parse().unwrap(),
            case: None,
            step: "classify",
            prompt: "classify@1".to_owned(),
            prompt_hash: "0".repeat(64),
        },
        messages: vec![
            Message::System(Masked::public(format!("{PLANTED} Olet avustaja."))),
            Message::User(Masked::public(format!("{PLANTED} Katuvalo on pimeä."))),
        ],
        tools: vec![Tool {
            name: "search_policy".to_owned(),
            description: "Finds sections.".to_owned(),
            parameters: json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false}),
        }],
        output: Some(OutputForm {
            name: "answer".to_owned(),
            mode: OutputMode::JsonSchema,
            schema: json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false}),
        }),
        sampling: Sampling { temperature: 0.0, max_tokens: 200, seed: Some(1) },
    }
}

// ---- what servers do ----

fn typed(content_type: &'static str, body: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body.into()).into_response()
}

fn events(data: &[Value]) -> String {
    data.iter().flat_map(|data| ["data: ".to_owned(), data.to_string(), "\n\n".to_owned()]).collect()
}

fn delta(delta: &Value) -> Value {
    json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served-model",
           "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn end(reason: &str) -> Value {
    json!({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn usage() -> Value {
    json!({"id": "c", "choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 5, "total_tokens": 45,
           "prompt_tokens_details": {"cached_tokens": 32}}})
}

/// Events and `[DONE]`.
fn streamed(data: &[Value]) -> Response {
    typed("text/event-stream", events(data) + "data: [DONE]\n\n")
}

fn words() -> [Value; 2] {
    [delta(&json!({"role": "assistant", "content": "PLANTED "})), delta(&json!({"content": "vastaus"}))]
}

/// What a good server streams.
fn good() -> Response {
    let [first, second] = words();
    streamed(&[first, second, end("stop"), usage()])
}

/// The first piece, and then whatever comes.
fn begun(then: impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static) -> Response {
    let first = Bytes::from(events(&words()[..1]));
    typed("text/event-stream", Body::from_stream(stream::iter([Ok(first)]).chain(then)))
}

/// The connection breaks, after what was said has gone out.
fn breaks() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static {
    stream::once(async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Err(std::io::ErrorKind::ConnectionReset.into())
    })
}

/// The same again and again, in pieces that are large enough to be quick.
fn endless(piece: &str) -> Body {
    let pieces = Bytes::from(piece.repeat(64 * 1024 / piece.len() + 1));
    Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(pieces.clone())))
}

/// One event of several thousand characters.
fn long_event() -> String {
    events(&[delta(&json!({"content": PLANTED.repeat(4096)}))])
}

fn refusing(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

fn error(fields: &Value) -> String {
    let mut error = json!({"message": "PLANTED: Matti Virtanen", "type": "error", "param": null, "code": null});
    error.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "error": error }).to_string()
}

/// A fault with what must come of it.
type Fault = (&'static str, fn() -> Response, ChatError);

fn faults() -> Vec<Fault> {
    let refused =
        |status, code: &str| ChatError::Refused { status, code: Some(code.to_owned()).filter(|c| !c.is_empty()) };
    let fault = |status| ChatError::Fault { status, retry_after: None };
    let rate_limited = |seconds: Option<u64>| ChatError::RateLimited { retry_after: seconds.map(Duration::from_secs) };
    vec![
        (
            "429",
            || refusing(429, &[("retry-after", "7")], error(&json!({"code": "rate_limit_exceeded"}))),
            rate_limited(Some(7)),
        ),
        ("429 in plain text", || refusing(429, &[], "PLANTED slow down"), rate_limited(None)),
        (
            "429 with a date",
            || refusing(429, &[("retry-after", "Sun, 01 Mar 2026 08:00:00 GMT")], ""),
            rate_limited(Some(0)),
        ),
        ("quota", || refusing(429, &[], error(&json!({"code": "insufficient_quota"}))), ChatError::Quota),
        ("401", || refusing(401, &[], error(&json!({"code": "invalid_api_key"}))), ChatError::Unauthorized),
        ("integer code", || refusing(400, &[], error(&json!({"code": 1210}))), refused(400, "1210")),
        (
            "a code that is a sentence",
            || refusing(400, &[], error(&json!({"code": "PLANTED is wrong"}))),
            refused(400, ""),
        ),
        ("too long", || refusing(400, &[], error(&json!({"code": "context_length_exceeded"}))), ChatError::TooLong),
        (
            "no such model",
            || refusing(404, &[], error(&json!({"code": "model_not_found"}))),
            refused(404, "model_not_found"),
        ),
        ("500 with a page", || refusing(500, &[], "<html>PLANTED</html>"), fault(500)),
        ("500 without end", || refusing(500, &[], endless("PLANTED ")), fault(500)),
        (
            "503",
            || refusing(503, &[("retry-after-ms", "90")], ""),
            ChatError::Fault { status: 503, retry_after: Some(Duration::from_millis(90)) },
        ),
        (
            "an error in the stream",
            || streamed(&[words()[0].clone(), json!({"error": {"message": "PLANTED", "code": 502}})]),
            fault(502),
        ),
        ("an error under 200", || typed("application/json", error(&json!({"type": "server_error"}))), fault(500)),
        ("closed mid-stream", || begun(stream::empty()), ChatError::Cut),
        ("broken mid-stream", || begun(breaks()), ChatError::Cut),
        (
            "half a piece",
            || begun(stream::iter([Ok(Bytes::from_static(b"data: {\"choices\": [{\"del"))])),
            ChatError::Cut,
        ),
        (
            "half an object",
            || typed("application/json", r#"{"choices": [{"message": {"content": "PLAN"#),
            ChatError::Cut,
        ),
        ("a head and no more", || typed("text/event-stream", Body::empty()), ChatError::Cut),
        ("only comments", || typed("text/event-stream", ": PLANTED\n\n"), ChatError::Cut),
        (
            "a malformed piece",
            || begun(stream::iter([Ok(Bytes::from_static(b"data: {PLANTED\n\n"))])),
            ChatError::Malformed,
        ),
        ("no text", || begun(stream::iter([Ok(Bytes::from_static(b"data: \xff\xfe\n\n"))])), ChatError::Malformed),
        ("a page under 200", || typed("text/html", "<html>PLANTED: log in</html>"), ChatError::Malformed),
        ("another object", || typed("application/json", r#"{"PLANTED": true}"#), ChatError::Malformed),
        ("many objects", || typed("application/json", "{\"a\": 1}\n{\"b\": 2}\n"), ChatError::Malformed),
        ("a stream without end", || typed("text/event-stream", endless(&long_event())), ChatError::Malformed),
        ("a line without end", || typed("text/event-stream", endless("PLANTED")), ChatError::Malformed),
        ("an object without end", || typed("application/json", endless("{\"a\": \"PLANTED\",")), ChatError::Malformed),
    ]
}

#[tokio::test]
async fn every_fault_ends_in_its_error() {
    for (name, respond, expected) in faults() {
        let server = Server::start(move |_| respond()).await;
        assert_eq!(server.model().chat(&request()).await.unwrap_err(), expected, "{name}");
        assert_eq!(server.received().len(), 1, "{name}");
    }
}

async fn answered(respond: impl Fn(usize) -> Response + Send + Sync + 'static) -> ChatAnswer {
    Server::start(respond).await.model().chat(&request()).await.expect("an answer")
}

#[tokio::test]
async fn a_streamed_answer_comes_with_all_that_belongs_to_it() {
    let server = Server::start(|_| good()).await;
    let answer = server.model().chat(&request()).await.unwrap();
    assert_eq!(answer.content.as_deref(), Some("PLANTED vastaus"));
    assert_eq!((&answer.finish, &answer.refusal, answer.tool_calls.len()), (&Finish::Stop, &None, 0));
    assert_eq!(answer.usage, Usage { input: 40, cached: 32, output: 5, estimated: false });
    assert_eq!((&answer.model[..], &answer.endpoint[..], answer.attempts), ("served-model", "primary", 1));
    assert!(answer.latency > Duration::ZERO);
    let received = &server.received()[0];
    assert_eq!(received.uri.path(), "/v1/chat/completions");
    assert_eq!(received.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(received.body["stream"], true);
    assert_eq!(received.body["response_format"]["type"], "json_schema");
    assert_eq!(received.body["model"], Config::standard().model.name);
    assert_eq!(received.body["messages"][1]["content"], "PLANTED Katuvalo on pimeä.");
}

#[tokio::test]
async fn what_compatible_servers_do_is_understood() {
    let whole =
        || json!({"choices": [{"message": {"content": "PLANTED vastaus"}, "finish_reason": "stop"}]}).to_string();
    let [first, second] = words();
    let pieces = [first, second, end("stop")];
    let kinds: Vec<(&str, Response)> = vec![
        ("one object for a stream", typed("application/json", whole())),
        ("an object of another type", typed("text/plain", format!("\n{}", whole()))),
        ("events of another type", typed("application/octet-stream", events(&pieces))),
        ("no [DONE]", typed("text/event-stream", events(&pieces))),
        ("no empty line at the end", typed("text/event-stream", events(&pieces[..2]) + "data: [DONE]")),
        (
            "comments, names and a byte-order mark",
            typed(
                "text/event-stream",
                format!("\u{feff}: PROCESSING\r\n\r\nevent: chunk\r\n{}", events(&pieces).replace('\n', "\r\n")),
            ),
        ),
        (
            "broken after the last piece",
            typed(
                "text/event-stream",
                Body::from_stream(stream::iter([Ok(Bytes::from(events(&pieces)))]).chain(breaks())),
            ),
        ),
        ("nothing but the words", streamed(&[json!({"choices": [{"delta": {"content": "PLANTED vastaus"}}]})])),
        (
            "one piece a byte",
            typed(
                "text/event-stream",
                Body::from_stream(
                    stream::iter(events(&pieces).into_bytes()).map(|byte| Ok::<_, Infallible>(Bytes::from(vec![byte]))),
                ),
            ),
        ),
    ];
    for (name, response) in kinds {
        let response = Mutex::new(Some(response));
        let answer = answered(move |_| response.lock().unwrap().take().expect("one request")).await;
        assert_eq!(answer.content.as_deref(), Some("PLANTED vastaus"), "{name}");
        assert!(matches!(&answer.finish, Finish::Stop | Finish::Other(_)), "{name}");
        assert!(
            answer.usage.estimated && answer.usage.input > 10 && answer.usage.output > 2,
            "{name}: {:?}",
            answer.usage
        );
    }
}

#[tokio::test]
async fn endings_are_told_apart() {
    for (reason, finish) in [
        ("length", Finish::Length),
        ("content_filter", Finish::ContentFilter),
        ("eos", Finish::Other("eos".to_owned())),
    ] {
        let answer = answered(move |_| streamed(&[words()[0].clone(), end(reason), usage()])).await;
        assert_eq!(answer.finish, finish);
    }
    let refusal = answered(|_| {
        streamed(&[delta(&json!({"refusal": "I cannot "})), delta(&json!({"refusal": "help."})), end("stop")])
    })
    .await;
    assert_eq!((refusal.refusal.as_deref(), refusal.content), (Some("I cannot help."), None));
    let empty =
        answered(|_| streamed(&[delta(&json!({"role": "assistant", "content": ""})), end("stop"), usage()])).await;
    assert_eq!((empty.content.as_deref(), empty.finish), (Some(""), Finish::Stop));
}

#[tokio::test]
async fn tool_calls_come_in_pieces() {
    let call = |index: u64, id: Option<&str>, name: Option<&str>, arguments: &str| {
        delta(
            &json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]}),
        )
    };
    let answer = answered(move |_| {
        streamed(&[
            call(0, Some("call_a"), Some("search_policy"), ""),
            call(0, None, None, r#"{"query":"#),
            call(1, Some("call_b"), Some("read_section"), "{}"),
            call(0, None, None, r#""tie"}"#),
            end("tool_calls"),
        ])
    })
    .await;
    assert_eq!(answer.finish, Finish::ToolCalls);
    let calls: Vec<_> =
        answer.tool_calls.iter().map(|call| (&call.id[..], &call.name[..], &call.arguments[..])).collect();
    assert_eq!(calls, [("call_a", "search_policy", r#"{"query":"tie"}"#), ("call_b", "read_section", "{}")]);
}

#[tokio::test]
async fn a_fault_that_passes_is_lived_through() {
    let server = Server::start(|nth| match nth {
        0 => refusing(500, &[("retry-after-ms", "5")], "PLANTED"),
        1 => refusing(429, &[("retry-after-ms", "5")], "PLANTED"),
        _ => good(),
    })
    .await;
    let (mut model, failover) = server.settings();
    model.attempts = 3;
    let answer = open(&model, &failover).chat(&request()).await.unwrap();
    assert_eq!((answer.attempts, server.received().len()), (3, 3));
    assert!(answer.latency >= Duration::from_millis(10));
}

#[tokio::test]
async fn a_second_address_answers_with_its_own_key_and_model() {
    let first = Server::start(|_| refusing(500, &[], "PLANTED")).await;
    let second = Server::start(|_| good()).await;
    let (mut model, mut failover) = first.settings();
    model.breaker_failures = 2;
    failover.url.clone_from(&second.url);
    failover.key = Secret::new("sk-second".to_owned());
    failover.name = "second-model".to_owned();
    let model = open(&model, &failover);
    for attempts in [2, 2, 1] {
        let answer = model.chat(&request()).await.unwrap();
        assert_eq!((&answer.endpoint[..], answer.attempts), ("failover", attempts));
    }
    assert_eq!(first.received().len(), 2, "then it is left alone");
    let received = &second.received()[0];
    assert_eq!(received.headers["authorization"], "Bearer sk-second");
    assert_eq!(received.body["model"], "second-model");
}

fn counted(model: &Model, failover: &Failover, budget: &Budget) -> (Counted, Arc<MemoryLedger>) {
    let ledger = Arc::new(MemoryLedger::default());
    let ambient = Ambient::fixed(at(NOW)).0;
    let counted = Counted::new(open(model, failover), ledger.clone(), model, failover, budget, ambient);
    (counted.expect("the settings can be used"), ledger)
}

#[tokio::test]
async fn every_request_of_a_call_is_in_its_accounts() {
    let server = Server::start(|nth| match nth {
        0 => begun(stream::empty()),
        1 => refusing(500, &[], "PLANTED"),
        _ => good(),
    })
    .await;
    let second = Server::start(|_| good()).await;
    let (mut model, mut failover) = server.settings();
    model.attempts = 3;
    let (once, ledger) = counted(&model, &failover, &Config::standard().budget);
    once.chat(&request()).await.unwrap();
    let call = &ledger.calls()[0];
    assert_eq!((call.attempts, call.output_tokens, call.estimated), (Some(3), 6, true), "and a piece that came");
    assert!((60..400).contains(&call.input_tokens), "read twice, turned away once: {}", call.input_tokens);

    // A dear second address behind one that costs nothing.
    let prices = tempfile::NamedTempFile::new().unwrap();
    let price = |model, price| {
        format!(
            "[[price]]\nmodel='{model}'\nfrom='2020-01-01'\ninput='{price}'\ncached='{price}'\noutput='{price}'\nsource='a test'\n"
        )
    };
    let file = format!("currency='EUR'\n{}{}", price("ours", "0"), price("theirs", "1000"));
    std::fs::write(prices.path(), file).unwrap();
    (model.name, model.attempts) = ("ours".to_owned(), 1);
    failover.url.clone_from(&second.url);
    failover.name = "theirs".to_owned();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    model.url = format!("http://{free}/v1");
    let budget = Budget { prices: prices.path().to_owned(), case_cost: "0".into(), ..Config::standard().budget };
    let (elsewhere, ledger) = counted(&model, &failover, &budget);
    elsewhere.chat(&request()).await.unwrap();
    let call = &ledger.calls()[0];
    assert_eq!(
        (call.endpoint.as_deref(), call.cost.to_string().as_str(), call.cost_known),
        (Some("failover"), "0.045", true)
    );
    let frugal = Budget { month_cost: "0.1".into(), ..budget };
    let refused = counted(&model, &failover, &frugal).0.chat(&request()).await.unwrap_err();
    assert!(matches!(&refused, ChatError::Budget(_)), "the dear one may come to be asked: {refused}");
}

#[tokio::test]
async fn each_request_of_a_call_is_within_the_budget() {
    let server = Server::start(|_| begun(stream::empty())).await;
    let (mut model, failover) = server.settings();
    model.attempts = 4;
    // An answer of at most 200 tokens and a request of some 100 fit once, and not once more.
    let budget = Budget { month_tokens: 500, ..Config::standard().budget };
    let (model, ledger) = counted(&model, &failover, &budget);
    assert!(matches!(model.chat(&request()).await, Err(ChatError::Budget(_))));
    assert_eq!(server.received().len(), 1);
    let calls = ledger.calls();
    assert_eq!((calls.len(), calls[0].outcome.as_str(), calls[0].output_tokens), (1, "budget", 1));
}

#[tokio::test]
async fn what_an_address_does_not_take_is_remembered() {
    // Streaming, and the old name of the limit.
    let server = Server::start(|nth| match nth {
        0 => refusing(400, &[], error(&json!({"param": "max_tokens", "code": "unsupported_parameter"}))),
        1 => refusing(400, &[], "Streaming is not supported by this model"),
        _ => typed(
            "application/json",
            json!({"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}).to_string(),
        ),
    })
    .await;
    let model = server.model();
    for _ in 0..2 {
        let answer = model.chat(&request()).await.unwrap();
        assert_eq!((answer.content.as_deref(), answer.attempts), (Some("ok"), 1));
    }
    let received = server.received();
    assert_eq!(received.len(), 4, "asked anew once, and never again");
    for received in &received[2..] {
        let Received { body, .. } = received;
        assert_eq!((&body["stream"], &body["max_completion_tokens"]), (&json!(false), &json!(200)));
        assert_eq!((body.get("max_tokens"), body.get("stream_options")), (None, None));
    }
}

#[tokio::test]
async fn a_form_that_is_refused_is_the_callers_matter() {
    let server =
        Server::start(|_| refusing(400, &[], error(&json!({"param": "response_format", "code": "unsupported"})))).await;
    let refused = ChatError::Refused { status: 400, code: Some("unsupported".to_owned()) };
    assert_eq!(server.model().chat(&request()).await.unwrap_err(), refused);
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn nobody_is_followed_elsewhere() {
    let elsewhere = Server::start(|_| good()).await;
    let url = elsewhere.url.clone();
    let server =
        Server::start(move |_| (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, url.clone())]).into_response())
            .await;
    let refused = ChatError::Refused { status: 307, code: None };
    assert_eq!(server.model().chat(&request()).await.unwrap_err(), refused);
    assert_eq!(elsewhere.received().len(), 0, "neither key nor content went there");
}

#[tokio::test]
async fn azure_is_spoken_to_in_its_own_way() {
    let server = Server::start(|_| good()).await;
    let (mut model, failover) = server.settings();
    model.api = ModelApi::Azure;
    model.url = server.url.trim_end_matches("/v1").to_owned() + "/";
    model.name = "deployment-1".to_owned();
    open(&model, &failover).chat(&request()).await.unwrap();
    let received = &server.received()[0];
    let expected = format!("/openai/deployments/deployment-1/chat/completions?api-version={}", model.api_version);
    assert_eq!(received.uri.path_and_query().unwrap().as_str(), expected);
    assert_eq!(received.headers["api-key"], KEY);
    assert_eq!(received.headers.get("authorization"), None);
}

#[tokio::test]
async fn without_a_key_there_is_no_header_for_one() {
    let server = Server::start(|_| good()).await;
    let (mut model, failover) = server.settings();
    model.key = Secret::new(String::new());
    open(&model, &failover).chat(&request()).await.unwrap();
    assert_eq!(server.received()[0].headers.get("authorization"), None);
}

#[tokio::test]
async fn where_nobody_listens_nobody_is_reached() {
    let server = Server::start(|_| good()).await;
    let (mut model, failover) = server.settings();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    model.url = format!("http://{free}/v1");
    assert_eq!(open(&model, &failover).chat(&request()).await.unwrap_err(), ChatError::Unreachable);
}

/// Asks, waits in real time until all is said that will be said, and then lets time run: no story waits for a limit.
async fn until_a_limit(url: &str) -> Result<ChatAnswer, ChatError> {
    let Config { mut model, failover, .. } = Config::standard();
    model.url = url.to_owned();
    model.attempts = 1;
    let model = open(&model, &failover);
    let waits = async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        tokio::time::pause();
    };
    let request = request();
    let (result, ()) = tokio::join!(model.chat(&request), waits);
    result
}

#[tokio::test]
async fn silence_within_an_answer_is_a_stall() {
    let server = Server::start(|_| begun(stream::pending())).await;
    assert_eq!(until_a_limit(&server.url).await.unwrap_err(), ChatError::Timeout(TimeLimit::Stall));
}

#[tokio::test]
async fn silence_before_an_answer_ends_the_attempt() {
    // The kernel takes the connection and the request; nobody answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", silent.local_addr().unwrap());
    assert_eq!(until_a_limit(&url).await.unwrap_err(), ChatError::Timeout(TimeLimit::Attempt));
}

#[tokio::test]
async fn an_answer_that_has_ended_is_whole_though_the_connection_stays_open() {
    let server = Server::start(|_| {
        let all = Bytes::from(events(&[words()[0].clone(), end("stop")]));
        typed("text/event-stream", Body::from_stream(stream::iter([Ok::<_, Infallible>(all)]).chain(stream::pending())))
    })
    .await;
    assert_eq!(until_a_limit(&server.url).await.unwrap().finish, Finish::Stop);
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let Config { model, failover, .. } = Config::standard();
    let fault = |change: fn(&mut Model, &mut Failover)| {
        let (mut model, mut failover) = (model.clone(), failover.clone());
        change(&mut model, &mut failover);
        connect(&model, &failover, &Ambient::fixed(at(NOW)).0).unwrap_err()
    };
    assert_eq!(fault(|model, _| model.url = "http://".to_owned()), StartFault::Address("model"));
    assert_eq!(fault(|model, _| model.name = String::new()), StartFault::Name("model"));
    assert_eq!(fault(|_, failover| failover.url = "http://127.0.0.1/v1".to_owned()), StartFault::Name("failover"));
    let key = fault(|model, _| model.key = Secret::new("sk-PLANTED\n".to_owned()));
    assert_eq!(key, StartFault::Key("model"));
    assert!(!format!("{key} {key:?}").contains(PLANTED));
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_line_error_or_debug_holds_content_or_the_key() {
    let lines = Lines::default();
    let writer = lines.clone();
    // Everything that anybody logs, whatever the settings say.
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());
    for (name, respond, _) in faults() {
        let server = Server::start(move |_| respond()).await;
        let (mut model, failover) = server.settings();
        model.breaker_failures = 1;
        let model = open(&model, &failover);
        let error = model.chat(&request()).await.unwrap_err();
        let shown = format!("{error} {error:?} {model:?}");
        assert!(!shown.contains(PLANTED), "{name}: {shown}");
        assert!(server.received()[0].body.to_string().contains(PLANTED), "{name}: it was sent");
    }
    let server = Server::start(|_| good()).await;
    assert!(server.model().chat(&request()).await.unwrap().content.unwrap().contains(PLANTED));
    let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(lines.contains("left alone"), "the log was heard");
    let leak = lines.lines().find(|line| line.contains(PLANTED) || line.contains("Katuvalo"));
    assert_eq!(leak, None);
}
