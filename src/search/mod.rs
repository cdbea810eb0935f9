//! Search in the texts that bind: several passages for a question, best first.
//!
//! One trait, two backends with the same answers: an exact index in memory and a Qdrant cluster. Both weigh stems and
//! character 4-grams with BM25 in one sparse vector, and dense vectors beside when an embedder is configured. A search
//! is always for one municipality and one day, so that no text comes up that does not bind there and then.

pub mod analysis;
mod dense;
mod embedded;
pub mod passages;
#[cfg(feature = "qdrant")]
pub mod qdrant;
mod ranking;
mod sparse;

use futures::future::BoxFuture;
use jiff::civil::Date;

use crate::cases::{Language, MunicipalityId, SectionRef, ServiceId};

pub use dense::Vectors;
pub use embedded::{Embedded, Index};
pub use passages::Passages;

/// A question to the texts that bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whose texts.
    pub municipality: MunicipalityId,
    /// The question; a stranger's words, or a model's.
    pub text: String,
    /// Only texts in this language.
    pub language: Language,
    /// Only texts of this service and the statutes.
    pub service: Option<ServiceId>,
    /// Only texts in force on this day.
    pub on: Date,
    /// At most so many passages.
    pub limit: usize,
}

/// A passage that may answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The section, citable.
    pub section: SectionRef,
    /// The language of the text.
    pub language: Language,
    /// The document's title.
    pub title: String,
    /// The section's heading.
    pub heading: String,
    /// The section's text.
    pub text: String,
    /// How well it answers; larger is better, comparable within one search only.
    pub score: f64,
}

/// Why a search gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The index cannot be reached or did not answer in time.
    #[error("the index cannot be reached: {0}")]
    Unreachable(String),
    /// The index was never built, or by another version.
    #[error("the index must be rebuilt: {0}")]
    Stale(String),
}

/// What indexing did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Indexed {
    /// The collection that is searched now; none for the index in memory.
    pub collection: Option<String>,
    /// Passages, long sections in parts.
    pub passages: usize,
    /// Those that were written.
    pub written: usize,
    /// Those that were there.
    pub kept: usize,
    /// Those that were there and no longer belong.
    pub removed: usize,
    /// Whether the alias was moved to the collection.
    pub moved: bool,
    /// Collections that were dropped.
    pub dropped: Vec<String>,
}

/// Anything that searches.
pub trait Search: Send + Sync + std::fmt::Debug {
    /// The passages that answer best, best first; equal ones in the order of their sections.
    fn search<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Passage>, SearchError>>;
}

/// Anything that turns texts into dense vectors. What comes in has been masked.
pub trait Embedder: Send + Sync + std::fmt::Debug {
    /// The name that is stored beside each vector: another model or dimension means another vector.
    fn model(&self) -> &str;

    /// One vector a text, in their order, each of length 1.
    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Vec<Vec<f32>>, SearchError>>;
}
