//! The client against servers that nobody here wrote. `tests/peers start DIR` installs and starts them and prints their
//! addresses; `tests/run` does that by itself. Without an address its stories say that they were skipped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vireille::clock::Ambient;
use vireille::config::{Config, Embedding, Failover, Model, ModelApi, Secret, Structured};
use vireille::model::answers::ClassifyAnswer;
use vireille::model::chat::{
    ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, OutputMode, Purpose, Sampling, Tool,
};
use vireille::model::client::connect;
use vireille::model::embedder;
use vireille::model::masking::Masked;
use vireille::model::structured::{self, Modes};
use vireille::policy::Rulebooks;
use vireille::search::{Embedder, Kept, Passages, SearchError, Vectors};

use crate::support::desk::{NOW, at, policies};

/// The address of a server, if the tests were given one.
fn peer(name: &str) -> Option<String> {
    let variable = format!("VIREILLE_TEST_{name}_URL");
    #[expect(clippy::disallowed_methods, reason = "only the tests' own settings come this way")]
    let url = std::env::var(&variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        eprintln!("SKIPPED: {variable} is not set; `tests/peers start DIR` prints it");
    }
    url
}

fn settings(url: &str) -> (Model, Failover) {
    let Config { mut model, failover, .. } = Config::standard();
    model.url = format!("{url}/v1");
    model.key = Secret::new("sk-peer".to_owned());
    model.attempts = 1;
    model.stall_timeout_seconds = 1;
    (model, failover)
}

fn open((model, failover): &(Model, Failover)) -> Arc<dyn ChatModel> {
    connect(model, failover, &Ambient::fixed(at(NOW)).0).expect("the settings can be used")
}

fn request(words: &str) -> ChatRequest {
    ChatRequest {
        purpose: Purpose {
            municipality: "harjuvesi".parse().unwrap(),
            case: None,
            step: "classify",
            prompt: "classify@1".to_owned(),
            prompt_hash: "0".repeat(64),
        },
        messages: vec![Message::System(Masked::public("Olet avustaja.")), Message::User(Masked::public(words))],
        tools: Vec::new(),
        output: None,
        sampling: Sampling { temperature: 0.0, max_tokens: 200, seed: Some(1) },
    }
}

fn tools() -> Vec<Tool> {
    let tool = |name: &str, argument: &str| Tool {
        name: name.to_owned(),
        description: format!("Reads the policy by {argument}."),
        parameters: json!({"type": "object", "properties": {argument: {"type": "string"}},
                           "required": [argument], "additionalProperties": false}),
    };
    vec![tool("search_policy", "query"), tool("read_section", "section")]
}

/// The conversation goes on with a result for each tool that was asked for.
fn with_results(mut request: ChatRequest, answer: &ChatAnswer) -> ChatRequest {
    request.messages.push(Message::Assistant { content: None, tool_calls: answer.tool_calls.clone() });
    let results = answer
        .tool_calls
        .iter()
        .map(|call| Message::Tool { call_id: call.id.clone(), content: Masked::public("3 § Tuettava tie") });
    request.messages.extend(results);
    request
}

// ---- llmock (PyPI): faults to order, and a verdict on the client ----

struct Llmock {
    url: String,
    http: reqwest::Client,
    _turn: tokio::sync::MutexGuard<'static, ()>,
}

