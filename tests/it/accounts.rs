//! What a model costs: every call is written down, and none is made beyond the budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, join_all};
use serde_json::json;
use tokio::sync::Semaphore;
use vireille::cases::{CaseId, ModelCallId, MunicipalityId, Role};
use vireille::clock::Ambient;
use vireille::config::{Budget, CassetteMode, Config, Failover, Model};
use vireille::model::accounts::{Counted, Ledger, MemoryLedger};
use vireille::model::cassette::Cassette;
use vireille::model::chat::{ChatAnswer, ChatError, ChatModel, ChatRequest, Finish, Purpose, TimeLimit};
use vireille::model::meter::Meter;
use vireille::storage::{self, Micros, ModelCall, Month, Spent};

use crate::support::app::spawn_app;
use crate::support::calls::{Told, answer, request};
use crate::support::database::{BEGINNING, Database, on_every_database};

/// No limits: a story sets its own.
fn unlimited() -> Budget {
    Budget {
        case_calls: 0,
        case_tokens: 0,
        case_seconds: 0,
        case_cost: "0".into(),
        month_tokens: 0,
        month_cost: "0".into(),
        prices: std::path::PathBuf::new(),
    }
}

fn counted(inner: Arc<dyn ChatModel>, ledger: &Arc<MemoryLedger>, budget: &Budget) -> Counted {
    let (ambient, _) = Ambient::fixed(BEGINNING.parse().unwrap());
    counted_at(inner, ledger.clone(), budget, ambient)
}

fn counted_at(inner: Arc<dyn ChatModel>, ledger: Arc<dyn Ledger>, budget: &Budget, ambient: Ambient) -> Counted {
    let Config { model, failover, .. } = Config::standard();
    Counted::new(inner, ledger, &model, &failover, budget, ambient).unwrap()
}

/// Answers when it is let.
#[derive(Debug)]
struct Held(Arc<Semaphore>);

impl ChatModel for Held {
    fn chat<'a>(&'a self, _: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        async move {
            self.0.acquire().await.unwrap().forget();
            Ok(answer("at last"))
        }
        .boxed()
    }
}

/// A row of the accounts: 900 and 40 tokens, 1.5 seconds, 12 millionths of a dollar.
fn row(request: &ChatRequest, at: &str) -> ModelCall {
    let Purpose { municipality, case, step, prompt, prompt_hash } = request.purpose.clone();
    ModelCall {
        id: ModelCallId::new(uuid::Uuid::nil()),
        municipality,
        case_id: case,
        step: step.into(),
        prompt,
        prompt_hash,
        model: "m".into(),
        endpoint: None,
        started_at: at.parse().unwrap(),
        latency: Duration::from_millis(1_500),
        attempts: None,
        input_tokens: 900,
        cached_tokens: 0,
        output_tokens: 40,
        estimated: false,
        cost: Micros::new(12),
        currency: "USD".into(),
        cost_known: true,
        finish: None,
        outcome: "answered".into(),
    }
}

fn why(result: Result<ChatAnswer, ChatError>) -> String {
    match result {
        Err(ChatError::Budget(why)) => why,
        other => panic!("the budget allowed it: {other:?}"),
    }
}

