//! The schema, embedded and brought up to date when storage opens. An applied migration is never
//! edited: its checksum is compared at every start.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, SqlSafeStr as _};

use super::dialect::Dialect;
use super::{Error, Result};

/// Every migration, oldest first.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "spine", include_str!("migrations/0001_spine.sql")),
    (2, "queue", include_str!("migrations/0002_queue.sql")),
    (3, "model_calls", include_str!("migrations/0003_model_calls.sql")),
    (4, "sessions", include_str!("migrations/0004_sessions.sql")),
    (5, "residents", include_str!("migrations/0005_residents.sql")),
    (6, "section_uses", include_str!("migrations/0006_section_uses.sql")),
    (7, "messages", include_str!("migrations/0007_messages.sql")),
    (8, "rounds", include_str!("migrations/0008_rounds.sql")),
    (9, "about", include_str!("migrations/0009_about.sql")),
    (11, "access_rights", include_str!("migrations/0011_access_rights.sql")),
    (12, "publications", include_str!("migrations/0012_publications.sql")),
];

/// Brings the schema up to date; does nothing when it is.
pub(super) async fn run(dialect: Dialect, pool: &AnyPool) -> Result<()> {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, name, sql)| {
            let sql = sql.replace("{blob}", dialect.blob());
            let kind = MigrationType::Simple;
            Migration::new(*version, (*name).into(), kind, AssertSqlSafe(sql).into_sql_str(), false)
        })
        .collect();
    let migrator = Migrator::with_migrations(migrations);
    // SQLite has no advisory lock: of two processes that open a new file at once, one may lose the
    // race for each migration, and finds it in place when it looks again.
    let mut result = migrator.run(pool).await;
    for _ in MIGRATIONS {
        if result.is_ok() {
            break;
        }
        result = migrator.run(pool).await;
    }
    result.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => match Error::from(error) {
            unavailable @ Error::Unavailable { .. } => unavailable,
            refused => Error::Migration { because: refused.to_string() },
        },
        other => Error::Migration { because: other.to_string() },
    })
}
