//! How much one address is asked: requests in flight, requests and tokens a minute, and the pause it asked for.
//!
//! The limits a minute hold for *any* minute, not for each one of the clock. Whoever waits keeps their turn. A wait that
//! would end after the caller's time is over is not begun: the caller can go elsewhere at once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};

use crate::model::chat::{ChatError, TimeLimit};

const MINUTE: Duration = Duration::from_mins(1);
/// An address that asks for a longer pause is asked again after this one: it may have meant that one request only.
const LONGEST_PAUSE: Duration = MINUTE;

/// The door to one address.
#[derive(Debug)]
pub(super) struct Gate {
    places: Semaphore,
    /// Whoever holds it is the next to pass.
    turn: tokio::sync::Mutex<()>,
    spent: Mutex<Spent>,
}

#[derive(Debug)]
struct Spent {
    requests: Window,
    tokens: Window,
    /// The address asked to wait until then.
    paused_until: Instant,
}

/// A place at the address; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    gate: &'a Gate,
    _permit: SemaphorePermit<'a>,
    /// Under which moment, and how many tokens were reckoned with.
    entered: Instant,
    tokens: u64,
}

impl Gate {
    /// A gate for so many in flight and so much a minute; 0 a minute means no limit.
    pub(super) fn new(concurrency: u32, requests_per_minute: u32, tokens_per_minute: u32) -> Self {
        let spent = Spent {
            requests: Window::new(requests_per_minute.into()),
            tokens: Window::new(tokens_per_minute.into()),
            paused_until: Instant::now(),
        };
        let places = Semaphore::new(concurrency.max(1).try_into().unwrap_or(Semaphore::MAX_PERMITS));
        Self { places, turn: tokio::sync::Mutex::new(()), spent: Mutex::new(spent) }
    }

    /// Whether tokens are limited: if not, nobody need count them.
    pub(super) fn counts_tokens(&self) -> bool {
        self.spent().tokens.limit > 0
    }

    /// A place, as soon as there is one and `tokens` more may be asked for; before `until`, or not at all.
    pub(super) async fn enter(&self, tokens: u64, until: Instant) -> Result<Place<'_>, ChatError> {
        let late = |_| ChatError::Timeout(TimeLimit::Total);
        let permit = timeout_at(until, self.places.acquire()).await.map_err(late)?;
        // The semaphore is never closed.
        let permit = permit.map_err(|_| ChatError::Unreachable)?;
        let _turn = timeout_at(until, self.turn.lock()).await.map_err(late)?;
        loop {
            match self.spend(tokens) {
                Ok(entered) => return Ok(Place { gate: self, _permit: permit, entered, tokens }),
                Err(wait) if Instant::now() + wait >= until => {
                    return Err(ChatError::RateLimited { retry_after: Some(wait) });
                }
                Err(wait) => sleep(wait).await,
            }
        }
    }

    /// A place, if there is one now.
    pub(super) fn try_enter(&self, tokens: u64) -> Option<Place<'_>> {
        let permit = self.places.try_acquire().ok()?;
        let _turn = self.turn.try_lock().ok()?;
        let entered = self.spend(tokens).ok()?;
        Some(Place { gate: self, _permit: permit, entered, tokens })
    }

    /// The address asked to wait.
    pub(super) fn pause(&self, wait: Duration) {
        let mut spent = self.spent();
        spent.paused_until = spent.paused_until.max(Instant::now() + wait.min(LONGEST_PAUSE));
    }

    /// Spends one request and its tokens and tells under which moment, or how long to wait before asking again.
    fn spend(&self, tokens: u64) -> Result<Instant, Duration> {
        let mut spent = self.spent();
        let now = Instant::now();
        let paused = spent.paused_until.saturating_duration_since(now);
        let wait = paused.max(spent.requests.wait(now, 1)).max(spent.tokens.wait(now, tokens));
        if wait > Duration::ZERO {
            return Err(wait);
        }
        spent.requests.add(now, 1);
        spent.tokens.add(now, tokens);
        Ok(now)
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        // Sums that at worst miss one request after a panic.
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// What the answer really took.
    pub(super) fn took(&self, tokens: u64) {
        self.gate.spent().tokens.correct(self.entered, self.tokens, tokens);
    }
}

