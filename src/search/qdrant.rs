//! The same search in a Qdrant cluster, over gRPC.
//!
//! A collection is named after what it holds (`ALIAS-` and eight digits of a hash over passages, analysis, model and
//! dimension) and never changes once the alias points at it: a new one is filled beside it, counted, and the alias moved
//! in one step, so that a search sees the old texts or the new and never some of both. It has one shard: how rare a term
//! is, is counted by shard.
//!
//! Every point carries the hash of all passages and the model of its dense vector, and every search asks for ours: by words
//! also while there are no dense vectors here. When the collection was built from other files than this process has read,
//! with another model, or cannot be reached, the index in memory answers, which always is of these files; a warning and a
//! metric say so. So no search fails because of a cluster, and none shows a text that is not in force here.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::civil::Date;
use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, CreateAliasBuilder, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder,
    DeletePointsBuilder, Distance, FieldType, Filter, Modifier, NamedVectors, PointId, PointStruct, PointsIdsList,
    Query as Nearest, QueryBatchPointsBuilder, QueryPoints, QueryPointsBuilder, Range, ScoredPoint,
    ScrollPointsBuilder, SearchParamsBuilder, SparseVectorParamsBuilder, SparseVectorsConfigBuilder,
    UpsertPointsBuilder, Vector, VectorInput, VectorParamsBuilder, VectorsConfigBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::dense::SAME;
use super::embedded::{Asked, vectors};
use super::pause::{PAUSE, Pause};
use super::ranking::{Hit, Leg, rank};
use super::sparse::Sparse;
use super::{Embedded, Indexed, Passage, Progress, Query, Search, SearchError};
use crate::cases::hex;
use crate::config;
use crate::telemetry;

/// Changes when points are filled in another way.
const LAYOUT: u8 = 2;

/// Name of the sparse vector, and of the dense one.
const WORDS: &str = "words";
const DENSE: &str = "dense";

/// Stands in `services` of a document that governs every service; no service can have this name.
const EVERY_SERVICE: &str = "*";

/// Points in one request.
const BATCH: usize = 64;

/// Hits that are asked for at first; ties at the end ask for more.
const FIRST: usize = 160;

/// Least time for a request that fills a collection.
const INDEXING_TIMEOUT: Duration = Duration::from_mins(1);

/// The last day that a range can name, for what has no end.
const FOREVER: i64 = 99_991_231;

/// Codes of gRPC.
const INVALID_ARGUMENT: i32 = 3;
const ALREADY_EXISTS: i32 = 6;
const FAILED_PRECONDITION: i32 = 9;

/// A cluster, with the index in memory behind it.
pub struct Cluster {
    client: Qdrant,
    indexer: Qdrant,
    alias: String,
    local: Embedded,
    places: HashMap<Uuid, usize>,
    pause: Pause,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("alias", &self.alias)
            .field("collection", &self.collection())
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// The cluster of the settings; a search waits no longer than `timeout` for it. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SearchError::Unreachable`] when the address is none.
    pub fn new(settings: &config::Search, timeout: Duration, local: Embedded) -> Result<Self, SearchError> {
        let passages = local.index().passages();
        let places = passages.ids().iter().enumerate().map(|(part, id)| (*id, part)).collect();
        Ok(Self {
            client: client(settings, timeout)?,
            indexer: client(settings, timeout.max(INDEXING_TIMEOUT))?,
            alias: settings.collection.clone(),
            places,
            local,
            pause: Pause::default(),
        })
    }

    /// The collection for these passages.
    #[must_use]
    pub fn collection(&self) -> String {
        let mut hash = Sha256::new();
        hash.update([LAYOUT]);
        hash.update(self.local.index().passages().hash());
        if let Some(vectors) = self.local.vectors() {
            hash.update(vectors.model());
            hash.update(vectors.dimension().to_string());
        }
        format!("{}-{}", self.alias, hex(&hash.finalize()[..4]))
    }

    /// What the cluster alone answers; none when it has other passages than ours, or none that answers.
    ///
    /// # Errors
    /// [`SearchError::Unreachable`].
    pub async fn answer(&self, query: &Query) -> Result<Option<Vec<Passage>>, SearchError> {
        let asked = self.local.ask(query).await;
        let words = self.local.index().for_cluster(&asked.words, query.language);
        self.ask(query, &words, &asked).await.map_err(|error| fault(&error))
    }

