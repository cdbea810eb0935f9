//! Cases that a resident's case hangs together with: the one that it was merged into, and those that were made of the
//! same message.
//!
//! A decision that was corrected says in which case. Of a case that is another's nothing is shown but its number. What came out of one message is one party's.

use serde::Serialize;

use crate::app::App;
use crate::cases::{Case, DraftKind, Status};
use crate::http::error::Result;
use crate::municipality::format::ServiceFile;

/// A case of the same message.
#[derive(Debug, Serialize)]
struct Sibling {
    number: String,
    status: Status,
}

/// What the page says of other cases.
#[derive(Debug, Serialize)]
pub struct Related {
    /// The number of the case with which this one is handled together.
    merged_into: Option<String>,
    /// Other cases of the same message, oldest first.
    siblings: Vec<Sibling>,
    /// Numbers of the cases in which the decision of this one was corrected.
    corrections: Vec<String>,
}

impl Related {
    /// The cases that this one hangs together with.
    ///
    /// # Errors
    /// [`crate::http::error::Error::Unavailable`].
    pub async fn of(app: &App, case: &Case) -> Result<Self> {
        let merged_into = case.file.merged_into.as_ref().map(|merger| merger.case.number.clone());
        let all = app.storage().cases_of_submission(&case.municipality, case.submission_id).await?;
        // A part that came back into its message is no matter of its own any more.
        let is_back = |other: &Case| {
            other.file.merged_into.as_ref().is_some_and(|merger| all.iter().any(|one| one.id == merger.case.id))
        };
        let others = all.iter().filter(|other| other.id != case.id && !is_back(other));
        let siblings = others.map(|other| Sibling { number: other.number.clone(), status: other.status }).collect();
        let pack = &app.review().desk(&case.municipality)?.rulebook.pack;
        let corrects = |other: &Case| {
            let class = other.file.classification.as_ref().and_then(|class| class.service.as_ref());
            other.status == Status::Decided && class.and_then(|id| pack.service(id)).is_some_and(ServiceFile::corrects)
        };
        let about = app.storage().cases_about(&case.municipality, case.id).await?;
        let mut corrections = Vec::new();
        for other in about.into_iter().filter(corrects) {
            let draft = app.storage().latest_draft(&other.municipality, other.id).await?;
            // One that was asked for and refused changes nothing.
            if draft.is_some_and(|draft| draft.content.kind == DraftKind::Correction || draft.content.kind.grants()) {
                corrections.push(other.number);
            }
        }
        Ok(Self { merged_into, siblings, corrections })
    }
}
