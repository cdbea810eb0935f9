//! What one call sends: each request is told to a [`Meter`] before it goes out.
//!
//! One call may send several requests (again after a fault, beside a silent one, to a second address), and each that was
//! read is paid for, also when nobody got its answer. So whoever pays is asked before each, and can see afterwards what
//! came of it. A [`Sent`] that is dropped on the way stays as it was: owed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::SetOnce;

use super::chat::{ChatAnswer, ChatError};

/// Who is told of each request of a call.
pub trait Meter: Send + Sync {
    /// A request is about to be sent to `endpoint`.
    ///
    /// # Errors
    /// [`ChatError::Budget`]: it must not be sent.
    fn sends(&self, endpoint: &'static str) -> BoxFuture<'_, Result<Arc<Sent>, ChatError>>;
}

/// Nobody pays.
#[derive(Debug, Clone, Copy)]
pub struct Unmetered;

impl Meter for Unmetered {
    fn sends(&self, _: &'static str) -> BoxFuture<'_, Result<Arc<Sent>, ChatError>> {
        futures::future::ready(Ok(Arc::default())).boxed()
    }
}

/// A request that was sent, as far as it has come.
#[derive(Debug, Default)]
pub struct Sent {
    began: SetOnce<()>,
    pieces: AtomicU64,
    settled: AtomicBool,
}

impl Sent {
    /// So many pieces of the answer have come; a streamed piece is about a token.
    pub fn brought(&self, pieces: u64) {
        // Only the first one counts.
        let _already = self.began.set(());
        self.pieces.store(pieces, Ordering::Relaxed);
    }

    /// Waits for the first of the answer.
    pub async fn began(&self) {
        self.began.wait().await;
    }

    /// It ended. An answer tells what it took, and what was turned away took nothing; what broke off in its middle was
    /// read, and stays owed.
    pub fn ended(&self, result: &Result<ChatAnswer, ChatError>) {
        if !result.as_ref().is_err_and(ChatError::was_read) {
            self.settled.store(true, Ordering::Relaxed);
        }
    }

    /// How many pieces came of an answer that is paid for and that nobody has; none when nothing is owed.
    #[must_use]
    pub fn owed(&self) -> Option<u64> {
        (!self.settled.load(Ordering::Relaxed)).then(|| self.pieces.load(Ordering::Relaxed))
    }
}
