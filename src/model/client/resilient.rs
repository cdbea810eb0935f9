//! A call that lives through what addresses do: it waits, tries again, leaves a failing address alone, goes to a second
//! one, and ends in time.
//!
//! One call has one limit of time over everything it does, waits included. At each address it is tried a few times with
//! exponential waits under full jitter; when the address asks for a longer one, it is obeyed, unless that is longer than
//! what is left. What the request itself caused (a refusal, its length) is not tried again anywhere. While a second
//! address stands behind, the first must leave time for one attempt there.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::breaker::Breaker;
use super::limits::Gate;
use crate::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, TimeLimit};
use crate::model::count;
use crate::model::meter::{Meter, Sent, Unmetered};

/// The first wait is at most this long, each next one at most twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// No wait of our own is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// On top of a wait that the address asked for, at most this part of it: not everybody comes back at once.
const SPREAD: f64 = 0.1;

/// Anything that can be tried once.
pub(super) trait Attempt: Send + Sync + std::fmt::Debug {
    /// One attempt; `sent` is told how far the answer has come.
    fn attempt<'a>(&'a self, request: &'a ChatRequest, sent: &'a Sent) -> BoxFuture<'a, Result<ChatAnswer, ChatError>>;
}

/// An address with what guards it.
#[derive(Debug)]
pub(super) struct Guarded {
    /// As the accounts know it.
    pub(super) name: &'static str,
    pub(super) endpoint: Arc<dyn Attempt>,
    pub(super) gate: Gate,
    pub(super) breaker: Breaker,
}

/// How long and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Attempts at one address.
    pub(super) attempts: u32,
    /// Longest attempt.
    pub(super) attempt: Duration,
    /// Longest call.
    pub(super) total: Duration,
    /// With less time left than this an attempt is not begun: it would say nothing of the address.
    pub(super) least: Duration,
    /// When a second, equal request is sent beside a silent first.
    pub(super) hedge_after: Option<Duration>,
}

/// The addresses, in the order in which they are tried.
pub(super) struct Resilient {
    pub(super) addresses: Vec<Guarded>,
    pub(super) patience: Patience,
    /// Of the waits.
    pub(super) rng: Mutex<StdRng>,
}

impl std::fmt::Debug for Resilient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { addresses, patience, .. } = self;
        f.debug_struct("Resilient").field("addresses", addresses).field("patience", patience).finish_non_exhaustive()
    }
}

/// What one call has done so far.
struct Call<'a> {
    /// Who pays for them.
    meter: &'a dyn Meter,
    /// Its first request.
    started: Option<Instant>,
    /// Requests sent.
    attempts: u32,
}

impl ChatModel for Resilient {
    fn chat<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        Box::pin(self.converse(request, &Unmetered))
    }

    fn metered<'a>(
        &'a self,
        request: &'a ChatRequest,
        meter: &'a dyn Meter,
    ) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        Box::pin(self.converse(request, meter))
    }
}

