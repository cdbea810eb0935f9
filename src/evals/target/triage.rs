//! A submission through all steps, as `vireille triage` does; the output is the same object.

use futures::future::{BoxFuture, FutureExt as _};

use super::house::House;
use super::submission::take_in;
use super::{Answer, Target, TargetError};
use crate::evals::case::EvalCase;
use crate::model::cassette::Asked;
use crate::triage::report::Report;

/// All steps.
#[derive(Debug)]
pub(super) struct Steps(pub House);

impl Target for Steps {
    fn answer<'a>(&'a self, case: &'a EvalCase, epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        async move {
            let taken = take_in(case, &case.input, self.0.municipality())?;
            let (drafted, spent) = self.0.draft(taken, epoch).await?;
            let report = Report::new(&drafted.taken.submission, &drafted.file, &drafted.proposal);
            let output = serde_json::to_value(report).map_err(|error| TargetError::Failed(error.to_string()))?;
            Ok(Answer { output, used: spent.used, served_by: spent.served_by })
        }
        .boxed()
    }

    fn asked(&self) -> Option<Asked> {
        self.0.asked()
    }
}
