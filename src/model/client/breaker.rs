//! An address that fails again and again is left alone for a while, then tried with one request.
//!
//! *Closed*: requests pass, failures in a row are counted. *Open*: none passes until the pause is over. *Half open*: one
//! request passes as a probe; its end closes or opens again. What came back from requests that were sent before the
//! breaker opened changes nothing: only the probe decides.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The breaker of one address.
#[derive(Debug)]
pub(super) struct Breaker {
    /// The address, for the log.
    name: &'static str,
    failures: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen,
}

/// Leave to send one request. Dropped without a word (the request was given up) it only frees the probe's place.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: bool,
    told: bool,
}

impl Breaker {
    /// Opens after `failures` in a row for `pause`.
    pub(super) const fn new(name: &'static str, failures: u32, pause: Duration) -> Self {
        Self { name, failures, pause, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Whether a request would pass.
    pub(super) fn lets_pass(&self) -> bool {
        match *self.state() {
            State::Closed { .. } => true,
            State::Open { until } => Instant::now() >= until,
            State::HalfOpen => false,
        }
    }

    /// Leave for one request, if one passes.
    pub(super) fn enter(&self) -> Option<Pass<'_>> {
        let mut state = self.state();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if Instant::now() >= until => {
                *state = State::HalfOpen;
                true
            }
            State::Open { .. } | State::HalfOpen => return None,
        };
        Some(Pass { breaker: self, probe, told: false })
    }

    fn open(&self, state: &mut State) {
        *state = State::Open { until: Instant::now() + self.pause };
        let seconds = self.pause.as_secs();
        tracing::warn!(
            endpoint = self.name,
            seconds,
            "the model's {} address is left alone for {seconds} s",
            self.name
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // One value, written whole: it is sound even after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The address answered, though perhaps with a refusal.
    pub(super) fn worked(mut self) {
        self.told = true;
        let mut state = self.breaker.state();
        match *state {
            State::Closed { .. } => *state = State::Closed { failures: 0 },
            State::HalfOpen if self.probe => *state = State::Closed { failures: 0 },
            State::Open { .. } | State::HalfOpen => {}
        }
    }

    /// It failed.
    pub(super) fn failed(mut self) {
        self.told = true;
        let mut state = self.breaker.state();
        match *state {
            State::Closed { failures } if failures + 1 < self.breaker.failures => {
                *state = State::Closed { failures: failures + 1 };
            }
            State::Closed { .. } => self.breaker.open(&mut state),
            State::HalfOpen if self.probe => self.breaker.open(&mut state),
            State::Open { .. } | State::HalfOpen => {}
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.probe && !self.told {
            *self.breaker.state() = State::Open { until: Instant::now() };
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn breaker() -> Breaker {
        Breaker::new("primary", 3, PAUSE)
    }

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.enter().expect("it is closed").failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_only() {
        let breaker = breaker();
        fail(&breaker, 2);
        breaker.enter().unwrap().worked();
        fail(&breaker, 2);
        assert!(breaker.lets_pass());
        fail(&breaker, 1);
        assert!(!breaker.lets_pass());
        assert!(breaker.enter().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_decides() {
        let breaker = breaker();
        fail(&breaker, 3);
        advance(PAUSE).await;
        let probe = breaker.enter().unwrap();
        assert!(breaker.enter().is_none(), "one probe at a time");
        probe.failed();
        advance(PAUSE / 2).await;
        assert!(!breaker.lets_pass(), "it is left alone anew");
        advance(PAUSE / 2).await;
        breaker.enter().unwrap().worked();
        fail(&breaker, 2);
        assert!(breaker.lets_pass(), "the count starts anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_given_up_frees_its_place() {
        let breaker = breaker();
        fail(&breaker, 3);
        advance(PAUSE).await;
        drop(breaker.enter().unwrap());
        assert!(breaker.enter().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_sent_before_it_opened_changes_nothing() {
        let breaker = breaker();
        let early = (breaker.enter().unwrap(), breaker.enter().unwrap());
        fail(&breaker, 3);
        early.0.worked();
        assert!(!breaker.lets_pass());
        advance(PAUSE).await;
        let probe = breaker.enter().unwrap();
        early.1.failed();
        probe.worked();
        assert!(breaker.lets_pass());
    }
}
