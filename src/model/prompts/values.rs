//! What a prompt is rendered with: words of our own vocabulary, and masked texts.
//!
//! A word stands bare in the prompt; every text stands behind the [fence](super::Fence). No value is ever read as a
//! template, whatever stands in it.

use std::collections::BTreeMap;

use minijinja::Value;

use super::fence::{Fence, is_word};
use super::id::{Kind, PromptId, Variable};
use crate::model::masking::Masked;

/// A line of a list: columns with their values. What is unknown is left out.
pub type Row = Vec<(&'static str, Masked<String>)>;

/// The values of one prompt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<&'static str, Given>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    Word(String),
    Text(Masked<String>),
    Texts(Vec<(String, Masked<String>)>),
    Rows(Vec<Row>),
}

/// Why a prompt cannot be rendered. Names of variables only, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value was not given.
    #[error("the prompt `{prompt}` needs a value for `{name}`")]
    Missing {
        /// The prompt.
        prompt: PromptId,
        /// The variable.
        name: &'static str,
    },
    /// A value was given that the prompt has no place for, or one of another kind.
    #[error("the prompt `{prompt}` has no such place for `{name}`")]
    Unknown {
        /// The prompt.
        prompt: PromptId,
        /// The variable, or `variable.column`.
        name: String,
    },
    /// What was given as a word of our vocabulary is none.
    #[error("the value of `{name}` for the prompt `{prompt}` is no word of our vocabulary")]
    NotAWord {
        /// The prompt.
        prompt: PromptId,
        /// The variable.
        name: &'static str,
    },
    /// The prompt has no such part, or its template cannot be filled.
    #[error("the part `{part}` of the prompt `{prompt}` cannot be rendered")]
    Template {
        /// The prompt.
        prompt: PromptId,
        /// `user` or `repair`.
        part: &'static str,
    },
}

impl Values {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A word of our own vocabulary: `fi`, `rejection`, `private-road-grant@2026-01-01#s3`.
    #[must_use]
    pub fn word(mut self, name: &'static str, word: impl Into<String>) -> Self {
        self.0.insert(name, Given::Word(word.into()));
        self
    }

    /// One text.
    #[must_use]
    pub fn text(mut self, name: &'static str, text: Masked<String>) -> Self {
        self.0.insert(name, Given::Text(text));
        self
    }

    /// Texts that can be quoted, each with the id by which it is named: a word of our own vocabulary.
    #[must_use]
    pub fn texts(mut self, name: &'static str, texts: impl IntoIterator<Item = (String, Masked<String>)>) -> Self {
        self.0.insert(name, Given::Texts(texts.into_iter().collect()));
        self
    }

    /// A list, one line for each row.
    #[must_use]
    pub fn rows(mut self, name: &'static str, rows: impl IntoIterator<Item = Row>) -> Self {
        self.0.insert(name, Given::Rows(rows.into_iter().collect()));
        self
    }

    /// The values as a template sees them: checked against the variables of the prompt, texts behind the fence.
    pub(super) fn fenced(
        &self,
        prompt: PromptId,
        variables: &[Variable],
        fence: &Fence,
    ) -> Result<BTreeMap<&'static str, Value>, RenderError> {
        let unknown = |name: &str| RenderError::Unknown { prompt, name: name.to_owned() };
        if let Some(name) = self.0.keys().find(|name| !variables.iter().any(|variable| variable.name == **name)) {
            return Err(unknown(name));
        }
        let mut rendered = BTreeMap::new();
        for variable in variables {
            let name = variable.name;
            let given = self.0.get(name).ok_or(RenderError::Missing { prompt, name })?;
            let value = match (given, variable.kind) {
                (Given::Word(word), Kind::Word) if is_word(word) => Value::from(word.as_str()),
                (Given::Text(text), Kind::Text) => Value::from(fence.around(name, text).as_str()),
                (Given::Texts(texts), Kind::Texts) if texts.iter().all(|(id, _)| is_word(id)) => {
                    texts.iter().map(|(id, text)| item(name, id, text, fence)).collect()
                }
                (Given::Rows(rows), Kind::Rows(columns)) => {
                    if let Some((column, _)) = rows.iter().flatten().find(|(column, _)| !columns.contains(column)) {
                        return Err(unknown(&format!("{name}.{column}")));
                    }
                    Value::from(fence.enclose(name, &lines(rows)).as_str())
                }
                (Given::Word(_), Kind::Word) | (Given::Texts(_), Kind::Texts) => {
                    return Err(RenderError::NotAWord { prompt, name });
                }
                _ => return Err(unknown(name)),
            };
            rendered.insert(name, value);
        }
        Ok(rendered)
    }
}

fn item(name: &str, id: &str, text: &Masked<String>, fence: &Fence) -> Value {
    let text = fence.around(&format!("{name} {id}"), text);
    Value::from(BTreeMap::from([("id", id.to_owned()), ("text", text.as_str().to_owned())]))
}

/// One JSON object a line: a value cannot begin a line of its own.
fn lines(rows: &[Row]) -> String {
    let mut lines = String::new();
    for row in rows {
        let columns: Vec<String> = row
            .iter()
            .map(|(column, value)| format!("\"{column}\": {}", serde_json::Value::from(value.as_str())))
            .collect();
        lines.push('{');
        lines.push_str(&columns.join(", "));
        lines.push_str("}\n");
    }
    lines
}
