//! Asking a model for an answer with a form.
//!
//! Not every address can hold an answer to a schema. So the strictest way is tried first, and a refused one is followed
//! by the next: strict schema, JSON mode, plain words; what an address takes time and again is remembered ([`Modes`]). Every answer is
//! held to the schema here, whatever the address promised, and sent back once when it does not hold. Errors say what
//! kind of fault it was and where in the form; no content leaves this file in an error.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::answers::Answer;
use super::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, OutputForm, OutputMode, ToolCall};
use super::masking::Masked;
use super::schema;
use crate::config::Structured;

/// Longest answer that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// Most of a faulty answer that goes back to the model, in bytes.
const SENT_BACK: usize = 16 * 1024;

/// So many times in a row an address shows that it does not hold to a strict schema before it is believed: a refusal may
/// have been another address's, and a faulty answer chance.
const SIGNS: u32 = 3;

/// Most places in an answer at which its JSON is looked for.
const PLACES: usize = 16;

/// A value with the calls that it took.
pub struct Asked<T> {
    /// What was answered.
    pub value: T,
    /// Every answer that came, for the accounts.
    pub answers: Vec<ChatAnswer>,
    /// The conversation with the answer at its end, for whoever goes on with it.
    pub conversation: Vec<Message>,
}

/// What a model does on its turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn<T> {
    /// It answers.
    Answer(T),
    /// It asks for tools first.
    Tools(Vec<ToolCall>),
}

/// There is no usable answer.
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("{why}")]
pub struct AskError {
    /// Why not.
    pub why: Unusable,
    /// Every answer that came all the same, for the accounts.
    pub answers: Vec<ChatAnswer>,
}

/// Why there is no usable answer. Never any content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The call failed.
    #[error(transparent)]
    Chat(#[from] ChatError),
    /// The model refused to answer.
    #[error("the model refuses to answer")]
    Refused,
    /// The provider's filter stopped the request or the answer.
    #[error("a filter at the model's provider stopped the answer")]
    Filtered,
    /// The answer was cut off at the most tokens.
    #[error("the model's answer is cut off at its most tokens")]
    Truncated,
    /// There was nothing in the answer.
    #[error("the model's answer is empty")]
    Empty,
    /// There is no JSON object in the answer.
    #[error("the model's answer is no JSON")]
    Malformed,
    /// The answer has another form.
    #[error("the model's answer has another form: {0}")]
    WrongSchema(FormFault),
}

/// Where an answer leaves its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFault {
    /// The place, as a JSON pointer; empty for the whole.
    pub place: String,
    /// What does not hold there: a keyword of JSON Schema, and the name of a property that is missing.
    pub what: String,
}

impl fmt::Display for FormFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at `{}`", self.what, if self.place.is_empty() { "/" } else { &self.place })
    }
}

impl Unusable {
    /// One word for accounts and metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Chat(error) => error.kind(),
            Self::Refused => "refusal",
            Self::Filtered => "content_filter",
            Self::Truncated => "length",
            Self::Empty => "empty",
            Self::Malformed => "malformed_answer",
            Self::WrongSchema(_) => "wrong_schema",
        }
    }
}

impl<T> fmt::Debug for Asked<T> {
    /// Without content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("answers", &self.answers.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for AskError {
    /// Without content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskError").field("why", &self.why).field("answers", &self.answers.len()).finish()
    }
}

/// What each address takes; shared by all who ask.
#[derive(Debug, Clone)]
pub struct Modes {
    forced: Option<OutputMode>,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The strictest way that each address takes, by its name.
    of: BTreeMap<String, OutputMode>,
    /// How often in a row each address showed that it takes less.
    signs: BTreeMap<String, u32>,
    /// The address that answered last: most likely it answers next.
    last: Option<String>,
}

impl Modes {
    /// Nothing known yet.
    #[must_use]
    pub fn new(setting: Structured) -> Self {
        let forced = match setting {
            Structured::Auto => None,
            Structured::JsonSchema => Some(OutputMode::JsonSchema),
            Structured::JsonObject => Some(OutputMode::JsonObject),
            Structured::Text => Some(OutputMode::Text),
        };
        Self { forced, known: Arc::default() }
    }

