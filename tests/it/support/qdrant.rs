//! A stand-in for a Qdrant server, **self-written**: the service traits that `qdrant-client` generates from Qdrant's own
//! protocol files, over plain exact scoring. It speaks real gRPC on a real port, so that the wire contract is tested; it is no
//! evidence of how a genuine server ranks. For that the same stories run against one named by `VIREILLE_TEST_QDRANT_URL`.
//!
//! As there: rarity is counted over the points of the collection that have the vector, in single precision; cosine vectors are
//! normalised when they come; an alias is moved by creating it again; what is not understood is refused. On purpose unlike ours:
//! sums run from the last dimension to the first, and equal scores come in the order of ids.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::qdrant_client::qdrant::alias_operations::Action;
use ::qdrant_client::qdrant::condition::ConditionOneOf;
use ::qdrant_client::qdrant::r#match::MatchValue;
use ::qdrant_client::qdrant::point_id::PointIdOptions;
use ::qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use ::qdrant_client::qdrant::value::Kind;
use ::qdrant_client::qdrant::vectors::VectorsOptions;
use ::qdrant_client::qdrant::*;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// A running server, to be started within a runtime. It stops when this goes.
pub struct Server {
    pub url: String,
    fake: Fake,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub fn start() -> Self {
        Self::with_key("")
    }

    /// A server that answers only who knows the key.
    pub fn with_key(key: &str) -> Self {
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}", incoming.local_addr().unwrap());
        let fake = Fake::default();
        key.clone_into(&mut fake.state().key);
        let router = tonic::transport::Server::builder()
            .add_service(points_server::PointsServer::new(fake.clone()))
            .add_service(collections_server::CollectionsServer::new(fake.clone()))
            .add_service(qdrant_server::QdrantServer::new(fake.clone()));
        let task = tokio::spawn(async move { router.serve_with_incoming(incoming).await.unwrap() });
        Self { url, fake, task }
    }

    /// Every request is refused as unavailable.
    pub fn unavailable(&self, yes: bool) {
        self.fake.state().unavailable = yes;
    }

    /// Every answer waits so long.
    pub fn slow(&self, delay: Duration) {
        self.fake.state().delay = delay;
    }

    /// After so many points no more are taken.
    pub fn full_after(&self, points: usize) {
        self.fake.state().room = points;
    }

    /// Collections get a dense vector of another dimension than was asked for.
    pub fn wrong_dimension(&self) {
        self.fake.state().wrong_dimension = true;
    }

    /// The fields of a collection by which it can filter quickly can be made, or not.
    pub fn makes_field_indexes(&self, yes: bool) {
        self.fake.state().no_field_indexes = !yes;
    }

    /// Those fields.
    pub fn fields(&self, collection: &str) -> usize {
        self.fake.state().collections[collection].fields.len()
    }

    /// The next move of an alias fails in this way.
    pub fn alias_fault(&self, code: tonic::Code) {
        self.fake.state().alias_fault = Some(code);
    }

    /// Where the aliases point.
    pub fn aliases(&self) -> BTreeMap<String, String> {
        self.fake.state().aliases.clone()
    }

    /// Queries answered so far.
    pub fn queries(&self) -> usize {
        self.fake.state().queries
    }

    /// Puts a stranger's point into a collection.
    pub fn plant(&self, collection: &str) {
        let id = "00000000-0000-8000-8000-00000000abcd".to_owned();
        self.fake.state().collections.get_mut(collection).unwrap().points.insert(id, Point::default());
    }
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<State>>);

struct State {
    key: String,
    collections: BTreeMap<String, Collection>,
    aliases: BTreeMap<String, String>,
    unavailable: bool,
    delay: Duration,
    room: usize,
    wrong_dimension: bool,
    no_field_indexes: bool,
    alias_fault: Option<tonic::Code>,
    queries: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            key: String::new(),
            collections: BTreeMap::new(),
            aliases: BTreeMap::new(),
            unavailable: false,
            delay: Duration::ZERO,
            room: usize::MAX,
            wrong_dimension: false,
            no_field_indexes: false,
            alias_fault: None,
            queries: 0,
        }
    }
}

