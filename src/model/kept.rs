//! A trained classifier kept on disk: training takes seconds, reading it back none.
//!
//! The file's name is the hash of everything that training depends on, so that a kept classifier is always the one
//! that training would give.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::TextClassifier;
use super::offline::LinearClassifier;
use crate::cases::hex;

/// The classifier that these examples train, or the one kept in `folder` from an earlier training on the very same
/// examples by this version. A kept file that is damaged, or a folder that cannot be written, costs only the
/// time of another training. An empty `folder` keeps nothing.
pub fn trained_or_kept<'a>(
    examples: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    folder: &Path,
) -> Arc<dyn TextClassifier> {
    if folder.as_os_str().is_empty() {
        return Arc::new(LinearClassifier::train(examples));
    }
    let path = folder.join(format!("classifier-{}.bin", training_hash(examples.clone())));
    if let Some(kept) = std::fs::read(&path).ok().and_then(|bytes| LinearClassifier::from_bytes(&bytes).ok()) {
        return Arc::new(kept);
    }
    let trained = LinearClassifier::train(examples);
    if let Err(error) = keep(folder, &path, &trained.to_bytes()) {
        tracing::warn!(%error, "the trained classifier could not be kept; the next start trains again");
    }
    Arc::new(trained)
}

/// The code that training depends on: a version number alone would let a developer measure yesterday's model.
const TRAINER: [&str; 8] = [
    env!("CARGO_PKG_VERSION"),
    include_str!("offline/calibration.rs"),
    include_str!("offline/corpus.rs"),
    include_str!("offline/file.rs"),
    include_str!("offline/linear.rs"),
    include_str!("offline/mod.rs"),
    include_str!("../text/normalize.rs"),
    include_str!("../text/tokens.rs"),
];

/// Hash of everything that training depends on: the code, and every example with its label, in order.
fn training_hash<'a>(examples: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut hash = Sha256::new();
    for part in TRAINER.into_iter().chain(examples.flat_map(|(text, label)| [text, label])) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Writes beside and renames, so that nobody ever reads half a file.
fn keep(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}
