//! A language model that does what a story tells it: good answers, or every fault there is.
//!
//! In process, without a clock or a network. It keeps every request, so that a story can look for what must never be
//! sent. What it answers comes from the request alone.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
pub use vireille::evals::target::injection::seen::{Seen, calls, for_each_sentence, prompt_id, said, words_of};
use vireille::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, TimeLimit};

/// What the model does with one request.
#[derive(Debug, Clone)]
pub enum Turn {
    /// A sensible, valid answer made from what stands in the request.
    Good,
    /// First one call of each tool that is offered, then the good answer.
    Tools,
    /// This answer.
    Json(Value),
    /// A good answer with these fields in the place of its own.
    Says(Value),
    /// These words, whatever form was asked for.
    Text(String),
    /// A good answer with something changed.
    Changed(fn(&mut Value)),
    /// No answer.
    Fails(ChatError),
    /// Never ends; whoever asked must give up.
    Hangs,
    /// An answer without words.
    Empty,
    /// The model does not want to.
    Refuses,
    /// A good answer, cut off where the most tokens were reached.
    Truncated,
    /// Half a JSON object, said to be whole.
    Malformed,
    /// JSON of another form.
    WrongSchema,
    /// A section that does not exist, and one that exists with words that do not stand in it.
    InventedCitation,
    /// Numbers, days and sums from nowhere.
    InventedNumber,
    /// A good answer in a language that is not the letter's.
    WrongLanguage,
    /// Our own instructions, word for word.
    LeaksPrompt,
    /// A tool call, every time.
    EndlessTools,
    /// A tool that does not exist.
    UnknownTool,
    /// A tool that exists, with arguments that are no JSON and then of another form.
    BadArguments,
    /// An answer of some hundred thousand characters.
    Huge,
}

impl Turn {
    /// 429 with `Retry-After`.
    pub fn rate_limited() -> Self {
        Self::Fails(ChatError::RateLimited { retry_after: Some(Duration::from_secs(30)) })
    }

    /// A fault at the provider.
    pub fn fault() -> Self {
        Self::Fails(ChatError::Fault { status: 500, retry_after: None })
    }

    /// The connection broke off within the answer.
    pub fn cut() -> Self {
        Self::Fails(ChatError::Cut)
    }

    /// Silence within the answer, noticed by whoever asked.
    pub fn stalls() -> Self {
        Self::Fails(ChatError::Timeout(TimeLimit::Stall))
    }
}

/// A model that follows a script.
#[derive(Debug)]
pub struct ScriptedModel {
    /// Turns by prompt id (`classify`), the last of each is repeated.
    scripts: BTreeMap<String, Vec<Turn>>,
    /// For prompts without a script of their own.
    otherwise: Vec<Turn>,
    asked: Mutex<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    requests: Vec<ChatRequest>,
    /// How often each prompt was asked.
    times: BTreeMap<String, usize>,
}

impl ScriptedModel {
    /// Does the same with every request.
    pub fn always(turn: Turn) -> Self {
        Self { scripts: BTreeMap::new(), otherwise: vec![turn], asked: Mutex::default() }
    }

    /// Answers every request well.
    pub fn good() -> Self {
        Self::always(Turn::Good)
    }

    /// For one prompt (`classify`, `compose-decision`, …) these turns, one a request; the last is repeated.
    pub fn on(mut self, prompt: &str, turns: impl IntoIterator<Item = Turn>) -> Self {
        self.scripts.insert(prompt.to_owned(), turns.into_iter().collect());
        self
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// How often a prompt was asked.
    pub fn times(&self, prompt: &str) -> usize {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).times.get(prompt).copied().unwrap_or(0)
    }

    /// Every word of every request: instructions, texts, tools and their results, schemas.
    pub fn everything_sent(&self) -> String {
        self.requests().iter().map(words_of).collect::<Vec<_>>().join("\n")
    }

    fn next_turn(&self, request: &ChatRequest) -> Turn {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.requests.push(request.clone());
        let prompt = prompt_id(request);
        let times = asked.times.entry(prompt.to_owned()).or_default();
        *times += 1;
        let turns = self.scripts.get(prompt).unwrap_or(&self.otherwise);
        turns.get(*times - 1).or(turns.last()).cloned().unwrap_or(Turn::Good)
    }
}

impl ChatModel for ScriptedModel {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let turn = self.next_turn(request);
        Box::pin(async move {
            match turn {
                Turn::Hangs => futures::future::pending().await,
                Turn::Fails(error) => Err(error),
                turn => Ok(answer(&turn, request)),
            }
        })
    }
}

