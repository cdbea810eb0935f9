//! Recorded calls: the same answers without a model, and a clear word when a call is not there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use vireille::config::{CassetteMode, Config};
use vireille::model::cassette::{Cassette, ENDPOINT};
use vireille::model::chat::{
    ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, OutputMode, TimeLimit, ToolCall,
};
use vireille::model::masking::Masked;

use crate::support::calls::{Told, answer, request};

fn open(dir: &Path, mode: CassetteMode, inner: Option<Arc<dyn ChatModel>>) -> Cassette {
    Cassette::open(inner, dir, mode, 1, "gpt-4.1-mini").unwrap()
}

fn replay(dir: &Path) -> Cassette {
    open(dir, CassetteMode::Replay, None)
}

async fn recorded(dir: &Path, requests: &[ChatRequest], results: Vec<Result<ChatAnswer, ChatError>>) {
    let cassette = open(dir, CassetteMode::Record, Some(Told::all(results)));
    for request in requests {
        let _ = cassette.chat(request).await;
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect();
    files.sort();
    files
}

async fn difference(cassette: &Cassette, request: &ChatRequest) -> String {
    match cassette.chat(request).await {
        Err(ChatError::NotRecorded { first_difference }) => first_difference,
        other => panic!("it is recorded: {other:?}"),
    }
}

#[tokio::test]
async fn what_was_recorded_is_answered_without_a_model() {
    let dir = tempfile::tempdir().unwrap();
    let tools = ChatAnswer {
        content: None,
        tool_calls: vec![ToolCall { id: "call_1".into(), name: "search_policy".into(), arguments: "{".into() }],
        finish: Finish::ToolCalls,
        ..answer("")
    };
    let odd = ChatAnswer { refusal: Some("no".into()), finish: Finish::Other("eos".into()), ..answer("a\r\nb\n") };
    let results = [Ok(answer("ä\n\nö")), Ok(tools), Ok(odd)];
    let requests = ["one", "two", "three"].map(request);
    recorded(dir.path(), &requests, results.to_vec()).await;

    let cassette = replay(dir.path());
    for (request, result) in requests.iter().zip(results) {
        let replayed = cassette.chat(request).await.unwrap();
        let told = ChatAnswer { endpoint: ENDPOINT.into(), attempts: 1, latency: Duration::ZERO, ..result.unwrap() };
        assert_eq!(replayed, told);
    }
}

#[tokio::test]
async fn errors_are_replayed_like_answers() {
    let dir = tempfile::tempdir().unwrap();
    let wait = Some(Duration::from_millis(1_500));
    let errors = [
        ChatError::Unreachable,
        ChatError::Timeout(TimeLimit::Connect),
        ChatError::Timeout(TimeLimit::Stall),
        ChatError::Timeout(TimeLimit::Attempt),
        ChatError::Timeout(TimeLimit::Total),
        ChatError::RateLimited { retry_after: wait },
        ChatError::RateLimited { retry_after: None },
        ChatError::Quota,
        ChatError::Unauthorized,
        ChatError::TooLong,
        ChatError::Refused { status: 400, code: Some("unsupported".into()) },
        ChatError::Fault { status: 503, retry_after: wait },
        ChatError::Malformed,
        ChatError::Cut,
        ChatError::LeftAlone,
    ];
    let requests: Vec<ChatRequest> = (0..errors.len()).map(|n| request(&n.to_string())).collect();
    recorded(dir.path(), &requests, errors.iter().cloned().map(Err).collect()).await;
    let cassette = replay(dir.path());
    for (request, error) in requests.iter().zip(errors) {
        assert_eq!(cassette.chat(request).await.unwrap_err(), error);
    }
    // No model was asked: there is nothing to record.
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &[request("budget")], vec![Err(ChatError::Budget("nothing left".into()))]).await;
    assert_eq!(files(dir.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn the_same_request_gets_its_takes_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let again = [request("again"), request("again"), request("again")];
    let results = vec![Err(ChatError::Cut), Ok(answer("second")), Ok(answer("third"))];
    recorded(dir.path(), &again, results).await;
    assert_eq!(files(dir.path()).len(), 1);
    let cassette = replay(dir.path());
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(cassette.chat(&again[0]).await.map(|answer| answer.content.unwrap()));
    }
    let text = |text: &str| Ok(text.to_owned());
    assert_eq!(told, [Err(ChatError::Cut), text("second"), text("third"), text("third")]);

    // To record again is to begin anew.
    recorded(dir.path(), &again[..1], vec![Ok(answer("new"))]).await;
    let cassette = replay(dir.path());
    for _ in 0..2 {
        assert_eq!(cassette.chat(&again[0]).await.unwrap().content.as_deref(), Some("new"));
    }
}

#[tokio::test]
async fn auto_replays_what_there_is_and_records_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &[request("old")], vec![Ok(answer("recorded"))]).await;
    let cassette = open(dir.path(), CassetteMode::Auto, Some(Told::all([Ok(answer("made")), Ok(answer("more"))])));
    for (asked, told) in [("old", "recorded"), ("new", "made"), ("old", "more")] {
        assert_eq!(cassette.chat(&request(asked)).await.unwrap().content.as_deref(), Some(told), "{asked}");
    }
    let cassette = replay(dir.path());
    for (asked, told) in [("new", "made"), ("old", "recorded"), ("old", "more")] {
        assert_eq!(cassette.chat(&request(asked)).await.unwrap().content.as_deref(), Some(told), "{asked}");
    }
}

