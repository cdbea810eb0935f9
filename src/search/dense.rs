//! Dense vectors of the passages, and the file in which they are kept.
//!
//! A passage's vector is kept under the hash of its words, in one file for each model and dimension: what was embedded
//! once is not sent again, and another model never meets these vectors. The file holds vectors of public texts only; a
//! question is masked, embedded and forgotten.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::passages::{Part, Passages};
use super::pause::{PAUSE, Pause};
use super::ranking::Hit;
use super::{Embedder, Progress, Query, SearchError};
use crate::cases::hex;
use crate::text;

/// Passages embedded between two writes of the file.
const BETWEEN_WRITES: usize = 512;

/// Most characters of a question or a passage that are embedded. Models cut longer texts, or refuse them.
const LONGEST: usize = 6000;

/// Longest wait for a question's vector.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);

/// First bytes of the file.
const MAGIC: &[u8] = b"vireille-embeddings-1\n";

type Key = [u8; 32];

/// The vectors of all passages, and who makes a question's.
#[derive(Debug)]
pub struct Vectors {
    embedder: Arc<dyn Embedder>,
    pause: Pause,
    dimension: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// The vector of each passage: kept in `folder` or embedded now. `progress` hears how many of how many are there.
    /// What was embedded before an error is kept. An empty `folder` keeps nothing.
    ///
    /// # Errors
    /// The embedder's, and [`SearchError::Stale`] when vectors differ in length.
    pub async fn of(
        passages: &Passages,
        embedder: Arc<dyn Embedder>,
        folder: &Path,
        progress: Progress<'_>,
    ) -> Result<Self, SearchError> {
        let texts: Vec<String> = passages.parts().iter().map(embedded_text).collect();
        let keys: Vec<Key> = texts.iter().map(|text| Sha256::digest(text).into()).collect();
        let file = file(folder, embedder.model());
        let kept = file.as_deref().map(read).unwrap_or_default();
        let mut known: HashMap<Key, Vec<f32>> =
            keys.iter().filter_map(|key| Some((*key, kept.get(key)?.clone()))).collect();
        let mut missing: Vec<usize> = (0..texts.len()).filter(|&at| !known.contains_key(&keys[at])).collect();
        missing.sort_by_key(|&at| keys[at]);
        missing.dedup_by_key(|at| keys[*at]);
        let total = known.len() + missing.len();
        progress(known.len(), total);
        for some in missing.chunks(BETWEEN_WRITES) {
            let words: Vec<String> = some.iter().map(|&at| texts[at].clone()).collect();
            let vectors = embedder.embed(&words).await?;
            if vectors.len() != some.len() {
                return Err(SearchError::Unreachable("the embedder gave another number of vectors".to_owned()));
            }
            known.extend(some.iter().map(|&at| keys[at]).zip(vectors));
            progress(known.len(), total);
            if let Some(Err(error)) = file.as_deref().map(|file| write(file, &known)) {
                tracing::warn!(%error, "the vectors could not be kept; the next start embeds again");
            }
        }
        Self::joined(&keys, &known, embedder)
    }

    fn joined(keys: &[Key], known: &HashMap<Key, Vec<f32>>, embedder: Arc<dyn Embedder>) -> Result<Self, SearchError> {
        let all: Vec<&[f32]> = keys.iter().filter_map(|key| Some(known.get(key)?.as_slice())).collect();
        let dimension = all.first().map_or(0, |vector| vector.len());
        if all.len() != keys.len() || all.iter().any(|vector| vector.len() != dimension) {
            return Err(SearchError::Stale("the embedder's vectors differ in length".to_owned()));
        }
        Ok(Self { embedder, pause: Pause::default(), dimension, values: all.concat() })
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        self.embedder.model()
    }

    /// Numbers in a vector.
    #[must_use]
    pub const fn dimension(&self) -> usize {
        self.dimension
    }

    /// The vector of a part.
    #[must_use]
    pub fn of_part(&self, part: usize) -> &[f32] {
        self.values.get(part * self.dimension..(part + 1) * self.dimension).unwrap_or(&[])
    }

