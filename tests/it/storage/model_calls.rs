//! Accounts of language models.

use vireille::storage::{Micros, ModelCall, Month};

use super::*;

/// A call that took 1 000 + 200 tokens, two seconds and 0.50 US dollars.
fn call(storage: &Storage, case: Option<CaseId>, at: &str) -> ModelCall {
    ModelCall {
        id: ModelCallId::new(storage.ambient().id()),
        municipality: harjuvesi(),
        case_id: case,
        step: "compose".into(),
        prompt: "compose-decision@1".into(),
        prompt_hash: "5e1f".into(),
        model: "gpt-4.1-mini".into(),
        endpoint: Some("primary".into()),
        started_at: at.parse().unwrap(),
        latency: Duration::from_secs(2),
        attempts: Some(1),
        input_tokens: 1_000,
        cached_tokens: 600,
        output_tokens: 200,
        estimated: false,
        cost: Micros::new(500_000),
        currency: "USD".into(),
        cost_known: true,
        finish: Some("stop".into()),
        outcome: "answered".into(),
    }
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

#[tokio::test]
async fn what_was_written_down_is_read_back() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let case = register(storage).await.id;
        let answered = call(storage, Some(case), "2026-03-03T10:00:00.000001Z");
        let failed = ModelCall {
            endpoint: None,
            attempts: None,
            estimated: true,
            cost_known: false,
            finish: None,
            outcome: "timeout".into(),
            ..call(storage, Some(case), "2026-03-03T09:00:00Z")
        };
        let elsewhere = ModelCall { municipality: neighbour(), ..call(storage, Some(case), "2026-03-03T10:00:00Z") };
        for call in [&answered, &failed, &elsewhere] {
            storage.record_model_call(call.clone()).await.unwrap();
        }
        assert_eq!(storage.model_calls(&harjuvesi(), case).await.unwrap(), [failed, answered.clone()]);
        assert_eq!(storage.model_calls(&neighbour(), case).await.unwrap(), [elsewhere]);
        assert!(matches!(storage.record_model_call(answered).await, Err(Error::Database { .. })), "one row a call");
    })
    .await;
}

#[tokio::test]
async fn sums_are_by_case_and_by_month_in_finland_and_of_one_currency() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let (case, other) = (register(storage).await.id, register(storage).await.id);
        let calls = [
            call(storage, Some(case), "2026-02-28T21:59:59Z"),
            call(storage, Some(case), "2026-02-28T22:00:00Z"),
            ModelCall { currency: "EUR".into(), ..call(storage, Some(case), "2026-03-31T20:59:59Z") },
            call(storage, Some(other), "2026-03-31T21:00:00Z"),
            call(storage, None, "2026-03-15T12:00:00Z"),
            ModelCall { municipality: neighbour(), ..call(storage, Some(case), "2026-03-15T12:00:00Z") },
        ];
        for call in calls {
            storage.record_model_call(call).await.unwrap();
        }
        let of_case = storage.spent_by_case(&harjuvesi(), case, "USD").await.unwrap();
        assert_eq!((of_case.calls, of_case.tokens(), of_case.latency), (3, 3_600, Duration::from_secs(6)));
        assert_eq!(
            (of_case.input_tokens, of_case.cost),
            (3_000, Micros::new(1_000_000)),
            "what was paid in euros is apart"
        );
        let euros = storage.spent_by_case(&harjuvesi(), case, "EUR").await.unwrap();
        assert_eq!(euros.cost, Micros::new(500_000));
        for (of, calls) in [("2026-02", 1), ("2026-03", 3), ("2026-04", 1), ("2026-05", 0)] {
            let spent = storage.spent_in_month(&harjuvesi(), month(of), "USD").await.unwrap();
            assert_eq!((spent.calls, spent.tokens()), (calls, calls * 1_200), "{of}");
        }
        let nobody = storage.spent_by_case(&harjuvesi(), CaseId::new(storage.ambient().id()), "USD").await.unwrap();
        assert_eq!(nobody, vireille::storage::Spent::default());
    })
    .await;
}

#[tokio::test]
async fn a_months_costs_stand_by_day_prompt_and_model() {
    on_every_database(async |db: &Database| {
        let storage = &db.storage;
        let calls = [
            call(storage, None, "2026-03-01T10:00:00Z"),
            ModelCall { outcome: "cut".into(), cost_known: false, ..call(storage, None, "2026-03-01T21:59:59Z") },
            ModelCall { prompt: "classify@1".into(), ..call(storage, None, "2026-03-01T10:00:00Z") },
            call(storage, None, "2026-03-01T22:00:00Z"),
            ModelCall { municipality: neighbour(), ..call(storage, None, "2026-03-01T10:00:00Z") },
        ];
        for call in calls {
            storage.record_model_call(call).await.unwrap();
        }
        let totals = storage.model_costs(&harjuvesi(), month("2026-03")).await.unwrap();
        let told: Vec<_> = totals
            .iter()
            .map(|total| (total.day.to_string(), total.prompt.as_str(), total.calls, total.failed, total.cost_known))
            .collect();
        assert_eq!(
            told,
            [
                ("2026-03-01".into(), "classify@1", 1, 0, true),
                ("2026-03-01".into(), "compose-decision@1", 2, 1, false),
                ("2026-03-02".into(), "compose-decision@1", 1, 0, true),
            ]
        );
        assert_eq!((totals[1].input_tokens, totals[1].cached_tokens, totals[1].output_tokens), (2_000, 1_200, 400));
        assert_eq!(totals[1].cost, Micros::new(1_000_000));
        assert_eq!(storage.model_costs(&harjuvesi(), month("2026-04")).await.unwrap(), []);
    })
    .await;
}