    async fn ask(&self, query: &Query, words: &Sparse, asked: &Asked) -> Result<Option<Vec<Passage>>, QdrantError> {
        let passages = self.local.index().passages();
        let mut wanted = FIRST.max(query.limit.saturating_mul(4));
        loop {
            let request = self.queries(query, words, asked.vector.as_deref(), wanted);
            let answers = self.client.query_batch(QueryBatchPointsBuilder::new(&self.alias, request)).await?.result;
            if answers.get(1).is_some_and(|dense| dense.result.is_empty()) {
                return Ok(None);
            }
            let everything = wanted > passages.parts().len();
            let mut legs = Vec::new();
            for answer in answers {
                let complete = everything || answer.result.len() < wanted;
                let Some(hits) = answer.result.iter().map(|point| self.hit(point)).collect() else { return Ok(None) };
                legs.push(Leg::of(passages, hits, query.limit, complete));
            }
            if let Some(legs) = legs.into_iter().collect::<Option<Vec<Leg>>>() {
                let mut legs = legs.into_iter();
                let Some(lexical) = legs.next() else { return Ok(None) };
                let found = rank(passages, query, &lexical, legs.next().as_ref());
                return Ok(Some(found).filter(|found| !found.is_empty()));
            }
            wanted = wanted.saturating_mul(4);
        }
    }

    /// One query by words and, where there is a dense vector, one by it.
    fn queries(&self, query: &Query, words: &Sparse, vector: Option<&[f32]>, limit: usize) -> Vec<QueryPoints> {
        let words = (WORDS, VectorInput::new_sparse(words.indices.as_slice(), words.values.as_slice()));
        let dense = vector.map(|vector| (DENSE, VectorInput::new_dense(vector)));
        let by_model = self.local.vectors().map(|vectors| Condition::matches("model", vectors.model().to_owned()));
        [Some((words, None)), dense.map(|dense| (dense, by_model))]
            .into_iter()
            .flatten()
            .map(|((name, vector), by_model)| {
                let mut filter = self.filter(query);
                filter.must.extend(by_model);
                QueryPointsBuilder::new(&self.alias)
                    .query(Nearest::new_nearest(vector))
                    .using(name)
                    .filter(filter)
                    .limit(limit as u64)
                    // Without approximation: the same answers as from the index in memory.
                    .params(SearchParamsBuilder::default().exact(true))
                    .with_payload(false)
                    .build()
            })
            .collect()
    }

    fn filter(&self, query: &Query) -> Filter {
        let on = Some(day(query.on));
        let mut conditions = vec![
            Condition::matches("index", self.local.index().passages().hash().to_owned()),
            Condition::matches("municipality", query.municipality.to_string()),
            Condition::matches("language", query.language.to_string()),
            Condition::range("in_force_from", Range { lte: on.map(float), ..Range::default() }),
            Condition::range("in_force_to", Range { gte: on.map(float), ..Range::default() }),
        ];
        if let Some(service) = &query.service {
            conditions.push(Condition::matches("services", vec![service.to_string(), EVERY_SERVICE.to_owned()]));
        }
        Filter::must(conditions)
    }

    fn hit(&self, point: &ScoredPoint) -> Option<Hit> {
        let part = *self.places.get(&uuid(point.id.as_ref()?)?)?;
        Some(Hit { part, score: point.score })
    }

    /// Fills the collection for these passages and moves the alias to it. What is there already is not written again:
    /// a run that broke off is gone on with. `rebuild` fills a new collection even so, and so do vectors that are not
    /// ours, of a model that embedded otherwise. `progress` hears how many of how many passages are there.
    ///
    /// # Errors
    /// The cluster's; the alias then points where it pointed.
    pub async fn index(&self, rebuild: bool, progress: Progress<'_>) -> Result<Indexed, SearchError> {
        self.fill(rebuild, progress).await.map_err(|error| fault(&error))?
    }

