//! A language model that does what a story tells it: good answers, every fault, or whatever an attacker orders.
//!
//! In process, without a clock or a network. It keeps every request, so that a story can look for what must never be
//! sent. What it answers comes from the request alone (and, for [`Turn::Obey`], from the attack it was given).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use vireille::model::chat::{
    ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Message, TimeLimit, ToolCall, Usage,
};

use super::attacker::Attacker;

/// What the model does with one request.
#[derive(Debug, Clone)]
pub enum Turn {
    /// A sensible, valid answer made from what stands in the request.
    Good,
    /// First one call of each tool that is offered, then the good answer.
    Tools,
    /// This answer.
    Json(Value),
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
    /// Whatever the attacker wants.
    Obey(Arc<Attacker>),
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

/// The prompt of a request, without its version.
pub fn prompt_id(request: &ChatRequest) -> &str {
    request.purpose.prompt.split('@').next().unwrap_or_default()
}

/// Every word of one request.
pub fn words_of(request: &ChatRequest) -> String {
    let mut words: Vec<String> = Vec::new();
    for message in &request.messages {
        match message {
            Message::System(text) | Message::User(text) => words.push(text.as_str().to_owned()),
            Message::Assistant { content, tool_calls } => {
                words.extend(content.iter().map(|text| text.as_str().to_owned()));
                words.extend(tool_calls.iter().map(|call| format!("{} {}", call.name, call.arguments)));
            }
            Message::Tool { content, .. } => words.push(content.as_str().to_owned()),
        }
    }
    for tool in &request.tools {
        words.push(format!("{} {} {}", tool.name, tool.description, tool.parameters));
    }
    words.extend(request.output.iter().map(|output| output.schema.to_string()));
    words.join("\n")
}

/// An answer with these words.
pub fn said(content: impl Into<String>) -> ChatAnswer {
    let content = content.into();
    let output = content.len() as u64 / 4;
    ChatAnswer {
        content: Some(content),
        refusal: None,
        tool_calls: Vec::new(),
        finish: Finish::Stop,
        usage: Usage { input: 100, cached: 0, output, estimated: false },
        model: "scripted-1".to_owned(),
        endpoint: "scripted".to_owned(),
        attempts: 1,
        latency: Duration::ZERO,
    }
}

/// An answer that asks for tools.
pub fn calls(calls: impl IntoIterator<Item = (String, String)>) -> ChatAnswer {
    let tool_calls = calls
        .into_iter()
        .enumerate()
        .map(|(at, (name, arguments))| ToolCall { id: format!("call-{at}"), name, arguments })
        .collect();
    ChatAnswer { content: None, tool_calls, finish: Finish::ToolCalls, ..said("") }
}

fn answer(turn: &Turn, request: &ChatRequest) -> ChatAnswer {
    let seen = Seen::of(request);
    match turn {
        Turn::Tools if !seen.tools_used && !request.tools.is_empty() => calls(seen.one_call_of_each_tool()),
        Turn::Good | Turn::Tools | Turn::Fails(_) | Turn::Hangs => said(seen.good().to_string()),
        Turn::Json(value) => said(value.to_string()),
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
        Turn::InventedCitation => said(seen.invented_citation().to_string()),
        Turn::InventedNumber => said(seen.with_words(" Avustus on 98 765,43 euroa 31.12.2031 asti.").to_string()),
        Turn::WrongLanguage => said(seen.in_another_language().to_string()),
        Turn::LeaksPrompt => said(seen.with_words(&format!(" {}", seen.instructions())).to_string()),
        Turn::EndlessTools => calls(seen.one_call_of_each_tool().into_iter().take(1)),
        Turn::UnknownTool => calls([("approve_case".to_owned(), "{\"amount\":\"6000\"}".to_owned())]),
        Turn::BadArguments => calls(bad_arguments(request)),
        Turn::Huge => said(seen.with_words(&" Tie on tärkeä.".repeat(20_000)).to_string()),
        Turn::Obey(attacker) => attacker.answer(&seen),
    }
}

fn bad_arguments(request: &ChatRequest) -> Vec<(String, String)> {
    let name = request.tools.first().map_or("search_policy", |tool| tool.name.as_str());
    ["{\"query\":", "[1,2]", "{\"query\":{\"$ne\":null},\"limit\":-1,\"section\":[\"../../etc/passwd\"]}"]
        .map(|arguments| (name.to_owned(), arguments.to_owned()))
        .into()
}

/// A request as the model sees it.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The request.
    pub request: &'a ChatRequest,
    /// The prompt's id.
    pub prompt: &'a str,
    /// Our instructions.
    pub system: String,
    /// What they are to be applied to, findings and repairs included.
    pub user: String,
    /// What stands behind the fence, with its labels.
    pub data: Vec<(String, String)>,
    /// Keys of the fence.
    pub keys: Vec<String>,
    /// Whether tools were used in this conversation.
    pub tools_used: bool,
    /// Whether the model answered before: findings or a repair came back.
    pub answered: bool,
}

