//! One recorded request with its takes, and the file that holds it: `FOLDER/PROMPT/KEY.json`, where KEY is the first 16
//! digits of the key.
//!
//! The file is written for people: fields in a fixed order, texts by lines, so that a change shows as a change of a few
//! lines. It is replaced whole, never written in place. An answer may be edited by hand; the request may not, for the
//! key is its hash. What many requests have in common (instructions, tools, the form of the answer) stands once, in
//! `FOLDER/_shared/HASH.json`, and is named where it belongs.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cases::hex;
use crate::model::chat::{ChatAnswer, ChatError, ChatRequest, Finish, Message, OutputMode, TimeLimit, ToolCall, Usage};
use crate::model::prompts::without_keys;
use crate::storage::audit::canonical;

/// The form of the files.
const FORMAT: &str = "vireille-cassette/1";
/// Largest file that is read, bytes.
const LARGEST: u64 = 8 * 1024 * 1024;
/// Files that are read at most.
const MOST_FILES: usize = 100_000;
/// Digits of the key in a file's name.
const NAME_DIGITS: usize = 16;
/// Where parts stand that requests have in common; no prompt is called so.
const SHARED: &str = "_shared";
/// In the place of such a part: the name of its file.
const NAMED: &str = "shared";
/// What is shorter stays where it belongs, characters of JSON.
const WORTH_SHARING: usize = 500;

/// Why recorded calls cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {what}; {instead}")]
pub struct Fault {
    /// The file or folder.
    pub file: String,
    /// What is wrong, without any content.
    pub what: String,
    /// What to do.
    pub instead: &'static str,
}

/// SHA-256 of the canonical request, 64 hexadecimal digits.
pub(super) type Key = String;

/// A request as it decides an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    epoch: u32,
    model: String,
    messages: Vec<Spoken>,
    tools: Vec<Tool>,
    output: Option<Form>,
    sampling: Sampling,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "lowercase", deny_unknown_fields)]
enum Spoken {
    System { content: Lines },
    User { content: Lines },
    Assistant { content: Option<Lines>, tool_calls: Vec<Call> },
    Tool { call_id: String, content: Lines },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: String,
    description: String,
    parameters: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    mode: Mode,
    schema: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    JsonSchema,
    JsonObject,
    Text,
}

/// Temperature as text: canonical JSON has no floats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sampling {
    temperature: String,
    max_tokens: u32,
    seed: Option<i64>,
}

/// A text, written line by line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lines(String);

/// What came of one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Take {
    Answer(Answer),
    Error(Failure),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    content: Option<Lines>,
    refusal: Option<String>,
    tool_calls: Vec<Call>,
    finish: String,
    usage: Tokens,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    input: u64,
    cached: u64,
    output: u64,
    estimated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Failure {
    Unreachable,
    Timeout { limit: Limit },
    RateLimited { retry_after_milliseconds: Option<u64> },
    Quota,
    Unauthorized,
    TooLong,
    Refused { status: u16, code: Option<String> },
    Fault { status: u16, retry_after_milliseconds: Option<u64> },
    Malformed,
    Cut,
    LeftAlone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Limit {
    Connect,
    Stall,
    Attempt,
    Total,
}

/// A recorded request with its takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tape {
    pub(super) request: Request,
    pub(super) takes: Vec<Take>,
}

/// A tape as it stands in its file; the request may name shared parts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    key: Key,
    request: Value,
    takes: Vec<Take>,
}

/// The folder of the recorded calls.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// The part of a prompt's name before its version, as a folder may be called.
pub(super) fn prompt_id(prompt: &str) -> String {
    let id = prompt.split('@').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let id: String = id.chars().map(|c| if plain(c) { c } else { '-' }).take(64).collect();
    if id.is_empty() { "none".to_owned() } else { id }
}

/// A tape's file in its folder.
pub(super) fn name(prompt: &str, key: &Key) -> String {
    format!("{prompt}/{}.json", &key[..NAME_DIGITS])
}

