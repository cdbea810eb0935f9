//! What goes over the wire: the request in async-openai's types, the answer in lenient ones of our own.
//!
//! Compatible servers leave out `created`, invent finish reasons, send `null` for a list, a number for a code, an object
//! for a tool's arguments. What we do not need is not read; what we need is read in every form that was seen. What an
//! answer holds is data: it is copied, never looked into.

use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage, ChatCompletionRequestToolMessage,
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, ChatCompletionTool, ChatCompletionTools,
    CreateChatCompletionRequest, FunctionCall, FunctionObject, ResponseFormat, ResponseFormatJsonSchema,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::refusal::ErrorObject;
use crate::model::chat::{ChatRequest, Finish, Message, OutputForm, OutputMode, Tool, ToolCall, Usage};
use crate::model::count;
use crate::model::masking::Masked;

/// Most tool calls in one answer; an address that sends more sends nonsense.
const MAX_TOOL_CALLS: usize = 128;
/// Longest word that is kept of a finish reason or a model's name, characters.
const MAX_WORD: usize = 64;
/// More tokens than any model reads or writes in one answer.
const MOST_TOKENS: u64 = 16_000_000;

/// What an address was found not to take. Everything is taken until it was refused once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Habits {
    /// No `stream`: it answers in one piece.
    pub(super) whole_answers: bool,
    /// No `stream_options`: it tells no usage in a stream.
    pub(super) no_stream_options: bool,
    /// `max_completion_tokens` in the place of `max_tokens`.
    pub(super) completion_tokens: bool,
    /// No `temperature`: it has its own.
    pub(super) no_temperature: bool,
    /// No `seed`.
    pub(super) no_seed: bool,
}

impl Habits {
    /// With the parameter that was refused left out; none when it was not sent or cannot be left out.
    pub(super) fn without(self, parameter: &str) -> Option<Self> {
        let changed = match parameter {
            "stream" => Self { whole_answers: true, ..self },
            "stream_options" if !self.whole_answers => Self { no_stream_options: true, ..self },
            "max_tokens" => Self { completion_tokens: true, ..self },
            "temperature" => Self { no_temperature: true, ..self },
            "seed" => Self { no_seed: true, ..self },
            _ => return None,
        };
        (changed != self).then_some(changed)
    }
}

/// The body of a request.
pub(super) fn body(request: &ChatRequest, model: &str, habits: Habits) -> Vec<u8> {
    let sampling = request.sampling;
    let limit = |asked| (habits.completion_tokens == asked).then_some(sampling.max_tokens);
    let streams = !habits.whole_answers;
    let options = ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None };
    #[expect(deprecated, reason = "`max_tokens` and `seed` are the names that every compatible server knows")]
    let body = CreateChatCompletionRequest {
        model: model.to_owned(),
        messages: request.messages.iter().map(message).collect(),
        tools: (!request.tools.is_empty()).then(|| request.tools.iter().map(tool).collect()),
        response_format: request.output.as_ref().and_then(response_format),
        temperature: (!habits.no_temperature).then_some(sampling.temperature),
        max_tokens: limit(false),
        max_completion_tokens: limit(true),
        seed: sampling.seed.filter(|_| !habits.no_seed),
        stream: Some(streams),
        stream_options: (streams && !habits.no_stream_options).then_some(options),
        ..CreateChatCompletionRequest::default()
    };
    // Types of strings, numbers and JSON values: they can always be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

fn message(message: &Message) -> ChatCompletionRequestMessage {
    match message {
        Message::System(text) => ChatCompletionRequestSystemMessage::from(text.as_str()).into(),
        Message::User(text) => ChatCompletionRequestUserMessage::from(text.as_str()).into(),
        Message::Assistant { content, tool_calls } => {
            // Without words and without tools the words are empty: a message must have one of them.
            let words = content.as_ref().map(Masked::as_str);
            let words = if tool_calls.is_empty() { Some(words.unwrap_or_default()) } else { words };
            ChatCompletionRequestAssistantMessage {
                content: words.map(Into::into),
                tool_calls: (!tool_calls.is_empty()).then(|| tool_calls.iter().map(asked).collect()),
                ..ChatCompletionRequestAssistantMessage::default()
            }
            .into()
        }
        Message::Tool { call_id, content } => {
            ChatCompletionRequestToolMessage { content: content.as_str().into(), tool_call_id: call_id.clone() }.into()
        }
    }
}

fn asked(call: &ToolCall) -> ChatCompletionMessageToolCalls {
    let function = FunctionCall { name: call.name.clone(), arguments: call.arguments.clone() };
    ChatCompletionMessageToolCall { id: call.id.clone(), function }.into()
}

