//! What can go wrong in storage, as far as a caller can act on it.
//!
//! "Not found" is no error: reads give an `Option`. No variant carries a stored value: a driver's
//! message may quote one in its detail, so only its primary message, code and constraint are kept.

use crate::cases::{CaseId, JobId};

/// Result of everything in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Somebody else changed it meanwhile: read again, then decide again.
    #[error("{what} was changed meanwhile: expected {expected}, found {found}")]
    Conflict {
        /// The noun.
        what: &'static str,
        /// The revision or version that the caller worked on.
        expected: i64,
        /// The one that is stored.
        found: i64,
    },
    /// The worker's lease on this job ran out and another worker has it, or it is finished.
    /// Nothing that was done under the lease may be committed.
    #[error("the lease on job {job} is lost")]
    LostLease {
        /// The job.
        job: JobId,
    },
    /// Another approval of this case came first.
    #[error("case {case} is already decided")]
    AlreadyDecided {
        /// The case.
        case: CaseId,
    },
    /// Another request with the same Idempotency-Key came first: drop the transaction, read its answer.
    #[error("a request with this Idempotency-Key was already answered")]
    AlreadyAnswered,
    /// A row refers to one that is not there (or belongs to another municipality).
    #[error("{what} is not there")]
    Missing {
        /// The noun that is missing.
        what: &'static str,
    },
    /// A statement of this transaction failed before; it was rolled back and nothing is written.
    #[error("nothing was written: a statement of this transaction failed before")]
    Broken,
    /// The database cannot be reached or is too busy now; the same call may succeed later.
    #[error("the database is not available: {because}")]
    Unavailable {
        /// Why, without values.
        because: String,
    },
    /// A stored row cannot be read, or what should be stored contradicts itself.
    #[error("{what} cannot be read")]
    Corrupt {
        /// Which noun and column, never the value.
        what: String,
    },
    /// The database's address cannot be used.
    #[error("this is no usable database address: {because}")]
    Address {
        /// Why, without the address: it may hold a password.
        because: String,
    },
    /// The schema could not be brought up to date.
    #[error("the schema could not be migrated: {because}")]
    Migration {
        /// Why.
        because: String,
    },
    /// Anything else that the database refused: a fault of ours.
    #[error("the database refused a statement: {because}")]
    Database {
        /// Code, constraint and primary message.
        because: String,
    },
}

impl Error {
    /// Whether the same work may succeed when it is tried again a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}

/// SQLSTATE classes and SQLite result codes after which trying again makes sense: connection lost,
/// serialization failure and deadlock, lock timeout, too many connections, shutting down; busy and locked.
fn is_transient(code: &str) -> bool {
    code.starts_with("08")
        || matches!(code, "40001" | "40P01" | "55P03" | "57P01" | "57P02" | "57P03" | "53300")
        || code.parse::<i64>().is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 5 | 6))
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refused) => {
                let code = refused.code().unwrap_or_default().into_owned();
                let constraint = refused.constraint().unwrap_or("none");
                let because = format!("{} (code {code}, constraint {constraint})", refused.message());
                if is_transient(&code) { Self::Unavailable { because } } else { Self::Database { because } }
            }
            sqlx::Error::Io(io) => Self::Unavailable { because: format!("connection: {}", io.kind()) },
            sqlx::Error::Tls(_) => Self::Unavailable { because: "TLS handshake failed".into() },
            sqlx::Error::PoolTimedOut => Self::Unavailable { because: "no free connection in time".into() },
            sqlx::Error::PoolClosed => Self::Unavailable { because: "the pool is closed".into() },
            sqlx::Error::WorkerCrashed => Self::Unavailable { because: "the connection's worker ended".into() },
            sqlx::Error::Configuration(_) => Self::Address { because: "it cannot be parsed".into() },
            sqlx::Error::ColumnNotFound(column) => Self::corrupt(format!("column {column}")),
            sqlx::Error::ColumnDecode { index, .. } => Self::corrupt(format!("column {index}")),
            sqlx::Error::Protocol(_) => Self::Unavailable { because: "protocol error".into() },
            // The rest may quote values: its kind is enough.
            _ => Self::Database { because: "driver error".into() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient;

    #[test]
    fn knows_what_is_worth_trying_again() {
        for code in ["5", "6", "517", "261", "40001", "40P01", "08006", "57P01"] {
            assert!(is_transient(code), "{code}");
        }
        for code in ["23505", "2067", "1555", "42P01", ""] {
            assert!(!is_transient(code), "{code}");
        }
    }
}