#[tokio::test]
async fn no_key_address_case_or_municipality_is_written_down() {
    let dir = tempfile::tempdir().unwrap();
    recorded(dir.path(), &[request("a text")], vec![Ok(answer("words"))]).await;
    let [file] = files(dir.path()).try_into().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for word in ["harjuvesi", "0199f0a2", "primary", "5e1f", "http", "uthorization", "\"step\""] {
        assert!(!text.contains(word), "{word} stands in {text}");
    }
    assert!(text.contains("\"Write the reasons.\",\n"), "line by line: {text}");
    assert!(file.starts_with(dir.path().join("compose-decision")), "{}", file.display());
    assert_eq!(file.file_stem().unwrap().len(), 16);
    // Another case and municipality get the same answer.
    let mut elsewhere = request("a text");
    elsewhere.purpose.municipality = "lillsund".parse().unwrap();
    elsewhere.purpose.case = None;
    assert!(replay(dir.path()).chat(&elsewhere).await.is_ok());
}

#[tokio::test]
async fn the_fence_of_another_conversation_is_the_same_request() {
    let dir = tempfile::tempdir().unwrap();
    let fenced = |key: &str| request(&format!("<data-{key} text>\nKatuvalo ei pala.\n</data-{key}>"));
    recorded(dir.path(), &[fenced(&"0a".repeat(16))], vec![Ok(answer("a lamp"))]).await;
    let cassette = replay(dir.path());
    assert!(cassette.chat(&fenced(&"b1".repeat(16))).await.is_ok());
    let text = std::fs::read_to_string(&files(dir.path())[0]).unwrap();
    assert!(!text.contains(&"0a".repeat(16)), "{text}");
}