impl Request {
    pub(super) fn of(request: &ChatRequest, model: &str, epoch: u32) -> Self {
        let lines = |text: &str| Lines(without_keys(text));
        let messages = request.messages.iter().map(|message| match message {
            Message::System(text) => Spoken::System { content: lines(text.as_str()) },
            Message::User(text) => Spoken::User { content: lines(text.as_str()) },
            Message::Assistant { content, tool_calls } => Spoken::Assistant {
                content: content.as_ref().map(|text| lines(text.as_str())),
                tool_calls: tool_calls.iter().map(Call::of).collect(),
            },
            Message::Tool { call_id, content } => {
                Spoken::Tool { call_id: call_id.clone(), content: lines(content.as_str()) }
            }
        });
        let tools = request.tools.iter().map(|tool| Tool {
            name: tool.name.clone(),
            description: tool.description.clone(),
            parameters: tool.parameters.clone(),
        });
        let output = request.output.as_ref().map(|form| Form {
            name: form.name.clone(),
            mode: match form.mode {
                OutputMode::JsonSchema => Mode::JsonSchema,
                OutputMode::JsonObject => Mode::JsonObject,
                OutputMode::Text => Mode::Text,
            },
            schema: form.schema.clone(),
        });
        let sampling = &request.sampling;
        Self {
            epoch,
            model: model.to_owned(),
            messages: messages.collect(),
            tools: tools.collect(),
            output,
            sampling: Sampling {
                temperature: sampling.temperature.to_string(),
                max_tokens: sampling.max_tokens,
                seed: sampling.seed,
            },
        }
    }

    pub(super) fn key(&self) -> Key {
        hex(&Sha256::digest(canonical(&self.value()).as_bytes()))
    }

    /// As JSON, for the key and for comparing.
    pub(super) fn value(&self) -> Value {
        // Text and whole numbers only; a map's keys are texts.
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.split('\n'))
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::<String>::deserialize(deserializer)?.join("\n")))
    }
}

impl Call {
    fn of(call: &ToolCall) -> Self {
        Self { id: call.id.clone(), name: call.name.clone(), arguments: call.arguments.clone() }
    }
}

impl Take {
    /// What is recorded of a call. Nothing, when no model was asked.
    pub(super) fn of(result: &Result<ChatAnswer, ChatError>) -> Option<Self> {
        match result {
            Ok(answer) => Some(Self::Answer(Answer::of(answer))),
            Err(error) => Failure::of(error).map(Self::Error),
        }
    }
}

impl Answer {
    fn of(answer: &ChatAnswer) -> Self {
        let Usage { input, cached, output, estimated } = answer.usage;
        Self {
            content: answer.content.clone().map(Lines),
            refusal: answer.refusal.clone(),
            tool_calls: answer.tool_calls.iter().map(Call::of).collect(),
            finish: match &answer.finish {
                Finish::Other(word) => word.clone(),
                known => known.as_str().to_owned(),
            },
            usage: Tokens { input, cached, output, estimated },
            model: answer.model.clone(),
        }
    }

    pub(super) fn into_chat(self, endpoint: &str, latency: Duration) -> ChatAnswer {
        let Tokens { input, cached, output, estimated } = self.usage;
        let call = |call: Call| ToolCall { id: call.id, name: call.name, arguments: call.arguments };
        ChatAnswer {
            content: self.content.map(|lines| lines.0),
            refusal: self.refusal,
            tool_calls: self.tool_calls.into_iter().map(call).collect(),
            finish: match self.finish.as_str() {
                "stop" => Finish::Stop,
                "length" => Finish::Length,
                "tool_calls" => Finish::ToolCalls,
                "content_filter" => Finish::ContentFilter,
                _ => Finish::Other(self.finish),
            },
            usage: Usage { input, cached, output, estimated },
            model: self.model,
            endpoint: endpoint.to_owned(),
            attempts: 1,
            latency,
        }
    }
}

