//! What was proposed before a step by whoever may be slow, wrong or silent: an index, a language model.
//!
//! An input of the step like any other: with the same proposals a step gives the same result, and without any it is the
//! offline engine's. Nothing here binds. What becomes of a proposal is decided by code in the step that it is for,
//! and what was not taken over is shown to the handler with the reason.

use serde_json::Value;

use super::{Proposal, Step};
use crate::cases::{Citation, Engine, EventKind, Fallback, ModelProposal, PassageRef, RuleId};

/// What was proposed for one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proposals {
    /// What kind of matter it is.
    pub label: Option<LabelProposal>,
    /// Facts that a text states.
    pub facts: Vec<FactProposal>,
    /// Words for the letter; they have passed the checks.
    pub prose: Option<Prose>,
    /// The draft with these very words, where it was made already to check them; otherwise the step makes it.
    pub tried: Option<Proposal>,
    /// Rulings where the policy leaves one to a person. Never applied.
    pub rulings: Vec<ModelProposal>,
    /// The matter in a few lines, for the handler.
    pub summary: Option<String>,
    /// Passages that may bear on the case, best first.
    pub passages: Vec<PassageRef>,
    /// What the offline engine does alone although a model was asked, and why.
    pub fallbacks: Vec<Fallback>,
    /// Whose words these are.
    pub credit: Option<Credit>,
    /// What happened meanwhile, for the case's timeline.
    pub noted: Vec<Noted>,
}

/// A label with the words that show it.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelProposal {
    /// The label: a service, a category or a matter.
    pub label: String,
    /// Words of the message; none when they could not be put back.
    pub quote: Option<String>,
    /// Why, in the model's words.
    pub reason: String,
}

/// A fact with the words that state it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactProposal {
    /// Name of the field.
    pub name: String,
    /// The value in the model's words; a fact is read from the quote, never from these.
    pub value: String,
    /// Which text of the case; none when the model named one that there is not.
    pub source: Option<String>,
    /// Words of that text; none when they could not be put back.
    pub quote: Option<String>,
    /// Why, in the model's words.
    pub reason: String,
}

/// Words for a letter, with what was masked put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prose {
    /// A paragraph on what the matter is about.
    pub matter: Option<String>,
    /// Sentences for reasons.
    pub reasons: Vec<WrittenReason>,
}

/// The words of one reason. What it is a reason for, and on which facts, the letter takes from the assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenReason {
    /// The rule that it explains, if one.
    pub rule: Option<RuleId>,
    /// The sentences, on one line.
    pub text: String,
    /// Names of facts; only heeded where no rule gives them.
    pub evidence: Vec<String>,
    /// Sections that carry it.
    pub citations: Vec<Citation>,
}

/// Which prompt and which model gave the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Prompt, version and the beginning of its hash: `classify@1#0f3a9c21`.
    pub prompt: String,
    /// The model as the server named it.
    pub model: String,
}

/// Something that happened. Never any content: names of prompts, tools and models, numbers, reason codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Noted {
    /// What.
    pub kind: EventKind,
    /// Details.
    pub payload: Value,
}

impl Proposals {
    /// None: the offline engine alone.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }
}

/// The name of the engine when words of a language model stand in its work.
const WITH_MODEL: &str = "openai";

/// Notes in a case's engine whose words were taken over in `step`; what an earlier round noted for that step goes.
pub(super) fn credit(engine: &mut Engine, step: Step, credit: Option<&Credit>) {
    let of_step = match step {
        Step::Classify => "classify@",
        Step::Gather => "gather-facts@",
        Step::Compose => "compose-",
        Step::Read | Step::Assess => return,
    };
    let kept =
        engine.prompt.iter().flat_map(|prompts| prompts.split(' ')).filter(|prompt| !prompt.starts_with(of_step));
    let prompts: Vec<&str> = kept.chain(credit.map(|credit| credit.prompt.as_str())).collect();
    let known = engine.model.iter().flat_map(|models| models.split(", ")).map(str::to_owned);
    let mut models: Vec<String> = if prompts.is_empty() { Vec::new() } else { known.collect() };
    if let Some(credit) = credit
        && !models.contains(&credit.model)
    {
        models.push(credit.model.clone());
    }
    let prompt = (!prompts.is_empty()).then(|| prompts.join(" "));
    "offline".clone_into(&mut engine.name);
    if prompt.is_some() {
        WITH_MODEL.clone_into(&mut engine.name);
    }
    engine.model = prompt.is_some().then(|| models.join(", "));
    engine.prompt = prompt;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine {
            name: "offline".to_owned(),
            version: "1".to_owned(),
            classifier: None,
            prompt: None,
            model: None,
            pack: "p".to_owned(),
        }
    }

    fn by(prompt: &str, model: &str) -> Credit {
        Credit { prompt: prompt.to_owned(), model: model.to_owned() }
    }

    #[test]
    fn an_engine_names_every_prompt_and_model_whose_words_stand() {
        let mut engine = engine();
        credit(&mut engine, Step::Gather, Some(&by("gather-facts@1#aa", "m1")));
        credit(&mut engine, Step::Compose, Some(&by("compose-decision@2#bb", "m2")));
        assert_eq!(engine.prompt.as_deref(), Some("gather-facts@1#aa compose-decision@2#bb"));
        assert_eq!((engine.name.as_str(), engine.model.as_deref()), ("openai", Some("m1, m2")));
    }

    #[test]
    fn what_fell_back_in_a_later_round_is_offline_again() {
        let mut engine = engine();
        credit(&mut engine, Step::Compose, Some(&by("compose-notice@1#aa", "m1")));
        credit(&mut engine, Step::Compose, None);
        assert_eq!(engine, self::engine());
    }
}
