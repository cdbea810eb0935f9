//! Where something stands in a case or an answer: `output.case.category`, `expected.label`, `output.questions.*.about`.
//!
//! A path begins with `input`, `expected`, `metadata` or `output`. `*` stands for every item of a list: the result is a
//! list again. Nothing is ever computed by a path.

use std::borrow::Cow;

use serde_json::Value;

use crate::evals::case::EvalCase;

/// A path, read once for all cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    root: Root,
    words: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Input,
    Expected,
    Metadata,
    Output,
}

impl Place {
    /// The whole answer.
    pub const fn whole_answer() -> Self {
        Self { root: Root::Output, words: Vec::new() }
    }

    /// Reads a path; none when it begins with another word.
    pub fn parse(path: &str) -> Option<Self> {
        let mut words = path.split('.').map(str::to_owned);
        let root = match words.next()?.as_str() {
            "input" => Root::Input,
            "expected" => Root::Expected,
            "metadata" => Root::Metadata,
            "output" => Root::Output,
            _ => return None,
        };
        let words: Vec<String> = words.collect();
        (!words.iter().any(String::is_empty)).then_some(Self { root, words })
    }

    /// Whether it leads into the case and not into the answer.
    pub fn is_of_the_case(&self) -> bool {
        self.root != Root::Output
    }

    /// What stands there; none when the path leads nowhere.
    pub fn find<'a>(&self, case: &'a EvalCase, output: &'a Value) -> Option<Cow<'a, Value>> {
        match self.root {
            Root::Input => descend(&case.input, &self.words),
            // A case that expects nothing at all has nothing there.
            Root::Expected if case.expected.is_null() => None,
            Root::Expected => descend(&case.expected, &self.words),
            Root::Output => descend(output, &self.words),
            Root::Metadata => match self.words.split_first() {
                Some((first, rest)) => descend(case.metadata.get(first)?, rest),
                None => Some(Cow::Owned(Value::Object(case.metadata.clone()))),
            },
        }
    }
}

fn descend<'a>(mut value: &'a Value, words: &[String]) -> Option<Cow<'a, Value>> {
    for (at, word) in words.iter().enumerate() {
        value = match value {
            Value::Array(items) if word == "*" => {
                let found = items.iter().filter_map(|item| descend(item, &words[at + 1..]));
                return Some(Cow::Owned(Value::Array(found.map(Cow::into_owned).collect())));
            }
            Value::Array(items) => items.get(word.parse::<usize>().ok()?)?,
            other => other.get(word)?,
        };
    }
    Some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_a_value_a_list_or_nowhere() {
        let case: EvalCase = serde_json::from_value(json!({
            "id": "a", "input": { "text": "x" }, "expected": { "label": null }, "metadata": { "lang": "fi" }
        }))
        .unwrap();
        let output =
            json!({ "questions": [{ "about": "iban" }, { "other": 1 }, { "about": "phone" }], "n": [[1], [2]] });
        let find = |path: &str| Place::parse(path).unwrap().find(&case, &output).map(Cow::into_owned);
        assert_eq!(find("input.text"), Some(json!("x")));
        assert_eq!(find("expected.label"), Some(Value::Null));
        assert_eq!(find("metadata.lang"), Some(json!("fi")));
        assert_eq!(find("output.questions.*.about"), Some(json!(["iban", "phone"])));
        assert_eq!(find("output.n.*.0"), Some(json!([1, 2])));
        assert_eq!(find("output.questions.2.about"), Some(json!("phone")));
        for nowhere in ["output.questions.3", "output.n.x", "metadata.age", "expected.label.x", "input.*"] {
            assert_eq!(find(nowhere), None, "{nowhere}");
        }
        for none in ["", "outputs.x", "output..x", "x.output"] {
            assert_eq!(Place::parse(none), None, "{none}");
        }
    }
}