impl Failure {
    fn of(error: &ChatError) -> Option<Self> {
        let milliseconds =
            |wait: &Option<Duration>| wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        Some(match error {
            ChatError::Unreachable => Self::Unreachable,
            ChatError::Timeout(limit) => Self::Timeout {
                limit: match limit {
                    TimeLimit::Connect => Limit::Connect,
                    TimeLimit::Stall => Limit::Stall,
                    TimeLimit::Attempt => Limit::Attempt,
                    TimeLimit::Total => Limit::Total,
                },
            },
            ChatError::RateLimited { retry_after } => {
                Self::RateLimited { retry_after_milliseconds: milliseconds(retry_after) }
            }
            ChatError::Quota => Self::Quota,
            ChatError::Unauthorized => Self::Unauthorized,
            ChatError::TooLong => Self::TooLong,
            ChatError::Refused { status, code } => Self::Refused { status: *status, code: code.clone() },
            ChatError::Fault { status, retry_after } => {
                Self::Fault { status: *status, retry_after_milliseconds: milliseconds(retry_after) }
            }
            ChatError::Malformed => Self::Malformed,
            ChatError::Cut => Self::Cut,
            ChatError::LeftAlone => Self::LeftAlone,
            ChatError::Budget(_) | ChatError::NotRecorded { .. } => return None,
        })
    }
}

impl From<Failure> for ChatError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable => Self::Unreachable,
            Failure::Timeout { limit } => Self::Timeout(match limit {
                Limit::Connect => TimeLimit::Connect,
                Limit::Stall => TimeLimit::Stall,
                Limit::Attempt => TimeLimit::Attempt,
                Limit::Total => TimeLimit::Total,
            }),
            Failure::RateLimited { retry_after_milliseconds } => {
                Self::RateLimited { retry_after: retry_after_milliseconds.map(Duration::from_millis) }
            }
            Failure::Quota => Self::Quota,
            Failure::Unauthorized => Self::Unauthorized,
            Failure::TooLong => Self::TooLong,
            Failure::Refused { status, code } => Self::Refused { status, code },
            Failure::Fault { status, retry_after_milliseconds } => {
                Self::Fault { status, retry_after: retry_after_milliseconds.map(Duration::from_millis) }
            }
            Failure::Malformed => Self::Malformed,
            Failure::Cut => Self::Cut,
            Failure::LeftAlone => Self::LeftAlone,
        }
    }
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Every tape with its prompt and key. A folder that is not there is empty, unless it `must_exist`.
    pub(super) fn read(&self, must_exist: bool) -> Result<Vec<(String, Key, Tape)>, Fault> {
        if !self.0.exists() {
            let missing =
                fault(&self.0, "there are no recorded calls".to_owned(), "record them first, or name another folder");
            return if must_exist { Err(missing) } else { Ok(Vec::new()) };
        }
        let shared = self.shared()?;
        let mut tapes = Vec::new();
        for of_prompt in entries(&self.0)?.into_iter().filter(|path| path.is_dir() && !path.ends_with(SHARED)) {
            let prompt = of_prompt.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for file in entries(&of_prompt)?.into_iter().filter(|file| is_json(file)) {
                if tapes.len() >= MOST_FILES {
                    let what = format!("there are more than {MOST_FILES} recorded calls");
                    return Err(fault(&self.0, what, "delete what is no longer needed, or name another folder"));
                }
                let (key, tape) = read(&file, &shared)?;
                tapes.push((prompt.clone(), key, tape));
            }
        }
        Ok(tapes)
    }

    /// What requests have in common, by name.
    fn shared(&self) -> Result<BTreeMap<String, Value>, Fault> {
        let folder = self.0.join(SHARED);
        if !folder.is_dir() {
            return Ok(BTreeMap::new());
        }
        let files = entries(&folder)?.into_iter().filter(|file| is_json(file)).take(MOST_FILES);
        let read = |file: PathBuf| {
            let part = parse(&file, &bytes(&file)?, "no part of a recorded call")?;
            Ok((file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), part))
        };
        files.map(read).collect()
    }

    /// Replaces the tape's file.
    pub(super) fn write(&self, prompt: &str, key: &Key, tape: &Tape) -> Result<(), Fault> {
        let mut request = tape.request.value();
        for part in common(&mut request) {
            if part.to_string().len() < WORTH_SHARING {
                continue;
            }
            let name = hex(&Sha256::digest(canonical(part).as_bytes()))[..NAME_DIGITS].to_owned();
            let file = self.0.join(SHARED).join(format!("{name}.json"));
            if !file.exists() {
                put(&file, part)?;
            }
            *part = json!({ NAMED: name });
        }
        let file = File { format: FORMAT.to_owned(), key: key.clone(), request, takes: tape.takes.clone() };
        put(&self.0.join(name(prompt, key)), &file)
    }
}

