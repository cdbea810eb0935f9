//! A fresh database for each test: a SQLite file in a temporary folder always, and a schema of its own in
//! PostgreSQL when `VIREILLE_TEST_POSTGRES_URL` is set (`tests/postgres start DIR` prints one).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use sqlx::AnyConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use vireille::clock::{Ambient, FixedClock};
use vireille::storage::Storage;

/// The moment at which every story begins: a Tuesday in March, noon in Finland.
pub const BEGINNING: &str = "2026-03-03T10:00:00Z";

/// One fresh database.
#[derive(Debug)]
pub struct Database {
    /// Storage over it.
    pub storage: Storage,
    /// The clock that storage reads.
    pub clock: Arc<FixedClock>,
    /// The clock and ids that storage uses.
    pub ambient: Ambient,
    /// Its address: another process of the same story opens this.
    pub url: String,
    /// PostgreSQL: where to drop the schema.
    schema: Option<(String, String)>,
    /// SQLite: the folder goes with the test.
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    /// A file in a temporary folder.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("vireille.db").display());
        Self::open(url, None, Some(folder)).await
    }

    /// A schema of its own, if the tests were given a server.
    pub async fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        #[expect(clippy::disallowed_methods, reason = "only the tests' own settings come this way")]
        let server = std::env::var("VIREILLE_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty())?;
        let schema = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let start = format!("drop schema if exists {schema} cascade; create schema {schema}");
        connect(&server).await.execute(AssertSqlSafe(start)).await.expect("a fresh schema");
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options[search_path]={schema}&application_name={schema}");
        Some(Self::open(url, Some((server, schema)), None).await)
    }

    async fn open(url: String, schema: Option<(String, String)>, folder: Option<tempfile::TempDir>) -> Self {
        let (ambient, clock) = Ambient::fixed(BEGINNING.parse::<Timestamp>().expect("a time"));
        let storage = Storage::open(&url, ambient.clone()).await.expect("storage opens");
        Self { storage, clock, ambient, url, schema, _folder: folder }
    }

    /// Another process's view of the same database.
    pub async fn open_again(&self) -> Storage {
        Storage::open(&self.url, self.ambient.clone()).await.expect("storage opens again")
    }

    /// Does to the tables what no code of the house would do.
    pub async fn tamper(&self, sql: &str) -> u64 {
        let done = connect(&self.url).await.execute(AssertSqlSafe(sql.to_owned())).await;
        done.expect("the statement is valid").rows_affected()
    }

    /// Cuts every connection that storage has to the server, as a restart of the server does. False on
    /// SQLite, where there is nothing to cut.
    pub async fn cut_connections(&self) -> bool {
        let Some((server, schema)) = &self.schema else { return false };
        let cut =
            format!("select pg_terminate_backend(pid)::text from pg_stat_activity where application_name = '{schema}'");
        connect(server).await.execute(AssertSqlSafe(cut)).await.expect("connections are cut");
        true
    }

    /// Ends the story. After a panic the schema stays for a look.
    pub async fn close(self) {
        self.storage.close().await;
        if let Some((server, schema)) = &self.schema {
            let drop = format!("drop schema {schema} cascade");
            connect(server).await.execute(AssertSqlSafe(drop)).await.expect("the schema is dropped");
        }
    }
}

async fn connect(url: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(url).await.expect("the database answers")
}

/// Tells one story on SQLite and, when there is a server, on PostgreSQL.
pub async fn on_every_database(story: impl AsyncFn(&Database)) {
    let databases = [Some(Database::sqlite().await), Database::postgres().await];
    for database in databases.into_iter().flatten() {
        // Shown when the story fails.
        println!("on {}", database.storage.engine());
        story(&database).await;
        database.close().await;
    }
}
