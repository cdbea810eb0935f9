//! The tools of the agent that writes a draft. All of them only read: none can write, send or fetch.
//!
//! What a model asks for is a stranger's input: names and arguments are held to their schema, a wish that cannot be
//! met is answered with why, and no two equal ones are met. Results are bounded, masked and fenced.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::compose::Offline;
use super::consultation::Consultation;
use crate::cases::{EventKind, Language, SectionRef};
use crate::model::chat::{Message, Tool, ToolCall};
use crate::model::masking::Masked;
use crate::model::prompts::Row;
use crate::model::schema;
use crate::search::Query;
use crate::telemetry::gen_ai;
use crate::text;
use crate::triage::passages;
use crate::triage::precedents::Wanted;

/// Passages of one search.
const PASSAGES: usize = 5;
/// Similar decisions in a result.
const PRECEDENTS: usize = 3;
/// Longest passage in a result, characters.
const LONGEST_PASSAGE: usize = 1_500;
/// Longest result, characters.
const LONGEST_RESULT: usize = 12_000;
/// Longest query, characters.
const LONGEST_QUERY: usize = 300;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SearchPolicy,
    ReadSection,
    EvaluateRules,
    CaseFacts,
    SimilarDecisions,
}

/// Arguments of `search_policy`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// What is looked for, in a few words of the language that is searched.
    query: String,
    /// The language of the texts.
    language: TextLanguage,
}

/// The languages in which policies are written.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TextLanguage {
    /// Finnish.
    Fi,
    /// Swedish.
    Sv,
}

/// Arguments of `read_section`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Read {
    /// The id of the section, for example `private-road-grant@2026-01-01#s3`.
    section: String,
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Kind {
    const ALL: [Self; 5] =
        [Self::SearchPolicy, Self::ReadSection, Self::EvaluateRules, Self::CaseFacts, Self::SimilarDecisions];

    const fn name(self) -> &'static str {
        match self {
            Self::SearchPolicy => "search_policy",
            Self::ReadSection => "read_section",
            Self::EvaluateRules => "evaluate_rules",
            Self::CaseFacts => "case_facts",
            Self::SimilarDecisions => "similar_decisions",
        }
    }

    fn tool(self) -> Tool {
        let (description, parameters) = match self {
            Self::SearchPolicy => (
                "Searches the policies and statutes that bind in this case. Gives passages with the ids of their \
                 sections, best first.",
                schema::strict::<Search>(),
            ),
            Self::ReadSection => ("Gives the whole text of one section.", schema::strict::<Read>()),
            Self::EvaluateRules => (
                "Gives every rule of the policy as code evaluated it in this case: condition, facts, outcome; and \
                 the calculation step by step.",
                schema::strict::<Nothing>(),
            ),
            Self::CaseFacts => ("Gives the facts of this case, with where each stands.", schema::strict::<Nothing>()),
            Self::SimilarDecisions => (
                "Gives how similar cases of this municipality were decided, with their reasons, as examples of wording. \
                 They bind nobody, and one made under another version of the policy says so.",
                schema::strict::<Nothing>(),
            ),
        };
        Tool { name: self.name().to_owned(), description: description.to_owned(), parameters }
    }
}

/// Every tool, as a model is told of it; similar decisions only where somebody knows any.
pub(super) fn offered(knows_precedents: bool) -> Vec<Tool> {
    let offered = Kind::ALL.into_iter().filter(|kind| knows_precedents || *kind != Kind::SimilarDecisions);
    offered.map(Kind::tool).collect()
}

/// Why a wish is not met, in words for the model, and in one word for the timeline.
type Refusal = (&'static str, &'static str);

/// The tools in one loop.
pub(super) struct Toolbox<'a> {
    about: &'a Consultation<'a>,
    offline: &'a Offline,
    left: u32,
    met: BTreeSet<(String, String)>,
}

impl<'a> Toolbox<'a> {
    pub(super) const fn new(about: &'a Consultation<'a>, offline: &'a Offline, limit: u32) -> Self {
        Self { about, offline, left: limit, met: BTreeSet::new() }
    }

    /// What one wish gives, as a message of the conversation.
    pub(super) async fn meet(&mut self, call: ToolCall) -> Message {
        let tool = Kind::ALL.into_iter().find(|tool| tool.name() == call.name);
        let name = tool.map_or("unknown", Kind::name);
        let span = gen_ai::execute_tool(name);
        let result = match tool {
            Some(tool) => self.try_to_meet(tool, &call).instrument(span.clone()).await,
            None => Err(("there is no such tool", "unknown")),
        };
        let outcome = result.as_ref().map_or_else(|(_, word)| *word, |_| "ok");
        if result.is_err() {
            gen_ai::failed(&span, outcome);
        }
        let content = match result {
            Ok(content) => {
                let content = content.cut(LONGEST_RESULT);
                self.about.fence.around(tool.map_or("tool", Kind::name), &content)
            }
            Err((why, _)) => Masked::public(json!({ "error": why }).to_string()),
        };
        let characters = content.as_str().chars().count();
        let payload = json!({ "step": self.about.step, "tool": name, "outcome": outcome, "characters": characters });
        self.about.note(EventKind::ToolUsed, payload);
        Message::Tool { call_id: call.id, content }
    }