/// Faults, journal and verdict are the server's, and whoever came between would be judged too: one story at a time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Llmock {
    /// The server as new, if the tests were given one.
    async fn fresh() -> Option<Self> {
        let url = peer("LLMOCK")?;
        vireille::model::client::install_tls();
        let llmock = Self { url, http: reqwest::Client::new(), _turn: TURN.lock().await };
        llmock.post("reset", &json!({})).await;
        Some(llmock)
    }

    async fn post(&self, path: &str, body: &Value) {
        let sent =
            self.http.post(format!("{}/_llmock/{path}", self.url)).json(body).send().await.expect("llmock answers");
        assert!(sent.status().is_success(), "{path}: {}", sent.text().await.unwrap());
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}/_llmock/{path}", self.url)).send().await.expect("llmock answers");
        answer.json().await.expect("JSON")
    }

    /// The next requests for the model of that name meet these behaviours, one each.
    async fn expects(&self, model: &str, behaviors: &[Value]) {
        for behavior in behaviors {
            let mut behavior = behavior.clone();
            behavior["match"] = json!({ "model": model });
            self.post("scenario", &json!({ "behaviors": [behavior] })).await;
        }
    }

    fn model(&self, name: &str, attempts: u32) -> Arc<dyn ChatModel> {
        let mut settings = settings(&self.url);
        settings.0.name = name.into();
        settings.0.attempts = attempts;
        open(&settings)
    }

    /// One question to a server that behaves like this.
    async fn asked(&self, name: &str, attempts: u32, behaviors: &[Value]) -> Result<ChatAnswer, ChatError> {
        self.expects(name, behaviors).await;
        self.model(name, attempts).chat(&request("Katuvalo on pimeä.")).await
    }
}

#[tokio::test]
async fn llmock_finds_nothing_wrong_with_the_client() {
    let Some(llmock) = Llmock::fresh().await else { return };
    let answer = llmock.asked("plain", 1, &[]).await.unwrap();
    assert!(answer.content.is_some_and(|words| !words.is_empty()));
    assert_eq!((answer.finish, answer.model.as_str(), answer.attempts), (Finish::Stop, "plain", 1));
    assert!(!answer.usage.estimated && answer.usage.input > 0 && answer.usage.output > 0);

    // It makes an answer that fits the schema: what our types say and what the schema says must agree.
    let known = Modes::new(Structured::JsonSchema);
    let model = llmock.model("schema", 1);
    structured::ask::<ClassifyAnswer>(&*model, request("Mikä laji?"), &known).await.expect("a valid answer");
    scripted_tools(&llmock).await;
    faults_that_pass(&llmock).await;
    faults_that_do_not_pass(&llmock).await;

    let journal = llmock.get("requests").await;
    assert!(
        journal["requests"].as_array().unwrap().iter().all(|request| request["stream"] == true),
        "all of them stream"
    );
    let verdict = llmock.get("verdict").await;
    assert_eq!((&verdict["passed"], &verdict["findings"]), (&json!(true), &json!([])), "{verdict:#}");
    assert!(verdict["faults_injected"].as_u64().unwrap() >= 14, "{verdict:#}");

    // Last, because the verdict would take it for impatience: used-up quota is not waited for.
    let used_up = json!({"type": "fail", "status": 429, "retry_after": 0.1, "code": "insufficient_quota"});
    assert_eq!(llmock.asked("quota", 4, &[used_up]).await.unwrap_err(), ChatError::Quota);
}

async fn scripted_tools(llmock: &Llmock) {
    let model = llmock.model("tools", 1);
    let asking = ChatRequest { tools: tools(), ..request("Hae pykälä.") };
    let answer = model.chat(&asking).await.unwrap();
    assert_eq!(answer.finish, Finish::ToolCalls);
    let call = answer.tool_calls.first().expect("a call");
    assert!(tools().iter().any(|tool| tool.name == call.name));
    assert!(serde_json::from_str::<Value>(&call.arguments).unwrap().is_object());
    let answer = model.chat(&with_results(asking.clone(), &answer)).await.unwrap();
    assert_eq!((answer.finish, answer.tool_calls.len()), (Finish::Stop, 0));

    llmock.expects("tools", &[json!({"type": "tool_fault", "kind": "malformed_arguments"})]).await;
    let broken = model.chat(&asking).await.unwrap();
    assert!(serde_json::from_str::<Value>(&broken.tool_calls[0].arguments).is_err(), "handed on as it came");
    llmock.expects("tools", &[json!({"type": "tool_fault", "kind": "unknown_tool"})]).await;
    let unknown = model.chat(&asking).await.unwrap();
    assert!(tools().iter().all(|tool| tool.name != unknown.tool_calls[0].name), "handed on as it came");
}