    /// The vector of a question, masked before it leaves; none when the embedder fails: words alone must do then.
    pub(super) async fn of_question(&self, question: &str) -> Option<Vec<f32>> {
        if self.pause.is_on() {
            return None;
        }
        let masked = [cut(&text::mask(question)).to_owned()];
        let because = match tokio::time::timeout(QUESTION_TIMEOUT, self.embedder.embed(&masked)).await {
            Ok(Ok(vectors)) => match <[Vec<f32>; 1]>::try_from(vectors) {
                Ok([vector]) if vector.len() == self.dimension => return Some(vector),
                _ => "the embedder gave another vector than was asked for".to_owned(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the embedder was silent".to_owned(),
        };
        self.pause.begin();
        tracing::warn!(because, seconds = PAUSE.as_secs(), "searching by words alone for a while: {because}");
        None
    }

    /// The cosine of each part that fits; all vectors have length 1.
    pub(super) fn hits(&self, passages: &Passages, place: Range<usize>, vector: &[f32], query: &Query) -> Vec<Hit> {
        let cosine = |part| self.of_part(part).iter().zip(vector).map(|(a, b)| a * b).sum();
        let fits = |part: &usize| passages.parts()[*part].fits(query);
        place.filter(fits).map(|part| Hit { part, score: cosine(part) }).collect()
    }
}

fn embedded_text(part: &Part) -> String {
    cut(&format!("{}\n{}\n{}", part.title, part.heading, part.text)).to_owned()
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

fn file(folder: &Path, model: &str) -> Option<PathBuf> {
    let name = hex(&Sha256::digest(model));
    (!folder.as_os_str().is_empty()).then(|| folder.join(format!("embeddings-{}.bin", &name[..16])))
}

/// What is kept; nothing where the file is missing or damaged.
fn read(file: &Path) -> HashMap<Key, Vec<f32>> {
    std::fs::read(file).ok().and_then(|bytes| parse(&bytes)).unwrap_or_default()
}

/// Magic, dimension, then hash and vector of each text; little-endian.
fn parse(bytes: &[u8]) -> Option<HashMap<Key, Vec<f32>>> {
    let (dimension, records) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    let dimension = usize::try_from(u32::from_le_bytes(*dimension)).ok()?;
    let length = dimension.checked_mul(4)?.checked_add(size_of::<Key>())?;
    let records = records.chunks_exact(length);
    records.remainder().is_empty().then_some(())?;
    records
        .map(|record| {
            let (key, vector) = record.split_first_chunk()?;
            let vector = vector.chunks_exact(4).filter_map(|four| Some(f32::from_le_bytes(four.try_into().ok()?)));
            Some((*key, vector.collect()))
        })
        .collect()
}

/// Writes beside and renames, so that nobody ever reads half a file.
fn write(file: &Path, vectors: &HashMap<Key, Vec<f32>>) -> std::io::Result<()> {
    let Some(first) = vectors.values().next() else { return Ok(()) };
    let mut bytes = MAGIC.to_vec();
    bytes.extend(u32::try_from(first.len()).unwrap_or(0).to_le_bytes());
    for (key, vector) in vectors.iter().filter(|(_, vector)| vector.len() == first.len()) {
        bytes.extend(key);
        bytes.extend(vector.iter().flat_map(|number| number.to_le_bytes()));
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back_from_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder.path().join("new"), "model").unwrap();
        let vectors: HashMap<Key, Vec<f32>> = [([1; 32], vec![0.6, 0.8]), ([2; 32], vec![1.0, 0.0])].into();
        write(&file, &vectors).unwrap();
        assert_eq!(read(&file), vectors);
        let mut damaged = std::fs::read(&file).unwrap();
        damaged.pop();
        std::fs::write(&file, damaged).unwrap();
        assert!(read(&file).is_empty());
        assert_eq!(super::file(Path::new(""), "model"), None);
        assert_ne!(super::file(Path::new("a"), "model"), super::file(Path::new("a"), "other"));
    }
}
