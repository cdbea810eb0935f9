//! Sessions of the pages: what a browser's cookie stands for, until it expires.
//!
//! The caller hands over the id as a hash and the content as a text; what it means is for the pages to say.
//! An expired session is none, also before [`Storage::forget_sessions`] has deleted it.

use jiff::Timestamp;

use super::row::Columns as _;
use super::{Result, Storage};

/// What is stored of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of its id, 64 hexadecimal digits.
    pub id_hash: String,
    /// Its content.
    pub file: String,
    /// Until when it lives.
    pub expires_at: Timestamp,
}

impl Storage {
    /// Stores a new session; false when the id is taken.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn create_session(&self, session: &SessionRow) -> Result<bool> {
        let insert = sqlx::query(
            "insert into sessions (id_hash, file, expires_at) values ($1, $2, $3) on conflict (id_hash) do nothing",
        )
        .bind(session.id_hash.clone())
        .bind(session.file.clone())
        .bind(session.expires_at.as_microsecond());
        Ok(insert.execute(&mut *self.writer().await?).await?.rows_affected() == 1)
    }

    /// Stores a session as it is now.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn save_session(&self, session: &SessionRow) -> Result<()> {
        let upsert = sqlx::query(
            "insert into sessions (id_hash, file, expires_at) values ($1, $2, $3) \
             on conflict (id_hash) do update set file = excluded.file, expires_at = excluded.expires_at",
        )
        .bind(session.id_hash.clone())
        .bind(session.file.clone())
        .bind(session.expires_at.as_microsecond());
        upsert.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// The session, if it lives.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn session(&self, id_hash: &str) -> Result<Option<SessionRow>> {
        let select =
            sqlx::query("select id_hash, file, expires_at from sessions where id_hash = $1 and expires_at > $2")
                .bind(id_hash.to_owned())
                .bind(self.ambient.now().as_microsecond());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| {
            Ok(SessionRow {
                id_hash: row.text("id_hash")?,
                file: row.text("file")?,
                expires_at: row.time("expires_at")?,
            })
        })
        .transpose()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn delete_session(&self, id_hash: &str) -> Result<()> {
        let delete = sqlx::query("delete from sessions where id_hash = $1").bind(id_hash.to_owned());
        delete.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// Deletes sessions that have expired; gives how many.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn forget_sessions(&self) -> Result<u64> {
        let delete =
            sqlx::query("delete from sessions where expires_at <= $1").bind(self.ambient.now().as_microsecond());
        Ok(delete.execute(&mut *self.writer().await?).await?.rows_affected())
    }
}