fn answer(turn: &Turn, request: &ChatRequest) -> ChatAnswer {
    let seen = Seen::of(request);
    match turn {
        Turn::Tools if !seen.tools_used && !request.tools.is_empty() => calls(seen.one_call_of_each_tool()),
        Turn::Good | Turn::Tools | Turn::Fails(_) | Turn::Hangs => said(seen.good().to_string()),
        Turn::Json(value) => said(value.to_string()),
        Turn::Says(fields) => {
            let mut value = seen.good();
            crate::support::desk::merge(&mut value, fields);
            said(value.to_string())
        }
        Turn::Text(text) => said(text.clone()),
        Turn::Changed(change) => {
            let mut value = seen.good();
            change(&mut value);
            said(value.to_string())
        }
        Turn::Empty => said(""),
        Turn::Refuses => ChatAnswer { content: None, refusal: Some("I cannot help with that.".to_owned()), ..said("") },
        Turn::Truncated => {
            let whole = seen.good().to_string();
            let half: String = whole.chars().take(whole.chars().count() / 2).collect();
            ChatAnswer { finish: Finish::Length, ..said(half) }
        }
        Turn::Malformed => said("{\"label\": \"KA1\", \"reasons\": [{"),
        Turn::WrongSchema => said(json!({ "answer": 42, "reasons": "none", "label": ["KA1"] }).to_string()),
        Turn::InventedCitation => said(invented_citation(&seen).to_string()),
        Turn::InventedNumber => said(seen.with_words(" Avustus on 98 765,43 euroa 31.12.2031 asti.").to_string()),
        Turn::WrongLanguage => said(in_another_language(&seen).to_string()),
        Turn::LeaksPrompt => said(seen.with_words(&format!(" {}", seen.instructions())).to_string()),
        Turn::EndlessTools => calls(seen.one_call_of_each_tool().into_iter().take(1)),
        Turn::UnknownTool => calls([("approve_case".to_owned(), "{\"amount\":\"6000\"}".to_owned())]),
        Turn::BadArguments => calls(bad_arguments(request)),
        Turn::Huge => said(seen.with_words(&" Tie on tärkeä.".repeat(20_000)).to_string()),
    }
}

fn bad_arguments(request: &ChatRequest) -> Vec<(String, String)> {
    let name = request.tools.first().map_or("search_policy", |tool| tool.name.as_str());
    ["{\"query\":", "[1,2]", "{\"query\":{\"$ne\":null},\"limit\":-1,\"section\":[\"../../etc/passwd\"]}"]
        .map(|arguments| (name.to_owned(), arguments.to_owned()))
        .into()
}

/// Sections that do not exist, and words that stand in none.
fn invented_citation(seen: &Seen<'_>) -> Value {
    let mut value = seen.good();
    if let Some(reasons) = value["reasons"].as_array_mut() {
        let known = seen.sections().into_iter().next().unwrap_or_else(|| "hallintolaki@2004-01-01#s22".to_owned());
        for reason in &mut *reasons {
            reason["citations"] = json!([
                { "section": "kuntalaki@2015-05-01#s999", "quote": "Avustus myönnetään aina." },
                { "section": known, "quote": "Avustus myönnetään aina ja kaikille." },
            ]);
        }
    }
    value
}

fn in_another_language(seen: &Seen<'_>) -> Value {
    let mut value = seen.good();
    let words = if seen.is_swedish() {
        "Die Straße ist in gutem Zustand und die Voraussetzungen sind erfüllt."
    } else {
        "Die Voraussetzungen sind nach den Richtlinien der Gemeinde vollständig erfüllt."
    };
    for_each_sentence(&mut value, &mut |sentence| words.clone_into(sentence));
    value
}

#[cfg(test)]
mod tests {
    use vireille::model::chat::{Purpose, Sampling};
    use vireille::model::masking::Masked;

    use super::*;

    fn request(prompt: &str, user: &str) -> ChatRequest {
        ChatRequest {
            purpose: Purpose {
                municipality: "harjuvesi".parse().unwrap(),
                case: None,
                step: "classify",
                prompt: format!("{prompt}@1"),
                prompt_hash: String::new(),
            },
            messages: vec![Message::System(Masked::public("Answer.")), Message::User(Masked::public(user))],
            tools: Vec::new(),
            output: None,
            sampling: Sampling { temperature: 0.0, max_tokens: 10, seed: None },
        }
    }

    #[tokio::test]
    async fn a_script_is_followed_and_its_last_turn_repeated() {
        let model = ScriptedModel::good().on("classify", [Turn::fault(), Turn::Empty, Turn::Text("yes".to_owned())]);
        let asked = request("classify", "?");
        assert_eq!(model.chat(&asked).await.unwrap_err().kind(), "fault");
        assert_eq!(model.chat(&asked).await.unwrap().content.as_deref(), Some(""));
        for _ in 0..2 {
            assert_eq!(model.chat(&asked).await.unwrap().content.as_deref(), Some("yes"));
        }
        assert!(model.chat(&request("summarise", "?")).await.unwrap().content.unwrap().contains("lines"));
        assert_eq!((model.times("classify"), model.requests().len()), (4, 5));
        assert!(model.everything_sent().contains("Answer."));
    }

    #[test]
    fn texts_are_found_behind_the_fence() {
        let key = "0123456789abcdef0123456789abcdef";
        let asked = request("classify", &format!("Text:\n<data-{key} text>\nKuoppa\ntiellä\n</data-{key}>\nEnd."));
        let seen = Seen::of(&asked);
        assert_eq!(seen.behind("text"), "Kuoppa\ntiellä");
        assert_eq!(seen.keys, [key]);
    }
}