    async fn fill(&self, rebuild: bool, progress: Progress<'_>) -> Result<Result<Indexed, SearchError>, QdrantError> {
        let aliased = self.aliased().await?;
        let current = aliased.iter().find(|(alias, _)| *alias == self.alias).map(|(_, collection)| collection.clone());
        let mut target = self.target(current.as_deref(), rebuild);
        let rebuild = rebuild || self.holds_other_vectors(&target).await?;
        if rebuild {
            target = self.target(current.as_deref(), true);
        }
        if rebuild && self.indexer.collection_exists(&target).await? {
            self.indexer.delete_collection(&target).await?;
        }
        if !self.indexer.collection_exists(&target).await? {
            self.create(&target).await?;
        }
        // Again and again: a run that broke off may have left some out, and what is there stays as it is.
        self.create_field_indexes(&target).await?;
        let there = self.ids(&target).await?;
        let ours: BTreeSet<Uuid> = self.local.index().passages().ids().iter().copied().collect();
        let removed: Vec<PointId> = there.difference(&ours).map(|&id| PointId::from(id)).collect();
        if !removed.is_empty() {
            let selected = PointsIdsList { ids: removed.clone() };
            self.indexer.delete_points(DeletePointsBuilder::new(&target).points(selected).wait(true)).await?;
        }
        let kept = there.intersection(&ours).count();
        self.write(&target, &there, kept, progress).await?;
        let counted = self.indexer.count(CountPointsBuilder::new(&target).exact(true)).await?;
        let counted = counted.result.map_or(0, |result| result.count);
        if counted != ours.len() as u64 {
            let what = format!("`{target}` has {counted} passages instead of {}; index again", ours.len());
            return Ok(Err(SearchError::Stale(what)));
        }
        let moved = current.as_deref() != Some(target.as_str());
        if moved {
            self.move_alias(&target, current.is_some()).await?;
        }
        let dropped = self.drop_others(&target).await?;
        Ok(Ok(Indexed {
            collection: Some(target),
            passages: ours.len(),
            written: ours.len() - kept,
            kept,
            removed: removed.len(),
            moved,
            dropped,
        }))
    }

    /// Creating an alias that exists moves it, in one step. A server that refuses that is asked in two; whoever searches
    /// between them is answered by the index in memory.
    async fn move_alias(&self, target: &str, exists: bool) -> Result<(), QdrantError> {
        let create = || self.indexer.create_alias(CreateAliasBuilder::new(target, &self.alias));
        if let Err(error) = create().await {
            // After a timeout, say, the alias may have been moved or may be later: it is not touched.
            if !exists || !is_refusal(&error) {
                return Err(error);
            }
            self.indexer.delete_alias(self.alias.as_str()).await?;
            create().await?;
        }
        Ok(())
    }

    /// Whether the collection is there and a passage in it has another dense vector than here.
    async fn holds_other_vectors(&self, collection: &str) -> Result<bool, QdrantError> {
        let Some(vectors) = self.local.vectors() else { return Ok(false) };
        if !self.indexer.collection_exists(collection).await? {
            return Ok(false);
        }
        let there = self.ids(collection).await?;
        let ids = self.local.index().passages().ids();
        let Some(part) = ids.iter().position(|id| there.contains(id)) else { return Ok(false) };
        let ours = VectorInput::new_dense(vectors.of_part(part));
        let nearest = QueryPointsBuilder::new(collection).query(Nearest::new_nearest(ours)).using(DENSE).limit(1);
        let exact = SearchParamsBuilder::default().exact(true);
        let found = self.indexer.query(nearest.params(exact).with_payload(false)).await?.result;
        Ok(found.first().is_some_and(|point| point.score < SAME))
    }

    /// Where to write: the collection that the alias points at when it is the one for these passages, else a new one.
    fn target(&self, current: Option<&str>, rebuild: bool) -> String {
        let (first, second) = (self.collection(), format!("{}-b", self.collection()));
        match current {
            Some(current) if current == first => {
                if rebuild {
                    second
                } else {
                    first
                }
            }
            Some(current) if current == second && !rebuild => second,
            _ => first,
        }
    }

    async fn aliased(&self) -> Result<Vec<(String, String)>, QdrantError> {
        let aliases = self.indexer.list_aliases().await?.aliases;
        Ok(aliases.into_iter().map(|alias| (alias.alias_name, alias.collection_name)).collect())
    }

