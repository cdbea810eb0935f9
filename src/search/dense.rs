//! Dense vectors of the passages, and the file in which they are kept.
//!
//! A passage's vector is kept under the hash of its words, in one file for each address, model and dimension: what was
//! embedded once is not sent again, and another model never meets these vectors. That another model answers under an old
//! name shows by the length of its vectors, and on [`super::index`] by a text that is embedded again. The file holds
//! vectors of public texts only; a question is masked, embedded and forgotten.

use std::collections::{BTreeMap, HashMap};
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

/// The least cosine of two vectors of one text by one model; models are not exact.
pub(super) const SAME: f32 = 0.98;

/// First bytes of the file.
const MAGIC: &[u8] = b"vireille-embeddings-1\n";

type Key = [u8; 32];

/// Which vectors that were kept are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All: what was embedded once is not sent again.
    Trusted,
    /// All, when one text that is embedded again comes out as it did.
    Tried,
    /// None.
    Ignored,
}

/// The vectors of all passages, and who makes a question's.
#[derive(Debug)]
pub struct Vectors {
    embedder: Arc<dyn Embedder>,
    pause: Pause,
    dimension: usize,
    values: Vec<f32>,
}

impl Vectors {
    /// The vector of each passage: `kept` in `folder` or embedded now. `progress` hears how many of how many are there.
    /// What was embedded before an error is kept. An empty `folder` keeps nothing. Vectors that do not fit those that
    /// come now are thrown away, and everything is embedded again.
    ///
    /// # Errors
    /// The embedder's, and [`SearchError::Stale`] when vectors differ in length.
    pub async fn of(
        passages: &Passages,
        embedder: Arc<dyn Embedder>,
        folder: &Path,
        kept: Kept,
        progress: Progress<'_>,
    ) -> Result<Self, SearchError> {
        let texts: BTreeMap<Key, String> = passages.parts().iter().map(embedded_text).map(keyed).collect();
        let file = file(folder, &embedder.kept_as());
        let mut known = match (&file, kept) {
            (Some(file), Kept::Trusted | Kept::Tried) => read(file),
            _ => HashMap::new(),
        };
        known.retain(|key, _| texts.contains_key(key));
        if kept == Kept::Tried && !embeds_as_before(&*embedder, &texts, &known).await? {
            tracing::warn!(
                model = embedder.model(),
                "the model embeds otherwise than before: everything is embedded again"
            );
            known.clear();
        }
        let file = file.as_deref();
        if !embed_missing(&*embedder, &texts, &mut known, file, progress).await? {
            tracing::warn!(
                model = embedder.model(),
                "the vectors have another length than before: everything is embedded again"
            );
            known.clear();
            if !embed_missing(&*embedder, &texts, &mut known, file, progress).await? {
                return Err(SearchError::Stale("the embedder's vectors differ in length".to_owned()));
            }
        }
        let dimension = known.values().next().map_or(0, Vec::len);
        let vectors: Vec<&[f32]> = passages
            .parts()
            .iter()
            .filter_map(|part| Some(known.get(&key(&embedded_text(part)))?.as_slice()))
            .collect();
        Ok(Self { embedder, pause: Pause::default(), dimension, values: vectors.concat() })
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
                _ => "the embedder gave another vector than was asked for; run `vireille policy index`".to_owned(),
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
        let cosine = |part| dot(self.of_part(part), vector);
        let fits = |part: &usize| passages.parts()[*part].fits(query);
        place.filter(fits).map(|part| Hit { part, score: cosine(part) }).collect()
    }
}

/// Whether a text whose vector is known gets the same now.
async fn embeds_as_before(
    embedder: &dyn Embedder,
    texts: &BTreeMap<Key, String>,
    known: &HashMap<Key, Vec<f32>>,
) -> Result<bool, SearchError> {
    let Some((text, before)) = texts.iter().find_map(|(key, text)| Some((text, known.get(key)?))) else {
        return Ok(true);
    };
    let now = embedder.embed(std::slice::from_ref(text)).await?;
    Ok(now.iter().any(|now| now.len() == before.len() && dot(now, before) >= SAME))
}

/// Embeds what is not known. False as soon as a vector has another length than the others.
async fn embed_missing(
    embedder: &dyn Embedder,
    texts: &BTreeMap<Key, String>,
    known: &mut HashMap<Key, Vec<f32>>,
    file: Option<&Path>,
    progress: Progress<'_>,
) -> Result<bool, SearchError> {
    progress(known.len(), texts.len());
    let missing: Vec<(Key, &String)> =
        texts.iter().filter(|(key, _)| !known.contains_key(*key)).map(|(key, text)| (*key, text)).collect();
    for some in missing.chunks(BETWEEN_WRITES) {
        let words: Vec<String> = some.iter().map(|(_, text)| (*text).clone()).collect();
        let vectors = embedder.embed(&words).await?;
        if vectors.len() != some.len() {
            return Err(SearchError::Unreachable("the embedder gave another number of vectors".to_owned()));
        }
        let length = known.values().chain(&vectors).next().map_or(0, Vec::len);
        if vectors.iter().any(|vector| vector.len() != length) {
            return Ok(false);
        }
        known.extend(some.iter().map(|(key, _)| *key).zip(vectors));
        progress(known.len(), texts.len());
        if let Some(Err(error)) = file.map(|file| write(file, known)) {
            tracing::warn!(%error, "the vectors could not be kept; the next start embeds again");
        }
    }
    Ok(true)
}

/// The cosine of two vectors of length 1.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

fn key(text: &str) -> Key {
    Sha256::digest(text).into()
}

fn keyed(text: String) -> (Key, String) {
    (key(&text), text)
}

fn embedded_text(part: &Part) -> String {
    cut(&format!("{}\n{}\n{}", part.title, part.heading, part.text)).to_owned()
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

fn file(folder: &Path, kept_as: &str) -> Option<PathBuf> {
    let name = hex(&Sha256::digest(kept_as));
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
    for (key, vector) in vectors {
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