#[tokio::test]
async fn every_call_is_in_the_accounts_whatever_came_of_it() {
    on_every_database(async |db: &Database| {
        let mut refusal = answer("");
        (refusal.refusal, refusal.content) = (Some("no".into()), None);
        let mut stranger = answer("words");
        stranger.model = "a model;\u{1b}[31m of ÅÄÖ's".into();
        let results = [
            Ok(answer("words")),
            Ok(refusal),
            Ok(stranger),
            Err(ChatError::Unreachable),
            Err(ChatError::Cut),
            Err(ChatError::Timeout(TimeLimit::Stall)),
            Err(ChatError::Quota),
        ];
        let ledger = Arc::new(db.storage.clone());
        let model = counted_at(Told::all(results.clone()), ledger, &unlimited(), db.ambient.clone());
        let request = request("Katuvalo ei pala.");
        for result in &results {
            assert_eq!(model.chat(&request).await, *result, "what comes through is not touched");
            db.clock.advance(Duration::from_secs(1));
        }

        let case = request.purpose.case.unwrap();
        let calls = db.storage.model_calls(&request.purpose.municipality, case).await.unwrap();
        let outcomes: Vec<&str> = calls.iter().map(|call| call.outcome.as_str()).collect();
        assert_eq!(outcomes, ["answered", "refusal", "answered", "unreachable", "cut", "stall", "quota"]);
        let first = &calls[0];
        assert_eq!((first.step.as_str(), first.prompt.as_str()), ("compose", "compose-decision@1"));
        assert_eq!((first.input_tokens, first.cached_tokens, first.output_tokens), (900, 600, 40));
        assert_eq!((first.model.as_str(), first.endpoint.as_deref()), ("gpt-4.1-mini-2025-04-14", Some("primary")));
        assert_eq!((first.finish.as_deref(), first.attempts, first.estimated), (Some("stop"), Some(2), false));
        // 300 fresh at 0.40, 600 cached at 0.10 and 40 written at 1.60 for a million.
        assert_eq!((first.cost, first.currency.as_str(), first.cost_known), (Micros::new(244), "USD", true));
        assert_eq!(calls[2].model, "amodel31mofs", "a name of a server's own is cut down");
        assert!(calls[2].cost_known, "else the price of the model that was asked for");
        // Nothing was read, or it was read and nobody said how much.
        let read: Vec<bool> = calls[3..].iter().map(|call| call.input_tokens > 50).collect();
        assert_eq!(read, [false, true, true, false]);
        assert!(calls[4].estimated && calls[4].cost > Micros::ZERO && calls[3].cost == Micros::ZERO);
    })
    .await;
}

#[tokio::test]
async fn what_comes_from_a_cassette_costs_nothing_and_an_unknown_model_the_most() {
    let ledger = Arc::new(MemoryLedger::default());
    let replayed = ChatAnswer { endpoint: "cassette".into(), ..answer("again") };
    let model = counted(Told::all([Ok(replayed)]), &ledger, &unlimited());
    model.chat(&request("a")).await.unwrap();
    assert_eq!((ledger.calls()[0].cost, ledger.calls()[0].input_tokens), (Micros::ZERO, 900));

    let Config { model: mut settings, mut failover, .. } = Config::standard();
    settings.name = "mystery".into();
    let unknown = ChatAnswer { model: "mystery-2".into(), ..answer("who knows") };
    let (ambient, _) = Ambient::fixed(BEGINNING.parse().unwrap());
    let ledger = Arc::new(MemoryLedger::default());
    let elsewhere = ChatAnswer { endpoint: "failover".into(), ..unknown.clone() };
    let open = |answer: &ChatAnswer, settings: &Model, failover: &Failover| {
        let told = Told::all([Ok(answer.clone())]);
        Counted::new(told, ledger.clone(), settings, failover, &unlimited(), ambient.clone()).unwrap()
    };
    open(&unknown, &settings, &failover).chat(&request("a")).await.unwrap();
    // At 2.00, 0.50 and 8.00 a million: the dearest of the file.
    assert_eq!((ledger.calls()[0].cost, ledger.calls()[0].cost_known), (Micros::new(1_220), false));

    // The second address has a price of its own, and no other model's will do for it.
    failover.url = "http://127.0.0.1/v1".into();
    settings.name = "gpt-4.1-mini".into();
    for (name, cost, known) in [("gpt-4.1-nano", Micros::new(61), true), ("stranger", Micros::new(1_220), false)] {
        failover.name = name.into();
        open(&elsewhere, &settings, &failover).chat(&request("a")).await.unwrap();
        let call = ledger.calls().pop().unwrap();
        assert_eq!((call.cost, call.cost_known, call.endpoint.as_deref()), (cost, known, Some("failover")));
    }
}

/// Waits for its turn for ever, and sends nothing.
#[derive(Debug)]
struct Queued;