impl Resilient {
    async fn converse(&self, request: &ChatRequest, meter: &dyn Meter) -> Result<ChatAnswer, ChatError> {
        let deadline = Instant::now() + self.patience.total;
        let mut call = Call { meter, started: None, attempts: 0 };
        let mut failure = ChatError::LeftAlone;
        for (nth, address) in self.addresses.iter().enumerate() {
            let last = nth + 1 == self.addresses.len();
            let until = if last { deadline } else { deadline - self.reserve() };
            match self.at(address, request, &mut call, until).await {
                Ok(answer) => {
                    let latency = call.started.map_or(answer.latency, |started| started.elapsed());
                    return Ok(ChatAnswer { attempts: call.attempts, latency, ..answer });
                }
                Err(error) if !another_may_answer(&error) => return Err(error),
                // That an address is left alone says less than what the other one said.
                Err(ChatError::LeftAlone) => {}
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Time for one attempt at the next address.
    fn reserve(&self) -> Duration {
        self.patience.attempt.min(self.patience.total / 2)
    }

    /// When an attempt that must end by `until` begins at the latest.
    fn latest_start(&self, until: Instant) -> Instant {
        until - self.patience.least
    }

    /// Attempts at one address.
    async fn at(
        &self,
        address: &Guarded,
        request: &ChatRequest,
        call: &mut Call<'_>,
        until: Instant,
    ) -> Result<ChatAnswer, ChatError> {
        let mut nth = 1;
        let mut failure = None;
        loop {
            let sent = call.attempts;
            let error = match self.once(address, request, call, until).await {
                Ok(answer) => return Ok(answer),
                Err(error @ ChatError::Budget(_)) => return Err(error),
                // Else why nothing was sent says less than what came of the request before.
                Err(error) if call.attempts == sent => return Err(failure.unwrap_or(error)),
                Err(error) => error,
            };
            let over = matches!(error, ChatError::Timeout(TimeLimit::Total));
            if over || !error.may_pass() || nth >= self.patience.attempts {
                return Err(error);
            }
            let wait = self.wait(nth, &error);
            tracing::debug!(kind = error.kind(), wait_ms = wait.as_millis(), "the model is asked again");
            // Nothing would come of a wait beyond the end.
            match Instant::now().checked_add(wait).filter(|at| *at < self.latest_start(until)) {
                Some(at) => sleep_until(at).await,
                None => return Err(error),
            }
            failure = Some(error);
            nth += 1;
        }
    }

    /// One attempt, with its leave, its place and its limit of time.
    async fn once(
        &self,
        address: &Guarded,
        request: &ChatRequest,
        call: &mut Call<'_>,
        until: Instant,
    ) -> Result<ChatAnswer, ChatError> {
        if !address.breaker.lets_pass() {
            return Err(ChatError::LeftAlone);
        }
        let tokens = reckoned(address, request).await;
        let place = address.gate.enter(tokens, self.latest_start(until)).await?;
        // Only now: the breaker may have opened while this one waited.
        let pass = address.breaker.enter().ok_or(ChatError::LeftAlone)?;
        let sent = call.meter.sends(address.name).await?;
        call.started.get_or_insert_with(Instant::now);
        let result = self.hedged(address, request, call, &sent, tokens, until).await;
        match &result {
            Ok(answer) => {
                place.took(answer.usage.total());
                pass.worked();
            }
            Err(error) if is_failure(error) => pass.failed(),
            Err(_) => pass.worked(),
        }
        if let Err(
            ChatError::RateLimited { retry_after: Some(wait) } | ChatError::Fault { retry_after: Some(wait), .. },
        ) = &result
        {
            address.gate.pause(self.spread(*wait));
        }
        result
    }

    /// A request, and beside it a second one if it is silent for long; the first good answer counts, and the other
    /// request is given up.
    async fn hedged(
        &self,
        address: &Guarded,
        request: &ChatRequest,
        call: &mut Call<'_>,
        sent: &Sent,
        tokens: u64,
        until: Instant,
    ) -> Result<ChatAnswer, ChatError> {
        call.attempts += 1;
        let beside;
        let mut first = Box::pin(self.limited(address, request, sent, until));
        let Some(after) = self.patience.hedge_after else { return first.await };
        tokio::select! {
            result = &mut first => return result,
            () = sent.began() => return first.await,
            () = sleep(after) => {}
        }
        let Some(place) = address.gate.try_enter(tokens) else { return first.await };
        // Not beyond the budget for the sake of haste.
        let Ok(another) = call.meter.sends(address.name).await else { return first.await };
        beside = another;
        call.attempts += 1;
        let second = Box::pin(self.limited(address, request, &beside, until));
        let (answer, _given_up) = futures::future::select_ok([first, second]).await?;
        place.took(answer.usage.total());
        Ok(answer)
    }

    /// One request within its limit of time.
    async fn limited(
        &self,
        address: &Guarded,
        request: &ChatRequest,
        sent: &Sent,
        until: Instant,
    ) -> Result<ChatAnswer, ChatError> {
        let own = Instant::now() + self.patience.attempt;
        let (end, limit) = if own <= until { (own, TimeLimit::Attempt) } else { (until, TimeLimit::Total) };
        let result = timeout_at(end, address.endpoint.attempt(request, sent)).await;
        let result = result.unwrap_or(Err(ChatError::Timeout(limit)));
        sent.ended(&result);
        result
    }

    /// The wait after the `nth` failure.
    fn wait(&self, nth: u32, error: &ChatError) -> Duration {
        let longest = FIRST_WAIT.saturating_mul(2u32.saturating_pow(nth - 1)).min(LONGEST_WAIT);
        let own = longest.mul_f64(self.share());
        match error {
            ChatError::RateLimited { retry_after: Some(asked) } | ChatError::Fault { retry_after: Some(asked), .. } => {
                self.spread(*asked).max(own)
            }
            _ => own,
        }
    }

    /// A wait that the address asked for, and a little more.
    fn spread(&self, asked: Duration) -> Duration {
        asked.saturating_add(asked.min(LONGEST_WAIT).mul_f64(SPREAD * self.share()))
    }

    /// Anything from 0 to 1.
    fn share(&self) -> f64 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).random()
    }
}

/// The tokens to reckon with, where they are limited: what is sent and the longest answer.
async fn reckoned(address: &Guarded, request: &ChatRequest) -> u64 {
    if !address.gate.counts_tokens() {
        return 0;
    }
    count::load().await;
    count::request(&request.messages, &request.tools) + u64::from(request.sampling.max_tokens)
}

/// Whether the address failed, for its breaker. That it is busy or refuses is an answer.
const fn is_failure(error: &ChatError) -> bool {
    error.may_pass() && !matches!(error, ChatError::RateLimited { .. })
}

/// Whether the next address may answer what this one did not. A request that is wrong or too long stays so, and there is
/// one budget.
const fn another_may_answer(error: &ChatError) -> bool {
    !matches!(error, ChatError::TooLong | ChatError::Refused { status: 400 | 422, .. } | ChatError::Budget(_))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rand::SeedableRng;

    use super::*;
    use crate::model::chat::{Finish, Purpose, Sampling, Usage};

    const SECOND: Duration = Duration::from_secs(1);

    /// What an attempt does: after a while it begins to answer, after a while more it ends.
    #[derive(Debug, Clone)]
    struct Turn {
        silent: Duration,
        speaks: Duration,
        end: Result<(), ChatError>,
    }

    const fn answers(silent: Duration) -> Turn {
        Turn { silent, speaks: Duration::ZERO, end: Ok(()) }
    }

    const fn fails(error: ChatError) -> Turn {
        Turn { silent: Duration::ZERO, speaks: Duration::ZERO, end: Err(error) }
    }

    const FAULT: ChatError = ChatError::Fault { status: 500, retry_after: None };

    /// An address that does as it is told, and after that answers at once.
    #[derive(Debug, Default)]
    struct Scripted {
        turns: Mutex<VecDeque<Turn>>,
        asked: Mutex<Vec<Instant>>,
        given_up: AtomicU32,
    }

    impl Scripted {
        fn asked(&self) -> Vec<Instant> {
            self.asked.lock().unwrap().clone()
        }
    }

    struct GivenUp<'a>(&'a AtomicU32, bool);

