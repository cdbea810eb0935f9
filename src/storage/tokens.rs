//! API tokens, hashed at rest: who reads the database cannot act as anybody.
//!
//! A secret is `vir_` and 64 hexadecimal digits with more than 240 random bits in them, so a plain
//! SHA-256 is enough: nobody can try them all.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

use super::row::{Columns as _, sha256, to_json};
use super::{Result, Storage, Tx};
use crate::cases::{MunicipalityId, Person, TokenId};
use crate::clock::Ambient;

/// A token as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its id; also stands in `person.token`.
    pub id: TokenId,
    /// SHA-256 of the secret, 64 hexadecimal digits.
    pub hash: String,
    /// Who acts with it.
    pub person: Person,
}

/// A new secret, shown once and never stored, and the hash that is.
#[must_use]
pub fn generate(ambient: &Ambient) -> (String, String) {
    // One id carries some 62 random bits; four of them through SHA-256 leave nothing to guess.
    let mut entropy = Vec::with_capacity(64);
    for _ in 0..4 {
        entropy.extend_from_slice(ambient.id().as_bytes());
    }
    let secret = format!("vir_{}", sha256(&entropy));
    let hash = hash(&secret);
    (secret, hash)
}

/// The hash by which a secret is looked up.
#[must_use]
pub fn hash(secret: &str) -> String {
    sha256(secret.as_bytes())
}

impl Tx {
    /// Stores a token.
    ///
    /// # Errors
    /// [`super::Error::Database`] when the id or hash is taken.
    pub async fn insert_token(&mut self, token: &TokenRow) -> Result<()> {
        let insert =
            sqlx::query("insert into tokens (id, municipality, hash, person, created_at) values ($1, $2, $3, $4, $5)")
                .bind(token.id.to_string())
                .bind(token.person.municipality.as_str().to_owned())
                .bind(token.hash.clone())
                .bind(to_json("token.person", &token.person)?)
                .bind(self.storage.ambient.now().as_microsecond());
        self.execute(insert).await.map(|_| ())
    }

    /// Revokes a token; false when the municipality has no such token or it was revoked before.
    ///
    /// # Errors
    /// [`super::Error::Unavailable`].
    pub async fn revoke_token(&mut self, municipality: &MunicipalityId, id: TokenId) -> Result<bool> {
        let update =
            sqlx::query("update tokens set revoked_at = $3 where municipality = $1 and id = $2 and revoked_at is null")
                .bind(municipality.as_str().to_owned())
                .bind(id.to_string())
                .bind(self.storage.ambient.now().as_microsecond());
        Ok(self.execute(update).await? == 1)
    }
}

impl Storage {
    /// Who acts with the secret of this hash; none when it is unknown or revoked.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn person_by_token_hash(&self, hash: &str) -> Result<Option<Person>> {
        let select = sqlx::query("select person from tokens where hash = $1 and revoked_at is null")
            .bind(hash.replace('\0', ""));
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| row.json("person")).transpose()
    }

    /// Who acts with this token; none when it is unknown or revoked.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn person_by_token(&self, id: TokenId) -> Result<Option<Person>> {
        let select = sqlx::query("select person from tokens where id = $1 and revoked_at is null").bind(id.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| row.json("person")).transpose()
    }

    /// The tokens of a municipality that are not revoked, oldest first.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn tokens(&self, municipality: &MunicipalityId) -> Result<Vec<TokenRow>> {
        let select = sqlx::query(
            "select id, hash, person from tokens where municipality = $1 and revoked_at is null order by id",
        )
        .bind(municipality.as_str().to_owned());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(token).collect()
    }
}

fn token(row: &AnyRow) -> Result<TokenRow> {
    Ok(TokenRow { id: row.parse("id")?, hash: row.text("hash")?, person: row.json("person")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_new_each_time_and_long() {
        let ambient = Ambient::system();
        let (secret, stored) = generate(&ambient);
        assert_eq!(secret.len(), 4 + 64);
        assert_eq!(stored, hash(&secret));
        assert!(!stored.contains(&secret[4..]));
        assert_ne!(generate(&ambient).0, secret);
    }
}