fn tool(tool: &Tool) -> ChatCompletionTools {
    ChatCompletionTools::Function(ChatCompletionTool {
        function: FunctionObject {
            name: tool.name.clone(),
            description: Some(tool.description.clone()),
            parameters: Some(tool.parameters.clone()),
            strict: Some(true),
        },
    })
}

fn response_format(form: &OutputForm) -> Option<ResponseFormat> {
    match form.mode {
        OutputMode::JsonSchema => Some(ResponseFormat::JsonSchema {
            json_schema: ResponseFormatJsonSchema {
                description: None,
                name: form.name.clone(),
                schema: form.schema.clone(),
                strict: Some(true),
            },
        }),
        OutputMode::JsonObject => Some(ResponseFormat::JsonObject),
        OutputMode::Text => None,
    }
}

/// A whole answer, or a piece of a streamed one: they differ in `message` and `delta` only.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Piece {
    #[serde(deserialize_with = "if_it_fits")]
    model: Option<String>,
    #[serde(deserialize_with = "or_default")]
    choices: Vec<Choice>,
    #[serde(deserialize_with = "if_it_fits")]
    usage: Option<WireUsage>,
    /// An error in the place of an answer, under status 200 or in the middle of a stream.
    #[serde(deserialize_with = "if_it_fits")]
    pub(super) error: Option<ErrorObject>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    #[serde(deserialize_with = "or_default")]
    index: u64,
    delta: Option<Words>,
    message: Option<Words>,
    #[serde(deserialize_with = "if_it_fits")]
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Words {
    content: Option<Content>,
    #[serde(deserialize_with = "if_it_fits")]
    refusal: Option<String>,
    #[serde(deserialize_with = "or_default")]
    tool_calls: Vec<CallPiece>,
}

/// Words as a text or as a list of parts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(deserialize_with = "or_default")]
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CallPiece {
    #[serde(deserialize_with = "if_it_fits")]
    index: Option<u64>,
    #[serde(deserialize_with = "if_it_fits")]
    id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    function: FunctionPiece,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FunctionPiece {
    #[serde(deserialize_with = "or_default")]
    name: String,
    arguments: Value,
}

#[derive(Debug, Deserialize)]
struct WireUsage {
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default, deserialize_with = "if_it_fits")]
    prompt_tokens_details: Option<PromptDetails>,
}

impl WireUsage {
    /// Zero tokens read is what servers write that do not count; a number beyond all measure is nonsense.
    fn can_be(&self) -> bool {
        (1..=MOST_TOKENS).contains(&self.prompt_tokens) && self.completion_tokens <= MOST_TOKENS
    }
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

/// `null` is the default.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What has another form is passed over.
fn if_it_fits<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

/// An answer as it comes together.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    content: Option<String>,
    refusal: Option<String>,
    calls: Vec<(Option<u64>, ToolCall)>,
    finish: Option<String>,
    usage: Option<Usage>,
    model: Option<String>,
    /// Whether any choice came.
    pub(super) begun: bool,
}