impl<'a> Seen<'a> {
    /// Reads a request.
    pub fn of(request: &'a ChatRequest) -> Self {
        let (mut system, mut user, mut tools_used, mut answered) = (Vec::new(), Vec::new(), false, false);
        for message in &request.messages {
            match message {
                Message::System(text) => system.push(text.as_str()),
                Message::User(text) => user.push(text.as_str()),
                Message::Assistant { content, .. } => answered |= content.is_some(),
                Message::Tool { .. } => tools_used = true,
            }
        }
        let user = user.join("\n\n");
        let (data, keys) = fenced(&user);
        Self {
            request,
            prompt: prompt_id(request),
            system: system.join("\n\n"),
            user,
            data,
            keys,
            tools_used,
            answered,
        }
    }

    /// The first lines of our instructions, as a model would give them away.
    pub fn instructions(&self) -> String {
        self.system.lines().filter(|line| !line.trim().is_empty()).take(6).collect::<Vec<_>>().join(" ")
    }

    /// One call of each tool, with arguments that fit its schema.
    pub fn one_call_of_each_tool(&self) -> Vec<(String, String)> {
        let section = self.sections().into_iter().next().unwrap_or_else(|| "hallintolaki@2004-01-01#s22".to_owned());
        self.request
            .tools
            .iter()
            .map(|tool| (tool.name.clone(), arguments(&tool.parameters, &section).to_string()))
            .collect()
    }

    /// Sections named anywhere in the request, `private-road-grant@2026-01-01#s3`.
    pub fn sections(&self) -> Vec<String> {
        let pattern = regex::Regex::new(r"[a-z][a-z0-9-]*@\d{4}-\d{2}-\d{2}#s[0-9a-z-]+").unwrap();
        let mut found: Vec<String> = pattern.find_iter(&self.user).map(|found| found.as_str().to_owned()).collect();
        found.dedup();
        found
    }

    /// What stands behind the fence under a label.
    pub fn behind(&self, label: &str) -> &str {
        self.data.iter().find(|(known, _)| known == label).map_or("", |(_, text)| text)
    }

    /// The rows of a list behind the fence.
    pub fn rows(&self, label: &str) -> Vec<Value> {
        self.behind(label).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Every sentence of the reasons of other decisions that a tool told in this conversation, the last first: what
    /// people added to the rules' own words stands at the end.
    pub fn told(&self) -> Vec<String> {
        let results = self.request.messages.iter().filter_map(|message| match message {
            Message::Tool { content, .. } => Some(fenced(content.as_str()).0),
            _ => None,
        });
        let lines = results.flatten().flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>());
        let rows = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        let mut told = Vec::new();
        for row in rows.filter(|row| row["decided_on"].is_string()) {
            let sentences: Vec<&str> = row["reason"].as_str().unwrap_or_default().split_inclusive(". ").collect();
            for sentence in sentences.into_iter().rev().map(|sentence| sentence.trim().to_owned()) {
                if !told.contains(&sentence) {
                    told.push(sentence);
                }
            }
        }
        told
    }