    impl Drop for GivenUp<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(u32::from(!self.1), Ordering::SeqCst);
        }
    }

    impl Attempt for Scripted {
        fn attempt<'a>(&'a self, _: &'a ChatRequest, sent: &'a Sent) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
            Box::pin(async move {
                self.asked.lock().unwrap().push(Instant::now());
                let turn = self.turns.lock().unwrap().pop_front().unwrap_or_else(|| answers(Duration::ZERO));
                let mut given_up = GivenUp(&self.given_up, false);
                sleep(turn.silent).await;
                sent.brought(1);
                sleep(turn.speaks).await;
                given_up.1 = true;
                turn.end.map(|()| ChatAnswer {
                    content: Some("kyllä".to_owned()),
                    refusal: None,
                    tool_calls: Vec::new(),
                    finish: Finish::Stop,
                    usage: Usage { input: 10, cached: 0, output: 2, estimated: false },
                    model: "m".to_owned(),
                    endpoint: "scripted".to_owned(),
                    attempts: 1,
                    latency: Duration::ZERO,
                })
            })
        }
    }

    struct Story {
        model: Resilient,
        addresses: Vec<Arc<Scripted>>,
    }

    const PATIENCE: Patience = Patience {
        attempts: 4,
        attempt: Duration::from_secs(90),
        total: Duration::from_mins(4),
        least: Duration::from_secs(30),
        hedge_after: None,
    };

    fn story<const N: usize>(patience: Patience, scripts: [Vec<Turn>; N]) -> Story {
        let addresses: Vec<_> = scripts
            .into_iter()
            .map(|turns| Arc::new(Scripted { turns: Mutex::new(turns.into()), ..Scripted::default() }))
            .collect();
        let guarded = |endpoint: &Arc<Scripted>| Guarded {
            name: "primary",
            endpoint: endpoint.clone(),
            gate: Gate::new(8, 0, 0),
            breaker: Breaker::new("primary", 5, 30 * SECOND),
        };
        let model = Resilient {
            addresses: addresses.iter().map(guarded).collect(),
            patience,
            rng: Mutex::new(StdRng::seed_from_u64(7)),
        };
        Story { model, addresses }
    }

    fn request() -> ChatRequest {
        ChatRequest {
            purpose: Purpose {
                municipality: "harjuvesi".parse().unwrap(),
                case: None,
                step: "classify",
                prompt: "classify@1".to_owned(),
                prompt_hash: String::new(),
            },
            messages: Vec::new(),
            tools: Vec::new(),
            output: None,
            sampling: Sampling { temperature: 0.0, max_tokens: 100, seed: None },
        }
    }

    /// Hears of every request, and lets so many pass.
    struct Purse {
        most: usize,
        sent: Mutex<Vec<Arc<Sent>>>,
    }

    impl Purse {
        fn of(most: usize) -> Self {
            Self { most, sent: Mutex::default() }
        }

        fn owed(&self) -> Vec<Option<u64>> {
            self.sent.lock().unwrap().iter().map(|sent| sent.owed()).collect()
        }
    }

    impl Meter for Purse {
        fn sends(&self, _: &'static str) -> BoxFuture<'_, Result<Arc<Sent>, ChatError>> {
            Box::pin(async {
                let mut all = self.sent.lock().unwrap();
                if all.len() == self.most {
                    return Err(ChatError::Budget("spent".to_owned()));
                }
                let sent = Arc::<Sent>::default();
                all.push(Arc::clone(&sent));
                Ok(sent)
            })
        }
    }

    impl Story {
        async fn metered(&self, purse: &Purse) -> Result<ChatAnswer, ChatError> {
            self.model.metered(&request(), purse).await
        }

        async fn ask(&self) -> Result<ChatAnswer, ChatError> {
            self.model.chat(&request()).await
        }

        fn asked(&self) -> Vec<usize> {
            self.addresses.iter().map(|address| address.asked().len()).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_with_growing_waits() {
        let story = story(PATIENCE, [vec![fails(FAULT), fails(ChatError::Cut), fails(ChatError::Malformed)]]);
        let answer = story.ask().await.unwrap();
        assert_eq!((answer.attempts, answer.content.as_deref()), (4, Some("kyllä")));
        let asked = story.addresses[0].asked();
        assert_eq!(answer.latency, asked[3] - asked[0]);
        for (nth, pair) in asked.windows(2).enumerate() {
            assert!(pair[1] - pair[0] <= FIRST_WAIT * 2u32.pow(nth.try_into().unwrap()), "{nth}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_waits_are_spread_over_the_whole_span() {
        let story = story(PATIENCE, [vec![]]);
        let waits: Vec<_> = (0..200).map(|_| story.model.wait(3, &FAULT)).collect();
        assert!(waits.iter().all(|wait| *wait < 4 * FIRST_WAIT));
        assert!(waits.iter().any(|wait| *wait < FIRST_WAIT / 4) && waits.iter().any(|wait| *wait > 3 * FIRST_WAIT));
        assert!(story.model.wait(30, &FAULT) <= LONGEST_WAIT, "and never longer than this");
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_asks_for_no_wait_gets_one_all_the_same() {
        let story = story(PATIENCE, [vec![]]);
        let now = ChatError::RateLimited { retry_after: Some(Duration::ZERO) };
        let waits: Vec<_> = (0..200).map(|_| story.model.wait(3, &now)).collect();
        assert!(waits.iter().any(|wait| *wait < FIRST_WAIT / 4) && waits.iter().any(|wait| *wait > 3 * FIRST_WAIT));
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_after_so_many_attempts() {
        let story = story(PATIENCE, [vec![fails(FAULT); 9]]);
        assert_eq!(story.ask().await.unwrap_err(), FAULT);
        assert_eq!(story.asked(), [4]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_pass_is_not_tried_again() {
        for error in [
            ChatError::Unauthorized,
            ChatError::Quota,
            ChatError::TooLong,
            ChatError::Refused { status: 400, code: None },
            ChatError::Refused { status: 404, code: None },
        ] {
            let story = story(PATIENCE, [vec![fails(error.clone())]]);
            assert_eq!(story.ask().await.unwrap_err(), error);
            assert_eq!(story.asked(), [1]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_asked_for_is_obeyed() {
        let busy = ChatError::RateLimited { retry_after: Some(20 * SECOND) };
        let story = story(PATIENCE, [vec![fails(busy)]]);
        let answer = story.ask().await.unwrap();
        assert_eq!(answer.attempts, 2);
        assert!(answer.latency >= 20 * SECOND && answer.latency <= 22 * SECOND, "{:?}", answer.latency);
    }

    #[tokio::test(start_paused = true)]
    async fn others_wait_too_while_an_address_asks_to_wait() {
        let busy = ChatError::RateLimited { retry_after: Some(20 * SECOND) };
        let story = story(PATIENCE, [vec![fails(busy)]]);
        let first = async { story.ask().await.unwrap() };
        let second = async {
            sleep(SECOND).await;
            story.ask().await.unwrap()
        };
        let _ = tokio::join!(first, second);
        let asked = story.addresses[0].asked();
        assert!(asked[1..].iter().all(|later| *later - asked[0] > 20 * SECOND), "and not to the moment: {asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_longer_than_what_is_left_is_not_begun() {
        for asked in [Duration::from_secs(241), Duration::MAX] {
            let busy = ChatError::RateLimited { retry_after: Some(asked) };
            let alone = story(PATIENCE, [vec![fails(busy.clone())]]);
            let started = Instant::now();
            assert_eq!(alone.ask().await.unwrap_err(), busy);
            assert_eq!(started.elapsed(), Duration::ZERO);
            let pair = story(PATIENCE, [vec![fails(busy)], vec![]]);
            assert_eq!(pair.ask().await.unwrap().attempts, 2);
            assert_eq!(pair.asked(), [1, 1]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_and_a_call_have_their_limits() {
        let hang = answers(Duration::from_hours(9));
        let story = story(PATIENCE, [vec![hang; 9]]);
        let started = Instant::now();
        assert_eq!(story.ask().await.unwrap_err(), ChatError::Timeout(TimeLimit::Total));
        assert_eq!(started.elapsed(), PATIENCE.total);
        assert_eq!(story.asked(), [3], "two whole attempts, and what was left");
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_address_has_time_for_an_attempt() {
        let story = story(PATIENCE, [vec![answers(Duration::from_hours(9)); 9], vec![answers(80 * SECOND)]]);
        let answer = story.ask().await.unwrap();
        assert_eq!(story.asked(), [2, 1]);
        assert_eq!(answer.attempts, 3);
        assert!(answer.latency < PATIENCE.total);
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_address_answers_what_the_first_cannot() {
        for (error, tried) in
            [(ChatError::Quota, 1), (ChatError::Unauthorized, 1), (FAULT, 4), (ChatError::Unreachable, 4)]
        {
            let story = story(PATIENCE, [vec![fails(error); 4], vec![]]);
            assert_eq!(story.ask().await.unwrap().attempts, tried + 1);
        }
        for error in [ChatError::TooLong, ChatError::Refused { status: 400, code: None }] {
            let story = story(PATIENCE, [vec![fails(error.clone())], vec![]]);
            assert_eq!(story.ask().await.unwrap_err(), error, "the request itself is at fault");
            assert_eq!(story.asked(), [1, 0]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_address_is_left_alone_and_tried_again_later() {
        let story = story(PATIENCE, [vec![fails(FAULT); 5], vec![]]);
        for _ in 0..10 {
            story.ask().await.unwrap();
        }
        assert_eq!(story.asked(), [5, 10], "after five failures in a row nobody asks the first one");
        sleep(30 * SECOND).await;
        story.ask().await.unwrap();
        story.ask().await.unwrap();
        assert_eq!(story.asked(), [7, 10], "and after the pause it answers again");
    }

    #[tokio::test(start_paused = true)]
    async fn left_alone_without_a_second_address_it_fails_at_once() {
        let story = story(PATIENCE, [vec![fails(FAULT); 9]]);
        let _ = (story.ask().await, story.ask().await);
        let started = Instant::now();
        assert_eq!(story.ask().await.unwrap_err(), ChatError::LeftAlone);
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn that_an_address_is_busy_does_not_open_its_breaker() {
        let story = story(PATIENCE, [vec![fails(ChatError::RateLimited { retry_after: None }); 12]]);
        for _ in 0..4 {
            let _ = story.ask().await;
        }
        assert_eq!(story.asked(), [13]);
    }

    /// Attempts that take longer than half a call.
    const SHORT: Patience = Patience { total: Duration::from_mins(1), ..PATIENCE };

    #[tokio::test(start_paused = true)]
    async fn that_calls_queue_up_is_no_failure_of_the_address() {
        let story = story(SHORT, [vec![answers(40 * SECOND); 24]]);
        let calls = futures::future::join_all((0..24).map(|_| story.ask())).await;
        assert_eq!(calls.iter().filter(|call| call.is_ok()).count(), 8);
        assert!(calls[8..].iter().all(|call| *call == Err(ChatError::Timeout(TimeLimit::Total))));
        assert_eq!(story.asked(), [8], "what could not have been answered in time was not sent");
        assert!(story.ask().await.is_ok(), "and the address is not left alone");
    }

    #[tokio::test(start_paused = true)]
    async fn with_too_little_time_left_the_last_failure_is_told() {
        let late = Turn { silent: 40 * SECOND, speaks: Duration::ZERO, end: Err(FAULT) };
        let story = story(SHORT, [vec![late]]);
        assert_eq!(story.ask().await.unwrap_err(), FAULT);
        assert_eq!(story.asked(), [1]);
    }

    #[tokio::test(start_paused = true)]
    async fn that_it_is_left_alone_meanwhile_says_less_than_its_last_failure() {
        let story = story(Patience { attempts: 9, ..PATIENCE }, [vec![fails(FAULT); 9]]);
        assert_eq!(story.ask().await.unwrap_err(), FAULT);
        assert_eq!(story.asked(), [5]);
    }

    const HEDGED: Patience = Patience { hedge_after: Some(SECOND), ..PATIENCE };

    #[tokio::test(start_paused = true)]
    async fn a_silent_request_gets_a_second_beside_it_and_the_loser_is_given_up() {
        let story = story(HEDGED, [vec![answers(60 * SECOND), answers(2 * SECOND)]]);
        let answer = story.ask().await.unwrap();
        assert_eq!((answer.attempts, answer.latency), (2, 3 * SECOND));
        assert_eq!(story.addresses[0].given_up.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_has_begun_to_answer_stays_alone() {
        let slow = Turn { silent: SECOND / 2, speaks: 50 * SECOND, end: Ok(()) };
        let story = story(HEDGED, [vec![slow]]);
        assert_eq!(story.ask().await.unwrap().attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_one_counts_when_the_first_fails() {
        let late = Turn { silent: 3 * SECOND, speaks: Duration::ZERO, end: Err(FAULT) };
        let story = story(HEDGED, [vec![late, answers(9 * SECOND)]]);
        let answer = story.ask().await.unwrap();
        assert_eq!((answer.attempts, answer.latency), (2, 10 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_pays_hears_of_every_request_and_of_those_whose_answer_nobody_has() {
        let hangs = Turn { silent: SECOND, speaks: Duration::from_hours(1), end: Ok(()) };
        let purse = Purse::of(9);
        story(PATIENCE, [vec![fails(FAULT), fails(ChatError::Cut), hangs]]).metered(&purse).await.unwrap();
        assert_eq!(purse.owed(), [None, Some(1), Some(1), None]);
        let purse = Purse::of(9);
        story(HEDGED, [vec![answers(60 * SECOND), answers(2 * SECOND)]]).metered(&purse).await.unwrap();
        assert_eq!(purse.owed(), [Some(0), None], "the one that was given up was read, too");
        let purse = Purse::of(9);
        let given_up =
            tokio::time::timeout(SECOND, async { story(PATIENCE, [vec![answers(9 * SECOND)]]).metered(&purse).await });
        assert!(given_up.await.is_err());
        assert_eq!(purse.owed(), [Some(0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_beyond_the_budget() {
        let over = Err(ChatError::Budget("spent".to_owned()));
        let two = story(PATIENCE, [vec![fails(FAULT); 9], vec![]]);
        assert_eq!(two.metered(&Purse::of(2)).await, over);
        assert_eq!(two.asked(), [2, 0]);
        let silent = story(HEDGED, [vec![answers(60 * SECOND)]]);
        assert_eq!(silent.metered(&Purse::of(1)).await.unwrap().attempts, 1, "haste alone is not worth it");
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_calls_are_in_flight_and_no_more() {
        let story = story(PATIENCE, [vec![answers(SECOND); 24]]);
        let started = Instant::now();
        let calls = futures::future::join_all((0..24).map(|_| story.ask())).await;
        assert!(calls.iter().all(Result::is_ok));
        assert_eq!(started.elapsed(), 3 * SECOND, "eight at a time");
    }
}