async fn faults_that_pass(llmock: &Llmock) {
    // A real wait, twice.
    let busy = json!({"type": "fail", "status": 429, "retry_after": 0.2, "times": 2});
    let started = Instant::now();
    let answer = llmock.asked("busy", 4, &[busy]).await.unwrap();
    assert_eq!(answer.attempts, 3);
    assert!(started.elapsed() >= Duration::from_millis(400) && answer.latency >= Duration::from_millis(400));

    for status in [408, 500, 502, 503, 529] {
        let fault = json!({"type": "fail", "status": status, "retry_after": 0.05});
        let answer = llmock.asked(&format!("fault-{status}"), 2, &[fault]).await;
        assert_eq!(answer.unwrap().attempts, 2, "{status}");
    }
    for (kind, after) in [("disconnect", 0), ("disconnect", 2), ("truncate", 2), ("malformed", 2), ("stall", 2)] {
        // Long enough that the server still speaks when we have heard enough: only then does it see that we left.
        let words = "Valo korjataan Kirkkotiellä. ".repeat(30);
        let said = json!({"type": "reply", "text": words, "times": 2});
        let fault = json!({"type": "stream_fault", "kind": kind, "after_chunks": after, "stall_seconds": 20});
        let answer = llmock.asked(&format!("{kind}-{after}"), 2, &[said, fault]).await.unwrap();
        assert_eq!((answer.attempts, answer.finish), (2, Finish::Stop), "{kind}");
        // Nothing of the broken answer is left in the whole one.
        assert_eq!(answer.content.as_deref().map(str::trim), Some(words.trim()), "{kind}");
    }
}

async fn faults_that_do_not_pass(llmock: &Llmock) {
    for (status, code, expected) in [
        (400, None, "refused"),
        (401, None, "unauthorized"),
        (404, Some("model_not_found"), "refused"),
        (400, Some("context_length_exceeded"), "too_long"),
    ] {
        let name = format!("no-{status}-{expected}");
        let fault = json!({"type": "fail", "status": status, "code": code});
        assert_eq!(llmock.asked(&name, 4, &[fault]).await.unwrap_err().kind(), expected, "{status} {code:?}");
    }
    let outage = json!({"type": "fail", "status": 503, "retry_after": 0.05, "times": null});
    let error = llmock.asked("outage", 2, std::slice::from_ref(&outage)).await.unwrap_err();
    assert!(matches!(error, ChatError::Fault { status: 503, .. }), "{error:?}");
    // The second address is asked for what the first does not give.
    llmock.expects("down", &[outage]).await;
    let mut settings = settings(&llmock.url);
    settings.0.name = "down".into();
    settings.0.attempts = 2;
    settings.1.url.clone_from(&settings.0.url);
    settings.1.name = "second".into();
    let answer = open(&settings).chat(&request("Katuvalo on pimeä.")).await.unwrap();
    assert_eq!((&answer.endpoint[..], &answer.model[..], answer.attempts), ("failover", "second", 3));
}