#[derive(Default)]
struct Collection {
    /// Sparse vectors, and whether rarity counts.
    sparse: BTreeMap<String, bool>,
    /// Dense vectors with their dimension.
    dense: BTreeMap<String, usize>,
    fields: BTreeSet<String>,
    points: BTreeMap<String, Point>,
}

#[derive(Default)]
struct Point {
    payload: HashMap<String, Value>,
    sparse: HashMap<String, BTreeMap<u32, f32>>,
    dense: HashMap<String, Vec<f32>>,
}

impl Fake {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// What every request meets first.
    async fn admit<T>(&self, request: Request<T>) -> Result<T, Status> {
        let delay = self.state().delay;
        tokio::time::sleep(delay).await;
        let state = self.state();
        let key = request.metadata().get("api-key").and_then(|key| key.to_str().ok()).unwrap_or("");
        if state.unavailable {
            Err(Status::unavailable("planted"))
        } else if !state.key.is_empty() && key != state.key {
            Err(Status::unauthenticated("Must provide an API key"))
        } else {
            Ok(request.into_inner())
        }
    }
}

impl State {
    fn name<'a>(&'a self, name: &'a str) -> &'a str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    fn collection(&self, name: &str) -> Result<&Collection, Status> {
        let missing = || Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        self.collections.get(self.name(name)).ok_or_else(missing)
    }

    fn collection_mut(&mut self, name: &str) -> Result<&mut Collection, Status> {
        let missing = Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        let name = self.name(name).to_owned();
        self.collections.get_mut(&name).ok_or(missing)
    }

    fn query(&mut self, request: &QueryPoints) -> Result<Vec<ScoredPoint>, Status> {
        self.collection(&request.collection_name)?;
        self.queries += 1;
        let collection = self.collection(&request.collection_name)?;
        let using = request.using.clone().unwrap_or_default();
        let Some(query::Variant::Nearest(VectorInput { variant: Some(vector) })) =
            request.query.clone().and_then(|query| query.variant)
        else {
            return Err(Status::unimplemented("only the nearest"));
        };
        let mut scored = match vector {
            vector_input::Variant::Sparse(vector) => collection.by_words(&using, &vector)?,
            vector_input::Variant::Dense(vector) => collection.by_cosine(&using, vector.data)?,
            _ => return Err(Status::unimplemented("only plain vectors")),
        };
        let filter = request.filter.clone().unwrap_or_default();
        let mut kept = Vec::new();
        for (id, score) in scored.drain(..) {
            if fits(&filter, &collection.points[&id].payload)? {
                kept.push((id, score));
            }
        }
        kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        kept.truncate(usize::try_from(request.limit.unwrap_or(10)).unwrap());
        let point = |(id, score): (String, f32)| ScoredPoint { id: Some(id.into()), score, ..ScoredPoint::default() };
        Ok(kept.into_iter().map(point).collect())
    }
}

impl Collection {
    #[expect(clippy::cast_precision_loss, reason = "as Qdrant counts")]
    fn by_words(&self, using: &str, vector: &SparseVector) -> Result<Vec<(String, f32)>, Status> {
        let rare = *self.sparse.get(using).ok_or_else(|| Status::invalid_argument("Not existing vector name"))?;
        let query = sparse(vector)?;
        let with_vector = || self.points.iter().filter_map(|(id, point)| Some((id, point.sparse.get(using)?)));
        let all = with_vector().filter(|(_, vector)| !vector.is_empty()).count() as f32;
        let weights: Vec<(u32, f32)> = query
            .into_iter()
            .rev()
            .map(|(dimension, weight)| {
                let with = with_vector().filter(|(_, vector)| vector.contains_key(&dimension)).count() as f32;
                let rarity = if rare { ((all - with + 0.5) / (with + 0.5) + 1.0).ln() } else { 1.0 };
                (dimension, weight * rarity)
            })
            .collect();
        Ok(with_vector()
            .filter(|(_, vector)| weights.iter().any(|(dimension, _)| vector.contains_key(dimension)))
            .map(|(id, vector)| {
                let parts = weights.iter().filter_map(|(dimension, weight)| Some(weight * vector.get(dimension)?));
                (id.clone(), parts.sum())
            })
            .collect())
    }