/// What was spent in the last minute.
#[derive(Debug)]
struct Window {
    /// Most in a minute; 0: no limit.
    limit: u64,
    spent: VecDeque<(Instant, u64)>,
    sum: u64,
}

impl Window {
    const fn new(limit: u64) -> Self {
        Self { limit, spent: VecDeque::new(), sum: 0 }
    }

    /// How long until `amount` more fits. More than the limit fits when nothing else was spent.
    fn wait(&mut self, now: Instant, amount: u64) -> Duration {
        if self.limit == 0 {
            return Duration::ZERO;
        }
        while let Some(&(_, old)) = self.spent.front().filter(|(at, _)| now >= *at + MINUTE) {
            self.sum -= old;
            self.spent.pop_front();
        }
        let mut over = (self.sum + amount).saturating_sub(self.limit);
        let mut wait = Duration::ZERO;
        for &(at, old) in &self.spent {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(old);
            wait = (at + MINUTE).saturating_duration_since(now);
        }
        wait
    }

    fn add(&mut self, now: Instant, amount: u64) {
        if self.limit > 0 {
            self.spent.push_back((now, amount));
            self.sum += amount;
        }
    }

    /// What was reckoned at a moment was another amount.
    fn correct(&mut self, entered: Instant, reckoned: u64, amount: u64) {
        if let Some(entry) = self.spent.iter_mut().rev().find(|entry| **entry == (entered, reckoned)) {
            entry.1 = amount;
            self.sum = self.sum - reckoned + amount;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_hours(1)
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_in_flight_and_no_more() {
        let gate = Gate::new(2, 0, 0);
        let (first, _second) = (gate.enter(0, soon()).await.unwrap(), gate.enter(0, soon()).await.unwrap());
        let third = gate.enter(0, Instant::now() + Duration::from_secs(5)).await;
        assert_eq!(third.unwrap_err(), ChatError::Timeout(TimeLimit::Total));
        drop(first);
        assert!(gate.enter(0, soon()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn any_minute_holds_so_many_requests() {
        let gate = Gate::new(100, 6, 0);
        let started = Instant::now();
        let mut moments = Vec::new();
        for nth in 0..20u64 {
            tokio::time::advance(Duration::from_secs(nth % 3)).await;
            gate.enter(0, soon()).await.unwrap();
            moments.push(started.elapsed());
        }
        for window in moments.windows(7) {
            assert!(window[6] >= window[0] + MINUTE, "{window:?}");
        }
        assert!(started.elapsed() < 4 * MINUTE, "and it does not wait longer than it must: {moments:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_reckoned_with_and_corrected() {
        let gate = Gate::new(100, 0, 1000);
        let started = Instant::now();
        let first = gate.enter(900, soon()).await.unwrap();
        first.took(100);
        gate.enter(900, soon()).await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
        gate.enter(50, soon()).await.unwrap();
        assert_eq!(started.elapsed(), MINUTE);
        gate.enter(5000, soon()).await.unwrap();
        assert_eq!(started.elapsed(), 2 * MINUTE, "more than the limit passes alone");
    }

    #[tokio::test]
    async fn what_was_reckoned_is_corrected_while_time_goes_on() {
        let gate = Gate::new(100, 0, 1000);
        for _ in 0..3 {
            gate.try_enter(900).expect("ten tokens were taken, not nine hundred").took(10);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_too_long_is_not_begun() {
        let gate = Gate::new(100, 0, 0);
        gate.pause(Duration::from_secs(20));
        let started = Instant::now();
        let refused = gate.enter(0, Instant::now() + Duration::from_secs(10)).await.unwrap_err();
        assert_eq!(refused, ChatError::RateLimited { retry_after: Some(Duration::from_secs(20)) });
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert!(gate.try_enter(0).is_none());
        gate.enter(0, soon()).await.unwrap();
        assert_eq!(started.elapsed(), Duration::from_secs(20));
    }
}
