//! Which cases of a dataset are run: what the command line says, as words that a run keeps and a resumed run reads again.
//!
//! Choosing is deterministic: the same words on the same dataset choose the same cases in the same order, on any machine.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::case::{EvalCase, at, plain};
use super::row::Base;
use super::suite::Originals;

/// One condition. Written as on the command line: `--limit=100`, `--where=metadata.lang=fi`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    /// Only the case with this id; several of these are alternatives.
    Id(String),
    /// Only cases with this word at this path; all of these must hold.
    Where {
        /// `metadata.lang`, `expected.label`, `input.channel`.
        path: String,
        /// The word.
        word: String,
    },
    /// So many cases drawn without replacement; the seed and the ids decide which.
    Sample {
        /// How many.
        count: usize,
        /// The seed.
        seed: u64,
    },
    /// Cases at these places of what is left, counted from 1, the last included.
    Limit {
        /// The first.
        first: usize,
        /// The last.
        last: usize,
    },
    /// Every `of`th case of what is left, beginning with the `nth` (from 1): machines beside each other.
    Shard {
        /// Which.
        nth: usize,
        /// Of how many.
        of: usize,
    },
}

/// A word that chooses nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` chooses no cases: write --limit=N or A-B, --id=ID, --where=PATH=WORD, --sample=N:SEED or --shard=I/N")]
pub struct UnknownCriterion(String);

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "--id={id}"),
            Self::Where { path, word } => write!(f, "--where={path}={word}"),
            Self::Sample { count, seed } => write!(f, "--sample={count}:{seed}"),
            Self::Limit { first: 1, last } => write!(f, "--limit={last}"),
            Self::Limit { first, last } => write!(f, "--limit={first}-{last}"),
            Self::Shard { nth, of } => write!(f, "--shard={nth}/{of}"),
        }
    }
}

impl FromStr for Criterion {
    type Err = UnknownCriterion;

    fn from_str(text: &str) -> Result<Self, UnknownCriterion> {
        let unknown = || UnknownCriterion(text.to_owned());
        let (option, value) = text.split_once('=').ok_or_else(unknown)?;
        let number = |word: &str| word.parse::<usize>().ok();
        let criterion = match option {
            "--id" => Some(Self::Id(value.to_owned())),
            "--where" => value.split_once('=').and_then(|(path, word)| {
                let root = path.split('.').next().unwrap_or_default();
                let known = ["input", "expected", "metadata"].contains(&root);
                known.then(|| Self::Where { path: path.to_owned(), word: word.to_owned() })
            }),
            "--sample" => {
                let (count, seed) = value.split_once(':').unwrap_or((value, "0"));
                number(count).zip(seed.parse().ok()).map(|(count, seed)| Self::Sample { count, seed })
            }
            "--limit" => match value.split_once('-') {
                None => number(value).map(|last| Self::Limit { first: 1, last }),
                Some((first, last)) => number(first).zip(number(last)).map(|(first, last)| Self::Limit { first, last }),
            }
            .filter(|limit| matches!(limit, Self::Limit { first, last } if (1..=*last).contains(first))),
            "--shard" => value.split_once('/').and_then(|(nth, of)| {
                let (nth, of) = number(nth).zip(number(of))?;
                (1..=of).contains(&nth).then_some(Self::Shard { nth, of })
            }),
            _ => None,
        };
        criterion.ok_or_else(unknown)
    }
}

/// The cases that fit, in the order of the dataset. Whatever the order of the words: first what the cases are, then how
/// many, then which share of these.
#[must_use]
pub fn choose(cases: Vec<EvalCase>, criteria: &[Criterion]) -> Vec<EvalCase> {
    let ids: Vec<&str> = criteria
        .iter()
        .filter_map(|criterion| match criterion {
            Criterion::Id(id) => Some(id.as_str()),
            _ => None,
        })
        .collect();
    let mut chosen: Vec<EvalCase> = cases
        .into_iter()
        .filter(|case| ids.is_empty() || ids.contains(&case.id.as_str()))
        .filter(|case| criteria.iter().all(|criterion| holds(case, criterion)))
        .collect();
    for criterion in criteria {
        if let Criterion::Sample { count, seed } = *criterion {
            chosen = sample(chosen, count, seed);
        }
    }
    for criterion in criteria {
        if let Criterion::Limit { first, last } = *criterion {
            chosen = chosen.into_iter().take(last).skip(first.saturating_sub(1)).collect();
        }
    }
    for criterion in criteria {
        if let Criterion::Shard { nth, of } = *criterion {
            chosen = chosen.into_iter().skip(nth - 1).step_by(of).collect();
        }
    }
    chosen
}

