//! A request as a scripted model reads it, and the good answer to it.
//!
//! What such a model answers comes from the request alone: it reads what a real one would be shown, behind the fence and
//! before it, and knows no case. So a story about a bad model can begin with a good answer and spoil it.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};

use crate::model::chat::{ChatAnswer, ChatRequest, Finish, Message, ToolCall, Usage};

/// A section as it is named in a request: `private-road-grant@2026-01-01#s3`.
static SECTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[a-z][a-z0-9-]*@\d{4}-\d{2}-\d{2}#s[0-9a-z-]+").expect("a fixed pattern"));
/// A number with its unit, as a form's texts state it.
static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\d[\d ]*(?:,\d+)?\s*(?:metriä|m\b|euroa|€)?").expect("a fixed pattern"));
/// The line that opens a fence.
static OPENING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^<data-([0-9a-f]{32}) ([^>\n]*)>\n").expect("a fixed pattern"));

/// The prompt of a request, without its version.
#[must_use]
pub fn prompt_id(request: &ChatRequest) -> &str {
    request.purpose.prompt.split('@').next().unwrap_or_default()
}

/// Every word of one request.
#[must_use]
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
#[must_use]
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
#[must_use]
pub fn calls(calls: impl IntoIterator<Item = (String, String)>) -> ChatAnswer {
    let tool_calls = calls
        .into_iter()
        .enumerate()
        .map(|(at, (name, arguments))| ToolCall { id: format!("call-{at}"), name, arguments })
        .collect();
    ChatAnswer { content: None, tool_calls, finish: Finish::ToolCalls, ..said("") }
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
    #[must_use]
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
    #[must_use]
    pub fn instructions(&self) -> String {
        self.system.lines().filter(|line| !line.trim().is_empty()).take(6).collect::<Vec<_>>().join(" ")
    }

    /// Every sentence of the reasons of other decisions that a tool told in this conversation, the last first: what
    /// people added to the rules' own words stands at the end.
    #[must_use]
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

    /// One call of each tool, with arguments that fit its schema.
    #[must_use]
    pub fn one_call_of_each_tool(&self) -> Vec<(String, String)> {
        let section = self.sections().into_iter().next().unwrap_or_else(|| "hallintolaki@2004-01-01#s22".to_owned());
        self.request
            .tools
            .iter()
            .map(|tool| (tool.name.clone(), arguments(&tool.parameters, &section).to_string()))
            .collect()
    }

    /// Sections named anywhere in the request, `private-road-grant@2026-01-01#s3`.
    #[must_use]
    pub fn sections(&self) -> Vec<String> {
        let mut found: Vec<String> = SECTION.find_iter(&self.user).map(|found| found.as_str().to_owned()).collect();
        found.dedup();
        found
    }

    /// What stands behind the fence under a label.
    #[must_use]
    pub fn behind(&self, label: &str) -> &str {
        self.data.iter().find(|(known, _)| known == label).map_or("", |(_, text)| text)
    }

    /// The rows of a list behind the fence.
    #[must_use]
    pub fn rows(&self, label: &str) -> Vec<Value> {
        self.behind(label).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
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
    #[must_use]
    pub fn is_swedish(&self) -> bool {
        self.user.contains("Language of the letter: sv")
    }

    /// The good answer to this prompt.
    #[must_use]
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
        let mut facts = Vec::new();
        for field in self.rows("fields") {
            let label = field["label"].as_str().unwrap_or_default().to_lowercase();
            let stem: String = label.chars().take(7).collect();
            for (source, text) in self.sources() {
                let Some(at) = text.to_lowercase().find(&stem).filter(|at| text.is_char_boundary(*at)) else {
                    continue;
                };
                let sentence = text[at..].split(['\n', '.']).next().unwrap_or_default();
                if let Some(quote) = NUMBER.find(sentence) {
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
    #[must_use]
    pub fn with_words(&self, words: &str) -> Value {
        let mut value = self.good();
        after_each_sentence(&mut value, words);
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
    let (mut data, mut keys) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(found) = OPENING.captures_at(user, at) {
        let (key, label, start) =
            (&found[1], found[2].to_owned(), found.get(0).map_or(user.len(), |whole| whole.end()));
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
