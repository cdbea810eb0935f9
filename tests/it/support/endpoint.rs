//! A scripted model behind an OpenAI-compatible address, for programs that only know a model by its address.
//!
//! It streams each answer as one piece. Which prompt is asked shows in our instructions, which are sent first.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use vireille::model::chat::{ChatAnswer, ChatModel, ChatRequest, Message, Purpose, Sampling, Tool, ToolCall};
use vireille::model::masking::Masked;

/// Serves the model on a free port until the story's runtime ends; gives what stands before `/chat/completions`.
pub async fn serve(model: Arc<impl ChatModel + 'static>) -> String {
    let model: Arc<dyn ChatModel> = model;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/v1/chat/completions", post(answer)).with_state(model);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(State(model): State<Arc<dyn ChatModel>>, Json(body): Json<Value>) -> Response {
    assert_eq!(body["stream"], true);
    let answer = model.chat(&read(&body)).await.expect("the script answers");
    let [words, end, usage] = pieces(&answer);
    let events = format!("data: {words}\n\ndata: {end}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], events).into_response()
}

/// The request as the model takes it in process.
fn read(body: &Value) -> ChatRequest {
    let messages: Vec<Message> = body["messages"].as_array().into_iter().flatten().map(message).collect();
    let Some(Message::System(instructions)) = messages.first() else { panic!("no instructions: {body}") };
    ChatRequest {
        purpose: Purpose {
            municipality: "harjuvesi".parse().unwrap(),
            case: None,
            step: "unknown",
            prompt: prompt(instructions.as_str()),
            prompt_hash: String::new(),
        },
        tools: body["tools"].as_array().into_iter().flatten().map(tool).collect(),
        output: None,
        sampling: Sampling { temperature: 0.0, max_tokens: 0, seed: None },
        messages,
    }
}

fn message(message: &Value) -> Message {
    let text = |key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let content = || Masked::public(text("content"));
    match message["role"].as_str().unwrap_or_default() {
        "system" => Message::System(content()),
        "user" => Message::User(content()),
        "tool" => Message::Tool { call_id: text("tool_call_id"), content: content() },
        "assistant" => Message::Assistant {
            content: message["content"].is_string().then(content),
            tool_calls: message["tool_calls"].as_array().into_iter().flatten().map(call).collect(),
        },
        other => panic!("no such role: {other}"),
    }
}

fn call(call: &Value) -> ToolCall {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ToolCall {
        id: text(&call["id"]),
        name: text(&call["function"]["name"]),
        arguments: text(&call["function"]["arguments"]),
    }
}

fn tool(tool: &Value) -> Tool {
    let text = |key: &str| tool["function"][key].as_str().unwrap_or_default().to_owned();
    Tool { name: text("name"), description: text("description"), parameters: tool["function"]["parameters"].clone() }
}

/// The prompt whose first line of instructions these are, with a version.
fn prompt(instructions: &str) -> String {
    let known = OPENINGS.iter().find(|(_, opening)| instructions.starts_with(opening));
    let (id, _) = known.unwrap_or_else(|| panic!("whose instructions are these? {instructions}"));
    format!("{id}@1")
}

/// Each prompt with the first line of its instructions.
static OPENINGS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("prompts");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let instructions = text.split_once("## system\n").expect("instructions").1.trim_start();
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (id, instructions.lines().next().expect("a line").to_owned())
        })
        .collect()
});

fn pieces(answer: &ChatAnswer) -> [Value; 3] {
    let calls: Vec<Value> = answer
        .tool_calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let function = json!({ "name": call.name, "arguments": call.arguments });
            json!({ "index": index, "id": call.id, "type": "function", "function": function })
        })
        .collect();
    let mut delta = json!({ "role": "assistant", "content": answer.content, "refusal": answer.refusal });
    if !calls.is_empty() {
        delta["tool_calls"] = json!(calls);
    }
    let piece = |choices: Value| json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": answer.model, "choices": choices });
    let reason = answer.finish.as_str();
    let mut usage = piece(json!([]));
    usage["usage"] = json!({
        "prompt_tokens": answer.usage.input, "completion_tokens": answer.usage.output,
        "total_tokens": answer.usage.input + answer.usage.output,
    });
    [
        piece(json!([{ "index": 0, "delta": delta, "finish_reason": null }])),
        piece(json!([{ "index": 0, "delta": {}, "finish_reason": reason }])),
        usage,
    ]
}