    async fn create(&self, name: &str) -> Result<(), QdrantError> {
        let mut sparse = SparseVectorsConfigBuilder::default();
        sparse.add_named_vector_params(WORDS, SparseVectorParamsBuilder::default().modifier(Modifier::Idf));
        let mut create = CreateCollectionBuilder::new(name).shard_number(1).sparse_vectors_config(sparse);
        if let Some(vectors) = self.local.vectors() {
            let mut dense = VectorsConfigBuilder::default();
            let parameters = VectorParamsBuilder::new(vectors.dimension() as u64, Distance::Cosine);
            dense.add_named_vector_params(DENSE, parameters);
            create = create.vectors_config(dense);
        }
        self.indexer.create_collection(create).await?;
        Ok(())
    }

    /// By these fields the cluster filters without looking at every point.
    async fn create_field_indexes(&self, name: &str) -> Result<(), QdrantError> {
        for (field, kind) in [
            ("index", FieldType::Keyword),
            ("municipality", FieldType::Keyword),
            ("language", FieldType::Keyword),
            ("services", FieldType::Keyword),
            ("section", FieldType::Keyword),
            ("in_force_from", FieldType::Integer),
            ("in_force_to", FieldType::Integer),
        ] {
            let request = CreateFieldIndexCollectionBuilder::new(name, field, kind).wait(true);
            self.indexer.create_field_index(request).await?;
        }
        Ok(())
    }

    /// The ids of all points.
    async fn ids(&self, collection: &str) -> Result<BTreeSet<Uuid>, QdrantError> {
        let mut ids = BTreeSet::new();
        let mut request = ScrollPointsBuilder::new(collection).limit(1000).with_payload(false).with_vectors(false);
        loop {
            let page = self.indexer.scroll(request.clone()).await?;
            ids.extend(page.result.iter().filter_map(|point| uuid(point.id.as_ref()?)));
            let Some(next) = page.next_page_offset else { return Ok(ids) };
            request = request.offset(next);
        }
    }

    async fn write(
        &self,
        collection: &str,
        there: &BTreeSet<Uuid>,
        mut done: usize,
        progress: Progress<'_>,
    ) -> Result<(), QdrantError> {
        let total = self.local.index().passages().parts().len();
        progress(done, total);
        let words = vectors(self.local.index().passages());
        let ids = self.local.index().passages().ids();
        let missing: Vec<usize> = (0..ids.len()).filter(|&part| !there.contains(&ids[part])).collect();
        for some in missing.chunks(BATCH) {
            let points: Vec<_> = some.iter().map(|&part| self.point(part, &words[part])).collect();
            self.indexer.upsert_points(UpsertPointsBuilder::new(collection, points).wait(true)).await?;
            done += some.len();
            progress(done, total);
        }
        Ok(())
    }

    fn point(&self, number: usize, words: &Sparse) -> PointStruct {
        let passages = self.local.index().passages();
        let part = &passages.parts()[number];
        let sparse = Vector::new_sparse(words.indices.as_slice(), words.values.as_slice());
        let mut vectors = NamedVectors::default().add_vector(WORDS, sparse);
        let dense = self.local.vectors();
        if let Some(dense) = dense {
            vectors = vectors.add_vector(DENSE, Vector::new_dense(dense.of_part(number)));
        }
        let services = if part.services.is_empty() { json!([EVERY_SERVICE]) } else { json!(part.services) };
        let payload: [(&str, serde_json::Value); 12] = [
            ("index", json!(passages.hash())),
            ("municipality", json!(part.municipality)),
            ("language", json!(part.language)),
            ("services", services),
            ("in_force_from", json!(day(part.in_force.from))),
            ("in_force_to", json!(part.in_force.to.map_or(FOREVER, day))),
            ("section", json!(part.section)),
            ("part", json!(part.number)),
            ("title", json!(part.title)),
            ("heading", json!(part.heading)),
            ("model", json!(dense.map(super::Vectors::model))),
            ("dimension", json!(dense.map(super::Vectors::dimension))),
        ];
        let payload: HashMap<String, serde_json::Value> =
            payload.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
        PointStruct::new(passages.ids()[number], vectors, Payload::from(payload))
    }

    /// Drops the collections that were filled for the alias before, whole or in part.
    async fn drop_others(&self, kept: &str) -> Result<Vec<String>, QdrantError> {
        let in_use: BTreeSet<String> = self.aliased().await?.into_iter().map(|(_, collection)| collection).collect();
        let mut dropped = Vec::new();
        for collection in self.indexer.list_collections().await?.collections {
            let name = collection.name;
            if name != kept && !in_use.contains(&name) && is_of(&self.alias, &name) {
                self.indexer.delete_collection(&name).await?;
                dropped.push(name);
            }
        }
        Ok(dropped)
    }
}

