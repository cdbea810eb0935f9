//! Forms that residents are filling in: kept between visits under the hash of an unguessable link, deleted when they
//! are sent and when nobody comes back. Nothing here is a case yet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::row::{Columns as _, to_json};
use super::{Result, Storage};
use crate::cases::{MunicipalityId, ServiceId};

/// A form as it was last saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedForm {
    /// SHA-256 of its link, 64 hexadecimal digits.
    pub link_hash: String,
    /// The municipality.
    pub municipality: MunicipalityId,
    /// The service; none for a message in free text.
    pub service: Option<ServiceId>,
    /// What was filled in.
    pub file: Filled,
    /// Until when it is kept.
    pub expires_at: Timestamp,
}

/// What was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Texts by name, as they were typed.
    pub texts: BTreeMap<String, String>,
    /// Where a value was taken from that nobody typed here, by name: shown beside it.
    #[serde(default)]
    pub from: BTreeMap<String, Origin>,
    /// The case under which words of danger in it were brought to a person before it was sent.
    #[serde(default)]
    pub rescued: Option<String>,
}

/// Where a value on a form was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Origin {
    /// A case, by its number.
    Case(String),
    /// A register of the municipality.
    Register {
        /// Its name.
        register: String,
        /// From which day it says so.
        as_of: Date,
    },
}

/// A file that was added to a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedFile {
    /// Its id.
    pub id: String,
    /// Its name, as the browser gave it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Storage {
    /// Stores a form as it is now; the same link again is the same form.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn save_form(&self, form: &SavedForm) -> Result<()> {
        let upsert = sqlx::query(
            "insert into saved_forms (link_hash, municipality, service, file, expires_at) values ($1, $2, $3, $4, $5) \
             on conflict (link_hash) do update set file = excluded.file, expires_at = excluded.expires_at",
        )
        .bind(form.link_hash.clone())
        .bind(form.municipality.as_str().to_owned())
        .bind(form.service.as_ref().map(|service| service.as_str().to_owned()))
        .bind(to_json("saved_form", &form.file)?)
        .bind(form.expires_at.as_microsecond());
        upsert.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// The form, if it is still kept.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn saved_form(&self, link_hash: &str) -> Result<Option<SavedForm>> {
        let select = sqlx::query("select * from saved_forms where link_hash = $1 and expires_at > $2")
            .bind(link_hash.to_owned())
            .bind(self.ambient.now().as_microsecond());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| {
            Ok(SavedForm {
                link_hash: row.text("link_hash")?,
                municipality: row.parse("municipality")?,
                service: row.opt_parse("service")?,
                file: row.json("file")?,
                expires_at: row.time("expires_at")?,
            })
        })
        .transpose()
    }

    /// Adds a file to a form.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn add_saved_file(&self, link_hash: &str, file: &SavedFile) -> Result<()> {
        let insert = sqlx::query("insert into saved_files (id, link_hash, name, bytes) values ($1, $2, $3, $4)")
            .bind(file.id.clone())
            .bind(link_hash.to_owned())
            .bind(file.name.replace('\0', ""))
            .bind(file.bytes.clone());
        insert.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// The files of a form, in the order in which they were added.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn saved_files(&self, link_hash: &str) -> Result<Vec<SavedFile>> {
        let select = sqlx::query("select id, name, bytes from saved_files where link_hash = $1 order by id")
            .bind(link_hash.to_owned());
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        let file = |row: &sqlx::any::AnyRow| {
            Ok(SavedFile { id: row.text("id")?, name: row.text("name")?, bytes: row.bytes("bytes")? })
        };
        rows.iter().map(file).collect()
    }

    /// Takes a file from a form.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn remove_saved_file(&self, link_hash: &str, id: &str) -> Result<()> {
        let delete = sqlx::query("delete from saved_files where link_hash = $1 and id = $2")
            .bind(link_hash.to_owned())
            .bind(id.replace('\0', ""));
        delete.execute(&mut *self.writer().await?).await?;
        Ok(())
    }

    /// Deletes a form with its files.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn delete_saved_form(&self, link_hash: &str) -> Result<()> {
        for delete in ["delete from saved_files where link_hash = $1", "delete from saved_forms where link_hash = $1"] {
            let delete = sqlx::query(delete).bind(link_hash.to_owned());
            delete.execute(&mut *self.writer().await?).await?;
        }
        Ok(())
    }

    /// Deletes forms to which nobody came back, with their files; gives how many forms.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn forget_saved_forms(&self) -> Result<u64> {
        let now = self.ambient.now().as_microsecond();
        let delete = sqlx::query("delete from saved_forms where expires_at <= $1").bind(now);
        let forgotten = delete.execute(&mut *self.writer().await?).await?.rows_affected();
        let orphans = sqlx::query("delete from saved_files where link_hash not in (select link_hash from saved_forms)");
        orphans.execute(&mut *self.writer().await?).await?;
        Ok(forgotten)
    }
}
