//! Reading columns into the words of the house. A column that cannot be read names itself, never its value.

use std::str::FromStr;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Error, Result};
use crate::cases::hex;

/// What every noun needs of a row.
pub(super) trait Columns {
    fn text(&self, column: &'static str) -> Result<String>;
    fn opt_text(&self, column: &'static str) -> Result<Option<String>>;
    fn int(&self, column: &'static str) -> Result<i64>;
    fn opt_int(&self, column: &'static str) -> Result<Option<i64>>;
    fn bytes(&self, column: &'static str) -> Result<Vec<u8>>;

    fn flag(&self, column: &'static str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        T::try_from(self.int(column)?).map_err(|_| Error::corrupt(column))
    }

    fn time(&self, column: &'static str) -> Result<Timestamp> {
        Timestamp::from_microsecond(self.int(column)?).map_err(|_| Error::corrupt(column))
    }

    fn parse<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.text(column)?.parse().map_err(|_| Error::corrupt(column))
    }

    fn opt_parse<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        self.opt_text(column)?.map(|text| text.parse().map_err(|_| Error::corrupt(column))).transpose()
    }

    fn word<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
        parse(&self.text(column)?).ok_or_else(|| Error::corrupt(column))
    }

    fn opt_word<T>(&self, column: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        self.opt_text(column)?.map(|text| parse(&text).ok_or_else(|| Error::corrupt(column))).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| Error::corrupt(column))
    }

    fn opt_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        self.opt_text(column)?.map(|text| serde_json::from_str(&text).map_err(|_| Error::corrupt(column))).transpose()
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &'static str) -> Result<String> {
        self.try_get(column).map_err(|_| Error::corrupt(column))
    }

    fn opt_text(&self, column: &'static str) -> Result<Option<String>> {
        self.try_get(column).map_err(|_| Error::corrupt(column))
    }

    fn int(&self, column: &'static str) -> Result<i64> {
        self.try_get(column).map_err(|_| Error::corrupt(column))
    }

    fn opt_int(&self, column: &'static str) -> Result<Option<i64>> {
        self.try_get(column).map_err(|_| Error::corrupt(column))
    }

    fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        self.try_get(column).map_err(|_| Error::corrupt(column))
    }
}

/// JSON text of a word of the house.
pub(super) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::corrupt(what))
}

/// SHA-256 as 64 hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