#[tokio::test]
async fn a_miss_names_the_first_field_that_differs_and_no_content() {
    let dir = tempfile::tempdir().unwrap();
    let far = request("Something else altogether, of which nothing agrees with what is asked below.");
    let near = request("Hakija on tiekunta.\nTien pituus on 1200 metriä.");
    recorded(dir.path(), &[far, near.clone()], vec![Ok(answer("far")), Ok(answer("near"))]).await;
    let cassette = replay(dir.path());

    let changed = |change: &dyn Fn(&mut ChatRequest)| {
        let mut request = near.clone();
        change(&mut request);
        request
    };
    let cases = [
        (changed(&|r| r.sampling.temperature = 0.7), r#"sampling.temperature: "0.2" is recorded, "0.7" is asked"#),
        (changed(&|r| r.sampling.max_tokens = 900), "sampling.max_tokens: 800 is recorded, 900 is asked"),
        (changed(&|r| r.sampling.seed = None), "sampling.seed: 7 is recorded, null is asked"),
        (
            changed(&|r| r.output.as_mut().unwrap().mode = OutputMode::Text),
            r#"output.mode: "json_schema" is recorded, "text" is asked"#,
        ),
        (
            changed(&|r| r.output.as_mut().unwrap().schema["properties"]["matter"]["maxLength"] = json!(300)),
            "output.schema.properties.matter.maxLength",
        ),
        (
            changed(&|r| r.tools[0].description = "Passages of policies.".into()),
            "tools[0].description at line 1, character 13",
        ),
        (changed(&|r| r.tools.clear()), "tools: 1 are recorded, 0 are asked"),
        (
            changed(&|r| {
                r.messages[1] = Message::User(Masked::public("Hakija on tiekunta.\nTien pituus on 1300 metriä."));
            }),
            "messages[1].content at line 2, character 17",
        ),
        (changed(&|r| r.messages.push(Message::User(Masked::public("more")))), "messages: 2 are recorded, 3 are asked"),
    ];
    for (request, told) in cases {
        assert_eq!(difference(&cassette, &request).await, told);
    }
    let other_prompt = changed(&|r| r.purpose.prompt = "classify@2".into());
    assert_eq!(difference(&cassette, &other_prompt).await, "nothing is recorded for the prompt classify");
    assert_eq!(cassette.chat(&near).await.unwrap().content.as_deref(), Some("near"));

    // The epoch and the model are part of the key.
    let open = |epoch, model| Cassette::open(None, dir.path(), CassetteMode::Replay, epoch, model).unwrap();
    assert_eq!(difference(&open(2, "gpt-4.1-mini"), &near).await, "epoch: 1 is recorded, 2 is asked");
    assert_eq!(difference(&open(1, "llama"), &near).await, r#"model: "gpt-4.1-mini" is recorded, "llama" is asked"#);
}

#[tokio::test]
async fn a_file_at_fault_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let secret = "Hakija on tiekunta.";
    recorded(dir.path(), &[request(secret)], vec![Ok(answer("words"))]).await;
    let [file] = files(dir.path()).try_into().unwrap();
    let good = std::fs::read_to_string(&file).unwrap();
    let fault = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let fault = Cassette::open(None, dir.path(), CassetteMode::Replay, 1, "m").unwrap_err().to_string();
        assert!(fault.starts_with(&file.display().to_string()), "{fault}");
        assert!(fault.ends_with("delete it and record it anew, or take it back from version control"), "{fault}");
        assert!(!fault.contains("tiekunta"), "{fault}");
        fault
    };
    assert!(fault(&good[..good.len() / 2]).contains("it is no recorded call (line "));
    assert!(fault("").contains("it is no recorded call (line 1"));
    assert!(fault(&good.replace(secret, "Hakija on tiekunta!")).contains("the request was changed"));
    assert!(fault(&good.replace("vireille-cassette/1", "vireille-cassette/9")).contains("it is not of the form"));
    assert!(fault(&good.replace("\"takes\"", "\"tiekunta\"")).contains("it is no recorded call"));
    // An answer may be edited.
    std::fs::write(&file, good.replace("\"words\"", "\"other words\"")).unwrap();
    assert_eq!(replay(dir.path()).chat(&request(secret)).await.unwrap().content.as_deref(), Some("other words"));

    let nowhere = Cassette::open(None, &dir.path().join("none"), CassetteMode::Replay, 1, "m").unwrap_err();
    assert!(nowhere.to_string().ends_with("there are no recorded calls; record them first, or name another folder"));
}

