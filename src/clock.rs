//! Time and identity, passed in and never ambient.
//!
//! Every function that needs "now" or a new id takes them from [`Clock`] and [`Ids`], so that a test
//! fixes both and the same input gives the same draft on any machine.
//! `clippy.toml` refuses the ambient calls everywhere but here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

/// The time zone in which every municipal deadline is counted.
pub const TIME_ZONE: &str = "Europe/Helsinki";

/// Finnish local time, from the zone database compiled into the binary or the system's.
///
/// # Panics
/// When no time-zone database knows `Europe/Helsinki`; jiff bundles one where the system has none.
#[must_use]
pub fn helsinki() -> TimeZone {
    TimeZone::get(TIME_ZONE).expect("the time-zone database knows Europe/Helsinki")
}

/// Where "now" comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present moment, UTC.
    fn now(&self) -> Timestamp;
}

/// Where new identifiers come from.
pub trait Ids: Send + Sync + std::fmt::Debug {
    /// A new UUIDv7; `at` gives it its order in time.
    fn next(&self, at: Timestamp) -> Uuid;
}

/// Time and ids as one cheap handle that travels together.
#[derive(Debug, Clone)]
pub struct Ambient {
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn Ids>,
}

impl Ambient {
    /// The machine's clock and random ids.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(RandomIds) }
    }

    /// A clock that stands at `at` until it is told to move, and ids that count up: for tests and dry runs.
    #[must_use]
    pub fn fixed(at: Timestamp) -> (Self, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::at(at));
        (Self { clock: clock.clone(), ids: Arc::new(CountingIds::default()) }, clock)
    }

    /// The present moment, UTC.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id stamped with the present moment.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.ids.next(self.clock.now())
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one home of the machine's clock")]
    fn now(&self) -> Timestamp {
        // Storage keeps microseconds: what is written must equal what is read back.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// Random UUIDv7 ids.
#[derive(Debug, Clone, Copy)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn next(&self, at: Timestamp) -> Uuid {
        #[expect(clippy::disallowed_methods, reason = "the one home of random ids")]
        let random = Uuid::new_v4();
        let mut entropy = [0u8; 10];
        entropy.copy_from_slice(&random.as_bytes()[6..16]);
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid()
    }
}

/// A clock that only moves when told to.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// Stands at `at`.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        Self(AtomicI64::new(at.as_microsecond()))
    }

    /// Moves to `at`.
    pub fn set(&self, at: Timestamp) {
        self.0.store(at.as_microsecond(), Ordering::SeqCst);
    }

    /// Moves forward by `span`.
    pub fn advance(&self, span: std::time::Duration) {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Ids that count up, so that a snapshot shows the same id each time.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next(&self, at: Timestamp) -> Uuid {
        let count = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        let mut entropy = [0u8; 10];
        entropy[2..10].copy_from_slice(&count.to_be_bytes());
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid()
    }
}