/// It makes a vector of 1,536 numbers out of each text, the same for the same text, whatever dimension is asked for.
#[tokio::test]
async fn llmock_embeds_text_by_text_and_in_order() {
    let Some(llmock) = Llmock::fresh().await else { return };
    let texts = texts(&["Kuoppa tiellä.", "Katuvalo on pimeä.", "Vägen är hal.", "Åminnevägen 3", "Kuoppa tiellä."]);
    let settings = embedding(&llmock.url, "vectors");
    let embedder = embeds(&settings);
    let vectors = embedder.embed(&texts).await.unwrap();
    let journal = llmock.get("requests").await;
    let batches: Vec<usize> = journal["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["body"]["input"].as_array().unwrap().len())
        .collect();
    assert_eq!(batches, [2, 2, 1]);
    assert_eq!(vectors.len(), texts.len());
    assert!(vectors.iter().all(|vector| vector.len() == 1_536));
    for (text, vector) in texts.iter().zip(&vectors) {
        assert_eq!(&embedder.embed(std::slice::from_ref(text)).await.unwrap()[0], vector, "{text}");
    }
    let distinct = vectors.iter().map(|vector| format!("{vector:?}")).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(distinct.len(), 4, "the first and the last are the same text");

    // What fails for now is tried again; what fails for good is said, without what was sent or answered.
    llmock.expects("vectors", &[json!({"type": "fail", "status": 429, "retry_after": 0.05, "times": 2})]).await;
    assert_eq!(embedder.embed(&texts[..1]).await.unwrap(), vectors[..1]);
    for (status, code) in [(400, None), (401, None), (404, Some("model_not_found"))] {
        llmock.expects("vectors", &[json!({"type": "fail", "status": status, "code": code})]).await;
        // Another text each time: the same one would look like another attempt.
        let told = refusal(&*embedder, &[format!("Kuoppa {status}.")]).await;
        assert_eq!(told, format!("the embedder answered {status}"));
    }
    let verdict = llmock.get("verdict").await;
    assert_eq!((&verdict["passed"], &verdict["findings"]), (&json!(true), &json!([])), "{verdict:#}");

    let elsewhere = Embedding { url: format!("{}/v1/nothing", llmock.url), ..embedding(&llmock.url, "vectors") };
    assert_eq!(refusal(&*embeds(&elsewhere), &texts).await, "the embedder answered 404");
    let shorter = embeds(&Embedding { dimensions: 8, ..embedding(&llmock.url, "vectors") });
    assert_eq!(refusal(&*shorter, &texts).await, "the embedder gave vectors of another length");

    // Passages are embedded once; model and dimension stand with the vectors.
    let passages = Passages::of(&Rulebooks::load_all(&policies()).unwrap_or_else(|faults| panic!("{faults}")));
    let folder = tempfile::tempdir().unwrap();
    let whole = Embedding { batch: 100, ..settings };
    llmock.post("reset", &json!({})).await;
    let mut asked = Vec::new();
    for _ in 0..2 {
        let kept = Vectors::of(&passages, embeds(&whole), folder.path(), Kept::Trusted, &|_, _| ()).await.unwrap();
        assert_eq!((kept.model(), kept.dimension()), ("vectors", 1_536));
        asked.push(llmock.get("requests").await["count"].as_u64().unwrap());
    }
    let at_most = u64::try_from(passages.parts().len().div_ceil(100)).unwrap();
    assert!((1..at_most).contains(&asked[0]), "{asked:?}: what three municipalities share is embedded once");
    assert_eq!(asked[0], asked[1], "the second time all were kept");
}

fn embedding(url: &str, name: &str) -> Embedding {
    Embedding {
        url: format!("{url}/v1"),
        key: Secret::new("sk-peer".to_owned()),
        name: name.to_owned(),
        dimensions: 0,
        batch: 2,
        timeout_seconds: 5,
    }
}

fn embeds(settings: &Embedding) -> Arc<dyn Embedder> {
    embedder::connect(settings).expect("the settings can be used").expect("an address is set")
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// What is said where no vectors are given.
async fn refusal(embedder: &dyn Embedder, texts: &[String]) -> String {
    match embedder.embed(texts).await {
        Err(SearchError::Unreachable(because)) => because,
        other => panic!("{other:?}"),
    }
}

// ---- aimock (npm): the answers of tests/fixtures/peers/aimock.json ----

async fn aimock(words: &str) -> Option<Result<ChatAnswer, ChatError>> {
    let url = peer("AIMOCK")?;
    Some(open(&settings(&url)).chat(&request(words)).await)
}

#[tokio::test]
async fn aimock_streams_and_we_read_every_ending() {
    for (words, content, finish) in [
        ("Katuvalo on pimeä.", "Vikailmoitus: katuvalo ei pala. Åäö – 3 §.", Finish::Stop),
        ("Kirjoita pitkästi.", "Alku on tässä", Finish::Length),
        ("Suodatettava.", "Alku", Finish::ContentFilter),
    ] {
        let Some(answer) = aimock(words).await else { return };
        let answer = answer.unwrap();
        assert_eq!((answer.content.as_deref(), &answer.finish), (Some(content), &finish));
        assert!(!answer.usage.estimated && answer.usage.output > 0);
    }
}

#[tokio::test]
async fn aimock_breaks_off_and_we_notice() {
    let refused = |status, code: &str| ChatError::Refused { status, code: Some(code.to_owned()) };
    let rate_limited = ChatError::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    for (words, expected) in [
        ("Liian usein.", vec![rate_limited]),
        ("Kiintiö.", vec![ChatError::Quota]),
        ("Väärä avain.", vec![ChatError::Unauthorized]),
        ("Liian pitkä.", vec![ChatError::TooLong]),
        ("Katkea kesken.", vec![ChatError::Cut]),
        ("Katkea heti.", vec![ChatError::Unreachable, ChatError::Cut]),
        ("Sotke.", vec![ChatError::Malformed]),
        ("Kaadu.", vec![ChatError::Fault { status: 500, retry_after: None }]),
        // What no fixture fits is 503 in its strict mode.
        ("Tuntematon.", vec![ChatError::Fault { status: 503, retry_after: None }, refused(404, "no_fixture_match")]),
    ] {
        let Some(answer) = aimock(words).await else { return };
        let error = answer.unwrap_err();
        assert!(expected.contains(&error), "{words}: {error:?}");
    }
}

#[tokio::test]
async fn aimock_asks_for_two_tools_in_pieces_and_takes_their_results() {
    let Some(url) = peer("AIMOCK") else { return };
    let model = open(&settings(&url));
    let asking = ChatRequest { tools: tools(), ..request("Hae pykälä.") };
    let answer = model.chat(&asking).await.unwrap();
    assert_eq!(answer.finish, Finish::ToolCalls);
    let calls: Vec<_> = answer.tool_calls.iter().map(|call| (&call.name[..], &call.arguments[..])).collect();
    let query = r#"{"query":"yksityistien avustus, Åminnevägen"}"#;
    assert_eq!(calls, [("search_policy", query), ("read_section", r#"{"section":"s3"}"#)]);
    let answer = model.chat(&with_results(asking, &answer)).await.unwrap();
    assert_eq!(answer.content.as_deref(), Some("Pykälä 3 kertoo, mitä tietä tuetaan."));
}

#[tokio::test]
async fn aimock_refuses_a_strict_schema_and_gets_another_form() {
    let Some(url) = peer("AIMOCK") else { return };
    let model = open(&settings(&url));
    let known = Modes::new(Structured::Auto);
    // One refusal may be a slip; three in a row are the address's habit.
    for taken in [OutputMode::JsonSchema, OutputMode::JsonSchema, OutputMode::JsonObject] {
        let asked = structured::ask::<ClassifyAnswer>(&*model, request("Mikä laji?"), &known).await.unwrap();
        assert_eq!(asked.value.label, "fault-notice");
        assert_eq!(known.current(), taken);
    }
}

#[tokio::test]
async fn aimock_is_spoken_to_as_azure() {
    let Some(url) = peer("AIMOCK") else { return };
    let mut settings = settings(&url);
    settings.0.api = ModelApi::Azure;
    settings.0.url = url;
    settings.0.name = "deployment-1".into();
    let answer = open(&settings).chat(&request("Katuvalo on pimeä.")).await.unwrap();
    assert_eq!(answer.finish, Finish::Stop);
}

/// It gives every text of a request the vector of one fixture, so that it shows count, length and refusals, and no order.
#[tokio::test]
async fn aimock_embeds_and_refuses() {
    let Some(url) = peer("AIMOCK") else { return };
    let embedder = embeds(&Embedding { dimensions: 2, ..embedding(&url, "vectors") });
    assert_eq!(embedder.model(), "vectors@2");
    let three = texts(&["Kuoppa tiellä.", "Toinen kuoppa tiellä.", "Kolmas kuoppa tiellä."]);
    assert_eq!(embedder.embed(&three).await.unwrap(), vec![vec![0.6, 0.8]; 3], "of length one");
    assert_eq!(refusal(&*embedder, &texts(&["Liian pitkä upotettavaksi."])).await, "the embedder answered 400");
    let wider = embeds(&Embedding { dimensions: 3, ..embedding(&url, "vectors") });
    assert_eq!(refusal(&*wider, &three).await, "the embedder gave vectors of another length");
}
