//! Leaving alone for a while what has just failed, so that not every search waits for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long something that failed is left alone.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// A pause, or none.
#[derive(Debug, Default)]
pub(super) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// Whether one is on.
    pub fn is_on(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Begins one now.
    pub fn begin(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends() {
        let pause = Pause::default();
        assert!(!pause.is_on());
        pause.begin();
        assert!(pause.is_on());
        tokio::time::advance(PAUSE).await;
        assert!(!pause.is_on());
    }
}