/// More than one answer can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Gathered {
    /// Takes the next piece. Of several choices the first one counts: no more were asked for.
    pub(super) fn take(&mut self, piece: Piece) -> Result<(), TooMuch> {
        if self.model.is_none() {
            self.model = piece.model.filter(|name| !name.is_empty()).map(word);
        }
        if let Some(usage) = piece.usage.filter(WireUsage::can_be) {
            let cached = usage.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0);
            self.usage = Some(Usage {
                input: usage.prompt_tokens,
                cached: cached.min(usage.prompt_tokens),
                output: usage.completion_tokens,
                estimated: false,
            });
        }
        for choice in piece.choices.into_iter().filter(|choice| choice.index == 0) {
            self.begun = true;
            self.finish = choice.finish_reason.map(word).or_else(|| self.finish.take());
            let Some(words) = choice.delta.or(choice.message) else { continue };
            match words.content {
                Some(Content::Text(text)) => self.content.get_or_insert_default().push_str(&text),
                Some(Content::Parts(parts)) => {
                    let content = self.content.get_or_insert_default();
                    content.extend(parts.into_iter().map(|part| part.text));
                }
                None => {}
            }
            if let Some(refusal) = words.refusal {
                self.refusal.get_or_insert_default().push_str(&refusal);
            }
            for (nth, call) in words.tool_calls.into_iter().enumerate() {
                self.take_call(nth, call)?;
            }
        }
        Ok(())
    }

    /// A piece belongs to the call of its index. Without one it continues the last call, unless it brings an id or
    /// stands further on in a list: then it is the next.
    fn take_call(&mut self, nth: usize, piece: CallPiece) -> Result<(), TooMuch> {
        let known = match piece.index {
            Some(index) => self.calls.iter().position(|(of, _)| *of == Some(index)),
            None if piece.id.is_some() || nth > 0 => None,
            None => self.calls.len().checked_sub(1),
        };
        let position = match known {
            Some(position) => position,
            None if self.calls.len() == MAX_TOOL_CALLS => return Err(TooMuch),
            None => {
                let call = ToolCall { id: String::new(), name: String::new(), arguments: String::new() };
                self.calls.push((piece.index, call));
                self.calls.len() - 1
            }
        };
        let call = &mut self.calls[position].1;
        if let Some(id) = piece.id.filter(|id| !id.is_empty()) {
            call.id = id;
        }
        // Some servers say the whole name with every piece.
        if call.name != piece.function.name {
            call.name.push_str(&piece.function.name);
        }
        match piece.function.arguments {
            Value::Null => {}
            Value::String(text) => call.arguments.push_str(&text),
            other => call.arguments.push_str(&other.to_string()),
        }
        Ok(())
    }

    /// Whether the address said why the answer ended.
    pub(super) const fn finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether the address said what the answer took.
    pub(super) const fn counted(&self) -> bool {
        self.usage.is_some()
    }

    /// What came together. What it took is estimated for this model where the address did not say.
    pub(super) fn into_parts(self, request: &ChatRequest, model: &str) -> Parts {
        let tool_calls: Vec<_> = self
            .calls
            .into_iter()
            .enumerate()
            .map(|(nth, (_, call))| {
                // A result is sent back under the call's id: it must have one.
                let id = if call.id.is_empty() { format!("call_{nth}") } else { call.id };
                ToolCall { id, ..call }
            })
            .collect();
        let usage = self.usage.unwrap_or_else(|| {
            let words = [&self.content, &self.refusal].into_iter().flatten();
            let calls = tool_calls.iter().flat_map(|call| [&call.name, &call.arguments]);
            let output = words.chain(calls).map(|text| count::tokens(text)).sum();
            let input = count::request(&request.messages, &request.tools);
            let [input, output] = [input, output].map(|counted| count::for_model(counted, model));
            Usage { input, cached: 0, output, estimated: true }
        });
        Parts {
            finish: finish(self.finish, !tool_calls.is_empty()),
            content: self.content,
            refusal: self.refusal.filter(|refusal| !refusal.is_empty()),
            tool_calls,
            usage,
            model: self.model,
        }
    }
}

/// An answer without what only the sender of the request knows.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) content: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) finish: Finish,
    pub(super) usage: Usage,
    pub(super) model: Option<String>,
}

/// Some servers say `stop` though they ask for tools.
fn finish(reason: Option<String>, asks_for_tools: bool) -> Finish {
    match reason.as_deref() {
        Some("stop") if asks_for_tools => Finish::ToolCalls,
        Some("stop") => Finish::Stop,
        Some("length") => Finish::Length,
        Some("tool_calls" | "function_call") => Finish::ToolCalls,
        Some("content_filter") => Finish::ContentFilter,
        Some(_) | None => Finish::Other(reason.unwrap_or_else(|| "none".to_owned())),
    }
}

