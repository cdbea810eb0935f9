//! The prompts that there are, and the variables that each of them may use.
//!
//! Code asks for a prompt by its id and gives it these values; what stands in the file between them is its author's.

use std::fmt;

use super::super::answers::{Answer, ClassifyAnswer, ComposeAnswer, GatherAnswer, SummaryAnswer, TranslateAnswer};

/// Which prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PromptId {
    /// What kind of matter a message is.
    Classify,
    /// Facts that a text states for fields left empty.
    GatherFacts,
    /// The reasons of a decision.
    ComposeDecision,
    /// Why something is asked for.
    ComposeCompletion,
    /// The answer to a notice.
    ComposeNotice,
    /// The matter in a few lines for the handler.
    Summarise,
    /// Whether a translated sentence says what the rule says.
    TranslateCheck,
}

/// A variable that a prompt may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it holds, for authors of prompts.
    pub about: &'static str,
}

/// How a variable stands in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word of our own vocabulary, bare.
    Word,
    /// One text behind the fence.
    Text,
    /// Texts that can be quoted, to be gone through: `id` is a word, `text` stands behind the fence.
    Texts,
    /// A list behind one fence: one JSON object a line, with these keys as far as they are known.
    Rows(&'static [&'static str]),
}

impl Kind {
    /// The word for authors of prompts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Text => "text",
            Self::Texts => "texts",
            Self::Rows(_) => "rows",
        }
    }
}

impl PromptId {
    /// All prompts, in the order of a case.
    pub const ALL: [Self; 7] = [
        Self::Classify,
        Self::GatherFacts,
        Self::ComposeDecision,
        Self::ComposeCompletion,
        Self::ComposeNotice,
        Self::Summarise,
        Self::TranslateCheck,
    ];

    /// The id, also the name of the file without `.md`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classify => "classify",
            Self::GatherFacts => "gather-facts",
            Self::ComposeDecision => "compose-decision",
            Self::ComposeCompletion => "compose-completion",
            Self::ComposeNotice => "compose-notice",
            Self::Summarise => "summarise",
            Self::TranslateCheck => "translate-check",
        }
    }

    /// The prompt of that id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.as_str() == id)
    }

    /// The form of its answer, as code reads it.
    #[must_use]
    pub const fn output(self) -> &'static str {
        match self {
            Self::Classify => ClassifyAnswer::NAME,
            Self::GatherFacts => GatherAnswer::NAME,
            Self::ComposeDecision | Self::ComposeCompletion | Self::ComposeNotice => ComposeAnswer::NAME,
            Self::Summarise => SummaryAnswer::NAME,
            Self::TranslateCheck => TranslateAnswer::NAME,
        }
    }

    /// The variables of its user part. All of them are given each time; lists may be empty.
    #[must_use]
    pub const fn variables(self) -> &'static [Variable] {
        match self {
            Self::Classify => CLASSIFY,
            Self::GatherFacts => GATHER,
            Self::ComposeDecision | Self::ComposeCompletion | Self::ComposeNotice => COMPOSE,
            Self::Summarise => SUMMARISE,
            Self::TranslateCheck => TRANSLATE,
        }
    }

    /// The variables of its repair part; none where there is no such part.
    #[must_use]
    pub const fn repair_variables(self) -> &'static [Variable] {
        match self {
            Self::ComposeDecision | Self::ComposeCompletion | Self::ComposeNotice => REPAIR,
            Self::Classify | Self::GatherFacts | Self::Summarise | Self::TranslateCheck => &[],
        }
    }
}

impl fmt::Display for PromptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const fn variable(name: &'static str, kind: Kind, about: &'static str) -> Variable {
    Variable { name, kind, about }
}

const RECORD_LANGUAGE: Variable =
    variable("record_language", Kind::Word, "the language of the record, `fi` or `sv`: the handler reads it");
const LETTER_LANGUAGE: Variable =
    variable("letter_language", Kind::Word, "the language of the letter: `fi`, `sv` or `en`");
const SOURCES: Variable = variable("sources", Kind::Texts, "what the sender wrote, by text: `text`, `attachment:1`");
const FACTS: Variable =
    variable("facts", Kind::Rows(&["name", "label", "value", "from"]), "the facts of the case, with where each stands");
const REASONS: Variable = variable(
    "reasons",
    Kind::Rows(&["rule", "outcome", "sentence", "evidence", "section", "quote"]),
    "the rules as code evaluated them, in order, with the sentence of the draft that code made",
);

const CLASSIFY: &[Variable] =
    &[RECORD_LANGUAGE, variable("labels", Kind::Rows(&["label", "meaning"]), "the labels to choose from"), SOURCES];

const GATHER: &[Variable] = &[
    RECORD_LANGUAGE,
    variable("fields", Kind::Rows(&["name", "label", "type", "unit", "choices"]), "the fields that are still empty"),
    SOURCES,
];

const COMPOSE: &[Variable] = &[
    LETTER_LANGUAGE,
    variable("kind", Kind::Word, "the kind of the letter: `grant`, `rejection`, `completion`, `acknowledgement`, …"),
    REASONS,
    variable("discretion", Kind::Rows(&["rule", "question", "section"]), "the rules that leave a ruling to a person"),
    variable("questions", Kind::Rows(&["about", "question", "section"]), "what the sender is asked"),
    FACTS,
    variable("sections", Kind::Texts, "sections that may be cited, by id: `private-road-grant@2026-01-01#s3`"),
    SOURCES,
    variable("letter", Kind::Text, "the letter as code made it"),
];

const REPAIR: &[Variable] =
    &[variable("findings", Kind::Rows(&["check", "detail"]), "the checks that the answer failed, and why")];

const SUMMARISE: &[Variable] = &[
    RECORD_LANGUAGE,
    variable("kind", Kind::Word, "the kind of the draft: `grant`, `completion`, …"),
    FACTS,
    REASONS,
    variable("questions", Kind::Rows(&["about", "question", "section"]), "what is open"),
    variable("flags", Kind::Rows(&["flag"]), "what code noticed: `injection`, `multiple-matters`, …"),
    SOURCES,
];

const TRANSLATE: &[Variable] = &[
    RECORD_LANGUAGE,
    LETTER_LANGUAGE,
    variable(
        "pairs",
        Kind::Rows(&["rule", "original", "letter"]),
        "each sentence of the letter with the rule's own sentence in the language of the record",
    ),
];
