//! Triage as it is at the moment: the one place where new packs take the place of old ones.
//!
//! Whoever begins something takes what there is [`now`](Live::now) and keeps it to the end: a job, a request, a draft is
//! the work of one state of the packs. A change is one step; nobody ever sees half of it.

use std::sync::{Arc, PoisonError, RwLock};

use super::Triage;

/// Triage as it is at the moment. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Live(Arc<RwLock<Arc<Triage>>>);

impl Live {
    /// Triage as it is.
    #[must_use]
    pub fn now(&self) -> Arc<Triage> {
        // Nothing panics while it holds the lock, and an `Arc` is never half a one.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on it is this.
    pub fn replace(&self, triage: Arc<Triage>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = triage;
    }
}

impl From<Arc<Triage>> for Live {
    fn from(triage: Arc<Triage>) -> Self {
        Self(Arc::new(RwLock::new(triage)))
    }
}
