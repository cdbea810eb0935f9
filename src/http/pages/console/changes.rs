//! What differs between two texts, line by line, for a person who looks before deciding.

use serde::Serialize;

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What became of it.
    pub kind: Kind,
    /// The line.
    pub text: String,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It stands in both.
    Same,
    /// It stands in the later text only.
    Added,
    /// It stood in the earlier text only.
    Removed,
}

/// Both texts in one list, in order: what was removed stands before what was put in its place.
#[must_use]
pub fn changes(before: &str, after: &str) -> Vec<Change> {
    let diff = similar::TextDiff::from_lines(before, after);
    diff.iter_all_changes()
        .map(|change| {
            let kind = match change.tag() {
                similar::ChangeTag::Equal => Kind::Same,
                similar::ChangeTag::Insert => Kind::Added,
                similar::ChangeTag::Delete => Kind::Removed,
            };
            Change { kind, text: change.value().trim_end_matches('\n').to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_was_taken_and_what_was_put() {
        let lines = changes("a\nb\nc\n", "a\nB\nc\n");
        let lines: Vec<(Kind, &str)> = lines.iter().map(|line| (line.kind, line.text.as_str())).collect();
        assert_eq!(lines, [(Kind::Same, "a"), (Kind::Removed, "b"), (Kind::Added, "B"), (Kind::Same, "c")]);
    }
}