    async fn try_to_meet(&mut self, tool: Kind, call: &ToolCall) -> Result<Masked<String>, Refusal> {
        if self.left == 0 {
            return Err(("no more tools may be used: answer now", "limit"));
        }
        self.left -= 1;
        // As JSON, so that the same wish in another spelling is the same wish.
        let arguments: Value = if call.arguments.trim().is_empty() {
            json!({})
        } else {
            serde_json::from_str(&call.arguments).map_err(|_| UNREADABLE)?
        };
        if !self.met.insert((call.name.clone(), arguments.to_string())) {
            return Err(("you asked for this already: what it gave stands above", "repeated"));
        }
        match tool {
            Kind::SearchPolicy => self.search(&read(arguments)?).await,
            Kind::ReadSection => self.section(&read(arguments)?),
            Kind::EvaluateRules => read::<Nothing>(arguments).map(|Nothing {}| self.rules()),
            Kind::CaseFacts => read::<Nothing>(arguments).map(|Nothing {}| lines(&self.about.facts(self.language()))),
            Kind::SimilarDecisions => {
                read::<Nothing>(arguments)?;
                self.precedents().await
            }
        }
    }

    fn language(&self) -> Language {
        self.offline.proposal.content.language
    }

    async fn search(&self, wish: &Search) -> Result<Masked<String>, Refusal> {
        let about = self.about;
        // It saw masked texts only; what it makes up is masked, too.
        let text: String = text::mask(&wish.query).chars().take(LONGEST_QUERY).collect();
        let query = Query {
            municipality: about.desk.rulebook.pack.municipality.id.clone(),
            text,
            language: match wish.language {
                TextLanguage::Fi => Language::Fi,
                TextLanguage::Sv => Language::Sv,
            },
            service: about.service().map(|service| service.id.clone()),
            on: passages::governs(about.desk, about.submission, about.file, about.at),
            limit: PASSAGES,
        };
        let found = about.desk.search.search(&query).await.map_err(|_| ("the search does not answer", "failed"))?;
        let rows: Vec<Row> = found
            .into_iter()
            .map(|passage| {
                vec![
                    ("section", Masked::public(passage.section.to_string())),
                    ("heading", Masked::public(format!("{}: {}", passage.title, passage.heading))),
                    ("text", Masked::public(passage.text).cut(LONGEST_PASSAGE)),
                ]
            })
            .collect();
        Ok(lines(&rows))
    }

    fn section(&self, wish: &Read) -> Result<Masked<String>, Refusal> {
        let place = SectionRef::try_from(wish.section.clone()).map_err(|_| UNREADABLE)?;
        let found = self.about.section(&place, self.language());
        let (_, text) = found.ok_or(("there is no such section", "arguments"))?;
        Ok(Masked::public(text))
    }

    async fn precedents(&self) -> Result<Masked<String>, Refusal> {
        let about = self.about;
        let none = ("no similar decision is known", "none");
        let (Some(known), Some(service)) = (&about.agent.precedents, about.service()) else { return Err(none) };
        let wanted = Wanted { service: &service.id, file: about.file, before: about.at.now, limit: PRECEDENTS };
        let found = known.similar(about.desk, &wanted).await.map_err(|_| ("the records do not answer", "failed"))?;
        let mut rows: Vec<Row> = Vec::new();
        for precedent in found {
            let policy = precedent.policy.unwrap_or_default();
            let policy = if precedent.in_force { policy } else { format!("{policy}, which does not bind here") };
            for (reason, sections) in precedent.reasons {
                let sections: Vec<String> = sections.iter().map(ToString::to_string).collect();
                rows.push(vec![
                    ("kind", Masked::public(precedent.kind.as_str())),
                    ("decided_on", Masked::public(precedent.decided_on.to_string())),
                    ("policy", Masked::public(&policy)),
                    ("reason", reason),
                    ("sections", Masked::public(sections.join(", "))),
                ]);
            }
        }
        if rows.is_empty() { Err(none) } else { Ok(lines(&rows)) }
    }

    fn rules(&self) -> Masked<String> {
        let Some(assessment) = self.about.assessment() else {
            return Masked::public("No policy with rules is evaluated in this case.");
        };
        let language = self.language();
        let mut rows: Vec<Row> = Vec::new();
        for trace in &assessment.rules {
            let inputs: Vec<String> =
                trace.inputs.iter().map(|(name, fact)| format!("{name} = {}", fact.value.plain())).collect();
            let parameters: Vec<String> =
                trace.parameters.iter().map(|(name, used)| format!("{name} = {}", used.value.plain())).collect();
            rows.push(vec![
                ("rule", Masked::public(trace.rule.to_string())),
                ("section", Masked::public(trace.section.to_string())),
                ("condition", Masked::public(&trace.condition)),
                ("outcome", Masked::public(trace.outcome.as_str())),
                ("facts", self.about.masker().mask(&inputs.join("; "))),
                ("parameters", Masked::public(parameters.join("; "))),
                ("missing", Masked::public(trace.missing.join(", "))),
            ]);
        }
        for step in &assessment.calculation {
            let value = step.value.as_ref().map_or_else(|| "unknown".to_owned(), crate::cases::Value::plain);
            rows.push(vec![
                ("step", Masked::public(step.label.get(language))),
                ("expression", Masked::public(&step.expression)),
                ("value", self.about.masker().mask(&value)),
            ]);
        }
        lines(&rows)
    }
}

const UNREADABLE: Refusal = ("the arguments are not what the tool takes: look at its schema", "arguments");

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Refusal> {
    serde_json::from_value(arguments).map_err(|_| UNREADABLE)
}

/// One JSON object a line.
fn lines(rows: &[Row]) -> Masked<String> {
    let line = |row: &Row| {
        let object: serde_json::Map<String, Value> =
            row.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
        // Made of masked values and words of our own.
        Masked::public(Value::Object(object).to_string())
    };
    Masked::join(&rows.iter().map(line).collect::<Vec<_>>(), "\n")
}
