//! A trained model as bytes, and back.
//!
//! The bytes carry the version that wrote them and a hash over themselves: a file of another version, or one that
//! was cut or changed, is refused rather than answered from.

use sha2::{Digest, Sha256};

use super::linear::{LANES, Linear};
use super::{LinearClassifier, VERSION};
use crate::text::BUCKETS;

const MAGIC: &[u8; 8] = b"VIRLIN01";

/// Why cached bytes are no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DamagedModel {
    /// Not written by this version.
    #[error("the cache was written by another version")]
    Version,
    /// Cut, changed or inconsistent.
    #[error("the cache is damaged")]
    Damaged,
}

impl LinearClassifier {
    /// The model as bytes, with a hash over them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_text(&mut body, VERSION);
        put_text(&mut body, &self.hash);
        put_count(&mut body, self.labels.len());
        for label in &self.labels {
            put_text(&mut body, label);
        }
        body.extend(self.sharpness.to_le_bytes());
        body.extend(self.threshold.to_le_bytes());
        put_count(&mut body, self.rarity.len());
        for (bucket, row) in self.rows.iter().enumerate() {
            if *row > 0 {
                put_count(&mut body, bucket);
            }
        }
        let columns = self.labels.len();
        let rows = self.linear.weights.chunks_exact(self.linear.width.max(1));
        for value in self.rarity.iter().chain(&self.linear.bias[..columns]).chain(rows.flat_map(|row| &row[..columns]))
        {
            body.extend(value.to_le_bytes());
        }
        let mut out = Vec::with_capacity(body.len() + 40);
        out.extend(MAGIC);
        out.extend(Sha256::digest(&body));
        out.extend(body);
        out
    }

    /// Reads a cached model.
    ///
    /// # Errors
    /// When a single bit is not as it was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedModel> {
        let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(DamagedModel::Version)?;
        let (hash, body) = rest.split_at_checked(32).ok_or(DamagedModel::Damaged)?;
        if Sha256::digest(body)[..] != *hash {
            return Err(DamagedModel::Damaged);
        }
        let mut reader = Reader(body);
        if reader.text()? != VERSION {
            return Err(DamagedModel::Version);
        }
        let hash = reader.text()?;
        let count = reader.count()?;
        let labels = (0..count).map(|_| reader.text()).collect::<Result<Vec<_>, _>>()?;
        let sharpness = f64::from_le_bytes(reader.take()?);
        let threshold = f64::from_le_bytes(reader.take()?);
        let features = reader.count()?;
        let mut rows = vec![0u32; BUCKETS as usize];
        for row in 1..=features {
            let slot = rows.get_mut(reader.count()?).ok_or(DamagedModel::Damaged)?;
            *slot = u32::try_from(row).map_err(|_| DamagedModel::Damaged)?;
        }
        let rarity = reader.floats(features)?;
        let width = count.div_ceil(LANES) * LANES;
        let mut bias = reader.floats(count)?;
        bias.resize(width, 0.0);
        let mut weights = Vec::with_capacity(features.saturating_mul(width).min(reader.0.len() * LANES));
        for _ in 0..features {
            weights.extend(reader.floats(count)?);
            weights.resize(weights.len() + width - count, 0.0);
        }
        if !reader.0.is_empty() {
            return Err(DamagedModel::Damaged);
        }
        Ok(Self { labels, rows, rarity, linear: Linear { width, weights, bias }, sharpness, threshold, hash })
    }
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend(text.as_bytes());
}

/// Reads what was written, never past its end.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DamagedModel> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(DamagedModel::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn count(&mut self) -> Result<usize, DamagedModel> {
        usize::try_from(u32::from_le_bytes(self.take()?)).map_err(|_| DamagedModel::Damaged)
    }

    fn text(&mut self) -> Result<String, DamagedModel> {
        let length = self.count()?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(DamagedModel::Damaged)?;
        self.0 = rest;
        String::from_utf8(taken.to_vec()).map_err(|_| DamagedModel::Damaged)
    }

    fn floats(&mut self, count: usize) -> Result<Vec<f32>, DamagedModel> {
        let length = count.checked_mul(4).ok_or(DamagedModel::Damaged)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(DamagedModel::Damaged)?;
        self.0 = rest;
        let floats: Vec<f32> = taken.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if floats.iter().all(|value| value.is_finite()) { Ok(floats) } else { Err(DamagedModel::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::trained;
    use super::*;

    #[test]
    fn a_cache_is_read_back_and_a_damaged_one_is_refused() {
        let classifier = trained();
        let bytes = classifier.to_bytes();
        assert_eq!(LinearClassifier::from_bytes(&bytes), Ok(classifier));
        assert_eq!(LinearClassifier::from_bytes(b"something else"), Err(DamagedModel::Version));
        for at in [8, 40, 60, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(LinearClassifier::from_bytes(&damaged).is_err(), "byte {at}");
            assert!(LinearClassifier::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