/// A change of an instruction is read once, and not in every call that was recorded with it.
#[tokio::test]
async fn what_calls_have_in_common_stands_once() {
    let dir = tempfile::tempdir().unwrap();
    let instructions = "Write the reasons in plain words.\n".repeat(40);
    let asked = |text: &str| {
        let mut request = request(text);
        request.messages[0] = Message::System(Masked::public(&instructions));
        request
    };
    let requests = [asked("one"), asked("two"), asked("three")];
    recorded(dir.path(), &requests, vec![Ok(answer("words")); 3]).await;
    let (shared, tapes): (Vec<_>, Vec<_>) =
        files(dir.path()).into_iter().partition(|file| file.starts_with(dir.path().join("_shared")));
    let holds = |file: &PathBuf| std::fs::read_to_string(file).unwrap().contains("in plain words");
    assert_eq!((shared.len(), tapes.len()), (1, 3));
    assert!(holds(&shared[0]) && !tapes.iter().any(holds));
    let played = replay(dir.path());
    for request in &requests[..2] {
        assert_eq!(played.chat(request).await.unwrap().content.as_deref(), Some("words"));
    }
    difference(&played, &asked("four")).await;
    let found = played.asked();
    assert_eq!((found.recorded, found.missed, found.unused.len()), (2, 1, 1));
    assert!(dir.path().join(found.unused.first().unwrap()).exists(), "{found:?}");

    // Whoever edits or loses what is shared is told, and which call it was part of.
    let fault = || Cassette::open(None, dir.path(), CassetteMode::Replay, 1, "m").unwrap_err().to_string();
    let good = std::fs::read_to_string(&shared[0]).unwrap();
    std::fs::write(&shared[0], good.replacen("plain", "fine", 1)).unwrap();
    assert!(fault().contains("the request was changed"), "{}", fault());
    std::fs::remove_file(&shared[0]).unwrap();
    assert!(fault().contains("a part of it is missing in _shared"), "{}", fault());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_same_time_are_all_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let results = (0..60).map(|n| Ok(answer(&n.to_string())));
    let cassette = open(dir.path(), CassetteMode::Record, Some(Told::all(results)));
    let requests: Vec<ChatRequest> = (0..60).map(|n| request(&format!("text {}", n % 20))).collect();
    let made = join_all(requests.iter().map(|request| cassette.chat(request))).await;
    assert!(made.iter().all(Result::is_ok));
    assert_eq!(files(dir.path()).len(), 20, "no file is left unfinished");
    let cassette = replay(dir.path());
    let replayed = join_all(requests.iter().map(|request| cassette.chat(request))).await;
    let words = |answers: Vec<Result<ChatAnswer, ChatError>>| {
        let mut words: Vec<String> = answers.into_iter().map(|answer| answer.unwrap().content.unwrap()).collect();
        words.sort();
        words
    };
    assert_eq!(words(made), words(replayed));
}

#[tokio::test]
async fn the_settings_say_whether_calls_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = Config::standard().model;
    let through = Cassette::around(Told::all([Ok(answer("made"))]), &settings).unwrap();
    assert_eq!(through.chat(&request("a")).await.unwrap().endpoint, "primary");
    settings.cassettes = dir.path().join("calls");
    settings.cassette_mode = CassetteMode::Record;
    let recording = Cassette::around(Told::all([Ok(answer("made"))]), &settings).unwrap();
    assert_eq!(recording.chat(&request("a")).await.unwrap().endpoint, "primary");
    settings.cassette_mode = CassetteMode::Replay;
    let replaying = Cassette::around(Told::all([Ok(answer("never made"))]), &settings).unwrap();
    assert_eq!(replaying.chat(&request("a")).await.unwrap().content.as_deref(), Some("made"));
    assert!(matches!(replaying.chat(&request("b")).await, Err(ChatError::NotRecorded { .. })));
}
