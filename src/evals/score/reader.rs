//! Reads the assertions of a suite: the paths, labels, patterns and schemas that they name, once and before any case.
//!
//! What cannot be used is a fault with the line of the suite's file and what to write instead; nothing is guessed.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::Validator;
use regex::Regex;
use serde_json::Value;

use super::judge::Judge;
use super::labels::Labels;
use super::place::Place;
use super::{Check, Gold, Noted, Test, named, text};
use crate::evals::suite::{Assertion, AssertionKind, Suite};
use crate::municipality::{Faults, yaml};

/// Reads one assertion of a suite.
pub(super) struct Reader<'a> {
    pub(super) suite: &'a Suite,
    pub(super) assertion: &'a Assertion,
    pub(super) folder: &'a Path,
    pub(super) file: &'a Path,
    pub(super) source: &'a str,
    pub(super) nth: usize,
    pub(super) faults: &'a mut Faults,
}

impl Reader<'_> {
    pub(super) fn fault(&mut self, key: &str, what: impl Into<String>, instead: impl Into<String>) {
        let item = format!("#{}", self.nth);
        let begin = yaml::line_of(self.source, &["assert", &item]);
        // An assertion on one line has no lines of its own: a key that is found further down is another's.
        let on_one_line = self.source.lines().nth(begin - 1).is_some_and(|line| line.contains('{'));
        let line = if on_one_line { begin } else { yaml::line_of(self.source, &["assert", &item, key]) };
        self.faults.at(self.file, line, what, instead);
    }

    pub(super) fn judge(&mut self) -> Option<Judge> {
        if self.assertion.rubric.is_none() || self.assertion.provider.is_none() {
            self.fault("type", "a judge without a rubric or a model", "give it a `rubric` and a `provider`");
        }
        Judge::read(self.assertion, self.folder, self.faults)
    }

    /// The assertion, with those before it; none when it cannot be used.
    pub(super) fn check(&mut self, before: &[Check]) -> Option<Check> {
        let assertion = self.assertion;
        let actual = match &assertion.actual {
            Some(path) => self.place("actual", path),
            None => Some(default_place(assertion.kind)),
        };
        let abstained = match &assertion.abstained {
            Some(path) => Some(self.place("abstained", path)?),
            None => None,
        };
        let gold = self.gold();
        if assertion.threshold.is_some_and(|threshold| !threshold.is_finite()) {
            self.fault("threshold", "the threshold is no number", "write a number");
        }
        let test = self.test(before);
        let (actual, gold, test) = (actual?, gold?, test?);
        Some(Check { noted: Noted::of(assertion), actual, gold, threshold: assertion.threshold, abstained, test })
    }

    fn place(&mut self, key: &str, path: &str) -> Option<Place> {
        let place = Place::parse(path);
        if place.is_none() {
            let instead = "begin it with input, expected, metadata or output";
            self.fault(key, format!("the path `{path}` leads nowhere"), instead);
        }
        place
    }

    fn gold(&mut self) -> Option<Gold> {
        match (&self.assertion.expected, &self.assertion.value) {
            (Some(_), Some(_)) => {
                self.fault("value", "two right answers", "give `expected` (a path) or `value`, not both");
                None
            }
            (Some(path), None) => {
                let place = self.place("expected", path)?;
                if !place.is_of_the_case() {
                    self.fault("expected", "the right answer is looked for in the answer", "name a path of the case");
                    return None;
                }
                Some(Gold::At(place))
            }
            (None, Some(value)) => Some(Gold::Fixed(value.clone())),
            (None, None) if needs_gold(self.assertion.kind) => {
                let what = format!("`{}` has nothing to compare with", self.assertion.kind.as_str());
                self.fault("type", what, "give it `expected` (a path of the case) or `value`");
                None
            }
            (None, None) => Some(Gold::Absent),
        }
    }

    fn test(&mut self, before: &[Check]) -> Option<Test> {
        let assertion = self.assertion;
        Some(match assertion.kind {
            AssertionKind::Equals => Test::Equals,
            AssertionKind::Label => Test::Label(self.labels()),
            AssertionKind::Ordinal => Test::Ordinal(self.levels()?),
            AssertionKind::Confidence => Test::Confidence(self.label_of(before)?),
            AssertionKind::Ranking => Test::Ranking,
            AssertionKind::Set => Test::Set,
            AssertionKind::ContainsAll => Test::ContainsAll,
            AssertionKind::Contains => Test::Contains,
            AssertionKind::NotContains => Test::NotContains,
            AssertionKind::Regex if assertion.value.is_none() => Test::Regex(None),
            AssertionKind::Regex => Test::Regex(Some(self.pattern()?)),
            AssertionKind::JsonSchema if assertion.value.is_none() => Test::JsonSchema(None),
            AssertionKind::JsonSchema => Test::JsonSchema(Some(Box::new(self.schema()?))),
            AssertionKind::Amount => Test::Amount,
            AssertionKind::Language => Test::Language,
            AssertionKind::NotContainsPii => Test::NotContainsPii,
            AssertionKind::Citations => Test::Citations,
            AssertionKind::Grounded => Test::Grounded,
            AssertionKind::Checks => Test::Checks,
            AssertionKind::Parts => Test::Parts,
            AssertionKind::EditDistance => Test::EditDistance,
            AssertionKind::Facts => Test::Facts,
            AssertionKind::Latency => Test::Latency,
            AssertionKind::Cost => Test::Cost,
            // Read elsewhere: it asks somebody.
            AssertionKind::Judge => return None,
        })
    }

    fn labels(&self) -> Labels {
        let settings = self.suite.metrics.get(self.assertion.metric());
        Labels(settings.map(|settings| settings.labels.clone()).unwrap_or_default())
    }

    fn levels(&mut self) -> Option<Labels> {
        let settings = self.suite.metrics.get(self.assertion.metric());
        let own = &self.assertion.order;
        let order = if own.is_empty() { settings.map(|s| s.order.clone()).unwrap_or_default() } else { own.clone() };
        let distinct: BTreeSet<&String> = order.iter().collect();
        if order.len() < 2 || distinct.len() < order.len() {
            self.fault("order", "the levels are no scale", "name at least two levels under `order`, lowest first");
            return None;
        }
        Some(Labels(order))
    }

    fn label_of(&mut self, before: &[Check]) -> Option<usize> {
        let is_label = |check: &Check| matches!(check.test, Test::Label(_) | Test::Ordinal(_));
        let named = |check: &Check| Some(&check.noted.metric) == self.assertion.of.as_ref();
        let found = before.iter().position(|check| named(check) && is_label(check));
        if found.is_none() {
            let instead = "name the metric of a `label` or `ordinal` that stands before it under `of`";
            self.fault("of", "nobody knows which label it is the confidence of", instead);
        }
        found
    }

    fn pattern(&mut self) -> Option<Regex> {
        let pattern = text::pattern(self.assertion.value.as_ref()?);
        if pattern.is_err() {
            self.fault("value", "the pattern is no regular expression", "write one, in quotes");
        }
        pattern.ok()
    }

    /// The schema itself, or the file that holds it.
    fn schema(&mut self) -> Option<Validator> {
        let schema = match &self.assertion.value {
            Some(Value::String(file)) => {
                let file = named(self.folder, Path::new(file));
                let text = yaml::read_file(&file, self.faults)?;
                serde_json::from_str(&text).ok()
            }
            other => other.clone().filter(Value::is_object),
        };
        let validator = schema.and_then(|schema| text::schema(&schema).ok());
        if validator.is_none() {
            self.fault("value", "this is no JSON Schema", "write one, or name the file of one, under `value`");
        }
        validator
    }
}

/// Where an assertion looks that names no place.
fn default_place(kind: AssertionKind) -> Place {
    let path = match kind {
        AssertionKind::Facts => "output.facts",
        AssertionKind::Parts => "output.draft.parts",
        AssertionKind::Ranking => "output.ranking",
        AssertionKind::Confidence => "output.confidence",
        _ => return Place::whole_answer(),
    };
    Place::parse(path).unwrap_or_else(Place::whole_answer)
}

/// Whether an assertion of that kind compares with a right answer.
const fn needs_gold(kind: AssertionKind) -> bool {
    !matches!(
        kind,
        AssertionKind::Confidence
            | AssertionKind::NotContainsPii
            | AssertionKind::Citations
            | AssertionKind::Grounded
            | AssertionKind::Checks
            | AssertionKind::Latency
            | AssertionKind::Cost
            | AssertionKind::Judge
    )
}