impl ChatModel for Queued {
    fn chat<'a>(&'a self, _: &'a ChatRequest) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        futures::future::pending().boxed()
    }

    fn metered<'a>(
        &'a self,
        request: &'a ChatRequest,
        _: &'a dyn Meter,
    ) -> BoxFuture<'a, Result<ChatAnswer, ChatError>> {
        self.chat(request)
    }
}

#[tokio::test]
async fn what_was_never_sent_costs_nothing() {
    let ledger = Arc::new(MemoryLedger::default());
    let (request, folder) = (request("a"), tempfile::tempdir().unwrap());
    let recorder = |inner, mode| Cassette::open(inner, folder.path(), mode, 1, "m").unwrap();
    let cut = || Told::all([Err(ChatError::Cut)]);
    // While it is recorded it is paid for; replayed it is not.
    let recording = counted(Arc::new(recorder(Some(cut()), CassetteMode::Record)), &ledger, &unlimited());
    assert_eq!(recording.chat(&request).await, Err(ChatError::Cut));
    assert!(ledger.calls()[0].cost > Micros::ZERO);
    let models: [Arc<dyn ChatModel>; 3] = [
        Arc::new(recorder(None, CassetteMode::Replay)),
        Told::all([Err(ChatError::Timeout(TimeLimit::Connect))]),
        Arc::new(Queued),
    ];
    for (model, outcome) in models.into_iter().zip(["cut", "timeout", "cancelled"]) {
        let model = counted(model, &ledger, &unlimited());
        let _given_up = tokio::time::timeout(Duration::from_millis(5), model.chat(&request)).await;
        tokio::task::yield_now().await;
        let call = ledger.calls().pop().unwrap();
        assert_eq!((call.outcome.as_str(), call.cost, call.input_tokens), (outcome, Micros::ZERO, 0));
    }
}

#[tokio::test]
async fn each_limit_stops_the_next_call_and_says_which_it_was() {
    let base = unlimited();
    let cases = [
        (Budget { case_calls: 1, ..base.clone() }, "1 calls are allowed for this case; 1 are spent"),
        (Budget { case_tokens: 2_000, ..base.clone() }, "2000 tokens are allowed for this case; 940 are spent"),
        (
            Budget { case_cost: "0.0018".into(), ..base.clone() },
            "0.0018 USD are allowed for this case; 0.000244 are spent",
        ),
        (
            Budget { month_tokens: 2_000, ..base.clone() },
            "2000 tokens are allowed for this municipality in 2026-03; 940 are spent",
        ),
        (
            Budget { month_cost: "0.0018".into(), ..base.clone() },
            "0.0018 USD are allowed for this municipality in 2026-03; 0.000244 are spent",
        ),
    ];
    for (budget, told) in cases {
        let ledger = Arc::new(MemoryLedger::default());
        let model = counted(Told::all([Ok(answer("one")), Ok(answer("two"))]), &ledger, &budget);
        // 800 tokens of the answer and at most some 200 of the request fit once, and not beside what was spent.
        let mut request = request(&"a".repeat(360));
        model.chat(&request).await.unwrap();
        request.sampling.max_tokens = 1_000;
        let why = why(model.chat(&request).await);
        assert!(why.starts_with(told), "{why}");
        assert_eq!(ledger.calls().len(), 1, "no call was made, and none is written down: {why}");
        // Another case has a budget of its own, the municipality's is one.
        request.purpose.case = Some("0199f0a2-0000-7000-8000-0000000000bb".parse().unwrap());
        assert_eq!(model.chat(&request).await.is_ok(), told.contains("this case"), "{told}");
    }
}

#[tokio::test]
async fn time_with_the_model_is_limited_too() {
    let ledger = Arc::new(MemoryLedger::default());
    let model = counted(Told::all([Ok(answer("quick"))]), &ledger, &Budget { case_seconds: 150, ..unlimited() });
    let request = request("a");
    let slow = |seconds| ModelCall { latency: Duration::from_secs(seconds), ..row(&request, BEGINNING) };
    ledger.record(slow(100)).await.unwrap();
    model.chat(&request).await.unwrap();
    ledger.record(slow(100)).await.unwrap();
    let why = why(model.chat(&request).await);
    assert_eq!(why, "150 seconds with the model are allowed for this case; 200 are spent");
}