impl Search for Cluster {
    fn search<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Vec<Passage>, SearchError>> {
        async move {
            let asked = self.local.ask(query).await;
            let words = self.local.index().for_cluster(&asked.words, query.language);
            if words.indices.is_empty() || query.limit == 0 {
                // No text has a word of it.
                return Ok(self.local.answer(query, &asked));
            }
            let outcome = if self.pause.is_on() {
                "left-alone"
            } else {
                match self.ask(query, &words, &asked).await {
                    Ok(Some(passages)) => {
                        metrics::counter!(telemetry::SEARCHES, "outcome" => "cluster").increment(1);
                        return Ok(passages);
                    }
                    Ok(None) => "nothing",
                    Err(error) => {
                        self.pause.begin();
                        let because = fault(&error);
                        let seconds = PAUSE.as_secs();
                        tracing::warn!(%because, seconds, "the index in memory answers for {seconds} s: {because}");
                        "unreachable"
                    }
                }
            };
            let found = self.local.answer(query, &asked);
            let outcome = if outcome == "nothing" && !found.is_empty() { "stale" } else { outcome };
            if outcome == "stale" {
                self.pause.begin();
                tracing::warn!("the cluster's collection is of other files or another model; the index in memory answers: run `vireille policy index`");
            }
            metrics::counter!(telemetry::SEARCHES, "outcome" => outcome).increment(1);
            Ok(found)
        }
        .boxed()
    }
}

fn client(settings: &config::Search, timeout: Duration) -> Result<Qdrant, SearchError> {
    let mut builder = Qdrant::from_url(&settings.url)
        .timeout(timeout)
        .connect_timeout(timeout)
        // Else building would wait for the cluster, and print.
        .skip_compatibility_check();
    if !settings.key.reveal().is_empty() {
        builder = builder.api_key(settings.key.reveal());
    }
    builder.build().map_err(|error| fault(&error))
}

/// What happened, without a word of what the cluster wrote.
fn fault(error: &QdrantError) -> SearchError {
    let what = match error {
        QdrantError::ResponseError { status } | QdrantError::ResourceExhaustedError { status, .. } => {
            status.code().description()
        }
        QdrantError::InvalidUri(_) => "search.url is no address",
        _ => "the answer cannot be read",
    };
    SearchError::Unreachable(what.to_owned())
}

/// Whether a server that answered does not do what it was asked, as it stands.
fn is_refusal(error: &QdrantError) -> bool {
    let QdrantError::ResponseError { status } = error else { return false };
    [INVALID_ARGUMENT, ALREADY_EXISTS, FAILED_PRECONDITION].contains(&i32::from(status.code()))
}

/// Whether a collection's name is one that we give for an alias.
fn is_of(alias: &str, collection: &str) -> bool {
    let rest = collection.strip_prefix(alias).and_then(|rest| rest.strip_prefix('-'));
    let hash = rest.map(|rest| rest.strip_suffix("-b").unwrap_or(rest));
    hash.is_some_and(|hash| hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn uuid(id: &PointId) -> Option<Uuid> {
    match id.point_id_options.as_ref()? {
        PointIdOptions::Uuid(text) => Uuid::parse_str(text).ok(),
        PointIdOptions::Num(_) => None,
    }
}

/// A day as a number that sorts and reads as it does: 20260131.
fn day(date: Date) -> i64 {
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}

/// Ranges are written in floats, exact for days.
#[expect(clippy::cast_precision_loss, reason = "eight digits")]
const fn float(day: i64) -> f64 {
    day as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_collections_are_ever_dropped() {
        assert!(is_of("policy", "policy-0a1b2c3d") && is_of("policy", "policy-0a1b2c3d-b"));
        for other in
            ["policy", "policy-2", "policy-0a1b2c3", "policy-0a1b2c3d-c", "policy-zzzzzzzz", "my-policy-0a1b2c3d"]
        {
            assert!(!is_of("policy", other), "{other}");
        }
    }

    #[test]
    fn days_sort_as_numbers() {
        assert_eq!(day("2026-01-31".parse().unwrap()), 20_260_131);
        assert!(day("2025-12-31".parse().unwrap()) < day("2026-01-01".parse().unwrap()));
        assert!(day(Date::MAX) <= FOREVER);
    }
}
