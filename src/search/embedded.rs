//! The exact index in memory: an inverted index for words, a plain scan for dense vectors.
//!
//! It holds every municipality's passages, as a cluster's collection does: how rare a term is, is counted over the same
//! texts. Passages of one municipality and language stand together, so that a search reads its own stretch of each list
//! only. Built once, never changed, shared by all searches.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::analysis::Analyser;
use super::dense::{Kept, Vectors};
use super::passages::Passages;
use super::ranking::{Hit, Leg, rank};
use super::sparse::{self, Sparse, rarity};
use super::{Embedder, Passage, Query, Search, SearchError};
use crate::cases::Language;
use crate::policy::Rulebooks;

/// How long an embedder that failed at the start is left alone before it is asked again.
const AGAIN: Duration = Duration::from_mins(1);

/// The index.
#[derive(Debug)]
pub struct Index {
    passages: Passages,
    /// The dimensions that occur, ascending; each one's list ends where the next begins.
    terms: Vec<u32>,
    starts: Vec<usize>,
    /// Part and weight, by dimension and then by part.
    postings: Vec<(usize, f32)>,
}

impl Index {
    /// Reads all passages.
    #[must_use]
    pub fn build(passages: Passages) -> Self {
        let vectors = vectors(&passages);
        let mut entries: Vec<(u32, usize, f32)> = Vec::with_capacity(vectors.iter().map(|v| v.indices.len()).sum());
        for (part, vector) in vectors.iter().enumerate() {
            entries.extend(vector.indices.iter().zip(&vector.values).map(|(&term, &weight)| (term, part, weight)));
        }
        entries.sort_unstable_by_key(|&(term, part, _)| (term, part));
        let (mut terms, mut starts) = (Vec::new(), Vec::new());
        for (at, &(term, ..)) in entries.iter().enumerate() {
            if terms.last() != Some(&term) {
                terms.push(term);
                starts.push(at);
            }
        }
        starts.push(entries.len());
        let postings = entries.into_iter().map(|(_, part, weight)| (part, weight)).collect();
        Self { passages, terms, starts, postings }
    }

    /// What is searched.
    #[must_use]
    pub fn passages(&self) -> &Passages {
        &self.passages
    }

    /// How well each part that fits answers by its words.
    pub(super) fn lexical(&self, question: &Sparse, query: &Query) -> Vec<Hit> {
        let place = self.passages.place(query);
        let texts = self.passages.count(query.language);
        let mut scores = vec![0.0_f32; place.len()];
        for (&term, &weight) in question.indices.iter().zip(&question.values) {
            let list = self.list(term);
            let weight = weight * rarity(texts, list.len());
            let from = list.partition_point(|&(part, _)| part < place.start);
            for &(part, of_text) in list[from..].iter().take_while(|&&(part, _)| part < place.end) {
                scores[part - place.start] += weight * of_text;
            }
        }
        place
            .zip(scores)
            .filter(|&(part, score)| score > 0.0 && self.passages.parts()[part].fits(query))
            .map(|(part, score)| Hit { part, score })
            .collect()
    }

    /// The question for a cluster, which multiplies each weight with the rarity among the texts of every language: a
    /// term is rare among those of its own. Terms that occur nowhere are left out.
    #[cfg(feature = "qdrant")]
    pub(super) fn for_cluster(&self, question: &Sparse, language: Language) -> Sparse {
        let (all, texts) = (self.passages.parts().len(), self.passages.count(language));
        let (indices, values) = question
            .indices
            .iter()
            .zip(&question.values)
            .map(|(&term, &weight)| (term, weight, self.list(term).len()))
            .filter(|&(.., with)| with > 0)
            .map(|(term, weight, with)| (term, weight * rarity(texts, with) / rarity(all, with)))
            .unzip();
        Sparse { indices, values }
    }

    /// Every part in which a term occurs, with its weight.
    fn list(&self, term: u32) -> &[(usize, f32)] {
        self.terms.binary_search(&term).map_or(&[], |at| &self.postings[self.starts[at]..self.starts[at + 1]])
    }
}