#[tokio::test]
async fn a_new_month_in_finland_is_a_new_budget_and_dry_runs_share_the_months() {
    let ledger = Arc::new(MemoryLedger::default());
    let (ambient, clock) = Ambient::fixed("2026-03-31T20:59:00Z".parse().unwrap());
    let budget = Budget { month_tokens: 2_500, case_calls: 1, ..unlimited() };
    let model = counted_at(Told::all((0..9).map(|_| Ok(answer("a")))), ledger, &budget, ambient);
    let mut dry = request("a");
    dry.purpose.case = None;
    for _ in 0..2 {
        model.chat(&dry).await.unwrap();
    }
    assert!(why(model.chat(&dry).await).contains("in 2026-03"));
    clock.advance(Duration::from_mins(1));
    model.chat(&dry).await.unwrap();
}

#[tokio::test]
async fn calls_at_the_same_time_cannot_pass_a_limit_together() {
    // Whether what was reserved and not spent leaves room for a sixth.
    for (budget, room_is_left) in [
        (Budget { case_calls: 5, ..unlimited() }, false),
        (Budget { case_tokens: 5_000, ..unlimited() }, false),
        (Budget { month_cost: "0.007".into(), ..unlimited() }, true),
    ] {
        let ledger = Arc::new(MemoryLedger::default());
        let gate = Arc::new(Semaphore::new(0));
        let model = counted(Arc::new(Held(gate.clone())), &ledger, &budget);
        let request = request("a");
        let open = async {
            tokio::task::yield_now().await;
            gate.add_permits(20);
        };
        let (results, ()) = tokio::join!(join_all((0..20).map(|_| model.chat(&request))), open);
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5, "{budget:?}");
        assert_eq!(ledger.calls().len(), 5);
        assert_eq!(model.chat(&request).await.is_ok(), room_is_left, "{budget:?}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_written_down_and_its_reservation_goes() {
    let ledger = Arc::new(MemoryLedger::default());
    let gate = Arc::new(Semaphore::new(0));
    let model = counted(Arc::new(Held(gate.clone())), &ledger, &Budget { case_tokens: 1_500, ..unlimited() });
    let request = request("a");
    let given_up = tokio::time::timeout(Duration::from_millis(5), model.chat(&request)).await;
    assert!(given_up.is_err());
    tokio::task::yield_now().await;
    let calls = ledger.calls();
    assert_eq!((calls.len(), calls[0].outcome.as_str(), calls[0].estimated), (1, "cancelled", true));
    assert!(calls[0].input_tokens > 50 && calls[0].cost > Micros::ZERO);
    gate.add_permits(1);
    model.chat(&request).await.unwrap();
}

/// A ledger whose database went away.
#[derive(Debug, Default)]
struct Broken {
    reads: bool,
}

fn gone<T>() -> storage::Result<T> {
    Err(storage::Error::Unavailable { because: "a test".into() })
}

impl Ledger for Broken {
    fn spent_by_case<'a>(
        &'a self,
        _: &'a MunicipalityId,
        _: CaseId,
        _: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>> {
        let spent = if self.reads { Ok(Spent::default()) } else { gone() };
        async { spent }.boxed()
    }

    fn spent_in_month<'a>(
        &'a self,
        _: &'a MunicipalityId,
        _: Month,
        _: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>> {
        let spent = if self.reads { Ok(Spent::default()) } else { gone() };
        async { spent }.boxed()
    }

    fn record(&self, _: ModelCall) -> BoxFuture<'_, storage::Result<()>> {
        async { gone() }.boxed()
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_or_written_stops_the_spending() {
    let (ambient, _) = Ambient::fixed(BEGINNING.parse().unwrap());
    let budget = Budget { case_calls: 2, ..unlimited() };
    let told = || Told::all((0..9).map(|_| Ok(answer("a"))));
    let unread = counted_at(told(), Arc::new(Broken { reads: false }), &budget, ambient.clone());
    assert_eq!(why(unread.chat(&request("a")).await), "what was spent cannot be read, so nothing more is spent");
    // What cannot be written down is remembered as reserved.
    let unwritten = counted_at(told(), Arc::new(Broken { reads: true }), &budget, ambient);
    for _ in 0..2 {
        unwritten.chat(&request("a")).await.unwrap();
    }
    let why = why(unwritten.chat(&request("a")).await);
    assert!(why.starts_with("2 calls are allowed for this case; 0 are spent, 2 may go to calls in flight"), "{why}");
}

#[tokio::test]
async fn what_cannot_be_written_down_in_one_month_burdens_no_other() {
    let (ambient, clock) = Ambient::fixed("2026-03-31T20:59:00Z".parse().unwrap());
    let budget = Budget { month_tokens: 1_500, ..unlimited() };
    let told = Told::all((0..9).map(|_| Ok(answer("a"))));
    let model = counted_at(told, Arc::new(Broken { reads: true }), &budget, ambient);
    model.chat(&request("a")).await.unwrap();
    assert!(why(model.chat(&request("a")).await).contains("in 2026-03; 0 are spent, 940 may go to calls in flight"));
    clock.advance(Duration::from_mins(1));
    model.chat(&request("a")).await.unwrap();
}

/// A ledger that cannot write so many times.
#[derive(Debug)]
struct Away(MemoryLedger, AtomicU32);

impl Ledger for Away {
    fn spent_by_case<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        case: CaseId,
        currency: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>> {
        self.0.spent_by_case(municipality, case, currency)
    }

    fn spent_in_month<'a>(
        &'a self,
        municipality: &'a MunicipalityId,
        month: Month,
        currency: &'a str,
    ) -> BoxFuture<'a, storage::Result<Spent>> {
        self.0.spent_in_month(municipality, month, currency)
    }

    fn record(&self, call: ModelCall) -> BoxFuture<'_, storage::Result<()>> {
        let left = self.1.load(Ordering::SeqCst);
        self.1.store(left.saturating_sub(1), Ordering::SeqCst);
        if left > 0 { async { gone() }.boxed() } else { self.0.record(call) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_that_cannot_be_written_now_is_written_later_and_counts_meanwhile() {
    let ledger = Arc::new(Away(MemoryLedger::default(), AtomicU32::new(3)));
    let (ambient, _) = Ambient::fixed(BEGINNING.parse().unwrap());
    let budget = Budget { case_tokens: 1_500, ..unlimited() };
    let model = counted_at(Told::all((0..9).map(|_| Ok(answer("a")))), ledger.clone(), &budget, ambient);
    model.chat(&request("a")).await.unwrap();
    let meanwhile = why(model.chat(&request("a")).await);
    assert!(meanwhile.contains("0 are spent, 940 may go to calls in flight"), "what it took: {meanwhile}");
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(ledger.0.calls().len(), 1);
    let afterwards = why(model.chat(&request("a")).await);
    assert!(afterwards.contains("940 are spent, 0 may go to calls in flight"), "{afterwards}");
}

#[tokio::test]
async fn settings_at_fault_are_named() {
    let (ambient, _) = Ambient::fixed(BEGINNING.parse().unwrap());
    let fault = |budget: Budget| {
        let Config { model, failover, .. } = Config::standard();
        let ledger = Arc::new(MemoryLedger::default());
        let made = Counted::new(Told::all([]), ledger, &model, &failover, &budget, ambient.clone());
        made.map(|_| ()).unwrap_err().to_string()
    };
    let limit = fault(Budget { case_cost: "much".into(), ..unlimited() });
    assert_eq!(limit, "`budget.case_cost` is no amount: write a decimal as text, for example \"0.50\"");
    let prices = fault(Budget { prices: "no/such.toml".into(), ..unlimited() });
    assert!(prices.starts_with("no/such.toml: the price file cannot be read"), "{prices}");
}

#[tokio::test]
async fn calls_and_costs_are_shown_to_those_who_may_see_them() {
    let app = spawn_app().await;
    let case = app.drafted(&json!({ "text": "Katuvalo on pimeänä Rantakadulla." })).await;
    app.now_is("2026-03-10T08:15:00Z");
    let id: CaseId = case.rsplit('/').next().unwrap().parse().unwrap();
    let storage = app.app.storage();
    let model = counted_at(
        Told::all([Ok(ChatAnswer { finish: Finish::Length, ..answer("words") }), Err(ChatError::Cut)]),
        Arc::new(storage.clone()),
        &unlimited(),
        app.app.ambient().clone(),
    );
    let mut request = request("Katuvalo on pimeänä.");
    request.purpose.case = Some(id);
    for _ in 0..2 {
        let _ = model.chat(&request).await;
    }

    let handler = app.handler().await;
    let calls = handler.get(&format!("{case}/model-calls")).await.expect(200);
    assert_eq!(calls.json["items"].as_array().unwrap().len(), 2);
    let call = &calls.json["items"][0];
    assert_eq!(
        (&call["cost"], &call["cost_known"], &call["finish"]),
        (&json!("0.000244"), &json!(true), &json!("length"))
    );
    assert_eq!((&call["prompt"], &call["latency_microseconds"].is_u64()), (&json!("compose-decision@1"), &true));
    assert!(!calls.text.contains("pimeänä") && !calls.text.contains("words"), "{}", calls.text);
    app.stranger(Role::Handler).await.get(&format!("{case}/model-calls")).await.expect(404);

    let auditor = app.person(Role::Auditor, "Aatu Tarkastaja", None).await;
    let costs = auditor.get("/v1/model-costs").await.expect(200).json;
    assert_eq!((&costs["month"], costs["items"].as_array().unwrap().len()), (&json!("2026-03"), 2));
    let answered = costs["items"].as_array().unwrap().iter().find(|total| total["failed"] == 0).unwrap();
    assert_eq!((&answered["day"], &answered["cost"]), (&json!("2026-03-10"), &json!("0.000244")));
    assert_eq!(auditor.get("/v1/model-costs?month=2026-02").await.expect(200).json["items"], json!([]));
    let problem = auditor.get("/v1/model-costs?month=maaliskuu").await.expect(400).json;
    assert_eq!(problem["errors"][0]["instead"], "send for example 2026-11");
    handler.get("/v1/model-costs").await.expect(403);
    app.stop().await;
}

#[tokio::test]
async fn a_memory_ledger_and_the_database_reckon_alike() {
    on_every_database(async |db: &Database| {
        let memory = MemoryLedger::default();
        let ledgers: [&dyn Ledger; 2] = [&memory, &db.storage];
        let request = request("a");
        let (municipality, case) = (&request.purpose.municipality, request.purpose.case.unwrap());
        for (at, currency) in
            [("2026-02-28T22:00:00Z", "USD"), ("2026-03-10T10:00:00Z", "EUR"), ("2026-04-01T10:00:00Z", "USD")]
        {
            let call =
                ModelCall { id: ModelCallId::new(db.ambient.id()), currency: currency.into(), ..row(&request, at) };
            for ledger in ledgers {
                ledger.record(call.clone()).await.unwrap();
            }
        }
        for currency in ["USD", "EUR", "SEK"] {
            let [memory, stored] = ledgers.map(|ledger| ledger.spent_by_case(municipality, case, currency));
            assert_eq!(memory.await.unwrap(), stored.await.unwrap());
            let month: Month = "2026-03".parse().unwrap();
            let [memory, stored] = ledgers.map(|ledger| ledger.spent_in_month(municipality, month, currency));
            let (memory, stored) = (memory.await.unwrap(), stored.await.unwrap());
            assert_eq!((memory.calls, memory.tokens(), memory.cost), (stored.calls, stored.tokens(), stored.cost));
            assert_eq!(memory.calls, 2);
        }
    })
    .await;
}