    /// The way to ask first, and those to try when it is refused.
    fn ladder(&self) -> &'static [OutputMode] {
        const ALL: [OutputMode; 3] = [OutputMode::JsonSchema, OutputMode::JsonObject, OutputMode::Text];
        let rung = |mode| ALL.iter().position(|known| *known == mode).unwrap_or_default();
        if let Some(forced) = self.forced {
            return &ALL[rung(forced)..=rung(forced)];
        }
        let known = self.known();
        let first = known.last.as_ref().and_then(|endpoint| known.of.get(endpoint)).copied();
        &ALL[first.map_or(0, rung)..]
    }

    /// The way that the address which answered last is asked.
    #[must_use]
    pub fn current(&self) -> OutputMode {
        self.ladder().first().copied().unwrap_or(OutputMode::Text)
    }

    /// An address answered when it was asked like this; `after_refusal`: because a stricter way was refused.
    fn answered(&self, endpoint: &str, mode: OutputMode, after_refusal: bool) {
        self.known().last = Some(endpoint.to_owned());
        if after_refusal {
            self.sign(endpoint, mode);
        }
    }

    /// An address held to the strict schema.
    fn held(&self, endpoint: &str) {
        let mut known = self.known();
        known.signs.remove(endpoint);
        known.of.insert(endpoint.to_owned(), OutputMode::JsonSchema);
    }

    /// An address seems to take no more than `mode`.
    fn sign(&self, endpoint: &str, mode: OutputMode) {
        let mut known = self.known();
        let signs = known.signs.entry(endpoint.to_owned()).or_default();
        *signs += 1;
        if *signs >= SIGNS {
            known.signs.remove(endpoint);
            known.of.insert(endpoint.to_owned(), mode);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is half remembered is learned anew.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for an answer of the form `T`. No tools are offered.
///
/// # Errors
/// When no usable answer comes, after one repair where that may help.
pub async fn ask<T: Answer>(model: &dyn ChatModel, request: ChatRequest, known: &Modes) -> Result<Asked<T>, AskError> {
    let asked = turn::<T>(model, ChatRequest { tools: Vec::new(), ..request }, known).await?;
    match asked.value {
        Turn::Answer(value) => Ok(Asked { value, answers: asked.answers, conversation: asked.conversation }),
        Turn::Tools(_) => Err(AskError { why: Unusable::Malformed, answers: asked.answers }),
    }
}

/// One turn of a model that may ask for the tools of the request before it answers in the form `T`.
///
/// # Errors
/// When no usable answer comes, after one repair where that may help.
pub async fn turn<T: Answer>(
    model: &dyn ChatModel,
    request: ChatRequest,
    known: &Modes,
) -> Result<Asked<Turn<T>>, AskError> {
    let form = Form::of::<T>();
    let mut answers = Vec::new();
    match form.turn(model, request, known, &mut answers).await {
        Ok((value, conversation)) => Ok(Asked { value, answers, conversation }),
        Err(why) => Err(AskError { why, answers }),
    }
}

/// A form, as it is sent and as answers are held to it.
struct Form {
    name: &'static str,
    strict: Value,
    full: Value,
}

impl Form {
    fn of<T: Answer>() -> Self {
        Self { name: T::NAME, strict: schema::strict::<T>(), full: schema::full::<T>() }
    }

    async fn turn<T: Answer>(
        &self,
        model: &dyn ChatModel,
        request: ChatRequest,
        known: &Modes,
        answers: &mut Vec<ChatAnswer>,
    ) -> Result<(Turn<T>, Vec<Message>), Unusable> {
        let (answer, mode) = self.climb_down(model, &request, known).await?;
        answers.push(answer.clone());
        let strict = mode == OutputMode::JsonSchema;
        let why = match self.judge(&answer, &request) {
            Ok(turn) => {
                if strict && matches!(turn, Turn::Answer(_)) {
                    known.held(&answer.endpoint);
                }
                return Ok((turn, and_answer(request.messages, &answer)));
            }
            Err(why) => why,
        };
        let Some(again) = repair(&request, &answer, &why) else { return Err(why) };
        let mut mode = mode;
        if strict && why.shows_no_strictness() {
            known.sign(&answer.endpoint, OutputMode::JsonObject);
            // Now the prompt tells the form, too.
            mode = known.forced.unwrap_or(OutputMode::JsonObject);
        }
        let again = self.shaped(&again, mode);
        let second = model.chat(&again).await?;
        answers.push(second.clone());
        let turn = self.judge(&second, &request)?;
        Ok((turn, and_answer(request.messages, &second)))
    }

    /// The first answer, in the strictest way that is not refused.
    async fn climb_down(
        &self,
        model: &dyn ChatModel,
        request: &ChatRequest,
        known: &Modes,
    ) -> Result<(ChatAnswer, OutputMode), Unusable> {
        let ladder = known.ladder();
        for (rung, mode) in ladder.iter().copied().enumerate() {
            match model.chat(&self.shaped(request, mode)).await {
                Ok(answer) => {
                    known.answered(&answer.endpoint, mode, rung > 0);
                    return Ok((answer, mode));
                }
                Err(error) if is_filter(&error) => return Err(Unusable::Filtered),
                Err(error) if may_be_the_form(&error) && rung + 1 < ladder.len() => {}
                Err(error) => return Err(error.into()),
            }
        }
        // The ladder has a rung; each returns or goes on to the next.
        Err(Unusable::Malformed)
    }

    /// A request that asks for the form in one way. Where the address does not enforce it, it stands at the end of the
    /// system part: after what is the same in every case, and the same in every case itself.
    fn shaped(&self, request: &ChatRequest, mode: OutputMode) -> ChatRequest {
        let mut request = request.clone();
        request.output = Some(OutputForm { name: self.name.to_owned(), mode, schema: self.strict.clone() });
        if mode != OutputMode::JsonSchema {
            let hint = Masked::public(format!(
                "Answer with one JSON object that fits this JSON Schema, and with nothing before or after it:\n{}",
                self.strict
            ));
            match request.messages.first_mut() {
                Some(Message::System(words)) => *words = Masked::join(&[words.clone(), hint], "\n\n"),
                _ => request.messages.insert(0, Message::System(hint)),
            }
        }
        request
    }

    fn judge<T: Answer>(&self, answer: &ChatAnswer, request: &ChatRequest) -> Result<Turn<T>, Unusable> {
        if answer.refusal.as_ref().is_some_and(|words| !words.trim().is_empty()) {
            return Err(Unusable::Refused);
        }
        match answer.finish {
            Finish::ContentFilter => return Err(Unusable::Filtered),
            Finish::Length => return Err(Unusable::Truncated),
            Finish::Stop | Finish::ToolCalls | Finish::Other(_) => {}
        }
        if !answer.tool_calls.is_empty() && !request.tools.is_empty() {
            return Ok(Turn::Tools(answer.tool_calls.clone()));
        }
        let words =
            answer.content.as_deref().map(str::trim).filter(|words| !words.is_empty()).ok_or(Unusable::Empty)?;
        self.read(words).map(Turn::Answer)
    }

    /// The last object in the words that has the form (a model that thinks aloud answers last); else what is wrong with
    /// the last one.
    fn read<T: Answer>(&self, words: &str) -> Result<T, Unusable> {
        // The schema is our own: it compiles, and a test holds that.
        let validator = jsonschema::validator_for(&self.full).map_err(|_| Unusable::Malformed)?;
        let mut last = None;
        for object in objects(words).into_iter().rev() {
            let fault = match validator.validate(&object) {
                Ok(()) => match serde_json::from_value(object) {
                    Ok(value) => return Ok(value),
                    Err(_) => FormFault { place: String::new(), what: "type".to_owned() },
                },
                Err(error) => FormFault {
                    place: error.instance_path().as_str().to_owned(),
                    what: match error.kind() {
                        ValidationErrorKind::Required { property } => {
                            format!("required: {}", property.as_str().unwrap_or_default())
                        }
                        kind => kind.keyword().to_owned(),
                    },
                },
            };
            last.get_or_insert(fault);
        }
        Err(last.map_or(Unusable::Malformed, Unusable::WrongSchema))
    }
}

impl Unusable {
    /// Whether an address that enforces a strict schema could not have given this. Bounds are not in the strict schema.
    fn shows_no_strictness(&self) -> bool {
        match self {
            Self::Malformed => true,
            Self::WrongSchema(fault) => !["maxItems", "maxLength", "maximum", "minimum"].contains(&fault.what.as_str()),
            _ => false,
        }
    }
}

/// Whether an address may have refused a request because of the form that it was asked for.
const fn may_be_the_form(error: &ChatError) -> bool {
    matches!(error, ChatError::Refused { .. } | ChatError::Fault { status: 501, .. })
}

/// Whether a provider's filter stopped the request before there was an answer.
fn is_filter(error: &ChatError) -> bool {
    let ChatError::Refused { code: Some(code), .. } = error else { return false };
    let filters = ["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"];
    filters.iter().any(|filter| filter.eq_ignore_ascii_case(code))
}

/// The conversation with what the model said at its end.
fn and_answer(mut messages: Vec<Message>, answer: &ChatAnswer) -> Vec<Message> {
    messages.push(Message::Assistant {
        content: answer.content.as_deref().map(said),
        tool_calls: answer.tool_calls.clone(),
    });
    messages
}

/// What a model said. It saw masked texts only; identifiers that it made up are masked, too.
fn said(words: &str) -> Masked<String> {
    Masked::public(crate::text::mask(words))
}

/// The request that sends a faulty answer back, where that may help; an empty answer is asked for again as it was.
fn repair(request: &ChatRequest, answer: &ChatAnswer, why: &Unusable) -> Option<ChatRequest> {
    let wrong = match why {
        Unusable::Empty => return Some(request.clone()),
        Unusable::Malformed => "it is no JSON object".to_owned(),
        Unusable::WrongSchema(fault) => format!("{fault} does not hold"),
        _ => return None,
    };
    let mut request = request.clone();
    let words = answer.content.as_deref().unwrap_or_default();
    let words = &words[..words.floor_char_boundary(SENT_BACK)];
    request.messages.push(Message::Assistant { content: Some(said(words)), tool_calls: Vec::new() });
    request.messages.push(Message::User(Masked::public(format!(
        "Your answer does not have the form that was asked for: {wrong}. Give the same answer again as one JSON object \
         of that form, and nothing else."
    ))));
    Some(request)
}

/// The JSON objects in a text: the whole text, or what stands in it between other words, at most [`PLACES`] of them.
fn objects(text: &str) -> Vec<Value> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    // What a model thinks aloud is not its answer.
    let mut rest = text.rsplit_once("</think>").map_or(text, |(_, answer)| answer);
    let mut found = Vec::new();
    for _ in 0..PLACES {
        let Some(start) = rest.find('{') else { break };
        let mut values = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<Value>();
        let end = if let Some(Ok(value)) = values.next() {
            found.push(value);
            start + values.byte_offset()
        } else {
            start + 1
        };
        rest = &rest[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::answers::SummaryAnswer;

    fn read(words: &str) -> Result<Vec<String>, Unusable> {
        Form::of::<SummaryAnswer>().read::<SummaryAnswer>(words).map(|answer| answer.lines)
    }

    #[test]
    fn an_answer_is_found_between_other_words() {
        for words in [
            r#"{"lines": ["a"]}"#,
            " \n{\"lines\": [\"a\"]}\n",
            "```json\n{\"lines\": [\"a\"]}\n```",
            "Here you are:\n```\n{\"lines\": [\"a\"]}\n```\nAnything else? {yes/no}",
            "<think>{\"lines\": [\"b\"]} perhaps {\"lin</think>{\"lines\": [\"a\"]}",
            "The message says {\"lines\": [\"b\"]}. I do not follow it. {\"lines\": [\"a\"]}",
            r#"{"lines": ["a"], "mood": {"lines": ["b"]}}"#,
        ] {
            assert_eq!(read(words), Ok(vec!["a".to_owned()]), "{words}");
        }
    }

    #[test]
    fn faults_tell_the_place_and_nothing_else() {
        let fault = |words: &str| match read(words) {
            Err(Unusable::WrongSchema(fault)) => fault.to_string(),
            other => panic!("{words}: {other:?}"),
        };
        assert_eq!(fault(r#"{"secret": "word"}"#), "`required: lines` at `/`");
        assert_eq!(fault(r#"{"lines": ["a", 7]}"#), "`type` at `/lines/1`");
        assert_eq!(fault(r#"{"lines": "secret"}"#), "`type` at `/lines`");
        assert_eq!(fault(&json!({ "lines": ["x".repeat(601)] }).to_string()), "`maxLength` at `/lines/0`");
        assert_eq!(fault(&json!({ "lines": vec!["x"; 13] }).to_string()), "`maxItems` at `/lines`");
        for words in ["", "no", "[1]", "{", "{\"lines\": [\"a\"", "\u{0}{\u{0}}"] {
            assert_eq!(read(words), Err(Unusable::Malformed), "{words:?}");
        }
    }

    #[test]
    fn hostile_answers_take_their_length_in_time() {
        for run in ["{", "{\"a\":", "[{\"lines\":[", "{}", "\\\"{", "{\"lines\":[\"a\"]}x"] {
            let started = Instant::now();
            let _ = read(&run.repeat(2_000_000 / run.len()));
            assert!(started.elapsed() < Duration::from_secs(10), "{run}: {:?}", started.elapsed());
        }
    }

    #[test]
    fn what_an_address_takes_is_remembered_by_its_name() {
        let modes = Modes::new(Structured::Auto);
        assert_eq!(modes.ladder(), [OutputMode::JsonSchema, OutputMode::JsonObject, OutputMode::Text]);
        let thrice = |endpoint: &str, mode| (0..SIGNS).for_each(|_| modes.answered(endpoint, mode, true));
        // The first refuses the schema.
        thrice("primary", OutputMode::JsonObject);
        assert_eq!(modes.ladder(), [OutputMode::JsonObject, OutputMode::Text]);
        // The second answers a request that was made for the first: nothing is learned of it but that it answers.
        modes.answered("failover", OutputMode::JsonObject, false);
        assert_eq!(modes.current(), OutputMode::JsonSchema);
        // It refuses a request, and the first one is back and answers the next try: that is no sign of the first one's.
        modes.held("primary");
        modes.answered("primary", OutputMode::JsonObject, true);
        modes.held("primary");
        (1..SIGNS).for_each(|_| modes.answered("primary", OutputMode::JsonObject, true));
        assert_eq!(modes.current(), OutputMode::JsonSchema);
        modes.clone().answered("primary", OutputMode::JsonObject, true);
        assert_eq!(modes.current(), OutputMode::JsonObject);
        // An address was changed and takes less than it did.
        modes.answered("failover", OutputMode::JsonSchema, false);
        modes.held("failover");
        thrice("failover", OutputMode::Text);
        assert_eq!(modes.current(), OutputMode::Text);
    }

    #[test]
    fn a_setting_leaves_no_choice() {
        for (setting, mode) in [
            (Structured::JsonSchema, OutputMode::JsonSchema),
            (Structured::JsonObject, OutputMode::JsonObject),
            (Structured::Text, OutputMode::Text),
        ] {
            let modes = Modes::new(setting);
            (0..SIGNS).for_each(|_| modes.answered("primary", OutputMode::JsonObject, true));
            assert_eq!(modes.ladder(), [mode]);
        }
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange_to_be_read(words in "\\PC{0,80}|[{}\\[\\]\":,a1\\\\ ]{0,80}") {
            let _ = read(&words);
        }

        #[test]
        fn lines_survive_other_words(lines in proptest::collection::vec("\\PC{0,20}", 0..4), before in "[a-z .]{0,20}") {
            let words = format!("{before}\n{}\n", json!({ "lines": lines }));
            prop_assert_eq!(read(&words), Ok(lines));
        }
    }
}
