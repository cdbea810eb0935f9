//! A message to a language model and nothing around it: the shortest way from a case to an answer.
//!
//! For suites that hold a prompt or a model by itself, and for measuring the harness. No pack, no database and no
//! vocabulary is loaded. Instruction and message are sent word for word: nothing in them is a template.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use serde_json::Value;

use super::provider::{self, Provider};
use super::{Answer, Target, TargetError, Unusable};
use crate::clock::{Ambient, helsinki};
use crate::config::{CassetteMode, Config};
use crate::evals::case::{EvalCase, at};
use crate::evals::row::Used;
use crate::evals::suite::{ModelChoice, Suite};
use crate::model::accounts::prices::Prices;
use crate::model::cassette::{Asked, Cassette, ENDPOINT};
use crate::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, Purpose, Sampling, Usage};
use crate::model::client;
use crate::model::masking::Masked;

/// Longest answer, tokens.
const MAX_TOKENS: u32 = 1024;
/// The name under which calls are recorded and accounted.
const PROMPT: &str = "chat@1";

/// A language model, one for each epoch.
#[derive(Debug)]
pub struct Chat {
    models: Models,
    system: Option<Masked<String>>,
    user: String,
    json: bool,
    prices: Prices,
    name: String,
    purpose: Purpose,
    ambient: Ambient,
}

impl Chat {
    /// The model of a suite; what is recorded stands in `cassettes`. Nothing is sent.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn build(
        suite: &Suite,
        config: &Config,
        choice: Option<&ModelChoice>,
        cassettes: &Path,
        ambient: &Ambient,
    ) -> Result<Self, Unusable> {
        let (name, models) = match Provider::of(choice)? {
            Provider::Offline => {
                return Err(Unusable::Component("`chat` asks a language model: name one under `models`".to_owned()));
            }
            Provider::Fixed => {
                let models = Models { each: vec![Arc::new(Fixed)], cassettes: Vec::new() };
                ("mock/fixed".to_owned(), models)
            }
            Provider::OpenAi { name } => (name, models(suite, config, choice, cassettes, ambient)?),
        };
        let target = &suite.target;
        Ok(Self {
            models,
            // Committed text of a suite, as public as a prompt.
            system: target.system.as_ref().map(Masked::public),
            user: target.user.clone().unwrap_or_else(|| "input".to_owned()),
            json: target.json,
            prices: Prices::load(&config.budget.prices)?,
            name,
            purpose: Purpose {
                municipality: config.policies.default_municipality.clone(),
                case: None,
                step: "eval",
                prompt: PROMPT.to_owned(),
                prompt_hash: String::new(),
            },
            ambient: ambient.clone(),
        })
    }

    fn request(&self, case: &EvalCase, epoch: u32) -> Result<ChatRequest, TargetError> {
        let message = at("input", &case.input, &self.user)
            .ok_or_else(|| TargetError::Failed(format!("the case has nothing at `{}`", self.user)))?;
        let message = match message {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // Cases are committed files, made up or masked before they became cases.
        let user = Message::User(Masked::public(message));
        Ok(ChatRequest {
            purpose: self.purpose.clone(),
            messages: self.system.clone().map(Message::System).into_iter().chain([user]).collect(),
            tools: Vec::new(),
            output: None,
            sampling: Sampling { temperature: 0.0, max_tokens: MAX_TOKENS, seed: Some(i64::from(epoch)) },
        })
    }

    async fn ask(&self, case: &EvalCase, epoch: u32) -> Result<Answer, TargetError> {
        let request = self.request(case, epoch)?;
        let nth = usize::try_from(epoch).unwrap_or(usize::MAX).min(self.models.each.len().saturating_sub(1));
        let model = self.models.each.get(nth).ok_or(TargetError::Unreachable)?;
        let answer = model.chat(&request).await?;
        let used = self.used(&answer);
        let text = answer.content.unwrap_or_default();
        Ok(Answer { output: read(text, self.json), used, served_by: Some(answer.model) })
    }

    fn used(&self, answer: &ChatAnswer) -> Used {
        let Usage { input, cached, output, .. } = answer.usage;
        let replayed = answer.endpoint == ENDPOINT;
        let day = self.ambient.now().to_zoned(helsinki()).date();
        let cost = || self.prices.cost(&[&answer.model, &self.name], day, &answer.usage).amount.millionths();
        let free = replayed || answer.endpoint == Fixed::NAME;
        Used {
            input,
            cached,
            output,
            calls: 1,
            replayed: u32::from(replayed),
            cost_micros: if free { 0 } else { cost() },
        }
    }
}

