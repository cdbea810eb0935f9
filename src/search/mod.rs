//! Search in the texts that bind: several passages for a question, best first.
//!
//! One trait, two backends with the same answers: an exact index in memory and a Qdrant cluster. Both weigh stems and
//! character 4-grams with BM25 in one sparse vector, and dense vectors beside when an embedder is configured. A search
//! is always for one municipality and one day, so that no text comes up that does not bind there and then.

pub mod analysis;
mod dense;
mod embedded;
pub mod passages;
mod pause;
#[cfg(feature = "qdrant")]
pub mod qdrant;
mod ranking;
mod sparse;

use std::path::Path;
use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::civil::Date;

use crate::cases::{Language, MunicipalityId, SectionRef, ServiceId};
use crate::config::{self, SearchBackend};
use crate::policy::Rulebooks;

pub use dense::{Kept, Vectors};
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
#[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
pub struct Passage {
    /// The section, citable.
    pub section: SectionRef,
    /// The language of the text.
    pub language: Language,
    /// The document's title.
    pub title: String,
    /// The section's heading.
    pub heading: String,
    /// The section's text; of a long section the part that answers.
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

/// Hears how many of how many are done.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

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

    /// Under what its vectors are kept: what is another model behind the same name, as far as anybody can tell.
    fn kept_as(&self) -> String {
        self.model().to_owned()
    }

    /// One vector a text, in their order, each of length 1.
    fn embed<'a>(&'a self, texts: &'a [String]) -> BoxFuture<'a, Result<Vec<Vec<f32>>, SearchError>>;
}

/// The search of the settings over these texts; dense vectors come from `embedder`, kept in `cache`.
///
/// An embedder that fails costs the dense vectors only, until it answers again; a cluster that cannot be reached costs
/// nothing. A warning says so.
///
/// # Errors
/// [`SearchError`] when the settings themselves cannot be used.
pub async fn connect(
    settings: &config::Search,
    rulebooks: &Rulebooks,
    embedder: Option<Arc<dyn Embedder>>,
    cache: &Path,
) -> Result<Arc<dyn Search>, SearchError> {
    let local = Embedded::new(Index::build(Passages::of(rulebooks)), None);
    if let Some(embedder) = embedder {
        local.embed(embedder, cache).await;
    }
    Ok(match settings.backend {
        SearchBackend::Embedded => Arc::new(local),
        SearchBackend::Qdrant => Arc::new(cluster(settings, local)?),
    })
}

/// Embeds what was not embedded yet and, with a cluster, brings it up to date: [`qdrant::Cluster::index`]. When the model
/// embeds otherwise than before, or on `rebuild`, everything is embedded again.
///
/// # Errors
/// The embedder's or the cluster's; what was searched before is searched on.
pub async fn index(
    settings: &config::Search,
    rulebooks: &Rulebooks,
    embedder: Option<Arc<dyn Embedder>>,
    cache: &Path,
    rebuild: bool,
    progress: Progress<'_>,
) -> Result<Indexed, SearchError> {
    let passages = Passages::of(rulebooks);
    let kept = if rebuild { Kept::Ignored } else { Kept::Tried };
    let vectors = match embedder {
        Some(embedder) => Some(Vectors::of(&passages, embedder, cache, kept, progress).await?),
        None => None,
    };
    let local = Embedded::new(Index::build(passages), vectors);
    match settings.backend {
        SearchBackend::Embedded => {
            let passages = local.index().passages().parts().len();
            Ok(Indexed { passages, kept: passages, ..Indexed::default() })
        }
        SearchBackend::Qdrant => fill(&cluster(settings, local)?, rebuild, progress).await,
    }
}

#[cfg(feature = "qdrant")]
fn cluster(settings: &config::Search, local: Embedded) -> Result<qdrant::Cluster, SearchError> {
    qdrant::Cluster::new(settings, settings.timeout(), local)
}

#[cfg(feature = "qdrant")]
async fn fill(cluster: &qdrant::Cluster, rebuild: bool, progress: Progress<'_>) -> Result<Indexed, SearchError> {
    cluster.index(rebuild, progress).await
}

/// There is none in this build.
#[cfg(not(feature = "qdrant"))]
fn cluster(_: &config::Search, _: Embedded) -> Result<Embedded, SearchError> {
    Err(SearchError::Unreachable("this build has no Qdrant backend; build with `--features qdrant`".to_owned()))
}

#[cfg(not(feature = "qdrant"))]
async fn fill(_: &Embedded, _: bool, _: Progress<'_>) -> Result<Indexed, SearchError> {
    Ok(Indexed::default())
}
