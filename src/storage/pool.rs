//! The pool and the transaction: who may write, when, and what a commit means.
//!
//! On SQLite one connection writes and a few read: writers queue here, in order and without busy
//! waiting, instead of at the file's lock. On PostgreSQL both are the same pool. A task that holds a
//! [`Tx`] must not begin another one: on SQLite it would wait for itself until the timeout.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use sqlx::any::{AnyPoolOptions, AnyQueryResult, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, AnyPool, Executor as _, Transaction};
use tokio::sync::Notify;

use super::audit::Head;
use super::dialect::Dialect;
use super::{Error, Result, migrations};
use crate::cases::{JobId, MunicipalityId};
use crate::clock::Ambient;

/// Reading connections on SQLite.
const SQLITE_READERS: u32 = 4;
/// Connections on PostgreSQL, a process.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a caller waits for a connection before the database counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a health check waits.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// Waiting workers that one commit wakes at most.
const WAKE_AT_MOST: usize = 64;

pub(super) type Statement = Query<'static, Any, sqlx::any::AnyArguments>;

/// The stored world. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    pub(super) dialect: Dialect,
    readers: AnyPool,
    writers: AnyPool,
    pub(super) ambient: Ambient,
    pub(super) wake: Arc<Notify>,
}

/// Without the pools: a driver's own words may hold the address and its password.
impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("engine", &self.engine()).finish_non_exhaustive()
    }
}

impl Storage {
    /// Connects to `sqlite:path` or `postgres://…` and brings the schema up to date. A missing SQLite
    /// file is made, readable by its owner only: it holds personal data.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Unavailable`], [`Error::Migration`].
    pub async fn open(url: &str, ambient: Ambient) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let (dialect, url) = address(url)?;
        let options = AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).after_connect(move |connection, _| {
            Box::pin(async move { connection.execute(dialect.connection_settings()).await.map(|_| ()) })
        });
        let (readers, writers) = match dialect {
            Dialect::Sqlite => {
                // A file does not go away: asking before each use whether it is still there costs a round trip.
                let options = options.test_before_acquire(false).idle_timeout(None).max_lifetime(None);
                let writers = options.clone().max_connections(1).connect(&url).await?;
                migrations::run(dialect, &writers).await?;
                (options.max_connections(SQLITE_READERS).connect_lazy(&url)?, writers)
            }
            Dialect::Postgres => {
                let pool = options.max_connections(POSTGRES_CONNECTIONS).connect(&url).await?;
                migrations::run(dialect, &pool).await?;
                (pool.clone(), pool)
            }
        };
        Ok(Self { dialect, readers, writers, ambient, wake: Arc::new(Notify::new()) })
    }

    /// Begins a writing transaction. Dropped without [`Tx::commit`], it leaves nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin(&self) -> Result<Tx> {
        let open = self.writers.begin_with(self.dialect.begin()).await?;
        Ok(Tx { open, storage: self.clone(), heads: BTreeMap::new(), enqueued: 0, refused: None })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ping(&self) -> Result<()> {
        let ask = async {
            sqlx::query("select 1").execute(&mut *self.reader().await?).await?;
            Ok(())
        };
        let late = || Err(Error::Unavailable { because: "no answer in time".into() });
        tokio::time::timeout(PING_TIMEOUT, ask).await.unwrap_or_else(|_| late())
    }

    /// Closes every connection, after the work in progress.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }

    /// `sqlite` or `postgres`, for logs and health pages.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// The clock and ids that this storage stamps rows with.
    #[must_use]
    pub const fn ambient(&self) -> &Ambient {
        &self.ambient
    }

    pub(super) async fn reader(&self) -> Result<PoolConnection<Any>> {
        Ok(self.readers.acquire().await?)
    }

    /// A connection for one writing statement that is its own transaction.
    pub(super) async fn writer(&self) -> Result<PoolConnection<Any>> {
        Ok(self.writers.acquire().await?)
    }

    /// A transaction that sees one moment and writes nothing.
    pub(super) async fn snapshot(&self) -> Result<Transaction<'static, Any>> {
        Ok(self.readers.begin_with(self.dialect.begin_snapshot()).await?)
    }
}

/// Why a transaction may no longer be committed.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    LostLease(JobId),
    Failed,
}