impl Target for Chat {
    fn answer<'a>(&'a self, case: &'a EvalCase, epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        self.ask(case, epoch).boxed()
    }

    fn asked(&self) -> Option<Asked> {
        self.models.asked()
    }
}

/// The models of a run: one an epoch where calls are recorded or replayed, one for all where they are not.
#[derive(Debug)]
pub(super) struct Models {
    /// By epoch.
    pub each: Vec<Arc<dyn ChatModel>>,
    /// The same, where calls are recorded or replayed.
    cassettes: Vec<Arc<Cassette>>,
}

impl Models {
    /// What was asked of the recorded calls in all epochs together; none where nothing is recorded or replayed.
    pub fn asked(&self) -> Option<Asked> {
        let asked = self.cassettes.iter().map(|cassette| cassette.asked());
        asked.reduce(|all, one| Asked {
            recorded: all.recorded + one.recorded,
            missed: all.missed + one.missed,
            unused: all.unused.intersection(&one.unused).cloned().collect(),
        })
    }
}

/// The models of a suite.
pub(super) fn models(
    suite: &Suite,
    config: &Config,
    choice: Option<&ModelChoice>,
    cassettes: &Path,
    ambient: &Ambient,
) -> Result<Models, Unusable> {
    let mut connected: Option<Arc<dyn ChatModel>> = None;
    let mut models = Models { each: Vec::new(), cassettes: Vec::new() };
    for epoch in 0..suite.run.epochs.max(1) {
        let Some(settings) = provider::settings(config, choice, &suite.run, cassettes, epoch)? else { break };
        let mode = settings.cassette_mode;
        let inner = match (mode, &connected) {
            (CassetteMode::Replay, _) => None,
            (_, Some(model)) => Some(Arc::clone(model)),
            (_, None) => Some(client::connect(&settings, &config.failover, ambient)?),
        };
        connected.clone_from(&inner);
        match inner {
            Some(model) if mode == CassetteMode::Off => {
                models.each.push(model);
                break;
            }
            inner => {
                let epoch = settings.cassette_epoch;
                let cassette = Cassette::open(inner, &settings.cassettes, mode, epoch, &settings.name)?;
                let cassette = Arc::new(cassette.lasting_only());
                models.each.push(Arc::clone(&cassette) as Arc<dyn ChatModel>);
                models.cassettes.push(cassette);
            }
        }
    }
    Ok(models)
}

/// Deepest answer that is read as JSON: it stands in a row, and whoever reads rows stops at 128.
const DEEPEST: usize = 100;

/// The answer as JSON where it is to be JSON and is; else its words, which no label fits.
fn read(text: String, json: bool) -> Value {
    if !json {
        return Value::String(text);
    }
    let bare = text.trim().trim_start_matches("```json").trim_start_matches("```").trim_end_matches("```").trim();
    match serde_json::from_str(bare) {
        Ok(value) if depth(&value) <= DEEPEST => value,
        _ => Value::String(text),
    }
}

/// How deep a value is nested; the reader of JSON bounds it.
fn depth(value: &Value) -> usize {
    let within = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    within.unwrap_or(0) + 1
}

/// A model that says the same to everything.
#[derive(Debug)]
struct Fixed;

impl Fixed {
    const NAME: &str = "fixed";
}

impl ChatModel for Fixed {
    fn chat<'a>(&'a self, _: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        let answer = ChatAnswer {
            content: Some("{}".to_owned()),
            refusal: None,
            tool_calls: Vec::new(),
            finish: Finish::Stop,
            usage: Usage::default(),
            model: "mock/fixed".to_owned(),
            endpoint: Self::NAME.to_owned(),
            attempts: 1,
            latency: Duration::ZERO,
        };
        futures::future::ready(Ok(answer)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_that_should_be_json_and_is_none_stays_words() {
        assert_eq!(read("{\"label\": \"a\"}".to_owned(), true), json!({ "label": "a" }));
        assert_eq!(read("```json\n{\"label\": \"a\"}\n```".to_owned(), true), json!({ "label": "a" }));
        assert_eq!(read("It is a.".to_owned(), true), json!("It is a."));
        assert_eq!(read("7".to_owned(), false), json!("7"));
        // A row is one deeper than its answer.
        let nested = |deep: usize| format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        assert!(read(nested(100), true).is_array() && read(nested(101), true).is_string());
        for deep in [100, 127, 10_000] {
            let row = json!({ "output": read(nested(deep), true) }).to_string();
            assert!(serde_json::from_str::<Value>(&row).is_ok(), "{deep}");
        }
    }
}