/// A stranger's word, bounded.
fn word(text: String) -> String {
    if text.chars().nth(MAX_WORD).is_some() { text.chars().take(MAX_WORD).collect() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::chat::{Purpose, Sampling};

    fn request() -> ChatRequest {
        ChatRequest {
            purpose: Purpose {
                municipality: "harjuvesi".parse().unwrap(),
                case: None,
                step: "compose",
                prompt: "compose-decision@1".to_owned(),
                prompt_hash: String::new(),
            },
            messages: vec![
                Message::System(Masked::public("Olet avustaja.")),
                Message::User(Masked::public("Mitä sääntö sanoo?")),
                Message::Assistant {
                    content: None,
                    tool_calls: vec![ToolCall {
                        id: "call_1".to_owned(),
                        name: "read_section".to_owned(),
                        arguments: r#"{"section":"s3"}"#.to_owned(),
                    }],
                },
                Message::Tool { call_id: "call_1".to_owned(), content: Masked::public("3 § Tuettava tie") },
            ],
            tools: vec![Tool {
                name: "read_section".to_owned(),
                description: "Reads a section.".to_owned(),
                parameters: json!({"type": "object"}),
            }],
            output: Some(OutputForm {
                name: "answer".to_owned(),
                mode: OutputMode::JsonSchema,
                schema: json!({"type": "object"}),
            }),
            sampling: Sampling { temperature: 0.2, max_tokens: 300, seed: Some(7) },
        }
    }

    fn sent(request: &ChatRequest, habits: Habits) -> Value {
        serde_json::from_slice(&body(request, "gpt-4.1-mini", habits)).unwrap()
    }

    #[test]
    fn a_request_says_all_that_was_asked_and_nothing_of_its_purpose() {
        let text = String::from_utf8(body(&request(), "gpt-4.1-mini", Habits::default())).unwrap();
        assert!(!text.contains("harjuvesi") && !text.contains("compose-decision"), "{text}");
        let call = json!({"id": "call_1", "type": "function",
            "function": {"name": "read_section", "arguments": r#"{"section":"s3"}"#}});
        let expected = json!({
            "model": "gpt-4.1-mini",
            "messages": [
                {"role": "system", "content": "Olet avustaja."},
                {"role": "user", "content": "Mitä sääntö sanoo?"},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": "3 § Tuettava tie"},
            ],
            "tools": [{"type": "function", "function": {"name": "read_section", "description": "Reads a section.",
                "parameters": {"type": "object"}, "strict": true}}],
            "response_format": {"type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}},
            "temperature": 0.2, "max_tokens": 300, "seed": 7,
            "stream": true, "stream_options": {"include_usage": true},
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn what_an_address_does_not_take_is_left_out() {
        let mut habits = Habits::default();
        for parameter in ["stream_options", "max_tokens", "temperature", "seed", "stream"] {
            habits = habits.without(parameter).expect(parameter);
            assert_eq!(habits.without(parameter), None, "{parameter} is not sent any more");
        }
        assert_eq!(Habits::default().without("response_format"), None);
        let sent = sent(&request(), habits);
        assert_eq!(sent["max_completion_tokens"], 300);
        assert_eq!(sent["stream"], false);
        for left_out in ["max_tokens", "stream_options", "temperature", "seed"] {
            assert_eq!(sent.get(left_out), None, "{left_out}");
        }
    }

    #[test]
    fn a_form_is_asked_for_in_its_mode() {
        let mut request = request();
        let mut format = |mode| {
            request.output.as_mut().unwrap().mode = mode;
            sent(&request, Habits::default())["response_format"].clone()
        };
        assert_eq!(format(OutputMode::JsonObject), json!({"type": "json_object"}));
        assert_eq!(format(OutputMode::Text), Value::Null);
    }

    fn gathered(pieces: &[Value]) -> Parts {
        let mut gathered = Gathered::default();
        for piece in pieces {
            gathered.take(serde_json::from_value(piece.clone()).expect("a lenient piece")).expect("not too much");
        }
        gathered.into_parts(&request(), "gpt-4.1-mini")
    }

    #[test]
    fn pieces_come_together() {
        let parts = gathered(&[
            json!({"model": "gpt", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
            json!({"choices": [{"index": 0, "delta": {"content": "Hyvää "}, "finish_reason": null}]}),
            json!({"choices": [{"index": 1, "delta": {"content": "another choice"}}]}),
            json!({"choices": [{"index": 0, "delta": {"content": "päivää"}}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 4,
                   "prompt_tokens_details": {"cached_tokens": 20}}}),
        ]);
        assert_eq!(parts.content.as_deref(), Some("Hyvää päivää"));
        assert_eq!((parts.finish, parts.model.as_deref()), (Finish::Stop, Some("gpt")));
        assert_eq!(parts.usage, Usage { input: 30, cached: 20, output: 4, estimated: false });
    }

    #[test]
    fn numbers_that_no_answer_can_take_are_estimated() {
        for (read, written) in [(u64::MAX, 1), (40, u64::MAX), (MOST_TOKENS + 1, 1)] {
            let parts = gathered(&[json!({"choices": [{"message": {"content": "ok"}}],
                "usage": {"prompt_tokens": read, "completion_tokens": written}})]);
            assert!(parts.usage.estimated && parts.usage.total() < 1_000, "{:?}", parts.usage);
        }
    }

    #[test]
    fn tool_calls_come_in_pieces_in_many_ways() {
        let call = |piece: Value| json!({"choices": [{"delta": {"tool_calls": piece}}]});
        let expected = [("a", "search", r#"{"q":1}"#), ("b", "read", r#"{"s":2}"#)];
        for pieces in [
            // As OpenAI does, interleaved.
            vec![
                json!([{"index": 0, "id": "a", "function": {"name": "search", "arguments": ""}}]),
                json!([{"index": 1, "id": "b", "function": {"name": "read", "arguments": "{\"s\""}}]),
                json!([{"index": 0, "function": {"arguments": "{\"q\":1}"}}]),
                json!([{"index": 1, "function": {"arguments": ":2}"}}]),
            ],
            // Without an index; the name with every piece.
            vec![
                json!([{"id": "a", "function": {"name": "search", "arguments": "{\"q\""}}]),
                json!([{"function": {"name": "search", "arguments": ":1}"}}]),
                json!([{"id": "b", "function": {"name": "read", "arguments": "{\"s\":2}"}}]),
            ],
            // At once, the arguments as objects.
            vec![json!([{"id": "a", "function": {"name": "search", "arguments": {"q": 1}}},
                        {"id": "b", "function": {"name": "read", "arguments": {"s": 2}}}])],
        ] {
            let parts = gathered(&pieces.iter().cloned().map(call).collect::<Vec<_>>());
            let calls: Vec<_> =
                parts.tool_calls.iter().map(|call| (&call.id[..], &call.name[..], &call.arguments[..])).collect();
            assert_eq!(calls, expected, "{pieces:?}");
        }
    }

    #[test]
    fn a_call_without_an_id_gets_one_and_stop_with_calls_asks_for_tools() {
        let parts = gathered(&[json!({"choices": [{"message": {"content": null, "tool_calls":
            [{"function": {"name": "search", "arguments": "{}"}}, {"function": {"name": "read"}}]},
            "finish_reason": "stop"}]})]);
        assert_eq!(parts.tool_calls.iter().map(|call| &call.id[..]).collect::<Vec<_>>(), ["call_0", "call_1"]);
        assert_eq!((parts.finish, parts.content), (Finish::ToolCalls, None));
    }

    #[test]
    fn what_servers_leave_out_or_write_otherwise_is_read() {
        for piece in [
            json!({"choices": [{"message": {"content": "ok"}}]}),
            json!({"choices": [{"delta": {"content": "ok", "tool_calls": null, "refusal": null}}], "usage": null}),
            json!({"choices": [{"message": {"content": [{"type": "text", "text": "o"}, {"type": "text", "text": "k"}]}}]}),
            json!({"choices": [{"index": null, "delta": null, "message": {"content": "ok"}}], "model": null, "usage": 7}),
            json!({"choices": [{"message": {"content": "ok"}}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
            json!({"choices": [{"message": {"content": "ok"}, "finish_reason": 3}], "error": null, "created": "now"}),
        ] {
            let parts = gathered(std::slice::from_ref(&piece));
            assert_eq!(parts.content.as_deref(), Some("ok"), "{piece}");
            assert_eq!(parts.finish, Finish::Other("none".to_owned()), "{piece}");
            assert!(parts.usage.estimated && parts.usage.output == 1 && parts.usage.input > 5, "{piece}");
        }
    }

    #[test]
    fn endings_are_told_apart() {
        let end = |reason: &str| gathered(&[json!({"choices": [{"delta": {}, "finish_reason": reason}]})]).finish;
        assert_eq!(end("length"), Finish::Length);
        assert_eq!(end("content_filter"), Finish::ContentFilter);
        assert_eq!(end("function_call"), Finish::ToolCalls);
        assert_eq!(end("eos"), Finish::Other("eos".to_owned()));
        assert_eq!(end(&"é".repeat(500)), Finish::Other("é".repeat(MAX_WORD)));
        let refusal = gathered(&[
            json!({"choices": [{"delta": {"refusal": "I am "}}]}),
            json!({"choices": [{"delta": {"refusal": "sorry"}, "finish_reason": "stop"}]}),
        ]);
        assert_eq!((refusal.refusal.as_deref(), refusal.content), (Some("I am sorry"), None));
    }

    #[test]
    fn calls_without_end_are_too_much() {
        let piece = json!({"choices": [{"delta": {"tool_calls": vec![json!({"id": "x"}); MAX_TOOL_CALLS + 1]}}]});
        assert_eq!(Gathered::default().take(serde_json::from_value(piece).unwrap()), Err(TooMuch));
    }

    proptest! {
        #[test]
        fn any_json_is_taken_or_refused(text in r#"\{("choices|error|usage|model":(null|3|"x"|\[\{"delta":\{("content":("a"|3|null))?\}\}\])(,)?){0,4}\}"#) {
            if let Ok(piece) = serde_json::from_str::<Piece>(&text) {
                let mut gathered = Gathered::default();
                let _ = gathered.take(piece);
                let _ = gathered.into_parts(&request(), "m");
            }
        }
    }
}