    fn by_cosine(&self, using: &str, vector: Vec<f32>) -> Result<Vec<(String, f32)>, Status> {
        let dimension = *self.dense.get(using).ok_or_else(|| Status::invalid_argument("Not existing vector name"))?;
        if vector.len() != dimension {
            return Err(Status::invalid_argument("Vector dimension error"));
        }
        let query = normalised(vector);
        let dot = |vector: &Vec<f32>| vector.iter().zip(&query).rev().map(|(a, b)| a * b).sum();
        Ok(self.points.iter().filter_map(|(id, point)| Some((id.clone(), dot(point.dense.get(using)?)))).collect())
    }

    fn take(&mut self, point: PointStruct) -> Result<(), Status> {
        let Some(Vectors { vectors_options: Some(VectorsOptions::Vectors(named)) }) = point.vectors else {
            return Err(Status::invalid_argument("named vectors only"));
        };
        let mut taken = Point { payload: point.payload, ..Point::default() };
        for (name, vector) in named.vectors {
            match vector.vector {
                Some(vector::Vector::Sparse(vector)) if self.sparse.contains_key(&name) => {
                    taken.sparse.insert(name, sparse(&vector)?);
                }
                Some(vector::Vector::Dense(vector)) if self.dense.get(&name) == Some(&vector.data.len()) => {
                    taken.dense.insert(name, normalised(vector.data));
                }
                _ => return Err(Status::invalid_argument("Vector dimension error")),
            }
        }
        self.points.insert(id(point.id)?, taken);
        Ok(())
    }
}

fn sparse(vector: &SparseVector) -> Result<BTreeMap<u32, f32>, Status> {
    let map: BTreeMap<u32, f32> = vector.indices.iter().copied().zip(vector.values.iter().copied()).collect();
    if map.len() != vector.indices.len() || map.len() != vector.values.len() {
        return Err(Status::invalid_argument("indices must be unique and as many as values"));
    }
    Ok(map)
}

