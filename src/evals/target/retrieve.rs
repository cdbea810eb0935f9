//! A question to the texts that bind; the output is `ranking`, the ids of sections, best first, each once.

use futures::future::{BoxFuture, FutureExt as _};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;

use super::house::House;
use super::{Answer, Target, TargetError};
use crate::cases::{Language, MunicipalityId, ServiceId};
use crate::evals::case::EvalCase;
use crate::evals::row::Used;
use crate::search::Query;
use crate::text::language::detect;

/// Sections that are listed where a case does not say how many.
const LIMIT: usize = 10;
/// Most sections that a case may ask for.
const MOST: usize = 100;

/// The search.
#[derive(Debug)]
pub(super) struct Retrieval(pub House);

/// A question as it stands in a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(alias = "query", alias = "text", rename = "question")]
    words: String,
    /// The day whose texts bind.
    #[serde(alias = "on")]
    as_of: Date,
    /// As the question is written, where it is left out; Finnish where that cannot be told.
    #[serde(default)]
    language: Option<Language>,
    #[serde(default)]
    service: Option<ServiceId>,
    #[serde(default, alias = "jurisdiction")]
    municipality: Option<MunicipalityId>,
    #[serde(default)]
    limit: Option<usize>,
}

impl Target for Retrieval {
    fn answer<'a>(&'a self, case: &'a EvalCase, _epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        async move {
            let asked: Question = serde_json::from_value(case.input.clone()).map_err(|_| {
                let what = "the input is no question: write `question` and `as_of`, and if need be `language`, \
                            `service`, `municipality` and `limit`";
                TargetError::Failed(what.to_owned())
            })?;
            let limit = asked.limit.unwrap_or(LIMIT).min(MOST);
            let query = Query {
                municipality: asked.municipality.unwrap_or_else(|| self.0.municipality().clone()),
                language: asked.language.or_else(|| detect(&asked.words).known()).unwrap_or(Language::Fi),
                text: asked.words,
                service: asked.service,
                on: asked.as_of,
                // A long section may come up in several parts.
                limit: limit.saturating_mul(2),
            };
            let found = self.0.search().search(&query).await.map_err(|error| TargetError::Fault(error.to_string()))?;
            let mut seen = BTreeSet::new();
            let ids = found.iter().map(|passage| passage.section.to_string());
            let ranking: Vec<String> = ids.filter(|id| seen.insert(id.clone())).take(limit).collect();
            Ok(Answer { output: json!({ "ranking": ranking }), used: Used::default(), served_by: None })
        }
        .boxed()
    }
}