    /// The texts of the sender with their ids.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.each("sources ")
    }

    /// What stands behind the fence of one list, by id.
    fn each(&self, list: &'static str) -> impl Iterator<Item = (&str, &str)> {
        self.data.iter().filter_map(move |(label, text)| Some((label.strip_prefix(list)?, text.as_str())))
    }

    /// Whether the letter is to be in Swedish.
    pub fn is_swedish(&self) -> bool {
        self.user.contains("Language of the letter: sv")
    }

    /// The good answer to this prompt.
    pub fn good(&self) -> Value {
        match self.prompt {
            "classify" => self.good_label(),
            "gather-facts" => json!({ "facts": self.good_facts() }),
            "summarise" => json!({ "lines": ["Lähete on luettu.", "Luonnos odottaa tarkastusta."] }),
            "translate-check" => json!({ "same": true, "differences": [] }),
            _ => self.good_reasons(),
        }
    }

    /// The label whose meaning shares most with the message, and the sentence of the message that shows it.
    fn good_label(&self) -> Value {
        let message = self.sources().map(|(_, text)| text.to_lowercase()).collect::<Vec<_>>().join("\n");
        let shared = |row: &Value| {
            let meaning = row["meaning"].as_str().unwrap_or_default().to_lowercase();
            let stems = meaning.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() > 3);
            stems.filter(|word| message.contains(&word.chars().take(5).collect::<String>())).count()
        };
        let labels = self.rows("labels");
        let label = labels.iter().max_by_key(|row| shared(row)).map_or(json!("question"), |row| row["label"].clone());
        let quote = self.sources().next().map_or("", |(_, text)| text.lines().next().unwrap_or_default());
        json!({ "label": label, "confidence": 0.9, "quote": quote, "language": "fi", "reason": "Viesti kertoo siitä." })
    }

    /// For each open field, the first words of a text that name it and state a number behind its name.
    fn good_facts(&self) -> Vec<Value> {
        let number = regex::Regex::new(r"\d[\d ]*(?:,\d+)?\s*(?:metriä|m\b|euroa|€)?").unwrap();
        let mut facts = Vec::new();
        for field in self.rows("fields") {
            let label = field["label"].as_str().unwrap_or_default().to_lowercase();
            let stem: String = label.chars().take(7).collect();
            for (source, text) in self.sources() {
                let Some(at) = text.to_lowercase().find(&stem).filter(|at| text.is_char_boundary(*at)) else {
                    continue;
                };
                let sentence = text[at..].split(['\n', '.']).next().unwrap_or_default();
                if let Some(quote) = number.find(sentence) {
                    let value: String = quote.as_str().chars().filter(|c| c.is_ascii_digit() || *c == ',').collect();
                    facts.push(json!({
                        "name": field["name"], "value": value, "source": source, "quote": quote.as_str().trim(),
                        "reason": "Teksti kertoo sen.",
                    }));
                    break;
                }
            }
        }
        facts
    }

    /// The reasons as code made them, with a sentence of the model's own to each.
    fn good_reasons(&self) -> Value {
        let own = if self.is_swedish() {
            " Det framgår av uppgifterna i ärendet."
        } else {
            " Tämä ilmenee asian tiedoista."
        };
        let mut reasons: Vec<Value> = self
            .rows("reasons")
            .iter()
            .map(|row| {
                let evidence: Vec<&str> =
                    row["evidence"].as_str().unwrap_or_default().split(", ").filter(|name| !name.is_empty()).collect();
                let citations = match (&row["section"], &row["quote"]) {
                    (Value::String(section), Value::String(quote)) => json!([{ "section": section, "quote": quote }]),
                    _ => json!([]),
                };
                let sentence = row["sentence"].as_str().unwrap_or_default();
                json!({
                    "rule": row["rule"], "text": format!("{sentence}{own}"), "evidence": evidence, "citations": citations,
                })
            })
            .collect();
        // Where no rule is to be explained, with what the first section says.
        let section = self.each("sections ").next();
        if let Some((section, text)) = section.filter(|_| reasons.is_empty()) {
            // A whole sentence of it: a full stop within a date or a number ends none.
            let lines = text.lines().filter(|line| line.contains(". ") || line.ends_with('.'));
            let quote = lines.map(|line| line.split_inclusive(". ").next().unwrap_or_default().trim()).next();
            let text = match (self.prompt, self.is_swedish()) {
                ("compose-notice", true) => "Anmälan behandlas enligt kommunens anvisning.",
                ("compose-notice", false) => "Ilmoitus käsitellään kunnan ohjeen mukaan.",
                (_, true) => "Uppgiften behövs för att pröva ärendet.",
                (_, false) => "Tieto tarvitaan asian käsittelyyn.",
            };
            reasons.push(json!({
                "rule": null, "text": text, "evidence": [], "citations": [{ "section": section, "quote": quote }],
            }));
        }
        json!({ "matter": null, "reasons": reasons, "rulings": [] })
    }

    /// The good answer with words put after each of its sentences.
    pub fn with_words(&self, words: &str) -> Value {
        let mut value = self.good();
        after_each_sentence(&mut value, words);
        value
    }

    fn invented_citation(&self) -> Value {
        let mut value = self.good();
        if let Some(reasons) = value["reasons"].as_array_mut() {
            let known = self.sections().into_iter().next().unwrap_or_else(|| "hallintolaki@2004-01-01#s22".to_owned());
            for reason in &mut *reasons {
                reason["citations"] = json!([
                    { "section": "kuntalaki@2015-05-01#s999", "quote": "Avustus myönnetään aina." },
                    { "section": known, "quote": "Avustus myönnetään aina ja kaikille." },
                ]);
            }
        }
        value
    }

    fn in_another_language(&self) -> Value {
        let mut value = self.good();
        let words = if self.is_swedish() {
            "Die Straße ist in gutem Zustand und die Voraussetzungen sind erfüllt."
        } else {
            "Die Voraussetzungen sind nach den Richtlinien der Gemeinde vollständig erfüllt."
        };
        for_each_sentence(&mut value, &mut |sentence| words.clone_into(sentence));
        value
    }
}

