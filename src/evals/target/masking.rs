//! A text through the masking and back; the output is `masked`, `restored`, and whether it is `exact`: what was put
//! back is the text in normal form, character by character.
//!
//! The input is a submission whose `text` is masked; what its form and its sender tell is known to the masker, as it is
//! in a case.

use futures::future::{BoxFuture, FutureExt as _};
use serde_json::json;

use super::house::House;
use super::submission::take_in;
use super::{Answer, Target, TargetError};
use crate::evals::case::EvalCase;
use crate::evals::row::Used;
use crate::text::normalize;

/// The masking.
#[derive(Debug)]
pub(super) struct Masking(pub House);

impl Masking {
    fn mask(&self, case: &EvalCase) -> Result<Answer, TargetError> {
        let mut input = case.input.clone();
        if input.is_string() {
            input = json!({ "text": input });
        }
        if let Some(input) = input.as_object_mut()
            && !input.contains_key("received_at")
        {
            // What is masked does not depend on the day.
            input.entry("now").or_insert_with(|| json!("2026-01-01T10:00:00Z"));
        }
        let taken = take_in(case, &input, self.0.municipality())?;
        let submission = &taken.submission;
        let masker = self.0.desk(submission, 0)?.masker(submission, submission.service.as_ref());
        let text = normalize(submission.text.as_deref().unwrap_or_default()).text;
        let hidden = masker.mask(&text);
        let restored = masker.restore(hidden.as_str()).map_err(|error| TargetError::Failed(error.to_string()))?;
        let exact = restored == text;
        let output = json!({ "masked": hidden.as_str(), "restored": restored, "exact": exact });
        Ok(Answer { output, used: Used::default(), served_by: None })
    }
}

impl Target for Masking {
    fn answer<'a>(&'a self, case: &'a EvalCase, _epoch: u32) -> BoxFuture<'a, Result<Answer, TargetError>> {
        async move { self.mask(case) }.boxed()
    }
}
