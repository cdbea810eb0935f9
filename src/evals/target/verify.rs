//! A draft with a seeded fault through the checks; the output is `failed` (ids of checks), `blocked`, and the draft's
//! `kind`.
//!
//! The input is `{case: <submission>, fault: <name>}`. The draft is the offline engine's own; the [fault](super::faults)
//! is put into it as a person, a model or a slip would. `none` changes nothing and must fail nothing.

use futures::future::{BoxFuture, FutureExt as _};
use serde::Deserialize;
use serde_json::{Value, json};

use super::faults::{self, Draft};
use super::house::House;
use super::submission::take_in;
use super::{Answer, Target, TargetError};
use crate::cases::{Check, CheckResult};
use crate::evals::case::EvalCase;
use crate::evals::row::Used;
use crate::municipality::yaml::write_one_of;

/// The checks.
#[derive(Debug)]
pub(super) struct Verification(pub House);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seeded {
    case: Value,
    fault: String,
}

impl Verification {
    async fn verify(&self, case: &EvalCase) -> Result<Answer, TargetError> {
        let failed = |what: String| TargetError::Failed(what);
        let seeded: Seeded = serde_json::from_value(case.input.clone())
            .map_err(|_| failed("the input has `case`, a submission, and `fault`, a name".to_owned()))?;
        let put = faults::named(&seeded.fault)
            .ok_or_else(|| failed(format!("no such fault: {}", write_one_of(&seeded.fault, faults::names()))))?;
        let taken = take_in(case, &seeded.case, self.0.municipality())?;
        let (drafted, _) = self.0.draft(taken, 0).await?;
        let kind = drafted.proposal.content.kind;
        let mut draft = Draft::of(drafted);
        let clean = draft.seen.clone();
        if put(&mut draft).is_none() || (seeded.fault != faults::NONE && draft.seen == clean) {
            return Err(failed(format!("the fault `{}` cannot be put into a draft of kind `{kind}`", seeded.fault)));
        }
        let checks = draft.checks();
        let ids: Vec<&str> =
            checks.iter().filter(|check| check.result == CheckResult::Fail).map(|check| check.id.as_str()).collect();
        let blocked = checks.iter().any(Check::blocks);
        let output = json!({ "failed": ids, "blocked": blocked, "kind": kind });
        Ok(Answer { output, used: Used::default(), served_by: None })
    }
}

impl Target for Verification {
    fn answer<'a>(&'a self, case: &'a EvalCase, _epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        self.verify(case).boxed()
    }
}