/// A writing transaction: state, audit events and jobs in one. Only [`Tx::commit`] makes it real.
pub struct Tx {
    open: Transaction<'static, Any>,
    pub(super) storage: Storage,
    /// Heads of the audit chains that this transaction has moved; written once, at the commit.
    pub(super) heads: BTreeMap<MunicipalityId, Head>,
    pub(super) enqueued: usize,
    refused: Option<Refusal>,
}

/// Without the connection, for the same reason.
impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("refused", &self.refused).finish_non_exhaustive()
    }
}

impl Tx {
    /// Makes everything real, then wakes waiting workers if jobs were enqueued.
    ///
    /// # Errors
    /// [`Error::LostLease`] when the work was done under a lease that is gone; [`Error::Broken`] when a
    /// statement failed before (PostgreSQL would otherwise roll back and call it a commit);
    /// [`Error::Unavailable`]. After an error nothing was written, except that a connection lost during
    /// the commit itself leaves it open whether it was.
    pub async fn commit(mut self) -> Result<()> {
        if self.refused.is_none() {
            self.write_heads().await?;
        }
        if let Some(refusal) = self.refused {
            let _ = self.open.rollback().await;
            return Err(match refusal {
                Refusal::LostLease(job) => Error::LostLease { job },
                Refusal::Failed => Error::Broken,
            });
        }
        self.open.commit().await?;
        for _ in 0..self.enqueued.min(WAKE_AT_MOST) {
            self.storage.wake.notify_one();
        }
        Ok(())
    }

    /// The clock and ids that this transaction stamps rows with.
    #[must_use]
    pub const fn ambient(&self) -> &Ambient {
        &self.storage.ambient
    }

    /// Gives everything up. Dropping does the same, a little later.
    pub async fn rollback(self) {
        let _ = self.open.rollback().await;
    }

    /// The connection inside the transaction, for reads that must see what it wrote.
    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.open
    }

    /// From here on this transaction cannot be committed: the worker's lease is gone.
    pub(super) fn refuse_lost_lease(&mut self, job: JobId) -> Error {
        self.refused = Some(Refusal::LostLease(job));
        Error::LostLease { job }
    }

    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64> {
        let result = statement.execute(&mut *self.open).await;
        self.heed(result).map(|done: AnyQueryResult| done.rows_affected())
    }

    pub(super) async fn fetch_optional(&mut self, statement: Statement) -> Result<Option<AnyRow>> {
        let result = statement.fetch_optional(&mut *self.open).await;
        self.heed(result)
    }

    fn heed<T>(&mut self, result: sqlx::Result<T>) -> Result<T> {
        result.map_err(|error| {
            self.refused.get_or_insert(Refusal::Failed);
            Error::from(error)
        })
    }
}

/// Which engine, and the address as the driver reads it.
fn address(url: &str) -> Result<(Dialect, String)> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((Dialect::Postgres, url.to_owned()));
    }
    let refused = |because: &str| Error::Address { because: because.to_owned() };
    let path = url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
        .ok_or_else(|| refused("write sqlite:path or postgres://user@host/database"))?;
    if path.is_empty() || path.contains(":memory:") || path.contains('?') {
        return Err(refused("write sqlite: and the path of a file, without parameters"));
    }
    make_private(Path::new(path)).map_err(|error| Error::Unavailable { because: format!("file: {}", error.kind()) })?;
    let escaped = path.replace('%', "%25").replace('#', "%23").replace(' ', "%20");
    Ok((Dialect::Sqlite, format!("sqlite:{escaped}?mode=rwc")))
}

/// Makes the file, and the folders above it, if it is not there; only its owner may read it.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_addresses_that_would_lose_data() {
        for bad in ["", "sqlite:", "sqlite::memory:", "sqlite:x.db?mode=memory", "mysql://x", "/tmp/x.db"] {
            assert!(matches!(address(bad), Err(Error::Address { .. })), "{bad}");
        }
    }

    #[test]
    fn a_path_with_odd_characters_stays_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/50 % #1.db");
        let (dialect, url) = address(&format!("sqlite:{}", path.display())).unwrap();
        assert_eq!(dialect, Dialect::Sqlite);
        assert!(url.ends_with("/new/50%20%25%20%231.db?mode=rwc"), "{url}");
        assert!(path.exists());
    }
}
