//! Submissions: what came in, byte for byte, and never changed. Bytes are addressed by their SHA-256
//! within one municipality, so the same file sent ten times is kept once.

use sqlx::AnyConnection;

use super::row::{Columns as _, sha256, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{Attachment, MunicipalityId, Submission, SubmissionId};

/// What became of a submission that was to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored.
    New,
    /// The sender's id is known and so are the bytes: the same submission again. Nothing was written.
    Again(SubmissionId),
    /// The sender's id is known but the bytes differ. Nothing was written: the caller must not let it
    /// be lost (refuse it aloud, or store it without the sender's id).
    Differs(SubmissionId),
}

/// A submission that is known by its sender's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Our id.
    pub id: SubmissionId,
    /// SHA-256 of the bytes as they came, 64 hexadecimal digits.
    pub raw_sha256: String,
}

impl Tx {
    /// Stores what came in: the bytes as they came, the files, and their reading.
    ///
    /// `sender` is whose ids the sender's id is one of: two senders may both count from 1.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a file's bytes are not the ones that its [`Attachment`] names.
    pub async fn insert_submission(
        &mut self,
        submission: &Submission,
        sender: &str,
        raw: &[u8],
        files: &[(Attachment, Vec<u8>)],
    ) -> Result<Receipt> {
        let municipality = &submission.municipality;
        let raw_sha256 = sha256(raw);
        for (attachment, bytes) in files {
            if sha256(bytes) != attachment.sha256 {
                return Err(Error::corrupt("attachment"));
            }
            self.insert_blob(municipality, &attachment.sha256, bytes).await?;
        }
        self.insert_blob(municipality, &raw_sha256, raw).await?;
        let insert = sqlx::query(
            "insert into submissions (id, municipality, external_key, raw_sha256, received_at, reading) \
             values ($1, $2, $3, $4, $5, $6) on conflict (municipality, external_key) do nothing",
        )
        .bind(submission.id.to_string())
        .bind(municipality.as_str().to_owned())
        .bind(submission.external_id.as_deref().map(|id| external_key(sender, id)))
        .bind(raw_sha256.clone())
        .bind(submission.received_at.as_microsecond())
        .bind(to_json("submission", submission)?);
        if self.execute(insert).await? == 1 {
            return Ok(Receipt::New);
        }
        let external_id = submission.external_id.as_deref().unwrap_or_default();
        let known = by_external_id(self.connection(), municipality, sender, external_id).await?;
        let known = known.ok_or(Error::Missing { what: "submission" })?;
        if known.raw_sha256 == raw_sha256 { Ok(Receipt::Again(known.id)) } else { Ok(Receipt::Differs(known.id)) }
    }

    async fn insert_blob(&mut self, municipality: &MunicipalityId, sha256: &str, bytes: &[u8]) -> Result<()> {
        let insert = sqlx::query(
            "insert into blobs (municipality, sha256, size, bytes) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind(municipality.as_str().to_owned())
        .bind(sha256.to_owned())
        .bind(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
        .bind(bytes.to_vec());
        self.execute(insert).await.map(|_| ())
    }

    /// The submission, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn submission(&mut self, municipality: &MunicipalityId, id: SubmissionId) -> Result<Option<Submission>> {
        read(self.connection(), municipality, id).await
    }
}

impl Storage {
    /// The submission as it was read.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn submission(&self, municipality: &MunicipalityId, id: SubmissionId) -> Result<Option<Submission>> {
        read(&mut *self.reader().await?, municipality, id).await
    }

    /// The bytes as they came.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they are not the bytes that came; [`Error::Unavailable`].
    pub async fn raw(&self, municipality: &MunicipalityId, id: SubmissionId) -> Result<Option<Vec<u8>>> {
        let statement = sqlx::query(
            "select b.sha256, b.bytes from submissions s \
             join blobs b on b.municipality = s.municipality and b.sha256 = s.raw_sha256 \
             where s.municipality = $1 and s.id = $2",
        )
        .bind(municipality.as_str().to_owned())
        .bind(id.to_string());
        let row = statement.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| intact(&row)).transpose()
    }

    /// The bytes of a file that came along with this submission.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they are not the bytes that came; [`Error::Unavailable`].
    pub async fn file(
        &self,
        municipality: &MunicipalityId,
        id: SubmissionId,
        attachment: &Attachment,
    ) -> Result<Option<Vec<u8>>> {
        // The reading says which files belong to it: nobody gets another submission's bytes by guessing a hash.
        let Some(submission) = self.submission(municipality, id).await? else { return Ok(None) };
        if !submission.attachments.iter().any(|known| known.sha256 == attachment.sha256) {
            return Ok(None);
        }
        let statement = sqlx::query("select sha256, bytes from blobs where municipality = $1 and sha256 = $2")
            .bind(municipality.as_str().to_owned())
            .bind(attachment.sha256.clone());
        let row = statement.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| intact(&row)).transpose()
    }

    /// The submission that this sender knows by this id.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn find_submission_by_external_id(
        &self,
        municipality: &MunicipalityId,
        sender: &str,
        external_id: &str,
    ) -> Result<Option<Known>> {
        by_external_id(&mut *self.reader().await?, municipality, sender, external_id).await
    }
}

fn intact(row: &sqlx::any::AnyRow) -> Result<Vec<u8>> {
    let bytes = row.bytes("bytes")?;
    if sha256(&bytes) == row.text("sha256")? { Ok(bytes) } else { Err(Error::corrupt("blobs.bytes")) }
}

async fn read(
    connection: &mut AnyConnection,
    municipality: &MunicipalityId,
    id: SubmissionId,
) -> Result<Option<Submission>> {
    let statement = sqlx::query("select reading from submissions where municipality = $1 and id = $2")
        .bind(municipality.as_str().to_owned())
        .bind(id.to_string());
    statement.fetch_optional(connection).await?.map(|row| row.json("reading")).transpose()
}

/// What stands for a sender's id: any text fits, and none of it shows.
fn external_key(sender: &str, id: &str) -> String {
    sha256(format!("{sender}\0{id}").as_bytes())
}

async fn by_external_id(
    connection: &mut AnyConnection,
    municipality: &MunicipalityId,
    sender: &str,
    external_id: &str,
) -> Result<Option<Known>> {
    let statement = sqlx::query("select id, raw_sha256 from submissions where municipality = $1 and external_key = $2")
        .bind(municipality.as_str().to_owned())
        .bind(external_key(sender, external_id));
    let row = statement.fetch_optional(connection).await?;
    row.map(|row| Ok(Known { id: row.parse("id")?, raw_sha256: row.text("raw_sha256")? })).transpose()
}