/// The vector of each passage, in order. The average length is that of all of them.
pub(super) fn vectors(passages: &Passages) -> Vec<Sparse> {
    let [fi, sv, en] = [Language::Fi, Language::Sv, Language::En].map(Analyser::new);
    let counted: Vec<_> = passages
        .parts()
        .iter()
        .map(|part| {
            let analyser = match part.language {
                Language::Fi => &fi,
                Language::Sv => &sv,
                Language::En => &en,
            };
            sparse::count(analyser, &part.title, &part.heading, &part.text)
        })
        .collect();
    let average = counted.iter().map(|text| text.length).sum::<f32>() / sparse::number(counted.len());
    counted.iter().map(|text| sparse::weigh(text, average)).collect()
}

/// Search in the index.
#[derive(Debug, Clone)]
pub struct Embedded {
    index: Arc<Index>,
    /// Set once, maybe after searches began.
    vectors: Arc<OnceLock<Vectors>>,
}

/// A question as both backends take it.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its words.
    pub words: Sparse,
    /// Its dense vector, where there is an embedder and it answered.
    pub vector: Option<Vec<f32>>,
}

impl Embedded {
    /// Over the texts of every municipality, by words alone.
    #[must_use]
    pub fn over(rulebooks: &Rulebooks) -> Self {
        Self::new(Index::build(Passages::of(rulebooks)), None)
    }

    /// Over an index, and the dense vectors of the same passages.
    #[must_use]
    pub fn new(index: Index, vectors: Option<Vectors>) -> Self {
        Self { index: Arc::new(index), vectors: Arc::new(vectors.map(OnceLock::from).unwrap_or_default()) }
    }

    /// Embeds the passages. When that fails it is tried again and again, as long as anybody searches here; meanwhile
    /// words alone are searched.
    pub(super) async fn embed(&self, embedder: Arc<dyn Embedder>, cache: &Path) {
        let vectors = Vectors::of(self.index.passages(), Arc::clone(&embedder), cache, Kept::Trusted, &|_, _| ()).await;
        let error = match vectors {
            Ok(vectors) => return drop(self.vectors.set(vectors)),
            Err(error) => error,
        };
        tracing::warn!(%error, "the passages were not embedded; searched by words alone until they are");
        let (index, place, cache) = (Arc::clone(&self.index), Arc::downgrade(&self.vectors), cache.to_owned());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(AGAIN).await;
                let Some(place) = place.upgrade() else { return };
                let embedder = Arc::clone(&embedder);
                match Vectors::of(index.passages(), embedder, &cache, Kept::Trusted, &|_, _| ()).await {
                    Ok(vectors) => {
                        tracing::info!("the passages are embedded now; searched by dense vectors, too");
                        return drop(place.set(vectors));
                    }
                    Err(error) => tracing::debug!(%error, "the passages were not embedded"),
                }
            }
        });
    }

    /// The words of what is searched.
    #[must_use]
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Its dense vectors.
    #[must_use]
    pub fn vectors(&self) -> Option<&Vectors> {
        self.vectors.get()
    }

    pub(super) async fn ask(&self, query: &Query) -> Asked {
        let words = sparse::question(&Analyser::new(query.language), &query.text);
        let vector = match self.vectors() {
            Some(vectors) if !words.indices.is_empty() => vectors.of_question(&query.text).await,
            _ => None,
        };
        Asked { words, vector }
    }

    pub(super) fn answer(&self, query: &Query, asked: &Asked) -> Vec<Passage> {
        let passages = self.index.passages();
        let leg = |hits| Leg::of(passages, hits, query.limit, true).unwrap_or_default();
        let lexical = leg(self.index.lexical(&asked.words, query));
        let dense = self
            .vectors()
            .zip(asked.vector.as_ref())
            .map(|(vectors, vector)| leg(vectors.hits(passages, passages.place(query), vector, query)));
        rank(passages, query, &lexical, dense.as_ref())
    }
}

impl Search for Embedded {
    fn search<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Passage>, SearchError>> {
        async move {
            let asked = self.ask(query).await;
            Ok(self.answer(query, &asked))
        }
        .boxed()
    }
}
