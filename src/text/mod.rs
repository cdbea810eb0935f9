//! Text: normal form, language, identifiers, masking, tokens, likeness.
//!
//! Pure functions on strings that strangers wrote. Each is linear in its input (or reads a bounded
//! part of it), none panics, and what is found is given back as byte offsets into the text that was
//! passed in. Nothing here logs or keeps a text.

pub mod disguise;
pub mod fnv;
pub mod identifiers;
pub mod language;
mod mask;
mod normalize;
pub mod similarity;
mod tokens;

pub use mask::mask;
pub use normalize::{MAX_BYTES, Normalized, normalize};
pub use tokens::{BUCKETS, Family, Feature, Token, ngrams, tokens};