fn normalised(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

fn id(id: Option<PointId>) -> Result<String, Status> {
    match id.and_then(|id| id.point_id_options) {
        Some(PointIdOptions::Uuid(id)) if uuid::Uuid::parse_str(&id).is_ok() => Ok(id),
        _ => Err(Status::invalid_argument("UUIDs only")),
    }
}

fn fits(filter: &Filter, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    if !filter.should.is_empty() || !filter.must_not.is_empty() || filter.min_should.is_some() {
        return Err(Status::unimplemented("only `must`"));
    }
    for condition in &filter.must {
        let Some(ConditionOneOf::Field(field)) = &condition.condition_one_of else {
            return Err(Status::unimplemented("only fields"));
        };
        let values = payload.get(&field.key).map(values).unwrap_or_default();
        let wanted = field.r#match.as_ref().and_then(|wanted| wanted.match_value.as_ref());
        let holds = match (wanted, &field.range) {
            (Some(MatchValue::Keyword(word)), None) => values.contains(&Kind::StringValue(word.clone())),
            (Some(MatchValue::Keywords(words)), None) => {
                words.strings.iter().any(|word| values.contains(&Kind::StringValue(word.clone())))
            }
            (None, Some(range)) => values.iter().any(|value| within(value, range)),
            _ => return Err(Status::unimplemented("only words and ranges")),
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

#[expect(clippy::cast_precision_loss, reason = "days")]
fn within(value: &Kind, range: &Range) -> bool {
    let Kind::IntegerValue(value) = value else { return false };
    let value = *value as f64;
    range.lt.is_none_or(|limit| value < limit)
        && range.lte.is_none_or(|limit| value <= limit)
        && range.gt.is_none_or(|limit| value > limit)
        && range.gte.is_none_or(|limit| value >= limit)
}

/// A value, or those of a list.
fn values(value: &Value) -> Vec<Kind> {
    match &value.kind {
        Some(Kind::ListValue(list)) => list.values.iter().filter_map(|value| value.kind.clone()).collect(),
        kind => kind.iter().cloned().collect(),
    }
}

fn done() -> Response<PointsOperationResponse> {
    let result = UpdateResult { operation_id: Some(1), status: UpdateStatus::Completed.into() };
    Response::new(PointsOperationResponse { result: Some(result), ..PointsOperationResponse::default() })
}

/// Methods that nobody here calls.
macro_rules! not_taught {
    ($($name:ident: $request:ty => $response:ty;)+) => {$(
        // As `async_trait` writes it: the attribute does not see into a macro.
        fn $name<'life0, 'async_trait>(
            &'life0 self,
            _: Request<$request>,
        ) -> futures::future::BoxFuture<'async_trait, Answer<$response>>
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(std::future::ready(Err(Status::unimplemented(stringify!($name)))))
        }
    )+};
}

#[tonic::async_trait]
impl qdrant_server::Qdrant for Fake {
    async fn health_check(&self, request: Request<HealthCheckRequest>) -> Answer<HealthCheckReply> {
        self.admit(request).await?;
        Ok(Response::new(HealthCheckReply::default()))
    }
}

#[tonic::async_trait]
impl collections_server::Collections for Fake {
    async fn create(&self, request: Request<CreateCollection>) -> Answer<CollectionOperationResponse> {
        let create = self.admit(request).await?;
        let mut state = self.state();
        let name = create.collection_name;
        if state.collections.contains_key(&name) || state.aliases.contains_key(&name) {
            return Err(Status::already_exists("Wrong input: Collection already exists!"));
        }
        let sparse = create.sparse_vectors_config.unwrap_or_default().map;
        let dense = match create.vectors_config.and_then(|config| config.config) {
            Some(vectors_config::Config::ParamsMap(map)) => map.map,
            None => HashMap::new(),
            Some(_) => return Err(Status::unimplemented("named vectors only")),
        };
        if dense.values().any(|params| params.distance != i32::from(Distance::Cosine)) {
            return Err(Status::unimplemented("cosine only"));
        }
        let size = |size: u64| usize::try_from(size).unwrap() + usize::from(state.wrong_dimension);
        let collection = Collection {
            sparse: sparse.into_iter().map(|(name, p)| (name, p.modifier == Some(Modifier::Idf.into()))).collect(),
            dense: dense.into_iter().map(|(name, params)| (name, size(params.size))).collect(),
            ..Collection::default()
        };
        state.collections.insert(name, collection);
        Ok(Response::new(CollectionOperationResponse { result: true, time: 0.0 }))
    }

    async fn delete(&self, request: Request<DeleteCollection>) -> Answer<CollectionOperationResponse> {
        let name = self.admit(request).await?.collection_name;
        let mut state = self.state();
        state.aliases.retain(|_, target| *target != name);
        let result = state.collections.remove(&name).is_some();
        Ok(Response::new(CollectionOperationResponse { result, time: 0.0 }))
    }

    async fn list(&self, request: Request<ListCollectionsRequest>) -> Answer<ListCollectionsResponse> {
        self.admit(request).await?;
        let names = self.state().collections.keys().cloned().collect::<Vec<_>>();
        let collections = names.into_iter().map(|name| CollectionDescription { name }).collect();
        Ok(Response::new(ListCollectionsResponse { collections, time: 0.0 }))
    }

    async fn collection_exists(&self, request: Request<CollectionExistsRequest>) -> Answer<CollectionExistsResponse> {
        let name = self.admit(request).await?.collection_name;
        let exists = self.state().collection(&name).is_ok();
        Ok(Response::new(CollectionExistsResponse { result: Some(CollectionExists { exists }), time: 0.0 }))
    }

    async fn update_aliases(&self, request: Request<ChangeAliases>) -> Answer<CollectionOperationResponse> {
        let changes = self.admit(request).await?;
        let mut state = self.state();
        if let Some(code) = state.alias_fault.take() {
            return Err(Status::new(code, "planted"));
        }
        for change in changes.actions {
            match change.action {
                Some(Action::CreateAlias(CreateAlias { collection_name, alias_name })) => {
                    if !state.collections.contains_key(&collection_name) {
                        return Err(Status::not_found("Not found: Collection doesn't exist!"));
                    }
                    if state.collections.contains_key(&alias_name) {
                        return Err(Status::invalid_argument("a collection has that name"));
                    }
                    state.aliases.insert(alias_name, collection_name);
                }
                Some(Action::DeleteAlias(DeleteAlias { alias_name })) => {
                    state.aliases.remove(&alias_name);
                }
                _ => return Err(Status::unimplemented("rename")),
            }
        }
        Ok(Response::new(CollectionOperationResponse { result: true, time: 0.0 }))
    }

    async fn list_aliases(&self, request: Request<ListAliasesRequest>) -> Answer<ListAliasesResponse> {
        self.admit(request).await?;
        let aliases = self.state().aliases.clone().into_iter();
        let aliases =
            aliases.map(|(alias_name, collection_name)| AliasDescription { alias_name, collection_name }).collect();
        Ok(Response::new(ListAliasesResponse { aliases, time: 0.0 }))
    }

    not_taught! {
        get: GetCollectionInfoRequest => GetCollectionInfoResponse;
        update: UpdateCollection => CollectionOperationResponse;
        list_collection_aliases: ListCollectionAliasesRequest => ListAliasesResponse;
        collection_cluster_info: CollectionClusterInfoRequest => CollectionClusterInfoResponse;
        update_collection_cluster_setup: UpdateCollectionClusterSetupRequest => UpdateCollectionClusterSetupResponse;
        create_shard_key: CreateShardKeyRequest => CreateShardKeyResponse;
        delete_shard_key: DeleteShardKeyRequest => DeleteShardKeyResponse;
        list_shard_keys: ListShardKeysRequest => ListShardKeysResponse;
    }
}

#[tonic::async_trait]
impl points_server::Points for Fake {
    async fn upsert(&self, request: Request<UpsertPoints>) -> Answer<PointsOperationResponse> {
        let upsert = self.admit(request).await?;
        let mut state = self.state();
        if state.room < upsert.points.len() {
            return Err(Status::unavailable("planted: full"));
        }
        state.room -= upsert.points.len();
        let collection = state.collection_mut(&upsert.collection_name)?;
        upsert.points.into_iter().try_for_each(|point| collection.take(point))?;
        Ok(done())
    }

    async fn delete(&self, request: Request<DeletePoints>) -> Answer<PointsOperationResponse> {
        let delete = self.admit(request).await?;
        let Some(PointsSelectorOneOf::Points(selected)) = delete.points.and_then(|p| p.points_selector_one_of) else {
            return Err(Status::unimplemented("only by id"));
        };
        let mut state = self.state();
        let collection = state.collection_mut(&delete.collection_name)?;
        for one in selected.ids {
            collection.points.remove(&id(Some(one))?);
        }
        Ok(done())
    }

    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Answer<PointsOperationResponse> {
        let create = self.admit(request).await?;
        let mut state = self.state();
        if state.no_field_indexes {
            return Err(Status::unavailable("planted"));
        }
        state.collection_mut(&create.collection_name)?.fields.insert(create.field_name);
        Ok(done())
    }

    async fn scroll(&self, request: Request<ScrollPoints>) -> Answer<ScrollResponse> {
        let scroll = self.admit(request).await?;
        let state = self.state();
        let from = scroll.offset.map(|offset| id(Some(offset))).transpose()?.unwrap_or_default();
        // Small pages, so that every story turns some.
        let limit = usize::try_from(scroll.limit.unwrap_or(10)).unwrap().min(7);
        let mut ids = state.collection(&scroll.collection_name)?.points.range(from..).map(|(id, _)| id.clone());
        let page: Vec<_> = ids.by_ref().take(limit).collect();
        let point = |id: String| RetrievedPoint { id: Some(id.into()), ..RetrievedPoint::default() };
        Ok(Response::new(ScrollResponse {
            next_page_offset: ids.next().map(PointId::from),
            result: page.into_iter().map(point).collect(),
            ..ScrollResponse::default()
        }))
    }

    async fn count(&self, request: Request<CountPoints>) -> Answer<CountResponse> {
        let count = self.admit(request).await?;
        let count = self.state().collection(&count.collection_name)?.points.len() as u64;
        Ok(Response::new(CountResponse { result: Some(CountResult { count }), ..CountResponse::default() }))
    }

    async fn query(&self, request: Request<QueryPoints>) -> Answer<QueryResponse> {
        let query = self.admit(request).await?;
        let result = self.state().query(&query)?;
        Ok(Response::new(QueryResponse { result, ..QueryResponse::default() }))
    }

    async fn query_batch(&self, request: Request<QueryBatchPoints>) -> Answer<QueryBatchResponse> {
        let batch = self.admit(request).await?;
        let mut state = self.state();
        let answer = |query: &QueryPoints| Ok::<_, Status>(BatchResult { result: state.query(query)? });
        let result = batch.query_points.iter().map(answer).collect::<Result<_, _>>()?;
        Ok(Response::new(QueryBatchResponse { result, ..QueryBatchResponse::default() }))
    }

    not_taught! {
        get: GetPoints => GetResponse;
        update_vectors: UpdatePointVectors => PointsOperationResponse;
        delete_vectors: DeletePointVectors => PointsOperationResponse;
        set_payload: SetPayloadPoints => PointsOperationResponse;
        overwrite_payload: SetPayloadPoints => PointsOperationResponse;
        delete_payload: DeletePayloadPoints => PointsOperationResponse;
        clear_payload: ClearPayloadPoints => PointsOperationResponse;
        delete_field_index: DeleteFieldIndexCollection => PointsOperationResponse;
        create_vector_name: CreateVectorNameRequest => PointsOperationResponse;
        delete_vector_name: DeleteVectorNameRequest => PointsOperationResponse;
        search: SearchPoints => SearchResponse;
        search_batch: SearchBatchPoints => SearchBatchResponse;
        search_groups: SearchPointGroups => SearchGroupsResponse;
        recommend: RecommendPoints => RecommendResponse;
        recommend_batch: RecommendBatchPoints => RecommendBatchResponse;
        recommend_groups: RecommendPointGroups => RecommendGroupsResponse;
        discover: DiscoverPoints => DiscoverResponse;
        discover_batch: DiscoverBatchPoints => DiscoverBatchResponse;
        update_batch: UpdateBatchPoints => UpdateBatchResponse;
        query_groups: QueryPointGroups => QueryGroupsResponse;
        facet: FacetCounts => FacetResponse;
        search_matrix_pairs: SearchMatrixPoints => SearchMatrixPairsResponse;
        search_matrix_offsets: SearchMatrixPoints => SearchMatrixOffsetsResponse;
    }
}
