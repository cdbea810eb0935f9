//! Two notices, as intake compares them; the output is `duplicate`, `likeness` and what it rests on.
//!
//! Each is read by intake and told its category by the classifier, as a case is before anybody looks at it.

use futures::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};

use super::house::House;
use super::submission::take_in;
use super::{Answer, Target, TargetError};
use crate::cases::{CaseFile, Matter};
use crate::evals::case::EvalCase;
use crate::evals::row::Used;
use crate::intake::duplicates::{Likeness, Notice};
use crate::triage::proposals::Proposals;
use crate::triage::{Circumstances, Step};

/// The comparison.
#[derive(Debug)]
pub(super) struct Duplicates(pub House);

impl Duplicates {
    fn notice(&self, case: &EvalCase, name: &str) -> Result<Notice, TargetError> {
        let missing = || TargetError::Failed("the input is no pair: write two notices, `a` and `b`".to_owned());
        let taken = take_in(case, case.input.get(name).ok_or_else(missing)?, self.0.municipality())?;
        let desk = self.0.desk(&taken.submission, 0)?;
        let at = Circumstances::new("", taken.now);
        let mut file = CaseFile::default();
        for step in [Step::Read, Step::Classify] {
            let done = desk.run(step, &taken.submission, file, &at, &Proposals::none());
            (file, _) = done.map_err(|error| TargetError::Failed(error.to_string()))?;
        }
        let class = file.classification.filter(|class| class.matter == Matter::FaultNotice);
        Ok(Notice::of(&taken.submission, class.and_then(|class| class.category)))
    }
}

impl Target for Duplicates {
    fn answer<'a>(&'a self, case: &'a EvalCase, _epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        async move {
            let likeness = Likeness::between(&self.notice(case, "a")?, &self.notice(case, "b")?);
            let mut output = json!(likeness);
            output["duplicate"] = Value::Bool(likeness.is_duplicate());
            Ok(Answer { output, used: Used::default(), served_by: None })
        }
        .boxed()
    }
}