/// The parts of a request that others have, too.
fn common(request: &mut Value) -> Vec<&mut Value> {
    let Value::Object(request) = request else { return Vec::new() };
    let mut parts = Vec::new();
    for (field, value) in request {
        match (field.as_str(), value) {
            ("messages", Value::Array(messages)) => {
                let instructions = messages.iter_mut().filter(|message| message["role"] == "system");
                parts.extend(instructions.filter_map(|message| message.get_mut("content")));
            }
            ("output", output) => parts.extend(output.get_mut("schema")),
            ("tools", tools) => parts.push(tools),
            _ => {}
        }
    }
    parts
}

/// Writes a file whole: whoever reads it finds the old one or the new one.
fn put(path: &Path, content: &impl Serialize) -> Result<(), Fault> {
    // Two processes may record at once: each has files of its own until they are whole.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{}-{count}.part", std::process::id()));
    let write = || {
        let mut text = serde_json::to_string_pretty(content)?;
        text.push('\n');
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&unfinished, text)?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|error: std::io::Error| {
        let _ = fs::remove_file(&unfinished);
        fault(path, format!("it cannot be written ({})", error.kind()), "name a folder that can be written to")
    })
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "json")
}

fn fault(path: &Path, what: String, instead: &'static str) -> Fault {
    Fault { file: path.display().to_string(), what, instead }
}

fn unreadable(path: &Path, kind: ErrorKind) -> Fault {
    fault(path, format!("it cannot be read ({kind})"), "make it readable, or name another folder")
}

/// What stands in a folder, sorted.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Fault> {
    let listed = fs::read_dir(dir).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect());
    let mut entries: Vec<PathBuf> = listed.map_err(|error: std::io::Error| unreadable(dir, error.kind()))?;
    entries.sort_unstable();
    Ok(entries)
}

const ANEW: &str = "delete it and record it anew, or take it back from version control";

/// The content of a file that is not too large.
fn bytes(path: &Path) -> Result<Vec<u8>, Fault> {
    let size = fs::metadata(path).map_err(|error| unreadable(path, error.kind()))?.len();
    if size > LARGEST {
        return Err(fault(path, format!("it is larger than {LARGEST} bytes"), ANEW));
    }
    fs::read(path).map_err(|error| unreadable(path, error.kind()))
}

/// Only our own words are said: the parser's may quote what stands there.
fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8], what: &str) -> Result<T, Fault> {
    serde_json::from_slice(bytes)
        .map_err(|error| fault(path, format!("it is {what} (line {}, column {})", error.line(), error.column()), ANEW))
}

fn read(path: &Path, shared: &BTreeMap<String, Value>) -> Result<(Key, Tape), Fault> {
    let mut file: File = parse(path, &bytes(path)?, "no recorded call")?;
    if file.format != FORMAT {
        return Err(fault(path, format!("it is not of the form {FORMAT}"), ANEW));
    }
    for part in common(&mut file.request) {
        if let Some(name) = part.get(NAMED).and_then(Value::as_str) {
            let known = shared.get(name).cloned();
            *part = known.ok_or_else(|| fault(path, format!("a part of it is missing in {SHARED}"), ANEW))?;
        }
    }
    let request = serde_json::from_value::<Request>(file.request)
        .map_err(|_| fault(path, "its request is none of ours".to_owned(), ANEW))?;
    let named = path.file_stem().is_some_and(|stem| file.key.get(..NAME_DIGITS).is_some_and(|digits| stem == digits));
    if request.key() != file.key || !named {
        return Err(fault(
            path,
            "the request was changed: key, request and file name do not belong together".to_owned(),
            ANEW,
        ));
    }
    if file.takes.is_empty() {
        return Err(fault(path, "it holds no take".to_owned(), ANEW));
    }
    Ok((file.key, Tape { request, takes: file.takes }))
}