/// The word that a case has at a path, for slices, clusters and conditions; nothing written out is none, too.
#[must_use]
pub fn word(case: &EvalCase, path: &str) -> Option<String> {
    let (root, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = match root {
        "input" => at("input", &case.input, path),
        "expected" => at("expected", &case.expected, path),
        "metadata" => {
            let key = rest.split('.').next().unwrap_or_default();
            at(key, case.metadata.get(key)?, rest)
        }
        _ => None,
    };
    value.filter(|value| !value.is_null()).map(|value| plain(Some(value)))
}

/// Of which message a case is the original or a rewriting; none where it is neither.
#[must_use]
pub fn base(case: &EvalCase, originals: &Originals) -> Option<Base> {
    let (path, wanted) = originals.which.split_once('=')?;
    Some(Base { id: word(case, &originals.by)?, original: word(case, path).is_some_and(|found| found == wanted) })
}

fn holds(case: &EvalCase, criterion: &Criterion) -> bool {
    match criterion {
        // As slices name it.
        Criterion::Where { path, word: wanted } => word(case, path).unwrap_or_else(|| plain(None)) == *wanted,
        _ => true,
    }
}

fn sample(cases: Vec<EvalCase>, count: usize, seed: u64) -> Vec<EvalCase> {
    let draw = |case: &EvalCase| Sha256::digest(format!("{seed}:{}", case.id));
    let mut drawn: Vec<(usize, EvalCase)> = cases.into_iter().enumerate().collect();
    drawn.sort_by_cached_key(|(_, case)| draw(case).to_vec());
    drawn.truncate(count);
    drawn.sort_by_key(|(place, _)| *place);
    drawn.into_iter().map(|(_, case)| case).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cases() -> Vec<EvalCase> {
        (1..=20)
            .map(|nth| {
                let lang = if nth % 2 == 0 { "fi" } else { "sv" };
                let case = json!({ "id": format!("c-{nth:02}"), "input": { "nth": nth },
                                   "metadata": { "lang": lang, "sender": { "kind": "person" } } });
                serde_json::from_value(case).unwrap()
            })
            .collect()
    }

    fn chosen(words: &[&str]) -> Vec<String> {
        let criteria: Vec<Criterion> = words.iter().map(|word| word.parse().unwrap()).collect();
        choose(cases(), &criteria).iter().map(|case| case.id.to_string()).collect()
    }

    #[test]
    fn words_choose() {
        assert_eq!(chosen(&["--id=c-07", "--id=c-03"]), ["c-03", "c-07"]);
        assert_eq!(chosen(&["--where=metadata.lang=fi", "--limit=2"]), ["c-02", "c-04"]);
        assert_eq!(chosen(&["--limit=19-99"]), ["c-19", "c-20"]);
        assert_eq!(chosen(&["--where=input.nth=5"]), ["c-05"]);
        assert_eq!(chosen(&["--where=metadata.sender.kind=person"]).len(), 20);
        assert!(chosen(&["--where=metadata.lang=en"]).is_empty());
    }

    #[test]
    fn nothing_written_out_is_no_word() {
        let case: EvalCase =
            serde_json::from_value(json!({ "id": "a", "input": 1, "metadata": { "household": null } })).unwrap();
        assert_eq!((word(&case, "metadata.household"), word(&case, "metadata.road")), (None, None));
        let chosen = |words: &str| choose(vec![case.clone()], &[words.parse().unwrap()]).len();
        assert_eq!((chosen("--where=metadata.household=none"), chosen("--where=metadata.road=none")), (1, 1));
        assert_eq!(chosen("--where=metadata.household=h-1"), 0);
    }

    #[test]
    fn shards_share_the_cases_out() {
        let mut all: Vec<String> =
            (1..=3).flat_map(|nth| chosen(&["--limit=10", &format!("--shard={nth}/3")])).collect();
        all.sort();
        assert_eq!(all, chosen(&["--limit=10"]));
    }

    #[test]
    fn a_sample_is_the_seed_s() {
        let first = chosen(&["--sample=5:7"]);
        assert_eq!((first.len(), &first), (5, &chosen(&["--sample=5:7"])));
        assert_ne!(first, chosen(&["--sample=5:8"]));
        assert!(first.is_sorted(), "the order is the dataset's");
        assert_eq!(chosen(&["--sample=99:7"]).len(), 20);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for word in
            ["--limit=5", "--limit=3-9", "--id=a/b", "--where=expected.label=x=y", "--sample=5:7", "--shard=1/4"]
        {
            assert_eq!(word.parse::<Criterion>().unwrap().to_string(), word);
        }
        for wrong in [
            "--limit=x",
            "--limit=0",
            "--limit=0-2",
            "--limit=3-2",
            "--shard=0/4",
            "--shard=5/4",
            "--where=output.a=b",
            "--where=lang",
            "x",
            "--all=1",
        ] {
            assert!(wrong.parse::<Criterion>().is_err(), "{wrong}");
        }
    }
}
