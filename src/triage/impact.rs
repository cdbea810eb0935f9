//! The cases that the impact of a policy is worked out over: stored ones of a municipality, or submissions.
//!
//! Owned by triage, which reads and gathers; [`crate::policy::impact`] does the reckoning. No model is asked, nothing is
//! written, and what was left out is counted by reason. Names are case numbers or the names of submissions, never people's.

use std::collections::BTreeMap;

use super::proposals::Proposals;
use super::{Circumstances, Desk, Error, Step};
use crate::cases::{Case, CaseFile, CaseId, Status, Submission};
use crate::policy::impact::{self, Impact, LeftOut, Material};
use crate::policy::{Document, Rulebook};
use crate::storage::{self, Storage};

/// Cases that are assessed at once when nobody says otherwise.
pub const USUAL_LIMIT: u32 = 1_000;

/// Cases to assess, and how many are not among them.
#[derive(Debug, Default)]
pub struct Cases {
    /// Each with its name, and its id where it is stored.
    pub files: Vec<(String, Option<CaseId>, CaseFile)>,
    /// Why others are missing.
    pub left_out: BTreeMap<LeftOut, u64>,
}

impl Cases {
    /// The stored cases of the services that the document governs, the last to arrive first. `hides` says of which the
    /// asker may not see yet what the rules give.
    ///
    /// # Errors
    /// What the database says.
    pub async fn stored(
        storage: &Storage,
        book: &Rulebook,
        document: &Document,
        limit: u32,
        hides: impl Fn(&Case) -> bool,
    ) -> storage::Result<Self> {
        let municipality = &book.pack.municipality.id;
        let governed = book.pack.services.values().filter(|service| service.policy.as_ref() == Some(&document.id));
        let (mut found, mut all) = (Vec::new(), 0);
        for service in governed {
            let (cases, count) = storage.cases_of_service(municipality, &service.id, limit).await?;
            found.extend(cases);
            all += count;
        }
        found.sort_by_key(|case| std::cmp::Reverse((case.received_at, case.id)));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let mut cases = Self::default();
        cases.leave_out(LeftOut::BeyondLimit, all.saturating_sub(found.len() as u64));
        for case in found {
            match case.status {
                Status::Withdrawn => cases.leave_out(LeftOut::Withdrawn, 1),
                Status::Merged => cases.leave_out(LeftOut::Merged, 1),
                _ if hides(&case) => cases.leave_out(LeftOut::JudgeFirst, 1),
                _ => cases.files.push((case.number, Some(case.id), case.file)),
            }
        }
        Ok(cases)
    }

    /// Adds a submission as the offline engine reads it; an error counts as left out.
    pub fn add(&mut self, desk: &Desk, name: String, submission: &Submission, at: &Circumstances<'_>) {
        match assessed(desk, submission, at) {
            Ok(file) => self.files.push((name, None, file)),
            Err(_) => self.leave_out(LeftOut::NotAssessed, 1),
        }
    }

    /// Counts cases that are not assessed.
    pub fn leave_out(&mut self, why: LeftOut, cases: u64) {
        if cases > 0 {
            *self.left_out.entry(why).or_default() += cases;
        }
    }

    /// The impact of the second version against the first over these cases.
    #[must_use]
    pub fn impact(&self, before: &Document, after: &Document) -> Impact {
        let materials = self.files.iter().map(|(name, id, file)| Material { name, id: *id, file });
        impact::impact(before, after, materials, self.left_out.clone())
    }
}

/// The steps up to the rules, without asking anybody.
fn assessed(desk: &Desk, submission: &Submission, at: &Circumstances<'_>) -> Result<CaseFile, Error> {
    let steps = [Step::Read, Step::Classify, Step::Gather, Step::Assess];
    steps.into_iter().try_fold(CaseFile::default(), |file, step| {
        desk.run(step, submission, file, at, &Proposals::none()).map(|(file, _)| file)
    })
}
