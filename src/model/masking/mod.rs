//! Personal data does not reach a model: what identifies a person is replaced before a call and put back after it.
//!
//! [`Masked`] is the proof in the type: a request can only be made of masked texts, and a text is masked by the
//! [`Masker`] of its case, or because it is public (the municipality's own files).

use std::fmt;

/// Something in which no personal data stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Masked<T>(T);

impl Masked<String> {
    /// A text that the municipality's people wrote for everybody: a policy, a prompt, a fixed block, a word of our own
    /// vocabulary. Never anything that came in.
    #[must_use]
    pub fn public(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Several masked texts make a masked text.
    #[must_use]
    pub fn join(parts: &[Self], between: &str) -> Self {
        Self(parts.iter().map(Self::as_str).collect::<Vec<_>>().join(between))
    }
}

impl fmt::Display for Masked<String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
