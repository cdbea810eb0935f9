//! One case of a dataset: what goes in, what is expected, what is known about it.
//!
//! A case is data: its texts are never templated, and no list in it is ever expanded into several cases. Other tools'
//! names for the same things are read, too (`vars`, `target`, `ideal`, `expected_output`).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest id of a case, bytes.
pub const LONGEST_ID: usize = 120;

/// The id of a case: unique in its dataset, stable for ever, shown wherever a case's text may not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct EvalCaseId(String);

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 120 letters, digits and the signs . _ - / : #")]
pub struct InvalidId;

impl EvalCaseId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EvalCaseId {
    type Error = InvalidId;

    fn try_from(id: String) -> Result<Self, InvalidId> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:#".contains(c);
        if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(allowed) {
            return Err(InvalidId);
        }
        Ok(Self(id))
    }
}

impl fmt::Display for EvalCaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvalCase {
    /// Its id.
    pub id: EvalCaseId,
    /// What the target is given.
    #[serde(alias = "vars")]
    pub input: Value,
    /// What should come out; assertions look into it by path.
    #[serde(default, alias = "target", alias = "ideal", alias = "expected_output")]
    pub expected: Value,
    /// What is known about it: language, channel, household, source, labelers.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

impl EvalCase {
    /// Whether what is expected may be counted on. A correction is one person's word until a second one has said the
    /// same ([`super::corrections`]).
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let word = |name: &str| self.metadata.get(name).and_then(Value::as_str);
        word("source") != Some("correction") || word("status") == Some("confirmed")
    }
}

/// What stands at a dotted path: `expected.label`, `metadata.lang`, `output.case.urgency`, `output.reasons.0.text`.
/// `prefix` is the first word, `value` what it stands for. None when there is nothing there or the prefix is another.
#[must_use]
pub fn at<'a>(prefix: &str, value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut words = path.split('.');
    if words.next() != Some(prefix) {
        return None;
    }
    words.try_fold(value, |value, word| match value {
        Value::Array(items) => items.get(word.parse::<usize>().ok()?),
        other => other.get(word),
    })
}

/// A value as one plain word for tables and slices: texts without quotes, nothing as `none`, the rest as JSON.
#[must_use]
pub fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn other_tools_names_are_read() {
        for line in [
            r#"{"id":"a","input":"x","target":"y"}"#,
            r#"{"id":"a","vars":"x","ideal":"y"}"#,
            r#"{"id":"a","input":"x","expected_output":"y","metadata":{}}"#,
        ] {
            let case: EvalCase = serde_json::from_str(line).unwrap();
            assert_eq!((case.input, case.expected), (json!("x"), json!("y")));
        }
    }

    #[test]
    fn an_id_is_a_plain_word() {
        for good in ["tri-000141", "cor-2026-08-0007", "a/b:c#d"] {
            assert!(EvalCaseId::try_from(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "a b", "ä", "../x\n", &"x".repeat(121)] {
            assert_eq!(EvalCaseId::try_from(bad.to_owned()), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn a_path_leads_to_a_value_or_nowhere() {
        let value = json!({ "case": { "flags": ["a", "b"] } });
        assert_eq!(at("output", &value, "output.case.flags.1"), Some(&json!("b")));
        assert_eq!(at("output", &value, "output"), Some(&value));
        for nowhere in ["expected.case", "output.case.flags.2", "output.case.flags.x", "output.x.y"] {
            assert_eq!(at("output", &value, nowhere), None, "{nowhere}");
        }
    }
}