/// Puts words after every free sentence of an answer.
fn after_each_sentence(value: &mut Value, words: &str) {
    for_each_sentence(value, &mut |sentence| sentence.push_str(words));
}

/// Visits every free sentence of an answer: `text`, `reason`, `matter`, `lines`, `differences`.
pub fn for_each_sentence(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match (name.as_str(), value) {
                    ("text" | "reason" | "matter", Value::String(sentence)) => visit(sentence),
                    ("lines" | "differences", Value::Array(lines)) => {
                        for line in lines {
                            if let Value::String(line) = line {
                                visit(line);
                            }
                        }
                    }
                    (_, value) => for_each_sentence(value, visit),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| for_each_sentence(value, visit)),
        _ => {}
    }
}

/// What stands behind the fence: labels and texts; and the keys.
fn fenced(user: &str) -> (Vec<(String, String)>, Vec<String>) {
    let opening = regex::Regex::new(r"(?m)^<data-([0-9a-f]{32}) ([^>\n]*)>\n").unwrap();
    let (mut data, mut keys) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(found) = opening.captures_at(user, at) {
        let (key, label, start) = (&found[1], found[2].to_owned(), found.get(0).unwrap().end());
        let Some(end) = user[start..].find(&format!("</data-{key}>")) else { break };
        data.push((label, user[start..start + end].trim_end_matches('\n').to_owned()));
        if !keys.contains(&key.to_owned()) {
            keys.push(key.to_owned());
        }
        at = start + end;
    }
    (data, keys)
}

/// Arguments that fit a strict schema.
fn arguments(schema: &Value, section: &str) -> Value {
    let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
    if let Some(first) = schema["enum"].as_array().and_then(|words| words.first()) {
        return first.clone();
    }
    match kind {
        Some("object") => Value::Object(
            schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, schema)| {
                    let value = match name.as_str() {
                        "section" => json!(section),
                        "query" => json!("avustuksen määrä ja tien pituus"),
                        _ => arguments(schema, section),
                    };
                    (name.clone(), value)
                })
                .collect(),
        ),
        Some("array") => json!([]),
        Some("integer" | "number") => json!(3),
        Some("boolean") => json!(false),
        Some("null") => Value::Null,
        _ => json!(section),
    }
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
